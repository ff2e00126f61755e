"""Nothing wrong in silence: random data sets of known truth, through all commands that read them.

For each: no traceback; what the package reads is what was drawn; `evaluate` counts what `segment`
labels, also of the same masks under another list of classes; a fault is refused by `train` and
reported by `check-data`, which passes nothing that `train` refuses.

    PYTHONPATH=tests python tests/robustness/test_random_sets.py 7    # shows the set of seed 7
"""

import contextlib
import io
import json
import sys
import tempfile
import warnings
from pathlib import Path

import keras
import numpy as np
import pytest
import random_sets
from conftest import first_of
from random_sets import PLACES

import fcn_keras as fcn
from fcn_keras.command_line.parser import main
from fcn_keras.datasets.opening import layout_of

SETS, EACH = 400, 10  # in all, and in one test; make test takes the first of these
# What check-data may say of a right data set: that there is little to learn from it
NO_FAULT = {"absent", "void", "copied", "palettes differ", "turned", "shifted", "mode"}


@pytest.fixture(autouse=True)
def _without_graphs():
    """Tracing graphs would take most of the time: each data set has another network."""
    if keras.backend.backend() != "tensorflow":
        yield
        return
    import tensorflow

    tensorflow.config.run_functions_eagerly(True)
    yield
    tensorflow.config.run_functions_eagerly(False)


def run(*arguments):
    """Status, what was printed, and what was complained of."""
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err), quiet():
        status = main([str(argument) for argument in arguments])
    assert "unexpected error" not in err.getvalue(), err.getvalue()
    assert status in (0, 1, 2)
    return status, out.getvalue(), err.getvalue()


@contextlib.contextmanager
def quiet():
    """TensorFlow says that what reads data is traced all the same."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        yield


def try_out(drawn, folder):
    """A random data set through every command."""
    checked, report, complaint = run("check-data", drawn.folder, "--json")
    model = folder / "m.keras"
    every = ("--epochs", 1, "--width", 2, "--out", model)  # an epoch reads every file
    trained, printed, refused = run(
        "train", drawn.folder, "--backbone", "small_vgg", *every, *options_of(drawn)
    )
    if drawn.fault:
        assert trained == 2 or drawn.fault in random_sets.ONLY_SEEN, printed
        assert checked != 0, f"check-data passes what train refuses: {refused}"
        return
    if trained == 2:
        assert drawn.may_refuse, refused
        assert checked != 0, f"check-data passes what train refuses: {refused}"
        return
    assert trained == 0 and checked != 2, (refused, complaint)
    require_truth(drawn)
    require_shares(drawn, json.loads(report))
    require_same_counts(drawn, model, printed, folder)


def options_of(drawn):
    """Most train in one step, with kept features."""
    options = ["--batch-size", 10]
    options += ["--network", "fcn"] if drawn.seed % 2 else []
    options += ["--flip"] if drawn.seed % 5 == 1 else []
    options += ["--size", "20x28"] if is_resized(drawn) else []
    if drawn.seed % 4 == 2:
        options += ["--train-encoder", "--batch-size", 1]
    return options


def is_resized(drawn):
    """Whether pictures are resized for the training. Its own scores are then of that size."""
    return bool(drawn.masks) and drawn.seed % 7 == 3  # arrays keep their size


def require_truth(drawn):
    """What is read is what was drawn."""
    seen = set()
    for data, names in parts(drawn):
        assert data.class_names == drawn.class_names
        for index, name in enumerate(names):
            image, labels = data[index]
            np.testing.assert_array_equal(labels, drawn.labels[name], err_msg=name)
            assert image.shape == drawn.images[name].shape
            difference = np.abs(image.astype(int) - drawn.images[name])
            assert difference.max() <= drawn.tolerance, f"{name}: {difference.max()}"
            seen.add(name)
    assert seen == set(drawn.files)


def parts(drawn):
    """The parts of a data set, and the names of their pictures."""
    if not drawn.masks:  # arrays
        yield fcn.datasets.lecture_files(drawn.folder), list(drawn.files)
        return
    layout, name_of = layout_of(drawn.folder), {file: name for name, file in drawn.files.items()}
    for part, files in layout.parts.items():
        yield layout.data(part), [name_of[files.images[name]] for name in files.names]


def require_shares(drawn, report):
    """`check-data` counts what was drawn, and finds no fault where there is none."""
    if not drawn.may_refuse:
        assert {finding["kind"] for finding in report["findings"]} <= NO_FAULT, report["findings"]
    if len(report["shares"]) == 1:
        counts = sum(np.bincount(m.ravel(), minlength=256) for m in drawn.labels.values())
        counts = counts[: len(drawn.class_names)]
        expected = dict(zip(drawn.class_names, counts / max(1, counts.sum())))
        assert report["shares"].popitem()[1] == pytest.approx(expected)


def require_same_counts(drawn, model, printed, folder):
    """`evaluate` scores the label maps that `segment` writes."""
    evaluated, scores, refused = run("evaluate", model, drawn.folder)
    assert evaluated == 0, refused
    status, _, refused = run("segment", model, *drawn.files.values(), "--out", folder / "out")
    assert status == 0, refused
    test, pairs = fcn.datasets.open_data(drawn.folder).test, []
    by_picture = {fcn.images.read_image(f).tobytes(): name for name, f in drawn.files.items()}
    for index in range(len(test)):
        name = by_picture[test[index][0].tobytes()]
        labels = fcn.images.read_mask(folder / "out" / f"{drawn.files[name].stem}_labels.png")
        pairs.append((drawn.labels[name], labels))
    expected = str(fcn.evaluation.score_pairs(pairs, test))
    assert expected in scores and (expected in printed or is_resized(drawn))
    if drawn.masks and drawn.class_names not in (place.names for place in PLACES.values()):
        random_sets.store_again(drawn)
        evaluated, scores, refused = run("evaluate", model, drawn.folder)
        assert evaluated == 0 and expected in scores, refused or f"{scores}, but was {expected}"


def try_seed(seed):
    with tempfile.TemporaryDirectory() as folder:
        drawn = random_sets.draw(seed, Path(folder) / "data")
        try:
            try_out(drawn, Path(folder))
        except BaseException:
            print(drawn)
            raise


@first_of("first", range(0, SETS, EACH))
def test_random_data_sets_are_read_rightly_or_refused(first):
    for seed in range(first, first + EACH):
        try_seed(seed)


if __name__ == "__main__":
    for seed in map(int, sys.argv[1:]):
        with tempfile.TemporaryDirectory() as folder:
            print(random_sets.draw(seed, Path(folder)))
