"""One name or folder in, data for training and for testing out: what the command line opens."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from fcn_keras.datasets.base import SegmentationData
from fcn_keras.datasets.folders import camvid, image_folder
from fcn_keras.datasets.lecture_files import FILES, lecture_files
from fcn_keras.datasets.road_scenes import road_scenes

FORMATS = ("auto", "camvid", "folder", "npy")
HELD_OUT = 0.2  # share of a data set without a split of its own that is never trained on


@dataclass(frozen=True)
class Opened:
    """A data set in two parts that share no image."""

    train: SegmentationData
    test: SegmentationData


def open_data(source: str | Path = "road_scenes", format: str = "auto", seed: int = 0) -> Opened:
    """Opens the drawn road scenes, CamVid, the lecture's `.npy` files or a plain folder.

    A data set with a split of its own keeps it (CamVid: train and val); of the others a fifth, drawn
    at random by the seed, is held out for testing.

    Args:
        source: `"road_scenes"`, or a folder: with `train/` and `trainannot/` (CamVid); with
            `images_training.npy` and `seg_training.npy` (the lecture's); with `images/`, `masks/` and
            `classes.txt`, one class name a line (plain).
        format: `"auto"` tells them apart by what is there; or one of `"camvid"`, `"folder"`, `"npy"`.
        seed: For the drawn scenes and for what is held out.

    Returns:
        `Opened`, with `.train` and `.test`.

    Raises:
        FileNotFoundError: If the folder is missing or holds none of these.
        ValueError: If the format is unknown, or there are too few images to hold some out.
    """
    if format not in FORMATS:
        raise ValueError(f"Expected format to be one of {', '.join(FORMATS)}. Received: {format!r}")
    if str(source) == "road_scenes":
        return Opened(road_scenes("train", seed), road_scenes("test", seed))
    folder = Path(source)
    if format == "auto":
        format = _recognise(folder)
    if format == "camvid":
        return Opened(camvid(folder, "train"), camvid(folder, "val"))
    if format == "npy":
        return _hold_out(lecture_files(folder, "train"), seed)
    return _hold_out(plain_folder(folder), seed)


def plain_folder(folder: str | Path) -> SegmentationData:
    """`images/`, `masks/` and `classes.txt` (one class name a line, in the order of their numbers).

    Raises:
        FileNotFoundError: If one of the three is missing.
    """
    folder = Path(folder)
    names = folder / "classes.txt"
    if not names.is_file():
        raise FileNotFoundError(f"Expected {names}: one class name a line, the first is class 0. Received: no such file")
    class_names = [line.strip() for line in names.read_text(encoding="utf-8").splitlines() if line.strip()]
    return image_folder(folder / "images", folder / "masks", class_names)


def _recognise(folder: Path) -> str:
    if not folder.is_dir():
        raise FileNotFoundError(f"Expected a folder with data, or road_scenes. Received: {folder}, which is not there.")
    if (folder / FILES["train"][0]).is_file():
        return "npy"
    if (folder / "trainannot").is_dir():
        return "camvid"
    if (folder / "images").is_dir():
        return "folder"
    raise FileNotFoundError(
        f"Expected {folder} to hold images_training.npy and seg_training.npy (the lecture's files), train/ and "
        "trainannot/ (CamVid), or images/, masks/ and classes.txt (a plain folder). Received: none of these"
    )


def _hold_out(data: SegmentationData, seed: int) -> Opened:
    if len(data) < 2:
        raise ValueError(f"Expected at least 2 images, to train on one and test on another. Received: {data!r}")
    order = np.random.default_rng(seed).permutation(len(data))
    held_out = max(1, round(HELD_OUT * len(data)))
    return Opened(data.subset(np.sort(order[held_out:])), data.subset(np.sort(order[:held_out])))
