"""What a program in Python costs beside built-in code: an identity task over 512 MiB against `convert`.

    .venv/bin/python Benchmarks/external.py [--folder F] [--rounds 5] [--depth 256]

Both read the same volume and write it again with the same codec and one level; calls take turns, and
the medians of wall and CPU time (children counted) are printed with their ratios. The goal is 1.5.
"""

import argparse
import json
import os
import shutil
import statistics
import sys
import tempfile
from pathlib import Path

import numpy as np

REPOSITORY = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(REPOSITORY / "Tests" / "EndToEnd"))

from measure import measured  # noqa: E402
from omtask_testing.images import Image, write_image  # noqa: E402
from omtask_testing.layouts import Layout, blosc  # noqa: E402
from omtask_testing.tasks import write_task  # noqa: E402

IDENTITY = "from omtask_region import serve\n\nserve(lambda tile, region: tile)\n"


def volume(depth: int) -> np.ndarray:
    """Noise of a camera over a smooth background."""
    rng = np.random.default_rng(1)
    y, x = np.mgrid[:1024, :1024]
    plane = 300 + 200 * np.sin(x / 90) * np.cos(y / 70)
    return np.stack([rng.poisson(plane).astype(np.uint16) for _ in range(depth)])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--folder", type=Path)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--depth", type=int, default=256, help="planes of 2 MiB")
    parser.add_argument("--workers", default="1,2,4")
    options = parser.parse_args()
    omtask = os.environ.get("OMTASK", str(REPOSITORY / ".build/release/omtask"))
    with tempfile.TemporaryDirectory(dir=options.folder) as name:
        folder = Path(name)
        task = write_task(folder / "task", "Identity", IDENTITY)
        layout = Layout("shards", "0.5", (64,), (2,), (blosc("zstd", "shuffle"),))
        raw = write_image(folder / "raw.zarr", Image("zyx", [volume(options.depth)], layout))
        # Derived images take the codec of their source: here the one that `convert` chooses.
        source = folder / "source.zarr"
        measured([omtask, "run", "convert", str(raw), "--output", str(source)])
        calls = {
            "convert": ["convert", source],
            "identity": [task, source, "--python", sys.executable],
        }
        table = []
        for workers in map(int, options.workers.split(",")):
            found: dict[str, list] = {name: [] for name in calls}
            for _ in range(options.rounds):
                for name, words in calls.items():
                    for made in folder.glob("source_*"):
                        shutil.rmtree(made)
                    command = [omtask, "run", *map(str, words), "--threads", str(workers), "--durability", "none"]
                    found[name].append(measured(command))
            row = {"workers": workers}
            for what in ("wall", "cpu"):
                medians = {n: statistics.median(getattr(m, what) for m in ms) for n, ms in found.items()}
                row |= {f"{what} {n}": round(s, 2) for n, s in medians.items()}
                row[f"{what} ratio"] = round(medians["identity"] / medians["convert"], 2)
            row["memory"] = {n: max(m.memory for m in ms) >> 20 for n, ms in found.items()}
            table.append(row)
            print(json.dumps(row), flush=True)


if __name__ == "__main__":
    main()
