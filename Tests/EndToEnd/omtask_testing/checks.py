"""Comparisons that several tests make."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from .images import scale
from .oracle import Expected
from .reading import read_label
from .trees import leftovers


def assert_labels(image: Path, axes: str, expected: Sequence[Expected], level: int = 0) -> None:
    """The label images on disk are the expected ones, bit for bit, with true scales."""
    for label in expected:
        found = read_label(image, label.name)
        assert len(found.levels) == len(label.levels)
        for number, (is_, ought) in enumerate(zip(found.levels, label.levels)):
            place = f"level {number} of {label.name}"
            assert is_.dtype == ought.dtype, place
            assert is_.shape == ought.shape, place
            assert np.array_equal(is_, ought), f"{place}: {first_difference(is_, ought)}"
        kept = [i for i, axis in enumerate(axes) if found.levels[0].ndim == len(axes) or axis != "c"]
        for number, is_ in enumerate(found.scales):
            ought = scale(axes, level + number)
            assert is_ == [ought[i] for i in kept], f"scale of level {number} of {label.name}"
    assert not leftovers(image)


def first_difference(is_: np.ndarray, ought: np.ndarray) -> str:
    """Where two arrays differ first, and in how many voxels."""
    places = np.argwhere(is_ != ought)
    at = tuple(int(i) for i in places[0])
    return f"{len(places)} of {is_.size} voxels differ, first at {at}: {is_[at]}, not {ought[at]}"
