"""Documents and stores of OME-Zarr that keep all rules, to be broken one rule at a time."""

import copy
import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

Document = dict[str, Any]
Tree = dict[str, Document | str]

SPACE = [{"name": name, "type": "space", "unit": "micrometer"} for name in "zyx"]
SHAPES = ([8, 64, 48], [8, 32, 24])


def scale(level: int) -> Document:
    return {"type": "scale", "scale": [1.0, 0.25 * 2**level, 0.25 * 2**level]}


def array(version: str, shape: list[int], dtype: str = "uint16") -> tuple[str, Document]:
    """The document of an array, with its name."""
    if version <= "0.4":
        names = {"uint16": "<u2", "uint32": "<u4", "float32": "<f4"}
        return ".zarray", {
            "zarr_format": 2, "shape": shape, "chunks": [16] * len(shape), "dtype": names[dtype],
            "compressor": None, "fill_value": 0, "order": "C", "filters": None,
            "dimension_separator": "." if version == "0.1" else "/",
        }  # fmt: skip
    return "zarr.json", {
        "zarr_format": 3, "node_type": "array", "shape": shape, "data_type": dtype,
        "chunk_grid": {"name": "regular", "configuration": {"chunk_shape": [16] * len(shape)}},
        "chunk_key_encoding": {"name": "default", "configuration": {"separator": "/"}},
        "fill_value": 0, "codecs": [{"name": "bytes", "configuration": {"endian": "little"}}],
        "attributes": {}, "dimension_names": list("tczyx")[-len(shape) :],
    }  # fmt: skip


def multiscales(version: str) -> list[Document]:
    """The metadata of an image of two levels."""
    image: Document = {
        "name": "raw", "type": "mean", "metadata": {"method": "mean"},
        "datasets": [{"path": "0"}, {"path": "1"}],
    }  # fmt: skip
    if version <= "0.4":
        image["version"] = version
    if version == "0.3":
        image["axes"] = ["z", "y", "x"]
    if version in ("0.4", "0.5"):
        image["axes"] = copy.deepcopy(SPACE)
        for level, dataset in enumerate(image["datasets"]):
            dataset["coordinateTransformations"] = [scale(level)]
    if version >= "0.6":
        image["coordinateSystems"] = [{"name": "physical", "axes": copy.deepcopy(SPACE)}]
        for level, dataset in enumerate(image["datasets"]):
            ends = {"input": {"path": dataset["path"]}, "output": {"name": "physical"}}
            dataset["coordinateTransformations"] = [scale(level) | ends]
    return [image]


def group(version: str, keys: Document) -> Tree:
    """The documents of a group with these metadata."""
    if version <= "0.4":
        return {".zgroup": {"zarr_format": 2}, ".zattrs": keys}
    attributes = {"ome": {"version": version} | keys} if keys else {}
    return {"zarr.json": {"zarr_format": 3, "node_type": "group", "attributes": attributes}}


def below(folder: str, tree: Tree) -> Tree:
    return {f"{folder}/{key}": document for key, document in tree.items()}


def image(version: str = "0.5", dtype: str = "uint16", **keys: Any) -> Tree:
    """An image; with `keys` beside `multiscales`."""
    tree = group(version, {"multiscales": multiscales(version)} | keys)
    for level, shape in enumerate(SHAPES):
        shape = [1, 1, *shape] if version <= "0.2" else list(shape)
        name, document = array(version, shape, dtype)
        tree[f"{level}/{name}"] = document
        if version == "0.3":
            tree[f"{level}/.zattrs"] = {"_ARRAY_DIMENSIONS": list("zyx")}
    return tree


def labelled(version: str = "0.5") -> Tree:
    """An image with the label image `nuclei`."""
    label: Document = {
        "colors": [{"label-value": 1, "rgba": [255, 0, 0, 255]}],
        "properties": [{"label-value": 1, "kind": "cell"}], "source": {"image": "../../"},
    }  # fmt: skip
    if version in ("0.4", "0.5"):
        label["version"] = version
    return (
        image(version)
        | below("labels", group(version, {"labels": ["nuclei"]}))
        | below("labels/nuclei", image(version, "uint32", **{"image-label": label}))
    )


def plate(version: str = "0.5") -> Tree:
    """A plate of one well with two fields of two acquisitions."""
    inner = {"version": version} if version <= "0.5" else {}
    acquisitions = [{"id": number, "name": f"a{number}", "maximumfieldcount": 1} for number in (0, 1)]
    keys = inner | {
        "name": "p", "field_count": 2, "rows": [{"name": "A"}, {"name": "B"}],
        "columns": [{"name": "1"}, {"name": "2"}], "acquisitions": acquisitions,
        "wells": [{"path": "B/1", "rowIndex": 1, "columnIndex": 0}],
    }  # fmt: skip
    images = [{"path": str(number), "acquisition": number} for number in (0, 1)]
    return (
        group(version, {"plate": keys})
        | below("B", group(version, {}))
        | below("B/1", group(version, {"well": inner | {"images": images}}))
        | below("B/1/0", image(version))
        | below("B/1/1", image(version))
    )


def series(version: str = "0.5") -> Tree:
    """A bioformats2raw group of two images."""
    return (
        group(version, {"bioformats2raw.layout": 3})
        | below("OME", group(version, {"series": ["1", "0"]}))
        | {"OME/METADATA.ome.xml": "<OME><Image/><!-- <Image> --><ome:Image ID='1'></ome:Image></OME>"}
        | below("0", image(version))
        | below("1", image(version))
    )


def registered() -> Tree:
    """A 0.6 image with a second system, and a label image it has a transformation to."""
    tree = labelled("0.6")
    first = tree["zarr.json"]["attributes"]["ome"]["multiscales"][0]
    first["coordinateSystems"].append({"name": "world", "axes": copy.deepcopy(SPACE)})
    first["coordinateTransformations"] = [
        {
            "type": "sequence", "input": {"name": "physical"}, "output": {"name": "world"},
            "transformations": [
                {"type": "rotation", "rotation": [[0, -1, 0], [1, 0, 0], [0, 0, 1]]},
                {"type": "affine", "affine": [[1, 0, 0, 5], [0, 1, 0, 6], [0, 0, 1, 7]]},
                {"type": "mapAxis", "mapAxis": [0, 2, 1]},
            ],
        },
        {
            "type": "byDimension", "input": {"name": "physical"}, "output": {"name": "world"},
            "transformations": [
                {"transformation": {"type": "translation", "translation": [1, 2]},
                 "inputAxes": [0, 1], "outputAxes": [0, 2]},
                {"transformation": {"type": "identity"}, "inputAxes": [2], "outputAxes": [1]},
            ],
        },
        {
            "type": "displacements", "input": {"name": "physical"}, "output": {"name": "world"},
            "path": "field", "interpolation": "linear",
        },
        {
            "type": "identity", "input": {"name": "physical", "path": "labels/nuclei"},
            "output": {"name": "physical"},
        },
    ]  # fmt: skip
    return tree


def scene() -> Tree:
    """Two 0.6 images in one scene."""
    ends = [{"path": path, "name": "physical"} for path in ("a", "b")]
    shift = {"type": "translation", "translation": [1, 2, 3], "output": {"name": "world"}}
    world = {"name": "world", "axes": copy.deepcopy(SPACE)}
    keys = {
        "coordinateSystems": [world],
        "coordinateTransformations": [shift | {"input": end} for end in ends],
    }
    return group("0.6", {"scene": keys}) | below("a", image("0.6")) | below("b", image("0.6"))


def collection() -> Tree:
    """A collection of RFC-8 with a plate, an image by path, its labels, and a level inside."""
    level = {
        "type": "singlescale", "name": "s0", "id": "l0", "path": {"type": "zarr", "path": "./raw.zarr/0"},
        "attributes": {"coordinateTransformations": [
            scale(0) | {"input": {"id": "l0"}, "output": {"id": "physical"}}]},
    }  # fmt: skip
    systems = [{"id": "physical", "axes": copy.deepcopy(SPACE)}]
    nodes = [
        {"type": "multiscale", "name": "raw", "id": "raw", "path": {"type": "zarr", "path": "./raw.zarr"},
         "attributes": {"acquisition": {"id": "acq0"}}},
        {"type": "multiscale", "name": "nuclei", "path": {"type": "zarr", "path": "./raw.zarr/labels/nuclei"},
         "attributes": {"labels": {"source": [{"id": "raw"}], "labelAttributes": [
             {"labelValue": 1, "color": [255, 0, 0, 255], "acme:kind": "cell"}]}}},
        {"type": "multiscale", "name": "inline", "nodes": [level],
         "attributes": {"coordinateSystems": systems}},
        {"type": "collection", "name": "well", "nodes": [],
         "attributes": {"well": {"row": {"id": "A"}, "column": {"id": "c1"}}}},
        {"type": "collection", "name": "more", "path": {"type": "json", "path": "./more.json"}},
    ]  # fmt: skip
    root = {
        "version": "0.9.dev3", "type": "collection", "name": "top", "nodes": nodes,
        "attributes": {"plate": {
            "rows": [{"id": "A"}], "columns": [{"id": "c1"}], "acquisitions": [{"id": "acq0"}]}},
    }  # fmt: skip
    more = {"version": "0.9.dev3", "type": "collection", "name": "more", "nodes": []}
    return {"collection.json": {"ome": root}, "more.json": {"ome": more}} | below("raw.zarr", labelled())


def write(root: Path, tree: Mapping[str, Document | str]) -> Path:
    """Writes a tree of documents."""
    for key, document in tree.items():
        path = root / key
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(document if isinstance(document, str) else json.dumps(document))
    return root


Edit = Callable[[Tree], object]


def put(key: str, way: str, value: Any) -> Edit:
    """Sets a value; `way` is as in `multiscales.0.axes`, below the metadata of OME-Zarr."""
    return lambda tree: _change(tree, key, way, lambda holder, step: holder.__setitem__(step, value))


def drop(key: str, way: str) -> Edit:
    """Removes a value."""
    return lambda tree: _change(tree, key, way, lambda holder, step: holder.__delitem__(step))


def add(key: str, way: str, *values: Any) -> Edit:
    """Puts values at the end of a list."""
    return lambda tree: _change(tree, key, way, lambda holder, step: holder[step].extend(values))


def _change(tree: Tree, key: str, way: str, change: Callable[[Any, Any], object]) -> None:
    value: Any = tree[key]
    attributes = value.get("attributes")
    if isinstance(attributes, dict) and not way.startswith("/"):
        value = attributes["ome"]
    elif "ome" in value and not way.startswith("/"):
        value = value["ome"]
    steps: list[str | int] = [int(s) if s.isdigit() else s for s in way.removeprefix("/").split(".")]
    if "bioformats2raw" in steps:
        steps = ["bioformats2raw.layout"]
    for step in steps[:-1]:
        value = value[str(step) if isinstance(value, dict) else step]
    last = steps[-1]
    change(value, str(last) if isinstance(value, dict) else last)
