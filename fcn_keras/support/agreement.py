"""Whether two arguments fit together: two label maps, a model and an image, a model and a data set.

What a single argument may be is in `arguments`.
"""

import numpy as np

from fcn_keras.support import arguments


def require_same_shape(**arrays: np.ndarray) -> None:
    """Raises unless two arrays, given by their arguments' names, have the same shape.

    Raises:
        ValueError: If they do not.
    """
    (first, one), (second, other) = arrays.items()
    if one.shape != other.shape:
        raise ValueError(
            f"Expected {first} and {second} to have one shape. "
            f"Received: {one.shape} and {other.shape}"
        )


def require_name_for_each(name: str, value, count: int) -> None:
    """Raises unless there is a name for each of `count` classes.

    Raises:
        ValueError: If there are more or fewer, or they are not names.
    """
    if len(arguments.names(name, value)) != count:
        raise ValueError(
            f"Expected {name} to hold a name for each of {count} classes. "
            f"{arguments.received(name, value)}"
        )


def float_image_for(model, value) -> np.ndarray:
    """Converts an image to what a model takes: float32 `(H, W, channels)`, 0–255.

    Raises:
        ValueError: If it is not an image, or the model takes another size or other channels.
    """
    image = arguments.image("image", value, model.input_shape[-1])
    arguments.fits("model", model, image.shape)
    return image.astype("float32")


def layer_of(model, name: str):
    """The layer of a model that has this name.

    Raises:
        ValueError: If there is none.
    """
    if name not in {layer.name for layer in model.layers}:
        raise ValueError(
            f"Expected names of layers of {model.name!r}, see `models.describe`. Received: {name!r}"
        )
    return model.get_layer(name)


def require_pools(backbone, size, found: dict, wanted: dict) -> None:
    """Raises unless the pools of an encoder have the sizes that an FCN needs.

    Args:
        backbone: The encoder.
        size: Height and width of an image.
        found: Height and width of its pools, by their names; `{}` if it cannot take the image.
        wanted: The same, as they have to be.

    Raises:
        ValueError: If they differ.
    """
    if found == wanted:
        return
    image = " x ".join(map(str, size))
    received = f"which takes no image of {image}"
    for name in found:
        if found[name] != wanted[name]:
            is_, should = (" x ".join(map(str, sizes[name])) for sizes in (found, wanted))
            received = f"whose {name} is {is_ or 'no map'} for an image of {image}, not {should}"
            break
    fixed = None not in backbone.inputs[0].shape[1:3]
    raise ValueError(
        "Expected a backbone whose pool3, pool4 and pool5 are the image at 1/8, 1/16 and 1/32 of "
        f"its size, rounded up. Received: {backbone.name!r}, {received}"
        + (". With input_shape=(None, None, 3) it may fit any size." if fixed else "")
    )


def require_scores_of_every_pixel(model, labelled, size) -> None:
    """Raises unless a model gives class scores for every pixel of an image.

    Args:
        model: The model.
        labelled: Height and width of the map that it gave for the image.
        size: Height and width of the image.

    Raises:
        ValueError: If they differ.
    """
    if tuple(labelled) != tuple(size):
        height_width = " x ".join(map(str, labelled))
        given = f"a map of {height_width}" if height_width else "one score per class"
        raise ValueError(
            f"Expected model to give class scores for every pixel of {size[0]} x {size[1]}. "
            f"Received: {model.name!r}, which gives {given}"
        )


def require_output_for_each_class(model, data) -> None:
    """Raises unless a model has one output for each class of a data set.

    Raises:
        ValueError: If it has more or fewer.
    """
    if model.output_shape[-1] != data.num_classes:
        raise ValueError(
            f"Expected a model with {data.num_classes} outputs, one for each class of the data "
            f"({', '.join(data.class_names)}). "
            f"Received: {model.name!r} with {model.output_shape[-1]}"
        )


def require_scorable(model, data) -> None:
    """Raises unless a model can be scored on a data set.

    Raises:
        ValueError: If the data set is empty, or the model does not have one output for each class.
    """
    require_output_for_each_class(model, data)
    if len(data) == 0:
        raise ValueError(f"Expected at least one image. Received: {data!r}")


def require_finite_scores(model, finite) -> None:
    """Raises if a model's class scores are not numbers: the highest of them means nothing.

    Args:
        model: The model.
        finite: Whether each of them is finite; NumPy's array, of any shape.

    Raises:
        ValueError: If one is NaN or infinite.
    """
    if not np.all(finite):
        raise ValueError(
            f"Expected class scores that are numbers. Received: NaN or infinity from "
            f"{model.name!r}. A training that diverged leaves such weights behind: train a new "
            "model at a lower learning rate."
        )


def require_class_order(class_names, data) -> None:
    """Raises unless a data set numbers its classes as a model does.

    Args:
        class_names: In the model's order; empty if the model does not say.
        data: The data set.

    Raises:
        ValueError: If they differ.
    """
    if class_names and tuple(class_names) != data.class_names:
        raise ValueError(
            f"Expected data with the model's classes, {', '.join(class_names)}, in this order. "
            f"Received: {', '.join(data.class_names)}. data.in_order({list(class_names)}) "
            "reorders them."
        )
