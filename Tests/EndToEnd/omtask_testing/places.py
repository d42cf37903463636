"""Where things are: the repository, the program under test, and the shared material."""

import os
import tempfile
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


def open_to_all(folder: Path) -> None:
    """Lets every user enter a folder below the one for temporary files, where pytest's are private."""
    top = Path(tempfile.gettempdir())
    for path in (folder, *folder.parents):
        if path == top or not path.is_relative_to(top):
            return
        path.chmod(0o755)
