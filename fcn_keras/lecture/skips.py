"""Figures of part E: skip connections (lecture: L18-L21)."""

import keras
import numpy as np

from fcn_keras import evaluation, models, prediction, visualization
from fcn_keras.lecture.experiment import Experiment
from fcn_keras.lecture.scenes import labelled
from fcn_keras.support.kinds import Drawable, Labels, Model, checked
from fcn_keras.visualization.skips import draw_fusions, draw_shares, draw_skip_connection

LEVELS = ("score_fr", "score_pool4", "score_pool3")  # coarse to fine
PATCH = 8  # pixels a side: one position of pool3
BAND = 4


def skip_connection(experiment: Experiment):
    """L18: the skips bypass the deep layers; in what they carry, a change stays near its place."""
    model = experiment.strides[8].model
    image, mask = labelled(experiment.road.test, typical(experiment))
    patch = patch_on_the_edge(mask)
    rows = models.describe(model, image.shape[:2])
    return draw_skip_connection(rows, image, patch, changes_of(model, image, patch))


def sum_and_concatenation(experiment: Experiment):
    """L19: two networks that differ in how their skips merge, trained alike."""
    test = experiment.road.test
    image, mask = labelled(test, typical(experiment))
    networks = {"sum": experiment.strides[8].model, "concat": _concatenation(experiment)}
    fusions = {
        name: {**fusion_of(model, image), "note": note_of(model, test)}
        for name, model in networks.items()
    }
    return draw_fusions(image, mask, fusions, "road")


def _concatenation(experiment: Experiment) -> keras.Model:
    """FCN-8s with concatenation, trained as long and on the same batches as that with the sum."""
    name = "fcn8s-concat"

    def train():
        return experiment.train_head(
            name, lambda: experiment.fcn(8, "concat"), experiment.few_steps
        )

    return experiment.train_once(name, train)[0]


def strides(experiment: Experiment):
    """L20: stride 32, 16, 8 side by side on a typical scene, and the error along the edge."""
    index = typical(experiment)
    runs = experiment.strides
    labels = {stride: run.labels[index] for stride, run in runs.items()}
    errors = {
        stride: {width: scores.pixel_error for width, scores in run.bands.items()}
        for stride, run in runs.items()
    }
    image, mask = labelled(experiment.road.test, index)
    return visualization.draw_strides(image, mask, labels, errors, "road")


def shares(experiment: Experiment):
    """L21: one prediction taken apart into the share of each level."""
    image, mask = labelled(experiment.road.test, typical(experiment))
    found = shares_of(experiment.strides[8].model, image)
    roads = {name: for_road(share) for name, share in found.items()}
    return draw_shares(image, mask, roads, "road")


def typical(experiment: Experiment) -> int:
    """The test scene with the median gain of FCN-8s over FCN-32s."""
    runs, data = experiment.strides, experiment.road.test

    def gain(index):
        _, true = labelled(data, index)
        coarse, fine = (np.mean(runs[stride].labels[index] != true) for stride in (32, 8))
        return coarse - fine

    return sorted(range(len(data)), key=gain)[len(data) // 2]


def for_road(logits) -> np.ndarray:
    """Score of class 1 minus score of class 0, `(…, 2)` → `(…)`: above zero means class 1."""
    return logits[..., 1] - logits[..., 0]


@checked
def patch_on_the_edge(labels: Labels) -> tuple[int, int, int]:
    """The position of pool3 on the edge of class 1 that is nearest to the middle.

    Args:
        labels: Class numbers `(H, W)`.

    Returns:
        `(top, left, size)` of its square, in pixels.
    """
    rows, columns = np.nonzero(evaluation.boundary_band(labels, 1))
    middle = np.array(labels.shape) / 2
    if not len(rows):
        rows, columns = middle.astype(int)[:, None]
    nearest = np.argmin((rows - middle[0]) ** 2 + (columns - middle[1]) ** 2)
    return int(rows[nearest]) // PATCH * PATCH, int(columns[nearest]) // PATCH * PATCH, PATCH


@checked
def changes_of(model: Model, image: Drawable, patch) -> dict[str, np.ndarray]:
    """How much the scores of each level change with a patch of the picture (lecture: L18).

    Args:
        model: An FCN with two classes from `models.fcn`.
        image: uint8 `(H, W, 3)`.
        patch: `(top, left, size)` in pixels of the square that gets the opposite colours.

    Returns:
        `{layer name: (h, w)}`, 0 or more, for the levels that the model has, coarsest first.
    """
    top, left, size = patch
    square = np.s_[top : top + size, left : left + size]
    changed = image.copy()
    changed[square] = 255 - changed[square]
    names = [name for name in LEVELS if any(layer.name == name for layer in model.layers)]
    before = prediction.feature_maps(model, image, names)
    after = prediction.feature_maps(model, changed, names)
    return {name: np.abs(for_road(after[name]) - for_road(before[name])) for name in names}


@checked
def shares_of(model: Model, image: Drawable) -> dict[str, np.ndarray]:
    """What each level adds to the logits of one picture (lecture: L21).

    After the score layers everything is linear and has no bias: upsampling, cropping, summing. So
    the logits are the sum of what each score map, with its bias, gives when it goes up alone.

    Args:
        model: FCN-8s from `models.fcn` with `fusion="sum"`.
        image: `(H, W, 3)`, 0–255.

    Returns:
        `{layer name: (H, W, C)}`, coarsest first; their sum is the logits.
    """
    maps = prediction.feature_maps(model, image, LEVELS)
    coarse, middle, fine = (scores[None] for scores in maps.values())
    upscores = ("upscore2", "upscore_pool4", "upscore8")
    first, second, last = (model.get_layer(name) for name in upscores)

    def up(layer, x, size):
        return layer(x)[:, : size[0], : size[1]]

    to_middle = up(first, coarse, middle.shape[1:3])
    to_fine = [up(second, x, fine.shape[1:3]) for x in (to_middle, middle)]
    parts = [up(last, x, image.shape[:2]) for x in (*to_fine, fine)]
    arrays = [np.asarray(keras.ops.convert_to_numpy(part))[0] for part in parts]
    return {name: array for name, array in zip(LEVELS, arrays, strict=True)}


@checked
def fusion_of(model: Model, image: Drawable) -> dict[str, np.ndarray]:
    """Inputs and output of the last merging of an FCN-8s, and its prediction (lecture: L19).

    Args:
        model: FCN-8s with two classes from `models.fcn`, either fusion.
        image: `(H, W, 3)`, 0–255.

    Returns:
        `coarse`, `fine`, `fused` `(h, w)`, class 1 minus class 0; `prediction`, class numbers
        `(H, W)`.
    """
    stacks = any(layer.name == "fuse_pool3_conv" for layer in model.layers)
    names = ("align_pool3", "score_pool3", "fuse_pool3_conv" if stacks else "fuse_pool3")
    *maps, logits = prediction.feature_maps(model, image, (*names, "logits")).values()
    coarse, fine, fused = map(for_road, maps)
    found = logits.argmax(axis=-1).astype("uint8")
    return {"coarse": coarse, "fine": fine, "fused": fused, "prediction": found}


def note_of(model: keras.Model, test) -> str:
    """Trained parameters, IoU and error along the edge, in two lines."""
    pairs = list(evaluation.label_pairs(model, test))
    iou = evaluation.score_pairs(pairs, test).iou[1]
    band = evaluation.score_bands(pairs, test, (BAND,))[BAND].pixel_error
    trained = sum(row.parameters for row in models.describe(model) if row.trained)
    scores = f"IoU {100 * iou:.1f} %, within {BAND} px of the edge {100 * band:.1f} % wrong"
    return f"{trained:,} trained parameters\nall test scenes: {scores}"
