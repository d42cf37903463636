"""Groups of bioformats2raw and collections of RFC-8: commands go over the images in them."""

import csv
import io
import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import zarr

from omtask_testing.images import (
    Image, PlateShape, multiscales, write_group, write_image, write_plate)
from omtask_testing.layouts import ZSTD, Layout, blosc_v2, write_array
from omtask_testing.program import Program
from omtask_testing.samples import blobs_image, write_blobs
from omtask_testing.trees import tree

V2 = Layout("v2", "0.4", (4, 16, 16), compression=(blosc_v2("lz4", 1),))
V3 = Layout("v3", "0.5", (4, 16, 16), (2, 2, 2), (ZSTD,))
SHAPE = (6, 40, 50)
DRAFT = "0.9.dev3"


def label(image: Path, name: str = "nuclei") -> np.ndarray:
    return zarr.open_array(image / "labels" / name / "0", mode="r")[:]


def label_free(image: Path) -> dict[str, str]:
    return {key: value for key, value in tree(image).items() if not key.startswith("labels/")}


def write_series(root: Path, layout: Layout, count: int, order: list[str] | None) -> list[Path]:
    """A group as bioformats2raw writes it; its images, in their order."""
    write_group(root, layout.version, {"bioformats2raw.layout": 3})
    for number in range(count):
        write_blobs(root / str(number), layout, np.random.default_rng(number), shape=SHAPE)
    write_group(root / "OME", layout.version, {"series": order} if order else {})
    images = "".join(f"<Image ID='Image:{number}'/>" for number in range(count))
    (root / "OME" / "METADATA.ome.xml").write_text(f"<OME>{images}</OME>")
    return [root / name for name in order or map(str, range(count))]


def node(path: str, type: str = "multiscale", kind: str = "zarr", **more: Any) -> dict[str, Any]:
    return {"type": type, "name": path, "path": {"type": kind, "path": path}} | more


def write_collection(file: Path, *nodes: dict[str, Any]) -> Path:
    ome = {"version": DRAFT, "type": "collection", "name": file.stem, "nodes": list(nodes)}
    file.write_text(json.dumps({"ome": ome}))
    return file


@pytest.fixture()
def images(tmp_path: Path) -> list[Path]:
    """Two images beside each other and one that lies deeper."""
    paths = [tmp_path / name for name in ("a.zarr", "b.zarr", "deep/c.zarr")]
    for seed, path in enumerate(paths):
        write_blobs(path, (V3, V2, V3)[seed], np.random.default_rng(seed), shape=SHAPE)
    return paths


def collection(folder: Path) -> Path:
    labels = {"labels": {"source": [{"id": "a"}]}}
    inner = {"type": "collection", "name": "more", "nodes": [node("./deep/c.zarr")]}
    return write_collection(
        folder / "collection.json", node("./b.zarr"), node("./a.zarr", id="a"), inner,
        node("./a.zarr/labels/nuclei", attributes=labels), {"type": "acme:note", "name": "x"})


# bioformats2raw


@pytest.mark.parametrize("layout", [V2, V3], ids=lambda layout: layout.name)
@pytest.mark.parametrize("ranks", [None, 3])
def test_all_images_of_a_series_are_processed_in_its_order(
    omtask: Program, tmp_path: Path, layout: Layout, ranks: int | None
) -> None:
    images = write_series(tmp_path / "all.zarr", layout, 3, ["0", "2", "1"])
    done = omtask.threshold(
        tmp_path / "all.zarr", ranks=ranks, parameters={"label_name": "nuclei"})
    assert [Path(image["uri"]) for image in done.report.images] == images
    again = tmp_path / "again.zarr"
    for image in write_series(again, layout, 3, ["0", "2", "1"]):
        omtask.threshold(image, parameters={"label_name": "nuclei"})
        assert np.array_equal(label(image), label(tmp_path / "all.zarr" / image.name))
        assert label(image).max() > 1
    repeated = omtask.threshold(tmp_path / "all.zarr", parameters={"label_name": "nuclei"})
    assert {image["status"] for image in repeated.report.images} == {"skipped"}
    omtask("verify", tmp_path / "all.zarr")
    assert json.loads(omtask("validate", "--json", tmp_path / "all.zarr").stdout)["valid"]


def test_info_tells_the_images_of_a_series(omtask: Program, tmp_path: Path) -> None:
    images = write_series(tmp_path / "all.zarr", V3, 3, None)
    answer = json.loads(omtask("info", "--json", tmp_path / "all.zarr").stdout)
    assert answer["kind"] == "bioformats2raw"
    assert [Path(image["uri"]) for image in answer["images"]] == images
    assert "bioformats2raw group with 3 images" in omtask("info", tmp_path / "all.zarr").stdout


def test_an_xml_with_other_images_is_an_error(omtask: Program, tmp_path: Path) -> None:
    write_series(tmp_path / "all.zarr", V3, 3, None)
    (tmp_path / "all.zarr" / "OME" / "METADATA.ome.xml").write_text("<OME><Image/></OME>")
    failed = omtask.threshold(tmp_path / "all.zarr", expect=65)
    assert "METADATA.ome.xml: has 1 images, there are 3 series" in failed.stderr


def test_several_images_do_not_go_into_one_output(omtask: Program, tmp_path: Path) -> None:
    write_series(tmp_path / "all.zarr", V3, 2, None)
    failed = omtask.run(
        "gaussian-blur", tmp_path / "all.zarr", extra=["--output", tmp_path / "out.zarr"],
        expect=64)
    assert "there are 2 images" in failed.stderr
    assert not (tmp_path / "out.zarr").exists()


# Collections


@pytest.mark.parametrize("ranks", [None, 2])
@pytest.mark.parametrize("names_file", [True, False])
def test_a_run_goes_over_the_images_of_a_collection(
    omtask: Program, tmp_path: Path, images: list[Path], ranks: int | None, names_file: bool
) -> None:
    file = collection(tmp_path)
    alone = omtask.threshold(images[0], parameters={"label_name": "nuclei"})
    assert alone.report.images[0]["status"] == "done"
    done = omtask.threshold(
        file if names_file else tmp_path, ranks=ranks, parameters={"label_name": "nuclei"})
    assert [Path(image["uri"]).name for image in done.report.images] == ["b.zarr", "a.zarr", "c.zarr"]
    # The image is the same one by whatever way it is reached.
    assert [image["status"] for image in done.report.images] == ["done", "skipped", "done"]
    for seed, image in enumerate(images):
        other = tmp_path / f"other-{seed}.zarr"
        write_blobs(other, (V3, V2, V3)[seed], np.random.default_rng(seed), shape=SHAPE)
        omtask.threshold(other, parameters={"label_name": "nuclei"})
        assert np.array_equal(label(other), label(image))


def test_tables_of_a_collection_are_joined_by_image(
    omtask: Program, tmp_path: Path, images: list[Path]
) -> None:
    file = collection(tmp_path)
    omtask.threshold(file, parameters={"label_name": "nuclei"})
    omtask.run("measure", file, parameters={"label": "nuclei", "table_name": "features"})
    rows = list(csv.DictReader(io.StringIO(omtask("table", file, "features", "--csv", "-").stdout)))
    assert {row["image"] for row in rows} == {"a.zarr", "b.zarr", "deep/c.zarr"}
    counts = [sum(row["image"].endswith(image.name) for row in rows) for image in images]
    assert counts == [label(image).max() for image in images]


def test_wells_of_a_collection_can_be_chosen(
    omtask: Program, tmp_path: Path, images: list[Path]
) -> None:
    plate = {"rows": [{"id": "r0", "name": "B"}], "columns": [{"id": "c1"}, {"id": "c2"}]}
    wells = [
        {"type": "collection", "name": column, "nodes": [node(path)],
         "attributes": {"well": {"row": {"id": "r0"}, "column": {"id": column}}}}
        for column, path in (("c1", "./a.zarr"), ("c2", "./b.zarr"))
    ]
    file = write_collection(tmp_path / "plate.json", *wells)
    document = json.loads(file.read_text())
    document["ome"]["attributes"] = {"plate": plate}
    file.write_text(json.dumps(document))
    assert "collection with 2 wells, 2 images" in omtask("info", file).stdout
    done = omtask.threshold(file, extra=["--wells", "B/c2"])
    assert [Path(image["uri"]).name for image in done.report.images] == ["b.zarr"]


def test_paths_out_of_the_folder_need_consent(
    omtask: Program, tmp_path: Path, images: list[Path]
) -> None:
    (tmp_path / "work").mkdir()
    nodes = [node("../a.zarr"), node(str(images[1])), node("https://localhost/c.zarr")]
    file = write_collection(tmp_path / "work" / "mine.json", *nodes)
    refused = omtask.threshold(file, expect=77)
    assert refused.stderr.count("leads out of") == 2
    assert refused.stderr.count("`--follow-links` allows that") == 2
    assert "leads to another machine" in refused.stderr
    for image in images:
        assert not (image / "labels").exists()
    allowed = omtask.threshold(file, extra=["--follow-links"], ranks=2, expect=77)
    assert [image["status"] for image in allowed.report.images] == ["done", "done", "failed"]
    assert "mine.json leads to 2 places outside of" in allowed.stderr


def test_a_link_out_of_the_folder_needs_consent(
    omtask: Program, tmp_path: Path, images: list[Path]
) -> None:
    (tmp_path / "work").mkdir()
    (tmp_path / "work" / "link.zarr").symlink_to(images[0])
    file = write_collection(tmp_path / "work" / "mine.json", node("./link.zarr"))
    assert "link.zarr" in omtask.threshold(file, expect=77).stderr
    assert not (images[0] / "labels").exists()


def test_a_group_whose_collection_names_itself_is_a_circle(
    omtask: Program, tmp_path: Path
) -> None:
    write_group(tmp_path / "rec", "0.5", {})
    write_collection(tmp_path / "rec" / "collection.json", node(".", "collection"))
    assert "a circle" in omtask("info", tmp_path / "rec", expect=65).stderr


def test_members_are_what_links_lead_to(
    omtask: Program, tmp_path: Path, images: list[Path]
) -> None:
    made = tmp_path / "made.zarr"
    omtask.run("gaussian-blur", images[0], extra=["--output", made])
    before = label_free(made)
    (tmp_path / "link.zarr").symlink_to(made)
    file = write_collection(tmp_path / "mine.json", node("./link.zarr"), node("./made.zarr"))
    answer = json.loads(omtask("info", "--json", file).stdout)
    assert [image["uri"] for image in answer["images"]] == [str(made)]
    refused = omtask.run(
        "median", file, extra=["--output", made], parameters={"overwrite": True}, expect=77)
    assert "is the input itself" in refused.stderr
    assert label_free(made) == before


def test_results_of_several_plates_do_not_share_an_output(
    omtask: Program, tmp_path: Path
) -> None:
    shape = PlateShape(1, 1, 1)
    for name in ("p1.zarr", "p2.zarr"):
        image = blobs_image(V3, np.random.default_rng(3), shape=SHAPE)
        write_plate(tmp_path / name, shape, {path: image for path in shape.images})
    file = write_collection(
        tmp_path / "mine.json", node("./p1.zarr", "collection"), node("./p2.zarr", "collection"))
    out = tmp_path / "out.zarr"
    refused = omtask.run("gaussian-blur", file, extra=["--output", out], expect=64)
    assert "there are 2 images" in refused.stderr and not out.exists()
    # Wells that only one of them has.
    done = omtask.threshold(file, extra=["--wells", "A/01"])
    assert [image["status"] for image in done.report.images] == ["done", "done"]
    assert "no image fits" in omtask.threshold(file, extra=["--wells", "B/*"], expect=64).stderr


@pytest.mark.parametrize("layout", [V2, V3], ids=lambda layout: layout.name)
def test_foreign_keys_that_nodes_have_too_mean_nothing(
    omtask: Program, tmp_path: Path, layout: Layout
) -> None:
    image = blobs_image(layout, np.random.default_rng(1), shape=SHAPE)
    write_image(tmp_path / "a.zarr", image)
    document = tmp_path / "a.zarr" / (".zattrs" if layout is V2 else "zarr.json")
    metadata = json.loads(document.read_text())
    place = metadata if layout is V2 else metadata["attributes"]["ome"]
    place |= {"type": "multiscale", "path": "/data/raw.czi"}
    document.write_text(json.dumps(metadata))
    assert layout.version in omtask("info", tmp_path / "a.zarr").stdout
    omtask.threshold(tmp_path / "a.zarr")


def test_derived_images_are_in_the_copy_of_the_group_above(
    omtask: Program, tmp_path: Path
) -> None:
    root = tmp_path / "all.zarr"
    write_series(root, V3, 2, ["0", "1"])
    zarr.consolidate_metadata(root)
    omtask.run("gaussian-blur", root)
    omtask.threshold(root, parameters={"label_name": "nuclei"})
    group = zarr.open_group(root, mode="r", use_consolidated=True)
    assert group["0_gaussian/0"].shape == SHAPE
    assert group["1/labels/nuclei/0"].shape == SHAPE
    # What was made is not taken for one of the images.
    again = omtask.run("gaussian-blur", root)
    assert len(again.report.images) == 2


def test_a_broken_node_does_not_stop_the_others(
    omtask: Program, tmp_path: Path, images: list[Path]
) -> None:
    file = write_collection(
        tmp_path / "mine.json", node("./gone.zarr"), node("./a.zarr"),
        node("./mine.json", "collection", "json"))
    failed = omtask.threshold(file, expect=65)
    assert [image["status"] for image in failed.report.images] == ["failed", "done", "failed"]
    assert "a circle" in failed.stderr and "gone.zarr" in failed.stderr


def test_a_collection_in_an_archive_is_read_in_place(
    omtask: Program, tmp_path: Path, images: list[Path]
) -> None:
    root = tmp_path / "all.zarr"
    nodes = [node("./x"), node("./y")]
    ome = {"type": "collection", "name": "all", "nodes": nodes}
    write_group(root, DRAFT, ome)
    for seed, name in enumerate("xy"):
        write_blobs(root / name, V3, np.random.default_rng(seed), shape=SHAPE)
    omtask("pack", root, tmp_path / "all.ozx")
    answer = json.loads(omtask("info", "--json", tmp_path / "all.ozx").stdout)
    assert [image["uri"] for image in answer["images"]] == [
        f"{tmp_path / 'all.ozx'}/{name}" for name in "xy"]
    # Where nothing can be written, that is said before anything is computed.
    assert "--output" in omtask.threshold(tmp_path / "all.ozx", expect=77).stderr


# Images whose metadata are a node


def write_node(path: Path, image: Image, draft: str) -> None:
    """The image with metadata of RFC-8 in the form of a draft."""
    entry = multiscales(image.axes, len(image.levels), "0.5", path.stem)[0]
    systems = [{"id": "p", "name": "physical", "axes": entry["axes"]}]
    levels = []
    for dataset in entry["datasets"]:
        output = {"v1": {"id": "p"}, "april": "p", "autumn": {"ref": "p"}}[draft]
        steps = [step | {"output": output} for step in dataset["coordinateTransformations"]]
        place: Any = {"type": "zarr", "path": "./" + dataset["path"]}
        levels.append({
            "type": "singlescale", "name": "s" + dataset["path"],
            "path": dataset["path"] if draft == "autumn" else place,
            "attributes": {"coordinateTransformations": steps}})
    ome = {"type": "multiscale", "name": path.stem, "nodes": levels,
           "attributes": {"coordinateSystems": systems}}
    write_group(path, DRAFT, ome)
    for level, data in enumerate(image.levels):
        write_array(path / str(level), data, image.layout, image.axes, image.writer)


@pytest.mark.parametrize("draft", ["v1", "april", "autumn"])
def test_an_image_of_nodes_is_an_image(omtask: Program, tmp_path: Path, draft: str) -> None:
    image = blobs_image(V3, np.random.default_rng(4), shape=SHAPE)
    write_node(tmp_path / "node.zarr", image, draft)
    write_image(tmp_path / "plain.zarr", image)
    before = (tmp_path / "node.zarr" / "zarr.json").read_bytes()
    for name in ("node.zarr", "plain.zarr"):
        omtask.threshold(tmp_path / name, parameters={"label_name": "nuclei"})
        omtask.run("measure", tmp_path / name, parameters={"label": "nuclei"})
        omtask.run("gaussian-blur", tmp_path / name)
    assert np.array_equal(label(tmp_path / "node.zarr"), label(tmp_path / "plain.zarr"))
    assert (tmp_path / "node.zarr" / "zarr.json").read_bytes() == before
    told = [
        json.loads(omtask("info", "--json", tmp_path / name).stdout)
        for name in ("node.zarr", "plain.zarr")
    ]
    assert told[0]["version"] == DRAFT and told[0]["levels"] == told[1]["levels"]
    assert told[0]["axes"] == told[1]["axes"]
    for written in ("node.zarr/labels/nuclei", "node_gaussian.zarr"):
        verdict = json.loads(omtask("validate", "--json", tmp_path / written).stdout)
        assert verdict["valid"], written
    blurred = [zarr.open_array(tmp_path / f"{name}_gaussian.zarr" / "0")[:]
               for name in ("node", "plain")]
    assert np.array_equal(*blurred)


def test_levels_of_nodes_are_not_replaced(omtask: Program, tmp_path: Path) -> None:
    write_node(
        tmp_path / "node.zarr", blobs_image(V3, np.random.default_rng(4), shape=SHAPE), "v1")
    refused = omtask.run("pyramid", tmp_path / "node.zarr", expect=76)
    assert "a node of RFC-8" in refused.stderr and "convert" in refused.stderr
    omtask.run("convert", tmp_path / "node.zarr", extra=["--output", tmp_path / "out.zarr"])
    omtask.run("pyramid", tmp_path / "out.zarr")


# Results in a collection


def nodes_of(file: Path) -> list[dict[str, Any]]:
    return json.loads(file.read_text())["ome"]["nodes"]


def test_results_are_listed_in_a_collection(
    omtask: Program, tmp_path: Path, images: list[Path]
) -> None:
    file = tmp_path / "mine.json"
    listed = ["--collection", file]
    before = {image: (image / "zarr.json").read_bytes() for image in (images[0], images[2])}
    omtask.threshold(*images, parameters={"label_name": "nuclei"}, extra=listed, ranks=2)
    omtask.run("gaussian-blur", images[1], extra=listed)
    first = file.read_bytes()
    paths = [entry["path"]["path"] for entry in nodes_of(file)]
    assert sorted(paths) == sorted(
        [f"./{name}" for name in ("a.zarr", "b.zarr", "deep/c.zarr", "b_gaussian.zarr")]
        + [f"./{name}/labels/nuclei" for name in ("a.zarr", "b.zarr", "deep/c.zarr")])
    for entry in nodes_of(file):
        if "labels" in entry.get("attributes", {}):
            source = entry["attributes"]["labels"]["source"][0]["id"]
            found = next(other for other in nodes_of(file) if other["id"] == source)
            assert entry["path"]["path"] == found["path"]["path"] + "/labels/nuclei"
    assert {image: (image / "zarr.json").read_bytes() for image in before} == before
    # It is valid, and an input: of the images, not of the labels.
    assert json.loads(omtask("validate", "--json", file).stdout)["valid"]
    answer = json.loads(omtask("info", "--json", file).stdout)
    assert len(answer["images"]) == 4 and answer["labels"] == 3
    # What was there already is listed all the same, and once.
    omtask.threshold(*images, parameters={"label_name": "nuclei"}, extra=listed)
    assert file.read_bytes() == first
    file.unlink()
    omtask.threshold(*images, parameters={"label_name": "nuclei"}, extra=listed)
    assert len(nodes_of(file)) == 6
    assert not (tmp_path / ".omtask").exists()


def test_many_runs_share_a_collection(omtask: Program, tmp_path: Path) -> None:
    image = tmp_path / "a.zarr"
    write_blobs(image, V3, np.random.default_rng(0), shape=SHAPE)
    file = tmp_path / "mine.json"
    with ThreadPoolExecutor(6) as pool:
        runs = [
            pool.submit(
                omtask, "run", "threshold", image, "--label-name", f"n{number}", "--threads", "1",
                "--collection", file)
            for number in range(18)
        ]
        for run in runs:
            run.result()
    names = {entry["name"] for entry in nodes_of(file)}
    assert names == {"a.zarr"} | {f"a.zarr/labels/n{number}" for number in range(18)}


@pytest.mark.parametrize(
    ("name", "content", "code", "words"),
    [
        ("mine.json", '{"ome": {"type": "multiscale"}}', 65, "no collection"),
        ("mine.json", "{", 65, "mine.json"),
        ("mine.txt", None, 64, "no JSON file"),
        ("zarr.json", None, 77, "metadata document"),
        ("gone/mine.json", None, 66, "gone"),
    ],
)
def test_a_bad_collection_is_refused_before_anything_is_made(
    omtask: Program, tmp_path: Path, name: str, content: str | None, code: int, words: str
) -> None:
    image = tmp_path / "a.zarr"
    write_blobs(image, V3, np.random.default_rng(0), shape=SHAPE)
    if content:
        (tmp_path / name).write_text(content)
    refused = omtask.threshold(image, extra=["--collection", tmp_path / name], expect=code)
    assert words in refused.stderr
    assert not (image / "labels").exists()


def test_a_collection_without_images_is_shown(omtask: Program, tmp_path: Path) -> None:
    file = write_collection(tmp_path / "none.json")
    assert "collection with 0 images" in omtask("info", file).stdout
    assert "there are no images" in omtask("run", "threshold", file, "--threshold", "1", expect=65).stderr


def test_a_collection_may_lie_in_the_image(omtask: Program, tmp_path: Path) -> None:
    image = tmp_path / "a.zarr"
    write_blobs(image, V3, np.random.default_rng(0), shape=SHAPE)
    file = image / "mine.json"
    for _ in range(2):
        omtask.threshold(image, parameters={"label_name": "nuclei"}, extra=["--collection", file])
    first, second = nodes_of(file)
    assert (first["id"], first["name"], first["path"]["path"]) == ("a.zarr", "a.zarr", "./")
    assert second["attributes"]["labels"]["source"] == [{"id": "a.zarr"}]
    assert json.loads(omtask("validate", "--json", file).stdout)["valid"]


def test_an_archive_is_listed_in_no_collection(omtask: Program, tmp_path: Path) -> None:
    image = tmp_path / "a.zarr"
    write_blobs(image, V3, np.random.default_rng(0), shape=SHAPE)
    words = ["--output", tmp_path / "o.ozx", "--collection", tmp_path / "mine.json"]
    assert "is an archive" in omtask.run("gaussian-blur", image, extra=words, expect=64).stderr
    assert not (tmp_path / "o.ozx").exists()


def test_tables_and_parts_are_listed_in_no_collection(omtask: Program, tmp_path: Path) -> None:
    image = tmp_path / "a.zarr"
    write_blobs(image, V3, np.random.default_rng(0), shape=SHAPE)
    listed = ["--collection", tmp_path / "mine.json"]
    omtask.threshold(image, parameters={"label_name": "nuclei"})
    table = omtask.run("measure", image, parameters={"label": "nuclei"}, extra=listed, expect=64)
    assert "no image that a collection could list" in table.stderr
    part = omtask.threshold(image, extra=[*listed, "--part", "1/2"], expect=64)
    assert "parts end at different times" in part.stderr
    assert not (tmp_path / "mine.json").exists()
