"""Masks that were resized with interpolation: between two classes lie numbers that nobody drew."""

from typing import Annotated

import numpy as np

from fcn_keras.support import arguments
from fcn_keras.support.kinds import Kind, checked

# Share of steps over a number in between that shows interpolation. Real label maps have up to 0.13,
# drawn ones up to 0.25.
BLENDED = 0.4
FEWEST_STEPS = 20  # with fewer, nothing can be told

Numbers = Annotated[
    np.ndarray, Kind("(H, W)", arguments.array, dimensions=2, layout="(H, W), as the mask has them")
]


@checked
def blended_share(numbers: Numbers) -> float:
    """How often a step from one number to another passes a number in between, as in interpolation.

    Along rows and columns, such a step is a run of at most three pixels whose number lies strictly
    between those of the runs before and after it. A drawn label map has few of them: thin objects
    whose number happens to lie between their neighbours'.

    Args:
        numbers: `(H, W)`, as the file has them.

    Returns:
        0–1; 0 with fewer than 20 steps between numbers that differ by 2 or more.

    Raises:
        ValueError: If it is not an array `(H, W)` of numbers.
    """
    over = direct = 0
    for lines in (numbers, numbers.T):
        changes = np.ones(lines.shape, bool)
        changes[:, 1:] = lines[:, 1:] != lines[:, :-1]
        rows, starts = np.nonzero(changes)  # where each run of equal numbers begins
        values = lines[rows, starts].astype(int)
        follows = rows[1:] == rows[:-1]  # run i + 1 is in the same line as run i
        ends = np.append(np.where(follows, starts[1:], lines.shape[1]), lines.shape[1])
        ramps = np.zeros(len(rows), bool)
        ramps[1:-1] = follows[1:] & follows[:-1] & (ends - starts <= 3)[1:-1]
        ramps[1:-1] &= (values[1:-1] - values[:-2]) * (values[2:] - values[1:-1]) > 0
        large_step = follows & (np.abs(np.diff(values)) >= 2)
        over += np.count_nonzero(ramps)
        direct += np.count_nonzero(large_step & ~ramps[1:] & ~ramps[:-1])
    return over / (over + direct) if over + direct >= FEWEST_STEPS else 0.0
