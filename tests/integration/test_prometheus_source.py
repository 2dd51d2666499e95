"""A real server with five days behind it is asked for the present and the past."""

import time
from typing import Any

import numpy as np
import pytest

from leakwatch.errors import SourceError
from leakwatch.sample.prometheus_server import PrometheusSource
from leakwatch.settings import PrometheusPlace


def test_the_present(prometheus_server: Any) -> None:
    """Memory by kind, limit and restarts under the names of a sample."""
    place = PrometheusPlace(prometheus_server.url, "serving", pod="serving-0", namespace="ml")
    source = PrometheusSource(place)
    now = time.time()
    sample = source.read(now)
    grown = prometheus_server.leak_bytes_per_second * (now - prometheus_server.began_seconds)
    assert sample.values["anon_bytes"] == pytest.approx(
        2**30 + grown, abs=prometheus_server.leak_bytes_per_second * 900
    )
    assert sample.values["working_set_bytes"] == sample.values["anon_bytes"] + 2**28
    assert sample.values["limit_bytes"] == 2**33
    assert sample.values["restarts_total"] == 3
    assert sample.life == source.read(now).life
    source.close()
    source.close()


def test_the_past_of_five_days(prometheus_server: Any) -> None:
    """An agent that starts late has them at once: every scrape, with the slope that the container really had."""
    source = PrometheusSource(PrometheusPlace(prometheus_server.url, "serving"))
    until = time.time()
    trace = source.history(prometheus_server.began_seconds, until)
    assert trace.time_seconds[0] == pytest.approx(prometheus_server.began_seconds, abs=prometheus_server.step_seconds)
    assert trace.time_seconds[-1] == pytest.approx(until, abs=2 * prometheus_server.step_seconds)
    assert np.diff(trace.time_seconds) == pytest.approx(prometheus_server.step_seconds)
    slope = np.polyfit(trace.time_seconds - trace.time_seconds[0], trace.columns["anon_bytes"], 1)[0]
    assert slope == pytest.approx(prometheus_server.leak_bytes_per_second, rel=0.001)
    assert trace.limit_bytes == 2**33
    assert trace.target.container == "serving"
    source.close()


def test_no_limit_is_none(prometheus_server: Any) -> None:
    """cAdvisor writes 0."""
    source = PrometheusSource(PrometheusPlace(prometheus_server.url, "healthy"))
    assert source.history(time.time() - 86400, time.time()).limit_bytes is None
    assert source.read(time.time()).values["limit_bytes"] == 0
    source.close()


def test_a_container_that_it_does_not_know_is_gone(prometheus_server: Any) -> None:
    """For the present and for the past; quotes and braces in a name are only a name."""
    source = PrometheusSource(PrometheusPlace(prometheus_server.url, 'no"} or {__name__=~".*'))
    for ask in (lambda: source.read(time.time()), lambda: source.history(time.time() - 3600, time.time())):
        with pytest.raises(SourceError, match="has no memory of container") as raised:
            ask()
        assert raised.value.gone
    source.close()


def test_a_container_that_was_replaced(prometheus_server: Any) -> None:
    """Its series linger beside the new one's: the past goes on with the new one from its first point on."""
    source = PrometheusSource(PrometheusPlace(prometheus_server.url, "renewed"))
    trace = source.history(prometheus_server.began_seconds, time.time())
    assert trace.time_seconds[0] < prometheus_server.began_seconds + 2 * prometheus_server.step_seconds
    expected = np.where(trace.time_seconds < prometheus_server.renewed_seconds, 2**20, 2**21)
    assert np.array_equal(trace.columns["anon_bytes"], expected)
    assert (source.read(time.time()).life or "").endswith("renewed-1")
    source.close()


def test_two_pods_are_not_mixed(prometheus_server: Any) -> None:
    """The sum or the alternation of two pods would be a fiction; the error names them."""
    source = PrometheusSource(PrometheusPlace(prometheus_server.url, "twin"))
    for ask in (lambda: source.read(time.time()), lambda: source.history(time.time() - 3600, time.time())):
        with pytest.raises(SourceError, match="2 pods have a container 'twin'; name one with pod: 'twin-0', 'twin-1'"):
            ask()
    source.close()
    assert PrometheusSource(PrometheusPlace(prometheus_server.url, "twin", pod="twin-1")).read(1.0).values == {
        "anon_bytes": 2**20
    }
