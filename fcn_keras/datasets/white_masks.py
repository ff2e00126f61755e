"""Masks in which 255 stands for a class: white on black, as drawing programs save two classes.

Here 255 is void. Nothing would be trained on where such a mask is white, and no error would say so.
"""

from collections.abc import Iterable
from pathlib import Path

import numpy as np

from fcn_keras.datasets.mask_codes import MaskCode, NumberCode
from fcn_keras.support.fitness import Unfit
from fcn_keras.support.images import read_mask
from fcn_keras.support.labels import VOID

WHITE = 100  # from this number on, it is a drawing program's tone rather than a class


class WhiteMasks:
    """Collects which numbers each mask holds, and says whether white means a class in some of them.

    It does if a number of at least 100 that is no class occurs only beside 0: in all masks, or in
    masks that lie beside others of 0 and 1. A mask that holds void and a class above 0 shows that
    void is meant.
    """

    def __init__(self, code: NumberCode):
        self.code = code
        self.white: list[Path] = []  # masks of 0 and one white number
        self.numbers: set[int] = set()  # in any mask
        self.settled = code.void_is_meant  # whether 255 is known to be void

    def add(self, path: Path, numbers: np.ndarray) -> None:
        """Adds the mask of a file, as the file has it."""
        held = set(np.flatnonzero(np.bincount(numbers.ravel(), minlength=256)).tolist())
        self.numbers |= held
        if any(map(self._is_white, held)):
            if held <= {0, max(held)}:
                self.white.append(path)
            else:
                self.settled = True

    def _is_white(self, number: int) -> bool:
        meant = number in self.code.numbers and number != VOID  # as a class, or as void=100
        return number >= WHITE and not meant

    def verdict(self) -> str:
        """What is wrong, or `""`."""
        white = [number for number in self.numbers if self._is_white(number)]
        if self.settled or not self.white or len(white) > 1 or 0 not in self.numbers:
            return ""
        others = self.numbers - {0, *white}
        why = f"{white[0]} {'is void' if white == [VOID] else 'is not a class'}"
        if not others:
            return f"all masks hold only 0 and {white[0]}, and {why}, so there is only one class"
        if others == {1}:
            encodings = f"some masks hold 0 and {white[0]}, others 0 and 1"
            return f"{encodings}, and {why}, so class 1 is lost in the first"
        return ""


def require_void_is_meant(code: MaskCode, masks: Iterable[Path]) -> None:
    """Refuses masks in some of which white stands for a class.

    Args:
        code: What their pixels mean.
        masks: All masks. They are read until one shows that 255 is void.

    Raises:
        Unfit: If white stands for a class.
    """
    if not isinstance(code, NumberCode) or code.void_is_meant:
        return
    found = WhiteMasks(code)
    for path in masks:
        try:
            found.add(path, read_mask(path))
        except (ValueError, OSError):  # it is refused when it is its turn
            continue
        if found.settled:
            return
    if found.verdict():
        raise Unfit(
            "white on black",
            found.white[0],
            "hold the class numbers that the other masks have, and 255 only for void",
            found.verdict(),
            "Save white as 1: np.array(mask) // 255. Where 255 is void, say so: a line '255: void' "
            "in classes.txt, which then gives every class its number ('0: grass'), or "
            "image_folder(…, void=255).",
        )
