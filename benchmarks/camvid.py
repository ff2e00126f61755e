"""Is the encoder worth freezing, and which? CamVid at 240 x 180, the same seconds for each row.

    python benchmarks/camvid.py path/to/camvid                # to choose recipes: held-out pictures
    python benchmarks/camvid.py path/to/camvid --score val    # for the final table
    python benchmarks/camvid.py path/to/camvid --score val --classes all --rows ce --steps 400

(a) a random encoder, frozen; (b) the same network trained from scratch; (c) small_vgg, which has
seen drawings, frozen; (d) the same, frozen first, then fine-tuned end to end; (e) and (f) as (c)
and (d) with EfficientNet-Lite0, which has seen ImageNet's photographs. The seconds include
computing features, training the head and fine-tuning, but not reading the pictures. With --steps
each row gets the same number of steps instead.
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
FINE_TUNED = "df"
# the best for each row on held-out pictures
RATES = {"a": 3e-3, "b": 1e-3, "c": 3e-3, "d": 3e-3, "e": 3e-3, "f": 3e-3}
PACES = {}  # kind of training → (seconds to start, seconds per step)


def read(folder, score, classes):
    """The training data and the data to score on, both in memory."""
    train = fcn.datasets.camvid(folder, split="train")
    if score == "val":
        test = fcn.datasets.camvid(folder, split="val")
    else:  # neighbours in a film are nearly the same picture, so a whole stretch is held out
        first = len(train) - HELD_OUT
        train, test = train.subset(range(first)), train.subset(range(first, len(train)))
    if classes == "road":
        train, test = train.view({"road": ["road"]}), test.view({"road": ["road"]})
    return in_memory(train), in_memory(test)


def in_memory(data):
    """The same data set, read once and kept in memory."""
    pairs = [data[index] for index in range(len(data))]
    return fcn.datasets.SegmentationData(
        lambda index: pairs[index], len(data), data.class_names, data.palette, data.name
    )


def network(row, num_classes, seed, options):
    """FCN-8s with this row's encoder."""
    keras.utils.set_random_seed(seed)
    if row in "ef":
        encoder = fcn.backbones.efficientnet_lite0()
    else:
        encoder = fcn.backbones.small_vgg(None if row in "ab" else options.weights)
    return fcn.models.fcn(
        num_classes, 8, encoder, width=options.width or None, freeze_backbone=row != "b"
    )


def pace(row, model, train, features, options):
    """Seconds that training takes to start, and seconds per step: the fastest of three short runs.

    Each kind of training is measured once, so that every seed gets the same number of steps. The
    weights are restored afterwards.
    """
    if row not in PACES:
        before, taken = model.get_weights(), {25: [], 75: []}
        # the first run is slower and does not count
        fcn.training.fit(model, train, steps=25, features=features, **options)
        for steps in (25, 75) * 3:
            start = time.perf_counter()
            fcn.training.fit(model, train, steps=steps, features=features, **options)
            taken[steps].append(time.perf_counter() - start)
        model.set_weights(before)
        step = (min(taken[75]) - min(taken[25])) / 50
        PACES[row] = max(min(taken[25]) - 25 * step, 0), step
    return PACES[row]


def run(row, train, test, seconds, seed, options):
    """Trains one row for the given number of seconds, or of steps, and scores it."""
    model = network(row, train.num_classes, seed, options)
    rate = options.rate or RATES[row]
    chosen = dict(batch_size=BATCH_SIZE, learning_rate=rate, augment="flip", seed=seed)
    start = time.perf_counter()
    features = None if row == "b" else fcn.training.frozen_features(model, train, flip=True)
    taken = time.perf_counter() - start
    steps, more = options.steps, options.fine_tuning
    if seconds:
        steps, more = affordable(row, model, train, features, seconds - taken, chosen, options)
    then = {}
    if row in FINE_TUNED:
        then = dict(unfreeze="after", fine_tuning=more, fine_tuning_rate=options.fine_tuning_rate)
    start = time.perf_counter()
    fcn.training.fit(model, train, steps=steps, features=features, **then, **chosen)
    taken += time.perf_counter() - start
    scores = fcn.evaluation.evaluate(model, test)
    iou = dict(zip(scores.class_names, (round(float(value), 3) for value in scores.iou)))
    found = dict(row=row, seed=seed, rate=rate, seconds=round(taken, 1))
    found |= dict(steps=steps, fine_tuning=then.get("fine_tuning"), iou=iou)
    found |= dict(road_iou=iou["road"], mean_iou=round(scores.mean_iou, 4))
    return found | dict(pixel_accuracy=round(float(scores.pixel_accuracy), 4))


def affordable(row, model, train, features, seconds, chosen, options):
    """How many steps of the head, and of fine-tuning, the seconds are enough for."""
    first, step = pace(row, model, train, features, chosen)
    if row not in FINE_TUNED:
        return _round((seconds - first) / step), None
    trainable = [layer.trainable for layer in model.layers]
    for layer in model.layers:
        layer.trainable = True
    whole_first, whole_step = pace(f"{row}, everything", model, train, None, chosen)
    for layer, was in zip(model.layers, trainable):
        layer.trainable = was
    seconds -= first + whole_first
    head, whole = seconds * (1 - options.share), seconds * options.share
    return _round(head / step), _round(whole / whole_step)


def _round(steps):
    """A multiple of 25, or 1: `fit` splits it into equal rounds, of at least 25 steps if it can."""
    return max(int(steps) // 25 * 25, 1)


def main():
    """Prints a line of JSON for each run, and the medians of the seeds."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("folder", help="CamVid: train/, trainannot/, …")
    parser.add_argument("--score", choices=("held-out", "val"), default="held-out")
    parser.add_argument("--rows", default="abcdef")
    parser.add_argument("--seconds", type=float, nargs="+", default=[60, 120])
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--rate", type=float, help="learning rate for all rows")
    parser.add_argument("--steps", type=int, help="of the head, for every row, not --seconds")
    more = "steps of fine-tuning of (d) and (f), with --steps"
    parser.add_argument("--fine-tuning", type=int, default=600, help=more)
    share = "the fraction of the training time of (d) and (f) that is fine-tuning"
    parser.add_argument("--share", type=float, default=0.65, help=share)
    parser.add_argument("--fine-tuning-rate", type=float, default=fcn.training.FINE_TUNING_RATE)
    parser.add_argument("--classes", choices=("road", "all"), default="road")
    parser.add_argument("--width", type=int, default=WIDTH)
    parser.add_argument("--weights", default="pretrained", help="an .npz file, not the shipped one")
    options = parser.parse_args()
    train, test = read(options.folder, options.score, options.classes)
    for row in options.rows:
        for seconds in [None] if options.steps else options.seconds:
            runs = []
            for seed in options.seeds:
                runs.append(run(row, train, test, seconds, seed, options))
                print(json.dumps(runs[-1]), flush=True)
            shown = ("road_iou", "mean_iou", "pixel_accuracy", "seconds")
            medians = {key: statistics.median(one[key] for one in runs) for key in shown}
            means = {key: round(statistics.mean(one[key] for one in runs), 4) for key in shown}
            given = f"{options.steps} steps" if options.steps else f"{seconds:g} s"
            print(f"{row} {given}: median of {len(runs)} {medians}, mean {means}", flush=True)


if __name__ == "__main__":
    main()
