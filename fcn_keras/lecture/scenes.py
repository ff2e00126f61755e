"""Scenes for the figures: good, typical and weak ones, chosen by their scores and not by hand."""

import numpy as np

from fcn_keras.lecture.experiment import Experiment
from fcn_keras.support.labels import VOID


def labelled(data, index: int) -> tuple[np.ndarray, np.ndarray]:
    """A picture of a data set and its label map.

    Raises:
        ValueError: If the picture has no label map.
    """
    image, mask = data[index]
    if mask is None:
        raise ValueError(
            f"Expected data with a label map for every picture. Received: {data.name}, "
            f"where number {index} has none"
        )
    return image, mask


def by_quality(experiment: Experiment) -> list[int]:
    """Indices of the test scenes, worst road IoU first."""
    return sorted(range(len(experiment.road.test)), key=lambda index: iou_of(experiment, index))


def iou_of(experiment: Experiment, index: int) -> float:
    """Road IoU of one test scene; 1 if there is no road and none was found."""
    (_, true), found = labelled(experiment.road.test, index), experiment.trained.labels[index]
    scored = true != VOID
    both = (true == 1) & (found == 1) & scored
    either = ((true == 1) | (found == 1)) & scored
    return float(both.sum() / either.sum()) if either.any() else 1.0
