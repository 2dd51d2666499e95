"""Tables for the terminal and for RESULTS.md."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

RESULTS = Path(__file__).parent / "RESULTS.md"


@dataclass(frozen=True, slots=True)
class Table:
    """A title, a line on how to read it, headings, rows of text."""

    title: str
    note: str
    headings: Sequence[str]
    rows: Sequence[Sequence[str]]

    def markdown(self) -> str:
        """For RESULTS.md."""
        lines = [f"### {self.title}", "", *([self.note, ""] if self.note else [])]
        lines += ["| " + " | ".join(self.headings) + " |", "|" + "---|" * len(self.headings)]
        return "\n".join(lines + ["| " + " | ".join(row) + " |" for row in self.rows]) + "\n"

    def show(self) -> None:
        """On the terminal."""
        from rich.console import Console
        from rich.table import Table as RichTable

        table = RichTable(title=self.title, caption=self.note, title_justify="left", caption_justify="left")
        for i, heading in enumerate(self.headings):
            table.add_column(heading, justify="right" if i else "left", no_wrap=not i)
        for row in self.rows:
            table.add_row(*row)
        console = Console()
        Console(width=None if console.is_terminal else 220).print(table)


def write_section(name: str, command: str, tables: Sequence[Table], results: Path = RESULTS) -> None:
    """Replace what stands between the markers of this section, or append it; the rest of the file stays."""
    begin, end = f"<!-- {name}:begin -->", f"<!-- {name}:end -->"
    body = "\n".join([begin, f"Made by `{command}`.", "", *(table.markdown() for table in tables), end])
    text = results.read_text(encoding="utf-8") if results.exists() else "# Results\n"
    pattern = re.compile(re.escape(begin) + ".*?" + re.escape(end), re.DOTALL)
    text = pattern.sub(lambda _: body, text) if pattern.search(text) else f"{text.rstrip()}\n\n{body}\n"
    results.write_text(text, encoding="utf-8")
