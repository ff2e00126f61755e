"""How good a segmentation is, as pictures: counts, overlaps, thresholds, edges (lecture: L20)."""

import numpy as np
from matplotlib.colors import to_rgb

from fcn_keras.support.kinds import Drawable, Drawables, DrawnLabels, Names, Palette, Table, checked
from fcn_keras.support.labels import VOID
from fcn_keras.visualization.film import Film
from fcn_keras.visualization.mistakes import (
    MISTAKE_COLOURS,
    WRONG_COLOUR,
    coloured_patches,
    paint_mistakes,
    paint_wrong,
    wrong_colour,
)
from fcn_keras.visualization.pictures import colourise
from fcn_keras.visualization.style import (
    BELOW,
    INK,
    MARKERS,
    NEUTRAL,
    QUIET,
    SERIES,
    centred,
    class_legend,
    new_figure,
    parts_of,
    patch_legend,
    show_image,
    style,
)

OUTCOMES = {
    "true positive: there, and found": MISTAKE_COLOURS["right"],
    "false positive: found, not there": MISTAKE_COLOURS["invented"],
    "false negative: there, not found": MISTAKE_COLOURS["missed"],
}


def paint_outcomes(
    true: np.ndarray, predicted: np.ndarray, image: np.ndarray | None = None
) -> np.ndarray:
    """Colours what was found, found wrongly and missed.

    Args:
        true: bool `(H, W)`: where the class is.
        predicted: bool `(H, W)`: where it was found.
        image: uint8 `(H, W, 3)`, drawn in dark grey where nothing is coloured; `None`: plain grey.

    Returns:
        uint8 `(H, W, 3)`.
    """
    ground = np.full((*true.shape, 3), 128, "uint8") if image is None else image
    return paint_mistakes(ground, predicted, true)


@checked
def draw_confusion(confusion: np.ndarray, class_names: Names):
    """The confusion matrix with the share of each row: where the pixels of a class went.

    Args:
        confusion: Pixel counts `(C, C)`, row = true class, column = predicted class.
        class_names: A name per class.
    """
    count = len(class_names)
    totals = confusion.sum(axis=1, keepdims=True)
    shares = 100 * confusion / np.maximum(totals, 1)
    names = [
        f"{name}\n{100 * pixels / totals.sum():.1f} % of all"
        for name, pixels in zip(class_names, totals[:, 0], strict=True)
    ]
    with style():
        title = "What became of the pixels of each class"
        figure = new_figure(3 + 1.55 * count, 2.4 + 1.0 * count, title)
        axis = figure.subplots()
        picture = axis.imshow(shares, cmap="Blues", vmin=0, vmax=100, aspect="auto")
        for (row, column), share in np.ndenumerate(shares):
            text = f"{share:.0f}" if share >= 0.5 or share == 0 else "<1"
            weight = "bold" if row == column else "normal"
            colour = "white" if share > 55 else INK
            centred(axis, column, row, text, fontsize=20, fontweight=weight, color=colour)
        axis.set_xticks(range(count), class_names)
        axis.set_yticks(range(count), names)
        axis.set(xlabel="what the network said", ylabel="what it is")
        axis.tick_params(length=0, labelsize=15)
        axis.spines[:].set_visible(False)
        figure.colorbar(picture, ax=axis, label="% of the row's pixels", pad=0.02)
    return figure


@checked
def draw_iou(cases: Table):
    """Intersection and union of what is there and what was found, and their ratio.

    Args:
        cases: `{title: (true, predicted)}`, bool `(H, W)` each.
    """
    heights = [5.1 * true.shape[0] / true.shape[1] for true, _ in cases.values()]
    with style():
        figure = new_figure(16, 1.9 + sum(heights) + 0.6 * len(cases), "IoU = intersection / union")
        axes = figure.subplots(len(cases), 3, squeeze=False, height_ratios=heights)
        for row, (title, (true, predicted)) in zip(axes, cases.items(), strict=True):
            both, either = true & predicted, true | predicted
            union = np.where(either, 235, 65)
            show_image(row[0], paint_outcomes(true, predicted), "the three kinds of pixel")
            show_image(row[1], paint_outcomes(both, both), f"intersection: {both.sum()} pixels")
            look = {"cmap": "gray", "vmin": 0, "vmax": 255}
            show_image(row[2], union, f"union: {either.sum()} pixels", **look)
            iou = both.sum() / max(either.sum(), 1)
            row[0].set_ylabel(f"{title}\nIoU = {iou:.2f}", fontsize=17, fontweight="bold")
        _outcome_legend(figure)
    return figure


@checked
def draw_scores(scores: Table, title: str):
    """The same scores of several predictions side by side.

    Args:
        scores: `{whose: {name of the score: value, 0–1}}`; the same names in each.
        title: The figure's title.
    """
    names = list(next(iter(scores.values())))
    count = len(scores)
    width = 0.8 / count
    colours = (NEUTRAL, *SERIES) if count > 1 else SERIES
    with style():
        figure = new_figure(13, 6.4, title)
        axis = figure.subplots()
        for number, ((whose, values), colour) in enumerate(zip(scores.items(), colours)):
            at = np.arange(len(names)) + (number - (count - 1) / 2) * width
            heights = [100 * values[name] for name in names]
            axis.bar(at, heights, width * 0.94, color=colour, label=whose)
            for x, height in zip(at, heights, strict=True):
                axis.text(x, height + 1.2, f"{height:.1f}", ha="center", fontweight="bold")
        labels = [name.replace(" ", "\n", 1) if len(name) > 16 else name for name in names]
        axis.set_xticks(range(len(names)), labels)
        axis.set(ylim=(0, 112), ylabel="score (%)")
        if count > 1:
            figure.legend(ncols=count, **BELOW)
    return figure


@checked
def draw_void(labels: DrawnLabels, predicted: DrawnLabels, palette: Palette):
    """A label map with void, a prediction, and which of its mistakes are counted.

    Args:
        labels: Class numbers `(H, W)`, 255 is void.
        predicted: Class numbers `(H, W)`.
        palette: uint8 `(classes, 3)`.
    """
    scored, wrong = labels != VOID, predicted != labels
    counted = np.full((*labels.shape, 3), 235, "uint8")
    counted[wrong] = WRONG_COLOUR
    counted[~scored] = 255
    share = 100 * (wrong & scored).sum() / scored.sum()
    with style():
        figure = new_figure(12, 11.6, "Void is never scored")
        upper, middle, lower = figure.subplots(3, 1)
        show_image(upper, colourise(labels, palette), "the labels; white is void")
        title = "the prediction: it has a class everywhere"
        show_image(middle, colourise(predicted, palette), title)
        title = f"coloured: the mistakes that count, {share:.1f} % of the grey and coloured pixels"
        show_image(lower, counted, title)
    return figure


@checked
def draw_threshold(thresholds, curves: Table):
    """Precision, recall and IoU of a class when its probability must be above a threshold.

    Args:
        thresholds: Numbers 0–1.
        curves: `{class: {"precision": …, "recall": …, "IoU": …}}`, values 0–1 at each threshold;
            NaN is left out.
    """
    with style():
        figure = new_figure(8 * len(curves), 6.8, "A threshold trades false alarms against misses")
        axes = figure.subplots(1, len(curves), sharey=True, squeeze=False)[0]
        for axis, (name, values) in zip(axes, curves.items(), strict=True):
            _threshold_curves(axis, thresholds, values)
            number = int(np.nanargmax(values["IoU"]))
            best, at = 100 * values["IoU"][number], thresholds[number]
            axis.plot(at, best, "*", color=INK, markersize=22, zorder=5)
            axis.set_title(f"{name}: best IoU {best:.1f} % at {at:g} (star)")
            axis.legend(frameon=False, loc="lower center")
    return figure


@checked
def animate_threshold(
    image: Drawable, true, probability, thresholds, curves: Table, class_name: str
) -> Film:
    """A threshold on the softmax moves from 0 to 1: one scene, and the curves over all scenes.

    Args:
        image: uint8 `(H, W, 3)`.
        true: bool `(H, W)`: where the class is.
        probability: `(H, W)`, 0–1: of the class, at each pixel.
        thresholds: Numbers 0–1, one for each frame.
        curves: `{"precision": …, "recall": …, "IoU": …}`, values 0–1 at each threshold.
        class_name: The class that is shown.

    Returns:
        `Film`; a notebook shows it with buttons to play, stop and step.
    """
    image = _few_greys(image)  # small files
    with style():
        figure = new_figure(9.4, 7.4, f"“{class_name}” above a threshold")
        upper, lower = figure.subplots(2, 1, height_ratios=(1, 1.25))
        shown = show_image(upper, paint_outcomes(true, true, image), " ")
        _threshold_curves(lower, thresholds, curves)
        lower.legend(frameon=False, loc="center left", bbox_to_anchor=(0.98, 0.5), handlelength=1)
        lower.set(xlabel="threshold", xticks=(0, 0.5, 1), yticks=(0, 50, 100))
        line = lower.axvline(thresholds[0], color=INK, linewidth=4)
        _outcome_legend(figure, names=[name.split(":")[0] for name in OUTCOMES])

        def draw(number):
            threshold = thresholds[number]
            shown.set_data(paint_outcomes(true, probability > threshold, image))
            upper.set_title(f"threshold {threshold:.2f}")
            line.set_xdata([threshold, threshold])
            return [line]

        return Film(f"threshold on {class_name}", figure, draw, len(thresholds))


@checked
def draw_bands(image: Drawable, distance, wrong, errors: Table, shares: Table):
    """How far the wrong pixels are from an edge between two classes (lecture: L20).

    Args:
        image: uint8 `(H, W, 3)`.
        distance: `(H, W)`: the narrowest band that a pixel lies in, in pixels; 0: in none.
        wrong: bool `(H, W)`.
        errors: `{label of the ring: share of wrong pixels in it}`, from the edge outwards, over
            all scenes.
        shares: `{label of the ring: its share of all the wrong pixels}`.
    """
    shades = ("#000000", *SERIES[:3], "#56b4e9", "#f0e442")
    pale = (140 + 0.45 * image.mean(axis=-1, keepdims=True)).astype("uint8")
    picture = np.repeat(pale, 3, axis=-1)
    for ring, shade in zip(np.unique(distance[distance > 0]), shades):
        picture[distance == ring] = np.rint(255 * np.array(to_rgb(shade)))
    nowhere = np.zeros_like(wrong)
    mistakes = paint_mistakes(image, nowhere, wrong)  # in yellow, which no ring has
    with style():
        figure = new_figure(17, 6.4, "Mistakes live near the edges")
        left, right = parts_of(figure, 1, 2, width_ratios=(1.1, 1))
        upper, lower = left.subplots(2, 1)
        show_image(upper, picture, "rings around the true edges")
        show_image(lower, mistakes, "the pixels that are wrong")
        colours = [*shades[: len(errors) - 1], NEUTRAL]
        _ring_bars(right.subplots(), errors, shares, colours)
    return figure


def _ring_bars(axis, errors, shares, colours) -> None:
    """A bar for each ring around the edges."""
    heights = [100 * value for value in errors.values()]
    axis.bar(range(len(heights)), heights, color=colours, edgecolor=INK)
    note = {"ha": "center", "va": "bottom", "fontweight": "bold", "fontsize": 17}
    for place, height in enumerate(heights):
        axis.text(place, height, f"{height:.0f} %", **note)
    names = [f"{name}\n({100 * shares[name]:.0f} %)" for name in errors]
    axis.set_xticks(range(len(heights)), names)
    axis.set(
        xlabel="pixels from the nearest edge\n(in brackets: the ring's share of all the mistakes)",
        ylabel="wrong pixels in the ring (%)",
        title="how often a pixel is wrong, all scenes",
    )
    axis.margins(y=0.12)


@checked
def draw_bounds(reached, bounds: Table, class_names: Names):
    """IoU of each class: what the network reaches beside what a stride allows (lecture: L20).

    Args:
        reached: The network's IoU per class, 0–1.
        bounds: `{stride: IoU per class, 0–1}`, the best that a map of the stride can have.
        class_names: A name per class.
    """
    order = np.argsort(-np.asarray(reached))
    places = np.arange(len(order))
    with style():
        figure = new_figure(15, 7.2, "IoU reached, and the best possible at each stride")
        axis = figure.subplots()
        heights = [100 * reached[i] for i in order]
        axis.bar(places, heights, 0.62, color=NEUTRAL, label="our network, stride 8")
        look = {"markersize": 15, "markeredgecolor": "white"}
        for (stride, iou), colour, marker in zip(bounds.items(), SERIES, MARKERS):
            heights = [100 * iou[i] for i in order]
            label = f"perfect, stride {stride}"
            axis.plot(places, heights, marker, color=colour, label=label, **look)
        axis.set_xticks(places, [f"{class_names[i]}\n{100 * reached[i]:.0f} %" for i in order])
        axis.set(ylim=(0, 108), ylabel="IoU (%)")
        axis.grid(axis="y", color=QUIET, alpha=0.25)
        figure.legend(ncols=1 + len(bounds), **BELOW)
    return figure


@checked
def draw_failures(images: Drawables, trues, predictions, ious, class_name: str):
    """The worst scenes first: what was found wrongly and what was missed.

    Args:
        images: Pictures, uint8 `(H, W, 3)` each.
        trues: bool `(H, W)` each: where the class is.
        predictions: bool `(H, W)` each: where it was found.
        ious: The IoU of each, 0–1, worst first.
        class_name: The class that is shown.
    """
    with style():
        figure = new_figure(16, 1.7 + 2.5 * len(images), f"The worst scenes for “{class_name}”")
        axes = figure.subplots(len(images), 2, squeeze=False)
        scenes = zip(axes, images, trues, predictions, ious, strict=True)
        for (left, right), image, true, predicted, iou in scenes:
            show_image(left, image)
            show_image(right, paint_outcomes(true, predicted, image))
            left.set_ylabel(f"IoU {100 * iou:.0f} %", fontsize=18, fontweight="bold")
        axes[0][0].set_title("picture")
        axes[0][1].set_title("what was found and what was missed")
        _outcome_legend(figure)
    return figure


@checked
def draw_kinds(examples: Table, class_names: Names, palette: Palette):
    """Kinds of failure, a piece of a scene for each: picture, labels, prediction, mistakes.

    Args:
        examples: `{kind: (image uint8 (H, W, 3), labels (H, W), predicted (H, W))}`.
        class_names: A name per class.
        palette: uint8 `(classes, 3)`.
    """
    with style():
        figure = new_figure(5.6 * len(examples), 13.4, "Three kinds of failure")
        axes = figure.subplots(4, len(examples), squeeze=False)
        for column, (kind, example) in zip(axes.T, examples.items(), strict=True):
            image, labels, predicted = example
            show_image(column[0], image, kind)
            show_image(column[1], colourise(labels, palette))
            show_image(column[2], colourise(predicted, palette))
            show_image(column[3], paint_wrong(image, predicted, labels, palette))
        names = ("picture", "labels", "prediction", "mistakes")
        for axis, name in zip(axes[:, 0], names, strict=True):
            axis.set_ylabel(name, fontsize=18)
        colours = [*palette, np.array(wrong_colour(palette))]
        class_legend(figure, [*class_names, "wrong class"], colours)
    return figure


def _threshold_curves(axis, thresholds, values):
    look = {"linewidth": 3, "markersize": 8}
    for (name, heights), colour, marker in zip(values.items(), SERIES, MARKERS):
        shares = 100 * np.asarray(heights)
        axis.plot(thresholds, shares, marker + "-", color=colour, label=name, **look)
    axis.set(xlabel="threshold on the probability", ylabel="all scenes (%)")
    axis.set(xlim=(-0.03, 1.03), ylim=(0, 105))
    axis.grid(axis="y", color=QUIET, alpha=0.25)


def _few_greys(image, cell: int = 4, step: int = 48):
    """A picture in blocks of a few greys, which a PNG keeps in few bytes. Same shape, uint8."""
    height, width = image.shape[:2]
    grey = np.pad(image.mean(axis=-1), ((0, -height % cell), (0, -width % cell)), mode="edge")
    rows, columns = grey.shape[0] // cell, grey.shape[1] // cell
    blocks = grey.reshape(rows, cell, columns, cell).mean(axis=(1, 3))
    blocks = np.rint(blocks / step) * step
    grey = blocks.repeat(cell, axis=0).repeat(cell, axis=1)[:height, :width]
    return np.repeat(np.clip(grey, 0, 255).astype("uint8")[..., None], 3, axis=-1)


def _outcome_legend(figure, names=tuple(OUTCOMES)):
    patch_legend(figure, coloured_patches(dict(zip(names, OUTCOMES.values(), strict=True))))
