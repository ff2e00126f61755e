"""What was learned from strokes, and predictions beside their truth (lecture: L25)."""

import numpy as np

from fcn_keras.support.kinds import Count, Drawables, Names, Table, checked
from fcn_keras.support.labels import BACKGROUND_COLOUR, OKABE_ITO, VOID
from fcn_keras.visualization.mistakes import MISTAKE_COLOURS, coloured_patches, paint_mistakes
from fcn_keras.visualization.style import new_figure, patch_legend, show_image, style

PALETTE = np.array([BACKGROUND_COLOUR, OKABE_ITO[3]])  # background, and the thing
MEANINGS = {
    "found": MISTAKE_COLOURS["right"],
    "missed": MISTAKE_COLOURS["missed"],
    "invented": MISTAKE_COLOURS["invented"],
}
BRUSHES = {"stroke: background": PALETTE[0], "stroke: the thing": PALETTE[1]}
RIM = 3  # pixels of white around a stroke, so that it shows on any picture


@checked
def draw_learned_from_strokes(
    things: Names, images: Drawables, strokes, truths, predictions, steps: Count
):
    """Strokes, truth, prediction and mistakes, a row for each photograph (lecture: L25).

    Args:
        things: What is to be found in each picture.
        images: Pictures, uint8 `(H, W, 3)` each.
        strokes: What was painted: 0 for background, 1 for the thing, 255 elsewhere, `(H, W)` each.
        truths: Class numbers 0 and 1, 255 is void, `(H, W)` each.
        predictions: Class numbers 0 and 1, `(H, W)` each.
        steps: How many training steps the network made.
    """
    tall = sum(3.6 * image.shape[0] / image.shape[1] + 0.15 for image in images)
    with style():
        title = f"A few strokes and {steps} steps: the head learned, the ImageNet encoder is frozen"
        figure = new_figure(15, 2.1 + tall, title)
        heights = [image.shape[0] / image.shape[1] for image in images]
        axes = figure.subplots(len(images), 4, squeeze=False, height_ratios=heights)
        rows = zip(axes, things, images, strokes, truths, predictions, strict=True)
        for row, thing, image, painted, true, found in rows:
            share = 100 * (painted != VOID).mean()
            row[0].set_ylabel(f"{thing}, IoU {_iou(found, true):.2f}", fontsize=17)
            show_image(row[0], paint_over(image, painted))
            row[0].set_xlabel(f"{share:.0f} % of the pixels painted")
            _show_result(row[1:], image, true, found)
        headings = ("all that it was told", "truth", "prediction", "mistakes")
        for axis, heading in zip(axes[0], headings, strict=True):
            axis.set_title(heading)
        patch_legend(figure, coloured_patches(BRUSHES | MEANINGS), fontsize=17)
    return figure


@checked
def draw_examples(examples: Table):
    """Input, truth, prediction and mistakes, a row for each example (lecture: L25).

    Args:
        examples: `{what it is: (image uint8 (H, W, 3), truth (H, W), prediction (H, W))}`, class
            numbers 0 and 1, 255 is void.
    """
    heights = [image.shape[0] / image.shape[1] for image, _, _ in examples.values()]
    with style():
        figure = new_figure(13, 1.2 + 3.1 * sum(heights) + 0.4 * len(heights), "")
        axes = figure.subplots(len(examples), 4, squeeze=False, height_ratios=heights)
        for row, (what, (image, true, found)) in zip(axes, examples.items(), strict=True):
            show_image(row[0], image)
            _show_result(row[1:], image, true, found)
            row[0].set_xlabel(what)
            row[3].set_xlabel(f"IoU {_iou(found, true):.3f}")
        for axis, heading in zip(axes[0], ("input", "truth", "prediction", "mistakes")):
            axis.set_title(heading, fontweight="bold")
        patch_legend(figure, coloured_patches(MEANINGS), fontsize=17)
    return figure


def _show_result(axes, image, true, found) -> None:
    """Truth, prediction and mistakes."""
    for axis, labels in zip(axes, (true, found)):
        show_image(axis, labels == 1, cmap="gray", vmin=0, vmax=1)
    show_image(axes[2], paint_mistakes(image, found == 1, true))


def paint_over(image: np.ndarray, strokes: np.ndarray) -> np.ndarray:
    """A picture with strokes on it, each with a white rim. uint8, the same shape."""
    picture = image.copy()
    painted = strokes != VOID
    padded = np.pad(painted, RIM)
    near = np.lib.stride_tricks.sliding_window_view(padded, (2 * RIM + 1, 2 * RIM + 1))
    picture[near.any(axis=(2, 3))] = 255
    picture[painted] = PALETTE[strokes[painted]]
    return picture


def _iou(found, true) -> float:
    scored = true != VOID
    both, either = (found == 1) & (true == 1), (found == 1) | (true == 1)
    return (both & scored).sum() / max((either & scored).sum(), 1)
