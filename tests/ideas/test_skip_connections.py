"""Skips: sizes that do not fit are made to fit, sum and concatenation do what they say."""

import keras
import numpy as np
import pytest

from fcn_keras.skip_connections import align, fuse


def maps(height, width, channels=3, seed=0):
    return np.random.default_rng(seed).normal(size=(1, height, width, channels)).astype("float32")


def fused(coarse, fine, fusion):
    a, b = keras.Input(coarse.shape[1:]), keras.Input(fine.shape[1:])
    model = keras.Model([a, b], fuse(a, b, fusion, name="fuse"))
    return keras.ops.convert_to_numpy(model([coarse, fine])), model


def test_align_makes_odd_sizes_fit():
    coarse, fine = keras.Input((6, 8, 2)), keras.Input((5, 7, 9))
    assert align(coarse, fine, "align").shape == (None, 5, 7, 2)


def test_sum_adds():
    coarse, fine = maps(4, 5), maps(4, 5, seed=1)
    out, model = fused(coarse, fine, "sum")
    np.testing.assert_allclose(out, coarse + fine, atol=1e-6)
    assert model.count_params() == 0


def test_concatenation_starts_as_the_sum_and_can_learn_more():
    coarse, fine = maps(4, 5), maps(4, 5, seed=1)
    out, model = fused(coarse, fine, "concat")
    np.testing.assert_allclose(out, coarse + fine, atol=1e-5)
    assert model.count_params() == 3 * 3 * 6 * 3 + 3
    kernel = model.get_layer("fuse_conv").trainable_weights[0]
    kernel.assign(kernel * 0.5)
    np.testing.assert_allclose(
        keras.ops.convert_to_numpy(model([coarse, fine])), (coarse + fine) / 2, atol=1e-5
    )


def test_different_channels_are_refused_with_the_way_out():
    with pytest.raises(ValueError, match="1 x 1 convolution"):
        fuse(keras.Input((4, 4, 2)), keras.Input((4, 4, 3)))


def test_unknown_fusion_is_refused():
    with pytest.raises(ValueError, match="'sum', 'concat'"):
        fuse(keras.Input((4, 4, 2)), keras.Input((4, 4, 2)), "mean")
