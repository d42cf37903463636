"""Labels that stay are those that scikit-image and NumPy keep, on any number of threads and ranks."""

import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from skimage.measure import label as label_components
from skimage.segmentation import clear_border

from omtask_testing import faults, patterns, samples
from omtask_testing.labels import (
    SHAPES, TYPES, assert_filtered, expected, labels_of, write_labels,
)
from omtask_testing.layouts import ALL_LAYOUTS, ZSTD, Layout, describe
from omtask_testing.program import Program
from omtask_testing.reading import listed_labels, read_label
from omtask_testing.trees import leftovers, tree

CALLS: list[dict[str, Any]] = [
    {}, {"min_size": 5}, {"max_size": 40}, {"min_size": 3, "max_size": 60, "relabel": True},
    {"clear_border": "yx"}, {"clear_border": "zyx", "relabel": True}, {"keep_largest": 2},
    {"keep_largest": 1, "clear_border": "yx", "min_size": 4}, {"relabel": True},
    {"min_size": 100000}, {"max_size": 30, "keep_largest": 3, "relabel": True},
]


CASES = [
    (list(SHAPES)[(n + n // 6) % 6], TYPES[n * 3 % len(TYPES)], ALL_LAYOUTS[n * 7 % len(ALL_LAYOUTS)],
     CALLS[n % len(CALLS)]) for n in range(44)
]


@pytest.mark.parametrize(("axes", "dtype", "layout", "call"), CASES, ids=describe)
def test_equals_the_oracle(
    axes: str, dtype: str, layout: Layout, call: Mapping[str, Any], omtask: Program,
    tmp_path: Path, rng: np.random.Generator,
) -> None:
    labels = labels_of(axes, dtype, rng)
    image = write_labels(tmp_path / "image.zarr", axes, labels, layout)
    before = tree(image / "labels/old")
    done = omtask.run("filter-labels", image, parameters=dict(call) | {"label": "old"}, threads=2)
    assert_filtered(image, axes, labels, call)
    assert tree(image / "labels/old") == before
    assert listed_labels(image) == ["old", "old_filtered"]
    kept = np.unique(expected(axes, labels, call))
    assert done.report is not None and done.report.objects("old_filtered") == (kept > 0).sum()
    assert not leftovers(tmp_path)


@pytest.mark.parametrize("shape", [(60, 71), (20, 40, 43)], ids=str)
def test_the_border_is_that_of_scikit_image(
    shape: tuple[int, ...], omtask: Program, tmp_path: Path, rng: np.random.Generator
) -> None:
    """Where each label is one piece; a label of several pieces goes as a whole."""
    axes = "zyx"[-len(shape):]
    labels = label_components(patterns.blobs(shape, rng)).astype(np.uint16)
    image = write_labels(tmp_path / "image.zarr", axes, labels, samples.SHARDED)
    omtask.run("filter-labels", image, parameters={"label": "old", "clear_border": "zyx"})
    assert np.array_equal(read_label(image, "old_filtered").levels[0], clear_border(labels))


LAYOUTS = (
    Layout("small", "0.5", (8,), (2,), (ZSTD,)), Layout("v2", "0.4", (9, 16, 15)),
    Layout("one", "0.5", (64,), compression=(ZSTD,)),
)
ENGINES = [{"threads": n} for n in (1, 2, 4)] + [{"ranks": n} for n in (1, 2, 3, 5)]


@pytest.mark.parametrize(
    ("call", "layout"), list(zip([CALLS[3], CALLS[7], CALLS[10]], LAYOUTS)), ids=describe)
def test_every_engine_writes_the_same_files(
    call: Mapping[str, Any], layout: Layout, omtask: Program, tmp_path: Path
) -> None:
    rng = np.random.default_rng(5)
    labels = labels_of("tzyx", "uint16", rng, (3, 25, 34, 41))
    original = write_labels(tmp_path / "image.zarr", "tzyx", labels, layout)
    reference: dict[str, str] | None = None
    for number, engine in enumerate(ENGINES):
        image = Path(shutil.copytree(original, tmp_path / str(number) / "image.zarr"))
        omtask.run("filter-labels", image, parameters=dict(call) | {"label": "old"}, **engine)
        files = tree(image)
        if reference is None:
            reference = files
            assert_filtered(image, "tzyx", labels, call)
        assert files == reference, f"{engine} differs from {ENGINES[0]}"


@pytest.mark.parametrize("pattern", ["snake", "one", "checkerboard", "empty", "many", "wide"])
def test_labels_that_are_hard_on_regions(pattern: str, omtask: Program, tmp_path: Path) -> None:
    """Several regions, and labels that lie in all of them or in a single voxel."""
    shape = (40, 210, 190)
    rng = np.random.default_rng(9)
    index = np.arange(np.prod(shape), dtype=np.uint64).reshape(shape)
    labels = {
        "snake": np.where(index % 190 < 3, 7, 0), "one": np.full(shape, 9),
        "checkerboard": np.where(np.indices(shape).sum(0) % 2, 3, 5),
        "empty": np.zeros(shape), "many": np.where(index % 7 == 0, index // 7 + 1, 0),
        "wide": rng.choice(np.array([0, 2**33, 2**40 + 1, 2**63], np.uint64), size=shape),
    }[pattern].astype(np.uint64)
    layout = Layout("regions", "0.5", (20, 60, 64), (1, 2, 1), (ZSTD,))
    call = {"min_size": 1, "relabel": True, "keep_largest": 100000}
    trees = []
    for number, engine in enumerate([{"threads": 2}, {"ranks": 3}]):
        image = write_labels(tmp_path / f"{number}/image.zarr", "zyx", labels, layout, 1)
        omtask.run("filter-labels", image, parameters=call | {"label": "old"}, **engine)
        assert np.array_equal(
            read_label(image, "old_filtered").levels[0], expected("zyx", labels, call))
        trees.append(tree(image / "labels/old_filtered/0"))
    assert trees[0] == trees[1]


def test_only_selected_voxels_count(
    omtask: Program, tmp_path: Path, rng: np.random.Generator
) -> None:
    labels = labels_of("tzyx", "uint16", rng, (2, 12, 40, 45))
    image = write_labels(tmp_path / "image.zarr", "tzyx", labels, samples.SHARDED)
    call = {"clear_border": "yx", "min_size": 4}
    omtask.run("filter-labels", image, parameters=call | {"label": "old"},
               extra=["--select", "t=1,z=2:9,x=5:33"])
    wanted = np.zeros(labels.shape, np.uint16)
    wanted[1:, 2:9, :, 5:33] = expected("tzyx", labels[1:, 2:9, :, 5:33], call)
    assert np.array_equal(read_label(image, "old_filtered").levels[0], wanted)


def test_numbers_must_fit(omtask: Program, tmp_path: Path) -> None:
    labels = np.zeros((20, 30), np.uint16)
    labels[2:4, 2:4], labels[9, 9] = 300, 7
    image = write_labels(tmp_path / "image.zarr", "yx", labels, samples.SHARDED)
    call = {"label": "old", "dtype": "uint8"}
    failed = omtask.run("filter-labels", image, parameters=call, expect=64)
    assert "300" in failed.stderr and "255" in failed.stderr
    assert listed_labels(image) == ["old"] and not leftovers(tmp_path)
    omtask.run("filter-labels", image, parameters=call | {"relabel": True})
    found = read_label(image, "old_filtered").levels[0]
    assert found.dtype == np.uint8 and found[2, 2] == 2 and found[9, 9] == 1


@pytest.mark.parametrize(("words", "code", "said"), [
    (["--label", "none"], 64, "no label image `none`"),
    (["--label", "old", "--label-name", "old"], 64, "the name of the label image"),
    (["--label", "old", "--min-size", "9", "--max-size", "3"], 64, "above"),
    (["--label", "old", "--keep-largest", "0"], 64, "--keep-largest"),
    (["--label", "old", "--clear-border", "x"], 64, "--clear-border"),
    ([], 64, "label"),
], ids=str)
def test_refusals(words: list[str], code: int, said: str, omtask: Program, tmp_path: Path) -> None:
    image = write_labels(
        tmp_path / "image.zarr", "yx", np.ones((20, 30), np.uint8), samples.SHARDED)
    before = tree(image)
    assert said in omtask("run", "filter-labels", image, *words, expect=code).stderr
    assert tree(image) == before


def test_labels_below_zero_are_no_labels(omtask: Program, tmp_path: Path) -> None:
    labels = np.zeros((20, 30), np.int16)
    labels[3, 4] = -2
    image = write_labels(tmp_path / "image.zarr", "yx", labels, samples.SHARDED)
    failed = omtask("run", "filter-labels", image, "--label", "old", expect=1)
    assert "voxel 3, 4 is -2" in failed.stderr


@pytest.mark.parametrize("ranks", [None, 2])
@pytest.mark.parametrize("nth", [3, 9, 14])
def test_going_on_makes_the_same(nth: int, ranks: int | None, omtask: Program, tmp_path: Path) -> None:
    rng = np.random.default_rng(3)
    labels = labels_of("tyx", "uint32", rng, (24, 40, 50))
    layout = Layout("planes", "0.5", (1, 64, 64), None, (ZSTD,))
    image = write_labels(tmp_path / "image.zarr", "tyx", labels, layout)
    call = {"min_size": 4, "relabel": True}
    env = faults.injected(image / ".omtask", "rename", "kill", nth=nth)
    omtask.run("filter-labels", image, parameters=call | {"label": "old"}, ranks=ranks, env=env,
               expect=None)
    assert listed_labels(image) == ["old"]
    omtask.run("filter-labels", image, parameters=call | {"label": "old"}, threads=2)
    assert_filtered(image, "tyx", labels, call)
    assert not leftovers(tmp_path)
