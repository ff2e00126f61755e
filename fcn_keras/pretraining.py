"""How `small_vgg` gets its weights: it learns the class of every pixel of `datasets.drawn_worlds`.

The lecture freezes an encoder that was trained on a million photographs (L23). This package ships
no photographs. It draws places instead, trains the paper's FCN on them with the same `training.fit`
that students use, and keeps only the encoder. The scores are read directly off the pools.
`benchmarks/README.md` reports what else was tried.

    python -m fcn_keras.pretraining --out small_vgg.npz
"""

import argparse
import hashlib
import json
import sys
import time
from pathlib import Path

import keras
import numpy as np

from fcn_keras import backbones, evaluation, models, published, training
from fcn_keras.datasets import drawn_worlds
from fcn_keras.datasets.drawn.world_canvas import CLASS_NAMES
from fcn_keras.support.files import written_whole
from fcn_keras.support.kinds import Count, File, Seed, checked

RECIPE_VERSION = 3  # raise it whenever the same arguments would give other weights

# The recipe of the shipped file
PICTURES = 16_000
STEPS = 9_000
BATCH_SIZE = 12
LEARNING_RATE = 1e-3
HELD_OUT = 200  # fresh pictures for the final scores
HELD_OUT_SEED = 1_000_003  # far from any seed that is used for training
BALANCED_OVER = 200  # pictures


def network(encoder: keras.Model, num_classes: int) -> keras.Model:
    """FCN-8s without fc6 and fc7: it reads each pool by a 1 × 1 convolution only.

    So everything that it recognizes, the encoder has recognized.
    """
    return models.fcn(num_classes, 8, encoder, width=None, freeze_backbone=False)


def balance(encoder: keras.Model, images) -> None:
    """Scales every channel to a standard deviation of 1 over some pictures.

    Apart from these factors the network computes the same. ReLU and maximum commute with a positive
    factor, so a channel's kernel and bias can be divided by a number if the next convolution's
    weights for that channel are multiplied by it. The lecture's head *adds* pool3 and pool4 to its
    own features, so their scale matters: if it is small, the head must first learn to enlarge it.

    Args:
        encoder: A chain of convolutions with ReLU, changed in place.
        images: `(N, H, W, 3)`, 0–255.
    """
    convolutions = [layer for layer in encoder.layers if isinstance(layer, keras.layers.Conv2D)]
    probe = keras.Model(encoder.input, [layer.output for layer in convolutions])
    outputs = probe.predict(images, batch_size=16, verbose=0)  # pyright: ignore[reportArgumentType]
    factor = np.ones(1)  # by which each channel of the layer before was divided
    for layer, output in zip(convolutions, outputs, strict=True):
        deviation = output.std(axis=(0, 1, 2))
        # a channel that is almost silent is not made loud
        deviation = np.maximum(deviation, 0.05 * deviation.mean() + 1e-6)
        kernel, bias = layer.get_weights()  # (3, 3, channels in, channels out), (channels out,)
        kernel = kernel * factor.reshape(1, 1, -1, 1) / deviation
        layer.set_weights([kernel, bias / deviation])
        factor = deviation


def checksum(arrays: dict) -> str:
    """SHA-256 of the bytes of all arrays but `"recipe"`, in the order of their names."""
    digest = hashlib.sha256()
    for name in sorted(set(arrays) - {"recipe"}):
        digest.update(np.ascontiguousarray(arrays[name]).tobytes())
    return digest.hexdigest()


def encoder_arrays(encoder: keras.Model) -> dict:
    """An encoder's weights as float16 arrays named `"conv1_1/kernel"`, `"conv1_1/bias"`, ..."""
    named = {f"{layer.name}/{v.name}": v.value for layer in encoder.layers for v in layer.weights}
    as_array = keras.ops.convert_to_numpy
    return {name: np.asarray(as_array(value), "float16") for name, value in named.items()}


def save(out, arrays: dict, recipe: dict) -> None:
    """Writes an `.npz` that `backbones.load_npz` reads, whole or not at all."""
    with written_whole(out) as temporary, open(temporary, "wb") as file:
        np.savez_compressed(file, **arrays, recipe=np.array(json.dumps(recipe)))


def _require_same_recipe(checkpoint: Path, arguments: dict) -> None:
    """Refuses the checkpoint of another recipe, and notes the recipe in a new one."""
    checkpoint.mkdir(parents=True, exist_ok=True)
    note = checkpoint / "arguments.json"
    if note.exists() and json.loads(note.read_text()) != arguments:
        raise ValueError(
            f"Expected the checkpoint in {checkpoint} to come from the same arguments. "
            f"Received: {arguments}, but the folder was made with {note.read_text()}. "
            "Take another folder."
        )
    note.write_text(json.dumps(arguments))


@checked
def pretrain(
    out: File,
    pictures: Count = PICTURES,
    steps: Count = STEPS,
    batch_size: Count = BATCH_SIZE,
    seed: Seed = 0,
    checkpoint: File | None = None,
    held_out: Count = HELD_OUT,
) -> dict:
    """Draws places, trains `small_vgg` to classify every pixel, and writes the encoder's weights.

    Args:
        out: The `.npz` to write: float16 arrays `"conv1_1/kernel"`, … and `"recipe"`, JSON.
        pictures: How many are drawn. They are drawn once and stay in memory, 82 KB each.
        steps: Training steps.
        batch_size: Pictures per step.
        seed: The same seed on the same machine gives the same weights.
        checkpoint: Folder from which an interrupted run resumes.
        held_out: How many fresh pictures give the scores in the recipe.

    Returns:
        The recipe that is also in the file: recipe_version, seed, classes, pictures, steps,
        batch_size, held_out_mean_iou, keras, backend, seconds, sha256.

    Raises:
        TypeError: If `out` or `checkpoint` is not a path.
        ValueError: If a number is too small, or the checkpoint belongs to other arguments.
    """
    if pictures < batch_size:
        raise ValueError(
            "Expected pictures to be at least batch_size. "
            f"Received: pictures={pictures}, batch_size={batch_size}"
        )
    started = time.perf_counter()
    arguments = {"pictures": pictures, "steps": steps, "batch_size": batch_size, "seed": seed}
    if checkpoint is not None:
        _require_same_recipe(Path(checkpoint), {"recipe_version": RECIPE_VERSION, **arguments})
    worlds = drawn_worlds(pictures, seed)
    keras.utils.set_random_seed(seed)
    encoder = backbones.small_vgg(weights=None)
    model = network(encoder, worlds.num_classes)
    training.fit(
        model,
        worlds,
        steps=steps,
        batch_size=batch_size,
        learning_rate=LEARNING_RATE,
        augment="flip",
        seed=seed,
        checkpoint=checkpoint and Path(checkpoint) / "state",
    )
    scores = evaluation.evaluate(model, drawn_worlds(held_out, HELD_OUT_SEED), batch_size=20)
    published.carry_over(model, encoder)
    balance(encoder, np.stack([worlds[index][0] for index in range(min(BALANCED_OVER, pictures))]))
    arrays = encoder_arrays(encoder)
    recipe = {
        "recipe_version": RECIPE_VERSION,
        **arguments,
        "classes": list(CLASS_NAMES),
        "held_out_mean_iou": round(scores.mean_iou, 4),
        "keras": keras.__version__,
        "backend": keras.backend.backend(),
        "seconds": round(time.perf_counter() - started),
        "sha256": checksum(arrays),
    }
    save(out, arrays, recipe)
    return recipe


def main(arguments=None) -> int:
    """`python -m fcn_keras.pretraining`: makes the file that ships with the package."""
    parser = argparse.ArgumentParser(
        prog="python -m fcn_keras.pretraining", description=main.__doc__
    )
    parser.add_argument("--out", required=True, help="the .npz to write")
    parser.add_argument(
        "--pictures", type=int, default=PICTURES, help="pictures to draw (default: %(default)s)"
    )
    parser.add_argument(
        "--steps", type=int, default=STEPS, help="training steps (default: %(default)s)"
    )
    parser.add_argument("--seed", type=int, default=0, help="default: %(default)s")
    parser.add_argument("--checkpoint", help="folder from which an interrupted run resumes")
    options = parser.parse_args(arguments)
    try:
        recipe = pretrain(**vars(options))
    except (ValueError, OSError) as error:
        parser.error(str(error))  # one line on standard error, exit status 2
    mean_iou, seconds = recipe["held_out_mean_iou"], recipe["seconds"]
    print(f"{options.out}: mean IoU {mean_iou:.3f} on fresh pictures, after {seconds} s")
    return 0


if __name__ == "__main__":
    sys.exit(main())
