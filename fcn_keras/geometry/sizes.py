"""Sizes of convolutions and transposed convolutions, as arithmetic (lecture: L08, L09, L16).

A layer is described along one axis, by its kernel and its stride: height and width are treated
alike.
"""

from typing import Literal, get_args

import numpy as np

from fcn_keras.support.kinds import Count, Size, SquareKernel, checked

Padding = Literal["valid", "same"]
PADDINGS = get_args(Padding)


@checked
def conv_size(size: Count, kernel: Count, stride: Count = 1, padding: Padding = "valid") -> int:
    """Output size of a convolution or pooling along one axis (lecture: L08).

    VALID: ⌊(size − kernel) / stride⌋ + 1, the number of places where the kernel fits.
    SAME: ⌈size / stride⌉, whatever the kernel.

    Args:
        size: Input pixels.
        kernel: Kernel pixels.
        stride: Pixels from one place to the next.
        padding: `"valid"` or `"same"`.

    Raises:
        ValueError: If an argument is out of range, or a VALID kernel is larger than the input.

    Example:
        >>> fcn.geometry.conv_size(7, kernel=3, stride=2)
        3
        >>> fcn.geometry.conv_size(7, kernel=3, stride=2, padding="same")
        4
    """
    if padding == "same":
        return -(-size // stride)
    if kernel > size:
        fits = "a VALID kernel must fit: kernel <= size"
        raise ValueError(f"Expected that {fits}. Received: {kernel=}, {size=}")
    return (size - kernel) // stride + 1


@checked
def pooled_size(size: Count, kernel: Count = 2, stride: Count = 2, round_up: bool = False) -> int:
    """Output size of a pooling without padding, along one axis.

    Rounding down, ⌊(size − kernel) / stride⌋ + 1, drops a last row that does not fill a window.
    Rounding up, as in the published FCNs, pools what there is of it. For kernel = stride, rounding
    up is the same as SAME.

    Args:
        size: Input pixels.
        kernel: Window pixels.
        stride: Pixels from one window to the next.
        round_up: Whether a last window counts that the input does not fill.

    Raises:
        ValueError: If an argument is out of range, or, rounding down, the window does not fit.

    Example:
        >>> fcn.geometry.pooled_size(7), fcn.geometry.pooled_size(7, round_up=True)
        (3, 4)
    """
    if not round_up:
        return conv_size(size, kernel, stride)
    return max(-(-(size - kernel) // stride), 0) + 1


@checked
def transposed_size(
    size: Count, kernel: Count, stride: Count = 1, padding: Padding = "valid"
) -> int:
    """Output size of a transposed convolution along one axis (lecture: L09).

    VALID: stride·(size − 1) + max(kernel, stride), the length that the stamps cover.
    SAME: stride·size.

    Args and errors: as `conv_size`.

    Example:
        >>> fcn.geometry.transposed_size(3, kernel=3, stride=2)
        7
        >>> fcn.geometry.transposed_size(3, kernel=3, stride=2, padding="same")
        6
    """
    return stride * size if padding == "same" else stride * (size - 1) + max(kernel, stride)


@checked
def same_padding(size: Count, kernel: Count, stride: Count = 1) -> tuple[int, int]:
    """Zeros that SAME adds before and after the input of a convolution (lecture: L08).

    They are as many as ⌈size / stride⌉ places need. An odd one stands after the input.

    Args and errors: as `conv_size`.

    Example:
        >>> fcn.geometry.same_padding(8, kernel=3, stride=2)
        (0, 1)
    """
    total = max((conv_size(size, kernel, stride, "same") - 1) * stride + kernel - size, 0)
    return total // 2, total - total // 2


def same_crop(kernel: int, stride: int) -> int:
    """Positions that SAME cuts off the start of a transposed convolution's VALID output.

    VALID has kernel − stride positions more than SAME. Half of them, rounded down, come first.
    """
    return max(kernel - stride, 0) // 2


@checked
def stamps(size: Count, kernel: Count, stride: Count, padding: Padding = "valid") -> np.ndarray:
    """How many kernels of a transposed convolution overlap at each position (lecture: L16).

    Args and errors: as `transposed_size`.

    Returns:
        int array, `(transposed_size(size, kernel, stride, padding),)`.

    Example:
        >>> fcn.geometry.stamps(3, kernel=3, stride=2).tolist()
        [1, 1, 2, 1, 2, 1, 1]
    """
    position = np.arange(transposed_size(size, kernel, stride, padding))
    if padding == "same":
        position += same_crop(kernel, stride)
    # stamp i covers the positions i·stride … i·stride + kernel − 1
    first = np.maximum(-(-(position - kernel + 1) // stride), 0)
    last = np.minimum(position // stride, size - 1)
    return np.maximum(last - first + 1, 0)


@checked
def overlap_map(size: Size, kernel: Count, stride: Count, padding: Padding = "valid") -> np.ndarray:
    """Where the stamps of a transposed convolution overlap, hence checkerboards (lecture: L16).

    If the stride divides the kernel, every pixel away from the border gets equally many stamps. If
    not, some get more than their neighbours, in a regular grid, whatever the weights.

    Args:
        size: Height and width of the input.
        kernel, stride, padding: As at `transposed_size`.

    Returns:
        int array, output height × width: stamps per pixel.

    Example:
        >>> fcn.geometry.overlap_map((2, 3), kernel=3, stride=2).tolist()[2]
        [2, 2, 4, 2, 4, 2, 2]
    """
    rows, columns = (stamps(length, kernel, stride, padding) for length in size)
    return np.outer(rows, columns)


@checked
def convolution_matrix(
    kernel: SquareKernel, size: Size, stride: Count = 1, padding: Padding = "valid"
) -> np.ndarray:
    """A one-channel convolution as the matrix that it is (lecture: L09).

    `matrix @ image.ravel()` is the convolution. `matrix.T @ map.ravel()` is the transposed
    convolution: it restores the size but not the values, for it is the transpose, not the inverse.

    Args:
        kernel: `(k, k)`.
        size: Height and width of the image.
        stride: Pixels from one place to the next.
        padding: `"valid"` or `"same"`.

    Returns:
        float64 array, output pixels × input pixels, both counted row by row.

    Raises:
        ValueError: As `conv_size`.

    Example:
        >>> matrix = fcn.geometry.convolution_matrix(np.ones((3, 3)), size=(4, 5))
        >>> matrix.shape  # 2 × 3 places, 4 × 5 pixels
        (6, 20)
    """
    taps = len(kernel)
    (height, width) = size
    rows, columns = (conv_size(length, taps, stride, padding) for length in size)
    top, left = 0, 0
    if padding == "same":
        top, left = (same_padding(length, taps, stride)[0] for length in size)
    matrix = np.zeros((rows, columns, height, width))
    for row, column in np.ndindex(rows, columns):
        for i, j in np.ndindex(kernel.shape):
            y, x = row * stride - top + i, column * stride - left + j
            if 0 <= y < height and 0 <= x < width:  # the rest falls on padding, which is zero
                matrix[row, column, y, x] = kernel[i, j]
    return matrix.reshape(rows * columns, height * width)
