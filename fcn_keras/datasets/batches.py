"""Batches of a data set for Keras: shuffled, padded to one size, augmented, the same for the same seed."""

import threading
from collections.abc import Sequence

import keras
import numpy as np

from fcn_keras.support import arguments
from fcn_keras.support.labels import VOID

# Batches are made in threads of Keras' own, a few ahead. With one thread Keras leaves that to tf.data, whose tuning
# thread lets every `fit` wait up to five seconds at its end (TensorFlow 2.21).
READERS, BATCHES_AHEAD = 2, 4


class Batches(keras.utils.PyDataset):
    """See `SegmentationData.batches`. Batch i of epoch e depends on the seed, e and i alone.

    That makes a resumed training see what an uninterrupted one would have seen.
    """

    def __init__(self, data, batch_size, shuffle=False, augment=None, seed=0, steps=None):
        super().__init__(workers=READERS, max_queue_size=BATCHES_AHEAD)
        if len(data) == 0:
            raise ValueError(f"Expected at least one image. Received: {data!r}")
        arguments.whole_number("batch_size", batch_size, 1)
        arguments.whole_number("steps", 1 if steps is None else steps, 1)
        arguments.whole_number("seed", seed, 0)
        self.data, self.batch_size, self.shuffle, self.seed, self.steps = (
            data,
            batch_size,
            shuffle,
            seed,
            steps,
        )
        self.flip, self.augment = (
            isinstance(augment, str) and augment == "flip",
            _augmentation_layers(augment),
        )
        self.epoch = 0
        self.failure = None  # the first error of reading a batch, which backends wrap in their own
        self.one_at_a_time = (
            threading.Lock()
        )  # neither a data set's `read` nor an augmentation need be safe for threads

    def __len__(self):
        return self.steps or -(-len(self.data) // self.batch_size)

    def on_epoch_end(self):
        self.epoch += 1

    def indices(self, batch: int) -> np.ndarray:
        """Which images are in this batch of the present epoch."""
        count = len(self.data)
        if self.steps:
            rng = np.random.default_rng([self.seed, self.epoch, batch])
            return rng.choice(count, self.batch_size, replace=self.batch_size > count)
        order = (
            np.random.default_rng([self.seed, self.epoch]).permutation(count)
            if self.shuffle
            else np.arange(count)
        )
        return order[batch * self.batch_size : (batch + 1) * self.batch_size]

    def flips(self, batch: int) -> np.ndarray:
        """Which images of this batch are mirrored, bool `(B,)`; all False without `augment="flip"`."""
        coins = (
            np.random.default_rng([self.seed, self.epoch, batch, 1]).random(
                len(self.indices(batch))
            )
            < 0.5
        )
        return coins & self.flip

    def __getitem__(self, batch):
        with self.one_at_a_time:
            try:
                return self._read(batch)
            except Exception as error:
                self.failure = self.failure or error
                raise

    def _read(self, batch):
        pairs = [self.data[index] for index in self.indices(batch)]
        if any(target is None for _, target in pairs):
            raise ValueError(
                f"{self.data!r} has images without a label, so it cannot be trained on or scored."
            )
        images = pad_and_stack([image for image, _ in pairs], 0).astype("float32")
        targets = pad_and_stack([target for _, target in pairs], 0 if self.reconstructs else VOID)
        targets = targets.astype("float32" if self.reconstructs else "int32")
        for row in np.flatnonzero(self.flips(batch)):
            images[row], targets[row] = images[row, :, ::-1], targets[row, :, ::-1]
        for number, layer in enumerate(self.augment):
            images, targets = self._augmented(
                layer, images, targets, [self.seed, self.epoch, batch, number]
            )
        return images, targets

    @property
    def reconstructs(self) -> bool:
        """Whether the targets are the images themselves."""
        return self.data.reconstructs

    def _augmented(self, layer, images, targets, entropy):
        if hasattr(
            layer, "generator"
        ):  # what it draws must depend on the batch, not on how often it was called
            layer.generator.state.assign(
                np.random.default_rng([*entropy, 2]).integers(0, 2**31, 2).astype("uint32")
            )
        if self.reconstructs:
            images = keras.ops.convert_to_numpy(layer(images, training=True))
            return images, images
        # Void travels as 0. A second channel with the opposite sign tells labels from what a layer fills the empty corners of
        # a turned mask with: that is the same number in both channels, and of such numbers 0 alone is its own opposite.
        shifted = ((targets + 1) % 256)[..., None].astype("float32")
        images, masks = _moved_alike(layer, images, np.concatenate([shifted, -shifted], axis=-1))
        moved = np.where(masks[..., 0] == -masks[..., 1], masks[..., 0], 0)
        if (moved != np.rint(moved)).any():
            raise ValueError(
                "Expected augment to hold layers that move labels as they are, such as keras.layers.RandomZoom. Received: "
                f"{type(layer).__name__}, which made numbers between two classes of them. Leave it out."
            )
        return images, (moved.astype("int32") - 1) % 256


def _moved_alike(layer, images, masks) -> tuple[np.ndarray, np.ndarray]:
    """Images and label maps after one random transformation."""
    pair = {"images": images, "segmentation_masks": masks}
    if keras.backend.backend() == "torch":
        # Keras 3.15 on PyTorch changes the matrix that it turns the images with, and would turn the labels with the changed one
        drawn = layer.get_random_transformation(pair, training=True)
        own = lambda: keras.tree.map_structure(
            lambda x: keras.ops.copy(x) if keras.ops.is_tensor(x) else x, drawn
        )  # noqa: E731
        pair = {
            "images": layer.transform_images(
                keras.ops.convert_to_tensor(images), own(), training=True
            ),
            "segmentation_masks": layer.transform_segmentation_masks(
                keras.ops.convert_to_tensor(masks), own(), training=True
            ),
        }
    else:
        pair = layer(pair, training=True)
    return tuple(
        keras.ops.convert_to_numpy(pair[name]) for name in ("images", "segmentation_masks")
    )


def pad_and_stack(arrays: Sequence[np.ndarray], fill: int) -> np.ndarray:
    """Stacks arrays of different height and width, filling up at the bottom and the right."""
    height = max(array.shape[0] for array in arrays)
    width = max(array.shape[1] for array in arrays)
    stacked = np.full((len(arrays), height, width, *arrays[0].shape[2:]), fill, arrays[0].dtype)
    for row, array in zip(stacked, arrays, strict=True):
        row[: array.shape[0], : array.shape[1]] = array
    return stacked


def _augmentation_layers(augment) -> list:
    if augment is None or (isinstance(augment, str) and augment == "flip"):
        return []
    layers = augment if isinstance(augment, (list, tuple)) else [augment]
    for layer in layers:
        if not isinstance(layer, keras.layers.Layer):
            raise ValueError(
                f"Expected augment to be 'flip' or Keras image layers. Received: {layer!r}"
            )
        if not hasattr(layer, "transform_segmentation_masks"):
            raise ValueError(
                "Expected augment to hold layers that change images and labels alike, such as keras.layers.RandomRotation. "
                f"Received: {type(layer).__name__}. (Scaling is done inside the model already.)"
            )
    return list(layers)
