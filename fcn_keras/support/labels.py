"""What all label maps share: the number for void, and the colours of the classes."""

import numpy as np

VOID = 255  # in a label map: unknown, or not to be scored; never trained on

# Okabe and Ito's colours, which colour-blind readers can tell apart
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
