"""A plate as one job: every image for itself, failures named, only those done again."""

import json
import shutil
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import zarr

from omtask_testing import samples
from omtask_testing.checks import assert_labels
from omtask_testing.images import Image, PlateShape, write_plate
from omtask_testing.layouts import Layout
from omtask_testing.oracle import expected_labels, threshold
from omtask_testing.program import Outcome, Program, flags, mpirun
from omtask_testing.reading import listed_labels
from omtask_testing.report import Report
from omtask_testing.trees import leftovers, tree

PARAMETERS = {"method": "otsu", "channel": "all", "keep_channel_axis": True, "label_name": "cells"}
CHANNELS = ("DAPI", "GFP")


def make_plate(
    path: Path, shape: PlateShape, rng: np.random.Generator, layout: Layout = samples.V2
) -> dict[str, Image]:
    images = {
        place: samples.blobs_image(layout, rng, "cyx", (2, 40, 48), 2, CHANNELS)
        for place in shape.images
    }
    write_plate(path, shape, images)
    return images


def truncate(image: Path) -> None:
    chunk = image / "0/0/0/0"
    chunk.write_bytes(chunk.read_bytes()[:20])


def scramble(image: Path) -> None:
    chunk = image / "0/0/1/1"
    chunk.write_bytes(b"\x02\x01" + bytes(30))


def break_metadata(image: Path) -> None:
    (image / "0/.zarray").write_text('{"zarr_format": 2, "shape": [2,')


DAMAGE: tuple[Callable[[Path], None], ...] = (truncate, scramble, break_metadata)


@pytest.fixture
def plate_shape(scaled: Callable[[int, int], int]) -> PlateShape:
    return PlateShape(rows=scaled(3, 8), columns=scaled(4, 12), fields=scaled(2, 4))


@pytest.mark.parametrize("ranks", [None, 2])
def test_only_damaged_images_fail_and_only_they_are_done_again(
    ranks: int | None, plate_shape: PlateShape, omtask: Program, tmp_path: Path,
    rng: np.random.Generator,
) -> None:
    plate, kept = tmp_path / "plate.zarr", tmp_path / "kept"
    images = make_plate(plate, plate_shape, rng)
    broken = [list(images)[i] for i in (1, len(images) // 2, len(images) - 1)]
    for place, damage in zip(broken, DAMAGE):
        shutil.copytree(plate / place, kept / place)
        damage(plate / place)

    def run(expect: int) -> Outcome:
        return omtask.threshold(plate, parameters=PARAMETERS, ranks=ranks, expect=expect)

    first = run(65)
    assert len(first.report.with_status("done")) == len(images) - len(broken)
    assert ends(first.report.with_status("failed"), broken)
    assert all(place in first.stderr for place in broken), first
    assert [place for place in images if not listed_labels(plate / place)] == sorted(broken)

    for place in broken:
        shutil.rmtree(plate / place)
        shutil.copytree(kept / place, plate / place)
    second = run(0)
    assert ends(second.report.with_status("done"), broken)
    assert len(second.report.with_status("skipped")) == len(images) - len(broken)
    for place, image in images.items():
        assert_labels(plate / place, "cyx", expected_labels(image.levels, "cyx", PARAMETERS, CHANNELS))
    assert not leftovers(plate)


def ends(uris: list[str], places: list[str]) -> bool:
    """Whether the URIs are those places, in any order."""
    return len(uris) == len(places) and all(
        any(uri.rstrip("/").endswith(place) for uri in uris) for place in places
    )


def test_threads_and_ranks_write_the_same_plate(
    omtask: Program, tmp_path: Path, rng: np.random.Generator
) -> None:
    plate = tmp_path / "plate.zarr"
    make_plate(plate, PlateShape(2, 3, 1), rng)
    trees = []
    for number, engine in enumerate(({"threads": 1}, {"threads": 4}, {"ranks": 3})):
        copy = tmp_path / str(number) / "plate.zarr"
        shutil.copytree(plate, copy)
        omtask.threshold(copy, parameters=PARAMETERS, **engine)
        trees.append(tree(copy))
    assert trees[0] == trees[1] == trees[2]


def consolidate(plate: Path) -> None:
    """Lets zarr-python write copies of all metadata into image, well, row and plate."""
    for place in ("A/01/0", "A/01", "A", ""):
        zarr.consolidate_metadata(plate / place)


@pytest.mark.parametrize("ranks", [None, 2])
@pytest.mark.parametrize("layout", samples.BOTH, ids=lambda layout: layout.version)
def test_copies_of_metadata_above_the_images_learn_of_labels(
    layout: Layout, ranks: int | None, omtask: Program, tmp_path: Path, rng: np.random.Generator
) -> None:
    plate = tmp_path / "plate.zarr"
    images = make_plate(plate, PlateShape(2, 2, 1), rng, layout)
    consolidate(plate)
    wanted = PARAMETERS | {"label_name": "cells"}
    omtask.threshold(plate, parameters=wanted, ranks=ranks)
    omtask.threshold(plate, parameters=wanted | {"label_name": "more"}, ranks=ranks)
    assert_copies_know(plate, list(images), ["cells", "more"])

    times = {p: p.stat().st_mtime_ns for p in plate.rglob("*")}
    omtask.threshold(plate, parameters=wanted, ranks=ranks)
    assert {p: p.stat().st_mtime_ns for p in plate.rglob("*")} == times
    consolidated = tree(plate)
    spoil_copy(plate, layout)
    again = omtask.threshold(plate, parameters=wanted, ranks=ranks)
    assert len(again.report.with_status("skipped")) == len(images)
    assert_copies_know(plate, list(images), ["cells"])
    assert {k: v for k, v in tree(plate).items() if "/" in k} == {
        k: v for k, v in consolidated.items() if "/" in k}


def test_the_copy_of_a_plate_learns_of_the_label_of_one_image(
    omtask: Program, tmp_path: Path, rng: np.random.Generator
) -> None:
    plate = tmp_path / "plate.zarr"
    make_plate(plate, PlateShape(1, 2, 1), rng, samples.SHARDED)
    consolidate(plate)
    omtask.threshold(plate / "A/02/0", parameters=PARAMETERS)
    assert_copies_know(plate, ["A/02/0"], ["cells"])
    assert not (plate / "A/01/0/labels").exists()


@pytest.mark.parametrize("ranks", [None, 2])
@pytest.mark.parametrize("scope", ["channel", "plate"])
def test_damaged_chunks_of_a_plate_can_be_filled(
    scope: str, ranks: int | None, omtask: Program, tmp_path: Path, rng: np.random.Generator
) -> None:
    plate = tmp_path / "plate.zarr"
    images = make_plate(plate, PlateShape(2, 3, 1), rng)
    broken = [list(images)[i] for i in (1, 5)]
    for place, damage in zip(broken, (truncate, scramble)):
        damage(plate / place)
    outcome = omtask.threshold(
        plate, parameters=PARAMETERS | {"scope": scope}, ranks=ranks,
        extra=["--on-damage", "fill"])
    assert len(outcome.report.with_status("done")) == len(images)
    damaged = [image for image in outcome.report.images if "damaged_chunks" in image]
    assert ends([image["uri"] for image in damaged], broken)
    assert [image["damaged_chunks"]["count"] for image in damaged] == [1, 1]
    assert outcome.report.document["damaged_chunks"] == 2
    assert outcome.stderr.count("1 damaged chunk counts as fill value") == 2


def assert_copies_know(plate: Path, places: list[str], labels: list[str]) -> None:
    for holder in ("", "A", "A/01"):
        group = zarr.open_consolidated(plate / holder, mode="r")
        assert group.metadata.consolidated_metadata is not None
        for place in places:
            if not place.startswith(holder):
                continue
            inner = place.removeprefix(holder).strip("/")
            for name in labels:
                node = group[f"{inner}/labels/{name}"]
                found = zarr.open_group(plate / place / "labels" / name, mode="r")
                assert dict(node.attrs) == dict(found.attrs)
                assert set(node.array_keys()) == set(found.array_keys()) == {"0", "1"}
                assert np.array_equal(node["1"][...], found["1"][...])
            listed = dict(group[f"{inner}/labels"].attrs)
            assert set(labels) <= set(listed.get("ome", listed)["labels"])


def spoil_copy(plate: Path, layout: Layout) -> None:
    """Takes all labels out of the copy of the plate, as if the run before had been stopped."""
    file = plate / (".zmetadata" if layout.is_v2 else "zarr.json")
    document = json.loads(file.read_text())
    copy = document if layout.is_v2 else document["consolidated_metadata"]
    copy["metadata"] = {k: v for k, v in copy["metadata"].items() if "/labels" not in k}
    file.write_text(json.dumps(document))


def test_a_copy_that_cannot_be_updated_is_a_warning(
    omtask: Program, tmp_path: Path, rng: np.random.Generator
) -> None:
    plate = tmp_path / "plate.zarr"
    images = make_plate(plate, PlateShape(1, 2, 1), rng)
    consolidate(plate)
    (plate / ".zmetadata").write_text('{"metadata": {')
    (plate / "A/.zmetadata").write_bytes(b" " * (17 << 20))
    outcome = omtask.threshold(plate, parameters=PARAMETERS)
    assert len(outcome.report.with_status("done")) == len(images)
    assert f"{plate}/.zmetadata" in outcome.stderr and f"{plate}/A/.zmetadata" in outcome.stderr
    assert (plate / ".zmetadata").read_text() == '{"metadata": {'
    assert zarr.open_consolidated(plate / "A/01", mode="r")["0/labels/cells/0"].ndim == 3


def test_an_image_that_a_copy_does_not_know_stays_unknown(
    omtask: Program, tmp_path: Path, rng: np.random.Generator
) -> None:
    plate = tmp_path / "plate.zarr"
    make_plate(plate, PlateShape(1, 2, 1), rng)
    file = plate / ".zmetadata"
    consolidate(plate)
    document = json.loads(file.read_text())
    entries = document["metadata"].items()
    document["metadata"] = {k: v for k, v in entries if not k.startswith("A/02/0")}
    file.write_text(json.dumps(document))
    omtask.threshold(plate, parameters=PARAMETERS)
    known = json.loads(file.read_text())["metadata"]
    assert "A/01/0/labels/cells/0/.zarray" in known
    assert not any(key.startswith("A/02/0") for key in known)


def test_wells_choose_images(omtask: Program, tmp_path: Path, rng: np.random.Generator) -> None:
    plate = tmp_path / "plate.zarr"
    images = make_plate(plate, PlateShape(2, 3, 2), rng)
    omtask.threshold(plate, parameters=PARAMETERS, extra=["--wells", "A/02,B/*"])
    done = {place for place in images if listed_labels(plate / place)}
    assert done == {p for p in images if p.startswith(("A/02/", "B/"))}


def test_a_well_and_several_images_are_inputs_too(
    omtask: Program, tmp_path: Path, rng: np.random.Generator
) -> None:
    plate = tmp_path / "plate.zarr"
    images = make_plate(plate, PlateShape(2, 2, 2), rng)
    omtask.threshold(plate / "A/01", plate / "B/02/1", parameters=PARAMETERS)
    done = {place for place in images if listed_labels(plate / place)}
    assert done == {"A/01/0", "A/01/1", "B/02/1"}


@pytest.mark.parametrize("ranks", [None, 3])
def test_one_threshold_per_channel_over_the_whole_plate(
    ranks: int | None, omtask: Program, tmp_path: Path, rng: np.random.Generator
) -> None:
    plate = tmp_path / "plate.zarr"
    images = make_plate(plate, PlateShape(2, 2, 1), rng)
    omtask.threshold(plate, parameters=PARAMETERS | {"scope": "plate"}, ranks=ranks)
    data = [image.levels[0] for image in images.values()]
    found = [threshold(np.concatenate([one[c] for one in data]), "otsu") for c in range(2)]
    for place, image in images.items():
        used = PARAMETERS | {"scope": "channel"}
        ought = expected_labels(image.levels, "cyx", used, CHANNELS, {"cells": found})
        assert_labels(plate / place, "cyx", ought)


def write_wells(
    path: Path, wells: Sequence[tuple[str, ...]], rng: np.random.Generator, dtype: str = "uint16"
) -> dict[str, Image]:
    """A plate of one row whose wells have these channels.

    Every well and every channel has a brightness of its own: a threshold of fewer wells, or of
    another channel, gives other labels.
    """
    images: dict[str, Image] = {}
    shape = PlateShape(1, len(wells), 1)
    for number, (place, channels) in enumerate(zip(shape.images, wells, strict=True)):
        source = samples.blobs_image(samples.V2, rng, "cyx", (len(channels), 40, 48), 2, channels)
        gains = np.array([GAINS[name] * (1 + number / 4) for name in channels]).reshape(-1, 1, 1)
        levels = [(level * gains).astype(dtype) for level in source.levels]
        images[place] = replace(source, levels=levels)
    write_plate(path, shape, images)
    return images


GAINS = {"DAPI": 1, "GFP": 5, "RFP": 9}


def pooled(images: Iterable[Image], channel: str) -> float:
    """scikit-image's threshold of a channel's voxels in all wells that have it."""
    voxels = [one.levels[0][list(one.channels).index(channel)] for one in images
              if channel in one.channels]
    return threshold(np.concatenate(voxels), "otsu")


def assert_plate_thresholds(
    plate: Path, images: dict[str, Image], outcome: Outcome, channels: Sequence[str]
) -> None:
    """Each channel has the threshold of its pooled voxels, in the report and in the labels."""
    found = {f"{channel}_segmented": pooled(images.values(), channel) for channel in channels}
    for output in outcome.report.outputs:
        assert [scope["value"] for scope in output["thresholds"]] == [found[output["name"]]]
    for place, image in images.items():
        here = [channel for channel in channels if channel in image.channels]
        assert sorted(listed_labels(plate / place)) == sorted(f"{one}_segmented" for one in here)
        if here:
            wanted = {"scope": "channel", "channel": here}
            known = {name: [value] for name, value in found.items()}
            assert_labels(plate / place, "cyx", expected_labels(
                image.levels, "cyx", wanted, image.channels, known))


PLATE_SCOPE = {"method": "otsu", "scope": "plate"}
# On two threads, on one rank or two: fewer images than two per worker are split among the workers.
split_or_whole = pytest.mark.parametrize("wells", [3, 8], ids=["split images", "whole images"])


@pytest.mark.parametrize("ranks", [None, 2])
@split_or_whole
def test_a_plate_threshold_holds_although_the_first_image_lacks_the_channel(
    wells: int, ranks: int | None, omtask: Program, tmp_path: Path, rng: np.random.Generator
) -> None:
    plate = tmp_path / "plate.zarr"
    images = write_wells(plate, [("DAPI", "RFP"), *[("DAPI", "GFP")] * (wells - 1)], rng)
    wanted = PLATE_SCOPE | {"channel": "GFP", "skip_if_missing": True}
    outcome = omtask.threshold(plate, parameters=wanted, ranks=ranks, threads=2)
    assert len(outcome.report.outputs) == wells - 1
    assert_plate_thresholds(plate, images, outcome, ["GFP"])


@pytest.mark.parametrize("ranks", [None, 2])
@pytest.mark.parametrize("channels", [["DAPI"], ["DAPI", "GFP"]], ids=",".join)
def test_plate_thresholds_go_by_the_name_of_the_channel(
    channels: list[str], ranks: int | None, omtask: Program, tmp_path: Path,
    rng: np.random.Generator,
) -> None:
    plate = tmp_path / "plate.zarr"
    images = write_wells(plate, [("DAPI", "GFP"), ("GFP", "DAPI")], rng)
    wanted = PLATE_SCOPE | {"channel": channels}
    outcome = omtask.threshold(plate, parameters=wanted, ranks=ranks)
    assert len(outcome.report.outputs) == 2 * len(channels)
    assert_plate_thresholds(plate, images, outcome, channels)


@pytest.mark.parametrize("ranks", [None, 2])
@split_or_whole
def test_a_plate_threshold_of_floating_point_images_is_found_in_two_passes(
    wells: int, ranks: int | None, omtask: Program, tmp_path: Path, rng: np.random.Generator
) -> None:
    plate = tmp_path / "plate.zarr"
    images = write_wells(plate, [("DAPI", "GFP")] * wells, rng, "float32")
    wanted = PLATE_SCOPE | {"channel": ["DAPI", "GFP"]}
    outcome = omtask.threshold(plate, parameters=wanted, ranks=ranks, threads=2)
    assert len(outcome.report.outputs) == 2 * wells
    assert_plate_thresholds(plate, images, outcome, ["DAPI", "GFP"])


@pytest.mark.parametrize("scope", ["channel", "plate"])
def test_ranks_may_have_different_numbers_of_threads(
    scope: str, omtask: Program, tmp_path: Path, rng: np.random.Generator
) -> None:
    plate, report = tmp_path / "plate.zarr", tmp_path / "report.json"
    images = make_plate(plate, PlateShape(1, 5, 1), rng)
    words = ["run", "threshold", plate, *flags(PARAMETERS | {"scope": scope}), "--threads"]
    first = [*mpirun(1), str(omtask.path), *map(str, words), "1", "--report", str(report)]
    # Five images are many for 1 worker, few for 4: each rank alone would decide otherwise.
    omtask(*words, 4, "--report", report, launcher=[*first, ":", "-n", "1"], timeout=60)
    assert ends(Report.read(report).with_status("done"), list(images))
    assert all(listed_labels(plate / place) == ["cells"] for place in images)
    assert not leftovers(plate)
