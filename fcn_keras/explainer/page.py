"""The page as one HTML file that opens from disk: no server, no network."""

import base64
import functools
import html
import json
import zlib
from pathlib import Path

from fcn_keras.explainer.contents import Contents
from fcn_keras.explainer.flat import Graph
from fcn_keras.support import files
from fcn_keras.support.kinds import File, checked

BUNDLE = Path(__file__).parent / "bundle"  # what web/build.mjs made
TENSORFLOW, WASM = "tensorflow.js", "tfjs-backend-wasm-simd.wasm"

# The page may run what it carries, and fetch nothing: whatever a visitor drops stays there.
POLICY = (
    "default-src 'none'; script-src 'unsafe-inline' 'wasm-unsafe-eval'; style-src 'unsafe-inline'; "
    "img-src data: blob:; media-src blob:; connect-src blob:; base-uri 'none'; form-action 'none'"
)
PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="{policy}">
<title>{title}</title>
<link rel="icon" href="data:,">
<style>{style}</style></head>
<body>
<noscript>This page computes in the browser and needs JavaScript, which is switched off.</noscript>
<script type="application/json" id="contents">{contents}</script>
<script>{script}</script>
{packed}
</body></html>
"""


LARGEST = 64 * 2**20  # bytes of weights: half as much again becomes text that a browser must read


class TooLargeForThePage(ValueError):
    """A network with so many weights that no browser would open the page in reasonable time."""


@checked
def write_page(contents: Contents, path: File) -> Path:
    """Writes the page as one file; it appears whole or not at all.

    Args:
        contents: From `of_lecture` or `of_model`.
        path: The file, whose name ends in `.html`.

    Returns:
        The path.

    Raises:
        ValueError: If the name ends otherwise.
        TooLargeForThePage: If the networks have more than 64 MiB of weights, at 2 bytes each.
        OSError: If it cannot be written.
    """
    path = Path(path)
    if path.suffix.lower() not in (".html", ".htm"):
        raise ValueError(f"Expected path to end in .html. Received: {path}")
    text = as_html(contents)
    with files.written_whole(path) as temporary:
        temporary.write_text(text, encoding="utf-8")
    return path


def as_html(contents: Contents) -> str:
    """The whole page."""
    packed = _packed_parts(contents.graph) if contents.graph else {}
    return PAGE.format(
        policy=POLICY,
        title=html.escape(contents.title),
        style=_bundled("page.css"),
        contents=_in_script(json.dumps(contents.as_dict(), ensure_ascii=False)),
        script=_in_script(_bundled("page.js")),
        packed="\n".join(
            f'<script type="text/plain" id="packed-{name}">{text}</script>'
            for name, text in packed.items()
        ),
    )


@functools.cache
def _bundled(name: str) -> str:
    return (BUNDLE / name).read_text(encoding="utf-8")


def _in_script(text: str) -> str:
    """Text that ends no script element. In JSON and in JavaScript's strings `\\/` is `/`."""
    return text.replace("</", "<\\/").replace("<!--", "<\\!--")


def _packed_parts(graph: Graph) -> dict[str, str]:
    """TensorFlow.js and the weights, deflated and written as base64."""
    weights = graph.as_bytes()
    if len(weights) > LARGEST:
        raise TooLargeForThePage(
            f"Expected networks of at most {LARGEST >> 20} MiB of weights for a page. Received: "
            f"{len(weights) >> 20} MiB. A smaller encoder or a narrower head (width=32) helps"
        )
    parts = {
        "tensorflow": (BUNDLE / TENSORFLOW).read_bytes(),
        "wasm": (BUNDLE / WASM).read_bytes(),
        "weights": weights,
    }
    return {name: base64.b64encode(zlib.compress(data)).decode() for name, data in parts.items()}
