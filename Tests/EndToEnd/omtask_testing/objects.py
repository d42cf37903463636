"""A stand-in for S3 that stores objects as files, and does what real servers do at bad moments."""

import base64
import hashlib
import os
import shutil
import threading
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import parse_qs, quote, unquote, urlsplit
from xml.etree import ElementTree

import google_crc32c

from .servers import Answer, Asked, Handler, Rude, Server, served, status


def refusal(code: int, name: str, more: str = "", **headers: str) -> Answer:
    """An error as S3 words it."""
    text = f"<?xml version='1.0'?><Error><Code>{name}</Code><Message>so</Message>{more}</Error>"
    return status(code, text.encode(), Content_Type="application/xml", **headers)


def checksum(data: bytes) -> str:
    return base64.b64encode(google_crc32c.value(data).to_bytes(4, "big")).decode()


@dataclass
class Objects(Rude):
    """Buckets as folders of `root`; conditions are looked at (`full`), passed over, or refused."""

    conditions: str = "full"
    lock: threading.Lock = field(default_factory=threading.Lock)
    uploads: dict[str, tuple[str, dict[int, bytes]]] = field(default_factory=dict)
    sums: dict[str, str] = field(default_factory=dict)
    # called with every change that was made, while nothing else changes
    after: Callable[[Asked], None] = lambda _: None

    @property
    def env(self) -> dict[str, str]:
        return {
            "AWS_ENDPOINT_URL": self.url, "AWS_ACCESS_KEY_ID": "AKID",
            "AWS_SECRET_ACCESS_KEY": "hidden", "AWS_SESSION_TOKEN": "", "AWS_PROFILE": "",
            "AWS_REGION": "eu-west-1", "AWS_CONFIG_FILE": "/nowhere",
            "AWS_SHARED_CREDENTIALS_FILE": "/nowhere",
        }

    def changes(self) -> list[Asked]:
        return [a for a in self.asked if a.method in ("PUT", "POST", "DELETE")]

    def files(self, bucket: str) -> dict[str, bytes]:
        """Key → bytes of all objects of a bucket."""
        root = self.root / bucket
        return {str(p.relative_to(root)): p.read_bytes() for p in root.rglob("*") if p.is_file()}


class ObjectHandler(Handler):
    rude: Objects

    def do_GET(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        asked = Asked(self.command, self.path, {k.lower(): v for k, v in self.headers.items()})
        self.rude.asked.append(asked)
        answer = self.rude.rule(asked)
        if answer is not None:
            return answer.send(self)
        url = urlsplit(self.path)
        query = {k: v[0] for k, v in parse_qs(url.query, keep_blank_values=True).items()}
        key = unquote(url.path).lstrip("/")
        if self.command in ("GET", "HEAD"):
            if "list-type" in query:
                return self.names(key.rstrip("/"), query)
            if "uploads" in query:
                return self.unfinished(key.rstrip("/"))
            return self.object(key)
        digest = hashlib.sha256(body).hexdigest()
        if self.headers.get("x-amz-content-sha256", digest) != digest:
            return refusal(400, "XAmzContentSHA256Mismatch").send(self)
        wanted = self.headers.get("x-amz-checksum-crc32c")
        if self.command == "PUT" and wanted != checksum(body):
            return refusal(400, "BadDigest").send(self)
        with self.rude.lock:
            answer = self.change(key, query, body)
            self.rude.after(asked)
        answer.send(self)

    do_PUT = do_POST = do_DELETE = do_HEAD = do_GET

    def path_of(self, key: str) -> Path:
        return self.rude.root / key

    def tag(self, key: str) -> str:
        return f'"{hashlib.md5(self.path_of(key).read_bytes()).hexdigest()}"'

    def object(self, key: str) -> None:
        path = self.path_of(key)
        with self.rude.lock:
            if not path.is_file():
                return refusal(404, "NoSuchKey").send(self)
            headers = {"ETag": self.tag(key)}
            if self.headers.get("x-amz-checksum-mode") == "ENABLED" and key in self.rude.sums:
                headers["x-amz-checksum-crc32c"] = self.rude.sums[key]
            if self.command == "HEAD":
                return self.reply(200, b"", Content_Length=str(path.stat().st_size), **headers)
            self.file(**headers)

    def file(self, ranges: bool = True, cut: bool = False, **headers: str) -> None:
        # the key of a path may hold encoded letters
        self.path = unquote(self.path)
        super().file(ranges, cut, **headers)

    def change(self, key: str, query: dict[str, str], body: bytes) -> Answer:
        if self.command == "DELETE":
            if "uploadId" in query:
                self.rude.uploads.pop(query["uploadId"], None)
            else:
                self.path_of(key).unlink(missing_ok=True)
                self.rude.sums.pop(key, None)
            return status(204)
        if self.command == "POST" and "uploads" in query:
            name = uuid.uuid4().hex
            self.rude.uploads[name] = (key, {})
            return status(200, f"<R><UploadId>{name}</UploadId></R>".encode())
        if self.command == "POST":
            return self.join(key, query["uploadId"], body)
        if "partNumber" in query:
            self.rude.uploads[query["uploadId"]][1][int(query["partNumber"])] = body
            return status(200, ETag=f'"{hashlib.md5(body).hexdigest()}"')
        return self.store(key, body, checksum(body))

    def store(self, key: str, body: bytes, total: str) -> Answer:
        match, none_match = self.headers.get("If-Match"), self.headers.get("If-None-Match")
        path = self.path_of(key)
        if (match or none_match) and self.rude.conditions == "refused":
            return refusal(501, "NotImplemented")
        if self.rude.conditions == "full":
            if match and not path.is_file():
                return refusal(404, "NoSuchKey")
            if match and match != self.tag(key) or none_match and path.is_file():
                return refusal(412, "PreconditionFailed")
        path.parent.mkdir(parents=True, exist_ok=True)
        hidden = self.rude.root / f".new-{threading.get_ident()}"
        hidden.write_bytes(body)
        hidden.rename(path)
        self.rude.sums[key] = total
        return status(200, ETag=self.tag(key))

    def join(self, key: str, name: str, body: bytes) -> Answer:
        parts = self.rude.uploads[name][1]
        listed = [
            {child.tag.split("}")[-1]: child.text for child in part}
            for part in ElementTree.fromstring(body)
        ]
        sums = [google_crc32c.value(parts[n]).to_bytes(4, "big") for n in sorted(parts)]
        whole = [
            {"PartNumber": str(n), "ETag": f'"{hashlib.md5(parts[n]).hexdigest()}"',
             "ChecksumCRC32C": checksum(parts[n])} for n in sorted(parts)
        ]
        if listed != whole:
            return refusal(400, "InvalidPart")
        del self.rude.uploads[name]
        self.store(key, b"".join(parts[n] for n in sorted(parts)),
                   f"{checksum(b''.join(sums))}-{len(sums)}")
        return status(200, b"<CompleteMultipartUploadResult/>")

    def unfinished(self, bucket: str) -> None:
        entries = "".join(
            f"<Upload><Key>{quote(key.removeprefix(bucket + '/'))}</Key>"
            f"<UploadId>{name}</UploadId></Upload>"
            for name, (key, _) in self.rude.uploads.items())
        self.reply(200, f"<R>{entries}</R>".encode())

    def names(self, bucket: str, query: dict[str, str]) -> None:
        prefix = query.get("prefix", "")
        with self.rude.lock:
            root = self.rude.root / bucket
            found = sorted(
                (str(Path(folder, name).relative_to(root)), Path(folder, name).stat().st_size)
                for folder, _, names in os.walk(root, followlinks=True) for name in names)
        entries, folders = [], set()
        for key, size in found:
            if not key.startswith(prefix):
                continue
            rest = key[len(prefix):]
            if "delimiter" in query and "/" in rest:
                folders.add(prefix + rest.split("/")[0] + "/")
            else:
                entries.append(f"<Contents><Key>{quote(key)}</Key><Size>{size}</Size></Contents>")
        entries += [f"<CommonPrefixes><Prefix>{quote(f)}</Prefix></CommonPrefixes>"
                    for f in sorted(folders)]
        text = f"<R><IsTruncated>false</IsTruncated>{''.join(entries)}</R>"
        self.reply(200, text.encode())


class ObjectServer(Server):
    def handle_error(self, request: object, client_address: object) -> None:
        """Who asks may be killed in the middle of it."""


@contextmanager
def objects(root: Path) -> Iterator[Objects]:
    """A server whose buckets are the folders of `root`."""
    with served(ObjectServer, ObjectHandler, lambda port: Objects(port, root)) as opened:
        yield opened


def put_folder(opened: Objects, source: Path, bucket: str, name: str) -> Path:
    """Copies an image into a bucket; its folder."""
    target = opened.root / bucket / name
    shutil.copytree(source, target, ignore=shutil.ignore_patterns(".omtask"))
    return target
