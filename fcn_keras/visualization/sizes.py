"""Networks without a dense layer: a map of answers, any size of picture, the scores under one pixel (lecture: L14, L15, L17)."""

import numpy as np
from matplotlib.lines import Line2D
from matplotlib.patches import Rectangle

from fcn_keras.support.labels import VOID
from fcn_keras.visualization.pictures import colourise
from fcn_keras.visualization.style import (
    CHANGED,
    INK,
    MARKERS,
    NEUTRAL,
    QUIET,
    SERIES,
    checked,
    class_legend,
    new_figure,
    show_image,
    style,
)

ENLARGED = 16  # how many times a picture is drawn that is smaller than this


@checked
def draw_dense_as_convolution(
    dense, convolution, image, scores, names, window: int, marked: tuple[int, int] = (0, 0)
):
    """Left: a dense layer and its convolution say the same. Right: the convolution at many places at once (lecture: L14).

    Args:
        dense: What the dense layer says to N small pictures, `(N, units)`.
        convolution: What the convolution says to them, `(N, units)`.
        image: A larger picture, uint8 `(H, W, 3)`.
        scores: Probabilities at each position over it, `(h, w, C)`.
        names: A name per class, at most four.
        window: Height and width of the picture that the classifier was made for, in pixels.
        marked: Row and column of the position whose window is framed.
    """
    dense, convolution, scores = np.asarray(dense), np.asarray(convolution), np.asarray(scores)
    steps = [
        (length - window) / max(count - 1, 1)
        for length, count in zip(image.shape, scores.shape[:2], strict=False)
    ]
    with style():
        figure = new_figure(
            19,
            9.2,
            "A dense layer is a convolution: the same numbers, and a map on a larger picture",
        )
        left, right = figure.subplots(1, 2, width_ratios=(1, 1.75))
        ends = [min(dense.min(), convolution.min()), max(dense.max(), convolution.max())]
        left.plot(ends, ends, color=NEUTRAL, linewidth=8, zorder=0)
        left.plot(dense.ravel(), convolution.ravel(), "o", color=SERIES[0], markersize=8, alpha=0.5)
        difference = np.abs(dense - convolution).max()
        left.set(
            xlabel="from the dense layer",
            ylabel="from the convolution",
            aspect="equal",
            title=f"{len(dense)} pictures, {dense.shape[1]} units\nlargest difference {difference:.0e}",
        )
        show_image(
            right,
            image,
            f"{image.shape[0]} × {image.shape[1]} pixels: {scores.shape[0]} × {scores.shape[1]} answers",
        )
        for row, column in np.ndindex(scores.shape[:2]):
            best = int(scores[row, column].argmax())
            at = np.array([row, column]) * steps + (window - 1) / 2
            right.plot(
                at[1],
                at[0],
                MARKERS[best % 4],
                color=SERIES[best % 4],
                markersize=6 + 14 * scores[row, column, best] ** 2,
                markeredgecolor="white",
                markeredgewidth=1.5,
            )
        top, first = (position * step - 0.5 for position, step in zip(marked, steps, strict=True))
        right.add_patch(
            Rectangle(
                (first, top),
                window,
                window,
                fill=False,
                edgecolor="white",
                linewidth=7,
                clip_on=False,
            )
        )
        right.add_patch(
            Rectangle(
                (first, top),
                window,
                window,
                fill=False,
                edgecolor=CHANGED,
                linewidth=4,
                clip_on=False,
            )
        )
        marks = [
            Line2D(
                [],
                [],
                color=SERIES[i % 4],
                marker=MARKERS[i % 4],
                linestyle="",
                markersize=14,
                label=name,
            )
            for i, name in enumerate(names)
        ]
        frame = Line2D([], [], color=CHANGED, linewidth=4, label="what one answer is about")
        right.legend(
            handles=[*marks, frame],
            loc="upper center",
            bbox_to_anchor=(0.5, -0.02),
            ncols=5,
            frameon=False,
            columnspacing=1.0,
            handletextpad=0.3,
            fontsize=16,
        )
    return figure


@checked
def draw_any_size(images, labels, palette, class_names):
    """Pictures of several sizes above their label maps, all to the same scale (lecture: L15).

    Args:
        images: uint8 `(H, W, 3)` each, of any sizes.
        labels: Class numbers, as many rows and columns as the network returned for each.
        palette: uint8 `(classes, 3)`.
        class_names: A name per class.
    """
    gap = 0.05 * sum(image.shape[1] for image in images) + 12
    tallest = max(image.shape[0] for image in images)
    with style():
        figure = new_figure(18, 9, "The same weights, whatever the size: a label for every pixel")
        axis = figure.subplots()
        left = 0.0
        for image, classes in zip(images, labels, strict=True):
            scale = ENLARGED if max(image.shape[:2]) < ENLARGED else 1
            for bottom, picture in ((tallest + gap, image), (0, colourise(classes, palette))):
                height, width = (scale * length for length in picture.shape[:2])
                axis.imshow(picture, extent=(left, left + width, bottom, bottom + height))
                axis.add_patch(
                    Rectangle(
                        (left, bottom), width, height, fill=False, edgecolor=INK, linewidth=1.5
                    )
                )
                size = f"{picture.shape[0]} × {picture.shape[1]}" + (
                    "\nenlarged" if scale > 1 else ""
                )
                axis.text(
                    left + width / 2,
                    bottom - 5,
                    size,
                    ha="center",
                    va="top",
                    fontsize=18,
                    fontweight="bold",
                )
            left += max(width, gap) + gap
        axis.text(
            -gap / 2,
            tallest + gap,
            "picture",
            rotation=90,
            ha="right",
            va="bottom",
            fontsize=19,
            color=QUIET,
        )
        axis.text(
            -gap / 2,
            0,
            "prediction",
            rotation=90,
            ha="right",
            va="bottom",
            fontsize=19,
            color=QUIET,
        )
        axis.set(
            xlim=(-gap, left), ylim=(-0.12 * tallest - 8, 2 * tallest + gap + 4), aspect="equal"
        )
        axis.axis("off")
        class_legend(figure, class_names, palette)
    return figure


@checked
def draw_pixel_scores(
    image, row: int, column: int, logits, probabilities, class_names, palette, label: int
):
    """A picture with one pixel marked, and the channels of the output at that position (lecture: L17).

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
    colours = np.asarray(palette) / 255
    with style():
        figure = new_figure(
            17, 10.5, "At one position the channels are the prediction for that pixel"
        )
        top, bottom = figure.subfigures(2, 1, height_ratios=(1, 1.05))
        axis = top.subplots()
        show_image(
            axis,
            image,
            f"pixel (row {row}, column {column}): labelled {own}, predicted {class_names[best]}",
        )
        for colour, width in (("white", 6), (CHANGED, 3)):
            axis.axhline(row, color=colour, linewidth=width / 2)
            axis.axvline(column, color=colour, linewidth=width / 2)
            axis.plot(
                column,
                row,
                "o",
                markersize=20,
                markerfacecolor="none",
                markeredgecolor=colour,
                markeredgewidth=width,
            )
        left, right = bottom.subplots(1, 2, sharey=True)
        for axis, values, title, unit in (
            (left, logits, "the scores at this position", "class score (logit)"),
            (
                right,
                100 * np.asarray(probabilities),
                "softmax makes them probabilities",
                "probability (%)",
            ),
        ):
            axis.barh(places, values, color=colours, edgecolor=INK)
            axis.axvline(0, color=INK, linewidth=1)
            axis.set(title=title, xlabel=unit)
        for place, value in zip(places, probabilities, strict=True):
            right.text(100 * value + 1.5, place, f"{100 * value:.1f}", va="center", fontsize=14)
        left.set_yticks(
            places,
            [f"{name} (its label)" if name == own else name for name in class_names],
            fontsize=15,
        )
        left.get_yticklabels()[best].set_fontweight("bold")
        left.set_ylim(len(places) - 0.4, -0.6)
        right.set_xlim(0, 112)
    return figure
