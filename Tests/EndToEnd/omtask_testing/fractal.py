"""A real Fractal server for tests, and the plates that its workflows run on."""

import sys
from pathlib import Path
from typing import Any

from . import engines
from .images import PlateShape
from .places import REPOSITORY

sys.path.insert(0, str(REPOSITORY / "integrations/fractal"))

import exported  # noqa: E402, F401
import local_server  # noqa: E402, F401
import session  # noqa: E402, F401


def python() -> Path:
    """A Python with fractal-server."""
    return engines.python("fractal")


def core_python() -> Path:
    """A Python with fractal-tasks-core."""
    return engines.python("fractal-core")


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
