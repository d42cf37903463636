"""`--overwrite` replaces results of the same kind, says when omtask did not make them, and nothing else."""

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import ngio
import numpy as np
import pytest
from ngio.tables import open_table

from omtask_testing import locks, samples
from omtask_testing.images import Image, write_group, write_image
from omtask_testing.jobs import until
from omtask_testing.layouts import Layout, describe
from omtask_testing.measures import write_measured
from omtask_testing.program import Program, environment, flags
from omtask_testing.reading import read_label
from omtask_testing.tables import write_rois
from omtask_testing.trees import leftovers, tree

THRESHOLD = {"threshold": 300, "label_name": "nuclei"}
FOREIGN = "was not made by omtask; `--overwrite` replaces it"
layouts = pytest.mark.parametrize("layout", [samples.V2, samples.SHARDED], ids=describe)


def foreign(path: Path, layout: Layout, rng: np.random.Generator) -> Path:
    """An image with a label image `nuclei` that zarr-python and tensorstore wrote."""
    source = samples.blobs_image(layout, rng, "zyx", (12, 41, 45))
    write_image(path, source)
    write_group(path / "labels", layout.version, {"labels": ["nuclei"]})
    label = (source.levels[0] > 500).astype("uint32")
    write_image(path / "labels/nuclei", Image("zyx", [label], layout))
    return path


@layouts
@pytest.mark.parametrize("ranks", [None, 2])
def test_a_label_image_of_somebody_else_is_replaced_and_that_is_said(
    layout: Layout, ranks: int | None, omtask: Program, tmp_path: Path, rng: np.random.Generator
) -> None:
    path = foreign(tmp_path / "image.zarr", layout, rng)
    before = tree(path)
    refused = omtask.threshold(path, parameters=THRESHOLD, expect=73)
    assert "omtask did not make it" in refused.stderr and tree(path) == before
    said = f"{path}/labels/nuclei {FOREIGN}"
    call = THRESHOLD | {"overwrite": True}
    planned = omtask("plan", "threshold", path, "--threshold", "300", "--label-name", "nuclei", "--overwrite")
    assert said in planned.stderr and tree(path) == before
    events = tmp_path / "events"
    done = omtask.threshold(
        path, parameters=call, ranks=ranks, extra=["--events", events, "--progress", "none"])
    lines = [line for line in done.stderr.splitlines() if "was not made" in line]
    assert len(lines) == 1 and lines[0].endswith(said) and "warning" in lines[0]
    assert done.report.outputs[0]["replaced"] == said
    told = [json.loads(line) for line in events.read_text().splitlines()]
    assert [event["message"] for event in told if event["event"] == "warning"] == [said]
    assert [event["replaced"] for event in told if event["event"] == "output"] == [said]
    assert read_label(path, "nuclei").levels[0].any() and not leftovers(path)
    # What omtask made it replaces without a word.
    for again in (call, call | {"threshold": 310}):
        done = omtask.threshold(path, parameters=again)
        assert "was not made" not in done.stderr
        assert all("replaced" not in output for output in done.report.outputs)


def test_each_image_of_a_plate_is_named(omtask: Program, tmp_path: Path, rng: np.random.Generator) -> None:
    images = [foreign(tmp_path / f"{name}.zarr", samples.SHARDED, rng) for name in "abc"]
    omtask.threshold(images[1], parameters=THRESHOLD | {"overwrite": True})
    for how in ({"threads": 2}, {"ranks": 2}):
        copies = [Path(shutil.copytree(image, tmp_path / str(len(how)) / image.name, dirs_exist_ok=True))
                  for image in images]
        done = omtask.run("threshold", *copies, parameters=THRESHOLD | {"threshold": 320, "overwrite": True}, **how)
        for index, copy in enumerate(copies):
            assert (f"{copy}/labels/nuclei {FOREIGN}" in done.stderr) == (index != 1)
        shutil.rmtree(tmp_path / str(len(how)))


@layouts
@pytest.mark.parametrize("entry", ["notes.txt", "tables", "labels"])
def test_a_label_image_that_holds_more_is_left_alone(
    entry: str, layout: Layout, omtask: Program, tmp_path: Path, rng: np.random.Generator
) -> None:
    path = foreign(tmp_path / "image.zarr", layout, rng)
    label = path / "labels/nuclei"
    if entry == "notes.txt":
        (label / entry).write_text("years of work")
    else:
        write_group(label / entry, layout.version, {})
    (label / ".DS_Store").write_bytes(b"x")
    before = tree(path)
    call = THRESHOLD | {"overwrite": True}
    refused = omtask.threshold(path, parameters=call, expect=73)
    assert f"holds `{entry}`" in refused.stderr and tree(path) == before
    # Also when omtask made what holds it.
    shutil.rmtree(label / entry) if (label / entry).is_dir() else (label / entry).unlink()
    omtask.threshold(path, parameters=call)
    (label / "mine").mkdir()
    (label / "mine/notes.txt").write_text("years of work")
    assert "holds `mine`" in omtask.threshold(
        path, parameters=call | {"threshold": 310}, expect=73).stderr
    assert (label / "mine/notes.txt").exists()


@layouts
def test_levels_of_any_name_belong_to_a_label_image(
    layout: Layout, omtask: Program, tmp_path: Path, rng: np.random.Generator
) -> None:
    path = foreign(tmp_path / "image.zarr", layout, rng)
    label = path / "labels/nuclei"
    (label / "0").rename(label / "full")
    document = label / (".zattrs" if layout.is_v2 else "zarr.json")
    document.write_text(document.read_text().replace('"path": "0"', '"path": "full"'))
    assert read_label(path, "nuclei").levels
    done = omtask.threshold(path, parameters=THRESHOLD | {"overwrite": True})
    assert FOREIGN in done.stderr and not (label / "full").exists()


@pytest.mark.parametrize("what", ["file", "folder", "spoilt"])
def test_what_is_no_label_image(
    what: str, omtask: Program, tmp_path: Path, rng: np.random.Generator
) -> None:
    path = foreign(tmp_path / "image.zarr", samples.SHARDED, rng)
    label = path / "labels/nuclei"
    if what == "spoilt":
        # What a broken document leads to is known by the usual names alone.
        (label / "zarr.json").write_text("{")
        done = omtask.threshold(path, parameters=THRESHOLD | {"overwrite": True})
        assert FOREIGN in done.stderr
        return
    shutil.rmtree(label)
    if what == "file":
        label.write_text("years of work")
    else:
        label.mkdir()
        (label / "thesis.txt").write_text("years of work")
    before = tree(path)
    omtask.threshold(path, parameters=THRESHOLD | {"overwrite": True}, expect=73)
    assert tree(path) == before


def measured(path: Path, layout: Layout, rng: np.random.Generator) -> Path:
    labels = np.kron(rng.integers(0, 9, size=(6, 8)), np.ones((5, 5), np.int64)).astype("uint16")
    return write_measured(path, "yx", (labels * 3).astype("uint16"), labels, layout)


@layouts
def test_a_table_of_another_kind_is_left_alone(
    layout: Layout, omtask: Program, tmp_path: Path, rng: np.random.Generator
) -> None:
    path = measured(tmp_path / "image.zarr", layout, rng)
    omtask.run("measure", path, parameters={"label": "cells", "table_name": "features"})
    omtask.run("masking-roi-table", path, parameters={"label": "cells", "table_name": "boxes"})
    write_rois(path, "FOV_ROI_table", [{"y": (0, 1), "x": (0, 1)}])
    before = tree(path)
    for task, name, found, made in (
        ("measure", "FOV_ROI_table", "roi_table", "feature_table"),
        ("measure", "boxes", "masking_roi_table", "feature_table"),
        ("masking-roi-table", "features", "feature_table", "masking_roi_table"),
    ):
        call: dict[str, Any] = {"label": "cells", "table_name": name, "overwrite": True}
        refused = omtask.run(task, path, parameters=call, expect=73).stderr
        assert f"`{found}`" in refused and f"`{made}`" in refused and "--table-name" in refused
        assert tree(path) == before


@layouts
@pytest.mark.parametrize("backend", ["anndata", "csv", "json", "parquet"])
def test_a_table_of_the_same_kind_is_replaced_and_that_is_said(
    layout: Layout, backend: str, omtask: Program, tmp_path: Path, rng: np.random.Generator
) -> None:
    path = measured(tmp_path / "image.zarr", layout, rng)
    omtask.run("measure", path, parameters={"label": "cells", "table_name": "t"})
    theirs = open_table(str(path / "tables/t")).dataframe.reset_index()
    table = ngio.tables.FeatureTable(table_data=theirs[["label", "area"]], reference_label="cells")
    container = ngio.open_ome_zarr_container(str(path))
    container.add_table("t", table, backend=backend, overwrite=True)
    call = {"label": "cells", "table_name": "t"}
    omtask.run("measure", path, parameters=call, expect=73)
    done = omtask.run("measure", path, parameters=call | {"overwrite": True})
    assert f"{path}/tables/t {FOREIGN}" in done.stderr
    assert done.report.outputs[0]["replaced"].endswith(FOREIGN)
    assert list(open_table(str(path / "tables/t")).dataframe.index) == list(theirs["label"])
    assert not leftovers(path)


def test_a_place_that_is_filled_while_the_run_goes_on(
    omtask: Program, tmp_path: Path, rng: np.random.Generator
) -> None:
    path = foreign(tmp_path / "image.zarr", samples.SHARDED, rng)
    before = tree(path)
    # The run has looked at the place and waits for the list.
    lock = locks.put_lock(path / ".omtask/labels.lock", locks.holder(4711, host="n17"))
    run = subprocess.Popen(
        [omtask.path, "run", "threshold", path, *flags(THRESHOLD), "--overwrite", "--lock-wait", "60"],
        stderr=subprocess.PIPE, text=True, env=environment())
    until(lambda: any(path.glob(".omtask/*/out/nuclei/zarr.json")), 30, "a staged label image")
    notes = path / "labels/nuclei/notes.txt"
    notes.write_text("years of work")
    lock.unlink()
    _, said = run.communicate(timeout=60)
    assert run.returncode == 73 and "holds `notes.txt`" in said
    notes.unlink()
    assert tree(path) == before
