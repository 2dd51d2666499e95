"""What every test relies on: a hypothesis profile for a busy machine, and skips that count as failures where asked."""

import os
import re
from collections.abc import Generator, Iterator
from typing import TYPE_CHECKING

import pytest
from hypothesis import settings

if TYPE_CHECKING:
    from tests.fakes.http_receiver import Receiver
    from tests.fakes.kubernetes_api import KubernetesApi
    from tests.fakes.slack_api import SlackApi

# A run of continuous integration says the same twice; everyone else's looks further each time.
settings.register_profile("leakwatch", deadline=None, derandomize="CI" in os.environ, print_blob=True)
settings.load_profile("leakwatch")

MAY_BE_MISSING = re.compile(r"needs (a Python|kubectl|docker compose|\.\./shared)\b", re.IGNORECASE)
"""What a machine may lack even where every real component is asked for; a skip's reason says "needs ..."."""


def pytest_addoption(parser: pytest.Parser) -> None:
    """--require-real: a test that is skipped for want of a browser, a terminal or a server fails instead."""
    parser.addoption("--require-real", action="store_true", help="a skipped test of a real component is a failure")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Turns the skip of a test into a failure under --require-real."""
    report = yield
    fail_if_skipped(report, item.config)
    return report


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report(
    collector: pytest.Collector,
) -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    """The same for a file that skips itself as a whole."""
    report = yield
    fail_if_skipped(report, collector.config)
    return report


def fail_if_skipped(report: pytest.TestReport | pytest.CollectReport, config: pytest.Config) -> None:
    """Changes the report in place; an expected failure (xfail) is no skip."""
    if not config.getoption("--require-real") or not report.skipped or hasattr(report, "wasxfail"):
        return
    reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
    if not MAY_BE_MISSING.search(reason):
        report.outcome = "failed"
        report.longrepr = f"{report.nodeid} was skipped, and here every real component must be there: {reason}"


@pytest.fixture
def kubernetes_api() -> "Iterator[KubernetesApi]":
    """A Kubernetes API server on loopback, with an empty cluster that lives."""
    from tests.fakes.kubernetes_api import KubernetesApi

    api = KubernetesApi().start()
    api.cluster.controllers.start()
    try:
        yield api
    finally:
        api.stop()
        api.cluster.controllers.stop()


@pytest.fixture
def slack_api() -> "Iterator[SlackApi]":
    """Slack on loopback, with one channel, #oncall."""
    from tests.fakes.slack_api import SlackApi

    api = SlackApi().start()
    yield api
    api.stop()


@pytest.fixture
def receiver() -> "Iterator[Receiver]":
    """An HTTP endpoint on loopback that keeps what it gets."""
    from tests.fakes.http_receiver import Receiver

    endpoint = Receiver().start()
    yield endpoint
    endpoint.stop()
