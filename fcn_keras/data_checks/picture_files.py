"""What is wrong with one picture file, and with what else lies in its folder."""

from collections.abc import Iterable
from pathlib import Path

import numpy as np

from fcn_keras.data_checks.report import Notes
from fcn_keras.support import images
from fcn_keras.support.fitness import Unfit
from fcn_keras.support.images import PictureFile

IGNORED = ("thumbs.db", "desktop.ini")  # files that systems leave in folders of pictures

# A damaged file may make its reader raise anything. That is a finding about this file alone, and
# the inspection goes on: hence `except Exception` here and in `mask_files`.


def examine(path: Path, notes: Notes) -> PictureFile | None:
    """What a picture's or a mask's file says about itself, or `None` if it cannot be read."""
    try:
        about = images.examine(path)
    except Exception as error:
        note_refusal(error, path, notes)
        return None
    if about.frames > 1 and about.format != "TIFF":  # of a TIFF, the reader says more
        notes.add("frames", f"{about.frames} pictures in one file; only the first is read", path)
    return about


def read_picture(
    path: Path, about: PictureFile, notes: Notes, bands=None, scale=None
) -> np.ndarray | None:
    """The picture, or `None` if training would refuse it.

    Args:
        path: Its file.
        about: What `examine` returned.
        notes: For what is wrong with it.
        bands, scale: As in `images.read_image`.
    """
    try:
        picture = images.read_image(path, None, bands, scale)
    except ModuleNotFoundError:
        raise
    except Exception as error:
        note_refusal(error, path, notes)
        return None
    if bands is None and about.mode in ("RGBA", "LA", "PA", "CMYK", "LAB", "HSV"):
        notes.add("mode", f"mode {about.mode} instead of RGB", path)
    return picture


def note_refusal(error: Exception, path: Path, notes: Notes) -> None:
    """Why a file is not read. A reader's own refusal says what kind of finding it is."""
    if isinstance(error, Unfit):
        notes.add(error.kind, error.found, path)
    else:
        notes.add("unreadable", without_name(error, path), path)


def note_what_is_not_read(folders: Iterable[Path], notes: Notes) -> None:
    """Folders, and files of other types, among the pictures."""
    for path in sorted(entry for folder in folders for entry in folder.iterdir()):
        if path.name.startswith(".") or path.name.lower() in IGNORED:
            continue
        if path.is_dir():
            notes.add("passed over", "a folder inside the folder; its files are not read", path)
        elif path.suffix.lower() not in (*images.SUFFIXES, ".npy"):
            suffix = path.suffix or "no suffix"
            notes.add("passed over", f"a file of a type that is not read ({suffix})", path)


def note_arrays(folders: Iterable[Path], notes: Notes) -> None:
    """`.npy` files in mask folders, where only picture files are read."""
    for path in sorted(file for folder in folders for file in folder.glob("*.npy")):
        shape = array_shape(path, notes)
        if shape is not None:
            what = f"an array {' x '.join(map(str, shape))} where a picture file is expected"
            notes.add("one-hot" if len(shape) == 3 else "mask mode", what, path)


def array_shape(path: Path, notes: Notes) -> tuple[int, ...] | None:
    """The shape of an array file, or `None` if it cannot be read."""
    try:
        array = np.load(path, mmap_mode="r", allow_pickle=False)
    except Exception as error:
        reason = without_name(error, path) or "empty"
        notes.add("unreadable", f"not an array written by np.save: {reason}", path)
        return None
    if not isinstance(array, np.ndarray):
        array.close()
        notes.add("unreadable", "written by np.savez instead of np.save", path)
        return None
    return array.shape


def without_name(error: Exception, path: Path) -> str:
    """A message without the file's name, so that equal faults of several files are one finding."""
    text = " ".join(str(error).split())
    for name in (str(path), path.name):
        text = text.replace(f"{name} ", "").replace(name, "the file")
    return text
