"""What derived images must hold, by SciPy, NumPy and tensorstore on the whole array."""

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import tensorstore
from scipy import ndimage

from .checks import first_difference
from .reading import read_multiscale


def volumes(axes: str, data: np.ndarray) -> list[tuple[int, ...]]:
    """The index of every (t, c) volume."""
    spatial = sum(axis in "zyx" for axis in axes)
    return list(np.ndindex(data.shape[: data.ndim - spatial]))


def per_axis(values: Sequence[Any] | Any, axes: str) -> list[Any]:
    """One value for each axis of space."""
    spatial = sum(axis in "zyx" for axis in axes)
    values = values if isinstance(values, (list, tuple)) else [values]
    return list(values) * spatial if len(values) == 1 else list(values)


def cast(numbers: np.ndarray, dtype: np.dtype) -> np.ndarray:
    """Rounded to the nearest, halves to even, saturated."""
    if dtype.kind == "f":
        return numbers.astype(dtype)
    limits = np.iinfo(dtype)
    rounded = np.rint(numbers)
    # The largest 64-bit integers are no float64.
    low, high = rounded <= float(limits.min), rounded >= float(limits.max)
    inside = np.where(low | high, 0, rounded).astype(dtype)
    return np.where(low, limits.min, np.where(high, limits.max, inside)).astype(dtype)


def smoothed(volume: np.ndarray, sigma: Sequence[float], mode: str) -> np.ndarray:
    """`scipy.ndimage.gaussian_filter`, with weights by the C library's `exp`.

    NumPy's own `exp` differs from it in a last bit on some processors and not on others.
    """
    made = volume
    for axis, width in enumerate(sigma):
        if width <= 1e-15:
            continue
        radius = int(4.0 * width + 0.5)
        weights = np.array([math.exp(-0.5 / (width * width) * x**2) for x in range(-radius, radius + 1)])
        made = ndimage.correlate1d(made, weights / weights.sum(), axis, volume.dtype, mode)
    return made.copy()


def gaussian(axes: str, data: np.ndarray, parameters: Mapping[str, Any]) -> np.ndarray:
    sigma = per_axis(parameters.get("sigma", 1.0), axes)
    mode = parameters.get("border", "reflect")
    made = np.empty_like(data)
    for index in volumes(axes, data):
        volume = data[index]
        if parameters.get("arithmetic") == "scipy":
            made[index] = smoothed(volume, sigma, mode)
            continue
        wide = np.float32 if data.dtype in (np.float16, np.float32) else np.float64
        smooth = smoothed(volume.astype(wide), sigma, mode)
        made[index] = cast(smooth, data.dtype)
    return made


def median(axes: str, data: np.ndarray, parameters: Mapping[str, Any]) -> np.ndarray:
    radius = per_axis(parameters.get("radius", 1), axes)
    shape = [2 * r + 1 for r in radius]
    footprint = np.ones(shape, bool)
    if parameters.get("footprint") == "ball":
        grids = np.ogrid[tuple(slice(-r, r + 1) for r in radius)]
        footprint = sum((g / max(r, 1)) ** 2 for g, r in zip(grids, radius)) <= 1
        footprint = np.broadcast_to(footprint, shape)
    made = np.empty_like(data)
    for index in volumes(axes, data):
        made[index] = ndimage.median_filter(
            data[index], footprint=footprint, mode=parameters.get("border", "reflect")
        )
    return made


def projection(axes: str, data: np.ndarray, parameters: Mapping[str, Any]) -> np.ndarray:
    axis = axes.index(parameters.get("axis", "z"))
    method = parameters.get("method", "max")
    fractal = parameters.get("compat") == "fractal"
    count = data.shape[axis]
    if method in ("max", "min"):
        return getattr(np, method)(data, axis=axis, keepdims=True)
    if data.dtype.kind == "f":
        total = np.zeros(data.sum(axis=axis, keepdims=True).shape, np.float64)
        for index in range(count):
            total += np.take(data, [index], axis=axis).astype(np.float64)
        number = total / count if method == "mean" else total
        return number.astype(floating(parameters, data.dtype if method == "mean" or fractal else np.float64))
    total = data.astype(object).sum(axis=axis, keepdims=True)
    wanted = parameters.get("dtype", "auto")
    if wanted != "auto":
        exact = np.vectorize(float)(total) / (count if method == "mean" else 1)
        return exact.astype(wanted)
    if method == "mean":
        return np.vectorize(lambda s: mean(int(s), count, fractal))(total).astype(data.dtype)
    if fractal:
        limits = np.iinfo(data.dtype)
        return np.vectorize(lambda s: min(max(int(s), limits.min), limits.max))(total).astype(data.dtype)
    return total.astype(np.int64 if data.dtype.kind == "i" else np.uint64)


def floating(parameters: Mapping[str, Any], otherwise: Any) -> Any:
    wanted = parameters.get("dtype", "auto")
    return otherwise if wanted == "auto" else wanted


def mean(total: int, count: int, truncates: bool) -> int:
    """The mean of whole numbers as one: cut off, or rounded with halves to even."""
    if truncates:
        return int(abs(total) // count) * (1 if total >= 0 else -1)
    low, rest = divmod(total, count)
    return low + (2 * rest > count or (2 * rest == count and low % 2 == 1))


ORACLES = {"gaussian-blur": gaussian, "median": median, "project": projection}
SUFFIXES = {"gaussian-blur": "gaussian", "median": "median"}


def suffix(task: str, parameters: Mapping[str, Any]) -> str:
    """What a task adds to the name of the image."""
    if "suffix" in parameters:
        return parameters["suffix"]
    if task == "project":
        if parameters.get("compat") == "fractal" and parameters.get("axis", "z") == "z":
            return {"max": "mip", "min": "minip", "mean": "meanip", "sum": "sumip"}[
                parameters.get("method", "max")]
        return f"{parameters.get('method', 'max')}_{parameters.get('axis', 'z')}"
    return SUFFIXES[task]


def coarser(axes: str, data: np.ndarray, method: str) -> np.ndarray:
    """The next level, every axis of space halved, by tensorstore."""
    if data.dtype == bool and method == "mean":
        raise ValueError("means of bool are not looked at here")
    factors = [2 if axis in "zyx" else 1 for axis in axes]
    return tensorstore.downsample(tensorstore.array(data), factors, method).read().result()


def assert_derived(
    path: Path, task: str, axes: str, data: np.ndarray, parameters: Mapping[str, Any], levels: int
) -> None:
    """A derived image holds what SciPy or NumPy makes, and its levels what tensorstore makes."""
    found = read_multiscale(path)
    assert len(found.levels) == levels
    ought = ORACLES[task](axes, data, parameters)
    for number, is_ in enumerate(found.levels):
        if number:
            ought = coarser(axes, ought, parameters.get("pyramid", "mean"))
        assert is_.dtype == ought.dtype
        assert is_.shape == ought.shape
        same = np.array_equal(is_, ought, equal_nan=is_.dtype.kind == "f")
        assert same, f"level {number}: {first_difference(is_, ought)}"
