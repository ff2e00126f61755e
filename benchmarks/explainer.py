"""What the explainer's page costs in a browser: opening, a picture, a training step, memory.

    python benchmarks/explainer.py figures/explainer.html [--browser firefox] [--times 500]

It needs Node.js, Chromium or Firefox, and `make explainer-tools`.
"""

import argparse
import json
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "explainer"))

from browsers import driven


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("page", type=Path)
    parser.add_argument("--browser", choices=("chromium", "firefox"), default="chromium")
    parser.add_argument("--times", type=int, default=100, help="pictures, and training steps")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        given = {"times": options.times}
        page = options.page.resolve()
        facts = driven(page, ["speed"], Path(folder), options.browser, given)["speed"]
    megabytes = page.stat().st_size / 1e6
    print(f"{page.name}: {megabytes:.1f} MB, in {options.browser}")
    print(f"on the screen {facts['shown'] / 1000:.1f} s after opening")
    print(f"first prediction {facts['predicted'] / 1000:.1f} s after opening")
    print(f"{' x '.join(map(str, facts['size']))} pixels: {facts['perPicture']:.0f} ms a picture")
    print(f"a training step: {facts['perStep']:.0f} ms")
    for what, before, after in (
        ("pictures", "before", "afterPictures"),
        ("steps", "beforeSteps", "afterSteps"),
    ):
        print(
            f"{options.times} {what}: tensors, bytes {facts[before]} before, {facts[after]} after"
        )
    print(json.dumps(facts))


if __name__ == "__main__":
    main()
