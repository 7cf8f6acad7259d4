"""Probes against real servers on loopback: phases, logins, conditions, what fails is kept, what writes waits."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from aiohttp import web

from profiles.systems import Service
from tests.tui.sources.probes.serving import Authority, serving
from tests.tui.sources.probes.test_tokens import jwt
from tui.sources.health import State
from tui.sources.http import HttpSource
from tui.sources.http_snapshot import ServiceSnapshot
from tui.sources.probes.facts import Failures, ProbeResult
from tui.sources.probes.prober import Prober

NOW = 1_795_335_084.0


async def up(request: web.Request) -> web.Response:
    return web.json_response({"status": "UP"})


@asynccontextmanager
async def probing(url: str, now: Callable[[], float] = lambda: NOW, **entry: Any) -> AsyncIterator[Prober]:
    prober = Prober(Service.model_validate({"url": url, **entry}), Failures(), now=now)
    try:
        yield prober
    finally:
        await prober.close()


async def probed(url: str, probe: dict[str, Any], **entry: Any) -> ProbeResult:
    async with probing(url, probes={"it": probe}, **entry) as prober:
        return await prober.run("it", url)


async def test_a_probe_that_goes_well_says_where_its_time_went(tmp_path: Path) -> None:
    authority = Authority(tmp_path)

    async def slow(request: web.Request) -> web.Response:
        await asyncio.sleep(0.05)
        return web.json_response({"ok": True})

    async with serving({"GET /api": slow}, authority.context(names=("localhost",))) as url:
        named = url.replace("127.0.0.1", "localhost")
        result = await probed(named, {"get": "/api", "expect": {"certificate_days": 30}}, ca_file=str(authority.file))
    assert (result.state, result.status_code, result.reason) == (State.OK, 200, "")
    phases = dict(result.phases.named())
    assert all(phases[name] is not None for name in ("DNS", "connect", "TLS", "first byte", "rest"))
    assert (phases["first byte"] or 0) >= 50
    assert sum(value or 0 for value in phases.values()) == pytest.approx(result.phases.total_ms)


async def test_an_address_needs_no_look_up_and_plain_http_no_tls() -> None:
    async with serving({"GET /": up}) as url:
        phases = (await probed(url, {"get": "/"})).phases
    assert (phases.dns_ms, phases.tls_ms) == (None, None)
    assert phases.connect_ms is not None


async def test_a_name_with_an_address_that_does_not_answer_is_reached_by_the_other(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with serving({"GET /": up}) as url:
        port = urlsplit(url).port or 0

        async def two(*_: Any, **__: Any) -> list[Any]:
            return [(2, 1, 6, "", (address, port)) for address in ("127.0.0.2", "127.0.0.1")]

        monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", two)
        result = await probed(f"http://api.test:{port}", {"get": "/"})
    assert result.state is State.OK


async def test_a_name_that_is_not_known_is_told_by_name() -> None:
    result = await probed("http://no-such-host.invalid/", {"get": "/"})
    assert result.state is State.DOWN
    assert result.reason.startswith("no-such-host.invalid: ")
    assert not result.was_sent


async def dripping(request: web.Request) -> web.StreamResponse:
    response = web.StreamResponse()
    await response.prepare(request)
    while True:
        await response.write(b"x")
        await asyncio.sleep(0.01)


async def silent(request: web.Request) -> web.Response:
    await asyncio.sleep(30)
    return web.Response()


async def looping(request: web.Request) -> web.Response:
    return web.Response(status=302, headers={"Location": str(request.url)})


async def huge(request: web.Request) -> web.StreamResponse:
    response = web.StreamResponse()
    response.content_length = 100 * 2**20
    await response.prepare(request)
    for _ in range(100):
        await response.write(b"x" * 2**20)
    return response


async def broken(request: web.Request) -> web.Response:
    return web.Response(text='{"status": "ok"', content_type="application/json")


@pytest.mark.parametrize(
    ("handler", "reason"),
    [
        (dripping, "no answer within 0.4 s"),
        (silent, "no answer within 0.4 s"),
        (looping, 'status 2xx: HTTP 302; status is "ok": the body is not valid JSON'),
        (huge, 'status is "ok": the body is not valid JSON, in the first 256 KiB'),
        (broken, 'status is "ok": the body is not valid JSON'),
    ],
)
async def test_a_server_that_misbehaves_costs_its_timeout_at_most(handler: Any, reason: str) -> None:
    async with serving({"GET /": handler}) as url:
        began = asyncio.get_running_loop().time()
        result = await probed(url, {"get": "/", "timeout": "400ms", "expect": {"body": {"status": "ok"}}})
        took_s = asyncio.get_running_loop().time() - began
    assert (result.state, result.reason) == (State.DOWN, reason)
    assert result.was_sent
    assert len(result.body) < 10_000
    assert took_s < 5


async def test_headers_and_tokens_are_sent_and_never_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("API_KEY", "s3kr1t-key-42")

    async def echoing(request: web.Request) -> web.Response:
        told = {"you": request.headers["X-API-Key"], "refresh_token": "r3fr3sh-42-r3fr3sh"}
        return web.json_response(told, status=500)

    async with serving({"GET /": echoing}) as url:
        probe = {"get": "/", "headers": {"X-API-Key": "env:API_KEY"}, "expect": {"body": {"you": "me"}}}
        result = await probed(url, probe)
    assert result.reason == 'status 2xx: HTTP 500; you is "me": it is "•••"'
    assert "s3kr1t" not in repr(result)
    assert "r3fr3sh-42" not in repr(result)


async def test_a_missing_secret_is_unknown_and_nothing_is_sent() -> None:
    result = await probed("http://127.0.0.1:1", {"get": "/", "headers": {"X": "env:NO_SUCH_KEY"}})
    assert (result.state, result.was_sent) == (None, False)
    assert "NO_SUCH_KEY" in result.reason


class Identity:
    """A server with a form login, a refresh and one page that wants a token."""

    def __init__(self) -> None:
        self.logins: list[dict[str, str]] = []
        self.refreshes: list[str] = []
        self.seen: list[str] = []
        self.lifetime_s = 600.0
        self.is_refusing = self.is_down = False

    @property
    def routes(self) -> dict[str, Any]:
        return {"POST /login": self._login, "POST /refresh": self._refresh, "GET /me": self._me, "GET /health": up}

    async def _login(self, request: web.Request) -> web.Response:
        form = await request.post()
        self.logins.append({name: str(value) for name, value in form.items()})
        if self.is_down:
            return web.Response(status=503)
        if self.is_refusing or form["password"] != "hunter2-hunter2":
            return web.json_response({"detail": "wrong hunter2-hunter2"}, status=401)
        return self._tokens("first")

    async def _refresh(self, request: web.Request) -> web.Response:
        self.refreshes.append((await request.json())["refresh_token"])
        return self._tokens("second")

    def _tokens(self, subject: str) -> web.Response:
        token = jwt({"sub": subject, "exp": NOW + self.lifetime_s})
        return web.json_response({"access_token": token, "refresh_token": f"refresh-{subject}"})

    async def _me(self, request: web.Request) -> web.Response:
        self.seen.append(request.headers.get("Authorization", ""))
        return web.json_response({"you": self.seen[-1]}, status=200 if self.seen[-1] else 401)


ENTRY: dict[str, Any] = {
    "login": {
        "post": "/login",
        "form": {"username": "env:PROBE_USER", "password": "env:PROBE_PASSWORD"},
        "fields": {"grant_type": "password"},
        "refresh": "/refresh",
    },
    "probes": {"me": {"get": "/me", "login": True}},
}


@pytest.fixture(autouse=True)
def credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PROBE_USER", "probe")
    monkeypatch.setenv("PROBE_PASSWORD", "hunter2-hunter2")


async def test_a_login_is_done_once_kept_in_memory_and_refreshed_before_it_expires() -> None:
    identity, now = Identity(), NOW
    async with serving(identity.routes) as url, probing(url, lambda: now, **ENTRY) as prober:
        assert [(await prober.run("me", url)).state for _ in range(2)] == [State.OK, State.OK]
        assert identity.logins == [{"username": "probe", "password": "hunter2-hunter2", "grant_type": "password"}]
        assert identity.seen[0].startswith("Bearer ey")
        (token,) = prober.tokens
        assert (token.origin, token.claim("sub"), token.expires_at) == ("login", "first", NOW + 600)
        now = NOW + 0.85 * 600
        identity.lifetime_s = 1200
        await prober.run("me", url)
        assert (len(identity.logins), identity.refreshes) == (1, ["refresh-first"])
        assert prober.tokens[0].claim("sub") == "second"
        login, me = prober.results(url)
        assert (login.name, login.state, login.status_code) == ("login", State.OK, 200)
        assert login.url.endswith("/refresh")
        told = repr((login, me, prober.tokens))
    assert "hunter2" not in told
    assert identity.seen[0][7:] not in told
    assert "refresh-first" not in told


async def test_a_refused_login_is_not_tried_again_until_it_may_not_lock_the_account() -> None:
    identity, now = Identity(), NOW
    identity.is_refusing = True
    async with serving(identity.routes) as url, probing(url, lambda: now, **ENTRY) as prober:
        result = await prober.run("me", url)
        assert (result.state, result.reason) == (State.DOWN, "login refused: HTTP 401")
        now += 299
        assert (await prober.run("me", url)).reason == "login refused: HTTP 401; tried again in 1 s"
        assert len(identity.logins) == 1
        identity.is_refusing, now = False, now + 2
        assert (await prober.run("me", url)).state is State.OK
    assert "hunter2" not in result.body
    assert len(identity.seen) == 1, "without a token nothing was asked"


async def test_two_probes_at_once_share_one_login() -> None:
    identity = Identity()
    probes = {name: {"get": "/me", "login": True} for name in ("a", "b", "c")}
    async with serving(identity.routes) as url, probing(url, **{**ENTRY, "probes": probes}) as prober:
        await asyncio.gather(*(prober.run(name, url) for name in probes))
    assert len(identity.logins) == 1


async def test_a_token_by_reference_is_looked_into_and_judged(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SERVICE_TOKEN", jwt({"iss": "id", "exp": 1}))
    async with serving({"GET /": up}) as url:
        snapshot = await settled(Service.model_validate({"url": url + "/", "token": "env:SERVICE_TOKEN"}), tokens=1)
    (token,) = snapshot.tokens
    assert (token.origin, token.claim("iss")) == ("env:SERVICE_TOKEN", "id")
    assert {number.metric: number.value for number in snapshot.numbers()}["token_s"] < 0


async def settled(entry: Service, tokens: int = 0) -> ServiceSnapshot:
    source = HttpSource("api", entry)
    try:
        async with asyncio.timeout(20):
            while (snapshot := await source.read()).is_partial or len(snapshot.tokens) < tokens:
                await asyncio.sleep(0.01)
        return snapshot
    finally:
        await source.close()


async def test_what_reads_is_sent_by_itself_and_what_writes_is_not() -> None:
    written: list[str] = []

    async def write(request: web.Request) -> web.Response:
        written.append(request.path)
        return web.Response()

    routes = {"GET /health": up, "GET /x": up, **{f"{method} /w": write for method in ("POST", "PUT", "DELETE")}}
    probes = {"x": {"get": "/x"}, "post": {"post": "/w"}, "put": {"put": "/w"}, "delete": {"delete": "/w"}}
    async with serving(routes) as url:
        snapshot = await settled(Service.model_validate({"url": url + "/health", "probes": probes}))
    assert [(probe.name, probe.state, probe.writes) for probe in snapshot.probes] == [
        ("x", State.OK, False), ("post", None, True), ("put", None, True), ("delete", None, True),
    ]  # fmt: skip
    assert not written
    judged = [(number.object, number.value) for number in snapshot.numbers() if number.metric == "probe_state"]
    assert judged == [("x", 0)]


async def test_failures_are_kept_to_read_and_the_same_one_is_counted() -> None:
    texts = iter(["boom 1", "boom 1", "fine", "boom 2"])

    async def answer(request: web.Request) -> web.Response:
        text = next(texts)
        return web.Response(text=text, status=200 if text == "fine" else 500)

    async with serving({"GET /": answer}) as url:
        source = HttpSource("api", Service(url=url + "/"))
        for _ in range(4):
            snapshot = await source.read()
        await source.close()
    assert [(failure.count, failure.body) for failure in snapshot.failures] == [(1, "boom 2"), (2, "boom 1")]
    assert (snapshot.error_percent, snapshot.up_percent) == (75, 25)


async def test_a_cors_preflight_asks_as_a_browser_does() -> None:
    asked: dict[str, str] = {}

    async def options(request: web.Request) -> web.Response:
        asked.update(request.headers)
        return web.Response(status=204, headers={"Access-Control-Allow-Origin": "*"})

    cors = {"path": "/p", "origin": "https://shop.example", "method": "POST", "ask": ["Authorization"]}
    async with serving({"OPTIONS /p": options}) as url:
        result = await probed(url, {"cors": cors})
    assert asked["Access-Control-Request-Headers"] == "Authorization"
    assert result.reason == "header Authorization allowed: it allows none"


async def test_a_probe_sends_its_body_once() -> None:
    got: list[Any] = []

    async def take(request: web.Request) -> web.Response:
        got.append((request.content_type, json.loads(await request.text())))
        return web.Response(status=202)

    async with serving({"POST /logs": take}) as url:
        result = await probed(url, {"post": "/logs", "json": {"level": "info"}, "expect": {"status": 202}})
    assert (result.state, result.writes) == (State.OK, True)
    assert got == [("application/json", {"level": "info"})]
