"""A folder of very many pictures: several workers write what one process writes, and one that dies
loses nothing."""

import importlib.util
import os
import subprocess
import sys
import time

import made_sets
import numpy as np
import psutil
import pytest
from PIL import Image

import fcn_keras as fcn
from fcn_keras.command_line import parser as cli
from fcn_keras.prediction import many_files as labelling

needs_ray = pytest.mark.skipif(
    importlib.util.find_spec("ray") is None, reason="Ray is not installed"
)
MANY = 500


def write_pictures(folder, count):
    """Pictures of several sizes."""
    for number in range(count):
        image, _ = made_sets.scene(number, 3, (40 + 8 * (number % 3), 64))
        fcn.images.write_image(folder / f"p{number:03}.png", image)
    return folder


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    """A network whose labels depend on the picture."""
    network = fcn.models.fcn(3, 8, fcn.backbones.small_vgg(), width=8)
    network.set_weights(
        [np.random.default_rng(0).normal(0, 0.1, weight.shape) for weight in network.get_weights()]
    )
    path = tmp_path_factory.mktemp("model") / "m.keras"
    fcn.models.save(network, path)
    return path


def started(*options):
    command = [sys.executable, "-m", "fcn_keras", "segment", *map(str, options)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def labels_in(folder):
    return {path.name: np.array(Image.open(path)) for path in sorted(folder.glob("*_labels.png"))}


def children(process):
    """All processes that a process has started, and those that they have started."""
    return psutil.Process(process.pid).children(recursive=True)


def workers_of(process):
    """Ray's processes that hold a `Labeller`."""
    found = []
    for child in children(process):
        try:
            found += [child] if "Labeller" in " ".join(child.cmdline()) else []
        except psutil.Error:
            continue
    return found


def same_labels(found, expected):
    assert found.keys() == expected.keys()
    for name, labels in expected.items():
        np.testing.assert_array_equal(found[name], labels, err_msg=name)


def ended(*options):
    """Status, output and errors of a job."""
    job = started(*options)
    out, errors = job.communicate()
    return job.returncode, out, errors


class SlowRay:
    """Ray on a machine where its first starts take longer than it allows itself."""

    def __init__(self, fails):
        self.fails, self.starts, self.shut = fails, 0, 0

    def init(self, **options):
        self.starts += 1
        if self.starts <= self.fails:
            raise RuntimeError("The current node timed out during startup")

    def shutdown(self):
        self.shut += 1


def test_ray_is_started_again_when_a_start_takes_too_long(monkeypatch):
    monkeypatch.delenv("RAY_ADDRESS", raising=False)
    for fails in (0, 1, 2):
        ray = SlowRay(fails)
        labelling._start(ray, {})
        assert (ray.starts, ray.shut) == (fails + 1, fails)
    with pytest.raises(OSError, match=r"started at this computer .*timed out during startup"):
        labelling._start(SlowRay(9), {})
    monkeypatch.setenv("RAY_ADDRESS", "nowhere:1")  # a cluster is there or not
    ray = SlowRay(1)
    with pytest.raises(OSError, match="reached or started at nowhere:1"):
        labelling._start(ray, {})
    assert ray.starts == 1


@needs_ray
@pytest.mark.long
def test_a_machine_that_takes_a_minute_to_start_ray_is_waited_for(tmp_path, model):
    """Ray's node stands still for longer than the half minute that Ray itself waits for it."""
    pictures = write_pictures(tmp_path / "pictures", 2)
    job = started(model, pictures, "--out", tmp_path / "out", "--workers", 1)
    while not (nodes := [child for child in children(job) if child.name() == "raylet"]):
        time.sleep(0.01)
    nodes[0].suspend()
    time.sleep(40)
    nodes[0].resume()
    out, errors = job.communicate()
    assert job.returncode == 0 and "2 label maps" in out, errors


@needs_ray
def test_two_workers_write_what_one_process_writes_keep_what_is_there_and_name_bad_pictures(
    tmp_path, model
):
    pictures, out = write_pictures(tmp_path / "pictures", 10), tmp_path / "out"
    assert cli.main(["segment", str(model), str(pictures), "--out", str(tmp_path / "one")]) == 0
    (pictures / "p001.png").write_bytes(b"not a picture")
    assert cli.main(["segment", str(model), str(pictures / "p000.png"), "--out", str(out)]) == 0
    (out / "p000_labels.png").write_bytes(b"mine")  # to see that it is not touched
    status, said, errors = ended(model, pictures, "--out", out, "--workers", 2)
    assert status == 2
    assert "1 were labelled before" in said and "8 label maps and overlays" in said
    assert "1 of 9 pictures could not be labelled" in errors and "p001.png" in errors
    assert (out / "p000_labels.png").read_bytes() == b"mine"
    (out / "p000_labels.png").unlink()
    expected = labels_in(tmp_path / "one")
    found = np.unique(np.concatenate([labels.ravel() for labels in expected.values()]))
    assert len(found) == 3
    same_labels(labels_in(out), {n: expected[n] for n in expected if n[:4] not in ("p000", "p001")})
    assert len(list(out.glob("*_overlay.png"))) == 9


@needs_ray
@pytest.mark.long
def test_two_workers_one_killed_in_the_middle_write_what_one_process_writes(tmp_path, model):
    pictures = write_pictures(tmp_path / "pictures", MANY)
    assert cli.main(["segment", str(model), str(pictures), "--out", str(tmp_path / "one")]) == 0
    expected = labels_in(tmp_path / "one")
    assert len(expected) == MANY
    job = started(model, pictures, "--out", tmp_path / "two", "--workers", 2)
    while len(list((tmp_path / "two").glob("*_overlay.png"))) < MANY // 3:
        assert job.poll() is None, job.communicate()
        time.sleep(0.02)
    workers = workers_of(job)
    assert len(workers) == 2
    workers[0].kill()
    assert len(list((tmp_path / "two").glob("*_overlay.png"))) < MANY
    out, errors = job.communicate()
    assert job.returncode == 0, errors
    assert f"{MANY} label maps and overlays" in out
    same_labels(labels_in(tmp_path / "two"), expected)
    assert {path.name for path in (tmp_path / "two").iterdir()} == {
        path.name for path in (tmp_path / "one").iterdir()
    }


def test_only_what_this_model_made_of_this_picture_counts_as_done(tmp_path, model, encoder):
    """Whatever the files' dates say: a copied model may be older than what another one has
    labelled."""
    (picture,) = write_pictures(tmp_path / "pictures", 1).iterdir()
    other, out = tmp_path / "other.keras", tmp_path / "out"
    out.mkdir()
    fcn.models.save(fcn.models.fcn(3, 8, encoder, width=4), other)
    os.utime(other, (5, 5))
    job = labelling.Job(model, out)
    assert job.not_done([picture]) == [picture]
    assert list(labelling.label_files(labelling.Labeller(job), [picture])) == [""]
    assert job.not_done([picture]) == []
    for changed in ((other, out), (model, out, 64), (tmp_path / "nowhere.keras", out)):
        assert labelling.Job(*changed).not_done([picture]) == [picture]
    image = fcn.images.read_image(picture)
    fcn.images.write_image(picture, image[::-1])
    os.utime(picture, (5, 5))
    assert job.not_done([picture]) == [picture]
    tiled = labelling.Labeller(labelling.Job(model, out, 64))
    assert list(labelling.label_files(tiled, [picture])) == [""]
    assert labelling.Job(model, out, 100).not_done([picture]) == []


def test_a_picture_that_cannot_be_read_costs_no_other(tmp_path, model):
    pictures = write_pictures(tmp_path / "pictures", 3)
    (pictures / "p000.png").unlink()
    (pictures / "p000.png").symlink_to(tmp_path / "nowhere.png")
    (pictures / "p001.png").unlink()
    (pictures / "p001.png").mkdir()
    for tile in (None, 64):
        (tmp_path / f"{tile}").mkdir()
        labeller = labelling.Labeller(labelling.Job(model, tmp_path / f"{tile}", tile))
        said = list(labelling.label_files(labeller, sorted(pictures.iterdir())))
        assert "p000.png" in said[0] and "p001.png" in said[1] and said[2] == ""
    # but a folder that is none ends it, at a worker too, which says so
    (tmp_path / "file").write_bytes(b"")
    labeller = labelling.Labeller(labelling.Job(model, tmp_path / "file"))
    with pytest.raises(OSError, match="could not be written"):
        next(labelling.label_files(labeller, [pictures / "p002.png"]))
    assert "could not be written" in labeller({"path": str(pictures / "p002.png")})["failed"]


def test_without_ray_it_says_what_to_install(tmp_path, model, monkeypatch, capsys):
    picture = write_pictures(tmp_path / "pictures", 1) / "p000.png"
    monkeypatch.setattr(labelling.importlib.util, "find_spec", lambda name: None)
    assert (
        cli.main(
            ["segment", str(model), str(picture), "--out", str(tmp_path / "out"), "--workers", "2"]
        )
        == 2
    )
    error = capsys.readouterr().err
    assert error.count("\n") == 1 and "-e .[cluster]" in error


@needs_ray
@pytest.mark.long
def test_a_picture_that_ends_every_worker_does_not_end_in_a_loop(tmp_path, model):
    """As one that is too large for a worker's memory."""
    pictures = write_pictures(tmp_path / "pictures", 3)
    script = """
import os, sys
import fcn_keras as fcn
from pathlib import Path
from fcn_keras.prediction import many_files
class Fatal(many_files.Labeller):
    def write(self, path):
        if path.stem == "p001":
            os._exit(1)
        super().write(path)
many_files.Labeller = Fatal
job, pictures = many_files.Job(sys.argv[1], sys.argv[3]), sorted(Path(sys.argv[2]).iterdir())
print(list(many_files.label_files_by_workers(job, pictures, 1)))
"""
    (tmp_path / "out").mkdir()
    command = [sys.executable, "-c", script, model, pictures, tmp_path / "out"]
    done = subprocess.run(list(map(str, command)), capture_output=True, text=True)
    assert done.returncode == 1
    last = done.stderr.splitlines()[-1]
    assert "Workers died 4 times over the same pictures" in last and "p001.png" in last
