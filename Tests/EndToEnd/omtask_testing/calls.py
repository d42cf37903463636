"""The calls that an injector logged, and what of a result they left to chance."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

LINE = re.compile(r"\d+ (\w+) \d+ (.*)")


@dataclass(frozen=True)
class Call:
    operation: str
    path: Path


def logged(log: Path) -> list[Call]:
    """The calls in their order, with whole paths."""
    matches = filter(None, map(LINE.fullmatch, log.read_text().splitlines()))
    return [Call(match[1], Path(match[2])) for match in matches]


def temporary_of(path: Path, name: str) -> bool:
    """Whether a path is the hidden name under which `name` is written."""
    return path.name.startswith(f".{name}.") and path.name.endswith(".tmp")


def unsynced(calls: list[Call], staged: Path, result: Path, end: int) -> Iterator[str]:
    """Files and folders of `result` that were not waited for after their last change.

    They were made below `staged`, and must be on the disk before call number `end`.
    """
    for path in [result, *sorted(result.rglob("*"))]:
        place = staged / path.relative_to(result)
        if path.is_dir():
            changes = [
                number for number, call in enumerate(calls[:end])
                if call.operation in ("rename", "mkdir", "write") and call.path.parent == place
            ]
        else:
            changes = [
                number for number, call in enumerate(calls[:end])
                if (call.operation == "write" and written_to(call.path, place))
                or (call.operation == "rename" and call.path == place)
            ]
        last = max(changes, default=None)
        if last is None:
            yield f"{place}: no call has made it"
        elif Call("fsync", place) not in calls[last:end]:
            yield f"{place}: not waited for after call {last}"


def written_to(path: Path, place: Path) -> bool:
    return path == place or (path.parent == place.parent and temporary_of(path, place.name))
