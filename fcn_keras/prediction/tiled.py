"""Pictures larger than memory, tile by tile, with the labels of the whole (lecture: L15).

A label depends on the pixels of its receptive field and on nothing else. So a tile that is read with all the
pixels that its labels see gives exactly the labels of the whole picture, if two things are kept:

* it begins at a multiple of the network's stride, or its poolings would pair other pixels;
* it is, modulo that stride, as large as the whole, since SAME padding puts its zeros by the size.
"""

import bisect
import contextlib
import hashlib
import io
import json
from dataclasses import dataclass
from pathlib import Path

import keras
import numpy as np

from fcn_keras.geometry.fields import Field
from fcn_keras.geometry.tracing import AXES, field_of
from fcn_keras.models.describing import describe
from fcn_keras.support import arguments, images
from fcn_keras.support import memory as free_memory
from fcn_keras.support.files import explain_write_errors, reserve, written_whole
from fcn_keras.support.progress import progress

MEMORY = 2**30  # bytes that a tile's tensors may take, unless said otherwise
SMALL = 1_000_000  # pixels for which memory is not counted beforehand


@dataclass(frozen=True)
class Span:
    """One tile along one axis, in pixels: `read` is what the network is given, `keep` what its labels are kept of."""

    keep: slice
    read: slice

    @property
    def kept(self) -> slice:
        """Where the kept labels lie in the tile's own."""
        return slice(self.keep.start - self.read.start, self.keep.stop - self.read.start)


def spans(size: int, tile: int, field: Field) -> list[Span]:
    """Cuts one axis of a picture into tiles.

    Args:
        size: Pixels of the picture along the axis.
        tile: Pixels to keep of each tile, at least; only the last may keep fewer.
        field: What the network's output sees: `geometry.receptive_field(model, name, size, axis)`.

    Returns:
        The tiles, in order. Each reads all the pixels that its labels see; all read equally many, so that the backend
        prepares itself for one shape only.
    """
    arguments.whole_number("size", size, 1)
    arguments.whole_number("tile", tile, 1)
    stride = (
        field.shift
    )  # the pattern of windows repeats after so many pixels: that of all poolings together
    length = tile + _around(field)
    length = min(size, size - (size - length) // stride * stride)  # as the whole, modulo the stride
    found, begin = [], 0
    while begin < size:
        first = min(field.pixels(row)[0] for row in range(begin, begin + stride))
        start = min(max(first // stride * stride, 0), size - length)
        stop = end = start + length
        while end < size and max(field.pixels(row)[1] for row in range(stop - stride, stop)) >= end:
            stop -= 1
        found.append(Span(slice(begin, stop), slice(start, end)))
        begin = stop
    return found


def _around(field) -> int:
    """Pixels to read beside those to keep, at most: what both ends see further out, and up to the next stride."""
    return field.size + 2 * field.shift


def output_fields(model: keras.Model, size: tuple[int, int]) -> tuple[Field, Field]:
    """What the labels of a picture of some size see, along the height and along the width.

    Raises:
        ValueError: If the model has a layer whose geometry is not known.
    """
    return tuple(
        field_of(model.outputs[0], model.inputs[0], size[number], axis)
        for number, axis in enumerate(AXES)
    )


def bytes_per_pixel(model: keras.Model) -> float:
    """Memory that a network needs for each pixel that it is given: the largest layer's input and output, float32."""
    side = 256
    rows = {row.name: np.prod(row.output_shape) for row in describe(model, (side, side))}
    inputs = {row.name: row.inputs for row in describe(model)}
    return (
        max(4 * (rows[name] + sum(rows[other] for other in inputs[name])) for name in rows)
        / side**2
    )


def fitting_tile(model: keras.Model, fields: tuple[Field, Field], memory: int) -> int:
    """Pixels to keep of a square tile so that what has to be read for it fits in memory.

    Args:
        model: The network.
        fields: `output_fields(model, size)`.
        memory: Bytes.

    Returns:
        A multiple of the network's stride, at least one stride.
    """
    stride = max(field.shift for field in fields)
    side = int((memory / bytes_per_pixel(model)) ** 0.5) - max(_around(field) for field in fields)
    return max(side // stride * stride, stride)


def require_memory(model: keras.Model, size: tuple[int, int]) -> None:
    """Refuses an image for which the network needs more memory than is free, before it is asked for.

    Raises:
        MemoryError: With the way out.
    """
    if size[0] * size[1] < SMALL:
        return
    free_memory.require(
        bytes_per_pixel(model) * size[0] * size[1],
        f"{model.name!r} on a picture of {size[0]} x {size[1]} pixels",
        "Label it tile by tile, with the same result: prediction.segment_tiled, or segment --tile auto.",
    )


def _even(size, tile, field) -> int:
    """The same number of tiles, but smaller ones, rather than a last one that is mostly read again."""
    smaller = range(1, tile + 1)
    return smaller[
        bisect.bisect_left(
            smaller, -len(spans(size, tile, field)), key=lambda side: -len(spans(size, side, field))
        )
    ]


def segment_tiled(
    model: keras.Model, image, out=None, tile: int | str = "auto", memory: int = MEMORY
):
    """The class of every pixel of a picture that need not fit in memory (lecture: L15).

    The labels are those of `prediction.segment` on the whole picture, wherever its two highest scores do not tie.
    With a file as `out`, a run that was killed goes on where it stopped.

    Args:
        model: Keras model that gives logits `(batch, H, W, C)` for every size, of layers that `geometry` knows.
        image: RGB 0–255 `(H, W, 3)`: an array, a `np.memmap`, or a file. `.npy` and uncompressed TIFF are read in
            place; any other picture file is read whole.
        out: Where to: an array or `np.memmap` `(H, W)` of a whole-number type, a path ending in `.npy`, or `None`.
        tile: Pixels along each side of what is labelled at a time, at least, or `"auto"`: as many as `memory` allows.
        memory: Bytes that the network may use for a tile, about; never more than half of what is free.

    Returns:
        Class numbers `(H, W)`: `out`, or for a path the file's `np.memmap`, or for `None` a new uint8 array.

    Raises:
        FileNotFoundError: If there is no such file.
        ValueError: If the picture is not H × W × 3 or has values that are not 0–255, `out` does not fit it, or the model does
            not label every pixel.
    """
    arguments.scoring_model("model", model)
    arguments.whole_number("memory", memory, 1, hint="It is bytes.")
    pixels = _opened(image, model.input_shape[-1])
    size = pixels.shape[:2]
    fields = output_fields(model, size)
    if not isinstance(tile, str) or tile != "auto":
        arguments.whole_number('tile ("auto", or pixels)', tile, 1)
    usable = min(memory, free_memory.available() // 2)
    sides = (
        (int(tile),) * 2
        if tile != "auto"
        else tuple(
            _even(length, fitting_tile(model, fields, usable), field)
            for length, field in zip(size, fields, strict=True)
        )
    )
    rows, columns = (spans(*axis) for axis in zip(size, sides, fields, strict=True))
    jobs = [(row, column) for row in rows for column in columns]
    labeller = keras.Model(
        model.inputs, keras.ops.cast(keras.ops.argmax(model.outputs[0], axis=-1), "uint8")
    )

    target = _target(out, size, lambda: _fingerprint(model, pixels, sides))
    with target as (labels, done, mark), progress("segmenting", len(jobs)) as advance:
        for number, (row, column) in enumerate(jobs):
            if number not in done:
                found = _labels(labeller, pixels[row.read, column.read])
                labels[row.keep, column.keep] = found[row.kept, column.kept]
                mark(number)
            advance()
    return np.load(out, mmap_mode="r") if isinstance(out, (str, Path)) else labels


def _labels(labeller, pixels) -> np.ndarray:
    arguments.image_values("image", pixels, whole=False)
    found = labeller.predict_on_batch(np.ascontiguousarray(pixels)[None])[0]
    if found.shape != pixels.shape[:2]:
        raise ValueError(
            f"Expected a model that labels every pixel. Received: {found.shape} labels, {pixels.shape[:2]} pixels"
        )
    return found


def _opened(image, channels) -> np.ndarray:
    """The picture as something that can be cut: in place where the file allows it."""
    if isinstance(image, (str, Path)):
        image = images.open_in_place(image)
    shape = np.shape(image)
    if len(shape) != 3 or shape[2] != channels or 0 in shape:
        raise ValueError(
            f"Expected an image of shape (height, width, {channels}). Received: shape {shape}"
        )
    if image.dtype.kind not in "buif":
        raise ValueError(
            f"Expected image to be an array of numbers (height, width, {channels}). Received: {image.dtype}"
        )
    if (
        np.issubdtype(image.dtype, np.floating)
        and image.size > 3 * 64
        and np.max(image[::97, ::89]) < 2
    ):
        highest = np.max(
            image
        )  # reads all of it, so only where a few pixels give reason to; resizing makes 1.02 of 1
        if 0 < highest < 2:
            received = f"values up to 1 ({highest:.4g})"
            raise ValueError(
                f"Expected image values 0 to 255. Received: {received}; multiply by 255, the model does the rest"
            )
    return image


@contextlib.contextmanager
def _target(out, size, fingerprint):
    """Where the labels go, which tiles are there already, and how to mark one as done."""
    if out is None:
        yield np.empty(size, "uint8"), (), lambda number: None
        return
    if not isinstance(out, (str, Path)):
        if np.shape(out) != size or not np.issubdtype(out.dtype, np.integer):
            raise ValueError(
                f"Expected out to be whole numbers of shape {size}. Received: {np.shape(out)}, {out.dtype}"
            )
        yield out, (), lambda number: None
        return
    out = Path(out)
    if out.suffix != ".npy":
        raise ValueError(f"Expected out to be an array or a path ending in .npy. Received: {out}")
    with explain_write_errors(out):
        out.parent.mkdir(parents=True, exist_ok=True)
    partial, state = (
        out.with_name(f".{out.stem}-partial.npy"),
        out.with_name(f".{out.stem}-partial.json"),
    )
    job, done = fingerprint(), []
    with contextlib.suppress(OSError, ValueError, KeyError):
        kept = json.loads(state.read_text(encoding="utf-8"))
        if (
            isinstance(kept, dict) and kept["job"] == job and partial.exists()
        ):  # somebody else's file may hold anything
            done = kept["done"]
    if not done:
        _make(partial, size)
    labels = np.lib.format.open_memmap(partial, "r+")

    def mark(number):
        labels.flush()  # first the labels, then the word that they are there
        done.append(number)
        with written_whole(state) as temporary:
            temporary.write_text(json.dumps({"job": job, "done": done}), encoding="utf-8")

    yield labels, frozenset(done), mark
    labels.flush()
    partial.replace(out)
    state.unlink(missing_ok=True)


def _make(path, size):
    """An array file of zeros whose room on the disk is taken, so that labels written to it later cannot fail."""
    header = io.BytesIO()
    np.lib.format.write_array_header_1_0(
        header, {"descr": "|u1", "fortran_order": False, "shape": size}
    )
    with explain_write_errors(path), open(path, "wb") as file:
        reserve(file, len(header.getvalue()) + size[0] * size[1])
        file.write(header.getvalue())


def _fingerprint(model, pixels, sides) -> str:
    """Changes with the model, the picture and the tiles: a half-finished run of something else is not gone on with."""
    digest = hashlib.sha256(f"{model.to_json()} {pixels.shape} {pixels.dtype} {sides}".encode())
    for weights in model.get_weights():
        digest.update(np.ascontiguousarray(weights))
    for top in range(0, len(pixels), 256):
        digest.update(np.ascontiguousarray(pixels[top : top + 256]))
    return digest.hexdigest()
