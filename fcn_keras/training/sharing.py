"""How a batch is shared among devices: each process takes its rows, all keep the same weights."""

import threading
from collections.abc import Callable

import keras
import numpy as np

from fcn_keras.support import graph
from fcn_keras.support.labels import VOID
from fcn_keras.training.distribution import processes, undistributed


class Team:
    """A model and its batches, spread over several devices, or as they are on one.

    Args:
        model: What is trained; it has learnt after `gather`.
        batches: What it is trained on.
        distribution: Of `data_parallel`, or `None`: one device.

    Attributes:
        model: What to compile and fit: the model itself, or its copy on all devices.
        batches: What to fit it on: the batches themselves, or this process's share of each.
    """

    def __init__(self, model: keras.Model, batches, distribution=None):
        self.original, self.model, self.batches = model, model, batches
        if distribution is not None:
            self.model = keras.models.clone_model(model)  # made inside the scope: on every device
            graph.copy_weights(model, self.model)
            self.batches = Shares(batches, distribution.num_model_replicas)

    def rows(self, images: int) -> int:
        """Rows of a batch of so many images."""
        return self.batches.rows(images) if isinstance(self.batches, Shares) else images

    def gather(self) -> None:
        """Gives the original model what its copy on all devices has learnt."""
        if self.model is not self.original:
            with undistributed():
                self.original.set_weights(self.model.get_weights())


class Scoring(keras.callbacks.Callback):
    """Scores the validation data after each epoch; later callbacks see `logs["val_mean_iou"]`.

    Args:
        team: What is trained; the scores are those of its original model.
        evaluate: Called without arguments; gives `Scores`.
        history: Where they are noted.
    """

    def __init__(self, team: Team, evaluate: Callable, history):
        super().__init__()
        self.team, self.evaluate, self.history = team, evaluate, history

    def on_epoch_end(self, epoch, logs=None):
        self.team.gather()
        with undistributed():
            scores = self.evaluate()
        self.history.validation.append(scores)
        if logs is not None:
            logs["val_mean_iou"] = scores.mean_iou


class Shares(keras.utils.PyDataset):
    """This process's part of every batch.

    Each process reads whole batches and keeps its rows, so that together they train on the rows
    that one process would, augmented alike. A batch that cannot be divided evenly is filled up with
    rows of void, which change neither the loss nor its gradient.

    Args:
        source: `Batches` or `FeatureBatches`.
        devices: How many share a batch, in all processes together.

    Raises:
        ValueError: On reading, if a batch of a reconstruction would need filling up: its targets
            have no void.
    """

    def __init__(self, source, devices: int):
        super().__init__(workers=source.workers, max_queue_size=source.max_queue_size)
        self.source, self.devices = source, devices
        self.rank, self.count = processes()

    def __len__(self):
        return len(self.source)

    def on_epoch_end(self):
        self.source.on_epoch_end()

    def rows(self, images: int) -> int:
        """Rows of a batch of so many images, once it is filled up."""
        return -(-images // self.devices) * self.devices

    def __getitem__(self, batch):
        inputs, targets = self.source[batch]
        rows = self.rows(len(targets))
        if rows > len(targets) and targets.dtype.kind == "f":
            raise ValueError(
                f"Expected batches that {self.devices} devices divide. Received: one of "
                f"{len(targets)} images"
            )
        mine = slice(self.rank * rows // self.count, (self.rank + 1) * rows // self.count)
        if isinstance(inputs, tuple):
            inputs = tuple(_filled(array, rows, 0)[mine] for array in inputs)
        else:
            inputs = _filled(inputs, rows, 0)[mine]
        return inputs, _filled(targets, rows, VOID)[mine]


class OfAnySize(keras.utils.PyDataset):
    """The same batches, whose height and width may differ from one to the next.

    TensorFlow has to know beforehand what varies. Keras asks for the first two batches to find out,
    in the thread that calls `fit`, and takes a side that is equal in both for fixed. Here it is
    told shapes instead. The batches to train on are read by threads of their own.

    Args:
        source: `Batches`, `FeatureBatches` or `Shares`.
    """

    def __init__(self, source):
        super().__init__(workers=source.workers, max_queue_size=source.max_queue_size)
        self.source, self.calls_fit = source, threading.get_ident()

    def __len__(self):
        return len(self.source)

    def on_epoch_end(self):
        self.source.on_epoch_end()

    def __getitem__(self, batch):
        arrays = self.source[batch]
        if threading.get_ident() != self.calls_fit:
            return arrays
        return keras.tree.map_structure(_of_any_size, arrays)


def _of_any_size(array) -> keras.KerasTensor:
    """`(B, H, W)` or `(B, H, W, C)`, of which only C is fixed."""
    return keras.KerasTensor((None, None, None, *array.shape[3:]), array.dtype)


def _filled(array, rows: int, value) -> np.ndarray:
    """The array with rows of `value` at its end, until it has so many."""
    more = np.full((rows - len(array), *array.shape[1:]), value, array.dtype)
    return np.concatenate([array, more]) if len(more) else array
