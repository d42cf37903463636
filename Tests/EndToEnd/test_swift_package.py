"""A package of one's own: the example in Examples/swift-package, and one that `manifest new` writes, built,
tested and run as their authors would."""

import re
import shlex
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
from omtask_testing.places import REPOSITORY, room_in_memory
from omtask_testing.program import Program, environment
from omtask_testing.reading import read_multiscale
from omtask_testing.trees import leftovers, tree

PACKAGE = REPOSITORY / "Examples/swift-package"
ENGINES = [{"threads": 1}, {"threads": 4}, {"ranks": 1}, {"ranks": 2}, {"ranks": 3}]
CASES = [
    ("yx", "uint8", 1), ("zyx", "uint16", 2), ("tyx", "uint32", [0, 3]), ("zyx", "float32", [1, 0, 2]),
    ("czyx", "uint8", 1), ("tczyx", "uint16", [1, 2, 1]), ("cyx", "float64", 2), ("zyx", "uint64", 10),
]


BUILD = ["swift", "build", "-c", "release", "--static-swift-stdlib"]
ROOM = room_in_memory()


def swift(words: list[str], package: Path) -> subprocess.CompletedProcess[str]:
    """Builds or tests a package; what omtask was built of is not built again."""
    if shutil.which("swift") is None:
        pytest.skip("there is no Swift to build the package with")
    words = [*words, "--scratch-path", str(REPOSITORY / ".build")]
    env = environment({"OMTASK_SOURCE": str(REPOSITORY), **ROOM})
    return subprocess.run(words, cwd=package, env=env, capture_output=True, text=True, timeout=1200)


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Program:
    """The example's program."""
    done = swift(BUILD, PACKAGE)
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


def test_the_example_tests_itself(program: Program) -> None:
    done = swift(["swift", "test"], PACKAGE)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "with 3 tests in 1 suite passed" in done.stdout + done.stderr


def test_its_tasks_are_tried_on_an_image(
    program: Program, tmp_path: Path, rng: np.random.Generator
) -> None:
    data = rng.integers(0, 60000, size=(9, 61, 67)).astype(np.uint16)
    image = write_image(tmp_path / "image.zarr", Image("zyx", [data], Layout("v3", "0.5", (9, 30, 30))))
    said = program("manifest", "test", "local-range", "--input", image, "--radius", "1,2,0", env=ROOM)
    assert "local-range (class E): the same bit for bit however it is cut, in 20 of 20" in said.stdout


# Beginning a new one


def test_a_new_package_is_checked_tested_and_runs(
    omtask: Program, tmp_path: Path, rng: np.random.Generator
) -> None:
    """By the commands that its own page names; a halo that is too small is found by both tests."""
    folder = tmp_path / "bright-spots"
    said = omtask("manifest", "new", "Bright Spots", "--language", "swift", "--output", folder).stderr
    page = re.search(r"```\n(.*)```", (folder / "README.md").read_text(), re.DOTALL)
    steps = [shlex.split(line, comments=True) for line in page[1].splitlines()]
    assert all(" ".join(step) in said for step in steps)
    check, test, build, trial, run = steps
    assert "no mistakes" in omtask(*check[1:3], folder / check[3]).stdout
    source = folder / "Sources/BrightSpotsTasks/BrightSpots.swift"
    right = source.read_text()
    source.write_text(right.replace("Vector3(0, radius, radius)", "Vector3(0, radius, radius / 2)"))
    data = rng.integers(0, 60000, size=(4, 61, 67)).astype(np.uint16)
    image = write_image(tmp_path / "image.zarr", Image("zyx", [data], Layout("v3", "0.5", (4, 30, 30))))
    tested = swift(test, folder)
    assert tested.returncode != 0
    assert re.search(r"the first voxel that differs: the tile, z=\d y=\d+ x=\d+", tested.stdout + tested.stderr)
    words = [image if word == "IMAGE.zarr" else word for word in trial[1:]]
    # The tests have built the program, too.
    program = Program(REPOSITORY / trial[0].replace("release", "debug"), tmp_path)
    assert "the first voxel that differs" in program(*words, expect=1, env=ROOM).stdout
    source.write_text(right)
    tested = swift(test, folder)
    assert tested.returncode == 0, tested.stdout + tested.stderr
    assert build == BUILD[:4]
    built = swift(BUILD, folder)
    assert built.returncode == 0, built.stdout + built.stderr
    program = Program(REPOSITORY / trial[0], tmp_path)
    assert "in 20 of 20 rounds" in program(*words, env=ROOM).stdout
    assert run[:3] == [trial[0], "run", "bright-spots"]
    program.run("bright-spots", image, parameters={"radius": 2}, ranks=2)
    made = read_multiscale(tmp_path / "image_bright-spots.zarr").levels[0]
    assert np.array_equal(made, ndimage.maximum_filter(data, (1, 5, 5), mode="nearest"))
