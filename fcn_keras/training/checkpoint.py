"""The state of a training on disk: a run that was killed goes on as if nothing had happened.

Keras' `BackupAndRestore` writes the weights and then the epoch, in two files; killed in between, it
resumes at the wrong epoch. Here a state is one file, moved into place when it is complete.
"""

import contextlib
import hashlib
import json
import re
import shutil
import zipfile
from collections.abc import Iterable
from pathlib import Path

import keras
import numpy as np

from fcn_keras.datasets import items
from fcn_keras.evaluation.scores import Scores
from fcn_keras.support.files import written_whole
from fcn_keras.training import distribution

RUN = "run.json"  # what is being trained; beside it lies a state for each stage
STAGES = ("head", "all")  # training what is not frozen, then fine-tuning everything
DAMAGE = (ValueError, KeyError, OSError, EOFError, zipfile.BadZipFile)  # reading half a file


class Run:
    """One call of `fit` as it lies on disk: how far it is, and what it needs to go on.

    Processes that train together agree here on what they train; process 0 writes, all read.

    Args:
        folder: Of the checkpoint, or `None`: nothing is kept.
        settings: Everything that decides what the run computes, for JSON.
        start: Digest of the weights that the run starts from.
        together: Whether several processes train, each with a run of its own.
        older: As at `Checkpoint`.

    Raises:
        ValueError: If the folder holds another run, or the processes were given different things.
        OSError: If nothing can be written there.
    """

    def __init__(self, folder: Path | None, settings: dict, start: str, together=False, older=None):
        self.together, self.writes, self.checkpoint = together, distribution.is_first(), None
        self.data: str | None = settings.get("data")  # the training data in a line
        if folder and self.writes:
            self.checkpoint = Checkpoint(folder, settings, start, older)
        if together:
            digest_ = hashlib.sha256(str(settings).encode()).hexdigest()[:8]
            distribution.agree_on(
                "data, start weights and settings",
                f"{settings['data']}, weights {start[:8]}, settings {digest_}",
                remedy="Give all of them the same command, on the same files.",
            )
        if folder and not self.writes:  # it reads what process 0 has written by now
            self.checkpoint = Checkpoint(folder, settings, start, older)

    def resume(self, stage, rounds: int, model: keras.Model, history):
        """Puts the kept state of a stage, if there is one, into a compiled model and its history.

        Args:
            stage: The `Stage`.
            rounds: How many epochs it has.
            model: Compiled.
            history: The losses and scores of the epochs that are done are added to it.

        Returns:
            How many epochs are done, and the callbacks that keep the state of those to come.
        """
        path = self.checkpoint and self.checkpoint.state(stage.file)
        keepers = [KeepState(path, history)] if path and self.writes else []
        done = epochs_done(path) if path else 0
        if self.together:  # before one of them takes up what the others do not have
            distribution.agree_on(
                "number of epochs done",
                str(done),
                remedy=f"All need the checkpoint of process 0: share or copy {path}.",
            )
        if not path or not done:
            return 0, keepers
        kept = restore(path, model)
        names = history.class_names
        history.loss += kept["loss"].tolist()
        history.validation += [Scores(confusion, names) for confusion in kept["validation"]]
        stopped = bool(kept.get("stopped", False))  # by a callback, before its last epoch
        return (rounds if stopped else done), keepers

    def finish(self, history) -> None:
        """Marks the run as finished, or removes it if a loss is not finite."""
        if self.checkpoint and self.writes:
            if np.isfinite(history.loss).all():
                self.checkpoint.finished()
            else:
                self.checkpoint.remove()


class Checkpoint:
    """The folder of one run.

    Args:
        folder: Made when missing.
        settings: Everything that decides what the run computes, for JSON. The state of a run with
            other settings is not used.
        start: Digest of the weights that the run starts from. It matters only for a finished run:
            called again with the same weights, `fit` gives back its result; with others, it starts
            a new run.
        older: For some settings, what older versions of the package wrote in their place.

    Raises:
        ValueError: If an unfinished run with other settings lies there, or files of these names
            that belong to no run.
        OSError: If nothing can be written there.
    """

    def __init__(
        self,
        folder: str | Path,
        settings: dict,
        start: str,
        older: dict[str, list[str]] | None = None,
    ):
        self.folder, self.older = Path(folder), older or {}
        self.settings = json.loads(json.dumps(settings, default=str))
        there = self._there()
        if there is None:
            self._refuse_foreign_states()
            self._begin(start)
        elif not there["finished"]:
            self._refuse_other_settings(there["settings"])
        elif there["settings"] != self.settings or there["start"] != start:
            self._begin(start)

    def state(self, stage: str) -> Path:
        """The file of one of `STAGES`."""
        return self.folder / f"{stage}.npz"

    def finished(self) -> None:
        """Says that the run came to its end. The state stays until the model is saved."""
        there = self._there()
        if there is not None and not there["finished"]:
            self._write(finished=True, start=there["start"])

    def remove(self) -> None:
        """Removes what this class wrote, and the folder if nothing else is in it."""
        remove(self.folder)

    def _begin(self, start):
        self.remove()
        self._write(finished=False, start=start)

    def _refuse_foreign_states(self):
        foreign = [path.name for path in map(self.state, STAGES) if path.exists()]
        if foreign:
            raise ValueError(
                "Expected checkpoint to be a new folder, or that of a run. Received: "
                f"{self.folder}, which has {foreign[0]} and no {RUN}. Take another folder."
            )

    def _refuse_other_settings(self, theirs: dict):
        names = {**theirs, **self.settings}
        differ = [
            f"{name}={theirs.get(name)!r}, here {name}={self.settings.get(name)!r}"
            for name in names
            if theirs.get(name) != self.settings.get(name)
        ]
        if differ:
            raise ValueError(
                "Expected checkpoint to be a new folder, or that of an interrupted run with the "
                f"same settings. Received: {self.folder}, of a run with {'; '.join(differ)}. Take "
                "the same settings to go on, or another folder (or delete this one) to begin anew."
            )

    def _write(self, **more):
        text = json.dumps({"settings": self.settings, **more}, indent=1)
        with written_whole(self.folder / RUN) as temporary:
            temporary.write_text(text, encoding="utf-8")

    def _there(self) -> dict | None:
        """What `RUN` says, or `None` if there is none."""
        path = self.folder / RUN
        try:
            there = json.loads(path.read_text(encoding="utf-8"))
        except FileNotFoundError:
            return None
        except NotADirectoryError:
            raise ValueError(
                f"Expected checkpoint to be a folder. Received: {self.folder}, below a file"
            ) from None
        except ValueError as error:
            raise ValueError(f"{path} is damaged ({error}). Delete it to begin anew.") from error
        whole = isinstance(there, dict) and {"finished", "start"} <= set(there)
        if not whole or not isinstance(there.get("settings"), dict):
            raise ValueError(
                f"{path} does not belong to a training of this package. Take another folder as "
                "checkpoint."
            )
        for name, values in self.older.items():
            if there["settings"].get(name) in values:
                there["settings"][name] = self.settings[name]
        return there


def kept_setting(folder: str | Path, name: str):
    """What the unfinished run in a folder has for a setting; `None` if there is no such run."""
    with contextlib.suppress(OSError, ValueError, TypeError, KeyError):  # `Checkpoint` says it
        run = json.loads((Path(folder) / RUN).read_text(encoding="utf-8"))
        return None if run["finished"] else run["settings"][name]
    return None


def remove(folder: str | Path) -> None:
    """Removes a run's state; other files in its folder stay."""
    folder = Path(folder)
    for name in (RUN, *(f"{stage}.npz" for stage in STAGES)):
        stem, suffix = Path(name).stem, Path(name).suffix
        half_written = folder.glob(f".{stem}-????????{suffix}")  # by a process that was killed
        for path in (folder / name, *half_written):
            path.unlink(missing_ok=True)
    if folder.is_dir() and not any(folder.iterdir()):
        shutil.rmtree(folder, ignore_errors=True)


class KeepState(keras.callbacks.Callback):
    """Writes the state of a stage after each epoch: all variables, and what was noted so far.

    Args:
        path: The file.
        history: What was noted; only what this stage adds to it is written.
    """

    def __init__(self, path: Path, history):
        super().__init__()
        self.path, self.history = path, history
        self.losses, self.scores = len(history.loss), len(history.validation)  # of earlier stages

    def on_epoch_end(self, epoch, logs=None):
        if logs and not np.isfinite(logs.get("loss", 0)):
            return  # from spoilt weights nothing can go on
        confusions = [scores.confusion for scores in self.history.validation[self.scores :]]
        notes = {
            "epoch": epoch + 1,
            "loss": np.array(self.history.loss[self.losses :], "float64"),
            "validation": np.array(confusions, "int64"),
            "stopped": self.model.stop_training,
        }
        with written_whole(self.path) as temporary, open(temporary, "wb") as file:
            np.savez(file, **notes, **_arrays(self.model))


def epochs_done(path: Path) -> int:
    """How far a state is: 0 if there is none.

    Raises:
        ValueError: If the file is damaged.
    """
    if not path.is_file():
        return 0
    with _damage_reported(path), np.load(path, allow_pickle=False) as file:
        return int(file["epoch"])


def restore(path: Path, model: keras.Model) -> dict[str, np.ndarray]:
    """Puts a state back into a compiled model whose optimizer has its variables.

    Returns:
        What was noted beside the variables.

    Raises:
        ValueError: If the file is damaged, or belongs to another model.
    """
    with _damage_reported(path):
        with np.load(path, allow_pickle=False) as file:
            kept = dict(file)
        for name, variable in _variables(model):
            variable.assign(kept.pop(name))
    return kept


@contextlib.contextmanager
def _damage_reported(path):
    try:
        yield
    except DAMAGE as error:
        raise ValueError(
            f"{path} could not be read as the state of this training ({error}). Delete it to begin "
            "anew."
        ) from error


def _variables(model):
    """The variables of the model, random states too, and of its optimizer, in one order."""
    for kind, owner in (("model", model), ("optimizer", model.optimizer)):
        for number, variable in enumerate(owner.variables):
            yield f"{kind}{number}", variable


def _arrays(model):
    return {name: keras.ops.convert_to_numpy(variable) for name, variable in _variables(model)}


def digest(arrays: Iterable[np.ndarray]) -> str:
    """SHA-256 over arrays, shapes included."""
    found = hashlib.sha256()
    for array in arrays:
        array = np.ascontiguousarray(array)
        found.update(f"{array.shape}{array.dtype}".encode() + array.tobytes())
    return found.hexdigest()


def architecture(model: keras.Model) -> str:
    """A digest of the kinds, precisions and shapes of a model's layers, and of its frozen weights.

    It is the same on every backend. Automatic layer names are not part of it: they differ from
    process to process. Neither is whether a layer without weights is frozen: a file does not say.
    """
    rows = [
        [kind, dtype, frozen, shapes] if shapes else [kind, dtype]
        for kind, dtype, frozen, shapes in _layers(model)
    ]
    return _digest(f"{rows} {_frozen_weights(model)}")


def older_architectures(model: keras.Model) -> list[str]:
    """What versions up to 0.1 noted in place of `architecture`, on one backend or another."""
    found, weights = [], _frozen_weights(model)
    for trainable in (True, False):  # of the input, as it was built or loaded from a file
        rows = [
            [kind, dtype, trainable if kind == "InputLayer" else not frozen, shapes]
            for kind, dtype, frozen, shapes in _layers(model)
        ]
        text = f"{rows} {weights}"
        found += [_digest(text), _digest(re.sub(r"\(([\d, ]*?),?\)", r"TensorShape([\1])", text))]
    return found


def _layers(model):
    """Kind, precision, whether it is frozen, and the shapes of its weights, for each layer."""
    for layer in model.layers:
        shapes = [tuple(weight.shape) for weight in layer.weights]
        yield type(layer).__name__, layer.dtype_policy.name, not layer.trainable, shapes


def _frozen_weights(model) -> str:
    fixed = [layer for layer in model.layers if not layer.trainable]
    return digest(weight for layer in fixed for weight in layer.get_weights())


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def data_in_a_line(data) -> str | None:
    """A data set's name, classes and length, and a digest of every image and mask in it."""
    if data is None:
        return None
    classes = ", ".join(data.class_names)
    if not items.stay_the_same(data):  # a digest would be that of one random drawing
        return f"{len(data)} of {data.name}, {classes}, different at every reading"
    arrays = (array for index in range(len(data)) for array in data[index] if array is not None)
    return f"{len(data)} of {data.name}, {classes}, {digest(arrays)[:16]}"


def in_words(given) -> str:
    """Layers, losses or optimizers with their options, but without automatic names and seeds."""
    given = getattr(given, "layers", given)  # of a pipeline
    if isinstance(given, (list, tuple)):
        return ", ".join(map(in_words, given))
    return _with_options(given) if hasattr(given, "get_config") else str(given)


def _with_options(configured) -> str:
    own = ("name", "seed", "dtype", "trainable")
    options = {name: value for name, value in configured.get_config().items() if name not in own}
    listed = ", ".join(f"{name}={value}" for name, value in options.items())
    return f"{type(configured).__name__}({listed})"
