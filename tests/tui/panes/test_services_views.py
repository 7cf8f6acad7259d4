"""Probes, credentials, failures and statistics on the Services tab: facts in, rows and pages out; then the keys."""

from dataclasses import replace
from typing import Any

import pytest
from textual.app import App, ComposeResult

from profiles.schema import Profile
from tui.actions.action import Request
from tui.panes import services_pages, services_views
from tui.panes.pane import Desk, Pane
from tui.panes.services import ServicesPane
from tui.rules import Level
from tui.sources.health import State
from tui.sources.http import HttpSource
from tui.sources.http_snapshot import ServiceSnapshot
from tui.sources.kubernetes.proxied import PodAnswer
from tui.sources.probes.certificates import Certificate, Chain
from tui.sources.probes.facts import Failure, Phases, ProbeResult, Verdict
from tui.sources.probes.stats import Stat
from tui.sources.probes.tokens import Token
from tui.sources.reading import Reading, Source
from widgets.cell import Row, cell_text
from widgets.dialogs import TextDialog
from widgets.log_view import LogView

NOW = 1_795_335_084.0
DAY_S = 86_400.0
LEAF = Certificate(
    "api.example.com", "R11", ("api.example.com", "www.example.com"), NOW - 60 * DAY_S, NOW + 40 * DAY_S,
    "EC secp256r1", "sha256", "1f", "ab" * 32, False,
)  # fmt: skip
CHAIN = Chain("api.example.com", 443, "TLSv1.3", "TLS_AES_256_GCM_SHA384", (LEAF,), (), NOW)
ME = ProbeResult(
    "me", "GET", "https://api.example.com/me", False, State.DOWN, "status 2xx: HTTP 503", NOW - 20, 503,
    Phases(1.0, 2.0, 5.0, 30.0, 40.0), (Verdict("status 2xx", False, "HTTP 503"), Verdict("within 500 ms", True)),
    headers=(("Server", "[/red]"),), body="[/b] it broke", was_sent=True,
)  # fmt: skip
INGEST = ProbeResult("ingest", "POST", "https://api.example.com/logs", True)
TOKEN = Token(
    "env:T", 900, "", (("alg", "RS256"), ("kid", "k1")), (("iss", "id"), ("sub", "probe")), NOW, None, NOW + 60
)
BROKEN = Failure("health", NOW - 60, NOW - 2, 30, 500, "HTTP 500", 12.0, (), "Traceback")
API = ServiceSnapshot(
    "api", "https://api.example.com/health", State.OK, "", NOW, 200, "ok", 12.0, 30.0, 200.0, (), chain=CHAIN,
    probes=(ME, INGEST), tokens=(TOKEN,), failures=(BROKEN,), error_percent=10.0, p50_ms=11.0,
)  # fmt: skip


def texts(row: Row) -> list[str]:
    return [cell_text(cell) for cell in row.cells]


def test_a_probe_that_fails_says_why_and_where_its_time_went() -> None:
    rows = services_views.probe_rows({"api": API}, NOW)
    assert texts(rows["api", "me"]) == [
        "api", "me", "DOWN", "503", "40 ms", "░▒▓████████████─", "status 2xx: HTTP 503", "<1m",
    ]  # fmt: skip
    assert texts(rows["api", "ingest"])[2:7] == ["by hand", "", "–", "", "POST https://api.example.com/logs"]


@pytest.mark.parametrize(
    ("phases", "shown"),
    [
        (Phases(), ""),
        (Phases(total_ms=5.0), ""),
        (Phases(None, 1.0, None, 1.0, 2.0), "▒▒▒▒████"),
        (Phases(0.001, 0.001, 0.001, 10_000.0, 10_000.0), "░▒▓█████"),
        (Phases(0.0, 0.0, 0.0, 1.0, 1000.0), "█───────"),
    ],
)
def test_a_bar_shows_every_phase_that_took_part(phases: Phases, shown: str) -> None:
    assert services_views.bar(phases, 8) == shown


def verdict(chain: Chain) -> tuple[str, str]:
    return services_views.certificate_verdict(chain, NOW)


def test_a_certificate_is_judged_by_trust_first_and_then_by_what_ends_first() -> None:
    assert verdict(CHAIN) == ("trusted", "ok")
    assert verdict(replace(CHAIN, problems=("it has expired",))) == ("it has expired", "critical")
    soon = replace(LEAF, subject="R11", not_after=NOW + 5 * DAY_S)
    assert verdict(replace(CHAIN, certificates=(LEAF, soon))) == ("trusted, ends soon of R11", "critical")
    assert verdict(replace(CHAIN, certificates=(replace(LEAF, not_after=NOW + 20 * DAY_S),)))[1] == "warn"


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({}, "expires soon, and nobody here renews it"),
        ({"expires_at": NOW + 3600}, "good"),
        ({"expires_at": NOW - 1}, "EXPIRED"),
        ({"expires_at": None}, "it never expires: no exp"),
        ({"not_before": NOW + 60}, "not valid before 2026-11-22 08:12"),
        ({"header": (("alg", "none"),)}, "it is not signed (alg none)"),
        ({"origin": "login"}, "renewed in time"),
        ({"expires_at": None, "problem": "2 parts between dots; a JWT has 3", "header": ()}, "2 parts between dots"),
    ],
)
def test_a_token_says_how_long_it_is_good(change: dict[str, Any], words: str) -> None:
    assert services_views.token_verdict(replace(TOKEN, **change), NOW)[0].startswith(words)


def test_credentials_and_failures_have_rows() -> None:
    rows = services_views.credential_rows({"api": API}, NOW)
    assert texts(rows["api", "certificate"])[2:] == ["api.example.com", "R11", "2027-01-01 08:11", "40d", "trusted"]
    assert texts(rows["api", "env:T"])[1:4] == ["token", "probe", "id"]
    (failed,) = services_views.failure_rows({"api": API}).values()
    assert texts(failed) == ["11-22 08:11:22", "api", "health", "500", "12 ms", "30", "HTTP 500"]


def test_pages_hold_what_people_need_and_never_the_token() -> None:
    page = services_pages.certificate_page(replace(API, chain=replace(CHAIN, problems=("it has expired",))), NOW)
    assert "NOT TRUSTED: it has expired" in page
    assert "for          api.example.com, www.example.com" in page
    assert "openssl s_client -connect api.example.com:443 -servername api.example.com" in page
    told = services_pages.token_page(TOKEN, NOW)
    assert "from        env:T, 900 characters; not verified, only read" in told
    assert "kid: k1" in told
    page = services_pages.probe_page(ME, NOW)
    assert "NO  status 2xx" in page
    assert "[/b] it broke" in page


@pytest.mark.parametrize(
    ("outside", "inside", "words"),
    [
        (State.DOWN, (State.OK, State.OK), "every pod is well and the outside is not"),
        (State.OK, (State.OK, State.DOWN), "1 of 2 pods are well"),
        (State.OK, (State.DOWN, State.DOWN), "the outside is well and no pod is"),
        (State.DOWN, (), "inside: no pod runs"),
        (State.OK, (State.OK,), ""),
    ],
)
def test_outside_and_inside_are_compared(outside: State, inside: tuple[State, ...], words: str) -> None:
    pods = [PodAnswer(f"api-{number}", state, "", 200, 3.0) for number, state in enumerate(inside)]
    page = services_pages.inspection_page(replace(ME, state=outside), None, None, pods, NOW)
    assert words in page
    assert ("well" in page) is bool(words and inside)


def test_a_series_says_how_to_keep_it() -> None:
    page = services_pages.stat_page(Stat("/stats", "pools.0.in-use", "", 3.0), "https://api.example.com/health")
    assert "json: https://api.example.com/stats" in page
    assert 'path: pools[0]."in-use"' in page


def profile() -> Profile:
    probes = {"me": {"get": "/me"}, "ingest": {"post": "/logs"}}
    api = {"url": "https://api.example.com/health", "probes": probes, "stats": ["/metrics"],
           "workload": "shop/deployment/api", "logs": "app", "database": "orders"}  # fmt: skip
    values = {"services": {"web": "https://web.example.com/", "api": api},
              "databases": {"orders": "service=orders"}, "logs": {"app": "/var/log/app.log"}}  # fmt: skip
    return Profile.model_validate({"name": "x", **values})


class PaneApp(App[None]):
    def __init__(self) -> None:
        super().__init__()
        self.told: list[str] = []
        self.jumps: list[tuple[str, str]] = []
        self.requests: list[Request] = []
        self.source = HttpSource("api", profile().services["api"])
        self.pane = ServicesPane(
            Desk(profile(), lambda: NOW, lambda *_: Level.OK, lambda _: None, source=self.source_of), id="services"
        )

    def source_of(self, name: str) -> Source[Any] | None:
        return self.source if name == "service:api" else None

    def compose(self) -> ComposeResult:
        yield self.pane

    def on_mount(self) -> None:
        self.pane.show(Reading("service:api", 2.0, API, taken_at=NOW))
        self.pane.focus_first()

    def on_pane_told(self, message: Pane.Told) -> None:
        self.told.append(message.text)

    def on_pane_jumped(self, message: Pane.Jumped) -> None:
        self.jumps.append((message.source, message.about))

    def on_pane_requested(self, message: Pane.Requested) -> None:
        self.requests += message.requests


async def test_one_key_leads_to_what_stands_behind_a_service() -> None:
    app = PaneApp()
    async with app.run_test(size=(80, 24)) as pilot:
        app.pane.table.seek("api")
        await pilot.press("w", "d", "t", "r")
        await pilot.pause()
        assert app.jumps == [("kubernetes:", "deployment/shop/api"), ("database:orders", ""), ("logs:app", "app")]
        assert app.told == ["the profile names no redis for api"]


async def test_a_probe_that_writes_is_only_ever_asked_for() -> None:
    app = PaneApp()
    async with app.run_test(size=(120, 30)) as pilot:
        await pilot.press("E")
        assert app.told.pop() == "choose a probe: see Probes (tab)"
        await pilot.press("tab")
        app.pane.table.seek(("api", "me"))
        await pilot.press("E")
        await pilot.pause()
        assert app.told.pop() == "me only reads: n sends it now"
        app.pane.table.seek(("api", "ingest"))
        await pilot.press("n")
        await pilot.pause()
        assert app.told.pop() == "it could change something: E sends it, after you confirm"
        assert not app.requests
        await pilot.press("E")
        await pilot.pause()
        assert [(one.verb, one.target.name, one.target.source) for one in app.requests] == [
            ("probe", "ingest", "service:api")
        ]


async def test_every_row_of_every_view_opens_and_hostile_text_is_no_markup() -> None:
    app = PaneApp()
    async with app.run_test(size=(120, 50)) as pilot:
        for view, key, words in (
            ("probes", ("api", "me"), "[/b] it broke"),
            ("credentials", ("api", "certificate"), "for          api.example.com"),
            ("credentials", ("api", "env:T"), "sub: probe"),
            ("failures", ("api", "health", NOW - 60), "Traceback"),
        ):
            app.pane.open_at(view, "", "")
            app.pane.table.seek(key)
            await pilot.pause()
            await pilot.press("enter")
            await pilot.pause()
            assert isinstance(app.screen, TextDialog)
            shown = "\n".join(line.text for line in app.screen.query_one(LogView).visible_lines())
            assert words in shown
            await pilot.press("escape")
            await pilot.pause()


async def test_a_series_is_pinned_and_the_row_says_so() -> None:
    stat = Stat("/metrics", "up", "", 1.0, is_text=True)
    app = PaneApp()
    async with app.run_test(size=(120, 30)) as pilot:
        app.pane.show(Reading("service:api", 2.0, replace(API, stats=(stat,)), taken_at=NOW))
        await pilot.press("m")
        app.pane.open_at("stats", "", "")
        app.pane.table.seek(("api", "/metrics", "up"))
        await pilot.press("m")
        await pilot.pause()
        assert app.told == [
            "choose a series: see Stats (tab)", "up is charted in Resources from now on, until opstui ends",
        ]  # fmt: skip
        assert app.source.stats.pinned == (stat,)
        app.pane.show(Reading("service:api", 2.0, replace(API, stats=(stat,), pinned=(stat,)), taken_at=NOW))
        await pilot.pause(0.3)
        row = app.pane.table.row(("api", "/metrics", "up"))
        assert row is not None
        assert texts(row) == ["*", "api", "up", "", "1", "/metrics"]


def test_a_profile_has_the_views_that_it_has_something_for() -> None:
    def views(**services: Any) -> list[str]:
        values = {"name": "x", "services": services}
        return list(ServicesPane(Desk(Profile.model_validate(values), lambda: NOW, lambda *_: Level.OK, lambda _: None),
                                 id="s").views)  # fmt: skip

    assert views(a="http://a/") == ["table", "failures"]
    assert views(a="https://a/") == ["table", "credentials", "failures"]
    assert views(a={"url": "http://a/", "probes": {"p": {"get": "/"}}, "stats": ["/m"]}) == [
        "table", "probes", "failures", "stats",
    ]  # fmt: skip
