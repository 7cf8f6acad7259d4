"""Certificates as real servers serve them: expiring, expired, for another host, self-signed, of nobody we know."""

import asyncio
import time
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from aiohttp import web

from profiles.systems import Service
from tests.tui.sources.probes.serving import Authority, serving
from tui.sources.errors import Unreachable, Unreadable
from tui.sources.health import State
from tui.sources.http import HttpSource
from tui.sources.http_snapshot import ServiceSnapshot
from tui.sources.probes.certificates import Chain, covers, look


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path)


async def up(request: web.Request) -> web.Response:
    return web.json_response({"status": "UP"})


async def looked(authority: Authority, host: str = "127.0.0.1", *, trusted: bool = True, **served: object) -> Chain:
    async with serving({"GET /": up}, authority.context(**served)) as url:  # type: ignore[arg-type]
        return await look(host, urlsplit(url).port or 0, str(authority.file) if trusted else None, 5)


async def test_a_chain_that_is_trusted_is_read_whole(authority: Authority) -> None:
    chain = await looked(authority, names=("127.0.0.1", "api.example.com"), days=40)
    assert chain.problems == ()
    assert [one.subject for one in chain.certificates] == ["127.0.0.1", "opstui test intermediate"]
    leaf = chain.leaf
    assert leaf is not None
    assert leaf.names == ("api.example.com", "127.0.0.1")
    assert (leaf.issuer, leaf.key, leaf.signed_with) == ("opstui test intermediate", "EC secp256r1", "sha256")
    assert leaf.days(time.time()) == pytest.approx(40, abs=0.1)
    assert chain.protocol == "TLSv1.3"


async def test_what_is_wrong_is_told_all_at_once(authority: Authority) -> None:
    chain = await looked(authority, days=-3, names=("other.example.com",))
    assert chain.problems == ("it has expired", "it is not for 127.0.0.1 but for other.example.com")
    assert chain.leaf is not None
    assert chain.leaf.days(time.time()) == pytest.approx(-3, abs=0.1)


async def test_a_certificate_of_its_own_and_one_of_an_unknown_authority_are_told_apart(authority: Authority) -> None:
    own = await looked(authority, is_self_signed=True)
    assert own.problems == ("it is signed by itself, and not trusted",)
    assert own.leaf is not None
    assert own.leaf.is_self_issued
    unknown = await looked(authority, trusted=False)
    assert unknown.problems == ("opstui test intermediate: its issuer is not known here",)


async def test_a_certificate_without_names_is_for_nobody(authority: Authority) -> None:
    chain = await looked(authority, names=())
    assert chain.problems == ("it is not for 127.0.0.1 but for nobody: it has no subjectAltName",)


async def test_what_does_not_speak_tls_hangs_or_refuses_is_told_apart() -> None:
    async with serving({"GET /": up}) as url:
        port = urlsplit(url).port or 0
        with pytest.raises(Unreadable, match="TLS"):
            await look("127.0.0.1", port, None, 5)
    with pytest.raises(Unreachable, match="connection refused"):
        await look("127.0.0.1", port, None, 5)

    async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        writer.close()

    server = await asyncio.start_server(silent, "127.0.0.1", 0)
    with pytest.raises(Unreachable, match=r"no TLS handshake within 0\.2 s"):
        await look("127.0.0.1", server.sockets[0].getsockname()[1], None, 0.2)
    server.close()
    await server.wait_closed()


async def refused(service: Service) -> ServiceSnapshot:
    """Read until the look beside the refused connection has ended."""
    source = HttpSource("api", service)
    try:
        async with asyncio.timeout(20):
            while (await source.read()).is_partial:
                await asyncio.sleep(0.02)
        return await source.read()
    finally:
        await source.close()


async def test_an_expired_certificate_is_shown_though_the_connection_is_refused(authority: Authority) -> None:
    async with serving({"GET /": up}, authority.context(days=-3)) as url:
        snapshot = await refused(Service(url=url + "/", ca_file=str(authority.file)))
    assert (snapshot.state, snapshot.reason) == (State.DOWN, "TLS certificate: certificate has expired")
    assert snapshot.chain is not None
    assert snapshot.chain.problems == ("it has expired",)
    days = {number.metric: number.value for number in snapshot.numbers()}["certificate_days"]
    assert days == pytest.approx(-3, abs=0.1), "so that the rule for it is critical, and not without an answer"


@pytest.mark.parametrize(
    ("names", "host", "is_good"),
    [
        (("api.example.com",), "API.example.com.", True),
        (("*.example.com",), "api.example.com", True),
        (("*.example.com",), "a.b.example.com", False),
        (("*.example.com",), "example.com", False),
        (("*.com",), "example.com", False),
        (("a*.example.com",), "api.example.com", False),
        (("10.0.0.1",), "10.0.0.1", True),
        (("0:0:0:0:0:0:0:1",), "::1", True),
        (("*.0.0.1",), "10.0.0.1", False),
        ((), "api.example.com", False),
    ],
)
def test_for_whom_a_certificate_is_good(names: tuple[str, ...], host: str, is_good: bool) -> None:
    assert covers(names, host) is is_good
