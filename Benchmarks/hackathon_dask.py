"""The script beside which `hackathon.py` measures omtask: TIFF volumes to OME-Zarr to labels, by dask.

    python hackathon_dask.py FOLDER OUTPUT --workers 2 --scheduler threads|distributed

As such scripts are written: one task for each (t, c) volume, which lies in one shard. The volumes are
stored first and then read again, since the OME-Zarr is wanted too.
"""

import argparse
import re
from contextlib import ExitStack
from pathlib import Path

import dask
import dask.array as da
import numpy as np
import tifffile
import zarr
from skimage.filters import threshold_otsu
from skimage.measure import label

AXES = [
    {"name": "t", "type": "time"}, {"name": "c", "type": "channel"},
    *({"name": axis, "type": "space"} for axis in "zyx"),
]
CHUNK = (1, 1, 32, 128, 128)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path)
    parser.add_argument("output", type=Path)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--scheduler", choices=("threads", "distributed"), default="threads")
    options = parser.parse_args()
    zarr.config.set({"codec_pipeline.path": "zarrs.ZarrsCodecPipeline"})
    with ExitStack() as stack:
        if options.scheduler == "distributed":
            from dask.distributed import Client, LocalCluster

            stack.enter_context(Client(stack.enter_context(LocalCluster(
                n_workers=options.workers, threads_per_worker=1, dashboard_address=None))))
        else:
            dask.config.set(scheduler="threads", num_workers=options.workers)
        work(options.folder, options.output)


def work(folder: Path, output: Path) -> None:
    files = {tuple(map(int, re.findall(r"\d+", file.stem))): file for file in folder.glob("t*_c*.tif")}
    times, channels = (1 + max(place[n] for place in files) for n in range(2))
    one = tifffile.memmap(files[0, 0], mode="r")
    read = dask.delayed(tifffile.imread)
    volumes = da.stack([
        da.stack([da.from_delayed(read(files[t, c]), one.shape, one.dtype) for c in range(channels)])
        for t in range(times)])
    image = zarr.open_group(output, mode="w", zarr_format=3)
    store(volumes, image, "series")
    stored = da.from_zarr(image["0"], chunks=(1, 1, *one.shape))
    labels = stored.map_blocks(segmented, dtype=np.uint32)
    group = image.create_group("labels")
    group.attrs["ome"] = {"version": "0.5", "labels": ["otsu"]}
    store(labels, group.create_group("otsu"), "otsu", {"image-label": {}})


def segmented(block: np.ndarray) -> np.ndarray:
    """The objects of one volume."""
    volume = block[0, 0]
    return label(volume > threshold_otsu(volume), connectivity=3).astype(np.uint32)[None, None]


def store(data: da.Array, group: zarr.Group, name: str, more: dict | None = None) -> None:
    """An image of one level, one shard for each volume."""
    shard = tuple(-(-size // chunk) * chunk for size, chunk in zip(data.chunksize, CHUNK, strict=True))
    array = group.create_array(
        "0", shape=data.shape, chunks=CHUNK, shards=shard, dtype=data.dtype, fill_value=0,
        compressors=zarr.codecs.ZstdCodec(level=3), dimension_names=list("tczyx"))
    da.store(data, array, lock=False)
    steps = [{"type": "scale", "scale": [1.0] * 5}]
    entry = {"name": name, "axes": AXES, "datasets": [{"path": "0", "coordinateTransformations": steps}]}
    group.attrs["ome"] = {"version": "0.5", "multiscales": [entry]} | (more or {})


if __name__ == "__main__":
    main()
