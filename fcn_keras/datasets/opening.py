"""Opens whatever a command line names: one name or folder in, training and test data out."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, Literal, get_args

import numpy as np

from fcn_keras.datasets.base import SegmentationData
from fcn_keras.datasets.drawn import road_scenes
from fcn_keras.datasets.folders import camvid_layout, plain_layout
from fcn_keras.datasets.layouts import Layout
from fcn_keras.datasets.lecture_files import FILES, lecture_files
from fcn_keras.datasets.public_sets import kitti_layout, pets_layout, voc_layout
from fcn_keras.support import arguments
from fcn_keras.support.kinds import Bands, Kind, Scale, Seed, Size, checked

DRAWN = "road_scenes"
HELD_OUT = 0.2  # share of a data set without a split of its own that is never trained on
ITS_OWN = "the data set's own split"
BY_CONTENT = "about a fifth, chosen by each picture's content"


@dataclass(frozen=True)
class Format:
    """A way to store a data set in a folder."""

    signs: tuple[str, ...]  # a folder that has one of these is of this format
    description: str
    layout: Callable[..., Layout]

    def fits(self, folder: Path) -> bool:
        return any((folder / sign).is_dir() for sign in self.signs)


LAYOUTS = {  # the first that fits counts
    "camvid": Format(("trainannot",), "train/ and trainannot/ (CamVid)", camvid_layout),
    "kitti": Format(
        ("training/gt_image_2", "data_road/training/gt_image_2"),
        "training/gt_image_2/ (KITTI road)",
        kitti_layout,
    ),
    "voc": Format(
        ("SegmentationClass", "VOC2012", "VOCdevkit"), "VOCdevkit/ (PASCAL VOC)", voc_layout
    ),
    "pets": Format(
        ("annotations/trimaps",), "images/ and annotations/trimaps/ (Oxford pets)", pets_layout
    ),
    "folder": Format(("images",), "images/, masks/ and classes.txt (a plain folder)", plain_layout),
}
FormatName = Literal["auto", "camvid", "kitti", "voc", "pets", "folder", "npy"]
FORMATS: tuple[str, ...] = get_args(FormatName)


def path_as_written(name: str, value) -> str | Path:
    """A path that is not yet a `Path`, which would turn `./road_scenes` into `road_scenes`."""
    arguments.path(name, value)
    return value


Source = Annotated[str | Path, Kind("'road_scenes' or a folder", path_as_written)]


@dataclass(frozen=True)
class Opened:
    """A data set in two parts that share no image."""

    train: SegmentationData
    test: SegmentationData
    split: str = ITS_OWN  # who decided which image is in which part

    def view(self, groups) -> "Opened":
        """Both parts with the classes regrouped, as `SegmentationData.view` does."""
        return Opened(self.train.view(groups), self.test.view(groups), self.split)


@checked
def open_data(
    source: Source = DRAWN,
    format: FormatName = "auto",
    seed: Seed = 0,
    size: Size | None = None,
    bands: Bands | None = None,
    scale: Scale | None = None,
) -> Opened:
    """Opens the drawn road scenes, a public set, the lecture's `.npy` files or a plain folder.

    A data set with its own split keeps it (CamVid and VOC: train and val; pets: trainval and test).
    Of the others, about a fifth is held out for testing. A digest of each picture's file decides,
    together with the seed: other pictures may come or go.

    Args:
        source: `"road_scenes"`, or a folder: with `train/` and `trainannot/` (CamVid);
            `training/gt_image_2/` (KITTI); `VOCdevkit/`; `images/` and `annotations/` (pets);
            `images_training.npy` and `seg_training.npy` (the lecture's); `images/`, `masks/` and
            `classes.txt`, one class name per line (plain).
        format: `"auto"` recognises the format by these files; or one of `"camvid"`, `"kitti"`,
            `"voc"`, `"pets"`, `"folder"`, `"npy"`.
        seed: For the drawn scenes, and for the choice of the held-out images.
        size: Height and width to resize a folder's pictures to, or `None`.
        bands, scale: As in `image_folder`, for a folder's pictures.

    Returns:
        `Opened`, with `.train` and `.test`.

    Raises:
        TypeError: If `source` is not a path.
        FileNotFoundError: If the folder is missing or holds none of these.
        ValueError: If the format is unknown, or given for the drawn scenes, `size` is given for
            data of a fixed size, there are too few images to hold some out, or there is a folder
            named `road_scenes` here.
    """
    drawn = is_drawn_scenes(source, format)
    if drawn or format == "npy" or (format == "auto" and recognise(source) == "npy"):
        if size is not None:
            raise ValueError(
                "Expected size only with pictures in folders. "
                f"Received: size={size}, and {source} has its own"
            )
        require_files(source, bands, scale)
        if drawn:
            return Opened(road_scenes("train", seed), road_scenes("test", seed))
        return _hold_out(lecture_files(source, "train"), seed)
    layout = layout_of(source, format, size, bands, scale)
    if len(layout.parts) == 1:
        return _hold_out(layout.data(next(iter(layout.parts))), seed)
    train, test = map(layout.data, layout.parts)
    return Opened(train, test)


def require_files(source: str | Path, bands, scale) -> None:
    """Refuses bands and a scale for data that are not picture files.

    Raises:
        ValueError: If one of them is given.
    """
    if bands is not None or scale is not None:
        raise ValueError(
            "Expected bands and scale only with pictures in folders. "
            f"Received: bands={bands}, scale={scale}, and {source} is RGB 0–255"
        )


def layout_of(
    source: str | Path, format: str = "auto", size=None, bands=None, scale=None
) -> Layout:
    """Which files of a folder belong together. Args and errors as `open_data`; not for `.npy`."""
    name = recognise(source) if format == "auto" else format
    return replace(LAYOUTS[name].layout(Path(source), size=size), bands=bands, scale=scale)


def is_drawn_scenes(source: str | Path, format: str) -> bool:
    """Whether the source is the drawn road scenes.

    Raises:
        ValueError: If there is a folder of that name here too, or they are given a format.
    """
    if str(source) != DRAWN:
        return False
    if Path(DRAWN).is_dir():
        raise ValueError(
            f"Expected {DRAWN} to mean one thing. Received: the name of the drawn scenes and of a "
            f"folder here. Write './{DRAWN}' or {Path(DRAWN).absolute()} for the folder. For the "
            "drawn scenes, work in another folder or rename this one."
        )
    if format != "auto":
        raise ValueError(
            f"Expected a format only with a folder. Received: {format}, and {DRAWN}, which is drawn"
        )
    return True


def recognise(source: str | Path) -> str:
    """The format of a folder, by what is in it.

    Raises:
        FileNotFoundError: If the folder is missing or has none of the known formats.
    """
    folder = Path(source)
    if not folder.is_dir():
        what = "which is a file" if folder.exists() else "which is not there"
        raise FileNotFoundError(
            f"Expected a folder with data, or {DRAWN}. Received: {folder}, {what}."
        )
    if (folder / FILES["train"][0]).is_file():
        return "npy"
    for name, format in LAYOUTS.items():
        if format.fits(folder):
            return name
    inside = next((path for path in sorted(folder.iterdir()) if _is_known(path)), None)
    hint = f". Is it the folder {inside} that you mean?" if inside else ""
    raise FileNotFoundError(
        f"Expected {folder} to hold images_training.npy and seg_training.npy (the lecture's "
        f"files), {', '.join(format.description for format in LAYOUTS.values())}. "
        f"Received: none of these{hint}"
    )


def _is_known(path: Path) -> bool:
    return any((path / sign).exists() for format in LAYOUTS.values() for sign in format.signs)


def _hold_out(data: SegmentationData, seed: int) -> Opened:
    """Holds out each picture that its own digest chooses.

    So a picture that is added to the folder moves no other one, and what was once held out is never
    trained on later. At least one picture is on each side.
    """
    if len(data) < 2:
        raise ValueError(
            f"Expected at least 2 images, to train on one and test on another. Received: {data!r}"
        )
    draws = [_draw(data.digest(index), seed) for index in range(len(data))]
    held_out = [index for index, draw in enumerate(draws) if draw < HELD_OUT]
    held_out = held_out or [int(np.argmin(draws))]
    if len(held_out) == len(data):
        held_out.remove(int(np.argmax(draws)))
    kept = [index for index in range(len(data)) if index not in set(held_out)]
    return Opened(data.subset(kept), data.subset(held_out), split=BY_CONTENT)


def _draw(digest: str, seed: int) -> float:
    """A number from 0 to 1 that depends on a picture and the seed alone."""
    return int(hashlib.sha256(f"{digest} {seed}".encode()).hexdigest()[:12], 16) / 16**12
