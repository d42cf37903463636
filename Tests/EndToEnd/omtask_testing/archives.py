"""Zip archives that other programs write, and what ours must be byte for byte."""

import struct
import subprocess
import sys
import warnings
import zipfile
import zlib
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType

import pytest

from .places import shared


def fixtures_module() -> ModuleType:
    """The shared generator of archives; skips the test where it is absent."""
    source = shared("conformance/make_fixtures.py")
    if source is None:
        pytest.skip("../shared/conformance is absent")
    spec = spec_from_file_location("make_fixtures", source)
    assert spec and spec.loader
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def files(root: Path) -> list[str]:
    """All files below a folder as keys, metadata first and breadth-first."""
    keys = [p.relative_to(root).as_posix() for p in root.rglob("*") if p.is_file()]
    return sorted(keys, key=lambda k: (not k.endswith("zarr.json"), k.count("/"), k))


def written_by_python(root: Path, path: Path, method: int = zipfile.ZIP_STORED) -> Path:
    """An archive as Python's zipfile makes it."""
    with zipfile.ZipFile(path, "w", method) as archive:
        for key in files(root):
            archive.write(root / key, key)
    return path


def written_by_zip(root: Path, path: Path, *flags: str) -> Path:
    """An archive as Info-ZIP makes it, folders and owners included."""
    subprocess.run(["zip", "-q", "-r", *flags, path, "."], cwd=root, check=True)
    return path


def written_to_a_pipe(root: Path, path: Path) -> Path:
    """An archive whose sizes stand behind the entries, as programs write that cannot seek."""
    script = "import sys, zipfile\n" \
        "z = zipfile.ZipFile(sys.stdout.buffer, 'w', zipfile.ZIP_DEFLATED)\n" \
        "[z.write(sys.argv[1] + '/' + k, k) for k in sys.argv[2:]]\nz.close()"
    done = subprocess.run(
        [sys.executable, "-c", script, root, *files(root)], stdout=subprocess.PIPE, check=True
    )
    path.write_bytes(done.stdout)
    return path


def written_by_zarr(root: Path, path: Path) -> Path:
    """An archive as zarr-python's ZipStore makes it, with entries that are written twice."""
    import zarr

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        store = zarr.storage.ZipStore(path, mode="w")
        source = zarr.open_group(root, mode="r")
        target = zarr.create_group(store, attributes=dict(source.attrs))
        for name, array in source.arrays():
            copy = target.create_array(
                name, shape=array.shape, dtype=array.dtype, chunks=array.chunks,
                shards=array.shards, dimension_names=array.metadata.dimension_names,
            )
            copy[...] = array[...]
        store.close()
    return path


def wide_everywhere(data: bytes) -> bool:
    """Whether all numbers of an archive are in the ZIP64 form, at its end too."""
    end = data.rindex(b"PK\5\6")
    locator = data[end - 20 : end]
    assert locator[:4] == b"PK\6\7"
    record = struct.unpack("<Q", locator[8:16])[0]
    assert data[record : record + 4] == b"PK\6\6"
    count, size, start = struct.unpack("<3Q", data[record + 32 : record + 56])
    place = start
    for _ in range(count):
        assert data[place : place + 4] == b"PK\1\2"
        packed, plain, name, extra = struct.unpack("<2I2H", data[place + 20 : place + 32])
        header = struct.unpack("<I", data[place + 42 : place + 46])[0]
        assert (packed, plain, header) == (0xFFFFFFFF,) * 3
        field = data[place + 46 + name : place + 46 + name + extra]
        kind, length, *_, local = struct.unpack("<2H3Q", field)
        assert (kind, length) == (1, 24)
        assert data[local : local + 4] == b"PK\3\4"
        assert struct.unpack("<2I", data[local + 18 : local + 26]) == (0xFFFFFFFF,) * 2
        place += 46 + name + extra
    return place == start + size == record


def with_many_entries(root: Path, path: Path, count: int) -> Path:
    """An archive of a folder with so many entries of one byte, written faster than zipfile does."""
    body, directory, entries = bytearray(), bytearray(), 0

    def add(key: str, data: bytes) -> None:
        nonlocal entries
        name = key.encode()
        facts = struct.pack(
            "<5H3I2H", 20, 0, 0, 0, 33, zlib.crc32(data), len(data), len(data), len(name), 0
        )
        directory.extend(b"PK\1\2\x14\3" + facts + struct.pack("<3HII", 0, 0, 0, 0, len(body)))
        directory.extend(name)
        body.extend(b"PK\3\4" + facts + name + data)
        entries += 1

    for key in files(root):
        add(key, (root / key).read_bytes())
    for number in range(count):
        add(f"more/c/{number % 317}/{number}", b"x")
    place = len(body)
    wide = struct.pack("<QHHIIQQQQ", 44, 45, 45, 0, 0, entries, entries, len(directory), place)
    locator = struct.pack("<IQI", 0, place + len(directory), 1)
    end = struct.pack("<4H2IH", 0, 0, 0xFFFF, 0xFFFF, len(directory), place, 0)
    path.write_bytes(
        body + directory + b"PK\6\6" + wide + b"PK\6\7" + locator + b"PK\5\6" + end
    )
    return path
