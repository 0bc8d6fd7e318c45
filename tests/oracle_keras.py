"""Networks that are recognised by Keras' names of their weights, against Keras' own: the same answers to the same image.

Keras makes each network, with drawn weights and drawn statistics of its normalisation, and its weights are saved as LAYER/WEIGHT in an npz;
`nutshell convert` writes that as ONNX, since it knows the architecture; ONNX Runtime runs it.

    python tests/oracle_keras.py FOLDER                   # needs keras and jax
    for F in FOLDER/*.npz; do nutshell convert $F -o $F.onnx; done
    python tests/oracle_torchvision.py check FOLDER       # needs numpy and onnxruntime

`check` prints for each network by how much its largest answer differs, relative to the largest answer, and fails above 1e-4.
"""

import os
import pathlib
import sys

import numpy

NETWORKS = ["VGG16", "VGG19", "ResNet50", "ResNet101", "MobileNetV2"]


def make(folder):
    os.environ["KERAS_BACKEND"] = "jax"
    import keras

    keras.utils.set_random_seed(1)
    random = numpy.random.default_rng(1)
    image = random.random((1, 224, 224, 3), dtype=numpy.float32)
    numpy.save(folder / "image.npy", image.transpose(0, 3, 1, 2))
    for name in NETWORKS:
        network = getattr(keras.applications, name)(weights=None, classifier_activation=None)
        for layer in network.layers:
            if isinstance(layer, keras.layers.BatchNormalization):
                shape = layer.gamma.shape
                gain, (offset, mean) = random.normal(1, 0.2, shape), random.normal(0, 0.2, (2, *shape))
                layer.set_weights([gain, offset, mean, random.uniform(0.5, 1.5, shape)])
        weights = {}
        for layer in network.layers:
            for weight in layer.weights:
                weights[f"{layer.name}/{weight.name}"] = keras.ops.convert_to_numpy(weight)
        numpy.savez(folder / f"{name}.npz", **weights)
        numpy.save(folder / f"{name}.npy", keras.ops.convert_to_numpy(network(image)))
        print(name, sum(weight.size for weight in weights.values()))


if __name__ == "__main__":
    make(pathlib.Path(sys.argv[1]))
