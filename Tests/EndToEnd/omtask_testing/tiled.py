"""Large images that are quickly written."""

import json
from pathlib import Path

import numpy as np
import tensorstore
from skimage.measure import label

from . import patterns
from .images import multiscales, write_group
from .layouts import ZSTD, Layout

SIDE = 128


class Tiled:
    """A large image of equal tiles, whose number of objects is known without labelling it."""

    def __init__(self, path: Path, shape: tuple[int, int, int], shard: int | None) -> None:
        self.path = path
        self.bytes = int(np.prod(shape)) * 2
        rng = np.random.default_rng(7)
        mask = patterns.blobs((SIDE,) * 3, rng, voxels_each=20_000, largest=12)
        mask[0], mask[:, 0], mask[:, :, 0] = False, False, False  # tiles do not touch
        self._tile = patterns.intensities(mask, "uint16", rng)
        self._per_tile = self._count(mask)
        self.objects = self._per_tile * int(np.prod([n // SIDE for n in shape]))
        shards = None if shard is None else (shard // 64,)
        self._write(shape, Layout("large", "0.5", (64,), shards, (ZSTD,)))

    @staticmethod
    def _count(mask: np.ndarray) -> int:
        return int(label(mask, connectivity=3).max())

    def _write(self, shape: tuple[int, int, int], layout: Layout) -> None:
        write_group(self.path, "0.5", {"multiscales": multiscales("zyx", 1, "0.5", "large")})
        (self.path / "0").mkdir()
        document = layout.document(shape, np.dtype("uint16"), "zyx")
        (self.path / "0/zarr.json").write_text(json.dumps(document))
        kvstore = {"driver": "file", "path": f"{self.path}/0/"}
        array = tensorstore.open({"driver": "zarr3", "kvstore": kvstore}, open=True).result()
        depth = (layout.shard_shape(shape) if layout.shard else [SIDE])[0]
        slab = np.tile(self._tile, [n // SIDE for n in (depth, *shape[1:])])
        for start in range(0, shape[0], depth):
            stop = min(start + depth, shape[0])
            array[start:stop].write(slab[: stop - start]).result()
