"""Servers on this machine: nginx, one that misbehaves as told, and a stand-in for S3."""

import os
import shutil
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TypeVar

import pytest

Opened = TypeVar("Opened")


def free_port() -> int:
    """A port that nobody listens at."""
    with socket.socket() as opened:
        opened.bind(("127.0.0.1", 0))
        return opened.getsockname()[1]


def wait_for_port(port: int, process: subprocess.Popen[bytes], seconds: float = 20) -> None:
    """Waits until a server answers."""
    end = time.monotonic() + seconds
    while True:
        with suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
            return
        assert process.poll() is None, f"the server ended with {process.returncode}"
        assert time.monotonic() < end, "the server does not answer"
        time.sleep(0.02)


def stop(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(10)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


# A web server as people run it


@dataclass(frozen=True)
class Web:
    """An nginx with a folder of files."""

    port: int
    secure_port: int
    log: Path
    certificate: Path

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def secure(self) -> str:
        return f"https://127.0.0.1:{self.secure_port}"

    def requests(self) -> list[tuple[str, str, int, int]]:
        """Method, path, status and bytes of the body of each request so far."""
        rows = (line.split() for line in self.log.read_text().splitlines())
        return [(row[0], row[1], int(row[2]), int(row[3])) for row in rows]


CONFIGURATION = """
daemon off; worker_processes 1; pid {scratch}/pid; error_log {scratch}/errors; {user}
events {{ worker_connections 256; }}
http {{
  log_format short "$request_method $request_uri $status $body_bytes_sent";
  access_log {scratch}/access short;
  client_body_temp_path {scratch}/body; proxy_temp_path {scratch}/proxy;
  fastcgi_temp_path {scratch}/fastcgi; uwsgi_temp_path {scratch}/uwsgi; scgi_temp_path {scratch}/scgi;
  sendfile on;
  server {{
    listen 127.0.0.1:{port};
    listen 127.0.0.1:{secure} ssl;
    ssl_certificate {certificate}; ssl_certificate_key {scratch}/key.pem;
    root {root};
    location /private/ {{ alias {root}/; auth_basic "data"; auth_basic_user_file {scratch}/users; }}
    location /closed/ {{ return 403; }}
    location /moved/ {{ rewrite ^/moved/(.*)$ /$1 redirect; }}
    location /plain/ {{ return 302 http://127.0.0.1:{port}/; }}
    location /packed/ {{ alias {root}/; gzip on; gzip_min_length 1; gzip_types *; }}
  }}
}}
"""


def listener(congestion: str) -> socket.socket:
    """A socket that listens; what is sent to those who connect is paced as told."""
    opened = socket.socket()
    opened.setsockopt(socket.IPPROTO_TCP, socket.TCP_CONGESTION, congestion.encode())
    opened.bind(("127.0.0.1", 0))
    opened.listen(511)
    return opened


@contextmanager
def web(root: Path, scratch: Path, congestion: str | None = None) -> Iterator[Web]:
    """An nginx that shows `root`: plain, with TLS, behind a password (`me:secret`), and elsewhere.

    With `congestion` it sends as this algorithm wants, not as the machine's.
    """
    nginx = shutil.which("nginx", path="/usr/sbin:/usr/bin:/sbin:/bin")
    if nginx is None:
        pytest.skip("nginx is not installed")
    scratch.mkdir(parents=True, exist_ok=True)
    certificate = scratch / "certificate.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj",
         "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1", "-keyout",
         scratch / "key.pem", "-out", certificate],
        check=True, capture_output=True)
    hashed = subprocess.run(
        ["openssl", "passwd", "-apr1", "secret"], check=True, capture_output=True, text=True)
    (scratch / "users").write_text(f"me:{hashed.stdout}")
    sockets = [listener(congestion) for _ in range(2)] if congestion else []
    ports = [each.getsockname()[1] for each in sockets] or [free_port(), free_port()]
    opened = Web(*ports, scratch / "access", certificate)
    user = "user root;" if os.geteuid() == 0 else ""
    (scratch / "nginx.conf").write_text(CONFIGURATION.format(
        scratch=scratch, root=root, port=opened.port, secure=opened.secure_port,
        certificate=certificate, user=user))
    # nginx takes over sockets that this variable names, as it does when it is replaced by a newer one
    passed = {"NGINX": "".join(f"{each.fileno()};" for each in sockets)} if sockets else {}
    process = subprocess.Popen(
        [nginx, "-c", scratch / "nginx.conf", "-e", scratch / "errors"],
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=os.environ | passed,
        pass_fds=[each.fileno() for each in sockets])
    for each in sockets:
        each.close()
    try:
        wait_for_port(opened.port, process)
        yield opened
    finally:
        stop(process)


# A server that misbehaves


@dataclass
class Asked:
    """One request as the server saw it."""

    method: str
    path: str
    headers: dict[str, str]


class Answer:
    """What the server does with one request; `send` is called with the handler."""

    def __init__(self, send: Callable[["Handler"], None]) -> None:
        self.send = send


@dataclass
class Rude:
    """A server of a folder whose answers a test may replace."""

    port: int
    root: Path
    asked: list[Asked] = field(default_factory=list)
    connections: int = 0
    # looks at a request and says what to do instead of the ordinary thing, or None
    rule: Callable[[Asked], Answer | None] = lambda _: None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def reset(self) -> None:
        self.asked.clear()
        self.connections = 0
        self.rule = lambda _: None


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    # or a kept connection waits for the next acknowledgement between head and body
    disable_nagle_algorithm = True
    rude: Rude

    def setup(self) -> None:
        self.rude.connections += 1
        super().setup()

    def log_message(self, *_: object) -> None:
        pass

    def do_GET(self) -> None:
        asked = Asked(self.command, self.path, {k.lower(): v for k, v in self.headers.items()})
        self.rude.asked.append(asked)
        answer = self.rude.rule(asked)
        if answer is not None:
            answer.send(self)
        else:
            self.file()

    do_HEAD = do_GET

    def file(self, ranges: bool = True, cut: bool = False, **headers: str) -> None:
        """The ordinary answer: a file or a part of it, or 404; `cut` ends it in the middle."""
        path = self.rude.root / self.path.split("?")[0].lstrip("/")
        if not path.is_file():
            return self.reply(404, b"there is nothing")
        data = path.read_bytes()
        state = path.stat()
        tag = f'"{state.st_mtime_ns}-{state.st_size}"'
        # an answer with a tag of its own is one that does not look at conditions
        if "ETag" not in headers and self.headers.get("If-Match", tag) != tag:
            return self.reply(412, b"")
        headers = {"ETag": tag} | headers
        wanted = self.headers.get("Range") if ranges else None
        if wanted is None:
            return self.reply(200, data, cut, **headers)
        first, last = wanted.removeprefix("bytes=").split("-")
        start = int(first) if first else max(0, len(data) - int(last))
        end = min(int(last) + 1 if first and last else len(data), len(data))
        headers |= {"Content-Range": f"bytes {start}-{end - 1}/{len(data)}"}
        self.reply(206, data[start:end], cut, **headers)

    def reply(self, status: int, body: bytes, cut: bool = False, **headers: str) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        if not any(name.lower() == "content-length" for name in headers):
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            with suppress(OSError):
                self.wfile.write(body[: len(body) // 2] if cut else body)
        if cut:
            self.close_connection = True


def status(code: int, body: bytes = b"", **headers: str) -> Answer:
    """An answer of this status."""
    return Answer(lambda handler: handler.reply(code, body, **headers))


class Server(ThreadingHTTPServer):
    # with fewer, connections that come at once wait for a second
    request_queue_size = 64


@contextmanager
def rude(root: Path) -> Iterator[Rude]:
    """A server that does as its rule says."""
    with served(Server, Handler, lambda port: Rude(port, root)) as opened:
        yield opened


@contextmanager
def served(
    kind: type[Server], handler: type[Handler], open_at: Callable[[int], Opened]
) -> Iterator[Opened]:
    """A server on a free port; its handlers know as `rude` what is opened there."""
    server = kind(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    opened = open_at(server.server_address[1])
    server.RequestHandlerClass = type("Own", (handler,), {"rude": opened})
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield opened
    finally:
        server.shutdown()
        server.server_close()
        thread.join(5)


# A stand-in for S3


@contextmanager
def moto(scratch: Path) -> Iterator[str]:
    """The S3 server of moto; its URL."""
    program = Path(sys.executable).with_name("moto_server")
    if not program.exists():
        pytest.skip("moto is not installed")
    port = free_port()
    with (scratch / "moto.log").open("wb") as log:
        process = subprocess.Popen(
            [program, "-H", "127.0.0.1", "-p", str(port)], stdout=log, stderr=log)
    try:
        wait_for_port(port, process, 40)
        yield f"http://127.0.0.1:{port}"
    finally:
        stop(process)
