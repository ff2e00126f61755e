"""Pictures larger than memory: labelled tile by tile, with the labels of the whole (lecture: L15).

A label depends only on the pixels of its receptive field. A tile that is read with all the pixels
that its labels see therefore gives exactly the labels of the whole picture, on two conditions:

* The tile begins at a multiple of the network's stride. Otherwise its poolings would pair other
  pixels.
* Modulo that stride, the tile is as large as the whole picture, because SAME padding distributes
  its zeros by the size.
"""

import bisect
import contextlib
import hashlib
import io
import itertools
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

import keras
import numpy as np

from fcn_keras.geometry.fields import Field
from fcn_keras.geometry.receptive_fields import AXES, field_of
from fcn_keras.models.describing import describe
from fcn_keras.models.resizing import at_trained_size
from fcn_keras.support import agreement, arguments, images
from fcn_keras.support import memory as free_memory
from fcn_keras.support.files import explain_write_errors, reserve, written_whole
from fcn_keras.support.kinds import Count, InputSize, Kind, ScoringModel, checked
from fcn_keras.support.progress import progress

MEMORY = 2**30  # bytes that a tile's tensors may take by default
STRIP = 256  # rows that are looked at together
SMALL = 1_000_000  # up to this many pixels, memory is not estimated beforehand
A_FEW_PIXELS = np.s_[::97, ::89]  # of a picture too large to look at all of it


def _tile(name: str, value) -> int | Literal["auto"]:
    if isinstance(value, str) and value == "auto":
        return "auto"
    return arguments.whole_number(f'{name} ("auto", or pixels)', value, at_least=1)


Tile = Annotated[int | Literal["auto"], Kind('pixels, or "auto"', _tile)]
Bytes = Annotated[int, Kind("bytes", arguments.whole_number, at_least=1, hint="It is bytes.")]


# Where to cut


@dataclass(frozen=True)
class Span:
    """One tile along one axis, in pixels."""

    keep: slice  # these labels are kept
    read: slice  # these pixels go into the network

    @property
    def kept(self) -> slice:
        """Where the labels to keep lie within the tile."""
        return slice(self.keep.start - self.read.start, self.keep.stop - self.read.start)


@checked
def spans(size: Count, tile: Count, field: Field) -> list[Span]:
    """Cuts one axis of a picture into tiles.

    Args:
        size: Pixels of the picture along the axis.
        tile: Minimum number of pixels to keep of each tile; only the last tile may keep fewer.
        field: What the network's output sees: `geometry.receptive_field(model, name, size, axis)`.

    Returns:
        The tiles, in order. Each reads all the pixels that its labels see. All read the same number
        of pixels, so that the backend compiles the network for one shape only.
    """
    stride = field.shift  # all poolings together: the pattern of windows repeats after it
    length = tile + _margin(field)
    length = min(size, size - (size - length) // stride * stride)  # as the whole, modulo the stride
    found, begin = [], 0
    while begin < size:
        first = min(_seen(field, row)[0] for row in range(begin, begin + stride))
        start = min(max(first // stride * stride, 0), size - length)
        stop = end = start + length
        while end < size and max(_seen(field, row)[1] for row in range(stop - stride, stop)) >= end:
            stop -= 1
        found.append(Span(slice(begin, stop), slice(start, end)))
        begin = stop
    return found


def _seen(field: Field, row: int) -> tuple[int, int]:
    """First and last pixel that a label sees."""
    pixels = field.pixels(row)
    assert pixels is not None, "a label sees at least one pixel"
    return pixels


def _margin(field: Field) -> int:
    """How many pixels are read beside those kept, at most: one field of view and two strides."""
    return field.size + 2 * field.shift


def output_fields(model: keras.Model, size: tuple[int, int]) -> tuple[Field, Field]:
    """What the labels of a picture of some size see, along the height and along the width.

    Raises:
        ValueError: If the geometry of one of the model's layers is not known.
    """
    output, image = model.outputs[0], model.inputs[0]
    height, width = (
        field_of(output, image, size[number], axis) for number, axis in enumerate(AXES)
    )
    return height, width


# How much memory a tile needs


def bytes_per_pixel(model: keras.Model) -> float:
    """Memory that a network needs for each pixel of its input.

    It is that of the layer whose input and output are largest together, in float32.
    """
    side = 256
    numbers = {row.name: np.prod(row.output_shape) for row in describe(model, (side, side))}
    inputs = {row.name: row.inputs for row in describe(model)}
    largest = max(numbers[name] + sum(numbers[other] for other in inputs[name]) for name in numbers)
    return 4 * largest / side**2


def fitting_tile(model: keras.Model, fields: tuple[Field, Field], memory: int) -> int:
    """Side of a square tile for which the pixels to read fit in memory.

    Args:
        model: The network.
        fields: `output_fields(model, size)`.
        memory: Bytes.

    Returns:
        Pixels to keep along each side: a multiple of the network's stride, at least one stride.
    """
    stride = max(field.shift for field in fields)
    side = int((memory / bytes_per_pixel(model)) ** 0.5) - max(_margin(field) for field in fields)
    return max(side // stride * stride, stride)


def require_memory(model: keras.Model, size: tuple[int, int]) -> None:
    """Refuses an image for which the network needs more memory than is free.

    Raises:
        MemoryError: With what to do instead.
    """
    if size[0] * size[1] < SMALL:
        return
    free_memory.require(
        bytes_per_pixel(model) * size[0] * size[1],
        f"{model.name!r} on a picture of {size[0]} x {size[1]} pixels",
        "Label it tile by tile, with the same result: prediction.segment_tiled, or "
        "segment --tile auto.",
    )


def _sides(model, size, fields, tile, memory) -> tuple[int, int]:
    """Height and width of the tiles, in pixels to keep."""
    if tile != "auto":
        return tile, tile
    largest = fitting_tile(model, fields, min(memory, free_memory.available() // 2))
    height, width = map(_evened, size, (largest, largest), fields)
    return height, width


def _evened(size: int, tile: int, field: Field) -> int:
    """The smallest tile that makes no more tiles: the last one then has little to read again."""

    def fewness(side: int) -> int:  # grows with the side, so bisection finds where it is reached
        return -len(spans(size, side, field))

    sides = range(1, tile + 1)
    return sides[bisect.bisect_left(sides, fewness(tile), key=fewness)]


# Labelling


@checked
def segment_tiled(
    model: ScoringModel,
    image,
    out=None,
    tile: Tile = "auto",
    memory: Bytes = MEMORY,
    size: InputSize = "trained",
) -> np.ndarray:
    """Gives every pixel of a picture its class; the picture need not fit in memory (lecture: L15).

    The labels are those of `prediction.segment` on the whole picture, wherever its two highest
    scores do not tie. If `out` is a file, a run that was killed resumes where it stopped.

    Args:
        model: Keras model that gives logits `(batch, H, W, C)` for every size, made of layers that
            `geometry` knows.
        image: RGB 0–255 `(H, W, 3)`: an array, a `np.memmap`, or a file. `.npy` and uncompressed
            TIFF files are read in place; any other picture file is read whole.
        out: Where the labels go: an array or `np.memmap` `(H, W)` of whole numbers, a path ending
            in `.npy`, or `None`.
        tile: Minimum number of pixels to label at a time along each side, or `"auto"`: as many as
            `memory` allows.
        memory: Approximate bytes that the network may use for a tile; at most half of what is free
            is used.
        size: As in `prediction.segment`. A picture that is resized is read strip by strip.

    Returns:
        Class numbers `(H, W)`: `out`, or for a path the file's `np.memmap`, or for `None` a new
        uint8 array.

    Raises:
        TypeError: If `model` is not a Keras model.
        FileNotFoundError: If there is no such file.
        ValueError: If the picture is not H × W × 3 or has values that are not 0–255, `out` does not
            fit it, or the model does not label every pixel.

    Example:
        >>> model = fcn.models.fcn_from_cae(fcn.models.cae(widths=(4, 4)), num_classes=3)
        >>> image = np.random.default_rng(0).integers(0, 256, (200, 150, 3))
        >>> tiles = fcn.prediction.segment_tiled(model, image, tile=64)
        >>> print((tiles == fcn.prediction.segment(model, image)).all())
        True
    """
    pixels = _opened(image, model.input_shape[-1])
    shown = pixels.shape[:2]
    pixels = at_trained_size(model, pixels, size)
    if pixels.shape[:2] != shown:
        labels = segment_tiled(model, pixels, None, tile, memory, size=None)
        return _enlarged(labels, out, shown, lambda: _fingerprint(model, pixels, shown))
    fields = output_fields(model, shown)
    sides = _sides(model, shown, fields, tile, memory)
    rows, columns = map(spans, shown, sides, fields)
    tiles = [(row, column) for row in rows for column in columns]
    scores = model.outputs[0]
    highest = keras.ops.cast(keras.ops.argmax(scores, axis=-1), "uint8")
    finite = keras.ops.all(keras.ops.isfinite(scores), axis=(1, 2, 3))
    labeller = keras.Model(model.inputs, (highest, finite), name=model.name)

    target = _target(out, shown, lambda: _fingerprint(model, pixels, sides))
    with target as (labels, done, mark_done), progress("segmenting", len(tiles)) as advance:
        for number, (row, column) in enumerate(tiles):
            if number not in done:
                found = _labels(labeller, pixels[row.read, column.read])
                labels[row.keep, column.keep] = found[row.kept, column.kept]
                mark_done(number)
            advance()
    return np.load(out, mmap_mode="r") if isinstance(out, (str, Path)) else labels


def _opened(image, channels: int) -> np.ndarray:
    """The picture as an array that can be cut: in place where the file allows it."""
    if isinstance(image, (str, Path)):
        image = images.open_in_place(image)
    pixels = arguments.image_layout("image", image, channels)
    if pixels.dtype.kind == "f" and np.max(pixels[A_FEW_PIXELS]) < 2:  # perhaps scaled to 0–1
        arguments.image_values("image", pixels)
    return pixels


def _labels(labeller: keras.Model, pixels: np.ndarray) -> np.ndarray:
    """Labels of one tile."""
    arguments.image_values("image", pixels, whole=False)
    (found,), finite = labeller.predict_on_batch(np.ascontiguousarray(pixels)[None])
    agreement.require_scores_of_every_pixel(labeller, found.shape, pixels.shape[:2])
    agreement.require_finite_scores(labeller, finite)
    return found


def _enlarged(labels, out, size: tuple[int, int], fingerprint: Callable[[], str]) -> np.ndarray:
    """Labels of a picture that was resized, brought back to its own size strip by strip."""
    with _target(out, size, fingerprint) as (target, _, _):
        for first in range(0, size[0], STRIP):
            part = slice(first, first + STRIP)
            target[part] = images.nearest(labels, size, part)
    return np.load(out, mmap_mode="r") if isinstance(out, (str, Path)) else target


# Where the labels go

MarkDone = Callable[[int], None]
Target = tuple[np.ndarray, frozenset[int], MarkDone]  # labels, tiles done before, marks one as done


def _target(
    out, size: tuple[int, int], fingerprint: Callable[[], str]
) -> contextlib.AbstractContextManager[Target]:
    """Where the labels go: a new array, the array given, or a file."""
    if isinstance(out, (str, Path)):
        return _label_file(Path(out), size, fingerprint)
    if out is None:
        out = np.empty(size, "uint8")
    if np.shape(out) != size or not np.issubdtype(out.dtype, np.integer):
        raise ValueError(
            f"Expected out to be whole numbers of shape {size}. "
            f"Received: {np.shape(out)}, {out.dtype}"
        )
    return contextlib.nullcontext((out, frozenset(), lambda number: None))


@contextlib.contextmanager
def _label_file(
    path: Path, size: tuple[int, int], fingerprint: Callable[[], str]
) -> Iterator[Target]:
    """A label file that appears when it is complete; a run that was interrupted resumes it."""
    if path.suffix != ".npy":
        raise ValueError(f"Expected out to be an array or a path ending in .npy. Received: {path}")
    with explain_write_errors(path):
        path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f".{path.stem}-partial.npy")
    state = path.with_name(f".{path.stem}-partial.json")
    job = fingerprint()
    done = _done_before(state, job) if partial.exists() else []
    if not done:
        _reserve_labels(partial, size)
    labels = np.lib.format.open_memmap(partial, "r+")

    def mark_done(number):
        labels.flush()  # first the labels, then the note that they are there
        done.append(number)
        with written_whole(state) as temporary:
            temporary.write_text(json.dumps({"job": job, "done": done}), encoding="utf-8")

    yield labels, frozenset(done), mark_done
    labels.flush()
    partial.replace(path)
    state.unlink(missing_ok=True)


def _done_before(state: Path, job: str) -> list[int]:
    """The tiles that an interrupted run of the same job labelled."""
    with contextlib.suppress(OSError, ValueError, KeyError, TypeError):  # it may hold anything
        noted = json.loads(state.read_text(encoding="utf-8"))
        if noted["job"] == job:
            return list(noted["done"])
    return []


def _reserve_labels(path: Path, size: tuple[int, int]) -> None:
    """Writes an array of zeros and takes its space on the disk, so that no later write can fail."""
    header = io.BytesIO()
    layout = {"descr": "|u1", "fortran_order": False, "shape": size}
    np.lib.format.write_array_header_1_0(header, layout)
    with explain_write_errors(path), open(path, "wb") as file:
        reserve(file, len(header.getvalue()) + size[0] * size[1])
        file.write(header.getvalue())


def _fingerprint(model: keras.Model, pixels: np.ndarray, sides: tuple[int, int]) -> str:
    """Changes with the model, the picture and the tiles: only a run of the same job is resumed."""
    digest = hashlib.sha256(f"{model.to_json()} {pixels.shape} {pixels.dtype} {sides}".encode())
    strips = (pixels[top : top + STRIP] for top in range(0, len(pixels), STRIP))
    for array in itertools.chain(model.get_weights(), strips):
        digest.update(np.ascontiguousarray(array))  # pyright: ignore[reportArgumentType]
    return digest.hexdigest()
