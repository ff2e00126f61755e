"""Scores against arithmetic done by hand."""

import numpy as np
import pytest

import fcn_keras as fcn
from fcn_keras.evaluation import Scores, boundary_band, boundary_scores, confusion_matrix, evaluate


class Oracle:
    """A 'model' that gives one-hot logits for the label maps it is told."""

    name = "oracle"

    def __init__(self, labels, num_classes):
        self.labels, self.output_shape, self.at = labels, (None, None, None, num_classes), 0

    def predict_on_batch(self, images):
        batch = [
            labels[: images.shape[1], : images.shape[2]]
            for labels in self.labels[self.at : self.at + len(images)]
        ]
        self.at += len(images)
        return np.eye(self.output_shape[-1])[np.stack(batch)]


def data_of(masks, names=("a", "b", "c")):
    images = [np.zeros((*mask.shape, 3), "uint8") for mask in masks]
    return fcn.datasets.SegmentationData(lambda i: (images[i], masks[i]), len(masks), names)


def test_the_four_scores_by_hand():
    """true a a a a b b, predicted a a a b b a: by hand n = [[3, 1], [1, 1]]."""
    scores = Scores(confusion_matrix(np.array([0, 0, 0, 0, 1, 1]), np.array([0, 0, 0, 1, 1, 0]), 2))
    np.testing.assert_array_equal(scores.confusion, [[3, 1], [1, 1]])
    assert scores.pixel_accuracy == pytest.approx(4 / 6)
    assert scores.mean_accuracy == pytest.approx((3 / 4 + 1 / 2) / 2)
    np.testing.assert_allclose(scores.iou, [3 / 5, 1 / 3])
    assert scores.mean_iou == pytest.approx((3 / 5 + 1 / 3) / 2)
    assert scores.frequency_weighted_iou == pytest.approx((4 * 3 / 5 + 2 * 1 / 3) / 6)


@pytest.mark.parametrize("names", [("a",), ("a", "b", "c"), "ab", ("a", "a")])
def test_names_that_do_not_fit_the_table_are_answered(names):
    with pytest.raises(ValueError, match=r"Expected class_names to .*Received: "):
        Scores(np.eye(2, dtype=int), names)
    assert Scores(np.eye(2, dtype=int), ["a", "b"]).as_dict()["iou"] == {"a": 1, "b": 1}


def test_void_is_neither_right_nor_wrong():
    true = np.array([0, 1, 255, 255], "uint8")
    for guess in (0, 1):
        matrix = confusion_matrix(true, np.array([0, 1, guess, guess]), 2)
        np.testing.assert_array_equal(matrix, [[1, 0], [0, 1]])


def test_a_class_that_never_occurs_has_no_iou_and_does_not_count():
    scores = Scores(confusion_matrix(np.array([0, 0, 1]), np.array([0, 0, 1]), 3))
    assert np.isnan(scores.iou[2])
    assert scores.mean_iou == 1.0
    assert scores.as_dict()["iou"]["2"] is None


def test_a_class_that_is_predicted_but_never_occurs_has_iou_zero():
    assert Scores(confusion_matrix(np.array([0, 0, 0]), np.array([0, 0, 1]), 2)).iou[1] == 0.0


def test_counts_are_exact_beyond_what_float32_holds():
    matrix = confusion_matrix(np.zeros(10, int), np.zeros(10, int), 2)
    assert matrix.dtype == np.int64
    big = Scores(matrix * (2**24 // 10 + 1) * 64 + np.array([[1, 0], [0, 0]]))
    assert big.confusion[0, 0] % 10 == 1  # a float32 count would have swallowed the last pixel


def test_the_last_short_batch_is_scored():
    masks = [np.full((4, 4), i % 3, "uint8") for i in range(7)]
    wrong_at_the_end = [*masks[:6], (masks[6] + 1) % 3]
    scores = evaluate(Oracle(wrong_at_the_end, 3), data_of(masks), batch_size=4)
    assert scores.confusion.sum() == 7 * 16
    assert scores.pixel_accuracy == pytest.approx(6 / 7)


def test_padding_of_unequal_images_is_not_scored():
    masks = [np.zeros((3, 5), "uint8"), np.ones((6, 2), "uint8")]
    padded = [np.zeros((6, 5), int), np.ones((6, 5), int)]
    assert evaluate(Oracle(padded, 3), data_of(masks), batch_size=2).confusion.sum() == 15 + 12


def test_the_size_of_a_batch_changes_nothing_though_sizes_are_mixed(encoder):
    """The network sees padding: an image is scored as if it was alone."""
    model = fcn.models.fcn(3, 8, encoder, width=4)
    model.set_weights(
        [
            0.3 * np.random.default_rng(0).normal(size=weights.shape)
            for weights in model.get_weights()
        ]
    )
    rng, sizes = (
        np.random.default_rng(0),
        [(48, 64), (48, 64), (41, 55), (34, 46), (34, 46), (34, 46), (48, 64)],
    )
    images = [rng.integers(0, 256, (*size, 3), dtype="uint8") for size in sizes]
    masks = [rng.integers(0, 3, size, dtype="uint8") for size in sizes]
    data = fcn.datasets.SegmentationData(
        lambda i: (images[i], masks[i]), len(sizes), ("a", "b", "c")
    )
    one, four = (list(fcn.evaluation.label_pairs(model, data, batch_size)) for batch_size in (1, 4))
    for (true, predicted), (again, together), mask in zip(one, four, masks, strict=True):
        np.testing.assert_array_equal(true, mask)
        np.testing.assert_array_equal(again, mask)
        assert (predicted == together).mean() > 0.999  # but for ties in rounding
    found = [evaluate(model, data, batch_size).confusion for batch_size in (1, 4)]
    assert np.abs(found[0] - found[1]).sum() <= 4


def test_no_labels_and_no_images_are_answered():
    unlabelled = fcn.datasets.SegmentationData(
        lambda i: (np.zeros((4, 4, 3), "uint8"), None), 2, ("a", "b", "c")
    )
    with pytest.raises(ValueError, match="without a label"):
        evaluate(Oracle([], 3), unlabelled)
    with pytest.raises(ValueError, match="at least one image"):
        evaluate(Oracle([], 3), unlabelled.subset([]))


def test_probabilities_and_unknown_classes_are_refused():
    with pytest.raises(ValueError, match="argmax"):
        confusion_matrix(np.array([0, 1]), np.array([0.2, 0.8]), 2)
    with pytest.raises(ValueError, match="class numbers 0 to 1"):
        confusion_matrix(np.array([0, 7]), np.array([0, 1]), 2)
    with pytest.raises(ValueError, match="one shape"):
        confusion_matrix(np.zeros((2, 2), int), np.zeros((2, 3), int), 2)
    with pytest.raises(ValueError, match="3 outputs"):
        evaluate(Oracle([np.zeros((2, 2), int)], 2), data_of([np.zeros((2, 2), "uint8")]))


def test_the_band_grows_by_one_pixel_on_each_side():
    labels = np.zeros((9, 12), "uint8")
    labels[:, 6:] = 1
    for width in (1, 2, 4):
        np.testing.assert_array_equal(
            np.flatnonzero(boundary_band(labels, width)[4]), np.arange(6 - width, 6 + width)
        )


def test_void_has_no_boundary_and_is_in_no_band():
    labels = np.zeros((5, 8), "uint8")
    labels[:, 4:] = 255
    assert not boundary_band(labels, 3).any()


def test_error_in_the_band_by_hand():
    """A prediction shifted by one column: one wrong pixel a row, out of 2·width in the band."""
    true, shifted = np.zeros((10, 20), "uint8"), np.zeros((10, 20), int)
    true[:, 10:], shifted[:, 11:] = 1, 1
    bands = boundary_scores(Oracle([shifted], 3), data_of([true]), widths=(1, 4))
    assert bands[1].pixel_error == pytest.approx(1 / 2)
    assert bands[4].pixel_error == pytest.approx(1 / 8)


def test_coarsen_takes_the_class_of_most_pixels_and_void_has_no_vote():
    labels = np.array(
        [[0, 1, 1, 2, 2], [1, 1, 255, 255, 2], [255, 255, 0, 0, 1], [255, 255, 0, 2, 1]], "uint8"
    )
    expected = [[1, 1, 1, 1, 2], [1, 1, 1, 1, 2], [0, 0, 0, 0, 1], [0, 0, 0, 0, 1]]
    np.testing.assert_array_equal(fcn.evaluation.coarsen(labels, 2, 3), expected)
    np.testing.assert_array_equal(fcn.evaluation.coarsen(labels[:, :2], 1, 3)[:2], labels[:2, :2])
    with pytest.raises(ValueError, match="at least 1"):
        fcn.evaluation.coarsen(labels, 0, 3)


@pytest.mark.slow
def test_no_map_of_such_cells_gets_more_pixels_right(roads):
    """The vote is the best: shifting a cell's class to any other only loses pixels; and a finer
    stride is better."""
    mask = roads[0][1]
    best = fcn.evaluation.coarsen(mask, 16, 2)
    right = (best == mask).sum()
    for row, column in ((0, 0), (16, 32), (32, 48)):
        other = best.copy()
        other[row : row + 16, column : column + 16] ^= 1
        assert (other == mask).sum() <= right
    bounds = [
        fcn.evaluation.upper_bound(roads, factor).mean_iou for factor in (64, 32, 16, 8, 4, 1)
    ]
    assert bounds == sorted(bounds) and bounds[-1] == 1
