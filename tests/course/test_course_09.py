"""Notebook 09: what each score sees, what it cannot see, and the error along the edge (L20)."""

import re
from itertools import pairwise

import numpy as np
import pytest
from conftest import assert_draws_itself, random_image

import fcn_keras as fcn
from fcn_keras.visualization import measures

WIDTHS = (1, 2, 4, 8)


def scene(size=64):
    """Three classes: ground, a large block, a pole two pixels wide."""
    labels = np.zeros((size, size), "uint8")
    labels[18:50, 5:38] = 1
    labels[:, 51:53] = 2
    return labels


def scores_of(true, predicted, num_classes=3):
    return fcn.evaluation.Scores(fcn.evaluation.confusion_matrix(true, predicted, num_classes))


def ring_errors(true, predicted):
    """Share of wrong pixels in each ring from the edge inwards; the last is the rest."""
    data = fcn.datasets.SegmentationData(lambda index: (None, true), 1, ("ground", "block", "pole"))
    bands = fcn.evaluation.score_bands([(true, predicted)], data, WIDTHS)
    counts = [0, *(band.confusion for band in bands.values()), scores_of(true, predicted).confusion]
    return [fcn.evaluation.Scores(outer - inner).pixel_error for inner, outer in pairwise(counts)]


def falls(values):
    return all(a > b for a, b in pairwise(values))


# --- L20: the edge and the stride ---


def test_L20_mistakes_of_a_coarse_map_lie_along_the_edges():
    errors = ring_errors(scene(), fcn.evaluation.coarsen(scene(), 8, 3))
    assert errors[0] > 3 * errors[-1]
    assert errors[0] > errors[2] > errors[-1]


def test_L20_breaks_when_the_mistakes_are_spread_evenly():
    """The same number of wrong pixels, spread evenly: then the edge is nothing special."""
    true = scene()
    wrong = np.random.default_rng(0).random(true.shape) < 0.1
    errors = ring_errors(true, np.where(wrong, (true + 1) % 3, true))
    assert not errors[0] > 3 * errors[-1]


def edge_error_of_strides(strides):
    roads = fcn.datasets.road_scenes("test", count=2)
    masks = [roads[index][1] for index in range(2)]
    found = []
    for stride in strides:
        pairs = [(mask, fcn.evaluation.coarsen(mask, stride, roads.num_classes)) for mask in masks]
        found.append(fcn.evaluation.score_bands(pairs, roads, (4,))[4].pixel_error)
    return found


def test_L20_the_error_along_the_edge_falls_with_the_stride():
    assert falls(edge_error_of_strides((32, 16, 8)))


def test_L20_breaks_when_the_finer_maps_are_as_coarse_as_the_first():
    assert not falls(edge_error_of_strides((32, 32, 32)))


def test_L20_breaks_when_the_finest_map_is_shifted_against_the_labels():
    true = scene()
    band = fcn.evaluation.boundary_band(true, 4)

    def error(predicted):
        return (predicted != true)[band].mean()

    fine, coarse = fcn.evaluation.coarsen(true, 4, 3), fcn.evaluation.coarsen(true, 16, 3)
    assert error(fine) < error(coarse)
    assert not error(np.roll(fine, 24, axis=(0, 1))) < error(coarse)


# ------------------------------------------------------------------------------- the four scores


def by_hand(counts):
    """The formulas of the notebook's section 2."""
    right, there, found = np.diag(counts), counts.sum(axis=1), counts.sum(axis=0)
    iou = right / (there + found - right)
    return (
        right.sum() / there.sum(),
        (right / there).mean(),
        iou.mean(),
        (there * iou).sum() / there.sum(),
    )


def of_package(counts):
    scores = fcn.evaluation.Scores(counts)
    return (
        scores.pixel_accuracy,
        scores.mean_accuracy,
        scores.mean_iou,
        scores.frequency_weighted_iou,
    )


COUNTS = np.array([[80, 10, 0], [2, 8, 1], [3, 0, 20]])


def test_the_four_scores_are_the_formulas():
    np.testing.assert_allclose(by_hand(COUNTS), of_package(COUNTS))


def test_the_formulas_break_when_rows_and_columns_are_mixed_up():
    """With the true classes in the columns, pixel accuracy and mean IoU stay the same; mean
    accuracy changes."""
    swapped = of_package(COUNTS.T)
    np.testing.assert_allclose(by_hand(COUNTS)[0], swapped[0])
    np.testing.assert_allclose(by_hand(COUNTS)[2], swapped[2])
    assert abs(by_hand(COUNTS)[1] - swapped[1]) > 0.01


def test_exercise_1_only_pixel_accuracy_prefers_the_lazy_network():
    lazy, busy = of_package(np.array([[90, 0], [10, 0]])), of_package(np.array([[80, 10], [2, 8]]))
    assert [a > b for a, b in zip(lazy, busy, strict=True)] == [True, False, False, False]
    np.testing.assert_allclose(np.round(100 * np.array(lazy), 1), [90.0, 50.0, 45.0, 81.0])
    np.testing.assert_allclose(np.round(100 * np.array(busy), 1), [88.0, 84.4, 63.5, 82.3])


def rewards_nothing_found(true):
    """Whether `background everywhere` gets more than 95 % of the pixels right and still finds no
    other class."""
    scores = scores_of(true, np.zeros_like(true), 2)
    return scores.pixel_accuracy > 0.95 and scores.iou[1] == 0 and scores.mean_iou < 0.5


def test_a_rare_class_can_vanish_in_pixel_accuracy():
    assert rewards_nothing_found((scene() == 2).astype("uint8"))


def test_it_cannot_when_the_class_is_common():
    assert not rewards_nothing_found((scene() != 0).astype("uint8"))


def test_void_is_never_scored_and_any_other_number_would_be():
    true, predicted = scene(), fcn.evaluation.coarsen(scene(), 8, 3)
    hidden = fcn.evaluation.boundary_band(true, 2)
    spoiled = np.where(hidden, (predicted + 1) % 3, predicted)
    for fill, same in ((255, True), (0, False)):
        masked = np.where(hidden, fill, true)
        assert (
            np.array_equal(
                scores_of(masked, spoiled).confusion, scores_of(masked, predicted).confusion
            )
            is same
        )


def test_a_square_half_a_width_away_has_an_iou_of_a_third():
    square = np.zeros((40, 80), int)
    square[10:30, 10:30] = 1
    for shift, expected in ((0, 1), (10, 1 / 3), (20, 0)):
        np.testing.assert_allclose(
            scores_of(square, np.roll(square, shift, axis=1), 2).iou[1], expected
        )


def test_a_stricter_threshold_finds_less_and_so_recall_never_rises():
    rng = np.random.default_rng(0)
    true = scene() == 1
    chance = np.clip(0.5 * true + rng.uniform(0, 0.6, true.shape), 0, 1)
    recall = [(true & (chance > t)).sum() / true.sum() for t in np.linspace(0, 1, 11)]
    assert recall[0] == 1 and recall[-1] < 0.5 and (np.diff(recall) <= 0).all()
    # the wrong way round
    mixed = [(true & (chance < t)).sum() / true.sum() for t in np.linspace(0, 1, 11)]
    assert not (np.diff(mixed) <= 0).all()


# ------------------------------------------------------------------------------- the figures


def test_outcomes_have_three_colours_and_the_rest_is_the_picture():
    true, predicted = np.array([[1, 0, 1, 0]], bool), np.array([[1, 1, 0, 0]], bool)
    painted = measures.paint_outcomes(true, predicted)
    colours = fcn.visualization.MISTAKE_COLOURS
    np.testing.assert_array_equal(painted[0, 1:3], [colours["invented"], colours["missed"]])
    assert painted[0, 0].argmax() == 2 and (painted[0, 3] == painted[0, 3, 0]).all()
    swapped = measures.paint_outcomes(predicted, true)
    np.testing.assert_array_equal(swapped[0, 1], colours["missed"])
    grey = measures.paint_outcomes(true, predicted, np.zeros((1, 4, 3), "uint8"))
    assert (grey[0, 3] == grey[0, 3, 0]).all() and (grey[0, 1:3] == painted[0, 1:3]).all()


IMAGE, TRUE = random_image(64, 64), scene()
SAID = fcn.evaluation.coarsen(TRUE, 8, 3)
NAMES, PALETTE = ("ground", "block", "pole"), fcn.datasets.default_palette(3)
THRESHOLDS = np.array([0, 0.3, 0.5, 1])
CURVES = {
    "precision": [0.1, 0.5, 0.8, np.nan],
    "recall": [1, 0.8, 0.4, 0],
    "IoU": [0.1, 0.4, 0.3, 0],
}
FIGURES = {
    "confusion": lambda: measures.draw_confusion(scores_of(TRUE, SAID).confusion, NAMES),
    "iou": lambda: measures.draw_iou(
        {"block": (TRUE == 1, SAID == 1), "pole": (TRUE == 2, SAID == 2)}
    ),
    "scores": lambda: measures.draw_scores(
        {"a": {"mean IoU": 0.4}, "b": {"mean IoU": 0.5}}, "two networks"
    ),
    "void": lambda: measures.draw_void(np.where(TRUE == 2, 255, TRUE), SAID, PALETTE),
    "threshold": lambda: measures.draw_threshold(THRESHOLDS, {"block": CURVES}),
    "bands": lambda: measures.draw_bands(
        IMAGE, (TRUE == 1) * 1, TRUE != SAID, {"1": 0.5, "more": 0.1}, {"1": 0.9, "more": 0.1}
    ),
    "bounds": lambda: measures.draw_bounds(
        [0.9, 0.5, 0.1], {32: [0.8, 0.4, 0.0], 8: [0.95, 0.8, 0.3]}, NAMES
    ),
    "failures": lambda: measures.draw_failures([IMAGE], [TRUE == 1], [SAID == 1], [0.5], "block"),
    "kinds": lambda: measures.draw_kinds(
        {"lost": (IMAGE, TRUE, SAID), "ragged": (IMAGE, TRUE, SAID)}, NAMES, PALETTE
    ),
}


@pytest.mark.parametrize("name", FIGURES)
def test_each_figure_draws_itself(name, tmp_path):
    assert_draws_itself(FIGURES[name](), tmp_path)


def test_the_confusion_figure_shows_shares_of_the_rows():
    axis = measures.draw_confusion(np.array([[75, 25], [0, 4]]), ("a", "b")).axes[0]
    assert [text.get_text() for text in axis.texts] == ["75", "25", "0", "100"]


def test_the_film_is_small_and_the_same_bytes_twice():
    films = [
        measures.animate_threshold(IMAGE, TRUE == 1, TRUE / 2.0, THRESHOLDS, CURVES, "block")
        for _ in range(2)
    ]
    first, second = (film._repr_html_() for film in films)
    assert first == second and len(first) < 60_000 * len(THRESHOLDS)
    assert len(re.findall(r"frames\[\d+\] = ", first)) == len(THRESHOLDS)
    assert repr(films[0]) == "Film: threshold on block" and not re.search(
        r"https?://|fa fa-", first
    )
    other = measures.animate_threshold(
        IMAGE, TRUE == 2, TRUE / 2.0, THRESHOLDS, CURVES, "pole"
    )._repr_html_()
    ids = {re.search("_anim_img([0-9a-f]{16})", html).group(1) for html in (first, other)}
    assert len(ids) == 2  # two films on one page do not control each other
