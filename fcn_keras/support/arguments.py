"""Checks of arguments: a wrong one is answered before anything is done with it.

Each function takes an argument's name and its value, and returns the value or raises. The message
names the argument, says what was expected and what was received and, where possible, what to do.
`kinds` puts these checks into signatures. Nothing here loads Keras.
"""

import os
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import numpy as np

from fcn_keras.support import endings, graph
from fcn_keras.support.labels import VOID

VOID_IS_NO_CLASS = "One of the classes may be 'background'; void is not a class."
ARGMAX = "np.argmax(…, axis=-1) makes class numbers of logits or one-hot labels."
LONGEST = 80  # characters of a received value that a message shows


# Messages


def received(name: str, value) -> str:
    """The end of a message: `Received: steps='ten'`."""
    return f"Received: {name}={_shown(value)}"


def _shown(value) -> str:
    if isinstance(value, np.ndarray):
        return f"an array of shape {value.shape}, {value.dtype}"
    text = " ".join(repr(value).split())
    return text if len(text) <= LONGEST else text[: LONGEST - 2] + " …"


def _wrong(name: str, wanted: str, value, hint: str = "") -> str:
    """The message `Expected steps to be a whole number. Received: steps='ten'. …`."""
    return f"Expected {name} to be {wanted}. {received(name, value)}{_sentence(hint)}"


def _sentence(hint: str) -> str:
    return f". {hint}" if hint else ""


# Numbers


def whole_number(
    name: str, value, at_least: int | None = None, at_most: int | None = None, hint: str = ""
) -> int:
    """`value` as `int`.

    Args:
        name: The argument's name, for the message.
        value: What was received; `True` and `2.0` are not whole numbers.
        at_least, at_most: The range, ends included.
        hint: A sentence that says what to do.

    Raises:
        ValueError: If it is not a whole number in the range.
    """
    if not _is_whole(value) or not _within(value, at_least, at_most):
        wanted = f"a whole number{_range(at_least, at_most)}"
        raise ValueError(_wrong(name, wanted, value, hint))
    return int(value)


def number(name: str, value, above=None, at_least=None, at_most=None, hint: str = "") -> float:
    """`value` as `float`. Args as `whole_number`; `above` is the lower end, not included.

    Raises:
        ValueError: If it is not a finite number in the range.
    """
    right = _is_whole(value) or isinstance(value, (float, np.floating))
    if (
        not right
        or not np.isfinite(value)
        or not _within(value, at_least, at_most)
        or (above is not None and value <= above)
    ):
        lower_end = f" above {above}" if above is not None else ""
        wanted = f"a number{lower_end}{_range(at_least, at_most)}"
        raise ValueError(_wrong(name, wanted, value, hint))
    return float(value)


def whole_numbers(name: str, value, at_least: int = 1) -> tuple[int, ...]:
    """A list of whole numbers, such as widths; not empty.

    Raises:
        ValueError: If it is something else, or one of them is too small.
    """
    listed = _listed(value)
    if not listed:
        raise ValueError(_wrong(name, "a list of whole numbers, such as (16, 32, 64)", value))
    return tuple(whole_number(f"every number in {name}", one, at_least) for one in listed)


def map_shape(name: str, value) -> tuple[int, int, int]:
    """Height, width and channels of a map.

    Raises:
        ValueError: If it is not three whole numbers of at least 1.
    """
    if len(_listed(value)) != 3:
        raise ValueError(_wrong(name, "(H, W, C), three whole numbers", value))
    height, width, channels = whole_numbers(name, value)
    return height, width, channels


def block_widths(name: str, value) -> tuple[tuple[int, ...], ...]:
    """For each block of an encoder, the channels of its convolutions.

    Raises:
        ValueError: If it is not a list of lists of whole numbers.
    """
    blocks = value if isinstance(value, (tuple, list)) and value else [value]
    every = f"{name} (a list for each block, such as ((16,), (32, 32)))"
    return tuple(whole_numbers(every, block) for block in blocks)


def mean_colour(name: str, value) -> tuple[float, ...]:
    """The mean of each of three colour channels.

    Raises:
        ValueError: If it is not three numbers from 0 to 255.
    """
    listed = _listed(value)
    if len(listed) != 3:
        raise ValueError(_wrong(name, "three numbers, 0–255", value))
    every = f"every number in {name}"
    return tuple(number(every, mean, at_least=0, at_most=255) for mean in listed)


def size(name: str, value) -> tuple[int, int]:
    """Height and width in pixels.

    Raises:
        ValueError: If `value` is not two whole numbers of at least 1.
    """
    pair = tuple(value) if isinstance(value, (tuple, list, np.ndarray)) else ()
    if len(pair) != 2 or not all(_is_whole(length) and length >= 1 for length in pair):
        wanted = "(height, width), two whole numbers of at least 1"
        raise ValueError(_wrong(name, wanted, value))
    return int(pair[0]), int(pair[1])


def input_size(name: str, value):
    """What pictures are resized to: a size, `"trained"` or `None`."""
    as_trained = isinstance(value, str) and value == "trained"
    return value if value is None or as_trained else size(name, value)


def bands(name: str, value) -> tuple[int, ...]:
    """Which three bands of a file are red, green and blue.

    Raises:
        ValueError: If it is not three whole numbers of at least 0.
    """
    if len(_listed(value)) != 3:
        raise ValueError(_wrong(name, "three whole numbers, counted from 0: (2, 1, 0)", value))
    return whole_numbers(name, value, at_least=0)


def scale(name: str, value) -> tuple[float, float]:
    """The values that become 0 and 255.

    Raises:
        ValueError: If it is not two different numbers.
    """
    pair = _listed(value)
    if len(pair) != 2 or pair[0] == pair[1]:
        raise ValueError(_wrong(name, "(black, white), two different numbers", value))
    black, white = (number(f"every number in {name}", one) for one in pair)
    return black, white


def _is_whole(value) -> bool:
    return isinstance(value, (int, np.integer)) and not isinstance(value, bool)


def _within(value, at_least, at_most) -> bool:
    return (at_least is None or value >= at_least) and (at_most is None or value <= at_most)


def _range(at_least, at_most) -> str:
    if at_least is None and at_most is None:
        return ""
    if at_most is None:
        return f" of at least {at_least}"
    return f" of at most {at_most}" if at_least is None else f" from {at_least} to {at_most}"


def _listed(value) -> tuple:
    """The members of a list; none of a text, which is not a list here."""
    is_list = isinstance(value, Iterable) and not isinstance(value, (str, bytes))
    return tuple(value) if is_list else ()


# Choices, names, files


def one_of(name: str, value, choices: Iterable, hint: str = ""):
    """`value`, if it is among `choices`. `True` is not 1 here, and 2.0 is not 2.

    Raises:
        ValueError: If it is not among them.
    """
    choices = tuple(choices)
    if not any(
        value is choice or (type(value) is type(choice) and value == choice) for choice in choices
    ):
        wanted = f"one of {', '.join(map(repr, choices))}"
        raise ValueError(_wrong(name, wanted, value, hint))
    return value


def names(name: str, value, at_least: int = 1) -> tuple[str, ...]:
    """A list of different names, such as those of classes.

    Raises:
        ValueError: If it is one text instead of a list, if it holds something other than text, or
            if it is too short or holds a name twice.
    """
    listed = _listed(value)
    if not all(isinstance(one, str) and one for one in listed) or len(listed) < at_least:
        wanted = f"a list of at least {at_least} names, such as ('grass', 'road')"
        raise ValueError(_wrong(name, wanted, value))
    if len(set(listed)) < len(listed):
        twice = next(one for one in listed if listed.count(one) > 1)
        raise ValueError(f"Expected {name} to hold every name once. Received: {twice!r} twice")
    return listed


def path(name: str, value) -> Path:
    """`value` as a `Path`; it need not exist.

    Raises:
        TypeError: If it is neither text nor a path.
    """
    if not isinstance(value, (str, os.PathLike)) or str(value) == "":
        raise TypeError(_wrong(name, "a path, such as 'my_pictures'", value))
    return Path(value)


def existing_file(name: str, value, wanted: str) -> Path:
    """`value` as the `Path` of a file that is there.

    Args:
        name: The argument's name.
        value: What was received.
        wanted: What the message asks for, such as `"a weights file (.npz)"`.

    Raises:
        FileNotFoundError: If no file is there.
        TypeError: If it is neither text nor a path.
    """
    file = path(name, value)
    if not file.is_file():
        why = "which is a folder" if file.is_dir() else "which is not there"
        raise FileNotFoundError(f"Expected {wanted}. Received: {file}, {why}.")
    return file


def keras_file(name: str, value, exists: bool = False) -> Path:
    """`value` as the `Path` of a model file; whether it must exist is asked first.

    Raises:
        FileNotFoundError: If it must exist and does not.
        ValueError: If it does not end in `.keras`.
        TypeError: If it is neither text nor a path.
    """
    wanted = "a saved model, such as model.keras"
    file = existing_file(name, value, wanted) if exists else path(name, value)
    if file.suffix != ".keras":
        raise ValueError(
            f"Expected a file that ends in .keras, as models.save writes it. Received: {file}"
        )
    return file


def table(name: str, value):
    """A mapping with an entry for each thing to draw.

    Raises:
        ValueError: If it is something else, or empty.
    """
    if not isinstance(value, Mapping) or not value:
        raise ValueError(_wrong(name, "a table with an entry for each thing to draw", value))
    return value


def instance(name: str, value, of: type, by: str):
    """An object of a class of ours.

    Args:
        name: The argument's name.
        value: What was received.
        of: The class.
        by: The function that makes one, for the message.

    Raises:
        TypeError: If it is something else.
    """
    if not isinstance(value, of):
        raise TypeError(_wrong(name, f"a {of.__name__}, as {by} gives it", value))
    return value


# Arrays


def array(
    name: str, value, dimensions: int | Sequence[int], layout: str, hint: str = ""
) -> np.ndarray:
    """`value` as an array of numbers.

    Args:
        name: The argument's name.
        value: What was received.
        dimensions: How many axes it must have, or which numbers of axes are right. No axis may be
            empty.
        layout: For the message, such as `"(H, W, 3)"`.
        hint: A sentence that says what to do.

    Raises:
        ValueError: If it has another number of axes, is empty, or does not hold numbers.
    """
    allowed = (dimensions,) if isinstance(dimensions, int) else tuple(dimensions)
    try:
        found = np.asarray(value)
    except ValueError:  # lists of unequal length
        found = np.array(None)
    of_numbers = found.dtype.kind in "buif"
    if not of_numbers or found.ndim not in allowed or 0 in found.shape:
        what = f"shape {found.shape}, {found.dtype}" if of_numbers else _shown(value)
        raise ValueError(
            f"Expected {name} to be an array of numbers, {layout}. "
            f"Received: {name} of {what}{_sentence(hint)}"
        )
    return found


def square_kernel(name: str, value) -> np.ndarray:
    """A kernel `(k, k)` of one channel.

    Raises:
        ValueError: If it has another shape.
    """
    kernel = array(name, value, 2, "(k, k)")
    if kernel.shape[0] != kernel.shape[1]:
        raise ValueError(_wrong(name, "square, (k, k)", kernel))
    return kernel


def label_map(name: str, value, num_classes: int | None = None) -> np.ndarray:
    """A label map `(H, W)` of class numbers, 255 for void.

    Raises:
        ValueError: If it does not have two axes, does not hold whole numbers, or holds a number
            that is not a class.
    """
    labels = array(name, value, 2, "(H, W), class numbers", ARGMAX)
    return class_numbers(name, labels, num_classes)


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


def palette(name: str, value) -> np.ndarray:
    """A colour for each class, `(classes, 3)`, 0–255.

    Raises:
        ValueError: If it has another shape, or more than 256 colours.
    """
    colours = array(name, value, 2, "(classes, 3), 0–255")
    if colours.shape[1] != 3 or len(colours) > 256 or colours.min() < 0 or colours.max() > 255:
        raise ValueError(
            f"Expected {name} to hold a colour (r, g, b) for each class, 0–255. "
            f"{received(name, colours)}"
        )
    return colours


# Pictures


def image(name: str, value, channels: int = 3) -> np.ndarray:
    """A picture as the package passes it around: `(H, W, channels)`, 0–255.

    Args:
        name: The argument's name.
        value: What was received.
        channels: How many channels are right; 0: any number.

    Raises:
        ValueError: If it has another shape, or if its values were preprocessed.
    """
    found = image_layout(name, value, channels)
    image_values(name, found)
    return found


def image_layout(name: str, value, channels: int = 3) -> np.ndarray:
    """As `image`, but without a look at the values: for pictures larger than memory."""
    layout = f"(H, W, {channels or 'channels'}), 0–255"
    found = array(name, value, 3, layout, _image_hint(value))
    if channels and found.shape[2] != channels:
        raise ValueError(_wrong(name, f"an array of numbers, {layout}", found))
    return found


def _image_hint(value) -> str:
    if isinstance(value, (str, os.PathLike)):
        return "images.read_image(path) reads a file."
    is_batch = getattr(value, "ndim", 0) == 4
    return "One image at a time: take image[0] of a batch." if is_batch else ""


def image_values(name: str, found: np.ndarray, whole: bool = True) -> None:
    """The one rule for the values of an image: they go from 0 to 255, and are not scaled to 0–1.

    Resizing may add up to half a grey level above 255.

    Args:
        name: The argument's name.
        found: The image, or a part of it.
        whole: Whether it is the whole image. A dark part may well have no value above 1.

    Raises:
        ValueError: If its values are different.
    """
    if found.dtype == np.uint8:
        return
    low, high = float(found.min()), float(found.max())
    # 0 to 1, and what a resizing filter adds to it; a few pixels may be that dark
    scaled = whole and 0 < high < 2 and found.size > 3 * 64 and found.dtype.kind == "f"
    if scaled or not 0 <= low <= high <= 255.5:  # the comparison is false for NaN too
        values = f"{low:.4g} to {high:.4g}" if np.isfinite([low, high]).all() else "NaN or infinity"
        mend = "multiply by 255" if scaled else "give it the picture unchanged"
        raise ValueError(
            f"Expected {name} to hold values 0 to 255. Received: {values}. "
            f"The model does all preprocessing itself: {mend}."
        )


def drawable(name: str, value) -> np.ndarray:
    """A picture to draw, in colour or grey; its values may also be 0–1.

    Raises:
        ValueError: If it has another number of axes.
    """
    hint = "One picture at a time: take image[0] of a batch."
    return array(name, value, (2, 3), "(H, W, 3), 0–255", hint)


def drawables(name: str, value):
    """Several pictures to draw, at least one.

    Raises:
        ValueError: If it is something else, or one of them is not a picture.
    """
    if not isinstance(value, (list, tuple, np.ndarray)) or not len(value):
        raise ValueError(_wrong(name, "a list of arrays, at least one", value))
    for one in value:
        array(f"every one of {name}", one, (2, 3), "(H, W) or (H, W, 3)")
    return value


# Tensors, layers, models: told by what they have and by the names of their classes, so that Keras
# need not be loaded


def feature_map(name: str, value):
    """A tensor `(batch, H, W, channels)`, symbolic or not.

    Raises:
        ValueError: If it has another number of axes.
        TypeError: If it is not a tensor.
    """
    wanted = "a tensor (batch, H, W, channels)"
    shape = getattr(value, "shape", None)
    if shape is None:
        raise TypeError(_wrong(name, wanted, value))
    if len(shape) != 4:
        raise ValueError(
            f"Expected {name} to be {wanted}. Received: {name} of shape {tuple(shape)}"
        )
    return value


def can_be_cut(coarse, fine) -> None:
    """Whether an upsampled map is at least as large as the map to whose size it is cut.

    Raises:
        ValueError: If it is known to be smaller.
    """
    sizes = zip(coarse.shape[1:3], fine.shape[1:3], strict=True)
    if any(None not in pair and pair[0] < pair[1] for pair in sizes):
        raise ValueError(
            "Expected coarse to be at least as large as fine, so that it can be cut. Received: "
            f"{coarse.shape[1]} x {coarse.shape[2]} and {fine.shape[1]} x {fine.shape[2]}. "
            "Was it upsampled?"
        )


def same_channels(coarse, fine, purpose: str) -> None:
    """Whether two maps have the same number of channels.

    Raises:
        ValueError: If they have not.
    """
    if coarse.shape[-1] != fine.shape[-1]:
        raise ValueError(
            f"Expected two maps with the same number of channels to {purpose}; a 1 x 1 convolution "
            f"can make them agree. Received: coarse {coarse.shape[-1]}, fine {fine.shape[-1]}"
        )


def layer(name: str, value, kind: str = "Layer"):
    """A Keras layer.

    Args:
        name: The argument's name.
        value: What was received.
        kind: The class in `keras.layers` that it must have, or inherit from.

    Raises:
        TypeError: If it is something else.
    """
    if not _is_a(value, kind):
        raise TypeError(_wrong(name, f"a keras.layers.{kind}", value))
    return value


def _is_a(value, kind: str) -> bool:
    """Whether a value is of a class of Keras."""
    return any(
        one.__name__ == kind and one.__module__.startswith("keras.") for one in type(value).__mro__
    )


def dense_layer(name: str, value):
    """A built `Dense` layer.

    Raises:
        TypeError: If it is another layer, or not a layer.
        ValueError: If it is not built.
    """
    layer(name, value, "Dense")
    if not value.built:
        raise ValueError(
            "Expected a built dense layer; call the model once. "
            f"Received: {value.name!r}, not built."
        )
    return value


def reads_flattened(dense, shape: tuple[int, int, int]) -> None:
    """Whether a dense layer reads a flattened map of a shape `(H, W, C)`.

    Raises:
        ValueError: If it has not.
    """
    inputs, product = dense.kernel.shape[0], "·".join(map(str, shape))
    if inputs != np.prod(shape):
        raise ValueError(
            f"Expected a dense layer with {product} = {np.prod(shape)} inputs. "
            f"Received: {dense.name!r} with {inputs}"
        )


def model(name: str, value):
    """A Keras model.

    Raises:
        TypeError: If it is something else, such as the path of a model.
    """
    if not hasattr(value, "predict_on_batch"):
        is_path = isinstance(value, (str, os.PathLike))
        hint = " models.load(path) reads a model file." if is_path else ""
        wanted = "a Keras model, as fcn_keras.models builds one"
        raise TypeError(_wrong(name, wanted, value) + hint)
    return value


def functional(name: str, value) -> None:
    """Whether a model's layers can be listed and followed, as those of a subclassed one cannot.

    Raises:
        ValueError: If they cannot.
    """
    if hasattr(value, "layers") and not getattr(value, "outputs", None):
        raise ValueError(
            f"Expected {name} to be a functional or sequential model with an Input. Received: "
            f"{value.name!r}, a {type(value).__name__}, whose layers cannot be followed from input "
            f"to output. image = keras.Input((None, None, 3)); keras.Model(image, {name}(image)) "
            "makes one of it."
        )


def one_input(name: str, value):
    """A Keras model with one input.

    Raises:
        TypeError: If it is not a model.
        ValueError: If it has several inputs.
    """
    model(name, value)
    if len(value.inputs) != 1:
        raise ValueError(
            f"Expected a model with one input. Received: {value.name!r} with {len(value.inputs)}"
        )
    return value


def rgb_model(name: str, value):
    """A Keras model of RGB images whose layers can be followed.

    Raises:
        TypeError: If it is not a model, but a function that builds one, or a name.
        ValueError: If it is subclassed or not built, or takes something else than one RGB image.
    """
    wanted = "a Keras model"
    if isinstance(value, str):
        hint = f"backbones.by_name({value!r}) makes an encoder of a name"
        raise TypeError(_wrong(name, wanted, value, hint))
    if callable(value) and hasattr(value, "__name__"):
        call = f"{value.__name__}(include_top=False, input_shape=(None, None, 3))"
        raise TypeError(_wrong(name, wanted, value, f"Call the function: {call}"))
    model(name, value)
    functional(name, value)
    one_input(name, value)
    shape = value.inputs[0].shape
    if len(shape) != 4 or shape[-1] != 3:
        raise ValueError(
            f"Expected {name} to take RGB images, (batch, height, width, 3). Received: "
            f"{value.name!r}, which takes {shape}"
        )
    return value


def preprocessing(name: str, value):
    """A Keras layer, or the name of what `keras.applications` does with RGB 0–255.

    Raises:
        ValueError: If it is another name.
        TypeError: If it is neither.
    """
    if isinstance(value, str):
        return one_of(name, value, ("caffe", "tf", "torch", "none"))
    return layer(name, value)


def chain(name: str, value):
    """A classifier whose layers `convolutionalize` can rewrite.

    Raises:
        TypeError: If it is not a model.
        ValueError: If it has no fixed input size, branches, or pools globally.
    """
    model(name, value)
    if None in value.input_shape[1:]:
        raise ValueError(
            f"Expected a {name} with a fixed input size (its dense layer fixes one). "
            f"Received: input shape {value.input_shape}"
        )
    for step in graph.steps(value):
        kind = type(step.operation).__name__
        if len(step.inputs) > 1 or step.is_function:
            what = "a function of keras.ops" if step.is_function else "with several inputs"
            raise ValueError(f"Expected a chain of layers. Received: {step.name!r}, {what}")
        if kind.startswith("Global"):
            raise ValueError(
                f"Expected a classifier that flattens its last map. Received: {step.name!r}, a "
                f"{kind}, which averages over the whole image, so that the dense layer behind it "
                "cannot slide over a larger one."
            )
    return value


def encoder(name: str, value):
    """A backbone with the layers, or outputs with names, that an FCN reads.

    Raises:
        TypeError: If it is not a model.
        ValueError: If `pool3`, `pool4` or `pool5` is missing, or it has several inputs.
    """
    model(name, value)
    functional(name, value)
    one_input(name, value)
    outputs = getattr(value, "output", None)  # a Sequential has none
    there = {
        *(outputs if isinstance(outputs, Mapping) else ()),
        *(one.name for one in value.layers),
    }
    missing = [pool for pool in ("pool3", "pool4", "pool5") if pool not in there]
    if missing:
        raise ValueError(
            f"Expected a {name} with layers pool3, pool4 and pool5 at 1/8, 1/16 and 1/32 of the "
            f"image. Received: {value.name!r} without {', '.join(missing)}. keras.Model({name}."
            'input, {"pool3": …, "pool4": …, "pool5": …}) names the outputs of other layers.'
        )
    return value


def scoring_model(name: str, value):
    """A Keras model that takes one picture and gives class scores, logits or probabilities.

    Raises:
        TypeError: If it is not a model.
        ValueError: If it is subclassed, has several inputs or outputs, or ends in something other
            than scores, as an autoencoder does.
    """
    model(name, value)
    functional(name, value)
    inputs, outputs = (list(getattr(value, side, None) or ()) for side in ("inputs", "outputs"))
    if len(inputs) > 1 or len(outputs) > 1:
        raise ValueError(
            f"Expected {name} to take one picture and to give one map of class scores. Received: "
            f"{value.name!r} with {len(inputs)} inputs and {len(outputs)} outputs. "
            f"keras.Model({name}.inputs[0], {name}.outputs[0]) has one of each."
        )
    last = endings.last_operation(value)
    # A softmax leaves the order of the classes as it is. The channels of a sigmoid, or of a map
    # that was rescaled, have nothing to do with each other.
    kind = "sigmoid" if endings.activation_of(last) == "sigmoid" else type(last).__name__
    if kind in ("sigmoid", "Rescaling"):
        raise ValueError(
            f"Expected {name} to give class scores (logits). Received: {value.name!r}, whose last "
            f"layer {getattr(last, 'name', '')!r} is a {kind}, as in an autoencoder, which gives "
            "pixels. models.fcn_from_cae makes a segmentation network of one."
        )
    return value


def fits(name: str, model, shape) -> None:
    """Whether images of a shape `(H, W, channels)` can go into a model.

    Raises:
        ValueError: If the model is made for another size, or for another number of channels.
    """
    wanted = getattr(model, "input_shape", (None,) * 4)[1:]
    if len(wanted) == 3 and any(
        there not in (None, here) for there, here in zip(wanted, shape, strict=True)
    ):
        pixels = f"images of {wanted[0]} x {wanted[1]} pixels, " if wanted[0] else ""
        raise ValueError(
            f"Expected {name} to take images of any size with {shape[2]} channels. Received: "
            f"{model.name!r}, which takes {pixels}{wanted[2]} channels, and an image of "
            f"{shape[0]} x {shape[1]}"
        )


def rows(name: str, value):
    """The rows of `models.describe`.

    Raises:
        ValueError: If it is something else.
    """
    is_list = isinstance(value, (list, tuple)) and len(value) > 0
    if not is_list or not all(hasattr(row, "output_shape") for row in value):
        raise ValueError(_wrong(name, "models.describe(model, size=(H, W))", value))
    return value


def data_set(name: str, value):
    """A `SegmentationData`.

    Raises:
        TypeError: If it is something else, such as an array or a folder's name.
    """
    if not all(hasattr(value, part) for part in ("batches", "class_names", "view")):
        is_path = isinstance(value, (str, os.PathLike))
        hint = " datasets.open_data(folder) opens one." if is_path else ""
        raise TypeError(_wrong(name, "a data set of fcn_keras.datasets", value) + hint)
    return value
