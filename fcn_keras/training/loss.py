"""The loss of the lecture: softmax cross-entropy at every pixel that is not void (lecture: L24).

At a pixel of class c with the scores s, the loss is −log softmax(s)[c] = log Σₖ exp(s[k]) − s[c].
What is minimised is its mean over all pixels that are not void:

    loss = Σ_p w[c_p] · (log Σₖ exp(s_p[k]) − s_p[c_p]) / Σ_p w[c_p],    p not void

The weights w are 1, or those of `class_weight`. Keras' `sample_weight` multiplies the losses above
the line only, as in Keras' own losses. Other losses: `own_loss`.
"""

from collections.abc import Sequence

import keras
import numpy as np
from keras import ops

from fcn_keras.support import arguments
from fcn_keras.support.labels import VOID

MEANS = ("sum_over_batch_size", "mean", "mean_with_sample_weight")  # what Keras calls a mean


class LossWithoutVoid(keras.losses.Loss):
    """A loss with a number for every pixel; its mean is taken over the pixels that are not void.

    Subclasses say in `of_each_pixel` what the loss at a pixel is.

    Args:
        class_weight: How much a pixel of each class counts, one number per class. `None`: all
            count the same.
        reduction: As at any Keras loss; every mean is the one over the pixels that are not void.
    """

    def __init__(
        self,
        class_weight: Sequence[float] | None = None,
        reduction: str | None = "sum_over_batch_size",
        **options,
    ):
        self.gives_mean = reduction in MEANS
        super().__init__(reduction="sum" if self.gives_mean else reduction, **options)
        self.class_weight = class_weight

    def of_each_pixel(self, labels, logits):
        """Class numbers `(B, H, W)`, 0 in the place of void, and logits → `(B, H, W)`."""
        raise NotImplementedError

    def __call__(self, y_true, y_pred, sample_weight=None):
        """Class numbers and logits `(B, H, W, C)` → the mean; 0 if all pixels are void.

        Args:
            y_true: Class numbers `(B, H, W)` or `(B, H, W, 1)`, 255 for void.
            y_pred: Logits.
            sample_weight: A weight per image `(B,)` or per pixel `(B, H, W)`, or `None`.

        Raises:
            ValueError: If the labels have another shape, or if they are a NumPy array and one of
                them is no class. In compiled code nothing can be raised: there such a label makes
                the loss NaN.
        """
        y_true = class_numbers(y_true, y_pred, self.dtype)
        counts = self._how_much_each_counts(y_true)  # (B, H, W)
        weights = counts
        if sample_weight is not None:
            weights = counts * for_each_pixel(sample_weight, like=counts)
        loss = super().__call__(y_true, y_pred, weights)  # Keras calls, weighs and sums
        if self.gives_mean:
            total = ops.sum(counts)
            loss = loss / ops.where(total > 0, total, 1.0)
        return ops.where(all_are_classes(y_true, y_pred.shape[-1]), loss, np.nan)

    def call(self, y_true, y_pred):
        """The loss of every pixel, `(B, H, W)`; 0 under void."""
        known = ops.not_equal(y_true, VOID)
        losses = self.of_each_pixel(ops.where(known, y_true, 0), y_pred)
        return ops.where(known, losses, 0.0)  # not a product with 0: the loss there may be NaN

    def _how_much_each_counts(self, y_true):
        """1 or the weight of the pixel's class, and 0 under void."""
        known = ops.not_equal(y_true, VOID)
        if self.class_weight is None:
            return ops.cast(known, self.dtype)
        table = ops.convert_to_tensor([*self.class_weight, 0.0], dtype=self.dtype)  # void is last
        labels = ops.where(known, ops.cast(y_true, "int32"), len(self.class_weight))
        return ops.take(table, labels, axis=0)

    def get_config(self):
        mean = {"reduction": MEANS[0]} if self.gives_mean else {}
        return {**super().get_config(), **mean, "class_weight": self.class_weight}


@keras.saving.register_keras_serializable("fcn_keras")
class PixelwiseCrossEntropy(LossWithoutVoid):
    """Softmax cross-entropy at every pixel; the mean is taken over the pixels that are not void.

    It gives the same number as Keras' `SparseCategoricalCrossentropy(from_logits=True,
    ignore_class=255)`, three times as fast with a few classes: a sum over a short last axis is
    slow, so the classes come first here.
    """

    def of_each_pixel(self, labels, logits):
        scores = ops.moveaxis(logits, -1, 0)  # (C, B, H, W)
        classes = ops.one_hot(labels, scores.shape[0], axis=0, dtype=logits.dtype)  # (C, B, H, W)
        return ops.logsumexp(scores, axis=0) - ops.sum(classes * scores, axis=0)  # (B, H, W)


def class_numbers(y_true, y_pred, dtype):
    """Labels of the shape of a score map, `(B, H, W)`.

    Raises:
        ValueError: If they have another shape, or are a NumPy array that holds another class.
    """
    if isinstance(y_true, np.ndarray) and y_true.dtype.kind in "ui":
        arguments.class_numbers("y_true", y_true, np.shape(y_pred)[-1])
    y_true = ops.convert_to_tensor(y_true, dtype=dtype)  # as Keras does with every label
    if len(y_true.shape) == len(y_pred.shape) and y_true.shape[-1] == 1:
        y_true = ops.squeeze(y_true, axis=-1)
    if len(y_true.shape) != len(y_pred.shape) - 1:
        raise ValueError(
            "Expected y_true to hold a class number for each pixel of the logits "
            f"{tuple(y_pred.shape)}. Received: shape {tuple(y_true.shape)}. {arguments.ARGMAX}"
        )
    return y_true


def all_are_classes(labels, num_classes: int):
    """Whether labels are 0 … C − 1 or void: one truth value, which compiled code can work with."""
    highest = ops.max(ops.where(ops.not_equal(labels, VOID), labels, 0))
    return ops.logical_and(highest < num_classes, ops.min(labels) >= 0)


def for_each_pixel(sample_weight, like):
    """Weights of whole images `(B,)`, or of pixels, in a shape that fits a map `(B, H, W)`."""
    weights = ops.convert_to_tensor(sample_weight, dtype=like.dtype)
    dimensions = len(like.shape)
    if len(weights.shape) == dimensions + 1:
        return ops.squeeze(weights, axis=-1)
    return ops.reshape(weights, (*ops.shape(weights), *(1,) * (dimensions - len(weights.shape))))


def segmentation_loss() -> keras.losses.Loss:
    """The loss of segmentation networks here, `PixelwiseCrossEntropy`, to compile a model with.

    `sample_weight` of Keras' `fit` works with it. In place of Keras' `class_weight`, which knows no
    label maps, take `PixelwiseCrossEntropy([1.0, 5.0])`.
    """
    return PixelwiseCrossEntropy()
