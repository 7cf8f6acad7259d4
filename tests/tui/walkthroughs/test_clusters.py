"""Two clusters with the same names and the same uids: whatever a walk reads or does, it does in the one it is about."""

from pathlib import Path
from typing import Any

import pytest

from tests.tui.walkthroughs.fakes import Cluster, site_of
from tui.walkthroughs.evidence import evidence
from tui.walkthroughs.format import Check
from tui.walkthroughs.judging import Asked
from tui.walkthroughs.run import Fact
from tui.walkthroughs.site import NOBODY, Site, Subject

CLUSTERS = {"eu": "c-eu", "us": "c-us"}


async def facts(site: Site, subject: Subject = NOBODY, **check: Any) -> tuple[Fact, ...]:
    return await evidence(Asked(Check.model_validate({"check": "c", **check}), subject), site)


@pytest.mark.parametrize(
    ("profile", "named", "asked"),
    [
        ({"clusters": CLUSTERS}, {"cluster": "us"}, "kubernetes:us"),
        ({"clusters": {"eu": "c-eu"}}, {}, "kubernetes:eu"),
        ({"kubernetes": "c", "clusters": CLUSTERS}, {}, "kubernetes:"),
        ({"kubernetes": "c", "clusters": CLUSTERS}, {"cluster": "eu"}, "kubernetes:eu"),
    ],
)
async def test_a_log_is_read_in_the_cluster_that_has_it(
    tmp_path: Path, profile: dict[str, Any], named: dict[str, str], asked: str
) -> None:
    clusters = Cluster(""), Cluster("eu"), Cluster("us")
    logs = {"api": {"workload": "deployment/api", "namespace": "shop", **named}}
    async with site_of(tmp_path, *clusters, **profile, logs=logs) as site:
        (fact,) = await facts(site, logs={"of": "api"}, warn=1)
    assert fact.detail == f"{asked} was asked"
