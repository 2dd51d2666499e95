import json
from pathlib import Path

import hypothesis.strategies as st
import jsonschema
import pytest
import yaml
from hypothesis import given

from leakwatch.errors import SettingsError
from leakwatch.settings import CgroupPlace, KubernetesPlace, MaintenanceWindow, ProcessPlace, ServingKind, Settings
from leakwatch.settings.reading import load, parse
from leakwatch.settings.schema import SETTINGS, Many, Scalar, Section

DOCS = Path(__file__).parents[3] / "docs"
TARGET = "targets: [{name: a, pid: 1}]\n"
SERVING = "targets: [{{name: a, pid: 1, serving: {{kind: tf_serving, metrics_url: 'http://a/m', {} }} }}]\n"


def read(text: str, environment: dict[str, str] | None = None, flags: dict | None = None) -> Settings:
    return parse(text.encode(), "agent.yaml", environment or {}, flags or {}).settings


def problems(text: str, environment: dict[str, str] | None = None) -> list[str]:
    with pytest.raises(SettingsError) as caught:
        read(text, environment)
    assert caught.value.exit_status == 2
    return list(caught.value.problems)


def test_the_documented_example_is_read_as_it_says():
    """Every line of the example in the documents arrives in seconds and bytes."""
    settings = load(str(DOCS / "examples/agent.yaml"), {}, {}).settings
    (target,) = settings.targets
    assert (settings.sample_every_seconds, settings.judge_every_seconds) == (5.0, 60.0)
    assert settings.listen == ("127.0.0.1", 9464)
    assert target.place == ProcessPlace("tensorflow_mode")
    assert target.serving is not None and target.serving.kind is ServingKind.TF_SERVING
    assert target.logs == ("kmsg", "/var/log/serving.log")
    assert settings.act.dry_run
    assert (settings.act.cooldown_seconds, settings.act.budget.per_seconds) == (1800.0, 86400.0)
    assert settings.act.evidence.size_bytes == 64 * 2**20
    assert settings.tell.slack is not None and settings.tell.slack.webhook_url_file == "/run/secrets/slack"


def test_the_example_says_what_the_defaults_are():
    """Settings that leave out what the example writes down are the same settings."""
    text = (DOCS / "examples/agent.yaml").read_text()
    given = yaml.safe_load(text)
    short = read(yaml.safe_dump({key: given[key] for key in ("targets", "tell")}))
    assert read(text) == short


def test_every_mistake_is_told_at_once_with_its_line():
    """Nine mistakes of nine kinds are nine lines, each with file, line, setting and what to write instead."""
    text = """\
sample_every: 5
judge_evry: 60s
listen: 127.0.0.1:99999
targets:
  - {name: one, process: x, pid: 12}
  - {name: one, cgroup: /a}
  - {name: two, cgroup: /a}
act:
  dry_run: maybe
  budget: 3
  maintenance_windows: [{days: mon-fri, from: "02:00", to: "05:00", zone: Europe/Berlinn}]
"""
    found = problems(text)
    assert [line.split(": ")[0] for line in found] == [f"agent.yaml:{n}" for n in (1, 2, 3, 5, 6, 7, 9, 10, 11)]
    assert "did you mean judge_every?" in found[1]
    assert "process and pid" in found[3]
    assert "targets[0]" in found[4] and "targets[1]" in found[5]
    assert "write true or false" in found[6]
    assert "Europe/Berlinn" in found[8]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "targets is missing"),
        ("targets: []", "needs 1 or more"),
        ("- a", "where keys with values are expected"),
        ("targets: [a]", "targets[0]: is one value"),
        ("targets: [{name: a}]", "nothing says where target 'a' is"),
        ("targets: [{name: a, pid: 0}]", "whole number"),
        ("targets: [{name: a, pid: '1', limit: 5}]", "limit: '5' has no unit"),
        ("targets: [{name: a, kubernetes: {namespace: n, container: c}}]", "selector and pod"),
        ("targets: [{name: a, serving: {kind: tf}, pid: 1}]", "write one of tf_serving"),
        (SERVING.format("grpc_address: '127.0.0.1:8500'"), "needs model_config_file beside it"),
        (SERVING.format("model_config_file: /m, grpc_address: 'http://a:1'"), "is no host and port"),
        (SERVING.format("model_config_file: /m, grpc_address: '127.0.0.1:0'"), "is no host and port"),
        ("targets: [{name: a, pid: 1, serving: {kind: triton, metrics_url: 'http://{pod_ip}/'}}]", "there is none"),
        (TARGET + "sample_every: 2s\njudge_every: 1s", "shorter than sample_every"),
        (TARGET + "sample_every: [5s]", "is a list where one value is expected"),
        (TARGET + "state_dir: {a: b}", "is keys with values where one value"),
        (TARGET + "tell: {slack: {}}", "exactly one of webhook_url_file and bot_token_file"),
        (TARGET + "tell: {slack: {bot_token_file: t, webhook_url_file: u}}", "exactly one of webhook_url_file"),
        (TARGET + "tell: {slack: {bot_token_file: t}}", "needs a channel"),
        (TARGET + "tell: {alertmanager: {url: 'ftp://x'}}", "is no address"),
        (TARGET + "act: {cooldown: 3s, cooldown: 4s}", "stands on line 2 already"),
        (TARGET + "act: {backend: tf_serving}", "has no TF Serving page"),
        (TARGET + "conditions: {memory: 190%}", "write for example 90% or 0.9"),
        (TARGET + "? [a, b]\n: c", "unknown key"),
        (TARGET + "act: {maintenance_windows: [{days: mon, from: '02:00', to: '02:00'}]}", "the same moment"),
        ("a: b: c", "is no YAML"),
        ("a: 1\n---\nb: 2\n", "is no YAML"),
        ('a: "\\UFFFFFFFF"', "is no YAML"),
        ("[" * 5000, "is no YAML"),
        ("a: \x07", "control character #x07"),
    ],
)
def test_each_kind_of_mistake_says_what_to_write(text: str, said: str):
    """A mistake is named in words that lead to its mending."""
    assert any(said in line for line in problems(text)), problems(text)


def test_a_secret_written_in_place_of_its_file_is_not_repeated():
    """The address of a Slack webhook where a file is expected is refused, and no message holds it."""
    secret = "https://hooks.example.com/services/T000/B000/XXXX"
    for text in (
        f"tell: {{slack: {{webhook_url_file: '{secret}'}}}}",
        "tell: {slack: {bot_token_file: xoxb-XXXX, channel: c}}",
        f"tell: {{slack: '{secret}'}}",
        f"tell: {{alertmanager: {{url: 'x{secret} '}}}}",
    ):
        assert not any("XXXX" in line for line in problems(TARGET + text))


def test_flags_go_before_variables_before_the_file_before_defaults():
    """The stronger of two sources wins, and each value knows where it came from."""
    text = TARGET + "sample_every: 1s\njudge_every: 2s\nlisten: 127.0.0.1:1\n"
    environment = {"LEAKWATCH_JUDGE_EVERY": "3s", "LEAKWATCH_LISTEN": "127.0.0.1:2", "LEAKWATCH_ACT_BUDGET_FLEET": "7"}
    loaded = parse(text.encode(), "agent.yaml", environment, {("listen",): ("--listen", "off")})
    settings = loaded.settings
    assert (settings.sample_every_seconds, settings.judge_every_seconds) == (1.0, 3.0)
    assert settings.listen is None and settings.act.budget.fleet == 7
    assert loaded.origins[("sample_every",)] == "agent.yaml:2"
    assert loaded.origins[("judge_every",)] == "LEAKWATCH_JUDGE_EVERY"
    assert loaded.origins[("listen",)] == "--listen"
    assert ("state_dir",) not in loaded.origins


def test_a_mistake_in_a_variable_is_told_by_its_name():
    """What came from the environment is named as the person set it."""
    assert problems(TARGET, {"LEAKWATCH_LISTEN": "nowhere"})[0].startswith("LEAKWATCH_LISTEN: 'nowhere'")


def test_variables_that_kubernetes_sets_for_a_service_of_our_name_are_let_be():
    """A Service named leakwatch puts LEAKWATCH_PORT and the like into each pod of its namespace."""
    environment = {"LEAKWATCH_PORT": "tcp://10.0.0.1:9464", "LEAKWATCH_SERVICE_HOST": "10.0.0.1"}
    assert read(TARGET, environment) == read(TARGET)


def test_places_and_windows_without_quotes_mean_what_they_look_like():
    """YAML would read 02:00 as 120 and a long digit string as a number; here both stay what was written."""
    settings = read(
        "targets: [{name: 007, docker: 12345678901234567890}, {name: k, kubernetes: {namespace: n, pod: p, "
        "container: c}}, {name: g, cgroup: /sys/fs/cgroup/x}]\n"
        "act: {maintenance_windows: [{days: fri-mon, from: 22:00, to: 02:00}]}"
    )
    assert settings.targets[0].name == "007"
    assert settings.targets[0].place.docker == "12345678901234567890"
    assert settings.targets[1].place == KubernetesPlace("n", "c", None, "p")
    assert settings.targets[2].place == CgroupPlace("/sys/fs/cgroup/x")
    assert settings.act.maintenance_windows == (MaintenanceWindow(frozenset({4, 5, 6, 0}), 1320, 120),)


def test_a_file_that_cannot_be_read_is_one_line(tmp_path: Path):
    """Missing, a folder, not UTF-8, endless: one line each, with what to do."""
    (tmp_path / "latin").write_bytes(b"a: 1\nb: \xe9\n")
    for path in (tmp_path / "none", tmp_path, tmp_path / "latin", Path("/dev/zero")):
        with pytest.raises(SettingsError) as caught:
            load(str(path), {}, {})
        assert len(caught.value.problems) == 1 and str(path) in caught.value.problems[0]


words = st.sampled_from(
    ["name", "pid", "targets", "act", "budget", "5s", "on", "1e3", "~", "02:00", "mon-fri", "8GiB", "http://x", "off"]
)
trees = st.recursive(
    words | st.text() | st.integers() | st.booleans() | st.none() | st.floats(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(words | st.text(max_size=5), inner, max_size=4),
    max_leaves=20,
)


def schema_shaped(kind):
    """Documents that look like settings, each value right or wrong."""
    if isinstance(kind, Scalar):
        return trees
    if isinstance(kind, Many):
        return st.lists(schema_shaped(kind.of), max_size=3) | trees
    assert isinstance(kind, Section)
    return st.fixed_dictionaries({}, optional={key: schema_shaped(part) for key, part in kind.keys.items()}) | trees


@given(st.text() | st.binary() | trees.map(yaml.safe_dump) | schema_shaped(SETTINGS).map(yaml.safe_dump))
def test_any_document_ends_in_settings_or_in_mistakes(document):
    """Whatever a file holds, the answer is Settings or SettingsError with at least one line, never a traceback."""
    content = document if isinstance(document, bytes) else document.encode("utf-8", "surrogatepass")
    try:
        assert isinstance(parse(content, "agent.yaml", {}, {}).settings, Settings)
    except SettingsError as error:
        assert error.problems


def test_the_schema_and_the_reader_know_the_same_keys():
    """docs/schemas/agent.schema.json has exactly the keys that are read, and its example holds."""
    schema = json.loads((DOCS / "schemas/agent.schema.json").read_text())
    jsonschema.Draft202012Validator.check_schema(schema)
    example = yaml.safe_load((DOCS / "examples/agent.yaml").read_text())
    jsonschema.validate(example, schema)

    def compare(kind, part: dict) -> None:
        part = schema["$defs"][part["$ref"].rsplit("/", 1)[1]] if "$ref" in part else part
        if isinstance(kind, Section):
            assert set(part["properties"]) == set(kind.keys)
            assert set(part.get("required", ())) == set(kind.required)
            assert part["additionalProperties"] is False
            for key, inner in kind.keys.items():
                compare(inner, part["properties"][key])
        elif isinstance(kind, Many):
            compare(kind.of, part["items"])

    compare(SETTINGS, schema)


def test_the_contracts_example_holds():
    """The example of the contract itself is read, and fits the schema."""
    contract = Path(__file__).parents[4] / "shared/contracts.md"
    if not contract.exists():
        pytest.skip("needs ../shared/contracts.md")
    text = contract.read_text().split("```yaml\n")[1].split("```")[0]
    read(text)
    schema = json.loads((DOCS / "schemas/agent.schema.json").read_text())
    jsonschema.validate(yaml.safe_load(text), schema)
