"""Converts an ONNX model for `charcell import`.

    pip install onnx safetensors
    python interop/from_onnx.py model.onnx model.safetensors

The model must have LSTM operators, such as those from PyTorch's two exporters, on one-hot inputs or
after a Gather from an embedding, followed by one MatMul or Gemm. Nodes that depend only on
constants, such as transposed or dequantised weights, are evaluated first.

In ONNX, the gates are in the order i, o, f, c, the matrices are [4H, inputs], and the two biases
are in one tensor.
"""

import json
from math import prod

import numpy as np
import onnx
from onnx import numpy_helper
from onnx.inliner import inline_local_functions
from onnx.reference import ReferenceEvaluator

from conversion import Layer, Linear, Model, Refused, characters_among
from conversion import main, reordered, require_equal, some_tokens, write

STEPS = 24
INTEGERS = [onnx.TensorProto.INT32, onnx.TensorProto.INT64]
ACTIVATIONS = ["Sigmoid", "Tanh", "Tanh"]


def convert(path, out):
    try:
        model = inline_local_functions(onnx.load(path))
    except Exception as error:
        raise Refused(f"ONNX can't load it: {error}") from error
    graph = Graph(model)
    if not graph.of("LSTM"):
        operators = ", ".join(sorted(graph.operators())) or "none"
        raise Refused(f"it has no LSTM operator; it has {operators}")
    layers = [converted_lstm(graph, node) for node in graph.of("LSTM")]
    linears = [linear for node in graph.nodes for linear in converted_linear(graph, node)]
    embeddings = [table for node in graph.of("Gather") for table in converted_gather(graph, node)]
    if len(linears) != 1 or len(embeddings) > 1:
        raise Refused(
            f"it has {len(embeddings)} Gather from an embedding and {len(linears)} MatMul or Gemm "
            "with weights, but Charcell supports at most one embedding, then LSTMs, then one "
            "output layer"
        )
    converted = Model(layers, linears[0], *embeddings)
    besides = graph.operators() - {"LSTM", "MatMul", "Gemm"}
    require_equal(difference(model, graph, converted), sorted(besides))
    write(converted, out, characters_among(metadata(model)))


class Graph:
    """The nodes of a model that depend on its inputs, in order, and all constants."""

    def __init__(self, model):
        self.constants = {
            tensor.name: numpy_helper.to_array(tensor) for tensor in model.graph.initializer
        }
        self.inputs = [
            value for value in model.graph.input if value.name not in self.constants
        ]
        self.nodes = []
        opsets = {opset.domain: opset.version for opset in model.opset_import}
        for node in model.graph.node:
            if node.op_type != "Constant" and not self.has_constants(node):
                self.nodes.append(node)
                continue
            values = ReferenceEvaluator(node, opsets=opsets).run(
                None, {name: self.constants[name] for name in node.input if name}
            )
            self.constants.update(zip(node.output, values))

    def has_constants(self, node):
        """Whether all inputs of `node` are constants."""
        names = [name for name in node.input if name]
        return bool(names) and all(name in self.constants for name in names)

    def of(self, operator):
        return [node for node in self.nodes if node.op_type == operator]

    def operators(self):
        return {node.op_type for node in self.nodes}

    def constant(self, node, number, default=None):
        """A constant input of a node; `default` if it is omitted, None if it isn't a constant."""
        if number >= len(node.input) or not node.input[number]:
            return default
        return self.constants.get(node.input[number])


def attributes(node):
    return {one.name: onnx.helper.get_attribute_value(one) for one in node.attribute}


def converted_lstm(graph, node):
    name = f"LSTM {node.name or node.output[0]!r}"
    words = attributes(node)
    hidden = words.get("hidden_size")
    w, r = graph.constant(node, 1), graph.constant(node, 2)
    bias = graph.constant(node, 3, np.zeros((1, 8 * (hidden or 0))))
    if w is None or r is None or bias is None:
        raise Refused(f"{name} has weights that are computed from the inputs")
    activations = [word.decode() for word in words.get("activations", [])]
    for found, what in [
        (words.get("direction", b"forward") != b"forward", "a direction other than forward"),
        ("clip" in words, "a clip"),
        (words.get("input_forget", 0) != 0, "coupled input and forget gates"),
        (activations not in ([], ACTIVATIONS), f"the activations {', '.join(activations)}"),
        (len(node.input) > 7 and bool(node.input[7]), "peepholes"),
    ]:
        if found:
            raise Refused(f"{name} has {what}, which Charcell doesn't support")
    w, r, bias = [
        np.concatenate([reordered(part, "iofg") for part in np.split(tensor[0], parts)])
        for tensor, parts in [(w, 1), (r, 1), (bias, 2)]
    ]
    return Layer(name, w, r, np.sum(np.split(bias, 2), axis=0, dtype=np.float64))


def converted_linear(graph, node):
    """Yields the linear layer of a node, if it is one."""
    if node.op_type not in ["MatMul", "Gemm"]:
        return
    words = attributes(node)
    weight, bias = graph.constant(node, 1), None
    if weight is None or weight.ndim != 2:
        return
    if node.op_type == "Gemm":
        bias = graph.constant(node, 2)
    else:
        biases = [
            graph.constants[name]
            for add in graph.of("Add") if node.output[0] in add.input
            for name in add.input if name in graph.constants
        ]
        bias = biases[0] if len(biases) == 1 else None
    rows = weight if words.get("transB") else weight.T
    bias = None if bias is None else np.broadcast_to(np.squeeze(bias), rows.shape[:1])
    yield Linear(f"{node.op_type} {node.name or node.output[0]!r}", rows, bias)


def converted_gather(graph, node):
    """Yields the embedding in which a node looks up rows, if it does."""
    table = graph.constant(node, 0)
    if table is not None and table.ndim == 2 and table.dtype.kind == "f":
        yield table


def metadata(model):
    """The values of the model's metadata, unchanged and parsed as JSON."""
    for entry in model.metadata_props:
        yield entry.value
        try:
            yield json.loads(entry.value)
        except ValueError:
            pass


def difference(model, graph, converted):
    """The difference between the whole model and its layers, on some characters."""
    evaluator = ReferenceEvaluator(model)
    axes = len(lengths(graph.inputs[0])) - is_one_hot(graph.inputs[0])
    differences, errors = [np.inf], []
    # Steps may be the first or the second axis, and only one of them fits the model.
    for time_axis in range(axes):
        try:
            tokens, rows, feeds = example(graph, converted.vocabulary, time_axis)
            found = evaluator.run(None, feeds)
        except Exception as error:
            errors.append(str(error))
            continue
        for outputs in found:
            if outputs.ndim and outputs.shape[-1] == converted.vocabulary:
                outputs = outputs.reshape(-1, converted.vocabulary)
                # All rows have the same text; outputs are ordered by row or by step.
                for one in [outputs[: max(len(outputs) // rows, 1)], outputs[::rows]]:
                    differences.append(converted.difference(tokens, one))
    if len(differences) == 1:
        raise Refused(f"it has no outputs to compare: {'; '.join(errors) or 'no logits'}")
    return min(differences)


def example(graph, vocabulary, time_axis):
    """Some characters, the number of rows of them in the model's first input, and all inputs."""
    characters, *states = graph.inputs
    shape = lengths(characters)[: -1 if is_one_hot(characters) else None]
    shape = [size or (STEPS if axis == time_axis else 1) for axis, size in enumerate(shape)]
    tokens = some_tokens(vocabulary, shape[time_axis])
    rows = prod(shape) // len(tokens)
    inputs = np.expand_dims(tokens, [axis for axis in range(len(shape)) if axis != time_axis])
    inputs = np.broadcast_to(inputs, shape)
    if is_one_hot(characters):
        inputs = np.eye(vocabulary)[inputs]
    feeds = {characters.name: as_type(inputs, characters)}
    for state in states:
        feeds[state.name] = as_type(np.zeros([size or rows for size in lengths(state)]), state)
    return tokens, rows, feeds


def is_one_hot(value):
    return value.type.tensor_type.elem_type not in INTEGERS


def lengths(value):
    """The size of each axis of an input; 0 means any size."""
    return [dimension.dim_value for dimension in value.type.tensor_type.shape.dim]


def as_type(array, value):
    kind = value.type.tensor_type.elem_type
    return array.astype(onnx.helper.tensor_dtype_to_np_dtype(kind))


if __name__ == "__main__":
    main(convert, "an .onnx file")
