"""Figures of part E: what skip connections bring back (lecture: L18-L21)."""

import numpy as np

from fcn_keras import visualization
from fcn_keras.experiment import Experiment


def strides(experiment: Experiment):
    """L20: stride 32, 16, 8 side by side on a typical scene, and the error along the edge."""
    trained = experiment.strides
    data = experiment.road.test

    def gain(index):
        true = data[index][1]
        return np.mean(trained[32].labels[index] != true) - np.mean(trained[8].labels[index] != true)

    typical = sorted(range(len(data)), key=gain)[len(data) // 2]
    image, mask = data[typical]
    return visualization.draw_strides(
        image,
        mask,
        {stride: t.labels[typical] for stride, t in trained.items()},
        {stride: {width: s.pixel_error for width, s in t.bands.items()} for stride, t in trained.items()},
        "road",
    )
