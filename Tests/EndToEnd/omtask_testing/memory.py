"""Runs a job under an enforced memory limit and watches the peak of each of its processes."""

import json
import os
import resource
import subprocess
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from .program import Program, environment, mpirun

CGROUPS = Path("/sys/fs/cgroup")
MIB = 1 << 20
TOLERANCE = 40 * MIB  # per process: the program itself, its stacks, what the allocator keeps


def peak(pid: int) -> int:
    """The most memory a process ever had resident, in bytes; 0 when it is gone.

    `VmHWM` starts anew with each program; `ru_maxrss` would count this interpreter's memory too.
    """
    try:
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) * 1024 for line in lines if line.startswith("VmHWM")), 0)


def processes_named(name: str, ancestor: int) -> list[int]:
    """All descendants of a process (itself included) that run the program `name`."""
    parents: dict[int, tuple[int, str]] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                text = (entry / "stat").read_text()
            except OSError:
                continue
            command, rest = text.split("(", 1)[1].rsplit(")", 1)
            parents[int(entry.name)] = (int(rest.split()[1]), command)

    def descends(pid: int) -> bool:
        while pid in parents and pid != ancestor:
            pid = parents[pid][0]
        return pid == ancestor

    known_as = name[:15]  # the kernel keeps no more of it
    return [pid for pid, (_, command) in parents.items() if command == known_as and descends(pid)]


@contextmanager
def cage(limit: int) -> Iterator[Callable[[], None]]:
    """Yields what a child must call to live under `limit` bytes of memory.

    A control group where one can be made, else a limit of the address space with room for what is
    mapped but never touched.
    """
    folder, setting = _new_group()
    if folder is None:
        room = limit + 512 * MIB
        yield lambda: resource.setrlimit(resource.RLIMIT_AS, (room, room))
        return
    try:
        (folder / setting).write_text(str(limit))
        yield lambda: (folder / "cgroup.procs").write_text(str(os.getpid())) and None
    finally:
        folder.rmdir()


def _new_group() -> tuple[Path | None, str]:
    for root, setting in ((CGROUPS, "memory.max"), (CGROUPS / "memory", "memory.limit_in_bytes")):
        folder = root / f"omtask-test-{os.getpid()}-{time.monotonic_ns()}"
        try:
            folder.mkdir()
            if (folder / setting).exists():
                return folder, setting
            folder.rmdir()
        except OSError:
            continue
    return None, ""


def run_watched(
    command: Sequence[str], limit: int, program: str = "omtask"
) -> tuple[int, str, dict[int, int]]:
    """Exit code, standard error and peak memory by process of a command under a limit."""
    peaks: dict[int, int] = {}
    with cage(limit) as enter:
        child = subprocess.Popen(
            command, preexec_fn=enter, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
            text=True, env=environment(),
        )
        stop = threading.Event()

        def watch() -> None:
            while not stop.wait(0.01):
                for pid in processes_named(program, child.pid):
                    peaks[pid] = max(peaks.get(pid, 0), peak(pid))

        watcher = threading.Thread(target=watch)
        watcher.start()
        _, errors = child.communicate()
        stop.set()
        watcher.join()
    return child.returncode, errors, peaks


def run_as_planned(
    omtask: Program, words: Sequence[str], ranks: int, limit: int, reporting: Sequence[str] = ()
) -> tuple[int, int]:
    """Runs a task under a limit and checks that no rank needs more memory than `omtask plan` says.

    `words` are what plan and run share, `reporting` what only the run is told. Returns
    the bytes that were planned and the most that a rank had.
    """
    planned = json.loads(omtask("plan", *words, "--ranks", str(ranks), "--json").stdout)["memory"]
    launcher = mpirun(ranks) if ranks > 1 else []
    command = [*launcher, str(omtask.path), "run", *words, *reporting]
    code, errors, peaks = run_watched(command, limit, omtask.path.name)
    assert code == 0, errors
    assert len(peaks) == ranks
    most = max(peaks.values())
    assert most <= planned * 1.1 + TOLERANCE, f"{most / MIB:.0f} of {planned / MIB:.0f} MiB"
    return planned, most
