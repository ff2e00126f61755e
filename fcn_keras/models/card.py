"""A model's card: what somebody needs to know to use it (lecture: L22, L25).

Weights do not say which class the third channel stands for, or that every picture was halved before
it went in. The card does. `training.fit` fills it in; `prediction`, `evaluation` and the command
line read it.

It is kept as text in the configuration of the model's last layer, `CropToMatch`, because Keras
saves, loads and clones the configuration of layers and drops a model's own attributes. A model that
ends in another layer keeps its card as an attribute, and `models.save` adds a `CropToMatch` that
cuts nothing off.
"""

import dataclasses
import json
from dataclasses import dataclass
from typing import Any

import keras

from fcn_keras.layers import CropToMatch
from fcn_keras.support import graph
from fcn_keras.support.kinds import Model, checked
from fcn_keras.support.labels import VOID


@dataclass(frozen=True)
class Card:
    """What a model says about its use. Whatever it was never told is empty."""

    class_names: tuple[str, ...] = ()  # of its channels, in order
    palette: tuple[tuple[int, int, int], ...] = ()  # a colour for each class, RGB 0–255
    size: tuple[int, int] | None = None  # every picture was resized to it; None: none was
    bands: tuple[int, int, int] | None = None  # of each file, read as red, green and blue
    scale: tuple[float, float] | None = None  # the values of a file that became 0 and 255
    encoder: str = ""  # such as "efficientnet_lite0"
    void: int = VOID  # the number in a label map that is neither trained on nor scored
    precision: str = ""  # in which it computes, such as "float32"
    data: str = ""  # what it was trained on: number of pictures, name, classes, digest
    held_out: tuple[str, ...] | None = None  # digests of pictures kept for testing; None: not said
    version: str = ""  # of fcn_keras

    def __str__(self) -> str:
        lines = [
            ("classes", ", ".join(self.class_names)),
            ("pictures", "resized to {} x {}".format(*self.size) if self.size else "own size"),
            ("encoder", self.encoder),
            ("precision", self.precision),
            ("trained on", self.data),
            ("held out", "" if self.held_out is None else f"{len(self.held_out)} pictures"),
            ("written by", self.version and f"fcn_keras {self.version}"),
        ]
        return "\n".join(f"{name:<12}{text or 'not said'}" for name, text in lines)


@checked
def card(model: Model) -> Card:
    """Reads a model's card.

    Args:
        model: Any model, saved or not.

    Returns:
        `Card`; an empty one if the model was never trained by this package.

    Example:
        >>> model = fcn.models.fcn(num_classes=2, backbone=fcn.backbones.small_vgg())
        >>> fcn.models.card(model).encoder
        'small_vgg'
    """
    text = getattr(_place(model), "about", "")
    known = {field.name for field in dataclasses.fields(Card)}
    noted = json.loads(text) if text else {}
    return Card(**{name: _fixed(value) for name, value in noted.items() if name in known})


@checked
def note(model: Model, **entries) -> None:
    """Writes entries into a model's card; the others stay.

    Args:
        model: Any model.
        entries: Fields of `Card`.

    Raises:
        TypeError: If `Card` has no such field.

    Example:
        >>> model = fcn.models.fcn(num_classes=2)
        >>> fcn.models.note(model, class_names=("background", "road"), size=(160, 576))
        >>> fcn.models.card(keras.models.clone_model(model)).size
        (160, 576)
    """
    new = dataclasses.replace(card(model), **entries)
    _place(model).about = json.dumps(dataclasses.asdict(new), ensure_ascii=False)


def carrying_its_card(model: keras.Model) -> keras.Model:
    """The model, in a form whose card is saved with it."""
    if _place(model) is not model or not getattr(model, "about", ""):
        return model
    last = CropToMatch(about=model.about, name="logits", dtype=model.outputs[0].dtype)
    return keras.Model(model.inputs, last([model.outputs[0], model.inputs[0]]), name=model.name)


def _place(model):
    """Where the card is kept: in the last layer if it is a `CropToMatch`, else in the model."""
    outputs = getattr(model, "outputs", None)  # a subclassed model has none before it is called
    last = graph.step_of(outputs[0]).operation if outputs else model
    return last if isinstance(last, CropToMatch) else model


def _fixed(value) -> Any:
    """JSON's lists as tuples."""
    return tuple(map(_fixed, value)) if isinstance(value, list) else value
