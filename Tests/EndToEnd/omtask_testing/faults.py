"""Makes calls to the file system slow or wrong, through the injector beside the repository."""

import functools
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

import pytest

from .places import shared

# A call that no run ever reaches: everything is counted and nothing happens.
NEVER = 1 << 40


def injector(folder: Path, name: str = "FAULTFS") -> Path:
    """The library to preload, built in `folder`; skips the test where its source is absent.

    A second one that reads its settings from variables of another `name` can be loaded beside it.
    """
    source = shared("faults/faultfs.c")
    if source is None:
        pytest.skip("no ../shared/faults/faultfs.c")
    library = folder / f"{name.lower()}.so"
    if not library.exists():
        text = with_whole_paths(source.read_text()).replace('"FAULTFS_', f'"{name}_')
        command = ["cc", "-shared", "-fPIC", "-O1", "-x", "c", "-", "-o", library]
        subprocess.run([*command, "-ldl", "-pthread"], input=text, text=True, check=True)
    return library


@functools.cache
def shared_injector() -> Path:
    """The library for tests without one of their own, in a folder that goes with the process."""
    return injector(Path(_folder().name))


@functools.cache
def _folder() -> tempfile.TemporaryDirectory[str]:
    return tempfile.TemporaryDirectory(prefix="omtask-faults-")


def with_whole_paths(text: str) -> str:
    """The source of the injector, changed to log whole paths also of names that are relative."""
    changes = {
        "static int path_on(": "static __thread char whole[PATH_MAX];\nstatic int path_on(",
        "    return !strncmp(p, prefix,": '    snprintf(whole, sizeof whole, "%s", p);\n'
        "    return !strncmp(p, prefix,",
        "op, c, path);": "op, c, whole);",
    }
    for old, new in changes.items():
        assert text.count(old) == 1, f"the injector has changed: {old}"
        text = text.replace(old, new)
    return text


@dataclass(frozen=True)
class Injection:
    """What happens to one call, or to all from it on."""

    operations: str
    action: str
    nth: int = NEVER
    every: bool = False

    def settings(self, prefix: Path, counter: Path, name: str = "FAULTFS") -> dict[str, str]:
        """The variables of the injector; calls below `prefix` are counted in the file `counter`."""
        values = {
            "PREFIX": prefix, "OP": self.operations, "DO": self.action, "NTH": self.nth,
            "EVERY": int(self.every), "COUNTER": counter,
        }
        return {f"{name}_{key}": str(value) for key, value in values.items()}


def injected(path: Path, calls: str, do: str, **settings: object) -> dict[str, str]:
    """The environment in which `calls` (such as `rename,link`) on `path` and below get a fault.

    `do` is what the fault is: the name of an errno, `kill`, `delay` and so on; `settings` are the
    library's: `nth=3`, `every=1`, `ms=500`, `log=FILE`. Each process counts for itself.
    """
    named = {"prefix": path, "op": calls, "do": do, **settings}
    variables = {f"FAULTFS_{name.upper()}": str(value) for name, value in named.items()}
    return {"LD_PRELOAD": str(shared_injector()), **variables}


def delayed(
    library: Path, prefix: Path, seconds: float, operation: str = "read", first: int = 1
) -> dict[str, str]:
    """The environment in which calls below `prefix` are slow, from the `first` of all ranks on."""
    counter = library.with_name("count")
    counter.unlink(missing_ok=True)
    slow = Injection(operation, "delay", first, every=True).settings(prefix, counter)
    return slow | {"LD_PRELOAD": str(library), "FAULTFS_MS": str(round(seconds * 1000))}


def calls(library: Path) -> int:
    """How many calls the injector has seen."""
    return counted(library.with_name("count"))


def counted(counter: Path) -> int:
    """How many calls were counted in a file."""
    return int.from_bytes(counter.read_bytes()[:8], sys.byteorder) if counter.exists() else 0
