"""How a wrong argument is tried: each wrong value is put into a right call, alone.

So the answer can only be about that value. It must come from the package, name what was expected
and what was received, and be short.

    right(geometry.pooled_size, size=9, kernel=2).but(size=NOT_A_COUNT, kernel={"zero": 0})

says the right call, and for its arguments what a student may type instead, each mistake by name.
A text that begins with @ stands for one of the `things`, which are built once.
"""

import functools
import tempfile
import traceback
from pathlib import Path
from typing import Any, NamedTuple

import keras
import numpy as np
import pytest

import fcn_keras as fcn

PACKAGE = str(Path(fcn.__file__).parent)
IMAGE = np.random.default_rng(0).integers(0, 256, (32, 48, 3), dtype="uint8")
LABELS = np.random.default_rng(1).integers(0, 2, (32, 48), dtype="uint8")
PALETTE = fcn.datasets.default_palette(2)
NOWHERE = Path(tempfile.gettempdir()) / "fcn_keras-nowhere"

# --- mistakes that fit many arguments ---

# Where a whole number from 1 up belongs
NEITHER_COUNT_NOR_NONE = {"zero": 0, "minus_one": -1, "a_fraction": 2.5, "a_word": "two"}
NOT_A_COUNT = NEITHER_COUNT_NOR_NONE | {"none": None, "true": True}
NOT_A_SEED = {"minus_one": -1, "a_fraction": 1.5, "text": "0", "none": None}
NOT_A_MODEL = {"none": None, "file_name": "model.keras", "a_number": 3, "a_list": [1, 2]}
NOT_DATA = {"none": None, "folder_name": "my_pictures", "an_image": IMAGE, "a_list": [1, 2]}
NOT_A_PATH = {"none": None, "a_number": 3, "empty": "", "a_list": ["a"]}
NOT_IN_COLOURS = {
    "none": None,
    "file_name": "photo.jpg",
    "grey": IMAGE[..., 0],
    "a_batch": IMAGE[None],
}
NOT_A_PICTURE = NOT_IN_COLOURS | {"values_0_to_1": IMAGE / 255, "no_rows": IMAGE[:0]}
NOT_AN_IMAGE = NOT_A_PICTURE | {
    "two_channels": IMAGE[..., :2],
    "values_a_little_above_1": IMAGE / 250,
    "values_above_255": IMAGE * 4.0,
    "values_below_0": IMAGE - 128.0,
    "nan": IMAGE * np.nan,
    "ragged": [[1, 2], [3]],
}
# Grey pictures, and values from 0 to 1, can be drawn
NOT_DRAWABLE = {
    "none": None,
    "file_name": "photo.jpg",
    "a_batch": IMAGE[None],
    "no_rows": IMAGE[:0],
    "a_number": 3,
}
NOT_LABELS = {
    "none": None,
    "file_name": "mask.png",
    "an_image": IMAGE,
    "fractions": LABELS / 2,
    "a_batch": LABELS[None],
    "no_rows": LABELS[:0],
}
NOT_NAMES = {
    "none": None,
    "one_word": "road",
    "no_names": (),
    "twice_the_same": ("a", "a"),
    "numbers": (1, 2),
}


def READ(index):
    """What a data set reads."""
    return IMAGE, LABELS


@functools.cache
def things():
    """What calls need beyond plain values."""
    encoder = fcn.backbones.small_vgg()
    classifier = fcn.models.classifier(2, 32, (4,), 4)
    return {
        "model": fcn.models.fcn(2, 8, encoder, width=4),
        "encoder": encoder,
        "cae": fcn.models.cae(widths=(4, 4)),
        "classifier": classifier,
        "dense": classifier.get_layer("dense"),
        "data": fcn.datasets.SegmentationData(READ, 6, ("ground", "road")),
        "published": fcn.published.fcn32s(2, ((4,),) * 5, 4),
        "tensor": keras.KerasTensor((None, 8, 8, 2)),
        "field": fcn.geometry.Field(((0, 2),), 2),
        "rows": fcn.models.describe(fcn.models.cae(widths=(4, 4)), (32, 32)),
        "figure": fcn.visualization.draw_loss([1.0, 0.5]),
        "preprocessing": keras.layers.Rescaling(1.0),
    }


class Call(NamedTuple):
    """A right call of a function, and wrong values of its arguments by name."""

    function: Any
    given: dict[str, Any]
    wrong: dict[str, dict[str, Any]]

    def but(self, **wrong):
        return self._replace(wrong=wrong)

    def made(self, **changed):
        """The call, with some arguments changed; a generator is read to its end."""
        given = {name: _thing(value) for name, value in {**self.given, **changed}.items()}
        result = self.function(**given)
        return list(result) if hasattr(result, "__next__") else result


def _thing(value):
    return things()[value[1:]] if isinstance(value, str) and value[:1] == "@" else value


def right(function, /, **given):
    return Call(function, given, {})


def cases(calls):
    """A parameter for each wrong value: the call, the argument, the value."""
    return [
        pytest.param(call, argument, value, id=f"{call.function.__name__}-{argument}-{mistake}")
        for call in calls
        for argument, mistakes in call.wrong.items()
        for mistake, value in mistakes.items()
    ]


def ids(calls):
    return [call.function.__name__ for call in calls]


def answers_itself(call, argument, value):
    """A function answers a wrong argument: which one, what was expected, what was received."""
    with pytest.raises((ValueError, TypeError, FileNotFoundError)) as caught:
        call.made(**{argument: value})
    message = str(caught.value)
    said = "Expected" in message and "Received" in message
    assert said or "could not be read" in message or "is not known" in message, message
    assert len(message) < 700, "a message is read, not studied"
    last = traceback.extract_tb(caught.tb)[-1].filename
    assert last.startswith(PACKAGE), f"raised in {last}: {message}"
    assert not NOWHERE.exists(), "something was written"


def is_right(call):
    """The right call raises nothing; those with a missing path only show where one belongs."""
    if not any(
        isinstance(value, Path) and NOWHERE in (value, *value.parents)
        for value in call.given.values()
    ):
        call.made()
