"""The drawn shapes: same bytes for the same seed, labels that are where the thing is, and a thing
that can be moved."""

import numpy as np
import pytest

from fcn_keras.datasets import shapes
from fcn_keras.datasets.drawn.shapes import arrays


def test_same_seed_same_bytes_whatever_the_count():
    few, many = shapes(3, seed=4), shapes(9, seed=4)
    for index in range(3):
        np.testing.assert_array_equal(few[index][0], many[index][0])
    assert (shapes(1, seed=5)[0][0] != few[0][0]).any()


def test_one_thing_each_in_turn_lighter_than_its_ground():
    data = shapes(40)
    for index in range(40):
        image, mask = data[index]
        assert image.shape == (64, 64, 3) and image.dtype == np.uint8 and mask.dtype == np.uint8
        assert set(np.unique(mask)) == {0, 1 + index % 4}
        assert image[mask > 0].mean() > image[mask == 0].mean() + 30


def test_a_moved_scene_is_the_same_thing_on_the_same_ground_elsewhere():
    here, there = shapes(40, 3), shapes(40, 3, shift=(11, 7))
    for index in range(40):
        (image, mask), (moved_image, moved_mask) = here[index], there[index]
        np.testing.assert_array_equal(
            image[(mask == 0) & (moved_mask == 0)], moved_image[(mask == 0) & (moved_mask == 0)]
        )
        assert (mask > 0).sum() == (moved_mask > 0).sum() and (mask != moved_mask).any()
        (rows, columns), (moved_rows, moved_columns) = np.nonzero(mask), np.nonzero(moved_mask)
        moved = moved_rows.mean() - rows.mean(), moved_columns.mean() - columns.mean()
        assert np.round(moved).astype(int).tolist() in [
            [11, 7],
            [11 - 35, 7],
            [11, 7 - 35],
            [11 - 35, 7 - 35],
        ]


def test_arrays_for_a_classifier():
    images, labels = arrays(shapes(6))
    assert images.shape == (6, 64, 64, 3) and images.max() > 100
    np.testing.assert_array_equal(labels, [0, 1, 2, 3, 0, 1])


def test_none_is_refused():
    with pytest.raises(ValueError, match="at least 1"):
        shapes(0)
