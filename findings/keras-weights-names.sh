#!/usr/bin/env bash
# Keras 3.15.0 (backend jax 0.10.2) names the weights in .weights.h5 and .keras files after the
# class of their layer and a number, not after the layer's name.
#
# Guess: the LSTM called "encoder" is at layers/encoder/…, as in the older .h5 files of whole models
# (model_weights/encoder/…), which Keras 3 still writes.
# Seen:
#   ['layers/dense/vars/0', 'layers/dense/vars/1',
#    'layers/lstm/cell/vars/0', …, 'layers/lstm_1/cell/vars/0', …]
# So a program can't find a layer by name in such a file; only the order of the layers of one class
# distinguishes them.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/python"
"$folder/python/bin/pip" install --quiet keras==3.15.0 jax==0.10.2 numpy==2.4.6 h5py==3.16.0
cd "$folder"
KERAS_BACKEND=jax python/bin/python -W ignore - <<'PYTHON'
import h5py
import keras
from keras import layers

model = keras.Sequential([
    keras.Input((None, 5)),
    layers.LSTM(3, return_sequences=True, name="encoder"),
    layers.LSTM(4, return_sequences=True, name="decoder"),
    layers.Dense(5, name="head"),
])
model.save_weights("model.weights.h5")
names = []
with h5py.File("model.weights.h5") as file:
    file.visit(names.append)
    names = sorted(name for name in names if isinstance(file[name], h5py.Dataset))
print(names)
assert names == [
    "layers/dense/vars/0",
    "layers/dense/vars/1",
    "layers/lstm/cell/vars/0",
    "layers/lstm/cell/vars/1",
    "layers/lstm/cell/vars/2",
    "layers/lstm_1/cell/vars/0",
    "layers/lstm_1/cell/vars/1",
    "layers/lstm_1/cell/vars/2",
]
PYTHON
