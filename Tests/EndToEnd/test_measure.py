"""Tables of measured objects: equal to scikit-image, however the work is split, and read by ngio."""

import json
import math
import os
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import anndata
import ngio
import numpy as np
import pandas
import pytest
from ngio.tables import open_table

from omtask_testing import faults, measures, samples
from omtask_testing.images import PlateShape, write_group, write_plate
from omtask_testing.layouts import ALL_LAYOUTS, V3_LAYOUTS, ZSTD, Layout, describe
from omtask_testing.measures import joined, objects, oracle, write_measured
from omtask_testing.program import Program
from omtask_testing.trees import leftovers, tree

SHAPES = {"yx": (47, 61), "zyx": (13, 29, 31), "cyx": (3, 40, 33), "czyx": (2, 11, 24, 27),
          "tyx": (3, 30, 25), "tczyx": (2, 2, 7, 19, 23)}
TYPES = ("uint8", "uint16", "int16", "uint32", "float32", "int8", "int64", "float64")
LABELS = ("uint32", "uint8", "int32", "uint64", "uint16")
BACKENDS = ("csv", "anndata", "json")
NAMES = {"c": ("DAPI", "GFP", "Cy5")}


def cases() -> list[tuple[str, str, str, Layout, str]]:
    """Every layout, with every shape, type of voxels and labels, and back end in turn."""
    return [
        (list(SHAPES)[number % 6], TYPES[number % 8], LABELS[number % 5],
         ALL_LAYOUTS[number % len(ALL_LAYOUTS)], BACKENDS[number % 3])
        for number in range(26)
    ]


def voxels(shape: tuple[int, ...], dtype: str, rng: np.random.Generator) -> np.ndarray:
    if np.dtype(dtype).kind == "f":
        return (rng.normal(3, 40, size=shape) * 2.0 ** rng.integers(-6, 6, size=shape)).astype(dtype)
    info = np.iinfo(dtype)
    # scikit-image sums in int64 or float64: beyond this its own results are not exact.
    low, high = max(info.min, -60000), min(info.max, 60000)
    return rng.integers(low, high, size=shape, endpoint=True).astype(dtype)


def made(
    path: Path, axes: str, dtype: str, label_type: str, layout: Layout, rng: np.random.Generator,
    **how: Any,
) -> tuple[np.ndarray, np.ndarray, tuple[str, ...] | None]:
    """Writes an image with objects; returns voxels, labels and the names of the channels."""
    shape = SHAPES[axes]
    flat = tuple(n for n, axis in zip(shape, axes) if axis != "c")
    labels = objects(flat, rng, sum(axis in "zyx" for axis in axes)).astype(label_type)
    image = voxels(shape, dtype, rng)
    channels = NAMES["c"][:shape[axes.index("c")]] if "c" in axes else None
    write_measured(path, axes, image, labels, layout, channels=channels, **how)
    return image, labels, channels


def groups(dtype: str) -> list[str]:
    narrow = np.dtype(dtype).itemsize <= 2 and np.dtype(dtype).kind != "f"
    return list(measures.GROUPS if narrow else measures.GROUPS[:-1])


def read_csv(path: Path, name: str) -> pandas.DataFrame:
    return pandas.read_csv(path / "tables" / name / "table.csv")


# Against scikit-image


@pytest.mark.parametrize(("axes", "dtype", "labels", "layout", "backend"), cases(), ids=describe)
def test_equals_scikit_image(
    axes: str, dtype: str, labels: str, layout: Layout, backend: str, omtask: Program,
    tmp_path: Path, rng: np.random.Generator,
) -> None:
    path = tmp_path / "image.zarr"
    image, numbers, channels = made(path, axes, dtype, labels, layout, rng)
    before = tree(path)
    outcome = omtask.run("measure", path, threads=2, parameters={
        "label": "cells", "backend": backend, "features": groups(dtype)})
    ought = oracle(axes, image, numbers, channels)
    if "distribution" not in groups(dtype):
        ought = ought.drop(columns=[name for name in ought if "median" in name])
    found = joined(omtask, path, "cells_features")
    measures.assert_equal(found, ought, floats=np.dtype(dtype).kind == "f")
    assert outcome.report.images[0]["outputs"][0]["rows"] == len(ought)
    # ngio and AnnData see the same.
    table = open_table(str(path / "tables" / "cells_features"))
    frame = table.dataframe
    assert table.reference_label == "cells"
    assert list(frame.index) == list(ought["label"])
    assert np.array_equal(frame["area"].to_numpy(), ought["area"].to_numpy())
    means = [name for name in found if name.startswith("intensity_mean")]
    assert np.array_equal(frame[means].to_numpy(), found[means].to_numpy())
    if backend == "anndata":
        data = anndata.read_zarr(path / "tables" / "cells_features")
        assert data.n_obs == len(ought) and "centroid_x" in data.var_names
    assert {name: value for name, value in tree(path).items() if name in before} == before
    assert not leftovers(path)


@pytest.mark.parametrize(("image_chunk", "label_chunk"), [
    ((16,), (4, 9, 30)), ((1, 29, 31), (8, 8, 8)), ((5, 7, 6), (6, 5, 11)), ((13, 29, 31), (3, 3, 3)),
])
def test_chunks_of_labels_and_voxels_may_differ(
    image_chunk: tuple[int, ...], label_chunk: tuple[int, ...], omtask: Program, tmp_path: Path,
    rng: np.random.Generator,
) -> None:
    path = tmp_path / "image.zarr"
    layout = Layout("image", "0.5", image_chunk, compression=(ZSTD,))
    labels_layout = Layout("labels", "0.5", label_chunk, (2,), (ZSTD,))
    image, labels, _ = made(path, "czyx", "uint16", "uint32", layout, rng,
                            label_layout=labels_layout)
    omtask.run("measure", path, parameters={"label": "cells"}, threads=2)
    ought = oracle("czyx", image, labels, NAMES["c"][:2])
    found = joined(omtask, path, "cells_features")
    measures.assert_equal(found, ought[[name for name in ought if name in found]])


@pytest.mark.parametrize("dtype", ["uint8", "int16", "uint32", "float32", "float64", "uint64"])
def test_moments_are_those_of_exact_arithmetic(
    dtype: str, omtask: Program, tmp_path: Path, rng: np.random.Generator
) -> None:
    """Large offsets, on which sums of floating-point squares would lose every digit."""
    labels = np.repeat(np.arange(1, 9, dtype=np.uint32), 50).reshape(20, 20)
    image = voxels((20, 20), dtype, rng)
    if dtype in ("uint32", "uint64"):
        image = np.iinfo(dtype).max - rng.integers(0, 9, size=image.shape).astype(dtype)
    if dtype.startswith("float"):
        image = (1e6 + rng.random(image.shape)).astype(dtype)
    path = write_measured(tmp_path / "image.zarr", "yx", image, labels, V3_LAYOUTS[1])
    omtask.run("measure", path, parameters={"label": "cells", "features": groups(dtype)})
    found = joined(omtask, path, "cells_features")
    for row in found.to_dict("records"):
        inside = image[labels == row["label"]]
        mean, std, skewness, kurtosis = measures.exact_moments(inside)
        assert math.isclose(row["intensity_mean"], mean, rel_tol=1e-15)
        assert math.isclose(row["intensity_std"], std, rel_tol=1e-14)
        if "intensity_skewness" in row:
            assert math.isclose(row["intensity_skewness"], skewness, rel_tol=1e-12, abs_tol=1e-14)
            assert math.isclose(row["intensity_kurtosis"], kurtosis, rel_tol=1e-12)
        if dtype != "uint64":
            assert row["intensity_sum"] == math.fsum(inside.tolist())


def test_physical_columns_are_those_of_scikit_image_with_spacing(
    omtask: Program, tmp_path: Path, rng: np.random.Generator
) -> None:
    from skimage.measure import regionprops_table

    path = tmp_path / "image.zarr"
    _, labels, _ = made(path, "zyx", "uint8", "uint16", V3_LAYOUTS[1], rng)
    omtask.run("measure", path, parameters={"label": "cells", "features": "shape,axes"})
    spacing = [measures.physical(axis) for axis in "zyx"]
    ought = regionprops_table(labels, properties=["area", "centroid", *measures.AXES],
                              spacing=spacing)
    found = joined(omtask, path, "cells_features")
    assert np.allclose(found["volume_micrometer3"], ought["area"], rtol=1e-12)
    for number, axis in enumerate("zyx"):
        assert np.allclose(found[f"centroid_{axis}_micrometer"], ought[f"centroid-{number}"],
                           rtol=1e-12)
    for name in measures.AXES:
        assert np.allclose(found[f"{name}_micrometer"], ought[name], rtol=1e-12, atol=2e-6)


# However the work is split


def test_every_engine_writes_the_same_files(
    omtask: Program, tmp_path: Path, rng: np.random.Generator
) -> None:
    original = tmp_path / "image.zarr"
    labels = objects((24, 130, 150), rng, 3).astype(np.uint32)
    image = rng.normal(0, 1e3, size=(2, 24, 130, 150)).astype(np.float32)
    write_measured(original, "czyx", image, labels, Layout("s", "0.5", (8, 32, 32), (1, 2, 2), (ZSTD,)))
    reference: dict[str, str] | None = None
    engines = ({"threads": 1}, {"threads": 4}, {"ranks": 2}, {"ranks": 3, "threads": 2})
    for number, engine in enumerate(engines):
        copy = Path(shutil.copytree(original, tmp_path / str(number) / "image.zarr"))
        omtask.run("measure", copy, **engine, parameters={
            "label": "cells", "features": "shape,axes,intensity,weighted"})
        files = tree(copy)
        reference = reference or files
        assert files == reference, engine


def test_layouts_do_not_change_a_table(
    omtask: Program, tmp_path: Path, rng: np.random.Generator
) -> None:
    labels = objects((9, 40, 50), rng, 3).astype(np.uint16)
    image = voxels((9, 40, 50), "uint16", rng)
    texts = set()
    for layout in ALL_LAYOUTS[::3]:
        path = write_measured(tmp_path / f"{layout.name}.zarr", "zyx", image, labels, layout)
        omtask.run("measure", path, parameters={"label": "cells", "backend": "csv"})
        texts.add((path / "tables/cells_features/table.csv").read_text())
    assert len(texts) == 1


def test_a_killed_run_goes_on(
    omtask: Program, tmp_path: Path, rng: np.random.Generator
) -> None:
    original = tmp_path / "original.zarr"
    labels = objects((40, 260, 300), rng, 3).astype(np.uint32)
    image = voxels((40, 260, 300), "uint16", rng)
    layout = Layout("s", "0.5", (8, 32, 32), (1, 2, 2), (ZSTD,))
    write_measured(original, "zyx", image, labels, layout, levels=1)
    right = Path(shutil.copytree(original, tmp_path / "right.zarr"))
    omtask.run("measure", right, parameters={"label": "cells"})
    went_on = 0
    for nth in (3, 9, 20, 40, 60):
        copy = Path(shutil.copytree(original, tmp_path / f"{nth}.zarr"))
        killed = omtask("run", "measure", copy, "--label", "cells", "--threads", "2", expect=None,
                        env=faults.injected(copy, "write,rename", "kill", nth=nth))
        assert killed.code == -9, killed
        outcome = omtask.run("measure", copy, parameters={"label": "cells"}, ranks=nth % 2 + 1)
        went_on += "goes on" in outcome.stderr or "going on" in outcome.stderr
        assert tree(copy / "tables") == tree(right / "tables"), nth
        assert not leftovers(copy)
    assert went_on, "no run had anything to go on with"


# Objects that are hard


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("layout", [samples.V2, samples.SHARDED], ids=describe)
def test_no_objects_make_a_table_without_rows(
    backend: str, layout: Layout, omtask: Program, tmp_path: Path
) -> None:
    zeros = np.zeros((20, 30), np.uint16)
    path = write_measured(tmp_path / "image.zarr", "yx", zeros, zeros, layout)
    omtask.run("measure", path, parameters={"label": "cells", "backend": backend})
    frame = open_table(str(path / "tables" / "cells_features")).dataframe
    assert len(frame) == 0 and "area" in frame.columns
    assert len(joined(omtask, path, "cells_features")) == 0


def test_numbers_of_64_bits_are_kept(omtask: Program, tmp_path: Path) -> None:
    labels = np.zeros((9, 40), np.uint64)
    numbers = [1, 2**32, 2**32 + 1, 2**53 + 1, 2**63 - 2, 2**63 - 1]
    for place, number in enumerate(numbers):
        labels[:, place * 6 : place * 6 + 5] = number
    path = write_measured(tmp_path / "image.zarr", "yx", labels.astype(np.uint8), labels, samples.V2)
    for backend in BACKENDS:
        omtask.run("measure", path, parameters={
            "label": "cells", "backend": backend, "table_name": backend})
        found = json.loads(omtask("table", path, backend, "--json").stdout)
        assert [row[0] for row in found["rows"]] == numbers
        assert [row[found["columns"].index("area")] for row in found["rows"]] == [45] * 6
        assert list(open_table(str(path / "tables" / backend)).dataframe.index) == numbers


@pytest.mark.parametrize("task", ["measure", "masking-roi-table"])
@pytest.mark.parametrize("layout", [samples.V2, samples.SHARDED], ids=describe)
def test_numbers_without_a_sign_are_read_by_ngio(
    layout: Layout, task: str, omtask: Program, tmp_path: Path
) -> None:
    labels = np.zeros((9, 40), np.uint64)
    numbers = [1, 2**53 + 1, 2**63 - 1, 2**63, 2**63 + 1, 2**64 - 1]
    for place, number in enumerate(numbers):
        labels[:, place * 6 : place * 6 + 5] = number
    path = write_measured(tmp_path / "image.zarr", "yx", labels.astype(np.uint8), labels, layout)
    for backend in ("anndata", "json"):
        call = {"label": "cells", "backend": backend, "table_name": backend}
        omtask.run(task, path, parameters=call)
        found = json.loads(omtask("table", path, backend, "--json").stdout)
        assert [row[found["columns"].index("label")] for row in found["rows"]] == numbers
        table = open_table(str(path / "tables" / backend))
        assert [int(name) for name in table.dataframe.index] == numbers
        if task == "masking-roi-table":
            assert table.get_label(2**63).label == 2**63
    before = tree(path)
    refused = omtask.run(
        task, path, parameters={"label": "cells", "backend": "csv", "table_name": "c"}, expect=76)
    assert f"label {2**63} is above" in refused.stderr and "--backend anndata" in refused.stderr
    assert tree(path) == before
    omtask.run("filter-labels", path, parameters={"label": "cells", "relabel": True, "label_name": "few"})
    omtask.run(task, path, parameters={"label": "few", "backend": "csv", "table_name": "c"})
    assert list(open_table(str(path / "tables/c")).dataframe.index) == [1, 2, 3, 4, 5, 6]


def test_an_object_in_every_voxel(omtask: Program, tmp_path: Path) -> None:
    labels = np.arange(1, 70 * 1000 + 1, dtype=np.uint32).reshape(70, 1000)
    image = (labels % 251).astype(np.uint8)
    path = write_measured(tmp_path / "image.zarr", "yx", image, labels, samples.SHARDED)
    omtask.run("measure", path, parameters={"label": "cells"}, threads=2)
    found = joined(omtask, path, "cells_features")
    assert np.array_equal(found["label"], labels.ravel())
    assert np.array_equal(found["intensity_mean"], image.ravel())
    assert (found["axis_major_length"] == 0).all() and (found["intensity_std"] == 0).all()


def test_borders_are_those_of_the_image_only(omtask: Program, tmp_path: Path) -> None:
    labels = np.zeros((1, 40, 50), np.uint8)
    labels[0, 3:6, 3:45] = 1
    labels[0, 10:12, 0] = 2
    labels[0, 39, 20] = 3
    path = write_measured(tmp_path / "image.zarr", "zyx", labels, labels, V3_LAYOUTS[1])
    omtask.run("measure", path, parameters={"label": "cells", "features": "shape,axes"})
    found = joined(omtask, path, "cells_features")
    # One plane is no border, and its objects are flat.
    assert list(found["touches_border"]) == [False, True, True]
    assert {"orientation", "area_micrometer2", "centroid_z"} <= set(found.columns)


def test_moved_objects_only_move(omtask: Program, tmp_path: Path, rng: np.random.Generator) -> None:
    labels = objects((30, 40), rng, 2).astype(np.uint16)
    image = voxels((30, 40), "int16", rng)
    tables = []
    for shift in (0, 13):
        pad = ((shift, 5), (shift, 5))
        path = write_measured(tmp_path / f"{shift}.zarr", "yx", np.pad(image, pad),
                              np.pad(labels, pad), V3_LAYOUTS[0])
        omtask.run("measure", path, parameters={"label": "cells", "features": measures.GROUPS})
        tables.append(joined(omtask, path, "cells_features"))
    for name in tables[0].columns:
        moves = name.startswith("bbox") or name.startswith("centroid") and "micrometer" not in name
        if name == "touches_border" or "centroid" in name and "micrometer" in name:
            continue
        want = tables[0][name] + (13 if moves else 0)
        assert np.allclose(tables[1][name], want, rtol=1e-12, equal_nan=True), name


# Boxes


@pytest.mark.parametrize("axes", ["yx", "zyx", "tyx", "czyx"])
@pytest.mark.parametrize("version", ["0.4", "0.5"])
def test_masking_rois_are_those_of_ngio(
    axes: str, version: str, omtask: Program, tmp_path: Path, rng: np.random.Generator
) -> None:
    shape = {"t": 3, "c": 2, "z": 5, "y": 140, "x": 90}
    image = np.zeros([shape[axis] for axis in axes], np.uint16)
    path = tmp_path / "image.zarr"
    container = ngio.create_ome_zarr_from_array(
        str(path), array=image, axes_names=axes, pixelsize=0.325, z_spacing=1.5,
        ngff_version=version, levels=2)
    label = container.derive_label("cells")
    flat = axes.replace("c", "")
    numbers = objects([shape[axis] for axis in flat], rng, sum(axis in "zyx" for axis in flat))
    label.set_array(numbers.astype(np.uint32))
    omtask.run("masking-roi-table", path, parameters={"label": "cells"})
    container = ngio.open_ome_zarr_container(str(path))
    found = container.get_table("cells_masking_ROI_table")
    ought = container.get_label("cells").build_masking_roi_table().dataframe
    is_ = found.dataframe.loc[ought.index, ought.columns]
    assert np.array_equal(is_.to_numpy(), ought.to_numpy())
    assert found.reference_label == "cells"


# In the image


def test_tables_join_those_that_are_there(
    omtask: Program, tmp_path: Path, rng: np.random.Generator
) -> None:
    for layout in (samples.V2, samples.SHARDED):
        path = tmp_path / f"{layout.version}.zarr"
        made(path, "zyx", "uint8", "uint8", layout, rng)
        write_group(path / "tables", layout.version, {})
        document = path / "tables" / (".zattrs" if layout.is_v2 else "zarr.json")
        theirs = {"tables": ["b", "a"], "foreign": {"x": 1.50}}
        document.write_text(json.dumps(
            theirs if layout.is_v2 else
            {"zarr_format": 3, "node_type": "group", "attributes": theirs}))
        omtask.run("measure", path, parameters={"label": "cells", "table_name": "ours"})
        read = json.loads(document.read_text())
        attributes = read if layout.is_v2 else read["attributes"]
        assert attributes == theirs | {"tables": ["b", "a", "ours"]}
        assert "ours" in omtask("table", path, "nothing", expect=66).stderr
        omtask("verify", path, expect=None)


def test_the_same_again_is_done_and_another_needs_overwrite(
    omtask: Program, tmp_path: Path, rng: np.random.Generator
) -> None:
    path = tmp_path / "image.zarr"
    made(path, "czyx", "uint16", "uint16", samples.SHARDED, rng)
    call = {"label": "cells", "table_name": "t"}
    omtask.run("measure", path, parameters=call)
    before = tree(path)
    assert "nothing to do" in omtask.run("measure", path, parameters=call).stderr
    other = call | {"channel": "DAPI"}
    refused = omtask.run("measure", path, parameters=other, expect=73).stderr
    assert "--overwrite" in refused and "--table-name" in refused
    assert tree(path) == before
    omtask.run("measure", path, parameters=other | {"overwrite": True})
    assert tree(path) != before and not leftovers(path)
    assert "intensity_mean-GFP" not in joined(omtask, path, "t")
    # Voxels that were changed are another input.
    chunk = next((path / "labels/cells/0").rglob("c/*/*/*"))
    os.utime(chunk, (1, 1))
    omtask.run("measure", path, parameters=other, expect=73)


def test_a_table_of_its_own(omtask: Program, tmp_path: Path, rng: np.random.Generator) -> None:
    path = tmp_path / "image.zarr"
    _, labels, _ = made(path, "zyx", "uint8", "uint8", samples.V2, rng)
    before = tree(path)
    out = tmp_path / "out.zarr"
    for backend in BACKENDS:
        omtask.run("measure", path, parameters={"label": "cells", "backend": backend},
                   extra=["--output", out, "--overwrite"])
        frame = open_table(str(out)).dataframe
        assert list(frame.index) == [n for n in np.unique(labels) if n]
    assert tree(path) == before


def test_labels_of_a_coarser_level_are_measured_there(
    omtask: Program, tmp_path: Path, rng: np.random.Generator
) -> None:
    path = tmp_path / "image.zarr"
    image, _, _ = made(path, "zyx", "uint16", "uint16", V3_LAYOUTS[1], rng)
    shutil.rmtree(path / "labels" / "cells")
    coarse = image[::2, ::2, ::2]
    labels = objects(coarse.shape, rng, 3).astype(np.uint16)
    inner = tmp_path / "inner.zarr"
    write_measured(inner, "zyx", coarse, labels, V3_LAYOUTS[1], levels=1)
    shutil.move(inner / "labels" / "cells", path / "labels" / "cells")
    omtask.run("measure", path, parameters={"label": "cells"})
    found = joined(omtask, path, "cells_features")
    ought = oracle("zyx", coarse, labels, None)
    measures.assert_equal(found, ought[[name for name in ought if name in found]])


@pytest.mark.parametrize(("call", "code", "says"), [
    ({"label": "cels"}, 64, "`cells`"), ({}, 64, "label"),
    ({"label": "cells", "features": "shapes"}, 64, "did you mean `shape`?"),
    ({"label": "cells", "features": "distribution"}, 76, "float32"),
    ({"label": "cells", "channel": "DAPI"}, 64, "DAPI"),
    ({"label": "other"}, 64, "fits no level"), ({"label": "fractions"}, 76, "float32"),
    ({"label": "cells", "table_name": "../x"}, 77, "`/`"),
])
def test_a_bad_call_is_explained(
    call: Mapping[str, Any], code: int, says: str, omtask: Program, tmp_path: Path,
    rng: np.random.Generator,
) -> None:
    path = tmp_path / "image.zarr"
    image, labels, _ = made(path, "zyx", "float32", "uint16", samples.SHARDED, rng)
    for name, numbers in (("other", labels[:-1]), ("fractions", image)):
        inner = write_measured(tmp_path / f"{name}.zarr", "zyx", image, numbers, samples.SHARDED)
        shutil.move(inner / "labels" / "cells", path / "labels" / name)
    write_group(path / "labels", "0.5", {"labels": ["cells", "other", "fractions"]})
    before = tree(path)
    assert says in omtask.run("measure", path, parameters=call, expect=code).stderr
    assert tree(path) == before


def test_voxels_that_are_no_numbers_are_named(omtask: Program, tmp_path: Path) -> None:
    labels = np.zeros((20, 30), np.uint8)
    labels[4:9, 5:20] = 1
    image = np.ones((20, 30), np.float32)
    image[0, 0] = np.nan
    path = write_measured(tmp_path / "a.zarr", "yx", image, labels, samples.V2)
    omtask.run("measure", path, parameters={"label": "cells"})
    image[6, 11] = np.inf
    path = write_measured(tmp_path / "b.zarr", "yx", image, labels, samples.V2)
    assert "6, 11" in omtask.run("measure", path, parameters={"label": "cells"}, expect=1).stderr


def test_too_many_objects_are_refused(omtask: Program, tmp_path: Path) -> None:
    labels = np.arange(1, 1200 * 1000 + 1, dtype=np.uint32).reshape(1200, 1000)
    path = write_measured(tmp_path / "image.zarr", "yx", labels, labels,
                          Layout("s", "0.5", (64, 64), (4, 4), (ZSTD,)), levels=1)
    call = {"label": "cells", "features": measures.GROUPS[:4]}
    refused = omtask.run("measure", path, parameters=call, extra=["--memory", "64M"], expect=79)
    assert "--memory" in refused.stderr and not (path / "tables").exists()


# Reading


def test_tables_of_a_plate_are_joined(
    omtask: Program, tmp_path: Path, rng: np.random.Generator
) -> None:
    shape = PlateShape(2, 2, 2)
    sources = {name: samples.blobs_image(samples.V2, rng, "cyx", (2, 40, 50), channels=("A", "B"))
               for name in shape.images}
    plate = write_plate(tmp_path / "plate.zarr", shape, sources)
    omtask.run("threshold", plate, parameters={"channel": "A", "label_name": "cells"}, threads=2)
    omtask.run("measure", plate, parameters={"label": "cells"}, ranks=2)
    shutil.rmtree(plate / "B/01/1/tables")
    file = tmp_path / "all.csv"
    outcome = omtask("table", plate, "cells_features", "--csv", file)
    assert "B/01/1 has no table" in outcome.stderr
    table = pandas.read_csv(file, dtype={"column": str}, float_precision="round_trip")
    assert list(table.columns[:6]) == ["plate", "row", "column", "well", "field", "label"]
    parts = []
    for name in shape.images:
        if name == "B/01/1":
            continue
        row, column, field = name.split("/")
        part = joined(omtask, plate / name, "cells_features")
        for place, value in enumerate(["plate.zarr", row, column, row + column, int(field)]):
            part.insert(place, ["plate", "row", "column", "well", "field"][place], value)
        parts.append(part)
    pandas.testing.assert_frame_equal(table, pandas.concat(parts, ignore_index=True))
    some = omtask("table", plate, "cells_features", "--csv", "--wells", "A/*").stdout
    assert omtask("table", plate, "cells_features", "--wells", "A/*", "--csv", "-").stdout == some
    assert some.count("\n") == 1 + sum(table["row"] == "A")
    assert "none of 8 images" in omtask("table", plate, "nothing", expect=66).stderr


@pytest.mark.parametrize("version", ["0.4", "0.5"])
@pytest.mark.parametrize("backend", BACKENDS)
def test_tables_of_ngio_are_read(
    version: str, backend: str, omtask: Program, tmp_path: Path
) -> None:
    path = tmp_path / "image.zarr"
    container = ngio.create_ome_zarr_from_array(
        str(path), array=np.zeros((3, 128, 128), np.uint16), pixelsize=0.5, ngff_version=version)
    container.derive_label("cells")
    frame = pandas.DataFrame({
        "label": [3, 70000], "area": [6, 1], "mean": [1.5, math.nan], "text": ["a, \"b\"", "ü"],
        "kind": pandas.Categorical(["x", "y"]), "flag": [True, False]}).set_index("label")
    if backend != "anndata":
        frame["kind"] = frame["kind"].astype(str)
    from ngio.tables import FeatureTable

    container.add_table("t", FeatureTable(frame, reference_label="cells"), backend=backend)
    found = json.loads(omtask("table", path, "t", "--json").stdout)
    rows = [dict(zip(found["columns"], row)) for row in found["rows"]]
    assert [row["label"] for row in rows] == [3, 70000]
    assert [row["area"] for row in rows] == [6, 1]
    assert [row["mean"] for row in rows] == [1.5, None]
    assert [row["text"] for row in rows] == ["a, \"b\"", "ü"]
    assert [row["kind"] for row in rows] == ["x", "y"]
    assert [bool(row["flag"]) for row in rows] == [True, False]


def test_what_cannot_be_read_is_said(omtask: Program, tmp_path: Path) -> None:
    from ngio.tables import FeatureTable

    path = tmp_path / "image.zarr"
    container = ngio.create_ome_zarr_from_array(
        str(path), array=np.zeros((3, 128, 128), np.uint16), pixelsize=0.5)
    container.derive_label("cells")
    frame = pandas.DataFrame({"label": [1], "area": [6]}).set_index("label")
    container.add_table("t", FeatureTable(frame, reference_label="cells"), backend="parquet")
    refused = omtask("table", path, "t", "--csv", "-", expect=76)
    assert "parquet" in refused.stderr and "tables/t" in refused.stderr


def test_verify_looks_at_tables(omtask: Program, tmp_path: Path, rng: np.random.Generator) -> None:
    path = tmp_path / "image.zarr"
    made(path, "zyx", "uint8", "uint8", samples.SHARDED, rng)
    omtask.run("measure", path, parameters={"label": "cells"})
    omtask.run("masking-roi-table", path, parameters={"label": "cells", "backend": "csv"})
    omtask("verify", path)
    document = path / "tables" / "zarr.json"
    whole = json.loads(document.read_text())
    whole["attributes"]["tables"].remove("cells_features")
    document.write_text(json.dumps(whole))
    assert "cells_features" in omtask("verify", path, expect=65).stdout
    omtask("verify", path, "--repair")
    assert "cells_features" in json.loads(document.read_text())["attributes"]["tables"]
    chunk = path / "tables/cells_features/X/c/0/0"
    chunk.write_bytes(chunk.read_bytes()[:-9])
    assert "cells_features/X" in omtask("verify", path, expect=65).stdout


@pytest.mark.parametrize("layout", [samples.V2, samples.SHARDED], ids=describe)
def test_consolidated_metadata_learn_of_tables(
    layout: Layout, omtask: Program, tmp_path: Path, rng: np.random.Generator
) -> None:
    import zarr

    path = tmp_path / "image.zarr"
    made(path, "zyx", "uint8", "uint8", layout, rng)
    zarr.consolidate_metadata(str(path))
    omtask.run("measure", path, parameters={"label": "cells"})
    group = zarr.open_consolidated(str(path))
    assert group["tables"].attrs["tables"] == ["cells_features"]
    assert group["tables/cells_features"].attrs["type"] == "feature_table"
    assert group["tables/cells_features/X"].shape[0] > 0
    omtask("verify", path)
