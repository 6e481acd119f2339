"""`nn.LSTM` with one bias, its second one frozen at zero, trained with Adam on given windows.

Its argument is a folder with `work.json` (sizes and settings, the learning rate of each iteration),
`weights.safetensors` (the initial weights), `windows.u16` (inputs and targets of the windows of all
epochs, `[E, iterations, 2, T, B]`) and `held_out.u16` (the text to evaluate on).
"""

import json
import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import torch
from safetensors.torch import load_file
from torch import nn

import peer

folder = Path(sys.argv[1])
work = SimpleNamespace(**json.loads((folder / "work.json").read_text()))
torch.set_num_threads(work.threads)
rates = np.array(work.learning_rates).reshape(work.epochs, -1)
windows = np.fromfile(folder / "windows.u16", dtype="<u2").astype(np.int64)
windows = windows.reshape(*rates.shape, 2, work.num_steps, work.batch_size)
held_out = torch.from_numpy(np.fromfile(folder / "held_out.u16", dtype="<u2").astype(np.int64))
inputs_of = torch.eye(work.vocabulary)


class Model(nn.Module):
    def __init__(self):
        super().__init__()
        self.lstm = nn.LSTM(work.vocabulary, work.hidden, num_layers=work.layers)
        self.linear = nn.Linear(work.hidden, work.vocabulary)

    def forward(self, tokens, state=None):
        outputs, state = self.lstm(inputs_of[tokens], state)
        return self.linear(outputs), state


model = Model()
model.load_state_dict(load_file(folder / "weights.safetensors"))
for name, parameter in model.named_parameters():
    parameter.requires_grad_(not name.startswith("lstm.bias_hh"))
trained = [parameter for parameter in model.parameters() if parameter.requires_grad]
optimizer = torch.optim.Adam(trained)


def epoch(number):
    state, losses = None, []
    for rate, window in zip(rates[number], torch.from_numpy(windows[number])):
        inputs, targets = window
        logits, state = model(inputs, state)
        state = tuple(part.detach() for part in state)
        loss = nn.functional.cross_entropy(logits.flatten(0, 1), targets.flatten())
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(trained, work.clip)
        optimizer.param_groups[0]["lr"] = rate
        optimizer.step()
        losses.append(loss.item())
    return np.mean(losses)


@torch.inference_mode()
def evaluate(_):
    logits, _ = model(held_out[:-1].unsqueeze(1))
    return nn.functional.cross_entropy(logits.squeeze(1), held_out[1:]).item()


peer.follow(epoch, evaluate=evaluate)
