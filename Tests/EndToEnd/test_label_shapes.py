"""Labels grow as scikit-image lets them grow, and their holes are filled, whatever the regions."""

import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy import ndimage
from skimage.segmentation import clear_border, expand_labels

from omtask_testing import faults, patterns, samples
from omtask_testing.labels import SHAPES, TYPES, assert_filtered, expected, hollow, write_labels
from omtask_testing.layouts import ALL_LAYOUTS, ZSTD, Layout, describe
from omtask_testing.program import Program
from omtask_testing.reading import listed_labels, read_label
from omtask_testing.trees import leftovers, tree

CALLS: list[dict[str, Any]] = [
    {"fill_holes": "zyx"}, {"expand": 1}, {"fill_holes": "yx"}, {"expand": 3.7},
    {"expand": 1.2, "unit": "micrometer"}, {"fill_holes": "zyx", "max_hole_size": 6},
    {"expand": 4, "expand_axes": "yx"}, {"expand": 2, "fill_holes": "zyx", "relabel": True},
    {"min_size": 12, "fill_holes": "zyx", "expand": 1.5, "clear_border": "yx"},
    {"expand": 0.9, "unit": "micrometer", "expand_axes": "yx", "fill_holes": "yx", "relabel": True},
    {"keep_largest": 3, "expand": 30},
]
CASES = [
    (list(SHAPES)[(n + n // 6) % 6], TYPES[n * 3 % len(TYPES)], ALL_LAYOUTS[n * 5 % len(ALL_LAYOUTS)],
     CALLS[n % len(CALLS)]) for n in range(33)
]


@pytest.mark.parametrize(("axes", "dtype", "layout", "call"), CASES, ids=describe)
def test_equals_the_oracle(
    axes: str, dtype: str, layout: Layout, call: Mapping[str, Any], omtask: Program,
    tmp_path: Path, rng: np.random.Generator,
) -> None:
    labels = hollow(axes, dtype, rng)
    image = write_labels(tmp_path / "image.zarr", axes, labels, layout)
    omtask.run("filter-labels", image, parameters=dict(call) | {"label": "old"}, threads=2)
    assert_filtered(image, axes, labels, call)
    assert not leftovers(tmp_path)


# Shapes to fill: those that break labelling, and what is left of them.
PATTERNS = [*patterns.ADVERSARIAL, patterns.dense, patterns.random]
SMALL = Layout("small", "0.5", (8,), (2,), (ZSTD,))
REGIONS = Layout("regions", "0.5", (16, 48, 64), (1, 2, 1), (ZSTD,))


@pytest.mark.sweep(2)
@pytest.mark.parametrize("inverse", [False, True])
@pytest.mark.parametrize("pattern", PATTERNS, ids=lambda one: one.__name__)
def test_one_label_is_filled_as_scipy_does(
    pattern: patterns.Pattern, inverse: bool, omtask: Program, tmp_path: Path,
    rng: np.random.Generator,
) -> None:
    """Several regions; a hole may lie in all of them, or end in the last one."""
    mask = np.pad(pattern((38, 117, 135), rng) ^ inverse, 1, constant_values=True)
    image = write_labels(tmp_path / "image.zarr", "zyx", mask.astype(np.uint8), REGIONS, 1)
    call = {"label": "old", "fill_holes": "zyx"}
    omtask.run("filter-labels", image, parameters=call, ranks=2)
    found = read_label(image, "old_filtered").levels[0]
    assert np.array_equal(found, ndimage.binary_fill_holes(mask))


@pytest.mark.parametrize(
    ("pattern", "spacing"), list(zip(PATTERNS, [1, 2.5] * 6)), ids=lambda one: getattr(one, "__name__", one))
def test_ties_are_those_of_scikit_image(
    pattern: patterns.Pattern, spacing: float, omtask: Program, tmp_path: Path,
    rng: np.random.Generator,
) -> None:
    """Every voxel a label of its own: each tie between two of them shows."""
    mask = pattern((14, 40, 46), rng)
    labels = np.where(mask & (rng.random(mask.shape) < 0.2), 0, mask)
    labels = (labels * rng.integers(1, 60000, mask.shape)).astype(np.uint16)
    image = write_labels(tmp_path / "image.zarr", "zyx", labels, SMALL, 1)
    call = {"label": "old", "expand": spacing * 2}
    omtask.run("filter-labels", image, parameters=call, ranks=2)
    found = read_label(image, "old_filtered").levels[0]
    assert np.array_equal(found, expand_labels(labels, spacing * 2))


PARTS: list[dict[str, Any]] = [
    {"clear_border": "zyx"}, {"clear_border": "yx"},
    {"clear_border": "zyx", "min_size": 5, "relabel": True},
    {"clear_border": "yx", "keep_largest": 3, "max_size": 200},
]


@pytest.mark.parametrize(("axes", "dtype", "layout", "call"), [
    (list(SHAPES)[n % 6], TYPES[n * 3 % len(TYPES)], ALL_LAYOUTS[n * 5 % len(ALL_LAYOUTS)],
     PARTS[n % 4] | {"clear_border_by": "part"}) for n in range(20)
], ids=describe)
def test_only_parts_at_the_border_go(
    axes: str, dtype: str, layout: Layout, call: Mapping[str, Any], omtask: Program,
    tmp_path: Path, rng: np.random.Generator,
) -> None:
    """Every number in many pieces, side by side with others, so that corners and edges matter."""
    labels = rng.choice(np.array([0, 0, 3, 3, 7, 90], dtype), size=SHAPES[axes])
    labels[hollow(axes, dtype, rng) > 40] = 3
    image = write_labels(tmp_path / "image.zarr", axes, labels, layout)
    done = omtask.run(
        "filter-labels", image, parameters=dict(call) | {"label": "old"}, threads=2)
    assert_filtered(image, axes, labels, call)
    kept = np.unique(expected(axes, labels, call))
    assert done.report is not None and done.report.objects("old_filtered") == (kept > 0).sum()


@pytest.mark.sweep(2)
@pytest.mark.parametrize("values", [1, 5])
@pytest.mark.parametrize("pattern", [*patterns.ADVERSARIAL, patterns.dense], ids=lambda p: p.__name__)
def test_parts_are_those_of_scikit_image(
    pattern: patterns.Pattern, values: int, omtask: Program, tmp_path: Path,
    rng: np.random.Generator,
) -> None:
    """Many regions and ranks; with several values no voxel of background keeps labels apart."""
    mask = np.pad(pattern((26, 46, 53), rng), 2)
    labels = mask * rng.integers(1, values, mask.shape, endpoint=True).astype(np.uint16)
    if values == 5:
        labels += 1
    labels[:3, 20:24, 20:24] = 1
    image = write_labels(tmp_path / "image.zarr", "zyx", labels.astype(np.uint16), REGIONS, 1)
    call = {"label": "old", "clear_border": "zyx", "clear_border_by": "part"}
    omtask.run("filter-labels", image, parameters=call, ranks=3)
    found = read_label(image, "old_filtered").levels[0]
    assert np.array_equal(found, clear_border(labels))


LAYOUTS = (SMALL, Layout("v2", "0.4", (9, 16, 15)), Layout("one", "0.5", (64,), compression=(ZSTD,)))
ENGINES = [{"threads": n} for n in (1, 2, 4)] + [{"ranks": n} for n in (1, 2, 3, 5)]


@pytest.mark.parametrize(("call", "layout"), list(zip([CALLS[7], PARTS[2] | {"clear_border_by": "part"}, CALLS[8]], LAYOUTS)),
                         ids=describe)
def test_every_engine_writes_the_same_files(
    call: Mapping[str, Any], layout: Layout, omtask: Program, tmp_path: Path
) -> None:
    labels = hollow("tzyx", "uint16", np.random.default_rng(5), (3, 25, 34, 41))
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


def test_only_selected_voxels_grow_and_are_filled(
    omtask: Program, tmp_path: Path, rng: np.random.Generator
) -> None:
    """Beyond the selection there is nothing to grow into, and it ends what is enclosed."""
    labels = hollow("tzyx", "uint16", rng, (2, 12, 40, 45))
    image = write_labels(tmp_path / "image.zarr", "tzyx", labels, samples.SHARDED)
    call = {"expand": 2, "fill_holes": "zyx"}
    omtask.run("filter-labels", image, parameters=call | {"label": "old"},
               extra=["--select", "t=1,z=2:9,x=5:33"])
    wanted = np.zeros(labels.shape, np.uint16)
    wanted[1:, 2:9, :, 5:33] = expected("tzyx", labels[1:, 2:9, :, 5:33], call)
    assert np.array_equal(read_label(image, "old_filtered").levels[0], wanted)


@pytest.mark.parametrize("axis", ["yx", "zyx"])
def test_a_single_plane_is_no_border(axis: str, omtask: Program, tmp_path: Path) -> None:
    labels = np.zeros((1, 30, 40), np.uint16)
    labels[0, 5:12, 5:12], labels[0, 7:9, 7:9], labels[0, :4, 20:30] = 3, 0, 4
    image = write_labels(tmp_path / "image.zarr", "zyx", labels, samples.SHARDED, 1)
    call = {"label": "old", "clear_border": axis, "fill_holes": axis}
    omtask.run("filter-labels", image, parameters=call)
    wanted = np.zeros_like(labels)
    wanted[0, 5:12, 5:12] = 3
    assert np.array_equal(read_label(image, "old_filtered").levels[0], wanted)
    # The same of one selected plane of many.
    deep = write_labels(
        tmp_path / "deep.zarr", "zyx", np.repeat(labels, 4, axis=0), samples.SHARDED, 1)
    omtask.run("filter-labels", deep, parameters=call, extra=["--select", "z=2"])
    found = read_label(deep, "old_filtered").levels[0]
    assert np.array_equal(found[2], wanted[0]) and not found[[0, 1, 3]].any()


def test_wide_labels_stay_wide(omtask: Program, tmp_path: Path) -> None:
    labels = np.zeros((30, 40), np.uint64)
    labels[5:12, 5:12], labels[7:9, 7:9], labels[20, 30] = 2**40 + 1, 0, 2**63
    image = write_labels(tmp_path / "image.zarr", "yx", labels, samples.SHARDED, 1)
    call = {"expand": 1.5, "fill_holes": "zyx"}
    omtask.run("filter-labels", image, parameters=call | {"label": "old"})
    found = read_label(image, "old_filtered").levels[0]
    assert np.array_equal(found, expected("yx", labels, call))
    assert found[8, 8] == 2**40 + 1 and found[21, 31] == 2**63


def test_little_memory_makes_the_same(omtask: Program, tmp_path: Path) -> None:
    """Runs of background that do not fit are found again."""
    stripes = np.broadcast_to(np.arange(256) % 2, (96, 256, 256))
    labels = np.pad(stripes, 1, constant_values=1).astype(np.uint8)
    image = write_labels(
        tmp_path / "image.zarr", "zyx", labels, Layout("tight", "0.5", (50, 65, 130)), 1)
    trees = []
    for memory in ("4G", "60M"):
        call = {"label": "old", "fill_holes": "zyx", "label_name": f"m{memory}"}
        omtask.run("filter-labels", image, parameters=call, threads=1, extra=["--memory", memory])
        trees.append(tree(image / f"labels/m{memory}/0"))
        assert read_label(image, f"m{memory}").levels[0].all()
    assert trees[0] == trees[1]


@pytest.mark.parametrize(("words", "code", "said"), [
    (["--clear-border-by", "part"], 64, "`clear_border` is `off`"),
    (["--clear-border-by", "part", "--clear-border", "yx", "--expand", "2"], 64, "second call"),
    (["--unit", "micrometer"], 64, "`expand` is not given"),
    (["--expand-axes", "yx"], 64, "`expand` is not given"),
    (["--max-hole-size", "9"], 64, "`fill_holes` is `off`"),
    (["--expand", "-1"], 64, "--expand"),
    (["--expand", "2000"], 64, "at most 1000"),
    (["--expand", "700", "--unit", "micrometer"], 64, "at most 1000"),
    (["--fill-holes", "x"], 64, "--fill-holes"),
], ids=str)
def test_refusals(words: list[str], code: int, said: str, omtask: Program, tmp_path: Path) -> None:
    image = write_labels(
        tmp_path / "image.zarr", "yx", np.ones((20, 30), np.uint8), samples.SHARDED)
    before = tree(image)
    failed = omtask("run", "filter-labels", image, "--label", "old", *words, expect=code)
    assert said in failed.stderr
    assert tree(image) == before


GOING_ON = [{"min_size": 4, "expand": 1, "fill_holes": "zyx"}, PARTS[2] | {"clear_border_by": "part"}]


@pytest.mark.sweep(2)
@pytest.mark.parametrize("call", GOING_ON, ids=describe)
@pytest.mark.parametrize("ranks", [None, 2])
@pytest.mark.parametrize("nth", [3, 9, 20, 34])
def test_going_on_makes_the_same(
    nth: int, ranks: int | None, call: Mapping[str, Any], omtask: Program, tmp_path: Path
) -> None:
    labels = hollow("tyx", "uint32", np.random.default_rng(3), (24, 40, 50))
    layout = Layout("planes", "0.5", (1, 64, 64), None, (ZSTD,))
    image = write_labels(tmp_path / "image.zarr", "tyx", labels, layout)
    env = faults.injected(image / ".omtask", "rename", "kill", nth=nth)
    parameters = dict(call) | {"label": "old"}
    omtask.run("filter-labels", image, parameters=parameters, ranks=ranks, env=env, expect=None)
    if nth < 10:
        assert listed_labels(image) == ["old"]
    omtask.run("filter-labels", image, parameters=parameters, threads=2)
    assert_filtered(image, "tyx", labels, call)
    assert not leftovers(tmp_path)
