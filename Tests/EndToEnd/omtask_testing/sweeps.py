"""Disturbs every call of a kind in turn, and finds out whether a promise was broken."""

import queue
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

from .faults import NEVER, Injection, counted
from .program import Outcome
from .scenes import Stand, error_lines

KILLED = (-9, 137)


@dataclass(frozen=True)
class Row:
    """A fault, and what has to come of it."""

    case: str
    operations: str
    action: str
    codes: tuple[int, ...]
    every: bool = False
    # What stands in what the run says, besides a path.
    says: tuple[str, ...] = ()
    # Whether only reads of chunks are disturbed.
    chunks: bool = False

    def __str__(self) -> str:
        return f"{self.case}-{self.operations}-{self.action}"

    @property
    def kills(self) -> bool:
        return self.codes == KILLED

    def injection(self, nth: int) -> Injection:
        return Injection(self.operations, self.action, nth, self.every)


@dataclass
class Tally:
    """How many faults were injected, and which broke a promise."""

    rows: list[tuple[str, str, int, int]] = field(default_factory=list)

    def add(self, case: str, scene: str, injections: int, violations: int) -> None:
        self.rows.append((case, scene, injections, violations))

    def text(self) -> str:
        lines = ["| case | scene | injections | violations |", "| --- | --- | ---: | ---: |"]
        lines += [f"| {' | '.join(map(str, row))} |" for row in self.rows]
        total = [sum(row[column] for row in self.rows) for column in (2, 3)]
        return "\n".join([*lines, f"| all | | {total[0]} | {total[1]} |", ""])


def picked(count: int, most: int) -> list[int]:
    """`most` of the numbers 1 to `count`, evenly, with the first and the last."""
    if count <= most:
        return list(range(1, count + 1))
    return sorted({1 + round(step * (count - 1) / (most - 1)) for step in range(most)})


@dataclass
class Sweep:
    """Disturbs runs on some stands at a time."""

    stands: list[Stand]
    library: Path
    # How many calls of a row are disturbed, of all there are.
    most: int

    def count(self, row: Row) -> int:
        """How many calls an undisturbed run makes that a row would disturb."""
        stand = self.stands[0]
        stand.reset()
        outcome = stand.run(self.environment(stand, row, row.injection(NEVER)))
        assert outcome.code == 0, outcome
        return counted(stand.counter)

    def environment(self, stand: Stand, row: Row, injection: Injection) -> dict[str, str]:
        prefix = stand.root / stand.scene.chunks if row.chunks else stand.root
        return injection.settings(prefix, stand.counter) | {"LD_PRELOAD": str(self.library)}

    def __call__(self, row: Row) -> tuple[int, list[str]]:
        """How many calls were disturbed, and what went wrong."""
        numbers = picked(self.count(row), self.most)
        done = self.in_parallel(lambda stand, nth: self.disturb(stand, row, nth), numbers)
        reached = [found for found in done if found is not None]
        return len(reached), [problem for found in reached for problem in found]

    def in_parallel(
        self, job: Callable[[Stand, int], list[str] | None], numbers: list[int]
    ) -> Iterator[list[str] | None]:
        """Does a job for every number, each on a stand that is free."""
        free: queue.Queue[Stand] = queue.Queue()
        for stand in self.stands:
            free.put(stand)

        def guarded(number: int) -> list[str] | None:
            stand = free.get()
            try:
                return job(stand, number)
            finally:
                free.put(stand)

        with ThreadPoolExecutor(len(self.stands)) as pool:
            yield from pool.map(guarded, numbers)

    def disturb(self, stand: Stand, row: Row, nth: int) -> list[str] | None:
        """Disturbs one call; None when there was no such call this time."""
        stand.reset()
        outcome = stand.run(self.environment(stand, row, row.injection(nth)))
        if counted(stand.counter) < nth:
            return None
        found = check_outcome(stand, row, outcome)
        found += stand.problems(outcome.code == 0, row.kills)
        if row.codes == (0,):
            found += stand.difference()
        else:
            found += stand.unfinished()
        return [f"{row} {nth} of {stand.scene.name}: {problem}" for problem in found]


def check_outcome(stand: Stand, row: Row, outcome: Outcome) -> list[str]:
    """What is wrong with the exit code and with what the run said."""
    launched = stand.scene.ranks > 1
    if outcome.code not in row.codes and not (launched and row.kills and outcome.code != 0):
        return [f"expected exit {row.codes}\n{outcome}"]
    if outcome.code == 0 or row.kills:
        return []
    lines = error_lines(outcome)
    found = []
    if len(lines) != 1 or str(stand.root) not in lines[0]:
        found.append(f"expected one line that names a file\n{outcome}")
    silent = [word for word in row.says if word not in outcome.stderr]
    return found + [f"does not say `{word}`\n{outcome}" for word in silent]
