"""The shared arrays and images: every type, codec, filter and layout decodes to the same voxels."""

import csv
import hashlib
import json
import subprocess
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from omtask_testing import archives
from omtask_testing.places import shared
from omtask_testing.program import Program

DIGEST = "sha256_c_order_little_endian"
# Which exit code a broken array of the table has; all others are damaged.
UNSUPPORTED = ("unknown_codec", "unknown_key", "bad_dtype", "v2_unknown_compressor")


def rows(path: Path) -> list[dict[str, str]]:
    with path.open() as file:
        return list(csv.DictReader(file, delimiter="\t"))


def digest(omtask: Program, array: Path) -> tuple[int, str, str]:
    """Exit code, digest of the voxels, and messages of `omtask cat`."""
    done = subprocess.run([omtask.path, "cat", array], capture_output=True)
    return done.returncode, hashlib.sha256(done.stdout).hexdigest(), done.stderr.decode()


Row = dict[str, str]


def in_parallel(check: Callable[[Row], str | None], table: list[Row]) -> list[str]:
    """What is wrong with the rows of a table."""
    with ThreadPoolExecutor(2) as pool:
        return [problem for problem in pool.map(check, table) if problem]


def test_arrays_of_every_kind(omtask: Program, tmp_path: Path) -> None:
    fixtures = archives.fixtures_module()
    out = fixtures.Out(tmp_path)
    fixtures.cases(out)
    out.finish()
    table = rows(tmp_path / "expected.tsv")
    assert len(table) >= 99

    def check(row: dict[str, str]) -> str | None:
        code, found, said = digest(omtask, tmp_path / row["path"])
        name = row["path"].split("/")[-1]
        if row["expect"] == "error":
            wanted = 76 if name in UNSUPPORTED else 65
            return None if code == wanted and "error[" in said else f"{row['path']}: {code} {said}"
        # What may be refused is right when it is read.
        refused = row["expect"] == "optional" and code == 76
        return None if refused or code == 0 and found == row[DIGEST] else f"{row['path']}: {code} {said}"

    assert not in_parallel(check, table)


def test_arrays_of_other_implementations(omtask: Program) -> None:
    folder = shared("conformance")
    if folder is None:
        pytest.skip("../shared/conformance is absent")
    for row in rows(folder / "arrays.tsv"):
        code, found, said = digest(omtask, folder / row["path"])
        assert code == 0 and found == row[DIGEST], said


def test_images_of_other_programs(omtask: Program, tmp_path: Path) -> None:
    """0.1 to 0.5 by hand, ome-zarr and ngff-zarr: axes, sizes of voxels, and the voxels of every level."""
    pytest.importorskip("ngff_zarr")
    archives.fixtures_module().ome_cases(tmp_path)
    table = rows(tmp_path / "expected_ome.tsv")
    assert len(table) >= 72

    def check(row: dict[str, str]) -> str | None:
        image, level = tmp_path / row["path"], int(row["level"])
        told = json.loads(omtask("info", image, "--json").stdout)
        seen = told["levels"][level]
        facts = [told["version"], ",".join(axis["axis"] for axis in told["axes"]), seen["shape"],
                 seen["data_type"]]
        wanted = [row["version"], row["axes"], json.loads(row["shape"]), row["dtype"]]
        for key in ("scale", "translation"):
            if row[key] != "null":
                facts.append(seen.get(key))
                wanted.append(json.loads(row[key]))
        if facts != wanted:
            return f"{row['path']}: {facts}, expected {wanted}"
        code, found, said = digest(omtask, image / row["level_path"])
        return None if code == 0 and found == row[DIGEST] else f"{row['path']}: {code} {said}"

    assert not in_parallel(check, table)
