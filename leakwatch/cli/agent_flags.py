"""The flags that stand over the settings file, shared by the commands that read it."""

import functools
import os
from collections.abc import Callable
from typing import Any

import click

from leakwatch.settings.reading import Loaded, load
from leakwatch.settings.schema import Path

_FLAGS: dict[str, tuple[str, Path]] = {
    "sample_every": ("--sample-every", ("sample_every",)),
    "judge_every": ("--judge-every", ("judge_every",)),
    "state_dir": ("--state-dir", ("state_dir",)),
    "listen": ("--listen", ("listen",)),
}
"""By the parameter: the flag, and the setting that it sets."""


def settings_flags(command: Callable[..., Any]) -> Callable[..., Any]:
    """A command decorated so takes ``--config`` and the flags over it, and is handed ``loaded`` in their place."""

    @click.option("--config", metavar="FILE", envvar="LEAKWATCH_CONFIG", help="The settings file.")
    @click.option("--sample-every", metavar="D", help="Time between two samples: 250ms, 5s.")
    @click.option("--judge-every", metavar="D", help="Time between two judgements: 60s.")
    @click.option("--state-dir", metavar="DIR", help="Where history, ledger and evidence are kept.")
    @click.option("--listen", metavar="HOST:PORT", help="Where the metrics page is served; off: nowhere.")
    @click.option("--dry-run/--act", default=None, help="Only tell what would be done, or do it.")
    @functools.wraps(command)
    def with_settings(config: str | None, dry_run: bool | None, **given: Any) -> Any:
        return command(loaded=load_settings(config, dry_run, given), **given)

    return with_settings


def load_settings(config: str | None, dry_run: bool | None, given: dict[str, Any]) -> Loaded:
    """The settings under the flags, which are taken out of ``given``.

    Raises:
        SettingsError: with all mistakes.
    """
    flags = {path: (flag, given.pop(name)) for name, (flag, path) in _FLAGS.items() if given[name] is not None}
    for name in _FLAGS:
        given.pop(name, None)
    if dry_run is not None:
        flags["act", "dry_run"] = ("--dry-run" if dry_run else "--act", "true" if dry_run else "false")
    return load(config, os.environ, flags)
