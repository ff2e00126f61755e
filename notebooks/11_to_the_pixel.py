# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # To the pixel: reading the paper next to the lecture
#
# **Goal.** Take the published FCN-32s, 16s and 8s apart until every number in them follows from the
# others: the padding of 100, the crops by 19, 27 and 31, the kernels of 64, 32 and 16.
#
# **Idea.** A map in a network is a grid laid over the image. Along one axis, three numbers describe
# a grid: the distance from one position to the next (*stride*), the place of the first position
# (*centre*), and the number of pixels that one position sees (*receptive field*). Each layer
# changes these numbers by a rule that fits on one line.
#
# Source: Long, Shelhamer, Darrell, *Fully Convolutional Networks for Semantic Segmentation*,
# sections 3 and 4.

# %%
import fcn_keras as fcn

# The layers of VGG16 with only 2 channels each; the geometry is the same.
THIN = tuple((2,) * len(block) for block in fcn.backbones.VGG16_WIDTHS)
net32 = fcn.published.fcn32s(num_classes=2, widths=THIN, width=2)
net16 = fcn.published.fcn16s(num_classes=2, widths=THIN, width=2)
net8 = fcn.published.fcn8s(num_classes=2, widths=THIN, width=2)

# %% [markdown]
# ## 1. What does one score see?
#
# A convolution with kernel size $k$ on a grid of stride $s$ adds $(k - 1)\,s$ pixels to the
# receptive field. A pooling with stride 2 doubles $s$. So the later a kernel comes, the more it
# adds: fc6, a 7 × 7 kernel on a grid of stride 32, adds 192 pixels.
#
# **Predict before you run:** a position of VGG16's pool3 sees 44 pixels. How many does a position
# of pool4 see, after three more 3 × 3 convolutions at stride 8 and one 2 × 2 pooling?

# %%
size, stride = 1, 1
for convolutions in (2, 2, 3, 3, 3):
    size += convolutions * (3 - 1) * stride  # 3 × 3 convolutions
    size += (2 - 1) * stride  # 2 × 2 pooling
    stride *= 2
    print(f"after this block: sees {size} pixels, the next position is {stride} pixels away")
size += (7 - 1) * stride
print(f"after fc6: sees {size} pixels")

# %% [markdown]
# The package computes the same numbers from any functional Keras model, even one with branches.
# Here are pool3, pool4, pool5 and the scores, each at the position in the middle of a road scene.

# %%
scene, labels = fcn.datasets.road_scenes("test", count=1)[0]
windows = {}
positions = {"pool3": (22, 47), "pool4": (11, 23), "pool5": (5, 12), "score_fr": (2, 9)}
for name, position in positions.items():
    field = fcn.geometry.receptive_field(net32, name)
    rows, columns = (field.pixels(index) for index in position)
    windows[name] = rows, columns
    print(f"{name}: {field.size} pixels, stride {field.stride}")
assert size == fcn.geometry.receptive_field(net32, "score_fr").size == 404
fcn.visualization.draw_receptive_fields(scene, windows)

# %% [markdown]
# A score sees more than the whole scene: this gives the *what*. But the next score is 32 pixels
# away: this is the problem with the *where*.
#
# ## 2. Why is stride 32 coarse?
#
# Suppose that a network is perfect, but must give one class to each cell of 32 × 32 pixels. The
# best it can do is to choose the most frequent class of each cell. How good is that by the paper's
# measure, the mean IU?
#
# **Predict before you run:** which class of a road scene suffers most at stride 32?

# %%
scenes = fcn.datasets.road_scenes("test", count=20)
paper = {128: 0.509, 64: 0.733, 32: 0.861, 16: 0.928, 8: 0.964, 4: 0.985}
ours = {stride: fcn.evaluation.upper_bound(scenes, stride) for stride in paper}
coarse = {
    stride: fcn.evaluation.coarsen(labels, stride, scenes.num_classes) for stride in (32, 16, 8)
}
for name, iou in zip(scenes.class_names, ours[32].iou):
    print(f"{name:<12}{100 * iou:5.1f} % at stride 32")
fcn.visualization.draw_upper_bounds(
    labels, coarse, {s: scores.mean_iou for s, scores in ours.items()}, paper, scenes.palette
)

# %% [markdown]
# Thin things are lost first: a pole is narrower than a cell and never fills most of it. Our scenes
# are small and full of poles, so they lose more than the photographs of VOC, but the order is the
# paper's. This bound holds for maps of *cells*. An FCN interpolates its scores and can do a little
# better along smooth edges. Only a skip from a finer map brings the thin things back.
#
# ## 3. Why pad by 100?
#
# fc6 has a 7 × 7 kernel and no padding, as in the classifier it came from. So it needs at least 7
# positions, and it turns $n$ positions into $n - 6$. If conv1_1 pads by $p$, an image with $n$ rows
# gives this number of rows of scores:
#
# $$\left\lceil \frac{n + 2p - 2}{32} \right\rceil - 6$$
#
# (The 3 × 3 kernel of conv1_1 removes 2 rows. Five poolings that round up divide by 32.)
#
# **Predict before you run:** what is the smallest image that a network with $p = 1$ can process?


# %%
def score_rows(n, padding):
    rows = fcn.geometry.conv_size(n + 2 * padding, kernel=3)
    for _ in range(5):
        rows = fcn.geometry.pooled_size(rows, kernel=2, stride=2, round_up=True)
    return rows - 6


smallest = {
    p: next(n for n in range(1, 500) if score_rows(n, p) >= 1) for p in (1, 50, 96, 97, 100)
}
for padding, n in smallest.items():
    print(f"padding {padding:3}: rows of the smallest image: {n}")
for n in range(1, 400):  # with padding 100 the upsampled scores always cover the image
    assert 32 * (score_rows(n, 100) - 1) + 64 >= 19 + n

# %% [markdown]
# A padding of 97 would be enough; 100 is the next round number. It has a price: a frame of 100
# black pixels has to be computed every time, and positions near the border see this frame next to
# the image.
#
# ## 4. Where does 19 come from?
#
# Now we follow the first position of each grid. Padding by $p$ moves it back by $p$ strides. A
# kernel of size $k$ moves it forward to the middle of its window, by $(k-1)/2$ strides. A
# transposed convolution reverses this step: it divides the stride and then moves the first position
# *back* by $(k-1)/2$ of the new strides.
#
# **Predict before you run:** the first position of score_fr is at 12.5. Upsampling by 32 with a
# kernel of size 64 moves it back by $(64 - 1) / 2 = 31.5$. Where is it then, and what has to be cut
# off?

# %%
names = ["conv1_1", "pool1", "pool2", "pool3", "pool4", "pool5", "score_fr", "upscore"]
fields = {name: fcn.geometry.receptive_field(net32, name) for name in names}
for name, field in fields.items():
    print(f"{name:<9} stride {field.stride!s:>2}, first position at {float(field.centre):6.1f}")
rows = {row.name: row.output_shape[0] for row in fcn.models.describe(net32, size=(160, 160))}
shown = {name: fields[name] for name in names[3:]}
fcn.visualization.draw_positions(shown, rows, image_size=160)

# %% [markdown]
# The upsampled map begins 19 pixels before the image. When 19 pixels are cut off, every score lies
# on its pixel. The same rule gives every crop of the other two networks. Where two maps meet in a
# sum, one of them is cropped so that their first positions agree.

# %%
centre = {
    name: fcn.geometry.receptive_field(net8, name).centre for name in ("upscore2", "score_pool4")
}
print("first positions:", ", ".join(f"{name} {float(at)}" for name, at in centre.items()))
print(f"at stride 16, crop by {(centre['upscore2'] - centre['score_pool4']) / 16}")
for network in (net32, net16, net8):
    print(network.name, fcn.published.crop_offsets(network))

# %% [markdown]
# ## 5. Why a kernel of 64 for stride 32?
#
# A transposed convolution adds one stamp of its kernel for each input position. If the stride
# divides the kernel size, every pixel gets the same number of stamps. If it does not, some pixels
# get more stamps than their neighbours, whatever the weights are: a checkerboard.

# %%
fcn.visualization.draw_overlap(
    {
        "kernel 4, stride 2": fcn.geometry.overlap_map((6, 6), kernel=4, stride=2),
        "kernel 3, stride 2": fcn.geometry.overlap_map((6, 6), kernel=3, stride=2),
        "kernel 5, stride 3": fcn.geometry.overlap_map((4, 4), kernel=5, stride=3),
    }
)

# %% [markdown]
# 64 is twice 32 (just as 4 is twice 2, and 16 twice 8). So away from the border every pixel gets
# two stamps per axis, and their bilinear weights add up to one.
#
# ## 6. In stages
#
# FCN-16s is not trained from scratch. It takes over every layer that it shares with FCN-32s, by
# name. Its new score layer starts at zero, so at first nothing changes.

# %%
print("new layers of 16s:", *fcn.published.carry_over(net32, net16))
print("new layers of 8s: ", *fcn.published.carry_over(net16, net8))
released = fcn.published.export_weights(net8)  # names and layout of the released files
for name in ("conv1_1.weight", "fc6.weight", "score_pool4.bias", "upscore8.weight"):
    print(f"{name:<18}{released[name].shape}")

# %% [markdown]
# ## Exercise
#
# 1. On paper: FCN-16s crops `score_pool4` by 5 and the upsampled scores by 27. Derive both numbers
#    from the rules of section 4 (pool4 begins at −91.5, score_fr at 12.5).
# 2. Suppose that conv1_1 pads by 97. Which crop does FCN-32s need? And for a padding of 98? Check
#    your rule: for a padding of 100 it must give 19.
# 3. In `fcn.models.fcn`, every layer uses SAME padding, and nothing is cut off at the start. Look
#    at the centres of its layers: why are all its offsets 0?
#
# Solutions: `fcn.solutions.show("11.1")`, `fcn.solutions.show("11.2")`,
# `fcn.solutions.show("11.3")`.
#
# To check your answers to 1 and 3, change the names in the cell of section 4, or the network.
# `python -m fcn_keras fidelity` compares every number in this notebook with the published one.
