"""Takes models from PyTorch to Charcell and back, and compares what both make of a text.

    cargo build --release && pip install torch safetensors
    python interop/pytorch.py target/release/charcell

Models of one to four layers, with and without biases, go to Charcell by `charcell import`; a run of
Charcell goes to PyTorch by `charcell export --safetensors` and `load_state_dict`, unchanged. The
perplexities on a text must agree within a factor of 1 ± 1e-4.
"""

import json
import subprocess
import sys
import tempfile
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file
from torch import nn

TOLERANCE = 1e-4
TEXT = "It was long ago, or not so long: who knows? The sea lay still; the moon was out. " * 10


class CharacterModel(nn.Module):
    """The modules are called as Charcell calls them."""

    def __init__(self, vocabulary, hidden, layers, bias=True):
        super().__init__()
        self.vocabulary = vocabulary
        self.lstm = nn.LSTM(vocabulary, hidden, num_layers=layers, bias=bias)
        self.linear = nn.Linear(hidden, vocabulary, bias=bias)

    def forward(self, tokens):
        one_hot = nn.functional.one_hot(tokens, self.vocabulary).float().unsqueeze(1)
        return self.linear(self.lstm(one_hot)[0]).squeeze(1)


@torch.no_grad()
def perplexity(model, characters, text):
    tokens = torch.tensor([characters.index(character) for character in text])
    return nn.functional.cross_entropy(model(tokens[:-1]), tokens[1:]).exp().item()


def charcell(*words):
    done = subprocess.run([CHARCELL, *map(str, words)], capture_output=True, text=True)
    if done.returncode != 0:
        sys.exit(f"charcell {' '.join(map(str, words))}: {done.stderr}")
    return done.stdout


def charcell_perplexity(run, text):
    return json.loads(charcell("evaluate", run, "--corpus", text, "--json"))["perplexity"]


def compare(what, pytorch, ours):
    difference = abs(ours / pytorch - 1)
    print(f"{what}: PyTorch {pytorch:.6f}, Charcell {ours:.6f}, difference {difference:.1e}")
    if not difference <= TOLERANCE:
        sys.exit(f"{what}: the perplexities differ by more than {TOLERANCE}")


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
    compare(name, perplexity(model, characters, TEXT), ours)


def to_pytorch(folder, layers):
    run, weights = folder / f"trained-{layers}", folder / "trained.safetensors"
    options = ["--hidden", 48, "--layers", layers, "--epochs", 5, "--report-every", 5]
    charcell("train", "--device", "cpu", "--optimizer", "adam", *options, "--out", run)
    charcell("export", run, "--safetensors", weights)
    description = json.loads((run / "run.json").read_text())
    characters = description["vocabulary"]
    model = CharacterModel(len(characters), 48, layers)
    model.load_state_dict(load_file(weights))
    text = "the traveller went on, and the rain with him. " * 5
    (folder / "text.txt").write_text(text)
    ours = charcell_perplexity(run, folder / "text.txt")
    compare(f"{layers} layer(s), to PyTorch", perplexity(model, characters, text), ours)


if __name__ == "__main__":
    CHARCELL = sys.argv[1]
    with tempfile.TemporaryDirectory() as name:
        for layers in range(1, 5):
            for bias in [True, False]:
                to_charcell(Path(name), layers, bias)
        for layers in [1, 2]:
            to_pytorch(Path(name), layers)
