"""What a restart destroys, kept first: one archive in the state folder, within a time box and under a size cap.

It never stands in the way of the action: a probe that hangs is left behind, a full disk is told. The archive is written
under another name and renamed when it is whole, readable by its owner alone, with secrets masked.
"""

import io
import json
import os
import re
import tarfile
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path, PurePosixPath
from typing import IO

from leakwatch.act.wording import duration
from leakwatch.masking import masked_text
from leakwatch.ports import EvidencePart, Probe
from leakwatch.settings import EvidenceSettings

FOLDER = "evidence"
MANIFEST = "manifest.json"
SUFFIX = ".tar.zst"
_MANIFEST_ROOM_BYTES = 64 * 1024
_ASKING_SHARE = 0.8  # of the time; the rest is for writing down what came


@dataclass(frozen=True, slots=True)
class Bundle:
    """What came of it: the archive (None: it could not be written, or not in time), and one sentence."""

    path: Path | None
    sentence: str


@dataclass(frozen=True, slots=True)
class About:
    """What the manifest says of the whole."""

    target: str
    reason: str
    at_seconds: float


def take(
    state_dir: Path,
    about: About,
    known: Sequence[EvidencePart],
    probes: Sequence[Probe],
    settings: EvidenceSettings,
    within_seconds: float,
) -> Bundle:
    """Ask all probes at once, and write what they found and what is known already.

    Args:
        known: parts that cost nothing to take.
        within_seconds: when it is over, whatever is still missing; never raises and never takes much longer.
    """
    began = time.monotonic()
    asked = _asked(probes, _ASKING_SHARE * within_seconds)
    parts = [*known, *(answer() for answer in asked)]
    result: list[Bundle] = []
    writer = threading.Thread(
        target=lambda: result.append(_write(state_dir / FOLDER, about, parts, settings, began)), daemon=True
    )
    writer.start()
    writer.join(max(within_seconds - (time.monotonic() - began), 0.0))
    failed = [part for part in parts if part.error is not None]
    if not result:
        return Bundle(None, f"the evidence was not written within {duration(within_seconds)}; it may yet come")
    if result[0].path is None or not failed:
        return result[0]
    missing = ", ".join(f"{part.name} ({part.error})" for part in failed[:3])
    more = f" and {len(failed) - 3} more" if len(failed) > 3 else ""
    return Bundle(result[0].path, f"{result[0].sentence}; not taken: {missing}{more}")


def _asked(probes: Sequence[Probe], within_seconds: float) -> list[Callable[[], EvidencePart]]:
    """Each probe in a thread of its own; what is called waits for one until the time is over."""
    end = time.monotonic() + within_seconds
    answers: list[Callable[[], EvidencePart]] = []
    for probe in probes:
        found: list[EvidencePart] = []
        thread = threading.Thread(target=_collect, args=(probe, within_seconds, found), daemon=True)
        thread.start()

        def answer(
            thread: threading.Thread = thread, found: list[EvidencePart] = found, name: str = probe.name
        ) -> EvidencePart:
            thread.join(max(end - time.monotonic(), 0.0))
            late = f"not done within {duration(within_seconds)}"
            return found[0] if found else EvidencePart(name, b"", late)

        answers.append(answer)
    return answers


def _collect(probe: Probe, within_seconds: float, found: list[EvidencePart]) -> None:
    try:
        found.append(probe.collect(within_seconds))
    except Exception as error:  # a probe never raises; one that does anyway must not cost us the others
        found.append(EvidencePart(probe.name, b"", f"{type(error).__name__}: {error}"))


def _write(
    folder: Path, about: About, parts: Sequence[EvidencePart], settings: EvidenceSettings, began: float
) -> Bundle:
    partial: Path | None = None
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        path = folder / _file_name(about)
        partial = path.with_suffix(".partial")
        handle = os.open(partial, os.O_CREAT | os.O_TRUNC | os.O_WRONLY, 0o600)
        with open(handle, "wb") as file:
            names = _archive(file, about, parts, settings.size_bytes, began)
            file.flush()
            os.fsync(file.fileno())
        partial.rename(path)
        prune(folder, settings)
        return Bundle(path, f"evidence of {names} files is in {path.name}")
    except Exception as error:
        if partial is not None:
            with suppress(OSError):
                partial.unlink(missing_ok=True)
        what = error.strerror if isinstance(error, OSError) and error.strerror else f"{type(error).__name__}: {error}"
        return Bundle(None, f"the evidence could not be written to {folder}: {what}")


def _file_name(about: About) -> str:
    """Sorts by time, and says which target; nothing of a name but letters, digits, dots and dashes gets into it."""
    stamp = datetime.fromtimestamp(about.at_seconds, UTC).strftime("%Y%m%dT%H%M%S.%fZ")
    return f"{stamp}-{re.sub(r'[^A-Za-z0-9.-]+', '_', about.target)[:80]}{SUFFIX}"


def _archive(file: IO[bytes], about: About, parts: Sequence[EvidencePart], size_bytes: int, began: float) -> int:
    """Small parts first, so that a large one is what has to be cut; how many files it holds beside the manifest."""
    import zstandard

    listed: list[dict[str, object]] = []
    taken: set[str] = {MANIFEST}
    with (
        zstandard.ZstdCompressor(level=3).stream_writer(file, closefd=False) as stream,
        tarfile.open(fileobj=stream, mode="w|", format=tarfile.PAX_FORMAT) as archive,
    ):
        for part in sorted(parts, key=lambda part: len(part.content)):
            stream.flush(zstandard.FLUSH_BLOCK)
            room = max(size_bytes - file.tell() - _MANIFEST_ROOM_BYTES, 0)
            content = _masked(part.content[:room])
            entry: dict[str, object] = {"name": part.name, "bytes": len(content), "error": part.error}
            if len(part.content) > room:
                entry["cut_from_bytes"] = len(part.content)
            listed.append(entry)
            if content:
                _add(archive, _safe_name(part.name, taken), content, about.at_seconds)
        manifest = {
            "schema_version": 1,
            "target": about.target,
            "reason": about.reason,
            "taken_at": about.at_seconds,
            "took_seconds": round(time.monotonic() - began, 3),
            "parts": listed,
        }
        _add(archive, MANIFEST, json.dumps(manifest, indent=1).encode(), about.at_seconds)
    return len(taken) - 1


def _masked(content: bytes) -> bytes:
    """Probes mask what they know to be secret; this is for what log lines and pages hold. Bytes stay what they are."""
    return masked_text(content.decode("latin-1")).encode("latin-1")


def _safe_name(name: str, taken: set[str]) -> str:
    """A plain file name that is not there yet, whatever the probe calls its part."""
    plain = re.sub(r"[^\w.+-]+", "_", PurePosixPath(name).name).lstrip(".") or "part"
    unique, number = plain, 2
    while unique in taken:
        unique, number = f"{number}-{plain}", number + 1
    taken.add(unique)
    return unique


def _add(archive: tarfile.TarFile, name: str, content: bytes, at_seconds: float) -> None:
    info = tarfile.TarInfo(name)
    info.size, info.mtime, info.mode = len(content), int(at_seconds), 0o600
    archive.addfile(info, io.BytesIO(content))


def prune(folder: Path, settings: EvidenceSettings) -> None:
    """The newest stay: so many, together no larger than so many of full size; what was never finished goes."""
    room = settings.keep * settings.size_bytes
    for number, path in enumerate(sorted(folder.glob(f"*{SUFFIX}"), reverse=True)):
        room -= path.stat().st_size
        if number > 0 and (number >= settings.keep or room < 0):
            path.unlink(missing_ok=True)
    for path in folder.glob("*.partial"):
        if time.time() - path.stat().st_mtime > 3600.0:
            path.unlink(missing_ok=True)
