"""Nodes that are lost in the middle of a job, on a real two-node Slurm cluster."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from omtask_testing.cluster import Cluster
from omtask_testing.jobs import until
from omtask_testing.program import Program
from omtask_testing.slurm_jobs import SCRIPTS, SMALL, WORDS, Work


class Scene(Work):
    """A job on an image, slow until a node is lost."""

    def __init__(self, folder: Path, original: Path, cluster: Cluster, omtask: Program) -> None:
        super().__init__(folder, original)
        self.cluster, self.lost = cluster, folder / "lost"
        self.extra = self.slow_program(omtask, 0.3, f"[ -e {self.lost} ]")

    def send(self, script: str, *options: str) -> str:
        words = ["threshold", str(self.image), *WORDS, "--threads", "1", "--events", str(self.events)]
        return self.submit(self.cluster, *SMALL, *options, str(SCRIPTS / script), *words, extra=self.extra)

    def lose(self, node: str) -> None:
        """Cuts off a node when some regions are done."""
        self.wait_for_kept_work()
        if not self.cluster.cut_off(node):
            pytest.skip("nodes have no host names of their own here")
        self.lost.touch()
        assert not (self.image / "labels").exists()

    def batch_host(self) -> str:
        _, said = self.cluster.run("scontrol", "-o", "show", "job", self.number)
        return dict(word.split("=", 1) for word in said.split() if "=" in word)["BatchHost"]

    def goes_on(self, right: dict[str, str]) -> None:
        assert self.cluster.wait(self.number, 60) == {"0": "COMPLETED 0:0"}, self.said()
        assert "going on" in self.said()
        self.equals(right)


@pytest.fixture
def scene(tmp_path: Path, series: Path, cluster: Cluster, omtask: Program) -> Iterator[Scene]:
    yield Scene(tmp_path, series, cluster, omtask)
    cluster.revive()


def test_a_job_whose_node_is_lost_goes_on_when_it_is_queued_again(
    scene: Scene, cluster: Cluster, series_labels: dict[str, str]
) -> None:
    scene.send("run.sbatch", "--nodelist=n2")
    scene.lose("n2")
    cluster.revive()
    scene.goes_on(series_labels)


def test_ranks_go_on_where_one_of_their_nodes_was_lost(
    scene: Scene, cluster: Cluster, series_labels: dict[str, str]
) -> None:
    number = scene.send("run_mpi.sbatch", "--nodes=2", "--ntasks=2")
    scene.wait_for_kept_work()
    scene.lose({"n1": "n2", "n2": "n1"}[scene.batch_host()])
    # The job ends by itself, or Slurm queues it again: in both cases nothing is left half done.
    until(lambda: "PENDING" in cluster.run("squeue", "-h", "-o", "%T", "-j", number)[1]
          or not cluster.run("squeue", "-h", "-t", "R,CG", "-j", number)[1].strip(), 60,
          f"the end of the job\n{scene.said()}")
    assert not (scene.image / "labels").exists()
    cluster.run("scancel", number)
    # The same call on the node that is left, with other ranks.
    scene.send("run_mpi.sbatch", "--nodes=1", "--ntasks=1")
    scene.goes_on(series_labels)
