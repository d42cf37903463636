"""What the levels of an image must be: tensorstore's down-sampling, and the metadata that go with it."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import tensorstore

from .images import PIXEL
from .reading import ome, read_multiscale


def coarser(data: np.ndarray, factors: Sequence[int], method: str) -> np.ndarray:
    """One level of another by tensorstore, from an array in one chunk."""
    return tensorstore.downsample(tensorstore.array(data), factors, method).read().result()


def steps(axes: str, shape: Sequence[int], factors: Mapping[str, int], count: int) -> list[list[int]]:
    """The factors from each level to the next; an axis of one voxel stays."""
    sizes, found = list(shape), []
    for _ in range(count - 1):
        found.append([factors.get(a, 1) if n > 1 else 1 for a, n in zip(axes, sizes)])
        sizes = [-(-n // f) for n, f in zip(sizes, found[-1])]
    return found


def expected_levels(
    data: np.ndarray, by: Sequence[Sequence[int]], method: str, from_base: bool = False
) -> list[np.ndarray]:
    """All levels, the finest first."""
    levels, whole = [data], np.ones(data.ndim, int)
    for factors in by:
        whole = whole * factors
        levels.append(
            coarser(data, whole.tolist(), method) if from_base
            else coarser(levels[-1], factors, method))
    return levels


def assert_levels(
    image: Path, axes: str, data: np.ndarray, by: Sequence[Sequence[int]], method: str,
    from_base: bool = False,
) -> None:
    """The image has these levels, bit for bit, and says where their voxels lie."""
    made = read_multiscale(image)
    levels = expected_levels(data, by, method, from_base)
    assert [level.shape for level in made.levels] == [level.shape for level in levels]
    for number, (found, wanted) in enumerate(zip(made.levels, levels)):
        assert found.dtype.newbyteorder("=") == wanted.dtype
        assert np.array_equal(found, wanted, equal_nan=wanted.dtype.kind == "f"), number
    assert_places(image, axes, by, method)


def assert_places(image: Path, axes: str, by: Sequence[Sequence[int]], method: str) -> None:
    """Scales grow with the factors; the first voxel lies in the middle of those it was made of."""
    entry = ome(image)["multiscales"][0]
    base = np.array([PIXEL[axis] for axis in axes])
    whole = np.ones(len(axes))
    for dataset, factors in zip(entry["datasets"][1:], by, strict=True):
        whole = whole * factors
        transformations: list[dict[str, Any]] = dataset["coordinateTransformations"]
        np.testing.assert_allclose(transformations[0]["scale"], base * whole, rtol=1e-12)
        shift = np.zeros(len(axes)) if method == "stride" else base * (whole - 1) / 2
        found = transformations[1]["translation"] if len(transformations) > 1 else shift * 0
        np.testing.assert_allclose(found, shift, rtol=1e-12, atol=1e-12)
    assert entry["type"] == method
