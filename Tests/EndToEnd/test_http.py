"""Images on web servers: read as from a disk, and every way a server can fail (B41 to B45)."""

import json
import os
import shutil
import socket
import struct
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest

from omtask_testing.images import Image, PlateShape, downsampled, write_image, write_plate
from omtask_testing.layouts import ZSTD, Layout, blosc
from omtask_testing.program import Outcome, Program
from omtask_testing.samples import SHARDED, V2, write_blobs
from omtask_testing.servers import Answer, Asked, Handler, Rude, Web, rude, status, web
from omtask_testing.trees import tree

CHUNKED = Layout("chunked", "0.5", (8, 16, 16), None, (blosc("zstd", "shuffle"),))
SHAPE = (12, 50, 60)
# What a server that fails is granted in tests.
UNTOLD = {"CURL_CA_BUNDLE": "", "AWS_CA_BUNDLE": "", "SSL_CERT_FILE": ""}
SHORT = ("--limit", "remote-tries=2", "--limit", "remote-time=20")


@pytest.fixture(scope="module")
def files(omtask: Program, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of images that nobody changes."""
    root = tmp_path_factory.mktemp("http")
    for name, layout in (("image.zarr", SHARDED), ("v2.zarr", V2), ("chunked.zarr", CHUNKED)):
        write_blobs(root / name, layout, np.random.default_rng(5), shape=SHAPE)
    omtask.threshold(root / "image.zarr", parameters={"label_name": "objects"})
    omtask("pack", root / "image.zarr", root / "image.ozx")
    shape = PlateShape(2, 2, 1)
    rng = np.random.default_rng(9)
    images = {
        path: Image("zyx", downsampled("zyx", rng.integers(0, 999, (4, 20, 24)).astype("u2"), 2),
                    CHUNKED)
        for path in shape.images
    }
    write_plate(root / "plate.zarr", shape, images)
    return root


@pytest.fixture(scope="module")
def server(files: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Web]:
    with web(files, tmp_path_factory.mktemp("nginx")) as opened:
        yield opened


@pytest.fixture(scope="module")
def shared_bad(files: Path) -> Iterator[Rude]:
    with rude(files) as opened:
        yield opened


@pytest.fixture
def bad(shared_bad: Rude) -> Rude:
    """A server that behaves until the test says otherwise."""
    shared_bad.reset()
    return shared_bad


def printed(omtask: Program, *words: str | Path) -> bytes:
    return subprocess.run(
        [str(omtask.path), *map(str, words)], stdout=subprocess.PIPE, check=True
    ).stdout


# Reading


@pytest.mark.parametrize("name", ["image.zarr", "v2.zarr", "chunked.zarr", "image.ozx",
                                  "plate.zarr/A/01/0", "image.zarr/labels/objects", "image.zarr/0"])
def test_voxels_are_those_of_the_disk(
    omtask: Program, files: Path, server: Web, name: str
) -> None:
    assert printed(omtask, "cat", f"{server.url}/{name}") == printed(omtask, "cat", files / name)


@pytest.mark.parametrize("name", ["image.zarr", "v2.zarr", "plate.zarr", "plate.zarr/A/01",
                                  "image.ozx", "image.zarr/0"])
def test_info_verify_and_validate_say_the_same(
    omtask: Program, files: Path, server: Web, name: str
) -> None:
    for words in (("info",), ("verify",), ("validate",)):
        here = omtask(*words, files / name, expect=None)
        there = omtask(*words, f"{server.url}/{name}", expect=None)
        said = there.stdout.replace(server.url, str(files))
        assert (said, there.code) == (here.stdout, here.code), there


def test_previews_and_plans_work(
    omtask: Program, files: Path, server: Web, tmp_path: Path
) -> None:
    here, there = tmp_path / "here.png", tmp_path / "there.png"
    omtask("preview", files / "image.zarr", "--png", here, "--label", "objects")
    omtask("preview", f"{server.url}/image.zarr", "--png", there, "--label", "objects")
    assert here.read_bytes() == there.read_bytes()
    plan = omtask("plan", "threshold", f"{server.url}/image.zarr", "--output", tmp_path / "o.zarr")
    assert "o.zarr" in plan.stdout


@pytest.mark.parametrize("how", [{}, {"threads": 3}, {"ranks": 2}])
@pytest.mark.parametrize("name", ["image.zarr", "v2.zarr", "image.ozx"])
def test_tasks_make_the_same_files(
    omtask: Program, files: Path, server: Web, tmp_path: Path, name: str, how: dict[str, int]
) -> None:
    here, there = tmp_path / "here.zarr", tmp_path / "there.zarr"
    omtask.threshold(files / name, extra=("--output", here))
    omtask.threshold(f"{server.url}/{name}", extra=("--output", there), **how)
    # the record of the run tells where the image lies
    documents = ("zarr.json", ".zattrs")
    made, expected = (
        {k: v for k, v in tree(place).items() if not k.endswith(documents)}
        for place in (there, here))
    assert made and made == expected
    again = omtask.threshold(f"{server.url}/{name}", extra=("--output", there))
    assert "nothing to do" in again.stderr + again.stdout


def test_an_input_that_was_replaced_makes_another_run(
    omtask: Program, files: Path, server: Web, tmp_path: Path
) -> None:
    copy, out = files / "replaced.zarr", tmp_path / "out.zarr"
    shutil.copytree(files / "image.zarr", copy)
    omtask.threshold(f"{server.url}/replaced.zarr", extra=("--output", out))
    os.utime(copy / "0/c/0/0/0", (1, 1))
    omtask.threshold(f"{server.url}/replaced.zarr", extra=("--output", out), expect=73)


def test_a_plate_is_converted_to_the_disk(
    omtask: Program, files: Path, server: Web, tmp_path: Path
) -> None:
    omtask("run", "convert", f"{server.url}/plate.zarr", "--output", tmp_path / "copy.zarr")
    for path in PlateShape(2, 2, 1).images:
        assert printed(omtask, "cat", tmp_path / "copy.zarr" / path) == printed(
            omtask, "cat", files / "plate.zarr" / path)


def test_a_collection_is_read_by_all_ranks(
    omtask: Program, files: Path, server: Web, tmp_path: Path
) -> None:
    node = {"type": "multiscale", "name": "a", "path": {"type": "zarr", "path": "./v2.zarr"}}
    (files / "mine.json").write_text(json.dumps(
        {"ome": {"version": "0.x", "type": "collection", "name": "mine", "nodes": [node]}}))
    out = tmp_path / "out.zarr"
    omtask.run("convert", f"{server.url}/mine.json", extra=("--output", out), ranks=3)
    assert printed(omtask, "cat", out) == printed(omtask, "cat", files / "v2.zarr")


def test_a_result_needs_a_place_and_nothing_is_computed_without(
    omtask: Program, server: Web
) -> None:
    outcome = omtask.threshold(f"{server.url}/image.zarr", expect=77)
    assert "--output" in outcome.stderr
    repair = omtask("verify", f"{server.url}/image.zarr", "--repair", expect=77)
    assert "only ever read" in repair.stderr


def test_of_a_shard_only_what_is_wanted_is_read(
    omtask: Program, files: Path, server: Web
) -> None:
    before = len(server.requests())
    omtask.cat(f"{server.url}/image.zarr", "--select", "z=0:8,y=0:16,x=0:16")
    chunks = [r for r in server.requests()[before:] if "/c/" in r[1]]
    whole = (files / "image.zarr/0/c/0/0/0").stat().st_size
    assert {r[2] for r in chunks} == {206}
    assert len(chunks) == 2 and sum(r[3] for r in chunks) < whole / 2


def test_a_whole_chunk_is_one_request(omtask: Program, server: Web) -> None:
    before = len(server.requests())
    omtask.cat(f"{server.url}/chunked.zarr", "--select", "z=0:8,y=0:16,x=0:16")
    assert [r[0] for r in server.requests()[before:] if "/c/" in r[1]] == ["GET"]


def test_connections_are_kept(omtask: Program, bad: Rude) -> None:
    omtask("verify", f"{bad.url}/v2.zarr", "--threads", "1")
    omtask("verify", f"{bad.url}/image.zarr", "--threads", "1")
    assert len(bad.asked) > 60 and bad.connections <= 4


def test_reads_that_follow_each_other_are_one_request(
    omtask: Program, files: Path, server: Web
) -> None:
    layout = Layout("long", "0.5", (1, 64, 64), (64, 1, 1), (ZSTD,))
    data = np.random.default_rng(1).integers(0, 65535, (64, 64, 64)).astype("u2")
    write_image(files / "long.zarr", Image("zyx", [data], layout))
    before = len(server.requests())
    out = files.parent / "long-copy.zarr"
    omtask("run", "convert", f"{server.url}/long.zarr", "--output", out, "--chunk", "1,64,64",
           "--shard", "8,64,64", "--threads", "1")
    chunks = [r for r in server.requests()[before:] if "/c/" in r[1] and r[0] == "GET"]
    assert printed(omtask, "cat", out) == data.tobytes()
    assert len(chunks) < 24 and sum(r[3] for r in chunks) < 2 * data.nbytes


class Slow:
    """A rule that makes some answers late, and counts how many are under way at once."""

    def __init__(self, part: str, seconds: float = 0.05) -> None:
        self.part, self.seconds = part, seconds
        self.most = self._now = 0
        self._lock = threading.Lock()

    def __call__(self, asked: Asked) -> Answer | None:
        # states are asked for by `HEAD`, ahead of everything
        is_slow = self.part in asked.path and asked.method == "GET"
        return Answer(self._send) if is_slow else None

    def _send(self, handler: Handler) -> None:
        with self._lock:
            self._now += 1
            self.most = max(self.most, self._now)
        time.sleep(self.seconds)
        handler.file()
        with self._lock:
            self._now -= 1


def test_one_worker_has_several_requests_under_way(omtask: Program, bad: Rude) -> None:
    bad.rule = slow = Slow("/0/0/")
    omtask.cat(f"{bad.url}/v2.zarr")
    assert 4 <= slow.most <= 8


@pytest.mark.parametrize(
    ("name", "part", "expected"),
    [("v2.zarr", "/v2.zarr/0/0/", range(4, 9)), ("image.zarr", "/image.zarr/0/c/", range(2, 9))])
@pytest.mark.parametrize("task", ["threshold", "convert"])
def test_chunks_come_while_others_are_worked_on(
    omtask: Program, files: Path, bad: Rude, tmp_path: Path, name: str, part: str,
    expected: range, task: str
) -> None:
    """A task that goes chunk by chunk does not wait for each; nothing is asked for twice."""
    words = ["--threshold", "500", "--no-objects"] if task == "threshold" else ["--levels", "1"]
    out = tmp_path / "out.zarr"
    bad.rule = slow = Slow(part)
    omtask("run", task, f"{bad.url}/{name}", *words, "--output", out, "--threads", "1")
    assert slow.most in expected
    asked = [a.headers.get("range", "") + a.path for a in asked_of(bad, part) if a.method == "GET"]
    assert len(asked) == len(set(asked))


def test_no_more_is_read_than_is_stored(
    omtask: Program, files: Path, server: Web, tmp_path: Path
) -> None:
    before = len(server.requests())
    omtask("run", "threshold", f"{server.url}/image.zarr", "--threshold", "500", "--no-objects",
           "--output", tmp_path / "out.zarr")
    read = sum(r[3] for r in server.requests()[before:] if "/0/c/" in r[1])
    stored = sum(p.stat().st_size for p in (files / "image.zarr/0/c").rglob("*") if p.is_file())
    assert stored * 0.5 < read <= stored


def test_the_end_does_not_wait_for_the_other_requests(omtask: Program, bad: Rude) -> None:
    done = threading.Event()

    def rule(asked: Asked) -> Answer | None:
        if "/v2.zarr/0/0/0/0" in asked.path:
            return Answer(lambda handler: (time.sleep(0.2), handler.reply(403, b"")))
        return Answer(lambda _: done.wait(30)) if "/v2.zarr/0/0/" in asked.path else None

    bad.rule = rule
    start = time.monotonic()
    cat(omtask, bad, 77, "v2.zarr")
    assert time.monotonic() - start < 5
    done.set()


def test_wells_are_read_many_at_a_time(omtask: Program, files: Path, bad: Rude) -> None:
    root = files / "wells.zarr"
    shape = PlateShape(3, 4, 1)
    small = Image("yx", [np.zeros((4, 4), "u2")], CHUNKED)
    write_plate(root, shape, dict.fromkeys(shape.images, small))
    bad.rule = slow = Slow("/wells.zarr/")
    expected = omtask("info", root).stdout
    assert omtask("info", f"{bad.url}/wells.zarr").stdout == expected.replace(str(files), bad.url)
    assert 8 <= slow.most <= 16
    # what is wrong with wells is told in their order, as from a disk
    for well in ("A/03", "C/01"):
        (root / well / "zarr.json").write_text("{")
    here = omtask("info", root, expect=None)
    there = omtask("info", f"{bad.url}/wells.zarr", expect=None)
    for mine, theirs in ((here.stdout, there.stdout), (here.stderr, there.stderr)):
        assert mine.replace(str(files), bad.url) == theirs
    assert here.code == there.code


def test_absent_chunks_are_fill_value_and_counted(
    omtask: Program, files: Path, server: Web
) -> None:
    copy = files / "holes.zarr"
    shutil.copytree(files / "chunked.zarr", copy)
    (copy / "0/c/0/0/0").unlink()
    assert printed(omtask, "cat", f"{server.url}/holes.zarr") == printed(omtask, "cat", copy)
    outcome = omtask("verify", f"{server.url}/holes.zarr")
    assert "1 not stored" in outcome.stdout


def test_servers_that_pack_answers_are_asked_not_to(
    omtask: Program, files: Path, server: Web
) -> None:
    url = f"{server.url}/packed/image.zarr"
    assert printed(omtask, "cat", url) == printed(omtask, "cat", files / "image.zarr")


def test_what_is_not_there_is_66(omtask: Program, server: Web) -> None:
    for name in ("nothing.zarr", "nothing.ozx"):
        outcome = omtask("info", f"{server.url}/{name}", expect=66)
        assert f"{server.url}/{name}" in outcome.stderr


@pytest.mark.parametrize("name", ["chunked.zarr", "image.zarr"])
def test_a_folder_in_place_of_a_chunk_is_damage_as_on_a_disk(
    omtask: Program, files: Path, server: Web, tmp_path: Path, name: str
) -> None:
    copy = files / f"odd-{name}"
    shutil.copytree(files / name, copy)
    (copy / "0/c/0/0/0").unlink()
    (copy / "0/c/0/0/0").mkdir()
    outcome = omtask.cat(f"{server.url}/odd-{name}", expect=65)
    assert "is a folder" in outcome.stderr
    assert "is a folder" in omtask("verify", f"{server.url}/odd-{name}", expect=65).stdout
    made = []
    for place, folder in ((copy, "here"), (f"{server.url}/odd-{name}", "there")):
        out = tmp_path / folder
        omtask.threshold(place, extra=("--output", out), expect=65)
        omtask.threshold(place, extra=("--output", out, "--on-damage", "fill"))
        made.append({k: v for k, v in tree(out).items() if not k.endswith("zarr.json")})
    assert made[0] and made[0] == made[1]


def test_a_folder_in_place_of_a_document_is_an_error(
    omtask: Program, files: Path, server: Web
) -> None:
    copy = files / "odd-document.zarr"
    shutil.copytree(files / "chunked.zarr", copy)
    (copy / "0/zarr.json").unlink()
    (copy / "0/zarr.json").mkdir()
    outcome = omtask.cat(f"{server.url}/odd-document.zarr", expect=74)
    assert "is a folder" in outcome.stderr


# Who asks


def test_tls_is_always_checked(omtask: Program, files: Path, server: Web) -> None:
    url = f"{server.secure}/image.zarr"
    refused = omtask("info", url, expect=77)
    assert "certificate" in refused.stderr
    for name in ("SSL_CERT_FILE", "CURL_CA_BUNDLE"):
        trusted = omtask("info", url, env=UNTOLD | {name: str(server.certificate)})
        assert "12 x 50 x 60" in trusted.stdout
    # a name that the certificate does not hold for
    other = omtask("info", url.replace("127.0.0.1", "localhost"), expect=77,
                   env=UNTOLD | {"SSL_CERT_FILE": str(server.certificate)})
    assert "certificate" in other.stderr


def test_passwords_are_sent_and_never_shown(
    omtask: Program, files: Path, server: Web, tmp_path: Path
) -> None:
    url = f"{server.url}/private/image.zarr"
    assert "401" in omtask("info", url, expect=77).stderr
    assert "403" in omtask("info", f"{server.url}/closed/image.zarr", expect=77).stderr
    known = url.replace("://", "://me:secret@") + "?token=hidden"
    for words in (("info", known), ("info", known, "--json"), ("verify", known),
                  ("validate", known), ("info", known.replace("image", "no")),
                  ("plan", "threshold", known), ("cat", known + "x#", "--npy")):
        outcome = omtask(*words, expect=None)
        assert "secret" not in outcome.stdout + outcome.stderr, outcome
        assert "hidden" not in outcome.stdout + outcome.stderr, outcome
    out = tmp_path / "out.zarr"
    for how in ({}, {"ranks": 2}):
        outcome = omtask.threshold(known, extra=(
            "--output", out, "--fresh", "--overwrite", "--events", tmp_path / "events",
            "--out-json", tmp_path / "out.json"), parameters={"label_name": f"a{len(how)}"}, **how)
        written = b"".join(p.read_bytes() for p in tmp_path.rglob("*") if p.is_file())
        said = outcome.stdout + outcome.stderr + written.decode("latin-1")
        assert "secret" not in said and "hidden" not in said
        assert "***@" in said


# Servers that fail (B41 to B45)


def asked_of(bad: Rude, part: str) -> list[Asked]:
    return [asked for asked in bad.asked if part in asked.path]


def on(part: str, answer: Answer, times: int = 10**9):
    """A rule: this answer to the first requests whose path has a part."""
    left = [times]

    def rule(asked: Asked) -> Answer | None:
        if part not in asked.path or left[0] == 0:
            return None
        left[0] -= 1
        return answer

    return rule


def cat(omtask: Program, bad: Rude, expect: int, name: str = "image.zarr") -> Outcome:
    """Reads all voxels, which nobody looks at; `verify` would read on after a fault."""
    return omtask.cat(f"{bad.url}/{name}", *SHORT, expect=expect)


@pytest.mark.parametrize(
    ("code", "expect", "tries"),
    [(401, 77, 1), (403, 77, 1), (500, 69, 2), (429, 69, 2), (503, 69, 2), (418, 69, 1)])
def test_b41_errors_name_key_and_status(
    omtask: Program, bad: Rude, code: int, expect: int, tries: int
) -> None:
    bad.rule = on("/0/c/0/0/0", status(code))
    outcome = cat(omtask, bad, expect)
    assert f"{bad.url}/image.zarr/0/c/0/0/0" in outcome.stderr and str(code) in outcome.stderr
    assert len(asked_of(bad, "/0/c/0/0/0")) == tries


def test_b41_a_server_that_is_down_is_told_once(omtask: Program, bad: Rude) -> None:
    bad.rule = lambda _: status(503)
    outcome = omtask("info", f"{bad.url}/image.zarr", *SHORT, expect=69)
    assert len(bad.asked) == 2 and "503" in outcome.stderr


def test_b42_retry_after_is_obeyed(omtask: Program, bad: Rude) -> None:
    times: list[float] = []

    def rule(asked: Asked) -> Answer | None:
        if "/0/c/0/0/0" not in asked.path:
            return None
        times.append(time.monotonic())
        return status(429, Retry_After="2") if len(times) == 1 else None

    bad.rule = rule
    cat(omtask, bad, 0)
    assert times[1] - times[0] >= 1.9
    # more than the limit is not waited
    bad.rule = on("/0/c/0/0/0", status(429, Retry_After="3600"))
    start = time.monotonic()
    cat(omtask, bad, 69)
    assert time.monotonic() - start < 5


# half of what is announced, then the end of the connection
CUT = Answer(lambda handler: handler.file(cut=True))


def reset(handler: Handler) -> None:
    handler.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    handler.connection.close()
    handler.close_connection = True


@pytest.mark.parametrize("name", ["image.zarr", "v2.zarr"])
@pytest.mark.parametrize("how", ["503", "short", "reset"])
def test_b42_what_happens_once_is_no_error(
    omtask: Program, files: Path, bad: Rude, name: str, how: str
) -> None:
    answers = {"503": status(503), "short": CUT, "reset": Answer(reset)}
    part = "/0/c/0/0/0" if name == "image.zarr" else "/0/0/0/0"
    bad.rule = on(part, answers[how], 1)
    assert printed(omtask, "cat", f"{bad.url}/{name}") == printed(omtask, "cat", files / name)
    assert len(asked_of(bad, part)) >= 2


def test_b42_what_stays_broken_is_69(omtask: Program, bad: Rude) -> None:
    for answer in (Answer(reset), CUT):
        bad.rule = on("/v2.zarr/0/0/0/0", answer)
        cat(omtask, bad, 69, "v2.zarr")


def test_b43_a_page_is_no_document(omtask: Program, bad: Rude) -> None:
    page = status(200, b"<!doctype html><h1>Log in</h1>", Content_Type="text/html; charset=utf-8")
    bad.rule = on("zarr.json", page)
    outcome = omtask("info", f"{bad.url}/image.zarr", *SHORT, expect=65)
    assert "HTML" in outcome.stderr
    bad.rule = on("/0/0/0/0", page)
    assert "HTML" in cat(omtask, bad, 65, "v2.zarr").stderr


def test_b43_an_empty_body_is_no_document_and_no_chunk(omtask: Program, bad: Rude) -> None:
    bad.rule = on("zarr.json", status(200))
    omtask("info", f"{bad.url}/image.zarr", *SHORT, expect=65)
    bad.rule = on("/0/0/0/0", status(200))
    cat(omtask, bad, 65, "v2.zarr")
    # an empty shard has no last bytes
    bad.rule = on("/0/c/0/0/0", status(416, Content_Range="bytes */0"))
    cat(omtask, bad, 65)


@pytest.mark.parametrize("text", ["bytes 0-9/1000", "bytes 1-0/5", "nonsense", ""])
def test_b43_a_wrong_range_is_an_error(omtask: Program, bad: Rude, text: str) -> None:
    headers = {"Content_Range": text} if text else {}
    bad.rule = on("/0/c/0/0/0", status(206, b"x" * 10, **headers))
    assert "Content-Range" in cat(omtask, bad, 65).stderr


def test_b43_a_head_without_end_is_an_error(omtask: Program, bad: Rude) -> None:
    flood = {f"X_{number}": "x" * 90 for number in range(4000)}
    bad.rule = on("zarr.json", status(200, b"{}", **flood))
    omtask("info", f"{bad.url}/image.zarr", *SHORT, expect=69)


def test_b43_servers_may_ignore_ranges(omtask: Program, files: Path, bad: Rude) -> None:
    bad.rule = on("/c/", Answer(lambda handler: handler.file(ranges=False)))
    expected = printed(omtask, "cat", files / "image.zarr")
    assert printed(omtask, "cat", f"{bad.url}/image.zarr") == expected
    # small shards come once, and are kept while they are read
    assert len(asked_of(bad, "/0/c/0/0/0")) == 1


def test_b43_more_than_a_chunk_can_be_is_not_read(omtask: Program, bad: Rude) -> None:
    bad.rule = on("/0/0/0/0", status(200, b"", Content_Length=str(1 << 40)))
    assert "limit" in cat(omtask, bad, 79, "v2.zarr").stderr
    bad.rule = on("zarr.json", status(200, b"", Content_Length=str(1 << 40)))
    assert "limit" in omtask("info", f"{bad.url}/image.zarr", *SHORT, expect=79).stderr


def test_b43_a_shard_that_changes_between_two_reads_is_an_error(
    omtask: Program, bad: Rude
) -> None:
    for obeys in (True, False):
        seen: list[Asked] = []

        def rule(asked: Asked) -> Answer | None:
            if "/0/c/0/0/0" not in asked.path:
                return None
            seen.append(asked)
            if len(seen) == 1:
                return None
            # whether or not the server looks at the condition
            return (status(412) if obeys else Answer(lambda h: h.file(ETag='"another"')))

        bad.rule = rule
        outcome = cat(omtask, bad, 75)
        assert "was replaced" in outcome.stderr
        assert "if-match" in seen[1].headers


def assert_ends_in_time(omtask: Program, uri: str) -> None:
    start = time.monotonic()
    outcome = omtask.cat(
        uri, "--limit", "remote-idle=1", "--limit", "remote-tries=1", expect=69)
    assert time.monotonic() - start < 8
    assert "in time" in outcome.stderr


def test_b44_a_silent_server_is_69_in_time(omtask: Program, bad: Rude) -> None:
    done = threading.Event()
    bad.rule = on("/0/c/0/0/0", Answer(lambda _: done.wait(30)))
    assert_ends_in_time(omtask, f"{bad.url}/image.zarr")
    done.set()


def test_b44_a_server_that_drips_is_69_in_time(omtask: Program, bad: Rude) -> None:
    """A byte now and then keeps no run waiting."""
    done = threading.Event()

    def drip(handler: Handler) -> None:
        handler.send_response(200)
        handler.send_header("Content-Length", "4000")
        handler.end_headers()
        with suppress(OSError):
            while not done.wait(0.05):
                handler.wfile.write(b"x")

    bad.rule = on("/v2.zarr/0/0/0/0", Answer(drip))
    assert_ends_in_time(omtask, f"{bad.url}/v2.zarr")
    done.set()


def test_b45_redirects_are_followed_within_rules(
    omtask: Program, files: Path, server: Web, bad: Rude
) -> None:
    expected = printed(omtask, "cat", files / "image.zarr")
    assert printed(omtask, "cat", f"{server.url}/moved/image.zarr") == expected
    cases = {
        "file:///etc/passwd": "only `http` and `https`",
        "http://169.254.169.254/latest/meta-data": "network",
        "http://2852039166/latest": "network",
        "http://[fe80::1]/x": "network",
        "http://[::ffff:169.254.169.254]/x": "network",
        f"{bad.url}/image.zarr/zarr.json": "circle",
    }
    for location, words in cases.items():
        bad.rule = on("image.zarr/zarr.json", status(302, Location=location))
        start = time.monotonic()
        outcome = omtask("info", f"{bad.url}/image.zarr", *SHORT, expect=77)
        assert words in outcome.stderr, outcome
        assert time.monotonic() - start < 3
    bad.rule = lambda asked: status(302, Location=asked.path + "x")
    assert "more than 5 times" in omtask("info", f"{bad.url}/a", *SHORT, expect=77).stderr
    secure = omtask("info", f"{server.secure}/plain/image.zarr", expect=77,
                    env=UNTOLD | {"SSL_CERT_FILE": str(server.certificate)})
    assert "encrypted" in secure.stderr


def test_b45_passwords_stay_with_their_host(omtask: Program, files: Path, bad: Rude) -> None:
    with rude(files) as other:
        bad.rule = lambda asked: status(307, Location=other.url + asked.path)
        url = f"{bad.url}/image.zarr".replace("://", "://me:secret@")
        assert printed(omtask, "cat", url) == printed(omtask, "cat", files / "image.zarr")
        assert all("authorization" in asked.headers for asked in bad.asked)
        assert other.asked and not any("authorization" in a.headers for a in other.asked)


def test_without_libcurl_the_words_are_clear(omtask: Program, tmp_path: Path, server: Web) -> None:
    # a library of that name which is none
    (tmp_path / "libcurl.so.4").write_bytes(b"")
    (tmp_path / "libcurl-gnutls.so.4").write_bytes(b"")
    outcome = omtask("info", f"{server.url}/image.zarr", expect=76,
                     env={"LD_LIBRARY_PATH": str(tmp_path)})
    assert "libcurl4" in outcome.stderr


def test_other_schemes_are_76(omtask: Program) -> None:
    for uri in ("ftp://h/x.zarr", "gs://b/x.zarr"):
        assert "s3://" in omtask("info", uri, expect=76).stderr


def test_documents_are_validated_by_url(omtask: Program, server: Web) -> None:
    whole = omtask("validate", f"{server.url}/image.zarr/zarr.json", "--json")
    assert json.loads(whole.stdout)["valid"] is True
