"""Computing with 16 bits instead of 32."""

import contextlib
from collections.abc import Iterator
from typing import Literal, get_args

import keras

from fcn_keras.support.kinds import checked

Precision = Literal["float32", "mixed_bfloat16", "mixed_float16"]
PRECISIONS = get_args(Precision)


@checked
@contextlib.contextmanager
def precision(name: Precision) -> Iterator[None]:
    """Networks that are made inside compute with this precision; so do backbones made inside.

    In mixed precision convolutions compute with 16 bits, which GPUs do several times as fast and in
    half the memory. Weights, class scores and loss stay float32. A CPU gains nothing by it.

    Args:
        name: `"float32"`, `"mixed_bfloat16"` (the range of float32, 3 decimal digits) or
            `"mixed_float16"` (4 digits, at most 65,504; gradients are scaled in training).

    Raises:
        ValueError: If it is none of these.

    Example:
        >>> with fcn.models.precision("mixed_bfloat16"):
        ...     model = fcn.models.fcn(num_classes=2, stride=32)
        >>> model.get_layer("fc6").compute_dtype, model.get_layer("score_fr").compute_dtype
        ('bfloat16', 'float32')
    """
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy(name)
    try:
        yield
    finally:
        keras.config.set_dtype_policy(before)
