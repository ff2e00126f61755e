"""Convolution and its transpose: windows, stamps, the matrix (lecture: L02, L08, L09)."""

import re
from typing import Literal

import numpy as np
from matplotlib.colors import to_rgba
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from fcn_keras import geometry
from fcn_keras.support.kinds import Count, Drawable, Kernel, Size, Table, checked
from fcn_keras.visualization.film import Film
from fcn_keras.visualization.style import (
    CHANGED,
    INK,
    NEUTRAL,
    NOTEBOOK_DPI,
    QUIET,
    SERIES,
    centred,
    frame,
    new_figure,
    parts_of,
    show_image,
    style,
)

CASES = (("valid", 1), ("same", 1), ("valid", 2), ("same", 2))
BLUE, ORANGE, GREEN, _ = SERIES  # kernel, window or input value at work, output
MAX_FRAMES = 20
WIDE, HIGH = 18, 8.3  # of one step's panel, in cells
MIDDLE = 3.5  # the row of cells on which a panel's parts are centred
CAPTION = 7.75  # where the line below them stands


# --- filters on a photograph ---


@checked
def draw_filters(image: Drawable, filtered: Table) -> Figure:
    """A picture and what hand-made filters make of it, each with its weights (lecture: L02).

    Args:
        image: `(H, W)`, 0–255.
        filtered: `{name: (kernel (k, k), result (h, w))}`. The result of a kernel whose weights
            sum to 0 is drawn on a scale around 0 (grey), any other as a picture, 0–255.
    """
    with style():
        title = "A filter is a small table of weights, slid over the picture"
        figure = new_figure(3.6 * (1 + len(filtered)), 6.9, title)
        axes = figure.subplots(2, 1 + len(filtered), height_ratios=(1, 1.9), squeeze=False)
        corner, first = axes[:, 0]
        corner.set_axis_off()
        text = {"transform": corner.transAxes, "ha": "right", "va": "center", "fontsize": 19}
        corner.text(0.95, 0.5, "the weights:", **text)
        show_image(first, image, "the picture", cmap="gray", vmin=0, vmax=255)
        for item, (above, below) in zip(filtered.items(), axes[:, 1:].T, strict=True):
            name, (kernel, result) = item
            size = 17 if len(kernel) < 4 else 13
            _numbers(above, (0, 0), np.asarray(kernel), to_rgba(BLUE, 0.22), size=size)
            _bare(above, len(kernel), len(kernel))
            if np.isclose(np.sum(kernel), 0):
                high = np.abs(result).max()
                low, scale = -high, "black −, grey 0, white +"
            else:
                low, high, scale = 0, 255, "black 0, white 255"
            show_image(below, result, name, cmap="gray", vmin=low, vmax=high)
            below.set_xlabel(scale)
    return figure


# --- step by step ---


@checked
def draw_convolution_steps(image: Drawable, kernel: Kernel) -> Figure:
    """Conv2D, VALID and SAME, stride 1 and 2: two steps and the result of each (lecture: L08).

    Args:
        image: `(n, n)`, small whole numbers; 5 × 5 reads best.
        kernel: `(k, k)`; there is room for k up to 3.

    Returns:
        The figure: a row for each case, with its sizes.
    """
    title = "Convolution: a window slides over the input (grey: the zeros that SAME adds)"
    return _draw_cases(_Convolution, image, kernel, title)


@checked
def draw_transposed_steps(image: Drawable, kernel: Kernel) -> Figure:
    """Conv2DTranspose, VALID and SAME, stride 1 and 2: two stamps and the result (lecture: L09).

    Args:
        image: `(n, n)`, small whole numbers; 3 × 3 reads best.
        kernel: `(k, k)`; there is room for k up to 3.

    Returns:
        The figure: a row for each case, with its sizes.
    """
    title = (
        "Transposed convolution: each value stamps the kernel, and the stamps add up "
        "(grey: cut off by SAME)"
    )
    return _draw_cases(_Transposed, image, kernel, title)


@checked
def animate_convolution(
    image: Drawable, kernel: Kernel, stride: Count = 1, padding: Literal["valid", "same"] = "valid"
) -> Film:
    """One case of `draw_convolution_steps`, step by step (lecture: L08).

    Args:
        image, kernel: As for `draw_convolution_steps`.
        stride: Pixels from one window to the next.
        padding: `"valid"` or `"same"`.

    Returns:
        What a notebook shows as a film. Of more than 20 steps it shows 20, evenly spread.
    """
    return _animate(_Convolution(image, kernel, stride, padding), "Convolution")


@checked
def animate_transposed(
    image: Drawable, kernel: Kernel, stride: Count = 1, padding: Literal["valid", "same"] = "valid"
) -> Film:
    """One case of `draw_transposed_steps`, step by step (lecture: L09).

    Args:
        image, kernel: As for `draw_transposed_steps`.
        stride: Pixels from one stamp to the next.
        padding: `"valid"` or `"same"`.

    Returns:
        What a notebook shows as a film. Of more than 20 steps it shows 20, evenly spread.
    """
    return _animate(_Transposed(image, kernel, stride, padding), "Transposed convolution")


class _Convolution:
    """The steps of one convolution, and how each is drawn."""

    parts = ("input", "kernel", "output")

    def __init__(self, image, kernel, stride, padding):
        self.image, self.kernel = np.asarray(image), np.asarray(kernel)
        self.stride, self.padding = stride, padding
        sizes, taps = self.image.shape, len(self.kernel)
        self.shape = tuple(geometry.conv_size(n, taps, stride, padding) for n in sizes)
        around = [
            geometry.same_padding(n, taps, stride) if padding == "same" else (0, 0) for n in sizes
        ]
        self.padded = np.pad(self.image, around)
        self.inside = np.pad(np.ones(sizes, bool), around)
        self.result = np.zeros(self.shape, self.padded.dtype)
        for place in np.ndindex(self.shape):
            self.result[place] = np.sum(self.padded[self._window(place)] * self.kernel)
        self.count = self.result.size

    def _window(self, place):
        row, column = (index * self.stride for index in place)
        return np.s_[row : row + len(self.kernel), column : column + len(self.kernel)]

    def headline(self):
        n, k, s = len(self.image), len(self.kernel), self.stride
        how = f"⌈{n} / {s}⌉" if self.padding == "same" else f"⌊({n} − {k}) / {s}⌋ + 1"
        return _headline(self, f"{how} = {self.shape[0]}")

    def later(self):
        """A later step that tells the cases apart: in the second row of windows if there is one."""
        return min(self.shape[1] + 1, self.count - 1) if self.shape[0] > 1 else self.count - 1

    def draw(self, axis, step):
        place = divmod(step, self.shape[1])
        self._draw_input(axis, place)
        _kernel(axis, 8.2, self.kernel)
        self._draw_output(axis, step, place)
        _signs(axis, (7.6, "×"), (11.95, "="))
        window = self.padded[self._window(place)]
        used = [(w, v) for w, v in zip(self.kernel.ravel(), window.ravel(), strict=True) if w]
        sum_of = " + ".join(f"{w}·{v}" for w, v in used)
        centred(axis, WIDE / 2, CAPTION, f"{sum_of} = {self.result[place]}", fontsize=18)

    def _draw_input(self, axis, place):
        """The input with its zeros, the window framed."""
        k, (height, width) = len(self.kernel), self.padded.shape
        left, top = MIDDLE - width / 2, MIDDLE - height / 2
        fills = np.where(self.inside[..., None], to_rgba("white"), to_rgba(NEUTRAL, 0.45))
        fills[self._window(place)] = to_rgba(ORANGE, 0.3)
        inks = np.where(self.inside, INK, QUIET)
        _numbers(axis, (left, top), self.padded, fills, inks=inks)
        row, column = (index * self.stride for index in place)
        frame(axis, (left + column, top + row), (k, k), ORANGE, zorder=3)

    def _draw_output(self, axis, step, place):
        """What is computed so far, the last number framed."""
        left, top = 15.3 - self.shape[1] / 2, MIDDLE - self.shape[0] / 2
        done = np.arange(self.count).reshape(self.shape) <= step
        values = np.where(done, self.result.astype(object), "")
        fills = np.where(done[..., None], to_rgba(GREEN, 0.2), 1.0)
        _numbers(axis, (left, top), values, fills)
        frame(axis, (left + place[1], top + place[0]), (1, 1), GREEN, zorder=3)


class _Transposed:
    """The steps of one transposed convolution, and how each is drawn."""

    parts = ("input", "value × kernel", "output")

    def __init__(self, image, kernel, stride, padding):
        self.image, self.kernel = np.asarray(image), np.asarray(kernel)
        self.stride, self.padding = stride, padding
        sizes, taps = self.image.shape, len(self.kernel)
        self.shape = tuple(geometry.transposed_size(n, taps, stride, padding) for n in sizes)
        self.full = tuple(geometry.transposed_size(n, taps, stride) for n in sizes)
        # SAME keeps the middle of what VALID gives; an odd pixel is cut off the end
        cut = max(taps - stride, 0) // 2 if padding == "same" else 0
        self.middle = np.s_[cut : cut + self.shape[0], cut : cut + self.shape[1]]
        self.count = self.image.size
        self.result = self._sums(self.count - 1)[self.middle]

    def _stamp(self, place):
        row, column = (index * self.stride for index in place)
        return np.s_[row : row + len(self.kernel), column : column + len(self.kernel)]

    def _places(self, step):
        return list(np.ndindex(self.image.shape))[: step + 1]

    def _sums(self, step):
        """The output as it stands after a step, with the border that SAME cuts off."""
        total = np.zeros(self.full, np.result_type(self.image, self.kernel))
        for place in self._places(step):
            total[self._stamp(place)] += self.image[place] * self.kernel
        return total

    def headline(self):
        n, k, s = len(self.image), len(self.kernel), self.stride
        how = f"{s} · {n}" if self.padding == "same" else f"{s} · ({n} − 1) + {max(k, s)}"
        return _headline(self, f"{how} = {self.shape[0]}")

    def later(self):
        """The step in the middle, whose stamp overlaps others on two sides."""
        return self.count // 2

    def draw(self, axis, step):
        height, width = self.image.shape
        place = row, column = divmod(step, width)
        left, top = 1.9 - width / 2, MIDDLE - height / 2
        fills = np.ones((height, width, 4))
        fills[place] = to_rgba(ORANGE, 0.3)
        _numbers(axis, (left, top), self.image, fills)
        frame(axis, (left + column, top + row), (1, 1), ORANGE, zorder=3)
        _kernel(axis, 5.2, self.image[place] * self.kernel)
        self._draw_output(axis, step, place)
        _signs(axis, (4.3, "→"), (9.5, "adds to"))
        at = f"row {row * self.stride}, column {column * self.stride}"
        caption = f"{self.image[place]} × the kernel, added at {at}"
        centred(axis, WIDE / 2, CAPTION, caption, fontsize=18)

    def _draw_output(self, axis, step, place):
        """The sums so far; grey what SAME cuts off, the last stamp framed."""
        k = len(self.kernel)
        left, top = 14.4 - self.full[1] / 2, MIDDLE - self.full[0] / 2
        stamps = np.zeros(self.full, int)
        for done in self._places(step):
            stamps[self._stamp(done)] += 1
        middle = np.zeros(self.full, bool)
        middle[self.middle] = True
        fills = np.where(stamps[..., None] > 0, to_rgba(GREEN, 0.2), 1.0)
        fills[~middle] = to_rgba(NEUTRAL, 0.45)
        values = np.where(stamps > 0, self._sums(step).astype(object), "")
        _numbers(axis, (left, top), values, fills, inks=np.where(middle, INK, QUIET))
        row, column = (index * self.stride for index in place)
        frame(axis, (left + column, top + row), (k, k), ORANGE, zorder=3)


def _headline(steps, sizes):
    before, after = (" × ".join(map(str, shape)) for shape in (steps.image.shape, steps.shape))
    return f"{steps.padding.upper()}, stride {steps.stride}:  {before} → {after},  since {sizes}"


def _draw_cases(kind, image, kernel, title):
    with style():
        figure = new_figure(18, 17, title)
        # the first row is higher, as it has the columns' titles
        parts = parts_of(figure, len(CASES), 1, height_ratios=(1.1, 1, 1, 1))
        for part, (padding, stride) in zip(parts, CASES, strict=True):
            steps = kind(image, kernel, stride, padding)
            part.suptitle(steps.headline(), fontsize=19, fontweight="bold", color=SERIES[0])
            _draw_case(part.subplots(1, 3, width_ratios=(WIDE, WIDE, 7.4)), steps)
        names = ", ".join(kind.parts)
        headings = f"first step: {names}", f"a later step: {names}", "result"
        for axis, heading in zip(parts[0].axes, headings, strict=True):
            axis.set_title(heading, fontsize=17)
    return figure


def _draw_case(axes, steps):
    """The first step, a later one, and the result."""
    *panels, last = axes
    for axis, step in zip(panels, (0, steps.later()), strict=True):
        steps.draw(axis, step)
        _bare(axis, WIDE, HIGH)
    height, width = steps.shape
    corner = MIDDLE - width / 2, MIDDLE - height / 2
    _numbers(last, corner, steps.result, to_rgba(GREEN, 0.2))
    _bare(last, 7, HIGH)
    centred(last, MIDDLE, CAPTION, f"{height} × {width}", fontsize=17, fontweight="bold")


def _animate(steps, name, interval=1100):
    title = f"{name}, {steps.headline().partition(',  since')[0]}"
    evenly = np.linspace(0, steps.count - 1, min(steps.count, MAX_FRAMES))
    frames = np.unique(evenly.round().astype(int))
    with style():
        figure = Figure(figsize=(10, 5))
        axis = figure.add_axes((0.01, 0.01, 0.98, 0.86))
        figure.suptitle(title, fontsize=15, fontweight="bold", color=INK)

        def draw(step):
            axis.clear()
            steps.draw(axis, int(step))
            _bare(axis, WIDE, HIGH)

        return Film(title, figure, draw, frames, interval, dpi=NOTEBOOK_DPI)


# --- the matrix ---


@checked
def draw_matrices(kernel: Kernel, matrix: np.ndarray, size: Size) -> Figure:
    """A convolution's matrix beside its transpose (lecture: L09).

    Args:
        kernel: `(k, k)`.
        matrix: `(output pixels, input pixels)`, VALID with stride 1, as
            `geometry.convolution_matrix` gives it.
        size: Height and width of the input.

    Returns:
        The figure, with the pixels' numbers and one window framed in all its parts.
    """
    rows, columns = matrix.shape
    with style():
        figure = new_figure(17, 10.5, "One matrix, read two ways")
        left, right = parts_of(figure, 1, 2, width_ratios=(columns, rows + 2.5))
        above, below = left.subplots(2, 1)
        beside = right.subplots()
        _paint_matrix(above, matrix, f"convolution: A is {rows} × {columns}")
        frame(above, (-0.5, rows - 1.5), (columns, 1), ORANGE, zorder=3)
        above.set(xticks=range(0, columns, size[1]), yticks=range(rows))
        _paint_matrix(beside, matrix.T, f"transposed: Aᵀ is {columns} × {rows}")
        frame(beside, (rows - 1.5, -0.5), (1, columns), ORANGE, zorder=3)
        beside.set(xticks=range(rows), yticks=range(0, columns, size[1]))
        _paint_last_window(below, kernel, size)
    return figure


def _paint_matrix(axis, matrix, title):
    """The weights of a matrix; zeros stay empty."""
    rows, columns = matrix.shape
    fills = np.ones((rows, columns, 4))
    fills[matrix != 0] = to_rgba(BLUE, 0.22)
    values = np.where(matrix == 0, "", np.vectorize(lambda value: f"{value:g}")(matrix))
    _cells(axis, (-0.5, -0.5), fills, edge=NEUTRAL)
    _texts(axis, (-0.5, -0.5), values)
    axis.set(xlim=(-0.6, columns - 0.4), ylim=(rows - 0.4, -0.6), aspect="equal")
    axis.set(title=title, xlabel="input pixel", ylabel="output pixel")
    axis.tick_params(length=0)
    axis.spines[:].set_visible(False)


def _paint_last_window(axis, kernel, size):
    """Numbered pixels of the large and the small map, the last window framed in both."""
    k, (height, width) = len(kernel), size
    large = np.arange(height * width).reshape(size)
    small = np.arange((height - k + 1) * (width - k + 1)).reshape(height - k + 1, width - k + 1)
    fills = np.ones((*size, 4))
    fills[-k:, -k:] = to_rgba(ORANGE, 0.3)
    _numbers(axis, (0, 0), large, fills)
    frame(axis, (width - k, height - k), (k, k), ORANGE, zorder=3)
    _numbers(axis, (width + 2, 0.5), kernel, to_rgba(BLUE, 0.22))
    left = width + k + 4
    _numbers(axis, (left, 1), small, to_rgba(GREEN, 0.2))
    frame(axis, (left - 1 + small.shape[1], small.shape[0]), (1, 1), GREEN, zorder=3)
    for x, text in (
        (width / 2, "large map"),
        (width + 2 + k / 2, "kernel"),
        (left + small.shape[1] / 2, "small map"),
    ):
        centred(axis, x, height + 0.6, text, fontsize=16)
    text = (
        f"framed: the window of pixel {small[-1, -1]} of the small map; in A a row, in Aᵀ a column"
    )
    axis.text(0, height + 1.7, text, fontsize=16)
    _bare(axis, left + small.shape[1] + 1, height + 2)


@checked
def draw_there_and_back(rows: Table) -> Figure:
    """Going down and up again does not bring back the start (lecture: L09).

    Args:
        rows: `{title: {caption: picture (h, w), 0–255}}`, three pictures each: the start, halfway,
            back again. All are drawn to one scale. A fourth picture is added: how far the last
            one is from the first.
    """
    largest = max(len(picture) for pictures in rows.values() for picture in pictures.values())
    with style():
        title = "The transpose brings back the size, not the values"
        figure = new_figure(17, 4.9 * len(rows), title)
        parts = parts_of(figure, len(rows), 1)
        for part, (title, pictures) in zip(parts, rows.items(), strict=True):
            part.suptitle(title, fontsize=18, fontweight="bold", color=SERIES[0])
            first, *_, last = pictures.values()
            error = np.abs(np.asarray(last, float) - first)
            axes = part.subplots(1, 4)
            for axis, (caption, picture) in zip(axes, pictures.items()):
                show_image(axis, picture, caption, cmap="gray", vmin=0, vmax=255)
                axis.set_xlabel(" × ".join(map(str, picture.shape)), color=QUIET)
            caption = f"difference: {error.mean():.0f} on average"
            show_image(axes[-1], error, caption, cmap="magma", vmin=0, vmax=128)
            axes[-1].set_xlabel("black 0, light 128", color=CHANGED)
            for axis, picture in zip(axes, (*pictures.values(), error), strict=True):
                height, width = picture.shape
                axis.set(xlim=((width - largest) / 2 - 0.5, (width + largest) / 2 - 0.5))
                axis.set(ylim=((height + largest) / 2 - 0.5, (height - largest) / 2 - 0.5))
                axis.spines[:].set_visible(False)
    return figure


# --- cells ---


def _numbers(axis, corner, values, fills, inks=None, size=15):
    """A grid of cells, one unit each, with their values.

    Args:
        axis: Where to.
        corner: (left, top) of the grid.
        values: `(rows, columns)`, numbers or texts.
        fills: One colour, or one for each cell.
        inks: A colour for each value; `None`: all are dark.
        size: Of the type, in points.
    """
    _cells(axis, corner, np.broadcast_to(fills, (*values.shape, 4)))
    _texts(axis, corner, values, inks, size)


def _texts(axis, corner, values, inks=None, size=15):
    for (row, column), value in np.ndenumerate(values):
        text = value if isinstance(value, str) else _short(value)
        look = {"fontsize": size, "color": INK if inks is None else inks[row, column]}
        x, y = corner[0] + column + 0.5, corner[1] + row + 0.5
        centred(axis, x, y, text, va="center_baseline", **look)


def _cells(axis, corner, fills, edge=QUIET):
    for row, column in np.ndindex(fills.shape[:2]):
        place = corner[0] + column, corner[1] + row
        look = {"facecolor": fills[row, column], "edgecolor": edge, "linewidth": 1}
        axis.add_patch(Rectangle(place, 1, 1, **look))


def _short(value) -> str:
    """.04, not 0.04, and a true minus sign."""
    return re.sub(r"^(-?)0\.", r"\1.", f"{value:g}").replace("-", "−")


def _kernel(axis, left, kernel):
    top = MIDDLE - len(kernel) / 2
    _numbers(axis, (left, top), kernel, to_rgba(BLUE, 0.22))
    frame(axis, (left, top), (len(kernel), len(kernel)), BLUE, zorder=3)


def _signs(axis, *signs):
    for x, sign in signs:
        centred(axis, x, MIDDLE, sign, fontsize=22 if len(sign) == 1 else 15)


def _bare(axis, width, height):
    """Axes without anything around them: square cells, row 0 on top."""
    axis.set(xlim=(-0.15, width + 0.15), ylim=(height + 0.15, -0.15), aspect="equal")
    axis.set(xticks=[], yticks=[])
    axis.spines[:].set_visible(False)
