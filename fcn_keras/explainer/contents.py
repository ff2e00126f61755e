"""What a page carries: pictures, classes, networks.

Two pages are made from it: that of the lecture's experiment, and that of a model of one's own.
"""

import base64
import dataclasses
import io
from dataclasses import dataclass, field
from typing import Any

import keras
import numpy as np
from PIL import Image

from fcn_keras import datasets, models, visualization
from fcn_keras.explainer.chapters import CHAPTERS
from fcn_keras.explainer.flat import Graph
from fcn_keras.lecture import autoencoder, photographs, scenes
from fcn_keras.lecture.experiment import Experiment
from fcn_keras.support.images import resized

PAINT_CLASSES = 6  # a visitor paints with two to six colours
PAINT_WIDTH = photographs.WIDTH
# Stored bits of the significand of trained kernels, so that everything fits into 15 MB: comparing
# strides and looking back at a training takes less precision than labelling.
STRIDE_BITS, CHECKPOINT_BITS = 6, 3
GREEN = (0, 255, 0)  # the lecture's colour for what was found
LONGEST = 512  # pixels of a photograph
JPEG_QUALITY = 90


@dataclass
class Contents:
    """Everything that the page is made of besides its scripts."""

    title: str = "FCN Explainer"
    classes: list[dict] = field(default_factory=list)  # name, and colour or None
    pictures: list[dict] = field(default_factory=list)
    networks: dict[str, Any] = field(default_factory=dict)  # what chapters call them
    layers: list[dict] = field(default_factory=list)  # of the network of the result
    loss: list[float] = field(default_factory=list)  # of its training, for each step
    size: tuple[int, int] | None = None  # to which pictures are resized for it
    graph: Graph | None = None

    def chapters(self) -> list[str]:
        """The chapters for which everything is there."""
        return [
            chapter.id
            for chapter in CHAPTERS
            if not chapter.needs or self.networks.get(chapter.needs)
        ]

    def as_dict(self) -> dict:
        """For JSON."""
        entries = {
            entry.name: getattr(self, entry.name)
            for entry in dataclasses.fields(self)
            if entry.name != "graph"
        }
        graph = self.graph.as_dict() if self.graph else None
        return {**entries, "chapters": self.chapters(), "graph": graph}


def of_lecture(experiment: Experiment) -> Contents:
    """The page of the lecture's experiment: its networks, its scenes.

    What is missing is trained.
    """
    graph = Graph()
    model = experiment.trained.model
    graph.add("lecture", model)
    for stride, run in experiment.strides.items():
        graph.add(f"fcn{stride}s", run.model, bits=STRIDE_BITS)
    graph.add("cae", autoencoder.trained_autoencoder(experiment))
    graph.add("paint", _to_paint_with(experiment.encoder), fresh=True)
    checkpoints = []
    for step, network in experiment.snapshots.items():
        graph.add(f"step{step}", network, bits=CHECKPOINT_BITS)
        checkpoints.append({"step": step, "model": f"step{step}"})
    if checkpoints:
        checkpoints.append({"step": len(experiment.trained.history.loss), "model": "lecture"})
    road = experiment.road.test
    return Contents(
        title="Fully convolutional networks",
        classes=_classes(road.class_names, (road.palette[0], GREEN)),
        pictures=[*_scenes(experiment), *_photographs()],
        networks={
            "result": "lecture",
            "strides": {str(stride): f"fcn{stride}s" for stride in experiment.strides},
            "cae": "cae",
            "paint": "paint",
            "checkpoints": checkpoints,
        },
        layers=_layers(model, experiment.image_size),
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
    graph.add("own", model)
    layers = {layer.name for layer in model.layers}
    networks: dict[str, Any] = {"result": "own"}
    if {"score_fr", "score_pool4", "score_pool3", "fuse_pool3"} <= layers:
        networks["strides"] = {"8": "own"}
    if {"pool3", "pool4", "pool5"} <= layers:
        graph.add("paint", _to_paint_with(model), fresh=True)
        networks["paint"] = "paint"
    count = model.output_shape[-1]
    names = card.class_names or tuple(f"class {number}" for number in range(count))
    palette = card.palette or tuple(map(tuple, visualization.palette(count)))
    return Contents(
        title=name,
        classes=_classes(names, palette),
        pictures=[*_photographs(), *_drawn_scenes()],
        networks=networks,
        layers=_layers(model, card.size or (160, 576)),
        size=card.size,
        graph=graph,
    )


def without_network() -> Contents:
    """For chapters that stand alone: a small picture to look into."""
    return Contents(pictures=[_photographs(longest=128)[0]] if _photographs() else _drawn_scenes(1))


def _to_paint_with(encoder: keras.Model) -> keras.Model:
    """The network whose head a visitor trains: FCN-8s."""
    return models.fcn(PAINT_CLASSES, 8, encoder, width=PAINT_WIDTH)


def _layers(model, size) -> list[dict]:
    """The rows of `models.describe`, for JSON."""
    return [dataclasses.asdict(row) for row in models.describe(model, size)]


# --- pictures


def _scenes(experiment: Experiment) -> list[dict]:
    """A typical, a good and a weak scene of the test part, with labels."""
    order = scenes.by_quality(experiment)
    chosen = dict.fromkeys(order[place] for place in (len(order) // 2, -1, 0, len(order) // 4))
    test = experiment.road.test
    names = list(test.class_names)
    kind = "drawn scene" if experiment.settings.data == "road_scenes" else "picture"
    return [
        _picture(f"scene-{index}", f"{kind} {index}", "scene", test.name, *test[index], names)
        for index in chosen
    ]


def _drawn_scenes(count: int = 2) -> list[dict]:
    """The first drawn scenes of the test part, without labels: another model has other classes."""
    drawn = datasets.road_scenes(split="test")
    return [
        _picture(f"scene-{index}", f"drawn scene {index}", "scene", "drawn", drawn[index][0])
        for index in range(count)
    ]


def _photographs(longest: int = LONGEST) -> list[dict]:
    """scikit-image's photographs with their outlines, where it is installed."""
    if "scikit-image" in photographs.missing():
        return []
    found = []
    for name, about in datasets.PHOTOGRAPHS.items():
        data = photographs.labelled_photograph(name)
        image, labels = data[0]
        scale = min(1, longest / max(image.shape[:2]))
        height, width = (round(side * scale) for side in image.shape[:2])
        if scale < 1:
            image = resized(image, (height, width))
            labels = np.asarray(Image.fromarray(labels).resize((width, height), Image.NEAREST))
        names = list(data.class_names)
        found.append(_picture(name, name, "photograph", about.source, image, labels, names))
    return found


def _picture(name, title, kind, source, image, labels=None, class_names=None) -> dict:
    return {
        "id": name,
        "title": title,
        "kind": kind,  # "scene" or "photograph"
        "source": source,
        "src": _url(image, "JPEG", quality=JPEG_QUALITY),
        "labels": None if labels is None else _url(labels, "PNG", optimize=True),
        "classes": class_names,
    }


def _url(array: np.ndarray, kind: str, **options) -> str:
    file = io.BytesIO()
    Image.fromarray(np.asarray(array, "uint8")).save(file, kind, **options)
    text = base64.b64encode(file.getvalue()).decode()
    return f"data:image/{kind.lower()};base64,{text}"


def _classes(names, palette) -> list[dict]:
    """Names and colours; the background has no colour, so that the picture shows."""
    return [
        {
            "name": name,
            "colour": None if name == "background" else [int(value) for value in colour],
        }
        for name, colour in zip(names, palette, strict=True)
    ]
