"""The tools for Galaxy: checked by its linters, their forms filled by its model, their commands rendered and run."""

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from omtask_testing import engines, samples
from omtask_testing.nextflow import program_folder
from omtask_testing.places import REPOSITORY
from omtask_testing.program import Program, environment
from omtask_testing.reading import listed_labels
from omtask_testing.trees import leftovers, tree

FOLDER = REPOSITORY / "integrations/galaxy"
MAKER = FOLDER / "make_tools.py"
DRIVER = Path(__file__).parent / "omtask_testing/galaxy_driver.py"
PAGE = (REPOSITORY / "docs/galaxy.md").read_text()
THRESHOLD, MEASURE = FOLDER / "omtask_threshold.xml", FOLDER / "omtask_measure.xml"
ODD = """it's $HOME "ü" `x`"""
FILES = {"arguments": "arguments.json", "result": "result.json", "report": "report.json"}
TASKS = [path.stem for path in sorted((REPOSITORY / "Manifests").glob("*.json"))]
# Not all of a form may stay as it is.
NEEDED = {"label": "nuclei", "flat_fields": "flat.npy"}


@pytest.fixture(scope="module")
def drive() -> Any:
    """Asks the driver about some jobs, all in one process."""
    python = engines.python("galaxy")

    def ask(jobs: list[dict[str, Any]]) -> list[dict[str, Any]]:
        done = subprocess.run([python, DRIVER], input=json.dumps(jobs), capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    return ask


@pytest.fixture(scope="module")
def made(omtask: Program, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The tools of all tasks."""
    folder = tmp_path_factory.mktemp("tools")
    make(omtask, folder, TASKS)
    return folder


def make(omtask: Program, folder: Path, tasks: list[str]) -> None:
    manifest = omtask("manifest", "export").stdout
    version = omtask("--version").stdout.strip()
    call = [sys.executable, MAKER, "--output", folder, "--version", version, *tasks]
    subprocess.run(list(map(str, call)), input=manifest, text=True, check=True)


@pytest.fixture(scope="module")
def values(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, Any]]:
    """What is filled into forms, by the name of the test that looks at it."""
    folder = tmp_path_factory.mktemp("images")
    samples.write_series(folder / "image.zarr", 6)
    samples.write_series(folder / f"{ODD}.zarr", 6)
    plain, odd = str(folder / "image.zarr"), str(folder / f"{ODD}.zarr")
    return {
        "threshold": {"zarr_url": plain, "label_name": "nuclei", "min_size": 5},
        "measure": {"zarr_url": plain, "label": "nuclei", "features": ["shape", "euler_number"], "quantiles": 0.25},
        "odd": {"zarr_url": odd, "label_name": ODD},
        "missing": {"zarr_url": plain + ".none"},
        "relative": {"zarr_url": "image.zarr"},
        "method": {"zarr_url": plain, "method": "best"},
        "negative": {"zarr_url": plain, "correction": -1.0},
    }


@pytest.fixture(scope="module")
def labelled(omtask: Program, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A volume with a label image."""
    path = tmp_path_factory.mktemp("labelled") / "image.zarr"
    samples.write_blobs(path, samples.SHARDED, np.random.default_rng(5))
    omtask("run", "threshold", path, "--label-name", "nuclei")
    return path


@pytest.fixture(scope="module")
def answers(
    drive: Any, values: dict[str, dict[str, Any]], made: Path, labelled: Path
) -> dict[str, dict[str, Any]]:
    jobs = {name: {"tool": str(made / f"omtask_{name.replace('-', '_')}.xml")} for name in TASKS}
    asked = {f"task {name}": job for name, job in jobs.items()}
    asked |= {f"form {name}": job | {"values": {"zarr_url": str(labelled)}} for name, job in jobs.items()}
    for name, given in values.items():
        asked[name] = {"tool": str(MEASURE if name == "measure" else THRESHOLD), "values": given}
    return dict(zip(asked, drive(list(asked.values())), strict=True))


def run(answer: dict[str, Any], omtask: Program, folder: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    """The job of a tool as Galaxy runs it: arguments in a file, one line for a shell, outputs that are there already."""
    folder.mkdir(exist_ok=True)
    (folder / "arguments.json").write_text(json.dumps(answer["arguments"]))
    for name in ("result", "report"):
        (folder / FILES[name]).touch()
    own = program_folder(folder / "bin", omtask.path)
    return subprocess.run(
        ["bash", "-c", answer["command"]], cwd=folder, capture_output=True, text=True,
        env=environment({"PATH": own, **variables}))


def test_the_tools_are_those_of_the_manifest(made: Path) -> None:
    for tool in FOLDER.glob("*.xml"):
        assert tool.read_text() == (made / tool.name).read_text(), f"make {tool.name} again with make_tools.py"
    assert {tool.name for tool in FOLDER.glob("*.xml")} == {THRESHOLD.name, MEASURE.name}


@pytest.mark.parametrize("task", TASKS)
def test_the_linters_find_nothing(task: str, answers: dict[str, dict[str, Any]]) -> None:
    assert answers[f"task {task}"]["lint"] == []


@pytest.mark.parametrize("task", TASKS)
def test_an_untouched_form_is_accepted(
    task: str, answers: dict[str, dict[str, Any]], omtask: Program, tmp_path: Path
) -> None:
    arguments = answers[f"form {task}"]["arguments"]
    manifest = json.loads((REPOSITORY / f"Manifests/{task}.json").read_text())
    assert arguments.keys() == manifest["args_schema_parallel"]["properties"].keys()
    filled = arguments | {name: value for name, value in NEEDED.items() if arguments.get(name) == ""}
    (tmp_path / "arguments.json").write_text(json.dumps(filled))
    outcome = omtask("plan", task, "--args-json", tmp_path / "arguments.json", expect=None)
    # All values are taken; only this file is not there.
    expected = (66, "flat.npy") if task == "illumination-correct" else (0, "")
    assert outcome.code == expected[0] and expected[1] in outcome.stderr, outcome


def test_a_threshold_and_its_measurements(
    answers: dict[str, dict[str, Any]], values: dict[str, dict[str, Any]], omtask: Program, tmp_path: Path
) -> None:
    image = Path(values["threshold"]["zarr_url"])
    done = run(answers["threshold"], omtask, tmp_path / "a", GALAXY_SLOTS="2", GALAXY_MEMORY_MB="1000")
    assert done.returncode == 0, done.stderr
    assert "on 2 threads" in done.stderr
    assert json.loads((tmp_path / "a/result.json").read_text()) == {"image_list_updates": [{"zarr_url": str(image)}]}
    assert json.loads((tmp_path / "a/report.json").read_text())["exit_code"] == 0
    assert listed_labels(image) == ["nuclei"]
    # Without Galaxy's variables it is one thread.
    done = run(answers["measure"], omtask, tmp_path / "b")
    assert done.returncode == 0 and "on 1 thread," in done.stderr, done.stderr
    shown = omtask("table", image, "nuclei_features", "--csv", "-").stdout.splitlines()
    assert "euler_number" in shown[0] and "quantile" in shown[0] and len(shown) > 1, shown[0]
    again = run(answers["threshold"], omtask, tmp_path / "c")
    assert again.returncode == 0 and "nothing to do: " in again.stderr
    assert json.loads((tmp_path / "c/result.json").read_text())["image_list_updates"]
    assert leftovers(image) == []


def test_odd_names_reach_the_task_unchanged(
    answers: dict[str, dict[str, Any]], values: dict[str, dict[str, Any]], omtask: Program, tmp_path: Path
) -> None:
    done = run(answers["odd"], omtask, tmp_path / "odd")
    assert done.returncode == 0, done.stderr
    assert listed_labels(Path(values["odd"]["zarr_url"])) == [ODD]


def test_memory_is_four_fifths_of_the_jobs(
    answers: dict[str, dict[str, Any]], values: dict[str, dict[str, Any]], omtask: Program, tmp_path: Path
) -> None:
    before = tree(Path(values["missing"]["zarr_url"]).parent / "image.zarr")
    answer = answers["missing"] | {"command": answers["threshold"]["command"].replace("omtask run", "echo omtask run")}
    done = run(answer, omtask, tmp_path / "a", GALAXY_MEMORY_MB="1000")
    assert done.stdout.split()[-2:] == ["--memory", "800M"], done
    done = run(answer, omtask, tmp_path / "b", GALAXY_SLOTS="3")
    assert done.stdout.split()[-2:] == ["--threads", "3"], done
    assert tree(Path(values["missing"]["zarr_url"]).parent / "image.zarr") == before


@pytest.mark.parametrize(("name", "text"), [("relative", "absolute path"), ("method", "method"), ("negative", "correction")])
def test_forms_refuse_what_the_task_would_refuse(name: str, text: str, answers: dict[str, dict[str, Any]]) -> None:
    assert text.lower() in answers[name]["wrong"].lower(), answers[name]["wrong"]
    assert answers["threshold"]["wrong"] == "" == answers["odd"]["wrong"]


@pytest.mark.parametrize("task", ["threshold", "measure"])
def test_the_tests_of_the_tools_pass(
    task: str, answers: dict[str, dict[str, Any]], omtask: Program, tmp_path: Path
) -> None:
    answer = answers[f"task {task}"]
    (test,) = answer["tests"]
    done = run(answer | {"arguments": test["arguments"]}, omtask, tmp_path / "job")
    assert done.returncode == int(test["code"]) == 66, done
    assert test["stderr"] and all(text in done.stderr for text in test["stderr"])
    assert (tmp_path / "job/result.json").read_text() == ""


def test_the_command_of_the_page(omtask: Program, made: Path, tmp_path: Path) -> None:
    (block,) = re.findall(r"(?ms)^```bash\n(.*?)^```", PAGE)
    (tmp_path / "omtask").symlink_to(REPOSITORY)
    own = program_folder(tmp_path / "bin", omtask.path)
    done = subprocess.run(
        ["bash", "-ec", f"set -o pipefail\n{block}"], cwd=tmp_path, capture_output=True, text=True,
        env=environment({"PATH": own}))
    assert done.returncode == 0, done.stderr
    tools = sorted(path.name for path in tmp_path.glob("*.xml"))
    assert len(tools) == 2 and all((tmp_path / name).read_text() == (made / name).read_text() for name in tools)
