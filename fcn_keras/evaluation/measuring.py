"""How good a segmentation is: the paper's four scores, IoU per class, the band along a boundary.

Everything is computed from one table, the confusion matrix: row = true class, column = predicted
class, entries count pixels. Void is in neither.
"""

from collections.abc import Iterable

import numpy as np

from fcn_keras.evaluation.boundary import boundary_band, coarsen
from fcn_keras.evaluation.scores import Scores, confusion_matrix
from fcn_keras.support import arguments
from fcn_keras.support.labels import VOID


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


def boundary_scores(
    model, data, widths: tuple[int, ...] = (1, 2, 4, 8), batch_size: int = 4
) -> dict[int, Scores]:
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
