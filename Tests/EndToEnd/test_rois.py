"""What lies in the boxes of a ROI table, and only that, is processed; ngio says which voxels these are."""

import shutil
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from omtask_testing import faults, patterns, samples
from omtask_testing.derived import floating, gaussian, mean, median, suffix
from omtask_testing.images import PIXEL, Image, PlateShape, downsampled, write_group, write_image, write_plate
from omtask_testing.labels import numbered_parts
from omtask_testing.layouts import ALL_LAYOUTS, Layout, describe
from omtask_testing.oracle import METHODS
from omtask_testing.program import Program
from omtask_testing.reading import read_label, read_multiscale
from omtask_testing.tables import Box, inside, write_rois
from omtask_testing.trees import leftovers, tree

SHAPES = {
    "yx": (47, 61), "zyx": (13, 29, 31), "cyx": (2, 33, 37), "tyx": (3, 30, 25),
    "czyx": (2, 9, 21, 23), "tczyx": (2, 2, 7, 19, 23),
}
TYPES = ("uint8", "uint16", "int16", "uint32", "float32", "float64")
BACKENDS = ("csv", "json", "anndata")
# zarr-python does not open a transposed shard, and a shard far larger than an image takes much memory.
LAYOUTS = [layout for layout in ALL_LAYOUTS if layout.name not in ("transposed-shard", "shard-beyond")]
CALLS: list[tuple[str, dict[str, Any]]] = [
    ("threshold", {}), ("gaussian-blur", {"sigma": 1.3}), ("project", {"method": "mean"}),
    ("threshold", {"objects": False, "method": "triangle"}), ("median", {"radius": 2}),
    ("project", {}), ("threshold", {"scope": "plane", "objects": False}), ("label-objects", {}),
    ("project", {"method": "sum", "axis": "y"}), ("threshold", {"method": "li", "min_size": 9}),
    ("project", {"method": "min", "axis": "x"}), ("threshold", {"threshold": 700}),
    ("threshold", {"smooth": "gaussian", "objects": False}), ("threshold", {"scope": "image"}),
    ("project", {"method": "mean", "axis": "t"}),
]


def boxes(axes: str, shape: tuple[int, ...], rng: np.random.Generator, count: int = 5) -> list[Box]:
    """Boxes that overlap, hang over the edge, and lie between voxels."""
    made: list[Box] = []
    for _ in range(count):
        box = {}
        for axis, size in zip(axes, shape):
            if axis == "c":
                continue
            start = rng.uniform(-2, size * 0.8)
            length = rng.uniform(1, size * 0.6)
            # As often as not on the grid, but for the error of a division.
            if rng.random() < 0.5:
                start, length = round(start), max(1, round(length))
            box[axis] = (start * PIXEL[axis], length * PIXEL[axis])
        made.append(box)
    return made


def voxels(axes: str, dtype: str, rng: np.random.Generator) -> np.ndarray:
    shape = SHAPES[axes]
    spatial = sum(axis in "zyx" for axis in axes)
    data = np.empty(shape, dtype)
    for index in np.ndindex(shape[:-spatial]):
        data[index] = patterns.intensities(patterns.blobs(shape[-spatial:], rng), dtype, rng)
    return data


def cases() -> list[tuple[str, str, str, str, Layout, dict[str, Any]]]:
    """Every call with types, shapes, layouts and back ends in turn."""
    dealt = []
    for number in range(45):
        task, call = CALLS[number % len(CALLS)]
        places = [axes for axes in SHAPES if task != "project" or call.get("axis", "z") in axes]
        dtype = TYPES[number * 7 % len(TYPES)]
        # Means of floating-point voxels, and what is found from them, are exact only nearly.
        if dtype.startswith("float") and call.get("method") == "li":
            dtype = "uint16"
        dealt.append((
            task, places[number // 2 % len(places)], dtype, BACKENDS[number % 3],
            LAYOUTS[number * 11 % len(LAYOUTS)], call,
        ))
    return dealt


def thresholded(
    axes: str, data: np.ndarray, counts: np.ndarray, parameters: Mapping[str, Any], spatial: int
) -> np.ndarray:
    """The labels of all channels, with a channel axis."""
    found = METHODS[parameters.get("method", "otsu")]
    smooth = gaussian(axes, data, {}) if "smooth" in parameters else data
    mask = np.zeros(data.shape, bool)
    scope = parameters.get("scope", "volume")
    leading = data.shape[:-spatial] if scope != "plane" else data.shape[:-2]
    if scope == "image":
        leading = ()
    for index in np.ndindex(leading):
        part = smooth[index][counts[index]]
        if part.size:
            level = parameters["threshold"] if "threshold" in parameters else found(part)
            mask[index] = (smooth[index] > level) & counts[index]
    return mask


def projected(
    axes: str, data: np.ndarray, counts: np.ndarray, parameters: Mapping[str, Any]
) -> np.ndarray:
    axis = axes.index(parameters.get("axis", "z"))
    method = parameters.get("method", "max")
    number = counts.sum(axis=axis, keepdims=True)
    if method in ("max", "min"):
        limits = np.finfo(data.dtype) if data.dtype.kind == "f" else np.iinfo(data.dtype)
        filled = np.where(counts, data, limits.min if method == "max" else limits.max)
        return np.where(number > 0, getattr(np, method)(filled, axis=axis, keepdims=True), 0)
    if data.dtype.kind == "f":
        total = np.zeros(number.shape, np.float64)
        for index in range(data.shape[axis]):
            part = np.take(data, [index], axis=axis).astype(np.float64)
            total += np.where(np.take(counts, [index], axis=axis), part, 0)
        if method == "mean":
            total /= np.maximum(number, 1)
        return total.astype(floating(parameters, data.dtype if method == "mean" else np.float64))
    total = np.where(counts, data, 0).astype(object).sum(axis=axis, keepdims=True)
    if method == "mean":
        exact = np.vectorize(lambda s, n: mean(int(s), int(n), False) if n else 0)
        return exact(total, number).astype(data.dtype)
    return total.astype(np.int64 if data.dtype.kind == "i" else np.uint64)


@pytest.mark.parametrize(("task", "axes", "dtype", "backend", "layout", "parameters"), cases(), ids=describe)
def test_only_boxes_count(
    task: str, axes: str, dtype: str, backend: str, layout: Layout, parameters: Mapping[str, Any],
    omtask: Program, tmp_path: Path,
) -> None:
    rng = np.random.default_rng([len(task), len(axes), TYPES.index(dtype)])
    spatial = sum(axis in "zyx" for axis in axes)
    source = Image(axes, downsampled(axes, voxels(axes, dtype, rng), 2), layout)
    path = write_image(tmp_path / "image.zarr", source)
    write_rois(path, "rois", boxes(axes, SHAPES[axes], rng), backend)
    counts = inside(path, source, "rois", tmp_path / "scratch.zarr")
    data = source.levels[0]
    extra = ["--roi-table", "rois"]
    if task == "label-objects":
        kept = (0,) if "c" in axes else ()
        mask = data[:, 0] if axes.startswith("tc") else data[kept] if kept else data
        mask, within = mask > 700, (counts[:, 0] if axes.startswith("tc") else counts[kept])
        written = Image(axes.replace("c", ""), downsampled(axes.replace("c", ""), mask.astype(np.uint8), 2), layout)
        write_group(path / "labels", layout.version, {"labels": ["mask"]})
        write_image(path / "labels" / "mask", written)
        omtask.run(task, path, parameters={"label": "mask"}, extra=extra, threads=2)
        ought = numbered_parts(axes, mask & within.reshape(mask.shape), {})
        assert np.array_equal(read_label(path, "mask_objects").levels[0], ought)
        return
    if task == "threshold":
        many = {"channel": "all", "keep_channel_axis": True} if "c" in axes else {}
        omtask.run(
            task, path, parameters=parameters | many | {"label_name": "made"}, extra=extra, threads=2)
        mask = thresholded(axes, data, counts, parameters, spatial)
        objects = parameters.get("objects", True)
        ought = numbered_parts(axes, mask, parameters) if objects else mask
        assert np.array_equal(read_label(path, "made").levels[0], ought)
        return
    omtask.run(task, path, parameters=parameters, extra=extra, threads=2)
    made = read_multiscale(tmp_path / f"image_{suffix(task, parameters)}.zarr").levels[0]
    if task == "project":
        ought = projected(axes, data, counts, parameters)
    else:
        whole = gaussian if task == "gaussian-blur" else median
        ought = np.where(counts, whole(axes, data, parameters), 0)
    assert np.array_equal(made, ought)
    assert not leftovers(tmp_path)


# However the work is split

SPLIT: list[tuple[str, dict[str, Any]]] = [
    ("threshold", {}), ("threshold", {"objects": False}), ("median", {}),
    ("project", {"method": "mean"}),
]


@pytest.mark.parametrize(("task", "parameters"), SPLIT, ids=describe)
@pytest.mark.parametrize("layout", samples.BOTH, ids=describe)
def test_every_engine_writes_the_same_files(
    task: str, parameters: Mapping[str, Any], layout: Layout, omtask: Program, tmp_path: Path
) -> None:
    rng = np.random.default_rng(5)
    source = samples.blobs_image(layout, rng, "zyx", (25, 44, 51), levels=2)
    original = write_image(tmp_path / "image.zarr", source)
    write_rois(original, "rois", boxes("zyx", (25, 44, 51), rng, 9), "anndata")
    reference: dict[str, str] | None = None
    for number, engine in enumerate([{"threads": 1}, {"threads": 4}, {"ranks": 2}, {"ranks": 3}]):
        folder = tmp_path / str(number)
        copy = Path(shutil.copytree(original, folder / "image.zarr"))
        omtask.run(task, copy, parameters=parameters, extra=["--roi-table", "rois"], **engine)
        files = tree(folder)
        reference = reference or files
        assert files == reference, engine


@pytest.mark.parametrize("task", ["threshold", "median"])
def test_a_killed_run_goes_on(task: str, omtask: Program, tmp_path: Path) -> None:
    rng = np.random.default_rng(6)
    original = write_image(
        tmp_path / "image.zarr", samples.blobs_image(samples.V2, rng, "tzyx", (6, 9, 40, 40)))
    write_rois(original, "rois", boxes("zyx", (9, 40, 40), rng, 4))
    how: dict[str, Any] = {"extra": ["--roi-table", "rois"], "parameters": {"min_size": 3} if task == "threshold" else {}}
    whole = Path(shutil.copytree(original, tmp_path / "whole" / "image.zarr"))
    first = omtask.run(task, whole, **how)
    for nth in (2, 5, 9):
        copy = Path(shutil.copytree(original, tmp_path / f"killed{nth}" / "image.zarr"))
        env = faults.injected(copy.parent, "rename", "kill", nth=nth)
        omtask.run(task, copy, expect=-9, env=env, **how)
        again = omtask.run(task, copy, **how)
        assert tree(copy.parent) == tree(whole.parent)
        assert not leftovers(copy.parent)
        if task == "threshold":
            assert share(again) == share(first)


def share(outcome: Any) -> float:
    return outcome.report.images[0]["outputs"][0]["foreground_share"]


# What the call says


@pytest.fixture
def image(tmp_path: Path) -> Path:
    rng = np.random.default_rng(7)
    path = write_image(
        tmp_path / "image.zarr", samples.blobs_image(samples.SHARDED, rng, "zyx", (9, 40, 40)))
    write_rois(path, "one", [{"y": (0, 6.5), "x": (3.25, 6.5)}])
    write_rois(path, "two", [{"y": (0, 3.25), "x": (0, 3.25)}, {"y": (6.5, 3.25), "x": (6.5, 3.25)}])
    return path


def test_a_single_box_is_a_selection(image: Path, omtask: Program) -> None:
    omtask.threshold(
        image, parameters={"label_name": "box", "clear_border": True}, extra=["--roi-table", "one"])
    omtask.threshold(
        image, parameters={"label_name": "select", "clear_border": True},
        extra=["--select", "y=0:20,x=10:30"])
    box, select = read_label(image, "box"), read_label(image, "select")
    assert all(np.array_equal(a, b) for a, b in zip(box.levels, select.levels))


def test_boxes_are_found_at_a_coarser_level(omtask: Program, tmp_path: Path) -> None:
    rng = np.random.default_rng(11)
    source = samples.blobs_image(samples.V2, rng, "zyx", (12, 41, 45), levels=3)
    path = write_image(tmp_path / "image.zarr", source)
    write_rois(path, "rois", boxes("zyx", (12, 41, 45), rng))
    for level in (1, 2):
        counts = inside(path, source, "rois", tmp_path / "scratch.zarr", level)
        name = f"level{level}"
        omtask.threshold(
            path, parameters={"level": level, "label_name": name}, extra=["--roi-table", "rois"])
        data = source.levels[level]
        ought = numbered_parts("zyx", thresholded("zyx", data, counts, {}, 3), {})
        assert np.array_equal(read_label(path, name).levels[0], ought)


def test_boxes_are_cut_to_the_selection(image: Path, omtask: Program) -> None:
    extra = ["--roi-table", "two", "--select", "z=2:5"]
    omtask.threshold(image, parameters={"label_name": "cut", "threshold": -1}, extra=extra)
    made = read_label(image, "cut").levels[0] != 0
    ought = np.zeros(made.shape, bool)
    ought[2:5, :10, :10] = True
    ought[2:5, 20:30, 20:30] = True
    assert np.array_equal(made, ought)


def test_other_boxes_are_another_result(image: Path, omtask: Program) -> None:
    how: dict[str, Any] = {"parameters": {"label_name": "made"}, "extra": ["--roi-table", "two"]}
    omtask.threshold(image, **how)
    assert "nothing to do" in omtask.threshold(image, **how).stderr
    (image / "tables/two/table.csv").write_text(
        (image / "tables/two/table.csv").read_text().replace("6.5", "6.8"))
    omtask.threshold(image, expect=73, **how)


REFUSALS: list[tuple[str, list[str], dict[str, Any], int, str]] = [
    ("threshold", ["--roi-table", "tow"], {}, 64, "it has one, two"),
    ("threshold", ["--roi-table", "two", "--select", "y=35:40"], {}, 64, "none of the 2 boxes"),
    ("threshold", ["--roi-table", "two"], {"clear_border": True}, 64, "`clear_border`"),
    ("convert", ["--roi-table", "two"], {}, 64, "`--roi-table`"),
]


@pytest.mark.parametrize(("task", "extra", "parameters", "code", "says"), REFUSALS, ids=describe)
def test_a_bad_call_is_explained(
    task: str, extra: list[str], parameters: Mapping[str, Any], code: int, says: str, image: Path,
    omtask: Program,
) -> None:
    before = tree(image)
    assert says in omtask.run(task, image, parameters=parameters, extra=extra, expect=code).stderr
    assert tree(image) == before


def spoil(image: Path, name: str, change: Callable[[str], str]) -> None:
    file = image / "tables" / "two" / name
    file.write_text(change(file.read_text()))


SPOILED: list[tuple[str, Callable[[str], str], int, str]] = [
    ("table.csv", lambda text: text.replace("len_x_micrometer", "width"), 65, "`len_x_micrometer`"),
    ("table.csv", lambda text: text.replace("3.25", "-3.25"), 65, "expected 0 or more"),
    ("table.csv", lambda text: text + '"box_9",1\n', 65, "has 2 fields"),
    ("table.csv", lambda text: text.replace("3.25", "wide"), 65, "holds no numbers"),
    ("zarr.json", lambda text: text.replace('"csv"', '"parquet"'), 76, "`parquet`"),
]


@pytest.mark.parametrize(("name", "change", "code", "says"), SPOILED, ids=[row[3] for row in SPOILED])
def test_a_bad_table_is_explained(
    name: str, change: Callable[[str], str], code: int, says: str, image: Path, omtask: Program
) -> None:
    spoil(image, name, change)
    refused = omtask.threshold(image, extra=["--roi-table", "two"], expect=code).stderr
    assert says in refused
    assert "tables/two" in refused


def test_voxels_outside_may_be_anything(omtask: Program, tmp_path: Path) -> None:
    data = np.random.default_rng(8).normal(100, 10, (9, 40, 40)).astype(np.float32)
    data[:, 25:, :] = np.nan
    path = write_image(
        tmp_path / "image.zarr", Image("zyx", downsampled("zyx", data, 2), samples.SHARDED))
    write_rois(path, "good", [{"y": (0, 3.25), "x": (0, 3.25)}, {"y": (3.25, 4.875), "x": (3.25, 3.25)}])
    write_rois(path, "bad", [{"y": (0, 3.25), "x": (0, 3.25)}, {"y": (3.25, 5.2), "x": (3.25, 3.25)}])
    for objects in (True, False):
        parameters = {"objects": objects, "label_name": f"made{objects}"}
        omtask.threshold(path, parameters=parameters, extra=["--roi-table", "good"])
        parameters["label_name"] = "other"
        refused = omtask.threshold(path, parameters=parameters, extra=["--roi-table", "bad"], expect=1)
        assert "voxel 0, 25, 10 is not a finite number" in refused.stderr


def test_each_image_of_a_plate_has_its_own_table(omtask: Program, tmp_path: Path) -> None:
    rng = np.random.default_rng(9)
    shape = PlateShape(1, 2, 1)
    fields = {name: samples.blobs_image(samples.V2, rng, "yx", (40, 40)) for name in shape.images}
    plate = write_plate(tmp_path / "plate.zarr", shape, fields)
    for number, name in enumerate(shape.images):
        write_rois(plate / name, "rois", [{"y": (0, 6.5), "x": (3.25 * number, 3.25)}])
    omtask.threshold(plate, parameters={"threshold": -1, "objects": False}, extra=["--roi-table", "rois"])
    for number, name in enumerate(shape.images):
        made = read_label(plate / name, "segmented").levels[0]
        assert made[:20, 10 * number : 10 * number + 10].all() and made.sum() == 200


@pytest.mark.parametrize("unit", ["micrometer", "nanometer"])
def test_boxes_that_omtask_made_are_those_that_it_takes(
    unit: str, omtask: Program, tmp_path: Path, rng: np.random.Generator
) -> None:
    """ROI tables are in the unit of the axes, whatever their columns are called."""
    image = write_image(
        tmp_path / "image.zarr", samples.blobs_image(samples.SHARDED, rng, "zyx", (9, 40, 40)))
    document = image / "zarr.json"
    document.write_text(document.read_text().replace("micrometer", unit))
    omtask.threshold(image, parameters={"label_name": "cells"})
    omtask.run("masking-roi-table", image, parameters={"label": "cells"})
    cells = read_label(image, "cells").levels[0]
    held = np.zeros(cells.shape, bool)
    for number in range(1, cells.max() + 1):
        places = np.argwhere(cells == number)
        box = tuple(slice(*ends) for ends in zip(places.min(0), places.max(0) + 1))
        held[box] = True
    data = read_multiscale(image).levels[0]
    omtask.threshold(
        image, parameters={"label_name": "all", "threshold": 0, "inclusive": True, "objects": False},
        extra=["--roi-table", "cells_masking_ROI_table"])
    assert np.array_equal(read_label(image, "all").levels[0] > 0, held & (data >= 0))
