"""Disks that are full, read-only or short of inodes, limits of the process, and what is on the disk
when a result becomes visible."""

import os
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from omtask_testing.calls import Call, logged, unsynced
from omtask_testing.faults import Injection
from omtask_testing.program import Program
from omtask_testing.scenes import SCENES, Stand, error_lines
from omtask_testing.trees import tree


@contextmanager
def disk(folder: Path, *options: str) -> Iterator[Path]:
    """A disk of its own in memory; skips the test where mounting is not allowed."""
    folder.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", ",".join(options), "tmpfs", str(folder)]
    if os.geteuid() != 0 or subprocess.run(command, capture_output=True).returncode != 0:
        pytest.skip("a disk may not be mounted here")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "-l", folder], check=True)


def remount(folder: Path, option: str) -> None:
    subprocess.run(["mount", "-o", f"remount,{option}", folder], check=True)


@contextmanager
def stand_on_disk(omtask: Program, tmp_path: Path, *options: str) -> Iterator[Stand]:
    SCENES["mask"].prepare(omtask, tmp_path / "original")
    with disk(tmp_path / "disk", *options) as folder:
        yield Stand(omtask, SCENES["mask"], tmp_path / "original", folder)


def check_refusal(stand: Stand, code: int) -> bool:
    """Runs on a disk with too little room; whether there was too little."""
    outcome = stand.run()
    assert outcome.code in (code, 0), outcome
    if outcome.code == code:
        [line] = error_lines(outcome)
        assert str(stand.root) in line and "free here: " in outcome.stderr, outcome
    assert stand.problems(outcome.code == 0, False) == []
    return outcome.code == code


def test_a_full_disk(omtask: Program, tmp_path: Path) -> None:
    with stand_on_disk(omtask, tmp_path, "size=8m") as stand:
        refused = 0
        for left in (0, 4096, 8192, 16384, 32768, 65536, 131072, 1 << 20):
            stand.reset()
            ballast = stand.folder / "ballast"
            state = os.statvfs(stand.folder)
            free = state.f_bavail * state.f_frsize
            with ballast.open("wb") as file:
                os.posix_fallocate(file.fileno(), 0, free - left)
            refused += check_refusal(stand, 74)
            ballast.unlink()
            assert stand.unfinished() == []
        assert 0 < refused < 8


def test_no_more_inodes(omtask: Program, tmp_path: Path) -> None:
    with stand_on_disk(omtask, tmp_path, "size=64m", "nr_inodes=400") as stand:
        refused = 0
        for left in (0, 1, 2, 3, 5, 8, 12, 16, 20, 25, 30, 60):
            stand.reset()
            ballast = stand.folder / "ballast"
            ballast.mkdir()
            for number in range(os.statvfs(stand.folder).f_favail - left):
                (ballast / str(number)).touch()
            refused += check_refusal(stand, 74)
            for file in ballast.iterdir():
                file.unlink()
            ballast.rmdir()
            assert stand.unfinished() == []
        assert 0 < refused < 12


def test_a_disk_that_is_read_only(omtask: Program, tmp_path: Path) -> None:
    with stand_on_disk(omtask, tmp_path, "size=8m") as stand:
        stand.reset()
        events = tmp_path / "events"
        remount(stand.folder, "ro")
        outcome = stand.run(words=(*stand.scene.words, "--events", str(events)))
        assert outcome.code == 77, outcome
        assert len(error_lines(outcome)) == 1 and "--output" in outcome.stderr, outcome
        assert '"progress"' not in (events.read_text() if events.exists() else "")
        remount(stand.folder, "rw")
        assert tree(stand.root) == stand.before


@pytest.mark.parametrize("files", [*range(4, 20, 3), 32, 64])
def test_few_open_files(files: int, stands: Callable[[str], list[Stand]]) -> None:
    stand = stands("objects")[0]
    stand.reset()
    outcome = stand.run(before=f"ulimit -n {files}")
    assert outcome.code in (0, 74), outcome
    if outcome.code == 74:
        assert f"may open {files} files" in outcome.stderr, outcome
        assert len(error_lines(outcome)) == 1, outcome
    assert files < 32 or outcome.code == 0
    assert stand.problems(outcome.code == 0, False) == []
    assert stand.unfinished() == []


@pytest.mark.parametrize("mebibytes", [48, 64, 80, 100, 150, 250, 400, 800])
def test_few_addresses(mebibytes: int, stands: Callable[[str], list[Stand]]) -> None:
    stand = stands("objects")[0]
    stand.reset()
    outcome = stand.run(before=f"ulimit -v {mebibytes << 10}")
    assert outcome.code in (0, 79), outcome
    if outcome.code == 79:
        assert len(error_lines(outcome)) == 1 and "error[limit]" in outcome.stderr, outcome
    assert mebibytes < 400 or outcome.code == 0
    assert stand.problems(outcome.code == 0, False) == []
    assert stand.unfinished() == []


# What is on the disk before a result can be seen


def calls_of(stand: Stand, library: Path, durability: str) -> list[Call]:
    stand.reset()
    log = stand.folder / f"log-{durability}"
    env = Injection("fsync,write,rename,mkdir", "EIO").settings(stand.root, stand.counter)
    env |= {"LD_PRELOAD": str(library), "FAULTFS_LOG": str(log)}
    outcome = stand.run(env, words=(*stand.scene.words, "--durability", durability))
    assert outcome.code == 0, outcome
    return logged(log)


@pytest.mark.parametrize("durability", ["commit", "shard"])
@pytest.mark.parametrize("name", list(SCENES))
def test_all_is_on_the_disk_before_it_is_seen(
    name: str, durability: str, stands: Callable[[str], list[Stand]], fault_library: Path
) -> None:
    stand = stands(name)[0]
    calls = calls_of(stand, fault_library, durability)
    result = stand.root / stand.scene.result
    renames = [number for number, call in enumerate(calls) if call.operation == "rename"]
    [seen] = [number for number in renames if calls[number].path == result]
    [staged] = {call.path.parents[i - 1] for call in calls
                for i, parent in enumerate(call.path.parents) if parent.name == "out" and i > 0}
    assert list(unsynced(calls, staged, result, seen)) == []
    holder = Call("fsync", result.parent)
    assert holder in calls[seen:]
    if stand.scene.separate or stand.scene.overwrites:
        return
    document = stand.root / stand.scene.list
    [listed] = [number for number in renames if calls[number].path == document]
    written = [number for number, call in enumerate(calls)
               if call.operation == "write" and call.path.name == "labels.new"]
    assert seen < listed and holder in calls[seen:listed]
    assert Call("fsync", document.parents[1] / ".omtask/labels.new") in calls[written[-1]:listed]
    assert holder in calls[listed:]
    if not stand.scene.neighbour:
        assert Call("fsync", stand.image) in calls[seen:listed]


def test_nothing_waits_for_the_disk_without_durability(
    stands: Callable[[str], list[Stand]], fault_library: Path
) -> None:
    calls = calls_of(stands("objects")[0], fault_library, "none")
    assert [call for call in calls if call.operation == "fsync"] == []
