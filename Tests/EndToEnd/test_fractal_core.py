"""Tasks of Fractal's own core package, from PyPI, run by omtask over a plate, and killed on the way."""

import json
import os
import shutil
import signal
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import ngio
import numpy as np
import pytest

from omtask_testing import samples
from omtask_testing.fractal import core_python
from omtask_testing.images import Image, PlateShape, write_group, write_plate
from omtask_testing.jobs import Job, until
from omtask_testing.layouts import ZSTD, Layout
from omtask_testing.program import Program
from omtask_testing.reading import listed_labels, read_label
from omtask_testing.tables import write_rois
from omtask_testing.trees import tree

# Without shards: the task writes chunks of one shard from several threads at once, and loses some.
LAYOUT = Layout("chunks", "0.5", (1, 32, 32), None, (ZSTD,))
DIRECT = """
import json, sys
from fractal_tasks_core.threshold_segmentation import threshold_segmentation
arguments, *images = sys.argv[1:]
for image in images:
    threshold_segmentation(zarr_url=image, **json.loads(arguments))
"""
# Otsu for each field of view alone, after a blur; small objects go; boxes of objects as a table.
ARGUMENTS: dict[str, Any] = {
    "channel": {"mode": "label", "identifier": "GFP"},
    "output_label_name": "{channel_identifier}_cells",
    "iterator_configuration": {"roi_table": "FOV_ROI_table"},
    "pre_post_process": {
        "pre_process": [{"type": "Gaussian Blur Filter", "sigma_xy": 1.5}],
        "post_process": [{"type": "Size Filter", "min_size": 6}],
    },
    "create_masking_roi_table": {
        "mode": "Create Masking ROI Table", "table_name": "{output_label_name}_boxes"},
}


@pytest.fixture(scope="module")
def python() -> Path:
    return core_python()


def place(python: Path) -> str:
    """The task, as it lies in its environment."""
    ask = "import fractal_tasks_core as f; print(f.__path__[0])"
    folder = subprocess.run([python, "-c", ask], capture_output=True, text=True, check=True).stdout
    return f"{folder.strip()}/__FRACTAL_MANIFEST__.json#threshold-segmentation"


def make_plate(path: Path, shape: PlateShape, rng: np.random.Generator) -> list[Path]:
    images = {
        place: samples.blobs_image(LAYOUT, rng, "cyx", (2, 128, 128), 2, ("DAPI", "GFP"))
        for place in shape.images
    }
    write_plate(path, shape, images)
    half = 0.325 * 64
    for place in images:
        boxes = [{"y": (0.0, 0.325 * 128), "x": (start, half)} for start in (0.0, half)]
        write_rois(path / place, "FOV_ROI_table", boxes)
    return [path / place for place in images]


def assert_equal(made: Path, wanted: Path) -> None:
    """Labels and tables of two images are the same, and ngio reads them."""
    assert listed_labels(made) == listed_labels(wanted) == ["GFP_cells"]
    ours, theirs = read_label(made, "GFP_cells"), read_label(wanted, "GFP_cells")
    assert all(np.array_equal(a, b) for a, b in zip(ours.levels, theirs.levels, strict=True))
    assert ours.levels[0].max() > 1
    tables = [
        ngio.open_ome_zarr_container(str(image)).get_table("GFP_cells_boxes").dataframe
        for image in (made, wanted)
    ]
    assert len(tables[0]) > 1 and tables[0].equals(tables[1])


def test_the_core_threshold_task_over_a_plate(
    python: Path, omtask: Program, tmp_path: Path, rng: np.random.Generator,
    scaled: Callable[[int, int], int],
) -> None:
    shape = PlateShape(scaled(2, 8), scaled(3, 12), 1)
    plate, copy = tmp_path / "plate.zarr", tmp_path / "direct.zarr"
    images = make_plate(plate, shape, rng)
    shutil.copytree(plate, copy)
    pairs = [(image, copy / image.relative_to(plate)) for image in images]
    direct = [python, "-c", DIRECT, json.dumps(ARGUMENTS), *(theirs for _, theirs in pairs)]
    subprocess.run(direct, check=True, capture_output=True, timeout=600)
    file = tmp_path / "args.json"
    file.write_text(json.dumps(ARGUMENTS))

    # Killed when the first image is done, in the middle of another.
    command = [omtask.path, "run", place(python), plate, "--args-json", file, "--threads", "2"]
    job = Job(command, tmp_path, {})
    try:
        until(lambda: list(plate.rglob(".0.omtask/*.json")), 120, "the first image")
        os.kill(job.ranks()[0], signal.SIGKILL)
        job.end(20)
    finally:
        job.clean_up()
    done = {str(path.parent.parent / "0") for path in plate.rglob(".0.omtask/*.json")}
    assert 1 <= len(done) < len(images)

    out = tmp_path / "out.json"
    call: dict[str, Any] = {"ranks": 2, "extra": ["--args-json", file, "--out-json", out]}
    outcome = omtask.run(place(python), plate, **call, timeout=1200)
    assert set(outcome.report.with_status("skipped")) == done
    assert len(outcome.report.with_status("done")) == len(images) - len(done)
    first = next(image for image in outcome.report.images if image["status"] == "done")
    assert {(o["kind"], o["name"]) for o in first["outputs"]} == {
        ("label", "GFP_cells"), ("table", "GFP_cells_boxes")}
    assert "label GFP_cells successfully created" in Path(first["log"]).read_text()
    assert json.loads(out.read_text()) == {
        "image_list_updates": [{"zarr_url": str(image)} for image in images]}
    for ours, theirs in pairs:
        assert_equal(ours, theirs)

    # And once more: nothing is left to do.
    before = tree(plate)
    again = omtask.run(place(python), plate, **call)
    assert len(again.report.with_status("skipped")) == len(images)
    assert again.seconds < 5 and tree(plate) == before


def test_what_the_task_says_is_told(
    python: Path, omtask: Program, tmp_path: Path, rng: np.random.Generator
) -> None:
    (image,) = make_plate(tmp_path / "plate.zarr", PlateShape(1, 1, 1), rng)
    said = omtask.run(
        place(python), image, extra=["--channel", '{"identifier": "RFP"}'], expect=1).stderr
    assert "ended with exit code 1" in said and "set skip_if_missing to True" in said
    said = omtask.run(
        place(python), image, extra=["--channel", '{"mode": "name", "identifier": "GFP"}'], expect=64
    ).stderr
    assert "allowed are label, wavelength_id, index" in said


# Tasks that have one place for new images

STEPS = """
import importlib, json, sys
first, second, arguments = sys.argv[1:]
arguments = json.loads(arguments)
def function(name):
    return getattr(importlib.import_module(f"fractal_tasks_core.{name}"), name)
made = function(first)(**arguments["first"])
if second:
    for item in made["parallelization_list"]:
        function(second)(**item, **arguments["second"])
"""


def by_hand(
    python: Path, first: str, second: str, given: dict[str, Any], then: dict[str, Any] | None = None
) -> None:
    """Calls the functions of a task's two scripts in their order."""
    text = json.dumps({"first": given, "second": then or {}})
    subprocess.run([python, "-c", STEPS, first, second, text], check=True, capture_output=True, timeout=600)


def make_deep_plate(path: Path, shape: PlateShape, rng: np.random.Generator) -> list[Path]:
    images = {
        place: samples.blobs_image(LAYOUT, rng, "zyx", (5, 64, 64), 2) for place in shape.images}
    write_plate(path, shape, images)
    return [path / place for place in images]


def visible(folder: Path) -> dict[str, str]:
    """What lies there but for the records of omtask."""
    return {name: digest for name, digest in tree(folder).items() if ".omtask" not in name}


def test_the_core_projection_of_a_plate(
    python: Path, omtask: Program, tmp_path: Path, rng: np.random.Generator, scaled: Callable[[int, int], int],
) -> None:
    shape = PlateShape(scaled(1, 4), scaled(2, 6), 1)
    ours, theirs = tmp_path / "ours", tmp_path / "theirs"
    images = make_deep_plate(ours / "plate.zarr", shape, rng)
    shutil.copytree(ours, theirs)
    urls = [str(theirs / image.relative_to(ours)) for image in images]
    by_hand(
        python, "init_projection_hcs", "compute_projection_hcs",
        {"zarr_urls": urls, "zarr_dir": str(theirs), "method": "Mean intensity projection"})
    out = tmp_path / "out.json"
    task = place(python).replace("threshold-segmentation", "project-image-hcs-plate")
    call: dict[str, Any] = {
        "ranks": 2, "extra": ["--method", "Mean intensity projection", "--out-json", out], "timeout": 600}
    outcome = omtask.run(task, ours / "plate.zarr", **call)
    assert len(outcome.report.with_status("done")) == 1 + len(images)
    wanted = visible(theirs)
    assert visible(ours) == wanted and any("meanip" in name for name in wanted)
    told = json.loads(out.read_text())["image_list_updates"]
    (made,) = [entry.name for entry in ours.iterdir() if entry.name not in ("plate.zarr", ".omtask")]
    assert [update["zarr_url"] for update in told] == [
        str(ours / made / image.relative_to(ours / "plate.zarr")) for image in images]
    assert all(update["types"]["is_3D"] is False for update in told)
    assert [update["origin"] for update in told] == [str(image) for image in images]
    again = omtask.run(task, ours / "plate.zarr", **call)
    assert len(again.report.with_status("skipped")) == 1 + len(images)
    if len(images) > 2:
        # An image that is gone is projected again; the others and the plate stay.
        shutil.rmtree(ours / made / images[0].relative_to(ours / "plate.zarr"))
        again = omtask.run(task, ours / "plate.zarr", **call)
        assert again.report.with_status("done") == [told[0]["zarr_url"]]
        assert visible(ours) == wanted


def test_the_core_import_registers_a_plate(
    python: Path, omtask: Program, tmp_path: Path, rng: np.random.Generator
) -> None:
    ours, theirs = tmp_path / "ours", tmp_path / "theirs"
    images = make_deep_plate(ours / "plate.zarr", PlateShape(1, 1, 1), rng)
    shutil.copytree(ours, theirs)
    by_hand(python, "import_ome_zarr", "", {"zarr_dir": str(theirs), "zarr_name": "plate.zarr"})
    task = place(python).replace("threshold-segmentation", "import-ome-zarr")
    out = tmp_path / "out.json"
    omtask("run", task, "--output", ours, "--zarr-name", "plate.zarr", "--out-json", out)
    assert visible(ours) == visible(theirs)
    told = json.loads(out.read_text())["image_list_updates"]
    assert [update["zarr_url"] for update in told] == [str(image) for image in images]
    assert all(update["attributes"]["plate"] == "plate.zarr" and update["types"]["is_3D"] for update in told)
    assert "nothing to do" in omtask(
        "run", task, "--output", ours, "--zarr-name", "plate.zarr", "--out-json", out).stderr


def make_acquisitions(path: Path, wells: int, rng: np.random.Generator) -> list[Path]:
    """A plate whose wells have two acquisitions of one field, the second one shifted."""
    shape = PlateShape(1, wells, 2)
    images: dict[str, Image] = {}
    for well in shape.wells:
        scene = rng.integers(0, 4000, size=(1, 1, 80, 80)).astype(np.uint16)
        for number, start in enumerate((4, 9)):
            data = scene[..., start : start + 64, start - 2 : start + 62]
            images[f"{well}/{number}"] = Image("czyx", [np.ascontiguousarray(data)], LAYOUT, ("DAPI",))
    write_plate(path, shape, images)
    plate = shape.document() | {"version": "0.5", "acquisitions": [{"id": 0}, {"id": 1}]}
    write_group(path, "0.5", {"plate": plate})
    for well in shape.wells:
        fields = [{"path": str(number), "acquisition": number} for number in range(2)]
        write_group(path / well, "0.5", {"well": {"images": fields, "version": "0.5"}})
    for image in images:
        write_rois(path / image, "FOV_ROI_table", [{"y": (0.0, 0.325 * 64), "x": (0.0, 0.325 * 64)}])
    return [path / image for image in images]


def test_the_core_registration_of_acquisitions(
    python: Path, omtask: Program, tmp_path: Path, rng: np.random.Generator, scaled: Callable[[int, int], int],
) -> None:
    wells = scaled(0, 3)
    if not wells:
        pytest.skip("registration by the core tasks takes long (--acceptance)")
    ours, theirs = tmp_path / "ours", tmp_path / "theirs"
    images = make_acquisitions(ours / "plate.zarr", wells, rng)
    shutil.copytree(ours, theirs)
    first = {"zarr_urls": [str(theirs / image.relative_to(ours)) for image in images], "zarr_dir": str(theirs)}
    then = {"wavelength_id": "A01_C01", "level_path": "0"}
    by_hand(python, "init_image_based_registration", "compute_image_based_registration", first, then)
    by_hand(python, "init_registration_consensus", "compute_registration_consensus", first)
    steps = [("calculate-registration-image-based", [f"--{key.replace('_', '-')}={value}" for key, value in then.items()]),
             ("find-registration-consensus", [])]
    for name, flags in steps:
        task = place(python).replace("threshold-segmentation", name)
        omtask.run(task, ours / "plate.zarr", ranks=2, extra=flags, timeout=600)
        again = omtask.run(task, ours / "plate.zarr", extra=flags)
        assert not again.report.with_status("done")
    tables = [
        [ngio.open_ome_zarr_container(str(root / image.relative_to(ours))).get_table(name).dataframe for image in images]
        for root in (ours, theirs) for name in ("FOV_ROI_table", "FOV_ROI_table_registered")
    ]
    for made, wanted in zip(tables[0] + tables[1], tables[2] + tables[3], strict=True):
        # The task writes its columns in an order that is another one every time.
        assert made.sort_index(axis=1).equals(wanted.sort_index(axis=1))
    assert any("translation_x" in table.columns for table in tables[0])
