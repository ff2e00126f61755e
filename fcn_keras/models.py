"""The networks of the lecture: autoencoder, FCN-32s/16s/8s, and the one of its experiment.

Every builder returns a flat functional `keras.Model` with input `(batch, H, W, 3)`, RGB 0–255, any
height and width from 1 up, and makes new layers at every call. A backbone that is handed in
is cloned with its weights: training one network never changes another.
"""

import contextlib
from dataclasses import dataclass
from pathlib import Path

import keras

from fcn_keras import arguments, layers
from fcn_keras.files import written_whole
from fcn_keras.geometry import inputs_of
from fcn_keras.skip_connections import FUSIONS, align, fuse

STRIDES = (32, 16, 8)
PRECISIONS = ("float32", "mixed_bfloat16", "mixed_float16")


@contextlib.contextmanager
def precision(name: str):
    """Networks that are made inside compute with this precision, their backbone too if it is made inside.

    In mixed precision convolutions compute with 16 bits, which GPUs do several times as fast in half the memory, while weights,
    class scores and loss stay float32. A CPU gains nothing by it.

    Args:
        name: `"float32"`, `"mixed_bfloat16"` (float32's range, 3 decimal digits) or `"mixed_float16"` (4 digits, at most
            65,504; gradients are scaled in training).

    Raises:
        ValueError: If it is none of these.
    """
    arguments.one_of("precision", name, PRECISIONS)
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy(name)
    try:
        yield
    finally:
        keras.config.set_dtype_policy(before)


def classifier(num_classes: int, size: int = 64, widths: tuple[int, ...] = (16, 32, 64, 64), dense: int = 64) -> keras.Model:
    """A classification network: convolution, ReLU, pooling, again and again, then dense layers (lecture: L03).

    The dense layers are what ties it to one image size, and what `convolutionalize` rewrites (L14).

    Args:
        num_classes: Number of classes.
        size: Height and width of its images.
        widths: Channels of each 3 × 3 convolution; a 2 × 2 max pooling follows each.
        dense: Units of the hidden dense layer.

    Returns:
        `keras.Model`, `(batch, size, size, 3)` RGB 0–255 → `(batch, num_classes)` probabilities. Layers
        `conv1`, `pool1`, …, `flatten`, `dense`, `probabilities`.

    Raises:
        ValueError: If `num_classes` is smaller than 2.
    """
    arguments.whole_number("size", size, 2 ** len(arguments.whole_numbers("widths", widths)))
    arguments.whole_number("dense", dense, 1)
    _check_num_classes(num_classes)
    image = keras.Input((size, size, 3), name="image")
    x = keras.layers.Rescaling(1 / 127.5, offset=-1.0, name="preprocessing")(image)
    for level, width in enumerate(widths, start=1):
        x = keras.layers.Conv2D(width, 3, padding="same", activation="relu", name=f"conv{level}")(x)
        x = keras.layers.MaxPooling2D(2, name=f"pool{level}")(x)
    x = keras.layers.Flatten(name="flatten")(x)
    x = keras.layers.Dense(dense, activation="relu", name="dense")(x)
    x = keras.layers.Dense(num_classes, activation="softmax", name="probabilities", dtype="float32")(x)
    return keras.Model(image, x, name="classifier")


def cae(channels: int = 3, widths: tuple[int, ...] = (16, 32, 64)) -> keras.Model:
    """A convolutional autoencoder: down by convolution, up by transposed convolution (lecture: L10).

    Args:
        channels: Channels of the image, 3 for RGB.
        widths: Channels after each halving; the last are the latent feature maps.

    Returns:
        `keras.Model`, `(batch, H, W, channels)` 0–255 → the same shape and range. Layers
        `conv1` … `convN`, `up1` … `upN-1`, `output`. Train it with `training.fit(model, data.reconstruction())`.

    Raises:
        ValueError: If `widths` is empty.
    """
    arguments.whole_number("channels", channels, 1)
    image = keras.Input((None, None, channels), name="image")
    x = _hourglass(image, widths)
    x = _last_upsampling(channels)(x)
    x = keras.layers.Rescaling(255.0, dtype="float32", name="to_pixels")(x)
    return keras.Model(image, align(x, image, name="reconstruction"), name="cae")


def fcn_from_cae(autoencoder: keras.Model, num_classes: int) -> keras.Model:
    """The FCN that a CAE becomes when its last layer gets one channel per class (lecture: L12).

    Nothing else changes: the same layers, with the autoencoder's weights as the start.

    Args:
        autoencoder: A model from `cae`; it is not changed.
        num_classes: Number of classes C, at least 2; void is not one of them.

    Returns:
        `keras.Model`, `(batch, H, W, channels)` 0–255 → `(batch, H, W, C)` logits.

    Raises:
        ValueError: If `num_classes` is smaller than 2.
    """
    arguments.model("autoencoder", autoencoder)
    if not any(layer.name.startswith("conv") for layer in autoencoder.layers):
        raise ValueError(f"Expected autoencoder to be a model from cae(). Received: {autoencoder.name!r}")
    _check_num_classes(num_classes)
    widths = [layer.filters for layer in autoencoder.layers if layer.name.startswith("conv")]
    image = keras.Input(autoencoder.input_shape[1:], name="image")
    x = _hourglass(image, widths)
    x = _last_upsampling(num_classes)(x)
    model = keras.Model(image, align(x, image, name="logits"), name="fcn_from_cae")
    for layer in model.layers:
        if layer.name.startswith(("conv", "up")):
            layer.set_weights(autoencoder.get_layer(layer.name).get_weights())
    return model


def _hourglass(image, widths):
    """Halves the image once per width, then doubles it until one doubling is left."""
    arguments.whole_numbers("widths", widths)
    x = keras.layers.Rescaling(1 / 255, name="from_pixels")(image)
    for level, width in enumerate(widths, start=1):
        x = keras.layers.Conv2D(width, 3, strides=2, padding="same", activation="relu", name=f"conv{level}")(x)
    for level, width in enumerate(reversed(widths[:-1]), start=1):
        x = keras.layers.Conv2DTranspose(width, 4, strides=2, padding="same", activation="relu", name=f"up{level}")(x)
    return x


def _last_upsampling(channels):
    return keras.layers.Conv2DTranspose(channels, 4, strides=2, padding="same", dtype="float32", name="output")


def fcn(
    num_classes: int,
    stride: int = 8,
    backbone: keras.Model | None = None,
    fusion: str = "sum",
    freeze_backbone: bool = True,
    width: int | None = 128,
) -> keras.Model:
    """FCN-32s, 16s or 8s: the coarse scores, refined by none, one or two skips (lecture: L18–L21).

    Args:
        num_classes: Number of classes C, at least 2; void is not one of them.
        stride: 32 (no skip), 16 (skip from pool4) or 8 (skips from pool4 and pool3).
        backbone: Encoder with layers `pool3`, `pool4`, `pool5`, such as `backbones.vgg16()`; it is
            cloned. `None`: the small VGG with its weights.
        fusion: How a skip is merged, `"sum"` or `"concat"`.
        freeze_backbone: Whether the encoder's weights stay as they are in training.
        width: Channels of `fc6` and `fc7`; the paper has 4096. `None`: neither, the scores are read
            straight off pool5, so that all the seeing is the encoder's.

    Returns:
        `keras.Model`, `(batch, H, W, 3)` RGB 0–255 → `(batch, H, W, C)` logits. Layer names as
        in the paper: `fc6`, `fc7`, `score_fr`, `upscore2`, `score_pool4`, `fuse_pool4`, …

    Raises:
        ValueError: If `stride`, `fusion` or `num_classes` is not possible, or the backbone has no `pool3` … `pool5`.
    """
    _check_num_classes(num_classes)
    arguments.one_of("stride", stride, STRIDES)
    arguments.one_of("fusion", fusion, FUSIONS)
    if width is not None:
        arguments.whole_number("width", width, 1)
    image, pools = _encode(backbone, freeze_backbone)

    x = pools["pool5"]
    if width is not None:
        x = keras.layers.Conv2D(
            width, 7, padding="same", activation="relu", kernel_initializer="he_normal", name="fc6"
        )(x)  # (B, H/32, W/32, width)
        x = keras.layers.Conv2D(width, 1, activation="relu", kernel_initializer="he_normal", name="fc7")(x)
    x = layers.score(num_classes, "score_fr")(x)  # (B, H/32, W/32, C)
    if stride <= 16:
        x = layers.upscore(num_classes, 2, "upscore2")(x)
        x = _skip(x, pools["pool4"], fusion, "pool4")  # (B, H/16, W/16, C)
    if stride == 8:
        x = layers.upscore(num_classes, 2, "upscore_pool4")(x)
        x = _skip(x, pools["pool3"], fusion, "pool3")  # (B, H/8, W/8, C)
    x = layers.upscore(num_classes, stride, "upscore" if stride == 32 else f"upscore{stride}")(x)
    return keras.Model(image, align(x, image, name="logits"), name=f"fcn{stride}s")


def _skip(coarse, pool, fusion, name):
    """One skip connection: scores from the finer pool correct the coarser ones."""
    fine = layers.score(coarse.shape[-1], f"score_{name}")(pool)
    return fuse(align(coarse, fine, f"align_{name}"), fine, fusion, f"fuse_{name}")


def lecture_fcn(
    num_classes: int = 2,
    backbone: keras.Model | None = None,
    width: int = 4096,
    freeze_backbone: bool = True,
    skip_width: int | None = None,
) -> keras.Model:
    """The network of the lecture's experiment: skips add features, not scores (lecture: L23).

    Args:
        num_classes: Number of classes C, at least 2; the lecture's are background and road.
        backbone: Encoder with layers `pool3`, `pool4`, `pool5`; it is cloned. The lecture's is
            `backbones.vgg16()`. `None`: the small VGG with its weights.
        width: Channels of `conv6` and `fcn4`. The lecture's 4096 are 103 million weights behind
            VGG16; 32 do for the drawn roads.
        freeze_backbone: Whether the encoder's weights stay as they are in training.
        skip_width: Channels to which a 1 × 1 convolution narrows pool3 and pool4 before they are added, where they
            have more. `None`: none does, as in the lecture. With VGG16's 256 and 512 channels the upsamplings
            are most of a small head's work.

    Returns:
        `keras.Model`, `(batch, H, W, 3)` RGB 0–255 → `(batch, H, W, C)` logits. With VGG16 and
        width 4096: 136,514,116 parameters, 121,799,428 of them trained.

    Raises:
        ValueError: If `num_classes` is smaller than 2, or the backbone has no `pool3` … `pool5`.
    """
    arguments.whole_number("width", width, 1)
    if skip_width is not None:
        arguments.whole_number("skip_width", skip_width, 1)
    _check_num_classes(num_classes)
    image, pools = _encode(backbone, freeze_backbone)

    def up(filters, kernel, stride, name, dtype=None):
        return keras.layers.Conv2DTranspose(filters, kernel, strides=stride, padding="same", dtype=dtype, name=name)

    # shapes for the lecture's 160 x 576 image, VGG16 and width 4096
    pool3, pool4, pool5 = pools["pool3"], pools["pool4"], pools["pool5"]  # (20, 72, 256) (10, 36, 512) (5, 18, 512)
    pool3, pool4 = _narrowed(pool3, skip_width, "narrow_pool3"), _narrowed(pool4, skip_width, "narrow_pool4")
    x = keras.layers.Conv2D(width, 7, padding="same", activation="relu", name="conv6")(pool5)  # (5, 18, 4096)
    x = keras.layers.Conv2D(width, 1, activation="relu", name="fcn4")(x)  # (5, 18, 4096)
    x = keras.layers.Conv2D(num_classes, 1, name="fcn3")(x)  # (5, 18, 2)
    x = up(pool4.shape[-1], 4, 2, "fcn2")(x)  # (10, 36, 512)
    x = fuse(align(x, pool4, "align_pool4"), pool4, "sum", "fuse_pool4")
    x = up(pool3.shape[-1], 4, 2, "fcn1")(x)  # (20, 72, 256)
    x = fuse(align(x, pool3, "align_pool3"), pool3, "sum", "fuse_pool3")
    x = up(num_classes, 16, 8, "output", "float32")(x)  # (160, 576, 2); scores are float32 in any precision
    return keras.Model(image, align(x, image, name="logits"), name="lecture_fcn")


def _narrowed(pool, channels, name):
    """The pool, or what a 1 × 1 convolution makes of it where it has more channels than that."""
    if channels is None or pool.shape[-1] <= channels:
        return pool
    return keras.layers.Conv2D(channels, 1, name=name)(pool)


def _check_num_classes(num_classes):
    hint = "One of at least 2 classes may be 'background'; void is none."
    arguments.whole_number("num_classes", num_classes, 2, 255, hint)


def _encode(backbone, freeze):
    """A copy of the backbone's graph: its image tensor and its pool3, pool4 and pool5."""
    if backbone is None:
        from fcn_keras.backbones import small_vgg

        backbone = small_vgg()
    arguments.model("backbone", backbone)
    names = {layer.name for layer in backbone.layers}
    missing = [name for name in ("pool3", "pool4", "pool5") if name not in names]
    if missing:
        raise ValueError(
            f"Expected a backbone with layers pool3, pool4 and pool5 at 1/8, 1/16 and 1/32 of the image. "
            f"Received: {backbone.name!r} without {', '.join(missing)}"
        )
    encoder = keras.models.clone_model(backbone)
    encoder.set_weights(backbone.get_weights())
    for layer in encoder.layers:
        layer.trainable = not freeze
    return encoder.inputs[0], {name: encoder.get_layer(name).output for name in ("pool3", "pool4", "pool5")}


@dataclass(frozen=True)
class Row:
    """One layer of a model, as `describe` lists it."""

    name: str
    kind: str  # class name, such as "Conv2D"
    output_shape: tuple  # (H, W, C); None where the image decides
    trained: bool  # False: frozen, or nothing to train
    parameters: int
    inputs: tuple[str, ...]  # names of the layers it reads
    detail: str = ""  # kernel and stride, such as "4×4, stride 2"


def describe(model: keras.Model, size: tuple[int, int] | None = None) -> list[Row]:
    """A model as a table, in the order in which it computes; figures are drawn from it (lecture: L23).

    Args:
        model: A flat functional model.
        size: Height and width of an image, to have shapes in numbers instead of `None`.

    Returns:
        One `Row` per layer.
    """
    arguments.model("model", model)
    size = None if size is None else arguments.size("size", size)
    shapes = [layer.output.shape for layer in model.layers]
    if size is not None:
        probe = keras.Model(model.inputs, [layer.output for layer in model.layers])
        image = keras.KerasTensor((1, *size, model.input_shape[-1]), dtype=model.inputs[0].dtype)
        shapes = [tensor.shape for tensor in probe.compute_output_spec(image)]
    return [
        Row(
            layer.name,
            layer.__class__.__name__,
            tuple(shape[1:]),
            bool(layer.trainable_weights),
            layer.count_params(),
            tuple(inputs_of(layer)),
            _detail(layer),
        )
        for layer, shape in zip(model.layers, shapes, strict=True)
    ]


def _detail(layer) -> str:
    if not isinstance(layer, (keras.layers.Conv2D, keras.layers.Conv2DTranspose)):
        return ""
    kernel = "×".join(map(str, layer.kernel_size))
    return kernel if layer.strides == (1, 1) else f"{kernel}, stride {layer.strides[0]}"


def load(path: str | Path) -> keras.Model:
    """Loads a model that `model.save("m.keras")` wrote; no `custom_objects` needed.

    Args:
        path: The `.keras` file.

    Returns:
        The model, ready to predict; `training.fit` compiles it again.

    Raises:
        FileNotFoundError: If nothing is there.
        ValueError: If it is not a `.keras` file.
    """
    path = arguments.path("path", path)
    if not path.is_file():
        what = "which is a folder" if path.is_dir() else "which is not there"
        raise FileNotFoundError(f"Expected a saved model, such as model.keras. Received: {path}, {what}.")
    if path.suffix != ".keras":
        raise ValueError(f"Expected a file that ends in .keras, as model.save('m.keras') writes it. Received: {path}")
    try:  # safe mode: a file never runs code of its own
        return keras.saving.load_model(path, compile=False, safe_mode=True)
    except Exception as error:  # zip, JSON and HDF5 errors of a damaged file
        text = " ".join(str(error).split())
        if "lambda" in text.lower() or "unsafe" in text.lower():
            raise ValueError(
                f"Expected a model without code of its own. Received: {path}, which has a Lambda layer; such a file could run "
                "anything on this computer, so it is not read. Ask its author for a model of ordinary layers."
            ) from error
        raise ValueError(f"{path} could not be read as a Keras model; was it copied whole? ({text[:300]})") from error


def save(model: keras.Model, path: str | Path) -> None:
    """Writes a model for `load`; the file appears whole or not at all.

    Raises:
        TypeError: If `model` is no model.
        ValueError: If the path does not end in `.keras`.
        OSError: If it cannot be written.
    """
    arguments.model("model", model)
    path = arguments.path("path", path)
    if path.suffix != ".keras":
        raise ValueError(f"Expected path to end in .keras. Received: {path}")
    with written_whole(path) as temporary:
        model.save(temporary)
