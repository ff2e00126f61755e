"""Whether a model, a data set and the options of a training fit together."""

from collections.abc import Sequence

import keras
import numpy as np

from fcn_keras.support import agreement, arguments, endings
from fcn_keras.training.checkpoint import in_words
from fcn_keras.training.distribution import processes


def require_matching_data(model, train, validation) -> None:
    """Refuses data that cannot be trained on, and a model that does not fit it.

    Raises:
        ValueError: With what was expected, what was received, and often the remedy.
    """
    arguments.functional("model", model)
    if len(train) == 0:
        raise ValueError(f"Expected train to have at least one image. Received: {train!r}")
    if validation is not None:
        _require_matching_validation(train, validation)
    if not model.trainable_weights:
        raise ValueError(
            f"Expected a model with something to train. Received: {model.name!r}, all of it frozen"
        )
    image, target = train[0]
    if target is None:
        raise ValueError(f"Expected data with labels. Received: {train!r}, which has none")
    if not train.reconstructs:
        _require_logits_of_every_pixel(model, image, train)


def _require_matching_validation(train, validation):
    if validation.class_names != train.class_names:
        raise ValueError(
            f"Expected validation with the classes of train, {', '.join(train.class_names)}. "
            f"Received: {', '.join(validation.class_names)}"
        )
    if len(validation) == 0 or validation[0][1] is None:
        raise ValueError(f"Expected validation with labels. Received: {validation!r}")


def _require_logits_of_every_pixel(model, image, data):
    agreement.require_output_for_each_class(model, data)
    _require_size(model, image)
    activation = endings.activation_of(endings.last_operation(model))
    if activation in endings.ACTIVATIONS:
        received = f"which ends in {activation}"
    elif activation != "linear" and endings.sum_to_one(_scores(model, image)):
        received = "whose outputs at a pixel sum to 1, as behind a softmax"
    else:
        return
    raise ValueError(
        "Expected a model that gives logits: no activation after its last convolution, since "
        f"the loss applies the softmax. Received: {model.name!r}, {received}. Leave it out: "
        "prediction.probabilities applies it afterwards."
    )


def _scores(model, image) -> np.ndarray:
    return keras.ops.convert_to_numpy(model(image[None].astype("float32"), training=False))


def _require_size(model, image):
    """Whether an image can go in and a score for each pixel comes out, by shapes alone."""
    channels, (height, width) = model.input_shape[-1], image.shape[:2]
    if image.shape[-1] != channels:
        raise ValueError(
            f"Expected images of {channels} channels for {model.name!r}. "
            f"Received: {image.shape[-1]}"
        )
    try:
        scores = model.compute_output_spec(keras.KerasTensor((1, *image.shape)))
    except Exception as error:  # what a layer says about a size that it cannot take
        raise ValueError(
            f"Expected a model that takes images of {height} x {width}. Received: {model.name!r} "
            f"({error})"
        ) from error
    if tuple(scores.shape[1:3]) != (height, width):
        raise ValueError(
            f"Expected a model that gives scores at the image's size, {height} x {width}. "
            f"Received: {model.name!r}, which gives {scores.shape[1]} x {scores.shape[2]}. "
            "layers.CropToMatch cuts what is too large."
        )


def layers_to_unfreeze(model, unfreeze: str | None, fine_tuning: int | None) -> list:
    """The layers that `unfreeze="after"` unfreezes; none without it.

    Raises:
        ValueError: If there are none to unfreeze, or `fine_tuning` is given without `unfreeze`.
    """
    if unfreeze is None:
        if fine_tuning is not None:
            raise ValueError(
                "Expected fine_tuning to be a whole number of at least 1, with unfreeze='after'. "
                f"Received: fine_tuning={fine_tuning!r}, unfreeze=None"
            )
        return []
    frozen = [layer for layer in model.layers if layer.weights and not layer.trainable]
    if not frozen:
        raise ValueError(
            f"Expected a model with frozen layers to unfreeze. Received: {model.name!r}, all of it "
            "trained"
        )
    return frozen


def require_optimizer(optimizer) -> None:
    """Refuses what Keras does not know as an optimizer.

    Raises:
        ValueError: If it is neither `None`, an optimizer nor the name of one.
    """
    if optimizer is None or isinstance(optimizer, keras.optimizers.Optimizer):
        return
    try:
        known = isinstance(optimizer, str) and keras.optimizers.get(optimizer)
    except ValueError:
        known = False
    if not known:
        raise ValueError(
            "Expected optimizer to be a Keras optimizer or its name, such as 'adamw'. "
            f"{arguments.received('optimizer', optimizer)}"
        )


def require_callbacks(callbacks) -> None:
    """Refuses what is not a list of Keras callbacks.

    Raises:
        TypeError: If it is something else.
    """
    several = isinstance(callbacks, Sequence) and not isinstance(callbacks, str)
    if not several or not all(isinstance(one, keras.callbacks.Callback) for one in callbacks):
        raise TypeError(
            "Expected callbacks to be a list of keras.callbacks.Callback. "
            f"{arguments.received('callbacks', callbacks)}"
        )


def require_sharing(distribution, batch_size: int, augment) -> None:
    """Refuses batches that several devices cannot share.

    Raises:
        TypeError: If `distribution` is something else.
        ValueError: If the batches are smaller than the number of devices, or augmented by each
            process on its own.
    """
    if distribution is None:
        return
    if not isinstance(distribution, keras.distribution.DataParallel):
        raise TypeError(
            "Expected distribution to be distribution.data_parallel(). "
            f"{arguments.received('distribution', distribution)}"
        )
    if processes()[1] > 1 and augment is not None and not isinstance(augment, str):
        raise ValueError(
            "Expected augment to be 'flip' or None with several processes: their random numbers "
            f"for a Keras layer would differ. Received: {in_words(augment)}"
        )
    devices = distribution.num_model_replicas
    if batch_size < devices:
        raise ValueError(
            f"Expected batch_size to be at least the number of devices, {devices}. Received: "
            f"{batch_size}"
        )


def require_even_shares(model, batches, devices: int) -> None:
    """Refuses batches that cannot be shared evenly, where filling them up changes the result.

    Rows of void fill up a batch. They change no loss, but they do change the statistics of a
    network that normalizes over the batch; and images that are their own targets have no void.

    Raises:
        ValueError: In these two cases.
    """
    sizes = {len(batches.indices(number)) for number in range(len(batches))}
    uneven = [size for size in sizes if size % devices]
    normalizes = any(
        isinstance(layer, keras.layers.BatchNormalization) and layer.trainable
        for layer in model.layers
    )
    if uneven and (normalizes or batches.reconstructs):
        reconstructs = "images that are their own targets"
        why = "a network that normalizes over the batch" if normalizes else reconstructs
        raise ValueError(
            f"Expected batch sizes that {devices} divides, with {why}. Received: {uneven[0]} "
            f"images. Take another batch_size than {batches.batch_size}, or steps= instead of "
            "epochs=, which makes all batches equal."
        )
