"""Loading and saving models."""

from pathlib import Path

import keras

from fcn_keras.support import arguments
from fcn_keras.support.files import written_whole


def load(path: str | Path) -> keras.Model:
    """Loads a model that `model.save("m.keras")` wrote; no `custom_objects` needed.

    Args:
        path: The `.keras` file.

    Returns:
        The model, ready to predict; `training.fit` compiles it again.

    Raises:
        FileNotFoundError: If nothing is there.
        ValueError: If it is not a `.keras` file.
    """
    path = arguments.path("path", path)
    if not path.is_file():
        what = "which is a folder" if path.is_dir() else "which is not there"
        raise FileNotFoundError(
            f"Expected a saved model, such as model.keras. Received: {path}, {what}."
        )
    if path.suffix != ".keras":
        raise ValueError(
            f"Expected a file that ends in .keras, as model.save('m.keras') writes it. Received: {path}"
        )
    try:  # safe mode: a file never runs code of its own
        return keras.saving.load_model(path, compile=False, safe_mode=True)
    except Exception as error:  # zip, JSON and HDF5 errors of a damaged file
        text = " ".join(str(error).split())
        if "lambda" in text.lower() or "unsafe" in text.lower():
            raise ValueError(
                f"Expected a model without code of its own. Received: {path}, which has a Lambda layer; such a file could run "
                "anything on this computer, so it is not read. Ask its author for a model of ordinary layers."
            ) from error
        raise ValueError(
            f"{path} could not be read as a Keras model; was it copied whole? ({text[:300]})"
        ) from error


def save(model: keras.Model, path: str | Path) -> None:
    """Writes a model for `load`; the file appears whole or not at all.

    Raises:
        TypeError: If `model` is no model.
        ValueError: If the path does not end in `.keras`.
        OSError: If it cannot be written.
    """
    arguments.model("model", model)
    path = arguments.path("path", path)
    if path.suffix != ".keras":
        raise ValueError(f"Expected path to end in .keras. Received: {path}")
    with written_whole(path) as temporary:
        model.save(temporary)
