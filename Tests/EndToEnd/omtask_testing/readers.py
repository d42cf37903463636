"""Six programs that read OME-Zarr, each by its own way from an image to its label image.

What none of them can be asked is None. `LIMITS` names what a program does not read, with the words
that it says; the tests hold it to that, so that the list stays true.
"""

import importlib.util
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import ngff_zarr
import ngio
import numpy as np
import ome_zarr.io
import ome_zarr.reader
import tensorstore
import zarr

from .versions import zarr_format


@dataclass(frozen=True)
class Found:
    """A label image as a program shows it."""

    levels: list[np.ndarray]
    axes: str | None
    scales: list[list[float]] | None


Reader = Callable[[Path, str, str], Found]


def zarr_python(image: Path, name: str, version: str) -> Found:
    """From the root by groups, through consolidated metadata where there are some."""
    group = zarr.open_group(image, mode="r")
    labels = group["labels"]
    keys = labels.attrs if version < "0.5" else labels.attrs["ome"]
    assert name in keys["labels"]
    label = labels[name]
    keys = label.attrs if version < "0.5" else label.attrs["ome"]
    arrays = [label[dataset["path"]] for dataset in keys["multiscales"][0]["datasets"]]
    assert all(array.metadata.zarr_format == zarr_format(version) for array in arrays)
    dimensions = arrays[0].metadata.dimension_names if version >= "0.5" else None
    axes = "".join(dimensions) if dimensions else None
    return Found([array[...] for array in arrays], axes, None)


def zarrs(image: Path, name: str, version: str) -> Found:
    """zarr-python with the codecs of zarrs, which may not hand chunks back to those of zarr-python."""
    assert importlib.util.find_spec("zarrs"), "zarrs is not installed: scripts/setup-python"
    pipeline = {"codec_pipeline.path": "zarrs.ZarrsCodecPipeline", "codec_pipeline.strict": True}
    with zarr.config.set(pipeline):
        return zarr_python(image, name, version)


def tensorstore_(image: Path, name: str, version: str) -> Found:
    """tensorstore knows arrays only."""
    levels, axes = [], None
    for level in sorted((image / "labels" / name).glob("[0-9]*")):
        kvstore = {"driver": "file", "path": f"{level}/"}
        driver = "zarr" if version < "0.5" else "zarr3"
        array = tensorstore.open({"driver": driver, "kvstore": kvstore}, open=True).result()
        levels.append(array.read().result())
        axes = "".join(array.domain.labels) or None
    return Found(levels, axes, None)


def ome_zarr_py(image: Path, name: str, version: str) -> Found:
    """From the image to the labels that it lists."""
    location = ome_zarr.io.parse_url(image)
    assert location is not None, "no OME-Zarr"
    (node,) = [
        node for node in ome_zarr.reader.Reader(location)() if node.metadata.get("name") == name]
    scales = None
    if steps := node.metadata.get("coordinateTransformations"):
        scales = [level[0]["scale"] for level in steps]
    axes = "".join(axis["name"] for axis in node.metadata["axes"])
    return Found([np.asarray(level) for level in node.data], axes, scales)


def ngff_zarr_(image: Path, name: str, version: str) -> Found:
    """By the path of the label image, with the schemas of ngff-zarr."""
    found = ngff_zarr.from_ngff_zarr(image / "labels" / name, validate=True)
    axes = "".join(found.images[0].dims)
    scales = [[level.scale[axis] for axis in axes] for level in found.images]
    return Found([np.asarray(level.data) for level in found.images], axes, scales)


def ngio_(image: Path, name: str, version: str) -> Found:
    """From the image to the labels that it lists."""
    container = ngio.open_ome_zarr_container(image, mode="r")
    assert name in container.list_labels()
    levels = [
        container.get_label(name, path=path) for path in container.get_label(name).meta.paths]
    axes = "".join(levels[0].axes)
    sizes = [level.pixel_size for level in levels]
    scales = [[getattr(size, axis, 1.0) for axis in axes] for size in sizes]
    return Found([level.get_as_numpy() for level in levels], axes, scales)


READERS: dict[str, Reader] = {
    "zarr-python": zarr_python, "zarrs": zarrs, "tensorstore": tensorstore_,
    "ome-zarr-py": ome_zarr_py, "ngff-zarr": ngff_zarr_, "ngio": ngio_,
}


# What is not read, and what is guessed


@dataclass(frozen=True)
class Limit:
    """What a program does not read; `says` is in its error."""

    reader: str
    says: str
    versions: tuple[str, ...]
    layouts: tuple[str, ...] | None = None


LIMITS = (
    # Its models are those of 0.4 and 0.5.
    Limit("ngio", "Failed to decode NGIO", ("0.1", "0.2", "0.3", "0.6")),
    # Arrays of v2 are opened by zarrs' Python binding `zarrista`, which does not know this codec.
    Limit("ngff-zarr", "codec zlib is not supported", ("0.1", "0.2", "0.3", "0.4"), ("v2-zlib-dot",)),
    # zarr-python 3.1.6 compares the shapes of a transposed shard in the wrong order of axes. Only
    # the image is stored like that, its label image is not; but ome-zarr-py opens both.
    Limit("ome-zarr-py", "needs to be divisible", ("0.5", "0.6"), ("transposed-shard",)),
)


def limit(reader: str, version: str, layout: str) -> Limit | None:
    """Why a program cannot read a label image; None where it can."""
    for limit in LIMITS:
        fits = limit.layouts is None or layout in limit.layouts
        if limit.reader == reader and version in limit.versions and fits:
            return limit
    return None


def shown(reader: str, version: str, true: Found) -> Found:
    """What a program shows of a label image that it reads: the truth, but for two guesses."""
    if reader == "ngff-zarr" and version <= "0.3":
        # Sizes of voxels are not stored; it does not look at the shapes of coarser levels.
        return replace(true, scales=[[1.0] * len(level) for level in true.scales or []])
    if reader == "ome-zarr-py" and version == "0.6":
        # It knows 0.5 at most, and takes what has no `axes` for an image of five.
        return replace(true, axes="tczyx")
    if version <= "0.3":
        return replace(true, scales=None)
    return true
