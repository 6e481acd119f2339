"""Converts models from PyTorch to Charcell and back, and compares the perplexity of both on a text.

    cargo build --release && pip install torch safetensors
    python interop/check_pytorch.py target/release/charcell

Models of one to four layers, with and without biases, are converted to Charcell with `charcell
import`, runs of Charcell to PyTorch with `charcell export --safetensors` and `load_state_dict`,
with an embedding and for int4 too, and files from torch.save to Charcell with from_pytorch.py. The
perplexities on a text must agree within a factor of 1 ± 1e-4.
"""

import json
import tempfile
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import load_file, save_file
from torch import nn

from comparison import Text, charcell, charcell_perplexity, check_file, check_refused, compare

TEXT = "It was long ago, or not so long: who knows? The sea lay still; the moon was out. " * 10


class CharacterModel(nn.Module):
    """A model whose modules have Charcell's names; without an embedding, its inputs are one-hot."""

    def __init__(self, vocabulary, hidden, layers, bias=True, embedding=0):
        super().__init__()
        self.vocabulary = vocabulary
        self.embedding = nn.Embedding(vocabulary, embedding) if embedding else None
        self.lstm = nn.LSTM(embedding or vocabulary, hidden, num_layers=layers, bias=bias)
        self.linear = nn.Linear(hidden, vocabulary, bias=bias)

    def forward(self, tokens):
        if self.embedding:
            inputs = self.embedding(tokens)
        else:
            inputs = nn.functional.one_hot(tokens, self.vocabulary).float()
        return self.linear(self.lstm(inputs.unsqueeze(1))[0]).squeeze(1)


@torch.no_grad()
def perplexity(model, characters, text):
    tokens = torch.tensor([characters.index(character) for character in text])
    return nn.functional.cross_entropy(model(tokens[:-1]), tokens[1:]).exp().item()


def to_charcell(folder, layers, bias):
    torch.manual_seed(layers)
    characters = sorted(set(TEXT), reverse=True)
    model = CharacterModel(len(characters), 40, layers, bias)
    for parameter in model.parameters():
        nn.init.normal_(parameter, std=0.3)
    save_file(model.state_dict(), folder / "model.safetensors")
    (folder / "vocabulary.json").write_text(json.dumps(characters))
    (folder / "text.txt").write_text(TEXT)
    run = folder / f"run-{layers}-{bias}"
    vocabulary = folder / "vocabulary.json"
    charcell("import", folder / "model.safetensors", "--vocabulary", vocabulary, "-o", run)
    name = f"{layers} layer(s) {'with' if bias else 'without'} biases, to Charcell"
    ours = charcell_perplexity(run, folder / "text.txt")
    compare(name, "PyTorch", perplexity(model, characters, TEXT), ours)


def to_pytorch(folder, layers, embedding=0, bits=8):
    name = f"{layers} layer(s), an embedding of {embedding}, int{bits}"
    run, weights = folder / name, folder / "trained.safetensors"
    options = ["--hidden", 48, "--layers", layers, "--epochs", 5, "--report-every", 5]
    options += ["--embedding", embedding, "--weights", f"int{bits}"]
    # Only the weights are compared here, not what integers make of them.
    options += ["--optimizer", "adam", "--allow-loss"]
    charcell("train", "--device", "cpu", *options, "--out", run)
    charcell("export", run, "--safetensors", weights)
    description = json.loads((run / "run.json").read_text())
    characters = description["vocabulary"]
    # An embedding is folded into the rounded input weights of a model for int4.
    model = CharacterModel(len(characters), 48, layers, embedding=embedding if bits == 8 else 0)
    model.load_state_dict(load_file(weights))
    text = "the traveller went on, and the rain with him. " * 5
    (folder / "text.txt").write_text(text)
    ours = charcell_perplexity(run, folder / "text.txt")
    compare(f"{name}, to PyTorch", "PyTorch", perplexity(model, characters, text), ours)


def files(folder):
    """Files from torch.save and others, which scripts convert for Charcell."""
    (folder / "text.txt").write_text(TEXT)
    text = Text(folder / "text.txt")
    model = CharacterModel(len(text.characters), 40, 2)
    for parameter in model.parameters():
        nn.init.normal_(parameter, std=0.3)
    expected, weights = perplexity(model, text.characters, TEXT), model.state_dict()
    checkpoint = {"epoch": 3, "tokens": tuple(text.characters), "state_dict": weights}
    torch.save(weights, folder / "new.pt")
    torch.save(weights, folder / "old.pth", _use_new_zipfile_serialization=False)
    torch.save(checkpoint, folder / "checkpoint.ckpt")
    torch.jit.trace(model, torch.zeros(9, dtype=torch.long)).save(folder / "script.pt")
    np.savez(folder / "arrays.npz", **{name: array.numpy() for name, array in weights.items()})
    for name in ["new.pt", "old.pth", "checkpoint.ckpt", "script.pt", "arrays.npz"]:
        check_file(name, "PyTorch", folder / name, text, expected)
    torch.save(model, folder / "whole.pt")
    check_refused("a whole model", folder / "whole.pt", "more than tensors")
    torch.save({"generator": weights, "critic": weights}, folder / "two.pt")
    check_refused("two models", folder / "two.pt", "2 sets of named tensors (generator, critic)")


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as name:
        for layers in range(1, 5):
            for bias in [True, False]:
                to_charcell(Path(name), layers, bias)
        for layers in [1, 2]:
            to_pytorch(Path(name), layers)
        to_pytorch(Path(name), 1, embedding=8)
        to_pytorch(Path(name), 1, embedding=8, bits=4)
        to_pytorch(Path(name), 2, bits=4)
        files(Path(name))
