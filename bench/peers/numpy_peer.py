"""The chapter's recipe in NumPy, with the backward pass written by hand: plain array code."""

import numpy as np

import peer

work = peer.work()
parameters = work.parameters


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def forward(inputs, hidden, cell):
    """All steps of a window `[T, B]`: values for the backward pass, hidden states, last cell state.
    """
    steps, outputs = [], []
    for tokens in inputs:
        gates = parameters["w_ih"][tokens] + hidden @ parameters["w_hh"] + parameters["b"]
        i, f, g, o = np.split(gates, 4, axis=1)
        i, f, g, o = sigmoid(i), sigmoid(f), np.tanh(g), sigmoid(o)
        last_hidden, last_cell = hidden, cell
        cell = f * last_cell + i * g
        tanh_cell = np.tanh(cell)
        hidden = o * tanh_cell
        steps.append((i, f, g, o, last_hidden, last_cell, tanh_cell))
        outputs.append(hidden)
    return steps, np.concatenate(outputs), cell


def backward(steps, d_outputs):
    """The gradients of all pre-activations `[T · B, 4H]`, from the gradients of hidden states."""
    d_gates = [None] * len(steps)
    d_hidden, d_cell = np.zeros_like(steps[0][4]), np.zeros_like(steps[0][4])
    d_outputs = d_outputs.reshape(len(steps), *d_hidden.shape)
    for t in reversed(range(len(steps))):
        i, f, g, o, _, last_cell, tanh_cell = steps[t]
        d_hidden = d_hidden + d_outputs[t]
        d_cell = d_cell + d_hidden * o * (1 - tanh_cell**2)
        d_i, d_f = d_cell * g * i * (1 - i), d_cell * last_cell * f * (1 - f)
        d_g, d_o = d_cell * i * (1 - g**2), d_hidden * tanh_cell * o * (1 - o)
        d_gates[t] = np.concatenate((d_i, d_f, d_g, d_o), axis=1)
        d_hidden, d_cell = d_gates[t] @ parameters["w_hh"].T, d_cell * f
    return np.concatenate(d_gates)


def epoch(offset):
    losses = []
    hidden = cell = np.zeros((work.batch_size, work.hidden), dtype=np.float32)
    for inputs, targets in zip(*peer.windows(work, offset)):
        steps, outputs, cell = forward(inputs, hidden, cell)
        hidden = outputs[-work.batch_size :]
        logits = outputs @ parameters["w_out"] + parameters["b_out"]
        shifted = logits - logits.max(axis=1, keepdims=True)
        exponentials = np.exp(shifted)
        sums = exponentials.sum(axis=1, keepdims=True)
        rows, targets = np.arange(targets.size), targets.ravel()
        losses.append(np.mean(np.log(sums[:, 0]) - shifted[rows, targets]))
        d_logits = exponentials / sums
        d_logits[rows, targets] -= 1
        d_logits /= np.float32(targets.size)
        d_gates = backward(steps, d_logits @ parameters["w_out"].T)
        d_w_ih = np.zeros_like(parameters["w_ih"])
        np.add.at(d_w_ih, inputs.ravel(), d_gates)
        last_hidden = np.concatenate([step[4] for step in steps])
        gradients = {
            "w_ih": d_w_ih,
            "w_hh": last_hidden.T @ d_gates,
            "b": d_gates.sum(axis=0),
            "w_out": outputs.T @ d_logits,
            "b_out": d_logits.sum(axis=0),
        }
        norm = np.sqrt(sum(np.sum(gradient**2) for gradient in gradients.values()))
        rate = np.float32(work.learning_rate * min(1, work.clip / norm))
        for name, gradient in gradients.items():
            parameters[name] -= rate * gradient
    return np.mean(losses)


def multiply(size):
    left, right = np.random.rand(2, size, size).astype(np.float32)
    return peer.best_rate(size, lambda: left @ right)


peer.follow(epoch, multiply=multiply)
