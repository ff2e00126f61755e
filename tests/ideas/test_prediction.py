"""From an image to labels."""

import keras
import numpy as np
import pytest
from conftest import random_image

import fcn_keras as fcn


@pytest.fixture(scope="module")
def model(encoder):
    made = fcn.models.fcn(3, 16, encoder, width=8)
    weights = made.get_layer("score_pool4").get_weights()
    made.get_layer("score_pool4").set_weights(
        [np.random.default_rng(0).normal(size=w.shape) for w in weights]
    )
    return made


@pytest.mark.parametrize("size", [(1, 1), (37, 53), (64, 64)])
def test_labels_have_the_images_size_and_are_the_highest_score(model, size):
    image = random_image(*size)
    labels = fcn.prediction.segment(model, image)
    assert labels.shape == size and labels.dtype == np.uint8
    probabilities = fcn.prediction.probabilities(model, image)
    np.testing.assert_allclose(probabilities.sum(-1), 1, atol=1e-5)
    np.testing.assert_array_equal(labels, probabilities.argmax(-1))


def test_wrong_images_are_answered(model):
    with pytest.raises(ValueError, match=r"image\[0\] of a batch"):
        fcn.prediction.segment(model, random_image(8, 8)[None])
    with pytest.raises(ValueError, match="multiply by 255"):
        fcn.prediction.segment(model, random_image(20, 20) / 255)
    with pytest.raises(ValueError, match="NaN"):
        fcn.prediction.segment(model, np.full((4, 4, 3), np.nan))
    with pytest.raises(ValueError, match="shape"):
        fcn.prediction.segment(model, random_image(8, 8)[..., 0])


def ending(*layers):
    return keras.Sequential(
        [keras.Input((None, None, 3)), keras.layers.Conv2D(3, 1), *layers], name="ending"
    )


def of_two(inputs, outputs):
    images = [keras.Input((None, None, 3)) for _ in range(inputs)]
    total = keras.layers.Add()(images) if inputs > 1 else images[0]
    return keras.Model(
        images, [keras.layers.Conv2D(3, 1)(total) for _ in range(outputs)], name="two"
    )


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (
            lambda: fcn.models.cae(widths=(4, 4)),
            "'cae', whose last layer 'to_pixels' is a Rescaling",
        ),
        # a model in a model
        (lambda: ending(fcn.models.cae(widths=(4, 4))), "'to_pixels' is a Rescaling"),
        (lambda: ending(keras.layers.Conv2D(3, 1, activation="sigmoid")), "is a sigmoid"),
        (
            lambda: ending(keras.layers.Activation("sigmoid"), keras.layers.Cropping2D(0)),
            "is a sigmoid",
        ),
        (lambda: of_two(2, 1), "2 inputs and 1 outputs"),
        (lambda: of_two(1, 2), "1 inputs and 2 outputs"),
    ],
)
def test_models_that_give_no_class_scores_are_refused(make, said):
    """Not labelled without a word: three channels of an autoencoder are three classes to argmax."""
    made, image = make(), random_image(16, 16)
    data = fcn.datasets.SegmentationData(
        lambda i: (image, image[..., 0] // 100), 2, ("a", "b", "c")
    )
    p = fcn.prediction
    for answer in (p.segment, p.probabilities, p.logits, p.segment_tiled):
        with pytest.raises(ValueError, match=rf"Expected model to .*Received: .*{said}"):
            answer(made, image)
    for answer in (fcn.evaluation.evaluate, fcn.evaluation.boundary_scores):
        with pytest.raises(ValueError, match=rf"Expected model to .*Received: .*{said}"):
            answer(made, data)


def test_models_that_end_in_a_softmax_may_label():
    soft = ending(keras.layers.Softmax())
    image = random_image(16, 16)
    hard = keras.Model(soft.inputs, soft.layers[0].output)
    np.testing.assert_array_equal(
        fcn.prediction.segment(soft, image), fcn.prediction.segment(hard, image)
    )


def test_feature_maps_are_what_the_layers_answer(model):
    image = random_image(37, 53)
    maps = fcn.prediction.feature_maps(model, image, ["pool5", "pool3", "logits"])
    assert (
        list(maps) == ["pool5", "pool3", "logits"]
        and maps["pool3"].shape[:2] == (5, 7)
        and maps["pool5"].shape[:2] == (2, 2)
    )
    np.testing.assert_allclose(maps["logits"], fcn.prediction.logits(model, image), atol=1e-4)
    assert fcn.prediction.feature_maps(model, image, ["pool1"])["pool1"].shape[:2] == (19, 27)
    with pytest.raises(ValueError, match=r"models\.describe.*pool9"):
        fcn.prediction.feature_maps(model, image, ["pool9", "pool1"])
