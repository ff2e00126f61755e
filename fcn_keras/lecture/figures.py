"""Every figure of the lecture by its identifier, each drawn from an `Experiment`."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from fcn_keras import visualization
from fcn_keras.lecture import (
    autoencoder,
    classifier,
    convolution,
    images,
    road,
    sizes,
    skips,
    upsampling,
)
from fcn_keras.lecture.experiment import Experiment
from fcn_keras.support.progress import progress


@dataclass(frozen=True)
class LectureFigure:
    """One figure of the lecture."""

    title: str
    sentence: str  # what it shows, for the index page
    draw: Callable  # Experiment → matplotlib figure


FIGURES = {
    "L01": LectureFigure(
        "An image is an array of numbers",
        "A grey photograph, enlarged until the value of each pixel can be read.",
        images.zoom,
    ),
    "L02": LectureFigure(
        "Filters made by hand",
        "A filter is a small table of weights, slid over the picture; its weights decide what it finds.",
        convolution.filters,
    ),
    "L02b": LectureFigure(
        "Filters that were learned",
        "What the first layer of a trained classifier finds in a picture, and where the classifier looks.",
        classifier.learned_filters,
    ),
    "L03": LectureFigure(
        "A classification network",
        "Convolution and pooling in turn, then dense layers, then class probabilities: one picture on its way through.",
        classifier.classifier,
    ),
    "L04": LectureFigure(
        "Four tasks",
        "Classification, detection, segmentation and captioning want different answers about the same picture.",
        images.tasks,
    ),
    "L05": LectureFigure(
        "One answer, or one for every pixel",
        "Classification predicts one class for the image; segmentation predicts a class for every pixel.",
        images.outputs,
    ),
    "L06": LectureFigure(
        "What and where",
        "The thing is moved: the classifier's label stays, the mask moves.",
        images.what_and_where,
    ),
    "L07": LectureFigure(
        "Semantic regions",
        "Segmentation gives every pixel a category; the colours are the categories.",
        images.regions,
    ),
    "L08": LectureFigure(
        "Convolution, step by step",
        "A window slides over the input; padding and stride decide which windows there are, and so the size of the output.",
        convolution.convolution_steps,
    ),
    "L09": LectureFigure(
        "Transposed convolution, step by step",
        "Each value of the input puts a stamp on the output: the kernel, multiplied by the value. Stamps add up.",
        convolution.transposed_steps,
    ),
    "L09b": LectureFigure(
        "One matrix, read two ways",
        "A convolution is a matrix. The transposed convolution multiplies by the same matrix, transposed.",
        convolution.matrices,
    ),
    "L09c": LectureFigure(
        "The transpose is not the inverse",
        "There and back again: the size comes back, the values do not.",
        convolution.there_and_back,
    ),
    "L10": LectureFigure(
        "The convolutional autoencoder",
        "Down by convolution, up by transposed convolution, no dense layer; its target is its own input.",
        autoencoder.autoencoder,
    ),
    "L11": LectureFigure(
        "Reconstruction",
        "What an autoencoder gives back for pictures never trained on, what it loses, and its latent feature maps.",
        autoencoder.reconstruction,
    ),
    "L12": LectureFigure(
        "From the autoencoder to the FCN",
        "The last layer gets one channel per class and the target becomes the label map; everything else stays.",
        autoencoder.from_cae_to_fcn,
    ),
    "L13": LectureFigure(
        "Two paths",
        "Going down, maps get smaller and say what is there; going up, they find out again where it is.",
        autoencoder.two_paths,
    ),
    "L14": LectureFigure(
        "A dense layer is a convolution",
        "Rewritten as a convolution a dense layer gives the same numbers, and on a larger picture a map of answers.",
        sizes.dense_as_convolution,
    ),
    "L15": LectureFigure(
        "Any size",
        "The same weights on pictures of many sizes, odd and prime ones too: the output is as large as the input.",
        sizes.any_size,
    ),
    "L16": LectureFigure(
        "Back to every pixel",
        "Three ways to bring a coarse map of scores back to the size of the picture, one score for each pixel.",
        upsampling.upsampling,
    ),
    "L17": LectureFigure(
        "Under one pixel",
        "At one position the channels of the output are the scores of the classes for that pixel.",
        sizes.scores_of_a_pixel,
    ),
    "L18": LectureFigure(
        "What a skip connection carries",
        "A skip goes past the deep layers; what it carries changes only next to where the picture was changed.",
        skips.skip_connection,
    ),
    "L19": LectureFigure(
        "Sum and concatenation",
        "Two ways to merge a coarse and a fine map, trained alike on the same pictures and compared.",
        skips.sum_and_concatenation,
    ),
    "L20": LectureFigure(
        "What skip connections recover",
        "Three networks trained for the same number of steps: each skip brings back detail along the edge.",
        skips.strides,
    ),
    "L21": LectureFigure(
        "The share of each level",
        "The logits are exactly the sum of what three levels add: the deepest says what, the two skips say where.",
        skips.shares,
    ),
    "L22": LectureFigure(
        "Labelled images",
        "What the network learns from: a picture, and for each class a map that is 1 on its pixels.",
        road.labelled_images,
    ),
    "L23": LectureFigure(
        "The network",
        "The encoder is fixed and the head is trained; drawn from the model itself, with the tensor size at every stage.",
        road.architecture,
    ),
    "L24": LectureFigure(
        "Training", "The loss of the head at every training step.", road.loss_curve
    ),
    "L25": LectureFigure(
        "Result",
        "Scenes that were never trained on: a good one, a typical one and a weak one.",
        road.results,
    ),
}


EXPERIMENT = (
    "L07",
    "L12",
    "L13",
    "L20",
    "L22",
    "L23",
    "L24",
    "L25",
)  # those that `python -m fcn_keras lecture` draws


def names_of(names) -> list[str]:
    """The figures meant by some names: `L09` means `L09`, `L09b` and `L09c`; no names mean all figures.

    Raises:
        ValueError: If an identifier is unknown.
    """
    unknown = [name for name in names if name not in FIGURES]
    if unknown:
        raise ValueError(
            f"Expected figures out of {', '.join(FIGURES)}. Received: {', '.join(unknown)}"
        )
    return [figure for figure in FIGURES if not names or figure in names or figure[:3] in names]


def draw_figures(experiment: Experiment, out: str | Path, names=()) -> list[Path]:
    """Draws figures into a folder as `L07.png`, ….

    Args:
        experiment: What to draw from.
        out: The folder; made when missing.
        names: Identifiers, as `names_of` takes them.

    Returns:
        The files.

    Raises:
        ValueError: If an identifier is unknown.
    """
    names = names_of(names)
    paths = []
    drawn = [
        (name, FIGURES[name].draw(experiment)) for name in names
    ]  # trains what is missing, with bars of its own
    with progress("drawing figures", len(names)) as advance:
        for name, figure in drawn:
            paths.append(Path(out) / f"{name}.png")
            visualization.save(figure, paths[-1])
            advance()
    return paths
