"""Where things are: the repository, the program under test, and the shared material."""

import atexit
import os
import shutil
import tempfile
from functools import cache
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[3]


def binary() -> Path:
    """The program under test: $OMTASK, or the release build."""
    return Path(os.environ.get("OMTASK", REPOSITORY / ".build/release/omtask"))


def shared(relative: str) -> Path | None:
    """A file of the shared material beside the repository, or None where there is none."""
    root = Path(os.environ.get("OMTASK_SHARED", REPOSITORY.parent / "shared"))
    path = root / relative
    return path if path.exists() else None


@cache
def room_in_memory() -> dict[str, str]:
    """The environment in which temporary files lie in memory, where that can be had.

    The folder is gone when the tests end, with the logs that failed programs leave on purpose.
    """
    memory = Path("/dev/shm")
    if not memory.is_dir():
        return {}
    folder = tempfile.mkdtemp(prefix="omtask-tests-", dir=memory)
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return {"TMPDIR": folder}


def open_to_all(folder: Path) -> None:
    """Lets every user enter a folder below the one for temporary files, where pytest's are private."""
    top = Path(tempfile.gettempdir())
    for path in (folder, *folder.parents):
        if path == top or not path.is_relative_to(top):
            return
        path.chmod(0o755)
