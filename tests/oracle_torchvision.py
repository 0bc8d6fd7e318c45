"""Networks that are recognised by their weights, against torchvision's own: the same answers to the same image.

torchvision makes each network, with drawn weights and drawn statistics of its normalisation, and saves its state dictionary;
`nutshell convert` writes that as ONNX, since it knows the architecture; ONNX Runtime runs it.

    python tests/oracle_torchvision.py make FOLDER              # needs torch and torchvision (Debian: python3-torchvision)
    for F in FOLDER/*.pth; do nutshell convert $F -o $F.onnx; done
    python tests/oracle_torchvision.py check FOLDER             # needs numpy and onnxruntime

`check` prints for each network by how much its largest answer differs, relative to the largest answer, and fails above 1e-4.
"""

import pathlib
import sys

NETWORKS = ["vgg11", "vgg13_bn", "vgg16", "vgg19", "resnet18", "resnet34", "resnet50", "mobilenet_v2"]


def make(folder):
    import numpy
    import torch
    import torchvision

    torch.manual_seed(1)
    image = torch.rand(1, 3, 224, 224)
    numpy.save(folder / "image.npy", image.numpy())
    for name in NETWORKS:
        network = getattr(torchvision.models, name)(weights=None)
        for module in network.modules():
            if isinstance(module, torch.nn.BatchNorm2d):
                torch.nn.init.normal_(module.weight, 1, 0.2)
                torch.nn.init.normal_(module.bias, 0, 0.2)
                torch.nn.init.normal_(module.running_mean, 0, 0.2)
                torch.nn.init.uniform_(module.running_var, 0.5, 1.5)
        network.eval()
        torch.save(network.state_dict(), folder / f"{name}.pth")
        with torch.no_grad():
            numpy.save(folder / f"{name}.npy", network(image).numpy())
        print(name, sum(parameter.numel() for parameter in network.parameters()))


def check(folder):
    import numpy
    import onnxruntime

    image = numpy.load(folder / "image.npy")
    worst = 0.0
    for path in sorted(folder.glob("*.onnx")):
        session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
        (got,) = session.run(None, {session.get_inputs()[0].name: image})
        expected = numpy.load(folder / (path.name.split(".")[0] + ".npy"))
        error = float(abs(got - expected).max() / abs(expected).max())
        worst = max(worst, error)
        print(path.name, error)
    return worst <= 1e-4


if __name__ == "__main__":
    command, path = sys.argv[1], pathlib.Path(sys.argv[2])
    if command == "make":
        make(path)
    elif not check(path):
        sys.exit("the answers differ")
