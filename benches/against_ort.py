"""One sample natively beside onnxruntime, one thread each, in turn.

    pip install numpy onnxruntime
    cargo build --release --features cli
    python benches/networks.py FOLDER
    python benches/against_ort.py target/release/nutshell NETWORK...

Each network is measured in turn, three times, by `nutshell bench` and by loops of 20 ms or more of onnxruntime; the medians are
compared.
"""

import json
import os
import statistics
import subprocess
import sys
import time

import numpy as np
import onnxruntime

ROUNDS = 3
SECONDS = 2


def of_onnxruntime(path):
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    session = onnxruntime.InferenceSession(path, options, providers=['CPUExecutionProvider'])
    [entry, *_] = session.get_inputs()
    feeds = {entry.name: np.random.default_rng(1).random((1, *entry.shape[1:]), dtype=np.float32)}
    session.run(None, feeds)
    start = time.perf_counter()
    session.run(None, feeds)
    calls = max(1, round(0.02 / (time.perf_counter() - start)))
    times, end = [], time.perf_counter() + SECONDS
    while time.perf_counter() < end or len(times) < 3:
        start = time.perf_counter()
        for _ in range(calls):
            session.run(None, feeds)
        times.append(1e3 * (time.perf_counter() - start) / calls)
    return statistics.median(times)


def of_nutshell(program, path):
    command = [program, 'bench', path, '--seconds', str(SECONDS), '--samples', '1', '--json']
    output = subprocess.run(command, check=True, capture_output=True, env={**os.environ, 'RAYON_NUM_THREADS': '1'}).stdout
    return json.loads(output)['milliseconds']


if __name__ == '__main__':
    program, *paths = sys.argv[1:]
    print(f'{"network":24} {"ratio":>7}   ms: Nutshell, onnxruntime')
    for path in paths:
        pairs = [(of_nutshell(program, path), of_onnxruntime(path)) for _ in range(ROUNDS)]
        ours, theirs = (statistics.median(times) for times in zip(*pairs))
        print(f'{os.path.basename(path):24} {theirs / ours:6.2f}x   {ours:.4f}, {theirs:.4f}', flush=True)
