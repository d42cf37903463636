"""Several programs write into one image at once: no entry is lost, no lock stays behind."""

import json
import os
import random
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import zarr

from omtask_testing import faults, locks, samples
from omtask_testing.images import PlateShape, write_group, write_plate
from omtask_testing.layouts import Layout
from omtask_testing.program import Outcome, Program, environment
from omtask_testing.reading import listed_labels
from omtask_testing.trees import leftovers, tree

WRITERS = 8
NGIO = """
import sys
import ngio
container = ngio.open_ome_zarr_container(sys.argv[1])
for number in range(int(sys.argv[2])):
    container.derive_label(f"ngio{number}")
"""


@pytest.fixture
def image(tmp_path: Path, rng: np.random.Generator) -> Path:
    """A small image without labels."""
    return write_small(tmp_path / "image.zarr", samples.SHARDED, rng)


def write_small(path: Path, layout: Layout, rng: np.random.Generator) -> Path:
    samples.write_blobs(path, layout, rng, shape=(4, 16, 16), levels=1)
    return path


def words(image: Path, name: str, *more: str) -> list[str]:
    """The arguments of a run that makes the label image `name`."""
    return ["run", "threshold", str(image), "--threshold", "300", "--label-name", name,
            "--threads", "1", *more]


def start(omtask: Program, image: Path, name: str, *more: str, **env: str) -> subprocess.Popen[str]:
    """Starts a run and does not wait for it."""
    return subprocess.Popen(
        [str(omtask.path), *words(image, name, *more)], env=environment(env), text=True,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )


def voxels(image: Path, name: str) -> dict[str, str]:
    """Everything of a label image but its metadata."""
    label = image / "labels" / name
    return {file: digest for file, digest in tree(label).items() if not file.endswith("json")
            and not Path(file).name.startswith(".z")}


def assert_all_there(image: Path, ours: list[str], theirs: list[str] = []) -> None:
    """All label images are listed once and complete, and nothing else is there."""
    listed = listed_labels(image)
    assert len(set(listed)) == len(listed)
    lost = sorted({*ours, *theirs} - set(listed))
    assert not lost, f"{len(lost)} of {len(ours) + len(theirs)} entries are lost: {lost[:5]}"
    whole = voxels(image, ours[0])
    assert whole
    assert [name for name in ours if voxels(image, name) != whole] == []
    assert not leftovers(image)
    found = {path.name for path in (image / "labels").iterdir() if path.is_dir()}
    assert found == {*ours, *theirs}


def in_parallel(jobs: list[Callable[[], None]]) -> None:
    """Does all jobs at once; the first failure is the caller's."""
    failures: list[BaseException] = []

    def guarded(job: Callable[[], None]) -> None:
        try:
            job()
        except BaseException as failure:
            failures.append(failure)

    threads = [threading.Thread(target=guarded, args=(job,)) for job in jobs]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failures:
        raise failures[0]


def writers(omtask: Program, image: Path, count: int) -> tuple[list[str], list[Callable[[], None]]]:
    """The names of `count` label images for each writer, and what the writers do."""

    def write(number: int) -> None:
        for label in range(count):
            outcome = omtask(*words(image, f"w{number}-{label}", "--progress", "none"))
            assert not outcome.stderr, outcome

    names = [f"w{number}-{label}" for number in range(WRITERS) for label in range(count)]
    return names, [lambda number=number: write(number) for number in range(WRITERS)]


def test_eight_writers_of_fifty_lose_no_entry(omtask: Program, image: Path) -> None:
    names, jobs = writers(omtask, image, 50)
    in_parallel(jobs)
    assert_all_there(image, names)


@pytest.mark.parametrize("layout", samples.BOTH, ids=lambda layout: layout.version)
def test_no_entry_is_lost_beside_ngio(
    layout: Layout, omtask: Program, tmp_path: Path, rng: np.random.Generator,
    scaled: Callable[[int, int], int],
) -> None:
    image = write_small(tmp_path / "image.zarr", layout, rng)
    names, jobs = writers(omtask, image, scaled(4, 50))
    count = scaled(8, 50)

    def add_with_ngio() -> None:
        command = [sys.executable, "-c", NGIO, str(image), str(count)]
        done = subprocess.run(command, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr

    in_parallel([*jobs, add_with_ngio])
    assert_all_there(image, names, [f"ngio{number}" for number in range(count)])


def test_two_images_of_a_plate_are_not_in_each_others_way(
    omtask: Program, image: Path, tmp_path: Path, rng: np.random.Generator
) -> None:
    other = write_small(tmp_path / "other.zarr", samples.SHARDED, rng)
    locks.put_lock(other / ".omtask/labels.lock", locks.holder(1, host="elsewhere"))
    omtask(*words(image, "a", "--lock-wait", "0"))


def test_of_two_equal_runs_one_works_and_the_other_finds_it_done(
    omtask: Program, image: Path, tmp_path: Path
) -> None:
    # The first is at its commit when the second comes.
    log = tmp_path / "log"
    first = start(omtask, image, "same", **delayed(image / "labels/same", log, seconds=4))
    waiting_for(log)
    impatient = omtask(*words(image, "same", "--lock-wait", "0"), expect=75)
    assert f"process {first.pid}" in impatient.stderr
    second = start(omtask, image, "same")
    finished(first, 0)
    finished(second, 0)
    assert_all_there(image, ["same"])


def test_equal_runs_at_any_moment_end_with_one_result(
    omtask: Program, image: Path, scaled: Callable[[int, int], int]
) -> None:
    for number in range(scaled(5, 50)):
        both = [start(omtask, image, f"twice{number}") for _ in range(3)]
        for run in both:
            finished(run, 0)
    assert_all_there(image, listed_labels(image))


@pytest.mark.parametrize("layout", samples.BOTH, ids=lambda layout: layout.version)
def test_runs_on_one_plate_all_reach_its_consolidated_metadata(
    layout: Layout, omtask: Program, tmp_path: Path, rng: np.random.Generator
) -> None:
    shape = PlateShape(2, 2, 1)
    small = samples.blobs_image(layout, rng, shape=(4, 16, 16), levels=1)
    plate = write_plate(tmp_path / "plate.zarr", shape, {path: small for path in shape.images})
    zarr.consolidate_metadata(plate, zarr_format=2 if layout.version == "0.4" else 3)
    names = [f"by{number}" for number in range(4)]
    in_parallel([lambda name=name: omtask(*words(plate, name)) for name in names])
    group = zarr.open_group(plate, mode="r", use_consolidated=True)
    for path in shape.images:
        assert {*names} <= {*group[f"{path}/labels"].group_keys()}
    found = json.loads(omtask("verify", plate, "--json").stdout)
    assert found["sound"] and not found["notes"], found
    assert not leftovers(plate)


# Other programs in the midst of our steps


def waiting_for(log: Path) -> None:
    """Waits until the run has reached the call that is delayed."""
    end = time.monotonic() + 30
    while not (log.exists() and log.read_text()):
        assert time.monotonic() < end, "the run never came there"
        time.sleep(0.01)


def finished(process: subprocess.Popen[str], expect: int) -> Outcome:
    stdout, stderr = process.communicate(timeout=60)
    outcome = Outcome([*map(str, process.args)], process.returncode, stdout, stderr, 0)
    assert outcome.code == expect, outcome
    return outcome


def list_labels(image: Path, names: list[str]) -> None:
    """Replaces the list as other programs do."""
    write_group(image / "new", "0.5", {"labels": names})
    os.replace(image / "new/zarr.json", image / "labels/zarr.json")
    (image / "new").rmdir()


def delayed(
    path: Path, log: Path, calls: str = "rename", nth: int = 1, seconds: float = 1.5
) -> dict[str, str]:
    return faults.injected(path, calls, "delay", ms=round(1000 * seconds), log=log, nth=nth)


def test_a_list_that_another_program_rewrites_meanwhile_keeps_both(
    omtask: Program, image: Path, tmp_path: Path
) -> None:
    omtask(*words(image, "first"))
    log = tmp_path / "log"
    run = start(omtask, image, "second", **delayed(image / "labels/zarr.json", log))
    waiting_for(log)
    write_group(image / "labels/theirs", "0.5", {})
    list_labels(image, ["first", "theirs"])
    finished(run, 0)
    assert listed_labels(image) == ["first", "theirs", "second"]
    assert not leftovers(image)


def test_a_list_that_another_program_makes_meanwhile_keeps_both(
    omtask: Program, image: Path, tmp_path: Path
) -> None:
    log = tmp_path / "log"
    run = start(omtask, image, "ours", **delayed(image / "labels/zarr.json", log))
    waiting_for(log)
    list_labels(image, ["theirs"])
    finished(run, 0)
    assert listed_labels(image) == ["theirs", "ours"]


def test_an_entry_that_another_program_takes_out_is_added_again(
    omtask: Program, image: Path, tmp_path: Path
) -> None:
    omtask(*words(image, "first"))
    log = tmp_path / "log"
    # The list is changed by then; what is removed next is what was needed for that.
    run = start(omtask, image, "second", **delayed(image / ".omtask", log, "unlink", nth=4))
    end = time.monotonic() + 30
    while "second" not in listed_labels(image):
        assert time.monotonic() < end
        time.sleep(0.001)
    list_labels(image, ["first"])
    finished(run, 0)
    assert listed_labels(image) == ["first", "second"]


def test_a_name_that_is_taken_meanwhile_stays_with_who_took_it(
    omtask: Program, image: Path, tmp_path: Path
) -> None:
    log = tmp_path / "log"
    place = image / "labels/name"
    run = start(omtask, image, "name", **delayed(place, log))
    waiting_for(log)
    write_group(place, "0.5", {"multiscales": []}, theirs=True)
    before = tree(place)
    outcome = finished(run, 73)
    assert str(place) in outcome.stderr
    assert tree(place) == before
    assert listed_labels(image) == []
    assert not leftovers(image)


# Locks of others


@pytest.mark.parametrize(
    ("content", "age"),
    [
        (lambda: locks.holder(4711, host="gone"), 3600),
        (lambda: locks.holder(locks.ended_process()), 0),
        (lambda: b"", 3600),
        (lambda: b"\0\0", 3600),
    ],
    ids=["another host", "an ended process", "an empty file", "no holder"],
)
def test_a_lock_that_was_left_is_removed_with_one_warning(
    content: Callable[[], bytes], age: float, omtask: Program, image: Path
) -> None:
    locks.put_lock(image / ".omtask/labels.lock", content(), age)
    outcome = omtask(*words(image, "a"))
    assert outcome.stderr.count("labels.lock") == 1, outcome
    assert "that was left by" in outcome.stderr
    assert listed_labels(image) == ["a"]
    assert not leftovers(image)


@pytest.mark.parametrize("age", [-3600, 0, 30])
def test_a_lock_that_is_alive_is_waited_for(age: float, omtask: Program, image: Path) -> None:
    lock = locks.put_lock(image / ".omtask/labels.lock", locks.holder(4711, host="n17"), age)
    content = lock.read_bytes()
    outcome = omtask(*words(image, "a", "--lock-wait", "1"), expect=75)
    assert "process 4711 on n17" in outcome.stderr
    assert listed_labels(image) == []
    assert lock.read_bytes() == content
    assert outcome.seconds < 10
    lock.unlink()
    omtask(*words(image, "a"))
    assert listed_labels(image) == ["a"]
    assert not leftovers(image)


def test_a_lock_that_cannot_be_read_tells_by_its_age(
    omtask: Program, open_folder: Path, rng: np.random.Generator
) -> None:
    if os.geteuid() != 0:
        pytest.skip("needs root to be two users")
    image = write_small(open_folder / "image.zarr", samples.SHARDED, rng)
    lock = locks.put_lock(image / ".omtask/labels.lock", locks.holder(os.getpid()), 3600)
    lock.chmod(0o600)
    for path in (image, image / ".omtask"):
        path.chmod(0o777)
    nobody = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"]
    outcome = omtask(*words(image, "a"), launcher=nobody)
    assert "left by somebody unknown" in outcome.stderr
    assert listed_labels(image) == ["a"]


@pytest.mark.parametrize("place", [".omtask", ".omtask/labels.lock", "labels", "labels/zarr.json"])
def test_links_in_the_way_are_refused(
    place: str, omtask: Program, image: Path, tmp_path: Path
) -> None:
    target = tmp_path / "target"
    if place.endswith("json"):
        target.write_text(json.dumps({"zarr_format": 3, "node_type": "group", "attributes": {}}))
    elif place.endswith("lock"):
        target.write_text("mine")
    else:
        target.mkdir()
    before = tree(tmp_path) if target.is_dir() else target.read_bytes()
    link = image / place
    link.parent.mkdir(exist_ok=True)
    link.symlink_to(target)
    omtask(*words(image, "a"), expect=77)
    assert link.is_symlink()
    assert not list(target.iterdir()) if target.is_dir() else target.read_bytes() == before


# Kills


def test_writers_that_are_killed_lose_nothing_of_others(
    omtask: Program, image: Path, rng: np.random.Generator, scaled: Callable[[int, int], int]
) -> None:
    count = scaled(3, 25)
    seeds = rng.integers(1 << 30, size=4)

    def write(number: int) -> None:
        generator = random.Random(int(seeds[number]))
        for label in range(count):
            # Killed twice at any moment, then left alone: the same command finishes.
            for _ in range(2):
                run = start(omtask, image, f"w{number}-{label}", "--progress", "none")
                time.sleep(generator.uniform(0, 0.1))
                run.kill()
                run.communicate()
            omtask(*words(image, f"w{number}-{label}", "--progress", "none"))

    in_parallel([lambda number=number: write(number) for number in range(4)])
    assert_all_there(image, [f"w{number}-{label}" for number in range(4) for label in range(count)])


def test_a_kill_at_any_step_of_the_listing_is_made_good_by_the_same_command(
    omtask: Program, image: Path, tmp_path: Path
) -> None:
    omtask(*words(image, "first"))
    log = tmp_path / "log"
    everything = faults.injected(image, "rename,link,unlink", "EIO", nth=0, log=log)
    omtask(*words(image, "second"), env=everything)
    # Lines of process, call, number and path.
    names = [Path(line.split()[3]).name for line in log.read_text().splitlines()]
    first = next(number for number, name in enumerate(names) if name.startswith("labels.lock"))
    steps = range(first + 1, len(names) + 1)
    assert len(steps) >= 8, names
    for number in steps:
        for fault in ("kill", "kill_after"):
            name = f"at{number}-{fault.replace('_', '-')}"
            injected = faults.injected(image, "rename,link,unlink", fault, nth=number)
            killed = omtask(*words(image, name), env=injected, expect=None)
            assert killed.code == -9, killed
            for listed in listed_labels(image):
                assert voxels(image, listed) == voxels(image, "first"), listed
            omtask(*words(image, name))
            assert name in listed_labels(image)
            assert not leftovers(image), number


def test_a_warning_of_another_rank_is_told_by_the_first(
    omtask: Program, tmp_path: Path, rng: np.random.Generator
) -> None:
    images = [write_small(tmp_path / f"{number}.zarr", samples.SHARDED, rng) for number in range(4)]
    for image in images:
        locks.put_lock(image / ".omtask/labels.lock", locks.holder(locks.ended_process()))
    outcome = omtask.threshold(*images, parameters={"threshold": 300}, ranks=2)
    for image in images:
        assert outcome.stderr.count(f"{image}/.omtask/labels.lock") == 1, outcome
        assert not leftovers(image)
