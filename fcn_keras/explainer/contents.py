"""What a page carries: pictures, classes, networks.

Two pages are made from it: that of the lecture's experiment, and that of a model of one's own.
"""

import dataclasses
from dataclasses import dataclass, field
from typing import Any

import keras

from fcn_keras import datasets, models
from fcn_keras.datasets.base import default_palette
from fcn_keras.explainer.chapters import CHAPTERS
from fcn_keras.explainer.flat import Graph
from fcn_keras.lecture import autoencoder, photographs, scenes
from fcn_keras.lecture.experiment import Experiment
from fcn_keras.support.images import data_url, nearest, resized

PAINT_CLASSES = 6  # a visitor paints with two to six colours
PAINT_WIDTH = photographs.WIDTH
# Stored bits of the significand of trained kernels, so that everything fits into 15 MB: comparing
# strides and looking back at a training takes less precision than labelling.
STRIDE_BITS, CHECKPOINT_BITS = 5, 3
GREEN = (0, 255, 0)  # the lecture's colour for what was found
DRAWN = "drawn by fcn_keras"
LONGEST = 640  # pixels: larger pictures are made smaller, as the page does with a visitor's own


@dataclass
class Contents:
    """Everything that the page is made of besides its scripts."""

    title: str = "FCN Explainer"
    classes: list[dict] = field(default_factory=list)  # name, and colour or None
    pictures: list[dict] = field(default_factory=list)
    networks: dict[str, Any] = field(default_factory=dict)  # what chapters call them
    layers: list[dict] = field(default_factory=list)  # of the network of the result
    loss: list[float] = field(default_factory=list)  # of its training, for each step
    encoder: str = ""  # of the head that a visitor trains
    size: tuple[int, int] | None = None  # to which pictures are resized for it
    graph: Graph | None = None
    only: str | None = None  # the one chapter to show

    def chapters(self) -> list[str]:
        """The chapters for which everything is there."""
        return [
            chapter.id
            for chapter in CHAPTERS
            if (not chapter.needs or self.networks.get(chapter.needs))
            and self.only in (None, chapter.id)
        ]

    def left_out(self) -> str:
        """A line about the chapters for which something is missing; empty if none is."""
        without = [chapter.title for chapter in CHAPTERS if chapter.id not in self.chapters()]
        if not without:
            return ""
        return (
            f"without {', '.join(without)}: the networks for it are not there. The page that "
            "make lecture writes has all chapters"
        )

    def as_dict(self) -> dict:
        """For JSON."""
        entries = {
            entry.name: getattr(self, entry.name)
            for entry in dataclasses.fields(self)
            if entry.name not in ("graph", "only")
        }
        graph = self.graph.as_dict() if self.graph else None
        return {**entries, "chapters": self.chapters(), "graph": graph}


def of_lecture(experiment: Experiment) -> Contents:
    """The page of the lecture's experiment: its networks, its scenes.

    What is missing is trained.
    """
    graph = Graph()
    model = experiment.trained.model
    graph.add("result", model)
    for stride, run in experiment.strides.items():
        graph.add(f"fcn{stride}s", run.model, bits=STRIDE_BITS)
    graph.add("cae", autoencoder.trained_autoencoder(experiment))
    encoder = _add_to_paint_with(graph, experiment.encoder)
    checkpoints = []
    for step, network in experiment.snapshots.items():
        graph.add(f"step{step}", network, bits=CHECKPOINT_BITS)
        checkpoints.append({"step": step, "model": f"step{step}"})
    if checkpoints:
        checkpoints.append({"step": len(experiment.trained.history.loss), "model": "result"})
    road = experiment.road.test
    return Contents(
        title="Fully Convolutional Network (FCN)",
        classes=_classes(road.class_names, road.palette),
        pictures=[*_scenes(experiment), *_photographs()],
        networks={
            "result": "result",
            "strides": {str(stride): f"fcn{stride}s" for stride in experiment.strides},
            "cae": "cae",
            "paint": "paint",
            "checkpoints": checkpoints,
        },
        layers=_layers(model, experiment.image_size),
        size=models.card(model).size,
        encoder=encoder,
        loss=[round(float(loss), 5) for loss in experiment.trained.history.loss],
        graph=graph,
    )


def of_model(model: keras.Model, name: str) -> Contents:
    """The page of a model of one's own: its classes, its colours.

    Chapters are left out whose networks it does not have. It brings no pictures along, so that the
    photographs and drawn scenes of the package are there to begin with.

    Args:
        model: Any segmentation model whose operations the page knows.
        name: What the page's title calls it.

    Raises:
        NotInThePage: If the page does not know one of its operations.
        ValueError: If it does not take RGB pictures of any size.
    """
    shape = model.input_shape
    if len(model.inputs) != 1 or tuple(shape[1:]) != (None, None, 3):
        raise ValueError(
            "Expected a model that takes RGB pictures of any size, (None, None, None, 3). "
            f"Received: {name}, which takes {shape}"
        )
    card = models.card(model)
    if card.bands:
        raise ValueError(
            f"Expected a model of ordinary pictures. Received: {name}, which was trained on the "
            f"bands {', '.join(map(str, card.bands))} of its files"
        )
    graph = Graph()
    graph.add("result", model)
    layers = {layer.name for layer in model.layers}
    networks: dict[str, Any] = {"result": "result"}
    encoder = ""
    if {"score_fr", "score_pool4", "score_pool3", "fuse_pool3"} <= layers:
        networks["strides"] = {"8": "result"}
    if {"pool3", "pool4", "pool5"} <= layers:
        encoder = _add_to_paint_with(graph, model)
        networks["paint"] = "paint"
    count = model.output_shape[-1]
    names = card.class_names or tuple(f"class {number}" for number in range(count))
    palette = card.palette or default_palette(count)
    return Contents(
        title=name,
        classes=_classes(names, palette),
        pictures=[*_photographs(), *_drawn_scenes()],
        networks=networks,
        layers=_layers(model, card.size or (160, 576)),
        size=card.size,
        encoder=encoder,
        graph=graph,
    )


def without_network() -> Contents:
    """For chapters that stand alone: a small picture to look into."""
    return Contents(pictures=_photographs(longest=160)[1:2] or _drawn_scenes(1))


def _add_to_paint_with(graph: Graph, encoder: keras.Model) -> str:
    """Adds the network whose head a visitor trains, FCN-8s; returns the name of its encoder."""
    model = models.fcn(PAINT_CLASSES, 8, encoder, width=PAINT_WIDTH)
    graph.add("paint", model, fresh=True)
    return models.card(model).encoder


def _layers(model, size) -> list[dict]:
    """The rows of `models.describe`, for JSON."""
    return [dataclasses.asdict(row) for row in models.describe(model, size)]


# --- pictures


def _scenes(experiment: Experiment) -> list[dict]:
    """A typical, the best, the weakest and a fair scene of the test part, with labels."""
    order = scenes.by_quality(experiment)
    chosen = dict.fromkeys(order[place] for place in (len(order) // 2, -1, 0, len(order) // 4))
    test = experiment.road.test
    drawn = experiment.settings.data == "road_scenes"
    return [
        {
            "id": f"scene-{index}",
            "title": f"{'drawn scene' if drawn else 'picture'} {index}",
            "kind": "scene",
            "source": DRAWN if drawn else test.name,
            **_pixels(*scenes.labelled(test, index), test.class_names),
        }
        for index in chosen
    ]


def _drawn_scenes(count: int = 2) -> list[dict]:
    """The first drawn scenes of the test part, without labels: another model has other classes."""
    drawn = datasets.road_scenes(split="test")
    return [
        {
            "id": f"scene-{index}",
            "title": f"drawn scene {index}",
            "kind": "scene",
            "source": DRAWN,
            **_pixels(drawn[index][0]),
        }
        for index in range(count)
    ]


def _photographs(longest: int = LONGEST) -> list[dict]:
    """scikit-image's photographs with their outlines, where it is installed."""
    if "scikit-image" in photographs.missing():
        return []
    found = []
    for name, about in datasets.PHOTOGRAPHS.items():
        data = photographs.labelled_photograph(name)
        entry = {"id": name, "title": name, "kind": "photograph", "source": about.source}
        found.append({**entry, **_pixels(*data[0], data.class_names, longest)})
    return found


def _pixels(image, labels=None, class_names=(), longest=LONGEST) -> dict:
    """A picture and its label map as the page reads them, no side longer than `longest`."""
    scale = min(1, longest / max(image.shape[:2]))
    if scale < 1:
        size = (round(image.shape[0] * scale), round(image.shape[1] * scale))
        image = resized(image, size)
        labels = None if labels is None else nearest(labels, size)
    return {
        "src": data_url(image, ".jpg"),
        "labels": None if labels is None else data_url(labels.astype("uint8"), ".png"),
        "classes": list(class_names),
    }


def _classes(names, palette) -> list[dict]:
    """Names and colours to paint over a picture.

    The background has none, so that the picture shows. A single thing is green, as in the lecture.
    """
    colours = [GREEN, GREEN] if len(names) == 2 else [tuple(map(int, colour)) for colour in palette]
    bare = len(names) == 2 or names[0] == "background"
    return [
        {"name": name, "colour": None if bare and number == 0 else colours[number]}
        for number, name in enumerate(names)
    ]
