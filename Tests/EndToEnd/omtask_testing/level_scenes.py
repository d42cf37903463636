"""Runs of `pyramid` that are disturbed: image and label image have their old or their new levels."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import zarr

from .images import Image, downsampled, write_image
from .program import Program
from .reading import ome, read_multiscale
from .scenes import LABEL, SHAPE, SHARDED, V2, Scene, Stand

# Small enough for a run without a journal.
SMALL = (10, 128, 128)


@dataclass(frozen=True)
class LevelScene(Scene):
    """An image with a label image, both of which get other levels."""

    shape: tuple[int, ...] = SHAPE
    # Whether the image keeps a copy of all metadata.
    consolidated: bool = False

    def command(self, root: Path, words: Sequence[str] | None = None) -> list[str]:
        threads = "2" if self.ranks == 1 else "1"
        return ["run", "pyramid", str(root / "image.zarr"), "--levels", "3", "--factors", "2",
                "--method", "median", *(words or ()), "--progress", "none", "--threads", threads]

    def prepare(self, omtask: Program, root: Path) -> None:
        data = np.random.default_rng(4).integers(0, 60, size=self.shape).astype(np.uint16)
        image = write_image(
            root / "image.zarr", Image("zyx", downsampled("zyx", data, 2), self.layout))
        omtask("run", "threshold", image, "--threshold", "30", "--objects", "false",
               "--label-name", LABEL)
        if self.consolidated:
            zarr.consolidate_metadata(image)


SCENES = {
    scene.name: scene
    for scene in (
        LevelScene("levels-sharded", SHARDED),
        LevelScene("levels-v2", V2, shape=SMALL),
        LevelScene("levels-small", SHARDED, shape=SMALL),
        LevelScene("levels-consolidated", SHARDED, shape=SMALL, consolidated=True),
        LevelScene("levels-consolidated-v2", V2, shape=SMALL, consolidated=True),
        LevelScene("levels-ranks", SHARDED, ranks=3),
    )
}


@dataclass
class LevelStand(Stand):
    """Such a scene in a folder of its own."""

    _old: dict[str, list[np.ndarray]] = field(init=False)
    _new: dict[str, list[np.ndarray]] = field(init=False)

    def __post_init__(self) -> None:
        self.root = self.folder / "stand"
        self.reset()
        self._old = self._levels()
        super().__post_init__()
        self._new = self._levels()

    def _voxels(self) -> list[np.ndarray]:
        return []

    @property
    def nodes(self) -> dict[str, Path]:
        return {"image": self.image, "label": self.image / "labels" / LABEL}

    def _levels(self) -> dict[str, list[np.ndarray]]:
        return {name: read_multiscale(path).levels for name, path in self.nodes.items()}

    def problems(self, succeeded: bool, was_killed: bool) -> list[str]:
        """Each image must read as before or as after; failed runs have changed nothing."""
        found = []
        states = {}
        for name, path in self.nodes.items():
            levels = read_multiscale(path).levels
            if same(levels, self._new[name]):
                states[name] = "new"
            elif same(levels, self._old[name]):
                states[name] = "old"
            else:
                found.append(f"the {name} has neither its old nor its new levels")
            found += self._copy_problems(path)
        if succeeded and "old" in states.values():
            found.append(f"the run ended with 0: {states}")
        if not succeeded and not was_killed and "new" in states.values():
            found.append(f"the run failed: {states}")
        return found

    def _copy_problems(self, path: Path) -> list[str]:
        """A copy of all metadata lists levels that are there."""
        if not self.scene.consolidated:
            return []
        part = "" if path == self.image else f"labels/{LABEL}"
        group = zarr.open_consolidated(self.image)
        group = group[part] if part else group
        keys = group.attrs.get("ome", group.attrs)
        try:
            levels = [group[d["path"]][...] for d in keys["multiscales"][0]["datasets"]]
        except KeyError as error:
            return [f"the copy of metadata lists a level that is not there: {error}"]
        name = "label" if part else "image"
        if same(levels, self._old[name]) or same(levels, self._new[name]):
            return []
        return [f"the {name} of the copy of metadata is neither old nor new"]


def same(one: list[np.ndarray], other: list[np.ndarray]) -> bool:
    return len(one) == len(other) and all(map(np.array_equal, one, other))


def paths(image: Path) -> list[str]:
    """The paths of the levels that an image lists now."""
    return [dataset["path"] for dataset in ome(image)["multiscales"][0]["datasets"]]


def read_settled(image: Path) -> list[np.ndarray]:
    """The levels of an image that may change meanwhile, as a careful reader gets them: metadata that
    have changed since are read again."""
    while True:
        document = (image / "zarr.json").read_bytes()
        listed = [d["path"] for d in
                  json.loads(document)["attributes"]["ome"]["multiscales"][0]["datasets"]]
        try:
            levels = [zarr.open_array(image / path, mode="r")[...] for path in listed]
        except FileNotFoundError:
            levels = []
        if (image / "zarr.json").read_bytes() == document:
            assert levels, f"{listed} are listed and not there"
            return levels
