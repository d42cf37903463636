"""A segmenter of the shape of cellpose: a model that is loaded once, then asked for every tile.

The model is a stand-in. To use a real one, load it in `Model.__init__` and call it in `segment`;
`CUDA_VISIBLE_DEVICES` names the graphics card of this worker.
"""

import numpy
import scipy.ndimage
from omtask_region import serve


class Model:
    """What costs seconds to load, and is kept from tile to tile."""

    def segment(self, tile, diameter, cutoff):
        """Cells that may touch: each voxel of a cell goes to the nearest brightest place."""
        sigma = diameter / 6
        smooth = scipy.ndimage.gaussian_filter(tile.astype(numpy.float32), sigma, truncate=4.0)
        inside = numpy.clip(smooth / 200, 0, 1) > cutoff
        near = 2 * int(diameter / 4) + 1
        tops = inside & (smooth == scipy.ndimage.maximum_filter(smooth, near))
        seeds, count = scipy.ndimage.label(tops, numpy.ones((3,) * tile.ndim))
        if not count:
            return numpy.zeros(tile.shape, numpy.uint32)
        place = scipy.ndimage.distance_transform_edt(
            seeds == 0, return_distances=False, return_indices=True
        )
        return numpy.where(inside, seeds[tuple(place)], 0).astype(numpy.uint32)


model = Model()


def segment(tile, region):
    # The halo is labelled too: omtask compares there what neighbouring tiles found.
    return model.segment(tile, region.parameters["diameter"], region.parameters["cutoff"])


serve(segment)
