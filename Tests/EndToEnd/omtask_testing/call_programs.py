"""Programs of the types of Fractal that have one place for new images, written for tests.

`call.py` is all of them: `whole` labels the images it is given, or makes some when it is given none; `list` makes an
empty `new.zarr` and lists one image in it for each that it is given, in as many `pieces`; `each` makes a piece. What goes
wrong is told by a file beside it, as for `image_programs`.
"""

import json
from pathlib import Path
from typing import Any

from .image_programs import noted

CALL = r"""
import json, os, shutil, signal, sys, time

def option(name):
    return sys.argv[sys.argv.index(name) + 1]

folder = os.path.dirname(os.path.abspath(__file__))
mode = sys.argv[1]
arguments = json.load(open(option("--args-json")))
extra = arguments.get("init_args", {})
name = "first" if mode != "each" else os.path.basename(arguments["zarr_url"]) + "." + str(extra["part"])

def note(text):
    with open(folder + "/calls.log", "a") as log:
        print(text, file=log)

def answer(document):
    with open(option("--out-json"), "w") as out:
        out.write(document if isinstance(document, str) else json.dumps(document))

note(f"start {name}")
note(f"pid {os.getpid()}")
note("facts " + json.dumps({"name": name, "words": sys.argv, "arguments": arguments, "env": dict(os.environ)}))
try:
    trouble = json.load(open(folder + "/trouble.json")).get(name, "")
except FileNotFoundError:
    trouble = ""
print("begin", name, flush=True)
if trouble == "exit":
    print("because of this", file=sys.stderr)
    sys.exit(3)
if trouble == "once" and not os.path.exists(folder + "/once"):
    open(folder + "/once", "w").close()
    sys.exit(9)
if trouble == "slow":
    time.sleep(0.5)

def write(path, text):
    # Items of one image may be at work at the same time.
    new = f"{path}.{os.getpid()}.tmp"
    with open(new, "w") as file:
        file.write(text)
    os.rename(new, path)

def group(path, attributes):
    os.makedirs(path, exist_ok=True)
    write(f"{path}/zarr.json", json.dumps({"zarr_format": 3, "node_type": "group", "attributes": attributes}))

def make(url, part, text):
    "A piece of an image that omtask can look at."
    axes = [{"name": n, "type": "space"} for n in "yx"]
    scale = [{"type": "scale", "scale": [1.0, 1.0]}]
    group(url, {"ome": {"version": "0.5", "multiscales": [
        {"axes": axes, "datasets": [{"path": "0", "coordinateTransformations": scale}]}]}})
    os.makedirs(f"{url}/0/c", exist_ok=True)
    write(f"{url}/0/zarr.json", "{}")
    write(f"{url}/0/c/{part}", text)

def spoil(image):
    path = image + "/0/c/0/0"
    data = bytearray(open(path, "rb").read())
    data[0] ^= 255
    open(path, "wb").write(data)

if mode == "each":
    url = arguments["zarr_url"]
    make(url, extra["part"], f"{extra['origin']} {arguments.get('factor', 1)}")
    update = {"zarr_url": url, "attributes": {"factor": arguments.get("factor", 1)}, "types": {"own": True}}
    if extra["origin"]:
        update["origin"] = extra["origin"]
else:
    place = arguments["zarr_dir"]
    images = arguments.get("zarr_urls")
    named = images is not None
    if not named:
        images = [f"{place}/{name}" for name in arguments.get("names", ["one", "two", "three"])]
if trouble == "wait":
    time.sleep(300)
if trouble == "spoil":
    spoil(arguments["zarr_urls"][0])
    sys.exit(6)
if trouble.startswith("out "):
    answer(trouble[4:].replace("DIR", os.path.dirname(os.path.dirname(arguments["zarr_url"])) if mode == "each" else place))
elif mode == "each":
    answer({"image_list_updates": [update]})
elif mode == "list":
    # What was there before is gone: starting this twice would destroy what is done.
    shutil.rmtree(f"{place}/new.zarr", ignore_errors=True)
    group(f"{place}/new.zarr", {})
    items = [
        {"zarr_url": f"{place}/new.zarr/{'_'.join(url.split('/')[-3:]) if named else os.path.basename(url)}/",
         "init_args": {"origin": url if named else None, "part": part}}
        for url in images for part in range(arguments.get("pieces", 1))]
    answer({"parallelization_list": items + items[:1]})
else:
    if not named:
        for url in images:
            make(url, 0, "made")
        answer({"image_list_updates": [{"zarr_url": url} for url in images]})
    else:
        for url in images:
            group(f"{url}/labels", {"ome": {"version": "0.5", "labels": ["marked"]}})
            group(f"{url}/labels/marked", {})
            shutil.copytree(f"{url}/0", f"{url}/labels/marked/0", dirs_exist_ok=True)
        if trouble == "in place":
            for url in images:
                spoil(url)
        if trouble == "silent":
            answer({})
        else:
            answer({"image_list_updates": [{"zarr_url": url, "types": {"own": True}} for url in images]})
note(f"end {name}")
print("end", name)
"""

STEPS = {
    "non_parallel": ("whole", None), "converter_non_parallel": ("whole", None),
    "compound": ("list", "each"), "converter_compound": ("list", "each"),
}
RESERVED = {
    "non_parallel": ["zarr_urls", "zarr_dir"], "converter_non_parallel": ["zarr_dir"],
    "compound": ["zarr_urls", "zarr_dir"], "converter_compound": ["zarr_dir"],
}
LISTS = {"type": "array", "items": {"type": "string"}}
SHAPES: dict[str, dict[str, Any]] = {
    "zarr_urls": LISTS, "zarr_dir": {"type": "string"}, "zarr_url": {"type": "string"}, "init_args": {"type": "object"},
    "pieces": {"type": "integer", "minimum": 1, "default": 1}, "names": LISTS,
    "factor": {"type": "number", "default": 1.0}, "shared": {"type": "string"},
}


def schema(required: list[str], *optional: str) -> dict[str, Any]:
    """An args schema as Fractal's packages have them."""
    properties = {
        name: SHAPES[name] | {"title": name, "description": f"The {name}."} for name in [*required, *optional]}
    return {"type": "object", "additionalProperties": False, "properties": properties, "required": required}


def call_task(kind: str, **change: Any) -> dict[str, Any]:
    """One task of a type."""
    first, second = STEPS[kind]
    task = {
        "name": f"Call {kind}", "type": kind, "category": "Conversion", "docs_info": "### Purpose\n- Makes images.",
        "executable_non_parallel": f"call.py {first}",
        "args_schema_non_parallel": schema(RESERVED[kind], "pieces", "names", "shared"),
    }
    if second:
        task["executable_parallel"] = f"call.py {second}"
        task["args_schema_parallel"] = schema(["zarr_url", "init_args"], "factor", "shared")
    return {key: value for key, value in (task | change).items() if value is not None}


def facts(task: Path, name: str) -> dict[str, Any]:
    """What a call of the program was told."""
    all_facts = [json.loads(text) for text in noted(task, "facts")]
    return next(entry for entry in all_facts if entry["name"] == name)
