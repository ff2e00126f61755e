"""Every option of every command changes what is built or run, or it is refused."""

import contextlib
import functools
import hashlib
import json

import keras
import made_sets
import numpy as np
import pytest

import fcn_keras as fcn
from fcn_keras.command_line import commands
from fcn_keras.command_line.parser import main, parser
from fcn_keras.datasets import opening
from fcn_keras.prediction import many_files
from fcn_keras.training import distribution

# What is typed for an option, different from its default. Options without a value: ().
VALUES = {
    "--assignment": ("1",),
    "--backbone": ("vgg16",),
    "--backbone-weights": ("w.h5",),
    "--bands": ("3,2,1",),
    "--batch-size": ("3",),
    "--checkpoint": ("kept",),
    "--classes": ("road",),
    "--count": ("2",),
    "--course": ("course",),
    "--data": ("FOLDER",),
    "--devices": ("2",),
    "--epochs": ("3",),
    "--fine-tune": ("4",),
    "--fine-tuning-rate": ("0.01",),
    "--flip": (),
    "--format": ("FORMAT",),
    "--from": ("elsewhere",),
    "--fusion": ("concat",),
    "--job-addresses": ("host:1", "--num-processes", "2", "--process-id", "0"),
    "--json": (),
    "--learning-rate": ("0.5",),
    "--list": (),
    "--network": ("fcn",),
    "--num-processes": ("2",),
    "--out": ("other.keras",),
    "--picture": ("shares.png",),
    "--precision": ("mixed_bfloat16",),
    "--process-id": ("1",),
    "--scale": ("0,3000",),
    "--seconds": ("99",),
    "--seed": ("5",),
    "--size": ("32x40",),
    "--steps": ("7",),
    "--stride": ("16",),
    "--students": ("class.csv",),
    "--tile": ("64",),
    "--train-encoder": (),
    "--width": ("6",),
    "--workers": ("3",),
}

NETWORKS = {
    "lecture": (),
    "fcn": ("--network", "fcn"),
    "fcn32": ("--network", "fcn", "--stride", "32"),
    "vgg16": ("--backbone", "vgg16"),
}
DATA = ("folder", "npy", "road_scenes")


class Ran(BaseException):
    """A command has come as far as this test lets it."""


def commands_and_parsers():
    return next(dict(a.choices) for a in parser()._actions if isinstance(a.choices, dict))


def options_of(command):
    """The options of a command, as they are typed."""
    options = [action.option_strings for action in commands_and_parsers()[command]._actions]
    return [strings[0] for strings in options if strings and "--help" not in strings]


def digest(*arrays):
    return hashlib.sha256(b"".join(np.asarray(a).tobytes() for a in arrays)).hexdigest()[:8]


def described(model):
    """What a network computes with, its first weights included."""
    rows = [(row.name, row.kind, row.trained, row.parameters) for row in fcn.models.describe(model)]
    return rows, {layer.dtype_policy.name for layer in model.layers}, digest(*model.get_weights())


def seen(data):
    """What is trained and tested on."""
    return [
        (part.class_names, len(part), part[0][0].shape, digest(*part[0]))
        for part in (data.train, data.test)
    ]


@pytest.fixture(scope="module")
def sets(tmp_path_factory):
    root = tmp_path_factory.mktemp("sets")
    made_sets.plain(root / "folder", 5)
    made_sets.npy(root / "npy", 5)
    (root / "w.h5").write_bytes(b"")
    fcn.images.write_image(root / "p.png", made_sets.scene(0, 3)[0])
    return root


@pytest.fixture
def ran(sets, monkeypatch, capsys):
    """Runs a command up to its dearest step: `(refused, what was built and would run)`."""
    notes = []

    def noted(name, result=None):
        return lambda *args, **named: notes.append((name, args, named)) or result

    def stop(name):
        def stopping(*args, **named):
            notes.append((name, args, named))
            raise Ran

        return stopping

    def tiny(name):
        def encoder(*args):
            notes.append((name, args))
            return tiny_encoder()

        return encoder

    def fit(model, data, **named):
        kept = str(named.pop("checkpoint"))
        notes.append((described(model), len(data), named, "unfinished" in kept or kept))
        raise Ran

    def draw(experiment, out, names):
        settings, network = experiment.settings, experiment.network()
        notes.append((described(network), settings.steps, settings.batch_size, out))
        notes.append(seen(experiment.data))
        raise Ran

    opened = fcn.datasets.open_data

    def open_data(*args, **named):
        data = opened(*args, **named)
        notes.append(seen(data))
        return data

    recognise = opening.recognise
    monkeypatch.setattr(opening, "recognise", lambda s: notes.append("looked") or recognise(s))
    monkeypatch.setattr(fcn.datasets, "open_data", open_data)
    monkeypatch.setattr(fcn.datasets, "draw_all", lambda sets: None)
    for name in ("efficientnet_lite0", "small_vgg", "vgg16"):
        monkeypatch.setattr(fcn.backbones.choosing, name, tiny(name))
    monkeypatch.setattr(fcn.models, "fcn", built_once(fcn.models.fcn))
    monkeypatch.setattr(fcn.models, "lecture_fcn", built_once(fcn.models.lecture_fcn))
    monkeypatch.setattr(fcn.training, "fit", fit)
    monkeypatch.setattr(fcn.lecture, "draw_figures", draw)
    monkeypatch.setattr(distribution, "data_parallel", noted("devices"))
    monkeypatch.setattr(distribution, "connected", noted("connected", contextlib.nullcontext()))
    monkeypatch.setattr(fcn.models, "load", noted("loaded", tiny_encoder()))
    monkeypatch.setattr(
        fcn.evaluation,
        "evaluate",
        lambda _, data, size: notes.append((data.class_names, size)) or stop("")(),
    )
    monkeypatch.setattr(many_files, "Job", noted("job", many_files.Job("m", "out")))
    monkeypatch.setattr(many_files, "Labeller", lambda job: job)
    monkeypatch.setattr(many_files, "label_files", stop("alone"))
    monkeypatch.setattr(many_files, "label_files_by_workers", stop("workers"))

    def run(*arguments):
        notes.clear()
        monkeypatch.chdir(sets)
        try:
            status = main([str(argument) for argument in arguments])
        except Ran:
            status = 0
        except SystemExit as stopped:  # argparse
            status = stopped.code
        said = capsys.readouterr()
        if status == 2:
            assert said.err.startswith("fcn_keras: ") and said.err.count("\n") == 1, said.err
            return said.err, None
        assert status == 0, said
        return "", json.dumps([*notes, said.out, said.err], default=str)

    return run


@functools.cache
def tiny_encoder():
    return fcn.backbones.vgg(((4,),) * 5, keras.layers.Rescaling(1 / 255), "tiny")


def built_once(build):
    """The builder, which builds a network once for each choice, seed and precision."""
    kept = {}

    def builder(*args, **named):
        seed = np.random.get_state(legacy=False)["state"]["key"][0]  # as the command set it
        key = str((args, sorted(named.items()), seed, keras.config.dtype_policy().name))
        if key not in kept:
            kept[key] = build(*args, **named)
        return kept[key]

    return builder


def expected_refusals(network, data):
    """The options that nothing reads, and those that this data set cannot have."""
    refused = {
        "--stride": network in ("lecture", "vgg16"),
        "--fusion": network != "fcn",
        "--fine-tuning-rate": True,  # these trainings have no second stage
        "--size": data != "folder",
        "--format": data == "road_scenes",
        "--bands": data != "folder",
        "--scale": True,  # these pictures have 8 bits
        # these two need each other, and the address
        "--num-processes": True,
        "--process-id": True,
    }
    return {option for option, reason in refused.items() if reason}


def tried(ran, command, arguments, skipped=()):
    """Adds each option to a command: `({option: refusal}, the options that change nothing)`."""
    _, plainly = ran(command, *arguments)
    refused, without_effect = {}, []
    for option in options_of(command):
        if option in skipped:
            continue
        refusal, found = ran(command, *arguments, option, *VALUES[option])
        if refusal:
            refused[option] = refusal
        elif found == plainly:
            without_effect.append(option)
    return refused, without_effect


CASES = [("train", "fcn32", "folder"), ("lecture", "lecture", "npy")]  # in `make test`
EACH = [(network, "folder") for network in NETWORKS]
EACH += [("lecture", "npy"), ("lecture", "road_scenes")]
LONG = [(command, *each) for command in ("train", "lecture") for each in EACH]
LONG = [pytest.param(*case, marks=pytest.mark.long) for case in LONG if case not in CASES]


@pytest.mark.parametrize(("command", "network", "data"), [*CASES, *LONG])
def test_an_option_of_a_training_changes_it_or_is_refused(ran, command, network, data, monkeypatch):
    values = {"--format": ("npy" if data == "npy" else "folder",), "--data": ("npy",)}
    values |= {"--data": ("folder",)} if data == "npy" else {}
    monkeypatch.setattr(f"{__name__}.VALUES", VALUES | values)
    given = [data, "--out", "m.keras"] if command == "train" else ["--data", data]
    named = [option for option in NETWORKS[network] if option.startswith("--")]
    # where the model goes decides nothing else; it is written, as the other tests see
    refused, without_effect = tried(ran, command, [*given, *NETWORKS[network]], ["--out", *named])
    # the lecture's files have no other class than road
    assert without_effect == ["--classes"] * (command == "train" and data == "npy")
    expected = expected_refusals(network, data) & set(options_of(command))
    assert set(refused) == expected - set(named)
    for option in {"--stride", "--fusion"} & set(refused):
        assert f"{option} would have no effect" in refused[option]


@pytest.mark.parametrize(
    ("command", "arguments", "refused"),
    [
        ("evaluate", ("m.keras", "folder"), {"--scale"}),
        ("evaluate", ("m.keras", "npy"), {"--size", "--bands", "--scale"}),
        ("evaluate", ("m.keras", "road_scenes"), {"--size", "--format", "--bands", "--scale"}),
        ("segment", ("m.keras", "p.png", "--out", "out"), set()),
    ],
)
def test_an_option_of_using_a_model_changes_it_or_is_refused(
    ran, command, arguments, refused, monkeypatch
):
    form = {"--format": ("npy" if "npy" in arguments else "folder",)}
    monkeypatch.setattr(f"{__name__}.VALUES", VALUES | form)
    found, without_effect = tried(ran, command, arguments, ["--out"])
    assert set(found) == refused
    assert without_effect == ["--classes"] * ("npy" in arguments)


def test_more_workers_than_pictures_are_named(ran):
    _, notes = ran("segment", "m.keras", "p.png", "--out", "out", "--workers", "3")
    assert "1 of 3 workers have something to do: each takes 8 pictures" in notes


def test_checking_data_says_what_it_does_not_draw(sets, tmp_path, capsys, monkeypatch):
    """Every other option changes what is printed."""
    plain = made_sets.plain(tmp_path / "data", 2)
    for mask in (plain / "masks").iterdir():
        mask.write_bytes(b"")
    picture = tmp_path / "shares.png"
    assert main(["check-data", str(plain), "--picture", str(picture), "--json"]) == 1
    said = capsys.readouterr()
    assert "shares.png is not drawn: no label map could be read" in said.err
    assert json.loads(said.out)["shares"] == {} and not picture.exists()
    assert main(["check-data", "road_scenes", "--format", "voc"]) == 2
    assert "a format only with a folder" in capsys.readouterr().err


@pytest.mark.parametrize("more", [["--stride", "8"], ["L07"], ["--out", "x"], ["--seed", "0"]])
def test_listing_figures_takes_nothing_else(more, capsys):
    assert main(["figures", "--list", *more]) == 2
    said = capsys.readouterr().err
    assert "would have no effect: --list only lists" in said and said.count("\n") == 1


def test_figures_say_which_options_they_did_not_read(tmp_path, capsys, monkeypatch):
    """Also when what they show was trained before."""
    monkeypatch.setenv("FCN_KERAS_HOME", str(tmp_path))
    options = ["--out", str(tmp_path), "--width", "6", "--seed", "0"]
    assert main(["figures", "L09c", *options, "--network", "fcn", "--stride", "32"]) == 0
    expected = "fcn_keras: no effect on these figures: --network, --seed, --stride, --width\n"
    assert capsys.readouterr().err.endswith(expected)
    for _ in range(2):
        assert main(["figures", "L09c", "L02b", *options, "--steps", "1"]) == 0
        said = capsys.readouterr().err  # the progress is told, too, where it takes seconds
        assert said.endswith("fcn_keras: no effect on these figures: --width\n")


def test_a_default_that_is_typed_continues_the_same_training():
    def state(*more):
        options = parser().parse_args(["train", "folder", "--out", "m.keras", *more])
        options.given = set(more)
        return commands._folder_of_state(options)

    assert (
        state("--width", "32", "--seed", "0", "--network", "lecture") == state() != state("--flip")
    )


def test_every_command_has_its_options_tried():
    """Here, or where its name stands."""
    elsewhere = {
        "fidelity": {"--json"},  # test_cli
        "download": {"--out", "--from"},  # test_downloads
        # test_data_checks, test_depths_and_bands
        "check-data": {"--format", "--picture", "--json", "--bands", "--scale"},
        "assignments": {"--course", "--out"},  # test_assignments
        "grade": {"--out", "--course", "--students", "--assignment", "--workers", "--seconds"},
        "scenes": {"--out", "--count", "--seed"},  # test_cli, test_road_drawing
        "explainer": {"--out"},  # explainer/test_page
        "figures": {"--list"},  # the others are those of lecture
    }
    here = {"train", "lecture", "evaluate", "segment"}
    assert set(commands_and_parsers()) == here | set(elsewhere)
    assert set(options_of("figures")) == elsewhere.pop("figures") | set(options_of("lecture"))
    for command, options in elsewhere.items():
        assert set(options_of(command)) == options
