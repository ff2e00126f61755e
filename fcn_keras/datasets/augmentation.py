"""Keras' image layers as augmentation: each moves an image and its label map alike."""

import keras
import numpy as np

from fcn_keras.support import arguments

SUM = 255.25  # of the two numbers for a label; its half is no number that anybody fills with


def flip_and_layers(augment) -> tuple[bool, list[keras.layers.Layer]]:
    """Whether `augment` mirrors images, and its layers, one after the other.

    Args:
        augment: `None`, `"flip"`, a layer, a `keras.layers.Pipeline` or `keras.Sequential` of
            layers, or a list of these.

    Raises:
        ValueError: If it is something else, or a layer that does not change labels with the image.
    """
    steps = _listed(augment)
    layers = [step for step in steps if not (isinstance(step, str) and step == "flip")]
    for layer in layers:
        if not isinstance(layer, keras.layers.Layer):
            own = ". A function of your own belongs into the data set's read" * callable(layer)
            raise ValueError(
                "Expected augment to be 'flip' or Keras image layers, or a list of them. "
                f"{arguments.received('augment', layer)}{own}"
            )
        if not hasattr(layer, "transform_segmentation_masks"):
            raise ValueError(
                "Expected augment to hold layers that change images and labels alike, such as "
                f"keras.layers.RandomRotation. Received: {type(layer).__name__}. "
                "(The model scales its input itself.)"
            )
    return len(layers) < len(steps), layers


def _listed(augment) -> list:
    """What follows one after the other, without the containers around it."""
    if isinstance(augment, (keras.layers.Pipeline, keras.Sequential)):
        augment = augment.layers
    if isinstance(augment, (list, tuple)):
        return [step for part in augment for step in _listed(part)]
    return [] if augment is None else [augment]


def seed_layer(layer, entropy: list[int]) -> None:
    """Makes a layer's next random numbers depend on `entropy`, and not on its earlier calls."""
    for number, inner in enumerate(layer._flatten_layers()):  # the layer itself is the first
        if hasattr(inner, "generator"):
            own = entropy if number == 0 else [*entropy, number]
            state = np.random.default_rng(own).integers(0, 2**31, 2).astype("uint32")
            inner.generator.state.assign(state)


def move(layer, images: np.ndarray) -> np.ndarray:
    """Images without label maps after one random transformation, float32 `(B, H, W, 3)`."""
    return _array(layer(images, training=True))


def move_alike(layer, images: np.ndarray, labels: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Images and label maps after one random transformation. What comes from outside is void.

    A layer fills the empty corners of a turned label map with a number that could be a class. To
    tell the filling from labels, each label travels twice, as n and as 255.25 − n, with void as 0.
    Filling is the same number in both, so the two do not add up to 255.25.

    Args:
        layer: Keras layer with `transform_segmentation_masks`.
        images: float32 `(B, H, W, 3)`.
        labels: int32 `(B, H, W)`.

    Raises:
        ValueError: If the layer blends class numbers, or fails on label maps.
    """
    shifted = ((labels + 1) % 256)[..., None].astype("float32")  # void 255 becomes 0
    # as many channels as an image: some layers, such as CutMix, ask for that
    twice = np.concatenate([shifted, SUM - shifted, shifted], axis=-1)
    try:
        images, twice = _transformed(layer, images, twice)
    except Exception as error:
        raise ValueError(
            "Expected augment to hold layers that change images and labels alike, such as "
            f"keras.layers.RandomRotation. Received: {type(layer).__name__}, which fails on label "
            f"maps ({type(error).__name__}). Leave it out."
        ) from error
    moved = np.where(abs(twice[..., 0] + twice[..., 1] - SUM) < 1e-3, twice[..., 0], 0)
    if (moved != np.rint(moved)).any():
        raise ValueError(
            "Expected augment to hold layers that move labels without blending them, such as "
            f"keras.layers.RandomZoom. Received: {type(layer).__name__}, which made numbers "
            "between two classes. Leave it out."
        )
    return images, (moved.astype("int32") - 1) % 256


def _transformed(layer, images, masks) -> tuple[np.ndarray, np.ndarray]:
    """Images and masks after the same random transformation.

    Calling the layer with both would draw an elastic transformation anew for the masks.
    """
    images, masks = map(keras.ops.convert_to_tensor, (images, masks))
    drawn = layer.get_random_transformation(images, training=True)
    generator = getattr(layer, "generator", None)
    state = generator and keras.ops.convert_to_numpy(generator.state)
    images = layer.transform_images(images, _copied(drawn), training=True)
    if generator:
        generator.state.assign(state)
    masks = layer.transform_segmentation_masks(masks, _copied(drawn), training=True)
    return _array(images), _array(masks)


def _array(tensor) -> np.ndarray:
    return np.asarray(keras.ops.convert_to_numpy(tensor))


def _copied(transformation):
    """A copy for one use: on PyTorch, Keras 3.15 changes the matrix that it turns images with."""
    return keras.tree.map_structure(
        lambda value: keras.ops.copy(value) if keras.ops.is_tensor(value) else value, transformation
    )
