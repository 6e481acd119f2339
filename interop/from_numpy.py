"""Converts a NumPy .npz archive, whose arrays have PyTorch's names, for `charcell import`.

    pip install numpy safetensors
    python interop/from_numpy.py model.npz model.safetensors
"""

import numpy as np

from conversion import Refused, main, write_tensors


def convert(path, out):
    try:
        with np.load(path) as archive:
            arrays = dict(archive)
    except ValueError as error:
        raise Refused(f"it holds Python objects: save only the arrays ({error})") from error
    write_tensors(arrays, out)


if __name__ == "__main__":
    main(convert, "an .npz file")
