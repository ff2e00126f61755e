# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # A classifier, and what is inside
#
# **Goal.** Build a network that says which of four shapes is in a picture, train it, and look inside: at its
# tensors (arrays inside a network), at the filters it learned, and at the places it looks at.
#
# **Idea.** Notebook 01 made filters by hand. A network *learns* its filters: it starts with random numbers and changes them,
# a little at each step, so that its answers get better. A classification network is a chain of such filters. Between them the
# maps are made smaller, and at the end every number of the last maps is weighed to give one probability for each class.

# %%
import numpy as np

import fcn_keras as fcn
from fcn_keras.visualization import classifier as draw

data, unseen = fcn.datasets.shapes(1600, seed=0), fcn.datasets.shapes(400, seed=1)
names = data.class_names[1:]  # without the ground

import keras  # noqa: E402  after fcn_keras, which loads it without its start-up lines

from fcn_keras.datasets.drawn.shapes import arrays  # noqa: E402
from fcn_keras.lecture.classifier import occlusion_map  # noqa: E402

# %%
images, labels = arrays(data)
new_images, new_labels = arrays(unseen)
print("pictures", images.shape, "labels", labels.shape, "the first four:", labels[:4])
draw.draw_pictures(images[:4], [f"{label}: {names[label]}" for label in labels[:4]], "Four classes, one label a picture")

# %% [markdown]
# A *label* is the right answer, written as a number: 0 for a disk, 1 for a square, 2 for a triangle, 3 for a cross. The
# network trains on the 1600 pictures of `data`. The 400 of `unseen` are put aside: only pictures that it never saw can tell
# what it has learned.
#
# ## 1. How is such a network built?
#
# In Keras a *layer* is a function from an array to an array, with numbers inside that can be learned (its *weights* or
# *parameters*). A *model* is layers joined together. Five kinds of layers, and two *activations* (functions of each number that
# comes out of a layer), are enough:
#
# * `Rescaling` brings the pixels from 0–255 to −1 … 1, where learning is easier.
# * `Conv2D(16, 3)` slides 16 filters of 3 × 3 over its input, as in notebook 01, and gives 16 maps (*channels*).
# * `activation="relu"` keeps what is positive and sets the rest to 0. Without it, convolutions in a row would amount to
#   a single one.
# * `MaxPooling2D(2)` keeps the largest of every 2 × 2 numbers: half as high, half as wide.
# * `Flatten` puts all numbers in one row.
# * `Dense(64)` has 64 *units*, each a weighted sum of *all* of them.
# * `activation="softmax"` turns the last four sums into probabilities: positive, and together 1.
#
# `keras.Input` is a placeholder: it has a shape (without the batch axis), but no numbers yet. `Conv2D(…)` makes a layer, and
# `(x)` behind it joins it to what comes before; nothing is computed. `keras.Model(first, last)` collects all that lies between.
#
# **Predict before you run:** four poolings, each halves. How large are the maps when they reach `Flatten`, and how many numbers
# are that with 64 channels?


# %%
def build():
    image = keras.Input((64, 64, 3))
    x = keras.layers.Rescaling(1 / 127.5, offset=-1.0)(image)
    for channels in (16, 32, 64, 64):
        x = keras.layers.Conv2D(channels, 3, padding="same", activation="relu")(x)
        x = keras.layers.MaxPooling2D(2)(x)
    x = keras.layers.Flatten()(x)
    x = keras.layers.Dense(64, activation="relu")(x)
    return keras.Model(image, keras.layers.Dense(4, activation="softmax")(x))


for layer in build().layers:
    print(f"{layer.__class__.__name__:<13} {'×'.join(map(str, layer.output.shape[1:])):>9}")

# %% [markdown]
# 4 × 4 positions with 64 channels: 1024 numbers. The package has this network as `fcn.models.classifier`. Given the same
# weights, both say the same about the same pictures.

# %%
keras.utils.set_random_seed(0)  # the random start, the same every time
package, written_out = fcn.models.classifier(num_classes=4), build()
written_out.set_weights(package.get_weights())
answers = package.predict(images[:8], verbose=0)  # (8, 4): four probabilities for each picture
np.testing.assert_allclose(written_out.predict(images[:8], verbose=0), answers, rtol=1e-5, atol=1e-6)
np.testing.assert_allclose(answers.sum(axis=1), 1, rtol=1e-5)
print("the same:", answers.shape)

# %% [markdown]
# ## 2. Where are the parameters?
#
# A convolution has a weight for each place of its kernel, each channel that comes in and each channel that goes out, and one
# *bias* (a number that is added) per channel that goes out. How large the picture is does not matter. A dense layer has a
# weight for each number that comes in and each unit.
#
# **Predict before you run:** four convolutions against one dense layer of 64 units. Which has more?

# %%
convolutions = [3 * 3 * before * after + after for before, after in ((3, 16), (16, 32), (32, 64), (64, 64))]
dense = 1024 * 64 + 64
last = 64 * 4 + 4
print("convolutions", convolutions, "together", sum(convolutions))
print("dense", dense, "and the last layer", last)
rows = fcn.models.describe(package)  # a model as a table: name, kind, output shape, parameters
assert [row.parameters for row in rows if row.parameters] == [*convolutions, dense, last]

# %% [markdown]
# One dense layer outweighs the four convolutions together, on a picture of only 64 × 64. On 128 × 128 it would have four
# times as many weights and the convolutions not one more. And it counts on 1024 numbers coming in: this network can take no
# other size.
#
# ## 3. How does it learn?
#
# The *loss* says how wrong an answer is. For a classifier it is the *cross-entropy*: minus the logarithm of the probability
# that the network gave to the right class. 1 would cost nothing, 0.5 costs 0.69, 0.01 costs 4.6.
#
# `compile` tells the model which loss to use and which *optimizer*, the rule that changes the weights so that the loss falls
# (here Adam). `fit` does it: it takes the pictures in *batches* of 32, computes the loss of a batch, and changes all weights
# a little. Once through all pictures is an *epoch*. `sparse_categorical_crossentropy` is Keras' name of our loss for right
# answers that come as numbers, `accuracy` the share of right answers; `history` will be a dictionary with both for every
# epoch.
#
# **Predict before you run:** a network that gives each of the four classes the same probability, 1/4: what is its loss?

# %% tags=["L03"]
keras.utils.set_random_seed(0)
model = fcn.models.classifier(num_classes=4)
model.compile(  # compiling to machine code (jit) would cost more than it saves here
    optimizer="adam", loss="sparse_categorical_crossentropy", metrics=["accuracy"], jit_compile=False
)
before, _ = model.evaluate(new_images, new_labels, verbose=0)
history = model.fit(images, labels, batch_size=32, epochs=8, verbose=0).history
_, accuracy = model.evaluate(new_images, new_labels, verbose=0)
print(f"loss before training {before:.1f}; 1/4 for each class costs {-np.log(1 / 4):.2f}")
print(f"right on pictures it never saw: {100 * accuracy:.1f} %")
assert accuracy > 0.97
draw.draw_learning(history["loss"], history["accuracy"])

# %% [markdown]
# ## 4. What becomes of one picture?
#
# Now send one new picture through, and look at what each layer makes of it (in the package's model the layers have
# names). Of a stage with many channels the figure shows one map: the weighted sum of the channels that varies most over the
# picture (their first *principal component*).
#
# **Predict before you run:** from which stage on could you no longer draw the outline of the shape?

# %% tags=["L03"]
image = new_images[0]
tensors = fcn.prediction.feature_maps(model, image, ["pool1", "pool2", "pool3", "pool4", "dense", "probabilities"])
for name, tensor in tensors.items():
    print(f"{name:<13} {tensor.shape}")
print("it says:", names[tensors["probabilities"].argmax()], "and it is:", names[new_labels[0]])
draw.draw_classifier(rows, image, tensors, names)

# %% [markdown]
# The maps get smaller, the channels more. *Where* becomes coarse, *what* becomes clear. At the end only *what* is left: four
# numbers, and nothing in them says where the shape lies.
#
# ## 5. Which filters did it learn?
#
# The first layer's filters act on colours, so they can be shown as small colour pictures: mid-grey is a weight of 0.
# Shown are the eight whose maps have the most contrast. Nobody told the network what to look for.
#
# **Predict before you run:** will you find the edge filters of notebook 01 among them?

# %% tags=["L02"]
maps = fcn.prediction.feature_maps(model, image, ["conv1"])["conv1"]  # (64, 64, 16)
strongest = np.argsort(-maps.std(axis=(0, 1)))[:8]
filters = model.get_layer("conv1").get_weights()[0]  # (3, 3, 3, 16): rows, columns, colours, filters
print(filters.shape, maps.shape)
draw.draw_filters(image, filters[..., strongest], maps[..., strongest])

# %% [markdown]
# They look like noise: eight epochs change the random start only a little. The maps tell more. Some filters light up on the
# bright shape, some on the ground, and some only along one side of the shape: those are edge filters, although none looks as
# tidy as Sobel's. Networks trained on millions of photographs have smoother filters.
#
# ## 6. Where does it look?
#
# Hide a part of the picture with a grey patch and ask again. If the probability of the right class falls, the network needed
# what was hidden. Do this all over the picture, and each pixel gets a number: how far the probability fell, on average, when
# it was hidden.


# %%
def where_it_looks(model, image, label, patch=16, step=3):
    places = [(y, x) for y in range(0, 65 - patch, step) for x in range(0, 65 - patch, step)]
    hidden = np.repeat(image[None], len(places), axis=0)
    for picture, (y, x) in zip(hidden, places):
        picture[y : y + patch, x : x + patch] = 80  # dark grey, like the ground
    probability = model.predict(image[None], verbose=0)[0, label]
    falls = probability - model.predict(hidden, verbose=0)[:, label]
    total, visits = np.zeros((64, 64)), np.zeros((64, 64))
    for (y, x), fall in zip(places, falls):
        total[y : y + patch, x : x + patch] += fall
        visits[y : y + patch, x : x + patch] += 1
    return total / visits


# %% [markdown]
# The package's `occlusion_map` does the same.
#
# **Predict before you run:** where will the maps be bright: on the shape, along its edge, or on the ground?

# %% tags=["L02"]
by_hand = where_it_looks(model, image, new_labels[0])
falls = [occlusion_map(model, new_images[i], new_labels[i]) for i in range(4)]
np.testing.assert_allclose(by_hand, falls[0], atol=1e-4)
# unseen[i] is a picture and its mask, in which 0 is the ground
inside = np.mean([fall[unseen[i][1] > 0].mean() for i, fall in enumerate(falls)])
outside = np.mean([fall[unseen[i][1] == 0].mean() for i, fall in enumerate(falls)])
assert inside > 5 * abs(outside)
print(f"probability lost, on average: {inside:.2f} where the shape is, {outside:.2f} where the ground is")
draw.draw_attention(new_images[:4], falls, [names[label] for label in new_labels[:4]])

# %% [markdown]
# The classifier was told one word for each picture, and nobody told it where the shape is. It found the place to look at by
# itself: *where* is inside it, on the way, and is thrown away in the end. Notebook 03 keeps it: its network makes the maps
# small, too, but then, in place of the dense layers, large again.
#
# ## Exercise
#
# 1. On paper: how many parameters has this classifier for pictures of 96 × 96? Which of its layers change? Check yourself with
#    `fcn.models.classifier(4, size=96).count_params()`.
# 2. Leave out every `activation="relu"` of `build` and train it as in section 3. Then also put `AveragePooling2D`, the mean,
#    in place of `MaxPooling2D`. Predict for both which share of the new pictures they get right. In which of the
#    two are the numbers before the softmax a single weighted sum of the pixels?
# 3. Train on the first 100 pictures only, for 40 epochs. Compare the right answers on those 100 and on the new ones. What has
#    it learned?
# 4. Paint a yellow square of 8 × 8 pixels into the upper left corner of a new picture of a disk. Does the answer change? Look
#    where the network looks, with `occlusion_map` and `draw.draw_attention`.
#
# Solutions: `fcn.solutions.show("02.1")`, `fcn.solutions.show("02.2")`, `fcn.solutions.show("02.3")`,
# `fcn.solutions.show("02.4")`.
