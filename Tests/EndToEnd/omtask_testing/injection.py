"""Faults of the file system, injected into single calls by a preloaded library."""

import functools
import subprocess
import tempfile
from pathlib import Path

import pytest

from .places import shared


@functools.cache
def library() -> Path:
    """The library, built in a folder of its own that goes with the process."""
    source = shared("faults/faultfs.c")
    if source is None:
        pytest.skip("the shared fault injector is not there")
    path = Path(_folder().name) / "faultfs.so"
    command = ["cc", "-shared", "-fPIC", "-O1", "-w", "-o", str(path), str(source), "-ldl"]
    subprocess.run([*command, "-pthread"], check=True)
    return path


@functools.cache
def _folder() -> tempfile.TemporaryDirectory[str]:
    return tempfile.TemporaryDirectory(prefix="omtask-faults-")


def faults(path: Path, calls: str, do: str, **settings: object) -> dict[str, str]:
    """The environment in which `calls` (such as `rename,link`) on `path` and below get a fault.

    `do` is what the fault is: the name of an errno, `kill`, `delay` and so on; `settings` are the
    library's: `nth=3`, `every=1`, `ms=500`, `log=FILE`.
    """
    named = {"prefix": path, "op": calls, "do": do, **settings}
    variables = {f"FAULTFS_{name.upper()}": str(value) for name, value in named.items()}
    return {"LD_PRELOAD": str(library()), **variables}
