"""Assignment 1, convolution and its transpose (L08, L09, L16).

Output sizes, both operations in NumPy, the bilinear kernel, and an upsampling layer.
"""

import keras
import numpy as np

from fcn_keras import layers
from fcn_keras.checks.hints import PACKAGES, NotYet, as_model, ask, check, compare
from fcn_keras.checks.networks import untrained_weights

NOT_CENTRED = "the tent is not centred: where is the middle of an even number of pixels?"


@check
def conv_size(answer, seed):
    """`conv_size(size, kernel, stride, padding)`: the output size of a convolution (L08)."""
    draw = np.random.default_rng(seed)
    cases = [(9, 3, 2), (10, 3, 3), *draw.integers([9, 2, 1], [40, 8, 5], (20, 3)).tolist()]
    for size, kernel, stride in cases:
        what = f"the size for {size} pixels, kernel {kernel}, stride {stride}"
        compare(
            ask(answer, size, kernel, stride, "valid", without=PACKAGES),
            (size - kernel) // stride + 1,
            what=f"{what}, VALID padding",
            mistakes=_wrong_sizes_valid(size, kernel, stride),
        )
        compare(
            ask(answer, size, kernel, stride, "same", without=PACKAGES),
            -(-size // stride),
            what=f"{what}, SAME padding",
            mistakes=_wrong_sizes_same(size, kernel, stride),
        )
    return "Every window that fits counts once."


def _wrong_sizes_valid(size, kernel, stride):
    steps = (size - kernel) / stride
    return [
        ("one too few: at how many places does a window of 3 fit in a row of 3?", int(steps)),
        ("VALID rounds down: a window that does not fit is left out.", int(np.ceil(steps)) + 1),
        ("a size is a whole number: a window that does not fit is left out.", steps + 1),
        ("the stride is left out.", size - kernel + 1),
        ("that is SAME's size: with VALID the kernel's size counts too.", -(-size // stride)),
    ]


def _wrong_sizes_same(size, kernel, stride):
    valid = (size - kernel) // stride + 1
    return [
        (
            "with SAME padding the size is rounded up, not down: 7 pixels in steps of 2 give 4.",
            size // stride,
        ),
        ("a size is a whole number: SAME rounds up.", size / stride),
        ("the stride is left out.", size),
        ("that is VALID's size: with SAME only the stride counts.", valid),
    ]


@check
def conv2d(answer, seed):
    """`conv2d(image, kernel, stride=1)` in NumPy, VALID padding (L08).

    (H, W, Cin) and (h, w, Cin, Cout) give (H', W', Cout).
    """
    draw = np.random.default_rng(seed)
    for stride in (1, 2, 3):
        height, width = draw.integers(6, 14, 2)
        image = draw.normal(size=(height, width + 3, 3))
        kernel = draw.normal(size=(3, 2, 3, 4))
        compare(
            ask(answer, image, kernel, stride=stride, without=PACKAGES),
            _correlate(image, kernel, stride),
            what=f"the output for an image of {height} × {width + 3} and stride {stride}",
            mistakes=_wrong_convolutions(image, kernel, stride),
        )
    return "Your function and Keras' `Conv2D` with VALID padding do the same."


def _wrong_convolutions(image, kernel, stride):
    flipped = _correlate(image, kernel[::-1, ::-1], stride)
    other_channels = _correlate(image[..., ::-1], kernel, stride)
    mean = _correlate(image, kernel, stride) / kernel[..., 0].size
    first_channel = _correlate(image[..., :1], kernel[:, :, :1], stride)
    return [
        ("the kernel is flipped; the convolution of a network does not flip it.", flipped),
        ("the stride is left out.", _correlate(image, kernel, 1)),
        ("the image's channels meet the wrong channels of the kernel.", other_channels),
        ("you take the mean over the window; a convolution takes the sum.", mean),
        ("only the first channel of the image counts: sum over all of them.", first_channel),
    ]


@check
def transposed_size(answer, seed):
    """`transposed_size(size, kernel, stride, padding)`: of a transposed convolution (L09)."""
    draw = np.random.default_rng(seed)
    cases = [(5, 2, 3), (7, 3, 2), *draw.integers([2, 1, 0], [30, 6, 5], (20, 3)).tolist()]
    for size, stride, more in cases:
        kernel = stride + more
        what = f"the size for {size} pixels, kernel {kernel}, stride {stride}"
        for padding in ("valid", "same"):
            valid = padding == "valid"
            compare(
                ask(answer, size, kernel, stride, padding, without=PACKAGES),
                (size - 1) * stride + kernel if valid else size * stride,
                what=f"{what}, {padding.upper()} padding",
                mistakes=_wrong_transposed_sizes(size, kernel, stride, valid),
            )
    return "The last stamp begins stride · (size - 1) pixels after the first."


def _wrong_transposed_sizes(size, kernel, stride, valid):
    spread = (size - 1) * stride + kernel
    one_off = "one too many or too few: where do the first stamp begin and the last one end?"
    if valid:
        convolution = (size - kernel) // stride + 1
        other = ("the last stamp is as wide as the kernel, not as the stride.", size * stride)
    else:
        convolution = -(-size // stride)
        other = ("that is VALID's size; SAME cuts it to `stride` times `size`.", spread)
    return [
        ("that is the size of a convolution; a transposed one makes a map larger.", convolution),
        ("`size` stamps have only `size` - 1 steps between them.", size * stride + kernel),
        other,
        (one_off, spread - 1),
        (one_off, spread + 1),
    ]


@check
def conv2d_transpose(answer, seed):
    """`conv2d_transpose(image, kernel, stride)` in NumPy, VALID padding (L09).

    (H, W, Cin) and (h, w, Cout, Cin) give (H', W', Cout).
    """
    draw = np.random.default_rng(seed)
    for stride in (2, 1, 3):
        height, width = draw.integers(3, 8, 2)
        image = draw.normal(size=(height, width + 2, 2))
        kernel = draw.normal(size=(4, 3, 5, 2))
        what = f"the output for a map of {height} × {width + 2}, a kernel of 4 × 3"
        compare(
            ask(answer, image, kernel, stride, without=PACKAGES),
            _stamp(image, kernel, stride),
            what=f"{what} and stride {stride}",
            mistakes=_wrong_transposes(image, kernel, stride),
        )
    return "Your function and Keras' `Conv2DTranspose` with VALID padding do the same."


def _wrong_transposes(image, kernel, stride):
    flipped = _stamp(image, kernel[::-1, ::-1], stride)
    other_channels = _stamp(image[..., ::-1], kernel, stride)
    first_channel = _stamp(image[..., :1], kernel[..., :1], stride)
    stamps = _stamp(np.ones_like(image[..., :1]), np.ones_like(kernel[..., :1]), stride)
    mean = _stamp(image, kernel, stride) / np.maximum(1, stamps)
    return [
        (
            "where two stamps overlap the last one wins: add their values.",
            _stamp(image, kernel, stride, add=False),
        ),
        ("the kernel is flipped; each stamp is the kernel as it is.", flipped),
        ("the stamps are one pixel apart: the stride is left out.", _stamp(image, kernel, 1)),
        (
            "the map's channels meet the wrong channels of the kernel: the last axis of the kernel "
            "belongs to the channels of the map.",
            other_channels,
        ),
        ("only the first channel of the map counts: sum over all of them.", first_channel),
        ("where stamps overlap you take the mean: add their values.", mean),
    ]


@check
def bilinear(answer, seed):
    """`bilinear(factor)`: the kernel whose stamps interpolate (L16).

    (k, k) with k = 2·factor − factor mod 2.
    """
    factors = [2, 3, 4, *np.random.default_rng(seed).integers(5, 12, 3).tolist(), 1]
    for factor in factors:
        want = layers.bilinear_kernel(factor)
        compare(
            ask(answer, factor, without=PACKAGES),
            want,
            what=f"the kernel for factor {factor}",
            axes=("height", "width"),
            mistakes=_wrong_kernels(want, factor),
        )
    return "Stamped `factor` pixels apart, these tents add up to straight lines."


def _wrong_kernels(kernel, factor):
    size = len(kernel)
    right_of_centre = 1 - np.abs(np.arange(size) - (size // 2)) / factor
    left_of_centre = 1 - np.abs(np.arange(size) - (factor - 1)) / factor
    tent = kernel[size // 2] / np.sqrt(kernel.max())
    return [
        (
            "the kernel adds up to 1. The weights that reach one output pixel must add up to 1, "
            "and the whole kernel to factor².",
            kernel / kernel.sum(),
        ),
        (NOT_CENTRED, np.outer(right_of_centre, right_of_centre)),
        (NOT_CENTRED, np.outer(left_of_centre, left_of_centre)),
        (
            "the kernel is all ones: that repeats each pixel and does not interpolate.",
            np.ones_like(kernel),
        ),
        ("that is the tent along one axis; the kernel is its outer product with itself.", tent),
        ("the two tents are added; they must be multiplied.", tent[:, None] + tent[None, :]),
        (
            "that is the kernel of nearest neighbours, as large as the stride.",
            np.ones((factor, factor)),
        ),
    ]


@check
def upsampling(answer, seed):
    """`upsampling(num_classes, factor)`: a model of one layer that starts as bilinear (L16)."""
    draw = np.random.default_rng(seed)
    for num_classes, factor in [(3, 2), (2, 4), tuple(draw.integers([2, 3], [6, 9]).tolist())]:
        name = f"upsampling({num_classes}, {factor})"
        model = as_model(ask(answer, num_classes, factor, without=("fcn_keras",)))
        _require_one_transposed_convolution(model, name)
        height, width = draw.integers(4, 8, 2).tolist()
        scores = draw.normal(size=(1, height, width + 2, num_classes)).astype("float32")
        reference = layers.upscore(num_classes, factor, "reference")
        compare(
            keras.ops.convert_to_numpy(model(scores)),
            keras.ops.convert_to_numpy(reference(scores)),
            what=f"the output of {name}",
            axes=("height", "width", "classes"),
            mistakes=_wrong_upsamplings(reference, scores),
        )
        if untrained := untrained_weights(model, scores.shape[1:], seed):
            raise NotYet(f"no gradient reaches {untrained[0]}.")
        if not model.trainable_weights:
            raise NotYet(
                "the kernel is not trainable: it only starts as bilinear; training may change it."
            )
    return "It starts as an interpolation, and training may change it."


def _require_one_transposed_convolution(model, name):
    found = [layer for layer in model.layers if not isinstance(layer, keras.layers.InputLayer)]
    if [type(layer) for layer in found] != [keras.layers.Conv2DTranspose]:
        names = ", ".join(type(layer).__name__ for layer in found) or "no layer"
        raise NotYet(f"the task asks for one Conv2DTranspose; the model has {names}.")
    if model.input_shape[1:3] != (None, None):
        raise NotYet("the model takes one size only: leave height and width open in `keras.Input`.")
    if found[0].use_bias:
        raise NotYet(f"the layer of {name} has a bias: upsampling adds nothing of its own.")


def _wrong_upsamplings(reference, scores):
    want = keras.ops.convert_to_numpy(reference(scores))
    kernel = keras.ops.convert_to_numpy(reference.kernel)
    mixing = np.broadcast_to(kernel.max((2, 3), keepdims=True), kernel.shape)
    reference.kernel.assign(mixing)
    mixture = keras.ops.convert_to_numpy(reference(scores))
    reference.kernel.assign(kernel)
    return [
        (
            "each class gets a mixture of all classes: class c of the output comes from class c of "
            "the input alone.",
            mixture,
        ),
        ("the scores are divided by the number of classes.", want / scores.shape[-1]),
        (
            "the layer has an activation: scores are logits and may be negative.",
            np.maximum(want, 0),
        ),
    ]


def _correlate(image, kernel, stride):
    """What `conv2d` should give, window by window: (H', W', Cout)."""
    windows = np.lib.stride_tricks.sliding_window_view(image, kernel.shape[:2], axis=(0, 1))
    return np.einsum("ijchw,hwcd->ijd", windows[::stride, ::stride], kernel)


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
