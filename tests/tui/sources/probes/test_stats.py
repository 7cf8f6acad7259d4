"""Statistics of services: every number of a document, single series pinned and read again."""

import asyncio

import pytest
from aiohttp import web

from profiles.systems import Service
from tests.tui.sources.probes.serving import serving
from tui.sources.errors import Unreadable
from tui.sources.http import HttpSource
from tui.sources.probes.stats import MOST_PINNED, Stat, Stats, parse

TEXT = """\
# HELP http_requests_total Requests by code.
# TYPE http_requests_total counter
http_requests_total{code="200",method="GET"} 42
http_requests_total{code="500",method="GET"} 3
up 1
"""


def test_every_series_of_a_text_document_is_found_with_its_help() -> None:
    assert [(stat.key, stat.value) for stat in parse(TEXT, "/metrics")] == [
        ('http_requests_total{code=200 method=GET}', 42), ('http_requests_total{code=500 method=GET}', 3),
        ("up", 1),
    ]  # fmt: skip
    assert parse(TEXT, "/metrics")[0].help == "Requests by code."


def test_every_number_of_a_json_document_is_found_by_its_place() -> None:
    text = '{"pools": [{"active": 3, "name": "a"}], "ok": true, "none": null, "deep": {"x\\u001b": 1.5}}'
    assert [(stat.key, stat.value) for stat in parse(text, "/stats")] == [
        ("pools.0.active", 3), ("ok", 1), ("deep.x␛", 1.5),
    ]  # fmt: skip


@pytest.mark.parametrize("text", ["{broken", "<html>no</html>", "a{b 1"])
def test_what_is_neither_says_so(text: str) -> None:
    with pytest.raises(Unreadable):
        parse(text, "/x")


async def test_a_pinned_series_becomes_a_number_of_its_service_and_is_read_again() -> None:
    value = 1

    async def metrics(request: web.Request) -> web.Response:
        return web.Response(text=f"queue_length {value}\n")

    async def up(request: web.Request) -> web.Response:
        return web.json_response({"status": "UP"})

    async with serving({"GET /health": up, "GET /metrics": metrics}) as url:
        source = HttpSource("api", Service(url=url + "/health", stats=["/metrics"]))
        (stat,) = await source.stats.read(url, "/metrics")
        assert source.stats.pin(stat)
        value = 2
        async with asyncio.timeout(20):
            while not any(n.metric == "stat" and n.value == 2 for n in (await source.read()).numbers()):
                await asyncio.sleep(0.01)
        assert not source.stats.pin(stat), "pinning it again lets it go"
        assert not (await source.read()).pinned
        await source.close()


def test_not_everything_can_be_pinned() -> None:
    stats = Stats(Service(url="http://127.0.0.1:1/"))
    for number in range(MOST_PINNED):
        stats.pin(Stat("/m", f"s{number}", "", 1.0))
    with pytest.raises(ValueError, match="let one go first"):
        stats.pin(Stat("/m", "one-more", "", 1.0))


async def test_everything_is_read_only_while_somebody_looks() -> None:
    asked = 0

    async def metrics(request: web.Request) -> web.Response:
        nonlocal asked
        asked += 1
        return web.Response(text="a 1\nb 2\n")

    async with serving({"GET /health": metrics, "GET /metrics": metrics}) as url:
        stats = Stats(Service(url=url + "/health", stats=["/metrics", "/gone"]))
        stats.begin(url)
        assert (asked, stats.seen) == (0, ())
        stats.look()
        async with asyncio.timeout(20):
            while not stats.seen:
                stats.begin(url)
                await asyncio.sleep(0.01)
        assert ([stat.name for stat in stats.seen], asked) == (["a", "b"], 1)
        assert stats.note == "/gone: HTTP 404"
        await stats.close()
