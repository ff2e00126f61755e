"""Reads the command line. A mistake ends in one line that says what to do, and exit status 2.

Nothing heavy is imported before a command is known, so that `--help` answers at once.
"""

import argparse
import math
import os
import re
import sys
from pathlib import Path

from fcn_keras.command_line import commands, effects
from fcn_keras.support import encoders, memory

EXAMPLES = """examples:
  python -m fcn_keras lecture
      the experiment on drawn road scenes; open figures/index.html
  python -m fcn_keras lecture --data path/to/camvid
      the same on your data
  python -m fcn_keras check-data my_pictures
      what is wrong with your own pictures
  python -m fcn_keras train my_pictures --out my.keras
      a network for them
  python -m fcn_keras segment my.keras photo.jpg --out found
      label map and overlay of a picture
"""


def main(arguments: list[str] | None = None) -> int:
    """Runs one command.

    Args:
        arguments: What was typed; `None`: `sys.argv`.

    Returns:
        Exit status: 0, or 1 if a check found something wrong, or 2 after a mistake in the command.
    """
    options = parser().parse_args(arguments)
    options.given = set(vars(parser(defaults=False).parse_args(arguments))) - {"run"}
    try:
        effects.refuse_what_has_none(options)
        return options.run(options) or 0
    except KeyboardInterrupt:
        stopped = "stopped; finished files stay, and the same command continues from there"
        return _report(stopped, status=130)
    except BrokenPipeError:
        return 1
    except Exception as error:
        if os.environ.get("FCN_KERAS_DEBUG"):
            raise
        return _report(_explained(error))


def _explained(error: Exception) -> str:
    """An error in one line."""
    if isinstance(error, (ValueError, TypeError, OSError, MemoryError, ModuleNotFoundError)):
        return _in_a_line(error)
    if memory.ran_out(error):
        return "not enough memory: try a smaller --width, --size or --batch-size"
    return (
        f"unexpected error ({type(error).__name__}: {_in_a_line(error)[:200]}); please report it. "
        "With FCN_KERAS_DEBUG=1 in the environment you see where it happened."
    )


def _in_a_line(error: Exception) -> str:
    """An error's message, beginning in lower case; the system's own without its number."""
    text = str(error)
    if isinstance(error, OSError) and error.strerror:
        text = f"{error.filename}: {error.strerror}" if error.filename else error.strerror
    text = " ".join(text.split()) or type(error).__name__
    return re.sub(r"^(Expected|The|This|There|A|No)\b", lambda word: word[0].lower(), text)


def _report(message: str, status: int = 2) -> int:
    print(f"fcn_keras: {message}", file=sys.stderr)
    return status


class _OneLineParser(argparse.ArgumentParser):
    """Reports a mistake in one line, without the usage."""

    def error(self, message):
        self.exit(2, f"fcn_keras: {message} (see python -m fcn_keras --help)\n")

    def forget_defaults(self):
        for action in self._actions:
            action.default = argparse.SUPPRESS


def parser(defaults: bool = True) -> argparse.ArgumentParser:
    """All commands and their options; without `defaults` it returns only what was typed."""
    main_parser = _OneLineParser(
        prog="python -m fcn_keras",
        description="The lecture 'Fully Convolutional Network (FCN)', runnable.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    subparsers = main_parser.add_subparsers(title="commands", metavar="COMMAND", required=True)

    def command(name, run, text):
        sub = subparsers.add_parser(name, help=text, description=text[0].upper() + text[1:] + ".")
        sub.set_defaults(run=run)
        return sub

    _add_lecture(command)
    _add_figures(command)
    _add_explainer(command)
    _add_train(command)
    _add_evaluate(command)
    _add_segment(command)
    _add_fidelity(command)
    _add_download(command)
    _add_check_data(command)
    _add_grade(command)
    _add_assignments(command)
    _add_scenes(command)
    if not defaults:
        for sub in subparsers.choices.values():
            sub.forget_defaults()
    return main_parser


# --- the commands


def _add_lecture(command):
    text = "run the lecture's experiment; write its figures and an index page"
    sub = command("lecture", commands.lecture, text)
    _add_experiment(sub)
    _add_out(sub, "figures")


def _add_figures(command):
    text = "draw figures of the lecture by identifier; what was trained before is used again"
    sub = command("figures", commands.figures, text)
    sub.add_argument("names", nargs="*", metavar="ID", help="such as L07; default: all")
    sub.add_argument("--list", action="store_true", help="only list the identifiers")
    _add_experiment(sub)
    _add_out(sub, "figures")


def _add_explainer(command):
    text = "write the page in which the networks run, as one file that opens from disk"
    sub = command("explainer", commands.explainer, text)
    model = "a model file of your own (default: the networks of the lecture's experiment)"
    sub.add_argument("model", type=Path, nargs="?", metavar="M.keras", help=model)
    page = Path("explainer.html")
    sub.add_argument(
        "--out", type=Path, default=page, metavar="FILE.html", help=f"the page (default: {page})"
    )


def _add_train(command):
    sub = command("train", commands.train, "train a network on a data set")
    _add_data(sub)
    sub.add_argument("--out", type=Path, required=True, metavar="FILE.keras", help="the model file")
    _add_network(sub)
    _add_training(sub)
    _add_devices(sub)


def _add_evaluate(command):
    sub = command("evaluate", commands.evaluate, "score a model on the test part of a data set")
    sub.add_argument("model", type=Path, metavar="M.keras", help="a model file")
    _add_data(sub)


def _add_segment(command):
    sub = command("segment", commands.segment, "label pictures of any size with a model")
    sub.add_argument("model", type=Path, metavar="M.keras", help="a model file")
    pictures = "picture files, or folders of them"
    sub.add_argument("images", type=Path, nargs="+", metavar="IMAGE", help=pictures)
    _add_out(sub)
    size = "resize every picture to this height and width for the network (default: as in training)"
    sub.add_argument("--size", type=_size, metavar="HxW", help=size)
    sub.add_argument(
        "--tile",
        type=_tile,
        metavar="auto|N",
        help="for pictures larger than memory: N x N pixels at a time; continues after an "
        "interruption; reads .npy and uncompressed .tif in place",
    )
    sub.add_argument(
        "--workers",
        type=_at_least_1,
        metavar="N",
        help="for very many pictures: N processes, started by Ray (on a cluster if RAY_ADDRESS "
        "is in the environment); pictures labelled before are skipped",
    )
    _add_bands(sub)


def _add_fidelity(command):
    text = "compare published figures with those found here; status 1 if one differs"
    sub = command("fidelity", commands.fidelity, text)
    _add_json(sub)


def _add_download(command):
    text = "fetch a public data set: voc (2 GB) or pets (0.8 GB)"
    sub = command("download", commands.download, text)
    by_hand = "for kitti and camvid it says where you can fetch them by hand"
    sub.add_argument("name", metavar="voc|pets", help=by_hand)
    where = "where to (default: data/NAME); continues after an interruption"
    sub.add_argument("--out", type=Path, metavar="DIR", help=where)
    source = "a folder with the archives, or another address"
    sub.add_argument("--from", dest="source", metavar="DIR|URL", help=source)


def _add_check_data(command):
    text = "find what is wrong with a data set, and how to mend it; status 1 if something is wrong"
    sub = command("check-data", commands.check_data, text)
    sub.add_argument("data", metavar="DATA", help="a folder")
    _add_format(sub)
    _add_bands(sub)
    picture = "draw the share of each class"
    sub.add_argument("--picture", type=Path, metavar="FILE.png", help=picture)
    _add_json(sub)


def _add_grade(command):
    text = "grade a class: points, feedback pages, files for Moodle and Canvas"
    sub = command("grade", commands.grade, text)
    folder = "what was handed in, in any of the usual layouts"
    sub.add_argument("submissions", type=Path, metavar="FOLDER", help=folder)
    _add_out(sub, "grading")
    _add_course(sub)
    students = "the class: columns id, email, ..."
    sub.add_argument("--students", type=Path, metavar="CSV", help=students)
    sub.add_argument(
        "--assignment",
        metavar="NAME",
        action="append",
        help="only this one, such as 1; may be repeated",
    )
    sub.add_argument(
        "--workers",
        type=_at_least_1,
        default=os.cpu_count() or 2,
        metavar="N",
        help="submissions graded side by side (default: one per core)",
    )
    sub.add_argument(
        "--seconds",
        type=_positive,
        default=30,
        metavar="X",
        help="time limit of a cell, at least (default: 30)",
    )


def _add_assignments(command):
    text = "make the students' versions of the assignments"
    sub = command("assignments", commands.assignments, text)
    sub.add_argument("names", nargs="*", metavar="NAME", help="such as 1; default: all")
    _add_course(sub)
    out = "nbgrader's course folder (default: notebooks/assignments)"
    sub.add_argument("--out", type=Path, metavar="DIR", help=out)


def _add_scenes(command):
    text = "write drawn road scenes as picture files: images/, masks/, classes.txt"
    sub = command("scenes", commands.scenes, text)
    _add_out(sub)
    count = "number of scenes (default: 24)"
    sub.add_argument("--count", type=_at_least_1, default=24, metavar="N", help=count)
    seed = "another seed gives other scenes (default: 0)"
    sub.add_argument("--seed", type=_at_least_0, default=0, metavar="N", help=seed)


# --- options that several commands have, or that belong together


def _add_out(sub, default: str | None = None):
    """The output folder; required without a default."""
    text = f"output folder (default: {default})" if default else "output folder"
    folder = Path(default) if default else None
    required = default is None
    sub.add_argument(
        "--out", type=Path, default=folder, required=required, metavar="DIR", help=text
    )


def _add_json(sub):
    sub.add_argument("--json", action="store_true", help="output for programs")


def _add_experiment(sub):
    sub.add_argument(
        "--data",
        default="road_scenes",
        metavar="DIR",
        help="the lecture's .npy folder, CamVid, KITTI, or a folder with images/, masks/ and "
        "classes.txt that has a class road (default: drawn road scenes)",
    )
    _add_size(sub)
    _add_network(sub)
    steps = "training steps (default: 600; the lecture: 300)"
    sub.add_argument("--steps", type=_at_least_1, default=600, metavar="N", help=steps)
    batch = "images per step (default: 8; the lecture: 20)"
    sub.add_argument("--batch-size", type=_at_least_1, default=8, metavar="N", help=batch)


def _add_network(sub):
    network = "lecture (default), or fcn: the paper's"
    sub.add_argument("--network", choices=("lecture", "fcn"), default="lecture", help=network)
    stride = "for --network fcn (default: 8)"
    sub.add_argument("--stride", type=int, choices=(8, 16, 32), default=8, help=stride)
    fusion = "for --network fcn with stride 8 or 16 (default: sum)"
    sub.add_argument("--fusion", choices=("sum", "concat"), default="sum", help=fusion)
    encoder = f"the encoder: {encoders.SHORTLY}"
    sub.add_argument("--backbone", type=_encoder, metavar="NAME", help=encoder)
    sub.add_argument(
        "--backbone-weights",
        "--vgg16-weights",  # its former name
        dest="backbone_weights",
        metavar="FILE",
        help="the encoder's weights, such as the file that Keras would download",
    )
    width = "width of the head (default: 32; the lecture: 4096)"
    sub.add_argument("--width", type=_at_least_1, default=32, metavar="N", help=width)
    seed = "the same seed gives the same scores (default: 0)"
    sub.add_argument("--seed", type=_at_least_0, default=0, metavar="N", help=seed)
    sub.add_argument(
        "--precision",
        choices=("float32", "mixed_bfloat16", "mixed_float16"),
        default="float32",
        metavar="NAME",
        help="mixed_bfloat16 or mixed_float16: half the bits, faster on GPUs (default: float32)",
    )


def _add_training(sub):
    length = sub.add_mutually_exclusive_group()
    epochs = "passes through the data (default: 20)"
    length.add_argument("--epochs", type=_at_least_1, metavar="N", help=epochs)
    steps = "number of random batches, instead of epochs"
    length.add_argument("--steps", type=_at_least_1, metavar="N", help=steps)
    batch = "images per step (default: 20, or fewer where memory is short)"
    sub.add_argument("--batch-size", type=_at_least_1, metavar="N", help=batch)
    rate = "of Adam (default: 0.001)"
    sub.add_argument("--learning-rate", type=_positive, default=1e-3, metavar="X", help=rate)
    sub.add_argument("--flip", action="store_true", help="mirror pictures at random")
    encoder = sub.add_mutually_exclusive_group()
    from_the_start = "train the encoder too, from the start"
    encoder.add_argument("--train-encoder", action="store_true", help=from_the_start)
    after = "after the head, train everything for N epochs (or steps) at a low rate"
    encoder.add_argument("--fine-tune", type=_at_least_1, metavar="N", help=after)
    low = "for --fine-tune: Adam's rate then (default: 0.0003)"
    sub.add_argument("--fine-tuning-rate", type=_positive, metavar="X", help=low)
    sub.add_argument(
        "--checkpoint",
        type=Path,
        metavar="DIR",
        help="where the state of the training is kept, so that it continues after an interruption "
        "(default: a hidden folder beside --out, until the model is saved)",
    )


def _add_devices(sub):
    title = "several devices or computers (with KERAS_BACKEND=jax in the environment)"
    group = sub.add_argument_group(title)
    devices = "devices of this computer that share every batch"
    group.add_argument("--devices", type=_at_least_1, metavar="N", help=devices)
    address = "address of process 0, the same for all"
    group.add_argument("--job-addresses", metavar="HOST:PORT", help=address)
    processes = "number of processes that train together; start each with its own command"
    group.add_argument("--num-processes", type=_at_least_1, metavar="N", help=processes)
    number = "number of this process, from 0; process 0 writes the model"
    group.add_argument("--process-id", type=_at_least_0, metavar="N", help=number)


def _add_data(sub):
    data = "a folder, or road_scenes for the drawn ones"
    sub.add_argument("data", metavar="DATA", help=data)
    _add_format(sub)
    _add_size(sub)
    _add_bands(sub)
    classes = "only these classes, such as road; the rest is background"
    sub.add_argument("--classes", metavar="NAME,NAME", help=classes)


def _add_format(sub):
    formats = "auto, camvid, kitti, voc, pets, folder or npy (default: auto)"
    sub.add_argument("--format", default="auto", help=formats)


def _add_course(sub):
    private = "a teacher's folder with seed.txt and private tests"
    sub.add_argument("--course", type=Path, metavar="DIR", help=private)


def _add_size(sub):
    sub.add_argument(
        "--size",
        type=_size,
        metavar="HxW",
        help="resize every picture to this height and width, such as 160x576; much faster where "
        "pictures differ in size",
    )


def _add_bands(sub):
    bands = "which bands of a file are red, green and blue, counted from 1, such as 3,2,1"
    sub.add_argument("--bands", type=_bands, metavar="R,G,B", help=bands)
    scale = "which values become black and white, in files of more than 8 bits, such as 0,3000"
    sub.add_argument("--scale", type=_scale, metavar="LOW,HIGH", help=scale)


# --- types of options


def _bands(text):
    parts = text.split(",")
    if len(parts) != 3 or not all(part.strip().isdigit() and int(part) > 0 for part in parts):
        raise argparse.ArgumentTypeError(
            f"expected three bands, counted from 1, such as 3,2,1, received {text!r}"
        )
    return tuple(int(part) - 1 for part in parts)


def _scale(text):
    try:
        low, high = map(float, text.split(","))
    except ValueError:
        low = high = 0.0
    if not math.isfinite(low) or not math.isfinite(high) or low == high:
        raise argparse.ArgumentTypeError(
            f"expected two different numbers, such as 0,3000, received {text!r}"
        )
    return low, high


def _encoder(text):
    found = encoders.spelled(text)
    if found is None:
        raise argparse.ArgumentTypeError(
            f"expected the name of an encoder, received {text!r}. {encoders.hint(text)}"
        )
    return found


def _size(text):
    parts = text.lower().split("x")
    if len(parts) != 2 or not all(part.isdigit() and int(part) > 0 for part in parts):
        raise argparse.ArgumentTypeError(
            f"expected height x width in pixels, such as 160x576, received {text!r}"
        )
    return tuple(int(part) for part in parts)


def _at_least_1(text):
    return _number(text, int, lambda value: value >= 1, "a whole number of at least 1")


def _at_least_0(text):
    expected = "a whole number from 0 to 4294967295"
    return _number(text, int, lambda value: 0 <= value < 2**32, expected)


def _tile(text):
    return text if text == "auto" else _at_least_1(text)


def _positive(text):
    return _number(text, float, lambda value: 0 < value < float("inf"), "a number above 0")


def _number(text, kind, allowed, expected):
    try:
        value = kind(text)
    except ValueError:
        value = None
    if value is None or not allowed(value):
        raise argparse.ArgumentTypeError(f"expected {expected}, received {text!r}")
    return value
