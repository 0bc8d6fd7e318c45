"""Writes networks with drawn weights as ONNX files, for benches/against_ort.py and benches/against_ort.js.

    pip install numpy onnx
    python benches/networks.py FOLDER

Batch normalisations are folded, as exporters do. The shapes are those of Keras' and torchvision's networks.
"""

import pathlib
import sys

import numpy as np
from onnx import TensorProto, helper, numpy_helper, save


class Net:
    def __init__(self, shape, seed=1):
        self.nodes, self.weights, self.shape = [], [], list(shape)
        self.random = np.random.default_rng(seed)
        self.input_shape, self.value, self.count = list(shape), 'input', 0

    def name(self, kind):
        self.count += 1
        return f'{kind}{self.count}'

    def tensor(self, values):
        name = self.name('w')
        self.weights.append(numpy_helper.from_array(np.asarray(values), name))
        return name

    def node(self, op, *inputs, **attributes):
        name = self.name(op.lower())
        self.nodes.append(helper.make_node(op, [self.value, *inputs], [name], name=name, **attributes))
        self.value = name
        return name

    def conv(self, out, kernel, stride=1, pad=None, groups=1):
        channels, height, width = self.shape
        pad = kernel // 2 if pad is None else pad
        fan = channels // groups * kernel * kernel
        weight = self.random.normal(0, (2 / fan) ** 0.5, (out, channels // groups, kernel, kernel)).astype('f4')
        bias = self.random.normal(0, 0.1, out).astype('f4')
        self.node('Conv', self.tensor(weight), self.tensor(bias), kernel_shape=[kernel] * 2, strides=[stride] * 2,
                  pads=[pad] * 4, group=groups)
        self.shape = [out] + [(side + 2 * pad - kernel) // stride + 1 for side in (height, width)]

    def relu(self):
        self.node('Relu')

    def relu6(self):
        self.node('Clip', self.tensor(np.float32(0)), self.tensor(np.float32(6)))

    def silu(self):
        value = self.value
        sigmoid = self.node('Sigmoid')
        self.value = value
        self.node('Mul', sigmoid)

    def pool(self, kernel=2, stride=2, pad=0):
        self.node('MaxPool', kernel_shape=[kernel] * 2, strides=[stride] * 2, pads=[pad] * 4)
        self.shape[1:] = [(side + 2 * pad - kernel) // stride + 1 for side in self.shape[1:]]

    def mean(self):
        self.node('GlobalAveragePool')
        self.shape[1:] = [1, 1]

    def flatten(self):
        self.node('Flatten')
        self.shape = [int(np.prod(self.shape))]

    def linear(self, out):
        weight = self.random.normal(0, (2 / self.shape[0]) ** 0.5, (out, self.shape[0])).astype('f4')
        self.node('Gemm', self.tensor(weight), self.tensor(np.zeros(out, 'f4')), transB=1)
        self.shape = [out]

    def classify(self):
        self.mean()
        self.flatten()
        self.linear(1000)
        return self

    def add(self, other):
        self.node('Add', other)

    def save(self, path):
        graph = helper.make_graph(
            self.nodes, 'network',
            [helper.make_tensor_value_info('input', TensorProto.FLOAT, ['batch', *self.input_shape])],
            [helper.make_tensor_value_info(self.value, TensorProto.FLOAT, ['batch', *self.shape])], self.weights)
        save(helper.make_model(graph, opset_imports=[helper.make_opsetid('', 13)], ir_version=8), path)


def lenet5():
    net = Net([1, 28, 28])
    for out in (20, 50):
        net.conv(out, 5, pad=0)
        net.pool()
    net.flatten()
    net.linear(500)
    net.relu()
    net.linear(10)
    return net


VGG16 = [64, 64, 0, 128, 128, 0, 256, 256, 256, 0, 512, 512, 512, 0, 512, 512, 512, 0]


def vgg16(side, head):
    net = Net([3, side, side])
    for out in VGG16:
        if out:
            net.conv(out, 3)
            net.relu()
        else:
            net.pool()
    if head:
        net.flatten()
        net.linear(10)
    return net


def inverted(net, out, stride, expand, kernel, activate, squeeze=0):
    """An inverted residual block: MobileNetV2's, or EfficientNet's with a squeeze to so many channels."""
    channels, start = net.shape[0], net.value
    if expand != 1:
        net.conv(channels * expand, 1)
        activate()
    net.conv(net.shape[0], kernel, stride, groups=net.shape[0])
    activate()
    if squeeze:
        value, shape = net.value, list(net.shape)
        net.mean()
        net.conv(squeeze, 1)
        net.silu()
        net.conv(shape[0], 1)
        scale = net.node('Sigmoid')
        net.value, net.shape = value, shape
        net.node('Mul', scale)
    net.conv(out, 1)
    if stride == 1 and channels == out:
        net.add(start)


def mobilenet_v2():
    net = Net([3, 224, 224])
    net.conv(32, 3, 2)
    net.relu6()
    for expand, out, count, stride in [(1, 16, 1, 1), (6, 24, 2, 2), (6, 32, 3, 2), (6, 64, 4, 2), (6, 96, 3, 1),
                                       (6, 160, 3, 2), (6, 320, 1, 1)]:
        for index in range(count):
            inverted(net, out, stride if index == 0 else 1, expand, 3, net.relu6)
    net.conv(1280, 1)
    net.relu6()
    return net.classify()


def efficientnet_b0():
    net = Net([3, 224, 224])
    net.conv(32, 3, 2)
    net.silu()
    for expand, kernel, stride, out, count in [(1, 3, 1, 16, 1), (6, 3, 2, 24, 2), (6, 5, 2, 40, 2), (6, 3, 2, 80, 3),
                                               (6, 5, 1, 112, 3), (6, 5, 2, 192, 4), (6, 3, 1, 320, 1)]:
        for index in range(count):
            squeeze = max(1, net.shape[0] // 4)
            inverted(net, out, stride if index == 0 else 1, expand, kernel, net.silu, squeeze)
    net.conv(1280, 1)
    net.silu()
    return net.classify()


def resnet18():
    net = Net([3, 224, 224])
    net.conv(64, 7, 2)
    net.relu()
    net.pool(3, 2, 1)
    for out, stride in [(64, 1), (64, 1), (128, 2), (128, 1), (256, 2), (256, 1), (512, 2), (512, 1)]:
        start, shape = net.value, list(net.shape)
        net.conv(out, 3, stride)
        net.relu()
        net.conv(out, 3)
        end, after = net.value, net.shape
        if stride > 1:
            net.value, net.shape = start, shape
            net.conv(out, 1, stride, 0)
            start = net.value
        net.value, net.shape = end, after
        net.add(start)
        net.relu()
    return net.classify()


NETWORKS = {
    'lenet5': lenet5,
    'vgg16-32': lambda: vgg16(32, True),
    'vgg16-240': lambda: vgg16(240, False),
    'mobilenet-v2': mobilenet_v2,
    'efficientnet-b0': efficientnet_b0,
    'resnet18': resnet18,
}

if __name__ == '__main__':
    folder = pathlib.Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    for name, make in NETWORKS.items():
        make().save(folder / f'{name}.onnx')
        print(folder / f'{name}.onnx')
