"""Pictures at the size that a model was trained at (lecture: L22).

A network takes pictures of any size, but what it has learnt has a size in pixels: trained on
pictures that were all resized to 160 × 576, it knows cars of 30 pixels and not of 300.
"""

import weakref

import keras
import numpy as np

from fcn_keras.models.card import card
from fcn_keras.support import images
from fcn_keras.support.kinds import InputSize

_told: weakref.WeakSet = weakref.WeakSet()  # models of which the line was printed


def at_trained_size(
    model: keras.Model, image: np.ndarray, size: InputSize = "trained"
) -> np.ndarray:
    """The picture at the size that the model was trained at, or at another one.

    A printed line says so, once for each model.

    Args:
        model: Any model; its card says what its training pictures were resized to.
        image: `(H, W, channels)`, 0–255.
        size: Height and width to resize to instead; `None`: the picture stays as it is.

    Returns:
        The picture itself, or uint8 `(h, w, channels)`.
    """
    wanted = trained_size(model, size)
    if wanted is None or wanted == image.shape[:2]:
        return image
    tell_size(model, size)
    return images.resized(image, wanted)


def tell_size(model: keras.Model, size: InputSize = "trained") -> None:
    """Prints, once for each model, what pictures are resized to for it."""
    wanted = trained_size(model, size)
    if wanted is not None and model not in _told:
        _told.add(model)
        why = ", as in training" if isinstance(size, str) else ""
        print(
            f"{model.name}: pictures of another size are resized to {wanted[0]} x {wanted[1]}{why},"
            " and their labels back."
        )


def trained_size(model: keras.Model, size: InputSize = "trained") -> tuple[int, int] | None:
    """What pictures are resized to for a model: `None` if they keep their own size."""
    return card(model).size if isinstance(size, str) else size
