"""The sandbox's way in from outside, its login and its pods, as opstui sees them."""

import asyncio
from collections.abc import Callable
from pathlib import Path

from profiles.systems import Service
from tui.sandbox.edge import CALM_DAYS, Edge
from tui.sandbox.service_api import Identity, routes
from tui.sandbox.services import ServicePorts, shop_services
from tui.sources.health import State
from tui.sources.http import HttpSource
from tui.sources.http_snapshot import ServiceSnapshot


async def until(source: HttpSource, is_so: Callable[[ServiceSnapshot], bool]) -> ServiceSnapshot:
    async with asyncio.timeout(20):
        while not is_so(snapshot := await source.read()):
            await asyncio.sleep(0.02)
    return snapshot


async def test_a_certificate_that_expires_is_refused_and_a_renewed_one_is_trusted_again(tmp_path: Path) -> None:
    edge = Edge(tmp_path)
    source = HttpSource("edge", Service(url=await edge.listen(), ca_file=str(tmp_path / "edge-ca.pem")))
    try:
        good = await until(source, lambda one: not one.is_partial)
        assert (good.state, good.chain and good.chain.problems) == (State.OK, ())
        assert [one.subject for one in good.chain.certificates] == ["edge.shop.example", "opstui sandbox"]  # type: ignore[union-attr]
        edge.renew(-2)
        bad = await until(source, lambda one: one.state is State.DOWN)
        assert bad.reason == "TLS certificate: certificate has expired"
        edge.renew(CALM_DAYS)
        assert (await until(source, lambda one: one.state is State.OK)).certificate_days is not None
    finally:
        await source.close()
        await edge.close()


async def test_the_probes_of_the_demo_are_well_on_a_calm_day(tmp_path: Path) -> None:
    services = shop_services()
    ports = ServicePorts(routes(services, Identity(tmp_path)))
    urls = await ports.listen(services)
    form = {"username": f"file:{tmp_path}/login-user", "password": f"file:{tmp_path}/login-password"}
    entry = {"url": urls["auth"], "login": {"post": "/login", "form": form, "refresh": "/refresh"},
             "probes": {"me": {"get": "/me", "login": True, "expect": {"body": {"active": True}}}}}  # fmt: skip
    source, api = HttpSource("auth", Service.model_validate(entry)), HttpSource("api", Service(url=urls["api"]))
    try:
        snapshot = await until(source, lambda one: not one.is_partial)
        assert [(probe.name, probe.state) for probe in snapshot.probes] == [("login", State.OK), ("me", State.OK)]
        assert snapshot.tokens[0].claim("kid") == "sandbox-1"
        names = {stat.name for stat in await api.stats.read(urls["api"], "/metrics")}
        assert {"http_requests_total", "pool_connections"} <= names
    finally:
        await asyncio.gather(source.close(), api.close())
        await ports.close()
