"""Corrected illumination is what NumPy makes of the rules, bit for bit, however the work is split."""

import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from omtask_testing import faults, samples
from omtask_testing.derived import coarser
from omtask_testing.images import PIXEL, Image, downsampled, write_image
from omtask_testing.layouts import ALL_LAYOUTS, ZSTD, Layout, describe, write_array
from omtask_testing.program import Program
from omtask_testing.reading import group_attributes, read_multiscale
from omtask_testing.tables import write_rois
from omtask_testing.trees import leftovers, tree

SHAPES = {
    "yx": (48, 60), "zyx": (13, 30, 32), "tyx": (3, 30, 24), "cyx": (2, 33, 37),
    "czyx": (2, 9, 22, 24), "tczyx": (2, 2, 7, 20, 24),
}
TYPES = ("uint8", "uint16", "int16", "uint32", "float32", "int8", "int32", "float64")


def illuminated(
    axes: str, data: np.ndarray, flats: list[np.ndarray], darks: list[np.ndarray],
    constant: float = 0, truncates: bool = False,
) -> tuple[np.ndarray, int]:
    """The rules, one array at a time; and how many voxels were above the largest number."""
    made, saturated = np.empty_like(data), 0
    whole = data.dtype.kind in "iu"
    for channel in range(data.shape[axes.index("c")] if "c" in axes else 1):
        place = tuple(channel if axis == "c" else slice(None) for axis in axes)
        voxels = data[place].astype(np.int64 if whole else np.float64)
        flat = flats[channel % len(flats)].astype(np.float64)
        repeats = tuple(n // m for n, m in zip(data.shape[-2:], flat.shape))
        if darks:
            dark = darks[channel % len(darks)]
            dark = dark.astype(np.int32) if whole else dark.astype(np.float64)
            voxels = np.maximum(voxels - np.tile(dark, repeats), 0)
        voxels = np.maximum(voxels - constant, 0)
        found = voxels / np.tile(flat / flat.max(), repeats)
        if whole:
            largest = np.iinfo(data.dtype).max
            saturated += int((found > largest).sum())
            found = np.minimum(found, largest)
            found = np.trunc(found) if truncates else np.rint(found)
        else:
            largest = np.finfo(data.dtype).max
            saturated += int((found > largest).sum())
            found = np.minimum(found, largest)
        made[place] = found.astype(data.dtype)
    return made, saturated


def fields_illuminated(
    axes: str, data: np.ndarray, boxes: list[tuple[slice, ...]], flat: np.ndarray,
    dark: np.ndarray | None, constant: float, truncates: bool,
) -> np.ndarray:
    """Box after box of space, as Fractal's task goes over its table; zeros elsewhere."""
    made = np.zeros_like(data)
    for box in boxes:
        place = (..., *box)
        darks = [] if dark is None else [dark]
        made[place] = illuminated(axes, data[place], [flat], darks, constant, truncates)[0]
    return made


def voxels(shape: tuple[int, ...], dtype: str, rng: np.random.Generator) -> np.ndarray:
    """Small and large numbers, so that some are cut off at either end and many are halves."""
    if np.dtype(dtype).kind == "f":
        return (rng.normal(size=shape) * 100).astype(dtype)
    limits = np.iinfo(dtype)
    data = rng.integers(limits.min, limits.max, size=shape, dtype=dtype, endpoint=True)
    data[..., : shape[-1] // 2] = rng.integers(0, 100, size=(*shape[:-1], shape[-1] // 2))
    return data


def profile(shape: tuple[int, int], rng: np.random.Generator, dtype: str = "float32") -> np.ndarray:
    """Bright in the middle; some numbers are simple, so that quotients have halves."""
    y, x = np.indices(shape)
    bowl = 1 - 0.5 * ((y / shape[0] - 0.5) ** 2 + (x / shape[1] - 0.5) ** 2)
    bowl[rng.random(shape) < 0.3] = 0.5
    bowl[0, 0] = 1.0
    return (bowl * 200).astype(dtype) if np.dtype(dtype).kind in "iu" else bowl.astype(dtype)


def stored(path: Path, data: np.ndarray, kind: str) -> Path:
    """A profile as a .npy file, a Zarr array or an OME-Zarr image."""
    if kind == "npy":
        np.save(path.with_suffix(".npy"), data)
        return path.with_suffix(".npy")
    layout = Layout("p", "0.5", (16,), compression=(ZSTD,)) if kind != "v2" else Layout("p", "0.4", (9,))
    if kind == "image":
        return write_image(path, Image("zyx", [data[np.newaxis]], layout))
    write_array(path, data, layout, "yx")
    return path


def cases() -> list[tuple[str, str, Layout, dict[str, Any]]]:
    dealt = []
    for number in range(40):
        call = {
            "flats": 1 + number % 2, "darks": number % 3, "constant": [0, 3, 2.5, 110][number % 4],
            "compat": ["default", "fractal"][number // 2 % 2], "fields": [1, 2][number // 3 % 2],
            "kind": ["npy", "array", "image", "v2"][number // 5 % 4],
            "profile": ["float32", "float64", "uint16", "uint8"][number // 7 % 4],
        }
        dealt.append((
            list(SHAPES)[(number + number // 6) % 6], TYPES[number * 3 % len(TYPES)],
            ALL_LAYOUTS[number * 11 % len(ALL_LAYOUTS)], call))
    return dealt


@pytest.mark.parametrize(("axes", "dtype", "layout", "call"), cases(), ids=lambda v: (
    f"{v['kind']}-{v['compat']}-{v['fields']}" if isinstance(v, dict) else describe(v)))
def test_equals_numpy(
    axes: str, dtype: str, layout: Layout, call: Mapping[str, Any], omtask: Program,
    tmp_path: Path, rng: np.random.Generator,
) -> None:
    data = voxels(SHAPES[axes], dtype, rng)
    channels = data.shape[axes.index("c")] if "c" in axes else 1
    fields = call["fields"] if all(n % 2 == 0 for n in data.shape[-2:]) else 1
    size = (data.shape[-2] // fields, data.shape[-1] // fields)
    flats = [profile(size, rng, call["profile"]) for _ in range(min(channels, call["flats"]))]
    darks = [
        rng.integers(0, 30, size=size).astype("float32") + np.float32(0.75)
        for _ in range(min(channels, call["darks"]))
    ]
    image = write_image(tmp_path / "image.zarr", Image(axes, downsampled(axes, data, 2), layout))
    fractal = call["compat"] == "fractal" and data.dtype.kind != "f"
    parameters = {
        "flat_fields": [stored(tmp_path / f"flat{n}", p, call["kind"]) for n, p in enumerate(flats)],
        "constant": call["constant"], "compat": "fractal" if fractal else "default",
    }
    if darks:
        parameters["dark_fields"] = [
            stored(tmp_path / f"dark{n}", p, call["kind"]) for n, p in enumerate(darks)]
    before = tree(image)
    done = omtask.run("illumination-correct", image, parameters=parameters, threads=2)
    wanted, saturated = illuminated(axes, data, flats, darks, call["constant"], fractal)
    made = tmp_path / "image_illum_corr.zarr"
    found = read_multiscale(made).levels
    assert found[0].dtype.newbyteorder("=") == wanted.dtype
    assert np.array_equal(found[0], wanted)
    assert np.array_equal(found[1], coarser(axes, wanted, "mean"))
    assert group_attributes(made)["omtask"]["saturated_voxels"] == saturated
    assert done.report is not None
    notes = [note for output in done.report.outputs for note in output["notes"]]
    assert [note.split()[0] for note in notes] == ([str(saturated)] if saturated else [])
    assert tree(image) == before
    assert not leftovers(tmp_path)


ENGINES = [{"threads": n} for n in (1, 2, 4)] + [{"ranks": n} for n in (1, 2, 3, 5)]


@pytest.mark.parametrize("layout", [
    Layout("shards", "0.5", (8,), (2,), (ZSTD,)), Layout("v2", "0.4", (9, 16, 15)),
], ids=describe)
def test_every_engine_writes_the_same_files(
    layout: Layout, omtask: Program, tmp_path: Path
) -> None:
    rng = np.random.default_rng(5)
    data = voxels((24, 36, 42), "uint16", rng)
    original = write_image(tmp_path / "image.zarr", Image("zyx", downsampled("zyx", data, 2), layout))
    flat = profile((18, 14), rng)
    call = {"flat_fields": [stored(tmp_path / "flat", flat, "npy")], "constant": 7}
    wanted, saturated = illuminated("zyx", data, [flat], [], 7)
    reference: dict[str, str] | None = None
    for number, engine in enumerate(ENGINES):
        image = Path(shutil.copytree(original, tmp_path / str(number) / "image.zarr"))
        omtask.run("illumination-correct", image, parameters=call, **engine)
        made = image.with_name("image_illum_corr.zarr")
        files = tree(made)
        if reference is None:
            reference = files
            assert np.array_equal(read_multiscale(made).levels[0], wanted)
            assert group_attributes(made)["omtask"]["saturated_voxels"] == saturated > 0
        assert files == reference, f"{engine} differs from {ENGINES[0]}"


# Those that zarr-python can open, with which ngio writes the table.
PLAIN = [layout for layout in ALL_LAYOUTS if layout.name not in ("transposed-shard", "shard-beyond")]


def fields_of(
    axes: str, shape: tuple[int, ...], size: tuple[int, int], kind: str, rng: np.random.Generator
) -> tuple[list[dict[str, tuple[float, float]]], list[tuple[slice, ...]]]:
    """Fields of view in world units and in voxels: a grid with gaps, or places that overlap."""
    depth = shape[axes.index("z")] if "z" in axes else 0
    starts: list[tuple[int, ...]] = []
    if kind == "grid":
        starts = [(y, x) for y in range(1, shape[-2] - size[0] + 1, size[0] + 2)
                  for x in range(3, shape[-1] - size[1] + 1, size[1])]
    else:
        starts = [(int(rng.integers(0, shape[-2] - size[0] + 1)),
                   int(rng.integers(0, shape[-1] - size[1] + 1))) for _ in range(7)]
    worlds, places = [], []
    for number, start in enumerate(starts):
        # Every other field lacks the last planes.
        planes = depth - number % 2 if depth > 1 else depth
        box = (slice(0, planes),) if depth else ()
        places.append((*box, slice(start[0], start[0] + size[0]), slice(start[1], start[1] + size[1])))
        world = {axis: (first * PIXEL[axis], length * PIXEL[axis])
                 for axis, first, length in zip("yx", start, size)}
        worlds.append(world | ({"z": (0.0, planes * PIXEL["z"])} if depth else {}))
    return worlds, places


@pytest.mark.parametrize("number", range(24))
def test_fields_of_view_are_those_of_the_table(
    number: int, omtask: Program, tmp_path: Path, rng: np.random.Generator
) -> None:
    axes, dtype = list(SHAPES)[number % 6], TYPES[number * 3 % len(TYPES)]
    layout, kind = PLAIN[number * 7 % len(PLAIN)], ["grid", "over"][number // 3 % 2]
    data = voxels(SHAPES[axes], dtype, rng)
    size = (data.shape[-2] // 3, data.shape[-1] // 3)
    worlds, places = fields_of(axes, data.shape, size, kind, rng)
    flat = profile(size, rng)
    dark = rng.integers(0, 30, size=size).astype("uint16") if number % 2 else None
    image = write_image(tmp_path / "image.zarr", Image(axes, downsampled(axes, data, 2), layout))
    write_rois(image, "FOV_ROI_table", worlds, ["csv", "anndata", "json"][number % 3])
    fractal = number // 2 % 2 == 1 and data.dtype.kind != "f"
    call = {
        "flat_fields": [stored(tmp_path / "flat", flat, "npy")], "field_table": "FOV_ROI_table",
        "constant": 2 * (number % 2), "compat": "fractal" if fractal else "default",
    }
    if dark is not None:
        call["dark_fields"] = [stored(tmp_path / "dark", dark, "npy")]
    engine = [{"threads": 2}, {"ranks": 2}, {"ranks": 3}][number % 3]
    omtask.run("illumination-correct", image, parameters=call, **engine)
    wanted = fields_illuminated(axes, data, places, flat, dark, 2 * (number % 2), fractal)
    found = read_multiscale(tmp_path / "image_illum_corr.zarr").levels
    assert np.array_equal(found[0], wanted)
    assert np.array_equal(found[1], coarser(axes, wanted, "mean"))


def test_fields_keep_their_places_in_a_selection(
    omtask: Program, tmp_path: Path, rng: np.random.Generator
) -> None:
    data = voxels((3, 40, 50), "uint16", rng)
    layout = Layout("small", "0.5", (16,), compression=(ZSTD,))
    image = write_image(tmp_path / "image.zarr", Image("zyx", [data], layout))
    worlds, places = fields_of("zyx", data.shape, (13, 16), "over", rng)
    write_rois(image, "fovs", worlds)
    flat = profile((13, 16), rng)
    call = {"flat_fields": [stored(tmp_path / "flat", flat, "npy")], "field_table": "fovs"}
    omtask.run("illumination-correct", image, parameters=call, extra=["--select", "y=5:31,x=7:44"])
    wanted = np.zeros_like(data)
    window = (..., slice(5, 31), slice(7, 44))
    wanted[window] = fields_illuminated("zyx", data, places, flat, None, 0, False)[window]
    assert np.array_equal(read_multiscale(tmp_path / "image_illum_corr.zarr").levels[0], wanted)


def test_fields_that_do_not_fit(omtask: Program, tmp_path: Path, rng: np.random.Generator) -> None:
    image = write_image(tmp_path / "image.zarr", samples.blobs_image(samples.SHARDED, rng))
    write_rois(image, "fovs", [{"y": (0, 10 * PIXEL["y"]), "x": (0, 12 * PIXEL["x"])}])
    flat = stored(tmp_path / "flat", profile((10, 13), rng), "npy")
    call = ["run", "illumination-correct", image, "--flat-fields", flat, "--field-table"]
    refused = omtask(*call, "fovs", expect=64).stderr
    assert "10 x 12 voxels" in refused and "10 x 13" in refused
    assert "no table `none`" in omtask(*call, "none", expect=64).stderr
    assert "leave one of them out" in omtask(
        *call, "fovs", "--roi-table", "fovs", expect=64).stderr


def test_other_places_are_another_run(
    omtask: Program, tmp_path: Path, rng: np.random.Generator
) -> None:
    image = write_image(tmp_path / "image.zarr", samples.blobs_image(samples.SHARDED, rng))
    size = {"y": 10 * PIXEL["y"], "x": 12 * PIXEL["x"]}
    for name, start in (("one", 0), ("two", 3)):
        write_rois(image, name, [
            {axis: (start * PIXEL[axis], length) for axis, length in size.items()}])
    flat = stored(tmp_path / "flat", profile((10, 12), rng), "npy")
    for table, code in (("one", 0), ("one", 0), ("two", 73)):
        call = {"flat_fields": [flat], "field_table": table}
        omtask.run("illumination-correct", image, parameters=call, expect=code)


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
def test_floating_point_voxels_end_at_the_largest_number(
    dtype: str, omtask: Program, tmp_path: Path
) -> None:
    largest = np.finfo(dtype).max
    data = np.array([[largest, largest / 4, 1, 0], [largest / 2, -1, largest, 3]] * 8, dtype)
    flat = np.full(data.shape, 1.0)
    flat[:, 2:] = 0.25
    flat[0, 0] = 0.5
    layout = Layout("one", "0.5", (64,), compression=(ZSTD,))
    image = write_image(tmp_path / "image.zarr", Image("yx", [data], layout))
    call = {"flat_fields": [stored(tmp_path / "flat", flat, "npy")]}
    with np.errstate(over="ignore"):
        wanted, saturated = illuminated("yx", data, [flat], [])
    omtask.run("illumination-correct", image, parameters=call)
    made = tmp_path / "image_illum_corr.zarr"
    found = read_multiscale(made).levels[0]
    assert np.isfinite(found).all() and np.array_equal(found, wanted)
    assert group_attributes(made)["omtask"]["saturated_voxels"] == saturated > 0


@pytest.mark.parametrize("ranks", [None, 2])
@pytest.mark.parametrize("nth", [4, 12])
def test_going_on_makes_and_counts_the_same(
    nth: int, ranks: int | None, omtask: Program, tmp_path: Path
) -> None:
    rng = np.random.default_rng(3)
    data = voxels((30, 40, 50), "uint8", rng)
    layout = Layout("planes", "0.5", (1, 64, 64), None, (ZSTD,))
    image = write_image(tmp_path / "image.zarr", Image("tyx", [data], layout))
    flat = profile((40, 50), rng)
    call = {"flat_fields": [stored(tmp_path / "flat", flat, "npy")]}
    env = faults.injected(tmp_path / ".image_illum_corr.zarr.omtask", "rename", "kill", nth=nth)
    omtask.run(
        "illumination-correct", image, parameters=call, ranks=ranks, env=env, expect=None)
    made = tmp_path / "image_illum_corr.zarr"
    assert not made.exists()
    omtask.run("illumination-correct", image, parameters=call, threads=2)
    wanted, saturated = illuminated("tyx", data, [flat], [])
    assert np.array_equal(read_multiscale(made).levels[0], wanted)
    assert group_attributes(made)["omtask"]["saturated_voxels"] == saturated > 0
    assert not leftovers(tmp_path)


def test_another_profile_under_the_same_name_is_another_run(
    omtask: Program, tmp_path: Path, rng: np.random.Generator
) -> None:
    image = write_image(tmp_path / "image.zarr", samples.blobs_image(samples.SHARDED, rng))
    flat = stored(tmp_path / "flat", profile((50, 60), rng), "npy")
    omtask.run("illumination-correct", image, parameters={"flat_fields": [flat]})
    again = omtask.run("illumination-correct", image, parameters={"flat_fields": [flat]})
    assert again.report is not None and again.report.images[0]["status"] == "skipped"
    stored(tmp_path / "flat", profile((50, 60), rng), "npy")
    omtask.run("illumination-correct", image, parameters={"flat_fields": [flat]}, expect=73)


def test_profiles_that_cannot_be_used(
    omtask: Program, tmp_path: Path, rng: np.random.Generator
) -> None:
    image = write_image(tmp_path / "image.zarr", samples.blobs_image(samples.SHARDED, rng))
    good = profile((50, 60), rng)
    zero, inf = good.copy(), good.copy()
    zero[3, 4], inf[0, 1] = 0, np.inf
    fortran = np.asfortranarray(good)
    (tmp_path / "short.npy").write_bytes(b"")
    np.save(tmp_path / "cut.npy", good)
    whole = (tmp_path / "cut.npy").read_bytes()
    (tmp_path / "cut.npy").write_bytes(whole[:-3])
    for length in (3, 8, 9, 60, 127):
        (tmp_path / f"cut{length}.npy").write_bytes(whole[:length])
    with open(tmp_path / "second.npy", "wb") as file:
        np.lib.format.write_array(file, good, version=(2, 0))
    (tmp_path / "second.npy").write_bytes((tmp_path / "second.npy").read_bytes()[:11])
    (tmp_path / "other.npy").write_bytes(b"NUMPY, but not quite" * 20)
    (tmp_path / "a.tif").write_bytes(b"II*\0")
    before = tree(tmp_path)

    def refused(data: np.ndarray | Path, code: int, said: str, *words: str) -> None:
        path = data if isinstance(data, Path) else stored(tmp_path / "bad", data, "npy")
        failed = omtask(
            "run", "illumination-correct", image, "--flat-fields", path, *words, expect=code)
        assert said in failed.stderr and str(path) in failed.stderr, failed

    refused(zero, 65, "voxel 3, 4 of the flat field is 0.0")
    refused(inf, 65, "inf")
    refused(good[:49], 64, "49 x 60")
    refused(np.stack([good, good]), 64, "one plane")
    refused(fortran, 76, "ascontiguousarray")
    refused(good.astype(">f4"), 76, "ascontiguousarray")
    refused(tmp_path / "none.npy", 66, "no such file")
    refused(tmp_path / "short.npy", 65, "it holds 0 bytes, expected 10")
    for length, expected in ((3, 10), (8, 10), (9, 10), (60, 128), (127, 128)):
        said = f"header: it holds {length} bytes, expected {expected}"
        refused(tmp_path / f"cut{length}.npy", 65, said)
    refused(tmp_path / "second.npy", 65, "it holds 11 bytes, expected 12")
    refused(tmp_path / "cut.npy", 65, "holds 12125 bytes, expected 12128 for 50 x 60 numbers")
    refused(tmp_path / "other.npy", 76, "no .npy")
    refused(tmp_path / "a.tif", 76, "tifffile")
    flat = stored(tmp_path / "bad", good, "npy")
    assert "2 paths" in omtask(
        "run", "illumination-correct", image, "--flat-fields", f"{flat},{flat}", expect=64).stderr
    (tmp_path / "bad.npy").unlink()
    assert tree(tmp_path) == before
