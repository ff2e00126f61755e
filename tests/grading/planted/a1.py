"""Assignment 1, convolution and its transpose: right answers, and wrong ones with their hints."""

from planted import Answer, Wrong

CONV_SIZE = Answer("""
def conv_size(size, kernel, stride, padding):
    return -(-size // stride) if padding == "same" else (size - kernel) // stride + 1
""")
CONV2D = Answer("""
def conv2d(image, kernel, stride=1):
    h, w = kernel.shape[:2]
    rows, columns = (image.shape[0] - h) // stride + 1, (image.shape[1] - w) // stride + 1
    result = np.zeros((rows, columns, kernel.shape[3]))
    for i in range(rows):
        for j in range(columns):
            window = image[i * stride : i * stride + h, j * stride : j * stride + w]
            result[i, j] = np.tensordot(window, kernel, axes=3)
    return result
""")
TRANSPOSED_SIZE = Answer("""
def transposed_size(size, kernel, stride, padding):
    return size * stride if padding == "same" else (size - 1) * stride + kernel
""")
CONV2D_TRANSPOSE = Answer("""
def conv2d_transpose(image, kernel, stride):
    (height, width), (h, w) = image.shape[:2], kernel.shape[:2]
    result = np.zeros(((height - 1) * stride + h, (width - 1) * stride + w, kernel.shape[2]))
    for i in range(height):
        for j in range(width):
            result[i * stride : i * stride + h, j * stride : j * stride + w] += kernel @ image[i, j]
    return result
""")
BILINEAR = Answer("""
def bilinear(factor):
    size = 2 * factor - factor % 2
    tent = 1 - np.abs(np.arange(size) - (size - 1) / 2) / factor
    return np.outer(tent, tent)
""")
UPSAMPLING = Answer("""
def upsampling(num_classes, factor):
    tent = fcn_bilinear[factor]
    start = tent[:, :, None, None] * np.eye(num_classes)
    scores = keras.Input((None, None, num_classes))
    layer = keras.layers.Conv2DTranspose(
        num_classes, len(tent), strides=factor, padding="same", use_bias=False
    )
    model = keras.Model(scores, layer(scores))
    layer.set_weights([start])
    return model
""")

RIGHT = {
    "conv_size": CONV_SIZE,
    "conv2d": CONV2D,
    "transposed_size": TRANSPOSED_SIZE,
    "conv2d_transpose": CONV2D_TRANSPOSE,
    "bilinear": BILINEAR,
    "upsampling": UPSAMPLING,
}

WRONG = {
    "conv_size": {
        "rounds_same_down": Wrong(
            CONV_SIZE.edit("-(-size // stride)", "size // stride"), hint="rounded up"
        ),
        "is_one_short": Wrong(
            CONV_SIZE.edit("// stride + 1", "// stride"), hint="at how many places does a window"
        ),
        "exchanges_same_and_valid": Wrong(
            CONV_SIZE.edit('padding == "same"', 'padding == "valid"'), hint="that is SAME's size"
        ),
        "rounds_valid_up": Wrong(
            CONV_SIZE.edit("(size - kernel) // stride", "-(-(size - kernel) // stride)"),
            hint="VALID rounds down",
        ),
        "gives_a_fraction": Wrong(
            CONV_SIZE.edit("(size - kernel) // stride", "(size - kernel) / stride"),
            hint="whole number",
        ),
        "forgets_the_stride": Wrong(
            CONV_SIZE.edit("-(-size // stride)", "size").edit("// stride + 1", "+ 1"),
            hint="stride is left out",
        ),
        "hands_in_the_package_function": Wrong(
            "conv_size = fcn.geometry.conv_size", hint="fcn_keras (conv_size)"
        ),
    },
    "conv2d": {
        "flips_the_kernel": Wrong(
            CONV2D.insert("kernel = kernel[::-1, ::-1]", before="h, w ="), hint="does not flip"
        ),
        "exchanges_rows_and_columns": Wrong(
            CONV2D.edit("return result", "return result.transpose(1, 0, 2)"), hint="wrong order"
        ),
        "is_one_short": Wrong(
            CONV2D.edit("// stride + 1", "// stride"),
            hint="1 pixel too few in height and 1 pixel too few in width: which padding",
        ),
        "takes_the_mean": Wrong(
            CONV2D.edit("kernel, axes=3)", "kernel, axes=3) / kernel[..., 0].size"),
            hint="the mean over the window",
        ),
        "reverses_the_channels": Wrong(
            CONV2D.insert("image = image[..., ::-1]", before="h, w ="),
            hint="wrong channels of the kernel",
        ),
        "forgets_the_stride": Wrong(
            CONV2D.insert("stride = 1", before="h, w ="), hint="the stride is left out"
        ),
        "pads_the_image": Wrong(
            CONV2D.insert("image = np.pad(image, ((1, 1), (0, 1), (0, 0)))", before="h, w ="),
            hint="too many in height",
        ),
        "reads_one_channel": Wrong(
            CONV2D.edit("window, kernel, axes=3", "window[..., 0], kernel[:, :, 0], axes=2"),
            hint="only the first channel",
        ),
        "returns_nothing": Wrong(
            CONV2D.edit("return result", "return None"), hint="is there a `return`"
        ),
        "raises_an_error": Wrong(
            CONV2D.edit("np.tensordot(window, kernel, axes=3)", "np.dot(window, kernel)"),
            hint="stopped with ValueError in line",
        ),
        "calls_keras": Wrong(
            """
def conv2d(image, kernel, stride=1):
    return keras.ops.convert_to_numpy(keras.ops.conv(image[None], kernel, strides=stride))[0]
""",
            hint="calls keras",
        ),
        "calls_keras_under_another_name": Wrong(
            """
from keras.ops import conv as my_convolution
def conv2d(image, kernel, stride=1):
    return my_convolution(image[None], kernel, strides=stride)[0]
""",
            hint="write that part yourself",
        ),
    },
    "transposed_size": {
        "hides_the_package_function_in_eval": Wrong(
            """
def transposed_size(size, kernel, stride, padding):
    return eval("fcn.geometry.transposed_size(size, kernel, stride, padding)", globals(), locals())
""",
            hint="calls fcn_keras (transposed_size)",
        ),
        "hides_the_package_function_in_a_thread": Wrong(
            """
from concurrent.futures import ThreadPoolExecutor
def transposed_size(*arguments):
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(fcn.geometry.transposed_size, *arguments).result()
""",
            hint="calls fcn_keras (transposed_size)",
        ),
        "gives_the_size_of_a_convolution": Wrong(
            CONV_SIZE.edit("def conv_size", "def transposed_size"), hint="makes a map larger"
        ),
        "counts_a_step_too_many": Wrong(
            TRANSPOSED_SIZE.edit("(size - 1) * stride", "size * stride"), hint="steps between them"
        ),
        "forgets_the_last_stamp": Wrong(
            TRANSPOSED_SIZE.edit("(size - 1) * stride + kernel", "size * stride"),
            hint="as wide as the kernel",
        ),
        "is_one_short": Wrong(
            TRANSPOSED_SIZE.edit("+ kernel", "+ kernel - 1"), hint="the last one end"
        ),
    },
    "conv2d_transpose": {
        "overwrites_instead_of_adding": Wrong(
            CONV2D_TRANSPOSE.edit("+= kernel", "= kernel"), hint="the last one wins"
        ),
        "flips_the_kernel": Wrong(
            CONV2D_TRANSPOSE.insert("kernel = kernel[::-1, ::-1]", before="(height, width)"),
            hint="each stamp is the kernel as it is",
        ),
        "reverses_the_channels": Wrong(
            CONV2D_TRANSPOSE.insert("image = image[..., ::-1]", before="(height, width)"),
            hint="belongs to the channels of the map",
        ),
        "forgets_the_stride": Wrong(
            CONV2D_TRANSPOSE.insert("stride = 1", before="(height, width)"),
            hint="are one pixel apart",
        ),
        "reads_one_channel": Wrong(
            CONV2D_TRANSPOSE.edit("kernel @ image[i, j]", "kernel[..., 0] * image[i, j, 0]"),
            hint="only the first channel",
        ),
        "cuts_as_same_padding_does": Wrong(
            CONV2D_TRANSPOSE.edit("return result", "return result[1:-1, :-1]"),
            hint="too few in height",
        ),
        "calls_keras": Wrong(
            """
def conv2d_transpose(image, kernel, stride):
    image, kernel = image[None].astype("float32"), kernel.astype("float32")
    return keras.ops.conv_transpose(image, kernel, strides=stride)[0]
""",
            hint="calls keras",
        ),
    },
    "bilinear": {
        "adds_up_to_1": Wrong(
            BILINEAR.edit(
                "np.outer(tent, tent)", "np.outer(tent, tent) / np.outer(tent, tent).sum()"
            ),
            hint="to factor²",
        ),
        "is_not_in_the_middle": Wrong(
            BILINEAR.edit("(size - 1) / 2", "size // 2"), hint="not centred"
        ),
        "is_always_odd": Wrong(
            BILINEAR.edit("2 * factor - factor % 2", "2 * factor - 1"), hint="too few in height"
        ),
        "has_one_axis": Wrong(
            BILINEAR.edit("np.outer(tent, tent)", "tent"), hint="the tent along one axis"
        ),
        "is_all_ones": Wrong(
            BILINEAR.edit("np.outer(tent, tent)", "np.ones((size, size))"), hint="all ones"
        ),
        "adds_the_tents": Wrong(
            BILINEAR.edit("np.outer(tent, tent)", "tent[:, None] + tent[None, :]"),
            hint="must be multiplied",
        ),
        "hands_in_the_package_function": Wrong(
            "from fcn_keras.layers import bilinear_kernel as bilinear", hint="calls fcn_keras"
        ),
    },
    "upsampling": {
        "mixes_the_classes": Wrong(
            UPSAMPLING.edit("np.eye(num_classes)", "np.ones((num_classes, num_classes))"),
            hint="mixture of all classes",
        ),
        "pads_with_valid": Wrong(
            UPSAMPLING.edit('padding="same"', 'padding="valid"'), hint="too many in height"
        ),
        "takes_one_size": Wrong(
            UPSAMPLING.edit("(None, None, num_classes)", "(16, 16, num_classes)"),
            hint="one size only",
        ),
        "has_a_bias": Wrong(
            UPSAMPLING.edit("use_bias=False", "use_bias=True").edit(
                "[start]", "[start, np.zeros(num_classes)]"
            ),
            hint="has a bias",
        ),
        "has_an_activation": Wrong(
            UPSAMPLING.edit("use_bias=False", "use_bias=False, activation='relu'"),
            hint="has an activation",
        ),
        "is_frozen": Wrong(
            UPSAMPLING.insert("layer.trainable = False", before="return"), hint="is not trainable"
        ),
        "returns_the_layer": Wrong(
            UPSAMPLING.edit("return model", "return layer"), hint="asks for a `keras.Model`"
        ),
        "starts_from_random_numbers": Wrong(
            UPSAMPLING.edit(
                "tent[:, :, None, None] * np.eye(num_classes)",
                "np.random.default_rng(0).normal(size=(*tent.shape, num_classes, num_classes))",
            ),
            hint="values are wrong",
        ),
    },
}
