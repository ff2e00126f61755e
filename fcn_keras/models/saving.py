"""Loading and saving models."""

from pathlib import Path
from typing import cast

import keras
import numpy as np

from fcn_keras.models.card import carrying_its_card
from fcn_keras.support import arguments
from fcn_keras.support.files import written_whole
from fcn_keras.support.kinds import Model, checked


def load(path: str | Path) -> keras.Model:
    """Loads a model that `model.save("m.keras")` wrote; no `custom_objects` needed.

    Args:
        path: The `.keras` file.

    Returns:
        The model, ready to predict; `training.fit` compiles it again.

    Raises:
        FileNotFoundError: If nothing is there.
        ValueError: If it is not a `.keras` file.

    Example:
        See `save`.
    """
    file = arguments.keras_file("path", path, exists=True)
    try:  # safe mode: a file never runs code of its own
        return cast(keras.Model, keras.saving.load_model(file, compile=False, safe_mode=True))
    except Exception as error:  # zip, JSON and HDF5 errors of a damaged file
        raise _cannot_read(file, error) from error


def _cannot_read(file: Path, error: Exception) -> ValueError:
    text = " ".join(str(error).split())
    if "lambda" in text.lower() or "unsafe" in text.lower():
        return ValueError(
            f"Expected a model without code of its own. Received: {file}, which has a Lambda "
            "layer. Such a file could run anything on this computer, so it is not read. Ask its "
            "author for a model of ordinary layers."
        )
    return ValueError(
        f"{file} could not be read as a Keras model; was it copied whole? ({text[:300]})"
    )


class SpoiltWeights(ValueError):
    """Weights that are not numbers, which a training that diverged leaves behind."""


@checked
def save(model: Model, path: str | Path) -> None:
    """Writes a model and its card for `load`; the file appears whole or not at all.

    Args:
        model: Any Keras model.
        path: The file, whose name ends in `.keras`.

    Raises:
        TypeError: If `model` is not a model.
        ValueError: If the path does not end in `.keras`.
        SpoiltWeights: If a weight is not finite. Such a model is written as `NAME.failed.keras`,
            and a good `NAME.keras` from before stays.
        OSError: If it cannot be written.

    Example:
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     fcn.models.save(fcn.models.cae(), folder + "/cae.keras")
        ...     fcn.models.load(folder + "/cae.keras").name
        'cae'
    """
    file = wanted = arguments.keras_file("path", path)
    finite = all(np.isfinite(weight).all() for weight in model.get_weights())
    if not finite:
        file = wanted.with_suffix(".failed.keras")
    with written_whole(file) as temporary:
        carrying_its_card(model).save(temporary)
    if not finite:
        raise SpoiltWeights(
            f"Expected a model whose weights are numbers. Received: {model.name!r}, some of whose "
            f"weights are NaN or infinite. It is in {file}, and {wanted} was not written. Train a "
            "new model at a lower learning rate."
        )
