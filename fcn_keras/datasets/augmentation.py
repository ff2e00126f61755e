"""Keras' image layers as augmentation: each moves an image and its label map alike."""

import keras
import numpy as np


def layers_of(augment) -> list[keras.layers.Layer]:
    """The layers of one layer, of a list of them, or of `None`.

    Raises:
        ValueError: If it is something else, or a layer that does not change labels with the image.
    """
    if augment is None:
        return []
    layers = list(augment) if isinstance(augment, (list, tuple)) else [augment]
    for layer in layers:
        if not isinstance(layer, keras.layers.Layer):
            raise ValueError(
                f"Expected augment to be 'flip' or Keras image layers. Received: {layer!r}"
            )
        if not hasattr(layer, "transform_segmentation_masks"):
            raise ValueError(
                "Expected augment to hold layers that change images and labels alike, such as "
                f"keras.layers.RandomRotation. Received: {type(layer).__name__}. "
                "(The model scales its input itself.)"
            )
    return layers


def seed_layer(layer, entropy: list[int]) -> None:
    """Makes a layer's next random numbers depend on `entropy`, and not on its earlier calls."""
    if hasattr(layer, "generator"):
        state = np.random.default_rng(entropy).integers(0, 2**31, 2).astype("uint32")
        layer.generator.state.assign(state)


def move(layer, images: np.ndarray) -> np.ndarray:
    """Images without label maps after one random transformation, float32 `(B, H, W, 3)`."""
    return _array(layer(images, training=True))


def move_alike(layer, images: np.ndarray, labels: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Images and label maps after one random transformation. What comes from outside is void.

    A layer fills the empty corners of a turned label map with a number that could be a class. To
    tell the filling from labels, each label travels twice, as +n and as −n, with void as 0. Filling
    is the same number in both, and only for 0 is that number its own opposite.

    Args:
        layer: Keras layer with `transform_segmentation_masks`.
        images: float32 `(B, H, W, 3)`.
        labels: int32 `(B, H, W)`.

    Raises:
        ValueError: If the layer blends class numbers.
    """
    shifted = ((labels + 1) % 256)[..., None].astype("float32")  # void 255 becomes 0
    both_signs = np.concatenate([shifted, -shifted], axis=-1)
    images, both_signs = _transformed(layer, images, both_signs)
    moved = np.where(both_signs[..., 0] == -both_signs[..., 1], both_signs[..., 0], 0)
    if (moved != np.rint(moved)).any():
        raise ValueError(
            "Expected augment to hold layers that move labels without blending them, such as "
            f"keras.layers.RandomZoom. Received: {type(layer).__name__}, which made numbers "
            "between two classes. Leave it out."
        )
    return images, (moved.astype("int32") - 1) % 256


def _transformed(layer, images, masks) -> tuple[np.ndarray, np.ndarray]:
    """Images and masks after the same random transformation."""
    pair = {"images": images, "segmentation_masks": masks}
    if keras.backend.backend() == "torch":
        drawn = layer.get_random_transformation(pair, training=True)
        pair = {
            "images": layer.transform_images(
                keras.ops.convert_to_tensor(images), _copied(drawn), training=True
            ),
            "segmentation_masks": layer.transform_segmentation_masks(
                keras.ops.convert_to_tensor(masks), _copied(drawn), training=True
            ),
        }
    else:
        pair = layer(pair, training=True)
    return _array(pair["images"]), _array(pair["segmentation_masks"])


def _array(tensor) -> np.ndarray:
    return np.asarray(keras.ops.convert_to_numpy(tensor))


def _copied(transformation):
    """A copy for one use: on PyTorch, Keras 3.15 changes the matrix that it turns images with."""
    return keras.tree.map_structure(
        lambda value: keras.ops.copy(value) if keras.ops.is_tensor(value) else value, transformation
    )
