"""Images in buckets: read with signed requests from moto's server, and every refusal (B46)."""

import os
import subprocess
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import parse_qs, quote, urlsplit

import boto3
import numpy as np
import pytest
import requests
from botocore.config import Config

from omtask_testing.program import Program
from omtask_testing.samples import SHARDED, V2, write_blobs
from omtask_testing.servers import Answer, Asked, Handler, Rude, moto, rude, status

SHAPE = (12, 50, 60)
POLICY = """{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Resource": "*",
  "Action": ["s3:GetObject", "s3:ListBucket"]}]}"""
SHORT = ("--limit", "remote-tries=2", "--limit", "remote-time=20")
# No credentials of the machine that runs the tests.
NOBODY = {
    name: "" for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN",
                          "AWS_PROFILE", "AWS_DEFAULT_PROFILE", "AWS_REGION", "AWS_DEFAULT_REGION")
} | {"AWS_CONFIG_FILE": "/nowhere", "AWS_SHARED_CREDENTIALS_FILE": "/nowhere"}


@dataclass(frozen=True)
class Bucket:
    """A bucket of a server that checks signatures."""

    url: str
    key: str
    secret: str

    @property
    def env(self) -> dict[str, str]:
        return NOBODY | {"AWS_ENDPOINT_URL": self.url, "AWS_ACCESS_KEY_ID": self.key,
                         "AWS_SECRET_ACCESS_KEY": self.secret}


@pytest.fixture(scope="module")
def files(omtask: Program, tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("s3")
    write_blobs(root / "image.zarr", SHARDED, np.random.default_rng(5), shape=SHAPE)
    write_blobs(root / "v2 ä+.zarr", V2, np.random.default_rng(6), shape=SHAPE)
    omtask.threshold(root / "image.zarr", parameters={"label_name": "objects"})
    return root


@pytest.fixture(scope="module")
def bucket(files: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bucket]:
    """moto with the files in the bucket `lab.data`, and checks of who asks."""
    with moto(tmp_path_factory.mktemp("moto")) as url:
        common = {"endpoint_url": url, "region_name": "eu-west-1", "aws_access_key_id": "x",
                  "aws_secret_access_key": "y"}
        people = boto3.client("iam", **common)
        people.create_user(UserName="reader")
        people.put_user_policy(UserName="reader", PolicyName="read", PolicyDocument=POLICY)
        key = people.create_access_key(UserName="reader")["AccessKey"]
        store = boto3.client("s3", config=Config(s3={"addressing_style": "path"}), **common)
        for name in ("lab.data", "many"):
            store.create_bucket(
                Bucket=name, CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
        for path in files.rglob("*"):
            if path.is_file() and ".omtask" not in path.parts:
                store.put_object(Bucket="lab.data", Body=path.read_bytes(),
                                 Key=f"a b/{path.relative_to(files)}")
        requests.post(f"{url}/moto-api/reset-auth", data=b"0", timeout=10).raise_for_status()
        yield Bucket(url, key["AccessKeyId"], key["SecretAccessKey"])


def printed(omtask: Program, *words: str | Path, env: dict[str, str] | None = None) -> bytes:
    return subprocess.run(
        [str(omtask.path), *map(str, words)], stdout=subprocess.PIPE, check=True,
        env=os.environ | (env or {}),
    ).stdout


@pytest.mark.parametrize("name", ["image.zarr", "v2 ä+.zarr", "image.zarr/labels/objects"])
def test_voxels_are_those_of_the_disk(
    omtask: Program, files: Path, bucket: Bucket, name: str
) -> None:
    env = bucket.env | {"AWS_REGION": "eu-west-1"}
    assert printed(omtask, "cat", f"s3://lab.data/a b/{name}", env=env) == printed(
        omtask, "cat", files / name)


def test_listing_is_used_where_it_is_needed(omtask: Program, files: Path, bucket: Bucket) -> None:
    for words in (("info",), ("verify",), ("validate",)):
        here = omtask(*words, files / "image.zarr")
        there = omtask(*words, "s3://lab.data/a b/image.zarr", env=bucket.env)
        assert there.stdout.replace("s3://lab.data/a b", str(files)) == here.stdout


@pytest.mark.parametrize("ranks", [None, 2])
def test_tasks_read_buckets(
    omtask: Program, files: Path, bucket: Bucket, tmp_path: Path, ranks: int | None
) -> None:
    uri = "s3://lab.data/a b/image.zarr"
    refused = omtask.threshold(uri, env=bucket.env, expect=77)
    assert "--output" in refused.stderr
    out = tmp_path / "out.zarr"
    outcome = omtask.threshold(uri, env=bucket.env, extra=("--output", out), ranks=ranks)
    assert printed(omtask, "cat", out) == printed(
        omtask, "cat", files / "image.zarr/labels/objects")
    written = b"".join(p.read_bytes() for p in tmp_path.rglob("*") if p.is_file())
    assert bucket.secret not in outcome.stdout + outcome.stderr + written.decode("latin-1")


def test_credentials_may_lie_in_files(
    omtask: Program, bucket: Bucket, tmp_path: Path
) -> None:
    (tmp_path / ".aws").mkdir()
    (tmp_path / ".aws/credentials").write_text(
        f"[lab]\naws_access_key_id = {bucket.key}\naws_secret_access_key = {bucket.secret}\n")
    (tmp_path / ".aws/config").write_text(
        f"[profile lab]\nregion = eu-west-1\nendpoint_url = {bucket.url}\n")
    env = NOBODY | {"HOME": str(tmp_path), "AWS_PROFILE": "lab"}
    env |= {"AWS_CONFIG_FILE": "", "AWS_SHARED_CREDENTIALS_FILE": ""}
    assert "12 x 50 x 60" in omtask("info", "s3://lab.data/a b/image.zarr", env=env).stdout
    outcome = omtask("info", "s3://lab.data/a b/image.zarr", expect=77,
                     env=env | {"AWS_PROFILE": "other"})
    assert "other" in outcome.stderr


def test_b46_refusals_name_code_and_way_out(omtask: Program, bucket: Bucket) -> None:
    uri = "s3://lab.data/a b/image.zarr"
    wrong = omtask("info", uri, expect=77, env=bucket.env | {"AWS_SECRET_ACCESS_KEY": "no"})
    assert "SignatureDoesNotMatch" in wrong.stderr
    unknown = omtask("info", uri, expect=77, env=bucket.env | {"AWS_ACCESS_KEY_ID": "AKIANO"})
    assert "403" in unknown.stderr
    missing = omtask("info", "s3://no-such-bucket/image.zarr", expect=66, env=bucket.env)
    assert "no-such-bucket" in missing.stderr
    omtask("info", "s3://lab.data/a b/none.zarr", expect=66, env=bucket.env)
    omtask("info", "s3://x", expect=64, env=bucket.env)


# What moto does not do


@pytest.fixture
def bad(files: Path, tmp_path: Path) -> Iterator[Rude]:
    """A server in place of S3 that has the bucket `data`."""
    (tmp_path / "data").symlink_to(files)
    with rude(tmp_path) as opened:
        yield opened


def env_of(bad: Rude, **more: str) -> dict[str, str]:
    return NOBODY | {"AWS_ENDPOINT_URL": bad.url, "AWS_ACCESS_KEY_ID": "AKID",
                     "AWS_SECRET_ACCESS_KEY": "hidden"} | more


def refusal(code: int, name: str, more: str = "", **headers: str) -> Answer:
    text = f"<?xml version='1.0'?><Error><Code>{name}</Code><Message>so</Message>{more}</Error>"
    return status(code, text.encode(), Content_Type="application/xml", **headers)


@pytest.mark.parametrize(
    ("answer", "expect", "words", "tries"),
    [
        (refusal(503, "SlowDown"), 69, "SlowDown", 2),
        (refusal(400, "RequestTimeout"), 69, "RequestTimeout", 2),
        (refusal(400, "ExpiredToken"), 77, "ExpiredToken", 1),
        (refusal(403, "AccessDenied"), 77, "s3:ListBucket", 1),
        (refusal(403, "RequestTimeTooSkewed"), 77, "clock", 1),
        (refusal(404, "NoSuchBucket"), 66, "no bucket `data`", 1),
        (status(403, b"<not xml"), 77, "403", 1),
    ])
def test_b46_answers_of_s3(
    omtask: Program, bad: Rude, answer: Answer, expect: int, words: str, tries: int
) -> None:
    bad.rule = lambda asked: answer if "/0/c/0/0/0" in asked.path else None
    outcome = omtask.cat("s3://data/image.zarr", *SHORT, expect=expect, env=env_of(bad))
    assert words in outcome.stderr and "s3://data/image.zarr/0/c/0/0/0" in outcome.stderr
    assert "hidden" not in outcome.stderr
    assert len([a for a in bad.asked if "/0/c/0/0/0" in a.path]) == tries


def test_without_credentials_public_buckets_are_read(omtask: Program, bad: Rude) -> None:
    env = NOBODY | {"AWS_ENDPOINT_URL": bad.url}
    assert "12 x 50 x 60" in omtask("info", "s3://data/image.zarr", env=env).stdout
    assert not any("authorization" in asked.headers for asked in bad.asked)
    bad.rule = lambda _: refusal(403, "AccessDenied")
    assert "not signed" in omtask("info", "s3://data/image.zarr", env=env, expect=77).stderr


def test_b46_another_region_is_followed_once(omtask: Program, bad: Rude) -> None:
    def signed_for(asked: Asked) -> str:
        return asked.headers["authorization"].split("/")[2]

    answers = [
        refusal(400, "AuthorizationHeaderMalformed", "<Region>eu-north-1</Region>"),
        refusal(301, "PermanentRedirect", x_amz_bucket_region="eu-north-1"),
    ]
    for answer in answers:
        bad.asked.clear()
        bad.rule = lambda a, answer=answer: None if signed_for(a) == "eu-north-1" else answer
        outcome = omtask("info", "s3://data/image.zarr", env=env_of(bad, AWS_REGION="us-west-1"))
        assert "12 x 50 x 60" in outcome.stdout
        # it is known from then on
        assert [signed_for(a) for a in bad.asked].count("us-west-1") <= 3
    bad.rule = lambda a: refusal(400, "AuthorizationHeaderMalformed",
                                 f"<Region>{signed_for(a)}x</Region>")
    omtask("info", "s3://data/image.zarr", expect=69, env=env_of(bad))


def test_b46_pages_of_names_are_read_to_the_end(omtask: Program, bad: Rude, files: Path) -> None:
    names = sorted(str(p.relative_to(files)) for p in files.rglob("*") if p.is_file())

    def rule(asked: Asked) -> Answer | None:
        query = {k: v[0] for k, v in parse_qs(urlsplit(asked.path).query).items()}
        if query.get("list-type") != "2":
            return None
        prefix, start = query.get("prefix", ""), int(query.get("continuation-token", "0"))
        below = [n for n in names if n.startswith(prefix)]
        files_here = [n for n in below if "/" not in n[len(prefix):]]
        folders = sorted({prefix + n[len(prefix):].split("/")[0] + "/" for n in below
                          if "/" in n[len(prefix):]})
        entries = [f"<Contents><Key>{quote(n)}</Key></Contents>" for n in files_here]
        entries += [f"<CommonPrefixes><Prefix>{quote(n)}</Prefix></CommonPrefixes>"
                    for n in folders]
        page = "".join(entries[start:start + 1])
        more = start + 1 < len(entries)
        token = f"<NextContinuationToken>{start + 1}</NextContinuationToken>" if more else ""
        text = (f"<ListBucketResult><IsTruncated>{str(more).lower()}</IsTruncated>{page}{token}"
                "</ListBucketResult>")
        return status(200, text.encode())

    bad.rule = rule
    there = omtask("verify", "s3://data/image.zarr", env=env_of(bad))
    here = omtask("verify", files / "image.zarr")
    assert there.stdout.replace("s3://data", str(files)) == here.stdout


def test_b46_requests_that_were_signed_before_the_region_was_known_are_made_again(
    omtask: Program, bad: Rude, files: Path
) -> None:
    """Several are under way when the first answer tells the region."""
    lock, waiting, together = threading.Lock(), 0, threading.Event()

    def late(handler: Handler) -> None:
        nonlocal waiting
        with lock:
            waiting += 1
            if waiting == 3:
                together.set()
        together.wait(5)
        refused.send(handler)

    refused = refusal(400, "AuthorizationHeaderMalformed", "<Region>eu-north-1</Region>")

    def rule(asked: Asked) -> Answer | None:
        old = asked.headers["authorization"].split("/")[2] == "us-west-1"
        return Answer(late) if old and "/v2.zarr/0/0/" in asked.path else None

    bad.rule = rule
    (bad.root / "data/v2.zarr").symlink_to(files / "v2 ä+.zarr")
    read = printed(omtask, "cat", "s3://data/v2.zarr", env=env_of(bad, AWS_REGION="us-west-1"))
    assert read == printed(omtask, "cat", files / "v2 ä+.zarr") and waiting >= 3


def listing(*names: str, more: str = "<IsTruncated>false</IsTruncated>") -> Answer:
    keys = "".join(f"<Contents><Key>{name}</Key></Contents>" for name in names)
    return status(200, f"<ListBucketResult>{more}{keys}</ListBucketResult>".encode())


@pytest.mark.parametrize("token", ["", "<NextContinuationToken>1</NextContinuationToken>"])
def test_b46_a_list_that_does_not_go_on_is_an_error(
    omtask: Program, bad: Rude, token: str
) -> None:
    """Nothing is taken for absent because a server ends its list early, or goes round in circles."""

    def rule(asked: Asked) -> Answer | None:
        query = parse_qs(urlsplit(asked.path).query)
        if "list-type" not in query:
            return None
        name = query.get("prefix", [""])[0] + "one"
        return listing(name, more=f"<IsTruncated>true</IsTruncated>{token}")

    bad.rule = rule
    outcome = omtask("verify", "s3://data/image.zarr", expect=69, env=env_of(bad))
    assert "not complete" in outcome.stderr + outcome.stdout


def test_b46_a_plus_in_a_list_is_a_space(omtask: Program, bad: Rude) -> None:
    """As in forms; a plus itself comes as `%2B`."""
    names = ["a.zarr/labels/one+two/x", "a.zarr/labels/c%2B%2B/x"]
    bad.rule = lambda asked: listing(*names) if "list-type=2" in asked.path else None
    (bad.root / "data/a.zarr").mkdir()
    (bad.root / "data/a.zarr/zarr.json").write_bytes(
        (bad.root / "data/image.zarr/zarr.json").read_bytes())
    said = omtask("verify", "s3://data/a.zarr", expect=None, env=env_of(bad))
    assert "one two" in said.stdout + said.stderr and "c++" in said.stdout + said.stderr, said


def test_signed_headers_stay_with_their_host(omtask: Program, bad: Rude, files: Path) -> None:
    with rude(files) as other:
        bad.rule = lambda a: status(307, Location=other.url + a.path.removeprefix("/data"))
        omtask("info", "s3://data/image.zarr", env=env_of(bad, AWS_SESSION_TOKEN="hidden"))
        assert all("authorization" in a.headers for a in bad.asked)
        for asked in other.asked:
            assert not {"authorization", "x-amz-security-token", "x-amz-date"} & set(asked.headers)
