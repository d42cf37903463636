"""The rules and the wrapper for Snakemake, on this machine and, with --acceptance, through Slurm."""

import json
import os
import re
import runpy
import shutil
import signal
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml

from omtask_testing import engines, faults, pages, samples
from omtask_testing.cluster import Cluster
from omtask_testing.jobs import Job, until
from omtask_testing.places import REPOSITORY
from omtask_testing.program import Program, environment
from omtask_testing.trees import leftovers, tree

SHIPPED = REPOSITORY / "integrations/snakemake"
IMAGES = {"first.zarr": samples.SHARDED, "second image.zarr": samples.V2, "big.zarr": samples.SHARDED}
CONFIG = yaml.safe_load((SHIPPED / "config.yaml").read_text())["omtask"]
NOTHING = "Nothing to be done"


@dataclass
class Workflow:
    """A copy of what is shipped, in a folder with a space in its name, and how it is started."""

    folder: Path
    python: Path
    omtask: Program

    @property
    def images(self) -> Path:
        return self.folder / "images"

    def configure(self, **changes: object) -> None:
        """Changes what the config file says."""
        text = yaml.safe_dump({"omtask": {**CONFIG, **changes}})
        (self.folder / "config.yaml").write_text(text)

    def env(self, **extra: str) -> dict[str, str]:
        path = f"{self.omtask.path.parent}:{self.python.parent}:{os.environ['PATH']}"
        cache = str(self.folder.parent / "cache")
        return {"PATH": path, "XDG_CACHE_HOME": cache, "OMTASK_PAUSE": "0", **extra}

    def __call__(self, *words: str, expect: int = 0, env: dict[str, str] | None = None) -> str:
        """Runs Snakemake with these words; gives all it said."""
        return self.shell(" ".join(["snakemake --cores 2", *words]), expect, env)

    def shell(self, call: str, expect: int = 0, env: dict[str, str] | None = None) -> str:
        done = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", call], cwd=self.folder, text=True, timeout=300,
            env=environment(self.env(**env or {})), stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        assert done.returncode == expect, done.stdout
        return done.stdout


def files(folder: Path) -> dict[str, str]:
    """What lies there, but for the stamps that Snakemake puts into folders, and for the numbers of
    runs in tables, which tell when the labels that were measured had been written.
    """
    found = {name: what for name, what in tree(folder).items() if ".snakemake" not in name}
    for name in found:
        if "tables/" in name and name.endswith((".json", ".zattrs")):
            found[name] = re.sub(r'"run_id": "\w+"', "", (folder / name).read_text())
    return found


def rules(said: str) -> list[str]:
    """The rules of the jobs that were run, each as often as it was."""
    return sorted(re.findall(r"(?m)^(?:local)?rule (?!all)(\w+):", said))


@pytest.fixture(scope="module")
def make(
    omtask: Program, tmp_path_factory: pytest.TempPathFactory
) -> Callable[..., Workflow]:
    python = engines.python("snakemake")

    def new(*names: str) -> Workflow:
        folder = tmp_path_factory.mktemp("snakemake") / "a workflow"
        shutil.copytree(SHIPPED, folder)
        (folder / "images").mkdir()
        for number, name in enumerate(names):
            rng = np.random.default_rng(number)
            samples.write_blobs(folder / "images" / name, IMAGES[name], rng)
        return Workflow(folder, python, omtask)

    return new


def directly(omtask: Program, images: Path, tasks: dict[str, dict], *names: str) -> dict[str, str]:
    """What the same tasks leave when omtask is called by itself."""
    for name in names:
        for task in ("pyramid", "threshold", "measure", "gaussian-blur", "median"):
            given = {"label": "nuclei"} if task == "measure" else {}
            omtask.run(task, images / name, parameters=given | (tasks.get(task) or {}))
    return files(images)


# The example: a chain, a derived image, levels in place, ranks, the wrapper


@pytest.fixture(scope="module")
def example(make: Callable[..., Workflow]) -> tuple[Workflow, Path, str]:
    """The example as it is shipped, run once; the images before; what Snakemake said."""
    workflow = make(*IMAGES)
    before = workflow.folder.with_name("before")
    shutil.copytree(workflow.images, before)
    return workflow, before, workflow.shell(pages.blocks("snakemake.md")[0])


def test_the_example_makes_what_direct_calls_make(
    example: tuple[Workflow, Path, str], omtask: Program
) -> None:
    workflow, before, said = example
    counted = {rule: rules(said).count(rule) for rule in rules(said)}
    assert counted == {
        "omtask_threshold": 2, "omtask_threshold_mpi": 1, "omtask_measure": 3, "median": 3,
        "omtask_gaussian_blur": 3, "omtask_pyramid": 3,
    }
    assert "2 ranks x 1 thread" in (workflow.folder / "results/big.zarr/threshold.log").read_text()
    tasks = CONFIG["tasks"] | {"median": {"radius": 1}}
    assert files(workflow.images) == directly(omtask, before, tasks, *IMAGES)
    assert leftovers(workflow.images) == []
    told = json.loads((workflow.folder / "results/second image.zarr/median.json").read_text())
    made = told["image_list_updates"][0]["zarr_url"]
    assert made == str(workflow.images / "second image_median.zarr")


def test_a_second_run_has_nothing_to_do(example: tuple[Workflow, Path, str]) -> None:
    assert NOTHING in example[0]()


def test_a_changed_parameter_is_done_again(
    example: tuple[Workflow, Path, str], omtask: Program
) -> None:
    workflow, before, _ = example
    tasks = CONFIG["tasks"] | {"threshold": CONFIG["tasks"]["threshold"] | {"min_size": 60}}
    workflow.configure(tasks=tasks)
    said = workflow('"results/second image.zarr/measure.json"')
    assert rules(said) == ["omtask_measure", "omtask_threshold"], said
    for task, given in (("threshold", tasks["threshold"]), ("measure", {"label": "nuclei"} | tasks["measure"])):
        omtask.run(task, before / "second image.zarr", parameters=given | {"overwrite": True})
    assert files(workflow.images / "second image.zarr") == files(before / "second image.zarr")
    workflow.configure()


# Failures


def test_a_failing_rule_leaves_the_image_as_it_was(example: tuple[Workflow, Path, str]) -> None:
    """A chunk of one image is damaged and its parameters are new; a parameter for the other is bad."""
    workflow = example[0]
    damaged, other = (f'"results/{name}/measure.json"' for name in ("first.zarr", "second image.zarr"))
    changed = {"threshold": CONFIG["tasks"]["threshold"] | {"min_size": 40}, "measure": {"quantiles": [7]}}
    chunk = workflow.images / "first.zarr/0/c/0/0/0"
    sound, times = chunk.read_bytes(), (chunk.stat().st_atime_ns, chunk.stat().st_mtime_ns)
    chunk.write_bytes(sound[:40] + bytes(len(sound) - 40))
    before = files(workflow.images)
    workflow.configure(tasks=CONFIG["tasks"] | changed)
    said = workflow("--keep-going", damaged, other, expect=1)
    assert "omtask: error[truncated]" in said and "0/c/0/0/0" in said and "status 65" in said, said
    assert "omtask: error[usage]: `quantiles` is `7`, the manifest of measure allows 0 to 1" in said and "status 64" in said, said
    assert said.count("omtask: error") == 2
    # What was there stays: the label and the table, and all of the image.
    after = {name: what for name, what in files(workflow.images).items() if ".omtask" not in name}
    different = {name for name in before if after.get(name) != before[name]}
    assert {name.split("/labels/")[0] for name in different} == {"second image.zarr"}
    assert set(after) == set(before)
    # Repaired, and with the parameters of before: it is all there.
    chunk.write_bytes(sound)
    os.utime(chunk, ns=times)
    workflow.configure()
    said = workflow(damaged)
    assert said.count("omtask: nothing to do") == 2 and "omtask: done" not in said, said


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGKILL], ids=["ctrl-c", "kill"])
def test_an_interrupted_run_goes_on(
    how: signal.Signals, make: Callable[..., Workflow], omtask: Program, tmp_path: Path,
    fault_library: Path, request: pytest.FixtureRequest,
) -> None:
    if how == signal.SIGKILL and not request.config.getoption("--acceptance"):
        pytest.skip("another interrupt of Snakemake (--acceptance)")
    workflow = make()
    workflow.configure(images=["series.zarr"], large=[], tasks={"threshold": {"label_name": "nuclei"}})
    image = workflow.images / "series.zarr"
    samples.write_series(image)
    shutil.copytree(image, tmp_path / "series.zarr")
    slow = faults.delayed(fault_library, image / "0/c", 0.1)
    call = ["snakemake", "--cores", "1", "results/series.zarr/threshold.json"]
    job = Job(call, tmp_path, workflow.env(**slow), cwd=workflow.folder)
    try:
        until(
            lambda: [f for f in image.glob(".omtask/*/journal.*") if f.stat().st_size > 300], 30, job.text())
        # Ctrl-C reaches the whole group, and so does this.
        os.killpg(job.process.pid, how)
        code, _ = job.end(20)
    finally:
        job.clean_up()
    if how == signal.SIGINT:
        assert code == 1 and "ended by INT" in job.text(), job.text()
        assert not (image / "labels").exists()
        said = workflow("results/series.zarr/threshold.json")
    else:
        assert not (image / "labels/nuclei").exists()
        said = workflow.shell(pages.blocks("snakemake.md")[3])
    assert "going on" in said, said
    omtask.run("threshold", tmp_path / "series.zarr", parameters={"label_name": "nuclei"})
    assert files(image) == files(tmp_path / "series.zarr")


# What a stranger meets


@pytest.mark.parametrize(
    ("settings", "text"),
    [
        ({"tasks": {"treshold": {"label_name": "a"}}}, "'treshold' was unexpected"),
        ({"images": ["no such.zarr"]}, "images/no such.zarr/zarr.json"),
        ({"large": ["other.zarr"]}, "`large` names ['other.zarr'], which is not in `images`"),
    ],
    ids=str,
)
def test_mistakes_are_named_before_anything_is_done(
    settings: dict[str, Any], text: str, make: Callable[..., Workflow],
    request: pytest.FixtureRequest,
) -> None:
    if "large" in settings and not request.config.getoption("--acceptance"):
        pytest.skip("one more start of Snakemake (--acceptance)")
    workflow = make()
    right = {"images": ["a.zarr"], "large": [], "tasks": {"threshold": {"label_name": "a"}}}
    workflow.configure(**right | settings)
    assert text in workflow("--dry-run", "all", expect=1)


# What may go away is tried again: by the script of the rules and by the wrapper

CODES = [([0], 0), ([74, 69, 0], 0), ([75, 75, 75, 0], 75), ([65, 0], 65), ([137, 0], 137)]
FAKE = """#!/bin/bash
cat >>{folder}/stdin; echo "$*" >>{folder}/words
code=$(head -1 {folder}/codes); sed -i 1d {folder}/codes
echo "omtask: said $code" >&2
exit "$code"
"""


@dataclass
class Fake:
    """A program that ends with one code after another, and notes how it was called."""

    folder: Path

    def set(self, codes: list[int]) -> str:
        (self.folder / "codes").write_text("\n".join(map(str, codes)) + "\n")
        program = self.folder / "omtask"
        program.write_text(FAKE.format(folder=self.folder))
        program.chmod(0o755)
        return str(program)

    def calls(self) -> list[str]:
        return (self.folder / "words").read_text().splitlines()


@pytest.fixture
def fake(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Fake:
    monkeypatch.setenv("OMTASK_PAUSE", "0")
    monkeypatch.setenv("SRUN_CPUS_PER_TASK", "")
    monkeypatch.setenv("OMTASK", str(tmp_path / "omtask"))
    return Fake(tmp_path)


@pytest.mark.parametrize(("codes", "end"), CODES, ids=str)
def test_the_rules_try_again_what_may_go_away(codes: list[int], end: int, fake: Fake) -> None:
    program, log = fake.set(codes), fake.folder / "a log"
    done = subprocess.run(
        [SHIPPED / "tries.sh", log, '{"a": "it\'s"}', program, "run", "threshold"],
        capture_output=True, text=True)
    tried = codes.index(end) + 1 if end != 75 else 3
    assert done.returncode == end
    assert fake.calls() == ["run threshold"] * tried
    assert (fake.folder / "stdin").read_text() == '{"a": "it\'s"}' * tried
    assert log.read_text() == done.stderr
    assert done.stderr.count("which may go away") == tried - 1


def test_the_rules_miss_the_program(fake: Fake) -> None:
    done = subprocess.run(
        [SHIPPED / "tries.sh", fake.folder / "log", "{}", "omtask", "run"], capture_output=True, text=True)
    assert done.returncode == 127
    assert f"no program {fake.folder}/omtask here" in done.stderr


class Named(list):
    """Values of which some have names, as Snakemake hands them to a wrapper."""

    def __init__(self, **values: Any) -> None:
        super().__init__(values.values())
        self.__dict__.update(values)
        self.get, self.items = values.get, values.items


@dataclass
class JobOfWrapper:
    output: Named
    params: Named
    resources: Named
    log: list[str]
    threads: int = 3


def wrapped(job: JobOfWrapper) -> int:
    with pytest.raises(SystemExit) as end:
        runpy.run_path(str(SHIPPED / "wrapper/wrapper.py"), init_globals={"snakemake": job})
    return end.value.code


@pytest.mark.parametrize(("codes", "end"), CODES, ids=str)
def test_the_wrapper_tries_again_what_may_go_away(
    codes: list[int], end: int, fake: Fake, capfd: pytest.CaptureFixture[str]
) -> None:
    fake.set(codes)
    arguments = {"zarr_url": "an image.zarr", "sigma": [1, 2]}
    job = JobOfWrapper(
        Named(result="out.json"), Named(task="gaussian-blur", extra="--roi-table 'a b'", **arguments),
        Named(mem_mb=600), [str(fake.folder / "log")])
    assert wrapped(job) == end
    tried = codes.index(end) + 1 if end != 75 else 3
    call = "run gaussian-blur --args-json - --out-json out.json --threads 3 --memory 500M --roi-table a b"
    assert fake.calls() == [call] * tried
    assert (fake.folder / "stdin").read_text() == json.dumps(arguments) * tried
    assert (fake.folder / "log").read_text() == capfd.readouterr().err


def test_the_wrapper_starts_ranks(fake: Fake) -> None:
    fake.set([0])
    launcher = fake.folder / "launcher"
    launcher.write_text(f'#!/bin/bash\necho "$SRUN_CPUS_PER_TASK $*" >{fake.folder}/launched\n')
    launcher.chmod(0o755)
    resources = Named(mpi=f"{launcher} --mpi=pmix", tasks=4, mem_mb_per_cpu=400)
    assert wrapped(JobOfWrapper(Named(first="out.json"), Named(task="median"), resources, [])) == 0
    assert (fake.folder / "launched").read_text() == (
        f"3 --mpi=pmix -n 4 {fake.folder}/omtask run median --args-json - --out-json out.json "
        "--threads 3 --memory 1000M\n")


def test_the_wrapper_misses_the_program(fake: Fake, capfd: pytest.CaptureFixture[str]) -> None:
    assert wrapped(JobOfWrapper(Named(first="o"), Named(task="median"), Named(), [])) == 127
    assert f"no program {fake.folder}/omtask here" in capfd.readouterr().err


def test_the_script_is_clean() -> None:
    shellcheck = shutil.which("shellcheck")
    if shellcheck is None:
        pytest.skip("no shellcheck")
    done = subprocess.run([shellcheck, SHIPPED / "tries.sh"], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout


# The page, and Slurm


@pytest.fixture(scope="module")
def patient(request: pytest.FixtureRequest) -> None:
    if not request.config.getoption("--acceptance"):
        pytest.skip("the page of Snakemake and its jobs in Slurm take minutes (--acceptance)")


def test_every_command_of_the_page_works(
    patient: None, make: Callable[..., Workflow], omtask: Program
) -> None:
    workflow = make(*IMAGES)
    commands = pages.blocks("snakemake.md")
    assert [line.split()[1] for command in commands for line in command.splitlines()] == [
        "--cores", "--cores", "--profile", "--unlock", "--cores", "--cores"]
    (shown,) = pages.blocks("snakemake.md", "yaml")
    for key, value in yaml.safe_load(shown)["omtask"].items():
        assert CONFIG[key] == value
    said = workflow.shell(commands[1])
    assert rules(said) == ["omtask_measure", "omtask_pyramid", "omtask_threshold"], said
    for command in (commands[0], commands[3]):
        workflow.shell(command)
    before = files(workflow.images)
    said = workflow.shell(commands[4])
    assert said.count("omtask: nothing to do") == 15 and "omtask: done" not in said, said
    assert files(workflow.images) == before
    # A workflow of one's own.
    (own,) = pages.blocks("snakemake.md", "python")
    (workflow.folder / "Snakefile").write_text(own)
    assert rules(workflow()) == ["cells"] * 3
    for name in IMAGES:
        blurred = name.replace(".zarr", "_gaussian.zarr")
        shutil.copytree(workflow.images / blurred, workflow.folder / blurred)
        shutil.rmtree(workflow.folder / blurred / "labels")
        omtask.run("threshold", workflow.folder / blurred, parameters={"label_name": "cells", "method": "li"})
        assert files(workflow.images / blurred) == files(workflow.folder / blurred)


@pytest.fixture
def on_slurm(patient: None, cluster: Cluster, tmp_path: Path) -> Callable[..., tuple[int, str]]:
    """Runs the command of the page for Slurm in the folder of a workflow."""
    # The executor takes the cluster's settings out of the environment of jobs.
    for name in ("sbatch", "squeue", "scancel", "sinfo", "scontrol", "srun"):
        setting = f"SLURM_CONF={cluster.settings['SLURM_CONF']}"
        path = tmp_path / name
        path.write_text(f'#!/bin/sh\n{setting} exec {shutil.which(name)} "$@"\n')
        path.chmod(0o755)

    def run(workflow: Workflow, *words: str, **extra: str) -> tuple[int, str]:
        call = [pages.blocks("snakemake.md")[2].strip(), "--slurm-init-seconds-before-status-checks 5", *words]
        env = environment(workflow.env(**extra)) | {"OMPI_MCA_btl": "self,vader,tcp"}
        env["PATH"] = f"{tmp_path}:{env['PATH']}"
        done = subprocess.run(
            ["bash", "-c", " ".join(call)], cwd=workflow.folder, env=env, text=True, timeout=600,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        return done.returncode, done.stdout

    return run


def test_slurm_makes_what_direct_calls_make(
    on_slurm: Callable[..., tuple[int, str]], make: Callable[..., Workflow], omtask: Program
) -> None:
    workflow = make(*IMAGES)
    before = workflow.folder.with_name("before")
    shutil.copytree(workflow.images, before)
    code, said = on_slurm(workflow)
    assert code == 0, said
    assert said.count("has been submitted with SLURM jobid") == 15
    assert "2 ranks x 1 thread" in (workflow.folder / "results/big.zarr/threshold.log").read_text()
    tasks = CONFIG["tasks"] | {"median": {"radius": 1}}
    assert files(workflow.images) == directly(omtask, before, tasks, *IMAGES)
    assert NOTHING in on_slurm(workflow)[1]


def test_slurm_ends_a_job_and_it_goes_on(
    on_slurm: Callable[..., tuple[int, str]], make: Callable[..., Workflow], omtask: Program,
    fault_library: Path,
) -> None:
    """The time of a job of two ranks is over once; a damaged image fails meanwhile."""
    workflow = make()
    names = ["series.zarr", "bad one.zarr"]
    tasks = {"threshold": {"label_name": "nuclei"}}
    workflow.configure(images=names, large=names[:1], tasks=tasks, minutes=1, memory_mb=500)
    for name in names:
        samples.write_series(workflow.images / name)
    right = workflow.folder / "series.zarr"
    shutil.copytree(workflow.images / "series.zarr", right)
    omtask.run("threshold", right, parameters=tasks["threshold"])
    chunk = workflow.images / "bad one.zarr/0/c/7/0/0"
    chunk.write_bytes(chunk.read_bytes()[:20])
    before = files(workflow.images / "bad one.zarr")
    slow = faults.delayed(fault_library, workflow.images / "series.zarr/0/c", 3.5)
    code, said = on_slurm(workflow, "--keep-going", **slow)
    assert code == 1
    assert re.search("omtask: error.*0/c/7/0/0", said), said
    left = {n: w for n, w in files(workflow.images / "bad one.zarr").items() if ".omtask" not in n}
    assert left == before
    log = (workflow.folder / "results/series.zarr/threshold.log").read_text()
    assert "going on" in log and "2 ranks x 1 thread" in log, said + log
    assert files(workflow.images / "series.zarr") == files(right)
