"""The loss of the lecture: softmax cross-entropy at every pixel that is not void (lecture: L24).

At a pixel of class c with the scores s, the loss is −log softmax(s)[c] = log Σₖ exp(s[k]) − s[c].
What is minimised is its mean over all pixels that are not void:

    loss = Σ_p w[c_p] · (log Σₖ exp(s_p[k]) − s_p[c_p]) / Σ_p w[c_p],    p not void

The weights w are 1, or those of `class_weight`. Other losses: `own_loss`.
"""

from collections.abc import Sequence

import keras
from keras import ops

from fcn_keras.support.labels import VOID


@keras.saving.register_keras_serializable("fcn_keras")
class PixelwiseCrossEntropy(keras.losses.Loss):
    """Softmax cross-entropy at every pixel; the mean is taken over the pixels that are not void.

    It gives the same number as Keras' `SparseCategoricalCrossentropy(from_logits=True,
    ignore_class=255)`, three times as fast with a few classes: a sum over a short last axis is
    slow, so the classes come first here.

    Args:
        class_weight: How much a pixel of each class counts, one number per class. `None`: all
            count the same.
    """

    def __init__(self, class_weight: Sequence[float] | None = None, **options):
        super().__init__(**options)
        self.class_weight = class_weight

    def call(self, y_true, y_pred):
        """Class numbers `(B, H, W)`, 255 for void, and logits `(B, H, W, C)` → one number.

        It is 0 if all pixels are void.
        """
        labels = without_void(y_true)
        scores = ops.moveaxis(y_pred, -1, 0)  # (C, B, H, W)
        classes = ops.one_hot(labels, scores.shape[0], axis=0, dtype=y_pred.dtype)  # (C, B, H, W)
        losses = ops.logsumexp(scores, axis=0) - ops.sum(classes * scores, axis=0)  # (B, H, W)
        return mean_without_void(losses, y_true, self.class_weight)

    def get_config(self):
        return {**super().get_config(), "class_weight": self.class_weight}


def without_void(y_true):
    """Labels with class 0 in the place of void; `mean_without_void` leaves these pixels out."""
    return ops.where(ops.not_equal(y_true, VOID), y_true, 0)


def mean_without_void(losses, y_true, class_weight: Sequence[float] | None = None):
    """The mean of a number per pixel over the pixels that are not void; 0 if all are.

    Args:
        losses: `(B, H, W)`.
        y_true: Class numbers `(B, H, W)`, 255 for void.
        class_weight: One number per class, or `None`.
    """
    known = ops.not_equal(y_true, VOID)
    weights = ops.cast(known, losses.dtype)
    if class_weight is not None:
        table = ops.convert_to_tensor(class_weight, dtype=losses.dtype)
        labels = ops.cast(without_void(y_true), "int32")  # Keras passes them as floats
        weights = weights * ops.take(table, labels)
    total = ops.sum(weights)
    # `where` and not a product with 0, since the loss under void may be NaN
    return ops.sum(ops.where(known, weights * losses, 0.0)) / ops.where(total > 0, total, 1.0)


def segmentation_loss() -> keras.losses.Loss:
    """The loss of segmentation networks here, `PixelwiseCrossEntropy`, to compile a model with."""
    return PixelwiseCrossEntropy()
