"""The launch table on a real two-node Slurm cluster."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from omtask_testing import samples
from omtask_testing.cluster import Cluster
from omtask_testing.places import shared
from omtask_testing.program import Program
from omtask_testing.trees import tree

WORDS = ("--method", "otsu", "--label-name", "nuclei", "--threads", "1")


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    script = shared("engines/start_slurm.sh")
    if script is None:
        pytest.skip("no ../shared/engines/start_slurm.sh")
    if os.geteuid() != 0:
        pytest.skip("the test cluster needs root")
    started = Cluster.start(script, tmp_path_factory.mktemp("slurm") / "slurm-test")
    try:
        yield started
    finally:
        started.stop()


@pytest.fixture
def original(tmp_path: Path, rng: np.random.Generator) -> Path:
    path = tmp_path / "original.zarr"
    samples.write_blobs(path, samples.SHARDED, rng, shape=(40, 70, 80))
    return path


@pytest.fixture
def image(tmp_path: Path, original: Path) -> Path:
    return Path(shutil.copytree(original, tmp_path / "job" / "image.zarr"))


@pytest.fixture
def right(omtask: Program, tmp_path: Path, original: Path) -> dict[str, str]:
    """The files that every way to start the job must leave."""
    copy = tmp_path / "right" / "image.zarr"
    shutil.copytree(original, copy)
    omtask("run", "threshold", copy, *WORDS)
    return tree(copy)


def job(omtask: Program, image: Path) -> str:
    return " ".join([str(omtask.path), "run", "threshold", str(image), *WORDS])


@pytest.mark.parametrize(
    ("options", "launch"),
    [
        (["-N2", "-n2"], "mpirun --bind-to none"),
        (["-N2", "-n4"], "srun --mpi=pmix"),
        (["-N1", "-n2"], "mpirun --bind-to none"),
        (["-N1", "-n1"], ""),
        (["-N1", "-n1"], "srun"),
    ],
    ids=str,
)
def test_a_batch_job_writes_the_right_files(
    options: list[str], launch: str, cluster: Cluster, omtask: Program, image: Path,
    right: dict[str, str], tmp_path: Path,
) -> None:
    code, said = cluster.batch(tmp_path / "job.log", options, f"{launch} {job(omtask, image)}")
    assert code == 0, said
    assert tree(image) == right, said


@pytest.mark.parametrize(
    "launch", [["srun", "--mpi=pmix", "-N2", "-n2"], ["srun", "-n1"]], ids=" ".join
)
def test_srun_writes_the_right_files(
    launch: list[str], cluster: Cluster, omtask: Program, image: Path, right: dict[str, str]
) -> None:
    code, said = cluster.run(*launch, *job(omtask, image).split())
    assert code == 0, said
    assert tree(image) == right, said


def test_srun_of_two_without_pmix_is_refused(
    cluster: Cluster, omtask: Program, image: Path
) -> None:
    before = tree(image)
    code, said = cluster.run("srun", "-n2", *job(omtask, image).split())
    assert code == 64, said
    assert "--mpi=pmix" in said
    assert tree(image) == before


def test_an_error_has_the_same_code_through_srun(
    cluster: Cluster, omtask: Program, tmp_path: Path
) -> None:
    absent = job(omtask, tmp_path / "absent.zarr").split()
    code, said = cluster.run("srun", "--mpi=pmix", "-N2", "-n2", *absent)
    assert code == 66, said
