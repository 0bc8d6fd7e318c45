"""Writes the ONNX project's cases of single operators, which its Python package makes when it is asked, as folders of files.

    python3 -m venv venv && venv/bin/pip install onnx==1.23.2
    venv/bin/python tests/data/onnx/cases.py DIRECTORY/node
    cp -r venv/lib/python3*/site-packages/onnx/backend/test/data/{simple,pytorch-converted,pytorch-operator} DIRECTORY
    ONNX_CASES=DIRECTORY cargo test --test onnx_backend -- --nocapture

Each case is a network, its inputs and the outputs that are expected. Those with inputs that are no tensors are left out.
"""

import pathlib
import sys

from onnx import numpy_helper
from onnx.backend.test.case.node import collect_testcases


def tensor(value, name):
    return numpy_helper.from_array(value, name) if hasattr(value, "shape") else value


def write(case, directory):
    graph = case.model.graph
    files = {"model.onnx": case.model}
    for number, (inputs, outputs) in enumerate(case.data_sets):
        for kind, values, infos in (("input", inputs, graph.input), ("output", outputs, graph.output)):
            for index, (value, info) in enumerate(zip(values, infos)):
                files[f"test_data_set_{number}/{kind}_{index}.pb"] = tensor(value, info.name)
    if not all(hasattr(message, "SerializeToString") for message in files.values()):
        return
    for name, message in files.items():
        path = directory / case.name / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(message.SerializeToString())


for case in collect_testcases(None):
    if case.model is not None:
        write(case, pathlib.Path(sys.argv[1]))
