"""What the pixels of a mask file mean: class numbers, or colours that stand for classes."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from fcn_keras.support import arguments
from fcn_keras.support.images import read_colours, read_mask
from fcn_keras.support.labels import VOID

Colour = tuple[int, int, int]


@dataclass(frozen=True)
class NumberCode:
    """The file's numbers stand for classes. In a palette file these are the indices."""

    numbers: Mapping[int, int]  # number in the file → class number, or 255 for void
    void_is_meant: bool = False  # whether somebody said that 255 in the files is void

    @classmethod
    def of_classes(cls, num_classes: int, void: int | None = None) -> "NumberCode":
        """The file's numbers are the class numbers; 255, and `void`, are void."""
        numbers = {number: number for number in range(num_classes)}
        known = {**numbers, **({} if void is None else {void: VOID}), VOID: VOID}
        return cls(known, void_is_meant=void == VOID)

    def read(self, path: Path, size: tuple[int, int] | None = None) -> np.ndarray:
        """A label map from a file.

        Args:
            path: The mask.
            size: Height and width to resize to by nearest neighbour, or `None`.

        Returns:
            uint8 `(H, W)`, class numbers and 255.

        Raises:
            ValueError: If it is not a picture, has colours, or holds an unknown number.
        """
        labels, unknown = self.labels(read_mask(path, size))
        if unknown:
            known = sorted(number for number, meaning in self.numbers.items() if meaning != VOID)
            void = [str(number) for number in sorted(self.numbers) if self.numbers[number] == VOID]
            raise ValueError(
                f"Expected {path} to hold class numbers {known[0]} to {known[-1]}, and "
                f"{' or '.join(void)} for void. Received: {', '.join(map(str, unknown[:8]))}. "
                "If one of them means 'do not score', pass void=…. Mixtures of class numbers come "
                "from resizing a mask with interpolation: resize it by nearest neighbour."
            )
        return labels

    def labels(self, pixels: np.ndarray) -> tuple[np.ndarray, list[int]]:
        """Class numbers of a file's pixels, and the unknown numbers, whose pixels become void."""
        table = np.full(256, VOID, "uint8")
        table[list(self.numbers)] = list(self.numbers.values())
        unknown = [int(number) for number in np.unique(pixels) if number not in self.numbers]
        return table[pixels], unknown


@dataclass(frozen=True)
class ColourCode:
    """The file's colours stand for classes. In a palette file these are the colours shown."""

    colours: Mapping[Colour, int]  # colour in the file → class number, or 255 for void

    def read(self, path: Path, size: tuple[int, int] | None = None) -> np.ndarray:
        """A label map from a file. Args and returns: as `NumberCode.read`.

        Raises:
            ValueError: If it is not a picture, or shows an unknown colour.
        """
        labels, unknown = self.labels(read_colours(path, size))
        if unknown:
            listed = f"{', '.join(map(str, unknown[:4]))}{' …' if len(unknown) > 4 else ''}"
            raise ValueError(
                f"Expected {path} to hold colours that stand for a class. "
                f"Received: {listed} ({len(unknown)} unknown colours). Add them to the table of "
                "colours. Hundreds of them come from JPEG or from resizing with interpolation: "
                "such a mask has to be made again."
            )
        return labels

    def labels(self, pixels: np.ndarray) -> tuple[np.ndarray, list[Colour]]:
        """Class numbers of a file's pixels, and the unknown colours, whose pixels become void."""
        red, green, blue = np.moveaxis(pixels.astype("uint32"), -1, 0)
        packed = (red << 16) + (green << 8) + blue
        present, where = np.unique(packed, return_inverse=True)
        colours = [(int(c) >> 16, int(c) >> 8 & 255, int(c) & 255) for c in present]
        meanings = np.array([self.colours.get(colour, VOID) for colour in colours], "uint8")
        unknown = [colour for colour in colours if colour not in self.colours]
        return meanings[where.reshape(packed.shape)], unknown


MaskCode = NumberCode | ColourCode


def colour_table(colours: Mapping, class_names: Sequence[str]) -> tuple[ColourCode, np.ndarray]:
    """The code and the palette of masks whose colours stand for classes.

    Args:
        colours: Name of a class, or `"void"` → its colour (r, g, b), 0–255, or several colours.
        class_names: The classes in the order of their numbers.

    Raises:
        ValueError: If a class has no colour, a colour stands for two classes, or is not a colour.
    """
    if not isinstance(colours, Mapping):
        raise ValueError(
            "Expected colours to be a table, such as {'road': (128, 64, 128)}. "
            f"{arguments.received('colours', colours)}"
        )
    _require_every_class(colours, class_names)
    table: dict[Colour, int] = {}
    palette = np.zeros((len(class_names), 3), "uint8")
    for name, given in colours.items():
        number = VOID if name == "void" else list(class_names).index(name)
        listed = _colours(name, given)
        for colour in listed:
            if table.get(colour, number) != number:
                raise ValueError(
                    "Expected every colour to stand for one class. "
                    f"Received: {colour} for {name!r} and another"
                )
            table[colour] = number
        if number != VOID:
            palette[number] = listed[0]
    return ColourCode(table), palette


def _require_every_class(colours, class_names) -> None:
    missing = [name for name in class_names if name not in colours]
    unknown = [name for name in colours if name not in class_names and name != "void"]
    if missing or unknown:
        found = (
            f"none for {', '.join(missing)}"
            if missing
            else f"one for {unknown[0]!r}, which is not a class"
        )
        raise ValueError(
            f"Expected colours to have one for each of {', '.join(class_names)}, and for 'void'. "
            f"Received: {found}"
        )


def _colours(name, given) -> list[Colour]:
    """One colour (r, g, b), or several, as a list."""
    is_listed = isinstance(given, (list, tuple, np.ndarray))
    several = np.array(given, ndmin=2) if is_listed else np.zeros((0, 0))
    if (
        several.shape[1:] != (3,)
        or several.dtype.kind not in "ui"
        or several.min() < 0
        or several.max() > 255
    ):
        raise ValueError(
            f"Expected the colour of {name!r} to be (r, g, b), 0 to 255 each. Received: {given!r}"
        )
    return [(int(red), int(green), int(blue)) for red, green, blue in several]
