"""Files of Nutshell beside those of NNCodec (ISO/IEC 15938-17), without samples and without training, of the same network.

NNCodec compresses the 32-bit floats of a network at each QP; the noise of its layers is measured (squared error over squared weights, in the mean over
the layers that Nutshell quantizes), and Nutshell is asked for the same noise. Both are then run: how far are the answers from the original's
(norm of the difference over norm), and on how many samples is the largest the same?

    python -m venv --system-site-packages venv      # of a Python that has torch and torchvision
    venv/bin/pip install nncodec==2.1.3 'numpy<2' onnx onnxruntime
    venv/bin/python benches/against_nncodec.py NUTSHELL mobilenet_v2 FILE.pth IMAGES -28 -24 -20
    venv/bin/python benches/against_nncodec.py NUTSHELL ccexam FILE.pth MNIST -28 -24 -20
    venv/bin/python benches/against_nncodec.py NUTSHELL vgg16 FILE.onnx IMAGES -28 -24 -20

NUTSHELL is the command line program. IMAGES is a folder of pictures, of which 6 squares each are cut (seed 1); MNIST one with its test files.
"""

import pathlib
import subprocess
import sys
import tempfile
import time

import numpy
import torch
from nncodec.nn import decode, encode

MEAN, DEVIATION = [0.485, 0.456, 0.406], [0.229, 0.224, 0.225]


def squares(folder, pixels, mean, deviation):
    from PIL import Image

    random, found = numpy.random.default_rng(1), []
    for path in sorted(pathlib.Path(folder).iterdir()):
        if path.suffix not in (".png", ".jpg"):
            continue
        image = Image.open(path).convert("RGB")
        for _ in range(6):
            side = int(min(image.size) * random.uniform(0.5, 1))
            left, top = (int(random.integers(0, length - side + 1)) for length in image.size)
            cut = image.crop((left, top, left + side, top + side)).resize((pixels, pixels), Image.BILINEAR)
            found.append(((numpy.asarray(cut) / 255 - mean) / deviation).transpose(2, 0, 1))
    return torch.tensor(numpy.array(found), dtype=torch.float32)


def digits(folder):
    images = (pathlib.Path(folder) / "t10k-images-idx3-ubyte").read_bytes()[16:]
    pixels = torch.frombuffer(bytearray(images), dtype=torch.uint8).float().view(-1, 1, 28, 28)
    return (pixels / 255 - 0.1307) / 0.3081


class Torch:
    """A network of PyTorch, of which the file has the state dictionary."""

    def __init__(self, network, path):
        self.network, self.loaded = network, torch.load(path, map_location="cpu")
        self.state = {name: value.numpy() for name, value in self.loaded.items() if not name.endswith("num_batches_tracked")}

    def answers(self, arrays, samples):
        self.network.load_state_dict({key: torch.tensor(numpy.asarray(value)) for key, value in arrays.items()}, strict=False)
        self.network.eval()
        with torch.no_grad():
            return torch.cat([self.network(batch) for batch in samples.split(50)]).numpy()


class Onnx:
    """A network in ONNX, whose images have their channels last."""

    def __init__(self, path):
        import onnx

        self.model = onnx.load(path)
        arrays = {tensor.name: onnx.numpy_helper.to_array(tensor) for tensor in self.model.graph.initializer}
        self.state = {name: array for name, array in arrays.items() if array.dtype == numpy.float32}

    def answers(self, arrays, samples):
        import onnx
        import onnxruntime

        for tensor in self.model.graph.initializer:
            if tensor.name in self.state:
                array = numpy.asarray(arrays[tensor.name]).reshape(self.state[tensor.name].shape)
                tensor.CopyFrom(onnx.numpy_helper.from_array(array, tensor.name))
        session = onnxruntime.InferenceSession(self.model.SerializeToString(), providers=["CPUExecutionProvider"])
        name, images = session.get_inputs()[0].name, samples.permute(0, 2, 3, 1).numpy()
        return numpy.concatenate([session.run(None, {name: image[None]})[0] for image in images])


def mobilenet_v2():
    import torchvision

    return torchvision.models.mobilenet_v2(weights=None)


def ccexam():
    from torch import nn

    def block(inputs, outputs):
        return [nn.Conv2d(inputs, outputs, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2)]

    class Digits(nn.Module):
        def __init__(self):
            super().__init__()
            self.features = nn.Sequential(*block(1, 32), *block(32, 64))
            self.classifier = nn.Sequential(nn.Linear(3136, 128), nn.ReLU(), nn.Linear(128, 10))

        def forward(self, images):
            return self.classifier(self.features(images).flatten(1))

    return Digits()


def is_layer(array):
    return array.size >= 512 and sum(side > 1 for side in array.shape) > 1


def mean_noise(state, other):
    pairs = [(state[name].astype(float), other[name].astype(float)) for name in state if is_layer(state[name])]
    return numpy.mean([((a - b) ** 2).sum() / (a**2).sum() for a, b in pairs])


def nutshell(program, path, decibels, folder):
    nut, npz = folder / "small.nut", folder / "small.npz"
    start = time.time()
    subprocess.run([program, "compress", path, "--snr", str(decibels), "-o", nut], check=True, capture_output=True)
    seconds = time.time() - start
    subprocess.run([program, "convert", nut, "-o", npz], check=True, capture_output=True)
    arrays = numpy.load(npz)
    return nut.stat().st_size, {name: arrays[name] for name in arrays.files}, seconds


def main(program, which, path, samples, *qps):
    network, samples = {
        "mobilenet_v2": lambda: (Torch(mobilenet_v2(), path), squares(samples, 224, MEAN, DEVIATION)),
        "ccexam": lambda: (Torch(ccexam(), path), digits(samples)),
        "vgg16": lambda: (Onnx(path), squares(samples, 240, 0.0, 1.0)),
    }[which]()
    state = network.state
    original = network.answers(state, samples)
    print(f"{which}, {len(samples)} samples: bytes, mean noise of the layers, distance of the answers, same answer, seconds")
    for qp in map(int, qps):
        start = time.time()
        arguments = {"qp": qp, "verbose": False, "results": tempfile.gettempdir()}
        bits = encode({name: value.copy() for name, value in state.items()}, args=arguments)
        seconds = time.time() - start
        other = decode(bits)
        decibels = -10 * numpy.log10(mean_noise(state, other))
        with tempfile.TemporaryDirectory() as folder:
            ours = nutshell(program, path, decibels, pathlib.Path(folder))
        for name, (size, arrays, spent) in {f"NNCodec {qp}": (len(bits), other, seconds), "Nutshell": ours}.items():
            got = network.answers(arrays, samples)
            noise = -10 * numpy.log10(mean_noise(state, arrays))
            distance = numpy.linalg.norm(got - original) / numpy.linalg.norm(original)
            same = (got.argmax(1) == original.argmax(1)).mean()
            print(f"{name:12} {size:>9,} B  {noise:5.2f} dB  {distance:.4f}  {100 * same:.2f} %  {spent:.1f} s", flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
