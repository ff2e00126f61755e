"""Data sets that lie on disk as picture files: any folder of images and masks, and CamVid."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Literal

import numpy as np

from fcn_keras.datasets import class_lists
from fcn_keras.datasets.base import ClassNames, SegmentationData
from fcn_keras.datasets.class_lists import ClassList
from fcn_keras.datasets.layouts import Layout, Part, pictures
from fcn_keras.datasets.mask_codes import MaskCode, NumberCode, colour_table
from fcn_keras.datasets.palettes import fitting_palette
from fcn_keras.support import arguments
from fcn_keras.support.kinds import Bands, File, Kind, Palette, Scale, Size, checked

# The published colours, brightened a little where they are too dark for a projector
CAMVID_COLOURS = {
    "sky": (128, 128, 128),
    "building": (128, 0, 0),
    "pole": (192, 192, 128),
    "road": (128, 64, 128),
    "pavement": (60, 40, 222),
    "tree": (128, 128, 0),
    "sign": (192, 128, 128),
    "fence": (64, 64, 128),
    "car": (160, 0, 160),
    "pedestrian": (230, 110, 0),
    "bicyclist": (0, 128, 192),
}
CAMVID_CLASSES = tuple(CAMVID_COLOURS)
CAMVID_FILES = re.compile(r"(\d{4}[A-Z][A-Z0-9]|Seq05VD)_f?\d+")  # such as 0001TP_006690

Byte = Annotated[int, Kind("0 to 255", arguments.whole_number, at_least=0, at_most=255)]


@checked
def image_folder(
    images: File,
    masks: File,
    class_names: ClassNames,
    void: Byte | None = None,
    palette: Palette | None = None,
    size: Size | None = None,
    colours: Mapping | None = None,
    bands: Bands | None = None,
    scale: Scale | None = None,
) -> SegmentationData:
    """A folder of pictures and a folder of label maps with the same file names.

    Args:
        images: Folder of pictures: PNG, JPEG, BMP, TIFF or WebP.
        masks: Folder of files whose pixels are class numbers; `street.png` belongs to `street.jpg`.
            In palette files the indices are the numbers.
        class_names: A name for each class number, from 0 up.
        void: The number that the files use for "do not score"; it becomes 255. 255 is always void.
        palette: uint8 `(classes, 3)`, or `None` for the default colours.
        size: Height and width to resize every picture to (images bilinear, masks nearest
            neighbour), or `None` for the files' own.
        colours: For masks whose colours stand for classes: one colour or several for each class,
            `{"road": (128, 64, 128), "void": (0, 0, 0), …}`.
        bands: Which bands of the pictures become red, green and blue, counted from 0: `(2, 1, 0)`.
            For TIFF files with more of them.
        scale: The values of the pictures that become 0 and 255, for files of more than 8 bits:
            `(0, 3000)`.

    Returns:
        `SegmentationData`, sorted by name. Each picture is read when it is asked for.

    Raises:
        FileNotFoundError: If a folder is missing or has no pictures, or a picture has no mask.
        ValueError: If an argument is out of range, or two pictures have one name; when an item is
            read whose mask does not fit its image or holds unknown numbers or colours.
    """
    if void is not None and void < len(class_names):
        raise ValueError(
            f"Expected void to be none of the class numbers 0 to {len(class_names) - 1}. "
            f"Received: void={void}, which is {class_names[void]!r}. To leave it out of training "
            "and scores, name the other classes only and say what each number of a grey mask is, "
            "as a colour: colours={'void': [(0, 0, 0), (255, 255, 255)], 'road': (1, 1, 1), …}."
        )
    if palette is not None:
        palette = fitting_palette(palette, len(class_names))
    layout = folder_layout(
        images, masks, class_names, NumberCode.of_classes(len(class_names), void), palette, size
    )
    layout = replace(layout, bands=bands, scale=scale)
    return (layout if colours is None else coloured(layout, colours)).data("all")


@checked
def camvid(
    folder: File, split: Literal["train", "val", "test"] = "train", size: Size | None = None
) -> SegmentationData:
    """CamVid in the SegNet tutorial's layout: `train/` and `trainannot/`, `val/` and `valannot/`.

    Args:
        folder: The folder that holds them.
        split: `"train"`, `"val"`, or `"test"` where `test/` and `testannot/` are there.
        size: As in `image_folder`.

    Returns:
        `SegmentationData`, 11 classes. The files' number 11 is void. Where the folder has a list of
        classes, as a plain folder has, its classes count instead.

    Raises:
        FileNotFoundError: If the split's folders are not there.
        ValueError: If the split is unknown, or the pictures are not CamVid's and have no list of
            classes.
    """
    return camvid_layout(folder, size, (split,)).data(split)


@checked
def plain_folder(folder: File, size: Size | None = None) -> SegmentationData:
    """`images/`, `masks/` and `classes.txt` with one class name per line.

    The first name is class 0. Where the masks' colours stand for classes, each line ends in its
    colour, and `void` has a line too: `road 128 64 128`. Lines that begin with # are comments.
    The lists that labelling tools write are read too (`datasets/class_lists.py`).

    Raises:
        FileNotFoundError: If one of the three is missing.
        ValueError: If the list has another form, or two lists differ.
    """
    return plain_layout(folder, size).data("all")


def folder_layout(
    images: str | Path,
    masks: str | Path,
    class_names: Sequence[str],
    code: MaskCode | None = None,
    palette: np.ndarray | None = None,
    size: tuple[int, int] | None = None,
) -> Layout:
    """A folder of pictures and a folder of masks, by default of class numbers."""
    conflicts: list[str] = []
    part = Part(pictures(images, conflicts), pictures(masks, conflicts), conflicts)
    code = NumberCode.of_classes(len(class_names)) if code is None else code
    return Layout(Path(images).name, tuple(class_names), code, {"all": part}, palette, size)


def coloured(layout: Layout, colours: Mapping) -> Layout:
    """The same files, with masks whose colours stand for classes.

    Unless the layout has a palette, these colours become it.
    """
    code, palette = colour_table(colours, layout.class_names)
    return replace(layout, code=code, palette=palette if layout.palette is None else layout.palette)


def of_classes(layout: Layout, classes: ClassList) -> Layout:
    """The same files, with the classes of a list. A line `255: void` says that 255 is meant."""
    layout = replace(layout, class_names=classes.names, code=classes.code, palette=None)
    return layout if classes.colours is None else coloured(layout, classes.colours)


def of_own_classes(layout: Layout, own_files: re.Pattern, *folders: Path) -> Layout:
    """A public set's files with its classes, or the classes of a list that lies in the folder.

    Args:
        layout: The public set.
        own_files: Names that the public set's pictures have.
        folders: Where a list of classes may lie.

    Raises:
        ValueError: If there is no list and the pictures are not the public set's.
    """
    classes = class_lists.in_folder(*folders)
    if classes is not None:
        return of_classes(replace(layout, name=folders[0].name), classes)
    names = sorted({name for part in layout.parts.values() for name in part.images})
    foreign = next((name for name in names if not own_files.fullmatch(name)), None)
    if foreign is not None:
        raise ValueError(
            f"Expected {folders[0]} to hold {layout.name} itself, or a list of its own classes. "
            f"Received: no list, and a picture {foreign}, which is not of {layout.name}. Write "
            f"{folders[0] / class_lists.CLASSES}: one class name per line, the first is class 0."
        )
    return layout


def plain_layout(folder: str | Path, size=None) -> Layout:
    """What `plain_folder` reads: `images/`, `masks/` and a list of classes."""
    folder = Path(folder)
    classes = class_lists.required(folder)
    layout = folder_layout(folder / "images", folder / "masks", classes.names, size=size)
    return replace(of_classes(layout, classes), name=folder.resolve().name)


def camvid_layout(
    folder: str | Path, size=None, splits: Sequence[str] = ("train", "val")
) -> Layout:
    """What `camvid` reads. The test part is read only where it is asked for."""
    folder, parts = Path(folder), {}
    for split in splits:
        conflicts: list[str] = []
        images = pictures(folder / split, conflicts)
        masks = pictures(folder / f"{split}annot", conflicts)
        parts[split] = Part(images, masks, conflicts)
    code = NumberCode.of_classes(len(CAMVID_CLASSES), void=len(CAMVID_CLASSES))
    palette = np.array(list(CAMVID_COLOURS.values()))
    layout = Layout("CamVid", CAMVID_CLASSES, code, parts, palette, size)
    return of_own_classes(layout, CAMVID_FILES, folder)


def read_classes(path: Path) -> tuple[tuple[str, ...], Mapping | None]:
    """Class names, and the colours if the lines have them, in any of the forms of `class_lists`.

    Raises:
        FileNotFoundError: If there is no such file.
        ValueError: As `class_lists.read`.
    """
    classes = class_lists.read(path)
    return classes.names, classes.colours
