"""The launch table on a real two-node Slurm cluster."""

import shutil
from pathlib import Path

import numpy as np
import pytest

from omtask_testing import faults, samples
from omtask_testing.cluster import Cluster
from omtask_testing.jobs import until
from omtask_testing.program import Program
from omtask_testing.trees import made_by, tree

WORDS = ("--method", "otsu", "--label-name", "nuclei", "--threads", "1")


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
    return made_by(omtask, original, tmp_path / "right", "threshold", *WORDS)


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


# A job that was told to stop is queued again, and its second start has no slow reads any more.
REQUEUED = """
[ -n "$SLURM_RESTART_COUNT" ] && unset LD_PRELOAD
{launch}
rc=$?
echo "ended with $rc"
[ $rc = 75 ] && scontrol requeue "$SLURM_JOB_ID"
exit $rc
"""


def test_usr1_stops_a_job_and_its_requeue_goes_on(
    cluster: Cluster, omtask: Program, tmp_path: Path
) -> None:
    library = faults.injector(tmp_path)
    original = tmp_path / "original.zarr"
    samples.write_series(original)
    image, copy = (Path(shutil.copytree(original, tmp_path / name / "image.zarr")) for name in "ab")
    omtask("run", "threshold", copy, *WORDS)
    output, events = tmp_path / "job.log", tmp_path / "events"
    launch = f"srun --mpi=pmix {job(omtask, image)} --events {events}"
    slow = faults.delayed(library, image / "0" / "c", 0.2)
    settings = ",".join(["ALL", *(f"{name}={value}" for name, value in slow.items())])
    options = ["-N2", "-n2", "--requeue", "--open-mode=append", f"--export={settings}"]
    script = REQUEUED.format(launch=launch)
    code, said = cluster.run(
        "sbatch", "--parsable", "--output", str(output), *options, "--wrap", script)
    assert code == 0, said
    number = said.split()[-1]
    until(lambda: events.exists() and '"progress"' in events.read_text(), 60, "progress")
    cluster.run("scancel", "-s", "USR1", number)
    until(lambda: "ended with 0" in output.read_text(), 120, "the second start")
    said = output.read_text()
    assert "ended with 75" in said, said
    assert said.count("error[stopped]: stopped by USR1 after") == 1, said
    assert tree(image) == tree(copy), said


def test_stop_before_asks_slurm_for_the_end(
    cluster: Cluster, omtask: Program, tmp_path: Path
) -> None:
    image = tmp_path / "image.zarr"
    samples.write_series(image)
    slow = faults.delayed(faults.injector(tmp_path), image / "0" / "c", 0.5)
    settings = ",".join(["ALL", *(f"{name}={value}" for name, value in slow.items())])
    # One minute is the least; after five seconds of it fewer than 55 are left.
    launch = ["srun", "--mpi=pmix", "-n2", "--time=1", f"--export={settings}"]
    code, said = cluster.run(*launch, *job(omtask, image).split(), "--stop-before", "55")
    assert code == 75, said
    assert "s before the end of the job" in said
