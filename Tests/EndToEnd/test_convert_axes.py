"""A copy has the axes and levels that were asked for, and every voxel where it was."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import ngio
import numpy as np
import pytest
import tensorstore
import zarr

from omtask_testing import samples
from omtask_testing.images import AXIS, PIXEL, Image, downsampled, scale, write_image
from omtask_testing.layouts import ALL_LAYOUTS, ZSTD, Layout, describe
from omtask_testing.program import Program
from omtask_testing.reading import ome, read_multiscale
from omtask_testing.trees import leftovers, tree

SIZES = {"t": 3, "c": 2, "z": 7, "y": 19, "x": 23}
ORDERS = ("yx", "zyx", "cyx", "tyx", "czyx", "tzyx", "tcyx", "tczyx")
TYPES = (
    "uint8", "uint16", "int16", "uint32", "float32", "bool", "int8", "int32", "uint64", "int64",
    "float64", "float16",
)


def voxels(axes: str, dtype: str, ones: str = "") -> np.ndarray:
    rng = np.random.default_rng(len(axes))
    shape = [1 if axis in ones else SIZES[axis] for axis in axes]
    if dtype == "bool":
        return rng.random(shape) < 0.4
    if np.dtype(dtype).kind == "f":
        return rng.normal(size=shape).astype(dtype)
    limits = np.iinfo(dtype)
    return rng.integers(limits.min, limits.max, size=shape, dtype=dtype, endpoint=True)


def in_order(axes: str, wanted: str, data: np.ndarray) -> np.ndarray:
    """The voxels along other axes."""
    kept = [axis for axis in axes if axis in wanted]
    data = data[tuple(slice(None) if axis in wanted else 0 for axis in axes)]
    data = data.transpose([kept.index(axis) for axis in wanted if axis in kept])
    return data[tuple(slice(None) if axis in kept else None for axis in wanted)]


def sizes(axes: str, given: str, level: int) -> list[float]:
    return [(2**level if axis in "zyx" else 1) * PIXEL[axis] if axis in given else 1.0
            for axis in axes]


def check(
    made: Path, wanted: str, axes: str, levels: list[np.ndarray], channels: list[str] | None = None
) -> None:
    found = read_multiscale(made)
    assert len(found.levels) == len(levels)
    for is_, ought in zip(found.levels, levels):
        assert is_.dtype == ought.dtype and np.array_equal(is_, in_order(axes, wanted, ought))
    multiscale = ome(made)["multiscales"][0]
    for axis, letter in zip(multiscale["axes"], wanted, strict=True):
        known = AXIS[letter]
        if letter not in axes:
            known = {"name": letter, "type": known["type"]} | (
                {"unit": "micrometer"} if letter == "z" else {})
        assert axis == known
    assert found.scales == [sizes(wanted, axes, level) for level in range(len(levels))]
    for level in range(len(levels)):
        names = zarr.open_array(made / str(level), mode="r").metadata
        assert getattr(names, "dimension_names", None) in (None, tuple(wanted))
    if channels:
        assert [c["label"] for c in ome(made)["omero"]["channels"]] == channels


# Axes that are added and left out


def added() -> list[tuple[str, str, str, Layout]]:
    """Every wanted list of axes from every image that fits it, types and layouts in turn."""
    pairs = [(axes, wanted) for wanted in ORDERS for axes in ORDERS if set(axes) <= set(wanted)]
    return [
        (axes, wanted, TYPES[number % len(TYPES)], ALL_LAYOUTS[number * 5 % len(ALL_LAYOUTS)])
        for number, (axes, wanted) in enumerate(pairs)
    ]


@pytest.mark.parametrize(("axes", "wanted", "dtype", "layout"), added(), ids=describe)
def test_axes_are_added(
    axes: str, wanted: str, dtype: str, layout: Layout, omtask: Program, tmp_path: Path
) -> None:
    levels = downsampled(axes, voxels(axes, dtype), 2)
    channels = ["A", "B"] if "c" in axes else None
    image = write_image(tmp_path / "image.zarr", Image(axes, levels, layout, channels))
    made = tmp_path / "made.zarr"
    version = "0.4" if len(wanted) % 2 else "0.5"
    omtask.run(
        "convert", image, parameters={"axes": wanted, "ome_version": version}, threads=2,
        extra=["--output", made])
    check(made, wanted, axes, levels, channels)
    assert not leftovers(tmp_path)


@pytest.mark.parametrize(("axes", "ones", "wanted"), [
    ("tczyx", "tc", "zyx"), ("tczyx", "tz", "cyx"), ("czyx", "z", "cyx"), ("tczyx", "tcz", "yx"),
    ("tcyx", "c", "tzyx"), ("zyx", "z", "tyx"), ("zyx", "zyx", "yx"),
])
def test_axes_of_one_voxel_are_left_out(
    axes: str, ones: str, wanted: str, omtask: Program, tmp_path: Path
) -> None:
    levels = downsampled(axes, voxels(axes, "uint16", ones), 2)
    image = write_image(tmp_path / "image.zarr", Image(axes, levels, samples.SHARDED))
    made = tmp_path / "made.zarr"
    omtask.run("convert", image, parameters={"axes": wanted, "chunk": 5}, extra=["--output", made])
    check(made, wanted, axes, levels)


@pytest.mark.parametrize(("axes", "wanted", "letter"), [
    ("tczyx", "zyx", "t"), ("czyx", "zyx", "c"), ("zyx", "yx", "z"), ("tyx", "zyx", "t"),
])
def test_axes_with_voxels_are_not_left_out(
    axes: str, wanted: str, letter: str, omtask: Program, tmp_path: Path
) -> None:
    image = write_image(
        tmp_path / "image.zarr", Image(axes, [voxels(axes, "uint16")], samples.SHARDED))
    before = tree(tmp_path)
    refused = omtask.run(
        "convert", image, parameters={"axes": wanted}, extra=["--output", tmp_path / "a.zarr"],
        expect=64)
    assert "`axes`" in refused.stderr and f"along {letter}" in refused.stderr
    assert tree(tmp_path) == before
    omtask("run", "convert", image, "--axes", "xyz", expect=64)


def test_ngio_opens_an_image_with_new_axes(omtask: Program, tmp_path: Path) -> None:
    for version in ("0.4", "0.5"):
        levels = downsampled("yx", voxels("yx", "uint16"), 3)
        image = write_image(
            tmp_path / f"image-{version}.zarr", Image("yx", levels, samples.SHARDED))
        made = tmp_path / f"made-{version}.zarr"
        omtask.run(
            "convert", image, parameters={"axes": "tczyx", "ome_version": version, "levels": 4},
            extra=["--output", made])
        found = ngio.open_ome_zarr_container(made).get_image()
        assert found.shape == (1, 1, 1, 19, 23)
        assert (found.pixel_size.z, found.pixel_size.y) == (1.0, PIXEL["y"])
        assert np.array_equal(found.get_as_numpy()[0, 0, 0], levels[0])


# Axes in another order than OME-Zarr's


@pytest.mark.sweep(2)
@pytest.mark.parametrize("layout", ALL_LAYOUTS[::4], ids=describe)
@pytest.mark.parametrize(("axes", "wanted", "dtype"), [
    ("zyxc", "same", "uint8"), ("xyz", "same", "uint16"), ("yxc", "tczyx", "float32"),
    ("zctyx", "same", "uint32"), ("ztcxy", "tczyx", "int16"), ("xy", "zyx", "bool"),
], ids=describe)
def test_axes_are_put_in_order(
    axes: str, wanted: str, dtype: str, layout: Layout, omtask: Program, tmp_path: Path
) -> None:
    levels = downsampled(axes, voxels(axes, dtype), 2)
    channels = ["A", "B"] if "c" in axes else None
    image = write_image(tmp_path / "image.zarr", Image(axes, levels, layout, channels))
    # No other task takes them; space in another order is valid all the same.
    refused = omtask.run("median", image, expect=76 if axes in ("xyz", "xy") else 65)
    assert "axes" in refused.stderr
    made = tmp_path / "made.zarr"
    for engine in ({"threads": 2}, {"ranks": 3}):
        omtask.run("convert", image, parameters={"axes": wanted}, extra=["--output", made], **engine)
        order = "".join(a for a in "tczyx" if a in axes) if wanted == "same" else wanted
        check(made, order, axes, levels, channels)
        files = tree(made)
        omtask.run(
            "convert", image, parameters={"axes": wanted, "overwrite": True, "chunk": 6},
            extra=["--output", made])
        check(made, order, axes, levels, channels)
        assert tree(made) != files
        omtask.run(
            "convert", image, parameters={"axes": wanted, "overwrite": True},
            extra=["--output", made])
        assert tree(made) == files
    assert not leftovers(tmp_path)


@pytest.mark.parametrize(("axes", "wanted", "chunk", "shape"), [
    ("zyxc", "tczyx", "1,2,5,6,7", (1, 2, 5, 6, 7)), ("zyxc", "tczyx", "5,6,7", (1, 1, 5, 6, 7)),
    ("yx", "tczyx", "9", (1, 1, 9, 9, 9)), ("tcyx", "tczyx", "3,9,9", (1, 1, 3, 9, 9)),
])
def test_shapes_are_along_the_new_axes(
    axes: str, wanted: str, chunk: str, shape: tuple[int, ...], omtask: Program, tmp_path: Path
) -> None:
    image = write_image(
        tmp_path / "image.zarr", Image(axes, [voxels(axes, "uint16")], samples.SHARDED))
    made = tmp_path / "made.zarr"
    omtask.run("convert", image, parameters={"axes": wanted, "chunk": chunk},
               extra=["--output", made])
    assert zarr.open_array(made / "0", mode="r").chunks == shape


def test_a_number_that_the_type_lacks_is_named_by_its_place_in_the_image(
    omtask: Program, tmp_path: Path
) -> None:
    data = np.zeros((7, 19, 23, 2), np.uint16)
    data[2, 11, 17, 1] = 300
    image = write_image(tmp_path / "image.zarr", Image("zyxc", [data], samples.V2))
    failed = omtask.run(
        "convert", image, parameters={"dtype": "uint8"}, extra=["--output", tmp_path / "a.zarr"],
        expect=1)
    assert "voxel 2, 11, 17, 1 is 300" in failed.stderr
    assert not (tmp_path / "a.zarr").exists()


# bool


@pytest.mark.parametrize("layout", samples.BOTH, ids=describe)
@pytest.mark.parametrize("wanted", ["same", "uint8", "int16", "float32"])
def test_bool_voxels_are_copied(
    wanted: str, layout: Layout, omtask: Program, tmp_path: Path
) -> None:
    levels = downsampled("zyx", voxels("zyx", "bool"), 2)
    image = write_image(tmp_path / "image.zarr", Image("zyx", levels, layout))
    made = tmp_path / "made.zarr"
    omtask.run("convert", image, parameters={"dtype": wanted}, extra=["--output", made])
    for is_, ought in zip(read_multiscale(made).levels, levels, strict=True):
        assert is_.dtype == ("bool" if wanted == "same" else wanted)
        assert np.array_equal(is_, ought)
    back = tmp_path / "back.zarr"
    omtask.run("convert", made, parameters={"dtype": "bool", "levels": 3}, extra=["--output", back])
    found = read_multiscale(back).levels
    assert np.array_equal(found[0], levels[0]) and found[2].dtype == "bool"
    # A mean of two thirds is true; planes are more than twice as far apart as pixels.
    mean = tensorstore.downsample(
        tensorstore.array(levels[1].astype(np.uint8)), [1, 2, 2], "mean").read().result()
    assert np.array_equal(found[2], mean.astype(bool))


# Levels


@pytest.mark.sweep(2)
@pytest.mark.parametrize("layout", samples.BOTH, ids=describe)
@pytest.mark.parametrize("have", [1, 2])
@pytest.mark.parametrize(("method", "dtype"), [
    ("mean", "uint16"), ("mode", "uint8"), ("stride", "int16"), ("median", "float32"),
    ("max", "uint32"), ("min", "float64"),
])
def test_levels_are_made(
    method: str, dtype: str, have: int, layout: Layout, omtask: Program, tmp_path: Path
) -> None:
    rng = np.random.default_rng(2)
    data = rng.integers(0, 9, size=(2, 13, 50, 61)).astype(dtype)
    levels = downsampled("czyx", data, have)
    image = write_image(tmp_path / "image.zarr", Image("czyx", levels, layout))
    made = tmp_path / "made.zarr"
    reference: dict[str, str] | None = None
    for engine in ({"threads": 2}, {"ranks": 2}, {"ranks": 3}):
        omtask.run(
            "convert", image, parameters={"levels": 4, "pyramid": method},
            extra=["--output", made], **engine)
        files = tree(made)
        reference = reference or files
        assert files == reference
        made.rename(tmp_path / f"old-{len(list(tmp_path.iterdir()))}")
    made = next(tmp_path.glob("old-*"))
    found = read_multiscale(made)
    for level in range(have, 4):
        sizes = found.scales[level - 1][1:]
        factors = [1, *(2 if size < 2 * min(sizes) else 1 for size in sizes)]
        levels.append(
            tensorstore.downsample(tensorstore.array(levels[-1]), factors, method).read().result())
        assert found.scales[level] == [s * f for s, f in zip(found.scales[level - 1], factors)]
    assert len(found.levels) == 4
    for is_, ought in zip(found.levels, levels, strict=True):
        assert is_.dtype == dtype and np.array_equal(is_, ought)
    multiscale = ome(made)["multiscales"][0]
    assert multiscale["type"] == method
    stated = multiscale["metadata"] if have == 1 else multiscale["metadata"]["made_levels"]
    assert stated["method"] == method
    shift = [0.0] * 4
    for level in range(have, 4):
        before, after = found.scales[level - 1], found.scales[level]
        shift = [s + (b - a) / 2 for s, a, b in zip(shift, before, after)]
        given = multiscale["datasets"][level]["coordinateTransformations"][1:]
        assert given == (
            [] if method == "stride" else [{"type": "translation", "translation": shift}])


@pytest.mark.parametrize(("chunk", "have", "count"), [(16, 1, 3), (16, 4, 3), (64, 3, 1), (8, 2, 4)])
def test_so_many_levels_that_one_fits_in_a_chunk(
    chunk: int, have: int, count: int, omtask: Program, tmp_path: Path
) -> None:
    data = np.arange(40 * 61, dtype=np.uint16).reshape(40, 61)
    image = write_image(
        tmp_path / "image.zarr", Image("yx", downsampled("yx", data, have), samples.SHARDED))
    made = tmp_path / "made.zarr"
    omtask.run("convert", image, parameters={"levels": 0, "chunk": chunk}, extra=["--output", made])
    found = read_multiscale(made)
    assert len(found.levels) == count
    assert found.scales == [scale("yx", level) for level in range(count)]


def test_more_levels_than_there_can_be_are_refused(omtask: Program, tmp_path: Path) -> None:
    data = np.zeros((5, 6), np.uint8)
    image = write_image(tmp_path / "image.zarr", Image("yx", [data], samples.SHARDED))
    refused = omtask.run(
        "convert", image, parameters={"levels": 5}, extra=["--output", tmp_path / "a.zarr"],
        expect=64)
    assert "at most 4" in refused.stderr
    omtask.run("convert", image, parameters={"levels": 4}, extra=["--output", tmp_path / "a.zarr"])
    assert read_multiscale(tmp_path / "a.zarr").levels[3].shape == (1, 1)


def test_what_the_image_says_of_its_levels_stays(omtask: Program, tmp_path: Path) -> None:
    levels = downsampled("yx", voxels("yx", "uint16"), 2)
    image = write_image(tmp_path / "image.zarr", Image("yx", levels, samples.SHARDED))
    file = image / "zarr.json"
    document = json.loads(file.read_text())
    entry = document["attributes"]["ome"]["multiscales"][0]
    entry["type"], entry["metadata"] = "gaussian", {"sigma": 1.50}
    entry["coordinateTransformations"] = [{"type": "scale", "scale": [2.0, 3.0]}]
    file.write_text(json.dumps(document))
    made = tmp_path / "made.zarr"
    omtask.run("convert", image, parameters={"levels": 3, "axes": "cyx"}, extra=["--output", made])
    found = ome(made)["multiscales"][0]
    assert found["type"] == "gaussian" and found["metadata"]["sigma"] == 1.5
    assert found["metadata"]["made_levels"]["first"] == 2
    assert found["coordinateTransformations"] == [{"type": "scale", "scale": [1.0, 2.0, 3.0]}]
