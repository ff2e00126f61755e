"""Figures, data sets and checks answer what is wrong. `test_wrong_arguments_*` try functions."""

import importlib
import inspect
import pkgutil

import numpy as np
import pytest
from wrong_calls import IMAGE, LABELS, things

import fcn_keras as fcn
from fcn_keras.support import arguments

FIGURES = [
    pytest.param(function, id=f"{module.name}.{name}")
    for module in pkgutil.iter_modules(fcn.visualization.__path__)
    for name, function in vars(
        importlib.import_module(f"fcn_keras.visualization.{module.name}")
    ).items()
    if name.startswith(("draw_", "animate_")) and function.__module__.endswith(f".{module.name}")
]


@pytest.mark.parametrize("function", FIGURES)
def test_every_figure_looks_at_what_it_is_given(function):
    """All of them have at least one argument whose meaning is known by its name."""
    nothing = dict.fromkeys(inspect.signature(function).parameters)
    with pytest.raises((ValueError, TypeError), match=r"Expected .*\. Received: "):
        function(**nothing)


@pytest.mark.parametrize(
    ("call", "named"),
    [
        (lambda data: data[6], "index"),
        (lambda data: data["0"], "index"),
        (lambda data: data[1.0], "index"),
        (lambda data: data.subset(3), "indices"),
        (lambda data: data.subset("012"), "indices"),
        (lambda data: data.subset([0, 6]), "index"),
        (lambda data: data.subset(None), "indices"),
        (lambda data: data.subset([False, False, True]), "flatnonzero"),
        (lambda data: data.subset(np.array([True, False])), "flatnonzero"),
        (lambda data: data.view({"r": 3}), "group 'r'"),
        (lambda data: data.view("road"), "groups"),
        (lambda data: data.view({}), "groups"),
        (lambda data: data.view({"x": []}), "group 'x'"),
        (lambda data: data.view({"x": ["bus"]}), "'bus'"),
        (lambda data: data.batches(0), "batch_size"),
        (lambda data: data.batches("4"), "batch_size"),
        (lambda data: data.batches(2, steps=0), "steps"),
        (lambda data: data.batches(2, augment="mirror"), "augment"),
        (lambda data: data.batches(2, seed=-1), "seed"),
        (lambda data: data.subset([]).batches(2), "at least one image"),
    ],
)
def test_wrong_questions_to_a_data_set(call, named):
    with pytest.raises(
        (ValueError, TypeError, IndexError), match=r"Expected .*Received: "
    ) as caught:
        call(things()["data"])
    assert named in str(caught.value)


@pytest.mark.parametrize(
    ("pair", "said"),
    [
        (lambda: IMAGE, r"\(image, mask\)"),
        (lambda: (IMAGE, LABELS, 3), r"\(image, mask\)"),
        (lambda: (None, LABELS), "image to be an array"),
        (lambda: (IMAGE / 255, LABELS), "preprocessing itself"),
        (lambda: (IMAGE / 250, LABELS), "preprocessing itself"),
        (lambda: (IMAGE - 120.0, LABELS), "preprocessing itself"),
        (lambda: (IMAGE * np.nan, LABELS), "values 0 to 255"),
        (lambda: (IMAGE[..., 0], LABELS), "image to be an array"),
        (lambda: (IMAGE, LABELS[:9]), "size of its image"),
        (lambda: (IMAGE, LABELS / 1), "whole class numbers"),
        (lambda: (IMAGE, np.eye(2)[LABELS]), "argmax"),
        (lambda: (IMAGE, LABELS + 2), "class numbers 0 to 1"),
        (lambda: (IMAGE, LABELS.astype(int) - 1), "class numbers 0 to 1"),
    ],
)
def test_items_that_are_no_picture_with_labels(pair, said):
    data = fcn.datasets.SegmentationData(lambda i: pair(), 1, ("a", "b"))
    with pytest.raises(ValueError, match=rf"Expected .*{said}"):
        data[0]


@pytest.mark.parametrize(
    ("check", "right", "wrong"),
    [
        (
            lambda v: arguments.whole_number("n", v, 1, 5),
            (1, 5, np.int64(3)),
            (0, 6, True, 2.0, "3", None),
        ),
        (
            lambda v: arguments.number("x", v, above=0, at_most=2),
            (1, 0.1, 2, np.float32(1)),
            (0, 2.1, np.nan, True, "1"),
        ),
        (lambda v: arguments.one_of("c", v, ("a", 2)), ("a", 2), ("b", None, 2.0, True)),
        (lambda v: arguments.size("s", v), ((1, 2), [3, 4]), ((1,), (0, 1), (1.0, 2), "12", 5)),
        (
            lambda v: arguments.names("n", v),
            (("a",), ["a", "b"]),
            ("ab", (), ("a", "a"), (1,), None),
        ),
        (
            lambda v: arguments.array("a", v, 2, "(H, W)"),
            (np.ones((2, 2)), [[1, 2]]),
            ([[1], [2, 3]], "a", None, np.ones((0, 2))),
        ),
        (
            lambda v: arguments.label_map("l", v, 3),
            ([[0, 2], [255, 1]],),
            ([[3]], [[-1]], [[0.0]], [0, 1]),
        ),
    ],
)
def test_the_checks_themselves(check, right, wrong):
    for value in right:
        check(value)
    for value in wrong:
        with pytest.raises(ValueError, match=r"Expected .*\. Received: "):
            check(value)
