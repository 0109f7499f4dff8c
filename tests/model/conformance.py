"""Writes the cases by which the `onnx` package judges a backend, each as a folder in ONNX's test layout.

    python3 -m venv venv
    venv/bin/pip install -r tests/model/requirements.txt
    venv/bin/python tests/model/conformance.py OUT [KIND ..]
    embergrid model verify OUT --rtol 1e-3 --atol 1e-7

Kinds are node, simple, pytorch-converted and pytorch-operator: all of them, unless some are named. A case becomes OUT/KIND/NAME.
"""

import pathlib
import shutil
import sys
import warnings

import numpy as np
from onnx import numpy_helper
from onnx.backend.test.loader import load_model_tests

KINDS = ["node", "simple", "pytorch-converted", "pytorch-operator"]
warnings.filterwarnings("ignore")


def proto(value, info):
    """A value as the protobuf of the kind that its port has."""
    if hasattr(value, "SerializeToString"):
        return value
    if info.type.HasField("sequence_type"):
        return numpy_helper.from_list(value, info.name)
    if info.type.HasField("optional_type"):
        return numpy_helper.from_optional(value, info.name)
    if isinstance(value, dict):
        return numpy_helper.from_dict(value, info.name)
    return numpy_helper.from_array(np.asarray(value), info.name)


def write(case, folder):
    if case.model is None:
        shutil.copytree(case.model_dir, folder, dirs_exist_ok=True)
        return
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "model.onnx").write_bytes(case.model.SerializeToString())
    graph = case.model.graph
    for number, (inputs, outputs) in enumerate(case.data_sets):
        sample = folder / f"test_data_set_{number}"
        sample.mkdir(exist_ok=True)
        for kind, values, infos in (("input", inputs, graph.input), ("output", outputs, graph.output)):
            for index, (value, info) in enumerate(zip(values, infos)):
                (sample / f"{kind}_{index}.pb").write_bytes(proto(value, info).SerializeToString())


def main(out, kinds):
    for kind in kinds or KINDS:
        cases = load_model_tests(kind=kind)
        for case in cases:
            write(case, pathlib.Path(out) / kind / case.name)
        print(f"{kind}: {len(cases)} cases")


main(sys.argv[1], sys.argv[2:])
