"""The command line. A mistake ends in one line that says what to do, and exit status 2.

Nothing heavy is imported before a command is known, so that `--help` answers at once.
"""

import argparse
import os
import sys
from pathlib import Path

from fcn_keras.command_line import commands
from fcn_keras.support import memory

EPILOG = """examples:
  python -m fcn_keras lecture                                 the experiment on drawn road scenes; figures/index.html
  python -m fcn_keras lecture --data path/to/camvid           the same on your data
  python -m fcn_keras check-data my_pictures                  what is wrong with your own pictures
  python -m fcn_keras train my_pictures --out my.keras        a network for them
  python -m fcn_keras segment my.keras photo.jpg --out found  label map and overlay of a picture
"""


def main(arguments: list[str] | None = None) -> int:
    """Runs one command.

    Returns:
        Exit status: 0, 1 if a check found something wrong, 2 after a mistake in what was asked for.
    """
    options = parser().parse_args(arguments)
    try:
        return options.run(options) or 0
    except KeyboardInterrupt:
        return _stop(
            "stopped by hand; finished files stay, and the same command goes on", status=130
        )
    except BrokenPipeError:
        return 1
    except (ValueError, TypeError, OSError, MemoryError, ModuleNotFoundError) as error:
        if os.environ.get("FCN_KERAS_DEBUG"):
            raise
        return _stop(_in_a_line(error))
    except Exception as error:  # a fault of ours: still one line, and how to see more
        if os.environ.get("FCN_KERAS_DEBUG"):
            raise
        if memory.ran_out(error):
            return _stop(
                "this needs more memory than there is: take a smaller --width, --size or --batch-size"
            )
        text = (
            f"something unforeseen went wrong ({type(error).__name__}: {_in_a_line(error)[:200]})"
        )
        return _stop(
            f"{text}. With FCN_KERAS_DEBUG=1 in the environment it is shown where; please report it."
        )


def _in_a_line(error) -> str:
    """An error's message; the system's own without its number, with the file's name."""
    text = str(error)
    if isinstance(error, OSError) and error.strerror:
        text = f"{error.filename}: {error.strerror}" if error.filename else error.strerror
    return " ".join(text.split()) or type(error).__name__


def _stop(message: str, status: int = 2) -> int:
    print(f"fcn_keras: {message}", file=sys.stderr)
    return status


class _OneLineParser(argparse.ArgumentParser):
    """Says what is wrong in one line, without the usage."""

    def error(self, message):
        self.exit(2, f"fcn_keras: {message} (python -m fcn_keras --help tells more)\n")


def parser() -> argparse.ArgumentParser:
    """All commands and their options."""
    main_parser = _OneLineParser(
        prog="python -m fcn_keras",
        description="The lecture 'Fully Convolutional Network (FCN)', runnable.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    subparsers = main_parser.add_subparsers(title="commands", metavar="COMMAND", required=True)

    def command(name, run, text):
        sub = subparsers.add_parser(name, help=text, description=text[0].upper() + text[1:] + ".")
        sub.set_defaults(run=run)
        return sub

    lecture = command(
        "lecture", commands.lecture, "the lecture's experiment, its figures and an index page"
    )
    _add_experiment_options(lecture)
    lecture.add_argument(
        "--out",
        type=Path,
        default=Path("figures"),
        metavar="DIR",
        help="where to (default: figures)",
    )

    figures = command(
        "figures",
        commands.figures,
        "the lecture's figures by identifier; what was trained before is used again",
    )
    figures.add_argument("names", nargs="*", metavar="ID", help="such as L07; none: all")
    figures.add_argument("--list", action="store_true", help="name them and stop")
    _add_experiment_options(figures)
    figures.add_argument(
        "--out",
        type=Path,
        default=Path("figures"),
        metavar="DIR",
        help="where to (default: figures)",
    )

    train = command("train", commands.train, "train a network on a data set")
    _add_data(train)
    train.add_argument(
        "--out", type=Path, required=True, metavar="FILE.keras", help="where the model goes"
    )
    _add_network_options(train)
    length = train.add_mutually_exclusive_group()
    length.add_argument(
        "--epochs", type=_at_least_1, metavar="N", help="times through the data (default: 20)"
    )
    length.add_argument(
        "--steps", type=_at_least_1, metavar="N", help="batches drawn at random, instead of epochs"
    )
    train.add_argument(
        "--batch-size",
        type=_at_least_1,
        default=20,
        metavar="N",
        help="images a step (default: 20)",
    )
    train.add_argument(
        "--learning-rate", type=_positive, default=1e-3, metavar="X", help="Adam's (default: 0.001)"
    )
    train.add_argument("--flip", action="store_true", help="mirror pictures at random")
    encoder = train.add_mutually_exclusive_group()
    encoder.add_argument(
        "--train-encoder", action="store_true", help="train the encoder too, from the start"
    )
    encoder.add_argument(
        "--fine-tune",
        type=_at_least_1,
        metavar="N",
        help="after the head, so many epochs (or steps) of everything, at a low rate",
    )
    train.add_argument(
        "--checkpoint",
        type=Path,
        metavar="DIR",
        help="for the state of the training, which goes on from there "
        "after an interruption (default: a hidden folder beside --out, until the model is saved)",
    )
    several = train.add_argument_group(
        "several devices or computers (with KERAS_BACKEND=jax in the environment)"
    )
    several.add_argument(
        "--devices",
        type=_at_least_1,
        metavar="N",
        help="devices of this computer that share every batch",
    )
    several.add_argument(
        "--job-addresses", metavar="HOST:PORT", help="where process 0 is reached, the same for all"
    )
    several.add_argument(
        "--num-processes",
        type=_at_least_1,
        metavar="N",
        help="how many train together; each needs its command",
    )
    several.add_argument(
        "--process-id",
        type=_at_least_0,
        metavar="N",
        help="which of them this is, from 0; 0 writes the model",
    )

    evaluate = command("evaluate", commands.evaluate, "score a model on a data set's test part")
    evaluate.add_argument("model", type=Path, metavar="M.keras")
    _add_data(evaluate)

    segment = command("segment", commands.segment, "label pictures of any size with a model")
    segment.add_argument("model", type=Path, metavar="M.keras")
    segment.add_argument(
        "images", type=Path, nargs="+", metavar="IMAGE", help="picture files, or a folder of them"
    )
    segment.add_argument("--out", type=Path, required=True, metavar="DIR", help="where to")
    segment.add_argument(
        "--tile",
        type=_tile,
        metavar="auto|N",
        help="for pictures larger than memory: N x N pixels at a time; "
        "goes on after an interruption; reads .npy and uncompressed .tif in place",
    )
    segment.add_argument(
        "--workers",
        type=_at_least_1,
        metavar="N",
        help="for very many pictures: N processes, by Ray (with "
        "RAY_ADDRESS in the environment on that cluster); what is labelled already stays",
    )

    fidelity = command(
        "fidelity",
        commands.fidelity,
        "the published figures beside those found here; status 1 if one fails",
    )
    fidelity.add_argument("--json", action="store_true", help="for programs")

    download = command(
        "download", commands.download, "fetch a public data set: voc (2 GB) or pets (0.8 GB)"
    )
    download.add_argument(
        "name",
        metavar="voc|pets",
        help="kitti and camvid have to be fetched by hand; it says where",
    )
    download.add_argument(
        "--out",
        type=Path,
        metavar="DIR",
        help="where to (default: data/NAME); goes on after an interruption",
    )
    download.add_argument(
        "--from",
        dest="source",
        metavar="DIR|URL",
        help="a folder with the archives, or another address",
    )

    what = "what is wrong with a data set, and how to mend it; status 1 if something is"
    check_data = command("check-data", commands.check_data, what)
    check_data.add_argument("data", metavar="DATA", help="a folder")
    _add_format(check_data)
    check_data.add_argument(
        "--picture", type=Path, metavar="FILE.png", help="the share of each class, as a picture"
    )
    check_data.add_argument("--json", action="store_true", help="for programs")

    grade = command(
        "grade",
        commands.grade,
        "grade a class: points, feedback pages, files for Moodle and Canvas",
    )
    grade.add_argument(
        "submissions",
        type=Path,
        metavar="FOLDER",
        help="what was handed in; any of the usual layouts",
    )
    grade.add_argument(
        "--out",
        type=Path,
        default=Path("grading"),
        metavar="DIR",
        help="where to (default: grading)",
    )
    _add_course(grade)
    grade.add_argument(
        "--students", type=Path, metavar="CSV", help="the class: columns id, email, ..."
    )
    grade.add_argument(
        "--assignment",
        metavar="NAME",
        action="append",
        help="only this one, such as 1; may be repeated",
    )
    grade.add_argument(
        "--workers",
        type=_at_least_1,
        default=os.cpu_count() or 2,
        metavar="N",
        help="submissions graded side by side (default: one a core)",
    )
    grade.add_argument(
        "--seconds",
        type=_positive,
        default=30,
        metavar="X",
        help="least time a cell has before it is stopped (default: 30)",
    )

    assignments = command(
        "assignments", commands.assignments, "make the students' versions of the assignments"
    )
    assignments.add_argument("names", nargs="*", metavar="NAME", help="such as 1; none: all")
    _add_course(assignments)
    assignments.add_argument(
        "--out", type=Path, metavar="DIR", help="course folder (default: notebooks/assignments)"
    )

    scenes = command(
        "scenes",
        commands.scenes,
        "write drawn road scenes as picture files: images/, masks/, classes.txt",
    )
    scenes.add_argument("--out", type=Path, required=True, metavar="DIR", help="where to")
    scenes.add_argument(
        "--count", type=_at_least_1, default=24, metavar="N", help="how many (default: 24)"
    )
    scenes.add_argument(
        "--seed",
        type=_at_least_0,
        default=0,
        metavar="N",
        help="another seed, other scenes (default: 0)",
    )
    return main_parser


def _add_experiment_options(sub):
    sub.add_argument(
        "--data",
        default="road_scenes",
        metavar="DIR",
        help="the lecture's .npy folder, CamVid, KITTI or "
        "images/ + masks/ + classes.txt with a class road (default: drawn road scenes)",
    )
    _add_size(sub)
    _add_network_options(sub)
    sub.add_argument(
        "--steps",
        type=_at_least_1,
        default=600,
        metavar="N",
        help="default: 600; the lecture's: 300",
    )
    sub.add_argument(
        "--batch-size",
        type=_at_least_1,
        default=8,
        metavar="N",
        help="images; default: 8; the lecture's: 20",
    )


def _add_network_options(sub):
    sub.add_argument(
        "--network", choices=("lecture", "fcn"), default="lecture", help="default: lecture"
    )
    sub.add_argument(
        "--stride", type=int, choices=(8, 16, 32), default=8, help="of --network fcn (default: 8)"
    )
    sub.add_argument(
        "--fusion", choices=("sum", "concat"), default="sum", help="of --network fcn (default: sum)"
    )
    sub.add_argument(
        "--backbone", choices=("small_vgg", "vgg16"), default="small_vgg", help="default: small_vgg"
    )
    sub.add_argument(
        "--vgg16-weights", metavar="FILE", help="Keras' VGG16 file, where it cannot be downloaded"
    )
    sub.add_argument(
        "--width",
        type=_at_least_1,
        default=32,
        metavar="N",
        help="of the head; default: 32; the lecture's: 4096",
    )
    sub.add_argument(
        "--seed",
        type=_at_least_0,
        default=0,
        metavar="N",
        help="same seed, same scores (default: 0)",
    )
    sub.add_argument(
        "--precision",
        choices=("float32", "mixed_bfloat16", "mixed_float16"),
        default="float32",
        metavar="NAME",
        help="mixed_bfloat16 or mixed_float16: half the bits, faster on GPUs (default: float32)",
    )


def _add_data(sub):
    sub.add_argument("data", metavar="DATA", help="a folder, or road_scenes for the drawn ones")
    _add_format(sub)
    _add_size(sub)
    sub.add_argument(
        "--classes", metavar="NAME,NAME", help="only these against the background, such as road"
    )


def _add_format(sub):
    sub.add_argument(
        "--format",
        default="auto",
        help="auto, camvid, kitti, voc, pets, folder or npy (default: auto)",
    )


def _add_course(sub):
    sub.add_argument(
        "--course", type=Path, metavar="DIR", help="a teacher's own hidden tests and seed.txt"
    )


def _add_size(sub):
    sub.add_argument(
        "--size",
        type=_size,
        metavar="HxW",
        help="bring every picture to this height and width, such as 160x576; "
        "much faster where pictures differ in size",
    )


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
    return _number(
        text, int, lambda value: 0 <= value < 2**32, "a whole number from 0 to 4294967295"
    )


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
