# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # Convolution and its transpose
#
# **Goal.** Compute a convolution and a transposed convolution by hand, predict the sizes of their
# results, and explain why the second is not the inverse of the first.
#
# **Idea.** A convolution slides a small table of weights, the *kernel*, over a picture. At each
# place it multiplies the numbers under the kernel by the weights, adds the products, and writes
# down one number. A transposed convolution works in the other direction: for every number of a
# small map, it adds one weighted copy of the kernel to a large map. The networks of this course
# make pictures small with the first operation and large again with the second, so we begin with
# these two.

# %%
import matplotlib.cbook
import numpy as np

import fcn_keras as fcn
from fcn_keras.visualization import convolution as drawing

fcn.support.startup.import_keras_quietly()  # hides the start-up messages of Keras' backend
import keras  # noqa: E402

path = matplotlib.cbook.get_sample_data("grace_hopper.jpg", asfileobj=False)  # part of matplotlib
picture = fcn.images.read_image(path)  # (600, 512, 3), red, green and blue, 0–255
grey = picture[20:340, 90:410].mean(axis=-1)  # the face; the mean of the three colours is grey
photo = grey.reshape(160, 2, 160, 2).mean(axis=(1, 3))  # every 2 × 2 pixels become one
print(photo.shape, f"from {photo.min():.0f} to {photo.max():.0f}")

# %% [markdown]
# The photograph shows the computer pioneer Rear Admiral Grace Hopper. It is an official photograph
# of the US Navy and comes with matplotlib (source: Wikimedia Commons, `File:Grace_Hopper.jpg`).
#
# ## 1. What can a table of nine weights see?
#
# Here are four hand-made filters. The two edge filters are named after Sobel. One subtracts the
# numbers to the left of a pixel from those to its right; the other subtracts the numbers above it
# from those below. The blur filter takes a mean. The sharpening filter takes five times the pixel
# and subtracts its four neighbours.
#
# **Predict before you run:** what does each of the four filters give on an evenly grey wall? (Add
# up the weights of each filter.)

# %%
filters = {
    "edges, left to right": np.array([[-1, 0, 1], [-2, 0, 2], [-1, 0, 1]]),
    "edges, top to bottom": np.array([[-1, -2, -1], [0, 0, 0], [1, 2, 1]]),
    "blur": np.full((5, 5), 0.04),
    "sharpen": np.array([[0, -1, 0], [-1, 5, -1], [0, -1, 0]]),
}
for name, weights in filters.items():
    wall = np.full(weights.shape, 100.0)
    result = np.sum(wall * weights)
    print(f"{name:<21} sum of the weights {weights.sum():.0f}, a wall of 100 gives {result:.0f}")

# %% [markdown]
# Now we slide the window over the photograph. A plain loop over all rows and columns is enough.


# %%
def slide(image, kernel):
    k = len(kernel)
    out = np.empty((image.shape[0] - k + 1, image.shape[1] - k + 1))
    for row, column in np.ndindex(out.shape):
        window = image[row : row + k, column : column + k]
        out[row, column] = np.sum(window * kernel)
    return out


filtered = {name: (weights, slide(photo, weights)) for name, weights in filters.items()}
print("one window:", photo[60:63, 40:43].round().astype(int).tolist())
print(f"the left-to-right edge filter gives {filtered['edges, left to right'][1][60, 40]:.0f}")

# %% [markdown]
# Keras provides the same operation as one function. It works on many pictures with many channels at
# once, so it expects four axes: `(batch, height, width, channels)` for the picture, and
# `(height, width, channels in, channels out)` for the kernel. The axes that we add here all have
# length one. (The functions in `keras.ops` resemble NumPy's, but can also run on a graphics card.)

# %%
for name, (weights, result) in filtered.items():
    image = photo[None, :, :, None].astype("float32")
    out = keras.ops.conv(image, weights[:, :, None, None].astype("float32"))
    np.testing.assert_allclose(keras.ops.convert_to_numpy(out)[0, :, :, 0], result, atol=1e-2)
    print(f"{name:<21} equal, {photo.shape} → {result.shape}")

# %% tags=["L02"]
drawing.draw_filters(photo, filtered)

# %% [markdown]
# Mathematicians rotate the kernel by 180° (`kernel[::-1, ::-1]`) before they slide it. They call
# the operation without rotation *correlation*. Networks do not rotate the kernel: its weights are
# learned, and rotated weights could be learned just as well.
#
# Nobody designs the filters of a network. A network starts with random filters and changes them
# until they help. In networks trained on millions of photographs, many filters of the first layer
# look like those above. Notebook 02 shows the filters of a small network.
#
# ## 2. Which windows? Padding and stride
#
# Two choices determine where the window goes. The first is the *padding*. VALID uses only the
# windows that fit into the picture. SAME first adds a border of zeros, so that with stride 1 the
# result is as large as the picture. If SAME needs an odd number of extra rows or columns, it puts
# the odd one below or to the right. The second choice is the *stride*, the number of pixels by
# which the window moves at each step.
#
# **Predict before you run:** take a 5 × 5 input and a 3 × 3 kernel. How large is the result for
# VALID and for SAME, with stride 1 and with stride 2?


# %%
def places(size, kernel, stride, padding):
    """The number of windows along one axis."""
    starts = range(0, size - kernel + 1, stride) if padding == "valid" else range(0, size, stride)
    return len(starts)


for padding in ("valid", "same"):
    for stride in (1, 2):
        print(f"{padding:<5} stride {stride}: 5 → {places(5, 3, stride, padding)}")

# %% [markdown]
# The package computes the number of windows with a formula. For $n$ pixels, a kernel of size $k$
# and stride $s$ there are this many windows (⌊ ⌋ rounds down, ⌈ ⌉ rounds up):
#
# $$\text{VALID: } \left\lfloor \frac{n - k}{s} \right\rfloor + 1
# \qquad \text{SAME: } \left\lceil \frac{n}{s} \right\rceil$$

# %%
for n in range(1, 60):
    for k in range(1, min(n, 9) + 1):
        for s in (1, 2, 3, 4):
            for padding in ("valid", "same"):
                assert places(n, k, s, padding) == fcn.geometry.conv_size(n, k, s, padding)
print("counted and computed sizes agree")

# %% tags=["L08"]
kernel = np.array([[1, 0, 1], [0, 2, 0], [0, 1, 0]])
small = np.array(
    [[1, 0, 2, 1, 3], [2, 1, 0, 4, 1], [0, 3, 1, 2, 0], [1, 2, 5, 0, 1], [4, 0, 1, 1, 2]]
)
drawing.draw_convolution_steps(small, kernel)

# %% [markdown]
# The window is orange, the kernel is blue, and the output cell being computed is green. Grey zeros
# are padding. The sum under each step omits the weights that are zero. The next cell animates all
# steps of one case; you can play it, stop it, and step through it.

# %%
drawing.animate_convolution(small, kernel, stride=2, padding="same")

# %% [markdown]
# In Keras a convolution is a *layer*: a part of a network that holds its own weights.
# `Conv2D(1, 3)` has one output channel and a 3 × 3 kernel. `use_bias=False` means that no constant
# is added to the results. `build` creates the weights, and `set_weights` replaces the random
# weights by ours.


# %%
def convolve(image, kernel, stride, padding):
    layer = keras.layers.Conv2D(1, len(kernel), strides=stride, padding=padding, use_bias=False)
    layer.build((None, None, None, 1))  # any number of pictures of any size, one channel
    layer.set_weights([kernel[:, :, None, None]])
    return keras.ops.convert_to_numpy(layer(image[None, :, :, None].astype("float32")))[0, :, :, 0]


padded = np.pad(small, 1)  # SAME adds one zero on each side: 5 × 5 pixels, 3 × 3 kernel
for stride in (1, 2):
    valid, same = (slide(image, kernel)[::stride, ::stride] for image in (small, padded))
    np.testing.assert_allclose(convolve(small, kernel, stride, "valid"), valid)
    np.testing.assert_allclose(convolve(small, kernel, stride, "same"), same)
print(convolve(small, kernel, 2, "same"))

# %% [markdown]
# Stride 2 uses every second window. The numbers agree with those in the figure. Now we check the
# sizes for many inputs.
#
# **Predict before you run:** with SAME and stride 2, which heights and widths are halved exactly?

# %% tags=["L08"]
count = 0
for k in (1, 2, 3, 4, 5):
    for stride in (1, 2, 3):
        for padding in ("valid", "same"):
            layer = keras.layers.Conv2D(1, k, strides=stride, padding=padding)
            for n in (5, 6, 7, 8, 13, 16):
                found = layer(np.zeros((1, n, n + 3, 1), "float32")).shape[1:3]
                predicted = [fcn.geometry.conv_size(m, k, stride, padding) for m in (n, n + 3)]
                assert found == tuple(predicted)
                count += 1
print(f"Keras confirms all {count} predicted sizes")
print("SAME, stride 2:", {n: fcn.geometry.conv_size(n, 3, 2, "same") for n in range(4, 10)})

# %% [markdown]
# **Try it.** Click a cell of the output. Its window, the products and their sum are written out. Then
# change the kernel, the stride and the padding.

# %% tags=["explainer"]
fcn.explainer.show("convolution")

# %% [markdown]
# ## 3. The other way: stamps
#
# A transposed convolution starts from a small map. It multiplies the whole kernel by one input
# value and adds this copy, the *stamp*, to the output. For the next value it moves the stamp by the
# stride and adds again. Where stamps overlap, their values add up. VALID keeps everything that the
# stamps cover. SAME cuts off the border, so that the output is exactly `stride` times as large as
# the input.
#
# **Predict before you run:** take a 3 × 3 input, a 3 × 3 kernel, stride 2 and VALID. How large is
# the output? Which of its cells receive more than one stamp?


# %%
def stamp(values, kernel, stride):
    k, (rows, columns) = len(kernel), values.shape
    out = np.zeros((stride * (rows - 1) + k, stride * (columns - 1) + k))
    for row, column in np.ndindex(rows, columns):
        top, left = row * stride, column * stride
        out[top : top + k, left : left + k] += values[row, column] * kernel
    return out


values = np.array([[1, 2, 1], [2, 3, 1], [1, 2, 2]])
print(stamp(values, kernel, 2).astype(int))
print("stamps on each cell:", *stamp(np.ones((3, 3)), np.ones((3, 3)), 2).astype(int), sep="\n")

# %% tags=["L09"]
drawing.draw_transposed_steps(values, kernel)

# %%
drawing.animate_transposed(values, kernel, stride=2, padding="valid")

# %% [markdown]
# In Keras this layer is `Conv2DTranspose`. The grey cells in the figure are those that SAME cuts
# off. With our 3 × 3 kernel and stride 1, these are one row or column on each side. With stride 2,
# they are only the bottom row and the rightmost column. The output size is
# $s\,(n - 1) + \max(k, s)$ for VALID and $s\,n$ for SAME. (`stamp` gives $s\,(n - 1) + k$. If the
# kernel is smaller than the stride, gaps remain between the stamps, and Keras adds one more gap at
# the end. Hence the maximum.)


# %%
def transpose(values, kernel, stride, padding):
    layer = keras.layers.Conv2DTranspose(
        1, len(kernel), strides=stride, padding=padding, use_bias=False
    )
    layer.build((None, None, None, 1))
    layer.set_weights([kernel[:, :, None, None]])
    return keras.ops.convert_to_numpy(layer(values[None, :, :, None].astype("float32")))[0, :, :, 0]


one, two = stamp(values, kernel, 1), stamp(values, kernel, 2)
np.testing.assert_allclose(transpose(values, kernel, 1, "valid"), one)
np.testing.assert_allclose(transpose(values, kernel, 2, "valid"), two)
np.testing.assert_allclose(transpose(values, kernel, 1, "same"), one[1:-1, 1:-1])
np.testing.assert_allclose(transpose(values, kernel, 2, "same"), two[:-1, :-1])
print("stamps and Conv2DTranspose give the same numbers")

# %% tags=["L09"]
count = 0
for k in (1, 2, 3, 4, 5):
    for stride in (1, 2, 3):
        for padding in ("valid", "same"):
            layer = keras.layers.Conv2DTranspose(1, k, strides=stride, padding=padding)
            for n in (1, 2, 3, 7):
                found = layer(np.zeros((1, n, n + 3, 1), "float32")).shape[1:3]
                assert found == tuple(
                    fcn.geometry.transposed_size(m, k, stride, padding) for m in (n, n + 3)
                )
                count += 1
print(f"Keras confirms all {count} predicted sizes")

# %% [markdown]
# **Try it.** Step through the stamps. Then look at the same numbers in two other ways, and find out
# which kernel leaves a checkerboard.

# %% tags=["explainer"]
fcn.explainer.show("transposed")

# %% [markdown]
# ## 4. Why is it called transposed?
#
# A convolution only multiplies by weights and adds, so it can be written as a matrix. If the column
# $x$ contains all pixels of the picture, one below the other, there is a matrix $A$ with
# $y = A\,x$. To find $A$ mechanically, convolve pictures in which a single pixel is 1: each result
# is one column of $A$.
#
# **Predict before you run:** take a 4 × 4 input, a 3 × 3 kernel, VALID and stride 1. How many rows
# and columns does $A$ have? How many of its numbers are not zero? (Four weights of our kernel are
# not zero.)

# %%
pixels = np.eye(16).reshape(16, 4, 4)  # 16 pictures, each with a different pixel set to 1
A = np.stack([slide(pixel, kernel).ravel() for pixel in pixels], axis=1)
print(f"A is {A.shape[0]} × {A.shape[1]}; {np.count_nonzero(A)} of {A.size} numbers are not zero")

# %%
np.testing.assert_allclose(fcn.geometry.convolution_matrix(kernel, (4, 4)), A)  # used from now on

x = np.arange(16.0).reshape(4, 4)
y = np.array([[1.0, 2.0], [3.0, 4.0]])
smaller, larger = (A @ x.ravel()).reshape(2, 2), (A.T @ y.ravel()).reshape(4, 4)
np.testing.assert_allclose(smaller, convolve(x, kernel, 1, "valid"))
np.testing.assert_allclose(larger, transpose(y, kernel, 1, "valid"))
print("A x is the result of Conv2D, Aᵀ y that of Conv2DTranspose")

# %% tags=["L09"]
drawing.draw_matrices(kernel, A, (4, 4))

# %% [markdown]
# A row of $A$ describes a window: which pixels one output pixel reads, and with which weights. The
# same numbers form a column of $A^\top$. That column describes a stamp: which pixels one value
# writes to, and with which weights. One kernel serves both directions. This holds for every padding
# and stride:

# %%
random = np.random.default_rng(0)
for padding in ("valid", "same"):
    for stride in (1, 2):
        low = random.integers(-5, 6, (4, 5))
        size = tuple(fcn.geometry.transposed_size(n, 3, stride, padding) for n in low.shape)
        matrix = fcn.geometry.convolution_matrix(kernel, size, stride, padding)
        high = transpose(low, kernel, stride, padding)
        np.testing.assert_allclose((matrix.T @ low.ravel()).reshape(size), high)
        down_again = (matrix @ high.ravel()).reshape(4, 5)
        np.testing.assert_allclose(down_again, convolve(high, kernel, stride, padding))
        print(f"{padding:<5} stride {stride}: A is {matrix.shape[0]} × {matrix.shape[1]}")

# %% [markdown]
# ## 5. Is it the inverse?
#
# The transposed convolution is sometimes called a *deconvolution*. That name promises too much: an
# inverse would return exactly the picture that went in. We try both orders with a smooth kernel.
# Its weights add up to 2, so $A\,x$ is twice as bright as $x$. With stride 2, each pixel of
# $A^\top y$ receives a quarter of the weights, 0.5. The figure corrects for both.
#
# **Predict before you run:** will the eyes in the photograph come back sharp? Consider how many
# numbers there are halfway.

# %% tags=["L09"]
soft = np.outer([1, 3, 3, 1], [1, 3, 3, 1]) / 32  # the weights add up to 2
eyes = photo[50:114, 48:112]
tiny = eyes.reshape(32, 2, 32, 2).mean(axis=(1, 3))
halve = fcn.geometry.convolution_matrix(soft, (64, 64), stride=2, padding="same")  # A: 1024 × 4096
down, up = halve @ eyes.ravel(), halve.T @ tiny.ravel()
back, again = (halve.T @ down).reshape(64, 64), (halve @ up).reshape(32, 32)
print(f"mean error of Aᵀ A x: {np.abs(back - eyes).mean():.0f} grey levels")
print(f"mean error of A Aᵀ y: {np.abs(again - tiny).mean():.0f} grey levels")
half, double = down.reshape(32, 32) / 2, 2 * up.reshape(64, 64)
first = {"x": eyes, "A x, at half brightness": half, "Aᵀ A x": back}
second = {"y": tiny, "Aᵀ y, at double brightness": double, "A Aᵀ y": again}
drawing.draw_there_and_back({"down by A, then up by Aᵀ": first, "up by Aᵀ, then down by A": second})

# %% [markdown]
# The size comes back, but the values do not. On the way from 4096 numbers to 1024 and back,
# something must be lost, whatever the method. In the second row nothing need be lost, because 4096
# numbers have room for 1024. But the transpose still mixes neighbouring values. So an *upsampling*
# layer, which makes maps larger, does not undo the downsampling. It only provides a way up whose
# weights can be learned. What was lost on the way down must come from elsewhere: from the larger
# maps that came before. A connection that passes these maps on is called a *skip connection*
# (notebook 07).
#
# ## Exercise
#
# 1. Make a 3 × 3 filter that responds to edges along a diagonal, and draw its result on the
#    photograph. To check: it must give 0 on a wall. Its largest absolute value must not be the same
#    on `np.eye(9)` as on the mirror image `np.eye(9)[::-1]`.
# 2. Apply a convolution with kernel 3 and stride 2, then a transposed convolution with kernel 3 and
#    stride 2. For which $n$ does the size come back, with SAME and with VALID? Work it out on
#    paper, then check with `conv_size` and `transposed_size`.
# 3. SAME adds as few zeros as possible. How many does it add before and after, for a kernel of 3,
#    stride 2 and $n = 6$? And for $n = 7$? Check with
#    `fcn.geometry.same_padding(n, kernel, stride)`, and with `convolve` on a picture of ones.
# 4. For some kernels $A\,A^\top y = y$ holds exactly. Find such a 2 × 2 kernel for stride 2 and
#    VALID. Does $A^\top A\,x = x$ hold as well? Check with `convolution_matrix` and `np.eye`.
#
# Solutions: `fcn.solutions.show("01.1")`, `fcn.solutions.show("01.2")`,
# `fcn.solutions.show("01.3")`, `fcn.solutions.show("01.4")`.
