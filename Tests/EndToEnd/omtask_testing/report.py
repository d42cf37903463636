"""The file that `--report` writes, as the tests read it."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Report:
    """One run's report."""

    document: dict[str, Any]

    @classmethod
    def read(cls, path: Path) -> "Report":
        return cls(json.loads(path.read_text()))

    @property
    def images(self) -> list[dict[str, Any]]:
        return self.document["images"]

    def with_status(self, status: str) -> list[str]:
        """The URIs of all images that ended as `done`, `skipped` or `failed`."""
        return [image["uri"] for image in self.images if image["status"] == status]

    @property
    def outputs(self) -> list[dict[str, Any]]:
        return [output for image in self.images for output in image["outputs"]]

    def thresholds(self, name: str) -> list[float]:
        """The thresholds behind the label image `name`, scope by scope."""
        found = next(output for output in self.outputs if output["name"] == name)
        return [scope["value"] for scope in found["thresholds"]]

    def objects(self, name: str) -> int | None:
        """How many objects the label image `name` has; None for a mask."""
        return next(output for output in self.outputs if output["name"] == name).get("objects")
