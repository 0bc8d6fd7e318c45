"""Has onnxruntime load and answer what Nutshell exports of the files here: the small forms answer as the plain file does, to the bit.

    NUTSHELL=target/debug/nutshell python3 tests/cases/files/exports/check.py

Needs onnx, onnxruntime and numpy. It says OK at the end, or what differs."""
import os, subprocess, sys, tempfile
import numpy as np, onnx, onnxruntime

nutshell = os.path.abspath(os.environ.get("NUTSHELL", "nutshell"))
os.chdir(os.path.dirname(os.path.abspath(__file__)))
images = np.load("digits.npz")["x_test"].astype(np.float32)
place = tempfile.mkdtemp()
nut, out = f"{place}/small.nut", f"{place}/out.onnx"


def run(*arguments):
    subprocess.run([nutshell, *arguments], check=True, capture_output=True)


def answers(file, inputs):
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    session = onnxruntime.InferenceSession(file, options)
    return [i.name for i in session.get_inputs()], [o.name for o in session.get_outputs()], session.run(None, {session.get_inputs()[0].name: inputs})[0]


bad = 0
for name in "half_a half_b half_c clash wild qdq qdq_u8 tied_direct tied_transposed sparse_init sparse_const const_in_function if int4".split():
    flat = name in ("sparse_init", "sparse_const", "const_in_function", "if", "int4")
    inputs = images.reshape(len(images), -1) if flat else images
    inputs = inputs.astype(np.float16) if name == "half_c" else inputs
    original = answers(f"{name}.onnx", inputs)
    for how in (["--lossless"], ["--snr", "30"], ["--snr", "12"]):
        run("compress", f"{name}.onnx", *how, "-o", nut)
        plain = None
        for form in "onnx", "onnx-shared", "onnx-scaled":
            run("decompress", nut, "--to", form, "-o", out)
            onnx.checker.check_model(out)
            got = answers(out, inputs)
            plain = got if plain is None else plain
            wanted = original if how == ["--lossless"] else plain
            if got[:2] != original[:2] or not np.array_equal(got[2], wanted[2]):
                print(name, how, form, got[:2], np.abs(got[2] - wanted[2]).max())
                bad += 1
sys.exit(f"{bad} differ") if bad else print("OK")
