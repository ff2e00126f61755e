"""The lecture's experiment: data, frozen encoder, head, scores (lecture: F). Each part is made when first asked for.

The figures of `lecture` are drawn from one `Experiment`; so each knows what it needs, and
what several need is computed once. What was trained is kept under `files.home()`.
"""

import dataclasses
import hashlib
import json
import shutil
import time
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import keras
import numpy as np

import fcn_keras
from fcn_keras import backbones, datasets, evaluation, models, training
from fcn_keras.datasets.drawn import ROADS_VERSION
from fcn_keras.support import files
from fcn_keras.training import checkpoint

BAND_WIDTHS = (1, 2, 4, 8)
STRIDE_STEPS = (
    1 / 4
)  # the three networks of L20 are trained for this share of the steps: they are only compared
LEARNING_RATE = 4e-3
ROAD = {"road": ["road"]}


@dataclass(frozen=True)
class Settings:
    """What the command line says.

    `width` is the head's: of conv6 and fcn4, and of the lecture network's skips where they are wider.
    The lecture's own are `backbone="vgg16", width=4096, steps=300, batch_size=20`. Many small steps get
    further with a small head in the same time.
    """

    data: str = "road_scenes"
    network: str = "lecture"
    stride: int = 8
    fusion: str = "sum"
    backbone: str = "small_vgg"
    vgg16_weights: str | None = None
    width: int = 32
    steps: int = 600
    batch_size: int = 8
    seed: int = 0
    size: tuple[int, int] | None = None
    precision: str = "float32"


@dataclass(frozen=True)
class Trained:
    """A trained network and what it says about the test scenes."""

    model: keras.Model
    history: training.History
    labels: list[np.ndarray]  # predicted label map of each test scene
    scores: evaluation.Scores
    bands: dict[
        int, evaluation.Scores
    ]  # band width in pixels → scores in the band along the road's edge


class Experiment:
    """Everything the lecture's figures are drawn from.

    Args:
        settings: What to train, on what.
        reuse: Take what an earlier run with the same settings trained, instead of training again.

    Raises (when the part in question is asked for):
        ValueError, FileNotFoundError, OSError: As `datasets.open_data`, `backbones.vgg16`, `models.fcn` and
            `training.fit` do.
    """

    def __init__(self, settings: Settings = Settings(), reuse: bool = False):
        self.settings = settings
        self.reuse = reuse
        self._unfinished: list[Path] = []
        self.seconds: dict[str, float] = {}

    @cached_property
    def data(self) -> datasets.Opened:
        """All classes, for training and for testing."""
        start = time.perf_counter()
        opened = datasets.open_data(
            self.settings.data, seed=self.settings.seed, size=self.settings.size
        )
        if self.settings.data == "road_scenes":
            datasets.draw_all([opened.train, opened.test])
        self.seconds["data"] = time.perf_counter() - start
        return opened

    @cached_property
    def road(self) -> datasets.Opened:
        """The same images with the lecture's question: road or not."""
        if "road" not in self.data.train.class_names:
            raise ValueError(
                f"Expected data with a class named road. Received: classes {', '.join(self.data.train.class_names)}"
            )
        if len(self.data.train.class_names) == 2:
            return self.data
        return datasets.Opened(self.data.train.view(ROAD), self.data.test.view(ROAD))

    @cached_property
    def image_size(self) -> tuple[int, int]:
        """Height and width of the first test image, for the sizes in the architecture figures."""
        return self.data.test[0][0].shape[:2]

    @cached_property
    def encoder(self) -> keras.Model:
        with models.precision(self.settings.precision):
            return backbones.by_name(self.settings.backbone, self.settings.vgg16_weights)

    def network(self) -> keras.Model:
        """The network of the settings, untrained; its start weights depend on the seed alone."""
        keras.utils.set_random_seed(self.settings.seed)
        with models.precision(self.settings.precision):
            if self.settings.network == "lecture":
                return models.lecture_fcn(
                    2, self.encoder, self.settings.width, skip_width=self.settings.width
                )
            return models.fcn(
                2,
                self.settings.stride,
                self.encoder,
                self.settings.fusion,
                width=self.settings.width,
            )

    def fcn(self, stride: int) -> keras.Model:
        """FCN-32s, 16s or 8s, untrained, for the comparison of strides (lecture: L20)."""
        keras.utils.set_random_seed(self.settings.seed)
        with models.precision(self.settings.precision):
            return models.fcn(2, stride, self.encoder, width=self.settings.width)

    @cached_property
    def features(self) -> training.FrozenFeatures | None:
        """The frozen encoder's pool3, pool4 and pool5 of every training image; every head reads them."""
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
        return self._trained(self.network, self.settings.network, self.settings.steps)

    @cached_property
    def strides(self) -> dict[int, Trained]:
        """FCN-32s, 16s and 8s, each trained for a quarter of the steps."""
        steps = max(1, round(self.settings.steps * STRIDE_STEPS))
        return {
            stride: self._trained(lambda s=stride: self.fcn(s), f"fcn{stride}s", steps)
            for stride in models.STRIDES
        }

    def kept(self, name: str, train: Callable) -> tuple[keras.Model, training.History]:
        """A model that is trained once and kept for later runs with the same settings.

        Args:
            name: Under which it is kept.
            train: Called without arguments where nothing is kept; returns the model and its history.
        """
        folder = self._kept(name)
        if self.reuse and (folder / "history.json").is_file():
            return models.load(folder / "model.keras"), training.History(
                **json.loads((folder / "history.json").read_text())
            )
        model, history = train()
        self._keep(folder, model, history)
        return model, history

    def _trained(self, build, name, steps) -> Trained:
        model, history = self.kept(name, lambda: self._train(build, name, steps))
        start = time.perf_counter()
        pairs = list(evaluation.label_pairs(model, self.road.test))
        scores = evaluation.score_pairs(pairs, self.road.test)
        bands = evaluation.score_bands(pairs, self.road.test, BAND_WIDTHS)
        self.seconds[f"evaluating {name}"] = time.perf_counter() - start
        return Trained(
            model, history, [predicted.astype("uint8") for _, predicted in pairs], scores, bands
        )

    def _train(self, build, name, steps):
        features = self.features
        model = build()
        with warnings.catch_warnings():
            warnings.simplefilter(
                "ignore", training.TrainingWarning
            )  # told at the end, from history.warnings
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
            )
        self.seconds[f"training {name}"] = history.seconds["training"]
        return model, history

    def _checkpoint(self, name) -> Path | None:
        """Where a training's state lies until the whole experiment is done, so that one that was killed goes on."""
        folder = files.home() / "unfinished" / self._kept(name).name
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError:  # a read-only home must not stop a class
            return None
        self._unfinished.append(folder)
        return folder

    def finished(self) -> None:
        """Forgets the states of the trainings, when all that was wanted of them is written."""
        for folder in self._unfinished:
            checkpoint.remove(folder)

    def _kept(self, name: str) -> Path:
        """Where a trained network of these settings is kept; other code, weights or scenes, another place."""
        recipe = [
            name,
            fcn_keras.__version__,
            ROADS_VERSION,
            keras.__version__,
            dataclasses.asdict(self.settings),
        ]
        digest = hashlib.sha256(json.dumps(recipe, sort_keys=True).encode())
        digest.update(backbones.SMALL_VGG_WEIGHTS.read_bytes())
        return files.home() / "trained" / f"{name}-{digest.hexdigest()[:16]}"

    @staticmethod
    def _keep(folder, model, history):
        if history.warnings:
            return
        try:
            with files.written_whole(folder / "model.keras") as temporary:
                model.save(temporary)
            with files.written_whole(folder / "history.json") as temporary:
                plain = {
                    "loss": history.loss,
                    "steps_per_epoch": history.steps_per_epoch,
                    "seconds": history.seconds,
                }
                temporary.write_text(json.dumps(plain))
        except OSError:  # a full disk or a read-only home must not lose the run
            shutil.rmtree(folder, ignore_errors=True)

    def report(self) -> dict:
        """What goes into `scores.json`: the paper's four scores, IoU per class, boundary bands, seconds."""
        return {
            "settings": dataclasses.asdict(self.settings),
            "versions": {
                "fcn_keras": fcn_keras.__version__,
                "keras": keras.__version__,
                "backend": keras.backend.backend(),
            },
            "images": {"trained on": len(self.road.train), "tested on": len(self.road.test)},
            "parameters": {
                "all": self.trained.model.count_params(),
                "trained": sum(
                    row.parameters for row in models.describe(self.trained.model) if row.trained
                ),
            },
            "test": self.trained.scores.as_dict(),
            "boundary_band_error": _band_errors(self.trained),
            "strides": {
                str(stride): {
                    **trained.scores.as_dict(),
                    "boundary_band_error": _band_errors(trained),
                }
                for stride, trained in self.strides.items()
            },
            "warnings": [
                w
                for trained in (self.trained, *self.strides.values())
                for w in trained.history.warnings
            ],
            "seconds": {stage: round(seconds, 1) for stage, seconds in self.seconds.items()},
        }


def _band_errors(trained: Trained) -> dict[str, float]:
    return {
        str(width): round(float(scores.pixel_error), 6) for width, scores in trained.bands.items()
    }
