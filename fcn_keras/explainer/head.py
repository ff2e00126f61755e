"""A head that somebody trained in the page, back in Keras (lecture: L22, L24)."""

import json
from pathlib import Path

import keras
import numpy as np

from fcn_keras.models.card import card, note
from fcn_keras.support import arguments
from fcn_keras.support.kinds import Model, checked
from fcn_keras.support.weight_files import check_fit

CLASS_NAMES = "class_names"  # in the file's metadata, as a JSON list
ENCODER = "encoder"  # and by its name
LAYERS = (  # of FCN-8s behind its encoder
    *("fc6", "fc7", "score_fr", "upscore2", "score_pool4"),
    *("upscore_pool4", "score_pool3", "upscore8"),
)
MAKE = "fcn.models.fcn(num_classes={}, stride=8, backbone=ENCODER, width=32)"


@checked
def load_head(model: Model, file: str | Path) -> None:
    """Puts a head from the page's *Save head* into a model; its encoder stays (lecture: L24).

    The page trains a head for the encoder that it carries, and names it in the file: behind another
    encoder of the same sizes the weights would fit too, but mean nothing.

    Args:
        model: `models.fcn(num_classes, stride=8, backbone, width=32)` with as many classes as
            were painted and the page's encoder. Its card gets the names of the classes.
        file: The `.safetensors` file that the page saved: float32 arrays `"fc6/kernel"`,
            `"fc6/bias"`, …, and the names of the classes in its metadata.

    Raises:
        FileNotFoundError: If the file is not there.
        ValueError: If it is no such file, or does not fit the model, or was trained behind another
            encoder; nothing is changed then.

    Example:
        >>> import tempfile, safetensors.numpy
        >>> model = fcn.models.fcn(2, 8, fcn.backbones.small_vgg(), width=32)
        >>> layers = [layer for layer in model.layers if layer.trainable_weights]
        >>> arrays = [(f"{layer.name}/{v.name}", v) for layer in layers for v in layer.weights]
        >>> head = {name: np.array(variable) for name, variable in arrays}
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     path = folder + "/cat-head.safetensors"
        ...     safetensors.numpy.save_file(head, path, {"class_names": '["background", "cat"]'})
        ...     fcn.explainer.load_head(model, path)
        >>> fcn.models.card(model).class_names
        ('background', 'cat')
    """
    path = arguments.existing_file("file", file, "a head that the page saved (.safetensors)")
    arrays, names, encoder = _read(path)
    variables = _of_head(model, len(names))
    classes = model.output_shape[-1]
    if classes != len(names):
        raise ValueError(
            f"Expected a head of {classes} classes, as many as the model has. Received: {path}, of "
            f"{len(names)}: {', '.join(names)}. {MAKE.format(len(names))} makes a model that fits."
        )
    own = card(model).encoder
    if encoder and own and encoder != own:
        raise ValueError(
            f"Expected a head that was trained behind the model's encoder, {own}. "
            f"Received: {path}, trained behind {encoder}"
        )
    try:
        check_fit({name: tuple(v.shape) for name, v in variables.items()}, arrays, path)
    except ValueError as error:
        raise ValueError(
            f"{error} Is ENCODER the page's, as in {MAKE.format(len(names))}?"
        ) from error
    spoilt = [name for name, array in arrays.items() if not np.isfinite(array).all()]
    if spoilt:
        raise ValueError(
            f"Expected finite weights; nothing was changed. Received: {path}, in which "
            f"{', '.join(spoilt)} hold NaN or infinity. Train again in the page."
        )
    for name, variable in variables.items():
        variable.assign(arrays[name])
    note(model, class_names=tuple(names))


def _read(path: Path) -> tuple[dict[str, np.ndarray], list[str], str]:
    """The arrays of a file, the names of the classes, and that of the encoder."""
    from safetensors import safe_open

    try:
        with safe_open(path, framework="numpy") as content:
            arrays = {name: content.get_tensor(name) for name in content.keys()}  # noqa: SIM118
            about = content.metadata() or {}
    except Exception as error:  # safetensors and NumPy raise kinds of their own
        raise ValueError(
            "Expected file to be a .safetensors file, which the page's 'Save head' writes. "
            f"Received: {path}, which cannot be read ({error}). Was it copied whole?"
        ) from error
    try:
        names = json.loads(about[CLASS_NAMES])
        known = isinstance(names, list) and bool(names) and all(isinstance(n, str) for n in names)
    except (KeyError, ValueError):
        known, names = False, []
    if not known:
        raise ValueError(
            "Expected file to be a head that the page's 'Save head' wrote, with the names of its "
            f"classes. Received: {path}, which has none, and the arrays {_some(arrays)}"
        )
    return arrays, names, about.get(ENCODER, "")


def _some(names) -> str:
    names = sorted(names)
    more = f" and {len(names) - 3} more" if len(names) > 3 else ""
    return f"{', '.join(names[:3])}{more}" if names else "none at all"


def _of_head(model: keras.Model, classes: int) -> dict:
    """`{"fc6/kernel": variable, …}` of the layers behind the encoder."""
    inside = {layer.name: layer for layer in model.layers}
    missing = [name for name in LAYERS if name not in inside]
    if missing:
        raise ValueError(
            f"Expected an FCN-8s as in the page, {MAKE.format(classes)}. Received: "
            f"{model.name}, which has no {missing[0]}"
        )
    return {
        f"{name}/{variable.name}": variable for name in LAYERS for variable in inside[name].weights
    }
