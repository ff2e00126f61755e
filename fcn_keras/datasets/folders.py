"""Data sets that lie on disk as picture files: any folder of images and masks, and CamVid."""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from fcn_keras.datasets.base import SegmentationData, checked_classes
from fcn_keras.datasets.layouts import Layout, MaskCode, Part, colour_table, pictures
from fcn_keras.support import arguments

CAMVID_CLASSES = (
    "sky",
    "building",
    "pole",
    "road",
    "pavement",
    "tree",
    "sign",
    "fence",
    "car",
    "pedestrian",
    "bicyclist",
)
# The published colours, brightened a little where they drown on a projector
CAMVID_PALETTE = np.array(
    [
        (128, 128, 128),
        (128, 0, 0),
        (192, 192, 128),
        (128, 64, 128),
        (60, 40, 222),
        (128, 128, 0),
        (192, 128, 128),
        (64, 64, 128),
        (160, 0, 160),
        (230, 110, 0),
        (0, 128, 192),
    ]
)
CLASSES = "classes.txt"


def image_folder(
    images: str | Path,
    masks: str | Path,
    class_names: Sequence[str],
    void: int | None = None,
    palette: np.ndarray | None = None,
    size: tuple[int, int] | None = None,
    colours: Mapping | None = None,
) -> SegmentationData:
    """A folder of pictures and a folder of label maps with the same file names.

    Args:
        images: Folder of pictures, any format Pillow reads.
        masks: Folder of files whose pixels are class numbers; `street.png` belongs to `street.jpg`. In palette files
            the numbers are the indices.
        class_names: A name per class number, from 0 up.
        void: The number that the files use for "do not score"; it becomes 255. 255 always is void.
        palette: uint8 `(classes, 3)`, or `None` for the default colours.
        size: Height and width to bring every picture to (images bilinear, masks nearest
            neighbour), or `None` to leave them as they are.
        colours: For masks whose colours stand for classes: `{"road": (128, 64, 128), "void": (0, 0, 0), …}`, a colour
            or several for every class.

    Returns:
        `SegmentationData`, read lazily, sorted by name.

    Raises:
        FileNotFoundError: If a folder is missing or has no pictures, or a picture has no mask.
        ValueError: If an argument is out of range, or two pictures have one name; when an item is read whose mask
            does not fit its image or holds unknown numbers or colours.
    """
    images, masks = arguments.path("images", images), arguments.path("masks", masks)
    class_names = checked_classes(class_names)
    size = None if size is None else arguments.size("size", size)
    if void is not None:
        arguments.whole_number("void", void, 0, 255)
        if void < len(class_names):
            raise ValueError(
                f"Expected void to be none of the class numbers 0 to {len(class_names) - 1}. Received: void={void}, "
                f"which is {class_names[void]!r}. To leave a class out, view() regroups."
            )
    if palette is not None:
        palette = arguments.array("palette", palette, 2, "uint8 (classes, 3)")
        if palette.shape != (len(class_names), 3):
            raise ValueError(
                f"Expected palette of shape ({len(class_names)}, 3). {arguments.received('palette', palette)}"
            )
    layout = folder_layout(images, masks, class_names, void, palette, size, colours)
    return layout.data("all")


def camvid(
    folder: str | Path, split: str = "train", size: tuple[int, int] | None = None
) -> SegmentationData:
    """CamVid in the SegNet tutorial's layout: `train/`, `trainannot/`, `val/`, `valannot/` (`test/`, `testannot/`).

    Args:
        folder: The folder that holds them.
        split: `"train"`, `"val"`, or `"test"` where it is there.
        size: As at `image_folder`.

    Returns:
        `SegmentationData`, 11 classes; the files' 11 is void.

    Raises:
        FileNotFoundError: If the split's folders are not there.
        ValueError: If the split is unknown.
    """
    arguments.one_of("split", split, ("train", "val", "test"))
    return camvid_layout(folder, size, (split,)).data(split)


def folder_layout(
    images, masks, class_names, void=None, palette=None, size=None, colours=None
) -> Layout:
    """What `image_folder` reads."""
    strangers = []
    part = Part(pictures(images, strangers), pictures(masks, strangers), strangers)
    code = MaskCode.of_classes(len(class_names), void)
    if colours is not None:
        code, from_table = colour_table(colours, class_names)
        palette = from_table if palette is None else palette
    return Layout(Path(images).name, tuple(class_names), code, {"all": part}, palette, size)


def plain_layout(folder: str | Path, size=None) -> Layout:
    """What `plain_folder` reads: `images/`, `masks/` and `classes.txt`."""
    folder = Path(folder)
    class_names, colours = read_classes(folder / CLASSES)
    return folder_layout(
        folder / "images", folder / "masks", class_names, size=size, colours=colours
    )


def camvid_layout(
    folder: str | Path, size=None, splits: Sequence[str] = ("train", "val")
) -> Layout:
    """What `camvid` reads; a test part only where it is asked for."""
    folder, parts = arguments.path("folder", folder), {}
    for split in splits:
        strangers = []
        parts[split] = Part(
            pictures(folder / split, strangers),
            pictures(folder / f"{split}annot", strangers),
            strangers,
        )
    code = MaskCode.of_classes(len(CAMVID_CLASSES), void=len(CAMVID_CLASSES))
    return Layout("CamVid", CAMVID_CLASSES, code, parts, CAMVID_PALETTE, size)


def plain_folder(folder: str | Path, size: tuple[int, int] | None = None) -> SegmentationData:
    """`images/`, `masks/` and `classes.txt` (one class name a line, in the order of their numbers).

    Where the masks' colours stand for classes, each line ends in its colour, and `void` has a line too:
    `road 128 64 128`. Lines that begin with # are comments.

    Raises:
        FileNotFoundError: If one of the three is missing.
        ValueError: If `classes.txt` is not of that form.
    """
    folder = arguments.path("folder", folder)
    return plain_layout(folder, None if size is None else arguments.size("size", size)).data("all")


def read_classes(path: Path) -> tuple[tuple[str, ...], dict | None]:
    """Class names, and the colours if the lines have them.

    Raises:
        FileNotFoundError: If there is no such file.
        ValueError: If it has no names, one of them twice, colours on some lines only, or what is no colour.
    """
    if not path.is_file():
        raise FileNotFoundError(
            f"Expected {path}: one class name a line, the first is class 0. Received: no such file"
        )
    try:
        lines = [line.strip() for line in path.read_text(encoding="utf-8-sig").splitlines()]
    except UnicodeDecodeError as error:
        raise ValueError(
            f"Expected {path} to be plain text. Received: {error}. Save it as UTF-8 in your editor."
        ) from error
    lines = [line for line in lines if line and not line.startswith("#")]
    coloured = [
        re.fullmatch(r"(.*\S)\s*[\s,;:]\s*(\d+)[\s,;]+(\d+)[\s,;]+(\d+)", line) for line in lines
    ]
    if not any(coloured):
        return checked_classes(lines, str(path)), None
    if not all(coloured):
        plain = next(line for line, match in zip(lines, coloured, strict=True) if not match)
        raise ValueError(
            f"Expected {path} to give a colour on every line ('road 128 64 128') or on none. Received: {plain!r}"
        )
    colours = {}
    for line, match in zip(lines, coloured, strict=True):
        colour = tuple(int(match[number]) for number in (2, 3, 4))
        if max(colour) > 255 or re.search(r"[\s,;:]\d+$", match[1]):
            wanted = "three numbers after each name, 0 to 255 ('road 128 64 128')"
            raise ValueError(
                f"Expected {path} to give {wanted}. Received: {line!r}. A class 'lane 2' may be called lane_2."
            )
        colours.setdefault("void" if match[1].lower() == "void" else match[1], []).append(colour)
    return checked_classes([name for name in colours if name != "void"], str(path)), colours
