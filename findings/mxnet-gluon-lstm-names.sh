#!/usr/bin/env bash
# MXNet 1.9.1 (with NumPy 1.23.5, Python 3.11): the names of an LSTM's parameters in a file depend
# on how it was saved, and never match its attributes.
#
# Guess: a Block with `self.rnn = rnn.LSTM(…)` saves `rnn.l0_i2h_weight`, the name of the layer's
# attribute (net.rnn.l0_i2h_weight), and collect_params().save writes the same arrays.
# Seen: save_parameters writes them as if the layer were a stack of cells, which it isn't:
#   ['rnn._unfused.0.h2h_bias', 'rnn._unfused.0.h2h_weight', 'rnn._unfused.0.i2h_bias',
#    'rnn._unfused.0.i2h_weight']
# collect_params() has the global names:
#   ['lstm0_l0_h2h_bias', 'lstm0_l0_h2h_weight', 'lstm0_l0_i2h_bias', 'lstm0_l0_i2h_weight']
# Its save fails in NumPy mode, npx.set_np(), which the chapters of Dive into Deep Learning use:
#   TypeError: cannot save mxnet.numpy.ndarray using mxnet.ndarray.save.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3.11 -m venv "$folder/python"
"$folder/python/bin/pip" install --quiet mxnet==1.9.1 numpy==1.23.5
cd "$folder"
python/bin/python -W ignore - <<'PYTHON'
from mxnet import np, npx
from mxnet.gluon import nn, rnn

npx.set_np()


class Net(nn.Block):
    def __init__(self):
        super().__init__()
        self.rnn = rnn.LSTM(3, input_size=5)

    def forward(self, inputs):
        return self.rnn(inputs)


net = Net()
net.initialize()
net(np.zeros((2, 1, 5)))
assert net.rnn.l0_i2h_weight.shape == (12, 5)
net.save_parameters("net.params")
saved = sorted(npx.load("net.params"))
print("save_parameters:", saved)
arrays = ["h2h_bias", "h2h_weight", "i2h_bias", "i2h_weight"]
assert saved == [f"rnn._unfused.0.{name}" for name in arrays]
collected = sorted(net.collect_params())
print("collect_params:", collected)
assert collected == [f"lstm0_l0_{name}" for name in arrays]
try:
    net.collect_params().save("collected.params")
except TypeError as error:
    print("collect_params().save:", error)
else:
    raise SystemExit("collect_params().save works now")
PYTHON
