# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # From the autoencoder to the FCN
#
# **Goal.** Turn the autoencoder of notebook 03 into a network that segments, by changing its last layer, its target and
# its loss, and nothing else. Then follow a picture through it and see where it finds out *what* and where it finds out *where*.
#
# **Idea.** The autoencoder gives three numbers for every pixel: red, green, blue. For segmentation we want for every pixel
# one number per class: how well does this class fit here? So the last layer gets one channel per class instead of one per
# colour, and the target is the label map instead of the picture. A network like this, only of layers that look at a small
# window, from a picture of any size to scores for each of its pixels, is a *fully convolutional network* (FCN).

# %%
import numpy as np

import fcn_keras as fcn
from fcn_keras.visualization.reconstruction import draw_hourglass_maps, draw_what_where


def at_half_size(data):
    images, masks = (np.stack(maps) for maps in zip(*data, strict=True))
    small = images.reshape(-1, 80, 2, 288, 2, 3).mean(axis=(2, 4)).round()  # every 2 × 2 pixels become one
    return small, masks[:, ::2, ::2].astype("int32")  # (N, 80, 288, 3) and (N, 80, 288): 0 background, 1 road


only_road = {"road": ["road"]}  # new class: the old ones in it; all that is not named becomes class 0, background
pictures, labels = at_half_size(fcn.datasets.road_scenes("train", count=120).view(only_road))
test, true = at_half_size(fcn.datasets.road_scenes("test", count=20).view(only_road))

# %% [markdown]
# First the autoencoder, nearly as in notebook 03: trained on pieces of the pictures, with the mean squared error, to give back
# what went in. `train` will serve for all trainings of this notebook. From step to step its learning rate falls, along a
# cosine, so that the last steps are small ones; six epochs will do.

# %%
import keras  # noqa: E402  after fcn_keras, which loads it without its start-up lines


def cut(maps):  # each in four: (N, 80, 288, …) → (4 N, 80, 72, …)
    return maps.reshape(len(maps), 80, 4, 72, *maps.shape[3:]).swapaxes(1, 2).reshape(-1, 80, 72, *maps.shape[3:])


def train(model, targets, loss, epochs):
    rate = keras.optimizers.schedules.CosineDecay(3e-3, decay_steps=epochs * 120)  # 480 pieces, 4 in a batch
    model.compile(keras.optimizers.Adam(rate), loss, jit_compile=False)
    model.fit(cut(pictures), cut(targets), batch_size=4, epochs=epochs, verbose=0)
    return model


# %%
keras.utils.set_random_seed(0)
autoencoder = train(fcn.models.cae(), pictures, "mean_squared_error", epochs=6)

# %% [markdown]
# ## 1. What changes, and what stays?
#
# We copy all layers up to the last one, with their weights. The new last layer is again a transposed convolution with stride
# 2. Only its channels are others: one per class, here two, background and road. There is no step from 0–1 to 0–255 behind it.
#
# **Predict before you run:** the last layer of the autoencoder has a 4 × 4 kernel, reads 16 channels and gives 3, with one bias
# each: 4 · 4 · 16 · 3 + 3 = 771 parameters. How many has the new one?


# %%
def fcn_from(autoencoder, num_classes):
    x = image = keras.Input((None, None, 3))
    for name in ("from_pixels", "conv1", "conv2", "conv3", "up1", "up2"):
        layer = autoencoder.get_layer(name)
        copy = layer.__class__.from_config(layer.get_config())  # a new layer of the same kind and size
        x = copy(x)
        copy.set_weights(layer.get_weights())
    scores = keras.layers.Conv2DTranspose(num_classes, 4, strides=2, padding="same", name="output")(x)
    return keras.Model(image, scores)


written_out, package = fcn_from(autoencoder, 2), fcn.models.fcn_from_cae(autoencoder, 2)
package.get_layer("output").set_weights(written_out.get_layer("output").get_weights())  # the only random ones
np.testing.assert_allclose(written_out.predict_on_batch(test[:2]), package.predict_on_batch(test[:2]), atol=1e-4)

# %% [markdown]
# They are equal, so from here on we take the package's. (It also cuts off the surplus of an odd size.) Now the two networks
# as tables, the autoencoder and the FCN.

# %%
first, second = (fcn.models.describe(model, (80, 288)) for model in (autoencoder, package))
before = {row.name: (row.kind, row.output_shape, row.parameters) for row in first}
for row in second:
    now = (row.kind, row.output_shape, row.parameters)
    word = "stays" if before.get(row.name) == now else "changed" if row.name in before else "new"
    print(f"{row.name:<12}{row.kind:<16}{'×'.join(map(str, row.output_shape)):<11}{row.parameters:>6}  {word}")
print("gone:", *(name for name in before if name not in {row.name for row in second}))
print(f"parameters: {autoencoder.count_params():,} before, {package.count_params():,} now")

# %% [markdown]
# | step | what changed | parameters |
# | --- | --- | --- |
# | 03 → 04 | `output`: 2 channels (classes) instead of 3 (colours) | 771 → 514 |
# |  | target: the label map instead of the picture | |
# |  | loss: cross-entropy instead of squared error | |
# |  | nothing else: 64,592 parameters start from what the autoencoder learned | |
#
# (`CropToMatch` is the package's layer that cuts off the surplus of odd sizes; it was called `reconstruction` and is called
# `logits` now. `to_pixels` was the step to 0–255. In the training that follows all parameters go on changing.)

# %% tags=["L12"]
changed = fcn.lecture.changed_layers(first, second)
assert changed == ["output", "logits"]
titles = "convolutional autoencoder", "fully convolutional network"
target = fcn.visualization.colourise(true[7], np.array([[40, 40, 60], [240, 160, 30]], "uint8"))
goals = "target: the picture", "target: the label map"
fcn.visualization.draw_two_architectures(first, second, titles, (test[7].astype("uint8"), target), goals, changed)

# %% [markdown]
# ## 2. Another loss
#
# What comes out now are *logits*: any numbers, one per class and pixel, and the class with the highest wins. The classifier
# of notebook 02 had the softmax inside; here the loss applies it, which is safer with large numbers. The softmax turns them
# into probabilities: $e^{\text{logit}}$ of each class, divided by the sum over the classes. The loss is the cross-entropy
# that the classifier had in notebook 02, minus the logarithm of the right class's probability. Only it is taken at every
# pixel, and averaged.
#
# **Predict before you run:** a network that gives 0 for both classes at every pixel: what is its loss?


# %%
def cross_entropy(labels, logits):
    probabilities = np.exp(logits) / np.exp(logits).sum(axis=-1, keepdims=True)  # (N, H, W, classes)
    of_the_right_one = np.take_along_axis(probabilities, labels[..., None], axis=-1)
    return -np.log(of_the_right_one).mean()


logits = package.predict_on_batch(test)  # (20, 80, 288, 2), from a last layer that is still random
theirs = fcn.training.segmentation_loss()(true, logits)  # the first brackets make the loss, the second use it
np.testing.assert_allclose(cross_entropy(true, logits), theirs, rtol=1e-4)
print(f"zeros everywhere: {cross_entropy(true, 0 * logits):.2f}")

# %% [markdown]
# (The package's also leaves out pixels that nobody labelled, called *void*; these scenes have none.)
#
# ## 3. It segments
#
# *IoU*, intersection over union: the number of pixels that belong to a class *and* were given it, divided by the number of
# those that belong to it *or* were given it; 100 % is perfect. The mean over both classes, background and road, is the *mean
# IoU*.
#
# **Predict before you run:** the network sees the colours of some 31 × 31 pixels around each pixel, and nothing more. What
# will it take for road although it is none?


# %%
def mean_iou(found, true):
    overlaps = [((found == c) & (true == c)).sum() / ((found == c) | (true == c)).sum() for c in (0, 1)]
    return np.mean(overlaps)


def segment(model):  # whole pictures, never seen: the class with the highest score
    return keras.ops.convert_to_numpy(model(test)).argmax(axis=-1)


keras.utils.set_random_seed(0)
model = train(fcn.models.fcn_from_cae(autoencoder, 2), labels, fcn.training.segmentation_loss(), epochs=6)
found = segment(model)
always = max(mean_iou(np.full_like(true, c), true) for c in (0, 1))
print(f"mean IoU on 20 new scenes: {100 * mean_iou(found, true):.0f} %; one class everywhere: {100 * always:.0f} %")
assert mean_iou(found, true) > 0.75

# %% tags=["L12"]
each = np.array([mean_iou(*pair) for pair in zip(found, true, strict=True)])
chosen = np.argsort(-each)[[1, 10, 19]]  # a good one, one in the middle, the worst
fcn.visualization.draw_results(test[chosen].astype("uint8"), found[chosen] == 1, "road", each[chosen])

# %% [markdown]
# The numbers at the left are mean IoU. White is what it takes for road: the road, with a straight edge, but also some grey
# sky at the top and, in the last scene, grey walls. They look like road to somebody who sees only a small window of the
# picture.
#
# ## 4. What, and where
#
# Now follow one picture. On the way down the maps get smaller, and each position sees more of the picture. How much? One
# position of a map reads 3 × 3 positions of the map before. These lie as far apart as the strides so far multiply to, so
# every layer adds 2 of its steps.

# %%
sees, step = 1, 1  # a pixel sees itself
for name in ("conv1", "conv2", "conv3"):
    sees, step = sees + (3 - 1) * step, 2 * step  # 3 × 3 kernel, then stride 2
    field = fcn.geometry.receptive_field(package, name)
    assert (sees, step) == (field.size, field.stride)
    print(f"{name}: one position sees {sees} × {sees} pixels, the next one lies {step} pixels further on")

# %% [markdown]
# What a position sees is called its *receptive field*, and what lies around a pixel is its *context*. On the way up,
# positions that see different things are mixed, so the fields go on growing: the package computes them too.
#
# **Predict before you run:** at which of the maps below is the road easiest to tell from the rest? And at which is its edge
# most exact?

# %% tags=["L13"]
names = ["conv1", "conv2", "conv3", "up1", "up2", "output"]
seen = {name: fcn.geometry.receptive_field(package, name).size for name in names}
maps = fcn.prediction.feature_maps(model, test[7], names)
down, up = {name: maps[name] for name in names[:3]}, {name: maps[name] for name in names[3:5]}
result = fcn.visualization.overlay(test[7].astype("uint8"), found[7] == 1)
draw_hourglass_maps(test[7].astype("uint8"), down, up, result, "prediction: road", seen)

# %% [markdown]
# Above, the *downsampling path*: from colours to *what*, coarser with every layer. Below, from right to left, the *upsampling
# path*: back to *where*. (The dots in `up1` come from its transposed convolution: in its kernel other weights serve the even
# places than the odd ones. More on this in notebook 06.)
#
# Pictures can deceive, so we measure both.
#
# * *What*: read the class off a layer's channels by a weighted sum, the best one on training pictures (least squares). How
#   many pixels are wrong, far away from the road's edge? There it does not matter that the map is coarse.
# * *Where*: this is a matter of the grid and not of the weights. Suppose each position of the layer knew its best class. How
#   many pixels near the edge would still be wrong, because one position stands for a whole block of them?
#
# And for comparison what is read off near the edge: it can be no better than the grid, and may be worse.


# %%
def share(labels, step):  # how much of each block of step × step pixels is road
    return labels.reshape(-1, 80 // step, step, 288 // step, step).mean(axis=(2, 4))


def to_pixels(grid, step):
    return grid.repeat(step, axis=1).repeat(step, axis=2)


def read_off(features, labels, new_features):  # a weighted sum of the channels, and a bias
    columns, new_columns = (np.c_[f.reshape(-1, f.shape[-1]), np.ones(f[..., 0].size)] for f in (features, new_features))
    weights = np.linalg.lstsq(columns, labels.ravel(), rcond=None)[0]
    return (new_columns @ weights > 0.5).reshape(new_features.shape[:3])


# %% [markdown]
# **Predict before you run:** `conv3` and `up2`: which of the two errors will be smaller in which?

# %% tags=["L13"]
near = np.stack([fcn.evaluation.boundary_band(mask, 4) for mask in true])  # up to 4 pixels from the road's edge
layers = keras.Model(model.input, [model.get_layer(name).output for name in names])  # gives the maps of all these layers
known, new = ([keras.ops.convert_to_numpy(f) for f in layers(batch)] for batch in (pictures[:40], test))
what, where, read = {}, {}, {}
for name, features, new_features in zip(names, known, new, strict=True):
    step = 80 // features.shape[1]
    wrong = to_pixels(read_off(features, share(labels[:40], step), new_features), step) != true
    what[name], read[name] = wrong[~near].mean(), wrong[near].mean()
    where[name] = (to_pixels(share(true, step) > 0.5, step) != true)[near].mean()
assert what["conv3"] < 0.6 * what["conv1"] and where["conv3"] > where["up1"] > where["up2"] > where["output"]
for name in names:
    print(f"{name:<7} what {100 * what[name]:>2.0f} %   where {100 * where[name]:>2.0f} %   read off {100 * read[name]:>2.0f} %")
draw_what_where(seen, what, where, 4)

# %% [markdown]
# Down to `conv3` the error in *what* falls to less than half: each position sees more, and more layers have worked on it. But
# its grid is coarse: one pixel in five near the edge is wrong even with the best labels. On the way up the grid becomes fine
# again, and what was known is not lost. It even gets a little better; the fields still grow.
#
# That the grid *allows* an exact edge does not mean that the network finds it. Read off `conv3`, 29 % of the pixels near the edge
# are wrong; in the output 19 % still are, where the grid would allow 0 %. So the way up finds *where*, but not all of it: it
# must guess from a map of 10 × 36 where in each block the edge lies. Bringing the fine maps of the way down to the way up would
# help. That is a skip connection, notebook 07.
#
# ## Exercise
#
# 1. Segment all seven classes instead of two: `num_classes=7`, and label maps without `.view(only_road)`. Predict the
#    parameters of the last layer first. Which classes does it never find, and why? Check yourself: `count_params()`, and
#    `np.unique` of what it found.
# 2. Go back: make an autoencoder out of the trained FCN, with `fcn_from(model, 3)`, `keras.layers.Rescaling(255.0)` behind it
#    and the picture as target. What is the least that you have to train? Check yourself: keep all other layers as they are
#    (`layer.trainable = False`, before `train`) and compare its error with the one of `autoencoder`.
# 3. On paper: a fourth convolution with stride 2 (`widths=(16, 32, 64, 64)`). How much does one of its positions see, and how
#    many of its positions are left of a picture of 80 × 288? Check yourself with `fcn.geometry.receptive_field` and
#    `fcn.models.describe`.
# 4. The same layers without any downsampling: three 3 × 3 convolutions with stride 1, then a 1 × 1 convolution with 2
#    channels. What would become of the two curves of the last figure? Check yourself: how much does the last layer see?
# 5. Does the autoencoder's training help? `fcn_from_cae(autoencoder, 2)` starts from its weights,
#    `fcn_from_cae(fcn.models.cae(), 2)` from random ones. Train both for two epochs only, with three seeds, so that luck shows.
#    Check yourself with `mean_iou(segment(network), true)`. Which is ahead, and how sure are you?
#
# Solutions: `fcn.solutions.show("04.1")`, `fcn.solutions.show("04.2")`, `fcn.solutions.show("04.3")`,
# `fcn.solutions.show("04.4")`, `fcn.solutions.show("04.5")`.
