"""ROI tables as ngio writes them, and the voxels of their boxes as ngio finds them."""

import shutil
import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path

import ngio
import numpy as np
from ngio.common import Roi
from ngio.tables import RoiTable

from .images import Image, write_image

Box = Mapping[str, tuple[float, float]]


def write_rois(image: Path, name: str, boxes: Sequence[Box], backend: str = "csv") -> None:
    """Adds a ROI table to an image; a box gives start and length in world units for each axis."""
    container = ngio.open_ome_zarr_container(str(image))
    depth = {"z": (0, 1e4 if "z" in container.get_image().axes else 1)}
    rois = [
        Roi.from_values(name=f"box_{number}", slices={**depth, **box})
        for number, box in enumerate(boxes)
    ]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        container.add_table(name, RoiTable(rois=rois), backend=backend)


def inside(image: Path, source: Image, name: str, scratch: Path, level: int = 0) -> np.ndarray:
    """True where a voxel of a level lies in a box: ngio writes ones into the boxes of another image."""
    empty = Image(
        source.axes, [np.zeros(array.shape, np.uint8) for array in source.levels], source.layout)
    shutil.rmtree(scratch, ignore_errors=True)
    write_image(scratch, empty)
    marked = ngio.open_ome_zarr_container(str(scratch)).get_image(path=str(level))
    table = ngio.open_ome_zarr_container(str(image)).get_generic_roi_table(name)
    for roi in table.rois():
        shape = marked.get_roi(roi).shape
        if 0 not in shape:
            marked.set_roi(roi, np.ones(shape, np.uint8))
    return np.asarray(marked.get_array()).reshape(source.levels[level].shape) != 0
