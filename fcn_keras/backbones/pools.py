"""How large the pools of an encoder are, and how large they have to be."""

import keras

from fcn_keras.geometry.sizes import ceil_div

STRIDES = {"pool3": 8, "pool4": 16, "pool5": 32}


def rounded_up(size) -> dict[str, tuple[int, ...]]:
    """What an FCN needs for an image of a size: `{"pool3": (⌈H/8⌉, ⌈W/8⌉), …}`."""
    return {name: tuple(ceil_div(side, by) for side in size) for name, by in STRIDES.items()}


def measured(model: keras.Model, size) -> dict:
    """Height and width of a model's outputs for an image of a size, without computing them.

    Args:
        model: A functional model with one input, whose output is a dict of tensors.
        size: Height and width of the image.

    Returns:
        Name → (height, width), `()` for what is no map; `{}` if the model cannot take the image.
    """
    given = model.inputs[0]
    try:
        maps = model.compute_output_spec(
            keras.KerasTensor((1, *size, given.shape[-1]), given.dtype)
        )
    except Exception:  # each layer, and each backend, says it in its own way
        return {}
    return {
        name: tuple(one.shape[1:3]) if len(one.shape) == 4 else () for name, one in maps.items()
    }
