import dataclasses
import json
import math
from pathlib import Path
from typing import Any

import jsonschema
import numpy as np
import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from detectors.types import (
    Answer,
    Assessment,
    Attribution,
    Forecast,
    Interval,
    ModelShare,
    Shape,
    Trend,
    Verdict,
)
from leakwatch.tell.document import as_json, as_yaml, document
from leakwatch.trace import Target, Trace

SCHEMA = json.loads((Path(__file__).parents[3] / "docs/schemas/analyze.schema.json").read_text())
VALIDATOR = jsonschema.Draft202012Validator(SCHEMA)

any_float = st.sampled_from([math.nan, math.inf, -math.inf, 0.0]) | st.floats()
intervals = st.builds(Interval, any_float, any_float, st.none() | any_float)
verdicts = st.builds(
    Verdict,
    st.sampled_from(Answer),
    st.sampled_from(Shape),
    any_float,
    st.none() | st.just("anon_bytes"),
    st.none() | st.builds(Trend, any_float, any_float, any_float, st.integers(0, 10)),
    st.none() | any_float,
    st.lists(any_float, max_size=3).map(tuple),
    st.lists(st.text(), max_size=2).map(tuple),
)
attributions = st.builds(
    Attribution,
    st.none() | intervals,
    st.lists(st.builds(ModelShare, st.text(), intervals, any_float), max_size=2).map(tuple),
    st.just("unclear"),
)
assessments = st.builds(
    Assessment,
    verdicts,
    st.none() | st.builds(Forecast, any_float, any_float, st.none() | any_float),
    st.none() | attributions,
    st.none() | any_float,
)
traces = st.builds(
    Trace,
    st.builds(Target, st.text(st.characters()), st.none() | st.text()),
    st.lists(st.floats(0, 1e10), max_size=4).map(lambda times: np.unique(np.array(times, float))),
    st.just({}),
    st.none() | any_float,
)


def refuse(constant: str) -> None:
    raise AssertionError(f"{constant} in JSON")


@given(st.lists(st.tuples(traces, assessments), max_size=2))
@settings(max_examples=150, deadline=None)
def test_whatever_was_found_the_document_holds_to_its_schema(analyses: list[tuple[Trace, Assessment]]) -> None:
    """No NaN or Infinity anywhere, every key there, every type right, whatever the numbers and the names are."""
    read: Any = json.loads(as_json(analyses), parse_constant=refuse)
    VALIDATOR.validate(read)
    assert read == document(analyses)


def test_the_schema_is_a_schema() -> None:
    """The published schema is valid itself, and it refuses a document with a key too few."""
    jsonschema.Draft202012Validator.check_schema(SCHEMA)
    assert not VALIDATOR.is_valid({"schema_version": 1, "analyses": [{"source": "x"}]})


def test_a_leak_is_told_with_the_numbers_of_the_contract(examples: Any) -> None:
    """Scripts find the estimate, both ends, whole bytes and the time to the limit under the promised names."""
    (entry,) = document([examples.leak()])["analyses"]
    assert entry["verdict"] == "leak"
    assert entry["limit_bytes"] == 2**32
    assert type(entry["limit_bytes"]) is int
    assert entry["time_to_limit_seconds"] == {"estimate": 12_000, "low": 10_200, "high": 15_000}
    assert entry["slope_bytes_per_second"]["estimate"] == pytest.approx(97 * 2**20 / 3600)
    assert [m["model"] for m in entry["by_model"]] == ["bert", "resnet"]
    assert entry["samples"] == 1440


def test_no_samples_have_no_start(examples: Any) -> None:
    """A header alone gives an entry in which start and end are unknown."""
    (entry,) = document([examples.empty])["analyses"]
    assert (entry["samples"], entry["start"], entry["end"], entry["metric"]) == (0, None, None, None)


def test_an_interval_without_an_upper_end_keeps_the_rest(examples: Any) -> None:
    """Infinity as the latest time means that it may never come: null, while the earliest time stays."""
    trace, assessment = examples.leak()
    endless = dataclasses.replace(assessment, forecast=Forecast(9.0, 4.0, math.inf))
    (entry,) = document([(trace, endless)])["analyses"]
    assert entry["time_to_limit_seconds"] == {"estimate": 9.0, "low": 4.0, "high": None}


def test_yaml_says_the_same_as_json(examples: Any) -> None:
    """YAML is the same document, hostile names included."""
    analyses = [examples.hostile, examples.flat, examples.empty]
    assert yaml.safe_load(as_yaml(analyses)) == json.loads(as_json(analyses))


def test_the_path_is_given_back_as_it_came(examples: Any) -> None:
    """A source with quotes, escapes, newlines and bytes that are no text is found again by a script."""
    trace, _ = examples.hostile
    (entry,) = json.loads(as_json([examples.hostile]))["analyses"]
    assert entry["source"] == trace.target.source
