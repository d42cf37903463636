"""1,000 small images on Slurm: one MPI job, one process for each image, and the ways between.

    .venv/bin/python Benchmarks/many_images.py [--images 1000] [--size 256] [--rounds 1] [--only array]

Starts a cluster of two nodes, which share the cores of this machine and take 64 processes each
(../shared/engines/start_slurm.sh), writes the images, and thresholds them by Otsu in each way. Wall time is from `sbatch` to the end of the job, CPU time is that of
the job's processes, Slurm's own not counted. All ways must leave the same files.
"""

import argparse
import json
import os
import re
import shutil
import statistics
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

REPOSITORY = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(REPOSITORY / "Tests" / "EndToEnd"))

from omtask_testing.cluster import Cluster  # noqa: E402
from omtask_testing.images import Image, write_image  # noqa: E402
from omtask_testing.layouts import Layout, blosc  # noqa: E402
from omtask_testing.places import shared  # noqa: E402
from omtask_testing.trees import tree  # noqa: E402

TASK = '"$OMTASK" run threshold --method otsu --label-name nuclei --threads 1'
SCRIPT = "#!/bin/bash\n{command}\n"
# Stands for the program, and leaves what each process took.
PROGRAM = '#!/bin/bash\n{omtask} "$@" || exit\ntimes >{folder}/times-$(hostname)-$$\n'
WAYS = {
    "one MPI job, 2 ranks": (["--nodes=2", "--ntasks=2"], f"srun --mpi=pmix {TASK} --inputs {{list}}"),
    "one process, 1 thread": (["--ntasks=1"], f"{TASK} --inputs {{list}}"),
    "array of 2 parts": (
        ["--array=0-1"], f"{TASK} --inputs <(awk NR%2==$SLURM_ARRAY_TASK_ID {{list}})"),
    "a process each, 1 job": (["--ntasks=1"], f"xargs -a {{list}} -n 1 {TASK}"),
    "a job each": (
        ["--array=0-{last}"], f'{TASK} "$(sed -n $((SLURM_ARRAY_TASK_ID + 1))p {{list}})"'),
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--images", type=int, default=1000)
    parser.add_argument("--size", type=int, default=256)
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--only", default="", help="ways whose name has this in it")
    options = parser.parse_args()
    os.environ |= {"SLURM_TEST_CPUS": "1"}
    omtask = os.environ.get("OMTASK", str(REPOSITORY / ".build/release/omtask"))
    script = shared("engines/start_slurm.sh")
    if script is None:
        sys.exit("many_images.py: there is no ../shared/engines/start_slurm.sh")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_images(folder / "raw", options.images, options.size)
        cluster = Cluster.start(script, folder / "slurm-test")
        try:
            first = None
            for way, (flags, command) in WAYS.items():
                if options.only not in way:
                    continue
                found = []
                for _ in range(options.rounds):
                    seconds, made = once(cluster, folder, omtask, flags, command)
                    found.append(seconds)
                    first = first or made
                    if made != first:
                        sys.exit(f"many_images.py: `{way}` leaves other files")
                wall, cpu = (round(statistics.median(column), 1) for column in zip(*found, strict=True))
                print(json.dumps({"way": way, "images": options.images, "wall": wall, "cpu": cpu}), flush=True)
        finally:
            cluster.stop()


def write_images(folder: Path, count: int, size: int) -> None:
    """Noise over some bright discs, in one chunk each."""
    rng = np.random.default_rng(1)
    y, x = np.mgrid[:size, :size]
    layout = Layout("chunks", "0.5", (size,), None, (blosc("zstd", "shuffle"),))
    for number in range(count):
        plane = rng.poisson(200, (size, size))
        for row, column in rng.uniform(0, size, (12, 2)):
            plane[(y - row) ** 2 + (x - column) ** 2 < 100] += 800
        write_image(folder / f"{number:04}.zarr", Image("yx", [plane.astype(np.uint16)], layout))


def once(
    cluster: Cluster, folder: Path, omtask: str, flags: list[str], command: str
) -> tuple[tuple[float, float], dict[str, str]]:
    """Does all images in one way; gives wall and CPU seconds, and the files."""
    work = folder / "work"
    shutil.rmtree(work, ignore_errors=True)
    work.mkdir()
    shutil.copytree(folder / "raw", work / "images")
    images = sorted(map(str, (work / "images").iterdir()))
    (work / "list").write_text("\n".join(images) + "\n")
    job = work / "job.sbatch"
    job.write_text(SCRIPT.format(command=command.format(list=work / "list")))
    program = work / "omtask"
    program.write_text(PROGRAM.format(omtask=omtask, folder=work))
    program.chmod(0o755)
    words = [word.format(last=len(images) - 1) for word in flags]
    start = time.perf_counter()
    number = cluster.submit(
        f"--output={work}/log-%A-%a", "--mem-per-cpu=200M", "--time=60", *words, str(job), extra={"OMTASK": str(program)})
    while cluster.run("squeue", "-h", "-j", number)[1].strip():
        time.sleep(0.1)
    wall = time.perf_counter() - start
    ends = set(cluster.wait(number, 60).values())
    if ends != {"COMPLETED 0:0"}:
        said = "".join(path.read_text()[-500:] for path in sorted(work.glob("log-*"))[:3])
        sys.exit(f"many_images.py: jobs ended with {ends}\n{said}")
    cpu = 0.0
    for file in work.glob("times-*"):
        children = file.read_text().splitlines()[1]
        cpu += sum(int(m) * 60 + float(s) for m, s in re.findall(r"(\d+)m([\d.]+)s", children))
    return (wall, cpu), tree(work / "images")


if __name__ == "__main__":
    main()
