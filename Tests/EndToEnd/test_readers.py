"""Label images of every version and layout, read by six other programs; what was there stays, as text.

`LIMITS` in `omtask_testing/readers.py` says what these programs do not read.
"""

import json
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import ngff_zarr
import ngio
import numpy as np
import ome_zarr.io
import ome_zarr.reader
import pytest
import zarr

from omtask_testing import patterns, versions
from omtask_testing.images import downsampled
from omtask_testing.layouts import SHARDED_LAYOUTS, V2_LAYOUTS, V3_LAYOUTS, Layout
from omtask_testing.oracle import expected_labels
from omtask_testing.program import Program
from omtask_testing.readers import READERS, Found, limit, shown
from omtask_testing.texts import change_of

VERSIONS = ("0.1", "0.2", "0.3", "0.4", "0.5", "0.6")
SHAPE = {"t": 2, "c": 2, "z": 7, "y": 40, "x": 37}
LEVELS = 3


@dataclass(frozen=True)
class Case:
    """An image as another program left it."""

    version: str
    axes: str
    layout: Layout
    consolidated: bool = False

    def __str__(self) -> str:
        return f"{self.version}-{self.axes}-{self.layout.name}{'-copies' * self.consolidated}"


def cases(full: bool) -> Iterator[Case]:
    """Every layout in every version; with `full` each with all axes, else with those whose turn it is."""
    for turn, version in enumerate(VERSIONS):
        layouts = V2_LAYOUTS if version <= "0.4" else V3_LAYOUTS + SHARDED_LAYOUTS
        every = ("tczyx",) if version <= "0.2" else ("tczyx", "zyx", "cyx", "yx")
        # The oldest are stored like 0.4, 0.6 like 0.5.
        step = 1 if full or version in ("0.4", "0.5") else 3
        for number, layout in list(enumerate(layouts))[turn % step :: step]:
            # Keys of chunks are part of these versions.
            if version <= "0.3":
                layout = replace(layout, separator="." if version == "0.1" else "/")
            for axes in every if full else [every[(number + turn) % len(every)]]:
                yield Case(version, axes, layout)
        for layout in (layouts[0], layouts[-3]):
            yield Case(version, every[0], layout, consolidated=True)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "case" in metafunc.fixturenames:
        full = metafunc.config.getoption("--acceptance")
        metafunc.parametrize("case", list(cases(full)), ids=str, scope="module")


@pytest.fixture(scope="module")
def labelled(
    case: Case, omtask: Program, tmp_path_factory: pytest.TempPathFactory,
    request: pytest.FixtureRequest,
) -> tuple[Path, Found]:
    """The image with a label image of its last channel, and what that must hold."""
    words = np.frombuffer(str(case).encode(), np.uint8)
    rng = np.random.default_rng([request.config.getoption("--seed"), *words.tolist()])
    image = tmp_path_factory.mktemp("readers") / "image.zarr"
    levels = downsampled(case.axes, voxels(case.axes, rng), LEVELS)
    versions.write(image, case.version, case.axes, levels, case.layout)
    if case.consolidated:
        zarr.consolidate_metadata(image)
    parameters = {"method": "otsu", "label_name": "nuclei"}
    if "c" in case.axes:
        parameters["channel"] = "1"
    omtask.threshold(image, parameters=parameters, extra=["--durability", "none"])
    return image, expected(case, levels, parameters)


def voxels(axes: str, rng: np.random.Generator) -> np.ndarray:
    shape = tuple(SHAPE[axis] for axis in axes)
    return patterns.intensities(patterns.blobs(shape, rng), "uint16", rng)


def expected(case: Case, levels: list[np.ndarray], parameters: dict[str, str]) -> Found:
    (label,) = expected_labels(levels, case.axes, parameters)
    made, axes = label.levels, case.axes.replace("c", "")
    assert made[0].max() > 1
    if case.version <= "0.2":
        # Every image has five axes; the other channel is background.
        made, axes = [np.stack([np.zeros_like(m), m], 1) for m in made], case.axes
    scales = [
        [step for step, axis in zip(versions.scales(case.axes, n), case.axes) if axis in axes]
        for n in range(LEVELS)]
    return Found(made, axes, scales)


@pytest.mark.parametrize("reader", READERS)
def test_another_program_reads_the_label_image(
    labelled: tuple[Path, Found], case: Case, reader: str
) -> None:
    image, true = labelled
    if known := limit(reader, case.version, case.layout.name):
        with pytest.raises(Exception, match=known.says):
            READERS[reader](image, "nuclei", case.version)
        return
    assert_shown(READERS[reader](image, "nuclei", case.version), shown(reader, case.version, true))


def assert_shown(found: Found, ought: Found) -> None:
    """All levels, and what the program can be asked."""
    for number, (is_, level) in enumerate(zip(found.levels, ought.levels, strict=True)):
        assert is_.dtype == level.dtype, f"level {number}"
        assert np.array_equal(is_, level), f"level {number}"
    assert found.axes in (None, ought.axes)
    assert None in (found.scales, ought.scales) or found.scales == ought.scales


def test_the_schemas_take_the_label_image(
    labelled: tuple[Path, Found], case: Case
) -> None:
    image, _ = labelled
    label = image / "labels" / "nuclei"
    # `strict_label` wants a colour for each object; 0.1 to 0.3 have no schema of label images.
    for kind in ("image", "strict_image", "label"):
        assert versions.problems(label, case.version, kind) == []


@pytest.mark.parametrize("version", ["0.4", "0.5"])
def test_ome_zarr_models_takes_images_of_all_axes(
    version: str, omtask: Program, tmp_path: Path, rng: np.random.Generator
) -> None:
    words: list[str | Path] = []
    for axes in ("tczyx", "czyx", "zyx", "cyx", "yx"):
        image = tmp_path / f"{axes}.zarr"
        versions.write(image, version, axes, downsampled(axes, voxels(axes, rng), LEVELS))
        omtask.threshold(image, parameters={"channel": "1"} if "c" in axes else {}, extra=["--label-name", "nuclei"])
        words += [image, "nuclei", version]
    check("model_check", *words)


def check(module: str, *words: str | Path) -> None:
    command = [sys.executable, "-m", f"omtask_testing.{module}", *words]
    done = subprocess.run(command, cwd=Path(__file__).parent, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


# Plates


@pytest.mark.parametrize("version", VERSIONS)
def test_a_plate_and_its_label_images(
    version: str, omtask: Program, tmp_path: Path, rng: np.random.Generator
) -> None:
    axes = "tczyx" if version <= "0.2" else "czyx"
    layout = replace(V2_LAYOUTS[5], separator="." if version == "0.1" else "/")
    case = Case(version, axes, layout if version <= "0.4" else SHARDED_LAYOUTS[0])
    wells = {well: downsampled(axes, voxels(axes, rng), LEVELS) for well in ("A/1", "B/2")}
    plate = versions.write_plate(tmp_path / "plate.zarr", version, axes, wells, case.layout)
    parameters = {"method": "otsu", "label_name": "nuclei", "channel": "1"}
    omtask.threshold(plate, parameters=parameters)
    for well, levels in wells.items():
        true = expected(case, levels, parameters)
        for reader in READERS:
            if not limit(reader, version, case.layout.name):
                found = READERS[reader](plate / well / "0", "nuclei", version)
                assert_shown(found, shown(reader, version, true))
    for path, kind in (("", "plate"), ("A/1", "well"), ("A/1/0", "image")):
        assert versions.problems(plate / path, version, kind) == []
    if version in ("0.4", "0.5"):
        check("plate_check", plate, version)
        container = ngio.open_ome_zarr_plate(plate, mode="r").get_image("B", "2", "0")
        found = container.get_label("nuclei").get_as_numpy()
        assert np.array_equal(found, expected(case, wells["B/2"], parameters).levels[0])
    # 0.6 is not known to ome-zarr-py, and those before 0.4 not to the plates of ngff-zarr.
    if version <= "0.5":
        location = ome_zarr.io.parse_url(plate)
        assert location is not None
        specs = next(iter(ome_zarr.reader.Reader(location)())).specs
        assert "Plate" in [type(spec).__name__ for spec in specs]
    if version >= "0.4":
        well = ngff_zarr.from_hcs_zarr(plate, validate=True).get_well("B", "2")
        image = well.get_image(0).images[0]
        assert np.array_equal(np.asarray(image.data), wells["B/2"][0])


# Texts

FOREIGN = (
    '"zeta": {"one": 1.0, "whole": 1, "short": 1e3, "big": 12345678901234567890123, "small": 1E-7, '
    '"minus": -0.0}, "alpha": [0.10, {"b": 1, "a": 2.50}], "": null')


def document(group: Path, version: str) -> Path:
    return group / (".zattrs" if version <= "0.4" else "zarr.json")


def keys(version: str) -> str:
    """Where the keys of OME-Zarr are in a document."""
    return "" if version <= "0.4" else "/attributes/ome"


def insert(file: Path, *pieces: tuple[str, str]) -> str:
    """Puts foreign members into a document, and other texts; returns it as it is then."""
    text = json.dumps(json.loads(file.read_text()))
    if file.name.startswith(".z"):
        text = "{" + FOREIGN + ", " + text[1:]
        starts = ['.zattrs": {'] if file.name == ".zmetadata" else []
    else:
        starts = ['"attributes": {', '"ome": {']
    for before, after in (*((start, f"{start}{FOREIGN}, ") for start in starts), *pieces):
        assert before in text, f"{before} is not in {text}"
        text = text.replace(before, after)
    text = text.replace(", }", "}")
    file.write_text(text)
    return text


def small(path: Path, version: str, rng: np.random.Generator) -> Path:
    axes = "tczyx" if version <= "0.2" else "zyx"
    return versions.write(path, version, axes, downsampled(axes, voxels(axes, rng), LEVELS))


def parameters(version: str, name: str) -> dict[str, str]:
    return {"label_name": name} | ({"channel": "0"} if version <= "0.2" else {})


@pytest.mark.parametrize("version", VERSIONS)
def test_one_entry_is_all_that_changes_in_the_lists(
    version: str, omtask: Program, tmp_path: Path, rng: np.random.Generator
) -> None:
    image = small(tmp_path / "image.zarr", version, rng)
    omtask.threshold(image, parameters=parameters(version, "first"))
    listing, own = document(image / "labels", version), document(image, version)
    before, kept = insert(listing), insert(own)
    omtask.threshold(image, parameters=parameters(version, "second"))
    assert change_of(listing, before) == [f"+ {keys(version)}/labels/1"]
    assert own.read_text() == kept
    if version <= "0.2":
        return
    omtask.run("measure", image, parameters={"label": "first"})
    tables = document(image / "tables", version)
    before = insert(tables) if version <= "0.4" else tables.read_text()
    omtask.run("measure", image, parameters={"label": "second"})
    (change,) = change_of(tables, before)
    assert change.endswith("/tables/1") and own.read_text() == kept


@pytest.mark.parametrize("version", VERSIONS)
def test_a_copy_of_metadata_gets_what_is_new_and_keeps_the_rest(
    version: str, omtask: Program, tmp_path: Path, rng: np.random.Generator
) -> None:
    image = small(tmp_path / "image.zarr", version, rng)
    omtask.threshold(image, parameters=parameters(version, "first"))
    zarr.consolidate_metadata(image)
    copy = image / (".zmetadata" if version <= "0.4" else "zarr.json")
    before = insert(copy)
    omtask.threshold(image, parameters=parameters(version, "second"))
    # The copy of the list is the list as it is now; all that lies beside it stays.
    labels = ("/metadata" if version <= "0.4" else "/consolidated_metadata/metadata") + "/labels"
    changes = [
        change for change in change_of(copy, before) if not change.startswith(f"+ {labels}/second")]
    beside = [
        change for change in changes
        if not change[2:].startswith(labels) or change[2:].startswith(f"{labels}/first")]
    assert changes and beside == []
    group = zarr.open_consolidated(image)
    assert group["labels/second/0"].dtype == np.uint32


@pytest.mark.parametrize("version", VERSIONS)
def test_new_levels_leave_all_else_in_the_metadata_of_an_image(
    version: str, omtask: Program, tmp_path: Path, rng: np.random.Generator
) -> None:
    image = small(tmp_path / "image.zarr", version, rng)
    pieces = [('"name": "made"', '"name": "made", "made": {"z": 1e0, "a": [1.0, 1, 1.50]}')]
    if version >= "0.4":
        pieces += [('"unit": "micrometer"', '"unit": "micrometer", "longName": "n", "nr": 3.0'),
                   ('"scale": [1.5, 0.5, 0.25]', '"scale": [15e-1, 0.50, 0.250]')]
    before = insert(document(image, version), *pieces)
    omtask.run("pyramid", image, parameters={"levels": LEVELS + 1, "factors": 2})
    changes = change_of(document(image, version), before)
    levels = f"{keys(version)}/multiscales/0/"
    assert f"+ {levels}datasets/{LEVELS}" in changes
    assert [c for c in changes if not c[2:].startswith((f"{levels}datasets/", f"{levels}type",
            f"{levels}metadata", f"{keys(version)}/omtask", "/attributes/omtask", "/omtask"))] == []
    assert not [c for c in changes if c[2:].startswith(f"{levels}datasets/0")]


@pytest.mark.parametrize("version", ["0.4", "0.5", "0.6"])
def test_a_label_image_has_the_numbers_of_its_image_as_they_are_written(
    version: str, omtask: Program, tmp_path: Path, rng: np.random.Generator
) -> None:
    image = small(tmp_path / "image.zarr", version, rng)
    insert(document(image, version), ('"scale": [1.5, 0.5, 0.25]', '"scale": [15e-1, 0.50, 25E-2]'))
    omtask.threshold(image, parameters=parameters(version, "cells"))
    text = "".join(document(image / "labels" / "cells", version).read_text().split())
    assert '"scale":[15e-1,0.50,25E-2]' in text
    assert '"scale":[1.5,1.0,0.5]' in text
