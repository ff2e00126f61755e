"""The released weights: read them, write them, carry them from one network to the next."""

from collections.abc import Mapping
from pathlib import Path

import keras
import numpy as np

from fcn_keras.support.files import written_whole
from fcn_keras.support.kinds import Model, checked
from fcn_keras.support.weight_files import check_fit


@checked
def load_weights(model: Model, arrays: Mapping[str, np.ndarray] | str | Path) -> None:
    """Puts released weights, or others with the same names and layouts, into a network.

    Args:
        model: From `fcn32s`, `fcn16s` or `fcn8s`.
        arrays: A mapping, or a `.npz` or `.safetensors` file: `"conv1_1.weight"` `(out, in, h, w)`,
            `"conv1_1.bias"` `(out,)`, …, `"upscore2.weight"` `(in, out, h, w)`. The first
            convolution reads blue, green, red; the model turns RGB round itself.

    Raises:
        ValueError: If names are missing or left over or a shape differs (one message lists them),
            or the file is of another kind. Nothing is changed then.
        FileNotFoundError: If the file is not there.
        TypeError: If `arrays` is neither a mapping nor a path, or `model` is not a Keras model.
    """
    if not isinstance(arrays, (Mapping, str, Path)):
        raise TypeError(
            f"Expected arrays to be a mapping or the path of a file. Received: {arrays!r}"
        )
    source = "the mapping" if isinstance(arrays, Mapping) else str(arrays)
    released = dict(arrays) if isinstance(arrays, Mapping) else _read(Path(arrays))
    variables = _variables(model)
    check_fit({name: _released_shape(v.shape) for name, v in variables.items()}, released, source)
    for name, variable in variables.items():
        variable.assign(_from_released(np.asarray(released[name], "float32")))


@checked
def export_weights(model: Model, path: str | Path | None = None) -> dict[str, np.ndarray]:
    """Returns a network's weights under the released names and in the released layout.

    Args:
        model: From `fcn32s`, `fcn16s` or `fcn8s`.
        path: A `.npz` or `.safetensors` file to write, or `None`.

    Returns:
        Name → float32 array, as `load_weights` takes them.

    Raises:
        ValueError: If `path` ends in something else.
        TypeError: If `model` is not a Keras model.
    """
    arrays = {
        name: _to_released(np.asarray(keras.ops.convert_to_numpy(variable.value)))
        for name, variable in _variables(model).items()
    }
    if path is not None:
        _write(Path(path), arrays)
    return arrays


@checked
def carry_over(source: Model, target: Model) -> list[str]:
    """Starts a network from another one: weights are copied by layer name (paper: section 4.3).

    The paper goes from `backbones.vgg16_classifier` to FCN-32s, then to 16s, then to 8s. The
    networks stay independent: training one does not change the other.

    Args:
        source: The trained network; it is not changed.
        target: The network that starts from it.

    Returns:
        Names of the target's layers with weights that the source does not have. They keep their
        initial weights.

    Raises:
        ValueError: If no name is shared, or the shapes of a shared layer differ. Nothing is changed
            then.
        TypeError: If one of them is not a Keras model.
    """
    given = {layer.name: layer for layer in source.layers if layer.weights}
    wanted = {layer.name: layer for layer in target.layers if layer.weights}
    shared = [name for name in wanted if name in given]
    if not shared:
        raise ValueError(
            "Expected networks with layers of the same names. "
            f"Received: {source.name!r} and {target.name!r}"
        )
    expected = {f"{name}/{v.name}": tuple(v.shape) for name in shared for v in wanted[name].weights}
    arrays = {f"{name}/{v.name}": v for name in shared for v in given[name].weights}
    check_fit(expected, arrays, source.name)
    for name in shared:
        wanted[name].set_weights(given[name].get_weights())
    return [name for name in wanted if name not in given]


def _variables(model: keras.Model) -> dict:
    """Released name → Keras variable."""
    released = {"kernel": "weight", "bias": "bias"}
    return {f"{layer.name}.{released[v.name]}": v for layer in model.layers for v in layer.weights}


# Keras has (h, w, in, out), or (h, w, out, in) where the convolution is transposed. The released
# layout puts h and w last and swaps the other two in both cases.


def _to_released(array: np.ndarray) -> np.ndarray:
    return np.ascontiguousarray(array.transpose(3, 2, 0, 1)) if array.ndim == 4 else array


def _released_shape(shape) -> tuple[int, ...]:
    return tuple(shape[axis] for axis in (3, 2, 0, 1)) if len(shape) == 4 else tuple(shape)


def _from_released(array: np.ndarray) -> np.ndarray:
    return array.transpose(2, 3, 1, 0) if array.ndim == 4 else array


def _read(path: Path) -> dict[str, np.ndarray]:
    _require_known_suffix(path)
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


def _write(path: Path, arrays: dict[str, np.ndarray]) -> None:
    _require_known_suffix(path)
    with written_whole(path) as temporary:
        if path.suffix == ".npz":
            np.savez(temporary, **arrays)  # pyright: ignore[reportArgumentType]
        else:
            from safetensors.numpy import save_file

            save_file(arrays, temporary)


def _require_known_suffix(path: Path) -> None:
    if path.suffix not in (".npz", ".safetensors"):
        raise ValueError(
            f"Expected a .npz or .safetensors file. Received: {path}. A PyTorch file can run code "
            "when it is read. Where PyTorch is installed, "
            "safetensors.torch.save_file(torch.load(FILE, weights_only=True), NEW) converts it."
        )
