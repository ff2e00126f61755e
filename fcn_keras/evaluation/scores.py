"""The confusion matrix and the paper's four scores that follow from it.

Row = true class, column = predicted class, entries count pixels. Void is in neither.
"""

from dataclasses import dataclass

import numpy as np

from fcn_keras.support import arguments
from fcn_keras.support.labels import VOID


@dataclass(frozen=True)
class Scores:
    """The paper's scores of a confusion matrix (Long, Shelhamer, Darrell, section 5).

    With n[i, j] pixels of class i predicted as j and t[i] = Σ_j n[i, j]. A class that neither
    occurs nor is predicted has no IoU (NaN), and the means are over the others.
    """

    confusion: np.ndarray  # int64 (C, C)
    class_names: tuple[str, ...] = ()

    def __post_init__(self):
        table = arguments.array(
            "confusion", self.confusion, 2, "(C, C), pixels of each class found as each class"
        )
        if table.shape[0] != table.shape[1] or table.min() < 0 or table.dtype.kind not in "ui":
            what = "(C, C) whole numbers, 0 or more"
            raise ValueError(
                f"Expected confusion to be {what}. {arguments.received('confusion', table)}"
            )
        if self.class_names and len(arguments.names("class_names", self.class_names)) != len(table):
            what = f"a name for each of {len(table)} classes, or none at all"
            raise ValueError(
                f"Expected class_names to hold {what}. {arguments.received('class_names', self.class_names)}"
            )

    @property
    def pixel_accuracy(self) -> float:
        """Σ n[i, i] / Σ t[i]: the share of pixels that are right."""
        return _ratio(np.trace(self.confusion), self.confusion.sum())

    @property
    def accuracy(self) -> np.ndarray:
        """n[i, i] / t[i] per class, `(C,)`; NaN for a class that never occurs."""
        return _ratio(np.diag(self.confusion), self.confusion.sum(axis=1))

    @property
    def mean_accuracy(self) -> float:
        """Mean over the classes that occur of `accuracy`."""
        return _mean(self.accuracy)

    @property
    def iou(self) -> np.ndarray:
        """n[i, i] / (t[i] + Σ_j n[j, i] − n[i, i]) per class, `(C,)`; NaN for a class in neither."""
        hit = np.diag(self.confusion)
        return _ratio(hit, self.confusion.sum(axis=1) + self.confusion.sum(axis=0) - hit)

    @property
    def mean_iou(self) -> float:
        """Mean of `iou` over the classes that have one."""
        return _mean(self.iou)

    @property
    def frequency_weighted_iou(self) -> float:
        """Σ t[i]·iou[i] / Σ t[i]: `iou` weighted by how many pixels are of the class."""
        pixels = self.confusion.sum(axis=1)
        present = pixels > 0
        return _ratio((pixels[present] * self.iou[present]).sum(), pixels.sum())

    @property
    def pixel_error(self) -> float:
        """1 − `pixel_accuracy`."""
        return 1 - self.pixel_accuracy

    def as_dict(self) -> dict:
        """The scores as plain numbers for JSON; NaN becomes None."""
        plain = lambda value: None if np.isnan(value) else round(float(value), 6)  # noqa: E731
        names = self.class_names or [str(number) for number in range(len(self.confusion))]
        return {
            "pixel_accuracy": plain(self.pixel_accuracy),
            "mean_accuracy": plain(self.mean_accuracy),
            "mean_iou": plain(self.mean_iou),
            "frequency_weighted_iou": plain(self.frequency_weighted_iou),
            "iou": {name: plain(value) for name, value in zip(names, self.iou, strict=True)},
        }

    def __str__(self) -> str:
        four = self.as_dict()
        ious = four.pop("iou")
        percent = lambda value: "   –" if value is None else f"{100 * value:.1f}"  # noqa: E731
        lines = [
            f"{name.replace('_', ' '):<24}{percent(value):>6} %" for name, value in four.items()
        ]
        return "\n".join(
            lines + [f"IoU {name:<20}{percent(value):>6} %" for name, value in ious.items()]
        )


def confusion_matrix(true, predicted, num_classes: int) -> np.ndarray:
    """Counts pixels by true and by predicted class, in 64-bit integers.

    Args:
        true: Class numbers, any shape; 255 (void) is left out.
        predicted: Class numbers, same shape; labels, not probabilities.
        num_classes: C.

    Returns:
        int64 `(C, C)`, row = true class, column = predicted class.

    Raises:
        ValueError: If the shapes differ, numbers are not whole, or a number is not a class.
    """
    arguments.whole_number("num_classes", num_classes, 1, 255)
    true, predicted = np.asarray(true), np.asarray(predicted)
    if true.shape != predicted.shape:
        raise ValueError(
            f"Expected true and predicted label maps of one shape. Received: {true.shape} and {predicted.shape}"
        )
    for name, labels in (("true", true), ("predicted", predicted)):
        if not np.issubdtype(labels.dtype, np.integer):
            raise ValueError(
                f"Expected {name} to hold whole class numbers (np.argmax over the class axis of logits gives them). "
                f"Received: dtype {labels.dtype}"
            )
    scored = true != VOID
    true, predicted = true[scored].astype("int64"), predicted[scored].astype("int64")
    for name, labels in (("true", true), ("predicted", predicted)):
        if labels.size and not 0 <= labels.min() <= labels.max() < num_classes:
            wrong = labels.max() if labels.max() >= num_classes else labels.min()
            raise ValueError(
                f"Expected {name} class numbers 0 to {num_classes - 1}, or {VOID} for void. Received: {wrong}"
            )
    return np.bincount(num_classes * true + predicted, minlength=num_classes**2).reshape(
        num_classes, num_classes
    )


def _ratio(part, whole):
    """part / whole, and NaN where whole is 0."""
    part, whole = np.asarray(part, "float64"), np.asarray(whole, "float64")
    return np.divide(part, whole, out=np.full(part.shape, np.nan), where=whole > 0)[()]


def _mean(values) -> float:
    known = values[~np.isnan(values)]
    return float(known.mean()) if len(known) else float("nan")
