"""Runs that are disturbed, each in files of its own, and what must be true at any time."""

import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from . import patterns
from .images import Image, downsampled, write_image
from .layouts import ZSTD, Layout, blosc_v2
from .program import Outcome, Program, mpirun
from .reading import listed_labels, read_multiscale
from .trees import leftovers, tree

SHARDED = Layout("sharded", "0.5", (10, 64, 64), (1, 4, 4), (ZSTD,))
V2 = Layout("v2", "0.4", (10, 256, 256), compression=(blosc_v2("lz4", 1),))
# A region holds about a million voxels, so this volume has eight that meet.
SHAPE = (20, 512, 512)
LABEL = "nuclei"
OTSU = ("--method", "otsu")
MASK = ("--threshold", "700", "--objects", "false")


@dataclass(frozen=True)
class Scene:
    """A command and the files it works on."""

    name: str
    layout: Layout = SHARDED
    words: tuple[str, ...] = OTSU
    # Whether the result is an OME-Zarr of its own.
    separate: bool = False
    # Whether another result of this name is there already.
    overwrites: bool = False
    # Whether the image has another label image before.
    neighbour: bool = True
    ranks: int = 1

    def command(self, root: Path, words: Sequence[str] | None = None) -> list[str]:
        """The arguments of omtask; `words` instead of those of the scene."""
        command = ["run", "threshold", str(root / "image.zarr"), "--label-name", LABEL]
        command += [*(self.words if words is None else words), "--progress", "none"]
        command += ["--threads", "2" if self.ranks == 1 else "1"]
        if self.separate:
            command += ["--output", str(root / "out.zarr")]
        return command + (["--overwrite"] if self.overwrites else [])

    @property
    def result(self) -> str:
        """The folder of the result below the root."""
        return "out.zarr" if self.separate else f"image.zarr/labels/{LABEL}"

    @property
    def chunks(self) -> str:
        """The folder of the chunks that are read, below the root."""
        return "image.zarr/0/0" if self.layout.is_v2 else "image.zarr/0/c"

    @property
    def list(self) -> str | None:
        """The document with the list of labels."""
        if self.separate:
            return None
        return f"image.zarr/labels/{'.zattrs' if self.layout.is_v2 else 'zarr.json'}"

    def prepare(self, omtask: Program, root: Path) -> None:
        """Writes the files that are there before."""
        rng = np.random.default_rng(4)
        mask = patterns.blobs((SHAPE[0] // 2, SHAPE[1] // 4, SHAPE[2] // 4), rng)
        data = np.where(mask, np.uint16(1500), np.uint16(300))
        data = data.repeat(2, 0).repeat(4, 1).repeat(4, 2)
        write_image(root / "image.zarr", Image("zyx", downsampled("zyx", data, 2), self.layout))
        if self.neighbour:
            omtask("run", "threshold", root / "image.zarr", *MASK, "--label-name", "other")
        if self.overwrites:
            other = self.command(root, ("--threshold", "1500"))
            omtask(*(word for word in other if word != "--overwrite"))


SCENES = {
    scene.name: scene
    for scene in (
        Scene("objects"),
        Scene("mask", words=MASK, neighbour=False),
        Scene("v2", V2),
        Scene("output", separate=True),
        Scene("overwrite", overwrites=True),
        Scene("overwrite-output", separate=True, overwrites=True),
        Scene("ranks", ranks=3),
    )
}


@dataclass
class Stand:
    """A scene in a folder of its own, where it can be played again and again."""

    omtask: Program
    scene: Scene
    original: Path
    folder: Path
    root: Path = field(init=False)
    before: dict[str, str] = field(init=False)
    after: dict[str, str] = field(init=False)
    _expected: dict[bool, list[np.ndarray]] = field(init=False)

    def __post_init__(self) -> None:
        self.root = self.folder / "stand"
        self.reset()
        self.before = tree(self.root)
        self._expected = {False: self._voxels() if self.scene.overwrites else []}
        self.omtask(*self.scene.command(self.root))
        self.after = tree(self.root)
        self._expected[True] = self._voxels()
        assert leftovers(self.root) == []

    @property
    def image(self) -> Path:
        return self.root / "image.zarr"

    @property
    def counter(self) -> Path:
        """The file in which calls are counted."""
        return self.folder / "count"

    def reset(self, source: Path | None = None) -> None:
        """The files as they were before, or as `keep` kept them."""
        shutil.rmtree(self.root, ignore_errors=True)
        shutil.copytree(source or self.original, self.root, symlinks=True)
        self.counter.unlink(missing_ok=True)

    def keep(self) -> Path:
        """Keeps the files as they are now, for `reset`."""
        kept = self.folder / "kept"
        shutil.rmtree(kept, ignore_errors=True)
        return Path(shutil.copytree(self.root, kept, symlinks=True))

    def run(
        self, env: Mapping[str, str] | None = None, words: Sequence[str] | None = None,
        before: str = "",
    ) -> Outcome:
        """The scene's command; `before` is a shell command that comes first in the same process."""
        launcher = mpirun(self.scene.ranks) if self.scene.ranks > 1 else []
        if before:
            launcher = ["bash", "-c", f'{before}; exec "$@"', "bash", *launcher]
        return self.omtask(
            *self.scene.command(self.root, words), launcher=launcher, env=env, expect=None,
            timeout=120,
        )

    def _voxels(self) -> list[np.ndarray]:
        if self.scene.separate:
            return []
        return read_multiscale(self.root / self.scene.result).levels

    # What must be true

    def stages(self) -> list[Path]:
        """The hidden folders of runs that are not finished."""
        folder = self.root / ".out.zarr.omtask" if self.scene.separate else self.image / ".omtask"
        return sorted(path for path in folder.glob("*") if path.is_dir())

    def problems(self, succeeded: bool, was_killed: bool) -> list[str]:
        """What is wrong with the files after a run that was disturbed."""
        now = tree(self.root)
        found = [
            f"{name} was changed" for name, digest in self.before.items()
            if not self._is_result(name) and name != self.scene.list and now.get(name) != digest
        ]
        # Other metadata than the list may only change when the run succeeds: none does here.
        hidden = (".omtask", ".out.zarr.omtask")
        found += [
            f"{name} is there" for name in now
            if name not in self.before and name not in self.after
            and not any(part in hidden for part in Path(name).parts)
        ]
        result = self._part(now)
        is_new = result == self._part(self.after)
        if not is_new and result != self._part(self.before):
            found.append(f"{self.scene.result} is neither the old nor the new one")
        if is_new and not succeeded and not was_killed:
            found.append("the run failed and the result is there")
        return found + self._list_problems(now, is_new, succeeded, was_killed)

    def _list_problems(
        self, now: dict[str, str], is_new: bool, succeeded: bool, was_killed: bool
    ) -> list[str]:
        name = self.scene.list
        if succeeded and not is_new:
            return ["the run ended with 0 and there is no result"]
        if name is None:
            return []
        found = []
        old, new = (now.get(name) == files.get(name) for files in (self.before, self.after))
        if not old and not new:
            found.append("the list is neither the old nor the new one")
        if not old and not is_new:
            found.append("the list names a label image that is not there")
        if not old and not succeeded and not was_killed:
            found.append("the run failed and the list has changed")
        if succeeded and not new:
            found.append("the run ended with 0 and the result is not listed")
        if self.scene.overwrites and LABEL in listed_labels(self.image):
            levels = self._voxels()
            expected = self._expected[is_new]
            if not all(map(np.array_equal, levels, expected)):
                found.append("the label image reads as neither the old nor the new one")
        return found

    def unfinished(self, words: Sequence[str] | None = None) -> list[str]:
        """What is wrong after the same command without faults."""
        outcome = self.run(words=words)
        if outcome.code != 0:
            return [f"the same command again: {outcome}"]
        return self.difference()

    def difference(self) -> list[str]:
        """Where the files are not those of an undisturbed run."""
        now = tree(self.root)
        names = sorted(name for name in now.keys() | self.after.keys()
                       if now.get(name) != self.after.get(name))
        return [f"differs from an undisturbed run: {names[:5]}"] if names else []

    def _is_result(self, name: str) -> bool:
        return name.startswith(f"{self.scene.result}/")

    def _part(self, files: dict[str, str]) -> dict[str, str]:
        return {name: digest for name, digest in files.items() if self._is_result(name)}


def error_lines(outcome: Outcome) -> list[str]:
    """The lines that say why a run failed."""
    return [line for line in outcome.stderr.splitlines() if line.startswith("omtask: error[")]
