"""For each rule of `omtask validate` a store that breaks it, made of one that keeps all rules."""

from collections.abc import Callable

from . import validation as v
from .validation import Edit, Tree, add, drop, put

Broken = tuple[str, Callable[[], Tree], list[Edit]]

ROOT = "zarr.json"
ATTRS = ".zattrs"
IMAGE = "multiscales.0"
LEVEL = "multiscales.0.datasets.1"
STEP = f"{LEVEL}.coordinateTransformations.0"
WELL = "B/1/zarr.json"
LABEL = "labels/nuclei/zarr.json"
NODES = "collection.json"
SCENE = "scene.coordinateTransformations.0"
WORLD = "multiscales.0.coordinateTransformations"
ORIENTED = {"type": "anatomical", "value": "left-to-right"}
SPACE = v.SPACE
CHANNEL = {"name": "c", "type": "channel"}


def old() -> Tree:
    return v.image("0.4")


def new() -> Tree:
    return v.image("0.6")


def colours() -> Tree:
    channel = {"color": "FF0000", "window": {"min": 0, "max": 9, "start": 0, "end": 9}}
    return v.image("0.5", omero={"channels": [channel]})


def text(key: str, words: str) -> Edit:
    return lambda tree: tree.__setitem__(key, words)


def file(key: str) -> Edit:
    return lambda tree: tree.__delitem__(key)


def move(source: str, target: str) -> Edit:
    def edit(tree: Tree) -> None:
        for key in [key for key in tree if key.startswith(f"{source}/")]:
            tree[target + key.removeprefix(source)] = tree.pop(key)

    return edit


def axes(*values: object) -> Edit:
    return put(ROOT, f"{IMAGE}.axes", list(values))


def again(key: str, way: str) -> Edit:
    """Puts the first element of a list behind its last."""

    def edit(tree: Tree) -> None:
        value = tree[key]["attributes"]["ome"] if "attributes" in tree[key] else tree[key]
        for step in way.split("."):
            value = value[int(step) if step.isdigit() else step]
        value.append(value[0])

    return edit


def outside(tree: Tree) -> None:
    attributes = tree[ROOT]["attributes"]
    attributes["multiscales"] = attributes.pop("ome")["multiscales"]


def kind(**transformation: object) -> list[Edit]:
    """A further transformation of a 0.6 image."""
    ends = {"input": {"name": "physical"}, "output": {"name": "world"}}
    return [add(ROOT, WORLD, ends | transformation)]


def node(**members: object) -> list[Edit]:
    """A further node of a collection."""
    return [add(NODES, "nodes", {"type": "collection", "name": "extra", "nodes": []} | members)]


BROKEN: list[Broken] = [
    ("document-json", v.image, [text(ROOT, '{"zarr_format": 3, // a comment\n}')]),
    ("document-readable", v.image, [move("0", "moved"), text("0", "a file where a folder should be")]),
    ("document-kind", v.image, [put(ROOT, "/attributes", {})]),
    ("ome-object", v.image, [put(ROOT, "/attributes.ome", 1)]),
    ("ome-placement", v.image, [outside]),
    ("ome-version", v.image, [drop(ROOT, "version")]),
    ("version-text", v.image, [put(ROOT, "version", 0.5)]),
    ("version-known", v.image, [put(ROOT, "version", "0.55")]),
    ("version-draft", v.image, [put(ROOT, "version", "0.5-dev1")]),
    ("version-zarr-format", v.image, [put(ROOT, "version", "0.4")]),
    ("version-consistent", v.labelled, [put(LABEL, "version", "0.6")]),
    ("version-inner", v.plate, [put(ROOT, "plate.version", "0.4")]),
    ("version-inner-absent", new, [put(ROOT, f"{IMAGE}.version", "0.6")]),
    ("zarr-group", v.image, [put(ROOT, "/node_type", "folder")]),
    ("zarr-one-format", v.plate, [lambda tree: tree.__setitem__("B/.zgroup", {"zarr_format": 2})]),
    ("zarr-array", v.image, [drop("0/zarr.json", "/chunk_grid")]),
    ("zarr-array-unsupported", v.image, [put("0/zarr.json", "/codecs", [{"name": "magic"}])]),
    ("array-present", v.image, [file("1/zarr.json")]),
    ("array-rank", v.image, [put("0/zarr.json", "/shape", [64, 48])]),
    ("array-dimension-names", v.image, [put("0/zarr.json", "/dimension_names", ["a", "b", "c"])]),
    ("array-dimension-attribute", lambda: v.image("0.3"), [file("0/.zattrs")]),
    ("array-separator", old, [put("0/.zarray", "/dimension_separator", ".")]),
    ("levels-order", v.image, [put("1/zarr.json", "/shape", [9, 32, 24])]),
    ("levels-rank", v.image, [put("1/zarr.json", "/shape", [32, 24])]),
    ("levels-type", new, [put("1/zarr.json", "/data_type", "uint8")]),
    ("multiscales-list", v.image, [put(ROOT, "multiscales", [])]),
    ("multiscales-unique", v.image, [again(ROOT, "multiscales")]),
    ("multiscales-version", old, [drop(ATTRS, f"{IMAGE}.version")]),
    ("multiscales-name", v.image, [drop(ROOT, f"{IMAGE}.name")]),
    ("multiscales-type", v.image, [drop(ROOT, f"{IMAGE}.type")]),
    ("multiscales-metadata", v.image, [drop(ROOT, f"{IMAGE}.metadata")]),
    ("multiscales-name-text", v.image, [put(ROOT, f"{IMAGE}.name", 1)]),
    ("multiscales-metadata-shape", lambda: v.image("0.1"), [put(ATTRS, f"{IMAGE}.metadata", 1)]),
    ("multiscales-axes", v.image, [drop(ROOT, f"{IMAGE}.axes")]),
    ("datasets-list", v.image, [put(ROOT, f"{IMAGE}.datasets", [])]),
    ("dataset-path", v.image, [put(ROOT, f"{LEVEL}.path", 1)]),
    ("dataset-path-safe", v.image, [put(ROOT, f"{LEVEL}.path", "../1")]),
    ("datasets-unique", v.image, [again(ROOT, "multiscales.0.datasets")]),
    ("axes-list", v.image, [put(ROOT, f"{IMAGE}.axes", {})]),
    ("axes-count", v.image, [axes(SPACE[0])]),
    ("axes-name", v.image, [drop(ROOT, f"{IMAGE}.axes.0.name")]),
    ("axes-names-unique", v.image, [put(ROOT, f"{IMAGE}.axes.0.name", "y")]),
    ("axes-type-text", v.image, [put(ROOT, f"{IMAGE}.axes.0.type", 1)]),
    ("axes-type", v.image, [drop(ROOT, f"{IMAGE}.axes.0.type")]),
    ("axes-space-count", v.image, [axes({"name": "t", "type": "time"}, CHANNEL, SPACE[2])]),
    ("axes-time-count", v.image, [axes(*({"name": n, "type": "time"} for n in "ab"), *SPACE[1:])]),
    ("axes-channel-count", v.image, [axes(CHANNEL, {"name": "d", "type": "lambda"}, *SPACE[1:])]),
    ("axes-order", v.image, [axes(SPACE[1], CHANNEL, SPACE[2])]),
    ("axes-space-order", v.image, [axes(*SPACE[::-1])]),
    ("axes-unit-text", v.image, [put(ROOT, f"{IMAGE}.axes.0.unit", 1)]),
    ("axes-unit", v.image, [drop(ROOT, f"{IMAGE}.axes.0.unit")]),
    ("axes-unit-name", v.image, [put(ROOT, f"{IMAGE}.axes.0.unit", "µm")]),
    ("axes-details", new, [put(ROOT, f"{IMAGE}.coordinateSystems.0.axes.0.discrete", 1)]),
    ("orientation-shape", v.image, [put(ROOT, f"{IMAGE}.axes.0.orientation", "up")]),
    ("orientation-value", v.image, [put(ROOT, f"{IMAGE}.axes.0.orientation", ORIENTED | {"value": "up"})]),
    ("orientation-space", v.image, [axes(CHANNEL | {"orientation": ORIENTED}, *SPACE[1:])]),
    ("orientation-line", v.image, [axes(*(a | {"orientation": ORIENTED} for a in SPACE))]),
    ("orientation-all", v.image, [put(ROOT, f"{IMAGE}.axes.0.orientation", ORIENTED)]),
    ("orientation-null", v.image, [put(ROOT, f"{IMAGE}.axes.0.orientation", None)]),
    ("transformations-list", v.image, [drop(ROOT, f"{LEVEL}.coordinateTransformations")]),
    ("transformation-type", v.image, [put(ROOT, f"{STEP}.type", "affine")]),
    ("transformations-one-scale", v.image, [again(ROOT, f"{LEVEL}.coordinateTransformations")]),
    ("transformations-one-translation", v.image, [
        add(ROOT, f"{LEVEL}.coordinateTransformations",
            *[{"type": "translation", "translation": [0, 0, 0]}] * 2)]),
    ("transformations-order", v.image, [
        put(ROOT, f"{LEVEL}.coordinateTransformations",
            [{"type": "translation", "translation": [0, 0, 0]}, v.scale(1)])]),
    ("transformation-vector", v.image, [put(ROOT, f"{STEP}.scale", [1, "2", 3])]),
    ("transformation-length", v.image, [put(ROOT, f"{STEP}.scale", [1, 2])]),
    ("scale-positive", new, [put(ROOT, f"{STEP}.scale", [1, 0, 3])]),
    ("systems-list", new, [drop(ROOT, f"{IMAGE}.coordinateSystems")]),
    ("systems-unique", v.scene, [again(ROOT, "scene.coordinateSystems")]),
    ("system-name", new, [put(ROOT, f"{IMAGE}.coordinateSystems.0.name", "")]),
    ("system-name-unique", new, [again(ROOT, f"{IMAGE}.coordinateSystems")]),
    ("system-axes", new, [drop(ROOT, f"{IMAGE}.coordinateSystems.0.axes")]),
    ("axes-outside-systems", new, [put(ROOT, f"{IMAGE}.axes", SPACE)]),
    ("level-transformation", new, [again(ROOT, f"{LEVEL}.coordinateTransformations")]),
    ("level-transformation-type", new, [put(ROOT, f"{STEP}.type", "affine")]),
    ("level-sequence-order", new, [
        put(ROOT, f"{STEP}.type", "sequence"),
        put(ROOT, f"{STEP}.transformations",
            [{"type": "translation", "translation": [1, 2, 3]}, v.scale(0)])]),
    ("level-input", new, [put(ROOT, f"{STEP}.input", "1")]),
    ("level-input-path", new, [put(ROOT, f"{STEP}.input.path", "0")]),
    ("level-output", new, [put(ROOT, f"{STEP}.output", {})]),
    ("level-output-known", new, [put(ROOT, f"{STEP}.output.name", "nowhere")]),
    ("level-outputs-equal", v.registered, [put(ROOT, f"{STEP}.output.name", "world")]),
    ("image-transformations", v.registered, [put(ROOT, WORLD, [])]),
    ("reference-shape", v.registered, [put(ROOT, f"{WORLD}.0.input", "physical")]),
    ("reference-known", v.registered, [put(ROOT, f"{WORLD}.0.output.name", "nowhere")]),
    ("reference-present", v.registered, [put(ROOT, f"{WORLD}.3.input.path", "labels/other")]),
    ("image-transformation-ends", v.registered, [put(ROOT, f"{WORLD}.0.input.name", "world")]),
    ("label-transformation", v.registered, [
        put(ROOT, f"{WORLD}.3.type", "mapAxis"), put(ROOT, f"{WORLD}.3.mapAxis", [0, 2, 1])]),
    ("systems-connected", v.registered, [
        add(ROOT, f"{IMAGE}.coordinateSystems", {"name": "island", "axes": SPACE})]),
    ("transformation-kind", v.registered, kind(type="inverseOf")),
    ("transformation-parameters", v.registered, kind(type="affine")),
    ("sequence-steps", v.registered, kind(type="sequence", transformations=[])),
    ("affine-shape", v.registered, kind(type="affine", affine=[[1, 0, 0], [0, 1, 0], [0, 0, 1]])),
    ("rotation-matrix", v.registered, kind(type="rotation", rotation=[[1, 0, 0], [0, 1, 0]])),
    ("rotation-determinant", v.registered, kind(
        type="rotation", rotation=[[1, 0, 0], [0, 1, 0], [0, 0, -1]])),
    ("map-axis", v.registered, kind(type="mapAxis", mapAxis=[0, 0, 1])),
    ("map-axis-permutation", v.registered, kind(type="mapAxis", mapAxis=[0, 1, 3])),
    ("project-axis", v.registered, kind(type="projectAxis")),
    ("by-dimension", v.registered, kind(type="byDimension", transformations=[{"inputAxes": [0]}])),
    ("by-dimension-outputs", v.registered, [
        put(ROOT, f"{WORLD}.1.transformations.1.outputAxes", [0])]),
    ("by-dimension-all", v.registered, [drop(ROOT, f"{WORLD}.1.transformations.1")]),
    ("displacement-interpolation", v.registered, [put(ROOT, f"{WORLD}.2.interpolation", "spline")]),
    ("transformation-dimensions", v.registered, kind(type="projectAxis", createdOutputs=[0])),
    ("scene-object", v.scene, [put(ROOT, "scene", [])]),
    ("scene-transformations", v.scene, [drop(ROOT, "scene.coordinateTransformations")]),
    ("scene-ends", v.scene, [put(ROOT, f"{SCENE}.input.id", "a")]),
    ("omero-object", colours, [put(ROOT, "omero", [])]),
    ("omero-alone", colours, [drop(ROOT, "multiscales")]),
    ("omero-channels", colours, [drop(ROOT, "omero.channels")]),
    ("omero-channel-color", colours, [drop(ROOT, "omero.channels.0.color")]),
    ("omero-channel-color-text", colours, [put(ROOT, "omero.channels.0.color", 255)]),
    ("omero-channel-color-digits", colours, [put(ROOT, "omero.channels.0.color", "#FF0000")]),
    ("omero-channel-window", colours, [drop(ROOT, "omero.channels.0.window")]),
    ("omero-window-numbers", colours, [drop(ROOT, "omero.channels.0.window.max")]),
    ("omero-channel-members", colours, [put(ROOT, "omero.channels.0.active", 1)]),
    ("omero-channel-count", lambda: v.image("0.2"), [
        put(ATTRS, "omero", {"channels": [
            {"color": "FF0000", "window": {"min": 0, "max": 9, "start": 0, "end": 9}}] * 2})]),
    ("label-object", v.labelled, [put(LABEL, "image-label", [])]),
    ("label-image", lambda: v.image(**{"image-label": {}}), [drop(ROOT, "multiscales")]),
    ("label-object-present", v.labelled, [drop(LABEL, "image-label")]),
    ("label-version", lambda: v.labelled("0.4"), [drop("labels/nuclei/.zattrs", "image-label.version")]),
    ("label-colors-present", v.labelled, [drop(LABEL, "image-label.colors")]),
    ("label-colors", v.labelled, [put(LABEL, "image-label.colors", [])]),
    ("label-color-value", v.labelled, [drop(LABEL, "image-label.colors.0.label-value")]),
    ("label-color-value-whole", v.labelled, [put(LABEL, "image-label.colors.0.label-value", 1.5)]),
    ("label-color-rgba", v.labelled, [put(LABEL, "image-label.colors.0.rgba", [0, 0, 0, 256])]),
    ("label-colors-unique", lambda: v.labelled("0.4"), [
        add("labels/nuclei/.zattrs", "image-label.colors", {"label-value": 1})]),
    ("label-properties", v.labelled, [put(LABEL, "image-label.properties", {})]),
    ("label-property-value", v.labelled, [drop(LABEL, "image-label.properties.0.label-value")]),
    ("label-source", v.labelled, [put(LABEL, "image-label.source", "../../")]),
    ("label-source-relative", v.labelled, [put(LABEL, "image-label.source.image", "/data/image.zarr")]),
    ("label-source-inside", v.labelled, [put(LABEL, "image-label.source.image", "../../../image.zarr")]),
    ("label-source-present", v.labelled, [put(LABEL, "image-label.source.image", "../")]),
    ("label-levels", v.labelled, [drop(LABEL, LEVEL)]),
    ("label-integer", v.labelled, [put("labels/nuclei/0/zarr.json", "/data_type", "float32")]),
    ("label-shape", v.labelled, [put("labels/nuclei/0/zarr.json", "/shape", [8, 64, 47])]),
    ("labels-list", v.labelled, [put("labels/zarr.json", "labels", "nuclei")]),
    ("labels-path-safe", v.labelled, [add("labels/zarr.json", "labels", "../labels/nuclei")]),
    ("labels-unique", v.labelled, [add("labels/zarr.json", "labels", "nuclei")]),
    ("labels-present", v.labelled, [add("labels/zarr.json", "labels", "cells")]),
    ("labels-all-listed", v.labelled, [put("labels/zarr.json", "labels", [])]),
    ("labels-group", v.labelled, [drop("labels/zarr.json", "labels")]),
    ("labels-between", v.labelled, [
        move("labels/nuclei", "labels/a/nuclei"), put("labels/zarr.json", "labels", ["a/nuclei"]),
        lambda tree: tree.update(v.below("labels/a", v.group("0.5", {"labels": []})))]),
    ("labels-version", v.labelled, [drop("labels/zarr.json", "version")]),
    ("plate-object", v.plate, [put(ROOT, "plate", [])]),
    ("plate-version", v.plate, [drop(ROOT, "plate.version")]),
    ("plate-name", v.plate, [drop(ROOT, "plate.name")]),
    ("plate-name-text", v.plate, [put(ROOT, "plate.name", 1)]),
    ("plate-field-count", v.plate, [drop(ROOT, "plate.field_count")]),
    ("plate-field-count-value", v.plate, [put(ROOT, "plate.field_count", 0)]),
    ("plate-field-count-true", v.plate, [put(ROOT, "plate.field_count", 1)]),
    ("plate-rows-columns", v.plate, [put(ROOT, "plate.rows", [])]),
    ("plate-line-name", v.plate, [drop(ROOT, "plate.rows.0.name")]),
    ("plate-line-name-alphanumeric", v.plate, [put(ROOT, "plate.rows.0.name", "A-1")]),
    ("plate-line-name-unique", v.plate, [add(ROOT, "plate.rows", {"name": "A", "note": 1})]),
    ("plate-line-name-case", v.plate, [add(ROOT, "plate.rows", {"name": "a"})]),
    ("plate-wells", v.plate, [put(ROOT, "plate.wells", [])]),
    ("plate-well-path", v.plate, [drop(ROOT, "plate.wells.0.path")]),
    ("plate-well-path-parts", v.plate, [put(ROOT, "plate.wells.0.path", "B/1/0")]),
    ("plate-well-path-names", v.plate, [put(ROOT, "plate.wells.0.path", "1/B")]),
    ("plate-well-unique", v.plate, [
        add(ROOT, "plate.wells", {"path": "B/1", "rowIndex": 1, "columnIndex": 0, "note": 1})]),
    ("plate-well-index", v.plate, [drop(ROOT, "plate.wells.0.rowIndex")]),
    ("plate-well-index-true", v.plate, [put(ROOT, "plate.wells.0.rowIndex", 0)]),
    ("acquisitions-list", v.plate, [put(ROOT, "plate.acquisitions", {})]),
    ("acquisition-id", v.plate, [put(ROOT, "plate.acquisitions.0.id", -1)]),
    ("acquisition-id-unique", v.plate, [put(ROOT, "plate.acquisitions.0.id", 1)]),
    ("acquisition-name", v.plate, [drop(ROOT, "plate.acquisitions.0.name")]),
    ("acquisition-field-count", v.plate, [drop(ROOT, "plate.acquisitions.0.maximumfieldcount")]),
    ("acquisition-members", v.plate, [put(ROOT, "plate.acquisitions.0.starttime", -1)]),
    ("plate-groups", v.plate, [file("B/zarr.json")]),
    ("plate-well-present", v.plate, [file(WELL)]),
    ("plate-well-all-listed", v.plate, [
        lambda tree: tree.update(v.below("B/2", {key.removeprefix("B/1/"): document
                                                 for key, document in tree.items() if key.startswith("B/1/")}))]),
    ("plate-row-plain", v.plate, [put("B/zarr.json", "/attributes", {"ome": {"version": "0.5", "labels": []}})]),
    ("plate-row-empty", v.plate, [lambda tree: tree.update(v.below("A", v.group("0.5", {})))]),
    ("well-object", v.plate, [put(WELL, "well", [])]),
    ("well-version", lambda: v.plate("0.4"), [drop("B/1/.zattrs", "well.version")]),
    ("well-images", v.plate, [put(WELL, "well.images", [])]),
    ("well-image-path", v.plate, [put(WELL, "well.images.0.path", "a_b")]),
    ("well-image-unique", v.plate, [add(WELL, "well.images", {"path": "0", "acquisition": 1})]),
    ("well-acquisition", v.plate, [put(WELL, "well.images.0.acquisition", "0")]),
    ("well-acquisition-present", v.plate, [drop(WELL, "well.images.0.acquisition")]),
    ("well-acquisition-known", v.plate, [put(WELL, "well.images.0.acquisition", 7)]),
    ("well-image-present", v.plate, [file("B/1/0/zarr.json")]),
    ("series-layout", v.series, [put(ROOT, "bioformats2raw.layout", 4)]),
    ("series-list", v.series, [put("OME/zarr.json", "series", "0")]),
    ("series-path-safe", v.series, [add("OME/zarr.json", "series", "../x")]),
    ("series-unique", v.series, [add("OME/zarr.json", "series", "0")]),
    ("series-present", v.series, [add("OME/zarr.json", "series", "2")]),
    ("series-numbered", v.series, [drop("OME/zarr.json", "series"), move("1", "2")]),
    ("series-xml", v.series, [file("OME/METADATA.ome.xml")]),
    ("series-xml-count", v.series, [text("OME/METADATA.ome.xml", "<OME><Image/></OME>")]),
    ("node-type", v.collection, [drop(NODES, "nodes.0.type")]),
    ("node-type-known", v.collection, node(type="table")),
    ("node-name", v.collection, node(name="")),
    ("node-name-unique", v.collection, node(name="raw")),
    ("node-id", v.collection, node(id="a b")),
    ("node-id-unique", v.collection, node(id="A")),
    ("node-content", v.collection, node(path={"type": "json", "path": "./more.json"})),
    ("node-list", v.collection, node(nodes={})),
    ("node-attributes", v.collection, node(attributes=[])),
    ("node-levels", v.collection, [put(NODES, "nodes.2.nodes.0.type", "multiscale")]),
    ("node-version", v.collection, [drop(NODES, "version")]),
    ("node-version-child", v.collection, node(version="0.5")),
    ("node-version-once", v.collection, node(version="0.9.dev3")),
    ("node-path", v.collection, [drop(NODES, "nodes.0.path.path")]),
    ("node-path-type", v.collection, [put(NODES, "nodes.0.path.type", "hdf5")]),
    ("node-path-draft", v.collection, [put(NODES, "nodes.0.path", "./raw.zarr")]),
    ("node-path-outside", v.collection, [put(NODES, "nodes.0.path.path", "../raw.zarr")]),
    ("node-path-remote", v.collection, [put(NODES, "nodes.0.path.path", "https://example.org/raw.zarr")]),
    ("node-path-present", v.collection, [put(NODES, "nodes.0.path.path", "./other.zarr")]),
    ("node-path-kind", v.collection, [put(NODES, "nodes.0.type", "collection")]),
    ("node-cycle", v.collection, [
        add("more.json", "nodes", {"type": "collection", "name": "back",
                                   "path": {"type": "json", "path": "collection.json"}})]),
    ("node-reference", v.collection, [put(NODES, "nodes.1.attributes.labels.source", [1])]),
    ("node-reference-draft", v.collection, [put(NODES, "nodes.1.attributes.labels.source", [{"ref": "raw"}])]),
    ("node-reference-known", v.collection, [put(NODES, "nodes.1.attributes.labels.source", [{"id": "no"}])]),
    ("node-attribute-known", v.collection, node(attributes={"favourite": 1})),
    ("node-systems", v.collection, [drop(NODES, "nodes.2.attributes.coordinateSystems")]),
    ("node-systems-draft", v.collection, [
        put(NODES, "nodes.2.attributes.coordinateSystems", [{"name": "physical", "axes": SPACE}])]),
    ("node-transformations", v.collection, [put(NODES, "nodes.2.attributes.coordinateTransformations", {})]),
    ("node-level-transformation", v.collection, [
        put(NODES, "nodes.2.nodes.0.attributes.coordinateTransformations", [])]),
    ("node-level-transformation-present", v.collection, [
        drop(NODES, "nodes.2.nodes.0.attributes.coordinateTransformations")]),
    ("node-scene", v.collection, node(attributes={"scene": []})),
    ("node-labels", v.collection, [put(NODES, "nodes.1.attributes.labels", [])]),
    ("node-labels-image", v.collection, node(attributes={"labels": {}})),
    ("node-label-value", v.collection, [
        drop(NODES, "nodes.1.attributes.labels.labelAttributes.0.labelValue")]),
    ("node-label-color", v.collection, [
        put(NODES, "nodes.1.attributes.labels.labelAttributes.0.color", [1, 2, 3])]),
    ("node-label-key", v.collection, [
        put(NODES, "nodes.1.attributes.labels.labelAttributes.0.kind", "cell")]),
    ("node-plate", v.collection, [drop(NODES, "attributes.plate.rows")]),
    ("node-well", v.collection, [drop(NODES, "nodes.3.attributes.well.row")]),
    ("node-well-known", v.collection, [put(NODES, "nodes.3.attributes.well.row.id", "c1")]),
]  # fmt: skip
