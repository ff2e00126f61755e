"""Data sets that lie on disk as picture files: any folder of images and masks, and CamVid."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from fcn_keras.datasets.base import VOID, SegmentationData
from fcn_keras.images import SUFFIXES, read_image, read_mask

CAMVID_CLASSES = (
    "sky", "building", "pole", "road", "pavement", "tree", "sign", "fence", "car", "pedestrian", "bicyclist",
)  # fmt: skip
# The published colours, brightened a little where they drown on a projector
CAMVID_PALETTE = np.array([
    (128, 128, 128), (128, 0, 0), (192, 192, 128), (128, 64, 128), (60, 40, 222), (128, 128, 0),
    (192, 128, 128), (64, 64, 128), (160, 0, 160), (230, 110, 0), (0, 128, 192),
])  # fmt: skip


def image_folder(
    images: str | Path,
    masks: str | Path,
    class_names: Sequence[str],
    void: int | None = None,
    palette: np.ndarray | None = None,
    size: tuple[int, int] | None = None,
) -> SegmentationData:
    """A folder of pictures and a folder of label maps with the same file names.

    Args:
        images: Folder of pictures, any format Pillow reads.
        masks: Folder of one-channel files whose pixels are class numbers; `street.png` belongs to `street.jpg`.
        class_names: A name per class number, from 0 up.
        void: The number that the files use for "do not score"; it becomes 255. 255 always is void.
        palette: uint8 `(classes, 3)`, or `None` for the default colours.
        size: Height and width to bring every picture to (images bilinear, masks nearest
            neighbour), or `None` to leave them as they are.

    Returns:
        `SegmentationData`, read lazily, sorted by name.

    Raises:
        FileNotFoundError: If a folder is missing or has no pictures, or a picture has no mask.
        ValueError: When an item is read whose mask does not fit its image or holds unknown numbers.
    """
    image_files, mask_files = _pictures(images), _pictures(masks)
    unlabelled = sorted(set(image_files) - set(mask_files))
    if unlabelled:
        raise FileNotFoundError(
            f"Expected a mask in {masks} for every picture in {images}. "
            f"Received: none for {', '.join(unlabelled[:5])}{' …' if len(unlabelled) > 5 else ''} ({len(unlabelled)} in all)"
        )
    pairs = [(image_files[stem], mask_files[stem]) for stem in sorted(image_files)]
    class_names = tuple(class_names)

    def read(index):
        image_path, mask_path = pairs[index]
        image, mask = read_image(image_path, size), read_mask(mask_path, size)
        return image, checked_mask(mask, image, len(class_names), void, mask_path)

    return SegmentationData(read, len(pairs), class_names, palette, Path(images).name)


def camvid(folder: str | Path, split: str = "train") -> SegmentationData:
    """CamVid in the SegNet tutorial's layout: `train/`, `trainannot/`, `val/`, `valannot/` (`test/`, `testannot/`).

    Args:
        folder: The folder that holds them.
        split: `"train"`, `"val"`, or `"test"` where it is there.

    Returns:
        `SegmentationData`, 11 classes; the files' 11 is void.

    Raises:
        FileNotFoundError: If the split's folders are not there.
    """
    folder = Path(folder)
    data = image_folder(folder / split, folder / f"{split}annot", CAMVID_CLASSES, void=11, palette=CAMVID_PALETTE)
    data.name = f"CamVid {split}"
    return data


def checked_mask(mask, image, num_classes: int, void: int | None, path) -> np.ndarray:
    """Turns a file's void number into 255, and refuses a mask that does not fit.

    Raises:
        ValueError: If its size is not the image's, or it holds a number that is neither class nor void.
    """
    if mask.shape != image.shape[:2]:
        raise ValueError(
            f"Expected {path} to have the size of its image, {image.shape[0]} x {image.shape[1]}. "
            f"Received: {mask.shape[0]} x {mask.shape[1]}"
        )
    if void is not None:
        mask = np.where(mask == void, VOID, mask).astype("uint8")
    present = np.unique(mask)
    unknown = present[(present >= num_classes) & (present != VOID)]
    if len(unknown):
        raise ValueError(
            f"Expected {path} to hold class numbers 0 to {num_classes - 1}, and {VOID} for void. "
            f"Received: {', '.join(map(str, unknown[:8]))}. If one of them means 'do not score', pass void=…; "
            "blends of class numbers come from resizing a mask with interpolation: make it again with nearest neighbour."
        )
    return mask


def _pictures(folder) -> dict[str, Path]:
    folder = Path(folder)
    if not folder.is_dir():
        raise FileNotFoundError(f"Expected a folder of pictures. Received: {folder}, which is not there.")
    files = {path.stem: path for path in sorted(folder.iterdir()) if path.suffix.lower() in SUFFIXES}
    if not files:
        raise FileNotFoundError(f"Expected pictures ({', '.join(SUFFIXES)}) in {folder}. Received: none")
    return files
