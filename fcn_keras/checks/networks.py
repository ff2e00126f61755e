"""What the checks of networks share.

A network must have the same layers as the reference, give the same numbers with the same weights,
and pass a gradient to every weight.
"""

import keras
import numpy as np

from fcn_keras.checks.hints import NotYet


def predict(model, images):
    """Outputs `(batch, …)` for images `(batch, H, W, 3)` 0–255, as float64."""
    return keras.ops.convert_to_numpy(model(images, training=False)).astype("float64")


def refuse_softmax(outputs, num_classes):
    """Refuses probabilities where logits are asked for."""
    probabilities = outputs.min() >= 0 and np.allclose(outputs.sum(-1), 1, atol=1e-3)
    if outputs.shape[-1] == num_classes and probabilities:
        raise NotYet(
            "the outputs of a pixel add up to 1: there is a softmax at the end, and the task asks "
            "for logits."
        )


def require_same_layers(model, reference):
    """Compares the layers that have weights: names, kinds, channels, kernels and strides."""
    _require_any_size(model)
    theirs, ours = (
        {layer.name: layer for layer in one.layers if layer.weights} for one in (model, reference)
    )
    missing, surplus = sorted(set(ours) - set(theirs)), sorted(set(theirs) - set(ours))
    found = ["there is no layer called " + ", ".join(missing)] if missing else []
    found += [", ".join(surplus) + " is not expected"] if surplus else []
    if found:
        raise NotYet(f"{' and '.join(found)}: the task names the layers.")
    for name in ours:
        _require_same_layer(theirs[name], ours[name])


def _require_any_size(model):
    """Nothing in the network may be tied to one size of image."""
    if model.input_shape[1:3] != (None, None):
        raise NotYet("the model takes one size only: leave height and width open in `keras.Input`.")
    for layer in model.layers:
        if isinstance(layer, keras.Model):
            raise NotYet(
                f"`{layer.name}` is a model inside your model: continue from the tensors of its "
                "layers instead of calling it."
            )
        if isinstance(layer, keras.layers.Dense | keras.layers.Flatten):
            kind = type(layer).__name__
            raise NotYet(f"`{layer.name}` is a {kind} layer: it ties the network to one size.")


def _require_same_layer(layer, reference):
    name = reference.name
    if type(layer) is not type(reference):
        raise NotYet(f"`{name}` is a {type(layer).__name__}; the task asks for another kind.")
    one_pixel = layer.kernel_size == (1, 1)  # which SAME and VALID padding treat alike
    for setting in ("filters", "kernel_size", "strides", "padding", "use_bias"):
        found = getattr(layer, setting)
        if found != getattr(reference, setting) and not (setting == "padding" and one_pixel):
            raise NotYet(f"`{name}`: look at its {setting.replace('_', ' ')} again, now {found}.")
    if layer.kernel.shape != reference.kernel.shape:
        shape = tuple(layer.kernel.shape)
        raise NotYet(
            f"`{name}` reads a map with the wrong number of channels (its kernel is {shape}): "
            "which map goes into it?"
        )
    if name != "output" and not _same_function(layer.activation, reference.activation):
        activation = getattr(layer.activation, "__name__", type(layer.activation).__name__)
        raise NotYet(f"`{name}` has the activation {activation}; the task asks for another one.")


def _same_function(activation, other) -> bool:
    """Whether two activations give the same numbers."""
    values = keras.ops.convert_to_tensor(np.linspace(-3, 3, 13, dtype="float32")[None])
    first, second = (keras.ops.convert_to_numpy(one(values)) for one in (activation, other))
    return np.allclose(first, second)


def outputs_with_same_weights(model, reference, images):
    """The outputs of both, after the reference has taken the model's weights layer by layer."""
    for layer in reference.layers:
        if layer.weights:
            layer.set_weights(model.get_layer(layer.name).get_weights())
    try:
        return predict(model, images), predict(reference, images)
    except Exception as error:
        height, width = images.shape[1:3]
        raise NotYet(
            f"the model does not run on pictures of {height} × {width} pixels: do you cut maps to "
            f"the same size before you merge them? ({type(error).__name__})"
        ) from None


def require_gradients(model, images, seed):
    """Whether training would change every weight of the model."""
    if untrained := untrained_weights(model, images.shape[1:], seed):
        raise NotYet(
            f"no gradient reaches {untrained[0]}: does it lie between input and output, and is it "
            "trainable?"
        )
    if len(model.trainable_weights) < len(model.weights):
        raise NotYet("a layer is frozen; this task trains all of them.")


def untrained_weights(model: keras.Model, image_shape, seed: int = 0) -> list[str]:
    """The trainable weights that no gradient reaches: a step of descent leaves them as they were.

    The step is made on noise, by a copy of the model.

    Args:
        model: A model with one input and one output.
        image_shape: Shape of one input, `(height, width, channels)`.
        seed: Of the noise.

    Returns:
        Their paths, such as `"score_pool4/kernel"`.
    """
    draw = np.random.default_rng(seed)
    try:
        copy = keras.models.clone_model(model)
    except Exception:
        raise NotYet(
            "the model cannot be copied: does a layer start from a function or an initializer of "
            "your own? Use `set_weights` or `keras.initializers.Constant`."
        ) from None
    copy.set_weights(model.get_weights())
    images = draw.uniform(0, 255, (2, *image_shape)).astype("float32")
    outputs = keras.ops.convert_to_numpy(copy(images))
    copy.compile(optimizer=keras.optimizers.SGD(1.0), loss="mean_squared_error", jit_compile=False)
    before = [keras.ops.convert_to_numpy(w).copy() for w in copy.trainable_weights]
    noise = draw.normal(0, 1 + np.abs(outputs).max(), outputs.shape).astype("float32")
    copy.train_on_batch(images, outputs + noise)
    after = [keras.ops.convert_to_numpy(w) for w in copy.trainable_weights]
    pairs = zip(copy.trainable_weights, before, after)
    return [weight.path for weight, a, b in pairs if np.array_equal(a, b)]
