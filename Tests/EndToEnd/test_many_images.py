"""Plates of 10,000 wells and collections of 10,000 images: opened and planned at once, all done by one run.

The images are one file of metadata and one chunk under many names, so that making them takes seconds.
"""

import json
import os
import resource
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import zarr

from omtask_testing.images import Image, write_group, write_image
from omtask_testing.layouts import ZSTD, Layout, blosc_v2
from omtask_testing.places import room_in_memory
from omtask_testing.program import Outcome, Program

COUNT = 10_000
V2 = Layout("v2", "0.4", (16,), compression=(blosc_v2("lz4", 1),))
V3 = Layout("v3", "0.5", (16,), compression=(ZSTD,))
RUN = ["--threshold", "500", "--objects", "false", "--label-name", "bright"]


@pytest.fixture(scope="module")
def acceptance(request: pytest.FixtureRequest) -> bool:
    return request.config.getoption("--acceptance")


def one_image(path: Path, layout: Layout) -> np.ndarray:
    data = np.random.default_rng(1).integers(0, 1000, (16, 16), np.uint16)
    write_image(path, Image("yx", [data], layout))
    return data


def linked(source: Path, folder: Path) -> None:
    """The same files again, in folders of their own."""
    folder.mkdir()
    for entry in os.scandir(source):
        if entry.is_dir():
            linked(Path(entry.path), folder / entry.name)
        else:
            os.link(entry.path, folder / entry.name)


def write_plate(root: Path, layout: Layout) -> np.ndarray:
    """100 rows of 100 wells with one image each."""
    data = one_image(root.parent / "image", layout)
    version = layout.version
    rows, columns = ([f"{letter}{n:02}" for n in range(100)] for letter in "RC")
    wells = [
        {"path": f"{row}/{column}", "rowIndex": r, "columnIndex": c}
        for r, row in enumerate(rows) for c, column in enumerate(columns)]
    plate = {"version": version, "name": "p", "rows": [{"name": row} for row in rows],
             "columns": [{"name": column} for column in columns], "wells": wells, "field_count": 1}
    write_group(root, version, {"plate": plate})
    well = root.parent / "well"
    write_group(well, version, {"well": {"version": version, "images": [{"path": "0"}]}})
    for row in rows:
        write_group(root / row, version, {})
    for entry in wells:
        linked(well, root / entry["path"])
        linked(root.parent / "image", root / entry["path"] / "0")
    return data


def write_collection(file: Path) -> np.ndarray:
    data = one_image(file.parent / "image", V3)
    nodes = []
    for number in range(COUNT):
        linked(file.parent / "image", file.parent / f"{number}.zarr")
        place = {"type": "zarr", "path": f"./{number}.zarr"}
        nodes.append({"type": "multiscale", "name": str(number), "path": place})
    ome = {"version": "0.9.dev3", "type": "collection", "name": "many", "nodes": nodes}
    file.write_text(json.dumps({"ome": ome}))
    return data


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    """Room for some 50,000 folders, in memory where there is any."""
    with tempfile.TemporaryDirectory(dir=room_in_memory().get("TMPDIR", tmp_path)) as name:
        yield Path(name)


def timed(omtask: Program, *words: str | Path) -> tuple[Outcome, float]:
    """A command and its CPU time, which what others do on the machine lengthens less than the other."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    outcome = omtask(*words)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return outcome, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def walled(omtask: Program, *words: str | Path) -> float:
    """The seconds that a command takes."""
    start = time.perf_counter()
    omtask(*words)
    return time.perf_counter() - start


def assert_planned_quickly(omtask: Program, uri: Path, acceptance: bool) -> None:
    """2 s each, the best of three; in the quick profile, where others work beside, twice that of CPU."""
    for words in (["info", uri, "--json"], ["plan", "threshold", uri, *RUN, "--json"]):
        outcome, used = timed(omtask, *words)
        found = json.loads(outcome.stdout)
        assert len(found["images"]) == COUNT and not found.get("errors")
        assert used < 4, words
        if acceptance:
            taken = min(walled(omtask, *words[:-1]) for _ in range(3))
            print(f"\n{words[0]}: {taken:.2f} s, {used:.2f} s of CPU")
            assert taken < 2, words
    assert json.loads(omtask("validate", uri, "--json").stdout)["valid"]


@pytest.mark.parametrize("layout", [V2, V3], ids=lambda layout: layout.version)
def test_a_plate_of_ten_thousand_wells(
    layout: Layout, omtask: Program, folder: Path, acceptance: bool
) -> None:
    plate = folder / "plate.zarr"
    mask = write_plate(plate, layout) > 500
    assert_planned_quickly(omtask, plate, acceptance)
    rows = 100 if acceptance else 5
    wells = ",".join(f"R{row:02}/*" for row in range(rows))
    _, taken = timed(omtask, "run", "threshold", plate, *RUN, "--durability", "none", "--wells", wells)
    # About 1.2 ms for each image, and what the plan takes.
    assert taken < 3 + 0.004 * 100 * rows
    for place in ("R00/C00", f"R{rows - 1:02}/C99", f"R{rows // 2:02}/C50"):
        made = zarr.open_array(plate / place / "0" / "labels" / "bright" / "0", mode="r")[...]
        assert np.array_equal(made != 0, mask)
    done = [*plate.glob("R*/C*/0/labels/bright")]
    assert len(done) == 100 * rows
    assert not [*plate.rglob(".omtask*")]


def test_a_collection_of_ten_thousand_images(
    omtask: Program, folder: Path, acceptance: bool
) -> None:
    file = folder / "collection.json"
    mask = write_collection(file) > 500
    assert_planned_quickly(omtask, file, acceptance)
    chosen = [folder / f"{number}.zarr" for number in range(COUNT if acceptance else 500)]
    inputs = chosen if len(chosen) < COUNT else [file]
    _, taken = timed(omtask, "run", "threshold", *inputs, *RUN, "--durability", "none")
    assert taken < 3 + 0.004 * len(chosen)
    for image in chosen:
        assert (image / "labels/bright/0/zarr.json").is_file()
    made = zarr.open_array(chosen[-1] / "labels/bright/0", mode="r")[...]
    assert np.array_equal(made != 0, mask)
    assert not [*folder.rglob(".omtask*")]
