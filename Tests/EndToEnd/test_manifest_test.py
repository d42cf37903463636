"""`omtask manifest test`: tasks that depend on how the work is cut are found, the others are confirmed."""

import json
import re
import shlex
import shutil
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from scipy import ndimage

from omtask_testing import patterns, samples
from omtask_testing.image_programs import trouble, write_own
from omtask_testing.images import Image, downsampled, write_image
from omtask_testing.layouts import Layout, blosc_v2
from omtask_testing.places import REPOSITORY, room_in_memory
from omtask_testing.program import Outcome, Program, environment
from omtask_testing.reading import read_multiscale
from omtask_testing.tasks import EXAMPLES, PYTHON, SPREAD, write_task
from omtask_testing.trees import tree

HALO = {"z": "radius", "y": "radius", "x": "radius"}
# Thousands of small files are made; a folder in memory makes the tests quicker.
ROOM = room_in_memory()
RADIUS = {"radius": {"type": "integer", "minimum": 0, "default": 2}}
HEAD = """
import numpy
from omtask_region import serve
"""
@pytest.fixture(scope="module")
def sample(tmp_path_factory: pytest.TempPathFactory, omtask: Program) -> Path:
    """An image of blobs with a label image."""
    rng = np.random.default_rng(3)
    data = patterns.intensities(patterns.blobs((9, 61, 67), rng), "uint16", rng)
    path = tmp_path_factory.mktemp("sample") / "image.zarr"
    write_image(path, Image("zyx", downsampled("zyx", data, 2), samples.SHARDED))
    omtask.run("threshold", path, parameters={"label_name": "nuclei"})
    return path


def trial(
    omtask: Program, task: str | Path, sample: Path, *words: str | Path, expect: int = 0
) -> Outcome:
    python = PYTHON if str(task).endswith(".json") and "invert" not in str(task) else []
    return omtask(
        "manifest", "test", task, "--input", sample, *words, *python, expect=expect, env=ROOM)


# Tasks that keep their promise


@pytest.mark.parametrize(("task", "words"), [
    ("gaussian-blur", ["--sigma", "1.3"]), ("median", ["--radius", "1"]), ("convert", []),
    ("threshold", ["--method", "otsu", "--min-size", "4"]), ("threshold", ["--threshold", "9000", "--no-objects"]),
    ("threshold", ["--smooth", "gaussian", "--sigma", "1", "--masking-label", "nuclei"]),
    ("project", ["--axis", "y", "--method", "mean"]), ("pyramid", []),
    ("label-objects", ["--label", "nuclei"]),
    ("label-objects", ["--label", "nuclei", "--mode", "equal-values", "--connectivity", "faces"]),
    ("filter-labels", ["--label", "nuclei", "--min-size", "20"]),
    ("measure", ["--label", "nuclei"]), ("masking-roi-table", ["--label", "nuclei"]),
], ids=lambda value: value if isinstance(value, str) else "")
def test_every_built_in_task_is_confirmed(
    task: str, words: list[str], omtask: Program, sample: Path
) -> None:
    said = trial(omtask, task, sample, "--rounds", "8", *words).stdout.splitlines()
    # A Gaussian smooths no masks: what is refused is told, and not compared.
    assert re.search("the same bit for bit however it is cut, in [678] of 8 rounds", said[0])


def test_profiles_fit_the_whole_sample_only(omtask: Program, sample: Path, tmp_path: Path) -> None:
    flat = np.random.default_rng(1).uniform(0.5, 1, size=(61, 67))
    np.save(tmp_path / "flat.npy", flat)
    said = trial(omtask, "illumination-correct", sample, "--flat-fields", tmp_path / "flat.npy").stdout
    assert "in 20 of 20 rounds" in said
    assert "does not take" in said


@pytest.mark.parametrize(("task", "says"), [
    ("uniform-filter", "(class E): the same bit for bit however it is cut"),
    ("otsu-planes", "(class E): the same bit for bit however it is cut"),
    ("cells", "(class H): the same bit for bit on any number of threads"),
    ("invert", "(class E): the same bit for bit however it is cut"),
])
def test_programs_are_confirmed(task: str, says: str, omtask: Program, sample: Path) -> None:
    said = trial(omtask, EXAMPLES / task / f"{task}.json", sample, "--rounds", "6").stdout
    assert f"{says}, in 6 of 6 rounds" in said


def test_types_sizes_and_regions_vary(omtask: Program, sample: Path, tmp_path: Path) -> None:
    """What the program was given: all types that are declared, many sizes, many regions."""
    seen = HEAD + """
def look(tile, region):
    with open(region.parameters["log"], "a") as log:
        print(tile.dtype, *region.image["shape"], *tile.shape, file=log)
    return tile

serve(look)
"""
    log = tmp_path / "log"
    task = write_task(tmp_path / "task", "Look", seen, {"log": {"type": "string"}})
    said = json.loads(trial(omtask, task, sample, "--rounds", "50", "--json", "--log", log).stdout)
    assert said["confirmed"] and said["equal"] == 50 and said["regions"] > 30
    lines = {tuple(line.split()) for line in log.read_text().splitlines()}
    assert len({line[0] for line in lines}) == 12 == len(said["dtypes"])
    assert len({line[1:4] for line in lines}) > 15
    assert len({line[4:] for line in lines}) > 100
    assert any("1" in line[1:4] for line in lines)


def test_nothing_is_written_into_the_sample_and_nothing_stays(
    omtask: Program, sample: Path, tmp_path: Path
) -> None:
    before = tree(sample.parent)
    env = {"TMPDIR": str(tmp_path)}
    words = ["manifest", "test", "gaussian-blur", "--input", sample, "--sigma", "1", "--rounds", "3"]
    omtask(*words, env=env)
    assert not list(tmp_path.iterdir())
    assert tree(sample.parent) == before


@pytest.mark.parametrize("axes", ["yx", "czyx", "tczyx"])
def test_a_large_sample_is_read_in_part(axes: str, omtask: Program, tmp_path: Path) -> None:
    shape = {"t": 4, "c": 2, "z": 5, "y": 900, "x": 1300}
    data = np.random.default_rng(5).integers(0, 200, size=[shape[a] for a in axes]).astype(np.uint8)
    layout = Layout("v2", "0.4", (1, 1, 2, 300, 500)[-len(axes):], compression=(blosc_v2("lz4", 1),))
    image = write_image(tmp_path / "image.zarr", Image(axes, [data], layout))
    said = trial(omtask, "median", image, "--radius", "1", "--rounds", "4", "--json")
    assert json.loads(said.stdout)["equal"] == 4


# Tasks that do not


WRONG = {
    # The halo is smaller than what the function looks at.
    "halo": (SPREAD, {"halo": {"z": "radius", "y": 1, "x": "radius"}}),
    # The result knows where its region begins.
    "origin": (HEAD + """
serve(lambda tile, region: tile + (region.origin[2] > 0))
""", {}),
    # A statistic of the region instead of the whole.
    "statistic": (HEAD + """
serve(lambda tile, region: (tile > tile.mean()).astype(tile.dtype))
""", {}),
    # What was computed before is remembered.
    "memory": (HEAD + """
calls = 0

def compute(tile, region):
    global calls
    calls += 1
    return tile + (calls % 5 == 0)

serve(compute)
""", {}),
    # Objects of a region end at its border, and this is called exact.
    "objects": (HEAD + """
serve(lambda tile, region: (tile > 0).astype(numpy.uint32))
""", {"kind": "label", "region": "any"}),
}


@pytest.mark.parametrize("fault", WRONG)
def test_a_wrong_task_is_found(fault: str, omtask: Program, sample: Path, tmp_path: Path) -> None:
    program, block = WRONG[fault]
    task = write_task(tmp_path / "task", "Wrong", program, RADIUS, **block)
    done = trial(omtask, task, sample, expect=1)
    said = done.stdout.splitlines()
    assert said[0].startswith("wrong (class E): not the same bit for bit however it is cut, after ")
    voxel = re.fullmatch(
        r"the first voxel that differs: (image sample_made|label made).*, z=\d+ y=\d+ x=\d+: (\d+) in the reference, "
        r"(\d+) in the trial", said[1])
    assert voxel and voxel[2] != voxel[3]
    assert re.match(r"  sample: \w+, \d+ x \d+ x \d+ \(z, y, x\)( from z=\d+ y=\d+ x=\d+ on)?$", said[2])
    assert "1 region, chunks of" in said[3] and "regions, chunks of" in said[4]
    assert "depends on how the work is cut" in done.stderr
    # The command that is shown does the same round again, and no other.
    again = shlex.split(said[5].removeprefix("  again: "))
    assert again[-2:] == ["--rounds", "1"]
    if fault == "memory":
        # What it did before is not repeated, so it may not err again.
        return
    repeated = omtask(*again[1:], expect=1).stdout.splitlines()
    assert repeated[0].endswith("after 0 equal rounds")
    assert repeated[1:] == said[1:]
    answer = json.loads(omtask(*again[1:], "--json", expect=1).stdout)
    assert not answer["confirmed"] and answer["equal"] == 0
    assert list(answer["difference"]["place"]) == ["z", "y", "x"]


def test_the_voxel_that_is_shown_is_the_first(omtask: Program, tmp_path: Path) -> None:
    """The task errs at the first voxel of each region but the first one."""
    program = HEAD + """
def compute(tile, region):
    made = tile.copy()
    if any(region.origin):
        made.flat[0] += 7
    return made

serve(compute)
"""
    task = write_task(tmp_path / "task", "Wrong", program)
    data = np.arange(40 * 50, dtype=np.uint16).reshape(40, 50)
    image = write_image(tmp_path / "image.zarr", Image("yx", [data], Layout("v3", "0.5", (40, 50))))
    for seed in (0, 1):
        done = trial(omtask, task, image, "--seed", str(seed), "--json", expect=1)
        difference = json.loads(done.stdout)["difference"]
        if difference["seed"] > 1:
            continue
        place = difference["place"]
        assert int(difference["expected"]) == data[place["y"], place["x"]]
        assert int(difference["found"]) == data[place["y"], place["x"]] + 7
        # Regions follow each other along x first: nothing differs in the rows before.
        assert place["y"] == 0 or place["x"] == 0


def test_class_h_is_compared_on_the_same_regions(
    omtask: Program, sample: Path, tmp_path: Path
) -> None:
    """What depends on regions alone keeps the promise of class H; what depends on more does not."""
    origin, _ = WRONG["origin"]
    task = write_task(tmp_path / "one", "Mine", origin, RADIUS, exactness="H")
    assert "on any number of threads, in 5 of 5 rounds" in trial(omtask, task, sample, "--rounds", "5").stdout
    program = HEAD + """
import os
serve(lambda tile, region: tile + os.getpid() % 97)
"""
    task = write_task(tmp_path / "two", "Mine", program, RADIUS, exactness="H")
    done = trial(omtask, task, sample, expect=1)
    assert "differs between threads" in done.stderr


# What is said to wrong calls, and to tasks that fail


def test_a_type_that_is_declared_and_not_taken_is_told(
    omtask: Program, sample: Path, tmp_path: Path
) -> None:
    program = HEAD + """
def compute(tile, region):
    if tile.dtype.kind == "f":
        raise ValueError("no floats here")
    return tile

serve(compute)
"""
    task = write_task(tmp_path / "task", "Picky", program)
    said = json.loads(trial(omtask, task, sample, "--rounds", "40", "--json").stdout)
    assert said["confirmed"] and said["refused"] > 0 and said["equal"] + said["refused"] == 40
    assert any("float" in text and "no floats here" in text for text in said["refusals"])
    broken = write_task(tmp_path / "broken", "Broken", "raise SystemExit(3)")
    assert "3" in trial(omtask, broken, sample, expect=1).stderr


def test_what_is_gone_is_not_named(omtask: Program, sample: Path, tmp_path: Path) -> None:
    """The log of a program that does whole images lies in the temporary folder."""
    task = write_own(tmp_path / "task")
    trouble(task, **{"sample.zarr": "exit"})
    said = trial(omtask, task, sample, expect=1).stderr
    assert "ended with exit code 3" in said and "because of this" in said
    assert "its log is" not in said


def test_a_sample_that_cannot_be_cut_says_so(omtask: Program, tmp_path: Path) -> None:
    image = Image("yx", [np.zeros((1, 1), np.uint8)], Layout("v3", "0.5", (1,)))
    tiny = write_image(tmp_path / "image.zarr", image)
    assert "no round had a second region" in trial(omtask, "median", tiny).stdout


def test_wrong_calls(omtask: Program, sample: Path, tmp_path: Path) -> None:
    test = ["manifest", "test"]
    assert "no task" in omtask(*test, "--input", sample, expect=64).stderr
    assert "`--input` is missing" in omtask(*test, "median", expect=64).stderr
    assert "no task named `medain`" in omtask(*test, "medain", "--input", sample, expect=64).stderr
    assert "`--radus`" in omtask(*test, "median", "--radus", "1", "--input", sample, expect=64).stderr
    assert "neither a flag" in omtask(*test, "median", sample, "--input", sample, expect=64).stderr
    assert "`--rounds` is `0`" in omtask(*test, "median", "--rounds", "0", "--input", sample, expect=64).stderr
    assert "`--seed` is `x`" in omtask(*test, "median", "--seed", "x", "--input", sample, expect=64).stderr
    assert "built in" in omtask(*test, "median", "--python", "x", "--input", sample, expect=64).stderr
    omtask(*test, "median", "--input", tmp_path / "none.zarr", expect=66)
    # What the task says to the whole sample ends the test with its own code.
    said = omtask(*test, "filter-labels", "--label", "none", "--input", sample, expect=64).stderr
    assert "no label image `none`" in said


def test_parameters_of_a_task_may_be_called_like_the_flags(
    omtask: Program, sample: Path, tmp_path: Path
) -> None:
    """Then the flags are the task's, and the rounds begin with the first."""
    program = HEAD + """
p = None
serve(lambda tile, region: tile + region.parameters["seed"] * (region.origin[2] > 0))
"""
    task = write_task(tmp_path / "task", "Seeded", program, {"seed": {"type": "integer", "default": 0}})
    assert "20 of 20" in trial(omtask, task, sample).stdout
    again = trial(omtask, task, sample, "--seed", "3", expect=1).stdout.splitlines()[-1]
    words = shlex.split(again.removeprefix("  again: "))
    assert "--seed=3" in words and "--rounds" in words
    assert "in the trial" in omtask(*words[1:], expect=1).stdout


def test_a_signal_leaves_nothing(omtask: Program, sample: Path, tmp_path: Path) -> None:
    program = SPREAD.replace("def spread(tile, region):", "import time\ndef spread(tile, region):\n    time.sleep(0.2)")
    task = write_task(tmp_path / "task", "Slow", program, RADIUS, halo=HALO)
    room = tmp_path / "room"
    room.mkdir()
    command = [omtask.path, "manifest", "test", task, "--input", sample, *PYTHON]
    with subprocess.Popen(
        command, env=environment({"TMPDIR": str(room)}),
        stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    ) as running:
        time.sleep(1.5)
        assert list(room.iterdir())
        running.terminate()
        assert running.wait(timeout=10) == 143
    assert not [path for path in room.iterdir() if "trials" in path.name]


# What the pages for authors say


def test_the_commands_of_the_tutorial(omtask: Program, sample: Path, tmp_path: Path) -> None:
    """From nothing to four ranks in Python, by the commands of the page alone."""
    page = (REPOSITORY / "docs/tutorial-python.md").read_text()
    every = re.findall(r"^```(\w*)\n(.*?)^```$", page, re.DOTALL | re.MULTILINE)
    blocks = [text for language, text in every if not language]
    assert len(blocks) == 5
    shutil.copytree(sample, tmp_path / "image.zarr")
    tools = tmp_path / "tools"
    tools.mkdir()
    (tools / "omtask").symlink_to(omtask.path.resolve())
    (tools / "python3").write_text(f'#!/bin/sh\nexec {sys.executable} "$@"\n')
    (tools / "python3").chmod(0o755)
    env = environment(ROOM)
    env["PATH"] = f"{tools}:{env['PATH']}"

    def play(blocks: list[str], folder: Path) -> subprocess.CompletedProcess[str]:
        words = ["bash", "-e", "-c", "\n".join(blocks)]
        return subprocess.run(words, cwd=folder, env=env, capture_output=True, text=True, timeout=120)

    done = play(blocks, tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "the pieces equal the whole" in done.stdout
    assert "bright-spots (class E): the same bit for bit however it is cut, in 20 of 20 rounds" in done.stdout
    assert (tmp_path / "bright-spots/spots.png").exists()
    data = read_multiscale(sample).levels[0]
    made = read_multiscale(tmp_path / "image_bright-spots.zarr").levels[0]
    assert np.array_equal(made, ndimage.maximum_filter(data, (1, 5, 5), mode="nearest"))
    # What the page says to write to see that the test finds something.
    manifest = tmp_path / "bright-spots/bright-spots.json"
    text = manifest.read_text()
    wrong = text.replace(',\n      "x": "radius"', "")
    assert wrong != text
    manifest.write_text(wrong)
    done = play([blocks[3]], tmp_path / "bright-spots")
    assert done.returncode == 1 and "the first voxel that differs" in done.stdout


@pytest.mark.parametrize("language", ["python", "shell"])
def test_the_page_of_a_new_task(language: str, omtask: Program, tmp_path: Path) -> None:
    """Every call that the page of a new task names works as it stands there."""
    folder = tmp_path / "bright-spots"
    omtask("manifest", "new", "Bright Spots", "--language", language, "--output", folder)
    page = re.search(r"```\n(.*)```", (folder / "README.md").read_text(), re.DOTALL)
    data = np.random.default_rng(1).integers(0, 256, size=(3, 60, 71)).astype(np.uint8)
    layout = Layout("v3", "0.5", (3, 30, 30))
    write_image(folder / "IMAGE.zarr", Image("zyx", downsampled("zyx", data, 2), layout))
    tools = {"PATH": f"{omtask.path.resolve().parent}:{Path(sys.executable).parent}:/usr/bin:/bin"}
    done = subprocess.run(
        ["bash", "-e", "-c", page[1]], cwd=folder, env=environment(ROOM | tools), capture_output=True,
        text=True, timeout=120)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "no mistakes" in done.stdout and "in 20 of 20 rounds" in done.stdout
    made = read_multiscale(folder / "IMAGE_bright-spots.zarr").levels[0]
    ought = ndimage.maximum_filter(data, (1, 3, 3), mode="nearest") if language == "python" else 255 - data
    assert np.array_equal(made, ought)


def test_the_page_about_swift_names_the_calls_of_a_new_package(
    omtask: Program, tmp_path: Path
) -> None:
    """test_swift_package.py plays those of the package."""
    folder = tmp_path / "bright-spots"
    omtask("manifest", "new", "Bright Spots", "--language", "swift", "--output", folder)
    calls = re.search(r"```\n(.*)```", (folder / "README.md").read_text(), re.DOTALL)[1].splitlines()
    page = (REPOSITORY / "docs/swift-tasks.md").read_text().splitlines()
    for call in calls:
        assert call.split("  #")[0].rstrip().replace("IMAGE.zarr", "../image.zarr") in page
