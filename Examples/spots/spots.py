"""A table of bright spots: where they are, how large and how bright, in one row each."""

import numpy
import scipy.ndimage
from omtask_region import serve


def measure(tile, region):
    inside = tile > region.parameters["level_above"]
    labels, count = scipy.ndimage.label(inside, numpy.ones((3,) * tile.ndim))
    numbers = numpy.arange(1, count + 1)
    centres = scipy.ndimage.center_of_mass(inside, labels, numbers)
    # A spot near the border is seen by several regions: the one that holds its centre has its row.
    own = [region.owns(centre) for centre in centres]
    places = numpy.array([region.place(c) for c, o in zip(centres, own) if o]).reshape(-1, tile.ndim)
    numbers = numbers[own]
    columns = {"z": numpy.full(len(numbers), float(region.origin[0]))}
    for axis, name in enumerate(region.axes):
        columns[name] = places[:, axis]
        columns[f"{name}_micrometer"] = places[:, axis] * region.scale[axis]
    columns.setdefault("z_micrometer", numpy.full(len(numbers), numpy.nan))
    columns["voxels"] = numpy.bincount(labels.ravel(), minlength=count + 1)[numbers]
    columns["mean"] = scipy.ndimage.mean(tile, labels, numbers) if len(numbers) else []
    return columns


serve(measure)
