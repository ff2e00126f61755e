"""How wide must the head be? Road IoU and seconds for each width, on the default data.

The default width of 32 was chosen from these numbers.

    python benchmarks/head_width.py [--widths 4 8 16 32 64 128 512] [--seeds 0 1]
"""

import argparse
import statistics
import time

import keras

import fcn_keras as fcn
from fcn_keras.lecture.experiment import LEARNING_RATE, Settings

if __name__ == "__main__":
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--widths", type=int, nargs="+", default=[4, 8, 16, 32, 64, 128, 512])
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1])
    parser.add_argument("--steps", type=int, default=Settings.steps)
    options = parser.parse_args()
    recipe = dict(steps=options.steps, learning_rate=LEARNING_RATE)
    recipe |= dict(batch_size=Settings.batch_size, augment="flip")
    data = fcn.datasets.open_data("road_scenes")
    train, test = (part.view({"road": ["road"]}) for part in (data.train, data.test))
    features = fcn.training.frozen_features(
        fcn.models.lecture_fcn(2, fcn.backbones.small_vgg(), 1), train, flip=True
    )
    print("width  parameters trained  seconds of training  road IoU  error in the 4-pixel band")
    for width in options.widths:
        found = []
        for seed in options.seeds:
            keras.utils.set_random_seed(seed)
            model = fcn.models.lecture_fcn(2, fcn.backbones.small_vgg(), width, skip_width=width)
            start = time.perf_counter()
            fcn.training.fit(model, train, features=features, seed=seed, **recipe)
            seconds = time.perf_counter() - start
            band = fcn.evaluation.boundary_scores(model, test, widths=(4,))[4].pixel_error
            found.append((seconds, fcn.evaluation.evaluate(model, test).iou[1], band))
        seconds, iou, band = (statistics.mean(column) for column in zip(*found, strict=True))
        trained = sum(row.parameters for row in fcn.models.describe(model) if row.trained)
        print(
            f"{width:>5}  {trained:>18,}  {seconds:>19.0f}  {iou:>8.4f}  {100 * band:>24.1f} %",
            flush=True,
        )
