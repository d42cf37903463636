"""Runs a command and measures it as a whole: wall time, CPU time, peak memory of the process tree.

Kept free of large imports: a child's `ru_maxrss` begins with the memory of the process that forked.
"""

import os
import subprocess
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

PAGE = os.sysconf("SC_PAGE_SIZE")


@dataclass(frozen=True)
class Measurement:
    """One run: seconds, seconds, seconds, bytes."""

    wall: float
    user: float
    system: float
    memory: int

    @property
    def cpu(self) -> float:
        return self.user + self.system


class CommandFailed(Exception):
    """A measured command did not end with 0."""


def measured(command: Sequence[str], env: Mapping[str, str] | None = None) -> Measurement:
    """Runs a command to its end. Memory is the tree's resident sum, sampled every 20 ms."""
    start = time.perf_counter()
    child = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, env=env and dict(env)
    )
    peak, stop = [0], threading.Event()

    def watch() -> None:
        while not stop.wait(0.02):
            peak[0] = max(peak[0], tree_memory(child.pid))

    watcher = threading.Thread(target=watch)
    watcher.start()
    said = child.stdout.read()
    _, status, usage = os.wait4(child.pid, 0)
    wall = time.perf_counter() - start
    stop.set()
    watcher.join()
    child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode:
        raise CommandFailed(f"{' '.join(command)}\n{said.decode(errors='replace')[-3000:]}")
    memory = max(peak[0], usage.ru_maxrss * 1024)
    return Measurement(wall, usage.ru_utime, usage.ru_stime, memory)


def tree_memory(root: int) -> int:
    """Resident bytes of a process and all its descendants."""
    children: dict[int, list[int]] = {}
    resident: dict[int, int] = {}
    for entry in os.scandir("/proc"):
        if entry.name.isdigit():
            try:
                fields = Path(entry.path, "stat").read_text().rsplit(")", 1)[1].split()
            except (OSError, IndexError):
                continue
            children.setdefault(int(fields[1]), []).append(int(entry.name))
            resident[int(entry.name)] = int(fields[21]) * PAGE
    total, pending = 0, [root]
    while pending:
        process = pending.pop()
        total += resident.get(process, 0)
        pending += children.get(process, [])
    return total
