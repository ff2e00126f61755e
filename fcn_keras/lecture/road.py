"""Figures of part F: the lecture's experiment on roads (lecture: L22-L25)."""

import numpy as np

from fcn_keras import models, visualization
from fcn_keras.lecture.experiment import Experiment
from fcn_keras.lecture.scenes import by_quality, iou_of, labelled


def labelled_images(experiment: Experiment):
    """L22: inputs, and each channel of their one-hot labels."""
    data = experiment.road.train
    indices = np.linspace(0, len(data) - 1, 3).astype(int)
    images, masks = zip(*(data[index] for index in indices), strict=True)
    return visualization.draw_one_hot(images, masks, data.class_names)


def architecture(experiment: Experiment):
    """L23: the network with its tensor sizes, and what is fixed or trained."""
    rows = models.describe(experiment.network(), experiment.image_size)
    encoder = {"small_vgg": "small VGG", "vgg16": "VGG16"}[experiment.settings.backbone]
    title = f"FCN: {encoder} encoder fixed, head trained"
    return visualization.draw_architecture(rows, title, f"{encoder} encoder")


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
