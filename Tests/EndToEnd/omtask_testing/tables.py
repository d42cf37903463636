"""Writes ROI tables with ngio, and says which voxels their boxes hold."""

import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path

import ngio
import numpy as np
from ngio.common import Roi
from ngio.tables import RoiTable

Box = Mapping[str, tuple[float, float]]


def write_rois(image: Path, name: str, boxes: Sequence[Box], backend: str = "csv") -> None:
    """Adds a ROI table to an image; a box gives start and length in world units for each axis."""
    rois = [
        Roi.from_values(name=f"box_{number}", slices={"z": (0, 1e6), **box})
        for number, box in enumerate(boxes)
    ]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        ngio.open_ome_zarr_container(str(image)).add_table(
            name, RoiTable(rois=rois), backend=backend)


def inside(image: Path, name: str, level: int, axes: str) -> np.ndarray:
    """True where a voxel of a level lies in a box, as ngio finds the voxels of a ROI."""
    container = ngio.open_ome_zarr_container(str(image))
    opened = container.get_image(path=str(level))
    found = np.zeros(opened.shape, bool)
    assert opened.axes == tuple(axes)
    numbers = np.arange(found.size).reshape(found.shape)
    table = container.get_generic_roi_table(name)
    for roi in table.rois():
        if "t" in axes:
            slices = roi.to_slicing_dict(pixel_size=opened.pixel_size)
            where = tuple(_whole(slices.get(axis), size) for axis, size in zip(axes, found.shape))
            found[where] = True
            continue
        # What ngio reads of the ROI, marked by the numbers of the voxels.
        del numbers
        numbers = np.arange(found.size).reshape(found.shape)
        slices = roi.to_slicing_dict(pixel_size=opened.pixel_size)
        where = tuple(_whole(slices.get(axis), size) for axis, size in zip(axes, found.shape))
        assert opened.get_roi(roi).shape == numbers[where].shape
        found[where] = True
    return found


def _whole(span: slice | None, size: int) -> slice:
    if span is None:
        return slice(0, size)
    return slice(max(0, int(np.floor(span.start))), min(size, int(np.ceil(span.stop))))
