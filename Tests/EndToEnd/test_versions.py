"""Every version of OME-Zarr: read, extended in its own form, and converted into others."""

import json
import subprocess
from pathlib import Path

import numpy as np
import pytest
import scipy.ndimage
import zarr
from skimage.filters import threshold_otsu

from omtask_testing import versions
from omtask_testing.images import downsampled
from omtask_testing.program import Program
from omtask_testing.trees import leftovers
from omtask_testing.versions import VERSIONS, entry, levels, metadata, problems

CASES = [(version, axes) for version in VERSIONS
         for axes in (("tczyx",) if version <= "0.2" else ("tczyx", "cyx", "zyx"))]
SHAPE = {"t": 2, "c": 2, "z": 5, "y": 40, "x": 37}


def halved(axes: str, data: np.ndarray, count: int) -> list[np.ndarray]:
    """Levels of every second voxel along y and x."""
    step = tuple(slice(None, None, 2 if axis in "yx" else 1) for axis in axes)
    made = [data]
    while len(made) < count:
        made.append(np.ascontiguousarray(made[-1][step]))
    return made


def voxels(axes: str, rng: np.random.Generator) -> np.ndarray:
    shape = tuple(SHAPE[axis] for axis in axes)
    noise = scipy.ndimage.gaussian_filter(rng.normal(size=shape), 1.5)
    return ((noise - noise.min()) / np.ptp(noise) * 1000).astype(np.uint16)


@pytest.fixture
def image(version: str, axes: str, tmp_path: Path, rng: np.random.Generator) -> Path:
    return versions.write(
        tmp_path / "image.zarr", version, axes, halved(axes, voxels(axes, rng), 3))


def info(omtask: Program, path: Path) -> dict:
    return json.loads(omtask("info", path, "--json").stdout)


@pytest.mark.parametrize(("version", "axes"), CASES)
def test_info_and_voxels(image: Path, version: str, axes: str, omtask: Program) -> None:
    found = info(omtask, image)
    assert found["version"] == version
    assert [axis["axis"] for axis in found["axes"]] == list(axes)
    for number, level in enumerate(found["levels"]):
        ratios = [2.0**number if axis in "yx" else 1.0 for axis in axes]
        sizes = versions.scales(axes, number) if versions.has_sizes(version) else ratios
        assert level["scale"] == sizes
    seen = np.frombuffer(subprocess.check_output([omtask.path, "cat", image / "1"]), np.uint16)
    assert np.array_equal(seen, levels(image)[1].ravel())


@pytest.mark.parametrize("name", [".zarray", ".zgroup", ".zattrs"])
def test_documents_of_v3_count_where_those_of_v2_lie_beside(
    name: str, omtask: Program, tmp_path: Path, rng: np.random.Generator
) -> None:
    path = versions.write(tmp_path / "image.zarr", "0.5", "zyx", [voxels("zyx", rng)])
    before = info(omtask, path)
    (path / name).write_text('{"zarr_format": 2}')
    assert info(omtask, path) == before
    assert subprocess.check_output([omtask.path, "cat", path, "--select", "z=0,y=0"])
    told = json.loads(omtask("validate", path, "--json").stdout)
    assert told["valid"] and f"`{name}`" in json.dumps(told["rules"])


@pytest.mark.parametrize(("version", "axes"), CASES)
def test_labels_in_the_version_of_the_image(
    image: Path, version: str, axes: str, omtask: Program
) -> None:
    words = ["--channel", "1"] if "c" in axes else []
    omtask("run", "threshold", image, "--threshold", "600", *words, "--label-name", "cells")
    label = image / "labels" / "cells"
    assert problems(label, version) == []
    assert problems(label, version, "label") == []
    assert metadata(image / "labels")["labels"] == ["cells"]
    keys = metadata(label)
    assert (keys["image-label"].get("version") == version) == (version < "0.6")
    if versions.zarr_format(version) == 3:
        assert keys["version"] == metadata(image / "labels")["version"] == version
    data, made = levels(image)[0], levels(label)
    mask = data > 600
    if "c" in axes:
        place = axes.index("c")
        # Before 0.3 every image has five axes.
        keeps = version <= "0.2"
        chosen = mask.take([1], place)
        if keeps:
            mask = np.concatenate([np.zeros_like(chosen), chosen], place)
        else:
            mask = chosen.take(0, place)
    assert np.array_equal(made[0] != 0, mask)
    assert [level.shape for level in made] == [
        level.shape if "c" not in axes or version <= "0.2" else level.take(0, axes.index("c")).shape
        for level in levels(image)]
    array = zarr.open_array(label / "0", mode="r")
    if version == "0.3":
        assert array.attrs["_ARRAY_DIMENSIONS"] == [a for a in axes if a != "c"]
    keys_of_chunks = {p.name for p in (label / "0").iterdir() if not p.name.startswith(".z")}
    assert any("." in key for key in keys_of_chunks - {"zarr.json"}) == (version == "0.1")
    assert "nothing to do" in omtask(
        "run", "threshold", image, "--threshold", "600", *words, "--label-name", "cells").stderr
    if version <= "0.2":
        refused = omtask("run", "measure", image, "--label", "cells", expect=76)
        assert "convert the image to 0.5" in refused.stderr
    else:
        omtask("run", "measure", image, "--label", "cells")
    assert leftovers(image.parent) == []


@pytest.mark.parametrize(("version", "axes"), CASES)
def test_derived_images_in_the_version_of_the_image(
    image: Path, version: str, axes: str, omtask: Program
) -> None:
    omtask("run", "median", image, "--radius", "1")
    made = image.parent / "image_median.zarr"
    assert problems(made, version) == []
    assert info(omtask, made)["version"] == version
    size = tuple(3 if axis in "zyx" else 1 for axis in axes)
    data = levels(image)[0]
    expected = scipy.ndimage.median_filter(data, size=size, mode="reflect")
    assert np.array_equal(levels(made)[0], expected)
    assert [d["path"] for d in entry(made)["datasets"]] == ["0", "1", "2"]
    for key in ("axes", "coordinateSystems"):
        assert entry(made).get(key) == entry(image).get(key)
    scales = [level["scale"] for level in info(omtask, image)["levels"]]
    assert [level["scale"] for level in info(omtask, made)["levels"]] == scales


@pytest.mark.parametrize(("version", "axes"), CASES)
def test_levels_made_in_place(image: Path, version: str, axes: str, omtask: Program) -> None:
    data = levels(image)[0]
    omtask("run", "pyramid", image, "--levels", "4", "--factors", "2", "--method", "stride")
    assert problems(image, version) == []
    made = levels(image)
    assert len(made) == 4
    assert np.array_equal(made[0], data)
    for level, expected in zip(made, downsampled(axes, data, 4), strict=True):
        assert np.array_equal(level, expected)
    assert info(omtask, image)["version"] == version
    if version < "0.4":
        assert all(list(d) == ["path"] for d in entry(image)["datasets"])
    assert leftovers(image.parent) == []


@pytest.mark.parametrize("wanted", ["0.4", "0.5", "0.6"])
@pytest.mark.parametrize(("version", "axes"), [case for case in CASES if case[1] != "cyx"])
def test_conversion(
    image: Path, version: str, axes: str, wanted: str, omtask: Program
) -> None:
    out = image.parent / "out.zarr"
    omtask("run", "convert", image, "--output", out, "--ome-version", wanted)
    assert problems(out, wanted) == []
    before, after = info(omtask, image), info(omtask, out)
    assert after["version"] == wanted
    assert [level["scale"] for level in after["levels"]] == [
        level["scale"] for level in before["levels"]]
    assert all(map(np.array_equal, levels(out), levels(image)))
    if versions.has_sizes(version):
        assert [axis.get("unit") for axis in after["axes"]] == [
            axis.get("unit") for axis in before["axes"]]


@pytest.mark.parametrize("version", ["0.4", "0.5"])
def test_what_comes_after_the_levels_is_part_of_them_in_0_6(
    version: str, omtask: Program, tmp_path: Path, rng: np.random.Generator
) -> None:
    outer = [{"type": "scale", "scale": [2.0, 3.0, 5.0]},
             {"type": "translation", "translation": [1.0, 0.0, -4.0]}]
    image = versions.write(
        tmp_path / "image.zarr", version, "zyx", halved("zyx", voxels("zyx", rng), 2),
        coordinateTransformations=outer)
    out = tmp_path / "out.zarr"
    omtask("run", "convert", image, "--output", out, "--ome-version", "0.6")
    assert problems(out, "0.6") == []
    level = info(omtask, out)["levels"][1]
    assert level["scale"] == [3.0, 3.0, 2.5]
    assert level["translation"] == [1.0, 0.0, -4.0]


def system(name: str, axes: str = "zyx") -> dict:
    return {"name": name, "axes": [versions.AXIS[axis] for axis in axes]}


EXTRAS = [
    {"type": "rotation", "rotation": [[1, 0, 0], [0, 0, -1], [0, 1, 0]],
     "input": {"name": "micro"}, "output": {"name": "turned"}},
    {"type": "translation", "translation": [1, 2, 3.50],
     "input": {"name": "turned"}, "output": {"name": "world"}},
    {"type": "displacements", "path": "field", "interpolation": "linear",
     "input": {"name": "micro"}, "output": {"name": "warped"}},
]


def test_coordinate_systems_go_on_to_derived_images(
    omtask: Program, tmp_path: Path, rng: np.random.Generator
) -> None:
    """All that need no file of the image they were written for."""
    systems = [system(name) for name in ("world", "micro", "warped", "turned")]
    image = versions.write(
        tmp_path / "image.zarr", "0.6", "zyx", halved("zyx", voxels("zyx", rng), 2),
        coordinateSystems=systems, coordinateTransformations=EXTRAS)
    before = (image / "zarr.json").read_bytes()
    omtask("run", "gaussian-blur", image)
    omtask("run", "threshold", image, "--threshold", "500", "--label-name", "cells")
    made = entry(tmp_path / "image_gaussian.zarr")
    assert [s["name"] for s in made["coordinateSystems"]] == ["world", "micro", "turned"]
    assert made["coordinateTransformations"] == EXTRAS[:2]
    assert b"3.5" in (tmp_path / "image_gaussian.zarr/zarr.json").read_bytes()
    label = entry(image / "labels/cells")
    assert label["coordinateSystems"] == [system("micro")]
    assert "coordinateTransformations" not in label
    assert (image / "zarr.json").read_bytes() == before
    # Levels that are made in place leave all others as they are.
    omtask("run", "pyramid", image, "--levels", "3", "--factors", "2")
    assert entry(image)["coordinateTransformations"] == EXTRAS
    assert entry(image)["coordinateSystems"] == systems
    assert problems(image, "0.6") == []


@pytest.mark.parametrize(("step", "scale", "translation"), [
    ({"type": "identity"}, [1.0, 1.0], None),
    ({"type": "sequence", "transformations": [{"type": "scale", "scale": [2, 3]}]}, [2, 3], None),
    ({"type": "sequence", "transformations": [
        {"type": "scale", "scale": [2, 3]}, {"type": "translation", "translation": [4, 5]}]},
     [2, 3], [4, 5]),
], ids=["identity", "scale", "scale and translation"])
def test_transformations_of_levels(
    step: dict, scale: list, translation: list | None, omtask: Program, tmp_path: Path
) -> None:
    step = step | {"input": {"path": "0"}, "output": {"name": "micro"}}
    image = versions.write(
        tmp_path / "image.zarr", "0.6", "yx", [np.ones((20, 20), np.uint8)],
        datasets=[{"path": "0", "coordinateTransformations": [step]}])
    level = info(omtask, image)["levels"][0]
    assert level["scale"] == scale
    assert level.get("translation") == translation


def sequence(*steps: dict, **ends: dict) -> dict:
    return {"type": "sequence", "transformations": [*steps], **ends}


def test_five_levels_with_affine_and_sequence_transformations(
    omtask: Program, tmp_path: Path, rng: np.random.Generator
) -> None:
    """Sequences lead from the levels to their system, an affine and a sequence from there to others."""
    datasets = []
    for number in range(5):
        scale = {"type": "scale", "scale": versions.scales("zyx", number)}
        shift = {"type": "translation", "translation": [7.0, (2**number - 1) / 4, (2**number - 1) / 8]}
        ends = {"input": {"path": str(number)}, "output": {"name": "micro"}}
        datasets.append({
            "path": str(number), "coordinateTransformations": [sequence(scale, shift, **ends)]})
    matrix = [[1.0, 0.0, 0.0, 4.5], [0.0, 0.96, -0.28, 0], [0.0, 0.28, 0.96, 1e2]]
    others = [
        {"type": "affine", "affine": matrix, "input": {"name": "micro"}, "output": {"name": "world"}},
        sequence(
            {"type": "scale", "scale": [2, 2, 2]}, {"type": "affine", "affine": matrix},
            {"type": "translation", "translation": [0, 1, 0]},
            input={"name": "micro"}, output={"name": "atlas"})]
    image = versions.write(
        tmp_path / "image.zarr", "0.6", "zyx", halved("zyx", voxels("zyx", rng), 5),
        datasets=datasets, coordinateTransformations=others,
        coordinateSystems=[system(name) for name in ("micro", "world", "atlas")])
    assert problems(image, "0.6") == []
    before = (image / "zarr.json").read_bytes()
    found = info(omtask, image)["levels"]
    assert [level["scale"] for level in found] == [versions.scales("zyx", n) for n in range(5)]
    assert [level["translation"] for level in found] == [
        dataset["coordinateTransformations"][0]["transformations"][1]["translation"]
        for dataset in datasets]
    assert json.loads(omtask("validate", image, "--json").stdout)["valid"]
    omtask("run", "threshold", image, "--threshold", "600", "--objects", "false", "--label-name", "l")
    label = image / "labels" / "l"
    assert entry(label)["datasets"] == datasets
    assert entry(label)["coordinateSystems"] == [system("micro")]
    assert problems(label, "0.6") == problems(label, "0.6", "label") == []
    made = levels(label)
    assert [level.shape for level in made] == [level.shape for level in levels(image)]
    assert np.array_equal(made[0] != 0, levels(image)[0] > 600)
    assert (image / "zarr.json").read_bytes() == before
    assert json.loads(omtask("validate", image, "--json").stdout)["valid"]


TO = {"output": {"name": "micro"}}
BAD = {
    "affine": ([{"type": "affine", "affine": [[1, 0, 0], [0, 1, 0]], **TO}], "affine"),
    "turned round": ([{"type": "sequence", "transformations": [
        {"type": "translation", "translation": [1, 1]}, {"type": "scale", "scale": [1, 1]}], **TO}],
        "translation, scale"),
    "two": ([{"type": "identity", **TO}] * 2, "2 transformations"),
    "none": ([], "0 transformations"),
    "no output": ([{"type": "identity"}], "output"),
    "unknown output": ([{"type": "identity", "output": {"name": "other"}}], "other"),
    "short": ([{"type": "scale", "scale": [1.0], **TO}], "1 numbers"),
}


@pytest.mark.parametrize("name", BAD)
def test_levels_that_lead_nowhere(name: str, omtask: Program, tmp_path: Path) -> None:
    steps, says = BAD[name]
    image = versions.write(
        tmp_path / "image.zarr", "0.6", "yx", [np.ones((20, 20), np.uint8)],
        datasets=[{"path": "0", "coordinateTransformations": steps}])
    refused = omtask("info", image, expect=65)
    assert says in refused.stderr and str(image / "zarr.json") in refused.stderr


@pytest.mark.parametrize("version", ["0.1", "0.2", "0.3", "0.4"])
def test_a_version_that_is_not_written_is_seen(
    version: str, omtask: Program, tmp_path: Path, rng: np.random.Generator
) -> None:
    image = versions.write(
        tmp_path / "image.zarr", version, "tczyx", halved("tczyx", voxels("tczyx", rng), 2))
    document = json.loads((image / ".zattrs").read_text())
    del document["multiscales"][0]["version"]
    (image / ".zattrs").write_text(json.dumps(document))
    assert info(omtask, image)["version"] == version


def test_an_image_of_the_first_version(
    omtask: Program, tmp_path: Path, rng: np.random.Generator
) -> None:
    image = versions.write(
        tmp_path / "image.zarr", "0.1", "tczyx", halved("tczyx", voxels("tczyx", rng), 3))
    assert (image / "0" / "0.0.0.0.0").is_file()
    for _ in range(2):
        found = info(omtask, image)
        assert (found["version"], len(found["levels"])) == ("0.1", 3)
        verdict = json.loads(omtask("validate", image, "--json").stdout)
        assert verdict["valid"] and verdict["version"] == "0.1", verdict
        omtask("run", "threshold", image, "--method", "otsu", "--channel", "all", "--label-name", "l",
               "--objects", "false", "--scope", "volume", "--keep-channel-axis", "true")
    # All five axes, so every channel has its own threshold.
    (made, *_), (data, *_) = levels(image / "labels" / "l"), levels(image)
    for place in np.ndindex(data.shape[:2]):
        volume = data[place]
        assert np.array_equal(made[place] != 0, volume > threshold_otsu(volume))
    assert (image / "labels" / "l" / "0" / "0.0.0.0.0").is_file()


@pytest.mark.parametrize("version", ["0.7", "0.8", "1.0"])
def test_versions_to_come(version: str, omtask: Program, tmp_path: Path) -> None:
    image = versions.write(tmp_path / "image.zarr", "0.6", "yx", [np.ones((20, 20), np.uint8)])
    document = json.loads((image / "zarr.json").read_text())
    document["attributes"]["ome"]["version"] = version
    (image / "zarr.json").write_text(json.dumps(document))
    refused = omtask("info", image, expect=76)
    assert f"OME-Zarr version {version} is not supported, 0.1 to 0.6 are" in refused.stderr


@pytest.mark.parametrize("version", VERSIONS)
def test_plates(version: str, omtask: Program, tmp_path: Path, rng: np.random.Generator) -> None:
    axes = "tczyx" if version <= "0.2" else "czyx"
    plate = tmp_path / "plate.zarr"
    versions.write_plate(
        plate, version, axes, {well: [voxels(axes, rng)] for well in ("A/1", "B/2")})
    omtask("run", "threshold", plate, "--threshold", "600", "--channel", "0",
           "--label-name", "cells")
    omtask("run", "project", plate)
    new = tmp_path / "plate_max_z.zarr"
    for path in (plate, new):
        assert problems(path, version, "plate") == []
        assert problems(path / "B/2", version, "well") == []
        assert problems(path / "B/2/0", version) == []
        assert ("version" in metadata(path)["plate"]) == (version < "0.6")
    assert np.array_equal(
        levels(new / "A/1/0")[0], levels(plate / "A/1/0")[0].max(axes.index("z"), keepdims=True))
    assert levels(plate / "B/2/0/labels/cells")[0].any()
    copy = tmp_path / "copy.zarr"
    omtask("run", "convert", plate, "--output", copy)
    assert problems(copy, "0.5", "plate") == []
    assert metadata(copy)["plate"]["wells"] == [
        {"path": "A/1", "rowIndex": 0, "columnIndex": 0},
        {"path": "B/2", "rowIndex": 1, "columnIndex": 1}]
    for path in (plate, new, copy):
        omtask("validate", path)
