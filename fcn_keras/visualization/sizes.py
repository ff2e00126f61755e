"""Networks without a dense layer: any size, scores of a pixel (lecture: L14, L15, L17)."""

import numpy as np
from matplotlib.lines import Line2D

from fcn_keras.support.kinds import Count, Drawable, Drawables, Index, Names, Palette, checked
from fcn_keras.support.labels import VOID
from fcn_keras.visualization.pictures import colourise
from fcn_keras.visualization.style import (
    CHANGED,
    INK,
    MARKERS,
    NEUTRAL,
    QUIET,
    SERIES,
    class_legend,
    frame,
    new_figure,
    parts_of,
    show_image,
    style,
)

ENLARGED = 16  # a picture smaller than this many pixels is drawn this many times as large


@checked
def draw_dense_as_convolution(
    dense,
    convolution,
    image: Drawable,
    scores,
    names,
    window: Count,
    marked: tuple[int, int] = (0, 0),
):
    """A dense layer and its convolution agree; the convolution gives a map (lecture: L14).

    Args:
        dense: Outputs of the dense layer for N small pictures, `(N, units)`.
        convolution: Outputs of the convolution for them, `(N, units)`.
        image: A larger picture, uint8 `(H, W, 3)`.
        scores: Probabilities at each position over it, `(h, w, C)`.
        names: A name per class, at most four.
        window: Height and width of the picture that the classifier was made for, in pixels.
        marked: Row and column of the position whose window is framed.
    """
    with style():
        title = "A dense layer is a convolution: the same numbers, and a map on a larger picture"
        figure = new_figure(19, 9.2, title)
        left, right = figure.subplots(1, 2, width_ratios=(1, 1.75))
        _paint_agreement(left, np.asarray(dense), np.asarray(convolution))
        _paint_answers(right, image, np.asarray(scores), window, marked)
        keys = [
            Line2D([], [], color=c, marker=m, linestyle="", markersize=14, label=name)
            for name, c, m in zip(names, SERIES, MARKERS)
        ]
        keys.append(Line2D([], [], color=CHANGED, linewidth=4, label="the window of one answer"))
        right.legend(
            handles=keys,
            loc="upper center",
            bbox_to_anchor=(0.5, -0.02),
            ncols=5,
            frameon=False,
            columnspacing=1.0,
            handletextpad=0.3,
            fontsize=16,
        )
    return figure


def _paint_agreement(axis, dense, convolution) -> None:
    """The output of one layer over that of the other: a straight line where they agree."""
    ends = [min(dense.min(), convolution.min()), max(dense.max(), convolution.max())]
    axis.plot(ends, ends, color=NEUTRAL, linewidth=8, zorder=0)
    axis.plot(dense.ravel(), convolution.ravel(), "o", color=SERIES[0], markersize=8, alpha=0.5)
    pictures, units = dense.shape
    difference = f"largest difference {np.abs(dense - convolution).max():.0e}"
    axis.set(xlabel="from the dense layer", ylabel="from the convolution", aspect="equal")
    axis.set_title(f"{pictures} pictures, {units} units\n{difference}")


def _paint_answers(axis, image, scores, window, marked) -> None:
    """The most probable class at each position over the picture, larger the more probable."""
    (height, width), (rows, columns) = image.shape[:2], scores.shape[:2]
    title = f"{height} × {width} pixels: {rows} × {columns} answers"
    show_image(axis, image, title)
    steps = (height - window) / max(rows - 1, 1), (width - window) / max(columns - 1, 1)
    for row, column in np.ndindex(rows, columns):
        best = int(scores[row, column].argmax())
        y, x = np.array([row, column]) * steps + (window - 1) / 2
        look = {"color": SERIES[best % 4], "markeredgecolor": "white", "markeredgewidth": 1.5}
        size = 6 + 14 * scores[row, column, best] ** 2
        axis.plot(x, y, MARKERS[best % 4], markersize=size, **look)
    top, left = (position * step - 0.5 for position, step in zip(marked, steps, strict=True))
    for colour, line in (("white", 7), (CHANGED, 4)):
        look = {"linewidth": line, "clip_on": False}
        frame(axis, (left, top), (window, window), colour, **look)


@checked
def draw_any_size(images: Drawables, labels: Drawables, palette: Palette, class_names: Names):
    """Pictures of several sizes above their label maps, to one scale (lecture: L15).

    Args:
        images: uint8 `(H, W, 3)` each, of any sizes.
        labels: Class numbers, as many rows and columns as the network returned for each.
        palette: uint8 `(classes, 3)`.
        class_names: A name per class.
    """
    gap = 0.05 * sum(image.shape[1] for image in images) + 12
    tallest = max(image.shape[0] for image in images)
    with style():
        title = "The same weights, whatever the size: a label for every pixel"
        figure = new_figure(18, 9, title)
        axis = figure.subplots()
        left = 0.0
        for image, classes in zip(images, labels, strict=True):
            scale = ENLARGED if max(image.shape[:2]) < ENLARGED else 1
            _place(axis, image, (left, tallest + gap), scale)
            _place(axis, colourise(classes, palette), (left, 0), scale)
            left += max(scale * classes.shape[1], gap) + gap
        look = {"rotation": 90, "ha": "right", "va": "bottom", "fontsize": 19, "color": QUIET}
        axis.text(-gap / 2, tallest + gap, "picture", **look)
        axis.text(-gap / 2, 0, "prediction", **look)
        axis.set(xlim=(-gap, left), ylim=(-0.12 * tallest - 8, 2 * tallest + gap + 4))
        axis.set_aspect("equal")
        axis.axis("off")
        class_legend(figure, class_names, palette)
    return figure


def _place(axis, picture, corner, scale) -> None:
    """A picture with its size below it. `corner` is (left, bottom)."""
    left, bottom = corner
    height, width = (scale * length for length in picture.shape[:2])
    axis.imshow(picture, extent=(left, left + width, bottom, bottom + height))
    frame(axis, corner, (width, height), INK, linewidth=1.5)
    size = " × ".join(map(str, picture.shape[:2])) + ("\nenlarged" if scale > 1 else "")
    look = {"ha": "center", "va": "top", "fontsize": 18, "fontweight": "bold"}
    axis.text(left + width / 2, bottom - 5, size, **look)


@checked
def draw_pixel_scores(
    image: Drawable,
    row: Index,
    column: Index,
    logits,
    probabilities,
    class_names: Names,
    palette: Palette,
    label: Index,
):
    """A picture with one pixel marked, and the output's channels at that position (lecture: L17).

    Args:
        image: uint8 `(H, W, 3)`.
        row: Row of the pixel.
        column: Column of the pixel.
        logits: Class scores at the pixel, `(C,)`.
        probabilities: Their softmax, `(C,)`, 0–1.
        class_names: A name per class.
        palette: uint8 `(C, 3)`.
        label: The pixel's own class number; 255 is void.
    """
    own = "void" if label == VOID else class_names[label]
    best = int(np.argmax(logits))
    places = np.arange(len(class_names))
    shares = 100 * np.asarray(probabilities)
    with style():
        title = "At one position the channels are the prediction for that pixel"
        figure = new_figure(17, 10.5, title)
        top, bottom = parts_of(figure, 2, 1, height_ratios=(1, 1.05))
        axis = top.subplots()
        verdict = f"labelled {own}, predicted {class_names[best]}"
        show_image(axis, image, f"pixel (row {row}, column {column}): {verdict}")
        _mark_pixel(axis, row, column)
        left, right = bottom.subplots(1, 2, sharey=True)
        for axis, values in ((left, logits), (right, shares)):
            axis.barh(places, values, color=np.asarray(palette) / 255, edgecolor=INK)
            axis.axvline(0, color=INK, linewidth=1)
        left.set(title="the scores at this position", xlabel="class score (logit)")
        right.set(title="softmax turns them into probabilities", xlabel="probability (%)")
        for place, share in zip(places, shares, strict=True):
            right.text(share + 1.5, place, f"{share:.1f}", va="center", fontsize=14)
        names = [f"{name} (its label)" if name == own else name for name in class_names]
        left.set_yticks(places, names, fontsize=15)
        left.get_yticklabels()[best].set_fontweight("bold")
        left.set_ylim(len(places) - 0.4, -0.6)
        right.set_xlim(0, 112)
    return figure


def _mark_pixel(axis, row, column) -> None:
    """A ring and two lines through a pixel, white around crimson."""
    for colour, width in (("white", 6), (CHANGED, 3)):
        axis.axhline(row, color=colour, linewidth=width / 2)
        axis.axvline(column, color=colour, linewidth=width / 2)
        ring = {"markersize": 20, "markerfacecolor": "none", "markeredgewidth": width}
        axis.plot(column, row, "o", markeredgecolor=colour, **ring)
