"""Makes calls to the file system slow or wrong, through the injector beside the repository."""

import subprocess
import sys
from pathlib import Path

import pytest

from .places import shared


def injector(folder: Path) -> Path:
    """The library to preload, built in `folder`; skips the test where its source is absent."""
    source = shared("faults/faultfs.c")
    if source is None:
        pytest.skip("no ../shared/faults/faultfs.c")
    library = folder / "faultfs.so"
    if not library.exists():
        command = ["cc", "-shared", "-fPIC", "-O1", "-o", library, source, "-ldl", "-pthread"]
        subprocess.run(command, check=True)
    return library


def delayed(
    library: Path, prefix: Path, seconds: float, operation: str = "read", first: int = 1
) -> dict[str, str]:
    """The environment in which calls below `prefix` take longer, from the `first` of all ranks on."""
    counter = library.with_name("count")
    counter.unlink(missing_ok=True)
    return {
        "FAULTFS_COUNTER": str(counter),
        "LD_PRELOAD": str(library),
        "FAULTFS_PREFIX": str(prefix),
        "FAULTFS_OP": operation,
        "FAULTFS_NTH": str(first),
        "FAULTFS_EVERY": "1",
        "FAULTFS_DO": "delay",
        "FAULTFS_MS": str(round(seconds * 1000)),
    }


def calls(library: Path) -> int:
    """How many calls the injector has seen."""
    counter = library.with_name("count")
    return int.from_bytes(counter.read_bytes()[:8], sys.byteorder) if counter.exists() else 0
