"""A classification network from the inside: its tensors, its filters, and where it looks (lecture: L02, L03)."""

import numpy as np

from fcn_keras.visualization.feature_maps import strongest_pattern
from fcn_keras.visualization.style import (
    CHANGED,
    FROZEN,
    INK,
    MARKERS,
    NEUTRAL,
    QUIET,
    SERIES,
    checked,
    new_figure,
    show_image,
    style,
)


@checked
def draw_pictures(images, titles, title: str):
    """A row of pictures, each with a line of text above it.

    Args:
        images: Pictures, `(H, W, 3)`, 0–255 each.
        titles: A title for each.
        title: The figure's title.
    """
    with style():
        figure = new_figure(3.4 * len(images), 4.6, title)
        for axis, image, text in zip(
            figure.subplots(1, len(images), squeeze=False)[0], images, titles, strict=True
        ):
            show_image(axis, np.asarray(image, "uint8"), text)
    return figure


@checked
def draw_learning(losses, accuracies):
    """The loss and the share of right answers of each epoch (lecture: L03).

    Args:
        losses: Mean loss of each epoch.
        accuracies: Share of right answers, 0–1, of each epoch.
    """
    epochs = np.arange(1, 1 + len(losses))
    with style():
        figure = new_figure(15, 5.4, "Training: the loss falls, the right answers rise")
        left, right = figure.subplots(1, 2)
        left.plot(epochs, losses, color=SERIES[0], marker=MARKERS[0], markersize=10, linewidth=3)
        left.set(xlabel="epoch", ylabel="loss (cross-entropy)", ylim=(0, None))
        right.plot(
            epochs,
            100 * np.asarray(accuracies),
            color=SERIES[1],
            marker=MARKERS[1],
            markersize=10,
            linewidth=3,
        )
        right.set(xlabel="epoch", ylabel="right answers (%)", ylim=(0, 105))
        for axis in (left, right):
            axis.set_xticks(epochs)
            axis.grid(axis="y", color=QUIET, alpha=0.25)
    return figure


@checked
def draw_classifier(rows, image, tensors: dict, class_names):
    """What a classification network makes of one picture, stage by stage, and where its parameters are (lecture: L03).

    Args:
        rows: `models.describe(classifier)`.
        image: `(H, W, 3)`, 0–255.
        tensors: `{layer name: (h, w, channels) or (units,)}`, in the order of computation; the last are the probabilities.
        class_names: A name per class.
    """
    shapes = {row.name: "×".join(map(str, row.output_shape)) for row in rows}
    owner, parameters = None, {name: 0 for name in tensors}
    for row in reversed(rows):  # a convolution's parameters stand below the pooling that follows it
        owner = row.name if row.name in tensors else owner
        parameters[owner] += row.parameters
    with style():
        figure = new_figure(
            21,
            8.8,
            "A classification network: small maps of many channels, then one number per class",
        )
        above, below = figure.subfigures(2, 1, height_ratios=(1.25, 1))
        axes = above.subplots(1, 1 + len(tensors))
        show_image(
            axes[0], np.asarray(image, "uint8"), f"image\n{'×'.join(map(str, np.shape(image)))}"
        )
        for axis, (name, tensor) in zip(axes[1:], tensors.items(), strict=True):
            if tensor.ndim == 3:
                convolution = (
                    name.replace("pool", "conv") + " + " if name.startswith("pool") else ""
                )
                show_image(
                    axis,
                    strongest_pattern(tensor),
                    f"{convolution}{name}\n{shapes[name]}",
                    cmap="magma",
                )
            else:
                _bars(axis, tensor, class_names if len(tensor) == len(class_names) else None)
                axis.set_title(f"{name}\n{shapes[name]}")
            axis.set_box_aspect(1)
        axis = below.subplots()
        total, counts = sum(parameters.values()), list(parameters.values())
        places = np.arange(1, 1 + len(counts))
        axis.bar(
            places,
            counts,
            0.55,
            color=[CHANGED if count == max(counts) else FROZEN for count in counts],
        )
        for place, count in zip(places, counts, strict=True):
            text, colour = (
                f"{count:,}\n{100 * count / total:.1f} %",
                CHANGED if count == max(counts) else INK,
            )
            axis.text(
                place,
                count + 0.02 * max(counts),
                text,
                ha="center",
                va="bottom",
                color=colour,
                fontweight="bold",
            )
        axis.set(
            xlim=(-0.5, len(counts) + 0.5),
            ylim=(0, 1.4 * max(counts)),
            yticks=[],
            title=f"where the {total:,} parameters are",
            ylabel="parameters",
        )
        axis.set_xticks(
            [0, *places],
            ["image", *(name.replace("pool", "conv") for name in tensors)],
            fontsize=17,
        )
    return figure


def _bars(axis, values, names=None):
    """Activations of units as horizontal bars, with names where the units are classes."""
    units = np.arange(len(values))
    axis.barh(
        units,
        values,
        color=[SERIES[1] if names and value == max(values) else QUIET for value in values],
    )
    axis.invert_yaxis()
    axis.set(yticks=[], xticks=[], xlim=(0, 1.05 * max(float(np.max(values)), 1e-9)))
    if names:
        axis.set(xlim=(0, 1), xticks=(0, 1))
        for unit, name in zip(units, names, strict=True):
            axis.text(0.97, unit, name, ha="right", va="center", fontsize=14, fontweight="bold")


@checked
def draw_filters(image, filters, maps):
    """Learned 3 × 3 filters, and below each the map that it makes of a picture (lecture: L02).

    Args:
        image: `(H, W, 3)`, 0–255.
        filters: Weights `(k, k, 3, N)`; mid-grey means 0, brighter red is more red, and so on.
        maps: What the filters answer, `(h, w, N)`.
    """
    with style():
        figure = new_figure(
            21, 6.4, "Filters that the network learned, and what each finds in the picture"
        )
        _paint_filters(figure, image, filters, maps)
    return figure


def _paint_filters(figure, image, filters, maps):
    count = filters.shape[-1]
    grid = figure.add_gridspec(2, count + 2)
    show_image(figure.add_subplot(grid[:, :2]), np.asarray(image, "uint8"), "the picture")
    for number in range(count):
        weights = filters[..., number]
        show_image(
            figure.add_subplot(grid[0, number + 2]),
            0.5 + 0.5 * weights / np.abs(weights).max(),
            f"filter {number + 1}",
        )
        show_image(
            figure.add_subplot(grid[1, number + 2]),
            maps[..., number],
            f"map {number + 1}",
            cmap="magma",
        )


@checked
def draw_attention(images, falls, titles):
    """Where a classifier looks: how far its probability falls when a patch hides the place (lecture: L02).

    Args:
        images: Pictures, `(H, W, 3)`, 0–255 each.
        falls: Fall of the probability of the true class at every pixel, `(H, W)` each, −1 to 1.
        titles: A title for each picture.
    """
    with style():
        figure = new_figure(
            3.6 * len(images) + 1.5,
            8.4,
            "Where the classifier looks: hide a place, watch the probability fall",
        )
        _paint_attention(figure, images, falls, titles)
    return figure


def _paint_attention(figure, images, falls, titles, rows=2):
    axes = figure.subplots(rows, len(images), squeeze=False)
    if rows == 2:
        for axis, image, title in zip(axes[0], images, titles, strict=True):
            show_image(axis, np.asarray(image, "uint8"), title)
    for axis, image, fall, title in zip(axes[-1], images, falls, titles, strict=True):
        grey = np.asarray(image, "float32").mean(axis=-1)
        show_image(axis, grey, "" if rows == 2 else title, cmap="gray", vmin=0, vmax=330)
        heat = np.clip(fall, 0, 1)
        seen = axis.imshow(
            heat, cmap="inferno", vmin=0, vmax=1, alpha=np.minimum(0.15 + 2 * heat, 0.85)
        )
    bar = figure.colorbar(seen, ax=list(axes.flat), shrink=0.8, pad=0.02)
    bar.solids.set_alpha(1)
    bar.set_label("probability lost")
    for axis in axes[-1]:
        for spine in axis.spines.values():
            spine.set(color=NEUTRAL)


@checked
def draw_learned_filters(image, filters, maps, images, falls, titles):
    """What a classifier learned, in one figure: filters and their maps above, where it looks below (lecture: L02).

    Args and shapes: as `draw_filters` and `draw_attention`.
    """
    with style():
        figure = new_figure(21, 12, "Inside a trained classifier: its filters, and where it looks")
        above, below = figure.subfigures(2, 1, height_ratios=(1.15, 1))
        above.suptitle("learned filters, and what each finds in the picture", fontsize=18)
        _paint_filters(above, image, filters, maps)
        below.suptitle(
            "hide a place with a grey patch: how far does the probability of the right class fall?",
            fontsize=18,
        )
        _paint_attention(below, images, falls, titles, rows=1)
    return figure
