"""Figures of parts C and D: the autoencoder, and the FCN that it becomes (lecture: L10-L13)."""

import keras
import numpy as np

from fcn_keras import datasets, models, prediction, training, visualization
from fcn_keras.datasets import SegmentationData
from fcn_keras.lecture.experiment import Experiment
from fcn_keras.lecture.images import photograph
from fcn_keras.lecture.scenes import by_quality, labelled
from fcn_keras.support.images import resized
from fcn_keras.visualization.reconstruction import draw_autoencoder, draw_reconstruction

STEPS, BATCH_SIZE, LEARNING_RATE = 800, 4, 2e-3
PHOTOGRAPHS = ("astronaut", "cat")
PIECE = 80  # pixels a side: many small steps on pieces get further than few on whole pictures


def autoencoder(experiment: Experiment):
    """L10: the autoencoder as an hourglass, between a picture and its reconstruction."""
    model = trained_autoencoder(experiment)
    image = experiment.data.test[0][0]
    rows = models.describe(model, image.shape[:2])
    last = model.layers[-1].name
    given = prediction.feature_maps(model, image, [last])[last]
    return draw_autoencoder(rows, image, given)


def reconstruction(experiment: Experiment):
    """L11: a row of inputs, a row of reconstructions, and latent feature maps.

    The inputs are test scenes and photographs, which are of a kind that it never saw.
    """
    model = trained_autoencoder(experiment)
    data = experiment.data.test
    scenes = [data[index][0] for index in np.linspace(0, len(data) - 1, 2).astype(int)]
    images = [*scenes, *photographs_as_high_as(scenes[0].shape[0])]
    middle, last = latent_layer(model), model.layers[-1].name
    answers = [prediction.feature_maps(model, image, [middle, last]) for image in images]
    given, latent = [answer[last] for answer in answers], answers[0][middle]
    means = [mean_picture(experiment.data.train, image.shape) for image in images]
    decibels, baseline = (list(map(psnr, images, others)) for others in (given, means))
    return draw_reconstruction(images, given, latent, decibels, baseline, len(scenes))


def photographs_as_high_as(height: int) -> list[np.ndarray]:
    """Two photographs of scikit-image, or without it one of matplotlib, resized.

    Args:
        height: In pixels.

    Returns:
        uint8 `(height, W, 3)` each.
    """
    try:
        shown = [datasets.photographs(name)[0][0] for name in PHOTOGRAPHS]
    except ModuleNotFoundError:
        shown = [photograph()]
    return [
        resized(image, (height, round(height * image.shape[1] / image.shape[0]))) for image in shown
    ]


def trained_autoencoder(experiment: Experiment) -> keras.Model:
    """The autoencoder of L10 and L11, trained once on the experiment's pictures."""
    settings = experiment.settings

    def train():
        keras.utils.set_random_seed(settings.seed)
        model = models.cae()
        history = training.fit(
            model,
            pieces(experiment.data.train, PIECE).reconstruction(),
            steps=min(STEPS, 2 * settings.steps),
            batch_size=BATCH_SIZE,
            learning_rate=LEARNING_RATE,
            seed=settings.seed,
        )
        return model, history

    return experiment.train_once("cae", train)[0]


def pieces(data: SegmentationData, size: int) -> SegmentationData:
    """One square piece of each picture with its label map, at a random place.

    Args:
        data: Pictures.
        size: Height and width of a piece in pixels; smaller where the picture is smaller.
    """

    def read(index):
        image, mask = data[index]
        spare = np.maximum(np.array(image.shape[:2]) - size, 0)
        top, left = np.random.default_rng(index).integers(0, spare + 1)
        place = slice(top, top + size), slice(left, left + size)
        return image[place], None if mask is None else mask[place]

    return SegmentationData(read, len(data), data.class_names, data.palette, data.name)


def latent_layer(model: keras.Model) -> str:
    """Name of the last convolution on the way down."""
    return [layer.name for layer in model.layers if isinstance(layer, keras.layers.Conv2D)][-1]


def mean_picture(data, shape: tuple[int, ...], count: int = 150) -> np.ndarray:
    """The mean of the first pictures of a data set that have a shape: a guess without looking.

    Args:
        data: Pictures.
        shape: `(H, W, 3)`.
        count: How many pictures to look at.

    Returns:
        float64 `(H, W, 3)`, 0–255; mid-grey if no picture has that shape.
    """
    images = (data[index][0] for index in range(min(count, len(data))))
    pictures = [image for image in images if image.shape == shape]
    return np.mean(pictures, axis=0) if pictures else np.full(shape, 127.5)


def psnr(image, reconstruction) -> float:
    """Peak signal-to-noise ratio: 10·log10(255² / mean squared difference) (lecture: L11).

    Args:
        image: 0–255.
        reconstruction: The same shape. Values outside 0–255 are cut first.

    Returns:
        Decibels: 10 dB more mean a ten times smaller squared difference. Infinite if both are
        equal.
    """
    cut = np.clip(np.asarray(reconstruction, "float64"), 0, 255)
    error = np.mean((np.asarray(image, "float64") - cut) ** 2)
    return float(10 * np.log10(255**2 / error)) if error else float("inf")


def from_cae_to_fcn(experiment: Experiment):
    """L12: the autoencoder and the FCN that it becomes, with what changed marked."""
    data = experiment.road.test
    image, mask = labelled(data, 0)
    cae = models.cae()
    network = models.fcn_from_cae(cae, data.num_classes)
    first, second = (models.describe(model, experiment.image_size) for model in (cae, network))
    return visualization.draw_two_architectures(
        first,
        second,
        titles=("convolutional autoencoder", "fully convolutional network"),
        targets=(image, visualization.colourise(mask, data.palette)),
        target_titles=("target: the image", "target: the label map"),
        changed=changed_layers(first, second),
    )


def changed_layers(first, second) -> list[str]:
    """Names of the second network's layers whose parameters or output differ from the first's."""

    def traits(row):
        return row.kind, row.output_shape, row.parameters

    before = {row.name: traits(row) for row in first}
    return [row.name for row in second if before.get(row.name) != traits(row)]


def two_paths(experiment: Experiment):
    """L13: real feature maps on the way down and up again."""
    index = by_quality(experiment)[len(experiment.road.test) // 2]
    image, true = labelled(experiment.road.test, index)
    found = experiment.trained.labels[index]
    return draw_paths(experiment.trained.model, image, found, true, "road")


def draw_paths(model: keras.Model, image, found, true, class_name: str):
    """The maps of a network on the way down and up again, and its prediction of class 1.

    Args:
        model: FCN with two classes.
        image: uint8 `(H, W, 3)`.
        found: Predicted class numbers `(H, W)`.
        true: Class numbers `(H, W)`.
        class_name: The name of class 1.
    """
    names = {layer.name for layer in model.layers}
    down = [f"pool{number}" for number in range(1, 6)]
    # the last map of each size on the way up, under its name in either network
    choices = (
        ("fcn3", "score_fr"),
        ("fuse_pool4_conv", "fuse_pool4"),
        ("fuse_pool3_conv", "fuse_pool3"),
    )
    up = [next(name for name in pair if name in names) for pair in choices if names & set(pair)]
    maps = prediction.feature_maps(model, image, down + up)
    result = visualization.paint_mistakes(image, found == 1, true)
    on_the_way_down, on_the_way_up = ({name: maps[name] for name in way} for way in (down, up))
    return visualization.draw_two_paths(
        image, on_the_way_down, on_the_way_up, result, f"prediction: {class_name}", class_name
    )
