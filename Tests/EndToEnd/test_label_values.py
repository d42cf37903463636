"""Objects of equal values (`label-objects --mode equal-values`) are those of scikit-image's `label`."""

import json
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from skimage.measure import label as components

from omtask_testing import faults, patterns, samples
from omtask_testing.images import Image, downsampled, write_group, write_image
from omtask_testing.labels import numbered_parts
from omtask_testing.layouts import ALL_LAYOUTS, ZSTD, Layout, describe
from omtask_testing.memory import run_as_planned
from omtask_testing.program import Program
from omtask_testing.reading import read_label
from omtask_testing.trees import leftovers, tree

SHAPES = {"yx": (47, 61), "zyx": (13, 29, 31), "tyx": (3, 30, 25), "tzyx": (2, 7, 19, 23)}
# The numbers that stand for 1, 2 and 3: those that are easily taken for each other.
VALUES: dict[str, tuple[int, ...]] = {
    "uint8": (1, 2, 255), "int8": (-128, 127, -1), "uint16": (1, 257, 65535), "int16": (1, -1, 256),
    "uint32": (1, 65537, 2**32 - 1), "int32": (-1, 255, 65535), "int64": (-(2**63), 1, 2**32 + 1),
    "uint64": (1, 2**32 + 1, 2**64 - 1), "bool": (1, 1, 1),
}
CALLS: list[dict[str, Any]] = [
    {}, {"connectivity": "faces"}, {"connectivity": "edges"}, {"min_size": 3, "max_size": 60},
    {"clear_border": True, "connectivity": "faces"}, {"dtype": "uint64", "connectivity": "edges"},
]
PATTERNS = patterns.ADVERSARIAL + patterns.ORDINARY


def filled(mask: np.ndarray, how: int, rng: np.random.Generator) -> np.ndarray:
    """Labels 0 to 3 within a mask: inside and outside, in blocks, or voxel by voxel."""
    if how == 0:
        return np.where(mask, 1, 2)
    if how == 1:
        return mask * (1 + (np.indices(mask.shape) // 5).sum(0) % 3)
    return mask * rng.integers(1, 4, size=mask.shape)


def write(path: Path, axes: str, dtype: str, layout: Layout, pattern: Any, how: int) -> np.ndarray:
    """Writes an image and its label image `parts`; returns the labels as 0 to 3."""
    rng = np.random.default_rng([len(axes), how])
    shape = SHAPES[axes]
    spatial = sum(axis in "zyx" for axis in axes)
    labels = np.empty(shape, np.int64)
    for index in np.ndindex(shape[:-spatial]):
        labels[index] = filled(pattern(shape[-spatial:], rng), how, rng)
    stored = np.array((0, *VALUES[dtype]), dtype)[labels]
    write_image(path, Image(axes, [np.zeros(shape, np.uint8)], layout))
    write_group(path / "labels", layout.version, {"labels": ["parts"]})
    write_image(path / "labels/parts", Image(axes, downsampled(axes, stored, 2), layout))
    return np.minimum(labels, 1) if dtype == "bool" else labels


CASES = [
    (
        list(SHAPES)[number % 4], list(VALUES)[number % 9], ALL_LAYOUTS[number * 5 % len(ALL_LAYOUTS)],
        PATTERNS[number % len(PATTERNS)], number // len(PATTERNS), CALLS[number % len(CALLS)],
    )
    for number in range(3 * len(PATTERNS))
]


@pytest.mark.parametrize(
    ("axes", "dtype", "layout", "pattern", "how", "parameters"), CASES,
    ids=lambda value: value.__name__ if callable(value) else describe(value))
def test_equals_scikit_image(
    axes: str, dtype: str, layout: Layout, pattern: Any, how: int, parameters: Mapping[str, Any],
    omtask: Program, tmp_path: Path,
) -> None:
    path = tmp_path / "image.zarr"
    labels = write(path, axes, dtype, layout, pattern, how)
    call = {"label": "parts", "mode": "equal-values"} | parameters
    done = omtask.run("label-objects", path, parameters=call, threads=2)
    found = read_label(path, "parts_objects")
    ought = numbered_parts(axes, labels, parameters)
    assert found.levels[0].dtype == parameters.get("dtype", "uint32")
    assert np.array_equal(found.levels[0], ought)
    assert done.report.objects("parts_objects") == ought.max()
    assert not leftovers(path)


@pytest.mark.parametrize("how", range(3))
@pytest.mark.parametrize("layout", [samples.SHARDED, samples.V2], ids=describe)
def test_every_engine_writes_the_same_files(
    layout: Layout, how: int, omtask: Program, tmp_path: Path
) -> None:
    original = tmp_path / "image.zarr"
    labels = write(original, "tzyx", "uint64", layout, patterns.dense, how)
    parameters = {"label": "parts", "mode": "equal-values", "connectivity": "edges"}
    reference: dict[str, str] | None = None
    for number, engine in enumerate(
        [{"threads": 1}, {"threads": 4}, {"ranks": 2}, {"ranks": 3}, {"ranks": 5}]
    ):
        copy = Path(shutil.copytree(original, tmp_path / str(number) / "image.zarr"))
        omtask.run("label-objects", copy, parameters=parameters, **engine)
        files = tree(copy)
        reference = reference or files
        assert files == reference, engine
    made = read_label(copy, "parts_objects").levels[0]
    assert np.array_equal(made, numbered_parts("tzyx", labels, parameters))


@pytest.mark.parametrize("nth", [1, 3, 6, 10])
def test_a_killed_run_goes_on(nth: int, omtask: Program, tmp_path: Path) -> None:
    path = tmp_path / "image.zarr"
    labels = write(path, "zyx", "int16", samples.V2, patterns.dense, 1)
    parameters = {"label": "parts", "mode": "equal-values"}
    env = faults.injected(path, "rename", "kill", nth=nth)
    omtask.run("label-objects", path, parameters=parameters, expect=-9, env=env)
    omtask.run("label-objects", path, parameters=parameters, ranks=2)
    made = read_label(path, "parts_objects").levels[0]
    assert np.array_equal(made, numbered_parts("zyx", labels, {}))
    assert not leftovers(path)


def test_runs_that_are_dropped_between_passes_are_found_again(
    omtask: Program, tmp_path: Path
) -> None:
    rng = np.random.default_rng(4)
    labels = np.kron(rng.integers(0, 4, size=(12, 12, 48)), np.ones((16, 16, 4), np.int64))
    layout = Layout("runs", "0.5", (64, 64, 64))
    path = write_image(tmp_path / "image.zarr", Image("zyx", [np.zeros(labels.shape, np.uint8)], layout))
    write_group(path / "labels", "0.5", {"labels": ["parts"]})
    write_image(path / "labels/parts", Image("zyx", [labels.astype("uint32")], layout))
    parameters = {"label": "parts", "mode": "equal-values"}
    omtask.run("label-objects", path, parameters=parameters, extra=["--memory", "48M"])
    made = read_label(path, "parts_objects").levels[0]
    assert np.array_equal(made, components(labels, background=0))


def test_only_voxels_that_count_are_labelled(omtask: Program, tmp_path: Path) -> None:
    path = tmp_path / "image.zarr"
    labels = write(path, "zyx", "uint16", samples.SHARDED, patterns.dense, 1)
    within = patterns.blobs(SHAPES["zyx"], np.random.default_rng(2), voxels_each=400)
    write_group(path / "labels", "0.5", {"labels": ["parts", "within"]})
    write_image(
        path / "labels/within",
        Image("zyx", downsampled("zyx", within.astype("uint8"), 2), samples.SHARDED))
    call = {"label": "parts", "mode": "equal-values"}
    omtask.run("label-objects", path, parameters=call | {"masking_label": "within", "label_name": "a"})
    assert np.array_equal(
        read_label(path, "a").levels[0], numbered_parts("zyx", labels * within, {}))
    part = np.zeros_like(within)
    part[2:9, 5:20, 7:31] = True
    omtask.run(
        "label-objects", path, parameters=call | {"label_name": "b"},
        extra=["--select", "z=2:9,y=5:20,x=7:31"])
    assert np.array_equal(read_label(path, "b").levels[0], numbered_parts("zyx", labels * part, {}))


@pytest.mark.parametrize("layout", [samples.SHARDED, samples.V2], ids=describe)
def test_chunks_that_are_not_stored_have_the_fill_value(
    layout: Layout, omtask: Program, tmp_path: Path
) -> None:
    path = tmp_path / "image.zarr"
    write(path, "yx", "uint8", layout, patterns.full, 1)
    array = path / "labels/parts/0"
    document = array / ("zarr.json" if layout.version == "0.5" else ".zarray")
    document.write_text(json.dumps(json.loads(document.read_text()) | {"fill_value": 9}))
    for entry in array.iterdir():
        if entry != document:
            shutil.rmtree(entry) if entry.is_dir() else entry.unlink()
    omtask.run("label-objects", path, parameters={"label": "parts", "mode": "equal-values"})
    assert (read_label(path, "parts_objects").levels[0] == 1).all()


def test_foreground_joins_what_equal_values_keeps_apart(omtask: Program, tmp_path: Path) -> None:
    path = tmp_path / "image.zarr"
    labels = write(path, "yx", "uint8", samples.V2, patterns.cells, 0)
    omtask.run("label-objects", path, parameters={"label": "parts"})
    assert read_label(path, "parts_objects").levels[0].max() == 1
    refused = omtask.run(
        "label-objects", path, parameters={"label": "parts", "mode": "equal-values"}, expect=73)
    assert "with other parameters" in refused.stderr
    again = omtask.run("label-objects", path, parameters={"label": "parts", "mode": "foreground"})
    assert "nothing to do" in again.stderr
    omtask.run(
        "label-objects", path,
        parameters={"label": "parts", "mode": "equal-values", "overwrite": True})
    assert np.array_equal(
        read_label(path, "parts_objects").levels[0], numbered_parts("yx", labels, {}))


@pytest.mark.parametrize(("mode", "code", "says"), [
    ("equal", 64, "equal-values"), ("equal-values", 76, "float32"),
])
def test_what_cannot_be_compared_is_refused(
    mode: str, code: int, says: str, omtask: Program, tmp_path: Path
) -> None:
    path = tmp_path / "image.zarr"
    write_image(path, Image("yx", [np.zeros(SHAPES["yx"], np.uint8)], samples.V2))
    write_group(path / "labels", "0.4", {"labels": ["parts"]})
    write_image(path / "labels/parts", Image("yx", [np.ones(SHAPES["yx"], "float32")], samples.V2))
    before = tree(path)
    call = {"label": "parts", "mode": mode}
    assert says in omtask.run("label-objects", path, parameters=call, expect=code).stderr
    assert tree(path) == before


@pytest.mark.parametrize("ranks", [1, 2])
def test_peak_memory_is_what_the_plan_says(ranks: int, omtask: Program, tmp_path: Path) -> None:
    rng = np.random.default_rng(8)
    shape = (256, 512, 512)
    labels = np.kron(
        rng.integers(0, 4, size=(16, 32, 32)).astype("uint16"), np.ones((16,) * 3, "uint16"))
    layout = Layout("large", "0.5", (64,), (2,), (ZSTD,))
    path = write_image(
        tmp_path / "image.zarr", Image("zyx", [np.broadcast_to(np.uint8(0), shape)], layout))
    write_group(path / "labels", "0.5", {"labels": ["parts"]})
    write_image(path / "labels/parts", Image("zyx", [labels], layout))
    words = ["label-objects", str(path), "--label", "parts", "--mode", "equal-values",
             "--threads", str(3 - ranks)]
    run_as_planned(omtask, words, ranks, 4 << 30)
