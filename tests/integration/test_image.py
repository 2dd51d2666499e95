"""The image, built and run for real: from a base made of this machine's own Python, without a registry."""

import io
import os
import platform
import re
import shutil
import subprocess
import sys
import tarfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.slow
ROOT = Path(__file__).parents[2]
PYTHON = Path("/usr/bin/python3")
BASE, IMAGE = "leakwatch-test/python:base", "leakwatch-test/leakwatch:latest"
DEADLINE_SECONDS = 120.0
ARM_TAGS = ("manylinux_2_28_aarch64", "manylinux_2_17_aarch64", "manylinux2014_aarch64")
NAMED_BY_WHEELS = ("libstdc++.so.6", "libgcc_s.so.1", "libpthread.so.0", "libdl.so.2", "librt.so.1", "libutil.so.1")
PLATFORMS = {"x86_64": "linux/amd64", "aarch64": "linux/arm64"}
SETTINGS = """
sample_every: 200ms
judge_every: 1s
state_dir: /var/lib/leakwatch
targets: [{name: itself, pid: 1}]
"""


def python_version() -> str:
    said = subprocess.run([PYTHON, "-c", "import sys; print('%d.%d' % sys.version_info[:2])"], capture_output=True)
    return said.stdout.decode().strip()


def base_layer() -> bytes:
    """Debian's Python, its standard library and every shared library that they name: no shell, no package tool."""
    library = Path("/usr/lib") / f"python{python_version()}"
    objects = [PYTHON.resolve(), *library.rglob("*.so")]
    told = subprocess.run(["ldd", *objects], capture_output=True, text=True).stdout
    shared = {Path(found) for found in re.findall(r"(/\S+) \(0x", told)}
    shared |= {Path(one) for name in NAMED_BY_WHEELS for one in Path("/usr/lib").glob(f"*/{name}")}
    files = {path for path in library.rglob("*") if path.is_file() and not {"test", "dist-packages"} & {*path.parts}}
    layer, made = io.BytesIO(), set()
    with tarfile.open(fileobj=layer, mode="w") as archive:

        def folder(path: Path, mode: int = 0o755) -> None:
            for parent in [*reversed(path.parents), path]:
                if parent not in made and parent != Path("/"):
                    made.add(parent)
                    entry = tarfile.TarInfo(str(parent)[1:])
                    entry.type, entry.mode = tarfile.DIRTYPE, mode
                    archive.addfile(entry)

        for path in sorted(files | shared):
            if "__pycache__" not in path.parts:
                folder(path.parent)
                entry = archive.gettarinfo(str(path.resolve()), str(path)[1:])
                with path.resolve().open("rb") as content:
                    archive.addfile(entry, content)
        folder(PYTHON.parent)
        archive.add(PYTHON.resolve(), str(PYTHON)[1:])
        for name, mode in (("proc", 0o755), ("sys", 0o755), ("dev", 0o755), ("etc", 0o755), ("tmp", 0o1777)):
            folder(Path("/") / name, mode)
    return layer.getvalue()


@pytest.fixture(scope="module")
def wheels(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What deploy/image/collect_wheels collects, for the base's Python."""
    folder = tmp_path_factory.mktemp("image") / "wheels"
    environment = os.environ | {"WHEELS": str(folder), "PIP_PYTHON": sys.executable}
    command = [ROOT / "deploy/image/collect_wheels", PLATFORMS[platform.machine()], python_version()]
    run = subprocess.run(command, env=environment, capture_output=True, text=True)
    if run.returncode != 0:
        pytest.skip(f"needs a package index: {run.stderr.strip().splitlines()[-1:]}")
    return folder


@pytest.fixture(scope="module")
def image(docker_engine: Any, wheels: Path) -> Iterator[Any]:
    """A client whose engine has the image, built with no network."""
    context = wheels.parent / "context"
    (context / "deploy/image").mkdir(parents=True)
    shutil.move(wheels, context / "deploy/image/wheels")
    for name in ("Dockerfile", "install.py"):
        shutil.copy(ROOT / "deploy/image" / name, context / "deploy/image")
    client = docker_engine.client()
    client.api.timeout = 600
    client.api.import_image_from_data(base_layer(), *BASE.rsplit(":", 1))
    began = time.monotonic()
    client.images.build(
        path=str(context),
        dockerfile="deploy/image/Dockerfile",
        buildargs={"BASE": BASE},
        network_mode="none",
        tag=IMAGE,
        rm=True,
    )
    megabytes = client.images.get(IMAGE).attrs["Size"] / 1e6
    print(
        f"\nbuilt in {time.monotonic() - began:.0f} s: {megabytes:.0f} MB, of which the base is "
        f"{client.images.get(BASE).attrs['Size'] / 1e6:.0f} MB"
    )
    yield client
    client.close()


def run(client: Any, *command: str, **options: Any) -> Any:
    """A container as the manifests run it: nobody's, read-only, no network, no capability."""
    return client.containers.run(
        IMAGE,
        list(command) or None,
        detach=True,
        read_only=True,
        network_mode="none",
        cap_drop=["ALL"],
        security_opt=["no-new-privileges:true"],
        tmpfs={"/tmp": ""},
        **options,
    )


def wait_for(container: Any, holds: Any, what: str) -> None:
    end = time.monotonic() + DEADLINE_SECONDS
    while not holds():
        container.reload()
        assert container.status in ("created", "running"), container.logs().decode()[-2000:]
        assert time.monotonic() < end, f"{what}: {container.logs().decode()[-2000:]}"
        time.sleep(0.1)


def test_it_is_nobodys_and_says_what_it_is(image):
    """uid 65532, labels, a health check, a volume for the state; no shell and no package tool in it."""
    config = image.images.get(IMAGE).attrs["Config"]
    assert config["User"] == "65532:65532"
    assert config["Labels"]["org.opencontainers.image.title"] == "leakwatch"
    assert config["Healthcheck"]["Test"][0] == "CMD" and "/var/lib/leakwatch" in config["Volumes"]
    container = image.containers.create(IMAGE)
    with tarfile.open(fileobj=io.BytesIO(b"".join(container.export()))) as archive:
        names = archive.getnames()
    container.remove()
    assert not {name for name in names if re.fullmatch(r"(usr/)?bin/(ba|da|z|k|a)?sh|.*/bin/(apt|pip3?|busybox)", name)}


def test_it_says_its_version_on_a_read_only_root(image):
    """The first thing that anyone runs."""
    began = time.monotonic()
    container = run(image, "--version")
    assert container.wait(timeout=DEADLINE_SECONDS)["StatusCode"] == 0, container.logs()
    print(f"\nstarts and says its version within {time.monotonic() - began:.1f} s")
    assert b"leakwatch" in container.logs()


def test_an_agent_in_it_is_healthy_answers_and_ends(image, tmp_path):
    """Settings mounted, watching its own process: the check turns healthy, the page is there, SIGTERM ends it."""
    (tmp_path / "agent.yaml").write_text(SETTINGS)
    (tmp_path / "agent.yaml").chmod(0o644)
    tmp_path.chmod(0o755)
    volumes = {str(tmp_path): {"bind": "/etc/leakwatch", "mode": "ro"}}
    check = dict(image.images.get(IMAGE).attrs["Config"]["Healthcheck"], Interval=1_000_000_000)
    began = time.monotonic()
    container = run(
        image,
        volumes=volumes,
        healthcheck={key.lower(): value for key, value in check.items() if key in ("Test", "Interval", "Timeout")},
    )
    page = "import urllib.request as r; print(r.urlopen('http://127.0.0.1:9464/metrics').read().decode())"

    def told() -> str:
        return container.exec_run(["python3", "-c", page]).output.decode()

    wait_for(container, lambda: 'leakwatch_memory_bytes{container="itself"' in told(), "its page")
    print(f"\nthe page shows its memory within {time.monotonic() - began:.1f} s")

    def healthy() -> bool:
        container.reload()
        return container.attrs["State"]["Health"]["Status"] == "healthy"

    wait_for(container, healthy, "healthy")
    began = time.monotonic()
    container.stop(timeout=30)
    print(f"ended {time.monotonic() - began:.1f} s after SIGTERM")
    container.reload()
    assert container.attrs["State"]["ExitCode"] == 0, container.logs().decode()[-2000:]


def test_the_same_wheels_are_there_for_arm(tmp_path):
    """Every locked wheel resolves for linux/arm64 with its hash; the image is not built there."""
    lock = ROOT / "requirements/lock.txt"
    command = [sys.executable, "-m", "pip", "install", "--dry-run", "--ignore-installed", "--quiet", "--no-deps"]
    command += [word for tag in ARM_TAGS for word in ("--platform", tag)]
    command += ["--implementation", "cp", "--python-version", "3.11", "--only-binary", ":all:", "--require-hashes"]
    run = subprocess.run(
        [*command, "--target", str(tmp_path), "--report", str(tmp_path / "report.json"), "-r", str(lock)],
        capture_output=True,
        text=True,
    )
    if "No matching distribution" not in run.stderr and run.returncode != 0:
        pytest.skip(f"needs a package index: {run.stderr.strip().splitlines()[-1:]}")
    assert run.returncode == 0, run.stderr[-2000:]
