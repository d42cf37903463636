#!/usr/bin/env python3
"""Measures omtask against the strongest peers, turn by turn, and writes RESULTS.md.

    run.py                               all workloads, full profile, five turns
    run.py --only w1/omtask              one row, beside its peers
    run.py --profile small -n 1          a smoke test of seconds; writes nothing

The peers, their data and the check of every output come from the shared bench folder
(`peers.py`, `make_data.py`, `limits.py`); --bench says where it is.
"""

import argparse
import json
import os
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

from contestants import REPOSITORY, WORKLOADS, Bench, Workload
from measure import Measurement, measured
from results import OURS, Row, page, write_workloads


def main() -> None:
    options = parsed()
    bench = Bench(options.bench, options.data, options.work, options.omtask, options.workers)
    bench.work.mkdir(parents=True, exist_ok=True)
    make_data(bench, options.profile)
    try:
        chosen = [w for w in WORKLOADS if wanted(options.only, w.name)]
        measurements = {w: turns(bench, w, options.only, options.n) for w in chosen}
        limits = rooflines(bench, chosen) if options.profile == "full" else {}
    finally:
        shutil.rmtree(bench.tmpfs, ignore_errors=True)
    rows = [
        Row(workload, name, rounds, limits.get(workload.name))
        for workload, rounds in measurements.items()
        for name in OURS
        if name in rounds
    ]
    text = page(rows, options.profile, bench.workers, omtask_version(bench), commands(bench, chosen))
    print(text)
    if options.profile == "full" and not options.only:
        write_workloads(REPOSITORY / "Benchmarks/RESULTS.md", text)


def parsed() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--bench", type=Path, default=REPOSITORY.parent / "shared/bench")
    parser.add_argument("--profile", choices=("small", "full"), default="full")
    parser.add_argument("--data", type=Path, help="default: bench-data/PROFILE beside .build")
    parser.add_argument("--work", type=Path, help="default: bench-data/work")
    parser.add_argument("--omtask", type=Path, default=REPOSITORY / ".build/release/omtask")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--only", default="", help="such as w1 or w1/omtask,w9")
    parser.add_argument("-n", type=int, default=5, help="turns")
    options = parser.parse_args()
    if not (options.bench / "peers.py").exists():
        parser.error(f"no peers.py in {options.bench}")
    folder = REPOSITORY / "bench-data"
    options.data = (options.data or folder / options.profile).resolve()
    options.work = (options.work or folder / "work").resolve()
    return options


def make_data(bench: Bench, profile: str) -> None:
    if not (bench.data / "profile.json").exists():
        make = [sys.executable, bench.peers / "make_data.py", "--out", bench.data]
        subprocess.run([*make, "--profile", profile], check=True)
    bench.link_measured()
    if not bench.tmpfs.exists():
        bench.tmpfs.mkdir()
        shutil.copy(bench.data / "profile.json", bench.tmpfs)
        shutil.copytree(bench.data / "plate.ome.zarr", bench.tmpfs / "plate.ome.zarr")


def wanted(only: str, name: str) -> bool:
    """Whether a workload, or one contestant `workload/name`, was chosen."""
    parts = [part for part in only.split(",") if part]
    return not parts or any(part == name or part.split("/")[0] == name for part in parts)


def takes_part(only: str, workload: Workload, name: str) -> bool:
    """Peers always run; of omtask's two ways only those that were chosen."""
    ways = [part.split("/")[1] for part in only.split(",") if part.startswith(f"{workload.name}/")]
    return name not in OURS or not ways or name in ways


def turns(bench: Bench, workload: Workload, only: str, count: int) -> dict[str, list[Measurement]]:
    """Everyone in turn, one warm-up turn first, whose outputs are checked."""
    commands = {
        name: command
        for name, command in bench.contestants(workload).items()
        if takes_part(only, workload, name)
    }
    found: dict[str, list[Measurement]] = {name: [] for name in commands}
    for turn in range(count + 1):
        for name, command in commands.items():
            bench.clear(workload)
            one = measured(command, bench.environment(name))
            print(f"{workload.name} {turn} {name:12} wall {one.wall:.2f} cpu {one.cpu:.2f} "
                  f"memory {one.memory / 2**20:.0f} MiB", file=sys.stderr, flush=True)
            if name in OURS or turn == 0:
                bench.reduce_table(workload)
                measured(bench.check_command(workload))
            if turn > 0:
                found[name].append(one)
    return found


def rooflines(bench: Bench, chosen: list[Workload]) -> dict[str, float]:
    """The machine's own limit for each workload, from the chunks that a peer leaves behind."""
    for workload in chosen:
        if not workload.in_place:
            bench.clear(workload)
            measured(bench.peer_command(workload, workload.peers[0]))
    bench.clear(WORKLOADS[-1])
    result = bench.work / "limits.json"
    words = ["--data", bench.data, "--work", bench.work, "--json", result]
    threads = ["--threads", str(bench.workers)]
    subprocess.run([sys.executable, bench.peers / "limits.py", *words, *threads], check=True)
    workloads = json.loads(result.read_text())["workloads"]
    return {name: limits["roofline_s"] for name, limits in workloads.items()}


def omtask_version(bench: Bench) -> str:
    done = subprocess.run([bench.omtask, "--version"], capture_output=True, text=True, check=True)
    commit = subprocess.run(
        ["git", "-C", REPOSITORY, "describe", "--always", "--dirty"], capture_output=True, text=True
    )
    return f"omtask {done.stdout.strip()} ({commit.stdout.strip()})"


def commands(bench: Bench, chosen: list[Workload]) -> str:
    """Every command as it was run, without the folders of this machine."""
    lines = [
        shlex.join(command) for one in chosen for command in bench.contestants(one).values()
    ]
    text = "\n".join(lines)
    shown = {bench.tmpfs: "DATA", bench.data: "DATA", bench.work: "WORK", bench.omtask: "omtask",
             bench.peers: "BENCH", Path(sys.executable): "python"}
    for path, name in shown.items():
        text = text.replace(str(path), name)
    return text.replace(f"{os.sep * 2}", os.sep)


if __name__ == "__main__":
    main()
