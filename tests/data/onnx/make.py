"""Makes residual.onnx and residual.json: a small network of many operators, and what ONNX Runtime computes with it; and
external.onnx with external.bin, the same network in two files.

    python3 -m venv venv && venv/bin/pip install onnx==1.23.2 onnxruntime==1.32.0 numpy
    venv/bin/python tests/data/onnx/make.py

The network has batch normalisations, automatic padding, a bias added behind its convolution, a residual sum, a Reshape
whose target is computed from the batch, and a Gemm with factors.
"""

import json
import pathlib

import numpy
import onnx
import onnxruntime
from onnx import TensorProto, helper, numpy_helper

random = numpy.random.default_rng(1)
initializers = []


def constant(name, *shape, low=-1.0, high=1.0):
    values = random.uniform(low, high, shape).astype(numpy.float32)
    initializers.append(numpy_helper.from_array(values, name))
    return name


def integers(name, *values):
    initializers.append(numpy_helper.from_array(numpy.array(values, numpy.int64), name))
    return name


def normalise(source, output):
    inputs = [constant(f"{output}.{part}", 4) for part in ("scale", "shift", "mean")]
    inputs.append(constant(f"{output}.variance", 4, low=0.5, high=2))
    return helper.make_node("BatchNormalization", [source, *inputs], [output], epsilon=0.001)


nodes = [
    helper.make_node("Conv", ["image", constant("conv1", 4, 1, 3, 3)], ["a"], auto_pad="SAME_LOWER", strides=[2, 2]),
    normalise("a", "b"),
    helper.make_node("Relu", ["b"], ["c"]),
    helper.make_node("Conv", ["c", constant("conv2", 4, 4, 3, 3)], ["d"], pads=[1, 1, 1, 1], kernel_shape=[3, 3]),
    helper.make_node("Add", ["d", constant("conv2.bias", 1, 4, 1, 1)], ["e"]),
    normalise("e", "f"),
    helper.make_node("Add", ["c", "f"], ["g"]),
    helper.make_node("AveragePool", ["g"], ["h"], kernel_shape=[3, 3], strides=[2, 2], pads=[1, 1, 1, 1]),
    helper.make_node("Shape", ["h"], ["shape"]),
    helper.make_node("Gather", ["shape", integers("zero", 0)], ["batch"], axis=0),
    helper.make_node("Concat", ["batch", integers("rest", -1)], ["target"], axis=0),
    helper.make_node("Reshape", ["h", "target"], ["i"]),
    helper.make_node("Gemm", ["i", constant("fc", 16, 3), constant("fc.bias", 3)], ["scores"], alpha=0.5, beta=2.0),
]
graph = helper.make_graph(
    nodes,
    "residual",
    [helper.make_tensor_value_info("image", TensorProto.FLOAT, ["N", 1, 7, 7])],
    [helper.make_tensor_value_info("scores", TensorProto.FLOAT, ["N", 3])],
    initializers,
)
model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=8)
onnx.checker.check_model(model, full_check=True)
pixels = random.integers(0, 256, (3, 1, 7, 7))
network = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
outputs = network.run(None, {"image": pixels.astype(numpy.float32) / 255})[0]

directory = pathlib.Path(__file__).parent
(directory / "residual.onnx").write_bytes(model.SerializeToString())
record = {"pixels": pixels.ravel().tolist(), "outputs": outputs.ravel().tolist()}
(directory / "residual.json").write_text(json.dumps(record) + "\n")

# The same network with its larger arrays in a file of their own, as exporters write networks of more than 2 GB.
(directory / "external.bin").unlink(missing_ok=True)
onnx.save_model(
    model, directory / "external.onnx", save_as_external_data=True, location="external.bin", size_threshold=64
)
