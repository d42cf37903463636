#!/usr/bin/env python3
"""Writes one text file per array, with a line for every value that zarr-python or tensorstore stored: `key` and
the document, or `key` and the bytes in hexadecimal.

    python make_fixtures.py        (needs zarr >= 3.1, numcodecs, tensorstore, numpy)

Every array holds 120 distinct small numbers in C order, (7 i + 1) mod 120 (odd ones are true in `bool`), except
that the first chunk (the first inner chunk of a sharded array) holds the fill value and is not stored.
"""
import json
import shutil
import tempfile
from pathlib import Path

import numcodecs
import numpy as np
import tensorstore
import zarr
from zarr.codecs import BloscCodec, BytesCodec, Crc32cCodec, GzipCodec, ShardingCodec, TransposeCodec, ZstdCodec

HERE = Path(__file__).parent


def voxels(shape, dtype, chunk, fill):
    numbers = (7 * np.arange(np.prod(shape, dtype=int)) + 1) % 120
    values = (numbers % 2 == 1) if np.dtype(dtype).kind == "b" else numbers.astype(dtype)
    values = values.reshape(shape)
    values[tuple(slice(0, edge) for edge in chunk)] = fill
    return values


def dump(name, root):
    files = sorted(f for f in Path(root).rglob("*") if f.is_file())
    lines = [f"{f.relative_to(root).as_posix()} {text(f)}\n" for f in files]
    (HERE / f"{name}.txt").write_text("".join(lines))


def text(file):
    if file.name in ("zarr.json", ".zarray", ".zattrs"):
        return json.dumps(json.loads(file.read_text()), separators=(",", ":"))
    return file.read_bytes().hex()


def with_zarr(name, zarr_format, shape, dtype, chunk, fill=0, **options):
    root = tempfile.mkdtemp()
    array = zarr.create_array(
        store=root, shape=shape, chunks=chunk, dtype=dtype, zarr_format=zarr_format, fill_value=fill,
        config={"write_empty_chunks": False}, **options)
    array[...] = voxels(shape, dtype, chunk, fill)
    dump(name, root)
    shutil.rmtree(root)


def with_tensorstore(name, shape, dtype, shard, chunk, codecs, **sharding):
    root = tempfile.mkdtemp()
    inner = {"name": "sharding_indexed", "configuration": {"chunk_shape": chunk, "codecs": codecs, **sharding}}
    array = tensorstore.open({
        "driver": "zarr3", "kvstore": {"driver": "file", "path": root},
        "metadata": {
            "shape": shape, "data_type": dtype, "codecs": [inner],
            "chunk_grid": {"name": "regular", "configuration": {"chunk_shape": shard}}}},
        create=True).result()
    array[...] = voxels(shape, dtype, chunk, 0)
    dump(name, root)
    shutil.rmtree(root)


SHAPE, CHUNK = (5, 7), (2, 3)
TYPES = ["bool", "int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64", "float16", "float32",
         "float64"]

for dtype in TYPES:
    wide = np.dtype(dtype).itemsize > 1
    fill = False if dtype == "bool" else 0
    with_zarr(f"v2-{dtype}-little", 2, SHAPE, dtype, CHUNK, fill, compressors=None)
    with_zarr(f"v3-{dtype}-little", 3, SHAPE, dtype, CHUNK, fill, compressors=())
    if wide:
        with_zarr(f"v2-{dtype}-big", 2, SHAPE, np.dtype(dtype).newbyteorder(">"), CHUNK, fill, compressors=None)
        with_zarr(f"v3-{dtype}-big", 3, SHAPE, dtype, CHUNK, fill, compressors=(), serializer=BytesCodec(endian="big"))

V2 = {"zlib": numcodecs.Zlib(3), "gzip": numcodecs.GZip(3), "zstd": numcodecs.Zstd(3, checksum=True),
      "lz4": numcodecs.LZ4(), "blosc-lz4": numcodecs.Blosc("lz4", 5, 1), "blosc-zstd": numcodecs.Blosc("zstd", 5, 2),
      "blosc-zlib": numcodecs.Blosc("zlib", 5, 0), "blosc-blosclz": numcodecs.Blosc("blosclz", 5, -1)}
for name, codec in V2.items():
    with_zarr(f"v2-{name}", 2, SHAPE, "uint16", CHUNK, compressors=codec)

V3 = {"gzip": [GzipCodec(level=5)], "zstd": [ZstdCodec(level=3, checksum=True)], "crc32c": [Crc32cCodec()],
      "zstd-crc32c": [ZstdCodec(level=3), Crc32cCodec()],
      "blosc": [BloscCodec(cname="lz4", clevel=5, shuffle="bitshuffle", typesize=2)],
      "gzip-zstd": [GzipCodec(level=5), ZstdCodec(level=3)]}
for name, codecs in V3.items():
    with_zarr(f"v3-{name}", 3, SHAPE, "uint16", CHUNK, compressors=codecs)
    with_zarr(f"v3-shard-{name}", 3, (9, 11), "uint16", CHUNK, compressors=codecs, shards=(4, 6))

CUBE, PART = (3, 4, 5), (2, 2, 3)
with_zarr("v2-order-f", 2, CUBE, "uint16", PART, compressors=numcodecs.Zlib(1), order="F")
with_zarr("v3-transpose-201", 3, CUBE, "uint16", PART, compressors=(), filters=[TransposeCodec(order=(2, 0, 1))])
with_zarr("v3-transpose-021", 3, CUBE, "uint32", PART, compressors=(), filters=[TransposeCodec(order=(0, 2, 1))])
with_zarr("v3-key-dot", 3, SHAPE, "uint8", CHUNK, compressors=(),
          chunk_key_encoding={"name": "default", "separator": "."})
with_zarr("v3-key-v2", 3, SHAPE, "uint8", CHUNK, compressors=(), chunk_key_encoding={"name": "v2", "separator": "/"})
with_zarr("v2-fill-7", 2, SHAPE, "uint16", CHUNK, 7, compressors=None)
with_zarr("v3-fill-nan", 3, SHAPE, "float32", CHUNK, "NaN", compressors=())

LITTLE = {"name": "bytes", "configuration": {"endian": "little"}}
BIG = {"name": "bytes", "configuration": {"endian": "big"}}
GZIP = {"name": "gzip", "configuration": {"level": 5}}
CRC32C = {"name": "crc32c"}
with_tensorstore("v3-shard-start", [9, 11], "uint16", [4, 6], [2, 3], [LITTLE, GZIP],
                 index_codecs=[LITTLE, CRC32C], index_location="start")
with_tensorstore("v3-shard-index-big", [9, 11], "uint16", [4, 6], [2, 3], [LITTLE],
                 index_codecs=[BIG], index_location="end")
with_tensorstore("v3-shard-4d", [2, 3, 5, 4], "uint8", [1, 2, 4, 4], [1, 1, 2, 2], [LITTLE],
                 index_codecs=[LITTLE, CRC32C], index_location="end")

# Shards that can only be decoded whole: inside shards, or behind further codecs.
NESTED = {"name": "sharding_indexed", "configuration": {
    "chunk_shape": [1, 3], "codecs": [LITTLE, GZIP], "index_codecs": [LITTLE, CRC32C]}}
with_tensorstore("v3-nested", [9, 11], "uint16", [4, 6], [2, 3], [NESTED], index_codecs=[LITTLE, CRC32C])
with_zarr("v3-shard-in-gzip", 3, (9, 11), "uint16", (4, 6), compressors=[GzipCodec(level=5)],
          serializer=ShardingCodec(chunk_shape=(2, 3), codecs=[BytesCodec(endian="little")]))
