"""napari's plug-in for tasks, on the package that is exported for it and on that for Fractal."""

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from omtask_testing import engines, samples
from omtask_testing.napari_form import CATEGORIES, Plugin
from omtask_testing.places import REPOSITORY
from omtask_testing.program import Program, environment
from omtask_testing.trees import leftovers, tree

MANIFEST = "__FRACTAL_MANIFEST__.json"
ALL = (*CATEGORIES, "Image Processing", "Conversion")
THRESHOLD = "Thresholding Label Task"
OFFERED = ["Filter Labels", "Label Objects", "Masking ROI Table", "Measure", THRESHOLD]


@pytest.fixture(scope="module")
def exported(omtask: Program, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The manifest as `omtask manifest export` writes it for Fractal."""
    folder = tmp_path_factory.mktemp("exported") / "package"
    omtask("manifest", "export", "--output", folder)
    return folder / "omtask_tasks" / MANIFEST


@pytest.fixture(scope="module")
def package(omtask: Program, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The manifest for napari, in a folder with a space and an accent."""
    folder = tmp_path_factory.mktemp("package") / "tâches d'Anna"
    omtask("manifest", "export", "--for", "napari", "--output", folder)
    return folder / "omtask_tasks" / MANIFEST


@pytest.fixture(scope="module")
def original(omtask: Program, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with an image of two channels, a label image in it, and a flat field."""
    folder = tmp_path_factory.mktemp("images")
    rng = np.random.default_rng(6)
    samples.write_blobs(
        folder / "my image.zarr", samples.V2, rng, axes="czyx", shape=(2, 12, 40, 44),
        channels=("Nuclear stain", "Other"))
    omtask("run", "threshold", folder / "my image.zarr", "--channel", "0", "--label-name", "cells")
    np.save(folder / "flat.npy", np.linspace(1, 2, 40 * 44).reshape(40, 44))
    return folder


@pytest.fixture
def images(original: Path, tmp_path: Path) -> tuple[Path, Path]:
    """Twice the same image, in folders of their own."""
    folders = [shutil.copytree(original, tmp_path / name) for name in ("ours", "theirs")]
    return folders[0] / "my image.zarr", folders[1] / "my image.zarr"


# The form


@pytest.mark.parametrize("form", ["exported", "package"])
def test_all_tasks_have_a_form(form: str, request: pytest.FixtureRequest) -> None:
    plugin = Plugin(request.getfixturevalue(form), ALL)
    assert len(plugin.tasks) == len(list((REPOSITORY / "Manifests").glob("*.json")))
    for name in plugin.tasks:
        assert plugin.form(name), name


def test_the_plug_in_offers_segmentation_and_measurement(exported: Path, package: Path) -> None:
    assert sorted(Plugin(package).tasks) == sorted(OFFERED)
    assert {*Plugin(exported).tasks} == {*OFFERED[:-1], "Threshold"}


def test_lists_of_the_exported_manifest_have_no_field(exported: Path) -> None:
    """The reason for `--for napari`: the plug-in then fails before it starts anything."""
    plugin = Plugin(exported)
    without = set()
    for name in plugin.tasks:
        try:
            plugin.values(name, plugin.form(name))
        except KeyError:
            without.add(name)
    assert without == {"Threshold", "Measure"}


def test_the_package_has_a_value_for_every_property(package: Path, exported: Path) -> None:
    plugin, plain = Plugin(package, ALL), Plugin(exported, ALL)
    renamed = {THRESHOLD: "Threshold"}
    for name, task in plugin.tasks.items():
        given = plugin.values(name, plugin.form(name))
        properties = plain.tasks[renamed.get(name, name)].properties
        assert [*task.properties] == [*properties]
        assert [*given] == [key for key in properties if key != "zarr_url"]
        for key, one in properties.items():
            if one["type"] == "array":
                assert task.properties[key]["type"] == "string"
                assert task.properties[key]["description"].endswith("separated by commas.")
    assert plugin.values("Measure", plugin.form("Measure"))["features"] == "shape, axes, intensity"
    assert plugin.form(THRESHOLD)["label_name"] == "segmented"


def test_the_manifest_of_the_package_is_sound(package: Path, omtask: Program) -> None:
    omtask("manifest", "check", package)


# Tasks

Call = tuple[str, dict[str, Any], list[str]]
CALLS: dict[str, Call] = {
    "fixed threshold": (
        THRESHOLD, {"channel": "Nuclear stain", "threshold": "600.5", "label_name": "made"},
        ["--channel", "Nuclear stain", "--threshold", "600.5", "--label-name", "made"]),
    "default name": (THRESHOLD, {"channel": "1"}, ["--channel", "1", "--label-name", "segmented"]),
    "gaussian": (
        THRESHOLD,
        {"channel": "0", "smooth": "gaussian", "sigma": "2, 1,1", "min_size": "20", "clear_border": True},
        ["--channel", "0", "--smooth", "gaussian", "--sigma", "2,1,1", "--min-size", "20",
         "--clear-border", "--label-name", "segmented"]),
    "median": (
        THRESHOLD, {"channel": "0", "smooth": "median", "scope": "plane", "masking_label": "cells"},
        ["--channel", "0", "--smooth", "median", "--scope", "plane", "--masking-label", "cells",
         "--label-name", "segmented"]),
    "mask": (
        THRESHOLD,
        {"channel": "Nuclear stain, Other", "objects": False, "keep_channel_axis": True,
         "correction": "1.25", "lower_bound": "400", "upper_bound": "9e2"},
        ["--channel", "Nuclear stain,Other", "--no-objects", "--keep-channel-axis", "--correction", "1.25",
         "--lower-bound", "400", "--upper-bound", "900", "--label-name", "segmented"]),
    "measure": ("Measure", {"label": "cells"}, ["--label", "cells"]),
    "quantiles": (
        "Measure",
        {"label": "cells", "channel": "Other", "features": "shape, distribution",
         "quantiles": "0.25,0.5", "backend": "csv", "table_name": "my table"},
        ["--label", "cells", "--channel", "Other", "--features", "shape,distribution",
         "--quantiles", "0.25,0.5", "--backend", "csv", "--table-name", "my table"]),
    "label objects": (
        "Label Objects", {"label": "cells", "connectivity": "faces", "min_size": "30", "label_name": "o"},
        ["--label", "cells", "--connectivity", "faces", "--min-size", "30", "--label-name", "o"]),
    "filter labels": (
        "Filter Labels", {"label": "cells", "expand": "1.5", "fill_holes": "zyx", "label_name": "f"},
        ["--label", "cells", "--expand", "1.5", "--fill-holes", "zyx", "--label-name", "f"]),
    "boxes": ("Masking ROI Table", {"label": "cells"}, ["--label", "cells"]),
    "blur": ("Gaussian Blur", {"sigma": "2, 1, 1"}, ["--sigma", "2,1,1"]),
    "median filter": ("Median", {"radius": "0,1,1", "border": "nearest"}, ["--radius", "0,1,1", "--border", "nearest"]),
    "projection": ("Project", {"method": "mean"}, ["--method", "mean"]),
    "copy": ("Convert", {"chunk": "1,4,20,20", "levels": "2"}, ["--chunk", "1,4,20,20", "--levels", "2"]),
    "levels": ("Pyramid", {"levels": "3", "factors": "1,2,2"}, ["--levels", "3", "--factors", "1,2,2"]),
    "illumination": (
        "Illumination Correct", {"flat_fields": "{folder}/flat.npy", "constant": "7.0"},
        ["--flat-fields", "{folder}/flat.npy", "--constant", "7"]),
}


@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS.keys())
def test_a_task_makes_what_a_direct_call_makes(
    call: Call, package: Path, omtask: Program, images: tuple[Path, Path]
) -> None:
    name, changes, flags = call
    image, other = images
    place = {"{folder}": str(image.parent)}
    changes = {key: filled(one, place) for key, one in changes.items()}
    plugin = Plugin(package, ALL)
    before = tree(image.parent)
    done = plugin.execute(name, image, changes, environment())
    assert done.code == 0, done
    # Flat fields are of the record, so both calls name the same file.
    omtask("run", Path(plugin.tasks[name].executable).stem.replace("_", "-"), other,
           *(filled(flag, place) for flag in flags))
    made = tree(image.parent)
    assert made == tree(other.parent)
    assert made != before and leftovers(image.parent) == []
    if name == THRESHOLD:
        assert plugin.shown(name, image) == changes.get("label_name", "segmented")
    # The plug-in does it again when the button is pressed again.
    again = plugin.execute(name, image, changes, environment())
    assert again.code == 0, again
    assert tree(image.parent) == made


def filled(text: Any, words: Mapping[str, str]) -> Any:
    for key, word in words.items():
        text = text.replace(key, word) if isinstance(text, str) else text
    return text


def test_a_task_without_lists_runs_from_the_exported_manifest(
    exported: Path, omtask: Program, images: tuple[Path, Path]
) -> None:
    image, other = images
    env = environment({"OMTASK": str(omtask.path.resolve())})
    changes = {"label": "cells", "min_size": "30", "label_name": "o"}
    done = Plugin(exported).execute("Label Objects", image, changes, env)
    assert done.code == 0, done
    omtask("run", "label-objects", other, "--label", "cells", "--min-size", "30", "--label-name", "o")
    assert tree(image) == tree(other)


# What goes wrong

MISTAKES = {
    "no number": ({"channel": "0", "threshold": "abc"}, "`threshold` is `abc`"),
    "comma in a number": ({"channel": "0", "threshold": "0,5"}, "`threshold` is `0,5`"),
    "no such choice": ({"channel": "0", "method": "otsuu"}, "`method` is `otsuu`"),
    "no number in a list": ({"channel": "0", "smooth": "gaussian", "sigma": "1, x"}, "`sigma`"),
    "list with a hole": ({"channel": "0", "smooth": "gaussian", "sigma": "1,,1"}, "`sigma`"),
    "no such channel": ({"channel": "DAPI"}, "DAPI"),
    "channel left empty": ({}, "channel"),
    "too many values": ({"channel": "0", "smooth": "gaussian", "sigma": "1,1,1,1,1"}, "`sigma`"),
    "name that is taken": ({"channel": "0", "threshold": "600", "label_name": "cells"}, "is there already"),
}


@pytest.mark.parametrize(("changes", "text"), MISTAKES.values(), ids=MISTAKES.keys())
def test_the_terminal_says_what_is_wrong(
    changes: dict[str, Any], text: str, package: Path, images: tuple[Path, Path]
) -> None:
    image, _ = images
    before = tree(image.parent)
    plugin = Plugin(package)
    done = plugin.execute(THRESHOLD, image, changes, environment())
    assert done.code == 1, done
    (said,) = [line for line in done.stderr.splitlines() if line.startswith("omtask: error[")]
    assert text in said
    last = done.stderr.splitlines()[-1]
    assert re.fullmatch(r"RuntimeError: omtask ended with \d+, its own message says why", last)
    assert tree(image.parent) == before
    # Whatever the exit code, a label image of that name is shown: here the old one.
    shown = plugin.shown(THRESHOLD, image)
    assert shown == ("cells" if changes.get("label_name") == "cells" else None)


def test_a_field_that_wants_an_integer_is_refused_by_the_form(package: Path) -> None:
    plugin = Plugin(package)
    with pytest.raises(ValueError, match="12.5"):
        plugin.values(THRESHOLD, plugin.form(THRESHOLD) | {"min_size": "12.5"})


def test_an_empty_required_field_and_a_lost_image_are_named(
    package: Path, images: tuple[Path, Path], tmp_path: Path
) -> None:
    plugin = Plugin(package)
    done = plugin.execute("Measure", images[0], {}, environment())
    assert done.code == 1 and "`label`" in done.stderr, done
    done = plugin.execute("Measure", tmp_path / "no.zarr", {"label": "cells"}, environment())
    assert done.code == 1 and "no such file or directory" in done.stderr, done


# The program


@pytest.mark.parametrize("place", ["OMTASK", "beside", "PATH", "where it was", "nowhere", "wrong"])
def test_the_program_is_found(
    place: str, package: Path, omtask: Program, images: tuple[Path, Path], tmp_path: Path
) -> None:
    folder = shutil.copytree(package.parent, tmp_path / "my tasks")
    binary = omtask.path.resolve()
    file = folder / "masking_roi_table.py"
    assert f'which("{binary}")' in file.read_text()
    env = environment()
    env.pop("OMTASK", None)
    (tmp_path / "bin").mkdir()
    env["PATH"] = str(tmp_path / "bin")
    if place != "where it was":
        file.write_text(file.read_text().replace(str(binary), str(tmp_path / "gone/omtask")))
    if place == "OMTASK":
        env["OMTASK"] = str(binary)
    if place == "PATH":
        (tmp_path / "bin/omtask").symlink_to(binary)
    if place == "beside":
        (folder / "omtask").symlink_to(binary)
    if place == "wrong":
        env["OMTASK"] = str(tmp_path / "gone/omtask")
    done = Plugin(folder / MANIFEST).execute("Masking ROI Table", images[0], {"label": "cells"}, env)
    last = done.stderr.splitlines()[-1]
    if place == "nowhere":
        assert done.code == 1
        assert last.endswith("there is no program omtask: install it, or name it in $OMTASK")
    elif place == "wrong":
        assert done.code == 1
        assert "No such file" in last and env["OMTASK"] in last
    else:
        assert done.code == 0, done


MISFITS = {
    "no folder": (["--for", "napari"], "without `--output`"),
    "other forms": (["--for", "napari", "--output", "/nowhere/x", "--forms", "compound"], "`parallel` only"),
    "nobody": (["--for", "fiji", "--output", "/nowhere/x"], "fractal or napari"),
    "twice": (["threshold", "threshold"], "named twice"),
    "no task": (["treshold"], "did you mean `threshold`"),
    "of Fractal": (["{list}#threshold"], "in a list of Fractal's already"),
}


@pytest.mark.parametrize(("flags", "text"), MISFITS.values(), ids=MISFITS.keys())
def test_an_export_that_fits_nobody_is_refused(
    flags: list[str], text: str, exported: Path, omtask: Program
) -> None:
    words = [flag.replace("{list}", str(exported)) for flag in flags]
    done = omtask("manifest", "export", *words, expect=None)
    assert done.code in (64, 78) and text in done.stderr, done


def test_a_task_of_ones_own_gets_a_form(
    omtask: Program, images: tuple[Path, Path], tmp_path: Path
) -> None:
    """A program in a folder with a blank, found by its path or in `OMTASK_TASKS`."""
    image, other = images
    own = shutil.copytree(REPOSITORY / "Examples/uniform-filter", tmp_path / "my tasks")
    manifest = own / "uniform-filter.json"
    omtask("manifest", "export", manifest, "--for", "napari", "--output", tmp_path / "package")
    exported = tmp_path / "package/omtask_tasks" / MANIFEST
    (name,) = Plugin(exported, ALL).tasks
    env = environment({"OMTASK": str(omtask.path.resolve())})
    done = Plugin(exported, ALL).execute(name, image, {}, env)
    assert done.code == 0, done
    omtask("run", manifest, other)
    assert tree(image.parent) == tree(other.parent)
    listed = omtask("manifest", "export", "--output", tmp_path / "all", env={"OMTASK_TASKS": str(own)})
    assert "for 12 tasks" in listed.stderr
    refused = omtask("manifest", "export", manifest, expect=64)
    assert "cannot hold this path" in refused.stderr


# The page


def test_every_command_of_the_page_works(omtask: Program, tmp_path: Path, original: Path) -> None:
    page = (REPOSITORY / "docs/napari.md").read_text()
    blocks = re.findall(r"(?ms)^```bash\n(.*?)^```", page)
    assert len(blocks) == 3
    shutil.copytree(original / "my image.zarr", tmp_path / "image.zarr")
    env = environment({"PATH": f"{omtask.path.parent}:{os.environ['PATH']}", "HOME": str(tmp_path)})
    for block in blocks:
        done = subprocess.run(
            ["bash", "-c", f"set -euo pipefail\n{block}"], cwd=tmp_path, env=env, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
    assert (tmp_path / "omtask-napari/omtask_tasks" / MANIFEST).exists()


# The plug-in itself


@pytest.fixture(scope="module")
def driven(scaled: Callable[[int, int], int]) -> Callable[..., dict[str, Any]]:
    """Does in the real plug-in what a person does; gives what came of it."""
    if not scaled(0, 1):
        pytest.skip("napari itself is started for --acceptance")
    sources = os.environ.get("OMTASK_NAPARI_PLUGIN")
    if not sources:
        pytest.skip("no $OMTASK_NAPARI_PLUGIN, the folder of napari-workflow-tasks")
    python = engines.python("napari")
    env = environment({
        "PYTHONPATH": str(Path(sources) / "src"), "QT_QPA_PLATFORM": "offscreen",
        # The plug-in starts what is called `python`.
        "PATH": f"{python.parent}:{os.environ['PATH']}",
    })
    driver = Path(__file__).parent / "omtask_testing/napari_driver.py"

    def drive(manifest: Path, image: Path, task: str, changes: dict[str, Any]) -> dict[str, Any]:
        call = [python, driver, manifest, image, task, json.dumps(changes)]
        done = subprocess.run(call, capture_output=True, text=True, env=env, timeout=120)
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout.splitlines()[-1]) | {"said": done.stdout + done.stderr}

    return drive


def test_the_plug_in_runs_a_task_and_shows_its_labels(
    driven: Callable[..., dict[str, Any]], package: Path, omtask: Program, images: tuple[Path, Path]
) -> None:
    image, other = images
    changes = {"channel": "0", "smooth": "gaussian", "sigma": "2, 1,1", "label_name": "made"}
    seen = driven(package, image, THRESHOLD, changes)
    assert seen["offered"] == [*Plugin(package).tasks]
    assert seen["form"] == Plugin(package).form(THRESHOLD)
    assert seen["error"] is None and "made" in seen["layers"], seen["said"]
    flags = ["--channel", "0", "--smooth", "gaussian", "--sigma", "2,1,1", "--label-name", "made"]
    omtask("run", "threshold", other, *flags)
    assert tree(image) == tree(other)


def test_the_plug_in_and_its_model_agree(
    driven: Callable[..., dict[str, Any]], exported: Path, package: Path, images: tuple[Path, Path]
) -> None:
    image, _ = images
    assert driven(exported, image, "Threshold", {"channel": None})["error"] == "KeyError: 'channel'"
    for name in OFFERED[:-1]:
        assert driven(package, image, name, {"label": "cells"})["form"] == Plugin(package).form(name)
        told = json.loads((package.parent / f"{name}.json").read_text())
        shown = Plugin(package).form(name) | {"label": "cells"}
        assert told == {"zarr_url": str(image)} | Plugin(package).values(name, shown)
    failed = driven(package, image, THRESHOLD, {"channel": "0", "threshold": "abc"})
    assert "`threshold` is `abc`" in failed["said"] and failed["layers"].count("segmented") == 0
