"""Images in any version of OME-Zarr, written by hand: only 0.4 and 0.5 have writers of their own."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import jsonschema
import numpy as np
import referencing
import referencing.jsonschema
import zarr

from .images import AXIS
from .layouts import Layout, write_array
from .places import shared

DRAFT = referencing.jsonschema.DRAFT202012
VERSIONS = ("0.1", "0.2", "0.3", "0.4", "0.5", "0.6", "0.6rc0")
SCALE = {"t": 2.0, "c": 1.0, "z": 1.5, "y": 0.5, "x": 0.25}


def zarr_format(version: str) -> int:
    return 2 if version <= "0.4" else 3


def has_sizes(version: str) -> bool:
    return version >= "0.4"


def write(
    path: Path, version: str, axes: str, levels: Sequence[np.ndarray],
    layout: Layout | None = None, **keys: Any,
) -> Path:
    """An image; `keys` are added to its entry in `multiscales`."""
    group = zarr.open_group(path, mode="w", zarr_format=zarr_format(version))
    entry: dict[str, Any] = {"name": "made", "datasets": []}
    if version <= "0.4":
        entry["version"] = version
    if version == "0.3":
        entry["axes"] = list(axes)
    elif version in ("0.4", "0.5"):
        entry["axes"] = [AXIS[axis] for axis in axes]
    elif version >= "0.6":
        systems = [{"name": "micro", "axes": [AXIS[axis] for axis in axes]}]
        entry["coordinateSystems"] = systems
    for number, data in enumerate(levels):
        if layout is None:
            write_level(group, str(number), version, axes, data)
        else:
            write_array(path / str(number), data, layout, axes)
        if version == "0.3":
            group[str(number)].attrs["_ARRAY_DIMENSIONS"] = list(axes)
        entry["datasets"].append(dataset(version, axes, number))
    entry |= keys
    if version <= "0.4":
        group.attrs["multiscales"] = [entry]
    else:
        group.attrs["ome"] = {"version": version, "multiscales": [entry]}
    return path


def write_level(
    group: zarr.Group, name: str, version: str, axes: str, data: np.ndarray
) -> None:
    chunks = tuple(min(16, size) for size in data.shape)
    if zarr_format(version) == 2:
        keys = {"name": "v2", "separator": "." if version == "0.1" else "/"}
        array = group.create_array(
            name, shape=data.shape, chunks=chunks, dtype=data.dtype, chunk_key_encoding=keys)
    else:
        array = group.create_array(
            name, shape=data.shape, chunks=chunks, dtype=data.dtype, dimension_names=list(axes))
    array[...] = data


def write_plate(
    path: Path, version: str, axes: str, wells: Mapping[str, Sequence[np.ndarray]],
    layout: Layout | None = None,
) -> Path:
    """A plate with one image in each well; the n-th well lies in the n-th row and column."""
    inner = {"version": version} if version < "0.6" else {}
    entries: list[dict[str, Any]] = [{"path": well} for well in wells]
    if version >= "0.4":
        for number, entry in enumerate(entries):
            entry |= {"rowIndex": number, "columnIndex": number}
    names = [well.split("/") for well in wells]
    plate = {"name": "p", "rows": [{"name": row} for row, _ in names],
             "columns": [{"name": column} for _, column in names], "wells": entries}
    groups: dict[str, Any] = {"": {"plate": inner | plate}} | {row: {} for row, _ in names}
    for well in wells:
        groups[well] = {"well": inner | {"images": [{"path": "0"}]}}
    for place, keys in groups.items():
        group = zarr.open_group(path / place, mode="a", zarr_format=zarr_format(version))
        if keys and version <= "0.4":
            group.attrs.update(keys)
        elif keys:
            group.attrs["ome"] = {"version": version, **keys}
    for well, levels in wells.items():
        write(path / well / "0", version, axes, levels, layout)
    return path


def scales(axes: str, level: int) -> list[float]:
    return [SCALE[axis] * (2**level if axis in "yx" else 1) for axis in axes]


def dataset(version: str, axes: str, level: int) -> dict[str, Any]:
    """A level whose y and x were halved `level` times."""
    found: dict[str, Any] = {"path": str(level)}
    if not has_sizes(version):
        return found
    scale: dict[str, Any] = {"type": "scale", "scale": scales(axes, level)}
    if version >= "0.6":
        scale |= {"input": {"path": str(level)}, "output": {"name": "micro"}}
    return found | {"coordinateTransformations": [scale]}


def metadata(path: Path) -> dict[str, Any]:
    """What OME-Zarr defines of a group, with the version of the whole."""
    if (path / ".zattrs").exists():
        return json.loads((path / ".zattrs").read_text())
    return json.loads((path / "zarr.json").read_text())["attributes"]["ome"]


def entry(path: Path) -> dict[str, Any]:
    return metadata(path)["multiscales"][0]


def levels(path: Path) -> list[np.ndarray]:
    return [zarr.open_array(path / d["path"], mode="r")[...] for d in entry(path)["datasets"]]


def problems(path: Path, version: str, kind: str = "image") -> list[str]:
    """What the published schema of the version says; nothing where it is not at hand."""
    folder = shared(f"conformance/schemas/{version[:3]}")
    if folder is None or not (folder / f"{kind}.schema").exists():
        return []
    schemas = {file.name: json.loads(file.read_text()) for file in folder.glob("*.schema")}
    registry = referencing.Registry().with_resources(
        (schema["$id"], DRAFT.create_resource(schema))
        for schema in schemas.values() if "$id" in schema)
    document = metadata(path)
    if zarr_format(version) == 3:
        document = {"ome": document}
    validator = jsonschema.Draft202012Validator(schemas[f"{kind}.schema"], registry=registry)
    return [error.message for error in validator.iter_errors(document)]
