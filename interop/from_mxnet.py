"""Converts the parameters of an MXNet Gluon model, a .params file, for `charcell import`.

    pip install numpy safetensors
    python interop/from_mxnet.py lstm.params model.safetensors

MXNet isn't needed: this script reads the file itself. The file comes from `net.save_parameters`
(with names such as `rnn._unfused.0.i2h_weight`), `net.export` or `net.collect_params().save`
(`lstm0_l0_i2h_weight`), or from `npx.save` of the list of parameters in the LSTM from scratch of
*Dive into Deep Learning*.

Gluon has Charcell's gate order (it calls the candidate c) and matrices [4H, inputs]; the chapter's
LSTM from scratch has a matrix [inputs, H] for each gate, in the order i, f, o, c.
"""

import re
import struct

import numpy as np

from conversion import Layer, Linear, Model, Refused, main, reordered, write

LIST_MAGIC = 0x112
# NDArrays of MXNet 0.11 and newer; the last kind has NumPy's shapes.
LEGACY_MAGIC, ARRAY_MAGIC, NUMPY_ARRAY_MAGIC = 0xF993FAC8, 0xF993FAC9, 0xF993FACA
DTYPES = {0: "<f4", 1: "<f8", 2: "<f2"}

CELL = re.compile(r"(?P<cell>.*?)[._]?(?P<array>(i2h|h2h|h2r)_(weight|bias))")
# The reverse direction of a layer, in both ways of naming parameters.
REVERSE = re.compile(r"(^|.*[._])(r\d+|r_cell)")

# The parameters from the chapter's get_lstm_params, with its names.
FROM_SCRATCH = "W_xi W_hi b_i W_xf W_hf b_f W_xo W_ho b_o W_xc W_hc b_c W_hq b_q".split()


class Reader:
    """Reads numbers from a file, in order."""

    def __init__(self, contents):
        self.contents = contents
        self.offset = 0

    def bytes(self, count):
        taken = self.contents[self.offset : self.offset + count]
        if len(taken) < count:
            raise Refused("the file is cut off")
        self.offset += count
        return taken

    def numbers(self, kinds):
        return struct.unpack("<" + kinds, self.bytes(struct.calcsize("<" + kinds)))

    def array(self):
        (magic,) = self.numbers("I")
        if magic not in (LEGACY_MAGIC, ARRAY_MAGIC, NUMPY_ARRAY_MAGIC):
            raise Refused("it is from an MXNet before 0.11: load and save it with a newer one")
        if magic != LEGACY_MAGIC and self.numbers("i") != (0,):
            raise Refused("it has a sparse array: save it as dense, array.tostype('default')")
        (dimensions,) = self.numbers("i")
        shape = self.numbers("q" * max(dimensions, 0))
        if min(shape, default=0) <= 0:
            raise Refused("it has an array without a shape: run the net once before you save it")
        _device, _number, dtype = self.numbers("iii")
        if dtype not in DTYPES:
            raise Refused("it has an array that isn't floating-point")
        dtype = np.dtype(DTYPES[dtype])
        data = self.bytes(int(np.prod(shape)) * dtype.itemsize)
        return np.frombuffer(data, dtype).reshape(shape)


def read(path):
    """The arrays of a .params file by name; arrays of a list are named by number."""
    reader = Reader(path.read_bytes())
    if len(reader.contents) < 24 or reader.numbers("QQ") != (LIST_MAGIC, 0):
        raise Refused("it isn't a file of MXNet arrays")
    arrays = [reader.array() for _ in range(*reader.numbers("Q"))]
    names = [reader.bytes(*reader.numbers("Q")).decode() for _ in range(*reader.numbers("Q"))]
    if names and len(names) != len(arrays):
        raise Refused(f"it has {len(arrays)} arrays and {len(names)} names")
    names = names or [str(number) for number in range(len(arrays))]
    # net.export prefixes them with `arg:`.
    return {name.removeprefix("arg:"): array for name, array in zip(names, arrays)}


def convert(path, out):
    arrays = read(path)
    if list(arrays) == [str(number) for number in range(len(FROM_SCRATCH))]:
        write(from_scratch(list(arrays.values())), out)
        return
    cells = {}
    for name in list(arrays):
        match = CELL.fullmatch(name)
        if match:
            cells.setdefault(match["cell"], {})[match["array"]] = arrays.pop(name)
    layers = [layer(name, cells[name]) for name in sorted(cells, key=in_natural_order)]
    if not layers:
        raise Refused(f"it has no LSTM, whose arrays end in i2h_weight: {', '.join(arrays)}")
    write(Model(layers, *ends(arrays, layers)), out)


def layer(name, cell):
    """The layer from the arrays of a cell, by the ends of their names."""
    if REVERSE.fullmatch(name):
        raise Refused(f"{name} reads the text backwards, but Charcell only reads it forwards")
    if "h2r_weight" in cell:
        raise Refused(f"{name} has a projection, which Charcell doesn't support")
    for array in ["i2h_weight", "h2h_weight"]:
        if array not in cell:
            raise Refused(f"{name} lacks its {array}")
    biases = [cell[bias] for bias in ("i2h_bias", "h2h_bias") if bias in cell]
    bias = np.sum(biases, axis=0, dtype=np.float64) if biases else None
    return Layer(name, cell["i2h_weight"], cell["h2h_weight"], bias)


def in_natural_order(name):
    return [int(part) if part.isdigit() else part for part in re.split(r"(\d+)", name)]


def ends(arrays, layers):
    """The output layer and the embedding or None, from the arrays that aren't the LSTM's."""
    matrices = {name: array for name, array in arrays.items() if array.ndim == 2}
    hidden, inputs = layers[-1].w_hh.shape[1], layers[0].w_ih.shape[1]
    outputs = [name for name in matrices if bias_name(name) in arrays]
    outputs = outputs or [name for name in matrices if matrices[name].shape[1] == hidden]
    embeddings = [name for name in matrices if name not in outputs]
    biases = [bias_name(name) for name in outputs if bias_name(name) in arrays]
    unknown = set(arrays) - set(outputs) - set(embeddings) - set(biases)
    if len(outputs) != 1 or len(embeddings) > 1 or unknown:
        raise Refused(
            "besides the LSTM, it must have the weights of a Dense, and may have those of an "
            "Embedding; it has "
            f"{', '.join(f'{name} {list(arrays[name].shape)}' for name in arrays)}"
        )
    linear = Linear(outputs[0], matrices[outputs[0]], arrays[biases[0]] if biases else None)
    if embeddings:
        return linear, matrices[embeddings[0]]
    # A Dense that shares its weights with the Embedding is saved under one name.
    is_tied = inputs != linear.weight.shape[0] and inputs == hidden
    return linear, linear.weight if is_tied else None


def bias_name(name):
    return name.removesuffix("weight") + "bias"


def from_scratch(arrays):
    """The model of the chapter's `get_lstm_params`, in its order."""
    arrays = dict(zip(FROM_SCRATCH, arrays))

    def gates(kind):
        matrices = [arrays[kind + gate].T for gate in "ifoc"]
        return reordered(np.concatenate(matrices), "ifog")

    linear = Linear("W_hq", arrays["W_hq"].T, arrays["b_q"])
    return Model([Layer("the list of parameters", gates("W_x"), gates("W_h"), gates("b_"))], linear)


if __name__ == "__main__":
    main(convert, "a .params file")
