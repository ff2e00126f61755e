"""Shifted labels, found by comparing the edges of label maps and of pictures."""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from fcn_keras.data_checks.strips import without_void_strips
from fcn_keras.evaluation.boundary import boundary_band
from fcn_keras.support.kinds import DataSet, checked

SHIFTS = 8  # the largest shift in pixels that is found
AGREE = 0.5  # share of the pictures that must show the same shift, within a pixel
CLEARER = 1.1  # how many times stronger the picture's edges must be under the shifted labels' edges
MOST_PIXELS = 4000  # edge pixels used of each picture; more of them change nothing


@dataclass(frozen=True)
class Shift:
    """How far to move labels so that they lie on what they label."""

    down: int
    right: int
    here: float  # mean strength of the picture's edges under the labels' edges as they are
    there: float  # the same after the labels were moved by (down, right)

    def in_words(self) -> str:
        ways = (
            (self.down, "down"),
            (self.right, "right"),
            (-self.down, "up"),
            (-self.right, "left"),
        )
        moved = " and ".join(f"{pixels} px {way}" for pixels, way in ways if pixels > 0)
        times = self.there / max(self.here, 1e-9)
        return (
            f"the labels fit better when they are moved {moved}: the picture's edges under the "
            f"labels' edges are then {times:.1f} times as strong "
            f"({self.there:.1f} against {self.here:.1f})"
        )


class EdgeEvidence:
    """How strong the pictures' edges are under the labels' edges, for every small shift.

    No network is used: a network that was trained on shifted labels has learned the shift.
    """

    def __init__(self, reach: int = SHIFTS):
        self.reach = reach
        # for each picture: [down, right] → mean edge strength
        self.strengths: list[np.ndarray] = []

    def add(self, image: np.ndarray, mask: np.ndarray) -> None:
        """Adds one picture. The picture's border and the border of a large void are not edges."""
        reach = self.reach
        if min(mask.shape) <= 4 * reach:
            return
        edges = boundary_band(without_void_strips(mask), 1)[reach:-reach, reach:-reach]
        rows, columns = np.nonzero(edges)
        strength = _edge_strength(image)
        if not len(rows) or not strength.any():  # without edges, such as a black picture
            return
        side = 2 * reach + 1
        # [row, column, down, right]
        windows = np.lib.stride_tricks.sliding_window_view(strength, (side, side))
        chosen = slice(None, None, max(1, len(rows) // MOST_PIXELS))
        self.strengths.append(windows[rows[chosen], columns[chosen]].mean(axis=0))

    def shift(self) -> Shift | None:
        """The best shift, if it is clearly better and half of the pictures alone show it too."""
        if len(self.strengths) < 2:  # one picture alone proves nothing
            return None
        means = np.mean(self.strengths, axis=0)
        best = _place_of_maximum(means)
        of_each = [_place_of_maximum(strength) for strength in self.strengths]
        if np.mean([np.abs(place - best).max() <= 1 for place in of_each]) < AGREE:
            return None
        here, there = float(means[self.reach, self.reach]), float(means[tuple(best)])
        down, right = (int(place) - self.reach for place in best)
        if max(abs(down), abs(right)) <= 1:  # nobody draws an edge more exactly than that
            return None
        return Shift(down, right, here, there) if there > CLEARER * here else None


def _edge_strength(image: np.ndarray) -> np.ndarray:
    """Length of the grey picture's gradient, float32 `(H, W)`; 0 along the border."""
    grey = image.astype("float32").mean(axis=-1)
    strength = np.zeros(grey.shape, "float32")
    across, down = grey[1:-1, 2:] - grey[1:-1, :-2], grey[2:, 1:-1] - grey[:-2, 1:-1]
    strength[1:-1, 1:-1] = np.hypot(across, down)
    return strength


def _place_of_maximum(values: np.ndarray) -> np.ndarray:
    return np.array(np.unravel_index(values.argmax(), values.shape))


@checked
def label_shift(data: DataSet, indices: Iterable[int] | None = None) -> Shift | None:
    """Whether the labels of a data set lie up to 8 pixels beside what they label.

    Args:
        data: A `SegmentationData` with labels.
        indices: Which images to use; all by default.

    Returns:
        `Shift`, or `None` if the labels fit best where they are, within a pixel.

    Raises:
        TypeError: If `data` is not a data set.
    """
    evidence = EdgeEvidence()
    for index in range(len(data)) if indices is None else indices:
        image, mask = data[index]
        if mask is not None and mask.ndim == 2:
            evidence.add(image, mask)
    return evidence.shift()
