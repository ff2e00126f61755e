"""Notebook 06: upsampling back to one score for each pixel (L16)."""

import keras
import numpy as np
import pytest
from conftest import random_image

import fcn_keras as fcn
from fcn_keras.experiment import Experiment, Settings
from fcn_keras.lecture import upsampling
from fcn_keras.visualization.upsampling import (
    alternation,
    draw_bilinear_kernels,
    draw_checkerboards,
    draw_trained_kernels,
    draw_upsamplings,
)


def up(layer, scores):
    return keras.ops.convert_to_numpy(layer(np.asarray(scores, "float32")[None, :, :, None]))[0, ..., 0]


def corresponds(layer, factor, size=6):
    """Whether the output is `factor` times as large, and each pixel away from the rim gets its own place.

    Every position of the input says in which row its middle lies; the output has to say so for each pixel.
    """
    rows = np.arange(size) * factor + (factor - 1) / 2
    out = up(layer, np.repeat(rows[:, None], size, axis=1))
    inside = slice(factor, factor * (size - 1))
    return out.shape == (factor * size, factor * size) and np.allclose(
        out[inside, inside].T, np.arange(factor * size)[inside], atol=1e-3
    )


@pytest.mark.parametrize("factor", [2, 4, 8, 16])
def test_L16_pixels_and_predictions_correspond_one_to_one(factor):
    assert corresponds(fcn.layers.upscore(1, factor, "up"), factor)


def transposed(kernel, stride, padding="same"):
    """A transposed convolution with this kernel."""
    layer = keras.layers.Conv2DTranspose(1, len(kernel), strides=stride, padding=padding, use_bias=False)
    layer.build((None, None, None, 1))
    layer.set_weights([np.asarray(kernel)[:, :, None, None]])
    return layer


def test_L16_breaks_when_the_padding_is_valid():
    assert not corresponds(transposed(fcn.layers.bilinear_kernel(4), 4, "valid"), 4)


def test_L16_breaks_when_the_crop_is_shifted():
    image = keras.Input((None, None, 1))
    full = transposed(fcn.layers.bilinear_kernel(4), 4, "valid")(image)
    right, shifted = (keras.Model(image, keras.layers.Cropping2D(((cut, 4 - cut), (2, 2)))(full)) for cut in (2, 3))
    assert corresponds(right, 4) and not corresponds(shifted, 4)


def test_L16_breaks_when_the_kernel_is_one_pixel_short():
    """An odd kernel for an even factor puts its middle on a pixel: the map is half a pixel off."""
    assert not corresponds(transposed(np.outer([0.5, 1, 0.5], [0.5, 1, 0.5]), 2), 2)


@pytest.mark.parametrize("stride", [32, 16, 8])
def test_L16_the_network_ends_with_a_score_for_every_pixel(encoder, stride):
    rows = fcn.models.describe(fcn.models.fcn(3, stride, encoder, width=4), (160, 576))
    assert rows[-1].output_shape == (160, 576, 3)
    assert next(row for row in rows if row.name == "score_fr").output_shape == (5, 18, 3)


# ---------------------------------------------------------------------------------------------- checkerboards


def is_even(layer):
    return alternation(upsampling.even_through(layer)) < 0.1  # kernel 3: about 0.17


def test_L16_the_bilinear_start_is_even():
    assert alternation(upsampling.even_through(fcn.layers.upscore(16, 2, "up"))) < 1e-6
    assert is_even(keras.layers.Conv2DTranspose(256, 4, strides=2, padding="same", use_bias=False))


def test_L16_breaks_when_the_kernel_is_no_multiple_of_the_stride():
    assert not is_even(keras.layers.Conv2DTranspose(256, 3, strides=2, padding="same", use_bias=False))


# ------------------------------------------------------------------------------------- what a coarse map can know


def test_coarse_scores_are_the_share_of_the_class():
    mask = np.zeros((4, 6), int)
    mask[:2, :3] = 1
    np.testing.assert_array_equal(upsampling.coarse_scores(mask, 2), [[0.5, 0, -0.5], [-0.5, -0.5, -0.5]])
    with pytest.raises(ValueError, match="stride 4"):
        upsampling.coarse_scores(mask, 4)


def test_three_ways_agree_away_from_the_rim_and_bilinear_draws_the_better_edge():
    rows, columns = np.mgrid[:96, :96]
    mask = (rows > 20 + 0.5 * columns).astype(int)  # a slanted edge
    ways = upsampling.three_ways(upsampling.coarse_scores(mask, 16), 16)
    inside = (slice(8, -8), slice(8, -8))
    np.testing.assert_allclose(ways["bilinear"][inside], ways["transposed convolution"][inside], atol=1e-5)
    right = {name: np.mean((scores > 0) == (mask == 1)) for name, scores in ways.items()}
    assert right["bilinear"] > right["nearest"]


# ----------------------------------------------------------------------------------------------------- figures


def test_figures_are_drawn_from_small_arrays():
    figure = draw_bilinear_kernels({factor: fcn.layers.bilinear_kernel(factor) for factor in (2, 4)})
    assert [axis.get_title() for axis in figure.axes[:2]] == ["factor 2: kernel 4 × 4", "factor 4: kernel 8 × 8"]
    coarse = np.array([[0.5, -0.5], [-0.5, 0.5]])
    figure = draw_upsamplings(random_image(8, 8), coarse, {"nearest": coarse.repeat(4, 0).repeat(4, 1)}, "disk")
    assert "2 × 2 scores" in [axis.get_title() for axis in figure.axes]
    board = 1 + 0.1 * (np.indices((12, 12)).sum(axis=0) % 2)
    titles = [axis.get_title() for axis in draw_checkerboards({"even": np.ones((12, 12)), "board": board}).axes]
    assert "alternates by 0 %" in titles and sum(title.startswith("alternates by") for title in titles) == 2
    kernel = fcn.layers.bilinear_kernel(2)
    assert draw_trained_kernels({"tent": (kernel, 2 * kernel)}, {"tent": [1.0, 0.5]}).axes


def test_the_lecture_draws_the_same_figure(tmp_path, monkeypatch):
    roads = fcn.datasets.road_scenes("test", count=4).view({"road": ["road"]})
    monkeypatch.setattr(Experiment, "road", fcn.datasets.Opened(roads, roads))
    fcn.visualization.save(upsampling.upsampling(Experiment(Settings())), tmp_path / "L16.png", dpi=20)
    assert fcn.images.read_image(tmp_path / "L16.png").std() > 10
