"""How an array lies on disk: Zarr v2 or v3, chunks, shards, codecs; and writing one.

The metadata document is written by hand, so that every legal combination can be had; the chunks
are then written by zarr-python or tensorstore, never by omtask.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import tensorstore
import zarr

Shape = Sequence[int]
Codec = dict[str, Any]

ZSTD: Codec = {"name": "zstd", "configuration": {"level": 3, "checksum": False}}
GZIP: Codec = {"name": "gzip", "configuration": {"level": 4}}
CRC32C: Codec = {"name": "crc32c"}


def blosc(cname: str, shuffle: str, typesize: int = 2) -> Codec:
    """A v3 blosc codec."""
    settings = {"cname": cname, "clevel": 5, "shuffle": shuffle, "blocksize": 0}
    return {"name": "blosc", "configuration": settings | {"typesize": typesize}}


def blosc_v2(cname: str, shuffle: int) -> Codec:
    """A v2 blosc compressor."""
    return {"id": "blosc", "cname": cname, "clevel": 5, "shuffle": shuffle, "blocksize": 0}


@dataclass(frozen=True)
class Layout:
    """One way to store an array. `chunk` is cut or repeated to the number of axes."""

    name: str
    version: Literal["0.4", "0.5"]
    chunk: tuple[int, ...] = (16,)
    shard: tuple[int, ...] | None = None
    compression: tuple[Codec, ...] = ()
    separator: str = "/"
    big_endian: bool = False
    # v2
    order: Literal["C", "F"] = "C"
    # v3
    transposed: Literal["", "chunk", "shard"] = ""
    index_location: Literal["start", "end"] = "end"

    @property
    def is_v2(self) -> bool:
        return self.version == "0.4"

    def chunk_shape(self, shape: Shape) -> list[int]:
        return _fitted(self.chunk, shape)

    def shard_shape(self, shape: Shape) -> list[int]:
        assert self.shard is not None
        return [
            chunk * factor
            for chunk, factor in zip(self.chunk_shape(shape), _last(self.shard, len(shape)))
        ]

    def document(self, shape: Shape, dtype: np.dtype, axes: str) -> dict[str, Any]:
        """The array's metadata document."""
        return self._v2(shape, dtype) if self.is_v2 else self._v3(shape, dtype, axes)

    def _v2(self, shape: Shape, dtype: np.dtype) -> dict[str, Any]:
        return {
            "zarr_format": 2,
            "shape": list(shape),
            "chunks": self.chunk_shape(shape),
            "dtype": dtype.newbyteorder(">" if self.big_endian else "<").str,
            "compressor": self.compression[0] if self.compression else None,
            "fill_value": 0,
            "order": self.order,
            "filters": None,
            "dimension_separator": self.separator,
        }

    def _v3(self, shape: Shape, dtype: np.dtype, axes: str) -> dict[str, Any]:
        grid = self.shard_shape(shape) if self.shard else self.chunk_shape(shape)
        return {
            "zarr_format": 3,
            "node_type": "array",
            "shape": list(shape),
            "data_type": dtype.name,
            "chunk_grid": {"name": "regular", "configuration": {"chunk_shape": grid}},
            "chunk_key_encoding": {
                "name": "default",
                "configuration": {"separator": self.separator},
            },
            "fill_value": dtype.type(0).item(),
            "codecs": self._codecs(shape),
            "dimension_names": list(axes),
        }

    def _codecs(self, shape: Shape) -> list[Codec]:
        endian = "big" if self.big_endian else "little"
        chunk = [{"name": "bytes", "configuration": {"endian": endian}}, *self.compression]
        reverse = {"order": list(range(len(shape)))[::-1]}
        transpose = [{"name": "transpose", "configuration": reverse}]
        if self.transposed == "chunk":
            chunk = transpose + chunk
        if self.shard is None:
            return chunk
        inner = self.chunk_shape(shape)
        sharding = {
            "chunk_shape": inner[::-1] if self.transposed == "shard" else inner,
            "codecs": chunk,
            "index_codecs": [{"name": "bytes", "configuration": {"endian": "little"}}, CRC32C],
            "index_location": self.index_location,
        }
        sharded = [{"name": "sharding_indexed", "configuration": sharding}]
        return transpose + sharded if self.transposed == "shard" else sharded


def _last(values: tuple[int, ...], count: int) -> list[int]:
    """The last `count` values; the first one is repeated where there are too few."""
    return [values[0]] * (count - len(values)) + list(values[-count:])


def _fitted(chunk: tuple[int, ...], shape: Shape) -> list[int]:
    """The chunk shape for an array: never larger than the array itself."""
    return [max(1, min(a, b)) for a, b in zip(_last(chunk, len(shape)), shape)]


def write_array(
    path: Path,
    data: np.ndarray,
    layout: Layout,
    axes: str,
    writer: Literal["zarr", "tensorstore"] = "zarr",
) -> None:
    """Writes an array. Chunks that are all fill value are left out by both writers."""
    path.mkdir(parents=True)
    name = ".zarray" if layout.is_v2 else "zarr.json"
    (path / name).write_text(json.dumps(layout.document(data.shape, data.dtype, axes)))
    # zarr-python compares the shapes of a transposed shard in the wrong order of axes.
    if writer == "zarr" and layout.transposed != "shard":
        zarr.open_array(path, mode="r+")[...] = data
    else:
        driver = "zarr" if layout.is_v2 else "zarr3"
        spec = {"driver": driver, "kvstore": {"driver": "file", "path": f"{path}/"}}
        tensorstore.open(spec, open=True).result().write(data).result()


# What a table of test cases picks from. Odd chunk sizes are on purpose: nothing divides.
V2_LAYOUTS = (
    Layout("v2-raw", "0.4", (7,)),
    Layout("v2-zlib-dot", "0.4", (16,), compression=({"id": "zlib", "level": 3},), separator="."),
    Layout("v2-gzip", "0.4", (5, 16, 16), compression=({"id": "gzip", "level": 3},)),
    Layout("v2-zstd-F", "0.4", (16,), compression=({"id": "zstd", "level": 2},), order="F"),
    Layout("v2-lz4-shuffle", "0.4", (9, 13, 11), compression=(blosc_v2("lz4", 1),)),
    Layout("v2-blosc-zstd-bits", "0.4", (16,), compression=(blosc_v2("zstd", 2),), separator="."),
    Layout("v2-blosc-lz4hc", "0.4", (8, 32, 32), compression=(blosc_v2("lz4hc", 1),)),
    Layout("v2-blosc-zlib", "0.4", (16,), compression=(blosc_v2("zlib", 0),), order="F"),
    Layout("v2-blosclz-big", "0.4", (16,), compression=(blosc_v2("blosclz", 1),), big_endian=True),
    Layout("v2-raw-big-dot-F", "0.4", (10,), separator=".", big_endian=True, order="F"),
)
V3_LAYOUTS = (
    Layout("v3-raw", "0.5", (11,)),
    Layout("v3-zstd", "0.5", (16,), compression=(ZSTD,)),
    Layout("v3-gzip-big", "0.5", (16,), compression=(GZIP,), big_endian=True),
    Layout("v3-crc-dot", "0.5", (9, 16, 16), compression=(CRC32C,), separator="."),
    Layout("v3-blosc-lz4", "0.5", (16,), compression=(blosc("lz4", "shuffle"),)),
    Layout("v3-transposed", "0.5", (6, 10, 14), compression=(ZSTD,), transposed="chunk"),
)
SHARDED_LAYOUTS = (
    Layout("shard-zstd", "0.5", (8,), (2, 3, 2), (ZSTD,)),
    Layout("shard-start", "0.5", (8,), (2,), (ZSTD, CRC32C), index_location="start"),
    Layout("shard-raw", "0.5", (5, 7, 6), (3, 2, 2)),
    Layout("shard-blosc", "0.5", (8,), (1, 2, 3), (blosc("zstd", "bitshuffle"),)),
    Layout("shard-of-transposed", "0.5", (4, 8, 16), (2,), (GZIP,), transposed="chunk"),
    Layout("transposed-shard", "0.5", (4, 8, 16), (3, 2, 1), (ZSTD,), transposed="shard"),
    Layout("shard-one-chunk", "0.5", (16,), (1,), (ZSTD,)),
    Layout("shard-big-start", "0.5", (8,), (2,), (ZSTD,), big_endian=True, index_location="start"),
    Layout("shard-beyond", "0.5", (8,), (16,), (blosc("lz4", "noshuffle"),)),
)
ALL_LAYOUTS = V2_LAYOUTS + V3_LAYOUTS + SHARDED_LAYOUTS


def describe(value: Any) -> str:
    """A short name of a part of a test case: a layout, parameters, anything."""
    if isinstance(value, Layout):
        return value.name
    if isinstance(value, dict):
        return ",".join(f"{name}={setting}" for name, setting in value.items()) or "default"
    return str(value)
