# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # Assignment 2: from the autoencoder to the FCN
#
# You build a convolutional autoencoder, change what has to change so that it segments, write a loss
# that ignores unlabelled pixels, and train both networks on drawn road scenes.
#
# | task | minutes | points |
# | --- | --- | --- |
# | 1 the autoencoder | 25 | 4 |
# | 2 what changes | 20 | 3 |
# | 3 one channel per class | 10 | 2 |
# | 4 the loss, without void | 25 | 4 |
# | 5 train the autoencoder | 15 | 2 |
# | 6 train the FCN | 15 | 2 |
# | 7 in words: what changed, what stayed | 15 | 3 |
#
# The assignment takes a little over two hours.
#
# **How a task works.** Complete the cell that says `raise NotImplementedError()`, then run the
# check in the cell below it. The check says that your answer is right, or gives a hint. Hints cost
# nothing, and you may run a check as often as you like.
#
# **What you may use.** NumPy and Keras, and from the package whatever a task names. If a task says
# *write*, an answer that calls the package's version earns no points.
#
# **How it is graded.** The computer grades tasks 1 to 6, with other sizes and scenes than here.
# Each task earns all its points or none. A person grades task 7. The tasks do not depend on each
# other: where a task builds on an earlier one, it uses the package's version.

# %%
import numpy as np

import fcn_keras as fcn

# %%
import keras

keras.utils.set_random_seed(0)

# %% [markdown]
# ## Task 1: the autoencoder (4 points)
#
# Build a `keras.Model` from Keras' layers. The input is an image of any height and width with three
# channels, 0–255. (L10)
#
# * First a `Rescaling` to 0–1.
# * Then, for each number in `widths`, a `Conv2D` with that many channels, kernel size 3, stride 2,
#   SAME padding and ReLU. Call these layers `conv1`, `conv2`, …
# * Then back up: go through `widths` backwards, without its last number. For each number add a
#   `Conv2DTranspose` with that many channels, kernel size 4, stride 2, SAME padding and ReLU. Call
#   these layers `up1`, `up2`, …
# * Last a `Conv2DTranspose` called `output`, with kernel size 4, stride 2, SAME padding, three
#   channels and no activation, and a `Rescaling` to 0–255.
#
# For `widths = (16, 32, 64)` the layers and their channels are: conv1 (16), conv2 (32), conv3 (64),
# up1 (32), up2 (16), output (3). The check uses images whose height and width can be halved often
# enough.


# %% answer="build_cae"
def build_cae(widths):
    """An autoencoder: (batch, H, W, 3), 0-255, to the same shape and range.

    H and W are multiples of 2 ** len(widths).
    """
    ### BEGIN SOLUTION
    image = keras.Input((None, None, 3))
    x = keras.layers.Rescaling(1 / 255)(image)
    settings = {"strides": 2, "padding": "same"}
    for level, width in enumerate(widths, start=1):
        name = f"conv{level}"
        x = keras.layers.Conv2D(width, 3, **settings, activation="relu", name=name)(x)
    for level, width in enumerate(reversed(widths[:-1]), start=1):
        name = f"up{level}"
        x = keras.layers.Conv2DTranspose(width, 4, **settings, activation="relu", name=name)(x)
    x = keras.layers.Conv2DTranspose(3, 4, **settings, name="output")(x)
    return keras.Model(image, keras.layers.Rescaling(255.0)(x))
    ### END SOLUTION


# %% check="build_cae" points=4
fcn.checks.build_cae(build_cae)
### BEGIN HIDDEN TESTS
fcn.checks.build_cae(build_cae, seed=SEED)
assert build_cae((4,)).count_params() == 112 + 195
### END HIDDEN TESTS

# %% [markdown]
# ## Task 2: what has to change (3 points)
#
# `autoencoder` is a trained autoencoder as in task 1, built by `fcn.models.cae`. Its layers are
# called `from_pixels`, `conv1`, …, `up1`, …, `output`, `to_pixels`, `reconstruction`; find them by
# name. Return a new model that segments. It has the same layers, *with the autoencoder's weights*,
# up to the one before `output`, and a new `output` with one channel per class. The model gives
# logits: they can be any numbers, and the class with the highest one wins. (L12)


# %% answer="build_fcn"
def build_fcn(autoencoder, num_classes):
    """A model: (batch, H, W, 3), 0-255, to (batch, H, W, num_classes), logits.

    It starts from the autoencoder's weights.
    """
    ### BEGIN SOLUTION
    x = image = keras.Input((None, None, 3))
    for layer in autoencoder.layers:
        if layer.name == "from_pixels" or layer.name.startswith(("conv", "up")):
            copy = type(layer).from_config(layer.get_config())
            x = copy(x)
            copy.set_weights(layer.get_weights())
    last = keras.layers.Conv2DTranspose(num_classes, 4, strides=2, padding="same", name="output")
    return keras.Model(image, last(x))
    ### END SOLUTION


# %% check="build_fcn" points=3
fcn.checks.build_fcn(build_fcn)
### BEGIN HIDDEN TESTS
fcn.checks.build_fcn(build_fcn, seed=SEED)
### END HIDDEN TESTS

# %% [markdown]
# ## Task 3: one channel per class (2 points)
#
# The lecture writes a label map *one-hot*, with one channel per class: 1 in the channel of the
# pixel's class and 0 in the others. Pixels that nobody labelled are *void*: they have the number
# 255 in the label map, and 0 in all channels. Write the conversion in NumPy. (L22)


# %% answer="one_hot"
def one_hot(labels, num_classes):
    """Label map (H, W), 0 ... num_classes - 1 or 255, to (H, W, num_classes) of zeros and ones."""
    ### BEGIN SOLUTION
    return (labels[..., None] == np.arange(num_classes)).astype("float32")
    ### END SOLUTION


# %% check="one_hot" points=2
fcn.checks.one_hot(one_hot)
### BEGIN HIDDEN TESTS
fcn.checks.one_hot(one_hot, seed=SEED)
assert np.sum(one_hot(np.full((3, 4), 255, "uint8"), 5)) == 0
### END HIDDEN TESTS

# %% [markdown]
# ## Task 4: the loss, without void (4 points)
#
# Write the loss of a segmentation network in NumPy. At each labelled pixel the softmax turns the
# logits into probabilities. The loss of the pixel is minus the natural logarithm of the probability
# of the true class. The loss of the image is the mean over the *labelled* pixels. Pixels with the
# label 255 are ignored. Logits may be as large as ±1000, and $e^{1000}$ is infinite. But the
# softmax does not change when the same number is subtracted from all logits of a pixel. (L24)


# %% answer="cross_entropy"
def cross_entropy(labels, logits):
    """Labels (H, W), class numbers or 255, and logits (H, W, C) to the mean cross-entropy."""
    ### BEGIN SOLUTION
    logits = logits - logits.max(axis=-1, keepdims=True)
    log_probabilities = logits - np.log(np.exp(logits).sum(axis=-1, keepdims=True))
    known = labels != 255
    return -log_probabilities[known][np.arange(known.sum()), labels[known]].mean()
    ### END SOLUTION


# %% check="cross_entropy" points=4
fcn.checks.cross_entropy(cross_entropy)
### BEGIN HIDDEN TESTS
fcn.checks.cross_entropy(cross_entropy, seed=SEED)
assert np.isclose(cross_entropy(np.zeros((2, 2), int), np.zeros((2, 2, 7))), np.log(7))
### END HIDDEN TESTS

# %% [markdown]
# ## The data
#
# Sixty drawn road scenes at half size, with their label maps: 0 is background, 1 is road. Each
# scene is cut into four pieces, so that there are many short training steps.

# %%
roads = fcn.datasets.road_scenes("train", count=60).view({"road": ["road"]})
pictures = np.concatenate([np.split(image[::2, ::2], 4, axis=1) for image, _ in roads])
pictures = pictures.astype("float32")
labels = np.concatenate([np.split(mask[::2, ::2], 4, axis=1) for _, mask in roads]).astype("int32")
print("pictures", pictures.shape, "from", pictures.min(), "to", pictures.max())
print("labels", labels.shape, "with the numbers", np.unique(labels))
shown = [0, 40, 80]
some = [picture.astype("uint8") for picture in pictures[shown]]
fcn.visualization.draw_one_hot(some, list(labels[shown]), ("background", "road"))

# %% [markdown]
# ## Task 5: train the autoencoder (2 points)
#
# Train `fcn.models.cae()` with Keras (`compile`, then `fit`) so that it reproduces its input, and
# call the trained model `trained_cae`. Adam with a learning rate of 3e-3, batches of 4 and six
# epochs are enough; this takes some ten seconds. On scenes that it has never seen, the model must
# be clearly better than a single colour everywhere. `jit_compile=False` is faster on most laptops;
# `verbose=0` keeps the page short. Choose the target and the loss yourself. (L10, L11)

# %% answer="trained_cae"
trained_cae = None  # your trained model
### BEGIN SOLUTION
keras.utils.set_random_seed(0)
trained_cae = fcn.models.cae()
trained_cae.compile(keras.optimizers.Adam(3e-3), "mean_squared_error", jit_compile=False)
trained_cae.fit(pictures, pictures, batch_size=4, epochs=6, verbose=0)
### END SOLUTION

# %% check="trained_cae" points=2
fcn.checks.trained_cae(trained_cae)
### BEGIN HIDDEN TESTS
fcn.checks.trained_cae(trained_cae, seed=SEED)
### END HIDDEN TESTS

# %% [markdown]
# ## Task 6: train the FCN (2 points)
#
# Train `fcn.models.fcn_from_cae(fcn.models.cae(), 2)`, or your own model, on the label maps, and
# call the trained model `trained_fcn`. The loss is that of task 4. Keras has it (which of its
# losses takes class numbers and logits?), and so has the package:
# `fcn.training.segmentation_loss()`. Everything else is as in task 5. (L12, L24)

# %% answer="trained_fcn"
trained_fcn = None  # your trained model
### BEGIN SOLUTION
keras.utils.set_random_seed(0)
trained_fcn = fcn.models.fcn_from_cae(fcn.models.cae(), 2)
loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
trained_fcn.compile(keras.optimizers.Adam(3e-3), loss, jit_compile=False)
trained_fcn.fit(pictures, labels, batch_size=4, epochs=6, verbose=0)
### END SOLUTION

# %% check="trained_fcn" points=2
fcn.checks.trained_fcn(trained_fcn)
### BEGIN HIDDEN TESTS
fcn.checks.trained_fcn(trained_fcn, seed=SEED)
### END HIDDEN TESTS

# %% [markdown]
# ## Task 7: in words (3 points)
#
# Answer in four to eight sentences: what was changed to turn the autoencoder into a segmentation
# network, and what stayed? Which part finds *what* is in the image, and which part *where* it is?
# Why is there no dense layer, and what would one cost? A person reads this answer.

# %% [markdown] written="what_changed" points=3
# ### BEGIN SOLUTION
# Three things changed: the channels of the last layer (one per class instead of one per colour),
# the target (the label map instead of the image), and with it the loss (cross-entropy instead of
# squared error). The rescaling back to 0–255 is gone. All other layers stayed, and even their
# weights can be taken over. The downsampling path halves the map again and again. Each position
# sees more and more of the image and says *what* is there, but only roughly where. The upsampling
# path brings the result back to the size of the image: *where*. A dense layer has one weight for
# each pair of an input number and an output number. It ties the network to one image size, ignores
# which pixels are neighbours, and has far more weights than a kernel that is used everywhere.
# ### END SOLUTION

# %% [markdown]
# ## Rubric
#
# Task 7: 1 point for what changed and what stayed, 1 point for the two parts, 1 point for the dense
# layer with a reason.
#
# **Before you hand in:** choose Kernel → Restart and run all. Does each check still say what it
# said before?
