"""Encoders: the downsampling path that finds *what* (lecture: L13, L23).

Each gives a dict of features `pool1` … `pool5`; `poolN` is the image at 1/2^N of its size, rounded
up.
"""

from fcn_keras.backbones.choosing import NAMES, by_name, default, default_name
from fcn_keras.backbones.efficientnet import efficientnet_lite0, efficientnet_lite0_classifier
from fcn_keras.backbones.from_model import from_keras
from fcn_keras.backbones.vggs import (
    SMALL_VGG_WEIGHTS,
    SMALL_VGG_WIDTHS,
    VGG16_WIDTHS,
    blocks,
    load_npz,
    small_vgg,
    vgg,
    vgg16,
    vgg16_classifier,
)

__all__ = [
    "NAMES",
    "SMALL_VGG_WEIGHTS",
    "SMALL_VGG_WIDTHS",
    "VGG16_WIDTHS",
    "blocks",
    "by_name",
    "default",
    "default_name",
    "efficientnet_lite0",
    "efficientnet_lite0_classifier",
    "from_keras",
    "load_npz",
    "small_vgg",
    "vgg",
    "vgg16",
    "vgg16_classifier",
]
