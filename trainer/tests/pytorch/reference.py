"""Makes the fixed numbers that `tests/pytorch.rs` compares with.

    pip install torch safetensors numpy
    python reference.py

For a model of one layer and one of two, with a state that isn't zero, it writes the parameters,
a window of tokens, and what PyTorch makes of them: logits, loss, the state at the end, the
gradient of every parameter and their global norm. Everything is computed in f64 from values that
are exact in f32. A gate has one bias here: `bias_hh` is zero, and its gradient is left out.
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
    save_file(
        {
            name: value.detach().contiguous().to(torch.int64 if value.dtype == torch.int64 else torch.float32)
            for name, value in tensors.items()
        },
        path,
    )
    print(f"{path}: loss {loss.item():.6f}, global norm {norm.item():.6f}, PyTorch {torch.__version__}")


reference(1, "one_layer.safetensors")
reference(2, "two_layers.safetensors")
