"""Notebook 06: transposed convolution gives each pixel its own score, in its place, and evenly
(L16)."""

import keras
import numpy as np
import pytest
from conftest import random_image

import fcn_keras as fcn
from fcn_keras.lecture import upsampling
from fcn_keras.lecture.experiment import Experiment, Settings
from fcn_keras.visualization.upsampling import (
    alternation,
    animate_stamps,
    draw_bilinear_kernels,
    draw_checkerboards,
    draw_trained_kernels,
    draw_upsamplings,
)

FACTORS = (2, 4, 8)


def through(layer, scores):
    return keras.ops.convert_to_numpy(layer(np.asarray(scores, "float32")[None, :, :, None]))[
        0, ..., 0
    ]


def upsample(scores, kernel, stride, rim=None):
    """The transposed convolution in NumPy; `rim` rows and columns are cut off in front."""
    size, (rows, columns) = len(kernel), scores.shape
    out = np.zeros((stride * (rows - 1) + size, stride * (columns - 1) + size))
    for row, column in np.ndindex(rows, columns):
        y, x = row * stride, column * stride
        out[y : y + size, x : x + size] += scores[row, column] * kernel
    rim = (size - stride) // 2 if rim is None else rim
    return out[rim : rim + stride * rows, rim : rim + stride * columns]


@pytest.mark.parametrize("factor", FACTORS)
def test_L16_the_layer_puts_down_stamps(factor):
    scores = np.random.default_rng(0).normal(size=(4, 5))
    by_hand = upsample(scores, fcn.layers.bilinear_kernel(factor), factor)
    np.testing.assert_allclose(
        through(fcn.layers.upscore(1, factor, "up"), scores), by_hand, atol=1e-5
    )


# --- a score for each pixel, in its place ---


def each_pixel_gets_its_own_row(out, factor, rows=6):
    """Whether each pixel holds its own row, if each position of the small map held the row of its
    cell's middle."""
    inside = slice(factor, -factor)
    return out.shape == (rows * factor,) * 2 and np.allclose(
        out[inside, inside], np.arange(rows * factor)[inside, None], atol=1e-3
    )


def ramp(factor, rows=6):
    return np.repeat((np.arange(rows) * factor + (factor - 1) / 2)[:, None], rows, axis=1)


@pytest.mark.parametrize("factor", FACTORS)
def test_L16_pixels_and_scores_correspond_one_to_one(factor):
    assert each_pixel_gets_its_own_row(
        through(fcn.layers.upscore(1, factor, "up"), ramp(factor)), factor
    )


@pytest.mark.parametrize("factor", FACTORS)
def test_L16_breaks_when_nothing_is_cut_off(factor):
    assert not each_pixel_gets_its_own_row(
        through(fcn.layers.upscore(1, factor, "up", padding="valid"), ramp(factor)), factor
    )


@pytest.mark.parametrize("shift", [-1, 1])
def test_L16_breaks_when_the_cut_is_shifted(shift):
    kernel, scores = fcn.layers.bilinear_kernel(8), ramp(8)
    assert each_pixel_gets_its_own_row(upsample(scores, kernel, 8), 8)
    assert not each_pixel_gets_its_own_row(upsample(scores, kernel, 8, rim=4 + shift), 8)


def test_L16_breaks_when_the_kernel_is_odd_and_the_factor_even():
    """The tent 1/2, 1, 1/2 interpolates too, but shifted by half a pixel."""
    line = np.array([0.5, 1, 0.5])
    out = upsample(ramp(2), np.outer(line, line), 2)
    assert not each_pixel_gets_its_own_row(out, 2)
    np.testing.assert_allclose(out[2:-2, 4], np.arange(12)[2:-2] - 0.5, atol=1e-6)


def test_L16_a_network_gives_a_score_for_each_pixel(encoder):
    image = random_image(64, 96)
    model = fcn.models.fcn(2, 32, encoder, width=2)
    maps = fcn.prediction.feature_maps(model, image, ["score_fr", "logits"])
    assert maps["score_fr"].shape == (2, 3, 2) and maps["logits"].shape == (64, 96, 2)


# --- even, or a checkerboard ---


def is_even(layer):
    return alternation(upsampling.even_through(layer)) < 0.06


def transposed(kernel):
    return keras.layers.Conv2DTranspose(256, kernel, strides=2, padding="same", use_bias=False)


def test_L16_the_bilinear_start_is_even():
    layer = fcn.layers.upscore(16, 2, "up")
    assert is_even(layer)
    assert alternation(upsampling.even_through(layer)) < 1e-6


def test_L16_a_kernel_of_twice_the_stride_is_even_also_with_random_weights():
    assert is_even(transposed(4))


@pytest.mark.parametrize("kernel", [3, 5])
def test_L16_breaks_when_the_stride_does_not_divide_the_kernel(kernel):
    assert not is_even(transposed(kernel))
    counts = fcn.geometry.overlap_map((6, 6), kernel=kernel, stride=2)
    assert len(np.unique(counts[4:-4, 4:-4])) > 1
    assert len(np.unique(fcn.geometry.overlap_map((6, 6), kernel=4, stride=2)[4:-4, 4:-4])) == 1


# --- three ways ---


def test_three_ways_agree_where_they_should():
    coarse = np.random.default_rng(0).normal(size=(4, 5))
    ways = upsampling.three_ways(coarse, 4)
    assert list(ways) == ["nearest", "bilinear", "transposed convolution"]
    np.testing.assert_allclose(ways["nearest"], upsample(coarse, np.ones((4, 4)), 4), atol=1e-5)
    np.testing.assert_allclose(
        ways["bilinear"][2:-2, 2:-2], ways["transposed convolution"][2:-2, 2:-2], atol=1e-5
    )
    assert not np.allclose(ways["bilinear"], ways["transposed convolution"], atol=1e-2)  # the rim


def test_coarse_scores_are_shares_minus_one_half():
    mask = np.zeros((4, 8), int)
    mask[:2, :4] = 1
    mask[2:, 4:] = 255  # void is not the class
    np.testing.assert_array_equal(upsampling.coarse_scores(mask, 4), [[0, -0.5]])
    with pytest.raises(ValueError, match="stride 3 divides"):
        upsampling.coarse_scores(mask, 3)


def test_training_turns_a_random_kernel_into_a_tent():
    masks = np.stack([mask > 0 for _, mask in fcn.datasets.shapes(60, seed=0)]).astype("float32")
    cells = masks.reshape(60, 16, 4, 16, 4).mean(axis=(2, 4))[..., None]
    layer = keras.layers.Conv2DTranspose(1, 8, strides=4, padding="same", use_bias=False)
    model = keras.Sequential([keras.Input((16, 16, 1)), layer])
    model.compile(keras.optimizers.Adam(0.02), "mse", jit_compile=False)
    tent = fcn.layers.bilinear_kernel(4)

    def likeness():
        return np.corrcoef(layer.get_weights()[0].ravel(), tent.ravel())[0, 1]

    before = likeness()
    model.fit(cells, masks[..., None], batch_size=10, epochs=25, verbose=0)
    assert before < 0.6 and likeness() > 0.95


# --- figures ---


def test_figures_are_drawn_from_small_arrays():
    figure = draw_bilinear_kernels(
        {factor: fcn.layers.bilinear_kernel(factor) for factor in (2, 3)}
    )
    assert [axis.get_title() for axis in figure.axes][:2] == [
        "factor 2: kernel 4 × 4",
        "factor 3: kernel 5 × 5",
    ]

    coarse = np.array([[0.5, -0.5], [-0.5, 0.5]])
    figure = draw_upsamplings(
        random_image(16, 16), coarse, upsampling.three_ways(coarse, 8), "road"
    )
    assert [axis.get_title() for axis in figure.axes][:4] == [
        "2 × 2 scores",
        "nearest",
        "bilinear",
        "transposed convolution",
    ]

    # 0.5, 1.5, 0.5, …: half of the mean up and down
    board = np.indices((8, 8)).sum(axis=0) % 2 + 0.5
    titles = [
        axis.get_title()
        for axis in draw_checkerboards({"even": np.ones((8, 8)), "board": board}).axes
    ]
    assert {"alternates by 0 %", "alternates by 50 %"} < set(titles)

    pair = np.eye(4), np.ones((4, 4))
    figure = draw_trained_kernels({"a": pair, "b": pair}, {"a": [2, 1], "b": [3, 1]})
    assert {"a start", "b trained"} < {
        axis.get_title() for part in figure.subfigs for axis in part.axes
    }


def test_the_film_of_stamps_is_small_and_the_same_each_time():
    films = [animate_stamps(np.eye(2), fcn.layers.bilinear_kernel(2), 2) for _ in range(2)]
    assert films[0]._repr_html_() == films[1]._repr_html_()
    assert (
        films[0]._repr_html_().count('] = "data:image/png') == 5
        and len(films[0]._repr_html_()) < 1_000_000
    )


def test_the_lecture_draws_the_same_figure(tmp_path, monkeypatch, roads):
    monkeypatch.setattr(
        Experiment, "road", fcn.datasets.Opened(roads.subset(range(2)), roads.subset(range(2, 5)))
    )
    fcn.visualization.save(
        upsampling.upsampling(Experiment(Settings())), tmp_path / "L16.png", dpi=20
    )
    assert fcn.images.read_image(tmp_path / "L16.png").std() > 10
