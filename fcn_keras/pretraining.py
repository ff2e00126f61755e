"""Where `small_vgg` gets its weights: it learns to name drawn pictures, as VGG16 learnt to name photographs.

The lecture freezes an encoder that a classification task taught (L23). This module is that task at a size that
a laptop manages: pictures from `datasets.drawn_objects`, a classifier on top of the encoder, and then only the
encoder's convolutions are kept.

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

from fcn_keras import backbones
from fcn_keras.datasets.drawn_objects import CLASS_NAMES, SIZE, draw_pictures
from fcn_keras.files import written_whole

RECIPE_VERSION = 1  # raise it whenever the same arguments would give other weights
# The recipe of the shipped file
PICTURES = 32_000
STEPS = 6_000
BATCH_SIZE = 32
LEARNING_RATE = 5e-4  # at 1e-3 more channels stayed silent on photographs (one run of each)
HELD_OUT = 3_350  # fresh pictures for the final mark: 50 of each class
HELD_OUT_SEED = 1_000_003  # another series than any training seed of everyday use
SHIFT = 6  # pixels
BALANCED_OVER = 268  # pictures: four of each class


def classifier(num_classes: int, encoder: keras.Model, tile: int | None = None) -> keras.Model:
    """Encoder, average over the picture, one dense layer: a name for the whole picture (lecture: L03).

    The averages of pool3, pool4 and pool5 stand side by side, so that the middle of the encoder is taught directly
    too: a segmentation head will read those three.

    Args:
        num_classes: Number of names.
        encoder: Model from `fcn_keras.backbones` whose output is a dict with pool3, pool4 and pool5. It is trained in
            place: its layers are part of the classifier.
        tile: `None`: one name for the picture. A multiple of 32: one for each tile of that many pixels, with the
            same weights.

    Input shape: `(batch, H, W, 3)`, RGB 0-255.
    Output shape: `(batch, num_classes)`, logits; with tiles `(batch, H/tile, W/tile, num_classes)`.

    Raises:
        ValueError: If `num_classes` is smaller than 2, or `tile` is not a multiple of 32.
    """
    if num_classes < 2 or (tile is not None and (tile < 32 or tile % 32)):
        raise ValueError(
            f"Expected num_classes of 2 or more and tile None or a multiple of 32. Received: "
            f"num_classes={num_classes}, tile={tile}"
        )
    means = []
    for level in (3, 4, 5):
        name = f"mean_pool{level}"
        mean = (
            keras.layers.GlobalAveragePooling2D(name=name)
            if tile is None
            else keras.layers.AveragePooling2D(tile // 2**level, name=name)
        )
        means.append(mean(encoder.output[f"pool{level}"]))
    x = keras.layers.Concatenate(name="means")(means)  # (B, 64 + 128 + 256) for small_vgg
    x = keras.layers.BatchNormalization(name="same_scale")(x)  # only here, where it is thrown away afterwards
    logits = keras.layers.Dense(num_classes, name="names")(x)
    return keras.Model(encoder.input, logits, name="classifier")


class Batches(keras.utils.PyDataset):
    """Batches whose contents depend only on the seed and the number of the step, so that training can resume.

    Each pass over the pool has its own order; each batch has its own mirror images and shifts.
    """

    def __init__(self, images, labels, batch_size: int, steps_per_epoch: int, seed: int):
        super().__init__()
        self.images, self.labels, self.batch_size = images, labels, batch_size
        self.steps_per_epoch, self.seed, self.epoch = steps_per_epoch, seed, 0
        self.pass_number, self.order = None, None

    def __len__(self):
        return self.steps_per_epoch

    def __getitem__(self, index):
        return self.batch(self.epoch * self.steps_per_epoch + index)

    def batch(self, step: int):
        """Step number `step` of the whole training: mosaics of 2 x 2 pictures and a name for each picture.

        Side by side, pictures see neighbours instead of the zeros beyond the border, as they will in a large image.

        Returns:
            Float32 `(B/4, 128, 128, 3)`, 0-255, and int32 `(B/4, 2, 2)`.
        """
        number, place = divmod(step, len(self.images) // self.batch_size)
        if number != self.pass_number:  # a new pass, a new order
            self.pass_number = number
            self.order = np.random.default_rng([self.seed, number]).permutation(len(self.images))
        chosen = self.order[place * self.batch_size :][: self.batch_size]
        rng = np.random.default_rng([self.seed, step, 1])
        images = np.stack([vary(rng, self.images[i]) for i in chosen])
        mosaics = images.reshape(-1, 2, 2, SIZE, SIZE, 3).transpose(0, 1, 3, 2, 4, 5)  # rows of both, then columns
        mosaics = mosaics.reshape(-1, 2 * SIZE, 2 * SIZE, 3).astype("float32")
        return mosaics, self.labels[chosen].reshape(-1, 2, 2)


def vary(rng, image):
    """A mirror image half of the time, shifted by a few pixels (the border is reflected). Same shape."""
    if rng.random() < 0.5:
        image = image[:, ::-1]
    row, column = rng.integers(0, 2 * SHIFT + 1, 2)
    height, width, _ = image.shape
    padded = np.pad(image, ((SHIFT, SHIFT), (SHIFT, SHIFT), (0, 0)), mode="reflect")
    return padded[row : row + height, column : column + width]


class _TellEpoch(keras.callbacks.Callback):
    """Tells the batches which epoch it is: after a resumption training does not start with epoch 0."""

    def __init__(self, batches):
        super().__init__()
        self.batches = batches

    def on_epoch_begin(self, epoch, logs=None):
        self.batches.epoch = epoch


class _PrintEpoch(keras.callbacks.Callback):
    """One line an epoch."""

    def on_epoch_end(self, epoch, logs=None):
        numbers = "  ".join(f"{name} {value:.3f}" for name, value in (logs or {}).items())
        print(f"epoch {epoch + 1}/{self.params['epochs']}  {numbers}", file=sys.stderr, flush=True)


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
    for layer, output in zip(convolutions, probe.predict(images, batch_size=16, verbose=0), strict=True):
        deviation = output.std(axis=(0, 1, 2))
        deviation = np.maximum(deviation, 0.05 * deviation.mean() + 1e-6)  # what is almost silent stays quiet
        kernel, bias = layer.get_weights()  # (3, 3, channels in, channels out), (channels out,)
        layer.set_weights([kernel * np.reshape(factor, (1, 1, -1, 1)) / deviation, bias / deviation])
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
        f"{layer.name}/{variable.name}": keras.ops.convert_to_numpy(variable).astype("float16")
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


def _rate(steps):
    """Adam's learning rate: up in the first twentieth of the steps, then down along a cosine to 0."""
    warmup = steps // 20  # a cautious start, since nothing normalises between the convolutions
    if not warmup:
        return keras.optimizers.schedules.CosineDecay(LEARNING_RATE, steps)
    return keras.optimizers.schedules.CosineDecay(
        0.0, steps - warmup, warmup_target=LEARNING_RATE, warmup_steps=warmup
    )


def pretrain(
    out,
    pictures: int = PICTURES,
    steps: int = STEPS,
    batch_size: int = BATCH_SIZE,
    seed: int = 0,
    checkpoint=None,
    held_out: int = HELD_OUT,
    verbose: bool = True,
    callbacks=(),
) -> dict:
    """Draws pictures, trains `small_vgg` to name them and writes the encoder's weights.

    Args:
        out: The `.npz` to write: float16 arrays `"conv1_1/kernel"`, ... and `"recipe"`, JSON.
        pictures: Size of the pool, which is drawn once; at least `batch_size`.
        steps: Training steps; rounded up to whole epochs.
        batch_size: Pictures a step, a multiple of 4.
        seed: Same seed and machine: same weights.
        checkpoint: Folder to resume from after an interruption; emptied by Keras after the last epoch.
        held_out: Fresh pictures for the accuracy in the report.
        verbose: Print a line an epoch on standard error.
        callbacks: More Keras callbacks.

    Returns:
        The recipe that is also in the file: recipe_version, seed, classes, pictures, steps, batch_size,
        held_out_accuracy, keras, backend, seconds, sha256.

    Raises:
        ValueError: If a number is too small, or the checkpoint belongs to other arguments.
    """
    if batch_size < 4 or batch_size % 4 or pictures < batch_size or steps < 1 or held_out < 1 or seed < 0:
        raise ValueError(
            "Expected batch_size to be a multiple of 4, pictures >= batch_size, steps >= 1, held_out >= 1 and "
            "seed >= 0. Received: "
            f"pictures={pictures}, steps={steps}, batch_size={batch_size}, seed={seed}, held_out={held_out}"
        )
    started = time.perf_counter()
    steps_per_epoch = min(steps, pictures // batch_size)
    epochs = -(-steps // steps_per_epoch)
    steps = epochs * steps_per_epoch
    arguments = {"pictures": pictures, "steps": steps, "batch_size": batch_size, "seed": seed}
    callbacks = list(callbacks)
    if checkpoint is not None:
        _check_folder(Path(checkpoint), {"recipe_version": RECIPE_VERSION, **arguments})
        callbacks.append(keras.callbacks.BackupAndRestore(str(Path(checkpoint) / "backup")))

    if verbose:
        print(f"drawing {pictures} pictures of {len(CLASS_NAMES)} classes", file=sys.stderr, flush=True)
    images, labels = draw_pictures(pictures, seed=seed)
    keras.utils.set_random_seed(seed)
    encoder = backbones.small_vgg(weights=None)
    model = classifier(len(CLASS_NAMES), encoder, tile=SIZE)
    model.compile(
        keras.optimizers.Adam(_rate(steps), global_clipnorm=1.0),
        keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        metrics=["accuracy"],
        # On a CPU compiling with XLA costs more than it brings; JAX cannot do without.
        jit_compile=False if keras.backend.backend() == "tensorflow" else "auto",
    )
    batches = Batches(images, labels, batch_size, steps_per_epoch, seed)
    callbacks += [_TellEpoch(batches)] + [_PrintEpoch()] * verbose
    model.fit(batches, epochs=epochs, shuffle=False, verbose=0, callbacks=callbacks)

    fresh, names = draw_pictures(held_out, seed=HELD_OUT_SEED)
    logits = model.predict(fresh, batch_size=100, verbose=0)  # (held_out, 1, 1, classes)
    accuracy = float(np.mean(logits.argmax(-1).ravel() == names))
    balance(encoder, images[:BALANCED_OVER])  # last: the classifier's dense layer does not know the new scales
    arrays = encoder_arrays(encoder)
    recipe = {
        "recipe_version": RECIPE_VERSION,
        **arguments,
        "classes": list(CLASS_NAMES),
        "held_out_accuracy": round(accuracy, 4),
        "keras": keras.__version__,
        "backend": keras.backend.backend(),
        "seconds": round(time.perf_counter() - started),
        "sha256": checksum(arrays),
    }
    save(out, arrays, recipe)
    return recipe


def main(arguments=None) -> int:
    """`python -m fcn_keras.pretraining`: makes the file that ships with the package."""
    parser = argparse.ArgumentParser(prog="python -m fcn_keras.pretraining", description=main.__doc__)
    parser.add_argument("--out", required=True, help="the .npz to write")
    parser.add_argument("--pictures", type=int, default=PICTURES, help="pictures to draw (default: %(default)s)")
    parser.add_argument("--steps", type=int, default=STEPS, help="training steps (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=0, help="default: %(default)s")
    parser.add_argument("--checkpoint", help="folder from which an interrupted run resumes")
    options = parser.parse_args(arguments)
    try:
        recipe = pretrain(**vars(options))
    except (ValueError, OSError) as error:
        parser.error(str(error))  # one line on standard error, exit status 2
    print(f"{options.out}: held-out accuracy {recipe['held_out_accuracy']:.3f} after {recipe['seconds']} s")
    return 0


if __name__ == "__main__":
    sys.exit(main())
