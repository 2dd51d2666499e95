"""What is handed out: a wheel that holds the three packages whole, an sdist that builds it, a lock that installs it."""

import ast
import json
import re
import subprocess
import sys
import tarfile
import tomllib
import venv
import zipfile
from email.parser import Parser
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGES = ("leakwatch", "detectors", "playbooks")
LOCKS = sorted((ROOT / "requirements").glob("*.txt"))


def build(source: Path, target: str, folder: Path) -> Path:
    """The wheel or sdist that our own build backend makes of a tree, without the network."""
    command = [sys.executable, "-m", "hatchling", "build", "--target", target, "--directory", str(folder)]
    subprocess.run(command, cwd=source, check=True, capture_output=True)
    (made,) = folder.iterdir()
    return made


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build(ROOT, "wheel", tmp_path_factory.mktemp("wheel"))


@pytest.fixture(scope="module")
def sdist(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build(ROOT, "sdist", tmp_path_factory.mktemp("sdist"))


def test_the_wheel_holds_every_file_of_the_three_packages_and_nothing_else(wheel: Path) -> None:
    """Trees, report assets and type markers travel with the code; tests and benchmarks do not."""
    inside = {name for name in zipfile.ZipFile(wheel).namelist() if ".dist-info/" not in name}
    in_tree = {
        path.relative_to(ROOT).as_posix()
        for package in PACKAGES
        for path in (ROOT / package).rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    assert inside == in_tree
    assert {f"{package}/py.typed" for package in PACKAGES} <= inside
    assert any(re.fullmatch(r"playbooks/trees/\w+\.yaml", name) for name in inside)
    assert any(name.startswith("leakwatch/tell/html/") and name.endswith(".js") for name in inside)


def test_the_wheel_says_what_it_is(wheel: Path) -> None:
    """The distribution has its own name, one command, every licence text, and extras for the rest."""
    archive = zipfile.ZipFile(wheel)
    read = {name.partition(".dist-info/")[2]: name for name in archive.namelist() if ".dist-info/" in name}
    metadata = Parser().parsestr(archive.read(read["METADATA"]).decode())
    assert metadata["Name"] == "leakwatch-agent"
    assert metadata["Requires-Python"] == ">=3.11"
    assert set(metadata.get_all("Provides-Extra", [])) == {"fleet", "profile", "grpc"}
    assert archive.read(read["entry_points.txt"]).decode().split("\n\n")[0].strip() == (
        "[console_scripts]\nleakwatch = leakwatch.cli:main"
    )
    assert "licenses/LICENSE" in read
    assert any("uPlot" in name for name in read)


def test_the_sdist_builds_the_same_wheel(wheel: Path, sdist: Path, tmp_path: Path) -> None:
    """Who packages from the sdist ships byte for byte what we ship."""
    with tarfile.open(sdist) as archive:
        archive.extractall(tmp_path, filter="data")
    (tree,) = tmp_path.iterdir()
    again = build(tree, "wheel", tmp_path / "again")
    ours, theirs = zipfile.ZipFile(wheel), zipfile.ZipFile(again)
    assert again.name == wheel.name
    assert {n: ours.read(n) for n in ours.namelist()} == {n: theirs.read(n) for n in theirs.namelist()}


def imported_modules(path: Path) -> set[str]:
    """First names of what a file imports, wherever in it."""
    nodes = list(ast.walk(ast.parse(path.read_text())))
    names = [alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names]
    names += [node.module for node in nodes if isinstance(node, ast.ImportFrom) and node.module]
    return {name.partition(".")[0] for name in names}


def test_every_import_is_a_declared_dependency() -> None:
    """What happens to be installed beside a dependency today may be gone tomorrow."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    wanted = [
        *project["dependencies"],
        *(need for extra in project["optional-dependencies"].values() for need in extra),
    ]
    declared = {normal(re.split(r"[^\w.-]", need)[0]) for need in wanted}
    imported = set().union(*(imported_modules(p) for package in PACKAGES for p in (ROOT / package).rglob("*.py")))
    foreign = imported - set(sys.stdlib_module_names) - set(PACKAGES)
    distributions = packages_distributions()
    undeclared = {
        module for module in foreign if not declared & {normal(name) for name in distributions.get(module, [module])}
    }
    assert undeclared == set()


def normal(name: str) -> str:
    """A distribution's name as indexes compare it (PEP 503)."""
    return re.sub(r"[-_.]+", "-", name).lower()


@pytest.mark.slow
def test_the_wheel_runs_in_a_clean_environment(wheel: Path, tmp_path: Path) -> None:
    """The lock without extras installs by hash and is all that the command needs."""
    environment = tmp_path / "venv"
    venv.create(environment, with_pip=True)
    python = environment / "bin" / "python"
    pip = [str(python), "-m", "pip", "--disable-pip-version-check"]
    lock = ROOT / "requirements" / "lock.txt"
    install = [*pip, "install", "--quiet", "--no-compile", "--require-hashes", "-r", str(lock)]
    installed = subprocess.run(install, capture_output=True, text=True, check=False)
    if "No matching distribution found" in installed.stderr:
        pytest.skip("needs a package index that holds what the lock names")
    assert installed.returncode == 0, installed.stderr
    subprocess.run([*pip, "install", "--quiet", "--no-deps", "--no-index", str(wheel)], check=True)
    subprocess.run([*pip, "check"], check=True)

    sample = ROOT / "sample_traces" / "tf_function_retracing.csv"
    command = [str(environment / "bin" / "leakwatch"), "analyze", str(sample), "-o", "json"]
    run = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert run.returncode in (0, 10), run.stderr
    (analysis,) = json.loads(run.stdout)["analyses"]
    assert analysis["source"] == str(sample)
    assert analysis["samples"] > 0


PIN = r"^([a-z0-9._-]+)(?:\[[a-z0-9,_-]+\])?(==[^ ;\\]+)"
"""A locked release: its name, extras (without them pip looks beyond the lock), its version."""


@pytest.mark.parametrize("lock", LOCKS, ids=lambda lock: lock.name)
def test_a_lock_pins_by_hash_and_names_no_index(lock: Path) -> None:
    """Every requirement is one exact release with hashes, wherever the reader's installer gets it from."""
    text = lock.read_text()
    pins = re.findall(PIN + r"[^\\\n]*\\\n    --hash=sha256:[0-9a-f]{64}", text, re.MULTILINE)
    assert len(pins) == len(re.findall(r"^[a-z]", text, re.MULTILINE)) > 20
    assert "://" not in text
    assert not re.search(r"^\s*--(?!hash=)", text, re.MULTILINE)


def test_the_development_lock_holds_the_lock() -> None:
    """What the tests run with is what is handed out, release for release."""
    handed_out, developed = (
        set(re.findall(PIN, (ROOT / "requirements" / name).read_text(), re.MULTILINE))
        for name in ("lock.txt", "dev.txt")
    )
    assert handed_out <= developed
