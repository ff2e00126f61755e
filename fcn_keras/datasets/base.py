"""What every data set is: a function from an index to an image and its label map.

    image, mask = data[0]       # uint8 H×W×3 RGB 0–255; uint8 H×W class numbers, 255 is void

`subset`, `view` and `reconstruction` make a new data set from an old one: another such function.
"""

import hashlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Annotated, Any

import numpy as np

from fcn_keras.datasets import items
from fcn_keras.datasets.batches import Batches
from fcn_keras.datasets.palettes import default_palette, fitting_palette
from fcn_keras.datasets.regrouping import BACKGROUND, groups_of_classes, regroup, reorder
from fcn_keras.support.kinds import Count, Index, Kind, Palette, Seed, checked

Read = Annotated[
    Callable[[int], tuple[Any, Any]], Kind("from an index to (image, mask)", items.function)
]
ClassNames = Annotated[Sequence[str], Kind("1 to 255, no name twice", items.class_names)]
Groups = Annotated[
    Mapping[str, Sequence[str]], Kind("new name → names of classes", groups_of_classes)
]


class SegmentationData:
    """A sequence of (image, mask) pairs. Each is read when it is asked for.

    Args:
        read: Function from an index 0 … length − 1 to `(image, mask)`. A mask of `None` means that
            the image has no label map.
        length: Number of images.
        class_names: A name for each class, at most 255. Void is not a class.
        palette: uint8 `(classes, 3)`, or `None` for the default colours.
        name: For messages and figures.
        prepared: What `read` does to every picture, for the model's card: `{"size": (height,
            width)}` if it resizes them, and `bands` and `scale` as at `images.read_image`.
        digest: Function from an index to a text that changes with the picture's content. `None`: a
            digest of the pixels.

    Raises:
        TypeError: If `read` is not a function.
        ValueError: If another argument is out of range, or when `read` returns something else than
            an image and its label map.

    Example:
        >>> image, mask = np.full((4, 6, 3), 200, "uint8"), np.ones((4, 6), "uint8")
        >>> data = fcn.datasets.SegmentationData(lambda index: (image, mask), 10, ("grass", "road"))
        >>> len(data), data[0][1].shape
        (10, (4, 6))
    """

    reconstructs = False  # whether an image's target is the image itself

    @checked
    def __init__(
        self,
        read: Read,
        length: Index,
        class_names: ClassNames,
        palette: Palette | None = None,
        name: str = "data",
        prepared: Mapping[str, Any] | None = None,
        digest: Callable[[int], str] | None = None,
    ):
        self._read, self._length = read, length
        self.prepared = dict(prepared or {})
        self._digest = digest
        self.class_names = tuple(class_names)
        self.palette = (
            default_palette(self.num_classes)
            if palette is None
            else fitting_palette(palette, self.num_classes)
        )
        self.name = name

    @property
    def num_classes(self) -> int:
        return len(self.class_names)

    def __len__(self) -> int:
        return self._length

    def __getitem__(self, index: int) -> tuple[np.ndarray, np.ndarray | None]:
        return self._item(self._read(items.index(index, len(self))))

    def _item(self, pair) -> tuple[np.ndarray, np.ndarray | None]:
        return items.image_and_mask(pair, self.num_classes)

    def digest(self, index: int) -> str:
        """What a picture is known by, whatever its name and its mask: 16 hexadecimal digits."""
        index = items.index(index, len(self))
        if self._digest is not None:
            return self._digest(index)
        image, _ = self[index]
        return hashlib.sha256(f"{image.shape}".encode() + image.tobytes()).hexdigest()[:16]

    def __repr__(self) -> str:
        return f"<{self.name}: {len(self)} images, classes {', '.join(self.class_names)}>"

    def subset(self, indices: Iterable[int]) -> "SegmentationData":
        """The images with these indices, in this order.

        Raises:
            TypeError: If they are not whole numbers.
            IndexError: If one is out of range.
        """
        chosen = items.indices(indices, len(self))
        return type(self)(
            lambda index: self._read(chosen[index]),
            len(chosen),
            self.class_names,
            self.palette,
            self.name,
            self.prepared,
            lambda index: self.digest(chosen[index]),
        )

    @checked
    def view(self, groups: Groups) -> "SegmentationData":
        """The same images with the classes regrouped: background 0, then one class per group.

        `data.view({"road": ["road"]})` is the lecture's question, road or not. Void stays void.

        Args:
            groups: New name → names of the classes that it gathers.

        Raises:
            ValueError: If a class is not in the data, or in two groups, or a group is called
                background.
        """
        new_number, palette = regroup(groups, self.class_names, self.palette)
        return self._renumbered(new_number, (BACKGROUND, *groups), palette)

    @checked
    def in_order(self, class_names: ClassNames, palette: Palette | None = None):
        """The same images with the classes in another order; more classes may be named.

        Args:
            class_names: All class names of the data, and perhaps others.
            palette: uint8 `(classes, 3)`; by default each class keeps its colour.

        Raises:
            ValueError: If a class of the data is not named.
        """
        new_number, colours = reorder(class_names, self.class_names, self.palette)
        return self._renumbered(new_number, class_names, colours if palette is None else palette)

    def _renumbered(self, new_number, class_names, palette) -> "SegmentationData":
        """The same images; `new_number` holds the new number of each number 0–255."""

        def read(index):
            image, mask = self[index]
            return image, None if mask is None else new_number[mask]

        return SegmentationData(
            read, len(self), class_names, palette, self.name, self.prepared, self.digest
        )

    def reconstruction(self) -> "SegmentationData":
        """The same images, each its own target: what an autoencoder learns from (lecture: L10)."""
        return Reconstruction(
            lambda index: (self._read(index)[0],) * 2,
            len(self),
            self.class_names,
            self.palette,
            self.name,
            self.prepared,
            self.digest,
        )

    @checked
    def batches(
        self,
        batch_size: Count,
        shuffle: bool = False,
        augment=None,
        seed: Seed = 0,
        steps: Count | None = None,
    ) -> Batches:
        """Batches for Keras: images float32 `(B, H, W, 3)` 0–255, labels int32 `(B, H, W)`.

        Pictures of different sizes are padded at the right and the bottom, the image with
        black and the labels with void. So the padding is neither trained on nor scored.

        Args:
            batch_size: Images per batch. The last batch of an epoch may be shorter.
            shuffle: Whether every epoch has its own random order.
            augment: `"flip"` for left-right flips, a Keras image layer, a `Pipeline` or a list of
                these. They change image and label map alike, labels by nearest neighbour.
            seed: The same seed gives the same batches.
            steps: This many batches per epoch, each drawn at random. `None`: each image once.

        Raises:
            ValueError: If an argument is out of range, or the data set is empty.
        """
        return Batches(self, batch_size, shuffle, augment, seed, steps)


class Reconstruction(SegmentationData):
    """Images whose target is the image itself."""

    reconstructs = True

    def _item(self, pair) -> tuple[np.ndarray, np.ndarray]:
        image = items.image(pair)
        return image, image

    def view(self, groups):
        raise ValueError(
            "Expected view() of a data set with label maps. Received: a reconstruction, whose "
            "targets are its images. data.view(…).reconstruction() has other class names and the "
            "same images."
        )
