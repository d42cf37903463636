"""A Fractal server of one's own: PostgreSQL from Debian, fractal-server, one user, one folder.

Everything lies in temporary folders, listens on the loopback or on a socket that only this user may
open, and is gone at the end, also when the program that started it fails or is killed. Needs
nothing but Python; fractal-server lives in another one (`scripts/setup-engines fractal` makes it).
"""

import contextlib
import json
import os
import pwd
import secrets
import shutil
import signal
import socket
import subprocess
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

Account = pwd.struct_passwd
Process = subprocess.Popen[bytes]

PATIENCE = 60.0
EMAIL = "omtask@example.org"


class NotThere(Exception):
    """What a server needs and this machine does not have, in one sentence."""


@dataclass(frozen=True)
class Server:
    """A server that runs, and who may log in."""

    url: str
    email: str
    password: str
    # The folder below which all images must lie.
    project_dir: Path
    log: Path


@contextlib.contextmanager
def run(
    python: Path, project_dir: Path, env: Mapping[str, str] | None = None
) -> Iterator[Server]:
    """Runs a server until the block ends.

    `python` has fractal-server; images lie below `project_dir`; `env` is what the tasks shall find in
    their environment besides what this process has.
    """
    if not (python.parent / "fractalctl").exists():
        raise NotThere(f"{python} has no fractal-server (scripts/setup-engines fractal makes one that has)")
    with _folder("omtask-fractal-") as folder, _postgres() as socket_folder:
        server = Server(
            f"http://127.0.0.1:{_free_port()}", EMAIL, secrets.token_hex(8),
            project_dir.resolve(), folder / "server.log",
        )
        settings = os.environ | dict(env or {}) | {
            "POSTGRES_HOST": str(socket_folder), "POSTGRES_DB": "postgres",
            "POSTGRES_USER": "fractal", "JWT_SECRET_KEY": secrets.token_hex(32),
            "JWT_EXPIRE_SECONDS": "86400", "FRACTAL_RUNNER_BACKEND": "local",
            "FRACTAL_GRACEFUL_SHUTDOWN_TIME": "3",
        }
        fractalctl = [str(python), "-m", "fractal_server"]
        _do([*fractalctl, "set-db"], folder, settings)
        who = ["--admin-email", server.email, "--admin-pwd", server.password,
               "--admin-project-dir", str(server.project_dir)]
        where = ["--resource", _resource(folder, python), "--profile", _profile(folder)]
        _do([*fractalctl, "init-db-data", *who, *where], folder, settings)
        start = [*fractalctl, "start", "--port", server.url.rpartition(":")[2]]
        with _child(start, server.log, cwd=folder, env=settings) as process:
            _wait("fractal-server", process, server.log, lambda: _answers(f"{server.url}/api/alive/"))
            yield server


@contextlib.contextmanager
def _postgres() -> Iterator[Path]:
    """A database cluster of its own; gives the folder of its socket."""
    programs = _postgres_programs()
    # It refuses to run as root, so root takes the account that Debian made for it.
    account = pwd.getpwnam("postgres") if os.geteuid() == 0 else None
    # The path of a socket has at most 107 bytes, so $TMPDIR may be too long.
    with _folder("omtask-postgres-", "/tmp") as folder:
        if account:
            os.chown(folder, account.pw_uid, account.pw_gid)
        data, log = folder / "data", folder / "postgres.log"
        make = [programs / "initdb", "--pgdata", data, "--username", "fractal", "--auth", "trust",
                "--encoding", "UTF8", "--locale", "C", "--no-sync", "--no-instructions"]
        _do(_words(make, account), folder)
        start = [programs / "postgres", "-D", data, "-k", folder, "-h", "", "-F"]
        # On INT it closes what is open and ends; on TERM it would wait for others to leave.
        with _child(start, log, cwd=folder, account=account, end="INT") as process:
            ready = [programs / "pg_isready", "-q", "-h", folder, "-U", "fractal"]
            _wait("PostgreSQL", process, log, lambda: subprocess.run(ready).returncode == 0)
            yield folder


def _postgres_programs() -> Path:
    """Debian keeps the programs of each version in a folder that is not on PATH."""
    found = sorted(
        Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: float(path.parts[-3])
    )
    on_path = shutil.which("initdb")
    if not found and not on_path:
        raise NotThere("there is no PostgreSQL (Debian's package `postgresql`)")
    program = found[-1] if found else Path(on_path or "")
    if os.geteuid() == 0 and not _has_account("postgres"):
        raise NotThere("PostgreSQL does not run as root, and there is no user `postgres`")
    return program.parent


def _has_account(name: str) -> bool:
    return any(account.pw_name == name for account in pwd.getpwall())


def _resource(folder: Path, python: Path) -> str:
    """Where jobs run: here, as this user."""
    version = subprocess.run(
        [python, "-c", "import sys; print('%d.%d' % sys.version_info[:2])"],
        stdout=subprocess.PIPE, text=True, check=True,
    ).stdout.strip()
    path = folder / "resource.json"
    path.write_text(json.dumps({
        "name": "this machine", "type": "local", "jobs_poll_interval": 0,
        "jobs_local_dir": str(folder / "jobs"), "tasks_local_dir": str(folder / "tasks"),
        "jobs_runner_config": {"parallel_tasks_per_job": os.cpu_count() or 1},
        "tasks_python_config": {"default_version": version, "versions": {version: str(python)}},
        "tasks_pixi_config": {},
    }))
    return str(path)


def _profile(folder: Path) -> str:
    path = folder / "profile.json"
    path.write_text(json.dumps({"resource_type": "local", "name": "this user"}))
    return str(path)


# Folders and processes


@contextlib.contextmanager
def _folder(prefix: str, parent: str | None = None) -> Iterator[Path]:
    folder = Path(tempfile.mkdtemp(prefix=prefix, dir=parent)).resolve()
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _words(command: Sequence[object], account: Account | None, *rights: str) -> list[str]:
    """A command as it is run by somebody else, or with other rights."""
    given = [*rights]
    if account:
        given += [f"--reuid={account.pw_uid}", f"--regid={account.pw_gid}", "--clear-groups"]
    return [*(["setpriv", *given] if given else []), *map(str, command)]


def _do(words: Sequence[str], folder: Path, env: Mapping[str, str] | None = None) -> None:
    done = subprocess.run(
        words, cwd=folder, env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    if done.returncode != 0:
        raise RuntimeError(f"{' '.join(words)}\n{done.stdout}(exit {done.returncode})")


@contextlib.contextmanager
def _child(
    command: Sequence[object], log: Path, *, cwd: Path, env: Mapping[str, str] | None = None,
    account: Account | None = None, end: str = "TERM",
) -> Iterator[Process]:
    """A process that ends with the block, and at the latest with this process."""
    with log.open("wb") as file:
        process = subprocess.Popen(
            _words(command, account, "--pdeathsig", end), cwd=cwd, env=env,
            stdin=subprocess.DEVNULL, stdout=file, stderr=file, start_new_session=True,
        )
    try:
        yield process
    finally:
        process.send_signal(signal.Signals[f"SIG{end}"])
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(20)
        # What it started may be there still, even when it is not.
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def _wait(
    name: str, process: Process, log: Path, is_ready: Callable[[], bool]
) -> None:
    end = time.monotonic() + PATIENCE
    while not is_ready():
        if process.poll() is not None or time.monotonic() > end:
            raise RuntimeError(f"{name} does not answer\n{log.read_text(errors='replace')}")
        time.sleep(0.1)


def _answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=5) as answer:
            return answer.status == 200
    except (urllib.error.URLError, ConnectionError, TimeoutError):
        return False


def _free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]
