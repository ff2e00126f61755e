"""Figures of parts A and B: images and what one can ask about them (lecture: L01, L04-L07)."""

from typing import Any

import matplotlib.cbook
import numpy as np

from fcn_keras import datasets, visualization
from fcn_keras.datasets.drawn.shapes import arrays, shapes
from fcn_keras.lecture.classifier import shapes_classifier
from fcn_keras.lecture.experiment import Experiment
from fcn_keras.lecture.scenes import labelled
from fcn_keras.support.images import read_image
from fcn_keras.visualization.tasks import (
    boxes,
    draw_outputs,
    draw_tasks,
    draw_what_and_where,
    draw_zoom,
)

ZOOM = ((158, 276, 60), (182, 301, 10))  # the eye on the right of the photograph: top, left, size
TASKS_SCENE = 8  # of the drawn test scenes, seed 0, which the label and the sentence describe
TASKS_LABEL = "street"
TASKS_CAPTION = (
    "A van and a car stand beside an empty road in the evening; "
    "across it wait a lorry and two more cars."
)
SMALLEST_CAR = 100  # pixels; smaller ones are far away
SHIFT = (11, 7)  # rows, columns


def zoom(experiment: Experiment):
    """L01: a grey photograph zoomed until its pixel values can be read.

    Needs nothing of the experiment.
    """
    return draw_zoom(photograph().mean(axis=-1), ZOOM)


def photograph() -> np.ndarray:
    """Rear Admiral Grace Hopper, uint8 `(600, 512, 3)`, 0–255.

    Source: an official photograph of the US Navy, in the public domain, which comes with
    matplotlib.
    """
    file = matplotlib.cbook.get_sample_data("grace_hopper.jpg", asfileobj=False)
    return read_image(file)


def tasks(experiment: Experiment):
    """L04: classification, detection, segmentation and captioning of one drawn scene.

    The sentence is written by hand, so the scene is always the same, not one of the experiment's.
    """
    data = datasets.road_scenes("test")
    names = data.class_names
    image, labels = labelled(data, TASKS_SCENE)
    found = {"car": boxes(labels, names.index("car"), SMALLEST_CAR)}
    return draw_tasks(image, labels, names, data.palette, TASKS_LABEL, found, TASKS_CAPTION)


def outputs(experiment: Experiment):
    """L05: one class for the picture, one for every pixel."""
    data = shapes(3, experiment.settings.seed + 1)
    image, labels = labelled(data, 2)
    rows, columns = np.nonzero(labels)
    corner = int(columns[rows == rows.max()].min())  # the lowest row of the thing, at its left end
    window = (min(int(rows.max()) - 6, 54), min(max(corner - 4, 0), 54), 10)
    return draw_outputs(image, labels, data.class_names, data.palette, window)


def what_and_where(experiment: Experiment):
    """L06: the thing is moved; the classifier's label stays, and the mask moves."""
    seed = experiment.settings.seed
    model = shapes_classifier(experiment)
    here, there = shapes(4, seed + 1), shapes(4, seed + 1, SHIFT)

    def shown(data):
        """Pictures, masks, predicted labels of square, triangle, cross: three fit on a screen."""
        pictures, _ = arrays(data)
        silent: Any = 0  # Keras declares text, and takes a number
        numbers = model.predict(pictures, verbose=silent).argmax(axis=-1)
        predicted = [data.class_names[1 + number] for number in numbers]
        pictures, masks = zip(*data, strict=True)
        return pictures[1:4], masks[1:4], predicted[1:4]

    (images, masks, labels), (moved_images, moved_masks, moved_labels) = map(shown, (here, there))
    return draw_what_and_where(
        images, moved_images, masks, moved_masks, labels, moved_labels, here.palette
    )


def regions(experiment: Experiment):
    """L07: a picture, its semantic regions coloured by category, and the legend."""
    data = experiment.data.test
    scenes = [labelled(data, index) for index in range(min(12, len(data)))]
    image, labels = max(scenes, key=lambda scene: len(np.unique(scene[1])))
    return visualization.draw_regions(image, labels, data.class_names, data.palette)
