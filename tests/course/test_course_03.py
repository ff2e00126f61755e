"""Notebook 03: the autoencoder is convolutions only, down and up again (L10), and gives back what
it never saw (L11)."""

import keras
import numpy as np
import pytest

import fcn_keras as fcn
from fcn_keras.lecture import autoencoder
from fcn_keras.lecture.experiment import Experiment, Settings
from fcn_keras.visualization.reconstruction import (
    draw_autoencoder,
    draw_reconstruction,
    most_different,
)


def arrays(data):
    return np.stack([image for image, _ in data]).astype("float32")


@pytest.fixture(scope="module")
def pictures():
    return arrays(fcn.datasets.shapes(200, seed=0))


@pytest.fixture(scope="module")
def unseen():
    return arrays(fcn.datasets.shapes(12, seed=1))


@pytest.fixture(scope="module")
def trained(pictures):
    return train(pictures, pictures)


def train(pictures, targets):
    keras.utils.set_random_seed(0)
    model = fcn.models.cae(widths=(16, 32))
    model.compile(keras.optimizers.Adam(3e-3), "mean_squared_error", jit_compile=False)
    model.fit(pictures, targets, batch_size=4, epochs=5, verbose=0)
    return model


# --- L10: down by convolution, up by its transpose ---


def is_a_cae(model):
    """Only local layers; as many halvings as doublings; the size of the input comes out, whatever
    it is."""
    rows = [row for row in fcn.models.describe(model) if row.parameters]
    if {row.kind for row in rows} != {"Conv2D", "Conv2DTranspose"} or not all(
        "stride 2" in row.detail for row in rows
    ):
        return False
    kinds = [row.kind for row in rows]
    halfway = len(kinds) // 2
    turns_once = kinds == ["Conv2D"] * halfway + ["Conv2DTranspose"] * halfway
    return turns_once and all(
        model(np.zeros((1, *size, 3))).shape == (1, *size, 3)
        for size in ((64, 64), (77, 141), (5, 9))
    )


def with_a_dense_layer():
    """The same, but a dense layer in the middle: it fits one size only."""
    image = keras.Input((64, 64, 3))
    x = keras.layers.Conv2D(4, 3, strides=8, padding="same")(image)
    x = keras.layers.Reshape((8, 8, 4))(keras.layers.Dense(256)(keras.layers.Flatten()(x)))
    return keras.Model(image, keras.layers.Conv2DTranspose(3, 8, strides=8, padding="same")(x))


def test_L10_the_autoencoder_is_convolutions_only():
    assert is_a_cae(fcn.models.cae())
    rows = {row.name: row.output_shape for row in fcn.models.describe(fcn.models.cae(), (80, 288))}
    assert rows["conv3"] == (10, 36, 64) and rows["output"] == (80, 288, 3)


def test_L10_breaks_when_a_dense_layer_is_put_in():
    model = with_a_dense_layer()
    assert not is_a_cae(model)
    with pytest.raises(ValueError):  # and indeed: no other size
        model(np.zeros((1, 77, 141, 3)))


def test_L10_breaks_when_it_only_goes_down():
    image = keras.Input((None, None, 3))
    assert not is_a_cae(
        keras.Model(image, keras.layers.Conv2D(3, 3, strides=2, padding="same")(image))
    )


# --- L11: 5 dB above the mean picture ---


def decibels_above_the_mean(given, unseen, pictures):
    mean = pictures.mean(axis=0)
    pairs = zip(unseen, given, strict=True)
    return np.mean(
        [autoencoder.psnr(image, out) - autoencoder.psnr(image, mean) for image, out in pairs]
    )


def test_L11_reconstruction_is_5_dB_above_the_mean_picture(trained, pictures, unseen):
    assert decibels_above_the_mean(trained.predict_on_batch(unseen), unseen, pictures) >= 5


def test_L11_breaks_when_it_is_not_trained(pictures, unseen):
    assert (
        not decibels_above_the_mean(
            fcn.models.cae(widths=(16, 32)).predict_on_batch(unseen), unseen, pictures
        )
        >= 5
    )


def test_L11_breaks_when_the_reconstructions_are_of_other_pictures(trained, pictures, unseen):
    others = np.roll(trained.predict_on_batch(unseen), 1, axis=0)
    assert not decibels_above_the_mean(others, unseen, pictures) >= 5


def test_L11_breaks_when_the_targets_were_other_pictures(pictures, unseen):
    """With the wrong target there is nothing to learn but the mean."""
    wrong = train(pictures, np.roll(pictures, 1, axis=0))
    assert not decibels_above_the_mean(wrong.predict_on_batch(unseen), unseen, pictures) >= 5


def test_decibels():
    image = np.full((4, 5, 3), 100.0)
    assert autoencoder.psnr(image, image + 25.5) == pytest.approx(20)
    assert autoencoder.psnr(image, image + 51) == pytest.approx(20 - 20 * np.log10(2))
    assert autoencoder.psnr(image, image) == float("inf")
    # a screen cannot show it
    assert autoencoder.psnr(np.full((2, 2), 255), np.full((2, 2), 400)) == float("inf")


# --- figures ---


def test_figures_are_drawn_from_small_arrays(trained):
    image = np.zeros((16, 40, 3), "uint8")
    figure = draw_autoencoder(fcn.models.describe(trained, (16, 40)), image, image + 300.0)
    assert (
        f"{trained.count_params():,} parameters; no dense layer"
        in figure.legends[0].get_texts()[0].get_text()
    )
    figure = draw_reconstruction(
        [image] * 2,
        [image] * 2,
        np.random.default_rng(0).normal(size=(2, 5, 3)),
        [20.0, 30.0],
        [10, 11],
        scenes=1,
    )
    titles = [axis.get_title() for part in figure.subfigs for axis in part.axes]
    assert "20.0 dB\n(mean training picture: 10.0 dB)" in titles
    assert "30.0 dB\n(grey: 11.0 dB)" in titles and "photographs" in figure.get_suptitle()


def test_the_maps_shown_differ():
    rng = np.random.default_rng(0)
    one, other = rng.normal(size=(2, 6, 7))
    features = np.stack([0 * one, one, 3 * one, -2 * one, other], axis=-1)
    assert most_different(features, 2) == [2, 4]
    assert most_different(0 * features, 2) == []


def test_pieces_are_cut_from_image_and_labels_alike():
    data = fcn.datasets.shapes(6)
    parts = autoencoder.pieces(data, 40)
    for index in range(6):
        (image, mask), (part, labels) = data[index], parts[index]
        places = np.argwhere(
            (np.lib.stride_tricks.sliding_window_view(image, (40, 40, 3))[:, :, 0] == part).all(
                (2, 3, 4)
            )
        )
        top, left = places[0]
        np.testing.assert_array_equal(labels, mask[top : top + 40, left : left + 40])
    assert autoencoder.pieces(data, 100)[0][0].shape == (64, 64, 3)


def test_the_lecture_draws_the_same_figures(tmp_path, monkeypatch):
    data = fcn.datasets.shapes(8)
    monkeypatch.setattr(Experiment, "data", fcn.datasets.Opened(data, data.subset(range(4))))
    experiment = Experiment(Settings(steps=2))
    for name in ("L10", "L11"):
        fcn.visualization.save(
            fcn.lecture.FIGURES[name].draw(experiment), tmp_path / f"{name}.png", dpi=20
        )
        assert fcn.images.read_image(tmp_path / f"{name}.png").std() > 10
