"""What is frozen is computed once (lecture: L23, L24).

A frozen encoder gives the same answer to the same image in every step. Here a model is cut where
its frozen part ends: the part before the cut is asked once per image, the part behind it is trained.
"""

import tempfile
import time
from dataclasses import dataclass, field

import keras
import numpy as np

from fcn_keras.datasets.base import SegmentationData
from fcn_keras.datasets.batches import BATCHES_AHEAD, READERS
from fcn_keras.layers import CropToMatch
from fcn_keras.models.describing import inputs_of
from fcn_keras.support import arguments, memory
from fcn_keras.support.files import reserve
from fcn_keras.support.progress import progress

CACHE_BYTES = 2 * 1024**3  # features that need more memory than this go to a file


@dataclass(frozen=True)
class FrozenFeatures:
    """What the frozen part of a model says about every image of a data set, computed once."""

    maps: dict[
        str, np.ndarray
    ]  # layer name → (N, h, w, channels), float32 or the network's 16 bits
    targets: np.ndarray  # label maps (N, H, W), or images (N, H, W, 3) for an autoencoder
    flipped: bool  # whether N are all images and then all of them again, mirrored
    seconds: float
    data: SegmentationData | None = field(
        default=None, repr=False
    )  # what they are of, so that others are not trained on


class ImagesDifferInSize(ValueError):
    """Features of images of different sizes do not fit in one array."""


def frozen_border(model: keras.Model) -> list[str]:
    """The layers where the frozen part of a model ends: what they compute never changes in training.

    For the lecture's network they are `image`, `pool3`, `pool4` and `pool5`: the head reads the three
    pools, and the image for its size.

    Returns:
        Layer names in the model's order; empty if no weights are frozen.
    """
    arguments.model("model", model)
    fixed = _fixed(model)
    if not any(model.get_layer(name).weights for name in fixed):
        return []
    read_by_others = {
        name for layer in model.layers if layer.name not in fixed for name in inputs_of(layer)
    }
    return [layer.name for layer in model.layers if layer.name in fixed & read_by_others]


def _fixed(model) -> set[str]:
    """Layers whose output depends on no trained weight, and on no dice."""
    fixed = set()
    for layer in model.layers:
        random = hasattr(layer, "seed_generator")  # dropout and noise differ in every step
        if not layer.trainable_weights and not random and fixed.issuperset(inputs_of(layer)):
            fixed.add(layer.name)
    return fixed


def head(model: keras.Model) -> keras.Model:
    """The part of a model behind its frozen border, sharing its layers: train it, and the model has learnt.

    Returns:
        `keras.Model` whose inputs are what the layers of `frozen_border(model)` give, in that order.
        Where only a size is read (the image, by the last crop), one channel is enough.
    """
    border, fixed = frozen_border(model), _fixed(model)
    tensors = {}
    for name in border:
        channels = 1 if _read_for_size_only(model, name) else model.get_layer(name).output.shape[-1]
        tensors[name] = keras.Input((None, None, channels), name=name)
    for layer in model.layers:
        if layer.name not in fixed:
            inputs = [tensors[name] for name in inputs_of(layer)]
            tensors[layer.name] = layer(inputs if len(inputs) > 1 else inputs[0])
    output = model.outputs[0]._keras_history.operation.name
    return keras.Model(
        [tensors[name] for name in border], tensors[output], name=f"{model.name}_head"
    )


def frozen_features(
    model: keras.Model, data, flip: bool = False, batch_size: int = 8
) -> FrozenFeatures:
    """Runs every image of a data set through the frozen part of a model, once.

    What needs more than 2 GiB lies in a temporary file instead of memory.

    Args:
        model: Model with frozen layers.
        data: `SegmentationData`; its images must have one size.
        flip: Also compute the features of every image's mirror image, for `augment="flip"`. (They are
            not the mirrored features: a filter for one slope is not a filter for the other.)
        batch_size: Images at a time.

    Returns:
        `FrozenFeatures`.

    Raises:
        ImagesDifferInSize: If they do.
    """
    arguments.model("model", model)
    arguments.data_set("data", data)
    arguments.whole_number("batch_size", batch_size, 1)
    if not frozen_border(model):
        raise ValueError(
            f"Expected a model with a frozen part. Received: {model.name!r}, all of it trained"
        )
    start = time.perf_counter()
    names = [name for name in frozen_border(model) if not _read_for_size_only(model, name)]
    encoder = keras.Model(model.inputs, {name: model.get_layer(name).output for name in names})
    maps, targets = {}, None
    jobs = [
        (index, mirrored) for mirrored in (False, True)[: 1 + flip] for index in range(len(data))
    ]
    with progress("frozen features", len(jobs)) as advance:
        for first in range(0, len(jobs), batch_size):
            here = slice(first, first + batch_size)
            pairs = [_example(data, index, mirrored) for index, mirrored in jobs[here]]
            if targets is None:
                size, targets = (
                    pairs[0][0].shape,
                    np.empty((len(jobs), *pairs[0][1].shape), pairs[0][1].dtype),
                )
            for image, _ in pairs:
                if image.shape != size:
                    raise ImagesDifferInSize(
                        f"images differ in size ({size[:2]} and {image.shape[:2]})"
                    )
            outputs = encoder.predict_on_batch(
                np.stack([image for image, _ in pairs]).astype("float32")
            )
            if not maps:
                total = sum(output[0].nbytes for output in outputs.values()) * len(jobs)
                maps = {name: _room(len(jobs), output, total) for name, output in outputs.items()}
            targets[here] = [target for _, target in pairs]
            for name, output in outputs.items():
                maps[name][here] = output
            advance(len(pairs))
    return FrozenFeatures(maps, targets, flip, time.perf_counter() - start, data)


def check_features(features, data) -> None:
    """Whether features are those of a data set: the same object, or one whose first, middle and last images and labels agree.

    Raises:
        TypeError: If they are no `FrozenFeatures`.
        ValueError: If they are those of another data set.
    """
    if not isinstance(features, FrozenFeatures):
        hint = "frozen.frozen_features(model, data) computes them."
        raise TypeError(
            f"Expected features to be FrozenFeatures. {arguments.received('features', features)}. {hint}"
        )
    of = features.data
    if of is None or of is data:
        return
    looked_at = {0, len(data) // 2, len(data) - 1}
    if len(of) != len(data) or not all(
        np.array_equal(*two) for i in looked_at for two in zip(of[i], data[i], strict=True)
    ):
        raise ValueError(
            f"Expected features of the data that is trained on, {data!r}. Received: features of {of!r}, whose images or labels "
            "are others, or in another order. training.frozen_features(model, data) computes them."
        )


def _example(data, index, mirrored):
    image, target = data[index]
    return (image[:, ::-1], target[:, ::-1]) if mirrored else (image, target)


def _room(count, output, total_bytes):
    shape = (count, *output.shape[1:])
    if total_bytes <= min(CACHE_BYTES, memory.available() // 2):
        return np.empty(shape, output.dtype)
    file = tempfile.TemporaryFile(prefix="fcn_keras-")  # noqa: SIM115  lives as long as the array that reads from it
    reserve(file, int(np.prod(shape)) * output.dtype.itemsize)
    return np.memmap(file, output.dtype, "r+", shape=shape)


class FeatureBatches(keras.utils.PyDataset):
    """The same batches as `Batches`, with the frozen border's features in place of the images."""

    def __init__(self, batches, model, features):
        super().__init__(workers=READERS, max_queue_size=BATCHES_AHEAD)
        check_features(features, batches.data)
        self.batches, self.features = batches, features
        self.names = frozen_border(model)
        missing = [
            n for n in self.names if n not in features.maps and not _read_for_size_only(model, n)
        ]
        known = len(features.targets) // (1 + features.flipped)
        if missing or known != len(batches.data) or (batches.flip and not features.flipped):
            raise ValueError(
                f"Expected features of {', '.join(self.names)} for {len(batches.data)} images, flipped={batches.flip}. "
                f"Received: features of {', '.join(features.maps)} for {known} images, flipped={features.flipped}"
            )
        # Only the image is ever read for its size alone, and the targets have the image's size.
        self.blank = np.zeros((batches.batch_size, *features.targets.shape[1:3], 1), "uint8")

    def __len__(self):
        return len(self.batches)

    def on_epoch_end(self):
        self.batches.on_epoch_end()

    def __getitem__(self, batch):
        indices = self.batches.indices(batch) + len(self.batches.data) * self.batches.flips(batch)
        blank = self.blank[: len(indices)]
        # what a network of mixed precision computes is kept in its 16 bits
        maps = [
            self.features.maps[n][indices].astype("float32") if n in self.features.maps else blank
            for n in self.names
        ]
        return tuple(maps), self.features.targets[indices]


def _read_for_size_only(model, name) -> bool:
    """Whether the head needs this layer's height and width, but no values, as the last crop does."""
    fixed = _fixed(model)
    readers = [
        layer for layer in model.layers if name in inputs_of(layer) and layer.name not in fixed
    ]
    return all(isinstance(layer, CropToMatch) and inputs_of(layer)[0] != name for layer in readers)
