"""Assignment 1: plausible wrong answers, each with a piece of the hint that it must get."""

WRONG = {  # task: (what is wrong, the answer's cell, a piece of the hint)
    "conv_size": [
        (
            "rounds SAME down",
            """
def conv_size(size, kernel, stride, padding):
    return size // stride if padding == "same" else (size - kernel) // stride + 1
""",
            "rounded up",
        ),
    ],
    "conv2d": [
        (
            "flips the kernel",
            """
def conv2d(image, kernel, stride=1):
    kernel = kernel[::-1, ::-1]
    h, w = kernel.shape[:2]
    rows, columns = (image.shape[0] - h) // stride + 1, (image.shape[1] - w) // stride + 1
    return np.array([[np.tensordot(image[i*stride:i*stride+h, j*stride:j*stride+w], kernel, axes=3)
                      for j in range(columns)] for i in range(rows)])
""",
            "does not flip",
        ),
        (
            "calls Keras",
            """
def conv2d(image, kernel, stride=1):
    import keras
    return keras.ops.convert_to_numpy(keras.ops.conv(image[None], kernel, strides=stride))[0]
""",
            "keras",
        ),
    ],
}
