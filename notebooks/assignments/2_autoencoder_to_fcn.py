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
# You build a convolutional autoencoder, change in it what has to change so that it segments, write the loss for pixels that
# may be unlabelled, and train both networks on drawn road scenes.
#
# | task | minutes | points |
# | --- | --- | --- |
# | 1 the autoencoder | 25 | 4 |
# | 2 what changes | 20 | 3 |
# | 3 one channel per class | 10 | 2 |
# | 4 the loss, void left out | 25 | 4 |
# | 5 train the autoencoder | 15 | 2 |
# | 6 train the FCN | 15 | 2 |
# | 7 in words: what changed, what stayed | 15 | 3 |
#
# A good two hours. **How a task works:** write the cell that says `raise NotImplementedError()`, then run the cell below it.
# It says that the answer is right, or gives a hint. A hint costs nothing; run it as often as you like. **What you may use:**
# NumPy and Keras, and of the package what a task names. A task that says *write* earns nothing by calling the package's own
# version. **How it is graded:** tasks 1 to 6 by the computer, with other sizes and scenes than here, all the points or none
# for each task; task 7 by a person. Tasks do not need one another: where one goes on from another, the package's version is
# there.

# %%
import numpy as np

import fcn_keras as fcn

# %%
import keras

keras.utils.set_random_seed(0)

# %% [markdown]
# ## Task 1: the autoencoder (4 points)
#
# Build a `keras.Model` from Keras' layers. Input: pictures of any height and width with three channels, 0–255. First
# `Rescaling` to 0–1. Then for each number in `widths` a `Conv2D` with that many channels, kernel 3, stride 2, SAME, ReLU,
# called `conv1`, `conv2`, … Then back up: for all but the last of `widths`, from the last to the first, a `Conv2DTranspose`,
# kernel 4, stride 2, SAME, ReLU, called `up1`, `up2`, … Last a `Conv2DTranspose` called `output`, kernel 4, stride 2, SAME,
# with three channels and no activation, and a `Rescaling` to 0–255. (L10)
#
# For `widths = (16, 32, 64)`: conv1 (16), conv2 (32), conv3 (64), up1 (32), up2 (16), output (3). The check uses pictures
# whose sides can be halved often enough.

# %% answer="build_cae"
def build_cae(widths):
    """An autoencoder: (batch, H, W, 3), 0-255, to the same shape and range; H and W multiples of 2 ** len(widths)."""
    ### BEGIN SOLUTION
    image = keras.Input((None, None, 3))
    x = keras.layers.Rescaling(1 / 255)(image)
    for level, width in enumerate(widths, start=1):
        x = keras.layers.Conv2D(width, 3, strides=2, padding="same", activation="relu", name=f"conv{level}")(x)
    for level, width in enumerate(reversed(widths[:-1]), start=1):
        x = keras.layers.Conv2DTranspose(width, 4, strides=2, padding="same", activation="relu", name=f"up{level}")(x)
    x = keras.layers.Conv2DTranspose(3, 4, strides=2, padding="same", name="output")(x)
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
# `autoencoder` is a trained autoencoder as in task 1 (from `fcn.models.cae`; its layers are called `from_pixels`, `conv1`, …,
# `up1`, …, `output`, `to_pixels`, `reconstruction`; go by name). Give a new model that segments: the same layers *with the
# autoencoder's weights* up to the last one, and a new `output` with one channel per class. It gives logits: any numbers, the
# class with the highest one wins. (L12)

# %% answer="build_fcn"
def build_fcn(autoencoder, num_classes):
    """A model (batch, H, W, 3), 0-255, to (batch, H, W, num_classes), logits, that starts from the autoencoder's weights."""
    ### BEGIN SOLUTION
    x = image = keras.Input((None, None, 3))
    for layer in autoencoder.layers:
        if layer.name == "from_pixels" or layer.name.startswith(("conv", "up")):
            copy = type(layer).from_config(layer.get_config())
            x = copy(x)
            copy.set_weights(layer.get_weights())
    return keras.Model(image, keras.layers.Conv2DTranspose(num_classes, 4, strides=2, padding="same", name="output")(x))
    ### END SOLUTION


# %% check="build_fcn" points=3
fcn.checks.build_fcn(build_fcn)
### BEGIN HIDDEN TESTS
fcn.checks.build_fcn(build_fcn, seed=SEED)
### END HIDDEN TESTS

# %% [markdown]
# ## Task 3: one channel per class (2 points)
#
# The lecture writes a label map *one-hot*: one channel per class, 1 in the channel of the pixel's class and 0 in the others.
# Pixels that nobody labelled are *void*: they have the number 255, and 0 in all channels. Write it in NumPy. (L22)

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
# ## Task 4: the loss, void left out (4 points)
#
# Write the loss of a segmentation network in NumPy: at each labelled pixel the softmax turns the logits into probabilities;
# the loss of the pixel is minus the natural logarithm of the right class's probability; the loss of the picture is the mean
# over the *labelled* pixels. Pixels with the label 255 count nowhere. Logits may be as large as ±1000: $e^{1000}$ is
# infinite, and the softmax does not change when the same number is taken off all logits of a pixel. (L24)

# %% answer="cross_entropy"
def cross_entropy(labels, logits):
    """Labels (H, W), class numbers or 255; logits (H, W, C); the mean cross-entropy, a number."""
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
# Sixty drawn road scenes at half their size, and their label maps: 0 is background, 1 is road. Each is cut into four pieces,
# so that there are many short steps.

# %%
roads = fcn.datasets.road_scenes("train", count=60).view({"road": ["road"]})
pictures = np.concatenate([np.split(image[::2, ::2], 4, axis=1) for image, _ in roads]).astype("float32")
labels = np.concatenate([np.split(mask[::2, ::2], 4, axis=1) for _, mask in roads]).astype("int32")
print("pictures", pictures.shape, "from", pictures.min(), "to", pictures.max(), " labels", labels.shape, np.unique(labels))
order = np.arange(0, len(pictures), 40)
fcn.visualization.draw_one_hot([p.astype("uint8") for p in pictures[order][:3]], list(labels[order][:3]), ("background", "road"))

# %% [markdown]
# ## Task 5: train the autoencoder (2 points)
#
# Train `fcn.models.cae()` with Keras (`compile`, then `fit`) so that it gives back what goes in, and call the trained model
# `trained_cae`. Adam with a rate of 3e-3, batches of 4 and six epochs are enough: some ten seconds. It must be clearly
# better, on scenes that it has never seen, than one colour everywhere. `jit_compile=False` is faster on most laptops;
# `verbose=0` keeps the page short. Pick the target and the loss yourself. (L10, L11)

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
# Train `fcn.models.fcn_from_cae(fcn.models.cae(), 2)`, or your own, on the label maps and call it `trained_fcn`. The loss is
# that of task 4; Keras has it (which one fits class numbers and logits?), and so has the package:
# `fcn.training.segmentation_loss()`. The rest as in task 5. (L12, L24)

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
# In four to eight sentences: what was changed to make a segmentation network of an autoencoder, and what stayed? Which part
# finds *what* is in the picture and which one *where*? Why is there no dense layer, and what would it cost? A person reads
# this answer.

# %% [markdown] written="what_changed" points=3
# ### BEGIN SOLUTION
# Changed: the last layer's channels (one per class instead of one per colour), the target (the label map instead of the
# picture) and with it the loss (cross-entropy instead of squared error); the step back to 0–255 is gone. All other layers
# stayed, even their weights may be taken over. The path down halves the map again and again: each position sees more of the
# picture and says *what* is there, but only roughly where. The path up brings the result back to the picture's size: *where*.
# A dense layer has one weight for each pair of positions: it ties the network to one size of picture, forgets which
# neighbours belong together, and has far more weights than a kernel that is used everywhere.
# ### END SOLUTION

# %% [markdown]
# ## Rubric
#
# Task 7: 1 point for what changed and what stayed, 1 point for the two parts, 1 point for the dense layer with a reason.
#
# **Before you hand in:** Kernel → Restart and run all. Does each check say what it said before?
