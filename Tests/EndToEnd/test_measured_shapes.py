"""Quantiles, Euler numbers and perimeters of objects: equal to NumPy and scikit-image, however they are cut."""

import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas
import pytest
from skimage.measure import regionprops

from omtask_testing import faults, measures, samples
from omtask_testing.layouts import ALL_LAYOUTS, V3_LAYOUTS, ZSTD, Layout, describe
from omtask_testing.measures import joined, objects, write_measured
from omtask_testing.program import Program
from omtask_testing.trees import leftovers, tree

SHAPES = {"yx": (47, 61), "zyx": (13, 29, 31), "cyx": (3, 40, 33), "tczyx": (2, 2, 7, 19, 23),
          "tyx": (3, 30, 25), "czyx": (2, 11, 24, 27)}
TYPES = ("uint8", "uint16", "int16", "int8", "uint32", "float32")
LABELS = ("uint32", "uint8", "int32", "uint64", "uint16")
QUANTILES = (0.0, 0.05, 0.25, 1 / 3, 0.5, 0.9, 1.0)
NAMES = ("DAPI", "GFP", "Cy5")
LENGTHS = ("perimeter", "perimeter_crofton")


def cases() -> list[tuple[str, str, str, Layout, int]]:
    """Every layout, with every shape, type of voxels and labels, and number of ranks in turn."""
    return [
        (list(SHAPES)[number % 6], TYPES[(number + number // 6) % 6], LABELS[number % 5],
         ALL_LAYOUTS[number % len(ALL_LAYOUTS)], (1, 2, 1, 3)[number % 4])
        for number in range(22)
    ]


def features(axes: str) -> list[str]:
    return ["shape", "euler_number", *([] if "z" in axes else ["perimeter"])]


def column(quantile: float, channel: str = "") -> str:
    return f"intensity_quantile_{quantile:g}{channel}" if quantile in (0, 1) else \
        f"intensity_quantile_{quantile!r}{channel}"


def shapes(labels: np.ndarray) -> pandas.DataFrame:
    """Euler numbers and, of flat objects, perimeters by scikit-image."""
    names = ["label", "euler_number", *(LENGTHS if labels.ndim == 2 else ())]
    rows = [[getattr(found, name) for name in names] for found in regionprops(labels)]
    return pandas.DataFrame(rows, columns=names)


def check(found: pandas.DataFrame, ought: pandas.DataFrame, scale: float = 1.0) -> None:
    """Numbers are equal; the last bit of a length is that of the processor in scikit-image."""
    assert list(found["label"]) == list(ought["label"])
    assert np.array_equal(found["euler_number"], ought["euler_number"])
    for name in LENGTHS:
        if name in ought:
            assert np.allclose(found[name], ought[name], rtol=1e-15, atol=0), name
            scaled = found[name] * measures.physical("y")
            assert np.array_equal(found[f"{name}_micrometer"], scaled), name
        else:
            assert not any(known.startswith(name) for known in found)


def measure(omtask: Program, path: Path, axes: str, **how: Any) -> pandas.DataFrame:
    call = {"label": "cells", "features": features(axes), "overwrite": True}
    omtask.run("measure", path, parameters=call | how.pop("more", {}), **how)
    return joined(omtask, path, "cells_features")


@pytest.mark.parametrize(("axes", "dtype", "kind", "layout", "ranks"), cases(), ids=describe)
def test_equals_scikit_image_and_numpy(
    axes: str, dtype: str, kind: str, layout: Layout, ranks: int, omtask: Program, tmp_path: Path,
    rng: np.random.Generator,
) -> None:
    shape = SHAPES[axes]
    flat = tuple(n for n, axis in zip(shape, axes) if axis != "c")
    labels = objects(flat, rng, sum(axis in "zyx" for axis in axes)).astype(kind)
    image = samples_of(shape, dtype, rng)
    channels = NAMES[:shape[axes.index("c")]] if "c" in axes else None
    path = write_measured(tmp_path / "image.zarr", axes, image, labels, layout, channels=channels)
    is_narrow = np.dtype(dtype).itemsize <= 2
    found = measure(omtask, path, axes, ranks=ranks,
                    more={"quantiles": QUANTILES} if is_narrow else {})
    volumes = np.moveaxis(image, axes.index("c"), 0) if "c" in axes else image[np.newaxis]
    for time in range(len(labels)) if "t" in axes else [None]:
        one = labels if time is None else labels[time]
        part = found if time is None else found[found["time_index"] == time]
        check(part, shapes(one.astype(np.int64)))
        if not is_narrow:
            continue
        for number, volume in enumerate(volumes):
            voxels = volume if time is None else volume[time]
            for quantile in QUANTILES:
                name = column(quantile, f"-{channels[number]}" if channels else "")
                # Differences of int8 and int16 overflow in NumPy.
                exact = voxels if voxels.dtype.kind == "u" else voxels.astype(np.float64)
                ought = [np.quantile(exact[one == label], quantile) for label in part["label"]]
                assert np.array_equal(part[name], ought), name


def samples_of(shape: tuple[int, ...], dtype: str, rng: np.random.Generator) -> np.ndarray:
    if np.dtype(dtype).kind == "f":
        return rng.normal(3, 40, size=shape).astype(dtype)
    info = np.iinfo(dtype)
    return rng.integers(info.min, info.max, size=shape, endpoint=True).astype(dtype)


def test_lengths_are_those_of_scikit_image_bit_by_bit(
    omtask: Program, tmp_path: Path, rng: np.random.Generator
) -> None:
    """With the kernel of NumPy's library that processors with AVX2 have; others round otherwise."""
    if "avx2" not in Path("/proc/cpuinfo").read_text():
        pytest.skip("the processor has no AVX2")
    labels = np.kron(rng.integers(0, 40, size=(30, 30)), np.ones((9, 9), np.int64))
    labels[rng.random(labels.shape) < 0.15] = 0
    path = write_measured(tmp_path / "image.zarr", "yx", labels.astype(np.uint8),
                          labels.astype(np.uint16), V3_LAYOUTS[1])
    np.save(tmp_path / "labels.npy", labels)
    program = (
        "import sys, numpy; from skimage.measure import regionprops\n"
        "for r in regionprops(numpy.load(sys.argv[1])):\n"
        "    print(r.label, r.perimeter.hex(), r.perimeter_crofton.hex())")
    answer = subprocess.run(
        [sys.executable, "-c", program, tmp_path / "labels.npy"], text=True, check=True,
        stdout=subprocess.PIPE, env=os.environ | {"OPENBLAS_CORETYPE": "Haswell"}).stdout
    found = measure(omtask, path, "yx")
    rows = [[str(row["label"]), *(row[name].hex() for name in LENGTHS)]
            for row in found.to_dict("records")]
    assert len(rows) == 39 and rows == [line.split() for line in answer.splitlines()]


# However the work is split


def crossing(shape: tuple[int, ...], rng: np.random.Generator) -> np.ndarray:
    """Objects with holes that reach over chunks and regions, one in every corner of the image."""
    labels = np.kron(rng.integers(0, 12, size=[-(-n // 37) for n in shape]),
                     np.ones([37] * len(shape), np.uint8))[tuple(slice(n) for n in shape)]
    labels[rng.random(shape) < 0.02] = 0
    labels[rng.random(shape) < 0.02] = 12
    return labels.astype(np.uint16)


REGIONS = {
    "yx": ((1300, 1500), Layout("s", "0.5", (64, 100), (4, 3), (ZSTD,))),
    "zyx": ((29, 190, 220), Layout("s", "0.5", (8, 30, 64), (2, 2, 1), (ZSTD,))),
}


@pytest.fixture(params=list(REGIONS))
def large(
    request: pytest.FixtureRequest, tmp_path: Path, rng: np.random.Generator
) -> tuple[str, np.ndarray, np.ndarray, Path]:
    """An image of several regions: axes, labels, voxels and place."""
    shape, layout = REGIONS[request.param]
    labels = crossing(shape, rng)
    image = (rng.integers(0, 9, size=shape) * 1000 + labels).astype(np.uint16)
    path = write_measured(tmp_path / "large.zarr", request.param, image, labels, layout, levels=1)
    return request.param, labels, image, path


def test_regions_and_ranks_change_nothing(
    large: tuple[str, np.ndarray, np.ndarray, Path], omtask: Program, tmp_path: Path
) -> None:
    axes, labels, image, original = large
    reference: dict[str, str] | None = None
    for number, engine in enumerate(({"threads": 1}, {"threads": 3}, {"ranks": 2}, {"ranks": 3})):
        copy = Path(shutil.copytree(original, tmp_path / str(number) / "image.zarr"))
        found = measure(omtask, copy, axes, more={"quantiles": "0.1,0.5"}, **engine)
        reference = reference or tree(copy)
        assert tree(copy) == reference, engine
    check(found, shapes(labels.astype(np.int64)))
    for label in (1, 7, 12):
        row = found[found["label"] == label].iloc[0]
        inside = image[labels == label]
        assert row[column(0.1)] == np.quantile(inside, 0.1)
        assert row[column(0.5)] == np.median(inside)


def test_a_killed_run_goes_on(
    large: tuple[str, np.ndarray, np.ndarray, Path], omtask: Program, tmp_path: Path
) -> None:
    axes, _, _, original = large
    call = {"label": "cells", "features": features(axes), "quantiles": "0.5"}
    right = Path(shutil.copytree(original, tmp_path / "right.zarr"))
    omtask.run("measure", right, parameters=call)
    went_on = 0
    for nth in (10, 25):
        copy = Path(shutil.copytree(original, tmp_path / f"{nth}.zarr"))
        killed = omtask("run", "measure", copy, "--label", "cells", "--threads", "1",
                        "--features", ",".join(features(axes)), "--quantiles", "0.5", expect=None,
                        env=faults.injected(copy, "write,rename", "kill", nth=nth))
        assert killed.code == -9, killed
        outcome = omtask.run("measure", copy, parameters=call, ranks=nth % 2 + 1)
        went_on += "goes on" in outcome.stderr or "going on" in outcome.stderr
        assert tree(copy / "tables") == tree(right / "tables"), nth
        assert not leftovers(copy)
    assert went_on, "no run had anything to go on with"


@pytest.mark.parametrize(("axes", "chunks"), [
    ("yx", ((16, 16), (7, 30))), ("yx", ((1, 61), (47, 1))), ("yx", ((5, 9), (1, 1))),
    ("zyx", ((8, 8, 8), (3, 9, 16))), ("zyx", ((1, 29, 31), (4, 4, 4))),
])
def test_chunks_of_labels_and_voxels_may_differ(
    axes: str, chunks: tuple[tuple[int, ...], tuple[int, ...]], omtask: Program, tmp_path: Path,
    rng: np.random.Generator,
) -> None:
    labels = objects(SHAPES[axes], rng, len(axes)).astype(np.uint16)
    image = samples_of(labels.shape, "uint8", rng)
    layouts = [Layout("a", "0.5", chunk, compression=(ZSTD,)) for chunk in chunks]
    path = write_measured(tmp_path / "image.zarr", axes, image, labels, layouts[0],
                          label_layout=layouts[1], levels=1)
    found = measure(omtask, path, axes, more={"quantiles": "0.75"}, threads=2)
    check(found, shapes(labels.astype(np.int64)))
    ought = [np.quantile(image[labels == label], 0.75) for label in found["label"]]
    assert np.array_equal(found[column(0.75)], ought)


def test_outside_of_a_selection_is_background(
    omtask: Program, tmp_path: Path, rng: np.random.Generator
) -> None:
    for axes, select, cut in (("yx", "y=5:33,x=9:50", np.s_[5:33, 9:50]),
                              ("zyx", "z=3:9,y=8:29,x=0:17", np.s_[3:9, 8:29, 0:17])):
        labels = objects(SHAPES[axes], rng, len(axes)).astype(np.uint16)
        path = write_measured(tmp_path / f"{axes}.zarr", axes, labels, labels,
                              Layout("s", "0.5", (8,), (2,), (ZSTD,)), levels=1)
        found = measure(omtask, path, axes, extra=["--select", select])
        check(found, shapes(labels[cut].astype(np.int64)))


# Objects that are hard


def snake(size: int) -> np.ndarray:
    """One line of a voxel's width that winds through the whole image."""
    labels = np.zeros((size, size), np.uint8)
    labels[::2] = 1
    labels[1::4, -1] = labels[3::4, 0] = 1
    return labels


def spiral(size: int) -> np.ndarray:
    """A ring of voxels within a ring, joined in corners only."""
    y, x = np.indices((size, size)) - size // 2
    rings = np.maximum(abs(y), abs(x)) % 3 == 0
    return (rings & ~((abs(y) == abs(x)) & (y > 0))).astype(np.uint8)


HARD = {
    "full": np.full((33, 40), 3), "checkerboard": np.indices((33, 40)).sum(axis=0) % 2 * 5,
    "two checkerboards": np.indices((20, 21)).sum(axis=0) % 2 + 1,
    "snake": snake(41), "rings": spiral(43), "row": np.ones((1, 50)), "column": np.ones((37, 1)),
    "voxel": np.ones((1, 1)), "every voxel": np.arange(1, 401).reshape(20, 20),
    "plane": np.pad(np.ones((1, 9, 9)), ((0, 0), (3, 3), (0, 4))),
    "cavity": np.pad(np.ones((9, 9, 9)) - np.pad(np.ones((3, 3, 3)), 3), 4),
    "tunnel": np.pad(np.ones((3, 9, 9)), 2) * (np.indices((7, 13, 13))[1] != 6),
    "corners": np.indices((9, 10, 11)).sum(axis=0) % 2 * 2,
}


@pytest.mark.parametrize("name", list(HARD))
def test_hard_objects(name: str, omtask: Program, tmp_path: Path) -> None:
    labels = HARD[name].astype(np.int32)
    axes = "zyx"[-labels.ndim:]
    path = write_measured(tmp_path / "image.zarr", axes, labels.astype(np.uint8), labels,
                          Layout("s", "0.5", (7,), (2,), (ZSTD,)), levels=1)
    is_flat = labels.ndim == 2 or len(labels) == 1
    found = measure(omtask, path, "yx" if is_flat else axes, threads=2)
    ought = shapes(labels[0] if is_flat and labels.ndim == 3 else labels)
    check(found, ought)


def test_numbers_of_64_bits_and_below_0_have_shapes(omtask: Program, tmp_path: Path) -> None:
    square = np.pad(np.ones((5, 5)) - np.pad(np.ones((1, 1)), 2), 3)
    for kind, numbers in (("uint64", (2**63 + 5, 2**32, 1)), ("int16", (-7, -1, 32767))):
        labels = np.concatenate([square.astype(kind) * np.array(n, kind) for n in numbers], axis=1)
        path = write_measured(tmp_path / f"{kind}.zarr", "yx", labels.astype(np.uint8), labels,
                              samples.V2, levels=1)
        found = measure(omtask, path, "yx")
        ought = shapes(square.astype(np.uint8))
        check(found, pandas.concat([ought] * 3).assign(label=sorted(numbers)))


def test_columns_of_others_stay_as_they_are(
    omtask: Program, tmp_path: Path, rng: np.random.Generator
) -> None:
    labels = objects((30, 40), rng, 2).astype(np.uint8)
    path = write_measured(tmp_path / "image.zarr", "yx", labels, labels, V3_LAYOUTS[0])
    omtask.run("measure", path, parameters={"label": "cells", "table_name": "usual"})
    usual = joined(omtask, path, "usual")
    assert not any(name.startswith(("euler", "perimeter", "intensity_q")) for name in usual)
    found = measure(omtask, path, "yx", more={
        "features": "perimeter,intensity,axes,shape,euler_number", "quantiles": "1,0.5,0.5,0"})
    new = ["euler_number", *LENGTHS, *(f"{name}_micrometer" for name in LENGTHS),
           "intensity_quantile_0", "intensity_quantile_0.5", "intensity_quantile_1"]
    assert [name for name in found if name not in usual] == new
    pandas.testing.assert_frame_equal(found[list(usual)], usual)


def test_lengths_of_oblong_voxels_have_no_unit(omtask: Program, tmp_path: Path) -> None:
    labels = np.pad(np.ones((6, 6), np.uint8), 2)
    path = write_measured(tmp_path / "image.zarr", "yx", labels, labels, V3_LAYOUTS[0], levels=1)
    document = path / "labels" / "cells" / "zarr.json"
    text = document.read_text()
    assert text.count("0.325") == 2
    document.write_text(text.replace("0.325", "0.5", 1))
    found = joined(omtask, path, "cells_features") if omtask.run(
        "measure", path, parameters={"label": "cells", "features": "perimeter"}) else None
    assert found is not None and [name for name in found if "micrometer" in name] == []
    assert list(found["perimeter"]) == [20.0]


@pytest.mark.parametrize(("call", "code", "says"), [
    ({"features": "perimeter"}, 64, "13 planes"), ({"features": "euler"}, 64, "`euler_number`"),
    ({"quantiles": "0.5,1.5"}, 64, "1.5"), ({"quantiles": "-0.1"}, 64, "-0.1"),
    ({"quantiles": "half"}, 64, "half"), ({"quantiles": "0.5"}, 76, "float32"),
    ({"quantiles": "0.5", "features": "distribution"}, 76, "`distribution`"),
])
def test_a_bad_call_is_explained(
    call: Mapping[str, Any], code: int, says: str, omtask: Program, tmp_path: Path,
    rng: np.random.Generator,
) -> None:
    labels = objects(SHAPES["zyx"], rng, 3).astype(np.uint16)
    path = write_measured(tmp_path / "image.zarr", "zyx", labels.astype(np.float32), labels,
                          samples.SHARDED)
    before = tree(path)
    refused = omtask.run("measure", path, parameters={"label": "cells"} | dict(call), expect=code)
    assert says in refused.stderr
    assert tree(path) == before


def test_too_many_values_are_refused(omtask: Program, tmp_path: Path) -> None:
    """What is counted for quantiles is part of `--memory`."""
    size = 1800
    labels = np.ones((size, size), np.uint8)
    labels[:, :] += (np.arange(size) % 200).astype(np.uint8)
    image = (np.arange(size * size, dtype=np.uint32) * 40503 >> 4).astype(np.uint16)
    path = write_measured(tmp_path / "image.zarr", "yx", image.reshape(size, size), labels,
                          Layout("s", "0.5", (90, 90), (4, 4), (ZSTD,)), levels=1)
    call = {"label": "cells", "features": "shape"}
    refused = omtask.run("measure", path, parameters=call | {"quantiles": "0.5"},
                         extra=["--memory", "64M"], threads=1, expect=79)
    assert "16 bytes" in refused.stderr and not (path / "tables").exists()
    omtask.run("measure", path, parameters=call, extra=["--memory", "64M"], threads=1)
