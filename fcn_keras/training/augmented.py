"""What an augmentation makes of the first images: looked at before anything is learnt from them."""

from dataclasses import dataclass

import numpy as np

from fcn_keras.support.labels import VOID

IMAGES = 8  # at least so many are looked at
FEW = 0.5  # an augmentation that keeps less than this share of the labels is named


@dataclass(frozen=True)
class Augmented:
    """The first batches with augmentation."""

    value_range: tuple[float, float]  # of the images
    labelled: float  # share of the pixels that have a class
    before: float  # the same without augmentation
    images: int

    def lost_labels(self) -> str:
        """Says if far fewer pixels have a label than before; `""` if not."""
        if self.labelled >= FEW * self.before:
            return ""
        return (
            f"The augmentation leaves few labels: in the first {self.images} images, "
            f"{100 * self.labelled:.2g} % of the pixels have a class, and "
            f"{100 * self.before:.2g} % without it; what comes from outside a picture is void. "
            "The likely cause: a zoom, shift or turn that is too large."
        )


def first_batches(batches) -> Augmented | None:
    """Looks at the first batches, and prints a line if they lose many labels.

    Returns:
        What was seen; `None` if no augmentation changes the images.

    Raises:
        ValueError: If they have no labels left at all.
    """
    if not batches.augment:
        return None
    numbers = range(min(len(batches), -(-IMAGES // batches.batch_size)))
    pairs = [batches[number] for number in numbers]
    lows_highs = [(float(images.min()), float(images.max())) for images, _ in pairs]
    found = Augmented(
        (min(low for low, _ in lows_highs), max(high for _, high in lows_highs)),
        _labelled(labels for _, labels in pairs),
        _labelled(batches.as_read(number)[1] for number in numbers),
        sum(len(images) for images, _ in pairs),
    )
    if found.before and not found.labelled:
        raise ValueError(
            "Expected augment to leave labels to learn from. Received: one after which every pixel "
            f"of the first {found.images} images is void. Make it weaker, or leave it out."
        )
    if found.lost_labels():
        print(found.lost_labels())
    return found


def _labelled(targets) -> float:
    """Share of pixels that are not void: all of them where the targets are images."""
    shares = [1 if labels.dtype.kind == "f" else np.mean(labels != VOID) for labels in targets]
    return float(np.mean(shares))
