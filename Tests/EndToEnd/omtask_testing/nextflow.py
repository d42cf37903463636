"""A stand-in for Nextflow: its files are evaluated by Groovy, its scripts run by bash or Slurm."""

import json
import shlex
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from .places import REPOSITORY

FOLDER = REPOSITORY / "integrations/nextflow"
CONFIG = FOLDER / "nextflow.config"
MODULE = FOLDER / "modules/omtask/run/main.nf"
STANDIN = Path(__file__).parent / "nextflow_standin"

Answer = dict[str, Any]


class Answers(dict[str, Answer]):
    """The answers to jobs by their names; that of a job in which the stand-in failed cannot be had."""

    def __getitem__(self, name: str) -> Answer:
        answer = super().__getitem__(name)
        assert "failed" not in answer, answer["failed"]
        return answer


def groovy() -> str:
    """The program `groovy`; skips the test where there is none."""
    if (program := shutil.which("groovy")) is None:
        pytest.skip("no groovy (apt-get install groovy default-jre-headless)")
    return program


def program_folder(folder: Path, omtask: Path, text: str = 'exec {omtask} "$@"') -> str:
    """A `PATH` on which `omtask` is a shell script of such a text."""
    folder.mkdir(parents=True)
    script = folder / "omtask"
    script.write_text(f"#!/bin/bash\n{text.replace('{omtask}', shlex.quote(str(omtask)))}\n")
    script.chmod(0o755)
    return f"{folder}:/usr/local/bin:/usr/bin:/bin"


def answers(
    jobs: dict[str, Answer], folder: Path, start: Callable[[list[str]], tuple[int, str]]
) -> Answers:
    """What comes of some jobs (`main.groovy` says which there are), all in one process, in their order."""
    asked, answered = folder / "jobs.json", folder / "answers.json"
    asked.write_text(json.dumps(list(jobs.values())))
    # Java takes the letters of paths from the locale.
    command = ["env", "LC_ALL=C.UTF-8", groovy(), "-cp", str(STANDIN), str(STANDIN / "main.groovy")]
    code, said = start([*command, str(asked), str(answered)])
    assert code == 0, said
    return Answers(zip(jobs, json.loads(answered.read_text()), strict=True))


def command_job(line: str, folder: Path) -> Answer:
    """The job of a command line `nextflow run FOLDER --input …`, given in `folder`."""
    words = iter(shlex.split(line)[3:])
    params: Answer = {"outdir": str(folder / "results")}
    job: Answer = {
        "kind": "run", "file": str(FOLDER / "main.nf"), "config": str(CONFIG), "params": params, "folder": str(folder)}
    for word in words:
        value = next(words)
        if word == "-params-file":
            params |= json.loads((folder / value).read_text())
        elif word == "-profile":
            job["profiles"] = value.split(",")
        elif word == "-c":
            job["more"] = [str(folder / value)]
        else:
            name = word.removeprefix("--")
            is_file = name == "input" and not value.startswith("/")
            params[name] = int(value) if value.isdigit() else str(folder / value) if is_file else value
    return job
