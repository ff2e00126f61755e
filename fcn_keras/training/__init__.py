"""Compile and fit (lecture: L24): `fitting` holds `fit`, the other modules hold its parts."""

from fcn_keras.training.distribution import connected, data_parallel
from fcn_keras.training.fitting import FINE_TUNING_RATE, fit
from fcn_keras.training.frozen import (
    FrozenFeatures,
    ImagesDifferInSize,
    frozen_border,
    frozen_features,
    head,
)
from fcn_keras.training.history import History, TrainingWarning
from fcn_keras.training.loss import PixelwiseCrossEntropy, segmentation_loss

__all__ = [
    "FINE_TUNING_RATE",
    "FrozenFeatures",
    "History",
    "ImagesDifferInSize",
    "PixelwiseCrossEntropy",
    "TrainingWarning",
    "connected",
    "data_parallel",
    "fit",
    "frozen_border",
    "frozen_features",
    "head",
    "segmentation_loss",
]
