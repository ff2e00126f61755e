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
# **Goal.** Build a network that says which of four shapes a picture shows. Train it, and look
# inside: at its tensors (the arrays inside a network), at the filters it has learned, and at the
# places it looks at.
#
# **Idea.** In notebook 01 we made filters by hand. A network *learns* its filters: it starts with
# random numbers and changes them slightly at each step, so that its answers improve. A
# classification network is a chain of such filters. Between them, the maps become smaller. At the
# end, weighted sums of all numbers in the last maps give one probability for each class.

# %%
import numpy as np

import fcn_keras as fcn
from fcn_keras.visualization import classifier as draw

data, unseen = fcn.datasets.shapes(1600, seed=0), fcn.datasets.shapes(400, seed=1)
names = data.class_names[1:]  # without the background

import keras  # noqa: E402  after fcn_keras, which hides Keras' start-up messages

from fcn_keras.datasets.drawn.shapes import arrays  # noqa: E402
from fcn_keras.lecture.classifier import occlusion_map  # noqa: E402

# %%
images, labels = arrays(data)
new_images, new_labels = arrays(unseen)
print("pictures:", images.shape, " labels:", labels.shape, " the first four labels:", labels[:4])
titles = [f"{label}: {names[label]}" for label in labels[:4]]
draw.draw_pictures(images[:4], titles, "Four classes, one label per picture")

# %% [markdown]
# A *label* is the right answer, written as a number: 0 for a disk, 1 for a square, 2 for a triangle
# and 3 for a cross. The network trains on the 1600 pictures of `data`. The 400 pictures of `unseen`
# are set aside: only pictures that the network has never seen can show what it has learned.
#
# ## 1. How is such a network built?
#
# In Keras a *layer* is a function from an array to an array. It contains numbers that can be
# learned, its *weights* or *parameters*. A *model* consists of layers joined together. Here five
# kinds of layers are enough, and two *activations*. An activation is a function that is applied to
# the output of a layer.
#
# * `Rescaling` maps the pixel values from 0–255 to −1 … 1, a range in which learning is easier.
# * `Conv2D(16, 3)` slides 16 filters of 3 × 3 over its input, as in notebook 01, and gives 16 maps
#   (*channels*).
# * `activation="relu"` keeps positive values and sets the others to 0. Without it, several
#   convolutions in a row would be equivalent to a single one.
# * `MaxPooling2D(2)` keeps the largest number of every 2 × 2 block. The map becomes half as high
#   and half as wide.
# * `Flatten` puts all numbers into one row.
# * `Dense(64)` has 64 *units*, each of which computes a weighted sum of *all* incoming numbers.
# * `activation="softmax"` turns the last four sums into probabilities: they are positive and add up
#   to 1.
#
# `keras.Input` is a placeholder: it has a shape (without the batch axis), but no numbers yet.
# `Conv2D(…)` creates a layer, and the `(x)` after it connects the layer to what comes before. No
# numbers are computed yet. `keras.Model(first, last)` collects everything between its two
# arguments.
#
# **Predict before you run:** each of the four poolings halves the height and the width. How large
# are the maps when they reach `Flatten`? How many numbers do 64 such maps contain?


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
# The maps have 4 × 4 positions and 64 channels, that is, 1024 numbers. The package provides this
# network as `fcn.models.classifier`. With the same weights, both networks give the same answers for
# the same pictures.

# %%
keras.utils.set_random_seed(0)  # the same random start every time
package, written_out = fcn.models.classifier(num_classes=4), build()
written_out.set_weights(package.get_weights())
answers = package.predict(images[:8], verbose=0)  # (8, 4): four probabilities for each picture
same = written_out.predict(images[:8], verbose=0)
np.testing.assert_allclose(same, answers, rtol=1e-5, atol=1e-6)
np.testing.assert_allclose(answers.sum(axis=1), 1, rtol=1e-5)
print("equal:", answers.shape)

# %% [markdown]
# ## 2. Where are the parameters?
#
# A convolution has one weight for each combination of a place in its kernel, an input channel and
# an output channel. It also has one *bias*, a number that is added, for each output channel. The
# size of the picture does not matter. A dense layer has one weight for each combination of an input
# number and a unit, and one bias for each unit.
#
# **Predict before you run:** which has more parameters, the four convolutions together or one dense
# layer of 64 units?

# %%
channels = (3, 16), (16, 32), (32, 64), (64, 64)
convolutions = [3 * 3 * before * after + after for before, after in channels]
dense = 1024 * 64 + 64
last = 64 * 4 + 4
print("convolutions:", convolutions, " in total:", sum(convolutions))
print("dense layer:", dense, " last layer:", last)
rows = fcn.models.describe(package)  # a model as a table: name, kind, output shape, parameters
assert [row.parameters for row in rows if row.parameters] == [*convolutions, dense, last]

# %% [markdown]
# The dense layer has more parameters than the four convolutions together, even for a picture of
# only 64 × 64. For 128 × 128 it would have four times as many weights, while the convolutions would
# have the same number as before. The dense layer also requires exactly 1024 incoming numbers, so
# this network accepts no other picture size.
#
# ## 3. How does it learn?
#
# The *loss* says how wrong an answer is. For a classifier it is the *cross-entropy*: minus the
# logarithm of the probability that the network gave to the right class. A probability of 1 costs
# nothing, 0.5 costs 0.69, and 0.01 costs 4.6.
#
# `compile` tells the model which loss and which *optimizer* to use. The optimizer (here Adam) is
# the rule that changes the weights so that the loss falls. `fit` runs the training: it takes the
# pictures in *batches* of 32, computes the loss of each batch, and changes all weights slightly.
# One pass through all pictures is an *epoch*. `sparse_categorical_crossentropy` is Keras' name for
# our loss when the right answers are given as numbers. `accuracy` is the share of right answers.
# `history` will be a dictionary with both values for every epoch.
#
# **Predict before you run:** a network gives each of the four classes the same probability, 1/4.
# What is its loss?

# %% tags=["L03"]
keras.utils.set_random_seed(0)
model = fcn.models.classifier(num_classes=4)
model.compile(
    optimizer="adam",
    loss="sparse_categorical_crossentropy",
    metrics=["accuracy"],
    jit_compile=False,  # compiling to machine code would take longer than it saves
)
before, _ = model.evaluate(new_images, new_labels, verbose=0)
history = model.fit(images, labels, batch_size=32, epochs=8, verbose=0).history
_, accuracy = model.evaluate(new_images, new_labels, verbose=0)
print(f"loss before training: {before:.1f}; loss of 1/4 for each class: {-np.log(1 / 4):.2f}")
print(f"right answers on unseen pictures: {100 * accuracy:.1f} %")
assert accuracy > 0.97
draw.draw_learning(history["loss"], history["accuracy"])

# %% [markdown]
# ## 4. What happens to one picture?
#
# Now we send one new picture through the network and look at the output of each layer. (In the
# package's model the layers have names.) For a stage with many channels, the figure shows a single
# map: the weighted sum of the channels that varies most over the picture, called their first
# *principal component*.
#
# **Predict before you run:** from which stage on could you no longer draw the outline of the shape?

# %% tags=["L03"]
image = new_images[0]
stages = ["pool1", "pool2", "pool3", "pool4", "dense", "probabilities"]
tensors = fcn.prediction.feature_maps(model, image, stages)
for name, tensor in tensors.items():
    print(f"{name:<13} {tensor.shape}")
print("prediction:", names[tensors["probabilities"].argmax()], " truth:", names[new_labels[0]])
draw.draw_classifier(rows, image, tensors, names)

# %% [markdown]
# The maps become smaller, and the channels become more numerous. *Where* becomes coarse; *what*
# becomes clear. At the end only *what* is left: four numbers, and none of them says where the shape
# lies.
#
# ## 5. Which filters did it learn?
#
# The filters of the first layer act on colours, so each can be shown as a small colour picture. In
# it, mid-grey means a weight of 0. The figure shows the eight filters whose maps have the most
# contrast. Nobody told the network what to look for.
#
# **Predict before you run:** will you find the edge filters of notebook 01 among them?

# %% tags=["L02"]
maps = fcn.prediction.feature_maps(model, image, ["conv1"])["conv1"]  # (64, 64, 16)
strongest = np.argsort(-maps.std(axis=(0, 1)))[:8]
filters, _ = model.get_layer("conv1").get_weights()  # (3, 3, 3, 16): height, width, colour, filter
print(filters.shape, maps.shape)
draw.draw_filters(image, filters[..., strongest], maps[..., strongest])

# %% [markdown]
# The filters look like noise, because eight epochs change the random start only a little. The maps
# are more informative. Some filters respond to the bright shape, some to the background, and some
# only to one side of the shape. These last are edge filters, although none looks as tidy as
# Sobel's. Networks trained on millions of photographs have smoother filters.
#
# ## 6. Where does it look?
#
# Hide a part of the picture with a grey patch and ask the network again. If the probability of the
# right class falls, the network needed the hidden part. Move the patch over the whole picture. Each
# pixel then gets a number: how far the probability fell, on average, when the pixel was hidden.


# %%
def where_it_looks(model, image, label, patch=16, step=3):
    places = [(y, x) for y in range(0, 65 - patch, step) for x in range(0, 65 - patch, step)]
    hidden = np.repeat(image[None], len(places), axis=0)
    for picture, (y, x) in zip(hidden, places):
        picture[y : y + patch, x : x + patch] = 80  # dark grey, like the background
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
# **Predict before you run:** where will the maps be bright: on the shape, along its edge, or on the
# background?

# %% tags=["L02"]
by_hand = where_it_looks(model, image, new_labels[0])
falls = [occlusion_map(model, new_images[i], new_labels[i]) for i in range(4)]
np.testing.assert_allclose(by_hand, falls[0], atol=1e-4)
# unseen[i] is a picture and its mask, in which 0 is the background
inside = np.mean([fall[unseen[i][1] > 0].mean() for i, fall in enumerate(falls)])
outside = np.mean([fall[unseen[i][1] == 0].mean() for i, fall in enumerate(falls)])
assert inside > 5 * abs(outside)
print(f"mean fall in probability: {inside:.2f} on the shape, {outside:.2f} on the background")
draw.draw_attention(new_images[:4], falls, [names[label] for label in new_labels[:4]])

# %% [markdown]
# The classifier was given one word for each picture. Nobody told it where the shape is, yet it
# found the place to look at by itself. So *where* is present inside the network, but it is
# discarded at the end. Notebook 03 keeps it. Its network makes the maps small as well. Then,
# instead of ending in dense layers, it makes them large again.
#
# ## Exercise
#
# 1. On paper: how many parameters does this classifier have for pictures of 96 × 96? Which of its
#    layers change? Check with `fcn.models.classifier(4, size=96).count_params()`.
# 2. Remove every `activation="relu"` from `build` and train the network as in section 3. Then also
#    replace `MaxPooling2D` by `AveragePooling2D`, which takes the mean. For both networks, predict
#    the share of the new pictures that they classify correctly. In which of the two is every number
#    before the softmax one weighted sum of the pixels?
# 3. Train on the first 100 pictures only, for 40 epochs. Compare the share of right answers on
#    those 100 pictures and on the new ones. What has the network learned?
# 4. Paint a yellow square of 8 × 8 pixels into the upper left corner of a new picture of a disk.
#    Does the answer change? Use `occlusion_map` and `draw.draw_attention` to see where the network
#    looks.
#
# Solutions: `fcn.solutions.show("02.1")`, `fcn.solutions.show("02.2")`,
# `fcn.solutions.show("02.3")`, `fcn.solutions.show("02.4")`.
