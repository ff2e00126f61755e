"""Inside a classification network: tensors, filters, where it looks (lecture: L02, L03)."""

import numpy as np

from fcn_keras.support.kinds import Drawable, Drawables, Losses, Names, Rows, Table, checked
from fcn_keras.visualization.feature_maps import strongest_pattern
from fcn_keras.visualization.style import (
    CHANGED,
    FROZEN,
    INK,
    MARKERS,
    NEUTRAL,
    QUIET,
    SERIES,
    new_figure,
    parts_of,
    show_image,
    style,
)


@checked
def draw_pictures(images: Drawables, titles, title: str):
    """A row of pictures, each with a line of text above it.

    Args:
        images: Pictures, `(H, W, 3)`, 0–255 each.
        titles: A title for each.
        title: The figure's title.
    """
    with style():
        figure = new_figure(3.4 * len(images), 4.6, title)
        axes = figure.subplots(1, len(images), squeeze=False)[0]
        for axis, image, text in zip(axes, images, titles, strict=True):
            show_image(axis, np.asarray(image, "uint8"), text)
    return figure


@checked
def draw_learning(losses: Losses, accuracies):
    """The loss and the accuracy of each epoch (lecture: L03).

    Args:
        losses: Mean loss of each epoch.
        accuracies: Share of right answers, 0–1, of each epoch.
    """
    epochs = np.arange(1, 1 + len(losses))
    with style():
        figure = new_figure(15, 5.4, "Training: the loss falls, the accuracy rises")
        left, right = figure.subplots(1, 2)
        look = {"markersize": 10, "linewidth": 3}
        left.plot(epochs, losses, color=SERIES[0], marker=MARKERS[0], **look)
        left.set(xlabel="epoch", ylabel="loss (cross-entropy)", ylim=(0, None))
        shares = 100 * np.asarray(accuracies)
        right.plot(epochs, shares, color=SERIES[1], marker=MARKERS[1], **look)
        right.set(xlabel="epoch", ylabel="right answers (%)", ylim=(0, 105))
        for axis in (left, right):
            axis.set_xticks(epochs)
            axis.grid(axis="y", color=QUIET, alpha=0.25)
    return figure


@checked
def draw_classifier(rows: Rows, image: Drawable, tensors: Table, class_names: Names):
    """One picture on its way through a classifier, and where the parameters are (lecture: L03).

    Args:
        rows: `models.describe(classifier)`.
        image: `(H, W, 3)`, 0–255.
        tensors: `{layer name: (h, w, channels) or (units,)}`, in the order of computation; the
            last are the probabilities.
        class_names: A name per class.
    """
    shapes = {row.name: "×".join(map(str, row.output_shape)) for row in rows}
    with style():
        title = "A classification network: small maps of many channels, then one number per class"
        figure = new_figure(21, 8.8, title)
        above, below = parts_of(figure, 2, 1, height_ratios=(1.25, 1))
        axes = above.subplots(1, 1 + len(tensors))
        size = "×".join(map(str, np.shape(image)))
        show_image(axes[0], np.asarray(image, "uint8"), f"image\n{size}")
        for axis, (name, tensor) in zip(axes[1:], tensors.items(), strict=True):
            title = f"{name}\n{shapes[name]}"
            if tensor.ndim == 3:
                if name.startswith("pool"):
                    title = f"{name.replace('pool', 'conv')} + {title}"
                show_image(axis, strongest_pattern(tensor), title, cmap="magma")
            else:
                _bars(axis, tensor, class_names if len(tensor) == len(class_names) else None)
                axis.set_title(title)
            axis.set_box_aspect(1)
        _parameter_bars(below.subplots(), _parameters_of(rows, tensors))
    return figure


def _parameters_of(rows, names) -> dict[str, int]:
    """Parameters up to each named layer: a convolution's count for the pooling that follows it."""
    owner, parameters = "", dict.fromkeys(names, 0)
    for row in reversed(rows):
        owner = row.name if row.name in parameters else owner
        parameters[owner] += row.parameters
    return parameters


def _parameter_bars(axis, parameters: dict[str, int]) -> None:
    """A bar for each layer, the largest marked."""
    total, largest = sum(parameters.values()), max(parameters.values())
    places = np.arange(1, 1 + len(parameters))
    colours = [CHANGED if count == largest else FROZEN for count in parameters.values()]
    axis.bar(places, parameters.values(), 0.55, color=colours)
    for place, count in zip(places, parameters.values(), strict=True):
        note = {"color": CHANGED if count == largest else INK, "fontweight": "bold"}
        text = f"{count:,}\n{100 * count / total:.1f} %"
        axis.text(place, count + 0.02 * largest, text, ha="center", va="bottom", **note)
    axis.set(
        xlim=(-0.5, len(parameters) + 0.5),
        ylim=(0, 1.4 * largest),
        yticks=[],
        title=f"where the {total:,} parameters are",
        ylabel="parameters",
    )
    names = ["image", *(name.replace("pool", "conv") for name in parameters)]
    axis.set_xticks([0, *places], names, fontsize=17)


def _bars(axis, values, names=None):
    """Activations of units as horizontal bars, with names where the units are classes."""
    units = np.arange(len(values))
    colours = [SERIES[1] if names and value == max(values) else QUIET for value in values]
    axis.barh(units, values, color=colours)
    axis.invert_yaxis()
    axis.set(yticks=[], xticks=[], xlim=(0, 1.05 * max(float(np.max(values)), 1e-9)))
    if names:
        axis.set(xlim=(0, 1), xticks=(0, 1))
        for unit, name in zip(units, names, strict=True):
            axis.text(0.97, unit, name, ha="right", va="center", fontsize=14, fontweight="bold")


@checked
def draw_filters(image: Drawable, filters, maps):
    """Learned filters, and below each the map that it makes of a picture (lecture: L02).

    Args:
        image: `(H, W, 3)`, 0–255.
        filters: Weights `(k, k, 3, N)`. Mid-grey means 0, brighter red is more red, and so on.
        maps: The output of each filter, `(h, w, N)`.
    """
    with style():
        title = "Filters that the network learned, and what each finds in the picture"
        figure = new_figure(21, 6.4, title)
        _paint_filters(figure, image, filters, maps)
    return figure


def _paint_filters(figure, image, filters, maps):
    count = filters.shape[-1]
    grid = figure.add_gridspec(2, count + 2)
    show_image(figure.add_subplot(grid[:, :2]), np.asarray(image, "uint8"), "the picture")
    for number in range(count):
        weights = filters[..., number]
        colours = 0.5 + 0.5 * weights / np.abs(weights).max()
        above, below = (figure.add_subplot(grid[row, number + 2]) for row in (0, 1))
        show_image(above, colours, f"filter {number + 1}")
        show_image(below, maps[..., number], f"map {number + 1}", cmap="magma")


@checked
def draw_attention(images: Drawables, falls, titles):
    """How far the probability falls when a patch hides a place (lecture: L02).

    Args:
        images: Pictures, `(H, W, 3)`, 0–255 each.
        falls: Fall of the probability of the true class at every pixel, `(H, W)` each, −1 to 1.
        titles: A title for each picture.
    """
    with style():
        title = "Where the classifier looks: hide a place, watch the probability fall"
        figure = new_figure(3.6 * len(images) + 1.5, 8.4, title)
        axes = figure.subplots(2, len(images), squeeze=False)
        for axis, image, title in zip(axes[0], images, titles, strict=True):
            show_image(axis, np.asarray(image, "uint8"), title)
        _paint_falls(figure, axes, images, falls)
    return figure


def _paint_falls(figure, axes, images, falls) -> None:
    """The falls over grey pictures in the last row of a grid of axes, with a colour scale."""
    shown = None
    for axis, image, fall in zip(axes[-1], images, falls, strict=True):
        grey = np.asarray(image, "float32").mean(axis=-1)
        show_image(axis, grey, cmap="gray", vmin=0, vmax=330)
        heat = np.clip(fall, 0, 1)
        opacity = np.minimum(0.15 + 2 * heat, 0.85)
        shown = axis.imshow(heat, cmap="inferno", vmin=0, vmax=1, alpha=opacity)
        for spine in axis.spines.values():
            spine.set(color=NEUTRAL)
    bar = figure.colorbar(shown, ax=list(axes.flat), shrink=0.8, pad=0.02)
    bar.solids.set_alpha(1)
    bar.set_label("probability lost")


@checked
def draw_learned_filters(image: Drawable, filters, maps, images: Drawables, falls, titles):
    """What a classifier learned: its filters above, where it looks below (lecture: L02).

    Args and shapes: as `draw_filters` and `draw_attention`.
    """
    with style():
        title = "Inside a trained classifier: its filters, and where it looks"
        figure = new_figure(21, 12, title)
        above, below = parts_of(figure, 2, 1, height_ratios=(1.15, 1))
        above.suptitle("learned filters, and what each finds in the picture", fontsize=18)
        _paint_filters(above, image, filters, maps)
        below.suptitle(
            "hide a place with a grey patch: how far does the probability of the right class fall?",
            fontsize=18,
        )
        axes = below.subplots(1, len(images), squeeze=False)
        _paint_falls(below, axes, images, falls)
        for axis, title in zip(axes[0], titles, strict=True):
            axis.set_title(title)
    return figure
