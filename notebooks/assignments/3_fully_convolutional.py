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
# A classifier says one thing about a picture of one size. You rewrite its dense layers as convolutions, so that it takes any
# size and answers at many places (L14, L15). Then you work out by hand which pixels an answer is about (L15), and turn a coarse
# map of scores into a class for every pixel (L17). The course's notebook `05_fully_convolutional` is the preparation.
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
# **How a task works.** Write the cell, run the check below it. The check says that the answer is right, or gives a hint; a hint
# is no lost point, and you may run a check as often as you like. The tasks do not depend on each other: do them in any order.
# Keep the names and the arguments of the functions. You may add cells.
#
# **What may be used.** Each task says it. Where it says *write*, the package's own function for it earns nothing.
#
# **How it is graded.** Tasks 1 to 5 by computer, all or nothing for each task, with other sizes and numbers than the checks
# here use. `fcn.checks.dense_as_conv(dense_as_conv, seed=7)` tries your answer on others too. Tasks 6 and 7 are read by a
# person; the rubric is at the end.

# %%
import matplotlib.pyplot as plt
import numpy as np

import fcn_keras as fcn

roads = fcn.datasets.road_scenes("test", count=1)
scene, scene_labels = roads[0]  # (160, 576, 3) and (160, 576)

import keras  # after fcn_keras, which loads it without its start-up lines

# %% [markdown]
# ## Task 1: a dense layer that slides (3 points)
#
# Behind a map of `height` × `width` × C, `Flatten` makes one row, position by position, and a dense layer multiplies the row by
# its matrix. The same matrix, folded, is the kernel of a convolution. On a map of just that size the kernel fits in one place;
# on a larger map it fits in many, and there is a score for each (L14).
#
# **Write** `dense_as_conv`. It gets maps of any height H ≥ `height` and width W ≥ `width`, the dense layer's matrix and its
# bias, and returns two arrays: the folded kernel, `(height, width, C, units)`, and the scores of the sliding layer,
# `(H − height + 1, W − width + 1, units)`. There is no activation. Only NumPy; loops are fine.
#
# The order in which `Flatten` reads a map is the whole difficulty. Look at it on a map of 2 × 3 positions with 2 channels,
# whose numbers say where they stand: 120 is row 1, column 2, channel 0.

# %%
where = np.array([[[100 * row + 10 * column + channel for channel in range(2)] for column in range(3)] for row in range(2)])
print("map, row 0:", where[0].tolist())
print("map, row 1:", where[1].tolist())
print("flattened: ", keras.ops.convert_to_numpy(keras.layers.Flatten()(where[None]))[0].astype(int).tolist())

# %% answer="dense_as_conv"
def dense_as_conv(maps, weights, bias, height, width):
    """Maps (H, W, C), dense weights (height·width·C, units) and bias (units,) to (kernel, scores); no Keras, no SciPy."""
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
assert np.shape(kernel) == (3, 1, 4, 5) and np.allclose(scores, 12 + np.arange(5.0)) and np.shape(scores) == (4, 1, 5)
### END HIDDEN TESTS

# %% [markdown]
# ## Task 2: a classifier for any size (5 points)
#
# Now a whole model (L14, L15). The classifiers of this task are chains of `Rescaling`, some `Conv2D` and `MaxPooling2D`, one
# `Flatten`, and two or more `Dense` layers, the last with softmax. How many there are, how large, and with which activations,
# differs.
#
# **Write** `fully_convolutional`. It gets such a classifier and returns a new `keras.Model` with
# * input `(None, None, 3)`: any height and width that the window fits into;
# * output `(batch, rows, columns, classes)`: at each place the classifier's probabilities; on an image of the classifier's own
#   size one place, and there the classifier's numbers;
# * the classifier's weights, all of them trainable if the classifier's are, and no layer with other weights.
#
# The classifier stays as it is. You may use all of Keras and NumPy, but not `fcn_keras.convolutionalize`. To look up:
# `model.layers`, `layer.input.shape`, `layer.get_weights()`, `layer.set_weights(…)`, `layer.activation`. A layer may be called
# a second time on another tensor. Your classifier to try it on:

# %%
keras.utils.set_random_seed(0)
classifier = fcn.models.classifier(4, size=64, widths=(8, 16, 16, 16), dense=32)
for layer in classifier.layers:
    print(f"{layer.name:<14}{type(layer).__name__:<14}{layer.output.shape}")
try:
    classifier(scene[None].astype("float32"))
except ValueError as refusal:
    print("a scene of 160 × 576:", refusal)

# %% answer="fully_convolutional"
def fully_convolutional(classifier):
    """A classifier of fixed size to the same one for any size, as a new `keras.Model`."""
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
# Each position of a map sees a window of the image, its *receptive field*. Along one axis three numbers say which (L15):
# * **size**: how many pixels of the image the window has;
# * **stride**: how many pixels further the next position's window begins;
# * **offset**: the first pixel that position 0 sees. Padding comes before pixel 0, so with padding the offset is negative.
#
# **Write** `receptive_field`. It gets a list of layers, the first one first; each is `(kernel, stride, before)`: pixels of its
# kernel, pixels of its step, and how many positions of padding it adds at the start, all on the map that *this layer* reads. It
# returns `(size, stride, offset)` in pixels of the image. Behind no layer at all, `[]`, a pixel sees itself. Plain Python or
# NumPy.
#
# Take paper first. The drawing shows a 3-convolution with padding 1, a pooling of 2, and another 3-convolution with padding 1.
# Count the pixels that position 2 of the last map sees.

# %%
layers = [(3, 1, 1), (2, 2, 0), (3, 1, 1)]
sizes, far = [12, 12, 6, 6], [1, 1, 2, 2]  # positions of each map, and how many pixels apart they are drawn
plt.figure(figsize=(9, 3))
for level, (kernel, step, before) in enumerate(layers):
    for position in range(sizes[level + 1]):
        for read in range(position * step - before, position * step - before + kernel):
            ends = [far[level] * (read + 0.5), far[level + 1] * (position + 0.5)]
            plt.plot(ends, [level, level + 1], color="0.75" if 0 <= read < sizes[level] else "tab:red", lw=0.8)
for level, (count, apart) in enumerate(zip(sizes, far)):
    plt.scatter(apart * (np.arange(count) + 0.5), [level] * count, s=60, color="k", zorder=2)
    for position in range(count):
        plt.text(apart * (position + 0.5), level + 0.14, position, ha="center", fontsize=8)
plt.yticks(range(4), ["image", "convolution", "pooling", "convolution"])
plt.xticks([])
plt.ylim(-0.3, 3.5)
plt.title("who reads whom; red: padding")
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
vgg = [layer for convolutions in (2, 2, 3, 3, 3) for layer in [(3, 1, 1)] * convolutions + [(2, 2, 0)]]
assert tuple(receptive_field(vgg)) == (212, 32, -90)
### END HIDDEN TESTS

# %% [markdown]
# ## Task 4: those pixels, cut out (2 points)
#
# To look at what an answer was given for, you want these pixels as a picture (L15). **Write** `pixels_seen`. It gets an image
# `(H, W, 3)`, the position `(row, column)` of a map, and the map's size, stride and offset (the same along both axes; see
# task 3), and returns the part of the image that this position sees. Near the border a window sticks out of the image: return
# only the pixels that exist. Only NumPy.
#
# This is what is meant, drawn with the package's own arithmetic; the third window sticks out.

# %%
encoder = fcn.backbones.small_vgg(weights=None)
field = fcn.geometry.receptive_field(encoder, "pool4")
print(f"pool4: size {field.size}, stride {field.stride}, offset {field.offset}")
plt.figure(figsize=(9, 3))
plt.imshow(scene)
for (row, column), colour in (((4, 8), "yellow"), ((4, 12), "orange"), ((1, 33), "red")):
    corner = [field.offset + int(field.stride) * place for place in (column, row)]  # x first
    plt.gca().add_patch(plt.Rectangle(corner, field.size, field.size, fill=False, color=colour, lw=2, clip_on=False))
    plt.text(*corner, f"({row}, {column})", color=colour, va="bottom", fontsize=8)
plt.axis("off")
plt.show()

# %% answer="pixels_seen"
def pixels_seen(image, position, size, stride, offset):
    """The part of `image` (H, W, 3) that the map's position (row, column) sees; smaller at the border."""
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
# A fully convolutional network gives coarse maps of *logits*, raw scores with one channel for each class. To label every pixel,
# the scores are filled in bilinearly until they have the image's size; then the channels under a pixel are the prediction for
# this pixel (L17).
#
# **Write** `scores_to_labels`. It gets logits `(rows, columns, classes)` and the image's height and width, and returns two
# arrays of `(height, width)`: the label map, with the class number of the highest score at each pixel, and the probability that
# softmax gives this class there. You may use NumPy and `keras.ops` (`keras.ops.image.resize` fills in bilinearly if you tell it
# to), but nothing of `fcn_keras`. Some of the logits that come are in the hundreds.
#
# Below are logits for a scene, one position for every 16 × 16 pixels, made from the scene's own labels. Choosing the class
# first would leave the blocks as they are.

# %%
one_hot = np.eye(roads.num_classes, dtype="float32")[np.where(scene_labels == 255, 0, scene_labels)]  # (160, 576, 7)
coarse = 10 * one_hot.reshape(10, 16, 36, 16, roads.num_classes).mean(axis=(1, 3))  # (10, 36, 7): shares of classes as logits
print("logits", coarse.shape, "for an image", scene.shape)
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
# The classifier of task 2 takes images of 64 × 64 and refuses all others. In two to four sentences: which layer ties it to this
# size, why can this layer not take more numbers, and why does the question not come up for the convolutions before it? A person
# reads this answer.

# %% [markdown] written="why_one_size" points=2
# ### BEGIN SOLUTION
# The first dense layer ties it to its size. It has one weight for each number of the flattened map, here 4 · 4 · 16 = 256 rows
# of weights; a larger image gives a larger map and a longer row, and for the numbers that are more there are no weights. A
# convolution has weights only for its window (3 × 3 × channels) and uses them again at every place, so a larger image means
# more places and no further weights.
# ### END SOLUTION

# %% [markdown]
# ## Task 7: in words, the slow way (2 points)
#
# A classifier for 64 × 64 pixels is to answer every 16 pixels on an image of 320 × 640. One student cuts out the window at each
# place and classifies it; another runs the fully convolutional model once. In three to five sentences: how many windows are
# there, about how many times as many pixels go through the convolutions the first way, and where does the repeated work come
# from? And name one reason why the two results may differ a little, if the convolutions use SAME padding. A person reads this
# answer.

# %% [markdown] written="why_slower" points=2
# ### BEGIN SOLUTION
# There are (320 − 64) / 16 + 1 = 17 places down and 37 across: 629 windows. They have 629 · 64 · 64 pixels together, 12.6 times
# the 320 · 640 of the image. Windows overlap: 48 of their 64 columns are also in the next window, so a pixel in the middle of
# the image lies in 16 windows and is convolved each time anew; the fully convolutional model computes each position of each map
# once, and all windows share it. Cut out, a window has zeros around it (SAME padding) where the whole image has neighbouring
# pixels, so numbers near its border differ.
# ### END SOLUTION

# %% [markdown]
# ## Rubric
#
# Tasks 1 to 5 are all or nothing, by computer. The written tasks:
#
# | task | points | for |
# | --- | --- | --- |
# | 6 | 1 | names the layer, with a reason |
# | | 1 | says what is different with a convolution |
# | 7 | 1 | the right number of windows, and a factor with a reason |
# | | 0.5 | says what is computed more than once |
# | | 0.5 | says why the numbers differ at the edge of a window |
#
# **Before you hand in:** Kernel → Restart and run all. Each check should print that the answer is right, or give the hint you
# decided to live with.
