"""Parts and images done by xargs and GNU parallel: every command of docs/many-processes.md."""

import os
import re
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest

from omtask_testing import samples
from omtask_testing.places import REPOSITORY
from omtask_testing.program import Program, environment
from omtask_testing.trees import leftovers, tree

BLOCKS = re.findall(r"(?ms)^```bash\n(.*?)^```", (REPOSITORY / "docs/many-processes.md").read_text())
LABELS = ("one", "two", "three", "four")


def shell(text: str, folder: Path, omtask: Program, expect: int = 0) -> str:
    env = environment({"PATH": f"{omtask.path.parent}:{os.environ['PATH']}"})
    done = subprocess.run(
        ["bash", "-c", f"set -euo pipefail\n{text}"], cwd=folder, env=env,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    assert done.returncode == expect, done.stdout
    return done.stdout


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    samples.write_series(tmp_path / "big.zarr", 20)
    (tmp_path / "images").mkdir()
    for name in ("a", "b c"):
        samples.write_blobs(tmp_path / f"images/{name}.zarr", samples.V2, np.random.default_rng(4), shape=(6, 24, 24))
    return tmp_path


def test_the_page_has_the_blocks_that_are_tested() -> None:
    assert len(BLOCKS) == len(LABELS)


@pytest.mark.parametrize("number", range(len(LABELS)), ids=LABELS)
def test_a_command_of_the_page(number: int, folder: Path, omtask: Program) -> None:
    if "parallel -j" in BLOCKS[number] and shutil.which("parallel") is None:
        pytest.skip("no GNU parallel")
    inputs = [*folder.glob("images/*.zarr")] if LABELS[number] == "three" else [folder / "big.zarr"]
    copies = [shutil.copytree(path, folder / "copies" / path.name) for path in inputs]
    said = shell(BLOCKS[number], folder, omtask)
    for path, copy in zip(inputs, copies, strict=True):
        omtask("run", "threshold", copy, *(() if "images" in str(path) else ("--method", "otsu")),
               "--label-name", LABELS[number])
        assert tree(path) == tree(copy)
        assert leftovers(path) == []
    if LABELS[number] == "four":
        assert "missing: part 1/3, 2/3" in said and "ended with 66" in said


# One part fails as long as nobody repaired it.
FAILING = """#!/bin/bash
case " $* " in *" --part 2/4 "*) [ -e repaired ] || exit 74 ;; esac
exec "{omtask}" "$@"
"""


def test_a_part_that_fails_leaves_the_others_alone(folder: Path, omtask: Program) -> None:
    image = (folder / "big.zarr").rename(folder / "a b.zarr")
    copy = shutil.copytree(image, folder / "copy.zarr")
    failing = folder / "failing"
    failing.write_text(FAILING.format(omtask=omtask.path))
    failing.chmod(0o755)
    words = 'threshold "a b.zarr" --threshold 600 --label-name made'
    parts = f"seq 0 3 | xargs -P 2 -I {{}} ./failing run {words} --part {{}}/4 --threads 1 --memory 1G"
    shell(parts, folder, omtask, expect=123)
    said = shell(f"omtask finalize {words}", folder, omtask, expect=66)
    assert re.findall(r"missing: part (.*)", said) == ["2/4"], said
    assert not (image / "labels").exists()
    (folder / "repaired").touch()
    shell(parts, folder, omtask)
    shell(f"omtask finalize {words}", folder, omtask)
    omtask("run", "threshold", copy, "--threshold", "600", "--label-name", "made")
    assert tree(image) == tree(copy)
    assert leftovers(image) == []
