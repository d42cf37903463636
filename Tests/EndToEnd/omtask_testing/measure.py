"""Runs groups of commands and measures each; a program of its own, because a small parent is needed.

Linux counts the memory of the parent before `exec` as memory of the child, so what pytest with all
its libraries starts cannot be measured. Reads a JSON object from standard input, writes one.
"""

import concurrent.futures
import json
import os
import signal
import subprocess
import sys
import tempfile
import time


def run(command, timeout):
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        start = time.perf_counter()
        child = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=out, stderr=err, start_new_session=True
        )
        code, usage = None, None
        while time.perf_counter() - start < timeout:
            pid, status, usage = os.wait4(child.pid, os.WNOHANG)
            if pid:
                code = os.waitstatus_to_exitcode(status)
                break
            time.sleep(0.002)
        seconds = time.perf_counter() - start
        if code is None:
            os.killpg(child.pid, signal.SIGKILL)
            _, _, usage = os.wait4(child.pid, 0)
        child.returncode = 0 if code is None else code
        out.seek(0)
        err.seek(0)
        return {
            "code": code,
            "stdout": out.read(1 << 20).decode(errors="replace"),
            "stderr": err.read(1 << 20).decode(errors="replace"),
            "seconds": seconds,
            "cpu": usage.ru_utime + usage.ru_stime,
            "memory": usage.ru_maxrss * 1024,
        }


def main():
    job = json.load(sys.stdin)
    with concurrent.futures.ThreadPoolExecutor(job["at_once"]) as pool:
        groups = {
            name: pool.submit(lambda group: [run(c, job["timeout"]) for c in group], commands)
            for name, commands in job["groups"].items()
        }
        json.dump({name: future.result() for name, future in groups.items()}, sys.stdout)


if __name__ == "__main__":
    main()
