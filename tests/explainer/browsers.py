"""The explainer's page in a browser. What the browser tests need, and what they share."""

import functools
import json
import os
import shutil
import subprocess
import tempfile
from pathlib import Path

import pytest
from filelock import FileLock

import fcn_keras as fcn

HERE = Path(__file__).parent
WEB = Path(fcn.explainer.__file__).parent / "web"
DRIVER = HERE / "driver.mjs"
BROWSERS = {
    "chromium": ("chromium", "chromium-browser", "google-chrome"),
    "firefox": ("firefox-esr", "firefox"),
}


def missing_for(browser: str) -> str:
    """What a test in a browser lacks here; empty if nothing."""
    lacking = [] if shutil.which("node") else ["Node.js"]
    if not (WEB / "node_modules" / "playwright-core").is_dir():
        lacking.append("the packages of make explainer-tools")
    if not any(map(shutil.which, BROWSERS[browser])):
        lacking.append(browser)
    return " and ".join(lacking)


def needs(browser: str):
    lacking = missing_for(browser)
    if os.environ.get("FCN_KERAS_NEEDS_BROWSER") and browser == "chromium":
        assert not lacking, f"{lacking} missing, where the browser tests have to run"
    return pytest.mark.skipif(bool(lacking), reason=f"not here: {lacking}")


def driven(page: Path, chapters, folder: Path, browser="chromium", given=None, **options) -> dict:
    """Drives chapters of a page: `{chapter: facts}`. A chapter that fails fails the test."""
    executable = next(filter(None, map(shutil.which, BROWSERS[browser])))
    specification = folder / f"{browser}-{'-'.join(chapters)}.json"
    given = {"page": str(page), "browser": browser, "executable": executable, "given": given or {}}
    given |= {"modules": str(WEB), "chapters": list(chapters), **options}
    specification.write_text(json.dumps(given))
    run = subprocess.run(["node", DRIVER, specification], capture_output=True, text=True)
    assert run.returncode == 0, run.stderr
    found = json.loads(run.stdout.splitlines()[-1])
    failed = {chapter: result["error"] for chapter, result in found.items() if "error" in result}
    assert not failed, "\n".join(f"{chapter}: {error}" for chapter, error in failed.items())
    asked = {chapter: result["requests"] for chapter, result in found.items()}
    assert not any(asked.values()), f"the page asked the network for {asked}"
    return {chapter: result["facts"] for chapter, result in found.items()}


@functools.cache
def small_page():
    """The lecture's experiment in small, what its page holds, and the page's path.

    Returns:
        `(experiment, contents, path)`: small VGG, a few steps, few scenes.
    """
    from fcn_keras.lecture.experiment import Experiment, Settings

    settings = Settings(backbone="small_vgg", width=8, steps=24, batch_size=2)
    experiment = Experiment(settings, reuse=True)
    drawn = fcn.datasets.open_data("road_scenes")
    few = (part.subset(range(8)) for part in (drawn.train, drawn.test))
    experiment.__dict__["data"] = type(drawn)(*few)
    with FileLock(Path(os.environ["FCN_KERAS_HOME"]) / "page.lock"):  # one worker trains for all
        contents = fcn.explainer.of_lecture(experiment)
    path = Path(tempfile.mkdtemp(prefix="fcn_keras-page-")) / "explainer.html"
    return experiment, contents, fcn.explainer.write_page(contents, path)
