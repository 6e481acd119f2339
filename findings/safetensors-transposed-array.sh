#!/usr/bin/env bash
# safetensors 0.8.0 (Python, with NumPy 2.4.6) silently saves a transposed array with its numbers in
# the wrong order.
#
# Guess: save_file({"t": a.T}) stores a.T, or refuses an array that isn't contiguous, as the PyTorch
# version does ("You are trying to save a non contiguous tensor").
# Seen: the shape is that of a.T, but the numbers are in the memory order of `a`:
#   saved  [[0.0, 3.0], [1.0, 4.0], [2.0, 5.0]]
#   loaded [[0.0, 1.0], [2.0, 3.0], [4.0, 5.0]]
# np.ascontiguousarray(a.T) is saved correctly. Keras's kernels must be transposed to PyTorch's
# layout, so each of them is affected.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/python"
"$folder/python/bin/pip" install --quiet safetensors==0.8.0 numpy==2.4.6
cd "$folder"
python/bin/python - <<'PYTHON'
import numpy as np
from safetensors.numpy import load_file, save_file

a = np.arange(6, dtype=np.float32).reshape(2, 3)
save_file({"t": a.T}, "transposed.safetensors")
save_file({"t": np.ascontiguousarray(a.T)}, "copied.safetensors")
loaded = load_file("transposed.safetensors")["t"]
print("saved ", a.T.tolist())
print("loaded", loaded.tolist())
assert loaded.shape == (3, 2)
assert np.array_equal(loaded, a.reshape(3, 2)), "the order differs from the one seen before"
assert not np.array_equal(loaded, a.T), "the order is now correct"
assert np.array_equal(load_file("copied.safetensors")["t"], a.T)
PYTHON
