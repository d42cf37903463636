"""What `omtask run threshold` must write, computed with scikit-image on the whole array in memory.

The rules are those of the manual of the task: a threshold per scope, foreground strictly above it,
components per (t, c) volume numbered in raster order, ids unique over the whole label image, then
border, then size, then numbers without gaps; coarser levels by mode (ties: the smallest value) or
by stride. Nothing here knows of chunks, regions or ranks.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from skimage import filters, measure, segmentation

METHODS = {
    "otsu": filters.threshold_otsu,
    "li": filters.threshold_li,
    "triangle": filters.threshold_triangle,
    "yen": filters.threshold_yen,
    "isodata": filters.threshold_isodata,
    "mean": filters.threshold_mean,
    "minimum": filters.threshold_minimum,
}
CONNECTIVITY = {"faces": 1, "edges": 2, "full": 3}


class NoThreshold(Exception):
    """The method has no answer for this image; the run must end with exit code 1."""


@dataclass(frozen=True)
class Expected:
    """One label image as it must be."""

    name: str
    levels: list[np.ndarray]
    thresholds: list[float]
    objects: int | None


def expected_labels(
    levels: Sequence[np.ndarray],
    axes: str,
    parameters: Mapping[str, Any],
    channels: Sequence[str] | None = None,
    known_thresholds: Mapping[str, Sequence[float]] | None = None,
) -> list[Expected]:
    """Every label image that the parameters ask for.

    `known_thresholds` (label name → value per scope) replaces the search for thresholds where only
    a tolerance is promised, so that everything after it can still be compared bit by bit.
    """
    level = parameters.get("level", 0)
    image = five_dimensional(levels[level], axes)
    shapes = [array.shape for array in levels[level:]]
    known = known_thresholds or {}
    return [
        _label(image[:, picked], shapes, axes, parameters, name, known.get(name))
        for name, picked in selected_channels(image.shape[1], axes, parameters, channels)
    ]


def five_dimensional(data: np.ndarray, axes: str) -> np.ndarray:
    """The array as t, c, z, y, x."""
    shape = [data.shape[axes.index(axis)] if axis in axes else 1 for axis in "tczyx"]
    return data.reshape(shape)


def selected_channels(
    count: int, axes: str, parameters: Mapping[str, Any], names: Sequence[str] | None
) -> list[tuple[str, list[int]]]:
    """Label name and channel indices of each label image."""
    called = list(names or (f"channel_{i}" for i in range(count)))
    wanted = parameters.get("channel", [0] if count == 1 else None)
    assert wanted is not None, "an image of several channels needs `channel`"
    words = wanted if isinstance(wanted, list) else [wanted]
    picked = list(range(count)) if words == ["all"] else [_index(str(w), called) for w in words]
    given = parameters.get("label_name")
    if given:
        return [(given, picked)]
    if "c" not in axes:
        return [("segmented", picked)]
    return [(f"{called[i]}_segmented", [i]) for i in picked]


def _index(word: str, called: Sequence[str]) -> int:
    """A channel by label, wavelength id or index."""
    wavelengths = [f"A{i + 1:02}_C01" for i in range(len(called))]
    for names in (list(called), wavelengths):
        if word in names:
            return names.index(word)
    return int(word)


def _label(
    image: np.ndarray,
    shapes: Sequence[tuple[int, ...]],
    axes: str,
    parameters: Mapping[str, Any],
    name: str,
    known: Sequence[float] | None,
) -> Expected:
    thresholds = list(known) if known else list(scope_thresholds(image, axes, parameters))
    mask = foreground(image, axes, parameters, thresholds)
    labels, count = objects(mask, "z" in axes, parameters)
    kept = axes if parameters.get("keep_channel_axis") else axes.replace("c", "")
    labels = labels.reshape([labels.shape["tczyx".index(axis)] for axis in kept])
    return Expected(
        name=name,
        levels=pyramid(labels, kept, shapes, axes, parameters.get("pyramid", "mode")),
        thresholds=thresholds,
        objects=count if parameters.get("objects", True) else None,
    )


# Thresholds


def scopes(shape: Sequence[int], axes: str, scope: str) -> Iterator[tuple[Any, ...]]:
    """The index of every scope in a tczyx array, in order."""
    times, channels, planes = shape[:3]
    every = slice(None)
    if scope == "image":
        yield (every, every, every)
    elif scope == "channel":
        yield from ((every, c, every) for c in range(channels))
    elif scope == "volume":
        yield from ((t, c, every) for t in range(times) for c in range(channels))
    else:
        assert scope == "plane", scope
        yield from (
            (t, c, z) for t in range(times) for c in range(channels) for z in range(planes)
        )


def scope_thresholds(
    image: np.ndarray, axes: str, parameters: Mapping[str, Any]
) -> Iterator[float]:
    """The threshold of every scope, with correction and bounds."""
    method = parameters.get("method", "fixed" if "threshold" in parameters else "otsu")
    for index in scopes(image.shape, axes, parameters.get("scope", "volume")):
        if method == "fixed":
            yield float(parameters["threshold"])
        else:
            yield bounded(threshold(image[index], method), parameters)


def threshold(values: np.ndarray, method: str) -> float:
    """scikit-image's threshold of all the values."""
    if values.dtype == np.uint64:
        values = values.astype(np.int64)  # NumPy counts no bins of uint64
    elif values.dtype == np.int8:
        values = values.astype(np.int16)  # scikit-image's `li` overflows when it shifts int8
    try:
        with np.errstate(all="ignore"):
            found = float(METHODS[method](values))
    except (RuntimeError, IndexError) as error:
        raise NoThreshold(str(error)) from error
    if not np.isfinite(found):
        raise NoThreshold(f"{method} gives {found}")
    return found


def bounded(value: float, parameters: Mapping[str, Any]) -> float:
    value *= parameters.get("correction", 1)
    value = max(value, parameters.get("lower_bound", value))
    return min(value, parameters.get("upper_bound", value))


def foreground(
    image: np.ndarray, axes: str, parameters: Mapping[str, Any], thresholds: Sequence[float]
) -> np.ndarray:
    mask = np.zeros(image.shape, bool)
    compare = np.greater_equal if parameters.get("inclusive") else np.greater
    found = scopes(image.shape, axes, parameters.get("scope", "volume"))
    for index, value in zip(found, thresholds, strict=True):
        mask[index] = compare(image[index].astype(np.float64), value)
    return mask


# Objects


def objects(
    mask: np.ndarray, has_planes: bool, parameters: Mapping[str, Any]
) -> tuple[np.ndarray, int]:
    """Labels of a tczyx mask (or 0 and 1), and how many objects there are."""
    filters_given = {"min_size", "max_size", "clear_border"} & set(parameters)
    numbered = parameters.get("objects", True)
    if not numbered and not filters_given:
        return mask.astype(np.uint8), 0
    labels = np.zeros(mask.shape, np.uint32)
    count = 0
    for t, c in np.ndindex(mask.shape[:2]):
        volume = mask[t, c] if has_planes else mask[t, c, 0]
        found, here = volume_objects(volume, parameters)
        labels[t, c] = np.where(found > 0, found + count, 0)
        count += here
    if not numbered:
        return (labels > 0).astype(np.uint8), count
    dtype = parameters.get("dtype", "auto")
    return labels.astype("uint32" if dtype == "auto" else dtype), count


def volume_objects(mask: np.ndarray, parameters: Mapping[str, Any]) -> tuple[np.ndarray, int]:
    """Components of one volume: border, then size, then numbers without gaps."""
    order = CONNECTIVITY[parameters.get("connectivity", "full")]
    labels = measure.label(mask, connectivity=min(order, mask.ndim))
    if parameters.get("clear_border"):
        labels = segmentation.clear_border(labels)
    sizes = np.bincount(labels.ravel())
    largest = parameters.get("max_size", sizes.max(initial=0))
    kept = (sizes >= parameters.get("min_size", 1)) & (sizes <= largest)
    kept[0] = False
    labels = np.where(kept[labels], labels, 0)
    labels, _, _ = segmentation.relabel_sequential(labels)
    return labels, int(kept.sum())


# Levels


def pyramid(
    labels: np.ndarray,
    label_axes: str,
    shapes: Sequence[tuple[int, ...]],
    axes: str,
    rule: str,
) -> list[np.ndarray]:
    """The label's levels, each made from the one before, with the sizes of the image's levels."""
    levels = [labels]
    for shape in shapes[1:]:
        target = [
            shape[axes.index(axis)] if axis in "zyx" else size
            for axis, size in zip(label_axes, labels.shape)
        ]
        factors = [
            2 if axis in "zyx" and size > smaller else 1
            for axis, size, smaller in zip(label_axes, levels[-1].shape, target)
        ]
        reduce = mode if rule == "mode" else stride
        levels.append(reduce(levels[-1], factors, target))
    return levels


def stride(labels: np.ndarray, factors: Sequence[int], target: Sequence[int]) -> np.ndarray:
    """The first voxel of every window."""
    every = tuple(slice(None, f * n, f) for f, n in zip(factors, target))
    return labels[every]


def mode(labels: np.ndarray, factors: Sequence[int], target: Sequence[int]) -> np.ndarray:
    """The most frequent voxel of every window; of several, the smallest value."""
    candidates, exist = window_voxels(labels, factors, target)
    best = np.zeros(candidates.shape[1:], np.uint64)
    most = np.zeros(candidates.shape[1:], int)
    for value, here in zip(candidates, exist):
        count = ((candidates == value) & exist).sum(0) * here
        better = (count > most) | ((count == most) & here & (value < best))
        best, most = np.where(better, value, best), np.where(better, count, most)
    return best.astype(labels.dtype)


def window_voxels(
    labels: np.ndarray, factors: Sequence[int], target: Sequence[int]
) -> tuple[np.ndarray, np.ndarray]:
    """For each place in a window, that voxel of all windows, and where it exists."""
    padding = [(0, max(0, f * n - size)) for f, n, size in zip(factors, target, labels.shape)]
    values = np.pad(labels.astype(np.uint64), padding)
    inside = np.pad(np.ones(labels.shape, bool), padding)
    places = [
        tuple(slice(o, f * n, f) for o, f, n in zip(offset, factors, target))
        for offset in np.ndindex(*factors)
    ]
    return np.stack([values[p] for p in places]), np.stack([inside[p] for p in places])
