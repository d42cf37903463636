"""Writes OME-Zarr images and plates, 0.4 and 0.5, as other programs do."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import numpy as np

from .layouts import Layout, write_array

AXIS = {
    "t": {"name": "t", "type": "time", "unit": "second"},
    "c": {"name": "c", "type": "channel"},
    "z": {"name": "z", "type": "space", "unit": "micrometer"},
    "y": {"name": "y", "type": "space", "unit": "micrometer"},
    "x": {"name": "x", "type": "space", "unit": "micrometer"},
}
PIXEL = {"t": 2.5, "c": 1.0, "z": 0.75, "y": 0.325, "x": 0.325}


@dataclass(frozen=True)
class Image:
    """An image that is to be written."""

    axes: str
    levels: Sequence[np.ndarray]
    layout: Layout
    channels: Sequence[str] | None = None
    attributes: Mapping[str, Any] = field(default_factory=dict)
    writer: Literal["zarr", "tensorstore"] = "zarr"


def downsampled(axes: str, data: np.ndarray, count: int) -> list[np.ndarray]:
    """`count` levels: every second voxel of each spatial axis, sizes rounded up."""
    step = tuple(slice(None, None, 2 if axis in "zyx" else 1) for axis in axes)
    levels = [data]
    while len(levels) < count:
        levels.append(np.ascontiguousarray(levels[-1][step]))
    return levels


def scale(axes: str, level: int) -> list[float]:
    """The size of a voxel of `level` in world units."""
    return [PIXEL[axis] * (2**level if axis in "zyx" else 1) for axis in axes]


def multiscales(axes: str, levels: int, version: str, name: str) -> list[dict[str, Any]]:
    datasets = [
        {
            "path": str(level),
            "coordinateTransformations": [{"type": "scale", "scale": scale(axes, level)}],
        }
        for level in range(levels)
    ]
    entry: dict[str, Any] = {
        "name": name,
        "axes": [AXIS[axis] for axis in axes],
        "datasets": datasets,
    }
    return [entry | ({"version": "0.4"} if version == "0.4" else {})]


def omero(channels: Sequence[str]) -> dict[str, Any]:
    window = {"min": 0, "max": 65535, "start": 0, "end": 1500}
    return {
        "channels": [
            {"label": label, "wavelength_id": f"A{i + 1:02}_C01", "color": "00FF00",
             "active": True, "window": window}
            for i, label in enumerate(channels)
        ]
    }


def write_group(path: Path, version: str, ome: Mapping[str, Any], **foreign: Any) -> None:
    """Writes a group's metadata: `ome` is what OME-Zarr defines, `foreign` is anybody's."""
    path.mkdir(parents=True, exist_ok=True)
    if version == "0.4":
        (path / ".zgroup").write_text(json.dumps({"zarr_format": 2}))
        if ome or foreign:
            (path / ".zattrs").write_text(json.dumps({**foreign, **ome}, indent=2))
        return
    attributes = {**foreign, **({"ome": {"version": version, **ome}} if ome else {})}
    document = {"zarr_format": 3, "node_type": "group", "attributes": attributes}
    (path / "zarr.json").write_text(json.dumps(document, indent=2))


def write_image(path: Path, image: Image) -> Path:
    """Writes an image with all its levels."""
    version = image.layout.version
    ome: dict[str, Any] = {
        "multiscales": multiscales(image.axes, len(image.levels), version, path.stem)
    }
    if image.channels:
        ome["omero"] = omero(image.channels)
    write_group(path, version, ome, **image.attributes)
    for level, data in enumerate(image.levels):
        write_array(path / str(level), data, image.layout, image.axes, image.writer)
    return path


@dataclass(frozen=True)
class PlateShape:
    """A plate of rows × columns wells with some fields each."""

    rows: int
    columns: int
    fields: int

    @property
    def wells(self) -> list[str]:
        return [
            f"{chr(ord('A') + row)}/{column + 1:02}"
            for row in range(self.rows)
            for column in range(self.columns)
        ]

    @property
    def images(self) -> list[str]:
        return [f"{well}/{image}" for well in self.wells for image in range(self.fields)]

    def document(self) -> dict[str, Any]:
        rows = [{"name": chr(ord("A") + row)} for row in range(self.rows)]
        columns = [{"name": f"{column + 1:02}"} for column in range(self.columns)]
        wells = [
            {"path": path, "rowIndex": i // self.columns, "columnIndex": i % self.columns}
            for i, path in enumerate(self.wells)
        ]
        return {"name": "plate", "rows": rows, "columns": columns, "wells": wells,
                "field_count": self.fields}


def write_plate(root: Path, shape: PlateShape, images: Mapping[str, Image]) -> Path:
    """Writes a plate whose images are given by their path in it."""
    version = next(iter(images.values())).layout.version
    inner = {"version": version}
    write_group(root, version, {"plate": shape.document() | inner})
    for row in {path.split("/")[0] for path in shape.wells}:
        write_group(root / row, version, {})
    for well in shape.wells:
        fields = [{"path": str(image)} for image in range(shape.fields)]
        write_group(root / well, version, {"well": {"images": fields} | inner})
    for path, image in images.items():
        write_image(root / path, image)
    return root
