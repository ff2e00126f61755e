"""What the tests share. Nothing needs a network; nothing is written outside a temporary folder."""

import atexit
import contextlib
import os
import tempfile
from pathlib import Path

import numpy as np
import pytest
from filelock import FileLock

import fcn_keras as fcn

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
# started processes import three times slower with it
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
# What the package keeps goes to a folder of the test run, the same for all of its workers: they
# inherit the variable from the process that starts them.
if "PYTEST_XDIST_WORKER" not in os.environ:
    _HOME = tempfile.TemporaryDirectory(prefix="fcn_keras-tests-")
    os.environ["FCN_KERAS_HOME"] = _HOME.name
    atexit.register(_HOME.cleanup)

CAMVID = Path(__file__).parents[2] / "shared" / "data" / "camvid"
needs_camvid = pytest.mark.skipif(not CAMVID.is_dir(), reason="CamVid is not on this computer")


def first_of(name, values, ids=None):
    """Parametrizes a test: `make test` tries the first value, `make test-long` the others.

    With a tuple of names, each value is a tuple too.
    """
    first, *others = values
    parts = (lambda value: value) if isinstance(name, tuple) else (lambda value: (value,))
    long = [pytest.param(*parts(value), marks=pytest.mark.long) for value in others]
    return pytest.mark.parametrize(name, [first, *long], ids=ids)


# --- several workers ---

# What takes longest begins first, so that no worker is left with it alone at the end
LONGEST = (
    "test_assignments.py",
    "test_page.py",
    "test_harm.py",
    "test_distribution.py",
    "test_training.py",
    "test_killed.py",
    "test_labelling.py",
    "test_precision.py",
    "test_diagnosis.py",
    "test_backends.py",
    "test_road_drawing.py",
    "test_course_00.py",
    "test_notebooks.py",
    "test_random_sets.py",
    "test_lecture.py",
    "test_options.py",
    "test_head.py",
    "test_numbers.py",
    "test_checks.py",
    "test_course_08.py",
    "test_fidelity.py",
    "test_course_07.py",
    "test_pretraining.py",
)


def pytest_configure(config):
    """A warning of a training is an error, unless a test says otherwise. Said here and not in
    pyproject.toml because it loads Keras, and what only hands out tests does without."""
    hands_out = getattr(config.option, "numprocesses", None) and not hasattr(config, "workerinput")
    if not hands_out:
        line = "error::fcn_keras.training.history.TrainingWarning"
        config.addinivalue_line("filterwarnings", line)


def pytest_collection_modifyitems(items):
    """The longest files start first. Each stays on one worker, whose tests share its fixtures."""
    rank = {name: number for number, name in enumerate(LONGEST)}
    items.sort(key=lambda item: rank.get(item.path.name, len(rank)))


@contextlib.contextmanager
def one_worker_at_a_time(name):
    """Holds a lock of the test run, so that what is made once is not made by two workers."""
    with FileLock(Path(os.environ["FCN_KERAS_HOME"]) / f"{name}.lock"):
        yield


# --- what tests share ---


@pytest.fixture(autouse=True)
def _seeded():
    import keras  # not above: the process that only hands out tests to workers does without it

    keras.utils.set_random_seed(0)


@pytest.fixture(scope="session")
def encoder():
    """The small VGG with its shipped weights."""
    return fcn.backbones.small_vgg()


@pytest.fixture(scope="session")
def tiny():
    """An encoder with random weights and five convolutions: for tests that compare two trainings,
    most of whose time TensorFlow takes to build the step, variable by variable."""
    import keras

    keras.utils.set_random_seed(0)
    return fcn.backbones.vgg(((4,),) * 5, fcn.layers.VGGPreprocessing(name="preprocessing"), "tiny")


@pytest.fixture(scope="session")
def roads():
    """Forty drawn scenes, road against the rest."""
    return fcn.datasets.road_scenes("train", count=40).view({"road": ["road"]})


@pytest.fixture(scope="session")
def experiment():
    """The lecture's experiment. What it trains is kept, and trained once for all workers."""
    from fcn_keras.lecture.experiment import Experiment, Settings

    class TrainedOnce(Experiment):
        def train_once(self, name, train):
            with one_worker_at_a_time(name):
                return super().train_once(name, train)

    return TrainedOnce(Settings(), reuse=True)


@pytest.fixture
def toy():
    """Data that any FCN learns in seconds: bright pixels are class 1; a strip of void."""
    rng = np.random.default_rng(0)
    images = rng.integers(0, 90, (12, 40, 56, 3), dtype="uint8")
    masks = np.zeros((12, 40, 56), "uint8")
    for image, mask in zip(images, masks, strict=True):
        top, left = rng.integers(0, 16, 2)
        image[top : top + 20, left : left + 32] += 140
        mask[top : top + 20, left : left + 32] = 1
        mask[:, :2] = 255
    return fcn.datasets.SegmentationData(
        lambda i: (images[i], masks[i]), 12, ("dark", "bright"), name="toy"
    )


def assert_draws_itself(figure, folder):
    """A figure has a title, and is no blank page when it is saved."""
    assert len(figure.get_suptitle()) > 10
    fcn.visualization.save(figure, folder / "figure.png", dpi=40)
    assert fcn.images.read_image(folder / "figure.png").std() > 5


def random_image(height, width, seed=0):
    """RGB noise, uint8 (height, width, 3)."""
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype="uint8")
