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
# **Goal.** Turn a classifier's dense layers into convolutions without changing one number, let it look over a larger picture,
# and see what a network without dense layers can do: take a picture of any size, and say something about every pixel.
#
# **Idea.** A dense layer multiplies *all* numbers of its input, so it fits one size only. A convolution multiplies a small
# *window* and moves on. A dense layer behind a 4 × 4 map is a convolution whose window is the whole map: on that map it fits in
# one place, on a larger map in many. A network made only of such local layers is *fully convolutional*.
#
# Source: Long, Shelhamer, Darrell, *Fully Convolutional Networks for Semantic Segmentation*, section 3.1.
#
# A *layer* is one step of a network, array in, array out. A *model* is layers joined from input to output. A *dense* layer gives,
# for each of its *units*, a weighted sum of everything that comes in, plus one more number, the *bias*.

# %%
import numpy as np

import fcn_keras as fcn

pictures = fcn.datasets.shapes(1600, seed=0)  # one disk, square, triangle or cross on each, 64 × 64
unseen = fcn.datasets.shapes(200, seed=1)
names = pictures.class_names[1:]  # the four shapes, without the background

import keras  # noqa: E402  after fcn_keras, which loads it without its start-up lines

from fcn_keras.datasets.drawn.shapes import arrays  # noqa: E402
from fcn_keras.visualization.sizes import draw_any_size, draw_dense_as_convolution, draw_pixel_scores  # noqa: E402

# %% [markdown]
# The classifier: four times convolution and pooling, then two dense layers. `compile` says how it learns: which number is to
# become small (the *loss*: how wrong the answers are) and how the weights are moved (`adam`). `fit` shows it the pictures, 32 at
# a time; one *epoch* is once through all of them.

# %%
keras.utils.set_random_seed(0)  # the same random start every time
classifier = fcn.models.classifier(len(names))
classifier.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"], jit_compile=False)
images, labels = arrays(pictures)  # (1600, 64, 64, 3) and (1600,)
classifier.fit(images, labels, epochs=8, batch_size=32, verbose=0)
accuracy = classifier.evaluate(*arrays(unseen), verbose=0)[1]
print(f"right on {100 * accuracy:.1f} % of pictures that it has never seen")
for row in fcn.models.describe(classifier)[-4:]:
    print(f"{row.name:<14}{row.kind:<14}{row.output_shape!s:<13}{row.parameters:>7,} parameters")

# %% [markdown]
# ## 1. A dense layer, written as a convolution
#
# `pool4` gives a map of 4 × 4 positions with 64 channels. `flatten` lays these numbers in a row, and `dense` multiplies the
# row by a matrix. The row was read line by line, so the matrix can be folded back: each unit's weights become a 4 × 4 × 64 block.
# That block is a convolution kernel.
#
# **Predict before you run:** how many rows does the matrix have? And how many numbers does the convolution have in its kernel,
# more than the matrix, fewer, or as many?

# %%
probe = keras.Model(classifier.inputs, [classifier.get_layer(name).output for name in ("pool4", "dense")])
features, answers = probe.predict_on_batch(arrays(unseen)[0][:20])  # (20, 4, 4, 64) and (20, 64)
weights, bias = classifier.get_layer("dense").get_weights()  # (1024, 64) and (64,)
kernel = weights.reshape(4, 4, 64, 64)  # height, width, channels, units

as_dense = features.reshape(20, 1024) @ weights + bias
as_convolution = np.einsum("nijc,ijcu->nu", features, kernel) + bias  # the window fits once: one weighted sum per unit
np.testing.assert_allclose(as_convolution, as_dense, atol=1e-4)
np.testing.assert_allclose(np.maximum(as_convolution, 0), answers, atol=1e-4)  # ReLU: negative becomes 0
print("matrix", weights.shape, "kernel", kernel.shape, "numbers", weights.size, kernel.size)

# %% [markdown]
# The same in Keras: a `Conv2D` layer with 64 filters of 4 × 4, given these weights. `dense_to_conv` of the package does
# the folding, and `convolutionalize` does it for a whole classifier.

# %%
convolution = keras.layers.Conv2D(64, 4, activation="relu")
convolution.build((None, None, None, 64))  # batch, height and width stay open; 64 channels
convolution.set_weights([kernel, bias])
package = fcn.convolutionalize.dense_to_conv(classifier.get_layer("dense"), (4, 4, 64))
for layer in (convolution, package):
    answer = keras.ops.convert_to_numpy(layer(features))  # (20, 1, 1, 64): one position
    np.testing.assert_allclose(answer[:, 0, 0], answers, atol=1e-4)

convolutional = fcn.convolutionalize.convolutionalize(classifier)
ours = convolutional.predict_on_batch(arrays(unseen)[0])  # (200, 1, 1, 4)
np.testing.assert_allclose(ours[:, 0, 0], classifier.predict_on_batch(arrays(unseen)[0]), atol=1e-5)
print("equal on 200 pictures")

# %% [markdown]
# ## 2. The classifier, at many places at once
#
# Twelve small pictures laid side by side make one of 192 × 256. The classifier refuses it. The convolutions do not: the 4 × 4
# window moves over a larger `pool4`, and there is an answer at every place where it fits.
#
# **Predict before you run:** the four poolings leave 12 × 16 positions of `pool4`. In how many places does a 4 × 4 window fit?

# %% tags=["L14"]
tiles = [unseen[3 * row + column][0] for row in range(3) for column in range(4)]
large = np.vstack([np.hstack(tiles[4 * row : 4 * row + 4]) for row in range(3)])  # (192, 256, 3)
scores = convolutional.predict_on_batch(large[None].astype("float32"))[0]  # (9, 13, 4)
try:
    classifier(large[None].astype("float32"))
except ValueError as refusal:
    print("the classifier: ", refusal)
print("the convolutions:", large.shape, "gives", scores.shape)
draw_dense_as_convolution(answers, package(features)[:, 0, 0], large, scores, names, window=64, marked=(3, 5))

# %% [markdown]
# Each mark stands in the middle of the 64 × 64 pixels that its answer is about; the larger it is, the surer the answer. Near a
# shape the answers name it. Between two pictures they guess: the classifier never saw half a shape, and it cannot say "none".
#
# Is an answer of the map really the classifier's? We take the framed window twice: the 4 × 4 block that the large
# `pool4` has there, and the 64 × 64 pixels cut out.
#
# **Predict before you run:** which of the two gives exactly the numbers of the map?

# %%
position = (3, 5)  # of the map; the next one is 16 pixels away, so the window begins at pixel 48, 80
pool4 = keras.Model(convolutional.inputs, convolutional.get_layer("pool4").output)
block = pool4.predict_on_batch(large[None].astype("float32"))[:, 3:7, 5:9]  # (1, 4, 4, 64)
from_block = classifier.get_layer("probabilities")(classifier.get_layer("dense")(block.reshape(1, 1024)))
from_pixels = classifier.predict_on_batch(large[None, 48:112, 80:144].astype("float32"))
np.testing.assert_allclose(from_block[0], scores[position], atol=1e-5)
print("map          ", scores[position].round(3))
print("pool4 block  ", np.round(from_block[0], 3))
print("pixels alone ", from_pixels[0].round(3))

# %% [markdown]
# The dense layers on that block give exactly the map's numbers. The pixels alone do not: cut out, the window has a border, and
# there the 3 × 3 convolutions see the zeros of the padding instead of the neighbouring pixels. Where the answer is unsure, as
# here between two pictures, that is enough to turn it. Without padding the two agree: exercise 2.
#
# And the work? The large picture goes through the convolutions once. Cutting out 9 · 13 windows would compute most pixels
# up to sixteen times.
#
# ## 3. No dense layer anywhere
#
# **Predict before you run:** which kinds of layers does an FCN need, if `Dense` and `Flatten` are not allowed?

# %% tags=["L14"]
networks = [fcn.models.fcn(7, stride, width=16) for stride in (32, 16, 8)] + [fcn.models.lecture_fcn(2, width=16)]
for network in networks:
    kinds = {row.kind for row in fcn.models.describe(network)}
    assert not kinds & {"Dense", "Flatten", "GlobalAveragePooling2D"}
    print(f"{network.name:<12}", ", ".join(sorted(kinds - {"InputLayer"})))

# %% [markdown]
# `Conv2D`, `MaxPooling2D` and `Conv2DTranspose` look at a window. `Add` and the preprocessing look at one position. `CropToMatch`
# only cuts. Nothing looks at the whole picture at once, so nothing needs to know how large it is.
#
# ## 4. Any size
#
# We train a small FCN on road scenes with seven classes. Its *encoder*, the way down, was trained before and stays as it is
# (*frozen*). One *step* shows it 8 scenes. Its output has 7 channels of *logits*: raw scores, one per class, any numbers.

# %%
train = fcn.datasets.road_scenes("train", count=40)
test = fcn.datasets.road_scenes("test", count=4)
keras.utils.set_random_seed(0)
model = fcn.models.fcn(train.num_classes, stride=8, width=16)
history = fcn.training.fit(model, train, steps=100, batch_size=8, learning_rate=3e-3)
print(f"loss {history.loss[0]:.2f} at the first step, {np.mean(history.loss[-10:]):.2f} at the last ten")

# %% [markdown]
# Follow 37 rows down and up. Each pooling halves and rounds up; each upsampling multiplies. What is too much is cut off at the
# end (*crop*), and that is all the arithmetic there is.

# %%
down = [37]
for _ in range(5):
    down.append(-(-down[-1] // 2))  # half, rounded up
print("image, pool1 to pool5:", *down)
print(f"up: {2 * down[5]}, cut to {down[4]}; {2 * down[4]}, cut to {down[3]}; {8 * down[3]}, cut to {down[0]}")

upsampled = np.random.default_rng(0).normal(size=(1, 40, 56, 7)).astype("float32")
reference = np.zeros((1, 37, 53, 3), "float32")
cut = fcn.layers.CropToMatch()([upsampled, reference])
np.testing.assert_array_equal(cut, upsampled[:, :37, :53])  # the package's layer is this slice
rows = {row.name: row.output_shape[0] for row in fcn.models.describe(model, size=(37, 53))}
assert [rows[f"pool{n}"] for n in range(1, 6)] == down[1:] and rows["upscore8"] == 40 and rows["logits"] == 37

# %% [markdown]
# **Predict before you run:** the smallest picture below is one pixel. What comes out: an error, nothing, or 1 × 1?

# %% tags=["L15"]
scene, own_labels = test[0]  # (160, 576, 3) and (160, 576)
windows = ((0, 150, 160, 300), (30, 200, 97, 101), (60, 100, 64, 149), (35, 200, 37, 53), (50, 250, 101, 7), (100, 300, 1, 1))
crops = [scene[top : top + h, left : left + w] for top, left, h, w in windows]
found = []
for crop in crops:
    logits = keras.ops.convert_to_numpy(model(crop[None].astype("float32")))[0]
    print("in {:>4} × {:<4}".format(*crop.shape), "out {:>4} × {:<4} × {}".format(*logits.shape))
    assert logits.shape[:2] == crop.shape[:2]
    found.append(logits.argmax(axis=-1))
draw_any_size(crops, found, test.palette, test.class_names)

# %% [markdown]
# The size always fits. The answer need not be as good: a narrow strip shows little of what lies around a pixel, and this
# network was trained on whole scenes only. *Any size* is about the arithmetic, not about what can be recognised.
#
# ## 5. Under one pixel
#
# The output is as high and wide as the picture, and 7 channels deep. Take one position and read down the channels: seven
# scores, one for each class, all about this pixel. *Softmax* makes probabilities of them: $e$ to the power of each score,
# divided by the sum. The class with the highest score is the prediction.
#
# **Predict before you run:** choose a pixel by its `ROW` and `COLUMN`. Which class will win there, and which will be second?

# %%
ROW, COLUMN = 75, 190  # choose: row 0 to 159, column 0 to 575
logits = keras.ops.convert_to_numpy(model(scene[None].astype("float32")))[0]  # (160, 576, 7)
under = logits[ROW, COLUMN]  # (7,)
probabilities = np.exp(under - under.max()) / np.exp(under - under.max()).sum()  # less the largest: e to a large power overflows
for name, score, probability in zip(test.class_names, under, probabilities, strict=True):
    print(f"{name:<12}{score:+7.1f}{100 * probability:7.1f} %")
np.testing.assert_allclose(probabilities, fcn.prediction.probabilities(model, scene)[ROW, COLUMN], atol=1e-4)
assert under.argmax() == fcn.prediction.segment(model, scene)[ROW, COLUMN]

# %% tags=["L17"]
label = own_labels[ROW, COLUMN]
draw_pixel_scores(scene, ROW, COLUMN, under, probabilities, test.class_names, test.palette, label)

# %% [markdown]
# This pixel is one of 160 · 576. At each of them stands such a row of seven numbers, and the label map is the number of the
# largest.
#
# ## The ladder
#
# What changed, step by step: the classifier, its convolutional twin, the FCN.

# %%
steps = {"classifier": classifier, "convolutional": convolutional, "FCN-8s": model}
size = {"classifier": None, "convolutional": (192, 256), "FCN-8s": (192, 256)}
for name, network in steps.items():
    rows = fcn.models.describe(network, size=size[name])
    print(f"{name}: image {rows[0].output_shape}, {sum(row.parameters for row in rows):,} parameters")
    for row in rows[-4:]:
        print(f"    {row.name:<15}{row.kind:<17}{row.output_shape!s:<15}{row.parameters:>7,}")
assert classifier.count_params() == convolutional.count_params()

# %% [markdown]
# | step | what is new | what comes out for 192 × 256 |
# | --- | --- | --- |
# | classifier | | nothing: it takes 64 × 64 only |
# | convolutional | `flatten` goes, each `Dense` becomes a `Conv2D`; not one parameter more or less | 9 × 13 × 4 probabilities |
# | FCN-8s | padded 7 × 7 and 1 × 1 convolutions score, transposed convolutions go up again, two skips | 192 × 256 × 7 logits |
#
# How the way up works is the next notebook.
#
# ## Exercise
#
# 1. On paper: which map does `convolutional` give for a picture of 128 × 64 pixels, and for 70 × 70? Which is the smallest
#    picture that it takes? Check yourself with
#    `convolutional.predict_on_batch(np.zeros((1, 128, 64, 3)))`.
# 2. Build a classifier like ours with `padding="valid"` in its convolutions, without training it. Show that now the map at
#    position (4, 4) is exactly what the classifier says to the pixels 64 to 127 alone. Check yourself with
#    `np.testing.assert_allclose(…, atol=1e-5)`.
# 3. Find the pixel of the scene at which the best and the second best class are nearest to each other. Where in the picture
#    does it lie, and why there? Check yourself with `draw_pixel_scores`.
# 4. Which of these would tie the FCN to one size: a 7 × 7 convolution, batch normalization, a `Dense` layer on the
#    unflattened map, a `Flatten`? Check yourself: build each behind `keras.Input((None, None, 3))`.
#
# Solutions: `fcn.solutions.show("05.1")`, `fcn.solutions.show("05.2")`, `fcn.solutions.show("05.3")`,
# `fcn.solutions.show("05.4")`.
