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
