"""Every broken input gets a clear answer: no crash, no hang, no silence, little time and memory."""

import csv
import subprocess
import sys
from pathlib import Path

import pytest

from omtask_testing.bad_inputs import bad_inputs
from omtask_testing.places import shared
from omtask_testing.program import Program
from omtask_testing.refusals import Case, failures, kinds

def shared_cases(folder: Path) -> list[Case]:
    """The cases of the shared generator with what its table expects."""
    maker = shared("faults/make_bad_inputs.py")
    if maker is None:
        pytest.skip("../shared/faults is absent")
    subprocess.run([sys.executable, str(maker), str(folder)], check=True, capture_output=True)
    rows = csv.DictReader(
        (folder / "expected.tsv").open(), delimiter="\t", quoting=csv.QUOTE_NONE
    )
    cases = []
    for row in rows:
        is_zip = row["scope"] == "zip"
        place = folder / row["case"] / ("image.zarr.zip" if is_zip else "image.zarr")
        expected = row["expected"].removeprefix("error:")
        if row["case"] in ("chunk_is_dir", "chunk_is_fifo"):
            expected = "codec"  # decisions.md, which comes before the table: 65
        name = row["must_name"]
        digest = "" if row["level0_sha256"] == "-" else row["level0_sha256"]
        # `info` reads no voxels: damaged chunks do not concern it, whether in a folder or an archive.
        instead = ()
        if row["category"] == "chunk" and expected != "ok" or row["case"] == "zip_entry_crc":
            instead = (("info", frozenset({"ok", expected})),)
        goes_on = row["scope"] == "plate"
        cases.append(Case(row["case"], place, kinds(expected), name, digest, instead, goes_on))
    return cases


def test_the_shared_bad_inputs_are_answered_as_their_table_says(
    omtask: Program, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    cases = shared_cases(tmp_path)
    wrong, figures = failures(omtask, cases)
    with capsys.disabled():
        print(f"\n{len(cases)} bad inputs: {figures}")
    assert not wrong, "\n".join(wrong)


def test_our_own_bad_inputs_are_answered(
    omtask: Program, tmp_path: Path, request: pytest.FixtureRequest,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Ranks take half a second each, so only the full figures try them on every case."""
    cases = list(bad_inputs(tmp_path))
    wrong, figures = failures(omtask, cases, ranks=request.config.getoption("--acceptance"))
    with capsys.disabled():
        print(f"\n{len(cases)} bad inputs of our own: {figures}")
    assert len({case.name for case in cases}) == len(cases) > 250
    assert not wrong, "\n".join(wrong)
