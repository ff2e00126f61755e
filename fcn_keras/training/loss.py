"""The loss of the lecture: softmax cross-entropy at every pixel (lecture: L24)."""

import keras

from fcn_keras.support.labels import VOID


@keras.saving.register_keras_serializable("fcn_keras")
class PixelwiseCrossEntropy(keras.losses.Loss):
    """Softmax cross-entropy at every pixel, mean over all pixels that are not void (lecture: L24).

    At a pixel whose class has the score s, it is log Σ exp(scores) − s: small when s stands out. Keras'
    `SparseCategoricalCrossentropy(from_logits=True, ignore_class=255)` gives the same number, but with a few classes
    takes three times as long, a third of a training step: sums over a short last axis are slow, so here the classes come first.
    """

    def call(self, y_true, y_pred):
        """Class numbers `(B, H, W)`, 255 for void, and logits `(B, H, W, C)` → one number; 0 if all is void."""
        known = keras.ops.not_equal(y_true, VOID)
        labels = keras.ops.where(known, y_true, 0)
        scores = keras.ops.moveaxis(y_pred, -1, 0)  # (C, B, H, W)
        classes = keras.ops.one_hot(
            labels, scores.shape[0], axis=0, dtype=y_pred.dtype
        )  # as scores: 1 at the pixel's class
        losses = keras.ops.logsumexp(scores, axis=0) - keras.ops.sum(
            classes * scores, axis=0
        )  # (B, H, W)
        count = keras.ops.sum(keras.ops.cast(known, y_pred.dtype))
        return keras.ops.sum(keras.ops.where(known, losses, 0.0)) / keras.ops.maximum(count, 1.0)


def segmentation_loss() -> keras.losses.Loss:
    """What segmentation networks are trained with here: `PixelwiseCrossEntropy`."""
    return PixelwiseCrossEntropy()
