# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # Your own pictures
#
# **Goal.** Train a network on pictures of your own: lay them out in a folder, make sure that their labels are right, train,
# measure, segment a photograph, keep the model. And notice the mistakes that everybody makes once.
#
# **Idea.** The network and the training are those of the notebooks before. What is new, and where the time goes, is the
# data. A wrong label raises no error in the training: the network learns it. So the data is looked at first, with
# numbers and with the eye.
#
# As a stand-in for your folder serves `data/road_scenes`, which comes with the package: 24 scenes with seven classes.

# %%
import tempfile
import warnings
from pathlib import Path

import numpy as np
from PIL import Image

import fcn_keras as fcn
from fcn_keras.command_line.parser import main
from fcn_keras.visualization import your_pictures

folder = Path("../data/road_scenes")  # yours: Path("my_pictures")
if not folder.exists():  # this notebook was opened without the rest of the package: draw the same scenes
    main(["scenes", "--out", str(folder), "--count", "24"])

# %%
data = fcn.datasets.open_data(folder)

import keras  # noqa: E402  after fcn_keras, which loads it without its start-up lines

print(data.train, data.test, sep="\n")

# %% [markdown]
# ## 1. The layout
#
# Two folders and a text file. A picture and its label map have the same name; the pictures may be JPEG, the label maps
# (*masks*) never: JPEG changes values a little, and a class number must not change at all. `classes.txt` names the classes,
# one a line; the first line is class 0.

# %%
class_names = (folder / "classes.txt").read_text().split()
for part in ("images", "masks"):
    files = sorted(path.name for path in (folder / part).iterdir())
    print(f"{part}/  {files[0]}, {files[1]} … {len(files)} files")
for number, name in enumerate(class_names):
    print(f"{number}: {name}")

# %% [markdown]
# A mask is a PNG file with *one* number at each pixel, its class. Number 255 means *void*: nobody knows, do not train on it,
# do not score it. An *indexed* PNG also holds a list of colours, so that a viewer shows class 3 as blue; the file still
# holds the 3.
#
# **Predict before you run:** the mask looks colourful in any viewer. What is the shape of its array, and its highest number?

# %%
file = Image.open(folder / "masks" / "scene_007.png")
numbers = np.asarray(file)
print(f"mode {file.mode} (P: indexed), shape {numbers.shape}, numbers {np.unique(numbers)}")
np.testing.assert_array_equal(numbers, fcn.images.read_mask(folder / "masks" / "scene_007.png"))
image = np.asarray(Image.open(folder / "images" / "scene_007.jpg").convert("RGB"))
fcn.visualization.draw_regions(image, numbers, class_names, data.train.palette)

# %% [markdown]
# Programs for drawing masks are many; what matters is what they save. To write a mask from an array:
# `fcn.images.write_image("mask.png", numbers, palette)`.
#
# ## 2. Loading
#
# Read a picture, read the mask of the same name: that is all that a data set is.

# %%
pairs = []
for path in sorted((folder / "images").iterdir()):
    picture = np.asarray(Image.open(path).convert("RGB"))
    pairs.append((picture, np.asarray(Image.open(folder / "masks" / f"{path.stem}.png"))))

all_24 = fcn.datasets.image_folder(folder / "images", folder / "masks", class_names)
assert len(all_24) == len(pairs)
for (picture, mask), (same_picture, same_mask) in zip(pairs, all_24, strict=True):
    np.testing.assert_array_equal(picture, same_picture)
    np.testing.assert_array_equal(mask, same_mask)

# %% [markdown]
# The package's version reads a picture when it is asked for, and checks it then. `open_data(folder)`, in the first cell, also
# holds out a fifth: those five pictures are never trained on and only tell, at the end, how good the network is.
#
# ## 3. Look before you train
#
# Four questions to any data set: do picture and mask fit? Which numbers are there? How common is each class? Does the colour
# end where the thing ends? The first three are arithmetic. An *assertion* stops with its message if something is not so.
#
# **Predict before you run:** which class is the most common in street scenes, and which the rarest?


# %%
def shares_of(data):
    """Checks each picture and mask, and counts: the share of each class among the pixels that are not void."""
    counts = np.zeros(256, "int64")
    for number in range(len(data)):
        picture, mask = data[number]
        assert picture.shape == (*mask.shape, 3), f"picture {number}: {picture.shape} does not fit its mask {mask.shape}"
        counts += np.bincount(mask.ravel(), minlength=256)
    known = counts[: data.num_classes]
    assert known.sum() + counts[255] == counts.sum(), "there are numbers that are neither a class nor 255"
    assert (known > 0).all(), f"never seen: {[data.class_names[c] for c in np.flatnonzero(known == 0)]}"
    return known / known.sum()


shares = {"training": shares_of(data.train), "test": shares_of(data.test)}
your_pictures.draw_shares(shares, class_names, "How common is each class?")

# %% [markdown]
# Nearly half of all pixels are road; poles are one in 250. What is that rare will hardly be learned from nineteen pictures.
# And now the eye:

# %%
some = [data.train[number] for number in (0, 5, 10, 15)]
your_pictures.draw_labels_over([i for i, _ in some], [m for _, m in some], class_names, data.train.palette)

# %% [markdown]
# ## 4. What goes wrong
#
# Five mistakes, each made on purpose in a mask of its own. The package refuses some of them with a message that says what to
# do. It cannot refuse all of them.
#
# **Predict before you run:** which of the five load without a word?

# %%
good = data.train[5][1]
as_road = np.where(good == 3, 255, 0).astype("uint8")  # white on black, as many drawing programs save it
wrong = {
    "another size": good[::2, ::2],
    "colours (RGB)": data.train.palette[good],
    "classes from 1": good + 1,  # 1 to 7 where 0 to 6 was meant
    "white on black": as_road,
    "resized by averaging": good.reshape(80, 2, 288, 2).mean(axis=(1, 3)).round().astype("uint8").repeat(2, 0).repeat(2, 1),
}

# %%
with tempfile.TemporaryDirectory() as place:
    fcn.images.write_image(Path(place, "images", "a.jpg"), data.train[5][0])
    loader = fcn.datasets.image_folder
    for mistake, mask in wrong.items():
        fcn.images.write_image(Path(place, "masks", "a.png"), mask)
        try:
            _, loaded = loader(Path(place, "images"), Path(place, "masks"), class_names)[0]
            message = f"loads without a word; numbers {np.unique(loaded)}"
        except ValueError as error:
            message = str(error).replace(str(Path(place)), "…")
        print(f"{mistake.upper()}: {message}\n")

# %% [markdown]
# Two load without a word, for all their numbers are allowed. *White on black*: 255 is void here, so the road is not trained on
# at all, and all the rest is class 0, sky. *Averaged*: between pavement, 4, and pole, 6, lies 5, and 5 is car. Reading one
# mask, no program can know that there was none. (And *classes from 1* is only noticed because this picture has a pole, 6,
# which became 7. A picture without one would have loaded.)
#
# A program that looks at the whole folder can become suspicious, and `check-data` does: a class that is nowhere to be seen,
# a number between two others along all their edges.

# %%
with tempfile.TemporaryDirectory() as place:
    for mistake, mask in {"none": good, **wrong}.items():
        own = Path(place, mistake)
        fcn.images.write_image(own / "images" / "a.jpg", data.train[5][0])
        fcn.images.write_image(own / "masks" / "a.png", mask)
        (own / "classes.txt").write_text("\n".join(class_names))
        found = fcn.data_checks.check(own).findings
        print(f"{mistake.upper()}: {'; '.join(f'{one.kind} ({one.what})' for one in found) or 'nothing found'}\n")

# %% [markdown]
# For your own folder it is one line in a terminal, which also says what to do about each: `python -m fcn_keras check-data
# my_pictures`. It looks for some twenty mistakes, from files that were not copied whole to labels that lie a few pixels beside
# their things. What it cannot see is a tree that was called a pole.
#
# **Predict before you run:** if 255 marks void along the edges, averaging makes other numbers still. Does the package notice?

# %%
rows, columns = slice(40, 100), slice(320, 420)  # a piece with the edge of the road and a pole
void_edges = np.where(fcn.evaluation.boundary_band(good, width=2), 255, good).astype("uint8")


def averaged(mask):
    return mask.reshape(80, 2, 288, 2).mean(axis=(1, 3)).round().astype("uint8")[20:50, 160:210]


versions = {
    "every second pixel (nearest neighbour)": good[rows, columns][::2, ::2],
    "mean of four pixels (bilinear, “smooth”)": averaged(good),
    "the same, with void along the edges": averaged(void_edges),
}
your_pictures.draw_resized_masks(data.train[5][0][rows, columns], versions, class_names, data.train.palette)

# %% [markdown]
# Crimson are numbers that are no class: those the package refuses. But the car that stands beside the pole has an allowed
# number, and only the eye finds it. So resize masks by nearest neighbour alone, or let the package do it:
# `image_folder(…, size=(80, 288))`. And *white on black* shows in the shares:

# %%
for mistake in ("white on black", "resized by averaging"):
    counts = np.bincount(wrong[mistake].ravel(), minlength=256)
    print(f"{mistake}: void {100 * counts[255] / counts.sum():.1f} %")
    for number, name in enumerate(class_names):
        true = (good == number).mean()
        print(f"    {name:<11}{100 * counts[number] / counts.sum():5.1f} %, was {100 * true:5.1f} %")
repaired = np.where(as_road == 255, 1, 0).astype("uint8")  # 0 background, 1 road: now classes.txt has these two
np.testing.assert_array_equal(repaired, good == 3)

# %% [markdown]
# ## 5. Training
#
# The network is the lecture's of notebook 08. **What changed:** seven classes instead of two.
#
# **Predict before you run:** which of its layers change in size, and which one by the most?

# %%
keras.utils.set_random_seed(0)
model = fcn.models.lecture_fcn(num_classes=data.train.num_classes, width=32)
two = fcn.models.describe(fcn.models.lecture_fcn(num_classes=2, width=32), size=(160, 576))
now = fcn.models.describe(model, size=(160, 576))
print(f"{'layer':<10}{'two classes':<18}{'seven classes':<18}weights")
for old, new in zip(two, now, strict=True):
    if old.parameters != new.parameters:
        print(f"{old.name:<10}{old.output_shape!s:<18}{new.output_shape!s:<18}{old.parameters:,} → {new.parameters:,}")
print(f"trained: {sum(row.parameters for row in now if row.trained):,} of {model.count_params():,}")

# %% [markdown]
# The head starts from random numbers, and a random head pulls the encoder in random directions. So the training has two stages:
# first the head alone, with the encoder *frozen* (its weights stay as they are); then everything, at a low rate. The second
# stage is called *fine-tuning*. Both are one call: `unfreeze="after"`.
#
# **Predict before you run:** a network that knows nothing gives seven classes the same chance, so its loss is ln 7 = 1.95.
# What happens to the loss when the encoder joins in at step 100?

# %%
frozen = model.get_layer("conv5_2").get_weights()[0]
history = fcn.training.fit(
    model, data.train, steps=100, batch_size=4, learning_rate=3e-3, augment="flip", unfreeze="after", fine_tuning=25
)
assert len(history.loss) == 125
assert not np.array_equal(frozen, model.get_layer("conv5_2").get_weights()[0])  # the encoder has learned, too
your_pictures.draw_two_stages(history.loss, border=100, num_classes=7)

# %% [markdown]
# On drawn scenes, which the small VGG knows well, the second stage brings next to nothing (exercise 4). On photographs it is
# worth its time; the README has the numbers. It needs several times longer for each step, because nothing can be computed once
# and kept.
#
# ## 6. How good is it?
#
# Only the five pictures that were held out can tell. `IoU` is intersection over union, see notebook 09.
#
# **Predict before you run:** order the seven classes from best to worst. (Look at the shares in section 3.)

# %%
print(fcn.evaluation.evaluate(model, data.test))

# %%
image, truth = data.test[2]
found = fcn.prediction.segment(model, image)
fcn.visualization.draw_regions(image, found, class_names, data.test.palette)

# %% [markdown]
# Road and pavement are good already, poles are lost, and what is high up is mixed up. Nineteen pictures are few; notebook 08 had
# 200. More pictures help first, then more steps.
#
# ## 7. A photograph of another kind
#
# The network takes any height and width. Here is a portrait, from matplotlib's samples: as far from a street as can be. For
# each pixel the network gives seven probabilities that sum to 1, and *none of these* is not among them.
#
# **Predict before you run:** which classes will it find in a portrait, and how sure will it be, compared with a street?

# %%
from matplotlib.cbook import get_sample_data  # noqa: E402

streets = [fcn.prediction.probabilities(model, street).max(axis=-1) for street, _ in data.test]  # to compare with
photo = fcn.images.read_image(get_sample_data("grace_hopper.jpg", asfileobj=False))  # yours: read_image("photo.jpg")
chances = fcn.prediction.probabilities(model, photo)  # (600, 512, 7)
labels = chances.argmax(axis=-1)
np.testing.assert_array_equal(labels, fcn.prediction.segment(model, photo))
assert labels.shape == photo.shape[:2]
your_pictures.draw_sure(photo, labels, chances.max(axis=-1), class_names, data.test.palette)

# %%
sure = {"five streets": np.concatenate([s.ravel() for s in streets]), "the portrait": chances.max(axis=-1).ravel()}
for what, values in sure.items():
    print(f"{what}: mean probability {values.mean():.2f}, above 0.9 at {100 * (values > 0.9).mean():.0f} % of the pixels")

# %% [markdown]
# Nothing of it is true, and much of it is said with great certainty. A probability of 0.9 means: *of the classes I know, on
# pictures like those I know, this one*. It does not mean that the network recognised anything. Trust a network on
# pictures of the kind that it was tested on, and on no others. If your photographs are of another kind, some of them, labelled,
# belong in the folder.
#
# ## 8. Keeping it
#
# One file holds the layers, the weights and the preprocessing. The class names are not in it: keep `classes.txt` beside it.

# %%
with tempfile.TemporaryDirectory() as place, warnings.catch_warnings():
    warnings.simplefilter("ignore", DeprecationWarning)  # Keras' own, about NumPy
    model.save(Path(place, "my.keras"))
    again = fcn.models.load(Path(place, "my.keras"))
    fcn.images.write_image(Path(place, "found.png"), found, data.test.palette)  # an indexed PNG, as your masks are
    read = fcn.images.read_mask(Path(place, "found.png"))
np.testing.assert_array_equal(read, found)
np.testing.assert_allclose(fcn.prediction.logits(again, photo), fcn.prediction.logits(model, photo), atol=1e-3)
print("the same answer after saving and loading")

# %% [markdown]
# ## 9. The same from the command line
#
# All of this without a line of Python, for a folder `my_pictures` laid out as in section 1:
#
#     python -m fcn_keras check-data my_pictures
#     python -m fcn_keras train my_pictures --out my.keras --flip --fine-tune 5
#     python -m fcn_keras evaluate my.keras my_pictures
#     python -m fcn_keras segment my.keras photo.jpg --out found
#
# `train` goes 20 times through the pictures and then, with `--fine-tune 5`, five times more with the encoder. `segment` writes
# a mask and an overlay for each photograph. To ask for road or not: `--classes road`. If the computer goes down in the middle,
# type the same line again: the training goes on where it was. `python -m fcn_keras train --help` has the rest.
#
# ## Exercise
#
# 1. Take five photographs of your own street or desk, draw masks of two classes in any program, lay them out as in section 1,
#    and load them with `open_data`. Check yourself with `shares_of` and `draw_labels_over`. Five pictures are too few to train a
#    good network: what do you see when you try, in the loss and on the held-out picture?
# 2. Write a check that finds *classes from 1* even where the highest class is not in the picture: a whole data set in which no
#    pixel is of class 0. Which line of `shares_of` does it already? Check: it must accept `data.train` and refuse the same
#    pictures with `mask + 1`.
# 3. Load the folder at half the size, `fcn.datasets.image_folder(folder / "images", folder / "masks", class_names,
#    size=(80, 288))`. Train on the first 19 and score on the last 5. Predict first which class loses the most; then compare with
#    the same split at full size.
# 4. Was fine-tuning worth it? Train a second model on `data.train` without `unfreeze`, but for as much *time*, which is about
#    twice as many steps, and compare the scores on `data.test`. What would you have to do to be sure of the answer?
#
# Solutions: `fcn.solutions.show("10.1")`, `fcn.solutions.show("10.2")`, `fcn.solutions.show("10.3")`,
# `fcn.solutions.show("10.4")`
