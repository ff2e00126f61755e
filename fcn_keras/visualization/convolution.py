"""Convolution and its transpose as pictures: filters, windows, stamps, the matrix (lecture: L02, L08, L09)."""

import re

import numpy as np
from matplotlib.colors import to_rgba
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from fcn_keras import geometry
from fcn_keras.visualization.film import Film
from fcn_keras.visualization.style import (
    CHANGED,
    INK,
    NEUTRAL,
    NOTEBOOK_DPI,
    QUIET,
    SERIES,
    checked,
    new_figure,
    show_image,
    style,
)

CASES = (("valid", 1), ("same", 1), ("valid", 2), ("same", 2))
BLUE, ORANGE, GREEN, _ = SERIES  # kernel, window or input value at work, output
MAX_FRAMES = 20
WIDE, HIGH = 18, 8.3  # of one step's panel, in cells


# --- filters on a photograph ---


@checked
def draw_filters(image, filtered: dict) -> Figure:
    """A picture and what hand-made filters make of it, each with its weights (lecture: L02).

    Args:
        image: `(H, W)`, 0–255.
        filtered: `{name: (kernel (k, k), result (h, w))}`. A kernel with negative weights that sum to 0 is shown on a
            scale around 0 (grey), any other one as a picture, 0–255.

    Returns:
        The figure.
    """
    with style():
        figure = new_figure(
            3.6 * (1 + len(filtered)),
            6.9,
            "A filter is a small table of weights, slid over the picture",
        )
        axes = figure.subplots(2, 1 + len(filtered), height_ratios=(1, 1.9), squeeze=False)
        axes[0, 0].set_axis_off()
        axes[0, 0].text(
            0.95,
            0.5,
            "the weights:",
            transform=axes[0, 0].transAxes,
            ha="right",
            va="center",
            fontsize=19,
        )
        show_image(axes[1, 0], image, "the picture", cmap="gray", vmin=0, vmax=255)
        for (name, (kernel, result)), (above, below) in zip(
            filtered.items(), axes[:, 1:].T, strict=True
        ):
            _numbers(
                above,
                0,
                0,
                np.asarray(kernel),
                to_rgba(BLUE, 0.22),
                size=17 if len(kernel) < 4 else 13,
            )
            _bare(above, len(kernel), len(kernel))
            limit = np.abs(result).max() if np.isclose(np.sum(kernel), 0) else None
            show_image(
                below, result, name, cmap="gray", vmin=-limit if limit else 0, vmax=limit or 255
            )
            below.set_xlabel("black −, grey 0, white +" if limit else "black 0, white 255")
    return figure


# --- step by step ---


@checked
def draw_convolution_steps(image, kernel) -> Figure:
    """Conv2D, VALID and SAME, stride 1 and 2: the first step, a later one, and the result (lecture: L08).

    Args:
        image: `(n, n)`, small whole numbers; 5 × 5 reads best.
        kernel: `(k, k)`, k at most 3 for the room there is.

    Returns:
        The figure: a row for each case, with its sizes.
    """
    return _draw_cases(
        _Convolution,
        image,
        kernel,
        "Convolution: a window slides over the input (grey: zeros of SAME)",
    )


@checked
def draw_transposed_steps(image, kernel) -> Figure:
    """Conv2DTranspose, VALID and SAME, stride 1 and 2: the first stamp, a later one, the result (lecture: L09).

    Args:
        image: `(n, n)`, small whole numbers; 3 × 3 reads best.
        kernel: `(k, k)`, k at most 3 for the room there is.

    Returns:
        The figure: a row for each case, with its sizes.
    """
    return _draw_cases(
        _Transposed,
        image,
        kernel,
        "Transposed convolution: each value stamps the kernel, stamps add up (grey: SAME cuts it off)",
    )


@checked
def animate_convolution(image, kernel, stride: int = 1, padding: str = "valid") -> Film:
    """One case of `draw_convolution_steps`, step by step, with buttons to stop and go back (lecture: L08).

    Args:
        image, kernel: As at `draw_convolution_steps`.
        stride: Pixels from one window to the next.
        padding: `"valid"` or `"same"`.

    Returns:
        What a notebook shows as a moving picture; of more than 20 steps, 20 spread evenly.
    """
    return _animate(_Convolution(image, kernel, stride, padding), "Convolution")


@checked
def animate_transposed(image, kernel, stride: int = 1, padding: str = "valid") -> Film:
    """One case of `draw_transposed_steps`, step by step, with buttons to stop and go back (lecture: L09).

    Args:
        image, kernel: As at `draw_transposed_steps`.
        stride: Pixels from one stamp to the next.
        padding: `"valid"` or `"same"`.

    Returns:
        What a notebook shows as a moving picture; of more than 20 steps, 20 spread evenly.
    """
    return _animate(_Transposed(image, kernel, stride, padding), "Transposed convolution")


class _Convolution:
    """The steps of one convolution, and how each is drawn."""

    parts = ("input", "kernel", "output")

    def __init__(self, image, kernel, stride, padding):
        self.image, self.kernel, self.stride, self.padding = (
            np.asarray(image),
            np.asarray(kernel),
            stride,
            padding,
        )
        sizes, taps = self.image.shape, len(self.kernel)
        self.shape = tuple(geometry.conv_size(n, taps, stride, padding) for n in sizes)
        around = [
            geometry.same_padding(n, taps, stride) if padding == "same" else (0, 0) for n in sizes
        ]
        self.padded = np.pad(self.image, around)
        self.inside = np.pad(np.ones(sizes, bool), around)
        self.result = np.zeros(self.shape, self.padded.dtype)
        for place in np.ndindex(self.shape):
            self.result[place] = np.sum(self._window(place) * self.kernel)

    def _window(self, place):
        row, column = (index * self.stride for index in place)
        return self.padded[row : row + len(self.kernel), column : column + len(self.kernel)]

    def headline(self):
        n, k, s = len(self.image), len(self.kernel), self.stride
        how = f"⌈{n} / {s}⌉" if self.padding == "same" else f"⌊({n} − {k}) / {s}⌋ + 1"
        return _headline(self, f"{how} = {self.shape[0]}")

    def later(self):
        """The number of a step in the middle that tells the cases apart: the second row of windows, if there is one."""
        return (
            min(self.shape[1] + 1, self.result.size - 1)
            if self.shape[0] > 1
            else self.result.size - 1
        )

    def draw(self, axis, step):
        k, (height, width) = len(self.kernel), self.padded.shape
        place = row, column = divmod(step, self.shape[1])
        x, y = (7 - width) / 2, (7 - height) / 2
        fills = np.where(self.inside[..., None], to_rgba("white"), to_rgba(NEUTRAL, 0.45))
        window = np.s_[
            row * self.stride : row * self.stride + k,
            column * self.stride : column * self.stride + k,
        ]
        fills[window] = to_rgba(ORANGE, 0.3)
        _numbers(axis, x, y, self.padded, fills, inks=np.where(self.inside, INK, QUIET))
        _frame(axis, x + column * self.stride, y + row * self.stride, k, k, ORANGE)
        _numbers(axis, 8.2, 3.5 - k / 2, self.kernel, to_rgba(BLUE, 0.22))
        _frame(axis, 8.2, 3.5 - k / 2, k, k, BLUE)
        x, y = 15.3 - self.shape[1] / 2, 3.5 - self.shape[0] / 2
        done = np.arange(self.result.size).reshape(self.shape) <= step
        _numbers(
            axis,
            x,
            y,
            np.where(done, self.result.astype(object), ""),
            np.where(done[..., None], to_rgba(GREEN, 0.2), 1.0),
        )
        _frame(axis, x + column, y + row, 1, 1, GREEN)
        _signs(axis, (7.6, "×"), (11.95, "="))
        used = [
            (w, v)
            for w, v in zip(self.kernel.ravel(), self._window(place).ravel(), strict=True)
            if w
        ]
        sum_of = " + ".join(f"{w}·{v}" for w, v in used)
        axis.text(
            WIDE / 2,
            7.75,
            f"{sum_of} = {self.result[place]}",
            ha="center",
            va="center",
            fontsize=18,
        )


class _Transposed:
    """The steps of one transposed convolution, and how each is drawn."""

    parts = ("input", "value × kernel", "output")

    def __init__(self, image, kernel, stride, padding):
        self.image, self.kernel, self.stride, self.padding = (
            np.asarray(image),
            np.asarray(kernel),
            stride,
            padding,
        )
        taps = len(self.kernel)
        self.shape = tuple(
            geometry.transposed_size(n, taps, stride, padding) for n in self.image.shape
        )
        self.full = tuple(geometry.transposed_size(n, taps, stride) for n in self.image.shape)
        # SAME keeps the middle of what VALID gives, the odd pixel cut off the end
        cut = max(taps - stride, 0) // 2 if padding == "same" else 0
        self.kept = np.s_[cut : cut + self.shape[0], cut : cut + self.shape[1]]
        self.result = self.sums(self.image.size - 1)[self.kept]

    def _covered(self, place):
        row, column = (index * self.stride for index in place)
        return np.s_[row : row + len(self.kernel), column : column + len(self.kernel)]

    def sums(self, step):
        """The output as it stands after a step, with the border that SAME cuts off."""
        total = np.zeros(self.full, np.result_type(self.image, self.kernel))
        for place in list(np.ndindex(self.image.shape))[: step + 1]:
            total[self._covered(place)] += self.image[place] * self.kernel
        return total

    def headline(self):
        n, k, s = len(self.image), len(self.kernel), self.stride
        how = f"{s} · {n}" if self.padding == "same" else f"{s} · ({n} − 1) + {max(k, s)}"
        return _headline(self, f"{how} = {self.shape[0]}")

    def later(self):
        """The number of a step in the middle: the middle one, whose stamp overlaps others on two sides."""
        return self.image.size // 2

    def draw(self, axis, step):
        k, (height, width) = len(self.kernel), self.image.shape
        place = row, column = divmod(step, width)
        x, y = 1.9 - width / 2, 3.5 - height / 2
        fills = np.ones((height, width, 4))
        fills[place] = to_rgba(ORANGE, 0.3)
        _numbers(axis, x, y, self.image, fills)
        _frame(axis, x + column, y + row, 1, 1, ORANGE)
        _numbers(axis, 5.2, 3.5 - k / 2, self.image[place] * self.kernel, to_rgba(BLUE, 0.22))
        _frame(axis, 5.2, 3.5 - k / 2, k, k, BLUE)
        x, y = 14.4 - self.full[1] / 2, 3.5 - self.full[0] / 2
        stamps = np.zeros(self.full, int)
        for done in list(np.ndindex(self.image.shape))[: step + 1]:
            stamps[self._covered(done)] += 1
        kept = np.zeros(self.full, bool)
        kept[self.kept] = True
        fills = np.where(stamps[..., None] > 0, to_rgba(GREEN, 0.2), 1.0)
        fills[~kept] = to_rgba(NEUTRAL, 0.45)
        values = np.where(stamps > 0, self.sums(step).astype(object), "")
        _numbers(axis, x, y, values, fills, inks=np.where(kept, INK, QUIET))
        _frame(axis, x + column * self.stride, y + row * self.stride, k, k, ORANGE)
        _signs(axis, (4.3, "→"), (9.5, "adds to"))
        said = f"{self.image[place]} × the kernel, added at row {row * self.stride}, column {column * self.stride}"
        axis.text(WIDE / 2, 7.75, said, ha="center", va="center", fontsize=18)


def _headline(steps, sizes):
    before, after = (" × ".join(map(str, shape)) for shape in (steps.image.shape, steps.shape))
    return f"{steps.padding.upper()}, stride {steps.stride}:  {before} → {after},  since {sizes}"


def _draw_cases(kind, image, kernel, title):
    with style():
        figure = new_figure(18, 17, title)
        parts = figure.subfigures(
            len(CASES), 1, height_ratios=(1.1, 1, 1, 1)
        )  # the first has the columns' titles
        for number, (rows, (padding, stride)) in enumerate(zip(parts, CASES, strict=True)):
            steps = kind(image, kernel, stride, padding)
            rows.suptitle(steps.headline(), fontsize=19, fontweight="bold", color=SERIES[0])
            *panels, last = rows.subplots(1, 3, width_ratios=(WIDE, WIDE, 7.4))
            for axis, step, name in zip(
                panels, (0, steps.later()), ("first step", "a later step"), strict=True
            ):
                steps.draw(axis, step)
                _bare(axis, WIDE, HIGH, bottom=HIGH)
                axis.set_title(
                    f"{name}: {', '.join(steps.parts)}" if number == 0 else "", fontsize=17
                )
            height, width = steps.shape
            _numbers(last, 3.5 - width / 2, 3.5 - height / 2, steps.result, to_rgba(GREEN, 0.2))
            _bare(last, 7, HIGH, bottom=HIGH)
            last.text(
                3.5,
                7.75,
                f"{height} × {width}",
                ha="center",
                va="center",
                fontsize=17,
                fontweight="bold",
            )
            last.set_title("result" if number == 0 else "", fontsize=17)
    return figure


def _animate(steps, name, interval=1100):
    title = f"{name}, {steps.headline().partition(',  since')[0]}"
    count = steps.image.size if isinstance(steps, _Transposed) else steps.result.size
    frames = np.unique(np.linspace(0, count - 1, min(count, MAX_FRAMES)).round().astype(int))
    with style():
        figure = Figure(figsize=(10, 5))
        axis = figure.add_axes([0.01, 0.01, 0.98, 0.86])
        figure.suptitle(title, fontsize=15, fontweight="bold", color=INK)

        def draw(step):
            axis.clear()
            steps.draw(axis, int(step))
            _bare(axis, WIDE, HIGH, bottom=HIGH)

        return Film(title, figure, draw, frames, interval, dpi=NOTEBOOK_DPI)


# --- the matrix ---


@checked
def draw_matrices(kernel, matrix, size) -> Figure:
    """A convolution's matrix beside its transpose (lecture: L09).

    Args:
        kernel: `(k, k)`.
        matrix: `(output pixels, input pixels)`, VALID with stride 1, as `geometry.convolution_matrix` gives it.
        size: Height and width of the input.

    Returns:
        The figure, with the pixels' numbers and one window framed in all its parts.
    """
    (rows, columns), k = matrix.shape, len(kernel)
    numbered = np.arange(columns).reshape(size)
    made = np.arange(rows).reshape(size[0] - k + 1, size[1] - k + 1)
    with style():
        figure = new_figure(17, 10.5, "One matrix, read two ways")
        left, right = figure.subfigures(1, 2, width_ratios=(columns, rows + 2.5))
        above, below = left.subplots(2, 1)
        for axis, shown, name, labels, steps in (
            (
                above,
                matrix,
                f"convolution: A is {rows} × {columns}",
                ("input pixel", "output pixel"),
                (size[1], 1),
            ),
            (
                right.subplots(),
                matrix.T,
                f"transposed: Aᵀ is {columns} × {rows}",
                ("input pixel", "output pixel"),
                (1, size[1]),
            ),
        ):
            fills = np.ones((*shown.shape, 4))
            fills[shown != 0] = to_rgba(BLUE, 0.22)
            values = np.where(shown == 0, "", np.vectorize(lambda value: f"{value:g}")(shown))
            _numbers(axis, -0.5, -0.5, values, fills, edge=NEUTRAL)
            if shown is matrix:
                _frame(axis, -0.5, rows - 1.5, columns, 1, ORANGE)
            else:
                _frame(axis, rows - 1.5, -0.5, 1, columns, ORANGE)
            axis.set(
                xlim=(-0.6, shown.shape[1] - 0.4), ylim=(shown.shape[0] - 0.4, -0.6), aspect="equal"
            )
            axis.set(title=name, xlabel=labels[0], ylabel=labels[1])
            axis.set_xticks(range(0, shown.shape[1], steps[0]))
            axis.set_yticks(range(0, shown.shape[0], steps[1]))
            axis.tick_params(length=0)
            axis.spines[:].set_visible(False)
        fills = np.ones((*size, 4))
        fills[-k:, -k:] = to_rgba(ORANGE, 0.3)
        _numbers(below, 0, 0, numbered, fills)
        _frame(below, size[1] - k, size[0] - k, k, k, ORANGE)
        _numbers(below, size[1] + 2, 0.5, kernel, to_rgba(BLUE, 0.22))
        _numbers(below, size[1] + k + 4, 1, made, to_rgba(GREEN, 0.2))
        _frame(below, size[1] + k + 3 + made.shape[1], made.shape[0], 1, 1, GREEN)
        for middle, text in (
            (size[1] / 2, "large pixels"),
            (size[1] + 2 + k / 2, "kernel"),
            (size[1] + k + 4 + made.shape[1] / 2, "small pixels"),
        ):
            below.text(middle, size[0] + 0.6, text, ha="center", va="center", fontsize=16)
        below.text(
            0,
            size[0] + 1.7,
            f"framed: the window of small pixel {rows - 1}; in A a row, in Aᵀ a column",
            fontsize=16,
        )
        _bare(below, size[1] + k + made.shape[1] + 5, size[0] + 2)
    return figure


@checked
def draw_there_and_back(rows: dict) -> Figure:
    """Down and up again is not where one began (lecture: L09).

    Args:
        rows: `{title: {caption: picture (h, w), 0–255}}`, three pictures each: the start, halfway, back again. All are drawn
            to one scale; a fourth is added, how far the last one is from the first.

    Returns:
        The figure.
    """
    largest = max(len(picture) for pictures in rows.values() for picture in pictures.values())
    with style():
        figure = new_figure(
            17, 4.9 * len(rows), "The transpose brings back the size, not the values"
        )
        for part, (title, pictures) in zip(
            np.atleast_1d(figure.subfigures(len(rows), 1)), rows.items(), strict=True
        ):
            part.suptitle(title, fontsize=18, fontweight="bold", color=SERIES[0])
            first, *_, last = pictures.values()
            error = np.abs(np.asarray(last, float) - first)
            shown = {**pictures, f"difference: {error.mean():.0f} on average": error}
            for number, (axis, (caption, picture)) in enumerate(
                zip(part.subplots(1, 4), shown.items(), strict=True)
            ):
                height, width = picture.shape
                show_image(
                    axis,
                    picture,
                    caption,
                    cmap="magma" if number == 3 else "gray",
                    vmin=0,
                    vmax=128 if number == 3 else 255,
                )
                axis.set(xlim=((width - largest) / 2 - 0.5, (width + largest) / 2 - 0.5))
                axis.set(ylim=((height + largest) / 2 - 0.5, (height - largest) / 2 - 0.5))
                axis.spines[:].set_visible(False)
                colour = CHANGED if number == 3 else QUIET
                axis.set_xlabel(
                    "black 0, light 128" if number == 3 else f"{height} × {width}", color=colour
                )
    return figure


# --- cells ---


def _numbers(axis, left, top, values, fills, inks=None, size=15, edge=QUIET):
    """A grid of cells, one unit each, with what stands in them."""
    fills = np.broadcast_to(fills, (*values.shape, 4))
    for (row, column), value in np.ndenumerate(values):
        place = left + column, top + row
        axis.add_patch(
            Rectangle(place, 1, 1, facecolor=fills[row, column], edgecolor=edge, linewidth=1)
        )
        text = (
            value
            if isinstance(value, str)
            else re.sub(r"^(-?)0\.", r"\1.", f"{value:g}").replace("-", "−")
        )  # .04, not 0.04
        ink = INK if inks is None else inks[row, column]
        axis.text(
            place[0] + 0.5,
            place[1] + 0.5,
            text,
            ha="center",
            va="center_baseline",
            fontsize=size,
            color=ink,
        )


def _frame(axis, left, top, width, height, colour):
    axis.add_patch(
        Rectangle((left, top), width, height, fill=False, edgecolor=colour, linewidth=4, zorder=3)
    )


def _signs(axis, *signs):
    for x, sign in signs:
        axis.text(x, 3.5, sign, ha="center", va="center", fontsize=22 if len(sign) == 1 else 15)


def _bare(axis, width, height, bottom=None):
    """Axes without anything around them, a cell being as wide as it is high, row 0 on top."""
    axis.set(
        xlim=(-0.15, width + 0.15),
        ylim=((bottom or height) + 0.15, -0.15),
        aspect="equal",
        xticks=[],
        yticks=[],
    )
    axis.spines[:].set_visible(False)
