"""The loss of the lecture: softmax cross-entropy at every pixel that is not void (lecture: L24)."""

from collections.abc import Sequence

import keras
import numpy as np
from keras import ops

from fcn_keras.support.labels import VOID


@keras.saving.register_keras_serializable("fcn_keras")
class PixelwiseCrossEntropy(keras.losses.Loss):
    """Softmax cross-entropy at every pixel; the mean is taken over the pixels that are not void.

    At a pixel whose class has the score s, it is log Σ exp(scores) − s: small when s stands out.
    Keras' `SparseCategoricalCrossentropy(from_logits=True, ignore_class=255)` gives the same
    number,
    but with a few classes it takes three times as long, a third of a training step: sums over a
        short
    last axis are slow, so here the classes come first.

    Args:
        class_weight: How much a pixel of each class counts, one number per class; the mean is
            weighted by them. `None`: all count the same.
    """

    def __init__(self, class_weight: Sequence[float] | None = None, **options):
        super().__init__(**options)
        self.class_weight = class_weight

    def call(self, y_true, y_pred):
        """Class numbers `(B, H, W)`, 255 for void, and logits `(B, H, W, C)` → one number.

        It is 0 if all pixels are void.
        """
        labels = ops.where(ops.not_equal(y_true, VOID), y_true, 0)
        scores = ops.moveaxis(y_pred, -1, 0)  # (C, B, H, W)
        classes = ops.one_hot(labels, scores.shape[0], axis=0, dtype=y_pred.dtype)  # 1 at its class
        losses = ops.logsumexp(scores, axis=0) - ops.sum(classes * scores, axis=0)  # (B, H, W)
        return mean_without_void(losses, y_true, self.class_weight)

    def get_config(self):
        return {**super().get_config(), "class_weight": self.class_weight}


@keras.saving.register_keras_serializable("fcn_keras")
class WithoutVoid(keras.losses.Loss):
    """Another loss of class numbers and logits, averaged over the pixels that are not void.

    Args:
        loss: A Keras loss or a function of `(B, H, W)` and `(B, H, W, C)` that gives a number for
            every pixel, `(B, H, W)`.
        class_weight: As at `PixelwiseCrossEntropy`.
    """

    def __init__(self, loss, class_weight: Sequence[float] | None = None, **options):
        super().__init__(**options)
        self.loss, self.class_weight = loss, class_weight

    def call(self, y_true, y_pred):
        """Class numbers, 255 for void, and logits → one number, as `PixelwiseCrossEntropy`."""
        labels = ops.where(ops.not_equal(y_true, VOID), y_true, 0)
        return mean_without_void(per_pixel(self.loss)(labels, y_pred), y_true, self.class_weight)

    def get_config(self):
        loss = keras.losses.serialize(self.loss)
        return {**super().get_config(), "loss": loss, "class_weight": self.class_weight}

    @classmethod
    def from_config(cls, config):
        return cls(keras.losses.deserialize(config.pop("loss")), **config)


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
        labels = ops.cast(ops.where(known, y_true, 0), "int32")  # Keras passes them as floats
        weights = weights * ops.take(table, labels)
    total = ops.sum(weights)
    # `where`, not a product with 0: what stands under void may not be a number
    return ops.sum(ops.where(known, weights * losses, 0.0)) / ops.where(total > 0, total, 1.0)


def segmentation_loss() -> keras.losses.Loss:
    """What segmentation networks are trained with here: `PixelwiseCrossEntropy`."""
    return PixelwiseCrossEntropy()


def loss_for(data, loss=None, class_weight=None):
    """The loss that a data set is trained with.

    Args:
        data: `SegmentationData`, or its `reconstruction()`.
        loss: `None` for `PixelwiseCrossEntropy`, or the mean squared error of a reconstruction.
            Else a Keras loss, its name or a function.
        class_weight: `{class name or number: weight}`, or a weight per class; classes that are not
            named have the weight 1.

    Raises:
        ValueError: If the loss does not fit class numbers and logits, or a weight is not a number
            above or equal to 0, or of no class, or there are no classes.
    """
    if data.reconstructs:
        if class_weight is not None:
            raise ValueError(
                "Expected class_weight with label maps. Received: a reconstruction, whose targets "
                "are images without classes"
            )
        return keras.losses.get(loss or "mean_squared_error")
    weights = None if class_weight is None else weight_per_class(class_weight, data.class_names)
    if loss is None:
        return PixelwiseCrossEntropy(weights)
    found = keras.losses.get(loss)
    if getattr(found, "ignore_class", None) == VOID and weights is None:
        return found  # it leaves out void itself
    require_loss_per_pixel(found, loss, data.num_classes)
    return WithoutVoid(found, weights)


def per_pixel(loss):
    """The function behind a loss that gives a number for every pixel, before any mean is taken."""
    return loss.call if isinstance(loss, keras.losses.Loss) else loss


def require_loss_per_pixel(loss, received, num_classes: int) -> None:
    """Tries a loss on six pixels of class 0.

    Raises:
        ValueError: If it expects probabilities or one-hot labels, or mixes the pixels.
    """
    if not _takes_logits(loss):
        raise ValueError(
            "Expected a loss of logits, such as keras.losses.SparseCategoricalCrossentropy("
            f"from_logits=True). Received: loss={received!r}, which expects probabilities, and the "
            "models of this package give logits"
        )
    labels, logits = np.zeros((1, 2, 3), "int32"), np.zeros((1, 2, 3, num_classes), "float32")
    try:
        shape = tuple(
            per_pixel(loss)(ops.convert_to_tensor(labels), ops.convert_to_tensor(logits)).shape
        )
    except Exception as error:  # whatever a loss says about shapes that it cannot take
        shape = " ".join(str(error).split())[:200]
    if shape != labels.shape:
        raise ValueError(
            "Expected a loss of class numbers (B, H, W) and logits (B, H, W, C) that gives a "
            "number for every pixel, (B, H, W), so that void can be left out. Received: "
            f"loss={received!r}, which gives {shape}. A loss that leaves out void itself says so "
            f"by ignore_class = {VOID}."
        )


def _takes_logits(loss) -> bool:
    """Whether a loss expects logits; a loss that does not say so is believed to."""
    options = {**getattr(loss, "_fn_kwargs", {})}
    if "from_logits" in options:
        return bool(options["from_logits"])
    if getattr(loss, "from_logits", None) is not None:
        return bool(loss.from_logits)
    return "from_logits" not in getattr(getattr(loss, "__code__", None), "co_varnames", ())


def weight_per_class(class_weight, class_names: Sequence[str]) -> list[float]:
    """Weights as a list, one for each class.

    Raises:
        ValueError: If a weight is below 0 or not a number, a class is unknown, or all weigh
            nothing.
    """
    count = len(class_names)
    if not isinstance(class_weight, dict):
        class_weight = dict(enumerate(np.ravel(np.asarray(class_weight, dtype=object)).tolist()))
        if len(class_weight) != count:
            raise ValueError(
                f"Expected class_weight to hold {count} numbers, one for each of "
                f"{', '.join(class_names)}. Received: {len(class_weight)}"
            )
    numbers = {
        **{name: number for number, name in enumerate(class_names)},
        **{n: n for n in range(count)},
    }
    weights = [1.0] * count
    for name, weight in class_weight.items():
        if name not in numbers:
            raise ValueError(
                f"Expected class_weight for classes out of {', '.join(class_names)}. Received: "
                f"{name!r}"
            )
        if (
            isinstance(weight, bool)
            or not isinstance(weight, (int, float, np.number))
            or not 0 <= weight < np.inf
        ):
            raise ValueError(
                f"Expected every number in class_weight to be at least 0. Received: {weight!r} for "
                f"{name!r}"
            )
        weights[numbers[name]] = float(weight)
    if not any(weights):
        raise ValueError("Expected class_weight to have a number above 0. Received: only zeros")
    return weights
