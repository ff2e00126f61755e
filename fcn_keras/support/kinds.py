"""Kinds: what an argument may be, written in the signature.

    @checked
    def coarsen(labels: Labels, factor: Count, num_classes: ClassCount) -> np.ndarray:

A kind is `Annotated[type, check]`: `Count` is an `int` that is at least 1. The type checker reads
the type, `checked` runs the check and answers a wrong value with a sentence, and `help(coarsen)`
shows both. A parameter that has a plain type, such as `name: str`, is not checked.
"""

import functools
import inspect
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import NoneType, UnionType
from typing import (
    TYPE_CHECKING,
    Annotated,
    Any,
    Literal,
    ParamSpec,
    TypeAlias,
    TypeVar,
    Union,
    get_args,
    get_origin,
)

import numpy as np

from fcn_keras.support import arguments, encoders

if TYPE_CHECKING:
    import keras

P = ParamSpec("P")
R = TypeVar("R")

# These parts of the package pass on what a person typed or handed in, so their calls are checked.
FROM_OUTSIDE = tuple(
    f"fcn_keras.{room}." for room in ("command_line", "checks", "grading", "lecture")
)


def checked(function: Callable[P, R]) -> Callable[P, R]:
    """Checks the arguments of a public function against the kinds in its signature.

    A call from outside the package is checked before the function runs, and a wrong value is
    answered: "Expected stride to be one of 32, 16, 8. Received: stride=4". A call from inside the
    package is neither checked nor converted: it has to pass proper values. A rule for two arguments
    together is checked in the function.

    Args:
        function: A function or a method, but not the `__init__` of a Keras layer, whose signature
            Keras itself reads. Parameters without a kind are passed on unchanged.

    Returns:
        The function with the same signature. A check may convert its value: NumPy's integers
        become `int`, text becomes a `Path`, lists become arrays.
    """
    signature = inspect.signature(function)
    checks = {
        name: check
        for name, parameter in signature.parameters.items()
        if (check := _check_of(parameter.annotation))
    }

    @functools.wraps(function)
    def checking(*args: P.args, **kwargs: P.kwargs) -> R:
        caller = sys._getframe(1).f_globals.get("__name__", "")
        if caller.startswith("fcn_keras.") and not caller.startswith(FROM_OUTSIDE):
            return function(*args, **kwargs)
        try:
            given = signature.bind(*args, **kwargs)
        except TypeError:  # missing or unknown: Python's own message names function and argument
            return function(*args, **kwargs)
        for name, check in checks.items():
            if name in given.arguments:
                given.arguments[name] = check(name, given.arguments[name])
        return function(*given.args, **given.kwargs)

    return checking


def _check_of(annotation) -> Callable[[str, Any], Any] | None:
    """The check of a kind, of a `Literal`, of `bool`, or of one of these `| None`."""
    if get_origin(annotation) in (Union, UnionType):
        members = get_args(annotation)
        if get_origin(members[0]) is Literal:  # `None` is one more of the choices
            choices = (*get_args(members[0]), *[None] * (NoneType in members))
            return lambda name, value: arguments.one_of(name, value, choices)
        check = next(filter(None, map(_check_of, members)), None)
        if check is None or NoneType not in members:
            return check
        return lambda name, value: None if value is None else check(name, value)
    if get_origin(annotation) is Literal:
        return lambda name, value: arguments.one_of(name, value, get_args(annotation))
    if annotation is bool:
        return lambda name, value: arguments.one_of(name, value, (True, False))
    marks = getattr(annotation, "__metadata__", ())
    return next((mark for mark in marks if isinstance(mark, Kind)), None)


class Kind:
    """A check of `arguments` with its limits, and a description that `help()` shows.

    Args:
        description: A few words.
        check: Takes the argument's name, the value and the limits; returns the value or raises.
    """

    def __init__(self, description: str, check: Callable[..., Any], **limits: Any):
        self.description, self.check, self.limits = description, check, limits

    def __call__(self, name: str, value: Any) -> Any:
        return self.check(name, value, **self.limits)

    def __repr__(self) -> str:
        return self.description


# Numbers
Count = Annotated[int, Kind("at least 1", arguments.whole_number, at_least=1)]
Index = Annotated[int, Kind("at least 0", arguments.whole_number, at_least=0)]
Seed = Annotated[int, Kind("at least 0", arguments.whole_number, at_least=0)]
Classes = Annotated[
    int,
    Kind(
        "2 to 255 classes",
        arguments.whole_number,
        at_least=2,
        at_most=255,
        hint=arguments.VOID_IS_NO_CLASS,
    ),
]
ClassCount = Annotated[
    int, Kind("1 to 255 classes", arguments.whole_number, at_least=1, at_most=255)
]
Rate = Annotated[float, Kind("above 0", arguments.number, above=0)]
Size = Annotated[tuple[int, int], Kind("(height, width)", arguments.size)]
InputSize = Annotated[
    tuple[int, int] | Literal["trained"] | None,
    Kind('(height, width), "trained" or None', arguments.input_size),
]
Bands = Annotated[tuple[int, int, int], Kind("three, counted from 0", arguments.bands)]
Scale = Annotated[tuple[float, float], Kind("(black, white)", arguments.scale)]
Widths = Annotated[Sequence[int], Kind("each at least 1", arguments.whole_numbers)]
MapShape = Annotated[tuple[int, int, int], Kind("(H, W, C)", arguments.map_shape)]
BlockWidths = Annotated[Sequence[Sequence[int]], Kind("a list a block", arguments.block_widths)]

# Names and files
Names = Annotated[Sequence[str], Kind("no name twice", arguments.names)]
File = Annotated[str | Path, Kind("a path", arguments.path)]
EncoderName = Annotated[str, Kind("of backbones.NAMES", encoders.encoder_name)]
Table = Annotated[Mapping[Any, Any], Kind("at least one entry", arguments.table)]

# Arrays and tensors
Image = Annotated[np.ndarray, Kind("(H, W, 3), RGB, 0–255", arguments.image)]
Drawable = Annotated[np.ndarray, Kind("(H, W, 3) or (H, W)", arguments.drawable)]
Drawables = Annotated[Sequence[np.ndarray], Kind("each (H, W, 3) or (H, W)", arguments.drawables)]
Labels = Annotated[np.ndarray, Kind("(H, W), class numbers, 255 is void", arguments.label_map)]
DrawnLabels = Annotated[np.ndarray, Kind("(H, W), 0–255", arguments.label_map, num_classes=256)]
Palette = Annotated[np.ndarray, Kind("(classes, 3), 0–255", arguments.palette)]
Losses = Annotated[
    Sequence[float],
    Kind("one number per step", arguments.array, dimensions=1, layout="one number per step"),
]
Kernel = Annotated[np.ndarray, Kind("(k, k)", arguments.array, dimensions=2, layout="(k, k)")]
SquareKernel = Annotated[np.ndarray, Kind("(k, k), square", arguments.square_kernel)]
FeatureMap = Annotated[Any, Kind("(batch, H, W, channels)", arguments.feature_map)]
Rows = Annotated[Sequence[Any], Kind("of models.describe", arguments.rows)]

# What the package builds
Model: TypeAlias = Annotated["keras.Model", Kind("any Keras model", arguments.model)]
ScoringModel: TypeAlias = Annotated[
    "keras.Model", Kind("one picture in, class scores out", arguments.scoring_model)
]
OneInput: TypeAlias = Annotated["keras.Model", Kind("with one input", arguments.one_input)]
Encoder: TypeAlias = Annotated[
    "keras.Model", Kind("with layers pool3, pool4, pool5", arguments.encoder)
]
RGBModel: TypeAlias = Annotated[
    "keras.Model", Kind("functional or sequential, of RGB images", arguments.rgb_model)
]
Preprocessing: TypeAlias = Annotated[
    "keras.layers.Layer | str", Kind("a layer or a name", arguments.preprocessing)
]
Chain: TypeAlias = Annotated[
    "keras.Model", Kind("layers in a row, of one input size", arguments.chain)
]
BuiltDense: TypeAlias = Annotated["keras.layers.Dense", Kind("built", arguments.dense_layer)]
Layer: TypeAlias = Annotated["keras.layers.Layer", Kind("any Keras layer", arguments.layer)]
DataSet = Annotated[Any, Kind("of fcn_keras.datasets", arguments.data_set)]
