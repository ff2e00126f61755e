"""Figures of part A that need a trained classifier (lecture: L02, L03)."""

import itertools
from typing import Any

import keras
import numpy as np

from fcn_keras import models, prediction, training
from fcn_keras.datasets.drawn.shapes import arrays, shapes
from fcn_keras.lecture.experiment import Experiment
from fcn_keras.support.kinds import Drawable, Index, Model, checked
from fcn_keras.visualization.classifier import draw_classifier, draw_learned_filters

PICTURES, EPOCHS = 1600, 8
STAGES = ("pool1", "pool2", "pool3", "pool4", "dense", "probabilities")


def shapes_classifier(experiment: Experiment) -> keras.Model:
    """A classifier of the four shapes, trained once with the settings' seed.

    Short trials train on fewer pictures.
    """
    seed = experiment.settings.seed
    count = max(4, min(PICTURES, 4 * experiment.settings.steps))

    def train():
        images, labels = arrays(shapes(count, seed))
        keras.utils.set_random_seed(seed)
        model = models.classifier(4)
        # Keras takes bools and ints here, though its default values look like text
        compiled: Any = False if keras.backend.backend() == "tensorflow" else "auto"
        silent: Any = 0
        model.compile("adam", "sparse_categorical_crossentropy", jit_compile=compiled)
        fitted = model.fit(images, labels, batch_size=32, epochs=EPOCHS, verbose=silent)
        return model, training.History(loss=[float(loss) for loss in fitted.history["loss"]])

    return experiment.train_once("classifier", train)[0]


def unseen(experiment: Experiment, count: int = 4):
    """Pictures of shapes that the classifier never saw; the first four show one of each."""
    return shapes(count, experiment.settings.seed + 1)


def classifier(experiment: Experiment):
    """L03: one picture on its way through convolution, pooling and dense layers to its class."""
    model, data = shapes_classifier(experiment), unseen(experiment)
    image = data[0][0]
    tensors = prediction.feature_maps(model, image, STAGES)
    return draw_classifier(models.describe(model), image, tensors, data.class_names[1:])


def learned_filters(experiment: Experiment):
    """L02: the filters that a network learned, and where it looks."""
    model, data = shapes_classifier(experiment), unseen(experiment)
    images, labels = arrays(data)
    maps = prediction.feature_maps(model, images[0], ["conv1"])["conv1"]
    strongest = np.argsort(-maps.std(axis=(0, 1)), kind="stable")[:8]
    filters = model.get_layer("conv1").get_weights()[0][..., strongest]
    falls = [occlusion_map(model, *pair) for pair in zip(images, labels, strict=True)]
    titles = [data.class_names[1 + label] for label in labels]
    maps = maps[..., strongest]
    return draw_learned_filters(images[0], filters, maps, list(images), falls, titles)


@checked
def occlusion_map(
    model: Model, image: Drawable, label: Index, patch: int = 16, step: int = 3, grey: float = 80
) -> np.ndarray:
    """How far the probability of a class falls when a grey patch hides a place (lecture: L02).

    The patch stops at every `step`-th row and column. Each pixel gets the mean fall over the
    patches that hid it.

    Args:
        model: Classifier, `(batch, H, W, 3)` 0–255 → `(batch, classes)` probabilities.
        image: `(H, W, 3)`, 0–255.
        label: The class in question.
        patch: Height and width of the patch in pixels.
        step: From one place of the patch to the next, in pixels; at most `patch`.
        grey: Value of the patch; 80 is about as dark as the ground of `datasets.shapes`.

    Returns:
        float64 `(H, W)`; positive where hiding hurts. Pixels that no patch reached are 0.

    Raises:
        ValueError: If the patch does not fit, or the step leaves gaps.
    """
    height, width = image.shape[:2]
    if not 1 <= step <= patch <= min(height, width):
        raise ValueError(
            f"Expected 1 <= step <= patch <= {min(height, width)}. "
            f"Received: step={step}, patch={patch}"
        )
    tops, lefts = (range(0, length - patch + 1, step) for length in (height, width))
    places = list(itertools.product(tops, lefts))
    hidden = np.repeat(np.asarray(image, "float32")[None], 1 + len(places), axis=0)
    # the first picture stays as it is
    for picture, (y, x) in zip(hidden[1:], places, strict=True):
        picture[y : y + patch, x : x + patch] = grey
    probability = model.predict_on_batch(hidden)[:, label]
    fall, visits = np.zeros((height, width)), np.zeros((height, width))
    for (y, x), value in zip(places, probability[1:], strict=True):
        fall[y : y + patch, x : x + patch] += probability[0] - value
        visits[y : y + patch, x : x + patch] += 1
    return fall / np.maximum(visits, 1)
