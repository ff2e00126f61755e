"""Looking at an argument before anything is done with it.

Every public function starts here, so that a mistake is answered where it was made: the message names the
argument, what was expected, what was received and, where there is one, the way out. Nothing here loads Keras.
"""

import os
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import numpy as np

from fcn_keras.support.labels import VOID

VOID_IS_NO_CLASS = "One of at least 2 classes may be 'background'; void is none."
ARGMAX = "np.argmax(…, axis=-1) makes class numbers of logits or one-hot labels."
LONGEST = 80  # characters of a received value that a message shows


def whole_number(
    name: str, value, at_least: int | None = None, at_most: int | None = None, hint: str = ""
) -> int:
    """`value` as `int`.

    Args:
        name: The argument's, for the message.
        value: What was received; `True` and `2.0` are no whole numbers.
        at_least, at_most: The range, ends included.
        hint: The way out, a sentence.

    Raises:
        ValueError: If it is not a whole number in the range.
    """
    right = isinstance(value, (int, np.integer)) and not isinstance(value, bool)
    if (
        not right
        or (at_least is not None and value < at_least)
        or (at_most is not None and value > at_most)
    ):
        raise ValueError(
            f"Expected {name} to be a whole number{_range(at_least, at_most)}. {received(name, value)}{_hint(hint)}"
        )
    return int(value)


def number(name: str, value, above=None, at_least=None, at_most=None, hint: str = "") -> float:
    """`value` as `float`. Args as `whole_number`; `above`: the lower end, not included.

    Raises:
        ValueError: If it is not a finite number in the range.
    """
    right = (
        isinstance(value, (int, float, np.integer, np.floating))
        and not isinstance(value, bool)
        and np.isfinite(value)
    )
    too_small = right and (
        (above is not None and value <= above) or (at_least is not None and value < at_least)
    )
    if not right or too_small or (at_most is not None and value > at_most):
        limits = f" above {above}" if above is not None else ""
        raise ValueError(
            f"Expected {name} to be a number{limits}{_range(at_least, at_most)}. {received(name, value)}{_hint(hint)}"
        )
    return float(value)


def one_of(name: str, value, choices: Iterable, hint: str = ""):
    """`value`, if it is among `choices`.

    Raises:
        ValueError: If not.
    """
    choices = tuple(choices)
    if not any(
        value is choice or (type(value) is type(choice) and value == choice) for choice in choices
    ):
        listed = ", ".join(map(repr, choices))
        raise ValueError(
            f"Expected {name} to be one of {listed}. {received(name, value)}{_hint(hint)}"
        )
    return value


def size(name: str, value) -> tuple[int, int]:
    """Height and width in pixels.

    Raises:
        ValueError: If `value` is not two whole numbers of at least 1.
    """
    pair = tuple(value) if isinstance(value, (tuple, list, np.ndarray)) else ()
    if len(pair) != 2 or any(
        isinstance(v, bool) or not isinstance(v, (int, np.integer)) or v < 1 for v in pair
    ):
        raise ValueError(
            f"Expected {name} to be (height, width), two whole numbers of at least 1. {received(name, value)}"
        )
    return int(pair[0]), int(pair[1])


def path(name: str, value) -> Path:
    """`value` as a `Path`; it need not exist.

    Raises:
        TypeError: If it is neither text nor a path.
    """
    if not isinstance(value, (str, os.PathLike)) or str(value) == "":
        raise TypeError(
            f"Expected {name} to be a path, such as 'my_pictures'. {received(name, value)}"
        )
    return Path(value)


def names(name: str, value, at_least: int = 1) -> tuple[str, ...]:
    """A list of names, such as those of classes: texts, none twice.

    Raises:
        ValueError: If it is one text instead of a list, holds something else than text, or too few.
    """
    listed = (
        tuple(value)
        if isinstance(value, Iterable) and not isinstance(value, (str, bytes))
        else None
    )
    if (
        listed is None
        or not all(isinstance(v, str) and v for v in listed)
        or len(listed) < at_least
    ):
        wanted = f"a list of at least {at_least} names, such as ('grass', 'road')"
        raise ValueError(f"Expected {name} to be {wanted}. {received(name, value)}")
    if len(set(listed)) < len(listed):
        twice = next(v for v in listed if listed.count(v) > 1)
        raise ValueError(f"Expected {name} to hold every name once. Received: {twice!r} twice")
    return listed


def array(
    name: str, value, dimensions: int | Sequence[int], layout: str, hint: str = ""
) -> np.ndarray:
    """`value` as an array of numbers.

    Args:
        name: The argument's.
        value: What was received.
        dimensions: How many axes, or which numbers of axes are right; none may be empty.
        layout: For the message, such as `"(H, W, 3)"`.
        hint: The way out, a sentence.

    Raises:
        ValueError: If it has another number of axes, is empty, or holds something else than numbers.
    """
    allowed = (dimensions,) if isinstance(dimensions, int) else tuple(dimensions)
    try:
        found = np.asarray(value)
    except ValueError:  # lists of unequal length
        found = np.array(None)
    if found.dtype.kind not in "buif" or found.ndim not in allowed or 0 in found.shape:
        what = (
            f"shape {found.shape}, {found.dtype}" if found.dtype.kind in "buif" else _shown(value)
        )
        raise ValueError(
            f"Expected {name} to be an array of numbers, {layout}. Received: {name} of {what}{_hint(hint)}"
        )
    return found


def label_map(name: str, value, num_classes: int | None = None) -> np.ndarray:
    """A label map `(H, W)` of class numbers, 255 for void.

    Raises:
        ValueError: If it is not two-dimensional, not of whole numbers, or holds a number that is no class.
    """
    labels = array(name, value, 2, "(H, W), class numbers", ARGMAX)
    return class_numbers(name, labels, num_classes)


def model(name: str, value):
    """A Keras model.

    Raises:
        TypeError: If it is something else, such as the path of a model.
    """
    if not hasattr(value, "predict_on_batch"):
        hint = (
            " models.load(path) reads a model file."
            if isinstance(value, (str, os.PathLike))
            else ""
        )
        raise TypeError(
            f"Expected {name} to be a Keras model, as fcn_keras.models builds one. {received(name, value)}{hint}"
        )
    return value


def scoring_model(name: str, value):
    """A Keras model whose output is a score for each class: one picture in, logits or probabilities out.

    Raises:
        TypeError: If it is no model.
        ValueError: If it has several inputs or outputs, or ends in something else than scores, as an autoencoder does.
    """
    model(name, value)
    inputs, outputs = (list(getattr(value, side, None) or ()) for side in ("inputs", "outputs"))
    if len(inputs) > 1 or len(outputs) > 1:
        raise ValueError(
            f"Expected {name} to take one picture and to give one map of class scores. Received: {value.name!r} with "
            f"{len(inputs)} inputs and {len(outputs)} outputs. keras.Model({name}.inputs[0], {name}.outputs[0]) has one of each."
        )
    end = _end(outputs[0]) if outputs else None
    # of a softmax the highest is the class still, but a sigmoid's and a rescaled map's channels are each for itself
    kind = (
        "sigmoid"
        if getattr(getattr(end, "activation", None), "__name__", "") == "sigmoid"
        else type(end).__name__
    )
    if kind in ("sigmoid", "Rescaling"):
        raise ValueError(
            f"Expected {name} to give class scores (logits). Received: {value.name!r}, whose last layer {end.name!r} is a "
            f"{kind}, as in an autoencoder, which gives pixels. models.fcn_from_cae makes a segmentation network of one."
        )
    return value


def _end(tensor):
    """The layer that computes a model's output, behind those that only cut it to size; `None` if it cannot be told."""
    while (history := getattr(tensor, "_keras_history", None)) is not None:
        layer = history.operation
        if type(layer).__name__ not in ("CropToMatch", "Cropping2D", "Identity"):
            inner = getattr(layer, "outputs", None)  # a model in a model
            if not inner:
                return layer
            tensor = inner[0]
        else:
            node = layer._inbound_nodes[history.node_index]
            tensor = node.input_tensors[0]
    return None


def fits(name: str, model, shape) -> None:
    """Whether images of a shape `(H, W, channels)` can go into a model.

    Raises:
        ValueError: If the model is made for another size, or for other channels.
    """
    wanted = getattr(model, "input_shape", (None,) * 4)[1:]
    if len(wanted) == 3 and any(
        there not in (None, here) for there, here in zip(wanted, shape, strict=True)
    ):
        takes = (
            f"images of {wanted[0]} x {wanted[1]} pixels, {wanted[2]} channels"
            if wanted[0]
            else f"{wanted[2]} channels"
        )
        raise ValueError(
            f"Expected {name} to take images of any size with {shape[2]} channels. Received: {model.name!r}, which takes "
            f"{takes}, and an image of {shape[0]} x {shape[1]}"
        )


def data_set(name: str, value):
    """A `SegmentationData`.

    Raises:
        TypeError: If it is something else, such as an array or a folder's name.
    """
    if not all(hasattr(value, part) for part in ("batches", "class_names", "view")):
        hint = (
            " datasets.open_data(folder) opens one."
            if isinstance(value, (str, os.PathLike))
            else ""
        )
        raise TypeError(
            f"Expected {name} to be a data set of fcn_keras.datasets. {received(name, value)}{hint}"
        )
    return value


def received(name: str, value) -> str:
    """The end of a message: `Received: steps='ten'`."""
    return f"Received: {name}={_shown(value)}"


def _shown(value) -> str:
    if isinstance(value, np.ndarray):
        return f"an array of shape {value.shape}, {value.dtype}"
    text = " ".join(repr(value).split())
    return text if len(text) <= LONGEST else text[: LONGEST - 2] + " …"


def _range(at_least, at_most) -> str:
    if at_least is None and at_most is None:
        return ""
    if at_most is None:
        return f" of at least {at_least}"
    return f" of at most {at_most}" if at_least is None else f" from {at_least} to {at_most}"


def _hint(text: str) -> str:
    return f". {text}" if text else ""


def whole_numbers(name: str, value, at_least: int = 1) -> tuple[int, ...]:
    """A list of whole numbers, such as widths; not empty.

    Raises:
        ValueError: If it is something else, or one of them is too small.
    """
    listed = (
        tuple(value) if isinstance(value, Iterable) and not isinstance(value, (str, bytes)) else ()
    )
    if not listed:
        raise ValueError(
            f"Expected {name} to be a list of whole numbers, such as (16, 32, 64). {received(name, value)}"
        )
    return tuple(whole_number(f"every number in {name}", number, at_least) for number in listed)


def feature_map(name: str, value):
    """A tensor `(batch, H, W, channels)`, symbolic or not.

    Raises:
        ValueError: If it has another number of axes.
        TypeError: If it is no tensor.
    """
    shape = getattr(value, "shape", None)
    if shape is None:
        raise TypeError(
            f"Expected {name} to be a tensor (batch, H, W, channels). {received(name, value)}"
        )
    if len(shape) != 4:
        raise ValueError(
            f"Expected {name} to be a tensor (batch, H, W, channels). Received: {name} of shape {tuple(shape)}"
        )
    return value


def image(name: str, value, channels: int = 3) -> np.ndarray:
    """A picture as the package passes it around: `(H, W, channels)`, 0–255.

    Args:
        name: The argument's.
        value: What was received.
        channels: How many are right; 0: any number.

    Raises:
        ValueError: If it has another shape, or its values are those after some preprocessing.
    """
    found = image_layout(name, value, channels)
    image_values(name, found)
    return found


def image_layout(name: str, value, channels: int = 3) -> np.ndarray:
    """As `image`, but without a look at its values: for pictures larger than memory."""
    layout = f"(H, W, {channels or 'channels'}), 0–255"
    found = array(name, value, 3, layout, _image_hint(value))
    if channels and found.shape[2] != channels:
        raise ValueError(
            f"Expected {name} to be an array of numbers, {layout}. {received(name, found)}"
        )
    return found


def _image_hint(value) -> str:
    if isinstance(value, (str, os.PathLike)):
        return "images.read_image(path) reads a file."
    return (
        "One image at a time: take image[0] of a batch." if getattr(value, "ndim", 0) == 4 else ""
    )


def image_values(name: str, found: np.ndarray, whole: bool = True) -> None:
    """The one rule for the values of an image: 0 to 255, and not scaled to 0–1.

    Args:
        name: The argument's.
        found: The image, or a part of it.
        whole: Whether it is the whole image. A dark part may well have no value above 1.

    Raises:
        ValueError: If its values are others; a half above 255 is allowed, which resizing may add.
    """
    if found.dtype == np.uint8:
        return
    low, high = float(found.min()), float(found.max())
    # 0 to 1, and what a resizing filter adds to it; a few pixels may be that dark
    scaled = whole and 0 < high < 2 and found.size > 3 * 64 and found.dtype.kind == "f"
    if scaled or not 0 <= low <= high <= 255.5:  # false for NaN too
        values = f"{low:.4g} to {high:.4g}" if np.isfinite([low, high]).all() else "NaN or infinity"
        mend = "multiply by 255" if scaled else "give it the picture as it is"
        raise ValueError(
            f"Expected {name} to hold values 0 to 255. Received: {values}. "
            f"The model does all preprocessing itself: {mend}."
        )


def drawable(name: str, value) -> np.ndarray:
    """A picture to draw, in colour or grey; its values may also be 0–1.

    Raises:
        ValueError: If it has another number of axes.
    """
    return array(
        name, value, (2, 3), "(H, W, 3), 0–255", "One picture at a time: take image[0] of a batch."
    )


def drawables(name: str, value):
    """Several pictures to draw, at least one.

    Raises:
        ValueError: If it is something else, or one of them is no picture.
    """
    if not isinstance(value, (list, tuple, np.ndarray)) or not len(value):
        raise ValueError(
            f"Expected {name} to be a list of arrays, at least one. {received(name, value)}"
        )
    for one in value:
        array(f"every one of {name}", one, (2, 3), "(H, W) or (H, W, 3)")
    return value


def table(name: str, value):
    """A mapping with an entry for each thing to draw.

    Raises:
        ValueError: If it is something else, or empty.
    """
    if not isinstance(value, Mapping) or not value:
        wanted = "a table with an entry for each thing to draw"
        raise ValueError(f"Expected {name} to be {wanted}. {received(name, value)}")
    return value


def rows(name: str, value):
    """The rows of `models.describe`.

    Raises:
        ValueError: If it is something else.
    """
    if (
        not isinstance(value, (list, tuple))
        or not value
        or not all(hasattr(row, "output_shape") for row in value)
    ):
        raise ValueError(
            f"Expected {name} to be models.describe(model, size=(H, W)). {received(name, value)}"
        )
    return value


def encoder(name: str, value):
    """A backbone with the layers that an FCN reads.

    Raises:
        TypeError: If it is no model.
        ValueError: If `pool3`, `pool4` or `pool5` is missing.
    """
    model(name, value)
    there = {layer.name for layer in value.layers}
    missing = [pool for pool in ("pool3", "pool4", "pool5") if pool not in there]
    if missing:
        raise ValueError(
            f"Expected a {name} with layers pool3, pool4 and pool5 at 1/8, 1/16 and 1/32 of the image. "
            f"Received: {value.name!r} without {', '.join(missing)}"
        )
    return value


def palette(name: str, value) -> np.ndarray:
    """A colour for each class, `(classes, 3)`, 0–255.

    Raises:
        ValueError: If it is of another shape, or has more than 256 colours.
    """
    colours = array(name, value, 2, "(classes, 3), 0–255")
    if colours.shape[1] != 3 or len(colours) > 256 or colours.min() < 0 or colours.max() > 255:
        raise ValueError(
            f"Expected {name} to hold a colour (r, g, b) for each class, 0–255. {received(name, colours)}"
        )
    return colours


def class_numbers(
    name: str, value, num_classes: int | None = None, void: bool = True
) -> np.ndarray:
    """The one rule for class numbers, in an array of any shape: 0 to C − 1, or 255 for void.

    Args:
        name: The argument's name.
        value: What was received.
        num_classes: C; `None`: any whole number is a class.
        void: Whether 255 is allowed.

    Raises:
        ValueError: If it does not hold whole numbers, or one of them is not a class.
    """
    labels = np.asarray(value)
    if labels.dtype.kind not in "ui":
        raise ValueError(
            f"Expected {name} to hold whole class numbers. "
            f"Received: {name} of dtype {labels.dtype}. {ARGMAX}"
        )
    if num_classes is None or not labels.size or 0 <= labels.min() <= labels.max() < num_classes:
        return labels
    wrong = labels[((labels < 0) | (labels >= num_classes)) & ((labels != VOID) | (not void))]
    if wrong.size:
        classes = f"class numbers 0 to {num_classes - 1}" + f", or {VOID} for void" * void
        raise ValueError(f"Expected {name} to hold {classes}. Received: {wrong[0]}")
    return labels


def counts(name: str, value) -> np.ndarray:
    """A confusion matrix: `(C, C)`, numbers of pixels.

    Raises:
        ValueError: If it is not square, or holds something other than whole numbers of at least 0.
    """
    table = array(name, value, 2, "(C, C), pixels of each class predicted as each class")
    if table.shape[0] != table.shape[1] or table.dtype.kind not in "ui" or table.min() < 0:
        wanted = "(C, C) whole numbers of at least 0"
        raise ValueError(f"Expected {name} to be {wanted}. {received(name, table)}")
    return table
