"""Nodes that are lost in the middle of a job, on a real two-node Slurm cluster."""

import shlex
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from omtask_testing import faults, samples
from omtask_testing.cluster import Cluster
from omtask_testing.jobs import until
from omtask_testing.program import Program
from omtask_testing.trees import leftovers, made_by, tree

SCRIPTS = Path(__file__).parents[2] / "Slurm"
WORDS = ("--method", "otsu", "--label-name", "nuclei", "--threads", "1")
SMALL = ("--cpus-per-task=1", "--mem-per-cpu=200M", "--time=2")
# Slow until a node was lost, so that it is lost in the middle.
SLOW = """#!/bin/bash
[ -e {lost} ] || export {settings}
exec {omtask} "$@"
"""


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("nodes") / "original.zarr"
    samples.write_series(path)
    return path


@pytest.fixture(scope="module")
def right(omtask: Program, original: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The files that an undisturbed process leaves."""
    return made_by(omtask, original, tmp_path_factory.mktemp("right"), "threshold", *WORDS)


class Scene:
    """A job on an image, which waits for a node to be lost."""

    def __init__(self, folder: Path, original: Path, cluster: Cluster, omtask: Program) -> None:
        self.cluster, self.folder = cluster, folder
        self.image = Path(shutil.copytree(original, folder / "image.zarr"))
        self.lost, self.log, self.events = folder / "lost", folder / "job.log", folder / "events"
        slow = faults.delayed(faults.injector(folder), self.image / "0" / "c", 0.3)
        settings = " ".join(f"{key}={shlex.quote(value)}" for key, value in slow.items())
        program = folder / "program"
        program.write_text(SLOW.format(lost=self.lost, settings=settings, omtask=omtask.path))
        program.chmod(0o755)
        self.extra = {"OMTASK": str(program)}

    def submit(self, script: str, *options: str) -> str:
        words = ["threshold", str(self.image), *WORDS, "--events", str(self.events)]
        return self.cluster.submit(
            f"--output={self.log}", *SMALL, *options, str(SCRIPTS / script), *words, extra=self.extra)

    def lose(self, node: str) -> None:
        """Cuts off a node when some regions are done."""
        until(self.is_at_work, 60, f"progress\n{self.said()}")
        if not self.cluster.cut_off(node):
            pytest.skip("nodes have no host names of their own here")
        self.lost.touch()
        assert not (self.image / "labels").exists()

    def is_at_work(self) -> bool:
        return self.events.exists() and '"progress"' in self.events.read_text()

    def said(self) -> str:
        return self.log.read_text() if self.log.exists() else ""

    def batch_host(self, number: str) -> str:
        _, said = self.cluster.run("scontrol", "-o", "show", "job", number)
        return dict(word.split("=", 1) for word in said.split() if "=" in word)["BatchHost"]


@pytest.fixture
def scene(
    tmp_path: Path, original: Path, cluster: Cluster, omtask: Program
) -> Callable[[], Scene]:
    yield Scene(tmp_path, original, cluster, omtask)
    cluster.revive()


def test_a_job_whose_node_is_lost_goes_on_when_it_is_queued_again(
    scene: Scene, cluster: Cluster, right: dict[str, str]
) -> None:
    number = scene.submit("run.sbatch", "--nodelist=n2")
    scene.lose("n2")
    cluster.revive()
    assert cluster.wait(number, 60) == {"0": "COMPLETED 0:0"}, scene.said()
    assert "going on" in scene.said()
    assert tree(scene.image) == right and leftovers(scene.image) == []


def test_ranks_go_on_where_one_of_their_nodes_was_lost(
    scene: Scene, cluster: Cluster, right: dict[str, str]
) -> None:
    number = scene.submit("run_mpi.sbatch", "--nodes=2", "--ntasks=2")
    until(scene.is_at_work, 60, f"progress\n{scene.said()}")
    other = {"n1": "n2", "n2": "n1"}[scene.batch_host(number)]
    scene.lose(other)
    # The job ends by itself, or Slurm queues it again: in both cases nothing is left half done.
    until(lambda: "PENDING" in cluster.run("squeue", "-h", "-o", "%T", "-j", number)[1]
          or not cluster.run("squeue", "-h", "-t", "R,CG", "-j", number)[1].strip(), 60,
          f"the end of the job\n{scene.said()}")
    assert not (scene.image / "labels").exists()
    cluster.run("scancel", number)
    # The same call on the node that is left, with other ranks.
    again = scene.submit("run_mpi.sbatch", "--nodes=1", "--ntasks=1")
    assert cluster.wait(again, 60) == {"0": "COMPLETED 0:0"}, scene.said()
    assert "going on" in scene.said()
    assert tree(scene.image) == right and leftovers(scene.image) == []
