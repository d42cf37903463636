"""Programs that are started once for many images, and those that work on what these list."""

import json
import os
import shutil
import signal
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from omtask_testing.call_programs import CALL, call_task, facts, schema
from omtask_testing.image_programs import MARK, PYTHON, fractal_task, forget, make_plate, noted, write_package
from omtask_testing.images import PlateShape
from omtask_testing.jobs import Job, lives, until
from omtask_testing.program import Program, environment, mpirun
from omtask_testing.trees import tree

SHAPE = PlateShape(2, 3, 1)
ITEMS = [f"{place.replace('/', '_')}.0" for place in SHAPE.images]


def package(folder: Path, kind: str, **change: Any) -> Path:
    return write_package(folder, call_task(kind, **change), program=CALL, file_name="call.py")


@pytest.fixture
def compound(tmp_path: Path) -> Path:
    return package(tmp_path / "package", "compound")


@pytest.fixture
def place(tmp_path: Path, rng: np.random.Generator) -> Path:
    """The folder that holds the plate."""
    (tmp_path / "data").mkdir()
    make_plate(tmp_path / "data/plate.zarr", rng, SHAPE)
    return tmp_path / "data"


def urls(place: Path) -> list[str]:
    return [str(place / "plate.zarr" / image) for image in SHAPE.images]


def trouble(task: Path, what: dict[str, str]) -> None:
    (task.parent / "trouble.json").write_text(json.dumps(what))


def started(task: Path) -> list[str]:
    return sorted(noted(task, "start"))


def updates(place: Path, factor: float = 1) -> list[dict[str, Any]]:
    return [
        {"zarr_url": f"{place}/new.zarr/{image.replace('/', '_')}", "attributes": {"factor": factor},
         "types": {"own": True}, "origin": f"{place}/plate.zarr/{image}"}
        for image in SHAPE.images
    ]


def assert_made(place: Path, factor: str = "1", parts: int = 1) -> None:
    for image in SHAPE.images:
        chunks = place / "new.zarr" / image.replace("/", "_") / "0/c"
        wanted = {str(part): f"{place}/plate.zarr/{image} {factor}" for part in range(parts)}
        assert {chunk.name: chunk.read_text() for chunk in chunks.iterdir()} == wanted


# Calls and what is told


@pytest.mark.parametrize(("ranks", "threads"), [(None, 3), (3, 2)])
def test_a_whole_call_is_one_process(
    ranks: int | None, threads: int, place: Path, omtask: Program, tmp_path: Path
) -> None:
    task = package(tmp_path / "package", "non_parallel", output_types={"marked": True})
    out = tmp_path / "out.json"
    call: dict[str, Any] = {"ranks": ranks, "threads": threads, "extra": [*PYTHON, "--shared", "x", "--out-json", out]}
    outcome = omtask.run(str(task), place / "plate.zarr", **call)
    assert started(task) == ["first"]
    assert facts(task, "first")["arguments"] == {"zarr_urls": urls(place), "zarr_dir": str(place), "shared": "x"}
    assert facts(task, "first")["words"][1:] == [
        "whole", "--args-json", facts(task, "first")["words"][3], "--out-json", facts(task, "first")["words"][5]]
    told = {"image_list_updates": [{"zarr_url": url, "types": {"marked": True, "own": True}} for url in urls(place)]}
    assert json.loads(out.read_text()) == told
    assert [entry["uri"] for entry in outcome.report.images] == [str(place)]
    made = outcome.report.images[0]["outputs"]
    assert [(o["kind"], o["uri"]) for o in made] == [("label", f"{url}/labels/marked") for url in urls(place)]
    assert Path(outcome.report.images[0]["log"]).read_text() == "begin first\nend first\n"
    left = sorted(entry.suffix for entry in (place / ".omtask").iterdir())
    assert left == [".jsonl", ".log"] and not list(place.glob(".plate*"))
    before = tree(place)
    again = omtask.run(str(task), place / "plate.zarr", **call)
    assert again.report.with_status("skipped") == [str(place)]
    assert started(task) == ["first"] and tree(place) == before
    assert json.loads(out.read_text()) == told
    # What it made of one image is gone: it is given all of them once more.
    shutil.rmtree(f"{urls(place)[2]}/labels/marked")
    omtask.run(str(task), place / "plate.zarr", **call)
    assert started(task) == ["first", "first"] and tree(place).keys() == before.keys()


@pytest.mark.parametrize(("ranks", "threads", "parts"), [(None, 3, 2), (2, 1, 1), (3, 2, 2)])
def test_a_list_is_made_once_and_each_item_done_once(
    ranks: int | None, threads: int, parts: int, compound: Path, place: Path, omtask: Program, tmp_path: Path
) -> None:
    out = tmp_path / "out.json"
    call: dict[str, Any] = {
        "ranks": ranks, "threads": threads,
        "extra": [*PYTHON, "--pieces", str(parts), "--factor", "2.5", "--shared", "s", "--out-json", out]}
    outcome = omtask.run(str(compound), place / "plate.zarr", **call)
    names = [name[:-1] + str(part) for name in ITEMS for part in range(parts)]
    assert started(compound) == sorted(["first", *names])
    assert facts(compound, "first")["arguments"] == {
        "zarr_urls": urls(place), "zarr_dir": str(place), "pieces": parts, "shared": "s"}
    assert facts(compound, "A_02_0.0")["arguments"] == {
        "zarr_url": f"{place}/new.zarr/A_02_0", "init_args": {"origin": urls(place)[1], "part": 0},
        "factor": 2.5, "shared": "s"}
    assert_made(place, "2.5", parts)
    assert json.loads(out.read_text()) == {"image_list_updates": updates(place, 2.5)}
    assert len(outcome.report.with_status("done")) == 1 + len(names)
    entry = outcome.report.images[1]
    assert entry["outputs"][0]["uri"] == entry["uri"] == f"{place}/new.zarr/A_01_0"
    assert Path(entry["log"]).read_text() == "begin A_01_0.0\nend A_01_0.0\n"
    before = tree(place)
    again = omtask.run(str(compound), place / "plate.zarr", **call)
    assert len(again.report.with_status("skipped")) == 1 + len(names)
    assert len(started(compound)) == 1 + len(names) and tree(place) == before
    assert json.loads(out.read_text()) == {"image_list_updates": updates(place, 2.5)}


@pytest.mark.parametrize(("kind", "ranks"), [
    ("converter_non_parallel", 2), ("converter_compound", None), ("converter_compound", 3),
])
def test_converters_take_a_folder_and_no_image(
    kind: str, ranks: int | None, omtask: Program, tmp_path: Path
) -> None:
    task = package(tmp_path / "package", kind, output_types={"new": True})
    (tmp_path / "real").mkdir()
    (tmp_path / "to").symlink_to("real")
    out, args = tmp_path / "out.json", tmp_path / "args.json"
    args.write_text(json.dumps({"names": ["a", "b"]}))
    call: list[Any] = [*PYTHON, "--args-json", args, "--out-json", out, "--output", tmp_path / "to"]
    launcher = mpirun(ranks) if ranks else []
    omtask("run", task, *call, launcher=launcher)
    assert facts(task, "first")["arguments"] == {"zarr_dir": str(tmp_path / "real"), "names": ["a", "b"]}
    told = json.loads(out.read_text())["image_list_updates"]
    folder = f"{tmp_path}/to" + ("/new.zarr" if kind == "converter_compound" else "")
    assert [update["zarr_url"] for update in told] == [f"{folder}/a", f"{folder}/b"]
    assert all(update["types"]["new"] for update in told)
    count = len(started(task))
    said = omtask("run", task, *call, launcher=launcher).stderr
    assert "nothing to do" in said or "0 calls done, 3 skipped, 0 failed" in said
    assert len(started(task)) == count


def test_where_new_images_go(compound: Path, place: Path, omtask: Program, tmp_path: Path) -> None:
    converter = package(tmp_path / "converter", "converter_compound")
    plate = place / "plate.zarr"
    said = omtask("run", converter, plate, "--output", place, *PYTHON, expect=64).stderr
    assert "takes no image" in said and "--output DIR" in said
    assert "--wells" in omtask("run", converter, "--wells", "A/*", "--output", place, expect=64).stderr
    assert "`--output DIR` names the folder" in omtask("run", converter, *PYTHON, expect=64).stderr
    said = omtask("run", converter, "--output", tmp_path / "none", *PYTHON, expect=66).stderr
    assert f"{tmp_path}/none" in said and "names a folder that exists" in said
    assert "is a file" in omtask("run", compound, plate, "--output", converter, *PYTHON, expect=77).stderr
    assert "an OME-Zarr itself" in omtask("run", compound, plate, "--output", plate, *PYTHON, expect=77).stderr
    assert "local folders" in omtask("run", converter, "--output", "s3://a/b", *PYTHON, expect=76).stderr
    assert "is given no image" in omtask("run", compound, *PYTHON, expect=64).stderr
    # Images of two folders have no place of their own; Fractal's arguments name one.
    (tmp_path / "other").mkdir()
    shutil.copytree(plate, tmp_path / "other/plate.zarr")
    both = [plate / "A/01/0", tmp_path / "other/plate.zarr/A/02/0"]
    assert "lie in 2 folders" in omtask("run", compound, *both, *PYTHON, expect=64).stderr
    assert not noted(compound, "start") and not noted(converter, "start")
    args = tmp_path / "args.json"
    args.write_text(json.dumps({"zarr_urls": [str(image) for image in both], "zarr_dir": str(tmp_path)}))
    said = omtask("run", compound, "--args-json", args, "--output", place, *PYTHON, expect=64).stderr
    assert "`zarr_dir` is" in said
    omtask("run", compound, "--args-json", args, *PYTHON)
    assert facts(compound, "first")["arguments"] == {"zarr_urls": [str(i) for i in both], "zarr_dir": str(tmp_path)}
    assert (tmp_path / "new.zarr").exists()


def test_a_place_that_is_read_only_is_told_and_another_does(
    omtask: Program, open_folder: Path, rng: np.random.Generator
) -> None:
    make_plate(open_folder / "plate.zarr", rng, PlateShape(1, 1, 1))
    task = package(open_folder / "package", "compound")
    for path in (task, task.parent / "call.py"):
        path.chmod(0o644)
    task.parent.chmod(0o777)
    (open_folder / "else").mkdir(mode=0o777)
    (open_folder / "else").chmod(0o777)
    launcher: list[str] = []
    program = omtask
    if os.geteuid() == 0:
        launcher = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"]
        program = Program(Path(shutil.copy2(omtask.path, open_folder)), open_folder)
    open_folder.chmod(0o555)
    call: list[Any] = ["run", task, open_folder / "plate.zarr", "--python", "/usr/bin/python3"]
    said = program(*call, launcher=launcher, expect=77).stderr
    assert str(open_folder) in said and "`--output DIR` names another" in said and not noted(task, "start")
    # The plate's place cannot be locked, and nobody else can either.
    program(*call, "--output", open_folder / "else", launcher=launcher)
    assert (open_folder / "else/new.zarr/A_01_0/0/c/0").exists()


def test_parameters_go_to_the_programs_that_declare_them(place: Path, omtask: Program, tmp_path: Path) -> None:
    second = schema(["zarr_url", "init_args"], "factor", "shared")
    second["properties"]["shared"] = {"type": "string", "maxLength": 2}
    task = package(tmp_path / "package", "compound", args_schema_parallel=second)
    said = omtask("run", task, place / "plate.zarr", "--shared", "long", *PYTHON, expect=64).stderr
    assert "`--shared` is `long`" in said and "two programs" in said
    open_task = package(tmp_path / "open", "compound", args_schema_parallel=None)
    args = tmp_path / "args.json"
    args.write_text(json.dumps({"pieces": 1, "factor": 3, "shared": "s"}))
    omtask("run", open_task, place / "plate.zarr", "--args-json", args, *PYTHON)
    given = facts(open_task, ITEMS[0])["arguments"]
    assert given["factor"] == 3 and "pieces" not in given and "shared" not in given
    shown = omtask("run", task, "--help").stdout
    for heading, names in [("first program (once)", "--pieces"), ("second program", "--factor"), ("both", "--shared")]:
        assert heading in shown and names in shown
    assert "--part <i/n>" not in shown and "zarr_dir" in shown and "--select" not in shown


def test_help_and_plans_tell_what_is_known(compound: Path, place: Path, omtask: Program, tmp_path: Path) -> None:
    plate = place / "plate.zarr"
    converter = package(tmp_path / "converter", "converter_non_parallel")
    assert "type compound; " in omtask("tasks", env={"OMTASK_TASKS": str(compound.parent)}).stdout
    assert "the second for each item" in omtask("tasks", "show", compound).stdout.replace("\n", " ")
    shown = omtask("run", converter, "--help").stdout
    assert "<uri>" not in shown and "--wells" not in shown and "Required." in shown
    before = tree(place)
    plan = omtask("plan", compound, plate, "--ranks", "2", *PYTHON).stdout
    assert "the list of items is yet to be made" in plan and plan.count("is given to the program") == 6
    assert f"{compound.parent}/call.py list" in plan and f"{compound.parent}/call.py each" in plan
    assert "once, for all images" in plan and "once for each item of the list" in plan
    assert "2 ranks" in omtask("plan", compound, plate, "--ranks", "2", *PYTHON).stdout
    omtask("run", compound, plate, "--dry-run", *PYTHON)
    assert "runs" in omtask("plan", converter, "--output", place, *PYTHON).stdout
    assert tree(place) == before and not noted(compound, "start")
    trouble(compound, {"A_02_0.0": "exit"})
    omtask("run", compound, plate, *PYTHON, expect=1)
    assert "1 of 6 items are left to do" in omtask("plan", compound, plate, *PYTHON).stdout
    forget(compound)
    omtask("run", compound, plate, *PYTHON)
    document = json.loads(omtask("plan", compound, plate, "--json", *PYTHON).stdout)
    assert "it is done already, nothing to do" in document["images"][0]["note"]
    assert document["first_program"][-1] == "list" and document["program"][-1] == "each"


@pytest.mark.parametrize(("flags", "code"), [
    (["--part", "0/2"], 64), (["--select", "y=0:2"], 64), (["--on-damage", "fill"], 64), (["--roi-table", "x"], 64),
])
def test_flags_without_meaning_are_refused(
    flags: list[str], code: int, compound: Path, place: Path, omtask: Program
) -> None:
    said = omtask("run", compound, place / "plate.zarr", *flags, *PYTHON, expect=code).stderr
    assert flags[0] in said and not noted(compound, "start")


def test_images_are_chosen_by_their_types(place: Path, omtask: Program, tmp_path: Path) -> None:
    plate = place / "plate.zarr"
    flat = package(tmp_path / "flat", "non_parallel", input_types={"is_3D": False})
    omtask.run(str(flat), plate, extra=PYTHON)
    assert facts(flat, "first")["arguments"]["zarr_urls"] == urls(place)
    deep = package(tmp_path / "deep", "non_parallel", input_types={"is_3D": True})
    outcome = omtask.run(str(deep), plate, extra=[*PYTHON, "--out-json", tmp_path / "out.json"])
    assert outcome.report.with_status("skipped") == urls(place) and not noted(deep, "start")
    assert "`is_3D` is false" in outcome.report.images[0]["note"]
    some = package(tmp_path / "some", "compound")
    omtask.run(str(some), plate, extra=[*PYTHON, "--wells", "A/*"])
    assert facts(some, "first")["arguments"]["zarr_urls"] == urls(place)[:3]


# What goes wrong


@pytest.mark.parametrize(("said", "problem"), [
    ('{"image_list_updates": []}', "has `image_list_updates`, the first program tells"), ("[]", "is a list"),
    ('{"parallelization_list": {}}', "expected a list"), ('{"parallelization_list": [3]}', "item 0 of"),
    ('{"parallelization_list": [{"init_args": {}}]}', "no `zarr_url` in item 0"),
    ('{"parallelization_list": [{"zarr_url": "a"}]}', "absolute path"),
    ('{"parallelization_list": [{"zarr_url": "/a", "init_args": 3}]}', "expected an object"),
    ('{"parallelization_list": [{"zarr_url": "/a", "x": 3}]}', "has `x` in item 0"),
    ("MANY", "lists 20001 items, the limit is 20000"),
])
def test_a_bad_list_is_one_clear_error(
    said: str, problem: str, compound: Path, place: Path, omtask: Program
) -> None:
    if said == "MANY":
        said = json.dumps({"parallelization_list": [{"zarr_url": "/a", "init_args": {}}] * 20001})
    trouble(compound, {"first": f"out {said}"})
    outcome = omtask.run(str(compound), place / "plate.zarr", extra=PYTHON, expect=1)
    assert problem in outcome.stderr and outcome.stderr.count("error[program]") == 1
    assert started(compound) == ["first"] and "its log is" in outcome.stderr
    if "limit" in problem:
        forget(compound)
        omtask.run(str(compound), place / "plate.zarr", extra=PYTHON)
        assert started(compound) == sorted(["first", *ITEMS])
        assert_made(place)


@pytest.mark.parametrize("said", ['{"parallelization_list": []}', "null", "{}"])
def test_an_empty_list_is_done(said: str, compound: Path, place: Path, omtask: Program, tmp_path: Path) -> None:
    trouble(compound, {"first": f"out {said}"})
    out = tmp_path / "out.json"
    for ranks in (2 if said == "null" else None, None):
        omtask.run(str(compound), place / "plate.zarr", ranks=ranks, extra=[*PYTHON, "--out-json", out])
    assert started(compound) == ["first"]
    assert json.loads(out.read_text()) == {"image_list_updates": [{"zarr_url": url} for url in urls(place)]}


@pytest.mark.parametrize(("answer", "problem", "ranks"), [
    ({"image_list_updates": [{"zarr_url": "/elsewhere/a"}]}, "which is not below", None),
    ({"image_list_removals": ["DIR/unknown"]}, "which is none of the images of the call", None),
    ({"image_list_updates": [{"zarr_url": "DIR/a"}, {"zarr_url": "DIR/a", "types": {"x": True}}]},
     "two different things", None),
    ({"image_list_updates": [{"zarr_url": "DIR/new.zarr/B_01_0"}]}, "two different things", 2),
    ({"parallelization_list": []}, "has `parallelization_list`", None),
])
def test_answers_of_items_keep_to_the_rules_of_fractal(
    answer: dict[str, Any], problem: str, ranks: int | None, compound: Path, place: Path, omtask: Program
) -> None:
    text = json.dumps(answer).replace("DIR", str(place))
    trouble(compound, {"B_03_0.0": f"out {text}"})
    outcome = omtask.run(str(compound), place / "plate.zarr", ranks=ranks, extra=PYTHON, expect=1)
    bad = f"{place}/new.zarr/B_03_0"
    assert problem in outcome.stderr and outcome.report.with_status("failed") == [bad]
    forget(compound)
    omtask.run(str(compound), place / "plate.zarr", ranks=ranks, extra=PYTHON)
    assert started(compound) == ["B_03_0.0"]
    assert_made(place)


@pytest.mark.parametrize("ranks", [3])
def test_only_items_that_failed_are_done_again(
    ranks: int, compound: Path, place: Path, omtask: Program
) -> None:
    plate = place / "plate.zarr"
    trouble(compound, {"A_02_0.0": "exit", "B_01_0.0": "exit"})
    outcome = omtask.run(str(compound), plate, ranks=ranks, extra=PYTHON, expect=1)
    bad = [f"{place}/new.zarr/{name}" for name in ("A_02_0", "B_01_0")]
    assert outcome.report.with_status("failed") == bad
    assert len(outcome.report.with_status("done")) == 5
    assert "exit code 3" in outcome.stderr and "because of this" in outcome.stderr and "init_args" in outcome.stderr
    log = next((place / ".omtask").glob("*/*/log.txt"))
    assert "begin " in log.read_text()
    listed = omtask("runs", plate).stdout
    assert "call-compound" in listed and "5 of 7 pieces of work" in listed
    omtask("clean", plate)
    assert not list(place.rglob("log.txt")) and len(list(place.rglob("*.items/*.json"))) == 4
    forget(compound)
    omtask.run(str(compound), plate, ranks=ranks, extra=PYTHON)
    assert started(compound) == ["A_02_0.0", "B_01_0.0"]
    assert_made(place)
    assert not [entry for entry in (place / ".omtask").iterdir() if not entry.suffix]


def test_retries_and_time_are_for_each_item(place: Path, omtask: Program, tmp_path: Path) -> None:
    task = package(
        tmp_path / "package", "compound",
        meta_parallel={"mem": "2G", "needs_gpu": True}, meta_non_parallel={"mem": "90G"})
    trouble(task, {name: "slow" for name in ITEMS})
    env = {"CUDA_VISIBLE_DEVICES": "4,5"}
    said = omtask.run(str(task), place / "plate.zarr", threads=4, extra=[*PYTHON, "--memory", "5G"], env=env).stderr
    assert "2 of 4 workers are used" in said
    cards = {facts(task, name)["env"]["CUDA_VISIBLE_DEVICES"] for name in ITEMS}
    assert cards == {"4", "5"} and facts(task, "first")["env"]["CUDA_VISIBLE_DEVICES"] == "4,5"


# What counts as done


def test_what_has_changed_since_is_done_again(compound: Path, place: Path, omtask: Program) -> None:
    plate = place / "plate.zarr"

    def run(*extra: str) -> list[str]:
        forget(compound)
        omtask.run(str(compound), plate, extra=[*PYTHON, *extra])
        assert_made(place)
        return started(compound)

    everything = sorted(["first", *ITEMS])
    assert run() == everything
    assert run() == []
    shutil.rmtree(place / "new.zarr/A_03_0")
    assert run() == ["A_03_0.0"]
    (place / "new.zarr/B_01_0/0/c/0").write_text("spoilt")
    assert run() == ["B_01_0.0"]
    # Without the folder that the first program made the second has no place.
    shutil.rmtree(place / "new.zarr")
    assert run() == everything
    chunk = plate / "A/01/0/0/c/0/0"
    chunk.write_bytes(bytes(reversed(chunk.read_bytes())))
    assert run() == everything
    assert run() == []
    assert run("--fresh") == everything
    (compound.parent / "call.py").write_text(CALL + "\n# another version\n")
    assert run() == everything


def test_labels_that_others_add_do_not_matter(place: Path, omtask: Program, tmp_path: Path) -> None:
    whole = package(tmp_path / "whole", "non_parallel")
    plate = place / "plate.zarr"
    omtask.run(str(whole), plate, extra=PYTHON)
    mark = write_package(tmp_path / "mark", fractal_task(), program=MARK)
    omtask.run(str(mark), plate, extra=[*PYTHON, "--name", "theirs"])
    omtask.run(str(whole), plate, extra=PYTHON)
    assert started(whole) == ["first"]


def test_half_a_change_of_the_images_is_not_made_twice(place: Path, omtask: Program, tmp_path: Path) -> None:
    task = package(tmp_path / "package", "non_parallel")
    plate = place / "plate.zarr"
    trouble(task, {"first": "spoil"})
    omtask.run(str(task), plate, extra=PYTHON, expect=1)
    forget(task)
    said = omtask.run(str(task), plate, extra=PYTHON, expect=1).stderr
    assert "voxels of the image itself have changed" in said and urls(place)[0] in said
    assert not noted(task, "start")
    trouble(task, {"first": "in place"})
    omtask.run(str(task), plate, extra=[*PYTHON, "--fresh"])
    omtask.run(str(task), plate, extra=PYTHON)
    assert started(task) == ["first"]
    chunk = plate / "A/01/0/0/c/0/0"
    chunk.write_bytes(bytes(reversed(chunk.read_bytes())))
    said = omtask.run(str(task), plate, extra=PYTHON, expect=1).stderr
    assert "it would be done twice" in said and started(task) == ["first"]


# Kills and other processes


@pytest.mark.parametrize(("way", "where"), [
    ("child", "B_01_0.0"), ("omtask", "B_01_0.0"), ("rank", "B_01_0.0"), ("rank", "first"), ("usr1", "B_01_0.0"),
    ("term", "first"),
])
def test_killed_at_work_it_goes_on(
    way: str, where: str, compound: Path, place: Path, omtask: Program, tmp_path: Path
) -> None:
    trouble(compound, {where: "wait"})
    launcher = mpirun(2) if way == "rank" else []
    plate = place / "plate.zarr"
    job = Job([*launcher, omtask.path, "run", compound, plate, "--threads", "1", *PYTHON], tmp_path, {})
    try:
        others = 0 if where == "first" else 3
        until(lambda: where in noted(compound, "start") and len(list(place.rglob("*.items/*.json"))) == others,
              30, f"the start of {where}")
        pid = int(noted(compound, "pid")[noted(compound, "start").index(where)])
        if way == "child":
            os.kill(pid, signal.SIGKILL)
        elif way in ("omtask", "rank"):
            os.kill(job.ranks()[-1], signal.SIGKILL)
        else:
            os.kill(job.ranks()[0], {"usr1": signal.SIGUSR1, "term": signal.SIGTERM}[way])
        code, _ = job.end(20)
    finally:
        job.clean_up()
    assert code == {"child": 1, "omtask": -9, "rank": 137, "usr1": 75, "term": 143}[way], job.text()
    until(lambda: not lives(pid), 5, "the program is gone")
    finished = set(noted(compound, "end"))
    forget(compound)
    omtask.run(str(compound), plate, extra=PYTHON, ranks=3 if way == "rank" else None)
    again = started(compound)
    assert where in again and ("first" in again) == (where == "first")
    if where != "first":
        assert not finished & set(again)
    assert_made(place)
    forget(compound)
    omtask.run(str(compound), plate, extra=PYTHON)
    assert not noted(compound, "start")


def test_two_calls_at_once_do_everything_once(compound: Path, place: Path, omtask: Program, tmp_path: Path) -> None:
    plate = place / "plate.zarr"
    trouble(compound, {"first": "slow", ITEMS[0]: "slow"})
    command = [str(omtask.path), "run", str(compound), str(plate), "--threads", "2", *PYTHON]
    runs = [subprocess.Popen(command, env=environment({}), stderr=subprocess.PIPE) for _ in range(2)]
    for run in runs:
        said = run.communicate(timeout=60)[1]
        assert run.returncode == 0, said
    assert started(compound) == sorted(["first", *ITEMS])
    assert_made(place)
    trouble(compound, {"first": "wait"})
    job = Job([omtask.path, "run", compound, plate, "--fresh", *PYTHON], tmp_path, {})
    try:
        until(lambda: noted(compound, "start").count("first") == 2, 20, "a call")
        # The same call, and another program on the same plate.
        other = package(tmp_path / "other", "non_parallel")
        for task in (compound, other):
            said = omtask.run(
                str(task), plate, extra=[*PYTHON, "--lock-wait", "1", "--fresh"], expect=75).stderr
            assert "lock: " in said and "is held by" in said
        assert not noted(other, "start")
        assert "running" in omtask("runs", plate).stdout
        assert "nothing was removed" in omtask("clean", plate).stdout
    finally:
        job.clean_up()


# Manifests


def test_manifests_with_our_block_are_of_the_type_parallel(place: Path, omtask: Program, tmp_path: Path) -> None:
    block = {"summary": "Make images", "contract": "image", "result_version": 1}
    task = package(tmp_path / "package", "compound", omtask=block)
    said = omtask("manifest", "check", task, expect=78).stdout
    assert "a task with our block is of the type `parallel`" in said, said
    said = omtask("run", task, place / "plate.zarr", *PYTHON, expect=78).stderr
    assert "compound" in said
    assert "no mistakes" in omtask("manifest", "check", package(tmp_path / "good", "compound")).stdout
    half = package(tmp_path / "half", "compound", executable_parallel=None, args_schema_parallel=None)
    said = omtask("run", half, place / "plate.zarr", *PYTHON, expect=78).stderr
    assert "has no `executable_parallel`" in said
    odd = package(tmp_path / "odd", "compound", type="sideways")
    said = omtask("run", odd, place / "plate.zarr", *PYTHON, expect=76).stderr
    assert "of the type `sideways`" in said
