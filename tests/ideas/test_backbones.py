"""Encoders: one pattern, five poolings, weights that are what they say."""

import keras
import numpy as np
import pytest
from conftest import random_image

import fcn_keras as fcn


@pytest.mark.parametrize("height,width", [(1, 1), (5, 7), (64, 96), (33, 31)])
def test_pool_n_is_the_image_halved_n_times_and_rounded_up(encoder, height, width):
    pools = encoder.predict_on_batch(random_image(height, width)[None].astype("float32"))
    for n in range(1, 6):
        assert pools[f"pool{n}"].shape[1:3] == (-(-height // 2**n), -(-width // 2**n))


@pytest.mark.slow
def test_vgg16_is_vgg16(tmp_path):
    """Same parameters and, with the same weights, the same features as Keras' own VGG16;
    preprocessing inside."""
    theirs = keras.applications.VGG16(include_top=False, weights=None)
    path = tmp_path / "vgg16.weights.h5"
    theirs.save_weights(path)
    ours = fcn.backbones.vgg16(weights=path)
    assert ours.count_params() == 14_714_688
    image = random_image(64, 96)[None].astype("float32")
    expected = theirs.predict_on_batch(keras.applications.vgg16.preprocess_input(image.copy()))
    np.testing.assert_allclose(
        ours.predict_on_batch(image)["pool5"], expected, rtol=1e-4, atol=1e-4
    )


def test_shipped_weights_are_loaded_and_differ_from_random(encoder):
    random = fcn.backbones.small_vgg(weights=None)
    assert random.count_params() == encoder.count_params()
    assert not np.allclose(
        random.get_layer("conv3_1").get_weights()[0], encoder.get_layer("conv3_1").get_weights()[0]
    )


def test_files_that_do_not_fit_are_refused_and_change_nothing(tmp_path):
    model = fcn.backbones.small_vgg(weights=None)
    before = model.get_weights()
    np.savez(
        tmp_path / "wrong.npz",
        **{"conv1_1/kernel": np.zeros((3, 3, 3, 16)), "conv9_9/bias": np.zeros(3)},
    )
    with pytest.raises(ValueError, match="conv9_9/bias"):
        fcn.backbones.load_npz(model, tmp_path / "wrong.npz")
    for a, b in zip(before, model.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)
    with pytest.raises(FileNotFoundError, match="not there"):
        fcn.backbones.vgg16(weights=tmp_path / "nowhere.h5")
    (tmp_path / "no.weights.h5").write_bytes(b"no weights")
    with pytest.raises(ValueError, match="notop"):
        fcn.backbones.vgg16(weights=tmp_path / "no.weights.h5")


def test_without_a_network_imagenet_weights_say_what_to_do(monkeypatch):
    def no_network(**options):
        raise Exception("URL fetch failure")

    monkeypatch.setattr(keras.applications, "VGG16", no_network)
    with pytest.raises(OSError, match="--backbone-weights FILE"):
        fcn.backbones.vgg16()
