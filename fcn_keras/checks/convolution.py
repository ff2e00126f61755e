"""Assignment 1, convolution and its transpose: sizes, both operations in NumPy, the bilinear kernel (L08, L09, L16)."""

import numpy as np

from fcn_keras.checks.hints import PACKAGES, ask, check, compare


@check
def conv_size(answer, seed):
    """`conv_size(size, kernel, stride, padding)` gives the output's size of a convolution (L08)."""
    draw = np.random.default_rng(seed)
    for size, kernel, stride in [(9, 3, 2), (7, 3, 2), *draw.integers([9, 2, 1], [40, 8, 5], (20, 3)).tolist()]:
        for padding in ("valid", "same"):
            got = ask(answer, size, kernel, stride, padding, without=PACKAGES)
            valid = padding == "valid"
            fits, up = (size - kernel) // stride + 1, -(-size // stride)
            compare(
                got,
                fits if valid else up,
                what=f"the size for {size} pixels, kernel {kernel}, stride {stride}, {padding.upper()} padding",
                mistakes=[
                    ("`same` and `valid` are exchanged.", up if valid else fits),
                    ("one short: how many places has a window of 3 in a row of 3?", (size - kernel) // stride if valid else -1),
                    ("with SAME padding the size is rounded up, not down: 7 pixels in steps of 2 give 4.", size // stride),
                    ("a size is a whole number: a window that does not fit is left out.", (size - kernel) / stride + 1),
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
                ("the kernel is turned round: a network's convolution does not flip it.",
                 _correlate(image, kernel[::-1, ::-1], stride)),
                ("the stride is left out.", _correlate(image, kernel, 1)),
                ("the channels of the image are paired with the wrong channels of the kernel.",
                 _correlate(image[..., ::-1], kernel, stride)),
                ("the mean over the window is taken, where the sum is needed.", want / kernel[..., 0].size),
            ],
        )  # fmt: skip
    return "Your function and Keras' `Conv2D` with VALID padding do the same."


def _correlate(image, kernel, stride):
    """What `conv2d` should give, window by window: (H', W', Cout)."""
    windows = np.lib.stride_tricks.sliding_window_view(image, kernel.shape[:2], axis=(0, 1))[::stride, ::stride]
    return np.einsum("ijchw,hwcd->ijd", windows, kernel)
