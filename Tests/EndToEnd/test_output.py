"""`--output` makes an OME-Zarr of its own, and never takes anything away that omtask did not make."""

import shutil
from pathlib import Path

import numpy as np
import pytest

from omtask_testing import faults, locks, samples
from omtask_testing.program import Program
from omtask_testing.trees import leftovers, tree


@pytest.fixture
def folder(tmp_path: Path, rng: np.random.Generator) -> Path:
    """A folder with an image, another image and a text."""
    samples.write_blobs(tmp_path / "image.zarr", samples.SHARDED, rng)
    shutil.copytree(tmp_path / "image.zarr", tmp_path / "other.zarr")
    (tmp_path / "texts").mkdir()
    (tmp_path / "texts/thesis.txt").write_text("years of work")
    return tmp_path


@pytest.mark.parametrize(
    ("output", "code"),
    [
        ("image.zarr", 77),
        ("image.zarr/0", 77),
        ("image.zarr/new", 77),
        (".", 77),
        ("other.zarr", 73),
        ("texts", 73),
        ("texts/thesis.txt", 73),
    ],
)
def test_nothing_of_others_is_replaced(
    output: str, code: int, omtask: Program, folder: Path
) -> None:
    before = tree(folder)
    place = (folder / output).resolve()
    words = ("--threshold", "300", "--output", str(place), "--overwrite")
    outcome = omtask("run", "threshold", str(folder / "image.zarr"), *words, expect=code)
    assert place.name in outcome.stderr
    assert tree(folder) == before


def test_an_own_result_is_replaced_when_asked(omtask: Program, folder: Path) -> None:
    image, place = str(folder / "image.zarr"), folder / "labels.zarr"

    def run(threshold: str, *more: str, expect: int = 0) -> None:
        words = ("--threshold", threshold, "--output", str(place), *more)
        omtask("run", "threshold", image, *words, expect=expect)

    run("300")
    first = tree(place)
    run("310", expect=73)
    assert tree(place) == first
    run("310", "--overwrite")
    assert tree(place) != first
    (place / "notes.txt").write_text("mine")
    run("320", "--overwrite", expect=73)
    assert (place / "notes.txt").read_text() == "mine"


def test_the_lock_of_a_run_that_was_killed_last_of_all_goes(
    omtask: Program, folder: Path
) -> None:
    words = ("run", "threshold", str(folder / "image.zarr"), "--threshold", "300")
    place = folder / "labels.zarr"
    omtask(*words, "--output", str(place))
    before = tree(folder)
    lock = locks.put_lock(
        folder / ".labels.zarr.omtask/place.lock", locks.holder(locks.ended_process()))
    omtask(*words, "--output", str(place))
    assert not lock.exists()
    assert tree(folder) == before


def test_a_run_that_is_killed_at_the_end_leaves_nothing(
    omtask: Program, folder: Path, tmp_path: Path
) -> None:
    words = ("run", "threshold", str(folder / "image.zarr"), "--threshold", "300")
    log = tmp_path / "log"
    everything = faults.injected(folder, "rename,link,unlink", "EIO", nth=0, log=log)
    omtask(*words, "--output", str(folder / "first.zarr"), env=everything)
    names = [Path(line.split()[3]).name for line in log.read_text().splitlines()]
    log.unlink()
    first = next(number for number, name in enumerate(names) if name.startswith("place.lock"))
    assert len(names) - first >= 5, names
    expected = tree(folder / "first.zarr")
    for number in range(first + 1, len(names) + 1):
        for fault in ("kill", "kill_after"):
            place = folder / f"at{number}-{fault}.zarr"
            injected = faults.injected(folder, "rename,link,unlink", fault, nth=number)
            killed = omtask(*words, "--output", str(place), env=injected, expect=None)
            assert killed.code == -9, killed
            omtask(*words, "--output", str(place))
            assert tree(place).keys() == expected.keys()
            assert not leftovers(folder), number
            assert not list(folder.glob(".*.omtask")), number
