"""Figures of part D about the way up (lecture: L16)."""

import keras
import numpy as np

from fcn_keras import layers
from fcn_keras.lecture.experiment import Experiment
from fcn_keras.visualization.upsampling import draw_upsamplings

STRIDE = 16


def upsampling(experiment: Experiment):
    """L16: scores of a coarse map brought back to the picture's pixels: nearest, bilinear, transposed convolution."""
    data = experiment.road.test
    image, mask = max(
        (data[index] for index in range(min(12, len(data)))), key=lambda pair: _balance(pair[1])
    )
    height, width = (min(length, 18 * STRIDE) // STRIDE * STRIDE for length in mask.shape)
    top, left = (mask.shape[0] - height) // 2, (mask.shape[1] - width) // 2
    image, mask = (array[top : top + height, left : left + width] for array in (image, mask))
    coarse = coarse_scores(mask, STRIDE)
    return draw_upsamplings(image, coarse, three_ways(coarse, STRIDE), data.class_names[1])


def _balance(mask) -> float:
    """How near the class comes to half of the picture; `view` and the files of two classes have it as class 1."""
    return -abs(float(np.mean(mask == 1)) - 0.5)


def coarse_scores(mask, stride: int) -> np.ndarray:
    """What a perfect network of a stride could know: the share of the class in each cell, minus one half.

    Args:
        mask: Class numbers `(H, W)`; 1 is the class. H and W are multiples of the stride.
        stride: Height and width of a cell in pixels.

    Returns:
        float32 `(H / stride, W / stride)`, −0.5 to 0.5; above 0 where most of the cell is of the class.

    Raises:
        ValueError: If the cells do not fit.
    """
    rows, columns = (length // stride for length in mask.shape)
    if (rows * stride, columns * stride) != mask.shape or 0 in mask.shape:
        raise ValueError(
            f"Expected a height and width that stride {stride} divides. Received: {mask.shape}"
        )
    return (mask == 1).reshape(rows, stride, columns, stride).mean(axis=(1, 3)).astype(
        "float32"
    ) - np.float32(0.5)


def three_ways(coarse, factor: int) -> dict[str, np.ndarray]:
    """A score map made `factor` times as high and wide: nearest, bilinear, and a transposed convolution at its start.

    Args:
        coarse: `(h, w)`.
        factor: Output pixels per input pixel.

    Returns:
        `{name: float32 (factor·h, factor·w)}`.
    """
    batch = np.asarray(coarse, "float32")[None, :, :, None]
    ways = {
        name: keras.layers.UpSampling2D(factor, interpolation=name)
        for name in ("nearest", "bilinear")
    }
    ways["transposed convolution"] = layers.upscore(1, factor, "upscore")
    return {
        name: keras.ops.convert_to_numpy(layer(batch))[0, ..., 0] for name, layer in ways.items()
    }


def even_through(layer, size: int = 8, channels: int = 16) -> np.ndarray:
    """How strong a layer's output is at each pixel when its input is 1 everywhere (lecture: L16).

    Args:
        layer: A new layer, `(batch, H, W, channels)` → `(batch, h, w, any)`, such as a `Conv2DTranspose`.
        size: Height and width of the input.
        channels: Of the input.

    Returns:
        `(h, w)`: root of the mean square over the output's channels, divided by its mean away from the rim of 2.
    """
    out = keras.ops.convert_to_numpy(layer(np.ones((1, size, size, channels), "float32")))[0]
    strength = np.sqrt(np.mean(np.square(out), axis=-1))
    return strength / strength[2:-2, 2:-2].mean()
