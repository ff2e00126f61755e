"""Reading arrays of weights from a file, and comparing them with what a network expects."""

import json
import zipfile
from pathlib import Path

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
