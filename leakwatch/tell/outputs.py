"""The forms that ``-o`` names, each imported where it is asked for: rich, YAML and the report are slow to import."""

from collections.abc import Sequence
from dataclasses import dataclass

from detectors.types import Assessment
from leakwatch.trace import Trace
from playbooks.types import Diagnosis

OUTPUTS = ("table", "wide", "json", "yaml", "markdown", "html", "junit")

SHOW_THE_CAUSE = frozenset({"wide", "json", "yaml", "markdown"})
"""Those that show a diagnosis; for the others none need be made."""


@dataclass(frozen=True, slots=True)
class Look:
    """What a form may need to know: characters and rows of the screen, and what was asked to be shown."""

    width: int
    height: int
    colour: bool
    explain: bool
    strict: bool


def render(
    analyses: Sequence[tuple[Trace, Assessment]], diagnoses: Sequence[Diagnosis | None], output: str, look: Look
) -> str:
    """All of it as text in the form ``output``, one of `OUTPUTS`; ``diagnoses`` holds one for each of ``analyses``.

    Raises:
        ValueError: there is no such form.
    """
    match output:
        case "table" | "wide":
            from leakwatch.tell import terminal

            return terminal.render(
                analyses,
                width=look.width,
                height=look.height,
                colour=look.colour,
                wide=output == "wide",
                explain=look.explain,
                diagnosis=diagnoses[0] if diagnoses else None,
            )
        case "json":
            from leakwatch.tell import document

            return document.as_json(analyses, diagnoses)
        case "yaml":
            from leakwatch.tell import document

            return document.as_yaml(analyses, diagnoses)
        case "markdown":
            from leakwatch.tell import markdown

            return markdown.render(analyses, diagnoses, explain=look.explain)
        case "html":
            from leakwatch.tell import html

            return html.render(analyses)
        case "junit":
            from leakwatch.tell import junit

            return junit.render(analyses, strict=look.strict)
    raise ValueError(f"output must be one of {', '.join(OUTPUTS)}, not {output!r}")
