"""Images that jobs of Slurm work on, slowly where something is to happen to them meanwhile."""

import shlex
import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path

from . import faults
from .cluster import Cluster, processes
from .jobs import until
from .places import REPOSITORY
from .program import Program
from .trees import leftovers, tree

SCRIPTS = REPOSITORY / "Slurm"
WORDS = ("--method", "otsu", "--label-name", "nuclei")
# The scripts ask for USR1 three minutes before the limit, which must not come by itself.
SMALL = ("--cpus-per-task=1", "--mem-per-cpu=200M", "--time=10")
# In the place of omtask; slow unless a condition of the shell holds.
SLOW = """#!/bin/bash
{fast} || export {settings}
exec {omtask} "$@"
"""


class Work:
    """A folder with a copy of an image in it, the job that works on it, and what that says."""

    def __init__(self, folder: Path, original: Path) -> None:
        self.folder = folder
        self.number = ""
        self.image = Path(shutil.copytree(original, folder / "image.zarr"))
        self.log, self.events = folder / "job.log", folder / "events"

    def submit(self, cluster: Cluster, *words: str, extra: Mapping[str, str] | None = None) -> str:
        """`sbatch`, with its log in the folder: the number of the job."""
        self.number = cluster.submit(f"--output={self.log}", *words, extra=extra)
        return self.number

    def program(self, text: str, **words: object) -> dict[str, str]:
        """The environment with a program of such a text in the place of omtask."""
        path = self.folder / "program"
        path.write_text(text.format(**words))
        path.chmod(0o755)
        return {"OMTASK": str(path)}

    def slow(self, seconds: float) -> dict[str, str]:
        """The environment in which each read of the image takes so long."""
        return faults.delayed(faults.shared_injector(), self.image / "0" / "c", seconds)

    def slow_program(self, omtask: Program, seconds: float, fast: str) -> dict[str, str]:
        """The environment with a program that is slow until `fast` holds, a condition of the shell."""
        settings = " ".join(f"{key}={shlex.quote(value)}" for key, value in self.slow(seconds).items())
        return self.program(SLOW, fast=fast, settings=settings, omtask=omtask.path)

    def said(self) -> str:
        return self.log.read_text() if self.log.exists() else ""

    def is_at_work(self) -> bool:
        return self.events.exists() and '"progress"' in self.events.read_text()

    def wait_for_work(self) -> None:
        until(self.is_at_work, 60, f"progress\n{self.said()}", every=0.05)

    def wait_for_kept_work(self) -> None:
        """Waits until the next run would go on where this one is: progress is told before it is kept."""
        self.wait_for_work()
        kept = (self.image / ".omtask").glob
        until(lambda: any(kept("*/journal.*")), 60, f"a journal\n{self.said()}", every=0.05)

    def processes(self, *names: str) -> Iterator[int]:
        """The processes with such a name and this image among their words, the oldest first."""
        for pid in sorted(processes()):
            try:
                words = Path(f"/proc/{pid}/cmdline").read_text().split("\0")
                name = Path(f"/proc/{pid}/comm").read_text().strip()
            except OSError:
                continue
            if name in names and str(self.image) in words:
                yield pid

    def equals(self, right: dict[str, str]) -> None:
        """The files are those of an undisturbed run, and nothing else is there."""
        assert tree(self.image) == right, self.said()
        assert leftovers(self.image) == []
