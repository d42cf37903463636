"""Makes a Python function a task of omtask.

    from omtask_region import serve

    def smooth(tile, region):
        return scipy.ndimage.uniform_filter(tile, region.parameters["size"])

    serve(smooth)

omtask starts this program, hands it one box of an image after the other as NumPy arrays and takes
what the function returns; reading, halos, threads, ranks, resume and writing are omtask's. The
lines that are spoken are described in docs/external-tasks.md. This file needs NumPy and nothing
else; copy it beside your own.
"""

import dataclasses
import json
import mmap
import os
import sys
import traceback

import numpy

PROTOCOL = 1


@dataclasses.dataclass
class Region:
    """What is known of the box in hand, besides its voxels."""

    parameters: dict
    """The values of the task's parameters; None where there is none."""
    image: dict
    """The image: name, axes, shape, scale, units, dtype, channels, channel, level."""
    axes: list
    """The axes of the tile: z, y, x, or y, x."""
    origin: tuple
    """Where the tile begins in its volume, along z, y and x."""
    volume: tuple
    """The size of the volume, along z, y and x."""
    inner: tuple
    """The slices of the tile that are kept; around them lies the halo."""
    dtype: numpy.dtype
    """The type of the voxels to return; of labels, uint32; None for a task that makes a table."""
    alive: object
    """To be called now and then by a function that takes minutes, so that it is not given up."""
    time: int = None
    """The time point, for a task that makes a table of a time series."""

    @property
    def scale(self):
        """The size of a voxel along each axis of the tile."""
        known = dict(zip(self.image["axes"], self.image["scale"]))
        return tuple(known[axis] for axis in self.axes)

    def owns(self, position):
        """Whether a place in the tile, in voxels along its axes, is nearest to a voxel that is kept.

        Of all regions that see an object in their halo, one owns its centroid.
        """
        return all(s.start - 0.5 <= p < s.stop - 0.5 for p, s in zip(position, self.inner))

    def place(self, position):
        """A place in the tile as one in the volume, in voxels along the tile's axes."""
        return tuple(p + a for p, a in zip(position, self.origin[-len(self.axes) :]))


def serve(function):
    """Answers omtask until there is nothing more to do.

    The function gets a tile and a `Region`; the memory of the tile is used again for the next one, so
    what shall be kept longer is copied. It returns an array of the tile's shape, or of that of
    the part that is kept, of integers or numbers that `region.dtype` can hold. A task that makes a
    table returns a dict of its columns instead, or a DataFrame of pandas: lists or arrays of a table
    and of a histogram, numbers of a sum. What it prints goes into the log. An exception ends the
    image with its message.
    """
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    # Whatever prints to standard output, in Python or in C, must not stand among the answers.
    os.dup2(2, 1)

    def answer(**line):
        # Arrays and numbers of NumPy say themselves what they are in Python.
        answers.write(json.dumps(line, default=lambda value: value.tolist()) + "\n")
        answers.flush()

    parameters, image = {}, {}
    for text in sys.stdin:
        line = json.loads(text)
        if "omtask" in line:
            parameters = line["parameters"]
            answer(omtask=PROTOCOL)
        elif "image" in line:
            image = line["image"]
        elif "region" in line:
            number = line["region"]
            try:
                answer(region=number, **_compute(function, line, parameters, image, answer))
            except Exception as error:  # the author's function may raise anything
                traceback.print_exc()
                answer(region=number, error=f"{type(error).__name__}: {error}")
                return


def _compute(function, line, parameters, image, answer):
    given, wanted = line["input"], line.get("output") or line["core"]
    tile = _voxels(given["path"], given["shape"], _dtype(given["dtype"]))
    inner = tuple(slice(a, a + n) for a, n in zip(wanted["offset"], wanted["shape"]))
    dtype = _dtype(wanted["dtype"]) if "output" in line else None
    region = Region(
        parameters,
        image,
        line["axes"],
        tuple(given["origin"]),
        tuple(line["volume"]),
        inner,
        dtype,
        lambda: answer(alive=True),
        line.get("time"),
    )
    if dtype is None:
        made = function(tile, region)
        return {"partial": made.to_dict("list") if hasattr(made, "to_dict") else dict(made)}
    made = numpy.asarray(function(tile, region))
    if made.shape == tile.shape:
        made = made[inner]
    if made.shape != tuple(wanted["shape"]):
        raise ValueError(
            f"the function returned the shape {made.shape}, expected {tile.shape} or that of the "
            f"kept part, {tuple(wanted['shape'])}"
        )
    numpy.copyto(_voxels(wanted["path"], wanted["shape"], dtype), _checked(made, dtype), casting="unsafe")
    return {"shape": list(made.shape), "dtype": wanted["dtype"]}


_mapped = {}


def _voxels(path, shape, dtype):
    """The voxels of a file that is shared with omtask, where they lie; it stays mapped from tile to tile."""
    count = int(numpy.prod(shape, dtype=numpy.int64))
    facts = os.stat(path)
    if facts.st_size < count * dtype.itemsize:
        raise EOFError(f"{path} ends after {facts.st_size} of {count * dtype.itemsize} bytes")
    if count == 0:
        return numpy.empty(shape, dtype)
    identity = (facts.st_dev, facts.st_ino, facts.st_size)
    if path not in _mapped or _mapped[path][0] != identity:
        with open(path, "r+b") as file:
            _mapped[path] = identity, mmap.mmap(file.fileno(), facts.st_size)
    return numpy.frombuffer(_mapped[path][1], dtype, count).reshape(shape)


def _checked(made, dtype):
    """The voxels, which the type holds: integers that it does not hold are an error, not other ones."""
    if made.dtype == dtype:
        return made
    if made.dtype.kind in "biu" and dtype.kind in "iu":
        limits = numpy.iinfo(dtype)
        if made.size and (made.min() < limits.min or made.max() > limits.max):
            raise ValueError(
                f"the function returned numbers from {made.min()} to {made.max()}, "
                f"{dtype.name} holds {limits.min} to {limits.max}"
            )
    elif made.dtype.kind == "f" and dtype.kind in "biu":
        raise TypeError(f"the function returned {made.dtype}, the task makes {dtype.name}: round")
    elif made.dtype.kind not in "biuf":
        raise TypeError(f"the function returned {made.dtype}, expected numbers")
    return made


def _dtype(name):
    return numpy.dtype(name).newbyteorder("<")
