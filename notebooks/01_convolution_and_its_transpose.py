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
# **Goal.** Compute a convolution and a transposed convolution by hand, predict the size of their results, and know why the
# second one is not the inverse of the first.
#
# **Idea.** A convolution slides a small table of weights, the *kernel*, over a picture: multiply what lies under it,
# add up, write down one number. A transposed convolution goes the other way: every number of a small map puts
# one weighted copy of the kernel onto a large map. The networks of this course make pictures small by the first and
# large again by the second, so both must be understood before anything else.

# %%
import matplotlib.cbook
import numpy as np

import fcn_keras as fcn
from fcn_keras.visualization import convolution as drawing

fcn.support.startup.import_keras_quietly()  # without the start-up lines of what computes for Keras
import keras  # noqa: E402

path = matplotlib.cbook.get_sample_data("grace_hopper.jpg", asfileobj=False)  # a file that matplotlib brings along
picture = fcn.images.read_image(path)  # (600, 512, 3), red, green and blue, 0–255
grey = picture[20:340, 90:410].mean(axis=-1)  # the face; the mean of the three colours is grey
photo = grey.reshape(160, 2, 160, 2).mean(axis=(1, 3))  # every 2 × 2 pixels become one
print(photo.shape, f"from {photo.min():.0f} to {photo.max():.0f}")

# %% [markdown]
# The photograph shows the computer pioneer Rear Admiral Grace Hopper. It is an official photograph of the US Navy and comes
# with matplotlib (found there on Wikimedia Commons, `File:Grace_Hopper.jpg`).
#
# ## 1. What can a table of nine weights see?
#
# Four filters made by hand. The two for edges are named after Sobel: one subtracts what is left of a pixel
# from what is right of it, the other what is above from what is below. Blurring takes a mean. Sharpening takes five times
# the pixel and subtracts its four neighbours.
#
# **Predict before you run:** on an evenly grey wall, what do the four filters give? (Add up the weights of each.)

# %%
filters = {
    "edges, left to right": np.array([[-1, 0, 1], [-2, 0, 2], [-1, 0, 1]]),
    "edges, top to bottom": np.array([[-1, -2, -1], [0, 0, 0], [1, 2, 1]]),
    "blur": np.full((5, 5), 0.04),
    "sharpen": np.array([[0, -1, 0], [-1, 5, -1], [0, -1, 0]]),
}
for name, weights in filters.items():
    wall = np.full(weights.shape, 100.0)
    print(f"{name:<21} weights add up to {weights.sum():.0f}, a wall of 100 gives {np.sum(wall * weights):.0f}")

# %% [markdown]
# Now slide the window over the photograph, with two loops and no library.


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
print(f"its edge, left to right: {filtered['edges, left to right'][1][60, 40]:.0f}")

# %% [markdown]
# Keras has the same as one function. It works on many pictures with many channels at once, so it wants four axes:
# the picture as `(batch, height, width, channels)`, the kernel as `(height, width, channels in, channels out)`. Here all
# the new axes have length 1. (`keras.ops` are functions like NumPy's that can also run on a graphics card.)

# %%
for name, (weights, result) in filtered.items():
    out = keras.ops.conv(photo[None, :, :, None].astype("float32"), weights[:, :, None, None].astype("float32"))
    np.testing.assert_allclose(keras.ops.convert_to_numpy(out)[0, :, :, 0], result, atol=1e-2)
    print(f"{name:<21} equal, {photo.shape} → {result.shape}")

# %% tags=["L02"]
drawing.draw_filters(photo, filtered)

# %% [markdown]
# Mathematicians turn the kernel by 180° (`kernel[::-1, ::-1]`) before they slide it and call what we did *correlation*.
# Networks do not turn it: their weights are learned, and would be learned turned just as well.
#
# Nobody designs the filters of a network. It starts with random ones and changes them until they help. In networks trained on
# millions of photographs many of the first ones look like those above; notebook 02 looks at those of a small network.
#
# ## 2. Which windows? Padding and stride
#
# Two choices decide where the window goes. *Padding*: VALID takes the windows that fit into the picture, SAME first adds a
# border of zeros, so that with stride 1 the result is as large as the picture; if an odd number of rows or columns is needed,
# the extra one goes below and to the right. *Stride*: how many pixels the window moves
# at a time.
#
# **Predict before you run:** a 5 × 5 input and a 3 × 3 kernel. How large is the result for VALID and for SAME, with
# stride 1 and with stride 2?


# %%
def places(size, kernel, stride, padding):
    """Along one axis: how many windows are there?"""
    starts = range(0, size - kernel + 1, stride) if padding == "valid" else range(0, size, stride)
    return len(starts)


for padding in ("valid", "same"):
    for stride in (1, 2):
        print(f"{padding:<5} stride {stride}: 5 → {places(5, 3, stride, padding)}")

# %% [markdown]
# The package has it as a formula, for $n$ pixels, a kernel of $k$ and stride $s$ (brackets that are open above round down,
# those open below round up):
#
# $$\text{VALID: } \left\lfloor \frac{n - k}{s} \right\rfloor + 1 \qquad \text{SAME: } \left\lceil \frac{n}{s} \right\rceil$$

# %%
for n in range(1, 60):
    for k in range(1, min(n, 9) + 1):
        for s in (1, 2, 3, 4):
            for padding in ("valid", "same"):
                assert places(n, k, s, padding) == fcn.geometry.conv_size(n, k, s, padding)
print("counted and computed sizes agree")

# %% tags=["L08"]
kernel = np.array([[1, 0, 1], [0, 2, 0], [0, 1, 0]])
small = np.array([[1, 0, 2, 1, 3], [2, 1, 0, 4, 1], [0, 3, 1, 2, 0], [1, 2, 5, 0, 1], [4, 0, 1, 1, 2]])
drawing.draw_convolution_steps(small, kernel)

# %% [markdown]
# Orange is the window, blue the kernel, green the cell that is computed. Grey zeros are padding. The sum under each step
# leaves out the weights that are zero. The same for all steps of one case, to play, stop and step through:

# %%
drawing.animate_convolution(small, kernel, stride=2, padding="same")

# %% [markdown]
# In Keras a convolution is a *layer*: a piece of a network that holds its own weights. `Conv2D(1, 3)` has one
# output channel and a 3 × 3 kernel. `build` makes the weights, `set_weights` replaces the random ones by ours.


# %%
def convolve(image, kernel, stride, padding):
    layer = keras.layers.Conv2D(1, len(kernel), strides=stride, padding=padding, use_bias=False)  # no constant is added
    layer.build((None, None, None, 1))  # any number of pictures of any size, one channel
    layer.set_weights([kernel[:, :, None, None]])
    return keras.ops.convert_to_numpy(layer(image[None, :, :, None].astype("float32")))[0, :, :, 0]


padded = np.pad(small, 1)  # SAME, for 5 × 5 and a kernel of 3: one zero on each side
for stride in (1, 2):
    np.testing.assert_allclose(convolve(small, kernel, stride, "valid"), slide(small, kernel)[::stride, ::stride])
    np.testing.assert_allclose(convolve(small, kernel, stride, "same"), slide(padded, kernel)[::stride, ::stride])
print(convolve(small, kernel, 2, "same"))

# %% [markdown]
# Stride 2 takes every second window, and the numbers are those of the figure. Now the sizes, for many inputs.
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
                assert found == tuple(fcn.geometry.conv_size(m, k, stride, padding) for m in (n, n + 3))
                count += 1
print(f"{count} sizes predicted, {count} confirmed by Keras")
print("SAME, stride 2:", {n: fcn.geometry.conv_size(n, 3, 2, "same") for n in range(4, 10)})

# %% [markdown]
# ## 3. The other way: stamps
#
# A transposed convolution starts from a small map. Take one input value, multiply the whole kernel by it, and add
# that stamp to the output. Go on to the next value, move the stamp by the stride, and add again. Where stamps overlap, they
# add up. VALID keeps everything the stamps cover. SAME cuts off the border so that the output is stride times as large.
#
# **Predict before you run:** a 3 × 3 input, a 3 × 3 kernel, stride 2, VALID. How large is the output? Which of its cells get
# more than one stamp?


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
# In Keras: `Conv2DTranspose`. Grey cells in the figure are what SAME cuts off; for our 3 × 3 kernel: with stride 1 one row
# and one column on each side, with stride 2 only one row below and one column on the right. The sizes: VALID $s\,(n - 1) +
# \max(k, s)$, SAME $s\,n$. (`stamp` makes $s\,(n - 1) + k$. Where the kernel is smaller than the stride there are gaps
# between the stamps, and Keras leaves one at the end, too; hence the maximum.)


# %%
def transpose(values, kernel, stride, padding):
    layer = keras.layers.Conv2DTranspose(1, len(kernel), strides=stride, padding=padding, use_bias=False)
    layer.build((None, None, None, 1))
    layer.set_weights([kernel[:, :, None, None]])
    return keras.ops.convert_to_numpy(layer(values[None, :, :, None].astype("float32")))[0, :, :, 0]


np.testing.assert_allclose(transpose(values, kernel, 1, "valid"), stamp(values, kernel, 1))
np.testing.assert_allclose(transpose(values, kernel, 2, "valid"), stamp(values, kernel, 2))
np.testing.assert_allclose(transpose(values, kernel, 1, "same"), stamp(values, kernel, 1)[1:-1, 1:-1])
np.testing.assert_allclose(transpose(values, kernel, 2, "same"), stamp(values, kernel, 2)[:-1, :-1])
print("the stamps are Conv2DTranspose")

# %% tags=["L09"]
count = 0
for k in (1, 2, 3, 4, 5):
    for stride in (1, 2, 3):
        for padding in ("valid", "same"):
            layer = keras.layers.Conv2DTranspose(1, k, strides=stride, padding=padding)
            for n in (1, 2, 3, 7):
                found = layer(np.zeros((1, n, n + 3, 1), "float32")).shape[1:3]
                assert found == tuple(fcn.geometry.transposed_size(m, k, stride, padding) for m in (n, n + 3))
                count += 1
print(f"{count} sizes predicted, {count} confirmed by Keras")

# %% [markdown]
# ## 4. Why is it called transposed?
#
# A convolution only multiplies and adds. So it is a matrix: write the picture as one long column $x$, and there is a table
# of numbers $A$ with $y = A\,x$. To find $A$ without thinking, convolve pictures in which a single pixel is 1:
# each result is one column of $A$.
#
# **Predict before you run:** a 4 × 4 input, a 3 × 3 kernel, VALID, stride 1. How many rows and columns has $A$, and how
# many of its numbers are not zero? (Our kernel has four weights that are not zero.)

# %%
pixels = np.eye(16).reshape(16, 4, 4)  # 16 pictures, each with another pixel set to 1
A = np.stack([slide(pixel, kernel).ravel() for pixel in pixels], axis=1)
print(f"A is {A.shape[0]} × {A.shape[1]}, {np.count_nonzero(A)} of its {A.size} numbers are not zero")

# %%
np.testing.assert_allclose(fcn.geometry.convolution_matrix(kernel, (4, 4)), A)  # from now on we take this one

x = np.arange(16.0).reshape(4, 4)
y = np.array([[1.0, 2.0], [3.0, 4.0]])
np.testing.assert_allclose((A @ x.ravel()).reshape(2, 2), convolve(x, kernel, 1, "valid"))  # A x: Conv2D
np.testing.assert_allclose((A.T @ y.ravel()).reshape(4, 4), transpose(y, kernel, 1, "valid"))  # Aᵀ y: Conv2DTranspose
print("A is Conv2D, its transpose is Conv2DTranspose")

# %% tags=["L09"]
drawing.draw_matrices(kernel, A, (4, 4))

# %% [markdown]
# A row of $A$ is a window: which pixels one output pixel reads, with which weights. The same numbers as a column of $A^\top$
# are a stamp: which pixels one value writes to, with which weights. The same kernel works in both directions. This holds for
# every padding and stride:

# %%
random = np.random.default_rng(0)
for padding in ("valid", "same"):
    for stride in (1, 2):
        low = random.integers(-5, 6, (4, 5))
        size = tuple(fcn.geometry.transposed_size(n, 3, stride, padding) for n in low.shape)
        matrix = fcn.geometry.convolution_matrix(kernel, size, stride, padding)
        high = transpose(low, kernel, stride, padding)
        np.testing.assert_allclose((matrix.T @ low.ravel()).reshape(size), high)
        np.testing.assert_allclose((matrix @ high.ravel()).reshape(4, 5), convolve(high, kernel, stride, padding))
        print(f"{padding:<5} stride {stride}: A is {matrix.shape[0]} × {matrix.shape[1]}")

# %% [markdown]
# ## 5. Is it the inverse?
#
# Some call the transposed convolution a *deconvolution*. That promises too much: an inverse would give back the very
# picture that went in. Try it, in both orders, with a soft kernel.
#
# **Predict before you run:** will the eyes of the photograph come back sharp? Think of how many numbers there are halfway.

# %% tags=["L09"]
soft = np.outer([1, 3, 3, 1], [1, 3, 3, 1]) / 32  # adds up to 2; with stride 2 a pixel gets a quarter of the weights: 0.5
eyes = photo[50:114, 48:112]
tiny = eyes.reshape(32, 2, 32, 2).mean(axis=(1, 3))
halve = fcn.geometry.convolution_matrix(soft, (64, 64), stride=2, padding="same")  # this is A now: 1024 × 4096
down, up = halve @ eyes.ravel(), halve.T @ tiny.ravel()
back, again = (halve.T @ down).reshape(64, 64), (halve @ up).reshape(32, 32)
print(f"Aᵀ A x is off by {np.abs(back - eyes).mean():.0f}, A Aᵀ y by {np.abs(again - tiny).mean():.0f} grey levels on average")
drawing.draw_there_and_back(
    {
        "down by A, then up by Aᵀ": {"x": eyes, "A x, at half brightness": down.reshape(32, 32) / 2, "Aᵀ A x": back},
        "up by Aᵀ, then down by A": {"y": tiny, "Aᵀ y, at double brightness": 2 * up.reshape(64, 64), "A Aᵀ y": again},
    }
)

# %% [markdown]
# The size comes back, the values do not. From 4096 numbers to 1024 and back, something must be lost, whoever does it. In the
# second row nothing would have to be lost, since 4096 numbers have room for 1024, but the transpose still mixes neighbours.
# So an *upsampling* layer, one that makes maps larger, undoes nothing. It only offers a way up with weights that can be
# learned. What was lost on the way down has to be brought from elsewhere, from the large maps before it: such a side road is
# called a *skip connection* (notebook 07).
#
# ## Exercise
#
# 1. Make a 3 × 3 filter that answers to edges along a diagonal, and draw what it finds in the photograph. To check: it must
#    give 0 on a wall, and `np.eye(9)` and its mirror image `np.eye(9)[::-1]` must not give the same largest absolute value.
# 2. A convolution with kernel 3 and stride 2, then a transposed convolution with kernel 3 and stride 2. For which $n$ does
#    the size come back, with SAME and with VALID? First on paper, then check with `conv_size` and `transposed_size`.
# 3. SAME adds as few zeros as it can. How many before and how many after, for a kernel of 3, stride 2 and $n = 6$? And for
#    $n = 7$? Check with `fcn.geometry.same_padding(n, kernel, stride)`, and with `convolve` on a picture of ones.
# 4. There are kernels for which $A\,A^\top y = y$ holds exactly. Find one of 2 × 2 for stride 2, VALID. Does $A^\top A\,x = x$
#    hold too? Check with `convolution_matrix` and `np.eye`.
#
# Solutions: `fcn.solutions.show("01.1")`, `fcn.solutions.show("01.2")`, `fcn.solutions.show("01.3")`,
# `fcn.solutions.show("01.4")`.
