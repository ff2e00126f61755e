# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # Images, and the questions we can ask about them
#
# **Goal.** See a picture as an array of numbers. Ask four different questions about it. Count how
# many answers two of these questions require. One of the four, *segmentation*, assigns a class to
# every pixel. It is the subject of this course.
#
# **Idea.** To a computer, a picture is an array of numbers. *Computer vision* turns these numbers
# into answers. The question decides what kind of answer is needed:
#
# * A letter-sorting machine reads the digits of the postcode. It needs one digit per picture.
# * A camera finds the faces and focuses on them. It needs a box around each face.
# * A driverless car must know where the road ends, and a surgeon must know where the tumour ends. A
#   box is too coarse for that: **every pixel** needs an answer. This is *segmentation*.

# %%
import matplotlib.cbook
import numpy as np

import fcn_keras as fcn
from fcn_keras.visualization.tasks import boxes, draw_channels, draw_outputs, draw_tasks, draw_zoom

path = matplotlib.cbook.get_sample_data("grace_hopper.jpg", asfileobj=False)
photo = fcn.images.read_image(path)
print("height, width, channels:", photo.shape)
print(photo.size, "numbers, from", photo.min(), "to", photo.max())

# %% [markdown]
# ## 1. An image is an array
#
# The photograph shows Rear Admiral Grace Hopper, who wrote one of the first compilers. It was taken
# for the US Navy, is in the public domain, and comes with matplotlib. `photo[row, column]` is one
# *pixel*: three numbers, for red, green and blue. Row 0 is the top row. The mean of the three
# numbers is the pixel's grey value.
#
# **Predict before you run:** the frame on the right covers 10 × 10 pixels of an eye. The pupil is
# black and contains a small reflection of the lamp. Roughly which grey values do you expect for the
# pupil and for the reflection?

# %% tags=["L01"]
grey = photo.mean(axis=-1)  # (600, 512, 3) → (600, 512)
draw_zoom(grey, windows=((158, 276, 60), (182, 301, 10)))  # first row, first column, size

# %% [markdown]
# The file contains only these numbers. It does not say what they show. "This is an eye" is an
# answer, and somebody has to give it.
#
# A colour picture has one such array for each colour. These arrays are called *channels*, so the
# shape of an image is **height × width × channels**. The next picture is a road scene, drawn by a
# program in this package.
#
# **Predict before you run:** the marked pixel belongs to the sky. Which of its three numbers is the
# largest?

# %% tags=["L01"]
roads = fcn.datasets.road_scenes("test")
scene, labels = roads[8]  # the picture, and its label map, which section 2 explains
print("scene:", scene.shape, " the pixel in row 6, column 240:", scene[6, 240])
draw_channels(scene, pixel=(6, 240))

# %% [markdown]
# **Try it.** Zoom into this picture until you can read its numbers, and take a channel away.

# %% tags=["explainer"]
fcn.explainer.show("review")

# %% [markdown]
# ## 2. A class for every pixel
#
# A *class* is a category, written as a number. `labels` is a *label map*: it has the height and
# width of the picture, and each of its numbers is the class of one pixel. For this scene nobody had
# to guess the classes: the program that drew the scene knew them. For photographs, people paint the
# label maps by hand. This takes an hour or more for one street scene.
#
# To display a label map, we give each class a colour. One line of NumPy does this: the class number
# selects a row of the *palette*.

# %%
print("label map:", labels.shape, " classes:", np.unique(labels), " names:", *roads.class_names)
coloured = roads.palette[labels]  # (7, 3)[(160, 576)] → (160, 576, 3)

# %% [markdown]
# The package's `colourise` does the same. It also paints unlabelled pixels (number 255) white.
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
# *Classification* asks for one label for the whole picture. *Detection* asks for a box around each
# object. *Segmentation* asks for the label map. *Captioning* asks for a sentence. We can compute
# boxes from a label map, because cars that do not touch form separate regions.
#
# To find the regions, we first give every car pixel a different number. Then each car pixel takes
# the largest of five numbers: its own and those of its four neighbours. We repeat this until
# nothing changes. Each region then has a single number.


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
    if len(rows) >= 100:  # smaller: distant cars, or corners of partly hidden cars
        by_hand.append((rows.min(), rows.max(), columns.min(), columns.max()))

# %% [markdown]
# The package's `boxes` gives the same result.
#
# **Predict before you run:** look at the blue regions in the figure above. How many boxes will
# there be? Is that the number of cars?

# %% tags=["L04"]
cars = boxes(labels, car, smallest=100)
np.testing.assert_allclose(sorted(by_hand, key=lambda box: box[2]), cars)
sentence = (
    "A van and a car stand beside an empty road in the evening. "
    "A lorry and two more cars wait on the other side."
)
print(len(cars), "boxes")
draw_tasks(scene, labels, roads.class_names, roads.palette, "street", {"car": cars}, sentence)

# %% [markdown]
# We wrote the label and the sentence by hand. The boxes come from the label map. There are only
# three boxes for five vehicles. (Vans and lorries also belong to the class *car*.) The reason is
# that a label map does *not* distinguish objects: two cars that touch in the picture form one
# region. The label map says *car* for each pixel, but not *which* car. This is called *semantic*
# segmentation.
#
# ## 4. Count the outputs
#
# We now build two networks. We do not train them, because only the sizes matter here. In Keras a
# network is a *model*: a function with many adjustable numbers, its *weights*. A model consists of
# *layers*, each of which performs one step of the computation. `predict` runs the model on a
# *batch*, an array of several pictures. Here the batch contains only one picture. Both networks
# give *scores*, one number per class. The class with the highest score is the answer.
#
# Each picture has 64 × 64 pixels and shows one disk, square, triangle or cross. `seed=1` selects
# one series of random pictures; another seed gives other pictures. The label map of such a picture
# is called its *mask*: 0 is the background, 1 a disk, 2 a square, 3 a triangle and 4 a cross.
# `fcn_from_cae` builds a *fully convolutional network* (FCN) from a *convolutional autoencoder*
# (CAE). Notebooks 03 and 04 build both step by step. For now, treat the FCN as a black box that
# gives scores for every pixel.
#
# **Predict before you run:** the classifier knows four shapes. The segmenter knows five classes,
# because the background is a class too. How many scores does each network give for one picture? How
# many answers does it give? (An answer is one chosen class.)

# %%
shapes = fcn.datasets.shapes(100, seed=1)
picture, mask = shapes[2]
batch = picture[None].astype("float32")  # (1, 64, 64, 3): a batch of one
classifier = fcn.models.classifier(num_classes=4)
segmenter = fcn.models.fcn_from_cae(fcn.models.cae(), num_classes=5)
for model in (classifier, segmenter):
    scores = model.predict(batch, verbose=0)  # verbose=0: no progress bar
    chosen = scores.argmax(axis=-1)  # the class with the highest score
    print(f"{model.name}: scores {scores.shape}, {scores.size} numbers; answers: {chosen.size}")

# %% tags=["L05"]
assert chosen.size == mask.size == 64 * 64
draw_outputs(picture, mask, shapes.class_names, shapes.palette, window=(44, 6, 10))

# %% [markdown]
# **Classification predicts one class for the image; segmentation predicts one for every pixel.**
# The segmenter answers the question *which class?* 4,096 times, each time for a different pixel.
#
# ## 5. What and where
#
# This leads to the difference between *what* and *where*. To see it, we train the classifier and
# then move the objects.
#
# Take the training as a recipe for now; notebook 02 explains it. In short, the weights start with
# random values. The network is shown pictures with the right answers, 32 at a time. After each
# group of 32, every weight is changed slightly, so that the right answers would have received
# higher scores. One pass through all pictures is an *epoch*. The right answers are numbers: 0 for a
# disk, 1 for a square, 2 for a triangle and 3 for a cross.

# %%
from fcn_keras.datasets.drawn.shapes import arrays  # noqa: E402
from fcn_keras.visualization.tasks import draw_what_and_where  # noqa: E402

pictures, answers = arrays(fcn.datasets.shapes(1600, seed=0))  # (1600, 64, 64, 3) and (1600,)

import keras  # noqa: E402  after fcn_keras, which hides Keras' start-up messages

keras.utils.set_random_seed(0)  # the same random numbers in every run, hence the same weights
classifier = fcn.models.classifier(num_classes=4)  # a new network with random weights
classifier.compile(  # describes how to train
    loss="sparse_categorical_crossentropy",  # to be reduced; large if the right answer scores low
    optimizer="adam",  # the rule that changes the weights
    jit_compile=False,  # compiling the program would take longer than it saves
)
history = classifier.fit(pictures, answers, batch_size=32, epochs=8, verbose=0)

# %% [markdown]
# Now we take 100 pictures that the classifier has never seen (`seed=1`), and the same 100 scenes
# with the object moved by 11 rows and 7 columns. An object that would leave the picture re-enters
# on the opposite side.
#
# **Predict before you run:** for how many of the 100 pictures does the classifier change its
# answer? For how many does the right label map change?

# %%
moved = fcn.datasets.shapes(100, seed=1, shift=(11, 7))
what, what_moved = (
    classifier.predict(arrays(data)[0], verbose=0).argmax(axis=-1) for data in (shapes, moved)
)
where, where_moved = (np.stack([mask for _, mask in data]) > 0 for data in (shapes, moved))
still = (where & where_moved).sum() / where.sum()
right, same = (what == arrays(shapes)[1]).sum(), (what == what_moved).sum()
changed = (where != where_moved).any(axis=(1, 2))
print(f"what:  {right} of 100 right, {same} of 100 the same after the move")
print(f"where: the mask changes in {changed.sum()} of 100;")
print(f"       {100 * still:.0f} % of the object's pixels still show the object")
assert same >= 95 and changed.all()

# %% tags=["L06"]
three = (1, 2, 3)
names = [  # class_names[0] is the background
    [shapes.class_names[1 + guess[i]] for i in three] for guess in (what, what_moved)
]
here, there = [shapes[i] for i in three], [moved[i] for i in three]
draw_what_and_where(
    [image for image, _ in here],
    [image for image, _ in there],
    [mask for _, mask in here],
    [mask for _, mask in there],
    *names,
    shapes.palette,
)

# %% [markdown]
# To the classifier a moved cross is still a cross: nothing in its four scores says where the cross
# is. In segmentation, a mask with the right shape in the wrong place is wrong. **Classification
# needs *what*; segmentation needs *what* and *where*.** The answer of a good classifier contains
# only the *what*. How to obtain the *where* without losing the *what* is the subject of this
# course.

# %% [markdown]
# **Try it.** Drag the shape. Which of the answers change?

# %% tags=["explainer"]
fcn.explainer.show("tasks")

# %% [markdown]
# ## Exercise
#
# 1. Make three new pictures from `scene`: one brighter by 30, one mirrored left to right, and one
#    without its upper half. For the first, use
#    `np.clip(scene.astype(int) + 30, 0, 255).astype("uint8")`, because in `uint8` alone 250 + 30
#    becomes 24. Which of the three need a different label map, and which a different label? To
#    check, draw each picture with its label map, using `fcn.visualization.draw_regions`.
# 2. A label map distinguishes classes, not objects. In a copy of `labels`, paint a bridge of car
#    pixels from one box to the next, and call `boxes` again. How many boxes are there now? What
#    would a label map need to keep the two cars apart?
# 3. How many answers and how many scores does a segmenter with 7 classes give for one road scene?
#    To check, build it with `fcn_from_cae` and look at the shape of
#    `predict(scene[None].astype("float32"), verbose=0)`.
# 4. Turn the 100 pictures upside down (`arrays(shapes)[0][:, ::-1]`). Which shapes does the
#    classifier still recognise? Predict the result for each of the four shapes, then count. Why
#    does turning differ from moving?
#
# Solutions: `fcn.solutions.show("00.1")`, `fcn.solutions.show("00.2")`,
# `fcn.solutions.show("00.3")`, `fcn.solutions.show("00.4")`.
