"""Faults and kills at every call of `pyramid`: an image has its old or its new levels, never a part of
them, and the same command then reaches the files of an undisturbed run."""

import threading
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from omtask_testing import faults
from omtask_testing.level_scenes import SCENES, LevelStand, paths, read_settled, same
from omtask_testing.program import Program
from omtask_testing.reading import read_multiscale
from omtask_testing.sweeps import KILLED, Row, Sweep, Tally
from omtask_testing.trees import leftovers, tree

# Every step at which the disk changes.
STEPS = "rename,unlink,mkdir,link,write,fsync"
ROWS = [
    Row("B04", STEPS, "EIO", (74, 0)),
    Row("B08", "write", "torn", KILLED),
    Row("B32", STEPS, "kill", KILLED),
    Row("B32", STEPS, "kill_after", KILLED),
    Row("B32", "rename", "kill", KILLED),
    Row("B32", "rename", "kill_after", KILLED),
]


@pytest.fixture(scope="session")
def level_stands(
    omtask: Program, tmp_path_factory: pytest.TempPathFactory
) -> Callable[[str], list[LevelStand]]:
    """The stands of a scene, made when it is first played."""
    made: dict[str, list[LevelStand]] = {}

    def of(name: str) -> list[LevelStand]:
        if name not in made:
            folder = tmp_path_factory.mktemp(name)
            SCENES[name].prepare(omtask, folder / "original")
            made[name] = [
                LevelStand(omtask, SCENES[name], folder / "original", folder / str(number))
                for number in range(2)
            ]
        return made[name]

    return of


@pytest.mark.sweep(2)
@pytest.mark.parametrize("row", ROWS, ids=str)
@pytest.mark.parametrize("scene", SCENES)
def test_old_or_new_levels(
    scene: str, row: Row, level_stands: Callable[[str], list[LevelStand]], fault_library: Path,
    tally: Tally, scaled: Callable[[int, int], int],
) -> None:
    most = scaled(3 if scene == "levels-ranks" else 8, 25 if scene == "levels-ranks" else faults.NEVER)
    injections, violations = Sweep(level_stands(scene), fault_library, most)(row)
    tally.add(str(row), scene, injections, len(violations))
    assert injections > 0
    assert not violations, "\n".join(violations[:5])


@pytest.mark.parametrize("scene", ["levels-small", "levels-consolidated-v2"])
def test_kills_around_every_rename_that_is_cleaned_up(
    scene: str, level_stands: Callable[[str], list[LevelStand]], fault_library: Path,
    scaled: Callable[[int, int], int],
) -> None:
    """`clean` leaves no level that nobody lists, and takes none that somebody does."""
    stand = level_stands(scene)[0]
    row = Row("B32", "rename", "kill_after", KILLED)
    sweep = Sweep([stand], fault_library, 0)
    count = sweep.count(row)
    states = set()
    for nth in range(max(1, count - scaled(14, count)), count + 1):
        stand.reset()
        stand.run(sweep.environment(stand, row, row.injection(nth)))
        stand.omtask("clean", stand.image)
        assert stand.problems(False, was_killed=True) == []
        assert leftovers(stand.root) == []
        now = {name for name in tree(stand.image) if not name.startswith("labels/")}
        levels = {Path(name).parts[0] for name in now if "/" in name}
        assert levels == set(paths(stand.image)), nth
        states.add(tuple(paths(stand.image)))
        assert stand.unfinished() == [] or len(states) > 1
    assert len(states) == 2


def test_a_reader_at_work_never_sees_a_part(
    omtask: Program, level_stands: Callable[[str], list[LevelStand]]
) -> None:
    stand = level_stands("levels-small")[0]
    stand.reset()
    old = read_multiscale(stand.image).levels
    stop, seen, wrong = threading.Event(), [], []

    def look() -> None:
        known = {"old": old}
        while not stop.is_set():
            levels = read_settled(stand.image)
            if len(levels) == 3:
                known.setdefault("new", levels)
            name = next((name for name in known if same(levels, known[name])), None)
            (seen if name else wrong).append(name)

    thread = threading.Thread(target=look)
    thread.start()
    # Back and forth between two and three levels.
    for levels in (3, 2, 3, 2, 3):
        method = "median" if levels == 3 else "stride"
        omtask("run", "pyramid", stand.image, "--levels", levels, "--factors", "2", "--method", method)
    stop.set()
    thread.join()
    assert not wrong
    assert {"old", "new"} <= set(seen)
    assert same(read_multiscale(stand.image).levels[:1], old[:1])


def test_another_run_on_the_same_image_settles_what_one_left(
    omtask: Program, level_stands: Callable[[str], list[LevelStand]], fault_library: Path
) -> None:
    stand = level_stands("levels-small")[0]
    row = Row("B32", "rename", "kill_after", KILLED)
    sweep = Sweep([stand], fault_library, 0)
    count = sweep.count(row)
    for nth in range(max(1, count - 10), count + 1):
        stand.reset()
        stand.run(sweep.environment(stand, row, row.injection(nth)))
        other = [*stand.scene.command(stand.root), "--from-base"]
        omtask(*other)
        # The first one again: only its levels are there in the end.
        assert stand.run().code == 0
        assert same(read_multiscale(stand.image).levels, stand._new["image"])
        assert leftovers(stand.root) == []
        folders = {p.name for p in stand.image.iterdir() if p.is_dir()} - {"labels"}
        assert folders == set(paths(stand.image))


def test_two_runs_at_once(
    omtask: Program, level_stands: Callable[[str], list[LevelStand]]
) -> None:
    """The same one waits for the other; another one does not spoil it."""
    stand = level_stands("levels-small")[0]
    for _ in range(3):
        stand.reset()
        commands = [stand.scene.command(stand.root), [*stand.scene.command(stand.root), "--from-base"],
                    stand.scene.command(stand.root)]
        codes: list[int] = []
        threads = [
            threading.Thread(target=lambda words=words: codes.append(omtask(*words, expect=None).code))
            for words in commands
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        # One that finds the levels changed under it says so, and may be run again.
        assert set(codes) <= {0, 75}, codes
        omtask(*commands[1])
        omtask(*commands[0])
        assert same(read_multiscale(stand.image).levels, stand._new["image"])
        assert np.array_equal(read_multiscale(stand.image).levels[0], stand._old["image"][0])
        assert leftovers(stand.root) == []
        folders = {p.name for p in stand.image.iterdir() if p.is_dir()} - {"labels"}
        assert folders == set(paths(stand.image))
