"""Workflow engines, each in a Python environment of its own."""

import os
import subprocess
from pathlib import Path

import pytest

from .places import REPOSITORY


def python(engine: str) -> Path:
    """The Python of an engine: `$OMTASK_<ENGINE>_PYTHON`, or the one that scripts/setup-engines makes.

    The test is skipped where it cannot be made.
    """
    if given := os.environ.get(f"OMTASK_{engine.upper().replace('-', '_')}_PYTHON"):
        return Path(given)
    script = [str(REPOSITORY / "scripts/setup-engines"), engine]
    done = subprocess.run(script, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    if done.returncode != 0:
        last = (done.stdout.strip().splitlines() or [""])[-1]
        pytest.skip(f"scripts/setup-engines {engine} cannot install it: {last}")
    return REPOSITORY / f".venv-{engine}/bin/python"
