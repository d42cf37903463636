"""The objects of a mask are those of scikit-image, however the work is split."""

import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import zarr

from omtask_testing import patterns, samples
from omtask_testing.images import Image, downsampled, scale, write_group, write_image
from omtask_testing.labels import numbered_parts
from omtask_testing.layouts import ALL_LAYOUTS, Layout, describe
from omtask_testing.program import Program
from omtask_testing.reading import listed_labels, read_label
from omtask_testing.trees import leftovers, tree

SHAPES = {"yx": (47, 61), "zyx": (13, 29, 31), "tyx": (3, 30, 25), "tzyx": (2, 7, 19, 23)}
CALLS: list[dict[str, Any]] = [
    {}, {"connectivity": "faces"}, {"min_size": 4}, {"connectivity": "edges", "max_size": 60},
    {"clear_border": True}, {"dtype": "uint64"}, {"pyramid": "stride"},
]
TYPES = ("uint8", "uint32", "int16", "uint16", "int64")


def cases() -> list[tuple[str, str, Layout, dict[str, Any]]]:
    """Every layout, with every call, shape and type in turn."""
    return [
        (
            list(SHAPES)[number % 4], TYPES[number % 5], ALL_LAYOUTS[number % len(ALL_LAYOUTS)],
            CALLS[number % len(CALLS)],
        )
        for number in range(28)
    ]


def masked(path: Path, axes: str, dtype: str, layout: Layout) -> np.ndarray:
    """Writes an image with a channel axis and a label image `mask` without; returns the mask."""
    rng = np.random.default_rng(len(axes))
    shape = SHAPES[axes]
    spatial = sum(axis in "zyx" for axis in axes)
    mask = np.empty(shape, dtype)
    for index in np.ndindex(shape[:-spatial]):
        mask[index] = patterns.random(shape[-spatial:], rng)
    mask *= rng.integers(1, 100, size=shape).astype(dtype)
    write_image(path, Image(axes, downsampled(axes, np.zeros(shape, np.uint16), 2), layout))
    write_group(path / "labels", layout.version, {"labels": ["mask"]})
    write_image(path / "labels" / "mask", Image(axes, downsampled(axes, mask, 2), layout))
    return mask


@pytest.mark.parametrize(("axes", "dtype", "layout", "parameters"), cases(), ids=describe)
def test_equals_scikit_image(
    axes: str, dtype: str, layout: Layout, parameters: Mapping[str, Any], omtask: Program,
    tmp_path: Path,
) -> None:
    path = tmp_path / "image.zarr"
    mask = masked(path, axes, dtype, layout)
    before = tree(path / "labels" / "mask")
    omtask.run("label-objects", path, parameters={"label": "mask"} | parameters, threads=2)
    assert listed_labels(path) == ["mask", "mask_objects"]
    found = read_label(path, "mask_objects")
    ought = numbered_parts(axes, mask != 0, parameters)
    assert found.levels[0].dtype == parameters.get("dtype", "uint32")
    assert np.array_equal(found.levels[0], ought)
    assert len(found.levels) == 2
    assert found.scales == [scale(axes, level) for level in range(2)]
    assert tree(path / "labels" / "mask") == before
    assert not leftovers(path)


def test_every_engine_writes_the_same_files(omtask: Program, tmp_path: Path) -> None:
    original = tmp_path / "image.zarr"
    masked(original, "tzyx", "uint8", samples.SHARDED)
    reference: dict[str, str] | None = None
    for number, engine in enumerate([{"threads": 1}, {"threads": 4}, {"ranks": 2}, {"ranks": 5}]):
        copy = Path(shutil.copytree(original, tmp_path / str(number) / "image.zarr"))
        omtask.run("label-objects", copy, parameters={"label": "mask"}, **engine)
        files = tree(copy)
        reference = reference or files
        assert files == reference, engine


def test_what_threshold_masks_can_be_labelled_later(
    omtask: Program, tmp_path: Path, rng: np.random.Generator
) -> None:
    source = samples.blobs_image(samples.V2, rng, "czyx", (2, 12, 41, 45), channels=("A", "B"))
    path = write_image(tmp_path / "image.zarr", source)
    mask = {"channel": "all", "keep_channel_axis": True, "label_name": "m", "objects": False}
    omtask.threshold(path, parameters=mask)
    omtask.threshold(path, parameters=mask | {"objects": True, "label_name": "direct"})
    omtask.run("label-objects", path, parameters={"label": "m", "label_name": "later"})
    for direct, later in zip(read_label(path, "direct").levels, read_label(path, "later").levels):
        assert np.array_equal(direct, later)


@pytest.mark.parametrize(("parameters", "says"), [
    ({"label": "mask", "label_name": "mask"}, "`label_name`"), ({"label": "maks"}, "`mask`"),
    ({}, "label"), ({"label": "mask", "min_size": 9, "max_size": 3}, "`min_size`"),
])
def test_a_bad_call_is_explained(
    parameters: Mapping[str, Any], says: str, omtask: Program, tmp_path: Path
) -> None:
    path = tmp_path / "image.zarr"
    masked(path, "yx", "uint8", samples.SHARDED)
    before = tree(path)
    assert says in omtask.run("label-objects", path, parameters=parameters, expect=64).stderr
    assert tree(path) == before


def test_a_changed_mask_is_another_input(omtask: Program, tmp_path: Path) -> None:
    path = tmp_path / "image.zarr"
    masked(path, "yx", "uint8", samples.V2)
    omtask.run("label-objects", path, parameters={"label": "mask"})
    assert "nothing to do" in omtask.run("label-objects", path, parameters={"label": "mask"}).stderr
    array = zarr.open_array(path / "labels" / "mask" / "0", mode="r+")
    array[0, :] = 1
    omtask.run("label-objects", path, parameters={"label": "mask"}, expect=73)
    omtask.run("label-objects", path, parameters={"label": "mask", "overwrite": True})


def test_a_mask_of_another_scale_is_another_input(omtask: Program, tmp_path: Path) -> None:
    path = tmp_path / "image.zarr"
    masked(path, "yx", "uint8", samples.V2)
    omtask.run("label-objects", path, parameters={"label": "mask"})
    document = path / "labels/mask/.zattrs"
    document.write_text(document.read_text().replace("0.325", "0.5"))
    omtask.run("label-objects", path, parameters={"label": "mask"}, expect=73)


def test_a_label_image_of_fractions_is_refused(omtask: Program, tmp_path: Path) -> None:
    path = tmp_path / "image.zarr"
    masked(path, "yx", "float32", samples.V2)
    refused = omtask.run("label-objects", path, parameters={"label": "mask"}, expect=76)
    assert "float32" in refused.stderr
