"""What assignments call: "right", or a hint.

`fcn.checks.conv2d(my_conv2d)` prints that the answer is right, or raises `NotYet` with one sentence
that says what is wrong and where to look. It never shows what is right. Every check takes `seed=`,
which decides its inputs and their sizes: `seed=7` tries the answer on others. `hints` is what all
checks share, `networks` what those of networks share; the others are one module per assignment.
"""

from fcn_keras.checks.autoencoder import (
    build_cae,
    build_fcn,
    cross_entropy,
    one_hot,
    trained_cae,
    trained_fcn,
)
from fcn_keras.checks.convolution import (
    bilinear,
    conv2d,
    conv2d_transpose,
    conv_size,
    transposed_size,
    upsampling,
)
from fcn_keras.checks.fully_convolutional import (
    dense_as_conv,
    fully_convolutional,
    pixels_seen,
    receptive_field,
    scores_to_labels,
)
from fcn_keras.checks.hints import NotYet
from fcn_keras.checks.own_data import (
    faults,
    mask_from_colours,
    mask_from_labelme,
    mean_iou,
    shrink_labels,
)
from fcn_keras.checks.skips import band, band_error, crop_to, fcn_concat, fcn_sum

__all__ = [
    "NotYet",
    "band",
    "band_error",
    "bilinear",
    "build_cae",
    "build_fcn",
    "conv2d",
    "conv2d_transpose",
    "conv_size",
    "crop_to",
    "cross_entropy",
    "dense_as_conv",
    "faults",
    "fcn_concat",
    "fcn_sum",
    "fully_convolutional",
    "mask_from_colours",
    "mask_from_labelme",
    "mean_iou",
    "one_hot",
    "pixels_seen",
    "receptive_field",
    "scores_to_labels",
    "shrink_labels",
    "trained_cae",
    "trained_fcn",
    "transposed_size",
    "upsampling",
]
