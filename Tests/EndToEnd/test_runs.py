"""`omtask runs` tells what is not finished and how far it is, `omtask clean` removes it."""

import json
import os
import subprocess
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from omtask_testing import faults, locks, samples
from omtask_testing.images import Image, PlateShape, write_image, write_plate
from omtask_testing.layouts import Layout
from omtask_testing.program import Program, environment
from omtask_testing.reading import listed_labels
from omtask_testing.trees import leftovers, tree

RUN = ("--threshold", "300", "--label-name", "cells", "--threads", "1")


@pytest.fixture
def image(tmp_path: Path, rng: np.random.Generator) -> Path:
    """An image of many regions."""
    write_image(tmp_path / "image.zarr", time_points(rng))
    return tmp_path / "image.zarr"


def time_points(rng: np.random.Generator) -> Image:
    """Each of its 16 time points is a region."""
    layout = Layout("v2", "0.4", (1, 8, 16, 16), compression=samples.V2.compression)
    return samples.blobs_image(layout, rng, "tzyx", (16, 8, 32, 32))


def stop_midway(omtask: Program, image: Path, place: Path, *more: str, nth: int = 40) -> None:
    """Begins a run and kills it in the midst of writing below `place`."""
    injected = faults.injected(place, "rename", "kill", nth=nth)
    killed = omtask("run", "threshold", image, *RUN, *more, env=injected, expect=None)
    assert killed.code == -9, killed


def runs(omtask: Program, uri: Path) -> list[dict[str, Any]]:
    return json.loads(omtask("runs", uri, "--json").stdout)["runs"]


def test_a_run_that_was_killed_is_listed_goes_on_or_is_removed(
    omtask: Program, image: Path
) -> None:
    before = tree(image)
    stop_midway(omtask, image, image / ".omtask")
    stopped = tree(image)
    (run,) = runs(omtask, image)
    assert run["task"] == "threshold"
    assert run["results"] == [f"{image}/labels/cells"]
    assert run["parameters"]["threshold"] == 300
    # Its process is seen to be gone; nobody has given its lock back.
    assert run["state"] == "left"
    assert run["holder"]["host"] == os.uname().nodename
    assert 0 < run["percent"] < 100
    assert 0 < run["pieces_done"] < run["pieces"]
    text = omtask("runs", image).stdout
    assert run["id"] in text and f"{image}/labels/cells" in text and "threshold 300" in text
    assert tree(image) == stopped, "`runs` wrote something"

    removed = json.loads(omtask("clean", image, "--json").stdout)
    assert removed["removed_bytes"] > 0 and not removed["kept"]
    assert tree(image) == before

    stop_midway(omtask, image, image / ".omtask")
    omtask("run", "threshold", image, *RUN)
    assert runs(omtask, image) == []
    assert "no unfinished runs" in omtask("runs", image).stdout
    assert "nothing was removed" in omtask("clean", image).stdout
    assert listed_labels(image) == ["cells"]


def test_a_run_at_work_is_seen_from_another_shell_and_left_alone(
    omtask: Program, image: Path
) -> None:
    slow = faults.injected(image / ".omtask", "rename", "delay", nth=1, every=1, ms=50)
    command = [str(omtask.path), "run", "threshold", str(image), *RUN]
    process = subprocess.Popen(command, env=environment(slow), stderr=subprocess.PIPE, text=True)
    seen: list[dict[str, Any]] = []
    while process.poll() is None and len(seen) < 2:
        seen += [run for run in runs(omtask, image) if run["pieces_per_second"]]
        time.sleep(0.5)
    assert len(seen) >= 2, "the run was over too soon"
    cleaned = omtask("clean", image)
    assert f"process {process.pid}" in cleaned.stdout and "kept" in cleaned.stdout
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 0, errors
    for run in seen:
        assert run["state"] == "running"
        assert run["holder"]["process"] == process.pid
        assert run["seconds_left"] > 0
    assert seen[0]["percent"] < seen[-1]["percent"]
    assert listed_labels(image) == ["cells"]
    assert not leftovers(image)


def test_a_run_of_a_dead_machine_is_named_as_left(omtask: Program, image: Path) -> None:
    stop_midway(omtask, image, image / ".omtask")
    (stage,) = (path for path in (image / ".omtask").iterdir())
    locks.put_lock(stage / "lock", locks.holder(4711, host="n17"), age=600)
    (run,) = runs(omtask, image)
    assert run["state"] == "left" and run["holder"]["host"] == "n17"
    assert 600 <= run["last_seen_seconds"] < 700
    locks.put_lock(stage / "lock", locks.holder(4711, host="n17"), age=1)
    assert runs(omtask, image)[0]["state"] == "running"
    assert "n17" in omtask("clean", image).stdout
    assert stage.exists()
    (stage / "lock").unlink()
    (run,) = runs(omtask, image)
    assert run["state"] == "stopped"
    assert "stopped     at 20" in omtask("runs", image).stdout


def test_an_output_that_is_not_there_yet(omtask: Program, image: Path, tmp_path: Path) -> None:
    output = tmp_path / "new.zarr"
    stop_midway(omtask, image, tmp_path / ".new.zarr.omtask", "--output", str(output))
    (run,) = runs(omtask, output)
    assert run["results"] == [str(output)]
    omtask("clean", output)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["image.zarr"]
    assert "new.zarr" in omtask("runs", output, expect=66).stderr


def test_all_images_of_a_plate(omtask: Program, tmp_path: Path, rng: np.random.Generator) -> None:
    shape = PlateShape(1, 2, 1)
    image = time_points(rng)
    plate = write_plate(tmp_path / "plate.zarr", shape, {path: image for path in shape.images})
    before = tree(plate)
    for path in shape.images:
        stop_midway(omtask, plate / path, plate / path / ".omtask")
    locks.put_lock(plate / ".omtask/metadata.lock", locks.holder(locks.ended_process()))
    assert len(runs(omtask, plate)) == 2
    assert len(runs(omtask, plate / "A/01")) == 1
    assert len(runs(omtask, plate / "A/01/0")) == 1
    omtask("clean", plate)
    assert tree(plate) == before


def test_locks_that_were_left_go_and_others_stay(omtask: Program, image: Path) -> None:
    before = tree(image)
    stages = image / ".omtask"
    ended = locks.holder(locks.ended_process())
    for name in ("labels.lock", "labels.lock.17", "labels.lock.broken.17", "metadata.lock"):
        locks.put_lock(stages / name, ended)
    locks.put_lock(stages / "labels.new", b"[")
    omtask("clean", image)
    assert tree(image) == before
    locks.put_lock(stages / "labels.lock", locks.holder(4711, host="n17"))
    (stages / "notes.txt").write_text("mine")
    cleaned = omtask("clean", image).stdout
    assert "process 4711 on n17" in cleaned and "notes.txt" in cleaned
    assert sorted(path.name for path in stages.iterdir()) == ["labels.lock", "notes.txt"]


def test_a_label_image_that_was_put_aside_is_put_back(omtask: Program, image: Path) -> None:
    omtask("run", "threshold", image, *RUN)
    before = tree(image)
    aside = image / ".omtask/0123456789abcdef/old"
    aside.mkdir(parents=True)
    (image / "labels/cells").rename(aside / "cells")
    cleaned = omtask("clean", image).stdout
    assert f"put back  {image}/labels/cells" in cleaned
    assert tree(image) == before


def test_links_are_neither_followed_nor_removed(
    omtask: Program, image: Path, tmp_path: Path
) -> None:
    target = tmp_path / "target"
    (target / "0123456789abcdef/out").mkdir(parents=True)
    (target / "0123456789abcdef/run.json").write_text("{}")
    before = tree(target)
    stages = image / ".omtask"
    stages.symlink_to(target)
    assert "is a link" in omtask("runs", image, expect=77).stderr
    assert "is a link" in omtask("clean", image).stdout
    stages.unlink()
    stages.mkdir()
    (stages / "0123456789abcdef").symlink_to(target / "0123456789abcdef")
    assert "is a link" in omtask("runs", image, expect=77).stderr
    assert "is a link" in omtask("clean", image).stdout
    assert tree(target) == before and (stages / "0123456789abcdef").is_symlink()


def test_what_is_not_there(omtask: Program, tmp_path: Path) -> None:
    for command in ("runs", "clean"):
        assert "nothing.zarr" in omtask(command, tmp_path / "nothing.zarr", expect=66).stderr
