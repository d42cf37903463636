"""`omtask doctor`: what it finds beside what Python finds, in every way to start it, in poor surroundings."""

import json
import os
import resource
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import jsonschema
import pytest

from omtask_testing import samples
from omtask_testing.cluster import Cluster
from omtask_testing.places import REPOSITORY
from omtask_testing.program import Program, mpirun
from omtask_testing.trees import tree

SCHEMA = json.loads((REPOSITORY / "docs/schemas/doctor.schema.json").read_text())
NOBODY = 65534


class Report:
    """What `omtask doctor --json` says."""

    def __init__(self, text: str) -> None:
        self.document: dict[str, Any] = json.loads(text)
        jsonschema.validate(self.document, SCHEMA)
        self.findings: list[dict[str, Any]] = self.document["findings"]
        for finding in self.findings:
            if finding["level"] in ("warning", "problem"):
                assert finding["advice"], finding

    def __getitem__(self, key: str) -> dict[str, Any]:
        (finding,) = [finding for finding in self.findings if finding["key"] == key]
        return finding

    def __contains__(self, key: str) -> bool:
        return any(finding["key"] == key for finding in self.findings)

    def value(self, key: str) -> Any:
        return self[key]["value"]

    def level(self, key: str) -> str:
        return str(self[key]["level"])


def doctor(omtask: Program, *words: str | Path, expect: int = 0, **how: Any) -> Report:
    outcome = omtask("doctor", *words, "--json", expect=expect, **how)
    report = Report(outcome.stdout)
    assert report.document["exit_code"] == expect
    return report


def test_it_finds_what_python_finds(omtask: Program, tmp_path: Path) -> None:
    start = time.perf_counter()
    report = doctor(omtask, tmp_path)
    assert time.perf_counter() - start < 5, "without a dead server it is fast"
    assert report.document["host"] == socket.gethostname()
    assert report.value("cores.machine") == os.cpu_count()
    assert report.value("cores.affinity") == len(os.sched_getaffinity(0))
    pages = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    assert report.value("memory.machine") == pages
    bounds = [
        finding["value"] for finding in report.findings
        if finding["key"] in ("memory.machine", "memory.cgroup", "memory.address_space")]
    assert report.value("memory.default") == min(bounds) // 2
    assert report.value("limits.open_files") == resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    room = os.statvfs(tmp_path)
    # Others write meanwhile.
    free = room.f_bavail * room.f_frsize
    assert abs(report.value("place.free_bytes") - free) < free / 10
    assert abs(report.value("place.free_files") - room.f_favail) < room.f_favail / 10 + 1000
    assert report.value("place.file_system") == mount_type(tmp_path)
    python = shutil.which("python3")
    assert (report.value("libraries.python") is not None) == (python is not None)
    assert report.value("scratch.folder")["variable"] == ("TMPDIR" if "TMPDIR" in os.environ else None)


def mount_type(path: Path) -> str:
    """The type of the mount that a path lies in, by /proc/mounts."""
    best = ("", "")
    for line in Path("/proc/mounts").read_text().splitlines():
        _, place, kind, *_ = line.encode().decode("unicode_escape").split(" ")
        if path.resolve().is_relative_to(place) and len(place) >= len(best[0]):
            best = (place, kind)
    return best[1]


def test_people_get_eighty_columns_and_no_percent_sign(omtask: Program, tmp_path: Path) -> None:
    outcome = omtask("doctor", tmp_path)
    lines = outcome.stdout.splitlines()
    assert lines[0].startswith("omtask ") and socket.gethostname() in lines[0]
    assert all(len(line) <= 80 for line in lines if str(tmp_path) not in line)
    assert "%" not in outcome.stdout
    for title in ("Program", "Ranks", "Cores", "Memory", "Libraries", str(tmp_path)):
        assert title in lines


def test_nothing_is_left_behind(omtask: Program, tmp_path: Path) -> None:
    image = tmp_path / "image.zarr"
    samples.write_series(image)
    before = tree(tmp_path)
    doctor(omtask, tmp_path, image, image / "zarr.json", env={"TMPDIR": str(tmp_path)})
    assert tree(tmp_path) == before
    assert not [path for path in tmp_path.rglob("*omtask*")]


# How it is started


@pytest.mark.parametrize(
    ("variables", "started", "decision", "code"),
    [
        ({}, "none", "one process", 0),
        ({"SLURM_JOB_ID": "7", "SLURM_NTASKS": "1"}, "slurm_batch", "one process", 0),
        ({"SLURM_JOB_ID": "7", "SLURM_NTASKS": "4"}, "slurm_batch", "one process", 0),
        ({"OMPI_COMM_WORLD_SIZE": "2", "PMIX_RANK": "0"}, "mpirun", "ranks", 0),
        (
            {"PMIX_RANK": "0", "PMIX_NAMESPACE": "slurm.pmix.7.0", "SLURM_STEP_NUM_TASKS": "4"},
            "slurm_pmix", "ranks", 0),
        (
            {"PMIX_RANK": "0", "PMIX_NAMESPACE": "slurm.pmix.7.0", "SLURM_STEP_NUM_TASKS": "1"},
            "slurm_pmix", "one process", 0),
        ({"PMIX_RANK": "0", "PMIX_NAMESPACE": "prterun-a-1@1"}, "pmix", "ranks", 0),
        ({"SLURM_STEP_NUM_TASKS": "1", "SLURM_JOB_ID": "7"}, "slurm_step", "one process", 0),
        ({"SLURM_STEP_NUM_TASKS": "2", "SLURM_JOB_ID": "7"}, "slurm_step", "refused", 64),
        ({"PMI_RANK": "0", "PMI_SIZE": "1"}, "pmi", "one process", 0),
    ],
    ids=str,
)
def test_every_way_to_start_is_told_and_a_run_does_the_same(
    variables: dict[str, str], started: str, decision: str, code: int, omtask: Program, tmp_path: Path
) -> None:
    # Without Slurm's programs, which would wait for a cluster that is not there.
    variables = variables | {"PATH": str(tmp_path)}
    report = doctor(omtask, tmp_path, expect=code, env=variables)
    assert report.value("launcher.started_by") == started
    assert report.value("launcher.decision") == decision
    if decision == "ranks":
        assert "libmpi" in report.value("launcher.library")
    else:
        # Without a launcher behind the variables a run that starts MPI would come to nothing.
        outcome = omtask("run", "threshold", tmp_path / "absent.zarr", expect=code or 66, env=variables)
        assert "MPI" not in outcome.stderr or code == 64


def test_the_plugin_of_mpich_without_its_library_is_a_problem(omtask: Program, tmp_path: Path) -> None:
    pmi = {"PMI_RANK": "0", "PMI_SIZE": "2", "SLURM_STEP_NUM_TASKS": "2"}
    plain = doctor(omtask, tmp_path)
    has_mpich = plain.value("program.mpich") is not None
    report = doctor(omtask, tmp_path, expect=0 if has_mpich else 64, env=pmi)
    assert report.value("launcher.started_by") == "pmi"
    if not has_mpich:
        assert "srun --mpi=pmix" in report["launcher.library"]["advice"]


def test_under_mpirun_one_process_speaks_and_mpi_is_not_started(omtask: Program, tmp_path: Path) -> None:
    report = doctor(omtask, tmp_path, launcher=mpirun(2))
    assert report.value("launcher.started_by") == "mpirun"
    assert report.value("launcher.decision") == "ranks"
    assert report.value("program.open_mpi")["version"].startswith("Open MPI")
    pages = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    assert report.value("memory.machine") == pages // 2


def test_a_rank_that_mpirun_binds_is_told(omtask: Program, tmp_path: Path) -> None:
    if (os.cpu_count() or 1) < 2:
        pytest.skip("one core")
    report = doctor(omtask, tmp_path, launcher=["mpirun", "--bind-to", "core", "-n", "1"])
    assert report.value("cores.affinity") == 1
    assert report.value("cores.binding") is True
    assert report.level("cores.binding") == "warning"
    assert "--bind-to none" in report["cores.binding"]["advice"]
    free = doctor(omtask, tmp_path, launcher=mpirun(1))
    assert free.value("cores.binding") is False


def test_root_without_its_variables_is_told(omtask: Program, tmp_path: Path) -> None:
    if os.geteuid() != 0:
        pytest.skip("not root")
    refused = doctor(omtask, tmp_path, env={"OMPI_ALLOW_RUN_AS_ROOT": "0"})
    assert refused.level("launcher.root") == "warning"
    assert "mpirun --bind-to none" not in refused.value("launcher.ways")
    assert "mpirun --bind-to none" in doctor(omtask, tmp_path).value("launcher.ways")


def test_a_path_without_launchers(omtask: Program, tmp_path: Path) -> None:
    report = doctor(omtask, tmp_path, env={"PATH": str(tmp_path)})
    assert report.value("launcher.mpirun") is None and report.value("launcher.ways") == []
    assert report.value("slurm.version") is None and report.value("libraries.python") is None
    assert "launcher.root" not in report


@pytest.mark.parametrize("trouble", ["exit 3", "sleep 60", "kill -9 $$", "yes"], ids=str)
def test_programs_that_answer_badly_stop_nothing(
    trouble: str, omtask: Program, tmp_path: Path
) -> None:
    for name in ("mpirun", "prterun", "srun", "sinfo", "sacct", "python3"):
        script = tmp_path / name
        script.write_text(f"#!/bin/sh\n{trouble}\n")
        script.chmod(0o755)
    start = time.perf_counter()
    report = doctor(omtask, tmp_path, env={"PATH": f"{tmp_path}:/usr/bin:/bin"})
    assert time.perf_counter() - start < 20
    assert report.value("launcher.ways") == []
    assert report.value("libraries.python") is None


# MPI libraries

ABI = """
int MPI_Abi_get_version(int *major, int *minor) { *major = 1; *minor = 0; return 0; }
int MPI_Get_library_version(char *text, int *count) { text[0] = 0; *count = 0; return 0; }
"""
CRASH = "__attribute__((constructor)) static void now(void) { __builtin_trap(); }"
HANG = "#include <unistd.h>\n__attribute__((constructor)) static void now(void) { for (;;) pause(); }"


@pytest.mark.parametrize(
    ("name", "source", "says"),
    [
        ("libmpi_abi.so.1", "int nothing;", "standard ABI of MPI-5"),
        ("libmpi.so", ABI, "standard ABI of MPI-5"),
        ("libmpi.so", "int nothing;", "has no MPI_"),
        ("libmpi.so", CRASH, "ends the program"),
        ("libmpi.so", HANG, "too long"),
    ],
)
def test_a_library_that_is_none_is_refused(
    name: str, source: str, says: str, omtask: Program, tmp_path: Path
) -> None:
    library = tmp_path / name
    subprocess.run(
        ["cc", "-shared", "-fPIC", "-x", "c", "-", "-o", library], input=source, text=True, check=True)
    launched = {"OMPI_COMM_WORLD_SIZE": "1", "OMPI_COMM_WORLD_RANK": "0"}
    report = doctor(omtask, tmp_path, expect=64, env=launched | {"OMTASK_MPI_LIBRARY": str(library)})
    assert report.level("program.mpi_library") == "warning"
    assert says in report["program.mpi_library"]["text"]
    assert says in report["launcher.library"]["text"]


def test_a_run_does_not_take_the_standard_abi_for_mpich(omtask: Program, tmp_path: Path) -> None:
    image = tmp_path / "image.zarr"
    samples.write_series(image)
    library = tmp_path / "libmpi_abi.so.1"
    subprocess.run(
        ["cc", "-shared", "-fPIC", "-x", "c", "-", "-o", library], input=ABI, text=True, check=True)
    outcome = omtask(
        "run", "threshold", image, "--method", "otsu", expect=64,
        env={"OMTASK_MPI_LIBRARY": str(library), "PMI_RANK": "0", "PMI_SIZE": "2"})
    assert "standard ABI of MPI-5" in outcome.stderr


# Cores, memory, limits


def test_taskset_and_variables_cut_the_threads(omtask: Program, tmp_path: Path) -> None:
    report = doctor(omtask, tmp_path, launcher=["taskset", "-c", "0"])
    assert report.value("cores.affinity") == report.value("cores.threads") == 1
    one = doctor(omtask, tmp_path, env={"OMP_NUM_THREADS": "1"})
    assert one.value("cores.threads") == one.value("cores.omp_num_threads") == 1
    odd = doctor(omtask, tmp_path, env={"OMP_NUM_THREADS": "2,1"})
    assert odd.level("cores.omp_num_threads") == "warning"


@pytest.mark.parametrize(
    ("variables", "mebibytes"),
    [
        ({"SLURM_MEM_PER_NODE": "1000"}, 500),
        ({"SLURM_MEM_PER_CPU": "300", "SLURM_CPUS_PER_TASK": "2"}, 300),
        ({"SLURM_MEM_PER_CPU": "300", "SLURM_CPUS_ON_NODE": "4"}, 600),
        ({"SLURM_MEM_PER_NODE": "1000", "SLURM_MEM_PER_CPU": "600"}, 300),
    ],
    ids=str,
)
def test_the_default_of_memory_is_that_of_the_job(
    variables: dict[str, str], mebibytes: int, omtask: Program, tmp_path: Path
) -> None:
    report = doctor(omtask, tmp_path, env=variables)
    assert report.value("memory.default") == mebibytes << 20


def test_a_run_keeps_to_the_memory_of_the_job(omtask: Program, tmp_path: Path) -> None:
    image = tmp_path / "image.zarr"
    samples.write_series(image)
    words = ("run", "threshold", image, "--method", "otsu")
    refused = omtask(*words, expect=79, env={"SLURM_MEM_PER_NODE": "1"})
    assert "memory" in refused.stderr
    omtask(*words, env={"SLURM_MEM_PER_NODE": "1000", "SLURM_MEM_PER_CPU": "much"})


def test_sizes_that_cannot_be_read_are_told(omtask: Program, tmp_path: Path) -> None:
    usual = doctor(omtask, tmp_path).value("memory.default")
    for value in ("much", "-1", "", "99999999999999999999"):
        report = doctor(omtask, tmp_path, env={"SLURM_MEM_PER_NODE": value})
        assert report.level("memory.unread") == "warning"
        assert report.value("memory.default") == usual
    assert "memory.unread" not in doctor(omtask, tmp_path, env={"SLURM_MEM_PER_NODE": "0"})


def test_ulimit_is_told(omtask: Program, tmp_path: Path) -> None:
    limits = ["bash", "-c", 'ulimit -n 100 -v 2000000; exec "$0" "$@"']
    report = doctor(omtask, tmp_path, launcher=limits)
    assert report.value("limits.open_files") == 100
    assert report.level("limits.open_files") == "warning"
    assert 0 < report.value("memory.address_space") < 2_000_000 * 1024
    assert report.value("memory.default") == report.value("memory.address_space") // 2


# Places


def test_a_folder_that_may_not_be_written(omtask: Program, open_folder: Path) -> None:
    if os.geteuid() != 0:
        pytest.skip("cannot become another user")
    folder = open_folder / "closed"
    folder.mkdir(mode=0o755)
    program = Path(shutil.copy(omtask.path, open_folder / "omtask"))
    other = ["setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups"]
    copy = Program(program, open_folder)
    report = doctor(copy, folder, expect=77, launcher=other, env={"TMPDIR": "/tmp"})
    assert report.level("place.writable") == "problem"
    assert "--output" in report["place.writable"]["advice"]
    # A run there says the same.
    samples.write_series(folder / "image.zarr")
    copy("run", "threshold", folder / "image.zarr", "--method", "otsu", expect=77, launcher=other)


@contextmanager
def mounted(place: Path, options: str) -> Iterator[Path]:
    """A file system in memory."""
    place.mkdir()
    done = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", options, "tmpfs", place], capture_output=True, text=True)
    if done.returncode != 0:
        pytest.skip(f"cannot mount: {done.stderr.strip()}")
    try:
        yield place
    finally:
        subprocess.run(["umount", "-l", place], check=True)


def test_file_systems_in_memory_full_and_read_only(omtask: Program, tmp_path: Path) -> None:
    with mounted(tmp_path / "small", "size=1m,nr_inodes=100") as small:
        report = doctor(omtask, small)
        assert report.value("place.file_system") == "tmpfs"
        assert report.level("place.file_system") == "note"
        assert report.level("place.free_bytes") == "warning"
        assert report.value("place.free_files") < 100
        assert report.level("place.free_files") == "warning"
        (small / "filler").write_bytes(bytes(1 << 20))
        full = doctor(omtask, small, expect=74)
        assert full.level("place.free_bytes") == "problem"
        assert tree(small).keys() == {"filler"}
    with mounted(tmp_path / "closed", "ro") as closed:
        report = doctor(omtask, closed, expect=77)
        assert "read-only" in report["place.writable"]["text"]


def test_paths_that_are_not_there_and_several(omtask: Program, tmp_path: Path) -> None:
    report = doctor(omtask, tmp_path, tmp_path / "absent", expect=66)
    subjects = {finding["subject"] for finding in report.findings}
    assert {str(tmp_path), str(tmp_path / "absent")} <= subjects
    outcome = omtask("doctor", tmp_path / "absent", expect=66)
    assert outcome.stderr.splitlines()[-1].startswith("omtask: error[missing]")


def test_temporary_files_go_where_the_scheduler_says(omtask: Program, tmp_path: Path) -> None:
    for name in ("job", "own"):
        (tmp_path / name).mkdir()
    both = {"SLURM_TMPDIR": str(tmp_path / "job"), "TMPDIR": str(tmp_path / "own")}
    assert doctor(omtask, tmp_path, env=both).value("scratch.folder")["variable"] == "SLURM_TMPDIR"
    gone = both | {"SLURM_TMPDIR": str(tmp_path / "gone")}
    assert doctor(omtask, tmp_path, env=gone).value("scratch.folder")["path"] == str(tmp_path / "own")
    bad = doctor(omtask, tmp_path, env={"TMPDIR": str(tmp_path / "gone")})
    assert bad.level("scratch.folder") == "warning"


# Servers


class Answers(BaseHTTPRequestHandler):
    """A server with one image."""

    def do_GET(self) -> None:
        found = self.path == "/image.zarr/zarr.json"
        body = b'{"zarr_format": 3, "node_type": "group"}' if found else b""
        self.send_response(200 if found else 404)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


def test_servers_that_answer_and_that_do_not(omtask: Program, tmp_path: Path) -> None:
    server = HTTPServer(("127.0.0.1", 0), Answers)
    Thread(target=server.serve_forever, daemon=True).start()
    try:
        root = f"http://127.0.0.1:{server.server_port}"
        assert doctor(omtask, f"{root}/image.zarr").level("server.answers") == "ok"
        other = doctor(omtask, f"{root}/other.zarr")
        assert other.value("server.answers") is True and other.level("server.answers") == "warning"
    finally:
        server.shutdown()
        server.server_close()
    closed = doctor(omtask, f"{root}/image.zarr", expect=69)
    assert closed.level("server.answers") == "problem"
    silent = socket.create_server(("127.0.0.1", 0))
    try:
        start = time.perf_counter()
        port = silent.getsockname()[1]
        report = doctor(omtask, f"http://127.0.0.1:{port}/image.zarr", expect=69)
        assert time.perf_counter() - start < 15
        assert report.level("server.answers") == "problem"
    finally:
        silent.close()


# Ranks on machines that do not see the same


def without(folder: Path, rank_variable: str) -> str:
    """Hides a folder from every rank but the first, as where it is not mounted."""
    return (
        f'if [ "${rank_variable}" != 0 ]; then exec unshare -m sh -c '
        f'\'mount -t tmpfs tmpfs "$0"; exec "$@"\' {folder} "$@"; fi; exec "$@"')


@pytest.mark.parametrize("kept", ["nothing", "a copy"])
def test_a_file_system_that_one_rank_lacks_names_its_machine(
    kept: str, omtask: Program, tmp_path: Path
) -> None:
    if os.geteuid() != 0 or subprocess.run(["unshare", "-m", "true"]).returncode != 0:
        pytest.skip("no namespaces")
    image = tmp_path / "data" / "image.zarr"
    samples.write_series(image)
    before = tree(image)
    hide = without(tmp_path / "data", "OMPI_COMM_WORLD_RANK")
    if kept == "a copy":
        shutil.copytree(tmp_path / "data", tmp_path / "copy")
        hide = hide.replace('mount -t tmpfs tmpfs "$0"', f'mount --bind {tmp_path / "copy"} "$0"')
    outcome = omtask(
        "run", "threshold", image, "--method", "otsu", expect=66,
        launcher=[*mpirun(2), "bash", "-c", hide, "sh"])
    assert f"rank 1 on {socket.gethostname()}" in outcome.stderr, outcome
    assert tree(image) == before


# Slurm


def slurm(
    cluster: Cluster, omtask: Program, folder: Path, *launch: str, words: tuple[str, ...] = (),
    extra: Mapping[str, str] | None = None, expect: int = 0,
) -> list[Report]:
    """What each task says: a file for each, since lines of several are mixed."""
    output = ["--output", str(folder / "said-%t"), "--error", "none"]
    code, said = cluster.run(*launch, *output, str(omtask.path), "doctor", "--json", *words, extra=extra)
    assert code == expect, said
    texts = [path.read_text() for path in sorted(folder.glob("said-*"))]
    return [Report(text) for text in texts if text]


def test_outside_of_a_job(cluster: Cluster, omtask: Program) -> None:
    code, said = cluster.run(str(omtask.path), "doctor", "--json")
    assert code == 0, said
    report = Report(said)
    assert report.value("slurm.version").startswith("slurm")
    assert report.value("slurm.job") is None
    assert "pmix" in report.value("launcher.srun_pmix")
    assert report.value("launcher.ways") == ["mpirun --bind-to none", "srun --mpi=pmix"]
    assert report.value("slurm.accounting") is False


def test_every_node_of_a_step_speaks_once(cluster: Cluster, omtask: Program, tmp_path: Path) -> None:
    launch = ["srun", "--mpi=pmix", "-N2", "-n4", "--overcommit", "--mem-per-cpu=500"]
    reports = slurm(cluster, omtask, tmp_path, *launch, words=(str(tmp_path),))
    assert sorted(report.document["host"] for report in reports) == ["n1", "n2"]
    for report in reports:
        assert report.value("launcher.started_by") == "slurm_pmix"
        assert report.value("launcher.decision") == "ranks"
        assert report.level("launcher.srun_pmix") == "ok"
        # The test cluster's nodes are one machine, which the doctor cannot know.
        assert report.level("place.file_system") == "warning"


def test_a_job_is_told(cluster: Cluster, omtask: Program, tmp_path: Path) -> None:
    output = tmp_path / "said"
    script = f"srun -n1 {omtask.path} doctor --json"
    code, said = cluster.batch(output, ["-n1", "--time=3", "--mem=800", "--no-requeue"], script)
    assert code == 0, said
    report = Report(output.read_text())
    assert report.value("launcher.started_by") == "slurm_step"
    assert report.value("launcher.decision") == "one process"
    assert "^slurm" in report["launcher.mpirun_in_step"]["advice"]
    assert report.value("memory.slurm_mem_per_node") == 800 << 20
    assert report.value("memory.default") == 400 << 20
    assert 0 < report.value("slurm.seconds_left") <= 180
    assert report.level("slurm.seconds_left") == "warning"
    assert report.level("slurm.requeue") == "note"
    assert report.value("slurm.partition")["name"] == "main"
    assert report.level("slurm.accounting") == "note"


def test_one_task_with_pmix_needs_no_library(cluster: Cluster, omtask: Program, tmp_path: Path) -> None:
    image = tmp_path / "image.zarr"
    samples.write_series(image)
    nothing = {"OMTASK_MPI_LIBRARY": "/nowhere/libmpi.so"}
    launch = ["srun", "--mpi=pmix", "-n1"]
    (report,) = slurm(cluster, omtask, tmp_path, *launch, extra=nothing)
    assert report.value("launcher.decision") == "one process"
    words = [str(omtask.path), "run", "threshold", str(image), "--method", "otsu"]
    code, said = cluster.run(*launch, *words, extra=nothing)
    assert code == 0, said
    code, said = cluster.run("srun", "--mpi=pmix", "-N2", "-n2", *words, "--overwrite", extra=nothing)
    assert code == 64 and "/nowhere/libmpi.so" in said


def test_several_tasks_without_pmix_are_a_problem(
    cluster: Cluster, omtask: Program, tmp_path: Path
) -> None:
    reports = slurm(cluster, omtask, tmp_path, "srun", "-N1", "-n2", "--overcommit", expect=64)
    assert [report.value("launcher.decision") for report in reports] == ["refused"]
