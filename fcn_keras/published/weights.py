"""The released weights: reading them, writing them, carrying them from one network to the next."""

from collections.abc import Mapping
from pathlib import Path

import keras
import numpy as np

from fcn_keras.backbones import check_fit
from fcn_keras.support import arguments
from fcn_keras.support.files import written_whole


def load_weights(model: keras.Model, arrays: Mapping[str, np.ndarray] | str | Path):
    """Puts released weights, or anyone's with the same names and layouts, into a network.

    Args:
        model: From `fcn32s`, `fcn16s` or `fcn8s`.
        arrays: A mapping, or a `.npz` or `.safetensors` file: `"conv1_1.weight"` `(out, in, h, w)`,
            `"conv1_1.bias"` `(out,)`, …, `"upscore2.weight"` `(in, out, h, w)`. The first
            convolution reads blue, green, red: the model turns RGB round by itself.

    Raises:
        ValueError: If names are missing or left over or a shape differs, all in one message, or the
            file is of another kind; nothing is changed then.
        FileNotFoundError: If the file is not there.
        TypeError: If `arrays` is neither a mapping nor a path.
    """
    arguments.model("model", model)
    if not isinstance(arrays, (Mapping, str, Path)):
        raise TypeError(
            f"Expected arrays to be a mapping or the path of a file. Received: {arrays!r}"
        )
    source = "the mapping" if isinstance(arrays, Mapping) else str(arrays)
    arrays = arrays if isinstance(arrays, Mapping) else _read(Path(arrays))
    variables = _variables(model)
    check_fit({name: _released_shape(v.shape) for name, v in variables.items()}, arrays, source)
    for name, variable in variables.items():
        variable.assign(_from_released(np.asarray(arrays[name], "float32")))


def export_weights(model: keras.Model, path: str | Path | None = None) -> dict[str, np.ndarray]:
    """A network's weights under the released names and in the released layout.

    Args:
        model: From `fcn32s`, `fcn16s` or `fcn8s`.
        path: A `.npz` or `.safetensors` file to write, or `None`.

    Returns:
        Name → float32 array, as `load_weights` takes them.

    Raises:
        ValueError: If `path` ends in something else.
    """
    arguments.model("model", model)
    arrays = {
        name: _to_released(keras.ops.convert_to_numpy(v.value))
        for name, v in _variables(model).items()
    }
    if path is None:
        return arrays
    path = Path(path)
    _check_suffix(path)
    with written_whole(path) as temporary:
        if path.suffix == ".npz":
            np.savez(temporary, **arrays)
        else:
            from safetensors.numpy import save_file

            save_file(arrays, temporary)
    return arrays


def carry_over(source: keras.Model, target: keras.Model) -> list[str]:
    """Starts a network from another one: weights go over by layer name (paper: section 4.3).

    From `backbones.vgg16_classifier` to FCN-32s, from there to 16s, from there to 8s. The
    networks stay independent: training one does not change the other.

    Args:
        source: The trained network; it is not changed.
        target: The network that starts from it.

    Returns:
        Names of the target's layers with weights that the source does not have: they keep their start.

    Raises:
        ValueError: If no name is shared, or a shared layer has other shapes; nothing is changed then.
    """
    arguments.model("source", source)
    arguments.model("target", target)
    given = {layer.name: layer for layer in source.layers if layer.weights}
    wanted = {layer.name: layer for layer in target.layers if layer.weights}
    shared = [name for name in wanted if name in given]
    if not shared:
        raise ValueError(
            f"Expected networks with layers of the same names. Received: {source.name!r} and {target.name!r}"
        )
    arrays = {f"{name}/{v.name}": v for name in shared for v in given[name].weights}
    check_fit(
        {f"{name}/{v.name}": tuple(v.shape) for name in shared for v in wanted[name].weights},
        arrays,
        source.name,
    )
    for name in shared:
        wanted[name].set_weights(given[name].get_weights())
    return [name for name in wanted if name not in given]


def _variables(model) -> dict:
    """Released name → Keras variable."""
    released = {"kernel": "weight", "bias": "bias"}
    return {f"{layer.name}.{released[v.name]}": v for layer in model.layers for v in layer.weights}


# Keras has (h, w, in, out), and (h, w, out, in) where the convolution is transposed; the released layout puts h
# and w last and turns the other two round in both cases.
def _to_released(array):
    return np.ascontiguousarray(array.transpose(3, 2, 0, 1)) if array.ndim == 4 else array


def _released_shape(shape):
    return tuple(shape[axis] for axis in (3, 2, 0, 1)) if len(shape) == 4 else tuple(shape)


def _from_released(array):
    return array.transpose(2, 3, 1, 0) if array.ndim == 4 else array


def _read(path):
    _check_suffix(path)
    if not path.is_file():
        raise FileNotFoundError(f"Expected a weights file. Received: {path}, which is not there.")
    try:
        if path.suffix == ".npz":
            with np.load(path, allow_pickle=False) as file:
                return {name: file[name] for name in file.files}
        from safetensors.numpy import load_file

        return load_file(path)
    except Exception as error:  # zip, NumPy and safetensors each raise their own kind
        raise ValueError(
            f"{path} could not be read as a {path.suffix} file; was it copied whole? ({error})"
        ) from error


def _check_suffix(path):
    if path.suffix not in (".npz", ".safetensors"):
        raise ValueError(
            f"Expected a .npz or .safetensors file. Received: {path}. A PyTorch file can run code when it is read; where "
            "PyTorch is installed, safetensors.torch.save_file(torch.load(FILE, weights_only=True), NEW) turns it into one."
        )
