"""Derived images are bit-equal to SciPy and NumPy on the whole array, however the work is split."""

import json
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import zarr

from omtask_testing import faults, patterns, samples
from omtask_testing.derived import assert_derived, gaussian, suffix
from omtask_testing.images import Image, PlateShape, downsampled, write_image, write_plate
from omtask_testing.jobs import until
from omtask_testing.layouts import ALL_LAYOUTS, ZSTD, Layout, blosc_v2, describe
from omtask_testing.opens import strace_works
from omtask_testing.program import Program, environment
from omtask_testing.reading import ome, read_multiscale
from omtask_testing.trees import leftovers, tree

SHAPES = {
    "yx": (47, 61), "zyx": (13, 29, 31), "tyx": (3, 30, 25), "cyx": (2, 33, 37),
    "czyx": (2, 9, 21, 23), "tczyx": (2, 2, 7, 19, 23),
}
TYPES = ("uint8", "uint16", "int16", "uint32", "float32", "int8", "int32", "uint64", "float64")
CALLS: dict[str, list[dict[str, Any]]] = {
    "gaussian-blur": [
        {}, {"sigma": 2.3}, {"sigma": 0.4, "border": "nearest"}, {"arithmetic": "scipy", "sigma": 1.7},
        {"sigma": 6.0}, {"pyramid": "median"}, {"sigma": 0}, {"pyramid": "stride", "sigma": 1.1},
    ],
    "median": [
        {}, {"radius": 2}, {"radius": 2, "footprint": "ball"}, {"border": "nearest"}, {"radius": 0},
        {"pyramid": "min"}, {"radius": 3, "footprint": "ball", "border": "nearest"},
    ],
    "project": [
        {}, {"method": "min"}, {"method": "mean"}, {"method": "sum"}, {"axis": "y"}, {"axis": "x"},
        {"method": "mean", "axis": "x"}, {"method": "mean", "compat": "fractal"},
        {"method": "sum", "compat": "fractal"}, {"method": "mean", "dtype": "float32"},
        {"method": "sum", "axis": "x", "dtype": "float64"}, {"axis": "t", "method": "mean"},
        {"axis": "c", "pyramid": "max"},
    ],
}


def cases() -> list[tuple[str, str, str, Layout, dict[str, Any]]]:
    """Every call with every type, shape and layout in turn."""
    dealt = []
    for task, calls in CALLS.items():
        for number in range(36):
            call = calls[number % len(calls)]
            places = [axes for axes in SHAPES if task != "project" or call.get("axis", "z") in axes]
            dealt.append((
                task, places[number % len(places)], TYPES[number * 7 % len(TYPES)],
                ALL_LAYOUTS[number * 11 % len(ALL_LAYOUTS)], call,
            ))
    return dealt


def voxels(axes: str, dtype: str, rng: np.random.Generator) -> np.ndarray:
    """Objects on noise, with the largest and smallest numbers of the type here and there."""
    shape = SHAPES[axes]
    spatial = sum(axis in "zyx" for axis in axes)
    data = np.empty(shape, dtype)
    for index in np.ndindex(shape[:-spatial]):
        data[index] = patterns.intensities(patterns.blobs(shape[-spatial:], rng), dtype, rng)
    if np.dtype(dtype).kind != "f" and np.dtype(dtype).itemsize < 8:
        limits = np.iinfo(dtype)
        data.ravel()[rng.integers(data.size, size=20)] = limits.max
        data.ravel()[rng.integers(data.size, size=20)] = limits.min
    return data


@pytest.mark.sweep(2)
@pytest.mark.parametrize(("task", "axes", "dtype", "layout", "parameters"), cases(), ids=describe)
def test_equals_the_oracle(
    task: str, axes: str, dtype: str, layout: Layout, parameters: Mapping[str, Any],
    omtask: Program, tmp_path: Path, rng: np.random.Generator,
) -> None:
    data = voxels(axes, dtype, rng)
    image = write_image(tmp_path / "image.zarr", Image(axes, downsampled(axes, data, 3), layout))
    before = tree(image)
    omtask.run(task, image, parameters=parameters, threads=2)
    made = tmp_path / f"image_{suffix(task, parameters)}.zarr"
    assert_derived(made, task, axes, data, parameters, 3)
    assert tree(image) == before
    assert not leftovers(tmp_path)


# However the work is split

LAYOUTS = (
    Layout("v2-small", "0.4", (7, 9, 11), compression=(blosc_v2("lz4", 1),)),
    Layout("v3-one-chunk", "0.5", (64,), compression=(ZSTD,)),
    Layout("shards-of-8", "0.5", (8,), (2,), (ZSTD,)),
    Layout("shards-flat", "0.5", (5, 8, 8), (1, 3, 2), (ZSTD,), index_location="start"),
)
ENGINES = [{"threads": n} for n in (1, 2, 4)] + [{"ranks": n} for n in (1, 2, 3, 5)]
SPLIT = [
    ("gaussian-blur", {"sigma": [1.2, 2.1, 0.7]}), ("median", {"radius": [1, 2, 1]}),
    ("project", {"method": "mean"}), ("project", {"axis": "x"}),
]


@pytest.mark.sweep(2)
@pytest.mark.parametrize("layout", LAYOUTS, ids=describe)
@pytest.mark.parametrize(("task", "parameters"), SPLIT, ids=describe)
def test_every_engine_writes_the_same_files(
    task: str, parameters: Mapping[str, Any], layout: Layout, omtask: Program, tmp_path: Path
) -> None:
    rng = np.random.default_rng(5)
    data = rng.integers(0, 60000, size=(25, 34, 41)).astype(np.uint16)
    original = write_image(
        tmp_path / "image.zarr", Image("zyx", downsampled("zyx", data, 3), layout))
    reference: dict[str, str] | None = None
    for number, engine in enumerate(ENGINES):
        folder = tmp_path / str(number)
        image = Path(shutil.copytree(original, folder / "image.zarr"))
        omtask.run(task, image, parameters=parameters, **engine)
        made = folder / f"image_{suffix(task, parameters)}.zarr"
        files = tree(made)
        if reference is None:
            reference = files
            assert_derived(made, task, "zyx", data, parameters, 3)
        assert files == reference, f"{engine} differs from {ENGINES[0]}"


# Selections, places and names


@pytest.mark.parametrize("layout", samples.BOTH, ids=describe)
def test_outside_the_selection_is_fill(
    layout: Layout, omtask: Program, tmp_path: Path, rng: np.random.Generator
) -> None:
    source = samples.blobs_image(layout, rng, "tzyx", (3, 12, 41, 45), levels=1)
    image = write_image(tmp_path / "image.zarr", source)
    omtask.run("gaussian-blur", image, extra=["--select", "t=1,z=3:9,x=10:30"])
    omtask.run("project", image, extra=["--select", "t=1:3,z=3:9,x=10:30"])
    blurred = read_multiscale(tmp_path / "image_gaussian.zarr").levels[0]
    whole = tmp_path / "whole"
    omtask.run("gaussian-blur", image, extra=["--output", whole])
    ought = np.zeros_like(blurred)
    part = (1, slice(3, 9), slice(None), slice(10, 30))
    # What surrounds the selection is no border of the image.
    ought[part] = read_multiscale(whole).levels[0][part]
    assert np.array_equal(blurred, ought)
    projected = read_multiscale(tmp_path / "image_max_z.zarr").levels[0]
    ought = np.zeros_like(projected)
    ought[1:3, 0, :, 10:30] = source.levels[0][1:3, 3:9, :, 10:30].max(axis=1)
    assert np.array_equal(projected, ought)


def test_a_projection_says_what_its_voxel_covers(
    omtask: Program, tmp_path: Path, rng: np.random.Generator
) -> None:
    source = samples.blobs_image(samples.SHARDED, rng, "zyx", (12, 41, 45), levels=2)
    image = write_image(tmp_path / "image.zarr", source)
    omtask.run("project", image, extra=["--select", "z=2:8"])
    for dataset in ome(tmp_path / "image_max_z.zarr")["multiscales"][0]["datasets"]:
        scale, translation = dataset["coordinateTransformations"]
        assert scale["scale"][0] == pytest.approx(6 * 0.75)
        assert translation["translation"] == pytest.approx([4.5 * 0.75, 0, 0])


def test_a_width_in_micrometres_is_that_width(
    omtask: Program, tmp_path: Path, rng: np.random.Generator
) -> None:
    source = samples.blobs_image(samples.SHARDED, rng, "zyx", (12, 41, 45), levels=1)
    image = write_image(tmp_path / "image.zarr", source)
    omtask.run("gaussian-blur", image, parameters={"sigma": [0.75, 0.65, 0.65], "unit": "micrometer"})
    assert_derived(
        tmp_path / "image_gaussian.zarr", "gaussian-blur", "zyx", source.levels[0],
        {"sigma": [1, 2, 2]}, 1,
    )


@pytest.mark.parametrize("layout", samples.BOTH, ids=describe)
def test_channels_and_scales_come_along(
    layout: Layout, omtask: Program, tmp_path: Path, rng: np.random.Generator
) -> None:
    source = samples.blobs_image(
        layout, rng, "czyx", (2, 12, 41, 45), levels=2, channels=("DAPI", "GFP"))
    image = write_image(tmp_path / "image.ome.zarr", source)
    omtask.run("median", image)
    made = tmp_path / "image_median.ome.zarr"
    assert ome(made)["omero"] == ome(image)["omero"]
    assert read_multiscale(made).scales == read_multiscale(image).scales
    omtask.run("project", image, parameters={"axis": "c"})
    assert "omero" not in ome(tmp_path / "image_max_c.ome.zarr")
    read_by_peers(made)


def read_by_peers(path: Path) -> None:
    """ngio opens an image, and ome-zarr-models finds nothing wrong with it."""
    ngio = "import sys, ngio; i = ngio.open_ome_zarr_container(sys.argv[1]); i.get_image().get_array()"
    models = "import sys, ome_zarr_models; ome_zarr_models.open_ome_zarr(__import__('zarr').open(sys.argv[1], mode='r'))"
    for code in (ngio, models):
        subprocess.run([sys.executable, "-c", code, str(path)], check=True, timeout=120)


# Plates


def plate(tmp_path: Path, layout: Layout, rng: np.random.Generator) -> Path:
    shape = PlateShape(2, 2, 1)
    images = {
        path: samples.blobs_image(layout, rng, "czyx", (2, 4, 33, 35), levels=2, channels=("A", "B"))
        for path in shape.images
    }
    return write_plate(tmp_path / "plate.zarr", shape, images)


@pytest.mark.parametrize("layout", samples.BOTH, ids=describe)
def test_a_well_lists_what_was_made_and_it_is_not_made_again(
    layout: Layout, omtask: Program, tmp_path: Path, rng: np.random.Generator
) -> None:
    root = plate(tmp_path, layout, rng)
    originals = {well: read_multiscale(root / well / "0") for well in ("A/01", "A/02", "B/01", "B/02")}
    updates = tmp_path / "out.json"
    omtask.run("gaussian-blur", root, ranks=2, extra=["--out-json", updates])
    for well, original in originals.items():
        assert [image["path"] for image in ome(root / well)["well"]["images"]] == ["0", "0_gaussian"]
        assert_derived(
            root / well / "0_gaussian", "gaussian-blur", "czyx", original.levels[0], {}, 2)
    listed = json.loads(updates.read_text())["image_list_updates"]
    assert [(u["zarr_url"], u["origin"], u["types"]) for u in listed] == [
        (f"{root}/{well}/0_gaussian", f"{root}/{well}/0", {"is_blurred": True}) for well in originals]
    files = tree(root)
    # Neither a second run nor another task's flags make images of images.
    outcome = omtask.run("gaussian-blur", root)
    assert tree(root) == files
    assert "8 skipped" in outcome.stderr
    omtask.run("median", root)
    paths = [image["path"] for image in ome(root / "B/02")["well"]["images"]]
    assert paths == ["0", "0_gaussian", "0_median", "0_gaussian_median"]
    assert not leftovers(root)


@pytest.mark.parametrize("layout", samples.BOTH, ids=describe)
@pytest.mark.parametrize(
    "call, name",
    [(["gaussian-blur"], "0gaussian"), (["median", "--suffix", "My-median_3"], "0Mymedian3"),
     (["project", "--plate", "same"], "0maxz"), (["convert"], "0converted")], ids=lambda v: str(v))
def test_wells_with_plain_names_are_valid_for_all(
    call: list[str], name: str, layout: Layout, omtask: Program, tmp_path: Path, rng: np.random.Generator
) -> None:
    root = plate(tmp_path, layout, rng)
    version = ["--ome-version", layout.version] if call == ["convert"] else []
    command = ["run", *call, root, "--plain-names", *version]
    omtask(*command)
    for well in ("A/01", "B/02"):
        assert [image["path"] for image in ome(root / well)["well"]["images"]] == ["0", name]
        assert_valid_well(root / well)
    valid = omtask("validate", root)
    assert "plate: 0 errors" in valid.stdout, valid.stdout
    files = tree(root)
    omtask(*command)
    assert tree(root) == files and not leftovers(root)


def assert_valid_well(well: Path) -> None:
    """ngio has nothing to warn of, and ome-zarr-models takes the well."""
    program = (
        "import sys, warnings, ome_zarr_models, zarr\n"
        "import ngio\n"
        "warnings.simplefilter('error', ngio.utils.NgioUserWarning)\n"
        "assert type(ome_zarr_models.open_ome_zarr(zarr.open_group(sys.argv[1], mode='r'))).__name__ == 'Well'\n"
        "# It warns when it writes the metadata, not when it reads them.\n"
        "assert ngio.open_ome_zarr_well(sys.argv[1]).meta.model_dump()['images']\n")
    subprocess.run([sys.executable, "-c", program, str(well)], check=True, timeout=120)


@pytest.mark.parametrize(
    "call, sentence",
    [(["gaussian-blur", "plate.zarr", "--output", "new.zarr"], "does not go into the well"),
     (["project", "plate.zarr"], "does not go into the well"),
     (["gaussian-blur", "alone.zarr"], "the image is in no well"),
     (["gaussian-blur", "plate.zarr", "--suffix", "_-"], "wants a letter or digit"),
     (["masking-roi-table", "plate.zarr", "--label", "a"], "the task makes no image"),
     (["threshold", "plate.zarr", "--channel", "all"], "the task makes no image")], ids=lambda v: str(v)[:40])
def test_plain_names_are_refused_where_they_name_nothing(
    call: list[str], sentence: str, omtask: Program, tmp_path: Path, rng: np.random.Generator
) -> None:
    layout = samples.BOTH[0]
    root = plate(tmp_path, layout, rng)
    shutil.copytree(root / "A/01/0", tmp_path / "alone.zarr")
    files = tree(tmp_path)
    words = [tmp_path / word if word.endswith(".zarr") else word for word in call]
    outcome = omtask("run", *words, "--plain-names", expect=64)
    assert sentence in outcome.stderr, outcome.stderr
    assert tree(tmp_path) == files


def test_many_runs_at_once_are_all_listed(
    omtask: Program, tmp_path: Path, rng: np.random.Generator
) -> None:
    root = plate(tmp_path, samples.V2, rng)
    names = [f"p{number}" for number in range(8)]
    runs = [
        subprocess.Popen(
            [omtask.path, "run", "project", root, "--plate", "same", "--suffix", name,
             "--progress", "none"],
            stderr=subprocess.PIPE, text=True)
        for name in names
    ]
    for run in runs:
        _, said = run.communicate(timeout=120)
        assert run.returncode == 0, said
    for well in ("A/01", "A/02", "B/01", "B/02"):
        listed = [image["path"] for image in ome(root / well)["well"]["images"]]
        assert sorted(listed) == sorted(["0", *(f"0_{name}" for name in names)])
    assert not leftovers(root)


def test_consolidated_metadata_know_the_derived_image(
    omtask: Program, tmp_path: Path, rng: np.random.Generator
) -> None:
    root = plate(tmp_path, samples.SHARDED, rng)
    zarr.consolidate_metadata(root)
    omtask.run("project", root, parameters={"plate": "same"})
    group = zarr.open_consolidated(root)
    assert group["B/02/0_max_z/0"].shape == (2, 1, 33, 35)
    assert [i["path"] for i in group["B/02"].attrs["ome"]["well"]["images"]] == ["0", "0_max_z"]


@pytest.mark.parametrize("layout", [samples.SHARDED, samples.V2], ids=describe)
def test_consolidated_metadata_keep_what_lies_in_the_derived_image(
    layout: Layout, omtask: Program, tmp_path: Path, rng: np.random.Generator
) -> None:
    """A run that has nothing to do takes neither labels nor tables out of the copy."""
    root = plate(tmp_path, layout, rng)
    zarr.consolidate_metadata(root, zarr_format=2 if layout.is_v2 else 3)
    omtask.run("project", root, parameters={"plate": "same"})
    made = root / "B/02/0_max_z"
    omtask.threshold(made, parameters={"channel": "A", "label_name": "cells"})
    omtask.run("measure", made, parameters={"label": "cells"})
    before = tree(root)
    assert " 0 images done" in omtask.run("project", root, parameters={"plate": "same"}).stderr
    assert tree(root) == before
    group = zarr.open_consolidated(root)["B/02/0_max_z"]
    assert {"labels/cells/0", "tables/cells_features/X"} <= {
        f"{shelf}/{name}/{part}" for shelf in ("labels", "tables") for name in group[shelf]
        for part in group[shelf][name]}


def test_labels_of_a_derived_image_are_not_lost(
    omtask: Program, tmp_path: Path, rng: np.random.Generator
) -> None:
    image = write_image(tmp_path / "image.zarr", samples.blobs_image(samples.SHARDED, rng))
    omtask.run("gaussian-blur", image)
    made = tmp_path / "image_gaussian.zarr"
    omtask.threshold(made)
    files = tree(made)
    assert "nothing to do" in omtask.run("gaussian-blur", image).stderr
    refused = omtask.run("gaussian-blur", image, parameters={"sigma": 3}, expect=73)
    assert "--suffix" in refused.stderr
    refused = omtask.run(
        "gaussian-blur", image, parameters={"sigma": 3, "overwrite": True}, expect=73)
    assert "labels" in refused.stderr
    assert tree(made) == files


def test_overwriting_replaces_the_derived_image(
    omtask: Program, tmp_path: Path, rng: np.random.Generator
) -> None:
    source = samples.blobs_image(samples.SHARDED, rng)
    image = write_image(tmp_path / "image.zarr", source)
    omtask.run("gaussian-blur", image)
    omtask.run("gaussian-blur", image, parameters={"sigma": 3, "overwrite": True})
    made = tmp_path / "image_gaussian.zarr"
    assert_derived(made, "gaussian-blur", "zyx", source.levels[0], {"sigma": 3}, 2)
    assert not leftovers(tmp_path)


@pytest.mark.parametrize("parameters", [
    {"sigma": "1,2"}, {"sigma": -1}, {"suffix": "a/b"}, {"suffix": ""}, {"border": "wrap"},
])
def test_a_bad_call_is_explained(
    parameters: Mapping[str, Any], omtask: Program, tmp_path: Path, rng: np.random.Generator
) -> None:
    image = write_image(tmp_path / "image.zarr", samples.blobs_image(samples.SHARDED, rng))
    before = tree(tmp_path)
    outcome = omtask.run("gaussian-blur", image, parameters=parameters, expect=None)
    assert outcome.code in (64, 77)
    assert next(iter(parameters)) in outcome.stderr or "image name" in outcome.stderr
    assert tree(tmp_path) == before


@pytest.mark.parametrize("task", ["gaussian-blur", "median"])
def test_a_voxel_that_is_no_number_is_named(task: str, omtask: Program, tmp_path: Path) -> None:
    data = np.ones((2, 5, 20, 30), np.float32)
    data[1, 3, 11, 17] = np.nan
    layout = Layout("small", "0.5", (4, 8, 8), compression=(ZSTD,))
    image = write_image(tmp_path / "image.zarr", Image("czyx", [data], layout))
    outcome = omtask.run(task, image, expect=1)
    assert "3, 11, 17" in outcome.stderr and "c = 1" in outcome.stderr
    assert not (tmp_path / f"image_{suffix(task, {})}.zarr").exists()
    assert not leftovers(tmp_path)


# Stops


def test_a_killed_run_goes_on(omtask: Program, tmp_path: Path) -> None:
    rng = np.random.default_rng(9)
    data = rng.integers(0, 60000, size=(30, 64, 64)).astype(np.uint16)
    source = Image("tyx", downsampled("tyx", data, 2), samples.SERIES)
    image = write_image(tmp_path / "image.zarr", source)
    omtask.run("gaussian-blur", image)
    right = tree(tmp_path / "image_gaussian.zarr")
    for nth in (3, 9, 31, 60, 66, 68, 70):
        shutil.rmtree(tmp_path / "image_gaussian.zarr")
        env = faults.injected(tmp_path / ".image_gaussian.zarr.omtask", "rename", "kill", nth=nth)
        omtask.run("gaussian-blur", image, expect=None, env=env)
        omtask.run("gaussian-blur", image)
        assert tree(tmp_path / "image_gaussian.zarr") == right
        assert not leftovers(tmp_path)


def test_a_run_killed_before_the_well_was_changed_lists_the_image(
    omtask: Program, tmp_path: Path, rng: np.random.Generator
) -> None:
    root = plate(tmp_path, samples.SHARDED, rng)
    image = root / "A/01/0"
    env = faults.injected(root / "A/01/.omtask", "rename,rename2,link", "kill", nth=1)
    killed = omtask.run("median", image, expect=None, env=env)
    assert killed.code != 0
    omtask.run("median", image)
    assert [i["path"] for i in ome(root / "A/01")["well"]["images"]] == ["0", "0_median"]
    assert not leftovers(root)


# Other runs, other programs, other disks


def test_what_appears_in_the_place_meanwhile_is_not_replaced(
    omtask: Program, tmp_path: Path
) -> None:
    source = Image("tyx", [np.ones((30, 64, 64), np.uint16)], samples.SERIES)
    image = write_image(tmp_path / "image.zarr", source)
    env = faults.injected(image / "0", "read", "delay", nth=1, every=1, ms=30)
    run = subprocess.Popen(
        [omtask.path, "run", "median", image, "--overwrite", "--threads", "1"],
        env=environment(env), stderr=subprocess.PIPE, text=True)
    stage = tmp_path / ".image_median.zarr.omtask"
    until(stage.exists, 5, "the run begins")
    mine = tmp_path / "image_median.zarr/mine.txt"
    mine.parent.mkdir()
    mine.write_text("mine")
    _, said = run.communicate(timeout=60)
    assert run.returncode == 73 and "omtask did not make it" in said
    assert mine.read_text() == "mine" and list(mine.parent.iterdir()) == [mine]
    assert not leftovers(tmp_path)


@pytest.mark.parametrize("round_", range(3))
def test_different_runs_of_one_name_at_once_leave_one_of_their_results(
    round_: int, omtask: Program, tmp_path: Path, rng: np.random.Generator
) -> None:
    root = plate(tmp_path, samples.SHARDED, rng)
    image = root / "A/01/0"
    data = read_multiscale(image).levels[0]
    widths = [0.6, 0.9, 1.2, 1.5, 1.8]
    runs = [
        subprocess.Popen(
            [omtask.path, "run", "gaussian-blur", image, "--sigma", str(width), "--overwrite"],
            stderr=subprocess.PIPE, text=True)
        for width in widths
    ]
    for run in runs:
        _, said = run.communicate(timeout=120)
        assert run.returncode == 0, said
    assert [i["path"] for i in ome(root / "A/01")["well"]["images"]] == ["0", "0_gaussian"]
    found = read_multiscale(image.with_name("0_gaussian")).levels[0]
    made = [gaussian("czyx", data, {"sigma": width}) for width in widths]
    assert any(np.array_equal(found, one) for one in made)
    assert not leftovers(root)


@pytest.mark.parametrize("overwrites", [False, True])
def test_a_well_that_cannot_be_changed_leaves_all_as_it_was(
    overwrites: bool, omtask: Program, tmp_path: Path, rng: np.random.Generator
) -> None:
    root = plate(tmp_path, samples.SHARDED, rng)
    image = root / "A/01/0"
    if overwrites:
        omtask.run("median", image)
        # As if another program had taken the entry away.
        document = json.loads((root / "A/01/zarr.json").read_text())
        document["attributes"]["ome"]["well"]["images"].pop()
        (root / "A/01/zarr.json").write_text(json.dumps(document))
    before = tree(root)
    env = faults.injected(root / "A/01/.omtask", "link,rename", "EIO", nth=1, every=1)
    failed = omtask.run(
        "median", image, parameters={"radius": 2, "overwrite": overwrites}, expect=74, env=env)
    assert "A/01" in failed.stderr
    assert {k: v for k, v in tree(root).items() if ".omtask" not in k} == before
    omtask.run("median", image, parameters={"radius": 2, "overwrite": overwrites})
    data = read_multiscale(image).levels[0]
    assert_derived(image.with_name("0_median"), "median", "czyx", data, {"radius": 2}, 2)
    assert not leftovers(root)


def test_a_disk_that_cannot_exchange_names_replaces_all_the_same(
    omtask: Program, tmp_path: Path, rng: np.random.Generator
) -> None:
    source = samples.blobs_image(samples.SHARDED, rng)
    image = write_image(tmp_path / "image.zarr", source)
    omtask.run("median", image)
    if not strace_works():
        pytest.skip("strace may not be used here")
    refusing = ["strace", "-f", "-o", "/dev/null", "-e", "inject=renameat2:error=EINVAL"]
    omtask.run(
        "median", image, parameters={"radius": 2, "overwrite": True}, launcher=refusing)
    assert_derived(
        tmp_path / "image_median.zarr", "median", "zyx", source.levels[0], {"radius": 2}, 2)
    assert not leftovers(tmp_path)


def test_another_meaning_of_the_input_is_another_run(
    omtask: Program, tmp_path: Path, rng: np.random.Generator
) -> None:
    source = samples.blobs_image(
        samples.V2, rng, "czyx", (2, 12, 41, 45), levels=1, channels=("A", "B"))
    image = write_image(tmp_path / "image.zarr", source)
    label = {"channel": "A", "label_name": "a"}
    omtask.threshold(image, parameters=label)
    omtask.run("median", image)
    document = json.loads((image / ".zattrs").read_text())
    document["omero"]["channels"].reverse()
    (image / ".zattrs").write_text(json.dumps(document))
    omtask.threshold(image, parameters=label, expect=73)
    omtask.run("median", image, expect=73)


def test_micrometres_count_what_is_applied_to_the_whole_image(
    omtask: Program, tmp_path: Path, rng: np.random.Generator
) -> None:
    source = samples.blobs_image(samples.V2, rng, "zyx", (12, 41, 45), levels=1)
    image = write_image(tmp_path / "image.zarr", source)
    document = json.loads((image / ".zattrs").read_text())
    document["multiscales"][0]["coordinateTransformations"] = [
        {"type": "scale", "scale": [2.0, 2.0, 0.5]}]
    (image / ".zattrs").write_text(json.dumps(document))
    omtask.run("gaussian-blur", image, parameters={"sigma": [1.5, 0.65, 0.65], "unit": "micrometer"})
    assert_derived(
        tmp_path / "image_gaussian.zarr", "gaussian-blur", "zyx", source.levels[0],
        {"sigma": [1, 1, 4]}, 1)


def test_the_out_json_names_what_was_made(
    omtask: Program, tmp_path: Path, rng: np.random.Generator
) -> None:
    image = write_image(tmp_path / "image.zarr", samples.blobs_image(samples.SHARDED, rng))
    (tmp_path / "sub").mkdir()
    made = tmp_path / "blurred.zarr"
    omtask.run(
        "gaussian-blur", image,
        extra=["--output", tmp_path / "sub/../blurred.zarr", "--out-json", tmp_path / "out.json"])
    updates = json.loads((tmp_path / "out.json").read_text())["image_list_updates"]
    assert [update["zarr_url"] for update in updates] == [str(made)]
    assert ome(made)["multiscales"][0]["name"] == "blurred.zarr"


def test_unfinished_derived_images_are_found_and_removed(
    omtask: Program, tmp_path: Path, rng: np.random.Generator
) -> None:
    root = plate(tmp_path, samples.SERIES, rng)
    before = tree(root)
    env = faults.injected(root / "A/01/.0_median.omtask", "rename", "kill", nth=4)
    omtask.run("median", root / "A/01/0", expect=None, env=env)
    assert "1 unfinished run" in omtask("runs", root).stdout
    assert ".0_median.omtask" in omtask("clean", root).stdout
    assert tree(root) == before


def test_links_to_wells_are_followed_where_that_is_allowed(
    omtask: Program, tmp_path: Path, rng: np.random.Generator
) -> None:
    root = plate(tmp_path, samples.SHARDED, rng)
    elsewhere = tmp_path / "elsewhere"
    (root / "A/01").rename(elsewhere)
    (root / "A/01").symlink_to(elsewhere)
    omtask.run("project", root, parameters={"plate": "same"}, extra=["--follow-links"])
    assert [i["path"] for i in ome(elsewhere)["well"]["images"]] == ["0", "0_max_z"]
    assert (elsewhere / "0_max_z").is_dir()
