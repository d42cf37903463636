"""Reads results back through zarr-python, the way any other program would."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import zarr


def group_attributes(path: Path) -> dict[str, Any]:
    """All attributes of a group, 0.4 or 0.5."""
    if (path / "zarr.json").exists():
        return json.loads((path / "zarr.json").read_text()).get("attributes", {})
    file = path / ".zattrs"
    return json.loads(file.read_text()) if file.exists() else {}


def ome(path: Path) -> dict[str, Any]:
    """What OME-Zarr defines among the attributes of a group."""
    attributes = group_attributes(path)
    return attributes.get("ome", attributes)


@dataclass(frozen=True)
class Multiscale:
    """A multiscale image that was read back."""

    levels: list[np.ndarray]
    scales: list[list[float]]
    attributes: dict[str, Any]


def read_multiscale(path: Path) -> Multiscale:
    """Reads all levels of an image or a label image."""
    datasets = ome(path)["multiscales"][0]["datasets"]
    return Multiscale(
        levels=[zarr.open_array(path / d["path"], mode="r")[...] for d in datasets],
        scales=[d["coordinateTransformations"][0]["scale"] for d in datasets],
        attributes=group_attributes(path),
    )


def listed_labels(image: Path) -> list[str]:
    """The names in the image's `labels` list; empty when there is none."""
    folder = image / "labels"
    return ome(folder).get("labels", []) if folder.exists() else []


def read_label(image: Path, name: str) -> Multiscale:
    """Reads a label image, which must be in the image's list."""
    assert name in listed_labels(image), f"{name} is not listed: {listed_labels(image)}"
    return read_multiscale(image / "labels" / name)
