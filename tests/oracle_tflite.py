"""TFLite files against LiteRT: the same answers to the same numbers. `nutshell convert` writes a file as ONNX, which ONNX Runtime runs.

    python3 -m venv venv && venv/bin/pip install ai-edge-litert==2.3.0 onnxruntime==1.32.0 numpy
    nutshell convert MODEL.tflite -o MODEL.onnx
    venv/bin/python tests/oracle_tflite.py MODEL.tflite MODEL.onnx

Prints for each output the largest difference, over the expected number or over 1, and fails above 1e-3.
"""

import sys

import numpy
import onnxruntime
from ai_edge_litert.interpreter import Interpreter, OpResolverType

tflite, onnx = sys.argv[1:3]
interpreter = Interpreter(model_path=tflite, experimental_op_resolver_type=OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES)
interpreter.allocate_tensors()
session = onnxruntime.InferenceSession(onnx, providers=["CPUExecutionProvider"])
random = numpy.random.default_rng(0)
feeds = {}
for detail, taken in zip(interpreter.get_input_details(), session.get_inputs()):
    values = random.normal(size=detail["shape"]).astype(numpy.float32)
    interpreter.set_tensor(detail["index"], values)
    # Images have their channels last in the one, and first in the other.
    feeds[taken.name] = numpy.moveaxis(values, 3, 1) if values.ndim == 4 else values
interpreter.invoke()
worst = 0.0
for detail, got in zip(interpreter.get_output_details(), session.run(None, feeds)):
    expected = interpreter.get_tensor(detail["index"])
    difference = float((abs(got - expected) / numpy.maximum(1, abs(expected))).max())
    worst = max(worst, difference)
    print(detail["name"], list(expected.shape), difference)
sys.exit(worst > 1e-3)
