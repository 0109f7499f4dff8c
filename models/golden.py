"""Golden samples in the ONNX test layout: what the library that trained a model says about a few rows."""

import pathlib

import numpy
from onnx import numpy_helper


def write(folder: pathlib.Path, inputs: dict[str, numpy.ndarray], outputs: dict[str, numpy.ndarray]) -> None:
    """Writes `folder/input_0.pb ..` and `folder/output_0.pb ..`, in the order of the dictionaries."""
    folder.mkdir(parents=True, exist_ok=True)
    for kind, tensors in (("input", inputs), ("output", outputs)):
        for number, (name, values) in enumerate(tensors.items()):
            tensor = numpy_helper.from_array(numpy.ascontiguousarray(values), name)
            (folder / f"{kind}_{number}.pb").write_bytes(tensor.SerializeToString())
