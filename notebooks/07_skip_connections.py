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
# **Goal.** Build FCN-32s, 16s and 8s, see what each skip connection adds, and take one prediction apart until you know which
# level of the network said what.
#
# **Idea.** Pooling makes a map small: each position then sees a lot of the picture (*what*), but no longer says exactly *where*.
# The large maps from before the pooling still know it. A *skip connection* takes such a map past the deep layers and
# merges it with the coarse one on its way up.
#
# Source: Long, Shelhamer, Darrell, *Fully Convolutional Networks for Semantic Segmentation*, section 4.
#
# A *layer* is one step of a network, array in, array out. A *model* is layers joined from input to output. The *encoder* is
# the part on the way down; ours was trained before and stays as it is (*frozen*). The *head* is all the rest.

# %%
import numpy as np

import fcn_keras as fcn

train = fcn.datasets.road_scenes("train", count=80).view({"road": ["road"]})  # two classes: background 0, road 1
test = fcn.datasets.road_scenes("test", count=20).view({"road": ["road"]})
encoder = fcn.backbones.small_vgg()  # a small VGG: five blocks of convolutions, each ends in a pooling

import keras  # noqa: E402  after fcn_keras, which loads it without its start-up lines

image, labels = test[7]  # (160, 576, 3) and (160, 576)

# %% [markdown]
# ## 1. The ladder: 32, 16, 8
#
# FCN-32s gives scores for the two classes at every 32nd pixel and upsamples them by 32. FCN-16s first upsamples by 2, adds scores
# read off `pool4`, then upsamples by 16. FCN-8s does that once more, with `pool3`. Raw scores like these are called *logits*:
# any numbers, the class with the highest wins.
#
# **Predict before you run:** a score layer is a 1 × 1 convolution with a bias. `pool4` has 128 channels, `pool3` has 64. How many
# parameters does each of the two new score layers have?

# %%
ladder = {stride: fcn.models.describe(fcn.models.fcn(2, stride, encoder, width=16), (160, 576)) for stride in (32, 16, 8)}
for coarse, fine in ((32, 16), (16, 8)):
    known = {row.name for row in ladder[coarse]}
    print(f"FCN-{fine}s has, and FCN-{coarse}s has not:")
    for row in ladder[fine]:
        if row.name not in known:
            print(f"  {row.name:<14}{row.kind:<17}{row.output_shape!s:<15}{row.parameters:>5} parameters")

# %% [markdown]
# | step | what is new | parameters |
# | --- | --- | --- |
# | 32s → 16s | `upscore2` (× 2), `score_pool4`, crop, sum; the last upsampling is by 16 instead of 32 | 64 + 258 |
# | 16s → 8s | `upscore_pool4` (× 2), `score_pool3`, crop, sum; the last upsampling is by 8 instead of 16 | 64 + 130 |
#
# (The last upsampling itself gets smaller: a 64 × 64 kernel has 16,384 parameters, 32 × 32 has 4,096, 16 × 16 has 1,024.)
#
# What makes a connection a *skip*? Between one layer and the sum there are several ways, and the skip goes past layers that
# the others go through.
#
# **Predict before you run:** how many ways lead from `pool3` to the sum `fuse_pool3` in FCN-8s?


# %%
def ways(rows, start, end):
    if start == end:
        return [[end]]
    row = next(row for row in rows if row.name == end)
    inputs = row.inputs[:1] if row.kind == "CropToMatch" else row.inputs  # a crop's second input only gives the size
    return [[*way, end] for name in inputs for way in ways(rows, start, name)]


for way in sorted(ways(ladder[8], "pool3", "fuse_pool3"), key=len):
    between = way[1:-1]
    print(f"{len(between):>2} layers between:", *(between if len(between) < 4 else [*between[:2], "…", *between[-2:]]))

# %% tags=["L18"]
fcn.visualization.draw_architecture(ladder[8], "FCN-8s: two skips across the valley", "small VGG encoder")

# %% [markdown]
# Read it from left to right. The grey arrows go down into the valley and up again; the green ones go straight across.
#
# ## 2. Two ways to merge
#
# Where a skip arrives there are two maps of one size, each with 2 channels. A *sum* adds them, number by number.
# A *concatenation* lays the channels one behind the other, which gives 4, and a convolution makes 2 of them again.
#
# **Predict before you run:** how many parameters does each way have, with a 3 × 3 convolution?

# %%
coarse, fine = keras.Input((20, 72, 2)), keras.Input((20, 72, 2))
summed = keras.layers.Add()([coarse, fine])  # (B, 20, 72, 2)
stacked = keras.layers.Concatenate()([coarse, fine])  # (B, 20, 72, 4)
merge = keras.layers.Conv2D(2, 3, padding="same")
merged = merge(stacked)  # (B, 20, 72, 2)
kernel = np.zeros((3, 3, 4, 2))
kernel[1, 1] = [[1, 0], [0, 1], [1, 0], [0, 1]]  # channels 0 and 2 make channel 0, channels 1 and 3 make channel 1
merge.set_weights([kernel, np.zeros(2)])
plain = keras.Model([coarse, fine], [summed, merged])
print(f"sum: 0 parameters; concatenation: {merge.count_params()}")

# %% [markdown]
# With this kernel the concatenation *starts* as the sum and is free to become something else. The package does the same.

# %%
fuse = fcn.skip_connections.fuse
package = keras.Model([coarse, fine], [fuse(coarse, fine, "sum", "add"), fuse(coarse, fine, "concat", "stack")])
maps = [np.random.default_rng(seed).normal(size=(1, 20, 72, 2)).astype("float32") for seed in (0, 1)]
for ours, theirs in zip(plain(maps), package(maps), strict=True):
    np.testing.assert_allclose(ours, theirs, atol=1e-5)
    np.testing.assert_allclose(ours, maps[0] + maps[1], atol=1e-5)  # before any training, both are the sum
print("equal")

# %% [markdown]
# ## 3. Stride 32, 16, 8
#
# Now we train four heads: 32s, 16s and 8s with sums, and 8s with concatenations. All see the same batches in the same order and
# start from the same random numbers, so that only the skips differ. (One *step*: ten scenes are shown, and the weights move a
# little so that the *loss*, one number for how wrong the scores are, falls.) The frozen encoder always gives the same answer
# to the same picture, so it runs once, and all heads share its maps.

# %%
features = fcn.training.frozen_features(fcn.models.fcn(2, 8, encoder, width=1), train, flip=True)  # flip: mirror images too
print({name: array.shape for name, array in features.maps.items()})


# %%
def trained(stride, fusion="sum"):
    keras.utils.set_random_seed(0)
    model = fcn.models.fcn(2, stride, encoder, fusion, width=16)
    fcn.training.fit(
        model, train, steps=80, batch_size=10, learning_rate=3e-3, augment="flip", seed=0, features=features
    )  # fmt: skip
    return model, list(fcn.evaluation.label_pairs(model, test))  # (true, predicted) label maps of each test scene


results = {stride: trained(stride) for stride in (32, 16, 8)}
concat, _ = trained(8, "concat")
models = {stride: model for stride, (model, _) in results.items()}

# %% [markdown]
# Where should the difference show? Not in the middle of the road, but along its edge. So we look at a *band*: all pixels at
# most 4 pixels from the edge. First the pixels that touch another class, left, right, above or below; then three rings
# around them.


# %%
def band_of(labels, width):
    padded = np.pad(labels, 1, mode="edge")
    neighbours = padded[:-2, 1:-1], padded[2:, 1:-1], padded[1:-1, :-2], padded[1:-1, 2:]
    touches = np.any([labels != other for other in neighbours], axis=0)
    rings = width - 1
    windows = np.lib.stride_tricks.sliding_window_view(np.pad(touches, rings), (2 * rings + 1, 2 * rings + 1))
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
# **Predict before you run:** which step takes more pixels of the 4-pixel band from wrong to right, 32 → 16 or 16 → 8?

# %% tags=["L20"]
for stride in (32, 16, 8):
    print(f"FCN-{stride}s: error in the 4-pixel band {100 * errors[stride][4]:.0f} %")
assert errors[32][4] > errors[16][4] > errors[8][4]
predictions = {stride: pairs[7][1] for stride, (_, pairs) in results.items()}
fcn.visualization.draw_strides(image, labels, predictions, errors, "road")

# %% [markdown]
# The error falls at each step, and all three networks read the same frozen encoder: the detail was there, in `pool4` and `pool3`,
# and the skips let it through. Right on the edge (band 1) much stays wrong: 8 pixels are still 8 pixels.
#
# ## 4. Sum or concatenation?
#
# Both FCN-8s were trained alike. *IoU*, intersection over union, is the number of pixels both there and found, divided by
# those there or found; 100 % is perfect.
#
# **Predict before you run:** the concatenation can do all that the sum can, and more. How much better will it be?

# %% tags=["L19"]
from fcn_keras.lecture import skips  # noqa: E402
from fcn_keras.visualization.skips import draw_fusions, draw_shares, draw_skip_connection  # noqa: E402

networks = {"sum": models[8], "concat": concat}
fusions = {name: {**skips.fusion_of(m, image), "note": skips.note_of(m, test)} for name, m in networks.items()}
np.testing.assert_allclose(fusions["sum"]["fused"], fusions["sum"]["coarse"] + fusions["sum"]["fine"], atol=1e-4)
draw_fusions(image, labels, fusions, "road")

# %% [markdown]
# 148 parameters more, and a difference too small to name a winner from one training. For two maps of *scores* the sum is
# enough: both speak of the same classes in the same channels. A concatenation pays where the two maps mean different
# things, such as features of an encoder and of a decoder.
#
# ## 5. What does a skip carry?
#
# We change a patch of 8 × 8 pixels at the edge of the road: each value $v$ becomes $255 - v$. Then we ask at each level which
# scores have changed.
#
# **Predict before you run:** one score of `score_pool3` sees 34 × 34 pixels, and the next is 8 pixels on. How many of its
# 20 × 72 scores can notice the patch?

# %% tags=["L18"]
patch = skips.patch_on_the_edge(labels)  # top, left, size
changes = skips.changes_of(models[8], image, patch)
untrained = fcn.models.fcn(2, 8, encoder, width=16)  # what a layer sees does not depend on its weights
for name, change in changes.items():
    field = fcn.geometry.receptive_field(untrained, name)
    most = -(-(field.size + 8 - 1) // field.stride)  # so many windows, a stride apart, touch 8 pixels along an axis
    print(f"{name:<12} sees {field.size:>3} pixels: {(change > 0).sum():>3} of {change.size:>4} scores changed")
    assert (change > 0).sum() <= most**2
draw_skip_connection(ladder[8], image, patch, changes)

# %% [markdown]
# The deep scores far away from the patch change too: they use it as *context*, and cannot say where in their 346 pixels it lay.
# What comes over the skip changes only next to it: *local information*, still in its place.
#
# ## 6. One prediction, taken apart
#
# Behind the score layers there are only upsamplings without bias, crops and sums. All of them are *linear*: what goes in
# as a sum comes out as the sum of what each part gives alone. So the logits are exactly
#
# logits = share of `score_fr` + share of `score_pool4` + share of `score_pool3`
#
# To get one share, we keep one score map and put zeros in place of the two others. (Each score layer has a bias; it is part
# of its map, and so of its share.)

# %%
model = models[8]
levels = ("score_fr", "score_pool4", "score_pool3")
batch = image[None].astype("float32")
scores = keras.Model(model.inputs, [model.get_layer(name).output for name in levels]).predict_on_batch(batch)
upwards = keras.Model([*model.inputs, *(model.get_layer(name).output for name in levels)], model.output)
shares = {}
for number, name in enumerate(levels):
    only_one = [score if place == number else 0 * score for place, score in enumerate(scores)]
    shares[name] = upwards.predict_on_batch([batch, *only_one])[0]  # (160, 576, 2)
logits = fcn.prediction.logits(model, image)
np.testing.assert_allclose(sum(shares.values()), logits, atol=1e-3)
for name, share in skips.shares_of(model, image).items():  # the package runs each map through the layers by itself
    np.testing.assert_allclose(shares[name], share, atol=1e-3)

# %% [markdown]
# With two classes only the difference counts: the road's score minus the background's. Above zero: road.
#
# **Predict before you run:** which level decides that the sky is no road, and which one puts the edge in its place?

# %% tags=["L21"]
for_road = {name: share[..., 1] - share[..., 0] for name, share in shares.items()}
near, road = band_of(labels, 4), labels == 1
for name, share in for_road.items():
    inside, outside = share[near & road].mean(), share[near & ~road].mean()
    print(f"{name:<12} {inside:+.1f} just inside the road's edge, {outside:+.1f} just outside")
draw_shares(image, labels, for_road, "road")

# %% [markdown]
# `score_fr` says *what*: road below, none above, in one soft blob. At the edge it gives both sides nearly the same score. The
# two skips make the difference there: each adds one to two points more on the road's side than on the other. So the sum
# changes its sign at the edge, and that is *where*. None of the three is a good segmentation; their sum is.
#
# (`score_fr` alone is worse here than FCN-32s was in section 3. The three were trained together, and it left the edges to the
# others.)
#
# ## Exercise
#
# 1. On paper: an image of 100 × 130 pixels. Pooling halves and rounds up. Write down the height and width of `pool3`, `pool4`,
#    `pool5`, of `upscore2` and of `upscore_pool4`. Where is something cut off, and how much? Check yourself with
#    `fcn.models.describe(models[8], size=(100, 130))`.
# 2. Choose a kernel for `merge` of section 2 so that the concatenation gives `coarse - fine`. Can a sum do that? Check
#    yourself: build a new `Conv2D`, set its weights, compare with `maps[0] - maps[1]`.
# 3. Cut the skip from `pool3` out of the trained FCN-8s: make a copy with `keras.models.clone_model` and `set_weights`, and
#    set the weights of the copy's `score_pool3` to zero. Is it as good as FCN-16s in the 4-pixel band? Say why. Check
#    yourself: its logits are the sum of the first two shares.
# 4. Would section 6 still work for `concat`? And with a ReLU behind each merging? Check yourself by adding up the shares.
#
# Solutions: `fcn.solutions.show("07.1")`, `fcn.solutions.show("07.2")`, `fcn.solutions.show("07.3")`,
# `fcn.solutions.show("07.4")`.
