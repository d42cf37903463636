"""Names that users give, links that others plant, and modes of files: nothing is written where it should not be."""

import json
import os
import shutil
import stat
from pathlib import Path

import numpy as np
import pytest

from omtask_testing import samples
from omtask_testing.program import Program
from omtask_testing.refusals import looks
from omtask_testing.trees import leftovers, tree


@pytest.fixture
def image(tmp_path: Path, rng: np.random.Generator) -> Path:
    path = tmp_path / "folder/image.zarr"
    samples.write_blobs(path, samples.SHARDED, rng, levels=1)
    return path


def threshold(omtask: Program, image: Path, *words: str | Path, **how: object) -> object:
    return omtask("run", "threshold", image, "--threshold", "900", *words, **how)


NAMES = {
    "../x": 77, "/x": 77, "a/b": 77, "": 77, "x\n": 77, "x" * 300: 77, ".x": 77, "..": 77,
    ".": 77, "__x": 77, "zarr.json": 77, "Zarr.JSON": 77, "labels": 77, "LABELS": 77, "a\\b": 77,
    "a:b": 77, "\x7f": 77, "\u202ex": 77, ".zattrs": 77, "NUCLEI": 64, " ": 77, "a ": 77, " a": 77,
}


@pytest.mark.parametrize("name", NAMES, ids=lambda name: repr(name[:20]))
def test_a_label_name_stays_in_its_folder(name: str, omtask: Program, image: Path) -> None:
    threshold(omtask, image, "--label-name", "nuclei")
    before = tree(image.parent)
    outcome = threshold(omtask, image, f"--label-name={name}", expect=None)
    assert outcome.code == NAMES[name], outcome
    assert "label name" in outcome.stderr or "label image name" in outcome.stderr
    assert tree(image.parent) == before


@pytest.mark.parametrize("name", ["--", "-", "a b", "ü", "a.b", "x" * 255, "CON"])
def test_odd_label_names_are_taken(name: str, omtask: Program, image: Path) -> None:
    threshold(omtask, image, f"--label-name={name}")
    assert (image / "labels" / name / "zarr.json").exists()
    assert omtask("verify", image, "--json").code == 0


OUTPUTS = {
    "": 64, ".": 77, "..": 77, "out.zarr/..": 77, "absent/out.zarr": 66, "out\n.zarr": 77,
    "x" * 300: 77, "image.zarr/0/x": 77, "gs://bucket/out.zarr": 76, "http://127.0.0.1:9/out.zarr": 77, "zarr.json": 77,
    ".zattrs": 77, "a\\b": 77, "a:b": 77,
}


@pytest.mark.parametrize("name", OUTPUTS, ids=lambda name: repr(name[:20]))
def test_an_output_is_a_new_folder_beside(name: str, omtask: Program, image: Path) -> None:
    before = tree(image.parent)
    place = name if "://" in name or not name else f"{image.parent}/{name}"
    outcome = threshold(omtask, image, f"--output={place}", expect=None)
    assert outcome.code == OUTPUTS[name], outcome
    assert tree(image.parent) == before


# Links


@pytest.fixture
def secret(tmp_path: Path) -> Path:
    """A folder of somebody else that a link may lead to."""
    folder = tmp_path / "secret"
    folder.mkdir()
    (folder / "precious.txt").write_text("untouched")
    return folder




@pytest.mark.parametrize("where", ["labels", "labels/segmented", ".omtask"])
@pytest.mark.parametrize("target", ["secret", "absent", "inside"])
def test_nothing_is_written_through_a_link(
    where: str, target: str, omtask: Program, image: Path, secret: Path
) -> None:
    (image / "inside").mkdir()
    place = image / where
    place.parent.mkdir(exist_ok=True)
    place.symlink_to({"secret": secret, "absent": "/nowhere", "inside": image / "inside"}[target])
    before, apart = looks(image), tree(secret)
    outcome = threshold(omtask, image, expect=None)
    assert outcome.code in (66, 73, 77), outcome
    assert where.split("/")[-1] in outcome.stderr
    assert looks(image) == before and tree(secret) == apart
    assert place.is_symlink()


def test_a_link_in_place_of_the_stage_is_refused(
    omtask: Program, image: Path, secret: Path
) -> None:
    stages = image / ".omtask"
    stages.mkdir()
    stamps = {path: (s.st_atime_ns, s.st_mtime_ns) for path in image.rglob("*") if (s := path.stat())}
    for path, times in stamps.items():
        os.utime(path, ns=times)
    # Whatever the name of the stage, a link that has it is either refused or replaced, never followed.
    outcome = threshold(omtask, image, "--overwrite")
    name = json.loads((image / "labels/segmented/zarr.json").read_text())
    name = name["attributes"]["omtask"]["run_id"]
    shutil.rmtree(image / "labels")
    stages.mkdir(exist_ok=True)
    (stages / name).symlink_to(secret)
    apart = tree(secret)
    outcome = threshold(omtask, image, expect=None)
    assert outcome.code in (0, 77), outcome
    assert tree(secret) == apart


def test_a_link_in_place_of_a_shard_is_refused_or_replaced(
    omtask: Program, image: Path, secret: Path
) -> None:
    """A stage that somebody prepared with links at the names of shards and folders."""
    threshold(omtask, image)
    name = json.loads((image / "labels/segmented/zarr.json").read_text())
    name = name["attributes"]["omtask"]["run_id"]
    shutil.rmtree(image / "labels")
    level = image / ".omtask" / name / "out/segmented/0"
    (level / "c/0/0").mkdir(parents=True)
    (level / "c/0/0/0").symlink_to(secret / "precious.txt")
    (level / "c/0/1").symlink_to(secret)
    (level / "zarr.json").symlink_to(secret / "precious.txt")
    apart = tree(secret)
    outcome = threshold(omtask, image, expect=None)
    assert outcome.code in (0, 77), outcome
    assert tree(secret) == apart
    if outcome.code == 0:
        assert not any(path.is_symlink() for path in (image / "labels").rglob("*"))


# Modes


def modes(root: Path) -> set[int]:
    return {stat.S_IMODE(path.stat().st_mode) for path in root.rglob("*") if path.is_file()}


@pytest.mark.parametrize(("mask", "file", "folder"), [
    (0o077, 0o600, 0o700), (0o002, 0o664, 0o775), (0o022, 0o644, 0o755), (0o027, 0o640, 0o750)])
def test_modes_follow_the_umask(
    mask: int, file: int, folder: int, omtask: Program, image: Path
) -> None:
    before = os.umask(mask)
    try:
        threshold(omtask, image)
        threshold(omtask, image, "--output", image.with_name("apart.zarr"))
    finally:
        os.umask(before)
    for root in (image / "labels", image.with_name("apart.zarr")):
        assert modes(root) == {file}
        folders = [path for path in [root, *root.rglob("*")] if path.is_dir()]
        assert {stat.S_IMODE(path.stat().st_mode) for path in folders} == {folder}
    assert not leftovers(image.parent)


def test_a_group_is_handed_down(omtask: Program, image: Path) -> None:
    """setgid on the image's folder: everything below belongs to its group."""
    if os.geteuid() != 0:
        pytest.skip("needs root to give a folder away")
    for path in [image, *image.rglob("*")]:
        os.chown(path, -1, 4321)
        if path.is_dir():
            path.chmod(0o2775)
    threshold(omtask, image)
    made = [image / "labels", *(image / "labels").rglob("*")]
    assert {path.stat().st_gid for path in made} == {4321}
    assert all(path.stat().st_mode & stat.S_ISGID for path in made if path.is_dir())


# Limits


@pytest.mark.parametrize(("limit", "command"), [
    ("metadata=500", "info"), ("json-depth=4", "info"), ("axes=2", "info"), ("chunk=100", "info"),
    ("shard-index=16", "info"), ("encoded-chunk=1", "verify"), ("files=3", "plan"),
    ("files=3", "run")])
def test_a_limit_that_is_hit_names_its_flag(
    limit: str, command: str, omtask: Program, image: Path
) -> None:
    if limit.startswith("encoded-chunk"):
        chunk = image / "0/c/0/0/0"
        chunk.write_bytes(bytes(3 << 20) + chunk.read_bytes()[-132:])
        document = json.loads((image / "0/zarr.json").read_text())
        document["codecs"] = document["codecs"][0]["configuration"]["codecs"]
        (image / "0/zarr.json").write_text(json.dumps(document))
    words = [command, image]
    if command in ("plan", "run"):
        words = [command, "threshold", image, "--threshold", "900"]
    before = tree(image)
    outcome = omtask(*words, "--limit", limit, expect=79)
    assert f"--limit {limit.split('=')[0]}=" in outcome.stderr, outcome
    assert "error[limit]" in outcome.stderr
    assert tree(image) == before


def test_a_mistyped_limit_suggests_the_nearest(omtask: Program, image: Path) -> None:
    outcome = omtask("info", image, "--limit", "metdata=1M", expect=64)
    assert "metdata" in outcome.stderr and "did you mean `metadata`?" in outcome.stderr
    omtask("info", image, "--limit", "chunk=many", expect=64)
    omtask("info", image, "--limit", "metadata=32M", "--limit", "axes=33")
