"""A preview shows what a run gives on that level or plane, and writes nothing into the image."""

import json
import math
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import zarr
from PIL import Image as Picture

from omtask_testing import faults, patterns, samples
from omtask_testing.derived import gaussian
from omtask_testing.images import Image, downsampled, write_image
from omtask_testing.jobs import until
from omtask_testing.layouts import Layout, describe
from omtask_testing.oracle import METHODS
from omtask_testing.places import REPOSITORY
from omtask_testing.program import Program, environment, flags
from omtask_testing.tables import inside, write_rois
from omtask_testing.trees import tree


def written(tmp_path: Path, dtype: str = "uint16", axes: str = "zyx", layout: Layout = samples.SHARDED) -> tuple[Path, Image]:
    rng = np.random.default_rng(4)
    shape = {"yx": (60, 80), "zyx": (12, 60, 80), "czyx": (2, 12, 60, 80), "tzyx": (2, 12, 60, 80)}[axes]
    spatial = sum(axis in "zyx" for axis in axes)
    data = np.empty(shape, dtype)
    for index in np.ndindex(shape[:-spatial]):
        data[index] = patterns.intensities(patterns.blobs(shape[-spatial:], rng), dtype, rng)
    source = Image(axes, downsampled(axes, data, 3), layout, ("A", "B") if "c" in axes else None)
    return write_image(tmp_path / "image.zarr", source), source


@pytest.fixture
def preview(omtask: Program, tmp_path: Path):
    """Calls `omtask preview TASK`, which must leave the image and the temporary folder as they are."""
    temporary = tmp_path / "temporary"
    temporary.mkdir()

    def call(task: str, image: Path, *words: Any, expect: int = 0, **parameters: Any):
        before = tree(image)
        outcome = omtask(
            "preview", task, image, *flags(parameters), *map(str, words), expect=expect,
            env={"TMPDIR": str(temporary)})
        assert tree(image) == before
        assert not list(temporary.iterdir())
        return outcome

    return call


@pytest.mark.parametrize("dtype", ["uint8", "uint16", "int16", "uint32", "float32"])
@pytest.mark.parametrize("axes", ["yx", "zyx", "tzyx"])
@pytest.mark.parametrize("level", [0, 1])
def test_the_table_of_methods_is_that_of_scikit_image(
    dtype: str, axes: str, level: int, preview: Any, tmp_path: Path
) -> None:
    path, source = written(tmp_path, dtype, axes)
    words = ["--json", "--level", level] + (["--t", 1] if "t" in axes else [])
    answer = json.loads(preview("threshold", path, *words).stdout)
    data = source.levels[level][1] if "t" in axes else source.levels[level]
    assert answer["part"]["level"] == level
    assert answer["part"]["voxels"] == data.size
    (scope,) = answer["thresholds"]
    assert scope["voxels"] == data.size
    assert [row["method"] for row in scope["methods"] if row["chosen"]] == ["otsu"]
    assert {row["method"] for row in scope["methods"]} == set(METHODS)
    for row in scope["methods"]:
        # On wide integers scikit-image smooths a histogram of all levels for half a minute.
        if dtype == "uint32" and row["method"] == "minimum":
            continue
        ought = METHODS[row["method"]](data)
        if dtype == "float32" and row["method"] in ("li", "mean"):
            assert row["threshold"] == pytest.approx(ought, rel=1e-3)
        else:
            assert row["threshold"] == ought, row
        assert row["foreground_share"] == np.count_nonzero(data > row["threshold"]) / data.size


def test_rules_of_the_run_hold_in_the_table(preview: Any, tmp_path: Path) -> None:
    path, source = written(tmp_path)
    write_rois(path, "rois", [{"y": (0, 6.5), "x": (0, 9.75)}, {"y": (3.25, 9.75), "x": (13, 6.5)}])
    counts = inside(path, source, "rois", tmp_path / "scratch.zarr")
    answer = json.loads(
        preview("threshold", path, "--json", "--roi-table", "rois", correction=1.5, method="li").stdout)
    (scope,) = answer["thresholds"]
    assert scope["voxels"] == counts.sum()
    part = source.levels[0][counts]
    for row in scope["methods"]:
        assert row["chosen"] == (row["method"] == "li")
        assert row["threshold"] == METHODS[row["method"]](part) * 1.5
        assert row["foreground_share"] == np.count_nonzero(part > row["threshold"]) / part.size


def test_a_method_without_an_answer_says_so(preview: Any, tmp_path: Path) -> None:
    data = np.full((40, 40), 7, np.uint16)
    path = write_image(tmp_path / "image.zarr", Image("yx", [data], samples.V2))
    text = " ".join(preview("threshold", path).stdout.split())
    assert "minimum `minimum` finds no threshold: all voxels are 7" in text
    assert "* otsu 7 0.0 % foreground" in text


CASES: list[tuple[dict[str, Any], list[Any]]] = [
    ({"min_size": 20}, ["--level", 0]), ({}, ["--level", 1, "--z", 3]),
    ({"scope": "plane", "objects": False}, []), ({"channel": "B", "smooth": "gaussian"}, ["--level", 0]),
]


@pytest.mark.parametrize(("parameters", "words"), CASES, ids=describe)
def test_outlines_are_those_of_a_run(
    parameters: dict[str, Any], words: list[Any], preview: Any, omtask: Program, tmp_path: Path
) -> None:
    path, _ = written(tmp_path, axes="czyx" if "channel" in parameters else "zyx")
    preview("threshold", path, *words, "--png", tmp_path / "tried.png", **parameters)
    copy = Path(shutil.copytree(path, tmp_path / "copy" / "image.zarr"))
    level = words[words.index("--level") + 1] if "--level" in words else 0
    omtask.threshold(copy, parameters=parameters | {"level": level, "label_name": "made"})
    view = [*words, "--label", "made", "--level", level] if "--level" not in words else [*words, "--label", "made"]
    channel = ["--channel", parameters["channel"]] if "channel" in parameters else []
    omtask("preview", copy, *view, *channel, "--png", tmp_path / "ran.png")
    assert np.array_equal(pixels(tmp_path / "tried.png"), pixels(tmp_path / "ran.png"))


def pixels(path: Path) -> np.ndarray:
    return np.asarray(Picture.open(path).convert("RGB"))


def test_a_plane_alone_is_what_a_run_finds_in_it(
    preview: Any, omtask: Program, tmp_path: Path
) -> None:
    path, source = written(tmp_path)
    text = preview("threshold", path, "--plane", "--z", 4, "--png", tmp_path / "tried.png").stdout
    assert "level 0, z=4 only, 4,800 voxels" in text
    copy = Path(shutil.copytree(path, tmp_path / "copy" / "image.zarr"))
    omtask.threshold(copy, parameters={"label_name": "made"}, extra=["--select", "z=4"])
    omtask("preview", copy, "--z", 4, "--label", "made", "--png", tmp_path / "ran.png")
    assert np.array_equal(pixels(tmp_path / "tried.png"), pixels(tmp_path / "ran.png"))
    assert len(source.levels) == 3


def grey(plane: np.ndarray, like: np.ndarray) -> np.ndarray:
    """What a plane looks like with the contrast of another."""
    ordered = np.sort(like.ravel().astype(float))
    last = len(ordered) - 1
    low, high = ordered[int(last * 0.01)], ordered[math.ceil(last * 0.998)]
    bright = np.clip((plane.astype(float) - low) / (high - low), 0, 1) * 255
    return np.floor(bright + 0.5).astype(np.uint8)


@pytest.mark.parametrize("level", [0, 1])
@pytest.mark.parametrize("plane", [True, False])
def test_a_derived_image_stands_beside_the_image(
    level: int, plane: bool, preview: Any, tmp_path: Path
) -> None:
    path, source = written(tmp_path)
    words = ["--level", level, "--z", 6] + (["--plane"] if plane else [])
    preview("gaussian-blur", path, *words, "--png", tmp_path / "tried.png", sigma=1.5)
    data = source.levels[level]
    z = 6 if level == 0 else 3
    before, after = data[z], gaussian("zyx", data, {"sigma": 1.5})[z]
    shown = pixels(tmp_path / "tried.png")
    width = before.shape[1]
    assert shown.shape == (before.shape[0], 2 * width + 4, 3)
    assert np.array_equal(shown[:, :width, 0], grey(before, before))
    assert np.array_equal(shown[:, width + 4 :, 0], grey(after, before))


def test_a_projection_looks_at_all_planes(preview: Any, tmp_path: Path) -> None:
    path, source = written(tmp_path)
    preview("project", path, "--png", tmp_path / "tried.png")
    data = source.levels[0]
    shown = pixels(tmp_path / "tried.png")
    assert np.array_equal(shown[:, 84:, 1], grey(data.max(axis=0), data[6]))


@pytest.mark.parametrize("mode", ["foreground", "equal-values"])
def test_objects_of_a_mask_are_previewed(
    mode: str, preview: Any, omtask: Program, tmp_path: Path
) -> None:
    path, _ = written(tmp_path)
    objects = mode == "equal-values"
    omtask.threshold(path, parameters={"objects": objects, "label_name": "mask"})
    call = {"label": "mask", "mode": mode, "connectivity": "faces"}
    text = preview("label-objects", path, "--png", tmp_path / "tried.png", "--level", 1, **call).stdout
    omtask.run("label-objects", path, parameters=call | {"level": 1})
    omtask("preview", path, "--level", 1, "--label", "mask_objects", "--png", tmp_path / "ran.png")
    assert np.array_equal(pixels(tmp_path / "tried.png"), pixels(tmp_path / "ran.png"))
    assert "mask_objects: " in text


def test_a_large_image_is_tried_on_a_coarse_level(preview: Any, tmp_path: Path) -> None:
    layout = Layout("sparse", "0.5", (64, 256, 256))
    levels = [np.zeros((96, 1024 >> k, 1024 >> k), np.uint8) for k in range(3)]
    path = write_image(tmp_path / "image.zarr", Image("zyx", levels, layout))
    text = preview("threshold", path).stdout
    assert "level 2, 6,291,456 voxels" in text
    assert "a run looks at the finer voxels of level 0" in text
    assert "level 0, z=48 only" in preview("threshold", path, "--plane").stdout


@pytest.mark.parametrize("named", ["by file", "by name"])
def test_a_program_of_ones_own_is_previewed(
    named: str, omtask: Program, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    image, source = written(tmp_path)
    folder = REPOSITORY / "Examples/uniform-filter"
    task = folder / "uniform-filter.json"
    if named == "by name":
        monkeypatch.setenv("OMTASK_TASKS", str(folder))
    before = tree(image)
    png = tmp_path / "made.png"
    word = task if named == "by file" else "uniform-filter"
    outcome = omtask(
        "preview", word, image, "--png", png, "--level", "0", "--plane", "--python", sys.executable, "--size", "5")
    assert tree(image) == before and "level 0" in outcome.stdout
    omtask("run", task, image, "--python", sys.executable, "--size", "5", "--output", tmp_path / "made.zarr")
    made = zarr.open_array(tmp_path / "made.zarr" / "0", mode="r")[6]
    shown, width = pixels(png), source.levels[0].shape[-1]
    assert np.array_equal(shown[:, -width:, 0], grey(made, source.levels[0][6]))


def test_a_program_that_does_whole_images_has_no_preview(omtask: Program, tmp_path: Path) -> None:
    image, _ = written(tmp_path)
    manifest = tmp_path / "whole.json"
    text = json.loads((REPOSITORY / "Examples/uniform-filter/uniform-filter.json").read_text())
    manifest.write_text(json.dumps({key: value for key, value in text.items() if key != "omtask"} | {
        "omtask": {"contract": "image", "summary": "Does it", "result_version": 1, "command": ["true"]}}))
    outcome = omtask("preview", manifest, image, "--png", tmp_path / "x.png", expect=None)
    assert outcome.code == 64 and "there is no preview of it" in outcome.stderr, outcome
    outcome = omtask("preview", "median", image, "--png", tmp_path / "x.png", "--python", "p", expect=64)
    assert "needs no interpreter" in outcome.stderr


def test_a_preview_that_is_ended_leaves_nothing(omtask: Program, tmp_path: Path) -> None:
    path, _ = written(tmp_path)
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    slow = faults.injected(path / "0", "read", "delay", nth=1, every=1, ms=300)
    command = [omtask.path, "preview", "median", path, "--level", "0", "--png", tmp_path / "a.png"]
    running = subprocess.Popen(
        list(map(str, command)), env=environment({"TMPDIR": str(temporary)} | slow))
    until(lambda: any(temporary.iterdir()), 20, "the preview begins")
    running.send_signal(signal.SIGTERM)
    assert running.wait(timeout=60) == 143
    assert not any(temporary.iterdir())
    assert not (tmp_path / "a.png").exists()


REFUSALS: list[tuple[str, list[Any], dict[str, Any], str]] = [
    ("median", [], {}, "`--png` is missing"), ("threshold", ["--level", 9], {}, "`--level` is 9"),
    ("threshold", ["--z", 12], {}, "`--z` is 12"), ("threshold", ["--t", 1], {}, "`--t` is 1"),
    ("project", ["--plane", "--png", "a.png"], {}, "the task looks along z"),
    ("convert", ["--png", "a.png"], {}, "changes no voxel"),
    ("threshold", ["--json", "--png", "-"], {}, "both write to standard output"),
    ("threshold", [], {"methd": "li"}, "did you mean `--method`?"),
    ("threshold", ["another.zarr"], {}, "there are 2 images"),
]


@pytest.mark.parametrize(("task", "words", "parameters", "says"), REFUSALS, ids=describe)
def test_a_bad_call_is_explained(
    task: str, words: list[Any], parameters: dict[str, Any], says: str, preview: Any, tmp_path: Path
) -> None:
    path, _ = written(tmp_path)
    assert says in preview(task, path, *words, expect=64, **parameters).stderr
