"""Shared by all peers in Python: the work that they get, and the orders that they follow.

A peer's argument is a folder with `work.json` (sizes, the corpus as tokens, the recipe) and
`weights.f32` (the initial parameters, one after another, row-major). It reads orders from standard
input, one per line, and answers each with a line, so that several peers can take turns and be timed
by the same clock:

    epoch OFFSET     trains an epoch that starts at this token; answers with its mean loss in nats
    generate COUNT   continues token 0 with the most probable tokens; answers with these tokens
    multiply SIZE    multiplies two matrices of this size for a second; answers with the best rate
                     in GFLOP/s
    evaluate 0       answers with the mean loss in nats on the held-out text, if there is one
"""

import json
import sys
import time
from pathlib import Path
from types import SimpleNamespace

import numpy as np


def work():
    """The sizes and settings of `work.json`; tokens as an array; initial parameters by name."""
    folder = Path(sys.argv[1])
    given = SimpleNamespace(**json.loads((folder / "work.json").read_text()))
    given.tokens = np.array(given.tokens)
    values = np.fromfile(folder / "weights.f32", dtype="<f4")
    hidden, vocabulary = given.hidden, given.vocabulary
    shapes = {
        "w_ih": (vocabulary, 4 * hidden),
        "w_hh": (hidden, 4 * hidden),
        "b": (4 * hidden,),
        "w_out": (hidden, vocabulary),
        "b_out": (vocabulary,),
    }
    given.parameters = {}
    for name, shape in shapes.items():
        count = int(np.prod(shape))
        given.parameters[name], values = values[:count].reshape(shape).copy(), values[count:]
    assert values.size == 0, "one layer"
    return given


def windows(given, offset):
    """Inputs and targets of an epoch's consecutive windows, `[windows, T, B]` each."""
    rows, steps = given.batch_size, given.num_steps
    row_length = (len(given.tokens) - offset - 1) // rows

    def cut(first):
        batch = given.tokens[first : first + rows * row_length].reshape(rows, row_length)
        batch = batch[:, : row_length // steps * steps].reshape(rows, -1, steps)
        return np.ascontiguousarray(batch.transpose(1, 2, 0))

    return cut(offset), cut(offset + 1)


def best_rate(size, multiply):
    """GFLOP/s of `multiply`, a product of two square matrices: the best of a second."""
    best, end = float("inf"), time.perf_counter() + 1.0
    while time.perf_counter() < end:
        start = time.perf_counter()
        multiply()
        best = min(best, time.perf_counter() - start)
    return 2e-9 * size**3 / best


def follow(epoch, generate=None, multiply=None, evaluate=None):
    """Follows the orders from standard input until its end, with a function for each."""
    orders = {"epoch": epoch, "generate": generate, "multiply": multiply, "evaluate": evaluate}
    print("ready", flush=True)
    for line in sys.stdin:
        order, number = line.split()
        print(orders[order](int(number)), flush=True)
