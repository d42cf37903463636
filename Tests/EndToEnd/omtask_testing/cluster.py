"""A real Slurm cluster of two nodes on this machine, through the shared starter script."""

import os
import signal
import subprocess
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from .jobs import until
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
            # Three each, below those that the system gives away.
            "SLURM_TEST_PORT": str(20000 + os.getpid() % 4000 * 3),
            # Most jobs wait for something, so that many may run at once.
            "SLURM_TEST_CPUS": "64",
        }
        cluster = cls(script, settings)
        line = cluster._do("start").strip().splitlines()[-1]
        name, _, value = line.removeprefix("export ").partition("=")
        settings[name] = value.strip('"')
        return cluster

    def stop(self) -> None:
        """Ends all jobs, then the daemons at once: nobody needs what they would save."""
        self.run("scancel", "--quiet", "--user=root")
        with suppress(AssertionError):
            until(lambda: not self.run("squeue", "-h")[1].strip(), 10, "the end of all jobs", every=0.1)
        for file in Path(self.settings["SLURM_TEST_DIR"], "run").glob("*.pid"):
            with suppress(ProcessLookupError, ValueError):
                os.kill(int(file.read_text()), signal.SIGKILL)
            file.unlink()
        self._do("stop")

    def _do(self, verb: str) -> str:
        done = subprocess.run(
            ["bash", str(self.script), verb], stdout=subprocess.PIPE, text=True, timeout=300,
            env=os.environ | self.settings, check=True,
        )
        return done.stdout

    def run(self, *command: str, extra: Mapping[str, str] | None = None) -> tuple[int, str]:
        """A command with the cluster in its environment: exit code and all it said."""
        env = environment() | self.settings | dict(extra or {})
        # The nodes are one machine: between them only TCP tells them apart.
        env |= {"OMPI_MCA_btl": "self,vader,tcp"}
        process = subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=env, start_new_session=True
        )
        try:
            said, _ = process.communicate(timeout=180)
        except subprocess.TimeoutExpired:
            state = self.state()
            # What a shell has started must not hold nodes for all that comes after: `srun` ends its job.
            os.killpg(process.pid, signal.SIGTERM)
            with suppress(subprocess.TimeoutExpired):
                process.communicate(timeout=10)
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            said, _ = process.communicate()
            raise AssertionError(f"no end after 180 s: {command}\n{said}\n{state}") from None
        return process.returncode, said

    def state(self) -> str:
        """What Slurm says of its nodes and jobs, and the last lines of its logs: why a job does not end."""
        asked = (["sinfo", "-N", "-o", "%N %T %E"], ["squeue", "-o", "%i %T %N %M %r"])
        lines = [text for words in asked for text in self._ask(words).splitlines()]
        for log in sorted(Path(self.settings["SLURM_TEST_DIR"], "log").glob("slurm*.log")):
            lines += [f"{log.name}: {text}" for text in log.read_text(errors="replace").splitlines()[-12:]]
        return "\n".join(lines)

    def _ask(self, words: list[str]) -> str:
        """A question to Slurm that may stay without an answer."""
        try:
            return subprocess.run(
                words, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=20,
                env=os.environ | self.settings,
            ).stdout
        except subprocess.TimeoutExpired:
            return f"{words[0]} does not answer"

    def submit(self, *words: str, extra: Mapping[str, str] | None = None) -> str:
        """`sbatch`: the number of the job."""
        code, said = self.run("sbatch", "--parsable", *words, extra=extra)
        assert code == 0, said
        return said.split()[-1]

    def cut_off(self, node: str) -> bool:
        """Ends all that runs on a node at once, as a power cut does, and lets Slurm know that it is gone.

        Nodes are told apart by their host names; where they share that of the machine nothing is done.
        """
        daemon = Path(self.settings["SLURM_TEST_DIR"], "run", f"slurmd.{node}.pid")
        home = os.readlink(f"/proc/{daemon.read_text().strip()}/ns/uts")
        if home == os.readlink("/proc/self/ns/uts"):
            return False
        # What is started meanwhile is found in the next round.
        while on_node := [pid for pid in processes() if host_of(pid) == home]:
            for pid in on_node:
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            time.sleep(0.05)
        daemon.unlink()
        # Slurm would find out by itself after a minute.
        code, said = self.run("scontrol", "update", f"NodeName={node}", "State=DOWN", "Reason=power")
        assert code == 0, said
        return True

    def revive(self) -> None:
        """Starts nodes again that are cut off."""
        self._do("start")

    def wait(self, number: str, seconds: float) -> dict[str, str]:
        """Waits until a job is over; gives state and exit code of each of its elements."""
        ends: dict[str, str] = {}

        def over() -> bool:
            ends.clear()
            for line in self.run("scontrol", "-o", "show", "job", number)[1].splitlines():
                facts = dict(word.split("=", 1) for word in line.split() if "=" in word)
                name = facts.get("ArrayTaskId", "0")
                ends[name] = f"{facts['JobState']} {facts['ExitCode']}"
            unfinished = ("PENDING", "RUNNING", "COMPLETING", "REQUEUED", "CONFIGURING", "SIGNALING")
            return bool(ends) and not any(end.startswith(unfinished) for end in ends.values())

        try:
            until(over, seconds, f"the end of job {number}", every=0.1)
        except AssertionError as error:
            raise AssertionError(f"{error}\n{self.state()}") from None
        return ends

    def batch(self, output: Path, options: list[str], script: str) -> tuple[int, str]:
        """`sbatch --wait`: the job's exit code and all it said."""
        wait = ["sbatch", "--wait", "--output", str(output), *options, "--wrap", script]
        code, said = self.run(*wait)
        return code, said + (output.read_text() if output.exists() else "")


def processes() -> list[int]:
    """The numbers of all processes."""
    return [int(entry) for entry in os.listdir("/proc") if entry.isdigit()]


def host_of(pid: int) -> str:
    """What stands for the host name that a living process sees; nothing when it is gone."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0]
        return "" if state == "Z" else os.readlink(f"/proc/{pid}/ns/uts")
    except OSError:
        return ""
