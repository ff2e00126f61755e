"""Skip connections: a coarse map learns *where* from a finer one (lecture: L18–L21).

It takes three steps, each of them one line in a network: upsample the coarse map, `align` it with
the fine one, `fuse` the two.
"""

from typing import Literal

import keras
from keras import ops

from fcn_keras.layers import PACKAGE, CropToMatch
from fcn_keras.support import arguments
from fcn_keras.support.kinds import FeatureMap, checked


@checked
def align(coarse: FeatureMap, fine: FeatureMap, name: str):
    """Cuts an upsampled map to the size of the finer map that it will be fused with (lecture: L15).

    It makes the sum possible for every image size, not only for multiples of 32. Where the surplus
    pixels come from is told at `layers.CropToMatch`.

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
    * `"concat"` stacks the channels, and a 3 × 3 convolution brings them back to C. It starts as
      exactly the sum, and is free to learn something better.

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
    """Scores stay float32 in a network of mixed precision, features do not (`models.precision`)."""
    return "float32" if coarse.dtype == "float32" else None


@keras.saving.register_keras_serializable(PACKAGE)
class SumOfHalves(keras.initializers.Initializer):
    """Starts a convolution on two stacked maps, each of C channels, as their sum (lecture: L19).

    At the kernel's centre, channels c and C + c feed channel c with weight 1; all else is zero.

    Example:
        >>> kernel = fcn.skip_connections.SumOfHalves()((3, 3, 2, 1))
        >>> keras.ops.convert_to_numpy(kernel)[1, 1].tolist()
        [[1.0], [1.0]]
    """

    def __call__(self, shape, dtype=None):
        height, width, _, out_channels = shape
        identity = ops.eye(out_channels, dtype=dtype)
        centre = ops.concatenate([identity, identity], axis=0)[None, None]  # (1, 1, 2C, C)
        top, left = (height - 1) // 2, (width - 1) // 2
        around = ((top, height - 1 - top), (left, width - 1 - left), (0, 0), (0, 0))
        return ops.pad(centre, around)

    def get_config(self):
        return {}
