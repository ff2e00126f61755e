"""The drawn roads: repeatable, labelled exactly, hard enough for colour and place, easy enough for
shape."""

import hashlib
import subprocess
import sys

import numpy as np
import pytest

from fcn_keras.datasets.drawn import road_drawing
from fcn_keras.datasets.drawn.road_drawing import CLASS_NAMES, HEIGHT, PALETTE, WIDTH, draw_scene
from fcn_keras.datasets.drawn.road_things import Camera

ROAD, POLE = CLASS_NAMES.index("road"), CLASS_NAMES.index("pole")


def digest(scene):
    return hashlib.sha256(scene[0].tobytes() + scene[1].tobytes()).hexdigest()


@pytest.fixture(scope="module")
def train():
    return [draw_scene(i) for i in range(100)]


@pytest.fixture(scope="module")
def test():
    return [draw_scene(i, "test") for i in range(50)]


def test_a_scene_is_an_rgb_picture_and_a_class_for_every_pixel(test):
    assert (HEIGHT, WIDTH) == (160, 576)
    assert PALETTE.shape == (len(CLASS_NAMES), 3) and PALETTE.dtype == np.uint8
    assert len(np.unique(PALETTE, axis=0)) == len(CLASS_NAMES)
    for image, labels in test:
        assert image.shape == (160, 576, 3) and image.dtype == np.uint8
        assert labels.shape == (160, 576) and labels.dtype == np.uint8
        assert labels.max() < len(CLASS_NAMES)  # no void, no unknown class
        assert image.std() > 15  # neither black nor burnt out


def test_the_same_bytes_in_another_process(test):
    """Catches randomness from the clock, from hash() or from a generator shared by the scenes."""
    code = (
        "import hashlib; from fcn_keras.datasets.drawn.road_drawing import draw_scene\n"
        "a, b = draw_scene(7, 'test')\n"
        "print(hashlib.sha256(a.tobytes() + b.tobytes()).hexdigest())"
    )
    out = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    ).stdout
    assert out.split()[-1] == digest(test[7])


def test_the_same_bytes_in_another_order(train):
    for i in (5, 0, 3):
        assert digest(draw_scene(i)) == digest(train[i])
    assert digest(draw_scene(np.int64(5), "train", np.int64(0))) == digest(train[5])


def test_another_index_split_or_seed_is_another_scene(train, test):
    scenes = (
        train[:10]
        + test[:10]
        + [draw_scene(0, "val"), draw_scene(0, seed=1), draw_scene(1, seed=1)]
    )
    assert len({digest(scene) for scene in scenes}) == len(scenes)
    # not the same road in other colours
    assert len({scene[1].tobytes() for scene in scenes}) == len(scenes)


@pytest.mark.parametrize(
    "arguments, error, words",
    [
        ({"index": -1}, ValueError, "index to be at least 0. Received: index=-1"),
        ({"index": 1.0}, TypeError, "index to be an integer. Received: index=1.0"),
        ({"index": 0, "split": "dev"}, ValueError, "'train', 'val', 'test'. Received: split='dev'"),
        ({"index": 0, "seed": -2}, ValueError, "seed to be at least 0. Received: seed=-2"),
        ({"index": 0, "seed": "a"}, TypeError, "seed to be an integer. Received: seed='a'"),
    ],
)
def test_a_wrong_argument_is_named(arguments, error, words):
    with pytest.raises(error) as caught:
        draw_scene(**arguments)
    assert words in str(caught.value)


def test_every_class_occurs_and_most_of_them_in_most_scenes(train):
    seen = np.mean([np.bincount(labels.ravel(), minlength=7) > 20 for _, labels in train], axis=0)
    assert seen[ROAD] == 1
    often = dict(zip(CLASS_NAMES, seen))
    assert often.pop("car") > 0.5 and min(often.values()) > 0.85, often
    first = np.concatenate([labels.ravel() for _, labels in train[:20]])
    assert set(np.unique(first)) == set(range(7))


def test_the_road_is_a_good_part_of_the_picture(train, test):
    share = np.array([np.mean(labels == ROAD) for _, labels in train + test])
    assert share.min() > 0.12 and share.max() < 0.75
    assert 0.35 < share.mean() < 0.60


def test_the_road_is_a_clean_shape_that_fine_features_can_follow(train):
    """Catches clutter: a network that sees 4 x 4 cells must be able to draw the road almost
    perfectly."""
    scores = []
    for _, labels in train:
        road = labels == ROAD
        cells = road.reshape(40, 4, 144, 4).mean(axis=(1, 3)) >= 0.5
        coarse = cells.repeat(4, axis=0).repeat(4, axis=1)
        scores.append(np.sum(road & coarse) / np.sum(road | coarse))
    assert np.mean(scores) >= 0.975


def test_poles_vanish_at_stride_32(train, test):
    """The lecture's thin objects: in the picture they are there, in cells of 32 x 32 pixels no
    longer."""
    for _, labels in train + test:
        pole = labels == POLE
        assert (pole.reshape(5, 32, 18, 32).mean(axis=(1, 3)) < 0.5).all()
        assert pole.mean() < 0.04
    assert np.mean([np.any(labels == POLE) for _, labels in train + test]) > 0.9


def features(image, pixels):
    """The 20 monomials of degree 1 and 2 of red, green, blue, column and row; `(n, 20)`."""
    rows, columns = np.divmod(pixels, WIDTH)
    v = np.column_stack(
        [image.reshape(-1, 3)[pixels] / 255.0, columns / WIDTH, rows / HEIGHT]
    ).astype(np.float32)
    return np.column_stack([v] + [v[:, i] * v[:, j] for i in range(5) for j in range(i, 5)])


def test_colour_and_place_alone_do_not_find_the_road(train, test):
    """A logistic regression on quadratic features, trained to the end, stays below 0.80 road IoU.

    Catches roads that always lie in the same place or always have the same grey: nothing to learn
    for an FCN.
    """
    rng = np.random.default_rng(0)
    draws = [rng.choice(HEIGHT * WIDTH, 1500, replace=False) for _ in train]
    x = np.concatenate([features(image, pixels) for (image, _), pixels in zip(train, draws)])
    y = np.concatenate(
        [labels.ravel()[pixels] == ROAD for (_, labels), pixels in zip(train, draws)]
    ).astype(float)
    mean, std = (
        x.mean(axis=0, dtype=np.float64).astype(np.float32),
        x.std(axis=0, dtype=np.float64).astype(np.float32),
    )

    def design(x):
        return np.column_stack([(x - mean) / std, np.ones(len(x), np.float32)])

    x, w = design(x.astype(np.float64)), np.zeros(21)  # Newton's steps need the digits
    for _ in range(30):
        p = 1 / (1 + np.exp(-x @ w))
        step = np.linalg.solve(
            (x * (p * (1 - p))[:, None]).T @ x + 1e-3 * np.eye(21), x.T @ (y - p) - 1e-3 * w
        )
        w += step
        if np.abs(step).max() < 1e-4:
            break
    else:
        pytest.fail("Newton's method did not converge")

    both = either = 0
    for image, labels in test:
        found = design(features(image, np.arange(HEIGHT * WIDTH))) @ w.astype(np.float32) > 0
        road = labels.ravel() == ROAD
        both, either = both + np.sum(found & road), either + np.sum(found | road)
    # below 0.50 the colours would say too little: a drawing gone wrong
    assert 0.50 < both / either < 0.80


def test_ground_distance_is_the_inverse_of_projection():
    """Uphill, level and over a crest: a ground point comes back from the row that it is projected
    to."""
    for rise in (4e-4, 0.0, -3e-4):
        camera = Camera(focal=300.0, height=1.5, horizon=60.0, rise=rise)
        z = np.linspace(3, 0.9 * camera.far(), 20)
        _, rows = camera.project(0, 0, z)
        np.testing.assert_allclose(camera.ground_distance(rows), z, rtol=1e-6)
    assert np.isnan(
        Camera(300.0, 1.5, 60.0, -3e-4).ground_distance(np.array([60.0]))
    ).all()  # above the crest: sky


def test_a_car_twice_as_far_away_is_half_as_large():
    """Catches objects scaled by taste instead of by distance, and cars that float: the tyres touch
    the ground."""
    from fcn_keras.datasets.drawn import road_things as things
    from fcn_keras.datasets.drawn.canvas import Canvas

    camera = Camera(focal=300.0, height=1.5, horizon=60.0, rise=0.0)
    white = np.ones(3, np.float32)
    light = things.Light(white, white, white, 0.0, np.array((1.0, 0.0)), 0.0, 500.0)
    extents = []
    for rear in (12.0, 24.0):  # metres to the rear of a hatchback 3.9 m long
        view = things.View(
            camera, light, np.zeros((256, 256), np.float32), Canvas.empty(HEIGHT, WIDTH)
        )
        things.draw_car(
            view,
            np.array((0.0, rear + 1.95)),
            np.array((0.0, 1.0)),
            "hatch",
            np.array((0.8, 0.1, 0.1)),
        )
        rows, columns = np.nonzero(view.canvas.labels == things.CAR)
        extents.append((np.ptp(columns) + 1, rows.max() - camera.horizon))
        assert abs(extents[-1][0] - 300 * 1.75 / rear) <= 2
        wheel = rear + 1.95 - 0.31 * 3.9
        assert abs(rows.max() - camera.project(0, 0, wheel)[1]) <= 1.5
    assert extents[0][0] == pytest.approx(2 * extents[1][0], abs=2)


def test_version_is_raised_when_the_pictures_change(test):
    """Cached files are named after VERSION.

    If this fails after an intended change: raise VERSION, update both.
    """
    assert road_drawing.VERSION == 1
    counts = sum(np.bincount(labels.ravel(), minlength=7) for _, labels in test)
    colour = np.mean([image.mean(axis=(0, 1)) for image, _ in test], axis=0)
    # With some slack: another processor's sine or exponential may differ in the last bit and move
    # an edge pixel.
    assert np.abs(counts - [205772, 737830, 739995, 2171809, 632827, 95415, 24352]).sum() <= 500
    np.testing.assert_allclose(colour, [112.14, 107.79, 100.38], atol=0.02)
