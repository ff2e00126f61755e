"""What a step needs of memory is said before it begins, and the command line chooses what fits."""

import re

import made_sets
import pytest

import fcn_keras as fcn
from fcn_keras.command_line.parser import main
from fcn_keras.support import memory
from fcn_keras.training import checkpoint, cost, fit, fitting

pytestmark = pytest.mark.filterwarnings("ignore::fcn_keras.training.history.TrainingWarning")
SAID = r"A step on (\d+) images of 48 x 64 pixels needs about .* are free. "


@pytest.fixture
def memory_is_short(monkeypatch):
    """As if pictures of 48 x 64 pixels were large: a dozen of them fit in half of the memory."""
    monkeypatch.setattr(cost, "SMALL", 0)
    monkeypatch.setattr(memory, "available", lambda: 24 * 48 * 64 * 150)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return made_sets.plain(tmp_path_factory.mktemp("cost") / "data")


def test_fit_says_what_a_step_costs_and_keeps_the_batch_size(toy, capsys, monkeypatch):
    monkeypatch.setattr(cost, "SMALL", 0)
    monkeypatch.setattr(memory, "available", lambda: 12 * 40 * 56 * 150)
    model = fcn.models.fcn_from_cae(fcn.models.cae(widths=(4,)), 2)
    assert len(fit(model, toy, epochs=1, batch_size=12).loss) == 1
    said = capsys.readouterr().out
    assert re.search(r"A step on 12 images of 40 x 56 .*A batch size of (\d) needs about", said)
    fit(model, toy, epochs=1, batch_size=1)
    assert capsys.readouterr().out == ""


def test_nothing_is_said_where_memory_is_not_short(toy, capsys, monkeypatch):
    monkeypatch.setattr(cost, "SMALL", 0)
    fit(fcn.models.fcn_from_cae(fcn.models.cae(widths=(4,)), 2), toy, epochs=1)
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize(
    ("asked", "taken", "said"),
    [([], 10, "A batch size of 10 needs about .* It is taken."), (["--batch-size", "16"], 16, "8")],
    ids=["default", "asked for"],
)
def test_train_takes_a_batch_that_fits_unless_another_was_asked_for(
    folder, tmp_path, capsys, monkeypatch, memory_is_short, asked, taken, said
):
    sizes, original = [], fitting.Recipe
    monkeypatch.setattr(fitting, "Recipe", lambda *a: sizes.append(a[2]) or original(*a))
    options = ["--steps", "1", "--width", "4", "--stride", "32", "--network", "fcn"]
    command = ["train", str(folder), "--out", str(tmp_path / "m.keras"), *options, *asked]
    assert main(command) == 0
    assert sizes == [taken]
    assert re.search(SAID + said.replace("8", "A batch size of 8"), capsys.readouterr().out)


def test_a_run_that_goes_on_keeps_its_batch_size_whatever_is_free(tmp_path):
    checkpoint.Checkpoint(tmp_path, {"batch_size": 5}, "start")
    assert checkpoint.kept_setting(tmp_path, "batch_size") == 5
    assert checkpoint.kept_setting(tmp_path / "none", "batch_size") is None


def test_the_estimate_grows_with_what_is_trained(encoder):
    model, size = fcn.models.lecture_fcn(3, encoder, 8), (64, 96)
    kept, whole = (cost.bytes_of_an_image(model, size, kept) for kept in (True, False))
    everything = cost.bytes_of_an_image(model, size, kept=False, everything=True)
    assert 0 < kept < whole < everything
    assert cost.bytes_of_an_image(model, (128, 192), kept=True) == pytest.approx(4 * kept, rel=0.1)
