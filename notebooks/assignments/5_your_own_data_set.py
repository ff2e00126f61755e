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
# You label your own pictures, turn the labels into masks, check them, train a network, measure it,
# and write a report. First you write the tools for this. If you have no pictures of your own, the
# notebook uses drawn scenes, so it runs from top to bottom in any case.
#
# | task | minutes | points |
# | --- | --- | --- |
# | 1 masks from labelme | 25 | 4 |
# | 2 masks from an indexed image | 20 | 3 |
# | 3 a smaller mask | 10 | 2 |
# | 4 what is wrong with a mask | 25 | 4 |
# | 5 the mean IoU | 15 | 3 |
# | label your own pictures, train, measure | 90 | |
# | 6 report | 25 | 4 |
#
# The assignment takes three and a half hours, almost half of them for labelling and training.
#
# **How a task works.** Complete the cell that says `raise NotImplementedError()`, then run the
# check in the cell below it. The check says that your answer is right, or gives a hint. Hints cost
# nothing, and you may run a check as often as you like.
#
# **What you may use.** NumPy; in task 1 also a drawing library such as Pillow. If a task says
# *write*, an answer that calls the package's version earns no points.
#
# **How it is graded.** The computer grades tasks 1 to 5, with other pictures and numbers than here.
# Each task earns all its points or none. A person grades the report. The tasks do not depend on
# each other.

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
# labelme saves a JSON file for each picture. Read with `json.loads`, it becomes a dictionary like
# the one below. A point is [x, y] in pixels, measured from the top left corner: x to the right and
# y down.

# %%
road = [[10, 59], [35, 20], [50, 20], [80, 59]]
car = [[40, 30], [60, 30], [60, 45], [40, 45]]
unclear = [[0, 0], [89, 0], [89, 6], [0, 6]]
example = {
    "imageHeight": 60,
    "imageWidth": 90,
    "shapes": [
        {"label": "road", "points": road, "shape_type": "polygon"},
        {"label": "car", "points": car, "shape_type": "polygon"},
        {"label": "ignore", "points": unclear, "shape_type": "polygon"},
    ],
}

# %% [markdown]
# Write a function that returns the label map, an array (height, width) of whole numbers. Pixels
# that nobody outlined are 0. A pixel in a shape gets the position of the shape's label in
# `class_names`, whose first entry is the background. A pixel in a shape called `ignore` is void,
# 255. Later shapes cover earlier ones. `PIL.ImageDraw.Draw(...).polygon` fills a polygon. It does
# not matter to which side you count a pixel exactly on the edge. (L22)


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
# ## Task 2: masks from an indexed image (3 points)
#
# A mask that was painted in GIMP and saved as an *indexed* PNG holds the number of a palette entry
# at each pixel. The palette holds the colours. GIMP orders the palette as it likes, so the class
# follows from the colour, not from the index. Write a function that makes the label map from the
# indices, the palette and a table from colours to classes. A colour that is not in the table, such
# as that of a blurred edge, is void, 255. (L22)


# %% answer="mask_from_colours"
def mask_from_colours(indices, palette, classes):
    """Indices (H, W) and palette (K, 3) of RGB 0-255 to a label map (H, W).

    classes: a dictionary such as {(0, 0, 0): 0, (200, 30, 10): 1}.
    """
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
# Pictures from a phone are too large to train on. A picture may be made smaller by averaging. A
# mask may not, because the average of class 1 and class 7 is class 4. Write a function that returns
# a mask with `factor` times fewer rows and columns: each cell of `factor` × `factor` pixels becomes
# its first pixel, the one at the top left. Height and width are multiples of `factor`.


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
# A wrong mask raises no error during training: the network simply learns it. Write a function that
# returns a list with the names of the faults of a mask. The list is empty if the mask has no fault.
#
# * `"shape"`: the mask is not an array with two axes (if so, check nothing else);
# * `"type"`: its data type is not an integer type, but for example float32;
# * `"size"`: its height and width are not those of the picture;
# * `"numbers"`: some number is neither a class, 0 to `num_classes` - 1, nor void, 255;
# * `"void"`: more than 95 % of the mask is void.


# %% answer="faults"
def faults(image, mask, num_classes):
    """Picture (H, W, 3) and its mask to a list of names, such as ["type", "void"]."""
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
# `confusion[i, j]` is the number of pixels of the true class i that were predicted as class j. Void
# pixels are not counted. The IoU of a class is the number of its correct pixels, divided by the
# number of pixels that belong to it or were predicted as it. Write a function that returns the mean
# over the classes that occur, either in the labels or in the prediction. A class that occurs in
# neither has no IoU and is left out. (Notebook 09)


# %% answer="mean_iou"
def mean_iou(confusion):
    """Confusion matrix (classes, classes), rows true, columns predicted, to the mean IoU."""
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
# Take at least twelve pictures of one kind of scene, with two to four classes. Next to this
# notebook, create a folder `my_pictures` with a folder `images/` and a file `classes.txt` in it.
# The file has one class name per line, the background first.
#
# * **With labelme** (`pip install labelme`): open the folder `images`, draw a polygon around each
#   object (*Create Polygons*), and give it its class. Call anything that you cannot identify
#   `ignore`. Save the JSON files in `my_pictures/labelme/`, under the names of the pictures.
# * **With GIMP:** paint a layer over the picture with the pencil (the brush blurs edges), one
#   colour per class. Choose *Image → Mode → Indexed*, then export the layer as PNG into
#   `my_pictures/painted/`.
#
# If the next cell finds such files, it writes the masks with your functions. Without the folder it
# does nothing.

# %%
own = Path("my_pictures")
names = (own / "classes.txt").read_text().splitlines() if own.is_dir() else []
COLOURS = {(0, 0, 0): 0, (255, 0, 0): 1, (0, 0, 255): 2}  # colour: class, in your painted masks
for path in sorted(own.glob("labelme/*.json")):
    found = mask_from_labelme(json.loads(path.read_text()), names)
    fcn.images.write_image(own / "masks" / f"{path.stem}.png", found.astype("uint8"))
for path in sorted(own.glob("painted/*.png")):
    from PIL import Image

    painted = Image.open(path)
    palette = np.reshape(painted.getpalette(), (-1, 3))
    found = mask_from_colours(np.asarray(painted), palette, COLOURS)
    fcn.images.write_image(own / "masks" / f"{path.stem}.png", found.astype("uint8"))

# %% [markdown]
# Now the data set is opened: your pictures, with a fifth of them set aside for testing, or else
# drawn scenes. Change the training as you like: more steps, another stride, `augment="flip"`.

# %%
if own.is_dir():
    split = fcn.datasets.open_data(own)
    train, test = split.train, split.test
else:
    train = fcn.datasets.road_scenes("train", count=24)
    test = fcn.datasets.road_scenes("test", count=6)
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
image, truth = test[worst]
print(f"the worst test picture is number {worst}: mean IoU {100 * ious[worst]:.0f} %")
found = fcn.prediction.segment(model, image)
fcn.visualization.draw_regions(image, truth, test.class_names, test.palette, predicted=found)

# %% [markdown]
# ## Task 6: report (4 points)
#
# Write half a page. (a) Describe the pictures, the classes, how you labelled, what was hard to
# decide, and the share of each class. (b) Say how the test pictures were kept separate, and why
# this matters for pictures taken one after another. (c) Give the scores, with the IoU of each
# class, and say which of them you trust least. (d) Show two pictures on which the network fails,
# with a reason for each and something that you would try. Without pictures of your own, report on
# the drawn scenes. A person reads this report.

# %% [markdown] written="report" points=4
# ### BEGIN SOLUTION
# (a) There are 24 drawn road scenes to train on and 6 to test on, 160 × 576 pixels, with seven
# classes. The program that draws them also labels them, so no edge was hard to decide. Road and
# background are most of the pixels; poles and people are few. (b) The test scenes come from another
# seed and share nothing with the training scenes. With photographs taken one after another, a
# random split would put nearly the same picture into both parts, and the score would be too good.
# Whole series must be kept separate. (c) The mean IoU is far below the pixel accuracy, because the
# rare classes are predicted badly and count as much as the road. I trust the rarest class least: a
# few hundred pixels decide its IoU. (d) Thin objects such as poles are lost, because a position of
# the finest map stands for 8 × 8 pixels. I would try more steps and finer skips. Grey walls are
# predicted as road, which has the same colour. I would try more pictures with walls, or train the
# encoder too (`unfreeze`).
# ### END SOLUTION

# %% [markdown]
# ## Rubric
#
# Task 6: 1 point for each of (a) to (d). (a) The classes with their shares and one hard decision;
# (b) how the test pictures were kept separate, and the danger of near copies; (c) the IoU of each
# class and a reason for distrust; (d) two failures, each with a reason that fits the picture and
# something to try. The numbers must be those that the notebook shows.
#
# **Before you hand in:** choose Kernel → Restart and run all. Does each check still say what it
# said before? Hand in only the notebook, without your pictures.
