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
# (what it is about in two sentences; expected time; how a task works; what may be used; how it is graded)

# %%
import numpy as np

import fcn_keras as fcn

# %% [markdown]
# ## Task 1: how large is the result? (3 points)
#
# (the task)

# %% answer="conv_size"
def conv_size(size, kernel, stride, padding):
    """Output pixels of a convolution over `size` pixels; `padding` is "valid" or "same"."""
    ### BEGIN SOLUTION
    if padding == "same":
        return -(-size // stride)
    return (size - kernel) // stride + 1
    ### END SOLUTION


# %% check="conv_size" points=3
fcn.checks.conv_size(conv_size)
### BEGIN HIDDEN TESTS
fcn.checks.conv_size(conv_size, seed=SEED)
assert conv_size(5, 5, 3, "valid") == 1
### END HIDDEN TESTS

# %% [markdown]
# ## Task 2: convolution in NumPy (4 points)
#
# (the task)

# %% answer="conv2d"
def conv2d(image, kernel, stride=1):
    """Image (H, W, Cin) and kernel (h, w, Cin, Cout) to (H', W', Cout), VALID padding; no Keras, no SciPy."""
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
### END HIDDEN TESTS

# %% [markdown]
# ## Task 6: a question, in words (2 points)
#
# In two or three sentences: why is "deconvolution" a wrong name for the transposed convolution? A person reads this answer.

# %% [markdown] written="why_transpose" points=2
# ### BEGIN SOLUTION
# (a model answer)
# ### END SOLUTION
