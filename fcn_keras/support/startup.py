"""Loading Keras without its backend's start-up lines."""

import logging
import os
import sys


def import_keras_quietly():
    """Imports Keras and makes the backend ready; what the backend's C++ code says about it is not shown.

    TensorFlow writes a page of remarks on processors and graphics cards straight to file descriptor 2, past
    Python's standard error. Python's own errors and warnings still show, but for its advice to give a network
    pictures of one size only ("retracing"): that any size works is what this package is about.
    """
    if "keras" in sys.modules:
        return
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    sys.stderr.flush()
    kept = os.dup(2)
    try:
        with open(os.devnull, "w") as nowhere:
            os.dup2(nowhere.fileno(), 2)
            import keras

            if keras.backend.backend() == "tensorflow":
                keras.ops.ones(1)
            logging.getLogger("tensorflow").setLevel(logging.ERROR)
    finally:
        os.dup2(kept, 2)
        os.close(kept)
