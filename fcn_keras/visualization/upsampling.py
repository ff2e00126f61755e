"""Upsampling: bilinear kernels, score maps, checkerboards, trained kernels (lecture: L16)."""

import numpy as np

from fcn_keras.support.kinds import Count, Drawable, Kernel, Table, checked
from fcn_keras.visualization.film import Film
from fcn_keras.visualization.style import (
    CHANGED,
    INK,
    NEUTRAL,
    QUIET,
    SERIES,
    centred,
    frame,
    new_figure,
    parts_of,
    show_image,
    style,
)


@checked
def draw_bilinear_kernels(kernels: Table):
    """The kernel as a picture, and how neighbouring tents add up to one (lecture: L16).

    Args:
        kernels: `{factor: kernel (k, k)}`, such as `layers.bilinear_kernel` gives them.
    """
    with style():
        title = "The bilinear kernel: a tent for each position, and the tents add up to one"
        figure = new_figure(6 * len(kernels), 9.6, title)
        grid = figure.subplots(2, len(kernels), squeeze=False, height_ratios=(1.35, 1))
        for (above, below), (factor, kernel) in zip(grid.T, kernels.items(), strict=True):
            _paint_kernel(above, kernel, f"factor {factor}: kernel {len(kernel)} × {len(kernel)}")
            _paint_tents(below, kernel, factor)
        grid[1, 0].set_ylabel("weight")
    return figure


def _paint_kernel(axis, kernel, title) -> None:
    """A kernel with its weights, where they can be read."""
    size = len(kernel)
    show_image(axis, kernel, title, cmap="Blues", vmin=0, vmax=1)
    if size <= 8:
        for (row, column), value in np.ndenumerate(kernel):
            text = f"{value:.2f}".lstrip("0")
            colour = "white" if value > 0.55 else INK
            centred(axis, column, row, text, color=colour, fontsize=18 if size <= 4 else 11)


def _paint_tents(axis, kernel, factor) -> None:
    """Four neighbouring tents along one axis, and their sum."""
    size = len(kernel)
    tent = kernel[size // 2] / kernel[size // 2].sum() * factor  # along one axis it sums to factor
    total = np.zeros(3 * factor + size)
    for number in range(4):
        total[number * factor : number * factor + size] += tent
        at = np.arange(size) + number * factor
        axis.plot(at, tent, "-o", color=SERIES[number], linewidth=3, markersize=6)
    inside = slice(size - factor, 3 * factor + factor)
    axis.plot(np.arange(len(total))[inside], total[inside], "k-", linewidth=4, label="sum")
    axis.set(xlabel="output pixel", ylim=(0, 1.35), title=f"a stamp every {factor} pixels")
    axis.legend(frameon=False, loc="upper center")


@checked
def draw_upsamplings(image: Drawable, coarse, ways: Table, name: str):
    """A coarse score map brought back to the picture's size in several ways (lecture: L16).

    Args:
        image: uint8 `(H, W, 3)`.
        coarse: Scores of one class `(h, w)`; above 0 means the class.
        ways: `{title: scores (H, W)}`.
        name: The class.
    """
    limit = np.abs(coarse).max()
    height, width = image.shape[:2]
    options = {"cmap": "PuOr_r", "vmin": -limit, "vmax": limit}
    rows = -(-(1 + len(ways)) // 2)
    with style():
        tall = 0.8 + rows * (7.6 * height / width + 0.7)
        figure = new_figure(17, tall, "Back to a score for every pixel")
        first, *others = figure.subplots(rows, 2, squeeze=False).ravel()
        shown = show_image(first, coarse, " × ".join(map(str, coarse.shape)) + " scores", **options)
        for axis, (title, scores) in zip(others, ways.items()):
            show_image(axis, image, title)
            shown = axis.imshow(scores, alpha=0.62, **options)
            axis.contour(scores, levels=[0], colors=CHANGED, linewidths=4)
        for axis in others[len(ways) :]:
            axis.axis("off")
        bar = figure.colorbar(shown, ax=[first, *others], shrink=0.7, pad=0.02)
        bar.set_label(f"score of {name}; red line: 0")
    return figure


@checked
def draw_checkerboards(maps: Table):
    """What a constant map becomes: as a picture, and along one row (lecture: L16).

    Args:
        maps: `{title: values (H, W)}`, each around 1 away from the border.
    """
    high = 1.15 * max(values.max() for values in maps.values())
    with style():
        title = "An even map goes in: what comes out?"
        figure = new_figure(6.2 * len(maps), 9.6, title)
        grid = figure.subplots(2, len(maps), squeeze=False, height_ratios=(1.7, 1), sharey="row")
        for (above, below), (title, values) in zip(grid.T, maps.items(), strict=True):
            show_image(above, values, title, cmap="Blues", vmin=0, vmax=high)
            row = values[len(values) // 2]
            below.bar(np.arange(len(row)), row, width=0.9, color=SERIES[0])
            below.axhline(row[2:-2].mean(), color=CHANGED, linewidth=3)
            below.set(
                xlabel="column of the middle row",
                ylim=(0, high),
                title=f"alternates by {100 * alternation(values):.0f} %",
            )
        grid[1, 0].set_ylabel("strength (red: mean)")
    return figure


def alternation(values) -> float:
    """How much neighbours alternate, as a share of the mean; 0 for an even map (lecture: L16).

    Args:
        values: `(H, W)`; the border of 2 is left out, where stamps are missing.

    Returns:
        Largest amplitude at period 2 down, across or both, divided by the mean.
    """
    inner = np.asarray(values, "float64")[2:-2, 2:-2]
    inner = inner[: len(inner) // 2 * 2, : inner.shape[1] // 2 * 2]
    spectrum = np.abs(np.fft.fft2(inner)) / inner.size
    down, across = (length // 2 for length in inner.shape)
    largest = max(spectrum[down, 0], spectrum[0, across], spectrum[down, across])
    return float(largest / spectrum[0, 0])


@checked
def draw_trained_kernels(starts: Table, losses: Table):
    """A kernel before and after training, from several starts, and the loss (lecture: L16).

    Args:
        starts: `{start: (kernel before (k, k), kernel after (k, k))}`.
        losses: `{start: loss of each epoch}`.
    """
    limit = max(np.abs(kernel).max() for pair in starts.values() for kernel in pair)
    with style():
        title = "What training does to the kernel"
        figure = new_figure(17, 4.9 * len(starts) + 0.6, title)
        left, right = parts_of(figure, 1, 2, width_ratios=(1.45, 1))
        grid = left.subplots(len(starts), 2, squeeze=False)
        look = {"cmap": "PuOr_r", "vmin": -limit, "vmax": limit}
        for row, (start, kernels) in zip(grid, starts.items(), strict=True):
            for axis, kernel, when in zip(row, kernels, ("start", "trained"), strict=True):
                show_image(axis, kernel, f"{start} {when}", **look)
        left.colorbar(grid[-1, -1].images[0], ax=list(grid.ravel()), label="weight", shrink=0.7)
        profile, curve = right.subplots(2, 1)
        _paint_profiles(profile, starts, 1.75 * limit)
        _paint_errors(curve, {start: losses[start] for start in starts})
    return figure


def _paint_profiles(axis, starts, high) -> None:
    """The middle row of each kernel, dotted before training."""
    for (start, (before, after)), colour in zip(starts.items(), SERIES):
        middle = len(after) // 2
        look = {"color": colour, "linewidth": 3}
        axis.plot(before[middle], ":", label=f"{start}: start", **look)
        axis.plot(after[middle], "-o", label=f"{start}: trained", **look)
    axis.axhline(0, color=NEUTRAL)
    axis.set(title="middle row of the kernel", xlabel="column", ylabel="weight", ylim=(None, high))
    axis.legend(frameon=False, fontsize=11, loc="upper left")


def _paint_errors(axis, losses) -> None:
    """The error of each epoch from each start."""
    for (start, errors), colour in zip(losses.items(), SERIES):
        axis.plot(errors, color=colour, linewidth=3, label=start)
    epochs = max(len(errors) for errors in losses.values())
    axis.set(title="error during training", xlabel="epoch", ylabel="mean squared error")
    axis.set_ylim(0, None)
    axis.set_xticks(range(0, epochs + 1, 10))
    axis.grid(axis="y", color=QUIET, alpha=0.25)
    axis.legend(frameon=False)


@checked
def animate_stamps(scores: np.ndarray, kernel: Kernel, stride: Count) -> Film:
    """A transposed convolution at work: stamps are put down one by one and add up (lecture: L16).

    Args:
        scores: The small map `(h, w)`, 0 or more.
        kernel: One channel `(k, k)`.
        stride: Output pixels from one stamp to the next.

    Returns:
        `Film`; a notebook shows it with buttons to play, stop and step. The frame around the
        output is what `padding="same"` keeps.
    """
    scores, kernel = np.asarray(scores), np.asarray(kernel)
    (rows, columns), size = scores.shape, len(kernel)
    places = list(np.ndindex(rows, columns))
    totals = _totals(scores, kernel, stride)
    high = max(total.max() for total in totals)
    with style():
        figure = new_figure(9.4, 5.4, "Stamps add up")
        left, right = figure.subplots(1, 2, width_ratios=(1, 1.4))
        title = f"{rows} × {columns} scores"
        show_image(left, scores, title, cmap="Blues", vmin=0, vmax=1.6 * scores.max())
        for (row, column), value in np.ndenumerate(scores):
            centred(left, column, row, f"{value:g}", fontsize=20)
        shown = show_image(right, totals[0], " ", cmap="Blues", vmin=0, vmax=high)
        rim = (size - stride) // 2 - 0.5
        frame(right, (rim, rim), (stride * columns, stride * rows), INK, linewidth=3)
        marks = [
            frame(axis, (0, 0), (side, side), CHANGED, clip_on=False)
            for axis, side in ((left, 1), (right, size))
        ]

        def draw(number):
            shown.set_data(totals[number])
            for mark in marks:
                mark.set_visible(0 < number <= len(places))
            if number:
                row, column = places[number - 1]
                marks[0].set_xy((column - 0.5, row - 0.5))
                marks[1].set_xy((column * stride - 0.5, row * stride - 0.5))
            right.set_title(f"output after {number} of {len(places)} stamps")
            return marks

        return Film("stamps of a transposed convolution", figure, draw, len(totals), interval=700)


def _totals(scores, kernel, stride) -> list[np.ndarray]:
    """The output before the first stamp, and after each."""
    size = len(kernel)
    totals = [np.zeros([stride * (length - 1) + size for length in scores.shape])]
    for row, column in np.ndindex(scores.shape):
        top, left = row * stride, column * stride
        total = totals[-1].copy()
        total[top : top + size, left : left + size] += scores[row, column] * kernel
        totals.append(total)
    return totals
