"""Trains the models of the bench `model` and writes them with rows to score: python models.py OUT

For each OUT/NAME.onnx and OUT/NAME.f32 (rows of 32-bit floats, one after another), and a line of JSON on stdout: the name, the
shape of a row, and the output to read.
"""

import json
import pathlib
import sys
import warnings

import lightgbm
import numpy as np
import onnx
import onnxmltools
import xgboost
from onnx import TensorProto, helper, numpy_helper
from onnxmltools.convert.common.data_types import FloatTensorType
from skl2onnx import to_onnx
from sklearn.datasets import make_classification
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.neural_network import MLPClassifier

warnings.filterwarnings("ignore")
OUT = pathlib.Path(sys.argv[1])
ROWS = 2048
RANDOM = np.random.RandomState(7)


def write(name, exported, rows, output):
    (OUT / f"{name}.onnx").write_bytes(exported.SerializeToString())
    rows = np.ascontiguousarray(rows[:ROWS], dtype=np.float32)
    (OUT / f"{name}.f32").write_bytes(rows.tobytes())
    print(json.dumps({"name": name, "row": rows.shape[1:], "output": output}))


def without_zipmap(exported):
    """Nobody who wants speed keeps a ZipMap, which makes a dictionary of every row."""
    graph = exported.graph
    for node in [node for node in graph.node if node.op_type == "ZipMap"]:
        graph.node.remove(node)
        for output in graph.output:
            if output.name == node.output[0]:
                output.CopyFrom(helper.make_tensor_value_info(node.input[0], TensorProto.FLOAT, None))
    return exported


def tabular():
    x, y = make_classification(n_samples=8192, n_features=30, n_informative=18, random_state=7)
    x = x.astype(np.float32)
    learners = {
        "logistic regression": LogisticRegression(max_iter=500),
        "MLP 64x32": MLPClassifier((64, 32), max_iter=30, random_state=7),
        "MLP 256x128": MLPClassifier((256, 128), max_iter=10, random_state=7),
        "forest of 100": RandomForestClassifier(100, random_state=7),
    }
    for name, learner in learners.items():
        exported = to_onnx(learner.fit(x, y), x[:1], options={"zipmap": False})
        write(name, exported, x, exported.graph.output[1].name)
    boosters = {
        "XGBoost 100 x 6": (xgboost.XGBClassifier(n_estimators=100, max_depth=6), onnxmltools.convert_xgboost),
        "LightGBM 200 x 31": (
            lightgbm.LGBMClassifier(n_estimators=200, num_leaves=31, verbose=-1),
            onnxmltools.convert_lightgbm,
        ),
    }
    for name, (learner, convert) in boosters.items():
        types = [("X", FloatTensorType([None, x.shape[1]]))]
        exported = without_zipmap(convert(learner.fit(x, y), initial_types=types, target_opset=15))
        write(name, exported, x, exported.graph.output[1].name)


def weights(*shape):
    return numpy_helper.from_array((RANDOM.standard_normal(shape) / np.sqrt(shape[-1])).astype(np.float32))


def net(name, row, nodes, constants):
    """A graph of one input `x` and one output `y`."""
    tensors = []
    for key, tensor in constants.items():
        tensor.name = key
        tensors.append(tensor)
    graph = helper.make_graph(
        nodes,
        "net",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["N", *row])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, ["N", None])],
        tensors,
    )
    exported = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.checker.check_model(exported)
    write(name, exported, RANDOM.standard_normal((ROWS, *row)), "y")


def lstm():
    """Sixteen steps of 8 features through 32 cells, and one number of the last state."""
    node = helper.make_node
    last = numpy_helper.from_array(np.array(0, dtype=np.int64))
    constants = {"w": weights(1, 128, 8), "r": weights(1, 128, 32), "last": last, "d": weights(32, 1)}
    nodes = [
        node("Transpose", ["x"], ["steps"], perm=[1, 0, 2]),
        node("LSTM", ["steps", "w", "r"], ["", "h"], hidden_size=32),
        node("Gather", ["h", "last"], ["state"], axis=0),
        node("MatMul", ["state", "d"], ["z"]),
        node("Sigmoid", ["z"], ["y"]),
    ]
    net("LSTM", (16, 8), nodes, constants)


def cnn():
    """Images of 28 x 28 through two convolutions and a dense layer, to ten classes."""
    node = helper.make_node
    constants = {"k1": weights(8, 1, 3, 3), "k2": weights(16, 8, 3, 3), "d": weights(784, 10)}
    pool = {"kernel_shape": [2, 2], "strides": [2, 2]}
    nodes = [
        node("Conv", ["x", "k1"], ["c1"], pads=[1, 1, 1, 1]),
        node("Relu", ["c1"], ["a1"]),
        node("MaxPool", ["a1"], ["p1"], **pool),
        node("Conv", ["p1", "k2"], ["c2"], pads=[1, 1, 1, 1]),
        node("Relu", ["c2"], ["a2"]),
        node("MaxPool", ["a2"], ["p2"], **pool),
        node("Flatten", ["p2"], ["flat"]),
        node("MatMul", ["flat", "d"], ["z"]),
        node("Softmax", ["z"], ["y"]),
    ]
    net("CNN", (1, 28, 28), nodes, constants)


tabular()
lstm()
cnn()
