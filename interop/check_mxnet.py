"""Converts models from MXNet Gluon to Charcell, and compares the perplexity of both on a text.

    cargo build --release && pip install mxnet==1.9.1 numpy==1.23.5 safetensors
    python interop/check_mxnet.py target/release/charcell trainer/text/the-orrery.txt

MXNet 1.9.1 is the last release, and needs NumPy before 1.24, and so Python 3.11 or older.
"""

import sys
import tempfile
from pathlib import Path

import mxnet as mx
from mxnet import np, npx
from mxnet.gluon import HybridBlock, nn, rnn

from comparison import Text, check_file, check_refused, perplexity

TEXT = Text(sys.argv[2])
VOCABULARY = len(TEXT.characters)


class ChapterModel(nn.Block):
    """*Dive into Deep Learning*'s RNNModel, around `rnn.LSTM`."""

    def __init__(self, rnn_layer, **options):
        super().__init__(**options)
        self.rnn = rnn_layer
        self.dense = nn.Dense(VOCABULARY)

    def forward(self, inputs, state):
        outputs, state = self.rnn(npx.one_hot(inputs.T, VOCABULARY), state)
        return self.dense(outputs.reshape(-1, outputs.shape[-1])), state


class WordModel(HybridBlock):
    """As in Gluon's language models: an Embedding, an LSTM and a Dense, whose weights the Embedding
    may share."""

    def __init__(self, rnn_layer, embedding, is_tied=False, use_bias=True):
        super().__init__()
        with self.name_scope():
            self.encoder = nn.Embedding(VOCABULARY, embedding)
            self.drop = nn.Dropout(0.2)
            self.rnn = rnn_layer
            shared = {"params": self.encoder.params} if is_tied else {"in_units": 24}
            self.decoder = nn.Dense(VOCABULARY, flatten=False, use_bias=use_bias, **shared)

    def hybrid_forward(self, F, inputs):
        return self.decoder(self.rnn(self.drop(self.encoder(inputs))))


def randomized(net, normal):
    """`net` with random weights, large enough that a wrong one has a visible effect."""
    for parameter in net.collect_params().values():
        parameter.set_data(normal(0, 0.3, parameter.shape))
    return net


def initialized(net):
    net.initialize()
    return randomized(net, mx.nd.random.normal)


def chapter_models(folder):
    """Models in MXNet's NumPy mode, as in the chapter."""
    npx.set_np()
    inputs = np.array(TEXT.tokens[None, :-1])
    for layers in [1, 2]:
        net = ChapterModel(rnn.LSTM(40, num_layers=layers))
        net.initialize()
        state = net.rnn.begin_state(batch_size=1)
        net(inputs[:, :2], state)
        randomized(net, np.random.normal)
        logits, _ = net(inputs, state)
        expected = perplexity(logits.asnumpy(), TEXT.tokens[1:])
        file = folder / f"chapter-{layers}.params"
        net.save_parameters(str(file))
        check_file(file.name, "MXNet", file, TEXT, expected)
    from_scratch(folder / "scratch.params", inputs[0])
    npx.reset_np()


def from_scratch(file, inputs):
    """The chapter's own `get_lstm_params` and `lstm`, with larger weights."""
    hidden_units = 40

    def normal(shape):
        return np.random.normal(scale=0.3, size=shape)

    def three():
        return normal((VOCABULARY, hidden_units)), normal((hidden_units,) * 2), normal(hidden_units)

    W_xi, W_hi, b_i = three()
    W_xf, W_hf, b_f = three()
    W_xo, W_ho, b_o = three()
    W_xc, W_hc, b_c = three()
    W_hq, b_q = normal((hidden_units, VOCABULARY)), normal(VOCABULARY)
    params = [W_xi, W_hi, b_i, W_xf, W_hf, b_f, W_xo, W_ho, b_o, W_xc, W_hc, b_c, W_hq, b_q]
    H = C = np.zeros((1, hidden_units))
    outputs = []
    for X in npx.one_hot(inputs[:, None], VOCABULARY):
        I = npx.sigmoid(np.dot(X, W_xi) + np.dot(H, W_hi) + b_i)
        F = npx.sigmoid(np.dot(X, W_xf) + np.dot(H, W_hf) + b_f)
        O = npx.sigmoid(np.dot(X, W_xo) + np.dot(H, W_ho) + b_o)
        C_tilda = np.tanh(np.dot(X, W_xc) + np.dot(H, W_hc) + b_c)
        C = F * C + I * C_tilda
        H = O * np.tanh(C)
        outputs.append(np.dot(H, W_hq) + b_q)
    expected = perplexity(np.concatenate(outputs).asnumpy(), TEXT.tokens[1:])
    npx.save(str(file), params)
    check_file(file.name, "MXNet", file, TEXT, expected)


class CellModel(nn.Block):
    """Stacked LSTM cells, unrolled."""

    def __init__(self):
        super().__init__()
        self.cells = rnn.SequentialRNNCell()
        for units, inputs in [(40, VOCABULARY), (24, 40)]:
            self.cells.add(rnn.LSTMCell(units, input_size=inputs))
        self.dense = nn.Dense(VOCABULARY, in_units=24)

    def forward(self, inputs):
        one_hot = mx.nd.one_hot(inputs.T, VOCABULARY)
        return self.dense(self.cells.unroll(len(inputs), one_hot, merge_outputs=True)[0][0])


def symbolic_models(folder):
    """Models without NumPy mode, saved in all ways."""
    inputs = mx.nd.array(TEXT.tokens[:-1, None])
    for name, net in [
        ("embedding", WordModel(rnn.LSTM(24, num_layers=2, input_size=20), 20)),
        ("tied", WordModel(rnn.LSTM(24, num_layers=2, input_size=24), 24, is_tied=True)),
        ("no-bias", WordModel(rnn.LSTM(24, input_size=20), 20, use_bias=False)),
        ("double", WordModel(rnn.LSTM(24, input_size=20), 20)),
    ]:
        initialized(net)
        if name == "double":
            net.cast("float64")
        net.hybridize()
        expected = perplexity(net(inputs).asnumpy()[:, 0], TEXT.tokens[1:])
        net.save_parameters(str(folder / f"{name}-structure.params"))
        net.collect_params().save(str(folder / f"{name}-names.params"))
        net.export(str(folder / name))
        for kind in ["structure", "names", "0000"]:
            file = folder / f"{name}-{kind}.params"
            check_file(file.name, "MXNet", file, TEXT, expected)
    net = initialized(CellModel())
    expected = perplexity(net(inputs).asnumpy(), TEXT.tokens[1:])
    net.save_parameters(str(folder / "cells.params"))
    net.collect_params().save(str(folder / "cells-names.params"))
    for name in ["cells.params", "cells-names.params"]:
        check_file(name, "MXNet", folder / name, TEXT, expected)


def bad_models(folder):
    options = {"input_size": 20}
    for name, layer, words in [
        ("gru", rnn.GRU(24, **options), "is a GRU"),
        ("rnn", rnn.RNN(24, **options), "is a plain RNN"),
        ("both", rnn.LSTM(24, bidirectional=True, **options), "reads the text backwards"),
        ("projection", rnn.LSTM(30, projection_size=24, **options), "has a projection"),
    ]:
        net = initialized(WordModel(layer, 20))
        net.save_parameters(str(folder / f"{name}.params"))
        check_refused(name, folder / f"{name}.params", words)
        net.collect_params().save(str(folder / f"{name}-names.params"))
        check_refused(name, folder / f"{name}-names.params", words)


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as name:
        chapter_models(Path(name))
        symbolic_models(Path(name))
        bad_models(Path(name))
