"""Asks ome-zarr-models whether images and one label image of each are valid.

    python -m omtask_testing.model_check [IMAGE LABEL 0.4|0.5]...

A process of its own, because ngio changes the models of ome-zarr-models when it is imported: after
that no 0.4 image is valid.
"""

import sys

import ome_zarr_models
import zarr
from ome_zarr_models import v04, v05


def check(path: str, name: str, version: str) -> None:
    models = v04 if version == "0.4" else v05
    group = zarr.open_group(path, mode="r")
    assert isinstance(ome_zarr_models.open_ome_zarr(group), models.Image)
    labels = models.Labels.from_zarr(group["labels"])
    label = models.ImageLabel.from_zarr(group[f"labels/{name}"])
    if version == "0.4":
        assert name in labels.attributes.labels
        assert label.attributes.image_label.source.image == "../../"
    else:
        assert name in labels.ome_attributes.labels
        assert label.ome_attributes.image_label.source.image == "../../"


if __name__ == "__main__":
    for image in zip(sys.argv[1::3], sys.argv[2::3], sys.argv[3::3], strict=True):
        check(*image)
