"""What each command of `cli` does. Heavy imports stand inside, so that `--help` and typing errors are answered at once."""

import contextlib
import hashlib
import json
import os
import sys
import time
import warnings

from fcn_keras.support.startup import import_keras_quietly


def lecture(options):
    """`lecture`: train, evaluate, draw, report."""
    start = time.perf_counter()
    _make_folder(options.out)
    experiment = _experiment(options, reuse=False)
    from fcn_keras import lecture

    _ = experiment.encoder  # weights that are missing are noticed before anything is drawn
    lecture.draw_figures(experiment, options.out, lecture.EXPERIMENT)
    experiment.finished()
    experiment.seconds["all"] = time.perf_counter() - start
    index = lecture.write_report(experiment, options.out)
    print(experiment.trained.scores)
    for message in experiment.report()["warnings"]:
        print(f"WARNING: {message}", file=sys.stderr)
    print(f"\nThe figures: open {index} ({experiment.seconds['all']:.0f} s)")


def figures(options):
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
    experiment = _experiment(options, reuse=True)
    for path in lecture.draw_figures(experiment, options.out, options.names):
        print(path)
    experiment.finished()


def train(options):
    """`train`: a model file from a data set."""
    if options.out.suffix != ".keras":
        raise ValueError(f"expected --out to end in .keras, received {options.out}")
    _make_folder(options.out.parent)
    import_keras_quietly()
    unfinished = options.checkpoint or _unfinished(options)
    with _among_others(
        options,
        f"The state is in {unfinished}: give every computer its command again, and they go on.",
    ):
        _train(options, unfinished)


def _among_others(options, advice):
    """This process as one of several, if the options say so."""
    three = options.job_addresses, options.num_processes, options.process_id
    if three == (None, None, None):
        return contextlib.nullcontext()
    if None in three:
        raise ValueError(
            "expected --job-addresses, --num-processes and --process-id together, received only some of them"
        )
    from fcn_keras.training import distribution

    return distribution.connected(*three, advice)


def _train(options, unfinished):
    import keras

    from fcn_keras import backbones, evaluation, models, training
    from fcn_keras.training import checkpoint, distribution

    shared = (
        distribution.data_parallel(options.devices)
        if options.devices or options.num_processes
        else None
    )
    data = _opened(options)
    keras.utils.set_random_seed(options.seed)
    with models.precision(options.precision):
        encoder = backbones.by_name(options.backbone, options.vgg16_weights)
        common = dict(
            backbone=encoder, width=options.width, freeze_backbone=not options.train_encoder
        )
        if options.network == "lecture":
            model = models.lecture_fcn(data.train.num_classes, skip_width=options.width, **common)
        else:
            model = models.fcn(
                data.train.num_classes, options.stride, fusion=options.fusion, **common
            )
    epochs = options.epochs or (None if options.steps else 20)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", training.TrainingWarning)  # told below, in a line each
        history = training.fit(
            model,
            data.train,
            epochs=epochs,
            steps=options.steps,
            batch_size=options.batch_size,
            learning_rate=options.learning_rate,
            augment="flip" if options.flip else None,
            seed=options.seed,
            checkpoint=unfinished,
            unfreeze="after" if options.fine_tune else None,
            fine_tuning=options.fine_tune,
            distribution=shared,
        )
    if not distribution.is_first():
        print(f"Process {options.process_id} has done its part; process 0 writes {options.out}")
        return
    models.save(model, options.out)
    print(evaluation.evaluate(model, data.test))
    checkpoint.remove(unfinished)
    for message in history.warnings:
        print(f"WARNING: {message}", file=sys.stderr)
    print(
        f"\nThe model: {options.out} (trained for {sum(history.seconds.values()):.0f} s on {len(data.train)} images)"
    )


def _unfinished(options):
    """Where the state of a training lies until its model is saved: other settings, another folder; who trains does not matter."""
    apart = ("run", "out", "checkpoint", "devices", "job_addresses", "num_processes", "process_id")
    given = {name: str(value) for name, value in vars(options).items() if name not in apart}
    digest = hashlib.sha256(json.dumps(given, sort_keys=True).encode()).hexdigest()
    return options.out.with_name(f".{options.out.stem}-unfinished-{digest[:8]}")


def evaluate(options):
    """`evaluate`: the paper's scores."""
    import_keras_quietly()
    from fcn_keras import evaluation, models

    print(evaluation.evaluate(models.load(options.model), _opened(options).test))


def segment(options):
    """`segment`: NAME_labels.png (class numbers, with a palette) and NAME_overlay.png for each picture."""
    _make_folder(options.out)
    import_keras_quietly()
    from fcn_keras.prediction import many_files
    from fcn_keras.support import images
    from fcn_keras.support.progress import progress

    suffixes = images.SUFFIXES + ((".npy",) if options.tile else ())
    paths = [path for given in options.images for path in _pictures(given, suffixes)]
    _check_names(paths, options.out)
    job = many_files.Job(options.model, options.out, options.tile)
    if options.workers:
        before = len(paths)
        paths = job.not_done(paths)
        if len(paths) < before:
            print(f"{before - len(paths)} were labelled before")
        answers = many_files.label_files_by_workers(job, paths, options.workers)
    else:
        answers = many_files.label_files(many_files.Labeller(job), paths)
    refused = []
    with contextlib.ExitStack() as stack:
        # a tile's progress is shown by what labels it
        advance = (
            stack.enter_context(progress("segmenting", len(paths)))
            if options.workers or not options.tile
            else lambda: None
        )
        for answer in answers:
            refused += [answer] if answer else []
            advance()
    if len(paths) > len(refused):
        print(f"{len(paths) - len(refused)} label maps and overlays in {options.out}")
    if refused:
        raise ValueError(
            f"{len(refused)} of {len(paths)} pictures could not be labelled: {'; '.join(refused[:3])}"
        )


def fidelity(options):
    """`fidelity`: a row for each published figure, as soon as it is found."""
    import_keras_quietly()
    from fcn_keras import datasets
    from fcn_keras.published import fidelity

    rows = []
    for row in fidelity.report(datasets.road_scenes("test")):
        rows.append(row)
        if not options.json:
            print(
                f"{'pass' if row.passed else 'FAIL'}  {row.claim}: {row.found}  (expected: {row.expected})",
                flush=True,
            )
    failed = sum(not row.passed for row in rows)
    if options.json:
        print(json.dumps(fidelity.as_dict(rows), indent=1, ensure_ascii=False))
    else:
        print(f"\n{len(rows) - failed} of {len(rows)} pass")
    return 1 if failed else 0


def scenes(options):
    """`scenes`: a plain folder of drawn scenes, as `data/road_scenes` is one."""
    _make_folder(options.out)
    from fcn_keras import datasets
    from fcn_keras.support import files, images
    from fcn_keras.support.progress import progress

    data = datasets.road_scenes("train", options.seed, options.count)
    classes, names = options.out / "classes.txt", ("\n".join(data.class_names) + "\n").encode()
    others = [
        path
        for part in ("images", "masks")
        for path in sorted((options.out / part).glob("*"))
        if not path.name.startswith((".", "scene_"))
    ]
    if classes.exists() and classes.read_bytes().split() != names.split():
        others.append(classes)
    if others:  # somebody's own pictures, which would no longer be told from the scenes
        raise ValueError(
            f"expected --out to be new or a folder of drawn scenes, received {options.out}, which holds {others[0]}"
        )
    with progress("writing scenes", len(data)) as advance:
        for index in range(len(data)):
            image, mask = data[index]
            images.write_image(options.out / "images" / f"scene_{index:03}.jpg", image)
            images.write_image(options.out / "masks" / f"scene_{index:03}.png", mask, data.palette)
            advance()
    with files.written_whole(classes) as temporary:
        temporary.write_bytes(names)
    print(f"{len(data)} scenes in {options.out}")


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
    report = data_checks.check(options.data, options.format)
    if options.picture is not None and report.shares:
        from fcn_keras import visualization
        from fcn_keras.visualization import your_pictures

        title = f"How common is each class? {report.name}"
        visualization.save(
            your_pictures.draw_shares(report.shares, report.class_names, title), options.picture
        )
    text = json.dumps(report.as_dict(), indent=1) if options.json else str(report)
    try:
        text.encode(sys.stdout.encoding or "utf-8")
    except UnicodeEncodeError:  # a terminal without blocks to draw bars with
        text = text.replace("█", "#").replace("▏", "|").encode("ascii", "replace").decode()
    print(text)
    return 1 if report.findings else 0


def grade(options):
    """`grade`: points, what happened to each task, feedback pages, and files that Moodle and Canvas import."""
    with _course_tools():
        from fcn_keras.grading import grade

        return grade.grade(options)


def assignments(options):
    """`assignments`: the notebooks that students get."""
    with _course_tools():
        from fcn_keras.grading import course

        for path in course.make_assignments(options.names, options.course, options.out):
            print(path)


@contextlib.contextmanager
def _course_tools():
    """What is wrong with a course, as a mistake of the command; nbgrader and jupytext are not everybody's."""
    import_keras_quietly()
    try:
        from fcn_keras.grading.course import CourseError
    except ModuleNotFoundError as error:
        raise ModuleNotFoundError(
            f"{error}: python -m pip install -e .[teach] installs what grading needs"
        ) from None
    try:
        yield
    except CourseError as error:
        raise ValueError(str(error)) from error


def _experiment(options, reuse):
    import_keras_quietly()
    from fcn_keras.lecture.experiment import Experiment, Settings

    return Experiment(
        Settings(
            str(options.data),
            options.network,
            options.stride,
            options.fusion,
            options.backbone,
            options.vgg16_weights,
            options.width,
            options.steps,
            options.batch_size,
            options.seed,
            options.size,
            options.precision,
        ),
        reuse,
    )


def _opened(options):
    from fcn_keras import datasets

    data = datasets.open_data(options.data, options.format, size=options.size)
    if options.classes:
        groups = {name.strip(): [name.strip()] for name in options.classes.split(",")}
        data = datasets.Opened(data.train.view(groups), data.test.view(groups))
    return data


def _pictures(path, suffixes):
    if path.is_dir():
        found = sorted(
            p for p in path.iterdir() if p.suffix.lower() in suffixes and not p.name.startswith(".")
        )
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


def _check_names(paths, out):
    """No two pictures may be written under one name, and no result may lie where it would be taken for a picture."""
    seen = {}
    for path in paths:
        other = seen.setdefault(path.stem, path)
        if other != path:
            raise ValueError(
                f"expected pictures of different names, received {other} and {path}: one would overwrite the other"
            )
        if path.parent.resolve() == out.resolve():
            raise ValueError(
                f"expected --out to be another folder than that of the pictures, received {out}"
            )


def _make_folder(folder):
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
