"""Masks that were resized with interpolation: between two classes lie numbers that nobody drew."""

from collections import Counter
from collections.abc import Collection
from pathlib import Path
from typing import Annotated

import numpy as np

from fcn_keras.support import arguments
from fcn_keras.support.kinds import Kind, checked

# Share of steps over a number in between that shows interpolation. Real label maps have up to 0.13,
# drawn ones up to 0.25.
BLENDED = 0.4
FEWEST_STEPS = 20  # with fewer, nothing can be told
THIN = 3  # the widest line in pixels
INSIDE = 0.1  # share of a class's pixels that begin a wider square; a thin class has fewer
MOST_THIN = 3  # more classes than these are no drawn lines, but what interpolation made

Numbers = Annotated[
    np.ndarray, Kind("(H, W)", arguments.array, dimensions=2, layout="(H, W), as the mask has them")
]


@checked
def blended_share(numbers: Numbers, drawn_thin: Collection[int] = ()) -> float:
    """How often a step from one number to another passes a number in between, as in interpolation.

    Along rows and columns, such a step is a run of at most three pixels whose number lies strictly
    between those of the runs before and after it. A drawn label map has few of them: thin objects
    whose number happens to lie between their neighbours'.

    Args:
        numbers: `(H, W)`, as the file has them.
        drawn_thin: Numbers of classes that are thin lines, such as kerbs. Steps over them are not
            counted, nor are direct steps between numbers that have only these in between.

    Returns:
        0–1; 0 with fewer than 20 steps between numbers that differ by 2 or more.

    Raises:
        ValueError: If it is not an array `(H, W)` of numbers.
    """
    over, direct = _steps(numbers)
    return _share(over, direct, drawn_thin)


def _steps(numbers: np.ndarray) -> tuple[np.ndarray, Counter]:
    """How many steps pass each number 0–255 in between, and how many pass none, by their ends."""
    over, direct = np.zeros(256, int), Counter()
    for lines in (numbers, numbers.T):
        changes = np.ones(lines.shape, bool)
        changes[:, 1:] = lines[:, 1:] != lines[:, :-1]
        rows, starts = np.nonzero(changes)  # where each run of equal numbers begins
        values = lines[rows, starts].astype(int)
        follows = rows[1:] == rows[:-1]  # run i + 1 is in the same line as run i
        ends = np.append(np.where(follows, starts[1:], lines.shape[1]), lines.shape[1])
        ramps = np.zeros(len(rows), bool)
        ramps[1:-1] = follows[1:] & follows[:-1] & (ends - starts <= THIN)[1:-1]
        ramps[1:-1] &= (values[1:-1] - values[:-2]) * (values[2:] - values[1:-1]) > 0
        large_step = follows & (np.abs(np.diff(values)) >= 2)
        over += np.bincount(np.clip(values[ramps], 0, 255), minlength=256)
        passes_none = np.flatnonzero(large_step & ~ramps[1:] & ~ramps[:-1])
        ends_of_step = np.sort([values[passes_none], values[passes_none + 1]], axis=0)
        pairs, counts = np.unique(ends_of_step, axis=1, return_counts=True)
        direct.update(dict(zip(map(tuple, pairs.T.tolist()), counts.tolist(), strict=True)))
    return over, direct


def _share(over: np.ndarray, direct: Counter, drawn_thin: Collection[int]) -> float:
    passing = int(over.sum() - over[list(drawn_thin)].sum())
    passing_none = sum(
        count
        for (low, high), count in direct.items()
        if not set(range(low + 1, high)).issubset(drawn_thin)
    )
    steps = passing + passing_none
    return passing / steps if steps >= FEWEST_STEPS else 0.0


class Blends:
    """Finds the masks of a data set that were interpolated, and spares classes that are thin lines.

    One mask alone cannot tell a kerb, class 1 between 0 and 2, from what interpolation makes of 0
    and 2. All masks together can: a class that is nowhere wider than a line was drawn as one.
    Interpolation passes many numbers, and most of them are classes that are wide elsewhere.
    """

    def __init__(self, classes: Collection[int]):
        self.classes = classes  # the numbers that stand for one
        self.masks: list[tuple[Path, np.ndarray, Counter]] = []  # file, and its `_steps`
        self.pixels, self.inside = np.zeros(256, int), np.zeros(256, int)

    def add(self, path: Path, numbers: np.ndarray) -> None:
        self.masks.append((path, *_steps(numbers)))
        self.pixels += np.bincount(numbers.ravel(), minlength=256)
        self.inside += np.bincount(_corners_of_squares(numbers), minlength=256)

    def drawn_thin(self) -> list[int]:
        """The classes that are thin lines wherever they occur; none if they are too many."""
        thin = [
            number
            for number in self.classes
            if self.pixels[number] and self.inside[number] < INSIDE * self.pixels[number]
        ]
        return thin if len(thin) <= MOST_THIN else []

    def files(self) -> set[Path]:
        """The files of the masks that were interpolated."""
        thin = self.drawn_thin()
        return {path for path, over, direct in self.masks if _share(over, direct, thin) > BLENDED}


def _corners_of_squares(numbers: np.ndarray) -> np.ndarray:
    """The numbers of all squares that are wider than a thin line and of one number."""
    side = THIN + 1
    if min(numbers.shape) < side:
        return np.zeros(0, numbers.dtype)
    windows = np.lib.stride_tricks.sliding_window_view(numbers, (side, side))
    corners = windows[..., 0, 0]
    same = np.ones(corners.shape, bool)
    for row, column in np.ndindex(side, side):
        same &= windows[..., row, column] == corners
    return corners[same]
