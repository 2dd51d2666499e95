"""One model is cut out of a model config in every form that protobuf reads, and nothing else is changed."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from leakwatch.act.model_config import is_less_one_model, less_model, parsed, without_model
from tests.fakes.model_config import CONFIG

FORMS = (
    'model_config_list: { config: [ { name: "a" base_path: "/a" }, { name: "b" }, < name: "c" > ] }',
    'model_config_list { config [ { name: "a" base_path: "/a" } # first\n, { name: "b" }, { name: "c" } ] }',
    'model_config_list: <config {name: "a" base_path: "/a"}, config: {name: "b"}; config <name: "c">,>;',
    'model_config_list { config: [{ name: "a", base_path: "/a" }] config { name: "b" } config: [{ name: "c" }] }',
    "model_config_list { config { name: 'a' base_path: '\\x2fa' } config { name: '\\142' } config { name: 'c' '' } }",
    'model_config_list { config { name: "a" base_path: "/a" model_version_policy: { specific: { versions: [1, 2] } } }'
    ' config: [ { name: "b" version_labels: [ { key: "x" value: 1 }, { key: "y" } ] } ] config { name: "c" } }',
)
"""Three models each: a, b and c, in this order."""
REFUSED = (
    "",
    'model_config_list { config { name: "other" } }',
    'model_config_list { config { name: "resnet" } config { name: "resnet" } }',
    'model_config_list { config { name: "resnet" }',
    'model_config_list { config { name: "resnet } }',
    'custom_model_config { config { name: "resnet" } }',
    '} config { name: "resnet" }',
    '{"model_config_list": {"config": [{"name": "resnet"}]}}',
    'model_config_list { config { name: "resnet" name: "b" } }',
    'model_config_list { config: [ { name: "resnet" }, ] }',
)
ORDER = ("a", "b", "c")


@pytest.mark.parametrize(
    ("model", "begins", "ends"),
    [
        ("resnet", 'config {\n    name: "resnet"', "value: 1 }\n  }"),
        ("bert", "config: <", ">"),
        ("halfway", 'config {\n    name: "half"', "} } }"),
    ],
)
def test_one_block_is_cut_out_and_all_else_stays(model: str, begins: str, ends: str) -> None:
    """Comments, quotes, braces in strings, both kinds of braces, and strings side by side."""
    start = CONFIG.index(begins)
    end = CONFIG.index(ends, start) + len(ends)
    assert without_model(CONFIG.encode(), model).decode() == CONFIG[:start] + CONFIG[end:]


@pytest.mark.parametrize("model", ORDER)
@pytest.mark.parametrize("form", FORMS)
def test_every_form_that_protobuf_reads_is_edited(form: str, model: str) -> None:
    """Lists, single fields, both mixed, commas after and between, escapes in names: what is left is the other two."""
    edited = without_model(form.encode(), model)
    assert [one.name for one in parsed(edited).model_config_list.config] == [one for one in ORDER if one != model]
    assert is_less_one_model(edited, form.encode())
    assert not is_less_one_model(form.encode(), form.encode())
    assert ("# first" in edited.decode()) == ("# first" in form)


@pytest.mark.parametrize("form", FORMS)
def test_the_only_model_can_be_taken_out_as_well(form: str) -> None:
    """An empty list is a config that TF Serving takes: nothing is served."""
    edited = form.encode()
    for model in ORDER:
        edited = without_model(edited, model)
    config = parsed(edited)
    assert config.HasField("model_config_list")
    assert not config.model_config_list.config


@pytest.mark.parametrize("text", REFUSED)
def test_what_cannot_be_edited_safely_is_refused(text: str) -> None:
    """No such model, two of them, JSON, or what is no text protobuf."""
    with pytest.raises(ValueError, match=r"."):
        without_model(text.encode(), "resnet")


def test_a_field_of_a_newer_server_stays_in_the_file_and_is_refused_as_a_message() -> None:
    """The file keeps its bytes; a message made of it would lose the field, so there is none."""
    text = b'model_config_list { config { name: "a" brand_new: 3 } config { name: "b" brand_new { x: [1] } } }'
    assert without_model(text, "a") == b'model_config_list {  config { name: "b" brand_new { x: [1] } } }'
    with pytest.raises(ValueError, match="brand_new"):
        parsed(text)


def test_somebody_elses_change_is_not_taken_for_ours() -> None:
    """Another path, a model more, another order or what cannot be read."""
    original = b'model_config_list { config { name: "a" } config { name: "b" } config { name: "c" } }'
    for other in (
        b'model_config_list { config { name: "a" } config { name: "b" base_path: "/new" } }',
        b'model_config_list { config { name: "b" } config { name: "a" } }',
        b'model_config_list { config { name: "a" } config { name: "b" } config { name: "d" } }',
        b"model_config_list { }",
        b"model_config_list {",
    ):
        assert not is_less_one_model(other, original)


_NAME = st.text(st.characters(codec="utf-8", exclude_characters="\n\r"), min_size=1, max_size=6)


@given(st.lists(_NAME, min_size=1, max_size=5, unique=True), st.data())
def test_whatever_protobuf_writes_is_edited(names: list[str], data: st.DataObject) -> None:
    """Any names, in protobuf's own form on one line or many: exactly the one that was meant goes."""
    from google.protobuf import text_format

    config = parsed(b"model_config_list { }")
    for name in names:
        config.model_config_list.config.add(name=name, base_path=f"/models/{name}")
    model = data.draw(st.sampled_from(names))
    style = {"as_one_line": data.draw(st.booleans()), "as_utf8": data.draw(st.booleans())}
    style |= {"pointy_brackets": data.draw(st.booleans()), "use_short_repeated_primitives": True}
    text = text_format.MessageToString(config, **style).encode()
    assert parsed(without_model(text, model)) == less_model(config, model)


@given(
    st.one_of(st.binary(max_size=200), st.text("{}[]<>,;:#\"'\\ \nabconfigmodel_list", max_size=120)),
    st.text(max_size=5),
)
def test_any_bytes_are_edited_or_refused(content: bytes | str, model: str) -> None:
    """What comes back is shorter, and made of the same bytes."""
    given_bytes = content.encode() if isinstance(content, str) else content
    try:
        edited = without_model(given_bytes, model)
    except ValueError:
        return
    assert len(edited) < len(given_bytes)
