"""What the plug-in krentzd/napari-workflow-tasks (commit f798581) does with a manifest, without Qt.

Its ways are kept, also the odd ones: they are what a manifest has to live with.
"""

import json
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import zarr

from .program import Outcome

CATEGORIES = ("Segmentation", "Measurement")
# Properties that get no field and, but for zarr_url, are not given.
IGNORED = ("zarr_url", "channels_to_include", "channels_to_exclude", "measure_texture")
TEXTS = ("integer", "float", "number", "string")
# The only tasks whose label image is looked for afterwards, and the field that names it.
SHOWN = {"Thresholding Label Task": "label_name", "Cellpose Segmentation": "output_label_name"}
# A process of its own calls the function that is named like its file.
CALLER = """
import importlib.util, json, pathlib, sys
file = pathlib.Path(sys.argv[1])
spec = importlib.util.spec_from_file_location(file.stem, file)
module = importlib.util.module_from_spec(spec)
spec.loader.exec_module(module)
getattr(module, file.stem)(**json.loads(pathlib.Path(sys.argv[2]).read_text()))
"""

Form = dict[str, Any]


@dataclass
class Task:
    """What is kept of a task; a key that is not there ends the reading of the manifest."""

    executable: str
    title: str
    properties: dict[str, dict[str, Any]]
    definitions: Mapping[str, Any]


class Plugin:
    """The plug-in after a manifest was chosen."""

    def __init__(self, manifest: Path, categories: tuple[str, ...] = CATEGORIES) -> None:
        self.folder = manifest.parent
        self.tasks: dict[str, Task] = {}
        for task in json.loads(manifest.read_text())["task_list"]:
            if task.get("category") in categories:
                schema = task["args_schema_parallel"]
                assert schema["required"] is not None and schema["type"] is not None
                self.tasks[task["name"]] = Task(
                    task["executable_parallel"], schema["title"], schema["properties"],
                    schema.get("$defs") or {})

    def form(self, name: str) -> Form:
        """The fields of a task as they are shown first: texts and marks, also of nested objects."""
        task = self.tasks[name]
        fields: Form = {}
        for key, one in task.properties.items():
            if key in IGNORED:
                continue
            if "type" not in one and "$ref" in one:
                inner = task.definitions[one["$ref"].split("/")[-1]]["properties"]
                made = {name: field(about) for name, about in inner.items() if "type" in about}
                fields[key] = {name: value for name, value in made.items() if value is not None}
            elif (made := field(one)) is not None:
                fields[key] = made
        for key in fields:
            assert task.properties[key]["title"]
        return fields

    def values(self, name: str, form: Form) -> dict[str, Any]:
        """What is given to the task of a form; fails for a property that has no field."""
        task = self.tasks[name]
        given: dict[str, Any] = {}
        for key, one in task.properties.items():
            if key in IGNORED:
                continue
            shown = form[key]
            if isinstance(shown, dict):
                about = task.definitions[one["$ref"].split("/")[-1]]
                inner = {k: value(about.get(k, {}), v) for k, v in shown.items()}
                given[key] = {"args": inner, "type": about["title"]}
            else:
                given[key] = value(one, shown)
        return given

    def execute(
        self, name: str, image: Path, changes: Mapping[str, Any], env: Mapping[str, str]
    ) -> Outcome:
        """Fills in a form and runs the task; whether that went well, the plug-in does not ask."""
        form = self.form(name)
        assert set(changes) <= set(form), sorted(set(changes) - set(form))
        given = {"zarr_url": str(image)} | self.values(name, form | changes)
        task = self.tasks[name]
        file = self.folder / f"{task.title}.json"
        file.write_text(json.dumps(given))
        call = [sys.executable, "-c", CALLER, str(self.folder / task.executable), str(file)]
        done = subprocess.run(call, capture_output=True, text=True, env=dict(env), cwd="/")
        return Outcome(call, done.returncode, done.stdout, done.stderr, 0)

    def shown(self, name: str, image: Path) -> str | None:
        """The label image that is added to the viewer when a task has ended."""
        if name not in SHOWN:
            return None
        task = self.tasks[name]
        given = json.loads((self.folder / f"{task.title}.json").read_text())
        listed = zarr.open_group(image / "labels", mode="r").attrs.asdict()
        names = listed.get("labels") or listed.get("ome", {}).get("labels") or []
        wanted = given[SHOWN[name]]
        return wanted if wanted in names else None


def field(one: Mapping[str, Any]) -> str | bool | None:
    """The field of a property: a text, a mark, or none where its type is another one."""
    if one.get("type") == "boolean":
        return bool(one.get("default"))
    if "type" in one and one["type"] not in TEXTS:
        return None
    return str(one["default"]) if "default" in one else ""


def value(one: Mapping[str, Any], shown: str | bool) -> Any:
    """What is given for a field."""
    if isinstance(shown, bool):
        return shown
    if shown == "":
        return None
    if one.get("type") == "integer":
        return int(shown)
    # JSON Schema knows no `float`: numbers stay texts.
    return float(shown) if one.get("type") == "float" else shown
