"""The tools for the Common Workflow Language, run by cwltool; every command of docs/cwl.md."""

import json
import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from omtask_testing import engines, samples
from omtask_testing.nextflow import program_folder
from omtask_testing.places import REPOSITORY
from omtask_testing.program import Program, environment
from omtask_testing.reading import listed_labels
from omtask_testing.trees import leftovers, tree

FOLDER = REPOSITORY / "integrations/cwl"
PAGE = (REPOSITORY / "docs/cwl.md").read_text()
RUN = FOLDER / "omtask-run.cwl"


@pytest.fixture(scope="module")
def path(omtask: Program, tmp_path_factory: pytest.TempPathFactory) -> str:
    """A `PATH` with cwltool and omtask."""
    own = program_folder(tmp_path_factory.mktemp("path") / "bin", omtask.path)
    return f"{engines.python('cwl').parent}:{own}"


@pytest.fixture
def image(tmp_path: Path) -> Path:
    samples.write_series(tmp_path / "image.zarr", 8)
    return tmp_path / "image.zarr"


def bash(command: str, path: str, folder: Path) -> tuple[int, str, str]:
    done = subprocess.run(
        ["bash", "-ec", command], cwd=folder, capture_output=True, text=True, timeout=60,
        env=environment({"PATH": path}))
    return done.returncode, done.stdout, done.stderr


def job(folder: Path, image: Path, **more: object) -> str:
    """A call of omtask-run.cwl."""
    values = {"image": {"class": "Directory", "path": str(image)}, **more}
    (folder / "job.json").write_text(json.dumps(values))
    return f"cwltool --relax-path-checks --outdir results {RUN} job.json"


def voxels(image: Path, label: str = "nuclei") -> dict[str, str]:
    return {name: digest for name, digest in tree(image / "labels" / label).items() if name != "zarr.json"}


def test_the_step_is_the_tool_with_one_more_output() -> None:
    def rest(name: str) -> str:
        text = re.sub(r"(?ms)^doc: \|\n.*?\n\n", "", (FOLDER / name).read_text())
        return re.sub(r"(?ms)^  changed:\n.*?(?=^  result:)", "", text)

    assert rest("omtask-step.cwl") == rest("omtask-run.cwl")


def test_every_file_is_valid(path: str, tmp_path: Path) -> None:
    # The workflow takes the step with it; the tool is loaded by the tests below.
    file = FOLDER / "threshold-measure.cwl"
    code, told, said = bash(f"cwltool --strict --validate {file}", path, tmp_path)
    assert code == 0 and "is valid CWL" in told and "warning" not in said.lower(), told + said


def test_the_commands_of_the_page(image: Path, path: str, omtask: Program, tmp_path: Path) -> None:
    alone = Path(shutil.copytree(image, tmp_path / "alone.zarr"))
    shutil.copytree(image, tmp_path / "my image.zarr")
    omtask("run", "threshold", alone, "--label-name", "nuclei")
    (tmp_path / "omtask").symlink_to(REPOSITORY)
    (tmp_path / "job.json").write_text(re.findall(r"(?ms)^```json\n(.*?)^```", PAGE)[0])
    blocks = re.findall(r"(?ms)^```bash\n(.*?)^```", PAGE)
    assert len(blocks) == 3
    calls = (("image.zarr", "cells"), ("image.zarr", "nuclei"), ("my image.zarr", "nuclei"))
    for block, (name, label) in zip(blocks, calls, strict=True):
        code, _, said = bash(block, path, tmp_path)
        assert code == 0, said
        assert [file.name for file in (tmp_path / "results").iterdir()] == ["result.json"]
        (update,) = json.loads((tmp_path / "results/result.json").read_text())["image_list_updates"]
        # The image itself, not the link to it in the folder of the job.
        assert update == {"zarr_url": str(tmp_path / name)}
        assert voxels(tmp_path / name, label) == voxels(alone)
        assert leftovers(tmp_path / name) == []
    for name in ("image.zarr", "my image.zarr"):
        assert (tmp_path / name / "tables/nuclei_features").exists()


def test_nothing_is_copied_and_a_second_run_has_nothing_to_do(image: Path, path: str, tmp_path: Path) -> None:
    odd = image.rename(tmp_path / """it's $HOME "ü" .zarr""")
    chunk = next((odd / "0/c").rglob("0"))
    before = os.stat(chunk)
    call = job(tmp_path, odd, task="threshold", parameters={"label_name": """it's $HOME "ü" """.strip()}, threads=2)
    for words in ("done: ", "nothing to do: "):
        code, _, said = bash(call, path, tmp_path)
        assert code == 0 and words in said, said
    after = os.stat(chunk)
    assert (before.st_ino, before.st_mtime_ns) == (after.st_ino, after.st_mtime_ns)
    assert listed_labels(odd) == ["""it's $HOME "ü\""""]


def test_failures_say_why(image: Path, path: str, tmp_path: Path) -> None:
    before = tree(image)
    call = job(tmp_path, image, task="threshold", parameters={"methd": "otsu"})
    code, _, said = bash(call, path, tmp_path)
    assert code == 1
    assert "completed permanentFail" in said and "did you mean `method`" in said.replace("--", ""), said
    assert not (tmp_path / "results/result.json").exists()
    assert tree(image) == before


def test_an_order_to_stop_may_be_tried_again(image: Path, omtask: Program, path: str, tmp_path: Path) -> None:
    stopped = program_folder(tmp_path / "bin", omtask.path, "exit 75")
    code, _, said = bash(
        job(tmp_path, image, task="threshold"), f"{engines.python('cwl').parent}:{stopped}", tmp_path)
    assert code == 1 and "completed temporaryFail" in said, said
