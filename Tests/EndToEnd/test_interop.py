"""Other programs open what omtask writes, and what they wrote before survives."""

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import ngio
import numpy as np
import pytest
import tensorstore
import zarr

from omtask_testing import samples
from omtask_testing.images import PIXEL, write_group
from omtask_testing.layouts import Layout
from omtask_testing.oracle import Expected, expected_labels
from omtask_testing.program import Program
from omtask_testing.reading import listed_labels, read_multiscale

PARAMETERS = {"method": "otsu", "label_name": "nuclei"}
both_versions = pytest.mark.parametrize("layout", samples.BOTH, ids=lambda layout: layout.version)

# Numbers whose text a careless program changes, and keys out of order.
FOREIGN = '"zeta": {"one": 1.0, "big": 12345678901234567890123, "small": 1E-7}, "alpha": [0.10]'


@pytest.fixture
def labelled(
    layout: Layout, omtask: Program, tmp_path: Path, rng: np.random.Generator
) -> tuple[Path, Expected]:
    """An image of two channels with the label image `nuclei` of the first, and what is in it."""
    path = tmp_path / "image.zarr"
    shape = (2, 20, 50, 60)
    image = samples.write_blobs(path, layout, rng, axes="czyx", shape=shape, channels=("a", "b"))
    wanted = PARAMETERS | {"channel": "a"}
    omtask.threshold(path, parameters=wanted)
    (label,) = expected_labels(image.levels, "czyx", wanted, ("a", "b"))
    return path, label


@both_versions
def test_tensorstore_reads_the_label(labelled: tuple[Path, Expected], layout: Layout) -> None:
    path, label = labelled
    driver = "zarr" if layout.is_v2 else "zarr3"
    for level, ought in enumerate(label.levels):
        kvstore = {"driver": "file", "path": f"{path}/labels/nuclei/{level}/"}
        array = tensorstore.open({"driver": driver, "kvstore": kvstore}, open=True).result()
        assert np.array_equal(array.read().result(), ought)


@both_versions
def test_zarr_python_walks_to_the_label(labelled: tuple[Path, Expected]) -> None:
    path, label = labelled
    group = zarr.open_group(path, mode="r")
    assert np.array_equal(group["labels/nuclei/0"][...], label.levels[0])


@both_versions
def test_ngio_opens_the_label(labelled: tuple[Path, Expected]) -> None:
    path, label = labelled
    container = ngio.open_ome_zarr_container(path)
    assert container.list_labels() == ["nuclei"]
    for level, ought in enumerate(label.levels):
        found = container.get_label("nuclei", path=str(level))
        assert np.array_equal(np.squeeze(found.get_as_numpy()), ought)
        factor = 2**level
        size = found.pixel_size
        assert (size.z, size.y, size.x) == tuple(PIXEL[axis] * factor for axis in "zyx")


@both_versions
def test_ome_zarr_models_finds_the_metadata_valid(
    labelled: tuple[Path, Expected], layout: Layout
) -> None:
    path, _ = labelled
    words = [sys.executable, "-m", "omtask_testing.model_check", path, "nuclei", layout.version]
    done = subprocess.run(words, cwd=Path(__file__).parent, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


@both_versions
def test_an_image_written_by_ngio_gets_its_label(
    layout: Layout, omtask: Program, tmp_path: Path
) -> None:
    path = tmp_path / "sample.zarr"
    ngio.create_synthetic_ome_zarr(path, shape=(3, 130, 170), levels=3, ngff_version=layout.version)
    before = ngio.open_ome_zarr_container(path).list_labels()
    omtask.threshold(path, parameters=PARAMETERS | {"label_name": "ours"})
    container = ngio.open_ome_zarr_container(path)
    assert container.list_labels() == [*before, "ours"]
    source = read_multiscale(path)
    (ought,) = expected_labels(source.levels[:1], "zyx", PARAMETERS | {"label_name": "ours"})
    assert np.array_equal(container.get_label("ours").get_as_numpy(), ought.levels[0])


@both_versions
def test_ngio_and_the_models_take_levels_that_were_made_in_place(
    layout: Layout, omtask: Program, tmp_path: Path, rng: np.random.Generator
) -> None:
    path = tmp_path / "image.zarr"
    image = samples.write_blobs(path, layout, rng, levels=2)
    omtask.threshold(path, parameters=PARAMETERS)
    omtask.run("pyramid", path, parameters={"levels": 4, "factors": 2})
    container = ngio.open_ome_zarr_container(path)
    assert container.list_labels() == ["nuclei"]
    assert len(container.level_paths) == 4
    data = image.levels[0]
    for level, name in enumerate(container.level_paths):
        found, label = container.get_image(path=name), container.get_label("nuclei", path=(
            container.get_label("nuclei").meta.paths[level]))
        assert np.array_equal(found.get_as_numpy(), data)
        assert label.shape == found.shape
        for size in (found.pixel_size, label.pixel_size):
            assert np.allclose(
                (size.z, size.y, size.x), [PIXEL[axis] * 2**level for axis in "zyx"])
        data = tensorstore.downsample(tensorstore.array(data), [2, 2, 2], "mean").read().result()
    words = [sys.executable, "-m", "omtask_testing.model_check", path, "nuclei", layout.version]
    done = subprocess.run(words, cwd=Path(__file__).parent, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def insert(file: Path, after: str, text: str) -> None:
    """Puts raw JSON text behind a piece of a document."""
    document = file.read_text()
    assert after in document, f"{after} is not in {file}"
    file.write_text(document.replace(after, after + text, 1))


def squeezed(file: Path) -> str:
    return re.sub(r"\s", "", file.read_text())


@both_versions
def test_foreign_members_of_the_labels_list_survive(
    layout: Layout, omtask: Program, tmp_path: Path, rng: np.random.Generator
) -> None:
    path = tmp_path / "image.zarr"
    samples.write_blobs(path, layout, rng)
    write_group(path / "labels", layout.version, {"labels": ["old"]})
    listing = path / "labels" / (".zattrs" if layout.is_v2 else "zarr.json")
    start = "{" if layout.is_v2 else '"attributes": {'
    insert(listing, start, FOREIGN + ",")
    omtask.threshold(path, parameters=PARAMETERS)
    assert listed_labels(path) == ["old", "nuclei"]
    assert re.sub(r"\s", "", FOREIGN) in squeezed(listing)


@both_versions
def test_the_metadata_of_the_image_is_not_touched(
    layout: Layout, omtask: Program, tmp_path: Path, rng: np.random.Generator
) -> None:
    path = tmp_path / "image.zarr"
    samples.write_blobs(path, layout, rng)
    document = path / (".zattrs" if layout.is_v2 else "zarr.json")
    insert(document, "{" if layout.is_v2 else '"attributes": {', FOREIGN + ",")
    before = document.read_bytes()
    omtask.threshold(path, parameters=PARAMETERS)
    assert document.read_bytes() == before


@both_versions
def test_consolidated_metadata_learns_of_the_label(
    layout: Layout, omtask: Program, tmp_path: Path, rng: np.random.Generator
) -> None:
    path = tmp_path / "image.zarr"
    samples.write_blobs(path, layout, rng)
    zarr.consolidate_metadata(path)
    document = path / (".zmetadata" if layout.is_v2 else "zarr.json")
    insert(document, '".zattrs": {' if layout.is_v2 else '"attributes": {', FOREIGN + ",")
    omtask.threshold(path, parameters=PARAMETERS)
    group = zarr.open_consolidated(path)
    assert group["labels/nuclei/0"].dtype == np.uint32
    assert "labels/nuclei/1" in consolidated_keys(path, layout)
    assert re.sub(r"\s", "", FOREIGN) in squeezed(document)


def consolidated_keys(path: Path, layout: Layout) -> set[str]:
    if layout.is_v2:
        keys = json.loads((path / ".zmetadata").read_text())["metadata"]
        return {key.removesuffix("/.zarray") for key in keys}
    document = json.loads((path / "zarr.json").read_text())
    return set(document["consolidated_metadata"]["metadata"])


@both_versions
def test_a_separate_output_opens_by_itself(
    layout: Layout, omtask: Program, tmp_path: Path, rng: np.random.Generator
) -> None:
    path, output = tmp_path / "image.zarr", tmp_path / "result.zarr"
    image = samples.write_blobs(path, layout, rng)
    files = sorted(path.rglob("*"))
    omtask.threshold(path, parameters=PARAMETERS, extra=["--output", output])
    assert sorted(path.rglob("*")) == files
    (ought,) = expected_labels(image.levels, "zyx", PARAMETERS)
    shutil.rmtree(path)
    for is_, level in zip(read_multiscale(output).levels, ought.levels, strict=True):
        assert np.array_equal(is_, level)


@both_versions
def test_provenance_says_what_was_done_and_nothing_of_the_machine(
    labelled: tuple[Path, Expected], layout: Layout, tmp_path: Path
) -> None:
    path, label = labelled
    name = ".zattrs" if layout.is_v2 else "zarr.json"
    text = (path / "labels/nuclei" / name).read_text()
    assert "otsu" in text and json.dumps(label.thresholds[0]).removesuffix(".0") in text
    assert str(tmp_path) not in text
