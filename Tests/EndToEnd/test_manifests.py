"""Manifests: the schema for editors, the check against Fractal's own, and the exported package."""

import copy
import importlib.util
import json
import random
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import zarr
from fractal_task_tools._specs import validate_schema
from fractal_task_tools._task_arguments import validate_arguments
from jsonschema import Draft202012Validator

from omtask_testing import fractal, samples
from omtask_testing.args_schemas import args_schema
from omtask_testing.places import REPOSITORY
from omtask_testing.program import Program, environment

FOLDER = REPOSITORY / "Manifests"
MANIFESTS = sorted(FOLDER.glob("*.json"))
SCHEMA = json.loads((FOLDER / "schema/manifest.schema.json").read_text())
SERVER_CHECK = Path(__file__).parent / "omtask_testing/server_check.py"


def findings(omtask: Program, *files: Path, severity: str = "error") -> list[dict[str, Any]]:
    done = omtask("manifest", "check", "--json", *files, expect=None)
    return [one for one in json.loads(done.stdout) if one["severity"] == severity]


# The schema for editors


@pytest.mark.parametrize("path", MANIFESTS, ids=lambda path: path.stem)
def test_the_schema_accepts_what_is_shipped(path: Path) -> None:
    Draft202012Validator.check_schema(SCHEMA)
    Draft202012Validator(SCHEMA).validate(json.loads(path.read_text()))


def change(*steps: str | int, to: Any = None) -> Callable[[dict[str, Any]], None]:
    """A mistake: the value at these steps is replaced, or removed when `to` is left out."""

    def make(manifest: Any) -> None:
        for step in steps[:-1]:
            manifest = manifest[step]
        if to is None:
            del manifest[steps[-1]]
        else:
            manifest[steps[-1]] = to

    return make


PARAMETER = ("args_schema_parallel", "properties", "level")
MISTAKES = {
    "no name": change("name"),
    "name with a slash": change("name", to="a/b"),
    "wrong type": change("type", to="compoud"),
    "unknown key": change("catgory", to="x"),
    "empty category": change("category", to=""),
    "tags twice": change("tags", to=["a", "a"]),
    "bad link": change("docs_link", to=""),
    "input type not true or false": change("input_types", to={"a": 1}),
    "no schema": change("args_schema_parallel"),
    "unknown arguments pass": change("args_schema_parallel", "additionalProperties", to=True),
    "keyword of one's own": change(*PARAMETER, "x-unit", to="px"),
    "list of types": change(*PARAMETER, "type", to=["integer", "null"]),
    "default is empty": change(*PARAMETER, "default", to=""),
    "boolean without default": change("args_schema_parallel", "properties", "inclusive", "default"),
    "zarr_url not required": change("args_schema_parallel", "required", to=["level"]),
    "no block": change("omtask"),
    "unknown key in the block": change("omtask", "sumary", to="x"),
    "unknown class": change("omtask", "exactness", to="X"),
    "no outputs": change("omtask", "outputs", to=[]),
    "unknown data type": change("omtask", "dtypes", to=["unit8"]),
    "unknown axis": change("omtask", "axes", "optional", to=["w"]),
    "unknown key in a group": change("omtask", "groups", 0, "name", to="x"),
}


@pytest.mark.parametrize("mistake", MISTAKES.values(), ids=MISTAKES.keys())
def test_the_schema_and_the_check_refuse_the_same_mistakes(
    mistake: Callable[[dict[str, Any]], None], omtask: Program, tmp_path: Path
) -> None:
    manifest = json.loads((FOLDER / "threshold.json").read_text())
    mistake(manifest)
    assert list(Draft202012Validator(SCHEMA).iter_errors(manifest))
    path = tmp_path / "threshold.json"
    path.write_text(json.dumps(manifest, indent=2))
    assert findings(omtask, path)
    omtask("manifest", "check", path, expect=78)


# The check against Fractal's own


def code_of_task_tools(schema: dict[str, Any]) -> str | None:
    try:
        validate_schema(schema=schema, path="", root_schema=schema)
    except ValueError as error:
        return re.search(r"\[(E\d\d)\]", str(error))[1]
    return None


def test_the_codes_are_those_of_fractal_task_tools(
    omtask: Program, tmp_path: Path, request: pytest.FixtureRequest, scaled: Callable[[int, int], int]
) -> None:
    """It stops at the first mistake, so its code must be among ours, and none of ours when it has none."""
    rng = random.Random(request.config.getoption("--seed"))
    schemas = [args_schema(rng) for _ in range(scaled(150, 2000))]
    tasks = [
        {"name": f"Task {number}", "executable_parallel": "a.py", "args_schema_parallel": schema}
        for number, schema in enumerate(schemas)
    ]
    path = tmp_path / "__FRACTAL_MANIFEST__.json"
    path.write_text(json.dumps({"manifest_version": "2", "task_list": tasks}))
    ours: dict[int, set[str]] = {}
    for one in findings(omtask, path):
        if re.fullmatch(r"E\d\d", one["rule"]):
            ours.setdefault(int(one["pointer"].split("/")[2]), set()).add(one["rule"])
    seen = set()
    for number, schema in enumerate(schemas):
        theirs, codes = code_of_task_tools(schema), ours.get(number, set())
        assert theirs in codes if theirs else not codes, json.dumps(schema)
        seen.add(theirs)
    assert len(seen) > 10


ARGUMENTS = [
    (type_, kind)
    for type_, kinds in {
        "parallel": ["parallel"],
        "non_parallel": ["non_parallel"],
        "converter_non_parallel": ["non_parallel"],
        "compound": ["parallel", "non_parallel"],
        "converter_compound": ["parallel", "non_parallel"],
    }.items()
    for kind in kinds
]


@pytest.mark.parametrize(("type_", "kind"), ARGUMENTS)
def test_reserved_arguments_are_those_of_fractal_task_tools(
    type_: str, kind: str, omtask: Program, tmp_path: Path
) -> None:
    names = ("zarr_url", "zarr_urls", "zarr_dir", "init_args")
    schemas = []
    for bits in range(16):
        chosen = [name for place, name in enumerate(names) if bits >> place & 1]
        properties = {name: {"type": "string"} for name in chosen}
        schemas.append({"type": "object", "properties": properties, "required": chosen})
    tasks = [
        {"name": f"{n}", "type": type_, f"executable_{kind}": "a.py", f"args_schema_{kind}": schema}
        for n, schema in enumerate(schemas)
    ]
    path = tmp_path / "manifest.json"
    path.write_text(json.dumps({"manifest_version": "2", "task_list": tasks}))
    found = [one for one in findings(omtask, path) if one["rule"] == "arguments"]
    refused = {int(one["pointer"].split("/")[2]) for one in found}
    for number, schema in enumerate(schemas):
        try:
            validate_arguments(task_type=type_, executable_kind=kind, schema=schema)
        except ValueError:
            assert number in refused, schema
        else:
            # What only we refuse is an argument that the server would never set.
            assert number not in refused or "init_args" in schema["properties"] or (
                "zarr_" in json.dumps(schema) and type_ != "parallel"
            ), schema


# What is exported


@pytest.fixture(scope="module")
def package(omtask: Program, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The exported folder with the manifest."""
    folder = tmp_path_factory.mktemp("export") / "package"
    omtask("manifest", "export", "--output", folder)
    return folder / "omtask_tasks"


FORMS = "parallel,non_parallel,compound"


@pytest.fixture(params=["package", "standard output", "all forms"])
def exported(request: pytest.FixtureRequest, package: Path, omtask: Program, tmp_path: Path) -> Path:
    """An exported manifest as a file."""
    if request.param == "package":
        return package / "__FRACTAL_MANIFEST__.json"
    path = tmp_path / "__FRACTAL_MANIFEST__.json"
    words = ["--forms", FORMS] if request.param == "all forms" else []
    path.write_text(omtask("manifest", "export", *words).stdout)
    return path


def test_what_is_exported_passes_the_check(exported: Path, omtask: Program) -> None:
    assert findings(omtask, exported) == findings(omtask, exported, severity="note") == []


def test_what_is_exported_passes_fractal_task_tools(exported: Path) -> None:
    manifest = json.loads(exported.read_text())
    assert {task["name"].partition(" (")[0] for task in manifest["task_list"]} == {
        json.loads(path.read_text())["name"] for path in MANIFESTS
    }
    for task in manifest["task_list"]:
        assert "omtask" not in task
        for kind in ("parallel", "non_parallel"):
            schema = task.get(f"args_schema_{kind}")
            assert (schema is None) == (f"executable_{kind}" not in task)
            if schema is None:
                continue
            assert not any("anyOf" in one for one in schema["properties"].values())
            validate_schema(schema=schema, path="", root_schema=schema)
            validate_arguments(task_type=task["type"], executable_kind=kind, schema=schema)


def test_the_package_has_a_file_for_every_executable(omtask: Program, tmp_path: Path) -> None:
    omtask("manifest", "export", "--forms", FORMS, "--output", tmp_path / "p")
    folder = tmp_path / "p/omtask_tasks"
    manifest = json.loads((folder / "__FRACTAL_MANIFEST__.json").read_text())
    files = {
        task[key] for task in manifest["task_list"]
        for key in ("executable_parallel", "executable_non_parallel") if key in task
    }
    assert files == {path.name for path in folder.glob("[a-z]*.py")}


@pytest.mark.parametrize("forms", ["", "parallel,parallel", "parallel,series"])
def test_forms_that_are_none_are_refused(forms: str, omtask: Program) -> None:
    done = omtask("manifest", "export", "--forms", forms, expect=64)
    assert "parallel, non_parallel, compound" in done.stderr


def test_fractal_server_takes_what_is_exported(exported: Path, omtask: Program, tmp_path: Path) -> None:
    manifest = json.loads(exported.read_text())
    broken = []
    for key, value in (
        ("category", ""), ("tags", ["a", "a"]), ("docs_link", ""), ("meta_non_parallel", {"mem": 1}),
        ("tags", None), ("args_schema_parallel", None), ("executable_parallel", "a$b"),
    ):
        copied = copy.deepcopy(manifest)
        copied["task_list"][0][key] = value
        broken.append(tmp_path / f"broken-{len(broken)}.json")
        broken[-1].write_text(json.dumps(copied))
    call = [fractal.python(), SERVER_CHECK, exported, *broken]
    problems = json.loads(subprocess.run(call, capture_output=True, check=True).stdout)
    assert problems[0] is None
    assert all(problems[1:]), problems
    for path in broken:
        assert any(one["rule"] == "server" for one in findings(omtask, path)), path.read_text()


# The Python files


@pytest.fixture
def images(tmp_path: Path, rng: np.random.Generator) -> tuple[Path, Path]:
    """Twice the same image."""
    first, second = tmp_path / "first.zarr", tmp_path / "second.zarr"
    samples.write_blobs(first, samples.SHARDED, rng)
    shutil.copytree(first, second)
    return first, second


def label(image: Path) -> np.ndarray:
    return zarr.open_group(image, mode="r")["labels/nuclei/0"][...]


@pytest.mark.parametrize("place", ["OMTASK", "beside", "PATH"])
def test_fractal_starts_the_file_of_a_task(
    place: str, package: Path, omtask: Program, images: tuple[Path, Path], tmp_path: Path
) -> None:
    image, other = images
    folder = tmp_path / "with space"
    shutil.copytree(package, folder)
    binary = omtask.path.resolve()
    env = environment()
    env.pop("OMTASK", None)
    if place == "OMTASK":
        env["OMTASK"] = str(binary)
    elif place == "beside":
        (folder / "omtask").symlink_to(binary)
    else:
        (tmp_path / "bin").mkdir()
        (tmp_path / "bin/omtask").symlink_to(binary)
        env["PATH"] = f"{tmp_path / 'bin'}:{env['PATH']}"
    arguments, results = tmp_path / "args.json", tmp_path / "out.json"
    wanted = {"zarr_url": str(image), "label_name": "nuclei", "min_size": 20, "threshold": None}
    arguments.write_text(json.dumps(wanted))
    call = [sys.executable, folder / "threshold.py", "--args-json", arguments]
    subprocess.run([*call, "--out-json", results], env=env, check=True)
    assert "image_list_updates" in json.loads(results.read_text())
    omtask("run", "threshold", other, "--label-name", "nuclei", "--min-size", "20")
    assert label(image).max() > 0
    assert np.array_equal(label(image), label(other))


def test_the_exit_code_of_a_task_is_that_of_omtask(
    package: Path, omtask: Program, tmp_path: Path
) -> None:
    arguments = tmp_path / "args.json"
    arguments.write_text(json.dumps({"zarr_url": str(tmp_path / "none.zarr")}))
    call = [sys.executable, package / "threshold.py", "--args-json", arguments, "--out-json"]
    env = environment({"OMTASK": str(omtask.path.resolve())})
    done = subprocess.run([*call, tmp_path / "o.json"], env=env, capture_output=True, text=True)
    assert done.returncode == 66
    assert "no such file or directory" in done.stderr.splitlines()[-1]


def test_a_program_that_is_not_there_is_named(package: Path, tmp_path: Path) -> None:
    env = environment({"OMTASK": str(tmp_path / "none"), "PATH": ""})
    call = [sys.executable, package / "threshold.py", "--args-json", "a", "--out-json", "b"]
    done = subprocess.run(call, env=env, capture_output=True, text=True)
    assert done.returncode == 1
    assert "omtask cannot be started" in done.stderr
    assert "Traceback" not in done.stderr


def test_napari_calls_the_function_of_the_file(
    package: Path, omtask: Program, images: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Numbers come as text and empty fields as null, as the plugin gives them."""
    monkeypatch.setenv("OMTASK", str(omtask.path.resolve()))
    spec = importlib.util.spec_from_file_location("threshold", package / "threshold.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    image, other = images
    results = module.threshold(
        zarr_url=str(image), label_name="nuclei", threshold="500.0", min_size=20, channel=None
    )
    assert [one["zarr_url"] for one in results["image_list_updates"]] == [str(image)]
    call = ["--label-name", "nuclei", "--min-size", "20", "--threshold", "500"]
    omtask("run", "threshold", other, *call)
    assert np.array_equal(label(image), label(other))
