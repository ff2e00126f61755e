"""The lecture *Fully Convolutional Network (FCN)*, runnable: one concept, one module.

| concept | module |
| --- | --- |
| sizes, strides, receptive fields, as arithmetic | `geometry` |
| bilinear upsampling, score layers, cropping to fit | `layers` |
| skip connections: align, then fuse by sum or concatenation | `skip_connections` |
| a dense layer rewritten as the convolution it is | `convolutionalize` |
| encoders with outputs pool1 ... pool5 | `backbones` |
| autoencoder, FCN-32/16/8, the lecture's network | `models` |
| the paper's networks to the pixel, and their released weights | `published` |
| pictures with a label for every pixel | `datasets`, `downloads` |
| what is wrong with a data set, and how to mend it | `data_checks` |
| pixel accuracy, IoU, the band along a boundary | `evaluation` |
| from an image to a label map; from a folder to many | `prediction`, `labelling` |
| what is frozen is computed once | `frozen` |
| compile and fit | `training` |
| several devices and computers share a batch | `distribution` |
| what went wrong in a training, named | `diagnosis` |
| what assignments call: right, or a hint | `checks` |
| an encoder learns to see from drawn pictures | `pretraining` |
| the published figures beside those found here | `fidelity` |
| arrays in, figure out | `visualization` |
| every figure of the lecture by its identifier | `lecture` |
| the notebooks' exercises, solved | `solutions` |

Submodules load on first use, so that `import fcn_keras` loads neither Keras nor matplotlib:

    import fcn_keras as fcn
    model = fcn.models.lecture_fcn(num_classes=2, backbone=fcn.backbones.small_vgg(), width=64)
"""

import importlib

from fcn_keras.startup import import_keras_quietly

__version__ = "0.1.0"

SUBMODULES = (
    "geometry",
    "layers",
    "skip_connections",
    "convolutionalize",
    "backbones",
    "models",
    "published",
    "images",
    "memory",
    "datasets",
    "downloads",
    "data_checks",
    "evaluation",
    "diagnosis",
    "frozen",
    "prediction",
    "fidelity",
    "distribution",
    "training",
    "pretraining",
    "checks",
    "visualization",
    "labelling",
    "lecture",
    "solutions",
    "cli",
)


WITHOUT_KERAS = ("geometry", "images", "memory", "downloads", "visualization", "solutions", "cli")


def __getattr__(name: str):
    if name in SUBMODULES:
        if name not in WITHOUT_KERAS:
            import_keras_quietly()
        return importlib.import_module(f"{__name__}.{name}")
    raise AttributeError(f"fcn_keras has no module {name!r}. It has: {', '.join(SUBMODULES)}.")


def __dir__():
    return sorted([*globals(), *SUBMODULES])
