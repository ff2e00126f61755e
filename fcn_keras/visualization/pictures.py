"""Pictures and label maps side by side (lecture: L07, L20, L22, L25)."""

from collections.abc import Sequence

import numpy as np

from fcn_keras.support import arguments
from fcn_keras.support.labels import VOID
from fcn_keras.visualization.style import (
    MARKERS,
    QUIET,
    SERIES,
    checked,
    class_legend,
    new_figure,
    show_image,
    style,
)

VOID_COLOUR = (255, 255, 255)
ROAD_GREEN = (0, 255, 0, 127)  # the lecture's: half-transparent green


def colourise(labels: np.ndarray, palette: np.ndarray) -> np.ndarray:
    """A label map as a picture; void is white.

    Args:
        labels: Class numbers `(H, W)`.
        palette: uint8 `(classes, 3)`.

    Returns:
        uint8 `(H, W, 3)`.
    """
    palette = arguments.palette("palette", palette)
    labels = arguments.label_map("labels", labels, 256)
    table = np.empty((256, 3), "uint8")
    table[:] = VOID_COLOUR
    table[: len(palette)] = palette
    return table[labels]


def overlay(image: np.ndarray, mask: np.ndarray, colour: Sequence[int] = ROAD_GREEN) -> np.ndarray:
    """The picture with a half-transparent colour where the mask is true (lecture: L25).

    Args:
        image: uint8 `(H, W, 3)`, 0–255.
        mask: bool `(H, W)`.
        colour: Red, green, blue and opacity, each 0–255.

    Returns:
        uint8 `(H, W, 3)`.
    """
    image = arguments.image("image", image)
    mask = arguments.array("mask", mask, 2, "bool (H, W)").astype(bool)
    if mask.shape != image.shape[:2]:
        raise ValueError(
            f"Expected mask to have the size of the image, {image.shape[:2]}. {arguments.received('mask', mask)}"
        )
    if len(colour) != 4:
        raise ValueError(
            f"Expected colour to be (red, green, blue, opacity), 0–255. {arguments.received('colour', colour)}"
        )
    opacity = colour[3] / 255
    painted = image * (1 - opacity) + np.array(colour[:3]) * opacity
    return np.where(mask[..., None], np.rint(painted), image).astype("uint8")


@checked
def draw_regions(image, labels, class_names, palette):
    """A picture, its semantic regions coloured by category, and the legend (lecture: L07).

    Args:
        image: uint8 `(H, W, 3)`.
        labels: Class numbers `(H, W)`.
        class_names: A name per class.
        palette: uint8 `(classes, 3)`.
    """
    tall = image.shape[0] > 0.6 * image.shape[1]
    with style():
        figure = new_figure(
            13, 6.2 if tall else 8.8, "Semantic segmentation: every pixel gets a category"
        )
        axes = figure.subplots(1, 2) if tall else figure.subplots(2, 1)
        show_image(axes[0], image, "the picture")
        show_image(axes[1], colourise(labels, palette), "its regions, coloured by category")
        present = [number for number in range(len(class_names)) if (labels == number).any()]
        names, colours = [class_names[number] for number in present], list(palette[present])
        if (labels == VOID).any():
            names, colours = [*names, "void (not scored)"], [*colours, np.array(VOID_COLOUR)]
        class_legend(figure, names, colours, columns=min(7, len(names)))
    return figure


@checked
def draw_one_hot(images, label_maps, class_names):
    """Each picture beside the channels of its one-hot label: 1 where the pixel is of the class (lecture: L22).

    Args:
        images: Pictures, uint8 `(H, W, 3)` each.
        label_maps: Class numbers, `(H, W)` each.
        class_names: A name per class, one channel each.
    """
    _check_rows("label_maps", images, label_maps)
    rows, columns = len(images), 1 + len(class_names)
    with style():
        figure = new_figure(
            6 * columns,
            1.4 + rows * _height_of(images[0], 6),
            "Labelled images: one channel per class, 1 where it is",
        )
        axes = figure.subplots(rows, columns, squeeze=False)
        for row, (image, labels) in enumerate(zip(images, label_maps, strict=True)):
            show_image(axes[row][0], image, "input" if row == 0 else "")
            for number, name in enumerate(class_names):
                title = f"label, channel {number}: {name}" if row == 0 else ""
                show_image(
                    axes[row][number + 1], labels == number, title, cmap="gray", vmin=0, vmax=1
                )
    return figure


@checked
def draw_results(images, predictions, class_name: str, ious=None):
    """Input, segmentation and overlay, a row for each picture (lecture: L25).

    Args:
        images: Pictures, uint8 `(H, W, 3)` each.
        predictions: bool `(H, W)` each: where the class was found.
        class_name: The class that is shown.
        ious: The IoU of each picture for the row's label, or `None`.
    """
    _check_rows("predictions", images, predictions)
    rows = len(images)
    with style():
        figure = new_figure(
            18,
            1.4 + rows * _height_of(images[0], 6),
            f"Segmentation result on scenes never trained on: {class_name}",
        )
        axes = figure.subplots(rows, 3, squeeze=False)
        for row, (image, mask) in enumerate(zip(images, predictions, strict=True)):
            top = row == 0
            show_image(axes[row][0], image, "input" if top else "")
            show_image(
                axes[row][1], mask, "segmentation" if top else "", cmap="gray", vmin=0, vmax=1
            )
            show_image(axes[row][2], overlay(image, mask), "overlay" if top else "")
            if ious is not None:
                axes[row][0].set_ylabel(f"IoU {ious[row]:.3f}")
    return figure


@checked
def draw_strides(image, labels, predictions: dict, errors: dict, class_name: str):
    """Stride 32, 16 and 8 side by side, and the error along the boundary (lecture: L20).

    Args:
        image: uint8 `(H, W, 3)`.
        labels: Class numbers `(H, W)`, two classes.
        predictions: `{stride: class numbers (H, W)}`.
        errors: `{stride: {band width in pixels: share of wrong pixels}}`.
        class_name: The class that is shown.
    """
    _check_same("errors", predictions, errors)
    strides = list(predictions)
    with style():
        figure = new_figure(18, 9.2, "Skip connections recover the detail: stride 32, 16, 8")
        left, right = figure.subfigures(1, 2, width_ratios=(1.35, 1))
        axes = left.subplots(len(strides), 1)
        for axis, stride in zip(axes, strides, strict=True):
            picture = overlay(image, predictions[stride] == 1)
            wrong = (predictions[stride] != labels) & (labels != VOID)
            picture = overlay(picture, wrong, (230, 0, 60, 235))
            share = 100 * wrong.sum() / (labels != VOID).sum()
            show_image(
                axis, picture, f"FCN-{stride}s: {share:.1f} % of this picture's pixels wrong"
            )
        left.supxlabel(f"green: found as {class_name}      red: wrong", fontsize=15)
        axis = right.subplots()
        for stride, colour, marker in zip(strides, SERIES, MARKERS, strict=False):
            widths = sorted(errors[stride])
            shares = [100 * errors[stride][width] for width in widths]
            axis.plot(
                widths,
                shares,
                marker=marker,
                markersize=10,
                linewidth=3,
                color=colour,
                label=f"FCN-{stride}s",
            )
            axis.annotate(
                f" {shares[-1]:.1f} %",
                (widths[-1], shares[-1]),
                va="center",
                color=colour,
                fontweight="bold",
            )
        axis.set(
            xscale="log",
            xlabel=f"band around the edge of the {class_name}: up to so many pixels away",
            ylabel="wrong pixels in the band (%)",
            ylim=(0, None),
            title="error near the edge, all test scenes",
        )
        axis.set_xticks(widths, [str(width) for width in widths])
        axis.set_xlim(widths[0] * 0.9, widths[-1] * 1.5)
        axis.minorticks_off()
        axis.grid(axis="y", color=QUIET, alpha=0.25)
        axis.legend(frameon=False)
    return figure


def _check_rows(name, images, others):
    """As many pictures as label maps, at least one, each pair of one size."""
    if not len(images) or len(images) != len(others):
        raise ValueError(
            f"Expected {name} to be as many as the images, at least one. Received: {len(images)} and {len(others)}"
        )
    for image, other in zip(images, others, strict=True):
        picture, labels = arguments.image("every image", image), np.asarray(other)
        if labels.shape != picture.shape[:2]:
            size = f"{picture.shape[0]} x {picture.shape[1]}"
            raise ValueError(
                f"Expected each of {name} to have the size of its image, {size}. Received: shape {labels.shape}"
            )


def _check_same(name, predictions, others):
    if not predictions or set(predictions) != set(others):
        raise ValueError(
            f"Expected {name} for the same strides as predictions. Received: {list(predictions)} and {list(others)}"
        )


def _height_of(image, width: float) -> float:
    """Inches that a picture of this width takes, with a little air."""
    return width * image.shape[0] / image.shape[1] + 0.2
