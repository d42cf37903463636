"""Where two JSON documents differ as texts: numbers by their digits, members by their order too."""

import json
from pathlib import Path
from typing import Any


class Number(str):
    """A number as it is written."""


class Members(list[tuple[str, Any]]):
    """The members of an object, in their order."""


def parsed(text: str) -> Any:
    """A document that keeps how it is written, but for white space and escapes."""
    return json.loads(
        text, parse_int=Number, parse_float=Number, parse_constant=Number, object_pairs_hook=Members)


def differences(before: str, after: str) -> list[str]:
    """What was added (+), removed (-), changed (~) or moved (^), by JSON pointer."""
    return list(_differences(parsed(before), parsed(after), ""))


def change_of(file: Path, before: str) -> list[str]:
    return differences(before, file.read_text())


def _differences(before: Any, after: Any, place: str) -> list[str]:
    if type(before) is not type(after):
        return [f"~ {place}"]
    if isinstance(before, Members):
        old, new = dict(before), dict(after)
    elif isinstance(before, list):
        old, new = ({str(n): item for n, item in enumerate(items)} for items in (before, after))
    else:
        return [] if before == after else [f"~ {place}"]
    found = [f"- {place}/{key}" for key in old if key not in new]
    found += [f"+ {place}/{key}" for key in new if key not in old]
    both = [key for key in old if key in new]
    if both != [key for key in new if key in old]:
        found.append(f"^ {place}")
    for key in both:
        found += _differences(old[key], new[key], f"{place}/{key}")
    return found
