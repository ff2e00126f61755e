"""Figures of part D about the way up (lecture: L16)."""

import keras
import numpy as np

from fcn_keras import layers
from fcn_keras.lecture.experiment import Experiment
from fcn_keras.lecture.scenes import labelled
from fcn_keras.support.kinds import Count, checked
from fcn_keras.visualization.upsampling import draw_upsamplings

STRIDE = 16


def upsampling(experiment: Experiment):
    """L16: a coarse score map brought back to the size of the picture in three ways."""
    data = experiment.road.test
    scenes = [labelled(data, index) for index in range(min(12, len(data)))]
    image, mask = max(scenes, key=lambda scene: _balance(scene[1]))
    height, width = (min(length, 18 * STRIDE) // STRIDE * STRIDE for length in mask.shape)
    top, left = (mask.shape[0] - height) // 2, (mask.shape[1] - width) // 2
    image, mask = (array[top : top + height, left : left + width] for array in (image, mask))
    coarse = coarse_scores(mask, STRIDE)
    return draw_upsamplings(image, coarse, three_ways(coarse, STRIDE), data.class_names[1])


def _balance(mask) -> float:
    """How near the share of class 1 comes to one half of the picture; at most 0."""
    return -abs(float(np.mean(mask == 1)) - 0.5)


@checked
def coarse_scores(mask, stride: Count) -> np.ndarray:
    """The share of the class in each cell, minus one half: the best map at a stride (lecture: L16).

    Args:
        mask: Class numbers `(H, W)`; 1 is the class. H and W are multiples of the stride.
        stride: Height and width of a cell in pixels.

    Returns:
        float32 `(H / stride, W / stride)`, −0.5 to 0.5; above 0 where most of a cell is of the
        class.

    Raises:
        ValueError: If the cells do not fit.
    """
    rows, columns = (length // stride for length in mask.shape)
    if (rows * stride, columns * stride) != mask.shape or 0 in mask.shape:
        raise ValueError(
            f"Expected a height and width that stride {stride} divides. Received: {mask.shape}"
        )
    cells = (mask == 1).reshape(rows, stride, columns, stride)
    return cells.mean(axis=(1, 3)).astype("float32") - np.float32(0.5)


@checked
def three_ways(coarse, factor: Count) -> dict[str, np.ndarray]:
    """A score map made `factor` times as high and wide in three ways (lecture: L16).

    Nearest, bilinear, and a transposed convolution before any training.

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
    maps = {name: keras.ops.convert_to_numpy(layer(batch)) for name, layer in ways.items()}
    return {name: np.asarray(scores)[0, ..., 0] for name, scores in maps.items()}


@checked
def even_through(layer, size: Count = 8, channels: Count = 16) -> np.ndarray:
    """How strong a layer's output is at each pixel when its input is 1 everywhere (lecture: L16).

    Args:
        layer: A new layer, `(batch, H, W, channels)` → `(batch, h, w, any)`, such as a
            `Conv2DTranspose`.
        size: Height and width of the input.
        channels: Of the input.

    Returns:
        `(h, w)`: root of the mean square over the output's channels, divided by its mean away from
        the rim of 2.
    """
    even = np.ones((1, size, size, channels), "float32")
    out = np.asarray(keras.ops.convert_to_numpy(layer(even)))[0]
    strength = np.sqrt(np.mean(np.square(out), axis=-1))
    return strength / strength[2:-2, 2:-2].mean()
