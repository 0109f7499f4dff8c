"""Writes a model without its ZipMap, so that its probabilities leave as the matrix they were: python without_zipmap.py IN OUT.
Nobody who wants speed keeps a ZipMap, which makes a dictionary of every row."""

import sys

import onnx

model = onnx.load(sys.argv[1])
graph = model.graph
for node in [node for node in graph.node if node.op_type == "ZipMap"]:
    graph.node.remove(node)
    for output in graph.output:
        if output.name == node.output[0]:
            output.CopyFrom(onnx.helper.make_tensor_value_info(node.input[0], onnx.TensorProto.FLOAT, None))
            print(output.name)
onnx.save(model, sys.argv[2])
