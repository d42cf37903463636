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
    if given := os.environ.get("OMTASK_FRACTAL_PYTHON"):
        return Path(given)
    script = REPOSITORY / "scripts/setup-fractal"
    done = subprocess.run([script], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    if done.returncode != 0:
        last = (done.stdout.strip().splitlines() or [""])[-1]
        pytest.skip(f"scripts/setup-fractal cannot install fractal-server: {last}")
    return REPOSITORY / ".venv-fractal/bin/python"


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
