"""Assignment 3 at ten seeds: right answers of other kinds pass too, and no wrong answer does."""

import contextlib
import io
import re

import keras
import numpy as np
import pytest
from conftest import first_of
from planted import wrong_answers
from sheets import every_task, judging_cell, package_check, reference_answer

import fcn_keras as fcn
from fcn_keras.checks import NotYet

SHEET = "3_fully_convolutional"
any_seed = first_of("seed", (3, 0, 1, 2, 4, 5, 6, 7, 8, 9))

# Right in another way than the reference.
OTHER_RIGHT_ANSWERS = {
    "works_without_loops": (
        "dense_as_conv",
        """
def dense_as_conv(maps, weights, bias, height, width):
    kernel = weights.reshape((height, width, -1, weights.shape[1]))
    windows = np.lib.stride_tricks.sliding_window_view(maps, (height, width), axis=(0, 1))
    # (rows, columns, C, h, w)
    return kernel, np.moveaxis(windows, 2, -1).reshape(*windows.shape[:2], -1) @ weights + bias
""",
    ),
    "returns_lists": (
        "dense_as_conv",
        """
def dense_as_conv(maps, weights, bias, height, width):
    rows, columns = len(maps) - height + 1, len(maps[0]) - width + 1
    scores = [[None] * columns for _ in range(rows)]
    for i in range(rows):
        for j in range(columns):
            scores[i][j] = maps[i : i + height, j : j + width].ravel() @ weights + bias
    return [weights.reshape(height, width, maps.shape[-1], len(bias)), scores]
""",
    ),
    "builds_a_sequential_model": (
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
            activation = keras.activations.get(layer.get_config()["activation"])
            conv = keras.layers.Conv2D(layer.units, (h, w), activation=activation)
            conv.build((None, None, None, c))
            conv.kernel.assign(keras.ops.reshape(layer.kernel, (h, w, c, layer.units)))
            conv.bias.assign(layer.bias)
            new, shape = [*new, conv], None
        else:
            copy = type(layer).from_config(layer.get_config())
            copy.build(layer.input.shape)
            copy.set_weights(layer.get_weights())
            new.append(copy)
    return keras.Sequential(new)
""",
    ),
    "converts_only_the_first_dense_layer": (
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
    "goes_from_the_last_layer_back": (
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
    "takes_indices_instead_of_slices": (
        "pixels_seen",
        """
def pixels_seen(image, position, size, stride, offset):
    rows, columns = (np.arange(size) + offset + stride * p for p in position)
    rows, columns = (i[(i >= 0) & (i < n)] for i, n in zip((rows, columns), image.shape))
    return image[np.ix_(rows, columns)].astype(float)
""",
    ),
    "resizes_with_numpy": (
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
    "returns_keras_tensors": (
        "scores_to_labels",
        """
def scores_to_labels(logits, height, width):
    scores = keras.layers.Resizing(height, width)(logits[None])[0]
    return keras.ops.argmax(scores, axis=-1), keras.ops.max(keras.ops.softmax(scores), axis=-1)
""",
    ),
}


def names_after(answer, **given):
    """What the cell of an answer defines; the hidden tests also need `SEED`."""
    names = {"np": np, "keras": keras, "fcn": fcn, **given}
    exec(answer, names)
    return names


def hidden_tests(task):
    marked = r"### BEGIN HIDDEN TESTS\n(.*)### END HIDDEN TESTS"
    return re.search(marked, judging_cell(SHEET, task), re.S)[1]


@any_seed
@every_task([SHEET], long={"fully_convolutional"})
def test_the_reference_passes_the_hidden_tests(sheet, task, seed):
    exec(hidden_tests(task), names_after(reference_answer(sheet, task), SEED=seed))


@any_seed
@pytest.mark.parametrize("task, answer", OTHER_RIGHT_ANSWERS.values(), ids=OTHER_RIGHT_ANSWERS)
def test_other_right_answers_pass_the_hidden_tests(task, answer, seed):
    exec(hidden_tests(task), names_after(answer, SEED=seed))


@any_seed
@every_task([SHEET], long={"fully_convolutional"})
def test_wrong_answers_are_refused_at_any_seed(sheet, task, seed):
    for mistake, wrong in wrong_answers(sheet)[task].items():
        with pytest.raises(NotYet):
            package_check(task)(names_after(wrong.code)[task], seed=seed)
            pytest.fail(f"{mistake} passed")


# What a function may return, or stand in its place.
VALUES = {
    "None": None,
    "a string": "wrong",
    "rows of unequal length": [[1, 2], [3]],
    "a Keras tensor": keras.ops.ones((2, 3)),
    "a layer": keras.layers.Dense(3),
    "NaN": np.full((2, 2), np.nan),
    "a pair of strings": ("a", "b"),
    "three things": (None, [1, [2]], "c"),
    "an empty array": np.zeros((0, 3)),
}
NONSENSE = {
    **{f"a function that returns {what}": lambda *_, v=v: v for what, v in VALUES.items()},
    "a function without arguments": lambda: 1,
    "a function that divides by 0": lambda *_: 1 / 0,
    "a number": 5,
    "None": None,
}


@every_task([SHEET])
def test_nonsense_gets_a_sentence(sheet, task):
    for what, nonsense in NONSENSE.items():
        with pytest.raises(NotYet) as caught, contextlib.redirect_stdout(io.StringIO()):
            package_check(task)(nonsense)
        assert "cannot be compared" not in str(caught.value), what
