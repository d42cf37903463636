"""The workflow for OMERO on Slurm: its descriptor as BIOMERO reads it, and its script on folders of images."""

import json
import os
import re
import shutil
import signal
import subprocess
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile
import zarr
from biomero_schema.models import WorkflowSchema
from jsonschema import Draft202012Validator

from omtask_testing import patterns, samples
from omtask_testing.images import PlateShape, write_plate
from omtask_testing.jobs import lives, until
from omtask_testing.places import REPOSITORY
from omtask_testing.program import Program, environment
from omtask_testing.trees import tree

FOLDER = REPOSITORY / "integrations/biomero"
SCRIPT = FOLDER / "run-workflow"
DESCRIPTOR = json.loads((FOLDER / "descriptor.json").read_text())

# cytomine-0.1 has a page for people only: doc.uliege.cytomine.org/dev-guide/algorithms/descriptor-reference
TEXT = {"type": "string", "minLength": 1}
CYTOMINE = {
    "type": "object",
    "required": ["name", "container-image", "command-line", "inputs", "schema-version"],
    "properties": {
        "name": TEXT,
        "description": TEXT,
        "schema-version": {"const": "cytomine-0.1"},
        "container-image": {
            "type": "object",
            "required": ["image", "type"],
            "properties": {"image": TEXT, "type": {"enum": ["docker", "singularity"]}},
            "additionalProperties": False,
        },
        "command-line": TEXT,
        "inputs": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["id", "type"],
                "properties": {
                    "id": {"type": "string", "pattern": "^[a-z][a-z0-9_]*$"},
                    "type": {"enum": ["String", "Number", "Boolean", "Domain", "ListDomain"]},
                    "name": TEXT, "description": TEXT, "value-key": TEXT, "command-line-flag": TEXT,
                    "default-value": {}, "optional": {"type": "boolean"},
                    "set-by-server": {"type": "boolean"}, "value-choices": {"type": "array"},
                },
                "additionalProperties": False,
            },
        },
    },
    "additionalProperties": False,
}


# The descriptor


def test_the_descriptor_keeps_the_rules_of_cytomine() -> None:
    Draft202012Validator(CYTOMINE).validate(DESCRIPTOR)
    keys = [f"[{one['id'].upper()}]" for one in DESCRIPTOR["inputs"]]
    assert DESCRIPTOR["command-line"].split() == ["run-workflow", *keys]
    for one in DESCRIPTOR["inputs"]:
        assert (one["value-key"], one["command-line-flag"]) == ("[@ID]", "--@id")
        assert one["default-value"] in one.get("value-choices", [one["default-value"]])


def test_biomero_reads_the_descriptor() -> None:
    """As its adapter makes one of its own of such a descriptor."""
    types = {"String": "string", "Boolean": "boolean"}
    inputs = []
    for one in DESCRIPTOR["inputs"]:
        number = "float" if isinstance(one["default-value"], float) else "integer"
        flag = one["command-line-flag"].replace("@id", one["id"])
        more = {"type": types.get(one["type"], number), "command-line-flag": flag, "file-attachment": False}
        inputs.append(one | more)
    names = {"authors": [{"name": "Unknown"}], "institutions": [], "outputs": []}
    citation = {"name": "Unknown", "license": "Unknown", "description": "none"}
    read = WorkflowSchema.model_validate({
        **DESCRIPTOR, **names, "inputs": inputs, "citations": [citation], "schema-version": "1.0.0",
    })
    assert [one.id for one in read.inputs] == [one["id"] for one in DESCRIPTOR["inputs"]]
    # It takes the name behind the only slash for the file of the image, and upper-case ids for variables.
    assert DESCRIPTOR["container-image"]["image"].count("/") == 1
    assert not {one["id"].upper() for one in DESCRIPTOR["inputs"]} & {*os.environ, "DATA_PATH", "IMAGE_PATH"}


def test_the_methods_are_those_of_the_task() -> None:
    manifest = json.loads((REPOSITORY / "Manifests/threshold.json").read_text())
    properties = manifest["args_schema_parallel"]["properties"]
    for one in DESCRIPTOR["inputs"]:
        if choices := one.get("value-choices"):
            assert sorted(choices) == sorted(properties[one["id"]]["enum"])


# The script


def as_biomero(folder: Path, changes: dict[str, Any], omtask: Program) -> tuple[list[str], dict[str, str]]:
    """The call of BIOMERO's job script: each value is a variable, and its flag names that in quotes."""
    values = {one["id"]: one["default-value"] for one in DESCRIPTOR["inputs"]}
    assert set(changes) <= set(values)
    values |= changes
    flags = " ".join(f'--{name}="${name.upper()}"' for name in values)
    line = (
        f'"{SCRIPT}" --infolder "$DATA_PATH/data/in" --gtfolder "$DATA_PATH/data/gt" '
        f'--outfolder "$DATA_PATH/data/out" {flags} --local -nmc')
    variables = {name.upper(): str(value) for name, value in values.items()}
    more = {"DATA_PATH": str(folder), "OMTASK": str(omtask.path), "TMPDIR": str(folder / "tmp")}
    return ["bash", "-c", line], environment(variables | more)


def run(folder: Path, omtask: Program, expect: int = 0, **changes: Any) -> str:
    """Runs the workflow; nothing may be left in the temporary folder or of a result that was not made."""
    (folder / "tmp").mkdir(exist_ok=True)
    call, env = as_biomero(folder, changes, omtask)
    done = subprocess.run(call, env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    assert done.returncode == expect, done.stdout
    assert not any((folder / "tmp").iterdir())
    assert not [path.name for path in (folder / "data/out").glob(".*")]
    return done.stdout


def made(folder: Path) -> list[str]:
    return sorted(path.name for path in (folder / "data/out").iterdir())


@pytest.fixture(scope="module")
def images(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with OME-Zarr images of both formats, a plate, and TIFF files; spaces in the names."""
    folder = tmp_path_factory.mktemp("workflow") / "my job/data/in"
    folder.mkdir(parents=True)
    rng = np.random.default_rng(5)
    samples.write_blobs(folder / "old image.zarr", samples.V2, rng, shape=(6, 30, 28))
    samples.write_blobs(
        folder / "new.ome.tif [Well A1].zarr", samples.SHARDED, rng, axes="czyx", shape=(2, 6, 24, 24),
        channels=("DAPI", "GFP"))
    shape = PlateShape(1, 2, 1)
    fields = {path: samples.blobs_image(samples.V2, rng, shape=(4, 16, 16)) for path in shape.images}
    write_plate(folder / "plate.zarr", shape, fields)
    stack = np.stack([patterns.intensities(patterns.blobs((40, 50), rng), "uint16", rng) for _ in range(3)])
    tifffile.imwrite(folder / "my stack.ome.tif", stack, metadata={"axes": "ZYX"})
    tifffile.imwrite(folder / "flat.TIFF", stack[0])
    (folder / "notes.txt").write_text("not an image")
    return folder.parents[1]


@pytest.fixture
def job(images: Path, tmp_path: Path) -> Path:
    return shutil.copytree(images, tmp_path / "my job")


def direct(omtask: Program, job: Path, name: str, *words: str) -> np.ndarray:
    """The label image that a direct call makes of a TIFF file."""
    target = job / f"{name}.zarr"
    omtask("run", "threshold", job / "data/in" / name, "--output", target, *words)
    return zarr.open_group(target, mode="r")["0"][...]


def test_all_images_get_a_result_of_their_name(job: Path, omtask: Program) -> None:
    source = job / "data/in"
    before = tree(source)
    said = run(job, omtask)
    assert tree(source) == before
    names = sorted(path.name for path in source.iterdir() if path.suffix != ".txt")
    assert made(job) == names
    assert re.findall(r"\d+%", said) == ["20%", "40%", "60%", "80%", "100%"], said
    for name in names:
        result, wanted = job / "data/out" / name, job / "wanted" / name
        if name.endswith(".zarr"):
            shutil.copytree(source / name, wanted)
            omtask("run", "threshold", wanted, "--channel", "0", "--method", "otsu", "--smooth", "none",
                   "--label-name", "segmented")
            assert tree(result) == tree(wanted), name
        else:
            labels = tifffile.imread(result)
            assert labels.max() > 1 and np.array_equal(labels, direct(omtask, job, name).squeeze()), name
    # Again, with a result that is there.
    for path in (*source.glob("*.ome*"), source / "plate.zarr"):
        shutil.rmtree(path) if path.is_dir() else path.unlink()
    run(job, omtask, min_size=1000000)
    assert made(job) == names
    assert tifffile.imread(job / "data/out/flat.TIFF").max() == 0


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"method": "fixed", "threshold": "600.5"}, ["--method", "fixed", "--threshold", "600.5"]),
        ({"smooth": "gaussian", "sigma": 1.5}, ["--smooth", "gaussian", "--sigma", "1.5"]),
        ({"smooth": "median", "method": "li"}, ["--smooth", "median", "--method", "li"]),
        ({"min_size": 12, "clear_border": True}, ["--min-size", "12", "--clear-border"]),
    ],
    ids=str,
)
def test_parameters_arrive(changes: dict[str, Any], words: list[str], job: Path, omtask: Program) -> None:
    for path in (job / "data/in").glob("*.zarr"):
        shutil.rmtree(path)
    run(job, omtask, **changes)
    for name in ("my stack.ome.tif", "flat.TIFF"):
        wanted = direct(omtask, job, name, *words).squeeze()
        assert np.array_equal(tifffile.imread(job / "data/out" / name), wanted), name


def test_a_channel_a_name_and_a_table(job: Path, omtask: Program) -> None:
    source, name = job / "data/in", "new.ome.tif [Well A1].zarr"
    for path in source.iterdir():
        if path.name != name:
            shutil.rmtree(path) if path.is_dir() else path.unlink()
    said = run(job, omtask, channel="GFP", label_name="my cells", measure=True)
    assert said.count("100% 1/1") == 1
    copy = shutil.copytree(source / name, job / "copy.zarr")
    omtask("run", "threshold", copy, "--channel", "GFP", "--method", "otsu", "--label-name", "my cells",
           "--smooth", "none")
    omtask("run", "measure", copy, "--label", "my cells", "--table-name", "measured")
    ours, theirs = tree(job / "data/out" / name), tree(copy)
    # The table knows the moment at which the label image was written.
    del ours["tables/measured/zarr.json"], theirs["tables/measured/zarr.json"]
    assert ours == theirs
    table = (job / "data/out" / f"{name}.csv").read_text()
    assert table == omtask("table", copy, "measured", "--csv", "-").stdout
    assert made(job) == [name, f"{name}.csv"]


def test_images_that_fail_are_named_and_the_others_are_done(job: Path, omtask: Program) -> None:
    source = job / "data/in"
    (source / "cut.tif").write_bytes((source / "flat.TIFF").read_bytes()[:100])
    (source / "no image.zarr").mkdir()
    chunk = next(path for path in sorted((source / "old image.zarr/0").rglob("*")) if path.name.isdigit() and path.is_file())
    chunk.write_bytes(b"no chunk")
    said = run(job, omtask, expect=65)
    assert made(job) == ["flat.TIFF", "my stack.ome.tif", "new.ome.tif [Well A1].zarr", "plate.zarr"]
    assert said.splitlines()[-3:] == [
        f"run-workflow: failed: {name}" for name in ("no image.zarr", "old image.zarr", "cut.tif")]
    assert said.count("omtask: error[") == 3 and "100% 7/7 images" in said
    # One of another kind.
    for path in (source / "plate.zarr", source / "new.ome.tif [Well A1].zarr"):
        shutil.rmtree(path)
    samples.write_blobs(
        source / "three.zarr", samples.V2, np.random.default_rng(1), axes="czyx", shape=(1, 4, 20, 20))
    said = run(job, omtask, expect=1, channel="1")
    assert "three.zarr failed" in said


@pytest.mark.parametrize(
    ("changes", "code", "text"),
    [
        ({"method": "fixed"}, 64, "threshold"),
        ({"threshold": "12"}, 64, "method"),
        ({"threshold": "abc", "method": "fixed"}, 64, "`abc`"),
        ({"sigma": "x", "smooth": "gaussian"}, 64, "`x`"),
        ({"clear_border": "maybe"}, 64, "--clear_border is `maybe`"),
        ({"label_name": "a/b"}, 77, "the label name `a/b` has a `/`"),
    ],
    ids=str,
)
def test_wrong_values_make_nothing(
    changes: dict[str, Any], code: int, text: str, job: Path, omtask: Program
) -> None:
    said = run(job, omtask, expect=code, **changes)
    assert text in said
    assert not (job / "data/out").exists() or made(job) == []


@pytest.mark.parametrize("what", ["empty", "others", "gone"])
def test_a_folder_without_images_is_said(what: str, tmp_path: Path, omtask: Program) -> None:
    source = tmp_path / "data/in"
    if what != "gone":
        source.mkdir(parents=True)
    if what == "others":
        (source / "image.png").touch()
    said = run(tmp_path, omtask, expect=66)
    assert ("no such folder" if what == "gone" else "no *.zarr, *.tif or *.tiff in it") in said
    assert not (tmp_path / "data/out").exists()


@pytest.mark.parametrize(
    ("words", "text"),
    [
        (["--infolder", "x"], "--outfolder is missing"),
        (["--outfolder=x"], "--infolder is missing"),
        (["--infolder"], "--infolder has no value"),
        (["--speed", "9"], "no option --speed"),
        (["x"], "`x` is no option"),
    ],
    ids=str,
)
def test_wrong_calls_are_refused(words: list[str], text: str) -> None:
    done = subprocess.run([SCRIPT, *words], capture_output=True, text=True)
    assert done.returncode == 64 and text in done.stderr


def test_a_program_that_is_not_there_is_said(job: Path) -> None:
    call = [SCRIPT, "--infolder", job / "data/in", "--outfolder", job / "out"]
    done = subprocess.run(call, capture_output=True, text=True, env=environment({"OMTASK": "/no/omtask"}))
    assert done.returncode == 69 and "there is no program /no/omtask" in done.stderr
    assert not (job / "out").exists()


def test_the_command_of_the_page_works(job: Path, omtask: Program) -> None:
    (block,) = re.findall(r"(?ms)^```bash\n(.*?)^```", (REPOSITORY / "docs/containers.md").read_text())
    (job / "integrations").symlink_to(REPOSITORY / "integrations")
    (job / "in").symlink_to(job / "data/in")
    for path in (job / "in").glob("*.ome*"):
        shutil.rmtree(path) if path.is_dir() else path.unlink()
    env = environment({"PATH": f"{omtask.path.parent}:{os.environ['PATH']}"})
    done = subprocess.run(["bash", "-ec", block], cwd=job, env=env, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    assert len([*(job / "out").iterdir()]) == 6


def test_help_names_every_parameter() -> None:
    said = subprocess.run([SCRIPT, "--help"], capture_output=True, text=True, check=True).stdout
    assert all(f"--{one['id']} " in said for one in DESCRIPTOR["inputs"])


# A program that takes its time, as a large image does.
SLOW = """#!/bin/bash
case "$2 $*" in "threshold"*--dry-run*) ;; "threshold"*) echo $$ >"{pid}"; exec sleep 100 ;; esac
exec "{omtask}" "$@"
"""


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_stopped_workflow_leaves_nothing(number: int, job: Path, omtask: Program) -> None:
    slow, pid = job / "slow", job / "pid"
    slow.write_text(SLOW.format(pid=pid, omtask=omtask.path))
    slow.chmod(0o755)
    (job / "tmp").mkdir()
    env = environment({"OMTASK": str(slow), "TMPDIR": str(job / "tmp")})
    call = [SCRIPT, "--infolder", job / "data/in", "--outfolder", job / "data/out"]
    started = subprocess.Popen(call, env=env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        until(lambda: pid.exists() and pid.read_text(), 20, "the first image")
        start = time.monotonic()
        started.send_signal(number)
        assert started.wait(10) == 128 + number
        assert time.monotonic() - start < 5
    finally:
        started.kill()
    assert not lives(int(pid.read_text()))
    assert not any((job / "data/out").iterdir()) and not any((job / "tmp").iterdir())
    for path in (job / "tmp", job / "data/out"):
        path.rmdir()
    run(job, omtask)
    assert len(made(job)) == 5


def test_the_script_is_clean() -> None:
    shellcheck = shutil.which("shellcheck")
    if shellcheck is None:
        pytest.skip("no shellcheck")
    done = subprocess.run([shellcheck, SCRIPT], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout
