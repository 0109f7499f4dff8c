"""Writes the backend test cases of the `onnx` package as folders that `embergrid model verify` reads.

    python -m venv venv && venv/bin/pip install onnx==1.23.* numpy
    venv/bin/python tests/model/onnx_node_cases.py OUT [KIND ..]
    embergrid model verify OUT --json

KIND is `node` (the default), `simple`, `pytorch-converted` or `pytorch-operator`.
"""

import pathlib
import sys

import onnx
from onnx import numpy_helper
from onnx.backend.test.loader import load_model_tests


def proto(value, info):
    """The protobuf of a tensor, sequence, map or optional."""
    if isinstance(value, (onnx.TensorProto, onnx.SequenceProto, onnx.MapProto, onnx.OptionalProto)):
        return value
    if isinstance(value, list):
        return numpy_helper.from_list(value, info.name)
    if isinstance(value, dict):
        return numpy_helper.from_dict(value, info.name)
    if value is None:
        return numpy_helper.from_optional(value, info.name)
    return numpy_helper.from_array(value, info.name)


def write(case, out):
    out.mkdir(parents=True, exist_ok=True)
    model = case.model or onnx.load(pathlib.Path(case.model_dir) / "model.onnx")
    (out / "model.onnx").write_bytes(model.SerializeToString())
    if case.data_sets is None:
        for source in sorted(pathlib.Path(case.model_dir).glob("test_data_set_*")):
            target = out / source.name
            target.mkdir(exist_ok=True)
            for file in source.glob("*.pb"):
                (target / file.name).write_bytes(file.read_bytes())
        return
    for number, (inputs, outputs) in enumerate(case.data_sets):
        folder = out / f"test_data_set_{number}"
        folder.mkdir(exist_ok=True)
        for name, values, infos in (
            ("input", inputs, model.graph.input),
            ("output", outputs, model.graph.output),
        ):
            for index, (value, info) in enumerate(zip(values, infos)):
                (folder / f"{name}_{index}.pb").write_bytes(proto(value, info).SerializeToString())


def main():
    out = pathlib.Path(sys.argv[1])
    written = 0
    for kind in sys.argv[2:] or ["node"]:
        for case in load_model_tests(kind=kind):
            try:
                write(case, out / kind / case.name)
                written += 1
            except Exception as error:
                print(f"{case.name}: not written: {error}", file=sys.stderr)
    print(written)


if __name__ == "__main__":
    main()
