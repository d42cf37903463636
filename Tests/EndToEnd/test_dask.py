"""The page on Dask: one call of omtask for each image, on workers here and in jobs of Slurm."""

import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from omtask_testing import engines, pages, samples
from omtask_testing.cluster import Cluster
from omtask_testing.program import Program, environment
from omtask_testing.trees import tree

NAMES = ("first.zarr", "second image.zarr")
# As omtask, but a server does not answer at the first call for an image.
FLAKY = """#!/bin/bash
[ -e "{folder}/$(basename "$3")" ] || {{ touch "{folder}/$(basename "$3")"; exit 69; }}
exec {omtask} "$@"
"""


@pytest.fixture
def work(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """A folder with two images and what the page has to be saved."""
    if not request.config.getoption("--acceptance"):
        pytest.skip("workers of Dask take seconds to start (--acceptance)")
    for number, name in enumerate(NAMES):
        samples.write_blobs(tmp_path / name, samples.BOTH[number], np.random.default_rng(number))
    script = pages.blocks("dask.md", "python")[0]
    assert script.count("(10, 20, None)") == 1
    (tmp_path / "images.py").write_text(script.replace("(10, 20, None)", "(0, 0, None)"))
    return tmp_path


@pytest.fixture
def run(work: Path, omtask: Program) -> Callable[..., tuple[int, str]]:
    """Runs a command: its exit code, and all it said."""
    python = engines.python("dask")

    def call(command: str, first: Path = omtask.path.parent) -> tuple[int, str]:
        path = f"{first}:{python.parent}:{os.environ['PATH']}"
        done = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", command], cwd=work, timeout=120, text=True,
            env=environment({"PATH": path}), stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        return done.returncode, done.stdout

    return call


def directly(work: Path, omtask: Program) -> dict[str, dict[str, str]]:
    """What omtask by itself makes of the images."""
    made = {}
    for name in NAMES:
        shutil.copytree(work / name, work / "alone" / name)
        omtask.run(
            "threshold", work / "alone" / name, parameters={"method": "otsu", "label_name": "nuclei"})
        made[name] = tree(work / "alone" / name)
    return made


def test_the_command_of_the_page_makes_what_direct_calls_make(
    work: Path, run: Callable[..., tuple[int, str]], omtask: Program
) -> None:
    ought = directly(work, omtask)
    (command,) = pages.blocks("dask.md")
    flaky = work / "flaky"
    flaky.mkdir()
    (flaky / "omtask").write_text(FLAKY.format(folder=flaky, omtask=omtask.path))
    (flaky / "omtask").chmod(0o755)
    code, said = run(command, flaky)
    assert code == 0, said
    assert sorted(said.splitlines()[-2:]) == [f"{name}: done" for name in NAMES], said
    assert {name: tree(work / name) for name in NAMES} == ought
    # An image that is not there does not stop the others, and those that are done stay.
    code, said = run(command.replace("first.zarr", "no.zarr first.zarr"))
    assert code == 1 and "no.zarr: failed with 66: omtask: error[missing]" in said, said
    assert said.count(": done") == 2
    assert {name: tree(work / name) for name in NAMES} == ought


def test_workers_in_jobs_of_slurm(
    work: Path, run: Callable[..., tuple[int, str]], omtask: Program, cluster: Cluster
) -> None:
    ought = directly(work, omtask)
    script = (work / "images.py").read_text()
    start, end = script.index("    with LocalCluster("), script.index("        # Without `pure=False`")
    # All nodes are this machine, and nobody else shall hear the scheduler.
    jobs = pages.blocks("dask.md", "python")[1].replace(
        "n_workers=2,", 'n_workers=2, interface="lo", scheduler_options={"dashboard_address": None},')
    (work / "images.py").write_text(script[:start] + jobs + script[end:])
    (command,) = pages.blocks("dask.md")
    path = f"{omtask.path.parent}:{engines.python('dask').parent}:{os.environ['PATH']}"
    code, said = cluster.run("bash", "-c", f"cd '{work}'; {command}", extra={"PATH": path})
    assert code == 0, said
    assert {name: tree(work / name) for name in NAMES} == ought
    _, jobs = cluster.run("squeue", "-h", "-t", "all", "-o", "%j")
    assert jobs.split() == ["dask-worker"] * 2
