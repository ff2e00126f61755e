"""The report passes, and each of its rows fails when what it checks is broken."""

import functools
import json

import numpy as np
import pytest

import fcn_keras as fcn
from fcn_keras import backbones, convolutionalize, evaluation, geometry, layers, models, published
from fcn_keras.published import fidelity

pytestmark = pytest.mark.slow  # networks at full width


@pytest.fixture(scope="module")
def data():
    return fcn.datasets.road_scenes("test", count=6)


def test_every_row_passes_and_the_report_holds_every_published_figure(data):
    rows = list(fidelity.report(data))
    assert [row.claim for row in rows if not row.passed] == []
    found = {row.found for row in rows}
    assert {
        "134,346,581",
        "44/8",
        "100/16",
        "212/32",
        "404/32",
        "19",
        "5, 27",
        "5, 9, 31",
        "136,514,116",
        "121,799,428",
    } <= found
    bounds = [row for row in rows if row.check == "upper_bounds"]
    for row, paper in zip(bounds, (50.9, 73.3, 86.1, 92.8, 96.4, 98.5), strict=True):
        assert f"{paper} %" in row.claim
    report = json.loads(json.dumps(fidelity.as_dict(rows)))
    assert report["passed"] and len(report["rows"]) == len(rows)
    assert set(report["rows"][0]) == {"check", "claim", "expected", "found", "passed", "source"}


def narrower(build, **options):
    """A network's builder with other options, still called what it was called."""
    changed = functools.wraps(build)(functools.partial(build, **options))
    return changed


def dense_read_column_by_column(dense, shape, name=None, original=convolutionalize.dense_to_conv):
    conv = original(dense, shape, name)
    kernel, bias = conv.get_weights()
    conv.set_weights([kernel.swapaxes(0, 1), bias])
    return conv


BROKEN = {
    "parameters": (published, "fcn32s", narrower(published.fcn32s, width=16)),  # a narrower fc6
    # counts one pixel too many
    "receptive_fields": (geometry.receptive_fields, "IMAGE", geometry.Field(((0, 1),), 1)),
    "crop_offsets": (published.networks, "PADDING", 99),
    # a box
    "bilinear": (
        layers,
        "bilinear_kernel",
        lambda factor: np.ones((2 * factor, 2 * factor), "float32") / 4,
    ),
    "dense_is_convolution": (convolutionalize, "dense_to_conv", dense_read_column_by_column),
    "lecture_network": (models, "lecture_fcn", narrower(models.lecture_fcn, width=16)),
    # a flipped kernel
    "transposed_matrix": (
        geometry,
        "convolution_matrix",
        lambda kernel, *args, original=geometry.convolution_matrix: original(
            kernel[::-1, ::-1], *args
        ),
    ),
    # nothing gets coarser
    "upper_bounds": (evaluation.measuring, "coarsen", lambda labels, factor, num_classes: labels),
}


def test_every_check_is_broken_once():
    assert set(BROKEN) == {check.__name__ for check in fidelity.CHECKS}


@pytest.mark.parametrize("check", fidelity.CHECKS, ids=lambda check: check.__name__)
def test_each_row_of_a_check_can_fail(check, data, monkeypatch):
    monkeypatch.setattr(*BROKEN[check.__name__])
    rows = list(check(data))
    assert rows and [row.claim for row in rows if row.passed] == []


def test_trained_parameters_are_counted_and_not_assumed(monkeypatch, data):
    monkeypatch.setattr(models, "lecture_fcn", narrower(models.lecture_fcn, freeze_backbone=False))
    all_, trained = fidelity.lecture_network(data)
    assert all_.passed and not trained.passed


def test_an_encoder_with_another_convolution_fails(monkeypatch, data):
    monkeypatch.setattr(backbones.vggs, "VGG16_WIDTHS", ((64,), *backbones.VGG16_WIDTHS[1:]))
    assert not any(row.passed for row in list(fidelity.receptive_fields(data))[:3])
