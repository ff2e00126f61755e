"""The lecture's own three `.npy` files, used without conversion."""

import zipfile
from pathlib import Path
from typing import Literal

import numpy as np

from fcn_keras.datasets.base import SegmentationData
from fcn_keras.datasets.regrouping import BACKGROUND
from fcn_keras.support.kinds import File, checked
from fcn_keras.support.labels import VOID

FILES = {"train": ("images_training.npy", "seg_training.npy"), "test": ("images_testing.npy", None)}
OVERSHOOT = 0.1  # how far beyond 0–1 a resizing filter may reach


@checked
def lecture_files(folder: File, split: Literal["train", "test"] = "train") -> SegmentationData:
    """`images_training.npy` with `seg_training.npy`, or `images_testing.npy` without labels.

    The files stay on disk (memory-mapped). Images of values 0–1 (or a tenth beyond) become 0–255.
    Labels are one-hot, N × H × W × C. A pixel that belongs to no class (all zeros) is void.

    Args:
        folder: The folder of the files.
        split: `"train"` (labelled) or `"test"` (its masks are `None`).

    Returns:
        `SegmentationData`; two channels are named background and road, as in the lecture.

    Raises:
        FileNotFoundError: If a file is missing.
        ValueError: If the split is unknown, or a file is not an array of the right shape; when an
            item is read whose values are of neither range, or whose labels are not one-hot.
    """
    image_file, label_file = FILES[split]
    images = _images(Path(folder) / image_file)
    labels = _labels(Path(folder) / label_file, images.shape) if label_file else None
    scale = _scale(images)

    def read(index):
        image = _image(images[index], scale, image_file, index)
        if labels is None:
            return image, None
        return image, _class_numbers(np.asarray(labels[index], "float32"), label_file, index)

    num_classes = 2 if labels is None else labels.shape[3]
    names = [f"class {number}" for number in range(num_classes)]
    if num_classes == 2:
        names = [BACKGROUND, "road"]
    return SegmentationData(read, len(images), names, name=f"lecture files {split}")


def _images(path: Path) -> np.ndarray:
    images = _memory_mapped(path, "N x H x W x 3")
    if images.shape[3] != 3:
        raise ValueError(
            f"Expected RGB images, N x H x W x 3, in {path.name}. Received: shape {images.shape}"
        )
    return images


def _labels(path: Path, image_shape: tuple[int, ...]) -> np.ndarray:
    labels = _memory_mapped(path, "N x H x W x classes, one-hot")
    if labels.shape[3] < 2:
        raise ValueError(
            f"Expected {path.name} to be one-hot, a channel for each of at least 2 classes. "
            f"Received: shape {labels.shape}. "
            "Class numbers become one-hot with np.eye(number_of_classes)[labels[..., 0]]."
        )
    if labels.shape[:3] != image_shape[:3]:
        count, height, width, _ = image_shape
        raise ValueError(
            f"Expected {path.name} to have a label for each of the {count} images of "
            f"{height} x {width}. Received: shape {labels.shape}"
        )
    return labels


def _scale(images: np.ndarray) -> int:
    """What brings the images to 0–255: 255 if the first ones are 0–1, else 1."""
    if not np.issubdtype(images.dtype, np.floating):
        return 1
    first = images[:8]  # NaN or infinity is reported when its own image is read
    return 255 if np.max(first, initial=0, where=np.isfinite(first)) < 2 else 1


def _image(stored: np.ndarray, scale: int, name: str, index: int) -> np.ndarray:
    """uint8 `(H, W, 3)`, 0–255."""
    values = np.asarray(stored, "float32") * scale
    tolerance = 255 * OVERSHOOT if scale == 255 else 0.5
    if not (values.min() >= -tolerance and values.max() <= 255 + tolerance):  # NaN too
        low, high = values.min() / scale, values.max() / scale
        raise ValueError(
            f"Expected {name} to hold images of values 0 to 1 or 0 to 255. "
            f"Received: image {index} with values {low:.3g} to {high:.3g}. "
            "Save them as they were before any preprocessing."
        )
    return np.clip(np.rint(values), 0, 255).astype("uint8")


def _class_numbers(one_hot: np.ndarray, name: str, index: int) -> np.ndarray:
    """uint8 `(H, W)` of a label map `(H, W, C)`, void where all channels are 0."""
    highest = one_hot.max()
    found = None
    if not np.isin(one_hot, (0, highest)).all():  # NaN and negative ones too
        found = f"values from {one_hot.min():.3g} to {highest:.3g}, and not only two"
    elif (np.count_nonzero(one_hot, axis=-1) > 1).any():
        found = "pixels of several classes"
    if found:
        raise ValueError(
            f"Expected {name} to be one-hot: one value in the channel of a pixel's class, 0 in the "
            f"others. Received: label map {index} with {found}. If the largest channel is meant, "
            f"save np.eye({one_hot.shape[-1]})[labels.argmax(axis=-1)]."
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
            f"Expected {path} to be an array written by np.save. "
            f"Received: {error or 'an empty file'}. Was it copied whole?"
        ) from error
    if not isinstance(array, np.ndarray):
        array.close()
        raise ValueError(
            f"Expected {path} to be an array written by np.save. "
            f"Received: a file of np.savez: {', '.join(array)}"
        )
    if array.ndim == 3 and "one-hot" in layout:
        raise ValueError(
            f"Expected {path} to be {layout}. Received: shape {array.shape}, one number per pixel. "
            "If they are class numbers, np.eye(number_of_classes, dtype='uint8')[labels] makes "
            "them one-hot."
        )
    if array.ndim != 4 or 0 in array.shape:
        raise ValueError(f"Expected {path} to be {layout}. Received: shape {array.shape}")
    if array.dtype.kind not in "buif":
        raise ValueError(f"Expected {path} to hold numbers. Received: dtype {array.dtype}")
    return array
