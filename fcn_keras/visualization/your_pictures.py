"""One's own pictures: their labels, their training, the network's certainty (notebook 10)."""

import numpy as np

from fcn_keras.support.kinds import (
    Count,
    Drawable,
    Drawables,
    DrawnLabels,
    Index,
    Losses,
    Names,
    Palette,
    Table,
    checked,
)
from fcn_keras.support.labels import VOID
from fcn_keras.visualization.curves import TICKS, loss_ticks, paint_steps
from fcn_keras.visualization.pictures import colourise
from fcn_keras.visualization.style import (
    CHANGED,
    FROZEN,
    INK,
    QUIET,
    SERIES,
    TRAINED,
    class_legend,
    new_figure,
    show_image,
    style,
)


@checked
def draw_labels_over(
    images: Drawables, label_maps: Drawables, class_names: Names, palette: Palette
):
    """Pictures with their label maps laid over them, which shows most mistakes in labels.

    Args:
        images: Pictures, uint8 `(H, W, 3)` each; an even number of them.
        label_maps: Class numbers, `(H, W)` each; void is white.
        class_names: A name per class.
        palette: uint8 `(classes, 3)`.
    """
    rows = -(-len(images) // 2)
    height = rows * (7 * images[0].shape[0] / images[0].shape[1] + 0.2) + 1.8
    with style():
        title = "Each picture with its labels over it: does the colour end where the thing ends?"
        figure = new_figure(14.5, height, title)
        axes = figure.subplots(rows, 2, squeeze=False).ravel()
        for axis, image, labels in zip(axes, images, label_maps):
            mixed = 0.4 * image + 0.6 * colourise(labels, palette)
            show_image(axis, np.rint(mixed).astype("uint8"))
        for axis in axes[len(images) :]:
            axis.set_axis_off()
        class_legend(figure, class_names, palette)
    return figure


@checked
def draw_shares(
    shares: Table, class_names: Names, title: str, quantity: str = "share of the pixels"
):
    """The share of each class in one or several sets of pictures, as bars.

    Args:
        shares: `{"name of the set": one share per class, 0–1}`.
        class_names: A name per class.
        title: The figure's title.
        quantity: What the bars show; it is given in percent.
    """
    count, thick = len(class_names), 0.8 / len(shares)
    with style():
        figure = new_figure(13, 1.6 + 0.75 * count, title)
        axis = figure.subplots()
        for number, ((name, values), colour) in enumerate(zip(shares.items(), SERIES)):
            places = np.arange(count) + (number - (len(shares) - 1) / 2) * thick
            axis.barh(places, 100 * np.asarray(values), thick * 0.92, color=colour, label=name)
            for place, value in zip(places, values, strict=True):
                text = f" {100 * value:.1f}"
                axis.text(100 * value, place, text, va="center", color=INK, fontsize=13)
        axis.set_yticks(range(count), class_names)
        axis.invert_yaxis()
        right = 112 * max(0.01, *map(np.max, shares.values()))
        axis.set(xlabel=f"{quantity} (%)", xlim=(0, right))
        axis.grid(axis="x", color=QUIET, alpha=0.25)
        if len(shares) > 1:
            axis.legend(frameon=False, loc="lower right")
    return figure


@checked
def draw_resized_masks(image: Drawable, versions: Table, class_names: Names, palette: Palette):
    """A piece of a label map, made smaller in several ways, with the numbers it then holds.

    Args:
        image: The picture, uint8 `(H, W, 3)`.
        versions: `{"how it was resized": numbers (h, w)}`.
        class_names: A name per class. Numbers without a name are drawn crimson, except 255.
        palette: uint8 `(classes, 3)`.
    """
    rows = -(-(1 + len(versions)) // 2)
    height = rows * (6.4 * image.shape[0] / image.shape[1] + 1.2) + 0.8
    crimson = tuple(bytes.fromhex(CHANGED[1:]))
    with style():
        title = "A mask holds names, not brightness: the mean of two names is a third name"
        figure = new_figure(14, height, title)
        first, *others = figure.subplots(rows, 2, squeeze=False).ravel()
        show_image(first, image, "the picture")
        for axis, (how, numbers) in zip(others, versions.items()):
            unknown = (numbers >= len(class_names)) & (numbers != VOID)
            colours = colourise(numbers, palette)
            colours[unknown] = crimson
            show_image(axis, colours, how)
            text = "numbers: " + ", ".join(map(str, np.unique(numbers[~unknown])))
            if unknown.any():
                count = len(np.unique(numbers[unknown]))
                what = " that is not a class" if count == 1 else "s that are not classes"
                text += f" and {count} more number{what}"
            axis.set_xlabel(text, color=CHANGED if unknown.any() else INK)
        for axis in others[len(versions) :]:
            axis.set_axis_off()
        class_legend(figure, class_names, palette)
    return figure


@checked
def draw_two_stages(losses: Losses, border: Index, num_classes: Count, smooth: Count = 8):
    """The loss of a training in two stages: first the head, then everything.

    Args:
        losses: One number per step, both stages.
        border: Number of steps of the first stage.
        num_classes: Number of classes C, for the line of guessing, ln C.
        smooth: Steps in the running mean.
    """
    values = np.asarray(losses, "float64")
    count, guess = len(losses), np.log(num_classes)
    low, top = 0.7 * values.min(), 2.6 * max(guess, values.max())
    with style():
        figure = new_figure(13, 6.2, "First the head, then everything at a low rate")
        axis = figure.subplots()
        axis.axvspan(0, border + 0.5, color=TRAINED, alpha=0.13, linewidth=0)
        axis.axvspan(border + 0.5, count + 1, color=FROZEN, alpha=0.25, linewidth=0)
        paint_steps(axis, values, smooth, pale=0.35)
        axis.axhline(guess, color=QUIET, linestyle="--", linewidth=1.5)
        text = f"guessing among {num_classes} classes: ln {num_classes}"
        axis.text(0.06 * count, guess, text, va="bottom", color=QUIET)  # beside the first steps
        note = {"ha": "center", "va": "top", "fontsize": 16.0, "fontweight": "bold"}
        axis.text(border / 2, top, "head trained,\nencoder fixed", **note)
        axis.text((border + count) / 2, top, "everything\ntrained", **note)
        axis.set(xlabel="training step", ylabel="softmax cross-entropy", yscale="log")
        axis.set(xlim=(0, count + 1), ylim=(low, 1.1 * top))
        loss_ticks(axis, low, top, (*TICKS, 5.0))
        axis.legend(frameon=False, loc="lower left")
    return figure


@checked
def draw_sure(image: Drawable, labels: DrawnLabels, sureness, class_names: Names, palette: Palette):
    """A picture, what the network says, and how sure it is.

    Args:
        image: uint8 `(H, W, 3)`.
        labels: Predicted class numbers `(H, W)`.
        sureness: Probability of the predicted class `(H, W)`, 0–1.
        class_names: A name per class.
        palette: uint8 `(classes, 3)`.
    """
    width = 5.2 * image.shape[1] / image.shape[0]
    present = np.unique(labels)
    with style():
        title = "A picture of another kind: what the network says, and how sure it is"
        figure = new_figure(3 * width + 2.2, 7.4, title)
        left, middle, right = figure.subplots(1, 3)
        show_image(left, image, "the photograph")
        show_image(middle, colourise(labels, palette), "the network's classes")
        look = {"cmap": "viridis", "vmin": 0, "vmax": 1}
        shown = show_image(right, sureness, "probability it gives", **look)
        figure.colorbar(shown, ax=right, shrink=0.8).outline.set_visible(False)
        class_legend(figure, [class_names[int(number)] for number in present], palette[present])
    return figure
