"""Sizes, strides and receptive fields: by arithmetic, and read off a model."""

from fcn_keras.geometry.fields import IMAGE, Field, crop_offset
from fcn_keras.geometry.sizes import (
    PADDINGS,
    conv_size,
    convolution_matrix,
    overlap_map,
    pooled_size,
    same_padding,
    stamps,
    transposed_size,
)
from fcn_keras.geometry.tracing import AXES, field_of, receptive_field

__all__ = [
    "AXES",
    "IMAGE",
    "PADDINGS",
    "Field",
    "conv_size",
    "convolution_matrix",
    "crop_offset",
    "field_of",
    "overlap_map",
    "pooled_size",
    "receptive_field",
    "same_padding",
    "stamps",
    "transposed_size",
]
