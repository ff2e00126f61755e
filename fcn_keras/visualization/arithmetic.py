"""The arithmetic of an FCN as pictures: what a score sees, where its positions lie, how stamps overlap, what a stride costs."""

import numpy as np
from matplotlib.patches import Rectangle

from fcn_keras.support import arguments
from fcn_keras.visualization.pictures import colourise
from fcn_keras.visualization.style import (
    CHANGED,
    INK,
    MARKERS,
    QUIET,
    SERIES,
    checked,
    new_figure,
    show_image,
    style,
)


@checked
def draw_receptive_fields(image, windows: dict):
    """What one position of each layer sees, as frames on the picture (paper: table 1).

    Args:
        image: uint8 `(H, W, 3)`.
        windows: `{layer name: ((top, bottom), (left, right))}`, first and last pixel; beyond the image is padding.
    """
    height, width = image.shape[:2]
    tops, bottoms, lefts, rights = np.array(
        [(*rows, *columns) for rows, columns in windows.values()]
    ).T
    with style():
        figure = new_figure(13, 9, "What one position sees")
        axis = figure.subplots()
        axis.imshow(image)
        for (name, ((top, bottom), (left, right))), colour in zip(
            windows.items(), SERIES, strict=False
        ):
            size = bottom - top + 1
            axis.add_patch(
                Rectangle(
                    (left - 0.5, top - 0.5),
                    right - left + 1,
                    size,
                    fill=False,
                    edgecolor=colour,
                    linewidth=5,
                )
            )
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
        axis.set(
            xlim=(min(lefts.min(), 0) - 12, max(rights.max(), width) + 12),
            ylim=(max(bottoms.max(), height) + 12, min(tops.min(), 0) - 40),
            xlabel="column; outside the picture: padding",
            ylabel="row",
        )
    return figure


@checked
def draw_positions(fields: dict, sizes: dict, image_size: int):
    """Where the positions of each map lie along an axis of the image: *where* a crop comes from.

    Args:
        fields: `{layer name: geometry.Field}`, in the order of computation.
        sizes: `{layer name: positions along the axis}`.
        image_size: Pixels of the image along the axis.
    """
    arguments.whole_number("image_size", image_size, 1)
    with style():
        figure = new_figure(16, 1.8 + 0.62 * len(fields), "Where the positions of each map lie")
        axis = figure.subplots()
        axis.axvspan(-0.5, image_size - 0.5, color=SERIES[2], alpha=0.16)
        axis.text(
            image_size / 2, -0.75, "the image", ha="center", color=SERIES[2], fontweight="bold"
        )
        for row, (name, field) in enumerate(fields.items()):
            at = float(field.centre) + float(field.stride) * np.arange(sizes[name])
            inside = (at >= 0) & (at < image_size)
            size = 11 if field.stride > 2 else 3  # positions that touch become a band
            for chosen, colour in ((inside, INK), (~inside, CHANGED)):
                axis.plot(
                    at[chosen], np.full(chosen.sum(), row), "o", color=colour, markersize=size
                )
            axis.text(
                at[0] - 6,
                row,
                f"{float(field.centre):g}",
                ha="right",
                va="center",
                color=CHANGED,
                fontweight="bold",
            )
        axis.set_yticks(
            range(len(fields)), [f"{name}, stride {fields[name].stride}" for name in fields]
        )
        axis.set(
            ylim=(len(fields) - 0.4, -1.2),
            xlabel="pixel of the image; red: outside it, and where the first position lies",
        )
        axis.margins(x=0.07)
    return figure


@checked
def draw_overlap(maps: dict):
    """How many stamps of a transposed convolution fall on each pixel (lecture: L16).

    Args:
        maps: `{title: stamps per pixel (H, W)}`, such as `geometry.overlap_map` gives them.
    """
    with style():
        figure = new_figure(
            6.2 * len(maps), 6.6, "Stamps per output pixel: even, or a checkerboard"
        )
        axes = figure.subplots(1, len(maps), squeeze=False)[0]
        for axis, (title, counts) in zip(axes, maps.items(), strict=True):
            show_image(axis, counts, title, cmap="Blues", vmin=0, vmax=1.4 * counts.max())
            if counts.size <= 500:
                for (row, column), count in np.ndenumerate(counts):
                    colour = "white" if count == counts.max() else INK
                    axis.text(
                        column, row, count, ha="center", va="center", fontsize=12, color=colour
                    )
    return figure


@checked
def draw_upper_bounds(labels, coarse: dict, ours: dict, paper: dict, palette):
    """What is left of a label map at each stride, and the best mean IU, ours beside the paper's (lecture: L20).

    Args:
        labels: Class numbers `(H, W)`.
        coarse: `{stride: class numbers (H, W)}`, the same map in cells.
        ours: `{stride: mean IU, 0–1}` on our data.
        paper: The same as published, on VOC 2011.
        palette: uint8 `(classes, 3)`.
    """
    with style():
        figure = new_figure(
            18, 9, "Why stride 32 is coarse: the best that any network of a stride can reach"
        )
        left, right = figure.subfigures(1, 2, width_ratios=(1.25, 1))
        axes = left.subplots(1 + len(coarse), 1)
        show_image(axes[0], colourise(labels, palette), "the labels")
        for axis, (stride, cells) in zip(axes[1:], coarse.items(), strict=True):
            show_image(axis, colourise(cells, palette), f"one class per {stride} × {stride} pixels")
        axis = right.subplots()
        strides = sorted(ours, reverse=True)
        for number, (name, values) in enumerate(
            (("paper, VOC 2011", paper), ("drawn road scenes", ours))
        ):
            heights = [100 * values[stride] for stride in strides]
            axis.plot(
                heights,
                color=SERIES[number],
                marker=MARKERS[number],
                markersize=10,
                linewidth=3,
                label=name,
            )
            for place, value in enumerate(heights):
                offset = (0, 12 if number == 0 else -12)
                axis.annotate(
                    f"{value:.1f}",
                    (place, value),
                    offset,
                    textcoords="offset points",
                    color=SERIES[number],
                    ha="center",
                    va="bottom" if number == 0 else "top",
                    fontweight="bold",
                )
        axis.set_xticks(range(len(strides)), strides)
        axis.set(
            xlabel="stride in pixels",
            ylabel="best mean IU (%)",
            ylim=(0, 112),
            title="a finer stride can score more",
        )
        axis.grid(axis="y", color=QUIET, alpha=0.25)
        axis.legend(frameon=False, loc="lower right")
    return figure
