# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # Fully convolutional
#
# **Goal.** Turn a classifier's dense layers into convolutions without changing a single number. Run
# the result over a larger picture. See what a network without dense layers can do: take a picture
# of any size, and say something about every pixel.
#
# **Idea.** A dense layer multiplies *all* numbers of its input by weights, so it fits only one
# size. A convolution multiplies the numbers in a small *window* and moves on. A dense layer after a
# 4 × 4 map is a convolution whose window is the whole map. On that map the window fits in one
# place; on a larger map it fits in many. A network made only of such local layers is *fully
# convolutional*.
#
# Source: Long, Shelhamer, Darrell, *Fully Convolutional Networks for Semantic Segmentation*,
# section 3.1.
#
# A *layer* is one step of a network: it takes an array and gives an array. A *model* consists of
# layers joined from input to output. A *dense* layer has *units*. Each unit gives a weighted sum of
# everything that comes in, plus one more number, the *bias*.

# %%
import numpy as np

import fcn_keras as fcn
from fcn_keras.visualization.sizes import (
    draw_any_size,
    draw_dense_as_convolution,
    draw_pixel_scores,
)

pictures = fcn.datasets.shapes(1600, seed=0)  # 64 × 64, each with one of four shapes
unseen = fcn.datasets.shapes(200, seed=1)
names = pictures.class_names[1:]  # disk, square, triangle, cross; without the background
import keras  # noqa: E402  after fcn_keras, which hides Keras' start-up messages

from fcn_keras.datasets.drawn.shapes import arrays  # noqa: E402

# %% [markdown]
# The classifier has four convolutions, each followed by pooling, and then two dense layers.
# `compile` says how it learns: which number should become small (the *loss*, which says how wrong
# the answers are) and how the weights are changed (`adam`). `fit` shows it the pictures, 32 at a
# time. One *epoch* is one pass through all of them.

# %%
keras.utils.set_random_seed(0)  # the same random start every time
classifier = fcn.models.classifier(len(names))
loss = "sparse_categorical_crossentropy"
classifier.compile("adam", loss, metrics=["accuracy"], jit_compile=False)
images, labels = arrays(pictures)  # (1600, 64, 64, 3) and (1600,)
classifier.fit(images, labels, epochs=8, batch_size=32, verbose=0)
accuracy = classifier.evaluate(*arrays(unseen), verbose=0)[1]
print(f"right answers on unseen pictures: {100 * accuracy:.1f} %")
for row in fcn.models.describe(classifier)[-4:]:
    print(f"{row.name:<14}{row.kind:<14}{row.output_shape!s:<13}{row.parameters:>7,} parameters")

# %% [markdown]
# ## 1. A dense layer, written as a convolution
#
# `pool4` gives a map of 4 × 4 positions with 64 channels. `flatten` puts these numbers into one
# row, and `dense` multiplies the row by a matrix. `flatten` reads the map line by line, so we can
# fold the matrix back: the weights of each unit become a 4 × 4 × 64 block. This block is a
# convolution kernel.
#
# **Predict before you run:** how many rows does the matrix have? Does the convolution's kernel
# contain more numbers than the matrix, fewer, or equally many?

# %%
outputs = [classifier.get_layer(name).output for name in ("pool4", "dense")]
probe = keras.Model(classifier.inputs, outputs)
features, answers = probe.predict_on_batch(arrays(unseen)[0][:20])  # (20, 4, 4, 64) and (20, 64)
weights, bias = classifier.get_layer("dense").get_weights()  # (1024, 64) and (64,)
kernel = weights.reshape(4, 4, 64, 64)  # height, width, channels, units

as_dense = features.reshape(20, 1024) @ weights + bias
as_convolution = np.einsum("nijc,ijcu->nu", features, kernel) + bias  # the window fits once
np.testing.assert_allclose(as_convolution, as_dense, atol=1e-4)
np.testing.assert_allclose(np.maximum(as_convolution, 0), answers, atol=1e-4)  # with ReLU
print("matrix:", weights.shape, " kernel:", kernel.shape, " numbers:", weights.size, kernel.size)

# %% [markdown]
# In Keras this is a `Conv2D` layer with 64 filters of 4 × 4 and these weights. The package's
# `dense_to_conv` does the folding. `convolutionalize` does it for a whole classifier.

# %%
convolution = keras.layers.Conv2D(64, 4, activation="relu")
convolution.build((None, None, None, 64))  # any batch size, height and width; 64 channels
convolution.set_weights([kernel, bias])
package = fcn.convolutionalize.dense_to_conv(classifier.get_layer("dense"), (4, 4, 64))
for layer in (convolution, package):
    answer = keras.ops.convert_to_numpy(layer(features))  # (20, 1, 1, 64): one position
    np.testing.assert_allclose(answer[:, 0, 0], answers, atol=1e-4)

convolutional = fcn.convolutionalize.convolutionalize(classifier)
ours = convolutional.predict_on_batch(arrays(unseen)[0])  # (200, 1, 1, 4)
theirs = classifier.predict_on_batch(arrays(unseen)[0])  # (200, 4)
np.testing.assert_allclose(ours[:, 0, 0], theirs, atol=1e-5)
print("equal on 200 pictures")

# %% [markdown]
# ## 2. The classifier, at many places at once
#
# Twelve small pictures laid side by side form one picture of 192 × 256. The classifier does not
# accept it. The convolutional version does: its 4 × 4 window moves over a larger `pool4`, and there
# is an answer at every place where the window fits.
#
# **Predict before you run:** after the four poolings, `pool4` has 12 × 16 positions. In how many
# places does a 4 × 4 window fit?

# %% tags=["L14"]
tiles = [unseen[3 * row + column][0] for row in range(3) for column in range(4)]
large = np.vstack([np.hstack(tiles[4 * row : 4 * row + 4]) for row in range(3)])  # (192, 256, 3)
scores = convolutional.predict_on_batch(large[None].astype("float32"))[0]  # (9, 13, 4)
try:
    classifier(large[None].astype("float32"))
except ValueError as refusal:
    print("the classifier:", refusal)
print("the convolutional version:", large.shape, "→", scores.shape)
twins = answers, package(features)[:, 0, 0]  # from the dense layer, and from the convolution
draw_dense_as_convolution(*twins, large, scores, names, window=64, marked=(3, 5))

# %% [markdown]
# Each mark lies in the middle of the 64 × 64 pixels that its answer is about. The larger the mark,
# the more certain the answer. Near a shape the answers name that shape. Between two pictures the
# network guesses: it has never seen half a shape, and it cannot say "none".
#
# Is an answer in the map really the classifier's answer? We give the framed window to the
# classifier in two ways: as the 4 × 4 block of the large `pool4` at that place, and as the 64 × 64
# pixels cut out of the picture.
#
# **Predict before you run:** which of the two gives exactly the numbers in the map?

# %%
position = (3, 5)  # positions lie 16 pixels apart, so the window begins at pixel 48, 80
pool4 = keras.Model(convolutional.inputs, convolutional.get_layer("pool4").output)
block = pool4.predict_on_batch(large[None].astype("float32"))[:, 3:7, 5:9]  # (1, 4, 4, 64)
dense, last = classifier.get_layer("dense"), classifier.get_layer("probabilities")
from_block = last(dense(block.reshape(1, 1024)))
from_pixels = classifier.predict_on_batch(large[None, 48:112, 80:144].astype("float32"))
np.testing.assert_allclose(from_block[0], scores[position], atol=1e-5)
print("map          ", scores[position].round(3))
print("pool4 block  ", np.round(from_block[0], 3))
print("pixels alone ", from_pixels[0].round(3))

# %% [markdown]
# The block gives exactly the numbers in the map. The pixels alone do not. The window that is cut
# out has a border, and there the 3 × 3 convolutions see padding zeros instead of the neighbouring
# pixels. Where the answer is uncertain, as here between two pictures, this is enough to change it.
# Without padding the two agree (exercise 2).
#
# What does the map cost? The large picture goes through the convolutions once. If we cut out 9 · 13
# windows instead, most pixels would be computed up to sixteen times.
#
# ## 3. No dense layer anywhere
#
# **Predict before you run:** which kinds of layers does an FCN need if `Dense` and `Flatten` are
# not allowed?

# %% tags=["L14"]
encoder = fcn.backbones.small_vgg()  # five blocks of convolutions, each followed by a pooling
networks = [fcn.models.fcn(7, stride, encoder, width=16) for stride in (32, 16, 8)]
networks.append(fcn.models.lecture_fcn(2, encoder, width=16))
for network in networks:
    kinds = {row.kind for row in fcn.models.describe(network)}
    assert not kinds & {"Dense", "Flatten", "GlobalAveragePooling2D"}
    print(f"{network.name:<12}", ", ".join(sorted(kinds - {"InputLayer"})))

# %% [markdown]
# `Conv2D`, `MaxPooling2D` and `Conv2DTranspose` look at a window. `Add` and the preprocessing look
# at one position. `CropToMatch` only cuts. No layer looks at the whole picture at once, so no layer
# needs to know how large it is.
#
# ## 4. Any size
#
# We train a small FCN on road scenes with seven classes. Its *encoder*, the way down, was trained
# beforehand and does not change (it is *frozen*). One training *step* uses 8 scenes. The network's
# output has 7 channels of *logits*: raw scores, one per class, which can have any value.

# %%
train = fcn.datasets.road_scenes("train", count=40)
test = fcn.datasets.road_scenes("test", count=4)
keras.utils.set_random_seed(0)
model = fcn.models.fcn(train.num_classes, 8, fcn.backbones.small_vgg(), width=16)
history = fcn.training.fit(model, train, steps=100, batch_size=8, learning_rate=3e-3)
last_ten = np.mean(history.loss[-10:])
print(f"loss: {history.loss[0]:.2f} at the first step, {last_ten:.2f} over the last ten")

# %% [markdown]
# Now we follow 37 rows down and up. Each pooling halves their number and rounds up. Each upsampling
# multiplies it. Surplus rows are then cut off at the bottom (*crop*). That is all the arithmetic.

# %%
down = [37]
for _ in range(5):
    down.append(-(-down[-1] // 2))  # half, rounded up
print("image, pool1 to pool5:", *down)
for factor, stage, target in ((2, 5, 4), (2, 4, 3), (8, 3, 0)):
    print(f"up: {factor} · {down[stage]} = {factor * down[stage]}, cut to {down[target]}")
upsampled = np.random.default_rng(0).normal(size=(1, 40, 56, 7)).astype("float32")
reference = np.zeros((1, 37, 53, 3), "float32")
cut = fcn.layers.CropToMatch()([upsampled, reference])
np.testing.assert_array_equal(cut, upsampled[:, :37, :53])  # the package's layer is this slice
rows = {row.name: row.output_shape[0] for row in fcn.models.describe(model, size=(37, 53))}
assert [rows[f"pool{n}"] for n in range(1, 6)] == down[1:]
assert rows["upscore8"] == 40 and rows["logits"] == 37

# %% [markdown]
# **Predict before you run:** the smallest picture below is a single pixel. What comes out: an
# error, nothing, or 1 × 1?

# %% tags=["L15"]
scene, own_labels = test[0]  # (160, 576, 3) and (160, 576)
windows = [(0, 150, 160, 300), (30, 200, 97, 101), (60, 100, 64, 149)]  # top, left, height, width
windows += [(35, 200, 37, 53), (50, 250, 101, 7), (100, 300, 1, 1)]
crops = [scene[top : top + h, left : left + w] for top, left, h, w in windows]
found = []
for crop in crops:
    logits = keras.ops.convert_to_numpy(model(crop[None].astype("float32")))[0]
    print("in {:>4} × {:<4}".format(*crop.shape), "out {:>4} × {:<4} × {}".format(*logits.shape))
    assert logits.shape[:2] == crop.shape[:2]
    found.append(logits.argmax(axis=-1))
draw_any_size(crops, found, test.palette, test.class_names)

# %% [markdown]
# The size is always right, but the answer may be poor: a narrow strip shows little of what lies
# around a pixel, and this network was trained on whole scenes only. *Any size* is a statement about
# the arithmetic, not about what the network can recognise.
#
# ## 5. Under one pixel
#
# The output has the height and the width of the picture, and 7 channels. At one position, the
# channels contain seven scores, one for each class, all about this pixel. *Softmax* turns them into
# probabilities: it raises $e$ to the power of each score and divides by the sum of the results. The
# class with the highest score is the prediction.
#
# **Predict before you run:** choose a pixel by its `ROW` and `COLUMN`. Which class will win there,
# and which will come second?

# %%
ROW, COLUMN = 75, 190  # choose: row 0 to 159, column 0 to 575
logits = keras.ops.convert_to_numpy(model(scene[None].astype("float32")))[0]  # (160, 576, 7)
under = logits[ROW, COLUMN]  # (7,)
powers = np.exp(under - under.max())  # minus the maximum, because e to a large power overflows
probabilities = powers / powers.sum()
for name, score, probability in zip(test.class_names, under, probabilities, strict=True):
    print(f"{name:<12}{score:+7.1f}{100 * probability:7.1f} %")
packaged = fcn.prediction.probabilities(model, scene)[ROW, COLUMN]
np.testing.assert_allclose(probabilities, packaged, atol=1e-4)
assert under.argmax() == fcn.prediction.segment(model, scene)[ROW, COLUMN]

# %% tags=["L17"]
label = own_labels[ROW, COLUMN]
palette = test.palette
draw_pixel_scores(scene, ROW, COLUMN, under, probabilities, test.class_names, palette, label)

# %% [markdown]
# This is one of 160 · 576 pixels. Each of them has such a row of seven scores. The label map
# contains, for each pixel, the number of the class with the highest score.

# %% [markdown]
# **Try it.** `make lecture` also writes a page in which the networks run. Its chapter
# [A prediction under every pixel](../figures/explainer.html#pixel) shows the scores under the pixel
# that you point at, and the pixels that they depend on. In
# [Fully convolutional](../figures/explainer.html#fully) you drag the size of the picture.

# %% [markdown]
# ## The ladder
#
# The next cell and the table show what changed at each step: from the classifier to its
# convolutional version, and from there to the FCN.

# %%
steps = {"classifier": classifier, "convolutional": convolutional, "FCN-8s": model}
size = {"classifier": None, "convolutional": (192, 256), "FCN-8s": (192, 256)}
for name, network in steps.items():
    rows = fcn.models.describe(network, size=size[name])
    total = sum(row.parameters for row in rows)
    print(f"{name}: image {rows[0].output_shape}, {total:,} parameters")
    for row in rows[-4:]:
        print(f"    {row.name:<15}{row.kind:<17}{row.output_shape!s:<15}{row.parameters:>7,}")
assert classifier.count_params() == convolutional.count_params()

# %% [markdown]
# | step | what is new | output for 192 × 256 |
# | --- | --- | --- |
# | classifier | | none: it accepts only 64 × 64 |
# | convolutional | no `flatten`; each `Dense` becomes a `Conv2D` | 9 × 13 × 4 probabilities |
# |  | the same number of parameters | |
# | FCN-8s | padded 7 × 7 and 1 × 1 convolutions compute scores | 192 × 256 × 7 logits |
# |  | transposed convolutions go up again; two skips | |
#
# The next notebook explains how the way up works.
#
# ## Exercise
#
# 1. On paper: which map does `convolutional` give for a picture of 128 × 64 pixels, and for one of
#    70 × 70? What is the smallest picture that it accepts? Check with
#    `convolutional.predict_on_batch(np.zeros((1, 128, 64, 3)))`.
# 2. Build a classifier like ours, but with `padding="valid"` in its convolutions. You need not
#    train it. Show that the map at position (4, 4) is now exactly the classifier's answer for rows
#    and columns 64 to 127 alone. Check with `np.testing.assert_allclose(…, atol=1e-5)`.
# 3. Find the pixel of the scene at which the scores of the best and the second-best class are
#    closest. Where in the picture does it lie, and why there? Check with `draw_pixel_scores`.
# 4. Which of these would tie the FCN to one size: a 7 × 7 convolution, batch normalization, a
#    `Dense` layer on a map that is not flattened, a `Flatten` layer? To check, build each of them
#    after `keras.Input((None, None, 3))`.
#
# Solutions: `fcn.solutions.show("05.1")`, `fcn.solutions.show("05.2")`,
# `fcn.solutions.show("05.3")`, `fcn.solutions.show("05.4")`.
