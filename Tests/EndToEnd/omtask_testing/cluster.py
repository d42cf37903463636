"""A real Slurm cluster of two nodes on this machine, through the shared starter script."""

import os
import subprocess
from dataclasses import dataclass
from pathlib import Path

from .program import environment


@dataclass(frozen=True)
class Cluster:
    """A cluster that runs until `stop`."""

    script: Path
    settings: dict[str, str]

    @classmethod
    def start(cls, script: Path, folder: Path) -> "Cluster":
        """Starts it with ports and a state folder of its own, so that it meets no other."""
        settings = {
            "SLURM_TEST_DIR": str(folder),
            "SLURM_TEST_PORT": str(20000 + os.getpid() % 20000),
        }
        cluster = cls(script, settings)
        line = cluster._do("start").strip().splitlines()[-1]
        name, _, value = line.removeprefix("export ").partition("=")
        settings[name] = value.strip('"')
        return cluster

    def stop(self) -> None:
        self._do("stop")

    def _do(self, verb: str) -> str:
        done = subprocess.run(
            ["bash", str(self.script), verb], stdout=subprocess.PIPE, text=True, timeout=300,
            env=os.environ | self.settings, check=True,
        )
        return done.stdout

    def run(self, *command: str) -> tuple[int, str]:
        """A command with the cluster in its environment: exit code and all it said."""
        env = environment() | self.settings
        # The nodes are one machine: between them only TCP tells them apart.
        env |= {"OMPI_MCA_btl": "self,vader,tcp"}
        done = subprocess.run(
            command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=180, env=env
        )
        return done.returncode, done.stdout

    def batch(self, output: Path, options: list[str], script: str) -> tuple[int, str]:
        """`sbatch --wait`: the job's exit code and all it said."""
        wait = ["sbatch", "--wait", "--output", str(output), *options, "--wrap", script]
        code, said = self.run(*wait)
        return code, said + (output.read_text() if output.exists() else "")
