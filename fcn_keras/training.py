"""Compile and fit (lecture: L24). What is frozen is computed once; what went wrong is named.

The lecture's loop sends every image of every step through the frozen encoder, although its
answer never changes. `fit` asks the encoder once per image, trains the head on the answers, and the
model that was passed in, whole, is the one that has learnt.
"""

import json
import shutil
import time
import warnings
from dataclasses import dataclass, field
from pathlib import Path

import keras
import numpy as np

from fcn_keras.datasets import VOID
from fcn_keras.diagnosis import diagnose
from fcn_keras.evaluation import Scores, evaluate
from fcn_keras.frozen import FeatureBatches, FrozenFeatures, ImagesDifferInSize, frozen_border, frozen_features, head
from fcn_keras.geometry import inputs_of
from fcn_keras.layers import CropToMatch
from fcn_keras.progress import progress

FINE_TUNING_RATE = 3e-4
STEPS_A_ROUND = 50  # with steps=, a checkpoint is written and the data order renewed this often


class TrainingWarning(UserWarning):
    """A training that ended badly; the message names the likely cause."""


@dataclass
class History:
    """What happened in a training."""

    loss: list[float] = field(default_factory=list)  # one per step
    steps_per_epoch: int = 1
    validation: list[Scores] = field(default_factory=list)  # one per epoch, if there was validation data
    seconds: dict[str, float] = field(default_factory=dict)  # "features" and "training"
    warnings: list[str] = field(default_factory=list)

    @property
    def history(self) -> dict[str, list[float]]:
        """As Keras' `History.history`: mean loss per epoch, and the validation scores."""
        epochs = [self.loss[i : i + self.steps_per_epoch] for i in range(0, len(self.loss), self.steps_per_epoch)]
        out = {"loss": [float(np.mean(epoch)) for epoch in epochs]}
        if self.validation:
            out["val_mean_iou"] = [scores.mean_iou for scores in self.validation]
        return out


def fit(
    model: keras.Model,
    train,
    validation=None,
    epochs: int | None = None,
    steps: int | None = None,
    batch_size: int = 20,
    learning_rate: float = 1e-3,
    decay: bool = True,
    augment=None,
    seed: int = 0,
    checkpoint: str | Path | None = None,
    features: FrozenFeatures | None = None,
    cache: bool = True,
    unfreeze: str | None = None,
    fine_tuning: int | None = None,
    fine_tuning_rate: float = FINE_TUNING_RATE,
) -> History:
    """Trains a model: softmax cross-entropy without void, Adam (lecture: L24).

    A data set made by `data.reconstruction()` is trained on with the mean squared error instead.
    Layers whose `trainable` is False stay as they are, and what they compute is computed once
    (twice with flips), unless the images differ in size or are augmented in another way.

    Args:
        model: Any model of `models`; it is trained in place.
        train: `SegmentationData` with labels.
        validation: `SegmentationData` to score after each epoch (with `steps`: after each round
            of at most 50 steps), or `None`.
        epochs: How often to go through the data. Exactly one of `epochs` and `steps` is given.
        steps: How many batches, each drawn at random.
        batch_size: Images per step; the lecture's 20.
        learning_rate: Adam's, at the start; the lecture's 1e-3.
        decay: Whether the rate falls to zero along a cosine. `False`: constant, as the lecture's.
        augment: As at `SegmentationData.batches`.
        seed: Order of the data. The start weights are the model's.
        checkpoint: Folder for the state after each epoch; a run that was killed goes on from there.
        features: Result of `frozen_features`, when several heads share one encoder and data set.
        cache: `False`: send every image of every step through the whole model, as the lecture's
            loop does. Slower, the same weights within rounding.
        unfreeze: `"after"`: when the head is trained, train everything, the encoder too, at a low
            rate. The head comes first because its random start would spoil the encoder. `None`: leave
            what is frozen as it is. Afterwards the same layers are frozen as before.
        fine_tuning: With `"after"`: how many epochs or steps more, counted as the first ones; by
            default a quarter as many.
        fine_tuning_rate: With `"after"`: Adam's rate then.

    Returns:
        `History`. Warns with `TrainingWarning` if the loss is not a number or one class is predicted everywhere.

    Raises:
        TypeError: If `train` is not a data set of `fcn_keras.datasets`.
        ValueError: If not exactly one of `epochs` and `steps` is given, nothing can be trained, nothing is
            frozen that could be unfrozen, or model and data do not fit.
    """
    _check(model, train, epochs, steps)
    frozen = _check_unfreeze(model, unfreeze, fine_tuning)
    history = History()
    common = dict(
        train=train, validation=validation, batch_size=batch_size, decay=decay, augment=augment, cache=cache, history=history
    )
    head_state, all_state = (checkpoint and Path(checkpoint) / name for name in ("head", "all"))
    _train(
        model, epochs=epochs, steps=steps, learning_rate=learning_rate, seed=seed, checkpoint=head_state,
        features=features, stage="training", **common,
    )  # fmt: skip
    if frozen and np.isfinite(history.loss[-1] if history.loss else 0):
        more = fine_tuning or max((epochs or steps) // 4, 1)
        for layer in frozen:
            layer.trainable = True
        try:
            _train(
                model, epochs=epochs and more, steps=steps and more, learning_rate=fine_tuning_rate, seed=seed + 1,
                checkpoint=all_state, features=None, stage="fine-tuning", **common,
            )  # fmt: skip
        finally:
            for layer in frozen:
                layer.trainable = False
    for state in filter(None, (head_state, all_state)):  # kept until the last stage was done
        shutil.rmtree(state, ignore_errors=True)
    history.warnings = diagnose(model, train, history)
    for message in history.warnings:
        warnings.warn(message, TrainingWarning, stacklevel=2)
    return history


def _train(
    model, train, validation, epochs, steps, batch_size, learning_rate, decay, augment, seed, checkpoint, features, cache,
    history, stage,
):  # fmt: skip
    """One stage: what is frozen stays frozen, and is computed once."""
    if steps is None:
        batches = train.batches(batch_size, shuffle=True, augment=augment, seed=seed)
    else:
        batches = train.batches(batch_size, augment=augment, seed=seed, steps=_steps_a_round(steps))
        epochs = steps // len(batches)
    history.steps_per_epoch = len(batches)

    trained_part, source = model, batches
    if cache and batches.augment and frozen_border(model):
        print("Frozen features are not kept: augmentation other than flips changes the images. Every step computes them again.")
    elif cache and frozen_border(model):
        try:
            features = features or frozen_features(model, train, flip=batches.flip)
        except ImagesDifferInSize as difference:
            print(f"Frozen features are not kept: {difference}. Every step computes them again.")
        else:
            trained_part, source = head(model), FeatureBatches(batches, model, features)
            history.seconds["features"] = features.seconds

    trained_part.compile(
        optimizer=keras.optimizers.Adam(
            keras.optimizers.schedules.CosineDecay(learning_rate, epochs * len(batches)) if decay else learning_rate
        ),
        loss="mean_squared_error" if batches.reconstructs else segmentation_loss(),
        # On a CPU compiling with XLA costs more than it brings; JAX cannot do without.
        jit_compile=False if keras.backend.backend() == "tensorflow" else "auto",
    )
    start = time.perf_counter()
    with progress(f"{stage} {model.name}", epochs * len(batches)) as advance:
        callbacks = [_Watch(history, batches, advance)]
        if validation is not None:
            callbacks.append(keras.callbacks.LambdaCallback(
                on_epoch_end=lambda epoch, logs: history.validation.append(evaluate(model, validation))
            ))  # fmt: skip
        if checkpoint is not None:
            callbacks.append(keras.callbacks.BackupAndRestore(str(checkpoint), double_checkpoint=True, delete_checkpoint=False))
            batches.epoch = _epochs_done(checkpoint)  # the backend reads ahead before the first callback is asked
        # The batches know their own order; Keras would shuffle them once more, and not by our seed.
        trained_part.fit(source, epochs=epochs, shuffle=False, verbose=0, callbacks=callbacks)
    history.seconds[stage] = time.perf_counter() - start


def _check_unfreeze(model, unfreeze, fine_tuning) -> list:
    """The layers that `unfreeze="after"` will unfreeze."""
    if unfreeze not in (None, "after"):
        raise ValueError(f"Expected unfreeze to be 'after' or None. Received: unfreeze={unfreeze!r}")
    if fine_tuning is not None and (unfreeze is None or not isinstance(fine_tuning, (int, np.integer)) or fine_tuning < 1):
        raise ValueError(
            "Expected fine_tuning to be a whole number of at least 1, with unfreeze='after'. "
            f"Received: fine_tuning={fine_tuning!r}, unfreeze={unfreeze!r}"
        )
    if unfreeze is None:
        return []
    frozen = [layer for layer in model.layers if layer.weights and not layer.trainable]
    if not frozen:
        raise ValueError(f"Expected a model with frozen layers to unfreeze. Received: {model.name!r}, all of it trained")
    return frozen


@keras.saving.register_keras_serializable("fcn_keras")
class PixelwiseCrossEntropy(keras.losses.Loss):
    """Softmax cross-entropy at every pixel, mean over all pixels that are not void (lecture: L24).

    At a pixel whose class has the score s, it is log Σ exp(scores) − s: small when s stands out. Keras'
    `SparseCategoricalCrossentropy(from_logits=True, ignore_class=255)` gives the same number, but with a few classes
    takes three times as long, a third of a training step: sums over a short last axis are slow, so here the classes come first.
    """

    def call(self, y_true, y_pred):
        """Class numbers `(B, H, W)`, 255 for void, and logits `(B, H, W, C)` → one number; 0 if all is void."""
        known = keras.ops.not_equal(y_true, VOID)
        labels = keras.ops.where(known, y_true, 0)
        scores = keras.ops.moveaxis(y_pred, -1, 0)  # (C, B, H, W)
        classes = keras.ops.one_hot(labels, scores.shape[0], axis=0, dtype=y_pred.dtype)  # as scores: 1 at the pixel's class
        losses = keras.ops.logsumexp(scores, axis=0) - keras.ops.sum(classes * scores, axis=0)  # (B, H, W)
        count = keras.ops.sum(keras.ops.cast(known, y_pred.dtype))
        return keras.ops.sum(keras.ops.where(known, losses, 0.0)) / keras.ops.maximum(count, 1.0)


def segmentation_loss() -> keras.losses.Loss:
    """What segmentation networks are trained with here: `PixelwiseCrossEntropy`."""
    return PixelwiseCrossEntropy()


def _epochs_done(checkpoint) -> int:
    """Where `BackupAndRestore` will go on, from the note that it keeps beside the weights."""
    note = Path(checkpoint) / "training_metadata.json"
    return json.loads(note.read_text())["epoch"] if note.is_file() else 0


def _steps_a_round(steps: int) -> int:
    """The largest divisor of `steps` up to 50: Keras wants rounds ("epochs") of equal length."""
    return max(size for size in range(1, STEPS_A_ROUND + 1) if steps % size == 0)


class _Watch(keras.callbacks.Callback):
    """Notes the loss of every step, tells the batches which epoch it is, and stops at NaN."""

    def __init__(self, history, batches, advance):
        super().__init__()
        self.notes, self.batches, self.advance = history, batches, advance

    def on_train_begin(self, logs=None):
        done = self.model._initial_epoch or 0  # set by BackupAndRestore when it goes on
        self.advance(done * len(self.batches))

    def on_epoch_begin(self, epoch, logs=None):
        self.batches.epoch = epoch  # right even when the run was resumed in the middle

    def on_train_batch_begin(self, batch, logs=None):
        self.model.reset_metrics()  # Keras reports the mean since the last reset; we want this step's loss

    def on_train_batch_end(self, batch, logs=None):
        loss = float(logs["loss"])
        self.notes.loss.append(loss)
        self.advance(1, f"loss {loss:.3f}")
        if not np.isfinite(loss):
            self.model.stop_training = True


def _check(model, train, epochs, steps):
    if not hasattr(train, "batches"):
        raise TypeError(f"Expected train to be a data set of fcn_keras.datasets. Received: {type(train).__name__}")
    if (epochs is None) == (steps is None):
        raise ValueError(f"Expected exactly one of epochs and steps. Received: epochs={epochs}, steps={steps}")
    number = steps if epochs is None else epochs
    if not isinstance(number, (int, np.integer)) or number < 1:
        raise ValueError(f"Expected epochs or steps to be a whole number of at least 1. Received: {number!r}")
    if not model.trainable_weights:
        raise ValueError(f"Expected a model with something to train. Received: {model.name!r}, all of it frozen")
    target = train[0][1]
    if target is None:
        raise ValueError(f"Expected data with labels. Received: {train!r}, which has none")
    if target.ndim == 2:
        if model.output_shape[-1] != train.num_classes:
            raise ValueError(
                f"Expected a model with {train.num_classes} outputs, one for each class of the data "
                f"({', '.join(train.class_names)}). Received: {model.name!r} with {model.output_shape[-1]}"
            )
        if _last_activation(model) in ("softmax", "sigmoid", "relu"):
            raise ValueError(
                f"Expected a model that gives logits: no activation after its last convolution, the loss applies the "
                f"softmax itself. Received: {model.name!r}, which ends in {_last_activation(model)}"
            )


def _last_activation(model) -> str:
    layer = model.get_layer(model.outputs[0]._keras_history.operation.name)
    if isinstance(layer, CropToMatch):
        layer = model.get_layer(inputs_of(layer)[0])
    return getattr(getattr(layer, "activation", None), "__name__", "linear")
