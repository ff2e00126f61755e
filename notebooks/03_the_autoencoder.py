# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # The autoencoder
#
# **Goal.** Build a network that makes a picture small and then large again. Train it to reproduce
# its input. Measure in decibels how well it does so for pictures that it has never seen.
#
# **Idea.** The classifier of notebook 02 makes maps smaller and smaller and ends with a few
# numbers. A *convolutional autoencoder* (CAE) stops earlier and makes the maps large again. Its
# *encoder* goes down by convolution, and its *decoder* goes up by transposed convolution. It is
# trained to reproduce its own input, so it needs no labels. Everything that it reproduces must pass
# through the small maps in the middle, the *latent* feature maps.

# %%
import numpy as np

import fcn_keras as fcn
from fcn_keras.visualization.reconstruction import draw_autoencoder, draw_reconstruction

roads = fcn.datasets.road_scenes("train", count=120)
others = fcn.datasets.road_scenes("test", count=20)
large = [np.stack([image for image, _ in data]) for data in (roads, others)]  # (N, 160, 576, 3)
train, test = (a.reshape(-1, 80, 2, 288, 2, 3).mean(axis=(2, 4)).round() for a in large)
pieces = train.reshape(120, 80, 4, 72, 3).swapaxes(1, 2).reshape(480, 80, 72, 3)
print("training pieces:", pieces.shape, " test pictures:", test.shape)

import keras  # noqa: E402  after fcn_keras, which hides Keras' start-up messages

from fcn_keras.lecture import autoencoder  # noqa: E402

# %% [markdown]
# The pictures are drawn road scenes at half size: every 2 × 2 pixels become one. Each training
# picture is cut into four pieces of 80 × 72 pixels, so that training is quick. The network is
# tested on whole pictures of other scenes, 80 × 288. You will see why it accepts both sizes.
#
# ## 1. Down and up again
#
# You know all parts of this network from notebooks 01 and 02. Convolutions with stride 2 halve the
# height and the width. Transposed convolutions with stride 2 double them. ReLU sets negative
# numbers to 0. The kernels of the transposed convolutions are 4 × 4, a multiple of the stride. So
# every pixel away from the border receives the same number of stamps. The last layer has no ReLU,
# because its results are colours. `None` as height and width means any size.
#
# **Predict before you run:** a picture of 80 × 288 pixels consists of 69,120 numbers. How large are
# the maps after three halvings? How many numbers do 64 such maps contain?


# %%
def build(widths=(16, 32, 64)):
    image = keras.Input((None, None, 3))
    x = keras.layers.Rescaling(1 / 255)(image)  # from 0–255 to 0–1
    for channels in widths:  # the encoder
        x = keras.layers.Conv2D(channels, 3, strides=2, padding="same", activation="relu")(x)
    for channels in reversed(widths[:-1]):  # the decoder
        up = keras.layers.Conv2DTranspose(channels, 4, strides=2, padding="same", activation="relu")
        x = up(x)
    x = keras.layers.Conv2DTranspose(3, 4, strides=2, padding="same")(x)  # red, green, blue
    return keras.Model(image, keras.layers.Rescaling(255.0)(x))


for row in fcn.models.describe(build(), (80, 288)):
    shape = "×".join(map(str, row.output_shape))
    print(f"{row.kind:<16}{row.detail:<15}{shape:<11}{np.prod(row.output_shape):>7} numbers")

# %% [markdown]
# The maps in the middle contain 10 × 36 × 64 = 23,040 numbers, a third of the input. So the network
# cannot simply copy its input.
#
# The package provides this network as `fcn.models.cae`. With the same weights, both give the same
# result. (`predict_on_batch` runs all pictures in one batch. `model(pictures)` does the same, but
# returns an array of Keras' backend.)

# %%
keras.utils.set_random_seed(0)
package, written_out = fcn.models.cae(), build()
written_out.set_weights(package.get_weights())
ours, theirs = (network.predict_on_batch(test[:2]) for network in (written_out, package))
np.testing.assert_allclose(ours, theirs, atol=1e-3)
odd = test[:1, :77, :141]  # 77 and 141 cannot be halved three times without a remainder
print("equal; an odd size:", odd.shape)
print("ours gives", written_out(odd).shape, " the package's gives", package(odd).shape)

# %% [markdown]
# The two networks differ only for odd sizes. Halving rounds up, so our output is larger than the
# input. The package cuts the surplus off. It accepts any height and width and returns the same
# height and width.
#
# ## 2. What is new since notebook 02?
#
# **Predict before you run:** the classifier has 126,372 parameters. The autoencoder must draw a
# whole picture. Does it have more parameters, or fewer?

# %% tags=["L10"]
classifier = fcn.models.classifier(num_classes=4)
for network in (classifier, package):
    rows = [row for row in fcn.models.describe(network, (64, 64)) if row.parameters]
    answer = network.compute_output_shape((1, 64, 64, 3))
    print(f"{network.name}: {network.count_params():,} parameters, output {answer}")
    for row in rows:
        shape = "×".join(map(str, row.output_shape))
        print(f"  {row.name:<14}{row.kind:<16}{shape:<9}{row.parameters:>7,}")
kinds = {row.kind for row in rows}
assert kinds == {"Conv2D", "Conv2DTranspose"}

# %% [markdown]
# | step | removed | new |
# | --- | --- | --- |
# | 02 → 03 | four poolings, `conv4` | convolutions with stride 2 |
# |  | `Flatten`, two dense layers | three transposed convolutions |
# |  | pixels from −1 to 1 | pixels from 0 to 1, in the target as well |
# |  | 4 numbers for a picture of 64 × 64 | 64 × 64 × 3 numbers |
# |  | one size only | any size |
#
# The autoencoder has no dense layer, and therefore fewer parameters: a convolution uses one small
# kernel at all places. For the same reason, the size of the picture does not matter.
#
# ## 3. Training without labels
#
# The target is the picture itself, so `fit` receives `pieces` both as input and as target. The loss
# is the *mean squared error*: the difference between output and input, squared, and averaged over
# all pixels and colours.
#
# To judge a loss, we need something to compare it with. We use the *mean picture*, in which every
# pixel has its average value over all training pictures. It is a guess that does not use the input
# at all.

# %%
keras.utils.set_random_seed(0)
model = fcn.models.cae()
optimizer = keras.optimizers.Adam(2e-3)  # learning rate: roughly how far a weight moves per step
model.compile(optimizer, loss="mean_squared_error", jit_compile=False)  # see notebook 02
losses = model.fit(pieces, pieces, batch_size=4, epochs=8, verbose=0).history["loss"]
given = model.predict_on_batch(test)  # (20, 80, 288, 3)
mean = train.mean(axis=0)  # (80, 288, 3)
print("loss in the first and the last epoch:", *(f"{losses[epoch]:.0f}" for epoch in (0, -1)))
print(f"loss on new pictures: {np.mean((given - test) ** 2):.0f}")
print(f"loss of the mean picture: {np.mean((mean - test) ** 2):.0f}")

# %% [markdown]
# ## 4. How good is that in decibels?
#
# Squared errors are hard to interpret. The usual measure is the *peak signal-to-noise ratio*
# (PSNR), in decibels (dB). It compares the squared error with $255^2$, the largest possible squared
# error. On its scale, each additional 10 dB means a tenth of the squared error:
#
# $$\text{PSNR} = 10 \, \log_{10} \frac{255^2}{\text{mean squared error}}$$
#
# **Predict before you run:** suppose that every number of a picture is wrong by 25.5, a tenth
# of 255. What is the PSNR?


# %%
def psnr(image, reconstruction):
    difference = image - np.clip(reconstruction, 0, 255)  # a screen shows only 0 to 255
    return 10 * np.log10(255**2 / np.mean(difference**2))


wrong = psnr(np.full((80, 288, 3), 100.0), np.full((80, 288, 3), 125.5))
print(f"wrong by 25.5 everywhere: {wrong:.0f} dB")
pairs = list(zip(test, given, strict=True))
decibels = np.array([psnr(*pair) for pair in pairs])
baseline = np.array([psnr(image, mean) for image in test])
np.testing.assert_allclose(decibels, [autoencoder.psnr(*pair) for pair in pairs])
print(f"20 unseen pictures: {decibels.mean():.1f} dB; the mean picture: {baseline.mean():.1f} dB")
assert decibels.mean() >= baseline.mean() + 5

# %% [markdown]
# We require at least 5 dB more than for the mean picture (last line of the cell). This means a
# third of the mean picture's squared error. Our network reaches 8 dB more, which means about a
# sixth. Now look at the network and at its output.
#
# **Predict before you run:** the next figure shows the whole network, drawn from the model itself.
# Where is it narrowest in height and width? Where does it have the most channels?

# %% tags=["L10"]
draw_autoencoder(fcn.models.describe(model, (80, 288)), test[0], given[0])

# %% [markdown]
# In height and width the network is an hourglass. The number of channels changes in the opposite
# direction: the fewer positions a map has, the more numbers describe each of them.
#
# ## 5. What comes back, and what does not?
#
# **Predict before you run:** where will input and reconstruction differ most: in the sky, on the
# road, or along the edges of objects?

# %% tags=["L11"]
chosen = [0, 9, 19]
latent = fcn.prediction.feature_maps(model, test[0], ["conv3"])["conv3"]  # (10, 36, 64)
draw_reconstruction(test[chosen], given[chosen], latent, decibels[chosen], baseline[chosen])

# %% [markdown]
# Nobody told the network what a road is. Yet its latent maps distinguish parts of the scene:
# several are bright in the sky, some are bright along the edges of the road, and some are dark on
# the road. (Where only the last row is bright, the cause is the row of zeros that SAME adds below
# the picture.) The maps are small, 10 × 36: each position represents 8 × 8 pixels.
#
# The third row shows what is lost. We measure the error at edges and elsewhere. A pixel is *at an
# edge* if there is a pixel of another class next to it or one pixel further away. (The label maps
# are used only for this measurement.)

# %%
labels = np.stack([mask[::2, ::2] for _, mask in others])  # (20, 80, 288)
edge = np.stack([fcn.evaluation.boundary_band(mask, 2) for mask in labels])
error = np.mean((np.clip(given, 0, 255) - test) ** 2, axis=-1)
print(f"squared error at edges: {error[edge].mean():.0f}, elsewhere: {error[~edge].mean():.0f}")
for number, name in enumerate(others.class_names):
    print(f"  {name:<11}{error[labels == number].mean():>5.0f}")

# %% [markdown]
# The road, which is large and even, comes back best. It is the only class with an error below the
# average of 207. Walls, trees and sky have many edges of their own. Thin poles, small cars and the
# stones of the pavement do not come back. After three halvings each position must describe 8 × 8
# pixels, and a blurred edge adds less to the squared error than a sky of the wrong colour does.
# What passes through the middle is *what* there is and roughly *where*; the exact place is lost.
# The segmentation networks of this course also have such a bottleneck. Notebook 07 shows how to
# recover what is lost in it.

# %% [markdown]
# **Try it.** `make lecture` also writes a page in which the networks run. Its chapter
# [Convolutional autoencoder](../figures/explainer.html#autoencoder) lets you take latent channels away
# and see what is lost.

# %% [markdown]
# ## Exercise
#
# 1. On paper: take a picture of 93 × 157 pixels. Write down the height and the width after each of
#    the six layers. The package cuts off the surplus only once, after the last layer: how much?
#    Check with `fcn.models.describe(model, (93, 157))`.
# 2. If all differences of a reconstruction become half as large, by how many decibels does its PSNR
#    rise? To check, add the noise `np.random.default_rng(0).normal(0, 20, test[0].shape)` to
#    `mean`. Then add only half of the noise. Compare both results with `mean`.
# 3. The simplest autoencoder has no weights: replace every 2 × 2 pixels by their mean, and enlarge
#    the result with `.repeat(2, axis=1).repeat(2, axis=2)`. It keeps a quarter of the numbers. How
#    many decibels does it reach? If it beats our network, what is our network still good for?
# 4. Give the bottleneck an eighth of its channels: `fcn.models.cae(widths=(16, 32, 8))`, trained as
#    in section 3. Is it still 5 dB better than the mean picture? Draw the figure of section 5 for
#    it: what is lost first?
#
# Solutions: `fcn.solutions.show("03.1")`, `fcn.solutions.show("03.2")`,
# `fcn.solutions.show("03.3")`, `fcn.solutions.show("03.4")`.
