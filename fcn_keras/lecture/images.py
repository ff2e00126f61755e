"""Figures of parts A and B: images and what one can ask about them (lecture: L01, L04-L07)."""

import numpy as np

from fcn_keras import visualization
from fcn_keras.experiment import Experiment


def regions(experiment: Experiment):
    """L07: a picture, its semantic regions coloured by category, and the legend."""
    data = experiment.data.test
    candidates = range(min(12, len(data)))
    richest = max(candidates, key=lambda index: len(np.unique(data[index][1])))
    return visualization.draw_regions(*data[richest], data.class_names, data.palette)
