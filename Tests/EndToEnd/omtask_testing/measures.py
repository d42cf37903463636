"""What tables of measured objects must hold: by scikit-image, and by Python's own integers."""

import io
import math
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path

import numpy as np
import pandas
from skimage.measure import regionprops_table

from .images import PIXEL, Image, downsampled, write_group, write_image
from .layouts import Layout
from .program import Program

SHAPE = ("label", "area", "centroid", "bbox", "extent")
AXES = ("axis_major_length", "axis_minor_length")
FLAT = ("eccentricity", "orientation")
VOXELS = ("intensity_mean", "intensity_min", "intensity_max", "intensity_std", "intensity_median",
          "centroid_weighted")
GROUPS = ("shape", "axes", "intensity", "weighted", "distribution")


def write_measured(
    path: Path, axes: str, image: np.ndarray, labels: np.ndarray, layout: Layout,
    *, label_layout: Layout | None = None, channels: Sequence[str] | None = None, levels: int = 2,
) -> Path:
    """Writes an image and its label image `cells`, which has the axes of the image without c."""
    flat = axes.replace("c", "")
    write_image(path, Image(axes, downsampled(axes, image, levels), layout, channels=channels))
    write_group(path / "labels", layout.version, {"labels": ["cells"]})
    write_image(path / "labels" / "cells",
                Image(flat, downsampled(flat, labels, levels), label_layout or layout))
    return path


def objects(shape: Sequence[int], rng: np.random.Generator, spatial: int) -> np.ndarray:
    """Blocks of numbers with gaps, several of them in more than one piece, on background."""
    labels = np.zeros(shape, np.int64)
    for index in np.ndindex(*shape[:-spatial]):
        size = shape[-spatial:]
        coarse = rng.integers(0, 60, size=[math.ceil(n / 6) for n in size])
        coarse[coarse > 25] = 0
        fine = np.kron(coarse, np.ones([6] * spatial, np.int64))[tuple(slice(n) for n in size)]
        fine[rng.random(size) < 0.1] = 0
        labels[index] = fine * 3
    return labels


def oracle(
    axes: str, image: np.ndarray, labels: np.ndarray, channels: Sequence[str] | None
) -> pandas.DataFrame:
    """The table of scikit-image, a row for each time point and label, under our names."""
    flat = axes.replace("c", "")
    space = [axis for axis in flat if axis in "zyx"]
    if image.dtype.kind == "f":
        # Means of float32 are summed as such otherwise.
        image = image.astype(np.float64)
    if "c" in axes:
        image = np.moveaxis(image, axes.index("c"), -1)
    parts = []
    for time in range(labels.shape[0]) if "t" in axes else [None]:
        one, voxels = (labels, image) if time is None else (labels[time], image[time])
        if not one.any():
            continue
        names = [*SHAPE, *AXES, *VOXELS, *(FLAT if len(space) == 2 else ())]
        found = pandas.DataFrame(regionprops_table(one, voxels, properties=names))
        if time is not None:
            found.insert(1, "time_index", time)
        parts.append(found)
    table = pandas.concat(parts, ignore_index=True) if parts else pandas.DataFrame()
    return table.rename(columns=lambda name: renamed(name, space, channels))


def renamed(name: str, space: list[str], channels: Sequence[str] | None) -> str:
    """Our name of a column of scikit-image."""
    parts = name.split("-")
    if parts[0] == "centroid":
        return f"centroid_{space[int(parts[1])]}"
    if parts[0] == "bbox":
        axis = int(parts[1])
        return f"bbox_{space[axis % len(space)]}_{'min' if axis < len(space) else 'max'}"
    channel = "" if channels is None else f"-{channels[int(parts[-1])]}" if len(parts) > 1 else ""
    if parts[0] == "centroid_weighted":
        return f"centroid_weighted_{space[int(parts[1])]}{channel}"
    return parts[0] + (channel if parts[0].startswith("intensity") else "")


EXACT = ("label", "time_index", "area", "centroid_z", "centroid_y", "centroid_x", "bbox", "extent",
         "intensity_mean", "intensity_min", "intensity_max", "intensity_median")


def assert_equal(found: pandas.DataFrame, ought: pandas.DataFrame, floats: bool = False) -> None:
    """Columns that are exact bit by bit, the others within 1e-12 (lengths near 0: 1e-6)."""
    assert len(found) == len(ought)
    for name in ought.columns:
        is_, want = found[name].to_numpy(), ought[name].to_numpy()
        if name.startswith(EXACT) and not (floats and "mean" in name):
            assert np.array_equal(is_, want), name
        elif name.startswith(("axis", "eccentricity", "orientation")):
            assert np.allclose(is_, want, rtol=1e-12, atol=2e-6), name
        else:
            # Where the weights add up to 0 there is no centroid.
            known = np.isfinite(want) if "weighted" in name else slice(None)
            limit = 1e-9 if floats else 1e-12
            assert np.allclose(is_[known], want[known], rtol=limit, atol=limit), name


def exact_moments(values: np.ndarray) -> tuple[float, float, float, float]:
    """Mean, standard deviation, skewness and kurtosis of integers or floats, by fractions."""
    numbers = [Fraction(value.item()) for value in values]
    mean = sum(numbers) / len(numbers)
    m2, m3, m4 = (sum((v - mean) ** k for v in numbers) / len(numbers) for k in (2, 3, 4))
    if m2 == 0:
        return float(mean), 0.0, math.nan, math.nan
    second = float(m2)
    return (float(mean), math.sqrt(second), float(m3) / second**1.5, float(m4) / second**2 - 3)


def physical(axis: str, level: int = 0) -> float:
    return PIXEL[axis] * 2**level


def joined(omtask: Program, path: Path, name: str) -> pandas.DataFrame:
    """A table as `omtask table` gives it."""
    text = omtask("table", path, name, "--csv", "-").stdout
    # The default parser of pandas is a bit off in the last place.
    return pandas.read_csv(io.StringIO(text), float_precision="round_trip")
