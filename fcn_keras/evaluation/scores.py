"""The confusion matrix, and the scores computed from it: the paper's four, and IoU per class.

Row = true class, column = predicted class, entries count pixels. Pixels of void are not counted.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np

from fcn_keras.support import agreement, arguments
from fcn_keras.support.kinds import ClassCount, checked
from fcn_keras.support.labels import VOID


@checked
def confusion_matrix(
    true: np.ndarray, predicted: np.ndarray, num_classes: ClassCount
) -> np.ndarray:
    """Counts pixels by true and by predicted class, in 64-bit integers (lecture: L25).

    Args:
        true: Class numbers, any shape; pixels of 255 (void) are left out.
        predicted: Class numbers, same shape, such as `prediction.segment` gives.
        num_classes: C.

    Returns:
        int64 `(C, C)`, row = true class, column = predicted class.

    Raises:
        ValueError: If the shapes differ, or a number is not a class.

    Example:
        >>> true, predicted = [0, 0, 0, 0, 1, 1, 255], [0, 0, 0, 1, 1, 0, 0]
        >>> fcn.evaluation.confusion_matrix(true, predicted, num_classes=2)
        array([[3, 1],
               [1, 1]])
    """
    true, predicted = np.asarray(true), np.asarray(predicted)
    agreement.require_same_shape(true=true, predicted=predicted)
    scored = true != VOID
    true = arguments.class_numbers("true", true[scored], num_classes)
    predicted = arguments.class_numbers("predicted", predicted[scored], num_classes, void=False)
    # Each pair (true, predicted) gets a number of its own: its place in the matrix, row by row.
    pairs = num_classes * true.astype("int64") + predicted.astype("int64")
    return np.bincount(pairs, minlength=num_classes**2).reshape(num_classes, num_classes)


@dataclass(frozen=True)
class Scores:
    """The paper's four scores of a confusion matrix, the IoU of each class, and the pixel error.

    In the formulas n[i, j] is `confusion[i, j]`, the number of pixels of class i predicted as j,
    and t[i] = Σ_j n[i, j] is the number of pixels of class i. The accuracy of a class that never
    occurs is NaN, and so is the IoU of one that neither occurs nor is predicted. Means leave NaN
    out.

    Source: Long, Shelhamer, Darrell, section 5.

    Example:
        >>> scores = fcn.evaluation.Scores(np.array([[3, 1], [1, 1]]), ("grass", "road"))
        >>> print(scores)
        pixel accuracy            66.7 %
        mean accuracy             62.5 %
        mean iou                  46.7 %
        frequency weighted iou    51.1 %
        IoU grass                 60.0 %
        IoU road                  33.3 %
    """

    confusion: np.ndarray  # int64 (C, C)
    class_names: tuple[str, ...] = ()

    def __post_init__(self):
        classes = len(arguments.counts("confusion", self.confusion))
        if self.class_names:
            agreement.require_name_for_each("class_names", self.class_names, classes)

    @property
    def pixel_accuracy(self) -> float:
        """Σ n[i, i] / Σ t[i]: the share of pixels whose class is predicted correctly."""
        return _ratio(np.trace(self.confusion), self.confusion.sum())

    @property
    def accuracy(self) -> np.ndarray:
        """n[i, i] / t[i] per class, `(C,)`; NaN for a class that never occurs."""
        return _ratio(np.diag(self.confusion), self.confusion.sum(axis=1))

    @property
    def mean_accuracy(self) -> float:
        """Mean of `accuracy` over the classes that occur."""
        return _mean(self.accuracy)

    @property
    def iou(self) -> np.ndarray:
        """Intersection over union, n[i, i] / (t[i] + Σ_j n[j, i] − n[i, i]) per class, `(C,)`.

        The union is all pixels that are of class i or predicted as i; without any the IoU is NaN.
        """
        intersection = np.diag(self.confusion)
        union = self.confusion.sum(axis=1) + self.confusion.sum(axis=0) - intersection
        return _ratio(intersection, union)

    @property
    def mean_iou(self) -> float:
        """Mean of `iou` over the classes that occur or are predicted."""
        return _mean(self.iou)

    @property
    def frequency_weighted_iou(self) -> float:
        """Σ t[i]·iou[i] / Σ t[i]: `iou` weighted by the number of pixels of each class."""
        pixels = self.confusion.sum(axis=1)
        present = pixels > 0  # the IoU of other classes may be NaN, and 0 · NaN would be NaN
        return _ratio((pixels[present] * self.iou[present]).sum(), pixels.sum())

    @property
    def pixel_error(self) -> float:
        """1 − `pixel_accuracy`: the share of pixels that are wrong."""
        return 1 - self.pixel_accuracy

    def as_dict(self) -> dict:
        """The scores as plain numbers for JSON; NaN becomes None."""
        names = self.class_names or [str(number) for number in range(len(self.confusion))]
        return {
            "pixel_accuracy": _plain(self.pixel_accuracy),
            "mean_accuracy": _plain(self.mean_accuracy),
            "mean_iou": _plain(self.mean_iou),
            "frequency_weighted_iou": _plain(self.frequency_weighted_iou),
            "iou": {name: _plain(value) for name, value in zip(names, self.iou, strict=True)},
        }

    def __str__(self) -> str:
        scores = self.as_dict()
        classes = [(f"IoU {name}", value) for name, value in scores.pop("iou").items()]
        rows = [(name.replace("_", " "), value) for name, value in scores.items()] + classes
        return "\n".join(f"{name:<24}{_percent(value):>6} %" for name, value in rows)


def _ratio(part, whole) -> Any:
    """part / whole, for two numbers or two arrays; NaN where whole is 0."""
    part, whole = np.asarray(part, "float64"), np.asarray(whole, "float64")
    ratio = np.full(part.shape, np.nan)
    np.divide(part, whole, out=ratio, where=whole > 0)  # elsewhere `ratio` stays NaN
    return ratio[()]  # makes a number of an array without axes


def _mean(values) -> float:
    known = values[~np.isnan(values)]
    return float(known.mean()) if len(known) else float("nan")


def _plain(value) -> float | None:
    return None if np.isnan(value) else round(float(value), 6)


def _percent(value: float | None) -> str:
    return "–" if value is None else f"{100 * value:.1f}"
