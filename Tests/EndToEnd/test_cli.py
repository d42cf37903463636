"""Bad calls get the right text and exit code and leave nothing behind; good ones are repeatable."""

import json
import os
import shutil
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote

import jsonschema
import numcodecs
import numpy as np
import pytest
import zarr
from PIL import Image as Picture

from omtask_testing import samples
from omtask_testing.oracle import expected_labels
from omtask_testing.places import REPOSITORY
from omtask_testing.program import MPI_ENVIRONMENT, Program
from omtask_testing.reading import listed_labels, read_label
from omtask_testing.trees import leftovers, tree

NOBODY = 65534


@pytest.fixture
def image(tmp_path: Path, rng: np.random.Generator) -> Path:
    path = tmp_path / "image.zarr"
    samples.write_blobs(path, samples.SHARDED, rng)
    return path


@pytest.fixture
def channels(tmp_path: Path, rng: np.random.Generator) -> Path:
    path = tmp_path / "channels.zarr"
    names = ("DAPI", "GFP")
    samples.write_blobs(path, samples.V2, rng, axes="czyx", shape=(2, 9, 30, 31), channels=names)
    return path


def test_a_file_url_is_the_path_that_it_names(omtask: Program, image: Path, tmp_path: Path) -> None:
    """Also with what URLs encode, for inputs, outputs, single arrays and collections."""
    folder = tmp_path / "50% größer, a b"
    folder.mkdir()
    path = image.rename(folder / "image #1.zarr")
    urls = ["file://" + quote(str(path)), "file://localhost" + quote(str(path))]
    facts = json.loads(omtask("info", "--json", path).stdout)
    for url in urls:
        told = json.loads(omtask("info", "--json", url).stdout)
        assert told | {"uri": ""} == facts | {"uri": ""}
        assert json.loads(omtask("validate", "--json", url).stdout)["images"] == 1
        omtask("verify", url)
    assert omtask("info", urls[0] + "/0").stdout.count("Zarr v3 array") == 1
    out = folder / "out put.zarr"
    omtask.threshold(urls[0], extra=["--output", "file://" + quote(str(out))])
    assert (out / "zarr.json").is_file() and "%" not in out.name
    omtask.threshold("--input", urls[0])
    assert listed_labels(path)
    omtask("clean", urls[0])
    node = {"type": "multiscale", "name": "one", "path": {"type": "zarr", "path": urls[0]}}
    document = {"version": "0.9.dev3", "type": "collection", "name": "all", "nodes": [node]}
    (tmp_path / "list").mkdir()
    (tmp_path / "list/collection.json").write_text(json.dumps({"ome": document}))
    refused = omtask("plan", "threshold", tmp_path / "list", expect=77)
    assert "--follow-links" in refused.stderr
    omtask("plan", "threshold", tmp_path / "list", "--follow-links", "--label-name", "again")
    omtask("info", "file:///a%00b", expect=76)


# Bad calls


@pytest.mark.parametrize(
    ("words", "code", "says"),
    [
        (["run", "threshold", "IMAGE", "--treshold", "5"], 64, ["treshold", "threshold"]),
        (["run", "treshold", "IMAGE"], 64, ["treshold", "`threshold`"]),
        (["run", "threshold", "IMAGE", "--overwite"], 64, ["overwite", "overwrite"]),
        (["run", "threshold", "IMAGE", "--threshold", "abc"], 64, ["threshold", "abc"]),
        (["run", "threshold", "IMAGE", "--min-size", "2.5"], 64, ["min-size", "2.5"]),
        (["run", "threshold", "IMAGE", "--method", "otzu"], 64, ["otzu", "otsu"]),
        (["run", "threshold", "IMAGE", "--method", "fixed"], 64, ["threshold"]),
        (["run", "threshold", "IMAGE", "--objects", "false", "--min-size", "3"], 0, []),
        (["run", "threshold"], 64, []),
        (["run", "threshold", "IMAGE", "--level", "7"], 64, ["7"]),
        (["run", "threshold", "IMAGE", "--label-name", "../out"], 77, ["../out"]),
        (["run", "threshold", "CHANNELS"], 64, ["DAPI", "GFP"]),
        (["run", "threshold", "CHANNELS", "--channel", "DAPL"], 64, ["DAPL", "DAPI"]),
        (["run", "threshold", "CHANNELS", "--channel", "0", "--select", "c=1"], 64, ["--select"]),
        (["run", "threshold", "ABSENT"], 66, ["ABSENT"]),
        (["run", "threshold", "EMPTY"], 65, ["EMPTY"]),
        (["run", "threshold", "FILE"], 66, ["FILE"]),
        (["info", "ABSENT"], 66, ["ABSENT"]),
        (["plan", "threshold", "IMAGE", "--threads", "none"], 64, ["none"]),
        (["frobnicate"], 64, ["frobnicate"]),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else str(value),
)
def test_a_bad_call_is_explained(
    words: list[str], code: int, says: list[str], omtask: Program, tmp_path: Path,
    image: Path, channels: Path,
) -> None:
    places = {"IMAGE": image, "CHANNELS": channels, "ABSENT": tmp_path / "absent.zarr",
              "EMPTY": tmp_path / "empty.zarr", "FILE": tmp_path / "file.zarr"}
    places["EMPTY"].mkdir()
    places["FILE"].write_text("no image")
    before = tree(tmp_path)
    outcome = omtask(*(places.get(word, word) for word in words), expect=code)
    for part in says:
        text = places[part].name if part in places else part
        assert text in outcome.stderr, outcome
    if code:
        assert tree(tmp_path) == before


def test_an_error_is_one_line_without_a_terminal(omtask: Program, tmp_path: Path) -> None:
    absent = tmp_path / "absent.zarr"
    outcome = omtask("run", "threshold", absent, expect=66)
    last = outcome.stderr.strip().splitlines()[-1]
    assert last.startswith("omtask: error[missing]:") and str(absent) in last


def test_several_ranks_say_it_once(omtask: Program, tmp_path: Path) -> None:
    outcome = omtask.threshold(tmp_path / "absent.zarr", ranks=3, expect=66)
    assert outcome.stderr.count("error[missing]") == 1, outcome


def damaged_chunk(image: Path) -> Path:
    """Cuts the largest chunk file of level 0 in half."""
    files = [f for f in (image / "0").rglob("*") if f.is_file() and f.name[0] not in ".z"]
    file = max(files, key=lambda f: f.stat().st_size)
    os.truncate(file, file.stat().st_size // 2)
    return file


@pytest.mark.parametrize("ranks", [None, 2])
@pytest.mark.parametrize("layout", samples.BOTH, ids=lambda layout: layout.version)
def test_a_truncated_chunk_is_named(
    layout: samples.Layout, ranks: int | None, omtask: Program, tmp_path: Path,
    rng: np.random.Generator,
) -> None:
    path = tmp_path / "image.zarr"
    samples.write_blobs(path, layout, rng)
    file = damaged_chunk(path)
    before = tree(path)
    outcome = omtask.threshold(path, ranks=ranks, expect=65)
    assert str(file.relative_to(path)) in outcome.stderr
    assert listed_labels(path) == []
    assert {k: v for k, v in tree(path).items() if not k.startswith(".omtask")} == before


FILL = ["--on-damage", "fill"]


@pytest.mark.parametrize("engine", [{}, {"threads": 3}, {"ranks": 2}, {"ranks": 3}], ids=str)
@pytest.mark.parametrize("layout", samples.BOTH, ids=lambda layout: layout.version)
def test_a_truncated_chunk_can_be_filled(
    layout: samples.Layout, engine: dict[str, int], omtask: Program, tmp_path: Path,
    rng: np.random.Generator,
) -> None:
    path, events = tmp_path / "image.zarr", tmp_path / "events.jsonl"
    source = samples.write_blobs(path, layout, rng, levels=1).levels[0].copy()
    file = damaged_chunk(path)
    place = [int(part) for part in file.relative_to(path / "0").parts if part != "c"]
    # A shard loses its index with its end, and so all of its chunks.
    unit = [n * m for n, m in zip(layout.chunk, layout.shard or (1, 1, 1))]
    source[tuple(slice(i * n, (i + 1) * n) for i, n in zip(place, unit))] = 0
    wanted = {"label_name": "l"}
    outcome = omtask.threshold(
        path, parameters=wanted, extra=[*FILL, "--events", events], **engine)
    (ought,) = expected_labels([source], "zyx", wanted)
    assert np.array_equal(read_label(path, "l").levels[0], ought.levels[0])

    key = str(file.relative_to(path))
    (told,) = outcome.report.images
    assert outcome.report.document["damaged_chunks"] == told["damaged_chunks"]["count"] == 1
    assert [chunk["key"] for chunk in told["damaged_chunks"]["listed"]] == [key]
    jsonschema.validate(outcome.report.document, schema("report"))
    lines = [json.loads(line) for line in events.read_text().splitlines()]
    (warning,) = [line["message"] for line in lines if line["event"] == "warning"]
    assert key in warning and warning in outcome.stderr
    assert "1 damaged chunk " in outcome.stderr
    assert read_label(path, "l").attributes["omtask"]["filled_chunks"] == 1

    again = omtask.threshold(path, parameters=wanted, extra=FILL, **engine)
    assert again.report.with_status("skipped")
    assert again.report.document["damaged_chunks"] == 1
    outcome = omtask.threshold(path, parameters=wanted, expect=73, **engine)
    assert "--overwrite" in outcome.stderr
    assert "--on-damage fill" in omtask.threshold(path, extra=["--overwrite"], expect=65).stderr


@pytest.mark.parametrize("objects", [True, False])
def test_filling_is_the_same_on_threads_and_ranks(
    objects: bool, omtask: Program, tmp_path: Path, rng: np.random.Generator
) -> None:
    path = tmp_path / "image.zarr"
    samples.write_blobs(path, samples.SHARDED, rng, shape=(30, 70, 80))
    files = sorted(f for f in (path / "0/c").rglob("*") if f.is_file())
    for file in files[:3]:  # the first inner chunk that each holds
        file.write_bytes(bytes(8) + file.read_bytes()[8:])
    os.truncate(files[3], files[3].stat().st_size - 5)
    results = []
    for number, engine in enumerate(({}, {"threads": 3}, {"ranks": 2}, {"ranks": 3})):
        copy = tmp_path / str(number) / "image.zarr"
        shutil.copytree(path, copy)
        wanted = {"method": "otsu", "objects": objects, "label_name": "l"}
        outcome = omtask.threshold(copy, parameters=wanted, extra=FILL, **engine)
        results.append((tree(copy), outcome.report.images[0]["damaged_chunks"]))
    assert all(result == results[0] for result in results)
    told = results[0][1]
    assert told["count"] == len(told["listed"]) == 4
    assert sum("chunk" not in chunk for chunk in told["listed"]) == 1
    assert {chunk["key"] for chunk in told["listed"]} == {
        str(file.relative_to(path)) for file in files[:4]}


def test_filling_changes_nothing_where_nothing_is_damaged(
    omtask: Program, image: Path
) -> None:
    omtask.threshold(image, parameters={"label_name": "a"})
    outcome = omtask.threshold(image, parameters={"label_name": "b"}, extra=FILL)
    assert np.array_equal(read_label(image, "a").levels[0], read_label(image, "b").levels[0])
    assert outcome.report.document["damaged_chunks"] == 0
    assert "damaged_chunks" not in outcome.report.images[0]
    assert "filled_chunks" not in read_label(image, "b").attributes["omtask"]


@pytest.mark.parametrize("layout", samples.BOTH, ids=lambda layout: layout.version)
@pytest.mark.parametrize("make", [Path.mkdir, os.mkfifo], ids=["folder", "pipe"])
def test_what_is_no_file_is_a_damaged_chunk(
    make: Callable[[Path], None], layout: samples.Layout, omtask: Program, tmp_path: Path,
    rng: np.random.Generator
) -> None:
    path = tmp_path / "image.zarr"
    samples.write_blobs(path, layout, rng, levels=1)
    file = damaged_chunk(path)
    file.unlink()
    make(file)
    key = str(file.relative_to(path))
    for words in (["cat", path / "0"], ["run", "threshold", path], ["verify", path]):
        assert key in omtask(*words, expect=65).stderr
    assert listed_labels(path) == []
    outcome = omtask.threshold(path, parameters={"label_name": "l"}, extra=FILL)
    (told,) = outcome.report.images
    assert [chunk["key"] for chunk in told["damaged_chunks"]["listed"]] == [key]
    shutil.rmtree(file) if file.is_dir() else file.unlink()
    omtask.threshold(path, parameters={"label_name": "absent"})
    assert np.array_equal(read_label(path, "l").levels[0], read_label(path, "absent").levels[0])


@pytest.mark.parametrize("make", [Path.touch, os.mkfifo], ids=["file", "pipe"])
def test_what_is_no_folder_hides_chunks_that_count_as_damaged(
    make: Callable[[Path], None], omtask: Program, image: Path
) -> None:
    shutil.rmtree(image / "0/c")
    make(image / "0/c")
    for words in (["cat", image / "0"], ["run", "threshold", image], ["verify", image]):
        assert "0/c" in omtask(*words, expect=65).stderr
    outcome = omtask.threshold(image, extra=FILL)
    assert outcome.report.document["damaged_chunks"] > 0


@pytest.mark.parametrize("compressor", [
    numcodecs.GZip(1), numcodecs.Zlib(1), numcodecs.Zstd(1), numcodecs.LZ4(), numcodecs.Blosc("lz4")],
    ids=lambda compressor: compressor.codec_id)
def test_a_chunk_of_another_shape_is_damaged(
    compressor: numcodecs.abc.Codec, omtask: Program, tmp_path: Path
) -> None:
    """No limit of the user's: 65. The right part of it cannot be told, so all of it is filled."""
    for count, code in ((100, 0), (101, 65), (800, 65)):
        path = tmp_path / str(count)
        array = zarr.create_array(
            path, shape=(100,), chunks=(100,), dtype="<u2", zarr_format=2, compressors=compressor)
        array[:] = 1
        (path / "0").write_bytes(compressor.encode(np.arange(count, dtype="<u2")))
        assert omtask.cat(path, expect=code).code == code


def test_an_unwritable_folder_is_refused_before_work(
    omtask: Program, open_folder: Path, rng: np.random.Generator
) -> None:
    path = open_folder / "image.zarr"
    samples.write_blobs(path, samples.SHARDED, rng)
    program, launcher = omtask, []
    if os.geteuid() == 0:  # root may write everywhere: become somebody else
        launcher = ["setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups"]
        program = Program(Path(shutil.copy2(omtask.path, open_folder)), open_folder)
    else:
        path.chmod(0o555)
    before = tree(path)
    outcome = program("run", "threshold", path, launcher=launcher, expect=77)
    path.chmod(0o755)
    assert "--output" in outcome.stderr
    assert tree(path) == before


def test_a_label_type_that_is_too_small_is_refused(omtask: Program, image: Path) -> None:
    before = tree(image)
    wanted = {"threshold": 300, "connectivity": "faces", "dtype": "uint8"}
    outcome = omtask.threshold(image, parameters=wanted, expect=64)
    assert "uint8" in outcome.stderr
    assert listed_labels(image) == []
    assert {k: v for k, v in tree(image).items() if not k.startswith(".omtask")} == before


# Running again


def test_the_same_command_again_is_a_fast_nothing(omtask: Program, image: Path) -> None:
    wanted = {"method": "otsu", "label_name": "nuclei"}
    omtask.threshold(image, parameters=wanted)
    times = {p: p.stat().st_mtime_ns for p in image.rglob("*")}
    for extra in ([], ["--overwrite"]):
        again = omtask.threshold(image, parameters=wanted, extra=extra)
        assert [status["status"] for status in again.report.images] == ["skipped"]
        assert again.seconds < 0.5
    assert {p: p.stat().st_mtime_ns for p in image.rglob("*")} == times


@pytest.mark.parametrize("task", ["threshold", "label-objects", "measure"])
def test_what_is_said_is_what_is_meant_without_saying(omtask: Program, image: Path, task: str) -> None:
    """The method, and the name of the result, are the same run whether they are given or left out."""
    omtask.threshold(image, parameters={"label_name": "cells"})
    base, said = {
        "threshold": (["--channel", "0"], ["--method", "otsu", "--label-name", "segmented"]),
        "label-objects": (["--label", "cells"], ["--label-name", "cells_objects"]),
        "measure": (["--label", "cells"], ["--table-name", "cells_features"]),
    }[task]
    made = omtask("run", task, image, *base).stderr
    assert "nothing to do" not in made, made
    assert "nothing to do" in omtask("run", task, image, *base, *said).stderr
    assert "threshold" in made or task != "threshold"
    assert ", threshold" not in made or task == "threshold", made


def test_another_result_under_the_name_is_left_alone(omtask: Program, image: Path) -> None:
    omtask.threshold(image, parameters={"threshold": 800, "label_name": "nuclei"})
    before = tree(image)
    other = {"threshold": 900, "label_name": "nuclei"}
    outcome = omtask.threshold(image, parameters=other, expect=73)
    assert "nuclei" in outcome.stderr and "--overwrite" in outcome.stderr
    assert tree(image) == before


def test_a_label_of_another_program_is_left_alone(omtask: Program, image: Path) -> None:
    omtask.threshold(image, parameters={"threshold": 800, "label_name": "nuclei"})
    document = image / "labels/nuclei/zarr.json"
    attributes = json.loads(document.read_text())
    attributes["attributes"] = {"ome": attributes["attributes"]["ome"]}
    document.write_text(json.dumps(attributes))
    before = tree(image)
    omtask.threshold(image, parameters={"threshold": 800, "label_name": "nuclei"}, expect=73)
    assert tree(image) == before


@contextmanager
def polled(image: Path, name: str, allowed: list[np.ndarray]) -> Iterator[list[str]]:
    """Reads the label over and over in a thread; the list collects what was wrong."""
    wrong: list[str] = []
    stop = threading.Event()

    def read() -> None:
        while not stop.is_set():
            try:
                assert name in listed_labels(image), "not listed"
                array = zarr.open_array(image / "labels" / name / "0", mode="r")[...]
                assert any(np.array_equal(array, one) for one in allowed), "neither old nor new"
            except Exception as error:  # noqa: BLE001 (whatever a reader sees is a finding)
                wrong.append(repr(error))

    reader = threading.Thread(target=read)
    reader.start()
    try:
        yield wrong
    finally:
        stop.set()
        reader.join()


def test_a_reader_never_sees_a_broken_label_while_it_is_replaced(
    omtask: Program, tmp_path: Path, rng: np.random.Generator
) -> None:
    path = tmp_path / "image.zarr"
    one_chunk = samples.Layout("one", "0.5", (64,), (1,), (samples.ZSTD,))
    image = samples.write_blobs(path, one_chunk, rng)
    both = [{"threshold": value, "label_name": "nuclei"} for value in (700, 1600)]
    arrays = [expected_labels(image.levels, "zyx", one)[0].levels[0] for one in both]
    assert not np.array_equal(*arrays)
    omtask.threshold(path, parameters=both[0])
    with polled(path, "nuclei", arrays) as wrong:
        for turn in range(1, 11):
            omtask.threshold(path, parameters=both[turn % 2], extra=["--overwrite"])
    assert wrong == []
    assert np.array_equal(read_label(path, "nuclei").levels[0], arrays[0])
    assert not leftovers(path)


# Machines and people


def test_help_is_made_from_the_manifest(omtask: Program) -> None:
    text = omtask("run", "threshold", "--help").stdout
    manifest = json.loads((REPOSITORY / "Manifests/threshold.json").read_text())
    for name in manifest["args_schema_parallel"]["properties"]:
        if name != "zarr_url":
            assert f"--{name.replace('_', '-')}" in text


def test_the_version_is_told_fast(omtask: Program) -> None:
    assert omtask("--version").stdout.strip()
    assert min(omtask("--version").seconds for _ in range(5)) < 0.1


def test_an_empty_environment_is_enough(omtask: Program, image: Path) -> None:
    omtask("run", "threshold", image, launcher=["env", "-i"])
    assert listed_labels(image) == ["segmented"]


def test_forms_may_send_texts_and_nulls(omtask: Program, image: Path) -> None:
    texts = {"zarr_url": str(image), "threshold": "800.0", "min_size": "3", "max_size": None,
             "clear_border": "true", "label_name": "form"}
    omtask.threshold(parameters=texts, arguments_file=True)
    assert listed_labels(image) == ["form"]
    # Every field, touched or not, as napari and Galaxy give them.
    untouched = {"method": "otsu", "smooth": "none", "sigma": "1.0", "radius": [1], "channel": "",
                 "label_name": "", "lower_bound": "", "dtype": ""}
    omtask.threshold(image, parameters=untouched, arguments_file=True)
    assert listed_labels(image) == ["form", "segmented"]
    omtask.threshold(image, parameters=untouched | {"sigma": "2, 1"}, arguments_file=True, expect=64)


def schema(name: str) -> dict[str, object]:
    return json.loads((REPOSITORY / f"docs/schemas/{name}.schema.json").read_text())


def test_report_and_events_follow_their_schemas(omtask: Program, image: Path, tmp_path: Path) -> None:
    events = tmp_path / "events.jsonl"
    outcome = omtask.threshold(image, extra=["--events", events])
    jsonschema.validate(outcome.report.document, schema("report"))
    lines = [json.loads(line) for line in events.read_text().splitlines()]
    for line in lines:
        jsonschema.validate(line, schema("event"))
    assert lines[0]["event"] == "start" and lines[-1]["event"] == "end"


def test_the_out_json_holds_only_what_fractal_knows(
    omtask: Program, image: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out.json"
    omtask.threshold(image, extra=["--out-json", out])
    assert set(json.loads(out.read_text())) <= {"image_list_updates", "image_list_removals"}


def test_the_plan_is_what_the_run_does(omtask: Program, image: Path) -> None:
    wanted = ["--label-name", "planned", "--json"]
    plan = json.loads(omtask("plan", "threshold", image, *wanted).stdout)["images"][0]
    assert not (image / "labels").exists()
    omtask.threshold(image, parameters={"label_name": "planned"})
    (output,) = plan["outputs"]
    levels = read_label(image, "planned").levels
    assert [list(level.shape) for level in levels] == output["levels"]
    assert {level.dtype.name for level in levels} == {output["data_type"]}
    array = zarr.open_array(image / "labels/planned/0", mode="r")
    assert [list(array.chunks), list(array.shards)] == [output["chunks"], output["shards"]]
    made = [path for path in (image / "labels").rglob("*") if path.is_file()]
    assert len(made) <= plan["files"]


def test_a_plan_of_what_cannot_be_done_fails_as_the_run_would(
    omtask: Program, image: Path, tmp_path: Path
) -> None:
    other = shutil.copytree(image, tmp_path / "other.zarr")
    for call in (["plan", "threshold"], ["run", "threshold", "--dry-run"]):
        omtask(*call, image, other, "--label-name", "a/b", expect=77)
        omtask(*call, image, tmp_path / "none.zarr", expect=0)
        omtask(*call, tmp_path / "none.zarr", expect=66)
        omtask(*call, tmp_path / "none.zarr", tmp_path / "neither.zarr", expect=66)


def test_cat_gives_the_voxels(omtask: Program, image: Path, tmp_path: Path) -> None:
    file = tmp_path / "level.npy"
    command = [str(omtask.path), "cat", str(image), "--npy"]
    with file.open("wb") as stream:
        subprocess.run(command, stdout=stream, check=True)
    assert np.array_equal(np.load(file), zarr.open_array(image / "0", mode="r")[...])


def test_preview_makes_a_picture(omtask: Program, image: Path, tmp_path: Path) -> None:
    omtask.threshold(image, parameters={"label_name": "nuclei"})
    file = tmp_path / "picture.png"
    omtask("preview", image, "--label", "nuclei", "--png", file)
    with Picture.open(file) as picture:
        picture.load()
        assert len(picture.getcolors(1 << 24)) > 2


@pytest.mark.parametrize(("mask", "mode"), [(0o022, 0o644), (0o077, 0o600), (0o002, 0o664)])
def test_modes_follow_the_umask(mask: int, mode: int, omtask: Program, image: Path) -> None:
    omtask("run", "threshold", image, launcher=["sh", "-c", f'umask {mask:o}; exec "$@"', "sh"])
    files = [p for p in (image / "labels").rglob("*") if p.is_file()]
    assert {p.stat().st_mode & 0o777 for p in files} == {mode}
    folders = [p for p in (image / "labels").rglob("*") if p.is_dir()]
    assert {p.stat().st_mode & 0o777 for p in folders} == {0o777 & ~mask}


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may give a folder to another group")
def test_groups_follow_the_setgid_bit(omtask: Program, image: Path) -> None:
    os.chown(image, 0, NOBODY)
    image.chmod(0o2775)
    omtask.threshold(image)
    assert {p.stat().st_gid for p in (image / "labels").rglob("*")} == {NOBODY}


def test_copies_without_mpi_are_refused(omtask: Program, image: Path) -> None:
    before = tree(image)
    step = {"SLURM_STEP_NUM_TASKS": "2", "SLURM_PROCID": "0"} | MPI_ENVIRONMENT
    outcome = omtask("run", "threshold", image, env=step, expect=64)
    assert "--mpi=pmix" in outcome.stderr
    assert tree(image) == before
