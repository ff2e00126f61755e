"""What `python -m fcn_keras lecture` writes beside the figures: scores, the model, a page."""

import html
import json
from pathlib import Path

from fcn_keras.lecture.experiment import Experiment
from fcn_keras.lecture.figures import EXPERIMENT, FIGURES
from fcn_keras.support import files
from fcn_keras.support.kinds import File, checked


@checked
def write_report(experiment: Experiment, out: File, explainer: File | None = None) -> Path:
    """Writes `scores.json`, `model.keras` and `index.html` beside the figures.

    Args:
        experiment: The experiment that the figures were drawn from.
        out: The figures' folder.
        explainer: The page in the same folder in which the networks run, if there is one.

    Returns:
        The path of `index.html`.
    """
    out = Path(out)
    report = experiment.report()
    with files.written_whole(out / "scores.json") as temporary:
        temporary.write_text(json.dumps(report, indent=2) + "\n", encoding="utf-8")
    with files.written_whole(out / "model.keras") as temporary:
        experiment.trained.model.save(temporary)
    with files.written_whole(out / "index.html") as temporary:
        temporary.write_text(index_page(report, explainer), encoding="utf-8")
    return out / "index.html"


def index_page(report: dict, explainer: File | None = None) -> str:
    """The figures in the lecture's order, a sentence with each: plain HTML that opens from disk."""
    figures = "\n".join(map(_figure, EXPERIMENT))
    warning = "".join(f'<p class="warning">{html.escape(text)}</p>' for text in report["warnings"])
    link = LINK.format(name=Path(explainer).name) if explainer else ""
    return PAGE.format(figures=figures, scores=_score_table(report), warning=warning, link=link)


def _figure(name: str) -> str:
    title, sentence = (html.escape(getattr(FIGURES[name], part)) for part in ("title", "sentence"))
    return (
        f'<figure id="{name}"><h2><span>{name}</span> {title}</h2>'
        f'<img src="{name}.png" alt="{title}: {sentence}">'
        f"<figcaption>{sentence}</figcaption></figure>"
    )


def _score_table(report) -> str:
    test, images, parameters = report["test"], report["images"], report["parameters"]
    rows = {
        "road IoU": _percent(test["iou"]["road"]),
        "mean IoU": _percent(test["mean_iou"]),
        "pixel accuracy": _percent(test["pixel_accuracy"]),
        "mean accuracy": _percent(test["mean_accuracy"]),
        "frequency weighted IoU": _percent(test["frequency_weighted_iou"]),
        "wrong pixels within 4 px of the road's edge": _percent(report["boundary_band_error"]["4"]),
        "trained on / tested on": f"{images['trained on']} / {images['tested on']} images",
        "parameters: all / trained": f"{parameters['all']:,} / {parameters['trained']:,}",
    }
    cells = "".join(
        f"<tr><td>{html.escape(name)}</td><td>{html.escape(value)}</td></tr>"
        for name, value in rows.items()
    )
    return f"<table>{cells}</table>"


def _percent(value: float | None) -> str:
    return "–" if value is None else f"{100 * value:.1f} %"


LINK = """<p><strong><a href="{name}">The FCN Explainer</a></strong>: the same networks, running in
a page of their own. Drop a photograph, point at a pixel, switch a skip connection off.</p>"""
PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>Fully Convolutional Network: the lecture's experiment</title>
<style>
body {{ font: 18px/1.5 system-ui, sans-serif; color: #1d2330; }}
body {{ max-width: 1200px; margin: 2em auto; padding: 0 1em; }}
h1 {{ line-height: 1.2; }} h2 {{ font-size: 1.25em; margin: 0 0 .4em; }}
h2 span {{ color: #6b7385; font-weight: normal; }}
figure {{ margin: 3em 0; }} img {{ width: 100%; height: auto; }} figcaption {{ color: #3d4558; }}
table {{ border-collapse: collapse; }}
td {{ padding: .2em 1.2em .2em 0; border-bottom: 1px solid #dde1ea; }}
td + td {{ text-align: right; font-variant-numeric: tabular-nums; font-weight: 600; }}
.warning {{ background: #fff3f5; border-left: 6px solid #c2255c; padding: .6em 1em; }}
</style></head><body>
<h1>Fully Convolutional Network: the lecture's experiment</h1>
<p>After the lecture by Prof. Seungchul Lee, Industrial AI Lab. The identifiers are those of the
lecture's claims. All numbers were measured on scenes that were never trained on; they are in
<a href="scores.json">scores.json</a>.</p>
{link}{warning}{scores}
{figures}
</body></html>
"""
