"""Where `small_vgg` gets its weights: it learns what every pixel of drawn places is (`datasets.drawn_worlds`).

The lecture freezes an encoder that a million photographs taught (L23). This package ships no photographs, so it
draws places, trains the paper's FCN on them, scores read straight off the pools, with the same `training.fit` that
students use, and keeps only the encoder. `benchmarks/README.md` tells what else was tried.

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
from fcn_keras.datasets.drawn import WORLD_CLASSES as CLASS_NAMES
from fcn_keras.support.files import written_whole

RECIPE_VERSION = 3  # raise it whenever the same arguments would give other weights
# The recipe of the shipped file
PICTURES = 16_000
STEPS = 9_000
BATCH_SIZE = 12
LEARNING_RATE = 1e-3
HELD_OUT = 200  # fresh pictures for the final mark
HELD_OUT_SEED = 1_000_003  # another series than any training seed of everyday use
BALANCED_OVER = 200  # pictures


def network(encoder: keras.Model, num_classes: int) -> keras.Model:
    """FCN-8s without fc6 and fc7: each pool is asked directly, by a 1 × 1 convolution, so all the seeing is the encoder's."""
    return models.fcn(num_classes, 8, encoder, width=None, freeze_backbone=False)


def balance(encoder: keras.Model, images) -> None:
    """Gives every channel a deviation of 1 over some pictures; what the network computes else stays the same.

    ReLU and maximum commute with a positive factor, so a channel's kernel and bias can be divided by a number if the
    next convolution's weights for that channel are multiplied by it. The lecture's head *adds* pool3 and pool4 to
    what it computed, so their scale matters to it: this spares it learning around small ones.

    Args:
        encoder: A chain of convolutions with ReLU, changed in place.
        images: `(N, H, W, 3)`, 0-255.
    """
    convolutions = [layer for layer in encoder.layers if isinstance(layer, keras.layers.Conv2D)]
    probe = keras.Model(encoder.input, [layer.output for layer in convolutions])
    factor = 1.0  # of the layer before, per channel
    for layer, output in zip(
        convolutions, probe.predict(images, batch_size=16, verbose=0), strict=True
    ):
        deviation = output.std(axis=(0, 1, 2))
        deviation = np.maximum(
            deviation, 0.05 * deviation.mean() + 1e-6
        )  # what is almost silent stays quiet
        kernel, bias = layer.get_weights()  # (3, 3, channels in, channels out), (channels out,)
        layer.set_weights(
            [kernel * np.reshape(factor, (1, 1, -1, 1)) / deviation, bias / deviation]
        )
        factor = deviation


def checksum(arrays: dict) -> str:
    """SHA-256 over the bytes of the arrays in the order of their names, `"recipe"` left out."""
    digest = hashlib.sha256()
    for name in sorted(set(arrays) - {"recipe"}):
        digest.update(np.ascontiguousarray(arrays[name]).tobytes())
    return digest.hexdigest()


def encoder_arrays(encoder: keras.Model) -> dict:
    """An encoder's weights as float16 arrays named `"conv1_1/kernel"`, `"conv1_1/bias"`, ..."""
    return {
        f"{layer.name}/{variable.name}": keras.ops.convert_to_numpy(variable.value).astype(
            "float16"
        )
        for layer in encoder.layers
        for variable in layer.weights
    }


def save(out, arrays: dict, recipe: dict) -> None:
    """Writes an `.npz` that `backbones.load_npz` reads, whole or not at all."""
    with written_whole(out) as temporary, open(temporary, "wb") as file:
        np.savez_compressed(file, **arrays, recipe=np.array(json.dumps(recipe)))


def _check_folder(checkpoint: Path, arguments: dict) -> None:
    """A checkpoint of another recipe must not be mixed in silently."""
    checkpoint.mkdir(parents=True, exist_ok=True)
    note = checkpoint / "arguments.json"
    if note.exists() and json.loads(note.read_text()) != arguments:
        raise ValueError(
            f"Expected the checkpoint in {checkpoint} to come from the same arguments. "
            f"Received: {arguments}, but the folder was made with {note.read_text()}. Take another folder."
        )
    note.write_text(json.dumps(arguments))


def pretrain(
    out,
    pictures: int = PICTURES,
    steps: int = STEPS,
    batch_size: int = BATCH_SIZE,
    seed: int = 0,
    checkpoint=None,
    held_out: int = HELD_OUT,
) -> dict:
    """Draws places, trains `small_vgg` to say what each pixel is and writes the encoder's weights.

    Args:
        out: The `.npz` to write: float16 arrays `"conv1_1/kernel"`, ... and `"recipe"`, JSON.
        pictures: Size of the pool, which is drawn once and kept in memory, 82 KB each.
        steps: Training steps.
        batch_size: Pictures a step.
        seed: Same seed and machine: same weights.
        checkpoint: Folder to resume from after an interruption.
        held_out: Fresh pictures for the scores in the report.

    Returns:
        The recipe that is also in the file: recipe_version, seed, classes, pictures, steps, batch_size,
        held_out_mean_iou, keras, backend, seconds, sha256.

    Raises:
        ValueError: If a number is too small, or the checkpoint belongs to other arguments.
    """
    if batch_size < 1 or pictures < batch_size or steps < 1 or held_out < 1 or seed < 0:
        raise ValueError(
            "Expected batch_size >= 1, pictures >= batch_size, steps >= 1, held_out >= 1 and seed >= 0. Received: "
            f"pictures={pictures}, steps={steps}, batch_size={batch_size}, seed={seed}, held_out={held_out}"
        )
    started = time.perf_counter()
    arguments = {"pictures": pictures, "steps": steps, "batch_size": batch_size, "seed": seed}
    if checkpoint is not None:
        _check_folder(Path(checkpoint), {"recipe_version": RECIPE_VERSION, **arguments})
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
    print(
        f"{options.out}: mean IoU {recipe['held_out_mean_iou']:.3f} on fresh pictures, after {recipe['seconds']} s"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
