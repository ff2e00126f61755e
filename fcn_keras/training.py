"""Compile and fit (lecture: L24). What is frozen is computed once; what went wrong is named.

The lecture's loop sends every image of every step through the frozen encoder, although its
answer never changes. `fit` asks the encoder once per image, trains the head on the answers, and the
model that was passed in, whole, is the one that has learnt.
"""

import contextlib
import hashlib
import time
import warnings
from dataclasses import dataclass, field
from pathlib import Path

import keras
import numpy as np

from fcn_keras import arguments
from fcn_keras import distribution as sharing
from fcn_keras.checkpoint import Checkpoint, KeepState, digest, epochs_done, restore
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
    learning_rate: float | None = None  # Adam's, at the start
    batch: tuple[float, float] | None = None  # lowest and highest value of the images in the first batch

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
    distribution: keras.distribution.DataParallel | None = None,
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
        checkpoint: Folder for the state after each epoch; a run that was killed at any moment goes on from there, called
            again with the same settings, and ends as if nothing had happened. The state stays when the run is finished
            (so that it is not lost before the model is saved) and is replaced by the next run's.
        features: Result of `frozen_features`, when several heads share one encoder and data set.
        cache: `False`: send every image of every step through the whole model, as the lecture's
            loop does. Slower, the same weights within rounding.
        unfreeze: `"after"`: when the head is trained, train everything, the encoder too, at a low
            rate. The head comes first because its random start would spoil the encoder. `None`: leave
            what is frozen as it is. Afterwards the same layers are frozen as before.
        fine_tuning: With `"after"`: how many epochs or steps more, counted as the first ones; by
            default a quarter as many.
        fine_tuning_rate: With `"after"`: Adam's rate then.
        distribution: `distribution.data_parallel()`: every batch is shared among several devices, after
            `distribution.connected` among several computers too. All of them call this function with the same arguments; the
            loss is that of one device with the same batch size. What is frozen is computed, and the validation scored, by each
            for itself. Process 0 writes the checkpoint; all read it.

    Returns:
        `History`. Warns with `TrainingWarning` if the loss is not a number or one class is predicted everywhere.

    Raises:
        TypeError: If `train` is not a data set of `fcn_keras.datasets`.
        ValueError: If not exactly one of `epochs` and `steps` is given, a number is out of range, nothing can be trained,
            nothing is frozen that could be unfrozen, model and data do not fit, the checkpoint is of another run, or
            processes that train together were given different things.
        OSError: If the checkpoint cannot be written, or a file of the data cannot be read.
        MemoryError: If a batch does not fit in memory.
    """
    _check(model, train, validation, epochs, steps)
    arguments.whole_number("batch_size", batch_size, 1)
    arguments.number("learning_rate", learning_rate, above=0, hint="The lecture's is 0.001.")
    arguments.number("fine_tuning_rate", fine_tuning_rate, above=0)
    frozen = _check_unfreeze(model, unfreeze, fine_tuning)
    if distribution is not None:
        _check_distribution(distribution, batch_size, augment)
    if checkpoint is not None or distribution is not None:  # what makes this run another than any other
        settings = dict(
            model=_architecture(model), data=_summary(train), validation=_summary(validation), epochs=epochs, steps=steps,
            batch_size=batch_size, learning_rate=learning_rate, decay=decay, augment=_named(augment), seed=seed,
            unfreeze=unfreeze, fine_tuning=fine_tuning, fine_tuning_rate=fine_tuning_rate,
        )  # fmt: skip
        start = digest(model.get_weights())
    run = checkpoint and sharing.is_first() and Checkpoint(checkpoint, settings, start)
    if distribution is not None:
        described = f"{settings['data']}, weights {start[:8]}, settings {hashlib.sha256(str(settings).encode()).hexdigest()[:8]}"
        sharing.same("data, start weights and settings", described, "Give all of them the same command, on the same files.")
    run = run or (checkpoint and Checkpoint(checkpoint, settings, start))  # the others read what process 0 has written
    history = History(learning_rate=learning_rate)
    common = dict(
        train=train, validation=validation, batch_size=batch_size, decay=decay, augment=augment, cache=cache, history=history,
        distribution=distribution,
    )  # fmt: skip
    _train(
        model, epochs=epochs, steps=steps, learning_rate=learning_rate, seed=seed, state=run and run.state("head"),
        features=features, stage="training", **common,
    )  # fmt: skip
    if frozen and np.isfinite(history.loss[-1] if history.loss else 0):
        more = fine_tuning or max((epochs or steps) // 4, 1)
        for layer in frozen:
            layer.trainable = True
        try:
            _train(
                model, epochs=epochs and more, steps=steps and more, learning_rate=fine_tuning_rate, seed=seed + 1,
                state=run and run.state("all"), features=None, stage="fine-tuning", **common,
            )  # fmt: skip
        finally:
            for layer in frozen:
                layer.trainable = False
    if run and sharing.is_first():
        run.finished() if np.isfinite(history.loss).all() else run.remove()
    history.warnings = diagnose(model, train, history)
    for message in history.warnings:
        warnings.warn(message, TrainingWarning, stacklevel=2)
    return history


def _train(
    model, train, validation, epochs, steps, batch_size, learning_rate, decay, augment, seed, state, features, cache,
    history, stage, distribution,
):  # fmt: skip
    """One stage: what is frozen stays frozen, and is computed once."""
    if steps is None:
        batches = train.batches(batch_size, shuffle=True, augment=augment, seed=seed)
    else:
        batches = train.batches(batch_size, augment=augment, seed=seed, steps=_steps_a_round(steps))
        epochs = steps // len(batches)
    history.steps_per_epoch = len(batches)
    if batches.augment:
        images = batches[0][0]
        history.batch = float(images.min()), float(images.max())

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

    start, losses, scored = time.perf_counter(), len(history.loss), len(history.validation)
    with distribution.scope() if distribution else contextlib.nullcontext():
        learner, rows = trained_part, lambda images: images
        if distribution:
            _check_shares(trained_part, batches, distribution.num_model_replicas)
            learner, source = sharing.copy_of(trained_part), sharing.Shares(source, distribution.num_model_replicas)
            rows = source.rows
        optimizer = keras.optimizers.Adam(
            keras.optimizers.schedules.CosineDecay(learning_rate, epochs * len(batches)) if decay else learning_rate
        )
        if any(layer.compute_dtype == "float16" for layer in learner.layers):  # small gradients would become 0
            optimizer = keras.optimizers.LossScaleOptimizer(optimizer)
        learner.compile(
            optimizer=optimizer,
            loss="mean_squared_error" if batches.reconstructs else segmentation_loss(),
            # On a CPU compiling with XLA costs more than it brings; JAX cannot do without.
            jit_compile=False if keras.backend.backend() == "tensorflow" else "auto",
            auto_scale_loss=False,  # it goes by the policy that was set last, not by the model's layers
        )
        done = epochs_done(state) if state else 0
        if distribution is not None:  # before any of them takes up what the others may not have
            way_out = f"All have to see the checkpoint of process 0, {state}: in a folder that they share, or a copy."
            sharing.same("number of epochs done", str(done), way_out)
        if done:
            kept = restore(state, learner)
            history.loss += kept["loss"].tolist()
            history.validation += [Scores(confusion, train.class_names) for confusion in kept["validation"]]

        def score(epoch, logs=None):
            sharing.bring_home(learner, trained_part)
            with sharing.alone():
                history.validation.append(evaluate(model, validation))

        with progress(f"{stage} {model.name}", epochs * len(batches)) as advance:
            advance(done * len(batches))
            callbacks = [_Watch(history, batches, rows, advance)]
            if validation is not None:
                callbacks.append(keras.callbacks.LambdaCallback(on_epoch_end=score))
            if state and sharing.is_first():
                callbacks.append(KeepState(state, lambda: {
                    "loss": np.array(history.loss[losses:], "float64"),
                    "validation": np.array([scores.confusion for scores in history.validation[scored:]], "int64"),
                }))  # fmt: skip
            batches.epoch = done  # the backend reads ahead before the first callback is asked
            # The batches know their own order; Keras would shuffle them once more, and not by our seed.
            with _told_by(batches):
                if keras.backend.backend() != "tensorflow":  # or `fit` builds itself with the first batch, trains from the second
                    learner.test_on_batch(*source[0])
                learner.fit(source, epochs=epochs, initial_epoch=done, shuffle=False, verbose=0, callbacks=callbacks)
    sharing.bring_home(learner, trained_part)
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


@contextlib.contextmanager
def _told_by(batches):
    """Errors as they were raised: the backend wraps what goes wrong while it reads a batch in one of its own."""
    try:
        yield
    except Exception as error:
        if batches.failure is not None:
            raise batches.failure from None
        if any(sign in f"{type(error).__name__} {error}" for sign in ("ResourceExhausted", "OOM", "OutOfMemory")):
            raise MemoryError(
                f"A batch of {batches.batch_size} images did not fit in memory. Take a smaller batch_size, smaller images "
                "(size=…) or a narrower head (width=…)."
            ) from error
        raise


def _check_distribution(distribution, batch_size, augment):
    if not isinstance(distribution, keras.distribution.DataParallel):
        raise TypeError(f"Expected distribution to be distribution.data_parallel(). {arguments.received('it', distribution)}")
    if sharing.processes()[1] > 1 and augment is not None and not isinstance(augment, str):
        raise ValueError(
            f"Expected augment to be 'flip' or None with several processes: what a Keras layer draws is each process' own. "
            f"Received: {_named(augment)}"
        )
    if batch_size < distribution.num_model_replicas:
        raise ValueError(
            f"Expected batch_size to be at least the number of devices, {distribution.num_model_replicas}. Received: {batch_size}"
        )


def _check_shares(model, batches, devices):
    """Where the devices do not divide a batch, rows of void fill it up: they change no loss, but batch statistics they would."""
    sizes = {len(batches.indices(number)) for number in range(len(batches))}
    uneven = [size for size in sizes if size % devices]
    normalizes = any(isinstance(layer, keras.layers.BatchNormalization) and layer.trainable for layer in model.layers)
    if uneven and (normalizes or batches.reconstructs):
        why = "a network that normalizes over the batch" if normalizes else "images that are their own targets"
        raise ValueError(
            f"Expected batches that {devices} devices divide, with {why}. Received: one of {uneven[0]} images. Take another "
            f"batch_size than {batches.batch_size}, or steps= instead of epochs=, which makes all batches equal."
        )


def _architecture(model) -> str:
    """The layers' kinds and precision and the shapes of their weights; automatic names differ from process to process."""
    layers = [
        [type(layer).__name__, layer.dtype_policy.name, layer.trainable, [weight.shape for weight in layer.weights]]
        for layer in model.layers
    ]
    frozen = [weight for layer in model.layers if not layer.trainable for weight in layer.get_weights()]
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
    return ", ".join(str(layer) if layer is None or isinstance(layer, str) else _with_options(layer) for layer in layers)


def _with_options(layer) -> str:
    options = {name: value for name, value in layer.get_config().items() if name not in ("name", "seed", "dtype", "trainable")}
    return f"{type(layer).__name__}({', '.join(f'{name}={value}' for name, value in options.items())})"


def _steps_a_round(steps: int) -> int:
    """The largest divisor of `steps` up to 50: Keras wants rounds ("epochs") of equal length."""
    return max(size for size in range(1, STEPS_A_ROUND + 1) if steps % size == 0)


class _Watch(keras.callbacks.Callback):
    """Notes the loss of every step, tells the batches which epoch it is, and stops at NaN."""

    def __init__(self, history, batches, rows, advance):
        super().__init__()
        self.notes, self.batches, self.rows, self.advance = history, batches, rows, advance

    def on_epoch_begin(self, epoch, logs=None):
        self.batches.epoch = epoch  # right even when the run was resumed in the middle
        self.images, self.sum = 0, 0.0

    def on_train_batch_end(self, batch, logs=None):
        # Keras reports the mean over the epoch's images so far; we want this step's loss
        count, before = self.rows(len(self.batches.indices(batch))), self.sum
        self.images += count
        self.sum = float(logs["loss"]) * self.images
        loss = (self.sum - before) / count
        self.notes.loss.append(loss)
        self.advance(1, f"loss {loss:.3f}")
        if not np.isfinite(loss):
            self.model.stop_training = True


def _check(model, train, validation, epochs, steps):
    arguments.model("model", model)
    arguments.data_set("train", train)
    if len(train) == 0:
        raise ValueError(f"Expected train to have at least one image. Received: {train!r}")
    if (epochs is None) == (steps is None):
        raise ValueError(f"Expected exactly one of epochs and steps. Received: epochs={epochs}, steps={steps}")
    arguments.whole_number("epochs" if steps is None else "steps", epochs if steps is None else steps, 1)
    if validation is not None:
        arguments.data_set("validation", validation)
        if validation.class_names != train.class_names:
            raise ValueError(
                f"Expected validation with the classes of train, {', '.join(train.class_names)}. "
                f"Received: {', '.join(validation.class_names)}"
            )
        if len(validation) == 0 or validation[0][1] is None:
            raise ValueError(f"Expected validation with labels. Received: {validation!r}")
    if not model.trainable_weights:
        raise ValueError(f"Expected a model with something to train. Received: {model.name!r}, all of it frozen")
    image, target = train[0]
    if target is None:
        raise ValueError(f"Expected data with labels. Received: {train!r}, which has none")
    if target.ndim == 2:
        if model.output_shape[-1] != train.num_classes:
            raise ValueError(
                f"Expected a model with {train.num_classes} outputs, one for each class of the data "
                f"({', '.join(train.class_names)}). Received: {model.name!r} with {model.output_shape[-1]}"
            )
        _check_sizes(model, image)
        if _last_activation(model) in ("softmax", "sigmoid", "relu"):
            raise ValueError(
                f"Expected a model that gives logits: no activation after its last convolution, the loss applies the "
                f"softmax itself. Received: {model.name!r}, which ends in {_last_activation(model)}"
            )


def _check_sizes(model, image):
    """Whether an image can go in and a score for each pixel comes out, by shapes alone."""
    channels = model.input_shape[-1]
    if image.shape[-1] != channels:
        raise ValueError(f"Expected images of {channels} channels for {model.name!r}. Received: {image.shape[-1]}")
    try:
        scores = model.compute_output_spec(keras.KerasTensor((1, *image.shape)))
    except Exception as error:  # what a layer says about a size that it cannot take
        size = f"{image.shape[0]} x {image.shape[1]}"
        raise ValueError(f"Expected a model that takes images of {size}. Received: {model.name!r} ({error})") from error
    if tuple(scores.shape[1:3]) != image.shape[:2]:
        raise ValueError(
            f"Expected a model that gives scores at the image's size, {image.shape[0]} x {image.shape[1]}. Received: "
            f"{model.name!r}, which gives {scores.shape[1]} x {scores.shape[2]}. layers.CropToMatch cuts what is too large."
        )


def _last_activation(model) -> str:
    layer = model.get_layer(model.outputs[0]._keras_history.operation.name)
    if isinstance(layer, CropToMatch):
        layer = model.get_layer(inputs_of(layer)[0])
    return getattr(getattr(layer, "activation", None), "__name__", "linear")
