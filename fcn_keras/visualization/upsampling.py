"""Going up again: the bilinear kernel, coarse scores made large, checkerboards, what training changes (lecture: L16)."""

import numpy as np
from matplotlib.patches import Rectangle

from fcn_keras.visualization.film import Film
from fcn_keras.visualization.style import (
    CHANGED,
    INK,
    NEUTRAL,
    QUIET,
    SERIES,
    checked,
    new_figure,
    show_image,
    style,
)


@checked
def draw_bilinear_kernels(kernels: dict):
    """The kernel as a picture, and how the tents of neighbouring positions add up to one (lecture: L16).

    Args:
        kernels: `{factor: kernel (k, k)}`, such as `layers.bilinear_kernel` gives them.
    """
    with style():
        figure = new_figure(
            6 * len(kernels),
            9.6,
            "The bilinear kernel: a tent for each position, and the tents add up to one",
        )
        grid = figure.subplots(2, len(kernels), squeeze=False, height_ratios=(1.35, 1))
        for (above, below), (factor, kernel) in zip(grid.T, kernels.items(), strict=True):
            size = len(kernel)
            show_image(
                above,
                kernel,
                f"factor {factor}: kernel {size} × {size}",
                cmap="Blues",
                vmin=0,
                vmax=1,
            )
            if size <= 8:
                for (row, column), value in np.ndenumerate(kernel):
                    colour = "white" if value > 0.55 else INK
                    above.text(
                        column,
                        row,
                        f"{value:.2f}".lstrip("0"),
                        ha="center",
                        va="center",
                        color=colour,
                        fontsize=18 if size <= 4 else 11,
                    )
            tent = (
                kernel[size // 2] / kernel[size // 2].sum() * factor
            )  # the tent along one axis: its sum is the factor
            total = np.zeros(3 * factor + size)
            for number in range(4):
                total[number * factor : number * factor + size] += tent
                at = np.arange(size) + number * factor
                below.plot(at, tent, "-o", color=SERIES[number], linewidth=3, markersize=6)
            inside = slice(size - factor, 3 * factor + factor)
            below.plot(np.arange(len(total))[inside], total[inside], "k-", linewidth=4, label="sum")
            below.set(xlabel="output pixel", ylim=(0, 1.35), title=f"a stamp every {factor} pixels")
            below.legend(frameon=False, loc="upper center")
        grid[1, 0].set_ylabel("weight")
    return figure


@checked
def draw_upsamplings(image, coarse, ways: dict, name: str):
    """A coarse score map brought back to the picture's size in several ways (lecture: L16).

    Args:
        image: uint8 `(H, W, 3)`.
        coarse: Scores of one class `(h, w)`; above 0 means the class.
        ways: `{title: scores (H, W)}`.
        name: Of the class.
    """
    limit = np.abs(coarse).max()
    height, width = image.shape[:2]
    options = {"cmap": "PuOr_r", "vmin": -limit, "vmax": limit}
    with style():
        panels = 1 + len(ways)
        rows = -(-panels // 2)
        figure = new_figure(
            17, 0.8 + rows * (7.6 * height / width + 0.7), "Back to a score for every pixel"
        )
        axes = figure.subplots(rows, 2, squeeze=False).ravel()
        for axis in axes[panels:]:
            axis.axis("off")
        show_image(axes[0], coarse, f"{coarse.shape[0]} × {coarse.shape[1]} scores", **options)
        for axis, (title, scores) in zip(axes[1:], ways.items(), strict=False):
            show_image(axis, image, title)
            drawn = axis.imshow(scores, alpha=0.62, **options)
            axis.contour(scores, levels=[0], colors=CHANGED, linewidths=4)
        bar = figure.colorbar(drawn, ax=list(axes), shrink=0.7, pad=0.02)
        bar.set_label(f"score of {name}; red line: 0")
    return figure


@checked
def draw_checkerboards(maps: dict):
    """What a constant map becomes: as a picture, and along one row (lecture: L16).

    Args:
        maps: `{title: values (H, W)}`, each around 1 away from the border.
    """
    high = 1.15 * max(values.max() for values in maps.values())
    with style():
        figure = new_figure(6.2 * len(maps), 9.6, "An even map goes in: what comes out?")
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
    """How much neighbours alternate, as a share of the mean: the part of period two, 0 for an even map (lecture: L16).

    Args:
        values: `(H, W)`; the border of 2 is left out, where stamps are missing.

    Returns:
        Largest amplitude at period 2 down, across or both, divided by the mean.
    """
    inner = np.asarray(values, "float64")[2:-2, 2:-2]
    inner = inner[: len(inner) // 2 * 2, : inner.shape[1] // 2 * 2]
    spectrum = np.abs(np.fft.fft2(inner)) / inner.size
    half = [length // 2 for length in inner.shape]
    return float(
        max(spectrum[half[0], 0], spectrum[0, half[1]], spectrum[half[0], half[1]]) / spectrum[0, 0]
    )


@checked
def draw_trained_kernels(starts: dict, losses: dict):
    """A kernel before and after training, from several starts, and the loss meanwhile (lecture: L16).

    Args:
        starts: `{start: (kernel before (k, k), kernel after (k, k))}`.
        losses: `{start: loss of each epoch}`.
    """
    limit = max(np.abs(kernel).max() for pair in starts.values() for kernel in pair)
    with style():
        figure = new_figure(17, 4.9 * len(starts) + 0.6, "What training makes of the kernel")
        left, right = figure.subfigures(1, 2, width_ratios=(1.45, 1))
        grid = left.subplots(len(starts), 2, squeeze=False)
        for (before, after), (start, kernels) in zip(grid, starts.items(), strict=True):
            for axis, kernel, when in (
                (before, kernels[0], "start"),
                (after, kernels[1], "trained"),
            ):
                show_image(axis, kernel, f"{start} {when}", cmap="PuOr_r", vmin=-limit, vmax=limit)
                drawn = axis.images[0]
        left.colorbar(drawn, ax=list(grid.ravel()), label="weight", shrink=0.7)
        profile, curve = right.subplots(2, 1)
        for number, (start, (before, after)) in enumerate(starts.items()):
            middle = len(after) // 2
            profile.plot(
                before[middle], ":", color=SERIES[number], linewidth=3, label=f"{start}: start"
            )
            profile.plot(
                after[middle], "-o", color=SERIES[number], linewidth=3, label=f"{start}: trained"
            )
            curve.plot(losses[start], color=SERIES[number], linewidth=3, label=start)
        profile.axhline(0, color=NEUTRAL)
        profile.set(
            title="middle row of the kernel",
            xlabel="column",
            ylabel="weight",
            ylim=(None, 1.75 * limit),
        )
        profile.legend(frameon=False, fontsize=11, loc="upper left")
        curve.set(
            title="error while training",
            xlabel="epoch",
            ylabel="mean squared error",
            ylim=(0, None),
        )
        curve.set_xticks(range(0, len(losses[start]) + 1, 10))
        curve.grid(axis="y", color=QUIET, alpha=0.25)
        curve.legend(frameon=False)
    return figure


@checked
def animate_stamps(scores, kernel, stride: int) -> Film:
    """A transposed convolution at work: one position after the other puts its stamp down, and the stamps add up (lecture: L16).

    Args:
        scores: The small map `(h, w)`, 0 or more.
        kernel: One channel `(k, k)`.
        stride: Output pixels from one stamp to the next.

    Returns:
        `Film`; a notebook shows it with buttons to play, stop and step. The frame around the output is what
        `padding="same"` keeps.
    """
    scores, size = np.asarray(scores), len(kernel)
    rows, columns = scores.shape
    places = list(np.ndindex(rows, columns))
    totals = [np.zeros((stride * (rows - 1) + size, stride * (columns - 1) + size))]
    for row, column in places:
        total = totals[-1].copy()
        total[row * stride : row * stride + size, column * stride : column * stride + size] += (
            scores[row, column] * kernel
        )
        totals.append(total)
    high = max(total.max() for total in totals)
    rim = (size - stride) // 2 - 0.5
    with style():
        figure = new_figure(9.4, 5.4, "Stamps add up")
        left, right = figure.subplots(1, 2, width_ratios=(1, 1.4))
        show_image(
            left,
            scores,
            f"{rows} × {columns} scores",
            cmap="Blues",
            vmin=0,
            vmax=1.6 * scores.max(),
        )
        for (row, column), value in np.ndenumerate(scores):
            left.text(column, row, f"{value:g}", ha="center", va="center", fontsize=20)
        show_image(right, totals[0], " ", cmap="Blues", vmin=0, vmax=high)
        kept = Rectangle(
            (rim, rim), stride * columns, stride * rows, fill=False, edgecolor=INK, linewidth=3
        )
        right.add_patch(kept)
        marks = [
            axis.add_patch(
                Rectangle(
                    (0, 0), side, side, fill=False, edgecolor=CHANGED, linewidth=4, clip_on=False
                )
            )
            for axis, side in ((left, 1), (right, size))
        ]

        def frame(number):
            right.images[0].set_data(totals[number])
            for mark in marks:
                mark.set_visible(0 < number <= len(places))
            if number:
                row, column = places[number - 1]
                marks[0].set_xy((column - 0.5, row - 0.5))
                marks[1].set_xy((column * stride - 0.5, row * stride - 0.5))
            right.set_title(f"output after {number} of {len(places)} stamps")
            return marks

        return Film("stamps of a transposed convolution", figure, frame, len(totals), interval=700)
