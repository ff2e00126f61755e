"""What label maps have in common: the number for void, and a colour for each class."""

import numpy as np

from fcn_keras.support import arguments

VOID = 255


# Okabe and Ito's colours, which colour-blind readers can tell apart, then lighter mixes of them
OKABE_ITO = np.array(
    [
        (0, 158, 115),
        (230, 159, 0),
        (86, 180, 233),
        (204, 121, 167),
        (0, 114, 178),
        (213, 94, 0),
        (240, 228, 66),
    ]
)


BACKGROUND_COLOUR = (64, 64, 72)


def default_palette(num_classes: int) -> np.ndarray:
    """A colour per class: dark for class 0, then Okabe–Ito, then lighter and darker mixes. uint8, `(classes, 3)`."""
    arguments.whole_number("num_classes", num_classes, 1)
    lighter = (OKABE_ITO + 255) // 2
    darker = OKABE_ITO * 3 // 5
    colours = np.concatenate([[BACKGROUND_COLOUR], OKABE_ITO, lighter, darker])
    return np.resize(colours, (num_classes, 3)).astype("uint8")
