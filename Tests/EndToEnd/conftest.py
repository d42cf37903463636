"""Fixtures and options of the end-to-end tests.

    --acceptance    the full figures instead of the quick ones
    --seed N        another set of generated cases
"""

from collections import Counter
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from omtask_testing.places import binary
from omtask_testing.program import Program

DEFAULT_SEED = 20250101


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("omtask")
    group.addoption("--acceptance", action="store_true", help="run with the full figures")
    group.addoption("--seed", type=int, default=DEFAULT_SEED, help="seed of generated cases")


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
    for parent in (folder, folder.parent, folder.parent.parent):
        parent.chmod(0o755)
    return folder
