"""Computing with 16 bits instead of 32."""

import contextlib

import keras

from fcn_keras.support import arguments

PRECISIONS = ("float32", "mixed_bfloat16", "mixed_float16")


@contextlib.contextmanager
def precision(name: str):
    """Networks that are made inside compute with this precision, their backbone too if it is made inside.

    In mixed precision convolutions compute with 16 bits, which GPUs do several times as fast in half the memory, while weights,
    class scores and loss stay float32. A CPU gains nothing by it.

    Args:
        name: `"float32"`, `"mixed_bfloat16"` (float32's range, 3 decimal digits) or `"mixed_float16"` (4 digits, at most
            65,504; gradients are scaled in training).

    Raises:
        ValueError: If it is none of these.
    """
    arguments.one_of("precision", name, PRECISIONS)
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy(name)
    try:
        yield
    finally:
        keras.config.set_dtype_policy(before)
