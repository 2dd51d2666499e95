"""Text protobuf: what is read with lines agrees with what protobuf itself reads."""

from hypothesis import given
from hypothesis import strategies as st

from leakwatch.lint.configurations import Field
from leakwatch.lint.text_protobuf import fields_of, from_json, known_fields, message_of, parse

NAMES = st.sampled_from([*known_fields("BatchingParameters"), "unknown", "latest"])
NUMBERS = st.integers(0, 2**40).map(str)
FIELDS = st.one_of(
    st.tuples(NAMES, NUMBERS).map(lambda pair: f"{pair[0]}: {pair[1]}"),
    st.tuples(NAMES, NUMBERS).map(lambda pair: f"{pair[0]} {{ value: {pair[1]} }}"),
    st.tuples(NAMES, NUMBERS).map(lambda pair: f"{pair[0]}: < value: {pair[1]} >"),
    st.lists(NUMBERS, min_size=1, max_size=3).map(lambda numbers: f"allowed_batch_sizes: [{', '.join(numbers)}]"),
)
SEPARATORS = st.sampled_from(["\n", " ", ", ", "; ", "  # and\n", ",\n"])


@given(st.lists(st.tuples(FIELDS, SEPARATORS), max_size=6))
def test_fields_lines_and_words_are_those_of_protobuf(parts: list[tuple[str, str]]) -> None:
    """What protobuf takes has only known fields, wrapped where they must be; every field has the line it stands on."""
    text = "".join(field + separator for field, separator in parts)
    root, unreadable = fields_of(text)
    assert unreadable is None
    for field in root.fields:
        assert field.name in text.splitlines()[field.line - 1]
    if parse(text, "BatchingParameters") is None:
        for field in root.fields:
            wrapped = message_of("BatchingParameters", field.name) is not None
            assert field.name in known_fields("BatchingParameters") and wrapped == (field.value is None)


@given(st.text("ab{}<>[]:,;\"'#\n\\1- ", max_size=60))
def test_no_text_breaks_the_reading(text: str) -> None:
    """Any text gives fields, and perhaps a refusal with a line of it."""
    root, refusal = fields_of(text)
    assert isinstance(root, Field)
    if refusal is not None:
        assert 1 <= refusal.line <= text.count("\n") + 2
    parse(text, "ModelServerConfig")


def test_a_tower_of_braces_is_refused() -> None:
    """However high, it costs one sentence."""
    assert fields_of("a { " * 100_000)[1] is not None
    assert parse("model_config_list { " * 100_000, "ModelServerConfig") is not None


def test_what_the_server_takes_is_taken() -> None:
    """Comments, single quotes, lists with brackets, commas and colons; not JSON, bare numbers, or two policies."""
    model = "model_config_list: {config: [{name: 'a', base_path: '/m/a', model_platform: 'tensorflow'%s}]} # done"
    assert parse(model % "", "ModelServerConfig") is None
    assert parse(model % ", model_version_policy: {specific: {versions: [1, 2]}}", "ModelServerConfig") is None
    assert parse(model % ", model_version_policy: {latest: {}, all: {}}", "ModelServerConfig") is not None
    assert parse('{"model_config_list": {}}', "ModelServerConfig") is not None
    assert parse("max_batch_size: 128", "BatchingParameters") is not None
    assert parse("prometheus_config: { enable: true, path: '/metrics' }", "MonitoringConfig") is None


def test_an_error_has_the_line_of_protobuf() -> None:
    """The line in the file, wherever the text begins in it."""
    refusal = parse("\n\nmax_batch_size { value: many }\n", "BatchingParameters", first_line=10)
    assert refusal is not None and refusal.line == 12


def test_json_becomes_text() -> None:
    """What was meant is what the server would read; what is no configuration becomes nothing."""
    text = from_json({"model_config_list": {"config": [{"name": "a", "base_path": "/m/a"}]}})
    assert text is not None and parse(text, "ModelServerConfig") is None
    assert from_json({"models": []}) is None and from_json([1]) is None and from_json("x") is None
