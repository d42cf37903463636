"""Asks the models of fractal-server whether a manifest is collected and its tasks are made.

    python server_check.py MANIFEST...

A process of its own, in a Python that has fractal-server: its forty dependencies are none of ours.
Prints a JSON list with null, or what is wrong, for each manifest.
"""

import json
import os
import sys
from typing import Any

# The settings that fractal-server wants before it lets its models be imported.
os.environ.setdefault("JWT_SECRET_KEY", "nothing-is-signed-here")
os.environ.setdefault("POSTGRES_DB", "no-database")

from fractal_server.app.schemas.v2 import ManifestV2, TaskCreate  # noqa: E402


def make(task: Any, manifest: ManifestV2) -> None:
    """Makes a task as the collection does."""
    values = task.model_dump(exclude={"executable_parallel", "executable_non_parallel"})
    for kind in ("parallel", "non_parallel"):
        path = getattr(task, f"executable_{kind}")
        if path is not None:
            values[f"command_{kind}"] = f"/usr/bin/python3 /package/{path}"
    if manifest.has_args_schemas and manifest.args_schema_version is not None:
        values["args_schema_version"] = manifest.args_schema_version
    TaskCreate(**values, version="1", authors=manifest.authors)


def problem(path: str) -> str | None:
    try:
        with open(path) as file:
            manifest = ManifestV2(**json.load(file))
        for task in manifest.task_list:
            make(task, manifest)
    except ValueError as error:
        return str(error)
    return None


print(json.dumps([problem(path) for path in sys.argv[1:]]))
