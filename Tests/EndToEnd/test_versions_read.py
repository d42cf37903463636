"""What versions allow but tasks cannot use is shown, read and refused as unsupported."""

import json
import subprocess
from pathlib import Path

import numpy as np
import pytest
import zarr

from omtask_testing import versions
from omtask_testing.program import Program
from omtask_testing.versions import entry, levels, problems

TYPES = {"t": "time", "c": "channel"}


def info(omtask: Program, path: Path) -> dict:
    return json.loads(omtask("info", path, "--json").stdout)


def image_of(
    path: Path, version: str, names: str, shape: tuple[int, ...], type_: str | None = None
) -> tuple[Path, np.ndarray]:
    """An image with one level and axes of any names, and its voxels."""
    data = np.arange(np.prod(shape), dtype=np.uint16).reshape(shape)
    axes = [{"name": name, "type": type_ or TYPES.get(name, "space")} for name in names]
    scale = {"type": "scale", "scale": [1.0] * len(names)}
    group = zarr.open_group(path, mode="w", zarr_format=3)
    if version == "0.5":
        made = {"axes": axes}
    else:
        made = {"coordinateSystems": [{"name": "p", "axes": axes}]}
        scale |= {"input": {"path": "0"}, "output": {"name": "p"}}
    made |= {"name": "made", "datasets": [{"path": "0", "coordinateTransformations": [scale]}]}
    group.attrs["ome"] = {"version": version, "multiscales": [made]}
    array = group.create_array(
        "0", shape=shape, chunks=tuple(min(7, n) for n in shape), dtype=data.dtype,
        dimension_names=list(names))
    array[...] = data
    return path, data


CASES = {
    "x, y, z": ("0.5", "xyz", (20, 18, 3), None, True),
    "c, x, y": ("0.5", "cxy", (2, 20, 18), None, True),
    "x, y, c": ("0.9.dev1", "xyc", (20, 18, 2), None, True),
    "one axis": ("0.9.dev1", "x", (9,), None, False),
    "six axes": ("0.9.dev2", "tczyxw", (1, 2, 3, 4, 5, 6), None, False),
    "no axis of space": ("0.9.dev1", "tc", (4, 5), None, False),
    "axes of an array": ("0.6", "ab", (9, 8), "array", False),
}


@pytest.mark.parametrize("name", CASES)
def test_axes_that_tasks_cannot_use(name: str, omtask: Program, tmp_path: Path) -> None:
    version, names, shape, type_, is_convertible = CASES[name]
    image, data = image_of(tmp_path / "i.zarr", version, names, shape, type_)
    assert json.loads(omtask("validate", image, "--json").stdout)["valid"]
    assert [axis["axis"] for axis in info(omtask, image)["axes"]] == list(names)
    assert f"axes      {', '.join(names)}" in omtask("info", image).stdout
    seen = subprocess.check_output([omtask.path, "cat", image, "--select", f"{names[0]}=0:1"])
    assert np.array_equal(np.frombuffer(seen, np.uint16), data[:1].ravel())
    omtask("verify", image)
    refused = omtask("run", "threshold", image, "--threshold", "5", expect=76)
    assert "the axes are" in refused.stderr
    assert ("`omtask run convert`" in refused.stderr) == is_convertible
    out = tmp_path / "out.zarr"
    if not is_convertible:
        assert "the axes are" in omtask("run", "convert", image, "--output", out, expect=76).stderr
        omtask("preview", image, "--png", tmp_path / "p.png", expect=76)
        return
    omtask("run", "convert", image, "--output", out, "--ome-version", "0.5")
    ordered = [axis["name"] for axis in entry(out)["axes"]]
    assert ordered == [axis for axis in "tczyx" if axis in names]
    assert np.array_equal(levels(out)[0], data.transpose([names.index(axis) for axis in ordered]))
    for path in (image, out):
        omtask("preview", path, "--png", tmp_path / f"{path.name}.png")
    assert (tmp_path / "i.zarr.png").read_bytes() == (tmp_path / "out.zarr.png").read_bytes()


@pytest.mark.parametrize("names", ["tczyxw", "tc", "xyc"])
def test_axes_that_a_version_does_not_allow(names: str, omtask: Program, tmp_path: Path) -> None:
    image, _ = image_of(tmp_path / "i.zarr", "0.5", names, (2,) * len(names))
    omtask("info", image, expect=65)


@pytest.mark.parametrize("version", ["0.4", "0.5"])
def test_the_size_of_a_voxel_is_that_behind_the_levels(
    version: str, omtask: Program, tmp_path: Path
) -> None:
    outer = [{"type": "scale", "scale": [3.0, 5.0]}, {"type": "translation", "translation": [1.0, 0.0]}]
    image = versions.write(
        tmp_path / "image.zarr", version, "yx", [np.ones((20, 20), np.uint8)],
        coordinateTransformations=outer)
    out = tmp_path / "out.zarr"
    omtask("run", "convert", image, "--output", out, "--ome-version", "0.6")
    for path in (image, out):
        level = info(omtask, path)["levels"][0]
        assert (level["scale"], level["translation"]) == ([1.5, 1.25], [1.0, 0.0])
        assert "voxel     y 1.5 micrometer, x 1.25 micrometer" in omtask("info", path).stdout


@pytest.mark.parametrize("version", ["0.1", "0.2", "0.3"])
def test_each_channel_has_a_label_image(
    version: str, omtask: Program, tmp_path: Path, rng: np.random.Generator
) -> None:
    data = rng.integers(0, 1000, (1, 2, 2, 20, 20), np.uint16)
    image = versions.write(tmp_path / "image.zarr", version, "tczyx", [data])
    words = ("run", "threshold", image, "--threshold", "500", "--objects", "false")
    omtask(*words, "--channel", "1")
    omtask(*words, "--channel", "0")
    omtask(*words, "--channel", "all", "--overwrite")
    for channel in range(2):
        made = levels(image / f"labels/channel_{channel}_segmented")[0]
        if version < "0.3":
            assert not made[:, 1 - channel].any()
            made = made[:, channel]
        assert np.array_equal(made != 0, data[:, channel] > 500)
    single = versions.write(tmp_path / "single.zarr", version, "tczyx", [data[:, :1]])
    omtask(*words[:2], single, *words[3:])
    name = "segmented" if version < "0.3" else "channel_0_segmented"
    assert (single / "labels" / name).is_dir()


@pytest.mark.parametrize(("version", "form"), [
    ("0.5-dev1", "0.5"), ("0.6.dev2", "0.6"), ("0.6.dev4", "0.6"), ("0.6dev1", "0.6")])
def test_drafts_are_read_as_what_they_led_to(
    version: str, form: str, omtask: Program, tmp_path: Path, rng: np.random.Generator
) -> None:
    data = rng.integers(0, 1000, (2, 40, 40), np.uint16)
    image = versions.write(tmp_path / "image.zarr", form, "zyx", [data, data[:, ::2, ::2]])
    document = json.loads((image / "zarr.json").read_text())
    ome = document["attributes"]["ome"]
    ome["version"] = version
    if version == "0.6.dev2":
        # Early drafts name the ends of transformations by texts.
        for dataset in ome["multiscales"][0]["datasets"]:
            dataset["coordinateTransformations"][0] |= {"input": dataset["path"], "output": "micro"}
    (image / "zarr.json").write_text(json.dumps(document))
    found = info(omtask, image)
    assert found["version"] == version and len(found["levels"]) == 2
    assert [note for note in found["notes"] if f"a draft of {form}, read as {form}" in note]
    omtask("run", "threshold", image, "--threshold", "500", "--objects", "false", "--label-name", "l")
    omtask("run", "pyramid", image, "--levels", "3", "--factors", "2")
    label = image / "labels" / "l"
    assert np.array_equal(levels(label)[0] != 0, data > 500)
    for path in (image, label):
        assert info(omtask, path)["version"] == version
        ends = [dataset["coordinateTransformations"][0].get("output") for dataset in entry(path)["datasets"]]
        assert len(ends) == 3 and all(end == ends[0] for end in ends)
    out = tmp_path / "out.zarr"
    omtask("run", "convert", image, "--output", out, "--ome-version", form)
    assert problems(out, form) == []


def system(name: str) -> dict:
    return {"name": name, "axes": [versions.AXIS[axis] for axis in "zyx"]}


def test_systems_and_transformations(omtask: Program, tmp_path: Path) -> None:
    affine = np.array([[1.0, 0, 0, 4.5], [0, 0.96, -0.28, 0], [0, 0.28, 0.96, 100]])
    ends = {"input": {"name": "micro"}}
    others = [
        {"type": "sequence", "transformations": [
            {"type": "scale", "scale": [2, 2, 2]}, {"type": "affine", "affine": affine.tolist()}],
         **ends, "output": {"name": "world"}},
        {"type": "translation", "translation": [1, 2, 3], "input": {"name": "world"},
         "output": {"name": "atlas"}},
        {"type": "displacements", "path": "field", "interpolation": "linear", **ends,
         "output": {"name": "warped"}}]
    image = versions.write(
        tmp_path / "image.zarr", "0.6", "zyx", [np.ones((2, 20, 20), np.uint8)],
        coordinateTransformations=others,
        coordinateSystems=[system(name) for name in ("micro", "world", "atlas", "warped")])
    found = info(omtask, image)
    scaled = affine @ np.diag([2, 2, 2, 1])
    level = np.diag([*versions.scales("zyx", 0), 1])
    moved = np.array([[0, 0, 0, 1], [0, 0, 0, 2], [0, 0, 0, 3]])
    expected = {"micro": level[:3], "world": scaled @ level, "atlas": scaled @ level + moved}
    systems = {system["name"]: system for system in found["coordinate_systems"]}
    assert [name for name in systems if systems[name]["of_levels"]] == ["micro"]
    assert systems["world"]["axes"][0] == {"name": "z", "type": "space", "unit": "micrometer"}
    for name, matrix in expected.items():
        assert np.allclose(systems[name]["matrix"], matrix, rtol=1e-14, atol=0)
    assert "matrix" not in systems["warped"]
    shown = found["transformations"]
    assert [{k: v for k, v in one.items() if k != "matrix"} for one in shown] == others
    assert np.allclose(shown[0]["matrix"], scaled) and "matrix" not in shown[2]
    text = omtask("info", image).stdout
    for part in (
        "system    micro (of the levels): z micrometer, y micrometer, x micrometer\n",
        "transform micro to world: sequence of scale, affine, which is the matrix [2, 0, 0, 4.5; ",
        "transform world to atlas: translation, which is translation 1, 2, 3\n",
        "transform micro to warped: displacements, as it is written\n",
        "voxels of level 0 by the matrix ["):
        assert part in text


def test_a_scene_is_told(omtask: Program, tmp_path: Path) -> None:
    scene = tmp_path / "scene.zarr"
    for name in ("a", "b"):
        versions.write(scene / f"{name}.zarr", "0.6", "zyx", [np.ones((2, 20, 20), np.uint8)])
    steps = [
        {"type": "scale", "scale": [2, 2, 2], "input": {"path": f"{name}.zarr", "name": "micro"},
         "output": {"name": "world"}} for name in ("a", "b")]
    ome = {"version": "0.6", "scene": {"coordinateSystems": [system("world")],
                                       "coordinateTransformations": steps}}
    (scene / "zarr.json").write_text(json.dumps(
        {"zarr_format": 3, "node_type": "group", "attributes": {"ome": ome}}))
    assert json.loads(omtask("validate", scene, "--json").stdout)["valid"]
    found = info(omtask, scene)
    assert (found["kind"], found["images"]) == ("scene", ["a.zarr", "b.zarr"])
    assert found["transformations"][0]["matrix"] == np.eye(3, 4).__mul__(2).tolist()
    text = omtask("info", scene).stdout
    assert "OME-Zarr 0.6 scene of 2 images" in text and "image     a.zarr" in text
    assert "transform micro of `a.zarr` to world: scale, which is scale 2, 2, 2" in text
    refused = omtask("run", "threshold", scene, "--threshold", "0", expect=76)
    assert "this is a scene" in refused.stderr and str(scene / "a.zarr") in refused.stderr
    omtask("run", "threshold", scene / "a.zarr", "--threshold", "0")
