"""A real Fractal server collects what is exported and runs it: workflows, failures, logs."""

import json
import re
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import ngio
import numpy as np
import pytest

from omtask_testing import fractal, samples
from omtask_testing.checks import assert_labels
from omtask_testing.fractal import exported, local_server
from omtask_testing.fractal import session as web
from omtask_testing.images import Image, PlateShape, write_plate
from omtask_testing.layouts import Layout
from omtask_testing.oracle import expected_labels
from omtask_testing.program import Program, environment
from omtask_testing.reading import listed_labels
from omtask_testing.trees import tree

SHAPE = PlateShape(rows=2, columns=2, fields=1)
MASK = {"method": "otsu", "objects": False, "label_name": "foreground"}
# Each task with its arguments, as a user fills the forms. Threshold runs on what the blur made.
WORKFLOW: list[tuple[str, dict[str, Any]]] = [
    ("Gaussian Blur", {"sigma": [1.5]}),
    ("Threshold", MASK),
    ("Label Objects", {"label": "foreground", "label_name": "nuclei", "min_size": 10}),
    ("Measure", {"label": "nuclei", "table_name": "sizes", "features": ["shape"], "backend": "csv"}),
]
LINE = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d,\d{3}; [a-z-]+; (INFO|ERROR); .+")


@dataclass
class Fractal:
    """A user of a server with the tasks of omtask."""

    web: web.Session
    # Where datasets lie.
    folder: Path
    tasks: list[dict[str, Any]]

    def plate(self, name: str, layout: Layout, rng: np.random.Generator) -> "Dataset":
        """A dataset that holds a new plate."""
        plate = self.folder / name / "plate.zarr"
        images = {path: samples.blobs_image(layout, rng, shape=(6, 60, 70)) for path in SHAPE.images}
        write_plate(plate, SHAPE, images)
        number = self.web.dataset(name, name)
        self.web.add_images(number, fractal.listing(plate, SHAPE))
        return Dataset(number, plate, images)


@dataclass
class Dataset:
    """A dataset that holds one plate."""

    number: int
    plate: Path
    images: dict[str, Image]


@pytest.fixture(scope="module")
def user(
    omtask: Program, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Fractal]:
    """Logged in on a server that has collected the manifest and the program by themselves."""
    folder = tmp_path_factory.mktemp("fractal")
    manifest = exported.install(omtask.path, folder / "prefix")
    env = environment({"FRACTAL_TASK_LOG_LEVEL": "INFO", "OMTASK": str(omtask.path.resolve())})
    try:
        with local_server.run(fractal.python(), folder, env) as server:
            session = web.Session(server)
            yield Fractal(session, folder, session.collect(manifest, manifest.parent, "1"))
    except local_server.NotThere as what:
        pytest.skip(str(what))


def voxels(dataset: Dataset) -> dict[str, np.ndarray]:
    """What ngio reads of the objects, by image."""
    return {
        path: ngio.open_ome_zarr_container(dataset.plate / f"{path}_gaussian")
        .get_label("nuclei").get_as_numpy()
        for path in dataset.images
    }


@pytest.mark.parametrize("layout", samples.BOTH, ids=lambda layout: layout.version)
def test_a_workflow_runs_twice_with_the_same_result(
    layout: Layout, user: Fractal, omtask: Program, tmp_path: Path, rng: np.random.Generator
) -> None:
    dataset = user.plate(f"twice {layout.version}", layout, rng)
    copied = tmp_path / "plate.zarr"
    shutil.copytree(dataset.plate, copied)
    workflow = user.web.workflow(dataset.plate.parent.name, user.tasks, WORKFLOW)
    first = user.web.run(workflow, dataset.number)
    assert first.is_done, first

    # The list of images: the originals and what the blur made of them, as the manifest says.
    listed = user.web.images(dataset.number)
    assert set(listed) == {f"{dataset.plate}/{path}{end}" for path in dataset.images for end in ("", "_gaussian")}
    for path in dataset.images:
        blurred = listed[f"{dataset.plate}/{path}_gaussian"]
        assert blurred["origin"] == f"{dataset.plate}/{path}"
        assert blurred["types"] == {"is_3D": True, "is_blurred": True}
        assert blurred["attributes"] == {"plate": "plate.zarr", "well": path[0] + path[2:4]}

    # On the disk: what the commands make of a copy, found by ngio through the plate.
    for path in dataset.images:
        omtask.run("gaussian-blur", copied / path, parameters={"sigma": 1.5})
        omtask.run("threshold", copied / f"{path}_gaussian", parameters=MASK)
        omtask.run("label-objects", copied / f"{path}_gaussian", parameters=WORKFLOW[2][1])
    found = voxels(dataset)
    for path, ought in voxels(Dataset(0, copied, dataset.images)).items():
        assert np.array_equal(found[path], ought) and ought.max() > 0
        blurred = ngio.open_ome_zarr_container(dataset.plate / f"{path}_gaussian")
        rows = blurred.get_table("sizes").dataframe
        assert list(rows.index) == list(range(1, ought.max() + 1))
    plate = ngio.open_ome_zarr_plate(dataset.plate)
    assert set(plate.images_paths(max_workers=1)) == {path.removeprefix(f"{dataset.plate}/") for path in listed}

    # Once more: nothing is fed its own results, nothing changes.
    before = tree(dataset.plate)
    second = user.web.run(workflow, dataset.number)
    assert second.is_done, second
    assert user.web.images(dataset.number) == listed
    assert tree(dataset.plate) == before

    for job in (first, second):
        assert len(job.logs) == len(WORKFLOW) * len(dataset.images)
        for text in job.logs.values():
            assert all(LINE.fullmatch(line) for line in text.splitlines()), text
            assert "warning" not in text.lower(), text


@pytest.mark.parametrize("layout", samples.BOTH, ids=lambda layout: layout.version)
def test_compound_and_non_parallel_forms(
    layout: Layout, user: Fractal, omtask: Program, tmp_path: Path, rng: np.random.Generator
) -> None:
    """Parts of images as jobs of their own, and one threshold over all images at once."""
    dataset = user.plate(f"forms {layout.version}", layout, rng)
    copied = tmp_path / "plate.zarr"
    shutil.copytree(dataset.plate, copied)
    nuclei = {"method": "otsu", "label_name": "nuclei"}
    plate_wide = {"method": "otsu", "scope": "plate", "label_name": "cells"}
    blur = {"sigma": [1.5]}
    workflow = user.web.workflow(dataset.plate.parent.name, user.tasks, [
        ("Threshold (non-parallel)", plate_wide),
        ("Threshold (compound)", nuclei | {"parts": 3}),
        ("Gaussian Blur (compound)", blur | {"parts": 2}),
    ])
    # Once as well on a copy, whose voxels are as old, or the records of what was made would differ.
    omtask.run("threshold", copied, parameters=plate_wide)
    omtask.run("threshold", copied, parameters=nuclei)
    omtask.run("gaussian-blur", copied, parameters=blur)
    blurred = [f"{path}_gaussian" for path in dataset.images]
    for _ in range(2):
        # Nothing else would keep a threshold from the blurred images that are listed by then.
        job = user.web.run(workflow, dataset.number, type_filters={"is_blurred": False})
        assert job.is_done, job
        assert tree(dataset.plate) == tree(copied)
        listed = user.web.images(dataset.number)
        assert set(listed) == {f"{dataset.plate}/{path}" for path in [*dataset.images, *blurred]}
        for path in dataset.images:
            assert listed[f"{dataset.plate}/{path}_gaussian"]["types"] == {
                "is_3D": True, "is_blurred": True
            }
        assert not any("warning" in text.lower() for text in job.logs.values())


def test_wells_are_chosen_by_an_attribute(user: Fractal, rng: np.random.Generator) -> None:
    dataset = user.plate("wells", samples.SHARDED, rng)
    workflow = user.web.workflow("wells", user.tasks, [("Threshold", {"method": "otsu", "label_name": "a"})])
    job = user.web.run(workflow, dataset.number, attribute_filters={"well": ["A02", "B01"]})
    assert job.is_done, job
    labelled = {path for path in dataset.images if listed_labels(dataset.plate / path)}
    assert labelled == {"A/02/0", "B/01/0"}


def test_one_bad_image_fails_alone_and_is_done_when_it_is_mended(
    user: Fractal, rng: np.random.Generator
) -> None:
    dataset = user.plate("bad", samples.V2, rng)
    broken = dataset.plate / "B/01/0"
    chunk = broken / "0/0/0/0"
    kept = chunk.read_bytes()
    chunk.write_bytes(kept[:20])
    step = {"method": "otsu", "label_name": "nuclei"}
    workflow = user.web.workflow("bad", user.tasks, [("Threshold", step)])
    job = user.web.run(workflow, dataset.number)
    assert not job.is_done
    # What a person reads on the page: the code, and the cause on the last line.
    assert "returncode=65" in job.record["log"], job
    (said,) = [text for text in job.logs.values() if "; ERROR; " in text]
    assert "B/01/0/0/0/0/0" in said.splitlines()[-1] and "; ERROR; " in said.splitlines()[-1]
    assert not listed_labels(broken)
    chunk.write_bytes(kept)
    again = user.web.run(workflow, dataset.number)
    assert again.is_done, again
    for path, image in dataset.images.items():
        assert_labels(dataset.plate / path, "zyx", expected_labels(image.levels, "zyx", step))


@pytest.mark.parametrize(
    ("arguments", "code", "text"),
    [
        ({"method": "otsu", "treshold": 3}, 64, "threshold"),
        ({"method": "fixed", "threshold": "many"}, 64, "many"),
        ({"method": "otsu", "channel": ["DAPI"]}, 64, "DAPI"),
    ],
)
def test_a_mistake_in_a_form_is_told(
    arguments: dict[str, Any], code: int, text: str, user: Fractal, rng: np.random.Generator
) -> None:
    name = f"mistake {text}"
    dataset = user.plate(name, samples.SHARDED, rng)
    workflow = user.web.workflow(name, user.tasks, [("Threshold", arguments)])
    job = user.web.run(workflow, dataset.number)
    assert not job.is_done
    for said in job.logs.values():
        assert text in said.splitlines()[-1], said
    assert f"returncode={code}" in job.record["log"], job


def test_nulls_of_a_form_are_arguments_left_out(user: Fractal, rng: np.random.Generator) -> None:
    dataset = user.plate("nulls", samples.SHARDED, rng)
    arguments = {"method": "otsu", "label_name": "nuclei", "threshold": None, "min_size": None}
    workflow = user.web.workflow("nulls", user.tasks, [("Threshold", arguments)])
    job = user.web.run(workflow, dataset.number)
    assert job.is_done, job
    given = {"method": "otsu", "label_name": "nuclei"}
    for path, image in dataset.images.items():
        assert_labels(dataset.plate / path, "zyx", expected_labels(image.levels, "zyx", given))


NO_INDEX = re.compile(r"No matching distribution|Temporary failure in name|Failed to establish")


def test_the_exported_package_is_installed_and_run(
    user: Fractal, omtask: Program, tmp_path: Path, rng: np.random.Generator
) -> None:
    """The other way into Fractal: a wheel, which starts the program that $OMTASK names."""
    try:
        tasks = user.web.collect_wheel(exported.wheel(omtask.path, tmp_path, fractal.python()))
    except web.Refused as refused:
        if NO_INDEX.search(str(refused)):
            pytest.skip("the package index cannot be reached")
        raise
    assert {task["name"] for task in tasks} < {task["name"] for task in user.tasks}
    assert all(task["command_parallel"].endswith(".py") for task in tasks)
    dataset = user.plate("wheel", samples.SHARDED, rng)
    workflow = user.web.workflow("wheel", tasks, [("Threshold", {"method": "otsu", "label_name": "n"})])
    job = user.web.run(workflow, dataset.number)
    assert job.is_done, job
    given = {"method": "otsu", "label_name": "n"}
    for path, image in dataset.images.items():
        assert_labels(dataset.plate / path, "zyx", expected_labels(image.levels, "zyx", given))
