"""What happened in a training: losses, scores, seconds, warnings."""

from dataclasses import dataclass, field

import keras
import numpy as np

from fcn_keras.evaluation.scores import Scores
from fcn_keras.training.augmented import Augmented


class TrainingWarning(UserWarning):
    """A training that ended badly; the message names the likely cause."""


@dataclass
class History:
    """What happened in a training."""

    loss: list[float] = field(default_factory=list)  # one per step
    steps_per_epoch: int = 1
    validation: list[Scores] = field(default_factory=list)  # one per epoch, with validation data
    seconds: dict[str, float] = field(default_factory=dict)  # "features", "training", "fine-tuning"
    warnings: list[str] = field(default_factory=list)
    learning_rate: float | None = None  # Adam's, at the start
    augmented: Augmented | None = None  # what an augmentation made of the first images
    class_names: tuple[str, ...] = ()

    @property
    def history(self) -> dict[str, list[float]]:
        """As Keras' `History.history`: mean loss per epoch, and the validation scores."""
        starts = range(0, len(self.loss), self.steps_per_epoch)
        epochs = [self.loss[start : start + self.steps_per_epoch] for start in starts]
        out = {"loss": [float(np.mean(epoch)) for epoch in epochs]}
        if self.validation:
            out["val_mean_iou"] = [scores.mean_iou for scores in self.validation]
        return out

    def is_finite(self) -> bool:
        """Whether the last loss is a number; the weights are spoilt if it is not."""
        return not self.loss or bool(np.isfinite(self.loss[-1]))


class LossOfEachStep(keras.callbacks.Callback):
    """Notes the loss of every step, tells the batches which epoch it is, and stops at NaN.

    Args:
        history: Where the losses go.
        batches: The batches, in the order in which they are trained on.
        rows: Gives the rows of a batch of n images: more than n where devices fill it up.
        advance: Called after every step with 1 and a note, for a progress bar.
    """

    def __init__(self, history: History, batches, rows, advance):
        super().__init__()
        self.history, self.batches, self.rows, self.advance = history, batches, rows, advance

    def on_epoch_begin(self, epoch, logs=None):
        self.batches.epoch = epoch  # right even when the run was resumed in the middle
        self.images, self.sum = 0, 0.0

    def on_train_batch_end(self, batch, logs):
        # Keras reports the mean over the epoch's images so far; we want the loss of this step
        count, before = self.rows(len(self.batches.indices(batch))), self.sum
        self.images += count
        self.sum = float(logs["loss"]) * self.images
        loss = (self.sum - before) / count
        self.history.loss.append(loss)
        self.advance(1, f"loss {loss:.3f}")
        if not np.isfinite(loss):
            self.model.stop_training = True
