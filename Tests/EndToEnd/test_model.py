"""The lock and the commit as models that spin walks through, every step and every crash."""

import re
import shutil
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from omtask_testing.places import REPOSITORY

MODELS = REPOSITORY / "Tests/Model"

pytestmark = pytest.mark.skipif(
    not (shutil.which("spin") and shutil.which("gcc")), reason="spin is not installed"
)

# Model and defines; crashes in the quick and in the full profile.
RIGHT = (
    ("lock RUNS=3", 2, 2),
    ("lock RUNS=4 OLD_LOCK", 0, 0),
    ("lock RUNS=3 OLD_LOCK SWEEP", 1, 1),
    ("lock RUNS=3 SWEEP", 1, 2),
    ("lock RUNS=2 ROUNDS=2 SWEEP", 2, 2),
    ("commit SAME", 2, 3),
    ("commit OTHER", 2, 3),
    ("commit CLASH", 2, 3),
    ("commit OVERWRITE", 2, 3),
    ("commit OVERWRITE NO_EXCHANGE", 2, 3),
    ("commit OTHER FOREIGN", 1, 2),
)
ENDING = (
    "lock RUNS=2 CRASHES=3 SWEEP",
    "commit SAME CRASHES=1",
    "commit OTHER CRASHES=1",
    "commit CLASH CRASHES=1",
    "commit OVERWRITE CRASHES=1",
    "commit OVERWRITE NO_EXCHANGE CRASHES=1",
)
WRONG = (
    "lock CRASHES=1 UNLINK_STALE",
    "lock CRASHES=1 RENAME_AWAY",
    "lock CRASHES=1 NO_SECOND_LOOK",
    "lock CRASHES=1 INODE_AS_TOKEN",
    "commit SAME NO_RUN_LOCK",
    "commit SAME METADATA_LAST",
    "commit SAME LIST_FIRST",
    "commit SAME FORGET_STAGE",
    "commit SAME NO_SWEEP",
    "commit OTHER KEEP_TEMPORARIES",
    "commit OTHER LIST_UNLOCKED",
    "commit OTHER FOREIGN LIST_BLINDLY CRASHES=1",
    "commit OTHER FOREIGN FORGET_LOST CRASHES=1",
    "commit CLASH REPLACE",
    "commit OVERWRITE TRUST_JOURNAL",
    "commit OVERWRITE PUT_UNCHECKED",
    "commit OVERWRITE JOURNALS_ANYWHEN",
)


@dataclass
class Verdict:
    """What spin found."""

    text: str

    @property
    def states(self) -> int:
        found = re.search(r"^ *(\S+) states, stored", self.text, re.MULTILINE)
        return int(float(found[1])) if found else 0

    @property
    def is_refuted(self) -> bool:
        return bool(re.search(r"^pan:\d+: (assertion violated|invalid end state)", self.text, re.M))

    @property
    def is_proved(self) -> bool:
        """Nothing was found, and everything was looked at."""
        gave_up = "Search not completed" in self.text or "max search depth" in self.text
        return "errors: 0" in self.text and not gave_up


def verdict(
    folder: Path, words: str, *, cycles: bool = False, speed: str = "-O1"
) -> Verdict:
    """Checks a model; with `cycles` whether it can go on for ever, else what it asserts."""
    model, *defines = words.split()
    flags = [f"-D{define}" for define in defines]
    run(folder, "spin", *flags, "-a", MODELS / f"{model}.pml")
    run(folder, "gcc", "-w", speed, "-DNP" if cycles else "-DSAFETY", "pan.c")
    return Verdict(run(folder, "./a.out", "-m20000", "-w22", *(["-l"] if cycles else [])))


def run(folder: Path, *command: str | Path) -> str:
    done = subprocess.run(
        command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stdout
    return done.stdout


@pytest.mark.sweep(2)
@pytest.mark.parametrize(("words", "crashes", "more"), RIGHT)
def test_no_order_of_steps_and_crashes_breaks_a_promise(
    words: str, crashes: int, more: int, scaled: Callable[[int, int], int], tmp_path: Path
) -> None:
    found = verdict(tmp_path, f"{words} CRASHES={scaled(crashes, more)}")
    assert found.is_proved, found.text
    assert found.states > 10_000, "hardly anything was looked at"


@pytest.mark.parametrize("words", ENDING)
def test_every_run_ends_once_the_crashes_do(words: str, tmp_path: Path) -> None:
    found = verdict(tmp_path, words, cycles=True)
    assert found.is_proved, found.text


@pytest.mark.parametrize("words", WRONG)
def test_the_models_see_a_mistake(words: str, tmp_path: Path) -> None:
    found = verdict(tmp_path, words, speed="-O0")
    assert found.is_refuted, found.text
