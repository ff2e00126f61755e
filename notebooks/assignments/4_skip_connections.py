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
# Five poolings leave one position for 32 × 32 pixels. It knows what is there, and has forgotten where. You bring the detail
# back: from FCN-32s over 16s to 8s, by sum and by concatenation, and you measure it where it matters, in a band along the
# boundaries.
#
# | task | minutes | points |
# | --- | --- | --- |
# | 1 cut to fit | 10 | 2 |
# | 2 FCN-32s, 16s, 8s by sum | 35 | 5 |
# | 3 a skip by concatenation | 15 | 3 |
# | 4 the band along a boundary | 25 | 3 |
# | 5 the error in the band | 10 | 3 |
# | 6 in words: the boundary scores | 20 | 4 |
#
# Two hours. **How a task works:** write the cell that says `raise NotImplementedError()`, then run the cell below it. It says
# that the answer is right, or gives a hint. A hint costs nothing; run it as often as you like. **What you may use:** NumPy
# and Keras, and of the package what a task names. A task that says *write* earns nothing by calling the package's own
# version. **How it is graded:** tasks 1 to 5 by the computer, with other sizes and numbers than here, all the points or none
# for each task; task 6 by a person. Tasks do not need one another.

# %%
import numpy as np

import fcn_keras as fcn

# %%
import keras

keras.utils.set_random_seed(0)

# %% [markdown]
# ## Task 1: cut to fit (2 points)
#
# Pooling rounds up: 5 pixels become 3. Upsampling doubles: 3 become 6. So a map that went down and up again may be a pixel
# too long, and cannot be added to the finer one. Pixel *i* of the upsampled map came from pixel *i* // 2, so the surplus is
# at the end. Write, in NumPy, the coarse map cut to the height and width of the fine one; the channels stay. (L15, L18)

# %% answer="crop_to"
def crop_to(coarse, fine):
    """Coarse map (H, W, C) and fine map (h, w, D), h <= H and w <= W; gives the coarse one as (h, w, C)."""
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
# Build the paper's three networks on an encoder that has layers `pool3`, `pool4` and `pool5` (`encoder.input`,
# `encoder.get_layer("pool4").output`). All of them begin with `score_fr`, a 1 × 1 convolution from pool5 to class scores.
#
# * **Stride 32:** `upscore`, a transposed convolution by 32, and that is it.
# * **Stride 16:** `upscore2` by 2, added to the scores that a 1 × 1 convolution `score_pool4` reads off pool4; then
#   `upscore16` by 16.
# * **Stride 8:** instead of the last step `upscore_pool4` by 2, added to `score_pool3`; then `upscore8` by 8.
#
# The result has the picture's height and width, whatever they are, and is logits. Before an addition, and at the end, cut as
# in task 1. You may use Keras' layers and these of the package: `fcn.layers.score(num_classes, name)`,
# `fcn.layers.upscore(num_classes, factor, name)` and `fcn.layers.CropToMatch()([coarse, fine])`. With Keras' own: upscore
# layers have no bias, score layers have one. Go on from the encoder's tensors, do not call it. Build the rest yourself:
# `fcn.models` and `fcn.skip_connections` earn nothing here. (L18–L20)

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
    x = fcn.layers.upscore(num_classes, stride, "upscore" if stride == 32 else f"upscore{stride}")(x)
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
# FCN-16s once more, but the two maps of scores are *concatenated* along the channels, the coarse one first, and a convolution
# called `fuse_pool4_conv`, kernel 3, SAME, no activation, brings the 2 · `num_classes` channels back to `num_classes`. All
# else, names too, as in task 2. (L19)

# %% answer="fcn_concat"
def fcn_concat(encoder, num_classes):
    """FCN-16s whose skip is concatenated: (batch, H, W, 3) to (batch, H, W, num_classes), logits."""
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
# Write, in NumPy, which pixels lie within `width` of a boundary between two classes. Width 1: the pixels that touch a pixel
# of another class at the left, the right, above or below; so both sides of the boundary. Each further pixel of width adds a
# ring, to all eight neighbours, also across void. Where a class meets void (255) there is no boundary, nor at the border of
# the picture; and no void pixel is in the band. (L20)

# %% answer="band"
def band(labels, width):
    """Label map (H, W), class numbers or 255; True or False for each pixel, (H, W)."""
    ### BEGIN SOLUTION
    inside = np.zeros(labels.shape, bool)
    for a, b in ((np.s_[1:], np.s_[:-1]), (np.s_[:, 1:], np.s_[:, :-1])):
        differ = (labels[a] != labels[b]) & (labels[a] != 255) & (labels[b] != 255)
        inside[a] |= differ
        inside[b] |= differ
    height, width_of_map = labels.shape
    for _ in range(width - 1):
        around = np.pad(inside, 1)
        inside = np.any([around[i : i + height, j : j + width_of_map] for i in range(3) for j in range(3)], axis=0)
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
# `band` is True where a pixel belongs to the band. Write the share of wrong pixels among the pixels of the band, from 0 to 1.
# A band that somebody drew by hand may lie on void: void pixels count nowhere. (L20)

# %% answer="band_error"
def band_error(true, found, band):
    """Label maps (H, W), the true one with 255 for void, and a band (H, W) of True and False; gives a number from 0 to 1."""
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
# Three heads on the same frozen encoder, trained in the same way on the same drawn roads. Below: the share of wrong pixels in
# bands of 1, 2, 4 and 8 pixels, and over the whole picture. This takes half a minute.

# %%
roads = fcn.datasets.road_scenes("train", count=60).view({"road": ["road"]})
test = fcn.datasets.road_scenes("test", count=12).view({"road": ["road"]})
print("stride    1 px    2 px    4 px    8 px   everywhere")
for stride in (32, 16, 8):
    keras.utils.set_random_seed(0)
    model = fcn.models.fcn(2, stride=stride, width=None)
    fcn.training.fit(model, roads, steps=100, batch_size=8, learning_rate=1e-2)
    errors = [scores.pixel_error for scores in fcn.evaluation.boundary_scores(model, test).values()]
    errors.append(1 - fcn.evaluation.evaluate(model, test).pixel_accuracy)
    print(f"{stride:>6}", *(f"{100 * error:5.1f} %" for error in errors))

# %% [markdown]
# ## Task 6: in words (4 points)
#
# In five to ten sentences, with numbers from the table above: why is the error highest in the narrowest band, for each
# network? What do the skips change, and where do they change little? Why does the number for the whole picture hide this? A
# network of stride 32 cannot be right to the pixel even with perfect scores: about how wide is the region along a boundary
# that it can get wrong, and why? A person reads this answer.

# %% [markdown] written="boundary_scores" points=4
# ### BEGIN SOLUTION
# In the narrowest band every pixel is next to the boundary: if the found boundary is off by one or two pixels, half of that
# band is wrong, while the same shift is a small part of a wide band. The wider the band, the more easy pixels are in it. From
# stride 32 to 16 to 8 the error falls in every band; the fine scores of pool4 and pool3 were computed at 1/16 and 1/8 and
# still know on which side of the boundary a pixel lies. Far from boundaries the three agree, since there the coarse scores
# already say what is there. Boundaries are a small share of the picture, so the pixel error of the whole picture is a few per
# cent for all three. At stride 32 there is one score for 32 × 32 pixels, upsampled along straight lines: where the boundary
# runs within such a cell it cannot know, so it can be wrong by about half a cell, 16 pixels, on either side.
# ### END SOLUTION

# %% [markdown]
# ## Rubric
#
# Task 6: 1 point for the narrow band with a reason, 1 point for what the skips change with numbers from the table, 1 point
# for why the whole picture hides it, 1 point for the width at stride 32 with a reason.
#
# **Before you hand in:** Kernel → Restart and run all. Does each check say what it said before?
