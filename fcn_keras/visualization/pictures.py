"""Pictures and label maps side by side (lecture: L07, L20, L22, L25)."""

from collections.abc import Sequence

import numpy as np

from fcn_keras.support import arguments
from fcn_keras.support.kinds import (
    Drawable,
    Drawables,
    DrawnLabels,
    Image,
    Names,
    Palette,
    Table,
    checked,
)
from fcn_keras.support.labels import VOID
from fcn_keras.visualization.mistakes import (
    Mask,
    mistake_legend,
    paint_mistakes,
    paint_wrong,
    wrong_colour,
)
from fcn_keras.visualization.style import (
    MARKERS,
    QUIET,
    SERIES,
    class_legend,
    new_figure,
    parts_of,
    show_image,
    style,
)

VOID_COLOUR = (255, 255, 255)
ROAD_GREEN = (0, 255, 0, 127)  # the lecture's: half-transparent green
WIDE = 2.2  # pictures more than this many times as wide as high stand one below the other


@checked
def colourise(labels: DrawnLabels, palette: Palette) -> np.ndarray:
    """A label map as a picture; void is white.

    Args:
        labels: Class numbers `(H, W)`, 255 is void.
        palette: uint8 `(classes, 3)`.

    Returns:
        uint8 `(H, W, 3)`.
    """
    table = np.empty((256, 3), "uint8")
    table[:] = VOID_COLOUR
    table[: len(palette)] = palette
    return table[labels]


@checked
def overlay(image: Image, mask: Mask, colour: Sequence[int] = ROAD_GREEN) -> np.ndarray:
    """The picture with a half-transparent colour where the mask is true (lecture: L25).

    Args:
        image: uint8 `(H, W, 3)`, 0–255.
        mask: bool `(H, W)`.
        colour: Red, green, blue and opacity, each 0–255.

    Returns:
        uint8 `(H, W, 3)`.

    Raises:
        ValueError: If the mask is not as large as the image, or `colour` has not four numbers.
    """
    mask = np.asarray(mask, bool)
    if mask.shape != image.shape[:2]:
        raise ValueError(
            f"Expected mask to have the size of the image, {image.shape[:2]}. "
            f"{arguments.received('mask', mask)}"
        )
    if len(colour) != 4:
        raise ValueError(
            "Expected colour to be (red, green, blue, opacity), 0–255. "
            f"{arguments.received('colour', colour)}"
        )
    opacity = colour[3] / 255
    painted = image * (1 - opacity) + np.array(colour[:3]) * opacity
    return np.where(mask[..., None], np.rint(painted), image).astype("uint8")


@checked
def draw_regions(
    image: Drawable,
    labels: DrawnLabels,
    class_names: Names,
    palette: Palette,
    predicted: DrawnLabels | None = None,
):
    """A picture, its semantic regions coloured by category, and the legend (lecture: L07).

    Args:
        image: uint8 `(H, W, 3)`.
        labels: Class numbers `(H, W)`.
        class_names: A name per class.
        palette: uint8 `(classes, 3)`.
        predicted: What a network said, class numbers `(H, W)`. It is drawn beside the labels, with
            the mistakes coloured. `None`: only the labels are drawn.
    """
    tall = image.shape[0] > 0.6 * image.shape[1]
    shown = labels if predicted is None else np.concatenate([labels, predicted])
    present = [number for number in range(len(class_names)) if (shown == number).any()]
    names, colours = [class_names[number] for number in present], list(palette[present])
    if (labels == VOID).any():
        names, colours = [*names, "void (not scored)"], [*colours, np.array(VOID_COLOUR)]
    regions = colourise(labels, palette)
    with style():
        if predicted is None:
            title = "Semantic segmentation: every pixel gets a category"
            figure = new_figure(13, 6.2 if tall else 8.8, title)
            axes = figure.subplots(1, 2) if tall else figure.subplots(2, 1)
            show_image(axes[0], image, "the picture")
            show_image(axes[1], regions, "its regions, coloured by category")
        else:
            tallness = _height_of(image, 6.4) + 0.4
            figure = new_figure(13, 1.9 + 2 * tallness, "Every pixel gets a category, right or not")
            axes = figure.subplots(2, 2).ravel()
            share = 100 * (predicted != labels)[labels != VOID].mean()
            show_image(axes[0], image, "the picture")
            show_image(axes[1], regions, "the truth")
            show_image(axes[2], colourise(predicted, palette), "the prediction")
            wrong = paint_wrong(image, predicted, labels, palette)
            show_image(axes[3], wrong, f"mistakes: {share:.1f} % of the pixels")
            names, colours = [*names, "wrong class"], [*colours, np.array(wrong_colour(palette))]
        lines = -(-len(names) // 7)
        class_legend(figure, names, colours, columns=-(-len(names) // lines))
    return figure


@checked
def draw_one_hot(images: Drawables, label_maps: Drawables, class_names: Names):
    """Each picture beside the channels of its one-hot label (lecture: L22).

    Args:
        images: Pictures, uint8 `(H, W, 3)` each.
        label_maps: Class numbers, `(H, W)` each.
        class_names: A name per class, one channel each.
    """
    _same_sizes("label_maps", images, label_maps)
    rows, columns = len(images), 1 + len(class_names)
    headings = [f"label, channel {number}: {name}" for number, name in enumerate(class_names)]
    with style():
        figure = new_figure(
            6 * columns,
            1.4 + rows * _height_of(images[0], 6),
            "Labelled images: one channel per class, 1 where the class is",
        )
        axes = figure.subplots(rows, columns, squeeze=False)
        for row, image, labels in zip(axes, images, label_maps, strict=True):
            show_image(row[0], image)
            for number, axis in enumerate(row[1:]):
                show_image(axis, labels == number, cmap="gray", vmin=0, vmax=1)
        for axis, heading in zip(axes[0], ("input", *headings), strict=True):
            axis.set_title(heading)
    return figure


@checked
def draw_results(images: Drawables, predictions, class_name: str, ious=None, truths=None):
    """Input, truth, segmentation, overlay and mistakes of each picture (lecture: L25).

    Each picture has a row, or a column if the pictures are much wider than high.

    Args:
        images: Pictures, uint8 `(H, W, 3)` each.
        predictions: bool `(H, W)` each: where the class was found.
        class_name: The class that is shown.
        ious: The IoU of each picture, written beside it; `None`: nothing is written.
        truths: Where the class is: bool or 0 and 1, `(H, W)` each; 255 is void. `None`: truth and
            mistakes are not drawn.
    """
    _same_sizes("predictions", images, predictions)
    if truths is not None:
        _same_sizes("truths", images, truths)
        title = f"Segmentation result on scenes never trained on: {class_name}"
        notes = ious if ious is None else [f"IoU {iou:.3f}" for iou in ious]
        return _beside_truth(images, predictions, truths, class_name, title, notes)
    rows = len(images)
    with style():
        figure = new_figure(
            18,
            1.4 + rows * _height_of(images[0], 6),
            f"Segmentation result on scenes never trained on: {class_name}",
        )
        axes = figure.subplots(rows, 3, squeeze=False)
        for row, image, mask in zip(axes, images, predictions, strict=True):
            show_image(row[0], image)
            show_image(row[1], mask, cmap="gray", vmin=0, vmax=1)
            show_image(row[2], overlay(image, mask))
        for axis, heading in zip(axes[0], ("input", "segmentation", "overlay"), strict=True):
            axis.set_title(heading)
        if ious is not None:
            for row, iou in zip(axes, ious, strict=True):
                row[0].set_ylabel(f"IoU {iou:.3f}")
    return figure


def _beside_truth(images, predictions, truths, class_name, title, notes=None):
    """Input, truth, segmentation, overlay and mistakes, with a note at each picture."""
    panels = [
        (image, true == 1, found, overlay(image, found), paint_mistakes(image, found, true))
        for image, found, true in zip(images, predictions, truths, strict=True)
    ]
    headings = ("input", "truth", "segmentation", "overlay", "mistakes")
    wide = images[0].shape[1] > WIDE * images[0].shape[0]
    across, down = (len(images), len(headings)) if wide else (len(headings), len(images))
    tall = down * _height_of(images[0], 14.4 / across)
    with style():
        figure = new_figure(15, 2 + tall, title)
        axes = figure.subplots(down, across, squeeze=False)
        for row, pictures in zip(axes.T if wide else axes, panels, strict=True):
            for axis, picture in zip(row, pictures, strict=True):
                show_image(axis, picture, cmap="gray", vmin=0, vmax=1)
        sides, tops = (headings, notes) if wide else (notes, headings)
        for axis, side in zip(axes[:, 0], sides or (), strict=bool(sides)):
            axis.set_ylabel(side, fontsize=17)
        for axis, top in zip(axes[0], tops or (), strict=bool(tops)):
            axis.set_title(top)
        mistake_legend(figure, class_name, fontsize=17)
    return figure


@checked
def draw_strides(
    image: Drawable, labels: DrawnLabels, predictions: Table, errors: Table, class_name: str
):
    """Stride 32, 16 and 8 side by side, and the error along the boundary (lecture: L20).

    Args:
        image: uint8 `(H, W, 3)`.
        labels: Class numbers `(H, W)`, two classes.
        predictions: `{stride: class numbers (H, W)}`.
        errors: `{stride: {band width in pixels: share of wrong pixels}}`.
        class_name: The class that is shown.
    """
    if set(predictions) != set(errors):
        raise ValueError(
            "Expected errors for the same strides as predictions. "
            f"Received: {list(predictions)} and {list(errors)}"
        )
    scored = labels != VOID
    with style():
        figure = new_figure(18, 9.2, "Skip connections recover the detail: stride 32, 16, 8")
        left, right = parts_of(figure, 1, 2, width_ratios=(1.35, 1))
        axes = left.subplots(len(predictions), 1)
        for axis, (stride, predicted) in zip(axes, predictions.items(), strict=True):
            share = 100 * (scored & (predicted != labels)).sum() / scored.sum()
            title = f"FCN-{stride}s: {share:.1f} % of this picture's pixels wrong"
            show_image(axis, paint_mistakes(image, predicted == 1, labels), title)
        mistake_legend(left, class_name, fontsize=15)
        _paint_band_errors(right.subplots(), {s: errors[s] for s in predictions}, class_name)
    return figure


def _paint_band_errors(axis, errors: dict, class_name: str) -> None:
    """A curve for each stride: the share of wrong pixels over the width of the band."""
    widths: list[int] = []
    for (stride, error), colour, marker in zip(errors.items(), SERIES, MARKERS):
        widths = sorted(error)
        shares = [100 * error[width] for width in widths]
        look = {"marker": marker, "markersize": 10, "linewidth": 3, "color": colour}
        axis.plot(widths, shares, label=f"FCN-{stride}s", **look)
        end = f" {shares[-1]:.1f} %"
        place = widths[-1], shares[-1]
        axis.annotate(end, place, va="center", color=colour, fontweight="bold")
    axis.set(
        xscale="log",
        xlabel=f"width of the band around the edge of the {class_name} (pixels)",
        ylabel="wrong pixels in the band (%)",
        ylim=(0, None),
        title="error near the edge, all test scenes",
    )
    axis.set_xticks(widths, [str(width) for width in widths])
    axis.set_xlim(widths[0] * 0.9, widths[-1] * 1.5)
    axis.minorticks_off()
    axis.grid(axis="y", color=QUIET, alpha=0.25)
    axis.legend(frameon=False)


def _same_sizes(name, images, others):
    """Answers a list of label maps that does not fit the list of pictures."""
    if not len(images) or len(images) != len(others):
        raise ValueError(
            f"Expected as many {name} as images, at least one. "
            f"Received: {len(images)} and {len(others)}"
        )
    for image, other in zip(images, others, strict=True):
        picture, labels = arguments.image("every image", image), np.asarray(other)
        if labels.shape != picture.shape[:2]:
            size = f"{picture.shape[0]} x {picture.shape[1]}"
            raise ValueError(
                f"Expected each of {name} to have the size of its image, {size}. "
                f"Received: shape {labels.shape}"
            )


def _height_of(image, width: float) -> float:
    """Height in inches of a picture of this width, with a little air."""
    return width * image.shape[0] / image.shape[1] + 0.2
