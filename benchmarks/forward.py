"""How fast is a forward pass, compared with a matrix product on the same machine?

Run it with `python benchmarks/forward.py`.
"""

import keras
import numpy as np
from measuring import keep, median_seconds

import fcn_keras as fcn

SIZE, IMAGES = (160, 576), 4  # the lecture's pictures
SIDE = 4096  # of the matrices


def multiplications(model) -> int:
    """Multiplications for one picture: for each kernel, its weights times its output positions."""
    rows = fcn.models.describe(model, SIZE)
    convolutions = [layer for layer in model.layers if hasattr(layer, "kernel")]
    kernels = {layer.name: np.prod(layer.kernel.shape) for layer in convolutions}
    positions = {row.name: np.prod(row.output_shape[:2]) for row in rows}
    return int(sum(kernels[name] * positions[name] for name in kernels))


if __name__ == "__main__":
    matrix = keras.random.normal((SIDE, SIDE), seed=0)
    product = 2 * SIDE**3 / median_seconds(lambda: np.asarray(keras.ops.matmul(matrix, matrix)), 7)
    print(f"matrix product, {SIDE} x {SIDE}: {product / 1e9:.0f} GFLOP/s")
    images = np.random.default_rng(0).integers(0, 256, (IMAGES, *SIZE, 3)).astype("float32")
    found = {"matrix_product_gflops": product / 1e9}
    encoders = {"vgg16": fcn.backbones.vgg16(weights=None), "small_vgg": fcn.backbones.small_vgg()}
    for name, encoder in encoders.items():
        seconds = median_seconds(lambda model=encoder: model.predict_on_batch(images), 7) / IMAGES
        speed = 2 * multiplications(encoder) / seconds
        print(
            f"{name}: {seconds:.3f} s per picture, {speed / 1e9:.0f} GFLOP/s, "
            f"{speed / product:.2f} of the matrix product's speed"
        )
        found |= {f"{name}_seconds": seconds, f"{name}_share": speed / product}
    keep("forward", **found)
