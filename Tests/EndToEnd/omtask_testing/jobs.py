"""Jobs that run while a test does something to them."""

import os
import signal
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from .memory import processes_named
from .program import environment


def until(
    condition: Callable[[], object], seconds: float, what: str, every: float = 0.01
) -> None:
    """Waits for something, and fails when it does not come.

    A file that vanishes while it is looked at is not there yet: jobs make and remove folders meanwhile.
    """
    end = time.monotonic() + seconds

    def is_met() -> bool:
        try:
            return bool(condition())
        except FileNotFoundError:
            return False

    while not is_met():
        assert time.monotonic() < end, f"in vain for {seconds} s: {what}"
        time.sleep(every)


def lives(pid: int) -> bool:
    """Whether a process is there and no mere entry that nobody has asked for."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False


def hear_signals() -> None:
    """Undoes `nohup` and `&` for a program that is started: it would rightly ignore HUP and INT."""
    signal.signal(signal.SIGHUP, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.SIG_DFL)


class Job:
    """A command that was started, its ranks, and what it said."""

    def __init__(
        self, command: Sequence[str | Path], folder: Path, env: Mapping[str, str], **how: object
    ) -> None:
        self.said = folder / "said"
        how = {"preexec_fn": hear_signals} | how
        with self.said.open("wb") as output:
            self.process = subprocess.Popen(
                [str(word) for word in command], stdout=output, stderr=output,
                stdin=subprocess.DEVNULL, env=environment(env), start_new_session=True, **how,
            )
        self._ranks: list[int] = []
        self._name = "omtask"

    def wait_for_work(self, events: Path, ranks: int) -> None:
        """Waits until all ranks are there and the first region is finished."""
        until(lambda: len(self.ranks()) >= ranks, 30, "ranks")
        until(lambda: events.exists() and '"progress"' in events.read_text(), 30, "progress")

    def ranks(self) -> list[int]:
        """The processes of omtask, in the order of their start."""
        self._ranks = sorted(processes_named(self._name, self.process.pid)) or self._ranks
        return self._ranks

    def end(self, seconds: float) -> tuple[int, float]:
        """Waits until the job and all its ranks are gone: exit code and seconds that it took."""
        start = time.monotonic()
        try:
            self.process.wait(seconds)
            until(lambda: not any(map(lives, self._ranks)), seconds, "ranks are gone")
        except subprocess.TimeoutExpired:
            raise AssertionError(f"in vain for {seconds} s: the end\n{self.text()}") from None
        return self.process.returncode, time.monotonic() - start

    def text(self) -> str:
        return self.said.read_text(errors="replace")

    def errors(self) -> list[str]:
        """The error lines of omtask."""
        return [line for line in self.text().splitlines() if line.startswith("omtask: error[")]

    def clean_up(self) -> None:
        """Leaves nothing behind, whatever the test found."""
        for pid in [*self.ranks(), self.process.pid]:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
        self.process.wait(10)
