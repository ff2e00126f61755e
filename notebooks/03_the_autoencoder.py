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
# **Goal.** Build a network that makes a picture small and large again, train it to give back what it was shown, and measure in
# decibels how well it does on pictures that it never saw.
#
# **Idea.** The classifier of notebook 02 makes maps smaller and smaller and ends in a few numbers. A *convolutional
# autoencoder* (CAE) stops before that, turns round, and makes the maps large again: the *encoder* goes down by convolution,
# the *decoder* goes up by transposed convolution. It is trained to give back its own input. So it needs no labels, and all
# that it can say must fit through the narrow maps in the middle, the *latent* feature maps.

# %%
import numpy as np

import fcn_keras as fcn
from fcn_keras.visualization.reconstruction import draw_autoencoder, draw_reconstruction

roads, others = fcn.datasets.road_scenes("train", count=120), fcn.datasets.road_scenes("test", count=20)
large, large_test = (np.stack([image for image, _ in data]) for data in (roads, others))  # (120, 160, 576, 3), (20, 160, 576, 3)
train, test = (a.reshape(-1, 80, 2, 288, 2, 3).mean(axis=(2, 4)).round() for a in (large, large_test))  # every 2 × 2 pixels: one
pieces = train.reshape(120, 80, 4, 72, 3).swapaxes(1, 2).reshape(480, 80, 72, 3)  # each picture cut into four
print("to train on:", pieces.shape, " to test on:", test.shape)

import keras  # noqa: E402  after fcn_keras, which loads it without its start-up lines

from fcn_keras.lecture import autoencoder  # noqa: E402

# %% [markdown]
# The pictures are drawn road scenes at half size. The network will train on pieces of 80 × 72 pixels, which is quick,
# and be tested on whole pictures of other scenes, 80 × 288. You will see why it does not mind.
#
# ## 1. Down and up again
#
# Everything here was in notebooks 01 and 02: convolutions with stride 2 halve the height and the width; transposed
# convolutions with stride 2 double them; ReLU sets what is negative to 0. The kernels of the transposed ones are 4 × 4: a
# multiple of the stride, so that away from the border every pixel gets equally many stamps. The last layer has no ReLU: its
# results are colours. `None` as height and width says: any size.
#
# **Predict before you run:** a picture of 80 × 288 has 69,120 numbers. How large are the maps after three halvings, and with
# 64 channels, how many numbers are that?


# %%
def build(widths=(16, 32, 64)):
    image = keras.Input((None, None, 3))
    x = keras.layers.Rescaling(1 / 255)(image)  # from 0–255 to 0–1
    for channels in widths:  # the encoder
        x = keras.layers.Conv2D(channels, 3, strides=2, padding="same", activation="relu")(x)
    for channels in reversed(widths[:-1]):  # the decoder
        x = keras.layers.Conv2DTranspose(channels, 4, strides=2, padding="same", activation="relu")(x)
    x = keras.layers.Conv2DTranspose(3, 4, strides=2, padding="same")(x)  # red, green, blue
    return keras.Model(image, keras.layers.Rescaling(255.0)(x))


for row in fcn.models.describe(build(), (80, 288)):
    print(f"{row.kind:<16}{row.detail:<15}{'×'.join(map(str, row.output_shape)):<11}{np.prod(row.output_shape):>7} numbers")

# %% [markdown]
# In the middle are 10 × 36 × 64 = 23,040 numbers, a third of what came in. The network cannot simply copy.
#
# The package has this network as `fcn.models.cae`. With the same weights both give the same. (`predict_on_batch` runs all
# pictures in one batch; `model(pictures)` does the same and gives an array of the backend.)

# %%
keras.utils.set_random_seed(0)
package, written_out = fcn.models.cae(), build()
written_out.set_weights(package.get_weights())
np.testing.assert_allclose(written_out.predict_on_batch(test[:2]), package.predict_on_batch(test[:2]), atol=1e-3)
odd = test[:1, :77, :141]  # 77 and 141 cannot be halved three times
print("equal. The odd size:", odd.shape, "ours:", written_out(odd).shape, " the package's:", package(odd).shape)

# %% [markdown]
# The only difference: halving rounds up, so an odd size comes back too large; the package cuts the surplus off. Any height
# and width goes in, and the same comes out.
#
# ## 2. What is new since notebook 02?
#
# **Predict before you run:** the classifier had 126,372 parameters. Has the autoencoder, which has to draw a whole picture,
# more or fewer?

# %% tags=["L10"]
classifier = fcn.models.classifier(num_classes=4)
for network in (classifier, package):
    rows = [row for row in fcn.models.describe(network, (64, 64)) if row.parameters]
    print(f"{network.name}: {network.count_params():,} parameters, answers with {network.compute_output_shape((1, 64, 64, 3))}")
    for row in rows:
        print(f"  {row.name:<14}{row.kind:<16}{'×'.join(map(str, row.output_shape)):<9}{row.parameters:>7,}")
kinds = {row.kind for row in rows}
assert kinds == {"Conv2D", "Conv2DTranspose"}

# %% [markdown]
# | step | gone | new |
# | --- | --- | --- |
# | 02 → 03 | four poolings, `conv4`, `Flatten`, two dense layers | stride 2 in the convolutions; three transposed convolutions |
# |  | pixels from −1 to 1 | pixels from 0 to 1, as the target's |
# |  | 4 numbers for a picture of 64 × 64 | 64 × 64 × 3 numbers |
# |  | one size only | any size |
#
# It has no dense layer, and so fewer parameters: a convolution keeps one small kernel for all places. That is also why
# the size does not matter.
#
# ## 3. Training without labels
#
# The target is the picture itself. The loss is the *mean squared error*: the difference between what comes out and what went
# in, squared, and averaged over all pixels and colours.
#
# To judge a loss one needs something to compare it with. The *mean picture* is what one can say without looking: every pixel
# as it is on average over all training pictures.

# %%
keras.utils.set_random_seed(0)
model = fcn.models.cae()
optimizer = keras.optimizers.Adam(2e-3)  # its learning rate: about how far a weight moves in a step
model.compile(optimizer, loss="mean_squared_error", jit_compile=False)  # do not spend time on a faster program first
losses = model.fit(pieces, pieces, batch_size=4, epochs=8, verbose=0).history["loss"]  # input and target are the same
given = model.predict_on_batch(test)  # (20, 80, 288, 3)
mean = train.mean(axis=0)  # (80, 288, 3)
print("loss in the first and the last epoch:", *(f"{losses[epoch]:.0f}" for epoch in (0, -1)))
print(f"on new pictures: {np.mean((given - test) ** 2):.0f}; the mean picture instead: {np.mean((mean - test) ** 2):.0f}")

# %% [markdown]
# ## 4. How good is that in decibels?
#
# Squared errors are hard to read. The usual measure is the *peak signal-to-noise ratio* (PSNR), in decibels (dB). It compares
# the squared error with $255^2$, the largest that there can be, on a scale where 10 dB more mean a tenth of the squared
# error:
#
# $$\text{PSNR} = 10 \, \log_{10} \frac{255^2}{\text{mean squared error}}$$
#
# **Predict before you run:** if every number of a picture is wrong by 25.5, a tenth of 255, what is its PSNR?


# %%
def psnr(image, reconstruction):
    difference = image - np.clip(reconstruction, 0, 255)  # a screen shows nothing darker than 0 or lighter than 255
    return 10 * np.log10(255**2 / np.mean(difference**2))


print(f"wrong by 25.5 everywhere: {psnr(np.full((80, 288, 3), 100.0), np.full((80, 288, 3), 125.5)):.0f} dB")
decibels = np.array([psnr(image, out) for image, out in zip(test, given, strict=True)])
baseline = np.array([psnr(image, mean) for image in test])
np.testing.assert_allclose(decibels, [autoencoder.psnr(*pair) for pair in zip(test, given, strict=True)])
print(f"20 pictures never seen: {decibels.mean():.1f} dB; the mean picture instead: {baseline.mean():.1f} dB")
assert decibels.mean() >= baseline.mean() + 5

# %% [markdown]
# At least 5 dB more than the mean picture is what we ask for (the last line): a third of its squared error. We are 8 dB above
# it: about a sixth. Now look.
#
# **Predict before you run:** the whole network is in the next figure, drawn from the model itself. Where is it narrowest in
# height and width, and where is it thickest in channels?

# %% tags=["L10"]
draw_autoencoder(fcn.models.describe(model, (80, 288)), test[0], given[0])

# %% [markdown]
# It is an hourglass in height and width. The channels go the other way: the less room, the more is said at each place.
#
# ## 5. What comes back, and what does not?
#
# **Predict before you run:** in which parts of a scene will input and reconstruction differ most: in the sky, on the road, or
# along the edges of things?

# %% tags=["L11"]
chosen = [0, 9, 19]
latent = fcn.prediction.feature_maps(model, test[0], ["conv3"])["conv3"]  # (10, 36, 64)
draw_reconstruction(test[chosen], given[chosen], latent, decibels[chosen], baseline[chosen])

# %% [markdown]
# Nobody told the network what a road is. Still its latent maps tell things apart: several light up on the sky, some along the
# edges of the road, some are dark on the road. (Where only the last row is bright, the cause is the zeros that SAME adds
# below the picture.) They are small, 10 × 36: each position stands for 8 × 8 pixels.
#
# The third row shows what is lost. Count it: a pixel is *at an edge* if a pixel of another class lies next to it, or one
# further on (the label maps serve only to count here).

# %%
labels = np.stack([mask[::2, ::2] for _, mask in others])  # (20, 80, 288)
edge = np.stack([fcn.evaluation.boundary_band(mask, 2) for mask in labels])
error = np.mean((np.clip(given, 0, 255) - test) ** 2, axis=-1)
print(f"squared error at the edges {error[edge].mean():.0f}, everywhere else {error[~edge].mean():.0f}")
for number, name in enumerate(others.class_names):
    print(f"  {name:<11}{error[labels == number].mean():>5.0f}")

# %% [markdown]
# The road, large and even, comes back best, and it alone is better than the average of 207; walls, trees and sky have many
# edges of their own. Thin poles, the small cars and the stones of the pavement do not come back: after three halvings each
# position has to describe 8 × 8 pixels, and the squared error forgives a blurred edge sooner than a wrong sky. What passes
# through the middle is *what* there is and roughly *where*; exactly where is lost. The segmentation networks of this course
# go through such a bottleneck too, and notebook 07 is about getting back what is lost in it.
#
# ## Exercise
#
# 1. On paper: a picture of 93 × 157 pixels. Write down height and width after each of the six layers, and say how much the
#    package cuts off (once, after the last one). Check yourself with `fcn.models.describe(model, (93, 157))`.
# 2. How many decibels more has a reconstruction whose differences are all half as large? Check yourself: add
#    `np.random.default_rng(0).normal(0, 20, test[0].shape)` to `mean`, then half of it, and compare both with `mean`.
# 3. The simplest autoencoder has no weights: replace every 2 × 2 pixels by their mean, and enlarge again with `.repeat(2,
#    axis=1).repeat(2, axis=2)`. It keeps a quarter of the numbers. How many decibels does it reach? If it beats ours, what is
#    ours still good for?
# 4. Make the bottleneck eight times narrower: `fcn.models.cae(widths=(16, 32, 8))`, trained as in section 3. Is it still 5 dB
#    above the mean picture? Look at the figure of section 5: what is lost first?
#
# Solutions: `fcn.solutions.show("03.1")`, `fcn.solutions.show("03.2")`, `fcn.solutions.show("03.3")`,
# `fcn.solutions.show("03.4")`.
