"""Fixtures and options of the end-to-end tests.

    --acceptance    the full figures instead of the quick ones
    --seed N        another set of generated cases, and another share of the long sweeps
    --faults-table FILE   writes how many faults were injected
"""

import os
import random
import re
import shutil
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from omtask_testing import faults, samples
from omtask_testing.cluster import Cluster
from omtask_testing.places import binary, open_to_all, shared
from omtask_testing.program import Program
from omtask_testing.scenes import SCENES, Stand
from omtask_testing.slurm_jobs import WORDS
from omtask_testing.sweeps import Tally
from omtask_testing.trees import made_by

DEFAULT_SEED = 20250101


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("omtask")
    group.addoption("--acceptance", action="store_true", help="run with the full figures")
    group.addoption("--seed", type=int, default=DEFAULT_SEED, help="seed of generated cases")
    group.addoption("--faults-table", help="file for the table of injected faults")


# Files that take long, in the order of their start; some workers share the files (scripts/test). Those that mostly
# wait (Slurm, stops, servers) stand between those that compute, so that they meet.
LONG_FILES = (
    "test_swift_package", "test_slurm", "test_snakemake", "test_bad_inputs", "test_slurm_scripts", "test_writers",
    "test_stops", "test_pyramid_kills", "test_fractal", "test_external", "test_doctor", "test_manifest_test",
    "test_s3_writing", "test_resume", "test_slurm_nodes", "test_overlap", "test_simulation",
)
PLACES = {name: place for place, name in enumerate(LONG_FILES)}


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Takes a share of the long sweeps; long files begin first, so that no worker is left alone with one at the end."""
    if not config.getoption("--acceptance"):
        left_out = cases_left_out(items, config.getoption("--seed"))
        items[:] = [item for item in items if item not in left_out]
        config.hook.pytest_deselected(items=sorted(left_out, key=lambda item: item.nodeid))
    items.sort(key=lambda item: PLACES.get(item.path.stem, len(PLACES)))


def cases_left_out(items: list[pytest.Item], seed: int) -> set[pytest.Item]:
    """The cases of sweeps that are not tried: of those marked `sweep(n)` all but a share of 1 in n, by the seed."""
    sweeps: dict[str, list[pytest.Item]] = {}
    for item in items:
        if item.get_closest_marker("sweep"):
            sweeps.setdefault(item.nodeid.partition("[")[0], []).append(item)
    left_out: set[pytest.Item] = set()
    for name, cases in sweeps.items():
        every = cases[0].get_closest_marker("sweep").args[0]
        taken = random.Random(f"{seed} {name}").sample(cases, -(-len(cases) // every))
        left_out.update(case for case in cases if case not in taken)
    return left_out


def pytest_report_header(config: pytest.Config) -> list[str]:
    profile = "acceptance" if config.getoption("--acceptance") else "test"
    return [f"omtask: {binary()}", f"profile: {profile}, seed: {config.getoption('--seed')}"]


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """The last line says what was not tried, so that a green run cannot hide it."""
    skipped = terminalreporter.stats.get("skipped", [])
    reasons = Counter(str(report.longrepr[2]).removeprefix("Skipped: ") for report in skipped)
    parts = "; ".join(f"{count} x {reason}" for reason, count in reasons.items())
    terminalreporter.write_line(f"skipped parts: {len(skipped)}{f' ({parts})' if parts else ''}")


@pytest.fixture(scope="session")
def omtask(tmp_path_factory: pytest.TempPathFactory) -> Program:
    """The program under test."""
    path = binary()
    if not path.exists():
        pytest.exit(f"{path} is not there: `make build` makes it, $OMTASK names another", 2)
    return Program(path, tmp_path_factory.mktemp("reports"))


# Folders of tests

FAILED = pytest.StashKey[bool]()
REMOVER = ThreadPoolExecutor(1)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Iterator[None]:
    """Notes which tests fail: their folders stay."""
    report = yield
    item.stash[FAILED] = item.stash.get(FAILED, False) or report.failed
    return report


@pytest.fixture
def tmp_path(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Path]:
    """A folder of the test, removed behind its back: some disks need a millisecond for each small file."""
    path = tmp_path_factory.mktemp(re.sub(r"\W", "_", request.node.name)[:30])
    yield path
    if not request.node.stash.get(FAILED, False):
        REMOVER.submit(shutil.rmtree, path, ignore_errors=True)


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """A two-node Slurm cluster of its own for each file of tests that wants one."""
    script = shared("engines/start_slurm.sh")
    if script is None:
        pytest.skip("no ../shared/engines/start_slurm.sh")
    if os.geteuid() != 0:
        pytest.skip("the test cluster needs root")
    started = Cluster.start(script, tmp_path_factory.mktemp("slurm") / "slurm-test")
    try:
        yield started
    finally:
        started.stop()


@pytest.fixture(scope="session")
def series(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An image of sixty regions that nobody changes, for jobs that are disturbed."""
    path = tmp_path_factory.mktemp("series") / "original.zarr"
    samples.write_series(path)
    return path


@pytest.fixture(scope="session")
def series_labels(
    omtask: Program, series: Path, tmp_path_factory: pytest.TempPathFactory
) -> dict[str, str]:
    """The files that one undisturbed process makes of `series`."""
    return made_by(omtask, series, tmp_path_factory.mktemp("right"), "threshold", *WORDS)


@pytest.fixture
def rng(request: pytest.FixtureRequest) -> np.random.Generator:
    """A generator of its own for every test, the same in every run."""
    name = np.frombuffer(request.node.nodeid.encode(), np.uint8)
    return np.random.default_rng([request.config.getoption("--seed"), *name.tolist()])


@pytest.fixture(scope="session")
def scaled(request: pytest.FixtureRequest) -> Callable[[int, int], int]:
    """`scaled(quick, full)`: the figure for this profile."""
    full_figures = request.config.getoption("--acceptance")
    return lambda quick, full: full if full_figures else quick


@pytest.fixture
def open_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that every user may enter, unlike pytest's own."""
    folder = tmp_path_factory.mktemp("open")
    open_to_all(folder)
    return folder


# Faults while running


@pytest.fixture(scope="session")
def fault_library(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The injector of faults."""
    return faults.injector(tmp_path_factory.mktemp("faultfs"))


@pytest.fixture(scope="session")
def tally(request: pytest.FixtureRequest) -> Iterator[Tally]:
    """Counts injected faults for `--faults-table`."""
    table = Tally()
    yield table
    if file := request.config.getoption("--faults-table"):
        Path(file).write_text(table.text())


@pytest.fixture(scope="session")
def stands(
    omtask: Program, tmp_path_factory: pytest.TempPathFactory
) -> Callable[[str], list[Stand]]:
    """The stands of a scene, made when it is first played."""
    made: dict[str, list[Stand]] = {}

    def of(name: str) -> list[Stand]:
        if name not in made:
            folder = tmp_path_factory.mktemp(name)
            SCENES[name].prepare(omtask, folder / "original")
            made[name] = [
                Stand(omtask, SCENES[name], folder / "original", folder / str(number))
                for number in range(2)
            ]
        return made[name]

    return of
