"""A package of one's own: the example in Examples/swift-package, built and run as its authors would."""

import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest
from scipy import ndimage

from omtask_testing import faults
from omtask_testing.derived import coarser, per_axis, volumes
from omtask_testing.images import Image, downsampled, write_image
from omtask_testing.layouts import ALL_LAYOUTS, ZSTD, Layout, describe
from omtask_testing.places import REPOSITORY
from omtask_testing.program import Program
from omtask_testing.reading import read_multiscale
from omtask_testing.trees import leftovers, tree

PACKAGE = REPOSITORY / "Examples/swift-package"
ENGINES = [{"threads": 1}, {"threads": 4}, {"ranks": 1}, {"ranks": 2}, {"ranks": 3}]
CASES = [
    ("yx", "uint8", 1), ("zyx", "uint16", 2), ("tyx", "uint32", [0, 3]), ("zyx", "float32", [1, 0, 2]),
    ("czyx", "uint8", 1), ("tczyx", "uint16", [1, 2, 1]), ("cyx", "float64", 2), ("zyx", "uint64", 10),
]


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Program:
    """The example's program; what omtask was built of is not built again."""
    if shutil.which("swift") is None:
        pytest.skip("there is no Swift to build the example with")
    build = ["swift", "build", "-c", "release", "--static-swift-stdlib"]
    build += ["--scratch-path", str(REPOSITORY / ".build")]
    done = subprocess.run(build, cwd=PACKAGE, capture_output=True, text=True, timeout=1200)
    assert done.returncode == 0, done.stdout + done.stderr
    return Program(
        REPOSITORY / ".build/release/range-tasks", tmp_path_factory.mktemp("own-reports"))


def local_range(axes: str, data: np.ndarray, radius: int | list[int]) -> np.ndarray:
    """The largest minus the smallest voxel around each, by SciPy."""
    sizes = [2 * value + 1 for value in per_axis(radius, axes)]
    made = np.empty_like(data)
    for index in volumes(axes, data):
        volume = data[index]
        made[index] = ndimage.maximum_filter(volume, sizes, mode="nearest")
        made[index] -= ndimage.minimum_filter(volume, sizes, mode="nearest")
    return made


def test_the_manifest_has_no_mistakes(omtask: Program) -> None:
    for manifest in sorted((PACKAGE / "Manifests").glob("*.json")):
        omtask("manifest", "check", manifest)


def test_its_tasks_are_those_of_the_package(program: Program) -> None:
    assert program("tasks").stdout.split()[0] == "local-range"
    text = program("run", "local-range", "--help").stdout
    assert "--radius" in text
    assert "  range-tasks run local-range <uri>" in text
    assert "    range-tasks run local-range image.zarr" in text


@pytest.mark.parametrize("number", range(24))
def test_equals_scipy(
    number: int, program: Program, tmp_path: Path, rng: np.random.Generator
) -> None:
    axes, dtype, radius = CASES[number % len(CASES)]
    layout = ALL_LAYOUTS[number * 7 % len(ALL_LAYOUTS)]
    shape = {"t": 2, "c": 2, "z": 9, "y": 33, "x": 27}
    data = rng.integers(0, 250, size=[shape[axis] for axis in axes]).astype(dtype)
    image = write_image(tmp_path / "image.zarr", Image(axes, downsampled(axes, data, 2), layout))
    program.run("local-range", image, parameters={"radius": radius}, threads=2)
    found = read_multiscale(tmp_path / "image_range.zarr").levels
    ought = local_range(axes, data, radius)
    assert found[0].dtype == ought.dtype
    assert np.array_equal(found[0], ought)
    assert np.array_equal(found[1], coarser(axes, ought, "mean"))


@pytest.mark.parametrize(
    "layout", [Layout("shards", "0.5", (8,), (2,), (ZSTD,)), Layout("plain", "0.5", (7, 9, 11))],
    ids=describe,
)
def test_every_engine_writes_the_same_files(
    layout: Layout, program: Program, tmp_path: Path, rng: np.random.Generator
) -> None:
    data = rng.integers(0, 60000, size=(25, 34, 41)).astype(np.uint16)
    original = write_image(
        tmp_path / "image.zarr", Image("zyx", downsampled("zyx", data, 3), layout))
    made = []
    for number, engine in enumerate(ENGINES):
        folder = tmp_path / str(number)
        image = Path(shutil.copytree(original, folder / "image.zarr"))
        program.run("local-range", image, parameters={"radius": [1, 2, 1]}, **engine)
        made.append(tree(folder / "image_range.zarr"))
    assert all(files == made[0] for files in made)


def test_it_goes_on_after_a_kill(
    program: Program, tmp_path: Path, rng: np.random.Generator
) -> None:
    data = rng.integers(0, 60000, size=(40, 200, 200)).astype(np.uint16)
    layout = Layout("shards", "0.5", (10, 50, 50), (2,), (ZSTD,))
    image = write_image(tmp_path / "image.zarr", Image("zyx", downsampled("zyx", data, 2), layout))
    made = tmp_path / "image_range.zarr"
    program.run("local-range", image)
    ought = tree(made)
    shutil.rmtree(made)
    for ranks in (None, 2):
        env = faults.injected(tmp_path / ".image_range.zarr.omtask", "rename", "kill", nth=4)
        killed = program.run("local-range", image, env=env, ranks=ranks, expect=None)
        assert killed.code != 0
        assert not made.exists()
        program.run("local-range", image, ranks=3)
        assert tree(made) == ought
        assert not leftovers(tmp_path)
        shutil.rmtree(made)


def test_what_it_refuses_is_said_in_one_line(program: Program, tmp_path: Path) -> None:
    image = write_image(
        tmp_path / "image.zarr", Image("yx", [np.zeros((9, 9), np.int16)], Layout("v3", "0.5", (9,))))
    outcome = program.run("local-range", image, expect=64)
    assert "int16" in outcome.stderr
