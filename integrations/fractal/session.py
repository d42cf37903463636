"""What a user does in Fractal's web page, through the same calls: collect tasks, run workflows."""

import io
import json
import time
import urllib.error
import urllib.parse
import urllib.request
import uuid
import zipfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from local_server import Server

Record = dict[str, Any]


class Refused(Exception):
    """The server said no; the text is its answer."""


@dataclass(frozen=True)
class Job:
    """A workflow that was run on a dataset."""

    record: Record
    # What the tasks said, by the path of the log in the folder of the job.
    logs: dict[str, str]

    @property
    def is_done(self) -> bool:
        return self.record["status"] == "done"

    def __str__(self) -> str:
        said = "".join(f"--- {name}\n{text}" for name, text in self.logs.items())
        return f"job {self.record['id']}: {self.record['status']}\n{self.record['log']}\n{said}"


class Session:
    """A user who is logged in, with a project."""

    def __init__(self, server: Server, project: str = "omtask") -> None:
        self._url = server.url
        self._headers: dict[str, str] = {}
        form = {"username": server.email, "password": server.password}
        token = self._send("POST", "auth/token/login/", urllib.parse.urlencode(form).encode(),
                           "application/x-www-form-urlencoded")
        self._headers["Authorization"] = f"Bearer {token['access_token']}"
        self._project = f"project/{self._post('project/', {'name': project})['id']}"

    # Tasks

    def collect(self, manifest: Path, package_root: Path, version: str) -> list[Record]:
        """Collects a manifest whose executables lie below a folder and are programs."""
        return self._post("task/collect/custom/", {
            "label": "omtask", "version": version, "package_root": str(package_root),
            "python_interpreter": "/usr/bin/env", "manifest": json.loads(manifest.read_text()),
        })

    def collect_wheel(self, wheel: Path, patience: float = 120) -> list[Record]:
        """Has the server install a Python package with a manifest, and returns its tasks."""
        boundary = uuid.uuid4().hex
        head = (
            f"--{boundary}\r\nContent-Disposition: form-data; name=\"file\"; "
            f"filename=\"{wheel.name}\"\r\nContent-Type: application/zip\r\n\r\n"
        )
        body = head.encode() + wheel.read_bytes() + f"\r\n--{boundary}--\r\n".encode()
        activity = self._send("POST", "api/v2/task/collect/pip/", body,
                              f"multipart/form-data; boundary={boundary}")
        activity = self._wait(
            f"task-group/activity/{activity['id']}/", {"OK", "failed"}, patience)
        if activity["status"] != "OK":
            raise Refused(activity["log"])
        return self._get(f"task-group/{activity['taskgroupv2_id']}/")["task_list"]

    # Images

    def dataset(self, name: str, folder: str) -> int:
        """Makes a dataset whose images lie in a folder below the one of the user's images."""
        body = {"name": name, "zarr_subfolder": folder, "project_dir": self._project_dir()}
        return self._post(f"{self._project}/dataset/", body)["id"]

    def add_images(self, dataset: int, images: Iterable[Record]) -> None:
        """Lists images: `zarr_url`, `attributes`, `types`."""
        for image in images:
            self._post(f"{self._project}/dataset/{dataset}/images/", image)

    def images(self, dataset: int) -> dict[str, Record]:
        """The images that are listed, by their `zarr_url`."""
        page = self._post(f"{self._project}/dataset/{dataset}/images/query/", {})
        return {image["zarr_url"]: image for image in page["items"]}

    # Work

    def workflow(
        self, name: str, tasks: Sequence[Record], steps: Sequence[tuple[str, Mapping[str, Any]]]
    ) -> int:
        """Makes a workflow: names of collected tasks with their arguments, in order."""
        workflow = self._post(f"{self._project}/workflow/", {"name": name})["id"]
        known = {task["name"]: task for task in tasks}
        for name, arguments in steps:
            task = known[name]
            # Parallel tasks have one form to fill; of the others the parts need nothing of the user.
            form = "args_parallel" if task["type"] == "parallel" else "args_non_parallel"
            self._post(
                f"{self._project}/workflow/{workflow}/wftask/?task_id={task['id']}",
                {form: dict(arguments)},
            )
        return workflow

    def run(
        self, workflow: int, dataset: int, patience: float = 120, **filters: Mapping[str, Any]
    ) -> Job:
        """Runs a workflow to its end; `attribute_filters` and `type_filters` choose images."""
        query = f"workflow_id={workflow}&dataset_id={dataset}"
        job = self._post(f"{self._project}/job/submit/?{query}", dict(filters))
        record = self._wait(f"{self._project}/job/{job['id']}/", {"done", "failed"}, patience)
        with zipfile.ZipFile(io.BytesIO(self._download(job["id"]))) as archive:
            logs = {name: archive.read(name).decode() for name in sorted(archive.namelist())
                    if name.endswith("-log.txt")}
        return Job(record, logs)

    # Calls

    def _project_dir(self) -> str:
        user = self._send("GET", "auth/current-user/")
        return user["project_dirs"][0]

    def _wait(self, path: str, ends: set[str], patience: float) -> Record:
        end = time.monotonic() + patience
        while (record := self._get(path))["status"] not in ends:
            if time.monotonic() > end:
                raise TimeoutError(f"{path} takes longer than {patience:.0f} s: {record}")
            time.sleep(0.2)
        return record

    def _get(self, path: str) -> Any:
        return self._send("GET", f"api/v2/{path}")

    def _post(self, path: str, body: object) -> Any:
        return self._send("POST", f"api/v2/{path}", json.dumps(body).encode(), "application/json")

    def _download(self, job: int) -> bytes:
        """The folder of a job as a zip file, as people get it."""
        return self._call("GET", f"api/v2/{self._project}/job/{job}/download/")

    def _send(
        self, method: str, path: str, body: bytes | None = None, kind: str | None = None
    ) -> Any:
        return json.loads(self._call(method, path, body, kind) or b"null")

    def _call(
        self, method: str, path: str, body: bytes | None = None, kind: str | None = None
    ) -> bytes:
        headers = self._headers | ({"Content-Type": kind} if kind else {})
        request = urllib.request.Request(f"{self._url}/{path}", body, headers, method=method)
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:
                return answer.read()
        except urllib.error.HTTPError as error:
            raise Refused(f"{method} {path}: {error.code} {error.read().decode()}") from None
