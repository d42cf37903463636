"""`omtask verify` names every damage of an image, wherever it is, and repairs lists without touching data."""

import json
import os
import shutil
import struct
from pathlib import Path
from typing import Any

import google_crc32c
import numpy as np
import pytest
import zarr

from omtask_testing import samples
from omtask_testing.images import PlateShape, write_plate
from omtask_testing.program import Program
from omtask_testing.trees import tree


@pytest.fixture(params=samples.BOTH, ids=lambda layout: layout.name)
def image(request: pytest.FixtureRequest, tmp_path: Path, rng: np.random.Generator) -> Path:
    """An image with the label image `nuclei`."""
    path = tmp_path / "image.zarr"
    samples.write_blobs(path, request.param, rng)
    return path


def label(omtask: Program, image: Path, name: str = "nuclei", **how: Any) -> None:
    omtask.threshold(image, parameters={"threshold": 900, "label_name": name}, **how)


def verify(omtask: Program, place: Path, *words: str, expect: int = 0) -> dict[str, Any]:
    return json.loads(omtask("verify", place, "--json", *words, expect=expect).stdout)


def chunks(array: Path) -> list[Path]:
    """The stored chunks or shards of an array."""
    return sorted(p for p in array.rglob("*") if p.is_file() and p.name[0] not in ".z")


def paths(answer: dict[str, Any], of: str = "problems") -> list[str]:
    return [entry["path"] for entry in answer[of]]


def test_a_sound_image_is_sound_and_unchanged(omtask: Program, image: Path) -> None:
    label(omtask, image)
    before = tree(image)
    answer = verify(omtask, image, "--repair")
    assert (answer["sound"], answer["images"], answer["arrays"]) == (True, 2, 4)
    assert answer["notes"] == answer["repairs"] == []
    assert answer["stored_files"] == sum(len(chunks(image / p)) for p in
                                         ("0", "1", "labels/nuclei/0", "labels/nuclei/1"))
    assert answer["stored_bytes"] == sum(p.stat().st_size for p in chunks(image))
    assert tree(image) == before


def test_every_damage_is_named_whichever_comes_first(omtask: Program, image: Path) -> None:
    label(omtask, image)
    first, second, *_ = chunks(image / "0")
    first.write_bytes(first.read_bytes()[:20])
    second.write_bytes(b"")
    coarse = chunks(image / "1")[-1]
    coarse.unlink()
    coarse.mkdir()
    inner = chunks(image / "labels/nuclei/1")[0]
    inner.write_bytes(bytes(64))
    answer = verify(omtask, image, expect=65)
    assert paths(answer) == sorted(map(str, (first, second, coarse, inner)))
    assert answer["problem_count"] == 4 and not answer["sound"]
    kinds = {entry["path"]: entry["kind"] for entry in answer["problems"]}
    assert kinds[str(coarse)] == "codec" and kinds[str(second)] == "truncated"
    for threads in ("1", "3"):
        assert verify(omtask, image, "--threads", threads, expect=65) == answer
    text = omtask("verify", image, expect=65)
    assert text.stderr.splitlines()[-1].startswith(f"omtask: error[truncated]: {first}: ")
    assert all(path in text.stdout for path in paths(answer))


def test_a_shard_with_several_damaged_chunks_names_each(
    omtask: Program, tmp_path: Path, rng: np.random.Generator
) -> None:
    image = tmp_path / "image.zarr"
    samples.write_blobs(image, samples.SHARDED, rng)
    shard = chunks(image / "0")[0]
    data = bytearray(shard.read_bytes())
    size = 8 * 16 + 4
    index = list(struct.iter_unpack("<QQ", data[-size:-4]))
    for cell in (1, 3):
        offset = index[cell][0]
        data[offset : offset + 4] = b"XXXX"
    # Chunk 5 begins inside chunk 4, chunk 6 lies behind the end.
    index[5] = (index[4][0] + 1, index[4][1] - 1)
    index[6] = (10**9, 10)
    stored = b"".join(struct.pack("<QQ", *entry) for entry in index)
    data[-size:] = stored + struct.pack("<I", google_crc32c.value(stored))
    shard.write_bytes(data)
    answer = verify(omtask, image, expect=65)
    damaged = [entry["chunk"] for entry in answer["problems"]]
    assert {tuple(c) for c in damaged} == {(0, 0, 1), (0, 1, 1), (1, 0, 1), (1, 1, 0)}
    messages = " ".join(entry["message"] for entry in answer["problems"])
    assert "the one before it ends at" in messages and "lies at byte 1000000000" in messages


def test_absent_chunks_are_counted_and_strays_noted(omtask: Program, image: Path) -> None:
    gone = chunks(image / "0")[0]
    gone.unlink()
    strays = [image / "0/notes.txt", gone.with_name("99"), gone.with_name(f".{gone.name}.0.tmp")]
    for stray in strays:
        stray.write_text("stray")
    answer = verify(omtask, image)
    assert paths(answer, "notes") == sorted(map(str, strays))
    assert answer["chunks_absent"] > 0
    assert verify(omtask, image / "0")["arrays"] == 1


def test_a_lost_label_is_named_and_listed_again(omtask: Program, image: Path) -> None:
    label(omtask, image)
    label(omtask, image, "cells")
    listing = next(p for p in (image / "labels/zarr.json", image / "labels/.zattrs") if p.exists())
    whole = listing.read_text()
    listing.write_text(whole.replace('"cells"', '"theirs"'))
    (image / "labels/half").mkdir()
    answer = verify(omtask, image, expect=65)
    assert "`cells`" in answer["problems"][0]["message"] and "--repair" in answer["problems"][0]["hint"]
    assert {Path(p).name for p in paths(answer, "notes")} == {"half", "theirs"}
    answer = verify(omtask, image, "--repair")
    assert "`cells`" in answer["repairs"][0]
    names = json.loads(listing.read_text())
    names = names["labels"] if "labels" in names else names["attributes"]["ome"]["labels"]
    assert names == ["nuclei", "theirs", "cells"]
    assert verify(omtask, image)["sound"]


def test_consolidated_metadata_are_compared_and_brought_up_to_date(
    omtask: Program, image: Path
) -> None:
    zarr.consolidate_metadata(image)
    assert verify(omtask, image)["sound"]
    label(omtask, image)
    assert verify(omtask, image)["sound"]
    holder = image / ("zarr.json" if (image / "zarr.json").exists() else ".zmetadata")
    shutil.copytree(image / "labels/nuclei", image / "labels/more")
    listing = next(p for p in (image / "labels/zarr.json", image / "labels/.zattrs") if p.exists())
    listing.write_text(listing.read_text().replace('"nuclei"', '"nuclei", "more"'))
    shutil.rmtree(image / "labels/nuclei")
    answer = verify(omtask, image, expect=65)
    assert paths(answer) == [str(holder)]
    assert verify(omtask, image, "--repair")["repairs"] != []
    assert verify(omtask, image)["sound"]
    group = zarr.open_consolidated(image)
    assert "labels/more/0" in dict(group.members(max_depth=None)) and "labels/nuclei" not in group


def test_only_what_nobody_needs_is_removed(omtask: Program, image: Path) -> None:
    stage = image / ".omtask/0123456789abcdef"
    (stage / "out").mkdir(parents=True)
    (stage / "run.json").write_text("{}")
    (image / ".zarr.json.0.tmp").write_text("half")
    busy = image / ".omtask/fedcba9876543210/out/nuclei/0"
    busy.mkdir(parents=True)
    (busy / "zarr.json").write_text("{}")
    answer = verify(omtask, image)
    assert len(answer["notes"]) == 3 and answer["sound"]
    answer = verify(omtask, image, "--repair")
    assert len(answer["repairs"]) == 2
    assert not stage.exists() and (busy / "zarr.json").exists()
    shutil.rmtree(image / ".omtask/fedcba9876543210")
    verify(omtask, image, "--repair")
    assert not (image / ".omtask").exists()


def test_a_plate_is_read_behind_broken_wells(
    omtask: Program, tmp_path: Path, rng: np.random.Generator
) -> None:
    shape = PlateShape(1, 3, 2)
    images = {
        path: samples.blobs_image(samples.V2, rng, axes="cyx", shape=(1, 40, 50))
        for path in shape.images
    }
    plate = write_plate(tmp_path / "plate.zarr", shape, images)
    (plate / "A/01/.zattrs").write_text("{")
    (plate / "A/02/1/0/.zarray").unlink()
    chunk = chunks(plate / "A/03/1/1")[0]
    chunk.write_bytes(chunk.read_bytes()[:-3])
    os.symlink(plate / "absent", plate / "A/03/0/0/link")
    answer = verify(omtask, plate, expect=65)
    assert answer["problem_count"] == 3 and answer["images"] == 4
    assert [Path(p).relative_to(plate).parts[:2] for p in paths(answer)] == [
        ("A", "01"), ("A", "02"), ("A", "03")]


def test_documents_in_place_of_folders_hide_no_chunks(
    omtask: Program, tmp_path: Path, rng: np.random.Generator
) -> None:
    image = tmp_path / "image.zarr"
    samples.write_blobs(image, samples.SHARDED, rng)
    shutil.rmtree(image / "0/c")
    (image / "0/c").write_text("no folder")
    answer = verify(omtask, image, expect=65)
    assert paths(answer) == [f"{image}/0/c"]
