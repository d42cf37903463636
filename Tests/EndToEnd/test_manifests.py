"""Manifests: the schema for editors, and the check against Fractal's own."""

import json
import random
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from fractal_task_tools._specs import validate_schema
from fractal_task_tools._task_arguments import validate_arguments
from jsonschema import Draft202012Validator

from omtask_testing.args_schemas import args_schema
from omtask_testing.places import REPOSITORY
from omtask_testing.program import Program

FOLDER = REPOSITORY / "Manifests"
MANIFESTS = sorted(FOLDER.glob("*.json"))
SCHEMA = json.loads((FOLDER / "schema/manifest.schema.json").read_text())


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
