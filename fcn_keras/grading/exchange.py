"""Carries values between the grader and the process that runs a submission.

They travel as JSON, `.npz` and `.keras` files, never as pickle. Both sides use `write` and `read`.
The grader sends the text of this file, so whatever a submission did to its own process cannot
change how the grader reads an answer: at worst the answer is another one.
"""

import json
import os
from pathlib import Path
from typing import Any

import keras
import numpy as np


def write(value, folder):
    """Writes a value into a folder: `0.keras`, …, `arrays.npz` and, last, `value.json`.

    Args:
        value: A number, string, bool, `None`, NumPy array, Keras tensor or model, or lists, tuples
            and dicts of these. Of anything else only the name of its type arrives, so that a check
            can say what it is.
        folder: Made if it is missing.
    """
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    arrays, models = {}, []

    def pack(part):
        if part is None or isinstance(part, str | bool):
            return {"plain": part}
        if isinstance(part, dict):
            return {"dict": [[pack(key), pack(item)] for key, item in part.items()]}
        if isinstance(part, list | tuple):
            return {"list" if type(part) is list else "tuple": [pack(item) for item in part]}
        if isinstance(part, keras.Model):
            part.save(folder / f"{len(models)}.keras")
            models.append(part)
            return {"model": len(models) - 1}
        if isinstance(part, int | float) and not isinstance(part, np.generic):
            return {"plain": part}
        if keras.ops.is_tensor(part):
            part = keras.ops.convert_to_numpy(part)
        if isinstance(part, np.ndarray | np.generic) and part.dtype.kind in "biufc":
            arrays[f"a{len(arrays)}"] = np.asarray(part)
            return {"array": f"a{len(arrays) - 1}", "single": isinstance(part, np.generic)}
        if isinstance(part, keras.KerasTensor):
            return {"other": [type(part).__name__, "tensor"]}
        if isinstance(part, keras.layers.Layer):
            return {"other": [type(part).__name__, "layer"]}
        return {"other": [type(part).__name__, ""]}

    packed = pack(value)
    np.savez(folder / "arrays.npz", **arrays)
    (folder / "value.part").write_text(json.dumps(packed), encoding="utf-8")
    os.replace(folder / "value.part", folder / "value.json")


def read(folder) -> Any:
    """Reads what `write` wrote: models in Keras' safe mode, arrays without pickle."""
    folder = Path(folder)
    with np.load(folder / "arrays.npz", allow_pickle=False) as file:
        arrays = dict(file)

    def unpack(part):
        ((kind, content),) = [(key, item) for key, item in part.items() if key != "single"]
        if kind == "dict":
            return {unpack(key): unpack(item) for key, item in content}
        if kind in ("list", "tuple"):
            items = [unpack(item) for item in content]
            return items if kind == "list" else tuple(items)
        if kind == "model":
            import fcn_keras.layers  # noqa: F401  registers the package's layers

            return keras.models.load_model(
                folder / f"{int(content)}.keras", compile=False, safe_mode=True
            )
        if kind == "array":
            return arrays[content][()] if part["single"] else arrays[content]
        if kind == "other":
            name, keras_kind = content
            if keras_kind == "tensor":
                return keras.KerasTensor((None,))
            return keras.layers.Layer() if keras_kind == "layer" else type(str(name), (), {})()
        return content

    return unpack(json.loads((folder / "value.json").read_text(encoding="utf-8")))
