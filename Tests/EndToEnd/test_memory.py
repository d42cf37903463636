"""An image ten times larger than `--memory` stays within the plan's own figure."""

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from omtask_testing.memory import MIB, TOLERANCE, run_as_planned
from omtask_testing.program import Program
from omtask_testing.reading import listed_labels
from omtask_testing.report import Report
from omtask_testing.tiled import Tiled

@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory, scaled: Callable[[int, int], int]) -> Iterator[Tiled]:
    """640 MiB, or 5 GiB in the acceptance profile."""
    path = tmp_path_factory.mktemp("large") / "image.zarr"
    yield Tiled(path, (scaled(640, 2560), scaled(1024, 1024), scaled(512, 1024)), scaled(128, 256))


@pytest.mark.parametrize("ranks", [1, 2])
@pytest.mark.parametrize("objects", [True, False])
def test_peak_memory_is_what_the_plan_says(
    objects: bool, ranks: int, large: Tiled, scaled: Callable[[int, int], int],
    omtask: Program, tmp_path: Path,
) -> None:
    budget = large.bytes // 10
    name = f"l{objects}{ranks}"
    words = ["threshold", str(large.path), "--method", "otsu", "--objects", str(objects).lower(),
             "--label-name", name, "--memory", f"{budget // MIB}M", "--threads", str(3 - ranks)]
    report = tmp_path / "report.json"
    limit = ranks * (2 * budget + TOLERANCE)
    planned, _ = run_as_planned(omtask, words, ranks, limit, ["--report", str(report)])
    assert planned <= budget
    if objects:
        assert Report.read(report).objects(name) == large.objects


def test_a_budget_that_is_too_small_is_refused_before_work(large: Tiled, omtask: Program) -> None:
    outcome = omtask("run", "threshold", large.path, "--memory", "1M", expect=79)
    assert "--memory" in outcome.stderr
    assert "segmented" not in listed_labels(large.path)


@pytest.fixture(scope="module")
def medium(tmp_path_factory: pytest.TempPathFactory, scaled: Callable[[int, int], int]) -> Iterator[Tiled]:
    """128 MiB, or 1 GiB in the acceptance profile."""
    path = tmp_path_factory.mktemp("medium") / "image.zarr"
    yield Tiled(path, (scaled(256, 512), scaled(512, 1024), scaled(512, 1024)), 128)


DERIVED = [
    ("gaussian-blur", ["--sigma", "2"]), ("median", []), ("project", ["--method", "mean"]),
    ("project", ["--axis", "x", "--method", "sum"]), ("convert", []),
    ("convert", ["--chunk", "48", "--dtype", "float32"]),
    ("convert", ["--levels", "4", "--axes", "tczyx", "--codec", "none"]),
    ("convert", ["--chunk", "32,512,512", "--sharding", "off"]),
]


@pytest.mark.sweep(2)
@pytest.mark.parametrize("ranks", [1, 2])
@pytest.mark.parametrize(("task", "flags"), DERIVED, ids=lambda value: "".join(value)[:40])
def test_peak_memory_of_derived_images_is_what_the_plan_says(
    task: str, flags: list[str], ranks: int, medium: Tiled, omtask: Program, tmp_path: Path
) -> None:
    words = [task, str(medium.path), *flags, "--output", str(tmp_path / "made.zarr"),
             "--threads", str(3 - ranks)]
    run_as_planned(omtask, words, ranks, 2 << 30)
    shutil.rmtree(tmp_path / "made.zarr")
