"""Makes the graphs here that no exporter made, and NAME.txt beside each: the class that onnxruntime answers with for each test sample of digits.npz
(scikit-learn's digits, 0 to 1; of text.onnx: of text.npz). Made with onnx 1.23.2, onnxruntime 1.31.1, numpy.

    python make.py
"""

import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto as T
from onnx import helper as h

rng = np.random.default_rng(3)
node, digits = h.make_node, np.load("digits.npz")
X = digits["x_test"].astype(np.float32)


def r(*shape):
    return (rng.standard_normal(shape) * 0.4).astype(np.float32)


def tensor(name, array):
    return onnx.numpy_helper.from_array(np.array(array, order="C"), name)


def save(name, nodes, kind, shape, tensors, opset=17, functions=(), domains=()):
    info = h.make_tensor_value_info
    graph = h.make_graph(nodes, "g", [info("x", kind, shape)], [info("y", T.FLOAT, [shape[0], None])],
                         [tensor(*pair) for pair in tensors.items()])
    opsets = [h.make_opsetid("", opset), *domains]
    model = h.make_model(graph, opset_imports=opsets, functions=functions, ir_version=9)
    onnx.checker.check_model(model)
    onnx.save(model, name + ".onnx")


def answer(name, x, one_by_one=False):
    session = onnxruntime.InferenceSession(name + ".onnx")
    typed = x.astype({"tensor(float)": np.float32, "tensor(float16)": np.float16, "tensor(int64)": np.int64,
                      "tensor(uint8)": np.uint8}[session.get_inputs()[0].type])
    outputs = session.run(None, {session.get_inputs()[0].name: typed})
    scores = outputs[-1]
    if isinstance(scores, list):
        scores = np.array([[row[key] for key in sorted(row)] for row in scores])
    np.savetxt(name + ".txt", scores.argmax(1), "%d")


def text():
    ids = rng.integers(0, 300, (300, 12))
    labels = ((ids % 3 == 0).sum(1) >= 4).astype(np.uint8)
    np.savez_compressed("text.npz", x_train=ids[:200], y_train=labels[:200], x_test=ids[200:], y_test=labels[200:])
    nodes = [node("Gather", ["E", "x"], ["e"]), node("ReduceMean", ["e"], ["m"], axes=[1], keepdims=0),
             node("Gemm", ["m", "W", "b"], ["y"], transB=1)]
    save("text", nodes, T.INT64, ["N", "words"], {"E": r(300, 8), "W": r(2, 8), "b": r(2)}, 13)
    answer("text", ids[200:])


def bytes_():
    nodes = [node("Cast", ["x"], ["f"], to=T.FLOAT), node("Div", ["f", "s"], ["g"]), node("Gemm", ["g", "w", "b"], ["y"], transB=1)]
    save("bytes", nodes, T.UINT8, ["N", 64], {"s": np.float32(255), "w": r(10, 64), "b": r(10)})
    pixels = np.round(X * 255).astype(np.uint8)
    np.savez_compressed("bytes.npz", x_test=pixels, y_test=digits["y_test"])
    answer("bytes", pixels)


def recurrent(name, kind, both=False, last=False, zeros=False, reset=1, steps_first=False):
    gates, directions, hidden = {"LSTM": 4, "GRU": 3, "RNN": 1}[kind], 2 if both else 1, 12
    attributes = {"hidden_size": hidden}
    if kind == "GRU":
        attributes["linear_before_reset"] = reset
    if both:
        attributes["direction"] = "bidirectional"
    tensors = {"W": r(directions, gates * hidden, 8), "R": r(directions, gates * hidden, hidden), "B": r(directions, 2 * gates * hidden),
               "fw": r(10, directions * hidden), "fb": r(10)}
    nodes, states = [], []
    if not steps_first:
        nodes.append(node("Transpose", ["x"], ["xt"], perm=[1, 0, 2]))
    if zeros:
        tensors |= {"0": np.int64([0]), "1": np.int64([1]), "D": np.int64([directions]), "H": np.int64([hidden]), "z": np.zeros((1, 1, 1), np.float32)}
        nodes += [node("Shape", ["x"], ["sh"]), node("Slice", ["sh", "0", "1"], ["n"]), node("Concat", ["D", "n", "H"], ["hs"], axis=0),
                  node("ConstantOfShape", ["hs"], ["h0"]), node("Expand", ["z", "hs"], ["c0"])]
        states = ["", "h0", "c0"]
    nodes.append(node(kind, ["x" if steps_first else "xt", "W", "R", "B", *states], ["", "Yh"] if last else ["Y"], **attributes))
    if last:
        nodes += [node("Transpose", ["Yh"], ["Yt"], perm=[1, 0, 2]), node("Flatten", ["Yt"], ["l"])]
    elif both:
        tensors |= {"s": np.int64([0, 0, -1]), "-1": np.int64(-1)}
        nodes += [node("Transpose", ["Y"], ["Yt"], perm=[0, 2, 1, 3]), node("Reshape", ["Yt", "s"], ["Y2"]),
                  node("Transpose", ["Y2"], ["Y3"], perm=[1, 0, 2]), node("Gather", ["Y3", "-1"], ["l"], axis=1)]
    else:
        tensors |= {"a": np.int64([1]), "-1": np.int64(-1)}
        nodes += [node("Squeeze", ["Y", "a"], ["Y2"]), node("Transpose", ["Y2"], ["Y3"], perm=[1, 0, 2]), node("Gather", ["Y3", "-1"], ["l"], axis=1)]
    nodes.append(node("Gemm", ["l", "fw", "fb"], ["y"], transB=1))
    save(name, nodes, T.FLOAT, [8, "N", 8] if steps_first else ["N", 8, 8], tensors)
    x = X.reshape(-1, 8, 8)
    answer(name, x.transpose(1, 0, 2) if steps_first else x)


def sizes():
    nodes = [node("Conv", ["x", "w"], ["c"]), node("GlobalAveragePool", ["c"], ["p"]), node("Flatten", ["p"], ["f"]), node("Gemm", ["f", "fw"], ["y"])]
    save("sizes", nodes, T.FLOAT, ["N", 1, "height", "width"], {"w": r(6, 1, 3, 3), "fw": r(6, 10)})
    answer("sizes", X.reshape(-1, 1, 8, 8))


def nested():
    """Two functions with a Constant of one name, one that calls another, an attribute with a default, an input that goes through."""
    domain = "pkg.torch.nn.modules"
    opsets = [h.make_opsetid("", 18), h.make_opsetid(domain, 1)]
    constant = lambda name, array: node("Constant", [], [name], value=h.make_tensor("value", T.FLOAT, array.shape, array.flatten()))
    leaky = node("LeakyRelu", ["v"], ["r"])
    leaky.attribute.append(onnx.AttributeProto(name="alpha", ref_attr_name="slope", type=onnx.AttributeProto.FLOAT))
    act = h.make_function(domain, "Act", ["v"], ["r"], [leaky], opsets, [], [h.make_attribute("slope", 0.3)])
    first = h.make_function(domain, "A", ["v"], ["o"], [constant("k", r(64, 16)), node("MatMul", ["v", "k"], ["t"]), node("Act", ["t"], ["o"], domain=domain)], opsets, [])
    body = [constant("k", r(16)), node("Mul", ["v", "k"], ["q"]), constant("l", r(16, 10)), node("MatMul", ["q", "l"], ["o"]), node("Identity", ["z"], ["w"])]
    second = h.make_function(domain, "B", ["v", "z"], ["o", "w"], body, opsets, [])
    nodes = [node("A", ["x"], ["h"], domain=domain, name="a"), node("Act", ["h"], ["i"], domain=domain, slope=0.1),
             node("B", ["i", "x"], ["o", "same"], domain=domain, name="b"), constant("k", r(10)), node("Mul", ["o", "k"], ["y"])]
    save("nested", nodes, T.FLOAT, ["N", 64], {}, 18, [act, first, second], opsets[1:])
    answer("nested", X)


text()
bytes_()
recurrent("lstm", "LSTM", zeros=True)
recurrent("lstm_both", "LSTM", both=True)
recurrent("lstm_steps", "LSTM", last=True, steps_first=True)
recurrent("gru", "GRU", reset=0)
recurrent("gru_both", "GRU", both=True, last=True)
recurrent("rnn", "RNN")
sizes()
nested()
for name in ["constants", "half", "int_zip", "pipe_nozip", "str_nozip", "functions"]:
    answer(name, X.reshape(-1, 1, 8, 8) if name in ("constants", "half") else X)
