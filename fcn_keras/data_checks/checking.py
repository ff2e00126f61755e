"""`check`: what is wrong with a data set of any known format."""

from pathlib import Path

import numpy as np

from fcn_keras.data_checks.inspection import Inspection
from fcn_keras.data_checks.picture_files import array_shape
from fcn_keras.data_checks.report import Notes, Report
from fcn_keras.datasets.drawn import road_scenes
from fcn_keras.datasets.lecture_files import FILES, lecture_files
from fcn_keras.datasets.opening import (
    FormatName,
    Source,
    is_drawn_scenes,
    layout_of,
    recognise,
    require_files,
)
from fcn_keras.datasets.regrouping import BACKGROUND
from fcn_keras.support.kinds import Bands, Scale, checked


@checked
def check(
    source: Source,
    format: FormatName = "auto",
    bands: Bands | None = None,
    scale: Scale | None = None,
) -> Report:
    """Reads every file of a data set and reports what is wrong.

    Args:
        source: A folder, or `"road_scenes"`, as for `datasets.open_data`.
        format, bands, scale: As for `datasets.open_data`.

    Returns:
        `Report`.

    Raises:
        TypeError: If `source` is not a path.
        FileNotFoundError: If there is no data set at all: its folders or its list of classes are
            missing.
        ValueError: If the format is unknown, the list of classes cannot be used, or there is a
            folder named `road_scenes` here.
    """
    drawn = is_drawn_scenes(source, format)
    if drawn or (recognise(source) if format == "auto" else format) == "npy":
        require_files(source, bands, scale)
        return _check_drawn_scenes() if drawn else _check_lecture_files(Path(source))
    layout = layout_of(source, format, None, bands, scale)
    inspection = Inspection(layout.name, layout.class_names, layout)
    for part, files in layout.parts.items():
        inspection.inspect_files(part, files)
    if len(layout.parts) == 1:
        _note_too_few(inspection)
    return inspection.report()


def _note_too_few(inspection: Inspection) -> None:
    """Where there is no split, a part of the pictures is held out."""
    for part, count in inspection.pictures.items():
        if part != "test" and count < 2:
            inspection.notes.add("few", f"only {count} picture, of which none can be held out")


def _check_drawn_scenes() -> Report:
    parts = {part: road_scenes(part) for part in ("train", "test")}
    inspection = Inspection("road scenes", parts["train"].class_names)
    for part, scenes in parts.items():
        inspection.inspect_items(part, scenes)
    return inspection.report()


def _check_lecture_files(folder: Path) -> Report:
    inspection = Inspection("lecture files", (BACKGROUND, "road"))
    for split in FILES:
        if split != "test" or (folder / FILES[split][0]).is_file():
            _inspect_arrays(split, folder, inspection)
    _note_too_few(inspection)
    return inspection.report()


def _inspect_arrays(split, folder: Path, inspection: Inspection) -> None:
    """The lecture's `.npy` files of one split."""
    files = [folder / name for name in FILES[split] if name]
    # `lecture_files` reports a missing file
    shapes = [array_shape(file, inspection.notes) if file.is_file() else () for file in files]
    if None in shapes:
        return
    try:
        data = lecture_files(folder, split)
    except ValueError as error:
        without_channels = split == "train" and _lacks_channels(shapes[1])
        kind = "one-hot" if without_channels else "unreadable"
        inspection.notes.add(kind, str(error), files[-1])
        return
    noted = set()
    if split == "train":
        inspection.class_names = data.class_names
        noted = _note_wrong_one_hot(files[1], inspection.notes)
    inspection.inspect_items(split, data, noted)


def _lacks_channels(shape) -> bool:
    """Whether labels are one number per pixel instead of a channel for each class."""
    return len(shape) == 3 or (len(shape) == 4 and shape[3] < 2)


def _note_wrong_one_hot(path: Path, notes: Notes) -> set[int]:
    """The indices of label maps that are not one-hot."""
    labels, wrong = np.load(path, mmap_mode="r", allow_pickle=False), set()
    for index in range(len(labels)):
        values = np.asarray(labels[index], "float32")
        name = f"{path.name}, number {index}"
        if ((values > 0) & (values < values.max())).any():
            what = "a label map has values between 0 and its largest, so it was smoothed"
            notes.add("interpolated", what, name)
            wrong.add(index)
        elif (np.count_nonzero(values, axis=-1) > 1).any():
            notes.add("one-hot", "a pixel belongs to several classes", name)
            wrong.add(index)
    return wrong
