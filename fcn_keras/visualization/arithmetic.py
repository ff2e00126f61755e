"""The arithmetic of an FCN as pictures: receptive fields, positions, overlaps, upper bounds."""

from typing import Any

import numpy as np

from fcn_keras.support.kinds import Count, Drawable, DrawnLabels, Palette, Table, checked
from fcn_keras.visualization.pictures import colourise
from fcn_keras.visualization.style import (
    CHANGED,
    INK,
    MARKERS,
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
def draw_receptive_fields(image: Drawable, windows: Table):
    """What one position of each layer sees, as frames on the picture (paper: table 1).

    Args:
        image: uint8 `(H, W, 3)`.
        windows: `{layer name: ((top, bottom), (left, right))}`, first and last pixel. What lies
            outside the image is padding.
    """
    height, width = image.shape[:2]
    tops, bottoms, lefts, rights = np.array(
        [(*rows, *columns) for rows, columns in windows.values()]
    ).T
    with style():
        figure = new_figure(13, 9, "What one position sees")
        axis = figure.subplots()
        axis.imshow(image)
        for (name, (rows, columns)), colour in zip(windows.items(), SERIES):
            _paint_window(axis, name, rows, columns, colour)
        axis.set(
            xlim=(min(lefts.min(), 0) - 12, max(rights.max(), width) + 12),
            ylim=(max(bottoms.max(), height) + 12, min(tops.min(), 0) - 40),
            xlabel="column; outside the picture: padding",
            ylabel="row",
        )
    return figure


def _paint_window(axis, name, rows, columns, colour) -> None:
    """A frame around whole pixels, with the layer's name and the window's height over it."""
    (top, bottom), (left, right) = rows, columns
    size = bottom - top + 1
    frame(axis, (left - 0.5, top - 0.5), (right - left + 1, size), colour, linewidth=5)
    axis.annotate(
        f"{name}: {size} px",
        (left, top),
        (2, 6),
        textcoords="offset points",
        ha="left",
        va="bottom",
        color="white",
        fontweight="bold",
        fontsize=17,
        bbox={"facecolor": colour, "edgecolor": "none", "pad": 3},
    )


@checked
def draw_positions(fields: Table, sizes: Table, image_size: Count):
    """Where the positions of each map lie along one axis of the image: where a crop comes from.

    Args:
        fields: `{layer name: geometry.Field}`, in the order of computation.
        sizes: `{layer name: positions along the axis}`.
        image_size: Pixels of the image along the axis.
    """
    with style():
        figure = new_figure(16, 1.8 + 0.62 * len(fields), "Where the positions of each map lie")
        axis = figure.subplots()
        axis.axvspan(-0.5, image_size - 0.5, color=SERIES[2], alpha=0.16)
        note: dict[str, Any] = {"color": SERIES[2], "fontweight": "bold"}
        axis.text(image_size / 2, -0.75, "the image", ha="center", **note)
        note = {"color": CHANGED, "fontweight": "bold"}
        for row, (name, field) in enumerate(fields.items()):
            at = float(field.centre) + float(field.stride) * np.arange(sizes[name])
            inside = (at >= 0) & (at < image_size)
            size = 11 if field.stride > 2 else 3  # positions that touch become a band
            for chosen, colour in ((inside, INK), (~inside, CHANGED)):
                places = at[chosen]
                axis.plot(places, np.full(len(places), row), "o", color=colour, markersize=size)
            axis.text(at[0] - 6, row, f"{float(field.centre):g}", ha="right", va="center", **note)
        names = [f"{name}, stride {field.stride}" for name, field in fields.items()]
        axis.set_yticks(range(len(fields)), names)
        axis.set(
            ylim=(len(fields) - 0.4, -1.2),
            xlabel="pixel of the image; red: outside it, and where the first position lies",
        )
        axis.margins(x=0.07)
    return figure


@checked
def draw_overlap(maps: Table):
    """How many stamps of a transposed convolution fall on each pixel (lecture: L16).

    Args:
        maps: `{title: stamps per pixel (H, W)}`, such as `geometry.overlap_map` gives them.
    """
    with style():
        title = "Stamps per output pixel: even, or a checkerboard"
        figure = new_figure(6.2 * len(maps), 6.6, title)
        axes = figure.subplots(1, len(maps), squeeze=False)[0]
        for axis, (title, counts) in zip(axes, maps.items(), strict=True):
            show_image(axis, counts, title, cmap="Blues", vmin=0, vmax=1.4 * counts.max())
            if counts.size <= 500:
                for (row, column), count in np.ndenumerate(counts):
                    colour = "white" if count == counts.max() else INK
                    centred(axis, column, row, count, fontsize=12, color=colour)
    return figure


@checked
def draw_upper_bounds(
    labels: DrawnLabels, coarse: Table, ours: Table, paper: Table, palette: Palette
):
    """A label map at each stride, and the best mean IU that it allows (lecture: L20).

    Args:
        labels: Class numbers `(H, W)`.
        coarse: `{stride: class numbers (H, W)}`, the same map in cells.
        ours: `{stride: mean IU, 0–1}` on our data.
        paper: The same as published, on VOC 2011.
        palette: uint8 `(classes, 3)`.
    """
    with style():
        title = "Why stride 32 is coarse: the best that a network of each stride can reach"
        figure = new_figure(18, 9, title)
        left, right = parts_of(figure, 1, 2, width_ratios=(1.25, 1))
        axes = left.subplots(1 + len(coarse), 1)
        show_image(axes[0], colourise(labels, palette), "the labels")
        for axis, (stride, cells) in zip(axes[1:], coarse.items(), strict=True):
            show_image(axis, colourise(cells, palette), f"one class per {stride} × {stride} pixels")
        bounds = {"paper, VOC 2011": paper, "drawn road scenes": ours}
        _paint_bounds(right.subplots(), sorted(ours, reverse=True), bounds)
    return figure


def _paint_bounds(axis, strides: list, bounds: dict) -> None:
    """A curve with its values for each of two sets of bounds."""
    sides = ((12, "bottom"), (-12, "top"))  # the first curve's values stand above it
    series = zip(bounds.items(), SERIES, MARKERS, sides)
    for (name, values), colour, marker, (offset, side) in series:
        heights = [100 * values[stride] for stride in strides]
        axis.plot(heights, color=colour, marker=marker, markersize=10, linewidth=3, label=name)
        note = {"color": colour, "ha": "center", "va": side, "fontweight": "bold"}
        for place in enumerate(heights):
            text = f"{place[1]:.1f}"
            axis.annotate(text, place, (0, offset), textcoords="offset points", **note)
    axis.set_xticks(range(len(strides)), strides)
    axis.set(
        xlabel="stride in pixels",
        ylabel="best mean IU (%)",
        ylim=(0, 112),
        title="a finer stride can score more",
    )
    axis.grid(axis="y", color=QUIET, alpha=0.25)
    axis.legend(frameon=False, loc="lower right")
