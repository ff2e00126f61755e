"""Skip connections: a fine map adds *where* to the *what* of a coarse one (lecture: L18–L21).

A skip takes three steps, each one line in a network: upsample the coarse map, `align` it with the
fine one, `fuse` the two. `@checked` compares arguments with the kinds in the signature, such as
`FeatureMap`: see `support.kinds`.
"""

from typing import Literal

import keras

from fcn_keras.layers import CropToMatch, SumOfHalves
from fcn_keras.support import arguments
from fcn_keras.support.kinds import FeatureMap, checked


@checked
def align(coarse: FeatureMap, fine: FeatureMap, name: str):
    """Cuts an upsampled map to the size of the finer map that it will be fused with (lecture: L15).

    It makes the sum possible for every image size, not only for multiples of 32;
    `layers.CropToMatch` explains where the surplus pixels come from. The networks in
    `published` crop the fine map to the coarse one instead, at a `geometry.crop_offset`.

    Args:
        coarse: Upsampled map, `(batch, H, W, C)`.
        fine: Map from the downsampling path, `(batch, h, w, any)`, h ≤ H and w ≤ W.
        name: Layer name.

    Returns:
        `coarse`, `(batch, h, w, C)`.

    Raises:
        TypeError: If one of them is not a tensor.
        ValueError: If one of them does not have four axes, or `fine` is known to be the larger one.

    Example:
        >>> coarse, fine = keras.Input((6, 8, 2)), keras.Input((5, 7, 64))
        >>> tuple(fcn.skip_connections.align(coarse, fine, name="align").shape)
        (None, 5, 7, 2)
    """
    arguments.can_be_cut(coarse, fine)
    return CropToMatch(name=name, dtype=_precision(coarse))([coarse, fine])


@checked
def fuse(
    coarse: FeatureMap,
    fine: FeatureMap,
    fusion: Literal["sum", "concat"] = "sum",
    name: str = "fuse",
):
    """Merges two maps of the same size by summing or by concatenating (lecture: L19).

    * `"sum"` has nothing to learn.
    * `"concat"` stacks the channels, and a 3 × 3 convolution brings them back to C. Before training
      it computes exactly the sum; training can improve on that.

    Args:
        coarse: Map from the upsampling path, `(batch, H, W, C)`.
        fine: Map from the downsampling path, `(batch, H, W, C)`.
        fusion: `"sum"` or `"concat"`.
        name: Name of the merging layer. The convolution of `"concat"` is called `name + "_conv"`.

    Returns:
        Fused map, `(batch, H, W, C)`.

    Raises:
        ValueError: If `fusion` is unknown, or the maps differ in their channels.

    Example:
        >>> coarse, fine = keras.Input((5, 7, 2)), keras.Input((5, 7, 2))
        >>> tuple(fcn.skip_connections.fuse(coarse, fine, "concat").shape)
        (None, 5, 7, 2)
    """
    arguments.same_channels(coarse, fine, fusion)
    precision = _precision(coarse)
    if fusion == "sum":
        return keras.layers.Add(name=name, dtype=precision)([coarse, fine])
    x = keras.layers.Concatenate(name=name, dtype=precision)([coarse, fine])  # (B, H, W, 2C)
    return keras.layers.Conv2D(
        coarse.shape[-1],
        3,
        padding="same",
        kernel_initializer=SumOfHalves(),  # pyright: ignore[reportArgumentType]  Keras says str
        dtype=precision,
        name=f"{name}_conv",
    )(x)


def _precision(coarse) -> str | None:
    """float32 for scores; for features the network's own precision (`models.precision`)."""
    return "float32" if coarse.dtype == "float32" else None
