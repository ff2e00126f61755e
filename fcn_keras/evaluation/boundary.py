"""Label maps near a boundary, and as coarse as a network's stride (lecture: L20)."""

import numpy as np

from fcn_keras.support import arguments
from fcn_keras.support.labels import VOID


def boundary_band(labels: np.ndarray, width: int) -> np.ndarray:
    """Pixels at most `width` away from a boundary between two classes (lecture: L20).

    Width 1 are the pixels that touch a pixel of another class, left, right, above or below; each
    further pixel of width adds a ring (8-neighbours) on both sides. The border of void is no boundary.

    Args:
        labels: Class numbers `(H, W)`, 255 is void.
        width: At least 1, in pixels.

    Returns:
        bool `(H, W)`; never true on void.

    Raises:
        ValueError: If `width` is smaller than 1.
    """
    arguments.whole_number("width", width, 1)
    labels = arguments.label_map("labels", labels)
    band = np.zeros(labels.shape, bool)
    for a, b in ((np.s_[1:, :], np.s_[:-1, :]), (np.s_[:, 1:], np.s_[:, :-1])):
        differ = (labels[a] != labels[b]) & (labels[a] != VOID) & (labels[b] != VOID)
        band[a] |= differ
        band[b] |= differ
    for _ in range(width - 1):
        for axis in (0, 1):  # a square ring is a row of three, then a column of three
            grown = band.copy()
            ahead, behind = ((np.s_[1:], np.s_[:-1]), (np.s_[:, 1:], np.s_[:, :-1]))[axis]
            grown[ahead] |= band[behind]
            grown[behind] |= band[ahead]
            band = grown
    return band & (labels != VOID)


def coarsen(labels: np.ndarray, factor: int, num_classes: int) -> np.ndarray:
    """A label map as coarse as a network of that stride makes it, at its old size (lecture: L20).

    Each factor × factor cell takes the class that most of its pixels have (of equally many the lower
    number), so that no map of such cells gets more pixels right.

    Args:
        labels: Class numbers `(H, W)`, 255 is void and has no vote.
        factor: Pixels per cell side, at least 1.
        num_classes: C.

    Returns:
        uint8 `(H, W)`, classes only; a cell that is all void gets class 0.

    Raises:
        ValueError: If `factor` is smaller than 1.
    """
    arguments.whole_number("factor", factor, 1)
    labels = arguments.label_map(
        "labels", labels, arguments.whole_number("num_classes", num_classes, 1, 255)
    )
    height, width = labels.shape
    padded = np.pad(labels, ((0, -height % factor), (0, -width % factor)), constant_values=VOID)
    cells = padded.reshape(padded.shape[0] // factor, factor, padded.shape[1] // factor, factor)
    votes = np.stack([(cells == number).sum(axis=(1, 3)) for number in range(num_classes)], axis=-1)
    coarse = votes.argmax(axis=-1).astype("uint8")  # (H / factor, W / factor)
    return coarse.repeat(factor, axis=0).repeat(factor, axis=1)[:height, :width]
