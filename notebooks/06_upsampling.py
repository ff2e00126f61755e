# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # Upsampling
#
# **Goal.** Bring a small map of scores back to the size of the image, one score for each pixel,
# with a layer that can learn. Know what this layer starts from, and why the wrong kernel size
# produces a checkerboard.
#
# **Idea.** A transposed convolution adds one *stamp* to the output for each position of its input.
# A stamp is the kernel multiplied by the value at that position. The stamp of the next position
# lies one *stride* further on. Where stamps overlap, they add up. With stride 8 the output is 8
# times as high and 8 times as wide as the input. If the kernel has the shape of a tent, the sum is
# a straight line between neighbouring values: *bilinear* interpolation.
#
# Source: Long, Shelhamer, Darrell, *Fully Convolutional Networks for Semantic Segmentation*,
# section 3.3.
#
# A *layer* is one step of a network: it takes an array and returns an array. A *model* consists of
# layers, joined from input to output. A *score* says how strongly the network favours a class. Here
# there is one class, and a score above 0 means yes.

# %%
import numpy as np

import fcn_keras as fcn

train = fcn.datasets.shapes(200, seed=0)
scenes = fcn.datasets.road_scenes("test", count=4).view({"road": ["road"]})
image, mask = (array[:, 144:432] for array in scenes[1])  # the middle: (160, 288, 3), (160, 288)

import keras  # noqa: E402  after fcn_keras, which hides Keras' start-up messages

from fcn_keras.lecture.upsampling import coarse_scores, even_through  # noqa: E402
from fcn_keras.visualization import upsampling as figures  # noqa: E402

# %% [markdown]
# ## 1. The tent
#
# To upsample by a factor $f$, give each value the full weight 1 at its own place, and let its
# weight fall to 0 one position further on. This shape is a tent. Along one axis, tap $i$ of the
# kernel has the weight $1 - |i - c| / f$, where $c$ is the middle of the kernel. In two dimensions,
# the weights along the two axes are multiplied.
#
# **Predict before you run:** factor 2 needs a kernel of size 4. What are its four weights along one
# axis?


# %%
def tent(factor):
    size = 2 * factor - factor % 2  # an even factor needs an even size, centred on the cell
    return 1 - np.abs(np.arange(size) - (size - 1) / 2) / factor


print("factor 2:", tent(2), " factor 3:", tent(3).round(2))
for factor in (1, 2, 3, 4, 8, 16, 32):
    kernel = np.outer(tent(factor), tent(factor))
    np.testing.assert_allclose(kernel, fcn.layers.bilinear_kernel(factor), atol=1e-6)
figures.draw_bilinear_kernels({factor: fcn.layers.bilinear_kernel(factor) for factor in (2, 4, 8)})

# %% [markdown]
# In the lower row each colour is the stamp of one position, along one axis. The black line is the
# sum of the stamps, and it is 1 everywhere. So a map of ones stays a map of ones (except at the
# border, where neighbours are missing), and no new pattern appears.
#
# ## 2. Stamps
#
# Here is the transposed convolution itself, in NumPy: add the stamps, then cut off the margin
# around the result (`padding="same"`), so that the output is exactly $f$ times as large as the
# input. The package's layer for this is `upscore`, a Keras `Conv2DTranspose` whose kernel starts as
# the tent. (`mask` says which pixels are road. `coarse_scores` gives each cell of 16 × 16 pixels
# its share of road, minus one half. A perfect network of stride 16 could know no more.)
#
# **Predict before you run:** the image has 160 × 288 pixels. How large is the map at stride 16?


# %%
def upsample(scores, kernel, stride):
    size, (rows, columns) = len(kernel), scores.shape
    out = np.zeros((stride * (rows - 1) + size, stride * (columns - 1) + size))
    for row, column in np.ndindex(rows, columns):
        y, x = row * stride, column * stride
        out[y : y + size, x : x + size] += scores[row, column] * kernel  # one stamp
    rim = (size - stride) // 2
    return out[rim : rim + stride * rows, rim : rim + stride * columns]


coarse = coarse_scores(mask, 16)  # (10, 18)
layer = fcn.layers.upscore(1, 16, "up")  # 1 class, factor 16
large = keras.ops.convert_to_numpy(layer(coarse[None, :, :, None]))[0, ..., 0]  # (160, 288)
np.testing.assert_allclose(large, upsample(coarse, fcn.layers.bilinear_kernel(16), 16), atol=1e-5)
print(f"map {coarse.shape}, upsampled {large.shape}, image {image.shape[:2]}")

# %% [markdown]
# The film shows the same thing step by step for a map of 3 × 4 scores, with kernel size 8 and
# stride 4. The red square is the stamp that has just been added. The black frame is what remains
# when the margin is cut off.
#
# **Predict before you run:** how many stamps cover one pixel in the middle of the output?

# %%
scores = np.array([[0, 1, 1, 0], [0, 1, 2, 0], [0, 0, 1, 0]])
figures.animate_stamps(scores, fcn.layers.bilinear_kernel(4), 4)

# %% [markdown]
# Four. The kernel is twice as large as the stride, so two stamps overlap along each axis: 2 · 2 in
# two dimensions.
#
# ## 3. Three ways to upsample
#
# *Nearest* repeats each score. *Bilinear* is an interpolation that `keras.layers.UpSampling2D`
# offers; it has no weights to learn. The transposed convolution starts as the same interpolation,
# and training can change it.
#
# **Predict before you run:** away from the border of the image, *bilinear* and the transposed
# convolution agree. At the border they differ. Which of the two fades there, and why?

# %% tags=["L16"]
batch = coarse[None, :, :, None]
layers = {way: keras.layers.UpSampling2D(16, interpolation=way) for way in ("nearest", "bilinear")}
ways = {way: keras.ops.convert_to_numpy(up(batch))[0, ..., 0] for way, up in layers.items()}
ways["transposed convolution"] = large
# Leave out half a cell at the border: further in, every pixel lies between positions.
inside = (slice(8, -8), slice(8, -8))
np.testing.assert_allclose(ways["bilinear"][inside], large[inside], atol=1e-5)
for way, scores in ways.items():
    assert scores.shape == mask.shape
    print(f"{way:<23} {100 * np.mean((scores > 0) == (mask == 1)):.1f} % of the pixels correct")
figures.draw_upsamplings(image, coarse, ways, "road")

# %% [markdown]
# Now every pixel has its own score: row 75, column 100 of the output belongs to row 75, column 100
# of the image. At the border the transposed convolution fades towards 0, because there are no
# positions beyond the border that could add a stamp. `UpSampling2D` repeats the last position
# there. Fading does not change the sign of a score, so the decision between road and background
# stays the same. A few pixels are wrong nevertheless: a cell knows how much of it is road, but not
# which part of it.
#
# Do output and image really match, or are they shifted by half a cell? To find out, store at each
# position of the small map the pixel row of its cell's middle. After upsampling, each pixel should
# hold its own row.

# %% tags=["L16"]
rows = np.arange(10) * 16 + 7.5  # the middle of each cell of 16 pixels
ramp = np.repeat(rows[:, None], 18, axis=1).astype("float32")  # (10, 18)
up = keras.ops.convert_to_numpy(layer(ramp[None, :, :, None]))[0, ..., 0]
np.testing.assert_allclose(up[8:-8, 144], np.arange(8, 152), atol=1e-3)
print("pixel rows 8, 9, 10, …, 151 hold", up[8:11, 144].round(3), "…", up[151, 144].round(3))

# %% [markdown]
# ## 4. Checkerboards
#
# With kernel size 4 and stride 2, each pixel away from the border gets 2 · 2 stamps. With kernel
# size 3 and stride 2, the stamps cannot overlap evenly: some pixels get 1 stamp, some 2, some 4.
# These counts depend only on kernel size and stride, not on the weights.
#
# **Predict before you run:** kernel size 3 and stride 2. After how many pixels does the pattern of
# counts repeat along one axis?

# %%
fcn.visualization.draw_overlap(
    {
        "kernel 3, stride 2": fcn.geometry.overlap_map((6, 6), kernel=3, stride=2),
        "kernel 4, stride 2": fcn.geometry.overlap_map((6, 6), kernel=4, stride=2),
        "kernel 5, stride 2": fcn.geometry.overlap_map((6, 6), kernel=5, stride=2),
    }
)

# %% [markdown]
# Now we add the weights. A map of ones goes through layers with *random* weights, which is how
# layers usually start. We measure how strong the output is at each pixel: the root mean square over
# many channels. (`even_through` computes it for 16 channels in and 256 out. A value above 1 is
# stronger than the mean.) Then we do the same with the bilinear start.
#
# **Predict before you run:** which of the three outputs is even?

# %% tags=["L16"]
keras.utils.set_random_seed(0)
three, four = (
    keras.layers.Conv2DTranspose(256, size, strides=2, padding="same", use_bias=False)
    for size in (3, 4)
)
maps = {
    "kernel 3, random": even_through(three),
    "kernel 4, random": even_through(four),
    "kernel 4, bilinear start": even_through(fcn.layers.upscore(16, 2, "up2")),
}
figures.draw_checkerboards(maps)

# %% [markdown]
# The lower titles say how far the values *alternate* from one pixel to the next, in percent of the
# mean. 0 means even.
#
# * Kernel size 3: pixels with more stamps have stronger values. More channels or other random
#   numbers do not help.
# * Kernel size 4: every pixel gets four stamps. The remaining differences are due to chance: each
#   random kernel is uneven by itself, but over many kernels this averages out.
# * Bilinear start: exactly even. This is why the networks here use a kernel of size $2f$ and start
#   it as the tent.
#
# A kernel of size 3 can still work, because its weights can compensate for the counts. But then
# training has to find such weights. See exercise 3.
#
# ## 5. What training does to the kernel
#
# The task is small: masks of shapes, 64 × 64 pixels, are averaged over cells of 4 × 4, and the
# layer has to reconstruct the mask. `compile` says what training has to make small, here the *mean
# squared error*. `fit` adjusts the weights. One *epoch* is one pass through all images. We train
# two layers: one starts with the bilinear kernel, the other with random weights.
#
# **Predict before you run:** will the trained kernel still be a tent? And what will the random one
# look like?


# %%
def trained(kernel_initializer, epochs=30):
    keras.utils.set_random_seed(0)
    layer = keras.layers.Conv2DTranspose(
        1, 8, strides=4, padding="same", use_bias=False, kernel_initializer=kernel_initializer
    )  # fmt: skip
    model = keras.Sequential([keras.Input((16, 16, 1)), layer])  # a chain of layers
    model.compile(keras.optimizers.Adam(0.02), "mse", jit_compile=False)
    before = layer.get_weights()[0][..., 0, 0]
    history = model.fit(cells, targets, batch_size=20, epochs=epochs, verbose=0)
    return before, layer.get_weights()[0][..., 0, 0], history.history["loss"]


targets = np.stack([mask > 0 for _, mask in train]).astype("float32")[..., None]  # (200, 64, 64, 1)
cells = targets.reshape(200, 16, 4, 16, 4, 1).mean(axis=(2, 4))  # (200, 16, 16, 1)

# %% tags=["L16"]
starts = {"bilinear": trained(fcn.layers.Bilinear(4)), "random": trained("glorot_uniform")}
for start, (_, kernel, loss) in starts.items():
    print(
        f"{start:<9} error {loss[0]:.4f} in the first epoch, {loss[-1]:.4f} in the last;",
        f"sum of the weights {kernel.sum():.1f}",
    )
figures.draw_trained_kernels(
    {start: (before, after) for start, (before, after, _) in starts.items()},
    {start: loss for start, (_, _, loss) in starts.items()},
)

# %% [markdown]
# The tent stays a tent, but becomes higher in the middle and lower towards its edges: a mask has
# sharp edges, and straight lines between the cells are too soft for them. The random kernel has
# become nearly the same tent. So the layer can learn its interpolation. Starting with the tent
# saves about ten epochs here, and the output is even from the first step.
#
# ## The ladder
#
# Here is the step that leads to a score for every pixel: from scores at stride 32 to FCN-32s. The
# table is read off the networks themselves.

# %%
encoder = fcn.backbones.small_vgg()
network = fcn.models.fcn(2, 32, encoder, width=16)
rows = fcn.models.describe(network, size=(160, 576))
place = [row.name for row in rows].index("score_fr")
for row in rows[place - 1 :]:
    layer_type = f"{row.kind:<17}{row.detail:<19}"
    print(f"{row.name:<10}{layer_type}{row.output_shape!s:<15}{row.parameters:>7,} parameters")
in_between = fcn.models.describe(fcn.models.fcn(2, 8, encoder, width=16), size=(160, 576))
print(
    "in FCN-8s:",
    ", ".join(f"{row.name} {row.detail}" for row in in_between if row.kind == "Conv2DTranspose"),
)

# %% [markdown]
# | step | what is new | output for 160 × 576 |
# | --- | --- | --- |
# | scores | `score_fr`: a 1 × 1 convolution that gives the class scores at every 32nd pixel | 5 × 18 × 2 |
# | FCN-32s | `upscore`: kernel 64 × 64, stride 32, starts bilinear; then the crop | 160 × 576 × 2 |
#
# No upsampling, whether nearest, bilinear or trained, can restore what the small map does not
# contain. That is the purpose of skip connections, the topic of the next notebook.
#
# ## Exercise
#
# 1. How large is the kernel for factor 5, and what are its weights along one axis? Check your
#    answer with `fcn.layers.bilinear_kernel(5)`.
# 2. Upsample `coarse` with a 16 × 16 kernel of ones and stride 16. Which of the three ways of
#    section 3 is this? Check your answer against `ways`. What happens to the ramp of section 3?
# 3. Find weights of a 3 × 3 kernel with stride 2 that give an even map. Check your answer with
#    `upsample(np.ones((6, 6)), …, 2)`, away from the border. Where does such a kernel put the
#    middle of a cell?
# 4. Train the layer of section 5 with kernel size 4 instead of 8. What does it learn, and why can
#    it not do better than nearest?
#
# Solutions: `fcn.solutions.show("06.1")`, `fcn.solutions.show("06.2")`,
# `fcn.solutions.show("06.3")`, `fcn.solutions.show("06.4")`.
