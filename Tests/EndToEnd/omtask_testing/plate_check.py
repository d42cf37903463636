"""Asks ome-zarr-models whether a plate and all its wells and images are valid.

    python -m omtask_testing.plate_check PLATE 0.4|0.5

A process of its own, for the reason that `model_check` gives.
"""

import sys

import ome_zarr_models
import zarr
from ome_zarr_models import v04, v05


def check(path: str, version: str) -> None:
    models = v04 if version == "0.4" else v05
    group = zarr.open_group(path, mode="r")
    assert isinstance(ome_zarr_models.open_ome_zarr(group), models.HCS)
    plate = models.HCS.from_zarr(group)
    attributes = plate.attributes if version == "0.4" else plate.ome_attributes
    assert attributes.plate.wells
    for entry in attributes.plate.wells:
        well = models.Well.from_zarr(group[entry.path])
        inner = well.attributes if version == "0.4" else well.ome_attributes
        for image in inner.well.images:
            assert models.Image.from_zarr(group[f"{entry.path}/{image.path}"])


if __name__ == "__main__":
    check(*sys.argv[1:])
