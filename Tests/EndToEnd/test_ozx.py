"""Archives (`.ozx`, RFC-9): read in place, packed, unpacked, and written by runs."""

import csv
import hashlib
import json
import os
import shutil
import subprocess
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import tensorstore
import zarr

from omtask_testing import archives
from omtask_testing.faults import injected
from omtask_testing.images import Image, PlateShape, downsampled, write_image, write_plate
from omtask_testing.layouts import ZSTD, Layout, blosc
from omtask_testing.program import Program
from omtask_testing.samples import SHARDED, V2, write_blobs
from omtask_testing.trees import tree

CHUNKED = Layout("chunked", "0.5", (8, 16, 16), None, (blosc("zstd", "shuffle"),))
SHAPE = (12, 50, 60)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A sharded image that nobody changes."""
    path = tmp_path_factory.mktemp("ozx") / "image.zarr"
    write_blobs(path, SHARDED, np.random.default_rng(5), shape=SHAPE)
    return path


@pytest.fixture(scope="module")
def chunked(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("ozx-chunked") / "image.zarr"
    write_blobs(path, CHUNKED, np.random.default_rng(6), shape=SHAPE)
    return path


@pytest.fixture(scope="module")
def archive(omtask: Program, folder: Path) -> Path:
    """The same image as an archive."""
    path = folder.parent / "image.ozx"
    omtask("pack", folder, path)
    return path


@pytest.fixture(scope="module")
def plate(omtask: Program, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A plate, and the same plate as an archive."""
    root = tmp_path_factory.mktemp("ozx-plate")
    shape = PlateShape(2, 2, 1)
    rng = np.random.default_rng(9)
    images = {
        path: Image("zyx", downsampled("zyx", rng.integers(0, 999, (4, 20, 24)).astype("u2"), 2),
                    CHUNKED)
        for path in shape.images
    }
    write_plate(root / "plate.zarr", shape, images)
    omtask("pack", root / "plate.zarr", root / "plate.ozx")
    return root / "plate.zarr", root / "plate.ozx"


def printed(omtask: Program, *words: str | Path) -> bytes:
    """What a command writes to standard output."""
    return subprocess.run(
        [str(omtask.path), *map(str, words)], stdout=subprocess.PIPE, check=True
    ).stdout


def unzipped(path: Path, folder: Path) -> dict[str, str]:
    """What `unzip` makes of an archive, which it must accept."""
    subprocess.run(["unzip", "-q", "-t", path], check=True, stdout=subprocess.DEVNULL)
    subprocess.run(["unzip", "-q", path, "-d", folder], check=True)
    return tree(folder)


def untraced(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


# What other programs say to ours


def test_archives_hold_the_folder_and_other_programs_read_them(
    omtask: Program, folder: Path, archive: Path, tmp_path: Path
) -> None:
    assert unzipped(archive, tmp_path / "unzip") == tree(folder)
    with zipfile.ZipFile(archive) as opened:
        assert opened.testzip() is None
        entries = opened.infolist()
        comment = json.loads(opened.comment)
    assert comment == {
        "ome": {"version": "0.5", "zipFile": {"centralDirectory": {"jsonFirst": True}}}
    }
    names = [entry.filename for entry in entries]
    documents = sorted(
        (name for name in names if name.endswith("zarr.json")), key=lambda n: (n.count("/"), n)
    )
    assert names[: len(documents)] == documents and names[0] == "zarr.json"
    assert {entry.compress_type for entry in entries} == {zipfile.ZIP_STORED}
    assert {entry.date_time for entry in entries} == {(1980, 1, 1, 0, 0, 0)}
    assert [e.header_offset for e in entries] == sorted(e.header_offset for e in entries)
    assert entries[0].header_offset == 0
    assert not any(entry.flag_bits & 0x8 for entry in entries)
    assert archives.wide_everywhere(archive.read_bytes())

    store = zarr.storage.ZipStore(archive, mode="r")
    expected = zarr.open_array(folder / "0", mode="r")[...]
    assert np.array_equal(zarr.open_group(store, mode="r")["0"][...], expected)
    store.close()
    spec = {"driver": "zarr3", "kvstore": {
        "driver": "zip", "base": f"file://{archive}", "path": "0/"}}
    assert np.array_equal(tensorstore.open(spec).result().read().result(), expected)


def test_ngff_zarr_reads_ours(archive: Path, folder: Path) -> None:
    ngff_zarr = pytest.importorskip("ngff_zarr")
    read = ngff_zarr.from_ome_zarr(str(archive))
    expected = zarr.open_array(folder / "0", mode="r")[...]
    assert np.array_equal(np.asarray(read.images[0].data), expected)


def test_names_that_are_not_ascii_survive(omtask: Program, folder: Path, tmp_path: Path) -> None:
    image = Path(shutil.copytree(folder, tmp_path / "image.zarr"))
    (image / "Zelle µ").mkdir()
    (image / "Zelle µ/größe.csv").write_text("1")
    (image / "OME").mkdir()
    (image / "OME/METADATA.ome.xml").write_text("<OME/>")
    (image / "OME/zarr.json").write_text('{"zarr_format": 3, "node_type": "group"}')
    omtask("pack", image, tmp_path / "a.ozx")
    assert unzipped(tmp_path / "a.ozx", tmp_path / "unzip") == tree(image)
    with zipfile.ZipFile(tmp_path / "a.ozx") as opened:
        assert {bool(e.flag_bits & 0x800) for e in opened.infolist() if not e.filename.isascii()} \
            == {True}
    omtask("unpack", tmp_path / "a.ozx", tmp_path / "again")
    assert tree(tmp_path / "again") == tree(image)


# Packing


def test_the_same_files_give_the_same_bytes(
    omtask: Program, chunked: Path, tmp_path: Path
) -> None:
    copy = Path(shutil.copytree(chunked, tmp_path / "other name.zarr"))
    for path in copy.rglob("*"):
        os.utime(path, (1_000_000_000, 1_000_000_000))
    (copy / ".DS_Store").write_text("x")
    (copy / "0/.zattrs.swp").write_text("x")
    (copy / "Thumbs.db").write_text("x")
    (copy / "0/empty").mkdir()
    told = omtask("pack", copy, tmp_path / "a.ozx", "--threads", "1").stderr
    assert "left out 3 hidden files" in told and "without shards" in told
    omtask("pack", chunked, tmp_path / "b.ozx", "--threads", "3")
    omtask("pack", tmp_path / "b.ozx", tmp_path / "c.ozx")
    assert (tmp_path / "a.ozx").read_bytes() == (tmp_path / "b.ozx").read_bytes()
    assert (tmp_path / "b.ozx").read_bytes() == (tmp_path / "c.ozx").read_bytes()
    assert untraced(tmp_path) == {"other name.zarr", "a.ozx", "b.ozx", "c.ozx"}


def test_overwriting_replaces_an_archive_and_nothing_else(
    omtask: Program, folder: Path, tmp_path: Path
) -> None:
    target = tmp_path / "a.ozx"
    target.write_bytes(b"something")
    assert "--overwrite" in omtask("pack", folder, target, expect=73).stderr
    assert target.read_bytes() == b"something"
    omtask("pack", folder, target, "--overwrite")
    assert zipfile.ZipFile(target).testzip() is None
    (tmp_path / "b.ozx").mkdir()
    omtask("pack", folder, tmp_path / "b.ozx", "--overwrite", expect=73)
    (tmp_path / "c.ozx").symlink_to(target)
    omtask("pack", folder, tmp_path / "c.ozx", "--overwrite", expect=73)
    omtask("unpack", target, tmp_path / "b.ozx", expect=73)
    assert untraced(tmp_path) == {"a.ozx", "b.ozx", "c.ozx"}


def unfinished(path: Path) -> None:
    (path / ".omtask/0123456789abcdef/out").mkdir(parents=True)


def linked_out(path: Path) -> None:
    (path / "0/extra").symlink_to("/etc/hostname")


def without_root(path: Path) -> None:
    (path / "zarr.json").unlink()


def with_v2(path: Path) -> None:
    (path / "old").mkdir()
    (path / "old/.zgroup").write_text('{"zarr_format": 2}')


def with_archive(path: Path) -> None:
    (path / "inner.ozx").write_text("x")


def with_circle(path: Path) -> None:
    (path / "0/circle").symlink_to("../../image.zarr")


def with_bad_name(path: Path) -> None:
    (path / "a\\b").write_text("x")


@pytest.mark.parametrize(
    ("change", "target", "code", "word"),
    [
        (unfinished, "a.ozx", 75, "omtask clean"), (linked_out, "a.ozx", 77, "--follow-links"),
        (without_root, "a.ozx", 65, "no Zarr group"), (with_v2, "a.ozx", 76, "old/.zgroup"),
        (with_archive, "a.ozx", 76, "inner.ozx"), (with_circle, "a.ozx", 77, "leads back"),
        (with_bad_name, "a.ozx", 77, "backslash"), (None, "a.zip", 64, "a.ozx"),
        (None, "image.zarr/a.ozx", 77, "lies in the input"),
        (None, "absent/a.ozx", 66, "absent"),
    ],
    ids=lambda value: getattr(value, "__name__", str(value)),
)
def test_what_cannot_be_packed_is_refused(
    change: Callable[[Path], None] | None, target: str, code: int, word: str,
    omtask: Program, folder: Path, tmp_path: Path,
) -> None:
    image = Path(shutil.copytree(folder, tmp_path / "image.zarr"))
    if change:
        change(image)
    before = tree(tmp_path)
    told = omtask("pack", image, tmp_path / target, expect=code).stderr
    assert word in told and told.count("\n") <= 5, told
    assert tree(tmp_path) == before


def test_zarr_v2_is_refused_with_a_way_out_that_works(
    omtask: Program, tmp_path: Path, rng: np.random.Generator
) -> None:
    write_blobs(tmp_path / "v2.zarr", V2, rng, shape=SHAPE)
    told = omtask("pack", tmp_path / "v2.zarr", tmp_path / "a.ozx", expect=76).stderr
    assert "--ome-version 0.5" in told
    omtask("run", "convert", tmp_path / "v2.zarr", "--output", tmp_path / "a.ozx",
           "--ome-version", "0.5")
    assert printed(omtask, "cat", tmp_path / "a.ozx") == printed(omtask, "cat", tmp_path / "v2.zarr")
    told = omtask("run", "threshold", tmp_path / "v2.zarr", "--output", tmp_path / "b.ozx",
                  expect=76).stderr
    assert "0.4" in told
    assert untraced(tmp_path) == {"v2.zarr", "a.ozx"}


def test_an_archive_is_not_put_into_another_hierarchy(
    omtask: Program, folder: Path, plate: tuple[Path, Path], tmp_path: Path
) -> None:
    well = Path(shutil.copytree(plate[0], tmp_path / "plate.zarr")) / "A"
    for call in (["pack", folder], ["run", "threshold", folder, "--output"]):
        told = omtask(*call, well / "a.ozx", expect=77).stderr
        assert "RFC-9" in told, told


# Reading


def test_every_writer_is_read(
    omtask: Program, folder: Path, chunked: Path, tmp_path: Path
) -> None:
    for image in (folder, chunked):
        made = {
            "python.zip": archives.written_by_python(image, tmp_path / "python.zip"),
            "deflated.ozx": archives.written_by_python(
                image, tmp_path / "deflated.ozx", zipfile.ZIP_DEFLATED),
            "infozip.zip": archives.written_by_zip(image, tmp_path / "infozip.zip"),
            "infozip.ozx": archives.written_by_zip(image, tmp_path / "infozip.ozx", "-0"),
            "piped.zip": archives.written_to_a_pipe(image, tmp_path / "piped.zip"),
            "zarr.zip": archives.written_by_zarr(image, tmp_path / "zarr.zip"),
        }
        expected = printed(omtask, "cat", image)
        for name, path in made.items():
            assert printed(omtask, "cat", path) == expected, name
            part = ["--select", "z=3:5,y=7:30"]
            assert printed(omtask, "cat", path, *part) == printed(omtask, "cat", image, *part)
            omtask("verify", path)
            omtask("unpack", path, tmp_path / f"un{name}")
            if name != "zarr.zip":
                assert tree(tmp_path / f"un{name}") == tree(image), name
            shutil.rmtree(tmp_path / f"un{name}")
            path.unlink()


def test_commands_read_archives_as_they_read_folders(
    omtask: Program, folder: Path, archive: Path, tmp_path: Path
) -> None:
    for level in ("", "/0", "/1"):
        assert printed(omtask, "cat", f"{archive}{level}") == printed(
            omtask, "cat", f"{folder}{level}")
    told = [json.loads(printed(omtask, "info", path, "--json")) for path in (folder, archive)]
    facts = told[1].pop("archive")
    assert facts["entries"] == len(archives.files(folder)) and facts["json_first"] is True
    assert facts["notes"] == []
    for answer in told:
        del answer["uri"]
    assert told[0] == told[1]
    assert "metadata first" in omtask("info", archive).stdout
    omtask("preview", archive, "--png", tmp_path / "a.png")
    omtask("preview", folder, "--png", tmp_path / "b.png")
    assert (tmp_path / "a.png").read_bytes() == (tmp_path / "b.png").read_bytes()
    omtask("preview", "threshold", archive, "--png", tmp_path / "c.png")
    report = json.loads(omtask("verify", archive, "--json").stdout)
    assert report["sound"] and report["archive_entries"] == facts["entries"]
    assert report["notes"] == []
    plans = [
        json.loads(omtask("plan", "threshold", path, "--output", tmp_path / "o.zarr", "--json").stdout)
        for path in (folder, archive)
    ]
    assert [len(plan["images"]) for plan in plans] == [1, 1]
    assert "repaired" in omtask("verify", archive, "--repair", expect=77).stderr
    assert untraced(tmp_path) == {"a.png", "b.png", "c.png"}
    (tmp_path / "link.ozx").symlink_to(archive)
    assert printed(omtask, "cat", tmp_path / "link.ozx") == printed(omtask, "cat", folder)


def test_plates_in_archives_are_plates(
    omtask: Program, plate: tuple[Path, Path], tmp_path: Path
) -> None:
    folder, archive = plate
    told = json.loads(printed(omtask, "info", archive, "--json"))
    assert told["kind"] == "plate" and len(told["images"]) == 4
    image = "B/02/0"
    assert printed(omtask, "cat", archive / image) == printed(omtask, "cat", folder / image)
    assert json.loads(printed(omtask, "info", archive / image, "--json"))["kind"] == "image"
    assert json.loads(printed(omtask, "info", archive / "B/02", "--json"))["kind"] == "well"
    for path, name in ((folder, "a.zarr"), (archive, "b.zarr")):
        omtask("run", "gaussian-blur", path, "--output", tmp_path / name, "--sigma", "1")
    for path in ("A/01/0/0", "B/02/0/1"):
        assert np.array_equal(
            zarr.open_array(tmp_path / "a.zarr" / path, mode="r")[...],
            zarr.open_array(tmp_path / "b.zarr" / path, mode="r")[...])
    omtask("unpack", archive / image, tmp_path / "one.zarr")
    assert tree(tmp_path / "one.zarr") == tree(folder / image)
    omtask("unpack", archive / "C/07/0", tmp_path / "none.zarr", expect=66)
    told = omtask("run", "gaussian-blur", folder, "--output", tmp_path / "c.ozx", expect=64).stderr
    assert "omtask pack" in told
    omtask("run", "threshold", archive / "C/07/0", "--output", tmp_path / "d.zarr", expect=66)
    assert untraced(tmp_path) == {"a.zarr", "b.zarr", "one.zarr"}


def test_results_never_go_into_an_archive(
    omtask: Program, folder: Path, archive: Path, plate: tuple[Path, Path], tmp_path: Path
) -> None:
    copy = Path(shutil.copy(archive, tmp_path / "image.ozx"))
    calls = (
        ["threshold"], ["gaussian-blur"], ["project"], ["label-objects"], ["pyramid"],
        ["threshold", "--method", "otsu", "--scope", "plate"],
    )
    for words in calls:
        for command in ("run", "plan"):
            outcome = omtask(command, words[0], copy, *words[1:], expect=None)
            if outcome.code == 64 and words != ["pyramid"]:
                continue  # the task wants another input
            assert outcome.code == 77, (words, str(outcome))
            assert "--output" in outcome.stderr or "unpack" in outcome.stderr
    omtask("run", "threshold", folder, "--output", copy / "in.zarr", expect=77)
    omtask("run", "threshold", copy, "--output", copy, "--overwrite", expect=77)
    assert copy.read_bytes() == archive.read_bytes()
    assert untraced(tmp_path) == {"image.ozx"}


@pytest.mark.parametrize("ranks", [None, 2, 3])
def test_ranks_read_one_archive(
    ranks: int | None, omtask: Program, folder: Path, archive: Path, tmp_path: Path
) -> None:
    how = {"parameters": {"method": "otsu"}, "ranks": ranks}
    omtask.threshold(folder, extra=["--output", tmp_path / "a.zarr"], **how)
    omtask.threshold(archive, extra=["--output", tmp_path / "b.zarr"], **how)
    for level in ("0", "1"):
        left, right = (tmp_path / name / level for name in ("a.zarr", "b.zarr"))
        assert tree(left / "c") == tree(right / "c")
    record = json.loads((tmp_path / "b.zarr/zarr.json").read_text())["attributes"]
    assert record["ome"]["image-label"]["source"]["image"] == str(archive)


# Runs that write an archive


@pytest.mark.parametrize("ranks", [None, 3])
def test_a_run_writes_a_new_archive(
    ranks: int | None, omtask: Program, folder: Path, archive: Path, tmp_path: Path
) -> None:
    target, beside = tmp_path / "result.ozx", tmp_path / "result.zarr"
    how = {"parameters": {"method": "otsu"}, "ranks": ranks}
    made = omtask.threshold(archive, extra=["--output", target], **how)
    omtask.threshold(archive, extra=["--output", beside], **how)
    assert untraced(tmp_path) == {"result.ozx", "result.zarr"}
    inside = unzipped(target, tmp_path / "unzip")
    assert inside.keys() == tree(beside).keys()
    for key, digest in tree(beside).items():
        if not key.endswith("zarr.json"):
            assert inside[key] == digest
    assert archives.wide_everywhere(target.read_bytes())
    assert made.report and made.report.images[0]["status"] == "done"
    before = target.stat().st_ino
    again = omtask.threshold(archive, extra=["--output", target], **how)
    assert again.report and again.report.images[0]["status"] == "skipped"
    assert target.stat().st_ino == before
    other = {"parameters": {"method": "li"}, "ranks": ranks}
    omtask.threshold(archive, extra=["--output", target], expect=73, **other)
    omtask.threshold(archive, extra=["--output", target, "--overwrite"], **other)
    assert target.stat().st_ino != before
    omtask("verify", target)
    assert untraced(tmp_path) == {"result.ozx", "result.zarr", "unzip"}


def test_every_kind_of_result_in_an_archive(
    omtask: Program, archive: Path, tmp_path: Path
) -> None:
    for task, words in (("gaussian-blur", ["--sigma", "1"]), ("convert", []), ("project", [])):
        omtask("run", task, archive, *words, "--output", tmp_path / f"{task}.ozx")
        omtask("run", task, archive, *words, "--output", tmp_path / f"{task}.zarr")
        assert printed(omtask, "cat", tmp_path / f"{task}.ozx") == printed(
            omtask, "cat", tmp_path / f"{task}.zarr")
        omtask("verify", tmp_path / f"{task}.ozx")


def test_only_our_own_archives_are_replaced(
    omtask: Program, folder: Path, archive: Path, tmp_path: Path
) -> None:
    foreign = Path(shutil.copy(archive, tmp_path / "a.ozx"))
    (tmp_path / "b.ozx").write_bytes(b"no archive")
    for path in (foreign, tmp_path / "b.ozx"):
        before = path.read_bytes()
        told = omtask("run", "threshold", folder, "--output", path, "--overwrite", expect=73).stderr
        assert "omtask did not make it" in told or "not of this result" in told
        assert path.read_bytes() == before


# Kills


@pytest.mark.parametrize(
    ("calls", "numbers"), [("write", (1, 4, 11, 14)), ("fsync", (1, 2)), ("rename", (1,))]
)
def test_a_killed_pack_leaves_no_archive_and_the_next_one_is_whole(
    calls: str, numbers: tuple[int, ...], omtask: Program, folder: Path, archive: Path,
    tmp_path: Path,
) -> None:
    target = tmp_path / "a.ozx"
    for number in numbers:
        for what in ("kill", "EIO"):
            env = injected(tmp_path, calls, what, nth=number)
            outcome = omtask("pack", folder, target, "--threads", "1", expect=None, env=env)
            assert outcome.code != 0, str(outcome)
            if what == "EIO":
                assert outcome.code == 74 and untraced(tmp_path) == set(), str(outcome)
            if target.exists():  # killed behind the rename
                assert target.read_bytes() == archive.read_bytes()
                target.unlink()
            omtask("pack", folder, target)
            assert target.read_bytes() == archive.read_bytes()
            assert untraced(tmp_path) == {"a.ozx"}
            target.unlink()


def test_what_a_killed_pack_left_is_cleaned(
    omtask: Program, folder: Path, tmp_path: Path
) -> None:
    for words in (["pack", folder, tmp_path / "a.ozx"], ["unpack", None, tmp_path / "b.zarr"]):
        if words[1] is None:
            words[1] = tmp_path / "whole.ozx"
            omtask("pack", folder, words[1])
        omtask(*words, "--threads", "1", expect=None, env=injected(tmp_path, "write", "kill", nth=6))
        assert any(name.endswith(".omtask") for name in untraced(tmp_path))
        omtask("clean", words[2])
        assert untraced(tmp_path) <= {"whole.ozx"}


@pytest.mark.parametrize("calls", ["write", "rename", "fsync", "unlink"])
def test_a_killed_run_goes_on_to_the_same_archive(
    calls: str, omtask: Program, folder: Path, tmp_path: Path
) -> None:
    words = ["run", "threshold", folder, "--threshold", "900", "--threads", "1", "--output"]
    right = tmp_path / "right"
    right.mkdir()
    omtask(*words, right / "a.ozx")
    expected = zipped(right / "a.ozx")
    for number in (1, 3, 9, 18, 27, 40):
        place = tmp_path / f"{calls}{number}"
        place.mkdir()
        outcome = omtask(*words, place / "a.ozx", expect=None,
                         env=injected(place, calls, "kill", nth=number))
        if outcome.code == 0:
            break
        if (place / "a.ozx").exists():
            assert zipped(place / "a.ozx") == expected
        omtask(*words, place / "a.ozx")
        assert zipped(place / "a.ozx") == expected
        assert untraced(place) == {"a.ozx"}


def zipped(path: Path) -> dict[str, str]:
    """What an archive holds, but for our record of the run, which holds its time."""
    with zipfile.ZipFile(path) as opened:
        assert opened.testzip() is None
        found = {}
        for name in opened.namelist():
            data = opened.read(name)
            if name == "zarr.json":
                document = json.loads(data)
                document["attributes"].pop("omtask")
                data = json.dumps(document).encode()
            found[name] = hashlib.sha256(data).hexdigest()
        return found


def test_parts_make_an_archive_together(omtask: Program, folder: Path, tmp_path: Path) -> None:
    words = ["run", "threshold", folder, "--threshold", "900", "--output", tmp_path / "a.ozx"]
    for part in ("0/2", "1/2"):
        omtask(*words, "--part", part)
    omtask(*words)
    omtask("verify", tmp_path / "a.ozx")
    assert untraced(tmp_path) == {"a.ozx"}


# What is wrong with archives


def test_the_shared_archives_are_answered_as_their_table_says(
    omtask: Program, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("ngff_zarr")
    archives.fixtures_module().ome_cases(tmp_path)
    with (tmp_path / "expected_ome.tsv").open() as file:
        levels = [row for row in csv.DictReader(file, delimiter="\t")]
    source = {r["level_path"]: r for r in levels if r["path"] == "ome/ngffzarr_0.5"}
    digest = "sha256_c_order_little_endian"
    with (tmp_path / "expected_ozx.tsv").open() as file:
        rows = list(csv.DictReader(file, delimiter="\t"))
    assert len(rows) == 15
    for row in rows:
        path = tmp_path / row["path"]
        outcome = omtask("verify", path, "--json", expect=None)
        report = json.loads(outcome.stdout) if outcome.stdout else {}
        judged = omtask("validate", path, "--json", expect=None)
        # Metadata are judged, voxels are not read.
        wrong = row["verdict"] == "error" and "bad_crc" not in row["path"]
        assert judged.code == (65 if wrong else 0), (row, str(judged))
        broken = {rule["rule"] for rule in json.loads(judged.stdout)["rules"]
                  if rule["severity"] != "note" and rule["rule"].startswith("archive-")}
        assert bool(broken) == (wrong or row["verdict"] == "warn"), (row, broken)
        if row["verdict"] == "error":
            assert outcome.code == 65, (row, str(outcome))
            kind = "checksum" if "bad_crc" in row["path"] else "zip"
            assert f"error[{kind}]" in outcome.stderr and row["path"] in outcome.stderr
            assert report.get("problem_count", 1) == 1, report
            continue
        assert outcome.code == 0 and report["sound"], (row, str(outcome))
        assert (report["note_count"] > 0) == (row["verdict"] == "warn"), (row, report["notes"])
        for level, facts in source.items():
            voxels = printed(omtask, "cat", path / level)
            assert hashlib.sha256(voxels).hexdigest() == facts[digest], row
    theirs = [row for row in levels if row["kind"] == "ozx image"]
    assert theirs
    for row in theirs:
        voxels = printed(omtask, "cat", tmp_path / row["path"] / row["level_path"])
        assert hashlib.sha256(voxels).hexdigest() == row[digest], row
        told = json.loads(printed(omtask, "info", tmp_path / row["path"], "--json"))
        assert json.dumps(told["levels"][int(row["level"])]["scale"]) == row["scale"].replace(
            ",", ", ")
    with capsys.disabled():
        print(f"\n{len(rows)} archives and {len(theirs)} levels of ngff-zarr's as expected")


def test_a_damaged_archive_is_told_once_and_never_crashes(
    omtask: Program, archive: Path, tmp_path: Path, rng: np.random.Generator,
    scaled: Callable[[int, int], int],
) -> None:
    """Every kind of damage anywhere: a clean answer, and never other voxels."""
    data = archive.read_bytes()
    expected = hashlib.sha256(printed(omtask, "cat", archive)).hexdigest()
    directory = data.index(b"PK\1\2")
    path = tmp_path / "a.ozx"
    for number in range(scaled(60, 1000)):
        spoiled = bytearray(data)
        start = directory if number % 2 else 0
        if number % 5 == 4:
            del spoiled[int(rng.integers(start, len(data))) :]
        else:
            for _ in range(int(rng.integers(1, 4))):
                spoiled[int(rng.integers(start, len(data)))] = int(rng.integers(0, 256))
        path.write_bytes(spoiled)
        outcome = omtask("verify", path, expect=None)
        assert outcome.code in (0, 65, 66, 74, 76, 77, 79), str(outcome)
        assert outcome.stderr.count("error") <= 1
        if outcome.code == 0:
            voxels = printed(omtask, "cat", path)
            assert hashlib.sha256(voxels).hexdigest() == expected, number


def test_an_archive_of_many_entries_opens_at_once(
    omtask: Program, folder: Path, tmp_path: Path
) -> None:
    path = archives.with_many_entries(folder, tmp_path / "a.zip", 100_000)
    cpu = os.times().children_user + os.times().children_system
    omtask("info", path)
    cpu = os.times().children_user + os.times().children_system - cpu
    assert cpu < 1, f"{cpu:.2f} s for 100,000 entries"
    assert "limit is 5000" in omtask("info", path, "--limit", "zip-entries=5000", expect=79).stderr
