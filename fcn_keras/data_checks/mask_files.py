"""What is wrong with one mask file, and with all mask files together."""

from pathlib import Path

import numpy as np

from fcn_keras.data_checks.interpolation import BLENDED, blended_share
from fcn_keras.data_checks.picture_files import without_name
from fcn_keras.data_checks.report import Notes
from fcn_keras.datasets.mask_codes import ColourCode, MaskCode, NumberCode
from fcn_keras.support import images
from fcn_keras.support.images import PictureFile
from fcn_keras.support.labels import VOID

WHITE = 100  # from this number on, it is a drawing program's tone rather than a class
# By how much a channel must differ; less comes from rounding, or from a palette made of a JPEG
ANOTHER_COLOUR = 24


def note_wrong_shape(mask: PictureFile, picture: PictureFile | None, path: Path, notes: Notes):
    """A mask of another size than its picture, or for a picture that its camera stored turned."""
    if picture is None:
        return
    size, stored = (mask.height, mask.width), (picture.height, picture.width)
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
        self.occurring = np.zeros(256, bool)  # numbers that occur in any file
        # class number → its colour in the first file with a palette, and that file
        self.colours: dict[int, tuple[np.ndarray, Path]] = {}
        # (class number, colour, file, another colour, another file)
        self.differing: list[tuple[int, np.ndarray, Path, np.ndarray, Path]] = []

    def read(self, path: Path, about: PictureFile) -> np.ndarray | None:
        """The label map with unknown numbers as void, or `None` if there are no numbers to read."""
        try:
            if about.mode not in ("1", "L", "P"):
                self._note_colours(path, about)
                return None
            numbers = images.read_mask(path)
            if about.mode == "P":
                self._compare_palette(numbers, path)
        except Exception as error:
            _note_unreadable(error, path, about, self.notes)
            return None
        self.occurring[np.unique(numbers)] = True
        labels, unknown = self.code.labels(numbers)
        if blended_share(numbers) > BLENDED:
            what = "numbers between those of two classes lie along their edge"
            self.notes.add("interpolated", what, path)
        elif unknown:
            self._note_unknown(unknown, path)
        return labels

    def _note_unknown(self, unknown: list[int], path: Path) -> None:
        known = [number for number in self.code.numbers if number != VOID]
        listed = ", ".join(map(str, unknown[:8]))
        what = f"numbers other than {min(known)} to {max(known)} and 255: {listed}"
        self.notes.add("number", what, path)

    def _note_colours(self, path: Path, about: PictureFile) -> None:
        """A mask of several channels where class numbers are expected."""
        if about.bits > 8:
            what = f"{about.bits} bits (mode {about.mode}) instead of 8"
            self.notes.add("mask mode", what, path)
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

    def note_differing_palettes(self) -> None:
        if not self.differing:
            return
        number, colour, first, other_colour, other = self.differing[0]
        what = (
            f"class number {number} is {tuple(colour.tolist())} in {first.name} "
            f"and {tuple(other_colour.tolist())} in {other.name}"
        )
        for file in dict.fromkeys((first, *(entry[-1] for entry in self.differing))):
            self.notes.add("palettes differ", what, file)

    def white(self) -> int | None:
        """The number of white, if all masks hold only it and 0, and it is not a class."""
        numbers = np.flatnonzero(self.occurring).tolist()
        if len(numbers) != 2 or numbers[0] != 0 or VOID not in self.code.numbers:
            return None
        highest = numbers[1]
        is_class = self.code.numbers.get(highest, VOID) != VOID
        return highest if highest >= WHITE and not is_class else None


class ColourMasks:
    """Masks whose colours stand for classes."""

    def __init__(self, code: ColourCode, notes: Notes):
        self.code, self.notes = code, notes

    def read(self, path: Path, about: PictureFile) -> np.ndarray | None:
        """The label map with unknown colours as void, or `None` if there are none to read."""
        try:
            colours = images.read_colours(path)
        except Exception as error:
            _note_unreadable(error, path, about, self.notes)
            return None
        labels, unknown = self.code.labels(colours)
        if about.mode not in ("RGB", "L") and _is_transparent(path):
            what = "a coloured mask is transparent in places, and the hidden colour would count"
            self.notes.add("transparent", what, path)
        if unknown:
            listed = f"{len(unknown)} of them" if len(unknown) > 3 else ", ".join(map(str, unknown))
            self.notes.add("colour", f"colours that stand for no class: {listed}", path)
        return labels

    def note_differing_palettes(self) -> None:
        """Palettes may differ: the colours count."""

    def white(self) -> None:
        """No number is white: the colours count."""


def masks_of(code: MaskCode, notes: Notes) -> NumberMasks | ColourMasks:
    return NumberMasks(code, notes) if isinstance(code, NumberCode) else ColourMasks(code, notes)


def _note_unreadable(error: Exception, path: Path, about: PictureFile, notes: Notes) -> None:
    notes.add("mask mode" if about.bits > 8 else "unreadable", without_name(error, path), path)


def _is_transparent(path: Path) -> bool:
    """Whether a mask that was read as colours is transparent; `read_image` refuses it then."""
    try:
        images.read_image(path)
    except ValueError:
        return True
    except MemoryError:
        pass
    return False
