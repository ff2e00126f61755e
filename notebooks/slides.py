"""Turns an executed notebook into slides that open from disk, without a network.

    python notebooks/slides.py 05 [--out DIR]

reveal.js and MathJax are fetched once from the npm registry, checked against their published
checksums, kept beside the package's other downloads, and written into the slides. They are not
committed to this repository.
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
FIGURES = {"image/png", "text/html"}  # kinds of output
LINK = re.compile(r"<link[^>]*/dist/[^>]*>")


def package(name: str) -> dict[str, str]:
    """The text files of an npm package, as `{"dist/reveal.js": text}`; fetched once.

    Raises:
        OSError: If the package is not on disk and cannot be fetched.
        ValueError: If the file does not have the published checksum.
    """
    version, checksum = PACKAGES[name]
    path = files.home() / "slides" / f"{name}-{version}.tgz"
    if not path.is_file():
        address = REGISTRY.format(name=name, version=version)
        with urllib.request.urlopen(address, timeout=60) as answer:
            data = answer.read()
        with files.written_whole(path) as temporary:
            temporary.write_bytes(data)
    data = path.read_bytes()
    if base64.b64encode(hashlib.sha512(data).digest()).decode() != checksum:
        path.unlink()
        raise ValueError(
            f"{name} {version} does not have its published checksum; the file was removed. "
            "Run this again."
        )
    texts = {}
    with tarfile.open(fileobj=io.BytesIO(data)) as archive:
        for member in archive:
            if member.isfile() and member.name.endswith((".js", ".css")):
                name_inside = member.name.split("/", 1)[1]  # without "package/"
                texts[name_inside] = archive.extractfile(member).read().decode()
    return texts


def deck(notebook: Path) -> str:
    """A notebook as slides, in one page of HTML."""
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
    cells = figures_apart(nbformat.read(notebook, as_version=4))
    page, _ = exporter.from_notebook_node(cells, {"deck": parts})
    return LINK.sub("", page)


def figures_apart(notebook):
    """Puts each figure on a slide of its own below its code, so that it fills the screen."""
    cells = []
    for cell in notebook.cells:
        cells.append(cell)
        outputs = cell.get("outputs", [])
        shown = [output for output in outputs if FIGURES & set(output.get("data", {}))]
        if shown:
            cell.outputs = [output for output in cell.outputs if output not in shown]
            alone = {"slideshow": {"slide_type": "subslide"}, "transient": {"remove_source": True}}
            cells.append(nbformat.v4.new_code_cell(outputs=shown, metadata=alone))
    notebook.cells = cells
    return notebook


def _inside_a_page(script: str) -> str:
    return script.replace("</script", "<\\/script")


def main() -> int:
    """Writes the slides; exits with status 2 if something is missing."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("names", nargs="*", metavar="NAME", help="such as 05; default: all")
    out = Path("slides")
    parser.add_argument("--out", type=Path, default=out, metavar="DIR", help="default: slides")
    options = parser.parse_args()
    names, found = options.names, sorted(FOLDER.glob("[0-9]*.ipynb"))
    chosen = [path for path in found if not names or path.name.startswith(tuple(names))]
    if not chosen:
        existing = ", ".join(path.stem for path in found)
        parser.error(f"no notebook is called {' or '.join(names)}; there are {existing}")
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
