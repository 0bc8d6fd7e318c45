#!/usr/bin/env python3
"""Opens exported files in the libraries that they are made for.

    oracle_weights.py FILE...            each opens: ONNX in ONNX's checker and in ONNX Runtime, safetensors, npz
    oracle_weights.py --same A B         both hold the same arrays, bit for bit, by their names

In an environment with: pip install onnx onnxruntime safetensors numpy
"""

import sys

import numpy


def onnx_arrays(path):
    import onnx
    import onnx.numpy_helper

    model = onnx.load(path)
    onnx.checker.check_model(model)
    return {tensor.name: onnx.numpy_helper.to_array(tensor) for tensor in model.graph.initializer}


def arrays(path):
    """The arrays of a file by name."""
    if path.endswith(".onnx"):
        return onnx_arrays(path)
    if path.endswith(".safetensors"):
        from safetensors.numpy import load_file

        return load_file(path)
    with numpy.load(path) as archive:
        return {name: archive[name] for name in archive.files}


def outputs(path):
    """What ONNX Runtime computes of inputs of ones; symbolic sides are 1."""
    import onnxruntime

    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    types = {"tensor(float)": numpy.float32, "tensor(int64)": numpy.int64, "tensor(bool)": numpy.bool_}
    shape = lambda value: [side if isinstance(side, int) and side > 0 else 1 for side in value.shape]
    feed = {value.name: numpy.ones(shape(value), types[value.type]) for value in session.get_inputs()}
    return session, feed


def main():
    if sys.argv[1:2] == ["--same"]:
        first, second = map(arrays, sys.argv[2:4])
        same = first.keys() == second.keys() and all(
            first[name].dtype == second[name].dtype and first[name].tobytes() == second[name].tobytes() for name in first
        )
        print(f"{len(first)} arrays, the same: {same}")
        sys.exit(0 if same else 1)
    for path in sys.argv[1:]:
        found = arrays(path)
        line = f"{path}: {len(found)} arrays, {sum(array.size for array in found.values())} elements"
        if path.endswith(".onnx"):
            session, feed = outputs(path)
            try:
                made = session.run(None, feed)
                line += f"; runs, outputs {[list(output.shape) for output in made]}, mean {float(numpy.mean(made[0])):.6f}"
            except Exception as error:
                line += f"; loads, and does not run on inputs of ones: {str(error)[:100]}"
        print(line)


if __name__ == "__main__":
    main()
