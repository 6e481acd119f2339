"""Makes the files in the folder `import`, which `tests/import` reads: a model in each form in which
PyTorch saves it, with its perplexity on a text in the metadata.

    pip install torch safetensors numpy
    python forms.py

Random parameters are exact in the type in which they are saved. Everything is computed in f64.
"""

import warnings

import torch
from safetensors.torch import save_file, save_model
from torch import nn
from torch.nn.utils import parametrizations

CHARACTERS = ["t", "e", " ", "h", "a"]
TEXT = "the heat at the hat ate the teeth that the heath hath " * 4
V = len(CHARACTERS)
warnings.filterwarnings("ignore", category=FutureWarning)


class Model(nn.Module):
    """One-hot characters or an embedding, an LSTM, and an output layer."""

    def __init__(self, hidden, layers=1, embedding=None, bias=True, names=("lstm", "linear")):
        super().__init__()
        self.names = names
        if embedding:
            self.embedding = nn.Embedding(V, embedding)
        self.add_module(names[0], nn.LSTM(embedding or V, hidden, num_layers=layers, bias=bias))
        self.add_module(names[1], nn.Linear(hidden, V, bias=bias))

    def forward(self, tokens):
        inputs = embedded(self, tokens)
        lstm, linear = [self.get_submodule(name) for name in self.names]
        return linear(lstm(inputs)[0])


class Cells(nn.Module):
    """Stacked cells, stepped by hand."""

    def __init__(self, hidden, layers, embedding=None):
        super().__init__()
        if embedding:
            self.embedding = nn.Embedding(V, embedding)
        inputs = [embedding or V] + [hidden] * (layers - 1)
        self.cells = nn.ModuleList(nn.LSTMCell(size, hidden) for size in inputs)
        self.out = nn.Linear(hidden, V)

    def forward(self, tokens):
        states, logits = [None] * len(self.cells), []
        for x in embedded(self, tokens):
            for layer, cell in enumerate(self.cells):
                states[layer] = cell(x, states[layer])
                x = states[layer][0]
            logits.append(self.out(x))
        return torch.stack(logits)


class TwoLstms(nn.Module):
    """Modules whose names don't show their order."""

    def __init__(self, hidden):
        super().__init__()
        self.lower, self.alpha = nn.LSTM(V, hidden), nn.LSTM(hidden, hidden)
        self.linear = nn.Linear(hidden, V)

    def forward(self, tokens):
        return self.linear(self.alpha(self.lower(embedded(self, tokens))[0])[0])


def embedded(model, tokens):
    one_hot = nn.functional.one_hot(tokens, V).double()
    return model.embedding(tokens) if hasattr(model, "embedding") else one_hot


def tied(hidden):
    model = Model(hidden, embedding=hidden, names=("rnn", "decoder"))
    model.decoder.weight = model.embedding.weight
    return model


@torch.no_grad()
def form(name, model, wrap=lambda model: model, dtype=torch.float32, drop=(), save=None):
    """Writes a model after `wrap`, with all parameters except those that `drop` names."""
    torch.manual_seed(len(name))
    model = wrap(model.double())
    for parameter in model.parameters():
        parameter.copy_((torch.randn(parameter.shape) * 0.5).to(dtype).double())
    tokens = torch.tensor([CHARACTERS.index(character) for character in TEXT])
    perplexity = nn.functional.cross_entropy(model(tokens[:-1]), tokens[1:]).exp().item()
    metadata = {"perplexity": f"{perplexity:.9f}"}
    model = model.to(dtype)
    path = f"import/{name}.safetensors"
    if save:
        save(model, path, metadata)
    else:
        state = {n: t.contiguous() for n, t in model.state_dict().items() if n not in drop}
        save_file(state, path, metadata)
    print(f"{path}: perplexity {perplexity:.6f}, PyTorch {torch.__version__}")


def weight_norm(model):
    for module, name in [(model.lstm, "weight_ih_l0"), (model.lstm, "weight_hh_l0")]:
        nn.utils.weight_norm(module, name)
    model.linear = nn.utils.weight_norm(model.linear)
    return model


def parametrized(model):
    parametrizations.weight_norm(model.lstm, "weight_ih_l0", dim=1)
    parametrizations.weight_norm(model.lstm, "weight_hh_l0")
    parametrizations.weight_norm(model.linear, dim=None)
    return model


def compiled(model):
    return torch.compile(nn.DataParallel(model), backend="eager")


form("two_biases", Model(7, layers=2))
form("no_bias", Model(7, bias=False, names=("rnn", "decoder")))
form("embedding", Model(4, embedding=3))
form("embedding_as_wide_as_the_lstm", Model(4, embedding=4, bias=False))
form("embedding_as_wide_as_the_vocabulary", Model(4, embedding=V))
form("as_many_units_as_characters", Model(V))
form("tied", tied(4), save=save_model)
form("tied_one_name", tied(4), drop=["decoder.weight"])
form("tied_as_many_units_as_characters", tied(V), save=save_model)
form("cell", Cells(4, 1, embedding=3))
form("cells", Cells(4, 3))
form("two_lstms", TwoLstms(4))
form("weight_norm", Model(4), wrap=weight_norm)
form("parametrizations", Model(4), wrap=parametrized)
form("wrapped", Model(4, embedding=3), wrap=compiled)
form("averaged", Model(4), wrap=torch.optim.swa_utils.AveragedModel)
form("half", Model(4, embedding=3), dtype=torch.float16)
form("bfloat16", Model(4), dtype=torch.bfloat16)
form("double", Model(4), dtype=torch.float64)
