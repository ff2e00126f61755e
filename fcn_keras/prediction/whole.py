"""What a network computes for one image: label map, probabilities, class scores, feature maps."""

import keras
import numpy as np

from fcn_keras.models.resizing import at_trained_size
from fcn_keras.prediction.tiled import require_memory
from fcn_keras.support import agreement, endings, images
from fcn_keras.support.kinds import InputSize, Model, Names, ScoringModel, checked


@checked
def segment(model: ScoringModel, image: np.ndarray, size: InputSize = "trained") -> np.ndarray:
    """Gives every pixel the class with the highest score (lecture: L05, L17).

    Args:
        model: Keras model that gives logits `(batch, H, W, C)`.
        image: `(H, W, 3)` RGB, 0–255; any height and width of at least 1.
        size: Height and width to which the image is resized for the network; the labels are brought
            back by nearest neighbour. `"trained"`: as the model's training pictures were, which its
            card says. `None`: the image's own size.

    Returns:
        uint8 class numbers, `(H, W)`.

    Raises:
        TypeError: If `model` is not a Keras model.
        ValueError: If the image is not H × W × 3, its values look like 0–1 instead of 0–255, or the
            model does not give class scores for every pixel (an autoencoder, for example) or gives
            NaN.
        MemoryError: If the network needs more memory for the image than is free. `segment_tiled`
            labels such an image tile by tile.

    Example:
        >>> model = fcn.models.fcn_from_cae(fcn.models.cae(widths=(4, 4)), num_classes=3)
        >>> fcn.prediction.segment(model, np.zeros((37, 50, 3))).shape
        (37, 50)
    """
    labels = np.argmax(_scores(model, image, size), axis=-1).astype("uint8")
    return images.nearest(labels, np.shape(image)[:2])


@checked
def probabilities(
    model: ScoringModel, image: np.ndarray, size: InputSize = "trained"
) -> np.ndarray:
    """Gives every pixel the probability of each class, by softmax (lecture: L17, L25).

    What a model that ends in a softmax gives is left as it is.

    With two classes, such as background 0 and road 1, `probabilities(...)[:, :, 1] > 0.5` is the
    same mask as `segment(...) == 1`.

    Args:
        model: As in `segment`.
        image: As in `segment`.
        size: As in `segment`.

    Returns:
        float32 `(H, W, C)`, 0–1, with sum 1 along C.

    Raises:
        TypeError, ValueError, MemoryError: As `segment`.

    Example:
        >>> model = fcn.models.fcn_from_cae(fcn.models.cae(widths=(4, 4)), num_classes=3)
        >>> chances = fcn.prediction.probabilities(model, np.zeros((37, 50, 3)))
        >>> np.allclose(chances.sum(axis=-1), 1)
        True
    """
    scores = logits(model, image, size)
    if endings.gives_probabilities(model, scores):
        return scores
    return np.asarray(keras.ops.convert_to_numpy(keras.ops.softmax(scores, axis=-1)))


@checked
def logits(model: ScoringModel, image: np.ndarray, size: InputSize = "trained") -> np.ndarray:
    """Gives the class scores of every pixel, before any softmax (lecture: L17).

    Args:
        model: As in `segment`.
        image: As in `segment`.
        size: As in `segment`.

    Returns:
        float32 `(H, W, C)`.

    Raises:
        TypeError, ValueError, MemoryError: As `segment`.

    Example:
        >>> model = fcn.models.fcn_from_cae(fcn.models.cae(widths=(4, 4)), num_classes=3)
        >>> fcn.prediction.logits(model, np.zeros((37, 50, 3))).shape
        (37, 50, 3)
    """
    return images.nearest(_scores(model, image, size), np.shape(image)[:2])


def _scores(model, image, size):
    """Class scores `(h, w, C)` at the size at which the network sees the image."""
    image = agreement.float_image_for(model, image)  # (H, W, 3)
    pixels = at_trained_size(model, image, size).astype("float32")  # (h, w, 3)
    require_memory(model, pixels.shape[:2])
    scores = model.predict_on_batch(pixels[None])  # a batch of one image: (1, h, w, C)
    # shape[1:-1] is (h, w), but () for a classifier, whose scores are (1, C)
    agreement.require_scores_of_every_pixel(model, scores.shape[1:-1], pixels.shape[:2])
    agreement.require_finite_scores(model, np.isfinite(scores))
    return scores[0]


@checked
def feature_maps(model: Model, image: np.ndarray, layers: Names) -> dict[str, np.ndarray]:
    """Gives the outputs of some layers of a model for one image (lecture: L03, L11, L13).

    Args:
        model: Functional Keras model whose input is `(batch, H, W, channels)`, 0–255.
        image: `(H, W, channels)`, 0–255.
        layers: Layer names.

    Returns:
        `{layer name: float32 array}` in the order of `layers`, without the batch axis:
        `(h, w, channels)`, or `(units,)` for `Flatten` and the layers after it.

    Raises:
        TypeError: If `model` is not a Keras model.
        ValueError: If the model does not take such an image, or has no layer of that name.

    Example:
        >>> model = fcn.models.cae(widths=(4, 8))
        >>> maps = fcn.prediction.feature_maps(model, np.zeros((64, 64, 3)), ["conv1", "conv2"])
        >>> {name: array.shape for name, array in maps.items()}
        {'conv1': (32, 32, 4), 'conv2': (16, 16, 8)}
    """
    outputs = {name: agreement.layer_of(model, name).output for name in layers}
    probe = keras.Model(model.inputs[0], outputs)
    computed = probe.predict_on_batch(agreement.float_image_for(model, image)[None])
    return {name: computed[name][0] for name in layers}
