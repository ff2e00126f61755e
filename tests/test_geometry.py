"""Arithmetic against Keras, and receptive fields against the paper and against gradients."""

import keras
import numpy as np
import pytest

import fcn_keras as fcn
from fcn_keras import geometry


@pytest.mark.parametrize("padding", ["valid", "same"])
@pytest.mark.parametrize("stride", [1, 2, 3])
@pytest.mark.parametrize("kernel", [1, 2, 3, 4, 7])
@pytest.mark.parametrize("size", [7, 8, 13])
def test_sizes_are_those_of_keras(size, kernel, stride, padding):
    image = np.zeros((1, size, 8, 1), "float32")
    options = dict(filters=1, kernel_size=(kernel, 1), strides=(stride, 1), padding=padding)
    assert keras.layers.Conv2D(**options)(image).shape[1] == geometry.conv_size(size, kernel, stride, padding)
    assert keras.layers.Conv2DTranspose(**options)(image).shape[1] == geometry.transposed_size(size, kernel, stride, padding)
    pool = keras.layers.MaxPooling2D((kernel, 1), (stride, 1), padding)
    assert pool(image).shape[1] == geometry.conv_size(size, kernel, stride, padding)


@pytest.mark.parametrize("size,kernel,stride", [(7, 3, 1), (8, 3, 2), (7, 3, 2), (8, 4, 2), (5, 2, 1), (9, 1, 3)])
def test_same_padding_is_where_keras_puts_it(size, kernel, stride):
    """A kernel that only looks at its first tap tells how many zeros stand before the image."""
    before, _ = geometry.same_padding(size, kernel, stride)
    layer = keras.layers.Conv2D(1, (kernel, 1), strides=(stride, 1), padding="same", use_bias=False)
    layer.build((None, None, None, 1))
    layer.set_weights([np.eye(kernel, 1, dtype="float32").reshape(kernel, 1, 1, 1)])
    ramp = np.arange(1, size + 1, dtype="float32").reshape(1, size, 1, 1)
    first = float(keras.ops.convert_to_numpy(layer(ramp))[0, 0, 0, 0])
    assert first == (0 if before else 1)


@pytest.mark.parametrize(("name", "size", "stride"), [("pool3", 44, 8), ("pool4", 100, 16), ("pool5", 212, 32)])
def test_vgg16_has_the_papers_receptive_fields(name, size, stride):
    field = geometry.receptive_field(fcn.backbones.vgg16(weights=None), name)
    assert (field.size, field.stride) == (size, stride)


def test_receptive_field_after_fc6_is_the_papers_404():
    model = fcn.models.fcn(2, 32, fcn.backbones.vgg16(weights=None), width=4)
    assert geometry.receptive_field(model, "score_fr").size == 404


def moved(model, name, position, size=160):
    """Pixels (rows) of the input that one output position depends on: those with a gradient."""
    probe = keras.Model(model.inputs, model.get_layer(name).output)
    for layer in probe.layers:  # positive weights, average instead of maximum: nothing can hide
        if layer.weights:
            layer.set_weights([np.ones_like(w) / w.size for w in layer.get_weights()])
    base = np.ones((1, size, 32, 3), "float32")
    rows = []
    before = probe.predict_on_batch(base)[0, position].sum()
    batch = np.repeat(base, size, axis=0)
    batch[np.arange(size), np.arange(size)] = 2.0
    after = probe.predict_on_batch(batch)[:, position].sum(axis=(1, 2))
    rows = np.flatnonzero(np.abs(after - before) > 1e-7 * abs(before))
    return rows.min(), rows.max()


@pytest.mark.parametrize(("name", "position"), [("conv1", 20), ("conv3", 9), ("conv3", 10)])
def test_receptive_field_of_the_cae_is_what_moves_it(name, position):
    model = fcn.models.cae(widths=(4, 4, 4))
    field = geometry.receptive_field(model, name)
    first, last = moved(model, name, position)
    start = int(field.offset + position * field.stride)
    assert (first, last) == (start, start + field.size - 1)


def test_an_unknown_layer_is_a_clear_error_and_never_a_guess():
    image = keras.Input((None, None, 3))
    x = keras.layers.Conv2D(2, 3)(image)
    x = keras.layers.UpSampling2D(2, name="up")(x)
    model = keras.Model(image, x)
    with pytest.raises(ValueError, match="UpSampling2D"):
        geometry.receptive_field(model, "up")
    with pytest.raises(ValueError, match="one of the model's layers"):
        geometry.receptive_field(model, "pool9")


def test_impossible_sizes_are_answered():
    with pytest.raises(ValueError, match="must fit"):
        geometry.conv_size(3, 5)
    with pytest.raises(ValueError, match="stride"):
        geometry.conv_size(3, 1, 0)
    with pytest.raises(ValueError, match="padding"):
        geometry.transposed_size(3, 1, 1, "full")
