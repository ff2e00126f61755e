"""The lecture's training loop against `training.fit`: 300 steps of 20 images.

    python benchmarks/lecture_loop.py            # time, with VGG16: six minutes
    python benchmarks/lecture_loop.py --score    # road IoU, with the small VGG: half an hour

The loop sends every image of every step through VGG16 and trains a head 4096 wide. `fit` runs VGG16
once for each image and trains the default head, 32 wide in its skips too. Long parts are timed over
a few steps and multiplied. VGG16 has random weights here: the time does not depend on them. With
`--score`, both heads are trained for all steps and scored.
"""

import argparse
import itertools
import time

import keras
import numpy as np
from measuring import keep, median_seconds

import fcn_keras as fcn

IMAGES, STEPS, BATCH_SIZE = 289, 300, 20  # as in the lecture
WIDE, DEFAULT = 4096, 32


def scenes():
    """As many drawn training scenes as the lecture has images, read once; and the test scenes."""
    train = fcn.datasets.road_scenes("train", count=IMAGES).view({"road": ["road"]})
    pairs = [train[index] for index in range(len(train))]
    train = fcn.datasets.SegmentationData(
        lambda n: pairs[n], len(pairs), train.class_names, train.palette, "road scenes"
    )
    return train, fcn.datasets.road_scenes("test").view({"road": ["road"]})


def seconds_a_step(model, train, repeats=3) -> float:
    """Median seconds of a step in which every image goes through the whole model."""
    model.compile(keras.optimizers.Adam(1e-3), fcn.training.segmentation_loss(), jit_compile=False)
    batches = train.batches(BATCH_SIZE, shuffle=True)
    step = itertools.count()
    return median_seconds(lambda: model.train_on_batch(*batches[next(step)]), repeats)


def seconds_of_fit(model, train, features, steps) -> float:
    """Seconds for 300 steps on kept features, from a run of `steps` steps."""
    history = fcn.training.fit(model, train, steps=steps, batch_size=BATCH_SIZE, features=features)
    return history.seconds["training"] / steps * STEPS


def time_both(train):
    encoder = fcn.backbones.vgg16(weights=None)
    heads = {
        width: fcn.models.lecture_fcn(2, encoder, width, skip_width=width)
        for width in (WIDE, DEFAULT)
    }  # width of the head → model
    loop = {width: STEPS * seconds_a_step(model, train) for width, model in heads.items()}
    forward = keras.Model(encoder.inputs[0], encoder.get_layer("pool5").output)
    images = np.stack([train[n][0] for n in range(8)]).astype("float32")
    limit = median_seconds(lambda: forward.predict_on_batch(images)) / len(images) * IMAGES
    features = fcn.training.frozen_features(heads[DEFAULT], train)
    fit = {}
    for width, model in heads.items():
        steps = 4 if width == WIDE else STEPS
        fit[width] = features.seconds + seconds_of_fit(model, train, features, steps)
    kept = f"features: {features.seconds:.0f} s"
    for what, seconds, how in (
        (f"the lecture's loop, head {WIDE} wide", loop[WIDE], "3 steps, multiplied"),
        (f"the same loop, head {DEFAULT} wide", loop[DEFAULT], "3 steps, multiplied"),
        (f"fit, features kept, head {WIDE} wide", fit[WIDE], f"{kept}; 4 steps, multiplied"),
        (f"fit, features kept, head {DEFAULT} wide", fit[DEFAULT], f"{kept}; all {STEPS} steps"),
        (f"one forward pass over {IMAGES} images", limit, "the limit; 8 images, multiplied"),
    ):
        print(f"{what:<40}{seconds:>7.0f} s  ({how})")
    print(
        f"\nfit is {loop[WIDE] / fit[DEFAULT]:.0f} times as fast as the lecture's loop; "
        f"the limit is {loop[WIDE] / limit:.0f} times."
    )
    print(f"Kept features alone: {loop[WIDE] / fit[WIDE]:.1f} times as fast.")
    print(f"The smaller head alone: {loop[WIDE] / loop[DEFAULT]:.1f} times as fast.")
    found = dict(loop=loop[WIDE], loop_default_head=loop[DEFAULT])
    found |= dict(fit_wide_head=fit[WIDE], fit=fit[DEFAULT], limit=limit)
    keep("lecture_loop", **found)


def score_both(train, test):
    """Trains both heads on the same images for the same number of steps, and scores them.

    The wide head has the lecture's constant learning rate, the default head the one of `fit`.
    """
    found = {}
    for width in (WIDE, DEFAULT):
        keras.utils.set_random_seed(0)
        model = fcn.models.lecture_fcn(2, fcn.backbones.small_vgg(), width, skip_width=width)
        start = time.perf_counter()
        # Kept features save time and give the same weights as the plain loop, within rounding
        # (tests/training/test_training.py).
        fcn.training.fit(model, train, steps=STEPS, batch_size=BATCH_SIZE, decay=width != WIDE)
        seconds = time.perf_counter() - start
        iou = float(fcn.evaluation.evaluate(model, test).iou[1])
        found[f"width_{width}"] = iou
        print(f"head {width:>4} wide: road IoU {iou:.4f} ({seconds:.0f} s)", flush=True)
    keep("lecture_loop_scores", **found)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    score = "train both heads on the small VGG and score them"
    parser.add_argument("--score", action="store_true", help=score)
    options = parser.parse_args()
    train, test = scenes()
    score_both(train, test) if options.score else time_both(train)
