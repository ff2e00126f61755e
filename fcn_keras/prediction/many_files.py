"""Label maps and overlays of many picture files, in one process or by the workers of a Ray cluster.

Ray Data decides which worker labels which picture, and replaces a worker that dies. Each worker
holds a `Labeller`.
"""

import hashlib
import importlib.util
import logging
import math
import os
import warnings
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import keras
import numpy as np

from fcn_keras import models, prediction, visualization
from fcn_keras.datasets.base import default_palette
from fcn_keras.models.resizing import tell_size
from fcn_keras.prediction.tiled import Tile
from fcn_keras.support import arguments, images
from fcn_keras.support.files import sha256_of_file
from fcn_keras.support.kinds import Bands, Count, File, InputSize, Scale, checked

OVERLAY_PIXELS = 2000  # along each side of the overlay of a picture that is labelled tile by tile
TRIES = 3  # a picture that ends its worker this often would end all of them
PICTURES_A_BLOCK = 8  # what a worker gets at a time, and starts again if it dies
STARTS = 3  # of Ray on this computer: not all of its limits can be changed
# Ray's own limits are half a minute, which a busy or small computer may need
PATIENCE = {
    "RAY_gcs_server_port_wait_time_s": "120",
    "RAY_raylet_start_wait_time_s": "60",  # also where it has died
    "RAY_agent_register_timeout_ms": "120000",
    "RAY_worker_register_timeout_seconds": "600",
}
STORE_BYTES = 128 * 1024**2  # for what workers receive and return: file names


class Job:
    """What happens to every picture: which model labels it, how, and where the results go.

    Args:
        model: The `.keras` file.
        out: Folder for the results; it must exist.
        tile: As in `prediction.segment_tiled`, which then labels the pictures (and
            `NAME_labels.npy` is written too). `None`: `prediction.segment` does.
        size: As in `prediction.segment`.
        bands, scale: As in `images.read_image`; by default as the model's training pictures were
            read, which its card says.

    Raises:
        TypeError, ValueError: If an argument is of another kind.
    """

    @checked
    def __init__(
        self,
        model: File,
        out: File,
        tile: Tile | None = None,
        size: InputSize = "trained",
        bands: Bands | None = None,
        scale: Scale | None = None,
    ):
        self.model, self.out = Path(model), Path(out)
        self.tile: Tile | None = tile
        self.size: InputSize = size
        self.bands: Bands | None = bands
        self.scale: Scale | None = scale

    def result(self, picture: Path, ending: str) -> Path:
        """A file that the job writes for a picture, such as that ending in `"labels.png"`."""
        return self.out / f"{picture.stem}_{ending}"

    def model_digest(self) -> str:
        """SHA-256 of the model file."""
        return sha256_of_file(self.model)

    def note(self, picture: Path, model_digest: str) -> str:
        """What an overlay notes of its origin: the model, the picture, and how it was labelled."""
        file = picture.stat()
        how = "whole" if self.tile is None else "tiled"
        how += f" {self.size} {self.bands} {self.scale}"
        text = f"{model_digest} {file.st_size} {file.st_mtime_ns} {how}"
        return hashlib.sha256(text.encode()).hexdigest()

    def not_done(self, pictures: Iterable[Path]) -> list[Path]:
        """The pictures that have no results yet, or only those of another model or picture."""
        if not self.model.is_file():
            return list(pictures)
        digest = self.model_digest()
        return [picture for picture in pictures if not self._is_done(picture, digest)]

    def _is_done(self, picture: Path, digest: str) -> bool:
        try:
            noted = images.note_in(self.result(picture, "overlay.png"))
            return noted == self.note(picture, digest)
        except OSError:  # the picture is not there; reading it will say so
            return False


class Labeller:
    """Labels pictures: writes `NAME_labels.png` (class numbers and palette) and `NAME_overlay.png`.

    Args:
        job: What to do.

    Raises:
        FileNotFoundError, ValueError: As `models.load`, or if the model does not give class scores.
    """

    def __init__(self, job: Job):
        self.job = job
        self.model = arguments.scoring_model("model", models.load(job.model))
        tell_size(self.model, job.size)
        self.model_digest = job.model_digest()
        classes = self.model.output_shape[-1]
        self.card = models.card(self.model)
        colours = self.card.palette
        self.palette = np.array(colours, "uint8") if colours else default_palette(classes)

    def write(self, path: Path) -> None:
        """Labels one picture.

        Raises:
            ValueError: If the picture cannot be read or labelled.
            MemoryError: If it does not fit in memory.
            OSError: If the results cannot be written.
        """
        job = self.job
        try:
            note = job.note(path, self.model_digest)
            image = self._read(path)
        except OSError as error:  # concerns this picture only, unlike a full disk
            raise ValueError(f"{path} could not be read: {error.strerror or error}") from error
        if job.tile is None:
            labels, step = prediction.segment(self.model, image, job.size), 1
        else:
            out = job.result(path, "labels.npy")
            labels = prediction.segment_tiled(self.model, image, out, job.tile, size=job.size)
            step = math.ceil(max(labels.shape) / OVERLAY_PIXELS)
        images.write_image(job.result(path, "labels.png"), labels, self.palette)
        thinned = image[::step, ::step].astype("uint8"), labels[::step, ::step]
        overlay = _painted(*thinned, self.palette)
        # The overlay is written last: where it is, all results are.
        images.write_image(job.result(path, "overlay.png"), overlay, note=note)

    def _read(self, path: Path) -> np.ndarray:
        bands, scale = self.job.bands or self.card.bands, self.job.scale or self.card.scale
        if self.job.tile is None:
            return images.read_image(path, None, bands, scale)
        return images.open_in_place(path, bands, scale)

    def __call__(self, row: dict) -> dict:
        """For Ray: takes a picture's path and returns what was wrong.

        `"refused"` says what was wrong with this picture, `"failed"` why no result can be written.
        """
        try:
            return {"refused": _refusal(self, Path(row["path"])), "failed": ""}
        except OSError as error:
            return {"refused": "", "failed": str(error)}


def label_files(labeller: Labeller, paths: Iterable[Path]) -> Iterator[str]:
    """Labels pictures one after the other.

    Args:
        labeller: Labels them.
        paths: The pictures.

    Yields:
        For each picture `""`, or why it could not be labelled: one bad picture must not cost the
        others.

    Raises:
        OSError: If the results cannot be written.
    """
    for path in paths:
        yield _refusal(labeller, path)


@checked
def label_files_by_workers(job: Job, paths: Sequence[Path], workers: Count) -> Iterator[str]:
    """Labels pictures in several processes at once, with the same labels as `label_files`.

    A worker that dies is replaced. With `RAY_ADDRESS` in the environment the workers are those of
    that Ray cluster: this package must be installed on its computers, and they must see the same
    folders. Otherwise the workers are started on this computer. GPUs are divided evenly.

    Args:
        job: What to do.
        paths: The pictures.
        workers: How many workers.

    Yields:
        As `label_files`, in any order.

    Raises:
        ValueError: If `workers` is not a whole number of at least 1.
        ImportError: If Ray is not installed.
        OSError: If the results cannot be written, or Ray does not start.
        ChildProcessError: If the same pictures ended their worker again and again.
    """
    if importlib.util.find_spec("ray") is None:
        raise ModuleNotFoundError(
            "Several workers need Ray, which is not installed. In the project's folder: "
            "python -m pip install -c constraints.txt -e .[cluster]"
        )
    Labeller(job)  # reports what is wrong with the model here, once
    job = Job(job.model.resolve(), job.out.resolve(), job.tile, job.size, job.bands, job.scale)
    paths = [Path(path).resolve() for path in paths]
    if not paths:
        return
    workers = min(workers, most_workers(paths))
    ray = _connected(workers)
    try:
        for row in _labelled(ray, job, paths, workers).iter_rows():
            if row["failed"]:
                raise OSError(row["failed"])
            yield row["refused"]
    except ray.exceptions.RayError as error:  # pyright: ignore[reportAttributeAccessIssue]
        left = job.not_done(paths)
        named = ", ".join(map(str, left[:PICTURES_A_BLOCK]))
        raise ChildProcessError(
            f"Workers died {TRIES + 1} times over the same pictures, and {len(left)} of "
            f"{len(paths)} are not labelled: {named} … Label them one by one to see which it is. "
            f"({_short(error)})"
        ) from error
    finally:
        ray.shutdown()


def most_workers(paths: Sequence[Path]) -> int:
    """How many workers have something to do: each takes several pictures at a time."""
    return math.ceil(len(paths) / PICTURES_A_BLOCK)


def _labelled(ray, job: Job, paths: Sequence[Path], workers: int):
    """A Ray data set of what each `Labeller` returns; the work begins when its rows are read."""
    gpus = int(ray.cluster_resources().get("GPU", 0))
    rows = [{"path": str(path)} for path in paths]
    pictures = ray.data.from_items(rows, override_num_blocks=most_workers(paths))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # max_task_retries gets another name only in Ray 2.64
        return pictures.map(
            Labeller,
            fn_constructor_args=(job,),
            compute=ray.data.ActorPoolStrategy(size=workers),
            num_cpus=1,
            num_gpus=1 / math.ceil(workers / gpus) if gpus else 0,
            max_task_retries=TRIES,
        )


def _connected(workers: int):
    """Ray, on the cluster that the environment names or on this computer; without statistics."""
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    os.environ.setdefault("RAY_BACKEND_LOG_LEVEL", "fatal")
    options: dict = dict(log_to_driver=False, logging_level=logging.ERROR)
    # Workers may share a GPU: none of them may take all of its memory.
    variables = {"TF_FORCE_GPU_ALLOW_GROWTH": "true", "XLA_PYTHON_CLIENT_PREALLOCATE": "false"}
    if "RAY_ADDRESS" in os.environ:
        variables["KERAS_BACKEND"] = keras.backend.backend()
        options |= dict(runtime_env={"env_vars": variables})
    else:  # workers on this computer inherit our environment, and so start faster
        os.environ.update(PATIENCE | os.environ | variables)
        options |= dict(num_cpus=workers, include_dashboard=False, object_store_memory=STORE_BYTES)
    import ray  # it reads its limits now
    import ray.data
    import ray.exceptions

    _start(ray, options)
    ray.data.DataContext.get_current().enable_progress_bars = False
    logging.getLogger("ray.data").setLevel(logging.ERROR)
    return ray


def _start(ray, options):
    """Starts Ray, or connects with the cluster; starts it again on a computer that is too slow."""
    where = os.environ.get("RAY_ADDRESS", "this computer")
    for start in range(1, STARTS + 1):
        try:
            ray.init(**options)
            return
        except Exception as error:  # Ray has no class of its own for this
            ray.shutdown()  # ends what was started
            if start == STARTS or "RAY_ADDRESS" in os.environ:
                raise OSError(
                    f"Ray could not be reached or started at {where} ({_short(error)}). "
                    "Try again, or take fewer workers."
                ) from error


def _refusal(labeller: Labeller, path: Path) -> str:
    """Labels a picture and returns why it could not be labelled, or `""`."""
    try:
        labeller.write(path)
    except (ValueError, MemoryError) as error:
        return str(error)
    return ""


def _short(error: BaseException) -> str:
    return " ".join(str(error).split())[:200]


def _painted(image: np.ndarray, labels: np.ndarray, palette: np.ndarray) -> np.ndarray:
    """The classes but the first, laid over the picture; a single one in the lecture's green."""
    for number in range(1, len(palette)):
        colour = (0, 255, 0, 127) if len(palette) == 2 else (*palette[number], 127)
        image = visualization.overlay(image, labels == number, colour)
    return image
