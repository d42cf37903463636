"""`omtask bench` and `omtask plan --simulate`: figures add up, and hold against real runs (--acceptance)."""

import json
import os
import signal
import statistics
import subprocess
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from omtask_testing.images import Image, downsampled, multiscales, write_group, write_image
from omtask_testing.layouts import ZSTD, Layout
from omtask_testing.program import Program, environment, flags, mpirun

# What the model is checked with: the task and its parameters.
TASKS: dict[str, dict[str, Any]] = {
    "threshold": {"method": "otsu", "objects": True},
    "gaussian-blur": {"sigma": 2},
    "project": {"axis": "z"},
}
TURNS = 3
TOLERANCE = 0.2


@pytest.fixture(scope="module")
def model(omtask: Program, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A cost model that was written by hand, so that nothing depends on the machine."""
    passes = {
        "threshold": ["statistics", "objects", "labels"],
        "gaussian-blur": ["tiles"],
        "project": ["tiles"],
    }
    tasks = [
        {"task": task, "parameters": {}, "data_type": "uint16", "codec": "zstd", "voxels": 1000,
         "decodings": 1, "run_s": 0.01, "image_s": 0.01, "commit_s": 0.01, "sync_s": 1e-4, "crowded_sync_s": 1.5e-4,
         "between_s_per_voxel": 0, "contention": 1, "written_bytes_per_voxel": 0.5,
         "passes": [{"pass": name, "cpu_s_per_voxel": 1e-6, "wait_s_per_voxel": 0} for name in names]}
        for task, names in passes.items()
    ]
    document = {
        "format": "omtask cost model", "version": 1, "program": "", "host": "here",
        "processor": "some CPU", "cores": 8, "measured": "2026-01-01", "folder": "/tmp",
        "codecs": [], "tasks": tasks,
        "files": {"create_s": 1e-5, "stat_s": 1e-6, "sync_s": 1e-4},
        "launch": {"process_s": 0.01, "alone_s": 0.01, "ranks": [
            {"ranks": 1, "start_s": 0.1, "run_s": 0.02}, {"ranks": 2, "start_s": 0.1, "run_s": 0.03}]},
    }
    path = tmp_path_factory.mktemp("model") / "model.json"
    path.write_text(json.dumps(document))
    return path


def store(path: Path, data: np.ndarray, levels: int, chunk: int = 16, shard: int | None = None) -> None:
    layout = Layout("bench", "0.5", (chunk,), (shard,) if shard else None, (ZSTD,))
    write_image(path, Image("zyx", downsampled("zyx", data, levels), layout, writer="tensorstore"))


def store_nothing(path: Path, shape: tuple[int, int, int], levels: int, chunk: int) -> None:
    """The metadata of an image without any chunk."""
    write_group(path, "0.5", {"multiscales": multiscales("zyx", levels, "0.5", "empty")})
    layout = Layout("empty", "0.5", (chunk,), None, (ZSTD,))
    for level in range(levels):
        (path / str(level)).mkdir()
        sizes = [-(-size // 2**level) for size in shape]
        document = layout.document(sizes, np.dtype("uint16"), "zyx")
        (path / f"{level}/zarr.json").write_text(json.dumps(document))


@pytest.fixture(scope="module")
def image(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("image") / "image.zarr"
    data = np.random.default_rng(1).integers(0, 4000, (64, 256, 256), np.uint16)
    store(path, data, levels=2)
    return path


def simulated(omtask: Program, task: str, image: Path, model: Path, ranks: str, *more: str) -> Any:
    outcome = omtask("plan", task, image, *flags(TASKS[task]), "--simulate", "--cost-model", model,
                     "--ranks", ranks, "--json", "--threads", "1", *more)
    return json.loads(outcome.stdout)


@pytest.mark.parametrize("task", TASKS)
def test_bytes_and_files_add_up_to_the_plan(omtask: Program, model: Path, image: Path, task: str) -> None:
    plan = json.loads(omtask("plan", task, image, *flags(TASKS[task]), "--json", "--threads", "1").stdout)
    for run in simulated(omtask, task, image, model, "1,2,3,7,64,10000")["runs"]:
        assert run["bytes_read"]["sum"] == pytest.approx(plan["bytes_read"], rel=1e-6)
        assert run["bytes_written"]["sum"] == plan["bytes_written"]
        assert run["bytes_read"]["max"] * run["ranks"] >= run["bytes_read"]["sum"] * (1 - 1e-9)
        assert run["metadata"]["renames"] <= plan["files"]


def test_owners_are_those_of_the_plan(omtask: Program, model: Path, image: Path) -> None:
    words = ("gaussian-blur", image, *flags(TASKS["gaussian-blur"]), "--json", "--threads", "1")
    plan = json.loads(omtask("plan", *words, "--ranks", "3").stdout)
    regions = plan["images"][0]["passes"][0]["regions"]
    voxels = [0, 0, 0]
    for region in regions:
        voxels[region["owner"]] += int(np.prod(region["shape"]))
    run = simulated(omtask, "gaussian-blur", image, model, "3")["runs"][0]
    assert run["bytes_read"]["max"] / run["bytes_read"]["sum"] == pytest.approx(max(voxels) / sum(voxels))


def test_it_is_always_the_same_and_more_ranks_are_faster(
    omtask: Program, model: Path, image: Path
) -> None:
    first, second = (simulated(omtask, "threshold", image, model, "1,2,4") for _ in range(2))
    assert first == second
    seconds = [run["run"] for run in first["runs"]]
    assert seconds == sorted(seconds, reverse=True)
    assert seconds[0] / seconds[1] == pytest.approx(2, rel=0.2)


def test_ranks_that_share_cores_gain_nothing(
    omtask: Program, model: Path, image: Path, tmp_path: Path
) -> None:
    small = tmp_path / "small.json"
    small.write_text(json.dumps(json.loads(model.read_text()) | {"cores": 2}))
    two, four = simulated(omtask, "threshold", image, small, "2,4", "--ranks-per-node", "4")["runs"]
    spread = simulated(omtask, "threshold", image, small, "4")["runs"][0]
    assert (four["nodes"], spread["nodes"]) == (1, 2)
    assert four["run"] > 0.95 * two["run"] > 1.5 * spread["run"]


def test_ten_thousand_ranks_take_seconds(
    omtask: Program, model: Path, tmp_path: Path
) -> None:
    """A hundred thousand regions, of which nothing is stored."""
    path = tmp_path / "large.zarr"
    store_nothing(path, (4096, 16384, 16384), levels=3, chunk=128)
    start = time.monotonic()
    document = simulated(omtask, "gaussian-blur", path, model, "1000,10000")
    assert time.monotonic() - start < 60
    assert [run["ranks"] for run in document["runs"]] == [1000, 10000]


def test_without_a_model_one_line_says_what_to_do(omtask: Program, image: Path, tmp_path: Path) -> None:
    words = ("plan", "threshold", image, "--simulate", "--cost-model", tmp_path / "none.json")
    outcome = omtask(*words, expect=66)
    assert "`omtask bench` measures one" in outcome.stderr
    (tmp_path / "none.json").write_text('{"format": "omtask cost model", "version": 99}')
    outcome = omtask(*words, expect=65)
    assert "has the version 99, this program reads 1" in outcome.stderr


def test_a_task_that_was_not_measured_is_named(omtask: Program, image: Path, model: Path) -> None:
    outcome = omtask("plan", "median", image, "--simulate", "--cost-model", model, expect=64)
    assert "`omtask bench median IMAGE" in outcome.stderr


@pytest.mark.parametrize("words", [
    ("--ranks", "1,2"), ("--ranks-per-node", "2"), ("--cost-model", "x"), ("--ranks", "1,b"),
    ("--simulate", "--ranks", "100001"), ("--simulate", "--ranks", "0"),
    ("--simulate", "--ranks-per-node", "0"),
    ("--simulate", "--parts", "2"), ("--simulate", "--out-json", "x.json"),
])
def test_wrong_calls_are_refused(omtask: Program, image: Path, words: tuple[str, ...]) -> None:
    omtask("plan", "threshold", image, *words, expect=64)


# The benchmark of layouts


def test_layouts_are_a_table_and_a_drawing(omtask: Program, tmp_path: Path) -> None:
    place = tmp_path / "place"
    place.mkdir()
    outcome = omtask(
        "bench", "layouts", "--size", "1M", "--seconds", "0", "--chunks", "32x32x32,1x64x64",
        "--codecs", "zstd,none", "--scratch", place, "--csv", tmp_path / "t.csv",
        "--plot", tmp_path / "t.svg", "--threads", "2", "--json")
    document = json.loads(outcome.stdout)
    assert len(document["layouts"]) == 5
    for layout in document["layouts"]:
        assert set(layout["accesses"]) == {"write", "whole", "boxes", "planes z", "planes y", "planes x"}
        assert all(access["bytes_per_s"] > 0 for access in layout["accesses"].values())
    raw = next(layout for layout in document["layouts"] if layout["codec"] == "none")
    assert raw["ratio"] == pytest.approx(1, rel=0.01)
    assert len((tmp_path / "t.csv").read_text().splitlines()) == 1 + 5 * 6
    assert (tmp_path / "t.svg").read_text().startswith("<svg")
    assert list(place.iterdir()) == []


def test_layouts_of_an_image(omtask: Program, image: Path) -> None:
    outcome = omtask("bench", "layouts", "--input", image, "--size", "1M", "--seconds", "0",
                     "--chunks", "16x64x64", "--codecs", "zstd", "--shards", "yes")
    lines = outcome.stdout.splitlines()
    assert lines[0].startswith(f"{image} volume") and len(lines) == 5
    assert max(map(len, lines[1:])) <= 120


@pytest.mark.parametrize("words", [
    ("--chunks", "64x64"), ("--chunks", ""), ("--codecs", "lzma"), ("--size", "5G"), ("--shards", "a"),
])
def test_wrong_layouts_are_refused(omtask: Program, words: tuple[str, ...]) -> None:
    omtask("bench", "layouts", *words, expect=64)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_benchmark_that_is_ended_leaves_nothing(
    omtask: Program, tmp_path: Path, number: signal.Signals
) -> None:
    call = [omtask.path, "bench", "layouts", "--size", "256M", "--scratch", tmp_path]
    process = subprocess.Popen(call, env=environment(), stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    deadline = time.monotonic() + 30
    while not list(tmp_path.glob("omtask-bench-*/layout/*")) and time.monotonic() < deadline:
        time.sleep(0.02)
    assert list(tmp_path.iterdir())
    process.send_signal(number)
    _, errors = process.communicate(timeout=30)
    assert process.returncode == 128 + number, errors
    assert list(tmp_path.iterdir()) == []


# The cost model


def test_a_task_is_measured_on_a_part_of_an_image(omtask: Program, tmp_path: Path) -> None:
    image = tmp_path / "image.zarr"
    store(image, np.random.default_rng(1).integers(0, 4000, (64, 256, 128), np.uint16), 2, chunk=32)
    path, place = tmp_path / "m.json", tmp_path / "place"
    place.mkdir()
    before = sorted(file for file in image.rglob("*"))
    env = {"PATH": str(tmp_path)}  # no mpirun: quick
    for task, parameters in TASKS.items():
        omtask("bench", task, image, *flags(parameters), "--cost-model", path, "--scratch", place,
               env=env)
    assert sorted(file for file in image.rglob("*")) == before and list(place.iterdir()) == []
    document = json.loads(path.read_text())
    assert [task["task"] for task in document["tasks"]] == list(TASKS)
    assert [entry["pass"] for entry in document["tasks"][0]["passes"]] == ["statistics", "objects", "labels"]
    assert all(entry["cpu_s_per_voxel"] > 0 for task in document["tasks"] for entry in task["passes"])
    for task in TASKS:
        found = simulated(omtask, task, image, path, "1,2")
        assert not any("measured with" in note for note in found["notes"])
        assert all(run["makespan"] > 0 for run in found["runs"])
    other = omtask("plan", "threshold", image, "--method", "li", "--simulate", "--cost-model", path)
    assert '`method` "otsu"' in other.stdout


# Against real runs


@pytest.fixture(scope="module")
def measured(
    omtask: Program, request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Path, Path]:
    """An image of 256 MiB and the model of this machine."""
    if not request.config.getoption("--acceptance"):
        pytest.skip("needs a quiet machine: --acceptance")
    folder = tmp_path_factory.mktemp("measured")
    image, model = folder / "image.zarr", folder / "model.json"
    store(image, blobs((128, 1024, 1024)), levels=3, chunk=64, shard=2)
    omtask("bench", "--cost-model", model, "--scratch", folder)
    return image, model


def blobs(shape: tuple[int, int, int]) -> np.ndarray:
    """Bodies with noise, as cameras see them."""
    rng = np.random.default_rng(3)
    cell = np.add.outer(np.add.outer(*(((np.arange(n) % 32 - 16) / 11) ** 2 for n in shape[:2])),
                        ((np.arange(shape[2]) % 32 - 16) / 11) ** 2)
    signal = 140 + 900 * np.sqrt(np.clip(1 - cell, 0, None)).astype(np.float32)
    return (signal + rng.standard_normal(shape, np.float32) * np.sqrt(signal) / 2).astype(np.uint16)


@pytest.mark.parametrize("task", TASKS)
def test_makespan_is_that_of_real_runs(
    omtask: Program, measured: tuple[Path, Path], tmp_path: Path, task: str
) -> None:
    """Model and runs take turns: what others do on a machine changes from minute to minute."""
    image, model = measured
    turns: dict[int, list[tuple[float, float]]] = {1: [], 2: [], 4: []}
    for _ in range(TURNS):
        omtask("bench", task, image, *flags(TASKS[task]), "--cost-model", model, "--scratch", tmp_path)
        for ranks, times in turns.items():
            run = simulated(omtask, task, image, model, str(ranks), "--ranks-per-node", str(ranks))["runs"][0]
            times += [(run["makespan"], real(omtask, task, image, ranks, tmp_path)) for _ in range(2)]
    errors = {}
    for ranks, times in turns.items():
        errors[ranks] = statistics.median(guess / seconds for guess, seconds in times) - 1
        shown = ", ".join(f"{guess:.2f}/{seconds:.2f}" for guess, seconds in times)
        print(f"\n{task:14} {ranks} ranks: {errors[ranks]:+.0%}; simulated/real s: {shown}", end="")
    assert all(abs(error) <= TOLERANCE for error in errors.values()), errors


def real(omtask: Program, task: str, image: Path, ranks: int, folder: Path) -> float:
    """The seconds of a run."""
    output = folder / "result.zarr"
    launcher = mpirun(ranks) if ranks > 1 else []
    call = [*launcher, str(omtask.path), "run", task, str(image), *flags(TASKS[task]), "--threads", "1",
            "--output", str(output), "--progress", "none"]
    start = time.monotonic()
    subprocess.run(call, env=environment(), check=True, stderr=subprocess.DEVNULL)
    seconds = time.monotonic() - start
    subprocess.run(["rm", "-rf", str(output)], check=True)
    return seconds
