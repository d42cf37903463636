"""What a killed run left is relied on only as far as it is sound; links in its way lead nowhere."""

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from omtask_testing import faults, journals
from omtask_testing.faults import Injection
from omtask_testing.jobs import Job, until
from omtask_testing.program import Program
from omtask_testing.scenes import Stand, error_lines
from omtask_testing.sweeps import KILLED, Sweep, Tally, picked
from omtask_testing.trees import tree

# Renames come in this order: the record of the run, shards, the label image, the list.
FIRST_SHARDS = Injection("rename", "kill", 6)
BEFORE_COMMIT = Injection("rename", "kill", 11)
FIRST_PARTIALS = Injection("write", "kill", 14)


def kill(stand: Stand, library: Path, injection: Injection) -> Path:
    """Kills a run; returns what it left, for `reset`."""
    stand.reset()
    settings = injection.settings(stand.root, stand.counter)
    outcome = stand.run(settings | {"LD_PRELOAD": str(library)})
    assert outcome.code in KILLED, outcome
    return stand.keep()


def stage(stand: Stand) -> Path:
    [folder] = stand.stages()
    return folder


Damage = tuple[str, Callable[[Path], None]]


def to_files(folder: Path) -> Iterator[Damage]:
    """Every way in which a disk or a person damages what is staged."""

    def flip(path: Path, place: int) -> None:
        data = bytearray(path.read_bytes())
        data[place] ^= 1
        path.write_bytes(data)

    for file in sorted(path for path in folder.rglob("*") if path.is_file()):
        name = file.relative_to(folder)
        size = file.stat().st_size
        if name.name == "lock" or size == 0:
            continue
        yield f"{name}: first bit", lambda root, name=name: flip(root / name, 0)
        yield f"{name}: middle", lambda root, name=name, at=size // 2: flip(root / name, at)
        yield f"{name}: last bit", lambda root, name=name, at=size - 1: flip(root / name, at)
        for left in sorted({0, size // 2, size - 1}):
            yield f"{name}: {left} bytes", lambda root, name=name, n=left: (
                os.truncate(root / name, n)
            )
        yield f"{name}: gone", lambda root, name=name: (root / name).unlink()


def to_journals(folder: Path) -> Iterator[Damage]:
    for file in sorted(folder.glob("journal.*")):
        for what, content in journals.damaged(file.read_bytes()):
            yield f"{file.name}: {what}", lambda root, name=file.name, data=content: (
                root / name
            ).write_bytes(data)


@pytest.mark.parametrize("moment", [FIRST_PARTIALS, FIRST_SHARDS, BEFORE_COMMIT], ids=str)
@pytest.mark.parametrize("damages", [to_files, to_journals])
def test_what_is_damaged_is_made_again(
    damages: Callable[[Path], Iterator[Damage]], moment: Injection, tally: Tally,
    stands: Callable[[str], list[Stand]], fault_library: Path, scaled: Callable[[int, int], int],
) -> None:
    both = stands("objects")
    kept = {stand.root: kill(stand, fault_library, moment) for stand in both}
    cases = {stand.root: list(damages(stage(stand))) for stand in both}

    def damage(stand: Stand, number: int) -> list[str]:
        stand.reset(kept[stand.root])
        all_cases = cases[stand.root]
        what, harm = all_cases[min(number, len(all_cases)) - 1]
        harm(stage(stand))
        return [f"{what}: {problem}" for problem in stand.unfinished()]

    numbers = picked(max(map(len, cases.values())), scaled(20, faults.NEVER))
    done = list(Sweep(both, fault_library, 0).in_parallel(damage, numbers))
    problems = [problem for found in done for problem in found or []]
    tally.add(f"B34-{damages.__name__}-after-{moment.operations}-{moment.nth}", "objects",
              len(done), len(problems))
    assert not problems, "\n".join(problems[:5])


def test_lost_writes_are_noticed(
    stands: Callable[[str], list[Stand]], fault_library: Path, tally: Tally,
    scaled: Callable[[int, int], int],
) -> None:
    second = faults.injector(fault_library.parent, "SECOND")
    both = stands("objects")
    folders = {}
    for stand in both:
        kill(stand, fault_library, FIRST_SHARDS)
        folders[stand.root] = stage(stand)

    def environment(stand: Stand, nth: int) -> dict[str, str]:
        other = stand.folder / "second"
        other.unlink(missing_ok=True)
        lie = Injection("write", "lie", nth).settings(folders[stand.root], stand.counter)
        end = Injection("rename", "kill", 1).settings(stand.image / "labels", other, "SECOND")
        return lie | end | {"LD_PRELOAD": f"{fault_library} {second}"}

    def lose(stand: Stand, nth: int) -> list[str] | None:
        stand.reset()
        outcome = stand.run(environment(stand, nth))
        if faults.counted(stand.counter) < nth:
            return None
        # The run itself may notice it, in the metadata of the label image.
        if outcome.code == 0:
            return [f"write {nth} lost: expected a kill\n{outcome}"]
        found = stand.problems(False, outcome.code in KILLED) + stand.unfinished()
        return [f"write {nth} lost: {problem}" for problem in found]

    both[0].reset()
    assert both[0].run(environment(both[0], faults.NEVER)).code in KILLED
    # The first is the lock: without a holder it counts as left only after a minute.
    numbers = picked(faults.counted(both[0].counter), scaled(12, faults.NEVER))[1:]
    done = list(Sweep(both, fault_library, 0).in_parallel(lose, numbers))
    problems = [problem for found in done for problem in found or []]
    tally.add("B11-write-lie", "objects", len([f for f in done if f is not None]), len(problems))
    assert not problems, "\n".join(problems[:5])


def test_a_staged_document_that_the_disk_does_not_give_back_is_still_ours(
    stands: Callable[[str], list[Stand]], fault_library: Path
) -> None:
    stand = stands("objects")[0]
    kill(stand, fault_library, BEFORE_COMMIT)
    document = stage(stand) / "out/nuclei/zarr.json"
    stand.counter.unlink()
    settings = Injection("read", "EIO", 1).settings(document, stand.counter)
    outcome = stand.run(settings | {"LD_PRELOAD": str(fault_library)})
    assert outcome.code == 74 and len(error_lines(outcome)) == 1, outcome
    assert "nuclei/zarr.json" in outcome.stderr
    assert document.exists()
    assert stand.unfinished() == []


# Another run instead


@pytest.mark.parametrize("change", ["parameter", "chunk", "time"])
def test_another_run_keeps_the_stage_of_the_first(
    change: str, stands: Callable[[str], list[Stand]], fault_library: Path, omtask: Program
) -> None:
    stand = stands("objects")[0]
    kill(stand, fault_library, FIRST_SHARDS)
    old = stage(stand)
    words = ("--threshold", "900") if change == "parameter" else None
    chunk = sorted((stand.image / "0" / "c").rglob("0"))[-1]
    if change == "chunk":
        other = next(p for p in sorted((stand.image / "0" / "c").rglob("*"))
                     if p.is_file() and p.read_bytes() != chunk.read_bytes())
        shutil.copy(other, chunk)
    elif change == "time":
        os.utime(chunk, ns=(1, 1))
    before = tree(old)
    outcome = stand.run(words=words)
    assert outcome.code == 0, outcome
    assert stand.stages() == [old]
    assert tree(old) == before
    listed = omtask("runs", stand.image)
    assert old.name in listed.stdout + listed.stderr
    # Nothing of the first run is in the result of the second.
    label = tree(stand.root / stand.scene.result)
    shutil.rmtree(stand.image / ".omtask")
    shutil.rmtree(stand.root / stand.scene.result)
    kept = (stand.original / stand.scene.list).read_bytes()
    (stand.root / stand.scene.list).write_bytes(kept)
    assert stand.run(words=words).code == 0
    assert tree(stand.root / stand.scene.result) == label


# Links

PLACES = [
    ".omtask", ".omtask/*", ".omtask/*/out", ".omtask/*/out/nuclei", ".omtask/*/out/nuclei/0",
    ".omtask/*/out/nuclei/0/c", ".omtask/*/out/nuclei/0/c/0/0/0", "labels",
    ".omtask/*/run.json", ".omtask/*/journal.0.0", ".omtask/*/partials.0.0", ".omtask/*/lock",
]
# These are replaced or read only; a link there is refused, or it is removed and leads nowhere.
HARMLESS = (".omtask/*/run.json", ".omtask/*/journal.0.0", ".omtask/*/partials.0.0")


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("moment", [FIRST_SHARDS, BEFORE_COMMIT], ids=str)
def test_links_planted_before_a_resume(
    place: str, moment: Injection, stands: Callable[[str], list[Stand]], fault_library: Path,
    tmp_path: Path,
) -> None:
    stand = stands("objects")[0]
    kill(stand, fault_library, moment)
    path = stand.image / place.replace("*", stage(stand).name)
    target = tmp_path / "elsewhere"
    shutil.move(path, target)
    before = target.read_bytes() if target.is_file() else tree(target)
    path.symlink_to(target)
    outcome = stand.run()
    assert outcome.code in ((77, 0) if place in HARMLESS else (77,)), outcome
    assert before == (target.read_bytes() if target.is_file() else tree(target))
    if outcome.code == 0:
        assert stand.difference() == []
        return
    assert len(error_lines(outcome)) == 1 and "link" in outcome.stderr, outcome
    if path.is_symlink():
        path.unlink()
        if place == "labels":
            shutil.move(target, path)
    assert stand.unfinished() == []


def test_a_link_planted_at_labels_while_running(
    stands: Callable[[str], list[Stand]], fault_library: Path, tmp_path: Path
) -> None:
    stand = stands("mask")[0]
    stand.reset()
    slow = Injection("write", "delay", 20).settings(stand.root, stand.counter)
    env = slow | {"LD_PRELOAD": str(fault_library), "FAULTFS_MS": "1500"}
    job = Job([stand.omtask.path, *stand.scene.command(stand.root)], tmp_path, env)
    try:
        until(lambda: faults.counted(stand.counter) >= 20, 30, "writes")
        target = tmp_path / "elsewhere"
        target.mkdir()
        (stand.image / "labels").symlink_to(target)
        assert job.end(30)[0] == 77, job.text()
    finally:
        job.clean_up()
    assert len(job.errors()) == 1 and "labels" in job.errors()[0], job.text()
    assert list(target.iterdir()) == []
    (stand.image / "labels").unlink()
    assert stand.unfinished() == []
