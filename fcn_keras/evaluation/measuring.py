"""A model on a data set: its scores, also in bands along the true boundaries.

Everything is computed from one table, the confusion matrix (`evaluation.scores`), which is summed
over the images.
"""

from collections.abc import Iterable, Iterator

import numpy as np

from fcn_keras import models
from fcn_keras.evaluation.boundary import boundary_band, coarsen
from fcn_keras.evaluation.class_order import in_models_order
from fcn_keras.evaluation.scores import Scores, confusion_matrix
from fcn_keras.models.resizing import at_trained_size
from fcn_keras.support import agreement, arguments, images
from fcn_keras.support.kinds import Count, DataSet, InputSize, ScoringModel, Widths, checked
from fcn_keras.support.labels import VOID

LabelPair = tuple[np.ndarray, np.ndarray]  # true and predicted class numbers, both (H, W)


@checked
def evaluate(
    model: ScoringModel, data: DataSet, batch_size: Count = 4, size: InputSize = "trained"
) -> Scores:
    """Scores a model on a data set: every image once, no pixel of void (lecture: L25).

    Args:
        model: Keras model that gives logits `(batch, H, W, C)`. Its card may name the classes: they
            then count by name, whatever their order in the data.
        data: A `SegmentationData` with labels.
        batch_size: How many images of one size go through the model together; it affects only
            speed and memory.
        size: What the images are resized to for the model; the labels are scored at the images' own
            size. `"trained"`: what the model's card says. `None`: nothing is resized.

    Returns:
        `Scores`, in the model's order of classes.

    Raises:
        ValueError: If the model does not have as many outputs as the data has classes, does not
            know a class, gives scores that are not finite, or a label is missing.

    Example:
        >>> data = fcn.datasets.shapes(count=4)
        >>> untrained = fcn.models.fcn_from_cae(fcn.models.cae(widths=(4, 4)), data.num_classes)
        >>> scores = fcn.evaluation.evaluate(untrained, data)
        >>> print(scores.confusion.sum())  # pixels: four images of 64 × 64
        16384
    """
    data = in_models_order(model, data)
    return score_pairs(label_pairs(model, data, batch_size, size), data)


@checked
def score_pairs(pairs: Iterable[LabelPair], data: DataSet) -> Scores:
    """Scores label maps that are there already.

    Args:
        pairs: (true, predicted) label maps, both `(H, W)`.
        data: Gives the number of classes and their names.

    Raises:
        ValueError: If the label maps of a pair differ in size, or a number is not a class.

    Example:
        >>> data = fcn.datasets.shapes(count=4)
        >>> all_background = [(mask, np.zeros_like(mask)) for _, mask in data]
        >>> fcn.evaluation.score_pairs(all_background, data).mean_accuracy  # finds one class of 5
        0.2
    """
    total = np.zeros((data.num_classes, data.num_classes), "int64")
    for true, predicted in pairs:
        total += confusion_matrix(true, predicted, data.num_classes)
    return Scores(total, data.class_names)


@checked
def boundary_scores(
    model: ScoringModel, data: DataSet, widths: Widths = (1, 2, 4, 8), batch_size: Count = 4
) -> dict[int, Scores]:
    """Scores a model near the true boundaries, where pooling loses the detail (lecture: L20).

    Args:
        model: Keras model that gives logits `(batch, H, W, C)`.
        data: A `SegmentationData` with labels.
        widths: How far from the boundary a pixel may be, in pixels; see `boundary_band`.
        batch_size: As in `evaluate`.

    Returns:
        `{width: Scores}`; `bands[4].pixel_error` is the share of wrong pixels in the 4-pixel band.

    Raises:
        ValueError: As `evaluate`, or if a width is smaller than 1.

    Example:
        >>> data = fcn.datasets.shapes(count=4)
        >>> untrained = fcn.models.fcn_from_cae(fcn.models.cae(widths=(4, 4)), data.num_classes)
        >>> list(fcn.evaluation.boundary_scores(untrained, data, widths=(1, 4)))
        [1, 4]
    """
    data = in_models_order(model, data)
    return score_bands(label_pairs(model, data, batch_size), data, widths)


@checked
def score_bands(
    pairs: Iterable[LabelPair], data: DataSet, widths: Widths = (1, 2, 4, 8)
) -> dict[int, Scores]:
    """Scores label maps that are there already, near the true boundaries (lecture: L20).

    Args:
        pairs: (true, predicted) label maps, both `(H, W)`.
        data: Gives the number of classes and their names.
        widths: As in `boundary_scores`.

    Returns:
        `{width: Scores}`.

    Raises:
        ValueError: As `score_pairs`, or if a width is smaller than 1.

    Example:
        >>> data = fcn.datasets.shapes(count=4)
        >>> shifted = [(mask, np.roll(mask, 1, axis=1)) for _, mask in data]
        >>> bands = fcn.evaluation.score_bands(shifted, data, widths=(1, 4))
        >>> print(bands[1].pixel_error > bands[4].pixel_error)  # the errors lie along the boundary
        True
    """
    totals = {width: np.zeros((data.num_classes, data.num_classes), "int64") for width in widths}
    for true, predicted in pairs:
        for width in widths:
            in_band = np.where(boundary_band(true, width), true, VOID)
            totals[width] += confusion_matrix(in_band, predicted, data.num_classes)
    return {width: Scores(total, data.class_names) for width, total in totals.items()}


@checked
def upper_bound(data: DataSet, factor: Count) -> Scores:
    """Scores the coarsened labels: about the best that a stride can reach (lecture: L20).

    Args:
        data: A `SegmentationData` with labels.
        factor: The stride, in pixels; see `coarsen`.

    Returns:
        `Scores`; the paper's mean IU on VOC 2011 for the factors 128, 64, 32, 16, 8, 4: 50.9, 73.3,
        86.1, 92.8, 96.4, 98.5 %.

    Raises:
        ValueError: If `factor` is smaller than 1, or a label is missing.

    Example:
        >>> data = fcn.datasets.shapes(count=4)
        >>> for stride in (16, 8, 4):
        ...     print(stride, round(fcn.evaluation.upper_bound(data, stride).mean_iou, 2))
        16 0.36
        8 0.66
        4 0.75
    """
    masks = (mask for _, mask in _labelled(data))
    return score_pairs(((mask, coarsen(mask, factor, data.num_classes)) for mask in masks), data)


@checked
def label_pairs(
    model: ScoringModel, data: DataSet, batch_size: Count = 4, size: InputSize = "trained"
) -> Iterator[LabelPair]:
    """Yields the (true, predicted) label maps of every image of a data set, in order.

    Successive images of one size go through the model together. An image of another size starts a
    new batch: padding would change the network's scores near the border.

    Args:
        model: Keras model that gives logits `(batch, H, W, C)`.
        data: A `SegmentationData` with labels.
        batch_size: As in `evaluate`.
        size: As in `evaluate`.

    Raises:
        ValueError: As `evaluate`, or if the model's card orders the classes in another way.

    Example:
        >>> data = fcn.datasets.shapes(count=4)
        >>> untrained = fcn.models.fcn_from_cae(fcn.models.cae(widths=(4, 4)), data.num_classes)
        >>> [predicted.shape for true, predicted in fcn.evaluation.label_pairs(untrained, data)]
        [(64, 64), (64, 64), (64, 64), (64, 64)]
    """
    agreement.require_scorable(model, data)
    agreement.require_class_order(models.card(model).class_names, data)
    for pictures, masks in _batches_of_one_size(model, data, batch_size, size):
        arguments.fits("model", model, pictures.shape[1:])
        scores = model.predict_on_batch(pictures)  # (B, h, w, C)
        agreement.require_finite_scores(model, np.isfinite(scores))
        for mask, labels in zip(masks, np.argmax(scores, axis=-1), strict=True):
            yield mask, images.nearest(labels, mask.shape)


def _batches_of_one_size(model, data, batch_size, size):
    """Yields pictures float32 `(B, h, w, 3)`, none padded, and label maps int32 `(H, W)`."""
    pictures, masks = [], []
    for image, mask in _labelled(data):
        picture = at_trained_size(model, image, size)
        if pictures and (len(pictures) == batch_size or picture.shape != pictures[0].shape):
            yield np.stack(pictures).astype("float32"), masks
            pictures, masks = [], []
        pictures.append(picture)
        masks.append(mask.astype("int32"))
    yield np.stack(pictures).astype("float32"), masks


def _labelled(data):
    """Yields every image with its label map."""
    for index in range(len(data)):
        image, mask = data[index]
        if mask is None:
            raise ValueError(f"{data!r} has images without a label, so it cannot be scored.")
        yield image, mask
