"""A settings file as YAML nodes: text with places, of which nothing can become an object."""

import yaml

from leakwatch.errors import SettingsError

MOST_BYTES = 1_000_000
"""A settings file is small; a device or a log named by mistake is not read to its end."""


def read_file(path: str) -> bytes:
    """The content of a settings file.

    Raises:
        SettingsError: it cannot be read, or is too large for one.
    """
    try:
        with open(path, "rb") as file:
            content = file.read(MOST_BYTES + 1)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or "no path"
        raise SettingsError([f"{path}: cannot be read ({reason}); name a settings file with --config"]) from error
    if len(content) > MOST_BYTES:
        raise SettingsError([f"{path}: is larger than {MOST_BYTES:,} bytes; this is no settings file"])
    return content


def compose(content: bytes, source: str) -> yaml.Node | None:
    """The one document; None where there is nothing but comments.

    Raises:
        SettingsError: no YAML, or more than one document.
    """
    try:
        return yaml.compose(content.decode("utf-8-sig"), yaml.SafeLoader)
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        what = f"{source}:{line}: is not UTF-8; save it in that encoding"
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        said = ", ".join(part for part in (error.context, error.problem) if part)
        what = f"{source}:{mark.line + 1 if mark else 1}: is no YAML ({said}); mend it there"
    except yaml.reader.ReaderError as error:
        line = content.decode("utf-8-sig").count("\n", 0, error.position) + 1
        what = f"{source}:{line}: is no YAML (control character #x{error.character:02x}); take it out"
    except (RecursionError, ValueError, OverflowError):  # PyYAML on a deep nest, and on "\UFFFFFFFF"
        what = f"{source}: is no YAML that can be read; look for deep nesting and odd escapes"
    raise SettingsError([what])


def is_null(node: yaml.Node) -> bool:
    """Whether a key was left without a value (``cooldown:``), which is the same as leaving it out."""
    return isinstance(node, yaml.ScalarNode) and node.tag == "tag:yaml.org,2002:null"


def kind_of(node: yaml.Node) -> str:
    """What a node is, in words."""
    if isinstance(node, yaml.MappingNode):
        return "keys with values"
    return "a list" if isinstance(node, yaml.SequenceNode) else "one value"
