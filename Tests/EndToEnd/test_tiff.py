"""TIFF files become OME-Zarr: every voxel as tifffile reads it, every mistake named."""

import json
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile
import zarr
from PIL import Image as Picture

from omtask_testing import faults
from omtask_testing.program import Program
from omtask_testing.reading import ome, read_multiscale
from omtask_testing.trees import leftovers, tree

TYPES = (
    "uint8", "int8", "uint16", "int16", "uint32", "int32", "uint64", "int64", "float16", "float32",
    "float64",
)
FORMS: list[dict[str, Any]] = [
    {}, {"compression": "zlib", "rowsperstrip": 16}, {"tile": (32, 48)},
    {"tile": (16, 16), "compression": "lzw"}, {"byteorder": ">", "bigtiff": True},
    {"byteorder": ">", "rowsperstrip": 7, "compression": "zstd"},
    {"rowsperstrip": 9, "compression": "packbits"},
    {"compression": "zlib", "predictor": True, "tile": (64, 16)},
    {"bigtiff": True, "rowsperstrip": 5}, {"byteorder": ">", "tile": (32, 32)},
]


def voxels(shape: tuple[int, ...], dtype: str = "uint16") -> np.ndarray:
    rng = np.random.default_rng(len(shape))
    if np.dtype(dtype).kind == "f":
        return rng.normal(size=shape).astype(dtype)
    limits = np.iinfo(dtype)
    return rng.integers(limits.min, limits.max, size=shape, dtype=dtype, endpoint=True)


def write(path: Path, data: np.ndarray, **how: Any) -> Path:
    how.setdefault("photometric", "minisblack")
    how.setdefault("metadata", None)
    tifffile.imwrite(path, data, **how)
    return path


@pytest.fixture
def converted(omtask: Program, tmp_path: Path) -> Callable[..., np.ndarray]:
    """The voxels of a copy, as zarr-python reads them."""
    count = iter(range(1000))

    def convert(path: Path | str, *extra: str | Path, **how: Any) -> np.ndarray:
        made = tmp_path / f"made{next(count)}.zarr"
        omtask.run("convert", path, extra=["--output", made, *extra], **how)
        assert not leftovers(made.parent)
        return zarr.open_array(made / "0", mode="r")[:]

    return convert


@pytest.mark.parametrize("form", FORMS, ids=str)
@pytest.mark.parametrize("dtype", ["uint8", "uint16", "int16", "uint32", "float32"])
def test_voxels_of_every_type_and_form(
    dtype: str, form: dict[str, Any], converted: Callable[..., np.ndarray], tmp_path: Path
) -> None:
    data = voxels((3, 61, 73), dtype)
    made = converted(write(tmp_path / "a.tif", data, **form))
    assert made.dtype == data.dtype and np.array_equal(made, data)


@pytest.mark.parametrize("dtype", [t for t in TYPES if t not in ("uint8", "uint16", "int16", "uint32")])
def test_rarer_types(
    dtype: str, converted: Callable[..., np.ndarray], tmp_path: Path
) -> None:
    data = voxels((2, 33, 29), dtype)
    for form in ({}, {"byteorder": ">"}, {"compression": "zlib", "byteorder": ">", "tile": (16, 16)}):
        made = converted(write(tmp_path / "a.tif", data, **form))
        assert made.dtype == data.dtype and np.array_equal(made, data, equal_nan=dtype.startswith("f"))


@pytest.mark.parametrize("form", [
    {}, {"tile": (16, 32)}, {"compression": "zlib", "rowsperstrip": 8}, {"byteorder": ">"},
    {"planarconfig": "separate"}, {"planarconfig": "separate", "tile": (16, 16)},
], ids=str)
@pytest.mark.parametrize("dtype", ["uint8", "uint16"])
def test_colours_become_channels(
    dtype: str, form: dict[str, Any], converted: Callable[..., np.ndarray], tmp_path: Path
) -> None:
    data = voxels((3, 2, 50, 41), dtype)
    apart = form.get("planarconfig") == "separate"
    path = write(
        tmp_path / "a.tif", data.transpose(1, 0, 2, 3) if apart else data.transpose(1, 2, 3, 0),
        photometric="rgb", **form)
    assert np.array_equal(converted(path), data)
    channels = ome(tmp_path / "made0.zarr")["omero"]["channels"]
    assert [c["label"] for c in channels] == ["red", "green", "blue"]
    assert [c["color"] for c in channels] == ["FF0000", "00FF00", "0000FF"]


def test_jpeg_bits_and_palettes(converted: Callable[..., np.ndarray], omtask: Program, tmp_path: Path) -> None:
    data = np.arange(48 * 64 * 3, dtype="uint8").reshape(48, 64, 3)
    Picture.fromarray(data).save(tmp_path / "j.tif", compression="jpeg")
    assert np.array_equal(
        converted(tmp_path / "j.tif"), tifffile.imread(tmp_path / "j.tif").transpose(2, 0, 1))
    bits = voxels((37, 45), "uint8") > 100
    assert np.array_equal(converted(write(tmp_path / "b.tif", bits)), bits)
    Picture.fromarray(data[..., 0]).convert("P").save(tmp_path / "p.tif")
    outcome = omtask.run("convert", tmp_path / "p.tif", extra=["--output", tmp_path / "p.zarr"])
    assert "colour table" in outcome.stderr
    assert np.array_equal(zarr.open_array(tmp_path / "p.zarr/0")[:], tifffile.imread(tmp_path / "p.tif"))


OME = {
    "PhysicalSizeX": 0.2, "PhysicalSizeXUnit": "µm", "PhysicalSizeY": 0.25, "PhysicalSizeYUnit": "µm",
    "PhysicalSizeZ": 500, "PhysicalSizeZUnit": "nm", "TimeIncrement": 2, "TimeIncrementUnit": "min",
    "Channel": {"Name": ["DAPI", "G & <F>P"], "Color": [0x0000FFFF, -16776961]},
}


@pytest.mark.parametrize("axes", ["TCZYX", "TZCYX", "ZTCYX", "CTZYX"])
def test_axes_sizes_and_channels_of_ome_tiff(
    axes: str, converted: Callable[..., np.ndarray], tmp_path: Path
) -> None:
    data = voxels((3, 2, 4, 33, 47))
    order = ["TCZYX".index(axis) for axis in axes]
    path = tmp_path / "a.ome.tif"
    tifffile.imwrite(
        path, data.transpose(order), photometric="minisblack", metadata={"axes": axes, **OME})
    assert np.array_equal(converted(path), data)
    found = read_multiscale(tmp_path / "made0.zarr")
    assert found.scales == [[2, 1, 0.5, 0.25, 0.2]]
    entry = ome(tmp_path / "made0.zarr")
    assert [a.get("unit") for a in entry["multiscales"][0]["axes"]] == [
        "minute", None, "micrometer", "micrometer", "micrometer"]
    assert [(c["label"], c["color"]) for c in entry["omero"]["channels"]] == [
        ("DAPI", "0000FF"), ("G & <F>P", "FF0000")]


def test_images_of_one_file_are_apart(
    converted: Callable[..., np.ndarray], omtask: Program, tmp_path: Path
) -> None:
    data = voxels((2, 3, 20, 31))
    path = tmp_path / "two.ome.tif"
    with tifffile.TiffWriter(path) as writer:
        writer.write(data[0], photometric="minisblack", metadata={"axes": "ZYX", "Name": "one"})
        writer.write(data[1, 0], photometric="minisblack", metadata={"axes": "YX", "Name": "two"})
    assert np.array_equal(converted(f"{path}/0"), data[0])
    assert np.array_equal(converted(f"{path}/1"), data[1, 0])
    assert f"{path}/1" in omtask("info", path).stdout
    omtask.run("convert", path, extra=["--output", tmp_path / "x.zarr"], expect=64)
    assert "no image of this number" in omtask("info", f"{path}/2", expect=66).stderr


def xml(blocks: str, sizes: str = 'SizeX="31" SizeY="20" SizeZ="3" SizeC="1" SizeT="2"') -> str:
    return (
        '<?xml version="1.0" encoding="UTF-8"?><!-- a > comment --><OME '
        'xmlns="http://www.openmicroscopy.org/Schemas/OME/2016-06" UUID="urn:uuid:1"><Image ID="Image:0">'
        f'<Pixels ID="Pixels:0" DimensionOrder="XYZTC" Type="uint16" {sizes}>'
        f'<Channel ID="Channel:0:0" SamplesPerPixel="1"/>{blocks}</Pixels></Image></OME>')


def block(file: str, page: int, count: int, identity: str = "urn:uuid:9", **first: int) -> str:
    words = "".join(f' First{axis}="{number}"' for axis, number in first.items())
    return (
        f'<TiffData IFD="{page}" PlaneCount="{count}"{words}>'
        f'<UUID FileName="{file}">{identity}</UUID></TiffData>')


def test_an_image_in_several_files(converted: Callable[..., np.ndarray], tmp_path: Path) -> None:
    data = voxels((2, 3, 20, 31))
    text = xml(block("t1.tif", 0, 3, T=0) + block("t2.tif", 1, 3, T=1))
    write(tmp_path / "t1.tif", data[0], description=text)
    write(tmp_path / "t2.tif", np.concatenate([data[0, :1], data[1]]), description=text)
    assert np.array_equal(converted(tmp_path / "t1.tif"), data)
    # renamed, but it says who it is
    text = xml(block("old name.tif", 0, 6, "urn:uuid:1"))
    assert np.array_equal(converted(write(tmp_path / "a.tif", data, description=text)), data)
    # the metadata lie in a file of their own
    (tmp_path / "set.companion.ome").write_text(xml(block("a.tif", 0, 3, T=0) + block("b.tif", 0, 3, T=1)))
    elsewhere = '<OME><BinaryOnly MetadataFile="set.companion.ome" UUID="urn:uuid:7"/></OME>'
    write(tmp_path / "a.tif", data[0], description=elsewhere)
    write(tmp_path / "b.tif", data[1], description=elsewhere)
    assert np.array_equal(converted(tmp_path / "b.tif"), data)


def test_hyperstacks_of_imagej(converted: Callable[..., np.ndarray], tmp_path: Path) -> None:
    data = voxels((3, 2, 4, 33, 47))
    path = tmp_path / "a.tif"
    tifffile.imwrite(
        path, data.transpose(0, 2, 1, 3, 4), imagej=True, resolution=(5, 4),
        metadata={"axes": "TZCYX", "spacing": 0.7, "unit": "um", "finterval": 1.5})
    assert np.array_equal(converted(path), data)
    assert read_multiscale(tmp_path / "made0.zarr").scales == [[1.5, 1, 0.7, 0.25, 0.2]]
    # as ImageJ stores what has more than 4 GiB: one page, and all planes behind its own
    text = b"ImageJ=1.54f\nimages=24\nchannels=2\nslices=4\nframes=3\nhyperstack=true\n\0"
    head = struct.pack(">2sHI", b"MM", 42, 8)
    tags = [
        (256, 4, 1, 47), (257, 4, 1, 33), (258, 3, 1, 16 << 16), (259, 3, 1, 1 << 16),
        (262, 3, 1, 1 << 16), (270, 2, len(text), 400), (273, 4, 1, 600), (277, 3, 1, 1 << 16),
        (278, 3, 1, 33 << 16), (279, 4, 1, 47 * 33 * 2),
    ]
    page = struct.pack(">H", len(tags)) + b"".join(struct.pack(">HHII", *t) for t in tags) + bytes(4)
    big = tmp_path / "big.tif"
    planes = data.transpose(0, 2, 1, 3, 4).astype(">u2").tobytes()
    big.write_bytes((head + page).ljust(400, b"\0") + text.ljust(200, b"\0") + planes)
    assert np.array_equal(converted(big), data)


def test_axes_that_tifffile_wrote(converted: Callable[..., np.ndarray], tmp_path: Path) -> None:
    data = voxels((3, 2, 5, 33, 47))
    path = write(tmp_path / "a.tif", data, metadata={"axes": "TCZYX"})
    assert np.array_equal(converted(path), data)
    path = write(tmp_path / "b.tif", data, metadata={"axes": "TCZYX"}, truncate=True)
    assert np.array_equal(converted(path), data)
    colours = voxels((5, 3, 33, 47), "uint8")
    path = write(tmp_path / "c.tif", colours, metadata={}, photometric="rgb", planarconfig="separate",
                 truncate=True)
    assert np.array_equal(converted(path), colours.transpose(1, 0, 2, 3))


# Files by a pattern


def pattern_files(folder: Path, data: np.ndarray, name: str = "img_t{:03}_c{}.tif", first: int = 9) -> None:
    folder.mkdir()
    for t in range(data.shape[0]):
        for c in range(data.shape[1]):
            write(folder / name.format(t + first, c + 1), data[t, c])


def test_a_file_for_each_time_and_channel(converted: Callable[..., np.ndarray], tmp_path: Path) -> None:
    data = voxels((3, 2, 4, 33, 47))
    pattern_files(tmp_path / "f", data)
    assert np.array_equal(converted(tmp_path / "f" / "img_t{t}_c{c}.tif"), data)
    pattern_files(tmp_path / "g", data, "t{}_{}.tif")  # t10 comes behind t9
    assert np.array_equal(converted(tmp_path / "g" / "t{t}_{c}.tif"), data)
    assert np.array_equal(converted(tmp_path / "g" / "t{t}_1.tif"), data[:, 0])


def test_an_export_does_not_replace_a_file_of_its_input(omtask: Program, tmp_path: Path) -> None:
    pattern_files(tmp_path / "f", voxels((2, 2, 20, 30)))
    before = tree(tmp_path)
    refused = omtask("export", tmp_path / "f/img_t{t}_c{c}.tif", tmp_path / "f/img_t009_c1.tif",
                     "--overwrite", expect=None)
    assert refused.code in (64, 77) and "one of the files of the input" in refused.stderr
    assert tree(tmp_path) == before


def test_names_of_channels_and_folders(converted: Callable[..., np.ndarray], tmp_path: Path) -> None:
    data = voxels((2, 3, 21, 19))
    for c, name in enumerate(["DAPI", "GFP"]):
        (tmp_path / name).mkdir()
        for z in range(3):
            write(tmp_path / name / f"a.z{z * 5}.tif", data[c, z])
    assert np.array_equal(converted(tmp_path / "{c}" / "a.z{z}.tif"), data)
    labels = [c["label"] for c in ome(tmp_path / "made0.zarr")["omero"]["channels"]]
    assert labels == ["DAPI", "GFP"]


def test_a_file_that_is_missing(omtask: Program, tmp_path: Path) -> None:
    data = voxels((3, 2, 4, 33, 47))
    pattern_files(tmp_path / "f", data)
    (tmp_path / "f/img_t010_c2.tif").unlink()
    call = [tmp_path / "f" / "img_t{t}_c{c}.tif"]
    where = ["--output", tmp_path / "a.zarr"]
    refused = omtask.run("convert", *call, extra=where, expect=66)
    assert "`img_t010_c2.tif` is not there" in refused.stderr and "--on-damage fill" in refused.stderr
    assert not (tmp_path / "a.zarr").exists() and not leftovers(tmp_path)
    omtask.run("convert", *call, extra=[*where, "--on-damage", "fill"], ranks=2)
    data[1, 1] = 0
    assert np.array_equal(zarr.open_array(tmp_path / "a.zarr/0")[:], data)


@pytest.mark.parametrize(("pattern", "code", "says"), [
    ("im_t{t}.tif", 66, "no file fits"), ("img_t{t}_c{q}.tif", 64, "{q}"),
    ("img_t{t}{c}.tif", 64, "nothing stands between"), ("img_t{t}_c{t}.tif", 64, "twice"),
    ("img_{c}.tif", 65, "3 pages"), ("img_t{t}_c1.ti{c}", 65, "uneven"),
])
def test_bad_patterns(
    pattern: str, code: int, says: str, omtask: Program, tmp_path: Path
) -> None:
    folder = tmp_path / "f"
    folder.mkdir()
    for t in (1, 3, 6):
        write(folder / f"img_t{t}_c1.tif", voxels((2, 9, 9)))
    if says == "3 pages":
        write(folder / "img_t9.tif", voxels((3, 9, 9)))
    refused = omtask.run("convert", folder / pattern, extra=["--output", tmp_path / "a.zarr"], expect=code)
    assert says in refused.stderr and not (tmp_path / "a.zarr").exists()


def test_a_folder_of_files_asks_for_a_pattern(omtask: Program, tmp_path: Path) -> None:
    write(tmp_path / "a_1.tif", voxels((9, 9)))
    assert "{t}" in omtask.run("convert", tmp_path, extra=["--output", "x.zarr"], expect=65).stderr


# Engines, kills, other commands


def test_every_engine_writes_the_same_files(omtask: Program, tmp_path: Path) -> None:
    path = write(
        tmp_path / "a.tif", voxels((9, 200, 170)), compression="zlib", rowsperstrip=16)
    trees = []
    for number, engine in enumerate([{"threads": 1}, {"threads": 3}, {"ranks": 2}, {"ranks": 3}]):
        made = tmp_path / str(number) / "a.zarr"
        made.parent.mkdir()
        omtask.run(
            "convert", path, parameters={"chunk": 32, "shard": 64, "levels": 3},
            extra=["--output", made], **engine)
        trees.append(tree(made))
    assert all(found == trees[0] for found in trees)


@pytest.mark.parametrize(("shape", "chunk", "shard"), [
    ((20, 900, 1100), (16, 256, 256), (16, 1024, 1280)), ((900, 1100), (900, 1024), (900, 2048)),
    ((2, 70, 60), (2, 70, 60), (2, 70, 60)), ((3, 2500, 2500), (2, 512, 512), (2, 2560, 2560)),
])
def test_whole_planes_lie_in_one_shard(
    shape: tuple[int, ...], chunk: tuple[int, ...], shard: tuple[int, ...], omtask: Program,
    tmp_path: Path,
) -> None:
    path = write(tmp_path / "a.tif", np.zeros(shape, "uint8"), compression="zlib")
    omtask.run("convert", path, extra=["--output", tmp_path / "a.zarr"])
    array = zarr.open_array(tmp_path / "a.zarr/0", mode="r")
    assert (array.chunks, array.shards) == (chunk, shard)


def test_a_killed_conversion_goes_on(omtask: Program, tmp_path: Path) -> None:
    data = voxels((2, 2, 6, 60, 70))
    pattern_files(tmp_path / "f", data)
    path, made = tmp_path / "f" / "img_t{t}_c{c}.tif", tmp_path / "a.zarr"
    call: dict[str, Any] = {"parameters": {"chunk": 16, "sharding": "off"}, "extra": ["--output", made]}
    for nth in (2, 9, 40):
        omtask.run(
            "convert", path, **call, expect=None,
            env=faults.injected(tmp_path / ".a.zarr.omtask", "rename", "kill", nth=nth))
        assert not made.exists()
    omtask.run("convert", path, **call)
    assert np.array_equal(zarr.open_array(made / "0")[:], data) and not leftovers(tmp_path)
    assert "nothing to do" in omtask.run("convert", path, **call).stderr
    # another file is another input
    write(tmp_path / "f/img_t009_c1.tif", data[1, 1])
    omtask.run("convert", path, **call, expect=73)


def test_other_commands_read_tiff(omtask: Program, tmp_path: Path) -> None:
    data = voxels((5, 40, 50))
    path = write(tmp_path / "a.tif", data, compression="zlib")
    assert "5 x 40 x 50 voxels, uint16" in omtask("info", path).stdout
    omtask("preview", path, "--png", tmp_path / "a.png")
    assert Picture.open(tmp_path / "a.png").size == (50, 40)
    refused = omtask.run("threshold", path, parameters={"method": "fixed", "threshold": 9}, expect=77)
    assert "TIFF" in refused.stderr
    omtask.run(
        "threshold", path, parameters={"method": "fixed", "threshold": 9000, "objects": False},
        extra=["--output", tmp_path / "l.zarr"])
    labels = next((tmp_path / "l.zarr").glob("**/0/zarr.json")).parent
    assert np.array_equal(zarr.open_array(labels)[:] > 0, data > 9000)


def test_without_libtiff_the_package_is_named(omtask: Program, tmp_path: Path) -> None:
    path = write(tmp_path / "a.tif", voxels((9, 9)))
    (tmp_path / "libtiff.so.6").write_bytes(b"")
    refused = omtask("info", path, expect=76, env={"LD_LIBRARY_PATH": str(tmp_path)})
    assert "libtiff6" in refused.stderr


# Damage


def pages_of(data: bytes) -> tuple[list[int], int]:
    """Where the pages of a little-endian TIFF lie, and where the last of them says what follows."""
    pages, place = [], 4
    while offset := struct.unpack_from("<I", data, place)[0]:
        pages.append(offset)
        place = offset + 2 + 12 * struct.unpack_from("<H", data, offset)[0]
    return pages, place


def with_tag(data: bytes, page: int, tag: int, value: int) -> bytes:
    changed = bytearray(data)
    for number in range(struct.unpack_from("<H", data, page)[0]):
        place = page + 2 + 12 * number
        if struct.unpack_from("<H", data, place)[0] == tag:
            struct.pack_into("<H", changed, place + 2, 4)
            struct.pack_into("<I", changed, place + 8, value)
    return bytes(changed)


DAMAGE: list[tuple[str, Callable[[bytes, list[int], int], bytes], int]] = [
    ("half of it", lambda data, pages, end: data[: len(data) // 2], 65),
    ("its start", lambda data, pages, end: data[:100], 65),
    ("nothing", lambda data, pages, end: b"", 65),
    ("text", lambda data, pages, end: b"hello world" * 20, 65),
    ("a circle", lambda data, pages, end: data[:end] + struct.pack("<I", pages[0]) + data[end + 4:], 65),
    ("itself", lambda data, pages, end: data[:end] + struct.pack("<I", pages[-1]) + data[end + 4:], 65),
    ("a page far out", lambda data, pages, end: data[:end] + b"\xff\xff\xff\x7f" + data[end + 4:], 65),
    *[
        (f"tag {tag} is {value}", lambda data, pages, end, tag=tag, value=value: (
            with_tag(data, pages[0], tag, value)), code)
        for tag, value, code in [
            (256, 0, 65), (256, 0x7FFFFFFF, 65), (257, 0x7FFFFFFF, 65), (257, 0xFFFFFFFF, 65),
            (278, 1, 65), (258, 12, 76), (259, 9999, 76), (277, 60000, 65), (273, 0xFFFFFFF0, 65),
            (262, 5, 76),
        ]
    ],
    ("what follows the last page", lambda data, pages, end: data[:end] + data[end + 4:end + 5], 65),
    ("one page is smaller", lambda data, pages, end: with_tag(data, pages[2], 256, 40), 65),
]


@pytest.mark.parametrize(("name", "spoil", "code"), DAMAGE, ids=[d[0] for d in DAMAGE])
def test_damaged_files_are_refused(
    name: str, spoil: Callable[[bytes, list[int], int], bytes], code: int, omtask: Program,
    tmp_path: Path,
) -> None:
    path = write(tmp_path / "a.tif", voxels((4, 61, 73)), compression="zlib", rowsperstrip=16)
    data = path.read_bytes()
    path.write_bytes(spoil(data, *pages_of(data)))
    refused = omtask.run("convert", path, extra=["--output", tmp_path / "a.zarr"], expect=code, timeout=20)
    assert str(path) in refused.stderr and not (tmp_path / "a.zarr").exists()


def test_what_a_file_says_must_be_in_it(omtask: Program, tmp_path: Path) -> None:
    """A description that cannot be read must not make another image of the pages."""
    where = ["--output", tmp_path / "a.zarr"]
    path = write(tmp_path / "a.ome.tif", voxels((2, 3, 20, 30)), metadata={"axes": "TZYX"}, ome=True)
    data = path.read_bytes()
    path.write_bytes(with_tag(data, pages_of(data)[0][0], 270, 0x7FFFFFF0))
    assert "description" in omtask.run("convert", path, extra=where, expect=65).stderr
    # planes without pages of their own, of which some are gone
    path = write(tmp_path / "b.tif", voxels((4, 20, 30)), metadata={}, truncate=True)
    path.write_bytes(path.read_bytes()[:-900])
    assert "4 planes" in omtask.run("convert", path, extra=where, expect=65).stderr
    # the same planes again and again
    path = write(tmp_path / "c.ome.tif", voxels((2, 20, 30)), metadata={"axes": "ZYX"}, ome=True)
    with tifffile.TiffFile(path) as file:
        text = file.pages[0].description
    block = '<TiffData IFD="0" PlaneCount="2"></TiffData>'
    text = text.replace("<TiffData", block * 50 + "<TiffData", 1)
    write(path, voxels((2, 20, 30)), description=text.encode())
    assert "TiffData" in omtask.run("convert", path, extra=where, expect=65).stderr
    assert not (tmp_path / "a.zarr").exists()


def test_absurd_sizes_take_no_memory(omtask: Program, tmp_path: Path) -> None:
    path = write(tmp_path / "a.tif", voxels((61, 73)), compression="zlib")
    data = path.read_bytes()
    page = pages_of(data)[0][0]
    for tag in (256, 257):
        path.write_bytes(with_tag(with_tag(data, page, tag, 1 << 30), page, 278, 1 << 30))
        refused = omtask.run(
            "convert", path, extra=["--output", tmp_path / "a.zarr"], expect=None, timeout=20,
            launcher=["bash", "-c", 'ulimit -v 4000000; exec "$@"', "bash"])
        assert refused.code in (65, 79), refused
        assert not (tmp_path / "a.zarr").exists()


def test_a_damaged_strip_can_be_filled(omtask: Program, tmp_path: Path) -> None:
    data = voxels((3, 64, 50))
    path = write(tmp_path / "a.tif", data, compression="zlib", rowsperstrip=64)
    with tifffile.TiffFile(path) as file:
        offset = file.pages[1].dataoffsets[0]
    spoiled = bytearray(path.read_bytes())
    spoiled[offset + 20: offset + 80] = bytes(60)
    path.write_bytes(spoiled)
    where = ["--output", tmp_path / "a.zarr"]
    assert "page 1" in omtask.run("convert", path, extra=where, expect=65).stderr
    outcome = omtask.run("convert", path, extra=[*where, "--on-damage", "fill"])
    data[1] = 0
    assert np.array_equal(zarr.open_array(tmp_path / "a.zarr/0")[:], data)
    assert outcome.report is not None and "page 1" in json.dumps(outcome.report.document)


@pytest.mark.parametrize(("change", "says"), [
    (("SizeZ=\"3\"", "SizeZ=\"9\""), "6 page"), (("SizeZ=\"3\"", "SizeZ=\"-3\""), "SizeZ"),
    (("SizeX=\"31\"", "SizeX=\"30\""), "30 × 20"), (("uint16", "uint8"), "uint8"),
    (("XYZTC", "XYZTT"), "DimensionOrder"), (("</OME>", ""), "XML"), (("<OME ", "<!DOCTYPE a><OME "), "<!"),
    (("<TiffData", "<TiffData FirstT=\"7\""), "TiffData"), (("SizeZ=\"3\"", "SizeZ=\"99999999\""), "limit"),
    (("a.tif", "../a.tif"), ".."), (("a.tif", "b.tif"), "none of the files"),
], ids=str)
def test_wrong_ome_xml(
    change: tuple[str, str], says: str, omtask: Program, tmp_path: Path
) -> None:
    text = xml(block("a.tif", 0, 6) if "a.tif" in change[0] else '<TiffData PlaneCount="6" IFD="0"/>')
    path = write(tmp_path / "a.tif", voxels((6, 20, 31)), description=text.replace(*change))
    refused = omtask.run("convert", path, extra=["--output", tmp_path / "a.zarr"], expect=None)
    assert refused.code in (65, 77, 79) and str(path) in refused.stderr
    assert not (tmp_path / "a.zarr").exists()
    if says != "6 page":
        assert says in refused.stderr


# OME-TIFF for Fiji


def image(omtask: Program, tmp_path: Path, data: np.ndarray, axes: str, **how: Any) -> Path:
    """An OME-Zarr of these voxels."""
    path = tmp_path / "source.ome.tif"
    tifffile.imwrite(path, data, photometric="minisblack", metadata={"axes": axes, **how})
    omtask.run(
        "convert", path, parameters={"chunk": 16, "levels": 2}, extra=["--output", tmp_path / "i.zarr"])
    return tmp_path / "i.zarr"


@pytest.mark.parametrize("compression", ["deflate", "zstd", "none"])
def test_an_exported_image_is_what_it_was(
    compression: str, omtask: Program, tmp_path: Path, converted: Callable[..., np.ndarray]
) -> None:
    data = voxels((3, 2, 4, 33, 47))
    path, made = image(omtask, tmp_path, data, "TCZYX", **OME), tmp_path / "a.ome.tif"
    omtask("export", path, made, "--compression", compression)
    with tifffile.TiffFile(made) as file:
        series = file.series[0]
        assert file.is_ome and series.axes == "TCZYX" and np.array_equal(series.asarray(), data)
        pixels = tifffile.xml2dict(file.ome_metadata)["OME"]["Image"]["Pixels"]
    assert [pixels[f"PhysicalSize{axis}"] for axis in "XYZ"] == [0.2, 0.25, 0.5]
    assert [pixels[f"PhysicalSize{axis}Unit"] for axis in "XYZ"] == ["µm"] * 3
    assert (pixels["TimeIncrement"], pixels["TimeIncrementUnit"]) == (2, "min")
    assert [c["Name"] for c in pixels["Channel"]] == ["DAPI", "G & <F>P"]
    assert [c["Color"] for c in pixels["Channel"]] == OME["Channel"]["Color"]
    # and back: the same voxels, and the same metadata
    assert np.array_equal(converted(made), data)
    one, other = ome(tmp_path / "made0.zarr"), ome(path)
    assert one["omero"] == other["omero"]
    assert one["multiscales"][0]["axes"] == other["multiscales"][0]["axes"]
    assert not leftovers(tmp_path)


@pytest.mark.parametrize("dtype", ["uint8", "int8", "int16", "uint32", "int32", "float32", "float64"])
def test_exported_types_and_selections(dtype: str, omtask: Program, tmp_path: Path) -> None:
    data = voxels((3, 5, 40, 51), dtype)
    path = image(omtask, tmp_path, data, "CZYX")
    omtask("export", path, tmp_path / "a.tif", "--select", "c=1:3,z=3,y=5:33,x=17:49")
    found = tifffile.imread(tmp_path / "a.tif")
    assert found.dtype == dtype and np.array_equal(found, data[1:3, 3, 5:33, 17:49])
    omtask("export", path, tmp_path / "b.tif", "--level", "1")
    assert np.array_equal(
        tifffile.imread(tmp_path / "b.tif"), zarr.open_array(path / "1", mode="r")[:])


def test_tiles_threads_and_labels(omtask: Program, tmp_path: Path) -> None:
    data = voxels((2, 1500, 3000), "uint8")
    path = tmp_path / "big.zarr"
    omtask.run("convert", write(tmp_path / "big.tif", data), extra=["--output", path])
    files = []
    for threads in (1, 3):
        made = tmp_path / f"{threads}.ome.tif"
        omtask("export", path, made, "--threads", str(threads), "--compression", "zstd")
        files.append(made.read_bytes())
    assert files[0] == files[1]
    with tifffile.TiffFile(made) as file:
        assert file.pages[0].is_tiled and np.array_equal(file.asarray(), data)
    omtask.run("threshold", path, parameters={
        "method": "fixed", "threshold": 200, "label_name": "n", "objects": False})
    omtask("export", path / "labels/n", tmp_path / "n.ome.tif")
    labels = zarr.open_array(path / "labels/n/0", mode="r")[:]
    assert np.array_equal(tifffile.imread(tmp_path / "n.ome.tif"), labels)


def test_what_cannot_be_exported(omtask: Program, tmp_path: Path) -> None:
    data = voxels((2, 9, 9), "int64") % 1000
    write(tmp_path / "source.tif", data)
    omtask.run("convert", tmp_path / "source.tif", extra=["--output", tmp_path / "i.zarr"])
    path, made = tmp_path / "i.zarr", tmp_path / "a.ome.tif"
    assert "--dtype int32" in omtask("export", path, made, expect=76).stderr
    omtask.run("convert", path, parameters={"dtype": "float64"}, extra=["--output", tmp_path / "f.zarr"])
    path = tmp_path / "f.zarr"
    assert ".tif" in omtask("export", path, tmp_path / "a.png", expect=64).stderr
    assert "lies in the input" in omtask("export", path, path / "a.tif", expect=77).stderr
    assert "--level" in omtask("export", path, made, "--level", "4", expect=64).stderr
    made.write_bytes(b"mine")
    omtask("export", path, made, expect=73)
    assert made.read_bytes() == b"mine"
    # a disk that fails, and a kill: what was there is there, and the same command works
    env = faults.injected(tmp_path / ".a.ome.tif.omtask", "write", "EIO")
    omtask("export", path, made, "--overwrite", expect=74, env=env)
    assert made.read_bytes() == b"mine" and not leftovers(tmp_path)
    env = faults.injected(tmp_path / ".a.ome.tif.omtask", "write", "kill")
    omtask("export", path, made, "--overwrite", expect=None, env=env)
    assert made.read_bytes() == b"mine"
    omtask("export", path, made, "--overwrite")
    assert np.array_equal(tifffile.imread(made), data.astype("float64")) and not leftovers(tmp_path)
