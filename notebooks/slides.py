"""Turns an executed notebook into a deck that opens from disk, with no network: `python notebooks/slides.py 05 [--out DIR]`.

reveal.js and MathJax are fetched once from the npm registry, checked against their published
checksums, kept beside the package's other downloads, and written into the deck. Nothing of them is
committed.
"""

import argparse
import base64
import hashlib
import io
import os
import re
import sys
import tarfile
import urllib.request
from pathlib import Path

import nbformat
from nbconvert import SlidesExporter

from fcn_keras.support import files

FOLDER = Path(__file__).parent
REGISTRY = "https://registry.npmjs.org/{name}/-/{name}-{version}.tgz"
PACKAGES = {  # name: version, SHA-512 as the registry states it
    "reveal.js": (
        "4.6.1",
        "1CW0auaXNPmwmvQ7TwpszwVxMi2Xr5cTS3J3EBC/HHgbPF32Dn7aiu/LKWDOGjMbaDwKQiGmfqcoGQ74HUHCMw==",
    ),
    "mathjax": (
        "3.2.2",
        "Bt+SSVU8eBG27zChVewOicYs7Xsdt40qm4+UpHyX7k0/O9NliPc+x77k1/FEsPsjKPZGJvtRZM1vO+geW0OhGw==",
    ),
}
LINK = re.compile(r"<link[^>]*/dist/[^>]*>")


def package(name: str) -> dict[str, str]:
    """The text files of an npm package, `{"dist/reveal.js": text}`; fetched once.

    Raises:
        OSError: If it is not here and cannot be fetched.
        ValueError: If what came is not what the registry published.
    """
    version, checksum = PACKAGES[name]
    path = files.home() / "slides" / f"{name}-{version}.tgz"
    if not path.is_file():
        with urllib.request.urlopen(
            REGISTRY.format(name=name, version=version), timeout=60
        ) as answer:
            data = answer.read()
        with files.written_whole(path) as temporary:
            temporary.write_bytes(data)
    data = path.read_bytes()
    if base64.b64encode(hashlib.sha512(data).digest()).decode() != checksum:
        path.unlink()
        raise ValueError(
            f"{name} {version} is not what its registry published; it was removed, run this again."
        )
    wanted = (".js", ".css")
    with tarfile.open(fileobj=io.BytesIO(data)) as archive:
        members = [member for member in archive if member.isfile() and member.name.endswith(wanted)]
        return {
            member.name.split("/", 1)[1]: archive.extractfile(member).read().decode()
            for member in members
        }


def deck(notebook: Path) -> str:
    """A notebook as one page of HTML."""
    reveal, mathjax = package("reveal.js"), package("mathjax")
    css = "\n".join(reveal[f"dist/{name}.css"] for name in ("reset", "reveal", "theme/simple"))
    parts = {
        "css": re.sub(r"@import url\([^)]*\);?", "", css),  # web fonts
        "reveal": _inside_a_page(reveal["dist/reveal.js"]),
        "mathjax": _inside_a_page(mathjax["es5/tex-svg.js"]),
    }
    exporter = SlidesExporter(
        template_name="slides", extra_template_basedirs=[str(FOLDER)], exclude_input_prompt=True
    )
    page, _ = exporter.from_notebook_node(
        figures_apart(nbformat.read(notebook, as_version=4)), {"deck": parts}
    )
    return LINK.sub("", page)


def figures_apart(notebook):
    """Each figure on a slide of its own, below the one with its code: so it fills the screen."""
    cells = []
    for cell in notebook.cells:
        cells.append(cell)
        shown = [
            output
            for output in cell.get("outputs", [])
            if {"image/png", "text/html"} & set(output.get("data", {}))
        ]
        if shown:
            cell.outputs = [output for output in cell.outputs if output not in shown]
            alone = {"slideshow": {"slide_type": "subslide"}, "transient": {"remove_source": True}}
            cells.append(nbformat.v4.new_code_cell(outputs=shown, metadata=alone))
    notebook.cells = cells
    return notebook


def _inside_a_page(script: str) -> str:
    return script.replace("</script", "<\\/script")


def main() -> int:
    """Writes the decks; 2 if something is missing."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("names", nargs="*", metavar="NAME", help="such as 05; none: all")
    parser.add_argument(
        "--out", type=Path, default=Path("slides"), metavar="DIR", help="default: slides"
    )
    options = parser.parse_args()
    found = sorted(FOLDER.glob("[0-9]*.ipynb"))
    chosen = [
        path for path in found if not options.names or path.name.startswith(tuple(options.names))
    ]
    if not chosen:
        parser.error(
            f"no notebook is called {' or '.join(options.names)}; there are {', '.join(p.stem for p in found)}"
        )
    os.makedirs(options.out, exist_ok=True)
    for path in chosen:
        try:
            page = deck(path)
        except (OSError, ValueError) as error:
            parser.error(f"reveal.js and MathJax are needed once, from a network: {error}")
        with files.written_whole(options.out / f"{path.stem}.html") as temporary:
            temporary.write_text(page, encoding="utf-8")
        print(options.out / f"{path.stem}.html")
    return 0


if __name__ == "__main__":
    sys.exit(main())
