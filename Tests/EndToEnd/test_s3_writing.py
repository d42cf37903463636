"""Results in buckets: whole or not at all, listed by all who write, and the same bytes as on a disk."""

import json
import os
import re
import shutil
import signal
import subprocess
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import boto3
import numpy as np
import pytest
import requests
import s3fs
import zarr
from botocore.config import Config

from omtask_testing.images import Image, PlateShape, write_image, write_plate
from omtask_testing.layouts import Layout
from omtask_testing.objects import Objects, objects, put_folder, refusal
from omtask_testing.program import Program, environment, mpirun
from omtask_testing.samples import SHARDED, V2, blobs_image, write_blobs, write_series
from omtask_testing.servers import Asked, moto

SHAPE = (12, 50, 60)
SHORT = ("--limit", "remote-tries=2", "--limit", "remote-time=20")
THRESHOLD = ("--label-name", "objects", "--threads", "1")
IMAGE = "s3://data/image.zarr"


@pytest.fixture(scope="module")
def originals(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("originals")
    write_blobs(root / "v3.zarr", SHARDED, np.random.default_rng(5), shape=SHAPE)
    write_blobs(root / "v2.zarr", V2, np.random.default_rng(6), shape=SHAPE)
    return root


@pytest.fixture
def bucket(originals: Path, tmp_path: Path) -> Iterator[Objects]:
    """A server with the bucket `data`, which holds `image.zarr`."""
    (tmp_path / "buckets").mkdir()
    with objects(tmp_path / "buckets") as opened:
        put_folder(opened, originals / "v3.zarr", "data", "image.zarr")
        yield opened


@pytest.fixture
def scratch(tmp_path: Path) -> Path:
    folder = tmp_path / "scratch"
    folder.mkdir()
    return folder


def env_of(bucket: Objects, scratch: Path) -> dict[str, str]:
    return bucket.env | {"TMPDIR": str(scratch)}


def image_of(bucket: Objects, name: str = "image.zarr") -> dict[str, bytes]:
    """Key → bytes of everything in an image of the bucket."""
    start = f"{name}/"
    return {k.removeprefix(start): v for k, v in bucket.files("data").items() if k.startswith(start)}


def made_here(
    omtask: Program, original: Path, folder: Path, *words: str, name: str = "image.zarr"
) -> dict[str, bytes]:
    """Key → bytes of an image after a run on a local copy of it."""
    copy = folder / "here" / name
    shutil.copytree(original, copy, ignore=shutil.ignore_patterns(".omtask"), dirs_exist_ok=True)
    omtask("run", words[0], copy, *words[1:])
    return {
        str(p.relative_to(copy)): p.read_bytes() for p in copy.rglob("*")
        if p.is_file() and ".omtask" not in p.parts
    }


def plain(files: dict[str, bytes]) -> dict[str, bytes]:
    """Without the number of the run, which is made of the times of the input, too."""
    return {key: re.sub(rb'"run_id": "[0-9a-f]{16}"', b"", data) for key, data in files.items()}


def labels_of(folder: Path) -> list[str]:
    document = folder / "labels/zarr.json"
    if not document.exists():
        return []
    return json.loads(document.read_text())["attributes"]["ome"]["labels"]


# A server that checks signatures


@pytest.fixture(scope="module")
def signed(originals: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Any, dict[str, str]]]:
    """A client of moto's server, and the variables of a user who may write there."""
    with moto(tmp_path_factory.mktemp("moto")) as url:
        common = {"endpoint_url": url, "region_name": "eu-west-1", "aws_access_key_id": "x",
                  "aws_secret_access_key": "y"}
        people = boto3.client("iam", **common)
        people.create_user(UserName="writer")
        people.put_user_policy(
            UserName="writer", PolicyName="write", PolicyDocument=json.dumps({
                "Version": "2012-10-17",
                "Statement": [{"Effect": "Allow", "Resource": "*", "Action": "s3:*"}]}))
        key = people.create_access_key(UserName="writer")["AccessKey"]
        store = boto3.client("s3", config=Config(s3={"addressing_style": "path"}), **common)
        store.create_bucket(
            Bucket="lab.data", CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
        requests.post(f"{url}/moto-api/reset-auth", data=b"0", timeout=10).raise_for_status()
        env = {"AWS_ENDPOINT_URL": url, "AWS_ACCESS_KEY_ID": key["AccessKeyId"],
               "AWS_SECRET_ACCESS_KEY": key["SecretAccessKey"], "AWS_SESSION_TOKEN": "",
               "AWS_PROFILE": "", "AWS_CONFIG_FILE": "/nowhere", "AWS_REGION": "eu-west-1",
               "AWS_SHARED_CREDENTIALS_FILE": "/nowhere"}
        own = {"aws_access_key_id": key["AccessKeyId"],
               "aws_secret_access_key": key["SecretAccessKey"]}
        yield boto3.client(
            "s3", config=Config(s3={"addressing_style": "path"}), **common | own), env


def listed(client: Any, prefix: str) -> dict[str, bytes]:
    pages = client.get_paginator("list_objects_v2").paginate(Bucket="lab.data", Prefix=prefix)
    keys = [entry["Key"] for page in pages for entry in page.get("Contents", [])]
    return {key.removeprefix(prefix): client.get_object(Bucket="lab.data", Key=key)["Body"].read()
            for key in keys}


@pytest.mark.parametrize("name", ["v3", "v2"])
def test_labels_are_the_same_bytes_as_on_a_disk(
    omtask: Program, originals: Path, signed: tuple[Any, dict[str, str]], tmp_path: Path, name: str
) -> None:
    client, env = signed
    original = originals / f"{name}.zarr"
    prefix = f"a b/{name} ä+.zarr/"
    for path in original.rglob("*"):
        if path.is_file():
            client.put_object(
                Bucket="lab.data", Key=prefix + str(path.relative_to(original)),
                Body=path.read_bytes())
    env = env | {"TMPDIR": str(tmp_path)}
    uri = f"s3://lab.data/{prefix}".rstrip("/")
    outcome = omtask.threshold(uri, parameters={"label_name": "objects"}, env=env, threads=2)
    here = made_here(omtask, original, tmp_path, "threshold", *THRESHOLD)
    there = listed(client, prefix)
    assert plain(there) == plain(here)
    # nothing is done again, another result is refused
    again = omtask.threshold(uri, parameters={"label_name": "objects"}, env=env)
    assert "nothing to do" in again.stderr
    taken = omtask.threshold(
        uri, parameters={"label_name": "objects", "min_size": 9}, env=env, expect=73)
    assert "--overwrite" in taken.stderr
    assert listed(client, prefix) == there
    omtask("verify", uri, env=env)
    # as others read it
    files = s3fs.S3FileSystem(
        key=env["AWS_ACCESS_KEY_ID"], secret=env["AWS_SECRET_ACCESS_KEY"],
        endpoint_url=env["AWS_ENDPOINT_URL"], client_kwargs={"region_name": "eu-west-1"},
        asynchronous=True)
    store = zarr.storage.FsspecStore(files, path=f"lab.data/{prefix}labels/objects", read_only=True)
    local = zarr.open_group(tmp_path / "here/image.zarr/labels/objects", mode="r")
    there = zarr.open_group(store, mode="r")
    for level in ("0", "1"):
        np.testing.assert_array_equal(there[level][:], local[level][:])
    said = outcome.stdout + outcome.stderr + taken.stderr
    assert env["AWS_SECRET_ACCESS_KEY"] not in said
    assert not any((tmp_path / f"omtask-{os.geteuid()}").iterdir())


def test_big_files_go_in_parts_that_are_signed(
    omtask: Program, signed: tuple[Any, dict[str, str]], tmp_path: Path
) -> None:
    client, env = signed
    raw = Layout("raw", "0.5", (68, 1024, 1024), None, ())
    data = np.random.default_rng(1).integers(0, 255, (68, 1024, 1024), np.uint8)
    write_image(tmp_path / "big.zarr", Image("zyx", [data], raw))
    env = env | {"TMPDIR": str(tmp_path)}
    uri = "s3://lab.data/big.zarr"
    omtask("run", "convert", tmp_path / "big.zarr", "--output", uri, env=env)
    there = listed(client, "big.zarr/")
    omtask("run", "convert", tmp_path / "big.zarr", "--output", tmp_path / "out.zarr")
    assert there["0/c/0/0/0"] == (tmp_path / "out.zarr/0/c/0/0/0").read_bytes()
    head = client.head_object(Bucket="lab.data", Key="big.zarr/0/c/0/0/0", ChecksumMode="ENABLED")
    assert head["ContentLength"] > 64 << 20 and head["ETag"].strip('"').endswith("-5")


# A server that does as told


@pytest.mark.parametrize(
    ("task", "words"),
    [("convert", ("--chunk", "8")), ("threshold", THRESHOLD), ("gaussian-blur", ("--sigma", "1"))])
def test_new_images_are_made_in_a_bucket(
    omtask: Program, originals: Path, bucket: Objects, scratch: Path, tmp_path: Path, task: str,
    words: tuple[str, ...]
) -> None:
    env = env_of(bucket, scratch)
    source = originals / "v3.zarr"
    omtask("run", task, source, *words, "--output", tmp_path / "out.zarr")
    omtask("run", task, source, *words, "--output", "s3://data/sub/out.zarr", env=env)
    here = {str(p.relative_to(tmp_path / "out.zarr")): p.read_bytes()
            for p in (tmp_path / "out.zarr").rglob("*") if p.is_file()}
    assert image_of(bucket, "sub/out.zarr") == here
    before = len(bucket.changes())
    omtask("run", task, source, *words, "--output", "s3://data/sub/out.zarr", env=env)
    assert len(bucket.changes()) == before
    other = omtask("run", "project", source, "--output", "s3://data/sub/out.zarr", env=env, expect=73)
    assert "s3://data/sub/out.zarr" in other.stderr
    assert image_of(bucket, "sub/out.zarr") == here


def test_tables_and_images_beside_are_the_same_as_on_a_disk(
    omtask: Program, originals: Path, bucket: Objects, scratch: Path, tmp_path: Path
) -> None:
    env = env_of(bucket, scratch)
    copy = tmp_path / "here/image.zarr"
    shutil.copytree(originals / "v3.zarr", copy)
    for image, more in ((str(copy), {}), (IMAGE, env)):
        omtask("run", "threshold", image, *THRESHOLD, env=more)
        omtask("run", "measure", image, "--label", "objects", env=more)
        omtask("run", "gaussian-blur", image, "--sigma", "1", env=more)
    here = {str(p.relative_to(copy.parent)): p.read_bytes() for p in copy.parent.rglob("*")
            if p.is_file()}
    there = bucket.files("data")
    assert plain(there) == plain(here)
    assert any(key.startswith("image.zarr/tables/") for key in here)
    refused = omtask("run", "measure", IMAGE, "--label", "objects", "--overwrite",
                     "--features", "shape", env=env, expect=76)
    assert "in one step" in refused.stderr
    assert bucket.files("data") == there


def test_plates_get_labels_and_images(
    omtask: Program, bucket: Objects, scratch: Path, tmp_path: Path
) -> None:
    env = env_of(bucket, scratch)
    shape = PlateShape(1, 2, 2)
    rng = np.random.default_rng(2)
    images = {path: blobs_image(SHARDED, rng, shape=(2, 18, 21)) for path in shape.images}
    plate = write_plate(tmp_path / "here/plate.zarr", shape, images)
    put_folder(bucket, plate, "data", "plate.zarr")
    field = shape.images[0]
    for root, more in ((str(plate), {}), ("s3://data/plate.zarr", env)):
        omtask("run", "threshold", root, *THRESHOLD, env=more)
        omtask("run", "gaussian-blur", f"{root}/{field}", "--sigma", "1", env=more)
    here = {str(p.relative_to(plate)): p.read_bytes() for p in plate.rglob("*") if p.is_file()}
    assert plain(image_of(bucket, "plate.zarr")) == plain(here)
    # a new plate is refused before anything is made
    before = len(bucket.changes())
    for words in (("--output", "s3://data/other.zarr"), ()):
        refused = omtask("run", "project", "s3://data/plate.zarr", *words, env=env, expect=None)
        assert refused.code in (1, 76) and "local folder" in refused.stderr
    assert len(bucket.changes()) == before


def test_a_label_is_replaced_in_one_step(
    omtask: Program, originals: Path, bucket: Objects, scratch: Path, tmp_path: Path
) -> None:
    """At every moment the old label or the new one is complete."""
    env = env_of(bucket, scratch)
    omtask("run", "threshold", IMAGE, *THRESHOLD, env=env)
    label = bucket.root / "data/image.zarr/labels/objects"
    old = zarr.open_group(label, mode="r")["0"][:]
    words = (*THRESHOLD, "--min-size", "200", "--overwrite")
    made_here(omtask, originals / "v3.zarr", tmp_path, "threshold", *words)
    new = zarr.open_group(tmp_path / "here/image.zarr/labels/objects", mode="r")["0"][:]
    assert not np.array_equal(old, new)
    seen = []

    def look(_: Asked) -> None:
        group = zarr.open_group(label, mode="r")
        paths = [d["path"] for d in group.attrs["ome"]["multiscales"][0]["datasets"]]
        for path, kind in zip(paths, (0, 1)):
            assert path.endswith(str(kind))
        data = group[paths[0]][:]
        assert np.array_equal(data, old) or np.array_equal(data, new)
        seen.append(np.array_equal(data, new))

    bucket.after = look
    omtask("run", "threshold", IMAGE, *words, env=env)
    assert not seen[0] and seen[-1]
    assert seen == sorted(seen)
    omtask("verify", IMAGE, env=env)
    keys = [key for key in image_of(bucket) if key.startswith("labels/objects/")]
    assert not any(key.startswith("labels/objects/0/") for key in keys)
    assert labels_of(bucket.root / "data/image.zarr") == ["objects"]
    # and once more, by what was there first
    bucket.after = lambda _: None
    omtask("run", "threshold", IMAGE, *THRESHOLD, "--overwrite", env=env)
    group = zarr.open_group(label, mode="r")
    path = group.attrs["ome"]["multiscales"][0]["datasets"][0]["path"]
    np.testing.assert_array_equal(group[path][:], old)


@pytest.mark.parametrize("format", ["v3", "v2"])
def test_copies_of_metadata_stay_true(
    omtask: Program, originals: Path, bucket: Objects, scratch: Path, tmp_path: Path, format: str
) -> None:
    env = env_of(bucket, scratch)
    original = tmp_path / "copied.zarr"
    shutil.copytree(originals / f"{format}.zarr", original)
    zarr.consolidate_metadata(original)
    put_folder(bucket, original, "data", "copied.zarr")
    omtask("run", "threshold", "s3://data/copied.zarr", *THRESHOLD, env=env)
    here = made_here(omtask, original, tmp_path, "threshold", *THRESHOLD)
    assert plain(image_of(bucket, "copied.zarr")) == plain(here)
    omtask("run", "threshold", "s3://data/copied.zarr", *THRESHOLD, "--overwrite", "--min-size",
           "200", env=env)
    omtask("verify", "s3://data/copied.zarr", env=env)
    group = zarr.open_consolidated(bucket.root / "data/copied.zarr", mode="r")
    label = group["labels/objects"]
    attributes = dict(label.attrs)
    path = attributes.get("ome", attributes)["multiscales"][0]["datasets"][0]["path"]
    assert path.startswith("g") and label[path][:].max() > 0
    assert sorted(name.split("/")[0] for name in label.group_keys()) == [path.split("/")[0]]
    assert not list(label.array_keys())


class Killed:
    """Kills a run at its n-th change of the bucket, before or after that."""

    def __init__(self, bucket: Objects, number: int, after: bool) -> None:
        self.bucket, self.number, self.is_after = bucket, number, after
        self.count = 0
        self.process: subprocess.Popen[str] | None = None
        self.lock = threading.Lock()

    def __call__(self, asked: Asked) -> None:
        if asked.method not in ("PUT", "POST", "DELETE"):
            return None
        with self.lock:
            self.count += 1
            if self.count == self.number and self.process is not None:
                self.process.send_signal(signal.SIGKILL)
                self.process.wait()
        return None


def killed(
    omtask: Program, bucket: Objects, env: dict[str, str], number: int, after: bool, *words: str
) -> bool:
    """Runs omtask and kills it; whether it came to that."""
    killer = Killed(bucket, number, after)
    if after:
        bucket.after = killer
    else:
        bucket.rule = lambda asked: killer(asked)
    try:
        with killer.lock:
            killer.process = subprocess.Popen(
                [str(omtask.path), "run", *words], stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL, env=environment(env), text=True)
        code = killer.process.wait(60)
    finally:
        bucket.after, bucket.rule = lambda _: None, lambda _: None
    return code == -signal.SIGKILL


@pytest.mark.parametrize("overwrite", [False, True])
def test_kill_at_any_change_and_the_same_command_goes_on(
    omtask: Program, originals: Path, bucket: Objects, scratch: Path, tmp_path: Path,
    overwrite: bool, request: pytest.FixtureRequest
) -> None:
    env = env_of(bucket, scratch)
    image = bucket.root / "data/image.zarr"
    shutil.rmtree(image)
    write_series(image, 5)
    if overwrite:
        omtask("run", "threshold", IMAGE, *THRESHOLD, env=env)
    more = ("--overwrite", "--min-size", "30") if overwrite else ()
    words = ("threshold", IMAGE, *THRESHOLD, *more)
    start = image_of(bucket)
    bucket.asked.clear()
    omtask("run", *words, env=env)
    whole = image_of(bucket)
    total = len(bucket.changes())
    assert total > 8
    every = 1 if request.config.getoption("--acceptance") else 6
    for number in (*range(1, total, every), total - 3, total - 2, total - 1, total):
        shutil.rmtree(image)
        for key, data in start.items():
            (image / key).parent.mkdir(parents=True, exist_ok=True)
            (image / key).write_bytes(data)
        bucket.sums.clear()
        assert killed(omtask, bucket, env, number, number % 2 == 0, *words) or number == total
        for name in labels_of(image):
            group = zarr.open_group(image / "labels" / name, mode="r")
            for dataset in group.attrs["ome"]["multiscales"][0]["datasets"]:
                assert group[dataset["path"]][:].max() > 0
        if not overwrite and not labels_of(image) and (image / "labels/objects/zarr.json").exists():
            assert set(image_of(bucket)) >= {k for k in whole if k.startswith("labels/objects/")}
        zarr.open_group(image, mode="r")
        omtask("run", *words, env=env)
        assert image_of(bucket) == whole, number
    assert not any((scratch / f"omtask-{os.geteuid()}").iterdir())


def test_what_is_there_is_not_stored_again(
    omtask: Program, bucket: Objects, scratch: Path
) -> None:
    env = env_of(bucket, scratch)
    bucket.rule = lambda a: refusal(400, "ExpiredToken") if (
        a.method == "PUT" and a.path.endswith("labels/objects/zarr.json")) else None
    ended = omtask("run", "threshold", IMAGE, *THRESHOLD, env=env, expect=77)
    assert "ExpiredToken" in ended.stderr
    assert "hidden" not in ended.stderr
    first = [a.path for a in bucket.changes() if "/c/" in a.path]
    assert first and labels_of(bucket.root / "data/image.zarr") == []
    bucket.reset()
    omtask("run", "threshold", IMAGE, *THRESHOLD, env=env)
    assert not [a.path for a in bucket.changes() if "/c/" in a.path]
    assert labels_of(bucket.root / "data/image.zarr") == ["objects"]


def test_two_processes_list_all_their_labels(
    omtask: Program, bucket: Objects, scratch: Path
) -> None:
    env = env_of(bucket, scratch)
    faults: list[str] = []

    def work(number: int) -> None:
        for turn in range(5):
            done = subprocess.run(
                [str(omtask.path), "run", "threshold", IMAGE, "--label-name", f"l{number}_{turn}",
                 "--threads", "1"], env=environment(env), capture_output=True, text=True,
                timeout=100)
            if done.returncode != 0:
                faults.append(done.stderr)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not faults, faults[0]
    wanted = {f"l{n}_{t}" for n in range(8) for t in range(5)}
    assert set(labels_of(bucket.root / "data/image.zarr")) == wanted
    # the list was changed while others were at it, or the test shows nothing
    tries = [a for a in bucket.changes() if a.path.endswith("image.zarr/labels/zarr.json")]
    assert len(tries) > len(wanted)
    assert not any(".omtask-run" in key for key in image_of(bucket))


# Refusals (B46)


def once(when: Callable[[Asked], bool], answer: Any) -> Callable[[Asked], Any]:
    """A rule that holds for the first request that fits."""
    done = threading.Event()

    def rule(asked: Asked) -> Any:
        if done.is_set() or not when(asked):
            return None
        done.set()
        return answer

    return rule


def is_put(part: str) -> Callable[[Asked], bool]:
    return lambda asked: asked.method == "PUT" and part in asked.path


@pytest.mark.parametrize(
    ("part", "answer"),
    [
        ("/c/", refusal(503, "SlowDown")), ("/c/", refusal(400, "BadDigest")),
        ("/c/", refusal(500, "InternalError")),
        ("labels/zarr.json", refusal(409, "ConditionalRequestConflict")),
        ("labels/zarr.json", refusal(412, "PreconditionFailed")),
        ("labels/objects/zarr.json", refusal(503, "ServiceUnavailable")),
        ("/c/", refusal(307, "TemporaryRedirect", x_amz_bucket_region="eu-north-1")),
    ])
def test_b46_what_passes_is_tried_again(
    omtask: Program, bucket: Objects, scratch: Path, part: str, answer: Any
) -> None:
    bucket.rule = once(is_put(part), answer)
    omtask("run", "threshold", IMAGE, *THRESHOLD, env=env_of(bucket, scratch))
    assert labels_of(bucket.root / "data/image.zarr") == ["objects"]


@pytest.mark.parametrize(
    ("part", "answer", "code", "words"),
    [
        ("/c/", refusal(503, "SlowDown"), 69, "SlowDown"),
        ("/c/", refusal(403, "AccessDenied"), 77, "s3:PutObject"),
        (".omtask-run", refusal(403, "AccessDenied"), 77, "--output"),
        ("labels/zarr.json", refusal(412, "PreconditionFailed"), 75, "labels/zarr.json"),
        ("/c/", refusal(307, "TemporaryRedirect", Location="http://127.0.0.2:9/x"), 77, "elsewhere"),
        ("labels/objects/zarr.json", refusal(412, "PreconditionFailed"), 73, "another program"),
    ])
def test_b46_what_stays_is_named_and_the_same_command_goes_on(
    omtask: Program, originals: Path, bucket: Objects, scratch: Path, tmp_path: Path, part: str,
    answer: Any, code: int, words: str
) -> None:
    env = env_of(bucket, scratch)
    bucket.rule = lambda a: answer if is_put(part)(a) else None
    outcome = omtask("run", "threshold", IMAGE, *THRESHOLD, *SHORT, env=env, expect=code)
    assert words in outcome.stderr and "s3://data/image.zarr" in outcome.stderr
    assert "hidden" not in outcome.stderr and "AKID" not in outcome.stderr
    assert labels_of(bucket.root / "data/image.zarr") == []
    bucket.reset()
    omtask("run", "threshold", IMAGE, *THRESHOLD, env=env)
    assert plain(image_of(bucket)) == plain(
        made_here(omtask, originals / "v3.zarr", tmp_path, "threshold", *THRESHOLD))


@pytest.mark.parametrize("conditions", ["ignored", "refused"])
def test_b46_servers_without_conditions(
    omtask: Program, originals: Path, bucket: Objects, scratch: Path, tmp_path: Path,
    conditions: str
) -> None:
    env = env_of(bucket, scratch)
    bucket.conditions = conditions
    before = bucket.files("data")
    refused = omtask("run", "threshold", IMAGE, *THRESHOLD, env=env, expect=76)
    assert "--assume-single-writer" in refused.stderr and "labels" in refused.stderr
    assert bucket.files("data") == before
    omtask("run", "threshold", IMAGE, *THRESHOLD, "--assume-single-writer", env=env)
    assert plain(image_of(bucket)) == plain(
        made_here(omtask, originals / "v3.zarr", tmp_path, "threshold", *THRESHOLD))
    # what nobody lists needs no conditions
    omtask("run", "convert", originals / "v3.zarr", "--output", "s3://data/new.zarr", env=env)
    omtask("run", "convert", originals / "v3.zarr", "--output", "s3://data/new.zarr", "--chunk", "8",
           "--overwrite", env=env, expect=76)
    omtask("run", "convert", originals / "v3.zarr", "--output", "s3://data/new.zarr", "--chunk", "8",
           "--overwrite", "--assume-single-writer", env=env)
    omtask("verify", "s3://data/new.zarr", env=env)


def test_other_targets_and_other_things_in_the_way_are_refused(
    omtask: Program, originals: Path, bucket: Objects, scratch: Path
) -> None:
    env = env_of(bucket, scratch)
    web = omtask("run", "convert", originals / "v3.zarr", "--output", f"{bucket.url}/x.zarr",
                 env=env, expect=77)
    assert "only ever read" in web.stderr
    omtask("run", "pyramid", IMAGE, env=env, expect=77)
    inside = omtask("run", "convert", IMAGE, "--output", f"{IMAGE}/new.zarr", env=env, expect=77)
    assert "lies in the input" in inside.stderr
    omtask("run", "convert", IMAGE, "--output", IMAGE, env=env, expect=77)
    omtask("run", "convert", IMAGE, "--output", "s3://data", env=env, expect=77)
    archive = omtask("run", "convert", IMAGE, "--output", "s3://data/x.ozx", env=env, expect=76)
    assert "archive" in archive.stderr
    (bucket.root / "data/image.zarr/labels/objects").mkdir(parents=True)
    (bucket.root / "data/image.zarr/labels/objects/notes.txt").write_text("mine")
    omtask("run", "threshold", IMAGE, *THRESHOLD, env=env, expect=73)
    part = omtask("run", "threshold", IMAGE, "--part", "0/2", env=env, expect=64)
    assert "--scratch" in part.stderr
    assert (bucket.root / "data/image.zarr/labels/objects/notes.txt").read_text() == "mine"


def test_clean_removes_what_a_killed_run_left(
    omtask: Program, bucket: Objects, scratch: Path
) -> None:
    env = env_of(bucket, scratch)
    before = bucket.files("data")
    assert killed(omtask, bucket, env, 8, False, "threshold", IMAGE, *THRESHOLD)
    assert bucket.files("data") != before
    bucket.uploads["half"] = ("data/image.zarr/labels/objects/0/c/9/9/9", {1: b"x"})
    bucket.uploads["theirs"] = ("data/image.zarr/other", {1: b"x"})
    # another run waits for nobody
    busy = omtask("run", "threshold", IMAGE, *THRESHOLD, "--min-size", "9", env=env, expect=75)
    assert "omtask clean" in busy.stderr
    answer = omtask("clean", IMAGE, "--json", env=env)
    removed = [entry["path"] for entry in json.loads(answer.stdout)["removed"]]
    assert f"{IMAGE}/labels/objects" in removed
    assert bucket.files("data") == before
    assert list(bucket.uploads) == ["theirs"]
    # a claim of another machine stays, unless it is said that it may go
    assert killed(omtask, bucket, env, 8, False, "threshold", IMAGE, *THRESHOLD)
    claim = bucket.root / "data/image.zarr/labels/objects/.omtask-run"
    document = json.loads(claim.read_text())
    document["holder"]["machines"][0]["host"] = "elsewhere"
    claim.write_text(json.dumps(document))
    kept = json.loads(omtask("clean", IMAGE, "--json", env=env).stdout)["kept"]
    assert "elsewhere" in kept[0]["reason"] and "--force" in kept[0]["reason"]
    omtask("clean", IMAGE, "--force", env=env)
    assert bucket.files("data") == before


@pytest.mark.parametrize("ranks", [2, 3])
def test_ranks_share_the_scratch_folder(
    omtask: Program, originals: Path, bucket: Objects, scratch: Path, tmp_path: Path, ranks: int
) -> None:
    env = env_of(bucket, scratch)
    omtask("run", "threshold", IMAGE, *THRESHOLD, env=env, launcher=mpirun(ranks))
    assert plain(image_of(bucket)) == plain(
        made_here(omtask, originals / "v3.zarr", tmp_path, "threshold", *THRESHOLD))


def test_ranks_that_do_not_share_it_say_so(
    omtask: Program, bucket: Objects, scratch: Path, tmp_path: Path
) -> None:
    other = tmp_path / "other"
    other.mkdir()
    env = env_of(bucket, scratch)
    words = [str(omtask.path), "run", "threshold", IMAGE, *THRESHOLD]
    launcher = [*mpirun(1), *words, ":", "-n", "1", "env", f"TMPDIR={other}"]
    outcome = omtask("run", "threshold", IMAGE, *THRESHOLD, env=env, launcher=launcher, expect=76)
    assert "rank 1" in outcome.stderr and "--scratch" in outcome.stderr
    assert not bucket.changes()
