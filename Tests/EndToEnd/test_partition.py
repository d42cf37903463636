"""The result never depends on how the work was split."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from omtask_testing import patterns
from omtask_testing.checks import assert_labels
from omtask_testing.images import Image, downsampled, write_image
from omtask_testing.layouts import ZSTD, Layout, blosc_v2
from omtask_testing.oracle import expected_labels
from omtask_testing.program import Program
from omtask_testing.trees import tree

LAYOUTS = (
    Layout("v2-small", "0.4", (7, 9, 11), compression=(blosc_v2("lz4", 1),)),
    Layout("v2-planes", "0.4", (1, 64, 64), compression=(blosc_v2("zstd", 1),)),
    Layout("v3-one-chunk", "0.5", (64,), compression=(ZSTD,)),
    Layout("v3-lines", "0.5", (13, 2, 64), compression=(ZSTD,)),
    Layout("shards-of-8", "0.5", (8,), (2,), (ZSTD,)),
    Layout("shards-flat", "0.5", (5, 8, 8), (1, 3, 2), (ZSTD,), index_location="start"),
)
ENGINES = [{"threads": n} for n in (1, 2, 4)] + [{"ranks": n} for n in (1, 2, 3, 5)]
PARAMETERS = {"method": "otsu", "label_name": "parts", "connectivity": "full"}
SHAPES = {"zyx": (25, 34, 41), "tczyx": (2, 2, 11, 19, 23)}


def source(axes: str, pattern: patterns.Pattern, layout: Layout) -> Image:
    """The same voxels for every layout."""
    rng = np.random.default_rng(len(axes))
    shape = SHAPES[axes]
    data = np.empty(shape, np.uint16)
    for index in np.ndindex(shape[:-3]):
        data[index] = patterns.intensities(pattern(shape[-3:], rng), "uint16", rng)
    return Image(axes, downsampled(axes, data, 3), layout)


@pytest.mark.sweep(2)
@pytest.mark.parametrize("layout", LAYOUTS, ids=lambda layout: layout.name)
@pytest.mark.parametrize(
    ("axes", "pattern"),
    [("zyx", patterns.snake), ("zyx", patterns.random), ("zyx", patterns.one_corner),
     ("tczyx", patterns.comb)],
)
def test_every_engine_writes_the_same_files(
    axes: str, pattern: patterns.Pattern, layout: Layout, omtask: Program, tmp_path: Path
) -> None:
    image = source(axes, pattern, layout)
    original = write_image(tmp_path / "image.zarr", image)
    wanted = PARAMETERS | {"keep_channel_axis": True, "channel": "all"} if "c" in axes else PARAMETERS
    reference: dict[str, str] | None = None
    for number, engine in enumerate(ENGINES):
        copy = tmp_path / str(number) / "image.zarr"
        shutil.copytree(original, copy)
        omtask.threshold(copy, parameters=wanted, **engine)
        files = tree(copy)
        if reference is None:
            reference = files
            assert_labels(copy, axes, expected_labels(image.levels, axes, wanted))
        assert files == reference, f"{engine} differs from {ENGINES[0]}"


def test_threads_and_ranks_together_write_the_same_files(omtask: Program, tmp_path: Path) -> None:
    original = write_image(tmp_path / "image.zarr", source("zyx", patterns.random, LAYOUTS[4]))
    copies = [tmp_path / name / "image.zarr" for name in "ab"]
    for copy, engine in zip(copies, ({"threads": 1}, {"threads": 2, "ranks": 2})):
        shutil.copytree(original, copy)
        omtask.threshold(copy, parameters=PARAMETERS, **engine)
    assert tree(copies[0]) == tree(copies[1])


def test_the_plan_is_the_same_for_any_number_of_threads(omtask: Program, tmp_path: Path) -> None:
    image = write_image(tmp_path / "image.zarr", source("zyx", patterns.random, LAYOUTS[4]))
    plans = [
        omtask("plan", "threshold", image, "--json", "--memory", "1G", "--threads", n).stdout
        for n in (1, 2)
    ]
    assert regions(plans[0]) == regions(plans[1]) != []


def regions(plan: str) -> list[object]:
    return [one["regions"] for image in json.loads(plan)["images"] for one in image["passes"]]
