"""Programs that do images by themselves, as Fractal's tasks do, written for tests.

`MARK` makes a label image of every image: a copy of its arrays. What it does wrong is told by a file
beside it, so that calls with and without trouble are the same run.
"""

import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from .images import Image, PlateShape, write_plate
from .layouts import Layout

PYTHON = ["--python", sys.executable]
RAW = Layout("raw", "0.5", (64,), None, ())

MARK = r"""
import json, os, shutil, signal, subprocess, sys, time

def option(name):
    return sys.argv[sys.argv.index(name) + 1]

folder = os.path.dirname(os.path.abspath(__file__))
arguments = json.load(open(option("--args-json")))
image = arguments["zarr_url"]

def note(text):
    with open(folder + "/calls.log", "a") as log:
        print(text, file=log)

note(f"image {image}")
note(f"pid {os.getpid()}")
note("facts " + json.dumps({"words": sys.argv, "arguments": arguments, "env": dict(os.environ)}))
try:
    troubles = json.load(open(folder + "/trouble.json"))
except FileNotFoundError:
    troubles = {}
trouble = next((what for end, what in troubles.items() if image.endswith(end)), "")
print("begin", image, flush=True)

def answer(text):
    with open(option("--out-json"), "w") as out:
        out.write(text)

if trouble.startswith("out "):
    answer(trouble[4:])
    sys.exit(0)
if trouble == "once":
    flag = folder + "/once"
    if not os.path.exists(flag):
        open(flag, "w").close()
        sys.exit(9)
if trouble == "exit":
    print("I cannot go on\nbecause of this", file=sys.stderr)
    sys.exit(3)
if trouble == "hang":
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    note(f"pid {subprocess.Popen(['sleep', '300']).pid}")
    time.sleep(300)
if trouble == "polite":
    signal.signal(signal.SIGTERM, lambda *_: (print("I was asked to end", flush=True), sys.exit(5)))
    time.sleep(300)
if trouble == "family":
    note(f"pid {subprocess.Popen(['sleep', '300']).pid}")
    sys.exit(3)
if trouble == "chatter":
    for _ in range(20000):
        print("x" * 999)
    print("the last words", file=sys.stderr)
    sys.exit(4)
if trouble.startswith("vanish"):
    shutil.rmtree(image)
    if trouble != "vanish":
        answer(json.dumps({"image_list_removals": [image]}))
    sys.exit(0)
if trouble == "spoil":
    # Half of a change of the image itself.
    path = image + "/0/c/0/0"
    data = bytearray(open(path, "rb").read())
    data[0] ^= 255
    open(path, "wb").write(data)
    sys.exit(6)

name = arguments.get("name", "marked")
label = f"{image}/labels/{name}"
os.makedirs(f"{image}/labels", exist_ok=True)
listed = f"{image}/labels/zarr.json"
try:
    document = json.load(open(listed))
except FileNotFoundError:
    document = {"zarr_format": 3, "node_type": "group", "attributes": {"ome": {"version": "0.5", "labels": []}}}
if os.path.exists(label):
    shutil.rmtree(label)
os.makedirs(label)
group = json.load(open(f"{image}/zarr.json"))
group["attributes"]["ome"]["image-label"] = {}
shutil.copytree(f"{image}/0", f"{label}/0")
if trouble == "kill":
    os.kill(os.getpid(), signal.SIGKILL)
if trouble == "wait":
    time.sleep(300)
if trouble == "slow":
    time.sleep(0.4)
json.dump(group, open(f"{label}/zarr.json", "w"))
labels = document["attributes"]["ome"]["labels"]
if name not in labels:
    labels.append(name)
json.dump(document, open(listed, "w"))
if trouble == "derive":
    made = image + "_made"
    if not os.path.exists(made):
        shutil.copytree(image, made)
    answer(json.dumps({"image_list_updates": [
        {"zarr_url": made, "origin": image, "attributes": {"sigma": 2.0}, "types": {"own": True}}]}))
if trouble == "remove":
    answer(json.dumps({"image_list_updates": None, "image_list_removals": [image + "_old/"]}))
note(f"done {image}")
print("end", image)
"""

NAME = {"name": {"type": "string", "default": "marked", "title": "Name", "description": "The name."}}
NESTED = {
    "channel": {"$ref": "#/$defs/Channel", "title": "Channel", "description": "The channel."},
    "steps": {
        "type": "array", "default": [], "title": "Steps", "description": "The steps.",
        "items": {"$ref": "#/$defs/Blur"},
    },
    "threads": {"type": "integer", "default": 3, "title": "Threads", "description": "A flag, too."},
    "flag": {"type": "boolean", "default": False, "title": "Flag", "description": "Yes or no."},
}
DEFINITIONS = {
    "Channel": {
        "type": "object", "title": "Channel", "required": ["label"], "additionalProperties": False,
        "properties": {"label": {"type": "string", "title": "Label"}},
    },
    "Blur": {
        "type": "object", "title": "Blur", "required": ["sigma"],
        "properties": {"sigma": {"type": "number", "minimum": 0, "title": "Sigma"}},
    },
}


def fractal_task(name: str = "Mark Cells (fast)", **change: Any) -> dict[str, Any]:
    """One task as Fractal's packages declare it."""
    properties = {"zarr_url": {"type": "string", "title": "Zarr Url"}, **NAME, **NESTED}
    for key in ("channel", "steps", "threads", "flag"):
        properties[key] = dict(properties[key])
    task = {
        "name": name, "type": "parallel", "executable_parallel": "mark.py",
        "meta_parallel": {"cpus_per_task": 1, "mem": 10}, "category": "Segmentation",
        "docs_info": "### Purpose\n- Marks **cells** in images.\n- And more.",
        "args_schema_parallel": {
            "type": "object", "title": "Mark", "additionalProperties": False, "$defs": DEFINITIONS,
            "properties": properties, "required": ["zarr_url"],
        },
    }
    return {key: value for key, value in (task | change).items() if value is not None}


def write_package(
    folder: Path, *tasks: Mapping[str, Any], program: str = MARK, file_name: str = "mark.py"
) -> Path:
    """Writes a package of tasks; returns the place of the first one."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / file_name).write_text(program)
    tasks = tasks or (fractal_task(),)
    file = folder / "__FRACTAL_MANIFEST__.json"
    file.write_text(json.dumps({
        "manifest_version": "2", "has_args_schemas": True, "args_schema_version": "pydantic_v2",
        "authors": "Nobody", "task_list": list(tasks)}, indent=2))
    return file


def write_own(folder: Path, **block: Any) -> Path:
    """Writes a manifest with our block; returns its path."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "mark.py").write_text(MARK)
    task = fractal_task("Mark") | {
        "omtask": {"summary": "Mark cells", "contract": "image", "result_version": 1, **block}}
    file = folder / "mark.json"
    file.write_text(json.dumps(task, indent=2))
    return file


def trouble(task: Path, **places: str) -> None:
    """Makes the program fail in images whose paths end so (`_` stands for `/`)."""
    (task.parent / "trouble.json").write_text(
        json.dumps({place.replace("_", "/"): what for place, what in places.items()}))


def noted(task: Path, what: str) -> list[str]:
    """What the program noted of itself."""
    log = task.parent / "calls.log"
    lines = log.read_text().splitlines() if log.exists() else []
    return [line.removeprefix(f"{what} ") for line in lines if line.startswith(f"{what} ")]


def forget(task: Path) -> None:
    """Empties what the program noted of itself."""
    (task.parent / "calls.log").unlink(missing_ok=True)
    (task.parent / "trouble.json").unlink(missing_ok=True)


def make_plate(path: Path, rng: np.random.Generator, shape: PlateShape) -> list[Path]:
    """A plate of small images, in the order of its wells."""
    images = {
        place: Image("yx", [rng.integers(0, 255, size=(20, 24)).astype(np.uint8)], RAW)
        for place in shape.images
    }
    write_plate(path, shape, images)
    return [path / place for place in shape.images]
