"""How good a segmentation is: the paper's four scores, IoU per class, the band along a boundary.

Everything is computed from one table, the confusion matrix: row = true class, column = predicted
class, entries count pixels. Void is in neither.
"""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from fcn_keras import arguments

VOID = 255


@dataclass(frozen=True)
class Scores:
    """The paper's scores of a confusion matrix (Long, Shelhamer, Darrell, section 5).

    With n[i, j] pixels of class i predicted as j and t[i] = Σ_j n[i, j]. A class that neither
    occurs nor is predicted has no IoU (NaN), and the means are over the others.
    """

    confusion: np.ndarray  # int64 (C, C)
    class_names: tuple[str, ...] = ()

    def __post_init__(self):
        table = arguments.array("confusion", self.confusion, 2, "(C, C), pixels of each class found as each class")
        if table.shape[0] != table.shape[1] or table.min() < 0 or table.dtype.kind not in "ui":
            what = "(C, C) whole numbers, 0 or more"
            raise ValueError(f"Expected confusion to be {what}. {arguments.received('confusion', table)}")
        if self.class_names and len(arguments.names("class_names", self.class_names)) != len(table):
            what = f"a name for each of {len(table)} classes, or none at all"
            raise ValueError(f"Expected class_names to hold {what}. {arguments.received('class_names', self.class_names)}")

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
        lines = [f"{name.replace('_', ' '):<24}{percent(value):>6} %" for name, value in four.items()]
        return "\n".join(lines + [f"IoU {name:<20}{percent(value):>6} %" for name, value in ious.items()])


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
        raise ValueError(f"Expected true and predicted label maps of one shape. Received: {true.shape} and {predicted.shape}")
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
            raise ValueError(f"Expected {name} class numbers 0 to {num_classes - 1}, or {VOID} for void. Received: {wrong}")
    return np.bincount(num_classes * true + predicted, minlength=num_classes**2).reshape(num_classes, num_classes)


def evaluate(model, data, batch_size: int = 4) -> Scores:
    """Scores a model on a data set, every image once and no pixel of void (lecture: F).

    Args:
        model: Keras model that gives logits `(batch, H, W, C)`.
        data: A `SegmentationData` with labels.
        batch_size: Images of one size that go through the model together; changes nothing but speed and memory.

    Returns:
        `Scores`.

    Raises:
        ValueError: If the model has not as many outputs as the data has classes.
    """
    return score_pairs(label_pairs(model, data, batch_size), data)


def score_pairs(pairs: Iterable[tuple[np.ndarray, np.ndarray]], data) -> Scores:
    """Scores of (true, predicted) label maps. `data` gives the number of classes and their names."""
    arguments.data_set("data", data)
    total = np.zeros((data.num_classes, data.num_classes), "int64")
    for true, predicted in pairs:
        total += confusion_matrix(true, predicted, data.num_classes)
    return Scores(total, data.class_names)


def boundary_scores(model, data, widths: tuple[int, ...] = (1, 2, 4, 8), batch_size: int = 4) -> dict[int, Scores]:
    """Scores in bands around the true boundaries, where pooling loses the detail (lecture: L20).

    Args:
        model: Keras model that gives logits `(batch, H, W, C)`.
        data: A `SegmentationData` with labels.
        widths: How far from the boundary a pixel may be, in pixels; see `boundary_band`.
        batch_size: Images at a time.

    Returns:
        `{width: Scores}`; `bands[4].pixel_error` is the share of wrong pixels in the 4-pixel band.
    """
    return score_bands(label_pairs(model, data, batch_size), data, widths)


def score_bands(pairs, data, widths: tuple[int, ...] = (1, 2, 4, 8)) -> dict[int, Scores]:
    """`boundary_scores` of (true, predicted) label maps that are there already."""
    arguments.data_set("data", data)
    widths = arguments.whole_numbers("widths", widths)
    totals = {width: np.zeros((data.num_classes, data.num_classes), "int64") for width in widths}
    for true, predicted in pairs:
        for width in widths:
            in_band = np.where(boundary_band(true, width), true, VOID)
            totals[width] += confusion_matrix(in_band, predicted, data.num_classes)
    return {width: Scores(total, data.class_names) for width, total in totals.items()}


def boundary_band(labels: np.ndarray, width: int) -> np.ndarray:
    """Pixels at most `width` away from a boundary between two classes (lecture: L20).

    Width 1 are the pixels that touch a pixel of another class, left, right, above or below; each
    further pixel of width adds a ring (8-neighbours) on both sides. The border of void is no boundary.

    Args:
        labels: Class numbers `(H, W)`, 255 is void.
        width: At least 1, in pixels.

    Returns:
        bool `(H, W)`; never true on void.

    Raises:
        ValueError: If `width` is smaller than 1.
    """
    arguments.whole_number("width", width, 1)
    labels = arguments.label_map("labels", labels)
    band = np.zeros(labels.shape, bool)
    for a, b in ((np.s_[1:, :], np.s_[:-1, :]), (np.s_[:, 1:], np.s_[:, :-1])):
        differ = (labels[a] != labels[b]) & (labels[a] != VOID) & (labels[b] != VOID)
        band[a] |= differ
        band[b] |= differ
    for _ in range(width - 1):
        for axis in (0, 1):  # a square ring is a row of three, then a column of three
            grown = band.copy()
            ahead, behind = ((np.s_[1:], np.s_[:-1]), (np.s_[:, 1:], np.s_[:, :-1]))[axis]
            grown[ahead] |= band[behind]
            grown[behind] |= band[ahead]
            band = grown
    return band & (labels != VOID)


def coarsen(labels: np.ndarray, factor: int, num_classes: int) -> np.ndarray:
    """A label map as coarse as a network of that stride makes it, at its old size (lecture: L20).

    Each factor × factor cell takes the class that most of its pixels have (of equally many the lower
    number), so that no map of such cells gets more pixels right.

    Args:
        labels: Class numbers `(H, W)`, 255 is void and has no vote.
        factor: Pixels per cell side, at least 1.
        num_classes: C.

    Returns:
        uint8 `(H, W)`, classes only; a cell that is all void gets class 0.

    Raises:
        ValueError: If `factor` is smaller than 1.
    """
    arguments.whole_number("factor", factor, 1)
    labels = arguments.label_map("labels", labels, arguments.whole_number("num_classes", num_classes, 1, 255))
    height, width = labels.shape
    padded = np.pad(labels, ((0, -height % factor), (0, -width % factor)), constant_values=VOID)
    cells = padded.reshape(padded.shape[0] // factor, factor, padded.shape[1] // factor, factor)
    votes = np.stack([(cells == number).sum(axis=(1, 3)) for number in range(num_classes)], axis=-1)
    coarse = votes.argmax(axis=-1).astype("uint8")  # (H / factor, W / factor)
    return coarse.repeat(factor, axis=0).repeat(factor, axis=1)[:height, :width]


def upper_bound(data, factor: int) -> Scores:
    """Scores of the labels themselves after `coarsen`: about the best that a stride can reach (lecture: L20).

    Args:
        data: A `SegmentationData` with labels.
        factor: The stride, in pixels.

    Returns:
        `Scores`; the paper's on VOC 2011, mean IU for 128, 64, 32, 16, 8, 4: 50.9, 73.3, 86.1, 92.8,
        96.4, 98.5 %.
    """
    arguments.data_set("data", data)
    arguments.whole_number("factor", factor, 1)
    masks = (data[index][1] for index in range(len(data)))
    return score_pairs(((mask, coarsen(mask, factor, data.num_classes)) for mask in masks), data)


def label_pairs(model, data, batch_size: int = 4):
    """Yields (true, predicted) label maps of every image of a data set, in order.

    Successive images of one size go through the model together. Those of another size wait for the next batch: a network sees
    padding, so what it says of an image would depend on those beside it.

    Raises:
        ValueError: If the model has not as many outputs as the data has classes or is no segmentation network, or a label is
            missing.
    """
    arguments.scoring_model("model", model)
    arguments.data_set("data", data)
    arguments.whole_number("batch_size", batch_size, 1)
    outputs = model.output_shape[-1]
    if outputs != data.num_classes:
        raise ValueError(
            f"Expected a model with {data.num_classes} outputs, one for each class of the data "
            f"({', '.join(data.class_names)}). Received: {model.name!r} with {outputs}"
        )
    for images, masks in _batches_of_one_size(data, batch_size):
        arguments.fits("model", model, images.shape[1:])
        labels = np.argmax(model.predict_on_batch(images), axis=-1)
        yield from zip(masks, labels, strict=True)


def _batches_of_one_size(data, batch_size):
    """Yields images float32 `(B, H, W, 3)` and labels int32 `(B, H, W)`, as `data.batches` does, but none is padded."""
    if len(data) == 0:
        raise ValueError(f"Expected at least one image. Received: {data!r}")
    pairs = []
    for index in range(len(data)):
        image, mask = data[index]
        if mask is None:
            raise ValueError(f"{data!r} has images without a label, so it cannot be scored.")
        if pairs and (len(pairs) == batch_size or image.shape != pairs[0][0].shape):
            yield _stacked(pairs)
            pairs = []
        pairs.append((image, mask))
    yield _stacked(pairs)


def _stacked(pairs):
    images, masks = zip(*pairs, strict=True)
    return np.stack(images).astype("float32"), np.stack(masks).astype("int32")


def _ratio(part, whole):
    """part / whole, and NaN where whole is 0."""
    part, whole = np.asarray(part, "float64"), np.asarray(whole, "float64")
    return np.divide(part, whole, out=np.full(part.shape, np.nan), where=whole > 0)[()]


def _mean(values) -> float:
    known = values[~np.isnan(values)]
    return float(known.mean()) if len(known) else float("nan")
