# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # Measuring a segmentation
#
# **Goal.** Say with numbers how good a segmentation is, know what each number hides, and read failures off pictures.
#
# **Idea.** Two label maps of one scene are compared pixel by pixel: what it is (the *truth*), and what the network said (the
# *prediction*). All pixels go into one table of counts, and every score of the FCN paper is computed from that table. No
# single score tells the whole: a rare class can vanish in one, a ragged edge in all of them.
#
# Source of the four scores: Long, Shelhamer, Darrell, *Fully Convolutional Networks for Semantic Segmentation*, section 5.

# %%
import numpy as np

import fcn_keras as fcn
from fcn_keras.visualization import measures

train = fcn.datasets.road_scenes("train", count=120)
test = fcn.datasets.road_scenes("test", count=30)

import keras  # noqa: E402  after fcn_keras, which loads it without its start-up lines

keras.utils.set_random_seed(0)
model = fcn.models.fcn(test.num_classes, stride=8, width=16)

# %% [markdown]
# The network is an FCN-8s, as in notebook 07. What does it take to tell seven classes apart instead of two, road and the
# rest? The table lists the layers that change.

# %%
before = fcn.models.describe(fcn.models.fcn(2, stride=8, width=16), size=(160, 576))
now = fcn.models.describe(model, size=(160, 576))
print("layer          two classes      seven classes    parameters")
for old, new in zip(before, now, strict=True):
    if old.output_shape != new.output_shape:
        print(f"{new.name:<15}{old.output_shape!s:<17}{new.output_shape!s:<17}{old.parameters} → {new.parameters}")

# %% [markdown]
# Only the layers that hold scores changed: one channel per class. Now a short training, 150 *steps* (one step: ten scenes are
# shown, and the weights move a little so that the loss on them falls). Short on purpose: a network that is not perfect has
# more to measure.
#
# The model gives *logits*, one score per class and pixel. The *softmax* turns them into probabilities that sum to 1; the
# class with the highest is the prediction.

# %%
fcn.training.fit(model, train, steps=150, batch_size=10, learning_rate=3e-3, augment="flip")
images = np.stack([image for image, _ in test])  # (30, 160, 576, 3)
truths = np.stack([labels for _, labels in test])  # (30, 160, 576)
chances = np.stack([fcn.prediction.probabilities(model, image) for image in images])  # (30, 160, 576, 7)
said = chances.argmax(axis=-1)  # (30, 160, 576)
print("seven classes:", *test.class_names)

# %% [markdown]
# ## 1. One table of counts
#
# The *confusion matrix* has a row for each true class and a column for each predicted one. Row car, column building: so many
# pixels of cars were called building. What is right stands on the diagonal.
#
# **Predict before you run:** which class will be right least often, and what will it be taken for?


# %%
def count_pairs(true, predicted, num_classes):
    counts = np.zeros((num_classes, num_classes), "int64")
    for row in range(num_classes):
        for column in range(num_classes):
            counts[row, column] = ((true == row) & (predicted == column)).sum()
    return counts


confusion = count_pairs(truths, said, test.num_classes)
np.testing.assert_array_equal(confusion, fcn.evaluation.confusion_matrix(truths, said, test.num_classes))
measures.draw_confusion(confusion, test.class_names)

# %% [markdown]
# Read it row by row; each row sums to 100. Below each name stands how common the class is. Poles are half a percent of all
# pixels, and nearly all of them are lost.
#
# ## 2. The paper's four scores
#
# With $n_{ij}$ pixels of class $i$ called $j$, and $t_i = \sum_j n_{ij}$ pixels of class $i$:
#
# | score | formula | question |
# | --- | --- | --- |
# | pixel accuracy | $\sum_i n_{ii} / \sum_i t_i$ | how many of all pixels are right? |
# | mean accuracy | mean over classes of $n_{ii} / t_i$ | and of each class, every class counting the same? |
# | mean IoU | mean over classes of $n_{ii} / (t_i + \sum_j n_{ji} - n_{ii})$ | how well do regions cover each other? |
# | frequency weighted IoU | the same, weighted by $t_i$ | and if common classes count more? |
#
# **Predict before you run:** which of the four is highest, and which is lowest?

# %%
right = np.diag(confusion)  # (7,)
there = confusion.sum(axis=1)  # pixels of each class in truth
found = confusion.sum(axis=0)  # pixels given to each class
iou = right / (there + found - right)
four = {
    "pixel accuracy": right.sum() / there.sum(),
    "mean accuracy": (right / there).mean(),
    "mean IoU": iou.mean(),
    "frequency weighted IoU": (there * iou).sum() / there.sum(),
}
for name, value in four.items():
    print(f"{name:<24}{100 * value:5.1f} %")

# %% [markdown]
# The package computes the same from a model and a data set. From here on it is imported.

# %%
scores = fcn.evaluation.evaluate(model, test)
theirs = scores.pixel_accuracy, scores.mean_accuracy, scores.mean_iou, scores.frequency_weighted_iou
np.testing.assert_allclose(list(four.values()), theirs, rtol=1e-4)
np.testing.assert_allclose(iou, scores.iou, rtol=1e-3)
measures.draw_scores({"our network": four}, "Four scores of one network: which would you report?")

# %% [markdown]
# The same predictions, and very different numbers. The two that ask class by class are low: the lost poles count there as
# much as the whole road.
#
# ## 3. IoU as a picture
#
# IoU is intersection over union: the pixels that are both there and found, divided by those that are there *or* found. A miss
# and a false alarm both make it smaller. Three kinds of pixel matter, and each has a name: *true positive*, *false positive*,
# *false negative*.
#
# **Predict before you run:** a square was found, but half its width too far to the right. Half of it is right. What is its
# IoU?


# %%
def cover(true, predicted):
    return (true & predicted).sum() / (true | predicted).sum()


car, road = test.class_names.index("car"), test.class_names.index("road")
scene = int((truths == car).sum(axis=(1, 2)).argmax())  # the scene with the most car in it
square = np.zeros((60, 216), bool)
square[10:50, 60:100] = True
shifted = np.roll(square, 20, axis=1)
print(f"square: {cover(square, shifted):.3f}")
measures.draw_iou({"shifted": (square, shifted), "cars": (truths[scene] == car, said[scene] == car)})

# %% [markdown]
# A third, not a half: what sticks out on either side is charged too. True negatives, pixels that are rightly called something
# else, do not occur in IoU. That is why a large empty background cannot lift it.
#
# ## 4. A rare class, and a lazy network
#
# Ask only: car or not? `view` regroups the classes to two, background and car. Beside our network stands one that has learned
# nothing and says *background* at every pixel.
#
# **Predict before you run:** two percent of the pixels are car. What pixel accuracy does the lazy one get? What mean IoU?

# %%
cars = test.view({"car": ["car"]})
is_car = np.stack([labels for _, labels in cars])  # 0 background, 1 car
rivals = {"background everywhere": np.zeros_like(is_car), "our network": (said == car).astype(int)}
compared = {}
for whose, answer in rivals.items():
    result = fcn.evaluation.Scores(fcn.evaluation.confusion_matrix(is_car, answer, 2), cars.class_names)
    compared[whose] = {
        "pixel accuracy": result.pixel_accuracy,
        "mean IoU": result.mean_iou,
        "IoU of car": result.iou[1],
    }
measures.draw_scores(compared, "Car or not: what pixel accuracy cannot see")

# %% [markdown]
# The lazy network has a pixel accuracy that looks like success. Its IoU of car is 0, and its mean IoU is just under a half,
# because background alone is right. When a class is rare, look at *its* IoU.
#
# ## 5. Void is never scored
#
# Some pixels have no clear class: the seam between two things, or what the person who labelled it could not make out. Their
# label is 255, *void*. They are in no row of the table. Here the seams of our scenes, two pixels to each side, become void.
#
# **Predict before you run:** every prediction under void is replaced by a random class. By how much does the mean IoU fall?
# And does the mean IoU change when the seams become void in the first place?

# %%
seams = np.stack([fcn.evaluation.boundary_band(labels, width=2) for labels in truths])
with_void = np.where(seams, fcn.evaluation.VOID, truths)
noise = np.random.default_rng(0).integers(0, test.num_classes, said.shape)
spoiled = np.where(seams, noise, said)  # wrong on purpose, only under void


def mean_iou(true, predicted):
    return fcn.evaluation.Scores(fcn.evaluation.confusion_matrix(true, predicted, test.num_classes)).mean_iou


assert mean_iou(with_void, spoiled) == mean_iou(with_void, said)  # to the last digit
assert mean_iou(truths, spoiled) < mean_iou(truths, said)  # without void the noise would count
print(f"mean IoU, all pixels: {100 * mean_iou(truths, said):.1f} %; seams void: {100 * mean_iou(with_void, said):.1f} %")

# %%
measures.draw_void(with_void[scene], spoiled[scene], test.palette)

# %% [markdown]
# Nothing under void matters. But mind the second number: the same network scores higher when the hard pixels are void. Two
# scores may be compared only if the same pixels are void in both.
#
# ## 6. Moving the threshold
#
# For one class the prediction can be stricter or laxer: *car wherever its probability is above a threshold*. The lecture's
# experiment takes 0.5. *Precision* is the share of the found pixels that are right; *recall* is the share of the true pixels
# that are found.
#
# **Predict before you run:** the threshold goes up from 0.5 to 0.9. Which of the two rises, which falls? For which class
# matters it more, road or car?

# %%
thresholds = np.array([0, 0.01, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.99, 1])


def sweep(true, chance):
    curves = {"precision": [], "recall": [], "IoU": []}
    for threshold in thresholds:
        found = chance > threshold
        hits = (found & true).sum()
        curves["precision"].append(hits / found.sum() if found.any() else np.nan)  # nothing found: no precision
        curves["recall"].append(hits / true.sum())
        curves["IoU"].append(hits / (found | true).sum())
    return curves


# %%
swept = {name: sweep(truths == number, chances[..., number]) for name, number in (("car", car), ("road", road))}
half = fcn.evaluation.Scores(fcn.evaluation.confusion_matrix(is_car, (chances[..., car] > 0.5).astype(int), 2))
np.testing.assert_allclose(swept["car"]["IoU"][7], half.iou[1])
np.testing.assert_allclose(swept["car"]["recall"][7], half.accuracy[1])
measures.draw_threshold(thresholds, swept)

# %%
measures.animate_threshold(images[scene], truths[scene] == car, chances[scene, ..., car], thresholds, swept["car"], "car")

# %% [markdown]
# A strict threshold leaves only sure pixels: few false alarms, many misses. A lax one does the opposite. For road, where the
# network is sure nearly everywhere, the IoU hardly moves between 0.1 and 0.9. A threshold is chosen on validation scenes,
# never on the test scenes: these only report.
#
# ## 7. Near the edge
#
# Where are the mistakes? First, a pixel *touches the edge* if one of its four neighbours has another class.


# %%
def touches(labels):
    around = np.pad(labels, 1, mode="edge")
    neighbours = around[:-2, 1:-1], around[2:, 1:-1], around[1:-1, :-2], around[1:-1, 2:]
    return np.any([neighbour != labels for neighbour in neighbours], axis=0)


np.testing.assert_array_equal(touches(truths[scene]), fcn.evaluation.boundary_band(truths[scene], width=1))

# %% [markdown]
# Wider bands grow by one ring per pixel, on both sides. `boundary_scores` gives the scores inside each band; the difference
# of two bands is a ring.
#
# **Predict before you run:** what share of all the wrong pixels lies at most 4 pixels from an edge?

# %% tags=["L20"]
bands = fcn.evaluation.boundary_scores(model, test, widths=(1, 2, 4, 8, 16))
counts = [np.zeros_like(confusion), *(band.confusion for band in bands.values()), scores.confusion]
names = ("1", "2", "3–4", "5–8", "9–16", "over 16")
rings = {name: fcn.evaluation.Scores(outer - inner) for name, inner, outer in zip(names, counts, counts[1:], strict=False)}
errors = {name: ring.pixel_error for name, ring in rings.items()}
all_wrong = scores.pixel_error * scores.confusion.sum()
shares = {name: ring.pixel_error * ring.confusion.sum() / all_wrong for name, ring in rings.items()}
nearest = sum(fcn.evaluation.boundary_band(truths[scene], width).astype(int) for width in bands)  # 5: touches
distance = np.where(nearest > 0, 6 - nearest, 0)  # 1 touches … 5 is up to 16 away, 0 is farther
measures.draw_bands(images[scene], distance, said[scene] != truths[scene], errors, shares)

# %% [markdown]
# A pixel that touches an edge is wrong many times as often as one inside. Pooling has thrown away just that: *where* exactly
# one thing ends (notebook 07 shows how skip connections bring some of it back). A score over all pixels hides it, because
# most pixels are far from any edge.
#
# ## 8. The best that a stride can reach
#
# How much of it is the stride's fault? Take the truth itself and make it as coarse as a map of stride $s$: each $s × s$ cell
# gets the class that most of its pixels have.
#
# **Predict before you run:** stride 8. Which class suffers most even when everything else is perfect?


# %%
def majority(labels, cell):
    height, width = labels.shape
    coarse = np.empty_like(labels)
    for top in range(0, height, cell):
        for left in range(0, width, cell):
            block = labels[top : top + cell, left : left + cell]
            coarse[top : top + cell, left : left + cell] = np.bincount(block.ravel()).argmax()
    return coarse


np.testing.assert_array_equal(majority(truths[scene], 8), fcn.evaluation.coarsen(truths[scene], 8, test.num_classes))

# %% tags=["L20"]
perfect = {stride: fcn.evaluation.upper_bound(test, stride) for stride in (32, 16, 8)}
measures.draw_bounds(scores.iou, {stride: bound.iou for stride, bound in perfect.items()}, test.class_names)

# %% [markdown]
# Each halving of the stride allows more, most of all for what is small. Where the grey bar ends far below the triangle, as
# for the sky, the stride is not to blame: a longer training, more scenes or a better encoder could help. Poles are the other
# case: even the truth itself, made as coarse as stride 8, keeps hardly any of them. (A network interpolates its scores and
# can do a little better than cells.) Notebook 11 has the paper's own numbers.
#
# ## 9. Reading failures
#
# Numbers say how much is wrong; pictures say *what*. Sort the scenes by the IoU of one class and look at the worst.
#
# **Predict before you run:** in the scenes worst for cars, will there be more misses or more false alarms?

# %%
per_scene = np.full(len(test), np.nan)
for number in range(len(test)):
    if (truths[number] == car).sum() >= 400:  # less is a car far away, a few pixels
        per_scene[number] = cover(truths[number] == car, said[number] == car)
worst = np.argsort(per_scene)[:3]  # NaN, a scene without cars, comes last
measures.draw_failures(images[worst], truths[worst] == car, said[worst] == car, per_scene[worst], "car")

# %% [markdown]
# Most failures are of one of three kinds.
#
# * **Thin things lost.** A pole is narrower than a cell of the map; its scores are averaged away. Cure: a finer skip.
# * **Ragged edges.** The right thing, a wrong outline, a few pixels off. Cure: a finer skip, more careful labels.
# * **Confused areas.** A patch has the name of something that is not near. Cure: more examples of it, more context, a longer
#   training.
#
# **Predict before you run:** which of the three holds the most wrong pixels?

# %%
wrong = said != truths
thin = truths == test.class_names.index("pole")
slipped = np.zeros_like(wrong)  # what was said is true of a pixel at most 4 pixels away
for number in range(test.num_classes):
    edges = np.stack([fcn.evaluation.boundary_band((labels == number).astype(int), width=4) for labels in truths])
    slipped |= edges & (said == number)
kinds = {
    "thin things lost": wrong & thin,
    "ragged edges": wrong & ~thin & slipped,
    "confused areas": wrong & ~thin & ~slipped,
}
for name, pixels in kinds.items():
    print(f"{name:<18}{100 * pixels.sum() / wrong.sum():5.1f} % of the wrong pixels")


# %%
def busiest(kind):
    """The scene, rows and columns of a window where one kind of failure outnumbers the others most."""
    balance = 2 * kind.astype(int) - wrong
    cells = balance.reshape(len(kind), 5, 32, 9, 64).sum(axis=(2, 4))  # counted in 32 × 64 cells
    number, row, column = np.unravel_index(cells.argmax(), cells.shape)
    top, left = np.clip([32 * row - 16, 64 * column - 16], 0, [160 - 64, 576 - 96])
    return number, slice(top, top + 64), slice(left, left + 96)


windows = {name: busiest(pixels) for name, pixels in kinds.items()}
examples = {name: (images[where], truths[where], said[where]) for name, where in windows.items()}
measures.draw_kinds(examples, test.class_names, test.palette)

# %% [markdown]
# ## Exercise
#
# 1. On paper: a scene of 100 pixels, 90 background and 10 car. Network A says background everywhere. Network B finds 8 of the
#    10 car pixels and calls 10 background pixels car. Write down both confusion matrices and all four scores. Check yourself
#    with `print(fcn.evaluation.Scores(np.array([[90, 0], [10, 0]])))`. Which score prefers A?
# 2. The *Dice* score of a class is $2\,TP / (2\,TP + FP + FN)$. Show that it is $2\,\mathrm{IoU} / (1 + \mathrm{IoU})$. Check
#    it with `iou` and `confusion` of section 2. Can Dice and IoU of one class ever rank two networks differently?
# 3. Compute the IoU of car once from the table of all scenes, and once as the mean of the IoUs of the scenes that have a car.
#    Why do they differ, and which would you report? Check: the first is `scores.iou[car]`.
# 4. The network now predicts perfectly, but everything one pixel too far to the right: `np.roll(truths, 1, axis=2)`. Predict
#    its pixel accuracy, its mean IoU and the IoU of poles; then compute them. What does that say about poles?
#
# Solutions: `fcn.solutions.show("09.1")`, `fcn.solutions.show("09.2")`, `fcn.solutions.show("09.3")`,
# `fcn.solutions.show("09.4")`
