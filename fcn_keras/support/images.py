"""Reading and writing picture files. The only place that knows Pillow."""

import contextlib
import io
import struct
import threading
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image, PngImagePlugin

from fcn_keras.support import arguments, memory
from fcn_keras.support.files import written_whole

SUFFIXES = (".png", ".jpg", ".jpeg", ".bmp", ".tif", ".tiff", ".webp")
ORIENTATION = 0x0112  # the Exif tag for the way up
NOTE = "fcn_keras"  # the name of our note in a PNG file
STORED_WIDTH, STORED_HEIGHT = (
    0x0100,
    0x0101,
)  # TIFF's tags; Pillow gives the size as shown, for this format alone
UPRIGHT = {  # what to do with a picture of each orientation
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
BROKEN = (
    OSError,
    SyntaxError,
    ValueError,
    TypeError,
    LookupError,
    EOFError,
    struct.error,
)  # Pillow's, for damaged files


@dataclass(frozen=True)
class PictureFile:
    """What a picture file says of itself at its beginning; its pixels are not read for this."""

    height: int  # as stored
    width: int
    mode: str  # Pillow's: RGB, L (grey), P (palette), RGBA, CMYK, I;16 …
    bits: int  # of each channel
    format: str  # PNG, JPEG …
    frames: int  # pictures in the file: pages of a TIFF, steps of an animation
    turn: int  # Exif's orientation: 1 upright, 3 upside down, 6 and 8 on the side …

    @property
    def upright(self) -> tuple[int, int]:
        """Height and width as a viewer shows it."""
        return (self.width, self.height) if self.turn >= 5 else (self.height, self.width)


def examine(path: str | Path) -> PictureFile:
    """Reads a picture file's beginning: size, channels, which way up.

    Raises:
        TypeError: If `path` is no path.
        FileNotFoundError: If nothing is there.
        ValueError: If it is not a picture.
    """
    with _opened(path) as image:
        codec = image.tile[0][3] if image.tile else ""
        raw = codec if isinstance(codec, str) else str(codec[0] if codec else "")
        deep = (
            image.mode.startswith("I")
            or image.mode == "F"
            or raw.endswith((";16B", ";16L", ";16N"))
        )
        try:
            tags = getattr(image, "tag_v2", {})
            width, height = (
                tags.get(STORED_WIDTH, image.width),
                tags.get(STORED_HEIGHT, image.height),
            )
            frames = getattr(image, "n_frames", 1)
        except BROKEN as error:
            raise _unreadable(path, error) from error
        return PictureFile(
            height, width, image.mode, 16 if deep else 8, image.format, frames, _turn(image)
        )


def read_image(path: str | Path, size: tuple[int, int] | None = None) -> np.ndarray:
    """Reads a picture as RGB, upright as the camera noted it, grey and palette pictures converted.

    Args:
        path: The file.
        size: Height and width to resize to (bilinear), or `None` for the file's own.

    Returns:
        uint8, `(H, W, 3)`, 0–255.

    Raises:
        TypeError: If `path` is no path.
        FileNotFoundError: If nothing is there.
        ValueError: If it is not a picture, or one whose values would have to be guessed: more than 8 bits a channel, or
            transparent pixels.
        MemoryError: If its pixels, or those of `size`, need more memory than is free; said before they are read.
    """
    size = _size(path, size, 3)
    with _opened(path) as image:
        if image.mode.startswith("I") or image.mode == "F":
            raise ValueError(
                f"Expected a picture of 8 bits a channel. Received: {path} of mode {image.mode}. Which of its values is white "
                "has to be said: (values / white * 255).clip(0, 255).astype('uint8'), and save that."
            )
        image = _loaded(image, path)
        turn = _turn(image)
        if turn in UPRIGHT:
            image = image.transpose(UPRIGHT[turn])
        if (
            image.has_transparency_data
            and image.convert("RGBA").getchannel("A").getextrema()[0] < 255
        ):
            raise ValueError(
                f"Expected a picture with a colour at every pixel. Received: {path}, which is transparent in places. Put it "
                "on a background: PIL.Image.alpha_composite(background, picture), both RGBA, then .convert('RGB')."
            )
        image = image.convert("RGB")
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
        TypeError, FileNotFoundError, MemoryError: As `read_image`.
        ValueError: If it is not a picture, or has colours instead of class numbers.
    """
    size = _size(path, size, 1)
    with _opened(path) as mask:
        if mask.mode not in ("1", "L", "P"):
            raise ValueError(
                f"Expected {path} to hold class numbers, one 8-bit channel (mode L or P). Received: mode {mask.mode}. "
                "If its colours stand for classes, say which: image_folder(…, colours={'road': (128, 64, 128), …}), or the "
                "colours in classes.txt. JPEG blurs them, so masks belong in PNG."
            )
        mask = _loaded(mask, path)
        if mask.mode == "1":
            mask = mask.convert("L").point(lambda value: value // 255)
        return np.asarray(_resized_mask(mask, size))


def read_colours(path: str | Path, size: tuple[int, int] | None = None) -> np.ndarray:
    """Reads a label map whose colours stand for classes, every colour as it is.

    Args, errors but for the mode: as `read_mask`.

    Returns:
        uint8, `(H, W, 3)`.
    """
    size = _size(path, size, 3)
    with _opened(path) as mask:
        if mask.mode.startswith("I") or mask.mode == "F":
            raise ValueError(
                f"Expected {path} to hold colours of 8 bits a channel. Received: mode {mask.mode}"
            )
        return np.asarray(_resized_mask(_loaded(mask, path).convert("RGB"), size))


def _size(path, size, channels):
    """A size to resize to, if there is memory for it: Pillow's picture and the array."""
    if size is None:
        return None
    height, width = arguments.size("size", size)
    memory.require(
        height * width * channels * 2,
        f"{path}, resized to {height} x {width} pixels,",
        "Choose a smaller size.",
    )
    return height, width


def _resized_mask(mask, size):
    return (
        mask
        if size is None or mask.size == size[::-1]
        else mask.resize(size[::-1], Image.Resampling.NEAREST)
    )


def thumbnail(image: np.ndarray, side: int) -> np.ndarray:
    """A picture as `side` × `side` shades of grey, each the mean of its part of the picture; uint8."""
    return np.asarray(
        Image.fromarray(np.ascontiguousarray(image))
        .convert("L")
        .resize((side, side), Image.Resampling.BOX)
    )


def write_image(
    path: str | Path, image: np.ndarray, palette: np.ndarray | None = None, note: str = ""
) -> None:
    """Writes an RGB picture, or a label map as a palette PNG; the file appears whole or not at all.

    Args:
        path: Where to; the suffix chooses the format.
        image: uint8, `(H, W, 3)` 0–255, `(H, W, 4)` with opacity, or `(H, W)` class numbers.
        palette: uint8 `(classes, 3)`: colours that a viewer shows for class numbers; void is white.
        note: A line that a PNG file keeps beside its pixels; `note_in` reads it.

    Raises:
        TypeError: If `path` is no path.
        ValueError: If the image is of another kind or shape, or the suffix is not one that keeps it.
        OSError: If it cannot be written there.
    """
    path = arguments.path("path", path)
    image = arguments.array(
        "image", image, (2, 3), "uint8, (H, W) class numbers or (H, W, 3) RGB 0–255"
    )
    if image.dtype != np.uint8 or (image.ndim == 3 and image.shape[2] not in (3, 4)):
        raise ValueError(
            f"Expected image to be uint8, (H, W) or (H, W, 3). {arguments.received('image', image)}. "
            "np.clip(np.rint(image), 0, 255).astype('uint8') makes it so."
        )
    if path.suffix.lower() not in SUFFIXES:
        raise ValueError(f"Expected path to end in one of {', '.join(SUFFIXES)}. Received: {path}")
    if image.ndim == 2 and path.suffix.lower() in (".jpg", ".jpeg", ".webp"):
        raise ValueError(
            f"Expected a label map to be written as .png, which keeps every number. Received: {path}"
        )
    if palette is not None and image.ndim == 3:
        raise ValueError(
            "Expected palette with class numbers (H, W) alone. Received: one with an image that has its own colours"
        )
    picture = Image.fromarray(np.ascontiguousarray(image))
    if palette is not None:
        palette = arguments.palette("palette", palette)
        colours = np.full((256, 3), 255, "uint8")
        colours[: len(palette)] = palette
        picture.putpalette(colours.tobytes())
    # Pillow, writing to a file itself, passes over a disk that becomes full; Python does not.
    content, about = io.BytesIO(), PngImagePlugin.PngInfo()
    if note:
        about.add_text(NOTE, note)
    # Each format takes what it knows of: JPEG the quality, PNG the note.
    picture.save(
        content, Image.registered_extensions()[path.suffix.lower()], quality=92, pnginfo=about
    )
    with written_whole(path) as temporary:
        temporary.write_bytes(content.getvalue())


def note_in(path: str | Path) -> str:
    """The note that `write_image` put into a PNG file; `""` if there is none, or no such picture."""
    try:
        with _opened(path) as image:
            return image.info.get(NOTE, "")
    except (OSError, ValueError):
        return ""


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
    path = arguments.path("path", path)
    if not path.is_file():
        raise FileNotFoundError(
            f"Expected a picture or .npy file. Received: {path}, which is not there."
        )
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
    try:
        with _no_pixel_limit, Image.open(path) as image:
            columns, rows = image.size
            plain = image.mode == "RGB" and _turn(image) == 1
            strips = [
                (box, offset)
                for codec, box, offset, how in image.tile
                if codec == "raw" and how[0] == "RGB"
            ]
            plain &= len(strips) == len(image.tile) > 0
    except BROKEN:
        return None
    start = strips[0][1] if plain else 0
    in_one_piece = plain and all(
        left == 0 and right == columns and offset == start + 3 * columns * top
        for (left, top, right, _), offset in strips
    )
    if not in_one_piece or path.stat().st_size < start + 3 * columns * rows:
        return None
    return np.memmap(path, np.uint8, "r", start, (rows, columns, 3))


@contextlib.contextmanager
def _opened(path):
    """The file as Pillow knows it before any pixel is read."""
    path = arguments.path("path", path)
    if not path.is_file():
        what = "a folder" if path.is_dir() else "not there"
        raise FileNotFoundError(f"Expected a picture file. Received: {path}, which is {what}.")
    with _no_pixel_limit:
        try:
            image = Image.open(path)
        except PermissionError:
            raise
        except BROKEN as error:
            raise _unreadable(path, error) from error
        with image:
            yield image  # a TIFF is measured again when its pixels are read


def _turn(image) -> int:
    """Exif's orientation, 1 to 8, from what is read of the file so far; 1 where Exif is damaged, as viewers show it."""
    try:
        # PNG's own `getexif` would decode the pixels to look behind them
        tags = image.tag_v2 if hasattr(image, "tag_v2") else Image.Image.getexif(image)
        turn = tags.get(ORIENTATION, 1)
    except BROKEN:
        return 1
    return turn if turn in range(1, 9) else 1


def _loaded(image, path):
    """With its pixels, if there is memory for them; Pillow's own and the array made of them are both counted."""
    pixels = image.width * image.height
    memory.require(
        pixels * (2 * 3 + len(image.getbands())),
        f"{path} ({image.height} x {image.width} pixels), read whole,",
        "Make it smaller, or label it tile by tile: segment --tile auto reads .npy and uncompressed .tif in place.",
    )
    try:
        image.load()
    except BROKEN as error:
        raise _unreadable(path, error, ". Was it copied whole?") from error
    return image


def _unreadable(path, error, hint="") -> ValueError:
    text = str(error).replace(f"'{path}'", "it").replace(repr(str(path)), "it")
    return ValueError(f"{path} could not be read as a picture: {text}{hint}")


class _NoPixelLimit:
    """Pillow guesses from 179 million pixels up that a picture is an attack; here the memory that is free decides.

    The limit is Pillow's for the whole process: the first thread that reads takes it away, the last one puts it back.
    """

    def __init__(self):
        self.readers, self.limit, self.lock = 0, None, threading.Lock()

    def __enter__(self):
        with self.lock:
            if not self.readers:
                self.limit, Image.MAX_IMAGE_PIXELS = Image.MAX_IMAGE_PIXELS, None
            self.readers += 1

    def __exit__(self, *error):
        with self.lock:
            self.readers -= 1
            if not self.readers:
                Image.MAX_IMAGE_PIXELS = self.limit


_no_pixel_limit = _NoPixelLimit()
