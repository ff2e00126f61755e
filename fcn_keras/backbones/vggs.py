"""VGG16 and the small VGG: one pattern, two lists of widths (lecture: L13, L23).

Five blocks of 3 × 3 convolutions, each followed by a 2 × 2 max pooling.
"""

from pathlib import Path

import keras

from fcn_keras.convolutionalize import dense_to_conv
from fcn_keras.layers import VGGPreprocessing
from fcn_keras.support import arguments
from fcn_keras.support.kinds import BlockWidths, File, Layer, Model, checked
from fcn_keras.support.weight_files import check_fit, read_npz

VGG16_WIDTHS = ((64, 64), (128, 128), (256, 256, 256), (512, 512, 512), (512, 512, 512))
SMALL_VGG_WIDTHS = ((16,), (32, 32), (64, 64), (128, 128), (256, 256))
VGG16_FILE = "vgg16_weights_tf_dim_ordering_tf_kernels_notop.h5"
VGG16_CLASSIFIER_FILE = "vgg16_weights_tf_dim_ordering_tf_kernels.h5"
SMALL_VGG_WEIGHTS = Path(__file__).parents[1] / "weights" / "small_vgg.npz"


def blocks(x, widths) -> dict:
    """VGG's blocks: 3 × 3 convolutions with ReLU, then a 2 × 2 max pooling.

    Args:
        x: Tensor `(batch, H, W, any)`.
        widths: For each block, the output channels of its convolutions.

    Returns:
        `{"pool1": (batch, ⌈H/2⌉, ⌈W/2⌉, widths[0][-1]), …}`; layers `conv1_1`, …, `pool1`, …

    Example:
        >>> pools = fcn.backbones.blocks(keras.Input((37, 50, 3)), widths=((16,), (32, 32)))
        >>> tuple(pools["pool2"].shape)
        (None, 10, 13, 32)
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


@checked
def vgg(widths: BlockWidths, preprocessing: Layer, name: str) -> keras.Model:
    """A VGG encoder, made from a list with the widths of each block (lecture: L13).

    Args:
        widths: For each block, the output channels of its 3 × 3 convolutions.
        preprocessing: Layer that turns RGB 0–255 into what the first convolution expects.
        name: Model name.

    Returns:
        `keras.Model`, input `(batch, H, W, 3)` RGB 0–255, output a dict: `"pool1"` is
        `(batch, ⌈H/2⌉, ⌈W/2⌉, widths[0][-1])`, and so on. H and W may be any numbers from 1 up.

    Example:
        >>> scale = keras.layers.Rescaling(1 / 127.5, offset=-1.0)  # 0–255 → −1 … 1
        >>> encoder = fcn.backbones.vgg(((4,), (8, 8), (16, 16)), scale, name="tiny_vgg")
        >>> tuple(encoder(np.zeros((1, 37, 50, 3)))["pool3"].shape)
        (1, 5, 7, 16)
    """
    image = keras.Input((None, None, 3), name="image")
    return keras.Model(image, blocks(preprocessing(image), widths), name=name)


@checked
def small_vgg(weights: File | None = "pretrained") -> keras.Model:
    """The small VGG, whose weights ship with the package; it has 13 times fewer parameters.

    The weights come from an FCN that `fcn_keras.pretraining` trained on places which the package
    draws (`datasets.drawn_worlds`), just as VGG16's come from ImageNet.

    Args:
        weights: `"pretrained"` (in the package), `None` (random), or an `.npz` of the same arrays.

    Returns:
        Encoder as described at `vgg`; pool5 has 256 channels.

    Raises:
        ValueError: If the file's arrays are not those of this network.
        FileNotFoundError: If the file is not there.

    Example:
        >>> encoder = fcn.backbones.small_vgg()
        >>> {name: tuple(x.shape) for name, x in encoder(np.zeros((1, 37, 50, 3))).items()}["pool5"]
        (1, 2, 2, 256)
    """
    scale = keras.layers.Rescaling(1 / 127.5, offset=-1.0, name="preprocessing")  # 0–255 → −1 … 1
    encoder = vgg(SMALL_VGG_WIDTHS, scale, "small_vgg")
    if weights is not None:
        load_npz(encoder, SMALL_VGG_WEIGHTS if str(weights) == "pretrained" else Path(weights))
    return encoder


@checked
def vgg16(weights: File | None = "imagenet") -> keras.Model:
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

    Example:
        >>> fcn.backbones.vgg16(weights=None).count_params()  # None: nothing is downloaded
        14714688
    """
    encoder = vgg(VGG16_WIDTHS, VGGPreprocessing(name="preprocessing"), "vgg16")
    if weights is not None:
        _copy_convolutions(_keras_vgg16(weights, VGG16_FILE, include_top=False), encoder)
    return encoder


@checked
def vgg16_classifier(weights: File | None = "imagenet") -> keras.Model:
    """VGG16 with its dense layers rewritten as convolutions (lecture: L14).

    The paper's networks start from its `fc6` and `fc7`, biases included (`published.carry_over`).

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
    pools = blocks(VGGPreprocessing(name="preprocessing")(image), VGG16_WIDTHS)
    x = pools["pool5"]  # (B, 7, 7, 512) for 224 × 224
    x = dense_to_conv(source.get_layer("fc1"), (7, 7, 512), "fc6")(x)  # (B, 1, 1, 4096)
    x = dense_to_conv(source.get_layer("fc2"), (1, 1, 4096), "fc7")(x)
    x = dense_to_conv(source.get_layer("predictions"), (1, 1, 4096), "fc8")(x)  # (B, 1, 1, 1000)
    model = keras.Model(image, x, name="vgg16_classifier")
    _copy_convolutions(source, model)
    return model


def _copy_convolutions(source: keras.Model, target: keras.Model) -> None:
    """Copies weights from Keras' VGG16, whose layers have other names than the paper's."""
    for block, block_widths in enumerate(VGG16_WIDTHS, start=1):
        for index in range(1, len(block_widths) + 1):
            values = source.get_layer(f"block{block}_conv{index}").get_weights()
            target.get_layer(f"conv{block}_{index}").set_weights(values)


def _keras_vgg16(weights: str | Path | None, file_name: str, include_top: bool) -> keras.Model:
    """Keras' own VGG16, which downloads, checks and reads its file; its layers are then copied."""
    source = str(weights) if weights is not None else None
    if source not in (None, "imagenet"):
        wanted = "weights to be 'imagenet', None or a weights file"
        arguments.existing_file("weights", weights, wanted)
    try:
        return keras.applications.VGG16(
            include_top=include_top,
            weights=source,  # pyright: ignore[reportArgumentType]  Keras says str
        )
    except Exception as error:  # urllib, ssl, h5py and Keras each raise their own kind
        raise _cannot_load(source, file_name, error) from error


def _cannot_load(source: str | None, file_name: str, error: Exception) -> Exception:
    if source == "imagenet":
        return OSError(
            "The ImageNet weights of VGG16 are not on this computer and could not be downloaded. "
            f"Bring Keras' file {file_name} from a computer with a network and name it "
            "(weights=FILE, on the command line --backbone-weights FILE), or use small_vgg, whose "
            "weights ship with the package."
        )
    return ValueError(
        f"{source} does not hold VGG16's layers. Expected Keras' file {file_name}. ({error})"
    )


@checked
def load_npz(encoder: Model, path: File) -> dict:
    """Puts the arrays `"conv1_1/kernel"`, `"conv1_1/bias"`, … of an `.npz` into an encoder.

    Args:
        encoder: Model whose layers with weights have the names in the file.
        path: The file; its arrays may be float16.

    Returns:
        The recipe that made the weights, from the file's `"recipe"`; `{}` if it has none.

    Raises:
        ValueError: If names or shapes differ; nothing is changed then.
        FileNotFoundError: If the file is not there.

    Example:
        >>> encoder = fcn.backbones.small_vgg(weights=None)
        >>> recipe = fcn.backbones.load_npz(encoder, fcn.backbones.SMALL_VGG_WEIGHTS)
        >>> len(encoder.get_weights())
        18
    """
    arrays, recipe = read_npz(path)
    variables = {f"{layer.name}/{v.name}": v for layer in encoder.layers for v in layer.weights}
    check_fit({name: tuple(v.shape) for name, v in variables.items()}, arrays, path)
    for name, variable in variables.items():
        variable.assign(arrays[name].astype("float32"))
    return recipe
