"""Programs that answer with rows, sums and counts for each region, and the tables made of them."""

import io
import json
import math
import os
import shutil
import signal
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import anndata
import numpy as np
import pandas
import pytest
from ngio import open_ome_zarr_container
from scipy import ndimage

from omtask_testing import faults, patterns, samples
from omtask_testing.images import (
    PIXEL, Image, PlateShape, downsampled, write_image, write_plate,
)
from omtask_testing.jobs import Job, until
from omtask_testing.layouts import ALL_LAYOUTS, ZSTD, Layout, describe
from omtask_testing.program import Program, mpirun
from omtask_testing.tasks import EXAMPLES, PYTHON, write_task
from omtask_testing.trees import leftovers, tree

NOTHING = {"anyOf": [{"type": "string"}, {"type": "null"}], "default": None}
CHOICES = {
    "backend": {"type": "string", "enum": ["anndata", "csv", "json"], "default": "csv"},
    "channel": dict(NOTHING), "table_name": {"type": "string", "default": "made"},
}
PASSES = [{"name": "look", "yields": "rows", "merge": "by region"}]


def column(name: str, kind: str, **more: Any) -> dict[str, Any]:
    return {"name": name, "type": kind, **more}


def output(partials: str, *columns: Mapping[str, Any], **more: Any) -> list[dict[str, Any]]:
    return [{"name": "made", "kind": "table", "partials": partials, "columns": columns, **more}]


def table_task(
    folder: Path, name: str, program: str, outputs: list[dict[str, Any]],
    parameters: Mapping[str, Any] | None = None, **block: Any,
) -> Path:
    known = {key: dict(value) for key, value in {**CHOICES, **(parameters or {})}.items()}
    return write_task(folder, name, program, known, outputs=outputs, passes=PASSES, **block)


def read_csv(text: str) -> pandas.DataFrame:
    # The default parser of pandas is a bit off in the last place.
    return pandas.read_csv(io.StringIO(text), float_precision="round_trip")


def table(omtask: Program, image: Path, name: str = "made") -> pandas.DataFrame:
    return read_csv(omtask("table", image, name, "--csv", "-").stdout)


def visible(image: Path) -> dict[str, str]:
    """All files but those that an unfinished run keeps."""
    return {key: digest for key, digest in tree(image).items() if not key.startswith(".omtask")}


# The example

# Two by two regions in a plane, and a border that no chunk ends at.
WIDE = Layout("wide", "0.5", (1, 512, 512), None, (ZSTD,))
ENGINES = [{"threads": 2}, {"ranks": 1}, {"ranks": 2}, {"ranks": 3}]


@pytest.fixture(scope="module")
def discs() -> np.ndarray:
    """Spots of several sizes, many of them across the borders of regions."""
    rng = np.random.default_rng(11)
    y, x = np.ogrid[:1100, :1150]
    data = rng.integers(0, 30, size=(2, 1100, 1150)).astype(np.uint8)
    for plane in data:
        for _ in range(300):
            a, b, r = rng.integers(0, 1100), rng.integers(0, 1150), rng.integers(1, 6)
            plane[(y - a) ** 2 + (x - b) ** 2 <= r * r] = rng.integers(120, 255)
        plane[1020:1029, 1000:1120:14] = plane[200:800:14, 1019:1031] = 200
    return data


def spots(data: np.ndarray, above: float) -> pandas.DataFrame:
    """The same of the whole image at once."""
    labels, count = ndimage.label(data > above, np.ones((3, 3, 3)))
    numbers = np.arange(1, count + 1)
    centres = np.array(ndimage.center_of_mass(data > above, labels, numbers))
    frame = pandas.DataFrame(dict(zip("zyx", centres.T)))
    for axis in "zyx":
        frame[f"{axis}_micrometer"] = frame[axis] * PIXEL[axis]
    frame["voxels"] = np.bincount(labels.ravel())[1:]
    frame["mean"] = ndimage.mean(data, labels, numbers)
    return frame.sort_values(["z", "y", "x"], ignore_index=True)


def test_the_example_gives_the_same_table_on_every_engine(
    discs: np.ndarray, omtask: Program, tmp_path: Path
) -> None:
    file = EXAMPLES / "spots" / "spots.json"
    assert "no mistakes" in (said := omtask("manifest", "check", file)).stdout + said.stderr
    original = write_image(
        tmp_path / "image.zarr", Image("zyx", downsampled("zyx", discs, 2), WIDE))
    ought = spots(discs, 100)
    assert len(ought) > 200
    reference: dict[str, str] | None = None
    for number, engine in enumerate(ENGINES):
        copy = Path(shutil.copytree(original, tmp_path / str(number) / "image.zarr"))
        outcome = omtask.run(str(file), copy, extra=PYTHON, **engine)
        made = outcome.report.images[0]["outputs"][0]
        assert (made["kind"], made["rows"]) == ("table", len(ought))
        files = tree(copy)
        reference = reference or files
        assert files == reference, engine
        assert not leftovers(copy)
    copy = Path(shutil.copytree(original, tmp_path / "parts" / "image.zarr"))
    for part in ("1/2", "0/2"):
        omtask.run(str(file), copy, extra=[*PYTHON, "--part", part])
        assert not (copy / "tables").exists()
    omtask.run(str(file), copy, extra=PYTHON)
    assert tree(copy) == reference
    text = (copy / "tables/spots/table.csv").read_text()
    pandas.testing.assert_frame_equal(read_csv(text), ought, check_exact=True)
    found = open_ome_zarr_container(str(copy)).get_table("spots")
    assert found.table_type() == "generic_table"
    assert np.array_equal(found.dataframe["voxels"], ought["voxels"])
    assert np.allclose(found.dataframe["y_micrometer"], ought["y_micrometer"])


# Kinds, types and layouts

LOOK = r"""
import numpy
from omtask_region import serve

def table(tile, region):
    rows = tile[region.inner].reshape(-1, tile[region.inner].shape[-1])
    starts = numpy.array(region.origin) + ([0] * (3 - tile.ndim) + [s.start for s in region.inner])
    n = tile[region.inner].shape[-2]
    number = numpy.arange(len(rows))
    return {"z": starts[0] + number // n, "y": starts[1] + number % n, "x": numpy.full(len(rows), starts[2]),
            "first": rows[:, 0].astype(float), "odd": (rows[:, 0].astype(int) % 2 == 1).tolist(),
            "text": [f"row, {k}" for k in number % n + starts[1]]}

def sums(tile, region):
    kept = tile[region.inner]
    return {"voxels": kept.size, "total": kept.sum(dtype=float), "negative": -(kept > 3).sum()}

def counts(tile, region):
    bins, count = numpy.unique(numpy.floor(tile[region.inner].astype(float)), return_counts=True)
    return {"bin": bins if KIND == "float64" else bins.astype(int), "count": count}

serve(DO)
"""
SHAPES = {
    "yx": (47, 61), "zyx": (13, 29, 31), "tyx": (3, 30, 25), "czyx": (2, 9, 21, 23),
    "tczyx": (2, 2, 7, 19, 23),
}
TYPES = ("uint8", "uint16", "int16", "uint32", "float32")
BACKENDS = ("csv", "anndata", "json")


@pytest.fixture(scope="module")
def looks(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    def write(name: str, do: str, outputs: list[dict[str, Any]]) -> Path:
        kind = outputs[0]["columns"][0]["type"]
        program = LOOK.replace("DO", do).replace("KIND", repr(kind))
        return table_task(tmp_path_factory.mktemp(name), name, program, outputs, halo={"y": 2, "x": 1})

    return {
        "table": write("rows", "table", output(
            "table", *(column(axis, "int64") for axis in "zyx"), column("first", "float64"),
            column("odd", "bool"), column("text", "string"), sort_by=["z", "y", "x"])),
        "sum": write("sums", "sums", output(
            "sum", column("voxels", "int64"), column("total", "float64"), column("negative", "int64"))),
        "histogram": write("counts", "counts", output("histogram", column("bin", "int64"))),
        "fractions": write("fractions", "counts", output("histogram", column("bin", "float64"))),
    }


def cases() -> list[tuple[str, str, str, Layout, str]]:
    # Shards that are far larger than the image take long to write.
    layouts = [layout for layout in ALL_LAYOUTS if layout.name != "shard-beyond"]
    return [
        (("table", "sum", "histogram", "fractions")[n % 4], list(SHAPES)[n % 5], TYPES[(n * 3 + n // 5) % 5],
         layouts[n * 11 % len(layouts)], BACKENDS[n % 3])
        for n in range(24)
    ]


def looked(kind: str, axes: str, data: np.ndarray, channel: int) -> dict[str, list[Any]]:
    """The columns by NumPy, of the whole image; of x only the voxels where a region begins."""
    if "c" in axes:
        data = np.take(data, channel, axes.index("c"))
    times = data if "t" in axes else data[None]
    made: dict[str, list[Any]] = {"time_index": []}
    for t, volume in enumerate(times):
        if kind == "sum":
            new = {"voxels": [volume.size], "total": [math.fsum(volume.ravel().tolist())],
                   "negative": [-int((volume > 3).sum())]}
        elif kind == "table":
            planes = volume if volume.ndim == 3 else volume[None]
            first = planes[:, :, 0].ravel()
            z, y = np.indices(planes.shape[:2]).reshape(2, -1)
            new = {"z": z, "y": y, "x": 0 * y, "first": first.astype(float),
                   "odd": first.astype(int) % 2 == 1, "text": [f"row, {k}" for k in y]}
        else:
            bins, count = np.unique(np.floor(volume.astype(float)), return_counts=True)
            new = {"bin": bins, "count": count}
        made["time_index"] += [t] * len(next(iter(new.values())))
        for name, values in new.items():
            made.setdefault(name, []).extend(values)
    return made if "t" in axes else {k: v for k, v in made.items() if k != "time_index"}


@pytest.mark.parametrize(("kind", "axes", "dtype", "layout", "backend"), cases(), ids=describe)
def test_tables_are_those_of_the_whole_image(
    kind: str, axes: str, dtype: str, layout: Layout, backend: str, looks: dict[str, Path],
    omtask: Program, tmp_path: Path, rng: np.random.Generator,
) -> None:
    shape = SHAPES[axes]
    spatial = sum(axis in "zyx" for axis in axes)
    data = np.empty(shape, dtype)
    for index in np.ndindex(shape[:-spatial]):
        blobs = patterns.blobs(shape[-spatial:], rng)
        data[index] = patterns.intensities(blobs, dtype, rng)
    channels = ("DAPI", "GFP") if "c" in axes else None
    path = write_image(
        tmp_path / "image.zarr", Image(axes, downsampled(axes, data, 2), layout, channels))
    parameters = {"backend": backend, **({"channel": "GFP"} if channels else {})}
    omtask.run(str(looks[kind]), path, parameters=parameters, extra=PYTHON, threads=2)
    found = table(omtask, path)
    ought = looked(kind, axes, data, 1)
    if kind == "table":
        # Regions begin at several x: those at 0 are enough.
        found = found[found["x"] == 0]
    if backend == "csv":
        assert list(found.columns) == list(ought)
    assert set(found.columns) == set(ought)
    for name, values in ought.items():
        assert found[name].tolist() == list(values), name
    frame = open_ome_zarr_container(str(path)).get_table("made").dataframe
    if kind != "table":
        for name, values in ought.items():
            assert np.array_equal(frame[name].to_numpy(dtype=float), np.array(values, float)), name
    if backend == "anndata":
        assert set(anndata.read_zarr(path / "tables/made").to_df().columns) <= set(found.columns)
    assert not leftovers(path)


NUMBERS = r"""
import sys
from omtask_region import serve
numbers = NUMBERS

def answer(tile, region):
    place = region.origin[0]
    return {name: values[place] for name, values in numbers.items()}

serve(answer)
"""
SERIES = Layout("series", "0.5", (1, 64, 64), None, (ZSTD,))


def series(path: Path, count: int = 8, axes: str = "zyx", layout: Layout = SERIES) -> Path:
    rng = np.random.default_rng(3)
    data = rng.integers(0, 255, size=(count, 40, 50)).astype(np.uint8)
    return write_image(path, Image(axes, [data], layout))


def stack(path: Path, count: int = 8) -> Path:
    """Planes that are so large that each is a region."""
    data = np.zeros((count, 1024, 1024), np.uint8)
    data[:, 0, 0] = np.arange(count)
    layout = Layout("stack", "0.5", (1, 1024, 1024), None, (ZSTD,))
    return write_image(path, Image("zyx", [data], layout))


def test_sums_are_exact_whatever_the_split(omtask: Program, tmp_path: Path) -> None:
    """Whole numbers beyond 2^53, on the way beyond 2^63; fractions that cancel each other."""
    whole = [2**63 - 1, 2**62, 7, 2**53 + 1, -(2**63), -(2**62), 1, 2]
    parts = [1e300, 1.0, -1e300, 1e-30, 0.1, 2**60, -(2.0**60), 3e-17]
    task = table_task(
        tmp_path / "task", "Exact", NUMBERS.replace("NUMBERS", repr({"a": whole, "b": parts})),
        output("sum", column("a", "int64"), column("b", "float64")), region="whole-plane")
    for number, engine in enumerate(({"threads": 2}, {"ranks": 3})):
        image = stack(tmp_path / f"{number}.zarr")
        omtask.run(str(task), image, extra=PYTHON, **engine)
        found = (image / "tables/made/table.csv").read_text()
        assert found == f"a,b\n{sum(whole)},{math.fsum(parts)!r}\n"
    too_large = NUMBERS.replace("NUMBERS", repr({"a": [2**63 - 1] * 8, "b": [0] * 8}))
    (task.parent / "program.py").write_text(too_large)
    image = stack(tmp_path / "large.zarr")
    said = omtask.run(str(task), image, extra=PYTHON, expect=79).stderr
    assert f"the sum of `a` is {8 * (2**63 - 1)}, which int64 does not hold" in said
    assert not (image / "tables").exists()


def test_bins_are_merged_by_what_they_are(omtask: Program, tmp_path: Path) -> None:
    # Two texts that look the same are two bins.
    one, two = "\u00e9", "e\u0301"
    names = [["b", one, "b"], [two, "a"], [], ["", "B, \"x\""]] * 2
    numbers = {"bin": names, "count": [list(range(1, len(k) + 1)) for k in names]}
    task = table_task(
        tmp_path / "task", "Texts", NUMBERS.replace("NUMBERS", repr(numbers)),
        output("histogram", column("bin", "string")), region="whole-plane")
    image = stack(tmp_path / "image.zarr")
    omtask.run(str(task), image, extra=PYTHON, ranks=2)
    found = (image / "tables/made/table.csv").read_text()
    assert found == f'bin,count\n,2\n"B, ""x""",4\na,4\nb,8\n{two},2\n{one},4\n'


def test_a_shell_script_makes_a_sum(omtask: Program, tmp_path: Path) -> None:
    script = r"""#!/bin/sh
while read -r line; do
  case $line in
    '{"omtask":1,'*) echo '{"omtask":1}' ;;
    '{"region":'*)
      number=${line#*:}; number=${number%%,*}
      bright=$(LC_ALL=C tr -d '\000-\177' </dev/fd/3 | wc -c)
      echo "{\"region\":$number,\"partial\":{\"voxels\":$(wc -c </dev/fd/3),\"bright\":$bright}}" ;;
  esac
done
"""
    task = table_task(
        tmp_path / "task", "Shell", "", output("sum", column("voxels", "int64"), column("bright", "int64")),
        command=["./count.sh"])
    (task.parent / "count.sh").write_text(script)
    (task.parent / "count.sh").chmod(0o755)
    image = series(tmp_path / "image.zarr", axes="tyx")
    omtask.run(str(task), image, threads=3)
    data = np.random.default_rng(3).integers(0, 255, size=(8, 40, 50)).astype(np.uint8)
    ought = "".join(f"{t},2000,{(plane > 127).sum()}\n" for t, plane in enumerate(data))
    assert (image / "tables/made/table.csv").read_text() == "time_index,voxels,bright\n" + ought


# Order, labels and places

PLANES = r"""
import os, time
from omtask_region import serve

def rows(tile, region):
    trouble = region.parameters["trouble"]
    with open(__file__ + ".log", "a") as log:
        print("pid", os.getpid(), file=log)
        print("region", region.origin, file=log)
    if trouble == "wait":
        time.sleep(0.2)
    z = region.origin[0]
    return {"label": [z + 1, 100 + z], "mean": [tile.mean(), None], "z": [z, z]}

serve(rows)
"""
ROWS = (column("label", "int64"), column("mean", "float64", nullable=True), column("z", "int64"))
TROUBLE = {"trouble": NOTHING}


@pytest.fixture
def planes(tmp_path: Path) -> Path:
    task = table_task(
        tmp_path / "task", "Planes", PLANES, output("table", *ROWS), TROUBLE, region="whole-plane")
    document = json.loads(task.read_text())
    document["omtask"]["run_only"].append("trouble")
    task.write_text(json.dumps(document))
    return task


def test_rows_come_in_the_order_of_regions_or_as_they_are_sorted(
    planes: Path, omtask: Program, tmp_path: Path
) -> None:
    image = stack(tmp_path / "image.zarr", 12)
    omtask.run(str(planes), image, extra=PYTHON, ranks=3)
    found = table(omtask, image)
    assert found["z"].tolist() == [z for z in range(12) for _ in "ab"]
    assert found["mean"].isna().tolist() == [False, True] * 12
    document = json.loads(planes.read_text())
    document["omtask"]["outputs"][0]["sort_by"] = ["mean", "label"]
    planes.write_text(json.dumps(document))
    omtask.run(str(planes), image, parameters={"table_name": "sorted"}, extra=PYTHON, ranks=2)
    found = found.sort_values(["mean", "label"], ignore_index=True)
    pandas.testing.assert_frame_equal(table(omtask, image, "sorted"), found)


@pytest.mark.parametrize("backend", BACKENDS)
def test_rows_about_objects_are_a_feature_table(
    backend: str, planes: Path, omtask: Program, tmp_path: Path
) -> None:
    document = json.loads(planes.read_text())
    document["omtask"]["outputs"] = output("table", *ROWS[1:], ROWS[0], label="cells")
    planes.write_text(json.dumps(document))
    image = series(tmp_path / "image.zarr", 5, "tyx")
    said = omtask.run(str(planes), image, extra=PYTHON, expect=66).stderr
    assert "there is no label image `cells`" in said and not (image / "tables").exists()
    omtask.run("threshold", image, parameters={"threshold": 100, "label_name": "cells"})
    omtask.run(str(planes), image, parameters={"backend": backend}, extra=PYTHON)
    found = open_ome_zarr_container(str(image)).get_table("made")
    assert (found.table_type(), found.reference_label) == ("feature_table", "cells")
    assert found.dataframe.index.name == "label" and set(found.dataframe.columns) == {"mean", "z", "time_index"}
    assert table(omtask, image).columns.tolist() == ["label", "time_index", "mean", "z"]
    assert table(omtask, image)["time_index"].tolist() == [t for t in range(5) for _ in "ab"]


def test_selected_voxels_another_place_and_the_same_again(
    looks: dict[str, Path], omtask: Program, tmp_path: Path
) -> None:
    image = series(tmp_path / "image.zarr")
    data = np.random.default_rng(3).integers(0, 255, size=(8, 40, 50)).astype(np.uint8)
    task = str(looks["sum"])
    omtask.run(task, image, extra=[*PYTHON, "--select", "z=2:5,x=7:30", "--output", tmp_path / "out.zarr"])
    part = data[2:5, :, 7:30]
    ought = f"voxels,total,negative\n{part.size},{float(part.sum())},{-(part > 3).sum()}\n"
    assert (tmp_path / "out.zarr/table.csv").read_text() == ought
    assert not (image / "tables").exists()
    omtask.run(task, image, extra=PYTHON)
    before = tree(image)
    again = omtask.run(task, image, extra=PYTHON)
    assert again.report.images[0]["status"] == "skipped" and tree(image) == before
    assert again.report.images[0]["outputs"][0]["rows"] == 1
    omtask.run(task, image, extra=[*PYTHON, "--select", "z=1:2"], expect=73)
    assert tree(image) == before
    omtask.run(task, image, extra=[*PYTHON, "--select", "z=1:2"], parameters={"overwrite": True})
    assert table(omtask, image)["voxels"].tolist() == [2000]


def test_the_tables_of_a_plate_are_joined(
    looks: dict[str, Path], omtask: Program, tmp_path: Path
) -> None:
    rng = np.random.default_rng(5)
    wells = PlateShape(2, 1, 1)
    data = {name: rng.integers(0, 9, size=(20, 30)).astype(np.uint8) for name in wells.images}
    plate = write_plate(
        tmp_path / "plate.zarr", wells,
        {name: Image("yx", [voxels], samples.SHARDED) for name, voxels in data.items()})
    omtask.run(str(looks["histogram"]), plate, extra=PYTHON, ranks=2)
    found = read_csv(omtask("table", plate, "made", "--csv", "-").stdout)
    for name, voxels in data.items():
        row = found[found["row"] == name.split("/")[0]]
        assert np.array_equal(row["count"], np.bincount(voxels.ravel()))


def test_what_is_said_of_such_a_task(
    looks: dict[str, Path], omtask: Program, tmp_path: Path
) -> None:
    image = series(tmp_path / "image.zarr")
    plan = json.loads(omtask("plan", looks["table"], image, "--json", *PYTHON).stdout)["images"][0]
    assert plan["outputs"] == [{"name": "made", "uri": f"{image}/tables/made", "kind": "table"}]
    assert [entry["name"] for entry in plan["passes"]] == ["partials"]
    result = tmp_path / "out.json"
    omtask.run(str(looks["table"]), image, extra=[*PYTHON, "--out-json", result])
    assert json.loads(result.read_text()) is None or "image_list_updates" in json.loads(result.read_text())
    where = {"OMTASK_TASKS": str(looks["table"].parent)}
    assert "rows" in omtask("tasks", "show", "rows", env=where).stdout
    omtask("preview", looks["table"], image, *PYTHON, "--png", tmp_path / "p.png", expect=64)
    omtask("verify", image)


def test_a_table_without_a_declared_column_is_told(
    looks: dict[str, Path], omtask: Program, tmp_path: Path
) -> None:
    image = series(tmp_path / "image.zarr")
    omtask.run(str(looks["sum"]), image, extra=PYTHON)
    file = image / "tables/made/zarr.json"
    file.write_text(file.read_text().replace('"total"', '"sum"'))
    said = omtask.run(str(looks["sum"]), image, extra=PYTHON, expect=70)
    assert "the table `made` has no column total, sums declares it" in said.stderr


# Mistakes

ROGUE = r"""
import json, sys

trouble, done = "", 0
for text in sys.stdin:
    line = json.loads(text)
    if "omtask" in line:
        trouble = line["parameters"]["trouble"] or ""
        print('{"omtask":1}', flush=True)
    if "region" not in line:
        continue
    with open(__file__ + ".log", "a") as log:
        print("region", line["input"]["origin"], file=log)
    partial = {"label": [1, 2], "mean": [0.5, None], "z": [3, 4]}
    number = line["region"]
    done += 1
    if done > 2 and trouble:
        partial = eval(trouble, {"p": partial})
    say = {"region": number} if partial is None else {"region": number, "partial": partial}
    print(json.dumps(say), flush=True)
"""
WRONG = [
    ("None", "answered no `partial`, expected an object of the columns label, mean, z"),
    ("[1]", "answered `partial` [1], expected an object"),
    ("{**p, 'area': [1, 2]}", "answered a column `area`, declared are label, mean, z"),
    ("{'label': [1], 'z': [2]}", "answered no column `mean`, which is declared"),
    ("{**p, 'z': [1]}", "answered 1 values of `z` and 2 of `label`, a row has one of each"),
    ("{**p, 'z': 5}", "answered 5 as column `z`, expected a list of values"),
    ("{**p, 'z': [1, 2.5]}", "answered 2.5 in row 1 of column `z`, which is of type int64"),
    ("{**p, 'z': [1, '2']}", 'answered "2" in row 1 of column `z`'),
    ("{**p, 'z': [2**63, 1]}", "in row 0 of column `z`, which is of type int64: expected whole numbers"),
    ("{**p, 'z': [None, 1]}", "answered null in row 0 of column `z`"),
    ("{**p, 'mean': [float('inf'), 1]}", "answered Infinity in row 0 of column `mean`"),
    ("{**p, 'mean': ['x' * 9000000, 1]}", "answered with a line of more than 8 MiB"),
]


@pytest.mark.parametrize(("trouble", "says"), WRONG, ids=[says[9:40] for _, says in WRONG])
def test_a_wrong_answer_is_one_clear_error_and_the_rest_is_kept(
    trouble: str, says: str, planes: Path, omtask: Program, tmp_path: Path
) -> None:
    (planes.parent / "program.py").write_text(ROGUE)
    image = stack(tmp_path / "image.zarr", 6)
    before = visible(image)
    said = omtask.run(
        str(planes), image, parameters={"trouble": trouble}, extra=PYTHON, expect=1).stderr
    assert says in said and "`planes`" in said, said
    assert "in the region at z, y, x = 2, 0, 0 of 1 x 1024 x 1024 voxels" in said, said
    assert said.count("error[") == 1 and visible(image) == before
    log = planes.parent / "program.py.log"
    log.unlink()
    omtask.run(str(planes), image, extra=PYTHON)
    assert len(log.read_text().splitlines()) == 4
    assert table(omtask, image)["label"].tolist() == [1, 2] * 6
    assert not leftovers(image)


@pytest.mark.parametrize(("partials", "columns", "answer", "says"), [
    ("sum", [column("a", "float64")], {"a": math.nan}, "answered NaN of column `a`"),
    ("sum", [column("a", "int64")], {"a": [1]}, "answered [1] of column `a`"),
    ("histogram", [column("a", "int64")], {"a": [1], "count": [-1]}, "the count -1, which is less than 0"),
    ("histogram", [column("a", "int64")], {"a": [1]}, "answered no column `count`"),
    ("histogram", [column("a", "int64")], {"a": [1], "count": [2**62]}, "the bin 1 counts more than 2^63 - 1"),
])
def test_sums_and_counts_are_checked(
    partials: str, columns: list[Any], answer: dict[str, Any], says: str, omtask: Program, tmp_path: Path
) -> None:
    program = f"from math import nan\nfrom omtask_region import serve\nserve(lambda *_: {answer!r})\n"
    task = table_task(tmp_path / "task", "Wrong", program, output(partials, *columns))
    said = omtask.run(str(task), stack(tmp_path / "image.zarr"), extra=PYTHON, expect=None)
    assert said.code == (79 if "2^63" in says else 1) and says in said.stderr, said


@pytest.mark.parametrize("ranks", [2, 3, 4])
def test_counts_that_are_too_large_only_together_end_the_job(
    ranks: int, omtask: Program, tmp_path: Path
) -> None:
    """The rank that merges them must not leave the others waiting."""
    program = (f"from omtask_region import serve\n"
               f"serve(lambda *_: {{'a': [1], 'count': [{2**62}]}})\n")
    task = table_task(
        tmp_path / "task", "Much", program, output("histogram", column("a", "int64")),
        region="whole-plane")
    image = stack(tmp_path / "image.zarr", ranks)
    before = visible(image)
    said = omtask.run(str(task), image, extra=PYTHON, ranks=ranks, expect=79, timeout=60)
    assert "the bin 1 counts more than 2^63 - 1" in said.stderr and visible(image) == before


def test_rows_that_do_not_fit_end_the_run_before_anything_is_visible(
    omtask: Program, tmp_path: Path
) -> None:
    program = ("from omtask_region import serve\n"
               "serve(lambda tile, region: {'a': ['x' * 250] * 20000})\n")
    task = table_task(tmp_path / "task", "Many", program, output("table", column("a", "string")))
    image = stack(tmp_path / "image.zarr", 12)
    before = visible(image)
    for engine in ({"threads": 1}, {"ranks": 2}):
        said = omtask.run(
            str(task), image, extra=[*PYTHON, "--memory", "256M"], expect=79, **engine).stderr
        assert "rows of the table `made` take more than" in said and "--memory" in said
        assert visible(image) == before
    omtask.run(str(task), image, extra=[*PYTHON, "--memory", "1G"])
    assert len((image / "tables/made/table.csv").read_bytes().splitlines()) == 12 * 20000 + 1


# Kills


@pytest.mark.parametrize("way", ["child", "omtask", "rank"])
def test_killed_at_work_it_goes_on(way: str, planes: Path, omtask: Program, tmp_path: Path) -> None:
    image = stack(tmp_path / "image.zarr", 12)
    right = Path(shutil.copytree(image, tmp_path / "right.zarr"))
    omtask.run(str(planes), right, extra=PYTHON)
    log = planes.parent / "program.py.log"
    log.unlink()

    def noted(what: str) -> list[str]:
        lines = log.read_text().splitlines() if log.exists() else []
        return [line.removeprefix(f"{what} ") for line in lines if line.startswith(what)]

    launcher = mpirun(2) if way == "rank" else []
    job = Job(
        [*launcher, omtask.path, "run", planes, image, "--trouble", "wait", "--threads", "1", *PYTHON],
        tmp_path, {})
    try:
        until(lambda: len(noted("region")) >= 4, 30, "regions")
        victim = int(noted("pid")[0]) if way == "child" else job.ranks()[-1]
        os.kill(victim, signal.SIGKILL)
        code, _ = job.end(15)
    finally:
        job.clean_up()
    assert code == {"child": 1, "omtask": -9, "rank": 137}[way], job.text()
    assert not (image / "tables").exists()
    log.unlink()
    omtask.run(
        str(planes), image, extra=PYTHON, ranks=3 if way == "rank" else None, threads=2)
    assert 1 <= len(noted("region")) <= 10
    assert tree(image / "tables") == tree(right / "tables")
    assert not leftovers(image)


def test_every_write_may_be_the_last(
    looks: dict[str, Path], omtask: Program, tmp_path: Path
) -> None:
    original = series(tmp_path / "original.zarr", 8, "tyx")
    right = Path(shutil.copytree(original, tmp_path / "right.zarr"))
    task = str(looks["histogram"])
    omtask.run(task, right, extra=PYTHON)
    for nth in (2, 7, 12):
        copy = Path(shutil.copytree(original, tmp_path / f"{nth}.zarr"))
        killed = omtask(
            "run", task, copy, *PYTHON, "--threads", "1", expect=None,
            env=faults.injected(copy, "write,rename", "kill", nth=nth))
        assert killed.code in (0, -9), killed
        omtask.run(task, copy, extra=PYTHON, ranks=nth % 2 + 1)
        assert tree(copy / "tables") == tree(right / "tables"), nth
        assert not leftovers(copy)


# Manifests


@pytest.mark.parametrize(("change", "says"), [
    ({"partials": "tabel"}, "did you mean \"table\"?"),
    ({"dtypes": ["uint8"]}, "`dtypes` stands beside `partials`"),
    ({"kind": "label"}, "`kind` is \"label\", with `partials`"),
    ({"columns": []}, "`columns` is []"),
    ({"columns": [column("a", "int32")]}, "known for table are int64, float64, string, bool"),
    ({"columns": [column("a", "int64")] * 2}, "the column `a` is there already"),
    ({"columns": [column("time_index", "int64")]}, "is omtask's own"),
    ({"columns": [column("a/b", "int64")]}, "has a name that AnnData cannot store"),
    ({"columns": [column("a", "int64", nullable=True)]}, "`nullable` is for columns of type float64"),
    ({"columns": [column("a", "int64", unit="m")]}, "`unit` is not known here"),
    ({"sort_by": ["meen"]}, "did you mean `mean`?"),
    ({"partials": "sum", "sort_by": ["z"]}, "`sort_by` is for the rows of a table"),
    ({"partials": "histogram"}, "a histogram has 3 columns"),
    ({"label": "cells", "columns": [column("a", "int64")]}, "there is no column `label`"),
    ({"partials": None, "columns": None}, "`outputs` must have one label, one image or one table"),
])
def test_mistakes_in_a_manifest_are_explained(
    change: dict[str, Any], says: str, planes: Path, omtask: Program, tmp_path: Path
) -> None:
    document = json.loads(planes.read_text())
    made = document["omtask"]["outputs"][0]
    made.update(change)
    document["omtask"]["outputs"] = [{k: v for k, v in made.items() if v is not None}]
    planes.write_text(json.dumps(document, indent=2))
    said = omtask("manifest", "check", planes, expect=78)
    assert says in said.stdout + said.stderr, said
    omtask("plan", planes, series(tmp_path / "image.zarr", 1), *PYTHON, expect=78)


def test_tiles_and_partials_do_not_go_together(planes: Path, omtask: Program) -> None:
    document = json.loads(planes.read_text())
    document["omtask"]["outputs"].append({"name": "b", "kind": "image", "dtypes": ["uint8"]})
    planes.write_text(json.dumps(document, indent=2))
    said = omtask("manifest", "check", planes, expect=78)
    assert "make a task of each" in said.stdout + said.stderr


def test_the_joined_table_is_tried_in_random_pieces(omtask: Program, tmp_path: Path) -> None:
    image = write_image(tmp_path / "image.zarr", Image("zyx", [
        np.random.default_rng(1).integers(0, 99, size=(5, 40, 50)).astype(np.uint8)], samples.SHARDED))
    program = """
import numpy
from omtask_region import serve

def rows(tile, region):
    found = numpy.argwhere(tile[region.inner] > 90)
    places = numpy.array([region.place(f + [s.start for s in region.inner]) for f in found])
    return dict(zip(region.axes, places.reshape(-1, tile.ndim).T))

serve(rows)
"""
    columns = [column(axis, "int64") for axis in "zyx"]
    words = ["--input", image, "--rounds", "8", *PYTHON]
    needs = {"axes": {"required": ["z", "y", "x"], "optional": ["t", "c"]}}
    task = table_task(
        tmp_path / "a", "Bright", program, output("table", *columns, sort_by=["z", "y", "x"]), **needs)
    omtask("manifest", "test", task, *words)
    task = table_task(tmp_path / "b", "Bright", program, output("table", *columns), **needs)
    said = omtask("manifest", "test", task, *words, expect=1)
    assert "table made differs first in row" in said.stdout + said.stderr, said
    counts = program.replace("return dict", "return {'n': len(found)}\n    dict")
    task = table_task(tmp_path / "c", "Bright", counts, output("sum", column("n", "int64")), **needs)
    omtask("manifest", "test", task, *words)

