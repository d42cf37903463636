"""The page on HyperQueue: parts of an image on workers, and what is told of those that fail."""

import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from omtask_testing import engines, pages, samples
from omtask_testing.program import Program, environment
from omtask_testing.trees import leftovers, tree

# In the place of `hq`, which the package does not bring: starts the tasks of an array.
HQ = """#!/bin/bash
[ "$1 $2 $3 $4 $5 $6 $7" = "submit --wait --array 0-3 --cpus 1 --" ] || exit 2
shift 7
for task in 2 0 3 1; do HQ_TASK_ID=$task "$@" & done
for task in 1 2 3 4; do wait -n || exit 1; done
"""
# The server listens on all addresses; in a network of its own there are none but the loopback.
ALONE = ["unshare", "--net", "bash", "-c", 'ip link set lo up && exec "$@"', "alone"]


@pytest.fixture
def work(tmp_path: Path) -> Path:
    """A folder with an image and what the page has to be saved."""
    samples.write_series(tmp_path / "big image.zarr", 12)
    (tmp_path / "parts.py").write_text(pages.blocks("hyperqueue.md", "python")[0])
    (tmp_path / "hq").write_text(HQ)
    (tmp_path / "hq").chmod(0o755)
    return tmp_path


@pytest.fixture
def run(work: Path, omtask: Program) -> Callable[..., tuple[int, str]]:
    """Runs a command of the page: its exit code, and all it said."""
    if subprocess.run([*ALONE, "true"], capture_output=True).returncode != 0:
        pytest.skip("no network namespaces, without which HyperQueue listens on all addresses")
    python = engines.python("hyperqueue")
    path = f"{work}:{omtask.path.parent}:{python.parent}:{os.environ['PATH']}"

    def call(command: str) -> tuple[int, str]:
        done = subprocess.run(
            [*ALONE, "bash", "-euo", "pipefail", "-c", command], cwd=work, timeout=60, text=True,
            env=environment({"PATH": path, "TMPDIR": str(work)}), stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT)
        return done.returncode, done.stdout

    return call


def test_every_command_of_the_page_makes_what_one_process_makes(
    work: Path, run: Callable[..., tuple[int, str]], omtask: Program
) -> None:
    image = work / "big image.zarr"
    shutil.copytree(image, work / "alone.zarr")
    commands = pages.blocks("hyperqueue.md")
    assert len(commands) == 2
    for command, label in zip(commands, ("nuclei", "cells"), strict=True):
        code, said = run(command)
        assert code == 0, said
        parameters = {"method": "otsu", "label_name": label}
        omtask.run("threshold", work / "alone.zarr", parameters=parameters)
        assert tree(image) == tree(work / "alone.zarr")
    assert leftovers(image) == []


def test_a_part_that_fails_is_told_and_the_same_command_repairs(
    work: Path, run: Callable[..., tuple[int, str]], request: pytest.FixtureRequest
) -> None:
    if not request.config.getoption("--acceptance"):
        pytest.skip("failing parts of HyperQueue (--acceptance)")
    chunk = work / "big image.zarr/0/c/7/0/0"
    sound = chunk.read_bytes()
    chunk.write_bytes(sound[:20])
    (command, _) = pages.blocks("hyperqueue.md")
    code, said = run(command)
    assert code == 1 and "Task part " in said and "exit code 65" in said, said
    assert said.count("exit code 65") == 1
    assert any("0/c/7/0/0" in log.read_text() for log in work.glob("part-*.log"))
    assert not (work / "big image.zarr/labels").exists()
    # What is missing is named.
    code, said = run('omtask finalize threshold "big image.zarr" --method otsu --label-name nuclei')
    assert code == 66 and "missing: part 2/4" in said, said
    chunk.write_bytes(sound)
    os.utime(chunk)
    code, said = run(command)
    assert code == 0, said
    assert (work / "big image.zarr/labels/nuclei").exists()
