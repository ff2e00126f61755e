"""Skip connections: a coarse map learns *where* from a finer one (lecture: L18–L21).

Three steps, and each is one line in a network: upsample the coarse map, `align` it to the fine
one, `fuse` the two.
"""

from typing import Literal

import keras
from keras import ops

from fcn_keras.layers import PACKAGE, CropToMatch
from fcn_keras.support.kinds import FeatureMap, checked


@checked
def align(coarse: FeatureMap, fine: FeatureMap, name: str):
    """Cuts an upsampled map to the size of the finer map that it will be fused with.

    This makes the sum possible for every image size, not just for multiples of 32: see
    `layers.CropToMatch` for where the surplus pixels come from.

    Args:
        coarse: Upsampled map, `(batch, H, W, C)`.
        fine: Map from the downsampling path, `(batch, h, w, any)`, h ≤ H and w ≤ W.
        name: Layer name.

    Returns:
        `coarse`, `(batch, h, w, C)`.

    Raises:
        TypeError: If one of them is no tensor.
        ValueError: If it has not four axes, or `fine` is known to be the larger one.
    """
    for here, there in zip(coarse.shape[1:3], fine.shape[1:3], strict=True):
        if None not in (here, there) and here < there:
            raise ValueError(
                f"Expected coarse to be at least as large as fine, so that it can be cut. Received: {coarse.shape[1]} x "
                f"{coarse.shape[2]} and {fine.shape[1]} x {fine.shape[2]}. Was it upsampled?"
            )
    return CropToMatch(name=name, dtype=_precision(coarse))([coarse, fine])


@checked
def fuse(
    coarse: FeatureMap,
    fine: FeatureMap,
    fusion: Literal["sum", "concat"] = "sum",
    name: str = "fuse",
):
    """Merges two maps of the same size by summing or by concatenating (lecture: L19).

    * `"sum"`: both must have C channels; nothing to learn.
    * `"concat"`: stacks the channels, then a 3 × 3 convolution brings them back to the coarse
      map's C. It starts as exactly the sum, and is free to learn something better.

    Args:
        coarse: Map from the upsampling path, `(batch, H, W, C)`.
        fine: Map from the downsampling path, `(batch, H, W, D)`; D = C for the sum.
        fusion: `"sum"` or `"concat"`.
        name: Name of the merging layer; the convolution after `"concat"` is called `name + "_conv"`.

    Returns:
        Fused map, `(batch, H, W, C)`.

    Raises:
        ValueError: If `fusion` is unknown, or the channels differ where they must agree.
    """
    channels, fine_channels = coarse.shape[-1], fine.shape[-1]
    if channels != fine_channels:
        raise ValueError(
            f"Expected two maps with the same number of channels to {fusion}; "
            f"a 1 x 1 convolution can make them agree. Received: coarse {channels}, fine {fine_channels}"
        )
    if fusion == "sum":
        return keras.layers.Add(name=name, dtype=_precision(coarse))([coarse, fine])
    stacked = keras.layers.Concatenate(name=name, dtype=_precision(coarse))(
        [coarse, fine]
    )  # (B, H, W, 2C)
    return keras.layers.Conv2D(
        channels,
        3,
        padding="same",
        kernel_initializer=SumOfHalves(),
        dtype=_precision(coarse),
        name=f"{name}_conv",
    )(stacked)


def _precision(coarse) -> str | None:
    """Scores stay float32 in a network of mixed precision, features are what the network is (`models.precision`)."""
    return "float32" if coarse.dtype == "float32" else None


@keras.saving.register_keras_serializable(PACKAGE)
class SumOfHalves(keras.initializers.Initializer):
    """Starts a convolution on [coarse, fine] as their sum: 1 at the kernel's centre, c → c and C + c → c."""

    def __call__(self, shape, dtype=None):
        height, width, in_channels, out_channels = shape
        if in_channels != 2 * out_channels:
            raise ValueError(
                f"Expected twice as many input as output channels. Received: {in_channels}, {out_channels}"
            )
        identity = ops.eye(out_channels, dtype=dtype)
        centre = ops.concatenate([identity, identity], axis=0)[None, None]  # (1, 1, 2C, C)
        top, left = (height - 1) // 2, (width - 1) // 2
        around = ((top, height - 1 - top), (left, width - 1 - left), (0, 0), (0, 0))
        return ops.pad(centre, around)

    def get_config(self):
        return {}
