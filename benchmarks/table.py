"""The README's table of costs, from the latest results of the benchmarks in `results/`.

Run it with `python benchmarks/table.py`.
"""

import json
from pathlib import Path

from measuring import RESULTS

README = Path(__file__).parents[1] / "README.md"
BEGIN, END = "<!-- benchmarks: begin -->\n", "<!-- benchmarks: end -->\n"


def result(name: str) -> dict:
    """What a benchmark last found."""
    return json.loads((RESULTS / f"{name}.json").read_text(encoding="utf-8"))


def table() -> str:
    """The table in Markdown: a row for each question."""
    loop, scores = result("lecture_loop"), result("lecture_loop_scores")
    forward, tiled = result("forward"), result("tiled")
    startup, memory = result("startup"), result("memory")
    images, pixels = result("growth_images"), result("growth_pixels")
    classes = result("growth_classes")
    lecture, side = loop["loop"], f"{tiled['side']:,}"
    rows = [
        (
            "the lecture's loop: VGG16, head 4096 wide, 300 steps of 20 of 289 images",
            f"{lecture / 60:.0f} minutes",
        ),
        (
            "`fit`, features kept, head 32 wide",
            f"{loop['fit']:.0f} s: {lecture / loop['fit']:.0f} times as fast",
        ),
        (
            "speed-up by kept features alone; by the smaller head alone",
            f"{lecture / loop['fit_wide_head']:.1f} times; "
            f"{lecture / loop['loop_default_head']:.1f} times",
        ),
        (
            "the limit: one forward pass over the images",
            f"{loop['limit']:.0f} s: {lecture / loop['limit']:.0f} times as fast",
        ),
        (
            "road IoU with the small VGG, head 4096 wide; 32 wide",
            f"{100 * scores['width_4096']:.1f} %; {100 * scores['width_32']:.1f} %",
        ),
        (
            "forward pass of VGG16; speed relative to a matrix product",
            f"{forward['vgg16_seconds']:.2f} s per picture; {100 * forward['vgg16_share']:.0f} %",
        ),
        (
            f"{side} × {side} pixels, tile by tile",
            f"{tiled['seconds']:.0f} s, {100 * tiled['of_whole_speed']:.0f} % of the untiled "
            f"speed, {tiled['gib']:.2f} GiB",
        ),
        (
            "twice the images; twice the pixels; twice the classes (4 to 8)",
            f"{images['289'] / images['144']:.1f}; {pixels['2048'] / pixels['1024'] / 2:.1f}; "
            f"{classes['8'] / classes['4']:.1f} times the seconds",
        ),
        ("`import fcn_keras`; `--help`", f"{startup['import']:.2f} s; {startup['help']:.2f} s"),
        (
            "peak memory above idle: default training; 2,000 × 2,000 pixels, whole",
            f"{memory['fit']:.1f} GiB; {memory['segment_2000']:.1f} GiB",
        ),
    ]
    lines = [
        "| what it costs | |",
        "| --- | --- |",
        *(f"| {what} | {found} |" for what, found in rows),
    ]
    return "\n".join(lines) + f"\n\nMeasured on {loop['machine']}, shared with others.\n"


if __name__ == "__main__":
    text = README.read_text(encoding="utf-8")
    before, rest = text.split(BEGIN)
    README.write_text(before + BEGIN + table() + END + rest.split(END)[1], encoding="utf-8")
    print(table())
