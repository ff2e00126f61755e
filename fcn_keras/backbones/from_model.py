"""An encoder made of any Keras model, such as those of `keras.applications` (lecture: L13, L23).

Classifiers go down to 1/32 of the image, step by step, and then forget where things are. What they
know on the way down is what an FCN needs.
"""

import re
from collections.abc import Iterator
from typing import Any

import keras

from fcn_keras.backbones.pools import STRIDES, measured, rounded_up
from fcn_keras.layers import CropToMatch, PadToMultiple, VGGPreprocessing
from fcn_keras.support import graph
from fcn_keras.support.kinds import Preprocessing, RGBModel, checked

PROBE = (256, 384)  # 32 divides both, so nothing is rounded
MEAN, DEVIATION = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)  # of ImageNet's colours, 0–1
# What becomes of RGB 0–255, by the names in `keras.applications.imagenet_utils.preprocess_input`
MODES = {
    "caffe": lambda name: VGGPreprocessing(name=name),
    "tf": lambda name: keras.layers.Rescaling(1 / 127.5, offset=-1.0, name=name),
    "torch": lambda name: keras.layers.Rescaling(
        [1 / (255 * deviation) for deviation in DEVIATION],
        offset=[-mean / deviation for mean, deviation in zip(MEAN, DEVIATION, strict=True)],
        name=name,
    ),
    "none": lambda name: keras.layers.Identity(name=name),
}
# The models of `keras.applications` whose images are preprocessed outside, by their names
OUTSIDE = {
    r"vgg1[69]|resnet\d+": "caffe",
    r"densenet\d+": "torch",
    r"resnet\d+v2|mobilenet(v2)?(_\d.*)?|xception|inception.*|nasnet.*": "tf",
}
# What may stand before a network's first weights without being its preprocessing
PLAIN = ("InputLayer", "ZeroPadding2D", "Identity", "Dropout", "Cast")


@checked
def from_keras(
    model: RGBModel, preprocessing: Preprocessing | None = None, name: str | None = None
) -> keras.Model:
    """An encoder made of a Keras model: one of `keras.applications`, or your own (lecture: L23).

    pool5 is the last map at 1/32 of the image, pool4 the last at 1/16 that pool5 is computed from,
    and pool3 the last at 1/8 that pool4 is computed from. What comes after pool5 is left out, such
    as the dense layers of a classifier. So are layers that change images at random, because they
    would not change the labels. The image is padded to a multiple of 32 before anything else, as
    `layers.PadToMultiple` does, and the pools are cropped. So nothing is rounded down.

    Args:
        model: A functional or sequential model of RGB images, such as
            `keras.applications.MobileNetV2(include_top=False, input_shape=(None, None, 3))`. Its
            layers are copied with their weights. Other models may be among them.
        preprocessing: What the model expects to be done with RGB 0–255: a layer, or `"caffe"`,
            `"tf"`, `"torch"` as in `keras.applications.imagenet_utils.preprocess_input`, or
            `"none"`. By default it is known for models that begin with `Rescaling`,
            `Normalization` or arithmetic, and for those with a name of `keras.applications`.
        name: Name of the encoder. By default, that of the model.

    Returns:
        Encoder as described at `vgg`, with the pools `pool3`, `pool4` and `pool5`.

    Raises:
        TypeError: If `model` is not a Keras model.
        ValueError: If it has other inputs, no maps at these strides, or if it is not known what it
            expects.

    Example:
        >>> image = keras.Input((None, None, 3))
        >>> x = keras.layers.Rescaling(1 / 255)(image)
        >>> for width in (4, 4, 8, 8, 8):
        ...     x = keras.layers.Conv2D(width, 3, strides=2, padding="same")(x)
        >>> encoder = fcn.backbones.from_keras(keras.Model(image, x, name="mine"))
        >>> {name: tuple(x.shape) for name, x in encoder(np.zeros((1, 37, 50, 3))).items()}["pool5"]
        (1, 2, 2, 8)
    """
    image = keras.Input((None, None, 3), name="image")
    x = PadToMultiple(32, name="pad_to_32", dtype="float32")(image)
    first = _preprocessing_for(model, preprocessing)
    copy = _Copy(taken=("image", "pad_to_32", first.name, *STRIDES))
    copy.call(model, [first(x)])
    last = _last_maps(model, image, copy.maps)
    pools = {
        name: CropToMatch(stride=stride, name=name)([last[name], image])
        for name, stride in STRIDES.items()
    }
    return keras.Model(image, pools, name=name or model.name)


class _Copy:
    """A copy of a model, called on another image and without models inside it.

    Args:
        taken: Names that its layers must not have.

    Attributes:
        maps: What its operations give, in their order.
    """

    def __init__(self, taken):
        self.maps: list = []
        self._names = set(taken)
        self._copies: dict[int, Any] = {}

    def call(self, model, images: list) -> dict:
        """What becomes of the model's tensors: `{its own tensor: that of the copy}`."""
        tensors = dict(zip(model.inputs, images, strict=True))
        for step in graph.steps(model):
            if not step.inputs or not tensors.keys() >= set(step.inputs):
                continue
            made = self._called(step, tensors, fixed=None not in model.inputs[0].shape[1:])
            tensors.update(zip(step.outputs, made, strict=False))
        return tensors

    def _called(self, step, tensors, fixed: bool) -> list:
        """The tensors that a step gives now; none for one that takes a single size of image."""
        operation, read = step.operation, [tensors[tensor] for tensor in step.inputs]
        if graph.is_model(operation):
            inside = self.call(operation, read)
            return [inside[tensor] for tensor in operation.outputs if tensor in inside]
        if graph.kind(operation).startswith("Random"):
            return read
        try:
            made = keras.tree.flatten(step.again(tensors, self._of(operation)))
        except Exception:  # each layer says it in its own way
            if not fixed:
                raise
            return []
        if getattr(operation, "weights", ()):
            graph.copy_weights(operation, self._of(operation))
        self.maps += made
        return made

    def _of(self, operation):
        """The copy of an operation: the same one at each of its calls."""
        if id(operation) not in self._copies:
            config, name = operation.get_config(), operation.name
            while name in self._names:
                name += "_"
            self._names.add(name)
            self._copies[id(operation)] = type(operation).from_config({**config, "name": name})
        return self._copies[id(operation)]


def _last_maps(model, image, maps) -> dict:
    """The pools, among the maps of a copy.

    Raises:
        ValueError: If one of them is missing.
    """
    named = {str(number): tensor for number, tensor in enumerate(maps)}
    sizes = measured(keras.Model(image, named), PROBE)
    wanted, pools, before = rounded_up(PROBE), {}, set(maps)
    for pool in ("pool5", "pool4", "pool3"):
        there = [
            tensor
            for number, tensor in named.items()
            if sizes.get(number) == wanted[pool] and tensor in before
        ]
        if not there:
            raise _missing(model, pool, wanted[pool], list(sizes.values()))
        pools[pool] = there[-1]
        before = {tensor for step in graph.steps_to(there[-1:]) for tensor in step.outputs}
    return pools


def _missing(model, pool, wanted, sizes) -> ValueError:
    maps = dict.fromkeys(" x ".join(map(str, size)) for size in sizes if len(size) == 2)
    received = "which takes no such image"
    if maps:
        received = f"whose maps are {', '.join(maps)}; none is {wanted[0]} x {wanted[1]} ({pool})"
    return ValueError(
        "Expected a model with maps at 1/8, 1/16 and 1/32 of an image of "
        f"{PROBE[0]} x {PROBE[1]}. Received: {model.name!r}, {received}."
    )


# --- what a model expects


def _preprocessing_for(model, given) -> keras.layers.Layer:
    """What turns RGB 0–255 into what a model expects.

    Raises:
        ValueError: If it is not known.
    """
    if given is None:
        given = "none" if _has_its_own(model) else _mode_of(model)
    return MODES[given]("preprocessing") if isinstance(given, str) else given


def _has_its_own(model) -> bool:
    """Whether anything is done with the image before the first weights that are learnt."""
    for operation in _operations(model):
        kind = graph.kind(operation)
        if kind not in PLAIN and not kind.startswith("Random"):
            return kind == "Normalization" or not getattr(operation, "weights", ())
    return False


def _mode_of(model) -> str:
    names = [model.name, *(one.name for one in _models_in(model))]
    for pattern, mode in OUTSIDE.items():
        if any(re.fullmatch(pattern, name.lower()) for name in names):
            return mode
    raise ValueError(
        f"Expected preprocessing: what the model expects of RGB 0-255. {model.name!r} neither "
        "begins with Rescaling or Normalization nor has a name of keras.applications, so it is "
        "not known. It may be a layer, such as keras.layers.Rescaling(1 / 255), or 'caffe', 'tf', "
        "'torch' as in keras.applications' preprocess_input, or 'none' if the model takes 0-255. "
        "Received: preprocessing=None"
    )


def _operations(model) -> Iterator:
    """The operations of a model and of the models inside it, in their order."""
    for step in graph.steps(model):
        is_model = graph.is_model(step.operation)
        yield from _operations(step.operation) if is_model else [step.operation]


def _models_in(model) -> Iterator:
    for step in graph.steps(model):
        if graph.is_model(step.operation):
            yield step.operation
            yield from _models_in(step.operation)
