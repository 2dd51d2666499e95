"""Secrets do not get into evidence; what is none stays readable."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from leakwatch.masking import MASK, masked_arguments, masked_environment, masked_text

SECRETS = {
    "AWS_SECRET_ACCESS_KEY": "wJalrXUtnFEMI",
    "API_TOKEN": "abc123",
    "DB_PASSWORD": "hunter2",
    "MYSQL_PWD": "hunter2",
    "GOOGLE_APPLICATION_CREDENTIALS_JSON": "{...}",
    "apikey": "abc123",
    "SENTRY_DSN": "https://abc123@sentry.example/1",
    "SESSION_COOKIE": "abc123",
}

HARMLESS = {
    "MALLOC_ARENA_MAX": "2",
    "TF_ENABLE_ONEDNN_OPTS": "1",
    "LD_PRELOAD": "/usr/lib/libjemalloc.so.2",
    "GOOGLE_APPLICATION_CREDENTIALS_FILE": "/run/secrets/gcp.json",
    "SSH_AUTH_SOCK": "/tmp/agent.1",
    "PATH": "/usr/bin:/bin",
    "KUBERNETES_PORT": "tcp://10.0.0.1:443",
    "EMPTY_TOKEN": "",
}


@pytest.mark.parametrize("name", SECRETS)
def test_a_secret_variable_keeps_its_name_alone(name: str) -> None:
    """By the words in its name, whatever its case."""
    assert masked_environment({name: SECRETS[name]}) == {name: MASK}


@pytest.mark.parametrize("name", HARMLESS)
def test_what_is_no_secret_stays(name: str) -> None:
    """What a diagnosis needs must be readable."""
    assert masked_environment({name: HARMLESS[name]}) == {name: HARMLESS[name]}


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("connect to postgres://app:hunter2@db/x", f"connect to postgres://{MASK}@db/x"),
        ("redis://:hunter2@cache:6379", f"redis://{MASK}@cache:6379"),
        ("Authorization: Bearer abcdef.123456", f"Authorization: {MASK} {MASK}"),
        ('{"password": "hunter2", "user": "x"}', f'{{"password": "{MASK}", "user": "x"}}'),
        ("GET /v1?token=abc123&page=2", f"GET /v1?token={MASK}&page=2"),
        ("key AKIAIOSFODNN7EXAMPLE was used", f"key {MASK} was used"),
        ("eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2ln", MASK),
        ("-----BEGIN RSA PRIVATE KEY-----\nMIIE\n-----END RSA PRIVATE KEY-----\nnext", f"{MASK}\nnext"),
        ("keys: 17, tokens per second is 3", f"keys: {MASK}, tokens per second is 3"),
    ],
)
def test_secrets_in_text(text: str, masked: str) -> None:
    """URLs, headers, JSON, query strings, and what gives itself away; rather a number too much than a password."""
    assert masked_text(text) == masked


def test_secrets_on_a_command_line() -> None:
    """In one word with its flag, and in the word after it."""
    words = [
        "sh",
        "-c",
        "serve --token=abc123; wait",
        "--port=8500",
        "--api-key=abc123",
        "--password",
        "hunter2",
        "--token",
        "--verbose",
        "x",
    ]
    expected = (
        "sh",
        "-c",
        f"serve --token={MASK}; wait",
        "--port=8500",
        f"--api-key={MASK}",
        "--password",
        MASK,
        "--token",
        "--verbose",
        "x",
    )
    assert masked_arguments(words) == expected


@given(st.text(), st.sampled_from(["password", "api_key", "TOKEN", "client-secret"]))
def test_no_password_gets_through(before: str, name: str) -> None:
    """Whatever stands before it."""
    assert "hunter2" not in masked_text(f"{before} {name}=hunter2")


@given(st.text())
def test_any_text_can_be_masked(text: str) -> None:
    """And masking twice changes nothing more."""
    once = masked_text(text)
    assert masked_text(once) == once


HOSTILE = ("a", "a.", "key", "key-", "eyJ-", "eyJaaaaaaaa-", "://", "://a:", "basic ", "x://a.b", "-----BEGIN ")


@pytest.mark.parametrize("piece", HOSTILE)
def test_hostile_text_costs_no_more_than_its_length(piece: str) -> None:
    """Half a megabyte of whatever makes a pattern look again and again is masked while the test waits."""
    text = piece * (500_000 // len(piece))
    assert len(masked_text(text)) > 0
