"""Reading arrays of weights from a file, and comparing them with what a network expects."""

import json
import pickle
import struct
import zipfile
from collections import OrderedDict
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import numpy as np

from fcn_keras.support import arguments

NAMED = 3  # weights of each kind that do not fit, named in a message


def read_npz(path: str | Path) -> tuple[dict[str, np.ndarray], dict]:
    """The arrays of an `.npz`, and the recipe that made them: `{}` if the file has none.

    Raises:
        FileNotFoundError: If the file is not there.
        ValueError: If it cannot be read.
    """
    file = arguments.existing_file("path", path, "a weights file (.npz)")
    try:
        with np.load(file, allow_pickle=False) as content:
            arrays = dict(content)
    except (ValueError, OSError, EOFError, AttributeError, TypeError, zipfile.BadZipFile) as error:
        raise ValueError(
            "Expected path to be an .npz of arrays. "
            f"Received: {file}, which cannot be read ({error})"
        ) from error
    recipe = json.loads(str(arrays.pop("recipe"))) if "recipe" in arrays else {}
    return arrays, recipe


def read_torch(path: str | Path) -> dict[str, np.ndarray]:
    """The arrays of a `.pth` file in the form that `torch.save` wrote until version 1.6.

    PyTorch is not needed. A pickle may run any code; this one may only name what arrays are made
    of.

    Returns:
        Name → array, in the file's precision.

    Raises:
        ValueError: If the file has another form, or names anything else.
    """
    try:
        with open(path, "rb") as file:
            for _ in range(3):  # a magic number, the version, the machine
                _ArraysOnly(file).load()
            places = _ArraysOnly(file).load()
            storages = {}
            for key in _ArraysOnly(file).load():
                (count,) = struct.unpack("<q", file.read(8))
                dtype = next(p.dtype for p in places.values() if p.storage == key)
                storages[key] = np.frombuffer(file.read(count * dtype.itemsize), dtype)
    except (pickle.UnpicklingError, struct.error, ValueError, AttributeError, EOFError) as error:
        raise ValueError(
            f"Expected path to be a .pth file of arrays. Received: {path}, which cannot be read "
            f"({error})"
        ) from error
    return {name: place.array_in(storages) for name, place in places.items()}


@dataclass(frozen=True)
class _Place:
    """Where an array lies in a `.pth` file."""

    storage: str
    dtype: np.dtype
    offset: int
    shape: tuple[int, ...]
    strides: tuple[int, ...]  # in numbers, not bytes

    def array_in(self, storages) -> np.ndarray:
        flat = storages[self.storage][self.offset :]
        steps = [stride * self.dtype.itemsize for stride in self.strides]
        return np.lib.stride_tricks.as_strided(flat, self.shape, steps).copy()


class _ArraysOnly(pickle.Unpickler):
    """Reads a pickle in which nothing but arrays, names and numbers may stand."""

    ALLOWED: ClassVar = {
        ("collections", "OrderedDict"): OrderedDict,
        ("torch._utils", "_rebuild_tensor_v2"): lambda storage, offset, shape, strides, *_: _Place(
            storage[2], storage[1], offset, shape, strides
        ),
        ("torch", "FloatStorage"): np.dtype("<f4"),
        ("torch", "LongStorage"): np.dtype("<i8"),
    }

    def find_class(self, module, name):
        if (module, name) not in self.ALLOWED:
            raise pickle.UnpicklingError(f"it names {module}.{name}, which is no array")
        return self.ALLOWED[module, name]

    def persistent_load(self, pid):
        return pid  # ("storage", its type, its key, …)


def check_fit(expected: dict[str, tuple], arrays: dict, source) -> None:
    """Compares arrays with what a network expects, before anything is changed.

    Args:
        expected: Name → shape.
        arrays: Name → NumPy array.
        source: Where the arrays come from, for the message.

    Raises:
        ValueError: If names are missing or left over, or shapes differ. One message names some of
            each kind.
    """
    missing = [f"missing: {name} {shape}" for name, shape in expected.items() if name not in arrays]
    left_over = [
        f"left over: {name} {np.shape(array)}"
        for name, array in arrays.items()
        if name not in expected
    ]
    wrong = [
        f"wrong shape: {name}, expected {shape}, received {np.shape(arrays[name])}"
        for name, shape in expected.items()
        if name in arrays and np.shape(arrays[name]) != shape
    ]
    if missing or left_over or wrong:
        listed = "; ".join([*_first(missing), *_first(left_over), *_first(wrong)])
        raise ValueError(
            f"Expected weights that fit; nothing was changed. Received: from {source}, {listed}."
        )


def _first(texts: list[str]) -> list[str]:
    more = len(texts) - NAMED
    return texts if more <= 0 else [*texts[:NAMED], f"and {more} more"]
