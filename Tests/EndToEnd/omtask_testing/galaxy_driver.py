"""Runs in the Python environment of Galaxy's own tools: reads tools, checks them, and says what a job of each gets.

    python galaxy_driver.py <jobs.json >answers.json

A job names a `tool`. Answered are the messages of the linters, the `tests` of the tool, the `arguments` that a form with
`values` gives and everything else as it was, and the `command`, in which FILES stand for what Galaxy makes.
"""

import json
import sys
from typing import Any

from galaxy.tool_util.lint import get_lint_context_for_tool_source
from galaxy.tool_util.parameters import (
    RequestInternalDereferencedToolState,
    fill_static_defaults,
    input_models_for_tool_source,
)
from galaxy.tool_util.parser import get_tool_source
from galaxy.util.template import fill_template

FILES = {"arguments": "arguments.json", "result": "result.json", "report": "report.json"}


def answer(job: dict[str, Any]) -> dict[str, Any]:
    source = get_tool_source(job["tool"])
    models = input_models_for_tool_source(source)

    def filled(values: dict[str, Any]) -> dict[str, Any]:
        return fill_static_defaults(dict(values), models, source.parse_profile())

    def arguments(values: dict[str, Any]) -> dict[str, Any]:
        # Data sets are no part of the file of `configfiles/inputs` that has no `data_style`.
        data = {parameter.name for parameter in models.parameters if parameter.parameter_type == "gx_data"}
        return {name: value for name, value in filled(values).items() if name not in data}

    values = job.get("values", {})
    wrong = ""
    try:
        RequestInternalDereferencedToolState(filled(values)).validate(models)
    except Exception as error:
        wrong = str(error)
    lint = [] if values else [
        f"{message.level}: {message.message}"
        for message in get_lint_context_for_tool_source(source).message_list
        if message.level in ("warning", "error")
    ]
    tests = [
        {
            "arguments": arguments({item["name"]: item["value"] for item in test["inputs"]}),
            "code": test["expect_exit_code"],
            "stderr": [item["attributes"]["text"] for item in test["stderr"] or []],
        }
        for test in source.parse_tests_to_dict()["tests"]
    ]
    # One line, as Galaxy makes it of the lines of a tool.
    command = " ".join(fill_template(source.parse_command(), context=FILES).split())
    return {"lint": lint, "arguments": arguments(values), "wrong": wrong, "command": command, "tests": tests}


print(json.dumps([answer(job) for job in json.load(sys.stdin)]))
