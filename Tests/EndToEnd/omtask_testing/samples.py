"""Small images that many tests use."""

from pathlib import Path

import numpy as np

from . import patterns
from .images import Image, downsampled, write_image
from .layouts import ZSTD, Layout, blosc_v2

V2 = Layout("v2", "0.4", (8, 16, 16), compression=(blosc_v2("lz4", 1),))
SHARDED = Layout("sharded", "0.5", (8, 16, 16), (2, 2, 2), (ZSTD,))
BOTH = (V2, SHARDED)
# Every time point is a region of one chunk, so that a stop finds some done and some not.
SERIES = Layout("series", "0.5", (1, 64, 64), None, (ZSTD,))


def blobs_image(
    layout: Layout,
    rng: np.random.Generator,
    axes: str = "zyx",
    shape: tuple[int, ...] = (20, 50, 60),
    levels: int = 2,
    channels: tuple[str, ...] | None = None,
) -> Image:
    """Round bright objects (about 1500) on a noisy background (about 300), uint16."""
    spatial = sum(axis in "zyx" for axis in axes)
    data = np.empty(shape, np.uint16)
    for index in np.ndindex(shape[:-spatial]):
        mask = patterns.blobs(shape[-spatial:], rng)
        data[index] = patterns.intensities(mask, "uint16", rng)
    return Image(axes, downsampled(axes, data, levels), layout, channels)


def write_series(path: Path, count: int = 60) -> Image:
    """Writes an image of so many regions, always the same one."""
    rng = np.random.default_rng(3)
    return write_blobs(path, SERIES, rng, axes="tyx", shape=(count, 64, 64))


def write_blobs(path: Path, layout: Layout, rng: np.random.Generator, **how: object) -> Image:
    """Writes such an image and returns what was written."""
    image = blobs_image(layout, rng, **how)
    write_image(path, image)
    return image
