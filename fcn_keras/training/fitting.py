"""Compile and fit (lecture: L24).

The lecture's loop sends every image of every step through the frozen encoder, and gets the same
features each time. `fit` computes them once per image and trains the head on them. The head's
layers are those of the whole model, so the whole model has learnt.
"""

import contextlib
import time
import warnings
from typing import Literal

import keras

from fcn_keras.evaluation.measuring import evaluate
from fcn_keras.support import memory
from fcn_keras.support.kinds import Count, DataSet, File, Model, Rate, Seed, checked
from fcn_keras.support.progress import progress
from fcn_keras.training import preconditions
from fcn_keras.training.augmented import first_batches
from fcn_keras.training.cost import say_cost
from fcn_keras.training.diagnosis import diagnose
from fcn_keras.training.distribution import scope
from fcn_keras.training.frozen import FrozenFeatures, trained_part
from fcn_keras.training.history import History, LossOfEachStep, TrainingWarning
from fcn_keras.training.noting import note_training, numbered_as_in
from fcn_keras.training.optimizer import make_optimizer
from fcn_keras.training.recipe import Custom, FineTuning, Recipe, begin_run
from fcn_keras.training.sharing import OfAnySize, Scoring, Team

FINE_TUNING_RATE = 3e-4
COMPILING = dict(
    # With TensorFlow, compiling by XLA takes longer than it saves on a CPU; JAX always compiles.
    jit_compile=False if keras.backend.backend() == "tensorflow" else "auto",
    # Keras would decide by the precision that was set last; `make_optimizer` looks at the layers.
    auto_scale_loss=False,
)


@checked
def fit(
    model: Model,
    train: DataSet,
    validation: DataSet | None = None,
    epochs: Count | None = None,
    steps: Count | None = None,
    batch_size: Count = 20,
    learning_rate: Rate = 1e-3,
    decay: bool = True,
    augment=None,
    seed: Seed = 0,
    checkpoint: File | None = None,
    features: FrozenFeatures | None = None,
    cache: bool = True,
    unfreeze: Literal["after"] | None = None,
    fine_tuning: Count | None = None,
    fine_tuning_rate: Rate = FINE_TUNING_RATE,
    distribution: keras.distribution.DataParallel | None = None,
    loss=None,
    optimizer: keras.optimizers.Optimizer | str | None = None,
    callbacks=(),
    class_weight=None,
) -> History:
    """Trains a model: softmax cross-entropy without void, Adam (lecture: L24).

    A data set made by `data.reconstruction()` is trained on with the mean squared error instead.
    Layers whose `trainable` is False stay as they are. What they compute is computed once for each
    image, and once for its mirror image with `augment="flip"`. Other augmentations, images that
    differ in size, and random numbers inside `read` turn that off; a printed line says so.

    Args:
        model: Any model of `models`; it is trained in place, and its card is filled in.
        train: `SegmentationData` with labels.
        validation: `SegmentationData` to score after each epoch (with `steps`: after each round of
            at most 50 steps), or `None`.
        epochs: How often to go through the data. Give either `epochs` or `steps`.
        steps: How many batches, each drawn at random from all images.
        batch_size: Images per step; the lecture's 20. A printed line says if they need much of the
            free memory, and how many would need less.
        learning_rate: Adam's, at the start; the lecture's 1e-3.
        decay: Whether the rate falls to zero along a cosine. `False`: constant, as in the lecture.
        augment: As at `SegmentationData.batches`.
        seed: Decides the order of the data, not the start weights: these are the model's.
        checkpoint: Folder for the state after each epoch. A run that was killed at any moment goes
            on from there when it is called again with the same settings, and ends as if nothing had
            happened (but see `callbacks`). The state stays until the next run, so that a finished
            training is not lost before the model is saved.
        features: Result of `frozen_features`, when several heads share one encoder and data set.
        cache: `False`: send every image of every step through the whole model, as the lecture's
            loop does. Slower, and the same weights within rounding.
        unfreeze: `"after"`: once the head is trained, train everything at a low rate, the encoder
            too. The head comes first because its random start would spoil the encoder. Frozen
            BatchNormalization keeps its statistics and stays frozen; a printed line says so.
            Afterwards the same layers are frozen as before. `None`: leave what is frozen as it is.
        fine_tuning: With `"after"`: how many more epochs, or steps if `steps` is given; by default
            a quarter of the first number.
        fine_tuning_rate: With `"after"`: the learning rate then.
        distribution: `distribution.data_parallel()`: every batch is shared among several devices,
            and after `distribution.connected` among several computers. All of them call this
            function with the same arguments; the loss is that of one device with the same batch
            size. Each process computes the frozen features and scores the validation data for
            itself. Process 0 writes the checkpoint; all read it.
        loss: Another loss of class numbers `(B, H, W)` and logits `(B, H, W, C)`: a Keras loss, its
            name or a function that gives a number for every pixel. Void is left out of it. A loss
            with `ignore_class = 255` leaves it out itself and may give any shape.
        optimizer: Another optimizer than Adam. Given by name, it is made with `learning_rate` and
            `decay`. A Keras optimizer is copied and keeps its own rate, except in fine-tuning.
        callbacks: Keras callbacks. They see the part that is trained as `self.model` (with frozen
            layers that is the head, whose layers are those of `model`) and `logs["val_mean_iou"]`.
            After an interruption they begin anew: `checkpoint` keeps nothing of theirs.
        class_weight: How much a pixel of each class counts in the loss: `{name or number: weight}`,
            or a weight per class; classes without one have 1. The mean is weighted, so doubling all
            weights changes nothing.

    Returns:
        `History`.

    Warns:
        TrainingWarning: For each fault that `diagnosis.diagnose` finds, such as a loss that is not
            a number or one class predicted everywhere.

    Raises:
        TypeError: If `train` is not a data set of `fcn_keras.datasets`.
        ValueError: If not exactly one of `epochs` and `steps` is given, a number is out of range,
            nothing can be trained, nothing is frozen that could be unfrozen, model, data, loss and
            optimizer do not fit, the checkpoint is of another run, or processes that train together
            were given different things.
        OSError: If the checkpoint cannot be written, or a file of the data cannot be read.
        MemoryError: If a batch does not fit in memory.
    """
    train, validation = numbered_as_in(model, train), numbered_as_in(model, validation)
    preconditions.require_matching_data(model, train, validation)
    preconditions.require_sharing(distribution, batch_size, augment)
    recipe = Recipe(epochs, steps, batch_size, learning_rate, decay, augment, seed)
    tuning = FineTuning(unfreeze, fine_tuning, fine_tuning_rate)
    custom = Custom(loss, optimizer, class_weight, callbacks)
    loss_function = custom.loss_for(train)
    stages = recipe.stages(model, tuning)
    run = begin_run(checkpoint, distribution, model, (train, validation), (recipe, tuning, custom))
    history = History(learning_rate=custom.adams_rate(recipe), class_names=train.class_names)

    for stage in stages:
        batches = stage.batches(train, recipe)  # images (B, H, W, 3), labels (B, H, W)
        rounds = stage.rounds(batches)
        history.steps_per_epoch, history.augmented = len(batches), first_batches(batches)
        with stage.unfrozen():
            # what is frozen is computed once: the head is trained on features, not on images
            part, inputs = trained_part(model, batches, features, cache, history)
            say_cost(model, batches, kept=part is not model)
            if distribution:
                preconditions.require_even_shares(part, batches, distribution.num_model_replicas)
            with scope(distribution), timed(history, stage.name):
                team = Team(part, inputs, distribution)
                new_optimizer = make_optimizer(
                    stage, rounds * len(batches), decay, optimizer, team.model
                )
                team.model.compile(optimizer=new_optimizer, loss=loss_function, **COMPILING)
                done, state_keepers = run.resume(stage, rounds, team.model, history)
                with progress(f"{stage.name} {model.name}", rounds * len(batches)) as advance:
                    advance(done * len(batches))
                    watching = [LossOfEachStep(history, batches, team.rows, advance)]
                    if validation is not None:
                        watching.append(Scoring(team, lambda: evaluate(model, validation), history))
                    with errors_of_reading(batches):
                        team.model.fit(
                            begin_reading(team, batches, done),
                            epochs=rounds,
                            initial_epoch=done,
                            shuffle=False,  # the batches know their own order, and the seed
                            callbacks=[*watching, *callbacks, *state_keepers],
                            verbose=0,
                        )
                team.gather()
        if not history.is_finite():  # the weights are spoilt: nothing to fine-tune
            break
    else:
        note_training(model, train, run.data)

    run.finish(history)
    history.warnings = diagnose(model, train, history)
    for message in history.warnings:
        warnings.warn(message, TrainingWarning, stacklevel=3)  # past `checked`, to whoever called
    return history


def begin_reading(team: Team, batches, epoch: int) -> keras.utils.PyDataset:
    """Makes the batches start with a certain epoch, and the model know the shapes of a batch.

    Returns:
        What to call Keras' `fit` with.
    """
    batches.epoch = epoch  # the backend reads ahead, before a callback can set it
    if keras.backend.backend() == "tensorflow":
        return OfAnySize(team.batches)
    team.model.test_on_batch(*team.batches[0])  # else `fit` would use up the first batch for that
    return team.batches


@contextlib.contextmanager
def timed(history: History, name: str):
    """Notes how many seconds the block took."""
    start = time.perf_counter()
    yield
    history.seconds[name] = time.perf_counter() - start


@contextlib.contextmanager
def errors_of_reading(batches):
    """Raises the error that reading a batch raised, which backends wrap in their own.

    Running out of memory becomes a `MemoryError` that says what to do.
    """
    try:
        yield
    except Exception as error:
        if batches.failure is not None:
            raise batches.failure from None
        if memory.ran_out(error):
            raise MemoryError(
                f"A batch of {batches.batch_size} images did not fit in memory. Take a smaller "
                "batch_size, smaller images (size=…) or a narrower head (width=…)."
            ) from error
        raise
