"""Labels of regions that a program makes with their halos are joined where both regions found them."""

import importlib.util
import json
import shutil
import sys
import types
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from omtask_testing import faults
from omtask_testing.images import Image, downsampled, write_image
from omtask_testing.layouts import ZSTD, Layout
from omtask_testing.program import Program
from omtask_testing.reading import read_label
from omtask_testing.tasks import EXAMPLES, PYTHON, write_task
from omtask_testing.trees import leftovers, tree

CELLS = EXAMPLES / "cells"
ENGINES = [{"threads": 1}, {"threads": 3}, {"ranks": 2}, {"ranks": 3}]
DEEP = Layout("deep", "0.5", (8, 256, 128), None, (ZSTD,))


@pytest.fixture(scope="module")
def model() -> Any:
    """The model of the example, as it is."""
    helper = types.ModuleType("omtask_region")
    helper.serve = lambda function: None  # type: ignore[attr-defined]
    sys.modules["omtask_region"] = helper
    try:
        spec = importlib.util.spec_from_file_location("cells_example", CELLS / "cells.py")
        assert spec is not None and spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
    finally:
        del sys.modules["omtask_region"]
    return module.model


def numbered(labels: np.ndarray, start: int = 0) -> np.ndarray:
    """Numbers in the order of first voxels."""
    names, first = np.unique(labels, return_index=True)
    order = [name for _, name in sorted(zip(first, names)) if name]
    table = np.zeros(int(labels.max()) + 1, np.uint32)
    table[order] = np.arange(1, len(order) + 1) + start
    return np.where(labels > 0, table[labels], 0).astype(np.uint32)


def crowd(shape: tuple[int, ...], rng: np.random.Generator, count: int, width: float) -> np.ndarray:
    """Bright cells of about a width, many of which touch."""
    places: list[np.ndarray] = []
    for _ in range(20 * count):
        place = rng.uniform(0, shape)
        if all(np.linalg.norm(place - other) > 0.8 * width for other in places):
            places.append(place)
        if len(places) == count:
            break
    spots = np.zeros(shape, np.float32)
    for place in places:
        low = [max(0, int(p - width)) for p in place]
        high = [min(n, int(p + width) + 1) for p, n in zip(place, shape)]
        box = tuple(slice(a, b) for a, b in zip(low, high))
        grid = np.ogrid[box]
        far = sum((axis - p) ** 2 for axis, p in zip(grid, place))
        spots[box] = np.maximum(spots[box], 250 * np.exp(-2 * far / (width / 2) ** 2))
    return (spots + rng.integers(0, 5, shape)).clip(0, 255).astype(np.uint8)


CROWDS = [
    ("yx", (1500, 1700), 1500, 16, Layout("flat", "0.5", (256, 256), None, (ZSTD,))),
    ("zyx", (18, 500, 600), 500, 12, DEEP),
    ("tyx", (2, 1100, 1150), 500, 14, Layout("v2", "0.4", (1, 200, 300))),
    ("cyx", (2, 2100, 600), 500, 14, Layout("sharded", "0.5", (1, 64, 64), (1, 8, 8), (ZSTD,))),
]


@pytest.mark.parametrize("crowded", CROWDS, ids=lambda one: one[0])
def test_cells_across_seams_are_those_of_the_whole_image(
    crowded: tuple[str, tuple[int, ...], int, int, Layout], model: Any, omtask: Program,
    tmp_path: Path, rng: np.random.Generator,
) -> None:
    """Nothing is cut, nothing is counted twice, and cells that only touch stay apart."""
    axes, shape, count, width, layout = crowded
    space = sum(axis in "zyx" for axis in axes)
    data = np.zeros(shape, np.uint8)
    for index in np.ndindex(shape[:-space]):
        data[index] = crowd(shape[-space:], rng, count, width)
    wanted, before = np.zeros(shape, np.uint32), 0
    planes = [(0,)] if axes == "cyx" else list(np.ndindex(shape[:-space]))
    for index in planes:
        wanted[index] = numbered(model.segment(data[index], float(width), 0.3), before)
        before = int(wanted.max())
    if axes == "cyx":
        wanted = wanted[0]
    original = write_image(tmp_path / "image.zarr", Image(axes, downsampled(axes, data, 1), layout))
    reference: dict[str, str] | None = None
    for number, engine in enumerate(ENGINES):
        image = Path(shutil.copytree(original, tmp_path / str(number) / "image.zarr"))
        call = {"diameter": width, "cutoff": 0.3} | ({"channel": 0} if axes == "cyx" else {})
        outcome = omtask.run(
            str(CELLS / "cells.json"), image, parameters=call, extra=PYTHON, **engine)
        found = read_label(image, "cells").levels[0]
        assert outcome.report is not None and outcome.report.objects("cells") == before
        assert np.array_equal(found, wanted), f"{engine}"
        files = tree(image)
        reference = reference or files
        assert files == reference, f"{engine} differs from {ENGINES[0]}"
    # The seams that were crossed are worth the test: touching alone makes other objects.
    assert before > 50


def test_what_labels_depend_on_is_written_into_the_result(omtask: Program, tmp_path: Path) -> None:
    data = crowd((300, 300), np.random.default_rng(1), 40, 14)
    image = write_image(tmp_path / "image.zarr", Image("yx", [data], CROWDS[0][4]))
    omtask.run(str(CELLS / "cells.json"), image, parameters={"diameter": 14}, extra=PYTHON)
    attributes = json.loads((image / "labels/cells/zarr.json").read_text())["attributes"]
    record = attributes.get("omtask") or attributes["ome"]["omtask"]
    assert record["exactness"] == "H"
    assert record["regions"]["halo"] == [28, 28] and record["regions"]["stitch"] == "overlap"
    assert len(record["regions"]["shape"]) == 2


# A rectangle across the border of two regions, which the lower one sees `shift` voxels to the right.
SHIFTED = """
import numpy
from omtask_region import serve

def find(tile, region):
    made = numpy.zeros(tile.shape, numpy.uint32)
    top, left = region.origin[1:]
    given = region.parameters
    shift = given["shift"] if top > 0 else 0
    y, x = numpy.mgrid[top:top + tile.shape[0], left:left + tile.shape[1]]
    made[(abs(y - given["seam"] + 0.5) < 10) & (x >= 500 + shift) & (x < 520 + shift)] = 7
    return made

serve(find)
"""


@pytest.mark.parametrize("shift", [0, 4, 6, 7, 12, 40])
def test_more_than_half_in_common_makes_one(shift: int, omtask: Program, tmp_path: Path) -> None:
    """Two rectangles of 20 by 20, one moved by `shift`: 20 - shift of 20 + shift columns in common."""
    numbers = {name: {"type": "integer", "default": 0} for name in ("seam", "shift")}
    task = write_task(
        tmp_path / "task", "Shifted", SHIFTED, numbers, kind="label", stitch="overlap",
        halo={"y": 30, "x": 30}, exactness="H")
    layout = Layout("rows", "0.5", (1024, 2048), None, (ZSTD,))
    image = write_image(
        tmp_path / "image.zarr", Image("yx", [np.ones((1300, 1500), np.uint8)], layout))
    call = {"seam": 1024, "shift": shift}
    outcome = omtask.run(str(task), image, parameters=call, extra=PYTHON, threads=2)
    joined = 3 * (20 - shift) > 40
    assert outcome.report is not None
    assert outcome.report.objects("made") == (1 if joined else 2)


@pytest.mark.parametrize("nth", [2, 5, 9])
def test_kills_and_going_on(nth: int, omtask: Program, tmp_path: Path) -> None:
    data = crowd((18, 500, 600), np.random.default_rng(4), 300, 12)
    original = write_image(tmp_path / "image.zarr", Image("zyx", [data], DEEP))
    right = Path(shutil.copytree(original, tmp_path / "right/image.zarr"))
    call: Mapping[str, Any] = {"diameter": 12, "cutoff": 0.3}
    omtask.run(str(CELLS / "cells.json"), right, parameters=call, extra=PYTHON)
    env = faults.injected(original / ".omtask", "rename", "kill", nth=nth)
    omtask.run(str(CELLS / "cells.json"), original, parameters=call, extra=PYTHON, env=env,
               ranks=2, expect=None)
    omtask.run(str(CELLS / "cells.json"), original, parameters=call, extra=PYTHON, threads=2)
    assert tree(original) == tree(right)
    assert not leftovers(tmp_path)


@pytest.mark.parametrize(("changes", "said"), [
    ({"halo": None}, "without a `halo` along y"), ({"exactness": "E"}, "its class is"),
    ({"halo": {"y": 4}}, "without a `halo` along x"),
], ids=str)
def test_the_check_of_manifests_knows_what_overlap_needs(
    changes: dict[str, Any], said: str, omtask: Program, tmp_path: Path
) -> None:
    manifest = json.loads((CELLS / "cells.json").read_text())
    manifest["omtask"] |= changes
    manifest["omtask"] = {key: value for key, value in manifest["omtask"].items() if value is not None}
    folder = Path(shutil.copytree(CELLS, tmp_path / "cells"))
    (folder / "cells.json").write_text(json.dumps(manifest))
    outcome = omtask("manifest", "check", folder / "cells.json", expect=None)
    assert outcome.code == 78 and said in outcome.stdout + outcome.stderr


def test_a_halo_of_nothing_is_refused(omtask: Program, tmp_path: Path) -> None:
    manifest = json.loads((CELLS / "cells.json").read_text())
    del manifest["omtask"]["halo"]["z"]
    folder = Path(shutil.copytree(CELLS, tmp_path / "cells"))
    (folder / "cells.json").write_text(json.dumps(manifest))
    image = write_image(
        tmp_path / "image.zarr", Image("zyx", [np.ones((9, 30, 30), np.uint8)], DEEP))
    failed = omtask("run", folder / "cells.json", image, *PYTHON, expect=64)
    assert "the halo along z is 0" in failed.stderr


# Objects of four squares of 1024 voxels, as each of them sees them: what is joined through others must
# not count when two squares are compared.
CHAIN = """
import numpy
from omtask_region import serve

ONE, TWO, THREE = (1990, 2060, 800, 900), (1030, 1040, 1030, 1040), (1000, 1020, 100, 150)
FOUR, FIVE = (1990, 2040, 100, 700), (1500, 1600, 970, 1050)
SEEN = {(0, 0): [[TWO, THREE]], (1, 0): [[ONE, FIVE], [THREE, FOUR]], (1, 1): [[FIVE, TWO]],
        (2, 0): [[ONE]]}

def find(tile, region):
    made = numpy.zeros(tile.shape, numpy.uint32)
    top, left = region.origin[1:]
    square = tuple((first + size // 2) // 1024 for first, size in zip((top, left), tile.shape))
    for number, boxes in enumerate(SEEN.get(square, []), 1):
        for y0, y1, x0, x1 in boxes:
            made[max(0, y0 - top):max(0, y1 - top), max(0, x0 - left):max(0, x1 - left)] = number
    return made

serve(find)
"""


def test_what_was_joined_before_does_not_count(omtask: Program, tmp_path: Path) -> None:
    task = write_task(
        tmp_path / "task", "Chain", CHAIN, kind="label", stitch="overlap", halo={"y": 64, "x": 64},
        exactness="H", region="any")
    original = write_image(
        tmp_path / "image.zarr",
        Image("yx", [np.ones((4096, 2048), np.uint8)],
              Layout("squares", "0.5", (1024, 1024), None, (ZSTD,))))
    results = []
    for number, engine in enumerate([*ENGINES, {"ranks": 4}]):
        image = Path(shutil.copytree(original, tmp_path / str(number) / "image.zarr"))
        omtask.run(str(task), image, extra=PYTHON, **engine)
        results.append(tree(image))
        (label,) = (image / "labels").glob("[!z]*")
        assert int(read_label(image, label.name).levels[0].max()) == 1, f"{engine}"
    assert all(result == results[0] for result in results)
