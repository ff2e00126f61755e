"""Label maps and overlays of many picture files: one after the other, or by several workers of a Ray cluster.

Which worker labels what, and what happens when one dies, is Ray Data's business; `Labeller` is all that a worker is.
"""

import hashlib
import importlib.util
import logging
import os
import warnings
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import keras

from fcn_keras import models, prediction, visualization
from fcn_keras.datasets.base import default_palette
from fcn_keras.support import arguments, images

OVERLAY_PIXELS = 2000  # along each side of the overlay of a picture that is labelled tile by tile
TRIES = 3  # a picture that ended its worker so often would end all of them
PICTURES_A_BLOCK = 8  # what a worker is given at a time, and begins anew when it dies
STORE_BYTES = 128 * 1024**2  # for what workers are told and answer: file names


class Labeller:
    """Labels a picture and writes `NAME_labels.png` (class numbers, with a palette) and `NAME_overlay.png`.

    Args:
        model: The `.keras` file.
        out: Folder for the results; it has to be there.
        tile: As at `prediction.segment_tiled`, which then labels the picture (`NAME_labels.npy` is written too); `None`: whole.

    Raises:
        FileNotFoundError, ValueError: As `models.load`.
    """

    def __init__(self, model: str | Path, out: str | Path, tile: int | str | None = None):
        self.model, self.out, self.tile = models.load(model), arguments.path("out", out), tile
        self.palette, self.digest = default_palette(self.model.output_shape[-1]), _digest(model)

    def write(self, path: Path) -> None:
        """Labels one picture.

        Raises:
            ValueError: If the picture cannot be read or labelled.
            MemoryError: If it does not fit in memory.
            OSError: If the results cannot be written.
        """
        names = {
            what: self.out / f"{path.stem}_{what}"
            for what in ("labels.npy", "labels.png", "overlay.png")
        }
        try:
            mark = _mark(path, self.digest, self.tile)
            image = images.read_image(path) if self.tile is None else images.open_in_place(path)
        except OSError as error:  # this picture's own trouble, unlike a disk that is full
            raise ValueError(f"{path} could not be read: {error.strerror or error}") from error
        if self.tile is None:
            labels = prediction.segment(self.model, image)
            step = 1
        else:
            labels = prediction.segment_tiled(self.model, image, names["labels.npy"], self.tile)
            step = -(-max(labels.shape) // OVERLAY_PIXELS)
        images.write_image(names["labels.png"], labels, self.palette)
        few = image[::step, ::step].astype("uint8"), labels[::step, ::step]
        images.write_image(
            names["overlay.png"], _painted(*few, self.palette), note=mark
        )  # last: where it is, all is

    def __call__(self, row: dict) -> dict:
        """For Ray: a picture's path in, what was wrong with it out, or why nothing can be written any more."""
        try:
            return {"refused": _refused(self, Path(row["path"])), "failed": ""}
        except OSError as error:
            return {"refused": "", "failed": str(error)}


def label_files(labeller: Labeller, paths: Iterable[Path]) -> Iterator[str]:
    """Labels pictures one after the other.

    Yields:
        For each picture `""`, or why it could not be labelled: one bad picture among many must not cost the others.
    """
    for path in paths:
        yield _refused(labeller, path)


def label_files_by_workers(
    model: str | Path,
    paths: Sequence[Path],
    out: str | Path,
    workers: int,
    tile: int | str | None = None,
) -> Iterator[str]:
    """Labels pictures in several processes at once, with the labels of `label_files`; a worker that dies is replaced.

    With `RAY_ADDRESS` in the environment the workers are those of that Ray cluster, on which this package has to be installed and
    whose computers have to see the same folders; otherwise they are started on this computer. A cluster's GPUs are divided
    evenly.

    Args:
        model: The `.keras` file.
        paths: The pictures.
        out: As at `Labeller`.
        workers: How many.
        tile: As at `Labeller`.

    Yields:
        As `label_files`, in any order.

    Raises:
        ValueError: If `workers` is no whole number from 1 up.
        ImportError: If Ray is not installed.
        OSError: If nothing can be written, or Ray does not start.
        ChildProcessError: If the same pictures ended their worker again and again.
    """
    arguments.whole_number("workers", workers, 1)
    if importlib.util.find_spec("ray") is None:
        raise ModuleNotFoundError(
            "Several workers need Ray, which is not installed. In the project's folder: "
            "python -m pip install -c constraints.txt -e .[cluster]"
        )
    Labeller(model, out, tile)  # what is wrong with the model is said here, once
    paths = [str(Path(path).resolve()) for path in paths]
    if not paths:
        return
    blocks = -(-len(paths) // PICTURES_A_BLOCK)
    workers = min(workers, blocks)
    ray = _connected(workers)
    try:
        gpus = int(ray.cluster_resources().get("GPU", 0))
        rows = ray.data.from_items([{"path": path} for path in paths], override_num_blocks=blocks)
        with warnings.catch_warnings():
            warnings.simplefilter(
                "ignore"
            )  # until Ray 2.64 has another name for max_task_retries; we ask for an earlier one
            answers = rows.map(
                Labeller,
                fn_constructor_args=(str(Path(model).resolve()), str(Path(out).resolve()), tile),
                compute=ray.data.ActorPoolStrategy(size=workers),
                num_cpus=1,
                num_gpus=gpus and 1 / -(-workers // gpus),
                max_task_retries=TRIES,
            )
        try:
            for row in answers.iter_rows():
                if row["failed"]:
                    raise OSError(row["failed"])
                yield row["refused"]
        except ray.exceptions.RayError as error:
            left = [str(path) for path in not_done(map(Path, paths), model, out, tile)]
            raise ChildProcessError(
                f"Workers died {TRIES + 1} times over the same pictures, and {len(left)} of {len(paths)} are not labelled: "
                f"{', '.join(left[:PICTURES_A_BLOCK])} … Label them one by one to see which it is. ({_short(error)})"
            ) from error
    finally:
        ray.shutdown()


def _connected(workers):
    """Ray, on the cluster that the environment names or on this computer; it tells nobody that it was used."""
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    os.environ.setdefault("RAY_BACKEND_LOG_LEVEL", "fatal")
    import ray
    import ray.data

    options = dict(log_to_driver=False, logging_level=logging.ERROR)
    # A GPU may be shared: no worker is to take all of its memory.
    told = {"TF_FORCE_GPU_ALLOW_GROWTH": "true", "XLA_PYTHON_CLIENT_PREALLOCATE": "false"}
    if "RAY_ADDRESS" in os.environ:
        options |= dict(
            runtime_env={"env_vars": {**told, "KERAS_BACKEND": keras.backend.backend()}}
        )
    else:  # workers of this computer have our environment, and start faster so
        os.environ.update(told)
        options |= dict(num_cpus=workers, include_dashboard=False, object_store_memory=STORE_BYTES)
    try:
        ray.init(**options)
    except Exception as error:  # Ray has no kind of its own for this
        where = os.environ.get("RAY_ADDRESS", "this computer")
        raise OSError(
            f"Ray could not be reached or started at {where} ({_short(error)}). Try again, or take fewer."
        ) from error
    ray.data.DataContext.get_current().enable_progress_bars = False
    logging.getLogger("ray.data").setLevel(logging.ERROR)
    return ray


def _refused(labeller, path) -> str:
    try:
        labeller.write(path)
    except (ValueError, MemoryError) as error:
        return str(error)
    return ""


def _short(error) -> str:
    return " ".join(str(error).split())[:200]


def not_done(
    paths: Iterable[Path], model: str | Path, out: str | Path, tile: int | str | None = None
) -> list[Path]:
    """The pictures whose results are not there, or were made by another model, or of another picture of that name.

    Args:
        paths: The pictures.
        model, out, tile: As at `Labeller`.
    """
    if not Path(model).is_file():
        return list(paths)
    digest = _digest(model)
    return [path for path in paths if not _is_done(path, Path(out), digest, tile)]


def _is_done(path, out, digest, tile) -> bool:
    try:
        return images.note_in(out / f"{path.stem}_overlay.png") == _mark(path, digest, tile)
    except OSError:  # the picture is not there; who reads it says so
        return False


def _mark(path, digest, tile) -> str:
    """What an overlay notes: it changes with the model, with the picture, and with the files that are written."""
    about = path.stat()
    text = f"{digest} {about.st_size} {about.st_mtime_ns} {'whole' if tile is None else 'tiled'}"
    return hashlib.sha256(text.encode()).hexdigest()


def _digest(model) -> str:
    with open(model, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _painted(image, labels, palette):
    """The classes but the first laid over the picture; a single one in the lecture's green."""
    for number in range(1, len(palette)):
        colour = (0, 255, 0, 127) if len(palette) == 2 else (*palette[number], 127)
        image = visualization.overlay(image, labels == number, colour)
    return image
