"""KITTI road, PASCAL VOC and the Oxford pets, as their owners publish them."""

import re
from dataclasses import replace
from pathlib import Path
from typing import Literal

import numpy as np

from fcn_keras.datasets.base import SegmentationData
from fcn_keras.datasets.folders import of_own_classes
from fcn_keras.datasets.layouts import Layout, Part, matched, pictures
from fcn_keras.datasets.mask_codes import ColourCode, NumberCode
from fcn_keras.support.kinds import File, Size, checked
from fcn_keras.support.labels import VOID

KITTI_COLOURS = {(255, 0, 0): 0, (255, 0, 255): 1, (0, 0, 0): VOID}  # not road, road, not scored
VOC_CLASSES = (
    "background",
    "aeroplane",
    "bicycle",
    "bird",
    "boat",
    "bottle",
    "bus",
    "car",
    "cat",
    "chair",
    "cow",
    "diningtable",
    "dog",
    "horse",
    "motorbike",
    "person",
    "pottedplant",
    "sheep",
    "sofa",
    "train",
    "tvmonitor",
)
KITTI_FILES = re.compile(r"[a-z]+_\d+")  # such as um_000000
PETS_FILES = re.compile(r"[A-Za-z_]+_\d+")  # such as Abyssinian_100
# Such as 2007_000032. The years before 2008 have 000032 too, and lists of the objects.
VOC_FILES = re.compile(r"20(0[7-9]|1[0-2])_\d{6}")
VOC_EARLY_FILES, VOC_LIST = re.compile(r"\d{6}"), "ImageSets/Main/aeroplane_train.txt"
VOC_SPLITS = {  # the names of each part's list; CVAT's are those of its subsets
    "train": ("train",),
    "val": ("val", "valid", "validation", "test"),
    "trainval": ("trainval",),
}
PETS_SPLITS = {"train": "trainval.txt", "test": "test.txt"}
PET, AROUND, BORDER = 1, 2, 3  # numbers in the trimaps


@checked
def kitti_road(
    folder: File, split: Literal["train", "test"] = "train", size: Size | None = None
) -> SegmentationData:
    """KITTI's road benchmark as released, the pictures of the lecture's experiment (L22).

    Of `training/gt_image_2`, the `*_road_*` files are read: `um_road_000000.png` belongs to
    `image_2/um_000000.png`. The `*_lane_*` files label another task. Magenta is road, red is not,
    black is void.

    Args:
        folder: The folder that holds `training/` and `testing/`, or the folder above `data_road`.
        split: `"train"`: the 289 labelled pictures; `"test"`: those without labels, whose masks are
            `None`.
        size: Height and width to resize every picture to, or `None`; the lecture's is `(160, 576)`.
            The files' own sizes differ by a few pixels.

    Returns:
        `SegmentationData` with the classes background and road.

    Raises:
        FileNotFoundError: If the folders are not there.
        ValueError: If the split is unknown.
    """
    return kitti_layout(folder, size, (split,)).data(split)


@checked
def voc(
    folder: File, split: Literal["train", "val", "trainval"] = "train", size: Size | None = None
) -> SegmentationData:
    """PASCAL VOC's segmentation pictures: 20 kinds of objects and background.

    The label maps are palette files whose indices are the class numbers. 255, the light border
    around objects, is void.

    Args:
        folder: What the archive unpacks: the folder that holds `VOCdevkit/`, or one inside it.
        split: `"train"`, `"val"` or `"trainval"`: the names in `ImageSets/Segmentation`.
        size: As in `kitti_road`.

    Returns:
        `SegmentationData`, 21 classes. Where the folder has a list of classes, as CVAT and labelme
        write it, its classes count instead; `open_data` opens those without a split.

    Raises:
        FileNotFoundError: If the folders or the split file are not there, or a picture has no mask.
        ValueError: If the split is unknown, or names a picture that is not there; or if the
            pictures are not VOC's and have no list of classes.
    """
    return voc_layout(folder, size, (split,)).data(split)


@checked
def oxford_pets(
    folder: File,
    split: Literal["train", "test"] = "train",
    size: Size | None = None,
    border: Literal["void", "class"] = "void",
) -> SegmentationData:
    """The Oxford-IIIT pets: cats and dogs, and where they are.

    A trimap is 1 on the pet, 2 around it and 3 on the border between them, which its authors left
    undecided.

    Args:
        folder: The folder that holds `images/` and `annotations/`.
        split: `"train"` (`trainval.txt`) or `"test"`.
        size: As in `kitti_road`.
        border: `"void"`: the border is not scored; `"class"`: it is a third class.

    Returns:
        `SegmentationData` with the classes background, pet (and border).

    Raises:
        FileNotFoundError: If the folders are not there.
        ValueError: If the split or `border` is unknown.
    """
    return pets_layout(folder, size, (split,), border).data(split)


def kitti_layout(folder: str | Path, size=None, splits=("train",)) -> Layout:
    """What `kitti_road` reads."""
    root = _below(folder, "training/gt_image_2", ("data_road",), "KITTI's road benchmark")
    part_of = {"train": _kitti_training, "test": _kitti_testing}
    parts = {split: part_of[split](root) for split in splits}
    palette = np.array([(64, 64, 72), (255, 0, 255)], "uint8")
    code = ColourCode(KITTI_COLOURS)
    layout = Layout("KITTI road", ("background", "road"), code, parts, palette, size)
    return of_own_classes(layout, KITTI_FILES, Path(folder), root)


def _kitti_training(root: Path) -> Part:
    conflicts: list[str] = []
    folder = root / "training" / "gt_image_2"
    masks = {
        f"{scene[1]}_{scene[2]}": path
        for name, path in pictures(folder, conflicts).items()
        if (scene := re.fullmatch(r"([a-z]+)_road_(\d+)", name))
    }
    if not masks:
        raise FileNotFoundError(
            f"Expected files such as um_road_000000.png in {folder}. Received: none"
        )
    return Part(pictures(root / "training" / "image_2", conflicts), masks, conflicts)


def _kitti_testing(root: Path) -> Part:
    conflicts: list[str] = []
    images = pictures(root / "testing" / "image_2", conflicts)
    return Part(images, {}, conflicts, labelled=False)


def voc_layout(folder: str | Path, size=None, splits=("train", "val")) -> Layout:
    """What `voc` reads, and what CVAT and labelme write in its manner."""
    years = ("VOC2012", "VOCdevkit/VOC2012", "VOC2011", "VOCdevkit/VOC2011")
    root = _below(folder, "SegmentationClass", years, "PASCAL VOC")
    older = root / "SegmentationClassPNG"  # labelme's, beside .npy files in SegmentationClass
    layout = Layout(
        "PASCAL VOC",
        VOC_CLASSES,
        NumberCode.of_classes(len(VOC_CLASSES)),
        _voc_parts(root, older if older.is_dir() else root / "SegmentationClass", splits),
        voc_palette(),
        size,
    )
    own_files = VOC_EARLY_FILES if (root / VOC_LIST).is_file() else VOC_FILES
    return of_own_classes(layout, own_files, Path(folder), root)


def _voc_parts(root: Path, mask_folder: Path, splits) -> dict[str, Part]:
    """The parts that the split files list; all pictures where only CVAT's list is, or none."""
    conflicts: list[str] = []
    images = pictures(root / "JPEGImages", conflicts)
    masks = pictures(mask_folder, conflicts)
    lists = root / "ImageSets" / "Segmentation"
    listed = {path.stem.lower(): path for path in sorted(lists.glob("*.txt"))}
    if not listed:
        return {"all": Part(images, masks, conflicts)}
    files = {}
    for split in splits:
        found = (listed[name] for name in VOC_SPLITS[split] if name in listed)
        files[split] = next(found, lists / f"{split}.txt")
    if len(listed) == 1 and not set(files.values()) & set(listed.values()):
        files = {"all": next(iter(listed.values()))}
    parts = {split: matched(images, masks, _lines(file), file) for split, file in files.items()}
    return {
        split: replace(part, conflicts=[*conflicts, *part.conflicts])
        for split, part in parts.items()
    }


def pets_layout(folder: str | Path, size=None, splits=("train", "test"), border="void") -> Layout:
    """What `oxford_pets` reads."""
    root = _below(folder, "annotations/trimaps", (), "the Oxford pets")
    images, masks = pictures(root / "images"), pictures(root / "annotations" / "trimaps")
    parts = {}
    for split in splits:
        split_file = root / "annotations" / PETS_SPLITS[split]
        names = [line.split()[0] for line in _lines(split_file)]
        parts[split] = matched(images, masks, names, split_file)
    code = NumberCode({AROUND: 0, PET: 1, BORDER: VOID if border == "void" else 2})
    class_names = ("background", "pet") if border == "void" else ("background", "pet", "border")
    layout = Layout("Oxford pets", class_names, code, parts, None, size)
    return of_own_classes(layout, PETS_FILES, Path(folder), root)


def voc_palette() -> np.ndarray:
    """VOC's colours: the class number's bits in turn to red, green and blue, highest bit first."""
    numbers = np.arange(len(VOC_CLASSES))
    colours = np.zeros((len(numbers), 3), int)
    for place in range(8):
        for channel in range(3):
            colours[:, channel] |= (numbers >> (3 * place + channel) & 1) << (7 - place)
    return colours.astype("uint8")


def _below(folder, holds: str, others, what: str) -> Path:
    """The folder that holds the one named `holds`: the one given, or one of `others` below it."""
    folder = Path(folder)
    for root in (folder, *(folder / other for other in others)):
        if (root / holds).is_dir():
            return root
    raise FileNotFoundError(
        f"Expected {what} in {folder}, with the folder {holds}. Received: no such folder there"
    )


def _lines(path: Path) -> list[str]:
    if not path.is_file():
        raise FileNotFoundError(
            f"Expected the split file {path}: one name per line. Received: no such file"
        )
    try:
        found = [line.strip() for line in path.read_text(encoding="utf-8-sig").splitlines()]
    except UnicodeDecodeError as error:
        raise ValueError(f"Expected {path} to be plain text. Received: {error}") from error
    return [line for line in found if line and not line.startswith("#")]
