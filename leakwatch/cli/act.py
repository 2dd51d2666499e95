"""``leakwatch act``: what was done, what waits for a person, and what people say about it."""

import dataclasses
import getpass
import json
from pathlib import Path
from typing import Any

import click

from leakwatch.act.ledger import Ledger
from leakwatch.act.ledger_file import FILE_NAME
from leakwatch.act.records import Act, Approval, View
from leakwatch.cli.parameters import parsed
from leakwatch.cli.state_dir import state_dir_flags
from leakwatch.clock import SystemClock
from leakwatch.errors import ActError
from leakwatch.quantities import parse_duration
from leakwatch.tell.units import duration, moment, visible

_LOOK_BACK_SECONDS = 30 * 86400.0


@click.group()
def command() -> None:
    """What the agent did, what waits for approval, and what it should leave alone."""


@command.command()
@click.option("-o", "--output", type=click.Choice(("table", "json")), default="table", show_default=True)
@state_dir_flags
def status(state_dir: Path, output: str) -> None:
    """Actions of the last 30 days, questions, silences and stops."""
    view = _ledger(state_dir).view(_LOOK_BACK_SECONDS)
    click.echo(json.dumps(_document(view), indent=1) if output == "json" else "\n".join(_lines(view)))


@command.command()
@click.argument("target")
@state_dir_flags
def approve(target: str, state_dir: Path) -> None:
    """Agree to the action that waits at TARGET: once, and for an hour."""
    asked = _ledger(state_dir).answer(target, True, _who())
    click.echo(f"{visible(target)}: {asked.remedy} is approved for an hour: {visible(asked.reason)}")


@command.command()
@click.argument("target")
@state_dir_flags
def deny(target: str, state_dir: Path) -> None:
    """Refuse the action that waits at TARGET, for the whole of its incident."""
    asked = _ledger(state_dir).answer(target, False, _who())
    click.echo(f"{visible(target)}: {asked.remedy} is refused for this incident")


@command.command()
@click.argument("target")
@click.option("--for", "for_seconds", metavar="D", required=True, callback=parsed(parse_duration), help="How long: 2h.")
@click.option("--why", metavar="TEXT", required=True, help="Said wherever the silence is told.")
@state_dir_flags
def silence(target: str, for_seconds: float, why: str, state_dir: Path) -> None:
    """Do nothing to TARGET for a while; it is still watched and told of. SERVING stands for SERVING/POD as well."""
    if for_seconds <= 0:
        raise click.BadParameter("a silence takes some time; write for example 2h", param_hint="--for")
    made = _ledger(state_dir).silence(target, for_seconds, why, _who())
    click.echo(f"{visible(target)}: silenced until {moment(made.until_seconds)}: {visible(why)}")


@command.command()
@click.argument("target")
@state_dir_flags
def resume(target: str, state_dir: Path) -> None:
    """Lift a silence, a refusal, or the stop after an action that did not help."""
    lifted = _ledger(state_dir).resume(target)
    click.echo(f"{visible(target)}: {'may be acted on again' if lifted else 'nothing held it'}")


def _ledger(state_dir: Path) -> Ledger:
    """Only the agent makes one: a mistyped folder must not become an empty ledger."""
    if not (state_dir / FILE_NAME).exists():
        raise ActError("ledger", f"{state_dir / FILE_NAME} is not there", "name the agent's folder with --state-dir")
    return Ledger(state_dir, SystemClock())


def _who() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return "somebody"


def _document(view: View) -> dict[str, Any]:
    """The ledger as JSON."""
    known = dataclasses.asdict(view)
    return {"schema_version": 1, "actions": known["acts"], **{k: known[k] for k in ("approvals", "silences", "stops")}}


def _lines(view: View) -> list[str]:
    """The ledger for people: what needs them first."""
    lines = [f"{visible(one.target)}: waits for approval of {one.remedy}: {visible(one.reason)}" for one in _open(view)]
    lines += [
        f"{visible(one.target)}: stopped since {moment(one.at_seconds)}: {visible(one.why)}" for one in view.stops
    ]
    lines += [
        f"{visible(one.target)}: silenced by {visible(one.by)} until {moment(one.until_seconds)}: {visible(one.why)}"
        for one in view.silences
    ]
    lines += [_line(act) for act in reversed(view.acts)]
    return lines or ["nothing was done in the last 30 days, and nothing waits"]


def _open(view: View) -> list[Approval]:
    return [one for one in view.approvals if one.answer is None]


def _line(act: Act) -> str:
    done = "under way" if not act.ended else {True: "done", False: "not done", None: "perhaps done"}[act.done]
    helped = {True: ", it helped", False: ", it did not help", None: ""}[act.helped]
    said = f": {visible(act.detail)}" if act.detail else ""
    when = f"{moment(act.at_seconds)} ({duration(act.age_seconds)} ago)"
    return f"{visible(act.target)}: {act.remedy} by {act.backend} at {when}: {done}{helped}{said}"
