"""The paper's FCN-32s, 16s and 8s to the pixel, and their released weights."""

from fcn_keras.published.networks import MEAN_BGR, PADDING, crop_offsets, fcn8s, fcn16s, fcn32s
from fcn_keras.published.weights import carry_over, export_weights, load_weights

__all__ = [
    "MEAN_BGR",
    "PADDING",
    "carry_over",
    "crop_offsets",
    "export_weights",
    "fcn8s",
    "fcn16s",
    "fcn32s",
    "load_weights",
]
