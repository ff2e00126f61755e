"""Assignment 1, convolution and its transpose: sizes, both operations in NumPy, the bilinear kernel (L08, L09, L16)."""

import keras
import numpy as np

from fcn_keras import layers
from fcn_keras.checks.hints import PACKAGES, NotYet, as_model, ask, check, compare
from fcn_keras.checks.networks import still_weights


@check
def conv_size(answer, seed):
    """`conv_size(size, kernel, stride, padding)` gives the output's size of a convolution (L08)."""
    draw = np.random.default_rng(seed)
    for size, kernel, stride in [
        (9, 3, 2),
        (10, 3, 3),
        *draw.integers([9, 2, 1], [40, 8, 5], (20, 3)).tolist(),
    ]:
        for padding in ("valid", "same"):
            got = ask(answer, size, kernel, stride, padding, without=PACKAGES)
            valid = padding == "valid"
            fits, up = (size - kernel) // stride + 1, -(-size // stride)
            compare(
                got,
                fits if valid else up,
                what=f"the size for {size} pixels, kernel {kernel}, stride {stride}, {padding.upper()} padding",
                mistakes=[
                    (
                        "with SAME padding the size is rounded up, not down: 7 pixels in steps of 2 give 4.",
                        size // stride,
                    )
                    if not valid
                    else (
                        "one short: how many places has a window of 3 in a row of 3?",
                        (size - kernel) // stride,
                    ),
                    (
                        "a window that does not fit is left out: VALID rounds down.",
                        -(-(size - kernel) // stride) + 1,
                    ),
                    (
                        "a size is a whole number: a window that does not fit is left out.",
                        (size - kernel) / stride + 1,
                    ),
                    ("the stride is left out.", size - kernel + 1 if valid else size),
                    ("that is SAME's size: with VALID the kernel's size counts too.", up)
                    if valid
                    else ("that is VALID's size: with SAME only the stride counts.", fits),
                ],
            )
    return "Every window that fits counts once."


@check
def conv2d(answer, seed):
    """`conv2d(image, kernel, stride=1)`: (H, W, Cin) and (h, w, Cin, Cout) to (H', W', Cout), VALID padding, in NumPy (L08)."""
    draw = np.random.default_rng(seed)
    for stride in (1, 2, 3):
        height, width = draw.integers(6, 14, 2)
        image = draw.normal(size=(height, width + 3, 3))
        kernel = draw.normal(size=(3, 2, 3, 4))
        want = _correlate(image, kernel, stride)
        compare(
            ask(answer, image, kernel, stride=stride, without=PACKAGES),
            want,
            what=f"the output for an image of {height} × {width + 3} and stride {stride}",
            mistakes=[
                (
                    "the kernel is turned round: a network's convolution does not flip it.",
                    _correlate(image, kernel[::-1, ::-1], stride),
                ),
                ("the stride is left out.", _correlate(image, kernel, 1)),
                (
                    "the channels of the image are paired with the wrong channels of the kernel.",
                    _correlate(image[..., ::-1], kernel, stride),
                ),
                (
                    "the mean over the window is taken, where the sum is needed.",
                    want / kernel[..., 0].size,
                ),
                (
                    "only the first channel of the image counts: sum over all of them.",
                    _correlate(image[..., :1], kernel[:, :, :1], stride),
                ),
            ],
        )
    return "Your function and Keras' `Conv2D` with VALID padding do the same."


@check
def transposed_size(answer, seed):
    """`transposed_size(size, kernel, stride, padding)` gives the output's size of a transposed convolution (L09)."""
    draw = np.random.default_rng(seed)
    for size, stride, more in [
        (5, 2, 3),
        (7, 3, 2),
        *draw.integers([2, 1, 0], [30, 6, 5], (20, 3)).tolist(),
    ]:
        kernel = stride + more
        for padding in ("valid", "same"):
            got = ask(answer, size, kernel, stride, padding, without=PACKAGES)
            valid, spread = padding == "valid", (size - 1) * stride + kernel
            compare(
                got,
                spread if valid else size * stride,
                what=f"the size for {size} pixels, kernel {kernel}, stride {stride}, {padding.upper()} padding",
                mistakes=[
                    (
                        "that is the size of a convolution: a transposed one makes a map larger.",
                        (size - kernel) // stride + 1 if valid else -(-size // stride),
                    ),
                    (
                        "`size` stamps have only `size` - 1 steps between them.",
                        size * stride + kernel,
                    ),
                    ("the last stamp is as wide as the kernel, not as the stride.", size * stride)
                    if valid
                    else (
                        "that is VALID's size: with SAME it is cut to `stride` times `size`.",
                        spread,
                    ),
                    (
                        "one too many or too few: where do the first stamp begin and the last one end?",
                        spread - 1,
                    ),
                    (
                        "one too many or too few: where do the first stamp begin and the last one end?",
                        spread + 1,
                    ),
                ],
            )
    return "The last stamp begins stride · (size - 1) pixels after the first."


@check
def conv2d_transpose(answer, seed):
    """`conv2d_transpose(image, kernel, stride)`: (H, W, Cin) and (h, w, Cout, Cin) to (H', W', Cout), VALID, in NumPy (L09)."""
    draw = np.random.default_rng(seed)
    for stride in (2, 1, 3):
        height, width = draw.integers(3, 8, 2)
        image = draw.normal(size=(height, width + 2, 2))
        kernel = draw.normal(size=(4, 3, 5, 2))
        want = _stamp(image, kernel, stride)
        compare(
            ask(answer, image, kernel, stride, without=PACKAGES),
            want,
            what=f"the output for a map of {height} × {width + 2}, a kernel of 4 × 3 and stride {stride}",
            mistakes=[
                (
                    "where two stamps overlap the last one wins: their values must be added.",
                    _stamp(image, kernel, stride, add=False),
                ),
                (
                    "the kernel is turned round: each stamp is the kernel as it is.",
                    _stamp(image, kernel[::-1, ::-1], stride),
                ),
                (
                    "the stamps stand one pixel apart: the stride is left out.",
                    _stamp(image, kernel, 1),
                ),
                (
                    "the channels of the map are paired with the wrong channels of the kernel: its last axis is the one of the map.",
                    _stamp(image[..., ::-1], kernel, stride),
                ),
                (
                    "only the first channel of the map counts: sum over all of them.",
                    _stamp(image[..., :1], kernel[..., :1], stride),
                ),
                (
                    "the overlap is averaged: their values must be added.",
                    want
                    / np.maximum(
                        1,
                        _stamp(np.ones_like(image[..., :1]), np.ones_like(kernel[..., :1]), stride),
                    ),
                ),
            ],
        )
    return "Your function and Keras' `Conv2DTranspose` with VALID padding do the same."


@check
def bilinear(answer, seed):
    """`bilinear(factor)` gives the kernel, (k, k) with k = 2·factor − factor mod 2, whose stamps interpolate (L16)."""
    factors = [2, 3, 4, *np.random.default_rng(seed).integers(5, 12, 3).tolist(), 1]
    for factor in factors:
        want = layers.bilinear_kernel(factor)
        size = len(want)
        even = 1 - np.abs(np.arange(size) - (size // 2)) / factor
        low = 1 - np.abs(np.arange(size) - (factor - 1)) / factor
        tent = want[size // 2] / np.sqrt(want.max())
        compare(
            ask(answer, factor, without=PACKAGES),
            want,
            what=f"the kernel for factor {factor}",
            axes=("height", "width"),
            mistakes=[
                (
                    "the kernel adds up to 1. Each output pixel must get weights that add up to 1: the whole kernel, to factor².",
                    want / want.sum(),
                ),
                (
                    "the tent is not in the middle: where is the middle of an even number of pixels?",
                    np.outer(even, even),
                ),
                (
                    "the tent is not in the middle: where is the middle of an even number of pixels?",
                    np.outer(low, low),
                ),
                (
                    "the kernel is all ones: that repeats each pixel, and does not interpolate.",
                    np.ones_like(want),
                ),
                (
                    "that is the tent along one axis; the kernel is its outer product with itself.",
                    tent,
                ),
                (
                    "the two tents are added; they must be multiplied.",
                    tent[:, None] + tent[None, :],
                ),
                (
                    "that is the kernel for nearest neighbours, as large as the stride.",
                    np.ones((factor, factor)),
                ),
            ],
        )
    return "Stamped `factor` pixels apart, these tents add up to straight lines."


@check
def upsampling(answer, seed):
    """`upsampling(num_classes, factor)`: a model of one transposed convolution that starts as bilinear, class by class (L16)."""
    draw = np.random.default_rng(seed)
    for num_classes, factor in [(3, 2), (2, 4), tuple(draw.integers([2, 3], [6, 9]).tolist())]:
        model = as_model(ask(answer, num_classes, factor, without=("fcn_keras",)))
        kinds = [layer for layer in model.layers if not isinstance(layer, keras.layers.InputLayer)]
        if [type(layer) for layer in kinds] != [keras.layers.Conv2DTranspose]:
            found = ", ".join(type(layer).__name__ for layer in kinds) or "no layer"
            raise NotYet(f"one Conv2DTranspose is asked for; the model has {found}.")
        if model.input_shape[1:3] != (None, None):
            raise NotYet(
                "the model takes one size only: leave height and width open in `keras.Input`."
            )
        layer, name = kinds[0], f"upsampling({num_classes}, {factor})"
        if layer.use_bias:
            raise NotYet(f"the layer of {name} has a bias: upsampling adds nothing of its own.")
        height, width = draw.integers(4, 8, 2).tolist()
        scores = draw.normal(size=(1, height, width + 2, num_classes)).astype("float32")
        reference = layers.upscore(num_classes, factor, "reference")
        want = keras.ops.convert_to_numpy(reference(scores))
        kernel = keras.ops.convert_to_numpy(reference.kernel)
        got = keras.ops.convert_to_numpy(model(scores))

        def with_kernel(values, layer=reference, scores=scores):
            layer.kernel.assign(values)
            return keras.ops.convert_to_numpy(layer(scores))

        compare(
            got,
            want,
            what=f"the output of {name}",
            axes=("height", "width", "classes"),
            mistakes=[
                (
                    "each class gets a mixture of all classes: class c of the output is upsampled from class c alone.",
                    with_kernel(np.broadcast_to(kernel.max((2, 3), keepdims=True), kernel.shape)),
                ),
                ("the scores of a class are divided by the number of classes.", want / num_classes),
                (
                    "the layer has an activation: scores are logits and may be negative.",
                    np.maximum(want, 0),
                ),
            ],
        )
        if still := still_weights(model, scores.shape[1:], seed):
            raise NotYet(f"no gradient reaches {still[0]}.")
        if not model.trainable_weights:
            raise NotYet(
                "the kernel is not trainable: it only starts as bilinear, and training may change it."
            )
    return "It starts as an interpolation, and training may change it."


def _correlate(image, kernel, stride):
    """What `conv2d` should give, window by window: (H', W', Cout)."""
    windows = np.lib.stride_tricks.sliding_window_view(image, kernel.shape[:2], axis=(0, 1))[
        ::stride, ::stride
    ]
    return np.einsum("ijchw,hwcd->ijd", windows, kernel)


def _stamp(image, kernel, stride, add=True):
    """What `conv2d_transpose` should give, stamp by stamp: (H', W', Cout)."""
    (height, width), (h, w) = image.shape[:2], kernel.shape[:2]
    result = np.zeros(((height - 1) * stride + h, (width - 1) * stride + w, kernel.shape[2]))
    for i in range(height):
        for j in range(width):
            place = np.s_[i * stride : i * stride + h, j * stride : j * stride + w]
            stamp = kernel @ image[i, j]  # (h, w, Cout, Cin) times (Cin,)
            result[place] = result[place] + stamp if add else stamp
    return result
