"""What all tests share: one running sandbox per test process."""

import os
from collections.abc import Generator, Iterator

import pytest
from hypothesis import HealthCheck, settings

from tui.sandbox.blocking import BlockingSandbox

# How long an example takes says more about the machine than about the code.
settings.register_profile("shared-machine", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("shared-machine")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Where everything must be installed (`.ci/run` says so), a test that misses a program fails."""
    report = yield
    if report.skipped and item.get_closest_marker("debian") and os.environ.get("OPSTUI_TESTS_MISS_NOTHING"):
        report.outcome = "failed"
    return report


@pytest.fixture(scope="session")
def sandbox_process() -> Iterator[BlockingSandbox]:
    """The sandbox itself, started by the first live test of this process; take `sandbox` instead."""
    sandbox = BlockingSandbox.start()
    yield sandbox
    sandbox.stop()


@pytest.fixture
def sandbox(sandbox_process: BlockingSandbox) -> Iterator[BlockingSandbox]:
    """A calm sandbox: real PostgreSQL and Valkey, the simulated cluster, services, logs.

    It is shared with other tests, so leave servers and health components as you found them; a scenario that
    is still under way is ended for you. For `@pytest.mark.live` and `@pytest.mark.xdist_group("live")` tests.
    """
    yield sandbox_process
    if sandbox_process.running != "calm":
        sandbox_process.scenario("calm")
