"""The lecture's experiment: data, frozen encoder, head, scores (lecture: L22–L25).

All figures of `lecture` are drawn from one `Experiment`. Each part of it is made when it is first
asked for, so each figure makes what it needs, and what several figures need is made once. Trained
networks are kept under `files.home()`.
"""

import contextlib
import dataclasses
import hashlib
import json
import shutil
import time
import warnings
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

import keras
import numpy as np

import fcn_keras
from fcn_keras import backbones, datasets, evaluation, models, training
from fcn_keras.datasets.drawn import ROADS_VERSION
from fcn_keras.lecture import snapshots
from fcn_keras.models.precision import Precision
from fcn_keras.support import files
from fcn_keras.training import checkpoint

BAND_WIDTHS = (1, 2, 4, 8)
# The networks of L19 and L20 are only compared: they are trained for this share of the steps.
STRIDE_STEPS = 1 / 4
LEARNING_RATE = 4e-3
ROAD = {"road": ["road"]}


@dataclass(frozen=True)
class Settings:
    """The choices of the command line.

    `width` is the head's: of conv6 and fcn4, and of the lecture network's skips where they are
    wider. The lecture's own choices are `backbone="vgg16", width=4096, steps=300, batch_size=20`.
    A small head gets further with many small steps in the same time. `backbone` is
    `backbones.default_name()` if none is named.
    """

    data: str = "road_scenes"
    network: Literal["lecture", "fcn"] = "lecture"
    stride: Literal[8, 16, 32] = 8
    fusion: Literal["sum", "concat"] = "sum"
    backbone: str = field(default_factory=backbones.default_name)
    backbone_weights: str | None = None
    width: int = 32
    steps: int = 600
    batch_size: int = 8
    seed: int = 0
    size: tuple[int, int] | None = None
    precision: Precision = "float32"


class NotedSettings:
    """Settings that note which of them were read: the others had no effect."""

    def __init__(self, settings: Settings):
        self.all = settings
        self.read: set[str] = set()

    def __getattr__(self, name: str):
        self.read.add(name)
        return getattr(self.all, name)


@dataclass(frozen=True)
class Trained:
    """A trained network and its results on the test scenes.

    `bands` are the scores in a band along the road's edge, by its width in pixels.
    """

    model: keras.Model
    history: training.History
    labels: list[np.ndarray]  # predicted label map of each test scene
    scores: evaluation.Scores
    bands: dict[int, evaluation.Scores]


class Experiment:
    """Everything that the lecture's figures are drawn from.

    Args:
        settings: What to train, and on which data.
        reuse: Whether to load what an earlier run with the same settings trained, instead of
            training again.

    Attributes:
        settings_read: The names of the settings that had an effect until now.

    Raises (when the part in question is first asked for):
        ValueError, FileNotFoundError, OSError: As `datasets.open_data`, `backbones.by_name`,
            `models.fcn` and `training.fit` do.
    """

    def __init__(self, settings: Settings = Settings(), reuse: bool = False):
        self.settings = NotedSettings(settings)
        self.settings_read = self.settings.read
        self.reuse = reuse
        self._unfinished: list[Path] = []
        self.seconds: dict[str, float] = {}

    @cached_property
    def data(self) -> datasets.Opened:
        """All classes, for training and for testing."""
        settings = self.settings
        with self._timed("data"):
            opened = datasets.open_data(settings.data, seed=settings.seed, size=settings.size)
            if settings.data == "road_scenes":
                datasets.draw_all([opened.train, opened.test])
        return opened

    @cached_property
    def road(self) -> datasets.Opened:
        """The same images with the lecture's question: road or not."""
        class_names = self.data.train.class_names
        if "road" not in class_names:
            raise ValueError(
                f"Expected data with a class named road. Received: classes {', '.join(class_names)}"
            )
        if len(class_names) == 2:
            return self.data
        return self.data.view(ROAD)

    @cached_property
    def image_size(self) -> tuple[int, int]:
        """Height and width of the first test image, for the sizes in the architecture figures."""
        height, width = self.data.test[0][0].shape[:2]
        return height, width

    @cached_property
    def encoder(self) -> keras.Model:
        with models.precision(self.settings.precision):
            weights = self.settings.backbone_weights or "pretrained"
            return backbones.by_name(self.settings.backbone, weights)

    def network(self) -> keras.Model:
        """The network of the settings, untrained. Its first weights depend on the seed alone."""
        settings = self.settings
        if settings.network != "lecture":
            return self.fcn(settings.stride, settings.fusion)
        width = settings.width
        with self._seeded():
            return models.lecture_fcn(2, self.encoder, width, skip_width=width)

    def fcn(self, stride, fusion: Any = "sum") -> keras.Model:
        """FCN-32s, 16s or 8s, untrained (lecture: L19, L20)."""
        width = self.settings.width
        with self._seeded():
            return models.fcn(2, stride, self.encoder, fusion, width=width)

    @cached_property
    def features(self) -> training.FrozenFeatures | None:
        """The frozen encoder's outputs for every training image, which every head reads.

        `None` if the images differ in size.
        """
        train = self.road.train  # opened first, so that drawing is not counted here
        try:
            found = training.frozen_features(
                models.fcn(2, 8, self.encoder, width=1), train, flip=True
            )
        except training.ImagesDifferInSize:
            return None
        self.seconds["frozen features"] = found.seconds
        return found

    @cached_property
    def trained(self) -> Trained:
        """The network of the settings, trained."""
        return self._scored(self.settings.network, self.network, self.settings.steps, keep=True)

    @cached_property
    def snapshots(self) -> dict[int, keras.Model]:
        """The network of the settings at a few moments of its training: `{steps done: model}`."""
        model = self.trained.model
        return snapshots.read(self._folder_of(self.settings.network), model)

    @cached_property
    def strides(self) -> dict[int, Trained]:
        """FCN-32s, 16s and 8s, each trained for a quarter of the steps."""
        return {
            stride: self._scored(f"fcn{stride}s", lambda s=stride: self.fcn(s), self.few_steps)
            for stride in models.STRIDES
        }

    @property
    def few_steps(self) -> int:
        """Steps for networks that are only compared with each other."""
        return max(1, round(self.settings.steps * STRIDE_STEPS))

    def train_once(self, name: str, train: Callable) -> tuple[keras.Model, training.History]:
        """A model that is trained once and saved for later runs with the same settings.

        Args:
            name: Under which it is saved.
            train: Called without arguments if nothing was saved; returns the model and its history.
        """
        folder = self._folder_of(name)
        if self.reuse and (folder / "history.json").is_file():
            notes = json.loads((folder / "history.json").read_text())
            self.settings_read.update(notes.pop("settings", vars(self.settings.all)))
            return models.load(folder / "model.keras"), training.History(**notes)
        model, history = train()
        _save(folder, model, history, sorted(self.settings_read))
        return model, history

    def train_head(
        self, name: str, build: Callable[[], keras.Model], steps: int, keep: bool = False
    ):
        """Builds a network and trains its head on the roads, with the encoder's kept outputs.

        Args:
            name: Under which the state is kept until the whole experiment is done.
            build: Returns the network, untrained.
            steps: Training steps.
            keep: Whether to keep the head at a few moments of its training: see `snapshots`.

        Returns:
            The model and its history.
        """
        features = self.features
        model = build()
        watching = [snapshots.Snapshots(self._folder_of(name), steps)] if keep else []
        with warnings_left_to_the_history():
            history = training.fit(
                model,
                self.road.train,
                steps=steps,
                batch_size=self.settings.batch_size,
                learning_rate=LEARNING_RATE,
                augment="flip",
                seed=self.settings.seed,
                features=features,
                checkpoint=self._checkpoint(name),
                callbacks=watching,
            )
        self.seconds[f"training {name}"] = history.seconds["training"]
        return model, history

    def _scored(self, name, build, steps, keep=False) -> Trained:
        """A network, trained once, with its scores on the test scenes."""
        model, history = self.train_once(name, lambda: self.train_head(name, build, steps, keep))
        test = self.road.test
        with self._timed(f"evaluating {name}"):
            pairs = list(evaluation.label_pairs(model, test))
            scores = evaluation.score_pairs(pairs, test)
            bands = evaluation.score_bands(pairs, test, BAND_WIDTHS)
        labels = [predicted.astype("uint8") for _, predicted in pairs]
        return Trained(model, history, labels, scores, bands)

    def _checkpoint(self, name) -> Path | None:
        """The folder of a training's state, from which a run that was killed goes on."""
        folder = files.home() / "unfinished" / self._folder_of(name).name
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError:  # a read-only home must not stop a class
            return None
        self._unfinished.append(folder)
        return folder

    def finished(self) -> None:
        """Deletes the states of the trainings, when all that was wanted of them is written."""
        for folder in self._unfinished:
            checkpoint.remove(folder)

    def _folder_of(self, name: str) -> Path:
        """Where a trained network is saved; other code, weights or data have another folder."""
        settings = dataclasses.asdict(self.settings.all)
        settings["vgg16_weights"] = settings.pop("backbone_weights")  # their name in 0.1.0
        recipe = [
            name,
            fcn_keras.__version__,
            ROADS_VERSION,
            keras.__version__,
            settings,
            *([] if self.settings.data == "road_scenes" else [self._pictures]),
        ]
        digest = hashlib.sha256(json.dumps(recipe, sort_keys=True).encode())
        digest.update(backbones.SMALL_VGG_WEIGHTS.read_bytes())
        return files.home() / "trained" / f"{name}-{digest.hexdigest()[:16]}"

    @cached_property
    def _pictures(self) -> list[list[str]]:
        """Digests of the pictures of both parts: a folder may have got others since."""
        parts = (self.data.train, self.data.test)
        return [[part.digest(index) for index in range(len(part))] for part in parts]

    @contextlib.contextmanager
    def _seeded(self):
        """Builds a network with the settings' seed and precision."""
        keras.utils.set_random_seed(self.settings.seed)
        with models.precision(self.settings.precision):
            yield

    @contextlib.contextmanager
    def _timed(self, stage: str):
        start = time.perf_counter()
        yield
        self.seconds[stage] = time.perf_counter() - start

    def report(self) -> dict:
        """The content of `scores.json`: scores, IoU per class, boundary bands, seconds."""
        model = self.trained.model
        trained_parameters = sum(row.parameters for row in models.describe(model) if row.trained)
        runs = (self.trained, *self.strides.values())
        return {
            "settings": dataclasses.asdict(self.settings.all),
            "versions": {
                "fcn_keras": fcn_keras.__version__,
                "keras": keras.__version__,
                "backend": keras.backend.backend(),
            },
            "images": {"trained on": len(self.road.train), "tested on": len(self.road.test)},
            "parameters": {"all": model.count_params(), "trained": trained_parameters},
            "test": self.trained.scores.as_dict(),
            "boundary_band_error": _band_errors(self.trained),
            "strides": {
                str(stride): {**run.scores.as_dict(), "boundary_band_error": _band_errors(run)}
                for stride, run in self.strides.items()
            },
            "warnings": [message for run in runs for message in run.history.warnings],
            "seconds": {stage: round(seconds, 1) for stage, seconds in self.seconds.items()},
        }


@contextlib.contextmanager
def warnings_left_to_the_history():
    """Hides the warnings of a training: `history.warnings` has them, for the end of the run."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", training.TrainingWarning)
        yield


def _save(folder: Path, model: keras.Model, history: training.History, settings: list) -> None:
    """Saves a trained network and the settings that it depends on, unless it went wrong."""
    if history.warnings:
        return
    notes = {
        "loss": history.loss,
        "steps_per_epoch": history.steps_per_epoch,
        "seconds": history.seconds,
        "settings": settings,
    }
    try:
        with files.written_whole(folder / "model.keras") as temporary:
            model.save(temporary)
        with files.written_whole(folder / "history.json") as temporary:
            temporary.write_text(json.dumps(notes))
    except OSError:  # a full disk or a read-only home must not lose the run
        shutil.rmtree(folder, ignore_errors=True)


def _band_errors(trained: Trained) -> dict[str, float]:
    return {
        str(width): round(float(scores.pixel_error), 6) for width, scores in trained.bands.items()
    }
