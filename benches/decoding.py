"""Coding and decoding beside NNCodec 2.1.3 (ISO/IEC 15938-17) in one run: bytes, seconds, and megabytes of 32-bit floats a second.

    python -m venv venv && venv/bin/pip install nncodec==2.1.3 'numpy<2' 'onnx<1.18'
    venv/bin/python benches/decoding.py nutshell -38 FILE...

FILE is a state dictionary of PyTorch, an ONNX file or a safetensors file; -38 is the QP. Nutshell is asked for the same mean noise of the layers as NNCodec's file
has. NNCodec codes and decodes in this process, without reading or writing files; Nutshell's seconds are those of `nutshell compress --snr` and `nutshell inspect`, which
start, read the file and count its numbers. The tab is `node benches/decoding.js` (after `cargo xtask build`): headless Chromium, one thread, the fastest of three.
"""

import json
import pathlib
import struct
import subprocess
import sys
import tempfile
import time

import numpy as np
from nncodec.nn import decode, encode

HERE = pathlib.Path(__file__).parent


def arrays_of(path):
    """The 32-bit floats of a file, by name."""
    if path.suffix == ".onnx":
        import onnx

        tensors = ((tensor.name, onnx.numpy_helper.to_array(tensor)) for tensor in onnx.load(path).graph.initializer)
    elif path.suffix == ".safetensors":
        data = path.read_bytes()
        (length,) = struct.unpack("<Q", data[:8])
        head = {name: entry for name, entry in json.loads(data[8 : 8 + length]).items() if name != "__metadata__" and entry["dtype"] == "F32"}
        part = lambda entry: data[8 + length :][slice(*entry["data_offsets"])]
        tensors = ((name, np.frombuffer(part(entry), np.float32).reshape(entry["shape"])) for name, entry in head.items())
    else:
        import torch

        tensors = ((name, value.numpy()) for name, value in torch.load(path, map_location="cpu").items())
    return {name: np.array(array) for name, array in tensors if array.dtype == np.float32}


def timed(work):
    start = time.time()
    result = work()
    return result, time.time() - start


def mean_noise(arrays, decoded):
    layers = [name for name, array in arrays.items() if array.size >= 512 and sum(side > 1 for side in array.shape) > 1]
    errors = ((arrays[name].astype(float), np.asarray(decoded[name], float).reshape(arrays[name].shape)) for name in layers)
    return np.mean([((was - now) ** 2).sum() / (was**2).sum() for was, now in errors])


def main(program, qp, *paths):
    print("| file | | bytes | codes | decodes | MB/s | over NNCodec's |\n|---|---|---|---|---|---|---|")
    for path in map(pathlib.Path, paths):
        arrays = arrays_of(path)
        megabytes = 4e-6 * sum(array.size for array in arrays.values())
        run = lambda *command: subprocess.run(command, check=True, capture_output=True, text=True).stdout

        def row(what, size, codes, decodes):
            print(f"| {path.name} | {what} | {size:,} | {codes} | {decodes:.2f} s | {megabytes / decodes:.0f} | {decodes / base:.2f} |", flush=True)

        with tempfile.TemporaryDirectory() as folder:
            coded, codes = timed(lambda: encode(dict(arrays), args={"qp": int(qp), "verbose": False, "results": folder}))
            decoded, base = timed(lambda: decode(coded))
            noise = -10 * np.log10(mean_noise(arrays, decoded))
            row(f"NNCodec, {noise:.2f} dB", len(coded), f"{codes:.1f} s", base)
            nut = f"{folder}/small.nut"
            _, codes = timed(lambda: run(program, "compress", str(path), "--snr", f"{noise:.3f}", "-o", nut))
            _, decodes = timed(lambda: run(program, "inspect", nut, "--json"))
            size = pathlib.Path(nut).stat().st_size
            row("Nutshell", size, f"{codes:.1f} s", decodes)
            row("Nutshell, in a tab", size, "", float(run("node", str(HERE / "decoding.js"), nut)) / 1000)


if __name__ == "__main__":
    main(*sys.argv[1:])
