"""Label images to filter, and what becomes of them by SciPy and scikit-image, volume by volume."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from scipy import ndimage
from skimage.measure import label as label_components
from skimage.segmentation import expand_labels, relabel_sequential

from . import patterns
from .images import PIXEL, Image, downsampled, write_group, write_image
from .layouts import Layout
from .oracle import pyramid
from .reading import read_label

SHAPES = {
    "yx": (47, 61), "zyx": (13, 29, 31), "tyx": (3, 30, 25), "cyx": (2, 33, 37),
    "czyx": (2, 9, 21, 23), "tczyx": (2, 2, 7, 19, 23),
}
TYPES = ("uint8", "uint16", "uint32", "uint64", "int16", "int32", "int64", "int8")


def labels_of(axes: str, dtype: str, rng: np.random.Generator, shape: tuple[int, ...] = ()) -> np.ndarray:
    """Connected objects of every volume with numbers in no order; volumes share numbers."""
    shape = shape or SHAPES[axes]
    spatial = sum(axis in "zyx" for axis in axes)
    data = np.zeros(shape, dtype)
    for index in np.ndindex(shape[:-spatial]):
        objects = label_components(patterns.blobs(shape[-spatial:], rng))
        most = min(np.iinfo(dtype).max, 5_000_000_000)
        numbers = rng.choice(min(most, 100000), size=objects.max() + 1, replace=False)
        wide = numbers.astype(np.int64) + 1 + (most - 100000 if most > 100000 else 0)
        wide[0] = 0
        data[index] = np.minimum(wide, most)[objects].astype(dtype)
    return data


def hollow(axes: str, dtype: str, rng: np.random.Generator, shape: tuple[int, ...] = ()) -> np.ndarray:
    """The same with holes in larger objects, some of them open, and objects of other numbers in some."""
    shape = shape or SHAPES[axes]
    spatial = sum(axis in "zyx" for axis in axes)
    data = np.zeros(shape, dtype)
    for index in np.ndindex(shape[:-spatial]):
        within = shape[-spatial:]
        objects = label_components(patterns.blobs(within, rng, 400, 7.5))
        objects[ndimage.binary_erosion(objects > 0, iterations=2)] = 0
        spots = patterns.blobs(within, rng, 900, 1.5) & (rng.random(within) < 0.7)
        objects[spots] = rng.integers(1, 100, np.count_nonzero(spots))
        objects[rng.random(within) < 0.01] = 0
        data[index] = objects % min(120, np.iinfo(dtype).max)
    return data


def numbered_parts(axes: str, labels: np.ndarray, call: Mapping[str, Any]) -> np.ndarray:
    """What `label-objects` makes of equal values, by scikit-image: 1 to N over the volumes, by size and border."""
    spatial = sum(axis in "zyx" for axis in axes)
    order = {"faces": 1, "edges": min(2, spatial), "full": spatial}
    made = np.zeros(labels.shape, np.uint64)
    count = 0
    for index in np.ndindex(labels.shape[:-spatial]):
        found = label_components(
            labels[index], connectivity=order[call.get("connectivity", "full")], background=0)
        sizes = np.bincount(found.ravel())
        keep = (sizes >= call.get("min_size", 0)) & (sizes <= call.get("max_size", 1 << 40))
        if call.get("clear_border"):
            for axis in range(spatial):
                for end in (0, -1):
                    keep[np.unique(np.take(found, end, axis=axis))] = False
        keep[0] = False
        numbers = np.zeros(len(sizes), np.uint64)
        numbers[keep] = count + 1 + np.arange(keep.sum())
        made[index] = numbers[found]
        count += int(keep.sum())
    return made


def expected(axes: str, data: np.ndarray, call: Mapping[str, Any]) -> np.ndarray:
    """What stays and how large it is, volume by volume; numbers over the whole image."""
    spatial = sum(axis in "zyx" for axis in axes)
    made = data.astype(f"uint{data.dtype.itemsize * 8}")
    for index in np.ndindex(data.shape[:-spatial]):
        volume = made[index]
        choose(volume, call)
        if distance := call.get("expand"):
            volume[...] = expanded(volume, distance, call)
        if holes := call.get("fill_holes"):
            fill(volume, holes, call.get("max_hole_size"))
    if call.get("relabel"):
        numbered = relabel_sequential(made.astype(np.uint64))[0]
        return numbered.astype(made.dtype)
    return made


def choose(volume: np.ndarray, call: Mapping[str, Any]) -> None:
    """Removes labels by border, size and number."""
    if (border := call.get("clear_border", "off")) != "off":
        edges = np.zeros(volume.shape, bool)
        for axis in range(volume.ndim):
            is_plane = axis >= volume.ndim - 2
            if is_plane or border == "zyx" and volume.shape[axis] > 1:
                edges[(slice(None),) * axis + (0,)] = True
                edges[(slice(None),) * axis + (-1,)] = True
        if call.get("clear_border_by") == "part":
            parts = label_components(volume, connectivity=volume.ndim)
            volume[np.isin(parts, np.unique(parts[edges]))] = 0
        else:
            volume[np.isin(volume, np.unique(volume[edges]))] = 0
    numbers, counts = np.unique(volume[volume > 0], return_counts=True)
    low, high = call.get("min_size") or 0, call.get("max_size") or np.inf
    fits = (counts >= low) & (counts <= high)
    numbers, counts = numbers[fits], counts[fits]
    if most := call.get("keep_largest"):
        order = np.lexsort((numbers, -counts.astype(np.int64)))[:most]
        numbers = numbers[order]
    volume[~np.isin(volume, numbers)] = 0


def expanded(volume: np.ndarray, distance: float, call: Mapping[str, Any]) -> np.ndarray:
    """What scikit-image makes of a volume, or of each of its planes."""
    letters = "zyx"[-volume.ndim:]
    sizes = [PIXEL[axis] if call.get("unit") == "micrometer" else 1 for axis in letters]
    if volume.ndim == 3 and call.get("expand_axes") == "yx":
        return np.stack([expand_labels(plane, distance, spacing=sizes[1:]) for plane in volume])
    return expand_labels(volume, distance, spacing=sizes)


def fill(volume: np.ndarray, axes: str, most: int | None) -> None:
    """Fills components of background (faces) off the border that have one label around them."""
    if volume.ndim == 3 and axes == "yx":
        for plane in volume:
            fill(plane, "yx", most)
        return
    background, count = ndimage.label(volume == 0)
    edges = np.zeros(volume.shape, bool)
    for axis in range(volume.ndim):
        if axis >= volume.ndim - 2 or volume.shape[axis] > 1:
            edges[(slice(None),) * axis + (0,)] = True
            edges[(slice(None),) * axis + (-1,)] = True
    open_ones = set(np.unique(background[edges]))
    around: dict[int, set[int]] = {number: set() for number in range(1, count + 1)}
    for axis in range(volume.ndim):
        low = (slice(None),) * axis + (slice(None, -1),)
        high = (slice(None),) * axis + (slice(1, None),)
        for one, other in ((low, high), (high, low)):
            pairs = np.stack([background[one].ravel(), volume[other].ravel().astype(np.uint64)])
            touching = pairs[:, (pairs[0] > 0) & (pairs[1] > 0)]
            for hole, label in np.unique(touching, axis=1).T:
                around[int(hole)].add(int(label))
    sizes = np.bincount(background.ravel())
    table = np.zeros(count + 1, volume.dtype)
    for hole, labels in around.items():
        if hole not in open_ones and len(labels) == 1 and (most is None or sizes[hole] <= most):
            table[hole] = labels.pop()
    volume[volume == 0] = table[background[volume == 0]]


def write_labels(path: Path, axes: str, labels: np.ndarray, layout: Layout, levels: int = 2) -> Path:
    """An image with the label image `old`."""
    image = write_image(
        path, Image(axes, downsampled(axes, np.ones(labels.shape, np.uint8), levels), layout))
    write_group(image / "labels", layout.version, {"labels": ["old"]})
    write_image(image / "labels/old", Image(axes, downsampled(axes, labels, levels), layout))
    return image


def assert_filtered(image: Path, axes: str, labels: np.ndarray, call: Mapping[str, Any]) -> None:
    """All levels of what was made are what was expected."""
    found = read_label(image, call.get("label_name", "old_filtered"))
    wanted = expected(axes, labels, call)
    shapes = [level.shape for level in found.levels]
    for level, ought in zip(found.levels, pyramid(wanted, axes, shapes, axes, "mode"), strict=True):
        assert level.dtype.newbyteorder("=") == wanted.dtype
        assert np.array_equal(level, ought)
