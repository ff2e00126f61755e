"""Assignment 3: other right answers pass too, at any seed; wrong ones never pass; nonsense gets a sentence."""

import contextlib
import io
import re
from pathlib import Path

import jupytext
import keras
import numpy as np
import pytest
from conftest import first_of
from planted.a3 import WRONG

import fcn_keras as fcn
from fcn_keras.checks import NotYet

SOURCE = Path(__file__).parents[2] / "notebooks" / "assignments" / "3_fully_convolutional.py"
CELLS = jupytext.read(SOURCE).cells
TASKS = [c.metadata["check"] for c in CELLS if "check" in c.metadata]

OTHERS = {  # right in another way than the reference solution
    "without loops": (
        "dense_as_conv",
        """
def dense_as_conv(maps, weights, bias, height, width):
    kernel = weights.reshape((height, width, -1, weights.shape[1]))
    windows = np.lib.stride_tricks.sliding_window_view(maps, (height, width), axis=(0, 1))  # (rows,
    columns, C, h, w) return kernel, np.moveaxis(windows, 2, -1).reshape(*windows.shape[:2], -1) @
    weights + bias
""",
    ),
    "lists": (
        "dense_as_conv",
        """
def dense_as_conv(maps, weights, bias, height, width):
    rows, columns = len(maps) - height + 1, len(maps[0]) - width + 1
    scores = [[maps[i : i + height, j : j + width].ravel() @ weights + bias for j in range(columns)]
    for i in range(rows)] return [weights.reshape(height, width, maps.shape[-1], len(bias)), scores]
""",
    ),
    "new layers in a Sequential": (
        "fully_convolutional",
        """
def fully_convolutional(classifier):
    new, shape = [keras.Input((None, None, 3))], None
    for layer in classifier.layers[1:]:
        kind = type(layer).__name__
        if kind == "Flatten":
            shape = layer.input.shape[1:]
        elif kind == "Dense":
            h, w, c = shape or (1, 1, layer.kernel.shape[0])
            conv = keras.layers.Conv2D(layer.units, (h, w),
            activation=keras.activations.get(layer.get_config()["activation"])) conv.build((None,
            None, None, c)) conv.kernel.assign(keras.ops.reshape(layer.kernel, (h, w, c,
            layer.units))) conv.bias.assign(layer.bias)
            new, shape = [*new, conv], None
        else:
            copy = type(layer).from_config(layer.get_config())
            copy.build(layer.input.shape)
            copy.set_weights(layer.get_weights())
            new.append(copy)
    return keras.Sequential(new)
""",
    ),
    "dense layers on the map behind the first": (
        "fully_convolutional",
        """
def fully_convolutional(classifier):
    first = [layer for layer in classifier.layers if isinstance(layer, keras.layers.Dense)][0]
    number = classifier.layers.index(first)
    window = classifier.layers[number - 2].output.shape[1:]
    conv = keras.layers.Conv2D(first.units, window[:2])
    x = image = keras.Input((None, None, 3))
    for layer in classifier.layers[1 : number - 1]:
        x = layer(x)
    x = keras.layers.Activation(first.activation)(conv(x))
    conv.set_weights([first.get_weights()[0].reshape(*window, -1), first.get_weights()[1]])
    for layer in classifier.layers[number + 1 :]:
        x = layer(x)
    return keras.Model(image, x)
""",
    ),
    "from the last layer back": (
        "receptive_field",
        """
def receptive_field(layers):
    first, last, after = 0, 0, 0
    for kernel, step, before in layers[::-1]:
        first, last, after = first * step - before, last * step - before + kernel - 1, after
    strides = np.prod([step for _, step, _ in layers], dtype=int)
    return [last - first + 1, strides, first]
""",
    ),
    "indices instead of slices": (
        "pixels_seen",
        """
def pixels_seen(image, position, size, stride, offset):
    rows, columns = (np.arange(size) + offset + stride * p for p in position)
    rows, columns = (i[(i >= 0) & (i < n)] for i, n in zip((rows, columns), image.shape))
    return image[np.ix_(rows, columns)].astype(float)
""",
    ),
    "in NumPy": (
        "scores_to_labels",
        """
def scores_to_labels(logits, height, width):
    scores = np.float64(logits)
    for axis, size in enumerate((height, width)):
        n = scores.shape[axis]
        places = np.clip((np.arange(size) + 0.5) * n / size - 0.5, 0, n - 1)
        low = np.minimum(np.floor(places).astype(int), n - 1)
        high, share = np.minimum(low + 1, n - 1), places - low
        share = share.reshape([-1 if a == axis else 1 for a in range(3)])
        scores = np.take(scores, low, axis) * (1 - share) + np.take(scores, high, axis) * share
    scores -= scores.max(axis=-1, keepdims=True)
    return np.argmax(scores, axis=-1).astype("uint8"), 1 / np.exp(scores).sum(axis=-1)
""",
    ),
    "Keras tensors": (
        "scores_to_labels",
        """
def scores_to_labels(logits, height, width):
    scores = keras.layers.Resizing(height, width)(logits[None])[0]
    return keras.ops.argmax(scores, axis=-1), keras.ops.max(keras.ops.softmax(scores), axis=-1)
""",
    ),
}


any_seed = first_of("seed", (3, 0, 1, 2, 4, 5, 6, 7, 8, 9))


def answer(code, name):
    space = {"np": np, "keras": keras, "fcn": fcn}
    exec(code, space)
    return space[name]


def reference(task):
    return next(c.source for c in CELLS if c.metadata.get("answer") == task)


def hidden(task):
    source = next(c.source for c in CELLS if c.metadata.get("check") == task)
    return re.search(r"### BEGIN HIDDEN TESTS\n(.*)### END HIDDEN TESTS", source, re.S)[1]


@any_seed
@pytest.mark.parametrize("task", TASKS)
def test_reference_solution(task, seed):
    space = {"np": np, "keras": keras, "fcn": fcn, "SEED": seed}
    exec(reference(task), space)
    exec(hidden(task), space)


@any_seed
@pytest.mark.parametrize("task, code", OTHERS.values(), ids=OTHERS)
def test_other_right_answers(task, code, seed):
    space = {"np": np, "keras": keras, "fcn": fcn, "SEED": seed}
    exec(code, space)
    exec(hidden(task), space)


@any_seed
@pytest.mark.parametrize("task", TASKS)
def test_wrong_answers_are_refused_at_any_seed(task, seed):
    for what, code, _ in WRONG[task]:
        with pytest.raises(NotYet):
            getattr(fcn.checks, task)(answer(code, task), seed=seed)
            pytest.fail(f"{what} passed with seed {seed}")


NONSENSE = {
    "None": None,
    "a string": "wrong",
    "rows of unequal length": [[1, 2], [3]],
    "a Keras tensor": keras.ops.ones((2, 3)),
    "a layer": keras.layers.Dense(3),
    "NaN": np.full((2, 2), np.nan),
    "pair of strings": ("a", "b"),
    "three": (None, [1, [2]], "c"),
    "empty": np.zeros((0, 3)),
}


@pytest.mark.parametrize("task", TASKS)
def test_nonsense_gets_a_sentence(task):
    check = getattr(fcn.checks, task)
    for what, value in NONSENSE.items():
        with pytest.raises(NotYet) as caught, contextlib.redirect_stdout(io.StringIO()):
            check(lambda *_, value=value: value)
        assert "cannot be compared" not in str(caught.value), what
    for function in (lambda: 1, 5, None, lambda *_: 1 / 0):
        with pytest.raises(NotYet) as caught:
            check(function)
        assert "cannot be compared" not in str(caught.value)
    blank = re.sub(r"### BEGIN SOLUTION.*### END SOLUTION", "raise NotImplementedError()", reference(task), flags=re.S)
    with pytest.raises(NotYet, match="not written yet"):
        check(answer(blank, task))
