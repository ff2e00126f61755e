"""One name or folder in, data for training and for testing out: what the command line opens."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from fcn_keras.datasets.base import SegmentationData
from fcn_keras.datasets.drawn.road_scenes import road_scenes
from fcn_keras.datasets.folders import camvid_layout, plain_layout
from fcn_keras.datasets.layouts import Layout
from fcn_keras.datasets.lecture_files import FILES, lecture_files
from fcn_keras.datasets.public_sets import kitti_layout, pets_layout, voc_layout
from fcn_keras.support import arguments

# How to recognise each format by a folder or file in it, what it is called, and what reads it. The first that fits counts.
LAYOUTS = {
    "camvid": (("trainannot",), "train/ and trainannot/ (CamVid)", camvid_layout),
    "kitti": (
        ("training/gt_image_2", "data_road/training/gt_image_2"),
        "training/gt_image_2/ (KITTI road)",
        kitti_layout,
    ),
    "voc": (("SegmentationClass", "VOC2012", "VOCdevkit"), "VOCdevkit/ (PASCAL VOC)", voc_layout),
    "pets": (
        ("annotations/trimaps",),
        "images/ and annotations/trimaps/ (Oxford pets)",
        pets_layout,
    ),
    "folder": (("images",), "images/, masks/ and classes.txt (a plain folder)", plain_layout),
}
FORMATS = ("auto", *LAYOUTS, "npy")
DRAWN = "road_scenes"
HELD_OUT = 0.2  # share of a data set without a split of its own that is never trained on


@dataclass(frozen=True)
class Opened:
    """A data set in two parts that share no image."""

    train: SegmentationData
    test: SegmentationData


def open_data(
    source: str | Path = "road_scenes",
    format: str = "auto",
    seed: int = 0,
    size: tuple[int, int] | None = None,
) -> Opened:
    """Opens the drawn road scenes, a public set, the lecture's `.npy` files or a plain folder.

    A data set with a split of its own keeps it (CamVid and VOC: train and val; pets: trainval and test); of the others a
    fifth, drawn at random by the seed, is held out for testing.

    Args:
        source: `"road_scenes"`, or a folder: with `train/` and `trainannot/` (CamVid); `training/gt_image_2/` (KITTI);
            `VOCdevkit/`; `images/` and `annotations/` (pets); `images_training.npy` and `seg_training.npy` (the
            lecture's); `images/`, `masks/` and `classes.txt`, one class name a line (plain).
        format: `"auto"` tells them apart by what is there; or one of `"camvid"`, `"kitti"`, `"voc"`, `"pets"`,
            `"folder"`, `"npy"`.
        seed: For the drawn scenes and for what is held out.
        size: Height and width to bring the pictures of a folder to, or `None`.

    Returns:
        `Opened`, with `.train` and `.test`.

    Raises:
        TypeError: If `source` is no path.
        FileNotFoundError: If the folder is missing or holds none of these.
        ValueError: If the format is unknown, a size is given for what has its own, there are too few images to hold some out,
            or `"road_scenes"` may mean a folder that is here.
    """
    arguments.one_of("format", format, FORMATS)
    arguments.whole_number("seed", seed, 0)
    size = None if size is None else arguments.size("size", size)
    drawn = means_drawn(source)
    if drawn or format == "npy" or (format == "auto" and recognise(source) == "npy"):
        if size is not None:
            raise ValueError(
                f"Expected size only with pictures in folders. Received: size={size}, and {source} has its own"
            )
        if drawn:
            return Opened(road_scenes("train", seed), road_scenes("test", seed))
        return _hold_out(lecture_files(source, "train"), seed)
    layout = layout_of(source, format, size)
    if len(layout.parts) == 1:
        return _hold_out(layout.data(next(iter(layout.parts))), seed)
    return Opened(*(layout.data(part) for part in layout.parts))


def layout_of(
    source: str | Path, format: str = "auto", size: tuple[int, int] | None = None
) -> Layout:
    """Which files of a folder belong together. Args and errors as `open_data`; not for `.npy`."""
    return LAYOUTS[recognise(source) if format == "auto" else format][2](
        arguments.path("source", source), size=size
    )


def means_drawn(source: str | Path) -> bool:
    """Whether the source is the drawn road scenes.

    Raises:
        ValueError: If a folder of that name is here too.
    """
    if str(source) != DRAWN:
        return False
    if Path(DRAWN).is_dir():
        raise ValueError(
            f"Expected {DRAWN} to mean one thing. Received: the name of the drawn scenes, and of a folder here. Write "
            f"'./{DRAWN}' or {Path(DRAWN).absolute()} for the folder; for the drawn scenes, work elsewhere or rename it."
        )
    return True


def recognise(source: str | Path) -> str:
    """The format of a folder, by what is in it.

    Raises:
        TypeError: If `source` is no path.
        FileNotFoundError: If the folder is missing or holds none of the known ones.
    """
    folder = arguments.path("source", source)
    if not folder.is_dir():
        what = "which is a file" if folder.exists() else "which is not there"
        raise FileNotFoundError(
            f"Expected a folder with data, or road_scenes. Received: {folder}, {what}."
        )
    if (folder / FILES["train"][0]).is_file():
        return "npy"
    for format, (signs, _, _) in LAYOUTS.items():
        if any((folder / sign).is_dir() for sign in signs):
            return format
    below = next(
        (
            path
            for path in sorted(folder.iterdir())
            if path.is_dir()
            and any((path / sign).exists() for signs, _, _ in LAYOUTS.values() for sign in signs)
        ),
        None,
    )
    raise FileNotFoundError(
        f"Expected {folder} to hold images_training.npy and seg_training.npy (the lecture's files), "
        f"{', '.join(what for _, what, _ in LAYOUTS.values())}. Received: none of these"
        + (f". Is it the folder {below} that you mean?" if below else "")
    )


def _hold_out(data: SegmentationData, seed: int) -> Opened:
    if len(data) < 2:
        raise ValueError(
            f"Expected at least 2 images, to train on one and test on another. Received: {data!r}"
        )
    order = np.random.default_rng(seed).permutation(len(data))
    held_out = max(1, round(HELD_OUT * len(data)))
    return Opened(data.subset(np.sort(order[held_out:])), data.subset(np.sort(order[:held_out])))
