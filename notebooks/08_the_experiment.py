# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # The experiment: where is the road?
#
# **Goal.** Run the lecture's experiment from beginning to end: labelled road scenes, a network with
# a fixed encoder and a trained head, the loss curve, and the result on scenes that the network has
# never seen.
#
# **Idea.** It is expensive to learn useful features, so the network reuses features that were
# learned before. The *encoder* was trained on another task, and its weights do not change (it is
# *frozen*). Only the *head*, the layers that follow the encoder, is trained on roads. Two skip
# connections bring the encoder's finer maps to the head, so that the prediction has sharp edges.

# %%
import numpy as np

import fcn_keras as fcn

train = fcn.datasets.road_scenes("train", count=200).view({"road": ["road"]})
test = fcn.datasets.road_scenes("test", count=30).view({"road": ["road"]})

import keras  # noqa: E402  after fcn_keras, which hides Keras' start-up messages

from fcn_keras.lecture import road  # noqa: E402

keras.utils.set_random_seed(0)
ENCODER = "small_vgg"  # the lecture uses "vgg16" (see section 2)
WIDTH = 32  # channels of conv6 and fcn4; the lecture uses 4096, with VGG16
print(train, test, sep="\n")

# %% [markdown]
# `view` regroups the classes to match the lecture's question: 0 is background, 1 is road.
#
# ## 1. Labelled images
#
# A label map holds a class number at each pixel. The lecture writes it *one-hot*, with one channel
# per class: 1 in the channel of the pixel's class and 0 in the others.
#
# **Predict before you run:** what is the sum of the two channels at each pixel? What is lost if
# channel 0 is thrown away?

# %% tags=["L22"]
scenes = [train[index] for index in (0, 100, 199)]
for image, labels in scenes:
    one_hot = (labels[..., None] == np.arange(2)).astype("float32")  # (160, 576, 2)
    assert image.shape == (160, 576, 3) and one_hot.shape == (160, 576, 2)
    assert (one_hot.sum(axis=-1) == 1).all()  # each pixel has exactly one class
    np.testing.assert_array_equal(one_hot.argmax(axis=-1), labels)  # and back to class numbers
fcn.visualization.draw_one_hot([i for i, _ in scenes], [m for _, m in scenes], train.class_names)

# %% [markdown]
# The channels sum to 1, so any one of them can be left out. With two classes, one channel is then
# enough.
#
# The package stores class numbers instead of one-hot channels: they hold the same information and
# take less memory. Keras has a loss for each form. *Sparse* in the name of a loss means that it
# takes class numbers. The *loss* is one number that says how wrong the network is. *Logits* are the
# raw scores that a network gives each class before the softmax.

# %%
logits = np.random.default_rng(0).normal(size=(1, 160, 576, 2)).astype("float32")
softmax = np.exp(logits) / np.exp(logits).sum(axis=-1, keepdims=True)
# Minus the logarithm of the probability of the true class, averaged over the pixels.
by_hand = -np.log((softmax * one_hot).sum(axis=-1)).mean()

with_channels = keras.losses.CategoricalCrossentropy(from_logits=True)(one_hot[None], logits)
with_numbers = fcn.training.segmentation_loss()(labels[None].astype("int32"), logits)
np.testing.assert_allclose(by_hand, with_channels, rtol=1e-5)
np.testing.assert_allclose(by_hand, with_numbers, rtol=1e-5)

# %% [markdown]
# ## 2. The network
#
# The encoder comes with its weights. VGG16 has thirteen convolutions and five poolings. Its weights
# were learned from the million photographs of ImageNet (they are *pretrained*). The small VGG has
# the same five blocks with fewer channels. It was trained on drawings, and its weights ship with
# the package. (`make lecture` takes EfficientNet-Lite0, a smaller network than VGG16 that has also
# learned from ImageNet. Write `ENCODER = "efficientnet_lite0"` to take it here, too.)
#
# The network uses three of the encoder's maps: pool3, pool4 and pool5 (the lecture calls them
# maxp3, maxp4 and maxp5).
#
# **Predict before you run:** a scene has 160 × 576 pixels. What are the height and width of each of
# the three maps?

# %%
encoder = fcn.backbones.by_name(ENCODER)
encoder.trainable = False  # fixed: no training will change its weights
picture = encoder.inputs[0]
pool3, pool4, pool5 = (encoder.get_layer(name).output for name in ("pool3", "pool4", "pool5"))

maps = keras.Model(picture, [pool3, pool4, pool5])(test[0][0][None])  # a model with three outputs
for name, features in zip(("pool3", "pool4", "pool5"), maps, strict=True):
    print(f"{name}: {features.shape[1]} x {features.shape[2]} x {features.shape[3]}")

# %% [markdown]
# They are halved three, four and five times. Now the head, in plain Keras, with one line for each
# layer of the lecture. A 7 × 7 convolution gathers context on the coarsest map, and two 1 × 1
# convolutions turn it into two scores. Three transposed convolutions then bring the result back to
# the size of the image. After the first and the second of them, a map of the encoder is *added*.
# For a sum, both maps must have the same height, width and channels.
#
# **Predict before you run:** fcn3 gives 2 channels, one for each class. How many channels must fcn2
# give so that pool4 can be added?


# %%
def head_of(pool3, pool4, pool5):
    def up(channels, kernel, stride, name):
        return keras.layers.Conv2DTranspose(channels, kernel, stride, padding="same", name=name)

    # a scene in the small VGG: pool3 (20, 72, 64), pool4 (10, 36, 128), pool5 (5, 18, 256)
    x = keras.layers.Conv2D(WIDTH, 7, padding="same", activation="relu", name="conv6")(pool5)
    x = keras.layers.Conv2D(WIDTH, 1, activation="relu", name="fcn4")(x)  # (5, 18, 32)
    x = keras.layers.Conv2D(2, 1, name="fcn3")(x)  # (5, 18, 2)
    x = up(pool4.shape[-1], 4, 2, "fcn2")(x)  # (10, 36, 128)
    x = keras.layers.Add(name="fuse_pool4")([x, pool4])
    x = up(pool3.shape[-1], 4, 2, "fcn1")(x)  # (20, 72, 64)
    x = keras.layers.Add(name="fuse_pool3")([x, pool3])
    return up(2, 16, 8, "output")(x)  # (160, 576, 2)


# %%
written = keras.Model(picture, head_of(pool3, pool4, pool5))

# %% [markdown]
# The package's version is `lecture_fcn`. With the same weights it must give the same logits. (It
# also crops, as in notebook 05, so that it accepts every image size and not just multiples of 32.)

# %%
model = fcn.models.lecture_fcn(num_classes=2, backbone=encoder, width=WIDTH)
for layer in model.layers:
    if layer.weights:
        written.get_layer(layer.name).set_weights(layer.get_weights())
images = np.stack([test[index][0] for index in range(2)]).astype("float32")  # (2, 160, 576, 3)
np.testing.assert_allclose(written(images), model(images), atol=1e-3)
print("same weights, same logits:", tuple(model(images).shape))

# %% [markdown]
# From here on we use the package's version. The figure is drawn from the model itself and shows the
# size of the tensor at each stage:

# %% tags=["L23"]
rows = fcn.models.describe(model, size=(160, 576))
name = road.IN_PRINT.get(ENCODER, ENCODER)
drawn = rows if ENCODER in road.VGGS else road.by_pools(rows)  # others have too many layers
fcn.visualization.draw_architecture(
    drawn, f"FCN: {name} encoder fixed, head trained", f"{name} encoder"
)

# %% [markdown]
# Blue-grey layers are fixed, orange layers are trained. A convolution has one weight for each
# combination of kernel position, input channel and output channel, and a *bias* for each output
# channel.
#
# **Predict before you run:** which layer of the head has by far the most weights?


# %% tags=["L23"]
def head_weights(width, c3, c4, c5, classes=2):
    """Parameters of each layer, with c3, c4, c5 channels in pool3, pool4, pool5."""
    kernels = {
        "conv6": (7, c5, width), "fcn4": (1, width, width), "fcn3": (1, width, classes),
        "fcn2": (4, classes, c4), "fcn1": (4, c4, c3), "output": (16, c3, classes),
    }  # fmt: skip
    return {name: k * k * before * after + after for name, (k, before, after) in kernels.items()}


ours = head_weights(WIDTH, *(features.shape[-1] for features in maps))
lecture = head_weights(4096, 256, 512, 512)
assert ours == {row.name: row.parameters for row in rows if row.trained}
assert sum(lecture.values()) == 121_799_428
for layer in ours:
    print(f"{layer:<8}{ours[layer]:>10,} here {lecture[layer]:>14,} in the lecture")

# %% [markdown]
# conv6 has most of them in both networks. In the lecture, pool5 of VGG16 has 512 channels, and 4096
# filters of 7 × 7 need 103 million weights. For drawn roads, 32 filters are enough. To get the
# lecture's own network, write `ENCODER = "vgg16"` and `WIDTH = 4096`. The first use downloads
# 59 MB, and training needs a graphics card. `"vgg16"` with `WIDTH = 32` takes several minutes on a
# laptop.
#
# **What changed since notebook 07?** Its FCN-8s has the same encoder and the same two skips.
#
# **Predict before you run:** FCN-8s adds *scores*, the lecture's network adds *features*. How many
# channels does each sum have in the two networks?

# %%
fcn8s = fcn.models.fcn(2, stride=8, backbone=encoder, width=WIDTH)
theirs_by_name = {row.name: row for row in fcn.models.describe(fcn8s, size=(160, 576))}
ours_by_name = {row.name: row for row in rows}
pairs = {"conv6": "fc6", "fcn4": "fc7", "fcn3": "score_fr", "-": "score_pool4", "fcn2": "upscore2"}
pairs |= {"fuse_pool4": "fuse_pool4", "--": "score_pool3", "fcn1": "upscore_pool4"}
pairs |= {"fuse_pool3": "fuse_pool3", "output": "upscore8"}


def line(row):
    return f"{row.name:<15}{row.output_shape!s:<16}{row.parameters:>8,}" if row else ""


print("the lecture    shape            weights     FCN-8s         shape            weights")
for here, there in pairs.items():
    print(f"{line(ours_by_name.get(here)):<44}{line(theirs_by_name[there])}")

# %% [markdown]
# | | FCN-8s (notebook 07) | the lecture |
# | --- | --- | --- |
# | what a skip adds | scores, computed by a 1 × 1 convolution | the features themselves |
# | channels of the sums | 2 and 2, the classes | as many as pool4 and pool3 have |
# | layer that finally gives the scores | one at each of the three levels | the last one, 16 × 16 |
# | upsampling starts as | bilinear interpolation, without a bias | random numbers, with a bias |
#
# So the last transposed convolution of the lecture's network does two things at once: it turns
# features into scores, and it makes the map eight times larger.
#
# ## 3. A frozen encoder runs only once
#
# The encoder never changes, so its output for a given scene never changes either. It is enough to
# run the encoder once for each scene, store the three maps, and train the head on them.
#
# **Predict before you run:** the head reads stored maps. Is its output only close to the output of
# the whole network, or the same?

# %%
kept = keras.Model(picture, [pool3, pool4, pool5])(images)  # the frozen part, once
inputs = [keras.Input(features.shape[1:]) for features in kept]
head = keras.Model(inputs, head_of(*inputs))  # the trained part
for name in ours:
    head.get_layer(name).set_weights(model.get_layer(name).get_weights())
np.testing.assert_allclose(head(kept), model(images), atol=1e-3)
in_maps = sum(np.prod(f.shape[1:]) for f in kept)
print(f"numbers in a scene: {images[0].size:,}; in its three maps: {in_maps:,}")

# %% [markdown]
# The same. `fcn.training.fit` does this whenever a part of the network is frozen: it runs the
# encoder once on each scene, and then trains the head alone. To check that nothing is lost, two
# copies of the network start from the same weights and take the same three *steps*. In one step the
# network sees a *batch* of scenes, here two, and every trained weight moves a little so that the
# loss falls. Keras trains the first copy and sends every scene through the whole network: `compile`
# sets the loss and the *optimizer* (the rule by which the weights move; here Adam), and
# `train_on_batch` takes one step.

# %%
few = train.subset(range(6))
whole, cached = (keras.models.clone_model(model) for _ in range(2))  # new layers, other weights
for twin in (whole, cached):
    twin.set_weights(model.get_weights())

whole.compile(keras.optimizers.Adam(1e-3), loss=fcn.training.segmentation_loss(), jit_compile=False)
batches = few.batches(2, shuffle=True, seed=0)
for step in range(3):
    whole.train_on_batch(*batches[step])
steps3 = fcn.training.fit(
    cached, few, epochs=1, batch_size=2, learning_rate=1e-3, decay=False, seed=0
)
np.testing.assert_allclose(whole(images), cached(images), atol=0.01)  # the same network in the end
assert abs(np.asarray(whole(images)) - np.asarray(model(images))).max() > 0.1  # and it has learned
print("losses of the three steps:", *(round(loss, 2) for loss in steps3.loss))

# %% [markdown]
# ## 4. Training the head
#
# We train for 200 steps; the lecture uses 300. Each step draws ten scenes at random and mirrors
# some of them, image and labels together. This is *augmentation*: 200 scenes yield 400 pictures.
# The *learning rate* says how far the weights move in a step. It starts at 0.003 and falls to zero.
#
# **Predict before you run:** a network that gives each class the probability one half has the loss
# ln 2 = 0.69. How soon will ours be better? And how many of the encoder's weights will have changed
# at the end?

# %% tags=["L24"]
before = {layer.name: layer.get_weights() for layer in model.layers if layer.weights}
history = fcn.training.fit(
    model, train, steps=200, batch_size=10, learning_rate=3e-3, augment="flip"
)
last = np.mean(history.loss[-25:])
print(f"loss of the first step {history.loss[0]:.2f}, mean of the last 25 steps {last:.3f}")
fcn.visualization.draw_loss(history.loss)

# %% [markdown]
# The axis is logarithmic: each line is about half of the one above it. Most of the learning happens
# in the first fifty steps, when the network finds out what a road looks like. The remaining steps
# improve the edge of the road.
#
# During a long training, `fit(…, checkpoint="folder")` saves the state at regular intervals (a
# *checkpoint*). An interrupted training then continues from the last checkpoint.

# %% tags=["L23", "L24"]
same = {
    name: all(
        np.array_equal(old, new)
        for old, new in zip(before[name], model.get_layer(name).get_weights(), strict=True)
    )
    for name in before
}
assert all(same[name] for name in same if name not in ours)  # the encoder is exactly the same
assert not any(same[name] for name in ours)  # every layer of the head has changed
print("unchanged:", *(name for name in same if same[name]))
print("changed:  ", *(name for name in same if not same[name]))

# %% [markdown]
# ## 5. The result
#
# Now we test the network on scenes that were not used for training. Using a trained network is
# called *inference*: the weights no longer change. The softmax turns the two scores of a pixel into
# probabilities. Where the probability of road is above one half, the pixel is road. One half is the
# lecture's *threshold*.
#
# **Predict before you run:** for which threshold is the mask the same as "the class with the higher
# score"?

# %%
scene, truth = test[0]
scores = model(scene[None].astype("float32"))[0]  # (160, 576, 2), logits
chance = keras.ops.convert_to_numpy(keras.ops.softmax(scores, axis=-1))  # (160, 576, 2), sum 1
mask = chance[..., 1] > 0.5  # the lecture's mask
np.testing.assert_allclose(chance, fcn.prediction.probabilities(model, scene), atol=1e-4)
np.testing.assert_array_equal(mask, fcn.prediction.segment(model, scene) == 1)

# %% [markdown]
# The lecture draws the mask over the scene (an *overlay*) in the colour (0, 255, 0, 127): red,
# green, blue, and an opacity of 127 out of 255. So a road pixel becomes a mixture, half its own
# colour and half green.

# %%
opacity = 127 / 255
painted = scene.astype("float64")
painted[mask] = (1 - opacity) * painted[mask] + opacity * np.array([0, 255, 0])
np.testing.assert_array_equal(
    np.rint(painted).astype("uint8"), fcn.visualization.overlay(scene, mask)
)

# %% [markdown]
# How good is a mask? *IoU* is intersection over union: the number of pixels that are road and were
# predicted as road, divided by the number that are road *or* were predicted as road. 1 is perfect.
# (Notebook 09 explains how to measure.) We sort the scenes by IoU and show a good one, the middle
# one and the worst one.
#
# **Predict before you run:** what will be wrong in the worst scene?

# %% tags=["L25"]
masks = [fcn.prediction.segment(model, image) == 1 for image, _ in test]
truths = [labels == 1 for _, labels in test]
ious = [(m & t).sum() / (m | t).sum() for m, t in zip(masks, truths, strict=True)]
order = np.argsort(ious)  # worst first
shown = [order[27], order[15], order[0]]
fcn.visualization.draw_results(
    [test[i][0] for i in shown],
    [masks[i] for i in shown],
    "road",
    [ious[i] for i in shown],
    truths=[truths[i] for i in shown],
)

# %% tags=["L25"]
scored = fcn.evaluation.evaluate(model, test)
both, either = np.logical_and(masks, truths).sum(), np.logical_or(masks, truths).sum()
np.testing.assert_allclose(scored.iou[1], both / either)  # counted over all scenes together
print(scored)

# %% [markdown]
# This was the lecture's experiment, from the labelled image to the overlay. One thing it does not
# show: drawn scenes are all of one kind, and photographs are harder. With photographs it is worth
# training the encoder as well, after the head and with a low learning rate (*fine-tuning*).
# Notebook 10 does that.

# %% [markdown]
# **Try it.** `make lecture` also writes a page in which the networks run. Its chapter
# [Training](../figures/explainer.html#training) lets you scrub through this training, from the first
# step to the last. In [Architecture](../figures/explainer.html#architecture) you click a box of the
# network to see its maps, and [Segmentation result](../figures/explainer.html#result) labels your
# own photographs.

# %% [markdown]
# ## Exercise
#
# 1. Crop a scene to 150 × 570: `test[0][0][:150, :570]`. Give it to `written` and to `model`.
#    Predict which of the two fails, at which layer, and with which two shapes. Check your answer:
#    the error message names the layer.
# 2. What does the encoder's training contribute? Build `fcn.models.lecture_fcn(2,
#    fcn.backbones.small_vgg(weights=None), WIDTH)`: the same network with a *random* encoder, which
#    is also frozen. Train it in the same way, and evaluate it. Predict first: is it worse than
#    guessing, a little worse than ours, or much worse?
# 3. Without the skips: copy `head_of`, leave out the two `Add` layers, and train this network. What
#    becomes worse, the loss or the edge of the road? Check your answer with
#    `fcn.evaluation.boundary_scores(model, test)[4].pixel_error`, the share of wrong pixels among
#    those at most 4 pixels from the edge.
# 4. On paper: how many weights would conv6 of the lecture have with a 1 × 1 kernel? What would the
#    network lose? Check the number with the formula in `head_weights`. Check what is lost by
#    computing how far each score sees: `fcn.geometry.receptive_field(model, "fcn3").size`.
#
# Solutions: `fcn.solutions.show("08.1")`, `fcn.solutions.show("08.2")`,
# `fcn.solutions.show("08.3")`, `fcn.solutions.show("08.4")`
