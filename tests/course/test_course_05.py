"""Notebook 05: no dense layer, any size, one prediction for each position (L14, L15, L17)."""

import keras
import numpy as np
import pytest
from conftest import random_image

import fcn_keras as fcn
from fcn_keras.datasets.drawn.shapes import arrays
from fcn_keras.lecture import sizes
from fcn_keras.lecture.experiment import Experiment, Settings
from fcn_keras.visualization.sizes import (
    draw_any_size,
    draw_dense_as_convolution,
    draw_pixel_scores,
)

ODD_SIZES = [(7, 101), (37, 53), (64, 64), (97, 31), (1, 1)]


@pytest.fixture(scope="module")
def classifier():
    keras.utils.set_random_seed(0)
    return fcn.models.classifier(4)


@pytest.fixture(scope="module")
def networks(encoder):
    keras.utils.set_random_seed(0)
    made = [fcn.models.fcn(3, stride, encoder, width=4) for stride in (32, 16, 8)]
    return [
        *made,
        fcn.models.lecture_fcn(3, encoder, width=4),
        fcn.models.fcn_from_cae(fcn.models.cae(widths=(4, 8)), 3),
    ]


# --- L14: only local layers ---


def is_local(model):
    """Whether every layer looks at a window or at one position: then its receptive field is known
    and it takes any size."""
    try:
        fcn.geometry.receptive_field(model, model.layers[-1].name, size=64)
    except ValueError:
        return False
    return model.input_shape[1:3] == (None, None)


def test_L14_an_fcn_has_only_local_layers(networks):
    assert all(is_local(network) for network in networks)


def test_L14_breaks_when_a_dense_layer_is_put_in(classifier):
    assert not is_local(classifier)
    image = keras.Input((64, 64, 3))
    x = keras.layers.Flatten()(keras.layers.MaxPooling2D(8)(image))
    x = keras.layers.Reshape((64, 64, 3))(keras.layers.Dense(64 * 64 * 3)(x))
    assert not is_local(keras.Model(image, x))


def says_the_same(classifier, kernel_of):
    """Whether the first dense layer's matrix, folded to a kernel, gives the dense layer's
    numbers."""
    pictures = arrays(fcn.datasets.shapes(6, seed=3))[0]
    tensors = [classifier.get_layer(name).output for name in ("pool4", "dense")]
    maps, answers = keras.Model(classifier.inputs, tensors).predict_on_batch(pictures)
    matrix, bias = classifier.get_layer("dense").get_weights()
    found = np.einsum("nijc,ijcu->nu", maps, kernel_of(matrix)) + bias
    return np.allclose(np.maximum(found, 0), answers, atol=1e-4)


def test_L14_a_dense_layer_is_a_convolution(classifier):
    assert says_the_same(classifier, lambda matrix: matrix.reshape(4, 4, 64, 64))
    pictures = arrays(fcn.datasets.shapes(6, seed=3))[0]
    convolutional = fcn.convolutionalize.convolutionalize(classifier)
    np.testing.assert_allclose(
        convolutional.predict_on_batch(pictures)[:, 0, 0],
        classifier.predict_on_batch(pictures),
        atol=1e-5,
    )
    assert convolutional.count_params() == classifier.count_params()


@pytest.mark.parametrize(
    "kernel_of",
    [
        lambda matrix: matrix.reshape(64, 4, 4, 64).transpose(1, 2, 0, 3),  # channels first
        lambda matrix: matrix.reshape(4, 4, 64, 64).swapaxes(0, 1),  # columns before rows
        lambda matrix: matrix.reshape(4, 4, 64, 64)[::-1, ::-1],  # turned round
    ],
)
def test_L14_breaks_when_the_matrix_is_folded_in_another_order(classifier, kernel_of):
    assert not says_the_same(classifier, kernel_of)


# --- L15: any size ---


def keeps_the_size(model):
    return all(
        model(random_image(*size)[None].astype("float32")).shape[1:3] == size for size in ODD_SIZES
    )


def test_L15_the_output_is_as_large_as_the_input(networks):
    assert all(keeps_the_size(network) for network in networks)


def test_L15_breaks_when_nothing_is_cropped(encoder):
    """Pooling rounds up and upsampling doubles: without the last crop an odd picture comes back too
    large."""
    model = fcn.models.fcn(3, 32, encoder, width=4)
    assert not keeps_the_size(keras.Model(model.inputs[0], model.get_layer("upscore").output))


def test_L15_breaks_when_pooling_drops_what_is_left_over(networks):
    """VALID pooling rounds down: of a picture of one pixel nothing is left."""
    image = keras.Input((None, None, 3))
    x = keras.layers.MaxPooling2D(2)(image)
    x = fcn.layers.upscore(3, 2, "up")(x)
    assert not keeps_the_size(keras.Model(image, x))


def test_L15_the_weights_do_not_know_the_size(networks):
    """A window far from every border gets the same labels in a large picture and in a smaller piece
    of it."""
    model = networks[-1]
    image = random_image(120, 136)
    large, piece = (
        fcn.prediction.logits(model, image),
        fcn.prediction.logits(model, image[16:96, 24:112]),
    )
    np.testing.assert_allclose(large[40:72, 48:88], piece[24:56, 24:64], atol=1e-4)


# --- L17: the channels under one pixel ---


def predicts_by_channels(logits, labels, probabilities):
    exponentials = np.exp(logits - logits.max(axis=-1, keepdims=True))
    return np.array_equal(logits.argmax(axis=-1), labels) and np.allclose(
        exponentials / exponentials.sum(axis=-1, keepdims=True), probabilities, atol=1e-5
    )


@pytest.fixture(scope="module")
def answers(networks):
    model, image = networks[-1], random_image(24, 40)
    return [
        answer(model, image)
        for answer in (fcn.prediction.logits, fcn.prediction.segment, fcn.prediction.probabilities)
    ]


def test_L17_the_channels_at_a_position_are_its_prediction(answers):
    assert predicts_by_channels(*answers)
    logits, labels, probabilities = answers
    row, column = 5, 33
    assert labels[row, column] == logits[row, column].argmax() and probabilities[
        row, column
    ].sum() == pytest.approx(1)


@pytest.mark.parametrize("axis", [0, 1])
def test_L17_breaks_when_the_softmax_goes_along_another_axis(answers, axis):
    logits, labels, _ = answers
    other = keras.ops.convert_to_numpy(keras.ops.softmax(logits, axis=axis))
    assert not predicts_by_channels(logits, labels, other)


def test_L17_breaks_when_the_scores_are_one_pixel_off(answers):
    logits, labels, probabilities = answers
    assert not predicts_by_channels(np.roll(logits, 1, axis=1), labels, probabilities)


# --- figures ---


def test_figures_are_drawn_from_small_arrays():
    image, rng = random_image(24, 32), np.random.default_rng(0)
    figure = draw_dense_as_convolution(
        np.ones((2, 3)), np.ones((2, 3)), image, rng.random((3, 5, 2)), ("a", "b"), window=16
    )
    assert any("3 × 5 answers" in axis.get_title() for axis in figure.axes)
    figure = draw_any_size(
        [image, image[:1, :1]],
        [image[..., 0] % 2, image[:1, :1, 0] % 2],
        np.zeros((2, 3), "uint8"),
        ("a", "b"),
    )
    words = [text.get_text() for text in figure.findobj(lambda artist: hasattr(artist, "get_text"))]
    assert words.count("24 × 32") == 2
    figure = draw_pixel_scores(
        image,
        3,
        4,
        np.array([1.0, 2]),
        np.array([0.3, 0.7]),
        ("a", "b"),
        np.zeros((2, 3), "uint8"),
        0,
    )
    assert any("row 3, column 4" in axis.get_title() for axis in figure.axes)


def test_the_pixel_shown_is_right_and_contested():
    logits = np.zeros((2, 3, 2))
    logits[0, 1] = 0, 1  # right, and a lead of 1
    logits[1, 2] = 5, 0  # right, and sure
    labels = np.ones((2, 3), int)
    labels[1, 2] = 0
    assert sizes.contested(logits, labels) == (0, 1)
    assert sizes.contested(np.zeros((2, 3, 2)), np.ones((2, 3), int)) == (1, 1)


def test_the_lecture_draws_the_same_figures(tmp_path, monkeypatch):
    monkeypatch.setattr(Experiment, "train_once", lambda self, name, train: train())
    scenes = fcn.datasets.road_scenes("train", count=12)
    opened = fcn.datasets.Opened(scenes.subset(range(8)), scenes.subset(range(8, 12)))
    monkeypatch.setattr(Experiment, "data", opened)
    experiment = Experiment(Settings(width=4, steps=4, batch_size=4))
    for draw in (sizes.dense_as_convolution, sizes.scores_of_a_pixel):
        fcn.visualization.save(draw(experiment), tmp_path / f"{draw.__name__}.png", dpi=20)
        assert fcn.images.read_image(tmp_path / f"{draw.__name__}.png").std() > 10
