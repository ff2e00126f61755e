"""The colours that a data set's classes are shown in."""

import numpy as np

from fcn_keras.support import arguments
from fcn_keras.support.kinds import Count, checked
from fcn_keras.support.labels import BACKGROUND_COLOUR, OKABE_ITO


@checked
def default_palette(num_classes: Count) -> np.ndarray:
    """A colour for each class: dark for class 0, then Okabe–Ito, then lighter and darker mixes.

    Returns:
        uint8, `(classes, 3)`.
    """
    lighter = (OKABE_ITO + 255) // 2
    darker = OKABE_ITO * 3 // 5
    colours = np.concatenate([[BACKGROUND_COLOUR], OKABE_ITO, lighter, darker])
    return np.resize(colours, (num_classes, 3)).astype("uint8")


def fitting_palette(palette: np.ndarray, num_classes: int) -> np.ndarray:
    """The palette as uint8.

    Raises:
        ValueError: If it does not have one colour for each class.
    """
    palette = np.asarray(palette)
    if palette.shape != (num_classes, 3):
        raise ValueError(
            f"Expected palette to hold a colour for each of {num_classes} classes. "
            f"{arguments.received('palette', palette)}"
        )
    return palette.astype("uint8")
