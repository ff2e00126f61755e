"""The lecture's own three `.npy` files, used as they are."""

import zipfile
from pathlib import Path

import numpy as np

from fcn_keras.datasets.base import SegmentationData
from fcn_keras.support import arguments
from fcn_keras.support.labels import VOID

FILES = {"train": ("images_training.npy", "seg_training.npy"), "test": ("images_testing.npy", None)}
OVERSHOOT = 0.1  # by which a resizing filter leaves 0–1


def lecture_files(folder: str | Path, split: str = "train") -> SegmentationData:
    """`images_training.npy` with `seg_training.npy`, or `images_testing.npy` without labels.

    The files stay on disk (memory-mapped). Images of values 0–1 (or a tenth beyond) become 0–255. Labels are one-hot,
    N × H × W × C; a pixel that belongs to no class (all zeros) is void.

    Args:
        folder: Where the files lie.
        split: `"train"` (labelled) or `"test"` (its masks are `None`).

    Returns:
        `SegmentationData`; two channels are named background and road, as in the lecture.

    Raises:
        FileNotFoundError: If a file is missing.
        ValueError: If the split is unknown, or a file is not an array of the right shape; when an item is read whose values
            are of neither range, or whose labels are not one-hot.
    """
    folder = arguments.path("folder", folder)
    arguments.one_of("split", split, FILES)
    image_file, label_file = FILES[split]
    images = _memory_mapped(folder / image_file, "N x H x W x 3")
    if images.shape[3] != 3:
        raise ValueError(
            f"Expected RGB images, N x H x W x 3, in {image_file}. Received: shape {images.shape}"
        )
    scale = _scale(images)
    spare = 255 * OVERSHOOT if scale == 255 else 0.5
    labels = None
    num_classes = 2
    if label_file:
        labels = _memory_mapped(folder / label_file, "N x H x W x classes, one-hot")
        if labels.shape[3] < 2:
            raise ValueError(
                f"Expected {label_file} to be one-hot, a channel for each of at least 2 classes. Received: shape {labels.shape}. "
                "Class numbers become one-hot with np.eye(number_of_classes)[labels[..., 0]]."
            )
        if labels.shape[:3] != images.shape[:3]:
            raise ValueError(
                f"Expected {label_file} to have a label for each of the {images.shape[0]} images of "
                f"{images.shape[1]} x {images.shape[2]}. Received: shape {labels.shape}"
            )
        num_classes = labels.shape[3]

    def read(index):
        values = np.asarray(images[index], "float32") * scale
        if not (values.min() >= -spare and values.max() <= 255 + spare):  # NaN too
            raise ValueError(
                f"Expected {image_file} to hold images of values 0 to 1 or 0 to 255. Received: image {index} with values "
                f"{values.min() / scale:.3g} to {values.max() / scale:.3g}. Save them as they were before any preprocessing."
            )
        image = np.clip(np.rint(values), 0, 255).astype("uint8")
        if labels is None:
            return image, None
        return image, _class_numbers(np.asarray(labels[index], "float32"), label_file, index)

    names = (
        ("background", "road")
        if num_classes == 2
        else [f"class {number}" for number in range(num_classes)]
    )
    return SegmentationData(read, len(images), names, name=f"lecture files {split}")


def _scale(images) -> int:
    """255 for values 0–1: float files whose first images stay far below 255, a filter's overshoot allowed for; else 1."""
    if not np.issubdtype(images.dtype, np.floating):
        return 1
    first = images[:8]  # what is not finite is said of its own image
    return 255 if np.max(first, initial=0, where=np.isfinite(first)) < 2 else 1


def _class_numbers(one_hot, name: str, index: int) -> np.ndarray:
    """uint8 `(H, W)` of a label map `(H, W, C)`, void where all channels are 0."""
    highest = one_hot.max()
    wrong = None
    if not np.isin(one_hot, (0, highest)).all():  # NaN and negative ones too
        wrong = f"values from {one_hot.min():.3g} to {highest:.3g}, not two alone"
    elif (np.count_nonzero(one_hot, axis=-1) > 1).any():
        wrong = "pixels of several classes"
    if wrong:
        raise ValueError(
            f"Expected {name} to be one-hot, one value in the channel of a pixel's class and 0 elsewhere. Received: label map "
            f"{index} with {wrong}. If the largest channel is meant, np.eye({one_hot.shape[-1]})[labels.argmax(axis=-1)] "
            "makes it so."
        )
    return np.where(one_hot.any(axis=-1), one_hot.argmax(axis=-1), VOID).astype("uint8")


def _memory_mapped(path: Path, layout: str) -> np.ndarray:
    if not path.is_file():
        raise FileNotFoundError(
            f"Expected the lecture's file {path.name} in {path.parent}. Received: no such file"
        )
    try:
        array = np.load(path, mmap_mode="r", allow_pickle=False)
    except (ValueError, OSError, EOFError, zipfile.BadZipFile) as error:
        raise ValueError(
            f"Expected {path} to be an array written by np.save. Received: {error or 'an empty file'}. Was it copied whole?"
        ) from error
    if not isinstance(array, np.ndarray):
        array.close()
        raise ValueError(
            f"Expected {path} to be an array written by np.save. Received: a file of np.savez: {', '.join(array)}"
        )
    if array.ndim == 3 and "one-hot" in layout:
        raise ValueError(
            f"Expected {path} to be {layout}. Received: shape {array.shape}, one number a pixel. If they are class numbers, "
            "np.eye(number_of_classes, dtype='uint8')[labels] makes them one-hot."
        )
    if array.ndim != 4 or 0 in array.shape:
        raise ValueError(f"Expected {path} to be {layout}. Received: shape {array.shape}")
    if array.dtype.kind not in "buif":
        raise ValueError(f"Expected {path} to hold numbers. Received: dtype {array.dtype}")
    return array
