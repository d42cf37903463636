"""Large images on a web server: memory is what the plan says, and requests are under way while chunks are worked on."""

import shutil
import statistics
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from omtask_testing.memory import MIB, run_as_planned
from omtask_testing.program import Program
from omtask_testing.servers import Web, web
from omtask_testing.tiled import Tiled

# how this machine sends
CONGESTION = Path("/proc/sys/net/ipv4/tcp_congestion_control")
KINDS = {"sharded": 256, "chunked": None}
TASKS = {
    "mask": ["--threshold", "800", "--no-objects"], "objects": ["--method", "otsu"],
}


@pytest.fixture(scope="module")
def images(
    tmp_path_factory: pytest.TempPathFactory, scaled: Callable[[int, int], int]
) -> Iterator[Path]:
    """Two images of 64 MiB, or 1 GiB in the acceptance profile: with shards and without."""
    root = tmp_path_factory.mktemp("images")
    for name, shard in KINDS.items():
        Tiled(root / name, (scaled(128, 512), scaled(512, 1024), scaled(512, 1024)), shard)
    yield root
    shutil.rmtree(root)


@pytest.fixture(scope="module")
def server(images: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Web]:
    with web(images, tmp_path_factory.mktemp("nginx")) as opened:
        yield opened


@pytest.fixture(scope="module")
def unpaced(images: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Web]:
    """The same server, which sends without pacing.

    BBR, the choice of some machines, sends by timers. On the cores of the workers these cost more than
    all the rest of TCP, and no network is there that would need them.
    """
    with web(images, tmp_path_factory.mktemp("unpaced"), congestion="reno") as opened:
        yield opened


@pytest.mark.parametrize("task", TASKS)
@pytest.mark.parametrize("kind", KINDS)
def test_peak_memory_is_what_the_plan_says(
    kind: str, task: str, omtask: Program, server: Web, tmp_path: Path
) -> None:
    words = ["threshold", f"{server.url}/{kind}", *TASKS[task], "--threads", "2",
             "--memory", "128M", "--output", str(tmp_path / "out.zarr")]
    planned, most = run_as_planned(omtask, words, 1, 1 << 30)
    assert planned <= 128 * MIB
    print(f"\n{kind} {task}: {most / MIB:.0f} of {planned / MIB:.0f} MiB")


@pytest.mark.parametrize("kind", KINDS)
def test_each_chunk_is_asked_for_once(
    kind: str, images: Path, omtask: Program, server: Web, tmp_path: Path
) -> None:
    """Shards come by few requests, chunks by one each, and no byte twice."""
    before = len(server.requests())
    omtask("run", "threshold", f"{server.url}/{kind}", *TASKS["mask"],
           "--output", tmp_path / "out.zarr")
    asked = [r for r in server.requests()[before:] if "/0/c/" in r[1] and r[0] == "GET"]
    files = [p.stat().st_size for p in (images / kind / "0/c").rglob("*") if p.is_file()]
    assert sum(r[3] for r in asked) <= sum(files)
    # an index, two small requests, and one for every two MiB
    most = sum(4 + size // (1 << 20) for size in files) if kind == "sharded" else len(files)
    assert len(asked) <= most


@pytest.mark.parametrize("task", TASKS)
@pytest.mark.parametrize("kind", KINDS)
def test_a_server_on_this_machine_is_nearly_as_fast_as_its_disk(
    kind: str, task: str, images: Path, omtask: Program, server: Web, unpaced: Web, tmp_path: Path,
    request: pytest.FixtureRequest,
) -> None:
    """At least 0.8 of the local speed, although server and workers share the cores; turn by turn.

    The speed with TCP as this machine is set is printed, too.
    """
    if not request.config.getoption("--acceptance"):
        pytest.skip("a figure of the acceptance profile")
    places = {
        "here": images / kind, "there": f"{unpaced.url}/{kind}", "as it is": f"{server.url}/{kind}",
    }
    seconds: dict[str, list[float]] = {name: [] for name in places}
    for turn in range(8):
        for name, place in places.items():
            out = tmp_path / f"{name[:2]}{turn}.zarr"
            start = time.perf_counter()
            omtask("run", "threshold", place, *TASKS[task], "--threads", "2", "--output", out)
            # the first turn brings files into memory
            if turn:
                seconds[name].append(time.perf_counter() - start)
            shutil.rmtree(out)
    here, there, as_it_is = (statistics.median(times) for times in seconds.values())
    print(f"\n{kind} {task}: {here:.3f} s here, {there:.3f} s there, speed {here / there:.2f};"
          f" with {CONGESTION.read_text().strip()} {as_it_is:.3f} s, {here / as_it_is:.2f}")
    assert here / there >= 0.8
