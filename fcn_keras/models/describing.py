"""A model as a table, one row per layer (lecture: L23)."""

from dataclasses import dataclass

import keras

from fcn_keras.support import arguments


def inputs_of(layer) -> list[str]:
    """Names of the layers whose outputs a layer of a functional model reads; none for its input."""
    if layer.__class__.__name__ == "InputLayer":
        return []
    tensors = layer.input if isinstance(layer.input, (list, tuple)) else [layer.input]
    return [tensor._keras_history.operation.name for tensor in tensors]


@dataclass(frozen=True)
class Row:
    """One layer of a model, as `describe` lists it."""

    name: str
    kind: str  # class name, such as "Conv2D"
    output_shape: tuple  # (H, W, C); None where the image decides
    trained: bool  # False: frozen, or nothing to train
    parameters: int
    inputs: tuple[str, ...]  # names of the layers it reads
    detail: str = ""  # kernel and stride, such as "4×4, stride 2"


def describe(model: keras.Model, size: tuple[int, int] | None = None) -> list[Row]:
    """A model as a table, in the order in which it computes; figures are drawn from it (lecture: L23).

    Args:
        model: A flat functional model.
        size: Height and width of an image, to have shapes in numbers instead of `None`.

    Returns:
        One `Row` per layer.
    """
    arguments.model("model", model)
    size = None if size is None else arguments.size("size", size)
    shapes = [layer.output.shape for layer in model.layers]
    if size is not None:
        probe = keras.Model(model.inputs, [layer.output for layer in model.layers])
        image = keras.KerasTensor((1, *size, model.input_shape[-1]), dtype=model.inputs[0].dtype)
        shapes = [tensor.shape for tensor in probe.compute_output_spec(image)]
    return [
        Row(
            layer.name,
            layer.__class__.__name__,
            tuple(shape[1:]),
            bool(layer.trainable_weights),
            layer.count_params(),
            tuple(inputs_of(layer)),
            _detail(layer),
        )
        for layer, shape in zip(model.layers, shapes, strict=True)
    ]


def _detail(layer) -> str:
    if not isinstance(layer, (keras.layers.Conv2D, keras.layers.Conv2DTranspose)):
        return ""
    kernel = "×".join(map(str, layer.kernel_size))
    return kernel if layer.strides == (1, 1) else f"{kernel}, stride {layer.strides[0]}"
