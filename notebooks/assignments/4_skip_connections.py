# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # Assignment 4: skip connections
#
# After five poolings, one position stands for 32 × 32 pixels. It knows what is there, but no longer
# where. You bring the detail back, from FCN-32s over 16s to 8s, by sum and by concatenation. You
# measure the effect where it matters: in a band along the boundaries.
#
# | task | minutes | points |
# | --- | --- | --- |
# | 1 crop to fit | 10 | 2 |
# | 2 FCN-32s, 16s, 8s by sum | 35 | 5 |
# | 3 a skip by concatenation | 15 | 3 |
# | 4 the band along a boundary | 25 | 3 |
# | 5 the error in the band | 10 | 3 |
# | 6 in words: the boundary scores | 20 | 4 |
#
# The assignment takes two hours.
#
# **How a task works.** Complete the cell that says `raise NotImplementedError()`, then run the
# check in the cell below it. The check says that your answer is right, or gives a hint. Hints cost
# nothing, and you may run a check as often as you like.
#
# **What you may use.** NumPy and Keras, and from the package whatever a task names. If a task says
# *write*, an answer that calls the package's version earns no points.
#
# **How it is graded.** The computer grades tasks 1 to 5, with other sizes and numbers than here.
# Each task earns all its points or none. A person grades task 6. The tasks do not depend on each
# other.

# %%
import numpy as np

import fcn_keras as fcn

# %%
import keras

keras.utils.set_random_seed(0)

# %% [markdown]
# ## Task 1: crop to fit (2 points)
#
# Pooling rounds up: 5 pixels become 3. Upsampling doubles: 3 become 6. So a map that went down and
# up again may be one pixel too long, and then it cannot be added to the finer map. Pixel *i* of the
# upsampled map came from pixel *i* // 2, so the surplus is at the end. Write a NumPy function that
# crops the coarse map to the height and width of the fine map and keeps all its channels. (L15,
# L18)


# %% answer="crop_to"
def crop_to(coarse, fine):
    """Coarse map (H, W, C) and fine map (h, w, D), h <= H and w <= W, to a map (h, w, C)."""
    ### BEGIN SOLUTION
    return coarse[: fine.shape[0], : fine.shape[1]]
    ### END SOLUTION


# %% check="crop_to" points=2
fcn.checks.crop_to(crop_to)
### BEGIN HIDDEN TESTS
fcn.checks.crop_to(crop_to, seed=SEED)
### END HIDDEN TESTS

# %% [markdown]
# ## Task 2: from 32 to 8 (5 points)
#
# Build the paper's three networks on an encoder that has the layers `pool3`, `pool4` and `pool5`
# (`encoder.input`, `encoder.get_layer("pool4").output`). All three begin with `score_fr`, a 1 × 1
# convolution from pool5 to class scores. (L18–L20)
#
# * **Stride 32:** `upscore`, a transposed convolution that upsamples by 32. Nothing else.
# * **Stride 16:** `upscore2` upsamples by 2. Its result is added to the scores that a 1 × 1
#   convolution `score_pool4` computes from pool4. Then `upscore16` upsamples by 16.
# * **Stride 8:** in place of the last step, `upscore_pool4` upsamples by 2. Its result is added to
#   the scores of `score_pool3`. Then `upscore8` upsamples by 8.
#
# The output is logits with the height and width of the image, whatever these are. Before each
# addition, and at the end, crop as in task 1.
#
# You may use Keras' layers and these layers of the package: `fcn.layers.score(num_classes, name)`,
# `fcn.layers.upscore(num_classes, factor, name)` and `fcn.layers.CropToMatch()([coarse, fine])`. If
# you use Keras' layers instead: the upscore layers have no bias, the score layers have one.
# Continue from the encoder's tensors; do not call the encoder. Build the rest yourself: an answer
# that uses `fcn.models` or `fcn.skip_connections` earns no points here.


# %% answer="fcn_sum"
def fcn_sum(encoder, num_classes, stride):
    """FCN-32s, 16s or 8s on an encoder: (batch, H, W, 3) to (batch, H, W, num_classes), logits."""

    ### BEGIN SOLUTION
    def skip(coarse, pool):
        fine = fcn.layers.score(num_classes, f"score_{pool}")(encoder.get_layer(pool).output)
        return keras.layers.Add()([fcn.layers.CropToMatch()([coarse, fine]), fine])

    x = fcn.layers.score(num_classes, "score_fr")(encoder.get_layer("pool5").output)
    if stride <= 16:
        x = skip(fcn.layers.upscore(num_classes, 2, "upscore2")(x), "pool4")
    if stride == 8:
        x = skip(fcn.layers.upscore(num_classes, 2, "upscore_pool4")(x), "pool3")
    name = "upscore" if stride == 32 else f"upscore{stride}"
    x = fcn.layers.upscore(num_classes, stride, name)(x)
    return keras.Model(encoder.input, fcn.layers.CropToMatch()([x, encoder.input]))
    ### END SOLUTION


# %% check="fcn_sum" points=5
fcn.checks.fcn_sum(fcn_sum)
### BEGIN HIDDEN TESTS
fcn.checks.fcn_sum(fcn_sum, seed=SEED)
### END HIDDEN TESTS

# %% [markdown]
# ## Task 3: by concatenation (3 points)
#
# Build FCN-16s once more, but now the two score maps are *concatenated* along the channels, the
# coarse one first. A convolution called `fuse_pool4_conv`, with kernel size 3, SAME padding and no
# activation, turns the 2 · `num_classes` channels back into `num_classes`. Everything else,
# including the names, is as in task 2. (L19)


# %% answer="fcn_concat"
def fcn_concat(encoder, num_classes):
    """FCN-16s with a concatenated skip: (batch, H, W, 3) to (batch, H, W, num_classes), logits."""
    ### BEGIN SOLUTION
    coarse = fcn.layers.score(num_classes, "score_fr")(encoder.get_layer("pool5").output)
    coarse = fcn.layers.upscore(num_classes, 2, "upscore2")(coarse)
    fine = fcn.layers.score(num_classes, "score_pool4")(encoder.get_layer("pool4").output)
    both = keras.layers.Concatenate()([fcn.layers.CropToMatch()([coarse, fine]), fine])
    x = keras.layers.Conv2D(num_classes, 3, padding="same", name="fuse_pool4_conv")(both)
    x = fcn.layers.upscore(num_classes, 16, "upscore16")(x)
    return keras.Model(encoder.input, fcn.layers.CropToMatch()([x, encoder.input]))
    ### END SOLUTION


# %% check="fcn_concat" points=3
fcn.checks.fcn_concat(fcn_concat)
### BEGIN HIDDEN TESTS
fcn.checks.fcn_concat(fcn_concat, seed=SEED)
### END HIDDEN TESTS

# %% [markdown]
# ## Task 4: the band along a boundary (3 points)
#
# Write a NumPy function that finds the pixels within `width` of a boundary between two classes: it
# returns True for these pixels and False for all others. (L20)
#
# * Width 1: the pixels that touch a pixel of another class on the left, on the right, above or
#   below. So the band contains both sides of the boundary.
# * Each further pixel of width adds a ring: all eight neighbours of the band so far, even across
#   void.
# * Where a class meets void (255), there is no boundary. There is none at the border of the image
#   either. Void pixels are never in the band.


# %% answer="band"
def band(labels, width):
    """Label map (H, W), class numbers or 255, to True or False for each pixel, (H, W)."""
    ### BEGIN SOLUTION
    inside = np.zeros(labels.shape, bool)
    for a, b in ((np.s_[1:], np.s_[:-1]), (np.s_[:, 1:], np.s_[:, :-1])):
        differ = (labels[a] != labels[b]) & (labels[a] != 255) & (labels[b] != 255)
        inside[a] |= differ
        inside[b] |= differ
    height, columns = labels.shape
    for _ in range(width - 1):
        around = np.pad(inside, 1)
        shifted = [around[i : i + height, j : j + columns] for i in range(3) for j in range(3)]
        inside = np.any(shifted, axis=0)
    return inside & (labels != 255)
    ### END SOLUTION


# %% check="band" points=3
fcn.checks.band(band)
### BEGIN HIDDEN TESTS
fcn.checks.band(band, seed=SEED)
assert not np.any(band(np.full((6, 7), 2, "uint8"), 3))
### END HIDDEN TESTS

# %% [markdown]
# ## Task 5: the error in the band (3 points)
#
# `band` is True where a pixel belongs to the band. Write a function that returns the share of wrong
# pixels among the pixels of the band, from 0 to 1. A band that somebody drew by hand may contain
# void pixels; they do not count. (L20)


# %% answer="band_error"
def band_error(true, found, band):
    """True labels with 255 for void, predicted labels, and a band, each (H, W), to a number."""
    ### BEGIN SOLUTION
    inside = band & (true != 255)
    return (found != true)[inside].mean()
    ### END SOLUTION


# %% check="band_error" points=3
fcn.checks.band_error(band_error)
### BEGIN HIDDEN TESTS
fcn.checks.band_error(band_error, seed=SEED)
### END HIDDEN TESTS

# %% [markdown]
# ## The boundary scores
#
# Three heads are trained on the same frozen encoder, in the same way and on the same drawn roads.
# The table shows the share of wrong pixels in bands of 1, 2, 4 and 8 pixels, and in the whole
# image. This takes half a minute.

# %%
roads = fcn.datasets.road_scenes("train", count=60).view({"road": ["road"]})
test = fcn.datasets.road_scenes("test", count=12).view({"road": ["road"]})
print("stride    1 px    2 px    4 px    8 px   everywhere")
for stride in (32, 16, 8):
    keras.utils.set_random_seed(0)
    model = fcn.models.fcn(2, stride, fcn.backbones.small_vgg(), width=None)
    fcn.training.fit(model, roads, steps=100, batch_size=8, learning_rate=1e-2)
    errors = [scores.pixel_error for scores in fcn.evaluation.boundary_scores(model, test).values()]
    errors.append(1 - fcn.evaluation.evaluate(model, test).pixel_accuracy)
    print(f"{stride:>6}", *(f"{100 * error:5.1f} %" for error in errors))

# %% [markdown]
# ## Task 6: in words (4 points)
#
# Answer in five to ten sentences, with numbers from the table above. Why is the error highest in
# the narrowest band, for each network? What do the skips change, and where do they change little?
# Why does the number for the whole image hide this? A network of stride 32 cannot be right to the
# pixel, even with perfect scores: about how wide is the region along a boundary that it can get
# wrong, and why? A person reads this answer.

# %% [markdown] written="boundary_scores" points=4
# ### BEGIN SOLUTION
# In the narrowest band every pixel is next to the boundary. If the predicted boundary is off by one
# or two pixels, half of this band is wrong, while the same shift affects only a small part of a
# wide band. The wider the band, the more easy pixels it contains. From stride 32 to 16 to 8 the
# error falls in every band. The fine scores of pool4 and pool3 were computed at 1/16 and 1/8 of the
# image size and still know on which side of the boundary a pixel lies. Far from boundaries the
# three networks agree, because there the coarse scores already say what is there. Boundaries are a
# small part of the image, so the pixel error of the whole image is only a few per cent for all
# three networks. At stride 32 there is one score for 32 × 32 pixels, and the upsampling draws
# straight lines between the scores. The network cannot know where the boundary runs within such a
# cell. So it can be wrong by about half a cell, 16 pixels, on either side.
# ### END SOLUTION

# %% [markdown]
# ## Rubric
#
# Task 6: 1 point for the narrow band with a reason, 1 point for what the skips change, with numbers
# from the table, 1 point for why the whole image hides it, 1 point for the width at stride 32 with
# a reason.
#
# **Before you hand in:** choose Kernel → Restart and run all. Does each check still say what it
# said before?
