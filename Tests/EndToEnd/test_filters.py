"""Zarr v2 arrays with filters, and what stands for them in v3: read as zarr-python wrote them."""

import json
import shutil
import subprocess
from pathlib import Path

import numcodecs
import numpy as np
import pytest
import zarr
from zarr.codecs.numcodecs import Shuffle

from omtask_testing.images import Image, write_image
from omtask_testing.layouts import Layout
from omtask_testing.program import Program

SHAPE = (3, 37, 29)
COMPRESSORS = {"raw": None, "zlib": numcodecs.Zlib(1), "blosc": numcodecs.Blosc("lz4", 5, 2),
               "lz4": numcodecs.LZ4(), "zstd": numcodecs.Zstd(1)}
DELTAS = [(kind, kind) for kind in (
    "|u1", "|i1", "<u2", "<i2", ">u2", "<i4", ">u4", "<i8", "<u8", "<f4", ">f4", "<f8")]
# Differences in another type; the narrow ones wrap around, and back when they are added up.
DELTAS += [("<u2", "<i2"), ("<u2", "<i4"), (">i4", "<i2"), ("|u1", "|i1"), ("<i2", ">i8"), ("<u8", "<u4")]


def numbers(dtype: str, rng: np.random.Generator, small: bool = False) -> np.ndarray:
    if np.dtype(dtype).kind == "f":
        found = rng.normal(0, 1e3, SHAPE).astype(dtype)
        found[0, 0, 0] = -0.0
        return found
    info = np.iinfo(dtype)
    if small:
        return rng.integers(0, 40, SHAPE).astype(dtype)
    return rng.integers(info.min, info.max, SHAPE, dtype=np.dtype(dtype).newbyteorder("="),
                        endpoint=True).astype(dtype)


def stored(path: Path, data: np.ndarray, filters: list[object], number: int) -> np.ndarray:
    """Writes an array; the values that zarr-python reads again."""
    name = list(COMPRESSORS)[number % len(COMPRESSORS)]
    array = zarr.create_array(
        path, shape=data.shape, chunks=(2, 16, 13), dtype=data.dtype, zarr_format=2, filters=filters,
        compressors=COMPRESSORS[name], order="CF"[number // 2 % 2], fill_value=0)
    array[:] = data
    return np.asarray(zarr.open_array(path, mode="r")[:])


def cat(omtask: Program, path: Path) -> bytes:
    return subprocess.run([str(omtask.path), "cat", str(path)], stdout=subprocess.PIPE, check=True).stdout


@pytest.mark.parametrize(("number", "dtype", "astype"), [(n, *kinds) for n, kinds in enumerate(DELTAS)])
def test_differences_are_added_up(
    number: int, dtype: str, astype: str, omtask: Program, tmp_path: Path, rng: np.random.Generator
) -> None:
    small = dtype != astype and np.dtype(astype).itemsize <= np.dtype(dtype).itemsize
    data = numbers(dtype, rng, small)
    filters: list[object] = [numcodecs.Delta(dtype=dtype, astype=astype)]
    if number % 3 == 1:
        filters.append(numcodecs.Shuffle(np.dtype(astype).itemsize))
    ought = stored(tmp_path / "a", data, filters, number)
    assert cat(omtask, tmp_path / "a") == ought.astype(ought.dtype.newbyteorder("=")).tobytes()


@pytest.mark.parametrize("size", [0, 1, 2, 4, 8])
@pytest.mark.parametrize("version", [2, 3])
def test_bytes_are_put_back(
    size: int, version: int, omtask: Program, tmp_path: Path, rng: np.random.Generator
) -> None:
    data = numbers("<f8", rng)
    if version == 2:
        stored(tmp_path / "a", data, [numcodecs.Shuffle(size)], size)
    else:
        array = zarr.create_array(
            tmp_path / "a", shape=SHAPE, chunks=(2, 16, 13), dtype=data.dtype, zarr_format=3,
            compressors=[Shuffle(elementsize=size)])
        array[:] = data
    assert cat(omtask, tmp_path / "a") == data.tobytes()


def test_images_with_filters_are_images(omtask: Program, tmp_path: Path, rng: np.random.Generator) -> None:
    """A task's labels and a copy have no filters."""
    data = rng.integers(0, 2000, (12, 50, 60)).astype("<u2")
    path = write_image(tmp_path / "image.zarr", Image("zyx", [data], Layout("v2", "0.4", (4, 16, 16))))
    plain = tmp_path / "plain.zarr"
    shutil.copytree(path, plain)
    array = zarr.create_array(
        path / "0", shape=data.shape, chunks=(4, 16, 16), dtype="<u2", zarr_format=2, overwrite=True,
        filters=[numcodecs.Delta("<u2")], compressors=numcodecs.Zlib(1), fill_value=0,
        chunk_key_encoding={"name": "v2", "separator": "/"})
    array[:] = data
    for image in (path, plain):
        omtask.threshold(image, parameters={"threshold": 1000, "label_name": "bright"}, threads=2)
        omtask.run("convert", image, extra=["--output", image.with_suffix(".copy")])
    label = json.loads((path / "labels/bright/0/.zarray").read_text())
    assert label["filters"] is None
    for name in ("image.zarr/labels/bright/0", "image.copy/0"):
        other = tmp_path / name.replace("image", "plain")
        assert np.array_equal(zarr.open_array(tmp_path / name)[:], zarr.open_array(other)[:])
    assert np.array_equal(zarr.open_array(tmp_path / "image.copy/0")[:], data)


@pytest.mark.parametrize(("filters", "code", "says"), [
    ([{"id": "delta", "dtype": "<i4"}], 65, "58 bytes of delta data"),
    ([{"id": "delta", "dtype": "<u2", "astype": "|u1"}], 65, "decode to more than the 58 bytes"),
    ([{"id": "delta", "dtype": "|u1", "astype": "<u2"}], 65, "decodes to 29 bytes, expected 58"),
    ([{"id": "shuffle", "elementsize": 4}], 65, "58 bytes of shuffle data"),
])
def test_filters_that_do_not_fit_are_errors(
    filters: list[object], code: int, says: str, omtask: Program, tmp_path: Path
) -> None:
    array = zarr.create_array(
        tmp_path / "a", shape=(29,), chunks=(29,), dtype="<u2", zarr_format=2, compressors=None)
    array[:] = np.arange(29)
    document = json.loads((tmp_path / "a/.zarray").read_text()) | {"filters": filters}
    (tmp_path / "a/.zarray").write_text(json.dumps(document))
    said = omtask.cat(tmp_path / "a", expect=code).stderr
    assert says in said and f"{tmp_path}/a/0: " in said


@pytest.mark.parametrize("name", ["packbits", "fixedscaleoffset", "astype", "quantize", "crc32"])
def test_other_filters_are_named(name: str, omtask: Program, tmp_path: Path) -> None:
    zarr.create_array(tmp_path / "a", shape=(9,), chunks=(9,), dtype="<u2", zarr_format=2)
    document = json.loads((tmp_path / "a/.zarray").read_text()) | {"filters": [{"id": name}]}
    (tmp_path / "a/.zarray").write_text(json.dumps(document))
    said = omtask.cat(tmp_path / "a", expect=76).stderr
    assert f"`filters[0]` is the unknown filter `{name}`" in said and "delta, shuffle" in said
