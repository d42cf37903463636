#!/usr/bin/env python3
"""Make the seeds of the fuzzer from the fixtures of the tests; standard library only.

    make_seeds.py OUT [--images FOLDER]

OUT/<target>/<name> are the inputs of Tests/FuzzTargets. Those in Fuzz/Corpus were made like this.
With --images, every OME-Zarr below FOLDER (zarr.json, .zattrs, .zarray and first chunks) gives
further seeds: many and large, so they are not kept.
"""
import argparse, gzip, hashlib, io, json, re, struct, warnings, zipfile, zlib
from pathlib import Path

REPO = Path(__file__).resolve().parent.parent
LARGEST = 8192


class Seeds:
    def __init__(self, out):
        self.out = Path(out)

    def add(self, target, name, *parts):
        data = b"\0".join(p if isinstance(p, bytes) else p.encode() for p in parts)
        if len(data) > LARGEST:
            return
        folder = self.out / target
        folder.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(data)


def fixtures(seeds):
    """Arrays that other libraries wrote: Tests/OMZarrTests/Fixtures."""
    for path in sorted((REPO / "Tests/OMZarrTests/Fixtures").glob("*.txt")):
        values = {}
        for line in path.read_text().splitlines():
            key, _, value = line.partition(" ")
            values[key] = value
        document = values.get("zarr.json") or values[".zarray"]
        attributes = [values[".zattrs"]] if ".zattrs" in values else []
        seeds.add("array-metadata", path.stem, document, *attributes)
        chunks = [k for k in sorted(values) if not k.endswith((".json", ".zarray", ".zattrs"))]
        # The first chunk is often left out, so the second one takes its place.
        if chunks and not values[chunks[0]].startswith("{"):
            seeds.add("chunk", path.stem, document, bytes.fromhex(values[chunks[0]]))


def stored_bytes(seeds):
    """Chunks of 512 uint16 that other writers stored: Tests/OMCodecsTests/StoredBytes.swift."""
    text = (REPO / "Tests/OMCodecsTests/StoredBytes.swift").read_text()
    for name, body in re.findall(r'"([^"]+)":\s*\n((?:\s*\+?\s*"[0-9a-f]+",?\s*\n)+)', text):
        data = bytes.fromhex("".join(re.findall(r'"([0-9a-f]+)"', body)))
        word = name.split()[0].strip(",")
        target = {"gzip": "deflate", "zlib": "deflate"}.get(word, word)
        if target not in ("blosc", "zstd", "deflate", "lz4"):
            continue
        v2 = 0x40 if word == "zlib" else 0
        slug = re.sub(r"\W+", "-", name)
        seeds.add(target, slug, bytes([3 | 1 << 3 | v2]) + data)


def codecs(seeds):
    """Small streams of shapes that the stored bytes lack, and voxels to encode."""
    zeros = bytes(64)
    seeds.add("deflate", "gzip-zeros", bytes([2]) + gzip.compress(zeros, mtime=0))
    seeds.add("deflate", "zlib-zeros", bytes([2 | 0x40]) + zlib.compress(zeros))
    seeds.add("deflate", "gzip-too-long", bytes([1]) + gzip.compress(zeros, mtime=0))
    seeds.add("zstd", "zeros", bytes([2]) + b"\x28\xb5\x2f\xfd\x20\x40" + bytes.fromhex("03020000"))
    seeds.add("zstd", "rle-bomb", bytes([1]) + b"\x28\xb5\x2f\xfd\x00\x58" + bytes.fromhex("030010") + b"\0")
    seeds.add("lz4", "zeros", bytes([2]) + struct.pack("<I", 64) + bytes([0x1F, 0, 1, 0, 40, 0x40, 0, 0, 0, 0]))
    plain = struct.pack("<BBBBIII", 2, 1, 2, 1, 64, 64, 80) + zeros
    seeds.add("blosc", "plain", bytes([2]) + plain)
    for target in ("blosc", "zstd", "deflate", "lz4"):
        for kind in (0, 1, 3, 6):
            seeds.add(target, f"encode-{kind}", bytes([0x80 | kind << 3 | 3]) + bytes(range(7)) * 5)


def shards(seeds):
    none = struct.pack("<QQ", 2**64 - 1, 2**64 - 1)
    for flags in range(4):
        order = ">" if flags & 2 else "<"
        index = struct.pack(order + "QQ", 0 if not flags & 1 else 32, 5) + none
        content = b"abcde"
        shard = index + content if flags & 1 else content + index
        seeds.add("shard-index", f"plain-{flags}", bytes([flags, 1]) + shard)
    seeds.add("shard-index", "checksum", bytes([4, 0]) + none + bytes.fromhex("5af5d82f"))
    seeds.add("shard-index", "past-the-end", bytes([0, 0]) + struct.pack("<QQ", 2**64 - 8, 2**63))


def servers(seeds):
    """What servers say: heads of answers, documents of S3, places to go."""
    texts = {
        "head": 'HTTP/1.1 206 Partial Content\r\nContent-Range: bytes 0-99/1000\r\nContent-Length: 100\r\n'
                'ETag: "abc"\r\n\r\n',
        "head-without-size": "HTTP/1.1 416 X\nContent-Range: bytes */0\n\n",
        "list": '<?xml version="1.0"?><ListBucketResult><IsTruncated>true</IsTruncated>'
                "<NextContinuationToken>a</NextContinuationToken><Contents><Key>a%2Fb&amp;c</Key></Contents>"
                "<CommonPrefixes><Prefix>a/</Prefix></CommonPrefixes><Prefix/></ListBucketResult>",
        "error": "<Error><Code>AccessDenied</Code><Message>no&#x21;</Message><Region>eu-west-1</Region></Error>",
        "redirect": "https://u:p@[::1]:8443/a%20b?X-Amz-Signature=1#x",
        "redirect-to-path": "/other/place?a=b",
    }
    for name, text in texts.items():
        seeds.add("remote", name, text)


def zips(seeds):
    """Archives of every shape, sound and hostile."""
    # A name that is there twice is on purpose.
    warnings.simplefilter("ignore", UserWarning)
    files = {"zarr.json": group({"version": "0.5"}).encode(), "0/zarr.json": b"{}", "0/c/0": b"abc" * 40}
    comment = json.dumps({"ome": {"version": "0.5", "zipFile": {"centralDirectory": {"jsonFirst": True}}}})

    def add(name, method=zipfile.ZIP_STORED, wide=False, remark=comment, more=(), front=b"", change=bytes):
        room = io.BytesIO()
        room.write(front)
        with zipfile.ZipFile(room, "a" if front else "w", method) as archive:
            for key, data in [*files.items(), *more]:
                info = zipfile.ZipInfo(key, (2020, 1, 1, 0, 0, 0))
                info.compress_type = method
                with archive.open(info, "w", force_zip64=wide) as entry:
                    entry.write(data)
            archive.comment = remark.encode()
        seeds.add("zip", name, change(room.getvalue()))

    def wide_end(data):
        end = data.rindex(b"PK\5\6")
        count, size, start = struct.unpack("<H2I", data[end + 10 : end + 20])
        record = struct.pack("<4sQHHIIQQQQ", b"PK\6\6", 44, 45, 45, 0, 0, count, count, size, start)
        return data[:end] + record + struct.pack("<4sIQI", b"PK\6\7", 0, end, 1) + data[end:]

    def flagged(offset, value):
        def change(data):
            place = data.rindex(b"PK\1\2")
            return data[: place + offset] + value + data[place + offset + len(value) :]
        return change

    add("stored"), add("deflated", zipfile.ZIP_DEFLATED), add("wide", wide=True)
    add("wide-end", wide=True, change=wide_end), add("no-comment", remark="")
    add("front", front=b"#!/bin/sh\n"), add("behind", change=lambda data: b"x" * 20 + data)
    add("folder", more=[("labels/", b"")]), add("twice", more=[("0/c/0", b"other")])
    add("slip", more=[("../evil", b"x")]), add("nested", more=[("a.ozx", b"x")])
    add("late", more=[("1/zarr.json", b"{}")]), add("file-and-folder", more=[("0/c/0/1", b"x")])
    add("encrypted", change=flagged(8, b"\1\0")), add("method", change=flagged(10, b"\x5d\0"))
    add("checksum", change=flagged(16, b"abcd")), add("overlap", change=flagged(42, bytes(4)))
    add("link", change=flagged(40, b"\xff\xa1")), add("no-wide-field", change=flagged(24, b"\xff" * 4))
    add("bomb", zipfile.ZIP_DEFLATED, more=[("1/c/0", bytes(1 << 20))])
    add("size-lie", zipfile.ZIP_DEFLATED, change=flagged(24, b"\x10\0\0\0"))


def group(ome):
    return json.dumps({"zarr_format": 3, "node_type": "group", "attributes": {"ome": ome}})


def multiscale(axes="czyx", levels=2):
    kinds = {"t": "time", "c": "channel"}
    scale = [1.0] * (len(axes) - 2)
    return {
        "name": "img", "axes": [{"name": n, "type": kinds.get(n, "space")} for n in axes],
        "datasets": [
            {"path": str(l), "coordinateTransformations": [
                {"type": "scale", "scale": scale + [0.5 * 2**l] * 2},
                {"type": "translation", "translation": [0.0] * len(axes)}][: 2 - l % 2]}
            for l in range(levels)],
    }


def array(axes, size):
    shape = [2] * (len(axes) - 2) + [size, size]
    return json.dumps({
        "zarr_format": 3, "node_type": "array", "shape": shape, "data_type": "uint16",
        "chunk_grid": {"name": "regular", "configuration": {"chunk_shape": shape}},
        "chunk_key_encoding": {"name": "default", "configuration": {"separator": "/"}},
        "fill_value": 0, "codecs": [{"name": "bytes", "configuration": {"endian": "little"}}],
        "dimension_names": list(axes)})


OMERO = {"channels": [{"label": "DAPI", "wavelength_id": "A01_C01", "color": "0000FF"}, {"label": 7}]}


def images(seeds):
    """Documents of OME-Zarr: images, labels, plates and wells of both versions."""
    for axes in ("yx", "zyx", "czyx", "tczyx"):
        ome = {"version": "0.5", "multiscales": [multiscale(axes)], "omero": OMERO}
        arrays = [p for l in (0, 1) for p in (f"{l}/zarr.json", array(axes, 8 >> l))]
        seeds.add("ome-metadata", f"image-05-{axes}", "zarr.json", group(ome), *arrays)
    labels = group({"version": "0.5", "labels": ["nuclei", "cells"]})
    one = {"version": "0.5", "multiscales": [multiscale("yx", 1)],
           "image-label": {"source": {"image": "../../"}}}
    seeds.add("ome-metadata", "labels-05", "zarr.json", group(one), "labels/zarr.json", labels,
              "labels/nuclei/zarr.json", group(one))
    old = dict(multiscale("yx", 1), version="0.4")
    plain = json.dumps({"zarr_format": 2})
    attributes = json.dumps({"multiscales": [old], "omero": OMERO})
    seeds.add("ome-metadata", "image-04", ".zgroup", plain, ".zattrs", attributes,
              "labels/.zgroup", plain, "labels/.zattrs", '{"labels": ["nuclei"]}',
              "0/.zarray", json.dumps({
                  "zarr_format": 2, "shape": [8, 8], "chunks": [8, 8], "dtype": "<u2", "order": "C",
                  "compressor": None, "filters": None, "fill_value": 0,
                  "dimension_separator": "/"}),
              ".zmetadata", json.dumps({"zarr_consolidated_format": 1, "metadata": {
                  ".zgroup": {"zarr_format": 2}, "labels/nuclei/.zattrs": {}}}))
    plate = group({"version": "0.5", "plate": {
        "wells": [{"path": "B/03", "rowIndex": 0, "columnIndex": 0}, {"path": "C/10"}],
        "rows": [{"name": "B"}], "columns": [{"name": "03"}]}})
    well = group({"version": "0.5", "well": {"images": [{"path": "0", "acquisition": 1}]}})
    image = group({"version": "0.5", "multiscales": [multiscale("yx", 1)]})
    seeds.add("ome-metadata", "plate-05", "zarr.json", plate, "B/03/zarr.json", well,
              "B/03/0/zarr.json", image, "B/03/0/0/zarr.json", array("yx", 8))
    seeds.add("ome-metadata", "well-05", "zarr.json", well, "0/zarr.json", image)
    copy = json.loads(image)
    copy["consolidated_metadata"] = {"kind": "inline", "must_understand": False,
                                     "metadata": {"0": json.loads(array("yx", 8)), "labels": {}}}
    seeds.add("ome-metadata", "copy-05", "zarr.json", json.dumps(copy))


def validations(seeds):
    """Hierarchies of kinds that only `omtask validate` reads."""
    def document(**ome):
        return json.dumps({"zarr_format": 3, "node_type": "group", "attributes": {"ome": ome}})

    axes = [{"name": n, "type": "space", "unit": "micrometer"} for n in "yx"]
    ends = {"input": {"name": "a"}, "output": {"name": "b"}}
    systems = [{"name": "a", "axes": axes}, {"name": "b", "axes": axes}]
    level = {"type": "sequence", "input": {"path": "0"}, "output": {"name": "a"}, "transformations": [
        {"type": "scale", "scale": [1, 2]}, {"type": "translation", "translation": [0, 0.5]}]}
    kinds = [
        {"type": "affine", "affine": [[1, 0, 3], [0, 1, 4]]}, {"type": "mapAxis", "mapAxis": [1, 0]},
        {"type": "rotation", "rotation": [[0, -1], [1, 0]]}, {"type": "displacements", "path": "d"},
        {"type": "projectAxis", "droppedInputs": [0], "createdOutputs": [0]},
        {"type": "bijection", "forward": {"type": "identity"}, "inverse": {"type": "identity"}},
        {"type": "byDimension", "transformations": [{
            "transformation": {"type": "scale", "scale": [2, 2]}, "inputAxes": [0, 1], "outputAxes": [1, 0]}]}]
    image = {"name": "i", "coordinateSystems": systems,
             "datasets": [{"path": "0", "coordinateTransformations": [level]}],
             "coordinateTransformations": [kind | ends for kind in kinds]}
    seeds.add("validate", "image-06", "zarr.json", document(version="0.6", multiscales=[image]),
              "0/zarr.json", array("yx", 8))
    scene = {"coordinateSystems": systems, "coordinateTransformations": [
        {"type": "identity", "input": {"path": "i", "name": "a"}, "output": {"name": "b"}}]}
    seeds.add("validate", "scene-06", "zarr.json", document(version="0.6", scene=scene),
              "i/zarr.json", document(version="0.6", multiscales=[image]))
    label = {"colors": [{"label-value": 1, "rgba": [1, 2, 3, 4]}], "properties": [{"label-value": 1}],
             "source": {"image": "../../"}}
    old = [multiscale("yx", 1)]
    seeds.add("validate", "labels-05", "zarr.json", document(version="0.5", multiscales=old, omero=OMERO),
              "labels/zarr.json", document(version="0.5", labels=["a"]), "labels/a/zarr.json",
              document(version="0.5", multiscales=old, **{"image-label": label}))
    seeds.add("validate", "plate-05", "zarr.json", document(version="0.5", plate={
        "version": "0.5", "rows": [{"name": "A"}], "columns": [{"name": "1"}], "field_count": 1,
        "acquisitions": [{"id": 0, "maximumfieldcount": 1}],
        "wells": [{"path": "A/1", "rowIndex": 0, "columnIndex": 0}]}),
        "A/1/zarr.json", document(version="0.5", well={"images": [{"path": "0", "acquisition": 0}]}))
    seeds.add("validate", "series-05", "zarr.json", document(version="0.5", **{"bioformats2raw.layout": 3}),
              "OME/zarr.json", document(version="0.5", series=["0"]),
              "OME/METADATA.ome.xml", "<OME><!-- --><Image ID='0'/></OME>",
              "0/zarr.json", document(version="0.5", multiscales=old))
    node = {"type": "multiscale", "name": "a", "id": "a", "path": {"type": "zarr", "path": "./a"}}
    plate = {"rows": [{"id": "A"}], "columns": [{"id": "c"}], "acquisitions": [{"id": "q"}]}
    nodes = [
        node | {"attributes": {"acquisition": {"id": "q"}, "labels": {
            "source": [{"id": "a"}], "labelAttributes": [{"labelValue": 1, "color": [1, 2, 3, 4]}]}}},
        {"type": "collection", "name": "b", "path": {"type": "json", "path": "b.json"}},
        {"type": "collection", "name": "w", "nodes": [],
         "attributes": {"well": {"row": {"id": "A"}, "column": {"id": "c"}}}}]
    top = {"version": "0.9.dev3", "type": "collection", "name": "t"}
    seeds.add("validate", "collection", "collection.json",
              json.dumps({"ome": top | {"nodes": nodes, "attributes": {"plate": plate}}}),
              "b.json", json.dumps({"ome": top | {"nodes": [
                  {"type": "collection", "name": "c", "path": {"type": "json", "path": "collection.json"}}]}}))


def tables(seeds):
    """Tables in every back end; texts are packed by hand."""
    def node(**attributes):
        return json.dumps({"zarr_format": 3, "node_type": "group", "attributes": attributes})

    def packed(*texts):
        words = [struct.pack("<I", len(text)) + text.encode() for text in texts]
        return "x" + (struct.pack("<I", len(texts)) + b"".join(words)).hex()

    def stored(shape, kind, codecs, encoding):
        return json.dumps({
            "zarr_format": 3, "node_type": "array", "shape": shape, "data_type": kind,
            "chunk_grid": {"name": "regular", "configuration": {"chunk_shape": shape}},
            "chunk_key_encoding": {"name": "default", "configuration": {"separator": "/"}},
            "fill_value": "" if kind == "string" else 0, "codecs": codecs,
            "attributes": {"encoding-type": encoding, "encoding-version": "0.2.0"}})

    texts, plain = [{"name": "vlen-utf8"}], [{"name": "bytes", "configuration": {"endian": "little"}}]
    frame = {"encoding-type": "dataframe", "encoding-version": "0.2.0"}
    known = {"index_key": "label", "index_type": "int", "type": "feature_table"}
    seeds.add("table", "anndata", "zarr.json", node(backend="anndata", **known),
              "obs/zarr.json", node(**frame, **{"_index": "label", "column-order": ["area", "kind"]}),
              "obs/label/zarr.json", stored([2], "string", texts, "string-array"),
              "obs/label/c/0", packed("3", "7"),
              "obs/area/zarr.json", stored([2], "uint8", plain, "array"), "obs/area/c/0", "x0102",
              "obs/kind/zarr.json", node(**{"encoding-type": "categorical"}),
              "obs/kind/codes/zarr.json", stored([2], "int8", plain, "array"),
              "obs/kind/codes/c/0", "x01ff",
              "obs/kind/categories/zarr.json", stored([2], "string", texts, "string-array"),
              "obs/kind/categories/c/0", packed("x", "y, z"),
              "var/zarr.json", node(**frame, **{"_index": "_index", "column-order": []}),
              "var/_index/zarr.json", stored([0], "string", texts, "string-array"))
    seeds.add("table", "csv", "zarr.json", node(backend="csv", **known), "table.csv",
              'label,area,name\n3,1.5,"a, ""b"""\r\n7,,c\n')
    seeds.add("table", "json", "zarr.json", node(backend="json", **known), "table/zarr.json",
              node(label=[3, 7], area=[1.5, None], name=["a", "b"], flag=[True, False]))


def manifests(seeds):
    shipped = json.loads((REPO / "Manifests/threshold.json").read_text())
    shipped["docs_info"] = ""
    seeds.add("manifest", "threshold", json.dumps(shipped), '{"zarr_url": "/a"}', "method=li\nmin-size=3")
    seeds.add("manifest", "arguments", "", '{"sigma": "2.50", "planes": [1, "2"], "channel": ["a"]}')
    seeds.add("manifest", "words", "", "", "sigma=1e3\nno-dark\nplanes=1,2\nplanes=3\nmode=nearest\ndark=TRUE")
    seeds.add("manifest", "null", "", '{"suffix": null, "most": 0.1, "passes": 8.0, "dark": true}')


def crc32c(data):
    value = 0xFFFFFFFF
    for byte in data:
        value ^= byte
        for _ in range(8):
            value = value >> 1 ^ (0x82F63B78 if value & 1 else 0)
    return struct.pack("<I", value ^ 0xFFFFFFFF)


def journals(seeds):
    """Files of a stage as Sources/OMRun/Journal writes them; the first byte chooses the kind."""
    def text(word):
        return struct.pack("<Q", len(word)) + word

    unit, work = struct.pack("<3q", 0, 1, 5), struct.pack("<Bq", 4, 7)
    damage = struct.pack("<q", 1) + text(b"0") + struct.pack("<Q2q", 2, 3, 9) + struct.pack("<q", 1)
    damage += text(b"0") + struct.pack("<q", 3) + text(b"0/c/1") + b"\1" + struct.pack("<Qq", 1, 3)
    damage += text(b"cut off")
    payloads = [
        (1, struct.pack("<4q", 1, 0, 2, 1700000000000) + text(b"node")),
        (2, unit + struct.pack("<qI", 100, 1)), (2, unit + struct.pack("<qI", -1, 0)), (3, unit),
        (4, work + struct.pack("<2qI", 0, 64, 7)), (5, work + struct.pack("<q", 12)),
        (6, text(damage)), (7, b"")]
    whole = b""
    for kind, payload in payloads:
        record = struct.pack("<IB", len(payload), kind) + payload
        whole += b"OMJ1" + record + crc32c(record)
        seeds.add("journal", f"record-{kind}-{len(payload)}", bytes([1, kind]) + payload)
    seeds.add("journal", "whole", b"\0" + whole)
    seeds.add("journal", "torn", b"\0" + whole[:150] + b"OMJ1" + whole[150:-3])
    seeds.add("journal", "damage", b"\2" + damage)
    block = struct.pack("<10q", 0, 0, 0, 0, 0, 0, 0, 1, 2, 8)
    rows = struct.pack("<Q3I", 3, 0, 1, 2)
    seeds.add("journal", "objects-none", b"\4" + struct.pack("<q", 0) + b"\0" + text(b"") + struct.pack("<Q", 0))
    runs = struct.pack("<Q", 2) + struct.pack("<3I", 1, 3, 0) * 2
    seeds.add("journal", "objects", b"\4" + struct.pack("<q", 4) + b"\0" + text(b"") + struct.pack("<Q", 1)
              + block + rows + runs + struct.pack("<QI", 1, 1) + struct.pack("<QI", 1, 4) + struct.pack("<Q", 0))
    table = bytes([1, 1, 2, 1]) + struct.pack("<Q", 5) + bytes(16 + 33) + struct.pack("<2I", 0, 0)
    table += struct.pack("<4Q", 3, 2, 4, 1)
    seeds.add("journal", "statistics", b"\3" + struct.pack("<Q", 0) + text(table))


def documents(seeds):
    texts = {
        "numbers": "[0, -0, 1.50, 12345678901234567890, 1e308, -2.5E-3, 1E+2, 0.1]",
        "words": '{"attributes": {"a": NaN, "b": [Infinity, -Infinity]}, "c": [true, false, null]}',
        "escapes": r'["\"\\\/\b\f\n\r\t", "\u0041\u00e9\ud83d\ude00", "\u0000", "\u001f"]',
        "unicode": '{"é": "e\u0301", "µm": "\U0001F600"}',
        "spaces": " {\n\t\"a\" : [ ] ,\r\n \"b\" : { } } ",
        "keys": json.dumps({f"k{i}": i for i in range(20)}),
        "deep": "[" * 64 + "]" * 64,
        "too-deep": "[" * 65 + "]" * 65,
        "twice": '{"a": 1, "\\u0061": 2}',
    }
    for name, text in texts.items():
        seeds.add("json", name, text)


def found_images(seeds, folder):
    """Seeds from images on disk; broken ones are welcome."""
    def read(path, limit=LARGEST):
        try:
            if not path.is_file() or path.stat().st_size > limit:
                return None
            return path.read_bytes()
        except OSError:
            return None

    def name(path):
        return hashlib.sha256(str(path.relative_to(folder)).encode()).hexdigest()[:16]

    for path in sorted(folder.rglob("*")):
        if path.suffix == ".json" and path.name != "zarr.json":
            seeds.add("json", name(path), read(path) or b"")
            seeds.add("ome-metadata", name(path), "zarr.json", read(path) or b"")
        if path.name not in ("zarr.json", ".zarray", ".zattrs"):
            continue
        data = read(path)
        if data is None:
            continue
        seeds.add("json", name(path), data)
        if path.name == ".zarray" or b'"array"' in data:
            seeds.add("array-metadata", name(path), data)
            chunks = [p for p in sorted(path.parent.rglob("*")) if p.name not in (
                "zarr.json", ".zarray", ".zattrs", ".zgroup") and p.suffix != ".json"]
            for chunk in chunks:
                stored = read(chunk)
                if stored:
                    seeds.add("chunk", name(chunk), data, stored)
                    break
        else:
            parts = []
            for other in sorted(path.parent.rglob("*")):
                if other.name in ("zarr.json", ".zarray", ".zattrs", ".zgroup"):
                    text = read(other)
                    if text is not None:
                        parts += [str(other.relative_to(path.parent)), text]
            if parts:
                seeds.add("ome-metadata", name(path), *parts)


def tiff(pages, order="<", big=False):
    """A TIFF of pages: tags with their values, and the bytes of the parts."""
    mark, word = (b"II", b"MM")[order == ">"], "Q" if big else "I"
    size = 8 if big else 4
    head = mark + (struct.pack(order + "HHHQ", 43, 8, 0, 16) if big else struct.pack(order + "HI", 42, 8))
    data = bytearray(head)
    for number, (tags, parts) in enumerate(pages):
        start = len(data)
        texts = [v for v in tags.values() if isinstance(v, bytes)]
        table = (8 if big else 2) + (len(tags) + 2) * (20 if big else 12) + size
        lists = start + table
        end = lists + sum(len(t) for t in texts) + 2 * size * len(parts)
        offsets, place = [], end
        for part in parts:
            offsets.append(place)
            place += len(part)
        place += place % 2
        tiled = 322 in tags
        everything = dict(tags) | {324 if tiled else 273: offsets, 325 if tiled else 279: [len(p) for p in parts]}
        entries, extra = b"", b""
        for tag, value in sorted(everything.items()):
            if isinstance(value, bytes):
                kind, count, body = 2, len(value), value
            else:
                values = value if isinstance(value, list) else [value]
                kind, count = (16 if big else 4), len(values)
                body = struct.pack(f"{order}{count}{word}", *values)
            entries += struct.pack(f"{order}HH{word}", tag, kind, count)
            if len(body) <= size:
                entries += body.ljust(size, b"\0")
            else:
                entries += struct.pack(order + word, lists + len(extra))
                extra += body
        follows = place if number + 1 < len(pages) else 0
        count = struct.pack(order + ("Q" if big else "H"), len(everything))
        data += count + entries + struct.pack(order + word, follows)
        data += extra.ljust(end - len(data), b"\0") + b"".join(parts)
        data += b"\0" * (place - len(data))
    return bytes(data)


def tiffs(seeds):
    """Files of a few pages, in every form that is told apart."""
    plane = bytes(range(96))
    grey = {256: 8, 257: 6, 258: 16, 259: 1, 262: 1, 277: 1, 278: 6, 339: 1}
    seeds.add("tiff", "strips", tiff([(grey, [plane])] * 3))
    seeds.add("tiff", "big-endian", tiff([(grey, [plane])], ">"))
    seeds.add("tiff", "bigtiff", tiff([(grey, [plane])] * 2, big=True))
    seeds.add("tiff", "deflate", tiff([(grey | {259: 8, 278: 3}, [zlib.compress(plane[:48])] * 2)]))
    seeds.add("tiff", "packbits", tiff([(grey | {259: 32773}, [b"\x5f" + plane])]))
    tiled = {k: v for k, v in grey.items() if k != 278} | {322: 16, 323: 16}
    seeds.add("tiff", "tiles", tiff([(tiled, [bytes(512)])]))
    rgb = grey | {258: 8, 262: 2, 277: 3}
    seeds.add("tiff", "rgb", tiff([(rgb, [bytes(144)])]))
    seeds.add("tiff", "planes", tiff([(rgb | {284: 2}, [bytes(48)] * 3)]))
    seeds.add("tiff", "bits", tiff([(grey | {258: 1}, [bytes(6)])]))
    seeds.add("tiff", "imagej", tiff([(grey | {270: b"ImageJ=1.54\nimages=2\nframes=2\n\0"}, [plane])] * 2))
    seeds.add(
        "tiff", "imagej-one-page",
        tiff([(grey | {270: b"ImageJ=1.54\nimages=2\nslices=2\n\0"}, [plane])]) + plane)
    seeds.add("tiff", "tifffile", tiff([(grey | {270: b'{"shape": [2, 6, 8], "axes": "TYX"}\0'}, [plane])] * 2))
    xml = (
        '<?xml version="1.0"?><!-- c --><OME UUID="urn:uuid:1"><Image ID="Image:0" Name="a&amp;b">'
        '<Pixels DimensionOrder="XYZCT" Type="uint16" SizeX="8" SizeY="6" SizeZ="1" SizeC="2" SizeT="1" '
        'PhysicalSizeX="0.5" PhysicalSizeXUnit="nm"><Channel Name="c" Color="-1"/><Channel/>'
        '<TiffData IFD="0" PlaneCount="2"><UUID FileName="a.tif">urn:uuid:1</UUID></TiffData>'
        "</Pixels></Image>{}</OME>")
    for name, more in (("ome", ""), ("ome-two", "<Image><Pixels DimensionOrder='XYCZT' Type='uint16' SizeX='8' "
                       "SizeY='6' SizeZ='1' SizeC='1' SizeT='1'><TiffData IFD='1'/></Pixels></Image>")):
        text = xml.format(more).encode() + b"\0"
        seeds.add("tiff", name, tiff([(grey | {270: text}, [plane]), (grey, [plane])]))


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("out", type=Path)
    parser.add_argument("--images", type=Path, action="append", default=[])
    given = parser.parse_args()
    seeds = Seeds(given.out)
    makers = (fixtures, stored_bytes, codecs, shards, zips, servers, tiffs, images, validations, tables, manifests,
              journals, documents)
    for make in makers:
        make(seeds)
    for folder in given.images:
        found_images(seeds, folder)


if __name__ == "__main__":
    main()
