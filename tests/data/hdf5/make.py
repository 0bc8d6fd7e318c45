"""Writes the files of `tests/hdf5.rs`, each beside the same arrays as an npz: `pip install h5py keras scipy`, then `python make.py` in this folder."""

import os
import zipfile

os.environ["KERAS_BACKEND"] = "numpy"

import h5py
import keras
import numpy as np

rng = np.random.default_rng(1)


def drawn(*shape):
    return rng.standard_normal(shape).astype("f4")


def arrays():
    """One of each type and layout: name, numbers, and how h5py is to store them."""
    packed = {"compression": "gzip", "shuffle": True}
    return [
        ("dense/kernel:0", drawn(16, 10), {}),
        ("dense/bias:0", np.zeros(10, "f4"), {}),
        ("deep/er/conv/kernel:0", drawn(3, 3, 2, 4), {**packed, "chunks": (3, 3, 2, 4)}),
        ("types/f2", drawn(5).astype("f2"), {}),
        ("types/f8", drawn(2, 3).astype("f8"), {}),
        ("types/i8", np.arange(-3, 4, dtype="i8"), {}),
        ("types/u2", np.arange(4, dtype="u2"), {}),
        ("types/truths", np.array([True, False, True]), {}),
        ("types/swapped", drawn(4).astype(">f4"), {}),
        ("step", np.int64(300), {}),
    ]


def write(name, more=(), **options):
    stored = arrays() + list(more)
    with h5py.File(f"{name}.h5", "w", **options) as file:
        for path, numbers, how in stored:
            file.create_dataset(path, data=numbers, **how)
        file["sevens"] = np.full(3, 7, "i4")
        file.create_dataset("blank", (2, 2), "f4", fillvalue=1.5)
        file["soft"] = h5py.SoftLink("/step")
    stored += [("sevens", np.full(3, 7, "i4"), {}), ("blank", np.full((2, 2), 1.5, "f4"), {})]
    np.savez_compressed(f"{name}.npz", **{path: numbers for path, numbers, _ in stored})


# The older structures: trees of symbols, chunks in a tree, of which those at the edges reach beyond the array.
edges = [
    ("chunks/edges", drawn(7, 10), {"chunks": (3, 4), "compression": "gzip", "shuffle": True}),
    ("chunks/plain", np.arange(30, dtype="i2").reshape(5, 6), {"chunks": (2, 5)}),
    ("chunks/many", np.arange(400, dtype="u1"), {"chunks": (3,)}),
]
write("older", edges)
# The newer ones: links as messages, compact headers, one chunk.
write("newer", libver="latest")


def model():
    keras.utils.set_random_seed(1)
    return keras.Sequential(
        [
            keras.Input((28, 28, 1)),
            keras.layers.Conv2D(3, 5, name="conv1"),
            keras.layers.MaxPooling2D(name="pool1"),
            keras.layers.Conv2D(4, 5, name="conv2"),
            keras.layers.MaxPooling2D(name="pool2"),
            keras.layers.Flatten(name="flatten"),
            keras.layers.Dense(6, name="fc1"),
            keras.layers.Dense(10, name="fc2"),
        ]
    )


# A LeNet, with the state of an optimizer, in Keras' own three forms.
lenet = model()
lenet.compile("adam")
lenet.optimizer.build(lenet.trainable_variables)
lenet.save("lenet.keras")
lenet.save("lenet.h5")
lenet.save_weights("lenet.weights.h5")
layers = {layer.name: layer.get_weights() for layer in lenet.layers if layer.get_weights()}
np.savez_compressed(
    "lenet.npz",
    **{f"{name}/{part}": numbers for name, pair in layers.items() for part, numbers in zip(("kernel", "bias"), pair)},
)
with zipfile.ZipFile("lenet.keras") as archive:
    print([entry.filename for entry in archive.infolist()])

# What is not supported.
with h5py.File("heap.h5", "w", libver="latest") as file:
    for index in range(9):
        file[f"a/{index}"] = np.float32(index)
with h5py.File("text.h5", "w") as file:
    file["a/text"] = "words"
with h5py.File("filter.h5", "w") as file:
    file.create_dataset("a/lzf", data=np.arange(9), compression="lzf")
with h5py.File("index.h5", "w", libver="latest") as file:
    file.create_dataset("a/chunks", data=np.arange(9), chunks=(2,))
with h5py.File("twice.h5", "w") as file:
    file["a/one"] = np.float32(1)
    file["b"] = file["a"]
with h5py.File("empty.h5", "w") as file:
    file["a/empty"] = h5py.Empty("f4")
