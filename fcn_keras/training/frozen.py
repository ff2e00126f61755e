"""What is frozen is computed once (lecture: L23, L24).

A frozen encoder gives the same answer to the same image in every step. Here a model is cut where
its frozen part ends: the part before the cut runs once per image, the part after it is trained.
"""

import tempfile
import time
from dataclasses import dataclass, field

import keras
import numpy as np

from fcn_keras.datasets import items
from fcn_keras.datasets.base import SegmentationData
from fcn_keras.datasets.batches import BATCHES_AHEAD, READERS
from fcn_keras.layers import CropToMatch
from fcn_keras.support import arguments, graph, memory
from fcn_keras.support.files import reserve
from fcn_keras.support.kinds import Count, DataSet, Model, checked
from fcn_keras.support.progress import progress

CACHE_BYTES = 2 * 1024**3  # features that need more memory than this go to a file
HOW_TO_COMPUTE = "training.frozen_features(model, data) computes them."


@dataclass(frozen=True)
class FrozenFeatures:
    """What the frozen part of a model says about every image of a data set, computed once."""

    maps: dict[str, np.ndarray]  # layer name → (N, h, w, channels), float32 or 16 bits
    targets: np.ndarray  # label maps (N, H, W), or images (N, H, W, 3) for an autoencoder
    flipped: bool  # whether N are all images and then all of them again, mirrored
    seconds: float
    data: SegmentationData | None = field(default=None, repr=False)  # whose features they are


class ImagesDifferInSize(ValueError):
    """Features of images of different sizes do not fit in one array."""


class ItemsChange(ValueError):
    """Features that are computed once would be those of one random drawing of every image."""


@checked
def frozen_border(model: Model) -> list[str]:
    """The layers where the frozen part of a model ends (lecture: L23).

    What they compute never changes in training. For the lecture's network they are `image`,
    `pool3`, `pool4` and `pool5`: the head reads the three pools, and the image for its size.

    Returns:
        Layer names in the model's order; empty if no weights are frozen.
    """
    return Cut(model).names


class Cut:
    """Where the frozen part of a model ends, and what is trained behind it.

    Attributes:
        behind: The steps that depend on a trained weight or on a random number.
        border: The tensors that these read of the frozen part; none if no weights are frozen.
        for_size_only: Those of the border of which only height and width are read.
    """

    def __init__(self, model):
        fixed, frozen, self.behind = set(), [], []
        for step in graph.steps(model):
            learns = getattr(step.operation, "trainable_weights", ())
            random = hasattr(step.operation, "seed_generator")  # dropout differs in every step
            if learns or random or not fixed.issuperset(step.inputs):
                self.behind.append(step)
            else:
                frozen.append(step)
                fixed.update(step.outputs)
        read = {tensor for step in self.behind for tensor in step.inputs}
        tensors = [tensor for step in frozen for tensor in step.outputs if tensor in read]
        any_weights = any(getattr(step.operation, "weights", ()) for step in frozen)
        self.border = tensors if any_weights else []
        self.for_size_only = {tensor for tensor in self.border if self._gives_a_size(tensor)}

    @property
    def names(self) -> list[str]:
        """The layers that compute the border, in the model's order."""
        return [graph.step_of(tensor).name for tensor in self.border]

    @property
    def features(self) -> dict:
        """The tensors of the border whose values are read, by their layers' names."""
        pairs = zip(self.names, self.border, strict=True)
        return {name: tensor for name, tensor in pairs if tensor not in self.for_size_only}

    def _gives_a_size(self, tensor) -> bool:
        """Whether all that read a tensor read its height and width only, as the last crop does."""
        return all(
            isinstance(step.operation, CropToMatch) and step.inputs[0] is not tensor
            for step in self.behind
            if tensor in step.inputs
        )


@checked
def head(model: Model) -> keras.Model:
    """The part of a model behind its frozen border, made of the model's own layers.

    Returns:
        `keras.Model` whose inputs are what the layers of `frozen_border(model)` give, in that
        order. An input that is read only for its size (the image) needs only one channel.
    """
    cut, tensors = Cut(model), {}
    for name, tensor in zip(cut.names, cut.border, strict=True):
        channels = 1 if tensor in cut.for_size_only else tensor.shape[-1]
        tensors[tensor] = keras.Input((None, None, channels), name=name)
    inputs = list(tensors.values())
    for step in cut.behind:
        tensors[step.outputs[0]] = step.again(tensors)
    return keras.Model(inputs, tensors[model.outputs[0]], name=f"{model.name}_head")


@checked
def frozen_features(
    model: Model, data: DataSet, flip: bool = False, batch_size: Count = 8
) -> FrozenFeatures:
    """Runs every image of a data set through the frozen part of a model, once.

    What needs more than 2 GiB goes to a temporary file instead of memory.

    Args:
        model: Model with frozen layers.
        data: `SegmentationData`; its images must have one size.
        flip: Also compute the features of every image's mirror image, for `augment="flip"`.
            (Mirroring the features is not enough: a filter for one slope does not detect the
            other.)
        batch_size: Images at a time.

    Returns:
        `FrozenFeatures`.

    Raises:
        ValueError: If nothing of the model is frozen.
        ImagesDifferInSize: If the images differ in size.
        ItemsChange: If the data set gives another image or label when it is read again.
    """
    features = Cut(model).features
    if not features:
        raise ValueError(
            f"Expected a model with a frozen part. Received: {model.name!r}, all of it trained"
        )
    if not items.stay_the_same(data):
        raise ItemsChange("an item of the data differs when it is read again (random numbers)")
    start = time.perf_counter()
    encoder = keras.Model(model.inputs, features)
    examples = _Examples(data, flip)
    maps, targets = {}, np.empty(0)
    with progress("frozen features", len(examples)) as advance:
        for first in range(0, len(examples), batch_size):
            here = slice(first, first + batch_size)
            images, batch_targets = examples[here]
            outputs = encoder.predict_on_batch(images.astype("float32"))
            if not maps:
                targets = np.empty((len(examples), *batch_targets.shape[1:]), batch_targets.dtype)
                maps = _empty_maps(len(examples), outputs)
            targets[here] = batch_targets
            for name, output in outputs.items():
                maps[name][here] = output
            advance(len(images))
    return FrozenFeatures(maps, targets, flip, time.perf_counter() - start, data)


class _Examples:
    """The images and targets of a data set, and with `flip` all of them again, mirrored."""

    def __init__(self, data, flip: bool):
        self.data, self.jobs = (
            data,
            [(i, mirrored) for mirrored in (False, True)[: 1 + flip] for i in range(len(data))],
        )
        self.size = data[0][0].shape

    def __len__(self):
        return len(self.jobs)

    def __getitem__(self, here: slice):
        pairs = [self._example(*job) for job in self.jobs[here]]
        return tuple(np.stack(column) for column in zip(*pairs, strict=True))

    def _example(self, index, mirrored):
        image, target = self.data[index]
        if image.shape != self.size:
            raise ImagesDifferInSize(
                f"images differ in size ({self.size[:2]} and {image.shape[:2]})"
            )
        return (image[:, ::-1], target[:, ::-1]) if mirrored else (image, target)


def _empty_maps(count: int, outputs: dict) -> dict[str, np.ndarray]:
    """An array for the features of each layer: in memory, or in a file where memory is short."""
    total = sum(output[0].nbytes for output in outputs.values()) * count
    in_memory = total <= min(CACHE_BYTES, memory.available() // 2)
    maps = {}
    for name, output in outputs.items():
        shape = (count, *output.shape[1:])
        maps[name] = np.empty(shape, output.dtype) if in_memory else _in_a_file(shape, output.dtype)
    return maps


def _in_a_file(shape, dtype) -> np.ndarray:
    file = tempfile.TemporaryFile(prefix="fcn_keras-")  # noqa: SIM115  the array reads from it
    reserve(file, int(np.prod(shape)) * dtype.itemsize)
    return np.memmap(file, dtype, "r+", shape=shape)


def trained_part(model, batches, features: FrozenFeatures | None, cache: bool, history):
    """What of a model is trained, and on what: the head on kept features, or all of it on images.

    Args:
        model: Its frozen part is asked once per image, unless the images differ in size or change
            from one reading to the next; a printed line says so then.
        batches: Of images.
        features: Computed before, or `None`.
        cache: `False`: all of the model, on images.
        history: The seconds of the features are noted there.

    Returns:
        A model and the batches to train it on.
    """
    if not cache or not frozen_border(model):
        return model, batches
    if batches.augment:
        _say_why_not_kept("augmentation other than flips changes the images")
        return model, batches
    try:
        features = features or frozen_features(model, batches.data, flip=batches.flip)
    except (ImagesDifferInSize, ItemsChange) as reason:
        _say_why_not_kept(reason)
        return model, batches
    kept = FeatureBatches(batches, model, features)
    history.seconds["features"] = features.seconds
    return head(model), kept


def _say_why_not_kept(reason):
    print(f"Frozen features are not kept: {reason}. Every step computes them again.")


def require_features_of(features, data) -> None:
    """Refuses features of another data set.

    The same object passes, and one whose first, middle and last images and labels agree.

    Raises:
        TypeError: If they are not `FrozenFeatures`.
        ValueError: If they belong to another data set.
    """
    if not isinstance(features, FrozenFeatures):
        received = arguments.received("features", features)
        raise TypeError(f"Expected features to be FrozenFeatures. {received}. {HOW_TO_COMPUTE}")
    of = features.data
    if of is None or of is data:
        return
    some = {0, len(data) // 2, len(data) - 1}
    same = len(of) == len(data) and all(
        np.array_equal(np.asarray(theirs), np.asarray(ours))
        for i in some
        for theirs, ours in zip(of[i], data[i], strict=True)
    )
    if not same:
        raise ValueError(
            f"Expected features of the data that is trained on, {data!r}. Received: features of "
            f"{of!r}, whose images or labels are others, or in another order. {HOW_TO_COMPUTE}"
        )


class FeatureBatches(keras.utils.PyDataset):
    """The same batches as `Batches`, with the frozen border's features in place of the images.

    Args:
        batches: Of images; they give the order.
        model: Whose frozen part was asked.
        features: Of all images of the batches' data.

    Raises:
        ValueError: If they come from other layers or data, or lack the batches' flips.
    """

    def __init__(self, batches, model, features: FrozenFeatures):
        super().__init__(workers=READERS, max_queue_size=BATCHES_AHEAD)
        require_features_of(features, batches.data)
        self.batches, self.features = batches, features
        cut = Cut(model)
        self.names, needed = cut.names, cut.features
        known = len(features.targets) // (1 + features.flipped)
        missing = [name for name in needed if name not in features.maps]
        if missing or known != len(batches.data) or (batches.flip and not features.flipped):
            raise ValueError(
                f"Expected features of {', '.join(self.names)} for {len(batches.data)} images, "
                f"flipped={batches.flip}. Received: features of {', '.join(features.maps)} for "
                f"{known} images, flipped={features.flipped}"
            )
        # Only the image is ever read for its size alone, and the targets have the image's size.
        self.blank = np.zeros((batches.batch_size, *features.targets.shape[1:3], 1), "uint8")

    def __len__(self):
        return len(self.batches)

    def on_epoch_end(self):
        self.batches.on_epoch_end()

    def __getitem__(self, batch):
        indices = self.batches.indices(batch) + len(self.batches.data) * self.batches.flips(batch)
        maps = [self._map(name, indices) for name in self.names]
        return tuple(maps), self.features.targets[indices]

    def _map(self, name, indices):
        if name not in self.features.maps:
            return self.blank[: len(indices)]
        # what a network of mixed precision computes is kept in its 16 bits
        return self.features.maps[name][indices].astype("float32")
