"""What is wrong with one mask file, and with all mask files together."""

from pathlib import Path

import numpy as np

from fcn_keras.data_checks.interpolation import Blends
from fcn_keras.data_checks.picture_files import note_refusal
from fcn_keras.data_checks.report import Notes
from fcn_keras.datasets.mask_codes import ColourCode, MaskCode, NumberCode
from fcn_keras.datasets.white_masks import WhiteMasks
from fcn_keras.support import images
from fcn_keras.support.fitness import Unfit
from fcn_keras.support.images import PictureFile
from fcn_keras.support.labels import VOID

# By how much a channel must differ; less comes from rounding, or from a palette made of a JPEG
ANOTHER_COLOUR = 24


def note_wrong_shape(size, picture: PictureFile | None, path: Path, notes: Notes):
    """A mask of another size than its picture, or for a picture that its camera stored turned."""
    if picture is None:
        return
    stored = picture.height, picture.width
    if picture.turn != 1 and not size == picture.upright != stored:
        fits = "the mask may fit either way up"
        if picture.upright != stored:
            fits = "the mask fits it as stored, not upright"
        what = f"a picture is stored rotated (Exif orientation {picture.turn}), and {fits}"
        notes.add("turned", what, path)
    if size not in (picture.upright, stored):
        wanted = f"{picture.upright[0]} x {picture.upright[1]}"
        notes.add("size", f"a mask is {size[0]} x {size[1]}, its picture {wanted}", path)


class NumberMasks:
    """Masks whose pixels are class numbers."""

    def __init__(self, code: NumberCode, notes: Notes):
        self.code, self.notes = code, notes
        self.white_masks = WhiteMasks(code)
        self.blends = Blends([number for number in code.numbers if code.numbers[number] != VOID])
        self.unknown: dict[Path, list[int]] = {}  # numbers that stand for nothing
        # class number → its colour in the first file with a palette, and that file
        self.colours: dict[int, tuple[np.ndarray, Path]] = {}
        # (class number, colour, file, another colour, another file)
        self.differing: list[tuple[int, np.ndarray, Path, np.ndarray, Path]] = []

    def read(self, path: Path, about: PictureFile) -> np.ndarray | None:
        """The label map with unknown numbers as void, or `None` if there are no numbers to read."""
        try:
            numbers = images.read_mask(path)
            if about.mode == "P":
                self._compare_palette(numbers, path)
        except Exception as error:
            self._note_refusal(error, path, about)
            return None
        labels, unknown = self.code.labels(numbers)
        self.white_masks.add(path, numbers)
        self.blends.add(path, numbers)
        if unknown:
            self.unknown[path] = unknown
        return labels

    def _note_refusal(self, error: Exception, path: Path, about: PictureFile) -> None:
        """A mask that is not read; where class numbers are expected, it often has colours."""
        samples = about.samples
        is_unfit = isinstance(error, Unfit) and error.kind == "mask mode"
        if not is_unfit or samples.deep or samples.surplus or samples.bands < 3:
            note_refusal(error, path, self.notes)
            return
        colours = images.read_colours(path)
        if ((colours > 0).sum(axis=-1) == 1).all() and len(np.unique(colours)) == 2:
            what = "a mask has a channel for each class instead of one channel of class numbers"
            self.notes.add("one-hot", what, path)
        else:
            what = f"colours (mode {about.mode}) instead of class numbers"
            self.notes.add("mask mode", what, path)

    def _compare_palette(self, numbers: np.ndarray, path: Path) -> None:
        """Remembers where a class number is shown in another colour than in an earlier file."""
        shown = np.zeros((256, 3), int)
        shown[numbers] = images.read_colours(path)
        for number in np.unique(numbers).tolist():
            if self.code.numbers.get(number, VOID) == VOID:
                continue
            colour, first = self.colours.setdefault(number, (shown[number], path))
            if np.abs(colour - shown[number]).max() > ANOTHER_COLOUR:
                self.differing.append((number, colour, first, shown[number], path))

    def note_all_together(self) -> None:
        """What only all masks together show."""
        self._note_differing_palettes()
        blended = self.blends.files()
        for path in sorted(blended):
            what = "numbers between those of two classes lie along their edge"
            self.notes.add("interpolated", what, path)
        white = self.white_masks.verdict()
        for path in self.white_masks.white if white else ():
            self.notes.add("white on black", white, path)
        known = [number for number in self.code.numbers if number != VOID]
        for path, unknown in self.unknown.items():
            if path not in blended and not white:  # else they are part of that finding
                listed = ", ".join(map(str, unknown[:8]))
                what = f"numbers other than {min(known)} to {max(known)} and 255: {listed}"
                self.notes.add("number", what, path)

    def _note_differing_palettes(self) -> None:
        if not self.differing:
            return
        number, colour, first, other_colour, other = self.differing[0]
        what = (
            f"class number {number} is {tuple(colour.tolist())} in {first.name} "
            f"and {tuple(other_colour.tolist())} in {other.name}"
        )
        for file in dict.fromkeys((first, *(entry[-1] for entry in self.differing))):
            self.notes.add("palettes differ", what, file)


class ColourMasks:
    """Masks whose colours stand for classes."""

    def __init__(self, code: ColourCode, notes: Notes):
        self.code, self.notes = code, notes

    def read(self, path: Path, about: PictureFile) -> np.ndarray | None:
        """The label map with unknown colours as void, or `None` if there are none to read."""
        try:
            colours = images.read_colours(path)
        except Exception as error:
            note_refusal(error, path, self.notes)
            return None
        labels, unknown = self.code.labels(colours)
        if about.mode not in ("RGB", "L") and images.is_transparent(path):
            what = "a coloured mask is transparent in places, and the hidden colour would count"
            self.notes.add("transparent", what, path)
        if unknown:
            listed = f"{len(unknown)} of them" if len(unknown) > 3 else ", ".join(map(str, unknown))
            self.notes.add("colour", f"colours that stand for no class: {listed}", path)
        return labels

    def note_all_together(self) -> None:
        """Nothing: palettes may differ, and no number is white. The colours count."""


def masks_of(code: MaskCode, notes: Notes) -> NumberMasks | ColourMasks:
    return NumberMasks(code, notes) if isinstance(code, NumberCode) else ColourMasks(code, notes)
