"""Programs that do images by themselves: found, called, spread, logged, done once, gone on with."""

import json
import os
import shutil
import signal
import subprocess
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from jsonschema import Draft202012Validator

from omtask_testing.image_programs import (
    DEFINITIONS, NAME, NESTED, PYTHON, fractal_task, forget, make_plate, noted, trouble, write_own,
    write_package,
)
from omtask_testing.images import PlateShape
from omtask_testing.jobs import Job, lives, until
from omtask_testing.places import REPOSITORY
from omtask_testing.program import Program, environment, mpirun
from omtask_testing.trees import tree

SHAPE = PlateShape(2, 3, 1)
PLACE = "#mark-cells-fast"


@pytest.fixture
def task(tmp_path: Path) -> Path:
    return write_package(tmp_path / "package")


@pytest.fixture
def plate(tmp_path: Path, rng: np.random.Generator) -> Path:
    make_plate(tmp_path / "plate.zarr", rng, SHAPE)
    return tmp_path / "plate.zarr"


def images(plate: Path) -> list[Path]:
    return [plate / place for place in SHAPE.images]


def assert_marked(plate: Path, name: str = "marked", without: tuple[str, ...] = ()) -> None:
    """Every image has its label and its record, but for some, and nothing else is left."""
    for image in images(plate):
        label = image / "labels" / name
        if str(image.relative_to(plate)) in without:
            continue
        assert tree(label / "0") == tree(image / "0")
        assert name in json.loads((image / "labels/zarr.json").read_text())["attributes"]["ome"]["labels"]
        beside = image.parent / f".{image.name}.omtask"
        assert not [entry for entry in beside.iterdir() if entry.suffix not in (".json", ".log")]
    assert not list(plate.rglob(".omtask"))


def assert_gone(task: Path) -> None:
    pids = [int(pid) for pid in noted(task, "pid")]
    assert pids
    until(lambda: not any(map(lives, pids)), 5, f"processes {pids} are gone")


# Calls and what is told


@pytest.mark.parametrize(("ranks", "threads"), [(None, 1), (None, 3), (2, 1), (3, 2)])
def test_every_image_is_done_once_on_any_engine(
    ranks: int | None, threads: int, task: Path, plate: Path, omtask: Program, tmp_path: Path
) -> None:
    out = tmp_path / "out.json"
    call: dict[str, Any] = {
        "ranks": ranks, "threads": threads, "extra": [*PYTHON, "--out-json", out]}
    outcome = omtask.run(f"{task}{PLACE}", plate, **call)
    assert sorted(noted(task, "done")) == [str(image) for image in images(plate)]
    assert_marked(plate)
    assert outcome.report.with_status("done") == [str(image) for image in images(plate)]
    first = outcome.report.images[0]
    assert [o["name"] for o in first["outputs"]] == ["marked"]
    assert Path(first["log"]).read_text().startswith("begin /")
    updates = json.loads(out.read_text())
    assert updates == {"image_list_updates": [{"zarr_url": str(image)} for image in images(plate)]}
    before = tree(plate)
    forget(task)
    start = time.monotonic()
    again = omtask.run(f"{task}{PLACE}", plate, **call)
    assert time.monotonic() - start < 3
    assert not noted(task, "image") and tree(plate) == before
    assert len(again.report.with_status("skipped")) == len(images(plate))
    assert json.loads(out.read_text()) == updates


def test_the_program_is_called_as_fractal_does(
    task: Path, plate: Path, omtask: Program, tmp_path: Path
) -> None:
    given = {"channel": {"label": "A"}, "steps": [{"sigma": 1.50}], "threads": 7, "name": None}
    file = tmp_path / "args.json"
    file.write_text(json.dumps(given))
    secrets = {"AWS_SECRET_ACCESS_KEY": "hush", "FOO": "kept"}
    image = images(plate)[0]
    omtask.run(
        f"{task}{PLACE}", image, ranks=2, env=secrets,
        extra=[*PYTHON, "--args-json", file, "--flag", "--steps", '[{"sigma": 2}]'])
    facts = json.loads(noted(task, "facts")[0])
    assert facts["words"][0] == str(task.parent / "mark.py")
    assert facts["words"][1::2] == ["--args-json", "--out-json"]
    # Defaults are the program's own affair; null counts as absent.
    assert facts["arguments"] == {
        "zarr_url": str(image), "channel": {"label": "A"}, "steps": [{"sigma": 2}], "threads": 7,
        "flag": True}
    assert facts["env"]["FOO"] == "kept" and "hush" not in facts["env"].values()
    assert not [name for name in facts["env"] if name.startswith(("OMPI_", "PMIX_"))]
    assert not Path(facts["words"][2]).exists()


@pytest.mark.parametrize(("given", "says"), [
    ({"channel": "A"}, "`channel` is `A`, which does not fit"),
    ({"channel": {}}, "`label` is missing"), ({"channel": {"label": "A", "x": 1}}, "nothing fits"),
    ({"steps": [{"sigma": -1}]}, "0 or more"), ({"threads": "many"}, "asks for an integer"),
    ({"nmae": "x"}, "`nmae`"), ({"flag": 3}, "true or false"),
])
def test_arguments_are_checked_by_the_schema(
    given: dict[str, Any], says: str, task: Path, plate: Path, omtask: Program, tmp_path: Path
) -> None:
    file = tmp_path / "args.json"
    file.write_text(json.dumps(given))
    said = omtask(
        "run", f"{task}{PLACE}", plate, "--args-json", file, *PYTHON, expect=64).stderr
    assert says in said and not noted(task, "image")


def test_required_and_open_arguments(plate: Path, omtask: Program, tmp_path: Path) -> None:
    schema = fractal_task()["args_schema_parallel"] | {"required": ["zarr_url", "channel"]}
    needs = write_package(tmp_path / "needs", fractal_task(args_schema_parallel=schema))
    said = omtask("run", f"{needs}{PLACE}", plate, *PYTHON, expect=64).stderr
    assert "needs `channel`, which is not given" in said
    # Without a schema anything is handed on.
    free = write_package(tmp_path / "free", fractal_task(args_schema_parallel=None))
    file = tmp_path / "args.json"
    file.write_text(json.dumps({"name": "other", "deep": {"er": [1, 2.0]}}))
    omtask("run", f"{free}{PLACE}", images(plate)[0], "--args-json", file, *PYTHON)
    facts = json.loads(noted(free, "facts")[0])
    assert facts["arguments"]["deep"] == {"er": [1, 2.0]} and facts["arguments"]["name"] == "other"


# Finding tasks


def test_a_task_of_a_package_is_named_behind_its_manifest(
    plate: Path, omtask: Program, tmp_path: Path
) -> None:
    both = write_package(tmp_path / "both", fractal_task(), fractal_task("Threshold"))
    said = omtask("run", both, plate, expect=64).stderr
    assert "there are 2 tasks, none is named" in said and f"{both}{PLACE}" in said
    said = omtask("run", f"{both}#mark-cells-fats", plate, expect=64).stderr
    assert "did you mean `mark-cells-fast`" in said
    # The name for people does, too; a built-in name in a package of others means theirs.
    omtask("run", f"{both}#Mark Cells (fast)", images(plate)[0], *PYTHON)
    omtask("run", f"{both}#threshold", images(plate)[1], *PYTHON)
    assert len(noted(both, "done")) == 2
    env = {"OMTASK_TASKS": str(both.parent)}
    omtask("run", "mark-cells-fast", images(plate)[2], *PYTHON, env=env)
    assert len(noted(both, "done")) == 3
    listed = omtask("tasks", env=env)
    assert f"Marks cells in images ({both}{PLACE})" in listed.stdout
    assert "`threshold` names 2 tasks" in listed.stderr
    assert "names 2 tasks" in omtask("run", "threshold", plate, expect=64, env=env).stderr
    one = write_package(tmp_path / "one")
    omtask("run", one, images(plate)[3], *PYTHON)
    twins = write_package(tmp_path / "twins", fractal_task("A b"), fractal_task("a (B)"))
    assert "are both `a-b`" in omtask("run", f"{twins}#a-b", plate, expect=78).stderr


def test_types_that_nobody_knows_are_refused(plate: Path, omtask: Program, tmp_path: Path) -> None:
    task = write_package(tmp_path / "package", fractal_task(type="sideways"))
    said = omtask("run", task, plate, *PYTHON, expect=76).stderr
    assert "of the type `sideways`" in said and "omtask: error[unsupported]" in said
    listed = omtask("tasks", env={"OMTASK_TASKS": str(task.parent)}).stdout
    assert "type sideways, for Fractal only" in listed


def test_help_and_plans_tell_what_is_known(
    task: Path, plate: Path, omtask: Program
) -> None:
    shown = omtask("tasks", "show", f"{task}{PLACE}").stdout
    assert "--channel <json>" in shown and '"threads" (only in --args-json)' in shown
    assert "reads and writes images by itself" in shown.replace("\n", " ")
    help_text = omtask("run", f"{task}{PLACE}", "--help").stdout
    assert "--threads <n|auto>" in help_text and "--select" not in help_text
    assert json.loads(omtask("tasks", "show", f"{task}{PLACE}", "--json").stdout)["name"]
    before = tree(plate)
    plan = omtask("plan", f"{task}{PLACE}", plate, "--ranks", "2", *PYTHON).stdout
    assert f"runs     {PYTHON[1]} {task.parent}/mark.py --args-json FILE --out-json FILE" in plan
    assert plan.count("rank 0") == 3 and plan.count("rank 1") == 3
    dry = omtask("run", f"{task}{PLACE}", plate, "--dry-run", *PYTHON).stdout
    assert dry.count("is done by the program") == 6
    assert tree(plate) == before and not noted(task, "image")
    omtask("run", f"{task}{PLACE}", images(plate)[0], *PYTHON)
    document = json.loads(omtask("plan", f"{task}{PLACE}", plate, "--json", *PYTHON).stdout)
    assert document["images"][0]["note"] == "it is done already, nothing to do"
    assert document["program"][-1] == str(task.parent / "mark.py")


@pytest.mark.parametrize("flags", [
    ["--select", "z=0"], ["--roi-table", "x"], ["--output", "x.zarr"], ["--on-damage", "fill"],
])
def test_flags_about_voxels_are_refused(
    flags: list[str], task: Path, plate: Path, omtask: Program
) -> None:
    said = omtask("run", f"{task}{PLACE}", plate, *flags, *PYTHON, expect=64).stderr
    assert flags[0] in said and "by itself" in said and not noted(task, "image")


# What is wrong with manifests


@pytest.mark.parametrize(("block", "says"), [
    ({"halo": {"y": 1}}, "is for the contract `region`"), ({"passes": []}, "`passes` is for"),
    ({"retries": -1}, "`retries` is -1, it is 0 to 100"), ({"time_limit": "x"}, "`time_limit`"),
    ({"command": []}, "`command`"), ({"environment": {"vnv": "x"}}, "`vnv`"),
    ({"groups": [{"title": "A", "parameters": ["nam"]}]}, "`nam`"), ({"retires": 1}, "`retries`"),
])
def test_a_manifest_with_mistakes_is_refused_as_the_check_does(
    block: dict[str, Any], says: str, omtask: Program, tmp_path: Path
) -> None:
    file = write_own(tmp_path / "task", **block)
    assert says in omtask("manifest", "check", file, expect=78).stdout
    assert says in omtask("run", file, "x.zarr", expect=78).stderr


def test_manifests_are_checked_as_what_they_are(
    task: Path, omtask: Program, tmp_path: Path
) -> None:
    assert "no mistakes" in omtask("manifest", "check", task).stdout
    own = write_own(tmp_path / "own", retries=2, time_limit=60, environment={"venv": ".venv"})
    assert "no mistakes" in omtask("manifest", "check", own).stdout
    schema = json.loads((REPOSITORY / "Manifests/schema/manifest.schema.json").read_text())
    editor = Draft202012Validator(schema)
    document = json.loads(own.read_text())
    assert not list(editor.iter_errors(document))
    for block in ({"halo": {}}, {"retries": -1}, {"contract": "region"}, {"contract": "kernel"}):
        wrong = document | {"omtask": document["omtask"] | block}
        assert list(editor.iter_errors(wrong)), block
    kernel = write_own(tmp_path / "kernel", contract="kernel")
    said = omtask("run", kernel, "x.zarr", expect=78).stderr
    assert "is missing" in said


# What goes wrong


@pytest.mark.parametrize(("what", "says"), [
    ("exit", "ended with exit code 3"), ("kill", "was ended by KILL"),
    ("hang", "was ended after 1 s, `time_limit` in its manifest is 1"),
    ("polite", "was ended after 1 s"), ("family", "exit code 3"), ("chatter", "exit code 4"),
    ("out ", "the out-json of `mark` is no JSON"), ("out {", "is no JSON"),
    ("out [1]", "is a list, expected an object"), ('out {"x": 1}', "has `x`, known are"),
    ('out {"image_list_updates": 3}', "expected a list"),
    ('out {"image_list_updates": [{"zarr_url": "a/b"}]}', "expected an absolute path"),
    ('out {"image_list_updates": [{"zarr_url": "/a/../b"}]}', "without `..`"),
    ('out {"image_list_updates": [{"zarr_url": "/a", "types": {"x": 1}}]}', "true or false"),
    ('out {"image_list_updates": [{"zarr_url": "/a", "attributes": {"x": []}}]}', "single value"),
    ('out {"image_list_updates": [{"zarr_url": "/not/there"}]}', "the image `/not/there`, which is not there"),
    ('out {"image_list_updates": [{"zarr_url": "/usr"}], "image_list_removals": ["/usr/"]}',
     "removes `/usr`, which is updated"),
])
def test_one_bad_image_is_one_clear_error_and_is_done_again_alone(
    what: str, says: str, plate: Path, omtask: Program, tmp_path: Path
) -> None:
    file = write_own(tmp_path / "task", time_limit=1 if what in ("hang", "polite") else 0)
    trouble(file, A_02_0=what)
    outcome = omtask.run(str(file), plate, threads=2, extra=PYTHON, expect=1)
    said = outcome.stderr
    bad = plate / "A/02/0"
    assert says in said and said.count("error[") == 1, said
    assert f"omtask: error[program]: {bad}: " in said
    assert outcome.report.with_status("failed") == [str(bad)]
    assert len(outcome.report.with_status("done")) == 5
    assert_marked(plate, without=("A/02/0",))
    assert_gone(file)
    log = next((bad.parent / ".0.omtask").glob("*/log.txt"))
    assert f"its log is {log}" in said and "begin /" in log.read_text()
    assert log.stat().st_size < 1 << 20
    if what in ("exit", "chatter", "polite"):
        words = {"exit": "because of this", "chatter": "the last words", "polite": "I was asked"}
        assert words[what] in log.read_text() and words[what] in said
    forget(file)
    omtask.run(str(file), plate, extra=PYTHON)
    assert noted(file, "image") == [str(bad)]
    assert_marked(plate)


def test_a_program_that_is_not_there_is_told_before_the_start(
    plate: Path, omtask: Program, tmp_path: Path
) -> None:
    task = write_package(tmp_path / "package", fractal_task(executable_parallel="gone"))
    said = omtask("run", task, plate, expect=78).stderr
    assert f"{task.parent}/./gone" in said and said.count("error[") == 1


def test_an_image_that_vanishes_in_silence_is_not_done(
    plate: Path, omtask: Program, tmp_path: Path
) -> None:
    file = write_own(tmp_path / "task")
    trouble(file, A_02_0="vanish", B_03_0="vanish and say so")
    outcome = omtask.run(str(file), plate, extra=PYTHON, expect=1)
    assert "has removed the image and does not say so" in outcome.stderr
    assert outcome.report.with_status("failed") == [f"{plate}/A/02/0"]
    assert len(outcome.report.with_status("done")) == 5


def test_failed_images_are_tried_again_as_often_as_the_manifest_says(
    plate: Path, omtask: Program, tmp_path: Path
) -> None:
    file = write_own(tmp_path / "task", retries=1)
    trouble(file, A_02_0="once", B_03_0="exit")
    said = omtask.run(str(file), plate, extra=PYTHON, expect=1).stderr
    assert said.count("error[") == 1 and "it was tried 2 times" in said
    assert noted(file, "image").count(str(plate / "A/02/0")) == 2
    assert noted(file, "image").count(str(plate / "B/03/0")) == 2
    assert_marked(plate, without=("B/03/0",))
    log = next((plate / "A/02/.0.omtask").glob("*.log")).read_text()
    assert "exit code 9; tried again" in log


def test_half_a_change_of_the_image_itself_is_not_made_twice(
    plate: Path, omtask: Program, tmp_path: Path
) -> None:
    file = write_own(tmp_path / "task", retries=3)
    trouble(file, A_02_0="spoil")
    said = omtask.run(str(file), plate / "A/02/0", extra=PYTHON, expect=1).stderr
    assert "the voxels of the image itself have changed" in said and "--fresh" in said
    assert len(noted(file, "image")) == 1
    forget(file)
    said = omtask.run(str(file), plate / "A/02/0", extra=PYTHON, expect=1).stderr
    assert "have changed" in said and not noted(file, "image")
    # Nor by other parameters, or when the program was mended.
    other = omtask.run(str(file), plate / "A/02/0", extra=[*PYTHON, "--name", "other"], expect=1)
    assert "have changed" in other.stderr and not noted(file, "image")
    program = next(file.parent.glob("*.py"))
    program.write_text(program.read_text() + "\n# mended\n")
    said = omtask.run(str(file), plate / "A/02/0", extra=PYTHON, expect=1).stderr
    assert "have changed" in said and not noted(file, "image")
    omtask.run(str(file), plate / "A/02/0", extra=[*PYTHON, "--fresh"])
    assert len(noted(file, "done")) == 1


def test_fail_fast_stops_at_the_first(plate: Path, omtask: Program, tmp_path: Path) -> None:
    file = write_own(tmp_path / "task")
    trouble(file, A_01_0="exit")
    omtask.run(str(file), plate, extra=[*PYTHON, "--fail-fast"], expect=1)
    assert len(noted(file, "image")) == 1


# What counts as done


def test_only_what_is_still_as_it_was_made_is_not_made_again(
    task: Path, plate: Path, omtask: Program
) -> None:
    place = f"{task}{PLACE}"
    omtask.run(place, plate, extra=PYTHON)
    first, second, third, *rest = images(plate)
    shutil.rmtree(first / "labels/marked")
    (second / "labels/marked/0/c/0/0").write_bytes(bytes(480))
    (third / "0/c/0/0").write_bytes(bytes(480))
    # What others add is no reason.
    shutil.copytree(rest[0] / "labels/marked", rest[0] / "labels/other")
    (rest[1] / "tables/x").mkdir(parents=True)
    shutil.copytree(rest[2], rest[2].parent / "1")
    forget(task)
    omtask.run(place, plate, extra=PYTHON)
    assert sorted(noted(task, "image")) == [str(image) for image in (first, second, third)]
    assert_marked(plate)
    forget(task)
    omtask.run(place, plate, extra=[*PYTHON, "--fresh"])
    assert len(noted(task, "image")) == 6


def test_other_parameters_or_another_program_are_another_run(
    task: Path, plate: Path, omtask: Program
) -> None:
    image, place = images(plate)[0], f"{task}{PLACE}"
    calls = 0

    def run(*extra: str, again: bool) -> None:
        nonlocal calls
        calls += again
        omtask.run(place, image, extra=[*PYTHON, *extra])
        assert len(noted(task, "image")) == calls

    run(again=True)
    run("--name", "marked", again=False)
    run("--name", "other", again=True)
    run(again=False)
    program = task.parent / "mark.py"
    program.write_text(program.read_text() + "\n# changed\n")
    run(again=True)
    # In a package the modules that a program may import count, too.
    (task.parent / "__init__.py").write_text("")
    run(again=True)
    (task.parent / "helper.py").write_text("x = 1\n")
    run(again=True)
    run(again=False)


def test_a_plate_that_was_moved_is_still_done(
    task: Path, plate: Path, omtask: Program, tmp_path: Path
) -> None:
    trouble(task, A_01_0="derive")
    omtask.run(f"{task}{PLACE}", plate, extra=PYTHON)
    forget(task)
    moved, out = tmp_path / "moved.zarr", tmp_path / "out.json"
    plate.rename(moved)
    omtask.run(f"{task}{PLACE}", moved, extra=[*PYTHON, "--out-json", out])
    assert not noted(task, "image")
    first = json.loads(out.read_text())["image_list_updates"][0]
    assert first["zarr_url"] == f"{moved}/A/01/0_made" and first["origin"] == f"{moved}/A/01/0"


def test_images_that_a_program_makes_are_told_and_looked_after(
    plate: Path, omtask: Program, tmp_path: Path
) -> None:
    kinds = {"input_types": {"marked": False}, "output_types": {"marked": True}}
    task = write_package(tmp_path / "package", fractal_task(**kinds))
    out = tmp_path / "out.json"
    trouble(task, A_01_0="derive", A_02_0="remove")
    call: dict[str, Any] = {"extra": [*PYTHON, "--out-json", out]}
    outcome = omtask.run(str(task), plate, **call)
    first = f"{plate}/A/01/0"
    told = json.loads(out.read_text())
    assert told["image_list_updates"][0] == {
        "zarr_url": f"{first}_made", "origin": first, "attributes": {"sigma": 2.0},
        "types": {"marked": True, "own": True}}
    assert told["image_list_updates"][1] == {"zarr_url": f"{plate}/A/03/0", "types": {"marked": True}}
    assert told["image_list_removals"] == [f"{plate}/A/02/0_old"]
    assert [o["kind"] for o in outcome.report.images[0]["outputs"]] == ["label", "image"]
    shutil.rmtree(f"{first}_made")
    (task.parent / "calls.log").unlink()
    omtask.run(str(task), plate, **call)
    assert noted(task, "image") == [first]
    assert json.loads(out.read_text()) == told


def test_records_are_cleaned_only_with_what_was_not_finished(
    plate: Path, omtask: Program, tmp_path: Path
) -> None:
    file = write_own(tmp_path / "task")
    trouble(file, A_02_0="exit")
    omtask.run(str(file), plate, extra=PYTHON, expect=1)
    assert "mark" in omtask("runs", plate).stdout
    omtask("clean", plate)
    assert not list(plate.rglob("log.txt"))
    forget(file)
    omtask.run(str(file), plate, extra=PYTHON)
    assert len(noted(file, "image")) == 1


# Many processes, kills and signals


def test_two_runs_at_once_do_every_image_once(
    task: Path, plate: Path, omtask: Program, tmp_path: Path
) -> None:
    trouble(task, **{"0": "slow"})
    command = [str(omtask.path), "run", f"{task}{PLACE}", str(plate), "--threads", "3", *PYTHON]
    runs = [
        subprocess.Popen(command, env=environment({}), stderr=subprocess.PIPE) for _ in range(2)]
    for run in runs:
        said = run.communicate(timeout=60)[1]
        assert run.returncode == 0, said
    assert sorted(noted(task, "image")) == [str(image) for image in images(plate)]
    assert_marked(plate)


def test_another_program_waits_for_the_image(
    task: Path, plate: Path, omtask: Program, tmp_path: Path
) -> None:
    image = images(plate)[0]
    trouble(task, **{"A_01_0": "wait"})
    job = Job([omtask.path, "run", f"{task}{PLACE}", image, *PYTHON], tmp_path, {})
    try:
        until(lambda: noted(task, "image"), 20, "a call")
        other = write_own(tmp_path / "other")
        said = omtask.run(
            str(other), image, extra=[*PYTHON, "--lock-wait", "1"], expect=75).stderr
        assert "place.lock" in said and "is held by" in said and not noted(other, "image")
        assert "process" in omtask("runs", image).stdout
        assert "nothing was removed" in omtask("clean", image).stdout
    finally:
        job.clean_up()


def test_parts_share_whole_images(task: Path, plate: Path, omtask: Program) -> None:
    for part in ("1/2", "0/2"):
        omtask.run(f"{task}{PLACE}", plate, extra=[*PYTHON, "--part", part])
    assert sorted(noted(task, "image")) == [str(image) for image in images(plate)]
    omtask.run(f"{task}{PLACE}", plate, extra=PYTHON)
    assert len(noted(task, "image")) == 6


@pytest.mark.parametrize("way", ["child", "omtask", "rank", "term", "int", "usr1"])
def test_killed_at_work_it_goes_on(
    way: str, task: Path, plate: Path, omtask: Program, tmp_path: Path
) -> None:
    trouble(task, B_01_0="wait")
    launcher = mpirun(2) if way == "rank" else []
    command = [*launcher, omtask.path, "run", f"{task}{PLACE}", plate, "--threads", "1", *PYTHON]
    job = Job(command, tmp_path, {})
    try:
        half = plate / "B/01/0/labels/marked/0/c/0/0"
        until(half.exists, 30, "the fourth image")
        if way == "child":
            until(lambda: len(noted(task, "pid")) == 4, 5, "pids")
            os.kill(int(noted(task, "pid")[-1]), signal.SIGKILL)
        elif way in ("omtask", "rank"):
            os.kill(job.ranks()[-1], signal.SIGKILL)
        else:
            number = {"term": signal.SIGTERM, "int": signal.SIGINT, "usr1": signal.SIGUSR1}[way]
            os.kill(job.ranks()[0], number)
        code, seconds = job.end(20)
    finally:
        job.clean_up()
    expected = {"child": 1, "omtask": -9, "rank": 137, "term": 143, "int": 130, "usr1": 75}
    assert code == expected[way], job.text()
    assert_gone(task)
    assert way == "child" or seconds < 3
    done = noted(task, "done")
    assert str(plate / "B/01/0") not in done
    forget(task)
    omtask.run(f"{task}{PLACE}", plate, extra=PYTHON, ranks=3 if way == "rank" else None)
    assert sorted(done + noted(task, "done")) == [str(image) for image in images(plate)]
    assert_marked(plate)


# What programs are started with


def test_the_interpreter_comes_from_the_call_the_environment_or_the_package(
    plate: Path, omtask: Program, tmp_path: Path
) -> None:
    image = images(plate)[0]

    def venv(folder: Path) -> Path:
        (folder / "bin").mkdir(parents=True)
        python = folder / "bin/python3"
        python.write_text(f'#!/bin/sh\nexport HOME_OF={folder}\nexec {PYTHON[1]} "$@"\n')
        python.chmod(0o755)
        return folder

    def home(task: Path, *extra: str) -> str | None:
        omtask("run", task, image, *extra, "--fresh")
        return json.loads(noted(task, "facts")[-1])["env"].get("HOME_OF")

    own = write_own(tmp_path / "own", environment={"venv": "env"})
    environment_of_own = venv(tmp_path / "own/env")
    assert home(own) == str(environment_of_own)
    assert home(own, *PYTHON) is None
    around = venv(tmp_path / "around")
    package = write_package(around / "lib/python3.11/site-packages/cells")
    assert home(package) == str(around)
    # A container is shown the folder of the plate, and that of the program.
    tools = tmp_path / "tools"
    tools.mkdir()
    apptainer = tools / "apptainer"
    apptainer.write_text(f'#!/bin/sh\nexport HOME_OF="$* $APPTAINER_BIND"\nshift 4\nshift\nexec {PYTHON[1]} "$@"\n')
    apptainer.chmod(0o755)
    boxed = write_own(tmp_path / "boxed", environment={"apptainer": "cells.sif"})
    path = {"PATH": f"{tools}:{os.environ['PATH']}", "APPTAINER_BIND": "/mnt"}
    omtask("run", boxed, image, "--fresh", env=path)
    said = json.loads(noted(boxed, "facts")[-1])["env"]["HOME_OF"]
    folder = boxed.parent
    assert said.startswith(f"exec --bind {folder} {folder}/cells.sif python3 {folder}/mark.py --args-json")
    assert said.endswith(f" /mnt,{tmp_path}")
    # A program that is no Python file is started as it is; words may follow it.
    shell = write_package(
        tmp_path / "shell", fractal_task(executable_parallel="bin/run 'two words'"))
    (shell.parent / "bin").mkdir()
    script = shell.parent / "bin/run"
    script.write_text(f'#!/bin/sh\necho "$1"\nshift\nexec {PYTHON[1]} {shell.parent}/mark.py "$@"\n')
    script.chmod(0o755)
    assert home(shell) is None
    logs = [log.read_text() for log in (plate / "A/01/.0.omtask").glob("*.log")]
    assert any(log.startswith("two words\n") for log in logs)


def test_memory_and_graphics_cards_are_shared_out(
    plate: Path, omtask: Program, tmp_path: Path
) -> None:
    meta = {"mem": "2G", "needs_gpu": True}
    task = write_package(tmp_path / "package", fractal_task(meta_parallel=meta))
    trouble(task, **{"0": "slow"})
    env = {"CUDA_VISIBLE_DEVICES": "4,5"}
    said = omtask.run(
        str(task), plate, threads=4, extra=[*PYTHON, "--memory", "5G"], env=env).stderr
    assert "2 of 4 workers are used" in said
    cards = [json.loads(facts)["env"]["CUDA_VISIBLE_DEVICES"] for facts in noted(task, "facts")]
    assert set(cards) == {"4", "5"}
