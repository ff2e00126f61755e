"""Sizes of convolutions and transposed convolutions along one axis, as arithmetic (lecture: L08, L09, L16).

A layer is described by its kernel k and stride s; height and width are treated alike.
"""

import numpy as np

from fcn_keras.support import arguments

PADDINGS = ("valid", "same")


def conv_size(size: int, kernel: int, stride: int = 1, padding: str = "valid") -> int:
    """Output size of a convolution or pooling along one axis (lecture: L08).

    VALID: ⌊(size − kernel) / stride⌋ + 1, the places where the kernel fits.
    SAME: ⌈size / stride⌉, whatever the kernel.

    Args:
        size: Input pixels, at least 1.
        kernel: Kernel pixels, at least 1.
        stride: Pixels from one place to the next, at least 1.
        padding: `"valid"` or `"same"`.

    Raises:
        ValueError: If an argument is out of range, or a VALID kernel is larger than the input.
    """
    _check(size, kernel, stride, padding)
    if padding == "same":
        return -(-size // stride)
    if kernel > size:
        raise ValueError(
            f"A VALID kernel must fit: Expected kernel <= size. Received: kernel={kernel}, size={size}"
        )
    return (size - kernel) // stride + 1


def pooled_size(size: int, kernel: int = 2, stride: int = 2, round_up: bool = False) -> int:
    """Output size of a pooling without padding, along one axis.

    Rounding down, ⌊(size − kernel) / stride⌋ + 1, drops a last row that does not fill a window;
    rounding up, as the published FCNs do it, pools what there is of it. For kernel = stride rounding up
    is the same as SAME.

    Args:
        size: Input pixels, at least 1.
        kernel: Window pixels, at least 1.
        stride: Pixels from one window to the next, at least 1.
        round_up: Whether a last window that sticks out counts.

    Raises:
        ValueError: If an argument is out of range, or, rounding down, the window does not fit.
    """
    if not round_up:
        return conv_size(size, kernel, stride)
    _check(size, kernel, stride, "valid")
    return max(-(-(size - kernel) // stride), 0) + 1


def transposed_size(size: int, kernel: int, stride: int = 1, padding: str = "valid") -> int:
    """Output size of a transposed convolution along one axis (lecture: L09).

    VALID: stride·(size − 1) + max(kernel, stride), the length that the stamps cover.
    SAME: stride·size.

    Args and errors: as `conv_size`.
    """
    _check(size, kernel, stride, padding)
    return stride * size if padding == "same" else stride * (size - 1) + max(kernel, stride)


def stamps(size: int, kernel: int, stride: int, padding: str = "valid") -> np.ndarray:
    """How many kernels of a transposed convolution overlap at each output position of an axis (lecture: L16).

    Args and errors: as `transposed_size`.

    Returns:
        int array, `(transposed_size(size, kernel, stride, padding),)`.
    """
    length = transposed_size(size, kernel, stride, padding)
    position = np.arange(length) + _cut(kernel, stride, padding)
    first = np.maximum(
        -(-(position - kernel + 1) // stride), 0
    )  # stamp i covers i·stride … i·stride + kernel − 1
    last = np.minimum(position // stride, size - 1)
    return np.maximum(last - first + 1, 0)


def overlap_map(
    size: tuple[int, int], kernel: int, stride: int, padding: str = "valid"
) -> np.ndarray:
    """Where the stamps of a transposed convolution overlap: the source of checkerboards (lecture: L16).

    If the stride divides the kernel, every pixel away from the border gets equally many stamps;
    if not, some get more than their neighbours, in a regular grid, whatever the weights.

    Args:
        size: Height and width of the input.
        kernel, stride, padding: As at `transposed_size`.

    Returns:
        int array, output height × width: stamps per pixel.
    """
    rows, columns = (
        stamps(length, kernel, stride, padding) for length in arguments.size("size", size)
    )
    return np.outer(rows, columns)


def _cut(kernel: int, stride: int, padding: str) -> int:
    """What SAME cuts off the start of a transposed convolution: half of what VALID has too much, rounded down."""
    return max(kernel - stride, 0) // 2 if padding == "same" else 0


def convolution_matrix(
    kernel: np.ndarray, size: tuple[int, int], stride: int = 1, padding: str = "valid"
) -> np.ndarray:
    """A one-channel convolution as the matrix that it is (lecture: L09).

    `matrix @ image.ravel()` is the convolution; `matrix.T @ map.ravel()` is the transposed
    convolution, which brings back the size but not the values: the transpose, not the inverse.

    Args:
        kernel: `(k, k)`.
        size: Height and width of the image.
        stride: Pixels from one place to the next.
        padding: `"valid"` or `"same"`.

    Returns:
        float64 array, output pixels × input pixels, both counted row by row.

    Raises:
        ValueError: As `conv_size`.
    """
    kernel = arguments.array("kernel", kernel, 2, "(k, k)")
    if kernel.shape[0] != kernel.shape[1]:
        raise ValueError(
            f"Expected kernel to be square, (k, k). {arguments.received('kernel', kernel)}"
        )
    (height, width), taps = arguments.size("size", size), kernel.shape[0]
    rows, columns = (conv_size(length, taps, stride, padding) for length in size)
    top, left = (
        same_padding(length, taps, stride)[0] if padding == "same" else 0 for length in size
    )
    matrix = np.zeros((rows, columns, height, width))
    for row, column in np.ndindex(rows, columns):
        for i, j in np.ndindex(kernel.shape):
            y, x = row * stride - top + i, column * stride - left + j
            if 0 <= y < height and 0 <= x < width:  # the rest falls on padding, which is zero
                matrix[row, column, y, x] = kernel[i, j]
    return matrix.reshape(rows * columns, height * width)


def same_padding(size: int, kernel: int, stride: int = 1) -> tuple[int, int]:
    """Zeros that SAME adds before and after: as many as ⌈size / stride⌉ places need, the odd one after.

    Args and errors: as `conv_size`.
    """
    _check(size, kernel, stride, "same")
    total = max((conv_size(size, kernel, stride, "same") - 1) * stride + kernel - size, 0)
    return total // 2, total - total // 2


def _check(size, kernel, stride, padding):
    for name, value in (("size", size), ("kernel", kernel), ("stride", stride)):
        arguments.whole_number(name, value, 1)
    arguments.one_of("padding", padding, PADDINGS)
