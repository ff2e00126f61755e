"""From an image to a label map, and to the scores behind it."""

import keras
import numpy as np

from fcn_keras.prediction.tiled import require_memory, segment_tiled
from fcn_keras.support import arguments

__all__ = ["feature_maps", "logits", "probabilities", "segment", "segment_tiled"]


def segment(model: keras.Model, image) -> np.ndarray:
    """The class of every pixel: the one with the highest score (lecture: L05, L17).

    Args:
        model: Keras model that gives logits `(batch, H, W, C)`.
        image: `(H, W, 3)` RGB, 0–255, any height and width from 1 up.

    Returns:
        uint8 class numbers, `(H, W)`.

    Raises:
        TypeError: If `model` is no model.
        ValueError: If the image is not H × W × 3, its values look like 0–1 instead of 0–255, or the model does not give
            scores for every pixel, as an autoencoder does not.
        MemoryError: If the network needs more memory for the image than is free; `segment_tiled` does not.
    """
    return np.argmax(logits(model, image), axis=-1).astype("uint8")


def probabilities(model: keras.Model, image) -> np.ndarray:
    """The probability of every class at every pixel: softmax over the class axis (lecture: L17, F).

    For two classes "road" > 0.5 is the same as `segment(...) == 1`.

    Args and errors: as `segment`.

    Returns:
        float32 `(H, W, C)`, 0–1, sum 1 along C.
    """
    return keras.ops.convert_to_numpy(keras.ops.softmax(logits(model, image), axis=-1))


def logits(model: keras.Model, image) -> np.ndarray:
    """The class scores under every pixel, float32 `(H, W, C)`. Args and errors: as `segment`."""
    arguments.scoring_model("model", model)
    pixels = arguments.image("image", image, model.input_shape[-1]).astype("float32")
    arguments.fits("model", model, pixels.shape)
    require_memory(model, pixels.shape[:2])
    scores = model.predict_on_batch(pixels[None])
    if getattr(scores, "ndim", 0) != 4 or scores.shape[1:3] != pixels.shape[:2]:
        shape = getattr(scores, "shape", type(scores).__name__)
        raise ValueError(
            f"Expected model to give class scores for every pixel, (1, {pixels.shape[0]}, {pixels.shape[1]}, classes). Received: "
            f"{model.name!r}, which gives {shape}"
        )
    return scores[0]


def feature_maps(model: keras.Model, image, layers) -> dict[str, np.ndarray]:
    """What some layers of a model answer to one image (lecture: L03, L11, L13).

    Args:
        model: Functional Keras model whose input is `(batch, H, W, channels)`, 0–255.
        image: `(H, W, channels)`, 0–255.
        layers: Layer names.

    Returns:
        `{layer name: float32 array}` in the order asked for, without the batch axis: mostly `(h, w, channels)`.

    Raises:
        ValueError: As `segment`, or if the model has no layer of that name.
    """
    arguments.model("model", model)
    names = list(arguments.names("layers", layers))
    unknown = sorted(set(names) - {layer.name for layer in model.layers})
    if unknown:
        raise ValueError(
            f"Expected names of layers of {model.name}, see `models.describe`. Received: {', '.join(unknown)}"
        )
    probe = keras.Model(model.inputs[0], {name: model.get_layer(name).output for name in names})
    answers = probe.predict_on_batch(
        arguments.image("image", image, model.input_shape[-1]).astype("float32")[None]
    )
    return {name: answers[name][0] for name in names}
