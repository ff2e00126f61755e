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
# **Goal.** Measure how good a segmentation is, know what each score hides, and recognise failures
# in images.
#
# **Idea.** Two label maps of one scene are compared pixel by pixel: the true classes (the *ground
# truth*) and the classes that the network gives (the *prediction*). All pixels go into one table of
# counts, and every score of the FCN paper is computed from this table. No single score is enough:
# one score may hide a rare class, and all of them hide a ragged edge.
#
# Source of the four scores: Long, Shelhamer, Darrell, *Fully Convolutional Networks for Semantic
# Segmentation*, section 5.

# %%
import numpy as np

import fcn_keras as fcn
from fcn_keras.visualization import measures

train = fcn.datasets.road_scenes("train", count=120)
test = fcn.datasets.road_scenes("test", count=30)

import keras  # noqa: E402  after fcn_keras, which hides Keras' start-up messages

keras.utils.set_random_seed(0)
encoder = fcn.backbones.small_vgg()
model = fcn.models.fcn(test.num_classes, 8, encoder, width=16)

# %% [markdown]
# The network is an FCN-8s, as in notebook 07. What has to change so that it can distinguish seven
# classes instead of two, road and background? The table lists the layers that change.

# %%
before = fcn.models.describe(fcn.models.fcn(2, 8, encoder, width=16), size=(160, 576))
now = fcn.models.describe(model, size=(160, 576))
print("layer          two classes      seven classes    parameters")
for old, new in zip(before, now, strict=True):
    if old.output_shape != new.output_shape:
        shapes = f"{old.output_shape!s:<17}{new.output_shape!s:<17}"
        print(f"{new.name:<15}{shapes}{old.parameters} → {new.parameters}")

# %% [markdown]
# Only the layers that hold scores have changed: they have one channel per class. Now we train for a
# short time, 150 *steps*. (In one step the network sees ten scenes, and its weights move a little
# so that the loss on these scenes falls.) The training is short on purpose, because there is more
# to measure in a network that is not perfect.
#
# The model gives *logits*, one score per class and pixel. The *softmax* turns them into
# probabilities that sum to 1. The class with the highest probability is the prediction.

# %%
fcn.training.fit(model, train, steps=150, batch_size=10, learning_rate=3e-3, augment="flip")
images = np.stack([image for image, _ in test])  # (30, 160, 576, 3)
truths = np.stack([labels for _, labels in test])  # (30, 160, 576)
chances = np.stack([fcn.prediction.probabilities(model, image) for image in images])
said = chances.argmax(axis=-1)  # (30, 160, 576), from (30, 160, 576, 7)
print("seven classes:", *test.class_names)

# %% [markdown]
# ## 1. One table of counts
#
# The *confusion matrix* has a row for each true class and a column for each predicted class. The
# number in row car and column building says how many pixels of cars were predicted as building. The
# correct pixels are on the diagonal.
#
# **Predict before you run:** which class will have the smallest share of correct pixels, and which
# class will be predicted in its place?


# %%
def count_pairs(true, predicted, num_classes):
    counts = np.zeros((num_classes, num_classes), "int64")
    for row in range(num_classes):
        for column in range(num_classes):
            counts[row, column] = ((true == row) & (predicted == column)).sum()
    return counts


confusion = count_pairs(truths, said, test.num_classes)
np.testing.assert_array_equal(
    confusion, fcn.evaluation.confusion_matrix(truths, said, test.num_classes)
)
measures.draw_confusion(confusion, test.class_names)

# %% [markdown]
# Read the matrix row by row; each row sums to 100. Below each name you see how common the class is.
# Poles cover half a percent of all pixels, and nearly all of their pixels are wrong.
#
# ## 2. The paper's four scores
#
# Let $n_{ij}$ be the number of pixels of class $i$ that were predicted as class $j$, and
# $t_i = \sum_j n_{ij}$ the number of pixels of class $i$:
#
# | score | formula | question |
# | --- | --- | --- |
# | pixel accuracy | $\sum_i n_{ii} / \sum_i t_i$ | What share of all pixels is correct? |
# | mean accuracy | mean over $i$ of $n_{ii} / t_i$ | What share of each class is correct, on average? |
# | mean IoU | mean over $i$ of $n_{ii} / (t_i + \sum_j n_{ji} - n_{ii})$ | How well do the regions match? |
# | frequency weighted IoU | the same, weighted by $t_i$ | The same, if common classes count more? |
#
# **Predict before you run:** which of the four scores is highest, and which is lowest?

# %%
right = np.diag(confusion)  # (7,)
there = confusion.sum(axis=1)  # true pixels of each class
found = confusion.sum(axis=0)  # predicted pixels of each class
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
# The package computes the same scores from a model and a data set. From here on we use the
# package's version.

# %%
scores = fcn.evaluation.evaluate(model, test)
theirs = scores.pixel_accuracy, scores.mean_accuracy, scores.mean_iou, scores.frequency_weighted_iou
np.testing.assert_allclose(list(four.values()), theirs, rtol=1e-4)
np.testing.assert_allclose(iou, scores.iou, rtol=1e-3)
measures.draw_scores({"our network": four}, "Four scores of one network: which would you report?")

# %% [markdown]
# The scores come from the same predictions, yet they are very different. The two scores that are
# averaged over the classes are low, because the lost poles count there as much as the whole road.
#
# ## 3. IoU as a picture
#
# IoU is intersection over union: the number of pixels that are both in the true region and in the
# predicted region, divided by the number of pixels that are in at least one of them. A miss and a
# false alarm both make it smaller. Three kinds of pixels matter: *true positives* (correct), *false
# positives* (false alarms) and *false negatives* (misses).
#
# **Predict before you run:** a square was predicted, but half its width too far to the right. So
# half of it is correct. What is its IoU?


# %%
def cover(true, predicted):
    return (true & predicted).sum() / (true | predicted).sum()


car, road = test.class_names.index("car"), test.class_names.index("road")
scene = int((truths == car).sum(axis=(1, 2)).argmax())  # the scene with the most car in it
square = np.zeros((60, 216), bool)
square[10:50, 60:100] = True
shifted = np.roll(square, 20, axis=1)
print(f"square: {cover(square, shifted):.3f}")
measures.draw_iou(
    {"shifted": (square, shifted), "cars": (truths[scene] == car, said[scene] == car)}
)

# %% [markdown]
# One third, not one half: the parts that do not match count on both sides. True negatives, pixels
# that correctly belong to another class, do not appear in the IoU. That is why a large empty
# background cannot raise it.
#
# ## 4. A rare class, and a lazy network
#
# Now we only ask: car or not? `view` regroups the classes into two, background and car. We compare
# our network with one that has learned nothing and predicts *background* at every pixel.
#
# **Predict before you run:** two percent of the pixels are car. What pixel accuracy does the lazy
# network get? What mean IoU?

# %%
cars = test.view({"car": ["car"]})
is_car = np.stack([labels for _, labels in cars])  # 0 background, 1 car
rivals = {"background everywhere": np.zeros_like(is_car), "our network": (said == car).astype(int)}
compared = {}
for whose, answer in rivals.items():
    result = fcn.evaluation.Scores(
        fcn.evaluation.confusion_matrix(is_car, answer, 2), cars.class_names
    )
    compared[whose] = {
        "pixel accuracy": result.pixel_accuracy,
        "mean IoU": result.mean_iou,
        "IoU of car": result.iou[1],
    }
measures.draw_scores(compared, "Car or not: what pixel accuracy cannot see")

# %% [markdown]
# The lazy network has a pixel accuracy that looks like success. Its IoU of car is 0, and its mean
# IoU is just under one half, because only the background is correct. When a class is rare, look at
# the IoU of *this* class.
#
# ## 5. Void is never scored
#
# Some pixels have no clear class: they lie on the seam between two objects, or the person who
# labelled the image could not tell what they show. Their label is 255, *void*. They are in no row
# of the table. Here the seams of our scenes become void, two pixels to each side.
#
# **Predict before you run:** we replace every prediction under void by a random class. By how much
# does the mean IoU fall? And does the mean IoU change at all when the seams become void?

# %%
seams = np.stack([fcn.evaluation.boundary_band(labels, width=2) for labels in truths])
with_void = np.where(seams, fcn.evaluation.VOID, truths)
noise = np.random.default_rng(0).integers(0, test.num_classes, said.shape)
spoiled = np.where(seams, noise, said)  # wrong on purpose, but only under void


def mean_iou(true, predicted):
    counts = fcn.evaluation.confusion_matrix(true, predicted, test.num_classes)
    return fcn.evaluation.Scores(counts).mean_iou


assert mean_iou(with_void, spoiled) == mean_iou(with_void, said)  # exactly equal
assert mean_iou(truths, spoiled) < mean_iou(truths, said)  # without void the noise would count
all_pixels, without_seams = mean_iou(truths, said), mean_iou(with_void, said)
print(f"mean IoU, all pixels: {100 * all_pixels:.1f} %; seams void: {100 * without_seams:.1f} %")

# %%
measures.draw_void(with_void[scene], spoiled[scene], test.palette)

# %% [markdown]
# Predictions under void do not matter. But look at the second number: the same network gets a
# higher score when the difficult pixels are void. Two scores can only be compared if the same
# pixels are void in both.
#
# ## 6. Moving the threshold
#
# For a single class the prediction can be made stricter or less strict: a pixel is *car* wherever
# the probability of car is above a threshold. The lecture's experiment uses 0.5. *Precision* is the
# share of the predicted pixels that are correct. *Recall* is the share of the true pixels that were
# predicted.
#
# **Predict before you run:** the threshold goes up from 0.5 to 0.9. Which of the two rises, and
# which falls? For which class does it matter more, road or car?

# %%
thresholds = np.array([0, 0.01, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.99, 1])


def sweep(true, chance):
    curves = {"precision": [], "recall": [], "IoU": []}
    for threshold in thresholds:
        found = chance > threshold
        hits = (found & true).sum()
        curves["precision"].append(hits / found.sum() if found.any() else np.nan)  # else undefined
        curves["recall"].append(hits / true.sum())
        curves["IoU"].append(hits / (found | true).sum())
    return curves


# %%
swept = {
    name: sweep(truths == number, chances[..., number])
    for name, number in (("car", car), ("road", road))
}
half = fcn.evaluation.Scores(
    fcn.evaluation.confusion_matrix(is_car, (chances[..., car] > 0.5).astype(int), 2)
)
np.testing.assert_allclose(swept["car"]["IoU"][7], half.iou[1])
np.testing.assert_allclose(swept["car"]["recall"][7], half.accuracy[1])
measures.draw_threshold(thresholds, swept)

# %%
measures.animate_threshold(
    images[scene], truths[scene] == car, chances[scene, ..., car], thresholds, swept["car"], "car"
)

# %% [markdown]
# A strict threshold keeps only those pixels of which the network is sure: few false alarms, many
# misses. A low threshold does the opposite. For road the network is sure nearly everywhere, so the
# IoU hardly changes between 0.1 and 0.9. Choose a threshold on validation scenes, never on the test
# scenes. The test scenes are only for reporting the result.
#
# ## 7. Near the edge
#
# Where are the mistakes? We start with a definition: a pixel *touches the edge* if one of its four
# neighbours has another class.


# %%
def touches(labels):
    around = np.pad(labels, 1, mode="edge")
    neighbours = around[:-2, 1:-1], around[2:, 1:-1], around[1:-1, :-2], around[1:-1, 2:]
    return np.any([neighbour != labels for neighbour in neighbours], axis=0)


np.testing.assert_array_equal(
    touches(truths[scene]), fcn.evaluation.boundary_band(truths[scene], width=1)
)

# %% [markdown]
# A wider band adds one ring per pixel of width, on both sides. `boundary_scores` computes the
# scores inside each band. The difference of two bands is a ring.
#
# **Predict before you run:** what share of all wrong pixels is at most 4 pixels away from an edge?

# %% tags=["L20"]
bands = fcn.evaluation.boundary_scores(model, test, widths=(1, 2, 4, 8, 16))
counts = [np.zeros_like(confusion), *(band.confusion for band in bands.values()), scores.confusion]
names = ("1", "2", "3–4", "5–8", "9–16", "over 16")
rings = {
    name: fcn.evaluation.Scores(outer - inner)
    for name, inner, outer in zip(names, counts, counts[1:], strict=False)
}
errors = {name: ring.pixel_error for name, ring in rings.items()}
all_wrong = scores.pixel_error * scores.confusion.sum()
shares = {name: ring.pixel_error * ring.confusion.sum() / all_wrong for name, ring in rings.items()}
nearest = sum(fcn.evaluation.boundary_band(truths[scene], width).astype(int) for width in bands)
distance = np.where(nearest > 0, 6 - nearest, 0)  # 1: touches, 5: up to 16 away, 0: farther
measures.draw_bands(images[scene], distance, said[scene] != truths[scene], errors, shares)

# %% [markdown]
# A pixel that touches an edge is wrong many times as often as a pixel far from any edge. Pooling
# has discarded exactly this information: *where* one object ends. (Notebook 07 shows how skip
# connections bring some of it back.) A score over all pixels hides this, because most pixels are
# far from any edge.
#
# ## 8. The best that a stride can reach
#
# How many of these mistakes are due to the stride? We take the ground truth itself and make it as
# coarse as a map of stride $s$: each $s × s$ cell gets the class of most of its pixels.
#
# **Predict before you run:** at stride 8, which class suffers most even if everything else is
# perfect?


# %%
def majority(labels, cell):
    height, width = labels.shape
    coarse = np.empty_like(labels)
    for top in range(0, height, cell):
        for left in range(0, width, cell):
            block = labels[top : top + cell, left : left + cell]
            coarse[top : top + cell, left : left + cell] = np.bincount(block.ravel()).argmax()
    return coarse


np.testing.assert_array_equal(
    majority(truths[scene], 8), fcn.evaluation.coarsen(truths[scene], 8, test.num_classes)
)

# %% tags=["L20"]
perfect = {stride: fcn.evaluation.upper_bound(test, stride) for stride in (32, 16, 8)}
measures.draw_bounds(
    scores.iou, {stride: bound.iou for stride, bound in perfect.items()}, test.class_names
)

# %% [markdown]
# Each time the stride is halved, a higher IoU becomes possible, above all for small things. Where
# the grey bar ends far below the triangle, as for the sky, the stride is not the reason. Longer
# training, more scenes or a better encoder could help. For poles the stride is the reason: even the
# ground truth, made as coarse as stride 8, keeps hardly any of them. (A network interpolates its
# scores and can do a little better than cells.) Notebook 11 compares these limits with the paper's
# own numbers.
#
# ## 9. Reading failures
#
# Numbers say how much is wrong; pictures show *what* is wrong. We sort the scenes by the IoU of one
# class and look at the worst.
#
# **Predict before you run:** in the worst scenes for cars, will there be more misses or more false
# alarms?

# %%
per_scene = np.full(len(test), np.nan)
for number in range(len(test)):
    if (truths[number] == car).sum() >= 400:  # leave out cars so far away that they are tiny
        per_scene[number] = cover(truths[number] == car, said[number] == car)
worst = np.argsort(per_scene)[:3]  # scenes without cars are NaN, which comes last
measures.draw_failures(
    images[worst], truths[worst] == car, said[worst] == car, per_scene[worst], "car"
)

# %% [markdown]
# Most failures are of one of three kinds.
#
# * **Thin things lost.** A pole is narrower than a cell of the map, so its scores are averaged
#   away. Remedy: a finer skip.
# * **Ragged edges.** The object is correct, but its outline is a few pixels off. Remedies: a finer
#   skip, more careful labels.
# * **Confused areas.** A region gets a class that does not occur nearby. Remedies: more examples of
#   it, more context, longer training.
#
# **Predict before you run:** which of the three kinds causes most of the wrong pixels?

# %%
wrong = said != truths
thin = truths == test.class_names.index("pole")
slipped = np.zeros_like(wrong)  # the predicted class does occur, at most 4 pixels away
for number in range(test.num_classes):
    edges = np.stack(
        [fcn.evaluation.boundary_band((labels == number).astype(int), width=4) for labels in truths]
    )
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
    """The scene, rows and columns of a window where this kind of failure dominates most."""
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
# 1. On paper: a scene has 100 pixels, 90 background and 10 car. Network A predicts background
#    everywhere. Network B finds 8 of the 10 car pixels and predicts car for 10 background pixels.
#    Write down both confusion matrices and all four scores. Check your answer with
#    `print(fcn.evaluation.Scores(np.array([[90, 0], [10, 0]])))`. Which score prefers A?
# 2. The *Dice* score of a class is $2\,TP / (2\,TP + FP + FN)$. Show that it equals
#    $2\,\mathrm{IoU} / (1 + \mathrm{IoU})$. Check your answer with `iou` and `confusion` of section
#    2. Can Dice and IoU of one class ever rank two networks differently?
# 3. Compute the IoU of car in two ways: from the table of all scenes, and as the mean of the IoUs
#    of those scenes that contain a car. Why do the results differ, and which one would you report?
#    Check your answer: the first is `scores.iou[car]`.
# 4. Suppose the network predicts perfectly, but everything is one pixel too far to the right:
#    `np.roll(truths, 1, axis=2)`. Predict its pixel accuracy, its mean IoU and the IoU of poles.
#    Then compute them. What does the result say about poles?
#
# Solutions: `fcn.solutions.show("09.1")`, `fcn.solutions.show("09.2")`,
# `fcn.solutions.show("09.3")`, `fcn.solutions.show("09.4")`
