"""Programs that are no part of omtask run as tasks: regions, halos, labels; what they do wrong is told."""

import json
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy import ndimage
from skimage.filters import threshold_otsu
from skimage.measure import label as components

from omtask_testing import patterns, samples
from omtask_testing.derived import volumes
from omtask_testing.images import Image, PlateShape, downsampled, write_image, write_plate
from omtask_testing.layouts import ALL_LAYOUTS, ZSTD, Layout, blosc_v2, describe
from omtask_testing.program import Program
from omtask_testing.reading import read_label, read_multiscale
from omtask_testing.tasks import EXAMPLES, PYTHON, SPREAD, manifest, write_task
from omtask_testing.trees import leftovers, tree

SHAPES = {
    "yx": (47, 61), "zyx": (13, 29, 31), "tyx": (3, 30, 25), "czyx": (2, 9, 21, 23),
    "tczyx": (2, 2, 7, 19, 23),
}
TYPES = ("uint8", "uint16", "int16", "uint32", "float32", "int8", "uint64", "float64", "int32")
RADIUS = {"radius": {"type": "integer", "minimum": 0, "default": 1}}
HALO = {"z": "radius", "y": "radius", "x": "radius"}


@pytest.fixture(scope="module")
def spread(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_task(tmp_path_factory.mktemp("spread"), "Spread", SPREAD, RADIUS, halo=HALO)


def spread_oracle(axes: str, data: np.ndarray, radius: int) -> np.ndarray:
    made = np.empty_like(data)
    for index in volumes(axes, data):
        made[index] = ndimage.maximum_filter(data[index], 2 * radius + 1, mode="nearest")
    return made


def voxels(axes: str, dtype: str, rng: np.random.Generator) -> np.ndarray:
    shape = SHAPES[axes]
    spatial = sum(axis in "zyx" for axis in axes)
    data = np.empty(shape, dtype)
    for index in np.ndindex(shape[:-spatial]):
        data[index] = patterns.intensities(patterns.blobs(shape[-spatial:], rng), dtype, rng)
    return data


def cases() -> list[tuple[str, str, Layout, int]]:
    return [
        (list(SHAPES)[n % 5], TYPES[n % 9], ALL_LAYOUTS[n * 11 % len(ALL_LAYOUTS)], n % 3)
        for n in range(27)
    ]


@pytest.mark.parametrize(("axes", "dtype", "layout", "radius"), cases(), ids=describe)
def test_a_python_function_is_a_task(
    axes: str, dtype: str, layout: Layout, radius: int, spread: Path, omtask: Program,
    tmp_path: Path, rng: np.random.Generator,
) -> None:
    data = voxels(axes, dtype, rng)
    image = write_image(tmp_path / "image.zarr", Image(axes, downsampled(axes, data, 2), layout))
    before = tree(image)
    omtask.run(str(spread), image, parameters={"radius": radius}, extra=PYTHON)
    made = read_multiscale(tmp_path / "image_made.zarr").levels
    assert made[0].dtype == data.dtype
    assert np.array_equal(made[0], spread_oracle(axes, data, radius))
    assert len(made) == 2
    assert tree(image) == before
    assert not leftovers(tmp_path)


# However the work is split

# The last two with --acceptance: every worker is an interpreter that starts.
ENGINES = [{"threads": 1}, {"threads": 3}, {"ranks": 3}, {"ranks": 2}, {"ranks": 1}]
# Two by two regions in a plane, and a border that no chunk ends at.
WIDE = Layout("wide", "0.5", (1, 512, 512), None, (ZSTD,))
EXAMPLE_CALLS = {
    "uniform-filter": {"size": 5}, "otsu-planes": {"min_size": 9}, "cells": {"cutoff": 0.3, "diameter": 16}, "invert": {},
}


@pytest.fixture(scope="module")
def wide() -> np.ndarray:
    """Discs of every size, many of them across the borders of regions."""
    rng = np.random.default_rng(11)
    y, x = np.ogrid[:1100, :1150]
    data = rng.integers(0, 30, size=(2, 1100, 1150)).astype(np.uint8)
    for plane in data:
        for _ in range(250):
            a, b, r = rng.integers(0, 1100), rng.integers(0, 1150), rng.integers(3, 30)
            plane[(y - a) ** 2 + (x - b) ** 2 <= r * r] = rng.integers(120, 255)
    return data


def example_oracle(task: str, data: np.ndarray) -> np.ndarray:
    if task == "invert":
        return 255 - data
    if task == "uniform-filter":
        return ndimage.uniform_filter(data, 5, mode="reflect")
    made, count = np.zeros(data.shape, np.uint32), 0
    for z, plane in enumerate(data):
        found = components(plane > threshold_otsu(plane))
        keep = np.bincount(found.ravel()) >= 9
        keep[0] = False
        numbers = np.zeros(len(keep), np.uint32)
        numbers[keep] = count + 1 + np.arange(keep.sum())
        made[z], count = numbers[found], count + int(keep.sum())
    return made


@pytest.mark.parametrize("task", EXAMPLE_CALLS)
def test_every_example_gives_the_same_files_on_every_engine(
    task: str, wide: np.ndarray, omtask: Program, tmp_path: Path, scaled: Callable[[int, int], int]
) -> None:
    file = EXAMPLES / task / f"{task}.json"
    omtask("manifest", "check", file)
    block = json.loads(file.read_text())["omtask"]
    name = block["outputs"][0]["name"]
    python = PYTHON if block["command"][0] == "python3" else []
    original = write_image(
        tmp_path / "image.zarr", Image("zyx", downsampled("zyx", wide, 2), WIDE))
    reference: dict[str, str] | None = None
    for number, engine in enumerate(ENGINES[: scaled(3, 5)]):
        copy = Path(shutil.copytree(original, tmp_path / str(number) / "image.zarr"))
        outcome = omtask.run(str(file), copy, parameters=EXAMPLE_CALLS[task], extra=python, **engine)
        files = tree(copy.parent)
        if reference is None:
            reference = files
            if block["outputs"][0]["kind"] == "label":
                found = read_label(copy, name).levels[0]
                assert outcome.report.images[0]["outputs"][0]["objects"] == found.max()
            else:
                found = read_multiscale(copy.parent / f"image_{name}.zarr").levels[0]
            if task != "cells":
                assert np.array_equal(found, example_oracle(task, wide))
        assert files == reference, f"{engine} differs from {ENGINES[0]}"


NUMBERED = """
import numpy
from omtask_region import serve

def squares(tile, region):
    made = numpy.zeros([s.stop - s.start for s in region.inner], numpy.uint32)
    # Numbers are neither dense nor in order, one is in two places, neighbours touch.
    made[..., 5:90, 5:90], made[..., 5:90, 90:130] = 4000000000, 7
    made[..., -30:, -30:], made[..., 200:210, 3:9] = 3, 7
    made[..., 300:310, :] = 2
    return made

serve(squares)
"""


def joined(pieces: np.ndarray, at: int) -> np.ndarray:
    """Makes objects one that share a face across the borders of regions."""
    parents = np.arange(pieces.max() + 1)
    pairs = []
    for axis in (1, 2):
        one, other = (np.take(pieces, at - side, axis).ravel() for side in (1, 0))
        both = (one > 0) & (other > 0)
        pairs += list(zip(one[both], other[both]))
    for _ in range(len(parents)):
        before = parents.copy()
        for one, other in set(pairs):
            parents[one] = parents[other] = min(parents[one], parents[other])
        if np.array_equal(before, parents):
            return parents[pieces]
    raise AssertionError("objects do not settle")


@pytest.mark.parametrize("stitch", ["none", "touch"])
def test_numbers_of_regions_become_numbers_of_the_image(
    stitch: str, omtask: Program, tmp_path: Path
) -> None:
    task = write_task(tmp_path / "task", "Squares", NUMBERED, kind="label", stitch=stitch)
    data = np.ones((2, 1300, 1400), np.uint8)
    layout = Layout("planes", "0.4", (1, 512, 512), compression=(blosc_v2("lz4", 1),))
    image = write_image(tmp_path / "image.zarr", Image("tyx", [data], layout))
    omtask.run(str(task), image, extra=PYTHON, threads=2)
    found = read_label(image, "made").levels[0]
    # The same by hand: regions of 1024 by 1024, numbers by the first voxel of each object.
    pieces, count = np.zeros(data.shape, np.int64), 0
    for index in np.ndindex(2, 2, 2):
        box = pieces[index[0], index[1] * 1024:(index[1] + 1) * 1024, index[2] * 1024:(index[2] + 1) * 1024]
        box[5:90, 5:90], box[5:90, 90:130] = count + 1, count + 2
        box[-30:, -30:], box[200:210, 3:9] = count + 3, count + 2
        box[300:310, :] = count + 4 if box.shape[0] > 300 else 0
        count += 4
    if stitch == "touch":
        pieces = joined(pieces, at=1024)
    values, first = np.unique(pieces, return_index=True)
    order = np.argsort(first[values > 0])
    ought = np.zeros_like(pieces)
    for number, value in enumerate(values[values > 0][order]):
        ought[pieces == value] = number + 1
    assert np.array_equal(found, ought)


SEEN = """
import json, numpy
from omtask_region import serve

def look(tile, region):
    with open(region.parameters["log"], "a") as log:
        print(json.dumps([list(tile.shape), region.origin, region.axes, region.image["axes"]]), file=log)
    return tile

serve(look)
"""


@pytest.mark.parametrize(("axes", "reach", "shapes"), [
    ("tczyx", "whole-plane", {(61, 1200)}), ("zyx", "whole-volume", {(5, 61, 1200)}),
    ("yx", "whole-volume", {(61, 1200)}), ("zyx", "any", {(5, 61, 1024), (5, 61, 176)}),
])
def test_a_program_sees_as_much_as_it_asks_for(
    axes: str, reach: str, shapes: set[tuple[int, ...]], omtask: Program, tmp_path: Path,
    rng: np.random.Generator,
) -> None:
    task = write_task(
        tmp_path / "task", "Look", SEEN, {"log": {"type": "string"}}, ["log"], region=reach)
    data = rng.integers(0, 99, size=(2, 2, 5, 61, 1200)[-len(axes):]).astype(np.uint16)
    image = write_image(tmp_path / "image.zarr", Image(axes, [data], samples.SHARDED))
    log = tmp_path / "log"
    omtask.run(str(task), image, parameters={"log": log}, extra=PYTHON, threads=2)
    calls = [json.loads(line) for line in log.read_text().splitlines()]
    assert {tuple(call[0]) for call in calls} == shapes
    assert all(call[3] == list(axes) for call in calls)
    assert np.array_equal(read_multiscale(tmp_path / "image_made.zarr").levels[0], data)


def test_children_live_from_image_to_image(omtask: Program, tmp_path: Path) -> None:
    program = SPREAD.replace("serve(spread)", "print('START', file=open(__file__ + '.log', 'a'))\nserve(spread)")
    task = write_task(tmp_path / "task", "Spread", program, RADIUS, halo=HALO)
    shape = PlateShape(2, 3, 2)
    rng = np.random.default_rng(2)
    images = {path: samples.blobs_image(samples.SHARDED, rng, "yx", (40, 50), 1) for path in shape.images}
    plate = write_plate(tmp_path / "plate.zarr", shape, images)
    omtask.run(str(task), plate, extra=PYTHON, threads=2)
    for path, image in images.items():
        made = read_multiscale(plate / f"{path}_made").levels[0]
        assert np.array_equal(made, spread_oracle("yx", image.levels[0], 1))
    starts = (tmp_path / "task" / "program.py.log").read_text().count("START")
    assert 1 <= starts <= 2


# Where tasks are found


def test_tasks_are_found_by_path_in_folders_and_built_in(
    spread: Path, omtask: Program, tmp_path: Path
) -> None:
    other = write_task(tmp_path / "other", "Other Task", SPREAD, RADIUS)
    env = {"OMTASK_TASKS": f"{spread.parent}:{tmp_path / 'absent'}:{tmp_path / 'other'}"}
    listed = omtask("tasks", env=env).stdout
    assert f"({spread})" in listed and f"({other})" in listed and "(built in)" in listed
    found = {task["task"]: task["source"] for task in json.loads(omtask("tasks", "--json", env=env).stdout)}
    assert found["other-task"] == str(other) and found["threshold"] == "built in"
    assert "--radius" in omtask("run", "other-task", "--help", env=env).stdout
    assert "--radius" in omtask("run", str(other), "--help").stdout
    assert str(other) in omtask("tasks", "show", "other-task", env=env).stdout
    assert "no task named" in omtask("run", "other-task", "x.zarr", expect=64).stderr
    assert "`other-task`" in omtask("run", "other-tusk", "x.zarr", expect=64, env=env).stderr


def test_a_name_stands_for_one_task(spread: Path, omtask: Program, tmp_path: Path) -> None:
    mine = write_task(tmp_path / "mine", "Threshold", SPREAD, RADIUS)
    twin = write_task(tmp_path / "twin", "Spread", SPREAD, RADIUS)
    env = {"OMTASK_TASKS": f"{mine.parent}:{twin.parent}:{spread.parent}"}
    for name, place in (("threshold", mine), ("spread", twin)):
        said = omtask("run", name, "x.zarr", expect=64, env=env).stderr
        assert f"`{name}` names 2 tasks" in said and str(place) in said
    assert "built in" in omtask("run", mine, "x.zarr", expect=64).stderr
    listed = omtask("tasks", env=env)
    assert listed.stderr.count("names 2 tasks") == 2
    assert "threshold" in omtask("run", "threshold", "--help").stdout


@pytest.mark.parametrize(("change", "says"), [
    ({"command": []}, "`command`"), ({"command": None}, "`command` is missing"),
    ({"region": "anny"}, "`region`"), ({"halo": {"y": -1}}, "halo along y"),
    ({"halo": {"q": 1}}, "`q`"), ({"halo": {"y": "sigma"}}, "`sigma`"),
    ({"stitch": "touch"}, "`stitch` is for labels"), ({"commandd": ["x"]}, "`commandd`"),
    ({"contract": "kernel"}, "is for the contract `region`"), ({"environment": {"vnv": "x"}}, "`vnv`"),
    ({"environment": {"venv": "a", "conda": "b"}}, "`environment`"), ({"environment": 3}, "`environment`"),
    ({"memory_per_voxel": -4}, "`memory_per_voxel` is -4"),
    ({"region": "whole-volume", "halo": {"y": 1}}, '`region` is "whole-volume", with'),
])
def test_a_manifest_with_mistakes_is_refused_as_the_check_does(
    change: Mapping[str, Any], says: str, omtask: Program, tmp_path: Path
) -> None:
    document = manifest("Wrong", command=["python3", "x.py"])
    document["omtask"] = {k: v for k, v in (document["omtask"] | change).items() if v is not None}
    file = tmp_path / "wrong.json"
    file.write_text(json.dumps(document))
    said = omtask("run", file, "x.zarr", expect=78).stderr
    assert says in said
    checked = omtask("manifest", "check", file, expect=78).stdout
    assert says in checked and ":1:1:" not in checked


def test_a_kernel_cannot_come_from_a_file(omtask: Program, tmp_path: Path) -> None:
    file = tmp_path / "mine.json"
    file.write_text(json.dumps(manifest("Mine", contract="kernel")))
    assert "`contract` is `kernel`" in omtask("run", file, "x.zarr", expect=78).stderr


def test_the_interpreter_comes_from_the_call_the_environment_or_the_path(
    omtask: Program, tmp_path: Path
) -> None:
    program = SPREAD + "\n"
    data = np.arange(400, dtype=np.uint16).reshape(20, 20)

    def made(name: str, **block: Any) -> dict[str, Any]:
        folder = tmp_path / name
        task = write_task(folder, "Spread", program, RADIUS, halo=HALO, **block)
        write_image(folder / "image.zarr", Image("yx", [data], samples.V2))
        return {"task": str(task), "image": folder / "image.zarr", "folder": folder}

    def right(place: Mapping[str, Any]) -> bool:
        found = read_multiscale(place["folder"] / "image_made.zarr").levels[0]
        return np.array_equal(found, spread_oracle("yx", data, 1))

    venv = made("venv", environment={"venv": "env"})
    (venv["folder"] / "env").symlink_to(Path(sys.prefix))
    omtask.run(venv["task"], venv["image"])
    assert right(venv)
    # Stand-ins for programs that need a network or a container: they note their words and go on.
    tools = tmp_path / "tools"
    tools.mkdir()
    for tool, drop in (("pixi", 4), ("apptainer", 4)):
        (tools / tool).write_text(
            f'#!/bin/sh\necho "$@" > {tmp_path}/{tool}.words\nshift {drop}\n'
            f'case $1 in python3) shift; exec {sys.executable} "$@";; esac\nexec "$@"\n')
        (tools / tool).chmod(0o755)
        place = made(tool, environment={tool: "env"})
        omtask.run(place["task"], place["image"], env={"PATH": f"{tools}:/usr/bin:/bin"})
        assert right(place)
        words = (tmp_path / f"{tool}.words").read_text()
        assert f"{place['folder']}/env" in words and f"{place['folder']}/program.py" in words
    (venv["folder"] / "env").unlink()
    gone = omtask.run(venv["task"], venv["image"], extra=["--overwrite"], expect=78)
    assert f"`{venv['folder']}/env`" in gone.stderr and "is not there" in gone.stderr
    path = made("path")
    refused = omtask.run(path["task"], path["image"], env={"PATH": str(tmp_path)}, expect=78)
    assert "`python3`" in refused.stderr and "--python" in refused.stderr
    shell = str(EXAMPLES / "invert" / "invert.json")
    assert "`./invert.sh`" in omtask.run(shell, path["image"], extra=PYTHON, expect=64).stderr
    assert "built in" in omtask.run("median", path["image"], extra=PYTHON, expect=64).stderr


def test_a_changed_program_is_another_task(omtask: Program, tmp_path: Path) -> None:
    task = write_task(tmp_path / "task", "Spread", SPREAD, RADIUS, halo=HALO)
    data = np.arange(400, dtype=np.uint16).reshape(20, 20)
    image = write_image(tmp_path / "image.zarr", Image("yx", [data], samples.V2))
    omtask.run(str(task), image, extra=PYTHON)
    assert "nothing to do" in omtask.run(str(task), image, extra=PYTHON).stderr
    (task.parent / "program.py").write_text(SPREAD.replace("return tile", "return tile + 1"))
    omtask.run(str(task), image, extra=PYTHON, expect=73)
    omtask.run(str(task), image, extra=PYTHON, parameters={"overwrite": True})
    found = read_multiscale(tmp_path / "image_made.zarr").levels[0]
    assert np.array_equal(found, spread_oracle("yx", data, 1) + 1)


# Beginning a new one


@pytest.mark.parametrize("language", ["python", "shell"])
def test_a_new_task_is_checked_tested_and_runs(
    language: str, omtask: Program, tmp_path: Path
) -> None:
    folder = tmp_path / "bright-spots"
    omtask("manifest", "new", "Bright Spots", "--language", language, "--output", folder)
    file = folder / "bright-spots.json"
    checked = omtask("manifest", "check", file).stdout.splitlines()
    assert checked == [f"{file}: no mistakes"]
    test = [sys.executable, "test_bright_spots.py"] if language == "python" else ["sh", "test_bright_spots.sh"]
    subprocess.run(test, cwd=folder, check=True, capture_output=True)
    data = np.random.default_rng(1).integers(0, 256, size=(3, 1100, 1150)).astype(np.uint8)
    image = write_image(tmp_path / "image.zarr", Image("zyx", downsampled("zyx", data, 2), WIDE))
    how = {"parameters": {"radius": 2}, "extra": PYTHON} if language == "python" else {}
    omtask.run(str(file), image, ranks=2, **how)
    made = read_multiscale(tmp_path / "image_bright-spots.zarr").levels[0]
    ought = ndimage.maximum_filter(data, (1, 5, 5), mode="nearest") if how else 255 - data
    assert np.array_equal(made, ought)
    # The result is not taken as an input of the same task in a plate.
    assert "is_bright_spots" in json.loads(file.read_text())["output_types"]


def test_a_new_task_takes_no_place_of_another(omtask: Program, tmp_path: Path) -> None:
    new = ["manifest", "new"]
    assert "named `threshold`" in omtask(*new, "Threshold", "--output", tmp_path / "a", expect=73).stderr
    assert "cannot be named" in omtask(*new, "../x", expect=64).stderr
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "file").touch()
    assert "not empty" in omtask(*new, "Mine", "--output", tmp_path / "full", expect=73).stderr
    assert "python|shell" in omtask(*new, "Mine", "--language", "cobol", expect=64).stderr
    assert sorted(path.name for path in tmp_path.iterdir()) == ["full"]
