"""Figures of part F: the lecture's experiment on roads (lecture: L22-L25)."""

import dataclasses

import numpy as np

from fcn_keras import models, visualization
from fcn_keras.lecture.experiment import Experiment
from fcn_keras.lecture.scenes import by_quality, iou_of, labelled

VGGS = ("small_vgg", "vgg16")  # few enough layers to be drawn one by one
# Encoders whose names are written otherwise in print
IN_PRINT = {"small_vgg": "small VGG", "vgg16": "VGG16", "efficientnet_lite0": "EfficientNet-Lite0"}


def labelled_images(experiment: Experiment):
    """L22: inputs, and each channel of their one-hot labels."""
    data = experiment.road.train
    indices = np.linspace(0, len(data) - 1, 3).astype(int)
    images, masks = zip(*(data[index] for index in indices), strict=True)
    return visualization.draw_one_hot(images, masks, data.class_names)


def architecture(experiment: Experiment):
    """L23: the network with its tensor sizes, and what is fixed or trained."""
    rows = models.describe(experiment.network(), experiment.image_size)
    name = experiment.settings.backbone
    if name not in VGGS:
        rows = by_pools(rows)
    encoder = IN_PRINT.get(name, name)
    title = f"FCN: {encoder} encoder fixed, head trained"
    return visualization.draw_architecture(rows, title, f"{encoder} encoder")


def by_pools(rows: list) -> list:
    """The rows of a network, with one row for all layers from one pool of its encoder to the next.

    Most encoders have a hundred layers or more, which no figure can show.
    """
    named = {row.name: row for row in rows}
    image, gathered, seen = rows[0], [], {rows[0].name}
    for pool in (f"pool{n}" for n in range(1, 6)):
        if pool not in named:
            continue
        waiting, inside = [pool], []
        while waiting:
            row = named[waiting.pop()]
            if row.name not in seen:
                seen.add(row.name)
                inside.append(row)
                waiting += row.inputs
        row = dataclasses.replace(
            named[pool],
            kind="Conv2D",
            parameters=sum(row.parameters for row in inside),
            detail=f"{sum(row.parameters > 0 for row in inside)} layers",
            inputs=(gathered[-1].name if gathered else image.name,),
        )
        gathered.append(row)
    return [image, *gathered, *(row for row in rows if row.name not in seen)]


def loss_curve(experiment: Experiment):
    """L24: the head's loss, step by step."""
    return visualization.draw_loss(experiment.trained.history.loss)


def results(experiment: Experiment):
    """L25: input, truth, result and mistakes for a good, a typical and a weak test scene."""
    data, labels = experiment.road.test, experiment.trained.labels
    order = by_quality(experiment)
    chosen = [order[int(share * (len(order) - 1))] for share in (0.9, 0.5, 0.1)]
    images, truths = zip(*(labelled(data, index) for index in chosen), strict=True)
    return visualization.draw_results(
        images,
        [labels[index] == 1 for index in chosen],
        "road",
        [iou_of(experiment, index) for index in chosen],
        truths,
    )
