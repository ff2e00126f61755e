"""The optimizer of the lecture, Adam; its rate falls along a cosine (lecture: L24)."""

import keras


def make_optimizer(stage, steps: int, decay: bool, own, model: keras.Model):
    """A new optimizer for a stage of training.

    Args:
        stage: Its `learning_rate` is that at the start.
        steps: How many steps the stage has; the cosine reaches zero at its end.
        decay: `False`: a constant rate.
        own: `None` for Adam, the name of another optimizer, or an optimizer to copy. A copy keeps
            its own learning rate, but in fine-tuning takes the stage's.
        model: What is trained. The optimizer's variables are made here: if TensorFlow had to make
            them in the first step, it would build the step twice.
    """
    rate = stage.learning_rate
    if decay:
        rate = keras.optimizers.schedules.CosineDecay(rate, steps)
    if isinstance(own, keras.optimizers.Optimizer):
        options = own.get_config()
        if stage.unfreezes:
            options["learning_rate"] = rate
        optimizer = type(own).from_config(options)
    elif own is None:
        optimizer = keras.optimizers.Adam(learning_rate=rate)
    else:
        optimizer = type(keras.optimizers.get(own))(learning_rate=rate)
    if any(layer.compute_dtype == "float16" for layer in model.layers):
        optimizer = keras.optimizers.LossScaleOptimizer(optimizer)  # small gradients would become 0
    optimizer.build(model.trainable_variables)
    return optimizer
