"""A folder of TIFF volumes to sharded OME-Zarr to labels by Otsu: omtask beside a script on dask.

    .venv/bin/python Benchmarks/hackathon.py                  five turns; writes its section of RESULTS.md
    .venv/bin/python Benchmarks/hackathon.py --rounds 1 --times 1 --channels 2 --only omtask,threads

The volumes are as large as those of the OME-NGFF hackathon of 2024, 91 x 554 x 928 of uint16, one file for
each time and channel. Both sides store chunks of 32 x 128 x 128 with zstd 3 and one shard for each volume;
contestants take turns after a warm-up, whose labels are compared voxel by voxel. Needs
Tests/requirements.txt and Benchmarks/requirements.txt; `hackathon_dask.py` is the other side.
"""

import argparse
import os
import platform
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[1]

from measure import Measurement, measured  # noqa: E402
from results import TIFF_HEADING, machine, table, write_section  # noqa: E402

SHAPE = (91, 554, 928)
SHARD = "96,640,1024"
Commands = list[list[str]]


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--times", type=int, default=2)
    parser.add_argument("--channels", type=int, default=3)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--folder", type=Path, help="where there is room for 2 GiB")
    parser.add_argument("--only", help="some of omtask,threads,distributed; writes nothing")
    options = parser.parse_args()
    omtask = os.environ.get("OMTASK", str(REPOSITORY / ".build/release/omtask"))
    with tempfile.TemporaryDirectory(dir=options.folder) as name:
        folder = Path(name)
        measured([sys.executable, __file__, "write", str(folder), str(options.times), str(options.channels)])
        chosen = {
            key: commands for key, commands in contestants(omtask, folder, options.workers).items()
            if not options.only or key in options.only.split(",")}
        for key, commands in chosen.items():
            run(folder, key, commands)
        outputs = [str(folder / f"{key}.zarr") for key in chosen]
        measured([sys.executable, __file__, "compare", *outputs])
        found: dict[str, list[list[Measurement]]] = {key: [] for key in chosen}
        for _ in range(options.rounds):
            for key, commands in chosen.items():
                found[key].append(run(folder, key, commands))
    text = section(found, options.times * options.channels, options.workers, omtask)
    print(text)
    if not options.only and options.rounds >= 3:
        write_section(REPOSITORY / "Benchmarks/RESULTS.md", text)


def contestants(omtask: str, folder: Path, workers: int) -> dict[str, Commands]:
    """What each one is called with; the output of `key` is `key.zarr`."""
    made = str(folder / "omtask.zarr")
    threads = ["--threads", str(workers)]
    script = [sys.executable, str(Path(__file__).with_name("hackathon_dask.py")), str(folder / "raw")]
    dask = {
        key: [[*script, str(folder / f"{key}.zarr"), "--workers", str(workers), "--scheduler", key]]
        for key in ("threads", "distributed")}
    return {"omtask": [
        [omtask, "run", "convert", str(folder / "raw/t{t}_c{c}.tif"), "--output", made, "--axes", "tczyx",
         "--chunk", "32,128,128", "--shard", SHARD, "--codec", "zstd", "--codec-level", "3", *threads],
        [omtask, "run", "threshold", made, "--method", "otsu", "--connectivity", "full",
         "--channel", "all", "--keep-channel-axis", "true", "--label-name", "otsu", *threads],
    ]} | dask


def run(folder: Path, key: str, commands: Commands) -> list[Measurement]:
    """One turn, from nothing; a measurement for each command."""
    measured(["rm", "-rf", str(folder / f"{key}.zarr")])
    return [measured(command) for command in commands]


# What would make this process large, and with it the memory of those that it starts, is done by others.


def write(folder: Path, times: int, channels: int) -> None:
    """Bright ellipsoids over an uneven background with the noise of a camera, always the same."""
    import numpy as np
    import tifffile

    (folder / "raw").mkdir()
    z, y, x = (np.arange(size, dtype=np.float32) for size in SHAPE)
    ground = 130 + 40 * np.sin(y / 150)[:, None] * np.cos(x / 210) + 0.2 * z[:, None, None]
    for number, (t, c) in enumerate(np.ndindex(times, channels)):
        rng = np.random.default_rng(number)
        volume = ground + rng.normal(0, 12, SHAPE).astype(np.float32)
        for centre in rng.uniform(0, SHAPE, (500, 3)):
            radius = rng.uniform((3, 8, 8), (7, 20, 20))
            low = np.maximum(centre - radius, 0).astype(int)
            box = tuple(map(slice, low, (centre + radius + 2).astype(int)))
            places = zip((z, y, x), box, centre, radius, strict=True)
            grids = np.meshgrid(*(((a[b] - m) / r) ** 2 for a, b, m, r in places), indexing="ij")
            volume[box] += rng.uniform(250, 900) * (sum(grids) < 1)
        tifffile.imwrite(folder / f"raw/t{t}_c{c}.tif", volume.clip(0, 65535).astype(np.uint16),
                         photometric="minisblack")


def compare(*outputs: str) -> None:
    """Images are the same; labels too, but that omtask counts on from volume to volume."""
    import numpy as np
    import zarr

    images = [zarr.open_array(f"{output}/0", mode="r") for output in outputs]
    labels = [zarr.open_array(f"{output}/labels/otsu/0", mode="r") for output in outputs]
    for place in np.ndindex(images[0].shape[:2]):
        volumes = [image[place] for image in images]
        objects = [own_numbers(label[place]) for label in labels]
        for volume, found in zip(volumes, objects, strict=True):
            assert np.array_equal(volume, volumes[0]), f"other voxels at {place}"
            assert np.array_equal(found, objects[0]), f"other labels at {place}"
            assert found.max() > 100, f"no objects at {place}"


def own_numbers(volume):  # noqa: ANN001, ANN201
    """Labels of a volume, from 1."""
    first = volume[volume > 0].min()
    volume[volume > 0] -= first - 1
    return volume


# The page


def section(
    found: dict[str, list[list[Measurement]]], volumes: int, workers: int, omtask: str
) -> str:
    rows = list(rows_of(found))
    rounds = len(next(iter(found.values())))
    peers = ("dask", "distributed", "zarr", "zarrs", "tifffile", "scikit-image", "numpy")
    said = subprocess.run([omtask, "--version"], capture_output=True, text=True, check=True).stdout
    return "\n".join([
        TIFF_HEADING,
        "",
        f"Written by `Benchmarks/hackathon.py`: {volumes} TIFF files of 91 x 554 x 928 uint16, one for each time and",
        "channel, become a sharded OME-Zarr, and Otsu's threshold of each volume its objects (26 neighbours), with",
        f"{workers} workers. Other contestants are `Benchmarks/hackathon_dask.py`, which reads with tifffile, stores with",
        "zarr-python and the codecs of zarrs, and labels with scikit-image, one task for each volume. Chunks, shards",
        "and codec (zstd 3) are the same, and so are voxels and labels, compared in the warm-up; omtask's numbers go on",
        f"from volume to volume, as one label image wants it. Medians (min-max) of {rounds} turns; memory is the largest",
        "peak of the process tree; ratios are omtask's to the other's within a turn.",
        "",
        table(["", "wall s", "CPU s", "MiB", "wall ratio", "CPU ratio"], rows),
        "",
        *(f"- {line}" for line in machine()),
        f"- omtask {said.strip()}",
        f"- Python {platform.python_version()}, " + ", ".join(f"{name} {version(name)}" for name in peers),
        "",
    ])


def rows_of(found: dict[str, list[list[Measurement]]]) -> Iterator[list[str]]:
    """Ratios are medians of those of omtask to the others within a turn."""
    names = {"threads": "dask, threads", "distributed": "dask.distributed, a process for each worker"}
    totals = {key: [total(turn) for turn in turns] for key, turns in found.items()}
    for key, turns in totals.items():
        cells = [names.get(key, key), *(span([getattr(turn, what) for turn in turns]) for what in ("wall", "cpu"))]
        cells.append(f"{max(turn.memory for turn in turns) >> 20}")
        if key == "omtask" or "omtask" not in totals:
            yield [*cells, "", ""]
        else:
            pairs = list(zip(totals["omtask"], turns, strict=True))
            yield [*cells, *(
                f"{statistics.median(getattr(a, what) / getattr(b, what) for a, b in pairs):.2f}"
                for what in ("wall", "cpu"))]
        for step, name in enumerate(("convert", "threshold") if key == "omtask" else ()):
            parts = [turn[step] for turn in found[key]]
            yield [f"of it `{name}`", *(span([getattr(p, what) for p in parts]) for what in ("wall", "cpu")),
                   f"{max(part.memory for part in parts) >> 20}", "", ""]


def total(turn: list[Measurement]) -> Measurement:
    return Measurement(
        sum(part.wall for part in turn), sum(part.user for part in turn),
        sum(part.system for part in turn), max(part.memory for part in turn))


def span(values: list[float]) -> str:
    return f"{statistics.median(values):.1f} ({min(values):.1f}-{max(values):.1f})"


if __name__ == "__main__":
    if sys.argv[1:2] == ["write"]:
        write(Path(sys.argv[2]), *map(int, sys.argv[3:]))
    elif sys.argv[1:2] == ["compare"]:
        compare(*sys.argv[2:])
    else:
        main()
