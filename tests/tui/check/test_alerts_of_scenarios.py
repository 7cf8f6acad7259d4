"""The sandbox's troubles raise the alerts they should and no others; the bench `alerts` plays all of them."""

from pathlib import Path

import pytest

from tests.tui.check.alerts_of_scenarios import EXPECTED, played, watched
from tui.sandbox.blocking import BlockingSandbox
from tui.sandbox.scenarios import SCENARIOS

pytestmark = [pytest.mark.live, pytest.mark.xdist_group("live")]


@pytest.mark.parametrize("name", ["lock-pileup", "failing-service", "redis-full", "expired-certificate"])
async def test_a_trouble_raises_its_alerts_and_they_end_with_it(
    name: str, sandbox: BlockingSandbox, tmp_path: Path
) -> None:
    async with watched(sandbox, tmp_path) as site:
        _, _, seen = await played(name, sandbox, site)
    must, may = EXPECTED[name]
    assert seen <= must | may


def test_of_every_trouble_it_is_known_what_it_raises() -> None:
    assert {"calm", *EXPECTED} == set(SCENARIOS)
