"""Shared by the comparisons: runs Charcell, and checks that perplexities agree."""

import json
import shlex
import subprocess
import sys
from pathlib import Path

import numpy as np

TOLERANCE = 1e-4
ROOT = Path(__file__).resolve().parent.parent
CHARCELL = Path(sys.argv[1]).resolve()


def run(*words):
    words = list(map(str, words))
    return subprocess.run(words, capture_output=True, text=True, cwd=ROOT)


def charcell(*words):
    """The output of Charcell, which must succeed."""
    done = run(CHARCELL, *words)
    if done.returncode != 0:
        sys.exit(f"charcell {' '.join(map(str, words))}: {done.stderr}")
    return done.stdout


def charcell_perplexity(trained, text):
    """The perplexity of a run's f32 weights on the file `text`."""
    evaluation = json.loads(charcell("evaluate", trained, "--corpus", text, "--json"))
    return evaluation["perplexity"]


def perplexity(logits, tokens):
    """The perplexity of `logits` or log-probabilities [T, V] for the characters `tokens` [T]."""
    logits = np.asarray(logits, dtype=np.float64)
    logits = logits - logits.max(-1, keepdims=True)
    losses = np.log(np.exp(logits).sum(-1)) - logits[np.arange(len(tokens)), tokens]
    return np.exp(losses.mean())


def compare(what, framework, expected, ours):
    difference = abs(ours / expected - 1)
    print(f"{what}: {framework} {expected:.6f}, Charcell {ours:.6f}, difference {difference:.1e}")
    if not difference <= TOLERANCE:
        sys.exit(f"{what}: the perplexities differ by more than {TOLERANCE}")


class Text:
    """A text, and a vocabulary in another order than Charcell's."""

    def __init__(self, path):
        self.path = Path(path).resolve()
        text = self.path.read_text()
        self.characters = sorted(set(text), reverse=True)
        numbers = {character: number for number, character in enumerate(self.characters)}
        self.tokens = np.array([numbers[character] for character in text])


def convert(file, out):
    """Runs the command that `charcell import` suggests for `file`, which must write `out`."""
    refused = run(CHARCELL, "import", file, "--vocabulary", "none", "-o", "none")
    line = shlex.split(refused.stderr.splitlines()[-1])
    expected_end = [str(file), str(out)]
    if refused.returncode != 1 or line[0] != "python" or line[2:] != expected_end:
        sys.exit(f"charcell import {file}: exit code {refused.returncode}, {refused.stderr}")
    return run(sys.executable, *line[1:])


def check_file(what, framework, file, text, expected):
    """Converts `file` as Charcell suggests, imports it, and compares perplexities."""
    out, trained = file.with_suffix(".safetensors"), file.with_suffix(".run")
    converted = convert(file, out)
    if converted.returncode != 0:
        sys.exit(f"{what}: {converted.stderr}")
    vocabulary = file.with_suffix(".vocabulary.json")
    if vocabulary.exists():
        print(f"{what}: using the vocabulary of the file")
    else:
        vocabulary.write_text(json.dumps(text.characters))
    charcell("import", out, "--vocabulary", vocabulary, "-o", trained)
    compare(what, framework, expected, charcell_perplexity(trained, text.path))


def check_refused(what, file, words):
    """Converts `file`, which must fail with `words` in its last line, and write nothing."""
    out = file.with_suffix(".safetensors")
    refused = convert(file, out)
    last = refused.stderr.strip().splitlines()[-1:]
    if refused.returncode != 1 or out.exists() or not last or words not in last[0]:
        sys.exit(f"{what}: exit code {refused.returncode}, {refused.stderr}")
    print(f"{what}: refused")
