# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # Images, and what one can ask about them
#
# **Goal.** See a picture as an array of numbers, ask four different questions about it, and count how many answers
# two of them want. One of the four, *segmentation*, a class for every pixel, is what this course is about.
#
# **Idea.** A computer that is given a picture is given numbers. *Computer vision* turns these numbers into answers, and the
# question decides what kind of answer:
#
# * A sorting machine for letters reads the digits of the postcode: one digit per picture.
# * A camera finds the faces and focuses on them: a box for each face.
# * A car has to know how far the road goes, and a surgeon where the tumour ends. A box is too coarse for that:
#   **every pixel** needs an answer. That is *segmentation*.

# %%
import matplotlib.cbook
import numpy as np

import fcn_keras as fcn
from fcn_keras.visualization.tasks import boxes, draw_channels, draw_outputs, draw_tasks, draw_what_and_where, draw_zoom

photo = fcn.images.read_image(matplotlib.cbook.get_sample_data("grace_hopper.jpg", asfileobj=False))
print("height, width, channels:", photo.shape)
print(photo.size, "numbers, from", photo.min(), "to", photo.max())

# %% [markdown]
# ## 1. An image is an array
#
# The photograph shows Rear Admiral Grace Hopper, who wrote one of the first compilers. It was taken for the US Navy, is in
# the public domain, and comes with matplotlib. `photo[row, column]` is one *pixel*: three numbers for red, green and blue.
# Row 0 is the top row. The mean of the three is a grey value.
#
# **Predict before you run:** the frame on the right is 10 × 10 pixels large and lies on an eye. The pupil is black, with
# a small reflection of the lamp in it. About which numbers do you expect for the two?

# %% tags=["L01"]
grey = photo.mean(axis=-1)  # (600, 512, 3) → (600, 512)
draw_zoom(grey, windows=((158, 276, 60), (182, 301, 10)))  # row and column of the first pixel, size

# %% [markdown]
# Nothing else is there. No eye is stored in the file, only these numbers; that they are an eye is an answer, and
# somebody has to give it.
#
# A colour picture has such an array for each colour. They are called *channels*, so an image is
# **height × width × channels**. Here is a road scene, drawn by a program of this package.
#
# **Predict before you run:** the marked pixel belongs to the sky. Which of its three numbers is the largest?

# %% tags=["L01"]
roads = fcn.datasets.road_scenes("test")
scene, labels = roads[8]  # the picture, and something that section 2 explains
print("scene:", scene.shape, " the pixel in row 6, column 240:", scene[6, 240])
draw_channels(scene, pixel=(6, 240))

# %% [markdown]
# ## 2. A class for every pixel
#
# A *class* is a category, written as a number. `labels` is a *label map*: as high and as wide as the picture, and each of its
# numbers says what that pixel shows. Here nobody had to guess, the program that drew the scene knew it. For photographs,
# people paint the label maps by hand, which takes an hour and more for one street scene.
#
# To look at a label map we give each class a colour. That is one line of NumPy: the class number picks a row of the *palette*.

# %%
print("label map:", labels.shape, " class numbers:", np.unique(labels), " for:", *roads.class_names)
coloured = roads.palette[labels]  # (7, 3)[(160, 576)] → (160, 576, 3)

# %% [markdown]
# The package's own version does the same, and also paints pixels white that nobody labelled (number 255).
#
# **Predict before you run:** which class covers the most pixels, and which the fewest?

# %% tags=["L07"]
np.testing.assert_allclose(fcn.visualization.colourise(labels, roads.palette), coloured)
share = np.bincount(labels.ravel()) / labels.size
print(*(f"{name} {100 * part:.1f} %" for name, part in zip(roads.class_names, share)), sep=", ")
fcn.visualization.draw_regions(scene, labels, roads.class_names, roads.palette)

# %% [markdown]
# ## 3. Four tasks on one picture
#
# *Classification* wants one label for the whole picture. *Detection* wants a box around each thing. *Segmentation* wants the
# label map. *Captioning* wants a sentence. From a label map we can compute boxes: cars that do not touch are separate
# regions.
#
# To find the regions, every car pixel starts with a number of its own. Then each pixel takes over the largest number among
# itself and its four neighbours, again and again, until nothing changes: one number per region is left.


# %%
def regions(inside):
    number = np.arange(1, inside.size + 1).reshape(inside.shape) * inside
    before = None
    while not np.array_equal(number, before):
        before, framed = number, np.pad(number, 1)  # a row or column of zeros on each side
        neighbours = framed[:-2, 1:-1], framed[2:, 1:-1], framed[1:-1, :-2], framed[1:-1, 2:]
        number = np.max([number, *neighbours], axis=0) * inside
    return number


# %%
car = roads.class_names.index("car")
region = regions(labels == car)
by_hand = []
for number in np.unique(region[region > 0]):
    rows, columns = np.nonzero(region == number)
    if len(rows) >= 100:  # smaller ones are far away, or a corner of a car behind something
        by_hand.append((rows.min(), rows.max(), columns.min(), columns.max()))

# %% [markdown]
# The package's `boxes` gives the same.
#
# **Predict before you run:** look at the blue regions in the figure above. How many boxes will there be, and is that
# the number of cars?

# %% tags=["L04"]
cars = boxes(labels, car, smallest=100)
np.testing.assert_allclose(sorted(by_hand, key=lambda box: box[2]), cars)
sentence = "A van and a car stand beside an empty road in the evening; across it wait a lorry and two more cars."
print(len(cars), "boxes")
draw_tasks(scene, labels, roads.class_names, roads.palette, "street", {"car": cars}, sentence)

# %% [markdown]
# The one label, and the sentence, were written by hand here; the boxes come from the label map. There are three of them for
# five vehicles (vans and lorries are of class car, too). For a label map does *not* know things: where two cars touch in the
# picture, they are one region. It says *car* for each pixel, not *which* car. This is
# called *semantic* segmentation.
#
# ## 4. Count the outputs
#
# Now two networks, built but not trained; only the sizes matter here. In Keras a network is a *model*: a function with many
# adjustable numbers (*weights*) inside, made of *layers*, one computing step each. `predict` runs it on a *batch*: several
# pictures in one array, here only one. Both give *scores*, a number per class, and the highest wins.
#
# The pictures are 64 × 64, with one disk, square, triangle or cross on them; `seed=1` picks the random ones, another seed gives
# other pictures. The label map of such a picture is called its *mask*: 0 is the ground, 1 disk, 2 square, 3 triangle, 4 cross.
# `fcn_from_cae` gives a *fully convolutional network* (FCN), made from a *convolutional autoencoder* (CAE). Notebooks 03 and 04
# build both; for now it is a box that gives scores for every pixel.
#
# **Predict before you run:** the classifier knows four shapes; the segmenter knows five classes, the ground is one too.
# How many scores does each give for one picture, and how many answers (one chosen class each)?

# %%
shapes = fcn.datasets.shapes(100, seed=1)
picture, mask = shapes[2]
batch = picture[None].astype("float32")  # (1, 64, 64, 3): a batch of one
classifier = fcn.models.classifier(num_classes=4)
segmenter = fcn.models.fcn_from_cae(fcn.models.cae(), num_classes=5)
for model in (classifier, segmenter):
    scores = model.predict(batch, verbose=0)  # verbose=0: without a progress bar
    chosen = scores.argmax(axis=-1)  # which score is the highest?
    print(f"{model.name}: scores {scores.shape}, that is {scores.size} numbers; answers: {chosen.size}")

# %% tags=["L05"]
assert chosen.size == mask.size == 64 * 64
draw_outputs(picture, mask, shapes.class_names, shapes.palette, window=(44, 6, 10))

# %% [markdown]
# **Classification predicts one class for the image; segmentation predicts one for every pixel.** The question
# *which class?* is asked 4,096 times, and each time about another place.
#
# ## 5. What, and where
#
# That is the difference between *what* and *where*. To see it, we train the classifier and then move the things.
#
# The training is a recipe here, and notebook 02 explains it. In short: the weights start at random. The network is shown
# pictures with the right answers, 32 at a time, and after each 32 every weight is changed a little, so that the right answers
# would have got higher scores.

# %%
from fcn_keras.datasets.drawn.shapes import arrays  # noqa: E402

pictures, answers = arrays(fcn.datasets.shapes(1600, seed=0))  # (1600, 64, 64, 3), and 0 disk, 1 square, 2 triangle, 3 cross

import keras  # noqa: E402  after fcn_keras, which loads it without its start-up lines

keras.utils.set_random_seed(0)  # the same random numbers at every run, so the same weights
classifier = fcn.models.classifier(num_classes=4)  # a new network, its weights at random
classifier.compile(  # say how to train, before training
    loss="sparse_categorical_crossentropy",  # what shall become small: large where the right answer scores low
    optimizer="adam",  # the rule by which the weights are changed
    jit_compile=False,  # do not spend time on making the program faster first; it is short
)
history = classifier.fit(pictures, answers, batch_size=32, epochs=8, verbose=0)  # an epoch: once through all pictures

# %% [markdown]
# Now 100 pictures that it never saw (`seed=1`), and the same 100 scenes with the thing moved by 11 rows and 7 columns. A thing
# that would leave the picture comes in again on the other side.
#
# **Predict before you run:** in how many of the 100 does the classifier change its answer? And in how many does the right
# label map change?

# %%
moved = fcn.datasets.shapes(100, seed=1, shift=(11, 7))
what, what_moved = (classifier.predict(arrays(data)[0], verbose=0).argmax(axis=-1) for data in (shapes, moved))
where, where_moved = (np.stack([mask for _, mask in data]) > 0 for data in (shapes, moved))
still = (where & where_moved).sum() / where.sum()
print(f"what:  right in {(what == arrays(shapes)[1]).sum()} of 100; the same after moving in {(what == what_moved).sum()} of 100")
print(f"where: another mask in {(where != where_moved).any(axis=(1, 2)).sum()} of 100;")
print(f"       {100 * still:.0f} % of the pixels that showed the thing still show it")
assert (what == what_moved).sum() >= 95 and (where != where_moved).any(axis=(1, 2)).all()

# %% tags=["L06"]
three = (1, 2, 3)
names = [[shapes.class_names[1 + guess[i]] for i in three] for guess in (what, what_moved)]  # class_names[0] is the ground
here, there = [shapes[i] for i in three], [moved[i] for i in three]
draw_what_and_where(
    [image for image, _ in here], [image for image, _ in there], [mask for _, mask in here], [mask for _, mask in there],
    *names, shapes.palette,
)  # fmt: skip

# %% [markdown]
# For the classifier a moved cross is the same answer: nothing in its four scores says where the cross was. For segmentation a
# mask that is right except for its place is wrong. **Classification needs *what*; segmentation needs *what* and *where*.**
# The answer of a good classifier holds only the first. How to get the second, without losing the *what*, is the subject of
# this course.
#
# ## Exercise
#
# 1. Make three new pictures from `scene`: 30 brighter (`np.clip(scene.astype(int) + 30, 0, 255).astype("uint8")`; in `uint8`
#    alone 250 + 30 becomes 24), mirrored left to right, and without its upper half. Which of them need another label map, and
#    which another label? Check yourself: draw each with its label map by `fcn.visualization.draw_regions`.
# 2. A label map knows no things, only classes. Paint a bridge of car pixels from one box to the next (in a copy of `labels`),
#    and call `boxes` again. How many boxes are there now? What would a label map need so that the two cars stay apart?
# 3. How many answers and how many scores does a segmenter with 7 classes give for one road scene? Check yourself: build it
#    with `fcn_from_cae` and look at the shape of `predict(scene[None].astype("float32"), verbose=0)`.
# 4. Turn the 100 pictures upside down (`arrays(shapes)[0][:, ::-1]`). Which shapes does the classifier still name rightly,
#    and which not? Predict it for each of the four, then count. Why is this different from moving?
#
# Solutions: `fcn.solutions.show("00.1")`, `fcn.solutions.show("00.2")`, `fcn.solutions.show("00.3")`,
# `fcn.solutions.show("00.4")`.
