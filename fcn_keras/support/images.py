"""Reading and writing picture files. The only place that knows Pillow."""

import base64
import contextlib
import io
import math
import struct
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import numpy as np
from PIL import Image, PngImagePlugin, TiffImagePlugin

from fcn_keras.support import arguments, deep_images, fitness, memory
from fcn_keras.support import samples as stored
from fcn_keras.support.files import written_whole
from fcn_keras.support.fitness import Unfit
from fcn_keras.support.kinds import Bands, File, Kind, Palette, Scale, Size, checked
from fcn_keras.support.samples import Samples

SUFFIXES = (".png", ".jpg", ".jpeg", ".bmp", ".tif", ".tiff", ".webp")
LOSSY = (".jpg", ".jpeg", ".webp")
DEPTH_UNKNOWN = ("AVIF", "JPEG2000")  # Pillow makes 8 bits of them and does not say of how many
ORIENTATION = 0x0112  # Exif's tag
STRIP_BYTES = 2**26  # of a large picture, resized at a time
NOTE = "fcn_keras"  # the name of our note in a PNG file
# TIFF's tags for the size as stored. For TIFF alone, Pillow reports the size as shown.
STORED_WIDTH, STORED_HEIGHT = 0x0100, 0x0101
UPRIGHT = {  # how to turn a picture of each orientation upright
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
# What Pillow raises for damaged files
BROKEN = (OSError, SyntaxError, ValueError, TypeError, LookupError, EOFError, struct.error)

Writable = Annotated[
    np.ndarray,
    Kind(
        "uint8, (H, W) class numbers or (H, W, 3) RGB",
        arguments.array,
        dimensions=(2, 3),
        layout="uint8, (H, W) class numbers or (H, W, 3) RGB 0–255",
    ),
]


@dataclass(frozen=True)
class PictureFile:
    """What the beginning of a picture file says. No pixels are read for this."""

    height: int  # as stored
    width: int
    mode: str  # Pillow's: RGB, L (grey), P (palette), RGBA, CMYK, I;16 …; "" if it reads no pixels
    samples: Samples
    format: str  # PNG, JPEG …
    frames: int  # pictures in the file: pages of a TIFF, frames of an animation
    turn: int  # Exif's orientation: 1 upright, 3 upside down, 6 and 8 on the side …

    @property
    def upright(self) -> tuple[int, int]:
        """Height and width as a viewer shows it."""
        return (self.width, self.height) if self.turn >= 5 else (self.height, self.width)


@checked
def examine(path: File) -> PictureFile:
    """Reads the beginning of a picture file: size, channels, orientation.

    Raises:
        TypeError: If `path` is not a path.
        FileNotFoundError: If there is no such file.
        ValueError: If it is not a picture.
    """
    header = _not_for_pillow(path)
    if header is not None:
        return _described(header)
    with _opened(path) as image:
        try:
            return _described(image)
        except BROKEN as error:
            raise _unreadable(path, error) from error


def _described(image) -> PictureFile:
    tags = getattr(image, "tag_v2", {})
    return PictureFile(
        height=tags.get(STORED_HEIGHT, image.height),
        width=tags.get(STORED_WIDTH, image.width),
        mode=image.mode,
        samples=stored.of(image),
        format=image.format or "",
        frames=getattr(image, "n_frames", 1),
        turn=_turn(image),
    )


class _TiffHeader:
    """The tags of a TIFF file. Raises one of `BROKEN` if it is none."""

    mode, format = "", "TIFF"

    def __init__(self, path):
        with open(path, "rb") as file:
            start = file.read(8)
            if start[2:3] == b"\x2b":  # a large TIFF
                start += file.read(8)
            self.tag_v2 = TiffImagePlugin.ImageFileDirectory_v2(start)
            file.seek(self.tag_v2.next)
            self.tag_v2.load(file)
        self.width, self.height = self.tag_v2[STORED_WIDTH], self.tag_v2[STORED_HEIGHT]


@checked
def read_image(
    path: File, size: Size | None = None, bands: Bands | None = None, scale: Scale | None = None
) -> np.ndarray:
    """Reads a picture as RGB. Turned pictures are set upright, grey and palette ones converted.

    Args:
        path: The file.
        size: Height and width to resize to (bilinear), or `None` for the file's own.
        bands: Which of the file's bands become red, green and blue, counted from 0: `(2, 1, 0)` for
            blue, green, red, near infrared. `None`: the file has no others.
        scale: The values that become 0 and 255, for files of more than 8 bits: `(0, 3000)`.

    Returns:
        uint8, `(H, W, 3)`, 0–255.

    Raises:
        TypeError: If `path` is not a path.
        FileNotFoundError: If there is no such file.
        ValueError: If it is not a picture, or one whose colours are not certain: it has more than 8
            bits per channel and no `scale` is given, or more bands and no `bands`, or transparent
            pixels.
        ModuleNotFoundError: If `tifffile` is needed for its bits or bands, and not installed.
        MemoryError: If its pixels, or those of `size`, need more memory than is free. This is known
            before they are read.
    """
    _require_memory_for(path, size, channels=3)
    if bands is not None or scale is not None:
        chosen = _chosen_bands(path, bands, scale)
        return np.asarray(_resized(chosen, size, Image.Resampling.BILINEAR))
    with _opened(path, fitness.require_picture) as image:
        if _has_clear_pixels(_loaded(image, path)):
            fitness.refuse_transparent(path, image.format)
        image = _upright(image, _turn(image))
        return np.asarray(_resized(image.convert("RGB"), size, Image.Resampling.BILINEAR))


def _chosen_bands(path, bands, scale):
    """Three bands of a picture, scaled to 0–255 and set upright."""
    about = examine(path)
    fitness.require_choice(path, about.samples, bands, scale)
    one_band = about.mode == "F" or about.mode.startswith("I")  # Pillow reads it with all its bits
    many = about.format == "TIFF" and about.samples.bands not in (1, 3)
    if not about.mode or many or (about.samples.deep and not one_band):
        pixels = about.height * about.width * about.samples.bands
        memory.require(pixels * (about.samples.bits // 8 + 8), f"{path}, read whole,", "Crop it.")
        found, turn = deep_images.read_bands(Path(path), about.format), about.turn
    else:
        with _opened(path) as image:
            image = _loaded(image, path)
            if image.mode not in ("L", "LA", "RGB", "RGBA") and not one_band:
                image = image.convert("RGB")
            found, turn = np.atleast_3d(np.asarray(image)), _turn(image)
    if bands is None:
        bands = (0, 1, 2) if found.shape[-1] > 2 else (0, 0, 0)
    chosen = deep_images.as_bytes(path, found[..., bands], scale)
    return _upright(Image.fromarray(chosen), turn)


def _upright(image, turn: int):
    return image.transpose(UPRIGHT[turn]) if turn in UPRIGHT else image


@checked
def read_mask(path: File, size: Size | None = None) -> np.ndarray:
    """Reads a label map: the class number of each pixel, as the file holds it.

    Args:
        path: A file of one band, grey or palette. In a palette file the indices are the numbers. In
            a grey file of 1, 2, 4 or 16 bits they are the numbers stored, not the shades shown. An
            RGB file counts as grey if its three channels are equal.
        size: Height and width to resize to, or `None`. Always nearest neighbour: any other
            interpolation would invent class numbers between two classes.

    Returns:
        uint8, `(H, W)`.

    Raises:
        TypeError, FileNotFoundError, MemoryError: As `read_image`.
        ValueError: If it is not a picture, is a JPEG or WebP file, which change values, has colours
            instead of class numbers, or a number that is not 0 to 255.
    """
    _require_memory_for(path, size, channels=1)
    with _opened(path, fitness.require_one_kind) as mask:
        fitness.require_exact(path, mask.format)
        samples = stored.of(mask)
        mask = _loaded(mask, path)
        if mask.mode in ("LA", "RGB", "RGBA") and _is_grey(mask):
            numbers = np.ascontiguousarray(np.asarray(mask)[..., 0])
        else:
            fitness.require_numbers(path, samples)
            numbers = _numbers(mask, samples, path)
        resized = _resized(Image.fromarray(numbers), size, Image.Resampling.NEAREST)
        return np.asarray(resized)


def _is_grey(mask) -> bool:
    """Whether the colours of every pixel are one number, and it is opaque."""
    pixels = np.asarray(mask)
    colours = pixels[..., : 1 if mask.mode == "LA" else 3]
    return bool((colours == colours[..., :1]).all()) and not _has_clear_pixels(mask)


def _numbers(mask, samples: Samples, path) -> np.ndarray:
    """The numbers stored for the pixels. Pillow scales those of fewer than 8 bits to 0–255."""
    pixels = np.asarray(mask.convert("L") if mask.mode == "1" else mask)
    if pixels.dtype != np.uint8:
        fitness.require_bytes(path, samples, int(pixels.min()), int(pixels.max()))
        return pixels.astype("uint8")
    if mask.mode == "P" or samples.white == 255:
        return pixels
    return ((pixels.astype("uint16") * samples.white + 127) // 255).astype("uint8")


@checked
def read_colours(path: File, size: Size | None = None) -> np.ndarray:
    """Reads a label map whose colours stand for classes. No colour is changed.

    Args and errors: as `read_mask`, but any mode of 8 bits per channel is read.

    Returns:
        uint8, `(H, W, 3)`.
    """
    _require_memory_for(path, size, channels=3)
    with _opened(path, fitness.require_colours) as mask:
        fitness.require_exact(path, mask.format)
        mask = _loaded(mask, path)
        mask.info.pop("transparency", None)  # Pillow would warn that RGB has none
        return np.asarray(_resized(mask.convert("RGB"), size, Image.Resampling.NEAREST))


@checked
def is_transparent(path: File) -> bool:
    """Whether a picture has pixels that are not opaque. Errors: as `read_mask`."""
    with _opened(path) as image:
        return _has_clear_pixels(_loaded(image, path))


def _has_clear_pixels(image) -> bool:
    if not image.has_transparency_data:
        return False
    lowest_opacity, _ = image.convert("RGBA").getchannel("A").getextrema()
    return lowest_opacity < 255


def _require_memory_for(path, size, channels: int) -> None:
    """Refuses a size that does not fit in memory twice: as Pillow's picture and as the array."""
    if size is not None:
        height, width = size
        memory.require(
            height * width * channels * 2,
            f"{path}, resized to {height} x {width} pixels,",
            "Choose a smaller size.",
        )


def _resized(image, size, resampling):
    if size is None:
        return image
    height, width = size
    return image if image.size == (width, height) else image.resize((width, height), resampling)


def resized(image: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """Resizes an array bilinearly, as `read_image(path, size)` resizes a file.

    It is read in strips, so that a `np.memmap` need not fit in memory.

    Args:
        image: `(H, W, channels)`, 0–255, of any number type.
        size: Height h and width w.

    Returns:
        uint8, `(h, w, channels)`.
    """
    (height, width), channels = size, image.shape[2]
    scale = image.shape[0] / height
    reach = math.ceil(max(scale, 1)) + 1  # how far above and below a row its pixels lie
    rows = max(1, int(STRIP_BYTES / (image[0].nbytes * scale)))
    found = np.empty((height, width, channels), "uint8")
    for top in range(0, height, rows):
        bottom = min(top + rows, height)
        first = max(int(top * scale) - reach, 0)
        strip = np.asarray(image[first : math.ceil(bottom * scale) + reach])
        if strip.dtype != np.uint8:
            arguments.image_values("image", strip, whole=False)
            strip = np.rint(strip).astype("uint8")
        box = (0, top * scale - first, image.shape[1], bottom * scale - first)
        for channel in range(channels):
            grey = Image.fromarray(np.ascontiguousarray(strip[..., channel]))
            smaller = grey.resize((width, bottom - top), Image.Resampling.BILINEAR, box)
            found[top:bottom, :, channel] = np.asarray(smaller)
    return found


def nearest(labels: np.ndarray, size: tuple[int, int], part: slice = slice(None)) -> np.ndarray:
    """Resizes `(h, w, …)` to `(H, W, …)` by nearest neighbour, as `read_mask` resizes a file.

    Args:
        labels: Any array.
        size: Height H and width W.
        part: The rows of the result to compute.
    """
    if labels.shape[:2] == tuple(size):
        return labels[part]
    rows, columns = (
        ((np.arange(new) + 0.5) * old / new).astype(int)
        for new, old in zip(size, labels.shape[:2], strict=True)
    )
    return labels[rows[part, None], columns]


def thumbnail(image: np.ndarray, side: int) -> np.ndarray:
    """A picture as `side` × `side` shades of grey, each the mean of its part; uint8."""
    grey = Image.fromarray(np.ascontiguousarray(image)).convert("L")
    return np.asarray(grey.resize((side, side), Image.Resampling.BOX))


@checked
def write_image(
    path: File, image: Writable, palette: Palette | None = None, note: str = ""
) -> None:
    """Writes an RGB picture, or a label map as a palette PNG. No half-written file is ever seen.

    Args:
        path: The file to write. The suffix chooses the format.
        image: uint8, `(H, W, 3)` 0–255, `(H, W, 4)` with opacity, or `(H, W)` class numbers.
        palette: uint8 `(classes, 3)`: colours that a viewer shows for class numbers; void is white.
        note: A line of text stored in a PNG file beside the pixels; `note_in` reads it.

    Raises:
        TypeError: If `path` is not a path.
        ValueError: If the image has another type or shape, or the suffix's format cannot keep it.
        OSError: If it cannot be written.
    """
    path = Path(path)
    if image.dtype != np.uint8 or (image.ndim == 3 and image.shape[2] not in (3, 4)):
        raise ValueError(
            "Expected image to be uint8, (H, W) or (H, W, 3). "
            f"{arguments.received('image', image)}. "
            "np.clip(np.rint(image), 0, 255).astype('uint8') converts it."
        )
    suffix = path.suffix.lower()
    if suffix not in SUFFIXES:
        raise ValueError(f"Expected path to end in one of {', '.join(SUFFIXES)}. Received: {path}")
    if image.ndim == 2 and suffix in LOSSY:
        raise ValueError(
            "Expected a label map to be written as .png, which keeps every number. "
            f"Received: {path}"
        )
    if palette is not None and image.ndim == 3:
        raise ValueError(
            "Expected palette only with class numbers (H, W). "
            "Received: a palette, and an image that has its own colours"
        )
    picture = Image.fromarray(np.ascontiguousarray(image))
    if palette is not None:
        colours = np.full((256, 3), 255, "uint8")
        colours[: len(palette)] = palette
        picture.putpalette(colours.tobytes())
    about = PngImagePlugin.PngInfo()
    if note:
        about.add_text(NOTE, note)
    # Python reports a disk that fills up; Pillow, writing to a file itself, does not.
    with written_whole(path) as temporary:
        temporary.write_bytes(_encoded(picture, suffix, about))


def data_url(image: Writable, suffix: str) -> str:
    """A picture or a label map as text that a web page shows.

    Args:
        image: As at `write_image`.
        suffix: `".jpg"` for a picture, `".png"` for class numbers.
    """
    content = _encoded(Image.fromarray(np.ascontiguousarray(image)), suffix)
    kind = Image.registered_extensions()[suffix].lower()
    return f"data:image/{kind};base64,{base64.b64encode(content).decode()}"


def _encoded(picture, suffix: str, about=None) -> bytes:
    """The content of a file. Each format takes the options that it knows: JPEG the quality, PNG
    the note."""
    content = io.BytesIO()
    kind = Image.registered_extensions()[suffix]
    picture.save(content, kind, quality=92, pnginfo=about)
    return content.getvalue()


def note_in(path: str | Path) -> str:
    """The note that `write_image` stored in a PNG file; `""` if there is no note or no picture."""
    try:
        with _opened(path) as image:
            return image.info.get(NOTE, "")
    except (OSError, ValueError):
        return ""


@checked
def open_in_place(path: File, bands: Bands | None = None, scale: Scale | None = None) -> np.ndarray:
    """Opens a picture so that parts of it can be read alone, where its format allows that.

    Args:
        path: `.npy`, or an uncompressed RGB TIFF of 8 bits per channel in one piece: mapped into
            memory, whatever its size. Any other picture is read whole, as `read_image` does.
        bands, scale: As in `read_image`. Such a picture is read whole.

    Returns:
        `(H, W, 3)`, 0–255: a read-only `np.memmap`, or an array.

    Raises:
        FileNotFoundError: If there is no such file.
        ValueError: If it is neither an array nor a picture, or as `read_image`.
    """
    path = Path(path)
    if not path.is_file():
        raise FileNotFoundError(
            f"Expected a picture or .npy file. Received: {path}, which is not there."
        )
    if path.suffix.lower() == ".npy":
        return _map_npy(path, bands, scale)
    if path.suffix.lower() in (".tif", ".tiff") and bands is None and scale is None:
        mapped = _map_tiff(path)
        if mapped is not None:
            return mapped
    return read_image(path, None, bands, scale)


def _map_npy(path, bands, scale) -> np.ndarray:
    if bands is not None or scale is not None:
        raise ValueError(
            f"Expected bands and scale only with picture files. Received: {path}, whose values "
            "are RGB 0–255. Choose and scale them before np.save."
        )
    try:
        return np.load(path, mmap_mode="r", allow_pickle=False)
    except (ValueError, EOFError) as error:
        raise ValueError(f"{path} could not be read as a NumPy array: {error}") from error


def _map_tiff(path) -> np.memmap | None:
    """A TIFF's pixels in place; `None` if they are compressed, turned, tiled or not 8-bit RGB."""
    try:
        with _no_pixel_limit, Image.open(path) as image:
            _require_one_page(image, path)
            columns, rows = image.size
            strips = _raw_strips(image) if image.mode == "RGB" and _turn(image) == 1 else []
    except BROKEN:
        return None
    if not strips:
        return None
    start = strips[0][1]
    in_one_piece = all(
        left == 0 and right == columns and offset == start + 3 * columns * top
        for (left, top, right, _), offset in strips
    )
    if not in_one_piece or path.stat().st_size < start + 3 * columns * rows:
        return None
    return np.memmap(path, np.uint8, "r", start, (rows, columns, 3))


def _raw_strips(image) -> list:
    """Box and place in the file of every strip; empty if one of them is not plain RGB."""
    strips = [
        (box, offset)
        for codec, box, offset, how in image.tile
        if codec == "raw" and how[0] == "RGB"
    ]
    return strips if len(strips) == len(image.tile) else []


@contextlib.contextmanager
def _opened(path, rule=None):
    """The file as Pillow knows it before any pixel is read.

    Args:
        path: The file.
        rule: Takes the path and the samples, and refuses what Pillow would change.
    """
    path = Path(path)
    if not path.is_file():
        what = "a folder" if path.is_dir() else "not there"
        raise FileNotFoundError(f"Expected a picture file. Received: {path}, which is {what}.")
    with _no_pixel_limit:
        try:
            image = Image.open(path)
        except PermissionError:
            raise
        except BROKEN as error:
            if rule is not None and (header := _not_for_pillow(path)):
                rule(path, stored.of(header))
            raise _unreadable(path, error) from error
        with image:
            if image.format in DEPTH_UNKNOWN:
                found = f"{image.format}, which does not say how many bits a channel has"
                expected = f"be one of {', '.join(SUFFIXES)}"
                raise Unfit("mode", path, expected, found, "Save it as PNG.")
            if rule is not None:
                rule(path, stored.of(image))
                _require_one_page(image, path)
            yield image  # still without a limit: a TIFF's size is tested again when it is loaded


def _require_one_page(image, path) -> None:
    """Refuses a TIFF of several pages of one size: bands, or pictures, of which one would be read.

    Smaller pages are the same picture for a quick view.

    Raises:
        Unfit: If it is one.
    """
    if image.format != "TIFF" or image.n_frames == 1:
        return
    size = image.size
    image.seek(1)
    if image.size == size:
        found = f"{image.n_frames} pages of one size"
        advice = "Save the page that you mean as a file of its own, or three of them as RGB."
        raise Unfit("frames", path, "be one picture", found, advice)
    image.seek(0)


def _not_for_pillow(path) -> _TiffHeader | None:
    """The tags of a TIFF of more bands or bits than Pillow knows, such as one of five bands."""
    try:
        header = _TiffHeader(path)
        samples = stored.of(header)
        if not (samples.surplus or samples.deep):
            return None
    except BROKEN:
        return None
    with contextlib.suppress(*BROKEN), _no_pixel_limit, Image.open(path):
        return None
    return header


def _turn(image) -> int:
    """Exif's orientation, 1 to 8, from the part of the file read so far.

    It is 1 where Exif is damaged; viewers show such a picture as stored.
    """
    try:
        # PNG's own `getexif` would decode the pixels to read what follows them
        tags = image.tag_v2 if hasattr(image, "tag_v2") else Image.Image.getexif(image)
        turn = tags.get(ORIENTATION, 1)
    except BROKEN:
        return 1
    return turn if turn in range(1, 9) else 1


def _loaded(image, path):
    """The picture with its pixels, if memory suffices for Pillow's copy and the array of it."""
    pixels = image.width * image.height
    memory.require(
        pixels * (2 * 3 + len(image.getbands())),
        f"{path} ({image.height} x {image.width} pixels), read whole,",
        "Make it smaller, or label it tile by tile: segment --tile auto reads .npy and "
        "uncompressed .tif in place.",
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
    """Lifts Pillow's limit of 179 million pixels; here the free memory decides.

    The limit holds for the whole process: the first thread to read lifts it, the last one restores
    it.
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
