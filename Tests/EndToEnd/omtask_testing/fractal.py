"""A real Fractal server for tests, and the plates that its workflows run on."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from .images import PlateShape
from .places import REPOSITORY

sys.path.insert(0, str(REPOSITORY / "integrations/fractal"))

import exported  # noqa: E402, F401
import local_server  # noqa: E402, F401
import session  # noqa: E402, F401


def python() -> Path:
    """A Python with fractal-server: $OMTASK_FRACTAL_PYTHON, or the one of scripts/setup-fractal."""
    return installed("OMTASK_FRACTAL_PYTHON", "server", ".venv-fractal")


def core_python() -> Path:
    """A Python with fractal-tasks-core: $OMTASK_FRACTAL_CORE_PYTHON, or that of scripts/setup-fractal."""
    return installed("OMTASK_FRACTAL_CORE_PYTHON", "core", ".venv-fractal-core")


def installed(variable: str, what: str, folder: str) -> Path:
    """The Python that a variable names, or the one that scripts/setup-fractal makes in a folder."""
    if given := os.environ.get(variable):
        return Path(given)
    script = [str(REPOSITORY / "scripts/setup-fractal"), what]
    done = subprocess.run(script, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    if done.returncode != 0:
        last = (done.stdout.strip().splitlines() or [""])[-1]
        pytest.skip(f"{' '.join(script)} cannot install it: {last}")
    return REPOSITORY / folder / "bin/python"


def listing(plate: Path, shape: PlateShape) -> list[dict[str, Any]]:
    """The images of a plate as a converter lists them."""
    return [
        {
            "zarr_url": str(plate / image),
            "attributes": {"plate": plate.name, "well": "".join(image.split("/")[:2])},
            "types": {"is_3D": True},
        }
        for image in shape.images
    ]
