"""What a data set may be given and may give: class names, indices, images with label maps."""

from collections.abc import Iterable

import numpy as np

from fcn_keras.support import arguments
from fcn_keras.support.labels import VOID


def function(name: str, value):
    """A function from an index to `(image, mask)`.

    Raises:
        TypeError: If it cannot be called.
    """
    if not callable(value):
        raise TypeError(
            f"Expected {name} to be a function from an index to (image, mask). "
            f"{arguments.received(name, value)}"
        )
    return value


def class_names(name: str, value) -> tuple[str, ...]:
    """Class names as a tuple.

    Raises:
        ValueError: If there are none or more than 255, or one of them twice.
    """
    names = arguments.names(name, value)
    if len(names) > VOID:
        raise ValueError(
            f"Expected {name} to hold at most 255, because 255 is void. Received: {len(names)}"
        )
    return names


def indices(value, length: int) -> list[int]:
    """Indices 0 … length − 1 of a list, a range or an array.

    Raises:
        TypeError: If they are not whole numbers.
        IndexError: If one is out of range.
    """
    if not isinstance(value, Iterable) or isinstance(value, (str, bytes)):
        raise TypeError(
            f"Expected indices to be a list or a range. {arguments.received('indices', value)}"
        )
    return [index(one, length) for one in value]


def index(value, length: int) -> int:
    """An index 0 … length − 1; negative ones count from the end.

    Raises:
        TypeError: If it is not a whole number.
        IndexError: If it is out of range.
    """
    if isinstance(value, (bool, np.bool_)):
        raise TypeError(
            "Expected a whole number as index; np.flatnonzero(chosen) turns True and False into "
            f"indices. Received: {value}"
        )
    if not isinstance(value, (int, np.integer)):
        raise TypeError(
            "Expected a whole number as index; for several images use data.subset(range(8)). "
            f"Received: {value!r}"
        )
    if not -length <= value < length:
        raise IndexError(
            f"Expected an index below {length}, the number of images. Received: {value}"
        )
    return int(value) % length


def image_and_mask(pair, num_classes: int) -> tuple[np.ndarray, np.ndarray | None]:
    """An image 0–255 and, if there is one, its label map as uint8 of the same size.

    Raises:
        ValueError: If `pair` is something else.
    """
    if not isinstance(pair, tuple) or len(pair) != 2:
        raise ValueError(
            f"Expected read to return (image, mask). {arguments.received('read(index)', pair)}"
        )
    found = image(pair)
    if pair[1] is None:
        return found, None
    mask = arguments.label_map("mask", pair[1], num_classes).astype("uint8", copy=False)
    if mask.shape != found.shape[:2]:
        raise ValueError(
            f"Expected mask to have the size of its image, {found.shape[0]} x {found.shape[1]}. "
            f"Received: {mask.shape[0]} x {mask.shape[1]}"
        )
    return found, mask


def stay_the_same(data, how_many: int = 8) -> bool:
    """Whether a data set's items are the same when they are read again; some are read twice.

    They are not if `read` draws random numbers, as an augmentation does.
    """
    some = np.unique(np.linspace(0, len(data) - 1, how_many).astype(int)).tolist()
    return all(
        np.array_equal(np.asarray(first), np.asarray(second))
        for index in some
        for first, second in zip(data[index], data[index], strict=True)
    )


def image(pair) -> np.ndarray:
    """The image of a pair, `(H, W, channels)`, 0–255.

    Raises:
        ValueError: If it is something else.
    """
    return arguments.image("image", pair[0], channels=0)
