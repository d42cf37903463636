"""What a program of somebody else's does wrong is one clear error, and nothing else is lost."""

import json
import os
import signal
import subprocess
import time
from pathlib import Path

import numpy as np
import pytest

from omtask_testing import samples
from omtask_testing.images import Image, downsampled, write_image
from omtask_testing.jobs import Job, lives, until
from omtask_testing.layouts import ZSTD, Layout
from omtask_testing.program import Program, environment, mpirun
from omtask_testing.reading import read_label, read_multiscale
from omtask_testing.tasks import PYTHON, write_task
from omtask_testing.trees import leftovers, tree

# Speaks the protocol without the helper, so that it can break every rule. `trouble` steers the run
# only: a call without it is the same run and goes on.
ROGUE = r"""
import json, os, signal, subprocess, sys, time

def say(**line):
    print(json.dumps(line), flush=True)

def note(text):
    with open(__file__ + ".log", "a") as log:
        print(text, file=log)

trouble = ""
done = 0
for text in sys.stdin:
    line = json.loads(text)
    if "omtask" in line:
        trouble = line["parameters"]["trouble"] or ""
        note(f"pid {os.getpid()}")
        if trouble == "mute":
            sys.exit(0)
        if trouble == "old":
            say(omtask=0)
        say(omtask=1)
        continue
    if "image" in line:
        continue
    number, given, wanted = line["region"], line["input"], line["output"]
    data = open(given["path"], "rb").read()
    made = bytes(255 - b for b in data)
    answer = {"region": number, "shape": wanted["shape"], "dtype": wanted["dtype"]}
    if done >= 2:
        if trouble == "exit":
            print("I cannot go on\nbecause of this", file=sys.stderr)
            sys.exit(3)
        if trouble == "kill":
            os.kill(os.getpid(), signal.SIGKILL)
        if trouble == "garbage":
            print("hello there", flush=True)
        if trouble == "list":
            print("[1, 2]", flush=True)
        if trouble == "flood":
            while True:
                os.write(1, b"x" * 65536)
        if trouble == "shape":
            answer["shape"] = [1, 2, 3]
        if trouble == "dtype":
            answer["dtype"] = "float32"
        if trouble == "short":
            made = None
            open(wanted["path"], "wb").write(data[:-1])
        if trouble == "long":
            made = None
            open(wanted["path"], "wb").write(data + b"x")
        if trouble == "other":
            answer["region"] = 99
        if trouble == "error":
            answer = {"region": number, "error": "no cells in sight"}
        if trouble == "hang":
            signal.signal(signal.SIGTERM, signal.SIG_IGN)
            subprocess.Popen(["sleep", "300"])
            time.sleep(300)
        if trouble == "family":
            child = subprocess.Popen(["sleep", "300"])
            note(f"pid {child.pid}")
            sys.exit(3)
        if trouble == "chatter":
            for _ in range(20000):
                print("x" * 999, file=sys.stderr)
            print("the last words", file=sys.stderr)
            sys.exit(4)
    if trouble == "slow":
        for _ in range(8):
            time.sleep(0.5)
            say(alive=True)
    if trouble == "wait":
        time.sleep(0.2)
    if made is not None:
        with open(wanted["path"], "r+b") as out:
            out.write(made)
    done += 1
    note(f"region {given['origin']}")
    say(**answer)
"""
TROUBLE = {"trouble": {"anyOf": [{"type": "string"}, {"type": "null"}], "default": None}}


@pytest.fixture
def task(tmp_path: Path) -> Path:
    return write_task(tmp_path / "task", "Rogue", ROGUE, TROUBLE, ["trouble"])


@pytest.fixture
def image(tmp_path: Path) -> Path:
    rng = np.random.default_rng(3)
    data = rng.integers(0, 255, size=(12, 40, 50)).astype(np.uint8)
    layout = Layout("series", "0.5", (1, 64, 64), None, (ZSTD,))
    return write_image(tmp_path / "image.zarr", Image("tyx", downsampled("tyx", data, 2), layout))


def noted(task: Path, what: str) -> list[str]:
    log = task.parent / "program.py.log"
    lines = log.read_text().splitlines() if log.exists() else []
    return [line.removeprefix(f"{what} ") for line in lines if line.startswith(what)]


def assert_gone(task: Path) -> None:
    pids = [int(pid) for pid in noted(task, "pid")]
    assert pids
    until(lambda: not any(map(lives, pids)), 5, f"processes {pids} are gone")


def assert_right(image: Path) -> None:
    source = read_multiscale(image).levels[0]
    made = read_multiscale(image.parent / "image_made.zarr").levels[0]
    assert np.array_equal(made, 255 - source)
    assert not leftovers(image.parent)


@pytest.mark.parametrize(("trouble", "code", "says"), [
    ("exit", 1, "ended with exit code 3 before it answered"),
    ("kill", 1, "was ended by KILL before it answered"),
    ("mute", 1, "ended with exit code 0 before it answered"),
    ("old", 1, 'answered `{"omtask": 0}`'),
    ("garbage", 1, "printed `hello there`"), ("list", 1, "printed `[1, 2]`"),
    ("flood", 1, "where an answer was due"),
    ("shape", 1, "says that `shape` is [1,2,3], asked for were voxels of [40, 50]"),
    ("dtype", 1, 'says that `dtype` is "float32", asked for were voxels of uint8'),
    ("short", 1, "made 1999 bytes of voxels, asked for were 2000"),
    ("long", 1, "made 2001 bytes of voxels"), ("other", 1, 'answered `{"region": 99'),
    ("error", 1, "`rogue` says: no cells in sight"), ("family", 1, "exit code 3"),
    ("hang", 75, "gave no sign of life"), ("chatter", 1, "exit code 4"),
])
def test_what_goes_wrong_is_told_and_the_rest_is_kept(
    trouble: str, code: int, says: str, task: Path, image: Path, omtask: Program, tmp_path: Path
) -> None:
    before = tree(image)
    logs = tmp_path / "logs"
    logs.mkdir()
    patience = ["--stall-timeout", "3"] if trouble == "hang" else []
    said = omtask.run(
        str(task), image, parameters={"trouble": trouble}, extra=[*PYTHON, *patience], expect=code,
        env={"TMPDIR": str(logs)},
    ).stderr
    assert says in said, said
    assert said.count("error[") == 1
    assert tree(image) == before
    assert not (tmp_path / "image_made.zarr").exists()
    assert_gone(task)
    kept = list(logs.iterdir())
    if trouble in ("exit", "chatter"):
        last = "because of this" if trouble == "exit" else "the last words"
        assert last in said
        assert f"its log is {kept[0]}" in said and last in kept[0].read_text()
        assert kept[0].stat().st_size < 1 << 20 and kept[0].stat().st_mode & 0o77 == 0
    # Two regions were done before and are not done again; some go on to a third that is not taken.
    done = noted(task, "region")
    (task.parent / "program.py.log").unlink()
    omtask.run(str(task), image, extra=PYTHON)
    again = noted(task, "region")
    if trouble not in ("mute", "old"):
        assert len(done) in (2, 3) and len(again) == 12 - 2
    assert_right(image)


def test_a_sign_of_life_keeps_a_slow_region_going(
    task: Path, image: Path, omtask: Program
) -> None:
    omtask.run(
        str(task), image, parameters={"trouble": "slow"}, threads=12,
        extra=[*PYTHON, "--stall-timeout", "3"])
    assert_right(image)


@pytest.mark.parametrize("way", ["child", "omtask", "rank", "term", "stop"])
def test_killed_at_work_it_goes_on(
    way: str, task: Path, image: Path, omtask: Program, tmp_path: Path
) -> None:
    launcher = mpirun(2) if way == "rank" else []
    command = [*launcher, omtask.path, "run", task, image, "--trouble", "wait", "--threads", "1", *PYTHON]
    job = Job(command, tmp_path, {})
    try:
        until(lambda: len(noted(task, "region")) >= 3, 30, "regions")
        if way == "child":
            os.kill(int(noted(task, "pid")[0]), signal.SIGKILL)
        elif way in ("omtask", "rank"):
            os.kill(job.ranks()[-1], signal.SIGKILL)
        else:
            os.kill(job.ranks()[0], signal.SIGTERM if way == "term" else signal.SIGUSR1)
        code, _ = job.end(15)
    finally:
        job.clean_up()
    assert code == {"child": 1, "omtask": -9, "rank": 137, "term": 143, "stop": 75}[way], job.text()
    assert_gone(task)
    (task.parent / "program.py.log").unlink()
    omtask.run(str(task), image, extra=PYTHON, ranks=3 if way == "rank" else None)
    assert len(noted(task, "region")) <= 10
    assert_right(image)


def test_one_bad_image_does_not_stop_the_others(omtask: Program, tmp_path: Path) -> None:
    program = ROGUE.replace("done = 0\n", "done = 0\nname = ''\n", 1).replace(
        '    if "image" in line:\n', '    if "image" in line:\n        name = line["image"]["name"]\n'
    ).replace('    if done >= 2:\n', '    if name == "b":\n        sys.exit(3)\n    if done >= 2:\n')
    task = write_task(tmp_path / "task", "Rogue", program, TROUBLE, ["trouble"])
    rng = np.random.default_rng(1)
    for name in "abc":
        data = rng.integers(0, 255, size=(9, 9)).astype(np.uint8)
        write_image(tmp_path / f"{name}.zarr", Image("yx", [data], samples.V2))
    outcome = omtask.run(
        str(task), *(tmp_path / f"{name}.zarr" for name in "abc"), extra=PYTHON, expect=1)
    assert [entry["status"] for entry in outcome.report.images] == ["done", "failed", "done"]
    assert (tmp_path / "a_made.zarr").exists() and (tmp_path / "c_made.zarr").exists()


# What a program is started with

SHOW = r"""
import json, os, sys
from omtask_region import serve

def show(tile, region):
    facts = {"words": sys.argv[1:], "env": dict(os.environ), "parameters": region.parameters,
             "files": sorted(int(f) for f in os.listdir("/proc/self/fd"))}
    json.dump(facts, open(__file__ + ".json", "w"))
    return tile

serve(show)
"""
NASTY = ["; rm -rf x", "$(id)", "`id`", "two words", "a\nb", "'q\" *", "-x", "--python", "", "ü"]


def test_words_and_values_arrive_as_they_are(omtask: Program, tmp_path: Path) -> None:
    text = {"text": {"anyOf": [{"type": "string"}, {"type": "null"}], "default": None}}
    task = write_task(
        tmp_path / "task", "Show", SHOW, text, command=["python3", "program.py", *NASTY])
    data = np.zeros((9, 9), np.uint8)
    secrets = {"AWS_SECRET_ACCESS_KEY": "hush1", "MY_TOKEN": "hush2", "FOO": "kept"}
    for number, value in enumerate(NASTY[:6]):
        image = write_image(tmp_path / f"{number}.zarr", Image("yx", [data], samples.V2))
        omtask.run(
            str(task), image, parameters={"text": value}, extra=PYTHON, arguments_file=True,
            env=secrets, ranks=2 if number == 0 else None)
        facts = json.loads((task.parent / "program.py.json").read_text())
        assert facts["words"] == NASTY
        assert facts["parameters"]["text"] == value
        assert facts["env"]["FOO"] == "kept"
        assert not [v for v in facts["env"].values() if "hush" in v]
        assert not [k for k in facts["env"] if k.startswith(("OMPI_", "PMIX_"))]
        # Standard ones, the two with voxels, the copy for answers, and that of the listing itself.
        assert len(facts["files"]) <= 8, facts["files"]


def test_every_worker_has_a_graphics_card_of_its_own(omtask: Program, tmp_path: Path) -> None:
    program = r"""
import os, time
from omtask_region import serve

def show(tile, region):
    time.sleep(0.2)
    with open(__file__ + ".log", "a") as log:
        print(os.getpid(), os.environ.get("CUDA_VISIBLE_DEVICES"), file=log)
    return tile

serve(show)
"""
    task = write_task(tmp_path / "task", "Cards", program)
    document = json.loads(task.read_text())
    task.write_text(json.dumps(document | {"meta_parallel": {"needs_gpu": True}}))
    data = np.zeros((12, 9, 9), np.uint8)
    layout = Layout("series", "0.5", (1, 64, 64), None, (ZSTD,))
    image = write_image(tmp_path / "image.zarr", Image("tyx", [data], layout))
    omtask.run(str(task), image, threads=3, extra=PYTHON, env={"CUDA_VISIBLE_DEVICES": "4,7"})
    lines = {tuple(line.split()) for line in (task.parent / "program.py.log").read_text().splitlines()}
    assert len(lines) == len({pid for pid, _ in lines}) == 3
    assert sorted(card for _, card in lines) == ["4", "4", "7"]


def test_a_run_that_is_done_leaves_no_process(task: Path, image: Path, omtask: Program) -> None:
    start = time.monotonic()
    omtask.run(str(task), image, threads=4, extra=PYTHON)
    assert_gone(task)
    assert time.monotonic() - start < 20
    left = subprocess.run(
        ["pgrep", "-f", str(task.parent)], capture_output=True, text=True, env=environment())
    assert left.stdout == ""


def test_labels_of_regions_that_were_done_are_not_made_again(
    image: Path, omtask: Program, tmp_path: Path
) -> None:
    program = r"""
import os, numpy
from omtask_region import serve
calls = 0

def label(tile, region):
    global calls
    calls += 1
    if region.parameters["trouble"] and calls > 4:
        os.kill(os.getpid(), 9)
    with open(__file__ + ".log", "a") as log:
        print("region", file=log)
    return (tile > 128).astype(numpy.uint32) * (1 + numpy.arange(tile.shape[0])[:, None])

serve(label)
"""
    task = write_task(
        tmp_path / "task", "Rows", program, TROUBLE, ["trouble"], kind="label", stitch="touch")
    before = tree(image)
    omtask.run(str(task), image, parameters={"trouble": "kill"}, extra=PYTHON, expect=1)
    assert not (image / "labels").exists()
    assert {k: v for k, v in tree(image).items() if ".omtask" not in k} == before
    assert len(noted(task, "region")) == 4
    omtask.run(str(task), image, extra=PYTHON, ranks=2)
    assert len(noted(task, "region")) == 12
    found = read_label(image, "made").levels[0]
    source = read_multiscale(image).levels[0]
    ought, count = np.zeros(source.shape, np.uint32), 0
    for t, plane in enumerate(source > 128):
        for y, row in enumerate(plane):
            if row.any():
                count += 1
                ought[t, y][row] = count
    assert np.array_equal(found, ought)
    assert not leftovers(image)
