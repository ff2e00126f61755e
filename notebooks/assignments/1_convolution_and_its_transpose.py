# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # Assignment 1: convolution and its transpose
#
# A fully convolutional network makes maps smaller by convolution and larger by transposed
# convolution. In this assignment you write both operations in NumPy, and you find the kernel with
# which the transposed convolution interpolates.
#
# | task | minutes | points |
# | --- | --- | --- |
# | 1 sizes of a convolution | 10 | 2 |
# | 2 convolution in NumPy | 25 | 4 |
# | 3 sizes of a transposed convolution | 10 | 2 |
# | 4 transposed convolution in NumPy | 25 | 4 |
# | 5 the bilinear kernel | 20 | 3 |
# | 6 a layer that starts as bilinear | 15 | 2 |
# | 7 in words: why it is not the inverse | 15 | 3 |
#
# The assignment takes two hours in all.
#
# **How a task works.** Complete the cell that says `raise NotImplementedError()`, then run the
# check in the cell below it. The check says that your answer is right, or gives a hint. Hints cost
# nothing, and you may run a check as often as you like.
#
# **What you may use.** NumPy; from task 6 on also Keras. If a task says *write*, an answer that
# calls a package's version of the function earns no points.
#
# **How it is graded.** The computer grades tasks 1 to 6, with other sizes and numbers than here.
# Each task earns all its points or none. A person grades task 7.

# %%
import numpy as np

import fcn_keras as fcn

# %%
import keras

keras.utils.set_random_seed(0)

# %% [markdown]
# ## Task 1: how large is the result? (2 points)
#
# A window of `kernel` pixels moves over `size` pixels in steps of `stride`. With VALID padding the
# window never leaves the image. With SAME padding the image gets a border of zeros, so wide that a
# stride of 1 keeps the size. With a larger stride, the size is divided by the stride and rounded
# up. Write a function that returns the size of the result, a whole number. `padding` is given in
# lower case. (L08)


# %% answer="conv_size"
def conv_size(size, kernel, stride, padding):
    """Output pixels of a convolution over `size` pixels; `padding` is "valid" or "same"."""
    ### BEGIN SOLUTION
    if padding == "same":
        return -(-size // stride)
    return (size - kernel) // stride + 1
    ### END SOLUTION


# %% check="conv_size" points=2
fcn.checks.conv_size(conv_size)
### BEGIN HIDDEN TESTS
fcn.checks.conv_size(conv_size, seed=SEED)
assert conv_size(5, 5, 3, "valid") == 1 and conv_size(1, 1, 2, "same") == 1
### END HIDDEN TESTS

# %% [markdown]
# ## Task 2: convolution in NumPy (4 points)
#
# Write what `keras.layers.Conv2D` computes with VALID padding and without a bias. At each place,
# the window of the image, with all its channels, is multiplied by the kernel, number by number, and
# all products are added. This gives one number for each output channel. As in every neural network,
# the kernel is not flipped. Use NumPy only; loops are fine. (L08)
#
# For example, an image of 6 × 9 × 3 and a kernel of 3 × 2 × 3 × 4 with stride 1 give a result of
# 4 × 8 × 4.


# %% answer="conv2d"
def conv2d(image, kernel, stride=1):
    """Image (H, W, Cin) and kernel (h, w, Cin, Cout) to (H', W', Cout), VALID padding."""
    ### BEGIN SOLUTION
    height, width = kernel.shape[:2]
    rows = (image.shape[0] - height) // stride + 1
    columns = (image.shape[1] - width) // stride + 1
    result = np.zeros((rows, columns, kernel.shape[3]))
    for i in range(rows):
        for j in range(columns):
            window = image[i * stride : i * stride + height, j * stride : j * stride + width]
            result[i, j] = np.tensordot(window, kernel, axes=3)
    return result
    ### END SOLUTION


# %% check="conv2d" points=4
fcn.checks.conv2d(conv2d)
### BEGIN HIDDEN TESTS
fcn.checks.conv2d(conv2d, seed=SEED)
assert np.allclose(conv2d(np.ones((5, 5, 2)), np.ones((5, 5, 2, 1))), 50)
### END HIDDEN TESTS

# %% [markdown]
# ## Task 3: and the other direction? (2 points)
#
# A transposed convolution puts down one stamp, the kernel, for each pixel of its input. Each stamp
# begins `stride` pixels after the previous one. With VALID padding the result extends from the
# beginning of the first stamp to the end of the last one. With SAME padding it is cropped to
# `stride` times the size of the input. Write a function that returns the size of the result. The
# kernel is never smaller than the stride. (L09)


# %% answer="transposed_size"
def transposed_size(size, kernel, stride, padding):
    """Output pixels of a transposed convolution over `size` pixels.

    kernel >= stride; `padding` is "valid" or "same".
    """
    ### BEGIN SOLUTION
    if padding == "same":
        return size * stride
    return (size - 1) * stride + kernel
    ### END SOLUTION


# %% check="transposed_size" points=2
fcn.checks.transposed_size(transposed_size)
### BEGIN HIDDEN TESTS
fcn.checks.transposed_size(transposed_size, seed=SEED)
assert transposed_size(1, 16, 8, "valid") == 16 and transposed_size(1, 16, 8, "same") == 8
### END HIDDEN TESTS

# %% [markdown]
# ## Task 4: transposed convolution in NumPy (4 points)
#
# Write what `keras.layers.Conv2DTranspose` computes with VALID padding and without a bias. Each
# pixel of the map is multiplied by the kernel, and the product is put down as a stamp. Where stamps
# overlap, they are added. Note the order of the kernel's axes: the *last* axis belongs to the input
# channels. Use NumPy only. (L09)


# %% answer="conv2d_transpose"
def conv2d_transpose(image, kernel, stride):
    """Map (H, W, Cin) and kernel (h, w, Cout, Cin) to (H', W', Cout), VALID padding."""
    ### BEGIN SOLUTION
    (height, width), (h, w) = image.shape[:2], kernel.shape[:2]
    result = np.zeros(((height - 1) * stride + h, (width - 1) * stride + w, kernel.shape[2]))
    for i in range(height):
        for j in range(width):
            result[i * stride : i * stride + h, j * stride : j * stride + w] += kernel @ image[i, j]
    return result
    ### END SOLUTION


# %% check="conv2d_transpose" points=4
fcn.checks.conv2d_transpose(conv2d_transpose)
### BEGIN HIDDEN TESTS
fcn.checks.conv2d_transpose(conv2d_transpose, seed=SEED)
assert np.allclose(conv2d_transpose(np.ones((3, 3, 1)), np.ones((2, 2, 1, 1)), 1)[1:-1, 1:-1], 4)
### END HIDDEN TESTS

# %% [markdown]
# ## Task 5: the kernel that interpolates (3 points)
#
# Stamps are put down `factor` pixels apart. Which kernel gives straight lines between the values? A
# tent: along one axis it falls from 1 at its middle by 1 / `factor` per pixel. In two dimensions
# the kernel is the outer product of two such tents. It has `2 * factor - factor % 2` rows and as
# many columns. If the number of pixels is even, the middle lies between two pixels. Write the
# kernel in NumPy. (L16)
#
# Along one axis, for factor 2: 0.25, 0.75, 0.75, 0.25. For factor 3: 0.33, 0.67, 1, 0.67, 0.33.


# %% answer="bilinear"
def bilinear(factor):
    """The kernel of bilinear upsampling by `factor`: (k, k), k = 2 * factor - factor % 2."""
    ### BEGIN SOLUTION
    size = 2 * factor - factor % 2
    tent = 1 - np.abs(np.arange(size) - (size - 1) / 2) / factor
    return np.outer(tent, tent)
    ### END SOLUTION


# %% check="bilinear" points=3
fcn.checks.bilinear(bilinear)
### BEGIN HIDDEN TESTS
fcn.checks.bilinear(bilinear, seed=SEED)
assert np.isclose(np.sum(bilinear(16)), 256)
### END HIDDEN TESTS

# %% [markdown]
# ## Task 6: a layer that starts as bilinear (2 points)
#
# Build a `keras.Model` whose input has any height and width, and `num_classes` channels. It
# contains one `Conv2DTranspose` with SAME padding and without a bias. The kernel starts so that
# each class is upsampled bilinearly, *separately from the others*. Keras' kernel has the shape
# `(k, k, classes out, classes in)`. The layer stays trainable. You may use Keras and, from the
# package, `fcn_bilinear` below, but none of its layers. (L16)

# %%
# The kernel of each factor, float32.
fcn_bilinear = {factor: fcn.layers.bilinear_kernel(factor) for factor in range(1, 17)}


# %% answer="upsampling"
def upsampling(num_classes, factor):
    """A model: scores (batch, H, W, classes) to (batch, factor * H, factor * W, classes)."""
    ### BEGIN SOLUTION
    tent = fcn_bilinear[factor]
    start = tent[:, :, None, None] * np.eye(num_classes)
    scores = keras.Input((None, None, num_classes))
    layer = keras.layers.Conv2DTranspose(
        num_classes, len(tent), strides=factor, padding="same", use_bias=False
    )
    model = keras.Model(scores, layer(scores))
    layer.set_weights([start])
    return model
    ### END SOLUTION


# %% check="upsampling" points=2
fcn.checks.upsampling(upsampling)
### BEGIN HIDDEN TESTS
fcn.checks.upsampling(upsampling, seed=SEED)
### END HIDDEN TESTS

# %% [markdown]
# ## Task 7: in words (3 points)
#
# The transposed convolution is often called "deconvolution". Answer in three to six sentences: what
# is it the transpose *of*? Why is it not the inverse of a convolution? Give a small example, in
# numbers or in sizes, of something that a convolution with stride 2 loses and that the transposed
# convolution cannot bring back. A person reads this answer.

# %% [markdown] written="no_inverse" points=3
# ### BEGIN SOLUTION
# A convolution is linear, so it can be written as a matrix: one row for each output pixel, with the
# kernel's numbers in the columns of the pixels of its window. The transposed convolution multiplies
# by the transpose of this matrix: each output pixel is sent back to the pixels that it came from,
# with the same weights. The inverse would undo the convolution. The transpose only has the right
# shape. With stride 2, an image of 4 × 4 becomes 2 × 2: sixteen numbers become four, and from four
# numbers nobody can tell which sixteen they came from. For example, with a kernel of ones, a window
# that holds (1, 0) and a window that holds (0, 1) both give the sum 1.
# ### END SOLUTION

# %% [markdown]
# ## Rubric
#
# Task 7: 1 point for what it is the transpose of, 1 point for why this is not the inverse, 1 point
# for a correct example.
#
# **Before you hand in:** choose Kernel → Restart and run all. Does each check still say what it
# said before?
