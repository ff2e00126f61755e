"""Encoders: the downsampling path that finds *what* (lecture: L13, L23).

VGG16 and its small sister are the same pattern, five blocks of 3 × 3 convolutions with a
2 × 2 max pooling after each, and differ only in a list of widths. Both give a dict of features
`pool1` … `pool5`; `poolN` is the image at 1/2^N of its size, rounded up.
"""

import json
import zipfile
from pathlib import Path

import keras
import numpy as np

from fcn_keras.convolutionalize import dense_to_conv
from fcn_keras.layers import VGGPreprocessing
from fcn_keras.support import arguments

VGG16_WIDTHS = ((64, 64), (128, 128), (256, 256, 256), (512, 512, 512), (512, 512, 512))
SMALL_VGG_WIDTHS = ((16,), (32, 32), (64, 64), (128, 128), (256, 256))
VGG16_FILE = "vgg16_weights_tf_dim_ordering_tf_kernels_notop.h5"
VGG16_CLASSIFIER_FILE = "vgg16_weights_tf_dim_ordering_tf_kernels.h5"
WORST = 3  # weights of each kind that do not fit, named in a message
SMALL_VGG_WEIGHTS = Path(__file__).parent / "weights" / "small_vgg.npz"


def blocks(x, widths) -> dict:
    """VGG's blocks: 3 × 3 convolutions with ReLU, then a 2 × 2 max pooling; the one place that describes them.

    Args:
        x: Tensor `(batch, H, W, any)`.
        widths: For each block, the output channels of its convolutions.

    Returns:
        `{"pool1": (batch, ⌈H/2⌉, ⌈W/2⌉, widths[0][-1]), …}`; layers `conv1_1`, …, `pool1`, …
    """
    pools = {}
    for block, block_widths in enumerate(widths, start=1):
        for index, width in enumerate(block_widths, start=1):
            x = keras.layers.Conv2D(
                width,
                3,
                padding="same",
                activation="relu",
                kernel_initializer="he_normal",
                name=f"conv{block}_{index}",
            )(x)
        # "same" rounds odd sizes up, so that no row of the picture is lost and 1 x 1 stays 1 x 1
        x = keras.layers.MaxPooling2D(2, padding="same", name=f"pool{block}")(x)
        pools[f"pool{block}"] = x
    return pools


def vgg(widths, preprocessing: keras.layers.Layer, name: str) -> keras.Model:
    """A VGG encoder from one list: a tuple of channel widths for each block.

    Args:
        widths: For each block, the output channels of its 3 × 3 convolutions.
        preprocessing: Layer that turns RGB 0–255 into what the first convolution expects.
        name: Model name.

    Returns:
        `keras.Model`, input `(batch, H, W, 3)` RGB 0–255, output a dict: `"pool1"` is
        `(batch, ⌈H/2⌉, ⌈W/2⌉, widths[0][-1])`, and so on; every H and W from 1 up.
    """
    for block in widths if isinstance(widths, (tuple, list)) and widths else [widths]:
        arguments.whole_numbers("widths (a list for each block, such as ((16,), (32, 32)))", block)
    if not isinstance(preprocessing, keras.layers.Layer):
        raise TypeError(
            f"Expected preprocessing to be a layer. {arguments.received('preprocessing', preprocessing)}"
        )
    image = keras.Input((None, None, 3), name="image")
    return keras.Model(image, blocks(preprocessing(image), widths), name=name)


def small_vgg(weights: str | Path | None = "pretrained") -> keras.Model:
    """The small VGG that ships with its weights: 13 times fewer parameters, no network needed.

    The weights come from an FCN that `fcn_keras.pretraining` trained on places which the package
    draws (`datasets.drawn_worlds`): the same move as VGG16 on ImageNet.

    Args:
        weights: `"pretrained"` (in the package), `None` (random), or an `.npz` of the same layout.

    Returns:
        Encoder as described at `vgg`; pool5 has 256 channels.

    Raises:
        ValueError: If the file's arrays are not those of this network.
        FileNotFoundError: If the file is not there.
    """
    scale = keras.layers.Rescaling(1 / 127.5, offset=-1.0, name="preprocessing")  # 0–255 → −1 … 1
    encoder = vgg(SMALL_VGG_WIDTHS, scale, "small_vgg")
    if weights is not None:
        load_npz(
            encoder,
            SMALL_VGG_WEIGHTS if weights == "pretrained" else arguments.path("weights", weights),
        )
    return encoder


def vgg16(weights: str | Path | None = "imagenet") -> keras.Model:
    """The lecture's encoder: VGG16's convolutions with ImageNet weights (lecture: L23).

    Args:
        weights: `"imagenet"` (Keras downloads 59 MB once and keeps them), `None` (random), or the
            path of Keras' file `vgg16_weights_tf_dim_ordering_tf_kernels_notop.h5`.

    Returns:
        Encoder as described at `vgg`; 14,714,688 parameters, pool5 has 512 channels.

    Raises:
        FileNotFoundError: If `weights` is a path and nothing is there.
        OSError: If the ImageNet weights cannot be downloaded.
        ValueError: If the file is not VGG16's.
    """
    encoder = vgg(VGG16_WIDTHS, VGGPreprocessing(name="preprocessing"), "vgg16")
    if weights is not None:
        _copy_convolutions(_keras_vgg16(weights, VGG16_FILE, include_top=False), encoder)
    return encoder


def vgg16_classifier(weights: str | Path | None = "imagenet") -> keras.Model:
    """VGG16 with its dense top rewritten as convolutions: a classifier that looks everywhere (lecture: L14).

    Its `fc6` and `fc7`, biases included, are what the paper's networks start from
    (`published.carry_over`).

    Args:
        weights: `"imagenet"` (Keras downloads 553 MB once and keeps them), `None` (random), or the
            path of Keras' file `vgg16_weights_tf_dim_ordering_tf_kernels.h5`.

    Returns:
        `keras.Model`, `(batch, H, W, 3)` RGB 0–255, H and W at least 193, → `(batch, h, w, 1000)`
        probabilities; 1 × 1 for 224 × 224, equal to the dense classifier's. Layers `conv1_1` …
        `pool5`, `fc6`, `fc7`, `fc8`; 138,357,544 parameters.

    Raises:
        FileNotFoundError, OSError, ValueError: As `vgg16`.
    """
    source = _keras_vgg16(weights, VGG16_CLASSIFIER_FILE, include_top=True)
    image = keras.Input((None, None, 3), name="image")
    x = blocks(VGGPreprocessing(name="preprocessing")(image), VGG16_WIDTHS)[
        "pool5"
    ]  # (B, 7, 7, 512) for 224 x 224
    for name, dense, shape in (
        ("fc6", "fc1", (7, 7, 512)),
        ("fc7", "fc2", (1, 1, 4096)),
        ("fc8", "predictions", (1, 1, 4096)),
    ):
        x = dense_to_conv(source.get_layer(dense), shape, name)(x)
    model = keras.Model(image, x, name="vgg16_classifier")
    _copy_convolutions(source, model)
    return model


def _copy_convolutions(source, target):
    """From Keras' names to the paper's."""
    for block, block_widths in enumerate(VGG16_WIDTHS, start=1):
        for index in range(1, len(block_widths) + 1):
            values = source.get_layer(f"block{block}_conv{index}").get_weights()
            target.get_layer(f"conv{block}_{index}").set_weights(values)


def _keras_vgg16(weights, file_name, include_top):
    """Keras' own VGG16 knows how to fetch, check and read its file; we copy its layers."""
    if weights not in (None, "imagenet") and not arguments.path("weights", weights).is_file():
        raise FileNotFoundError(
            f"Expected weights to be 'imagenet', None or a weights file. Received: {str(weights)!r}, which is not there."
        )
    try:
        return keras.applications.VGG16(include_top=include_top, weights=weights and str(weights))
    except Exception as error:  # urllib, ssl, h5py and Keras each raise their own kind
        raise _cannot_load(weights, file_name, error) from error


def _cannot_load(weights, file_name, error: Exception) -> Exception:
    if weights == "imagenet":
        return OSError(
            "The ImageNet weights of VGG16 are not on this computer and could not be downloaded. Bring Keras' "
            f"file {file_name} from a computer with a network and name it (weights=FILE, on the command line "
            "--vgg16-weights FILE), or use small_vgg, whose weights ship with the package."
        )
    return ValueError(
        f"{weights} does not hold VGG16's layers. Expected Keras' file {file_name}. ({error})"
    )


def by_name(name: str, vgg16_weights: str | Path | None = None) -> keras.Model:
    """The pretrained encoder `"small_vgg"` or `"vgg16"`; `vgg16_weights` is a file to take instead of a download."""
    arguments.one_of("name", name, ("small_vgg", "vgg16"))
    return vgg16(vgg16_weights or "imagenet") if name == "vgg16" else small_vgg()


def load_npz(encoder: keras.Model, path: str | Path) -> dict:
    """Puts the arrays `"conv1_1/kernel"`, `"conv1_1/bias"`, … of an `.npz` into an encoder.

    Args:
        encoder: Model whose layers with weights have the names in the file.
        path: The file; float16 is fine.

    Returns:
        The recipe that made the weights, from the file's `"recipe"`; `{}` if it has none.

    Raises:
        ValueError: If names or shapes differ; nothing is changed then.
        FileNotFoundError: If the file is not there.
    """
    arguments.model("encoder", encoder)
    path = arguments.path("path", path)
    if not path.is_file():
        raise FileNotFoundError(
            f"Expected a weights file (.npz). Received: {path}, which is not there."
        )
    try:
        with np.load(path, allow_pickle=False) as file:
            arrays = dict(file)
    except (ValueError, OSError, EOFError, AttributeError, TypeError, zipfile.BadZipFile) as error:
        raise ValueError(
            f"Expected path to be an .npz of arrays. Received: {path}, which cannot be read ({error})"
        ) from error
    recipe = json.loads(str(arrays.pop("recipe"))) if "recipe" in arrays else {}
    variables = {f"{layer.name}/{v.name}": v for layer in encoder.layers for v in layer.weights}
    check_fit({name: tuple(v.shape) for name, v in variables.items()}, arrays, path)
    for name, variable in variables.items():
        variable.assign(arrays[name].astype("float32"))
    return recipe


def check_fit(expected: dict[str, tuple], arrays: dict, source):
    """Compares arrays with what a network expects, before anything is changed.

    Args:
        expected: Name → shape.
        arrays: Name → NumPy array.
        source: Where the arrays are from, for the message.

    Raises:
        ValueError: If names are missing or left over, or shapes differ: some of each kind in one message.
    """
    missing = [f"missing: {name} {shape}" for name, shape in expected.items() if name not in arrays]
    left_over = [
        f"left over: {name} {np.shape(arrays[name])}" for name in arrays if name not in expected
    ]
    wrong = [
        f"wrong shape: {name}, expected {shape}, received {np.shape(arrays[name])}"
        for name, shape in expected.items()
        if name in arrays and np.shape(arrays[name]) != shape
    ]
    if missing or left_over or wrong:
        listed = "; ".join(
            text
            for found in (missing, left_over, wrong)
            if found
            for text in found[:WORST] + [f"and {len(found) - WORST} more"] * (len(found) > WORST)
        )
        raise ValueError(
            f"Expected weights that fit; nothing was changed. Received: from {source}, {listed}."
        )
