"""Files for tests/cases/exports.rs, and the answers of onnxruntime to them. Needs onnx, onnxruntime and numpy.

Tied networks: `autoencoder.onnx` (its decoder is the encoder transposed, by Gemm's transB and by MatMul), `copies.onnx` (the same, with the transposed
weight stored again, as exporters that fold a Transpose do), `siamese.onnx` (two inputs, and three outputs whose names are in no order; both branches have the same
layers and the same normalisation). `*.npz` have an input and onnxruntime's answers."""
import numpy as np, onnx, onnxruntime
from onnx import TensorProto as T, helper as h, numpy_helper as nh

rng = np.random.default_rng(3)
draw = lambda *shape: rng.normal(0, 0.4, shape).astype(np.float32)


def save(name, nodes, inputs, outputs, constants, feeds):
    info = lambda pair: h.make_tensor_value_info(pair[0], T.FLOAT, ["N", *pair[1]])
    graph = h.make_graph(nodes, "g", [info(i) for i in inputs], [info(o) for o in outputs], [nh.from_array(a, n) for n, a in constants.items()])
    model = h.make_model(graph, opset_imports=[h.make_opsetid("", 17)], ir_version=8)
    onnx.checker.check_model(model, full_check=True)
    onnx.save(model, f"{name}.onnx")
    answers = onnxruntime.InferenceSession(f"{name}.onnx").run(None, feeds)
    np.savez_compressed(f"{name}.npz", x=np.concatenate(list(feeds.values()), 1), y=np.concatenate(answers, 1))


x = draw(24, 16)
w, b1, b2 = draw(6, 16), draw(6), draw(16)
encoder = [h.make_node("Gemm", ["x", "w", "b1"], ["a"], transB=1), h.make_node("Tanh", ["a"], ["code"])]
decoder = [h.make_node("MatMul", ["code", "w"], ["m"]), h.make_node("Add", ["m", "b2"], ["y"])]
save("autoencoder", encoder + decoder, [("x", [16])], [("y", [16])], {"w": w, "b1": b1, "b2": b2}, {"x": x})
decoder = [h.make_node("Gemm", ["code", "onnx::Gemm_7", "b2"], ["y"], transB=1)]
save("copies", encoder + decoder, [("x", [16])], [("y", [16])], {"w": w, "b1": b1, "onnx::Gemm_7": np.ascontiguousarray(w.T), "b2": b2}, {"x": x})

left, right = draw(24, 1, 6, 6), draw(24, 1, 6, 6)
k, kb, d, db = draw(4, 1, 3, 3), draw(4), draw(3, 64), draw(3)
norm = {"s": 1 + draw(4), "o": draw(4), "mean": draw(4), "var": 1 + draw(4) ** 2}
nodes = []
for side in "right", "left":
    nodes += [h.make_node("Conv", [side, "k", "kb"], [side + "c"]), h.make_node("BatchNormalization", [side + "c", *norm], [side + "n"]),
              h.make_node("Relu", [side + "n"], [side + "r"]), h.make_node("Flatten", [side + "r"], [side + "f"]),
              h.make_node("Gemm", [side + "f", "d", "db"], [side + " code"], transB=1)]
nodes += [h.make_node("Sub", ["right code", "left code"], ["difference"])]
# What a graph of several inputs is given are its inputs one after the other.
save("siamese", nodes, [("right", [1, 6, 6]), ("left", [1, 6, 6])], [("right code", [3]), ("difference", [3]), ("left code", [3])],
     {"k": k, "kb": kb, "d": d, "db": db, **norm}, {"right": right, "left": left})
arrays = np.load("siamese.npz")
np.savez_compressed("siamese.npz", x=np.concatenate([right.reshape(24, -1), left.reshape(24, -1)], 1), y=arrays["y"])
