"""The archive of `make dist`: one program for a root with nothing else in it; modules and completion."""

import os
import shlex
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from omtask_testing import samples
from omtask_testing.places import REPOSITORY
from omtask_testing.program import MPI_ENVIRONMENT, Program
from omtask_testing.trees import tree

PACKAGING = REPOSITORY / "packaging"
WORDS = ("--method", "otsu", "--label-name", "nuclei")


def bash(script: str, **extra: str) -> str:
    done = subprocess.run(
        ["bash", "-c", f"set -e\n{script}"], capture_output=True, text=True, env=os.environ | extra)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.mark.parametrize(
    ("words", "completed"),
    [
        (["fi"], ["finalize"]),
        (["run", "thr"], ["threshold"]),
        (["run", "threshold", "--min-siz"], ["--min-size"]),
        (["run", "threshold", "--method", "ot"], ["otsu"]),
        (["run", "threshold", "--on-damage", ""], ["stop", "fill"]),
        (["finalize", "threshold", "--connectivity", ""], ["faces", "edges", "full"]),
        (["tasks", "s"], ["show"]),
        (["info", "--js"], ["--json"]),
    ],
    ids=" ".join,
)
def test_completion_knows_tasks_and_their_parameters(
    words: list[str], completed: list[str], omtask: Program, tmp_path: Path
) -> None:
    call = " ".join(map(shlex.quote, [str(omtask.path), *words]))
    told = bash(
        f"cd {tmp_path}; source {PACKAGING}/omtask.bash; COMP_WORDS=({call}); COMP_CWORD={len(words)}\n"
        'omtask_now() { _omtask || true; printf "%s\\n" "${COMPREPLY[@]}"; }; omtask_now')
    assert told.split() == completed


def test_the_scripts_are_clean() -> None:
    shellcheck = shutil.which("shellcheck")
    if shellcheck is None:
        pytest.skip("no shellcheck")
    files = [PACKAGING / "omtask.bash", REPOSITORY / "scripts/dist"]
    done = subprocess.run(
        [shellcheck, "-s", "bash", *files], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout


@pytest.fixture(scope="module")
def archive(request: pytest.FixtureRequest) -> Path:
    """What `make dist` makes, or the archive that $OMTASK_DIST names."""
    if "OMTASK_DIST" in os.environ:
        return Path(os.environ["OMTASK_DIST"])
    if not request.config.getoption("--acceptance"):
        pytest.skip("the archive is made for --acceptance")
    done = subprocess.run([REPOSITORY / "scripts/dist"], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-4000:]
    return REPOSITORY / done.stdout.split()[-1]


@pytest.fixture(scope="module")
def unpacked(archive: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("any where")
    subprocess.run(["tar", "-xzf", archive, "-C", folder], check=True)
    (root,) = folder.iterdir()
    return root


@pytest.mark.parametrize("form", ["lua", "tcl"])
def test_modules_find_the_program_wherever_it_lies(form: str, unpacked: Path, tmp_path: Path) -> None:
    start = Path("/usr/share/lmod/lmod/init/bash")
    if not start.exists():
        pytest.skip("no Lmod")
    # Lmod cannot read modules in Tcl below a folder with a blank in its name.
    name = "some where" if form == "lua" else "somewhere"
    folder = Path(shutil.copytree(unpacked, tmp_path / name))
    if form == "tcl":
        for file in folder.glob("share/modulefiles/omtask/*.lua"):
            file.unlink()
    script = (
        f"set +e; source {start}; module use '{folder}/share/modulefiles'; module load omtask; "
        'command -v omtask; echo "$OMTASK_ROOT"')
    assert bash(script).splitlines() == [str(folder / "bin/omtask"), str(folder)]


@pytest.fixture(scope="module")
def debian(tmp_path_factory: pytest.TempPathFactory, archive: Path) -> Iterator[Path]:
    """A Debian 12 with its least packages, and nothing of ours."""
    if os.geteuid() != 0 or shutil.which("debootstrap") is None:
        pytest.skip("no debootstrap, or not root")
    root = tmp_path_factory.mktemp("debian") / "root"
    done = subprocess.run(
        ["debootstrap", "--variant=minbase", "bookworm", root, mirror()], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout[-2000:]
    subprocess.run(["tar", "-xzf", archive, "-C", root / "opt"], check=True)
    (root / "data").mkdir()
    for name in ("proc", "dev"):
        subprocess.run(["mount", "--rbind", f"/{name}", root / name], check=True)
    try:
        yield root
    finally:
        for name in ("proc", "dev"):
            subprocess.run(["umount", "-R", "-l", root / name], check=True)


def mirror() -> str:
    """Where this machine has its packages from."""
    for line in bash("apt-get indextargets --format '$(SITE)' 'Created-By: Packages'").splitlines():
        if line.rstrip("/").endswith("debian"):
            return line
    return "http://deb.debian.org/debian"


def install(root: Path, *packages: str) -> None:
    shutil.copy("/etc/resolv.conf", root / "etc/resolv.conf")
    call = f"chroot {root} env DEBIAN_FRONTEND=noninteractive apt-get"
    bash(f"{call} update -qq; {call} install -y -qq --no-install-recommends {' '.join(packages)}")


@pytest.mark.parametrize(
    ("packages", "launcher", "ranks"),
    [
        ((), "", 1),
        (("openmpi-bin",), "mpirun.openmpi --oversubscribe --bind-to none -n 2", 2),
        (("mpich",), "mpiexec.mpich -n 2", 2),
    ],
    ids=["nothing", "openmpi", "mpich"],
)
def test_the_archive_runs_in_an_empty_debian(
    packages: tuple[str, ...], launcher: str, ranks: int, debian: Path, omtask: Program,
    tmp_path: Path,
) -> None:
    if packages:
        install(debian, *packages)
    image = debian / "data/image.zarr"
    shutil.rmtree(image, ignore_errors=True)
    samples.write_series(image)
    copy = shutil.copytree(image, tmp_path / "image.zarr")
    omtask("run", "threshold", copy, *WORDS)
    (program,) = (debian / "opt").glob("omtask-*/bin/omtask")
    settings = " ".join(f"{key}={value}" for key, value in MPI_ENVIRONMENT.items())
    job = f"/{program.relative_to(debian)} run threshold /data/image.zarr {' '.join(WORDS)}"
    told = bash(
        f"chroot {debian} env -i PATH=/usr/bin:/bin HOME=/tmp {settings} {launcher} {job} 2>&1")
    assert f"on {ranks} ranks" in told if ranks > 1 else "thread" in told
    # The images lie in different places, which is part of what the record says.
    left, right = (
        {name: digest for name, digest in tree(path).items() if name != "labels/nuclei/zarr.json"}
        for path in (image, Path(copy)))
    assert left == right
