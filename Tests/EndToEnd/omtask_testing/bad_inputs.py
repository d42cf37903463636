"""Broken images, each a small sound one with one thing wrong, and the kind of error that is due.

The standard library is enough, and what is written does not depend on what any writer would refuse.
"""

import gzip
import hashlib
import json
import os
import shutil
import socket
import struct
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import google_crc32c

from .refusals import Case, kinds

SHAPE, CHUNK = [4, 16, 16], [4, 8, 8]
LITTLE = {"name": "bytes", "configuration": {"endian": "little"}}
GZIP = {"name": "gzip", "configuration": {"level": 1}}
INDEX = [LITTLE, {"name": "crc32c"}]


def voxels(level: int, y: int, x: int) -> bytes:
    step = 2**level
    values = [
        (k * 256 + (y * 8 + j) * step * 16 + (x * 8 + i) * step) % 65521
        for k in range(4) for j in range(8) for i in range(8)
    ]
    return struct.pack("<256H", *values)


def whole() -> str:
    """The digest of all voxels of level 0 in C order."""
    values = [k * 256 + j * 16 + i for k in range(4) for j in range(16) for i in range(16)]
    return hashlib.sha256(struct.pack("<1024H", *values)).hexdigest()


def sum32(data: bytes) -> bytes:
    return struct.pack("<I", google_crc32c.value(data))


def zstd(blocks: list[tuple[int, int, bytes]], size: int | None = None, window: int = 7) -> bytes:
    """A zstd frame of blocks (0 raw, 1 run-length), which may claim any content size or window."""
    head = b"\x28\xb5\x2f\xfd"
    head += bytes([0x00, window << 3]) if size is None else b"\xe0" + struct.pack("<Q", size)
    for number, (kind, count, data) in enumerate(blocks):
        last = number == len(blocks) - 1
        head += struct.pack("<I", last | kind << 1 | count << 3)[:3] + data
    return head


def blosc(data: bytes, **fields: int) -> bytes:
    head = {"version": 2, "lz": 1, "flags": 0x22, "typesize": 2, "nbytes": len(data),
            "blocksize": len(data), "cbytes": len(data) + 16} | fields
    return struct.pack("<BBBBIII", *head.values()) + data


def axes() -> list[dict[str, str]]:
    return [{"name": name, "type": "space", "unit": "micrometer"} for name in "zyx"]


def multiscale() -> dict[str, Any]:
    return {
        "axes": axes(),
        "datasets": [
            {"path": str(level), "coordinateTransformations": [
                {"type": "scale", "scale": [1.0, 0.5 * 2**level, 0.5 * 2**level]}]}
            for level in (0, 1)
        ],
    }


class V3:
    """A sound OME-Zarr 0.5 image whose documents can be changed."""

    array, group, labels, chunk = "0/zarr.json", "zarr.json", "labels/zarr.json", "0/c/0/0/0"

    def __init__(self, root: Path, codecs: list[Any] | None = None, shards: bool = False) -> None:
        self.root = root
        self.shards = shards
        self.encode: Callable[[bytes], bytes] = lambda data: gzip.compress(data, 1, mtime=0)
        self.write(self.group, self.node({"version": "0.5", "multiscales": [multiscale()]}))
        inner = codecs or [LITTLE, GZIP]
        for level in (0, 1):
            chain = inner
            if shards:
                chain = [{"name": "sharding_indexed", "configuration": {
                    "chunk_shape": CHUNK, "codecs": inner, "index_codecs": INDEX}}]
            shape = [4, 16 >> level, 16 >> level]
            self.write(f"{level}/zarr.json", {
                "zarr_format": 3, "node_type": "array", "shape": shape, "data_type": "uint16",
                "chunk_grid": {"name": "regular", "configuration": {
                    "chunk_shape": shape if shards else CHUNK}},
                "chunk_key_encoding": {"name": "default", "configuration": {"separator": "/"}},
                "fill_value": 0, "codecs": chain, "attributes": {},
                "dimension_names": ["z", "y", "x"],
            })
            self.fill(level)

    @staticmethod
    def node(ome: dict[str, Any]) -> dict[str, Any]:
        return {"zarr_format": 3, "node_type": "group", "attributes": {"ome": ome}}

    def fill(self, level: int) -> None:
        edge = 2 >> level
        cells = [(y, x) for y in range(edge) for x in range(edge)]
        if self.shards:
            parts = [self.encode(voxels(level, *cell)) for cell in cells]
            return self.raw(f"{level}/c/0/0/0", self.shard(parts))
        for y, x in cells:
            self.raw(f"{level}/c/0/{y}/{x}", self.encode(voxels(level, y, x)))

    @staticmethod
    def shard(parts: list[bytes], index: Callable[[list], list] = lambda entries: entries) -> bytes:
        body, entries = b"", []
        for part in parts:
            entries.append((len(body), len(part)))
            body += part
        stored = b"".join(struct.pack("<QQ", *entry) for entry in index(entries))
        return body + stored + sum32(stored)

    def parts(self) -> list[bytes]:
        return [self.encode(voxels(0, y, x)) for y in (0, 1) for x in (0, 1)]

    def raw(self, key: str, data: bytes) -> None:
        path = self.root / key
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)

    def write(self, key: str, document: Any) -> None:
        self.raw(key, json.dumps(document, indent=1).encode())

    def read(self, key: str) -> Any:
        return json.loads((self.root / key).read_bytes())

    def set(self, key: str, path: str, value: Any) -> None:
        """Sets one member, given by its path with dots; `...` takes it away."""
        document = self.read(key)
        *parents, last = [int(p) if p.isdigit() else p for p in path.split(".")]
        place = document
        for part in parents:
            place = place[part]
        if value is ...:
            del place[last]
        else:
            place[last] = value
        self.write(key, document)

    def text(self, key: str, old: str, new: str | bytes) -> None:
        data = (self.root / key).read_bytes()
        assert old.encode() in data, (key, old)
        self.raw(key, data.replace(old.encode(), new if isinstance(new, bytes) else new.encode(), 1))

    def list_labels(self, names: Any) -> None:
        self.write(self.labels, self.node({"version": "0.5", "labels": names}))

    ome = "attributes.ome."


class V2(V3):
    """The same as OME-Zarr 0.4."""

    array, group, labels, chunk = "0/.zarray", ".zattrs", "labels/.zattrs", "0/0/0/0"
    ome = ""

    def __init__(self, root: Path) -> None:
        self.root, self.shards = root, False
        self.encode = zlib.compress
        self.write(".zgroup", {"zarr_format": 2})
        self.write(".zattrs", {"multiscales": [{"version": "0.4", **multiscale()}]})
        for level in (0, 1):
            self.write(f"{level}/.zarray", {
                "zarr_format": 2, "shape": [4, 16 >> level, 16 >> level], "chunks": CHUNK,
                "dtype": "<u2", "order": "C", "compressor": {"id": "zlib", "level": 1},
                "filters": None, "fill_value": 0, "dimension_separator": "/",
            })
            for y in range(2 >> level):
                for x in range(2 >> level):
                    self.raw(f"{level}/0/{y}/{x}", self.encode(voxels(level, y, x)))

    def list_labels(self, names: Any) -> None:
        self.write("labels/.zgroup", {"zarr_format": 2})
        self.write(self.labels, {"labels": names})


# Wrong values for every member of the array documents: what each becomes, and the error that is due.

WRONG_V3: list[tuple[str, Any, str]] = [
    ("zarr_format", ..., "metadata"), ("zarr_format", "3", "unsupported"),
    ("zarr_format", 3.5, "unsupported"), ("node_type", ..., "metadata"),
    ("node_type", 7, "metadata"), ("node_type", "table", "metadata"),
    ("shape", ..., "metadata"), ("shape", None, "metadata"), ("shape", "4", "metadata"),
    ("shape", [4, 16.5, 16], "metadata"), ("shape", [4, True, 16], "metadata"),
    ("shape", [4, -1, 16], "metadata"), ("shape", [4, 10**30, 16], "limit"),
    ("shape", [2**63 - 1, 1, 1], "limit"), ("shape", [1] * 33, "limit"), ("shape", [], "metadata"),
    ("shape", [4, 0, 16], "metadata"), ("shape", {"z": 4}, "metadata"),
    ("data_type", ..., "metadata"), ("data_type", "uint12", "unsupported"),
    ("data_type", ["uint16"], "unsupported"), ("data_type", {"name": "struct"}, "unsupported"),
    ("data_type", None, "unsupported|metadata"),
    ("chunk_grid", ..., "metadata"), ("chunk_grid", [], "metadata"),
    ("chunk_grid", {"name": "rectangular"}, "unsupported"),
    ("chunk_grid.configuration", ..., "metadata"),
    ("chunk_grid.configuration.chunk_shape", [0, 8, 8], "metadata"),
    ("chunk_grid.configuration.chunk_shape", [4, 8], "metadata"),
    ("chunk_grid.configuration.chunk_shape", [4, 2**62, 2**62], "limit"),
    ("chunk_grid.configuration.chunk_shape", [1, 2**20, 2**11], "limit"),
    ("chunk_grid.configuration.chunk_shape", "4,8,8", "metadata"),
    ("chunk_key_encoding", ..., "metadata"),
    ("chunk_key_encoding", {"name": "suffix"}, "unsupported"),
    ("chunk_key_encoding.configuration.separator", "-", "metadata"),
    ("chunk_key_encoding.configuration", 5, "metadata"),
    ("fill_value", ..., "metadata"), ("fill_value", -1, "metadata"),
    ("fill_value", 65536, "metadata"), ("fill_value", 0.5, "metadata"),
    ("fill_value", "NaN", "metadata"), ("fill_value", None, "metadata"),
    ("fill_value", [0], "metadata"), ("fill_value", True, "metadata"),
    ("codecs", ..., "metadata"), ("codecs", [], "metadata"), ("codecs", "gzip", "metadata"),
    ("codecs", [GZIP], "metadata"), ("codecs", [GZIP, LITTLE], "metadata"),
    ("codecs", [LITTLE, LITTLE], "metadata"), ("codecs", [LITTLE, 5], "metadata"),
    ("codecs", [LITTLE, {"configuration": {}}], "metadata"),
    ("codecs", [LITTLE, {"name": "rot13"}], "unsupported"),
    ("codecs", [LITTLE, {"name": "gzip", "configuration": {"level": 99}}], "metadata"),
    ("codecs", [LITTLE, {"name": "gzip", "configuration": []}], "metadata"),
    ("codecs", [LITTLE, {"name": "gzip", "configuration": None}], "metadata"),
    ("codecs", [LITTLE, {"name": "gzip", "configuration": {"level": -1}}], "metadata"),
    ("codecs", [LITTLE, {"name": "zstd", "configuration": {"checksum": "yes"}}], "metadata"),
    ("codecs", [LITTLE, {"name": "blosc", "configuration": {"shuffle": "shuffle"}}], "metadata"),
    ("codecs", [{"name": "bytes", "configuration": {"endian": "middle"}}, GZIP], "metadata"),
    ("codecs", [{"name": "transpose", "configuration": {"order": [2, 1]}}, LITTLE], "metadata"),
    ("codecs", [{"name": "transpose", "configuration": {"order": [0, 1, 3]}}, LITTLE], "metadata"),
    ("codecs", [{"name": "transpose", "configuration": {"order": "F"}}, LITTLE], "metadata"),
    ("codecs", [{"name": "transpose", "configuration": {"order": [-1, 0, 1]}}, LITTLE], "metadata"),
    ("codecs", [{"name": "transpose"}, LITTLE], "metadata"),
    ("codecs", [LITTLE, {"name": "blosc", "configuration": {"cname": "lzma"}}], "metadata"),
    ("codecs", [LITTLE, {"name": "blosc", "configuration": {"cname": "zstd", "typesize": 0}}],
     "metadata"),
    ("storage_transformers", [{"name": "x"}], "unsupported"),
    ("dimension_names", ["z", "y"], "metadata"), ("dimension_names", ["x", "y", "z"], "metadata"),
    ("dimension_names", [1, 2, 3], "metadata"), ("dimension_names", "zyx", "metadata"),
    ("attributes", [], "metadata"), ("attributes", 5, "metadata"),
    ("novelty", 5, "unsupported"), ("novelty", {"must_understand": True}, "unsupported"),
]

SHARDING = "codecs.0.configuration"
WRONG_SHARDED: list[tuple[str, Any, str]] = [
    (SHARDING, ..., "metadata"), (f"{SHARDING}.chunk_shape", ..., "metadata"),
    (f"{SHARDING}.chunk_shape", [4, 0, 8], "metadata"),
    (f"{SHARDING}.chunk_shape", [4, 5, 8], "metadata"),
    (f"{SHARDING}.chunk_shape", [4, 32, 8], "metadata"),
    (f"{SHARDING}.chunk_shape", [8], "metadata"),
    (f"{SHARDING}.codecs", ..., "metadata"), (f"{SHARDING}.codecs", [], "metadata"),
    (f"{SHARDING}.index_codecs", ..., "metadata"), (f"{SHARDING}.index_codecs", [], "metadata"),
    (f"{SHARDING}.index_codecs", [LITTLE, GZIP], "metadata"),
    (f"{SHARDING}.index_codecs", [LITTLE, {"name": "rot13"}], "unsupported"),
    (f"{SHARDING}.index_location", "middle", "metadata"),
    ("chunk_grid.configuration.chunk_shape", [2**21, 2**20, 2**20], "limit"),
]

WRONG_V2: list[tuple[str, Any, str]] = [
    ("zarr_format", ..., "metadata"), ("zarr_format", 3, "unsupported"),
    ("shape", ..., "metadata"), ("shape", [4, -16, 16], "metadata"), ("shape", 4, "metadata"),
    ("shape", [2**32, 2**32, 4], "limit"), ("chunks", ..., "metadata"),
    ("chunks", [4, 0, 8], "metadata"), ("chunks", [[4], [8], [8]], "metadata"),
    ("chunks", True, "metadata"), ("dtype", ..., "metadata"), ("dtype", "u2", "unsupported"),
    ("dtype", "|u2", "metadata"), ("dtype", "<u3", "unsupported"), ("dtype", "|S5", "unsupported"),
    ("dtype", [["a", "<u2"]], "unsupported"), ("dtype", "<M8[ns]", "unsupported"),
    ("dtype", 16, "unsupported"), ("order", ..., "metadata"), ("order", "A", "metadata"),
    ("order", 1, "metadata"), ("compressor", ..., "metadata"),
    ("compressor", {"id": "lzma"}, "unsupported"), ("compressor", {"level": 1}, "metadata"),
    ("compressor", "zlib", "metadata"), ("compressor", {"id": "zlib", "level": "9"}, "metadata"),
    ("filters", [{"id": "packbits"}], "unsupported"), ("filters", 5, "metadata"),
    ("fill_value", ..., "metadata"), ("fill_value", 1e9, "metadata"),
    ("fill_value", "AAA=", "metadata"), ("dimension_separator", "|", "metadata"),
    ("dimension_separator", 1, "metadata"),
]

# Wrong values in the group document, below the first entry of `multiscales` or beside it.
SCALE = "datasets.0.coordinateTransformations"
WRONG_IMAGE: list[tuple[str, Any, str]] = [
    ("axes", ..., "metadata"), ("axes", [], "metadata"), ("axes", "zyx", "metadata"),
    ("axes", ["z", "y", "x"], "metadata|unsupported"), ("axes.0.name", ..., "metadata"),
    ("axes.0.name", 5, "metadata"), ("axes.0.type", 5, "metadata"),
    ("axes.2.type", "time", "metadata"), ("axes", axes() * 2, "metadata"),
    ("datasets", ..., "metadata"), ("datasets", {}, "metadata"), ("datasets", [5], "metadata"),
    ("datasets.0.path", ..., "metadata"), ("datasets.0.path", 0, "metadata"),
    ("datasets.0.path", "", "path"), ("datasets.0.path", ".", "path"),
    ("datasets.0.path", "a/../0", "path"), ("datasets.0.path", "0/", "path"),
    ("datasets.0.path", "a//b", "path"), ("datasets.0.path", "..\\0", "path"),
    ("datasets.0.path", "0\n", "path"), ("datasets.0.path", "0\u0000", "path"),
    ("datasets.0.path", "file:///etc", "path"), ("datasets.0.path", "s3://bucket/0", "path"),
    ("datasets.0.path", "C:/0", "path"), ("datasets.0.path", "0" * 300, "path"),
    ("datasets.0.path", "absent", "missing"), (SCALE, ..., "metadata"), (SCALE, [], "metadata"),
    (SCALE, {}, "metadata"), (f"{SCALE}.0.scale", ..., "metadata"),
    (f"{SCALE}.0.scale", [1, 1], "metadata"), (f"{SCALE}.0.scale", [1, 0, 1], "metadata"),
    (f"{SCALE}.0.scale", [1, "1", 1], "metadata"), (f"{SCALE}.0.type", "affine", "metadata"),
    (f"{SCALE}.0.type", ..., "metadata"),
    (SCALE, [{"type": "translation", "translation": [0, 0, 0]}], "metadata"),
    (SCALE, [{"type": "scale", "scale": [1, 1, 1]}] * 2, "metadata"),
    (SCALE, [{"type": "scale", "scale": [1, 1, 1]}, {"type": "translation", "translation": [0]}],
     "metadata"),
    ("coordinateTransformations", [{"type": "scale", "scale": [1]}], "metadata"),
    ("coordinateTransformations", 5, "metadata"),
]


def bad_inputs(folder: Path) -> Iterator[Case]:
    """Writes every case below `folder` and says what is due."""
    for prefix, make, table, document in (
        ("v3", V3, WRONG_V3, "0/zarr.json"),
        ("sharded", lambda root: V3(root, shards=True), WRONG_SHARDED, "0/zarr.json"),
        ("v2", V2, WRONG_V2, "0/.zarray"),
    ):
        for number, (path, value, expected) in enumerate(table):
            place = folder / f"{prefix}-{number:02}-{path.replace('.', '-')}" / "image.zarr"
            image = make(place)
            image.set(image.array, path, value)
            # A level of another rank or order is a matter of the image's document.
            name = "zarr.json" if prefix != "v2" else document
            yield Case(place.parent.name, place, kinds(expected), name)
    for prefix, make in (("image-v3", V3), ("image-v2", V2)):
        for number, (path, value, expected) in enumerate(WRONG_IMAGE):
            place = folder / f"{prefix}-{number:02}-{path.replace('.', '-')}" / "image.zarr"
            image = make(place)
            image.set(image.group, f"{image.ome}multiscales.0.{path}", value)
            name = "absent" if value == "absent" else image.group
            yield Case(place.parent.name, place, kinds(expected), name)
    for name, (expected, must_name, build) in BUILT.items():
        place = folder / name / "image.zarr"
        place.parent.mkdir(parents=True)
        build(place)
        instead = ()
        if name.startswith(("chunk", "shard")) and expected != "ok":
            instead = (("info", kinds("ok|" + expected)),)
        if name.startswith("list"):
            instead = (("info", kinds("ok|" + expected)), ("verify", kinds("ok|" + expected)))
        if name in ("plate-chunk-damaged", "plate-image-absent"):
            instead = (("info", kinds("ok")),)
        right = whole() if "ok" in kinds(expected) else ""
        yield Case(name, place, kinds(expected), must_name, right, instead, name.startswith("plate"))


BUILT: dict[str, tuple[str, str, Callable[[Path], None]]] = {}


def built(expected: str, must_name: str) -> Callable:
    """Makes a function that spoils a sound image a case of its name."""

    def keep(build: Callable[[Path], None]) -> Callable[[Path], None]:
        BUILT[build.__name__.replace("_", "-")] = (expected, must_name, build)
        return build

    return keep


# Documents as bytes.


def document(name: str, expected: str, change: Callable[[V3], None], must_name: str = "0/zarr.json",
             make: Callable[[Path], V3] = V3) -> None:
    BUILT[name] = (expected, must_name, lambda place: change(make(place)))


document("json-half", "json", lambda i: i.raw(i.array, (i.root / i.array).read_bytes()[:200]))
document("json-empty-group", "json", lambda i: i.raw(i.group, b""), "zarr.json")
document("json-empty-v2", "json", lambda i: i.raw(i.array, b""), "0/.zarray", V2)
document("json-blank", "json", lambda i: i.raw(i.array, b" \n"))
document("json-null", "metadata", lambda i: i.raw(i.array, b"null"))
document("json-list", "metadata", lambda i: i.raw(i.array, b"[]"))
document("json-list-group", "metadata", lambda i: i.raw(i.group, b"[]"), "zarr.json")
document("json-two-documents", "json", lambda i: i.raw(i.array, b"{} {}"))
document("json-zeros", "json", lambda i: i.raw(i.array, bytes(500)))
document("json-nan", "json", lambda i: i.text(i.array, '"fill_value": 0', '"fill_value": NaN'))
document("json-infinity", "json|metadata", lambda i: i.text(i.group, "0.5,", "Infinity,"), "zarr.json")
document("json-infinity-v2", "json|metadata", lambda i: i.text(i.group, "0.5", "-Infinity"),
         ".zattrs", V2)
document("json-huge-number", "json", lambda i: i.text(i.array, '"fill_value": 0',
                                                      '"fill_value": 1e999'))
document("json-long-number", "json|limit|metadata",
         lambda i: i.text(i.array, '"fill_value": 0', '"fill_value": ' + "9" * 400))
document("json-bom", "json", lambda i: i.raw(i.array, b"\xef\xbb\xbf" + (i.root / i.array).read_bytes()))
document("json-utf16", "json", lambda i: i.raw(
    i.array, (i.root / i.array).read_text().encode("utf-16")))
document("json-bad-utf8", "json", lambda i: i.text(i.array, '"dimension_names"', b'"dimension\xff"'))
document("json-surrogate", "json", lambda i: i.text(i.group, '"micrometer"', '"\\ud800"'), "zarr.json")
document("json-deep", "limit", lambda i: i.text(
    i.group, '"axes"', '"x": ' + "[" * 100_000 + "]" * 100_000 + ', "axes"'), "zarr.json")
document("json-deep-objects", "limit", lambda i: i.text(
    i.array, '"attributes": {}', '"attributes": ' + '{"a":' * 70 + "1" + "}" * 70))
document("json-large", "limit", lambda i: i.text(
    i.array, '"attributes": {}', '"attributes": {"a": "' + "x" * (17 << 20) + '"}'))
document("json-twice", "json", lambda i: i.text(i.array, '"shape"', '"shape": [1], "shape"'))
document("json-twice-group", "json", lambda i: i.text(i.group, '"axes"', '"axes": [], "axes"'),
         "zarr.json")
document("json-twice-escaped", "json", lambda i: i.text(
    i.array, '"shape"', '"sh\\u0061pe": [1], "shape"'))
document("json-single-quotes", "json", lambda i: i.text(i.array, '"shape"', "'shape'"))
document("json-comma", "json", lambda i: i.text(i.array, '"attributes": {},', '"attributes": {},,'))
document("zgroup-broken", "json", lambda i: i.raw(".zgroup", b"{"), ".zgroup", V2)
document("zattrs-broken", "json", lambda i: i.raw("0/.zattrs", b"{"), "0/.zattrs", V2)
document("version-future", "unsupported", lambda i: i.set(i.group, "attributes.ome.version", "1.7"),
         "zarr.json")
document("version-wrong", "metadata", lambda i: i.set(i.group, "attributes.ome.version", "0.4"),
         "zarr.json")
document("ome-list", "metadata", lambda i: i.set(i.group, "attributes.ome", []), "zarr.json")
document("multiscales-empty", "metadata", lambda i: i.set(
    i.group, "attributes.ome.multiscales", []), "zarr.json")
document("multiscales-object", "metadata", lambda i: i.set(
    i.group, "attributes.ome.multiscales", {}), "zarr.json")
document("level-larger", "metadata", lambda i: i.set("1/zarr.json", "shape", [4, 32, 8]), "zarr.json")


# Things that are no documents and no chunks.


def special(key: str, make: Callable[[Path], Any]) -> Callable[[Path], None]:
    def build(place: Path) -> None:
        V3(place)
        path = place / key
        shutil.rmtree(path) if path.is_dir() else path.unlink()
        make(path)

    return build


def bound(path: Path) -> None:
    """A socket; its own path is short, since the kernel takes no long ones."""
    here = Path.cwd()
    os.chdir(path.parent)
    try:
        with socket.socket(socket.AF_UNIX) as end:
            end.bind(path.name)
    finally:
        os.chdir(here)


SPECIAL: dict[str, tuple[str, Callable[[Path], Any]]] = {
    "folder": ("io", Path.mkdir), "fifo": ("io", os.mkfifo), "socket": ("io", bound),
    "device-link": ("io", lambda path: path.symlink_to("/dev/zero")),
    "loop": ("path", lambda path: path.symlink_to(path.name)),
    "dangling": ("missing", lambda path: path.symlink_to("absent")),
    "link-out": ("path", lambda path: path.symlink_to("/etc/hostname")),
}
for _key, _name in ((V3.chunk, "chunk"), (V3.array, "array"), (V3.group, "group")):
    for _kind, (_expected, _make) in SPECIAL.items():
        _due = _expected if _name != "group" else _expected + "|metadata|missing|io|path"
        if _name == "chunk" and _kind in ("folder", "fifo"):
            _due = "codec"  # the array is damaged; a document may be somewhere else
        BUILT[f"{_name}-{_kind}"] = (_due, _key, special(_key, _make))
BUILT["chunk-folder-is-file"] = ("codec", "0/c", special("0/c", lambda path: path.write_text("x")))
BUILT["chunk-folder-link-out"] = ("path", "0/c", special("0/c", lambda p: p.symlink_to("/etc")))
BUILT["chunk-folder-dangling"] = ("missing", "0/c", special("0/c", lambda p: p.symlink_to("gone")))
BUILT["level-link-out"] = ("path", "image.zarr/0", special("0", lambda p: p.symlink_to("/etc")))
BUILT["level-is-file"] = ("missing|io", "0", special("0", lambda path: path.write_text("x")))


# Chunks.


def chunk(name: str, expected: str, data: Callable[[bytes], bytes], codec: Any = None) -> None:
    def build(place: Path) -> None:
        image = V3(place, codecs=[LITTLE, codec] if codec else None)
        if codec:
            for level in (0, 1):
                image.encode = SOUND[codec["name"]]
                image.fill(level)
        path = place / image.chunk
        path.write_bytes(data(path.read_bytes()))

    BUILT[f"chunk-{name}"] = (expected, V3.chunk, build)


ZSTD = {"name": "zstd", "configuration": {"level": 1, "checksum": False}}
BLOSC = {"name": "blosc", "configuration": {"cname": "lz4", "clevel": 5, "shuffle": "noshuffle",
                                           "typesize": 2, "blocksize": 0}}
CRC = {"name": "crc32c"}
SOUND = {"zstd": lambda b: zstd([(0, len(b), b)], size=len(b)), "blosc": blosc,
         "crc32c": lambda b: b + sum32(b)}


def bomb(mebibytes: int) -> bytes:
    packer = zlib.compressobj(9, zlib.DEFLATED, 31)
    return b"".join(packer.compress(bytes(1 << 20)) for _ in range(mebibytes)) + packer.flush()


chunk("gzip-bomb", "limit", lambda _: bomb(64))
chunk("gzip-many-members", "limit", lambda b: b * 1000)  # too long a file
chunk("gzip-two-members", "codec", lambda b: b * 2)
chunk("gzip-tail", "codec", lambda b: b + b"tail")
chunk("gzip-header-only", "truncated", lambda b: b[:10])
chunk("gzip-one-byte", "truncated|codec", lambda b: b[:1])
chunk("gzip-zeros", "codec", lambda b: bytes(len(b)))
chunk("gzip-length-lie", "checksum", lambda b: b[:-4] + b"\xff\xff\xff\x7f")
chunk("gzip-is-zlib", "codec", lambda b: zlib.compress(gzip.decompress(b)))
chunk("huge-file", "limit", lambda b: b + bytes(1 << 20))
chunk("zstd-claims-exbibyte", "limit", lambda b: zstd([(0, 16, bytes(16))], size=2**60), ZSTD)
chunk("zstd-claims-less", "codec", lambda b: zstd([(0, 512, bytes(512))], size=256), ZSTD)
chunk("zstd-claims-more", "codec|truncated|limit",
      lambda b: zstd([(0, 256, bytes(256))], size=512), ZSTD)
chunk("zstd-window", "limit", lambda b: zstd([(0, 512, bytes(512))], window=31), ZSTD)
chunk("zstd-bomb", "limit", lambda b: zstd([(1, 1 << 17, b"\0")] * 8192), ZSTD)
chunk("zstd-reserved-block", "codec", lambda b: zstd([(3, 512, bytes(512))]), ZSTD)
chunk("zstd-half", "truncated", lambda b: b[:300], ZSTD)
chunk("zstd-garbage", "codec", lambda b: b"not a zstd frame" * 8, ZSTD)
chunk("zstd-tail", "codec", lambda b: b + b"tail", ZSTD)
chunk("zstd-dictionary", "codec", lambda b: b"\x28\xb5\x2f\xfd\x21\x05" + bytes(40), ZSTD)
chunk("blosc-header-only", "codec|truncated", lambda b: b[:16], BLOSC)
chunk("blosc-half-header", "truncated", lambda b: b[:7], BLOSC)
chunk("blosc-cbytes-lie", "truncated", lambda b: b[:12] + b"\xff\xff\xff\x7f" + b[16:], BLOSC)
chunk("blosc-cbytes-zero", "codec", lambda b: b[:12] + bytes(4) + b[16:], BLOSC)
chunk("blosc-blocksize-zero", "codec", lambda b: b[:8] + bytes(4) + b[12:], BLOSC)
chunk("blosc-blocksize-huge", "codec", lambda b: b[:8] + b"\xff" * 4 + b[12:], BLOSC)
chunk("blosc-negative", "codec", lambda b: b[:4] + b"\xff" * 4 + b[8:], BLOSC)
chunk("blosc-version", "codec", lambda b: b"\x09" + b[1:], BLOSC)
chunk("blosc-unknown-compressor", "codec", lambda b: b[:2] + b"\xe0" + b[3:], BLOSC)
chunk("blosc-block-offsets", "codec", lambda b: blosc(b"\xff" * 512, flags=0x21), BLOSC)
chunk("crc-flip", "checksum", lambda b: b[:9] + bytes([b[9] ^ 1]) + b[10:], CRC)
chunk("crc-short", "truncated", lambda b: b[:3], CRC)
chunk("crc-of-less", "codec", lambda b: b[:100] + sum32(b[:100]), CRC)


# Shards.


def shard(name: str, expected: str, data: Callable[[V3], bytes]) -> None:
    def build(place: Path) -> None:
        image = V3(place, shards=True)
        image.raw(image.chunk, data(image))

    BUILT[f"shard-{name}"] = (expected, V3.chunk, build)


def entries(change: Callable[[list], list]) -> Callable[[V3], bytes]:
    return lambda image: image.shard(image.parts(), change)


NONE = 2**64 - 1
shard("empty", "truncated", lambda i: b"")
shard("half-marker", "codec", entries(lambda e: [(NONE, 5)] + e[1:]))
shard("half-marker-length", "codec", entries(lambda e: [(0, NONE)] + e[1:]))
shard("length-zero", "codec|truncated", entries(lambda e: [(0, 0)] + e[1:]))
shard("into-index", "codec", entries(lambda e: [(e[3][0], e[3][1] + 8)] + e[1:]))
shard("wraps", "codec", entries(lambda e: [(2**63, 2**63)] + e[1:]))
shard("index-short", "truncated|checksum", lambda i: i.shard(i.parts(), lambda e: e[:3]))
shard("index-long", "truncated|checksum|codec",
      lambda i: i.shard(i.parts(), lambda e: e + e)[:-4] + bytes(4))
shard("tail", "truncated|checksum", lambda i: i.shard(i.parts()) + b"tail")
shard("head-lost", "codec", lambda i: i.shard(i.parts())[8:])
shard("chunk-damaged", "codec", lambda i: b"XXXX" + i.shard(i.parts())[4:])


@built("codec|truncated|checksum", "0/c/0/0/0")
def shard_in_shard_damaged(place: Path) -> None:
    """Shards inside shards: the outer index is right, an inner one is not."""
    image = V3(place, shards=True)
    inner = {"name": "sharding_indexed", "configuration": {
        "chunk_shape": [4, 4, 4], "codecs": [LITTLE], "index_codecs": INDEX}}
    image.set(image.array, f"{SHARDING}.codecs", [inner])
    image.raw(image.chunk, image.shard([bytes(500)] * 4))


@built("limit|metadata", "0/zarr.json")
def nested_indexes_explode(place: Path) -> None:
    """Sharding in sharding in sharding, each with an index of millions of entries."""
    image = V3(place)
    chain: list[Any] = [LITTLE]
    for edge in (1, 16, 128):
        chain = [{"name": "sharding_indexed", "configuration": {
            "chunk_shape": [1, edge, edge], "codecs": chain, "index_codecs": INDEX}}]
    image.set(image.array, "codecs", chain)
    image.set(image.array, "chunk_grid.configuration.chunk_shape", [4, 2**20, 2**20])


# Labels, wells and plates.

for _number, _names in enumerate(
    (["../x"], ["/etc"], [""], ["a\\b"], ["a\nb"], ["x" * 300], ["."], ["file:x"], ["a/../../b"])
):
    document(f"labels-path-{_number}", "path", lambda i, n=_names: i.list_labels(n), "labels/zarr.json")
for _number, _names in enumerate(("nuclei", [5], [None], {"a": 1}, [["a"]])):
    document(f"labels-type-{_number}", "metadata", lambda i, n=_names: i.list_labels(n),
             "labels/zarr.json")
document("labels-type-v2", "metadata", lambda i: i.list_labels([{"name": "a"}]), "labels/.zattrs", V2)
document("labels-escape-v2", "path", lambda i: i.list_labels(["..", "a"]), "labels/.zattrs", V2)
document("labels-broken", "json", lambda i: i.raw(i.labels, b"[["), "labels/zarr.json")
document("labels-is-array", "metadata|missing", lambda i: shutil.copytree(
    i.root / "0", i.root / "labels"), "labels")
document("labels-format", "metadata", lambda i: (
    i.write("labels/.zgroup", {"zarr_format": 2}), i.write("labels/.zattrs", {"labels": []})), "labels")
document("list-of-duplicates", "ok", lambda i: i.list_labels(["a", "a"]), "")


def plate(name: str, expected: str, must_name: str, change: Callable[[Path], None]) -> None:
    def build(place: Path) -> None:
        wells = [{"path": f"A/{n}", "rowIndex": 0, "columnIndex": n} for n in (0, 1)]
        group = V3(place / "A/0/0")
        shutil.copytree(place / "A/0", place / "A/1")
        group.root = place
        group.write("zarr.json", V3.node({"version": "0.5", "plate": {
            "rows": [{"name": "A"}], "columns": [{"name": "0"}, {"name": "1"}], "wells": wells}}))
        for well in ("A/0", "A/1"):
            group.write(f"{well}/zarr.json", V3.node({"version": "0.5", "well": {
                "images": [{"path": "0"}]}}))
        group.write("A/zarr.json", {"zarr_format": 3, "node_type": "group"})
        change(group)

    BUILT[f"plate-{name}"] = (expected, must_name, build)


WELLS, IMAGES = "attributes.ome.plate.wells", "attributes.ome.well.images"
for _number, (_path, _value, _expected) in enumerate((
    (f"{WELLS}", ..., "metadata"), (WELLS, [], "metadata"), (WELLS, {}, "metadata"),
    (f"{WELLS}.0.path", ..., "metadata"), (f"{WELLS}.0.path", 5, "metadata"),
    (f"{WELLS}.0.path", "../A/0", "path"), (f"{WELLS}.0.path", "/A/0", "path"),
    (f"{WELLS}.0.path", "A", "metadata"), (f"{WELLS}.0.path", "A/0/0", "metadata"),
    (f"{WELLS}.0.path", "A/" + "0" * 300, "path"), (f"{WELLS}.0.path", "A/\u0007", "path"),
    ("attributes.ome.plate", [], "metadata"),
)):
    plate(f"wells-{_number}", _expected, "zarr.json", lambda g, p=_path, v=_value: g.set("zarr.json", p, v))
for _number, (_path, _value, _expected) in enumerate((
    (IMAGES, ..., "metadata"), (IMAGES, 5, "metadata"), (f"{IMAGES}.0.path", ..., "metadata"),
    (f"{IMAGES}.0.path", "../../secret", "path"), (f"{IMAGES}.0.path", "a\\b", "path"),
    (f"{IMAGES}.0.acquisition", "first", "metadata"), ("attributes.ome.well", 5, "metadata"),
    ("zarr_format", 4, "unsupported"),
)):
    plate(f"images-{_number}", _expected, "A/0/zarr.json",
          lambda g, p=_path, v=_value: g.set("A/0/zarr.json", p, v))
plate("well-absent", "missing", "A/0", lambda g: shutil.rmtree(g.root / "A/0"))
plate("well-broken", "json", "A/0/zarr.json", lambda g: g.raw("A/0/zarr.json", b"{"))
plate("image-absent", "missing", "A/0/0", lambda g: shutil.rmtree(g.root / "A/0/0"))
plate("chunk-damaged", "truncated", "A/0/0/0/c/0/0/0", lambda g: g.raw("A/0/0/0/c/0/0/0", b""))
plate("well-link-out", "path", "A/0", lambda g: (
    shutil.rmtree(g.root / "A/0"), (g.root / "A/0").symlink_to("/etc")))
