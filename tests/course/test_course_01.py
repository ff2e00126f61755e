"""Notebook 01: filters, convolution, transposed convolution (lecture: L02, L08, L09)."""

import re

import keras
import numpy as np
import pytest
from matplotlib.figure import Figure

from fcn_keras import geometry
from fcn_keras.lecture import convolution as lecture
from fcn_keras.visualization import convolution as drawing

CASES = [(padding, stride) for padding in ("valid", "same") for stride in (1, 2)]
KERNEL, INPUT, STAMPS = lecture.STEPS_KERNEL, lecture.STEPS_INPUT, lecture.STAMPS_INPUT


def run(kind, image, kernel, stride, padding):
    """One layer of Keras with our weights: the oracle of this file."""
    layer = kind(1, len(kernel), strides=stride, padding=padding, use_bias=False)
    layer.build((None, None, None, 1))
    layer.set_weights([np.asarray(kernel)[:, :, None, None]])
    return keras.ops.convert_to_numpy(layer(np.asarray(image)[None, :, :, None].astype("float32")))[
        0, :, :, 0
    ]


def convolved(image, kernel, stride=1, padding="valid"):
    return run(keras.layers.Conv2D, image, kernel, stride, padding)


def transposed(values, kernel, stride=1, padding="valid"):
    return run(keras.layers.Conv2DTranspose, values, kernel, stride, padding)


# --- L02: filters ---


def check_finds_only_its_own_edge(kernel):
    """An edge from dark on the left to bright on the right: this filter answers there and nowhere
    else; the turned one never."""
    image = np.zeros((6, 8))
    image[:, 4:] = 100
    answer = convolved(image, kernel)
    assert (answer[:, 2:4] > 0).all() and not answer[:, :2].any() and not answer[:, 4:].any()
    assert not convolved(image.T, kernel).any()


def test_L02_an_edge_filter_answers_to_its_edge():
    check_finds_only_its_own_edge(lecture.FILTERS["edges, left to right"])


@pytest.mark.parametrize("name", ["edges, top to bottom", "blur", "sharpen"])
def test_L02_breaks_when_it_is_another_filter(name):
    with pytest.raises(AssertionError):
        check_finds_only_its_own_edge(lecture.FILTERS[name])


def test_L02_on_a_wall_edges_are_0_and_blur_and_sharpen_change_nothing():
    wall = np.full((7, 7), 80)
    answers = {name: convolved(wall, kernel) for name, kernel in lecture.FILTERS.items()}
    for name, answer in answers.items():
        np.testing.assert_allclose(answer, 0 if name.startswith("edges") else 80, atol=1e-3)


def test_L02_blur_takes_detail_away_and_sharpen_adds_it():
    image = lecture.photograph()[:60, :60]
    detail = {
        name: np.abs(np.diff(convolved(image, kernel))).mean()
        for name, kernel in lecture.FILTERS.items()
    }
    assert (
        detail["blur"]
        < np.abs(np.diff(image)).mean() / 1.5
        < np.abs(np.diff(image)).mean() * 1.5
        < detail["sharpen"]
    )


# --- L08: convolution ---


def check_sizes(layer, rule, change=lambda padding: padding):
    for kernel in (1, 2, 3, 4, 5):
        for stride in (1, 2, 3):
            for padding in ("valid", "same"):
                built = layer(1, kernel, strides=stride, padding=padding)
                for size in (5, 6, 7, 12):
                    found = built(np.zeros((1, size, size + 4, 1), "float32")).shape[1:3]
                    assert found == tuple(
                        rule(n, kernel, stride, change(padding)) for n in (size, size + 4)
                    )


def other(padding):
    return {"valid": "same", "same": "valid"}[padding]


def test_L08_keras_confirms_the_formula():
    check_sizes(keras.layers.Conv2D, geometry.conv_size)


def test_L08_breaks_when_the_padding_is_the_other_one():
    with pytest.raises(AssertionError):
        check_sizes(keras.layers.Conv2D, geometry.conv_size, other)


def check_drawn(kind, oracle, image, kernel, padding, stride):
    np.testing.assert_allclose(
        kind(image, kernel, stride, padding).result,
        oracle(image, kernel, stride, padding),
        atol=1e-5,
    )


@pytest.mark.parametrize(("padding", "stride"), CASES)
@pytest.mark.parametrize("size", [5, 6])
def test_L08_the_drawn_steps_are_those_of_keras(padding, stride, size):
    image = np.random.default_rng(size).integers(0, 9, (size, size))
    check_drawn(drawing._Convolution, convolved, image, KERNEL, padding, stride)


@pytest.mark.parametrize(("padding", "stride"), CASES)
def test_L08_breaks_when_the_kernel_is_turned_round(padding, stride):
    """What mathematicians call convolution is not what the layer computes."""
    with pytest.raises(AssertionError):
        check_drawn(
            drawing._Convolution,
            lambda i, k, *how: convolved(i, k[::-1, ::-1], *how),
            INPUT,
            KERNEL,
            padding,
            stride,
        )


def test_L08_breaks_when_same_puts_its_odd_zero_before(monkeypatch):
    image = np.random.default_rng(0).integers(1, 9, (6, 6))
    right = geometry.same_padding
    monkeypatch.setattr(geometry, "same_padding", lambda *args: right(*args)[::-1])
    with pytest.raises(AssertionError):
        check_drawn(drawing._Convolution, convolved, image, KERNEL, "same", 2)


# --- L09: transposed convolution ---


def test_L09_keras_confirms_the_formula():
    check_sizes(keras.layers.Conv2DTranspose, geometry.transposed_size)


def test_L09_breaks_when_the_padding_is_the_other_one():
    with pytest.raises(AssertionError):
        check_sizes(keras.layers.Conv2DTranspose, geometry.transposed_size, other)


@pytest.mark.parametrize(("padding", "stride"), CASES)
def test_L09_the_drawn_stamps_are_those_of_keras(padding, stride):
    check_drawn(drawing._Transposed, transposed, STAMPS, KERNEL, padding, stride)


@pytest.mark.parametrize(("padding", "stride"), CASES)
def test_L09_breaks_when_the_stamp_is_turned_round(padding, stride):
    with pytest.raises(AssertionError):
        check_drawn(
            drawing._Transposed,
            lambda i, k, *how: transposed(i, k[::-1, ::-1], *how),
            STAMPS,
            KERNEL,
            padding,
            stride,
        )


def check_is_the_matrix(padding, stride, back):
    """`back(A)` times a small map is what Conv2DTranspose makes of it."""
    values = np.random.default_rng(0).integers(-5, 6, (4, 3))
    size = tuple(geometry.transposed_size(n, 3, stride, padding) for n in values.shape)
    matrix = geometry.convolution_matrix(KERNEL, size, stride, padding)
    expected = transposed(values, KERNEL, stride, padding)
    np.testing.assert_allclose((back(matrix) @ values.ravel()).reshape(size), expected, atol=1e-4)
    np.testing.assert_allclose(
        (matrix @ expected.ravel()).reshape(4, 3),
        convolved(expected, KERNEL, stride, padding),
        atol=1e-4,
    )


@pytest.mark.parametrize(("padding", "stride"), CASES)
def test_L09_it_is_the_transpose_of_the_convolutions_matrix(padding, stride):
    check_is_the_matrix(padding, stride, np.transpose)


@pytest.mark.parametrize(("padding", "stride"), CASES)
def test_L09_breaks_when_the_inverse_is_taken_for_the_transpose(padding, stride):
    with pytest.raises(AssertionError):
        check_is_the_matrix(padding, stride, np.linalg.pinv)


def check_is_not_the_inverse(kernel):
    matrix = geometry.convolution_matrix(kernel, (6, 6), stride=2)
    values = np.random.default_rng(0).normal(size=len(matrix))
    assert not np.allclose(matrix @ (matrix.T @ values), values)
    image = np.random.default_rng(1).normal(size=36)
    assert not np.allclose(matrix.T @ (matrix @ image), image)


@pytest.mark.parametrize(
    "kernel", [KERNEL, lecture.BILINEAR, np.ones((2, 2))], ids=["ours", "bilinear", "ones"]
)
def test_L09_it_is_not_the_inverse(kernel):
    check_is_not_the_inverse(kernel)


def test_L09_breaks_when_the_stamps_neither_overlap_nor_grow():
    """The one kind of kernel whose transpose does undo the way up, so the check above can fail."""
    with pytest.raises(AssertionError):
        check_is_not_the_inverse(np.full((2, 2), 0.5))


# --- figures ---


def words(figure):
    return [
        text.get_text()
        for text in figure.findobj(lambda artist: hasattr(artist, "get_text"))
        if text.get_text()
    ]


def numbers(figure, axis):
    return [text.get_text() for text in figure.axes[axis].texts]


def test_the_step_figures_show_the_four_cases_and_their_results():
    for draw, oracle, image in (
        (drawing.draw_convolution_steps, convolved, INPUT),
        (drawing.draw_transposed_steps, transposed, STAMPS),
    ):
        figure = draw(image, KERNEL)
        assert isinstance(figure, Figure) and len(figure.axes) == 12
        for row, (padding, stride) in enumerate(drawing.CASES):
            expected = oracle(image, KERNEL, stride, padding)
            shown = numbers(figure, 3 * row + 2)  # the third of each row: the result, then its size
            assert shown == [f"{value:g}" for value in expected.ravel()] + [
                "{} × {}".format(*expected.shape)
            ]
            assert any(
                text.startswith(f"{padding.upper()}, stride {stride}:") for text in words(figure)
            )


def test_the_sum_that_is_written_out_is_right():
    figure = drawing.draw_convolution_steps(INPUT, KERNEL)
    sums = [text for text in words(figure) if "·" in text and "=" in text]
    assert len(sums) == 8
    for left, right in (text.split(" = ") for text in sums):
        assert sum(np.prod([int(n) for n in term.split("·")]) for term in left.split(" + ")) == int(
            right
        )


def test_negative_numbers_and_tiny_inputs_are_drawn():
    assert drawing.draw_convolution_steps(-np.ones((3, 3), int), KERNEL).axes
    assert drawing.draw_transposed_steps(np.ones((1, 1), int), KERNEL).axes
    edges = np.array([[-1, 0, 1]] * 3)
    figure = drawing.draw_filters(
        np.zeros((5, 5)),
        {"edge": (edges, np.zeros((3, 3))), "mean": (np.ones((1, 1)), np.ones((5, 5)))},
    )
    assert "−1" in words(figure) and "edge" in words(figure)


def test_the_matrix_figure_shows_every_weight_twice():
    matrix = geometry.convolution_matrix(KERNEL, (4, 4))
    figure = drawing.draw_matrices(KERNEL, matrix, (4, 4))
    expected = sorted(f"{value:g}" for value in matrix[matrix != 0])
    for axis in figure.axes:
        if axis.get_title():
            assert sorted(text.get_text() for text in axis.texts if text.get_text()) == expected
    assert sum(bool(axis.get_title()) for axis in figure.axes) == 2


def test_there_and_back_says_how_far_off_it_is():
    start = np.full((4, 4), 100.0)
    figure = drawing.draw_there_and_back(
        {"to and fro": {"x": start, "y": start[:2, :2], "z": start + 30}}
    )
    assert "difference: 30 on average" in words(figure) and "to and fro" in words(figure)


def test_animations_are_the_same_bytes_twice_small_and_need_no_network():
    one, two = (
        drawing.animate_convolution(INPUT, KERNEL, stride=2, padding="same") for _ in range(2)
    )
    page = one._repr_html_()
    assert page == two._repr_html_() and len(page) < 600_000
    assert len(re.findall(r"frames\[\d+\] = ", page)) == 9
    assert not re.search(r"https?://|fa fa-", page)
    assert repr(one) == "Film: Convolution, SAME, stride 2:  5 × 5 → 3 × 3"
    assert f'alt="{one.title}"' in page and "src=" in page.split("id=")[0]


def test_long_animations_are_thinned_and_two_kinds_do_not_share_their_controls():
    long = drawing.animate_convolution(
        np.ones((5, 5), int), KERNEL, padding="same"
    )._repr_html_()  # 25 steps
    assert len(re.findall(r"frames\[\d+\] = ", long)) == drawing.MAX_FRAMES
    stamps = drawing.animate_transposed(np.ones((2, 2), int), KERNEL, stride=2)._repr_html_()
    assert len(re.findall(r"frames\[\d+\] = ", stamps)) == 4
    name = re.compile(r'id="_anim_img(\w+)"')
    assert name.search(long)[1] != name.search(stamps)[1]


@pytest.mark.parametrize(
    "name", ["filters", "convolution_steps", "transposed_steps", "matrices", "there_and_back"]
)
def test_the_lectures_figures_need_no_training(name):
    assert isinstance(getattr(lecture, name)(None), Figure)
