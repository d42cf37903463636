"""Runs omtask the way a person or a scheduler does, and keeps what it said."""

import itertools
import json
import os
import subprocess
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .report import Report

# Several ranks on few cores, as root, without probing for a fast network.
MPI_ENVIRONMENT = {
    "OMPI_ALLOW_RUN_AS_ROOT": "1",
    "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1",
    "OMPI_MCA_rmaps_base_oversubscribe": "1",
    "OMPI_MCA_pml": "ob1",
    "OMPI_MCA_btl": "self,vader",
    "SWIFT_BACKTRACE": "enable=no",
}


@dataclass(frozen=True)
class Outcome:
    """What one command did."""

    command: list[str]
    code: int
    stdout: str
    stderr: str
    seconds: float
    report: Report | None = None

    def __str__(self) -> str:
        return f"$ {' '.join(self.command)}\n{self.stdout}{self.stderr}(exit {self.code})"


def mpirun(ranks: int) -> list[str]:
    """The launcher of a job with `ranks` ranks on this machine."""
    return ["mpirun", "--oversubscribe", "--bind-to", "none", "-n", str(ranks)]


def flags(parameters: Mapping[str, Any]) -> list[str]:
    """Parameters as command-line flags: `label_name="a"` becomes `--label-name a`."""
    words: list[str] = []
    for name, value in parameters.items():
        if isinstance(value, bool):
            text = str(value).lower()
        elif isinstance(value, (list, tuple)):
            text = ",".join(map(str, value))
        else:
            text = str(value)
        words += [f"--{name.replace('_', '-')}", text]
    return words


def environment(extra: Mapping[str, str] | None = None) -> dict[str, str]:
    """The environment of every run, whatever scheduler the tests themselves run under."""
    foreign = ("OMPI_", "PMIX_", "PMI_", "SLURM_")
    kept = {k: v for k, v in os.environ.items() if not k.startswith(foreign)}
    return kept | MPI_ENVIRONMENT | dict(extra or {})


class Program:
    """The program under test."""

    def __init__(self, path: Path, scratch: Path) -> None:
        self.path = path
        self._scratch = scratch
        self._numbers = itertools.count()

    def __call__(
        self,
        *arguments: str | Path,
        expect: int | None = 0,
        launcher: Sequence[str] = (),
        env: Mapping[str, str] | None = None,
        timeout: float = 300,
    ) -> Outcome:
        """Runs one command line and checks its exit code (`expect=None`: any)."""
        command = [*launcher, str(self.path), *map(str, arguments)]
        start = time.perf_counter()
        done = subprocess.run(
            command, capture_output=True, text=True, env=environment(env), timeout=timeout
        )
        outcome = Outcome(
            command, done.returncode, done.stdout, done.stderr, time.perf_counter() - start
        )
        assert expect is None or outcome.code == expect, f"expected exit {expect}\n{outcome}"
        return outcome

    def cat(
        self, uri: str | Path, *words: str, expect: int = 0, env: Mapping[str, str] | None = None
    ) -> Outcome:
        """`omtask cat`, whose voxels nobody looks at."""
        command = [str(self.path), "cat", str(uri), "--npy", *words]
        start = time.perf_counter()
        done = subprocess.run(
            command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, timeout=100,
            env=environment(env))
        outcome = Outcome(command, done.returncode, "", done.stderr, time.perf_counter() - start)
        assert outcome.code == expect, f"expected exit {expect}\n{outcome}"
        return outcome

    def threshold(self, *inputs: str | Path, **how: Any) -> Outcome:
        """`omtask run threshold`, with its report; see `run`."""
        return self.run("threshold", *inputs, **how)

    def run(
        self,
        task: str,
        *inputs: str | Path,
        parameters: Mapping[str, Any] | None = None,
        ranks: int | None = None,
        threads: int = 1,
        arguments_file: bool = False,
        extra: Sequence[str | Path] = (),
        expect: int | None = 0,
        **how: Any,
    ) -> Outcome:
        """`omtask run TASK`, with its report; on `ranks` ranks when that is given."""
        number = next(self._numbers)
        report_file = self._scratch / f"report-{number}.json"
        if arguments_file:
            file = self._scratch / f"arguments-{number}.json"
            file.write_text(json.dumps(dict(parameters or {})))
            words: list[str | Path] = ["--args-json", file]
        else:
            words = [*flags(parameters or {})]
        words += ["--threads", str(threads), "--report", report_file, *extra]
        how.setdefault("launcher", mpirun(ranks) if ranks else [])
        outcome = self("run", task, *inputs, *words, expect=expect, **how)
        report = Report.read(report_file) if report_file.exists() else None
        return Outcome(**{**vars(outcome), "report": report})
