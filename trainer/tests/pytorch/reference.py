"""Makes the fixed numbers with which `tests/pytorch.rs` compares.

    pip install torch safetensors numpy
    python reference.py

For a model with one layer and one with two, with a non-zero state, it writes the parameters, a
window of tokens, and PyTorch's results: logits, loss, the state at the end, the gradient of every
parameter and their global norm. It also writes the parameters after three updates of each
optimiser. Everything is computed in f64 from values that are exact in f32. A gate has one bias:
`bias_hh` is zero, and its gradient is left out.
"""

import torch
from safetensors.torch import save_file
from torch import nn

V, H, T, B = 5, 7, 6, 3


def exact_in_f32(tensor):
    return tensor.to(torch.float32).to(torch.float64)


def reference(layers, path):
    torch.manual_seed(layers)
    lstm = nn.LSTM(V, H, num_layers=layers).double()
    linear = nn.Linear(H, V).double()
    parameters = {f"lstm.{name}": value for name, value in lstm.named_parameters()}
    parameters |= {f"linear.{name}": value for name, value in linear.named_parameters()}
    with torch.no_grad():
        for name, value in parameters.items():
            value.copy_(exact_in_f32(torch.randn(value.shape) * 0.5))
            if "bias_hh" in name:
                value.zero_()
    inputs, targets = torch.randint(V, (T, B)), torch.randint(V, (T, B))
    hidden = exact_in_f32(torch.randn(layers, B, H) * 0.5)
    cell = exact_in_f32(torch.randn(layers, B, H))

    one_hot = nn.functional.one_hot(inputs, V).double()
    outputs, (last_hidden, last_cell) = lstm(one_hot, (hidden, cell))
    logits = linear(outputs)
    loss = nn.functional.cross_entropy(logits.reshape(T * B, V), targets.reshape(T * B))
    loss.backward()

    tensors = dict(parameters)
    tensors |= {"inputs": inputs, "targets": targets}
    tensors |= {"initial.hidden": hidden, "initial.cell": cell}
    tensors |= {"expected.logits": logits, "expected.loss": loss.reshape(1)}
    tensors |= {"expected.hidden": last_hidden, "expected.cell": last_cell}
    trained = {name: value for name, value in parameters.items() if "bias_hh" not in name}
    norm = torch.sqrt(sum((value.grad**2).sum() for value in trained.values()))
    tensors["expected.global_norm"] = norm.reshape(1)
    for name, value in trained.items():
        tensors[f"gradient.{name}"] = value.grad
    save(tensors, path)
    numbers = f"loss {loss.item():.6f}, global norm {norm.item():.6f}"
    print(f"{path}: {numbers}, PyTorch {torch.__version__}")


def optimisers(path):
    """Three updates on one window, each with clipped gradients."""
    torch.manual_seed(5)
    inputs, targets = torch.randint(V, (T, B)), torch.randint(V, (T, B))
    one_hot = nn.functional.one_hot(inputs, V).double()
    lstm, linear = nn.LSTM(V, H).double(), nn.Linear(H, V).double()
    values = {f"lstm.{name}": value for name, value in lstm.named_parameters()}
    values |= {f"linear.{name}": value for name, value in linear.named_parameters()}
    with torch.no_grad():
        for name, value in values.items():
            value.copy_(exact_in_f32(torch.randn(value.shape) * 0.5))
        values["lstm.bias_hh_l0"].zero_()
    values["lstm.bias_hh_l0"].requires_grad_(False)
    tensors = {name: value.detach().clone() for name, value in values.items()}
    tensors |= {"inputs": inputs, "targets": targets}
    trained = {name: value for name, value in values.items() if value.requires_grad}
    kinds = {
        "sgd": lambda: torch.optim.SGD(trained.values(), lr=2.0),
        "adam": lambda: torch.optim.Adam(trained.values(), lr=0.01),
        "adamw": lambda: torch.optim.AdamW(trained.values(), lr=0.01, weight_decay=0.3),
    }
    for kind, make in kinds.items():
        with torch.no_grad():
            for name, value in trained.items():
                value.copy_(tensors[name])
        optimiser = make()
        for _ in range(3):
            optimiser.zero_grad()
            logits = linear(lstm(one_hot)[0])
            nn.functional.cross_entropy(logits.reshape(T * B, V), targets.reshape(T * B)).backward()
            nn.utils.clip_grad_norm_(trained.values(), 0.1)
            optimiser.step()
        tensors |= {f"{kind}.{name}": value.detach().clone() for name, value in values.items()}
    save(tensors, path)


def save(tensors, path):
    kind = lambda value: torch.int64 if value.dtype == torch.int64 else torch.float32
    save_file({n: v.detach().contiguous().to(kind(v)) for n, v in tensors.items()}, path)


reference(1, "one_layer.safetensors")
reference(2, "two_layers.safetensors")
optimisers("optimizers.safetensors")
