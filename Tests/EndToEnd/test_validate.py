"""`omtask validate`: the verdicts of the conformance cases, every rule, and the published schemas."""

import copy
import csv
import json
import re
import shutil
import subprocess
import sys
import warnings
import zipfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from jsonschema import Draft202012Validator
from referencing import Registry
from referencing.jsonschema import DRAFT202012

from omtask_testing import broken_rules, samples, validation
from omtask_testing.images import PlateShape, write_plate
from omtask_testing.places import REPOSITORY, shared
from omtask_testing.program import Outcome, Program

DIFFERENCES = Path(__file__).parent / "conformance_differences.tsv"
SCHEMA = REPOSITORY / "docs/schemas/validate.schema.json"


def verdict(omtask: Program, path: Path, *words: str) -> tuple[Outcome, dict[str, Any]]:
    """What `validate --json` says."""
    outcome = omtask("validate", "--json", *words, path, expect=None)
    answer = json.loads(outcome.stdout)
    assert outcome.code == (0 if answer["valid"] else 65), str(outcome)
    return outcome, answer


def broken(answer: dict[str, Any], *severities: str) -> set[str]:
    return {rule["rule"] for rule in answer["rules"] if not severities or rule["severity"] in severities}


def cases() -> tuple[Path, list[dict[str, str]]]:
    table = shared("conformance/cases.tsv")
    if table is None:
        pytest.skip("../shared/conformance is absent")
    with table.open(newline="") as lines:
        return table.parent, list(csv.DictReader(lines, delimiter="\t", quoting=csv.QUOTE_NONE))


def documented_rules() -> dict[str, str]:
    """Rules by name with their levels, as docs/validate.md lists them."""
    text = (REPOSITORY / "docs/validate.md").read_text()
    return dict(re.findall(r"^\| `([a-z0-9-]+)` \| ([^|]+) \|", text, re.MULTILINE))


def test_every_conformance_case_gets_the_verdict_expected(omtask: Program) -> None:
    root, table = cases()
    reasons = dict(line.split("\t", 1) for line in DIFFERENCES.read_text().splitlines()[1:])
    assert len(table) >= 320

    def judge(case: dict[str, str]) -> str:
        strict = ["--strict"] if case["level"] == "strict" else []
        _, answer = verdict(omtask, root / case["path"], *strict)
        if not answer["valid"]:
            return "invalid"
        # outside stores, a document alone may be valid with warnings
        asks_for_warnings = case["level"] == "store" or case["expected"] == "warn"
        return "warn" if asks_for_warnings and answer["warning_count"] else "valid"

    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(judge, table))
    wrong = [
        f"{case['path']}: {answer}, expected {case['expected']} ({case['reason']})"
        for case, answer in zip(table, found, strict=True)
        if answer != case["expected"] and case["path"] not in reasons
    ]
    assert not wrong, "\n".join(wrong)


def test_the_conformance_line_says_the_same_in_one_line(omtask: Program) -> None:
    root, table = cases()
    for case in table[::16]:
        outcome = omtask("validate", "--conformance", root / case["path"])
        assert outcome.code == 0
        (line,) = outcome.stdout.splitlines()
        answer = json.loads(line)
        assert set(answer) == {"valid", "message"} and answer["message"]
        _, full = verdict(omtask, root / case["path"])
        assert answer["valid"] == full["valid"]


WHOLE = [
    validation.image, validation.labelled, validation.plate, validation.series, validation.registered,
    validation.scene, validation.collection,
    *(lambda version=version: validation.image(version) for version in ("0.1", "0.2", "0.3", "0.4", "0.6")),
    *(lambda version=version: validation.plate(version) for version in ("0.4", "0.6")),
    *(lambda version=version: validation.labelled(version) for version in ("0.4", "0.6")),
]  # fmt: skip


@pytest.mark.parametrize("make", WHOLE)
def test_what_keeps_all_rules_is_valid_in_strict_mode_too(make: Any, omtask: Program, tmp_path: Path) -> None:
    validation.write(tmp_path / "whole", make())
    _, answer = verdict(omtask, tmp_path / "whole", "--strict")
    assert answer["valid"] and not answer["rules"], answer["rules"]


def test_every_rule_has_a_store_that_breaks_it(omtask: Program, tmp_path: Path) -> None:
    """And that store was whole before, so it is this rule that sees the difference."""
    rules = documented_rules()
    missing = set(rules) - {name for name, _, _ in broken_rules.BROKEN}
    # these two are about single documents, the others have a test of their own
    archives = {name for name in rules if name.startswith("archive-")}
    assert missing == {"document-fragment", "reference-draft"} | archives
    wrong = []
    for name, make, edits in broken_rules.BROKEN:
        tree = copy.deepcopy(make())
        for edit in edits:
            edit(tree)
        path = validation.write(tmp_path / name, tree)
        _, answer = verdict(omtask, path)
        (found,) = [rule for rule in answer["rules"] if rule["rule"] == name] or [None]
        level = {"must": "error", "should": "warning", "wish": "note", "info": "note"}
        if found is None or found["severity"] != level[found["level"]]:
            wrong.append(f"{name}: {sorted(broken(answer))}")
        elif name not in rules or not found["fix"] or not found["places"][0]["message"]:
            wrong.append(f"{name}: {found}")
    assert not wrong, "\n".join(wrong)


def test_a_should_counts_in_strict_mode(omtask: Program, tmp_path: Path) -> None:
    tree = validation.image()
    broken_rules.drop("zarr.json", "multiscales.0.metadata")(tree)
    broken_rules.put("zarr.json", "multiscales.0.axes.0.unit", "µm")(tree)
    path = validation.write(tmp_path / "image", tree)
    _, loose = verdict(omtask, path)
    assert loose["valid"] and (loose["warning_count"], loose["note_count"]) == (1, 1)
    _, strict = verdict(omtask, path, "--strict")
    assert broken(strict, "error") == {"axes-unit-name", "multiscales-metadata"}


# --- beside the published schemas


class Schemas:
    """The published JSON schemas."""

    def __init__(self, root: Path) -> None:
        self.root = root
        resources = []
        for path in root.glob("*/*.schema"):
            schema = json.loads(path.read_text())
            resource = DRAFT202012.create_resource(schema)
            resources += [(schema["$id"], resource), (f"file:{path.parent.name}/{path.name}", resource)]
        self.registry = Registry().with_resources(resources)

    def accepts(self, version: str, kind: str, document: Any) -> bool:
        schema = json.loads((self.root / version / f"{kind}.schema").read_text())
        return Draft202012Validator(schema, registry=self.registry).is_valid(document)


KINDS = {
    "multiscales": "image", "plate": "plate", "well": "well", "image-label": "label", "scene": "scene",
    "bioformats2raw.layout": "bf2raw", "series": "ome",
}  # fmt: skip
ODD: list[Any] = [None, True, -1, 0, 1.5, 300, "", "a b", "invalid", [], [1], {}, {"a": 1}]


def places(value: Any) -> Iterator[tuple[Any, Any]]:
    """Every member and element of a document, with what holds it."""
    if isinstance(value, (dict, list)):
        for key, inner in list(value.items() if isinstance(value, dict) else enumerate(value)):
            yield value, key
            yield from places(inner)


def mutated(document: Any, rng: np.random.Generator) -> Any:
    document = copy.deepcopy(document)
    for _ in range(int(rng.integers(1, 3))):
        spots = list(places(document))
        if not spots:
            break
        holder, key = spots[int(rng.integers(len(spots)))]
        match rng.integers(4):
            case 0:
                del holder[key]
            case 1 if isinstance(holder, list):
                holder.append(copy.deepcopy(holder[key]))
            case 2 if isinstance(holder[key], (int, float)) and not isinstance(holder[key], bool):
                holder[key] = [-holder[key] - 1, holder[key] + 0.5, 1e9][int(rng.integers(3))]
            case _:
                holder[key] = copy.deepcopy(ODD[int(rng.integers(len(ODD)))])
    return document


def judged_by(document: Any) -> tuple[str, str] | None:
    """Version and kind of the schema for a document; None where several or none apply."""
    keys = document.get("ome", document) if isinstance(document, dict) else None
    if not isinstance(keys, dict):
        return None
    kinds = [kind for key, kind in KINDS.items() if key in keys]
    if len(kinds) != 1:
        return None
    inner = keys
    if "ome" not in document:
        holder = [keys[key] for key, kind in KINDS.items() if kind == kinds[0]][0]
        inner = holder[0] if isinstance(holder, list) and holder else holder
    version = inner.get("version") if isinstance(inner, dict) else None
    if "ome" in document:
        version = version if version in ("0.5", "0.9.dev1") else "0.6" if version in ("0.6", "0.6rc0") else None
    elif version not in ("0.1", "0.2", "0.3", "0.4"):
        return None
    return (version, kinds[0]) if version else None


def seeds(root: Path, table: list[dict[str, str]]) -> list[Any]:
    documents = []
    for case in table:
        if case["expected"] == "valid" and case["path"].endswith(".json") and case["path"].startswith("upstream/0"):
            documents.append(json.loads((root / case["path"]).read_text()))
    documents = [document.get("attributes", document) for document in documents]
    later = [json.loads(json.dumps(d).replace('"0.6rc0"', '"0.9.dev1"')) for d in documents]
    return documents + [d for d in later if "0.9.dev1" in json.dumps(d)]


def test_no_document_is_valid_that_the_schemas_refuse(
    omtask: Program, tmp_path: Path, rng: np.random.Generator, request: pytest.FixtureRequest
) -> None:
    root, table = cases()
    schemas = Schemas(root / "schemas")
    originals = [document for document in seeds(root, table) if judged_by(document)]
    documents = []
    for _ in range(20000 if request.config.getoption("--acceptance") else 1200):
        original = originals[int(rng.integers(len(originals)))]
        document = mutated(original, rng)
        schema = judged_by(document) or judged_by(original)
        documents.append((document, schema, schemas.accepts(*schema, document)))

    def judge(number: int) -> bool:
        path = tmp_path / f"{number}.json"
        path.write_text(json.dumps(documents[number][0]))
        valid = json.loads(omtask("validate", "--conformance", path).stdout)["valid"]
        path.unlink()
        return valid

    with ThreadPoolExecutor(4) as pool:
        valid = list(pool.map(judge, range(len(documents))))
    wrong = [
        f"{schema}: {json.dumps(document)}"
        for (document, schema, accepted), ours in zip(documents, valid, strict=True)
        if ours and not accepted
    ]
    assert not wrong, f"{len(wrong)} of {len(documents)}\n" + "\n".join(wrong[:5])
    refused = sum(not accepted for _, _, accepted in documents)
    assert refused > len(documents) // 4
    # where schemas see nothing wrong, we mostly agree; the rest are rules that schemas cannot express
    kept = [ours for (_, _, accepted), ours in zip(documents, valid, strict=True) if accepted]
    assert sum(kept) > 0.8 * len(kept)


# --- what omtask writes


def without_warnings(omtask: Program, path: Path) -> dict[str, Any]:
    _, answer = verdict(omtask, path)
    assert answer["valid"] and not answer["warning_count"], answer["rules"]
    return answer


@pytest.mark.parametrize("layout", samples.BOTH, ids=lambda layout: layout.version)
def test_what_omtask_writes_is_valid_without_warnings(
    layout: Any, omtask: Program, tmp_path: Path, rng: np.random.Generator
) -> None:
    path = tmp_path / "image.zarr"
    samples.write_blobs(path, layout, rng, axes="czyx", shape=(2, 8, 50, 60), channels=("a", "b"))
    before = without_warnings(omtask, path)
    omtask.threshold(path, parameters={"method": "otsu", "label_name": "nuclei", "channel": "a"})
    omtask.run("project", path)
    omtask.run("measure", path, parameters={"label": "nuclei"})
    for version in ("0.4", "0.5"):
        copied = tmp_path / f"copy{version}.zarr"
        omtask("run", "convert", path, "--ome-version", version, "--output", copied)
        assert without_warnings(omtask, copied)["images"] == 1
    after = without_warnings(omtask, path)
    assert (before["label_images"], after["label_images"]) == (0, 1)
    for made in tmp_path.iterdir():
        without_warnings(omtask, made)


@pytest.mark.parametrize("layout", samples.BOTH, ids=lambda layout: layout.version)
def test_plates_that_omtask_writes_are_valid_without_warnings(
    layout: Any, omtask: Program, tmp_path: Path, rng: np.random.Generator
) -> None:
    shape = PlateShape(2, 2, 2)
    image = samples.blobs_image(layout, rng, axes="czyx", shape=(1, 4, 20, 24), channels=("a",))
    plate = write_plate(tmp_path / "plate.zarr", shape, {name: image for name in shape.images})
    omtask.threshold(plate, parameters={"method": "otsu", "label_name": "nuclei"})
    omtask("run", "gaussian-blur", plate, "--output", tmp_path / "blurred.zarr")
    answer = without_warnings(omtask, plate)
    assert (answer["wells"], answer["images"], answer["label_images"]) == (4, 8, 8)
    assert without_warnings(omtask, tmp_path / "blurred.zarr")["images"] == 8


@pytest.mark.parametrize("version", ["0.4", "0.5"])
def test_the_models_agree_on_images(version: str, tmp_path: Path) -> None:
    """What our samples call whole, ome-zarr-models opens too."""
    path = validation.write(tmp_path / "image", validation.image(version))
    # In a process of its own: ngio, once imported, makes the models refuse 0.4.
    program = ("import sys, ome_zarr_models, zarr\n"
               "assert ome_zarr_models.open_ome_zarr(zarr.open_group(sys.argv[1], mode='r'))")
    done = subprocess.run([sys.executable, "-c", program, path], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


# --- the call


def test_the_answer_follows_its_schema(omtask: Program, tmp_path: Path) -> None:
    schema = Draft202012Validator(json.loads(SCHEMA.read_text()))
    for name, make, edits in broken_rules.BROKEN[::9]:
        tree = copy.deepcopy(make())
        for edit in edits:
            edit(tree)
        _, answer = verdict(omtask, validation.write(tmp_path / name, tree))
        schema.validate(answer)


def zipped(path: Path, folder: Path, change: str = "") -> Path:
    """An archive as RFC-9 wants it, but for one thing."""
    files = sorted((file for file in folder.rglob("*") if file.is_file()), key=lambda file: (
        file.name != "zarr.json", len(file.parts), file))
    if change == "order":
        files.reverse()
    if change == "start":
        path.write_bytes(b"#!/bin/sh\n")
    with warnings.catch_warnings(), zipfile.ZipFile(path, "a") as archive:
        warnings.simplefilter("ignore")
        for file in [*files, *files[-1:]] if change == "unique-names" else files:
            entry = zipfile.ZipInfo(file.relative_to(folder).as_posix())
            entry.compress_type = zipfile.ZIP_DEFLATED if change == "stored" else zipfile.ZIP_STORED
            if change == "extra-fields":
                entry.extra = b"\xfe\xca\x02\x00ab"
            with archive.open(entry, "w", force_zip64=change != "zip64") as opened:
                opened.write(file.read_bytes())
        if change == "one-hierarchy":
            with archive.open(zipfile.ZipInfo("beside/other.zarr/zarr.json"), "w", force_zip64=True) as opened:
                opened.write(b"{}")
        if change != "comment":
            version = b"0.6" if change == "version" else b"0.5"
            archive.comment = b'{"ome": {"version": "%s"}}' % version
    if change == "readable":
        path.write_bytes(path.read_bytes()[:-40])
    return path.rename(path.with_suffix(".zip")) if change == "name" else path


def test_every_rule_of_archives_is_seen(omtask: Program, tmp_path: Path) -> None:
    folder = validation.write(tmp_path / "image", validation.image())
    _, answer = verdict(omtask, zipped(tmp_path / "good.ozx", folder), "--strict")
    assert answer["valid"] and not answer["rules"] and answer["images"] == 1, answer["rules"]
    omtask("validate", tmp_path / "good.ozx/nope", expect=66)
    rules = [name for name in documented_rules() if name.startswith("archive-")]
    assert len(rules) == 11
    for name in rules:
        path = zipped(tmp_path / f"{name}.ozx", folder, name.removeprefix("archive-"))
        _, answer = verdict(omtask, path)
        assert broken(answer) == {name}
        assert answer["valid"] == (name not in {"archive-readable", "archive-one-hierarchy"})
        line = omtask("validate", "--conformance", path).stdout
        assert json.loads(line)["valid"] == answer["valid"]


def test_what_a_collection_names_twice_is_judged_and_counted_once(omtask: Program, tmp_path: Path) -> None:
    """Labels by their image and by themselves, images by their plate and by themselves."""
    tree = validation.collection()
    broken_rules.put("raw.zarr/" + broken_rules.LABEL, "image-label.colors.0.rgba", [0])(tree)
    again = copy.deepcopy(tree["collection.json"]["ome"]["nodes"][1]) | {"name": "again"}
    field = {"type": "multiscale", "name": "field", "path": {"type": "zarr", "path": "./plate.zarr/B/1/0"}}
    plate = {"type": "collection", "name": "plate", "path": {"type": "zarr", "path": "./plate.zarr"}}
    broken_rules.add(broken_rules.NODES, "nodes", again, field, plate)(tree)
    tree |= validation.below("plate.zarr", validation.plate())
    folder = validation.write(tmp_path / "all", tree)
    _, answer = verdict(omtask, folder)
    (color,) = [rule for rule in answer["rules"] if rule["rule"] == "label-color-rgba"]
    assert color["count"] == 1 and answer["label_images"] == 1
    _, image = verdict(omtask, folder / "raw.zarr")
    _, plates = verdict(omtask, folder / "plate.zarr")
    assert answer["images"] == image["images"] + plates["images"]
    assert answer["arrays"] == image["arrays"] + plates["arrays"]
    # the image whose levels stand in the collection cannot be read
    told = json.loads(omtask("info", "--json", folder, expect=76).stdout)
    assert told["labels"] == 1


def test_a_node_that_leads_to_something_else_is_one_finding(omtask: Program, tmp_path: Path) -> None:
    """An array, and a group that is not of OME-Zarr."""
    for kind in ("raw.zarr/0", "group.zarr"):
        tree = validation.collection() | {
            "group.zarr/zarr.json": {"zarr_format": 3, "node_type": "group", "attributes": {}}}
        broken_rules.put(broken_rules.NODES, "nodes.0.path.path", kind)(tree)
        folder = validation.write(tmp_path / kind.replace("/", "-"), tree)
        _, answer = verdict(omtask, folder)
        (finding,) = answer["rules"]
        assert answer["valid"] and finding["rule"] == "node-path-kind" and finding["count"] == 1


def test_labels_by_themselves_may_name_an_image_above_the_root(omtask: Program, tmp_path: Path) -> None:
    folder = validation.write(tmp_path / "image", validation.labelled())
    for part in ("labels", "labels/nuclei"):
        _, answer = verdict(omtask, folder / part, "--strict")
        assert answer["valid"] and not answer["rules"], answer["rules"]


@pytest.mark.parametrize("kind", ["scene", "links", "depth"])
def test_circles_and_depths_end(kind: str, omtask: Program, tmp_path: Path) -> None:
    """A scene that points at what holds it, links in circles, and images in images in images."""
    layout = {"bioformats2raw.layout": 3}
    if kind == "scene":
        up = {"path": "..", "name": "physical"}
        group(tmp_path / "a", layout)
        group(tmp_path / "a/0", {"multiscales": [], "scene": {"coordinateTransformations": [
            {"type": "identity", "input": up, "output": up}]}})
    elif kind == "links":
        group(tmp_path / "a", layout | {"multiscales": []})
        for name in ("0", "1"):
            (tmp_path / "a" / name).symlink_to(".")
    else:
        path = tmp_path / "a"
        for _ in range(300):
            group(path, layout | {"multiscales": []})
            path /= "0"
    outcome = omtask("validate", tmp_path / "a", expect=65)
    assert outcome.seconds < 10


def group(path: Path, keys: dict[str, Any]) -> None:
    path.mkdir(parents=True, exist_ok=True)
    document = {"zarr_format": 3, "node_type": "group",
                "attributes": {"ome": {"version": "0.6", **keys}}}
    (path / "zarr.json").write_text(json.dumps(document))


def test_a_person_reads_rule_place_and_fix(omtask: Program, tmp_path: Path) -> None:
    tree = validation.plate()
    for number in range(20):
        broken_rules.add("zarr.json", "plate.rows", {"name": f"-{number}"})(tree)
    outcome = omtask("validate", validation.write(tmp_path / "plate", tree), expect=65)
    assert "error     plate-line-name-alphanumeric: " in outcome.stdout
    assert "zarr.json /attributes/ome/plate/rows/2/name: a name in `rows` is \"-0\"" in outcome.stdout
    assert "and 15 more\n            fix: rename the row or column" in outcome.stdout
    assert len(outcome.stderr.splitlines()) == 1


@pytest.mark.parametrize(
    ("words", "code"),
    [
        ((), 64), (("image", "--conformance", "image"), 64), (("--json", "--conformance", "image"), 64),
        (("nowhere",), 66), (("--conformance", "nowhere"), 66), (("gs://bucket/a.zarr",), 76),
        (("a.ozx",), 66), (("empty",), 65),
    ],
)  # fmt: skip
def test_calls_that_cannot_be_answered(
    words: tuple[str, ...], code: int, omtask: Program, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    validation.write(tmp_path / "image", validation.image())
    (tmp_path / "empty").mkdir()
    outcome = omtask("validate", *words, expect=code)
    assert outcome.stderr


def test_nothing_outside_the_folder_is_read(omtask: Program, tmp_path: Path) -> None:
    """Neither through paths of documents nor through links."""
    secret = validation.write(tmp_path / "secret", validation.image())
    root = validation.write(tmp_path / "root", validation.labelled())
    shutil.rmtree(root / "0")
    (root / "0").symlink_to(secret / "0")
    _, answer = verdict(omtask, root)
    assert "document-readable" in broken(answer, "error")
    tree = validation.collection()
    broken_rules.put("collection.json", "nodes.0.path.path", "../secret")(tree)
    _, answer = verdict(omtask, validation.write(tmp_path / "collection", tree) / "collection.json")
    assert broken(answer, "error", "warning") == {"node-path-outside"}


def test_a_plate_of_many_wells_is_quick(
    omtask: Program, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    side = 100 if request.config.getoption("--acceptance") else 12
    tree = validation.plate()
    names = [f"{number:02}" for number in range(side)]
    keys = tree["zarr.json"]["attributes"]["ome"]["plate"]
    well = {key: document for key, document in tree.items() if key.startswith("B/1/")}
    keys |= {
        "rows": [{"name": name} for name in names], "columns": [{"name": name} for name in names],
        "wells": [{"path": f"{row}/{column}", "rowIndex": i, "columnIndex": j}
                  for i, row in enumerate(names) for j, column in enumerate(names)],
    }  # fmt: skip
    root = validation.write(tmp_path / "plate", {"zarr.json": tree["zarr.json"]})
    texts = {key.removeprefix("B/1/"): json.dumps(document) for key, document in well.items()}
    for row in names:
        validation.write(root / row, validation.group("0.5", {}))
        for column in names:
            validation.write(root / row / column, texts)
    outcome, answer = verdict(omtask, root)
    assert answer["valid"] and (answer["wells"], answer["images"]) == (side**2, 2 * side**2)
    assert outcome.seconds < 30
