# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # Real photographs: what an encoder has seen before
#
# **Goal.** Put two frozen encoders side by side: one has learned from drawings, the other from the
# photographs of ImageNet. Paint a few strokes on a photograph and see which of them helps a network
# more to find the thing.
#
# **Idea.** The lecture writes *VGG16 fixed*: an encoder that has seen ImageNet's 1.2 million
# photographs and does not change any more. Notebook 08 used a small VGG that learned from drawings,
# because its weights are small enough to ship. Here is an encoder of photographs that also runs
# without a network connection: EfficientNet-Lite0. On ImageNet it names the right one of 1,000
# classes for 75.1 % of the test photographs (the published figure). It was trained to give one
# answer for each photograph. An FCN needs an answer for each pixel. What carries over?

# %%
import numpy as np

import fcn_keras as fcn
from fcn_keras.visualization import photographs as figures
from fcn_keras.visualization import your_pictures

pictures = fcn.datasets.photographs()  # they come with scikit-image
encoders = {
    "small VGG, drawings": fcn.backbones.small_vgg(),
    "EfficientNet, photographs": fcn.backbones.efficientnet_lite0(),
}
classifier = fcn.backbones.efficientnet_lite0_classifier()

# %%
import keras  # noqa: E402  after fcn_keras, which hides Keras' start-up messages

coffee, cat, astronaut = images = [image for image, _ in pictures]
for name, encoder in encoders.items():
    print(f"{name}: {encoder.count_params():,} weights")

# %% [markdown]
# If the package with the photographs or the one with the weights is missing, the first cell stops,
# and the last line of its message says what to install.
#
# ## 1. One answer for each photograph
#
# The encoder was the first part of a classifier. We look at the whole classifier first. It was
# trained on pictures of 224 × 224 pixels, so we show it our photographs at that size.
#
# **Predict before you run:** ImageNet has five classes of cats and about 120 of dogs, but no class
# *person*. What will the classifier answer for the third photograph, and how sure will it be?

# %% tags=["photographs"]
NAMES = {967: "espresso", 968: "cup", 925: "consommé", 285: "Egyptian cat", 282: "tiger cat"}
NAMES |= {281: "tabby", 450: "bobsleigh", 560: "football helmet", 573: "go-kart"}

guesses = []
for image in images:
    small = keras.ops.image.resize(image[None].astype("float32"), (224, 224), antialias=True)
    chances = keras.ops.convert_to_numpy(classifier(small))[0]  # (1000,), sum 1
    best = chances.argsort()[::-1][:3]
    guesses.append({NAMES.get(int(k), f"class {k}"): float(chances[k]) for k in best})
figures.draw_guesses(images, guesses)

# %% [markdown]
# It knows the drink in the cup and the kind of cat. For the astronaut it has no class, so it gives
# the least bad of those that it has, as the network of streets did with a portrait (notebook 10).
#
# The last layer of the classifier was a dense layer. As in notebook 05, it is rewritten as a 1 × 1
# convolution, `scores`. So the classifier answers at every place, and its answer for the picture is
# the mean over the places. Now the photographs keep their size, which shows more places.
#
# **Predict before you run:** the photograph of the cup has 400 × 600 pixels, and the maps are 32
# times smaller. How many places are there? Where will *espresso* be likely: at the cup, at the
# coffee in it, or everywhere?


# %% tags=["photographs"]
def softmax(scores):
    powers = np.exp(scores - scores.max(axis=-1, keepdims=True))
    return powers / powers.sum(axis=-1, keepdims=True)


asked, where = {"espresso": coffee, "Egyptian cat": cat}, []
for name, image in asked.items():
    number = next(k for k in NAMES if NAMES[k] == name)
    scores = fcn.prediction.feature_maps(classifier, image, ["scores"])["scores"]
    where.append(softmax(scores)[..., number])
    whole = softmax(scores.mean(axis=(0, 1)))  # the answer for the whole picture
    np.testing.assert_allclose(whole, classifier.predict_on_batch(image[None])[0], atol=1e-4)
    print(f"{name}: {scores.shape[0]} x {scores.shape[1]} places, at the best of them "
          f"{100 * where[-1].max():.0f} %, for the whole picture {100 * whole[number]:.0f} %")  # fmt: skip
figures.draw_where([coffee, cat], where, list(asked))

# %% [markdown]
# Nobody ever showed this network *where* a thing is. It was trained with one label for each
# picture, and yet its map says where the coffee is. The map is coarse, and it marks what is typical
# (the coffee, the striped fur) and not the whole thing. The mean over all places is unsure, because
# most places see wood or fur. An FCN takes over the encoder and learns the rest: the whole thing,
# and its edge.
#
# ## 2. What an encoder of photographs knows
#
# A channel is useful for segmentation if its values at the thing differ from those around it. We
# give each channel a score, the *AUC*: take one place at the thing and one in the background at
# random. How often does the first one have the higher value? 1 means always; 0.5 is chance. For
# each encoder and each pool we look at the channel with the highest AUC.
#
# **Predict before you run:** pool3 sees small pieces of the picture, such as edges and colours;
# pool5 sees large pieces. Where do the two encoders differ most?


# %%
def auc(values, at_thing):
    """Of all pairs (place at the thing, place elsewhere): how often is the first value higher?"""
    thing, rest = values[at_thing][:, None], values[~at_thing][None]
    return ((thing > rest) + 0.5 * (thing == rest)).mean()


def channel_scores(encoder, image, truth, pool, stride):
    """The maps of one pool, `(h, w, channels)`, and the AUC of each channel."""
    maps = fcn.prediction.feature_maps(encoder, image, [pool])[pool]
    cells = fcn.evaluation.coarsen(truth, stride, num_classes=2)[::stride, ::stride] == 1
    return maps, np.array([auc(maps[..., k], cells) for k in range(maps.shape[-1])])


# %%
truths = [(labels > 0).astype("uint8") for _, labels in pictures]  # 1: the thing
print(f"{'the best channel of':<28}" + "".join(f"{p:>8}" for p in ("pool3", "pool4", "pool5")))
for name, encoder in encoders.items():
    best = [
        np.mean([channel_scores(encoder, image, truth, f"pool{n}", 2**n)[1].max()
                 for image, truth in zip(images, truths, strict=True)])
        for n in (3, 4, 5)
    ]  # fmt: skip
    print(f"{name:<28}" + "".join(f"{value:8.2f}" for value in best))

# %% [markdown]
# At pool3 there is little between them: an edge in a drawing is an edge in a photograph. The deeper
# the pool, the more they differ. Here are the three best channels of pool5.

# %% tags=["photographs"]
truth = truths[0]  # of the coffee: 1 is the cup and its saucer
shown = {}
for name, encoder in encoders.items():
    maps, values = channel_scores(encoder, coffee, truth, "pool5", 32)
    best = values.argsort()[::-1][:3]
    shown[name] = {f"channel {k}: AUC {values[k]:.2f}": maps[..., k] for k in best}
figures.draw_best_channels(coffee, truth, shown, stride=32, thing="cup")

# %% [markdown]
# The channels of the small VGG find edges: they are bright along the rim of the saucer and dark
# inside. In the encoder of photographs single channels fill the outline, although nobody ever showed
# it one. (The best of many channels looks good by chance, too. But both encoders have about 300 of
# them, and the difference is large.)
#
# ## 3. A few strokes
#
# You need not label every pixel. A label map may be void nearly everywhere: void pixels do not
# count in the loss (notebook 09). So a few brush *strokes* are a label map, and an FCN learns from
# them without any change. Each stroke is a list of points (x, y), in pixels from the top left
# corner.
#
# **Predict before you run:** which share of the pixels do the strokes cover?

# %%
strokes = {
    "background": [
        [(30, 60), (140, 20)], [(40, 190), (25, 300), (70, 380)],
        [(470, 40), (560, 130), (540, 330)],
    ],
    "cup": [
        [(100, 200), (150, 310), (270, 370), (400, 320), (450, 200)],  # the saucer
        [(230, 70), (200, 130), (240, 210), (350, 190)],  # the cup
        [(300, 150), (330, 90)], [(350, 290), (380, 250)],  # the coffee, the spoon
    ],
}  # fmt: skip
painted = fcn.datasets.paint_strokes(coffee.shape[:2], strokes, ("background", "cup"), width=12)
print(f"painted: {100 * (painted != 255).mean():.1f} % of the pixels; the rest is void")

# %% [markdown]
# Now the training: one picture, its strokes, 80 steps. Encoder frozen, head of an FCN-8s trained.
# The same strokes, head, start and number of steps for both encoders. The outline is not used for
# training, only for the score. (*IoU*: see notebook 09.)
#
# **Predict before you run:** both networks get the strokes right. What will each of them do with
# the pixels that nobody painted: the rim of the saucer, the dark corner, the wood in the
# foreground?


# %%
def find(image, painted, encoder):
    """Where an FCN-8s finds class 1, after 80 steps on the strokes alone."""
    keras.utils.set_random_seed(0)
    one = fcn.datasets.SegmentationData(lambda _: (image, painted), 1, ("background", "thing"))
    model = fcn.models.fcn(2, stride=8, backbone=encoder, width=32)  # the encoder is frozen
    fcn.training.fit(model, one, steps=80, batch_size=1, learning_rate=3e-3)
    return fcn.prediction.segment(model, image)  # (H, W), 0 or 1


def iou(found, truth):
    matrix = fcn.evaluation.confusion_matrix(truth, found, num_classes=2)
    return fcn.evaluation.Scores(matrix).iou[1]


# %% tags=["photographs"]
brushed = [painted]
for photo, truth in zip(("cat", "astronaut"), truths[1:], strict=True):
    known = fcn.datasets.PHOTOGRAPHS[photo]  # strokes that come with the package
    names = "background", known.thing
    brushed.append(fcn.datasets.paint_strokes(truth.shape, known.strokes, names, width=12))

found = {
    name: [find(image, labels, encoder) for image, labels in zip(images, brushed, strict=True)]
    for name, encoder in encoders.items()
}
scores = {name: [iou(f, t) for f, t in zip(found[name], truths, strict=True)] for name in found}
figures.draw_strokes(images, brushed, found, truths, scores)

# %% [markdown]
# Both networks learned from the same 8 % of the pixels, and both find most of the thing. The encoder
# of photographs does it better on all three, but not by much. (With a learning rate of 0.01 the
# small VGG is ahead on the coffee.) Why? These strokes touch every part of the thing:
# the saucer, the cup, the coffee and the spoon each have one. Where a part was painted, its colour
# is enough, and both encoders know colours. Exercise 1 takes strokes away. Where nobody painted, both
# networks guess: the wood below the saucer, the wall beside the shoulder.
#
# **Now you.** Change the lists in the cell of strokes and run it and the next two cells again. For
# a photograph of your own, replace the three lines that are named here:
#
#     coffee = fcn.images.read_image("photo.jpg", size=(400, 600))  # height, width
#     strokes = {"background": [[(20, 30), (200, 40)]], "dog": [[(250, 200), (320, 260)]]}
#     painted = fcn.datasets.paint_strokes((400, 600), strokes, ("background", "dog"))
#
# and look at `find(coffee, painted, encoders["EfficientNet, photographs"])` with
# `fcn.visualization.overlay(coffee, found == 1)`. If something is missed or invented, do what one
# does with a larger data set, too: paint one more stroke just there.

# %% [markdown]
# **Try it.** `make lecture` also writes a page in which the networks run. Its chapter
# [Paint and train](../figures/explainer.html#paint) trains a head in the browser: paint
# a few strokes on a photograph of yours and watch it learn.

# %% [markdown]
# ## 4. Streets: class by class
#
# Strokes on one picture are a small test. CamVid is a larger one: photographs of streets from a
# moving car, with eleven classes. Its licence does not allow us to ship it, so the numbers below
# were measured beforehand (the README has the commands). The two networks have the same head and
# took the same steps; only the frozen encoder differs.
#
# **Predict before you run:** the small VGG has seen drawn skies, paths, walls, foliage, poles and
# *things* of many shapes. For which class is it as good as the other encoder? Where does it fail?

# %%
CAMVID = {  # IoU on the validation pictures, means of three seeds
    "small VGG, drawings": {
        "sky": 0.89, "building": 0.68, "pole": 0.00, "road": 0.92, "pavement": 0.72, "tree": 0.62,
        "sign": 0.00, "fence": 0.20, "car": 0.40, "pedestrian": 0.12, "bicyclist": 0.07,
    },
    "EfficientNet, photographs": {
        "sky": 0.91, "building": 0.82, "pole": 0.01, "road": 0.93, "pavement": 0.77, "tree": 0.87,
        "sign": 0.18, "fence": 0.51, "car": 0.63, "pedestrian": 0.29, "bicyclist": 0.36,
    },
}  # fmt: skip
drawn, photographed = CAMVID.values()
order = sorted(drawn, key=lambda name: photographed[name] - drawn[name])  # smallest gain first
bars = {name: [values[kind] for kind in order] for name, values in CAMVID.items()}
your_pictures.draw_shares(bars, order, "CamVid: the same head on two frozen encoders", "IoU")

# %% [markdown]
# *Sky*, *road* and *pavement* are large, plain, and where one expects them: brightness and place are
# enough, and drawings teach both. *Poles* fail with both: they are narrower than one cell of pool3 at this
# size, and no encoder can help there. The gain is largest where a class is known by its
# *texture* or its *parts*: a tree by its leaves, a fence by its bars, a car or a bicyclist by
# wheels and windows seen from any side. The drawn world paints foliage as green blobs, and it has
# no bicyclist at all.
#
# The other way round it is different. On the *drawn* roads of notebook 08, the encoder of
# photographs is at least as good as the one that learned from such drawings: its road IoU is 98.8 %
# against 98.2 % (measured in the same way). Whoever has seen photographs has also seen flat areas
# and straight edges. Whoever has seen only drawings has not seen fur.
#
# **Take home:** a frozen encoder gives what it has seen. Features of photographs also work on
# drawings; features of drawings work on photographs only for what looks drawn.
#
# ## Exercise
#
# 1. Use fewer strokes: for the coffee, keep all strokes of the background, but only the first one
#    of the cup. Which encoder loses more, and what does each of them miss? Then put the strokes
#    back one by one. Which one helps most?
# 2. Use `stride=32` instead of `stride=8` in `find`. What happens to the outline, and what happens
#    to the small mistakes far away from it? Why is the IoU hardly lower?
# 3. Unfreeze the encoder: add `unfreeze="after", fine_tuning=20` to the call of `fit`. What happens
#    to the loss on the strokes and to the IoU? Why is fine-tuning on one picture not worth its
#    time?
#
# Solutions: `fcn.solutions.show("12.1")`, `fcn.solutions.show("12.2")`,
# `fcn.solutions.show("12.3")`
