"""Processes that share an image without talking: `--part i/n`, and Fractal's compound tasks."""

import json
import os
import shutil
import signal
import subprocess
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from omtask_testing import faults, samples
from omtask_testing.images import Image, PlateShape, downsampled, write_image, write_plate
from omtask_testing.jobs import until
from omtask_testing.layouts import ZSTD, Layout, blosc_v2
from omtask_testing.program import Outcome, Program, environment, flags, mpirun
from omtask_testing.trees import leftovers, tree

LAYOUTS = (
    Layout("shards", "0.5", (8, 32, 32), (2, 2, 2), (ZSTD,)),
    Layout("v2", "0.4", (9, 40, 30), compression=(blosc_v2("lz4", 1),)),
)
CALLS: dict[str, tuple[str, dict[str, Any]]] = {
    "mask": ("threshold", {"method": "fixed", "threshold": 1100, "objects": False}),
    "otsu mask": ("threshold", {"method": "otsu", "objects": False}),
    "objects": ("threshold", {"method": "otsu", "min_size": 20}),
    "fixed objects": ("threshold", {"method": "fixed", "threshold": 1100}),
    "planes": ("threshold", {"method": "otsu", "scope": "plane"}),
    "blur": ("gaussian-blur", {"sigma": 1.2}),
    "median": ("median", {"radius": 1}),
    "convert": ("convert", {"chunk": [8, 16, 16]}),
    "levels": ("pyramid", {"levels": 4, "factors": 2}),
    "levels one by one": ("pyramid", {"levels": 3, "method": "median", "from_base": True}),
    "filter": ("filter-labels", {"label": "cells", "min_size": 200, "relabel": True}),
    "grown labels": ("filter-labels", {"label": "cells", "expand": 2.5, "max_size": 9000}),
    "holes": ("filter-labels", {"label": "cells", "fill_holes": "yx"}),
    "border": ("filter-labels", {"label": "cells", "clear_border": "yx"}),
    "equal values": ("label-objects", {"label": "cells", "mode": "equal-values", "connectivity": "faces"}),
    "border parts": ("filter-labels", {"label": "cells", "clear_border": "yx", "clear_border_by": "part"}),
}
every_call = pytest.mark.parametrize("kind", CALLS)
both_layouts = pytest.mark.parametrize("layout", LAYOUTS, ids=lambda layout: layout.name)


def write(path: Path, layout: Layout, kind: type[np.generic] = np.uint16) -> None:
    """An image of a dozen and more regions, with objects that cross them, and ragged edges."""
    rng = np.random.default_rng(11)
    coarse = rng.integers(0, 2200, size=(5, 12, 15))
    data = np.kron(coarse, np.ones((7, 15, 15), np.int64))[:33, :170, :210]
    data = (data + rng.integers(0, 60, size=data.shape)).astype(kind)
    write_image(path, Image("zyx", downsampled("zyx", data, 3), layout))


@pytest.fixture
def folders(
    layout: Layout, tmp_path: Path, omtask: Program, request: pytest.FixtureRequest
) -> tuple[Path, Path]:
    """Two folders with the same image: for one process, and for parts."""
    for name in ("whole", "parts"):
        (tmp_path / name).mkdir()
    image = tmp_path / "whole/image.zarr"
    write(image, layout)
    if "label" in CALLS.get(request.node.callspec.params.get("kind", ""), ("", {}))[1]:
        words = {"threshold": 1100, "label_name": "cells"}
        omtask.run("threshold", image, parameters=words)
    shutil.copytree(tmp_path / "whole/image.zarr", tmp_path / "parts/image.zarr")
    return tmp_path / "whole", tmp_path / "parts"


def equal(parts: Path, whole: Path) -> None:
    """The same files with the same bytes, and nothing left."""
    assert not leftovers(parts)
    assert tree(parts) == tree(whole)


def plan(omtask: Program, folder: Path, task: str, arguments: dict[str, Any]) -> list[dict[str, Any]]:
    """The list of parts, as Fractal asks for it."""
    given, listed = folder.parent / "plan-args.json", folder.parent / "plan-out.json"
    images = [str(path) for path in sorted(folder.glob("*.zarr"))]
    given.write_text(json.dumps({"zarr_urls": images, "zarr_dir": str(folder), **arguments}))
    omtask("plan", task, "--args-json", given, "--out-json", listed)
    document = json.loads(listed.read_text())
    assert list(document) == ["parallelization_list"]
    return document["parallelization_list"]


def compute(
    omtask: Program, folder: Path, task: str, item: dict[str, Any], number: int, **how: Any
) -> tuple[Outcome, list[dict[str, Any]]]:
    """One item of the list, as Fractal runs it; gives the updates of images too."""
    given, told = folder.parent / f"args-{number}.json", folder.parent / f"out-{number}.json"
    given.write_text(json.dumps(item))
    told.unlink(missing_ok=True)
    done = omtask("run", task, "--args-json", given, "--out-json", told, "--threads", "1", **how)
    updates = json.loads(told.read_text())["image_list_updates"] if told.exists() else []
    return done, updates


# Fractal's compound form: the last part finishes


@pytest.mark.sweep(2)
@both_layouts
@every_call
def test_parts_at_once_make_what_one_process_makes(
    kind: str, folders: tuple[Path, Path], omtask: Program
) -> None:
    task, parameters = CALLS[kind]
    whole, parts = folders
    omtask.run(task, whole / "image.zarr", parameters=parameters, threads=2)
    items = plan(omtask, parts, task, parameters | {"parts": 5})
    assert 2 <= len(items) <= 5
    assert [item["init_args"]["part"] for item in items] == list(range(len(items)))
    with ThreadPoolExecutor(5) as pool:
        ends = list(pool.map(
            lambda number: compute(omtask, parts, task, items[number], number), range(len(items))
        ))
    equal(parts, whole)
    told = {json.dumps(update, sort_keys=True) for _, updates in ends for update in updates}
    assert len(told) == 1
    image = str(parts / "image.zarr")
    assert image in (json.loads(told.pop()).get("origin", image), image)


@both_layouts
@pytest.mark.parametrize("kind", ["mask", "objects", "blur"])
def test_parts_in_any_order_and_more_than_once(
    kind: str, folders: tuple[Path, Path], omtask: Program, rng: np.random.Generator
) -> None:
    task, parameters = CALLS[kind]
    whole, parts = folders
    omtask.run(task, whole / "image.zarr", parameters=parameters)
    items = plan(omtask, parts, task, parameters | {"parts": 4})
    order = [*rng.permutation(len(items)).tolist()]
    for number in (order[0], *order[:-1]):
        _, updates = compute(omtask, parts, task, items[number], number)
        assert updates == []
        assert set(tree(parts)) - set(tree(whole)), "parts are kept in a hidden folder"
    _, updates = compute(omtask, parts, task, items[order[-1]], 9)
    assert len(updates) == 1
    equal(parts, whole)
    # A scheduler that repeats one finds that all is done, and is told the same.
    assert compute(omtask, parts, task, items[0], 0)[1] == updates
    equal(parts, whole)


@pytest.mark.parametrize("layout", LAYOUTS[:1], ids=lambda layout: layout.name)
@pytest.mark.parametrize("kind", ["mask", "objects", "blur"])
def test_killed_parts_are_done_again(
    kind: str, folders: tuple[Path, Path], omtask: Program, rng: np.random.Generator, tmp_path: Path
) -> None:
    """Every part is killed some calls into its work, then all are run again at once."""
    task, parameters = CALLS[kind]
    whole, parts = folders
    omtask.run(task, whole / "image.zarr", parameters=parameters)
    items = plan(omtask, parts, task, parameters | {"parts": 4})
    killed = 0
    for number, item in enumerate(items):
        nth = int(rng.integers(3, 40))
        env = faults.injected(parts, "rename,write,open", "kill", nth=nth)
        done, _ = compute(omtask, parts, task, item, number, expect=None, env=env)
        killed += done.code == -signal.SIGKILL
    assert killed
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(
            lambda number: compute(omtask, parts, task, items[number], number), range(len(items))
        ))
    equal(parts, whole)


@pytest.mark.parametrize("layout", LAYOUTS[:1], ids=lambda layout: layout.name)
def test_a_finisher_that_is_killed_leaves_it_to_the_next(
    folders: tuple[Path, Path], omtask: Program
) -> None:
    task, parameters = CALLS["objects"]
    whole, parts = folders
    omtask.run(task, whole / "image.zarr", parameters=parameters)
    items = plan(omtask, parts, task, parameters | {"parts": 3})
    for number in (0, 1):
        compute(omtask, parts, task, items[number], number)
    for nth in (1, 3, 6, 9, 12):
        env = faults.injected(parts, "rename", "kill", nth=nth)
        compute(omtask, parts, task, items[2], 2, expect=None, env=env)
    compute(omtask, parts, task, items[1], 1)
    equal(parts, whole)


@pytest.mark.parametrize("layout", LAYOUTS[:1], ids=lambda layout: layout.name)
def test_parts_that_are_run_again_leave_a_finisher_alone(
    folders: tuple[Path, Path], omtask: Program, tmp_path: Path
) -> None:
    """When the first finisher failed and all is sent again, one does the rest and the others end well."""
    task, parameters = CALLS["mask"]
    whole, parts = folders
    omtask.run(task, whole / "image.zarr", parameters=parameters)
    items = plan(omtask, parts, task, parameters | {"parts": 3})
    for number in (0, 1):
        compute(omtask, parts, task, items[number], number)
    env = faults.injected(parts / "image.zarr/labels", "rename,mkdir", "kill", nth=1)
    done, _ = compute(omtask, parts, task, items[2], 2, expect=None, env=env)
    assert done.code == -signal.SIGKILL
    slow = faults.injected(parts, "rename,mkdir,link", "delay", every=1, nth=1, ms=500)
    given = tmp_path / "again.json"
    given.write_text(json.dumps(items[0]))
    call = [omtask.path, "run", task, "--args-json", given]
    one = subprocess.Popen(call, env=environment(slow), stderr=subprocess.PIPE, text=True)
    until(lambda: state(omtask, parts / "image.zarr") == "running", 60, "one does the rest")
    given.with_name("other.json").write_text(json.dumps(items[1]))
    words = ["--args-json", given.with_name("other.json"), "--lock-wait", "0"]
    other = omtask("run", task, *words)
    assert "another process does the rest" in other.stderr
    assert one.wait(60) == 0, one.communicate()
    equal(parts, whole)


def test_small_images_and_mistakes_are_one_part(omtask: Program, tmp_path: Path) -> None:
    folder = tmp_path / "images"
    folder.mkdir()
    write(folder / "a.zarr", LAYOUTS[0])
    write(folder / "b.zarr", LAYOUTS[0])
    (folder / "b.zarr/zarr.json").write_text("{")
    items = plan(omtask, folder, "threshold", {"method": "otsu", "label_name": "n"})
    parameters = {"method": "otsu", "label_name": "n"}
    assert items == [
        {"zarr_url": str(folder / name),
         "init_args": {"part": 0, "parts": 1, "parameters": parameters}}
        for name in ("a.zarr", "b.zarr")
    ]
    assert compute(omtask, folder, "threshold", items[0], 0)[1]
    compute(omtask, folder, "threshold", items[1], 1, expect=65)


# The form that is given all images


def test_all_images_in_one_process(omtask: Program, tmp_path: Path, rng: np.random.Generator) -> None:
    shape = PlateShape(1, 2, 1)
    images = {path: samples.blobs_image(samples.SHARDED, rng) for path in shape.images}
    whole, given = tmp_path / "whole/p.zarr", tmp_path / "given/p.zarr"
    write_plate(whole, shape, images)
    shutil.copytree(whole, given)
    parameters = {"method": "otsu", "scope": "plate", "label_name": "n"}
    omtask.threshold(whole, parameters=parameters)
    arguments, told = tmp_path / "args.json", tmp_path / "out.json"
    urls = [str(given / path) for path in shape.images]
    arguments.write_text(json.dumps({"zarr_urls": urls, "zarr_dir": str(given.parent), **parameters}))
    omtask("run", "threshold", "--args-json", arguments, "--out-json", told)
    updates = json.loads(told.read_text())["image_list_updates"]
    assert updates == [{"zarr_url": url} for url in urls]
    assert tree(given) == tree(whole)


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        ({"zarr_urls": "/a.zarr"}, "must be a list of images"),
        ({"zarr_urls": []}, "must be a list of images"),
        ({"zarr_url": 5}, "`zarr_url` is 5, it must be the address of an image"),
        ({"zarr_urls": ["/a.zarr"], "zarr_dir": "/b"}, "/a.zarr: is not below the `zarr_dir` /b"),
        ({"zarr_urls": ["/a"], "zarr_url": "/a"}, "both `zarr_url` and `zarr_urls`"),
        ({"zarr_url": "/a", "init_args": {"part": 4, "parts": 4}}, "it must name `part`"),
        ({"zarr_url": "/a", "init_args": 3}, "it must name `part`"),
        ({"zarr_url": "/a", "parts": 3}, "no parameter `parts`"),
        ({"zarr_url": "/a", "init_args": {"part": 0, "parts": 2, "parameters": {"sigm": 1}}}, "`sigm`"),
    ],
)
def test_wrong_reserved_arguments_are_told(
    arguments: dict[str, Any], text: str, omtask: Program, tmp_path: Path
) -> None:
    file = tmp_path / "args.json"
    file.write_text(json.dumps(arguments | {"method": "otsu"}))
    done = omtask("run", "threshold", "--args-json", file, expect=64)
    assert text in done.stderr.splitlines()[-1]


# On the command line: a run without --part does the rest


@pytest.mark.parametrize("layout", LAYOUTS[:1], ids=lambda layout: layout.name)
def test_the_command_without_part_does_the_rest(
    folders: tuple[Path, Path], omtask: Program
) -> None:
    whole, parts = folders
    words = flags(CALLS["objects"][1])
    omtask("run", "threshold", whole / "image.zarr", *words)
    image = parts / "image.zarr"
    for part in ("1/3", "0/3"):
        done = omtask("run", "threshold", image, *words, "--part", part)
        assert f"part {part} is done" in done.stderr
    runs = omtask("runs", image).stdout
    assert "threshold" in runs
    # Part 2 was never run, so its work is done here too.
    omtask("run", "threshold", image, *words, "--threads", "2")
    equal(parts, whole)


@pytest.mark.parametrize("task", ["measure", "masking-roi-table"])
@both_layouts
def test_tables_are_made_in_parts(folders: tuple[Path, Path], task: str, omtask: Program) -> None:
    """Each part keeps what it found in its regions; the rest is to put it together."""
    whole, parts = folders
    words = ["--label", "seeds"]
    omtask.run("threshold", whole / "image.zarr",
               parameters=CALLS["objects"][1] | {"label_name": "seeds"})
    shutil.rmtree(parts / "image.zarr")
    shutil.copytree(whole / "image.zarr", parts / "image.zarr")
    omtask("run", task, whole / "image.zarr", *words, "--threads", "2")
    image = parts / "image.zarr"
    for part in ("2/3", "0/3", "1/3"):
        said = omtask("run", task, image, *words, "--part", part).stderr
        assert f"part {part} is done" in said
        assert not list(image.glob("tables/*"))
    again = omtask("run", task, image, *words, "--part", "0/3").stderr
    assert "part 0/3 is done" in again
    omtask("run", task, image, *words)
    equal(parts, whole)


def test_many_images_are_shared_whole(omtask: Program, tmp_path: Path, rng: np.random.Generator) -> None:
    shape = PlateShape(2, 2, 2)
    images = {path: samples.blobs_image(samples.SHARDED, rng) for path in shape.images}
    plate, whole = tmp_path / "parts/p.zarr", tmp_path / "whole/p.zarr"
    write_plate(plate, shape, images)
    shutil.copytree(plate, whole)
    words = ["--method", "otsu", "--label-name", "n"]
    omtask("run", "threshold", whole, *words)
    done = [omtask("run", "threshold", plate, *words, "--part", f"{i}/3") for i in range(3)]
    assert sum(int(one.stderr.split(" images done")[0].split()[-1]) for one in done) == len(images)
    assert tree(plate) == tree(whole)


def test_few_images_of_one_region_are_shared_whole(
    omtask: Program, tmp_path: Path, rng: np.random.Generator
) -> None:
    shape = PlateShape(1, 3, 1)
    layout = Layout("one shard", "0.5", (4, 16, 16), (5, 4, 4), (ZSTD,))
    data = rng.integers(0, 2000, size=(20, 64, 64)).astype(np.uint16)
    image = Image("zyx", downsampled("zyx", data, 2), layout)
    plate, whole, ranks = (tmp_path / name / "p.zarr" for name in ("parts", "whole", "ranks"))
    write_plate(plate, shape, dict.fromkeys(shape.images, image))
    for copy in (whole, ranks):
        shutil.copytree(plate, copy)
    words = ["--method", "otsu", "--label-name", "n"]
    omtask("run", "threshold", whole, *words)
    counts = []
    for part in range(4):
        omtask("run", "threshold", plate, *words, "--part", f"{part}/4", "--threads", "2")
        counts.append(len(list(plate.glob("A/*/0/labels/n/zarr.json"))))
    assert counts[-1] == 3 and max(np.diff([0, *counts])) == 1, "no part does two images"
    omtask("finalize", "threshold", plate, *words)
    plan = json.loads(omtask(
        "plan", "threshold", ranks, *words, "--ranks", "2", "--threads", "2", "--json").stdout)
    owners = [image["passes"][0]["regions"][0]["owner"] for image in plan["images"]]
    assert not plan["splits_images"] and set(owners) == {0, 1}
    omtask("run", "threshold", ranks, *words, "--threads", "2", launcher=mpirun(2))
    assert tree(plate) == tree(whole) == tree(ranks)


@pytest.mark.parametrize(
    ("words", "code", "text"),
    [
        (["--part", "3/3"], 64, "--part"),
        (["--part", "1"], 64, "--part"),
        (["--part", "-1/3"], 64, "--part"),
        (["--part", "0/3", "--fresh"], 64, "--fresh"),
        (["--part", "0/3", "--scope", "plate"], 64, "scope `plate`"),
    ],
)
def test_calls_that_cannot_be_parts_are_refused(
    words: list[str], code: int, text: str, omtask: Program, tmp_path: Path
) -> None:
    write(tmp_path / "image.zarr", LAYOUTS[0])
    before = tree(tmp_path)
    done = omtask("run", "threshold", tmp_path / "image.zarr", "--method", "otsu", *words, expect=code)
    assert text in done.stderr
    assert tree(tmp_path) == before


def state(omtask: Program, image: Path) -> str:
    """What `omtask runs` says of the only run of an image."""
    (run,) = json.loads(omtask("runs", image, "--json").stdout)["runs"]
    return run["state"]


def start(omtask: Program, image: Path, *words: str, env: dict[str, str]) -> subprocess.Popen[str]:
    call = [omtask.path, "run", "threshold", image, "--method", "otsu", *words]
    return subprocess.Popen(call, env=environment(env), stderr=subprocess.PIPE, text=True)


def wait_for(image: Path, name: str) -> None:
    """Waits until a part is at work."""
    for _ in range(400):
        if list(image.glob(f".omtask/*/{name}")):
            return
        time.sleep(0.02)
    raise AssertionError(f"no {name}")


# `finalize`: only when no part is missing


@pytest.mark.parametrize("layout", LAYOUTS[:1], ids=lambda layout: layout.name)
@pytest.mark.parametrize("kind", ["mask", "objects", "blur", "convert"])
def test_finalize_names_what_is_missing(
    kind: str, folders: tuple[Path, Path], omtask: Program
) -> None:
    task, parameters = CALLS[kind]
    whole, parts = folders
    words = flags(parameters)
    omtask("run", task, whole / "image.zarr", *words)
    image = parts / "image.zarr"
    before = tree(parts)
    none = omtask("finalize", task, image, *words, expect=66).stderr
    assert "no part of it was done" in none
    assert tree(parts) == before
    for part, missing in (("1/3", "missing: part 0/3, 2/3"), ("0/3", "missing: part 2/3")):
        omtask("run", task, image, *words, "--part", part)
        before = tree(parts)
        assert missing in omtask("finalize", task, image, *words, expect=66).stderr
        assert tree(parts) == before
    # Of another call nothing was done.
    other = omtask("finalize", "threshold", image, "--label-name", "other", expect=66)
    assert "no part of it was done" in other.stderr
    omtask("run", task, image, *words, "--part", "2/3")
    omtask("finalize", task, image, *words, "--threads", "2")
    equal(parts, whole)
    assert "nothing to do" in omtask("finalize", task, image, *words).stderr


def test_finalize_on_ranks(omtask: Program, tmp_path: Path) -> None:
    write(tmp_path / "a/image.zarr", LAYOUTS[0])
    shutil.copytree(tmp_path / "a/image.zarr", tmp_path / "b/image.zarr")
    words = ["--method", "otsu"]
    omtask("run", "threshold", tmp_path / "a/image.zarr", *words)
    image = tmp_path / "b/image.zarr"
    refused = omtask("finalize", "threshold", image, *words, launcher=mpirun(2), expect=66)
    assert refused.stderr.count("error[missing]") == 1
    for part in ("0/2", "1/2"):
        omtask("run", "threshold", image, *words, "--part", part)
    omtask("finalize", "threshold", image, *words, launcher=mpirun(2))
    equal(tmp_path / "b", tmp_path / "a")


def test_finalize_names_images_that_no_part_did(
    omtask: Program, tmp_path: Path, rng: np.random.Generator
) -> None:
    shape = PlateShape(1, 4, 1)
    images = {path: samples.blobs_image(samples.SHARDED, rng) for path in shape.images}
    plate = tmp_path / "p.zarr"
    write_plate(plate, shape, images)
    words = ["--method", "otsu", "--label-name", "n"]
    omtask("run", "threshold", plate, *words, "--part", "0/2")
    done = omtask("finalize", "threshold", plate, *words, expect=66)
    assert done.stderr.count("no part of it was done") == 2
    omtask("run", "threshold", plate, *words, "--part", "1/2")
    omtask("finalize", "threshold", plate, *words)
    refused = omtask("finalize", "threshold", plate, *words, "--scope", "plate", expect=64)
    assert "scope `plate`" in refused.stderr


@pytest.mark.parametrize("layout", LAYOUTS[:1], ids=lambda layout: layout.name)
def test_a_part_at_work_keeps_others_out_of_its_way(
    folders: tuple[Path, Path], omtask: Program
) -> None:
    whole, parts = folders
    omtask("run", "threshold", whole / "image.zarr", "--method", "otsu")
    image = parts / "image.zarr"
    slow = faults.injected(image / "0", "pread,read,open", "delay", every=1, nth=1, ms=150)
    one = start(omtask, image, "--part", "0/2", "--threads", "1", env=slow)
    wait_for(image, "part-0-of-2.lock")
    words = ["--method", "otsu", "--lock-wait", "0"]
    # The same part, another cut, all of it, and removing it: not now.
    for extra in (["--part", "0/2"], ["--part", "0/4"], []):
        assert "locked" in omtask("run", "threshold", image, *words, *extra, expect=75).stderr
    omtask("clean", image, expect=None)
    assert list(image.glob(".omtask/*/part-0-of-2.lock"))
    assert state(omtask, image) == "running"
    # The other part: at the same time.
    omtask("run", "threshold", image, *words, "--part", "1/2")
    assert one.poll() is None, one.communicate()
    assert one.wait(60) == 0
    omtask("run", "threshold", image, *words)
    equal(parts, whole)


@pytest.mark.parametrize("layout", LAYOUTS[:1], ids=lambda layout: layout.name)
def test_the_lock_of_a_killed_part_is_no_obstacle(
    folders: tuple[Path, Path], omtask: Program
) -> None:
    whole, parts = folders
    omtask("run", "threshold", whole / "image.zarr", "--method", "otsu")
    image = parts / "image.zarr"
    slow = faults.injected(image / "0", "pread,read,open", "delay", every=1, nth=1, ms=200)
    one = start(omtask, image, "--part", "0/2", env=slow)
    wait_for(image, "part-0-of-2.lock")
    os.kill(one.pid, signal.SIGKILL)
    one.communicate()
    assert list(image.glob(".omtask/*/part-0-of-2.lock"))
    again = omtask("run", "threshold", image, "--method", "otsu", "--part", "0/2")
    assert "removed the lock" in again.stderr
    omtask("run", "threshold", image, "--method", "otsu")
    equal(parts, whole)
