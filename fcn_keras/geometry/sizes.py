"""Formulas for the sizes of convolutions and transposed convolutions (lecture: L08, L09, L16).

They describe a layer by its kernel and its stride along one axis, height or width. VALID and SAME
are Keras' `padding="valid"` (none) and `padding="same"` (zeros around the input). A *stamp* is what
a transposed convolution adds to the output for one input pixel: the pixel times the kernel, placed
`stride` positions after the stamp before.
"""

from typing import Literal, get_args

import numpy as np

from fcn_keras.support.kinds import Count, Size, SquareKernel, checked

Padding = Literal["valid", "same"]
PADDINGS = get_args(Padding)  # ("valid", "same")


def ceil_div(dividend, divisor):
    """⌈dividend / divisor⌉ in whole numbers, for numbers and arrays: `//` rounds down."""
    return -(-dividend // divisor)


@checked
def conv_size(size: Count, kernel: Count, stride: Count = 1, padding: Padding = "valid") -> int:
    """Output size of a convolution or pooling along one axis (lecture: L08).

    VALID: ⌊(size − kernel) / stride⌋ + 1, the number of places in which the kernel fits.
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
        return ceil_div(size, stride)
    if kernel > size:
        fits = "a VALID kernel that fits into the input: kernel <= size"
        raise ValueError(f"Expected {fits}. Received: {kernel=}, {size=}")
    return (size - kernel) // stride + 1


@checked
def pooled_size(size: Count, kernel: Count = 2, stride: Count = 2, round_up: bool = False) -> int:
    """Output size of a pooling without padding, along one axis.

    Rounding down, ⌊(size − kernel) / stride⌋ + 1, drops rows at the end that do not fill a window.
    Rounding up, as in the published FCNs, pools them in a smaller last window. For kernel = stride
    both rounding up and SAME give ⌈size / stride⌉.

    Args:
        size: Input pixels.
        kernel: Window pixels.
        stride: Pixels from one window to the next.
        round_up: Whether to count a last window that reaches beyond the input.

    Raises:
        ValueError: If an argument is out of range, or, rounding down, the window does not fit.

    Example:
        >>> fcn.geometry.pooled_size(7), fcn.geometry.pooled_size(7, round_up=True)
        (3, 4)
    """
    if not round_up:
        return conv_size(size, kernel, stride)
    return max(ceil_div(size - kernel, stride), 0) + 1  # the steps, and the first window


@checked
def transposed_size(
    size: Count, kernel: Count, stride: Count = 1, padding: Padding = "valid"
) -> int:
    """Output size of a transposed convolution along one axis (lecture: L09).

    VALID: stride·(size − 1) + max(kernel, stride), up to the end of the last stamp, or of the gap
    behind it if the stride is larger than the kernel.
    SAME: stride·size.

    Args: As in `conv_size`.

    Raises:
        ValueError: If an argument is out of range.

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

    There are just enough for ⌈size / stride⌉ places of the kernel. If their number is odd, the
    extra zero comes after the input.

    Args: `size`, `kernel` and `stride` as in `conv_size`.

    Raises:
        ValueError: If an argument is smaller than 1.

    Example:
        >>> fcn.geometry.same_padding(8, kernel=3, stride=2)
        (0, 1)
    """
    total = max((conv_size(size, kernel, stride, "same") - 1) * stride + kernel - size, 0)
    return total // 2, total - total // 2


def same_crop(kernel: int, stride: int) -> int:
    """Positions that SAME cuts off the start of a transposed convolution's VALID output.

    VALID has max(kernel − stride, 0) positions more than SAME. Half of them, rounded down, are cut
    off at the start, the others at the end.
    """
    return max(kernel - stride, 0) // 2


@checked
def stamps(size: Count, kernel: Count, stride: Count, padding: Padding = "valid") -> np.ndarray:
    """How many stamps of a transposed convolution overlap at each position (lecture: L16).

    Args, Raises: As in `transposed_size`.

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
    first = np.maximum(ceil_div(position - kernel + 1, stride), 0)  # first stamp on each position
    last = np.minimum(position // stride, size - 1)  # last one; before `first` in a gap
    return np.maximum(last - first + 1, 0)


@checked
def overlap_map(size: Size, kernel: Count, stride: Count, padding: Padding = "valid") -> np.ndarray:
    """How many stamps of a transposed convolution overlap at each pixel (lecture: L16).

    If the stride divides the kernel, every pixel away from the border gets equally many stamps. If
    not, some get more than their neighbours, in a regular grid. Pixels that sum more stamps tend to
    be brighter, and the grid shows as a checkerboard.

    Args:
        size: Height and width of the input.
        kernel, stride, padding: As in `transposed_size`.

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
    """The matrix of a one-channel convolution (lecture: L09).

    `matrix @ image.ravel()` is the convolution. `matrix.T @ map.ravel()` is the transposed
    convolution. It restores the size but not the values, because the transpose is not the inverse.

    Args:
        kernel: `(k, k)`.
        size: Height and width of the image.
        stride: Pixels from one place to the next.
        padding: `"valid"` or `"same"`.

    Returns:
        float64 array, output pixels × input pixels, both numbered row by row.

    Raises:
        ValueError: As `conv_size`.

    Example:
        >>> matrix = fcn.geometry.convolution_matrix(np.ones((3, 3)), size=(4, 5))
        >>> matrix.shape  # 2 × 3 places, 4 × 5 pixels
        (6, 20)
    """
    length = len(kernel)
    height, width = size
    rows, columns = (conv_size(pixels, length, stride, padding) for pixels in size)
    top, left = 0, 0
    if padding == "same":
        top, left = (same_padding(pixels, length, stride)[0] for pixels in size)
    matrix = np.zeros((rows, columns, height, width))
    for row, column in np.ndindex(rows, columns):
        for i, j in np.ndindex(kernel.shape):
            y, x = row * stride - top + i, column * stride - left + j
            if 0 <= y < height and 0 <= x < width:  # the rest falls on padding, which is zero
                matrix[row, column, y, x] = kernel[i, j]
    return matrix.reshape(rows * columns, height * width)
