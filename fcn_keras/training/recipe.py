"""How a network is trained, whatever the network and the data: the arguments of `fit`, grouped."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import keras

from fcn_keras.training import preconditions
from fcn_keras.training.checkpoint import (
    Run,
    architecture,
    data_in_a_line,
    digest,
    in_words,
    older_architectures,
)
from fcn_keras.training.own_loss import loss_for
from fcn_keras.training.stage import Stage


@dataclass(frozen=True)
class Recipe:
    """How long, in which portions and how fast. Exactly one of `epochs` and `steps` is given."""

    epochs: int | None
    steps: int | None
    batch_size: int
    learning_rate: float
    decay: bool
    augment: Any
    seed: int

    def __post_init__(self):
        if (self.epochs is None) == (self.steps is None):
            raise ValueError(
                f"Expected exactly one of epochs and steps. Received: epochs={self.epochs}, "
                f"steps={self.steps}"
            )

    def stages(self, model, tuning: "FineTuning") -> list[Stage]:
        """What is not frozen is trained first; then, with fine-tuning, everything is."""
        first = Stage("training", "head", self.epochs, self.steps, self.learning_rate, self.seed)
        layers = preconditions.layers_to_unfreeze(model, tuning.unfreeze, tuning.fine_tuning)
        if not layers:
            return [first]
        more = tuning.fine_tuning or max((self.epochs or self.steps or 0) // 4, 1)
        second = Stage(
            "fine-tuning",
            "all",
            self.epochs and more,
            self.steps and more,
            tuning.fine_tuning_rate,
            self.seed + 1,
            tuple(layers),
        )
        return [first, second]


@dataclass(frozen=True)
class FineTuning:
    """Whether to train everything after the head, how long and how fast."""

    unfreeze: str | None
    fine_tuning: int | None
    fine_tuning_rate: float


@dataclass(frozen=True)
class Custom:
    """The user's own Keras objects, in place of the defaults."""

    loss: Any = None
    optimizer: Any = None
    class_weight: Any = None
    callbacks: Sequence[keras.callbacks.Callback] = ()

    def __post_init__(self):
        preconditions.require_callbacks(self.callbacks)
        preconditions.require_optimizer(self.optimizer)

    def loss_for(self, data):
        """The loss that a data set is trained with; see `own_loss.loss_for`."""
        return loss_for(data, self.loss, self.class_weight)

    def adams_rate(self, recipe: Recipe) -> float | None:
        """Adam's learning rate at the start; `None` with another optimizer.

        The diagnosis tells from it how far the weights can have moved.
        """
        return recipe.learning_rate if self.optimizer in (None, "adam") else None


def begin_run(folder, distribution, model, data, options) -> Run:
    """The run for these arguments of `fit`; it may keep nothing.

    Args:
        folder: Of the checkpoint, or `None`.
        distribution: Of `fit`, or `None`.
        model: Its architecture, its frozen weights and its start weights belong to the run.
        data: Training and validation data; every image and mask belongs to the run.
        options: `Recipe`, `FineTuning` and `Custom`.
    """
    if folder is None and distribution is None:
        return Run(None, {}, "")
    recipe, tuning, custom = options
    train, validation = map(data_in_a_line, data)
    settings = {"model": architecture(model), "data": train, "validation": validation}
    settings |= {**vars(recipe), "augment": in_words(recipe.augment), **vars(tuning)}
    brought = {"loss": custom.loss, "optimizer": custom.optimizer}
    brought["class_weight"] = custom.class_weight
    settings |= {name: in_words(given) for name, given in brought.items() if given is not None}
    start = digest(model.get_weights())
    older = {"model": older_architectures(model)}
    return Run(folder, settings, start, together=distribution is not None, older=older)
