#!/usr/bin/env bash
# ONNX Runtime 1.32.0 can't run a valid LSTM with layout=1 on the CPU.
#
# Guess: the attribute `layout` of ONNX's LSTM, in the standard since opset 14, works in the
# standard's main runtime: 1 is [batch, steps, inputs], called batch_first elsewhere.
# Seen: onnx 1.23.2's checker accepts the model and its reference evaluator runs it, but ONNX
# Runtime refuses it when it creates the session:
#   Batchwise recurrent operations (layout == 1) are not supported.
# PyTorch's exporters write transpositions around layout 0 instead.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/python"
"$folder/python/bin/pip" install --quiet onnx==1.23.2 onnxruntime==1.32.0 numpy==2.4.6
cd "$folder"
python/bin/python - <<'PYTHON'
import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, helper, numpy_helper
from onnx.reference import ReferenceEvaluator


def model(layout):
    random = np.random.default_rng(0)
    weights = {
        "W": random.normal(size=(1, 12, 5)).astype(np.float32),
        "R": random.normal(size=(1, 12, 3)).astype(np.float32),
    }
    lstm = helper.make_node("LSTM", ["X", "W", "R"], ["Y"], hidden_size=3, layout=layout)
    shapes = {0: [[7, 1, 5], [7, 1, 1, 3]], 1: [[1, 7, 5], [1, 7, 1, 3]]}[layout]
    values = [
        helper.make_tensor_value_info(name, TensorProto.FLOAT, shape)
        for name, shape in zip("XY", shapes)
    ]
    arrays = [numpy_helper.from_array(array, name) for name, array in weights.items()]
    graph = helper.make_graph([lstm], "lstm", values[:1], values[1:], arrays)
    made = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.checker.check_model(made)
    return made


inputs = np.random.default_rng(1).normal(size=(7, 1, 5)).astype(np.float32)
session = onnxruntime.InferenceSession(model(0).SerializeToString())
(expected,) = session.run(None, {"X": inputs})
(reference,) = ReferenceEvaluator(model(1)).run(None, {"X": inputs.transpose(1, 0, 2)})
assert np.allclose(reference[0, :, 0], expected[:, 0, 0], atol=1e-6)
try:
    onnxruntime.InferenceSession(model(1).SerializeToString())
except Exception as error:
    words = "Batchwise recurrent operations (layout == 1) are not supported"
    print(words)
    assert words in str(error), error
else:
    raise SystemExit("layout 1 works now")
PYTHON
