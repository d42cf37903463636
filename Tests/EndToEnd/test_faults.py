"""Faults of the file system and kills at every call: nothing half done is ever seen, and the same
command then reaches the files of an undisturbed run."""

from collections.abc import Callable
from pathlib import Path

import pytest

from omtask_testing import faults
from omtask_testing.scenes import Stand
from omtask_testing.sweeps import KILLED, Row, Sweep, Tally

ROOM = ("free here: ",)
IO = (74,)
# Some calls may fail without harm, such as the removal of what is of no use any more.
IO_OR_NONE = (74, 0)
ROWS = [
    Row("B01", "write", "ENOSPC", IO, every=True, says=ROOM),
    Row("B01", "mkdir", "ENOSPC", IO, every=True, says=ROOM),
    Row("B03", "write", "EDQUOT", IO, every=True, says=ROOM),
    Row("B04", "write", "EIO", IO),
    Row("B04", "rename", "EIO", IO_OR_NONE),
    Row("B04", "fsync", "EIO", IO),
    Row("B04", "mkdir", "EIO", IO),
    Row("B04", "open", "EIO", IO_OR_NONE),
    Row("B04", "link", "EIO", IO),
    Row("B04", "unlink", "EIO", IO_OR_NONE),
    Row("B04", "close", "EIO", IO_OR_NONE),
    Row("B05", "read", "EIO", IO, says=(": 0/",), chunks=True),
    Row("B05", "read", "EIO", IO_OR_NONE),
    Row("B06", "write", "short", (0,)),
    Row("B06", "read", "short", (0,)),
    Row("B07", "read,write,open", "EINTR", (0,)),
    Row("B07", "fsync,close", "EINTR", (0,)),
    Row("B08", "write", "torn", KILLED),
    Row("B09", "rename", "kill", KILLED),
    Row("B09", "rename", "kill_after", KILLED),
    Row("B10", "mkdir", "kill", KILLED),
    Row("B10", "mkdir", "kill_after", KILLED),
    Row("B10", "link,unlink", "kill", KILLED),
    Row("B10", "link,unlink", "kill_after", KILLED),
    Row("B10", "fsync", "kill", KILLED),
    Row("B10", "fsync", "kill_after", KILLED),
    Row("B12", "open", "EMFILE", IO_OR_NONE, every=True, says=("ulimit -n",)),
    Row("B14", "mkdir", "EROFS", (77,), every=True),
]
# Every step at which the disk changes.
STEPS = "rename,unlink,mkdir,link,write,fsync"
OTHERS = [
    Row("B01", "write", "ENOSPC", IO, every=True, says=ROOM),
    Row("B04", STEPS, "EIO", IO_OR_NONE),
    Row("B08", "write", "torn", KILLED),
    Row("B10", STEPS, "kill", KILLED),
    Row("B10", STEPS, "kill_after", KILLED),
]
OVERWRITES = [
    Row("B04", STEPS, "EIO", IO_OR_NONE),
    Row("B32", STEPS, "kill", KILLED),
    Row("B32", STEPS, "kill_after", KILLED),
    Row("B32", "write", "torn", KILLED),
]
ON_RANKS = [
    Row("B01", "write", "ENOSPC", IO, every=True, says=ROOM),
    Row("B04", STEPS, "EIO", IO_OR_NONE),
    Row("B06", "write", "short", (0,)),
    Row("B08", "write", "torn", KILLED),
    Row("B10", STEPS, "kill_after", KILLED),
]


@pytest.fixture
def sweep(
    stands: Callable[[str], list[Stand]], fault_library: Path, tally: Tally,
    scaled: Callable[[int, int], int],
) -> Callable[[Row, str, int], None]:
    """Plays a row in a scene; at most `quick` calls are disturbed in the short form."""

    def play(row: Row, name: str, quick: int, full: int = faults.NEVER) -> None:
        injections, violations = Sweep(stands(name), fault_library, scaled(quick, full))(row)
        tally.add(str(row), name, injections, len(violations))
        assert injections > 0
        assert not violations, "\n".join(violations[:5])

    return play


@pytest.mark.parametrize("row", ROWS, ids=str)
def test_objects(row: Row, sweep: Callable[..., None]) -> None:
    sweep(row, "objects", 4)


@pytest.mark.parametrize("row", OTHERS, ids=str)
@pytest.mark.parametrize("scene", ["mask", "v2", "output"])
def test_other_outputs(row: Row, scene: str, sweep: Callable[..., None]) -> None:
    sweep(row, scene, 3)


@pytest.mark.parametrize("row", OVERWRITES, ids=str)
@pytest.mark.parametrize("scene", ["overwrite", "overwrite-output"])
def test_the_old_or_the_new_result_is_there(
    row: Row, scene: str, sweep: Callable[..., None]
) -> None:
    sweep(row, scene, 4)


@pytest.mark.parametrize("row", ON_RANKS, ids=str)
def test_three_ranks(row: Row, sweep: Callable[..., None]) -> None:
    sweep(row, "ranks", 2, 25)
