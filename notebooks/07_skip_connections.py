# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # Skip connections
#
# **Goal.** Build FCN-32s, 16s and 8s, see what each skip connection adds, and take one prediction
# apart to see what each level of the network contributes.
#
# **Idea.** Pooling makes a map small. Each position then sees a large part of the image and can say
# *what* is there, but no longer exactly *where*. The large maps from before the pooling still hold
# this information. A *skip connection* takes such a map past the deep layers and merges it with the
# coarse map on its way up.
#
# Source: Long, Shelhamer, Darrell, *Fully Convolutional Networks for Semantic Segmentation*,
# section 4.
#
# A *layer* is one step of a network: it takes an array and returns an array. A *model* consists of
# layers, joined from input to output. The *encoder* is the part of the network that makes the maps
# smaller. Ours was trained beforehand, and its weights do not change (it is *frozen*). All other
# layers form the *head*.

# %%
import numpy as np

import fcn_keras as fcn

# Two classes: background 0, road 1.
train = fcn.datasets.road_scenes("train", count=80).view({"road": ["road"]})
test = fcn.datasets.road_scenes("test", count=20).view({"road": ["road"]})
encoder = fcn.backbones.small_vgg()  # five blocks of convolutions, each followed by a pooling

import keras  # noqa: E402  after fcn_keras, which hides Keras' start-up messages

image, labels = test[7]  # (160, 576, 3) and (160, 576)

# %% [markdown]
# ## 1. The ladder: 32, 16, 8
#
# FCN-32s computes scores for the two classes at every 32nd pixel and upsamples them by 32. FCN-16s
# first upsamples these scores by 2, adds scores computed from `pool4`, and then upsamples by 16.
# FCN-8s does the same once more with `pool3`. Such raw scores are called *logits*. They can be any
# numbers; the class with the highest score wins.
#
# **Predict before you run:** a score layer is a 1 × 1 convolution with a bias. `pool4` has 128
# channels, `pool3` has 64. How many parameters does each of the two new score layers have?

# %%
networks = {stride: fcn.models.fcn(2, stride, encoder, width=16) for stride in (32, 16, 8)}
ladder = {stride: fcn.models.describe(net, (160, 576)) for stride, net in networks.items()}
for coarse, fine in ((32, 16), (16, 8)):
    known = {row.name for row in ladder[coarse]}
    print(f"Layers of FCN-{fine}s that FCN-{coarse}s does not have:")
    for row in ladder[fine]:
        if row.name not in known:
            shape = f"{row.kind:<17}{row.output_shape!s:<15}"
            print(f"  {row.name:<14}{shape}{row.parameters:>5} parameters")

# %% [markdown]
# | step | what is new | parameters |
# | --- | --- | --- |
# | 32s → 16s | `upscore2` (× 2), `score_pool4`, crop, sum; last upsampling × 16, not × 32 | 64 + 258 |
# | 16s → 8s | `upscore_pool4` (× 2), `score_pool3`, crop, sum; last upsampling × 8, not × 16 | 64 + 130 |
#
# (The last upsampling layer itself gets smaller: a 64 × 64 kernel has 16,384 parameters, a 32 × 32
# kernel 4,096, a 16 × 16 kernel 1,024.)
#
# What makes a connection a *skip*? Several paths lead from one layer to the sum, and the skip
# bypasses layers that the other paths go through.
#
# **Predict before you run:** how many paths lead from `pool3` to the sum `fuse_pool3` in FCN-8s?


# %%
def ways(rows, start, end):
    if start == end:
        return [[end]]
    row = next(row for row in rows if row.name == end)
    # The second input of a crop only sets the size.
    inputs = row.inputs[:1] if row.kind == "CropToMatch" else row.inputs
    return [[*way, end] for name in inputs for way in ways(rows, start, name)]


for way in sorted(ways(ladder[8], "pool3", "fuse_pool3"), key=len):
    between = way[1:-1]
    short = between if len(between) < 4 else [*between[:2], "…", *between[-2:]]
    print(f"{len(between):>2} layers between:", *short)

# %% tags=["L18"]
fcn.visualization.draw_architecture(
    ladder[8], "FCN-8s: two skips across the valley", "small VGG encoder"
)

# %% [markdown]
# Read the figure from left to right. The grey arrows go down into the valley and up again. The
# green arrows go straight across.
#
# ## 2. Two ways to merge
#
# Where a skip arrives, there are two maps of the same size, each with 2 channels. A *sum* adds
# them, number by number. A *concatenation* stacks their channels, which gives 4, and a convolution
# turns these into 2 again.
#
# **Predict before you run:** how many parameters does each way have, if the convolution is 3 × 3?

# %%
coarse, fine = keras.Input((20, 72, 2)), keras.Input((20, 72, 2))
summed = keras.layers.Add()([coarse, fine])  # (B, 20, 72, 2)
stacked = keras.layers.Concatenate()([coarse, fine])  # (B, 20, 72, 4)
merge = keras.layers.Conv2D(2, 3, padding="same")
merged = merge(stacked)  # (B, 20, 72, 2)
kernel = np.zeros((3, 3, 4, 2))
kernel[1, 1] = [[1, 0], [0, 1], [1, 0], [0, 1]]  # channel 0 from 0 and 2, channel 1 from 1 and 3
merge.set_weights([kernel, np.zeros(2)])
plain = keras.Model([coarse, fine], [summed, merged])
print(f"sum: 0 parameters; concatenation: {merge.count_params()}")

# %% [markdown]
# With this kernel the concatenation *starts* as the sum, and training can turn it into something
# else. The package does the same.

# %%
fuse = fcn.skip_connections.fuse
package = keras.Model(
    [coarse, fine], [fuse(coarse, fine, "sum", "add"), fuse(coarse, fine, "concat", "stack")]
)
maps = [
    np.random.default_rng(seed).normal(size=(1, 20, 72, 2)).astype("float32") for seed in (0, 1)
]
for ours, theirs in zip(plain(maps), package(maps), strict=True):
    np.testing.assert_allclose(ours, theirs, atol=1e-5)
    np.testing.assert_allclose(ours, maps[0] + maps[1], atol=1e-5)  # before training, the sum
print("equal")

# %% [markdown]
# ## 3. Stride 32, 16, 8
#
# Now we train four heads: 32s, 16s and 8s with sums, and 8s with concatenations. All of them see
# the same batches in the same order and start from the same random numbers, so they differ only in
# their skips. (In one *step* the network sees ten scenes, and its weights move a little so that the
# *loss* falls. The loss is one number that says how wrong the scores are.) For a given image the
# output of the frozen encoder is always the same. So the encoder runs once, and all heads use its
# maps.

# %%
# With flip=True also for the mirrored images.
features = fcn.training.frozen_features(fcn.models.fcn(2, 8, encoder, width=1), train, flip=True)
print({name: array.shape for name, array in features.maps.items()})


# %%
def trained(stride, fusion="sum"):
    keras.utils.set_random_seed(0)
    model = fcn.models.fcn(2, stride, encoder, fusion, width=16)
    fcn.training.fit(
        model, train, steps=80, batch_size=10, learning_rate=3e-3, augment="flip", seed=0,
        features=features,
    )  # fmt: skip
    return model, list(fcn.evaluation.label_pairs(model, test))  # (true, predicted) of each scene


results = {stride: trained(stride) for stride in (32, 16, 8)}
concat, _ = trained(8, "concat")
models = {stride: model for stride, (model, _) in results.items()}

# %% [markdown]
# Where will the difference show? Not in the middle of the road, but along its edge. So we look at a
# *band*: all pixels at most 4 pixels from the edge. The band starts from the pixels that touch
# another class on the left, on the right, above or below. Then three rings are added around them.


# %%
def band_of(labels, width):
    padded = np.pad(labels, 1, mode="edge")
    neighbours = padded[:-2, 1:-1], padded[2:, 1:-1], padded[1:-1, :-2], padded[1:-1, 2:]
    touches = np.any([labels != other for other in neighbours], axis=0)
    rings = width - 1
    windows = np.lib.stride_tricks.sliding_window_view(
        np.pad(touches, rings), (2 * rings + 1, 2 * rings + 1)
    )
    return windows.any(axis=(2, 3))


for _, mask in test:
    np.testing.assert_array_equal(band_of(mask, 4), fcn.evaluation.boundary_band(mask, 4))
print(f"the band has {100 * band_of(labels, 4).mean():.1f} % of this scene's pixels")

# %% [markdown]
# The error in the band is the share of its pixels that get the wrong class, over all test scenes.

# %%
true, found = (np.stack(maps) for maps in zip(*results[8][1], strict=True))  # (20, 160, 576) each
bands = np.stack([band_of(mask, 4) for mask in true])
error = ((found != true) & bands).sum() / bands.sum()
errors = {}
for stride, model in models.items():
    scores = fcn.evaluation.boundary_scores(model, test, widths=(1, 2, 4, 8))
    errors[stride] = {width: score.pixel_error for width, score in scores.items()}
np.testing.assert_allclose(error, errors[8][4], atol=1e-6)
print(f"FCN-8s: {100 * error:.0f} % of the pixels in the 4-pixel band are wrong")

# %% [markdown]
# **Predict before you run:** which step corrects more pixels of the 4-pixel band, 32 → 16 or 16 →
# 8?

# %% tags=["L20"]
for stride in (32, 16, 8):
    print(f"FCN-{stride}s: error in the 4-pixel band {100 * errors[stride][4]:.0f} %")
assert errors[32][4] > errors[16][4] > errors[8][4]
predictions = {stride: pairs[7][1] for stride, (_, pairs) in results.items()}
fcn.visualization.draw_strides(image, labels, predictions, errors, "road")

# %% [markdown]
# The error falls at each step, although all three networks read the same frozen encoder. So `pool4`
# and `pool3` contain the detail, and the skips bring it to the output. Right at the edge (in the
# 1-pixel band) many pixels remain wrong: one position of the finest map still stands for 8 × 8
# pixels.
#
# ## 4. Sum or concatenation?
#
# Both versions of FCN-8s were trained in the same way. *IoU*, intersection over union, is the
# number of pixels that are road and were predicted as road, divided by the number that are road
# *or* were predicted as road. 100 % is perfect.
#
# **Predict before you run:** the concatenation can do everything that the sum can, and more. How
# much better will it be?

# %% tags=["L19"]
from fcn_keras.lecture import skips  # noqa: E402
from fcn_keras.visualization import skips as figures  # noqa: E402

fusions = {}
for name, network in {"sum": models[8], "concat": concat}.items():
    fusions[name] = {**skips.fusion_of(network, image), "note": skips.note_of(network, test)}
added = fusions["sum"]["coarse"] + fusions["sum"]["fine"]
np.testing.assert_allclose(fusions["sum"]["fused"], added, atol=1e-4)
figures.draw_fusions(image, labels, fusions, "road")

# %% [markdown]
# The concatenation has 148 parameters more, and the difference is too small to name a winner from
# one training run. For two maps of *scores* the sum is enough, because both have the same classes
# in the same channels. A concatenation pays off where the two maps mean different things, such as
# features of an encoder and features of a decoder.
#
# ## 5. What does a skip carry?
#
# We change a patch of 8 × 8 pixels at the edge of the road: each value $v$ becomes $255 - v$. Then
# we check at each level which scores have changed.
#
# **Predict before you run:** one score of `score_pool3` sees 34 × 34 pixels, and the next score is
# 8 pixels further on. How many of its 20 × 72 scores can the patch change?

# %% tags=["L18"]
patch = skips.patch_on_the_edge(labels)  # top, left, size
changes = skips.changes_of(models[8], image, patch)
untrained = fcn.models.fcn(2, 8, encoder, width=16)  # a receptive field does not depend on weights
for name, change in changes.items():
    field = fcn.geometry.receptive_field(untrained, name)
    most = -(-(field.size + 8 - 1) // field.stride)  # windows that touch 8 pixels along one axis
    changed = (change > 0).sum()
    print(
        f"{name:<12} sees {field.size:>3} pixels: {changed:>3} of {change.size:>4} scores changed"
    )
    assert changed <= most**2
figures.draw_skip_connection(ladder[8], image, patch, changes)

# %% [markdown]
# In `score_fr`, scores far away from the patch change too. They use the patch as *context*, but
# cannot tell where in their 346 × 346 pixels it lies. What the skip carries changes only next to
# the patch: it is *local information*, still in its place.
#
# ## 6. One prediction, taken apart
#
# After the score layers there are only upsamplings without bias, crops and sums. All of these are
# *linear*: the output for a sum of inputs is the sum of the outputs for each input alone. So the
# logits are exactly
#
# logits = share of `score_fr` + share of `score_pool4` + share of `score_pool3`
#
# To get one share, we keep one score map and replace the other two by zeros. (Each score layer has
# a bias. It is part of the score map, and so of the share.)

# %%
model = models[8]
levels = ("score_fr", "score_pool4", "score_pool3")
batch = image[None].astype("float32")
outputs = [model.get_layer(name).output for name in levels]
scores = keras.Model(model.inputs, outputs).predict_on_batch(batch)
upwards = keras.Model([*model.inputs, *outputs], model.output)
shares = {}
for number, name in enumerate(levels):
    only_one = [score if place == number else 0 * score for place, score in enumerate(scores)]
    shares[name] = upwards.predict_on_batch([batch, *only_one])[0]  # (160, 576, 2)
logits = fcn.prediction.logits(model, image)
np.testing.assert_allclose(sum(shares.values()), logits, atol=1e-3)
for name, share in skips.shares_of(model, image).items():  # the package's version
    np.testing.assert_allclose(shares[name], share, atol=1e-3)

# %% [markdown]
# With two classes only the difference matters: the score of road minus the score of background.
# A positive value means road.
#
# **Predict before you run:** which level decides that the sky is not road, and which one puts the
# edge in its place?

# %% tags=["L21"]
for_road = {name: share[..., 1] - share[..., 0] for name, share in shares.items()}
near, road = band_of(labels, 4), labels == 1
for name, share in for_road.items():
    inside, outside = share[near & road].mean(), share[near & ~road].mean()
    print(f"{name:<12} {inside:+.1f} just inside the road's edge, {outside:+.1f} just outside")
figures.draw_shares(image, labels, for_road, "road")

# %% [markdown]
# `score_fr` says *what*: road below, no road above, in one soft blob. At the edge it gives both
# sides nearly the same score. The two skips make the difference there: each of them gives the
# road's side one to two points more than the other side. So the sum changes its sign at the edge,
# and that says *where*. None of the three is a good segmentation; their sum is.
#
# (`score_fr` alone is worse here than FCN-32s was in section 3. The three levels were trained
# together, and `score_fr` left the edges to the other two.)

# %% [markdown]
# **Try it.** `make lecture` also writes a page in which the networks run. Its chapter
# [Skip connections](../figures/explainer.html#skips) lets you switch each skip on and off, and
# shows the share of each level on your own photograph.

# %% [markdown]
# ## Exercise
#
# 1. On paper: an image has 100 × 130 pixels. Pooling halves and rounds up. Write down the height
#    and width of `pool3`, `pool4` and `pool5`, of `upscore2` and of `upscore_pool4`. Where is
#    something cut off, and how much? Check your answer with
#    `fcn.models.describe(models[8], size=(100, 130))`.
# 2. Choose a kernel for `merge` of section 2 so that the concatenation gives `coarse - fine`. Can a
#    sum do that? Check your answer: build a new `Conv2D`, set its weights, and compare its output
#    with `maps[0] - maps[1]`.
# 3. Remove the skip from `pool3` in the trained FCN-8s: make a copy with `keras.models.clone_model`
#    and `set_weights`, and set the weights of the copy's `score_pool3` to zero. Is the copy as good
#    as FCN-16s in the 4-pixel band? Explain why. Check your answer: the logits of the copy are the
#    sum of the first two shares.
# 4. Would section 6 still work for `concat`? And with a ReLU after each merging layer? Check your
#    answer by adding up the shares.
#
# Solutions: `fcn.solutions.show("07.1")`, `fcn.solutions.show("07.2")`,
# `fcn.solutions.show("07.3")`, `fcn.solutions.show("07.4")`.
