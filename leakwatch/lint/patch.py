"""Edits put to files: shown as a unified diff, or written."""

import contextlib
import difflib
import os
import re
import tempfile
from collections.abc import Iterable, Sequence
from dataclasses import replace

from leakwatch.findings import Edit

_CONTEXTS = (3, 1, 0)
"""Lines shown around a change: as many as is customary, and fewer where they would show a secret."""
_HUNK = re.compile(r"^@@ -(\d+)((?:,\d+)?) \+(\d+)")
_SECRET = re.compile(r"passw|secret|token|api_?key|credential|private|BEGIN [A-Z ]*KEY", re.IGNORECASE)


def chosen(edits: Iterable[Edit]) -> list[Edit]:
    """The edits that can be made together, the first of those that touch the same lines; equal ones once."""
    taken: list[Edit] = []
    for edit in edits:
        if edit not in taken and not any(_touch(edit, other) for other in taken):
            taken.append(edit)
    return taken


def _touch(one: Edit, other: Edit) -> bool:
    if not one.removed or not other.removed:  # an insertion between two lines, or inside what goes
        first, second = sorted((one, other), key=lambda edit: edit.removed)
        if not second.removed:
            return first.line == second.line and first.lines == second.lines
        return second.line < first.line < second.line + second.removed
    return one.line < other.line + other.removed and other.line < one.line + one.removed


def lines_of(text: str) -> list[str]:
    """The lines of a file, without their ends."""
    return text.removesuffix("\n").split("\n")


def edited(lines: Sequence[str], edits: Iterable[Edit]) -> list[str]:
    """The lines of a file, without ends, after edits that do not touch each other."""
    result = list(lines)
    for edit in sorted(edits, key=lambda edit: (edit.line, edit.removed), reverse=True):
        result[edit.line - 1 : edit.line - 1 + edit.removed] = edit.lines
    return result


def diff(path: str, before: Sequence[str], edits: Sequence[Edit]) -> str:
    """The edits of a file's lines as a unified diff that ``patch -p0`` takes, empty where there are none.

    Where a line around them looks like a secret, fewer lines are shown around them, in the end none.
    """
    # Only what is near the edits is compared: a file may have many lines, and many findings.
    first = max(min((edit.line for edit in edits), default=1) - 1 - _CONTEXTS[0], 0)
    last = max((edit.line + edit.removed for edit in edits), default=1) + _CONTEXTS[0]
    near = before[first:last]
    after = edited(near, [replace(edit, line=edit.line - first) for edit in edits])
    shown = path if path.isprintable() else path.encode("unicode_escape").decode("ascii")
    lines: list[str] = []
    for context in _CONTEXTS:
        lines = list(difflib.unified_diff(near, after, shown, shown, lineterm="", n=context))
        if not any(line.startswith(" ") and _SECRET.search(line) for line in lines):
            break
    lines = [
        _HUNK.sub(lambda hunk: f"@@ -{int(hunk[1]) + first}{hunk[2]} +{int(hunk[3]) + first}", line) for line in lines
    ]
    return "".join(f"{line}\n" for line in lines)


def write(path: str, edits: Sequence[Edit]) -> None:
    """Make the edits in a file, which is replaced at once and keeps its mode, its line ends and its mark of UTF-8.

    Raises:
        OSError: it cannot be written; it is then as it was.
    """
    target = os.path.realpath(path)  # a link stays a link
    with open(target, "rb") as file:
        content = file.read()
    end = "\r\n" if b"\r\n" in content else "\n"
    text = content.decode("utf-8").replace("\r\n", "\n")
    mark = "\ufeff" if text.startswith("\ufeff") else ""
    new = end.join(edited(text.removeprefix(mark).split("\n"), edits))
    handle, temporary = tempfile.mkstemp(dir=os.path.dirname(target), prefix=f".{os.path.basename(target)}.")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write((mark + new).encode("utf-8"))
            file.flush()
            os.fsync(file.fileno())
        status = os.stat(target)
        with contextlib.suppress(PermissionError):  # only root may give a file to somebody else
            os.chown(temporary, status.st_uid, status.st_gid)
        os.chmod(temporary, status.st_mode & 0o7777)
        os.replace(temporary, target)
    except BaseException:
        os.unlink(temporary)
        raise
