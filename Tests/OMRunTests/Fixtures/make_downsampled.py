"""Writes downsampled.json: what tensorstore 0.1.86 makes of small arrays.

One line per data type and shape: the shape, the factors, the voxels, and what each method makes of
them, as bytes in C order, little-endian, in hexadecimal. Voxels are a mixture of small numbers, of
which many are equal, and of those that are hard: the ends of the type, NaN, infinities, zeros of
either sign, subnormal numbers.

Run: python make_downsampled.py > downsampled.json   (tensorstore 0.1.86, numpy 2.4.6)
"""

import json

import numpy as np
import tensorstore

METHODS = ["mode", "stride", "mean", "median", "min", "max"]
TYPES = [
    "bool", "int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64",
    "float16", "float32", "float64",
]
LEVELS = [((3, 5, 19), (2, 2, 2)), ((2, 3, 19), (1, 2, 2)), ((3, 37), (2, 2)), ((7, 8), (3, 3))]


def hard_values(dtype):
    if dtype.kind == "b":
        return [False, True]
    if dtype.kind in "iu":
        ends = np.iinfo(dtype)
        return [ends.min, ends.min + 1, ends.max - 1, ends.max]
    ends = np.finfo(dtype)
    tiny = ends.smallest_subnormal
    return [
        np.nan, np.inf, -np.inf, 0.0, -0.0, ends.max, ends.min, tiny, 3 * tiny, ends.tiny, 0.1]


def voxels(random, shape, dtype):
    low = 0 if dtype.kind in "bu" else -4
    small = random.integers(low, 2 if dtype.kind == "b" else 5, shape).astype(dtype)
    hard = random.choice(np.array(hard_values(dtype), dtype), shape)
    # Hard ones in a third of the rows only: most windows of a row then have a plain order.
    hard_rows = random.random(shape[:-1] + (1,)) < 0.33
    return np.where(hard_rows & (random.random(shape) < 0.5), hard, small)


def main():
    random = np.random.default_rng(12)
    lines = []
    for name in TYPES:
        for shape, factors in LEVELS:
            fine = voxels(random, shape, np.dtype(name))
            line = {"type": name, "shape": shape, "factors": factors, "voxels": fine.tobytes().hex()}
            for method in METHODS:
                level = tensorstore.downsample(tensorstore.array(fine), factors, method)
                line[method] = np.asarray(level.read().result()).tobytes().hex()
            lines.append(json.dumps(line, separators=(",", ":")))
    print("[" + ",\n".join(lines) + "]")


main()
