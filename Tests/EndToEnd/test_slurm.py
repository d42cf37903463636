"""The launch table: every way to start on a real two-node Slurm cluster, every way to be ended there.

The rows are in omtask_testing/launch_table.py. The job scripts of `Slurm/`, their requeues too, are in
test_slurm_scripts.py; lost nodes in test_slurm_nodes.py; the same signals without Slurm in test_stops.py.
"""

import os
import re
import shlex
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import pytest

from omtask_testing import faults
from omtask_testing.cluster import Cluster
from omtask_testing.launch_table import ENDINGS, EQUAL, LAUNCHES, Ending, Launch
from omtask_testing.program import Program
from omtask_testing.slurm_jobs import WORDS, Work
from omtask_testing.trees import tree

# What the job step of Snakemake leaves: Open MPI then takes the step for a whole job.
BARE = """#!/bin/bash
for name in $(compgen -e SLURM_); do
  case $name in SLURM_CONF | SLURM_JOBID | SLURM_JOB_ID) ;; *) unset "$name" ;; esac
done
exec "$@"
"""
ENDED = '\nrc=$?\necho "ended with $rc"\nexit $rc'
# A signal ends `wait`, not what it waits for.
TELLS = """{line} & launcher=$!
trap 'kill -USR1 $launcher' USR1
until wait $launcher; rc=$?; ! kill -0 $launcher 2>/dev/null; do :; done
(exit $rc)"""


@pytest.fixture
def work(tmp_path: Path, series: Path) -> Work:
    return Work(tmp_path, series)


def call(omtask: Program, work: Work, *words: str) -> str:
    return shlex.join([str(omtask.path), "run", "threshold", str(work.image), *WORDS, *words])


def start(
    cluster: Cluster, omtask: Program, work: Work, line: str, job: str | None, variables: dict[str, str]
) -> tuple[int, str]:
    """Types a line in a shell, or sends it as a script: what the launcher ended with, and all it said."""
    bare = work.folder / "bare"
    bare.write_text(BARE)
    bare.chmod(0o755)
    line = line.format(run=call(omtask, work), omtask=omtask.path, bare=bare)
    if job is None:
        return cluster.run("bash", "-c", line, extra=variables)
    work.submit(cluster, *job.split(), "--wrap", line, extra=variables)
    (end,) = cluster.wait(work.number, 60).values()
    assert end.split()[0] in ("COMPLETED", "FAILED"), work.said()
    return int(end.split()[1].split(":")[0]), work.said()


@pytest.mark.parametrize("row", LAUNCHES, ids=lambda row: row.name)
def test_launch(
    row: Launch, cluster: Cluster, omtask: Program, work: Work, series: Path, series_labels: dict[str, str]
) -> None:
    cores = len(os.sched_getaffinity(0))
    if cores < 2 and row.threads:
        pytest.skip("one core")
    code, said = start(cluster, omtask, work, row.line, row.job, dict(row.variables))
    assert code == row.code, said
    for text in row.says:
        assert text in said
    assert row.never not in said
    if row.ranks == 0:
        assert tree(work.image) == tree(series), said
        return
    # One process speaks for all.
    assert said.count("omtask: done: ") == 1, said
    (where,) = re.findall(r"per second\) on (.*), read ", said)
    ranks, _, threads = where.rpartition(" x ")
    assert ranks == (f"{row.ranks} ranks" if row.ranks > 1 else ""), said
    wanted = f"{cores} threads" if row.threads == "all" else row.threads
    assert threads == (wanted or threads), said
    work.equals(series_labels)


# What ranks see of PMIX_RANK, OMPI_COMM_WORLD_RANK, SLURM_PROCID, SLURM_NTASKS and SLURM_STEP_NUM_TASKS.
SEEN = "sh -c 'echo seen:$PMIX_RANK:$OMPI_COMM_WORLD_RANK:$SLURM_PROCID:$SLURM_NTASKS:$SLURM_STEP_NUM_TASKS'"


@pytest.mark.parametrize(
    ("launch", "seen"),
    [
        ("srun", ["::0:2:2", "::1:2:2"]),
        ("srun --mpi=pmix", ["0::0:2:2", "1::1:2:2"]),
        # A remote rank sees the step of mpirun's own helper, of one task; the other that of nobody.
        ("mpirun", ["0:0:0:2:", "1:1:0:1:1"]),
    ],
    ids=str,
)
def test_variables_of_launchers_are_those_that_the_rule_asks_for(
    launch: str, seen: list[str], cluster: Cluster, work: Work
) -> None:
    work.submit(cluster, "-N2", "-n2", "--wrap", f"{launch} {SEEN}")
    assert cluster.wait(work.number, 60) == {"0": "COMPLETED 0:0"}, work.said()
    assert sorted(re.findall(r"(?m)^seen:(.*)$", work.said())) == seen


@pytest.mark.parametrize("code", [64, 65, 66])
def test_codes_are_equal_whatever_starts_it(
    code: int, cluster: Cluster, omtask: Program, work: Work
) -> None:
    extra = {64: "--threads 1 --classes 900", 65: "", 66: ""}[code]
    if code == 65:
        (work.image / "0/c/22/0/0").write_bytes(b"nonsense")
    if code == 66:
        work.image.rename(work.folder / "elsewhere.zarr")
    before = tree(work.image)
    errors = set()
    for line, job in EQUAL.values():
        found, said = start(cluster, omtask, work, f"{line} {extra}", job, {})
        assert found == code, said
        (error,) = [text for text in said.splitlines() if text.startswith("omtask: error[")]
        errors.add(error)
    assert len(errors) == 1, errors
    assert {name: digest for name, digest in tree(work.image).items() if ".omtask" not in name} == before


def test_sbatch_ends_with_the_code_of_an_element_that_was_stopped(
    cluster: Cluster, omtask: Program, work: Work, series_labels: dict[str, str]
) -> None:
    run = call(omtask, work)
    script = f'[ $SLURM_ARRAY_TASK_ID = 0 ] || more="--stop-before 60"\n{run} --part auto $more'
    log = f"--output={work.folder}/part-%a.log"
    sent = ["sbatch", "--wait", log, "--time=1", "--array=0-1", "--wrap", script]
    code, said = cluster.run(*sent, extra=work.slow(0.1))
    assert code == 75, said
    finalize = call(omtask, work).replace(" run ", " finalize ", 1)
    code, said = cluster.run("bash", "-c", f"srun -n1 {finalize}")
    assert code == 66 and "missing: part 1/2" in said, said
    assert not (work.image / "labels").exists()
    code, said = cluster.run("bash", "-c", f"srun -n1 {run}")
    assert code == 0, said
    work.equals(series_labels)


# What can end a job

# More would keep Slurm's daemons from answering: each job is a shell, a launcher, two ranks and what watches them.
AT_ONCE = 8


@dataclass
class Ended:
    """What a job came to."""

    state: str
    said: str
    is_visible: bool
    # The same command again: its exit code, and what it said.
    again: tuple[int, str]
    work: Work


def end(row: Ending, cluster: Cluster, omtask: Program, work: Work) -> Ended:
    """Sends the job of a row, does to it what the row says, waits for its end, and goes on."""
    words = [*row.words.split(), "--threads", "1", "--progress", "none", "--events", str(work.events)]
    line = row.line.format(run=call(omtask, work, *words))
    script = (TELLS.format(line=line) if row.tells else line) + ENDED
    options = ["--time=5", "--no-requeue", "--mem-per-cpu=150M", *row.job.split()]
    work.submit(cluster, *options, "--wrap", script, extra=work.slow(row.delay))
    if row.deed:
        if row.keeps:
            work.wait_for_kept_work()
        else:
            work.wait_for_work()
        launcher = next(work.processes("srun", "mpirun")) if "{launcher}" in row.deed else 0
        rank = last_rank(omtask, work) if "{rank}" in row.deed else 0
        code, said = cluster.run("bash", "-c", row.deed.format(job=work.number, launcher=launcher, rank=rank))
        assert code == 0, said
        if not row.stops:
            assert work.number in cluster.run("squeue", "-h", "-o", "%i")[1], "it came too late"
    (state,) = cluster.wait(work.number, 120).values()
    said, is_visible = work.said(), (work.image / "labels").exists()
    again = cluster.run("bash", "-c", f"srun -n1 --nodelist=n1 {call(omtask, work)}")
    return Ended(state, said, is_visible, again, work)


def last_rank(omtask: Program, work: Work) -> int:
    """The process of rank 1, or the only one."""
    found = list(work.processes(omtask.path.name[:15]))
    rank = rb"\0(PMIX_RANK|OMPI_COMM_WORLD_RANK)=1\0"
    return next((pid for pid in found if re.search(rank, Path(f"/proc/{pid}/environ").read_bytes())), found[0])


@pytest.fixture(scope="module", autouse=True)
def ends(
    request: pytest.FixtureRequest, cluster: Cluster, omtask: Program, series: Path,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[dict[str, "Future[Ended]"]]:
    """The jobs of all rows that are asked for; they wait most of the time, so some run at once, and beside the rest.

    Those that wait for a limit of time begin first.
    """
    asked = {item.name for item in request.session.items}
    rows = [row for row in ENDINGS if f"test_ending[{row.name}]" in asked]
    rows.sort(key=lambda row: "--time" not in row.job)
    folders = [tmp_path_factory.mktemp("ending") for _ in rows]
    faults.shared_injector()  # once for all threads
    with ThreadPoolExecutor(AT_ONCE) as pool:
        yield {
            row.name: pool.submit(lambda r, f: end(r, cluster, omtask, Work(f, series)), row, folder)
            for row, folder in zip(rows, folders)
        }


@pytest.mark.parametrize("ending", ENDINGS, ids=lambda row: row.name)
def test_ending(
    ending: Ending, ends: dict[str, "Future[Ended]"], series_labels: dict[str, str]
) -> None:
    ended = ends[ending.name].result()
    said = ended.said
    assert re.fullmatch(ending.state, ended.state), said
    if ending.code is not None:
        assert re.findall(r"(?m)^ended with (\d+)$", said) == [str(ending.code)], said
    for text in ending.says:
        assert said.count(text) == 1, said
    assert ended.is_visible != ending.stops, said
    code, again = ended.again
    assert code == 0 and ("nothing to do" in again) != ending.stops, again
    assert "going on" in again or not (ending.stops and ending.keeps), again
    ended.work.equals(series_labels)
