"""Figures of parts A and B: images and what one can ask about them (lecture: L01, L04-L07)."""

import matplotlib.cbook
import numpy as np

from fcn_keras import datasets, visualization
from fcn_keras.datasets.drawn import arrays, shapes
from fcn_keras.lecture.classifier import shapes_classifier
from fcn_keras.lecture.experiment import Experiment
from fcn_keras.support import images
from fcn_keras.visualization.tasks import (
    boxes,
    draw_outputs,
    draw_tasks,
    draw_what_and_where,
    draw_zoom,
)

ZOOM = ((158, 276, 60), (182, 301, 10))  # the eye on the right of the photograph: top, left, size
TASKS_SCENE = (
    8  # of the drawn test scenes, seed 0: the label and the sentence below are about this one
)
TASKS_LABEL = "street"
TASKS_CAPTION = "A van and a car stand beside an empty road in the evening; across it wait a lorry and two more cars."
SMALLEST_CAR = 100  # pixels; smaller ones are far away
SHIFT = (11, 7)  # rows, columns


def zoom(experiment: Experiment):
    """L01: a grey photograph zoomed until its pixel values can be read; the experiment is not asked for anything."""
    return draw_zoom(photograph().mean(axis=-1), ZOOM)


def photograph() -> np.ndarray:
    """Rear Admiral Grace Hopper, uint8 `(600, 512, 3)`, 0–255.

    Source: an official photograph of the US Navy, in the public domain, which comes with matplotlib.
    """
    return images.read_image(matplotlib.cbook.get_sample_data("grace_hopper.jpg", asfileobj=False))


def tasks(experiment: Experiment):
    """L04: classification, detection, segmentation, captioning of one drawn scene, always the same one.

    The sentence is written by hand, so the scene cannot be one of the experiment's own.
    """
    data = datasets.road_scenes("test")
    image, labels = data[TASKS_SCENE]
    found = {"car": boxes(labels, data.class_names.index("car"), SMALLEST_CAR)}
    return draw_tasks(
        image, labels, data.class_names, data.palette, TASKS_LABEL, found, TASKS_CAPTION
    )


def outputs(experiment: Experiment):
    """L05: one class for the picture, one for every pixel."""
    data = shapes(3, experiment.settings.seed + 1)
    image, labels = data[2]
    rows, columns = np.nonzero(labels)
    corner = int(columns[rows == rows.max()].min())  # the lowest row of the thing, at its left end
    window = (min(int(rows.max()) - 6, 54), min(max(corner - 4, 0), 54), 10)
    return draw_outputs(image, labels, data.class_names, data.palette, window)


def what_and_where(experiment: Experiment):
    """L06: the thing is moved; the classifier's label stays, the mask moves."""
    seed = experiment.settings.seed
    model = shapes_classifier(experiment)
    here, there = shapes(4, seed + 1), shapes(4, seed + 1, SHIFT)
    predicted, moved_predicted = (
        [
            data.class_names[1 + label]
            for label in model.predict(arrays(data)[0], verbose=0).argmax(axis=-1)
        ]
        for data in (here, there)
    )
    (pictures, masks), (moved_pictures, moved_masks) = (
        zip(*data, strict=True) for data in (here, there)
    )
    chosen = slice(1, 4)  # square, triangle, cross: three fit on a screen
    return draw_what_and_where(
        pictures[chosen],
        moved_pictures[chosen],
        masks[chosen],
        moved_masks[chosen],
        predicted[chosen],
        moved_predicted[chosen],
        here.palette,
    )


def regions(experiment: Experiment):
    """L07: a picture, its semantic regions coloured by category, and the legend."""
    data = experiment.data.test
    candidates = range(min(12, len(data)))
    richest = max(candidates, key=lambda index: len(np.unique(data[index][1])))
    return visualization.draw_regions(*data[richest], data.class_names, data.palette)
