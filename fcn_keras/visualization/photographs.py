"""What two encoders see in photographs, and what strokes teach (notebook 12; lecture: L14, L23)."""

import numpy as np

from fcn_keras.support.kinds import Count, Drawable, Drawables, DrawnLabels, Table, checked
from fcn_keras.visualization.mistakes import coloured_patches, paint_mistakes
from fcn_keras.visualization.strokes import BRUSHES, MEANINGS, paint_over
from fcn_keras.visualization.style import NEUTRAL, new_figure, patch_legend, show_image, style


@checked
def draw_guesses(images: Drawables, guesses):
    """Photographs, and below each the likeliest classes of a classifier (lecture: L03, L23).

    Args:
        images: Pictures, uint8 `(H, W, 3)` each.
        guesses: For each picture `{class name: probability, 0–1}`, the likeliest first.
    """
    with style():
        title = "A classifier gives each photograph one answer"
        figure = new_figure(5.4 * len(images), 7.6, title)
        above, below = figure.subplots(2, len(images), squeeze=False, height_ratios=(1.7, 1))
        for picture, bars, image, found in zip(above, below, images, guesses, strict=True):
            show_image(picture, image)
            values = [100 * value for value in found.values()]  # in %
            bars.barh(range(len(values)), values, 0.8, color=NEUTRAL)
            for place, (name, value) in enumerate(zip(found, values, strict=True)):
                bars.text(2, place, f"{name}  {value:.0f} %", va="center", fontsize=17)
            bars.set(xlim=(0, 100), xlabel="probability (%)", yticks=[])
            bars.invert_yaxis()
    return figure


@checked
def draw_where(images: Drawables, maps, names, stride: Count = 32):
    """Photographs, and below each where a class is, place by place (lecture: L14).

    Args:
        images: Pictures, uint8 `(H, W, 3)` each.
        maps: The probability of the class at each place, 0–1, `(⌈H/stride⌉, ⌈W/stride⌉)` each.
        names: The class of each map.
        stride: Pixels from one place to the next.
    """
    with style():
        title = "The same classifier, asked at every place: where is it?"
        figure = new_figure(6.6 * len(images) + 1.2, 10, title)
        axes = figure.subplots(2, len(images), squeeze=False)
        for (above, below), image, values, name in zip(axes.T, images, maps, names, strict=True):
            show_image(above, image)
            shown = _show_cells(below, values, image.shape, stride, vmin=0, vmax=1)
            below.set_title(f"where is {name}?")
        bar = figure.colorbar(shown, ax=axes, shrink=0.6, label="probability at this place")
        bar.outline.set_visible(False)
    return figure


@checked
def draw_best_channels(
    image: Drawable, labels: DrawnLabels, channels: Table, stride: Count, thing: str
):
    """The channels of several encoders that separate a thing best (lecture: L13, L23).

    Args:
        image: uint8 `(H, W, 3)`.
        labels: Where the thing is: 1; elsewhere 0, `(H, W)`.
        channels: `{encoder: {title: its map, (⌈H/stride⌉, ⌈W/stride⌉)}}`, as many in each.
        stride: Pixels from one place to the next.
        thing: What is outlined.
    """
    columns, width = 1 + max(map(len, channels.values())), 4.6
    height = width * image.shape[0] / image.shape[1] + 0.75
    with style():
        title = f"The channels that separate the {thing} from the background best"
        figure = new_figure(columns * width, len(channels) * height + 1.2, title)
        axes = figure.subplots(len(channels), columns, squeeze=False)
        for row, (encoder, maps) in zip(axes, channels.items(), strict=True):
            show_image(row[0], image, encoder)
            for axis, (name, values) in zip(row[1:], maps.items()):
                low, high = np.percentile(values, (1, 99))
                _show_cells(axis, values, image.shape, stride, vmin=low, vmax=high)
                axis.set_title(name)
            for axis in row:
                _outline(axis, labels)
        figure.supxlabel(f"white line: outline of the {thing}      bright: high values")
    return figure


@checked
def draw_strokes(
    images: Drawables, strokes: Drawables, found: Table, truths: Drawables, ious: Table
):
    """Strokes on photographs, and what networks found that learned from them alone (lecture: L22).

    Args:
        images: Pictures, uint8 `(H, W, 3)` each, a row for each.
        strokes: 1 and 0 where the thing and the background were painted, 255 elsewhere; `(H, W)`
            each.
        found: `{whose: a prediction (H, W) for each picture}`, 1 where the thing was found.
        truths: 1 where the thing is, `(H, W)` each.
        ious: `{whose: IoU of the thing in each picture}`.
    """
    columns, width = 1 + len(found), 6.4
    heights = [width * image.shape[0] / image.shape[1] + 0.6 for image in images]
    with style():
        title = "A few strokes, 80 steps: what was found?"
        figure = new_figure(columns * width, sum(heights) + 1.7, title)
        axes = figure.subplots(len(images), columns, squeeze=False, height_ratios=heights)
        for number, (row, image, painted, truth) in enumerate(
            zip(axes, images, strokes, truths, strict=True)
        ):
            show_image(row[0], paint_over(image, painted), "all that was painted")
            for axis, (whose, predictions) in zip(row[1:], found.items(), strict=True):
                picture = paint_mistakes(image, predictions[number] == 1, truth == 1)
                show_image(axis, picture, f"{whose}: IoU {ious[whose][number]:.2f}")
        patch_legend(figure, coloured_patches(BRUSHES | MEANINGS), fontsize=17)
    return figure


def _show_cells(axis, values, shape, stride: int, **options):
    """A coarse map over the place that the picture has, so that both can be compared."""
    rows, columns = values.shape
    extent = (-0.5, columns * stride - 0.5, rows * stride - 0.5, -0.5)
    shown = show_image(axis, values, cmap="magma", extent=extent, **options)
    axis.set(xlim=(-0.5, shape[1] - 0.5), ylim=(shape[0] - 0.5, -0.5))
    return shown


def _outline(axis, labels) -> None:
    axis.contour(labels == 1, levels=[0.5], colors="black", linewidths=5)
    axis.contour(labels == 1, levels=[0.5], colors="white", linewidths=2.5)
