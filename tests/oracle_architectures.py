"""Networks that are recognised by their weights alone, against the libraries that they come from: the same answers to the same two images.

A library makes each network with drawn weights. The statistics of its normalisations are those of drawn images, each then moved by a drawn number, so that
no tensor can be left out or mistaken for another. Its weights are saved as the library saves them. `check` has `nutshell convert` write them as ONNX, which it can
only do if it knows the architecture, and ONNX Runtime runs that.

    python tests/oracle_architectures.py torchvision FOLDER [NAME...]    # needs torch and torchvision (Debian: python3-torchvision)
    python tests/oracle_architectures.py timm FOLDER [NAME...]           # needs torch and timm
    python tests/oracle_architectures.py keras FOLDER [NAME...]          # needs keras and jax
    python tests/oracle_architectures.py check FOLDER NUTSHELL           # needs numpy and onnxruntime, and the built command line

`check` prints for each file the largest difference of an answer, over the largest difference between the library's own answers to the two images, and fails
above 1e-3: a mistake shows there even where the answers hardly depend on the image. It also fails if an image
is not of the side that the architecture usually has.
"""

import os
import pathlib
import subprocess
import sys

import numpy

# Sides of the images of EfficientNet-B0 to B7.
SIDES = {
    "torchvision": [224, 240, 288, 300, 380, 456, 528, 600],
    "timm": [224, 240, 256, 288, 320, 448, 528, 600],
    "keras": [224, 240, 260, 300, 380, 456, 528, 600],
}
OTHER_SIDES = {"efficientnet_v2_s": 384, "efficientnet_v2_m": 480, "efficientnet_v2_l": 480}
NETWORKS = {
    "torchvision": ["vgg11", "vgg13_bn", "vgg16", "vgg16_bn", "vgg19", "vgg19_bn"]
    + ["resnet18", "resnet34", "resnet50", "resnet101", "resnet152"]
    + ["mobilenet_v2", "mobilenet_v3_small", "mobilenet_v3_large"]
    + [f"efficientnet_b{number}" for number in range(8)]
    + list(OTHER_SIDES),
    "timm": ["vgg11_bn", "vgg16", "vgg16_bn", "vgg19", "resnet18", "resnet34", "resnet50", "resnet101"]
    + ["mobilenetv2_100", "mobilenetv2_140", "mobilenetv3_small_100", "mobilenetv3_large_100", "mobilenetv3_small_050"]
    + [f"efficientnet_b{number}" for number in range(8)],
    "keras": ["VGG16", "VGG19", "ResNet50", "ResNet101", "ResNet152", "MobileNetV2", "MobileNetV3Small", "MobileNetV3Large"]
    + [f"EfficientNetB{number}" for number in range(8)],
}


def side_of(library, name):
    number = name.lower().partition("efficientnet")[2].strip("_").removeprefix("b")
    return SIDES[library][int(number)] if number.isdigit() else OTHER_SIDES.get(name, 224)


def make_torch(library, folder, names):
    import torch

    torch.manual_seed(1)
    for name in names:
        if library == "timm":
            import timm

            network = timm.create_model(name)
        else:
            import torchvision

            network = getattr(torchvision.models, name)(weights=None)
        norms = [module for module in network.modules() if isinstance(module, torch.nn.BatchNorm2d)]
        with torch.no_grad():
            for norm in norms:
                norm.momentum = 1.0
                torch.nn.init.normal_(norm.weight, 1, 0.2)
                torch.nn.init.normal_(norm.bias, 0, 0.2)
            network.eval()
            for norm in norms:
                norm.train()
            network(torch.randn(2, 3, 224, 224))
            for norm in norms:
                shape = norm.weight.shape
                norm.running_mean += 0.1 * torch.randn(shape) * norm.running_var.sqrt()
                # Channels that hardly vary would make much of small differences.
                norm.running_var += (0.5 * torch.rand(shape)) * norm.running_var + 0.05 * norm.running_var.mean()
            network.eval()
            images = torch.rand(2, 3, *[side_of(library, name)] * 2) * 4 - 2
            images[1] *= 0.3
            save(folder / f"{library}-{name}", images.numpy(), network(images).numpy())
        torch.save(network.state_dict(), folder / f"{library}-{name}.pth")


def make_keras(folder, names):
    os.environ["KERAS_BACKEND"] = "jax"
    import keras

    keras.utils.set_random_seed(1)
    random = numpy.random.default_rng(1)
    for name in names:
        network = getattr(keras.applications, name)(weights=None, classifier_activation=None)
        norms = [layer for layer in network.layers if isinstance(layer, keras.layers.BatchNormalization)]
        side = side_of("keras", name)
        image = random.integers(0, 256, (2, side, side, 3)).astype(numpy.float32)
        image[1] *= 0.3
        seen = image / 127.5 - 1
        for layer in network.layers:
            if isinstance(layer, keras.layers.Normalization):
                # The network scales pictures itself; what is recognised begins behind that.
                mean, variance = random.uniform(0.3, 0.6, 3), random.uniform(0.03, 0.08, 3)
                layer.adapt_mean.assign(mean)
                layer.adapt_variance.assign(variance)
                layer.finalize_state()
                seen = (image / 255 - mean) / variance**0.5
        scales = any(isinstance(layer, keras.layers.Rescaling) for layer in network.layers)
        given = image if scales else seen
        for norm in norms:
            norm.momentum = 0.0
            norm.gamma.assign(random.normal(1, 0.2, norm.gamma.shape))
            norm.beta.assign(random.normal(0, 0.2, norm.beta.shape))
        network(given, training=True)
        for norm in norms:
            gain, offset, mean, variance = norm.get_weights()
            mean = mean + 0.1 * random.normal(0, 1, mean.shape) * variance**0.5
            # Channels that hardly vary would make much of small differences.
            variance = variance * random.uniform(1, 1.5, mean.shape) + 0.05 * variance.mean()
            norm.set_weights([gain, offset, mean, variance])
        answer = keras.ops.convert_to_numpy(network(given, training=False))
        save(folder / f"keras-{name}", seen.transpose(0, 3, 1, 2), answer)
        network.save_weights(folder / f"keras-{name}.weights.h5")
        network.save(folder / f"keras-{name}.h5")


def save(path, images, answers):
    numpy.savez(path.with_name(path.name + ".answer"), images=images.astype(numpy.float32), answers=answers)
    print(path.name, images.shape, abs(answers).max(), flush=True)


def check(folder, nutshell):
    import onnxruntime

    worst = 0.0
    for path in sorted([*folder.glob("*.pth"), *folder.glob("*.h5")]):
        expected = numpy.load(folder / (path.name.split(".")[0] + ".answer.npz"))
        graph = path.with_name(path.name + ".onnx")
        subprocess.run([nutshell, "convert", path, "-o", graph], check=True, capture_output=True)
        session = onnxruntime.InferenceSession(str(graph), providers=["CPUExecutionProvider"])
        (given,) = session.get_inputs()
        images, answers = expected["images"], expected["answers"]
        if given.shape[1:] != list(images.shape[1:]):
            print(path.name, given.shape, "instead of", images.shape)
            worst = 1.0
            continue
        (got,) = session.run(None, {given.name: images})
        graph.unlink()
        error = float(abs(got - answers).max() / abs(answers[0] - answers[1]).max())
        worst = max(worst, error)
        print(path.name, given.shape[1:], f"{error:.1e}", flush=True)
    return worst <= 1e-3


if __name__ == "__main__":
    command, path, rest = sys.argv[1], pathlib.Path(sys.argv[2]), sys.argv[3:]
    if command == "keras":
        make_keras(path, rest or NETWORKS[command])
    elif command != "check":
        make_torch(command, path, rest or NETWORKS[command])
    elif not check(path, rest[0]):
        sys.exit("the answers differ")
