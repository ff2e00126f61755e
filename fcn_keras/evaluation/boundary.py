"""Label maps near a boundary, and label maps as coarse as a network's stride (lecture: L20)."""

import numpy as np

from fcn_keras.support import arguments
from fcn_keras.support.kinds import ClassCount, Count, Labels, checked
from fcn_keras.support.labels import VOID


@checked
def boundary_band(labels: Labels, width: Count) -> np.ndarray:
    """Finds the pixels at most `width` away from a boundary between two classes (lecture: L20).

    The band of width 1 holds the pixels that touch a pixel of another class, left, right, above or
    below. Each further pixel of width adds a ring (8-neighbours) on both sides. The border of void
    is not a boundary.

    Args:
        labels: Class numbers `(H, W)`, 255 is void.
        width: At least 1, in pixels.

    Returns:
        bool `(H, W)`; never true on void.

    Raises:
        ValueError: If `labels` is not a label map, or `width` is smaller than 1.

    Example:
        >>> labels = np.array([[0, 0, 0, 0, 1, 1, 1, 1, 255]])
        >>> fcn.evaluation.boundary_band(labels, width=2).astype(int)
        array([[0, 0, 1, 1, 1, 1, 0, 0, 0]])
    """
    band = np.zeros(labels.shape, bool)
    for a, b in ((np.s_[1:, :], np.s_[:-1, :]), (np.s_[:, 1:], np.s_[:, :-1])):
        differ = (labels[a] != labels[b]) & (labels[a] != VOID) & (labels[b] != VOID)
        band[a] |= differ
        band[b] |= differ
    for _ in range(width - 1):
        band = _grown(band)
    return band & (labels != VOID)


def _grown(band: np.ndarray) -> np.ndarray:
    """The band and all 8 neighbours of its pixels: first up and down, then left and right."""
    for a, b in ((np.s_[1:, :], np.s_[:-1, :]), (np.s_[:, 1:], np.s_[:, :-1])):
        grown = band.copy()
        grown[a] |= band[b]
        grown[b] |= band[a]
        band = grown
    return band


@checked
def coarsen(labels: Labels, factor: Count, num_classes: ClassCount) -> np.ndarray:
    """Makes a label map as coarse as a network of that stride does, at its old size (lecture: L20).

    Each factor × factor cell takes the class of most of its pixels (in a tie, the lower number), so
    that no map of such cells gets more pixels right.

    Args:
        labels: Class numbers `(H, W)`; 255 is void and has no vote.
        factor: Pixels along each side of a cell, at least 1.
        num_classes: C.

    Returns:
        uint8 `(H, W)`, classes only; a cell that is all void gets class 0.

    Raises:
        ValueError: If `labels` holds a number that is not a class, or `factor` is smaller than 1.

    Example:
        >>> fcn.evaluation.coarsen(np.array([[0, 1, 1, 2], [1, 1, 2, 2]]), factor=2, num_classes=3)
        array([[1, 1, 2, 2],
               [1, 1, 2, 2]], dtype=uint8)
    """
    labels = arguments.class_numbers("labels", labels, num_classes)
    height, width = labels.shape
    padded = np.pad(labels, ((0, -height % factor), (0, -width % factor)), constant_values=VOID)
    cells = padded.reshape(padded.shape[0] // factor, factor, padded.shape[1] // factor, factor)
    votes = np.stack([(cells == number).sum(axis=(1, 3)) for number in range(num_classes)], axis=-1)
    coarse = votes.argmax(axis=-1).astype("uint8")  # (H / factor, W / factor)
    return coarse.repeat(factor, axis=0).repeat(factor, axis=1)[:height, :width]
