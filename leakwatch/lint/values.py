"""Files of values that fill in Helm templates."""

from collections.abc import Sequence
from typing import Any

from leakwatch.errors import LeakwatchError


def read_values(paths: Sequence[str]) -> dict[str, object]:
    """The values of all files together; of what stands in several the last.

    Raises:
        LeakwatchError: a file cannot be read, or is no YAML mapping.
    """
    import yaml

    merged: dict[str, object] = {}
    for path in paths:
        try:
            with open(path, encoding="utf-8") as file:
                read = yaml.load(file, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))
        except OSError as error:
            raise LeakwatchError(f"{path}: cannot be read ({error.strerror}); check the path and its rights") from None
        except (yaml.YAMLError, ValueError, RecursionError) as error:
            said = " ".join(str(error).split())[:120]
            raise LeakwatchError(f"{path}: no YAML ({said}); mend it, or leave it out") from None
        if read is not None and not isinstance(read, dict):
            raise LeakwatchError(f"{path}: holds no values by name; name a values.yaml of a chart")
        _merge(merged, read or {})
    return merged


def _merge(into: dict[str, Any], values: dict[str, Any]) -> None:
    for name, value in values.items():
        if isinstance(value, dict) and isinstance(into.get(name), dict):
            _merge(into[name], value)
        else:
            into[name] = value
