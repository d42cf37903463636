"""Which files each rank of a job opened for writing, from a trace of its system calls.

`strace` gives the trace; where it may not be used, a small preloaded library writes the same facts.
"""

import functools
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

SOURCE = Path(__file__).with_name("opens.c")
CALLS = "trace=open,openat,creat,rename,renameat,renameat2,link,linkat"
# strace -y shows descriptors with their paths: `openat(4</a>, "b", O_WRONLY…) = 5</a/b>`
OPENED = re.compile(r"(?:open|openat|creat)\(.*O_(?:WRONLY|RDWR).* = \d+<(?P<path>[^>]*)>")
MOVED = re.compile(
    r"(?:rename|link)\w*\((?:\w+<[^>]*>, )?\"[^\"]*\", (?:\w+<(?P<folder>[^>]*)>, )?\"(?P<name>[^\"]*)\""
    r".*\)\s+= 0"
)
UNFINISHED = " <unfinished ...>"
RESUMED = re.compile(r"\d+ +<\.\.\. \w+ resumed>(?P<rest>.*)")


@functools.cache
def strace_works() -> bool:
    if not shutil.which("strace"):
        return False
    probe = ["strace", "-f", "-o", "/dev/null", "true"]
    return subprocess.run(probe, capture_output=True).returncode == 0


def traced(folder: Path) -> list[str]:
    """A launcher that writes the trace of each rank to `folder/RANK`."""
    rank = "${OMPI_COMM_WORLD_RANK:-0}"
    if strace_works():
        trace = f"strace -f -y -qq -s 4096 -e {CALLS} -o {folder}/{rank}"
        return ["sh", "-c", f'exec {trace} "$@"', "sh"]
    library = folder / "opens.so"
    command = ["cc", "-shared", "-fPIC", "-O1", "-o", str(library), str(SOURCE), "-ldl"]
    subprocess.run(command, check=True)
    settings = f"OPENS_LOG={folder}/{rank} LD_PRELOAD={library}"
    return ["sh", "-c", f'exec env {settings} "$@"', "sh"]


def whole_calls(trace: Path) -> Iterator[str]:
    """The lines of a trace; a call that another thread interrupted is put together again."""
    begun: dict[str, str] = {}
    for line in trace.read_text(errors="replace").splitlines():
        thread = line.split(" ", 1)[0]
        if line.endswith(UNFINISHED):
            begun[thread] = line.removesuffix(UNFINISHED)
        elif match := RESUMED.match(line):
            yield begun.pop(thread, "") + match["rest"]
        else:
            yield line


def written(trace: Path, root: Path) -> set[str]:
    """Every file below `root` that one rank opened for writing or gave its name."""
    found: set[str] = set()
    for call in whole_calls(trace):
        if match := OPENED.search(call):
            found.add(match["path"])
        elif match := MOVED.search(call):
            found.add(str(Path(match["folder"] or "/") / match["name"]))
    return {path for path in found if Path(path).is_relative_to(root)}
