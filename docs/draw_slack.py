"""Draws docs/images/slack.png: an incident as leakwatch tells it to Slack, its blocks laid out about as Slack does.

`draw_slack.py [FILE]` needs Chromium. The messages are made by leakwatch itself from a made-up leak; only the layout is
not Slack's own.
"""

import base64
import re
import shutil
import subprocess
import sys
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from detectors.types import Answer, Forecast, Interval, Level, LiveVerdict, Shape, Trend
from leakwatch.ports import Action, Notification, Outcome
from leakwatch.tell import slack_blocks
from leakwatch.tell.chart_png import chart_png
from leakwatch.tell.incident import IncidentState, News
from leakwatch.tell.links import Links
from leakwatch.tell.message import advance
from leakwatch.trace import Target, Trace
from playbooks.types import Action as Remedy
from playbooks.types import Confidence, Diagnosis, Step

NOW, MIB, GIB = 1_790_000_000.0, 2.0**20, 2.0**30
SLOPE = 250 * MIB / 3600
STYLE = """
body { font: 15px/1.46 Lato, "DejaVu Sans", Arial, sans-serif; color: #1d1c1d; width: 760px; margin: 0; padding: 14px }
.message { border: 1px solid #ddd; border-radius: 8px; padding: 8px 16px; margin-bottom: 12px }
.reply { margin-left: 40px }
.header { font-size: 18px; font-weight: 900; line-height: 1.3; margin: 6px 0 10px }
.dot { display: inline-block; width: 14px; height: 14px; border-radius: 7px; margin-right: 6px }
.section { margin: 8px 0 }
.fields { display: grid; grid-template-columns: 1fr 1fr; gap: 8px 16px; margin: 8px 0 }
.context { color: #616061; font-size: 13px; margin: 6px 0 }
img { width: 600px; border: 1px solid #ddd; border-radius: 8px }
code { background: #f6f6f6; border: 1px solid #ddd; color: #c01343; font-size: 12px; padding: 1px 3px }
a { color: #1264a3; text-decoration: none }
"""
DOTS = {"🔴": "#d72b3f", "🟠": "#e8912d", "🔵": "#1d6fd8", "🟢": "#2eb67d", "🚨": "#8b0000"}


def story() -> list[Notification]:
    """The messages of one incident: opened, something happened, acted on, resolved."""
    because = (
        "anon grows 250 MiB/h (241 to 262) since 2026-09-20T21:33:20Z, after 7 h 13 min without growth.",
        "The floor rises by 248 MiB/h as well, so it is no load that comes and goes.",
        "The growth follows the request count: 3.33 KiB stay behind for each request, whatever the hour.",
    )
    leak = LiveVerdict(
        Level.LEAK, Answer.LEAK, Shape.LINEAR, "anon_bytes", Trend(SLOPE, 0.964 * SLOPE, 1.048 * SLOPE, 300),
        NOW - 60_000, Forecast(12_000, 11_000, 14_000), Interval(3410, 3300, 3600), because, NOW - 600,
    )  # fmt: skip
    steps = (
        Step("See which other causes were ruled out", "leakwatch playbook run memory_leak --trace trace.csv"),
        Step("Bound the input shapes that reach the model, or pad them"),
    )
    cause = "Each request leaves memory behind in the serving process."
    diagnosis = Diagnosis(cause, Confidence.LIKELY, (), steps, "memory_leak")
    restart = Action(
        Remedy.RESTART, "serving", "3 h 3 min are left at the low end, and every gate is open.", False, 15, 10
    )
    restarted = Outcome(True, "It was drained for 15 s, stopped by SIGTERM, and is ready again as pid 5002.", 31.0)
    crowded = (("memory", "Memory that cannot be reclaimed is 15.2 GiB, 95 % of the limit of 16 GiB."),)
    well = "A new process serves at 2.1 GiB, ready for 4 min, and has not grown since."
    news = News(leak, 16 * GIB, diagnosis, held="cooldown until 14:30Z")
    calm = replace(leak, level=Level.QUIET, trend=None, forecast=None)
    told, state = [], IncidentState("serving")
    for after, happened in (
        (0, news),
        (900, replace(news, began=crowded)),
        (1500, replace(news, action=restart, outcome=restarted, held=None)),
        (1800, News(calm, 16 * GIB, verified=well, ended=(("memory", "Memory is at 13 % of its limit."),))),
    ):
        state, said = advance(state, happened, NOW + after)
        told += [said] if said is not None else []
    return told


def chart() -> bytes:
    """The day before the opening."""
    time = NOW - 86_400 + np.arange(0, 86_400, 60.0)
    noise = 20 * MIB * np.random.default_rng(1).normal(size=time.size)
    level = 11.2 * GIB + np.maximum(time - NOW + 60_000, 0) * SLOPE + noise
    leak = LiveVerdict(
        Level.LEAK, Answer.LEAK, Shape.LINEAR, "anon_bytes", Trend(SLOPE, SLOPE, SLOPE, 300), NOW - 60_000, None, None,
        (), NOW,
    )  # fmt: skip
    png = chart_png(Trace(Target("serving"), time, {"anon_bytes": level}), leak, 16 * GIB)
    return png or b""


def shown(text: dict[str, Any]) -> str:
    """A text object as HTML: what Slack's own markup means, and nothing else."""
    said = text["text"]  # Slack's escapes are HTML's; a < that is left begins a link
    said = re.sub(r"<(https?://[^|>]+)\|([^>]*)>", r'<a href="\1">\2</a>', said)
    for mark, colour in DOTS.items():
        said = said.replace(mark, f'<span class=dot style="background:{colour}"></span>')
    if text["type"] == "mrkdwn":
        said = re.sub(r"`([^`\n]+)`", r"<code>\1</code>", said)
        said = re.sub(r"\*([^*\n]+)\*", r"<b>\1</b>", said)
    return said.replace("\n", "<br>")


def drawn(block: dict[str, Any], picture: bytes) -> str:
    """One block as HTML."""
    match block["type"]:
        case "section" if "fields" in block:
            return f"<div class=fields>{''.join(f'<div>{shown(field)}</div>' for field in block['fields'])}</div>"
        case "image":
            source = base64.b64encode(picture).decode()
            return f'<div class=context>{shown(block["title"])}</div><img src="data:image/png;base64,{source}">'
        case "context":
            return f"<div class=context>{''.join(map(shown, block['elements']))}</div>"
        case kind:
            return f"<div class={kind}>{shown(block['text'])}</div>"


def main() -> None:
    """Writes the picture; fails where Chromium does."""
    target = Path(sys.argv[1] if len(sys.argv) > 1 else Path(__file__).parent / "images" / "slack.png")
    links, (opened, *later), picture = (
        Links("https://grafana.example/{target}", "https://wiki.example/leaks"),
        story(),
        chart(),
    )
    messages = [("", slack_blocks.message(opened, links, file_id="F1"))]
    messages += [(" reply", slack_blocks.reply(one, links)) for one in later]
    body = "".join(
        f'<div class="message{kind}">{"".join(drawn(block, picture) for block in blocks)}</div>'
        for kind, blocks in messages
    )
    with tempfile.TemporaryDirectory() as folder:
        page = Path(folder) / "slack.html"
        page.write_text(f"<!doctype html><meta charset=utf-8><style>{STYLE}</style>{body}", encoding="utf-8")
        chromium = shutil.which("chromium") or "chromium"
        flags = ("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--hide-scrollbars")
        quiet = ("--disable-background-networking", "--disable-component-update", "--disable-sync")
        size = ("--window-size=790,1400", f"--user-data-dir={folder}/profile", f"--screenshot={target}")
        subprocess.run([chromium, *flags, *quiet, *size, page.as_uri()], check=True, capture_output=True, timeout=120)


if __name__ == "__main__":
    main()
