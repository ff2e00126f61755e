"""Which files of a data set belong together, and what the pixels of a mask file mean. No picture is opened here.

Each format is a function that looks at a folder and returns a `Layout`. The loaders read pairs from it;
`fcn_keras.data_checks` goes through it and says what is wrong.
"""

import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from fcn_keras.datasets.base import SegmentationData
from fcn_keras.support import arguments
from fcn_keras.support.images import SUFFIXES, examine, read_colours, read_image, read_mask
from fcn_keras.support.labels import VOID

Colour = tuple[int, int, int]


@dataclass(frozen=True)
class MaskCode:
    """What a mask file's pixels mean: class numbers by the file's numbers, or by its colours.

    One of the two is given. In a palette file, `numbers` go by the indices and `colours` by what the palette shows.
    """

    numbers: Mapping[int, int] | None = None  # number in the file → class number, or 255 for void
    colours: Mapping[Colour, int] | None = None

    @classmethod
    def of_classes(cls, num_classes: int, void: int | None = None) -> "MaskCode":
        """The file holds class numbers; 255, and `void`, are void."""
        numbers = {number: number for number in range(num_classes)}
        return cls({**numbers, **({} if void is None else {void: VOID}), VOID: VOID})

    def read(self, path: Path, size: tuple[int, int] | None = None) -> np.ndarray:
        """A label map from a file.

        Args:
            path: The mask.
            size: Height and width to resize to by nearest neighbour, or `None`.

        Returns:
            uint8 `(H, W)`, class numbers and 255.

        Raises:
            ValueError: If it is no picture, of another kind, or holds a number or a colour that stands for nothing.
        """
        if self.colours is None:
            labels, unknown = self.labels(read_mask(path, size))
            if len(unknown):
                known = sorted(
                    number for number, meaning in self.numbers.items() if meaning != VOID
                )
                raise ValueError(
                    f"Expected {path} to hold class numbers {known[0]} to {known[-1]}, and {self._void()} for void. "
                    f"Received: {', '.join(map(str, unknown[:8]))}. If one of them means 'do not score', pass void=…; "
                    "blends of class numbers come from resizing a mask with interpolation: make it again with nearest neighbour."
                )
            return labels
        labels, unknown = self.labels(read_colours(path, size))
        if len(unknown):
            raise ValueError(
                f"Expected {path} to hold colours that stand for a class. Received: {', '.join(map(str, unknown[:4]))}"
                f"{' …' if len(unknown) > 4 else ''} ({len(unknown)} unknown colours). Add them to the table of colours; "
                "hundreds of them come from JPEG or from resizing with interpolation, and such a mask has to be made again."
            )
        return labels

    def labels(self, pixels: np.ndarray) -> tuple[np.ndarray, list]:
        """Class numbers of a file's pixels, and what stands for nothing (its pixels become void)."""
        if self.colours is None:
            table = np.full(256, VOID, "uint8")
            table[list(self.numbers)] = list(self.numbers.values())
            return table[pixels], [
                int(number) for number in np.unique(pixels) if number not in self.numbers
            ]
        packed = (pixels.astype("uint32") * np.array([1 << 16, 1 << 8, 1], "uint32")).sum(
            axis=-1, dtype="uint32"
        )
        present, where = np.unique(packed, return_inverse=True)
        colours = [(int(c) >> 16, int(c) >> 8 & 255, int(c) & 255) for c in present]
        meanings = np.array([self.colours.get(colour, VOID) for colour in colours], "uint8")
        return meanings[where.reshape(packed.shape)], [
            colour for colour in colours if colour not in self.colours
        ]

    def _void(self) -> str:
        return " or ".join(
            str(number) for number, meaning in sorted(self.numbers.items()) if meaning == VOID
        )


@dataclass(frozen=True)
class Part:
    """The files of one part of a data set, such as its training pictures."""

    images: Mapping[str, Path]  # name → file
    masks: Mapping[str, Path]
    strangers: Sequence[
        str
    ] = ()  # what is wrong with the listing: two pictures of one name, a name without a file
    labelled: bool = True  # False: no masks are expected

    @property
    def names(self) -> list[str]:
        """Of all pictures that can be used, sorted."""
        return sorted(name for name in self.images if name in self.masks or not self.labelled)


@dataclass(frozen=True)
class Layout:
    """A data set on disk."""

    name: str
    class_names: tuple[str, ...]
    code: MaskCode
    parts: Mapping[
        str, Part
    ]  # such as "train" and "val"; a folder without a split has one part, "all"
    palette: np.ndarray | None = None
    size: tuple[int, int] | None = None  # to bring every picture to

    def data(self, part: str) -> SegmentationData:
        """One part, read lazily, sorted by name.

        Raises:
            ValueError: If there is no such part, or a picture stands twice under one name.
            FileNotFoundError: If a picture has no mask, or the part has no pictures.
        """
        files = self.parts[arguments.one_of("split", part, self.parts)]
        if files.strangers:
            raise ValueError(
                f"Expected {self.name} to name every picture once. Received: {files.strangers[0]}"
            )
        missing = sorted(set(files.images) - set(files.masks)) if files.labelled else []
        if missing:
            listed = f"{', '.join(missing[:5])}{' …' if len(missing) > 5 else ''} ({len(missing)} in all)"
            raise FileNotFoundError(
                f"Expected a mask for every picture in {next(iter(files.images.values())).parent}. Received: none for {listed}. "
                f"{self._nearly(files, missing)}"
            )
        names = files.names
        if not names:
            raise FileNotFoundError(f"Expected pictures in {self.name}, {part}. Received: none")

        def read(index):
            image = read_image(files.images[names[index]], self.size)
            if not files.labelled:
                return image, None
            path = files.masks[names[index]]
            mask = self.code.read(path, self.size)
            wanted, received = image.shape[:2], mask.shape
            if self.size is not None:  # resized, any two are of one size
                of_mask = examine(path)
                wanted, received = (
                    examine(files.images[names[index]]).upright,
                    (of_mask.height, of_mask.width),
                )
            if received != wanted:
                raise ValueError(
                    f"Expected {path} to have the size of its image, {wanted[0]} x {wanted[1]}. "
                    f"Received: {received[0]} x {received[1]}"
                )
            return image, mask

        title = self.name if part == "all" else f"{self.name} {part}"
        return SegmentationData(read, len(names), self.class_names, self.palette, title)

    @staticmethod
    def _nearly(files, missing) -> str:
        """A hint where the masks' names only have something more than the pictures'."""
        first = missing[0]
        longer = next((path for name, path in sorted(files.masks.items()) if first in name), None)
        if longer is None:
            return "python -m fcn_keras check-data lists all that is wrong."
        return f"Is it {longer.name}? A mask has the name of its picture: {first}{longer.suffix}."


def pictures(folder: str | Path, strangers: list[str] | None = None) -> dict[str, Path]:
    """The picture files of a folder by name without suffix, in one spelling of accents; hidden files are left out.

    Args:
        folder: Where they lie.
        strangers: A list that gets a sentence for every two pictures of one name; of them the first counts.

    Raises:
        FileNotFoundError: If the folder is missing or has no pictures.
    """
    folder = Path(folder)
    if not folder.is_dir():
        raise FileNotFoundError(
            f"Expected a folder of pictures. Received: {folder}, which is not there."
        )
    found = {}
    for path in sorted(folder.iterdir()):
        if path.suffix.lower() in SUFFIXES and not path.name.startswith("."):
            name = composed(path.stem)
            if name in found and strangers is not None:
                strangers.append(
                    f"{found[name].name} and {path.name} in {folder}: which of them is meant?"
                )
            found.setdefault(name, path)
    if not found:
        raise FileNotFoundError(
            f"Expected pictures ({', '.join(SUFFIXES)}) in {folder}. Received: none"
        )
    return found


def composed(name: str) -> str:
    """A file's name with ä as one character: macOS writes it as two, a and the dots."""
    return unicodedata.normalize("NFC", name)


def colour_table(colours: Mapping, class_names: Sequence[str]) -> tuple[MaskCode, np.ndarray]:
    """The code and the palette of masks whose colours stand for classes.

    Args:
        colours: Name of a class, or `"void"` → its colour (r, g, b), 0–255, or several of them.
        class_names: The classes in the order of their numbers.

    Raises:
        ValueError: If a class has no colour, a colour stands for two, or is none.
    """
    if not isinstance(colours, Mapping):
        example = "{'road': (128, 64, 128)}"
        raise ValueError(
            f"Expected colours to be a table, such as {example}. {arguments.received('colours', colours)}"
        )
    table, palette = {}, np.zeros((len(class_names), 3), "uint8")
    missing = [name for name in class_names if name not in colours]
    unknown = [name for name in colours if name not in class_names and name != "void"]
    if missing or unknown:
        what = (
            f"none for {', '.join(missing)}"
            if missing
            else f"one for {unknown[0]!r}, which is no class"
        )
        raise ValueError(
            f"Expected colours to have one for each of {', '.join(class_names)}, and for 'void'. Received: {what}"
        )
    for name, given in colours.items():
        number = VOID if name == "void" else list(class_names).index(name)
        several = (
            np.array(given, ndmin=2)
            if isinstance(given, (list, tuple, np.ndarray))
            else np.zeros((0, 0))
        )
        if (
            several.shape[1:] != (3,)
            or several.dtype.kind not in "ui"
            or several.min() < 0
            or several.max() > 255
        ):
            raise ValueError(
                f"Expected the colour of {name!r} to be (r, g, b), 0 to 255 each. Received: {given!r}"
            )
        for colour in map(tuple, several.tolist()):
            if table.get(colour, number) != number:
                raise ValueError(
                    f"Expected every colour to stand for one class. Received: {colour} for {name!r} and another"
                )
            table[colour] = number
        if number != VOID:
            palette[number] = several[0]
    return MaskCode(colours=table), palette


def matched(
    image_files: Mapping[str, Path],
    mask_files: Mapping[str, Path],
    names: Iterable[str],
    where: Path,
) -> Part:
    """The pictures that a split file names.

    Args:
        image_files, mask_files: Name → file, of the whole set.
        names: The split's.
        where: The split file, for messages.
    """
    names, strangers, seen = [composed(name) for name in names], [], set()
    for name in names:
        if name in seen:
            strangers.append(f"{name} twice in {where}")
        elif name not in image_files:
            strangers.append(f"{name} in {where}, but no such picture")
        seen.add(name)
    chosen = [name for name in names if name in image_files]
    return Part(
        {name: image_files[name] for name in chosen},
        {name: mask_files[name] for name in chosen if name in mask_files},
        strangers,
    )
