"""Runs every snippet of Markdown files and compares what the commands print: `run_snippets.py [--write] FILE...`.

A ```console block holds commands after `$ ` and what each prints; a line `...` stands for any lines, and a command
without output shown only has to succeed. A ```python block has to run. A ```sh block is for what changes the reader's
machine and is not run; a `make` target that it names has to exist. Everything happens in a copy of the tree, at 110
columns, without colour, in UTC. The statuses 10 and 11 are verdicts, not failures. --write puts what was printed into
the files.
"""

import argparse
import difflib
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
NOT_COPIED = (".git", ".venv", ".venvs", "__pycache__", ".*_cache", ".hypothesis", "build", "dist", "out")
FENCE = re.compile(r"^```(?P<language>\w+)\n(?P<body>.*?)^```$", re.MULTILINE | re.DOTALL)
VERDICTS = (0, 10, 11)
LIMIT_SECONDS = 120


class SnippetError(Exception):
    """A snippet that does not do what the document says."""


@dataclass(frozen=True, slots=True)
class Command:
    """One `$ ` line (its continuation lines included) and the output shown under it."""

    shown: str
    output: str

    @property
    def line(self) -> str:
        """What the shell gets."""
        return "\n".join(line[2:] for line in self.shown.splitlines())


def commands(body: str) -> Iterator[Command]:
    """The commands of a console block, in order."""
    for part in re.split(r"^(?=\$ )", body, flags=re.MULTILINE):
        if part:
            shown = re.match(r"\$ (?:.*\\\n> )*.*\n", part)
            if shown is None:
                raise SnippetError(f"a console block begins with a command, not with {part.splitlines()[0]!r}")
            yield Command(shown[0], part[shown.end() :])


def run(line: str, tree: Path) -> str:
    """What the shell line prints, standard error included.

    Raises:
        SnippetError: it fails, or does not end.
    """
    binaries = os.pathsep.join((str(Path(sys.executable).parent), os.environ["PATH"]))
    plain = {
        "PATH": binaries,
        "COLUMNS": "110",
        "LINES": "40",
        "NO_COLOR": "1",
        "TERM": "dumb",
        "TZ": "UTC",
        "LC_ALL": "C.UTF-8",
    }
    try:
        done = subprocess.run(
            ["bash", "-c", line],
            cwd=tree,
            env={**os.environ, **plain},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=LIMIT_SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise SnippetError(f"{line}\nstill ran after {LIMIT_SECONDS} s") from error
    if done.returncode not in VERDICTS:
        raise SnippetError(f"{line}\nexit status {done.returncode}\n{done.stdout}")
    return "".join(f"{text.rstrip()}\n" for text in done.stdout.splitlines())


def matches(shown: str, printed: str) -> bool:
    """Whether the output shown is what was printed; `...` alone on a line stands for any lines, and nothing for all."""
    if not shown:
        return True
    pattern = "".join(r"(?:.*\n)*?" if line == "..." else re.escape(line) + "\n" for line in shown.splitlines())
    return re.fullmatch(pattern, printed) is not None


def renewed(shown: str, printed: str) -> str:
    """What was printed, cut as short as what was shown where that ends in `...`."""
    *lines, last = shown.splitlines()
    return "".join(printed.splitlines(keepends=True)[: len(lines)]) + "...\n" if last == "..." else printed


def executed(language: str, body: str, tree: Path) -> str:
    """The body of one block as it should read.

    Raises:
        SnippetError: a command, a program or a make target fails.
    """
    if language == "python":
        (tree / "snippet.py").write_text(body)
        run("python snippet.py", tree)
    elif language == "sh":
        for target in re.findall(r"^make ([a-z-]+)", body, re.MULTILINE):
            run(f"make --dry-run {target}", tree)
    elif language == "console":
        return "".join(
            command.shown + (command.output if matches(command.output, printed) else renewed(command.output, printed))
            for command in commands(body)
            for printed in [run(command.line, tree)]
        )
    return body


def rewritten(document: str, tree: Path) -> str:
    """The document with what its commands print now."""

    def block(match: re.Match[str]) -> str:
        try:
            body = executed(match["language"], match["body"], tree)
        except SnippetError as error:
            line = document.count("\n", 0, match.start()) + 1
            raise SnippetError(f"line {line}: {error}") from error
        return f"```{match['language']}\n{body}```"

    return FENCE.sub(block, document)


def main() -> int:
    """Exit status 1 where a file does not say what happens, with the difference."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("files", nargs="+", type=Path)
    parser.add_argument("--write", action="store_true", help="put what was printed into the files")
    arguments = parser.parse_args()
    status = 0
    with tempfile.TemporaryDirectory() as folder:
        tree = Path(folder) / "leakwatch"
        shutil.copytree(ROOT, tree, ignore=shutil.ignore_patterns(*NOT_COPIED))
        for file in arguments.files:
            before = file.read_text()
            try:
                after = rewritten(before, tree)
            except SnippetError as error:
                print(f"{file}: {error}", file=sys.stderr)
                status = 1
                continue
            if arguments.write:
                file.write_text(after)
            elif after != before:
                sys.stderr.writelines(difflib.unified_diff(before.splitlines(True), after.splitlines(True), str(file)))
                status = 1
    return status


if __name__ == "__main__":
    sys.exit(main())
