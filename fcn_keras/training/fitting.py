"""Compile and fit (lecture: L24). What is frozen is computed once; what went wrong is named.

The lecture's loop sends every image of every step through the frozen encoder, although its
answer never changes. `fit` asks the encoder once per image, trains the head on the answers, and the
model that was passed in, whole, is the one that has learnt.
"""

import contextlib
import hashlib
import time
import warnings
from pathlib import Path

import keras
import numpy as np

from fcn_keras.evaluation.measuring import evaluate
from fcn_keras.evaluation.scores import Scores
from fcn_keras.support import arguments
from fcn_keras.support.progress import progress
from fcn_keras.training import distribution as sharing
from fcn_keras.training.checkpoint import (
    Checkpoint,
    KeepState,
    _architecture,
    _named,
    _summary,
    digest,
    epochs_done,
    restore,
)
from fcn_keras.training.diagnosis import diagnose
from fcn_keras.training.frozen import (
    FeatureBatches,
    FrozenFeatures,
    ImagesDifferInSize,
    frozen_border,
    frozen_features,
    head,
)
from fcn_keras.training.history import History, TrainingWarning, _Watch
from fcn_keras.training.loss import segmentation_loss
from fcn_keras.training.preconditions import (
    _check,
    _check_distribution,
    _check_shares,
    _check_unfreeze,
)

FINE_TUNING_RATE = 3e-4
STEPS_A_ROUND = 50  # with steps=, a checkpoint is written and the data order renewed this often


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
    if (
        checkpoint is not None or distribution is not None
    ):  # what makes this run another than any other
        settings = dict(
            model=_architecture(model),
            data=_summary(train),
            validation=_summary(validation),
            epochs=epochs,
            steps=steps,
            batch_size=batch_size,
            learning_rate=learning_rate,
            decay=decay,
            augment=_named(augment),
            seed=seed,
            unfreeze=unfreeze,
            fine_tuning=fine_tuning,
            fine_tuning_rate=fine_tuning_rate,
        )
        start = digest(model.get_weights())
    run = checkpoint and sharing.is_first() and Checkpoint(checkpoint, settings, start)
    if distribution is not None:
        described = f"{settings['data']}, weights {start[:8]}, settings {hashlib.sha256(str(settings).encode()).hexdigest()[:8]}"
        sharing.same(
            "data, start weights and settings",
            described,
            "Give all of them the same command, on the same files.",
        )
    run = run or (
        checkpoint and Checkpoint(checkpoint, settings, start)
    )  # the others read what process 0 has written
    history = History(learning_rate=learning_rate)
    common = dict(
        train=train,
        validation=validation,
        batch_size=batch_size,
        decay=decay,
        augment=augment,
        cache=cache,
        history=history,
        distribution=distribution,
    )
    _train(
        model,
        epochs=epochs,
        steps=steps,
        learning_rate=learning_rate,
        seed=seed,
        state=run and run.state("head"),
        features=features,
        stage="training",
        **common,
    )
    if frozen and np.isfinite(history.loss[-1] if history.loss else 0):
        more = fine_tuning or max((epochs or steps) // 4, 1)
        for layer in frozen:
            layer.trainable = True
        try:
            _train(
                model,
                epochs=epochs and more,
                steps=steps and more,
                learning_rate=fine_tuning_rate,
                seed=seed + 1,
                state=run and run.state("all"),
                features=None,
                stage="fine-tuning",
                **common,
            )
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
    model,
    train,
    validation,
    epochs,
    steps,
    batch_size,
    learning_rate,
    decay,
    augment,
    seed,
    state,
    features,
    cache,
    history,
    stage,
    distribution,
):
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
        print(
            "Frozen features are not kept: augmentation other than flips changes the images. Every step computes them again."
        )
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
            learner, source = (
                sharing.copy_of(trained_part),
                sharing.Shares(source, distribution.num_model_replicas),
            )
            rows = source.rows
        optimizer = keras.optimizers.Adam(
            keras.optimizers.schedules.CosineDecay(learning_rate, epochs * len(batches))
            if decay
            else learning_rate
        )
        if any(
            layer.compute_dtype == "float16" for layer in learner.layers
        ):  # small gradients would become 0
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
            history.validation += [
                Scores(confusion, train.class_names) for confusion in kept["validation"]
            ]

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
                callbacks.append(
                    KeepState(
                        state,
                        lambda: {
                            "loss": np.array(history.loss[losses:], "float64"),
                            "validation": np.array(
                                [scores.confusion for scores in history.validation[scored:]],
                                "int64",
                            ),
                        },
                    )
                )
            batches.epoch = done  # the backend reads ahead before the first callback is asked
            # The batches know their own order; Keras would shuffle them once more, and not by our seed.
            with _told_by(batches):
                if (
                    keras.backend.backend() != "tensorflow"
                ):  # or `fit` builds itself with the first batch, trains from the second
                    learner.test_on_batch(*source[0])
                learner.fit(
                    source,
                    epochs=epochs,
                    initial_epoch=done,
                    shuffle=False,
                    verbose=0,
                    callbacks=callbacks,
                )
    sharing.bring_home(learner, trained_part)
    history.seconds[stage] = time.perf_counter() - start


@contextlib.contextmanager
def _told_by(batches):
    """Errors as they were raised: the backend wraps what goes wrong while it reads a batch in one of its own."""
    try:
        yield
    except Exception as error:
        if batches.failure is not None:
            raise batches.failure from None
        if any(
            sign in f"{type(error).__name__} {error}"
            for sign in ("ResourceExhausted", "OOM", "OutOfMemory")
        ):
            raise MemoryError(
                f"A batch of {batches.batch_size} images did not fit in memory. Take a smaller batch_size, smaller images "
                "(size=…) or a narrower head (width=…)."
            ) from error
        raise


def _steps_a_round(steps: int) -> int:
    """The largest divisor of `steps` up to 50: Keras wants rounds ("epochs") of equal length."""
    return max(size for size in range(1, STEPS_A_ROUND + 1) if steps % size == 0)
