"""VGG16's shapes (138 million weights) with heavy-tailed weights, drawn by a seed, as a safetensors file of 553 MB.

    python benches/vgg138.py vgg138.safetensors
"""

import json
import struct
import sys

import numpy as np

CONVOLUTIONS = [(64, 3), (64, 64), (128, 64), (128, 128), (256, 128), (256, 256), (256, 256), (512, 256)] + 5 * [(512, 512)]
PLACES = [0, 2, 5, 7, 10, 12, 14, 17, 19, 21, 24, 26, 28]
LINEARS = [(0, (4096, 25088)), (3, (4096, 4096)), (6, (1000, 4096))]


def main(path):
    rng = np.random.default_rng(16)
    layers = [(f"features.{place}", (outputs, inputs, 3, 3)) for place, (outputs, inputs) in zip(PLACES, CONVOLUTIONS)]
    layers += [(f"classifier.{place}", shape) for place, shape in LINEARS]
    tensors = []
    for name, shape in layers:
        tensors += [(f"{name}.weight", shape, np.prod(shape[1:]) ** -0.5), (f"{name}.bias", shape[:1], 0.05)]
    head, end = {}, 0
    for name, shape, _ in tensors:
        start, end = end, end + 4 * int(np.prod(shape))
        head[name] = {"dtype": "F32", "shape": list(shape), "data_offsets": [start, end]}
    head = json.dumps(head).encode()
    head += b" " * (-len(head) % 8)
    with open(path, "wb") as file:
        file.write(struct.pack("<Q", len(head)) + head)
        for _, shape, deviation in tensors:
            # Student's t with 4 degrees of freedom, whose deviation is the root of 2.
            normal, scale = rng.standard_normal(shape, dtype=np.float32), rng.chisquare(4, size=shape).astype(np.float32)
            file.write((normal / np.sqrt(scale / 4) * np.float32(deviation / np.sqrt(2))).astype("<f4").tobytes())


if __name__ == "__main__":
    main(sys.argv[1])
