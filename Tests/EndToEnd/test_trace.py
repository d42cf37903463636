"""No two ranks open the same file for writing: seen from outside, by a trace of system calls."""

from itertools import combinations
from pathlib import Path

import numpy as np
import pytest

from omtask_testing import opens, samples
from omtask_testing.program import Program, mpirun
from omtask_testing.trees import tree

RANKS = 4


def written_by_rank(
    omtask: Program, image: Path, folder: Path, *words: str
) -> list[set[str]]:
    folder.mkdir()
    launcher = mpirun(RANKS) + opens.traced(folder)
    omtask("run", "threshold", image, *words, launcher=launcher)
    return [opens.written(folder / str(rank), image.parent) for rank in range(RANKS)]


@pytest.mark.parametrize("words", [["--method", "otsu"], ["--threshold", "800", "--objects", "false"]])
@pytest.mark.parametrize("layout", samples.BOTH, ids=lambda layout: layout.version)
def test_no_two_ranks_write_the_same_file(
    layout: samples.Layout, words: list[str], omtask: Program, tmp_path: Path,
    rng: np.random.Generator,
) -> None:
    image = tmp_path / "image.zarr"
    samples.write_blobs(image, layout, rng, shape=(40, 90, 100), levels=3)
    before = set(tree(image))
    ranks = written_by_rank(omtask, image, tmp_path / "trace", *words)
    for (a, first), (b, second) in combinations(enumerate(ranks), 2):
        assert not first & second, f"ranks {a} and {b} both write {sorted(first & second)}"
    assert sum(bool(files) for files in ranks) >= 2, "the work was not shared at all"
    assert made_files(image, before) <= {Path(path).name for files in ranks for path in files}


def made_files(image: Path, before: set[str]) -> set[str]:
    """Names of all new files: each must have been seen in the trace of some rank."""
    return {Path(name).name for name in set(tree(image)) - before if not name.endswith("/")}
