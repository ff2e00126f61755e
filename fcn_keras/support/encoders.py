"""The names of encoders. They stand here so that the command line knows them without Keras."""

import difflib

OWN = ("efficientnet_lite0", "small_vgg", "vgg16")
# Those of `keras.applications` that have maps at 1/8, 1/16 and 1/32; VGG16 is among ours.
KERAS = (
    *(f"ConvNeXt{size}" for size in ("Tiny", "Small", "Base", "Large", "XLarge")),
    *(f"DenseNet{depth}" for depth in (121, 169, 201)),
    *(f"EfficientNetB{size}" for size in range(8)),
    *(f"EfficientNetV2{size}" for size in ("B0", "B1", "B2", "B3", "S", "M", "L")),
    *("MobileNet", "MobileNetV2", "MobileNetV3Small", "MobileNetV3Large"),
    *(f"ResNet{depth}{version}" for depth in (50, 101, 152) for version in ("", "V2")),
    *("VGG19", "Xception"),
)
NAMES = OWN + KERAS
SHORTLY = (
    "efficientnet_lite0 (default; small_vgg without its weights), small_vgg, vgg16, or one of "
    "Keras: ConvNeXtTiny to XLarge, DenseNet121/169/201, EfficientNetB0 to B7, EfficientNetV2B0 to "
    "B3/S/M/L, MobileNet, MobileNetV2, MobileNetV3Small/Large, ResNet50/101/152, "
    "ResNet50V2/101V2/152V2, VGG19, Xception"
)


def encoder_name(name: str, value) -> str:
    """The name of an encoder as it is spelled here, whatever its case.

    Args:
        name: The argument's name.
        value: What was received.

    Raises:
        ValueError: If there is no such encoder.
    """
    if found := spelled(value):
        return found
    raise ValueError(
        f"Expected {name} to be the name of an encoder. Received: {name}={value!r}. {hint(value)}"
    )


def spelled(value) -> str | None:
    """A name as it is spelled here; `None` if there is no such encoder."""
    return {one.lower(): one for one in NAMES}.get(str(value).lower())


def hint(value) -> str:
    """The name that was probably meant, or else all of them."""
    near = difflib.get_close_matches(str(value).lower(), [one.lower() for one in NAMES], n=1)
    return f"Did you mean {spelled(near[0])}?" if near else f"Known: {SHORTLY}"
