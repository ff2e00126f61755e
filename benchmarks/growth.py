"""How does the cost grow? Seconds for more images, pixels and classes, on the small VGG.

Run it with `python benchmarks/growth.py`.
"""

import keras
import numpy as np
from measuring import keep, median_seconds

import fcn_keras as fcn

IMAGES = (72, 144, 289)
SIDES = (256, 512, 1024, 2048)
CLASSES = (2, 4, 8, 16, 32)
STEPS = 20


def images() -> dict[int, float]:
    """Seconds that the frozen encoder takes for each number of images.

    This is the only cost that depends on the number: a training step costs the same for any.
    """
    train = fcn.datasets.road_scenes("train", count=max(IMAGES)).view({"road": ["road"]})
    pairs = [train[index] for index in range(len(train))]
    model, found = fcn.models.lecture_fcn(2, fcn.backbones.small_vgg(), 32, skip_width=32), {}
    for count in IMAGES:
        part = fcn.datasets.SegmentationData(
            lambda n: pairs[n], count, train.class_names, train.palette
        )
        found[count] = median_seconds(lambda data=part: fcn.training.frozen_features(model, data))
    return found


def pixels() -> dict[int, float]:
    """Seconds to label a square picture, for each side."""
    model, rng = (
        fcn.models.lecture_fcn(2, fcn.backbones.small_vgg(), 32, skip_width=32),
        np.random.default_rng(0),
    )
    pictures = {side: rng.integers(0, 256, (side, side, 3), "uint8") for side in SIDES}
    return {
        side: median_seconds(lambda p=picture: fcn.prediction.segment(model, p))
        for side, picture in pictures.items()
    }


def classes() -> dict[int, float]:
    """Seconds of one training step of 10 images on kept features, for each number of classes."""
    return {count: seconds_a_step(count) for count in CLASSES}


def seconds_a_step(num_classes) -> float:
    head = fcn.training.head(
        fcn.models.lecture_fcn(num_classes, fcn.backbones.small_vgg(), 32, skip_width=32)
    )
    rng = np.random.default_rng(0)
    head.compile(keras.optimizers.Adam(1e-3), fcn.training.segmentation_loss(), jit_compile=False)
    sizes = {
        "pool5": (5, 18, 256),
        "pool4": (10, 36, 128),
        "pool3": (20, 72, 64),
        "image": (160, 576, 1),
    }
    maps = [rng.normal(size=(10, *sizes[tensor.name])).astype("float32") for tensor in head.inputs]
    targets = rng.integers(0, num_classes, (10, 160, 576)).astype("int32")
    return median_seconds(lambda: head.train_on_batch(maps, targets), STEPS)


if __name__ == "__main__":
    for name, unit, found in (
        ("images", "images through the frozen encoder", images()),
        ("pixels", "pixels along each side of a picture", pixels()),
        ("classes", "classes in a step of 10 images", classes()),
    ):
        for number, seconds in found.items():
            print(f"{number:>6} {unit:<40}{seconds:>8.3f} s")
        keep(f"growth_{name}", **{str(number): seconds for number, seconds in found.items()})
    print("Time grows in proportion to images and pixels: nothing is computed twice.")
    print("With more classes, only the layers after the features take longer.")
