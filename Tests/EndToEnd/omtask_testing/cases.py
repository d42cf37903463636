"""The generated cases of the oracle test: tables of what may be combined, and how it is dealt.

Values are dealt from shuffled decks, so every value of every table turns up equally often and the
same seed always deals the same cases.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Generic, Literal, TypeVar

import numpy as np

from . import patterns
from .images import Image, downsampled
from .layouts import ALL_LAYOUTS, SHARDED_LAYOUTS, V2_LAYOUTS, V3_LAYOUTS, Layout
from .patterns import LEVELS, Pattern

Value = TypeVar("Value")

METHODS = ("otsu", "li", "triangle", "yen", "isodata", "mean", "minimum", "fixed")
MAIN_TYPES = ("uint8", "uint16", "int16", "uint32", "float32")
RARE_TYPES = ("int8", "int32", "uint64", "float64")
# scikit-image smooths one bin after the other in Python: only short histograms end in time.
SHORT_HISTOGRAM = ("uint8", "int8", "float32", "float64")
SHAPES = {
    "yx": ((47, 61), (33, 32), (1, 50), (64, 17)),
    "zyx": ((13, 29, 31), (16, 32, 32), (1, 33, 27), (17, 1, 23), (9, 40, 21)),
    "tyx": ((3, 30, 25),),
    "cyx": ((2, 33, 37), (1, 26, 41)),
    "czyx": ((2, 9, 21, 23),),
    "tzyx": ((2, 8, 19, 25),),
    "tcyx": ((2, 3, 21, 26),),
    "tczyx": ((2, 2, 7, 19, 23), (1, 2, 10, 16, 16), (3, 1, 6, 13, 18)),
}
CHANNELS = ("DAPI", "GFP", "far red")


@dataclass(frozen=True)
class Case:
    """One image, one call of omtask."""

    name: str
    axes: str
    shape: tuple[int, ...]
    dtype: str
    layout: Layout
    pattern: Pattern
    parameters: dict[str, Any]
    seed: int
    levels: int = 1
    silent_background: bool = False
    writer: Literal["zarr", "tensorstore"] = "zarr"
    threads: int = 1
    arguments_file: bool = False
    channels: tuple[str, ...] | None = field(default=None)

    def __str__(self) -> str:
        return f"{self.name}-{self.axes}-{self.dtype}-{self.layout.name}"

    def image(self) -> Image:
        """The image to write."""
        rng = np.random.default_rng(self.seed)
        data = np.empty(self.shape, self.dtype)
        spatial = sum(axis in "zyx" for axis in self.axes)
        for index in np.ndindex(self.shape[:-spatial]):
            data[index] = self._volume(self.shape[-spatial:], rng)
        levels = downsampled(self.axes, data, self.levels)
        return Image(self.axes, levels, self.layout, self.channels, writer=self.writer)

    def _volume(self, shape: Sequence[int], rng: np.random.Generator) -> np.ndarray:
        mask = self.pattern(shape, rng)
        if self.silent_background:
            return patterns.silent(mask, self.dtype)
        return patterns.intensities(mask, self.dtype, rng)


class Deck(Generic[Value]):
    """Deals the values of a table in random order, each as often as every other."""

    def __init__(self, values: Sequence[Value], rng: np.random.Generator) -> None:
        self._values, self._rng = list(values), rng
        self._left: list[Value] = []

    def deal(self) -> Value:
        if not self._left:
            self._left = [self._values[i] for i in self._rng.permutation(len(self._values))]
        return self._left.pop()


def fixed(dtype: str) -> float:
    """A threshold between background and objects; 0.125 is exact in every float type."""
    between = LEVELS[dtype].between
    return round(between) if np.dtype(dtype).kind != "f" else float(np.float32(between))


class Dealer:
    """Deals cases. Every group of cases has a generator of its own below."""

    def __init__(self, seed: int) -> None:
        self.rng = np.random.default_rng(seed)
        decks: dict[str, Sequence[Any]] = {
            "layout": ALL_LAYOUTS,
            "dtype": MAIN_TYPES * 3 + RARE_TYPES,
            "place": [(axes, shape) for axes, shapes in SHAPES.items() for shape in shapes],
            "pattern": patterns.ORDINARY * 2 + patterns.ADVERSARIAL,
            "method": METHODS,
            "connectivity": ("faces", "edges", "full"),
            "scope": ("volume", "plane", "channel", "image"),
            "writer": ("zarr", "tensorstore"),
            "threads": (1, 2, 4),
            "arguments_file": (True, False),
            "levels": (1, 2, 3),
            "pyramid": ("mode", "stride"),
            "sizes": ({}, {}, {"min_size": 5}, {"max_size": 60}, {"min_size": 2, "max_size": 300}),
            "border": ({}, {}, {"clear_border": True}),
            "bounds": ({}, {}, {"correction": 1.25}, "lower", "upper", {"inclusive": True}),
            "objects": (True, True, False),
        }
        self.decks = {name: Deck(values, self.rng) for name, values in decks.items()}

    def pick(self, name: str) -> Any:
        return self.decks[name].deal()

    def case(self, name: str, parameters: dict[str, Any], **given: Any) -> Case:
        """A case with everything dealt that is not given."""
        if "axes" not in given:
            given["axes"], given["shape"] = self.pick("place")
        count = given["shape"][given["axes"].index("c")] if "c" in given["axes"] else 1
        if count > 1:
            given.setdefault("channels", CHANNELS[:count])
            parameters = {"channel": CHANNELS[int(self.rng.integers(count))]} | parameters
        for key in ("layout", "dtype", "pattern", "writer", "threads", "arguments_file"):
            if key not in given:
                given[key] = self.pick(key)
        return Case(name, parameters=parameters, seed=int(self.rng.integers(2**31)), **given)

    # Groups

    def mixed(self, count: int) -> Iterator[Case]:
        """Everything with everything."""
        for number in range(count):
            dtype, method = self.pick("dtype"), self.pick("method")
            if method == "minimum" and dtype not in SHORT_HISTOGRAM:
                method = "otsu"
            parameters = self.choice_of_threshold(method, dtype)
            parameters |= self.choice_of_objects()
            if self.pick("arguments_file"):
                parameters["pyramid"] = self.pick("pyramid")
            yield self.case(f"mixed{number}", parameters, dtype=dtype, levels=self.pick("levels"))

    def choice_of_threshold(self, method: str, dtype: str) -> dict[str, Any]:
        if method == "fixed":
            return {"threshold": fixed(dtype), "inclusive": bool(self.rng.integers(2))}
        bounds = self.pick("bounds")
        if isinstance(bounds, str):
            away = LEVELS[dtype].spread
            shift = {"lower": away, "upper": -away}[bounds]
            bounds = {f"{bounds}_bound": LEVELS[dtype].between + shift}
        return {"method": method, "scope": self.pick("scope")} | bounds

    def choice_of_objects(self) -> dict[str, Any]:
        filters = self.pick("sizes") | self.pick("border")
        rules = {"connectivity": self.pick("connectivity")} | filters
        return rules if self.pick("objects") else {"objects": False} | rules

    def adversarial(self) -> Iterator[Case]:
        """Every hard shape with every connectivity, sharded and not, background not stored."""
        for pattern in patterns.ADVERSARIAL:
            for connectivity in ("faces", "edges", "full"):
                for layouts in (V2_LAYOUTS, V3_LAYOUTS, SHARDED_LAYOUTS):
                    layout = layouts[int(self.rng.integers(len(layouts)))]
                    parameters = {"threshold": 1, "inclusive": True, "connectivity": connectivity}
                    yield self.case(
                        f"{pattern.__name__}-{connectivity}", parameters, pattern=pattern,
                        layout=layout, axes="zyx", shape=(33, 35, 37), silent_background=True,
                        dtype=("uint8", "uint16")[int(self.rng.integers(2))],
                    )

    def methods(self) -> Iterator[Case]:
        """Every method on every data type, and on constant images."""
        for method in METHODS[:-1]:
            for dtype in MAIN_TYPES + RARE_TYPES:
                if method != "minimum" or dtype in SHORT_HISTOGRAM:
                    yield self.case(
                        method, {"method": method}, dtype=dtype, axes="zyx", shape=(12, 25, 27),
                        pattern=patterns.blobs,
                    )
            for dtype in ("uint16", "float32"):
                yield self.case(
                    f"constant-{method}", {"method": method}, dtype=dtype, axes="yx",
                    shape=(20, 30), pattern=patterns.full, silent_background=True,
                )

    def layouts(self) -> Iterator[Case]:
        """Every layout in two, three and five dimensions."""
        for layout in ALL_LAYOUTS:
            for axes, shape in (("yx", (45, 38)), ("zyx", (19, 34, 21)), ("tczyx", (2, 2, 9, 18, 20))):
                yield self.case(
                    "layout", {"method": "otsu", "pyramid": self.pick("pyramid")}, layout=layout,
                    axes=axes, shape=shape, levels=2, pattern=patterns.random,
                )

    def channels_and_levels(self) -> Iterator[Case]:
        """Channel lists, a kept channel axis, other levels, data types of the label."""
        five = {"axes": "tczyx", "shape": (2, 3, 6, 19, 22)}
        flat = {"axes": "cyx", "shape": (3, 34, 41)}
        kept = {"keep_channel_axis": True, "label_name": "all_channels"}
        volume = {"axes": "zyx", "shape": (14, 37, 43), "levels": 3}
        tables: list[tuple[dict[str, Any], dict[str, Any]]] = [
            ({"channel": ["all"]}, five),
            ({"channel": ["all"]}, flat),
            ({"channel": ["GFP", "0"]}, five),
            ({"channel": ["A02_C01"], "label_name": "by_wavelength"}, five),
            ({"channel": ["2"], "skip_if_missing": True}, flat),
            (kept | {"channel": ["all"]}, five),
            (kept | {"channel": ["all"], "scope": "image"}, five),
            (kept | {"channel": ["all"], "scope": "channel", "objects": False}, five),
            (kept | {"channel": ["all"], "scope": "plane"}, flat | {"levels": 3}),
            ({"level": 1}, volume),
            ({"level": 2, "pyramid": "stride", "label_name": "coarse"}, volume),
            ({"level": 1, "objects": False, "scope": "image"}, volume),
            ({"dtype": "uint16"}, volume),
            ({"dtype": "uint64", "connectivity": "faces"}, volume),
            ({"dtype": "uint8", "min_size": 40}, volume),
        ]
        for layout in (V2_LAYOUTS[4], SHARDED_LAYOUTS[0]):
            for number, (parameters, given) in enumerate(tables):
                yield self.case(
                    f"options{number}", parameters, layout=layout, dtype="uint16",
                    pattern=patterns.blobs, **given,
                )

    def many_objects(self) -> Iterator[Case]:
        """More objects than 16 bits count, in one volume and over several."""
        parameters = {"threshold": 1, "connectivity": "faces"}
        for axes, shape in (("yx", (400, 401)), ("tzyx", (2, 41, 43, 45))):
            for layout in (V2_LAYOUTS[4], SHARDED_LAYOUTS[0]):
                yield self.case(
                    "many", parameters, axes=axes, shape=shape, layout=layout, dtype="uint8",
                    pattern=patterns.checkerboard, silent_background=True, levels=2,
                )


def generated_cases(seed: int) -> list[Case]:
    """All cases of the oracle test."""
    dealer = Dealer(seed)
    groups = (
        dealer.mixed(140), dealer.adversarial(), dealer.methods(), dealer.layouts(),
        dealer.channels_and_levels(), dealer.many_objects(),
    )
    return [case for group in groups for case in group]
