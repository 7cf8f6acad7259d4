"""Tests that share a server or a fixture of their module stay together on one worker."""

import pytest


@pytest.mark.xdist_group("together")
def test_the_group_of_a_test_is_known_to_whoever_hands_out_tests(request: pytest.FixtureRequest) -> None:
    """A pytest that pytest-xdist does not know yet makes it forget all groups without a word."""
    if not request.config.getoption("loadgroup", False):
        pytest.skip("groups count where `--dist loadgroup` shares the tests among several workers")
    assert request.node.nodeid.endswith("@together")
