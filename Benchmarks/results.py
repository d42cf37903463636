"""Medians, ratios and the page that keeps them."""

import platform
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

from contestants import Workload
from measure import Measurement

Rounds = Mapping[str, Sequence[Measurement]]
OURS = ("omtask", "omtask-mpi")


@dataclass(frozen=True)
class Row:
    """One way to run omtask in one workload, beside the best peer."""

    workload: Workload
    contestant: str
    rounds: Rounds
    roofline: float | None

    @property
    def best_peer(self) -> str:
        peers = [name for name in self.rounds if name not in OURS]
        return min(peers, key=lambda name: self.median(name, "wall"))

    def median(self, name: str, field: str) -> float:
        return statistics.median(getattr(one, field) for one in self.rounds[name])

    def ratio(self, field: str) -> float:
        """Median of the ratios taken turn by turn: both sides met the same machine."""
        pairs = zip(self.rounds[self.contestant], self.rounds[self.best_peer])
        return statistics.median(getattr(a, field) / getattr(b, field) for a, b in pairs)

    @property
    def loss(self) -> float:
        """How far the goal is missed; above 1 is a loss."""
        return max(self.ratio("wall"), self.ratio("cpu")) / self.workload.wall_goal

    def cells(self) -> list[str]:
        return [
            f"{self.workload.name} {self.workload.title}",
            self.contestant,
            self.span(self.contestant, "wall"),
            self.span(self.contestant, "cpu"),
            f"{self.median(self.contestant, 'memory') / 2**20:.0f}",
            self.best_peer,
            self.span(self.best_peer, "wall"),
            self.span(self.best_peer, "cpu"),
            f"{self.median(self.best_peer, 'memory') / 2**20:.0f}",
            f"{self.ratio('wall'):.2f}",
            f"{self.ratio('cpu'):.2f}",
            f"{self.workload.wall_goal:.2f}",
            "met" if self.loss <= 1 else "missed",
            f"{self.roofline:.2f}" if self.roofline else "",
        ]

    def span(self, name: str, field: str) -> str:
        values = [getattr(one, field) for one in self.rounds[name]]
        return f"{statistics.median(values):.2f} ({min(values):.2f}-{max(values):.2f})"


# The section that `hackathon.py` writes; it stands last.
TIFF_HEADING = "## TIFF volumes to labels"
HEAD = ["workload", "omtask as", "wall s", "CPU s", "MiB", "best peer", "wall s", "CPU s", "MiB",
        "wall ratio", "CPU ratio", "goal", "", "roofline s"]
PEERS = ("tensorstore", "numpy", "connected-components-3d", "opencv-python-headless", "mpi4py")


def page(rows: Sequence[Row], profile: str, workers: int, omtask: str, commands: str) -> str:
    """The whole of RESULTS.md, losses first."""
    ordered = sorted(rows, key=lambda row: -row.loss)
    runs = len(next(iter(rows[0].rounds.values())))
    lines = [
        "# Results",
        "",
        "Written by `Benchmarks/run.py`. Goals that were missed come first. Wall and CPU seconds are",
        f"medians (min-max) of {runs} runs taken turn by turn after one warm-up, so the page cache is",
        "warm; ratios are medians of the ratios within a turn. Memory is the peak of the whole process",
        "tree. Every output was checked with `peers.py check`. The goal is for both ratios; the",
        "roofline is the least time that decoding and encoding these very chunks takes.",
        "",
        f"Profile `{profile}`, {workers} workers; w9 lies in memory (tmpfs). Why goals are missed, and what was tried:",
        "[PROFILES.md](PROFILES.md).",
        "",
        table(HEAD, [row.cells() for row in ordered]),
        "",
        "## Machine and versions",
        "",
        *(f"- {line}" for line in machine()),
        f"- {omtask}",
        f"- Python {platform.python_version()}, "
        + ", ".join(f"{name} {version(name)}" for name in PEERS),
        "",
        "## Commands",
        "",
        "`Benchmarks/run.py --only w1/omtask` repeats one row (with its peers).",
        "",
        "```",
        commands,
        "```",
        "",
    ]
    return "\n".join(lines)


def write_workloads(file: Path, text: str) -> None:
    """Replaces all but the section of the TIFF volumes."""
    _, heading, section = file.read_text().partition(TIFF_HEADING) if file.exists() else ("", "", "")
    file.write_text(f"{text}\n{heading}{section}" if heading else text)


def write_section(file: Path, text: str) -> None:
    """Replaces the section of the TIFF volumes."""
    before = file.read_text().partition(TIFF_HEADING)[0] if file.exists() else ""
    file.write_text(f"{before.rstrip()}\n\n{text}".lstrip())


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)


def machine() -> list[str]:
    cpu = next(
        line.split(":", 1)[1].strip()
        for line in Path("/proc/cpuinfo").read_text().splitlines()
        if line.startswith("model name")
    )
    cores = Path("/proc/cpuinfo").read_text().count("processor\t")
    kilobytes = int(Path("/proc/meminfo").read_text().split()[1])
    return [f"{cpu}, {cores} cores, {kilobytes / 2**20:.0f} GiB", platform.platform()]
