"""Notebook 04: the autoencoder becomes an FCN (L12), whose way down finds what and whose way up
finds where (L13)."""

from itertools import pairwise

import keras
import numpy as np
import pytest

import fcn_keras as fcn
from fcn_keras.visualization.reconstruction import draw_hourglass_maps, draw_what_where

NAMES = ("conv1", "conv2", "conv3", "up1", "up2", "output")


def boxes(count, seed):
    """A bright box on dark ground, both noisy, and label maps: 1 on the box."""
    rng = np.random.default_rng(seed)
    labels = np.zeros((count, 64, 64), "int32")
    for mask in labels:
        (top, left), (height, width) = rng.integers(4, 20, 2), rng.integers(24, 40, 2)
        mask[top : top + height, left : left + width] = 1
    images = rng.integers(0, 90, (count, 64, 64, 3)) + 120 * labels[..., None]
    return images.astype("float32"), labels


@pytest.fixture(scope="module")
def data():
    return boxes(160, seed=0)


@pytest.fixture(scope="module")
def unseen():
    return boxes(12, seed=1)


@pytest.fixture(scope="module")
def autoencoder():
    keras.utils.set_random_seed(0)
    return fcn.models.cae()


def train(model, images, labels, epochs=3):
    keras.utils.set_random_seed(0)
    loss = fcn.training.segmentation_loss()
    model.compile(keras.optimizers.Adam(3e-3), loss, jit_compile=False)
    model.fit(images, labels, batch_size=4, epochs=epochs, verbose=0)
    return model


# --- L12: one layer and the target ---


def only_the_last_layer_is_new(autoencoder, network):
    """Same layers with the same weights, but for the last one, which has one channel per class."""
    first, second = (fcn.models.describe(model, (64, 64)) for model in (autoencoder, network))
    if fcn.lecture.changed_layers(first, second) != ["output", "logits"]:
        return False
    weights = [
        (autoencoder.get_layer(name).get_weights(), network.get_layer(name).get_weights())
        for name in NAMES[:-1]
    ]
    return all(
        np.array_equal(a, b)
        for before, after in weights
        for a, b in zip(before, after, strict=True)
    )


@pytest.mark.parametrize("classes", [2, 7])
def test_L12_only_the_last_layer_changes(autoencoder, classes):
    network = fcn.models.fcn_from_cae(autoencoder, classes)
    assert only_the_last_layer_is_new(autoencoder, network)
    assert network.get_layer("output").count_params() == 4 * 4 * 16 * classes + classes
    assert network.count_params() - autoencoder.count_params() == (classes - 3) * (4 * 4 * 16 + 1)


def test_L12_breaks_when_the_encoder_is_another(autoencoder):
    assert not only_the_last_layer_is_new(
        autoencoder, fcn.models.fcn_from_cae(fcn.models.cae(widths=(16, 32, 48)), 2)
    )
    # other weights
    assert not only_the_last_layer_is_new(autoencoder, fcn.models.fcn_from_cae(fcn.models.cae(), 2))


def iou(network, images, labels):
    found = network.predict_on_batch(images).argmax(axis=-1) == 1
    return (found & (labels == 1)).sum() / (found | (labels == 1)).sum()


@pytest.fixture(scope="module")
def trained(autoencoder, data):
    return train(fcn.models.fcn_from_cae(autoencoder, 2), *data)


def test_L12_with_the_label_map_as_target_it_segments(trained, unseen):
    assert iou(trained, *unseen) > 0.8


def test_L12_breaks_when_the_label_maps_are_shifted(autoencoder, data, unseen):
    images, labels = data
    network = train(fcn.models.fcn_from_cae(autoencoder, 2), images, np.roll(labels, 12, axis=2))
    assert not iou(network, *unseen) > 0.8


def test_the_autoencoder_is_not_changed_by_the_training_of_its_fcn(autoencoder, trained):
    keras.utils.set_random_seed(0)
    for before, now in zip(fcn.models.cae().get_weights(), autoencoder.get_weights(), strict=True):
        np.testing.assert_array_equal(before, now)
    assert not only_the_last_layer_is_new(autoencoder, trained)  # it was trained, all of it


# --- L13: what, and where ---


def without_downsampling(widths=(16, 32, 64)):
    """The layers of the way down with stride 1."""
    x = image = keras.Input((None, None, 3))
    x = keras.layers.Rescaling(1 / 255)(x)
    for name, width in zip(NAMES[:3], widths, strict=True):
        x = keras.layers.Conv2D(width, 3, padding="same", activation="relu", name=name)(x)
    return keras.Model(image, keras.layers.Conv2D(2, 1, name="output")(x))


def sees_much(model):
    """A position at the end of the way down sees several times as much as one at its start."""
    first, last = (fcn.geometry.receptive_field(model, name).size for name in ("conv1", "conv3"))
    return last >= 5 * first


def test_L13_on_the_way_down_each_position_sees_more(trained):
    assert [fcn.geometry.receptive_field(trained, name).size for name in NAMES[:3]] == [3, 7, 15]
    assert sees_much(trained)


def test_L13_breaks_when_nothing_is_downsampled():
    assert not sees_much(without_downsampling())


def textures(count, seed):
    """Sparse or dense dots all over a picture: no single pixel tells which, many together do."""
    rng = np.random.default_rng(seed)
    kinds = np.arange(count) % 2
    dots = rng.uniform(size=(count, 64, 64, 1)) < np.where(kinds, 0.4, 0.25)[:, None, None, None]
    return 40 + 180 * dots.repeat(3, axis=-1).astype("float32"), kinds[:, None, None].repeat(
        64, 1
    ).repeat(64, 2)


def errors_in_what(model, names):
    """Share of wrong positions of each layer when the class is read off its channels by least
    squares."""
    (images, labels), (others, truth) = textures(40, seed=2), textures(20, seed=3)
    probe = keras.Model(model.inputs, [model.get_layer(name).output for name in names])
    found = []
    for known, new in zip(
        probe.predict_on_batch(images), probe.predict_on_batch(others), strict=True
    ):
        step = 64 // known.shape[1]
        middle = slice(16 // step, 48 // step)  # away from the padding
        known, new = known[:, middle, middle], new[:, middle, middle]
        a, b = (np.c_[f.reshape(-1, f.shape[-1]), np.ones(f[..., 0].size)] for f in (known, new))
        weights = np.linalg.lstsq(a, labels[:, 16:48:step, 16:48:step].ravel(), rcond=None)[0]
        found.append(np.mean((b @ weights > 0.5) != truth[:, 16:48:step, 16:48:step].ravel()))
    return found


def knows_what_at_the_end(errors):
    return errors[-1] < 0.08 and errors[-1] < 0.5 * errors[0]


def averaging(model):
    """Every convolution on the way down takes the mean of what it reads: all that differs is how
    much that is."""
    for name in NAMES[:3]:
        kernel, bias = model.get_layer(name).get_weights()
        model.get_layer(name).set_weights([np.full_like(kernel, 1 / kernel[..., 0].size), 0 * bias])
    return model


def test_L13_on_the_way_down_the_error_in_what_falls():
    network = fcn.models.fcn_from_cae(fcn.models.cae(widths=(1, 1, 1)), 2)
    assert knows_what_at_the_end(errors_in_what(averaging(network), NAMES[:3]))


def test_L13_breaks_when_a_position_sees_little():
    network = without_downsampling(widths=(1, 1, 1))
    assert not knows_what_at_the_end(errors_in_what(averaging(network), NAMES[:3]))


def errors_in_where(model, labels, names):
    """Share of wrong pixels if each position of a layer had its best class."""
    errors = []
    for row in fcn.models.describe(model, labels.shape[1:]):
        if row.name in names:
            step = labels.shape[1] // row.output_shape[0]
            share = labels.reshape(-1, 64 // step, step, 64 // step, step).mean(axis=(2, 4))
            best = (share > 0.5).repeat(step, axis=1).repeat(step, axis=2)
            errors.append((best != labels).mean())
    return errors


def finds_where_again(errors):
    return errors[-1] == 0 and all(later < earlier for earlier, later in pairwise(errors))


def test_L13_on_the_way_up_the_error_in_where_falls_to_nothing(trained, unseen):
    assert finds_where_again(errors_in_where(trained, unseen[1], NAMES[2:]))


def test_L13_breaks_when_the_way_up_is_missing(trained, unseen):
    scores = keras.layers.Conv2D(2, 1, name="output")(trained.get_layer("conv3").output)
    assert not finds_where_again(
        errors_in_where(keras.Model(trained.inputs, scores), unseen[1], NAMES[2:])
    )


# --- figures ---


def test_figures_are_drawn_from_small_arrays(trained, unseen):
    image = unseen[0][0].astype("uint8")
    maps = fcn.prediction.feature_maps(trained, image, NAMES[:5])
    down, up = {name: maps[name] for name in NAMES[:3]}, {name: maps[name] for name in NAMES[3:5]}
    figure = draw_hourglass_maps(image, down, up, image, "prediction", dict.fromkeys(NAMES, 9))
    assert "conv3  8×8×64\none position sees 9 px" in [axis.get_title() for axis in figure.axes]
    with pytest.raises(ValueError, match="Received: 3 down, 0 up"):
        draw_hourglass_maps(image, down, {}, image, "prediction")
    figure = draw_what_where({"a": 3, "b": 7}, {"a": 0.2, "b": 0.1}, {"a": 0.0, "b": 0.1}, 4)
    assert {text.get_text() for text in figure.axes[0].texts} == {"20 %", "10 %", "0 %"}
