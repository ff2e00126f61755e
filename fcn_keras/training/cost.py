"""What a step of training needs of memory: said before it begins, when it is much.

An estimate, measured on the lecture's network and on FCN-8s with 3 to 21 classes (TensorFlow, CPU),
with and without kept features: within a third of what the process took.
"""

import numpy as np

from fcn_keras.models.describing import describe
from fcn_keras.support import graph, memory
from fcn_keras.training.frozen import Cut

SMALL = 1_000_000  # pixels; for a batch that has fewer, nothing is estimated
SHARE = 0.5  # of the free memory that a step may take without a word
LEARNING = 1.5  # what a trained layer gives is kept for its gradient, and some gradients beside it
LOSS = 2  # maps of every class that the loss makes
BATCHES_READ = 64  # bytes a pixel: labels of the batches that are read ahead, and their copies


def bytes_of_an_image(model, size, kept: bool, everything: bool = False) -> float:
    """Memory that a step needs for each image of its batch.

    Args:
        model: The network.
        size: Height and width of the image.
        kept: Whether the frozen part was computed before.
        everything: Whether layers that are frozen now will be trained, too.
    """
    rows = {row.name: row for row in describe(model, size)}
    numbers = {name: float(np.prod(row.output_shape)) for name, row in rows.items()}
    behind = numbers if everything else {step.name for step in Cut(model).behind}
    learning = sum(number for name, number in numbers.items() if name in behind)
    needed = LEARNING * learning + LOSS * numbers[graph.step_of(model.outputs[0]).name]
    read_ahead = BATCHES_READ * size[0] * size[1]
    if kept:
        return 4 * needed + read_ahead
    # images are read ahead as well, and go through the whole network
    largest = max(
        numbers[name] + sum(numbers[other] for other in row.inputs) for name, row in rows.items()
    )
    return 4 * (needed + largest) + 2 * read_ahead


def say_cost(model, batches, kept: bool) -> None:
    """Prints a line if a batch needs more than a share of the free memory."""
    size, _ = _size(batches.data)
    if batches.batch_size * size[0] * size[1] >= SMALL:
        line = _line(batches.batch_size, size, bytes_of_an_image(model, size, kept))
        print(line, end="\n" if line else "")


def fitting_batch_size(model, data, batch_size: int, everything: bool) -> int:
    """A batch size that needs no more than a share of the free memory; a line says if it is less.

    Args:
        model: The network.
        data: `SegmentationData`.
        batch_size: Wanted; this one, or a half, a quarter … of it is chosen.
        everything: As at `bytes_of_an_image`.
    """
    size, all_of_it = _size(data)
    if batch_size * size[0] * size[1] < SMALL:
        return batch_size
    kept = all_of_it and not everything and bool(Cut(model).border)
    image = bytes_of_an_image(model, size, kept, everything)
    fitting = _fitting(batch_size, image)
    if fitting < batch_size:
        print(f"{_line(batch_size, size, image)} It is taken.")
    return fitting


def _size(data) -> tuple[tuple[int, int], bool]:
    """Height and width in which some images fit, and whether all these have just that size."""
    some = sorted({0, len(data) // 2, len(data) - 1})
    sizes = {data[index][0].shape[:2] for index in some}
    heights, widths = zip(*sizes, strict=True)
    return (max(heights), max(widths)), len(sizes) == 1


def _fitting(batch_size: int, image: float) -> int:
    while batch_size > 1 and batch_size * image > SHARE * memory.available():
        batch_size //= 2
    return batch_size


def _line(batch_size: int, size, image: float) -> str:
    needed, free = batch_size * image, memory.available()
    if needed <= SHARE * free:
        return ""
    fitting = _fitting(batch_size, image)
    way_out = f"A batch size of {fitting} needs about {memory.in_words(fitting * image)}."
    if fitting == batch_size:
        way_out = "Smaller images need less."
    return (
        f"A step on {batch_size} images of {size[0]} x {size[1]} pixels needs about "
        f"{memory.in_words(needed)} of memory, and {memory.in_words(free)} are free. {way_out}"
    )
