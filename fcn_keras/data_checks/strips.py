"""Thin strips of void, which VOC and the pets have along every edge, closed from both sides."""

import numpy as np

from fcn_keras.support.labels import VOID

STRIP = 10  # the widest strip in pixels


def without_void_strips(mask: np.ndarray) -> np.ndarray:
    """The label map with the classes on both sides of each strip of void grown together."""
    mask = mask.copy()
    # each pixel, and its neighbour above, below, left and right
    neighbours = (
        (np.s_[1:, :], np.s_[:-1, :]),
        (np.s_[:-1, :], np.s_[1:, :]),
        (np.s_[:, 1:], np.s_[:, :-1]),
        (np.s_[:, :-1], np.s_[:, 1:]),
    )
    for _ in range(STRIP // 2):
        before = mask.copy()
        for here, there in neighbours:
            empty = mask[here] == VOID
            mask[here][empty] = before[there][empty]
    return mask
