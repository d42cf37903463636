#!/usr/bin/env python3
"""Prints the table of ../StoredBytes.swift: 512 numbers of 16 bits, 259 * (i // 32), as numcodecs stores them.

    python stored_bytes.py        (needs numcodecs, numpy)
"""
import gzip
import struct

import numpy as np
from numcodecs import LZ4, Blosc, Zlib, Zstd

numbers = (np.arange(512) // 32 * 259).astype("<u2")
raw = numbers.tobytes()


def zstd_frame_without_size(part):
    """A frame of one raw block, as writers make it that do not know the size yet."""
    return b"\x28\xb5\x2f\xfd\x00\x58" + struct.pack("<I", len(part) << 3 | 1)[:3] + part


skippable = b"\x50\x2a\x4d\x18" + struct.pack("<I", 3) + b"abc"
table = {
    "zlib": Zlib(9).encode(raw),
    "gzip": gzip.compress(raw, 9, mtime=0),
    "gzip, two members": gzip.compress(raw[:70], 9, mtime=0) + gzip.compress(raw[70:], 9, mtime=0),
    "zstd": Zstd(9).encode(raw),
    "zstd, checksum": Zstd(9, checksum=True).encode(raw),
    "zstd, several frames": skippable + bytes(Zstd(9).encode(raw[:1000])) + skippable
    + zstd_frame_without_size(raw[1000:]),
    "lz4": LZ4().encode(raw),
    "blosc lz4": Blosc("lz4", 9, Blosc.SHUFFLE).encode(numbers),
    "blosc lz4hc": Blosc("lz4hc", 9, Blosc.NOSHUFFLE).encode(numbers),
    "blosc lz4, bits": Blosc("lz4", 9, Blosc.BITSHUFFLE).encode(numbers),
    "blosc zstd": Blosc("zstd", 9, Blosc.SHUFFLE).encode(numbers),
    "blosc zlib": Blosc("zlib", 9, Blosc.SHUFFLE).encode(numbers),
    "blosc blosclz": Blosc("blosclz", 9, Blosc.SHUFFLE).encode(numbers),
}
for name, stored in table.items():
    text = bytes(stored).hex()
    lines = [f'      "{text[i:i + 80]}"' for i in range(0, len(text), 80)]
    print(f'    "{name}":\n' + "\n        + ".join(line.strip() if i else line for i, line in enumerate(lines)) + ",")
