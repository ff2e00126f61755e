"""A stage of training: first what is not frozen, and then, with fine-tuning, everything."""

import contextlib
from dataclasses import dataclass

import keras

STEPS_A_ROUND = 50  # with steps=, at most this many lie between two checkpoints


@dataclass(frozen=True)
class Stage:
    """A stage of training. Either `epochs` or `steps` is given."""

    name: str  # "training" or "fine-tuning"
    file: str  # of the checkpoint: "head" or "all"
    epochs: int | None
    steps: int | None
    learning_rate: float  # at the start
    seed: int
    unfreezes: tuple[keras.layers.Layer, ...] = ()  # layers that are trained in this stage only

    def batches(self, data, recipe):
        """The data in this stage's order: all of it once an epoch, or batches drawn at random."""
        options = dict(augment=recipe.augment, seed=self.seed)
        if self.steps is None:
            return data.batches(recipe.batch_size, shuffle=True, **options)
        return data.batches(recipe.batch_size, steps=steps_a_round(self.steps), **options)

    def rounds(self, batches) -> int:
        """How often to go through the batches: what Keras calls epochs."""
        return self.epochs or (self.steps or 0) // len(batches)

    @contextlib.contextmanager
    def unfrozen(self):
        """The layers that this stage unfreezes are trained inside the block and frozen after it.

        All but their BatchNormalization: its statistics were taken from many pictures, and a few
        batches of a few pictures would spoil them (Keras' guide to fine-tuning, too, keeps them).
        """
        for layer in self.unfreezes:
            layer.trainable = True
        normalizing = batch_normalizations(self.unfreezes)
        for layer in normalizing:
            layer.trainable = False
        if normalizing:
            print("Frozen BatchNormalization stays frozen in fine-tuning: it keeps its statistics.")
        try:
            yield
        finally:
            for layer in self.unfreezes:
                layer.trainable = False


def batch_normalizations(layers) -> list[keras.layers.Layer]:
    """Those among some layers, and inside of them, that normalize over the batch."""
    inner = [layer for outer in layers for layer in outer._flatten_layers()]  # itself included
    return [layer for layer in inner if isinstance(layer, keras.layers.BatchNormalization)]


def steps_a_round(steps: int) -> int:
    """The largest divisor of `steps` up to 50: Keras wants rounds ("epochs") of equal length."""
    return max(size for size in range(1, STEPS_A_ROUND + 1) if steps % size == 0)
