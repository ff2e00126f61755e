"""What `python -m fcn_keras lecture` leaves beside the figures: scores, the model, a page to look at."""

import html
import json
from pathlib import Path

from fcn_keras.lecture.experiment import Experiment
from fcn_keras.lecture.figures import EXPERIMENT, FIGURES
from fcn_keras.support import files


def write_report(experiment: Experiment, out: str | Path) -> Path:
    """Writes `scores.json`, `model.keras` and `index.html` beside the figures.

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
        temporary.write_text(index_page(report), encoding="utf-8")
    return out / "index.html"


def index_page(report: dict) -> str:
    """The figures in the lecture's order with a sentence each: plain HTML that opens from disk."""
    figures = "\n".join(
        f'<figure id="{name}"><h2><span>{name}</span> {html.escape(figure.title)}</h2>'
        f'<img src="{name}.png" alt="{html.escape(figure.title)}: {html.escape(figure.sentence)}">'
        f"<figcaption>{html.escape(figure.sentence)}</figcaption></figure>"
        for name, figure in ((name, FIGURES[name]) for name in EXPERIMENT)
    )
    warning = "".join(f'<p class="warning">{html.escape(text)}</p>' for text in report["warnings"])
    return PAGE.format(figures=figures, scores=_score_table(report), warning=warning)


def _score_table(report) -> str:
    test = report["test"]
    percent = lambda value: "–" if value is None else f"{100 * value:.1f} %"  # noqa: E731
    rows = [
        ("road IoU", percent(test["iou"]["road"])),
        ("mean IoU", percent(test["mean_iou"])),
        ("pixel accuracy", percent(test["pixel_accuracy"])),
        ("mean accuracy", percent(test["mean_accuracy"])),
        ("frequency weighted IoU", percent(test["frequency_weighted_iou"])),
        (
            "wrong pixels within 4 px of the road's edge",
            percent(report["boundary_band_error"]["4"]),
        ),
        (
            "trained on / tested on",
            f"{report['images']['trained on']} / {report['images']['tested on']} images",
        ),
        (
            "parameters: all / trained",
            f"{report['parameters']['all']:,} / {report['parameters']['trained']:,}",
        ),
    ]
    cells = "".join(
        f"<tr><td>{html.escape(name)}</td><td>{html.escape(value)}</td></tr>"
        for name, value in rows
    )
    return f"<table>{cells}</table>"


PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>Fully Convolutional Network: the lecture's experiment</title>
<style>
body {{ font: 18px/1.5 system-ui, sans-serif; color: #1d2330; max-width: 1200px; margin: 2em auto; padding: 0 1em; }}
h1 {{ line-height: 1.2; }} h2 {{ font-size: 1.25em; margin: 0 0 .4em; }} h2 span {{ color: #6b7385; font-weight: normal; }}
figure {{ margin: 3em 0; }} img {{ width: 100%; height: auto; }} figcaption {{ color: #3d4558; }}
table {{ border-collapse: collapse; }} td {{ padding: .2em 1.2em .2em 0; border-bottom: 1px solid #dde1ea; }}
td + td {{ text-align: right; font-variant-numeric: tabular-nums; font-weight: 600; }}
.warning {{ background: #fff3f5; border-left: 6px solid #c2255c; padding: .6em 1em; }}
</style></head><body>
<h1>Fully Convolutional Network: the lecture's experiment</h1>
<p>After the lecture by Prof. Seungchul Lee, Industrial AI Lab. Identifiers are those of the lecture's claims;
all numbers are of scenes that were never trained on, and stand in <a href="scores.json">scores.json</a>.</p>
{warning}{scores}
{figures}
</body></html>
"""
