"""Images as numbers, and the tasks of computer vision (lecture: L01, L04-L06)."""

import textwrap
from itertools import pairwise

import numpy as np
from matplotlib.patches import ConnectionPatch

from fcn_keras.support.kinds import Drawable, Drawables, DrawnLabels, Names, Palette, Table, checked
from fcn_keras.visualization.pictures import colourise
from fcn_keras.visualization.style import (
    CHANGED,
    INK,
    SERIES,
    centred,
    class_legend,
    frame,
    new_figure,
    show_image,
    style,
)

PAPER = "#ffffff"
Box = tuple[int, int, int, int]  # here: top, left, height, width


def boxes(labels: np.ndarray, number: int, smallest: int = 1) -> list[tuple[int, int, int, int]]:
    """One box around each connected region of a class, as a detector gives them (lecture: L04).

    Two pixels are connected if one lies above, below or beside the other. Things that touch share
    a box: a label map gives the class of a pixel, not the thing it belongs to.

    Args:
        labels: Class numbers `(H, W)`.
        number: The class.
        smallest: Regions of fewer pixels get no box.

    Returns:
        `(top, bottom, left, right)` of each, first and last row and column, from left to right.
    """
    todo = set(zip(*(places.tolist() for places in np.nonzero(labels == number)), strict=True))
    found = []
    while todo:
        region = [todo.pop()]
        for row, column in region:  # grows during the loop
            around = {(row - 1, column), (row + 1, column), (row, column - 1), (row, column + 1)}
            near = around & todo
            todo -= near
            region.extend(near)
        if len(region) >= smallest:
            rows, columns = zip(*region, strict=True)
            found.append((min(rows), max(rows), min(columns), max(columns)))
    return sorted(found, key=lambda box: (box[2], box[0]))


@checked
def draw_zoom(image: Drawable, windows):
    """A grey picture, zoomed until its pixel values can be read (lecture: L01).

    Args:
        image: Grey values `(H, W)`, 0–255.
        windows: `(top, left, size)` of each closer look in pixels of the picture, each inside the
            one before it. The last is shown with its numbers; a size of 8 to 12 reads best.
    """
    views = [(0, 0, *image.shape), *((top, left, size, size) for top, left, size in windows)]
    captions = ["the picture", *["the frame, enlarged"] * len(windows)]
    captions[-1] = "each number is one pixel: 0 is black, 255 is white"
    with style():
        figure = new_figure(6.3 * len(views), 7.2, "An image is an array of numbers")
        axes = np.ravel(figure.subplots(1, len(views)))
        for axis, view, caption in zip(axes, views, captions, strict=True):
            part = _cut(image, view)
            title = " × ".join(map(str, part.shape)) + " pixels"
            show_image(axis, part, title, cmap="gray", vmin=0, vmax=255)
            axis.set_xlabel(caption)
        for number, (view, closer) in enumerate(pairwise(views)):
            box = closer[0] - view[0], closer[1] - view[1], *closer[2:]
            _frame(axes[number], box, CHANGED)
            _lead(figure, axes[number], axes[number + 1], box)
        last = _cut(image, views[-1])
        for (row, column), value in np.ndenumerate(last):
            look = {"fontsize": 190 / max(last.shape), "color": INK if value > 127 else "white"}
            centred(axes[-1], column, row, f"{value:.0f}", **look)
    return figure


def _cut(image, box: Box):
    top, left, height, width = box
    return image[top : top + height, left : left + width]


@checked
def draw_channels(image: Drawable, pixel):
    """A colour picture is three arrays of numbers, one behind the other (lecture: L01).

    Args:
        image: uint8 `(H, W, 3)`, 0–255.
        pixel: `(row, column)` of the pixel whose three numbers are written down.
    """
    row, column = pixel
    height, width = image.shape[:2]
    with style():
        title = f"In colour: {height} × {width} × 3 numbers"
        figure = new_figure(18, 1.5 + 2 * (8.6 * height / width + 0.5), title)
        axes = figure.subplots(2, 2).ravel()
        show_image(axes[0], image, "the picture, with one pixel marked")
        for channel, name in enumerate(("red", "green", "blue")):
            title = f"channel {channel}: {name}, here {image[row, column, channel]}"
            show_image(axes[channel + 1], image[..., channel], title, cmap="gray", vmin=0, vmax=255)
        ring = {"markersize": 24, "markerfacecolor": "none"}
        for axis in axes:
            axis.plot(column, row, "o", markeredgecolor="white", markeredgewidth=7, **ring)
            axis.plot(column, row, "o", markeredgecolor=CHANGED, markeredgewidth=4, **ring)
        key = "in each channel, bright means much of that colour and dark means little"
        figure.supxlabel(key, fontsize=15)
    return figure


@checked
def draw_tasks(
    image: Drawable,
    labels: DrawnLabels,
    class_names: Names,
    palette: Palette,
    label: str,
    found: Table,
    caption: str,
):
    """Four tasks on one picture: a label, boxes, a class per pixel, a sentence (lecture: L04).

    Args:
        image: uint8 `(H, W, 3)`.
        labels: Class numbers `(H, W)`.
        class_names: A name per class.
        palette: uint8 `(classes, 3)`.
        label: What a classifier should say about the whole picture.
        found: `{name: boxes}`, as `boxes` gives them.
        caption: A sentence about the picture, written by hand, as the figure states.
    """
    height, width = image.shape[:2]
    present = [number for number in range(len(class_names)) if (labels == number).any()]
    answer = {"fontsize": 21, "fontweight": "bold"}
    with style():
        figure = new_figure(18, 2.2 + 2 * (8.6 * height / width + 0.9), "Four tasks, one picture")
        (label_axis, box_axis), (region_axis, caption_axis) = figure.subplots(2, 2)
        show_image(label_axis, image, "classification: one label")
        label_axis.set_xlabel(f"“{label}”", **answer)
        show_image(box_axis, image, "detection: a box for each thing")
        _paint_boxes(box_axis, found, height)
        counts = ", ".join(f"{name}: {len(places)}" for name, places in found.items())
        box_axis.set_xlabel(counts, **answer)
        show_image(region_axis, colourise(labels, palette), "segmentation: a class for every pixel")
        region_axis.set_xlabel(f"{len(present)} classes, {labels.size:,} answers", **answer)
        show_image(caption_axis, image, "captioning: a sentence (this one written by hand)")
        lines = "\n".join(textwrap.wrap(f"“{caption}”", 54))
        caption_axis.set_xlabel(lines, fontsize=19, fontstyle="italic")
        names = [class_names[number] for number in present]
        class_legend(figure, names, palette[present], columns=min(7, len(present)))
    return figure


def _paint_boxes(axis, found, height) -> None:
    """Frames with names over them, or under them where there is no room above."""
    for (name, places), colour in zip(found.items(), SERIES[1:]):
        look = {"ha": "left", "color": "white", "fontsize": 17, "fontweight": "bold"}
        look["bbox"] = {"facecolor": colour, "edgecolor": "none", "pad": 2}
        for top, bottom, left, right in places:
            _frame(axis, (top, left, bottom - top + 1, right - left + 1), colour)
            if top < 0.2 * height:
                place, offset, side = (left, bottom), (0, -5), "top"
            else:
                place, offset, side = (left, top), (0, 5), "bottom"
            axis.annotate(name, place, offset, textcoords="offset points", va=side, **look)


@checked
def draw_outputs(
    image: Drawable, labels: DrawnLabels, class_names: Names, palette: Palette, window
):
    """One class for the picture, or one for every pixel: the outputs counted (lecture: L05).

    Args:
        image: uint8 `(H, W, 3)` with one thing in it.
        labels: Class numbers `(H, W)`: 0, and the class of the thing.
        class_names: A name per class.
        palette: uint8 `(classes, 3)`.
        window: `(top, left, size)` of the pixels whose classes are written down; a size of 8 to 12
            reads best.
    """
    size = " × ".join(map(str, labels.shape))
    top, left, side = window
    box = top, left, side, side
    number = int(labels.max())
    colours = colourise(labels, palette)
    with style():
        figure = new_figure(19, 6.8, "One answer for the picture, or one for every pixel")
        picture, one, many, numbers = figure.subplots(1, 4)
        show_image(picture, image, f"the picture\n{size} pixels")
        show_image(one, np.broadcast_to(palette[number], (1, 1, 3)), "classification\n1 class")
        look = {"fontsize": 34, "fontweight": "bold", "color": _readable(palette[number])}
        centred(one, 0, 0, f"{number}\n{class_names[number]}", **look)
        show_image(many, colours, f"segmentation\n{size} = {labels.size:,} classes")
        _frame(many, box, CHANGED)
        show_image(numbers, _cut(colours, box), f"{side * side} of them,\nas numbers")
        for (row, column), value in np.ndenumerate(_cut(labels, box)):
            look = {"fontsize": 180 / side, "color": _readable(palette[value])}
            centred(numbers, column, row, value, **look)
        _lead(figure, many, numbers, box)
        present = np.unique(labels)
        class_legend(figure, [f"{n}: {class_names[n]}" for n in present], palette[present])
    return figure


@checked
def draw_what_and_where(
    images: Drawables,
    moved_images: Drawables,
    masks: Drawables,
    moved_masks: Drawables,
    predicted,
    moved_predicted,
    palette: Palette,
):
    """The thing is moved: the label stays, the mask moves (lecture: L06).

    Args:
        images: Pictures, uint8 `(H, W, 3)` each.
        moved_images: The same scenes with the thing elsewhere.
        masks: Class numbers `(H, W)` each.
        moved_masks: Those of the moved scenes.
        predicted: The label that a classifier gave each picture, in words.
        moved_predicted: Those of the moved scenes.
        palette: uint8 `(classes, 3)`.
    """
    scenes = zip(images, masks, predicted, strict=True)
    moved_scenes = zip(moved_images, moved_masks, moved_predicted, strict=True)
    with style():
        figure = new_figure(6.2 * len(images), 7.6, "“What” stays, “where” moves")
        groups = figure.subfigures(1, len(images), wspace=0.04, squeeze=False)[0]
        for group, scene, moved in zip(groups, scenes, moved_scenes, strict=True):
            axes = group.subplots(2, 2)
            for row, (picture, mask, answer) in zip(axes, (scene, moved), strict=True):
                show_image(row[0], picture, answer)
                colour = INK if answer == scene[2] else CHANGED
                row[0].title.set(fontweight="bold", color=colour)
                show_image(row[1], colourise(mask, palette), "mask")
            dashed = {"colors": "white", "linewidths": 2.5, "linestyles": "dashed"}
            axes[1, 1].contour(scene[1] > 0, [0.5], **dashed)
            if group is groups[0]:
                axes[0, 0].set_ylabel("the scene", fontsize=19, fontweight="bold")
                axes[1, 0].set_ylabel("moved", fontsize=19, fontweight="bold")
        key = "bold: what the classifier says      dashed: where the thing was before"
        figure.supxlabel(key, fontsize=16)
    return figure


def _frame(axis, box: Box, colour):
    """A frame around whole pixels, white outside so that it shows on any picture."""
    top, left, height, width = box
    for line, edge in ((7, PAPER), (4, colour)):
        frame(axis, (left - 0.5, top - 0.5), (width, height), edge, linewidth=line)


def _lead(figure, axis, closer, box: Box):
    """Two lines from the right corners of a frame to the left corners of its enlargement."""
    top, left, height, width = box
    for row, corner in ((top, 1), (top + height, 0)):
        line = ConnectionPatch(
            (left + width - 0.5, row - 0.5),
            (0, corner),
            coordsA=axis.transData,
            coordsB=closer.transAxes,
            color=CHANGED,
            linewidth=2.5,
        )
        figure.add_artist(line)


def _readable(colour):
    """Ink on light colours, white on dark ones."""
    return INK if np.dot(colour, (0.299, 0.587, 0.114)) > 120 else "white"
