"""The paper's FCN-32s, 16s and 8s as they were released, to the pixel, and their weights.

They differ from `models.fcn` only in where the border goes. The released networks pad the image by 100
pixels, let fc6 and the upsampling layers run without padding, and crop what is too much; here the
offsets of these crops follow from `geometry`, where the paper's code finds 19; 5, 27; 5, 9, 31.

Source: Long, Shelhamer, Darrell, *Fully Convolutional Networks for Semantic Segmentation*, section 4.
These are the networks that were trained in stages, each from the one before.
"""

from collections.abc import Mapping
from pathlib import Path

import keras
import numpy as np

from fcn_keras import arguments, geometry, layers
from fcn_keras.backbones import VGG16_WIDTHS, blocks, check_fit
from fcn_keras.files import written_whole

PADDING = 100
MEAN_BGR = (104.00699, 116.66877, 122.67892)


def fcn32s(num_classes: int = 21, widths=VGG16_WIDTHS, width: int = 4096) -> keras.Model:
    """FCN-32s: the coarse scores, upsampled 32 times at once (lecture: L20).

    Starts as in the paper: scores zero, upsampling bilinear. The upsampling stays so, as released; set
    `model.get_layer("upscore").trainable = True` to learn it. fc6, fc7 and the convolutions start
    random until `carry_over` or `load_weights` fills them.

    Args:
        num_classes: Number of classes C; PASCAL VOC has 20 and the background.
        widths: Channels of VGG's convolutions, block by block. Narrower ones keep the geometry and
            fit a laptop; the released weights need the default.
        width: Channels of fc6 and fc7.

    Returns:
        `keras.Model`, `(batch, H, W, 3)` RGB 0–255, any size from 1 × 1 → `(batch, H, W, C)` logits.
        With 21 classes 134,346,581 parameters and 64·64·21² in the upsampling.

    Raises:
        ValueError: If `num_classes` is smaller than 2.
    """
    return _network(32, num_classes, widths, width)


def fcn16s(num_classes: int = 21, widths=VGG16_WIDTHS, width: int = 4096) -> keras.Model:
    """FCN-16s: FCN-32s with a skip from pool4 (lecture: L20). Arguments, result and errors as `fcn32s`."""
    return _network(16, num_classes, widths, width)


def fcn8s(num_classes: int = 21, widths=VGG16_WIDTHS, width: int = 4096) -> keras.Model:
    """FCN-8s: FCN-16s with another skip, from pool3 (lecture: L20). Arguments, result and errors as `fcn32s`."""
    return _network(8, num_classes, widths, width)


def _network(stride, num_classes, widths, width):
    arguments.whole_number("num_classes", num_classes, 2, 255, "Void is none of them.")
    arguments.whole_number("width", width, 1)

    def up(factor, name):
        layer = layers.upscore(num_classes, factor, name, padding="valid")
        layer.trainable = False  # released with learning rate 0
        return layer

    def lay_on(larger, target, name):
        """Cuts a map so that it lies on its target, and to its size."""
        offset = geometry.crop_offset(geometry.field_of(larger, image), geometry.field_of(target, image))
        return layers.CropToMatch(offset, name=name, dtype="float32")([larger, target])  # scores, as `models.precision` says

    def skip(coarse, pool):
        """The finer scores are the larger map here, for the padding that fc6 ate; they are cut to the coarse ones."""
        fine = layers.score(num_classes, f"score_{pool}")(pools[pool])
        return keras.layers.Add(name=f"fuse_{pool}", dtype="float32")([coarse, lay_on(fine, coarse, f"score_{pool}c")])

    # sizes along an axis of n pixels
    image = keras.Input((None, None, 3), name="image")  # n
    x = layers.VGGPreprocessing(MEAN_BGR, name="preprocessing")(image)
    x = keras.layers.ZeroPadding2D(PADDING - 1, name="padding")(x)  # n + 198: conv1_1 itself adds the hundredth
    pools = blocks(x, widths)  # pool5: ⌈(n + 198) / 32⌉
    x = keras.layers.Conv2D(width, 7, activation="relu", kernel_initializer="he_normal", name="fc6")(pools["pool5"])  # − 6
    x = keras.layers.Dropout(0.5, name="drop6")(x)
    x = keras.layers.Conv2D(width, 1, activation="relu", kernel_initializer="he_normal", name="fc7")(x)
    x = keras.layers.Dropout(0.5, name="drop7")(x)
    x = layers.score(num_classes, "score_fr")(x)
    if stride <= 16:
        x = skip(up(2, "upscore2")(x), "pool4")
    if stride == 8:
        x = skip(up(2, "upscore_pool4")(x), "pool3")
    x = up(stride, "upscore" if stride == 32 else f"upscore{stride}")(x)
    return keras.Model(image, lay_on(x, image, "score"), name=f"published_fcn{stride}s")


def crop_offsets(model: keras.Model) -> dict[str, int]:
    """The offsets at which a network crops, `{layer name: pixels}`; FCN-8s: 5, 9, 31."""
    arguments.model("model", model)
    return {layer.name: layer.offset for layer in model.layers if isinstance(layer, layers.CropToMatch)}


def load_weights(model: keras.Model, arrays: Mapping[str, np.ndarray] | str | Path):
    """Puts released weights, or anyone's with the same names and layouts, into a network.

    Args:
        model: From `fcn32s`, `fcn16s` or `fcn8s`.
        arrays: A mapping, or a `.npz` or `.safetensors` file: `"conv1_1.weight"` `(out, in, h, w)`,
            `"conv1_1.bias"` `(out,)`, …, `"upscore2.weight"` `(in, out, h, w)`. The first
            convolution reads blue, green, red: the model turns RGB round by itself.

    Raises:
        ValueError: If names are missing or left over or a shape differs, all in one message, or the
            file is of another kind; nothing is changed then.
        FileNotFoundError: If the file is not there.
        TypeError: If `arrays` is neither a mapping nor a path.
    """
    arguments.model("model", model)
    if not isinstance(arrays, (Mapping, str, Path)):
        raise TypeError(f"Expected arrays to be a mapping or the path of a file. Received: {arrays!r}")
    source = "the mapping" if isinstance(arrays, Mapping) else str(arrays)
    arrays = arrays if isinstance(arrays, Mapping) else _read(Path(arrays))
    variables = _variables(model)
    check_fit({name: _released_shape(v.shape) for name, v in variables.items()}, arrays, source)
    for name, variable in variables.items():
        variable.assign(_from_released(np.asarray(arrays[name], "float32")))


def export_weights(model: keras.Model, path: str | Path | None = None) -> dict[str, np.ndarray]:
    """A network's weights under the released names and in the released layout.

    Args:
        model: From `fcn32s`, `fcn16s` or `fcn8s`.
        path: A `.npz` or `.safetensors` file to write, or `None`.

    Returns:
        Name → float32 array, as `load_weights` takes them.

    Raises:
        ValueError: If `path` ends in something else.
    """
    arguments.model("model", model)
    arrays = {name: _to_released(keras.ops.convert_to_numpy(v.value)) for name, v in _variables(model).items()}
    if path is None:
        return arrays
    path = Path(path)
    _check_suffix(path)
    with written_whole(path) as temporary:
        if path.suffix == ".npz":
            np.savez(temporary, **arrays)
        else:
            from safetensors.numpy import save_file

            save_file(arrays, temporary)
    return arrays


def carry_over(source: keras.Model, target: keras.Model) -> list[str]:
    """Starts a network from another one: weights go over by layer name (paper: section 4.3).

    From `backbones.vgg16_classifier` to FCN-32s, from there to 16s, from there to 8s. The
    networks stay independent: training one does not change the other.

    Args:
        source: The trained network; it is not changed.
        target: The network that starts from it.

    Returns:
        Names of the target's layers with weights that the source does not have: they keep their start.

    Raises:
        ValueError: If no name is shared, or a shared layer has other shapes; nothing is changed then.
    """
    arguments.model("source", source)
    arguments.model("target", target)
    given = {layer.name: layer for layer in source.layers if layer.weights}
    wanted = {layer.name: layer for layer in target.layers if layer.weights}
    shared = [name for name in wanted if name in given]
    if not shared:
        raise ValueError(f"Expected networks with layers of the same names. Received: {source.name!r} and {target.name!r}")
    arrays = {f"{name}/{v.name}": v for name in shared for v in given[name].weights}
    check_fit({f"{name}/{v.name}": tuple(v.shape) for name in shared for v in wanted[name].weights}, arrays, source.name)
    for name in shared:
        wanted[name].set_weights(given[name].get_weights())
    return [name for name in wanted if name not in given]


def _variables(model) -> dict:
    """Released name → Keras variable."""
    released = {"kernel": "weight", "bias": "bias"}
    return {f"{layer.name}.{released[v.name]}": v for layer in model.layers for v in layer.weights}


# Keras has (h, w, in, out), and (h, w, out, in) where the convolution is transposed; the released layout puts h
# and w last and turns the other two round in both cases.
def _to_released(array):
    return np.ascontiguousarray(array.transpose(3, 2, 0, 1)) if array.ndim == 4 else array


def _released_shape(shape):
    return tuple(shape[axis] for axis in (3, 2, 0, 1)) if len(shape) == 4 else tuple(shape)


def _from_released(array):
    return array.transpose(2, 3, 1, 0) if array.ndim == 4 else array


def _read(path):
    _check_suffix(path)
    if not path.is_file():
        raise FileNotFoundError(f"Expected a weights file. Received: {path}, which is not there.")
    try:
        if path.suffix == ".npz":
            with np.load(path, allow_pickle=False) as file:
                return {name: file[name] for name in file.files}
        from safetensors.numpy import load_file

        return load_file(path)
    except Exception as error:  # zip, NumPy and safetensors each raise their own kind
        raise ValueError(f"{path} could not be read as a {path.suffix} file; was it copied whole? ({error})") from error


def _check_suffix(path):
    if path.suffix not in (".npz", ".safetensors"):
        raise ValueError(
            f"Expected a .npz or .safetensors file. Received: {path}. A PyTorch file can run code when it is read; where "
            "PyTorch is installed, safetensors.torch.save_file(torch.load(FILE, weights_only=True), NEW) turns it into one."
        )
