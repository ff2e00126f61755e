"""Figures of parts C and D: the autoencoder, and the FCN that it becomes (lecture: L10-L13)."""

from fcn_keras import models, prediction, visualization
from fcn_keras.experiment import Experiment
from fcn_keras.lecture.scenes import by_quality


def from_cae_to_fcn(experiment: Experiment):
    """L12: the autoencoder and the FCN that it becomes, with what changed marked."""
    data = experiment.road.test
    image, mask = data[0]
    autoencoder = models.cae()
    network = models.fcn_from_cae(autoencoder, data.num_classes)
    first, second = (models.describe(model, experiment.image_size) for model in (autoencoder, network))
    return visualization.draw_two_architectures(
        first,
        second,
        ("convolutional autoencoder", "fully convolutional network"),
        (image, visualization.colourise(mask, data.palette)),
        ("target: the image", "target: the label map"),
        changed_layers(first, second),
    )


def changed_layers(first, second) -> list[str]:
    """Names of the layers of the second network whose parameters or output differ from the first's."""
    before = {row.name: (row.kind, row.output_shape, row.parameters) for row in first}
    return [row.name for row in second if before.get(row.name) != (row.kind, row.output_shape, row.parameters)]


def two_paths(experiment: Experiment):
    """L13: real feature maps down and up again."""
    model = experiment.trained.model
    names = {layer.name for layer in model.layers}
    down = [f"pool{number}" for number in range(1, 6)]
    # the last map of each size on the way up, under its name in either network
    up = [("fcn3", "score_fr"), ("fuse_pool4_conv", "fuse_pool4"), ("fuse_pool3_conv", "fuse_pool3")]
    up = [next(name for name in choices if name in names) for choices in up if names & set(choices)]
    index = by_quality(experiment)[len(experiment.road.test) // 2]
    image = experiment.road.test[index][0]
    maps = prediction.feature_maps(model, image, down + up)
    result = visualization.overlay(image, experiment.trained.labels[index] == 1)
    return visualization.draw_two_paths(image, {n: maps[n] for n in down}, {n: maps[n] for n in up}, result, "prediction: road")
