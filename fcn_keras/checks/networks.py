"""What the checks of built networks share: the same layers, the same numbers with the same weights, gradients everywhere."""

import keras
import numpy as np

from fcn_keras.checks.hints import NotYet


def predict(model, images):
    """Outputs `(batch, …)` for images `(batch, H, W, 3)` 0–255, as float64."""
    return keras.ops.convert_to_numpy(model(images, training=False)).astype("float64")


def require_same_layers(model, reference):
    """Compares names, kinds, channels, kernels and strides of the layers that have weights."""
    if model.input_shape[1:3] != (None, None):
        raise NotYet("the model takes one size only: leave height and width open in `keras.Input`.")
    for layer in model.layers:
        if isinstance(layer, keras.Model):
            raise NotYet(
                f"`{layer.name}` is a model in the model: go on from the tensors of its layers instead of calling it."
            )
        if isinstance(layer, keras.layers.Dense | keras.layers.Flatten):
            raise NotYet(
                f"`{layer.name}` is a {type(layer).__name__} layer: it ties the network to one size."
            )
    theirs, ours = (
        {layer.name: layer for layer in m.layers if layer.weights} for m in (model, reference)
    )
    missing, surplus = sorted(set(ours) - set(theirs)), sorted(set(theirs) - set(ours))
    if missing or surplus:
        parts = [
            "there is no layer called " + ", ".join(missing),
            ", ".join(surplus) + " is not expected",
        ]
        said = [part for part, names in zip(parts, (missing, surplus)) if names]
        raise NotYet(f"{' and '.join(said)}: see the names in the task.")
    for name, ours_one in ours.items():
        one = theirs[name]
        if type(one) is not type(ours_one):
            raise NotYet(f"`{name}` is a {type(one).__name__}; see the task for its kind.")
        for what in ("filters", "kernel_size", "strides", "padding", "use_bias"):
            if getattr(one, what) != getattr(ours_one, what) and not (
                what == "padding" and one.kernel_size == (1, 1)
            ):
                raise NotYet(
                    f"`{name}`: look at its {what.replace('_', ' ')} again, which is {getattr(one, what)}."
                )
        if one.kernel.shape != ours_one.kernel.shape:
            raise NotYet(
                f"`{name}` reads a map of the wrong channels (kernel {tuple(one.kernel.shape)}): what goes into it?"
            )
        if name != "output" and not _same_function(one.activation, ours_one.activation):
            kind = getattr(one.activation, "__name__", type(one.activation).__name__)
            raise NotYet(f"`{name}` has the activation {kind}: see the task.")


def _same_function(one, other) -> bool:
    """Whether two activations give the same numbers."""
    values = keras.ops.convert_to_tensor(np.linspace(-3, 3, 13, dtype="float32")[None])
    return np.allclose(
        *(keras.ops.convert_to_numpy(activation(values)) for activation in (one, other))
    )


def outputs_with_same_weights(model, reference, images):
    """The outputs of both with the model's weights in the reference, layer by layer."""
    for layer in reference.layers:
        if layer.weights:
            layer.set_weights(model.get_layer(layer.name).get_weights())
    try:
        return predict(model, images), predict(reference, images)
    except Exception as error:
        raise NotYet(
            f"the model does not run on pictures of {images.shape[1]} × {images.shape[2]} pixels: are maps that are merged cut "
            f"to the same size? ({type(error).__name__})"
        ) from None


def require_gradients(model, images, seed):
    """Whether a training would change every weight of the model."""
    if still := still_weights(model, images.shape[1:], seed):
        raise NotYet(
            f"no gradient reaches {still[0]}: is it in the way from input to output, and trainable?"
        )
    if len(model.trainable_weights) < len(model.weights):
        raise NotYet("some layer is frozen: all of them are trained here.")


def still_weights(model: keras.Model, image_shape, seed: int = 0) -> list[str]:
    """The trainable weights to which no gradient comes: one step of descent on noise leaves them as they were.

    The model itself is not changed.

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
            "the model cannot be copied: does a layer start from a function or an initializer of your own? Use `set_weights`, or "
            "`keras.initializers.Constant`."
        ) from None
    copy.set_weights(model.get_weights())
    images = draw.uniform(0, 255, (2, *image_shape)).astype("float32")
    outputs = keras.ops.convert_to_numpy(copy(images))
    copy.compile(optimizer=keras.optimizers.SGD(1.0), loss="mean_squared_error", jit_compile=False)
    before = [keras.ops.convert_to_numpy(w).copy() for w in copy.trainable_weights]
    copy.train_on_batch(
        images, outputs + draw.normal(0, 1 + np.abs(outputs).max(), outputs.shape).astype("float32")
    )
    after = [keras.ops.convert_to_numpy(w) for w in copy.trainable_weights]
    return [
        w.path for w, a, b in zip(copy.trainable_weights, before, after) if np.array_equal(a, b)
    ]
