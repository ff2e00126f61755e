"""What every data set is: images, each with a label map, and names for the classes.

    image, mask = data[0]       # uint8 H×W×3 RGB 0–255; uint8 H×W class numbers, 255 is void
"""

import threading
from collections.abc import Callable, Iterable, Mapping, Sequence

import keras
import numpy as np

from fcn_keras import arguments

VOID = 255
# Batches are made in threads of Keras' own, a few ahead. With one thread Keras leaves that to tf.data, whose tuning
# thread lets every `fit` wait up to five seconds at its end (TensorFlow 2.21).
READERS, BATCHES_AHEAD = 2, 4

# Okabe and Ito's colours, which colour-blind readers can tell apart, then lighter mixes of them
OKABE_ITO = np.array(
    [(0, 158, 115), (230, 159, 0), (86, 180, 233), (204, 121, 167), (0, 114, 178), (213, 94, 0), (240, 228, 66)]
)  # fmt: skip
BACKGROUND_COLOUR = (64, 64, 72)


def default_palette(num_classes: int) -> np.ndarray:
    """A colour per class: dark for class 0, then Okabe–Ito, then lighter and darker mixes. uint8, `(classes, 3)`."""
    arguments.whole_number("num_classes", num_classes, 1)
    lighter = (OKABE_ITO + 255) // 2
    darker = OKABE_ITO * 3 // 5
    colours = np.concatenate([[BACKGROUND_COLOUR], OKABE_ITO, lighter, darker])
    return np.resize(colours, (num_classes, 3)).astype("uint8")


class SegmentationData:
    """A sequence of (image, mask) pairs, read one at a time when asked for.

    Args:
        read: Function from an index 0 … length − 1 to `(image, mask)`; mask `None`: no label.
        length: How many there are.
        class_names: A name per class, at most 255; void is not one of them.
        palette: uint8 `(classes, 3)`; `None` for the default colours.
        name: For messages and figures.

    Raises:
        TypeError: If `read` is no function.
        ValueError: If another argument is out of range; when an item is read that is not as said above.
    """

    def __init__(
        self,
        read: Callable[[int], tuple],
        length: int,
        class_names: Sequence[str],
        palette: np.ndarray | None = None,
        name: str = "data",
    ):
        if not callable(read):
            raise TypeError(f"Expected read to be a function from an index to (image, mask). {arguments.received('read', read)}")
        self._read = read
        self._length = arguments.whole_number("length", length, 0)
        self.class_names = checked_classes(class_names)
        self.palette = default_palette(len(self.class_names))
        if palette is not None:
            self.palette = arguments.palette("palette", palette).astype("uint8")
            if len(self.palette) != self.num_classes:
                wanted = f"a colour for each of {self.num_classes} classes"
                raise ValueError(f"Expected palette to hold {wanted}. {arguments.received('palette', self.palette)}")
        self.name = name

    @property
    def num_classes(self) -> int:
        return len(self.class_names)

    def __len__(self) -> int:
        return self._length

    def __getitem__(self, index: int) -> tuple[np.ndarray, np.ndarray | None]:
        return self._checked(self._read(_checked_index(index, len(self))))

    def _checked(self, pair):
        """What every item is: an image 0–255 and, if there is one, a label map of its size as uint8."""
        if not isinstance(pair, tuple) or len(pair) != 2:
            raise ValueError(f"Expected read to return (image, mask). {arguments.received('read(index)', pair)}")
        image = checked_image("image", pair[0])
        if pair[1] is None:
            return image, None
        mask = arguments.label_map("mask", pair[1], self.num_classes).astype("uint8", copy=False)
        if mask.shape != image.shape[:2]:
            raise ValueError(
                f"Expected mask to have the size of its image, {image.shape[0]} x {image.shape[1]}. "
                f"Received: {mask.shape[0]} x {mask.shape[1]}"
            )
        return image, mask

    def __repr__(self) -> str:
        return f"<{self.name}: {len(self)} images, classes {', '.join(self.class_names)}>"

    def subset(self, indices: Sequence[int]) -> "SegmentationData":
        """The same data, only these indices, in this order.

        Raises:
            TypeError: If they are something else than whole numbers.
            IndexError: If one is out of range.
        """
        if not isinstance(indices, Iterable) or isinstance(indices, (str, bytes)):
            raise TypeError(f"Expected indices to be a list or a range. {arguments.received('indices', indices)}")
        indices = [_checked_index(index, len(self)) for index in indices]
        return type(self)(lambda index: self._read(indices[index]), len(indices), self.class_names, self.palette, self.name)

    def view(self, groups: Mapping[str, Sequence[str]]) -> "SegmentationData":
        """The same images with the classes regrouped: background 0, then one class per group.

        `data.view({"road": ["road"]})` is the lecture's question, road or not. Void stays void.

        Args:
            groups: New name → names of the classes that it gathers.

        Raises:
            ValueError: If a class is not in the data, or in two groups.
        """
        if not isinstance(groups, Mapping) or not groups:
            example = "{'road': ['road']}"
            raise ValueError(f"Expected groups to be a table, such as {example}. {arguments.received('groups', groups)}")
        table = np.zeros(256, "uint8")
        table[self.num_classes :] = VOID
        palette = [BACKGROUND_COLOUR]
        seen = set()
        for number, (group, members) in enumerate(groups.items(), start=1):
            members = [members] if isinstance(members, str) else members
            if not isinstance(members, Iterable):
                raise ValueError(f"Expected names of classes in group {group!r}. {arguments.received('groups', groups)}")
            members = list(members)
            if not members:
                raise ValueError(f"Expected at least one class in group {group!r}. Received: none")
            for member in members:
                if member not in self.class_names or member in seen:
                    why = "which is already in a group" if member in seen else "which is not in the data"
                    raise ValueError(f"Expected classes out of {', '.join(self.class_names)}. Received: {member!r}, {why}")
                seen.add(member)
                table[self.class_names.index(member)] = number
            palette.append(self.palette[self.class_names.index(members[0])])

        def read(index):
            image, mask = self[index]
            return image, None if mask is None else table[mask]

        return SegmentationData(read, len(self), ("background", *groups), np.array(palette), self.name)

    def reconstruction(self) -> "SegmentationData":
        """The same images, each its own target: what an autoencoder learns from (lecture: L10)."""
        return Reconstruction(
            lambda index: (self._read(index)[0],) * 2, len(self), self.class_names, self.palette, self.name
        )

    def batches(
        self,
        batch_size: int,
        shuffle: bool = False,
        augment=None,
        seed: int = 0,
        steps: int | None = None,
    ) -> "Batches":
        """Batches for Keras: images float32 `(B, H, W, 3)` 0–255, labels int32 `(B, H, W)`.

        Pictures of different sizes are padded at the right and the bottom, the image with
        black and the labels with void, so that the padding is neither trained on nor scored.

        Args:
            batch_size: Images per batch; the last batch of an epoch may be shorter.
            shuffle: Another order in every epoch.
            augment: `"flip"` for left-right flips, a Keras image layer, or a list of them; applied to
                image and label map alike, labels by nearest neighbour.
            seed: Same seed, same batches.
            steps: Instead of going through the data once an epoch, this many batches, each drawn
                at random.

        Raises:
            ValueError: If an argument is out of range, or the data set is empty.
        """
        return Batches(self, batch_size, shuffle, augment, seed, steps)


class Reconstruction(SegmentationData):
    """Images whose target is the image itself."""

    def _checked(self, pair):
        image = checked_image("image", pair[0])
        return image, image

    def view(self, groups):
        raise ValueError(
            "Expected view() of a data set with label maps. Received: a reconstruction, whose targets are its images. "
            "data.view(…).reconstruction() has other class names and the same images."
        )


class Batches(keras.utils.PyDataset):
    """See `SegmentationData.batches`. Batch i of epoch e depends on the seed, e and i alone.

    That makes a resumed training see what an uninterrupted one would have seen.
    """

    def __init__(self, data, batch_size, shuffle=False, augment=None, seed=0, steps=None):
        super().__init__(workers=READERS, max_queue_size=BATCHES_AHEAD)
        if len(data) == 0:
            raise ValueError(f"Expected at least one image. Received: {data!r}")
        arguments.whole_number("batch_size", batch_size, 1)
        arguments.whole_number("steps", 1 if steps is None else steps, 1)
        arguments.whole_number("seed", seed, 0)
        self.data, self.batch_size, self.shuffle, self.seed, self.steps = data, batch_size, shuffle, seed, steps
        self.flip, self.augment = isinstance(augment, str) and augment == "flip", _augmentation_layers(augment)
        self.epoch = 0
        self.failure = None  # the first error of reading a batch, which backends wrap in their own
        self.one_at_a_time = threading.Lock()  # neither a data set's `read` nor an augmentation need be safe for threads

    def __len__(self):
        return self.steps or -(-len(self.data) // self.batch_size)

    def on_epoch_end(self):
        self.epoch += 1

    def indices(self, batch: int) -> np.ndarray:
        """Which images are in this batch of the present epoch."""
        count = len(self.data)
        if self.steps:
            rng = np.random.default_rng([self.seed, self.epoch, batch])
            return rng.choice(count, self.batch_size, replace=self.batch_size > count)
        order = np.random.default_rng([self.seed, self.epoch]).permutation(count) if self.shuffle else np.arange(count)
        return order[batch * self.batch_size : (batch + 1) * self.batch_size]

    def flips(self, batch: int) -> np.ndarray:
        """Which images of this batch are mirrored, bool `(B,)`; all False without `augment="flip"`."""
        coins = np.random.default_rng([self.seed, self.epoch, batch, 1]).random(len(self.indices(batch))) < 0.5
        return coins & self.flip

    def __getitem__(self, batch):
        with self.one_at_a_time:
            try:
                return self._read(batch)
            except Exception as error:
                self.failure = self.failure or error
                raise

    def _read(self, batch):
        pairs = [self.data[index] for index in self.indices(batch)]
        if any(target is None for _, target in pairs):
            raise ValueError(f"{self.data!r} has images without a label, so it cannot be trained on or scored.")
        images = pad_and_stack([image for image, _ in pairs], 0).astype("float32")
        targets = pad_and_stack([target for _, target in pairs], 0 if self.reconstructs else VOID)
        targets = targets.astype("float32" if self.reconstructs else "int32")
        for row in np.flatnonzero(self.flips(batch)):
            images[row], targets[row] = images[row, :, ::-1], targets[row, :, ::-1]
        for number, layer in enumerate(self.augment):
            images, targets = self._augmented(layer, images, targets, [self.seed, self.epoch, batch, number])
        return images, targets

    @property
    def reconstructs(self) -> bool:
        """Whether the targets are the images themselves."""
        return isinstance(self.data, Reconstruction)

    def _augmented(self, layer, images, targets, entropy):
        if hasattr(layer, "generator"):  # what it draws must depend on the batch, not on how often it was called
            layer.generator.state.assign(np.random.default_rng([*entropy, 2]).integers(0, 2**31, 2).astype("uint32"))
        if self.reconstructs:
            images = keras.ops.convert_to_numpy(layer(images, training=True))
            return images, images
        # Void travels as 0. A second channel with the opposite sign tells labels from what a layer fills the empty corners of
        # a turned mask with: that is the same number in both channels, and of such numbers 0 alone is its own opposite.
        shifted = ((targets + 1) % 256)[..., None].astype("float32")
        images, masks = _moved_alike(layer, images, np.concatenate([shifted, -shifted], axis=-1))
        moved = np.where(masks[..., 0] == -masks[..., 1], masks[..., 0], 0)
        if (moved != np.rint(moved)).any():
            raise ValueError(
                "Expected augment to hold layers that move labels as they are, such as keras.layers.RandomZoom. Received: "
                f"{type(layer).__name__}, which made numbers between two classes of them. Leave it out."
            )
        return images, (moved.astype("int32") - 1) % 256


def _moved_alike(layer, images, masks) -> tuple[np.ndarray, np.ndarray]:
    """Images and label maps after one random transformation."""
    pair = {"images": images, "segmentation_masks": masks}
    if keras.backend.backend() == "torch":
        # Keras 3.15 on PyTorch changes the matrix that it turns the images with, and would turn the labels with the changed one
        drawn = layer.get_random_transformation(pair, training=True)
        own = lambda: keras.tree.map_structure(lambda x: keras.ops.copy(x) if keras.ops.is_tensor(x) else x, drawn)  # noqa: E731
        pair = {
            "images": layer.transform_images(keras.ops.convert_to_tensor(images), own(), training=True),
            "segmentation_masks": layer.transform_segmentation_masks(keras.ops.convert_to_tensor(masks), own(), training=True),
        }
    else:
        pair = layer(pair, training=True)
    return tuple(keras.ops.convert_to_numpy(pair[name]) for name in ("images", "segmentation_masks"))


def checked_image(name: str, image) -> np.ndarray:
    """`(H, W, channels)` of values 0–255.

    Raises:
        ValueError: If it has another shape, or its values are those after some preprocessing.
    """
    image = arguments.array(name, image, 3, "(H, W, 3), 0–255")
    if image.dtype != np.uint8:
        low, high = float(image.min()), float(image.max())
        if not 0 <= low <= high <= 255 or (0 < high < 2 and image.size > 3 * 64):  # NaN too; 0 to 1 and a filter's overshoot
            raise ValueError(
                f"Expected {name} to hold values 0 to 255. Received: {low:.3g} to {high:.3g}. Scaling and subtracting "
                "means is done inside the model: give it the picture as it is."
            )
    return image


def pad_and_stack(arrays: Sequence[np.ndarray], fill: int) -> np.ndarray:
    """Stacks arrays of different height and width, filling up at the bottom and the right."""
    height = max(array.shape[0] for array in arrays)
    width = max(array.shape[1] for array in arrays)
    stacked = np.full((len(arrays), height, width, *arrays[0].shape[2:]), fill, arrays[0].dtype)
    for row, array in zip(stacked, arrays, strict=True):
        row[: array.shape[0], : array.shape[1]] = array
    return stacked


def _augmentation_layers(augment) -> list:
    if augment is None or (isinstance(augment, str) and augment == "flip"):
        return []
    layers = augment if isinstance(augment, (list, tuple)) else [augment]
    for layer in layers:
        if not isinstance(layer, keras.layers.Layer):
            raise ValueError(f"Expected augment to be 'flip' or Keras image layers. Received: {layer!r}")
        if not hasattr(layer, "transform_segmentation_masks"):
            raise ValueError(
                "Expected augment to hold layers that change images and labels alike, such as keras.layers.RandomRotation. "
                f"Received: {type(layer).__name__}. (Scaling is done inside the model already.)"
            )
    return list(layers)


def checked_classes(names: Sequence[str], name: str = "class_names") -> tuple[str, ...]:
    """Class names as a tuple.

    Raises:
        ValueError: If there are none or more than 255, or one of them twice.
    """
    names = arguments.names(name, names)
    if len(names) > VOID:
        raise ValueError(f"Expected {name} to hold at most 255, because 255 is void. Received: {len(names)}")
    return names


def _checked_index(index, length) -> int:
    if isinstance(index, (bool, np.bool_)):
        raise TypeError(f"Expected a whole number as index; np.flatnonzero(chosen) makes them of yes and no. Received: {index}")
    if not isinstance(index, (int, np.integer)):
        raise TypeError(f"Expected a whole number as index; for several images use data.subset(range(8)). Received: {index!r}")
    if not -length <= index < length:
        raise IndexError(f"Expected an index below {length}, the number of images. Received: {index}")
    return int(index) % length
