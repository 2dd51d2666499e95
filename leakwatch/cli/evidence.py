"""``leakwatch evidence``: the bundles that were taken before actions, and what is in them."""

import json
import sys
from pathlib import Path

import click

from leakwatch.act.bundles import Kept, find, kept, read_manifest, read_part
from leakwatch.cli.state_dir import state_dir_flags
from leakwatch.tell.units import moment, size, visible


@click.group()
def command() -> None:
    """What was kept of a process before something was done to it."""


@command.command(name="list")
@click.option("-o", "--output", type=click.Choice(("table", "json")), default="table", show_default=True)
@state_dir_flags
def list_(state_dir: Path, output: str) -> None:
    """The bundles, the newest first."""
    bundles = kept(state_dir)
    if output == "json":
        named = [{"name": one.name, "size_bytes": one.size_bytes, "manifest": one.manifest} for one in bundles]
        click.echo(json.dumps({"schema_version": 1, "bundles": named}, indent=1))
        return
    for one in bundles:
        click.echo(f"{visible(one.name)}  {size(one.size_bytes):>9}  {_about(one)}")
    if not bundles:
        click.echo("no evidence has been taken")


@command.command()
@click.argument("name", default="latest")
@click.argument("part", required=False)
@click.option("-o", "--output", type=click.Choice(("table", "json")), default="table", show_default=True)
@state_dir_flags
def show(name: str, part: str | None, state_dir: Path, output: str) -> None:
    """What is in bundle NAME (the beginning of a name, or latest); with PART that file itself, as it is."""
    path = find(state_dir, name)
    if part is not None:
        sys.stdout.buffer.write(read_part(path, part))
        return
    manifest = read_manifest(path)
    if output == "json":
        click.echo(json.dumps(manifest, indent=1))
        return
    click.echo(f"{visible(path.name)}: {visible(str(manifest['target']))} at {moment(float(manifest['taken_at']))}")
    click.echo(f"because: {visible(str(manifest['reason']))}")
    for one in manifest["parts"]:
        cut = f"  cut from {size(one['cut_from_bytes'])}" if "cut_from_bytes" in one else ""
        missing = f"  {visible(str(one['error']))}" if one["error"] else ""
        click.echo(f"  {visible(str(one['name'])):<24}  {size(one['bytes']):>9}{cut}{missing}")


def _about(one: Kept) -> str:
    if one.manifest is None:
        return visible(f"cannot be read: {one.problem}")
    missing = sum(part["error"] is not None for part in one.manifest["parts"])
    files = f"{len(one.manifest['parts'])} files" + (f", {missing} with trouble" if missing else "")
    return f"{visible(str(one.manifest['target']))}: {files}: {visible(str(one.manifest['reason']))}"
