"""One shape on a textured ground, so simple that a classifier learns it in seconds (L03, L06)."""

import numpy as np

from fcn_keras.datasets.base import SegmentationData
from fcn_keras.datasets.drawn.canvas import value_noise
from fcn_keras.support.kinds import Count, Seed, checked

SIZE = 64
CLASS_NAMES = ("background", "disk", "square", "triangle", "cross")
RADIUS = (8, 13)  # pixels
FROM_THE_EDGE = 15  # pixels from a centre to the edge, so that no shape is cut


@checked
def shapes(count: Count, seed: Seed = 0, shift: tuple[int, int] = (0, 0)) -> SegmentationData:
    """Pictures of one disk, square, triangle or cross each, 64 × 64, with its mask (lecture: L06).

    The four take turns: picture i shows class `1 + i % 4`, which is also `mask.max()`.

    Args:
        count: Number of pictures.
        seed: Another seed gives other pictures. Picture i of a seed has the same bytes for any
            count.
        shift: Rows and columns by which every shape is moved. One that would leave comes back at
            the other side. The ground stays, so `shapes(n, s)` and `shapes(n, s, (5, 9))` are the
            same scenes with the shape in another place.

    Returns:
        `SegmentationData`, classes background, disk, square, triangle, cross.

    Raises:
        ValueError: If `count` is smaller than 1.
    """
    drawn = {}

    def read(index):
        if index not in drawn:
            drawn[index] = _draw(np.random.default_rng([seed, index]), 1 + index % 4, shift)
        return drawn[index]

    return SegmentationData(read, count, CLASS_NAMES, name="shapes")


def arrays(data: SegmentationData) -> tuple[np.ndarray, np.ndarray]:
    """All pictures with one label each, as a classifier needs them (lecture: L03).

    Args:
        data: Data set from `shapes`.

    Returns:
        float32 `(N, 64, 64, 3)`, 0–255, and int32 `(N,)`: 0 disk, 1 square, 2 triangle, 3 cross.
    """
    images, masks = zip(*(data[index] for index in range(len(data))), strict=True)
    return np.stack(images).astype("float32"), np.array([mask.max() - 1 for mask in masks], "int32")


def _draw(rng, kind, shift):
    ground, thing = rng.uniform(25, 120, 3), rng.uniform(150, 250, 3)  # always the lighter one
    grain = value_noise(rng, cells=(16, 32, 64))[:SIZE, :SIZE, None] - 0.5
    span = SIZE - 2 * FROM_THE_EDGE
    centre = rng.integers(0, span + 1, 2)
    radius, angle = rng.uniform(*RADIUS), rng.uniform(-0.3, 0.3)
    row, column = FROM_THE_EDGE + (centre + shift) % (span + 1)
    y, x = np.mgrid[:SIZE, :SIZE] - np.array([row, column])[:, None, None]
    x, y = np.cos(angle) * x + np.sin(angle) * y, np.cos(angle) * y - np.sin(angle) * x
    inside = _inside(kind, x / radius, y / radius)
    image = np.where(inside[..., None], thing - 60 * grain, ground + 80 * grain)
    image += rng.normal(0, 6, image.shape)
    return np.clip(np.rint(image), 0, 255).astype("uint8"), (kind * inside).astype("uint8")


def _inside(kind, x, y):
    """Where a shape of radius 1 is; y points down."""
    if kind == 1:
        return np.hypot(x, y) < 0.95
    if kind == 2:
        return np.maximum(abs(x), abs(y)) < 0.85
    if kind == 3:
        return (y < 0.8) & (y > 1.8 * abs(x) - 1)
    return (np.minimum(abs(x), abs(y)) < 0.3) & (np.maximum(abs(x), abs(y)) < 1)
