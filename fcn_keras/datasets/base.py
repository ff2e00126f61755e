"""What every data set is: images, each with a label map, and names for the classes.

image, mask = data[0]       # uint8 H×W×3 RGB 0–255; uint8 H×W class numbers, 255 is void
"""

from collections.abc import Callable, Iterable, Mapping, Sequence

import numpy as np

from fcn_keras.datasets.batches import Batches
from fcn_keras.support import arguments
from fcn_keras.support.kinds import Count, checked
from fcn_keras.support.labels import BACKGROUND_COLOUR, OKABE_ITO, VOID


@checked
def default_palette(num_classes: Count) -> np.ndarray:
    """A colour per class: dark for class 0, then Okabe–Ito, then lighter and darker mixes. uint8, `(classes, 3)`."""
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

    reconstructs = False  # whether the target of an image is the image itself

    def __init__(
        self,
        read: Callable[[int], tuple],
        length: int,
        class_names: Sequence[str],
        palette: np.ndarray | None = None,
        name: str = "data",
    ):
        if not callable(read):
            raise TypeError(
                f"Expected read to be a function from an index to (image, mask). {arguments.received('read', read)}"
            )
        self._read = read
        self._length = arguments.whole_number("length", length, 0)
        self.class_names = checked_classes(class_names)
        self.palette = default_palette(len(self.class_names))
        if palette is not None:
            self.palette = arguments.palette("palette", palette).astype("uint8")
            if len(self.palette) != self.num_classes:
                wanted = f"a colour for each of {self.num_classes} classes"
                raise ValueError(
                    f"Expected palette to hold {wanted}. {arguments.received('palette', self.palette)}"
                )
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
            raise ValueError(
                f"Expected read to return (image, mask). {arguments.received('read(index)', pair)}"
            )
        image = arguments.image("image", pair[0], channels=0)
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
            raise TypeError(
                f"Expected indices to be a list or a range. {arguments.received('indices', indices)}"
            )
        indices = [_checked_index(index, len(self)) for index in indices]
        return type(self)(
            lambda index: self._read(indices[index]),
            len(indices),
            self.class_names,
            self.palette,
            self.name,
        )

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
            raise ValueError(
                f"Expected groups to be a table, such as {example}. {arguments.received('groups', groups)}"
            )
        table = np.zeros(256, "uint8")
        table[self.num_classes :] = VOID
        palette = [BACKGROUND_COLOUR]
        seen = set()
        for number, (group, members) in enumerate(groups.items(), start=1):
            members = [members] if isinstance(members, str) else members
            if not isinstance(members, Iterable):
                raise ValueError(
                    f"Expected names of classes in group {group!r}. {arguments.received('groups', groups)}"
                )
            members = list(members)
            if not members:
                raise ValueError(f"Expected at least one class in group {group!r}. Received: none")
            for member in members:
                if member not in self.class_names or member in seen:
                    why = (
                        "which is already in a group"
                        if member in seen
                        else "which is not in the data"
                    )
                    raise ValueError(
                        f"Expected classes out of {', '.join(self.class_names)}. Received: {member!r}, {why}"
                    )
                seen.add(member)
                table[self.class_names.index(member)] = number
            palette.append(self.palette[self.class_names.index(members[0])])

        def read(index):
            image, mask = self[index]
            return image, None if mask is None else table[mask]

        return SegmentationData(
            read, len(self), ("background", *groups), np.array(palette), self.name
        )

    def reconstruction(self) -> "SegmentationData":
        """The same images, each its own target: what an autoencoder learns from (lecture: L10)."""
        return Reconstruction(
            lambda index: (self._read(index)[0],) * 2,
            len(self),
            self.class_names,
            self.palette,
            self.name,
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

    reconstructs = True

    def _checked(self, pair):
        image = arguments.image("image", pair[0], channels=0)
        return image, image

    def view(self, groups):
        raise ValueError(
            "Expected view() of a data set with label maps. Received: a reconstruction, whose targets are its images. "
            "data.view(…).reconstruction() has other class names and the same images."
        )


def checked_classes(names: Sequence[str], name: str = "class_names") -> tuple[str, ...]:
    """Class names as a tuple.

    Raises:
        ValueError: If there are none or more than 255, or one of them twice.
    """
    names = arguments.names(name, names)
    if len(names) > VOID:
        raise ValueError(
            f"Expected {name} to hold at most 255, because 255 is void. Received: {len(names)}"
        )
    return names


def _checked_index(index, length) -> int:
    if isinstance(index, (bool, np.bool_)):
        raise TypeError(
            f"Expected a whole number as index; np.flatnonzero(chosen) makes them of yes and no. Received: {index}"
        )
    if not isinstance(index, (int, np.integer)):
        raise TypeError(
            f"Expected a whole number as index; for several images use data.subset(range(8)). Received: {index!r}"
        )
    if not -length <= index < length:
        raise IndexError(
            f"Expected an index below {length}, the number of images. Received: {index}"
        )
    return int(index) % length
