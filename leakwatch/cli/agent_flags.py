"""The flags that stand over the settings file, shared by the commands that read it."""

import functools
import os
from collections.abc import Callable
from typing import Any

import click

from leakwatch.settings.reading import load
from leakwatch.settings.schema import Path

_FLAGS: dict[str, tuple[str, Path]] = {
    "sample_every": ("--sample-every", ("sample_every",)),
    "judge_every": ("--judge-every", ("judge_every",)),
    "state_dir": ("--state-dir", ("state_dir",)),
    "listen": ("--listen", ("listen",)),
}
"""By the parameter: the flag, and the setting that it sets."""


def settings_flags(command: Callable[..., Any]) -> Callable[..., Any]:
    """A command decorated so takes ``--config`` and the flags over it, and is handed ``load`` in their place.

    ``load()`` reads the settings, each time anew; it raises SettingsError with all mistakes.
    """

    @click.option("--config", metavar="FILE", envvar="LEAKWATCH_CONFIG", help="The settings file.")
    @click.option("--sample-every", metavar="D", help="Time between two samples: 250ms, 5s.")
    @click.option("--judge-every", metavar="D", help="Time between two judgements: 60s.")
    @click.option("--state-dir", metavar="DIR", help="Where history, ledger and evidence are kept.")
    @click.option("--listen", metavar="HOST:PORT", help="Where the metrics page is served; off: nowhere.")
    @click.option("--dry-run/--act", default=None, help="Only tell what would be done, or do it.")
    @functools.wraps(command)
    def with_settings(config: str | None, dry_run: bool | None, **given: Any) -> Any:
        flags = _overrides(dry_run, given)
        return command(load=lambda: load(config, os.environ, flags), **given)

    return with_settings


def _overrides(dry_run: bool | None, given: dict[str, Any]) -> dict[Path, tuple[str, str]]:
    """The flags by the setting that they set; they are taken out of ``given``."""
    values = {name: given.pop(name) for name in _FLAGS}
    flags = {path: (flag, values[name]) for name, (flag, path) in _FLAGS.items() if values[name] is not None}
    if dry_run is not None:
        flags["act", "dry_run"] = ("--dry-run" if dry_run else "--act", "true" if dry_run else "false")
    return flags
