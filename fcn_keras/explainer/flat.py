"""Models as one graph of operations and one flat file of weights, as the page reads them.

The graph is written from the steps of the models. Two steps that do the same with the same weights
to the same inputs are one operation, so that FCN-32s, 16s and 8s behind one frozen encoder hold it
once, and the page computes it once.

Kernels are rounded to 16 bits. Vectors, such as biases, keep 32: they are small. `rounded` gives
the model that the page holds, to compare with.
"""

import hashlib
import json
from collections.abc import Callable
from typing import Any

import keras
import numpy as np

from fcn_keras.support import graph

F16_BITS = 10  # of a float16's significand, stored
ALIGNMENT = 4  # bytes: where a weight may begin


class NotInThePage(ValueError):
    """A model has an operation that the page cannot compute."""


class Graph:
    """What the page holds of some models.

    Attributes:
        operations: Each with `kind`, `inputs` (numbers of operations) and what else its kind needs.
        weights: For each array its `shape`, and either `type` and `offset` in the flat file, or
            `stddev`: the page draws it from a truncated normal distribution.
        models: `{model: {layer: number of its operation}}`.
    """

    def __init__(self):
        self.operations: list[dict] = []
        self.weights: list[dict] = []
        self.models: dict[str, dict[str, int]] = {}
        self._bytes = bytearray()
        self._known: dict[str, int] = {}  # digest of an operation, or of an array → its number

    def add(self, name: str, model, bits: int = F16_BITS, fresh: bool = False) -> None:
        """Adds a model.

        Args:
            name: What the page calls it.
            model: A functional model with one input and one output.
            bits: Stored bits of the significand of each trained kernel. Fewer compress better.
            fresh: Whether the page draws random kernels anew instead of storing them.

        Raises:
            NotInThePage: If the page does not know one of its operations.
        """
        numbers: dict[Any, int] = {}  # tensor → number of the operation that computes it
        layers: dict[str, int] = {}
        for step in graph.steps(model):
            entry = {"kind": graph.kind(step.operation), **_described(step)}
            entry["inputs"] = [numbers[tensor] for tensor in step.inputs]
            learns = bool(getattr(step.operation, "trainable_weights", ()))
            arrays = _arrays(step.operation, bits if learns else F16_BITS)
            if arrays:
                entry["weights"] = [self._store(array, fresh and learns) for array in arrays]
            if learns:
                entry["trained"] = True
            number = self._number_of(entry, self.operations)
            numbers[step.outputs[0]] = layers[step.name] = number
        # Every model's ends have these names, whatever its layers are called. The lecture's network
        # has a layer "output" too: what the page calls so is cropped to the image's size.
        ends = {"image": numbers[model.inputs[0]], "output": numbers[model.outputs[0]]}
        self.models[name] = layers | ends

    def _store(self, array: np.ndarray, fresh: bool) -> int:
        """The number of an array in the file; equal arrays are stored once."""
        shape = list(array.shape)
        if fresh and array.ndim > 1 and (stddev := _of_random(array)) is not None:
            return self._number_of({"shape": shape, "stddev": stddev}, self.weights)
        kind = "float16" if array.ndim > 1 else "float32"
        data = array.astype(kind).tobytes()
        if kind == "float16":  # first all low bytes, then all high bytes: that compresses better
            data = np.frombuffer(data, "uint8").reshape(-1, 2).T.tobytes()
        digest = hashlib.sha256(data).hexdigest()
        if digest not in self._known:
            self._known[digest] = len(self._bytes)
            self._bytes += data + bytes(-len(data) % ALIGNMENT)
        entry = {"shape": shape, "type": kind, "offset": self._known[digest]}
        return self._number_of(entry, self.weights)

    def _number_of(self, entry: dict, entries: list[dict]) -> int:
        key = json.dumps([entries is self.weights, entry], sort_keys=True)
        if key not in self._known:
            self._known[key] = len(entries)
            entries.append(entry)
        return self._known[key]

    def as_dict(self) -> dict:
        """The graph, for JSON."""
        return {"operations": self.operations, "weights": self.weights, "models": self.models}

    def as_bytes(self) -> bytes:
        """The flat file: each array in row-major order, float16 as all low bytes, then all high."""
        return bytes(self._bytes)


def rounded(model: keras.Model, bits: int = F16_BITS) -> keras.Model:
    """A copy of a model with the weights that the page holds.

    Args:
        model: As in `Graph.add`, as is `bits`.
    """
    copy = keras.models.clone_model(model)
    graph.copy_weights(model, copy)
    for layer, original in zip(copy.layers, model.layers, strict=True):
        kept = bits if original.trainable_weights else F16_BITS
        if layer.weights and graph.kind(layer) not in _FOLDED:
            layer.set_weights([_round(array, kept) for array in layer.get_weights()])
    return copy


def _round(array: np.ndarray, bits: int) -> np.ndarray:
    """A kernel with so many stored bits in its significand; vectors stay."""
    if array.ndim < 2:
        return array.astype("float32")
    fraction, exponent = np.frexp(array.astype("float64"))
    kept = np.ldexp(np.round(fraction * 2 ** (bits + 1)) / 2 ** (bits + 1), exponent)
    with np.errstate(over="ignore"):
        half = kept.astype("float16")
    if not np.isfinite(half).all():
        raise NotInThePage(
            "Expected weights of at most 65,504, the largest that 16 bits hold. Received: "
            f"{np.abs(array).max():.3g}"
        )
    return half.astype("float32")


def _of_random(array: np.ndarray) -> float | None:
    """The standard deviation of a random kernel; `None` if it looks like anything else."""
    if not array.any():
        return 0.0
    return float(array.std()) if np.mean(array == 0) < 0.01 else None


# --- what each kind of operation needs besides its inputs


def _pair(value) -> list[int]:
    return [int(value)] * 2 if isinstance(value, int) else [int(number) for number in value]


def _window(size: str) -> Callable:
    def described(layer):
        return {
            "kernel": _pair(getattr(layer, size)),
            "strides": _pair(layer.strides),
            "padding": layer.padding,
        }

    return described


def _convolution(layer):
    if getattr(layer, "groups", 1) != 1:
        raise NotInThePage(
            f"the page cannot compute {layer.name}: a convolution with groups={layer.groups}"
        )
    return {
        **_window("kernel_size")(layer),
        "dilations": _pair(layer.dilation_rate),
        **_activation(layer),
    }


def _transposed(layer):
    if layer.output_padding is not None or _pair(layer.dilation_rate) != [1, 1]:
        raise NotInThePage(
            f"the page cannot compute {layer.name}: a transposed convolution with output_padding "
            "or dilation_rate"
        )
    return {**_window("kernel_size")(layer), **_activation(layer)}


ACTIVATIONS = (
    *("linear", "relu", "relu6", "leaky_relu", "elu", "softplus", "silu", "hard_silu"),
    *("sigmoid", "hard_sigmoid", "tanh", "softmax"),
)


def _activation(layer):
    function = layer.activation
    name = getattr(function, "__name__", type(function).__name__)
    if name not in ACTIVATIONS:
        raise NotInThePage(
            f"the page cannot compute {layer.name}: activation {name}. It knows "
            f"{', '.join(ACTIVATIONS)}"
        )
    return {} if name == "linear" else {"activation": name}


def _number(value) -> float | list[float]:
    array = np.asarray(value, "float64")
    return float(array) if array.ndim == 0 else array.ravel().tolist()


def _merge_axis(layer):
    if layer.axis not in (-1, 3):
        raise NotInThePage(f"the page cannot compute {layer.name}: axis={layer.axis}")
    return {}


def _relu(layer):
    if layer.threshold:
        raise NotInThePage(f"the page cannot compute {layer.name}: threshold={layer.threshold}")
    slope = float(layer.negative_slope)
    return {"max_value": layer.max_value, "negative_slope": slope}


def _global_mean(layer):
    return {"keepdims": bool(layer.keepdims)}


def _reshaped(layer):
    """Only what squeeze-and-excite does: a vector becomes a map of one pixel."""
    shape = tuple(layer.target_shape)
    if len(shape) != 3 or shape[:2] != (1, 1):
        raise NotInThePage(f"the page cannot compute {layer.name}: a reshaping to {shape}")
    return {}


def _nothing(layer):
    return {}


LAYERS: dict[str, Callable[[Any], dict]] = {
    "InputLayer": lambda layer: {"channels": layer.output.shape[-1]},
    "Conv2D": _convolution,
    "DepthwiseConv2D": _convolution,
    "Conv2DTranspose": _transposed,
    "MaxPooling2D": _window("pool_size"),
    "AveragePooling2D": _window("pool_size"),
    "GlobalAveragePooling2D": _global_mean,
    "BatchNormalization": _merge_axis,
    "Normalization": _nothing,
    "Rescaling": lambda layer: {"scale": _number(layer.scale), "offset": _number(layer.offset)},
    "VGGPreprocessing": lambda layer: {"mean_bgr": _number(layer.mean_bgr)},
    "Activation": _activation,
    "ReLU": _relu,
    "Reshape": _reshaped,
    "Softmax": _merge_axis,
    "Add": _nothing,
    "Multiply": _nothing,
    "Concatenate": _merge_axis,
    "ZeroPadding2D": lambda layer: {"padding": [list(pair) for pair in layer.padding]},
    "Cropping2D": lambda layer: {"cropping": [list(pair) for pair in layer.cropping]},
    "UpSampling2D": lambda layer: {"size": _pair(layer.size), "interpolation": layer.interpolation},
    "PadToMultiple": lambda layer: {"multiple": layer.multiple},
    "CropToMatch": lambda layer: {"offset": layer.offset, "stride": layer.stride},
    **dict.fromkeys(
        ["Identity", "Dropout", "SpatialDropout2D", "GaussianNoise", "GaussianDropout"], _nothing
    ),
}
_FOLDED = ("BatchNormalization", "Normalization")  # stored as a factor and a summand per channel


def _described(step: graph.Step) -> dict:
    if graph.is_model(step.operation):
        raise NotInThePage(
            f"the page cannot compute {step.name}: a model used as a layer. "
            "fcn.backbones.from_keras flattens an encoder"
        )
    kind = graph.kind(step.operation)
    if step.is_function or kind not in LAYERS or len(step.outputs) != 1:
        what = "the function keras.ops." if step.is_function else "a layer of the kind "
        raise NotInThePage(
            f"the page cannot compute {step.name}: {what}{kind or type(step.operation).__name__}"
        )
    return LAYERS[kind](step.operation)


def _arrays(operation, bits: int) -> list[np.ndarray]:
    """The weights of a layer as the page computes with them."""
    kind = graph.kind(operation)
    if kind == "BatchNormalization":
        numpy = keras.ops.convert_to_numpy
        mean, variance = numpy(operation.moving_mean), numpy(operation.moving_variance)
        factor = (numpy(operation.gamma) if operation.scale else 1) / np.sqrt(
            variance + operation.epsilon
        )
        summand = (numpy(operation.beta) if operation.center else 0) - mean * factor
        return [np.ravel(factor).astype("float32"), np.ravel(summand).astype("float32")]
    if kind == "Normalization":
        numpy = keras.ops.convert_to_numpy
        factor = 1 / np.maximum(np.sqrt(numpy(operation.variance)), 1e-7)
        summand = -numpy(operation.mean) * factor
        return [np.ravel(factor).astype("float32"), np.ravel(summand).astype("float32")]
    return [_round(array, bits) for array in getattr(operation, "get_weights", list)()]
