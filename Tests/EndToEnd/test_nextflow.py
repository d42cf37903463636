"""The files for Nextflow, evaluated by Groovy in the place of the engine; every example of docs/nextflow.md."""

import json
import re
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import zarr

from omtask_testing import faults, nextflow, samples
from omtask_testing.cluster import Cluster
from omtask_testing.nextflow import CONFIG, FOLDER, MODULE, Answer, answers
from omtask_testing.places import REPOSITORY
from omtask_testing.program import MPI_ENVIRONMENT, Program, environment
from omtask_testing.reading import listed_labels, read_multiscale
from omtask_testing.trees import leftovers, tree

NEW = FOLDER / "modules/omtask/new/main.nf"
PAGE = REPOSITORY / "docs/nextflow.md"
FILES = sorted(path for path in FOLDER.rglob("*") if path.suffix in (".nf", ".config", ".test"))
# A name in which a shell, JSON, Groovy and a file system each find something.
ODD = """it's $HOME "ü" %s `x`"""
# The first start is killed in the middle, as a machine without memory does it.
KILLED = """if [ "$1" = run ] && [ ! -e {mark} ]; then touch {mark}; export {settings}; fi
exec {omtask} "$@\""""
STOPPED = 'if [ "$1" = run ] && [ ! -e {mark} ]; then touch {mark}; exit 75; fi\nexec {omtask} "$@"'
REMOVED = '[ "$1" != run ] || rm -rf {label}\nexec {omtask} "$@"'


def blocks(language: str) -> list[str]:
    return re.findall(rf"(?ms)^```{language}\n(.*?)^```", PAGE.read_text())


class Bench:
    """Images and jobs of all tests, which one process does together."""

    def __init__(self, folder: Path, omtask: Program) -> None:
        self.folder, self.omtask = folder, omtask
        self.jobs: dict[str, Answer] = {}
        self.path = nextflow.program_folder(folder / "bin", omtask.path)
        self.original = folder / "original.zarr"
        samples.write_series(self.original, 24)

    def image(self, name: str) -> Path:
        return Path(shutil.copytree(self.original, self.folder / "images" / name))

    def program(self, name: str, text: str, **words: object) -> str:
        for word, value in words.items():
            text = text.replace(f"{{{word}}}", str(value))
        return nextflow.program_folder(self.folder / f"bin-{name}", self.omtask.path, text)

    def add(self, name: str, job: Answer, **more: object) -> None:
        place = {"folder": str(self.folder / "launch" / name), "path": self.path}
        self.jobs[name] = place | job | more
        Path(self.jobs[name]["folder"]).mkdir(parents=True, exist_ok=True)
        self.jobs[name].setdefault("params", {}).setdefault("outdir", self.jobs[name]["folder"] + "/results")

    def process(self, name: str, images: list, task: str = "threshold", parameters: dict | None = None, **more: object) -> None:
        """A call of OMTASK_RUN with tuples of an id and an image, or a list of images."""
        tuples = [[{"id": id}, [*map(str, url)] if isinstance(url, list) else str(url)] for id, url in images]
        words = {"label_name": "nuclei"} if parameters is None else parameters
        job = {"kind": "run", "file": str(MODULE), "process": "OMTASK_RUN", "config": str(CONFIG)}
        self.add(name, job, inputs=[tuples, task, words], **more)


@pytest.fixture(scope="module")
def bench(omtask: Program, tmp_path_factory: pytest.TempPathFactory) -> Bench:
    nextflow.groovy()
    bench = Bench(tmp_path_factory.mktemp("nextflow"), omtask)
    broken = MODULE.read_text()
    for file in FILES:
        bench.add(f"parse {file}", {"kind": "parse", "file": str(file)})
    for name, old in (("parenthesis", "val(zarr_url)\n"), ("brace", "    stub:\n"), ("quote", 'def args = task.ext.args ?: \'\'')):
        text = broken.replace(old, {"parenthesis": "val(zarr_url\n", "brace": "    }\n    stub:\n", "quote": "def args = '"}[name], 1)
        bench.add(f"broken {name}", {"kind": "parse", "file": "main.nf", "text": text})

    odd = bench.image(f"{ODD} \\n.zarr")
    bench.process("odd", [[f"a/{ODD}", odd]], parameters={"label_name": ODD, "channel": None, "method": "li"})
    bench.process("several", [[name, bench.image(f"{name}.zarr")] for name in ("one", "two", "three")])
    together = [bench.image(f"{name}.zarr") for name in ("first", "second")]
    bench.process("together", [["both", together]])
    bench.process("again", [["both", together]])
    gone = bench.program("removed", REMOVED, label=together[0] / "labels/nuclei")
    bench.process("removed", [["both", together]], path=gone)
    bench.process("stub", [[f"a/{ODD}", odd]], stub=True)

    new = {"kind": "run", "file": str(NEW), "process": "OMTASK_NEW", "config": str(CONFIG)}
    for name in ("new", "new stub"):
        inputs = [[[{"id": f"a/{ODD}"}, str(odd)]], "threshold", {"method": "li"}]
        bench.add(name, new, inputs=inputs, stub=name == "new stub")

    good, damaged = bench.image("good.zarr"), bench.image("damaged.zarr")
    (damaged / "0/c/3/0/0").write_bytes(b"no chunk")
    bench.process("damaged", [["both", [damaged, good]]])
    bench.process("task", [["x", good]], "treshold")
    bench.process("parameter", [["x", good]], parameters={"methd": "otsu"})
    bench.process("relative", [["x", "images/good.zarr"]])
    bench.process("missing", [["x", good]], path="/usr/bin:/bin")
    bench.process("flags", [["x", good]], parameters={"label_name": "flags"}, more=[str(config(
        bench, "flags", "ext.args = '--durability none --report report.json'; ext.prefix = { \"of-${meta.id}\" }"))])

    killed = bench.image("killed.zarr")
    fault = faults.injected(killed, "rename", "kill", nth=12)
    settings = " ".join(f"{key}='{value}'" for key, value in fault.items())
    bench.process("killed", [["x", killed]], path=bench.program(
        "killed", KILLED, mark=bench.folder / "killed", settings=settings))
    stopped = bench.program("stopped", STOPPED, mark=bench.folder / "stopped")
    bench.process("stopped", [["x", bench.image("stopped.zarr")]], path=stopped)
    always = bench.program("always", "[ $1 != run ] || exit 74")
    bench.process("always", [["x", good]], path=always)

    example = {"kind": "run", "file": str(FOLDER / "main.nf"), "config": str(CONFIG)}
    bench.add("no input", example)
    bench.add("no image", example, params={"input": str(bench.folder / "none/*.zarr")})
    bench.add("no label", example, params={"input": str(good), "threshold": {"method": "otsu"}})
    for name, file in (("run", MODULE), ("new", NEW), ("subworkflow", FOLDER / "subworkflows/omtask/threshold_measure/main.nf")):
        tests = file.parent / "tests"
        output = bench.folder / "launch" / f"nf-test {name}" / "output"
        output.mkdir(parents=True)
        bench.add(f"nf-test {name}", {"kind": "test", "file": str(tests / "main.nf.test"), "config": str(CONFIG)}, variables={
            "moduleTestDir": str(tests), "outputDir": str(output)})
    for profiles in ("standard", "slurm", "slurm,array", "slurm,apptainer", "docker"):
        bench.add(f"settings {profiles}", {
            "kind": "settings", "config": str(CONFIG), "process": "A:OMTASK_MEASURE", "attempts": [1, 2],
            "profiles": profiles.split(","), "params": {"ranks": 4, "mount": "/my data"}})
    page(bench)
    return bench


def config(bench: Bench, name: str, text: str) -> Path:
    file = bench.folder / f"{name}.config"
    file.write_text(f"process {{ withName: '.*OMTASK_.*' {{ {text} }} }}\n")
    return file


def page(bench: Bench) -> None:
    """The commands and the pipeline of the page, each in a folder of its own with the images that it names."""
    commands = "".join(blocks("bash")).splitlines()
    assert len(commands) == 4 and all(command.startswith("nextflow run omtask/integrations/nextflow ") for command in commands)
    for number, command in enumerate(commands[:2]):
        folder = page_folder(bench, f"page {number}")
        bench.add(f"page {number}", nextflow.command_job(command.replace("/data", f"{folder}/data"), folder))
    for name, block in (("page own", blocks("groovy")[0]), ("page new", blocks("groovy")[1])):
        folder = page_folder(bench, name)
        shutil.copytree(FOLDER / "modules", folder / "modules")
        (folder / "main.nf").write_text(block.replace("/data", f"{folder}/data"))
        bench.add(name, {"kind": "run", "file": str(folder / "main.nf"), "config": str(CONFIG)})


def page_folder(bench: Bench, name: str) -> Path:
    folder = bench.folder / "launch" / name
    for image in ("a", "b"):
        shutil.copytree(bench.original, folder / f"data/{image}.zarr")
    (folder / "images.csv").write_text(blocks("csv")[0].replace("/data", f"{folder}/data"))
    (folder / "params.json").write_text(blocks("json")[0])
    # The nodes of the tests are small.
    ours = re.sub("cpus = 16", "cpus = 1", blocks("groovy")[2]).replace("32.GB", "400.MB")
    (folder / "ours.config").write_text(ours)
    return folder


@pytest.fixture(scope="module")
def done(bench: Bench) -> dict[str, Answer]:
    def start(command: list[str]) -> tuple[int, str]:
        ended = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=environment())
        return ended.returncode, ended.stdout

    return answers(bench.jobs, bench.folder, start)


@pytest.fixture(scope="module")
def right(bench: Bench, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The files of the label image that the command makes."""
    copy = shutil.copytree(bench.original, tmp_path_factory.mktemp("right") / "image.zarr")
    bench.omtask("run", "threshold", copy, "--label-name", "nuclei")
    return voxels(Path(copy))


def voxels(image: Path, label: str = "nuclei") -> dict[str, str]:
    """The files of a label image but for its own record, which says where the image lies."""
    return {name: digest for name, digest in tree(image / "labels" / label).items() if name != "zarr.json"}


# The files


@pytest.mark.parametrize("file", FILES, ids=lambda path: str(path.relative_to(FOLDER)))
def test_every_file_is_parsed(file: Path, done: dict[str, Answer]) -> None:
    assert done[f"parse {file}"]["errors"] == []


def test_the_process_has_the_sections_of_a_module(done: dict[str, Answer]) -> None:
    (process,) = done[f"parse {MODULE}"]["definitions"]
    assert process == {
        "kind": "process", "name": "OMTASK_RUN", "sections": ["", "input", "output", "when", "script", "stub"]}


@pytest.mark.parametrize(("name", "place"), [("parenthesis", (18, 30)), ("brace", None), ("quote", None)])
def test_mistakes_are_found_with_line_and_column(name: str, place: tuple[int, int] | None, done: dict[str, Answer]) -> None:
    error = done[f"broken {name}"]["errors"][0]
    assert error["line"] > 1 and error["column"] > 0 and error["text"], error
    if place:
        line = MODULE.read_text().splitlines().index("    tuple val(meta), val(zarr_url)") + 1
        assert line <= error["line"] <= line + 1, error


@pytest.mark.parametrize(
    ("module", "channels"), [(MODULE, ["result", "events"]), (NEW, ["image", "events"])], ids=["run", "new"])
def test_metadata_names_every_channel(module: Path, channels: list[str], omtask: Program) -> None:
    text, code = (module.parent / "meta.yml").read_text(), module.read_text()
    outputs = re.findall(r"emit: (\w+)", code)
    assert outputs == [*channels, "versions_omtask"]
    assert re.findall(r"(?m)^  (\w+):$", text[text.index("\noutput:"):text.index("\ntopics:")]) == outputs
    for names in re.findall(r"(?:val|path)\((\w+)|val (\w+)\n", code[code.index("input:"):code.index("output:")]):
        assert re.search(rf"(?m)^ +(- )*{''.join(names)}:$", text), names
    dependencies = re.findall(r"(?m)^  - (\S+::\S+)$", (module.parent / "environment.yml").read_text())
    assert len(dependencies) == 1 and dependencies[0].count("=") == 1
    version = omtask("--version").stdout.strip()
    assert f"container 'omtask:{version}'" in code and f"omtask:{version} " in PAGE.read_text()


# The process


def test_odd_names_reach_the_task_unchanged(bench: Bench, done: dict[str, Answer]) -> None:
    answer = done["odd"]
    assert "error" not in answer, answer
    image = bench.folder / "images" / f"{ODD} \\n.zarr"
    assert listed_labels(image) == [ODD]
    ((meta, url, result),) = answer["out"]["result"]
    assert (meta, url) == ({"id": f"a/{ODD}"}, str(image))
    assert json.loads(Path(result).read_text()) == {"image_list_updates": [{"zarr_url": str(image)}]}
    ((_, events),) = answer["out"]["events"]
    last = json.loads(Path(events).read_text().splitlines()[-1])
    assert (last["event"], last["exit_code"]) == ("end", 0)
    version = bench.omtask("--version").stdout.strip()
    assert answer["out"]["versions_omtask"] == [["OMTASK_RUN", "omtask", version]]
    assert answer["runs"][0]["directives"]["cache"] == [False]
    assert leftovers(image) == []


def test_several_images_are_several_tasks(bench: Bench, done: dict[str, Answer], right: dict[str, str]) -> None:
    answer = done["several"]
    assert [meta["id"] for meta, _, _ in answer["out"]["result"]] == ["one", "two", "three"]
    assert len(answer["runs"]) == 3
    for _, url, _ in answer["out"]["result"]:
        assert voxels(Path(url)) == right


def test_a_list_of_images_is_one_task(done: dict[str, Answer], right: dict[str, str]) -> None:
    ((_, urls, result),) = done["together"]["out"]["result"]
    assert len(done["together"]["runs"]) == 1
    assert [voxels(Path(url)) for url in urls] == [right, right]
    assert [update["zarr_url"] for update in json.loads(Path(result).read_text())["image_list_updates"]] == urls


def test_a_second_run_has_nothing_to_do_but_finds_what_was_removed(done: dict[str, Answer], right: dict[str, str]) -> None:
    (again,) = done["again"]["runs"]
    assert "0 images done, 2 skipped, 0 failed" in again["stderr"]
    assert len(done["again"]["out"]["result"]) == 1
    (removed,) = done["removed"]["runs"]
    assert "1 image done, 1 skipped, 0 failed" in removed["stderr"], removed
    assert voxels(Path(done["removed"]["out"]["result"][0][1][0])) == right


def test_the_stub_makes_all_outputs(done: dict[str, Answer]) -> None:
    ((_, _, result),) = done["stub"]["out"]["result"]
    assert json.loads(Path(result).read_text()) == {"image_list_updates": []}
    assert len(done["stub"]["out"]["events"]) == 1


def test_flags_and_names_of_files_come_from_the_configuration(done: dict[str, Answer]) -> None:
    (run,) = done["flags"]["runs"]
    assert Path(done["flags"]["out"]["result"][0][2]).name == "of-x.result.json"
    report = json.loads((Path(run["folder"]) / "report.json").read_text())
    assert report["exit_code"] == 0
    # Two threads, and four fifths of 4 GiB.
    assert "--threads 2 --memory 3276M" in (Path(run["folder"]) / ".command.sh").read_text()


# What goes wrong


@pytest.mark.parametrize(
    ("name", "code", "last"),
    [
        ("task", 64, "no task named `treshold`"),
        ("parameter", 64, "methd"),
        ("damaged", 65, "damaged.zarr"),
        ("missing", 127, "omtask: command not found"),
    ],
)
def test_what_comes_again_is_not_tried_again(name: str, code: int, last: str, done: dict[str, Answer]) -> None:
    (run,) = done[name]["runs"]
    assert (run["code"], run["strategy"]) == (code, "finish"), run
    assert last in run["stderr"].splitlines()[-1]
    assert f"exit status ({code})" in done[name]["error"]
    assert not list(Path(run["folder"]).glob("*.result.json"))


def test_a_failing_image_leaves_the_others_done(bench: Bench, done: dict[str, Answer], right: dict[str, str]) -> None:
    assert listed_labels(bench.folder / "images/damaged.zarr") == []
    assert voxels(bench.folder / "images/good.zarr") == right


def test_relative_paths_are_refused_before_anything_starts(done: dict[str, Answer]) -> None:
    assert done["relative"]["runs"] == []
    assert "`images/good.zarr` is neither an absolute path nor a URL" in done["relative"]["error"]


@pytest.mark.parametrize(("name", "code"), [("killed", 137), ("stopped", 75)])
def test_the_next_attempt_goes_on(name: str, code: int, done: dict[str, Answer], right: dict[str, str]) -> None:
    first, second = done[name]["runs"]
    assert (first["code"], first["strategy"], second["code"]) == (code, "retry", 0), first
    assert (first["task"]["memory"], second["task"]["memory"]) == ("4096 MB", "8192 MB")
    ((_, url, _),) = done[name]["out"]["result"]
    assert voxels(Path(url)) == right
    assert leftovers(Path(url)) == []
    assert ("going on" in second["stderr"]) == (name == "killed"), second["stderr"]


def test_a_task_is_not_tried_for_ever(done: dict[str, Answer]) -> None:
    assert [run["code"] for run in done["always"]["runs"]] == [74] * 4
    assert "exit status (74)" in done["always"]["error"]


@pytest.mark.parametrize(
    ("name", "text"),
    [("no input", "--input is missing"), ("no image", "No such file"), ("no label", "no `label_name`")],
)
def test_the_example_says_what_is_missing(name: str, text: str, done: dict[str, Answer]) -> None:
    assert text in done[name]["error"]
    assert done[name]["runs"] == []


# Settings


def test_profiles_give_tasks_what_they_ask_for(done: dict[str, Answer]) -> None:
    def of(profiles: str) -> tuple[dict, dict]:
        return tuple(done[f"settings {profiles}"]["tasks"])

    first, second = of("standard")
    assert (first["executor"], first["launcher"], first["container"]) == ("local", "", None)
    assert (first["cpus"], first["memory"], second["memory"]) == (2, "4096 MB", "8192 MB")
    first, second = of("slurm")
    assert (first["executor"], first["clusterOptions"]) == ("slurm", "--ntasks=4")
    assert first["launcher"] == "srun --mpi=pmix --kill-on-bad-exit=1 --cpus-per-task=8"
    assert (first["memory"], second["memory"], second["time"]) == ("16384 MB", "32768 MB", "8.0h")
    assert (first["array"], of("slurm,array")[0]["array"]) == (None, 100)
    assert of("slurm,apptainer")[0]["container"].endswith("/omtask.sif")
    apptainer = done["settings slurm,apptainer"]["containers"]["apptainer"]
    assert apptainer == {"enabled": True, "autoMounts": True, "runOptions": "--bind '/my data'"}
    docker = done["settings docker"]["containers"]["docker"]["runOptions"]
    assert docker == "--entrypoint \"\" -u $(id -u):$(id -g) -v '/my data:/my data'"


def test_only_what_may_go_away_is_tried_again(done: dict[str, Answer]) -> None:
    for profiles in ("standard", "slurm"):
        strategies = done[f"settings {profiles}"]["strategies"]
        assert len(strategies) == 256
        assert [int(code) for code, what in strategies.items() if what == "retry"] == [69, 74, 75, 137, 143]
        assert {what for what in strategies.values()} == {"retry", "finish"}


@pytest.mark.parametrize(("name", "count"), [("run", 3), ("new", 3), ("subworkflow", 1)])
def test_the_tests_of_nf_test_pass(name: str, count: int, done: dict[str, Answer]) -> None:
    assert len(done[f"nf-test {name}"]["done"]) == count


# The page


def test_the_first_command_of_the_page(bench: Bench, done: dict[str, Answer], right: dict[str, str]) -> None:
    folder = bench.folder / "launch/page 0"
    assert "error" not in done["page 0"], done["page 0"]
    for name in ("a", "b"):
        assert voxels(folder / f"data/{name}.zarr") == right
        rows = zarr.open_array(folder / f"data/{name}.zarr/tables/nuclei_features/X", mode="r").shape[0]
        labels = zarr.open_array(folder / f"data/{name}.zarr/labels/nuclei/0", mode="r")[...]
        assert rows == len(np.unique(labels)) - 1 > 0
    found = {str(path.relative_to(folder / "results")) for path in (folder / "results").rglob("*") if path.is_file()}
    steps = [f"omtask_{step}/{name}.{kind}" for step in ("threshold", "measure") for name in "ab"
             for kind in ("result.json", "events.jsonl")]
    assert found == {"versions.yml", *steps}
    version = bench.omtask("--version").stdout.strip()
    assert (folder / "results/versions.yml").read_text() == "".join(
        f"OMTASK_THRESHOLD_MEASURE:OMTASK_{step}:\n    omtask: {version}\n" for step in ("MEASURE", "THRESHOLD"))


def test_the_second_command_of_the_page(bench: Bench, done: dict[str, Answer]) -> None:
    folder = bench.folder / "launch/page 1"
    assert "error" not in done["page 1"], done["page 1"]
    assert [run["directives"]["tag"] for run in done["page 1"]["runs"]] == [["first"], ["second"]] * 2
    for name in ("a", "b"):
        assert listed_labels(folder / f"data/{name}.zarr") == ["cells"]
        assert (folder / f"data/{name}.zarr/tables/cells_features").exists()


def test_the_pipeline_of_the_page(bench: Bench, done: dict[str, Answer]) -> None:
    folder = bench.folder / "launch/page own"
    assert "error" not in done["page own"], done["page own"]
    for name in ("a", "b"):
        assert listed_labels(folder / f"data/{name}.zarr") == []
        assert listed_labels(folder / f"data/{name}_gaussian.zarr") == ["nuclei"]


def test_steps_that_change_nothing(bench: Bench, done: dict[str, Answer]) -> None:
    folder, answer = bench.folder / "launch/page new", done["page new"]
    assert "error" not in answer, answer
    for name in ("a", "b"):
        assert tree(folder / f"data/{name}.zarr") == tree(bench.original)
    steps = [Path(run["folder"]) for run in answer["runs"]]
    assert ["cache" in run["directives"] for run in answer["runs"]] == [False] * 4
    for blurred, labels in zip(steps[:2], steps[2:], strict=True):
        (made,), (found,) = blurred.glob("*.zarr"), labels.glob("*.zarr")
        assert read_multiscale(made).levels[0].dtype == np.uint16
        assert read_multiscale(found).levels[0].max() > 1
        assert made.name == found.name and (labels / "input" / made.name).resolve() == made
    # Large results are not published beside the small ones.
    assert {path.suffix for path in (folder / "results").rglob("*") if path.is_file()} == {".jsonl"}


def test_a_new_image_takes_odd_names(done: dict[str, Answer]) -> None:
    answer = done["new"]
    assert "error" not in answer, answer
    ((meta, image),) = answer["out"]["image"]
    assert Path(image).name == f"a_{ODD}.zarr" and meta == {"id": f"a/{ODD}"}
    assert read_multiscale(Path(image)).levels[0].max() > 0
    (stubbed,) = done["new stub"]["runs"]
    assert (Path(stubbed["folder"]) / f"a_{ODD}.zarr").is_dir()


def test_the_commands_for_slurm_on_a_real_cluster(
    request: pytest.FixtureRequest, bench: Bench, right: dict[str, str], tmp_path: Path
) -> None:
    if not request.config.getoption("--acceptance"):
        pytest.skip("tasks of Nextflow are sent to Slurm for --acceptance")
    cluster: Cluster = request.getfixturevalue("cluster")
    commands = "".join(blocks("bash")).splitlines()[2:]
    jobs = {}
    for number, command in enumerate(commands):
        folder = page_folder(bench, f"slurm {number}")
        # The partition of the page is that of the test cluster.
        job = nextflow.command_job(command.replace("/data", f"{folder}/data"), folder)
        jobs[command] = job | {"path": bench.path}
    done = answers(jobs, tmp_path, lambda command: cluster.run(*command, extra=MPI_ENVIRONMENT))
    for command in jobs:
        answer = done[command]
        assert "error" not in answer, answer
        assert {run["task"]["executor"] for run in answer["runs"]} == {"slurm"}
        ranks = "2 ranks" in "".join(run["stderr"] for run in answer["runs"])
        assert ranks == ("--ranks 2" in command), answer
    assert voxels(bench.folder / "launch/slurm 0/data/a.zarr") == right
    assert listed_labels(bench.folder / "launch/slurm 1/data/b.zarr") == ["cells"]
