"""The encoder with a name."""

from typing import Literal, get_args

import keras

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
