"""Killed at any moment, a run goes on where it was: equal bytes, nothing left over, little done twice."""

import json
import os
import random
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest

from omtask_testing import faults
from omtask_testing.images import Image, downsampled, write_image
from omtask_testing.layouts import ZSTD, Layout
from omtask_testing.memory import processes_named
from omtask_testing.places import open_to_all
from omtask_testing.program import Program, environment, mpirun
from omtask_testing.trees import leftovers, tree

KINDS = {
    "mask": ["--threshold", "1100", "--no-objects"],
    "objects": ["--method", "otsu"],
    "planes": ["--method", "otsu", "--scope", "plane"],
}
LAYOUT = Layout("shards", "0.5", (8, 64, 64), (2, 2, 2), (ZSTD,))


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An image of two dozen regions, with objects that cross them, and ragged edges."""
    rng = np.random.default_rng(7)
    coarse = rng.integers(0, 2200, size=(6, 41, 53)).astype(np.uint16)
    data = np.kron(coarse, np.ones((7, 18, 18), np.uint16))[:40, :700, :900]
    data += rng.integers(0, 60, size=data.shape, dtype=np.uint16)
    path = tmp_path_factory.mktemp("resume") / "original.zarr"
    write_image(path, Image("zyx", downsampled("zyx", data, 3), LAYOUT))
    return path


@pytest.fixture(scope="module")
def right(
    omtask: Program, original: Path, tmp_path_factory: pytest.TempPathFactory
) -> dict[str, tuple[dict[str, str], float]]:
    """For each kind of run the files that an undisturbed one leaves, and how long it takes."""
    found = {}
    for kind, words in KINDS.items():
        copy = tmp_path_factory.mktemp(kind) / "image.zarr"
        shutil.copytree(original, copy)
        outcome = omtask("run", "threshold", copy, *words, "--threads", "2")
        found[kind] = tree(copy), outcome.seconds
    return found


@pytest.fixture
def image(original: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(original, tmp_path / "image.zarr"))


def command(omtask: Program, image: Path, ranks: int, *words: str) -> list[str]:
    threads = "2" if ranks == 1 else "1"
    launcher = mpirun(ranks) if ranks > 1 else []
    return [*launcher, str(omtask.path), "run", "threshold", str(image), *words,
            "--threads", threads, "--progress", "none"]


def killed(
    words: Sequence[str], seconds: float, number: int, env: dict[str, str] | None = None,
    working: Path | None = None,
) -> None:
    """Starts a command and sends a signal to all its processes after some time.

    With `working` the time counts from the first note in a journal of that image on.
    """
    before = noted(working)
    process = subprocess.Popen(
        words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=environment(env),
        start_new_session=True,
    )
    while working and noted(working) <= before and process.poll() is None:
        time.sleep(0.002)
    time.sleep(seconds)
    # Open MPI gives ranks process groups of their own, and passes TERM on a second later; a scheduler
    # sends it to all of them.
    ranks = processes_named("omtask", process.pid)
    launcher = [process.pid] if number == signal.SIGKILL or not ranks else []
    for pid in [*ranks, *launcher]:
        try:
            os.kill(pid, number)
        except ProcessLookupError:
            pass
    process.wait(30)


def noted(image: Path | None) -> int:
    """The bytes of all journals of unfinished runs."""
    sizes = 0
    for path in image.glob(".omtask/*/journal.*") if image else []:
        try:
            sizes += path.stat().st_size
        except FileNotFoundError:
            pass
    return sizes


def resumed(text: str) -> tuple[int, int] | None:
    """How much of a run was done before, by its events."""
    for line in text.splitlines():
        if line.startswith("{") and (event := json.loads(line))["event"] == "resume":
            return event["done"], event["total"]
    return None


def nothing_half(image: Path) -> None:
    """What a reader that follows metadata sees is complete."""
    listed = image / "labels" / "zarr.json"
    if listed.exists():
        for name in json.loads(listed.read_text())["attributes"]["ome"]["labels"]:
            assert (image / "labels" / name / "zarr.json").exists()


@pytest.mark.parametrize("ranks", [1, 3])
@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM], ids=["KILL", "TERM"])
def test_whenever_it_is_killed_the_same_command_finishes(
    omtask: Program, image: Path, original: Path, right: dict, rng: np.random.Generator,
    scaled: Callable[[int, int], int], number: int, ranks: int,
) -> None:
    chance = random.Random(int(rng.integers(1 << 30)))
    went_on = 0
    for round_number in range(scaled(5, 200)):
        kind = chance.choice(list(KINDS)) if round_number else "objects"
        expected, seconds = right[kind]
        for kill in range(chance.randint(1, 3)):
            # Some while they start, most while they work; the first round as soon as they do.
            first = round_number == kill == 0
            working = image if first or chance.random() < 0.8 else None
            wait = 0 if first else chance.uniform(0, seconds)
            killed(
                command(omtask, image, ranks, *KINDS[kind]), wait, number, working=working)
            nothing_half(image)
        words = command(omtask, image, ranks, *KINDS[kind], "--events", "-")
        done = subprocess.run(words, capture_output=True, text=True, env=environment())
        assert done.returncode == 0, f"round {round_number}, {kind}\n{done.stderr}"
        assert tree(image) == expected, f"round {round_number}, {kind}"
        went_on += resumed(done.stdout) is not None
        shutil.rmtree(image / "labels")
        assert tree(image) == tree(original)
    assert went_on > 0


def test_at_most_one_region_per_worker_is_done_twice_for_each_kill(
    omtask: Program, image: Path, right: dict, rng: np.random.Generator, tmp_path: Path
) -> None:
    expected, seconds = right["objects"]
    chance = random.Random(int(rng.integers(1 << 30)))

    def run(log: Path, stop: float | None) -> None:
        env = faults.injected(image / "0" / "c", "read", "delay", nth=1 << 40, log=log)
        words = command(omtask, image, 1, *KINDS["objects"])
        if stop is None:
            subprocess.run(words, check=True, capture_output=True, env=environment(env))
        else:
            killed(words, stop, signal.SIGKILL, env, image)

    def reads(log: Path) -> int:
        return len(log.read_text().splitlines()) if log.exists() else 0

    run(tmp_path / "whole", None)
    whole = reads(tmp_path / "whole")
    shutil.rmtree(image / "labels")
    kills = 4
    for kill in range(kills):
        run(tmp_path / f"part{kill}", chance.uniform(0, 0.3) * seconds)
    run(tmp_path / "rest", None)
    assert tree(image) == expected
    plan = json.loads(omtask("plan", "threshold", image, *KINDS["mask"], "--label-name", "other",
                             "--json").stdout)
    regions = len(plan["images"][0]["passes"][0]["regions"])
    # The voxels are read twice, for the histogram and for the objects; two workers at most are in a
    # region when the run is killed.
    most = -(-whole // (2 * regions)) * 2
    again = sum(reads(log) for log in tmp_path.glob("part*")) + reads(tmp_path / "rest") - whole
    assert again <= kills * 2 * most, (again, whole, regions)


@pytest.mark.parametrize("kind", ["mask", "objects"])
def test_other_numbers_of_ranks_and_other_builds_go_on(
    omtask: Program, image: Path, right: dict, tmp_path: Path, kind: str
) -> None:
    expected, seconds = right[kind]
    other = Program(tmp_path / "omtask", tmp_path)
    shutil.copy(omtask.path, other.path)
    subprocess.run(["strip", other.path], check=True)
    assert other.path.read_bytes() != omtask.path.read_bytes()
    for program, ranks in ((omtask, 4), (omtask, 2), (other, 1), (omtask, 1)):
        killed(command(program, image, ranks, *KINDS[kind]), 0.1 * seconds, signal.SIGKILL,
               working=image)
    words = command(other, image, 3, *KINDS[kind], "--events", "-")
    done = subprocess.run(words, capture_output=True, text=True, env=environment())
    assert done.returncode == 0, done.stderr
    assert tree(image) == expected
    if (found := resumed(done.stdout)) is not None:
        assert 0 < found[0] <= found[1]


def test_fresh_begins_anew(omtask: Program, image: Path, right: dict) -> None:
    expected, _ = right["objects"]
    for _ in range(20):
        killed(command(omtask, image, 1, *KINDS["objects"]), 0, signal.SIGKILL, working=image)
        if noted(image):
            break
        shutil.rmtree(image / "labels", ignore_errors=True)
    outcome = omtask("run", "threshold", image, *KINDS["objects"], "--fresh", "--events", "-")
    assert resumed(outcome.stdout) is None
    assert tree(image) == expected


def test_another_user_of_the_group_goes_on(
    omtask: Program, image: Path, right: dict, tmp_path: Path
) -> None:
    if os.geteuid() != 0:
        pytest.skip("only root can become two users")
    expected, _ = right["objects"]
    open_to_all(tmp_path)
    program = Program(tmp_path / "omtask", tmp_path)
    shutil.copy(omtask.path, program.path)
    for path in [image, *image.rglob("*")]:
        os.chown(path, 4001, 5000)
        path.chmod(0o2775 if path.is_dir() else 0o664)

    def as_user(number: int) -> list[str]:
        user = ["setpriv", f"--reuid={number}", "--regid=5000", "--clear-groups"]
        shell = ["sh", "-c", 'umask 002; exec "$@"', "sh"]
        return [*user, *shell, *command(program, image, 1, *KINDS["objects"])]

    killed(as_user(4001), 0, signal.SIGKILL, working=image)
    done = subprocess.run(as_user(4002), capture_output=True, text=True, env=environment())
    assert done.returncode == 0, done.stderr
    assert tree(image) == expected
    assert not leftovers(image)
