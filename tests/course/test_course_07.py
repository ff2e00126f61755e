"""Notebook 07: what a skip connection bypasses and carries (L18), two ways to merge (L19), the edge
(L20), shares (L21)."""

from itertools import pairwise

import keras
import numpy as np
import pytest

import fcn_keras as fcn
from fcn_keras.lecture import skips
from fcn_keras.lecture.experiment import Experiment, Settings
from fcn_keras.visualization.skips import draw_fusions, draw_shares, draw_skip_connection

BAND = 2
SIZE = 64, 96


def disks(count, seed):
    """A bright disk on darker ground, both noisy; class 1 is the disk."""
    rng = np.random.default_rng(seed)
    rows, columns = np.mgrid[: SIZE[0], : SIZE[1]]
    pairs = []
    for _ in range(count):
        row, column, radius = rng.uniform((16, 16, 12), (48, 80, 26))
        mask = ((rows - row) ** 2 + (columns - column) ** 2 < radius**2).astype("uint8")
        image = rng.integers(0, 90, (*SIZE, 3)) + 120 * mask[..., None]
        pairs.append((image.astype("uint8"), mask))
    return fcn.datasets.SegmentationData(
        lambda index: pairs[index], count, ("ground", "disk"), name="disks"
    )


@pytest.fixture(scope="module")
def data():
    return disks(24, seed=0)


@pytest.fixture(scope="module")
def unseen():
    return disks(8, seed=1)


@pytest.fixture(scope="module")
def features(encoder, data):
    return fcn.training.frozen_features(fcn.models.fcn(2, 8, encoder, width=1), data)


def train(encoder, data, features, stride, fusion="sum", without_skips=False):
    keras.utils.set_random_seed(0)
    model = fcn.models.fcn(2, stride, encoder, fusion, width=8)
    for layer in model.layers:
        if without_skips and layer.name in ("score_pool4", "score_pool3"):
            layer.trainable, features = False, None  # they start at zero, and now stay there
    fcn.training.fit(model, data, steps=50, batch_size=8, learning_rate=1e-2, features=features)
    return model


@pytest.fixture(scope="module")
def networks(encoder, data, features):
    found = {stride: train(encoder, data, features, stride) for stride in (32, 16, 8)}
    return {**found, "concat": train(encoder, data, features, 8, "concat")}


def band_error(model, data):
    return fcn.evaluation.boundary_scores(model, data, (BAND,))[BAND].pixel_error


# --- L18: past the deep layers ---


def ways(rows, start, end):
    if start == end:
        return [[end]]
    row = next(row for row in rows if row.name == end)
    inputs = row.inputs[:1] if row.kind == "CropToMatch" else row.inputs
    return [[*way, end] for name in inputs for way in ways(rows, start, name)]


def layers_bypassed(model):
    """How many more layers the longest path from pool3 to the logits has than the shortest."""
    lengths = [len(way) for way in ways(fcn.models.describe(model), "pool3", "logits")]
    return max(lengths) - min(lengths)


def test_L18_a_skip_bypasses_at_least_one_layer(encoder):
    assert layers_bypassed(fcn.models.fcn(2, 8, encoder, width=2)) >= 10


def test_L18_breaks_when_the_skips_are_removed(encoder):
    assert layers_bypassed(fcn.models.fcn(2, 32, encoder, width=2)) == 0


def spread(change):
    """Share of the scores of a level that a change in the picture reaches."""
    return (change > 0).mean()


def test_L18_what_a_skip_carries_stays_local(networks, unseen):
    image, mask = unseen[0]
    changes = skips.changes_of(networks[8], image, skips.patch_on_the_edge(mask))
    assert list(changes) == ["score_fr", "score_pool4", "score_pool3"]
    assert 0 < spread(changes["score_pool3"]) < 0.5
    top, left, _ = skips.patch_on_the_edge(mask)
    rows, columns = np.nonzero(changes["score_pool3"])
    seen = fcn.geometry.receptive_field(networks[8], "score_pool3").size
    assert np.abs(8 * rows - top).max() <= seen and np.abs(8 * columns - left).max() <= seen


def test_L18_breaks_when_it_has_to_go_through_the_deep_layers(networks, unseen):
    image, mask = unseen[0]
    change = skips.changes_of(networks[32], image, skips.patch_on_the_edge(mask))["score_fr"]
    assert not spread(change) < 0.5


# --- L19: sum and concatenation ---


def merged(fusion, kernel=None):
    """What `fuse` makes of two maps, and the same in NumPy."""
    coarse, fine = keras.Input((5, 6, 2)), keras.Input((5, 6, 2))
    model = keras.Model([coarse, fine], fcn.skip_connections.fuse(coarse, fine, fusion, "fuse"))
    if kernel is not None:
        model.get_layer("fuse_conv").set_weights([kernel, np.zeros(2)])
    maps = [
        np.random.default_rng(seed).normal(size=(1, 5, 6, 2)).astype("float32") for seed in (0, 1)
    ]
    return keras.ops.convert_to_numpy(model(maps)), *maps


@pytest.mark.parametrize("fusion", ["sum", "concat"])
def test_L19_both_ways_start_as_the_sum(fusion):
    out, coarse, fine = merged(fusion)
    np.testing.assert_allclose(out, coarse + fine, atol=1e-5)


def test_L19_breaks_when_the_kernel_of_the_concatenation_is_another():
    """Only a concatenation can take the difference, and this is no longer the sum."""
    kernel = np.zeros((3, 3, 4, 2))
    kernel[1, 1] = [[1, 0], [0, 1], [-1, 0], [0, -1]]
    out, coarse, fine = merged("concat", kernel)
    np.testing.assert_allclose(out, coarse - fine, atol=1e-5)
    assert not np.allclose(out, coarse + fine, atol=1e-5)


def test_L19_both_learn_the_same_data(networks, unseen):
    coarse, summed, stacked = (
        fcn.evaluation.evaluate(networks[name], unseen).iou[1] for name in (32, 8, "concat")
    )
    assert min(summed, stacked) > max(coarse, 0.7)
    assert networks["concat"].count_params() - networks[8].count_params() == 2 * (3 * 3 * 4 * 2 + 2)
    sums, stacks = (skips.fusion_of(networks[name], unseen[0][0]) for name in (8, "concat"))
    np.testing.assert_allclose(sums["fused"], sums["coarse"] + sums["fine"], atol=1e-4)
    # it learned something else
    assert not np.allclose(stacks["fused"], stacks["coarse"] + stacks["fine"], atol=1e-2)


# --- L20: the error at the edge ---


def falls_clearly(errors):
    return all(fine < 0.95 * coarse for coarse, fine in pairwise(errors))


def test_L20_the_error_along_the_edge_falls_with_each_skip(networks, unseen):
    assert falls_clearly([band_error(networks[stride], unseen) for stride in (32, 16, 8)])


def test_L20_breaks_when_the_skips_carry_nothing(encoder, data, features, networks, unseen):
    """The same layers and the same steps, but the skips' scores stay zero: upsampling in stages
    alone adds no detail."""
    idle = band_error(train(encoder, data, features, 8, without_skips=True), unseen)
    assert not falls_clearly([band_error(networks[16], unseen), idle])


# --- L21: the shares ---


def adds_up(model, shares, image):
    return np.allclose(sum(shares.values()), fcn.prediction.logits(model, image), atol=1e-3)


def test_L21_the_shares_add_up_to_the_logits(networks, unseen):
    image = unseen[0][0]
    shares = skips.shares_of(networks[8], image)
    assert list(shares) == ["score_fr", "score_pool4", "score_pool3"]
    assert adds_up(networks[8], shares, image)
    # odd sizes are cut alike
    assert adds_up(networks[8], skips.shares_of(networks[8], image[:61, :83]), image[:61, :83])


def test_L21_each_level_has_a_share(networks, unseen):
    image = unseen[0][0]
    shares = skips.shares_of(networks[8], image)
    for name in shares:
        others = {other: share for other, share in shares.items() if other != name}
        assert not adds_up(networks[8], others, image)


def test_L21_breaks_when_a_merging_is_not_linear(networks, unseen):
    """With a ReLU after a merging layer, the shares of the levels no longer add up."""
    image, model = unseen[0][0], networks[8]
    shares = skips.shares_of(model, image)
    levels = [model.get_layer(name).output for name in ("align_pool3", "score_pool3")]
    maps = keras.Model(model.inputs, levels)([image[None].astype("float32")])
    bent = model.get_layer("upscore8")(keras.ops.relu(maps[0] + maps[1]))
    assert not np.allclose(sum(shares.values()), keras.ops.convert_to_numpy(bent)[0], atol=1e-3)


# --- figures ---


def test_figures_are_drawn_from_small_arrays(networks):
    image, labels = np.zeros((*SIZE, 3), "uint8"), np.zeros(SIZE, "uint8")
    labels[20:, 30:] = 1
    rows = fcn.models.describe(networks[8], SIZE)
    changes = {
        "score_fr": np.ones((2, 3)),
        "score_pool4": np.eye(4, 6),
        "score_pool3": np.zeros((8, 12)),
    }
    figure = draw_skip_connection(rows, image, (16, 24, 8), changes)
    titles = [axis.get_title() for part in figure.subfigs for axis in part.axes]
    assert (
        "score_fr: 6 of 6 scores changed" in titles
        and "score_pool3: 0 of 96 scores changed" in titles
    )

    maps = {part: np.linspace(-1, 1, 96).reshape(8, 12) for part in ("coarse", "fine", "fused")}
    found = {**maps, "prediction": labels, "note": "a note"}
    figure = draw_fusions(image, labels, {"sum": found, "concat": found}, "disk")
    assert [axis.get_xlabel() for axis in figure.axes].count("a note") == 2

    shares = {"first": labels - 0.5, "second": np.zeros(SIZE)}
    titles = [axis.get_title() for axis in draw_shares(image, labels, shares, "disk").axes]
    assert "added up so far.  first alone: 0.0 % of the pixels wrong" in titles
    assert "with second: the logits: 0.0 % of the pixels wrong" in titles


def test_a_picture_without_an_edge_still_has_a_patch():
    assert skips.patch_on_the_edge(np.zeros((40, 80), "uint8")) == (16, 40, 8)


def test_the_lecture_draws_the_same_figures(tmp_path, monkeypatch, data, networks):
    """From networks that are already trained; only the concatenation is trained here, for one
    step."""
    there = {"fcn32s": networks[32], "fcn16s": networks[16], "fcn8s": networks[8]}
    monkeypatch.setattr(
        Experiment, "road", fcn.datasets.Opened(data.subset(range(8)), data.subset(range(8, 12)))
    )
    monkeypatch.setattr(
        Experiment,
        "train_once",
        lambda self, name, train: (
            (there[name], fcn.training.History()) if name in there else train()
        ),
    )
    experiment = Experiment(Settings(width=4, steps=4, batch_size=4))
    for draw in (skips.skip_connection, skips.sum_and_concatenation, skips.strides, skips.shares):
        fcn.visualization.save(draw(experiment), tmp_path / f"{draw.__name__}.png", dpi=20)
        assert fcn.images.read_image(tmp_path / f"{draw.__name__}.png").std() > 10
