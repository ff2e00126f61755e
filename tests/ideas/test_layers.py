"""Bilinear start, transposed convolution, cropping: each against something written out in NumPy."""

import keras
import numpy as np
import pytest

from fcn_keras import layers


def interpolate(image, factor):
    """Linear interpolation from its definition: output pixel o lies at (o + 0.5) / factor − 0.5 of
    the input."""

    def along(array, axis):
        size = array.shape[axis]
        at = (np.arange(size * factor) + 0.5) / factor - 0.5
        low = np.clip(np.floor(at).astype(int), 0, size - 1)
        high = np.clip(low + 1, 0, size - 1)
        share = (at - np.floor(at)).reshape([-1 if a == axis else 1 for a in range(array.ndim)])
        return np.take(array, low, axis) * (1 - share) + np.take(array, high, axis) * share

    return along(along(image, 0), 1)


@pytest.mark.parametrize("factor", [2, 4, 8, 16, 32])
def test_upscore_starts_as_bilinear_interpolation_inside_the_border(factor):
    scores = np.random.default_rng(factor).normal(size=(1, 5, 6, 3)).astype("float32")
    out = keras.ops.convert_to_numpy(layers.upscore(3, factor, "up")(scores))[0]
    inside = slice(factor, -factor)  # the outermost pixels also see zeros from outside
    np.testing.assert_allclose(
        out[inside, inside], interpolate(scores[0], factor)[inside, inside], atol=1e-5
    )


@pytest.mark.parametrize("factor", [3, 5])
def test_odd_factors_interpolate_between_the_input_pixels(factor):
    ramp = np.arange(7, dtype="float32").reshape(1, 1, 7, 1).repeat(7, axis=1)
    out = keras.ops.convert_to_numpy(layers.upscore(1, factor, "up")(ramp))[0, 3 * factor, :, 0]
    steps = np.diff(out[factor:-factor])
    # a ramp stays a ramp, `factor` times finer
    np.testing.assert_allclose(steps, 1 / factor, atol=1e-5)


@pytest.mark.parametrize("factor", range(1, 9))
def test_bilinear_kernel_has_the_papers_size_and_taps(factor):
    kernel = layers.bilinear_kernel(factor)
    size = 2 * factor - factor % 2
    assert kernel.shape == (size, size)
    centre = factor - 1 if size % 2 else factor - 0.5
    expected = [1 - abs(i - centre) / factor for i in range(size)]
    np.testing.assert_allclose(kernel, np.outer(expected, expected), atol=1e-6)
    # stamped every `factor` pixels, a constant stays one
    assert kernel.sum() == pytest.approx(factor**2)


def test_bilinear_start_does_not_mix_classes():
    scores = np.zeros((1, 4, 4, 3), "float32")
    scores[..., 1] = 1
    out = keras.ops.convert_to_numpy(layers.upscore(3, 2, "up")(scores))
    assert out[..., 1].max() == pytest.approx(1)
    assert not out[..., [0, 2]].any()


def test_factor_below_one_is_refused():
    with pytest.raises(ValueError, match="factor to be a whole number of at least 1"):
        layers.bilinear_kernel(0)


def test_bilinear_start_refuses_another_kernel_size():
    layer = keras.layers.Conv2DTranspose(2, 5, strides=2, kernel_initializer=layers.Bilinear(2))
    with pytest.raises(ValueError, match="4 x 4"):
        layer.build((None, 4, 4, 2))


def convolution_matrix(kernel, size, stride):
    """The matrix A with A @ x = VALID convolution of x (one channel, one axis), from its
    definition."""
    places = (size - len(kernel)) // stride + 1
    matrix = np.zeros((places, size), "float32")
    for place in range(places):
        matrix[place, place * stride : place * stride + len(kernel)] = kernel
    return matrix


@pytest.mark.parametrize("stride", [1, 2, 3])
def test_transposed_convolution_is_the_transpose_of_the_convolutions_matrix_and_not_its_inverse(
    stride,
):
    kernel, places = np.array([1.0, 2.0, -1.0, 0.5], "float32"), 5
    size = stride * (places - 1) + len(kernel)
    matrix = convolution_matrix(kernel, size, stride)
    x = np.random.default_rng(0).normal(size=size).astype("float32")

    conv = keras.layers.Conv2D(1, (4, 1), strides=(stride, 1), use_bias=False)
    conv.build((None, None, None, 1))
    conv.set_weights([kernel.reshape(4, 1, 1, 1)])
    y = keras.ops.convert_to_numpy(conv(x.reshape(1, -1, 1, 1))).ravel()
    np.testing.assert_allclose(y, matrix @ x, atol=1e-5)

    up = keras.layers.Conv2DTranspose(1, (4, 1), strides=(stride, 1), use_bias=False)
    up.build((None, None, None, 1))
    up.set_weights([kernel.reshape(4, 1, 1, 1)])
    back = keras.ops.convert_to_numpy(up(y.reshape(1, -1, 1, 1))).ravel()
    np.testing.assert_allclose(back, matrix.T @ y, atol=1e-5)
    assert np.abs(back - x).max() > 0.5  # it restores the size, not the values


def test_crop_keeps_the_top_left_corner():
    x = np.arange(30, dtype="float32").reshape(1, 5, 6, 1)
    out = keras.ops.convert_to_numpy(layers.CropToMatch()([x, np.zeros((1, 3, 4, 7), "float32")]))
    np.testing.assert_array_equal(out, x[:, :3, :4])


def test_scores_start_at_zero_and_have_no_activation():
    layer = layers.score(4, "score_fr")
    features = np.random.default_rng(0).normal(size=(1, 3, 3, 8)).astype("float32")
    assert not keras.ops.convert_to_numpy(layer(features)).any()
    assert layer.activation is keras.activations.linear  # a ReLU would forbid negative scores


def test_vgg_preprocessing_swaps_to_bgr_before_it_subtracts_the_bgr_mean():
    pure_red = np.zeros((1, 1, 1, 3), "float32")
    pure_red[..., 0] = 255
    blue, green, red = keras.ops.convert_to_numpy(layers.VGGPreprocessing()(pure_red)).ravel()
    assert (blue, green, red) == pytest.approx((-103.939, -116.779, 255 - 123.68), abs=1e-3)
    theirs = keras.applications.vgg16.preprocess_input(pure_red.copy())
    np.testing.assert_allclose(np.array([[[[blue, green, red]]]]), theirs, atol=1e-3)
