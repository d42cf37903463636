"""Whole plates are made of plates, image by image: complete images, listed once they are there."""

import json
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import ngio
import numpy as np
import pytest
import zarr

from omtask_testing import faults, samples
from omtask_testing.derived import assert_derived
from omtask_testing.images import PlateShape, write_plate
from omtask_testing.layouts import Layout, describe
from omtask_testing.opens import strace_works
from omtask_testing.program import Program
from omtask_testing.reading import group_attributes, ome, read_multiscale
from omtask_testing.trees import leftovers, tree

SHAPE = PlateShape(2, 2, 2)
SIZE = (2, 3, 18, 21)
TASKS: list[tuple[str, dict[str, Any]]] = [
    ("project", {}), ("gaussian-blur", {"sigma": 0.8}), ("median", {}), ("convert", {"chunk": 8}),
]


def source(
    folder: Path, layout: Layout = samples.SHARDED, shape: PlateShape = SHAPE, name: str = "plate"
) -> Path:
    """A plate of two acquisitions with some members that nobody here knows."""
    rng = np.random.default_rng(11)
    images = {
        path: samples.blobs_image(layout, rng, "czyx", SIZE, levels=2, channels=("A", "B"))
        for path in shape.images
    }
    root = write_plate(folder / f"{name}.zarr", shape, images)
    change(root, "plate", lambda plate: plate.update(
        acquisitions=[{"id": 0, "name": "first", "starttime": 5}, {"id": 3}], made_by={"x": 1.50}))
    for well in shape.wells:
        change(root / well, "well", lambda well: [
            image.update(acquisition=3 * number, seen=number)
            for number, image in enumerate(well["images"])])
    return root


def change(group: Path, key: str, edit: Any) -> None:
    file = group / ("zarr.json" if (group / "zarr.json").exists() else ".zattrs")
    document = json.loads(file.read_text())
    attributes = document.get("attributes", document)
    edit(attributes.get("ome", attributes)[key])
    file.write_text(json.dumps(document, indent=2))


def assert_plate(
    made: Path, original: Path, task: str, parameters: Mapping[str, Any],
    wells: list[str] = SHAPE.wells, fields: int = SHAPE.fields,
) -> None:
    """Compares a new plate with the one that it was made of."""
    given, found = ome(original)["plate"], ome(made)["plate"]
    for key in ("rows", "columns", "acquisitions", "made_by"):
        assert found[key] == given[key]
    assert found["name"] == made.name and found["field_count"] == fields
    assert found["wells"] == [well for well in given["wells"] if well["path"] in wells]
    for well in wells:
        listed = ome(made / well)["well"]["images"]
        assert listed == ome(original / well)["well"]["images"][:fields]
        for image in listed:
            path = made / well / image["path"]
            data = read_multiscale(original / well / image["path"])
            if task == "convert":
                for is_, ought in zip(read_multiscale(path).levels, data.levels, strict=True):
                    assert np.array_equal(is_, ought)
            else:
                assert_derived(path, task, "czyx", data.levels[0], parameters, 2)
            record = group_attributes(path)["omtask"]["source"]
            is_whole = Path(record).is_absolute()
            assert (Path(record) if is_whole else path / record).resolve() == (
                original / well / image["path"])


def expected_tree(
    omtask: Program, folder: Path, root: Path, task: str, parameters: Mapping[str, Any]
) -> dict[str, str]:
    """The files of the plate `new.zarr` that one thread makes at one go."""
    made = folder / "reference/new.zarr"
    made.parent.mkdir()
    omtask.run(task, root, parameters=parameters, extra=["--output", made])
    files = tree(made)
    shutil.rmtree(made.parent)
    return files


# Every task, every engine


@pytest.mark.sweep(2)
@pytest.mark.parametrize("engine", [{"ranks": n} for n in (1, 2, 3)] + [{"threads": 2}], ids=describe)
@pytest.mark.parametrize("layout", samples.BOTH, ids=describe)
@pytest.mark.parametrize(("task", "parameters"), TASKS, ids=describe)
def test_a_plate_is_made_of_a_plate(
    task: str, parameters: Mapping[str, Any], layout: Layout, engine: dict[str, int],
    omtask: Program, tmp_path: Path,
) -> None:
    root = source(tmp_path, layout)
    before = tree(root)
    made = tmp_path / "new.zarr"
    where = ["--output", made]
    omtask.run(task, root, parameters=parameters, extra=where, **engine)
    assert_plate(made, root, task, parameters)
    assert tree(root) == before
    assert sorted(p.name for p in tmp_path.iterdir()) == ["new.zarr", "plate.zarr"]
    files = tree(made)
    outcome = omtask.run(task, root, parameters=parameters, extra=where, **engine)
    assert "8 skipped" in outcome.stderr and tree(made) == files
    assert not leftovers(tmp_path)


def test_every_engine_makes_the_same_files(omtask: Program, tmp_path: Path) -> None:
    root = source(tmp_path)
    ought = expected_tree(omtask, tmp_path, root, "median", {})
    for number, engine in enumerate(({"ranks": 2}, {"ranks": 3}, {"ranks": 5}, {"threads": 4}), 1):
        made = tmp_path / str(number) / "new.zarr"
        made.parent.mkdir()
        omtask.run("median", root, extra=["--output", made], **engine)
        assert tree(made) == ought, engine


@pytest.mark.parametrize("layout", samples.BOTH, ids=describe)
def test_others_find_the_plate_valid(layout: Layout, omtask: Program, tmp_path: Path) -> None:
    root = source(tmp_path, layout)
    change(root, "plate", lambda plate: plate.pop("made_by"))
    omtask.run("project", root)
    omtask.run("convert", root, extra=["--output", tmp_path / "v5.zarr"])
    omtask.run(
        "convert", root, parameters={"ome_version": "0.4"}, extra=["--output", tmp_path / "v4.zarr"])
    for name, version in (
        ("plate_max_z.zarr", layout.version), ("v5.zarr", "0.5"), ("v4.zarr", "0.4")
    ):
        made = tmp_path / name
        words = [sys.executable, "-m", "omtask_testing.plate_check", made, version]
        done = subprocess.run(words, cwd=Path(__file__).parent, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        plate = ngio.open_ome_zarr_plate(made)
        assert sorted(plate.images_paths(max_workers=1)) == SHAPE.images
        assert sorted(plate.acquisition_ids) == [0, 3]
        image = ngio.open_ome_zarr_container(made / "B/02/1").get_image()
        assert image.channel_labels == ["A", "B"]
        assert omtask("verify", made).code == 0


# Fractal's way: a new plate beside the plate


def test_projections_make_a_plate_beside_the_plate(omtask: Program, tmp_path: Path) -> None:
    root = source(tmp_path)
    updates = tmp_path / "out.json"
    omtask.run("project", root, ranks=2, extra=["--out-json", updates])
    made = tmp_path / "plate_max_z.zarr"
    assert_plate(made, root, "project", {})
    assert group_attributes(made)["omtask"] == {"plate_of": "../plate.zarr"}
    listed = json.loads(updates.read_text())["image_list_updates"]
    assert [(u["zarr_url"], u["origin"], u["attributes"], u["types"]) for u in listed] == [
        (f"{made}/{path}", f"{root}/{path}", {"plate": made.name}, {"is_projected": True})
        for path in SHAPE.images]
    # What is projected is not projected again.
    assert "8 skipped" in omtask.run("project", made).stderr
    assert sorted(p.name for p in tmp_path.iterdir()) == [
        "out.json", "plate.zarr", "plate_max_z.zarr"]


def test_the_names_of_fractal_on_demand(omtask: Program, tmp_path: Path) -> None:
    root = source(tmp_path, shape=PlateShape(1, 1, 1))
    for method in ("max", "min", "mean", "sum"):
        omtask.run("project", root, parameters={"compat": "fractal", "method": method})
    omtask.run("project", root, parameters={"suffix": "flat"})
    assert sorted(p.name for p in tmp_path.iterdir()) == [
        "plate.zarr", "plate_flat.zarr", "plate_meanip.zarr", "plate_minip.zarr", "plate_mip.zarr",
        "plate_sumip.zarr"]


def test_an_image_by_itself_goes_into_the_plate_too(omtask: Program, tmp_path: Path) -> None:
    root = source(tmp_path)
    made = tmp_path / "plate_max_z.zarr"
    omtask.run("project", root / "B/01/1")
    assert [well["path"] for well in ome(made)["plate"]["wells"]] == ["B/01"]
    assert [image["path"] for image in ome(made / "B/01")["well"]["images"]] == ["1"]
    assert ome(made)["plate"]["field_count"] == 1
    omtask.run("project", root / "B/01")
    assert_plate(made, root, "project", {}, ["B/01"])
    omtask.run("project", root)
    assert_plate(made, root, "project", {})
    assert tree(made) == tree_of_one_run(omtask, tmp_path, root)


def tree_of_one_run(omtask: Program, tmp_path: Path, root: Path) -> dict[str, str]:
    """The same plate made at one go, elsewhere."""
    other = tmp_path / "elsewhere"
    other.mkdir()
    copy = Path(shutil.copytree(root, other / root.name, copy_function=shutil.copy2))
    omtask.run("project", copy)
    files = tree(other / "plate_max_z.zarr")
    shutil.rmtree(other)
    return files


@pytest.mark.parametrize("layout", samples.BOTH, ids=describe)
def test_many_processes_fill_one_plate(layout: Layout, omtask: Program, tmp_path: Path) -> None:
    root = source(tmp_path, layout)
    runs = [
        subprocess.Popen(
            [omtask.path, "run", "project", root / path, "--progress", "none", "--threads", "1"],
            stderr=subprocess.PIPE, text=True)
        for path in SHAPE.images
    ]
    for run in runs:
        _, said = run.communicate(timeout=120)
        assert run.returncode == 0, said
    made = tmp_path / "plate_max_z.zarr"
    assert_plate(made, root, "project", {})
    assert tree(made) == tree_of_one_run(omtask, tmp_path, root)
    assert not leftovers(tmp_path)


def test_projections_stay_in_the_plate_when_asked(omtask: Program, tmp_path: Path) -> None:
    root = source(tmp_path)
    omtask.run("project", root, parameters={"plate": "same"})
    assert [i["path"] for i in ome(root / "A/01")["well"]["images"]] == [
        "0", "1", "0_max_z", "1_max_z"]
    assert [p.name for p in tmp_path.iterdir()] == ["plate.zarr"]


# Parts of plates


def test_wells_come_one_after_the_other(omtask: Program, tmp_path: Path) -> None:
    root = source(tmp_path)
    made = tmp_path / "new.zarr"
    where = ["--output", made]
    omtask.run("median", root, extra=[*where, "--wells", "B/*"])
    assert_plate(made, root, "median", {}, ["B/01", "B/02"])
    assert not (made / "A").exists()
    omtask.run("median", root / "A/02", extra=where)
    assert_plate(made, root, "median", {}, ["A/02", "B/01", "B/02"])
    assert "6 skipped" in omtask.run("median", root, extra=where).stderr
    assert tree(made) == expected_tree(omtask, tmp_path, root, "median", {})


def test_acquisitions_come_one_after_the_other(omtask: Program, tmp_path: Path) -> None:
    root = source(tmp_path)
    made = tmp_path / "new.zarr"
    omtask.run("median", root, extra=["--output", made, "--acquisition", "3"])
    assert ome(made)["plate"]["field_count"] == 1
    assert [i["path"] for i in ome(made / "A/01")["well"]["images"]] == ["1"]
    omtask.run("median", root, extra=["--output", made, "--acquisition", "0"])
    assert tree(made) == expected_tree(omtask, tmp_path, root, "median", {})


def test_a_broken_image_is_not_listed_and_the_others_are(omtask: Program, tmp_path: Path) -> None:
    root = source(tmp_path)
    good = (root / "A/02/0/0/zarr.json").read_text()
    (root / "A/02/0/0/zarr.json").write_text("{")
    for path in ("0", "1"):
        (root / "B/01" / path / "zarr.json").rename(tmp_path / path)
    made = tmp_path / "new.zarr"
    outcome = omtask.run("median", root, extra=["--output", made], expect=65)
    assert "5 images done" in outcome.stderr and "3 failed" in outcome.stderr
    assert [well["path"] for well in ome(made)["plate"]["wells"]] == ["A/01", "A/02", "B/02"]
    assert [i["path"] for i in ome(made / "A/02")["well"]["images"]] == ["1"]
    (root / "A/02/0/0/zarr.json").write_text(good)
    for path in ("0", "1"):
        (tmp_path / path).rename(root / "B/01" / path / "zarr.json")
    omtask.run("median", root, extra=["--output", made])
    assert_plate(made, root, "median", {})


# Kills


@pytest.mark.parametrize("layout", samples.BOTH, ids=describe)
@pytest.mark.parametrize("calls", ["rename,rename2,link", "mkdir,write", "unlink,rmdir"])
def test_a_kill_at_any_step_leaves_complete_images_and_goes_on(
    calls: str, layout: Layout, omtask: Program, tmp_path: Path
) -> None:
    shape = PlateShape(1, 2, 2)
    root = source(tmp_path, layout, shape)
    ought = expected_tree(omtask, tmp_path, root, "project", {})
    made = tmp_path / "new.zarr"
    kills = 0
    nth = 1
    while True:
        if made.exists():
            shutil.rmtree(made)
        killed = omtask.run(
            "project", root, extra=["--output", made], expect=None,
            env=faults.injected(tmp_path, calls, "kill", nth=nth))
        if killed.code == 0:
            break
        kills += 1
        assert_listed_images_are_whole(made)
        omtask.run("project", root, extra=["--output", made])
        assert tree(made) == ought, f"{calls} {nth}"
        assert sorted(p.name for p in tmp_path.iterdir()) == [
            "new.zarr", "plate.zarr"], f"{calls} {nth}"
        nth = nth + 1 + nth // 2
    assert kills > 3


def assert_listed_images_are_whole(plate: Path) -> None:
    """All that the plate lists can be read."""
    if not plate.exists() or "plate" not in ome(plate):
        return
    for well in ome(plate)["plate"]["wells"]:
        for image in ome(plate / well["path"])["well"]["images"]:
            assert len(read_multiscale(plate / well["path"] / image["path"]).levels) == 2


def test_ranks_that_are_killed_are_gone_on_with(omtask: Program, tmp_path: Path) -> None:
    root = source(tmp_path)
    ought = expected_tree(omtask, tmp_path, root, "median", {})
    made = tmp_path / "new.zarr"
    for nth in (1, 9, 23):
        shutil.rmtree(made, ignore_errors=True)
        env = faults.injected(tmp_path, "rename,rename2,link", "kill", nth=nth)
        killed = omtask.run(
            "median", root, ranks=3, extra=["--output", made], expect=None, env=env)
        assert killed.code != 0
        assert_listed_images_are_whole(made)
        omtask.run("median", root, ranks=2, extra=["--output", made, "--lock-wait", "90"])
        assert tree(made) == ought
    assert not leftovers(tmp_path)


def test_unfinished_images_of_a_plate_are_found_and_removed(
    omtask: Program, tmp_path: Path
) -> None:
    root = source(tmp_path)
    made = tmp_path / "new.zarr"
    before = tree(tmp_path)
    env = faults.injected(tmp_path / ".new.zarr.omtask", "rename", "kill", nth=2)
    omtask.run("median", root, extra=["--output", made], expect=None, env=env)
    assert not made.exists()
    assert " unfinished run" in omtask("runs", made).stdout
    assert ".new.zarr.omtask" in omtask("clean", made).stdout
    assert tree(tmp_path) == before


def test_a_plate_that_cannot_be_changed_fails_and_goes_on(
    omtask: Program, tmp_path: Path
) -> None:
    root = source(tmp_path)
    made = tmp_path / "new.zarr"
    omtask.run("median", root / "A/01", extra=["--output", made])
    before = tree(made)
    env = faults.injected(made / ".omtask", "link,rename", "EIO", nth=1, every=1)
    failed = omtask.run("median", root / "A/02", extra=["--output", made], expect=74, env=env)
    assert "new.zarr" in failed.stderr
    assert_listed_images_are_whole(made)
    # The plate says what it said.
    name = "zarr.json"
    assert tree(made)[name] == before[name]
    omtask.run("median", root, extra=["--output", made])
    assert tree(made) == expected_tree(omtask, tmp_path, root, "median", {})


# What is there already


def test_another_result_is_replaced_when_asked_and_only_ours(
    omtask: Program, tmp_path: Path
) -> None:
    root = source(tmp_path)
    made = tmp_path / "new.zarr"
    where = ["--output", made]
    omtask.run("median", root, extra=where)
    files = tree(made)
    refused = omtask.run("median", root, parameters={"radius": 2}, extra=where, expect=73)
    assert "--overwrite" in refused.stderr and tree(made) == files
    omtask.threshold(made / "A/01/0", parameters={"channel": "A"})
    (made / "B/02/mine.txt").write_text("mine")
    labelled = tree(made / "A/01/0")
    partly = omtask.run(
        "median", root, parameters={"radius": 2, "overwrite": True}, extra=where, expect=73)
    assert "labels" in partly.stderr and "7 images done" in partly.stderr
    assert tree(made / "A/01/0") == labelled
    assert (made / "B/02/mine.txt").read_text() == "mine"
    data = read_multiscale(root / "B/02/1").levels[0]
    assert_derived(made / "B/02/1", "median", "czyx", data, {"radius": 2}, 2)
    assert not leftovers(tmp_path)


@pytest.mark.parametrize("what", ["text", "folder", "image", "plate", "other plate", "link"])
def test_a_place_that_is_not_ours_is_refused(
    what: str, omtask: Program, tmp_path: Path
) -> None:
    root = source(tmp_path, shape=PlateShape(2, 1, 1))
    made = tmp_path / "new.zarr"
    match what:
        case "text":
            made.write_text("mine")
        case "folder":
            (made / "A/01").mkdir(parents=True)
        case "image":
            omtask.run("median", root / "A/01/0", extra=["--output", made])
        case "plate":
            shutil.copytree(root, made)
        case "link":
            (tmp_path / "elsewhere").mkdir()
            made.symlink_to(tmp_path / "elsewhere")
        case _:
            other = source(tmp_path, shape=PlateShape(1, 1, 1), name="other")
            omtask.run("median", other, extra=["--output", made])
    before = tree(tmp_path)
    refused = omtask.run(
        "median", root, parameters={"overwrite": True}, extra=["--output", made], expect=73)
    assert "new.zarr" in refused.stderr
    assert tree(tmp_path) == before


@pytest.mark.parametrize(("output", "code"), [("plate.zarr", 77), ("plate.zarr/new", 77), (".", 77)])
def test_the_plate_itself_is_no_place(
    output: str, code: int, omtask: Program, tmp_path: Path
) -> None:
    root = source(tmp_path, shape=PlateShape(1, 1, 1))
    before = tree(tmp_path)
    omtask.run("median", root, extra=["--output", (tmp_path / output).resolve()], expect=code)
    assert tree(tmp_path) == before


def test_label_images_and_several_plates_have_no_output(omtask: Program, tmp_path: Path) -> None:
    root = source(tmp_path)
    other = source(tmp_path, name="other")
    where = ["--output", tmp_path / "new.zarr"]
    assert "--output" in omtask.threshold(root, extra=where, expect=64).stderr
    assert "--output" in omtask.run("median", root, other, extra=where, expect=64).stderr
    lone = tmp_path / "lone"
    shutil.copytree(root / "A/01", lone)
    assert "in no plate" in omtask.run("median", lone, extra=where, expect=64).stderr
    assert not (tmp_path / "new.zarr").exists()


def test_a_disk_that_cannot_exchange_names_replaces_all_the_same(
    omtask: Program, tmp_path: Path
) -> None:
    if not strace_works():
        pytest.skip("strace may not be used here")
    root = source(tmp_path, shape=PlateShape(1, 1, 2))
    made = tmp_path / "new.zarr"
    refusing = ["strace", "-f", "-o", "/dev/null", "-e", "inject=renameat2:error=EINVAL"]
    omtask.run("median", root, extra=["--output", made], launcher=refusing)
    omtask.run(
        "median", root, parameters={"radius": 2, "overwrite": True}, extra=["--output", made],
        launcher=refusing)
    data = read_multiscale(root / "A/01/1").levels[0]
    assert_derived(made / "A/01/1", "median", "czyx", data, {"radius": 2}, 2)
    assert not leftovers(tmp_path)


@pytest.mark.parametrize("layout", samples.BOTH, ids=describe)
def test_consolidated_metadata_learn_of_new_wells(
    layout: Layout, omtask: Program, tmp_path: Path
) -> None:
    root = source(tmp_path, layout)
    made = tmp_path / "plate_max_z.zarr"
    omtask.run("project", root / "A/01")
    zarr.consolidate_metadata(made, zarr_format=2 if layout.is_v2 else 3)
    omtask.run("project", root)
    group = zarr.open_consolidated(made)
    assert group["B/02/1/0"].shape == (2, 1, 18, 21)
    attributes = group.attrs.get("ome", group.attrs)
    assert [well["path"] for well in attributes["plate"]["wells"]] == SHAPE.wells
    image = made / "A/01/0"
    omtask.threshold(image, parameters={"channel": "A", "label_name": "cells"})
    before = tree(made)
    assert " 0 images done" in omtask.run("project", root).stderr
    assert tree(made) == before
    assert "0" in zarr.open_consolidated(made)["A/01/0/labels/cells"]


@pytest.mark.parametrize("length", [230, 242, 247, 248, 255])
def test_long_names_do(length: int, omtask: Program, tmp_path: Path) -> None:
    root = source(tmp_path, shape=PlateShape(1, 1, 1))
    made = tmp_path / ("n" * length)
    omtask.run("median", root, extra=["--output", made])
    assert_plate(made, root, "median", {}, ["A/01"], 1)
    single = tmp_path / ("s" * length)
    omtask.run("median", root / "A/01/0", extra=["--output", single])
    data = read_multiscale(root / "A/01/0").levels[0]
    assert_derived(single, "median", "czyx", data, {}, 2)
    omtask.run("median", root / "A/01/0", parameters={"suffix": "x" * (length - 2)})
    assert (root / "A/01" / ("0_" + "x" * (length - 2))).is_dir()
    omtask.threshold(root / "A/01/0", parameters={"label_name": "l" * length, "channel": "A"})
    assert len(list(tmp_path.iterdir())) == 3


def test_names_that_no_disk_takes_are_refused_at_once(omtask: Program, tmp_path: Path) -> None:
    root = source(tmp_path, shape=PlateShape(1, 1, 1))
    before = tree(tmp_path)
    for words in (
        ["--output", str(tmp_path / ("n" * 256))], ["--suffix", "x" * 254],
    ):
        assert "255" in omtask.run("median", root / "A/01/0", extra=words, expect=77).stderr
    omtask.threshold(
        root / "A/01/0", parameters={"label_name": "l" * 256, "channel": "A"}, expect=77)
    assert tree(tmp_path) == before
