"""Images as numbers, and what one can ask about them: a class, boxes, a class per pixel (lecture: L01, L04-L06)."""

import textwrap

import numpy as np
from matplotlib.patches import ConnectionPatch, Rectangle

from fcn_keras.visualization.pictures import colourise
from fcn_keras.visualization.style import (
    CHANGED,
    INK,
    SERIES,
    checked,
    class_legend,
    new_figure,
    show_image,
    style,
)

PAPER = "#ffffff"


def boxes(labels: np.ndarray, number: int, smallest: int = 1) -> list[tuple[int, int, int, int]]:
    """One box around each connected region of a class: what a detector would be asked for (lecture: L04).

    Two pixels are connected if one lies above, below or beside the other. Things that touch share a box: a label
    map says of which class a pixel is, not of which thing.

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
        for row, column in region:  # grows while it is walked through
            near = {
                (row - 1, column),
                (row + 1, column),
                (row, column - 1),
                (row, column + 1),
            } & todo
            todo -= near
            region.extend(near)
        if len(region) >= smallest:
            rows, columns = zip(*region, strict=True)
            found.append((min(rows), max(rows), min(columns), max(columns)))
    return sorted(found, key=lambda box: (box[2], box[0]))


@checked
def draw_zoom(image, windows):
    """A grey picture, zoomed until its pixel values can be read (lecture: L01).

    Args:
        image: Grey values `(H, W)`, 0–255.
        windows: `(top, left, size)` of each closer look in pixels of the picture, each inside the one before it; the
            last is shown with its numbers, so its size is best 8 to 12.
    """
    views = [(0, 0, image.shape), *((top, left, (size, size)) for top, left, size in windows)]
    last = len(views) - 1
    with style():
        figure = new_figure(6.3 * len(views), 7.2, "An image is an array of numbers")
        axes = figure.subplots(1, len(views))
        for place, (axis, (top, left, (height, width))) in enumerate(zip(axes, views, strict=True)):
            part = image[top : top + height, left : left + width]
            title = f"{height} × {width} pixels"
            show_image(axis, part, title, cmap="gray", vmin=0, vmax=255)
            if place == last:
                size = 190 / max(height, width)
                for (row, column), value in np.ndenumerate(part):
                    colour = INK if value > 127 else "white"
                    axis.text(
                        column,
                        row,
                        f"{value:.0f}",
                        ha="center",
                        va="center",
                        fontsize=size,
                        color=colour,
                    )
                axis.set_xlabel("each number is one pixel: 0 is black, 255 is white")
                break
            down, right, (high, wide) = views[place + 1]
            down, right = down - top, right - left
            _frame(axis, down, right, high, wide, CHANGED)
            _lead(figure, axis, axes[place + 1], down, right, high, wide)
            axis.set_xlabel("the picture" if place == 0 else "the frame, enlarged")
    return figure


@checked
def draw_channels(image, pixel):
    """A colour picture is three arrays of numbers, one behind the other (lecture: L01).

    Args:
        image: uint8 `(H, W, 3)`, 0–255.
        pixel: `(row, column)` of the pixel whose three numbers are written down.
    """
    row, column = pixel
    height, width = image.shape[:2]
    with style():
        figure = new_figure(
            18, 1.5 + 2 * (8.6 * height / width + 0.5), f"In colour: {height} × {width} × 3 numbers"
        )
        axes = figure.subplots(2, 2).ravel()
        show_image(axes[0], image, "the picture, with one pixel marked")
        for channel, name in enumerate(("red", "green", "blue")):
            show_image(
                axes[channel + 1],
                image[..., channel],
                f"channel {channel}: {name}, here {image[row, column, channel]}",
                cmap="gray",
                vmin=0,
                vmax=255,
            )
        for axis in axes:
            ring = {"markersize": 24, "markerfacecolor": "none"}
            axis.plot(column, row, "o", markeredgecolor="white", markeredgewidth=7, **ring)
            axis.plot(column, row, "o", markeredgecolor=CHANGED, markeredgewidth=4, **ring)
        figure.supxlabel("channels: bright is much of that colour, dark is little", fontsize=15)
    return figure


@checked
def draw_tasks(image, labels, class_names, palette, label: str, found: dict, caption: str):
    """Four questions about one picture: a label, boxes, a class per pixel, a sentence (lecture: L04).

    Args:
        image: uint8 `(H, W, 3)`.
        labels: Class numbers `(H, W)`.
        class_names: A name per class.
        palette: uint8 `(classes, 3)`.
        label: What a classifier should say about the whole picture.
        found: `{name: boxes}`, as `boxes` gives them.
        caption: A sentence about the picture, written by hand; the figure says so.
    """
    height, width = image.shape[:2]
    with style():
        figure = new_figure(18, 2.2 + 2 * (8.6 * height / width + 0.9), "Four tasks, one picture")
        (label_axis, box_axis), (region_axis, caption_axis) = figure.subplots(2, 2)
        show_image(label_axis, image, "classification: one label")
        label_axis.set_xlabel(f"“{label}”", fontsize=21, fontweight="bold")
        show_image(box_axis, image, "detection: a box for each thing")
        counts = []
        for (name, places), colour in zip(found.items(), SERIES[1:], strict=False):
            for top, bottom, left, right in places:
                _frame(box_axis, top, left, bottom - top + 1, right - left + 1, colour)
                below = top < 0.2 * height  # no room above the box
                box_axis.annotate(
                    name,
                    (left, bottom if below else top),
                    (0, -5 if below else 5),
                    textcoords="offset points",
                    ha="left",
                    va="top" if below else "bottom",
                    color="white",
                    fontsize=17,
                    fontweight="bold",
                    bbox={"facecolor": colour, "edgecolor": "none", "pad": 2},
                )
            counts.append(f"{name}: {len(places)}")
        box_axis.set_xlabel(", ".join(counts), fontsize=21, fontweight="bold")
        show_image(region_axis, colourise(labels, palette), "segmentation: a class for every pixel")
        present = [number for number in range(len(class_names)) if (labels == number).any()]
        region_axis.set_xlabel(
            f"{len(present)} classes, {labels.size:,} answers", fontsize=21, fontweight="bold"
        )
        show_image(caption_axis, image, "captioning: a sentence (this one written by hand)")
        caption_axis.set_xlabel(
            "\n".join(textwrap.wrap(f"“{caption}”", 54)), fontsize=19, fontstyle="italic"
        )
        class_legend(
            figure,
            [class_names[number] for number in present],
            palette[present],
            columns=min(7, len(present)),
        )
    return figure


@checked
def draw_outputs(image, labels, class_names, palette, window):
    """One class for the picture, or one for every pixel: the outputs counted (lecture: L05).

    Args:
        image: uint8 `(H, W, 3)` with one thing on it.
        labels: Class numbers `(H, W)`: 0, and the class of the thing.
        class_names: A name per class.
        palette: uint8 `(classes, 3)`.
        window: `(top, left, size)` of the pixels whose classes are written down, best 8 to 12.
    """
    height, width = labels.shape
    top, left, size = window
    number = int(labels.max())
    colours = colourise(labels, palette)
    with style():
        figure = new_figure(19, 6.8, "One answer for the picture, or one for every pixel")
        axes = figure.subplots(1, 4)
        show_image(axes[0], image, f"the picture\n{height} × {width} pixels")
        show_image(axes[1], np.broadcast_to(palette[number], (1, 1, 3)), "classification\n1 class")
        axes[1].text(
            0,
            0,
            f"{number}\n{class_names[number]}",
            ha="center",
            va="center",
            fontsize=34,
            fontweight="bold",
            color=_readable(palette[number]),
        )
        show_image(axes[2], colours, f"segmentation\n{height} × {width} = {labels.size:,} classes")
        _frame(axes[2], top, left, size, size, CHANGED)
        part = labels[top : top + size, left : left + size]
        show_image(
            axes[3],
            colours[top : top + size, left : left + size],
            f"{size * size} of them,\nas numbers",
        )
        for (row, column), value in np.ndenumerate(part):
            axes[3].text(
                column,
                row,
                value,
                ha="center",
                va="center",
                fontsize=180 / size,
                color=_readable(palette[value]),
            )
        _lead(figure, axes[2], axes[3], top, left, size, size)
        present = np.unique(labels)
        class_legend(figure, [f"{n}: {class_names[n]}" for n in present], palette[present])
    return figure


@checked
def draw_what_and_where(
    images, moved_images, masks, moved_masks, predicted, moved_predicted, palette
):
    """The thing elsewhere: the label stays, the mask moves (lecture: L06).

    Args:
        images: Pictures, uint8 `(H, W, 3)` each.
        moved_images: The same scenes with the thing elsewhere.
        masks: Class numbers `(H, W)` each.
        moved_masks: Those of the moved scenes.
        predicted: The label that a classifier gave each picture, in words.
        moved_predicted: Those of the moved scenes.
        palette: uint8 `(classes, 3)`.
    """
    count = len(images)
    rows = (
        ("the scene", images, masks, predicted),
        ("moved", moved_images, moved_masks, moved_predicted),
    )
    with style():
        figure = new_figure(6.2 * count, 7.6, "What stays, where moves")
        groups = figure.subfigures(1, count, wspace=0.04, squeeze=False)[0]
        for place, group in enumerate(groups):
            axes = group.subplots(2, 2)
            for row, (name, pictures, maps, answers) in enumerate(rows):
                same = answers[place] == predicted[place]
                show_image(axes[row, 0], pictures[place], answers[place])
                axes[row, 0].title.set(fontweight="bold", color=INK if same else CHANGED)
                show_image(axes[row, 1], colourise(maps[place], palette), "mask")
                if place == 0:
                    axes[row, 0].set_ylabel(name, fontsize=19, fontweight="bold")
            axes[1, 1].contour(
                masks[place] > 0, [0.5], colors="white", linewidths=2.5, linestyles="dashed"
            )
        figure.supxlabel(
            "bold: what the classifier says      dashed: where the thing was before", fontsize=16
        )
    return figure


def _frame(axis, top, left, height, width, colour):
    """A frame around whole pixels, white outside so that it shows on any picture."""
    for line, edge in ((7, PAPER), (4, colour)):
        axis.add_patch(
            Rectangle(
                (left - 0.5, top - 0.5), width, height, fill=False, edgecolor=edge, linewidth=line
            )
        )


def _lead(figure, axis, closer, top, left, height, width):
    """Two lines from the right corners of a frame to the left corners of its enlargement."""
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
