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
# **Goal.** Turn the autoencoder of notebook 03 into a network that segments. Change only its last
# layer, its target and its loss. Then follow a picture through the network and see which layers
# find *what* and which find *where*.
#
# **Idea.** For every pixel, the autoencoder gives three numbers: red, green and blue. For
# segmentation we want one number per class instead, which says how well this class fits the pixel.
# So the last layer gets one channel per class instead of one per colour, and the target is the
# label map instead of the picture. The result is a *fully convolutional network* (FCN). Each of its
# layers looks only at a small window. The network takes a picture of any size and gives scores for
# each of its pixels.

# %%
import numpy as np

import fcn_keras as fcn
from fcn_keras.visualization.reconstruction import draw_hourglass_maps, draw_what_where


def at_half_size(data):
    images, masks = (np.stack(maps) for maps in zip(*data, strict=True))
    small = images.reshape(-1, 80, 2, 288, 2, 3).mean(axis=(2, 4)).round()  # 2 × 2 pixels become 1
    return small, masks[:, ::2, ::2].astype("int32")  # (N, 80, 288, 3), (N, 80, 288)


only_road = {"road": ["road"]}  # class 1: road; class 0: all other classes, as background
pictures, labels = at_half_size(fcn.datasets.road_scenes("train", count=120).view(only_road))
test, true = at_half_size(fcn.datasets.road_scenes("test", count=20).view(only_road))

# %% [markdown]
# First we train the autoencoder, almost as in notebook 03: on pieces of the pictures, with the mean
# squared error, to reproduce its input. We use the function `train` for every training in this
# notebook. It lowers the learning rate from step to step along a cosine, so that the last steps are
# small. Six epochs are enough.

# %%
import keras  # noqa: E402  after fcn_keras, which hides Keras' start-up messages


def cut(maps):  # each map into four: (N, 80, 288, …) → (4 N, 80, 72, …)
    rest = maps.shape[3:]
    return maps.reshape(len(maps), 80, 4, 72, *rest).swapaxes(1, 2).reshape(-1, 80, 72, *rest)


def train(model, targets, loss, epochs):
    rate = keras.optimizers.schedules.CosineDecay(3e-3, decay_steps=epochs * 120)  # 480 pieces / 4
    model.compile(keras.optimizers.Adam(rate), loss, jit_compile=False)
    model.fit(cut(pictures), cut(targets), batch_size=4, epochs=epochs, verbose=0)
    return model


# %%
keras.utils.set_random_seed(0)
autoencoder = train(fcn.models.cae(), pictures, "mean_squared_error", epochs=6)

# %% [markdown]
# ## 1. What changes, and what stays?
#
# We copy all layers except the last one, with their weights. The new last layer is also a
# transposed convolution with stride 2, but it has one channel per class: here two, background and
# road. The step from 0–1 to 0–255 is dropped. Only the weights of the new layer are
# random.
#
# **Predict before you run:** the last layer of the autoencoder has a 4 × 4 kernel, reads 16
# channels and gives 3, with one bias each: 4 · 4 · 16 · 3 + 3 = 771 parameters. How many parameters
# does the new last layer have?


# %%
def fcn_from(autoencoder, num_classes):
    x = image = keras.Input((None, None, 3))
    for name in ("from_pixels", "conv1", "conv2", "conv3", "up1", "up2"):
        layer = autoencoder.get_layer(name)
        copy = layer.__class__.from_config(layer.get_config())  # a new layer of the same kind
        x = copy(x)
        copy.set_weights(layer.get_weights())
    last = keras.layers.Conv2DTranspose(num_classes, 4, strides=2, padding="same", name="output")
    return keras.Model(image, last(x))


written_out, package = fcn_from(autoencoder, 2), fcn.models.fcn_from_cae(autoencoder, 2)
package.get_layer("output").set_weights(written_out.get_layer("output").get_weights())
answers = [model.predict_on_batch(test[:2]) for model in (written_out, package)]
np.testing.assert_allclose(*answers, atol=1e-4)

# %% [markdown]
# The two networks are equal, so we use the package's from now on. (It also crops its output to the
# input's size.) The next cell compares the layers of the autoencoder and of the FCN.

# %%
first, second = (fcn.models.describe(model, (80, 288)) for model in (autoencoder, package))
before = {row.name: (row.kind, row.output_shape, row.parameters) for row in first}
for row in second:
    now = (row.kind, row.output_shape, row.parameters)
    word = "stays" if before.get(row.name) == now else "changed" if row.name in before else "new"
    shape = "×".join(map(str, row.output_shape))
    print(f"{row.name:<12}{row.kind:<16}{shape:<11}{row.parameters:>6}  {word}")
print("removed:", *(name for name in before if name not in {row.name for row in second}))
print(f"parameters: {autoencoder.count_params():,} before, {package.count_params():,} now")

# %% [markdown]
# | step | what changed | parameters |
# | --- | --- | --- |
# | 03 → 04 | `output`: 2 channels (classes) instead of 3 (colours) | 771 → 514 |
# |  | target: the label map instead of the picture | |
# |  | loss: cross-entropy instead of squared error | |
# |  | nothing else; all other parameters start with the autoencoder's values | 64,592 |
#
# (`CropToMatch` is the package's layer that cuts off the surplus of odd sizes. In the autoencoder
# it is called `reconstruction`, in the FCN `logits`. `to_pixels` was the autoencoder's step to
# 0–255. The training that follows changes all parameters.)

# %% tags=["L12"]
changed = fcn.lecture.changed_layers(first, second)
assert changed == ["output", "logits"]
titles = "convolutional autoencoder", "fully convolutional network"
target = fcn.visualization.colourise(true[7], np.array([[40, 40, 60], [240, 160, 30]], "uint8"))
goals = "target: the picture", "target: the label map"
pair = test[7].astype("uint8"), target
fcn.visualization.draw_two_architectures(first, second, titles, pair, goals, changed)

# %% [markdown]
# **Try it.** Turn the autoencoder into an FCN, and watch what stays.

# %% tags=["explainer"]
fcn.explainer.show("from-cae")

# %% [markdown]
# ## 2. Another loss
#
# The network now gives *logits*: one number per class and pixel, which can have any value. The
# class with the highest logit wins. The classifier of notebook 02 contained the softmax. Here the
# loss applies it, which is safer for large numbers. The softmax turns logits into probabilities: it
# divides $e^{\text{logit}}$ of each class by the sum of these values over all classes. The loss is
# the cross-entropy of notebook 02: minus the logarithm of the right class's probability. Now it is
# computed at every pixel and averaged.
#
# **Predict before you run:** a network gives 0 for both classes at every pixel. What is its loss?


# %%
def cross_entropy(labels, logits):
    probabilities = np.exp(logits) / np.exp(logits).sum(axis=-1, keepdims=True)  # (N, H, W, C)
    of_the_right_one = np.take_along_axis(probabilities, labels[..., None], axis=-1)
    return -np.log(of_the_right_one).mean()


logits = package.predict_on_batch(test)  # (20, 80, 288, 2); the last layer is still random
loss = fcn.training.segmentation_loss()
np.testing.assert_allclose(cross_entropy(true, logits), loss(true, logits), rtol=1e-4)
print(f"zeros everywhere: {cross_entropy(true, 0 * logits):.2f}")

# %% [markdown]
# (The package's loss also leaves out unlabelled pixels, called *void*. These scenes have none.)
#
# ## 3. It segments
#
# *IoU* means intersection over union. For one class, it is the number of pixels that belong to the
# class *and* were assigned to it, divided by the number of pixels that belong to it *or* were
# assigned to it. 100 % is perfect. The mean over both classes, background and road, is the *mean
# IoU*. For comparison, we also compute it for label maps that contain one class everywhere, and
# print the better result.
#
# **Predict before you run:** the network sees the colours of about 31 × 31 pixels around each
# pixel, and nothing more. What will it mistake for road?


# %%
def mean_iou(found, true):
    pairs = [(found == c, true == c) for c in (0, 1)]
    return np.mean([(a & b).sum() / (a | b).sum() for a, b in pairs])


def segment(model):  # 20 whole pictures, never seen: the class with the highest score
    return keras.ops.convert_to_numpy(model(test)).argmax(axis=-1)


keras.utils.set_random_seed(0)
model = train(fcn.models.fcn_from_cae(autoencoder, 2), labels, loss, epochs=6)
found = segment(model)
always = max(mean_iou(np.full_like(true, c), true) for c in (0, 1))
print(f"mean IoU: {100 * mean_iou(found, true):.0f} %; one class only: {100 * always:.0f} %")
assert mean_iou(found, true) > 0.75

# %% tags=["L12"]
each = np.array([mean_iou(*pair) for pair in zip(found, true, strict=True)])
chosen = np.argsort(-each)[[1, 10, 19]]  # a good one, one in the middle, the worst
images = test[chosen].astype("uint8")
fcn.visualization.draw_results(
    images, found[chosen] == 1, "road", each[chosen], truths=true[chosen]
)

# %% [markdown]
# The numbers at the top are the mean IoU of each scene. In the third row, white is what the network
# classifies as road: the road itself, with a few holes, and in the last scene also grey walls. A
# grey wall looks like road to anyone who sees only a small window of the picture. The last row
# shows all mistakes.
#
# ## 4. What and where
#
# Now we follow one picture through the network. On the way down the maps become smaller, and each
# position sees more of the picture. How much more? One position of a map reads 3 × 3 positions of
# the previous map. The distance between two neighbouring positions there, in pixels, is the product
# of all strides so far. So each layer adds twice this distance to what a position sees.

# %%
sees, step = 1, 1  # a pixel sees itself
for name in ("conv1", "conv2", "conv3"):
    sees, step = sees + (3 - 1) * step, 2 * step  # 3 × 3 kernel, then stride 2
    field = fcn.geometry.receptive_field(package, name)
    assert (sees, step) == (field.size, field.stride)
    print(f"{name}: one position sees {sees} × {sees} pixels; neighbours lie {step} pixels apart")

# %% [markdown]
# What a position sees is called its *receptive field*. What surrounds a pixel is called its
# *context*. On the way up, positions that see different things are combined, so the fields continue
# to grow. The package computes these fields too.
#
# **Predict before you run:** in which of the maps below is the road easiest to tell from the rest?
# In which is its edge most exact?

# %% tags=["L13"]
names = ["conv1", "conv2", "conv3", "up1", "up2", "output"]
seen = {name: fcn.geometry.receptive_field(package, name).size for name in names}
maps = fcn.prediction.feature_maps(model, test[7], names)
down, up = {name: maps[name] for name in names[:3]}, {name: maps[name] for name in names[3:5]}
scene = test[7].astype("uint8")
result = fcn.visualization.paint_mistakes(scene, found[7] == 1, true[7])
draw_hourglass_maps(scene, down, up, result, "prediction: road", seen, class_name="road")

# %% [markdown]
# The upper row is the *downsampling path*: from colours to *what*, coarser with every layer. The
# lower row, read from right to left, is the *upsampling path*: back to *where*. (The dots in `up1`
# come from its transposed convolution, whose kernel uses different weights for even and for odd
# positions. Notebook 06 says more about this.)
#
# Pictures can be misleading, so we measure both.
#
# * *What*: we read the class off a layer's channels, that is, we predict it by a weighted sum of
#   the channels. Least squares finds the best weights on training pictures. How many pixels far
#   from the road's edge are wrong? So far from the edge, a coarse map does no harm.
# * *Where*: this depends on the grid, not on the weights. Suppose each position of the layer knew
#   its best class. How many pixels near the edge would still be wrong, because one position
#   represents a whole block of pixels?
#
# For comparison, we also read the class off near the edge. That error cannot be smaller than the
# grid allows, but it can be larger.


# %%
def share(labels, step):  # the share of road in each block of step × step pixels
    return labels.reshape(-1, 80 // step, step, 288 // step, step).mean(axis=(2, 4))


def to_pixels(grid, step):
    return grid.repeat(step, axis=1).repeat(step, axis=2)


def read_off(features, labels, new_features):  # a weighted sum of the channels, and a bias
    both = (f.reshape(-1, f.shape[-1]) for f in (features, new_features))
    columns, new_columns = (np.c_[f, np.ones(len(f))] for f in both)
    weights = np.linalg.lstsq(columns, labels.ravel(), rcond=None)[0]
    return (new_columns @ weights > 0.5).reshape(new_features.shape[:3])


# %% [markdown]
# **Predict before you run:** compare `conv3` and `up2`. Which of the two has the smaller error in
# *what*? Which has the smaller error in *where*?

# %% tags=["L13"]
near = np.stack([fcn.evaluation.boundary_band(mask, 4) for mask in true])  # within 4 px of the edge
layers = keras.Model(model.input, [model.get_layer(name).output for name in names])
known, new = ([keras.ops.convert_to_numpy(f) for f in layers(x)] for x in (pictures[:40], test))
what, where, read = {}, {}, {}
for name, features, new_features in zip(names, known, new, strict=True):
    step = 80 // features.shape[1]
    wrong = to_pixels(read_off(features, share(labels[:40], step), new_features), step) != true
    what[name], read[name] = wrong[~near].mean(), wrong[near].mean()
    where[name] = (to_pixels(share(true, step) > 0.5, step) != true)[near].mean()
assert what["conv3"] < 0.6 * what["conv1"]
assert where["conv3"] > where["up1"] > where["up2"] > where["output"]
for name in names:
    shares = (100 * errors[name] for errors in (what, where, read))
    print("{:<7} what {:>2.0f} %   where {:>2.0f} %   read off {:>2.0f} %".format(name, *shares))
draw_what_where(seen, what, where, 4)

# %% [markdown]
# Down to `conv3` the error in *what* falls to less than half: each position sees more, and more
# layers have processed what it sees. But the grid of `conv3` is coarse: one pixel in five near the
# edge is wrong even with the best labels. On the way up the grid becomes fine again, and the
# knowledge of *what* is not lost. It even improves a little, because the fields still grow.
#
# The grid *allows* an exact edge, but the network does not necessarily find it. When we read the
# class off `conv3`, nearly 30 % of the pixels near the edge are wrong. In the output about 20 % are
# still wrong, although the grid would allow 0 %. So the way up finds *where*, but not all of it: from a map of
# 10 × 36 it must guess where in each block the edge lies. It would help to bring the fine maps of
# the way down to the way up. This is what a skip connection does (notebook 07).
#
# ## Exercise
#
# 1. Segment all seven classes instead of two: use `num_classes=7`, and label maps without
#    `.view(only_road)`. First predict the number of parameters in the last layer. Which classes
#    does the network never find, and why? Check with `count_params()`, and with `np.unique` of the
#    labels it finds.
# 2. Go back: make an autoencoder from the trained FCN. Use `fcn_from(model, 3)`, followed by
#    `keras.layers.Rescaling(255.0)`, with the picture as target. What is the least that you have to
#    train? To check, freeze all other layers (`layer.trainable = False`, before `train`) and
#    compare the error with that of `autoencoder`.
# 3. On paper: add a fourth convolution with stride 2 (`widths=(16, 32, 64, 64)`). How much does one
#    of its positions see? How many positions does its map have for a picture of 80 × 288? Check
#    with `fcn.geometry.receptive_field` and `fcn.models.describe`.
# 4. Use the same layers without any downsampling: three 3 × 3 convolutions with stride 1, then a
#    1 × 1 convolution with 2 channels. How would the two curves of the last figure change? To
#    check, find out how much the last layer sees.
# 5. Does the autoencoder's training help? `fcn_from_cae(autoencoder, 2)` starts from its weights,
#    and `fcn_from_cae(fcn.models.cae(), 2)` starts from random ones. Train both for only two
#    epochs, with three seeds, so that the effect of chance shows. Check with
#    `mean_iou(segment(network), true)`. Which start is better, and how sure are you?
#
# Solutions: `fcn.solutions.show("04.1")`, `fcn.solutions.show("04.2")`,
# `fcn.solutions.show("04.3")`, `fcn.solutions.show("04.4")`, `fcn.solutions.show("04.5")`.
