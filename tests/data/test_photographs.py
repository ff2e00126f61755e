"""Real photographs come with a package, their outlines with ours; strokes are label maps."""

import numpy as np
import pytest

import fcn_keras as fcn

pytest.importorskip("skimage", reason="scikit-image is not installed")


def test_each_photograph_has_its_thing_outlined():
    data = fcn.datasets.photographs()
    for (image, mask), photo in zip(data, fcn.datasets.PHOTOGRAPHS.values(), strict=True):
        number = data.class_names.index(photo.thing)
        assert image.shape[:2] == mask.shape and set(np.unique(mask)) == {0, number}
        assert 0.4 < (mask == number).mean() < 0.8


@pytest.mark.parametrize("name", fcn.datasets.PHOTOGRAPHS)
def test_the_strokes_lie_on_what_they_name(name):
    data = fcn.datasets.photographs(name)
    _, mask = data[0]
    strokes = fcn.datasets.PHOTOGRAPHS[name].strokes
    painted = fcn.datasets.paint_strokes(mask.shape, strokes, data.class_names)
    is_painted = painted != fcn.datasets.VOID
    assert 0.02 < is_painted.mean() < 0.2
    assert (painted[is_painted] == mask[is_painted]).mean() > 0.99


def test_later_strokes_lie_on_top_and_the_brush_is_as_wide_as_it_says():
    line = [(10, 20), (50, 20)]
    labels = fcn.datasets.paint_strokes((40, 60), {"a": [line], "b": [line]}, ("a", "b"), width=8)
    assert set(np.unique(labels)) == {1, fcn.datasets.VOID}
    assert abs((labels[:, 30] == 1).sum() - 8) <= 1


@pytest.mark.parametrize(
    ("strokes", "said"),
    [
        ({"sky": []}, "out of a, b.*'sky'"),
        ({"a": [[(1, 2)]]}, "two or more"),
        ({"a": [(1, 2), (3, 4)]}, "two or more"),  # a line too few
        ([[(1, 2), (3, 4)]], "strokes to be a table"),
    ],
)
def test_strokes_that_say_nothing_are_refused(strokes, said):
    with pytest.raises(ValueError, match=said):
        fcn.datasets.paint_strokes((40, 60), strokes, ("a", "b"))


def test_without_scikit_image_a_line_says_what_is_missing(monkeypatch):
    monkeypatch.setattr("fcn_keras.datasets.photograph_files.MODULE", "not_installed_at_all")
    with pytest.raises(ModuleNotFoundError, match="pip install scikit-image"):
        fcn.datasets.photographs()
