"""What lies in a folder, as values that can be compared."""

import hashlib
import shutil
from pathlib import Path

from .program import Program


def tree(root: Path) -> dict[str, str]:
    """Relative path → digest of every file below `root`; folders end in `/`."""
    found: dict[str, str] = {}
    for path in sorted(root.rglob("*")):
        name = str(path.relative_to(root))
        if path.is_dir():
            found[f"{name}/"] = ""
        else:
            found[name] = hashlib.sha256(path.read_bytes()).hexdigest()
    return found


def made_by(omtask: Program, original: Path, folder: Path, *words: str) -> dict[str, str]:
    """The files of an image after `omtask run WORDS...` on a copy of it, which nobody disturbed."""
    copy = folder / "image.zarr"
    shutil.copytree(original, copy)
    omtask("run", words[0], copy, *words[1:])
    return tree(copy)


def leftovers(root: Path) -> list[str]:
    """Hidden stages and temporary files that a run must not leave behind."""
    return [
        name
        for name in tree(root)
        if any(part.startswith(".omtask") for part in Path(name).parts) or name.endswith(".tmp")
    ]
