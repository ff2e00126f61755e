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
# **Goal.** Train a network on your own pictures: arrange them in a folder, make sure that their
# labels are correct, train, measure, segment a photograph, and save the model. On the way, learn to
# recognise the mistakes that everybody makes once.
#
# **Idea.** The network and the training are those of the previous notebooks. The new part is the
# data, and it takes most of the time. A wrong label raises no error during training: the network
# simply learns it. So we examine the data first, with numbers and by eye.
#
# Here the folder `data/road_scenes`, which comes with the package, takes the place of your folder.
# It holds 24 scenes with seven classes.

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
if not folder.exists():  # without the repository, draw the same scenes
    main(["scenes", "--out", str(folder), "--count", "24"])

# %%
data = fcn.datasets.open_data(folder)

import keras  # noqa: E402  after fcn_keras, which hides Keras' start-up messages

print(data.train, data.test, sep="\n")

# %% [markdown]
# ## 1. The layout
#
# A data set consists of two folders and a text file. A picture and its label map (its *mask*) have
# the same name. The pictures may be JPEG files. The masks must not be: JPEG changes values a
# little, and a class number must not change at all. `classes.txt` names the classes, one per line;
# the first line is class 0.

# %%
class_names = (folder / "classes.txt").read_text().split()
for part in ("images", "masks"):
    files = sorted(path.name for path in (folder / part).iterdir())
    print(f"{part}/  {files[0]}, {files[1]} … {len(files)} files")
for number, name in enumerate(class_names):
    print(f"{number}: {name}")

# %% [markdown]
# A mask is a PNG file with *one* number at each pixel, its class. The number 255 means *void*: the
# class is unknown, and the pixel is neither trained on nor scored. An *indexed* PNG also holds a
# list of colours, so that a viewer shows class 3 as blue, for example. The file still holds the
# number 3.
#
# **Predict before you run:** the mask looks colourful in any viewer. What is the shape of its
# array, and its highest number?

# %%
file = Image.open(folder / "masks" / "scene_007.png")
numbers = np.asarray(file)
print(f"mode {file.mode} (P: indexed), shape {numbers.shape}, numbers {np.unique(numbers)}")
np.testing.assert_array_equal(numbers, fcn.images.read_mask(folder / "masks" / "scene_007.png"))
image = np.asarray(Image.open(folder / "images" / "scene_007.jpg").convert("RGB"))
fcn.visualization.draw_regions(image, numbers, class_names, data.train.palette)

# %% [markdown]
# There are many programs for drawing masks; what matters is what they save. This line writes a mask
# from an array: `fcn.images.write_image("mask.png", numbers, palette)`.
#
# ## 2. Loading
#
# A data set does only one thing: for each index it reads a picture and the mask of the same name.

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
# The package's version reads and checks a picture only when it is needed. At the beginning,
# `open_data(folder)` also set about a fifth of the pictures aside. These five pictures are never
# used for training. They only show, at the end, how good the network is. What a picture contains
# decides whether it is set aside: if you add pictures later, none of these five is trained on.
#
# ## 3. Look before you train
#
# Ask four questions about any data set. Do picture and mask fit together? Which numbers occur? How
# common is each class? Does each colour end where the object ends? The first three are arithmetic.
# (An *assertion* stops with its message if a condition is not true.)
#
# **Predict before you run:** which class is the most common in street scenes, and which is the
# rarest?


# %%
def shares_of(data):
    """Checks each picture and mask; returns each class's share of the pixels that are not void."""
    counts = np.zeros(256, "int64")
    for number, (picture, mask) in enumerate(data):
        fits = picture.shape == (*mask.shape, 3)
        assert fits, f"picture {number}: {picture.shape} does not fit its mask {mask.shape}"
        counts += np.bincount(mask.ravel(), minlength=256)
    known = counts[: data.num_classes]
    assert known.sum() + counts[255] == counts.sum(), "some number is neither a class nor 255"
    assert (known > 0).all(), f"never seen: {np.array(data.class_names)[known == 0]}"
    return known / known.sum()


shares = {"training": shares_of(data.train), "test": shares_of(data.test)}
your_pictures.draw_shares(shares, class_names, "How common is each class?")

# %% [markdown]
# Nearly half of all pixels are road; about one in 250 is pole. A network can hardly learn such a
# rare class from nineteen pictures. Now we look at the labels by eye:

# %%
some = [data.train[number] for number in (0, 5, 10, 15)]
your_pictures.draw_labels_over(
    [i for i, _ in some], [m for _, m in some], class_names, data.train.palette
)

# %% [markdown]
# ## 4. What goes wrong
#
# Here are five mistakes, each made on purpose in a mask. The package rejects some of them
# with a message that says what to do. It cannot reject all of them.
#
# **Predict before you run:** which of the five load without an error?


# %%
def means_of_four(mask):
    return mask.reshape(80, 2, 288, 2).mean(axis=(1, 3)).round().astype("uint8")


mistakes = {
    "another size": lambda mask: mask[::2, ::2],
    "colours (RGB)": lambda mask: data.train.palette[mask],
    "classes from 1": lambda mask: mask + 1,  # 1 to 7 instead of 0 to 6
    # as many drawing programs save masks
    "white on black": lambda mask: np.where(mask == 3, 255, 0).astype("uint8"),
    "resized by averaging": lambda mask: means_of_four(mask).repeat(2, 0).repeat(2, 1),
}
street, good = all_24[6]
wrong = {name: mistake(good) for name, mistake in mistakes.items()}

# %%
with tempfile.TemporaryDirectory() as place:
    fcn.images.write_image(Path(place, "images", "a.jpg"), street)
    loader = fcn.datasets.image_folder
    for mistake, mask in wrong.items():
        fcn.images.write_image(Path(place, "masks", "a.png"), mask)
        try:
            _, loaded = loader(Path(place, "images"), Path(place, "masks"), class_names)[0]
            message = f"loads without an error; numbers {np.unique(loaded)}"
        except ValueError as error:
            message = str(error).replace(str(Path(place)), "…")
        print(f"{mistake.upper()}: {message}\n")

# %% [markdown]
# Only one of them loads without an error, because all its numbers are allowed. *Averaged*: between
# pavement, 4, and pole, 6, averaging gives 5, and 5 is car. A program that reads only this mask
# cannot know that there was no car. Two others were noticed by luck. *White on black*: 255 means
# void, so the road would not be trained on at all, and everything else would be class 0, sky. It is
# noticed only because no mask in the folder holds any other class. *Classes from 1* is noticed only
# because this picture has a pole, whose 6 became 7.
#
# A program that looks at the whole folder can find more of such mistakes, and `check-data` does: for
# example a class that never occurs, or a number that lies between two others everywhere along their
# common edges.

# %%
with tempfile.TemporaryDirectory() as place:
    for name, mistake in {"none": np.copy, **mistakes}.items():
        own = Path(place, name)
        for number in (6, 7, 8):
            picture, mask = all_24[number]
            fcn.images.write_image(own / "images" / f"{number}.jpg", picture)
            fcn.images.write_image(own / "masks" / f"{number}.png", mistake(mask))
        (own / "classes.txt").write_text("\n".join(class_names))
        found = fcn.data_checks.check(own).findings
        listed = "; ".join(f"{one.kind} ({one.what})" for one in found)
        print(f"{name.upper()}: {listed or 'nothing found'}\n")

# %% [markdown]
# For your own folder, one line in a terminal does this and also says how to correct each mistake:
# `python -m fcn_keras check-data my_pictures`. The command looks for some twenty mistakes, from
# incompletely copied files to labels that are shifted by a few pixels. It cannot notice a tree that
# was labelled as a pole.
#
# **Predict before you run:** suppose that 255 marks void along the edges. Then averaging produces
# yet other numbers. Does the package notice them?

# %%
rows, columns = slice(40, 100), slice(320, 420)  # a part with the edge of the road and a pole
void_edges = np.where(fcn.evaluation.boundary_band(good, width=2), 255, good).astype("uint8")


halved = slice(20, 50), slice(160, 210)
versions = {
    "every second pixel (nearest neighbour)": good[rows, columns][::2, ::2],
    "mean of four pixels (bilinear, “smooth”)": means_of_four(good)[halved],
    "the same, with void along the edges": means_of_four(void_edges)[halved],
}
part = street[rows, columns]
your_pictures.draw_resized_masks(part, versions, class_names, data.train.palette)

# %% [markdown]
# Numbers that are not a class are shown in crimson. The package rejects those. But the car next to
# the pole has an allowed number, so loading cannot refuse it. So resize masks only
# with nearest neighbour, or let the package do it: `image_folder(…, size=(80, 288))`. The mistake
# *white on black* shows in the shares of the classes:

# %%
for mistake in ("white on black", "resized by averaging"):
    counts = np.bincount(wrong[mistake].ravel(), minlength=256)
    print(f"{mistake}: void {100 * counts[255] / counts.sum():.1f} %")
    for number, name in enumerate(class_names):
        share, true = counts[number] / counts.sum(), (good == number).mean()
        print(f"    {name:<11}{100 * share:5.1f} %, was {100 * true:5.1f} %")
# Repaired: 0 is background, 1 is road. classes.txt now has to name these two.
repaired = np.where(wrong["white on black"] == 255, 1, 0).astype("uint8")
np.testing.assert_array_equal(repaired, good == 3)

# %% [markdown]
# ## 5. Training
#
# The network is the lecture's network of notebook 08. **What changed:** there are seven classes
# instead of two. And we name no encoder, so the package takes EfficientNet-Lite0, which has learned
# from the photographs of ImageNet. Your pictures will be photographs, too. (Notebook 12 compares it
# with the small VGG, which has only seen drawings.)
#
# **Predict before you run:** which layers change in size if there are seven classes instead of two,
# and which one changes most?

# %%
keras.utils.set_random_seed(0)
model = fcn.models.lecture_fcn(num_classes=data.train.num_classes, width=32)
two = fcn.models.describe(fcn.models.lecture_fcn(num_classes=2, width=32), size=(160, 576))
now = fcn.models.describe(model, size=(160, 576))
print(f"{'layer':<10}{'two classes':<18}{'seven classes':<18}weights")
for old, new in zip(two, now, strict=True):
    if old.parameters != new.parameters:
        shapes = f"{old.output_shape!s:<18}{new.output_shape!s:<18}"
        print(f"{old.name:<10}{shapes}{old.parameters:,} → {new.parameters:,}")
print(f"trained: {sum(row.parameters for row in now if row.trained):,} of {model.count_params():,}")

# %% [markdown]
# The head starts from random numbers, and a random head would change the encoder in random
# directions. So the training has two stages. First only the head is trained, with the encoder
# *frozen* (its weights do not change). Then all weights are trained at a low learning rate. The
# second stage is called *fine-tuning*. One call does both: `unfreeze="after"`.
#
# **Predict before you run:** a network that knows nothing gives all seven classes the same
# probability, so its loss is ln 7 = 1.95. What happens to the loss when the encoder joins the
# training after step 100?

# %%
first = next(layer for layer in model.layers if layer.weights)  # the encoder's first convolution
frozen = first.get_weights()[0]
history = fcn.training.fit(
    model, data.train, steps=100, batch_size=4, learning_rate=3e-3, augment="flip",
    unfreeze="after", fine_tuning=25,
)  # fmt: skip
assert len(history.loss) == 125
assert not np.array_equal(frozen, first.get_weights()[0])  # the encoder has learned, too
your_pictures.draw_two_stages(history.loss, border=100, num_classes=7)

# %% [markdown]
# When the encoder joins, the loss first rises: all its weights move at once, and the head was
# trained on the old features. After 25 steps the loss is nearly back where it was. So the second
# stage brings next to nothing here (see exercise 4). With hundreds of photographs it is worth the
# time; the README has the numbers. Each of its steps takes several times longer, because no result
# of the encoder can be computed once and stored.
#
# ## 6. How good is it?
#
# Only the five pictures that were set aside can tell. `IoU` is intersection over union, see
# notebook 09.
#
# **Predict before you run:** order the seven classes from best to worst. (Look at the shares in
# section 3.)

# %%
print(fcn.evaluation.evaluate(model, data.test))

# %%
image, truth = data.test[2]
found = fcn.prediction.segment(model, image)
fcn.visualization.draw_regions(image, truth, class_names, data.test.palette, predicted=found)

# %% [markdown]
# Road and pavement are good already. Most poles are lost, and the network confuses the classes in
# the upper part of the picture. Cars are hard, too: in the nineteen training pictures there are
# hardly any (section 3). More steps bring little now. More pictures help; notebook 08 had 200.
#
# ## 7. A photograph of another kind
#
# The network accepts any height and width. Here is a portrait from matplotlib's sample data, as
# different from a street as possible. For each pixel the network gives seven probabilities that sum
# to 1. There is no answer *none of these*.
#
# **Predict before you run:** which classes will the network predict in a portrait, and how sure
# will it be compared with a street?

# %%
from matplotlib.cbook import get_sample_data  # noqa: E402

# For comparison, how sure the network is on streets.
streets = [fcn.prediction.probabilities(model, street).max(axis=-1) for street, _ in data.test]
sample = get_sample_data("grace_hopper.jpg", asfileobj=False)
photo = fcn.images.read_image(sample)  # yours: read_image("photo.jpg")
chances = fcn.prediction.probabilities(model, photo)  # (600, 512, 7)
labels = chances.argmax(axis=-1)
np.testing.assert_array_equal(labels, fcn.prediction.segment(model, photo))
assert labels.shape == photo.shape[:2]
your_pictures.draw_sure(photo, labels, chances.max(axis=-1), class_names, data.test.palette)

# %%
sure = {
    "five streets": np.concatenate([s.ravel() for s in streets]),
    "the portrait": chances.max(axis=-1).ravel(),
}
for what, values in sure.items():
    share = 100 * (values > 0.9).mean()
    print(f"{what}: mean probability {values.mean():.2f}, above 0.9 at {share:.0f} % of the pixels")

# %% [markdown]
# All these labels are wrong, and yet many have a high probability. A probability of 0.9
# means: *this class is the likely one, among the classes that I know and for pictures like those
# that I know*. It does not mean that the network recognised anything. Trust a network on pictures
# of the kind on which it was tested, and on no others. If your photographs are of another kind,
# label some of them and add them to the folder.
#
# ## 8. Saving the model
#
# One file holds the layers, the weights and the preprocessing, and the model's *card*: what somebody
# needs to know to use it. Without the names of the classes, channel 4 could be anything. Without the
# size, a network that was trained on small pictures would be shown large ones and find nothing in
# them.

# %%
with tempfile.TemporaryDirectory() as place, warnings.catch_warnings():
    warnings.simplefilter("ignore", DeprecationWarning)  # a warning in Keras about NumPy
    model.save(Path(place, "my.keras"))
    again = fcn.models.load(Path(place, "my.keras"))
    fcn.images.write_image(Path(place, "found.png"), found, data.test.palette)  # an indexed PNG
    read = fcn.images.read_mask(Path(place, "found.png"))
np.testing.assert_array_equal(read, found)
np.testing.assert_allclose(
    fcn.prediction.logits(again, photo), fcn.prediction.logits(model, photo), atol=1e-3
)
print("the same logits after saving and loading\n")
print(fcn.models.card(again))

# %% [markdown]
# ## 9. The same from the command line
#
# You can do all of this without writing Python, for a folder `my_pictures` arranged as in section
# 1:
#
#     python -m fcn_keras check-data my_pictures
#     python -m fcn_keras train my_pictures --out my.keras --flip --fine-tune 5
#     python -m fcn_keras evaluate my.keras my_pictures
#     python -m fcn_keras segment my.keras photo.jpg --out found
#
# `train` goes through the pictures 20 times; `--fine-tune 5` adds five passes that train the
# encoder too. `segment` writes a mask and an overlay for each photograph. To separate only road
# from everything else, add `--classes road`. If the computer stops in the middle of the training,
# enter the same line again: the training continues where it stopped.
# `python -m fcn_keras train --help` lists all options.
#
# ## Exercise
#
# 1. Take five photographs of your own street or desk, draw masks of two classes in any program,
#    arrange them as in section 1, and load them with `open_data`. Check the data with `shares_of`
#    and `draw_labels_over`. Five pictures are too few to train a good network. What do you observe
#    when you try, in the loss and on the picture that was set aside?
# 2. Write a check that finds *classes from 1* even if the highest class does not occur: it must
#    notice a data set in which no pixel has class 0. Which line of `shares_of` already does this?
#    Check your answer: the function must accept `data.train` and reject the same pictures with
#    `mask + 1`.
# 3. Load the folder at half the size, `fcn.datasets.image_folder(folder / "images", folder /
#    "masks", class_names, size=(80, 288))`. Train on the first 19 pictures and score on the last 5.
#    Predict first which class loses most. Then compare with the same split at full size.
# 4. Was fine-tuning worth it? Train a second model on `data.train` without `unfreeze`, but for the
#    same *time*, which allows more than twice as many steps. Compare the scores on `data.test`.
#    What would you have to do to be sure of the answer?
#
# Solutions: `fcn.solutions.show("10.1")`, `fcn.solutions.show("10.2")`,
# `fcn.solutions.show("10.3")`, `fcn.solutions.show("10.4")`
