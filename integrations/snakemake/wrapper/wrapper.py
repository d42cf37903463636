"""Runs any task of omtask: its arguments are `params`, what it leaves is the result file."""

import json
import os
import shlex
import shutil
import subprocess
import sys
import time

# What may go away: a server that does not answer, a disk that is full or fails, a lock.
MAY_GO_AWAY = (69, 74, 75)


def command(job) -> list[str]:
    """The words of the call; arguments follow on standard input."""
    program = os.environ.get("OMTASK", "omtask")
    if shutil.which(program) is None:
        print(f"omtask: no program {program} here: put it on the PATH or name it in OMTASK", file=sys.stderr)
        sys.exit(127)
    words = [program, "run", job.params.task, "--args-json", "-"]
    words += ["--out-json", job.output.get("result", job.output[0]), "--threads", str(job.threads)]
    memory = job.resources.get("mem_mb")
    if launcher := job.resources.get("mpi"):
        os.environ["SRUN_CPUS_PER_TASK"] = str(job.threads)
        words = [*shlex.split(launcher), "-n", str(job.resources.tasks), *words]
        for_each = job.resources.get("mem_mb_per_cpu")
        memory = for_each * job.threads if for_each else None
    if memory:
        # A sixth is left to the program itself.
        words += ["--memory", f"{memory * 5 // 6}M"]
    return words + shlex.split(job.params.get("extra", ""))


def arguments(job) -> str:
    """The arguments of the task as JSON."""
    given = {name: value for name, value in job.params.items() if name not in ("task", "extra")}
    return json.dumps(given)


def call(words: list[str], text: str, outputs: list) -> int:
    """Calls once, and hands on what is said."""
    with subprocess.Popen(
        words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as process:
        try:
            process.stdin.write(text)
            process.stdin.close()
        except BrokenPipeError:
            pass
        while True:
            try:
                for line in process.stdout:
                    for output in outputs:
                        output.write(line)
                        output.flush()
                break
            except KeyboardInterrupt:
                # omtask was told too: it keeps what is done, and ends.
                continue
    return process.returncode


def main(job) -> int:
    """Calls until it is done, fails for good, or has been tried often enough."""
    tries = int(os.environ.get("OMTASK_TRIES", 3))
    pause = int(os.environ.get("OMTASK_PAUSE", 10))
    words, text = command(job), arguments(job)
    with open(job.log[0] if job.log else os.devnull, "w") as log:
        for number in range(1, tries + 1):
            code = call(words, text, [sys.stderr, log])
            if code not in MAY_GO_AWAY or number == tries:
                break
            told = f"omtask ended with {code}, which may go away: again in {number * pause} s\n"
            sys.stderr.write(told)
            log.write(told)
            time.sleep(number * pause)
    return code


sys.exit(main(snakemake))  # noqa: F821
