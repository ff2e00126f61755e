"""Every figure of the lecture by its identifier, each drawn from an `Experiment`."""

import html
import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import keras
import numpy as np

from fcn_keras import files, models, visualization
from fcn_keras.experiment import Experiment
from fcn_keras.progress import progress


@dataclass(frozen=True)
class LectureFigure:
    """One figure of the lecture."""

    title: str
    sentence: str  # what it shows, for the index page
    draw: Callable  # Experiment → matplotlib figure


def regions(experiment: Experiment):
    """L07: a picture, its semantic regions coloured by category, and the legend."""
    data = experiment.data.test
    candidates = range(min(12, len(data)))
    richest = max(candidates, key=lambda index: len(np.unique(data[index][1])))
    return visualization.draw_regions(*data[richest], data.class_names, data.palette)


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
    probe = keras.Model(model.inputs, [model.get_layer(name).output for name in down + up])
    maps = dict(zip(down + up, (m[0] for m in probe.predict_on_batch(image[None].astype("float32"))), strict=True))
    result = visualization.overlay(image, experiment.trained.labels[index] == 1)
    return visualization.draw_two_paths(
        image, {n: maps[n] for n in down}, {n: maps[n] for n in up}, result, "prediction: road"
    )


def strides(experiment: Experiment):
    """L20: stride 32, 16, 8 side by side on a typical scene, and the error along the edge."""
    trained = experiment.strides
    data = experiment.road.test

    def gain(index):
        true = data[index][1]
        return np.mean(trained[32].labels[index] != true) - np.mean(trained[8].labels[index] != true)

    typical = sorted(range(len(data)), key=gain)[len(data) // 2]
    image, mask = data[typical]
    return visualization.draw_strides(
        image,
        mask,
        {stride: t.labels[typical] for stride, t in trained.items()},
        {stride: {width: s.pixel_error for width, s in t.bands.items()} for stride, t in trained.items()},
        "road",
    )


def labelled_images(experiment: Experiment):
    """L22: inputs, and each channel of their one-hot labels."""
    data = experiment.road.train
    pairs = [data[index] for index in np.linspace(0, len(data) - 1, 3).astype(int)]
    return visualization.draw_one_hot([i for i, _ in pairs], [m for _, m in pairs], data.class_names)


def architecture(experiment: Experiment):
    """L23: the network with its tensor sizes, what is fixed and what is trained."""
    rows = models.describe(experiment.network(), experiment.image_size)
    encoder = {"small_vgg": "small VGG", "vgg16": "VGG16"}[experiment.settings.backbone]
    return visualization.draw_architecture(rows, f"FCN: {encoder} encoder fixed, head trained", f"{encoder} encoder")


def loss_curve(experiment: Experiment):
    """L24: the head's loss, step by step."""
    return visualization.draw_loss(experiment.trained.history.loss)


def results(experiment: Experiment):
    """L25: input, segmentation, overlay for a good, a typical and a weak test scene."""
    data = experiment.road.test
    order = by_quality(experiment)
    chosen = [order[int(share * (len(order) - 1))] for share in (0.9, 0.5, 0.1)]
    return visualization.draw_results(
        [data[index][0] for index in chosen],
        [experiment.trained.labels[index] == 1 for index in chosen],
        "road",
        [iou_of(experiment, index) for index in chosen],
    )


def by_quality(experiment: Experiment) -> list[int]:
    """Indices of the test scenes, worst road IoU first."""
    return sorted(range(len(experiment.road.test)), key=lambda index: iou_of(experiment, index))


def iou_of(experiment: Experiment, index: int) -> float:
    """Road IoU of one test scene; 1 if there is no road and none was found."""
    true, found = experiment.road.test[index][1], experiment.trained.labels[index]
    scored = true != 255
    union = ((true == 1) | (found == 1)) & scored
    return float(((true == 1) & (found == 1) & scored).sum() / union.sum()) if union.any() else 1.0


FIGURES = {
    "L07": LectureFigure(
        "Semantic regions",
        "Segmentation gives every pixel a category; the colours are the categories.",
        regions,
    ),
    "L12": LectureFigure(
        "From the autoencoder to the FCN",
        "The last layer gets one channel per class and the target becomes the label map; everything else stays.",
        from_cae_to_fcn,
    ),
    "L13": LectureFigure(
        "Two paths",
        "Going down, maps get smaller and say what is there; going up, they find out again where it is.",
        two_paths,
    ),
    "L20": LectureFigure(
        "What skip connections recover",
        "Three networks trained for the same number of steps: each skip brings back detail along the edge.",
        strides,
    ),
    "L22": LectureFigure(
        "Labelled images",
        "What the network learns from: a picture, and for each class a map that is 1 on its pixels.",
        labelled_images,
    ),
    "L23": LectureFigure(
        "The network",
        "The encoder is fixed and the head is trained; drawn from the model itself, with the tensor size at every stage.",
        architecture,
    ),
    "L24": LectureFigure(
        "Training",
        "The loss of the head at every training step.",
        loss_curve,
    ),
    "L25": LectureFigure(
        "Result",
        "Scenes that were never trained on: a good one, a typical one and a weak one.",
        results,
    ),
}


def check_names(names) -> None:
    """Raises ValueError for an identifier that is not in `FIGURES`."""
    unknown = [name for name in names if name not in FIGURES]
    if unknown:
        raise ValueError(f"Expected figures out of {', '.join(FIGURES)}. Received: {', '.join(unknown)}")


def draw_figures(experiment: Experiment, out: str | Path, names=()) -> list[Path]:
    """Draws figures into a folder as `L07.png`, ….

    Args:
        experiment: What to draw from.
        out: The folder; made when missing.
        names: Identifiers, or none for all.

    Returns:
        The files.

    Raises:
        ValueError: If an identifier is unknown.
    """
    check_names(names)
    names = list(names) or list(FIGURES)
    paths = []
    drawn = [(name, FIGURES[name].draw(experiment)) for name in names]  # trains what is missing, with bars of its own
    with progress("drawing figures", len(names)) as advance:
        for name, figure in drawn:
            paths.append(Path(out) / f"{name}.png")
            visualization.save(figure, paths[-1])
            advance()
    return paths


def write_report(experiment: Experiment, out: str | Path) -> Path:
    """Writes `scores.json`, `model.keras` and `index.html` beside the figures.

    Returns:
        The path of `index.html`.
    """
    out = Path(out)
    report = experiment.report()
    with files.written_whole(out / "scores.json") as temporary:
        temporary.write_text(json.dumps(report, indent=2) + "\n", encoding="utf-8")
    with files.written_whole(out / "model.keras") as temporary:
        experiment.trained.model.save(temporary)
    with files.written_whole(out / "index.html") as temporary:
        temporary.write_text(index_page(report), encoding="utf-8")
    return out / "index.html"


def index_page(report: dict) -> str:
    """The figures in the lecture's order with a sentence each: plain HTML that opens from disk."""
    figures = "\n".join(
        f'<figure id="{name}"><h2><span>{name}</span> {html.escape(figure.title)}</h2>'
        f'<img src="{name}.png" alt="{html.escape(figure.title)}: {html.escape(figure.sentence)}">'
        f"<figcaption>{html.escape(figure.sentence)}</figcaption></figure>"
        for name, figure in FIGURES.items()
    )
    warning = "".join(f'<p class="warning">{html.escape(text)}</p>' for text in report["warnings"])
    return PAGE.format(figures=figures, scores=_score_table(report), warning=warning)


def _score_table(report) -> str:
    test = report["test"]
    percent = lambda value: "–" if value is None else f"{100 * value:.1f} %"  # noqa: E731
    rows = [
        ("road IoU", percent(test["iou"]["road"])),
        ("mean IoU", percent(test["mean_iou"])),
        ("pixel accuracy", percent(test["pixel_accuracy"])),
        ("mean accuracy", percent(test["mean_accuracy"])),
        ("frequency weighted IoU", percent(test["frequency_weighted_iou"])),
        ("wrong pixels within 4 px of the road's edge", percent(report["boundary_band_error"]["4"])),
        ("trained on / tested on", f"{report['images']['trained on']} / {report['images']['tested on']} images"),
        ("parameters: all / trained", f"{report['parameters']['all']:,} / {report['parameters']['trained']:,}"),
    ]
    cells = "".join(f"<tr><td>{html.escape(name)}</td><td>{html.escape(value)}</td></tr>" for name, value in rows)
    return f"<table>{cells}</table>"


PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>Fully Convolutional Network: the lecture's experiment</title>
<style>
body {{ font: 18px/1.5 system-ui, sans-serif; color: #1d2330; max-width: 1200px; margin: 2em auto; padding: 0 1em; }}
h1 {{ line-height: 1.2; }} h2 {{ font-size: 1.25em; margin: 0 0 .4em; }} h2 span {{ color: #6b7385; font-weight: normal; }}
figure {{ margin: 3em 0; }} img {{ width: 100%; height: auto; }} figcaption {{ color: #3d4558; }}
table {{ border-collapse: collapse; }} td {{ padding: .2em 1.2em .2em 0; border-bottom: 1px solid #dde1ea; }}
td + td {{ text-align: right; font-variant-numeric: tabular-nums; font-weight: 600; }}
.warning {{ background: #fff3f5; border-left: 6px solid #c2255c; padding: .6em 1em; }}
</style></head><body>
<h1>Fully Convolutional Network: the lecture's experiment</h1>
<p>After the lecture by Prof. Seungchul Lee, Industrial AI Lab. Identifiers are those of the lecture's claims;
all numbers are of scenes that were never trained on, and stand in <a href="scores.json">scores.json</a>.</p>
{warning}{scores}
{figures}
</body></html>
"""
