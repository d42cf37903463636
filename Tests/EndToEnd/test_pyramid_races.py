"""`pyramid` while other runs work at the same image: nobody gets levels of voxels that are gone."""

import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest

from omtask_testing.faults import injected
from omtask_testing.images import Image, downsampled, write_image
from omtask_testing.program import Program, environment
from omtask_testing.reading import read_multiscale
from omtask_testing.scenes import SHARDED, V2
from omtask_testing.trees import leftovers

NAME = "spots"
OLD, NEW = ("--threshold", "30"), ("--threshold", "45")
LEVELS = ("--levels", "3", "--factors", "2", "--method", "median")


@pytest.fixture(params=[SHARDED, V2], ids=["v3", "v2"])
def image(request: pytest.FixtureRequest, omtask: Program, tmp_path: Path) -> Path:
    """An image of two levels with a label image."""
    data = np.random.default_rng(4).integers(0, 60, size=(10, 128, 128)).astype(np.uint16)
    path = write_image(
        tmp_path / "image.zarr", Image("zyx", downsampled("zyx", data, 2), request.param))
    omtask("run", "threshold", path, *OLD, "--objects", "false", "--label-name", NAME)
    return path


@contextmanager
def meanwhile(
    omtask: Program, *words: str | Path, env: dict[str, str]
) -> Iterator[Callable[[], tuple[int, str]]]:
    """A slow run at work; gives what waits for its exit code and its messages."""
    call = [str(word) for word in (omtask.path, *words, "--threads", "1", "--progress", "none")]
    with subprocess.Popen(
            call, env=environment(env), stderr=subprocess.PIPE, text=True) as process:

        def ended() -> tuple[int, str]:
            errors = process.communicate(timeout=60)[1]
            return process.returncode, errors

        try:
            yield ended
        finally:
            process.kill()


def mode(levels: list[np.ndarray]) -> list[np.ndarray]:
    """Levels made of the finest by the mode, as tensorstore makes them."""
    import tensorstore

    made = [levels[0]]
    while len(made) < len(levels):
        made.append(np.asarray(tensorstore.downsample(
            tensorstore.array(made[-1]), [2, 2, 2], "mode").read().result()))
    return made


@pytest.mark.parametrize("renames", [1, 2, 3, 4, 6, 8])
def test_a_label_image_is_replaced(omtask: Program, image: Path, renames: int) -> None:
    """Whenever that happens: its levels are those of its own voxels."""
    label = image / "labels" / NAME
    slow = injected(image, "rename", "delay", nth=renames, ms=500)
    with meanwhile(omtask, "run", "pyramid", image, *LEVELS, env=slow) as ended:
        time.sleep(0.25)
        omtask("run", "threshold", image, *NEW, "--objects", "false", "--label-name", NAME,
               "--overwrite", "--lock-wait", "30")
        code, errors = ended()
    assert code in (0, 75), errors
    omtask("run", "pyramid", image, *LEVELS)
    finest = read_multiscale(image).levels[0] > 45
    levels = read_multiscale(label).levels
    assert np.array_equal(levels[0] != 0, finest)
    assert len(levels) == 3
    for level, expected in zip(levels, mode(levels), strict=True):
        assert np.array_equal(level, expected)
    assert leftovers(image.parent) == []


def test_a_label_image_that_another_program_replaces(omtask: Program, image: Path) -> None:
    """Copied over by hand, without a lock: the levels of the one before do not get into it."""
    label, other = image / "labels" / NAME, image.parent / "other"
    omtask("run", "threshold", image, *NEW, "--objects", "false", "--output", other)
    slow = injected(image, "rename", "delay", nth=1, ms=800)
    with meanwhile(omtask, "run", "pyramid", image, *LEVELS, env=slow) as ended:
        time.sleep(0.4)
        label.rename(image.parent / "old")
        other.rename(label)
        code, errors = ended()
    assert code == 75
    assert "another program" in errors and "run the command again" in errors
    assert len(read_multiscale(image).levels) == 2
    assert len(read_multiscale(label).levels) == 2
    assert {path.name for path in label.iterdir() if path.is_dir()} == {"0", "1"}
    omtask("run", "pyramid", image, *LEVELS)
    levels = read_multiscale(label).levels
    assert all(map(np.array_equal, levels, mode(levels)))


@pytest.mark.parametrize("words", [
    ("convert", "--output", "{}/copy.zarr"),
    ("threshold", *NEW, "--level", "1", "--label-name", "coarse"),
    ("threshold", *NEW, "--level", "1", "--label-name", "coarse", "--part", "1/2"),
], ids=["convert", "threshold", "part"])
def test_a_reader_of_a_level_that_goes(
    omtask: Program, image: Path, tmp_path: Path, words: tuple[str, ...]
) -> None:
    """It says so: chunks that went are no fill value."""
    task, *rest = (word.format(tmp_path) for word in words)
    rest = ["run", task, str(image), *rest]
    chunks = next(path for path in (image / "1").iterdir() if path.is_dir())
    slow = injected(chunks, "read", "delay", nth=1, every=1, ms=1000)
    with meanwhile(omtask, *rest, env=slow) as ended:
        time.sleep(0.3)
        omtask("run", "pyramid", image, *LEVELS)
        code, errors = ended()
    assert code == 75, errors
    assert "replaced or removed" in errors and str(image / "1") in errors
    assert "goes on from there" not in errors
    assert not (tmp_path / "copy.zarr").exists()
    assert not (image / "labels" / "coarse").exists()
    omtask(*rest)


def test_cleaning_while_levels_change(omtask: Program, image: Path) -> None:
    """What a killed run left is not settled under the hands of another one."""
    for kill in range(4, 12):
        omtask("run", "pyramid", image, *LEVELS[:4], "--method", "min", expect=None,
               env=injected(image, "rename", "kill_after", nth=kill))
        slow = injected(image, "rename", "delay", nth=2, every=1, ms=60)
        with meanwhile(omtask, "run", "pyramid", image, *LEVELS, env=slow) as ended:
            for _ in range(4):
                omtask("clean", image, expect=None)
                time.sleep(0.1)
            code, errors = ended()
        assert code in (0, 75), errors
        omtask("run", "pyramid", image, *LEVELS)
        omtask("clean", image)
        levels = read_multiscale(image).levels
        assert [level.shape for level in levels] == [(10, 128, 128), (5, 64, 64), (3, 32, 32)]
        folders = {path.name for path in image.iterdir() if path.is_dir()} - {"labels"}
        assert len(folders) == 3
        assert leftovers(image.parent) == []
