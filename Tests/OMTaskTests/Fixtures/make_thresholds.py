"""Writes thresholds.json: what scikit-image 0.26.0 answers for small synthetic images.

The images are not stored. ThresholdMethodTests.swift makes the same ones again: a 64-bit linear
congruential generator gives 32 random bits at a time, a kind turns them into a place on a scale
from 0 to 2^32, and low and span turn that into a grey value. All of it is integer arithmetic, or
single steps of double precision, so that both languages agree to the last bit.

One line per image:
[dtype, kind, low, span, size, seed, otsu, li, triangle, yen, isodata, mean, minimum]
Thresholds are the 16 hexadecimal digits of a double; null where scikit-image raises an error, "-"
where its smoothing would run for hours.

Li: scikit-image subtracts the smallest grey level within the image's own type. Where that would
overflow, the image is widened to int64 first; our result does not depend on the type.

Run: python make_thresholds.py > thresholds.json   (scikit-image 0.26.0, numpy 2.4.6, scipy 1.17.1)
"""

import json
import struct
import sys
import warnings

import numpy as np
from skimage import filters

METHODS = ["otsu", "li", "triangle", "yen", "isodata", "mean", "minimum"]
TOP = 2**32 - 1


class Random:
    """Knuth's MMIX generator; its upper 32 bits."""

    def __init__(self, seed):
        self.state = seed

    def next(self):
        self.state = (self.state * 6364136223846793005 + 1442695040888963407) % 2**64
        return self.state >> 32


def bell(random):
    return sum(random.next() for _ in range(4)) // 4


def place(kind, index, size, random):
    """The grey value as a fraction of the span, times 2^32."""
    if kind == "noise":
        return random.next()
    if kind == "bell":
        return bell(random)
    if kind == "two peaks":
        bright = random.next() % 3 == 0
        return bell(random) // 4 + (5 << 29 if bright else 0)
    if kind == "three peaks":
        return bell(random) // 8 + (random.next() % 3 << 30)
    if kind == "dark with spots":
        bright = random.next() % 32 == 0
        return random.next() // 2 + 2**31 if bright else bell(random) // 16
    if kind == "empty with spots":
        bright = random.next() % 50 == 0
        return random.next() if bright else 0
    if kind == "one hot voxel":
        return TOP if index == size // 2 else bell(random) // 64
    if kind == "skewed":
        return (random.next() >> 16) * (random.next() >> 16)
    if kind == "bright with holes":
        return TOP - (random.next() >> 16) * (random.next() >> 16) // 2
    if kind == "ramp":
        return index * 2**32 // size
    if kind == "two values":
        return TOP if random.next() % 5 == 0 else 0
    if kind == "seven values":
        return random.next() % 7 * (TOP // 6)
    if kind == "constant":
        return 0
    raise ValueError(kind)


def image(dtype, kind, low, span, size, seed):
    random = Random(seed)
    places = [place(kind, index, size, random) for index in range(size)]
    if dtype.startswith("float"):
        return (low + np.array(places, dtype=np.float64) / 2.0**32 * span).astype(dtype)
    return np.array([low + (p * span >> 32) for p in places]).astype(dtype)


def threshold(method, voxels):
    if method == "minimum" and voxels.dtype.kind in "iu" and np.ptp(voxels.astype(int)) > 4000:
        return "-"
    if method == "li" and voxels.dtype.kind == "i":
        if int(voxels.max()) - int(voxels.min()) > np.iinfo(voxels.dtype).max:
            voxels = voxels.astype(np.int64)
    try:
        value = getattr(filters, "threshold_" + method)(voxels)
    except (RuntimeError, ValueError, IndexError):
        return None
    return struct.pack(">d", float(value)).hex()


KINDS = ["noise", "bell", "two peaks", "three peaks", "dark with spots", "empty with spots",
         "one hot voxel", "skewed", "bright with holes", "ramp", "two values", "seven values",
         "constant"]

RANGES = {
    "uint8": [(0, 255), (0, 256), (17, 90), (250, 5)],
    "int8": [(-128, 256), (-100, 120), (-20, 60), (3, 100)],
    "uint16": [(0, 1000), (100, 700), (0, 65536), (60000, 300)],
    "int16": [(-300, 900), (-32768, 500), (-32768, 65536), (20, 700)],
    "uint32": [(0, 800), (1000000, 900), (70000, 9000), (5, 17)],
    "int32": [(-2000000000, 700), (-500, 1000), (-10000, 20000), (100000, 950)],
    "float32": [(0, 1), (-5, 10), (1000, 0.5), (-1e-6, 3e-5), (0, 65535), (1000, 0.01)],
    "float64": [(0, 1), (-5, 10), (1000, 0.5), (-1e-6, 3e-5), (0, 65535), (-1e300, 2e299)],
}


def main():
    warnings.simplefilter("ignore")
    np.seterr(all="ignore")
    lines = []
    seed = 1
    for dtype, ranges in RANGES.items():
        for kind in KINDS:
            for low, span in ranges:
                if kind == "constant" and abs(low) > 2**53:
                    continue  # half a grey value more is the same: no histogram, no oracle
                size = [1000, 1728, 3000, 777][seed % 4]
                lines.append([dtype, kind, low, span, size, seed])
                seed += 1
        for size in [1, 2, 3, 5, 17]:
            lines.append([dtype, "noise", *ranges[0], size, seed])
            seed += 1
    for line in lines:
        voxels = image(*line)
        line += [threshold(method, voxels) for method in METHODS]
        print(line[:6], file=sys.stderr)
    print("[\n" + ",\n".join(json.dumps(line) for line in lines) + "\n]")


if __name__ == "__main__":
    main()
