"""Shared by the converters: a model in Charcell's form, the check that it computes the same as the
original, and the files for `charcell import`.

Letters: T steps, V vocabulary, H hidden units. Gates are in the order i, f, g, o: input, forget,
candidate, output.
"""

import argparse
import json
import os
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from safetensors.numpy import save

GATES = "ifgo"

# The tolerance for the log-probabilities of two equal models, relative to their range: larger than
# rounding errors of f32, smaller than the effect of another gate order, activation or mask.
TOLERANCE = 1e-3


class Refused(Exception):
    """Says why a file can't be converted, and what to do about it."""


@dataclass
class Layer:
    """`w_ih` [4H, inputs], `w_hh` [4H, H], `bias` [4H]; a bias of None is zero."""

    name: str
    w_ih: np.ndarray
    w_hh: np.ndarray
    bias: np.ndarray | None


@dataclass
class Linear:
    """`weight` [V, H], `bias` [V]; a bias of None is zero."""

    name: str
    weight: np.ndarray
    bias: np.ndarray | None


class Model:
    """LSTM layers and an output layer, on one-hot characters or on the rows of `embedding`."""

    def __init__(self, layers, linear, embedding=None):
        layers = [as_f64(layer) for layer in layers]
        if embedding is not None:
            # The input's product with a row of the embedding is a column of these weights.
            embedding = np.asarray(embedding, dtype=np.float64)
            first = layers[0]
            require(first.name, first.w_ih, (first.w_ih.shape[0], embedding.shape[1]))
            layers[0] = Layer(first.name, first.w_ih @ embedding.T, first.w_hh, first.bias)
        self.layers = layers
        self.linear = as_f64(linear)
        self.vocabulary = self.linear.weight.shape[0]
        self.has_embedding = embedding is not None
        inputs = self.vocabulary
        for layer in layers:
            gates, hidden = layer.w_hh.shape
            if gates != 4 * hidden:
                kinds = {hidden: "a plain RNN", 3 * hidden: "a GRU"}
                kind = kinds.get(gates, "an LSTM with a projection, or another kind of layer")
                raise Refused(f"{layer.name} is {kind}, but Charcell supports only LSTMs")
            require(layer.name, layer.w_ih, (gates, inputs))
            require(layer.name, layer.bias, (gates,))
            inputs = hidden
        require(linear.name, self.linear.weight, (self.vocabulary, inputs))
        require(linear.name, self.linear.bias, (self.vocabulary,))

    def widened(self):
        """The same model with the same number of units in each layer, as Charcell needs. Added
        units have zero weights and zero hidden states, so they have no effect."""
        sizes = [layer.w_hh.shape[1] for layer in self.layers]
        most = max(sizes)
        if len(set(sizes)) > 1:
            print(f"smaller layers are padded with zeros to {most} units, which has no effect")
        layers, inputs = [], self.vocabulary
        for layer in self.layers:
            w_ih = with_zeros(layer.w_ih, most, inputs)
            w_hh = with_zeros(layer.w_hh, most, most)
            bias = with_zeros(layer.bias[:, None], most, 1)[:, 0]
            layers.append(Layer(layer.name, w_ih, w_hh, bias))
            inputs = most
        columns = ((0, 0), (0, most - sizes[-1]))
        weight = np.pad(self.linear.weight, columns)
        return layers, Linear(self.linear.name, weight, self.linear.bias)

    def log_probabilities(self, tokens):
        """[T, V]: for the character after each of `tokens`, from a state of zeros."""
        inputs = np.eye(self.vocabulary)[tokens]
        for layer in self.layers:
            inputs = hidden_states(layer, inputs)
        return log_softmax(inputs @ self.linear.weight.T + self.linear.bias)

    def difference(self, tokens, outputs):
        """The error of `outputs`, logits or probabilities after the last of `tokens`: the largest
        difference of a log-probability, relative to their range."""
        outputs = np.asarray(outputs, dtype=np.float64)
        expected = self.log_probabilities(tokens)[-len(outputs) :]
        if outputs.shape != expected.shape:
            return np.inf
        are_probabilities = outputs.min() >= 0 and np.allclose(outputs.sum(-1), 1, atol=1e-3)
        # f32 can't hold probabilities below e^-87.
        found = np.log(np.maximum(outputs, 1e-30)) if are_probabilities else log_softmax(outputs)
        found, expected = np.maximum(found, -60), np.maximum(expected, -60)
        return np.abs(found - expected).max() / max(np.ptp(expected), 1e-3)

    def summary(self):
        """A description of the layers as they were interpreted."""
        names = ", ".join(layer.name for layer in self.layers)
        units = ", ".join(str(layer.w_hh.shape[1]) for layer in self.layers)
        inputs = "an embedding" if self.has_embedding else "one-hot inputs"
        return (
            f"{names} ({units} units) on {inputs} of {self.vocabulary} characters; "
            f"output layer {self.linear.name}"
        )


def as_f64(part):
    """A layer with all of its numbers in f64, and zeros for a missing bias."""
    numbers = {name: value for name, value in vars(part).items() if name != "name"}
    rows = next(iter(numbers.values())).shape[0]
    numbers = {
        name: np.zeros(rows) if value is None else np.asarray(value, dtype=np.float64)
        for name, value in numbers.items()
    }
    return type(part)(part.name, **numbers)


def with_zeros(tensor, units, columns):
    """`tensor` [4H, inputs], padded with zeros to `units` rows per gate and to `columns`."""
    gates = tensor.reshape(len(GATES), -1, tensor.shape[1])
    gates = np.pad(gates, ((0, 0), (0, units - gates.shape[1]), (0, columns - gates.shape[2])))
    return gates.reshape(-1, columns)


def require(name, tensor, shape):
    """Refuses a `tensor` of another shape."""
    if tensor.shape != shape:
        raise Refused(f"{name} has a tensor of shape {list(tensor.shape)}, not {list(shape)}")


def reordered(tensor, order):
    """`tensor` [4H, …] with its gates, which are in `order`, in Charcell's order."""
    gates = dict(zip(order, np.split(tensor, len(GATES))))
    return np.concatenate([gates[gate] for gate in GATES])


def hidden_states(layer, inputs):
    """[T, H], from a state of zeros."""
    hidden = cell = np.zeros(layer.w_hh.shape[1])
    states = []
    for x in inputs:
        i, f, g, o = np.split(layer.w_ih @ x + layer.w_hh @ hidden + layer.bias, len(GATES))
        cell = sigmoid(f) * cell + sigmoid(i) * np.tanh(g)
        hidden = sigmoid(o) * np.tanh(cell)
        states.append(hidden)
    return np.array(states)


def sigmoid(x):
    return 0.5 + 0.5 * np.tanh(0.5 * x)


def log_softmax(logits):
    logits = logits - logits.max(-1, keepdims=True)
    return logits - np.log(np.exp(logits).sum(-1, keepdims=True))


def some_tokens(vocabulary, steps):
    """Tokens to compare models on; 0, which some models mask, is one of them."""
    tokens = np.random.default_rng(0).integers(0, vocabulary, steps)
    tokens[steps // 3] = 0
    return tokens


def require_equal(difference, besides):
    """Refuses a model that computes something other than its layers do, perhaps because of the
    parts that it has `besides`."""
    if not difference <= TOLERANCE:
        causes = [*besides, "an option of a layer, or how the layers are connected"]
        raise Refused(
            "the model computes something other than its LSTM, embedding and output layers alone "
            f"(a difference of {difference:.1g}); the reason may be {', or '.join(causes)}"
        )
    print(f"the layers alone compute the same as the whole model, within {difference:.1e}")


def write(model, out, characters=None):
    """Writes the safetensors file `out`, and a vocabulary next to it if `characters` are given."""
    print(model.summary())
    tensors = {}
    layers, linear = model.widened()
    for number, layer in enumerate(layers):
        tensors[f"lstm.weight_ih_l{number}"] = layer.w_ih
        tensors[f"lstm.weight_hh_l{number}"] = layer.w_hh
        tensors[f"lstm.bias_ih_l{number}"] = layer.bias
        tensors[f"lstm.bias_hh_l{number}"] = np.zeros_like(layer.bias)
    tensors["linear.weight"] = linear.weight
    tensors["linear.bias"] = linear.bias
    write_tensors(tensors, out, characters, np.float32)


def write_tensors(tensors, out, characters=None, dtype=None):
    """Writes `tensors` with these names, and says what to do next."""
    # safetensors 0.8.0 silently writes a transposed array in its memory order.
    tensors = {name: np.ascontiguousarray(tensor, dtype) for name, tensor in tensors.items()}
    out = Path(out)
    replace(out, save(tensors))
    vocabulary = out.with_suffix(".vocabulary.json")
    if characters:
        replace(vocabulary, json.dumps(characters, ensure_ascii=False).encode())
        print(f"{vocabulary}: the {len(characters)} characters of the file's vocabulary")
    else:
        vocabulary = "vocabulary.json"
        print(
            "the file has no vocabulary: in the program that trained the model, write its "
            "characters in the order of its inputs: "
            'json.dump(characters, open("vocabulary.json", "w"))'
        )
    print(f"wrote {out}; next:")
    print(f"  charcell import {out} --vocabulary {vocabulary} -o runs/imported")


def replace(path, contents):
    """Writes a file, whole or not at all."""
    part = path.with_name(path.name + ".part")
    try:
        part.write_bytes(contents)
        os.replace(part, path)
    finally:
        part.unlink(missing_ok=True)


def characters_among(values):
    """The only vocabulary among `values`: characters in order, or a dict with their numbers."""
    found = []
    for value in values:
        if isinstance(value, dict) and value:
            if all(isinstance(key, int) for key in value):
                value = {character: number for number, character in value.items()}
            if sorted(map(str, value.values())) != sorted(map(str, range(len(value)))):
                continue
            value = sorted(value, key=value.get)
        if not isinstance(value, (str, list, tuple)) or len(value) < 2:
            continue
        is_vocabulary = all(isinstance(entry, str) and len(entry) == 1 for entry in value)
        if is_vocabulary and len(set(value)) == len(value) and list(value) not in found:
            found.append(list(value))
    return found[0] if len(found) == 1 else None


def main(convert, what):
    """Runs `convert(model, out)` with the two paths from the command line."""
    parser = argparse.ArgumentParser(description=f"Converts {what} for `charcell import`.")
    parser.add_argument("model", type=Path, help=what)
    parser.add_argument("out", type=Path, help="the safetensors file to write")
    arguments = parser.parse_args()
    if arguments.out.suffix != ".safetensors":
        parser.error(f"the name of {arguments.out} must end in .safetensors")
    if not arguments.model.is_file():
        parser.error(f"{arguments.model} is not a file")
    try:
        convert(arguments.model, arguments.out)
    except Refused as reason:
        sys.exit(f"{arguments.model}: {reason}")
