"""Batches of a data set for Keras: shuffled, padded, augmented, and the same for the same seed."""

import threading
from collections.abc import Sequence

import keras
import numpy as np

from fcn_keras.datasets import augmentation
from fcn_keras.support.labels import VOID

# Keras makes batches in threads of its own, a few ahead. With one thread it leaves this to tf.data,
# whose tuning thread makes every `fit` wait up to five seconds at its end (TensorFlow 2.21).
READERS, BATCHES_AHEAD = 2, 4


class Batches(keras.utils.PyDataset):
    """See `SegmentationData.batches`. Batch i of epoch e depends only on the seed, e and i.

    So a resumed training sees the same batches as an uninterrupted one.
    """

    def __init__(self, data, batch_size, shuffle=False, augment=None, seed=0, steps=None):
        super().__init__(workers=READERS, max_queue_size=BATCHES_AHEAD)
        if len(data) == 0:
            raise ValueError(f"Expected at least one image. Received: {data!r}")
        self.data, self.batch_size, self.shuffle = data, batch_size, shuffle
        self.flip, self.augment = augmentation.flip_and_layers(augment)
        self.seed, self.steps = seed, steps
        self.epoch = 0
        self.failure = None  # the first error of reading a batch; backends wrap it in their own
        # Neither a data set's `read` nor an augmentation need be safe to run in two threads.
        self.one_at_a_time = threading.Lock()

    def __len__(self):
        return self.steps or -(-len(self.data) // self.batch_size)

    def on_epoch_end(self):
        self.epoch += 1

    @property
    def reconstructs(self) -> bool:
        """Whether the targets are the images themselves."""
        return self.data.reconstructs

    def indices(self, batch: int) -> np.ndarray:
        """Which images are in this batch of the current epoch."""
        count = len(self.data)
        if self.steps:
            rng = np.random.default_rng([self.seed, self.epoch, batch])
            return rng.choice(count, (self.batch_size,), replace=self.batch_size > count)
        order = np.arange(count)
        if self.shuffle:
            order = np.random.default_rng([self.seed, self.epoch]).permutation(count)
        return order[batch * self.batch_size : (batch + 1) * self.batch_size]

    def flips(self, batch: int) -> np.ndarray:
        """Which images of this batch are mirrored, bool `(B,)`; none without `augment="flip"`."""
        rng = np.random.default_rng([self.seed, self.epoch, batch, 1])
        return (rng.random(len(self.indices(batch))) < 0.5) & self.flip

    def __getitem__(self, batch):
        with self.one_at_a_time:
            try:
                return self._augmented(*self.as_read(batch), batch)
            except Exception as error:
                self.failure = self.failure or error
                raise

    def as_read(self, batch) -> tuple[np.ndarray, np.ndarray]:
        """The images and targets of a batch before any augmentation."""
        pairs = [self.data[index] for index in self.indices(batch)]
        if any(target is None for _, target in pairs):
            raise ValueError(
                f"{self.data!r} has images without a label, so it cannot be trained on or scored."
            )
        images = pad_and_stack([image for image, _ in pairs], 0).astype("float32")
        targets = pad_and_stack([target for _, target in pairs], 0 if self.reconstructs else VOID)
        return images, targets.astype("float32" if self.reconstructs else "int32")

    def _augmented(self, images, targets, batch):
        for row in np.flatnonzero(self.flips(batch)):
            images[row], targets[row] = images[row, :, ::-1], targets[row, :, ::-1]
        for number, layer in enumerate(self.augment):
            augmentation.seed_layer(layer, [self.seed, self.epoch, batch, number, 2])
            if self.reconstructs:
                images = targets = augmentation.move(layer, images)
            else:
                images, targets = augmentation.move_alike(layer, images, targets)
        return images, targets


def pad_and_stack(arrays: Sequence[np.ndarray], fill: int) -> np.ndarray:
    """Stacks arrays of different height and width, padded at the bottom and the right."""
    height = max(array.shape[0] for array in arrays)
    width = max(array.shape[1] for array in arrays)
    stacked = np.full((len(arrays), height, width, *arrays[0].shape[2:]), fill, arrays[0].dtype)
    for row, array in zip(stacked, arrays, strict=True):
        row[: array.shape[0], : array.shape[1]] = array
    return stacked
