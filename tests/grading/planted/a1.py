"""Assignment 1: plausible wrong answers, each with a piece of the hint that it must get."""

SIZE = """
def conv_size(size, kernel, stride, padding):
    return {same} if padding == "same" else {valid}
"""
TRANSPOSED = """
def transposed_size(size, kernel, stride, padding):
    return {same} if padding == "same" else {valid}
"""
CONV = """
def conv2d(image, kernel, stride=1):
    {first}
    h, w = kernel.shape[:2]
    rows, columns = {rows}, {columns}
    result = np.zeros((rows, columns, kernel.shape[3]))
    for i in range(rows):
        for j in range(columns):
            window = image[i * stride : i * stride + h, j * stride : j * stride + w]
            result[i, j] = {value}
    return {returned}
"""
STAMP = """
def conv2d_transpose(image, kernel, stride):
    {first}
    (height, width), (h, w) = image.shape[:2], kernel.shape[:2]
    result = np.zeros(((height - 1) * stride + h, (width - 1) * stride + w, kernel.shape[2]))
    for i in range(height):
        for j in range(width):
            result[i * stride : i * stride + h, j * stride : j * stride + w] {sign} {stamp}
    return result
"""
BILINEAR = """
def bilinear(factor):
    size = {size}
    tent = 1 - np.abs(np.arange(size) - {middle}) / factor
    return {returned}
"""
UPSAMPLING = """
def upsampling(num_classes, factor):
    tent = fcn_bilinear[factor]
    start = {start}
    scores = keras.Input({shape})
    layer = keras.layers.Conv2DTranspose(num_classes, len(tent), strides=factor, padding={padding!r}, use_bias={bias}{more})
    model = keras.Model(scores, layer(scores))
    layer.set_weights([start] + [np.zeros(num_classes)] * {bias})
    {last}
    return {returned}
"""


def conv(first="pass", value="np.tensordot(window, kernel, axes=3)", returned="result", more=1):
    rows = f"(image.shape[0] - h) // stride + {more}"
    return CONV.format(first=first, rows=rows, columns=rows.replace("[0] - h", "[1] - w"), value=value, returned=returned)


def stamped(first="pass", sign="+=", stamp="kernel @ image[i, j]"):
    return STAMP.format(first=first, sign=sign, stamp=stamp)


def tent(size="2 * factor - factor % 2", middle="(size - 1) / 2", returned="np.outer(tent, tent)"):
    return BILINEAR.format(size=size, middle=middle, returned=returned)


def layer(**changes):
    usual = {
        "start": "tent[:, :, None, None] * np.eye(num_classes)", "shape": "(None, None, num_classes)", "padding": "same",
        "bias": False, "more": "", "last": "pass", "returned": "model",
    }  # fmt: skip
    return UPSAMPLING.format(**usual | changes)


WRONG = {  # task: (what is wrong, the answer's cell, a piece of the hint)
    "conv_size": [
        ("rounds SAME down", SIZE.format(same="size // stride", valid="(size - kernel) // stride + 1"), "rounded up"),
        ("one short", SIZE.format(same="-(-size // stride)", valid="(size - kernel) // stride"), "how many places has a window"),
        ("exchanged", SIZE.format(same="(size - kernel) // stride + 1", valid="-(-size // stride)"), "that is SAME's size"),
        ("rounds VALID up", SIZE.format(same="-(-size // stride)", valid="-(-(size - kernel) // stride) + 1"), "VALID rounds down"),
        ("no whole number", SIZE.format(same="-(-size // stride)", valid="(size - kernel) / stride + 1"), "whole number"),
        ("no stride", SIZE.format(same="size", valid="size - kernel + 1"), "stride is left out"),
        ("the package's own", "conv_size = fcn.geometry.conv_size", "fcn_keras (conv_size)"),
    ],
    "conv2d": [
        ("flips the kernel", conv("kernel = kernel[::-1, ::-1]"), "does not flip"),
        ("rows and columns exchanged", conv(returned="result.transpose(1, 0, 2)"), "wrong order"),
        ("one short", conv(more=0), "1 pixel too few in height and 1 pixel too few in width: which padding"),
        ("mean for sum", conv(value="np.tensordot(window, kernel, axes=3) / kernel[..., 0].size"), "the mean over the window"),
        ("channels swapped", conv("image = image[..., ::-1]"), "wrong channels of the kernel"),
        ("no stride", conv("stride = 1"), "the stride is left out"),
        ("SAME padding", conv("image = np.pad(image, ((1, 1), (0, 1), (0, 0)))"), "too many in height"),
        ("one channel", conv(value="np.tensordot(window[..., 0], kernel[:, :, 0], axes=2)"), "only the first channel"),
        ("no return", conv(returned="None"), "is there a `return`"),
        ("its own error", conv(value="np.dot(window, kernel)"), "stopped with ValueError in line"),
        ("calls Keras", """
def conv2d(image, kernel, stride=1):
    return keras.ops.convert_to_numpy(keras.ops.conv(image[None], kernel, strides=stride))[0]
""", "calls keras"),
        ("calls Keras under another name", """
from keras.ops import conv as my_convolution
def conv2d(image, kernel, stride=1):
    return my_convolution(image[None], kernel, strides=stride)[0]
""", "write that part yourself"),
    ],
    "transposed_size": [
        ("the package's own in a text", """
def transposed_size(size, kernel, stride, padding):
    return eval("fcn.geometry.transposed_size(size, kernel, stride, padding)", globals(), locals())
""", "calls fcn_keras (transposed_size)"),
        ("the package's own in a thread", """
from concurrent.futures import ThreadPoolExecutor
def transposed_size(*arguments):
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(fcn.geometry.transposed_size, *arguments).result()
""", "calls fcn_keras (transposed_size)"),
        ("size of a convolution", TRANSPOSED.format(same="-(-size // stride)", valid="(size - kernel) // stride + 1"), "makes a map larger"),
        ("a step too many", TRANSPOSED.format(same="size * stride", valid="size * stride + kernel"), "steps between them"),
        ("forgets the last stamp", TRANSPOSED.format(same="size * stride", valid="size * stride"), "as wide as the kernel"),
        ("off by one", TRANSPOSED.format(same="size * stride", valid="(size - 1) * stride + kernel - 1"), "the last one end"),
    ],
    "conv2d_transpose": [
        ("overwrites", stamped(sign="="), "the last one wins"),
        ("flips the kernel", stamped("kernel = kernel[::-1, ::-1]"), "each stamp is the kernel as it is"),
        ("channels swapped", stamped("image = image[..., ::-1]"), "its last axis is the one of the map"),
        ("no stride", stamped("stride = 1"), "stand one pixel apart"),
        ("one channel", stamped(stamp="kernel[..., 0] * image[i, j, 0]"), "only the first channel"),
        ("cut as SAME", stamped().replace("return result", "return result[1:-1, :-1]"), "too few in height"),
        ("calls Keras", """
def conv2d_transpose(image, kernel, stride):
    return keras.ops.conv_transpose(image[None].astype("float32"), kernel.astype("float32"), strides=stride)[0]
""", "calls keras"),
    ],
    "bilinear": [
        ("adds up to 1", tent(returned="np.outer(tent, tent) / np.outer(tent, tent).sum()"), "to factor²"),
        ("not in the middle", tent(middle="size // 2"), "not in the middle"),
        ("always odd", tent(size="2 * factor - 1"), "too few in height"),
        ("one axis", tent(returned="tent"), "the tent along one axis"),
        ("ones", tent(returned="np.ones((size, size))"), "all ones"),
        ("added", tent(returned="tent[:, None] + tent[None, :]"), "must be multiplied"),
        ("the package's own", "from fcn_keras.layers import bilinear_kernel as bilinear", "calls fcn_keras"),
    ],
    "upsampling": [
        ("mixes the classes", layer(start="tent[:, :, None, None] * np.ones((num_classes, num_classes))"), "mixture of all classes"),
        ("VALID", layer(padding="valid"), "too many in height"),
        ("one size", layer(shape="(16, 16, num_classes)"), "one size only"),
        ("a bias", layer(bias=True), "has a bias"),
        ("an activation", layer(more=", activation='relu'"), "has an activation"),
        ("frozen", layer(last="layer.trainable = False"), "is not trainable"),
        ("hands in the layer", layer(returned="layer"), "a `keras.Model` is asked for"),
        ("random start", layer(start="np.random.default_rng(0).normal(size=(*tent.shape, num_classes, num_classes))"), "values are wrong"),
    ],
}  # fmt: skip
