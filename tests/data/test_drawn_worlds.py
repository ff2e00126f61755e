"""The drawn places: the same bytes wherever drawn, labels that follow the geometry, and no class
given away by colour."""

import hashlib
import subprocess
import sys

import numpy as np
import pytest

from fcn_keras.datasets.drawn.drawn_worlds import draw_world, drawn_worlds
from fcn_keras.datasets.drawn.world_canvas import CLASS_NAMES, EDGE, GROUND, PATH, SKY


@pytest.fixture(scope="module")
def places():
    data = drawn_worlds(60, seed=5)
    images, labels = zip(*(data[index] for index in range(len(data))), strict=True)
    return np.stack(images), np.stack(labels)


def test_shape_type_and_classes(places):
    images, labels = places
    assert images.shape == (60, 128, 160, 3) and images.dtype == np.uint8
    assert labels.shape == (60, 128, 160) and labels.dtype == np.uint8
    shares = np.bincount(labels.ravel(), minlength=len(CLASS_NAMES)) / labels.size
    assert len(shares) == len(CLASS_NAMES) and (shares > 0.005).all()


def test_a_place_depends_on_seed_and_number_only(places):
    image, labels = draw_world(np.random.default_rng([5, 17]))
    np.testing.assert_array_equal(image, places[0][17])
    np.testing.assert_array_equal(labels, places[1][17])
    other, _ = draw_world(np.random.default_rng([6, 17]))
    assert (other != image).any()


def test_the_same_bytes_in_another_process(places):
    script = (
        "import hashlib, numpy as np; from fcn_keras.datasets.drawn.drawn_worlds import draw_world;"
        "print(hashlib.sha256(draw_world(np.random.default_rng([5, 3]))[0].tobytes()).hexdigest())"
    )
    out = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert out.stdout.strip() == hashlib.sha256(places[0][3].tobytes()).hexdigest()


def test_what_lies_is_below_what_hangs(places):
    """In the mean over places the sky is above the ground, and the path is narrower far away than
    near."""
    _, labels = places
    rows = np.arange(128)[None, :, None]
    middle = lambda numbers: (  # noqa: E731
        (np.isin(labels, numbers) * rows).sum() / np.isin(labels, numbers).sum()
    )
    assert middle([SKY]) + 20 < middle([GROUND, EDGE, PATH])
    assert (labels[:, 75] == PATH).sum() < (labels[:, 120] == PATH).sum()


def test_colour_does_not_give_the_class_away(places):
    """Guessing each pixel's class from its colour alone, with the best table, is far from
    enough."""
    images, labels = places
    bins = (images // 32).astype(int) @ (64, 8, 1)
    half = 30
    table = np.zeros((512, len(CLASS_NAMES)), int)
    np.add.at(table, (bins[:half].ravel(), labels[:half].ravel()), 1)
    right = (table.argmax(axis=1)[bins[half:]] == labels[half:]).mean()
    assert right < 0.55


def test_no_places_are_refused():
    with pytest.raises(ValueError, match="at least 1"):
        drawn_worlds(0)
