"""The command line. A mistake ends in one line that says what to do, and exit status 2.

Nothing heavy is imported before a command is known, so that `--help` answers at once.
"""

import argparse
import json
import os
import sys
import time
from pathlib import Path

from fcn_keras.startup import import_keras_quietly

OVERLAY_PIXELS = 2000  # along each side of the overlay of a picture that is labelled tile by tile

EPILOG = """examples:
  python -m fcn_keras lecture                                 the experiment on drawn road scenes; figures/index.html
  python -m fcn_keras lecture --data path/to/camvid           the same on your data
  python -m fcn_keras train my_pictures --out my.keras        a network for your own pictures
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
        return _stop("stopped by hand; finished files stay", status=130)
    except BrokenPipeError:
        return 1
    except (ValueError, TypeError, OSError, MemoryError) as error:
        if os.environ.get("FCN_KERAS_DEBUG"):
            raise
        return _stop(" ".join(str(error).split()) or type(error).__name__)


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
    commands = main_parser.add_subparsers(title="commands", metavar="COMMAND", required=True)

    def command(name, run, text):
        sub = commands.add_parser(name, help=text, description=text[0].upper() + text[1:] + ".")
        sub.set_defaults(run=run)
        return sub

    lecture = command("lecture", run_lecture, "the lecture's experiment, its figures and an index page")
    _add_experiment_options(lecture)
    lecture.add_argument("--out", type=Path, default=Path("figures"), metavar="DIR", help="where to (default: figures)")

    figures = command("figures", run_figures, "the lecture's figures by identifier; what was trained before is used again")
    figures.add_argument("names", nargs="*", metavar="ID", help="such as L07; none: all")
    figures.add_argument("--list", action="store_true", help="name them and stop")
    _add_experiment_options(figures)
    figures.add_argument("--out", type=Path, default=Path("figures"), metavar="DIR", help="where to (default: figures)")

    train = command("train", run_train, "train a network on a data set")
    _add_data(train)
    train.add_argument("--out", type=Path, required=True, metavar="FILE.keras", help="where the model goes")
    _add_network_options(train)
    length = train.add_mutually_exclusive_group()
    length.add_argument("--epochs", type=_at_least_1, metavar="N", help="times through the data (default: 20)")
    length.add_argument("--steps", type=_at_least_1, metavar="N", help="batches drawn at random, instead of epochs")
    train.add_argument("--batch-size", type=_at_least_1, default=20, metavar="N", help="images a step (default: 20)")
    train.add_argument("--learning-rate", type=_positive, default=1e-3, metavar="X", help="Adam's (default: 0.001)")
    train.add_argument("--flip", action="store_true", help="mirror pictures at random")
    encoder = train.add_mutually_exclusive_group()
    encoder.add_argument("--train-encoder", action="store_true", help="train the encoder too, from the start")
    encoder.add_argument("--fine-tune", type=_at_least_1, metavar="N",
                         help="after the head, so many epochs (or steps) of everything, at a low rate")  # fmt: skip
    train.add_argument("--checkpoint", type=Path, metavar="DIR", help="go on from here after an interruption")

    evaluate = command("evaluate", run_evaluate, "score a model on a data set's test part")
    evaluate.add_argument("model", type=Path, metavar="M.keras")
    _add_data(evaluate)

    segment = command("segment", run_segment, "label pictures of any size with a model")
    segment.add_argument("model", type=Path, metavar="M.keras")
    segment.add_argument("images", type=Path, nargs="+", metavar="IMAGE", help="picture files, or a folder of them")
    segment.add_argument("--out", type=Path, required=True, metavar="DIR", help="where to")
    segment.add_argument("--tile", type=_tile, metavar="auto|N", help="for pictures larger than memory: N x N pixels at a time; "
                         "goes on after an interruption; reads .npy and uncompressed .tif in place")  # fmt: skip

    fidelity = command("fidelity", run_fidelity, "the published figures beside those found here; status 1 if one fails")
    fidelity.add_argument("--json", action="store_true", help="for programs")

    scenes = command("scenes", run_scenes, "write drawn road scenes as picture files: images/, masks/, classes.txt")
    scenes.add_argument("--out", type=Path, required=True, metavar="DIR", help="where to")
    scenes.add_argument("--count", type=_at_least_1, default=24, metavar="N", help="how many (default: 24)")
    scenes.add_argument("--seed", type=_at_least_0, default=0, metavar="N", help="another seed, other scenes (default: 0)")
    return main_parser


def _add_experiment_options(sub):
    sub.add_argument("--data", default="road_scenes", metavar="DIR", help="the lecture's .npy folder, a CamVid folder or "
                     "images/ + masks/ + classes.txt with a class road (default: drawn road scenes)")  # fmt: skip
    _add_network_options(sub)
    sub.add_argument("--steps", type=_at_least_1, default=600, metavar="N", help="default: 600; the lecture's: 300")
    sub.add_argument("--batch-size", type=_at_least_1, default=8, metavar="N", help="images; default: 8; the lecture's: 20")


def _add_network_options(sub):
    sub.add_argument("--network", choices=("lecture", "fcn"), default="lecture", help="default: lecture")
    sub.add_argument("--stride", type=int, choices=(8, 16, 32), default=8, help="of --network fcn (default: 8)")
    sub.add_argument("--fusion", choices=("sum", "concat"), default="sum", help="of --network fcn (default: sum)")
    sub.add_argument("--backbone", choices=("small_vgg", "vgg16"), default="small_vgg", help="default: small_vgg")
    sub.add_argument("--vgg16-weights", metavar="FILE", help="Keras' VGG16 file, where it cannot be downloaded")
    sub.add_argument("--width", type=_at_least_1, default=32, metavar="N", help="of the head; default: 32; the lecture's: 4096")
    sub.add_argument("--seed", type=_at_least_0, default=0, metavar="N", help="same seed, same scores (default: 0)")


def _add_data(sub):
    sub.add_argument("data", metavar="DATA", help="a folder, or road_scenes for the drawn ones")
    sub.add_argument("--format", default="auto", help="auto, camvid, folder or npy (default: auto)")
    sub.add_argument("--classes", metavar="NAME,NAME", help="only these against the background, such as road")


def _at_least_1(text):
    return _number(text, int, lambda value: value >= 1, "a whole number of at least 1")


def _at_least_0(text):
    return _number(text, int, lambda value: 0 <= value < 2**32, "a whole number from 0 to 4294967295")


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


def run_lecture(options):
    """`lecture`: train, evaluate, draw, report."""
    start = time.perf_counter()
    _make_folder(options.out)
    experiment = _experiment(options, reuse=False)
    from fcn_keras import lecture

    _ = experiment.encoder  # weights that are missing are noticed before anything is drawn
    lecture.draw_figures(experiment, options.out, lecture.EXPERIMENT)
    experiment.seconds["all"] = time.perf_counter() - start
    index = lecture.write_report(experiment, options.out)
    print(experiment.trained.scores)
    for message in experiment.report()["warnings"]:
        print(f"WARNING: {message}", file=sys.stderr)
    print(f"\nThe figures: open {index} ({experiment.seconds['all']:.0f} s)")


def run_figures(options):
    """`figures`: some or all figures."""
    if options.list:
        import_keras_quietly()
        from fcn_keras.lecture import FIGURES

        for name, figure in FIGURES.items():
            print(f"{name}  {figure.title}: {figure.sentence}")
        return
    import_keras_quietly()
    from fcn_keras import lecture

    lecture.names_of(options.names)
    _make_folder(options.out)
    for path in lecture.draw_figures(_experiment(options, reuse=True), options.out, options.names):
        print(path)


def run_train(options):
    """`train`: a model file from a data set."""
    if options.out.suffix != ".keras":
        raise ValueError(f"expected --out to end in .keras, received {options.out}")
    _make_folder(options.out.parent)
    import_keras_quietly()
    import keras

    from fcn_keras import backbones, evaluation, files, models, training

    data = _opened(options)
    keras.utils.set_random_seed(options.seed)
    encoder = backbones.by_name(options.backbone, options.vgg16_weights)
    shared = dict(backbone=encoder, width=options.width, freeze_backbone=not options.train_encoder)
    if options.network == "lecture":
        model = models.lecture_fcn(data.train.num_classes, skip_width=options.width, **shared)
    else:
        model = models.fcn(data.train.num_classes, options.stride, fusion=options.fusion, **shared)
    epochs = options.epochs or (None if options.steps else 20)
    history = training.fit(
        model, data.train, epochs=epochs, steps=options.steps, batch_size=options.batch_size,
        learning_rate=options.learning_rate, augment="flip" if options.flip else None,
        seed=options.seed, checkpoint=options.checkpoint,
        unfreeze="after" if options.fine_tune else None, fine_tuning=options.fine_tune,
    )  # fmt: skip
    with files.written_whole(options.out) as temporary:
        model.save(temporary)
    print(evaluation.evaluate(model, data.test))
    print(f"\nThe model: {options.out} (trained for {sum(history.seconds.values()):.0f} s on {len(data.train)} images)")


def run_evaluate(options):
    """`evaluate`: the paper's scores."""
    import_keras_quietly()
    from fcn_keras import evaluation, models

    print(evaluation.evaluate(models.load(options.model), _opened(options).test))


def run_segment(options):
    """`segment`: NAME_labels.png (class numbers, with a palette) and NAME_overlay.png for each picture."""
    _make_folder(options.out)
    import_keras_quietly()
    from fcn_keras import images, models, prediction
    from fcn_keras.datasets import default_palette
    from fcn_keras.progress import progress

    suffixes = images.SUFFIXES + ((".npy",) if options.tile else ())
    paths = [path for given in options.images for path in _pictures(given, suffixes)]
    model = models.load(options.model)
    palette = default_palette(model.output_shape[-1])
    if options.tile:
        return _segment_tiled(options, model, palette, paths)
    with progress("segmenting", len(paths)) as advance:
        for path in paths:
            image = images.read_image(path)
            labels = prediction.segment(model, image)
            images.write_image(options.out / f"{path.stem}_labels.png", labels, palette)
            images.write_image(options.out / f"{path.stem}_overlay.png", _painted(image, labels, palette))
            advance()
    print(f"{len(paths)} label maps and overlays in {options.out}")


def _segment_tiled(options, model, palette, paths):
    """As `segment`, with NAME_labels.npy too; the overlay is at most 2000 pixels wide and high."""
    from fcn_keras import images, prediction

    for path in paths:
        image = images.open_in_place(path)
        labels = prediction.segment_tiled(model, image, options.out / f"{path.stem}_labels.npy", options.tile)
        images.write_image(options.out / f"{path.stem}_labels.png", labels, palette)
        step = -(-max(labels.shape) // OVERLAY_PIXELS)
        few = image[::step, ::step].astype("uint8"), labels[::step, ::step]
        images.write_image(options.out / f"{path.stem}_overlay.png", _painted(*few, palette))
    print(f"{len(paths)} label maps and overlays in {options.out}")


def _painted(image, labels, palette):
    """The classes but the first laid over the picture; a single one in the lecture's green."""
    from fcn_keras import visualization

    for number in range(1, len(palette)):
        colour = (0, 255, 0, 127) if len(palette) == 2 else (*palette[number], 127)
        image = visualization.overlay(image, labels == number, colour)
    return image


def run_fidelity(options):
    """`fidelity`: a row for each published figure, as soon as it is found."""
    import_keras_quietly()
    from fcn_keras import datasets, fidelity

    rows = []
    for row in fidelity.report(datasets.road_scenes("test")):
        rows.append(row)
        if not options.json:
            print(f"{'pass' if row.passed else 'FAIL'}  {row.claim}: {row.found}  (expected: {row.expected})", flush=True)
    failed = sum(not row.passed for row in rows)
    if options.json:
        print(json.dumps(fidelity.as_dict(rows), indent=1, ensure_ascii=False))
    else:
        print(f"\n{len(rows) - failed} of {len(rows)} pass")
    return 1 if failed else 0


def run_scenes(options):
    """`scenes`: a plain folder of drawn scenes, as `data/road_scenes` is one."""
    _make_folder(options.out)
    from fcn_keras import datasets, images
    from fcn_keras.progress import progress

    data = datasets.road_scenes("train", options.seed, options.count)
    with progress("writing scenes", len(data)) as advance:
        for index in range(len(data)):
            image, mask = data[index]
            images.write_image(options.out / "images" / f"scene_{index:03}.jpg", image)
            images.write_image(options.out / "masks" / f"scene_{index:03}.png", mask, data.palette)
            advance()
    (options.out / "classes.txt").write_text("\n".join(data.class_names) + "\n", encoding="utf-8")
    print(f"{len(data)} scenes in {options.out}")


def _experiment(options, reuse):
    import_keras_quietly()
    from fcn_keras.experiment import Experiment, Settings

    return Experiment(
        Settings(
            str(options.data), options.network, options.stride, options.fusion, options.backbone,
            options.vgg16_weights, options.width, options.steps, options.batch_size, options.seed,
        ),
        reuse,
    )  # fmt: skip


def _opened(options):
    from fcn_keras import datasets

    data = datasets.open_data(options.data, options.format)
    if options.classes:
        groups = {name.strip(): [name.strip()] for name in options.classes.split(",")}
        data = datasets.Opened(data.train.view(groups), data.test.view(groups))
    return data


def _pictures(path, suffixes):
    if path.is_dir():
        found = sorted(p for p in path.iterdir() if p.suffix.lower() in suffixes)
        if not found:
            raise FileNotFoundError(f"expected pictures ({', '.join(suffixes)}) in {path}, received none")
        return found
    if not path.is_file():
        raise FileNotFoundError(f"expected a picture or a folder of pictures, received {path}, which is not there")
    return [path]


def _make_folder(folder):
    """Makes the output folder before any work is done, so that a typing error costs no time."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except (FileExistsError, NotADirectoryError):
        raise ValueError(f"expected --out to be a folder, received {folder}, which is a file") from None
    if not os.access(folder, os.W_OK):
        raise PermissionError(f"cannot write into {folder}: choose another --out")
