"""Converts ONNX models, exported by PyTorch or made by hand, to Charcell, and compares the
perplexity of ONNX Runtime and Charcell on a text.

    cargo build --release && pip install onnx onnxruntime onnxscript torch safetensors
    python interop/check_onnx.py target/release/charcell trainer/text/the-orrery.txt
"""

import json
import logging
import sys
import tempfile
import warnings
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import torch
from onnx import TensorProto, helper, numpy_helper
from onnx.reference import ReferenceEvaluator
from torch import nn

from comparison import Text, check_file, check_refused, perplexity

TEXT = Text(sys.argv[2])
VOCABULARY = len(TEXT.characters)

# Most messages of the exporters have nothing to do with these models.
logging.disable(logging.WARNING)
warnings.simplefilter("ignore")


class CharacterModel(nn.Module):
    """Logits or probabilities from tokens and an optional state; `options` are the LSTM's."""

    def __init__(self, hidden=40, embedding=None, softmax=False, bias=True, **options):
        super().__init__()
        self.softmax = softmax
        self.embedding = nn.Embedding(VOCABULARY, embedding) if embedding else None
        self.lstm = nn.LSTM(embedding or VOCABULARY, hidden, bias=bias, **options)
        both = 2 if options.get("bidirectional") else 1
        self.linear = nn.Linear(both * hidden, VOCABULARY, bias=bias)
        for parameter in self.parameters():
            nn.init.normal_(parameter, std=0.3)

    def forward(self, tokens, h=None, c=None):
        one_hot = nn.functional.one_hot(tokens, VOCABULARY).float()
        inputs = self.embedding(tokens) if self.embedding else one_hot
        hidden, _ = self.lstm(inputs, None if h is None else (h, c))
        logits = self.linear(hidden)
        return logits.softmax(-1) if self.softmax else logits


class FlatModel(CharacterModel):
    """One-hot inputs, and the rows of all steps in one matrix, as in the chapter: a Gemm."""

    def forward(self, one_hot):
        hidden, _ = self.lstm(one_hot)
        return self.linear(hidden.reshape(-1, hidden.shape[-1]))


def exported(file, model, example, dynamo):
    """Writes `model` with one of PyTorch's two exporters, for any number of steps."""
    axis = 1 if model.lstm.batch_first else 0
    options = {"dynamic_axes": {"inputs": {axis: "steps"}}}
    if dynamo:
        free = {axis: torch.export.Dim.DYNAMIC}
        options = {"dynamic_shapes": (free, None, None)[: len(example)], "verbose": False}
    names = ["inputs", "h", "c"][: len(example)]
    torch.onnx.export(model.eval(), example, file, input_names=names, dynamo=dynamo, **options)


def onnx_perplexity(file, inputs, evaluator=None):
    session = evaluator or onnxruntime.InferenceSession(file)
    outputs = session.run(None, inputs)[0].reshape(-1, VOCABULARY).astype(np.float64)
    outputs = np.log(outputs) if np.allclose(outputs.sum(-1), 1, atol=1e-3) else outputs
    return perplexity(outputs, TEXT.tokens[1:])


def exported_models(folder):
    torch.manual_seed(1)
    tokens = torch.from_numpy(TEXT.tokens[:-1].copy())
    column, row = tokens[:, None], tokens[None]
    one_hot = nn.functional.one_hot(column, VOCABULARY).float()
    state = torch.zeros(1, 1, 40), torch.zeros(1, 1, 40)
    for name, model, inputs in [
        ("tokens", CharacterModel(num_layers=2), (column,)),
        ("batch-first", CharacterModel(batch_first=True, softmax=True), (row,)),
        ("embedding", CharacterModel(embedding=20), (column, *state)),
        ("embedding-row", CharacterModel(embedding=20, batch_first=True, num_layers=2), (row,)),
        ("no-bias", CharacterModel(bias=False), (column,)),
        ("flat", FlatModel(), (one_hot,)),
    ]:
        for dynamo in [False, True]:
            file = folder / f"{name}{'-dynamo' if dynamo else ''}.onnx"
            short = tuple(one[:7, :7] if number == 0 else one for number, one in enumerate(inputs))
            exported(file, model, short, dynamo)
            names = [one.name for one in onnxruntime.InferenceSession(file).get_inputs()]
            feeds = {name: one.numpy() for name, one in zip(names, inputs)}
            check_file(file.name, "ONNX Runtime", file, TEXT, onnx_perplexity(file, feeds))


def random_weights(hidden, dtype=np.float32):
    random = np.random.default_rng(2)
    shapes = {
        "W": (1, 4 * hidden, VOCABULARY),
        "R": (1, 4 * hidden, hidden),
        "B": (1, 8 * hidden),
        "P": (1, 3 * hidden),
        "dense": (hidden, VOCABULARY),
    }
    return {name: random.normal(0, 0.3, shape).astype(dtype) for name, shape in shapes.items()}


def by_hand(inputs=("X", "W", "R", "B"), dtype=TensorProto.FLOAT, metadata=None, **attributes):
    """An LSTM operator on one-hot inputs [T, B, V], and a MatMul; in layout 1, [B, T, V]."""
    hidden = 24
    weights = random_weights(hidden, helper.tensor_dtype_to_np_dtype(dtype))
    weights = {name: array for name, array in weights.items() if name in [*inputs, "dense"]}
    lstm = helper.make_node("LSTM", inputs, ["Y"], hidden_size=hidden, **attributes)
    axis = 2 if attributes.get("layout") else 1
    weights["axis"] = np.array([axis], dtype=np.int64)
    squeeze = helper.make_node("Squeeze", ["Y", "axis"], ["H"])
    dense = helper.make_node("MatMul", ["H", "dense"], ["logits"])
    graph = helper.make_graph(
        [lstm, squeeze, dense],
        "lstm",
        [helper.make_tensor_value_info("X", dtype, ["T", "B", VOCABULARY])],
        [helper.make_tensor_value_info("logits", dtype, None)],
        [numpy_helper.from_array(array, name) for name, array in weights.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    helper.set_model_props(model, metadata or {})
    return model


def models_by_hand(folder):
    one_hot = np.eye(VOCABULARY, dtype=np.float32)[TEXT.tokens[:-1]]
    file = folder / "by-hand.onnx"
    onnx.save(by_hand(metadata={"characters": json.dumps(TEXT.characters)}), file)
    expected = onnx_perplexity(file, {"X": one_hot[:, None]})
    check_file(file.name, "ONNX Runtime", file, TEXT, expected)
    # On the CPU, ONNX Runtime has no LSTM with this layout, and none in f64.
    for name, model, inputs in [
        ("layout-1.onnx", by_hand(layout=1), one_hot[None]),
        ("f64.onnx", by_hand(dtype=TensorProto.DOUBLE), one_hot[:, None].astype(np.float64)),
    ]:
        onnx.save(model, folder / name)
        expected = onnx_perplexity(None, {"X": inputs}, ReferenceEvaluator(model))
        check_file(name, "ONNX's evaluator", folder / name, TEXT, expected)


def bad_models(folder):
    both = CharacterModel(bidirectional=True)
    exported(folder / "both.onnx", both, (torch.zeros(7, 1, dtype=torch.long),), False)
    check_refused("both", folder / "both.onnx", "a direction other than forward")
    gru = nn.GRU(VOCABULARY, 40)
    torch.onnx.export(gru, (torch.zeros(7, 1, VOCABULARY),), folder / "gru.onnx", dynamo=False)
    check_refused("gru", folder / "gru.onnx", "it has no LSTM operator; it has ")
    peepholes = ["X", "W", "R", "B", "", "", "", "P"]
    relu = ["Sigmoid", "Relu", "Tanh"]
    for name, model, words in [
        ("peepholes", by_hand(peepholes), "has peepholes"),
        ("clip", by_hand(clip=3.0), "has a clip"),
        ("coupled", by_hand(input_forget=1), "coupled input and forget gates"),
        ("relu", by_hand(activations=relu), "the activations Sigmoid, Relu, Tanh"),
    ]:
        onnx.save(model, folder / f"{name}.onnx")
        check_refused(name, folder / f"{name}.onnx", words)
    changed = by_hand()
    dense = changed.graph.node[-1]
    dense.output[0] = "before"
    changed.graph.node.append(helper.make_node("Sin", ["before"], ["logits"]))
    onnx.save(changed, folder / "sin.onnx")
    check_refused("sin", folder / "sin.onnx", "computes something other")


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as name:
        models_by_hand(Path(name))
        exported_models(Path(name))
        bad_models(Path(name))
