"""KITTI road, PASCAL VOC and the Oxford pets, as their owners publish them."""

import re
from pathlib import Path

import numpy as np

from fcn_keras.datasets.base import SegmentationData
from fcn_keras.datasets.layouts import Layout, MaskCode, Part, matched, pictures
from fcn_keras.support import arguments
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
VOC_SPLITS = ("train", "val", "trainval")
PETS_SPLITS = {"train": "trainval.txt", "test": "test.txt"}
PET, AROUND, BORDER = 1, 2, 3  # numbers in the trimaps


def kitti_road(
    folder: str | Path, split: str = "train", size: tuple[int, int] | None = None
) -> SegmentationData:
    """KITTI's road benchmark as released, the pictures of the lecture's experiment (lecture: F).

    Of `training/gt_image_2` the `*_road_*` files are read (`um_road_000000.png` belongs to `image_2/um_000000.png`);
    the `*_lane_*` files answer another question. Magenta is road, red is not, black is void.

    Args:
        folder: The folder that holds `training/` (and `testing/`), or one above it, `data_road`.
        split: `"train"`: the 289 labelled pictures; `"test"`: those without labels, their masks are `None`.
        size: Height and width to bring every picture to, or `None`; the lecture's is `(160, 576)`. As they are, they
            differ by a few pixels.

    Returns:
        `SegmentationData` with the classes background and road.

    Raises:
        FileNotFoundError: If the folders are not there.
        ValueError: If the split is unknown.
    """
    arguments.one_of("split", split, ("train", "test"))
    return kitti_layout(folder, size, (split,)).data(split)


def voc(
    folder: str | Path, split: str = "train", size: tuple[int, int] | None = None
) -> SegmentationData:
    """PASCAL VOC's segmentation pictures: 20 kinds of objects and background.

    The label maps are palette files whose indices are the class numbers; 255, the light border around objects, is void.

    Args:
        folder: What the archive unpacks: the folder that holds `VOCdevkit/`, or any below it.
        split: `"train"`, `"val"` or `"trainval"`: the names in `ImageSets/Segmentation`.
        size: As at `kitti_road`.

    Returns:
        `SegmentationData`, 21 classes.

    Raises:
        FileNotFoundError: If the folders or the split file are not there, or a picture has no mask.
        ValueError: If the split is unknown, or names a picture that is not there.
    """
    arguments.one_of("split", split, VOC_SPLITS)
    return voc_layout(folder, size, (split,)).data(split)


def oxford_pets(
    folder: str | Path,
    split: str = "train",
    size: tuple[int, int] | None = None,
    border: str = "void",
) -> SegmentationData:
    """The Oxford-IIIT pets: cats and dogs, and where they are.

    A trimap says 1 on the pet, 2 around it and 3 on the border between the two, which its authors left undecided.

    Args:
        folder: The folder that holds `images/` and `annotations/`.
        split: `"train"` (`trainval.txt`) or `"test"`.
        size: As at `kitti_road`.
        border: `"void"`: the border is not scored; `"class"`: it is a third class.

    Returns:
        `SegmentationData` with the classes background, pet (and border).

    Raises:
        FileNotFoundError: If the folders are not there.
        ValueError: If the split or `border` is unknown.
    """
    arguments.one_of("split", split, PETS_SPLITS)
    arguments.one_of("border", border, ("void", "class"))
    return pets_layout(folder, size, (split,), border).data(split)


def kitti_layout(folder: str | Path, size=None, splits=("train",)) -> Layout:
    """What `kitti_road` reads."""
    root = _below(folder, "training/gt_image_2", ("data_road",), "KITTI's road benchmark")
    parts = {}
    for split in splits:
        strangers = []
        if split == "test":
            parts[split] = Part(
                pictures(root / "testing" / "image_2", strangers), {}, strangers, labelled=False
            )
            continue
        masks = {
            f"{scene[1]}_{scene[2]}": path
            for name, path in pictures(root / "training" / "gt_image_2", strangers).items()
            if (scene := re.fullmatch(r"([a-z]+)_road_(\d+)", name))
        }
        if not masks:
            where = root / "training" / "gt_image_2"
            raise FileNotFoundError(
                f"Expected files such as um_road_000000.png in {where}. Received: none"
            )
        parts[split] = Part(pictures(root / "training" / "image_2", strangers), masks, strangers)
    palette = np.array([(64, 64, 72), (255, 0, 255)], "uint8")
    return Layout(
        "KITTI road", ("background", "road"), MaskCode(colours=KITTI_COLOURS), parts, palette, size
    )


def voc_layout(folder: str | Path, size=None, splits=("train", "val")) -> Layout:
    """What `voc` reads."""
    root = _below(
        folder,
        "SegmentationClass",
        ("VOC2012", "VOCdevkit/VOC2012", "VOC2011", "VOCdevkit/VOC2011"),
        "PASCAL VOC",
    )
    strangers = []
    images, masks = (
        pictures(root / "JPEGImages", strangers),
        pictures(root / "SegmentationClass", strangers),
    )
    parts = {}
    for split in splits:
        where = root / "ImageSets" / "Segmentation" / f"{split}.txt"
        parts[split] = matched(images, masks, _lines(where), where)
    return Layout(
        "PASCAL VOC", VOC_CLASSES, MaskCode.of_classes(len(VOC_CLASSES)), parts, voc_palette(), size
    )


def pets_layout(folder: str | Path, size=None, splits=("train", "test"), border="void") -> Layout:
    """What `oxford_pets` reads."""
    root = _below(folder, "annotations/trimaps", (), "the Oxford pets")
    images, masks = pictures(root / "images"), pictures(root / "annotations" / "trimaps")
    parts = {}
    for split in splits:
        where = root / "annotations" / PETS_SPLITS[split]
        parts[split] = matched(images, masks, [line.split()[0] for line in _lines(where)], where)
    code = MaskCode({AROUND: 0, PET: 1, BORDER: VOID if border == "void" else 2})
    names = ("background", "pet") if border == "void" else ("background", "pet", "border")
    return Layout("Oxford pets", names, code, parts, None, size)


def voc_palette() -> np.ndarray:
    """VOC's colours: the bits of the class number, dealt out to red, green and blue from the highest down."""
    numbers = np.arange(len(VOC_CLASSES))
    colours = np.zeros((len(numbers), 3), int)
    for place in range(8):
        for channel in range(3):
            colours[:, channel] |= (numbers >> (3 * place + channel) & 1) << (7 - place)
    return colours.astype("uint8")


def _below(folder, holds: str, others, what: str) -> Path:
    """The folder that holds the one named `holds`: the one given, or one of `others` below it."""
    folder = arguments.path("folder", folder)
    for root in (folder, *(folder / other for other in others)):
        if (root / holds).is_dir():
            return root
    raise FileNotFoundError(
        f"Expected {what} in {folder}, with the folder {holds}. Received: no such folder there"
    )


def _lines(path: Path) -> list[str]:
    if not path.is_file():
        raise FileNotFoundError(
            f"Expected the split file {path}: one name a line. Received: no such file"
        )
    try:
        found = [line.strip() for line in path.read_text(encoding="utf-8-sig").splitlines()]
    except UnicodeDecodeError as error:
        raise ValueError(f"Expected {path} to be plain text. Received: {error}") from error
    return [line for line in found if line and not line.startswith("#")]
