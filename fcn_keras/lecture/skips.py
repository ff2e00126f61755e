"""Figures of part E: what skip connections carry, how they merge, what they bring back (lecture: L18-L21)."""

import warnings

import keras
import numpy as np

from fcn_keras import evaluation, models, prediction, training, visualization
from fcn_keras.lecture.experiment import LEARNING_RATE, STRIDE_STEPS, Experiment
from fcn_keras.visualization.skips import draw_fusions, draw_shares, draw_skip_connection

LEVELS = ("score_fr", "score_pool4", "score_pool3")  # coarse to fine
PATCH = 8  # pixels a side: one position of pool3
BAND = 4


def skip_connection(experiment: Experiment):
    """L18: the skips go past the deep layers, and a change in the picture stays near its place in what they carry."""
    model = experiment.strides[8].model
    image, mask = experiment.road.test[typical(experiment)]
    patch = patch_on_the_edge(mask)
    rows = models.describe(model, image.shape[:2])
    return draw_skip_connection(rows, image, patch, changes_of(model, image, patch))


def sum_and_concatenation(experiment: Experiment):
    """L19: two networks that differ in how their skips merge, trained alike."""
    index = typical(experiment)
    image, mask = experiment.road.test[index]
    summed, stacked = experiment.strides[8].model, _concatenation(experiment)
    found = {"sum": summed, "concat": stacked}
    return draw_fusions(
        image,
        mask,
        {
            name: {**fusion_of(model, image), "note": note_of(model, experiment.road.test)}
            for name, model in found.items()
        },
        "road",
    )


def strides(experiment: Experiment):
    """L20: stride 32, 16, 8 side by side on a typical scene, and the error along the edge."""
    trained = experiment.strides
    image, mask = experiment.road.test[typical(experiment)]
    return visualization.draw_strides(
        image,
        mask,
        {stride: t.labels[typical(experiment)] for stride, t in trained.items()},
        {
            stride: {width: s.pixel_error for width, s in t.bands.items()}
            for stride, t in trained.items()
        },
        "road",
    )


def shares(experiment: Experiment):
    """L21: one prediction taken apart into the share of each level."""
    image, mask = experiment.road.test[typical(experiment)]
    found = shares_of(experiment.strides[8].model, image)
    return draw_shares(
        image, mask, {name: for_road(share) for name, share in found.items()}, "road"
    )


def typical(experiment: Experiment) -> int:
    """The test scene on which FCN-8s gains as much over FCN-32s as on half of them."""
    trained, data = experiment.strides, experiment.road.test

    def gain(index):
        true = data[index][1]
        return np.mean(trained[32].labels[index] != true) - np.mean(
            trained[8].labels[index] != true
        )

    return sorted(range(len(data)), key=gain)[len(data) // 2]


def for_road(logits) -> np.ndarray:
    """Score of class 1 minus score of class 0, `(…, 2)` → `(…)`: above zero means class 1."""
    return logits[..., 1] - logits[..., 0]


def patch_on_the_edge(labels) -> tuple[int, int, int]:
    """`(top, left, size)` of one position of pool3 on the edge of class 1, as near to the middle as there is one."""
    rows, columns = np.nonzero(evaluation.boundary_band(labels, 1))
    middle = np.array(labels.shape) / 2
    if not len(rows):
        rows, columns = middle.astype(int)[:, None]
    nearest = np.argmin((rows - middle[0]) ** 2 + (columns - middle[1]) ** 2)
    return int(rows[nearest]) // PATCH * PATCH, int(columns[nearest]) // PATCH * PATCH, PATCH


def changes_of(model: keras.Model, image, patch) -> dict[str, np.ndarray]:
    """How much the scores of each level change when a patch of the picture gets the opposite colours (lecture: L18).

    Args:
        model: An FCN with two classes from `models.fcn`.
        image: uint8 `(H, W, 3)`.
        patch: `(top, left, size)` in pixels.

    Returns:
        `{layer name: (h, w)}`, 0 or more, for the levels that the model has, coarsest first.
    """
    top, left, size = patch
    changed = image.copy()
    changed[top : top + size, left : left + size] = (
        255 - changed[top : top + size, left : left + size]
    )
    names = [name for name in LEVELS if any(layer.name == name for layer in model.layers)]
    before, after = (
        prediction.feature_maps(model, image, names),
        prediction.feature_maps(model, changed, names),
    )
    return {name: np.abs(for_road(after[name]) - for_road(before[name])) for name in names}


def shares_of(model: keras.Model, image) -> dict[str, np.ndarray]:
    """What each level adds to the logits of one picture (lecture: L21).

    Behind the score layers everything is linear and has no bias: upsampling, cropping, summing. So the logits
    are the sum of what each score map gives when it goes up alone, its bias with it.

    Args:
        model: FCN-8s from `models.fcn` with `fusion="sum"`.
        image: `(H, W, 3)`, 0–255.

    Returns:
        `{layer name: (H, W, C)}`, coarsest first; their sum is the logits.
    """
    coarse, middle, fine = (
        scores[None] for scores in prediction.feature_maps(model, image, LEVELS).values()
    )
    first, second, last = (
        model.get_layer(name) for name in ("upscore2", "upscore_pool4", "upscore8")
    )

    def up(layer, x, size):
        return layer(x)[:, : size[0], : size[1]]

    to_middle = up(first, coarse, middle.shape[1:3])
    to_fine = [up(second, x, fine.shape[1:3]) for x in (to_middle, middle)]
    parts = [up(last, x, image.shape[:2]) for x in (*to_fine, fine)]
    return {
        name: keras.ops.convert_to_numpy(part)[0] for name, part in zip(LEVELS, parts, strict=True)
    }


def fusion_of(model: keras.Model, image) -> dict[str, np.ndarray]:
    """What goes into the last merging of a two-class FCN-8s, what comes out, and the prediction (lecture: L19).

    Args:
        model: FCN-8s from `models.fcn`, either fusion.
        image: `(H, W, 3)`, 0–255.

    Returns:
        `coarse`, `fine`, `fused` `(h, w)`, class 1 minus class 0; `prediction`, class numbers `(H, W)`.
    """
    stacks = any(layer.name == "fuse_pool3_conv" for layer in model.layers)
    names = ("align_pool3", "score_pool3", "fuse_pool3_conv" if stacks else "fuse_pool3")
    *maps, logits = prediction.feature_maps(model, image, (*names, "logits")).values()
    named = {part: for_road(m) for part, m in zip(("coarse", "fine", "fused"), maps, strict=True)}
    return {**named, "prediction": logits.argmax(axis=-1).astype("uint8")}


def note_of(model: keras.Model, test) -> str:
    """Trained parameters, IoU and error along the edge, in two lines."""
    pairs = list(evaluation.label_pairs(model, test))
    iou = evaluation.score_pairs(pairs, test).iou[1]
    band = evaluation.score_bands(pairs, test, (BAND,))[BAND].pixel_error
    trained = sum(row.parameters for row in models.describe(model) if row.trained)
    scores = f"IoU {100 * iou:.1f} %, within {BAND} px of the edge {100 * band:.1f} % wrong"
    return f"{trained:,} trained parameters\nall test scenes: {scores}"


def _concatenation(experiment: Experiment) -> keras.Model:
    """FCN-8s with concatenation, trained as long and on the same batches as the sum of `experiment.strides`."""
    settings = experiment.settings

    def train():
        features = experiment.features
        keras.utils.set_random_seed(settings.seed)
        model = models.fcn(2, 8, experiment.encoder, "concat", width=settings.width)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", training.TrainingWarning)
            history = training.fit(
                model,
                experiment.road.train,
                steps=max(1, round(settings.steps * STRIDE_STEPS)),
                batch_size=settings.batch_size,
                learning_rate=LEARNING_RATE,
                augment="flip",
                seed=settings.seed,
                features=features,
            )
        return model, history

    return experiment.kept("fcn8s-concat", train)[0]
