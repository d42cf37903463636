"""A segmenter of the shape of cellpose: a model that is loaded once, then asked for every tile.

The model is a stand-in. To use a real one, load it in `Model.__init__` and call it in `probability`;
`CUDA_VISIBLE_DEVICES` names the graphics card of this worker.
"""

import numpy
import scipy.ndimage
from omtask_region import serve


class Model:
    """What costs seconds to load, and is kept from tile to tile."""

    def probability(self, tile, diameter):
        smooth = scipy.ndimage.gaussian_filter(tile.astype(numpy.float32), 1.0, truncate=4.0)
        return numpy.clip(smooth / 200, 0, 1)


model = Model()


def segment(tile, region):
    probability = model.probability(tile, region.parameters["diameter"])
    labels, _ = scipy.ndimage.label(probability[region.inner] > region.parameters["cutoff"])
    return labels.astype(numpy.uint32)


serve(segment)
