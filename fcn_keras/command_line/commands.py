"""What each command does.

Heavy imports stand inside the functions, so that `--help` and typing errors are answered at once.
"""

import contextlib
import hashlib
import json
import os
import sys
import time
import warnings
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from fcn_keras.command_line import effects
from fcn_keras.support.startup import import_keras_quietly

BATCH_SIZE = 20  # of `train`, where memory allows it


def lecture(options):
    """`lecture`: train, evaluate, draw, report."""
    start = time.perf_counter()
    _make_folder(options.out)
    experiment = _experiment(options, reuse=False)
    from fcn_keras import lecture

    _ = experiment.encoder  # missing weights are noticed before anything is drawn
    lecture.draw_figures(experiment, options.out, lecture.EXPERIMENT)
    experiment.finished()
    page = _explainer_of(experiment, options.out / "explainer.html")
    experiment.seconds["all"] = time.perf_counter() - start
    index = lecture.write_report(experiment, options.out, page)
    print(experiment.trained.scores)
    _print_warnings(experiment.report()["warnings"])
    print(f"\nThe figures: open {index} ({experiment.seconds['all']:.0f} s)")


def _explainer_of(experiment, path: Path) -> Path | None:
    """The page of an experiment; `None`, with a line that says why, if there can be none."""
    from fcn_keras import explainer

    try:
        return explainer.write_page(explainer.of_lecture(experiment), path)
    except (explainer.NotInThePage, explainer.TooLargeForThePage) as error:
        path.unlink(missing_ok=True)  # one of an earlier run would be of other networks
        _note(f"no {path.name}: {error}")
        return None


def explainer(options):
    """`explainer`: the page of the lecture's networks, or of a model."""
    if options.out.suffix.lower() not in (".html", ".htm"):
        raise ValueError(f"expected --out to end in .html, received {options.out}")
    _make_folder(options.out.parent)
    import_keras_quietly()
    from fcn_keras import explainer, models

    if options.model:
        contents = explainer.of_model(models.load(options.model), options.model.stem)
    else:
        from fcn_keras.lecture.experiment import Experiment

        experiment = Experiment(reuse=True)
        contents = explainer.of_lecture(experiment)
        experiment.finished()
    page = explainer.write_page(contents, options.out)
    print(f"{page}: {page.stat().st_size / 1e6:.1f} MB, {len(contents.chapters())} chapters")
    if missing := contents.left_out():
        _note(missing)


def figures(options):
    """`figures`: some or all figures."""
    import_keras_quietly()
    from fcn_keras import lecture

    if options.list:
        for name, figure in lecture.FIGURES.items():
            print(f"{name}  {figure.title}: {figure.sentence}")
        return
    names = lecture.names_of(options.names)
    _make_folder(options.out)
    experiment = _experiment(options, reuse=True)
    drawn = lecture.draw_figures(experiment, options.out, names)
    for path in drawn:
        print(path)
    experiment.finished()
    if without := lecture.left_out(names):
        if not drawn:
            raise ModuleNotFoundError(without)
        _note(without)
    if unread := options.given - {"names", "out"} - experiment.settings_read:
        _note(f"no effect on these figures: {effects.listed(unread)}")


def train(options):
    """`train`: a model file from a data set."""
    if options.out.suffix != ".keras":
        raise ValueError(f"expected --out to end in .keras, received {options.out}")
    _make_folder(options.out.parent)
    import_keras_quietly()
    state = options.checkpoint or _folder_of_state(options)
    with _connected(options, state):
        return _train(options, state)


def _train(options, state):
    from fcn_keras import evaluation, models
    from fcn_keras.training import checkpoint, distribution

    shared = None
    if options.devices or options.num_processes:
        shared = distribution.data_parallel(options.devices)
    data = _opened(options)
    model, history = _trained(options, data.train, state, shared)
    if not distribution.is_first():
        print(f"Process {options.process_id} has done its part; process 0 writes {options.out}")
        return 0
    models.note(model, held_out=[data.test.digest(index) for index in range(len(data.test))])
    try:
        models.save(model, options.out)
    except models.SpoiltWeights as error:
        checkpoint.remove(state)
        _print_warnings(history.warnings)
        _note(error)
        return 1
    _print_scored(data, options)
    print(evaluation.evaluate(model, data.test))
    checkpoint.remove(state)
    _print_warnings(history.warnings)
    seconds = sum(history.seconds.values())
    print(f"\nThe model: {options.out} (trained for {seconds:.0f} s on {len(data.train)} images)")
    return 0


def _trained(options, data, state, shared):
    """A new model, trained, and its history."""
    import keras

    from fcn_keras import training

    keras.utils.set_random_seed(options.seed)
    model = _network(options, data.num_classes)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", training.TrainingWarning)  # printed at the end
        history = training.fit(
            model,
            data,
            epochs=options.epochs or (None if options.steps else 20),
            steps=options.steps,
            batch_size=options.batch_size or _batch_size(options, model, data, state, shared),
            learning_rate=options.learning_rate,
            augment="flip" if options.flip else None,
            seed=options.seed,
            checkpoint=state,
            unfreeze="after" if options.fine_tune else None,
            fine_tuning=options.fine_tune,
            fine_tuning_rate=options.fine_tuning_rate or training.FINE_TUNING_RATE,
            distribution=shared,
        )
    return model, history


def _batch_size(options, model, data, state, shared) -> int:
    """The default, or fewer where memory is short; that of a run that goes on."""
    from fcn_keras.training import checkpoint, cost

    kept = checkpoint.kept_setting(state, "batch_size")
    if kept or shared:  # processes that train together need the same
        return kept or BATCH_SIZE
    everything = bool(options.train_encoder or options.fine_tune)
    return cost.fitting_batch_size(model, data, BATCH_SIZE, everything)


def _network(options, num_classes):
    from fcn_keras import backbones, models

    with models.precision(options.precision):
        name = options.backbone or backbones.default_name()
        encoder = backbones.by_name(name, options.backbone_weights or "pretrained")
        width, freeze = options.width, not options.train_encoder
        if options.network == "lecture":
            return models.lecture_fcn(num_classes, encoder, width, freeze, skip_width=width)
        return models.fcn(num_classes, options.stride, encoder, options.fusion, freeze, width)


def _connected(options, state):
    """Connects this process with the others, if the options name any."""
    three = options.job_addresses, options.num_processes, options.process_id
    if three == (None, None, None):
        return contextlib.nullcontext()
    if None in three:
        raise ValueError(
            "expected --job-addresses, --num-processes and --process-id together, "
            "received only some of them"
        )
    from fcn_keras.training import distribution

    advice = f"The state is in {state}: give every computer its command again, and they continue."
    return distribution.connected(*three, advice)


def _folder_of_state(options) -> Path:
    """Where the state of a training is kept until its model is saved.

    Other settings have another folder; it does not matter which devices train.
    """
    apart = ("run", "given", "out", "checkpoint", "devices")
    apart += ("job_addresses", "num_processes", "process_id")
    given = {name: str(value) for name, value in vars(options).items() if name not in apart}
    given["vgg16_weights"] = given.pop("backbone_weights")  # their name in 0.1.0
    given["split"] = "by content"  # a run of the rule before held out other pictures
    given["batch_size"] = str(options.batch_size or BATCH_SIZE)
    digest = hashlib.sha256(json.dumps(given, sort_keys=True).encode()).hexdigest()
    return options.out.with_name(f".{options.out.stem}-unfinished-{digest[:8]}")


def evaluate(options):
    """`evaluate`: the paper's scores."""
    import_keras_quietly()
    from fcn_keras import evaluation, models

    model = models.load(options.model)
    card = models.card(model)
    options.bands, options.scale = options.bands or card.bands, options.scale or card.scale
    data = _opened(options)
    _print_scored(data, options, card)
    # with --size the data have that size already
    size = None if options.size else "trained"
    print(evaluation.evaluate(model, data.test, size=size))


def _print_scored(data, options, card=None):
    """Which pictures the scores are of, and whether the model may have seen them in training."""
    count = len(data.test)
    every = count + len(data.train)
    print(f"Scored: {count} of {every} pictures of {options.data} ({data.split})")
    if card is None:  # it was trained just now, on the others
        return
    file = options.model
    if not card.class_names:
        print(
            f"{file} names neither its classes nor the pictures that it was trained on. The "
            "classes are taken in the data's order."
        )
    elif card.held_out is None:
        print(f"{file} does not say which pictures were held out when it was trained.")
    else:
        unknown = sum(data.test.digest(index) not in card.held_out for index in range(count))
        if unknown:
            print(
                f"{count - unknown} of them were held out when {file} was trained. Of the other "
                f"{unknown} its file does not say so."
            )


def segment(options):
    """`segment`: NAME_labels.png and NAME_overlay.png for each picture."""
    _make_folder(options.out)
    import_keras_quietly()
    from fcn_keras.prediction import many_files
    from fcn_keras.support import images

    suffixes = images.SUFFIXES + ((".npy",) if options.tile else ())
    paths = [path for given in options.images for path in _pictures(given, suffixes)]
    _check_names(paths, options.out)
    size = options.size or "trained"
    job = many_files.Job(
        options.model, options.out, options.tile, size, options.bands, options.scale
    )
    if options.workers:
        given, paths = len(paths), job.not_done(paths)
        if len(paths) < given:
            print(f"{given - len(paths)} were labelled before")
        if 0 < (most := many_files.most_workers(paths)) < options.workers:
            print(
                f"{most} of {options.workers} workers have something to do: each takes "
                f"{many_files.PICTURES_A_BLOCK} pictures at a time"
            )
        answers = many_files.label_files_by_workers(job, paths, options.workers)
    else:
        answers = many_files.label_files(many_files.Labeller(job), paths)
    # without workers, a tiled picture shows the progress of its tiles
    show_progress = bool(options.workers or not options.tile)
    refused = _refused(answers, len(paths), show_progress)
    if len(paths) > len(refused):
        print(f"{len(paths) - len(refused)} label maps and overlays in {options.out}")
    if refused:
        reasons = "; ".join(refused[:3])
        raise ValueError(
            f"{len(refused)} of {len(paths)} pictures could not be labelled: {reasons}"
        )


def _refused(answers: Iterator[str], count: int, show_progress: bool) -> list[str]:
    """Labels the pictures, and returns why some could not be labelled."""
    if not show_progress:
        return [answer for answer in answers if answer]
    from fcn_keras.support.progress import progress

    refused = []
    with progress("segmenting", count) as advance:
        for answer in answers:
            if answer:
                refused.append(answer)
            advance()
    return refused


def fidelity(options):
    """`fidelity`: a row for each published figure, as soon as it is found."""
    import_keras_quietly()
    from fcn_keras import datasets
    from fcn_keras.published import fidelity

    rows = []
    for row in fidelity.report(datasets.road_scenes("test")):
        rows.append(row)
        if not options.json:
            verdict = "pass" if row.passed else "FAIL"
            print(f"{verdict}  {row.claim}: {row.found}  (expected: {row.expected})", flush=True)
    failed = sum(not row.passed for row in rows)
    if options.json:
        print(json.dumps(fidelity.as_dict(rows), indent=1, ensure_ascii=False))
    else:
        print(f"\n{len(rows) - failed} of {len(rows)} pass")
    return 1 if failed else 0


def scenes(options):
    """`scenes`: a plain folder of drawn scenes, like `data/road_scenes`."""
    _make_folder(options.out)
    from fcn_keras import datasets
    from fcn_keras.support import files, images
    from fcn_keras.support.progress import progress

    data = datasets.road_scenes("train", options.seed, options.count)
    names = "\n".join(data.class_names) + "\n"
    _refuse_other_pictures(options.out, names)
    with progress("writing scenes", len(data)) as advance:
        for index in range(len(data)):
            image, mask = data[index]
            assert mask is not None  # every drawn scene has one
            images.write_image(options.out / "images" / f"scene_{index:03}.jpg", image)
            images.write_image(options.out / "masks" / f"scene_{index:03}.png", mask, data.palette)
            advance()
    with files.written_whole(options.out / "classes.txt") as temporary:
        temporary.write_bytes(names.encode())
    print(f"{len(data)} scenes in {options.out}")


def _refuse_other_pictures(folder: Path, names: str):
    """Somebody's own pictures could no longer be told from the scenes."""
    others = [
        path
        for part in ("images", "masks")
        for path in sorted((folder / part).glob("*"))
        if not path.name.startswith((".", "scene_"))
    ]
    classes = folder / "classes.txt"
    if classes.exists() and classes.read_bytes().split() != names.encode().split():
        others.append(classes)
    if others:
        raise ValueError(
            f"expected --out to be new or a folder of drawn scenes, received {folder}, "
            f"which holds {others[0]}"
        )


def download(options):
    """`download`: a public data set, for `train` and `evaluate`."""
    from fcn_keras.datasets import downloads

    folder = downloads.download(options.name, options.out, options.source)
    print(f"The data: {folder}")


def check_data(options):
    """`check-data`: a line for everything that is wrong, then the share of each class."""
    import_keras_quietly()
    from fcn_keras import data_checks

    if options.picture is not None and options.picture.suffix.lower() != ".png":
        raise ValueError(f"expected --picture to end in .png, received {options.picture}")
    report = data_checks.check(options.data, options.format, options.bands, options.scale)
    if options.picture is not None and not report.shares:
        _note(f"{options.picture} is not drawn: no label map could be read")
    elif options.picture is not None:
        from fcn_keras import visualization
        from fcn_keras.visualization import your_pictures

        title = f"How common is each class? {report.name}"
        figure = your_pictures.draw_shares(report.shares, report.class_names, title)
        visualization.save(figure, options.picture)
    text = json.dumps(report.as_dict(), indent=1) if options.json else str(report)
    try:
        text.encode(sys.stdout.encoding or "utf-8")
    except UnicodeEncodeError:  # a terminal without blocks to draw bars with
        text = text.replace("█", "#").replace("▏", "|").encode("ascii", "replace").decode()
    print(text)
    return 1 if report.findings else 0


def grade(options):
    """`grade`: points, feedback pages, and files that Moodle and Canvas import."""
    with _teaching_tools():
        from fcn_keras.grading import grade
    return grade.grade(options)


def assignments(options):
    """`assignments`: the notebooks that students get."""
    with _teaching_tools():
        from fcn_keras.grading import sheets
    for path in sheets.make_assignments(options.names, options.course, options.out):
        print(path)


@contextlib.contextmanager
def _teaching_tools():
    """Only teachers need jupytext and nbgrader, so the package does not bring them."""
    import_keras_quietly()
    try:
        yield
    except ModuleNotFoundError as error:
        raise ModuleNotFoundError(
            f"{error}: `python -m pip install -e .[teach]` installs what grading needs"
        ) from None


def _note(text):
    """Says what went otherwise than asked; not on standard output, which a program may read."""
    print(f"fcn_keras: {text}", file=sys.stderr)


def _experiment(options, reuse):
    import_keras_quietly()
    from fcn_keras import backbones
    from fcn_keras.lecture.experiment import Experiment, Settings

    settings = Settings(
        data=str(options.data),
        network=options.network,
        stride=options.stride,
        fusion=options.fusion,
        backbone=options.backbone or backbones.default_name(),
        backbone_weights=options.backbone_weights,
        width=options.width,
        steps=options.steps,
        batch_size=options.batch_size,
        seed=options.seed,
        size=options.size,
        precision=options.precision,
    )
    return Experiment(settings, reuse)


def _opened(options):
    """The data set, with only the classes that were asked for."""
    from fcn_keras import datasets

    data = datasets.open_data(
        options.data, options.format, size=options.size, bands=options.bands, scale=options.scale
    )
    if options.classes:
        groups = {name.strip(): [name.strip()] for name in options.classes.split(",")}
        data = data.view(groups)
    return data


def _pictures(path: Path, suffixes: Sequence[str]) -> list[Path]:
    """A picture, or those in a folder."""
    if path.is_dir():
        found = [p for p in sorted(path.iterdir()) if p.suffix.lower() in suffixes]
        found = [p for p in found if not p.name.startswith(".")]
        if not found:
            raise FileNotFoundError(
                f"expected pictures ({', '.join(suffixes)}) in {path}, received none"
            )
        return found
    if not path.is_file():
        raise FileNotFoundError(
            f"expected a picture or a folder of pictures, received {path}, which is not there"
        )
    return [path]


def _check_names(paths: Iterable[Path], out: Path):
    """No two results may have one name, and none may lie among the pictures."""
    by_name = {}
    for path in paths:
        other = by_name.setdefault(path.stem, path)
        if other != path:
            raise ValueError(
                f"expected pictures of different names, received {other} and {path}: "
                "one would overwrite the other"
            )
        if path.parent.resolve() == out.resolve():
            raise ValueError(
                f"expected --out to be another folder than that of the pictures, received {out}"
            )


def _make_folder(folder: Path):
    """Makes the output folder before any work is done, so that a typing error costs no time."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except (FileExistsError, NotADirectoryError):
        raise ValueError(
            f"expected --out to be a folder, received {folder}, which is a file"
        ) from None
    except OSError as error:
        raise OSError(
            f"cannot write into {folder} ({error.strerror}): choose another --out"
        ) from None
    if not os.access(folder, os.W_OK):
        raise PermissionError(f"cannot write into {folder}: choose another --out")


def _print_warnings(messages: Iterable[str]):
    for message in messages:
        print(f"WARNING: {message}", file=sys.stderr)
