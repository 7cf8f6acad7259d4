"""The HTTP source against small servers on loopback."""

import asyncio
import math
import ssl
import subprocess
import threading
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import pytest
from aiohttp import web

from profiles.systems import Service
from tui.sources import health, http_request
from tui.sources.errors import Denied, SourceError, Unreadable
from tui.sources.health import State
from tui.sources.history import Series
from tui.sources.http import HttpSource, p95, trend
from tui.sources.http_request import MAX_BODY_BYTES
from tui.sources.http_shown import shown_url
from tui.sources.http_snapshot import ServiceSnapshot

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


@asynccontextmanager
async def serving(handler: Handler, tls: ssl.SSLContext | None = None) -> AsyncIterator[str]:
    app = web.Application()
    app.router.add_get("/health", handler)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0, ssl_context=tls).start()
    try:
        yield f"http{'s' if tls else ''}://127.0.0.1:{runner.addresses[0][1]}/health"
    finally:
        await runner.cleanup()


async def read_once(entry: Service) -> ServiceSnapshot:
    source = HttpSource("api", entry)
    try:
        return await source.read()
    finally:
        await source.close()


def numbers(snapshot: ServiceSnapshot) -> dict[str, float]:
    return {number.metric: number.value for number in snapshot.numbers()}


async def up(request: web.Request) -> web.Response:
    return web.json_response({"status": "UP", "version": "4.2", "components": {"db": {"status": "UP"}}})


async def test_a_service_that_answers_has_a_state_a_latency_and_components() -> None:
    async with serving(up) as url:
        source = HttpSource("api", Service(url=url, slow_ms=1e6, workload="shop/deployment/api"))
        first, snapshot = await source.read(), await source.read()
        await source.close()
    assert (snapshot.state, snapshot.status_code, snapshot.version) == (State.OK, 200, "4.2")
    assert (snapshot.workload, snapshot.body.split("\n")[1]) == ("shop/deployment/api", '  "status": "UP",')
    assert set(numbers(snapshot)) == {"state", "latency_ms", "latency_ratio", "p50_ms", "p95_ms", "error_percent"}
    # The first latency holds the connection and our own start.
    assert (first.p95_ms, first.latencies_ms) == (None, ())
    assert first.latency_ms is not None
    assert snapshot.p95_ms == snapshot.latency_ms


async def test_a_service_that_refuses_is_down_and_not_an_error() -> None:
    async with serving(up) as url:
        pass
    snapshot = await read_once(Service(url=url))
    assert (snapshot.state, snapshot.reason, snapshot.latency_ms) == (State.DOWN, "connection refused", None)
    assert {metric: value for metric, value in numbers(snapshot).items() if not math.isnan(value)} == {
        "state": 2,
        "error_percent": 100,
    }
    assert {"latency_ms", "latency_ratio"} <= numbers(snapshot).keys(), "absent, for it is no quicker for that"


async def test_a_silent_service_is_down_after_its_own_timeout() -> None:
    async def silent(request: web.Request) -> web.Response:
        await asyncio.sleep(30)
        return web.Response()

    async with serving(silent) as url:
        snapshot = await read_once(Service(url=url, timeout=0.1))
    assert (snapshot.state, snapshot.reason) == (State.DOWN, "no answer within 0.1 s")


async def test_a_body_that_drips_does_not_outlive_the_timeout() -> None:
    async def dripping(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        while True:
            await response.write(b"x")
            await asyncio.sleep(0.01)

    async with serving(dripping) as url:
        snapshot = await read_once(Service(url=url, timeout=0.2))
    assert snapshot.reason == "no answer within 0.2 s"


async def test_an_endless_body_is_cut() -> None:
    async def endless(request: web.Request) -> web.StreamResponse:
        return web.Response(body=b"x" * (2 * MAX_BODY_BYTES))

    async with serving(endless) as url:
        snapshot = await read_once(Service(url=url))
    assert snapshot.state is State.OK
    assert snapshot.body.endswith("…")
    assert len(snapshot.body) < MAX_BODY_BYTES


async def test_a_redirect_is_reported_and_not_followed() -> None:
    async def elsewhere(request: web.Request) -> web.Response:
        return web.Response(status=302, headers={"Location": "https://login.example/?token=abc"})

    async with serving(elsewhere) as url:
        snapshot = await read_once(Service(url=url))
    assert snapshot.reason == "HTTP 302: redirects to https://login.example/?token=•••, which is not followed"


async def test_what_does_not_speak_http_is_told_from_what_is_down() -> None:
    async def banner(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"SSH-2.0-x\r\n")
        writer.close()
        await writer.wait_closed()

    server = await asyncio.start_server(banner, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    snapshot = await read_once(Service(url=f"http://127.0.0.1:{port}/"))
    server.close()
    assert snapshot.reason == "what answers does not speak HTTP, or hung up in the middle"


async def test_headers_are_sent_from_their_references_and_never_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("API_TOKEN", "Bearer s3kr1t-token")

    async def echoing(request: web.Request) -> web.Response:
        given = request.headers["Authorization"]
        return web.json_response({"status": "UP", "you": given, "bare": "s3kr1t-token"}, headers={"X-Echo": given})

    async with serving(echoing) as url:
        snapshot = await read_once(Service(url=url, headers={"Authorization": "env:API_TOKEN"}))
    assert snapshot.state is State.OK
    assert "s3kr1t" not in repr(snapshot)


async def test_a_missing_secret_is_an_error_in_the_profile_not_a_service_that_is_down() -> None:
    with pytest.raises(Denied, match="NO_SUCH_TOKEN"):
        await read_once(Service(url="http://127.0.0.1:1/", headers={"X": "env:NO_SUCH_TOKEN"}))


async def test_a_secret_that_http_cannot_send_stays_out_of_the_message(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("API_TOKEN", "s3kr1t\nX-Evil: 1")
    with pytest.raises(Unreadable) as caught:
        await read_once(Service(url="http://127.0.0.1:1/", headers={"X": "env:API_TOKEN"}))
    assert "s3kr1t" not in str(caught.value)


async def test_a_long_document_is_read_beside_the_event_loop(monkeypatch: pytest.MonkeyPatch) -> None:
    threads: list[bool] = []
    parse = health.parse

    def watched(status: int, kind: str, body: str) -> health.Health:
        threads.append(threading.current_thread() is threading.main_thread())
        return parse(status, kind, body)

    async def answer(request: web.Request) -> web.Response:
        parts = {f"part-{number}": {"status": "UP"} for number in range(400 if len(threads) else 1)}
        return web.json_response({"status": "UP", "components": parts})

    monkeypatch.setattr(health, "parse", watched)
    async with serving(answer) as url:
        source = HttpSource("api", Service(url=url))
        await source.read()
        monkeypatch.setattr("tui.sources.http._LONG_BODY", 4096)
        snapshot = await source.read()
        await source.close()
    assert len(snapshot.components) == 400
    assert threads == [True, False]


@pytest.mark.parametrize("url", ["ftp://x/", "http://[bad", "nonsense"])
async def test_a_url_that_cannot_be_used_is_an_error_in_the_profile(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("API_URL", url)
    with pytest.raises(SourceError, match="correct url in the profile"):
        await read_once(Service(url="env:API_URL"))


async def test_history_keeps_a_gap_where_there_was_no_answer() -> None:
    now = 100.0
    async with serving(up) as url:
        source = HttpSource("api", Service(url=url), now=lambda: now)
        assert (await source.read()).since == 100.0
        await source.read()
    now = 110.0
    await source.read()
    now = 120.0
    snapshot = await source.read()
    await source.close()
    assert [latency is None for latency in snapshot.latencies_ms] == [False, True]
    assert snapshot.p95_ms == snapshot.latencies_ms[0]


def test_the_trend_moves_only_when_a_step_of_ten_seconds_is_full() -> None:
    latencies = Series()
    for at, value in ((100, 4.0), (105, 6.0), (110, None), (130, 9.0)):
        latencies.add(at, value)
    assert trend(latencies, 10) == ()
    assert trend(latencies, 11) == (5.0,)
    assert trend(latencies, 13) == (5.0, None, None)
    assert trend(latencies, 14) == (5.0, None, None, 9.0)


async def test_a_cancelled_read_leaves_the_source_usable() -> None:
    released = asyncio.Event()

    async def waiting(request: web.Request) -> web.Response:
        await released.wait()
        return await up(request)

    async with serving(waiting) as url:
        source = HttpSource("api", Service(url=url))
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.3):
                await source.read()
        released.set()
        assert (await source.read()).state is State.OK
        await source.close()


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A self-signed certificate for 127.0.0.1 that lives 20 days, with its key in the same file."""
    path = tmp_path_factory.mktemp("tls") / "server.pem"
    command = "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 20 -subj /CN=127.0.0.1"
    extra = ["-addext", "subjectAltName=IP:127.0.0.1", "-keyout", str(path), "-out", str(path.with_suffix(".crt"))]
    try:
        subprocess.run([*command.split(), *extra], check=True, capture_output=True)
    except FileNotFoundError:
        pytest.skip("openssl is not installed")
    path.write_text(path.read_text() + path.with_suffix(".crt").read_text())
    return path


def _serving_tls(certificate: Path) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    return context


async def test_with_its_ca_a_tls_service_tells_when_its_certificate_expires(certificate: Path) -> None:
    async with serving(up, _serving_tls(certificate)) as url:
        snapshot = await read_once(Service(url=url, ca_file=str(certificate.with_suffix(".crt"))))
    assert snapshot.state is State.OK
    assert snapshot.certificate_days == pytest.approx(20, abs=0.1)
    assert "certificate_days" in numbers(snapshot)


async def test_an_unknown_ca_is_named_with_the_remedy(certificate: Path) -> None:
    async with serving(up, _serving_tls(certificate)) as url:
        snapshot = await read_once(Service(url=url))
    assert snapshot.state is State.DOWN
    assert snapshot.reason == "TLS certificate: self-signed certificate; set ca_file when it is your own CA"


async def test_services_that_are_opened_at_the_same_time_read_the_trusted_roots_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    read: list[object] = []
    both = threading.Barrier(2)

    def reading(*, cafile: str | None = None) -> ssl.SSLContext:
        read.append(cafile)
        with suppress(threading.BrokenBarrierError):
            both.wait(0.3)  # as long as a second one might come
        return ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)

    http_request._trust.cache_clear()
    monkeypatch.setattr(ssl, "create_default_context", reading)
    try:
        clients = await asyncio.gather(
            *(http_request.open_client(f"https://{name}.example", None, 1) for name in "abc")
        )
    finally:
        http_request._trust.cache_clear()
    assert len(read) == 1
    for client in clients:
        await client.aclose()


async def test_a_missing_ca_file_is_an_error_in_the_profile() -> None:
    with pytest.raises(Unreadable, match=r"ca_file /nowhere\.pem: No such file"):
        await read_once(Service(url="https://127.0.0.1:1/", ca_file="/nowhere.pem"))


def test_p95_is_the_nearest_rank() -> None:
    assert p95([float(n) for n in range(1, 101)]) == 95.0
    assert p95([7.0]) == 7.0
    assert p95([]) is None


def test_a_shown_url_has_neither_user_nor_private_values() -> None:
    assert shown_url("", "https://u@h:1/p?q=1&api_key=x") == "https://h:1/p?q=1&api_key=•••"
    assert shown_url("env:API_URL", "https://h/secret") == "env:API_URL"
