#!/usr/bin/env python3
"""Writes tools for Galaxy from the manifest of omtask: a form field for each parameter.

    omtask manifest export | python3 make_tools.py [--output FOLDER] [--version VERSION] TASK...

Each TASK (`threshold`) becomes FOLDER/omtask_TASK.xml. Only the standard library is needed.
"""

import argparse
import json
import re
import sys
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape, quoteattr

# What lists of words are chosen from; the other lists take one value in a form.
CHOICES = {
    ("measure", "features"): ["shape", "axes", "euler_number", "perimeter", "intensity", "weighted", "distribution"]
}
NUMBERS = {"integer": "integer", "number": "float"}
COMMAND = """
omtask run {task}
    --args-json '$arguments'
    --out-json '$result'
    --report '$report'
    --threads "\\${{GALAXY_SLOTS:-1}}"
    \\${{GALAXY_MEMORY_MB:+--memory \\$((GALAXY_MEMORY_MB * 4 / 5))M}}
"""
TOOL = """<tool id="omtask_{identifier}" name={name} version="{version}+galaxy0" profile="24.0">
    <description>of OME-Zarr images, in place</description>
    <edam_topics>
        <edam_topic>topic_3382</edam_topic>
    </edam_topics>
    <edam_operations>
        <edam_operation>operation_3443</edam_operation>
    </edam_operations>
    <version_command>omtask --version</version_command>
    <command detect_errors="exit_code"><![CDATA[{command}    ]]></command>
    <configfiles>
        <inputs name="arguments" filename="arguments.json"/>
    </configfiles>
    <inputs>
        <param name="zarr_url" type="text" label="Image" help="Absolute path or URL of an OME-Zarr image, plate or well, as Galaxy's jobs see it. Results appear inside of it.">
            <validator type="regex" message="An absolute path or a URL">^(/|[a-z0-9]+://)[^\\n]+$</validator>
        </param>
{fields}
        <param name="after" type="data" format="json" optional="true" label="After" help="The result of an earlier step on this image, for which a workflow then waits. Nothing of it is read."/>
    </inputs>
    <outputs>
        <data name="result" format="json" label="${{tool.name}}: images"/>
        <data name="report" format="json" label="${{tool.name}}: report"/>
    </outputs>
    <tests>
        <test expect_failure="true" expect_exit_code="66">
            <param name="zarr_url" value="/nowhere/image.zarr"/>{required}
            <assert_stderr>
                <has_text text="/nowhere/image.zarr"/>
            </assert_stderr>
        </test>
    </tests>
    <help format="markdown"><![CDATA[
{help}
    ]]></help>
    <citations>
        <citation type="bibtex">@misc{{omtask, title = {{omtask {version}: image-analysis tasks from disk to disk on OME-Zarr}}, year = {{2026}}}}</citation>
    </citations>
</tool>
"""


def field(task: str, name: str, schema: dict[str, Any], required: bool) -> str:
    """One parameter of the form; a field that is left empty is null in the arguments."""
    items = schema.get("items", schema)
    default = schema.get("default")
    choices = CHOICES.get((task, name))
    is_list = schema["type"] == "array" and not choices
    # Galaxy has no field for a list; omtask takes a text with commas for it.
    first = ", ".join(map(str, default)) if is_list and default else default
    words = {"name": name, "label": schema["title"], "help": schema.get("description", "")}
    if schema["type"] == "boolean":
        words |= {"type": "boolean", "checked": str(bool(default)).lower()}
    elif choices or "enum" in items:
        several = choices is not None or schema["type"] == "array"
        words |= {"type": "select", "optional": str(not required and default is None).lower()}
        words |= {"multiple": "true"} if several else {}
        return select(words, choices or items["enum"], default if isinstance(default, list) else [default])
    elif items["type"] in NUMBERS and not is_list:
        words |= {"type": NUMBERS[items["type"]], "optional": str(not required).lower()}
        words |= {"value": str(first)} if first is not None else {"value": ""} if not required else {}
        words |= {key[:3]: str(items[key]) for key in ("minimum", "maximum") if key in items}
    else:
        words |= {"type": "text", "optional": str(not required).lower()}
        words |= {"value": str(first)} if first is not None else {}
        words["help"] += " Several values are separated by commas." if is_list else ""
        if required:
            return f'        <param {attributes(words)}>\n            <validator type="empty_field"/>\n        </param>'
    return f"        <param {attributes(words)}/>"


def select(words: dict[str, str], choices: list[str], chosen: list[Any]) -> str:
    lines = [f"        <param {attributes(words)}>"]
    for choice in choices:
        mark = ' selected="true"' if choice in chosen else ""
        lines.append(f"            <option value={quoteattr(str(choice))}{mark}>{escape(str(choice))}</option>")
    return "\n".join([*lines, "        </param>"])


def attributes(words: dict[str, str]) -> str:
    order = ["name", "type", "checked", "multiple", "optional", "value", "min", "max", "label", "help"]
    return " ".join(f"{key}={quoteattr(words[key])}" for key in order if key in words)


def tool(entry: dict[str, Any], task: str, version: str) -> str:
    """The text of a tool for a task of the manifest."""
    schema = entry["args_schema_parallel"]
    needed = set(schema.get("required", [])) - {"zarr_url"}
    fields = [
        field(task, name, value, name in needed)
        for name, value in schema["properties"].items() if name != "zarr_url"
    ]
    required = "".join(f'\n            <param name="{name}" value="nuclei"/>' for name in sorted(needed))
    return TOOL.format(
        identifier=task.replace("-", "_"), name=quoteattr(entry["name"]), version=version,
        command=COMMAND.format(task=task), fields="\n".join(fields), required=required,
        help=re.sub(r"(?m)^### (.*)$", r"**\1**\n", entry.get("docs_info", "")).replace("]]>", ""))


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--output", type=Path, default=Path("."), help="folder of the tools")
    parser.add_argument("--version", default="0.1.0", help="what `omtask --version` says")
    parser.add_argument("tasks", nargs="+", metavar="TASK")
    given = parser.parse_args()
    entries = {entry["executable_parallel"].split()[-1]: entry for entry in json.load(sys.stdin)["task_list"]}
    for task in given.tasks:
        if task not in entries:
            print(f"make_tools.py: no task `{task}`; there are {', '.join(entries)}", file=sys.stderr)
            return 64
        path = given.output / f"omtask_{task.replace('-', '_')}.xml"
        path.write_text(tool(entries[task], task, given.version))
    return 0


if __name__ == "__main__":
    sys.exit(main())
