"""Tasks that are not built in, written for tests: a manifest and a program in a folder."""

import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from .places import REPOSITORY

TYPES = ["bool", "int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64",
         "float16", "float32", "float64"]
HELPER = REPOSITORY / "integrations" / "python" / "omtask_region.py"
EXAMPLES = REPOSITORY / "Examples"
PYTHON = ["--python", sys.executable]
# The largest of the voxels around: NumPy alone, so that it starts quickly.
SPREAD = """
import numpy
from omtask_region import serve

def spread(tile, region):
    r = region.parameters["radius"]
    for axis in range(tile.ndim):
        wide = numpy.pad(tile, [(r, r) if a == axis else (0, 0) for a in range(tile.ndim)], "edge")
        n = tile.shape[axis]
        tile = numpy.max([numpy.take(wide, range(k, k + n), axis) for k in range(2 * r + 1)], axis=0)
    return tile

serve(spread)
"""


def manifest(name: str, parameters: Mapping[str, Any] | None = None, **block: Any) -> dict[str, Any]:
    """A manifest of the contract `region` without mistakes; `block` is what `omtask` says."""
    parameters = dict(parameters or {})
    overwrite = {"overwrite": {"type": "boolean", "default": False}}
    properties = {"zarr_url": {"type": "string"}, **parameters, **overwrite}
    for key, value in properties.items():
        value.setdefault("title", key)
        value.setdefault("description", f"The {key}.")
    kind = block.pop("kind", "image")
    dtypes = ["uint32"] if kind == "label" else TYPES
    return {
        "name": name, "type": "parallel", "executable_parallel": f"bin/omtask run {name}",
        "category": "Image Processing",
        "docs_info": "### Purpose\n- A test.\n\n### Outputs\n- One.\n\n### Limitations\n- Many.",
        "args_schema_parallel": {
            "type": "object", "title": name, "additionalProperties": False,
            "properties": properties, "required": ["zarr_url"],
        },
        "omtask": {
            "summary": "A test", "contract": "region", "result_version": 1, "exactness": "E",
            "passes": [{"name": "tiles", "yields": "tiles"}],
            "outputs": [{"name": "made", "kind": kind, "dtypes": dtypes}], "dtypes": TYPES,
            "axes": {"required": ["y", "x"], "optional": ["t", "c", "z"]},
            "groups": [{"title": "All", "parameters": [*parameters, "overwrite"]}], "units": {},
            "run_only": ["overwrite"], "examples": [], **block,
        },
    }


def write_task(
    folder: Path, name: str, program: str, parameters: Mapping[str, Any] | None = None,
    run_only: Sequence[str] = (), **block: Any,
) -> Path:
    """Writes a task in Python with its helper; returns the manifest's path."""
    folder.mkdir(parents=True, exist_ok=True)
    block.setdefault("command", ["python3", "program.py"])
    document = manifest(name, parameters, **block)
    document["omtask"]["run_only"] += run_only
    (folder / "program.py").write_text(program)
    (folder / "omtask_region.py").write_bytes(HELPER.read_bytes())
    path = folder / f"{name.lower().replace(' ', '-')}.json"
    path.write_text(json.dumps(document, indent=2))
    return path
