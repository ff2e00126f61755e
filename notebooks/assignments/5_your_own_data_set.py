# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # Assignment 5: your own data set
#
# You label pictures of your own, turn the labels into masks, check them, train a network, measure it, and report. The tools
# for it you write first. Without pictures of your own the notebook takes drawn scenes, so that it runs from top to bottom in
# any case.
#
# | task | minutes | points |
# | --- | --- | --- |
# | 1 masks from labelme | 25 | 4 |
# | 2 masks from an indexed picture | 20 | 3 |
# | 3 a smaller mask | 10 | 2 |
# | 4 what is wrong with a mask | 25 | 4 |
# | 5 the mean IoU | 15 | 3 |
# | label your own, train, measure | 90 | |
# | 6 report | 25 | 4 |
#
# Three and a half hours, half of them for labelling. **How a task works:** write the cell that says `raise
# NotImplementedError()`, then run the cell below it. It says that the answer is right, or gives a hint. A hint costs nothing;
# run it as often as you like. **What you may use:** NumPy; in task 1 also a drawing library such as Pillow. A task that says
# *write* earns nothing by calling the package's own version. **How it is graded:** tasks 1 to 5 by the computer, with other
# pictures and numbers than here, all the points or none for each task; the report by a person. Tasks do not need one another.

# %%
import json
from pathlib import Path

import numpy as np

import fcn_keras as fcn

# %%
import keras

keras.utils.set_random_seed(0)

# %% [markdown]
# ## Task 1: masks from labelme (4 points)
#
# labelme saves a JSON file for each picture. Read with `json.loads` it is a dictionary like this one. A point is [x, y] in
# pixels, x to the right and y down, from the top left corner.

# %%
example = {
    "imageHeight": 60,
    "imageWidth": 90,
    "shapes": [
        {"label": "road", "points": [[10, 59], [35, 20], [50, 20], [80, 59]], "shape_type": "polygon"},
        {"label": "car", "points": [[40, 30], [60, 30], [60, 45], [40, 45]], "shape_type": "polygon"},
        {"label": "ignore", "points": [[0, 0], [89, 0], [89, 6], [0, 6]], "shape_type": "polygon"},
    ],
}

# %% [markdown]
# Write the label map, an array (height, width) of whole numbers: 0 where nobody outlined anything; in a shape the position of
# its label in `class_names`, whose first entry is the background; 255, void, in a shape called `ignore`. Later shapes lie on
# top of earlier ones. `PIL.ImageDraw.Draw(...).polygon` fills a polygon; which side a pixel on the very edge is on does not
# matter. (L22)

# %% answer="mask_from_labelme"
def mask_from_labelme(record, class_names):
    """labelme's dictionary of one picture to a label map (imageHeight, imageWidth)."""
    ### BEGIN SOLUTION
    from PIL import Image, ImageDraw

    labels = Image.new("L", (record["imageWidth"], record["imageHeight"]), 0)
    for shape in record["shapes"]:
        number = 255 if shape["label"] == "ignore" else class_names.index(shape["label"])
        ImageDraw.Draw(labels).polygon([tuple(point) for point in shape["points"]], fill=number)
    return np.asarray(labels)
    ### END SOLUTION


# %% check="mask_from_labelme" points=4
fcn.checks.mask_from_labelme(mask_from_labelme)
### BEGIN HIDDEN TESTS
fcn.checks.mask_from_labelme(mask_from_labelme, seed=SEED)
EXAMPLE = {"imageHeight": 9, "imageWidth": 5, "shapes": []}
assert np.shape(mask_from_labelme(EXAMPLE, ["background", "road"])) == (9, 5)
### END HIDDEN TESTS

# %% [markdown]
# ## Task 2: masks from an indexed picture (3 points)
#
# Painted in GIMP and saved as an *indexed* PNG, a mask holds at each pixel the number of an entry in a palette, and the
# palette holds the colours. GIMP puts the palette in whatever order it likes, so the index is not the class: the colour is.
# Write the label map from the indices, the palette and a table from colours to classes. A colour that is not in the table,
# such as that of a blurred edge, is void, 255. (L22)

# %% answer="mask_from_colours"
def mask_from_colours(indices, palette, classes):
    """Indices (H, W), palette (K, 3) of RGB 0-255, classes such as {(0, 0, 0): 0, (200, 30, 10): 1}; label map (H, W)."""
    ### BEGIN SOLUTION
    numbers = np.array([classes.get(tuple(colour), 255) for colour in palette.tolist()])
    return numbers[indices]
    ### END SOLUTION


# %% check="mask_from_colours" points=3
fcn.checks.mask_from_colours(mask_from_colours)
### BEGIN HIDDEN TESTS
fcn.checks.mask_from_colours(mask_from_colours, seed=SEED)
### END HIDDEN TESTS

# %% [markdown]
# ## Task 3: a smaller mask (2 points)
#
# Pictures of a telephone are too large to train on. A picture may be made smaller by averaging; a mask may not, since the
# average of class 1 and class 7 is class 4. Write the mask that has `factor` times fewer rows and columns: each `factor` ×
# `factor` cell becomes its first pixel, the one at the top left. Height and width are multiples of `factor`.

# %% answer="shrink_labels"
def shrink_labels(mask, factor):
    """Label map (H, W) to (H / factor, W / factor)."""
    ### BEGIN SOLUTION
    return mask[::factor, ::factor]
    ### END SOLUTION


# %% check="shrink_labels" points=2
fcn.checks.shrink_labels(shrink_labels)
### BEGIN HIDDEN TESTS
fcn.checks.shrink_labels(shrink_labels, seed=SEED)
### END HIDDEN TESTS

# %% [markdown]
# ## Task 4: what is wrong with a mask? (4 points)
#
# A wrong mask raises no error in the training: the network learns it. Write a function that gives the names of what is wrong,
# a list that is empty when all is well:
#
# * `"shape"`: the mask is not an array of two axes (then look no further);
# * `"type"`: its numbers are not whole numbers by type, such as float32;
# * `"size"`: its height and width are not those of the picture;
# * `"numbers"`: some number is neither a class, 0 to `num_classes` - 1, nor void, 255;
# * `"void"`: more than 95 % of it is void.

# %% answer="faults"
def faults(image, mask, num_classes):
    """Picture (H, W, 3) and its mask; a list of names out of "shape", "type", "size", "numbers", "void"."""
    ### BEGIN SOLUTION
    if mask.ndim != 2:
        return ["shape"]
    found = []
    if mask.dtype.kind not in "iu":
        found.append("type")
    if mask.shape != image.shape[:2]:
        found.append("size")
    if ((mask != 255) & ((mask < 0) | (mask >= num_classes))).any():
        found.append("numbers")
    if (mask == 255).mean() > 0.95:
        found.append("void")
    return found
    ### END SOLUTION


# %% check="faults" points=4
fcn.checks.faults(faults)
### BEGIN HIDDEN TESTS
fcn.checks.faults(faults, seed=SEED)
### END HIDDEN TESTS

# %% [markdown]
# ## Task 5: the mean IoU (3 points)
#
# `confusion[i, j]` is the number of pixels whose true class is i and for which j was found; void is not in it. The IoU of a
# class is its right pixels, divided by all pixels that belong to it or were given to it. Write the mean over the classes that
# occur, in the labels or in what was found. A class that is neither there nor found has no IoU and is left out. (Notebook 09)

# %% answer="mean_iou"
def mean_iou(confusion):
    """Confusion matrix (classes, classes), rows true, columns found; a number from 0 to 1."""
    ### BEGIN SOLUTION
    right = np.diag(confusion)
    union = confusion.sum(axis=0) + confusion.sum(axis=1) - right
    occurs = union > 0
    return (right[occurs] / union[occurs]).mean()
    ### END SOLUTION


# %% check="mean_iou" points=3
fcn.checks.mean_iou(mean_iou)
### BEGIN HIDDEN TESTS
fcn.checks.mean_iou(mean_iou, seed=SEED)
assert np.isclose(mean_iou(np.diag([3, 0, 5])), 1)
### END HIDDEN TESTS

# %% [markdown]
# ## Label, train, measure
#
# Take at least twelve pictures of one kind of scene, with two to four classes. Make a folder `my_pictures` beside this
# notebook, with `images/` in it and `classes.txt`, one class name a line, the background first.
#
# * **With labelme** (`pip install labelme`): open the folder `images`, draw a polygon around each thing (*Create Polygons*),
#   give it its class; what you cannot tell, call `ignore`. Save the JSON files in `my_pictures/labelme/`, under the names of
#   the pictures.
# * **With GIMP:** paint a layer over the picture with the pencil (the brush blurs edges), one colour a class. *Image → Mode →
#   Indexed*, then export as PNG into `my_pictures/painted/`.
#
# The next cell writes the masks with your functions if it finds such files. Without the folder it does nothing.

# %%
own = Path("my_pictures")
names = (own / "classes.txt").read_text().splitlines() if own.is_dir() else []
COLOURS = {(0, 0, 0): 0, (255, 0, 0): 1, (0, 0, 255): 2}  # of your painted masks, with the class of each
for path in sorted(own.glob("labelme/*.json")):
    record = json.loads(path.read_text())
    fcn.images.write_image(own / "masks" / f"{path.stem}.png", mask_from_labelme(record, names).astype("uint8"))
for path in sorted(own.glob("painted/*.png")):
    from PIL import Image

    painted = Image.open(path)
    palette = np.reshape(painted.getpalette(), (-1, 3))
    found = mask_from_colours(np.asarray(painted), palette, COLOURS)
    fcn.images.write_image(own / "masks" / f"{path.stem}.png", found.astype("uint8"))

# %% [markdown]
# Now the data: yours, with a fifth held out, or drawn scenes. Change the training as you see fit: more steps, another stride,
# `augment="flip"`.

# %%
if own.is_dir():
    split = fcn.datasets.open_data(own)
    train, test = split.train, split.test
else:
    train, test = fcn.datasets.road_scenes("train", count=24), fcn.datasets.road_scenes("test", count=6)
keras.utils.set_random_seed(0)
model = fcn.models.fcn(train.num_classes, stride=8, backbone=fcn.backbones.small_vgg(), width=None)
fcn.training.fit(model, train, steps=120, batch_size=4, learning_rate=1e-2)
scores = fcn.evaluation.evaluate(model, test)
print(scores)

# %%
ious = []
for picture, mask in test:
    found = fcn.prediction.segment(model, picture)
    ious.append(fcn.evaluation.score_pairs([(mask, found)], test).mean_iou)
worst = int(np.argmin(ious))
image, _ = test[worst]
print(f"the worst of the test pictures is number {worst}: mean IoU {100 * ious[worst]:.0f} %")
fcn.visualization.draw_regions(image, fcn.prediction.segment(model, image), test.class_names, test.palette)

# %% [markdown]
# ## Task 6: report (4 points)
#
# Half a page: (a) the pictures, the classes, how you labelled and what was hard to decide, the share of each class; (b) how
# the test pictures were kept apart, and why that matters for pictures taken one after another; (c) the scores, with the IoU
# of each class, and which of them you trust least; (d) two pictures on which it fails, with a reason for each and what you
# would try. Without pictures of your own, report on the drawn scenes. A person reads this report.

# %% [markdown] written="report" points=4
# ### BEGIN SOLUTION
# (a) 24 drawn road scenes to train on and 6 to test on, 160 × 576, seven classes; they are labelled by the program that draws
# them, so no edge was hard to decide. Road and background are most of the pixels, poles and people few. (b) The test scenes
# come from another seed and share nothing with the training scenes. With photographs taken one after another a random split
# would put nearly the same picture into both parts, and the score would be too good: whole series must be kept apart. (c) The
# mean IoU lies far below the pixel accuracy, since the rare classes are found badly and count as much as the road. I trust
# the rarest class least: a few hundred pixels decide its IoU. (d) Thin things, such as poles, are lost because a position of
# the finest map stands for 8 × 8 pixels: I would try more steps and finer skips. Grey walls are taken for road, which has the
# same colour: more pictures with walls, or training the encoder too (`unfreeze`).
# ### END SOLUTION

# %% [markdown]
# ## Rubric
#
# Task 6: 1 point for each of (a) to (d). (a) Classes with their shares and one hard decision; (b) how the test was kept apart
# and the danger of near copies; (c) the IoU of each class and a reason for distrust; (d) two failures, each with a reason
# that fits the picture and something to try. Numbers must be those that the notebook shows.
#
# **Before you hand in:** Kernel → Restart and run all. Does each check say what it said before? Hand in the notebook; your
# pictures are not needed.
