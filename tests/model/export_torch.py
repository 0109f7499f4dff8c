"""PyTorch's nets, built by hand from their state as its exporter would write them: the script runs without PyTorch.

What they give is computed here in 64 bits, as the modules define it.
"""

import numpy as np
from export_layout import model, write
from onnx import TensorProto, helper, numpy_helper


def net(nodes, weights, inputs, outputs):
    """`inputs` and `outputs` are names with their element type and shape."""
    infos = [[helper.make_tensor_value_info(*port) for port in ports] for ports in (inputs, outputs)]
    initializers = [numpy_helper.from_array(value, name) for name, value in weights.items()]
    graph = helper.make_graph(nodes, "main_graph", *infos, initializers)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)


def gemm(name, source, target):
    return helper.make_node("Gemm", [source, f"{name}.weight", f"{name}.bias"], [target], transB=1, name=f"/{name}/Gemm")


def linear(random, name, inner, columns):
    return {
        f"{name}.weight": random.randn(columns, inner).astype(np.float32),
        f"{name}.bias": random.randn(columns).astype(np.float32),
    }


def apply(weights, name, x):
    return x.astype(np.float64) @ weights[f"{name}.weight"].T + weights[f"{name}.bias"]


@model
def torch_mlp(out):
    """Linear, ReLU, Linear, Sigmoid."""
    random = np.random.RandomState(1)
    weights = {**linear(random, "fc1", 10, 16), **linear(random, "fc2", 16, 3)}
    x = random.randn(8, 10).astype(np.float32)
    nodes = [
        gemm("fc1", "input", "/fc1/Gemm_output_0"),
        helper.make_node("Relu", ["/fc1/Gemm_output_0"], ["/Relu_output_0"], name="/Relu"),
        gemm("fc2", "/Relu_output_0", "/fc2/Gemm_output_0"),
        helper.make_node("Sigmoid", ["/fc2/Gemm_output_0"], ["output"], name="/Sigmoid"),
    ]
    ports = [("input", TensorProto.FLOAT, ["batch", 10])], [("output", TensorProto.FLOAT, ["batch", 3])]
    y = 1 / (1 + np.exp(-apply(weights, "fc2", np.maximum(apply(weights, "fc1", x), 0))))
    write(out, net(nodes, weights, *ports), [x], [y.astype(np.float32)])


@model
def torch_embeddings(out):
    """Two embeddings beside numbers, LeakyReLU, log-softmax: a net over categories."""
    random = np.random.RandomState(2)
    weights = {
        "city.weight": random.randn(7, 3).astype(np.float32),
        "plan.weight": random.randn(4, 2).astype(np.float32),
        **linear(random, "fc1", 9, 12),
        **linear(random, "fc2", 12, 3),
    }
    numbers, city, plan = random.randn(10, 4).astype(np.float32), random.randint(0, 7, 10), random.randint(0, 4, 10)
    nodes = [
        helper.make_node("Gather", ["city.weight", "city"], ["/city/Gather_output_0"]),
        helper.make_node("Gather", ["plan.weight", "plan"], ["/plan/Gather_output_0"]),
        helper.make_node("Concat", ["numbers", "/city/Gather_output_0", "/plan/Gather_output_0"], ["/Concat_output_0"], axis=1),
        gemm("fc1", "/Concat_output_0", "/fc1/Gemm_output_0"),
        helper.make_node("LeakyRelu", ["/fc1/Gemm_output_0"], ["/LeakyRelu_output_0"], alpha=0.1),
        gemm("fc2", "/LeakyRelu_output_0", "/fc2/Gemm_output_0"),
        helper.make_node("LogSoftmax", ["/fc2/Gemm_output_0"], ["output"], axis=1),
    ]
    inputs = [("numbers", TensorProto.FLOAT, ["batch", 4]), ("city", TensorProto.INT64, ["batch"]),
              ("plan", TensorProto.INT64, ["batch"])]
    x = np.concatenate([numbers, weights["city.weight"][city], weights["plan.weight"][plan]], axis=1)
    hidden = apply(weights, "fc1", x)
    y = apply(weights, "fc2", np.where(hidden > 0, hidden, 0.1 * hidden))
    y = y - y.max(axis=1, keepdims=True)
    y = y - np.log(np.exp(y).sum(axis=1, keepdims=True))
    exported = net(nodes, weights, inputs, [("output", TensorProto.FLOAT, ["batch", 3])])
    write(out, exported, [numbers, city, plan], [y.astype(np.float32)])


@model
def torch_normalized(out):
    """A residual layer with LayerNorm in parts and GELU in parts, as opset 14 has them."""
    random = np.random.RandomState(3)
    weights = {
        **linear(random, "fc1", 6, 6), **linear(random, "fc2", 6, 1),
        "norm.weight": random.rand(6).astype(np.float32), "norm.bias": random.randn(6).astype(np.float32),
        "two": np.float32(2), "epsilon": np.float32(1e-5), "root": np.float32(np.sqrt(2)), "one": np.float32(1),
        "half": np.float32(0.5),
    }
    x = random.randn(9, 6).astype(np.float32)
    nodes = [
        helper.make_node("ReduceMean", ["input"], ["mean"], axes=[-1]),
        helper.make_node("Sub", ["input", "mean"], ["centred"]),
        helper.make_node("Pow", ["centred", "two"], ["squared"]),
        helper.make_node("ReduceMean", ["squared"], ["variance"], axes=[-1]),
        helper.make_node("Add", ["variance", "epsilon"], ["safe"]),
        helper.make_node("Sqrt", ["safe"], ["deviation"]),
        helper.make_node("Div", ["centred", "deviation"], ["normal"]),
        helper.make_node("Mul", ["normal", "norm.weight"], ["scaled"]),
        helper.make_node("Add", ["scaled", "norm.bias"], ["normalized"]),
        gemm("fc1", "normalized", "inner"),
        helper.make_node("Div", ["inner", "root"], ["rooted"]),
        helper.make_node("Erf", ["rooted"], ["erf"]),
        helper.make_node("Add", ["erf", "one"], ["shifted"]),
        helper.make_node("Mul", ["inner", "shifted"], ["weighted"]),
        helper.make_node("Mul", ["weighted", "half"], ["gelu"]),
        helper.make_node("Add", ["gelu", "input"], ["residual"]),
        gemm("fc2", "residual", "column"),
        helper.make_node("Squeeze", ["column", "last"], ["output"]),
    ]
    weights["last"] = np.asarray([-1], dtype=np.int64)
    wide = x.astype(np.float64)
    centred = wide - wide.mean(axis=1, keepdims=True)
    normal = centred / np.sqrt((centred**2).mean(axis=1, keepdims=True) + 1e-5)
    inner = apply(weights, "fc1", normal * weights["norm.weight"] + weights["norm.bias"])
    from scipy.special import erf

    residual = 0.5 * inner * (1 + erf(inner / np.sqrt(2))) + wide
    y = apply(weights, "fc2", residual)[:, 0]
    ports = [("input", TensorProto.FLOAT, ["batch", 6])], [("output", TensorProto.FLOAT, ["batch"])]
    write(out, net(nodes, weights, *ports), [x], [y.astype(np.float32)])


@model
def torch_factorized(out):
    """A factorization machine: products of the embeddings of several categories."""
    random = np.random.RandomState(4)
    weights = {
        "embedding.weight": random.randn(20, 4).astype(np.float32), "linear.weight": random.randn(20, 1).astype(np.float32),
        "bias": random.randn(1).astype(np.float32), "half": np.float32(0.5), "two": np.float32(2),
        "fields": np.asarray([1], dtype=np.int64),
    }
    places = random.randint(0, 20, (12, 5))
    nodes = [
        helper.make_node("Gather", ["embedding.weight", "places"], ["embedded"]),
        helper.make_node("ReduceSum", ["embedded", "fields"], ["sum"], keepdims=0),
        helper.make_node("Pow", ["sum", "two"], ["square_of_sum"]),
        helper.make_node("Mul", ["embedded", "embedded"], ["squares"]),
        helper.make_node("ReduceSum", ["squares", "fields"], ["sum_of_squares"], keepdims=0),
        helper.make_node("Sub", ["square_of_sum", "sum_of_squares"], ["pairs"]),
        helper.make_node("ReduceSum", ["pairs", "fields"], ["pair"], keepdims=1),
        helper.make_node("Mul", ["pair", "half"], ["second"]),
        helper.make_node("Gather", ["linear.weight", "places"], ["single"]),
        helper.make_node("ReduceSum", ["single", "fields"], ["first"], keepdims=0),
        helper.make_node("Add", ["first", "bias"], ["biased"]),
        helper.make_node("Add", ["second", "biased"], ["logit"]),
        helper.make_node("Sigmoid", ["logit"], ["output"]),
    ]
    embedded = weights["embedding.weight"].astype(np.float64)[places]
    pairs = 0.5 * (embedded.sum(axis=1) ** 2 - (embedded**2).sum(axis=1)).sum(axis=1, keepdims=True)
    logit = pairs + weights["linear.weight"].astype(np.float64)[places].sum(axis=1) + weights["bias"]
    ports = [("places", TensorProto.INT64, ["batch", 5])], [("output", TensorProto.FLOAT, ["batch", 1])]
    write(out, net(nodes, weights, *ports), [places], [(1 / (1 + np.exp(-logit))).astype(np.float32)])
