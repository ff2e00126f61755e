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
# **Goal.** Bring a small map of scores back to the size of the picture, one score for each pixel, with a layer that can
# learn how; know what it starts from, and why the wrong kernel draws a checkerboard.
#
# **Idea.** A transposed convolution puts a *stamp* on the output for each position of its input: the kernel, multiplied by the
# value there. The next position puts its stamp one *stride* further, and where stamps overlap they add up. With stride 8 the
# output is 8 times as high and wide. If the kernel is a tent, the sum is a straight line between neighbours: *bilinear*
# interpolation.
#
# Source: Long, Shelhamer, Darrell, *Fully Convolutional Networks for Semantic Segmentation*, section 3.3.
#
# A *layer* is one step of a network, array in, array out. A *model* is layers joined from input to output. A *score* says how
# much speaks for a class; here there is one class, and above 0 means yes.

# %%
import numpy as np

import fcn_keras as fcn

train = fcn.datasets.shapes(200, seed=0)
scenes = fcn.datasets.road_scenes("test", count=4).view({"road": ["road"]})
image, mask = (array[:, 144:432] for array in scenes[1])  # the middle: (160, 288, 3) and (160, 288)

import keras  # noqa: E402  after fcn_keras, which loads it without its start-up lines

from fcn_keras.lecture.upsampling import coarse_scores, even_through  # noqa: E402
from fcn_keras.visualization import upsampling as figures  # noqa: E402

# %% [markdown]
# ## 1. The tent
#
# To upsample by a factor $f$, a value must count fully at its own place and fade to nothing one position further on: a tent.
# Along one axis tap $i$ weighs $1 - |i - c| / f$, where $c$ is the middle of the kernel. Over the plane both axes are
# multiplied.
#
# **Predict before you run:** factor 2 needs a kernel of 4. What are its four weights along one axis?


# %%
def tent(factor):
    size = 2 * factor - factor % 2  # even factor: even kernel, so that its middle is where the cell's middle is
    return 1 - np.abs(np.arange(size) - (size - 1) / 2) / factor


print("factor 2:", tent(2), " factor 3:", tent(3).round(2))
for factor in (1, 2, 3, 4, 8, 16, 32):
    kernel = np.outer(tent(factor), tent(factor))
    np.testing.assert_allclose(kernel, fcn.layers.bilinear_kernel(factor), atol=1e-6)
figures.draw_bilinear_kernels({factor: fcn.layers.bilinear_kernel(factor) for factor in (2, 4, 8)})

# %% [markdown]
# In the lower row each colour is the stamp of one position, along one axis. The black line is their sum: one. So a map that
# is 1 everywhere stays 1 (except at the rim, where neighbours are missing), and no pattern appears that was not there.
#
# ## 2. Stamps
#
# Here is the transposed convolution itself, in NumPy: put the stamps down, then cut off the rim that hangs over
# (`padding="same"`), so that the output is exactly $f$ times as large. `upscore` is the package's layer for it, a Keras
# `Conv2DTranspose` whose kernel starts as the tent. (`mask` says which pixels are road. `coarse_scores` gives each 16 × 16 cell
# its share of road, minus one half: what a perfect network of stride 16 could know.)
#
# **Predict before you run:** the picture has 160 × 288 pixels. How large is the map at stride 16?


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
by_layer = keras.ops.convert_to_numpy(layer(coarse[None, :, :, None]))[0, ..., 0]  # (160, 288)
np.testing.assert_allclose(by_layer, upsample(coarse, fcn.layers.bilinear_kernel(16), 16), atol=1e-5)
print(coarse.shape, "to", by_layer.shape, "and the picture is", image.shape[:2])

# %% [markdown]
# The film shows it step by step for a map of 3 × 4 scores, kernel 8, stride 4. The red square is the stamp that was just put
# down; the black frame is what remains after the rim is cut off.
#
# **Predict before you run:** how many stamps reach one pixel in the middle of the output?

# %%
scores = np.array([[0, 1, 1, 0], [0, 1, 2, 0], [0, 0, 1, 0]])
figures.animate_stamps(scores, fcn.layers.bilinear_kernel(4), 4)

# %% [markdown]
# Four: the kernel is twice the stride, so two stamps overlap along each axis, and 2 · 2 over the plane.
#
# ## 3. Three ways up
#
# *Nearest* repeats each score. *Bilinear* is what `keras.layers.UpSampling2D` offers; it has nothing to learn. The transposed
# convolution starts as the same thing and can change.
#
# **Predict before you run:** inside, *bilinear* and the transposed convolution agree. At the rim of the picture they differ.
# Which of the two fades there, and why?

# %% tags=["L16"]
batch = coarse[None, :, :, None]
layers = {way: keras.layers.UpSampling2D(16, interpolation=way) for way in ("nearest", "bilinear")}
ways = {way: keras.ops.convert_to_numpy(upsampling(batch))[0, ..., 0] for way, upsampling in layers.items()}
ways["transposed convolution"] = by_layer
inside = (slice(8, -8), slice(8, -8))  # half a cell: there every pixel lies between positions
np.testing.assert_allclose(ways["bilinear"][inside], ways["transposed convolution"][inside], atol=1e-5)
for way, scores in ways.items():
    assert scores.shape == mask.shape
    print(f"{way:<23} {100 * np.mean((scores > 0) == (mask == 1)):.1f} % of the pixels right")
figures.draw_upsamplings(image, coarse, ways, "road")

# %% [markdown]
# Every pixel has its own score now: row 75, column 100 of the output belongs to row 75, column 100 of the picture. At the rim
# the transposed convolution fades towards 0, because beyond it there is nobody to put a stamp; `UpSampling2D` repeats the
# last position there. Zero is the line between road and not road, so yes or no stays the same. A few pixels are wrong all the
# same: a cell says how much of it is road, and not where in it.
#
# Is it really *the same* place, not one half of a cell beside it? Give each position of the small map the row of its middle,
# and look what the upsampled map says: each pixel should get its own row.

# %% tags=["L16"]
rows = np.arange(10) * 16 + 7.5  # the middle of each cell of 16 pixels
ramp = np.repeat(rows[:, None], 18, axis=1).astype("float32")  # (10, 18)
up = keras.ops.convert_to_numpy(layer(ramp[None, :, :, None]))[0, ..., 0]
np.testing.assert_allclose(up[8:-8, 144], np.arange(8, 152), atol=1e-3)
print("pixel rows 8, 9, 10, … 151 say", up[8:11, 144].round(3), "…", up[151, 144].round(3))

# %% [markdown]
# ## 4. Checkerboards
#
# With kernel 4 and stride 2 each pixel inside gets 2 · 2 stamps. With kernel 3 and stride 2 they cannot share evenly: some
# pixels get 1, some 2, some 4. That count is a matter of size alone; no weight is in it yet.
#
# **Predict before you run:** along one axis, kernel 3 and stride 2: after how many pixels does the pattern of counts repeat?

# %%
fcn.visualization.draw_overlap(
    {
        "kernel 3, stride 2": fcn.geometry.overlap_map((6, 6), kernel=3, stride=2),
        "kernel 4, stride 2": fcn.geometry.overlap_map((6, 6), kernel=4, stride=2),
        "kernel 5, stride 2": fcn.geometry.overlap_map((6, 6), kernel=5, stride=2),
    }
)

# %% [markdown]
# Now with weights. A map that is 1 everywhere goes through layers with *random* weights, as most layers start, and we look at
# how strong the output is at each pixel: the root of the mean square over many channels. (`even_through` does it: 16 channels
# in, 256 out; above 1 is stronger than the mean.) Then the same for the bilinear start.
#
# **Predict before you run:** which of the three comes out even?

# %% tags=["L16"]
keras.utils.set_random_seed(0)
three, four = (keras.layers.Conv2DTranspose(256, size, strides=2, padding="same", use_bias=False) for size in (3, 4))
maps = {
    "kernel 3, random": even_through(three),
    "kernel 4, random": even_through(four),
    "kernel 4, bilinear start": even_through(fcn.layers.upscore(16, 2, "up2")),
}
figures.draw_checkerboards(maps)

# %% [markdown]
# *Alternates* says how far the values go up and down from each pixel to the next, in percent of the mean: 0 is even.
#
# * Kernel 3: pixels with more stamps are stronger. More channels or other random numbers do not help.
# * Kernel 4: every pixel gets four stamps. What is left is chance (any single random kernel is uneven), and it averages out.
# * The bilinear start: exactly even. That is why the networks here take $2f$ for the kernel and the tent for the start.
#
# A kernel of 3 is not lost: its weights can make up for the counts. But then training has to find them: exercise 3.
#
# ## 5. What training does to the kernel
#
# A small task: masks of shapes, 64 × 64, averaged over cells of 4 × 4; the layer has to give back the mask. `compile` says what
# is to become small, here the *mean squared error*; `fit` moves the weights. One *epoch* is once through all pictures. We train
# two layers: one starts bilinear, the other with random weights.
#
# **Predict before you run:** will the trained kernel still be a tent? And what will the random one look like?


# %%
def trained(kernel_initializer, epochs=30):
    keras.utils.set_random_seed(0)
    layer = keras.layers.Conv2DTranspose(
        1, 8, strides=4, padding="same", use_bias=False, kernel_initializer=kernel_initializer
    )  # fmt: skip
    model = keras.Sequential([keras.Input((16, 16, 1)), layer])  # Sequential: a model that is a chain of layers
    model.compile(keras.optimizers.Adam(0.02), "mse", jit_compile=False)
    before = layer.get_weights()[0][..., 0, 0]
    history = model.fit(cells, targets, batch_size=20, epochs=epochs, verbose=0)
    return before, layer.get_weights()[0][..., 0, 0], history.history["loss"]


targets = np.stack([mask > 0 for _, mask in train]).astype("float32")[..., None]  # (200, 64, 64, 1)
cells = targets.reshape(200, 16, 4, 16, 4, 1).mean(axis=(2, 4))  # (200, 16, 16, 1)

# %% tags=["L16"]
starts = {"bilinear": trained(fcn.layers.Bilinear(4)), "random": trained("glorot_uniform")}
for start, (_, kernel, loss) in starts.items():
    print(f"{start:<9} error {loss[0]:.4f} in the first epoch, {loss[-1]:.4f} in the last; weights add up to {kernel.sum():.1f}")
figures.draw_trained_kernels(
    {start: (before, after) for start, (before, after, _) in starts.items()},
    {start: loss for start, (_, _, loss) in starts.items()},
)

# %% [markdown]
# The tent stays a tent, higher in the middle and lower at its rim: a mask has sharp edges, and straight lines between the cells
# are too soft for it. The random kernel has become nearly the same tent. So the layer can learn its interpolation;
# starting with it saves about ten epochs here, and the map is even from the first step.
#
# ## The ladder
#
# The step to a score for every pixel, read off the networks themselves: scores at stride 32, and FCN-32s.

# %%
network = fcn.models.fcn(2, stride=32, width=16)
rows = fcn.models.describe(network, size=(160, 576))
place = [row.name for row in rows].index("score_fr")
for row in rows[place - 1 :]:
    print(f"{row.name:<10}{row.kind:<17}{row.detail:<19}{row.output_shape!s:<15}{row.parameters:>7,} parameters")
in_between = fcn.models.describe(fcn.models.fcn(2, stride=8, width=16), size=(160, 576))
print("in FCN-8s:", ", ".join(f"{row.name} {row.detail}" for row in in_between if row.kind == "Conv2DTranspose"))

# %% [markdown]
# | step | what is new | what comes out for 160 × 576 |
# | --- | --- | --- |
# | scores | `score_fr`: a 1 × 1 convolution, one class score at every 32nd pixel | 5 × 18 × 2 |
# | FCN-32s | `upscore`: kernel 64 × 64, stride 32, starts bilinear; then the crop | 160 × 576 × 2 |
#
# What nearest, bilinear and trained kernels all cannot do is to bring back what the small map does not hold. For that there
# are skip connections, the next notebook.
#
# ## Exercise
#
# 1. How large is the kernel for factor 5, and which are its weights along one axis? Check yourself with
#    `fcn.layers.bilinear_kernel(5)`.
# 2. Upsample `coarse` with a kernel of ones, 16 × 16, stride 16. Which of the three ways up is that? Check yourself against
#    `ways`. What becomes of the ramp of section 3?
# 3. Find weights of a 3 × 3 kernel with stride 2 that give an even map. Check yourself with `upsample(np.ones((6, 6)), …, 2)`
#    and look away from the rim. Where does such a kernel put the middle of a cell?
# 4. Train the layer of section 5 with kernel 4 instead of 8. What does it learn, and why can it not do better than nearest?
#
# Solutions: `fcn.solutions.show("06.1")`, `fcn.solutions.show("06.2")`, `fcn.solutions.show("06.3")`,
# `fcn.solutions.show("06.4")`.
