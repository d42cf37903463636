"""Writes filters.json: the SHA-256 of what SciPy 1.17.1 answers for small synthetic volumes.

The volumes are those of make_thresholds.py, folded to (z, y, x); FiltersOracleTests.swift makes the
same ones again. A result is hashed as little-endian bytes in C order.

One line per case:
[dtype, kind, low, span, shape, seed, output dtype, border, filter, its parameters…, SHA-256]
gaussian: sigma (z, y, x), kind, rounding.   median: radius (z, y, x), footprint.

NumPy's exponential function differs in the last bit on machines with AVX-512. The one of the C
library, which NumPy uses on all others, is asked for here.

Run: python make_filters.py > filters.json   (scipy 1.17.1, scikit-image 0.26.0, numpy 2.4.6)
"""

import os

os.environ.setdefault(
    "NPY_DISABLE_CPU_FEATURES",
    "AVX512F AVX512CD AVX512_SKX AVX512_CLX AVX512_CNL AVX512_ICL AVX512_SPR X86_V4")

import hashlib
import json

import numpy as np
from scipy import ndimage
from skimage import morphology

import make_thresholds

RANGES = {
    "bool": (0, 2), "uint8": (0, 256), "int8": (-128, 256), "uint16": (0, 65536),
    "int16": (-32768, 65536), "uint32": (0, 2**32), "int32": (-(2**31), 2**32),
    "uint64": (0, 2**32), "int64": (-(2**31), 2**32), "float16": (-5, 10),
    "float32": (-5, 10), "float64": (-5, 10),
}
KINDS = ["noise", "two peaks", "two values", "constant", "one hot voxel", "ramp"]
SHAPES = [(7, 10, 13), (1, 17, 19), (5, 1, 23), (6, 9, 1), (2, 3, 4), (1, 1, 1)]


def image(dtype, kind, low, span, shape, seed):
    stored = "uint8" if dtype == "bool" else dtype
    voxels = make_thresholds.image(stored, kind, low, span, int(np.prod(shape)), seed)
    return voxels.reshape(shape).astype(dtype)


def cast(numbers, dtype, rounding):
    """Integers saturate; then to the nearest or towards zero."""
    if dtype.startswith("float"):
        return numbers.astype(dtype)
    low, high = (0, 1) if dtype == "bool" else (np.iinfo(dtype).min, np.iinfo(dtype).max)
    whole = (np.rint if rounding == "halfEven" else np.trunc)(numbers.astype(np.float64))
    return np.array([min(max(int(n), low), high) for n in whole.ravel()]).reshape(
        numbers.shape).astype(dtype)


def gaussian(voxels, output, border, sigma, kind, rounding):
    if kind == "scipy":
        return ndimage.gaussian_filter(
            voxels, sigma, mode=border, output=None if output == voxels.dtype.name else output)
    single = voxels.dtype.name in ("float16", "float32")
    numbers = voxels.astype(np.float32 if single else np.float64)
    return cast(ndimage.gaussian_filter(numbers, sigma, mode=border), output, rounding)


def gaussian_cases():
    sigmas = [(1, 1, 1), (0.5, 2, 1.3), (0, 2, 2), (3, 0, 0.8), (0, 0, 1.5), (0.1, 7, 0.4)]
    outputs = ["float32", "uint8", "int16", "float64", "bool"]
    seed = 1
    for dtype in RANGES:
        for sigma in sigmas:
            for border in ("reflect", "nearest"):
                rounding = "truncated" if seed % 5 == 0 else "halfEven"
                output = outputs[seed // 3 % 5] if seed % 3 == 0 else dtype
                kind = "scipy" if seed % 4 == 1 and dtype != "float16" else "float"
                if kind == "scipy":
                    output = dtype
                yield dtype, seed, output, border, ["gaussian", sigma, kind, rounding]
                seed += 1


def ball(radius):
    """The ellipsoid; skimage.morphology.ball and disk where radii are equal or 0."""
    axes = [np.arange(-r, r + 1).reshape([-1 if a == b else 1 for b in range(3)]) * int(
        np.prod([max(1, o) for b, o in enumerate(radius) if b != a])) for a, r in enumerate(radius)]
    footprint = axes[0] ** 2 + axes[1] ** 2 + axes[2] ** 2 <= int(
        np.prod([max(1, r) for r in radius])) ** 2
    if radius[0] == radius[1] == radius[2] > 0:
        assert np.array_equal(footprint, morphology.ball(radius[0]))
    if radius[0] == 0 and radius[1] == radius[2] > 0:
        assert np.array_equal(footprint[0], morphology.disk(radius[1]))
    return footprint


def median(voxels, output, border, radius, footprint):
    numbers = voxels.astype(np.float32) if voxels.dtype.name == "float16" else voxels
    window = ball(radius) if footprint == "ball" else np.ones([2 * r + 1 for r in radius], bool)
    return ndimage.median_filter(numbers, footprint=window, mode=border).astype(output)


def median_cases():
    radii = [(0, 1, 1), (1, 1, 1), (0, 2, 3), (2, 2, 2), (0, 0, 4), (3, 1, 0), (0, 11, 11)]
    seed = 1
    for dtype in RANGES:
        for radius in radii:
            for footprint in ("box", "ball"):
                border = ("reflect", "nearest")[seed // 2 % 2]
                yield dtype, seed, dtype, border, ["median", radius, footprint]
                seed += 1


def lines():
    for filtered, cases in ((gaussian, gaussian_cases()), (median, median_cases())):
        for dtype, seed, output, border, call in cases:
            low, span = RANGES[dtype]
            line = [dtype, KINDS[seed % 6], low, span, SHAPES[seed // 2 % 6], seed, output, border]
            result = filtered(image(*line[:6]), output, border, *call[1:])
            assert result.dtype == output
            digest = hashlib.sha256(np.ascontiguousarray(result).tobytes()).hexdigest()
            yield line + call + [digest]


if __name__ == "__main__":
    print("[\n" + ",\n".join(json.dumps(line) for line in lines()) + "\n]")
