"""Only voxels in objects of a masking label count; it may have another resolution than the image."""

import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import ngio
import numpy as np
import pytest
import zarr
from skimage.measure import label as components

from omtask_testing import faults, patterns, samples
from omtask_testing.derived import gaussian
from omtask_testing.images import AXIS, Image, downsampled, scale, write_group, write_image
from omtask_testing.labels import numbered_parts
from omtask_testing.layouts import ALL_LAYOUTS, Layout, describe, write_array
from omtask_testing.oracle import METHODS
from omtask_testing.program import Program
from omtask_testing.reading import read_label
from omtask_testing.trees import leftovers, tree

SHAPES = {
    "yx": (48, 60), "zyx": (12, 28, 32), "cyx": (2, 32, 36), "tyx": (3, 28, 24),
    "czyx": (2, 8, 20, 24), "tczyx": (2, 2, 8, 20, 24),
}
TYPES = ("uint8", "uint16", "int16", "uint32", "float32", "float64")
MASK_TYPES = ("uint32", "uint16", "uint8", "int32", "uint64")
# How many voxels of the image one voxel of the masking label holds along y and x.
FACTORS = (1, 2, 4, 0.5)
CALLS: list[dict[str, Any]] = [
    {}, {"objects": False}, {"method": "li", "min_size": 6}, {"method": "triangle", "scope": "image"},
    {"scope": "plane", "objects": False}, {"threshold": 600}, {"smooth": "gaussian"}, {"level": 1},
    {"method": "minimum", "objects": False}, {"method": "mean", "scope": "channel"},
]


def cases() -> list[tuple[str, str, str, float, Layout, dict[str, Any]]]:
    """Every call with types, shapes, resolutions and layouts in turn."""
    dealt = []
    for number in range(40):
        call = CALLS[number % len(CALLS)]
        dtype = TYPES[number * 7 % len(TYPES)]
        if dtype.startswith("float") and call.get("method") in ("li", "mean"):
            dtype = "uint16"
        dealt.append((
            list(SHAPES)[number // 2 % 6], dtype, MASK_TYPES[number % 5], FACTORS[number // 3 % 4],
            ALL_LAYOUTS[number * 11 % len(ALL_LAYOUTS)], call,
        ))
    return dealt


def write_mask(path: Path, axes: str, data: np.ndarray, factor: float, layout: Layout) -> None:
    """Writes a label image `mask` without a channel axis, with pixels `factor` times as large."""
    write_group(path / "labels", layout.version, {"labels": ["mask"]})
    size = [s * (factor if axis in "yx" else 1) for axis, s in zip(axes, scale(axes, 0))]
    entry: dict[str, Any] = {
        "axes": [AXIS[axis] for axis in axes],
        "datasets": [{"path": "0", "coordinateTransformations": [{"type": "scale", "scale": size}]}],
    }
    if layout.version == "0.4":
        entry["version"] = "0.4"
    write_group(
        path / "labels" / "mask", layout.version,
        {"multiscales": [entry], "image-label": {"source": {"image": "../../"}}})
    write_array(path / "labels" / "mask" / "0", data, layout, axes)


def resized(mask: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    """The nearest voxel of the mask for the centre of each voxel of a shape."""
    for axis, size in enumerate(shape):
        places = ((np.arange(size) + 0.5) * mask.shape[axis] / size).astype(int)
        mask = np.take(mask, places, axis=axis)
    return mask


def made(
    path: Path, axes: str, dtype: str, kind: str, factor: float, layout: Layout
) -> tuple[Image, np.ndarray]:
    """Writes an image with its masking label; returns both."""
    rng = np.random.default_rng([len(axes), TYPES.index(dtype)])
    shape = SHAPES[axes]
    spatial = sum(axis in "zyx" for axis in axes)
    data = np.empty(shape, dtype)
    for index in np.ndindex(shape[:-spatial]):
        data[index] = patterns.intensities(patterns.random(shape[-spatial:], rng), dtype, rng)
    source = Image(axes, downsampled(axes, data, 2), layout)
    write_image(path, source)
    others = axes.replace("c", "")
    masks = [int(s / (factor if a in "yx" else 1)) for a, s in zip(axes, shape) if a != "c"]
    mask = np.empty(masks, kind)
    for index in np.ndindex(*masks[:-spatial]):
        blobs = patterns.blobs(tuple(masks[-spatial:]), rng)
        mask[index] = components(blobs) + 3 * blobs
    mask[mask == 0] = 0
    write_mask(path, others, mask, factor, layout)
    return source, mask


def thresholded(
    axes: str, data: np.ndarray, counts: np.ndarray, parameters: Mapping[str, Any], spatial: int
) -> np.ndarray:
    found = METHODS[parameters.get("method", "otsu")]
    smooth = gaussian(axes, data, {}) if "smooth" in parameters else data
    mask = np.zeros(data.shape, bool)
    scope = parameters.get("scope", "volume")
    scopes: list[Any] = {
        "volume": list(np.ndindex(data.shape[:-spatial])), "plane": list(np.ndindex(data.shape[:-2])),
        "image": [()],
        "channel": [
            tuple(slice(None) if axis == "t" else place for axis in axes[: axes.find("c") + 1])
            for place in range(data.shape[axes.index("c")])
        ] if "c" in axes else [()],
    }[scope]
    for index in scopes:
        part = smooth[index][counts[index]]
        if part.size:
            level = parameters["threshold"] if "threshold" in parameters else found(part)
            mask[index] = (smooth[index] > level) & counts[index]
    return mask


def admitted(axes: str, mask: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    """Which voxels of an image of that shape count."""
    without = tuple(size for axis, size in zip(axes, shape) if axis != "c")
    counts = resized(mask, without) != 0
    if "c" in axes:
        counts = np.expand_dims(counts, axes.index("c"))
    return np.broadcast_to(counts, shape)


@pytest.mark.sweep(2)
@pytest.mark.parametrize(("axes", "dtype", "kind", "factor", "layout", "parameters"), cases(), ids=describe)
def test_only_voxels_in_objects_count(
    axes: str, dtype: str, kind: str, factor: float, layout: Layout, parameters: Mapping[str, Any],
    omtask: Program, tmp_path: Path,
) -> None:
    spatial = sum(axis in "zyx" for axis in axes)
    path = tmp_path / "image.zarr"
    source, mask = made(path, axes, dtype, kind, factor, layout)
    data = source.levels[parameters.get("level", 0)]
    counts = admitted(axes, mask, data.shape)
    many = {"channel": "all", "keep_channel_axis": True} if "c" in axes else {}
    run = omtask.run(
        "threshold", path, threads=2,
        parameters=parameters | many | {"label_name": "made", "masking_label": "mask"})
    foreground = thresholded(axes, data, counts, parameters, spatial)
    objects = parameters.get("objects", True)
    ought = numbered_parts(axes, foreground, parameters) if objects else foreground
    assert np.array_equal(read_label(path, "made").levels[0], ought)
    share = run.report.images[0]["outputs"][0]["foreground_share"]
    assert share == pytest.approx(foreground.sum() / max(1, counts.sum()), abs=1e-12)
    assert not leftovers(path)


def test_a_mask_of_half_the_resolution_is_that_of_ngio(omtask: Program, tmp_path: Path) -> None:
    """ngio reads the image with 0 outside of each object: what is left is what counts here."""
    path = tmp_path / "image.zarr"
    source, _ = made(path, "zyx", "uint16", "uint32", 2, samples.SHARDED)
    container = ngio.open_ome_zarr_container(str(path))
    masked = container.get_masked_image(masking_label_name="mask")
    counts = np.zeros(source.levels[0].shape, bool)
    for number in np.unique(container.get_label("mask").get_array()):
        if number == 0:
            continue
        part = masked.get_roi_masked(int(number), c=None, zoom_factor=1.0)
        roi = masked._masking_roi_table.get_label(int(number))
        slices = roi.to_slicing_dict(pixel_size=container.get_image().pixel_size)
        where = tuple(
            slice(int(np.floor(slices[a].start)), min(size, int(np.ceil(slices[a].stop))))
            for a, size in zip("zyx", counts.shape))
        counts[where] |= np.asarray(part) > 0
    omtask.threshold(
        path, parameters={"threshold": 0, "objects": False, "masking_label": "mask", "label_name": "m"})
    assert np.array_equal(read_label(path, "m").levels[0] != 0, counts)


@pytest.mark.parametrize("layout", samples.BOTH, ids=describe)
def test_every_engine_writes_the_same_files(layout: Layout, omtask: Program, tmp_path: Path) -> None:
    original = tmp_path / "image.zarr"
    made(original, "tczyx", "uint16", "uint32", 2, layout)
    parameters = {"masking_label": "mask", "channel": "all", "keep_channel_axis": True, "min_size": 2}
    reference: dict[str, str] | None = None
    for number, engine in enumerate([{"threads": 1}, {"threads": 4}, {"ranks": 2}, {"ranks": 3}]):
        copy = Path(shutil.copytree(original, tmp_path / str(number) / "image.zarr"))
        omtask.threshold(copy, parameters=parameters, **engine)
        files = tree(copy)
        reference = reference or files
        assert files == reference, engine


def test_a_killed_run_goes_on(omtask: Program, tmp_path: Path) -> None:
    original = tmp_path / "image.zarr"
    made(original, "tyx", "uint16", "uint32", 1, samples.V2)
    how: dict[str, Any] = {"parameters": {"masking_label": "mask", "objects": False}}
    whole = Path(shutil.copytree(original, tmp_path / "whole" / "image.zarr"))
    first = omtask.threshold(whole, **how)
    for nth in (2, 5):
        copy = Path(shutil.copytree(original, tmp_path / f"killed{nth}" / "image.zarr"))
        omtask.threshold(copy, expect=-9, env=faults.injected(copy, "rename", "kill", nth=nth), **how)
        again = omtask.threshold(copy, **how)
        assert tree(copy) == tree(whole)
        assert again.report.images[0]["outputs"] [0]["foreground_share"] == (
            first.report.images[0]["outputs"][0]["foreground_share"])


def test_voxels_outside_may_be_anything(omtask: Program, tmp_path: Path) -> None:
    path = tmp_path / "image.zarr"
    source, mask = made(path, "zyx", "float32", "uint8", 1, samples.V2)
    array = zarr.open_array(path / "0", mode="r+")
    array[...] = np.where(mask != 0, source.levels[0], np.nan)
    for objects in (True, False):
        parameters = {"masking_label": "mask", "objects": objects, "label_name": f"l{objects}"}
        omtask.threshold(path, parameters=parameters)
    place = tuple(np.argwhere(mask != 0)[7])
    array[place] = np.inf
    refused = omtask.threshold(
        path, parameters={"masking_label": "mask", "label_name": "other"}, expect=1)
    assert f"voxel {', '.join(map(str, place))} is not a finite number" in refused.stderr


def test_a_changed_mask_is_another_input(omtask: Program, tmp_path: Path) -> None:
    path = tmp_path / "image.zarr"
    made(path, "yx", "uint16", "uint8", 1, samples.V2)
    omtask.threshold(path, parameters={"masking_label": "mask"})
    assert "nothing to do" in omtask.threshold(path, parameters={"masking_label": "mask"}).stderr
    zarr.open_array(path / "labels/mask/0", mode="r+")[0, :] = 1
    omtask.threshold(path, parameters={"masking_label": "mask"}, expect=73)


def test_an_empty_mask_leaves_nothing(omtask: Program, tmp_path: Path) -> None:
    path = tmp_path / "image.zarr"
    made(path, "zyx", "uint16", "uint8", 1, samples.SHARDED)
    zarr.open_array(path / "labels/mask/0", mode="r+")[...] = 0
    for objects in (True, False):
        name = f"l{objects}"
        omtask.threshold(
            path, parameters={"masking_label": "mask", "objects": objects, "label_name": name})
        assert not read_label(path, name).levels[0].any()


def test_objects_of_a_mask_within_another(omtask: Program, tmp_path: Path) -> None:
    path = tmp_path / "image.zarr"
    source, mask = made(path, "zyx", "uint16", "uint8", 1, samples.SHARDED)
    omtask.threshold(path, parameters={"objects": False, "label_name": "all"})
    omtask.run("label-objects", path, parameters={"label": "all", "masking_label": "mask"})
    whole = read_label(path, "all").levels[0] != 0
    assert np.array_equal(
        read_label(path, "all_objects").levels[0], numbered_parts("zyx", whole & (mask != 0), {}))
    assert len(source.levels) == 2


def test_a_mask_of_another_field_is_refused(omtask: Program, tmp_path: Path) -> None:
    path = tmp_path / "image.zarr"
    made(path, "zyx", "uint16", "uint8", 1, samples.V2)
    small = np.ones((12, 20, 20), np.uint8)
    shutil.rmtree(path / "labels")
    write_mask(path, "zyx", small, 1, samples.V2)
    before = tree(path)
    refused = omtask.threshold(path, parameters={"masking_label": "mask"}, expect=64).stderr
    assert "has 20 voxels along y" in refused
    assert "it has mask" in omtask.threshold(path, parameters={"masking_label": "task"}, expect=64).stderr
    assert tree(path) == before
