"""Broken inputs are put through the commands that read; what each answered is held against a table."""

import hashlib
import json
import os
import re
import subprocess
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from . import measure
from .program import Program, environment, mpirun

MIB = 1 << 20
SECONDS = 2.0
MEMORY = 256 * MIB
# Kinds after which a run can be continued, so that its hidden stage stays.
KEPT = {"io", "limit"}


@dataclass(frozen=True)
class Case:
    """One input and what has to come of it."""

    name: str
    place: Path
    # `ok`, `either` (a clean error or the right voxels), or the kinds of which one must be told.
    expected: frozenset[str]
    must_name: str = ""
    digest: str = ""
    # What differs for single commands, such as an array that `info` need not open.
    instead: tuple[tuple[str, frozenset[str]], ...] = ()
    # Whether sound images beside the broken part are processed all the same.
    goes_on: bool = False

    def expects(self, command: str) -> frozenset[str]:
        return dict(self.instead).get(command, self.expected)


def kinds(text: str) -> frozenset[str]:
    return frozenset(text.split("|"))


def commands(program: Program, case: Case, ranks: bool) -> dict[str, list[str]]:
    """The ways in which an input is read; `cat` only where the voxels are known."""
    binary, uri = str(program.path), str(case.place)
    run = ["run", "threshold", uri, "--threshold", "300", "--threads", "2", "--progress", "none"]
    words = {
        "info": [binary, "info", uri],
        "verify": [binary, "verify", uri, "--threads", "2"],
        "run": [binary, *run, "--label-name", "solo"],
    }
    if case.digest:
        words["cat"] = ["bash", "-c", '"$0" cat "$1" | sha256sum', binary, uri]
    if ranks:
        words["ranks"] = [*mpirun(3), binary, *run, "--label-name", "ranks"]
    if case.place.suffix in (".zip", ".ozx"):
        # Nothing is ever written into an archive; beside it a refused run must leave nothing.
        for name in words.keys() & {"run", "ranks"}:
            words[name] += ["--output", str(case.place.parent / f"{name}.zarr")]
    return words


def looks(root: Path) -> dict[str, tuple[int, int, int]]:
    """Size, time and mode of everything below a folder, without opening anything."""
    found = {}
    for folder, folders, files in os.walk(root):
        for name in folders + files:
            status = os.lstat(os.path.join(folder, name))
            time = 0 if name in folders else status.st_mtime_ns
            size = 0 if name in folders else status.st_size
            path = os.path.relpath(os.path.join(folder, name), root)
            found[path] = (status.st_mode, size, time)
    return found


@dataclass
class Figures:
    """What all cases together came to."""

    tried: int = 0
    refused: int = 0
    slowest: tuple[float, str] = (0.0, "")
    largest: tuple[int, str] = (0, "")

    def __str__(self) -> str:
        return (
            f"{self.tried} calls, {self.refused} refused, slowest {self.slowest[0]:.2f} s CPU "
            f"({self.slowest[1]}), largest {self.largest[0] / MIB:.0f} MiB above idle "
            f"({self.largest[1]})"
        )


def failures(
    program: Program, cases: Iterable[Case], ranks: bool = True
) -> tuple[list[str], Figures]:
    """Runs every case through every command; what was not as it ought to be, one line each."""
    cases = list(cases)
    words = {case.name: commands(program, case, ranks) for case in cases}
    before = {case.name: looks(case.place.parent) for case in cases}
    idle = _run({"idle": [[str(program.path), "--version"], [*mpirun(3), "true"]]})["idle"]
    answers = _run({name: list(group.values()) for name, group in words.items()})
    wrong: list[str] = []
    figures = Figures()
    for case in cases:
        named = dict(zip(words[case.name], answers[case.name]))
        for command, answer in named.items():
            where = f"{case.name}: {command}"
            figures.tried += 1
            # Start-up of MPI itself takes 40 MiB and most of a second for three ranks.
            base = idle[0]["memory"] + (64 * MIB if command == "ranks" else 0)
            memory = answer["memory"] - base
            seconds = answer["cpu"] - (1.5 if command == "ranks" else 0)
            figures.slowest = max(figures.slowest, (seconds, where))
            figures.largest = max(figures.largest, (memory, where))
            figures.refused += answer["code"] != 0
            problem = _problem(case, command, answer)
            if seconds > SECONDS:
                problem = f"took {seconds:.1f} s of CPU"
            if memory > MEMORY:
                problem = f"took {memory / MIB:.0f} MiB more than the idle program"
            if problem:
                wrong.append(f"{where}: {problem}\n{answer['stdout'][-300:]}{answer['stderr'][-600:]}")
        wrong += _traces(case, before[case.name])
    return wrong, figures


def _run(groups: dict[str, list[list[str]]]) -> dict[str, list[dict]]:
    job = {"groups": groups, "timeout": 30, "at_once": os.cpu_count() or 1}
    done = subprocess.run(
        [sys.executable, "-I", measure.__file__], input=json.dumps(job), env=environment(),
        capture_output=True, text=True, check=True,
    )
    return json.loads(done.stdout)


def _problem(case: Case, command: str, answer: dict) -> str:
    """What is wrong with one answer; empty when nothing is."""
    if answer["code"] is None:
        return "hangs"
    if command == "cat":
        # Its own exit code is lost in the pipe; what counts is that no wrong voxels pass for right.
        ought = case.digest if "ok" in case.expected else ""
        return f"voxels are not {ought}" if ought and not answer["stdout"].startswith(ought) else ""
    told = re.findall(r"error\[(\w+)\]: ([^\n]*)", answer["stderr"])
    expected = case.expects(command)
    if answer["code"] < 0 or answer["code"] >= 128 or answer["code"] == 70:
        return f"ends with {answer['code']}"
    if answer["code"] == 0:
        return "" if expected & {"ok", "either"} else f"passes, expected {'|'.join(expected)}"
    if "either" in expected and told:
        return ""
    if not told or told[-1][0] not in expected:
        return f"exit {answer['code']}, expected {'|'.join(sorted(expected))}"
    if case.must_name not in told[-1][1]:
        return f"the message does not name {case.must_name}"
    if len(set(told)) != len(told):
        return "the error is told twice"
    return ""


def _traces(case: Case, before: dict) -> list[str]:
    """Files that a refused run left, changed or removed."""
    after = looks(case.place.parent)
    if case.goes_on or case.expected & {"ok", "either"}:
        return []
    kept = bool(case.expected & KEPT)
    changed = [
        path
        for path in before.keys() | after.keys()
        if before.get(path) != after.get(path) and not (kept and ".omtask" in Path(path).parts)
    ]
    return [f"{case.name}: left or changed {sorted(changed)[:5]}"] if changed else []


def digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()
