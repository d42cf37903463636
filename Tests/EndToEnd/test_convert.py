"""A converted image has the very same voxels, stored as asked for."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import zarr

from omtask_testing import faults, patterns, samples
from omtask_testing.images import (
    Image, PlateShape, downsampled, scale, write_image, write_plate,
)
from omtask_testing.layouts import ALL_LAYOUTS, ZSTD, Layout, describe
from omtask_testing.program import Program
from omtask_testing.reading import ome, read_multiscale
from omtask_testing.trees import leftovers, tree

SHAPES = {
    "yx": (47, 61), "zyx": (13, 29, 31), "cyx": (2, 33, 37), "czyx": (2, 9, 21, 23),
    "tczyx": (2, 2, 7, 19, 23),
}
TYPES = (
    "uint8", "uint16", "int16", "uint32", "float32", "int8", "int32", "uint64", "int64", "float64",
)
CALLS: list[dict[str, Any]] = [
    {}, {"ome_version": "0.4"}, {"chunk": 8}, {"chunk": 16, "shard": 32, "codec": "zstd"},
    {"sharding": "off", "codec": "gzip"}, {"codec": "none"}, {"codec": "blosc-lz4", "chunk": 5},
    {"ome_version": "0.4", "chunk": 7, "codec": "blosc-zlib"}, {"levels": 1}, {"codec": "blosc-lz4hc"},
    {"codec": "zstd", "codec_level": 9, "levels": 2},
]


def cases() -> list[tuple[str, str, Layout, dict[str, Any]]]:
    """Every call from every layout; types and shapes in turn."""
    return [
        (
            list(SHAPES)[number % 5], TYPES[number * 3 % len(TYPES)],
            ALL_LAYOUTS[number % len(ALL_LAYOUTS)], CALLS[number * 5 % len(CALLS)],
        )
        for number in range(50)
    ]


def source(axes: str, dtype: str, layout: Layout, levels: int = 3) -> Image:
    rng = np.random.default_rng(len(axes))
    shape = SHAPES[axes]
    if np.dtype(dtype).kind == "f":
        data = rng.normal(size=shape).astype(dtype)
    else:
        limits = np.iinfo(dtype)
        data = rng.integers(limits.min, limits.max, size=shape, dtype=dtype, endpoint=True)
    data[..., : shape[-1] // 3] = 0
    return Image(axes, downsampled(axes, data, levels), layout)


@pytest.mark.parametrize(("axes", "dtype", "layout", "parameters"), cases(), ids=describe)
def test_every_voxel_is_the_same(
    axes: str, dtype: str, layout: Layout, parameters: Mapping[str, Any], omtask: Program,
    tmp_path: Path,
) -> None:
    image = source(axes, dtype, layout)
    path = write_image(tmp_path / "image.zarr", image)
    made = tmp_path / "made.zarr"
    omtask.run("convert", path, parameters=parameters, threads=2, extra=["--output", made])
    found = read_multiscale(made)
    levels = image.levels[: parameters.get("levels", 3)]
    assert len(found.levels) == len(levels)
    for is_, ought in zip(found.levels, levels):
        assert is_.dtype == ought.dtype
        assert np.array_equal(is_, ought)
    assert found.scales == [scale(axes, level) for level in range(len(levels))]
    stored = zarr.open_array(made / "0", mode="r")
    is_v2 = parameters.get("ome_version") == "0.4"
    assert stored.metadata.zarr_format == (2 if is_v2 else 3)
    if "chunk" in parameters:
        spatial = sum(axis in "zyx" for axis in axes)
        assert stored.chunks == (1,) * (len(axes) - spatial) + (parameters["chunk"],) * spatial
    if "shard" in parameters:
        assert stored.shards is not None and stored.shards[-1] == 32
    if parameters.get("sharding") == "off" or is_v2:
        assert stored.shards is None
    assert not leftovers(tmp_path)


def test_every_engine_writes_the_same_files(omtask: Program, tmp_path: Path) -> None:
    path = write_image(tmp_path / "image.zarr", source("tczyx", "uint16", samples.V2))
    reference: dict[str, str] | None = None
    for number, engine in enumerate([{"threads": 1}, {"threads": 4}, {"ranks": 2}, {"ranks": 5}]):
        made = tmp_path / str(number) / "made.zarr"
        made.parent.mkdir()
        omtask.run(
            "convert", path, parameters={"chunk": 8, "shard": 16}, extra=["--output", made], **engine)
        files = tree(made)
        reference = reference or files
        assert files == reference, engine


@pytest.mark.parametrize(("dtype", "wanted"), [
    ("uint8", "uint16"), ("uint16", "float32"), ("int16", "int32"), ("uint8", "float16"),
    ("float32", "float64"), ("int8", "int64"), ("uint32", "float64"),
])
def test_a_wider_type_has_the_same_numbers(
    dtype: str, wanted: str, omtask: Program, tmp_path: Path
) -> None:
    layout = Layout("plain", "0.5", (8, 16, 16), compression=(ZSTD,))
    image = source("zyx", dtype, layout, levels=1)
    path = write_image(tmp_path / "image.zarr", image)
    omtask.run("convert", path, parameters={"dtype": wanted}, extra=["--output", tmp_path / "a.zarr"])
    found = read_multiscale(tmp_path / "a.zarr").levels[0]
    assert found.dtype == wanted
    assert np.array_equal(found, image.levels[0].astype(wanted))


@pytest.mark.parametrize(("dtype", "wanted", "value"), [
    ("uint16", "uint8", 256), ("int16", "uint16", -1), ("float32", "int32", 0.5),
    ("uint32", "float32", 2**24 + 1), ("float64", "float32", 0.1), ("uint8", "bool", 2),
    ("uint64", "int64", 2**63), ("float32", "uint8", float("nan")),
])
def test_a_number_that_the_type_does_not_have_is_named(
    dtype: str, wanted: str, value: float, omtask: Program, tmp_path: Path
) -> None:
    data = np.zeros((3, 20, 30), dtype)
    data[2, 11, 17] = value
    layout = Layout("plain", "0.5", (2, 8, 8), compression=(ZSTD,))
    path = write_image(tmp_path / "image.zarr", Image("zyx", [data], layout))
    outcome = omtask.run(
        "convert", path, parameters={"dtype": wanted}, extra=["--output", tmp_path / "a.zarr"],
        expect=1)
    assert "voxel 2, 11, 17" in outcome.stderr and wanted in outcome.stderr
    assert not (tmp_path / "a.zarr").exists() and not leftovers(tmp_path)


@pytest.mark.parametrize(("parameters", "says"), [
    ({"chunk": 8, "shard": 12}, "`shard`"), ({"ome_version": "0.4", "shard": 64}, "`shard`"),
    ({"sharding": "off", "shard": 64}, "`shard`"), ({"codec_level": 20}, "`codec_level`"),
    ({"codec": "none", "codec_level": 3}, "`codec_level`"), ({"levels": 9}, "`levels`"),
    ({"chunk": "1,2"}, "`chunk`"), ({"chunk": 0}, "chunk"), ({"chunk": 4_000_000_000}, "`chunk`"),
    ({"chunk": 8, "shard": 1 << 40}, "`shard`"),
])
def test_a_bad_call_is_explained(
    parameters: Mapping[str, Any], says: str, omtask: Program, tmp_path: Path
) -> None:
    path = write_image(tmp_path / "image.zarr", source("zyx", "uint16", samples.SHARDED))
    before = tree(tmp_path)
    outcome = omtask.run(
        "convert", path, parameters=parameters, extra=["--output", tmp_path / "a.zarr"], expect=64)
    assert says in outcome.stderr
    assert tree(tmp_path) == before


def test_without_another_place_the_copy_lies_beside_the_image(
    omtask: Program, tmp_path: Path
) -> None:
    image = source("zyx", "uint16", samples.SHARDED)
    path = write_image(tmp_path / "image.zarr", image)
    omtask.run("convert", path, parameters={"codec": "gzip"})
    assert np.array_equal(read_multiscale(tmp_path / "image_converted.zarr").levels[0], image.levels[0])


def test_a_plate_keeps_its_version(omtask: Program, tmp_path: Path) -> None:
    images = {"A/01/0": source("cyx", "uint16", samples.V2)}
    root = write_plate(tmp_path / "plate.zarr", PlateShape(1, 1, 1), images)
    refused = omtask.run("convert", root, expect=64)
    assert "--ome-version 0.4" in refused.stderr and not (root / "A/01/0_converted").exists()
    omtask.run("convert", root, parameters={"ome_version": "0.4", "chunk": 8})
    assert [i["path"] for i in ome(root / "A/01")["well"]["images"]] == ["0", "0_converted"]
    files = tree(root)
    omtask.run("convert", root, parameters={"ome_version": "0.4", "chunk": 8})
    assert tree(root) == files


def test_a_selection_is_refused(omtask: Program, tmp_path: Path) -> None:
    path = write_image(tmp_path / "image.zarr", source("zyx", "uint16", samples.SHARDED))
    refused = omtask.run(
        "convert", path, extra=["--output", tmp_path / "a.zarr", "--select", "z=1"], expect=64)
    assert "--select" in refused.stderr


def test_a_second_call_finds_the_copy_there(omtask: Program, tmp_path: Path) -> None:
    path = write_image(tmp_path / "image.zarr", source("zyx", "uint16", samples.SHARDED))
    where = ["--output", tmp_path / "a.zarr"]
    omtask.run("convert", path, extra=where)
    files = tree(tmp_path)
    assert "nothing to do" in omtask.run("convert", path, extra=where).stderr
    assert tree(tmp_path) == files
    omtask.run("convert", path, parameters={"codec": "gzip"}, extra=where, expect=73)
    omtask.run("convert", path, parameters={"codec": "gzip", "overwrite": True}, extra=where)
    assert ome(tmp_path / "a.zarr")["multiscales"][0]["name"] == "image"


def test_a_killed_copy_goes_on(omtask: Program, tmp_path: Path) -> None:
    image = source("tczyx", "uint16", samples.SHARDED)
    path = write_image(tmp_path / "image.zarr", image)
    made = tmp_path / "a.zarr"
    omtask.run("convert", path, extra=["--output", made], parameters={"sharding": "off"})
    right = tree(made)
    for nth in (2, 9, 25, 40):
        omtask.run(
            "convert", path, extra=["--output", made], expect=None,
            parameters={"sharding": "off", "overwrite": True, "codec": "gzip"},
            env=faults.injected(tmp_path / ".a.zarr.omtask", "rename", "kill", nth=nth))
        omtask.run(
            "convert", path, extra=["--output", made],
            parameters={"sharding": "off", "overwrite": True, "codec": "gzip"})
        omtask.run(
            "convert", path, extra=["--output", made],
            parameters={"sharding": "off", "overwrite": True})
        assert tree(made) == right
        assert not leftovers(tmp_path)
