"""Makes the TFLite files of this folder, and beside each what LiteRT computes with it.

    python3 -m venv venv && venv/bin/pip install ai-edge-litert==2.3.0 numpy
    venv/bin/python tests/data/tflite/make.py

A JSON file has `inputs`, one list for each of two samples, in Nutshell's order (images have their channels first), and `outputs`, all
outputs of a sample one after the other, in the order of the file.
"""

import json
import pathlib

import numpy
from ai_edge_litert import schema_py_generated as schema
from ai_edge_litert.interpreter import Interpreter, OpResolverType
import flatbuffers

FOLDER = pathlib.Path(__file__).parent
random = numpy.random.default_rng(3)
TYPES = {
    "float32": schema.TensorType.FLOAT32,
    "float16": schema.TensorType.FLOAT16,
    "int32": schema.TensorType.INT32,
    "int8": schema.TensorType.INT8,
    "uint8": schema.TensorType.UINT8,
    "bool": schema.TensorType.BOOL,
}
SAME, VALID = 0, 1
RELU, RELU_N1_TO_1, RELU6 = 1, 2, 3


def draw(*shape, low=-1.0, high=1.0):
    return random.uniform(low, high, shape).astype(numpy.float32)


class Net:
    """A model that grows operator by operator. The shapes of what they make are found by the interpreter."""

    def __init__(self, name, batch=None):
        self.name, self.batch = name, batch
        self.tensors, self.buffers, self.operators, self.codes = [], [schema.BufferT()], [], []
        self.inputs, self.outputs = [], []

    def tensor(self, name, shape, kind, buffer=0, scale=None, zero=None, axis=0):
        tensor = schema.TensorT()
        tensor.name, tensor.shape, tensor.type, tensor.buffer = name, list(shape), TYPES[kind], buffer
        if scale is not None:
            quantization = schema.QuantizationParametersT()
            quantization.scale = numpy.atleast_1d(scale).astype(numpy.float32)
            quantization.zeroPoint = numpy.zeros(len(quantization.scale), numpy.int64) if zero is None else numpy.atleast_1d(zero)
            quantization.quantizedDimension = axis
            tensor.quantization = quantization
        self.tensors.append(tensor)
        return len(self.tensors) - 1

    def input(self, *shape, kind="float32", **quantization):
        self.inputs.append(self.tensor(f"input{len(self.inputs)}", shape, kind, **quantization))
        return self.inputs[-1]

    def constant(self, values, name=None, **quantization):
        values = numpy.asarray(values)
        if values.dtype in (numpy.float64, numpy.int64):
            values = values.astype(numpy.float32 if values.dtype == numpy.float64 else numpy.int32)
        buffer = schema.BufferT()
        buffer.data = numpy.frombuffer(values.tobytes(), numpy.uint8)
        self.buffers.append(buffer)
        name = name or f"constant{len(self.buffers)}"
        return self.tensor(name, values.shape, str(values.dtype), len(self.buffers) - 1, **quantization)

    def op(self, name, inputs, kind="float32", outputs=1, scale=None, zero=None, options=None, **fields):
        """Appends an operator; `options` is the name of its options, if that is not the operator's."""
        code = getattr(schema.BuiltinOperator, name)
        if code not in self.codes:
            self.codes.append(code)
        operator = schema.OperatorT()
        operator.opcodeIndex = self.codes.index(code)
        operator.inputs = [self.constant(i) if isinstance(i, (numpy.ndarray, list, float)) else i for i in inputs]
        label = name.lower()
        if fields or options:
            options = options or "".join(part.capitalize() for part in name.split("_")) + "Options"
            operator.builtinOptionsType = getattr(schema.BuiltinOptions, options)
            operator.builtinOptions = getattr(schema, options + "T")()
            for field, value in fields.items():
                assert hasattr(operator.builtinOptions, field), field
                setattr(operator.builtinOptions, field, value)
        operator.outputs = [
            self.tensor(f"{label}{len(self.tensors)}", [], kind, scale=scale, zero=zero) for _ in range(outputs)
        ]
        self.operators.append(operator)
        return operator.outputs[0] if outputs == 1 else operator.outputs

    def conv(self, value, weight, bias=None, padding=SAME, stride=(1, 1), dilation=(1, 1), activation=0, **more):
        return self.op(
            "CONV_2D", [value, weight, -1 if bias is None else bias], options="Conv2DOptions", padding=padding, strideH=stride[0],
            strideW=stride[1], dilationHFactor=dilation[0], dilationWFactor=dilation[1], fusedActivationFunction=activation, **more,
        )

    def depthwise(self, value, weight, bias, multiplier=1, padding=SAME, stride=(1, 1), dilation=(1, 1), activation=0, **more):
        return self.op(
            "DEPTHWISE_CONV_2D", [value, weight, bias], options="DepthwiseConv2DOptions", padding=padding, strideH=stride[0],
            strideW=stride[1], dilationHFactor=dilation[0], dilationWFactor=dilation[1], depthMultiplier=multiplier,
            fusedActivationFunction=activation, **more,
        )

    def pool(self, name, value, size, stride, padding, activation=0, **more):
        return self.op(
            name, [value], options="Pool2DOptions", padding=padding, filterHeight=size[0], filterWidth=size[1], strideH=stride[0],
            strideW=stride[1], fusedActivationFunction=activation, **more,
        )

    def linear(self, value, weight, bias=None, activation=0, keep=False, **more):
        return self.op(
            "FULLY_CONNECTED", [value, weight, -1 if bias is None else bias], options="FullyConnectedOptions",
            fusedActivationFunction=activation, keepNumDims=keep, **more,
        )

    def pack(self):
        subgraph = schema.SubGraphT()
        subgraph.tensors, subgraph.operators = self.tensors, self.operators
        subgraph.inputs, subgraph.outputs = self.inputs, self.outputs
        model = schema.ModelT()
        model.version, model.subgraphs, model.buffers = 3, [subgraph], self.buffers
        model.operatorCodes = []
        for code in self.codes:
            entry = schema.OperatorCodeT()
            entry.deprecatedBuiltinCode, entry.builtinCode, entry.version = min(code, 127), code, 1
            # Newer versions of an operator have types and options that the first lacks.
            entry.version = {"FULLY_CONNECTED": 5, "CONV_2D": 5, "DEPTHWISE_CONV_2D": 6}.get(
                next(key for key, value in vars(schema.BuiltinOperator).items() if value == code), 1)
            model.operatorCodes.append(entry)
        builder = flatbuffers.Builder(1024)
        builder.Finish(model.Pack(builder), b"TFL3")
        return bytes(builder.Output())

    def finish(self, *outputs, samples=2):
        self.outputs = list(outputs)
        interpreter = interpreter_of(self.pack())
        interpreter.invoke()
        for index, tensor in enumerate(self.tensors):
            # What lies behind the model's tensors is the interpreter's own.
            shape = interpreter._interpreter.TensorSize(index, 0)
            tensor.shape = [int(side) for side in shape]
            if self.batch == -1 and tensor.buffer == 0 and tensor.shape:
                tensor.shapeSignature = [-1, *tensor.shape[1:]]
        file = self.pack()
        interpreter = interpreter_of(file)
        record = {"inputs": [], "outputs": []}
        for _ in range(samples):
            taken, made = [], []
            for detail in interpreter.get_input_details():
                values = draw(*detail["shape"])
                scale, zero = detail["quantization"]
                if scale:
                    limits = numpy.iinfo(detail["dtype"])
                    stored = numpy.clip(numpy.round(values / scale) + zero, limits.min, limits.max).astype(detail["dtype"])
                    values = (stored.astype(numpy.float32) - zero) * numpy.float32(scale)
                else:
                    stored = values
                interpreter.set_tensor(detail["index"], stored)
                taken.extend((numpy.moveaxis(values, 3, 1) if values.ndim == 4 else values).ravel().tolist())
            interpreter.invoke()
            for detail in interpreter.get_output_details():
                values = interpreter.get_tensor(detail["index"])
                scale, zero = detail["quantization"]
                if scale:
                    values = (values.astype(numpy.float32) - zero) * numpy.float32(scale)
                made.extend(values.astype(numpy.float32).ravel().tolist())
            record["inputs"].append([float(numpy.float32(value)) for value in taken])
            record["outputs"].append(made)
        (FOLDER / f"{self.name}.tflite").write_bytes(file)
        rounded = {key: [[float(f"{value:.9g}") for value in row] for row in rows] for key, rows in record.items()}
        (FOLDER / f"{self.name}.json").write_text(json.dumps(rounded, separators=(",", ":")) + "\n")
        print(self.name, len(file), "bytes,", len(record["outputs"][0]), "numbers")


def interpreter_of(file):
    # The plain kernels: others reorder sums, and refuse some of what is here.
    interpreter = Interpreter(
        model_content=file, experimental_op_resolver_type=OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES,
        experimental_preserve_all_tensors=True,
    )
    interpreter.allocate_tensors()
    return interpreter


def mobile():
    """Padding before a step of 2, channels by themselves with two outputs each, a sum, a mean, a layer, softmax."""
    net = Net("mobile", batch=-1)
    x = net.input(1, 9, 8, 3)
    x = net.op("PAD", [x, [[0, 0], [0, 1], [0, 1], [0, 0]]], options="PadOptions")
    x = net.conv(x, draw(4, 3, 3, 3), draw(4), padding=VALID, stride=(2, 2), activation=RELU6)
    x = net.depthwise(x, draw(1, 3, 3, 8), draw(8), multiplier=2, stride=(2, 2), activation=RELU)
    x = net.conv(x, draw(5, 1, 1, 8), draw(5))
    y = net.depthwise(x, draw(1, 3, 3, 5), draw(5), dilation=(2, 1), activation=RELU_N1_TO_1)
    y = net.conv(y, draw(5, 1, 1, 5), draw(5))
    x = net.op("ADD", [x, y], fusedActivationFunction=RELU6)
    x = net.op("HARD_SWISH", [x])
    x = net.op("MEAN", [x, [1, 2]], options="ReducerOptions", keepDims=False)
    x = net.linear(x, draw(3, 5), draw(3))
    net.finish(net.op("SOFTMAX", [x], beta=1.0))


def flatten():
    """Steps of 2 with an odd pixel more on one side, pools, a flattening between a convolution and a layer."""
    net = Net("flatten")
    x = net.input(1, 10, 7, 2)
    x = net.conv(x, draw(4, 4, 3, 2), draw(4), stride=(2, 2), activation=RELU)
    x = net.pool("MAX_POOL_2D", x, (2, 2), (1, 2), SAME)
    x = net.op("RESHAPE", [x, [-1, 40]])
    x = net.op("TANH", [x])
    x = net.linear(x, draw(6, 40), draw(6), activation=RELU6)
    x = net.linear(x, draw(3, 6))
    net.finish(net.op("LOG_SOFTMAX", [x]))


def direct():
    """A layer reads an image; the image is read by others, too."""
    net = Net("direct", batch=-1)
    x = net.input(1, 4, 5, 3)
    x = net.conv(x, draw(4, 2, 2, 3), draw(4), padding=VALID, activation=RELU)
    a = net.linear(x, draw(5, 48), draw(5), activation=RELU_N1_TO_1)
    flat = net.op("RESHAPE", [x, [1, 48]])
    b = net.op("ADD", [flat, draw(48)], fusedActivationFunction=0)
    c = net.op("RESHAPE", [flat, [-1, 3, 4, 4]])
    c = net.conv(c, draw(2, 1, 1, 4), draw(2))
    net.finish(a, b, c)


def shapes():
    """The target of a reshape is computed from the batch, as converters write it."""
    net = Net("shapes", batch=-1)
    x = net.input(1, 4, 4, 2)
    x = net.conv(x, draw(6, 3, 3, 2), draw(6), stride=(2, 2))
    shape = net.op("SHAPE", [x], kind="int32", outType=schema.TensorType.INT32)
    batch = net.op("STRIDED_SLICE", [shape, [0], [1], [1]], kind="int32", shrinkAxisMask=1)
    target = net.op("PACK", [batch, numpy.array(3, numpy.int32), numpy.array(8, numpy.int32)], kind="int32", valuesCount=3)
    x = net.op("RESHAPE", [x, target])
    x = net.op("TRANSPOSE", [x, [0, 2, 1]])
    for tensor in (shape, target):
        net.tensors[tensor].shapeSignature = net.tensors[tensor].shape
    net.finish(x)


def elements():
    """Functions of each element, and of two tensors that are broadcast."""
    net = Net("elements")
    x = net.input(1, 3, 2, 4)
    y = net.conv(x, draw(4, 1, 1, 4), draw(4))
    outputs = []
    for name in ("ABS", "CEIL", "ELU", "EXP", "FLOOR", "LOGISTIC", "NEG", "RELU", "RELU6", "RELU_N1_TO_1", "ROUND", "SQUARE", "TANH",
                 "HARD_SWISH", "RELU_0_TO_1"):
        outputs.append(net.op(name, [y]))
    positive = net.op("EXP", [y])
    outputs += [net.op(name, [positive]) for name in ("LOG", "SQRT", "RSQRT")]
    outputs.append(net.op("LEAKY_RELU", [y], alpha=0.3))
    outputs.append(net.op("GELU", [y], approximate=False))
    outputs.append(net.op("GELU", [y], approximate=True))
    outputs.append(net.op("PRELU", [y, draw(1, 1, 4)]))
    outputs.append(net.op("ADD", [y, draw(4)], fusedActivationFunction=RELU))
    outputs.append(net.op("SUB", [draw(3, 1, 1), y], fusedActivationFunction=0))
    outputs.append(net.op("MUL", [x, y], fusedActivationFunction=RELU_N1_TO_1))
    outputs.append(net.op("DIV", [y, positive], fusedActivationFunction=0))
    outputs.append(net.op("DIV", [y, draw(1, 2, 1, low=1, high=2)], fusedActivationFunction=RELU6))
    outputs.append(net.op("MAXIMUM", [y, 0.25], options="MaximumMinimumOptions"))
    outputs.append(net.op("MINIMUM", [y, x], options="MaximumMinimumOptions"))
    outputs.append(net.op("POW", [positive, draw(4)]))
    outputs.append(net.op("SQUARED_DIFFERENCE", [y, x]))
    outputs.append(net.op("ADD_N", [x, y, positive]))
    clipped = net.op("RELU", [y])
    zero = net.op("EQUAL", [clipped, 0.0], kind="bool")
    outputs.append(net.op("SELECT_V2", [zero, x, clipped]))
    net.finish(*outputs)


def moves():
    """What only moves elements: of images, whose channels are elsewhere, and of others."""
    net = Net("moves")
    x = net.input(1, 4, 3, 4)
    y = net.conv(x, draw(4, 1, 1, 4), draw(4))
    outputs = []
    outputs.append(net.op("PAD", [y, [[0, 0], [1, 0], [0, 2], [1, 1]]]))
    outputs.append(net.op("PADV2", [y, [[0, 0], [1, 1], [0, 0], [0, 0]], 0.5]))
    outputs.append(net.op("MIRROR_PAD", [y, [[0, 0], [2, 1], [0, 2], [1, 0]]], mode=0))
    outputs.append(net.op("CONCATENATION", [x, y, x], axis=3, fusedActivationFunction=0))
    outputs.append(net.op("CONCATENATION", [x, y], axis=-2, fusedActivationFunction=0))
    outputs.append(net.op("SLICE", [y, [0, 1, 0, 1], [1, 2, -1, 3]]))
    outputs.append(net.op("STRIDED_SLICE", [y, [0, -1, 0, 1], [1, 0, 9, 4], [1, -2, 1, 2]], beginMask=1, endMask=2))
    outputs.append(net.op("STRIDED_SLICE", [y, [0, 0, 0, -1], [1, 4, 3, 4], [1, 1, 1, 1]], shrinkAxisMask=8))
    outputs.append(net.op("STRIDED_SLICE", [y, [0, 2, 0, 0], [1, 3, 3, 4], [1, 1, 1, 1]], shrinkAxisMask=2))
    outputs += net.op("SPLIT", [numpy.array(3, numpy.int32), y], outputs=2, numSplits=2)
    outputs += net.op("SPLIT_V", [y, [1, -1], numpy.array(1, numpy.int32)], outputs=2, numSplits=2)
    outputs += net.op("UNPACK", [y], outputs=3, axis=2, num=3)
    outputs.append(net.op("PACK", [x, y], axis=1, valuesCount=2))
    outputs.append(net.op("PACK", [x, y], axis=-1, valuesCount=2))
    outputs.append(net.op("GATHER", [y, [2, 0, 2]], axis=3))
    outputs.append(net.op("GATHER", [y, numpy.array(1, numpy.int32)], axis=1))
    turned = net.op("TRANSPOSE", [y, [0, 2, 3, 1]])
    outputs.append(net.op("RELU", [turned]))
    outputs.append(net.conv(turned, draw(2, 2, 2, 4), draw(2), padding=VALID))
    narrow = net.op("MEAN", [y, [1]], options="ReducerOptions", keepDims=False)
    wide = net.op("EXPAND_DIMS", [narrow, numpy.array(1, numpy.int32)])
    wide = net.conv(wide, draw(3, 1, 2, 4), draw(3))
    outputs.append(net.op("SQUEEZE", [wide], squeezeDims=[1]))
    outputs.append(net.op("RESHAPE", [y, [1, 3, 4, 4]]))
    outputs.append(net.op("RESHAPE", [net.op("RESHAPE", [y, [1, 48]]), [1, 4, 3, 4]]))
    net.finish(*outputs)


def sums():
    """Reductions, means over windows, softmax with a factor, products of matrices, convolutions in groups."""
    net = Net("sums")
    x = net.input(1, 4, 6, 4)
    y = net.conv(x, draw(6, 3, 3, 2), draw(6), dilation=(1, 2))
    outputs = [
        net.op("MEAN", [y, [1, 2]], options="ReducerOptions", keepDims=True),
        net.op("MEAN", [y, [3]], options="ReducerOptions", keepDims=False),
        net.op("SUM", [y, [-1, 1]], options="ReducerOptions", keepDims=False),
        net.op("REDUCE_MAX", [y, [2]], options="ReducerOptions", keepDims=True),
        net.op("REDUCE_MIN", [y, [1, 2, 3]], options="ReducerOptions", keepDims=False),
        net.pool("AVERAGE_POOL_2D", y, (3, 3), (2, 2), SAME),
        net.pool("AVERAGE_POOL_2D", y, (2, 3), (1, 1), VALID, RELU),
        net.op("SOFTMAX", [y], beta=2.0),
    ]
    rows = net.op("RESHAPE", [y, [1, 24, 6]])
    other = net.op("RESHAPE", [x, [1, 24, 4]])
    outputs.append(net.op("BATCH_MATMUL", [rows, other], options="BatchMatMulOptions", adjX=True, adjY=False))
    outputs.append(net.op("BATCH_MATMUL", [rows, rows], options="BatchMatMulOptions", adjX=False, adjY=True))
    outputs.append(net.linear(rows, draw(3, 6), draw(3), activation=RELU, keep=True))
    outputs.append(net.linear(other, draw(2, 96), draw(2)))
    net.finish(*outputs)


def quantized_weight(*shape, axis=0):
    values = draw(*shape)
    others = tuple(other for other in range(len(shape)) if other != axis)
    scale = abs(values).max(axis=others) / 127
    view = scale.reshape([-1 if other == axis else 1 for other in range(len(shape))])
    return numpy.round(values / view).astype(numpy.int8), scale.astype(numpy.float32)


def halves():
    """Weights of 16 bits, which an operator makes wider, and of 8 bits with a scale for each output, which one makes floats."""
    net = Net("halves", batch=-1)
    x = net.input(1, 5, 5, 2)
    weight = net.op("DEQUANTIZE", [net.constant(draw(3, 3, 3, 2).astype(numpy.float16))])
    bias = net.op("DEQUANTIZE", [net.constant(draw(3).astype(numpy.float16))])
    x = net.conv(x, weight, bias, activation=RELU)
    values, scale = quantized_weight(4, 75)
    weight = net.op("DEQUANTIZE", [net.constant(values, scale=scale)])
    net.finish(net.linear(net.op("RESHAPE", [x, [-1, 75]]), weight, draw(4)))


def whole():
    """Integers throughout: 8 bits in, in all layers, and out."""
    net = Net("whole")
    x = net.input(1, 6, 6, 3, kind="int8", scale=1 / 127, zero=0)
    values, scale = quantized_weight(4, 3, 3, 3)
    weight = net.constant(values, scale=scale)
    bias = net.constant(numpy.round(draw(4) / (scale / 127)).astype(numpy.int32), scale=scale / 127)
    x = net.conv(x, weight, bias, stride=(2, 2), activation=RELU, kind="int8", scale=6 / 255, zero=-128)
    values, scale = quantized_weight(1, 3, 3, 4, axis=3)
    weight = net.constant(values, scale=scale, axis=3)
    bias = net.constant(numpy.round(draw(4) / (scale * 6 / 255)).astype(numpy.int32), scale=scale * 6 / 255)
    x = net.depthwise(x, weight, bias, kind="int8", scale=20 / 255, zero=0)
    x = net.op("MEAN", [x, [1, 2]], options="ReducerOptions", keepDims=False, kind="int8", scale=10 / 255, zero=0)
    values, scale = quantized_weight(3, 4)
    weight = net.constant(values, scale=scale[:1].max() if len(scale) == 1 else scale)
    bias = net.constant(numpy.round(draw(3) / (scale * 10 / 255)).astype(numpy.int32), scale=scale * 10 / 255)
    x = net.linear(x, weight, bias, kind="int8", scale=16 / 255, zero=0)
    net.finish(net.op("DEQUANTIZE", [x]))


for make in (mobile, flatten, direct, shapes, elements, moves, sums, halves, whole):
    make()
