"""The journals of a stage, and ways to damage them."""

from collections.abc import Iterator
from itertools import pairwise

MARK = b"OMJ1"
HEAD = len(MARK) + 4 + 1
CHECKSUM = 4


def bounds(journal: bytes) -> list[int]:
    """Where the records begin, and the end of the last one."""
    found = [0]
    while found[-1] < len(journal):
        start = found[-1]
        assert journal[start : start + 4] == MARK
        size = int.from_bytes(journal[start + 4 : start + 8], "little")
        found.append(start + HEAD + size + CHECKSUM)
    return found


def damaged(journal: bytes) -> Iterator[tuple[str, bytes]]:
    """The journal cut at every kind of place, with bits flipped in all fields, with records twice."""
    yield "empty", b""
    yield "zeros behind", journal + bytes(4096)
    yield "twice", journal + journal
    for number, (start, end) in enumerate(pairwise(bounds(journal))):
        middle = (start + HEAD + end - CHECKSUM) // 2
        places = {
            "mark": start + 1, "size": start + 4, "large size": start + 7, "kind": start + 8,
            "payload": middle, "checksum": end - 2,
        }
        for name, place in places.items():
            flipped = bytes([journal[place] ^ 0x10])
            yield f"bit of {name} of {number}", journal[:place] + flipped + journal[place + 1 :]
        for place in sorted({start, start + 1, *places.values(), end - CHECKSUM, end - 1}):
            yield f"{number} cut at {place - start}", journal[:place]
        yield f"{number} twice", journal[:end] + journal[start:]
        yield f"{number} again at the end", journal + journal[start:end]
        yield f"without {number}", journal[:start] + journal[end:]
        yield f"zeros for {number}", journal[:start] + bytes(end - start) + journal[end:]
