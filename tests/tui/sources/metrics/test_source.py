"""One metric, read from small servers on loopback, and from a real Prometheus."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from profiles.metrics import Metric, Prometheus
from tests.debian_prometheus import needs_prometheus, prometheus
from tui.sources.errors import Denied, SourceError, Unreachable, Unreadable
from tui.sources.metrics import MetricSnapshot, MetricSource


@asynccontextmanager
async def serving(answers: dict[str, Any], asked: list[web.Request] | None = None) -> AsyncIterator[str]:
    async def answer(request: web.Request) -> web.Response:
        if asked is not None:
            asked.append(request)
        found = answers[request.path]
        if callable(found):
            found = found(request)
        return found if isinstance(found, web.Response) else web.Response(text=str(found))

    app = web.Application()
    app.router.add_get("/{path:.*}", answer)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


async def read(source: MetricSource, times: int = 1) -> MetricSnapshot:
    try:
        for _ in range(times - 1):
            await source.read()
        return await source.read()
    finally:
        await source.close()


def metric(**entry: Any) -> Metric:
    return Metric.model_validate(entry)


async def test_a_number_in_a_json_document_scaled_and_with_its_unit() -> None:
    async with serving({"/stats": json.dumps({"pool": {"used": 0.25}})}) as base:
        entry = metric(json=f"{base}/stats", path="pool.used", scale=100, unit="%", warn=20, title="Pool")
        snapshot = await read(MetricSource("pool_used", entry))
    (number,) = snapshot.numbers()
    assert (number.metric, number.value, number.object, number.unit) == ("pool_used", 25, "", "%")
    assert (snapshot.title, snapshot.warn, snapshot.origin) == ("Pool", 20, f"{base}/stats")
    assert [value for _, value in snapshot.history[""]] == [25]


async def test_a_counter_is_told_by_its_growth_and_never_after_a_restart() -> None:
    counts = iter([100, 160, 20])
    async with serving({"/metrics": lambda _: f"jobs_total {next(counts)}\n"}) as base:
        source = MetricSource("jobs", metric(text=f"{base}/metrics", series="jobs_total", per_second=True))
        first, second, third = [await source.read() for _ in range(3)]
        await source.close()
    assert first.values[0].value is None
    assert second.values[0].value is not None
    assert second.values[0].value > 0
    assert third.values[0].value is None, "it went backwards"


async def test_no_series_is_absent_and_not_well() -> None:
    async with serving({"/metrics": "other 1\n"}) as base:
        snapshot = await read(MetricSource("jobs", metric(text=f"{base}/metrics", series="jobs_total", warn=1)))
    (number,) = snapshot.numbers()
    assert number.is_absent


async def test_a_secret_goes_into_the_header_and_nowhere_else(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STATS_TOKEN", "Bearer s3cret-token")
    asked: list[web.Request] = []
    async with serving({"/stats": "{}"}, asked) as base:
        entry = metric(json=f"{base}/stats", path="a", headers={"Authorization": "env:STATS_TOKEN"})
        with pytest.raises(Unreadable) as caught:
            await read(MetricSource("a", entry))
    assert asked[0].headers["Authorization"] == "Bearer s3cret-token"
    assert "s3cret" not in str(caught.value)
    monkeypatch.delenv("STATS_TOKEN")
    with pytest.raises(Denied, match="STATS_TOKEN is not set"):
        await read(MetricSource("a", entry))


async def test_an_answer_without_end_is_cut_off() -> None:
    async with serving({"/stats": "[" + "1," * 5_000_000}) as base:
        with pytest.raises(Unreadable, match="longer than 8 MiB"):
            await read(MetricSource("a", metric(json=f"{base}/stats", path="a")))


async def test_what_a_database_gives_is_a_number_or_said() -> None:
    async def given(value: Any) -> Any:
        return value

    entry = metric(sql="SELECT 1", on="shop")
    snapshot = await read(MetricSource("orders", entry, asked=("database shop", lambda: given(7.0))))
    assert (snapshot.values[0].value, snapshot.origin, snapshot.query) == (7, "database shop", "SELECT 1")
    for value, words in (("many", "gives text"), (None, "gives nothing")):
        with pytest.raises(Unreadable, match=words):
            await read(MetricSource("orders", entry, asked=("database shop", lambda value=value: given(value))))  # type: ignore[misc]


async def test_the_past_of_prometheus_is_there_at_once() -> None:
    asked: list[web.Request] = []

    def ranged(request: web.Request) -> str:
        start, end, step = (float(request.query[name]) for name in ("start", "end", "step"))
        samples = [[start + n * step, "2"] for n in range(int((end - start) / step) + 1)]
        return json.dumps(
            {
                "status": "success",
                "data": {"resultType": "matrix", "result": [{"metric": {"code": "500"}, "values": samples}]},
            }
        )

    vector = {"resultType": "vector", "result": [{"metric": {"code": "500"}, "value": [1, "3"]}]}
    answers = {
        "/api/v1/query": json.dumps({"status": "success", "data": vector}),
        "/api/v1/query_range": ranged,
    }
    async with serving(answers, asked) as base:
        source = MetricSource("errors", metric(prometheus="errors"), server=("main", Prometheus(url=base)))
        first = await source.read()
        second = await source.read()
        await source.close()
    past = second.history["code=500"]
    now = past.last_at
    day = past.steps(86_400, now)
    assert day[0].at < now - 86_000
    assert day[0].mean == 2
    assert past.last == 3
    assert sum("query_range" in request.path for request in asked) == 2, "the past is asked for once"
    assert first.origin == "prometheus main"


@pytest.mark.parametrize("name", ["every", "timeout", "unit"])
def test_defaults_are_those_the_manual_tells(name: str) -> None:
    assert getattr(metric(sql="SELECT 1"), name) == {"every": 15.0, "timeout": 5.0, "unit": ""}[name]


# A real one


@asynccontextmanager
async def exporting() -> AsyncIterator[str]:
    count = iter(range(0, 1_000_000, 5))
    page = '# TYPE jobs_total counter\njobs_total{{queue="a"}} {0}\njobs_total{{queue="b"}} 7\n'
    async with serving({"/metrics": lambda _: page.format(next(count))}) as base:
        yield base.removeprefix("http://")


@asynccontextmanager
async def scraping(folder: Path, target: str) -> AsyncIterator[str]:
    server = prometheus(folder, [target])
    url = await asyncio.to_thread(server.__enter__)  # the loop must go on: it serves what is scraped
    try:
        yield url
    finally:
        await asyncio.to_thread(server.__exit__, None, None, None)


class TestRealPrometheus:
    """Debian's own."""

    pytestmark = needs_prometheus

    async def test_values_labels_growth_and_refusals(self, tmp_path: Path) -> None:
        async with exporting() as target, scraping(tmp_path, target) as url:

            async def asked(query: str) -> dict[str, float | None]:
                source = MetricSource("asked", metric(prometheus=query), server=("main", Prometheus(url=url)))
                return {one.series: one.value for one in (await read(source)).values}

            series = await asked("jobs_total")
            assert sorted(labels.split()[-1] for labels in series) == ["queue=a", "queue=b"]
            assert 7 in series.values()
            assert await asked("scalar(vector(1.5))") == {"": 1.5}
            assert await asked("nothing_like_it") == {}
            assert await asked("vector(0) / 0") == {"": None}
            for query, words in (("sum(", "Prometheus refuses the query"), ("up[5m]", "gives ranges")):
                with pytest.raises(SourceError, match=words):
                    await asked(query)
        with pytest.raises(Unreachable, match="connection refused"):
            await asked("up")

    async def test_what_a_query_gave_before_opstui_came_is_there(self, tmp_path: Path) -> None:
        async with exporting() as target, scraping(tmp_path, target) as url:
            server = "main", Prometheus(url=url)
            snapshot = await read(MetricSource("clock", metric(prometheus="time()", every=1), server=server))
        past = snapshot.history[""].steps(86_400, snapshot.history[""].last_at)
        assert past[0].at < past[-1].at - 80_000
        assert abs(past[0].mean - past[0].at) < 200
