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
# **Goal.** Take the published FCN-32s, 16s and 8s apart until every number in them follows from another one:
# the padding of 100, the crops by 19, 27 and 31, the kernels of 64, 32 and 16.
#
# **Idea.** A map in a network is a grid laid over the image. Three numbers describe a grid along an axis: how far it is from
# one position to the next (*stride*), where the first position lies (*centre*), and how many pixels a position
# sees (*receptive field*). Each layer changes them by a rule that fits on one line.
#
# Source: Long, Shelhamer, Darrell, *Fully Convolutional Networks for Semantic Segmentation*, sections 3 and 4.

# %%
import fcn_keras as fcn

THIN = tuple((2,) * len(block) for block in fcn.backbones.VGG16_WIDTHS)  # VGG16's layers, 2 channels: same geometry
net32 = fcn.published.fcn32s(num_classes=2, widths=THIN, width=2)
net16 = fcn.published.fcn16s(num_classes=2, widths=THIN, width=2)
net8 = fcn.published.fcn8s(num_classes=2, widths=THIN, width=2)

# %% [markdown]
# ## 1. What does one score see?
#
# A convolution with kernel $k$ on a grid of stride $s$ adds $(k - 1)\,s$ pixels to the receptive field; a pooling with
# stride 2 doubles $s$. So the later a kernel comes, the more it adds: fc6, 7 × 7 on a grid of stride 32, adds 192.
#
# **Predict before you run:** VGG16's pool3 sees 44 pixels. How many does pool4 see, after three more 3 × 3 convolutions
# at stride 8 and one 2 × 2 pooling?

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
# The package reads the same numbers off any functional Keras model, branches and all. Here is pool3, pool4, pool5 and
# the scores, at the position that lies in the middle of a road scene.

# %%
scene, labels = fcn.datasets.road_scenes("test", count=1)[0]
windows = {}
for name, position in (("pool3", (22, 47)), ("pool4", (11, 23)), ("pool5", (5, 12)), ("score_fr", (2, 9))):
    field = fcn.geometry.receptive_field(net32, name)
    rows, columns = (field.pixels(index) for index in position)
    windows[name] = rows, columns
    print(f"{name}: {field.size} pixels, stride {field.stride}")
assert size == fcn.geometry.receptive_field(net32, "score_fr").size == 404
fcn.visualization.draw_receptive_fields(scene, windows)

# %% [markdown]
# A score sees more than the whole scene: that is the *what*. And the next score is 32 pixels away: that is the problem with
# the *where*.
#
# ## 2. Why is stride 32 coarse?
#
# Suppose a network were perfect, but had to give each 32 × 32 pixels one class. The best it could do is to take the class
# of most pixels in each cell. How good is that, measured as the paper measures it, by mean IU?
#
# **Predict before you run:** which class of a road scene suffers most at stride 32?

# %%
scenes = fcn.datasets.road_scenes("test", count=20)
paper = {128: 0.509, 64: 0.733, 32: 0.861, 16: 0.928, 8: 0.964, 4: 0.985}
ours = {stride: fcn.evaluation.upper_bound(scenes, stride) for stride in paper}
coarse = {stride: fcn.evaluation.coarsen(labels, stride, scenes.num_classes) for stride in (32, 16, 8)}
for name, iou in zip(scenes.class_names, ours[32].iou):
    print(f"{name:<12}{100 * iou:5.1f} % at stride 32")
fcn.visualization.draw_upper_bounds(
    labels, coarse, {s: scores.mean_iou for s, scores in ours.items()}, paper, scenes.palette
)

# %% [markdown]
# Thin things go first: a pole is narrower than a cell and never has most of it. Our scenes are small and full of poles,
# so they lose more than the photographs of VOC, but the order is the paper's. This is a bound for maps of
# *cells*: an FCN interpolates its scores and can do a little better along smooth edges. Only a skip from a finer map
# brings the thin things back.
#
# ## 3. Why pad by 100?
#
# fc6 is 7 × 7 and runs without padding, as in the classifier it came from: it needs 7 positions and leaves $n - 6$. Write
# down how many rows of scores an image of $n$ rows gives if conv1_1 pads by $p$:
#
# $$\left\lceil \frac{n + 2p - 2}{32} \right\rceil - 6$$
#
# (The 3 × 3 kernel of conv1_1 takes 2, five poolings that round up divide by 32.)
#
# **Predict before you run:** what is the smallest image that a network with $p = 1$ could take?

# %%
def score_rows(n, padding):
    rows = fcn.geometry.conv_size(n + 2 * padding, kernel=3)
    for _ in range(5):
        rows = fcn.geometry.pooled_size(rows, kernel=2, stride=2, round_up=True)
    return rows - 6


smallest = {p: next(n for n in range(1, 500) if score_rows(n, p) >= 1) for p in (1, 50, 96, 97, 100)}
for padding, n in smallest.items():
    print(f"padding {padding:3}: the smallest image has {n} rows")
for n in range(1, 400):  # and with 100 the upsampled scores always cover the image
    assert 32 * (score_rows(n, 100) - 1) + 64 >= 19 + n

# %% [markdown]
# 97 would do; 100 is the next round number. The price: a frame of 100 black pixels that is computed every time,
# and the border of the image is seen beside it.
#
# ## 4. Where does 19 come from?
#
# Now follow the first position of each grid. Padding by $p$ moves it $p$ strides back; a kernel $k$ moves it to the middle of its
# window, $(k-1)/2$ strides on. A transposed convolution is the same step backwards: it divides the stride and
# then moves $(k-1)/2$ of the new strides *back*.
#
# **Predict before you run:** score_fr's first position lies at 12.5. Upsampling by 32 with a kernel of 64 moves it back by
# $(64 - 1) / 2 = 31.5$. Where is it then, and what has to be cut off?

# %%
names = ["conv1_1", "pool1", "pool2", "pool3", "pool4", "pool5", "score_fr", "upscore"]
fields = {name: fcn.geometry.receptive_field(net32, name) for name in names}
for name, field in fields.items():
    print(f"{name:<9} stride {field.stride!s:>2}, first position at {float(field.centre):6.1f}")
rows = {row.name: row.output_shape[0] for row in fcn.models.describe(net32, size=(160, 160))}
shown = {name: fields[name] for name in names[3:]}
fcn.visualization.draw_positions(shown, rows, image_size=160)

# %% [markdown]
# The upsampled map begins 19 pixels before the image: cut off 19, and every score lies on its pixel. The same rule
# gives every crop of the other two networks. Where two maps meet in a sum, one of them is cut until their first positions agree.

# %%
centre = {name: fcn.geometry.receptive_field(net8, name).centre for name in ("upscore2", "score_pool4")}
print(f"score_pool4 begins at {float(centre['score_pool4'])}, upscore2 at {float(centre['upscore2'])}, stride 16:")
print(f"cut off {(centre['upscore2'] - centre['score_pool4']) / 16}")
for network in (net32, net16, net8):
    print(network.name, fcn.published.crop_offsets(network))

# %% [markdown]
# ## 5. Why a kernel of 64 for stride 32?
#
# A transposed convolution stamps its kernel once per input position. If the stride divides the kernel, every pixel gets
# equally many stamps. If not, some pixels get more than their neighbours, whatever the weights are: a checkerboard.

# %%
fcn.visualization.draw_overlap({
    "kernel 4, stride 2": fcn.geometry.overlap_map((6, 6), kernel=4, stride=2),
    "kernel 3, stride 2": fcn.geometry.overlap_map((6, 6), kernel=3, stride=2),
    "kernel 5, stride 3": fcn.geometry.overlap_map((4, 4), kernel=5, stride=3),
})

# %% [markdown]
# 64 is twice 32 (and 4 twice 2, 16 twice 8): everywhere inside, two stamps per axis, whose bilinear weights add up to one.
#
# ## 6. In stages
#
# FCN-16s is not trained from nothing. It takes over every layer that it shares with FCN-32s, by name; its new score layer
# starts at zero, so that at first nothing changes.

# %%
print("16s starts anew with:", *fcn.published.carry_over(net32, net16))
print(" 8s starts anew with:", *fcn.published.carry_over(net16, net8))
released = fcn.published.export_weights(net8)  # the released names and layout, as load_weights takes them
for name in ("conv1_1.weight", "fc6.weight", "score_pool4.bias", "upscore8.weight"):
    print(f"{name:<18}{released[name].shape}")

# %% [markdown]
# ## Exercise
#
# 1. On paper: FCN-16s cuts `score_pool4` by 5 and the upsampled scores by 27. Derive both from the rules of section 4
#    (pool4 begins at −91.5; score_fr at 12.5).
# 2. Suppose conv1_1 padded by 97. Which crop would FCN-32s need? And by 98? Check yourself: 19 came from padding 100.
# 3. `fcn.models.fcn` pads every layer by SAME and cuts nothing off the start. Look at the centres of its layers: why are
#    its offsets all 0?
#
# Solutions: `fcn.solutions.show("11.1")`, `fcn.solutions.show("11.2")`, `fcn.solutions.show("11.3")`.
#
# To check 1 and 3, change the names in the cell of section 4, or the network. `python -m fcn_keras fidelity` compares
# every number of this page with the published one.
