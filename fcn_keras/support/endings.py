"""What a model ends in: scores, or what a softmax or another activation has made of them.

Behind the operation that makes a model's outputs there may be others that only cut, pad, enlarge or
rearrange them. The way back leads past these, and into models that are used as layers.
"""

import numpy as np

from fcn_keras.support import graph

# Layers and functions of keras.ops that leave values as they are, or interpolate between them
LAYERS = (
    "Identity Dropout SpatialDropout2D ActivityRegularization UpSampling2D Cropping2D CenterCrop "
    "Resizing ZeroPadding2D Reshape Permute CropToMatch"
)
FUNCTIONS = (
    "Resize CropImages PadImages Pad GetItem Slice Transpose Swapaxes Moveaxis Squeeze ExpandDims "
    "Flip Repeat Tile BroadcastTo Copy Cast SaturateCast Clip StopGradient"
)
KEEPING = frozenset(f"{LAYERS} {FUNCTIONS}".split())
ACTIVATIONS = ("softmax", "sigmoid", "relu")  # are layers and functions of their own, too


def last_operation(model):
    """The operation that makes the values of a model's first output.

    Returns:
        A layer or a function of `keras.ops`; `None` if the model's graph is not known.
    """
    outputs = getattr(model, "outputs", None)
    return _maker(outputs[0]) if outputs else None


def _maker(tensor):
    entered = []  # the steps whose operations are the models that the way back has led into
    while True:
        step = graph.step_of(tensor)
        if graph.is_model(step.operation):
            entered.append(step)
            tensor = step.operation.outputs[step.outputs.index(tensor)]
        elif not step.inputs and entered:  # the input of such a model
            outer = entered.pop()
            tensor = outer.inputs[outer.operation.inputs.index(tensor)]
        elif _keeps_values(step.operation):
            tensor = step.inputs[0]
        else:
            return step.operation


def _keeps_values(operation) -> bool:
    kind = graph.kind(operation)
    return kind in KEEPING or (kind == "Activation" and activation_of(operation) == "linear")


def activation_of(operation) -> str:
    """The activation that an operation is, or that a layer has: "softmax", "linear", …

    Returns:
        `""` if it is not known, as for a layer that Keras does not have.
    """
    kind = graph.kind(operation)
    if (name := kind.lower()) in ACTIVATIONS:
        return name
    activation = getattr(operation, "activation", None)
    if activation is not None:
        return getattr(activation, "__name__", type(activation).__name__).lower()
    return "linear" if kind and getattr(operation, "weights", ()) else ""


def gives_probabilities(model, scores: np.ndarray) -> bool:
    """Whether a softmax has made a model's outputs already; its outputs for one image tell, too."""
    return activation_of(last_operation(model)) == "softmax" or sum_to_one(scores)


def sum_to_one(scores: np.ndarray) -> bool:
    """Whether the numbers of every pixel are probabilities, as behind a softmax, in 16 bits too."""
    sums = scores.astype("float32").sum(axis=-1)
    return bool(scores.min() >= 0 and np.allclose(sums, 1, atol=0.02))
