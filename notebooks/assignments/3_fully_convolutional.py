# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # Assignment 3: fully convolutional
#
# A classifier makes one statement about an image of one size. You rewrite its dense layers as
# convolutions, so that it accepts any size and answers at many places (L14, L15). Then you work out
# by hand which pixels an answer depends on (L15), and turn a coarse map of scores into a class for
# every pixel (L17). Notebook `05_fully_convolutional` of the course prepares you for this
# assignment.
#
# | task | points | minutes |
# | --- | --- | --- |
# | 1. A dense layer that slides | 3 | 15 |
# | 2. A classifier for any size | 5 | 25 |
# | 3. What does one position see? | 3 | 15 |
# | 4. Those pixels, cut out | 2 | 10 |
# | 5. From scores to labels | 3 | 15 |
# | 6. In words: one size | 2 | 5 |
# | 7. In words: the slow way | 2 | 10 |
# | together | 20 | 95 |
#
# **How a task works.** Write the cell, then run the check below it. The check says that your answer
# is right, or gives a hint. Hints cost nothing, and you may run a check as often as you like. The
# tasks do not depend on each other: do them in any order. Keep the names and the arguments of the
# functions. You may add cells.
#
# **What you may use.** Each task says so. If a task says *write*, an answer that calls the
# package's version earns no points.
#
# **How it is graded.** The computer grades tasks 1 to 5, with other sizes and numbers than the
# checks here. Each task earns all its points or none.
# `fcn.checks.dense_as_conv(dense_as_conv, seed=7)` tries your answer with other numbers. A person
# reads tasks 6 and 7; the rubric is at the end.

# %%
import matplotlib.pyplot as plt
import numpy as np

import fcn_keras as fcn

roads = fcn.datasets.road_scenes("test", count=1)
scene, scene_labels = roads[0]  # (160, 576, 3) and (160, 576)

import keras  # after fcn_keras, which hides Keras' start-up messages

# %% [markdown]
# ## Task 1: a dense layer that slides (3 points)
#
# After a map of `height` × `width` × C, `Flatten` makes one row, position by position, and a dense
# layer multiplies this row by its matrix. The same matrix, reshaped, is the kernel of a
# convolution. On a map of exactly this size the kernel fits in one place. On a larger map it fits
# in many places, and each of them gives scores (L14).
#
# **Write** `dense_as_conv`. Its arguments are maps of any height H ≥ `height` and width W ≥
# `width`, the dense layer's matrix, and its bias. It returns two arrays: the reshaped kernel,
# `(height, width, C, units)`, and the scores of the sliding layer,
# `(H − height + 1, W − width + 1, units)`. There is no activation. Use only NumPy; loops are fine.
#
# The only difficulty is the order in which `Flatten` reads a map. Look at this order on a map of
# 2 × 3 positions with 2 channels. Each number says where it stands: 120 is row 1, column 2, channel
# 0.

# %%
row, column, channel = np.indices((2, 3, 2))
where = 100 * row + 10 * column + channel
flattened = keras.ops.convert_to_numpy(keras.layers.Flatten()(where[None]))[0]
print("map, row 0:", where[0].tolist())
print("map, row 1:", where[1].tolist())
print("flattened: ", flattened.astype(int).tolist())


# %% answer="dense_as_conv"
def dense_as_conv(maps, weights, bias, height, width):
    """Maps (H, W, C), weights (height·width·C, units) and bias (units,) to (kernel, scores)."""
    ### BEGIN SOLUTION
    channels, units = maps.shape[2], weights.shape[1]
    kernel = weights.reshape(height, width, channels, units)
    rows, columns = maps.shape[0] - height + 1, maps.shape[1] - width + 1
    scores = np.zeros((rows, columns, units))
    for i in range(rows):
        for j in range(columns):
            scores[i, j] = np.tensordot(maps[i : i + height, j : j + width], kernel, axes=3) + bias
    return kernel, scores
    ### END SOLUTION


# %% check="dense_as_conv" points=3
fcn.checks.dense_as_conv(dense_as_conv)
### BEGIN HIDDEN TESTS
fcn.checks.dense_as_conv(dense_as_conv, seed=SEED)
kernel, scores = dense_as_conv(np.ones((6, 1, 4)), np.ones((12, 5)), np.arange(5.0), 3, 1)
assert np.shape(kernel) == (3, 1, 4, 5) and np.shape(scores) == (4, 1, 5)
assert np.allclose(scores, 12 + np.arange(5.0))
### END HIDDEN TESTS

# %% [markdown]
# ## Task 2: a classifier for any size (5 points)
#
# Now you convert a whole model (L14, L15). The classifiers of this task are chains of one
# `Rescaling`, some `Conv2D` and `MaxPooling2D` layers, one `Flatten`, and two or more `Dense`
# layers, the last with softmax. The number of layers, their sizes and their activations differ.
#
# **Write** `fully_convolutional`. Its argument is such a classifier. It returns a new `keras.Model`
# with
#
# * the input `(None, None, 3)`: any height and width that the window fits into;
# * the output `(batch, rows, columns, classes)`: the classifier's probabilities at each place. An
#   image of the classifier's own size has one place, and the probabilities there are the
#   classifier's;
# * the classifier's weights, all of them trainable if the classifier's are, and no layer with other
#   weights.
#
# The classifier itself must not change. You may use all of Keras and NumPy, but not
# `fcn_keras.convolutionalize`. Useful to look up: `model.layers`, `layer.input.shape`,
# `layer.get_weights()`, `layer.set_weights(…)`, `layer.activation`. A layer may be called a second
# time on another tensor. Here is a classifier to try your function on:

# %%
keras.utils.set_random_seed(0)
classifier = fcn.models.classifier(4, size=64, widths=(8, 16, 16, 16), dense=32)
for layer in classifier.layers:
    print(f"{layer.name:<14}{type(layer).__name__:<14}{layer.output.shape}")
try:
    classifier(scene[None].astype("float32"))
except ValueError as error:
    print("a scene of 160 × 576:", error)


# %% answer="fully_convolutional"
def fully_convolutional(classifier):
    """A classifier of fixed size to the same classifier for any size, as a new `keras.Model`."""
    ### BEGIN SOLUTION
    x = image = keras.Input((None, None, 3))
    window = (1, 1)
    for layer in classifier.layers[1:]:  # the first is the input
        if isinstance(layer, keras.layers.Flatten):
            window = layer.input.shape[1:3]
        elif isinstance(layer, keras.layers.Dense):
            weights, bias = layer.get_weights()
            convolution = keras.layers.Conv2D(layer.units, window, activation=layer.activation)
            x = convolution(x)
            convolution.set_weights([weights.reshape(convolution.kernel.shape), bias])
            window = (1, 1)
        else:
            x = layer(x)
    return keras.Model(image, x)
    ### END SOLUTION


# %% check="fully_convolutional" points=5
fcn.checks.fully_convolutional(fully_convolutional)
### BEGIN HIDDEN TESTS
fcn.checks.fully_convolutional(fully_convolutional, seed=SEED)
model = fully_convolutional(fcn.models.classifier(5, size=32, widths=(4, 6), dense=9))
assert model(np.zeros((2, 32, 48, 3), "float32")).shape == (2, 1, 5, 5)
### END HIDDEN TESTS

# %% [markdown]
# ## Task 3: what does one position see? (3 points)
#
# Each position of a map sees a window of the image, its *receptive field*. Along one axis, three
# numbers describe these windows (L15):
#
# * **size**: the number of pixels in the window;
# * **stride**: the number of pixels from the beginning of one position's window to the beginning of
#   the next;
# * **offset**: the first pixel that position 0 sees. Padding comes before pixel 0, so with padding
#   the offset is negative.
#
# **Write** `receptive_field`. Its argument is a list of layers, the first layer first. Each layer
# is a tuple `(kernel, stride, before)`: the size of its kernel, the size of its step, and the
# number of padded positions that it adds at the start. All three are counted in positions of the
# map that *this layer* reads. The function returns `(size, stride, offset)` in pixels of the image.
# Without any layer, `[]`, a pixel sees itself. Use plain Python or NumPy.
#
# Begin on paper. The figure shows a convolution with kernel size 3 and padding 1, a pooling of 2,
# and another convolution with kernel size 3 and padding 1. Count the pixels that position 2 of the
# last map sees.

# %%
layers = [(3, 1, 1), (2, 2, 0), (3, 1, 1)]
sizes, far = [12, 12, 6, 6], [1, 1, 2, 2]  # positions of each map, and their distance in pixels
plt.figure(figsize=(9, 3))
for level, (kernel, step, before) in enumerate(layers):
    for position in range(sizes[level + 1]):
        for read in range(position * step - before, position * step - before + kernel):
            ends = [far[level] * (read + 0.5), far[level + 1] * (position + 0.5)]
            colour = "0.75" if 0 <= read < sizes[level] else "tab:red"
            plt.plot(ends, [level, level + 1], color=colour, lw=0.8)
for level, (count, apart) in enumerate(zip(sizes, far)):
    plt.scatter(apart * (np.arange(count) + 0.5), [level] * count, s=60, color="k", zorder=2)
    for position in range(count):
        plt.text(apart * (position + 0.5), level + 0.14, position, ha="center", fontsize=8)
plt.yticks(range(4), ["image", "convolution", "pooling", "convolution"])
plt.xticks([])
plt.ylim(-0.3, 3.5)
plt.title("which positions each position reads; red: padding")
plt.show()


# %% answer="receptive_field"
def receptive_field(layers):
    """A list of (kernel, stride, before) to (size, stride, offset), in pixels of the image."""
    ### BEGIN SOLUTION
    size, stride, offset = 1, 1, 0
    for kernel, step, before in layers:
        size += (kernel - 1) * stride
        offset -= before * stride
        stride *= step
    return size, stride, offset
    ### END SOLUTION


# %% check="receptive_field" points=3
fcn.checks.receptive_field(receptive_field)
### BEGIN HIDDEN TESTS
fcn.checks.receptive_field(receptive_field, seed=SEED)
vgg = [layer for count in (2, 2, 3, 3, 3) for layer in [(3, 1, 1)] * count + [(2, 2, 0)]]
assert tuple(receptive_field(vgg)) == (212, 32, -90)
### END HIDDEN TESTS

# %% [markdown]
# ## Task 4: those pixels, cut out (2 points)
#
# To see what an answer depends on, you want to look at these pixels as an image (L15). **Write**
# `pixels_seen`. Its arguments are an image `(H, W, 3)`, the position `(row, column)` in a map, and
# the map's size, stride and offset (the same along both axes; see task 3). It returns the part of
# the image that this position sees. Near the border, a window extends beyond the image: return only
# the pixels that exist. Use only NumPy.
#
# The figure shows three such windows, computed by the package. The third one extends beyond the
# image.

# %%
encoder = fcn.backbones.small_vgg(weights=None)
field = fcn.geometry.receptive_field(encoder, "pool4")
print(f"pool4: size {field.size}, stride {field.stride}, offset {field.offset}")
plt.figure(figsize=(9, 3))
plt.imshow(scene)
for (row, column), colour in (((4, 8), "yellow"), ((4, 12), "orange"), ((1, 33), "red")):
    corner = [field.offset + int(field.stride) * place for place in (column, row)]  # x first
    style = {"fill": False, "color": colour, "lw": 2, "clip_on": False}
    plt.gca().add_patch(plt.Rectangle(corner, field.size, field.size, **style))
    plt.text(*corner, f"({row}, {column})", color=colour, va="bottom", fontsize=8)
plt.axis("off")
plt.show()


# %% answer="pixels_seen"
def pixels_seen(image, position, size, stride, offset):
    """The part of `image` (H, W, 3) that the position (row, column) sees; smaller at the border."""
    ### BEGIN SOLUTION
    top, left = (offset + stride * place for place in position)
    return image[max(top, 0) : top + size, max(left, 0) : left + size]
    ### END SOLUTION


# %% check="pixels_seen" points=2
fcn.checks.pixels_seen(pixels_seen)
### BEGIN HIDDEN TESTS
fcn.checks.pixels_seen(pixels_seen, seed=SEED)
assert np.shape(pixels_seen(np.zeros((50, 70, 3)), (0, 5), 30, 10, -9)) == (21, 29, 3)
### END HIDDEN TESTS

# %% [markdown]
# ## Task 5: from scores to labels (3 points)
#
# A fully convolutional network gives coarse maps of *logits*, raw scores with one channel for each
# class. To label every pixel, the scores are interpolated bilinearly to the size of the image. Then
# the channels at a pixel are the prediction for this pixel (L17).
#
# **Write** `scores_to_labels`. Its arguments are logits `(rows, columns, classes)` and the image's
# height and width. It returns two arrays of `(height, width)`: the label map, which holds the class
# number of the highest score at each pixel, and the probability that the softmax gives this class
# there. You may use NumPy and `keras.ops` (`keras.ops.image.resize` can interpolate bilinearly),
# but nothing from `fcn_keras`. Some of the logits in the check are in the hundreds.
#
# Below you see logits for a scene, with one position for every 16 × 16 pixels, made from the
# scene's own labels. If you chose the classes first, the blocks would stay as they are.

# %%
known = np.where(scene_labels == 255, 0, scene_labels)
one_hot = np.eye(roads.num_classes, dtype="float32")[known]  # (160, 576, 7)
cells = one_hot.reshape(10, 16, 36, 16, roads.num_classes)
coarse = 10 * cells.mean(axis=(1, 3))  # (10, 36, 7): the shares of the classes as logits
print(f"logits {coarse.shape} for an image {scene.shape}")
figure, (left, right) = plt.subplots(1, 2, figsize=(12, 2))
left.imshow(scene)
left.set_title("the scene")
right.imshow(coarse.argmax(axis=-1), cmap="tab10", vmax=9, interpolation="nearest")
right.set_title("the best class at each of 10 × 36 places")
plt.show()


# %% answer="scores_to_labels"
def scores_to_labels(logits, height, width):
    """Logits (rows, columns, classes) to (labels, probability), both (height, width)."""
    ### BEGIN SOLUTION
    scores = keras.ops.image.resize(logits[None], (height, width), interpolation="bilinear")[0]
    probabilities = keras.ops.convert_to_numpy(keras.ops.softmax(scores, axis=-1))
    return keras.ops.convert_to_numpy(scores).argmax(axis=-1), probabilities.max(axis=-1)
    ### END SOLUTION


# %% check="scores_to_labels" points=3
fcn.checks.scores_to_labels(scores_to_labels)
### BEGIN HIDDEN TESTS
fcn.checks.scores_to_labels(scores_to_labels, seed=SEED)
labels, probability = scores_to_labels(np.float32([[[0, 0, 1000]]]), 3, 2)
assert np.array_equal(labels, np.full((3, 2), 2)) and np.allclose(probability, 1)
### END HIDDEN TESTS

# %% [markdown]
# ## Task 6: in words, one size (2 points)
#
# The classifier of task 2 accepts images of 64 × 64 and rejects all others. Answer in two to four
# sentences: which layer ties it to this size? Why can this layer not take more numbers? Why do the
# convolutions before it not have this problem? A person reads this answer.

# %% [markdown] written="why_one_size" points=2
# ### BEGIN SOLUTION
# The first dense layer ties the classifier to its size. It has one row of weights for each number
# of the flattened map, here 4 · 4 · 16 = 256 rows. A larger image gives a larger map and more
# numbers, and for the additional numbers there are no weights. A convolution has weights only for
# its window (3 × 3 × channels) and uses them at every place, so a larger image means more places
# but no additional weights.
# ### END SOLUTION

# %% [markdown]
# ## Task 7: in words, the slow way (2 points)
#
# A classifier for 64 × 64 pixels is to answer every 16 pixels on an image of 320 × 640. One student
# cuts out the window at each place and classifies it. Another student runs the fully convolutional
# model once. Answer in three to five sentences: how many windows are there? About how many times as
# many pixels go through the convolutions in the first way, and where does the repeated work come
# from? Also name one reason why the two results may differ a little if the convolutions use SAME
# padding. A person reads this answer.

# %% [markdown] written="why_slower" points=2
# ### BEGIN SOLUTION
# There are (320 − 64) / 16 + 1 = 17 places down and 37 across: 629 windows. Together they have 629
# · 64 · 64 pixels, 12.6 times the 320 · 640 pixels of the image. The windows overlap: 48 of the 64
# columns of a window are also in the next one. So a pixel in the middle of the image lies in 16
# windows and is processed again in each of them. The fully convolutional model computes each
# position of each map once, and all windows share it. A window that is cut out has zeros around it
# (SAME padding), where the whole image has neighbouring pixels. So the numbers near the border of a
# window differ.
# ### END SOLUTION

# %% [markdown]
# ## Rubric
#
# The computer grades tasks 1 to 5, all or nothing. The written tasks:
#
# | task | points | for |
# | --- | --- | --- |
# | 6 | 1 | names the layer, with a reason |
# | | 1 | says what is different in a convolution |
# | 7 | 1 | the right number of windows, and a factor with a reason |
# | | 0.5 | says what is computed more than once |
# | | 0.5 | says why the numbers differ at the border of a window |
#
# **Before you hand in:** choose Kernel → Restart and run all. Each check should say that your
# answer is right, or give a hint that you have decided to accept.
