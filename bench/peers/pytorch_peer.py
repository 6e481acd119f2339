"""The chapter's recipe in PyTorch: `nn.LSTM` with one bias, its second one frozen at zero."""

import numpy as np
import torch
from torch import nn

import peer

work = peer.work()
inputs_of = torch.eye(work.vocabulary)


class Model(nn.Module):
    def __init__(self):
        super().__init__()
        self.lstm = nn.LSTM(work.vocabulary, work.hidden)
        self.linear = nn.Linear(work.hidden, work.vocabulary)

    def forward(self, tokens, state=None):
        outputs, state = self.lstm(inputs_of[tokens], state)
        return self.linear(outputs), state


model = Model()
with torch.no_grad():
    given = {name: torch.from_numpy(value.T.copy()) for name, value in work.parameters.items()}
    model.lstm.weight_ih_l0.copy_(given["w_ih"])
    model.lstm.weight_hh_l0.copy_(given["w_hh"])
    model.lstm.bias_ih_l0.copy_(given["b"])
    model.lstm.bias_hh_l0.zero_()
    model.linear.weight.copy_(given["w_out"])
    model.linear.bias.copy_(given["b_out"])
model.lstm.bias_hh_l0.requires_grad_(False)
trained = [parameter for parameter in model.parameters() if parameter.requires_grad]
optimizer = torch.optim.SGD(trained, lr=work.learning_rate)


def epoch(offset):
    state, losses = None, []
    for inputs, targets in zip(*map(torch.from_numpy, peer.windows(work, offset))):
        logits, state = model(inputs, state)
        state = tuple(part.detach() for part in state)
        loss = nn.functional.cross_entropy(logits.flatten(0, 1), targets.flatten())
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(trained, work.clip)
        optimizer.step()
        losses.append(loss.item())
    return np.mean(losses)


@torch.inference_mode()
def generate(count):
    tokens, state = [torch.zeros(1, 1, dtype=torch.long)], None
    for _ in range(count):
        logits, state = model(tokens[-1], state)
        tokens.append(logits.argmax(-1))
    return " ".join(str(token.item()) for token in tokens[1:])


def multiply(size):
    left, right = torch.rand(size, size), torch.rand(size, size)
    return peer.best_rate(size, lambda: left @ right)


peer.follow(epoch, generate, multiply)
