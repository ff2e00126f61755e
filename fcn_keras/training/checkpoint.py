"""The state of a training on disk, so that a run that was killed goes on and ends as if nothing had happened.

Keras' `BackupAndRestore` writes weights, and then in another file how far they are; killed between the two it goes on with
the wrong epoch. Here a state is one file, moved into place when it is whole.
"""

import contextlib
import hashlib
import json
import shutil
import zipfile
from collections.abc import Iterable
from pathlib import Path

import keras
import numpy as np

from fcn_keras.support import arguments
from fcn_keras.support.files import written_whole

RUN = "run.json"  # what is being trained; beside it a state for each stage
STAGES = ("head", "all")  # training what is not frozen, then fine-tuning everything


class Checkpoint:
    """The folder of one run.

    Args:
        folder: Made when missing.
        settings: Everything that decides what the run computes, for JSON: a state of another run is not gone on with.
        start: Digest of the weights that the run starts from. They matter only when the run was finished: the same ones
            again mean that its end was lost, others that a further run is wanted.

    Raises:
        ValueError: If an unfinished run with other settings lies there, or files of these names that are none of a run.
        OSError: If nothing can be written there.
    """

    def __init__(self, folder: str | Path, settings: dict, start: str):
        self.folder = arguments.path("checkpoint", folder)
        self.settings = json.loads(json.dumps(settings, default=str))
        there = self._there()
        if there is not None and there["settings"] != self.settings and not there["finished"]:
            differ = [
                f"{name}={there['settings'].get(name)!r}, here {name}={self.settings.get(name)!r}"
                for name in {**there["settings"], **self.settings}
                if there["settings"].get(name) != self.settings.get(name)
            ]
            raise ValueError(
                "Expected checkpoint to be a new folder, or that of an interrupted run with the same settings. Received: "
                f"{folder}, of a run with {'; '.join(differ)}. Take the same settings to go on, or another folder (or delete "
                "this one) to begin anew."
            )
        if there is None or (
            there["finished"] and (there["settings"] != self.settings or there["start"] != start)
        ):
            foreign = [
                self.state(stage).name
                for stage in STAGES
                if there is None and self.state(stage).exists()
            ]
            if foreign:
                raise ValueError(
                    f"Expected checkpoint to be a new folder, or that of a run. Received: {folder}, which has {foreign[0]} "
                    f"and no {RUN}. Take another folder."
                )
            self.remove()
            self._write(finished=False, start=start)

    def state(self, stage: str) -> Path:
        """The file of one of `STAGES`."""
        return self.folder / f"{stage}.npz"

    def finished(self) -> None:
        """Says that the run came to its end. The state stays, for whoever dies before he has saved his model."""
        there = self._there()
        if there is not None and not there["finished"]:
            self._write(finished=True, start=there["start"])

    def remove(self) -> None:
        """Takes away what this class wrote, and the folder if nothing else is in it."""
        remove(self.folder)

    def _write(self, **more):
        with written_whole(self.folder / RUN) as temporary:
            temporary.write_text(
                json.dumps({"settings": self.settings, **more}, indent=1), encoding="utf-8"
            )

    def _there(self) -> dict | None:
        try:
            there = json.loads((self.folder / RUN).read_text(encoding="utf-8"))
        except FileNotFoundError:
            return None
        except NotADirectoryError:
            raise ValueError(
                f"Expected checkpoint to be a folder. Received: {self.folder}, below a file"
            ) from None
        except ValueError as error:
            raise ValueError(
                f"{self.folder / RUN} is damaged ({error}). Delete it to begin anew."
            ) from error
        if (
            not isinstance(there, dict)
            or not isinstance(there.get("settings"), dict)
            or not {"finished", "start"} <= set(there)
        ):
            raise ValueError(
                f"{self.folder / RUN} is not of a training of this package. Take another folder as checkpoint."
            )
        return there


def remove(folder: str | Path) -> None:
    """Removes a run's state; other files in its folder stay."""
    folder = Path(folder)
    for name in (RUN, *(f"{stage}.npz" for stage in STAGES)):
        stem, suffix = Path(name).stem, Path(name).suffix
        for path in (
            folder / name,
            *folder.glob(f".{stem}-????????{suffix}"),
        ):  # and what a kill left of its writing
            path.unlink(missing_ok=True)
    if folder.is_dir() and not any(folder.iterdir()):
        shutil.rmtree(folder, ignore_errors=True)


class KeepState(keras.callbacks.Callback):
    """Writes the state of a training after each epoch: all variables, the optimizer's too, and what was noted so far.

    Args:
        path: The file.
        notes: Called for `{name: array}` to keep beside the variables.
    """

    def __init__(self, path: Path, notes):
        super().__init__()
        self.path, self.notes = path, notes

    def on_epoch_end(self, epoch, logs=None):
        if logs and not np.isfinite(logs.get("loss", 0)):
            return  # spoilt weights are nothing to go on from
        with written_whole(self.path) as temporary, open(temporary, "wb") as file:
            np.savez(file, epoch=epoch + 1, **self.notes(), **_arrays(self.model))


def epochs_done(path: Path) -> int:
    """How far a state is: 0 if there is none.

    Raises:
        ValueError: If the file is damaged.
    """
    if not path.is_file():
        return 0
    with _understood(path), np.load(path, allow_pickle=False) as file:
        return int(file["epoch"])


def restore(path: Path, model: keras.Model) -> dict[str, np.ndarray]:
    """Puts a state back into a compiled model.

    Returns:
        What was noted beside the variables.

    Raises:
        ValueError: If the file is damaged, or belongs to another model.
    """
    model.optimizer.build(model.trainable_variables)
    with _understood(path):
        with np.load(path, allow_pickle=False) as file:
            kept = dict(file)
        for (kind, number), variable in _variables(model):
            variable.assign(kept.pop(f"{kind}{number}"))
    return kept


@contextlib.contextmanager
def _understood(path):
    try:
        yield
    except (ValueError, KeyError, OSError, EOFError, zipfile.BadZipFile) as error:
        raise ValueError(
            f"{path} could not be read as the state of this training ({error}). Delete it to begin anew."
        ) from error


def digest(arrays: Iterable[np.ndarray]) -> str:
    """SHA-256 over arrays, shapes included."""
    found = hashlib.sha256()
    for array in arrays:
        array = np.ascontiguousarray(array)
        found.update(f"{array.shape}{array.dtype}".encode() + array.tobytes())
    return found.hexdigest()


def _variables(model):
    """Of the model (weights, statistics, the state of its dice) and of its optimizer, in an order that never changes."""
    for kind, owner in (("model", model), ("optimizer", model.optimizer)):
        for number, variable in enumerate(owner.variables):
            yield (kind, number), variable


def _arrays(model):
    return {
        f"{kind}{number}": keras.ops.convert_to_numpy(variable)
        for (kind, number), variable in _variables(model)
    }


def _architecture(model) -> str:
    """The layers' kinds and precision and the shapes of their weights; automatic names differ from process to process."""
    layers = [
        [
            type(layer).__name__,
            layer.dtype_policy.name,
            layer.trainable,
            [weight.shape for weight in layer.weights],
        ]
        for layer in model.layers
    ]
    frozen = [
        weight for layer in model.layers if not layer.trainable for weight in layer.get_weights()
    ]
    return hashlib.sha256(f"{layers} {digest(frozen)}".encode()).hexdigest()[:16]


def _summary(data) -> str | None:
    """A data set in a line: its name, classes, how many, and a digest of all of it: one mask that was mended makes it another."""
    if data is None:
        return None
    arrays = (array for index in range(len(data)) for array in data[index] if array is not None)
    return f"{len(data)} of {data.name}, {', '.join(data.class_names)}, {digest(arrays)[:16]}"


def _named(augment) -> str:
    """Augmentation in words: layers with what they were made with, but their automatic names and seeds."""
    layers = augment if isinstance(augment, (list, tuple)) else [augment]
    return ", ".join(
        str(layer) if layer is None or isinstance(layer, str) else _with_options(layer)
        for layer in layers
    )


def _with_options(layer) -> str:
    options = {
        name: value
        for name, value in layer.get_config().items()
        if name not in ("name", "seed", "dtype", "trainable")
    }
    return (
        f"{type(layer).__name__}({', '.join(f'{name}={value}' for name, value in options.items())})"
    )
