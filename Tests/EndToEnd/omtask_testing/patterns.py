"""Foreground shapes that are known to break labelling programs, and images made of them."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np

Shape = Sequence[int]
Generator = np.random.Generator


def random(shape: Shape, rng: Generator) -> np.ndarray:
    return rng.random(shape) < 0.3


def dense(shape: Shape, rng: Generator) -> np.ndarray:
    return rng.random(shape) < 0.7


def blobs(
    shape: Shape, rng: Generator, voxels_each: int = 600, largest: float = 3.5
) -> np.ndarray:
    """Round objects of all sizes, one for every so many voxels."""
    mask = np.zeros(shape, bool)
    for _ in range(max(3, mask.size // voxels_each)):
        centre = rng.uniform(0, shape)
        radius = rng.uniform(0.6, largest)
        low = np.maximum(np.floor(centre - radius).astype(int), 0)
        high = np.minimum(np.ceil(centre + radius).astype(int) + 1, shape)
        grid = np.ogrid[tuple(slice(a, b) for a, b in zip(low, high))]
        distance = sum((axis - c) ** 2 for axis, c in zip(grid, centre))
        mask[tuple(slice(a, b) for a, b in zip(low, high))] |= distance < radius**2
    return mask


def snake(shape: Shape, rng: Generator) -> np.ndarray:
    """One voxel thick, one object, through every region."""
    lines = np.zeros(shape[-2:], bool)
    lines[::2] = True
    lines[1::4, -1] = True
    lines[3::4, 0] = True
    if len(shape) == 2:
        return lines
    mask = np.zeros(shape, bool)
    mask[::2] = lines
    mask[1::4, -1 - (shape[-2] + 1) % 2, -1] = True
    mask[3::4, 0, 0] = True
    return mask


def spiral(shape: Shape, rng: Generator) -> np.ndarray:
    """A rectangular spiral in y and x, the same in every plane."""
    height, width = shape[-2:]
    plane = np.zeros((height, width), bool)
    top, left, bottom, right = 0, 0, height - 1, width - 1
    entry = 0
    while top <= bottom and left <= right:
        plane[top, entry : right + 1] = True
        plane[top : bottom + 1, right] = True
        plane[bottom, left : right + 1] = True
        plane[min(top + 2, bottom) : bottom + 1, left] = True
        entry = left
        top, left, bottom, right = top + 2, left + 2, bottom - 2, right - 2
    return np.broadcast_to(plane, shape).copy()


def comb(shape: Shape, rng: Generator) -> np.ndarray:
    """Teeth that meet only in the very last line of the very last plane."""
    mask = np.zeros(shape, bool)
    mask[..., ::2] = True
    if len(shape) == 3:
        mask[:, 1::2, :] = False
        mask[-1, :, ::2] = True
    mask[(-1,) * (len(shape) - 1)] = True
    return mask


def checkerboard(shape: Shape, rng: Generator) -> np.ndarray:
    return np.indices(shape).sum(0) % 2 == 0


def corners(shape: Shape, rng: Generator) -> np.ndarray:
    """Cubes of two voxels that touch at corners and nowhere else."""
    cell = np.indices(shape) // 2 % 2
    return np.all(cell == cell[0], axis=0)


def edges(shape: Shape, rng: Generator) -> np.ndarray:
    """Cubes of three voxels that touch at edges."""
    return (np.indices(shape) // 3).sum(0) % 2 == 0


def cells(shape: Shape, rng: Generator) -> np.ndarray:
    """Cubes of sixteen voxels: each fills a chunk or shard to its faces."""
    return (np.indices(shape) // 16).sum(0) % 2 == 0


def faces(shape: Shape, rng: Generator) -> np.ndarray:
    """Sheets that lie on both sides of every sixteenth plane, broken into pieces."""
    place = np.indices(shape)
    sheet = np.any((place + 1) % 16 < 2, axis=0)
    return sheet & (rng.random(shape) < 0.6)


def one_corner(shape: Shape, rng: Generator) -> np.ndarray:
    """All objects in one corner, the rest of the chunks absent."""
    mask = np.zeros(shape, bool)
    near = tuple(slice(0, max(1, n // 3)) for n in shape)
    mask[near] = random(shape, rng)[near]
    return mask


def full(shape: Shape, rng: Generator) -> np.ndarray:
    return np.ones(shape, bool)


def empty(shape: Shape, rng: Generator) -> np.ndarray:
    return np.zeros(shape, bool)


Pattern = Callable[[Shape, Generator], np.ndarray]
ORDINARY: tuple[Pattern, ...] = (random, dense, blobs, one_corner)
ADVERSARIAL: tuple[Pattern, ...] = (
    snake, spiral, comb, checkerboard, corners, edges, cells, faces, full, empty,
)


class Levels(NamedTuple):
    """Mean and spread of the background and of the objects of one data type."""

    background: float
    objects: float
    spread: float

    @property
    def between(self) -> float:
        return (self.background + self.objects) / 2


LEVELS = {
    "uint8": Levels(40, 170, 14),
    "int8": Levels(-60, 50, 12),
    "uint16": Levels(300, 1500, 110),
    "int16": Levels(-700, 400, 120),
    "uint32": Levels(1_000_000, 1_020_000, 1_800),
    "int32": Levels(-40_000, 12_000, 4_000),
    "uint64": Levels(5_000, 90_000, 7_000),
    "float32": Levels(-0.5, 1.75, 0.2),
    "float64": Levels(1e-3, 5e-3, 4e-4),
}


def intensities(mask: np.ndarray, dtype: str, rng: Generator) -> np.ndarray:
    """A noisy image whose objects are where the mask is; far from the middle of the two levels."""
    levels = LEVELS[dtype]
    values = np.where(mask, levels.objects, levels.background)
    room = (levels.objects - levels.background) / 2 * 0.9
    values = values + np.clip(rng.normal(0, levels.spread, mask.shape), -room, room)
    if np.dtype(dtype).kind == "f":
        return values.astype(dtype)
    limits = np.iinfo(dtype)
    return np.clip(np.rint(values), limits.min, limits.max).astype(dtype)


def silent(mask: np.ndarray, dtype: str) -> np.ndarray:
    """The mask as an image of zeros and one bright value: empty chunks are never stored."""
    return mask.astype(dtype) * np.dtype(dtype).type(LEVELS[dtype].objects)
