"""Predictions beside the truth: what is right, what was missed, what was invented (lecture: L25).

The picture is drawn in dark greys, the mistakes in Okabe and Ito's colours. These three are the
easiest to tell apart on such a picture, with normal sight and with each kind of colour blindness.
"""

from typing import Annotated

import numpy as np
from matplotlib.patches import Patch

from fcn_keras.support import arguments
from fcn_keras.support.kinds import DrawnLabels, Image, Kind, Palette, checked
from fcn_keras.support.labels import VOID
from fcn_keras.visualization.style import INK, patch_legend

Mask = Annotated[
    np.ndarray, Kind("(H, W), bool or 0 and 1", arguments.array, dimensions=2, layout="(H, W)")
]
MISTAKE_COLOURS = {
    "right": (86, 180, 233),  # sky blue
    "missed": (240, 228, 66),  # yellow
    "invented": (213, 94, 0),  # vermilion
}
WRONG_COLOUR = MISTAKE_COLOURS["invented"]  # of several classes: taken for another one
DARKEST, BRIGHTEST = 20, 110  # of the picture under the colours
SOLID = 0.7  # what is right lets the picture shine through; mistakes are thin and do not


@checked
def paint_mistakes(image: Image, found: Mask, true: Mask) -> np.ndarray:
    """Colours what was found, missed and invented of one class (lecture: L25).

    Args:
        image: uint8 `(H, W, 3)`, 0–255. It is drawn grey and dark.
        found: Where the class was found: bool or 0 and 1, `(H, W)`.
        true: Where the class is: bool or 0 and 1, `(H, W)`; void, 255, is not coloured.

    Returns:
        uint8 `(H, W, 3)` in `MISTAKE_COLOURS`.

    Raises:
        ValueError: If the sizes differ.

    Example:
        >>> found, true = np.array([[1, 0, 1, 0]]), np.array([[1, 1, 0, 0]])
        >>> painted = paint_mistakes(np.zeros((1, 4, 3), "uint8"), found, true)
        >>> painted[0, 1].tolist(), painted[0, 2].tolist()  # missed, invented
        ([240, 228, 66], [213, 94, 0])
    """
    painted, scored = _ground(image, found, true)
    here, there = np.asarray(found) == 1, np.asarray(true) == 1
    right = here & there & scored
    shining = (1 - SOLID) * image.mean(axis=-1, keepdims=True)
    painted[right] = np.rint(SOLID * np.array(MISTAKE_COLOURS["right"]) + shining)[right]
    painted[there & ~here & scored] = MISTAKE_COLOURS["missed"]
    painted[here & ~there & scored] = MISTAKE_COLOURS["invented"]
    return painted


@checked
def paint_wrong(
    image: Image, found: DrawnLabels, true: DrawnLabels, palette: Palette | None = None
) -> np.ndarray:
    """Colours the pixels that were given a wrong class, one of several (lecture: L25).

    Args:
        image: uint8 `(H, W, 3)`, 0–255. It is drawn grey and dark.
        found: Predicted class numbers `(H, W)`.
        true: Class numbers `(H, W)`; void, 255, is not coloured.
        palette: uint8 `(classes, 3)`, the classes' colours; see `wrong_colour`.

    Returns:
        uint8 `(H, W, 3)`, in `wrong_colour(palette)`.

    Raises:
        ValueError: If the sizes differ.
    """
    painted, scored = _ground(image, found, true)
    wrong = (np.asarray(found) != np.asarray(true)) & scored
    painted[wrong] = wrong_colour([] if palette is None else palette)
    return painted


def wrong_colour(palette) -> tuple[int, int, int]:
    """`WRONG_COLOUR`, or another of `MISTAKE_COLOURS` if a class has it: a mistake is no class."""
    taken = {tuple(map(int, colour)) for colour in palette}
    order = (MISTAKE_COLOURS[name] for name in ("invented", "missed", "right"))
    return next((colour for colour in order if colour not in taken), WRONG_COLOUR)


def mistake_legend(figure, class_name: str | None = None, **options) -> None:
    """What the colours mean, below a figure.

    Args:
        figure: A matplotlib figure or a part of one.
        class_name: The class of `paint_mistakes`; `None`: the colours of `paint_wrong`.
        options: Of matplotlib's legend, such as `fontsize`.
    """
    if class_name is None:
        meanings = {"wrong class": WRONG_COLOUR, "right class": (BRIGHTEST,) * 3}
    else:
        meanings = {
            f"{class_name}, found": MISTAKE_COLOURS["right"],
            "missed: there, not found": MISTAKE_COLOURS["missed"],
            "invented: found, not there": MISTAKE_COLOURS["invented"],
        }
    patch_legend(figure, coloured_patches(meanings), **options)


def coloured_patches(meanings: dict) -> dict[str, Patch]:
    """A box for each `{text: (red, green, blue)}`, 0–255, as `patch_legend` takes them."""
    return {
        text: Patch(facecolor="#" + bytes(map(int, colour)).hex(), edgecolor=INK, linewidth=0.8)
        for text, colour in meanings.items()
    }


def _ground(image, found, true) -> tuple[np.ndarray, np.ndarray]:
    """The picture in dark greys, and which pixels count."""
    for name, labels in (("found", found), ("true", true)):
        if np.shape(labels) != image.shape[:2]:
            raise ValueError(
                f"Expected what is {name} to have the size of the image, {image.shape[:2]}. "
                f"{arguments.received(name, labels)}"
            )
    grey = DARKEST + (BRIGHTEST - DARKEST) / 255 * image.mean(axis=-1, keepdims=True)
    return np.repeat(np.rint(grey).astype("uint8"), 3, axis=-1), np.asarray(true) != VOID
