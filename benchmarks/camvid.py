"""Is the encoder worth freezing? CamVid at 240 x 180 on this machine, every row in the same number of seconds.

    python benchmarks/camvid.py path/to/camvid                     # recipes are chosen on a
    held-out stretch of train python benchmarks/camvid.py path/to/camvid --score val         # the
    final table

(a) random encoder, frozen; (b) the same network trained from scratch; (c) pretrained encoder,
frozen; (d) pretrained encoder, then fine-tuned end to end. Features, head and fine-tuning count;
reading the pictures does not.
"""

import argparse
import json
import statistics
import time

import keras

import fcn_keras as fcn

BATCH_SIZE = 10
HELD_OUT = 80  # the last pictures of train
WIDTH = 32
RATES = {
    "a": 3e-3,
    "b": 1e-3,
    "c": 3e-3,
    "d": 3e-3,
}  # the best of each row on the held-out stretch, see README.md
PACES = {}  # kind of training → seconds to start, seconds a step
ENCODER = {layer.name for layer in fcn.backbones.small_vgg(None).layers}


def read(folder, score, classes):
    """Training data and what to score on, in memory."""
    train = fcn.datasets.camvid(folder, split="train")
    if score == "val":
        test = fcn.datasets.camvid(folder, split="val")
    else:  # neighbours in a film are nearly the same picture, so a whole stretch is held out
        train, test = (
            train.subset(range(len(train) - HELD_OUT)),
            train.subset(range(len(train) - HELD_OUT, len(train))),
        )
    if classes == "road":
        train, test = train.view({"road": ["road"]}), test.view({"road": ["road"]})
    return in_memory(train), in_memory(test)


def in_memory(data):
    """The same data set, read once."""
    pairs = [data[index] for index in range(len(data))]
    return fcn.datasets.SegmentationData(
        lambda index: pairs[index], len(data), data.class_names, data.palette, data.name
    )


def network(row, num_classes, seed, options):
    """FCN-8s with this row's encoder."""
    keras.utils.set_random_seed(seed)
    encoder = fcn.backbones.small_vgg(None if row in "ab" else options.weights)
    return fcn.models.fcn(
        num_classes, 8, encoder, width=options.width or None, freeze_backbone=row != "b"
    )


def pace(row, model, train, features, options):
    """Seconds that a training takes to start, and for each step, on a quiet machine: the fastest of three short ones.

    Measured once for each kind of training, so that every seed gets the same number of steps. The
    weights stay as they were.
    """
    if row not in PACES:
        before, taken = model.get_weights(), {25: [], 75: []}
        fcn.training.fit(
            model, train, steps=25, features=features, **options
        )  # the first one is slower
        for steps in (25, 75) * 3:
            start = time.perf_counter()
            fcn.training.fit(model, train, steps=steps, features=features, **options)
            taken[steps].append(time.perf_counter() - start)
        model.set_weights(before)
        step = (min(taken[75]) - min(taken[25])) / 50
        PACES[row] = max(min(taken[25]) - 25 * step, 0), step
    return PACES[row]


def run(row, train, test, seconds, seed, options):
    """Trains one row for so many seconds and scores it."""
    model = network(row, train.num_classes, seed, options)
    rate = options.rate or RATES[row]
    chosen = dict(batch_size=BATCH_SIZE, learning_rate=rate, augment="flip", seed=seed)
    whole_start = whole_step = 0.0
    if row == "d":
        for layer in model.layers:
            layer.trainable = True
        whole_start, whole_step = pace("everything", model, train, None, chosen)
        for layer in model.layers:
            layer.trainable = layer.name not in ENCODER
    start = time.perf_counter()
    features = None if row == "b" else fcn.training.frozen_features(model, train, flip=True)
    taken = time.perf_counter() - start
    first, step = pace(row, model, train, features, chosen)
    left = seconds - taken - first - whole_start
    share = options.share if row == "d" else 0
    steps, more = (
        _round(left * (1 - share) / step),
        _round(left * share / whole_step) if share else None,
    )
    start = time.perf_counter()
    fcn.training.fit(
        model, train, steps=steps, features=features, **chosen,
        unfreeze="after" if share else None, fine_tuning=more, fine_tuning_rate=options.fine_tuning_rate,
    )  # fmt: skip
    taken += time.perf_counter() - start
    scores = fcn.evaluation.evaluate(model, test)
    return dict(
        row=row, seed=seed, rate=rate, seconds=round(taken, 1), steps=steps, fine_tuning=more,
        road_iou=round(float(scores.iou[list(scores.class_names).index("road")]), 4), mean_iou=round(scores.mean_iou, 4),
    )  # fmt: skip


def _round(steps):
    """A multiple of 25, for rounds of equal length."""
    return max(int(steps) // 25 * 25, 1)


def main():
    """Prints a line of JSON for each run, and the medians."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("folder", help="CamVid: train/, trainannot/, …")
    parser.add_argument("--score", choices=("held-out", "val"), default="held-out")
    parser.add_argument("--rows", default="abcd")
    parser.add_argument("--seconds", type=float, nargs="+", default=[60, 120])
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--rate", type=float, help="instead of each row's own")
    parser.add_argument(
        "--share", type=float, default=0.65, help="of (d)'s time behind the features: fine-tuning"
    )
    parser.add_argument("--fine-tuning-rate", type=float, default=fcn.training.FINE_TUNING_RATE)
    parser.add_argument("--classes", choices=("road", "all"), default="road")
    parser.add_argument("--width", type=int, default=WIDTH)
    parser.add_argument(
        "--weights", default="pretrained", help="an .npz instead of the shipped one"
    )
    options = parser.parse_args()
    train, test = read(options.folder, options.score, options.classes)
    for row in options.rows:
        for seconds in options.seconds:
            runs = []
            for seed in options.seeds:
                runs.append(run(row, train, test, seconds, seed, options))
                print(json.dumps(runs[-1]), flush=True)
            medians = {
                key: statistics.median(r[key] for r in runs)
                for key in ("road_iou", "mean_iou", "seconds")
            }
            print(f"{row} {seconds:g} s: median of {len(runs)} {medians}", flush=True)


if __name__ == "__main__":
    main()
