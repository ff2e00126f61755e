"""Sizes, strides and receptive fields: by arithmetic, and read off a model.

`sizes` has the formulas, `fields` the arithmetic of receptive fields, `rules` what each kind of
layer does to them, and `receptive_fields` follows a model's graph. `@checked` compares arguments
with the kinds in the signature, such as `Count`: see `support.kinds`.
"""

from fcn_keras.geometry.fields import IMAGE, Field, crop_offset
from fcn_keras.geometry.receptive_fields import AXES, field_of, receptive_field
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
