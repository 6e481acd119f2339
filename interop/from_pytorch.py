"""Converts a file from `torch.save`, or a TorchScript file, for `charcell import`.

    pip install torch safetensors
    python interop/from_pytorch.py model.pt model.safetensors

The file holds a `state_dict`, alone or as an entry of a checkpoint. Its tensors keep their names,
and `charcell import` finds the LSTM among them. A vocabulary in the checkpoint is also written. No
code from the file is run: if the file has a whole model, `torch.save(model, …)`, save the model's
`state_dict` instead, in the program that defines its class.
"""

import pickle

import torch

from conversion import Refused, characters_among, main, write_tensors


def convert(path, out):
    checkpoint = read(path)
    tensors = state_dict(checkpoint)
    # NumPy has no bfloat16, and tensors may share their memory, which safetensors refuses.
    arrays = {
        name: (tensor.float() if tensor.is_floating_point() else tensor).numpy().copy()
        for name, tensor in tensors.items()
    }
    entries = checkpoint.values() if isinstance(checkpoint, dict) else []
    write_tensors(arrays, out, characters_among(entries))


def read(path):
    try:
        return torch.load(path, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        raise Refused(
            "it holds more than tensors, probably from torch.save(model, …); in the program that "
            "defines its classes, save only the weights, torch.save(model.state_dict(), …)"
        ) from error
    except Exception:
        # TorchScript needs another function, which also explains what is wrong with damaged files.
        try:
            return torch.jit.load(path, map_location="cpu").state_dict()
        except Exception as error:
            raise Refused(f"PyTorch can't load it: {error}") from error


def state_dict(checkpoint):
    """The only set of named tensors in a file."""
    found = {"the file": checkpoint} if is_state_dict(checkpoint) else {}
    if not found and isinstance(checkpoint, dict):
        found = {name: value for name, value in checkpoint.items() if is_state_dict(value)}
    if len(found) != 1:
        raise Refused(
            f"it has {len(found)} sets of named tensors ({', '.join(map(str, found))}), but must "
            "have one: torch.save(model.state_dict(), …) writes one"
        )
    return next(iter(found.values()))


def is_state_dict(value):
    return (
        isinstance(value, dict)
        and bool(value)
        and all(isinstance(tensor, torch.Tensor) for tensor in value.values())
    )


if __name__ == "__main__":
    main(convert, "a file from torch.save")
