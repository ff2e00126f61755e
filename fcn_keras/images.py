"""Reading and writing picture files. The only place that knows Pillow."""

from pathlib import Path

import numpy as np
from PIL import Image, ImageOps

from fcn_keras.files import written_whole

SUFFIXES = (".png", ".jpg", ".jpeg", ".bmp", ".tif", ".tiff", ".webp")


def read_image(path: str | Path, size: tuple[int, int] | None = None) -> np.ndarray:
    """Reads a picture as RGB, upright as the camera noted it, grey and palette pictures converted.

    Args:
        path: The file.
        size: Height and width to resize to (bilinear), or `None` for the file's own.

    Returns:
        uint8, `(H, W, 3)`, 0–255.

    Raises:
        FileNotFoundError: If nothing is there.
        ValueError: If it is not a picture.
    """
    image = ImageOps.exif_transpose(_open(path)).convert("RGB")
    if size is not None and image.size != size[::-1]:
        image = image.resize(size[::-1], Image.Resampling.BILINEAR)
    return np.asarray(image)


def read_mask(path: str | Path, size: tuple[int, int] | None = None) -> np.ndarray:
    """Reads a label map: the class number of each pixel, as the file holds it.

    Args:
        path: A one-channel file, grey or palette; in a palette file the numbers are the indices.
        size: Height and width to resize to, or `None`. Always nearest neighbour: any other
            interpolation would invent class numbers between two classes.

    Returns:
        uint8, `(H, W)`.

    Raises:
        FileNotFoundError: If nothing is there.
        ValueError: If it is not a picture, or has colours instead of class numbers.
    """
    mask = _open(path)
    if mask.mode == "1":
        mask = mask.convert("L").point(lambda value: value // 255)
    if mask.mode not in ("L", "P"):
        raise ValueError(
            f"Expected {path} to hold class numbers, one 8-bit channel (mode L or P). Received: mode {mask.mode}. "
            "Colours must be turned into class numbers first; JPEG blurs them, so masks belong in PNG."
        )
    if size is not None and mask.size != size[::-1]:
        mask = mask.resize(size[::-1], Image.Resampling.NEAREST)
    return np.asarray(mask)


def write_image(path: str | Path, image: np.ndarray, palette: np.ndarray | None = None) -> None:
    """Writes an RGB picture, or a label map as a palette PNG; the file appears whole or not at all.

    Args:
        path: Where to; the suffix chooses the format.
        image: uint8, `(H, W, 3)` 0–255, `(H, W, 4)` with opacity, or `(H, W)` class numbers.
        palette: uint8 `(classes, 3)`: colours that a viewer shows for class numbers; void is white.
    """
    picture = Image.fromarray(np.ascontiguousarray(image))
    if palette is not None:
        colours = np.full((256, 3), 255, "uint8")
        colours[: len(palette)] = palette
        picture.putpalette(colours.tobytes())
    with written_whole(path) as temporary:
        picture.save(temporary, **({"quality": 92} if Path(path).suffix in (".jpg", ".jpeg") else {}))


def open_in_place(path: str | Path) -> np.ndarray:
    """A picture file that can be cut without reading all of it, where its format allows that.

    Args:
        path: `.npy` or an uncompressed RGB TIFF, 8 bits a channel, in one piece: mapped into memory, whatever its
            size. Any other picture: read whole, as `read_image` does.

    Returns:
        `(H, W, 3)`, 0–255: a read-only `np.memmap`, or an array.

    Raises:
        FileNotFoundError: If nothing is there.
        ValueError: If it is neither.
    """
    path = Path(path)
    if not path.is_file():
        raise FileNotFoundError(f"Expected a picture or .npy file. Received: {path}, which is not there.")
    if path.suffix.lower() == ".npy":
        try:
            return np.load(path, mmap_mode="r", allow_pickle=False)
        except (ValueError, EOFError) as error:
            raise ValueError(f"{path} could not be read as a NumPy array: {error}") from error
    if path.suffix.lower() in (".tif", ".tiff"):
        mapped = _map_tiff(path)
        if mapped is not None:
            return mapped
    return read_image(path)


def _map_tiff(path) -> np.memmap | None:
    """The pixels of a TIFF file in place; `None` if they are compressed, turned, in tiles or not 8-bit RGB."""
    limit, Image.MAX_IMAGE_PIXELS = Image.MAX_IMAGE_PIXELS, None  # nothing is decoded here
    try:
        with Image.open(path) as image:
            columns, rows = image.size
            plain = image.mode == "RGB" and image.getexif().get(0x0112, 1) == 1
            strips = [(box, offset) for codec, box, offset, how in image.tile if codec == "raw" and how[0] == "RGB"]
            plain &= len(strips) == len(image.tile) > 0
    except (OSError, SyntaxError, ValueError):
        return None
    finally:
        Image.MAX_IMAGE_PIXELS = limit
    start = strips[0][1] if plain else 0
    in_one_piece = plain and all(
        left == 0 and right == columns and offset == start + 3 * columns * top for (left, top, right, _), offset in strips
    )
    if not in_one_piece or path.stat().st_size < start + 3 * columns * rows:
        return None
    return np.memmap(path, np.uint8, "r", start, (rows, columns, 3))


def checked_image(image, channels: int) -> np.ndarray:
    """An image as a model wants it.

    Args:
        image: `(H, W, channels)`, 0–255.
        channels: How many the model reads.

    Returns:
        float32, the same shape.

    Raises:
        ValueError: If the shape is another, a value is not a number, or the values look like 0–1 instead of 0–255.
    """
    image = np.asarray(image)
    if image.ndim != 3 or image.shape[2] != channels or 0 in image.shape:
        hint = " One image at a time: take image[0] of a batch." if image.ndim == 4 else ""
        raise ValueError(f"Expected image of shape (height, width, {channels}). Received: shape {image.shape}.{hint}")
    if np.issubdtype(image.dtype, np.floating):
        if not np.isfinite(image).all():
            raise ValueError("Expected image values 0 to 255. Received: NaN or infinity")
        if image.size > 3 * 64 and 0 < image.max() <= 1.0:
            raise ValueError("Expected image values 0 to 255. Received: values up to 1; multiply by 255, the model does the rest")
    return image.astype("float32")


def _open(path) -> Image.Image:
    path = Path(path)
    if not path.is_file():
        raise FileNotFoundError(f"Expected a picture file. Received: {path}, which is not there.")
    try:
        image = Image.open(path)
        image.load()
    except (OSError, SyntaxError, Image.DecompressionBombError) as error:  # Pillow raises SyntaxError for broken PNGs
        raise ValueError(f"{path} could not be read as a picture: {error}") from error
    return image
