"""A model as a table, one row per layer (lecture: L23)."""

from dataclasses import dataclass

import keras

from fcn_keras.support import graph
from fcn_keras.support.kinds import Model, Size, checked


@dataclass(frozen=True)
class Row:
    """One layer of a model, or one function of `keras.ops`, as `describe` lists it."""

    name: str
    kind: str  # class name, such as "Conv2D"
    output_shape: tuple  # (H, W, C); None where the image decides
    trained: bool  # False: frozen, or nothing to train
    parameters: int
    inputs: tuple[str, ...]  # names of the rows that it reads
    detail: str = ""  # kernel and stride, such as "4×4, stride 2"


@checked
def describe(model: Model, size: Size | None = None) -> list[Row]:
    """A model as a table, in the order in which it computes (lecture: L23).

    Figures are drawn from it, so that they need no model.

    Args:
        model: A functional model.
        size: Height and width of an image, to have shapes in numbers instead of `None`.

    Returns:
        One `Row` per layer, and one per function of `keras.ops`. A model used as a layer is one
        row. A layer that is called several times is one row, with the inputs of its first call.

    Example:
        >>> for row in fcn.models.describe(fcn.models.cae(widths=(4, 8)), size=(32, 48))[2:5]:
        ...     print(row.name, row.output_shape, row.parameters, row.detail, row.inputs)
        conv1 (16, 24, 4) 112 3×3, stride 2 ('from_pixels',)
        conv2 (8, 12, 8) 296 3×3, stride 2 ('conv1',)
        up1 (16, 24, 4) 516 4×4, stride 2 ('conv2',)
    """
    calls: dict[str, graph.Step] = {}
    for step in graph.steps(model):
        calls.setdefault(step.name, step)
    outputs = [step.outputs[0] for step in calls.values()]
    if size is not None:
        image = keras.KerasTensor((1, *size, model.input_shape[-1]), dtype=model.inputs[0].dtype)
        outputs = keras.Model(model.inputs, outputs).compute_output_spec(image)
    return [_row(step, output) for step, output in zip(calls.values(), outputs, strict=True)]


def _row(step: graph.Step, output) -> Row:
    layer, shape = step.operation, tuple(output.shape[1:])
    kind = type(layer).__name__
    if step.is_function:
        return Row(step.name, kind, shape, trained=False, parameters=0, inputs=step.reads)
    trained = bool(layer.trainable_weights)
    return Row(step.name, kind, shape, trained, layer.count_params(), step.reads, _detail(layer))


def _detail(layer) -> str:
    if not isinstance(layer, (keras.layers.Conv2D, keras.layers.Conv2DTranspose)):
        return ""
    kernel = "×".join(map(str, layer.kernel_size))
    return kernel if layer.strides == (1, 1) else f"{kernel}, stride {layer.strides[0]}"
