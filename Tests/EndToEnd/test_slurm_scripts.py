"""The job scripts of Slurm/ on a real two-node cluster."""

import os
import re
import shutil
import subprocess
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from omtask_testing import pages
from omtask_testing.cluster import Cluster
from omtask_testing.jobs import until
from omtask_testing.program import Program
from omtask_testing.slurm_jobs import SCRIPTS, SMALL, WORDS, Work
from omtask_testing.trees import tree

# One element fails as long as nobody repaired it.
FAILING = """#!/bin/bash
[ "$SLURM_ARRAY_TASK_ID" != 2 ] || [ -e {repaired} ] || exit 1
exec {omtask} "$@"
"""


# An element whose number is that of the whole array stops once; the others work on meanwhile.
STOPPED = """#!/bin/bash
echo "$SLURM_ARRAY_TASK_ID" >>{starts}
[ "$SLURM_JOB_ID" = "$SLURM_ARRAY_JOB_ID" ] || {{ sleep 4; exit 0; }}
[ "${{SLURM_RESTART_COUNT:-0}}" -gt 0 ] || exit 75
"""


@pytest.fixture(scope="module")
def new(series: Path, tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Work]:
    return lambda name: Work(tmp_path_factory.mktemp(name), series)


# Jobs that are queued again wait some seconds: they are sent first and looked at last.


@pytest.fixture(scope="module")
def requeued(
    cluster: Cluster, omtask: Program, new: Callable[[str], Work]
) -> dict[str, Work]:
    """Jobs that are slow until they have been queued again: three times alone, once on two ranks.

    All have been stopped once.
    """
    sent: dict[str, Work] = {}
    for name, script, times, launcher in (
        ("one", "run.sbatch", 3, ""), ("srun", "run_mpi.sbatch", 1, "srun"),
        ("mpirun", "run_mpi.sbatch", 1, "mpirun"),
    ):
        work = new(name)
        # What is to be stopped three times has much to do.
        fast = f'[ "${{SLURM_RESTART_COUNT:-0}}" -ge {times} ]'
        extra = work.slow_program(omtask, 0.3 if launcher else 0.6, fast)
        if launcher:
            extra["LAUNCHER"] = launcher
        ranks = ["--ntasks=2"] if launcher else []
        work.submit(
            cluster, *SMALL, *ranks, str(SCRIPTS / script), "threshold", str(work.image), *WORDS,
            "--threads", "1", "--events", str(work.events), extra=extra)
        sent[name] = work
    stop(cluster, sent["one"])
    stop(cluster, sent["srun"], "--batch")
    stop(cluster, sent["mpirun"], "--batch")
    return sent


def stop(cluster: Cluster, work: Work, *how: str) -> None:
    """Sends USR1 as Slurm does before the limit, when the job is in the middle of its work."""
    work.wait_for_work()
    stops = work.said().count("stopped by USR1")
    code, said = cluster.run("scancel", *how, "-s", "USR1", work.number)
    assert code == 0, said
    until(lambda: work.said().count("stopped by USR1") > stops, 20, f"the stop\n{work.said()}")
    # Its last events are written by then, and must not be taken for those of the next start.
    running = ["squeue", "-h", "-t", "R,CG", "-j", work.number]
    until(lambda: not cluster.run(*running)[1].strip(), 20, "the end of the start", every=0.1)
    work.events.unlink()


def test_the_scripts_are_clean() -> None:
    shellcheck = shutil.which("shellcheck")
    if shellcheck is None:
        pytest.skip("no shellcheck")
    done = subprocess.run([shellcheck, *sorted(SCRIPTS.iterdir())], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout


# An array of parts


@pytest.fixture(scope="module")
def repair(
    requeued: dict[str, Work], cluster: Cluster, omtask: Program, new: Callable[[str], Work]
) -> tuple[Work, list[str], dict[str, str]]:
    """An array of four parts of which one fails, and a job that would finish behind it."""
    work = new("array")
    extra = work.program(FAILING, omtask=omtask.path, repaired=work.folder / "repaired")
    words = ["threshold", str(work.image), *WORDS]
    log = f"--output={work.folder}/part-%a.log"
    work.number = cluster.submit(
        log, *SMALL, "--array=0-3", str(SCRIPTS / "array.sbatch"), *words, extra=extra)
    return work, words, extra


def test_a_failed_element_is_sent_again_by_its_number(
    repair: tuple[Work, list[str], dict[str, str]], cluster: Cluster, series_labels: dict[str, str]
) -> None:
    work, words, extra = repair
    log = f"--output={work.folder}/part-%a.log"

    def end(*call: str, **more: str) -> str:
        """What a job of one element ends with."""
        number = cluster.submit(*SMALL, *call, *words, extra=extra | more)
        return next(iter(cluster.wait(number, 60).values()))

    behind = [f"--output={work.log}", str(SCRIPTS / "finalize.sbatch")]
    again = [log, "--array=2", str(SCRIPTS / "array.sbatch")]
    ends = cluster.wait(work.number, 60)
    assert [ends[name][:6] for name in "0123"] == ["COMPLE", "COMPLE", "FAILED", "COMPLE"], ends
    # What is missing is named, and nothing appears.
    assert end(*behind) == "FAILED 66:0", work.said()
    assert "missing: part 2/4" in work.said()
    assert not (work.image / "labels").exists()
    (work.folder / "repaired").touch()
    # Alone it does not know how many parts there are.
    assert end(*again) == "FAILED 64:0"
    assert "`--part 2/N`" in (work.folder / "part-2.log").read_text()
    assert end(*again, PARTS="4") == "COMPLETED 0:0", (work.folder / "part-2.log").read_text()
    assert end(*behind) == "COMPLETED 0:0", work.said()
    work.equals(series_labels)


@pytest.fixture(scope="module")
def stopped(repair: object, cluster: Cluster, new: Callable[[str], Work]) -> Work:
    """An array of which one element is queued again."""
    work = new("stopped")
    extra = work.program(STOPPED, starts=work.folder / "starts")
    work.number = cluster.submit(
        f"--output={work.folder}/part-%a.log", *SMALL, "--array=0-2", str(SCRIPTS / "array.sbatch"),
        "threshold", str(work.image), *WORDS, extra=extra)
    return work


def test_an_element_that_is_queued_again_leaves_the_others_alone(
    stopped: Work, cluster: Cluster
) -> None:
    ends = cluster.wait(stopped.number, 90)
    assert {end for end in ends.values()} == {"COMPLETED 0:0"}, ends
    starts = (stopped.folder / "starts").read_text().split()
    assert sorted(starts.count(number) for number in "012") == [1, 1, 2], starts


def test_a_job_that_was_queued_again_is_stopped_again(
    requeued: dict[str, Work], cluster: Cluster
) -> None:
    stop(cluster, requeued["one"])


# One command


def submit(
    cluster: Cluster, work: Work, omtask: Program, *options: str, words: tuple[str, ...] = (),
    extra: dict[str, str] | None = None,
) -> tuple[int, str]:
    given = {"OMTASK": str(omtask.path)} | (extra or {})
    call = ["--cpus", "1", "--sbatch", f"--time=10 --output={work.log} --open-mode=append", *options]
    task = ["threshold", str(work.image), *WORDS, *words]
    return cluster.run(str(SCRIPTS / "submit.sh"), *call, *task, extra=given)


@pytest.mark.parametrize(
    ("options", "scripts"),
    [
        (["--mode", "one"], ["run.sbatch"]),
        (["--mode", "mpi", "--processes", "2"], ["run_mpi.sbatch"]),
        (["--mode", "array", "--processes", "3"], ["array.sbatch", "finalize.sbatch"]),
    ],
    ids=["one", "mpi", "array"],
)
def test_one_command_does_all(
    options: list[str], scripts: list[str], cluster: Cluster, omtask: Program,
    new: Callable[[str], Work], series_labels: dict[str, str],
) -> None:
    work = new("submit")
    told = work.folder / "out.json"
    words = ("--out-json", str(told))
    code, shown = submit(cluster, work, omtask, "--show", *options, words=words)
    assert code == 0, shown
    assert [shown.count(name) for name in ("--out-json", "--mem-per-cpu=")] == [1, len(scripts)]
    assert all(f"/{name} " in shown for name in scripts), shown
    assert not work.log.exists()
    code, said = submit(cluster, work, omtask, *options, words=words)
    assert code == 0, said
    last = said.split()[-1]
    assert set(cluster.wait(last, 60).values()) == {"COMPLETED 0:0"}, work.said()
    work.equals(series_labels)
    assert str(work.image) in told.read_text()


def test_the_command_says_how_it_went(
    cluster: Cluster, omtask: Program, new: Callable[[str], Work]
) -> None:
    work = new("failing")
    # A part that fails leaves nothing to finish; the same bad word fails the plan, before anything is sent.
    extra = work.program(FAILING, omtask=omtask.path, repaired=work.folder / "never")
    extra["SLURM_ARRAY_TASK_ID"] = ""
    options = ["--wait", "--mode", "array", "--processes", "3"]
    code, said = submit(cluster, work, omtask, *options, extra=extra)
    assert code == 1, said + work.said()
    assert "not all parts of job" in said
    assert "PARTS=3 sbatch --array=NUMBER" in said
    assert not (work.image / "labels").exists()
    code, said = submit(cluster, work, omtask, words=("--scope", "world"))
    assert code == 64 and "Submitted" not in said, said


@pytest.mark.parametrize(
    ("options", "words", "text"),
    [
        (["--mode", "many"], (), "--mode is `many`"),
        (["--cpus", "0"], (), "--cpus is `0`"),
        (["--speed", "9"], (), "no option `--speed`"),
        ([], ("--threads", "4"), "`--threads` stands after the task"),
        ([], ("--part", "0/2"), "`--part` is no word for a job"),
        (["--mode", "array"], ("--fresh",), "`--fresh`"),
    ],
    ids=str,
)
def test_wrong_calls_are_refused(
    options: list[str], words: tuple[str, ...], text: str, omtask: Program, tmp_path: Path
) -> None:
    call = [SCRIPTS / "submit.sh", *options, "threshold", tmp_path / "image.zarr", *words]
    done = subprocess.run(
        [*map(str, call)], capture_output=True, text=True,
        env=os.environ | {"OMTASK": str(omtask.path)})
    assert done.returncode == 64, done
    assert text in done.stderr


def test_it_is_stopped_a_third_time(requeued: dict[str, Work], cluster: Cluster) -> None:
    stop(cluster, requeued["one"])


# The page


def test_every_command_of_the_page_works(
    requeued: dict[str, Work], cluster: Cluster, omtask: Program, new: Callable[[str], Work],
    series_labels: dict[str, str],
) -> None:
    folder = new("page").folder
    (folder / "image.zarr").rename(folder / "big.zarr")
    for script in SCRIPTS.iterdir():
        copy = Path(shutil.copy(script, folder))
        # What a user edits: the nodes here have few CPUs.
        text = re.sub(r"(?m)^(#SBATCH --cpus-per-task=).*", r"\g<1>1", copy.read_text())
        text = re.sub(r"(?m)^(#SBATCH --mem-per-cpu=).*", r"\g<1>200M", text)
        copy.write_text(re.sub(r"(?m)^(#SBATCH --ntasks=)4", r"\g<1>2", text))
    blocks = pages.blocks("slurm.md")
    assert len(blocks) == 5
    extra = {"PATH": f"{omtask.path.parent}:{os.environ['PATH']}"}
    # `sbatch --wait` asks every ten seconds, so all that is no sequence is done at once.
    calls = [*blocks[:2], *blocks[2].splitlines(), *blocks[3:]]

    def done(call: str) -> tuple[int, str]:
        return cluster.run("bash", "-c", f"cd {folder}; set -euo pipefail\n{call}", extra=extra)

    with ThreadPoolExecutor(len(calls)) as pool:
        ends = list(pool.map(done, calls))
    assert [code for code, _ in ends] == [0] * len(calls), ends
    said = ends[-1][1]
    assert "missing: part 0/8, 1/8, 2/8, 4/8" in said and "ended with 66" in said
    made = {path.name: tree(path) for path in (folder / "big.zarr/labels").glob("[!z.]*")}
    assert sorted(made) == ["five", "four", "one", "six", "three", "two"]
    (voxels,) = {
        tuple(sorted((name, digest) for name, digest in files.items() if "zarr.json" not in name))
        for files in made.values()
    }
    assert set(voxels) <= {(n.removeprefix("labels/nuclei/"), d) for n, d in series_labels.items()}


# Last, because meanwhile Slurm's pauses have passed


def test_a_job_of_one_process_goes_on_after_each_requeue(
    requeued: dict[str, Work], cluster: Cluster, series_labels: dict[str, str]
) -> None:
    work = requeued["one"]
    assert cluster.wait(work.number, 60) == {"0": "COMPLETED 0:0"}, work.said()
    assert work.said().count("stopped by USR1") == 3
    assert work.said().count("going on") == 3
    work.equals(series_labels)


@pytest.mark.parametrize("launcher", ["srun", "mpirun"])
def test_ranks_go_on_after_a_requeue(
    launcher: str, requeued: dict[str, Work], cluster: Cluster, series_labels: dict[str, str]
) -> None:
    work = requeued[launcher]
    assert cluster.wait(work.number, 60) == {"0": "COMPLETED 0:0"}, work.said()
    assert work.said().count("stopped by USR1") == 1
    work.equals(series_labels)
