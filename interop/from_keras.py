"""Converts a Keras 3 model, a .keras file or a whole model in .h5, for `charcell import`.

    pip install keras jax safetensors
    python interop/from_keras.py model.keras model.safetensors

Any backend works: jax, unless KERAS_BACKEND or Keras's own configuration names another. To convert
a model with classes of your own, call `from_keras.convert(model, out)` in the program that defines
them.

In Keras, the gates are in Charcell's order (the candidate is called c), the matrices are
transposed, and there is one bias.
"""

import importlib.util
import os

import numpy as np

if "KERAS_BACKEND" not in os.environ and importlib.util.find_spec("jax"):
    os.environ["KERAS_BACKEND"] = "jax"

import keras

from conversion import Layer, Linear, Model, Refused
from conversion import main, require_equal, some_tokens, write

STEPS = 24


def convert_file(path, out):
    try:
        model = keras.saving.load_model(path, compile=False)
    except Exception as error:
        raise Refused(
            f"Keras can't load it ({error}); if it holds only weights, load them into the model "
            "with model.load_weights and save the whole model, model.save('model.keras'); if it "
            "has classes or functions of your own, call from_keras.convert(model, out) in the "
            "program that defines them"
        ) from error
    convert(model, out)


def convert(model, out):
    """Writes a Keras model, which must be built, to the safetensors file `out`."""
    embeddings, layers, linears, besides = [], [], [], []
    for layer in flattened(model):
        cells = cells_of(layer)
        inner = layer.layer if isinstance(layer, keras.layers.TimeDistributed) else layer
        if isinstance(layer, keras.layers.Embedding):
            embeddings.append(layer)
        elif cells and all(isinstance(cell, keras.layers.LSTMCell) for cell in cells):
            layers += [converted_cell(layer, cell) for cell in cells]
        elif isinstance(inner, keras.layers.Dense):
            linears.append(converted_dense(inner))
        elif layer.weights:
            raise Refused(f"{shown(layer)} has weights, but Charcell has no such layer")
        elif not isinstance(layer, keras.layers.InputLayer):
            besides.append(shown(layer))
        if layer.weights and layer.compute_dtype not in ["float32", "float64"]:
            besides.append(f"{shown(layer)} in {layer.compute_dtype}")
    if not layers or len(linears) != 1 or len(embeddings) > 1:
        raise Refused(
            f"it has {len(embeddings)} Embedding, {len(layers)} LSTM and {len(linears)} Dense "
            "layers, but Charcell supports at most one Embedding, then LSTMs, then one Dense"
        )
    embedding = None
    for layer in embeddings:
        if layer.mask_zero:
            raise Refused(
                f"{shown(layer)} masks character 0, so the LSTM skips it; train with "
                "mask_zero=False"
            )
        embedding = np.asarray(layer.embeddings)
    converted = Model(layers, linears[0], embedding)
    require_equal(difference(model, converted), besides)
    write(converted, out)


def flattened(model):
    """The layers of a model and its nested models, from the bottom up."""
    for layer in model.layers:
        if isinstance(layer, keras.Model):
            yield from flattened(layer)
        else:
            yield layer


def cells_of(layer):
    if not isinstance(layer, keras.layers.RNN):
        return []
    return getattr(layer.cell, "cells", [layer.cell])


def converted_cell(layer, cell):
    activations = [("activation", "tanh"), ("recurrent_activation", "sigmoid")]
    for name, expected in activations:
        found = keras.activations.serialize(getattr(cell, name))
        if found != expected:
            raise Refused(f"{shown(layer)} has {name} {found}, but Charcell has {expected}")
    bias = np.asarray(cell.bias) if cell.use_bias else None
    kernel, recurrent = np.asarray(cell.kernel), np.asarray(cell.recurrent_kernel)
    return Layer(shown(layer), kernel.T, recurrent.T, bias)


def converted_dense(layer):
    found = keras.activations.serialize(layer.activation)
    if found not in ["linear", "softmax", "log_softmax"]:
        raise Refused(f"{shown(layer)} has the activation {found}, but Charcell's output has none")
    bias = np.asarray(layer.bias) if layer.use_bias else None
    return Linear(shown(layer), np.asarray(layer.kernel).T, bias)


def shown(layer):
    return f"{type(layer).__name__} {layer.name!r}"


def difference(model, converted):
    """The difference between the whole model and its layers, on some characters."""
    if len(model.inputs) != 1:
        raise Refused(
            f"it has {len(model.inputs)} inputs, but must have only the characters: make a model "
            "of the same layers without the states"
        )
    batch, steps, *_ = model.input_shape
    tokens = some_tokens(converted.vocabulary, steps or STEPS)
    inputs = tokens if len(model.input_shape) == 2 else np.eye(converted.vocabulary)[tokens]
    for layer in flattened(model):
        if getattr(layer, "stateful", False):
            layer.reset_state()
    outputs = model(np.stack([inputs] * (batch or 1)), training=False)
    while isinstance(outputs, (list, tuple)):
        outputs = outputs[0]
    rows = np.atleast_2d(np.asarray(outputs, dtype=np.float32)[0])
    return converted.difference(tokens, rows)


if __name__ == "__main__":
    main(convert_file, "a .keras file, or a whole model in .h5")
