"""The lecture *Fully Convolutional Network (FCN)*, runnable: one concept, one module.

| concept | module |
| --- | --- |
| sizes, strides, receptive fields | `geometry` |
| bilinear upsampling, score layers, cropping to fit | `layers` |
| skip connections: align, then fuse by sum or concatenation | `skip_connections` |
| a dense layer rewritten as the convolution it is | `convolutionalize` |
| encoders with outputs pool1 ... pool5 | `backbones` |
| classifier, autoencoder, FCN-32s/16s/8s, the lecture's network | `models` |
| the paper's networks to the pixel, and their released weights | `published` |
| pictures with a label for every pixel | `datasets` |
| what is wrong with a data set, and how to mend it | `data_checks` |
| pixel accuracy, IoU, the band along a boundary | `evaluation` |
| arrays in, figure out | `visualization` |
| from an image to a label map | `prediction` |
| compile and fit | `training` |
| an encoder learns to see from drawn pictures | `pretraining` |
| what assignments call: right, or a hint | `checks` |
| every figure of the lecture by its identifier | `lecture` |
| one HTML page in which the networks run | `explainer` |
| the notebooks' exercises, solved | `solutions` |
| a class's assignments, graded | `grading` |
| `python -m fcn_keras …` | `command_line` |
| reading and writing pictures | `images` |
| arguments, pictures, files, memory: what no lecture speaks of | `support` |

Modules load on first use, so that `import fcn_keras` loads neither Keras nor matplotlib:

    import fcn_keras as fcn
    model = fcn.models.lecture_fcn(num_classes=2, backbone=fcn.backbones.small_vgg(), width=64)
"""

import importlib

from fcn_keras.support.startup import import_keras_quietly

__version__ = "0.1.0"

# In the order in which they may import each other: a module imports those before it. README,
# Makefile and tests are checked against this list.
MODULES = (
    "support",
    "solutions",
    "geometry",
    "layers",
    "convolutionalize",
    "skip_connections",
    "backbones",
    "datasets",
    "models",
    "evaluation",
    "published",
    "data_checks",
    "visualization",
    "prediction",
    "training",
    "pretraining",
    "checks",
    "lecture",
    "explainer",
    "grading",
    "command_line",
)
SHORT = {"images": "support.images"}  # what notebooks use so often that it has a name at the top
WITHOUT_KERAS = ("support", "solutions", "geometry", "visualization", "command_line", "images")


def __getattr__(name: str):
    if name in MODULES or name in SHORT:
        if name not in WITHOUT_KERAS:
            import_keras_quietly()
        return importlib.import_module(f"{__name__}.{SHORT.get(name, name)}")
    names = ", ".join((*MODULES, *SHORT))
    raise AttributeError(f"fcn_keras has no module {name!r}. It has: {names}.")


def __dir__():
    return sorted([*globals(), *MODULES, *SHORT])
