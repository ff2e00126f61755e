"""The lecture's training loop against `training.fit`: seconds for 300 steps of 20 images, and the road IoU of both.

    python benchmarks/lecture_loop.py            # seconds, VGG16 with random weights: six minutes
    python benchmarks/lecture_loop.py --score    # the small VGG instead: both heads trained to the
    end, and scored; half an hour

The loop sends every image of every step through VGG16 and trains a head 4096 wide. `fit` runs VGG16
once for each image and trains the default head, 32 wide in its skips too. Long parts are timed over
a few steps and multiplied; what the weights are does not change the time.
"""

import argparse
import itertools
import time

import keras
import numpy as np
from measuring import keep, median_seconds

import fcn_keras as fcn

IMAGES, STEPS, BATCH_SIZE = 289, 300, 20  # the lecture's
WIDE, DEFAULT = 4096, 32


def scenes():
    """As many drawn scenes as the lecture has images, and the test part; read once."""
    train = fcn.datasets.road_scenes("train", count=IMAGES).view({"road": ["road"]})
    pairs = [train[index] for index in range(len(train))]
    train = fcn.datasets.SegmentationData(
        lambda n: pairs[n], len(pairs), train.class_names, train.palette, "road scenes"
    )
    return train, fcn.datasets.road_scenes("test").view({"road": ["road"]})


def seconds_a_step(model, train, repeats=3) -> float:
    """Median seconds of one step in which every image goes through the whole model, after a first one that does not count."""
    model.compile(keras.optimizers.Adam(1e-3), fcn.training.segmentation_loss(), jit_compile=False)
    batches = train.batches(BATCH_SIZE, shuffle=True)
    step = itertools.count()
    return median_seconds(lambda: model.train_on_batch(*batches[next(step)]), repeats)


def seconds_of_fit(model, train, features, steps) -> float:
    """Seconds for 300 steps on kept features, from a run of some of them."""
    history = fcn.training.fit(model, train, steps=steps, batch_size=BATCH_SIZE, features=features)
    return history.seconds["training"] / steps * STEPS


def time_both(train):
    encoder = fcn.backbones.vgg16(weights=None)
    heads = {
        width: fcn.models.lecture_fcn(2, encoder, width, skip_width=width)
        for width in (WIDE, DEFAULT)
    }
    loop = {width: STEPS * seconds_a_step(model, train) for width, model in heads.items()}
    forward = keras.Model(encoder.inputs[0], encoder.get_layer("pool5").output)
    images = np.stack([train[n][0] for n in range(8)]).astype("float32")
    limit = median_seconds(lambda: forward.predict_on_batch(images)) / len(images) * IMAGES
    features = fcn.training.frozen_features(heads[DEFAULT], train)
    fit = {
        width: features.seconds
        + seconds_of_fit(model, train, features, 4 if width == WIDE else STEPS)
        for width, model in heads.items()
    }
    kept = f"{features.seconds:.0f} s of it features"
    for what, seconds, how in (
        (f"the lecture's loop, head {WIDE} wide", loop[WIDE], "3 steps, multiplied"),
        (f"the same loop, head {DEFAULT} wide", loop[DEFAULT], "3 steps, multiplied"),
        (f"fit, features kept, head {WIDE} wide", fit[WIDE], f"{kept}; 4 steps, multiplied"),
        (f"fit, features kept, head {DEFAULT} wide", fit[DEFAULT], f"{kept}; all {STEPS} steps"),
        (f"one forward pass over {IMAGES} images", limit, "the limit; 8 images, multiplied"),
    ):
        print(f"{what:<40}{seconds:>7.0f} s  ({how})")
    print(
        f"\nfit is {loop[WIDE] / fit[DEFAULT]:.0f} times as fast as the lecture's loop; the limit is {loop[WIDE] / limit:.0f}."
    )
    shares = loop[WIDE] / fit[WIDE], loop[WIDE] / loop[DEFAULT]
    print(
        f"keeping features alone: {shares[0]:.1f} times; the smaller head alone: {shares[1]:.1f} times"
    )
    keep(
        "lecture_loop",
        loop=loop[WIDE],
        loop_default_head=loop[DEFAULT],
        fit_wide_head=fit[WIDE],
        fit=fit[DEFAULT],
        limit=limit,
    )


def score_both(train, test):
    """The wide head as the lecture trains it, the default head as `fit` does, on the same images for as many steps."""
    found = {}
    for width in (WIDE, DEFAULT):
        keras.utils.set_random_seed(0)
        model = fcn.models.lecture_fcn(2, width=width, skip_width=width)
        start = time.perf_counter()
        # kept features give the weights of the plain loop within rounding
        # (tests/training/test_training.py), sooner
        fcn.training.fit(model, train, steps=STEPS, batch_size=BATCH_SIZE, decay=width != WIDE)
        seconds = time.perf_counter() - start
        found[f"width_{width}"] = float(fcn.evaluation.evaluate(model, test).iou[1])
        print(
            f"head {width:>4} wide: road IoU {found[f'width_{width}']:.4f} ({seconds:.0f} s)",
            flush=True,
        )
    keep("lecture_loop_scores", **found)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--score", action="store_true", help="train both heads on the small VGG and score them"
    )
    options = parser.parse_args()
    train, test = scenes()
    score_both(train, test) if options.score else time_both(train)
