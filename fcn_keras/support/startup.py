"""Loading Keras without its backend's start-up messages."""

import logging
import os
import sys


def import_keras_quietly():
    """Imports Keras and starts the backend; messages of the backend's C++ code are hidden.

    TensorFlow writes a page of remarks on processors and graphics cards straight to file descriptor
    2, past Python's standard error. Python's own errors and warnings still show. The one exception
    is TensorFlow's advice to use pictures of one size only ("retracing"): this package is about
    networks that take any size.
    """
    if "keras" in sys.modules:
        return
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    sys.stderr.flush()
    standard_error = os.dup(2)
    try:
        with open(os.devnull, "w") as nowhere:
            os.dup2(nowhere.fileno(), 2)
            import keras

            if keras.backend.backend() == "tensorflow":
                keras.ops.ones(1)
            logging.getLogger("tensorflow").setLevel(logging.ERROR)
    finally:
        os.dup2(standard_error, 2)
        os.close(standard_error)
