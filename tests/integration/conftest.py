"""Real components for tests: a Docker engine, memory cgroups, a Prometheus server with a past.

Each is started once for a run (for each worker of a parallel run), in a folder of its own, on a socket or port of its
own, and ended by its pid. A machine that lacks one skips the tests that ask for it.
"""

import io
import os
import shutil
import socket
import subprocess
import sys
import tarfile
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

DEADLINE_SECONDS = 60.0
CGROUPS = Path("/sys/fs/cgroup")
V1_MEMORY = CGROUPS / "memory"
MINE = f"leakwatch-test-{os.getpid()}"


def wait_until(holds: Callable[[], bool], what: str, process: "subprocess.Popen[Any] | None" = None) -> None:
    """Wait for a condition; fails after a minute, or when the process that should fulfil it has ended."""
    deadline = time.monotonic() + DEADLINE_SECONDS
    while not holds():
        assert process is None or process.poll() is None, f"{what}: the process ended with {process.returncode}"
        assert time.monotonic() < deadline, f"{what}: not within {DEADLINE_SECONDS} s"
        time.sleep(0.05)


def end(process: "subprocess.Popen[Any]") -> None:
    """Ask a process that we started to end, and insist."""
    process.terminate()
    try:
        process.wait(30)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait(30)


def remove_cgroup(folder: Path) -> None:
    """With all below it; the kernel needs a moment to let a killed process go."""
    for inner in sorted((path for path in folder.rglob("*") if path.is_dir()), reverse=True):
        remove_cgroup(inner)
    deadline = time.monotonic() + DEADLINE_SECONDS
    while folder.exists():
        try:
            folder.rmdir()
        except OSError:
            for pid in (folder / "cgroup.procs").read_text().split():
                with suppress(ProcessLookupError):
                    os.kill(int(pid), 9)
            if time.monotonic() > deadline:
                raise
            time.sleep(0.05)


# ---------------------------------------------------------------------------------------------------------------------
# Memory cgroups
# ---------------------------------------------------------------------------------------------------------------------


@pytest.fixture
def memory_cgroup() -> Iterator[Callable[..., Path]]:
    """`memory_cgroup(limit_bytes=None, name="box")` makes a v1 memory cgroup and returns its folder.

    Put a process in by writing its pid to ``cgroup.procs``. What is left in it at the end of the test is killed, and
    the cgroup is removed.
    """
    with _memory_cgroups() as make:
        yield make


@pytest.fixture(scope="module")
def memory_cgroup_of_file() -> Iterator[Callable[..., Path]]:
    """The same for all tests of a file together."""
    with _memory_cgroups() as make:
        yield make


@contextmanager
def _memory_cgroups() -> Iterator[Callable[..., Path]]:
    if not os.access(V1_MEMORY / "memory.limit_in_bytes", os.W_OK):
        pytest.skip("needs root and a cgroup v1 memory hierarchy at /sys/fs/cgroup/memory")
    parent = V1_MEMORY / f"{MINE}-{time.monotonic_ns()}"
    parent.mkdir()

    def make(limit_bytes: int | None = None, name: str = "box") -> Path:
        folder = parent / name
        folder.mkdir(parents=True)
        if limit_bytes is not None:
            (folder / "memory.limit_in_bytes").write_text(str(limit_bytes))
        return folder

    try:
        yield make
    finally:
        remove_cgroup(parent)


# ---------------------------------------------------------------------------------------------------------------------
# Docker
# ---------------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class DockerEngine:
    """A running engine with one image and no network.

    Attributes:
        url: for DOCKER_HOST.
        image: busybox; `python_command` and `python_volumes` lend it this interpreter.
    """

    url: str
    image: str = "leakwatch-test/busybox:latest"

    def client(self) -> Any:
        """A client of the official library; close it."""
        import docker

        return docker.DockerClient(base_url=self.url, timeout=60)

    def run(self, command: list[str], *, python: bool = False, **options: Any) -> Any:
        """Start a container in the background; `options` are those of `containers.run` (name, mem_limit, ...).

        With `python` the command's words follow this interpreter: `run(["-c", "..."], python=True)`.
        """
        client = self.client()
        if python:
            command = [sys.executable, *command]
            options.setdefault("volumes", {}).update(python_volumes())
        options = {"network_mode": "none", "detach": True, "stop_signal": "SIGKILL", **options}
        return client.containers.run(self.image, command, **options)


def python_volumes() -> dict[str, dict[str, str]]:
    """What this interpreter needs of the host, read-only: the system's libraries, its installation and packages."""
    folders = {"/usr", "/lib", "/lib64", sys.base_prefix, sys.prefix}
    kept = sorted(folder for folder in folders if os.path.isdir(folder))
    return {folder: {"bind": folder, "mode": "ro"} for folder in kept}


@pytest.fixture(scope="session")
def docker_engine() -> Iterator[DockerEngine]:
    """An engine of this test run alone; its containers and its data are gone afterwards."""
    missing = [name for name in ("dockerd", "containerd", "runc", "busybox") if shutil.which(name) is None]
    if missing or os.geteuid() != 0:
        pytest.skip(f"needs root and {', '.join(missing) or 'its rights'} (docker.io, busybox-static)")
    folder = Path(tempfile.mkdtemp(prefix="lw-docker-"))  # short: a socket's path has 107 characters at most
    # No storage driver is named: the engine takes overlay2 where it can, and copies whole layers (vfs) where it cannot.
    engine = DockerEngine(f"unix://{folder}/docker.sock")
    flags = "--iptables=false --ip6tables=false --bridge=none --ip-forward=false --ip-masq=false"
    command = ["dockerd", *flags.split(), "--exec-opt", "native.cgroupdriver=cgroupfs", "--cgroup-parent", f"/{MINE}"]
    command += ["--data-root", f"{folder}/root", "--exec-root", f"{folder}/exec", "-p", f"{folder}/dockerd.pid"]
    with (folder / "dockerd.log").open("wb") as log:
        dockerd = subprocess.Popen([*command, "-H", engine.url], stdout=log, stderr=log)
    try:
        wait_until((folder / "docker.sock").exists, "dockerd's socket", dockerd)
        client = engine.client()
        wait_until(lambda: _answers(client), "dockerd", dockerd)
        client.api.import_image_from_data(_busybox_image(), *engine.image.split(":"))
        yield engine
        for container in client.containers.list(all=True):
            container.remove(force=True)
        client.close()
    finally:
        end(dockerd)
        for hierarchy in (CGROUPS, *CGROUPS.iterdir()):
            if (hierarchy / MINE).is_dir():
                remove_cgroup(hierarchy / MINE)
        shutil.rmtree(folder, ignore_errors=True)


def _answers(client: Any) -> bool:
    try:
        return bool(client.ping())
    except Exception:
        return False


def _busybox_image() -> bytes:
    """A root file system as `docker import` takes it: busybox with its applets, and nothing else."""
    layer = io.BytesIO()
    with tarfile.open(fileobj=layer, mode="w") as archive:
        archive.add(shutil.which("busybox") or "", "bin/busybox")
        applets = subprocess.run(["busybox", "--list"], capture_output=True, text=True, check=True).stdout.split()
        for applet in applets:
            if applet != "busybox":
                link = tarfile.TarInfo(f"bin/{applet}")
                link.type, link.linkname = tarfile.SYMTYPE, "busybox"
                archive.addfile(link)
        for name in ("tmp", "proc", "sys", "dev", "etc"):
            entry = tarfile.TarInfo(name)
            entry.type, entry.mode = tarfile.DIRTYPE, 0o1777
            archive.addfile(entry)
    return layer.getvalue()


# ---------------------------------------------------------------------------------------------------------------------
# Prometheus
# ---------------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class PrometheusServer:
    """A running server that has five days of two containers, and an hour that is still to come.

    Attributes:
        url: where it answers.
        began_seconds, until_seconds: the first sample and the last one (which lies ahead); one every `step_seconds`.
        leak_bytes_per_second: how ``serving`` in pod ``serving-0`` grows, from 1 GiB, below a limit of 8 GiB;
            ``healthy`` in pod ``healthy-0`` holds still without a limit; ``twin`` is in two pods; ``renewed`` was
            replaced at `renewed_seconds`, with half an hour for which both containers have series. All are in
            namespace ``ml``.
    """

    url: str
    began_seconds: float
    until_seconds: float
    step_seconds: float = 300.0
    leak_bytes_per_second: float = 5000.0

    @property
    def renewed_seconds(self) -> float:
        return self.began_seconds + 2 * 86400


@pytest.fixture(scope="session")
def prometheus_server() -> Iterator[PrometheusServer]:
    """A server of this test run alone, with its past written by promtool."""
    now = time.time() // 300 * 300
    server = PrometheusServer("", now - 5 * 86400, now + 3600)
    with prometheus_with(_history(server)) as url:
        yield replace(server, url=url)


@contextmanager
def prometheus_with(history: Iterable[str]) -> Iterator[str]:
    """The address of a server that has this past (lines of OpenMetrics text), on a port of its own."""
    missing = [name for name in ("prometheus", "promtool") if shutil.which(name) is None]
    if missing:
        pytest.skip(f"needs {' and '.join(missing)}")
    folder = Path(tempfile.mkdtemp(prefix="lw-prometheus-"))
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{probe.getsockname()[1]}"
    with (folder / "history.txt").open("w") as text:
        text.writelines(f"{line}\n" for line in history)
    import_history = ["promtool", "tsdb", "create-blocks-from", "openmetrics"]
    subprocess.run([*import_history, folder / "history.txt", folder / "data"], check=True, capture_output=True)
    (folder / "prometheus.yml").write_text("scrape_configs: []\n")
    command = ["prometheus", f"--config.file={folder}/prometheus.yml", f"--storage.tsdb.path={folder}/data"]
    command += ["--storage.tsdb.retention.time=30d", f"--web.listen-address={address}"]
    with (folder / "prometheus.log").open("wb") as log:
        prometheus = subprocess.Popen(command, stdout=log, stderr=log)
    try:
        wait_until(lambda: _is_ready(f"http://{address}"), "Prometheus", prometheus)
        yield f"http://{address}"
    finally:
        end(prometheus)
        shutil.rmtree(folder, ignore_errors=True)


@dataclass(frozen=True)
class FleetServer:
    """A running server with two days of 200 containers, and what is true of them.

    Attributes:
        url: where it answers. until_seconds: the last sample; one every `step_seconds`.
        released: ``serving3`` runs image v47 on all of its replicas, and each grows by `slope` bytes per second.
        alone: the pods that leak without their siblings.
    """

    url: str
    until_seconds: float
    step_seconds: float = 120.0
    released: str = "serving3"
    slope: float = 2500.0
    alone: tuple[str, ...] = ("serving5-6d4b75cb6d-abcd2", "serving8-6d4b75cb6d-abcd7")


@pytest.fixture(scope="session")
def fleet_server() -> Iterator[FleetServer]:
    """Twenty workloads of ten replicas in two namespaces, as cAdvisor and kube-state-metrics tell of them."""
    server = FleetServer("", time.time() // 120 * 120)
    with prometheus_with(_fleet_history(server)) as url:
        yield replace(server, url=url)


def _fleet_history(server: FleetServer) -> Iterable[str]:
    random = np.random.default_rng(11)
    times = server.until_seconds - server.step_seconds * np.arange(1440)[::-1]
    stamps = [f"{at:.0f}" for at in times]
    levels = {}
    for workload in range(20):
        swing = random.uniform(0.0, 0.05) * np.sin(2 * np.pi * (times - times[-1]) / 86400 + random.uniform(0, 6))
        for replica in range(10):
            pod = f"serving{workload}-6d4b75cb6d-abcd{replica}"
            level = 1.5e9 * random.uniform(0.8, 1.2) * (1 + swing + random.normal(0, 0.003, len(times)))
            if f"serving{workload}" == server.released:
                level += server.slope * (times - times[0])
            if pod in server.alone:
                level += 6000.0 * (times - times[0])
            levels[workload, pod] = np.round(level)
    of = {pod: f'namespace="team{workload % 2}",pod="{pod}",container="server"' for workload, pod in levels}
    image = {pod: f"serving:v{47 if pod.startswith(server.released + '-') else 46}" for _, pod in levels}
    for name, factor in (("container_memory_rss", 1.0), ("container_memory_working_set_bytes", 1.05)):
        yield f"# TYPE {name} gauge"
        for (_, pod), level in levels.items():
            labels = f'{of[pod]},id="/kubepods/{pod}",image="{image[pod]}"'
            for stamp, value in zip(stamps, (level * factor).tolist(), strict=True):
                yield f"{name}{{{labels}}} {value:.0f} {stamp}"
    for name, told, value in (
        ("container_spec_memory_limit_bytes", "", 4e9),
        ("kube_pod_container_info", ',image="{image}"', 1.0),
        ("kube_pod_info", ',node="node{number}",created_by_kind="ReplicaSet",created_by_name="{set}"', 1.0),
    ):
        yield f"# TYPE {name} gauge"
        for number, (_, pod) in enumerate(levels):
            labels = told.format(image=image[pod], number=number % 7, set=pod.rpartition("-")[0])
            for stamp in stamps[-3:]:
                yield f"{name}{{{of[pod]}{labels}}} {value:.0f} {stamp}"
    yield "# EOF"


def _history(server: PrometheusServer) -> Iterable[str]:
    """OpenMetrics text as cAdvisor and kube-state-metrics would have been scraped."""
    steps = int((server.until_seconds - server.began_seconds) / server.step_seconds) + 1
    times = [server.began_seconds + step * server.step_seconds for step in range(steps)]

    def series(
        name: str, container: str, value: Callable[[float], float], pod: int = 0, life: int = 0
    ) -> Iterable[str]:
        labels = f'namespace="ml",pod="{container}-{pod}",container="{container}"'
        if not name.startswith("kube_"):
            labels += f',id="/kubepods/burstable/pod{pod}/{container}-{life}"'
        begin = server.renewed_seconds if life else 0.0
        last = server.renewed_seconds + 1800 if container == "renewed" and not life else server.until_seconds
        return (f"{name}{{{labels}}} {value(at - server.began_seconds)} {at}" for at in times if begin <= at <= last)

    def leaking(elapsed: float) -> float:
        return 2**30 + server.leak_bytes_per_second * elapsed

    for name, serving, healthy in (
        ("container_memory_working_set_bytes", lambda elapsed: leaking(elapsed) + 2**28, 2**29),
        ("container_memory_usage_bytes", lambda elapsed: leaking(elapsed) + 2**29, 2**29 + 2**20),
        ("container_memory_rss", leaking, 2**28),
        ("container_memory_cache", lambda elapsed: 2**29, 2**27),
        ("container_spec_memory_limit_bytes", lambda elapsed: 2**33, 0),
        ("kube_pod_container_status_restarts", lambda elapsed: 3, 0),
    ):
        counter = name.startswith("kube_")
        yield f"# TYPE {name} {'counter' if counter else 'gauge'}"
        sample = f"{name}_total" if counter else name
        yield from series(sample, "serving", serving)
        yield from series(sample, "healthy", lambda elapsed, value=healthy: value)
        if name == "container_memory_rss":
            for number in (0, 1):
                yield from series(name, "twin", lambda elapsed: 2**20, pod=number)
                yield from series(name, "renewed", lambda elapsed, number=number: (number + 1) * 2**20, life=number)
    yield "# EOF"


def _is_ready(url: str) -> bool:
    try:
        with urllib.request.urlopen(f"{url}/-/ready", timeout=5) as answer:
            return bool(answer.status == 200)
    except (OSError, urllib.error.URLError):
        return False


# ---------------------------------------------------------------------------------------------------------------------
# Dask
# ---------------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class DaskCluster:
    """A scheduler by its address, and the processes of its two workers."""

    address: str
    workers: tuple["subprocess.Popen[Any]", ...]


@pytest.fixture
def dask_cluster(tmp_path: Path) -> Iterator[DaskCluster]:
    """A process each, on loopback, without nannies: a worker that is killed stays dead."""
    distributed = pytest.importorskip("distributed", reason="needs dask.distributed")
    where, here = tmp_path / "scheduler.json", ["--host", "127.0.0.1", "--dashboard-address", "127.0.0.1:0"]
    begin = [sys.executable, "-m", "distributed.cli.dask_scheduler", "--port", "0", "--scheduler-file", str(where)]
    join = [sys.executable, "-m", "distributed.cli.dask_worker", "--scheduler-file", str(where), "--nthreads", "1"]
    environment = os.environ | {"PYTHONPATH": str(Path(__file__).resolve().parents[2]), "OPENBLAS_NUM_THREADS": "1"}
    processes: list[subprocess.Popen[Any]] = []
    with (tmp_path / "dask.log").open("wb") as log:
        options: dict[str, Any] = {"stdout": log, "stderr": log, "cwd": tmp_path, "env": environment}
        try:
            processes.append(subprocess.Popen([*begin, *here], **options))
            wait_until(where.exists, "the Dask scheduler", processes[0])
            processes += [subprocess.Popen([*join, *here, "--no-nanny"], **options) for _ in range(2)]
            with distributed.Client(scheduler_file=str(where), timeout=DEADLINE_SECONDS) as client:
                client.wait_for_workers(2, timeout=DEADLINE_SECONDS)
                address = client.scheduler.address
            yield DaskCluster(address, tuple(processes[1:]))
        finally:
            for process in reversed(processes):
                process.kill()
                process.wait(30)
