"""A smoothed threshold is the threshold of the smoothed image, however the work is split."""

import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from omtask_testing import patterns
from omtask_testing.checks import assert_labels
from omtask_testing.derived import gaussian, median
from omtask_testing.images import Image, downsampled, write_image
from omtask_testing.layouts import ALL_LAYOUTS, Layout, describe
from omtask_testing.oracle import expected_labels
from omtask_testing.program import Program
from omtask_testing.trees import tree

SHAPES = {"yx": (47, 61), "zyx": (13, 29, 31), "cyx": (2, 33, 37), "tczyx": (2, 2, 7, 19, 23)}
SMOOTHINGS: list[dict[str, Any]] = [
    {"smooth": "gaussian"}, {"smooth": "gaussian", "sigma": 2.2}, {"smooth": "median"},
    {"smooth": "median", "radius": 2},
]
RULES: list[dict[str, Any]] = [
    {"method": "otsu"}, {"method": "otsu", "scope": "plane"}, {"method": "mean", "scope": "image"},
    {"method": "triangle", "objects": False}, {"method": "otsu", "min_size": 8},
]
TYPES = ("uint8", "uint16", "int16", "uint32", "float32")


def cases() -> list[tuple[str, str, Layout, dict[str, Any]]]:
    """Every smoothing with every rule, types, shapes and layouts in turn."""
    dealt = []
    for number in range(40):
        parameters = SMOOTHINGS[number % 4] | RULES[number // 4 % 5]
        axes = list(SHAPES)[number % 3 if number % 2 else 3]
        dtype = TYPES[number * 3 % 5]
        if dtype == "float32" and parameters["method"] == "mean":
            dtype = "uint16"
        dealt.append((axes, dtype, ALL_LAYOUTS[number * 7 % len(ALL_LAYOUTS)], parameters))
    return dealt


def source(axes: str, dtype: str, layout: Layout) -> Image:
    rng = np.random.default_rng(len(axes))
    shape = SHAPES[axes]
    spatial = sum(axis in "zyx" for axis in axes)
    data = np.empty(shape, dtype)
    for index in np.ndindex(shape[:-spatial]):
        data[index] = patterns.intensities(patterns.random(shape[-spatial:], rng), dtype, rng)
    return Image(axes, downsampled(axes, data, 2), layout)


def smoothed(axes: str, data: np.ndarray, parameters: Mapping[str, Any]) -> np.ndarray:
    oracle = gaussian if parameters["smooth"] == "gaussian" else median
    return oracle(axes, data, parameters)


@pytest.mark.parametrize(("axes", "dtype", "layout", "parameters"), cases(), ids=describe)
def test_equals_the_threshold_of_the_smoothed_image(
    axes: str, dtype: str, layout: Layout, parameters: Mapping[str, Any], omtask: Program,
    tmp_path: Path,
) -> None:
    image = source(axes, dtype, layout)
    path = write_image(tmp_path / "image.zarr", image)
    if "c" in axes:
        parameters = {"channel": "1"} | parameters
    omtask.threshold(path, parameters=parameters, threads=2)
    data = smoothed(axes, image.levels[0], parameters)
    names = ("channel", "method", "scope", "objects", "min_size")
    rules = {name: value for name, value in parameters.items() if name in names}
    assert_labels(path, axes, expected_labels(downsampled(axes, data, 2), axes, rules))


@pytest.mark.parametrize("scope", ["volume", "channel"])
def test_every_engine_writes_the_same_files(scope: str, omtask: Program, tmp_path: Path) -> None:
    layout = Layout("shards", "0.5", (4, 8, 8), (1, 2, 2))
    original = write_image(tmp_path / "image.zarr", source("tczyx", "uint16", layout))
    reference: dict[str, str] | None = None
    engines = [{"threads": 1}, {"threads": 4}, {"ranks": 2}, {"ranks": 3}, {"ranks": 5}]
    for number, engine in enumerate(engines):
        copy = Path(shutil.copytree(original, tmp_path / str(number) / "image.zarr"))
        parameters = {"smooth": "gaussian", "sigma": 1.3, "channel": "1", "scope": scope}
        omtask.threshold(copy, parameters=parameters, **engine)
        files = tree(copy)
        reference = reference or files
        assert files == reference, engine


def test_two_steps_and_one_give_the_same_objects(omtask: Program, tmp_path: Path) -> None:
    layout = Layout("chunks", "0.5", (5, 16, 16))
    path = write_image(tmp_path / "image.zarr", source("zyx", "uint16", layout))
    omtask.run("gaussian-blur", path, parameters={"sigma": 1.5})
    steps = omtask.threshold(tmp_path / "image_gaussian.zarr").report
    once = omtask.threshold(path, parameters={"smooth": "gaussian", "sigma": 1.5}).report
    assert steps is not None and once is not None
    assert steps.objects("segmented") == once.objects("segmented")
    assert steps.thresholds("segmented") == once.thresholds("segmented")


@pytest.mark.parametrize(("parameters", "says"), [
    ({"sigma": 2}, "--smooth gaussian"), ({"smooth": "median", "sigma": 2}, "--smooth gaussian"),
    ({"smooth": "gaussian", "radius": 2}, "--smooth median"),
    ({"smooth": "gaussian", "sigma": "1,2,3,4"}, "sigma"), ({"smooth": "median", "radius": -1}, "radius"),
])
def test_a_bad_call_is_explained(
    parameters: Mapping[str, Any], says: str, omtask: Program, tmp_path: Path
) -> None:
    path = write_image(tmp_path / "image.zarr", source("yx", "uint8", ALL_LAYOUTS[0]))
    outcome = omtask.threshold(path, parameters=parameters, expect=64)
    assert says in outcome.stderr
