"""Converts models from Keras 3 to Charcell, and compares the perplexity of both on a text.

    cargo build --release && pip install keras jax safetensors
    python interop/check_keras.py target/release/charcell trainer/text/the-orrery.txt
"""

import os
import sys
import tempfile
from pathlib import Path

os.environ.setdefault("KERAS_BACKEND", "jax")

import keras
import numpy as np
from keras import layers

from comparison import Text, check_file, check_refused, perplexity

TEXT = Text(sys.argv[2])
VOCABULARY = len(TEXT.characters)
ONE_HOT = keras.Input((None, VOCABULARY))
TOKENS = keras.Input((None,), dtype="int32")


def randomized(model):
    """`model` with random weights, large enough that a wrong one has a visible effect."""
    random = np.random.default_rng(1)
    model.set_weights([random.normal(0, 0.3, weight.shape) for weight in model.get_weights()])
    return model


def chained(inputs, *parts):
    outputs = inputs
    for part in parts:
        outputs = part(outputs)
    return randomized(keras.Model(inputs, outputs))


def lstm(units, **options):
    return layers.LSTM(units, return_sequences=True, **options)


def keras_perplexity(model):
    inputs = TEXT.tokens[:-1]
    if len(model.input_shape) == 3:
        inputs = np.eye(VOCABULARY, dtype=np.float32)[inputs]
    outputs = np.asarray(model(np.stack([inputs] * (model.input_shape[0] or 1))))[0]
    if "softmax" in str(model.layers[-1].get_config()):
        outputs = np.log(outputs)
    return perplexity(outputs, TEXT.tokens[1:])


def trained():
    """As in the tutorials: windows with one target per step, softmax, categorical cross-entropy."""
    windows = np.lib.stride_tricks.sliding_window_view(TEXT.tokens, 21)[::3]
    model = keras.Sequential([
        keras.Input((None, VOCABULARY)),
        layers.LSTM(48, return_sequences=True),
        layers.Dropout(0.2),
        layers.LSTM(32, return_sequences=True),
        layers.Dense(VOCABULARY, activation="softmax"),
    ])
    keras.utils.set_random_seed(0)
    model.compile(keras.optimizers.Adam(1e-2), "sparse_categorical_crossentropy")
    model.fit(np.eye(VOCABULARY)[windows[:, :-1]], windows[:, 1:], epochs=3, verbose=0)
    return model


def with_weights(of, *parts):
    """A model with other layers and the same weights."""
    model = chained(of.inputs[0], *parts)
    model.set_weights(of.get_weights())
    return model


def good_models():
    """File names, models to measure, and models to save: None, or others with the same weights."""
    yield "trained.keras", trained(), None
    yield "logits.keras", chained(ONE_HOT, lstm(40), layers.Dense(VOCABULARY)), None
    whole = chained(ONE_HOT, lstm(40), lstm(24, use_bias=False), layers.Dense(VOCABULARY))
    last = layers.LSTM(24, use_bias=False)
    yield "last.keras", whole, with_weights(whole, lstm(40), last, layers.Dense(VOCABULARY))
    whole = chained(
        TOKENS,
        layers.Embedding(VOCABULARY, 20),
        lstm(40),
        lstm(24, unit_forget_bias=False),
        layers.Dense(VOCABULARY, use_bias=False),
        layers.Softmax(),
    )
    # On the whole text, jax would compile for minutes.
    distributed = layers.TimeDistributed(layers.Dense(VOCABULARY, use_bias=False))
    parts = whole.layers[1:-2]
    yield "embedding.keras", whole, with_weights(whole, *parts, distributed, whole.layers[-1])
    cells = [layers.LSTMCell(24), layers.LSTMCell(40)]
    stack = layers.RNN(cells, return_sequences=True)
    yield "cells.keras", chained(ONE_HOT, stack, layers.Dense(VOCABULARY)), None
    softmax = layers.Dense(VOCABULARY, activation="softmax")
    rows = keras.Input(batch_shape=(2, None, VOCABULARY))
    yield "stateful.keras", chained(rows, lstm(40, stateful=True), softmax), None
    yield "old.h5", chained(ONE_HOT, lstm(40), layers.Dense(VOCABULARY)), None


def bad_models():
    dense = layers.Dense(VOCABULARY)
    masked = layers.Embedding(VOCABULARY, 20, mask_zero=True)
    yield "mask.keras", "masks character 0", chained(TOKENS, masked, lstm(9), dense)
    yield "gru.keras", "GRU 'gru", chained(
        ONE_HOT, layers.GRU(9, return_sequences=True), dense
    )
    both = layers.Bidirectional(lstm(9))
    yield "both.keras", "Bidirectional 'bidirectional", chained(
        ONE_HOT, both, layers.Dense(VOCABULARY)
    )
    yield "hard.keras", "recurrent_activation hard_sigmoid", chained(
        ONE_HOT, lstm(9, recurrent_activation="hard_sigmoid"), dense
    )
    yield "back.keras", "computes something other", chained(
        ONE_HOT, lstm(9, go_backwards=True), dense
    )
    normalized = layers.LayerNormalization()
    yield "norm.keras", "LayerNormalization 'layer_normalization", chained(
        ONE_HOT, lstm(9), normalized, dense
    )
    yield "unit.keras", "UnitNormalization 'unit_normalization", chained(
        ONE_HOT, lstm(9), layers.UnitNormalization(), dense
    )
    yield "two.keras", "2 Dense", chained(ONE_HOT, lstm(9), layers.Dense(9), dense)
    yield "weights.weights.h5", "model.load_weights", chained(ONE_HOT, lstm(9), dense)


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as name:
        for file, measured, saved in good_models():
            path = Path(name) / file
            (saved or measured).save(path)
            check_file(file, "Keras", path, TEXT, keras_perplexity(measured))
        for file, words, model in bad_models():
            save = model.save_weights if ".weights." in file else model.save
            save(Path(name) / file)
            check_refused(file, Path(name) / file, words)
