import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from leakwatch.settings import scalars
from leakwatch.settings.describing import describe, warnings, where
from leakwatch.settings.reading import load, parse

DOCS = Path(__file__).parents[3] / "docs"


def test_what_is_shown_reads_back_as_the_same_settings():
    """Each shown value, put into the environment in place of the file, gives the same setting again."""
    loaded = load(str(DOCS / "examples/agent.yaml"), {}, {})
    rows = {row.name: row.value for row in describe(loaded)}
    environment = {
        f"LEAKWATCH_{name.replace('.', '_').upper()}": value for name, value in rows.items() if "[" not in name
    }
    again = parse(b"targets: [{name: a, pid: 1}]", "x", environment, {}).settings
    assert again.act == loaded.settings.act
    assert again.conditions == loaded.settings.conditions
    assert again.tell.slack == loaded.settings.tell.slack
    assert again.listen == loaded.settings.listen


def test_passwords_in_addresses_and_paths_of_webhooks_are_never_shown():
    """User information, queries and the paths of webhooks stay where they are."""
    text = """\
targets:
  - {name: a, pid: 1, serving: {kind: triton, metrics_url: "http://u:hush@h:1/metrics?token=hush"}}
tell:
  webhook: [{url: "https://hooks.example.com/hush/hush"}]
  alertmanager: {url: "http://user:hush@am:9093/am"}
"""
    shown = "\n".join(f"{row.name} {row.value}" for row in describe(parse(text.encode(), "x", {}, {})))
    assert "hush" not in shown
    assert "http://h:1/metrics?..." in shown and "https://hooks.example.com/..." in shown
    assert "http://am:9093/am" in shown


def test_a_secret_file_that_others_can_read_is_a_warning(tmp_path: Path):
    """Mode 0644 and a missing file are warned of by name; mode 0400 is not."""
    secret, absent, fine = tmp_path / "open", tmp_path / "absent", tmp_path / "fine"
    secret.write_text("x")
    fine.write_text("x")
    os.chmod(secret, 0o644)
    os.chmod(fine, 0o400)
    hooks = ", ".join(f"{{url: 'http://x', secret_file: {path}}}" for path in (secret, absent, fine))
    settings = parse(f"targets: [{{name: a, pid: 1}}]\ntell: {{webhook: [{hooks}]}}".encode(), "x", {}, {}).settings
    told = list(warnings(settings))
    assert len(told) == 2 and "0644" in told[0] and str(absent) in told[1]


@pytest.mark.parametrize(
    ("place", "said"),
    [
        ("process: tensorflow_mode", "process tensorflow_mode"),
        ("pid: 12", "pid 12"),
        ("docker: web", "docker web"),
        ("kubernetes: {namespace: ml, pod: p, container: c}", "kubernetes namespace=ml pod=p container=c"),
        ("prometheus: {url: 'http://u:p@x', container: c}", "prometheus url=http://x container=c"),
    ],
)
def test_a_place_is_told_in_one_phrase(place: str, said: str):
    """The phrase names the kind and the values, without passwords."""
    settings = parse(f"targets: [{{name: a, {place}}}]".encode(), "x", {}, {}).settings
    assert where(settings.targets[0]) == said


@given(st.integers(1, 10**12).map(lambda ms: ms / 1000))
def test_durations_are_shown_as_they_are_read(seconds: float):
    """A duration of whole milliseconds survives being shown and read."""
    read = scalars.duration("0s", "100000d")
    assert read(scalars.shown_duration(seconds)) == pytest.approx(seconds, rel=1e-12)


@given(st.integers(1, 2**50))
def test_sizes_are_shown_as_they_are_read(size_bytes: int):
    """A size survives being shown and read."""
    assert scalars.size(scalars.shown_size(size_bytes)) == pytest.approx(size_bytes, rel=1e-12)


@given(st.frozensets(st.integers(0, 6), min_size=1), st.integers(0, 1439))
def test_windows_are_shown_as_they_are_read(days: frozenset[int], minute: int):
    """Weekdays and times of day survive being shown and read."""
    assert scalars.weekdays(scalars.shown_weekdays(days)) == days
    assert scalars.clock(scalars.shown_clock(minute)) == minute


@given(st.text())
def test_any_text_is_a_value_or_one_sentence(text: str):
    """No reader of a single value answers with anything but a value or ValueError."""
    readers = [scalars.listen, scalars.weekdays, scalars.clock, scalars.zone, scalars.ratio, scalars.size]
    readers += [scalars.address, scalars.switch, scalars.whole(0), scalars.duration("0s"), scalars.secret_file]
    for read in readers:
        try:
            read(text)
        except ValueError as error:
            assert str(error)
