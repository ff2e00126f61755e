"""How values travel between the grader and the process that runs a submission: JSON, `.npz` and `.keras` files, never pickle.

Both sides use these two functions. The grader hands over the text of this file, so that nothing that a submission
did to its own process changes how the grader reads the answer: at worst the answer is another answer.
"""

import json
import os
from pathlib import Path

import keras
import numpy as np


def write(value, folder):
    """Writes a value into a folder: `value.json`, `arrays.npz`, `0.keras` ...; `value.json` comes last, and whole.

    Args:
        value: A number, string, bool, None, NumPy array, Keras tensor or model, or lists, tuples and dicts of these. Of anything
            else only the name of its type arrives, enough for a check to say what it is.
        folder: Where to; made when missing.
    """
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    arrays, models = {}, []

    def pack(part):
        if part is None or isinstance(part, str | bool):
            return {"plain": part}
        if isinstance(part, int | float) and not isinstance(part, np.generic):
            return {"plain": part}
        if isinstance(part, dict):
            return {"dict": [[pack(key), pack(item)] for key, item in part.items()]}
        if isinstance(part, list | tuple):
            return {
                type(part).__name__ if type(part) in (list, tuple) else "tuple": [
                    pack(item) for item in part
                ]
            }
        if isinstance(part, keras.Model):
            part.save(folder / f"{len(models)}.keras")
            models.append(part)
            return {"model": len(models) - 1}
        if keras.ops.is_tensor(part):
            part = keras.ops.convert_to_numpy(part)
        if isinstance(part, np.ndarray | np.generic) and part.dtype.kind in "biufc":
            arrays[f"a{len(arrays)}"] = np.asarray(part)
            return {"array": f"a{len(arrays) - 1}", "single": isinstance(part, np.generic)}
        kind = (
            "tensor"
            if isinstance(part, keras.KerasTensor)
            else "layer"
            if isinstance(part, keras.layers.Layer)
            else ""
        )
        return {"strange": [type(part).__name__, kind]}

    packed = pack(value)
    np.savez(folder / "arrays.npz", **arrays)
    (folder / "value.part").write_text(json.dumps(packed), encoding="utf-8")
    os.replace(folder / "value.part", folder / "value.json")


def read(folder):
    """Reads what `write` wrote; models in Keras' safe mode, arrays without pickle."""
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
        if kind == "strange":
            name, keras_kind = content
            if keras_kind == "tensor":
                return keras.KerasTensor((None,))
            return keras.layers.Layer() if keras_kind == "layer" else type(str(name), (), {})()
        return content

    return unpack(json.loads((folder / "value.json").read_text(encoding="utf-8")))
