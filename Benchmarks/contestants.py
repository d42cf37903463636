"""Who runs in each workload, and with which command."""

import csv
import json
import os
import shutil
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[1]
MPI = ["mpirun", "--allow-run-as-root", "--oversubscribe", "--bind-to", "none",
       "--mca", "pml", "ob1", "--mca", "btl", "self,vader", "-np"]
# What the peers' own harness sets for them; it saves them 15-25 % of CPU on large arrays.
PEER_ENVIRONMENT = {"MALLOC_MMAP_THRESHOLD_": "1073741824",
                    "MALLOC_TRIM_THRESHOLD_": "8589934592", "MALLOC_ARENA_MAX": "2"}


@dataclass(frozen=True)
class Workload:
    """One job from disk to disk."""

    name: str
    title: str
    image: str
    options: tuple[str, ...]
    peers: tuple[str, ...]
    wall_goal: float
    in_place: bool = False
    task: str = "threshold"


WORKLOADS = (
    Workload("w1", "fixed threshold, 5 levels", "vol",
             ("--threshold", "400", "--objects", "false", "--pyramid", "stride"),
             ("ts", "ts-mpi"), 0.60),
    Workload("w2", "Otsu and objects per volume", "series",
             ("--method", "otsu", "--connectivity", "full", "--keep-channel-axis", "true",
              "--channel", "all", "--label-name", "otsu"),
             ("ts-cc3d", "ts-cc3d-mpi"), 0.40),
    Workload("w4", "maximum projection", "vol", (), ("ts", "ts-mpi"), 0.60, task="project"),
    Workload("w5", "Gaussian, sigma 2", "vol_l0", ("--sigma", "2"), ("ts-cv2", "ts-cv2-mpi"), 0.55,
             task="gaussian-blur"),
    Workload("w6", "v2 to v3 with shards", "vol_v2", ("--codec", "zstd", "--codec-level", "3"),
             ("ts", "ts-mpi"), 0.88, task="convert"),
    Workload("w7", "objects across chunks", "mask",
             ("--threshold", "0", "--connectivity", "full"),
             ("ts-cc3d", "ts-blocks", "ts-blocks-mpi"), 0.25),
    Workload("w8", "measurements", "measured",
             ("--label", "cells", "--features", "shape,intensity", "--backend", "csv"),
             ("ts-numba", "ts-numba-mpi"), 0.35, task="measure"),
    Workload("w9", "plate of small images", "plate",
             ("--threshold", "400", "--objects", "false", "--pyramid", "stride", "--channel", "all",
              "--keep-channel-axis", "true", "--label-name", "bench_mask"),
             ("ts", "ts-mpi"), 0.15, in_place=True),
)


@dataclass(frozen=True)
class Bench:
    """The place of everything in one benchmark."""

    peers: Path
    data: Path
    work: Path
    omtask: Path
    workers: int

    def data_of(self, workload: Workload) -> Path:
        """Small images are measured in memory: on a disk the file system hides everything else."""
        return self.tmpfs if workload.in_place else self.data

    @property
    def tmpfs(self) -> Path:
        return Path("/dev/shm") / f"omtask-bench-{os.getuid()}"

    def output(self, workload: Workload) -> Path:
        return self.work / f"{workload.name}.ome.zarr"

    def link_measured(self) -> None:
        """The volume with its labels in it, as omtask measures them; no byte is copied."""
        image = self.data / "measured.ome.zarr"
        if image.exists():
            return
        shutil.copytree(self.data / "vol.ome.zarr", image, copy_function=os.link)
        labels = image / "labels"
        shutil.copytree(self.data / "labels.ome.zarr", labels / "cells", copy_function=os.link)
        attributes = {"ome": {"version": "0.5", "labels": ["cells"]}}
        document = {"zarr_format": 3, "node_type": "group", "attributes": attributes}
        (labels / "zarr.json").write_text(json.dumps(document))

    def reduce_table(self, workload: Workload) -> None:
        """Leaves of a table what the peers write: the check knows columns by their place."""
        table = self.output(workload) / "table.csv"
        if not table.is_file():
            return
        with table.open(newline="") as file:
            rows = list(csv.DictReader(file))
        shutil.rmtree(self.output(workload))
        names = ["label", "area", "centroid_z", "centroid_y", "centroid_x", "intensity_mean"]
        lines = [",".join(names), *(",".join(row[name] for name in names) for row in rows)]
        self.output(workload).write_text("\n".join(lines) + "\n")

    def contestants(self, workload: Workload) -> dict[str, list[str]]:
        """Name → command of everyone who runs in a workload; omtask first."""
        ours = self.omtask_command(workload)
        alone = [*ours, "--threads", str(self.workers)]
        ranks = [*MPI, str(self.workers), *ours, "--threads", "1"]
        theirs = {peer: self.peer_command(workload, peer) for peer in workload.peers}
        return {"omtask": alone, "omtask-mpi": ranks} | theirs

    def omtask_command(self, workload: Workload) -> list[str]:
        source = self.data_of(workload) / f"{workload.image}.ome.zarr"
        where = [] if workload.in_place else ["--output", str(self.output(workload))]
        return [str(self.omtask), "run", workload.task, str(source), *workload.options, *where]

    def peer_command(self, workload: Workload, peer: str) -> list[str]:
        return [sys.executable, str(self.peers / "peers.py"), "run", workload.name, peer,
                *self.peer_places(workload), "--workers", str(self.workers)]

    def peer_places(self, workload: Workload) -> list[str]:
        out = "bench_mask" if workload.in_place else str(self.output(workload))
        return ["--data", str(self.data_of(workload)), "--out", out]

    def check_command(self, workload: Workload) -> list[str]:
        return [sys.executable, str(self.peers / "peers.py"), "check", workload.name,
                *self.peer_places(workload)]

    def environment(self, contestant: str) -> Mapping[str, str]:
        peer = {} if contestant.startswith("omtask") else PEER_ENVIRONMENT
        return os.environ | {"PEER_WORKERS": str(self.workers)} | peer

    def clear(self, workload: Workload) -> None:
        """Removes the outputs of the run before: never part of the timing."""
        if not workload.in_place:
            output = self.output(workload)
            if output.is_file():
                output.unlink()
            shutil.rmtree(output, ignore_errors=True)
            return
        for image in plate_images(self.data_of(workload) / "plate.ome.zarr"):
            shutil.rmtree(image / "labels", ignore_errors=True)


def plate_images(plate: Path) -> Sequence[Path]:
    wells = json.loads((plate / ".zattrs").read_text())["plate"]["wells"]
    paths = [plate / well["path"] for well in wells]
    return [
        path / image["path"]
        for path in paths
        for image in json.loads((path / ".zattrs").read_text())["well"]["images"]
    ]
