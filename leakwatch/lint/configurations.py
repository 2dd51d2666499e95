"""TF Serving's configuration files as rules see them: fields with their lines, and what the parser says."""

from dataclasses import dataclass

from leakwatch.lint.source_text import SourceText


@dataclass(frozen=True, slots=True)
class Field:
    """A field of text protobuf: its name, its line in the file, and a word or the fields inside."""

    name: str
    line: int
    value: str | None = None
    fields: tuple["Field", ...] = ()

    def all(self, name: str) -> tuple["Field", ...]:
        """Every field of that name directly inside."""
        return tuple(one for one in self.fields if one.name == name)

    def word(self, name: str) -> str | None:
        """The word of the field of that name, or of the ``value`` inside it; None where it has none."""
        for one in self.all(name):
            return one.value if one.value is not None else one.word("value") if name != "value" else None
        return None


@dataclass(frozen=True, slots=True)
class Refusal:
    """What the parser of text protobuf says against a text, and the line in the file."""

    line: int
    what: str


@dataclass(frozen=True, slots=True, eq=False)
class ModelConfig:
    """A ModelServerConfig: its fields as far as they can be read, and what the parser says against it."""

    source: SourceText
    root: Field
    refusal: Refusal | None
    is_json: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class BatchingConfig:
    """A BatchingParameters file."""

    source: SourceText
    root: Field
    refusal: Refusal | None


@dataclass(frozen=True, slots=True, eq=False)
class MonitoringConfig:
    """A MonitoringConfig file."""

    source: SourceText
    root: Field
    refusal: Refusal | None
