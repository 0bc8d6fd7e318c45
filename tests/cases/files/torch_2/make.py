"""Writes files in the forms of PyTorch 2.x, without PyTorch: the functions that its pickles name, and its archives, by hand.

    python make.py        # needs numpy; writes the files beside it

What each function is given is by torch/serialization.py, torch/_utils.py and torch/_tensor.py of PyTorch 2.5. The numbers are those of
`values`: element i of a tensor is (i + seed) % 23 / 8 - 1, so that a test can make them again.
"""
import collections, io, pickle, sys, types, zipfile
import numpy as np

def module(name):
    made = types.ModuleType(name)
    sys.modules[name] = made
    return made

def function(where, name):
    def called(*_): raise NotImplementedError
    called.__module__, called.__qualname__, called.__name__ = where, name, name
    setattr(sys.modules[where], name, called)
    return called

def kind(where, name, base=object):
    made = type(name, (base,), {"__module__": where})
    setattr(sys.modules[where], name, made)
    return made

for name in ["torch", "torch._utils", "torch._tensor", "torch.storage", "torch.nn", "torch.nn.parameter", "torch.nn.modules", "torch.nn.modules.linear", "net"]:
    module(name)
V2, V3 = function("torch._utils", "_rebuild_tensor_v2"), function("torch._utils", "_rebuild_tensor_v3")
STATE = function("torch._utils", "_rebuild_parameter_with_state")
PARAMETER = function("torch._utils", "_rebuild_parameter")
NUMPY = function("torch._utils", "_rebuild_device_tensor_from_numpy")
TYPED = function("torch._tensor", "_rebuild_from_type_v2")
TENSOR, UNTYPED = kind("torch", "Tensor"), kind("torch.storage", "UntypedStorage")
FLOAT, LONG = kind("torch", "FloatStorage"), kind("torch", "LongStorage")

class DType:
    """Pickled by its name, as torch.float32 is."""
    def __init__(self, name): self.name = name; setattr(sys.modules["torch"], name, self)
    def __reduce__(self): return self.name
    __module__ = "torch"
DTYPES = {name: DType(name) for name in ["float8_e4m3fn", "uint16", "float32"]}

class Storage:
    def __init__(self, kind, array): self.kind, self.array = kind, array

class Call:
    """What is pickled as a call."""
    def __init__(self, function, *arguments): self.reduced = (function, arguments)
    def __reduce__(self): return self.reduced

def strides(shape):
    return tuple(int(np.prod(shape[axis + 1:], dtype=int)) for axis in range(len(shape)))

def tensor(array, kind=FLOAT):
    return Call(V2, Storage(kind, array), 0, array.shape, strides(array.shape), False, collections.OrderedDict())

def typed(array, name):
    return Call(V3, Storage(UNTYPED, array), 0, array.shape, strides(array.shape), False, collections.OrderedDict(), DTYPES[name])

def values(shape, seed):
    return ((np.arange(int(np.prod(shape, dtype=int))) + seed) % 23 / 8 - 1).astype("f4").reshape(shape)

def save(path, value, protocol=2):
    storages = []
    class Pickler(pickle.Pickler):
        def persistent_id(self, value):
            if not isinstance(value, Storage): return None
            storages.append(value)
            count = value.array.nbytes if value.kind is UNTYPED else value.array.size
            return ("storage", value.kind, str(len(storages) - 1), "cpu", count)
    buffer = io.BytesIO()
    Pickler(buffer, protocol).dump(value)
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(zipfile.ZipInfo("archive/data.pkl"), buffer.getvalue())
        archive.writestr(zipfile.ZipInfo("archive/.format_version"), "1")
        archive.writestr(zipfile.ZipInfo("archive/.storage_alignment"), "64")
        archive.writestr(zipfile.ZipInfo("archive/byteorder"), "little")
        for number, storage in enumerate(storages): archive.writestr(zipfile.ZipInfo(f"archive/data/{number}"), storage.array.tobytes())
        archive.writestr(zipfile.ZipInfo("archive/version"), "3\n")
        archive.writestr(zipfile.ZipInfo("archive/.data/serialization_id"), "0" * 40)

W, B = values((6, 4), 1), values((6,), 2)
save("odd.pth", collections.OrderedDict([
    ("fc.weight", Call(STATE, tensor(W), True, collections.OrderedDict(), {"tag": 1})),
    ("fc.bias", Call(TYPED, V2, TENSOR, tensor(B).reduced[1], {"tag": 2})),
    ("half.weight", typed(np.arange(8, dtype="u1").reshape(2, 4), "float8_e4m3fn")),
    ("ids", typed(np.array([1, 65535], "u2"), "uint16")),
    ("device", Call(NUMPY, values((3,), 3), DTYPES["float32"], "xla:0", False)),
    ("1e3", 10**30)]))

# LeNet-5 with 3, 4 and 6 units and 4 classes, as torch.save writes it behind wrappers.
SHAPES = {"conv1.weight": (3, 1, 5, 5), "conv1.bias": (3,), "conv2.weight": (4, 3, 5, 5), "conv2.bias": (4,), "fc1.weight": (6, 64), "fc1.bias": (6,), "fc2.weight": (4, 6), "fc2.bias": (4,)}
def lenet(prefix): return collections.OrderedDict((prefix + name, tensor(values(shape, seed))) for seed, (name, shape) in enumerate(SHAPES.items()))
moment = {"state": {0: {"step": tensor(values((), 0)), "exp_avg": tensor(values((3,), 0))}}, "param_groups": [{"lr": 1e-3, "params": [0]}]}
for protocol, (name, made) in enumerate({
    "lenet_module.pth": lenet("module."), "lenet_compiled.pth": lenet("_orig_mod."),
    "lenet_lightning.ckpt": {"epoch": 1, "state_dict": lenet("model."), "optimizer_states": [moment], "hyper_parameters": {"lr": 1e-3}},
    "lenet_both.pth": {"model": lenet("module._orig_mod."), "ema": lenet("")}}.items(), 2):
    save(name, made, protocol)

def layer(seed): return collections.OrderedDict([("fc.weight", tensor(values((6, 4), seed)))])
save("average_alone.pth", {"epoch": 3, "model": None, "ema": layer(1), "optimizer": moment})
save("average_beside.pth", {"unet": layer(1), "ema": layer(2), "opt": moment})

# A whole module: one of its buffers is not saved, two names are one module, and it knows the list that it is in.
class Module:
    def __init__(self, parameters, buffers={}, modules={}, transient=()):
        self.training, self._parameters, self._buffers = False, dict(parameters), dict(buffers)
        self._non_persistent_buffers_set, self._backward_hooks, self._modules = set(transient), collections.OrderedDict(), dict(modules)
Linear, Net = kind("torch.nn.modules.linear", "Linear", Module), kind("net", "Net", Module)
part = Linear({"weight": Call(PARAMETER, tensor(W), True, collections.OrderedDict()), "bias": None})
net = Net({"scale": Call(PARAMETER, tensor(B), True, collections.OrderedDict())}, {"mean": tensor(values((2,), 5)), "cache": tensor(values((9,), 6))}, {"first": part, "second": part}, ["cache"])
net.registry = [net]
save("whole.pt", net)
