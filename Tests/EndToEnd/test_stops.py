"""Signals, stops, dead and silent ranks: a clear end in time, and the same command goes on."""

import json
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from omtask_testing import faults
from omtask_testing.jobs import Job, until
from omtask_testing.program import Program, environment, mpirun
from omtask_testing.trees import leftovers, tree

# What is waited for on the disk is not the matter here.
WORDS = ("--method", "otsu", "--label-name", "nuclei", "--durability", "none")
RANKS = (1, 3)


@pytest.fixture
def image(series: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(series, tmp_path / "image.zarr"))


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return faults.injector(tmp_path_factory.mktemp("faultfs"))


class Bench:
    """Starts jobs on one image and checks what they leave."""

    def __init__(self, omtask: Program, image: Path, library: Path, right: dict) -> None:
        self._omtask, self.image, self._library, self._right = omtask, image, library, right
        self.jobs: list[Job] = []

    def command(self, ranks: int, *extra: str) -> list[str]:
        launcher = mpirun(ranks) if ranks > 1 else []
        # A signal cuts the injected sleep of the main thread short, so there is a second one.
        flags = [*WORDS, "--threads", "2" if ranks == 1 else "1", *extra]
        return [*launcher, str(self._omtask.path), "run", "threshold", str(self.image), *flags]

    def start(
        self, ranks: int, *extra: str, delay: float = 0.3, first: int = 1,
        env: dict[str, str] | None = None, waits: bool = True, **how: object,
    ) -> Job:
        """A job in the middle of its work; from the `first` read on each takes so many seconds.

        It would go on for ten seconds more, so that nothing that comes late on a busy machine meets its end.
        """
        events = self.image.parent / "events"
        events.unlink(missing_ok=True)
        slow = faults.delayed(self._library, self.image / "0" / "c", delay, "read", first)
        command = self.command(ranks, "--events", str(events), *extra)
        job = Job(command, self.image.parent, slow | (env or {}), **how)
        self.jobs.append(job)
        if waits:
            job.wait_for_work(events, ranks)
            # With a late `first`, every worker is then in such a read.
            reads = first + max(2, ranks) - 1
            until(lambda: faults.calls(self._library) >= reads, 30, "reads")
        return job

    def finish(self) -> None:
        """The same command again reaches the files of an undisturbed run."""
        assert json.loads((self.image / "zarr.json").read_text())
        self._omtask("run", "threshold", self.image, *WORDS)
        assert tree(self.image) == self._right
        assert leftovers(self.image) == []

    def nothing_visible(self) -> None:
        assert not (self.image / "labels").exists()


@pytest.fixture
def bench(omtask: Program, image: Path, library: Path, series_labels: dict) -> Iterator[Bench]:
    made = Bench(omtask, image, library, series_labels)
    yield made
    for job in made.jobs:
        job.clean_up()


CODES = [
    (signal.SIGUSR1, 75, "error[stopped]: stopped by USR1 after "),
    (signal.SIGUSR2, 75, "error[stopped]: stopped by USR2 after "),
    (signal.SIGTERM, 143, "error[signal]: ended by TERM after "),
    (signal.SIGINT, 130, "error[signal]: ended by INT after "),
    (signal.SIGHUP, 129, "error[signal]: ended by HUP after "),
]


@pytest.mark.parametrize("case", [*((1, *row) for row in CODES), (3, *CODES[0]), (3, *CODES[2])])
def test_a_signal_to_one_process_ends_all_in_order(
    bench: Bench, case: tuple[int, int, int, str]
) -> None:
    ranks, number, code, text = case
    job = bench.start(ranks)
    os.kill(job.ranks()[-1], number)
    assert job.end(4)[0] == code, job.text()
    assert len(job.errors()) == 1 and text in job.errors()[0], job.text()
    assert job.errors()[0].endswith(" regions")
    bench.nothing_visible()
    bench.finish()


@pytest.mark.parametrize("ranks", RANKS)
def test_usr1_waits_for_the_regions_in_hand(bench: Bench, ranks: int) -> None:
    job = bench.start(ranks, delay=1.5, first=12)
    os.kill(job.ranks()[0], signal.SIGUSR1)
    code, seconds = job.end(6)
    assert code == 75, job.text()
    assert seconds > 0.7
    bench.finish()


@pytest.mark.parametrize("ranks", RANKS)
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_term_ends_within_a_second_whatever_is_in_hand(
    bench: Bench, ranks: int, number: int
) -> None:
    job = bench.start(ranks, delay=60, first=12)
    for pid in job.ranks():
        os.kill(pid, number)
    code, seconds = job.end(5)
    assert code == 128 + number, job.text()
    # With ranks, mpirun's own end comes on top.
    assert seconds < (1.2 if ranks == 1 else 3)
    assert len(job.errors()) == 1, job.text()
    bench.nothing_visible()
    bench.finish()


def test_a_second_signal_ends_at_once(bench: Bench) -> None:
    job = bench.start(1, delay=60, first=12)
    os.kill(job.process.pid, signal.SIGINT)
    time.sleep(0.2)
    os.kill(job.process.pid, signal.SIGTERM)
    code, seconds = job.end(5)
    assert (code, seconds < 0.25) == (143, True), job.text()
    bench.finish()


@pytest.mark.parametrize("number", [signal.SIGHUP, signal.SIGINT])
def test_what_was_ignored_at_the_start_stays_ignored(bench: Bench, number: int) -> None:
    ignoring = {"preexec_fn": lambda: signal.signal(number, signal.SIG_IGN)}
    job = bench.start(1, delay=0.02, **ignoring)
    os.kill(job.process.pid, number)
    assert job.end(60)[0] == 0, job.text()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_to_mpirun_ends_all_ranks(bench: Bench, number: int) -> None:
    job = bench.start(3)
    os.kill(job.process.pid, number)
    # Open MPI waits a second before it tells the ranks, and ends with 1 whatever they say.
    code, seconds = job.end(5)
    assert code != 0 and seconds < 2.5, job.text()
    bench.nothing_visible()
    bench.finish()


def test_usr1_to_mpirun_reaches_the_ranks(bench: Bench) -> None:
    job = bench.start(3)
    os.kill(job.process.pid, signal.SIGUSR1)
    assert job.end(5)[0] == 75, job.text()
    bench.finish()


@pytest.mark.parametrize("ranks", RANKS)
def test_stop_before_the_end_of_the_job(bench: Bench, ranks: int) -> None:
    end = {"SLURM_JOB_END_TIME": str(int(time.time()) + 61)}
    job = bench.start(ranks, "--stop-before", "60", delay=0.3, env=end, waits=False)
    job.ranks()
    assert job.end(20)[0] == 75, job.text()
    assert "s before the end of the job" in job.errors()[0]
    bench.finish()


def test_stop_before_without_a_job_warns_and_goes_on(bench: Bench) -> None:
    job = bench.start(1, "--stop-before", "60", delay=0, waits=False)
    assert job.end(60)[0] == 0
    assert "`--stop-before` has no effect" in job.text()


@pytest.mark.parametrize("victim", [0, 1, 2])
def test_a_stopped_rank_is_named(bench: Bench, victim: int) -> None:
    job = bench.start(3, "--stall-timeout", "3", delay=0.5)
    time.sleep(1)  # until a sign of life has told of a region
    os.kill(job.ranks()[victim], signal.SIGSTOP)
    code, seconds = job.end(9)
    assert code == 75 and seconds < 7, job.text()
    assert len(job.errors()) == 1, job.text()
    place = f"error[stalled]: rank {victim} on {os.uname().nodename} has given no sign of life"
    assert place in job.errors()[0]
    assert ",0:64,0:64 of label nuclei of " in job.errors()[0]
    bench.nothing_visible()
    bench.finish()


@pytest.mark.parametrize("ranks", RANKS)
def test_a_job_that_was_suspended_goes_on(bench: Bench, series_labels: dict, ranks: int) -> None:
    job = bench.start(ranks, "--stall-timeout", "2", delay=0.1)
    for number, pause in ((signal.SIGSTOP, 3), (signal.SIGCONT, 0)):
        for pid in job.ranks():
            os.kill(pid, number)
        time.sleep(pause)
    assert job.end(60)[0] == 0, job.text()
    assert tree(bench.image) == series_labels


@pytest.mark.parametrize("ranks", RANKS)
def test_a_region_that_never_ends_is_named(bench: Bench, ranks: int) -> None:
    job = bench.start(ranks, "--stall-timeout", "2", delay=60, first=9)
    code, seconds = job.end(10)
    assert code == 75 and seconds < 7, job.text()
    assert len(job.errors()) == 1, job.text()
    assert "error[stalled]: nothing was finished for 2 s, and region " in job.errors()[0]
    assert ",0:64,0:64 of label nuclei of " in job.errors()[0]
    bench.finish()


def test_a_failure_on_one_rank_stops_the_others(bench: Bench) -> None:
    chunk = bench.image / "0/c/22/0/0"
    chunk.write_bytes(b"nonsense")
    job = bench.start(3, delay=0.5)
    # The third region of rank 1 is damaged; the others would go on for 20 regions each.
    code, seconds = job.end(8)
    assert code == 65 and seconds < 7, job.text()
    assert len(job.errors()) == 1 and "c/22/0/0" in job.errors()[0], job.text()
    bench.nothing_visible()


def test_a_killed_rank_ends_the_job(bench: Bench) -> None:
    job = bench.start(3)
    os.kill(job.ranks()[1], signal.SIGKILL)
    code, seconds = job.end(5)
    assert code == 137 and seconds < 5, job.text()
    bench.nothing_visible()
    bench.finish()


def test_a_killed_launcher_leaves_no_rank(bench: Bench) -> None:
    job = bench.start(3)
    os.kill(job.process.pid, signal.SIGKILL)
    assert job.end(5)[1] < 5
    bench.finish()


LEAVE = """
#include <pthread.h>
#include <stdlib.h>
#include <unistd.h>
static void *leave(void *none) { sleep(2); _exit(0); return none; }
__attribute__((constructor)) static void start(void) {
  const char *rank = getenv("OMPI_COMM_WORLD_RANK");
  pthread_t thread;
  if (rank && *rank == '1') pthread_create(&thread, NULL, leave, NULL);
}
"""


def test_a_rank_that_leaves_with_0_is_an_error(
    bench: Bench, library: Path, tmp_path: Path
) -> None:
    own = tmp_path / "leave.so"
    command = ["cc", "-shared", "-fPIC", "-x", "c", "-", "-o", own, "-pthread"]
    subprocess.run(command, input=LEAVE, text=True, check=True)
    job = bench.start(3, delay=0.5, env={"LD_PRELOAD": f"{library} {own}"})
    code, seconds = job.end(8)
    assert code != 0 and seconds < 7, job.text()
    bench.nothing_visible()
    bench.finish()


@pytest.mark.parametrize("limit", [60_000, 80_000, 100_000, 400_000])
def test_a_limit_of_addresses_is_kept_or_refused(bench: Bench, series_labels: dict, limit: int) -> None:
    command = " ".join(bench.command(1))
    done = subprocess.run(
        ["bash", "-c", f"ulimit -v {limit}; exec {command}"], capture_output=True, text=True,
        env=environment(),
    )
    assert done.returncode in (0, 79), done.stderr
    if done.returncode == 79:
        assert "error[limit]" in done.stderr
        bench.finish()
    assert tree(bench.image) == series_labels


def test_a_closed_pipe_is_quiet_and_loses_nothing(bench: Bench, series_labels: dict) -> None:
    command = " ".join(bench.command(1, "--events", "-"))
    done = subprocess.run(
        ["bash", "-c", f"set -o pipefail; {command} | head -1"], capture_output=True, text=True,
        env=environment(),
    )
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["event"] == "start"
    assert "EPIPE" not in done.stderr and "error" not in done.stderr
    assert tree(bench.image) == series_labels


@pytest.mark.parametrize("closed", ["2>&-", "1>&- 2>&-", "0<&- 1>&- 2>&-", "2>/dev/full"])
def test_closed_descriptors_get_no_data(bench: Bench, series_labels: dict, closed: str) -> None:
    events = bench.image.parent / "events"
    command = " ".join(bench.command(1, "--events", str(events)))
    done = subprocess.run(["bash", "-c", f"{command} {closed}"], env=environment())
    assert done.returncode == 0
    assert [json.loads(line)["event"] for line in events.read_text().splitlines()][-1] == "end"
    assert tree(bench.image) == series_labels
