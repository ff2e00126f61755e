"""A loss and class weights that a Keras user brings along, made to leave out void."""

import inspect
from collections.abc import Sequence

import keras
import numpy as np
from keras import ops

from fcn_keras.support.labels import VOID
from fcn_keras.training.loss import LossWithoutVoid, PixelwiseCrossEntropy


@keras.saving.register_keras_serializable("fcn_keras")
class WithoutVoid(LossWithoutVoid):
    """Another loss of class numbers and logits, averaged over the pixels that are not void.

    Args:
        loss: A Keras loss or a function of `(B, H, W)` and `(B, H, W, C)` that gives a number for
            every pixel, `(B, H, W)`.
        class_weight: As at `PixelwiseCrossEntropy`.
    """

    def __init__(self, loss, class_weight: Sequence[float] | None = None, **options):
        super().__init__(class_weight, **options)
        self.loss = loss

    def of_each_pixel(self, labels, logits):
        return per_pixel(self.loss)(labels, logits)

    def get_config(self):
        return {**super().get_config(), "loss": keras.losses.serialize(self.loss)}

    @classmethod
    def from_config(cls, config):
        return cls(keras.losses.deserialize(config.pop("loss")), **config)


def loss_for(data, loss=None, class_weight=None):
    """The loss that a data set is trained with.

    Args:
        data: `SegmentationData`, or its `reconstruction()`.
        loss: `None` for `PixelwiseCrossEntropy`, or the mean squared error of a reconstruction.
            Else a Keras loss, its name or a function.
        class_weight: `{class name or number: weight}`, or a weight per class; classes that are not
            named have the weight 1.

    Raises:
        ValueError: If the loss does not take class numbers and logits, if a weight is negative or
            belongs to no class, or if weights are given for a reconstruction, which has no classes.
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
        losses = per_pixel(loss)(ops.convert_to_tensor(labels), ops.convert_to_tensor(logits))
        answer = f"gives {tuple(losses.shape)}"
    except Exception:  # a backend's words about shapes would say nothing to the reader
        answer = "does not take them"
    if answer != f"gives {labels.shape}":
        raise ValueError(
            "Expected a loss of class numbers (B, H, W) and logits (B, H, W, C) that gives a "
            "number for every pixel, (B, H, W), so that void can be left out. Received: "
            f"loss={received!r}, which {answer}. A loss that leaves out void itself says so by "
            f"ignore_class = {VOID}."
        )


def _takes_logits(loss) -> bool:
    """Whether a loss expects logits.

    Keras' losses keep `from_logits` as an attribute or among the options of their function; a
    function that is given by name has the default, which is probabilities. A loss that knows no
    such option is taken to expect logits.
    """
    said = getattr(loss, "_fn_kwargs", {}).get("from_logits", getattr(loss, "from_logits", None))
    if said is None and inspect.isfunction(loss):
        return "from_logits" not in inspect.signature(loss).parameters
    return said is None or bool(said)


def weight_per_class(class_weight, class_names: Sequence[str]) -> list[float]:
    """Weights as a list, one for each class.

    Raises:
        ValueError: If a weight is below 0 or not a number, a class is unknown, or all are
            0.
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
        raise ValueError("Expected class_weight to hold a number above 0. Received: only zeros")
    return weights
