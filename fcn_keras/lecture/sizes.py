"""Figures of part D about networks without a dense layer (lecture: L14, L15, L17)."""

import keras
import numpy as np

from fcn_keras import convolutionalize, models, training
from fcn_keras.datasets.drawn.shapes import arrays
from fcn_keras.lecture.classifier import shapes_classifier, unseen
from fcn_keras.lecture.experiment import Experiment, warnings_left_to_the_history
from fcn_keras.lecture.scenes import labelled
from fcn_keras.visualization.sizes import (
    draw_any_size,
    draw_dense_as_convolution,
    draw_pixel_scores,
)

SCENES, STEPS = 40, 100
SIZES = ((97, 101), (64, 149), (37, 53), (101, 7), (1, 1))  # odd ones, primes, a strip, one pixel


def dense_as_convolution(experiment: Experiment):
    """L14: a dense layer and its convolution agree; on a larger picture there is a map."""
    classifier = shapes_classifier(experiment)
    convolutional = convolutionalize.convolutionalize(classifier)
    pictures = unseen(experiment, 20)

    def answers(model):
        part = keras.Model(model.inputs, model.get_layer("dense").output)
        return part.predict_on_batch(arrays(pictures)[0]).reshape(20, -1)

    dense, convolution = answers(classifier), answers(convolutional)
    large = tiled(pictures, rows=3, columns=4)
    scores = convolutional.predict_on_batch(large[None].astype("float32"))[0]
    return draw_dense_as_convolution(
        dense, convolution, large, scores, pictures.class_names[1:], window=64, marked=(3, 5)
    )


def tiled(data, rows: int, columns: int) -> np.ndarray:
    """Pictures of one size side by side as one picture.

    Each row begins one class further, so that the shapes mix.

    Args:
        data: At least `(rows − 1) · (columns − 1) + columns` pictures of one size.
        rows, columns: How many pictures down and across.

    Returns:
        uint8 `(rows · H, columns · W, 3)`.
    """

    def line(row):
        first = (columns - 1) * row
        return np.hstack([data[first + column][0] for column in range(columns)])

    return np.vstack([line(row) for row in range(rows)])


def any_size(experiment: Experiment):
    """L15: the trained network on windows of many sizes of one scene."""
    data = experiment.road.test
    scene = data[0][0]
    height, width = scene.shape[:2]
    windows = [(height, width // 2), *SIZES]
    images = [_middle(scene, min(h, height), min(w, width)) for h, w in windows]
    labels = [logits_of(experiment.trained.model, image).argmax(axis=-1) for image in images]
    return draw_any_size(images, labels, data.palette, data.class_names)


def _middle(image, height, width):
    top, left = (image.shape[0] - height) // 2, (image.shape[1] - width) // 2
    return image[top : top + height, left : left + width]


def logits_of(model: keras.Model, image) -> np.ndarray:
    """The class scores of one picture. The model is not compiled for the picture's size.

    Args:
        model: `(batch, H, W, 3)` 0–255 → logits `(batch, H, W, C)`.
        image: `(H, W, 3)`, 0–255.

    Returns:
        float32 `(H, W, C)`.
    """
    logits = model(np.asarray(image, "float32")[None], training=False)
    return np.asarray(keras.ops.convert_to_numpy(logits))[0]


def scores_of_a_pixel(experiment: Experiment):
    """L17: a scene with one pixel marked, and the scores of all classes at that position."""
    test = experiment.data.test
    model, _ = experiment.train_once("all-classes", lambda: _train_all_classes(experiment))
    image, labels = labelled(test, 0)
    logits = logits_of(model, image)
    row, column = contested(logits, labels)
    under = logits[row, column]
    probabilities = keras.ops.convert_to_numpy(keras.ops.softmax(under))
    return draw_pixel_scores(
        image,
        row,
        column,
        under,
        probabilities,
        test.class_names,
        test.palette,
        int(labels[row, column]),
    )


def _train_all_classes(experiment: Experiment):
    """An FCN-8s for all classes of the data, trained for a few steps on a few pictures."""
    settings, train = experiment.settings, experiment.data.train
    keras.utils.set_random_seed(settings.seed)
    model = models.fcn(train.num_classes, 8, experiment.encoder, width=16)
    with warnings_left_to_the_history():  # a few steps may well end in one class
        history = training.fit(
            model,
            train.subset(range(min(SCENES, len(train)))),
            steps=min(STEPS, settings.steps),
            batch_size=8,
            learning_rate=3e-3,
            seed=settings.seed,
        )
    return model, history


def contested(logits, labels) -> tuple[int, int]:
    """A pixel worth a look: predicted correctly, with the winner ahead by a score of about 1.

    Args:
        logits: `(H, W, C)`.
        labels: True class numbers `(H, W)`.

    Returns:
        Row and column; the middle pixel where no pixel is right.
    """
    ordered = np.sort(logits, axis=-1)
    lead = np.abs(ordered[..., -1] - ordered[..., -2] - 1)
    lead = np.where(logits.argmax(axis=-1) == labels, lead, np.inf)
    if not np.isfinite(lead).any():
        return labels.shape[0] // 2, labels.shape[1] // 2
    row, column = np.unravel_index(lead.argmin(), lead.shape)
    return int(row), int(column)
