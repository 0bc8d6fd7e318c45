"""Checks exported ONNX files with the reference checker, and runs them in ONNX Runtime.

    python3 -m venv venv && venv/bin/pip install onnx onnxruntime numpy
    cargo test --test onnx -- --ignored oracle          # prints the directory that it fills
    venv/bin/python tests/oracle_onnx.py target/tmp/oracle

For each NAME.onnx of the directory, the outputs must be those of NAME.json, which come from our own network.
With a file in place of the directory, and MNIST's four files, the accuracy on the test set is printed:

    venv/bin/python tests/oracle_onnx.py model.onnx data/mnist
"""

import gzip
import json
import pathlib
import sys

import numpy
import onnx
import onnxruntime


def session(path):
    """Checks a file, shapes included, and makes it ready to run."""
    onnx.checker.check_model(onnx.load(path), full_check=True)
    return onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])


def run(network, pixels):
    """Outputs for bytes of shape [n, ...], scaled to [0, 1]."""
    return network.run(None, {network.get_inputs()[0].name: pixels.astype(numpy.float32) / 255})[0]


def check_directory(directory):
    """Compares each model with the outputs beside it."""
    paths = sorted(directory.glob("*.onnx"))
    assert paths, f"no .onnx file in {directory}"
    for path in paths:
        record = json.loads(path.with_suffix(".json").read_text())
        pixels = numpy.array(record["pixels"], numpy.uint8).reshape([-1] + record["shape"])
        outputs = run(session(path), pixels)
        expected = numpy.array(record["outputs"], numpy.float32).reshape(outputs.shape)
        error = numpy.abs(outputs - expected).max()
        assert error <= 1e-4 * max(1, numpy.abs(expected).max()), f"{path}: off by {error}"
        print(f"{path.name}: {outputs.shape} outputs, off by at most {error:.2g}")


def read_idx(directory, stem):
    """The values of an IDX file, gzipped or not."""
    path = next(path for path in sorted(directory.iterdir()) if path.name.startswith(stem))
    data = path.read_bytes()
    data = gzip.decompress(data) if data[:2] == b"\x1f\x8b" else data
    shape = numpy.frombuffer(data, ">u4", data[3], 4)
    return numpy.frombuffer(data, numpy.uint8, offset=4 + 4 * data[3]).reshape(shape)


def print_accuracy(path, directory):
    """Accuracy on MNIST's test set."""
    images, labels = read_idx(directory, "t10k-images"), read_idx(directory, "t10k-labels")
    network = session(path)
    right = 0
    for start in range(0, len(images), 1000):
        pixels = images[start : start + 1000, None]
        right += (run(network, pixels).argmax(1) == labels[start : start + 1000]).sum()
    print(f"{path}: {right} of {len(images)} test images are right")


if __name__ == "__main__":
    if len(sys.argv) == 2:
        check_directory(pathlib.Path(sys.argv[1]))
    elif len(sys.argv) == 3:
        print_accuracy(sys.argv[1], pathlib.Path(sys.argv[2]))
    else:
        sys.exit(__doc__)
