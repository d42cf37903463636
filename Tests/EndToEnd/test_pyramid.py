"""Levels made in place are bit-equal to tensorstore's, whatever the image and however it is split."""

import json
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import zarr

from omtask_testing import faults, samples
from omtask_testing.images import PIXEL, Image, PlateShape, downsampled, write_image, write_plate
from omtask_testing.layouts import ALL_LAYOUTS, ZSTD, Layout, blosc_v2, describe
from omtask_testing.levels import assert_levels, assert_places, expected_levels, steps
from omtask_testing.program import Program
from omtask_testing.reading import group_attributes, ome, read_label, read_multiscale
from omtask_testing.trees import leftovers, tree

SHAPES = {
    "yx": (47, 61), "zyx": (13, 29, 31), "tyx": (3, 30, 25), "cyx": (2, 33, 37),
    "czyx": (2, 9, 21, 23), "tczyx": (2, 2, 7, 19, 23),
}
TYPES = ("uint8", "uint16", "int16", "uint32", "float32", "int8", "int32", "uint64", "float64", "bool")
METHODS = ("mean", "mode", "stride", "median", "min", "max")
TWO = {"z": 2, "y": 2, "x": 2}


def voxels(shape: tuple[int, ...], dtype: str, rng: np.random.Generator) -> np.ndarray:
    """Few values on one side, so that windows have ties, and the limits of the type on the other."""
    if dtype == "bool":
        return rng.random(shape) < 0.4
    if np.dtype(dtype).kind == "f":
        data = rng.normal(size=shape).astype(dtype)
        data[..., : shape[-1] // 2] = np.round(data[..., : shape[-1] // 2])
        return data
    limits = np.iinfo(dtype)
    data = rng.integers(limits.min, limits.max, size=shape, dtype=dtype, endpoint=True)
    data[..., : shape[-1] // 2] = rng.integers(0, 4, size=(*shape[:-1], shape[-1] // 2))
    return data


def cases() -> list[tuple[str, str, Layout, str, bool, dict[str, int]]]:
    """Every method with every type, shape and layout in turn."""
    axes, dealt = list(SHAPES), []
    for number in range(60):
        factors = [TWO, {"z": 1, "y": 3, "x": 2}, TWO, {"z": 2, "y": 4, "x": 3}][number % 4]
        dtype = TYPES[(number * 7 + number // 10) % len(TYPES)]
        method = METHODS[number * 5 % len(METHODS)]
        dealt.append((
            axes[(number + number // 6) % len(axes)], dtype,
            ALL_LAYOUTS[number * 11 % len(ALL_LAYOUTS)],
            "mode" if (dtype, method) == ("bool", "mean") else method, number % 3 == 1, factors))
    return dealt


def given(axes: str, factors: Mapping[str, int]) -> list[int]:
    return [factors[axis] for axis in axes if axis in "zyx"]


@pytest.mark.parametrize(
    ("axes", "dtype", "layout", "method", "from_base", "factors"), cases(), ids=describe)
def test_equals_tensorstore(
    axes: str, dtype: str, layout: Layout, method: str, from_base: bool,
    factors: dict[str, int], omtask: Program, tmp_path: Path, rng: np.random.Generator,
) -> None:
    data = voxels(SHAPES[axes], dtype, rng)
    image = write_image(tmp_path / "image.zarr", Image(axes, [data], layout))
    before = tree(image / "0")
    call = {"method": method, "levels": 4, "factors": given(axes, factors), "from_base": from_base}
    omtask.run("pyramid", image, parameters=call, threads=2)
    assert_levels(image, axes, data, steps(axes, data.shape, factors, 4), method, from_base)
    assert tree(image / "0") == before
    assert sorted(path.name for path in image.iterdir() if path.is_dir()) == ["0", "1", "2", "3"]
    assert not leftovers(tmp_path)
    files = tree(image)
    again = omtask.run("pyramid", image, parameters=call)
    assert again.report is not None and again.report.images[0]["status"] == "skipped"
    assert tree(image) == files


LAYOUTS = (
    Layout("v2-small", "0.4", (7, 9, 11), compression=(blosc_v2("lz4", 1),)),
    Layout("v3-one-chunk", "0.5", (64,), compression=(ZSTD,)),
    Layout("shards-of-8", "0.5", (8,), (2,), (ZSTD,)),
    Layout("shards-flat", "0.5", (5, 8, 8), (1, 3, 2), (ZSTD,), index_location="start"),
)
ENGINES = [{"threads": n} for n in (1, 2, 4)] + [{"ranks": n} for n in (1, 2, 3, 5)]


@pytest.mark.parametrize("from_base", [False, True], ids=["cascade", "base"])
@pytest.mark.parametrize("layout", LAYOUTS, ids=describe)
def test_every_engine_writes_the_same_files(
    layout: Layout, from_base: bool, omtask: Program, tmp_path: Path
) -> None:
    data = np.random.default_rng(5).integers(0, 60000, size=(25, 34, 41)).astype(np.uint16)
    original = write_image(tmp_path / "image.zarr", Image("zyx", [data], layout))
    call = {"levels": 4, "factors": 2, "from_base": from_base}
    reference: dict[str, str] | None = None
    for number, engine in enumerate(ENGINES):
        image = Path(shutil.copytree(original, tmp_path / str(number) / "image.zarr"))
        omtask.run("pyramid", image, parameters=call, **engine)
        files = tree(image)
        if reference is None:
            reference = files
            assert_levels(image, "zyx", data, steps("zyx", data.shape, TWO, 4), "mean", from_base)
        assert files == reference, f"{engine} differs from {ENGINES[0]}"


def large(path: Path, chunk: tuple[int, ...], dtype: str = "uint16") -> np.ndarray:
    """An image of several regions, so that ranks share coarser write units."""
    rng = np.random.default_rng(8)
    data = rng.integers(0, 60, size=(70, 300, 310)).astype(dtype)
    write_image(path, Image("zyx", [data], Layout("large", "0.5", chunk, (2,), (ZSTD,))))
    return data


@pytest.mark.parametrize("from_base", [False, True], ids=["cascade", "base"])
@pytest.mark.parametrize("chunk", [(32,), (25, 40, 33)], ids=str)
def test_regions_of_several_ranks(
    chunk: tuple[int, ...], from_base: bool, omtask: Program, tmp_path: Path
) -> None:
    trees = []
    for number, engine in enumerate([{"threads": 2}, {"ranks": 3}]):
        image = tmp_path / f"{number}/image.zarr"
        data = large(image, chunk)
        call = {"levels": 5, "factors": 2, "from_base": from_base, "method": "median"}
        omtask.run("pyramid", image, parameters=call, **engine)
        trees.append(tree(image))
        # Times of the voxels read are part of what a run is.
        for name in [n for n in trees[-1] if n.endswith("zarr.json")]:
            del trees[-1][name]
    assert_levels(image, "zyx", data, steps("zyx", data.shape, TWO, 5), "median", from_base)
    assert trees[0] == trees[1]


# Which levels


def test_without_a_word_levels_go_down_to_a_chunk(
    omtask: Program, tmp_path: Path, rng: np.random.Generator
) -> None:
    data = rng.integers(0, 900, size=(11, 100, 130)).astype(np.uint16)
    layout = Layout("16", "0.5", (16,), compression=(ZSTD,))
    image = write_image(tmp_path / "image.zarr", Image("zyx", [data], layout))
    # z is 0.75, y and x are 0.325 wide: more than twice, so planes get smaller first.
    assert PIXEL["z"] / PIXEL["x"] > 2
    omtask.run("pyramid", image)
    by = [[1, 2, 2], [2, 2, 2], [2, 2, 2], [2, 2, 2]]
    assert_levels(image, "zyx", data, by, "mean")


@pytest.mark.parametrize("layout", samples.BOTH, ids=describe)
def test_levels_that_are_there_keep_their_shapes_and_scales(
    layout: Layout, omtask: Program, tmp_path: Path, rng: np.random.Generator
) -> None:
    data = rng.integers(0, 900, size=(11, 61, 47)).astype(np.uint16)
    # Sizes rounded down, as some writers do.
    levels = [data, data[:10:2, :60:2, :46:2], data[:8:4, :60:4, :44:4]]
    image = write_image(tmp_path / "image.zarr", Image("zyx", levels, layout))
    name = "zarr.json" if layout.version == "0.5" else ".zattrs"
    text = (image / name).read_text()
    (image / name).write_text(text.replace("0.65", "0.6500"))
    omtask.run("pyramid", image, parameters={"method": "max"})
    made = read_multiscale(image)
    assert [level.shape for level in made.levels] == [level.shape for level in levels]
    wanted = expected_levels(data[:10, :60, :46], [[2, 2, 2]], "max")[1]
    assert np.array_equal(made.levels[1], wanted)
    assert np.array_equal(
        made.levels[2], expected_levels(wanted[:4, :, :22], [[2, 2, 2]], "max")[1])
    assert_places(image, "zyx", [[2, 2, 2], [2, 2, 2]], "max")
    # The texts of numbers that are the same stay.
    assert "0.6500" in (image / name).read_text()
    # The old levels are gone, and the new ones have other names; then the first are free again.
    paths = [d["path"] for d in ome(image)["multiscales"][0]["datasets"]]
    assert paths == ["0", "1_2", "2_2"]
    assert sorted(p.name for p in image.iterdir() if p.is_dir()) == paths
    omtask.run("pyramid", image, parameters={"method": "min"})
    assert [d["path"] for d in ome(image)["multiscales"][0]["datasets"]] == ["0", "1", "2"]
    assert not leftovers(tmp_path)


def test_more_and_fewer_levels(
    omtask: Program, tmp_path: Path, rng: np.random.Generator
) -> None:
    data = rng.integers(0, 900, size=(11, 61, 47)).astype(np.uint16)
    image = write_image(
        tmp_path / "image.zarr", Image("zyx", downsampled("zyx", data, 3), samples.SHARDED))
    for count in (2, 4, 3):
        omtask.run("pyramid", image, parameters={"levels": count, "factors": 2})
        assert_levels(image, "zyx", data, steps("zyx", data.shape, TWO, count), "mean")
        assert len([p for p in image.iterdir() if p.is_dir()]) == count


@pytest.mark.parametrize("layout", samples.BOTH, ids=describe)
def test_everything_foreign_stays(
    layout: Layout, omtask: Program, tmp_path: Path, rng: np.random.Generator
) -> None:
    data = rng.integers(0, 900, size=(11, 61, 47)).astype(np.uint16)
    image = write_image(
        tmp_path / "image.zarr",
        Image("zyx", downsampled("zyx", data, 2), layout, attributes={"mine": {"b": 1, "a": 2}}))
    name = "zarr.json" if layout.version == "0.5" else ".zattrs"
    document = json.loads((image / name).read_text())
    keys = document["attributes"]["ome"] if layout.version == "0.5" else document
    keys["multiscales"][0]["datasets"][1]["theirs"] = "x"
    keys["multiscales"][0]["note"] = "n"
    keys["multiscales"].append({"name": "other", "datasets": [{"path": "1"}]})
    (document if layout.is_v2 else document["attributes"])["zzz"] = 12345678901234567890
    (image / name).write_text(json.dumps(document).replace("0.325", "0.32500"))
    omtask.run("pyramid", image, parameters={"method": "median"})
    text = (image / name).read_text()
    assert "0.32500" in text and "12345678901234567890" in text
    after = json.loads(text)
    assert list(after) == list(document)
    assert group_attributes(image)["mine"] == {"b": 1, "a": 2}
    entry = ome(image)["multiscales"][0]
    assert entry["note"] == "n" and entry["datasets"][1]["theirs"] == "x"
    # Another image in the same group still has its level.
    assert (image / "1").is_dir() and entry["datasets"][1]["path"] == "1_2"


# Label images


def test_label_images_get_the_levels_of_their_image(
    omtask: Program, tmp_path: Path, rng: np.random.Generator
) -> None:
    image = write_image(
        tmp_path / "image.zarr",
        samples.blobs_image(samples.SHARDED, rng, levels=2, channels=None))
    omtask.threshold(image, parameters={"threshold": 700, "label_name": "a"})
    omtask.threshold(image, parameters={"threshold": 900, "label_name": "b", "level": 1})
    finest = {name: read_label(image, name).levels[0] for name in "ab"}
    data = read_multiscale(image).levels[0]
    omtask.run("pyramid", image, parameters={"levels": 4, "factors": [1, 2, 2]})
    flat = {"z": 1, "y": 2, "x": 2}
    assert_levels(image, "zyx", data, steps("zyx", data.shape, flat, 4), "mean")
    assert_levels(
        image / "labels/a", "zyx", finest["a"], steps("zyx", finest["a"].shape, flat, 4), "mode")
    # Made of a level that the image no longer has.
    assert len(read_label(image, "b").levels) == 1
    files = tree(image)
    again = omtask.run("pyramid", image, parameters={"levels": 4, "factors": [1, 2, 2]})
    assert again.report is not None and again.report.images[0]["status"] == "skipped"
    assert tree(image) == files
    assert not leftovers(tmp_path)


def test_label_images_that_fit_stay_as_they_are(
    omtask: Program, tmp_path: Path, rng: np.random.Generator
) -> None:
    image = write_image(tmp_path / "image.zarr", samples.blobs_image(samples.V2, rng, levels=3))
    omtask.threshold(image, parameters={"threshold": 700, "label_name": "a"})
    before = tree(image / "labels")
    omtask.run("pyramid", image)
    assert tree(image / "labels") == before
    omtask.run("pyramid", image, parameters={"levels": 2, "labels": "leave"})
    assert tree(image / "labels") == before


def test_a_label_image_by_itself_follows_its_image(
    omtask: Program, tmp_path: Path, rng: np.random.Generator
) -> None:
    image = write_image(tmp_path / "image.zarr", samples.blobs_image(samples.SHARDED, rng, levels=3))
    omtask.threshold(
        image, parameters={"threshold": 700, "label_name": "a", "pyramid": "stride"})
    finest = read_label(image, "a").levels[0]
    omtask.run("pyramid", image / "labels/a")
    assert_levels(image / "labels/a", "zyx", finest, steps("zyx", finest.shape, TWO, 3), "mode")
    assert len(read_multiscale(image).levels) == 3
    assert not leftovers(tmp_path)


# Where images lie


@pytest.mark.parametrize("layout", samples.BOTH, ids=describe)
def test_a_plate_and_its_copies_of_metadata(
    layout: Layout, omtask: Program, tmp_path: Path, rng: np.random.Generator
) -> None:
    shape = PlateShape(2, 2, 2)
    images = {
        path: samples.blobs_image(layout, rng, "czyx", (2, 8, 40, 44), levels=2)
        for path in shape.images
    }
    root = write_plate(tmp_path / "plate.zarr", shape, images)
    zarr.consolidate_metadata(root)
    zarr.consolidate_metadata(root / "A/01/0")
    omtask.run("pyramid", root, parameters={"levels": 3, "factors": 2, "method": "max"}, threads=2)
    for opened, prefix in [(zarr.open_consolidated(root), None),
                           (zarr.open_consolidated(root / "A/01/0"), "A/01/0")]:
        for path, image in images.items():
            if prefix not in (None, path):
                continue
            group = opened[path] if prefix is None else opened
            keys = group.attrs.get("ome", group.attrs)
            levels = expected_levels(
                image.levels[0], steps("czyx", (2, 8, 40, 44), TWO, 3), "max")
            datasets = keys["multiscales"][0]["datasets"]
            assert [d["path"] for d in datasets] == ["0", "1_2", "2_2"]
            for dataset, level in zip(datasets, levels, strict=True):
                assert np.array_equal(group[dataset["path"]][...], level)
            assert "1" not in dict(group.arrays())
    assert not leftovers(tmp_path)


# What cannot be done


@pytest.mark.parametrize(("words", "code", "said"), [
    (["--factors", "1"], 64, "1 along every axis"),
    (["--factors", "2,2"], 64, "has 2 numbers"),
    (["--levels", "30", "--factors", "2"], 64, "gets no smaller"),
    (["--levels", "1"], 64, "2"),
    (["--select", "z=1"], 64, "whole image"),
    (["--output", "out.zarr"], 64, "convert"),
    (["--method", "gaussian"], 64, "method"),
    (["--factors", "100000"], 79, "limit"),
], ids=lambda value: "-".join(value) if isinstance(value, list) else "")
def test_refusals_leave_everything(
    words: list[str], code: int, said: str, omtask: Program, tmp_path: Path,
    rng: np.random.Generator,
) -> None:
    shape = (300, 300, 300) if said == "limit" else (20, 50, 60)
    image = write_image(
        tmp_path / "image.zarr",
        Image("zyx", [np.zeros(shape, np.uint8)], Layout("64", "0.5", (64,))))
    before = tree(tmp_path)
    failed = omtask("run", "pyramid", image, *words, expect=code)
    assert said in failed.stderr
    assert tree(tmp_path) == before


def test_channels_do_not_get_fewer(
    omtask: Program, tmp_path: Path, rng: np.random.Generator
) -> None:
    data = rng.integers(0, 9, size=(4, 20, 22)).astype(np.uint8)
    image = write_image(
        tmp_path / "image.zarr", Image("cyx", [data, data[::2, ::2, ::2]], samples.SHARDED))
    assert "--factors" in omtask("run", "pyramid", image, expect=76).stderr
    assert "only axes of space" in omtask(
        "run", "pyramid", image, "--factors", "2,2,2", expect=64).stderr
    omtask.run("pyramid", image, parameters={"factors": 2})
    assert_levels(image, "cyx", data, [[1, 2, 2]], "mean")


def test_a_small_image_has_levels_enough(omtask: Program, tmp_path: Path) -> None:
    image = write_image(
        tmp_path / "image.zarr", Image("yx", [np.zeros((9, 9), np.uint8)], samples.SHARDED))
    before = tree(image)
    assert "one level is enough" in omtask("run", "pyramid", image).stderr
    assert tree(image) == before


def test_fill_values_and_damage(
    omtask: Program, tmp_path: Path, rng: np.random.Generator
) -> None:
    data = rng.integers(1, 99, size=(16, 32, 32)).astype(np.uint16)
    layout = Layout("crc", "0.5", (8,), compression=({"name": "crc32c"},))
    image = write_image(tmp_path / "image.zarr", Image("zyx", [data], layout))
    document = json.loads((image / "0/zarr.json").read_text())
    document["fill_value"] = 7
    (image / "0/zarr.json").write_text(json.dumps(document))
    (image / "0/c/0/1/2").unlink()
    data[0:8, 8:16, 16:24] = 7
    chunk = image / "0/c/1/3/3"
    chunk.write_bytes(bytes([chunk.read_bytes()[0] ^ 1]) + chunk.read_bytes()[1:])
    before = tree(image)
    assert "checksum" in omtask("run", "pyramid", image, "--factors", "2", expect=65).stderr
    assert tree(image) == before
    omtask.run("pyramid", image, parameters={"factors": 2}, extra=["--on-damage", "fill"])
    data[8:16, 24:32, 24:32] = 7
    found = coarse_levels(image)
    for level, wanted in zip(found, expected_levels(data, [[2, 2, 2], [2, 2, 2]], "mean")[1:]):
        assert np.array_equal(level, wanted)


def coarse_levels(image: Path) -> list[np.ndarray]:
    datasets = ome(image)["multiscales"][0]["datasets"]
    return [zarr.open_array(image / d["path"], mode="r")[...] for d in datasets[1:]]


# Stops


@pytest.mark.parametrize("ranks", [None, 2])
@pytest.mark.parametrize(("do", "nth"), [("kill", 8), ("kill", 25), ("kill_after", 34)])
def test_going_on_makes_the_same(
    do: str, nth: int, ranks: int | None, omtask: Program, tmp_path: Path
) -> None:
    image = tmp_path / "image.zarr"
    data = large(image, (16,))
    call = {"levels": 4, "factors": 2}
    env = faults.injected(image / ".omtask", "rename", do, nth=nth)
    omtask.run("pyramid", image, parameters=call, ranks=ranks, env=env, expect=None)
    assert len(ome(image)["multiscales"][0]["datasets"]) == 1
    assert "unfinished run" in omtask("runs", image).stdout
    assert "was not finished" in omtask("verify", image, expect=None).stdout
    omtask.run("pyramid", image, parameters=call, threads=2)
    assert_levels(image, "zyx", data, steps("zyx", data.shape, TWO, 4), "mean")
    assert not leftovers(tmp_path)


def test_what_a_run_left_can_be_removed(omtask: Program, tmp_path: Path) -> None:
    image = tmp_path / "image.zarr"
    large(image, (16,))
    before = tree(image)
    env = faults.injected(image / ".omtask", "rename", "kill", nth=30)
    omtask.run("pyramid", image, parameters={"factors": 2}, env=env, expect=None)
    omtask("clean", image)
    assert tree(image) == before
