"""One's own pictures: are they labelled well, how did the training go, how sure is the network (notebook 10)."""

import numpy as np

from fcn_keras.support.labels import VOID
from fcn_keras.visualization.pictures import colourise
from fcn_keras.visualization.style import (
    CHANGED,
    FROZEN,
    INK,
    QUIET,
    SERIES,
    TRAINED,
    checked,
    class_legend,
    new_figure,
    show_image,
    style,
)


@checked
def draw_labels_over(images, label_maps, class_names, palette):
    """Pictures with their label maps laid over them: the check that finds most mistakes.

    Args:
        images: Pictures, uint8 `(H, W, 3)` each; an even number of them.
        label_maps: Class numbers, `(H, W)` each; void is white.
        class_names: A name per class.
        palette: uint8 `(classes, 3)`.
    """
    rows = -(-len(images) // 2)
    with style():
        height = rows * (7 * images[0].shape[0] / images[0].shape[1] + 0.2) + 1.8
        figure = new_figure(
            14.5,
            height,
            "Each picture with its labels over it: does the colour end where the thing ends?",
        )
        axes = figure.subplots(rows, 2, squeeze=False).ravel()
        for axis in axes:
            axis.set_axis_off()
        for axis, image, labels in zip(axes, images, label_maps, strict=False):
            axis.set_axis_on()
            show_image(
                axis, np.rint(0.4 * image + 0.6 * colourise(labels, palette)).astype("uint8")
            )
        class_legend(figure, class_names, palette)
    return figure


@checked
def draw_shares(shares: dict, class_names, title: str):
    """The share of each class in one or several sets of pictures, as bars.

    Args:
        shares: `{"name of the set": one share per class, 0–1}`.
        class_names: A name per class.
        title: The figure's title.
    """
    thick = 0.8 / len(shares)
    with style():
        figure = new_figure(13, 1.6 + 0.75 * len(class_names), title)
        axis = figure.subplots()
        for number, ((name, values), colour) in enumerate(zip(shares.items(), SERIES)):
            places = np.arange(len(class_names)) + (number - (len(shares) - 1) / 2) * thick
            axis.barh(places, 100 * np.asarray(values), thick * 0.92, color=colour, label=name)
            for place, value in zip(places, values, strict=True):
                axis.text(
                    100 * value, place, f" {100 * value:.1f}", va="center", color=INK, fontsize=13
                )
        axis.set_yticks(range(len(class_names)), class_names)
        axis.invert_yaxis()
        axis.set(
            xlabel="share of the pixels (%)",
            xlim=(0, 112 * max(0.01, *map(np.max, shares.values()))),
        )
        axis.grid(axis="x", color=QUIET, alpha=0.25)
        if len(shares) > 1:
            axis.legend(frameon=False, loc="lower right")
    return figure


@checked
def draw_resized_masks(image, versions: dict, class_names, palette):
    """A piece of a label map, made smaller in several ways: which numbers are in it now?

    Args:
        image: The picture, uint8 `(H, W, 3)`.
        versions: `{"how it was resized": numbers (h, w)}`.
        class_names: A name per class; a number that has none, and is not 255, is drawn crimson.
        palette: uint8 `(classes, 3)`.
    """
    allowed = len(class_names)
    with style():
        rows = -(-(1 + len(versions)) // 2)
        height = rows * (6.4 * image.shape[0] / image.shape[1] + 1.2) + 0.8
        figure = new_figure(
            14, height, "A mask holds names, not brightness: the mean of two names is a third"
        )
        axes = figure.subplots(rows, 2, squeeze=False).ravel()
        for axis in axes[1 + len(versions) :]:
            axis.set_axis_off()
        show_image(axes[0], image, "the picture")
        for axis, (how, numbers) in zip(axes[1:], versions.items(), strict=False):
            colours = colourise(numbers, palette)
            unknown = (numbers >= allowed) & (numbers != VOID)
            colours[unknown] = tuple(int(CHANGED[i : i + 2], 16) for i in (1, 3, 5))
            show_image(axis, colours, how)
            present = np.unique(numbers)
            known = ", ".join(
                str(number) for number in present if number < allowed or number == VOID
            )
            more = (
                f" and {len(np.unique(numbers[unknown]))} that are no class"
                if unknown.any()
                else ""
            )
            axis.set_xlabel(f"numbers: {known}{more}", color=CHANGED if more else INK)
        class_legend(figure, class_names, palette)
    return figure


@checked
def draw_two_stages(losses, border: int, num_classes: int, smooth: int = 8):
    """The loss of a training in two stages: first the head, then everything.

    Args:
        losses: One number per step, both stages.
        border: Number of steps of the first stage.
        num_classes: For the line of guessing, ln C.
        smooth: Steps in the running mean.
    """
    losses = np.asarray(losses, "float64")
    steps = np.arange(1, len(losses) + 1)
    with style():
        figure = new_figure(13, 6.2, "Head first, then everything at a low rate")
        axis = figure.subplots()
        axis.axvspan(0, border + 0.5, color=TRAINED, alpha=0.13, linewidth=0)
        axis.axvspan(border + 0.5, len(losses) + 1, color=FROZEN, alpha=0.25, linewidth=0)
        axis.plot(
            steps, losses, color=SERIES[0], alpha=0.35, linewidth=1.2, label="loss of each step"
        )
        mean = np.convolve(losses, np.full(smooth, 1 / smooth), mode="valid")
        axis.plot(
            steps[smooth - 1 :],
            mean,
            color=SERIES[0],
            linewidth=3.5,
            label=f"mean of the last {smooth} steps",
        )
        guess = np.log(num_classes)
        axis.axhline(guess, color=QUIET, linestyle="--", linewidth=1.5)
        axis.text(
            1,
            guess,
            f"guessing between {num_classes} classes: ln {num_classes}",
            va="bottom",
            color=QUIET,
        )
        low, top = 0.7 * losses.min(), 2.6 * max(guess, losses.max())
        note = dict(ha="center", va="top", fontsize=16, fontweight="bold")
        axis.text(border / 2, top, "head trained,\nencoder fixed", **note)
        axis.text((border + len(losses)) / 2, top, "everything\ntrained", **note)
        axis.set(
            xlabel="training step",
            ylabel="softmax cross-entropy",
            xlim=(0, len(losses) + 1),
            ylim=(low, 1.1 * top),
            yscale="log",
        )
        ticks = [
            tick for tick in (0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0) if low < tick < top
        ]
        axis.set_yticks(ticks, [f"{tick:g}" for tick in ticks])
        axis.minorticks_off()
        axis.legend(frameon=False, loc="lower left")
    return figure


@checked
def draw_sure(image, labels, sureness, class_names, palette):
    """A picture, what the network says, and how sure it says it is.

    Args:
        image: uint8 `(H, W, 3)`.
        labels: Predicted class numbers `(H, W)`.
        sureness: Probability of the predicted class `(H, W)`, 0–1.
        class_names: A name per class.
        palette: uint8 `(classes, 3)`.
    """
    width = 5.2 * image.shape[1] / image.shape[0]
    with style():
        figure = new_figure(
            3 * width + 2.2, 7.4, "A picture of another kind: what the network says, and how sure"
        )
        axes = figure.subplots(1, 3)
        show_image(axes[0], image, "the photograph")
        show_image(axes[1], colourise(labels, palette), "the network's classes")
        show_image(axes[2], sureness, "probability it gives", cmap="viridis", vmin=0, vmax=1)
        bar = figure.colorbar(axes[2].images[0], ax=axes[2], shrink=0.8)
        bar.outline.set_visible(False)
        present = np.unique(labels)
        class_legend(figure, [class_names[number] for number in present], palette[present])
    return figure
