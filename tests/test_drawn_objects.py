"""The drawn pictures: the same bytes wherever drawn, every class in turn, and no class given away by colour."""

import hashlib
import subprocess
import sys

import numpy as np
import pytest

from fcn_keras.datasets import drawn_objects
from fcn_keras.datasets.drawn_objects import CLASS_NAMES, COLOURS, draw_picture, draw_pictures

N = len(CLASS_NAMES)


def digest(image):
    return hashlib.sha256(image.tobytes()).hexdigest()


def test_shape_type_and_classes_in_turn():
    images, labels = draw_pictures(2 * N, seed=3)
    assert images.shape == (2 * N, 64, 64, 3) and images.dtype == np.uint8
    assert labels.dtype == np.int32
    np.testing.assert_array_equal(labels, list(range(N)) * 2)
    assert len(set(CLASS_NAMES)) == N
    assert all(image.std() > 0.3 for image in images), "no picture is empty"


def test_a_picture_depends_on_index_and_seed_only():
    images, labels = draw_pictures(5, seed=1, start=40)
    for i in (4, 0, 3):
        image, label = draw_picture(40 + i, seed=1)
        np.testing.assert_array_equal(image, images[i])
        assert label == labels[i]
    assert not np.array_equal(draw_picture(40, seed=2)[0], images[0])
    assert not np.array_equal(draw_picture(40 + N, seed=1)[0], images[0])


def test_same_bytes_in_another_process():
    indices = [0, 7, 25, 33, 61]
    code = (
        "import hashlib; from fcn_keras.datasets.drawn_objects import draw_picture\n"
        f"for i in {indices[::-1]}: print(hashlib.sha256(draw_picture(i, 5)[0].tobytes()).hexdigest())"
    )
    printed = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert printed[::-1] == [digest(draw_picture(i, 5)[0]) for i in indices]


def test_drawing_needs_no_global_state():
    np.random.seed(0)
    first = draw_picture(12)[0]
    np.random.seed(1)
    np.random.random(10)
    np.testing.assert_array_equal(first, draw_picture(12)[0])


def test_mean_colour_does_not_tell_the_class():
    """Nearest class mean of the mean colour, on fresh pictures: near chance, above all where no colour is asked for."""
    train, train_labels = draw_pictures(20 * N, seed=0)
    fresh, labels = draw_pictures(8 * N, seed=1)
    train, fresh = train.mean(axis=(1, 2)), fresh.mean(axis=(1, 2))  # (count, 3)
    centres = np.stack([train[train_labels == c].mean(axis=0) for c in range(N)])
    found = np.linalg.norm(fresh[:, None] - centres, axis=-1).argmin(axis=1)
    shapes = labels < N - len(COLOURS)
    assert np.mean(found == labels) < 3 / N
    assert np.mean(found[shapes] == labels[shapes]) < 2 / N


def test_named_colours_are_what_they_say():
    rng = np.random.default_rng(0)
    for _ in range(20):
        red, green, blue = (drawn_objects.named_colour(rng, name) for name in ("red", "green", "blue"))
        assert red.argmax() == 0 and green.argmax() == 1 and blue.argmax() == 2
        assert drawn_objects.named_colour(rng, "black").max() < 60
        assert drawn_objects.named_colour(rng, "white").min() > 180
        assert np.ptp(drawn_objects.named_colour(rng, "grey")) < 25


def test_every_texture_is_a_field_and_every_figure_has_inside_and_outside():
    rng = np.random.default_rng(0)
    for texture in drawn_objects.TEXTURES:
        field = drawn_objects.texture_field(rng, texture)
        assert field.shape == (64, 64) and np.isfinite(field).all(), texture.__name__
        assert field.min() > -0.8 and field.max() < 1.8, texture.__name__
    x, y = drawn_objects.X / 20, drawn_objects.Y / 20
    for figure in drawn_objects.FIGURES:
        covered = np.min(figure(rng, x, y), axis=0) < 0
        assert 0.02 < covered.mean() < 0.95, figure.__name__
        assert not covered[0, 0], figure.__name__


@pytest.mark.parametrize("arguments", [{"index": -1}, {"index": 0, "seed": -1}])
def test_negative_numbers_are_refused(arguments):
    with pytest.raises(ValueError, match="Expected"):
        draw_picture(**arguments)


def test_no_pictures():
    images, labels = draw_pictures(0)
    assert images.shape == (0, 64, 64, 3) and labels.shape == (0,)
    with pytest.raises(ValueError, match="Expected"):
        draw_pictures(-1)
