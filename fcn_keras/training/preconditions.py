"""Whether a model, a data set and the options of a training fit together."""

import keras
import numpy as np

from fcn_keras.layers import CropToMatch
from fcn_keras.models.describing import inputs_of
from fcn_keras.support import arguments
from fcn_keras.training import distribution as sharing
from fcn_keras.training.checkpoint import _named


def _check_unfreeze(model, unfreeze, fine_tuning) -> list:
    """The layers that `unfreeze="after"` will unfreeze."""
    if unfreeze not in (None, "after"):
        raise ValueError(
            f"Expected unfreeze to be 'after' or None. Received: unfreeze={unfreeze!r}"
        )
    if fine_tuning is not None and (
        unfreeze is None or not isinstance(fine_tuning, (int, np.integer)) or fine_tuning < 1
    ):
        raise ValueError(
            "Expected fine_tuning to be a whole number of at least 1, with unfreeze='after'. "
            f"Received: fine_tuning={fine_tuning!r}, unfreeze={unfreeze!r}"
        )
    if unfreeze is None:
        return []
    frozen = [layer for layer in model.layers if layer.weights and not layer.trainable]
    if not frozen:
        raise ValueError(
            f"Expected a model with frozen layers to unfreeze. Received: {model.name!r}, all of it trained"
        )
    return frozen


def _check_distribution(distribution, batch_size, augment):
    if not isinstance(distribution, keras.distribution.DataParallel):
        raise TypeError(
            f"Expected distribution to be distribution.data_parallel(). {arguments.received('it', distribution)}"
        )
    if sharing.processes()[1] > 1 and augment is not None and not isinstance(augment, str):
        raise ValueError(
            f"Expected augment to be 'flip' or None with several processes: what a Keras layer draws is each process' own. "
            f"Received: {_named(augment)}"
        )
    if batch_size < distribution.num_model_replicas:
        raise ValueError(
            f"Expected batch_size to be at least the number of devices, {distribution.num_model_replicas}. Received: {batch_size}"
        )


def _check_shares(model, batches, devices):
    """Where the devices do not divide a batch, rows of void fill it up: they change no loss, but batch statistics they would."""
    sizes = {len(batches.indices(number)) for number in range(len(batches))}
    uneven = [size for size in sizes if size % devices]
    normalizes = any(
        isinstance(layer, keras.layers.BatchNormalization) and layer.trainable
        for layer in model.layers
    )
    if uneven and (normalizes or batches.reconstructs):
        why = (
            "a network that normalizes over the batch"
            if normalizes
            else "images that are their own targets"
        )
        raise ValueError(
            f"Expected batches that {devices} devices divide, with {why}. Received: one of {uneven[0]} images. Take another "
            f"batch_size than {batches.batch_size}, or steps= instead of epochs=, which makes all batches equal."
        )


def _check(model, train, validation, epochs, steps):
    arguments.model("model", model)
    arguments.data_set("train", train)
    if len(train) == 0:
        raise ValueError(f"Expected train to have at least one image. Received: {train!r}")
    if (epochs is None) == (steps is None):
        raise ValueError(
            f"Expected exactly one of epochs and steps. Received: epochs={epochs}, steps={steps}"
        )
    arguments.whole_number(
        "epochs" if steps is None else "steps", epochs if steps is None else steps, 1
    )
    if validation is not None:
        arguments.data_set("validation", validation)
        if validation.class_names != train.class_names:
            raise ValueError(
                f"Expected validation with the classes of train, {', '.join(train.class_names)}. "
                f"Received: {', '.join(validation.class_names)}"
            )
        if len(validation) == 0 or validation[0][1] is None:
            raise ValueError(f"Expected validation with labels. Received: {validation!r}")
    if not model.trainable_weights:
        raise ValueError(
            f"Expected a model with something to train. Received: {model.name!r}, all of it frozen"
        )
    image, target = train[0]
    if target is None:
        raise ValueError(f"Expected data with labels. Received: {train!r}, which has none")
    if target.ndim == 2:
        if model.output_shape[-1] != train.num_classes:
            raise ValueError(
                f"Expected a model with {train.num_classes} outputs, one for each class of the data "
                f"({', '.join(train.class_names)}). Received: {model.name!r} with {model.output_shape[-1]}"
            )
        _check_sizes(model, image)
        if _last_activation(model) in ("softmax", "sigmoid", "relu"):
            raise ValueError(
                f"Expected a model that gives logits: no activation after its last convolution, the loss applies the "
                f"softmax itself. Received: {model.name!r}, which ends in {_last_activation(model)}"
            )


def _check_sizes(model, image):
    """Whether an image can go in and a score for each pixel comes out, by shapes alone."""
    channels = model.input_shape[-1]
    if image.shape[-1] != channels:
        raise ValueError(
            f"Expected images of {channels} channels for {model.name!r}. Received: {image.shape[-1]}"
        )
    try:
        scores = model.compute_output_spec(keras.KerasTensor((1, *image.shape)))
    except Exception as error:  # what a layer says about a size that it cannot take
        size = f"{image.shape[0]} x {image.shape[1]}"
        raise ValueError(
            f"Expected a model that takes images of {size}. Received: {model.name!r} ({error})"
        ) from error
    if tuple(scores.shape[1:3]) != image.shape[:2]:
        raise ValueError(
            f"Expected a model that gives scores at the image's size, {image.shape[0]} x {image.shape[1]}. Received: "
            f"{model.name!r}, which gives {scores.shape[1]} x {scores.shape[2]}. layers.CropToMatch cuts what is too large."
        )


def _last_activation(model) -> str:
    layer = model.get_layer(model.outputs[0]._keras_history.operation.name)
    if isinstance(layer, CropToMatch):
        layer = model.get_layer(inputs_of(layer)[0])
    return getattr(getattr(layer, "activation", None), "__name__", "linear")
