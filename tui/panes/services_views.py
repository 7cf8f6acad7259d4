"""Facts about probes, certificates, tokens, failures and statistics → the rows of their views. Pure."""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from tui.panes.services_rows import millis, state_words
from tui.sources.http_snapshot import ServiceSnapshot
from tui.sources.probes.facts import Failure, Phases, ProbeResult
from tui.units import coarse, span
from widgets.cell import Cell, Column, Row, Tone

if TYPE_CHECKING:  # the first frame knows their names only
    from tui.sources.probes.certificates import Certificate, Chain
    from tui.sources.probes.stats import Stat
    from tui.sources.probes.tokens import Token

BAR_WIDTH: Final = 16
PROBES: Final = (
    Column("service", "SERVICE", min_width=8, max_width=20),
    Column("probe", "PROBE", min_width=8, max_width=24),
    Column("state", "STATE", 9),
    Column("code", "CODE", 4, align="right"),
    Column("total", "TOTAL", 7, align="right"),
    Column("bar", "PHASES", BAR_WIDTH, priority=3),
    Column("why", "REQUEST, OR WHY NOT", min_width=24),
    Column("age", "SENT", 7, align="right", priority=2),
)
CREDENTIALS: Final = (
    Column("service", "SERVICE", min_width=8, max_width=20),
    Column("kind", "KIND", 11, priority=1),
    Column("subject", "SUBJECT", min_width=14, max_width=36),
    Column("issuer", "ISSUER", min_width=12, max_width=36, priority=3),
    Column("ends", "ENDS", 16, priority=2),
    Column("left", "LEFT", 8, align="right"),
    Column("verdict", "VERDICT", min_width=20),
)
FAILURES: Final = (
    Column("at", "LAST (UTC)", 14),
    Column("service", "SERVICE", min_width=8, max_width=20),
    Column("what", "ASKED", min_width=8, max_width=24),
    Column("code", "CODE", 4, align="right"),
    Column("took", "TOOK", 7, align="right", priority=2),
    Column("count", "TIMES", 5, align="right", priority=1),
    Column("why", "WHY", min_width=24),
)
STATS: Final = (
    Column("pin", "PIN", 5),
    Column("service", "SERVICE", min_width=8, max_width=20),
    Column("name", "SERIES", min_width=20, max_width=60),
    Column("labels", "LABELS", min_width=12, priority=1),
    Column("value", "VALUE", 14, align="right"),
    Column("path", "WHERE", min_width=8, max_width=20, priority=2),
)
_SIGNS: Final = "░▒▓█─"
"""Of the five phases in a bar: DNS, connect, TLS, first byte, rest."""
BAR_MEANS: Final = "░ DNS  ▒ connect  ▓ TLS  █ first byte  ─ rest"
WARN_DAYS: Final = 30.0
CRITICAL_DAYS: Final = 7.0
TOKEN_WARN_S: Final = 300.0
_DAY_S: Final = 86_400.0

ProbeKey = tuple[str, str]
"""Service and probe."""
CredentialKey = tuple[str, str]
"""Service, and what it is: `certificate`, or the token's origin."""
FailureKey = tuple[str, str, float]
"""Service, what was asked, and when it failed first."""
StatKey = tuple[str, str, str]
"""Service, path and series."""


def probe_rows(snapshots: Mapping[str, ServiceSnapshot], now: float) -> dict[ProbeKey, Row]:
    """Return a row for each probe of each service."""
    return {(name, probe.name): _probe_row(name, probe, now) for name, one in snapshots.items() for probe in one.probes}


def _probe_row(service: str, probe: ProbeResult, now: float) -> Row:
    word, tone = state_words(probe)
    code = "" if probe.status_code is None else str(probe.status_code)
    is_known = probe.at is not None and probe.phases.total_ms > 0
    why = probe.reason or f"{probe.method} {probe.url}"
    age = "" if probe.at is None else coarse(max(0.0, now - probe.at))
    total = millis(probe.phases.total_ms) if is_known else "–"
    rank = 3 if word == "unknown" else -1 if probe.state is None else int(probe.state)
    cells = (
        service,
        probe.name,
        Cell(word, tone),
        code,
        total,
        Cell(bar(probe.phases), "accent"),
        Cell(why, tone if probe.reason else "dim"),
        age,
    )
    order = (
        service,
        probe.name,
        rank,
        probe.status_code,
        probe.phases.total_ms if is_known else None,
        None,
        why,
        probe.at,
    )
    return Row(cells, order, haystack=probe.url)


def bar(phases: Phases, width: int = BAR_WIDTH) -> str:
    """Return where the time went, each phase by its own sign and as wide as its part; empty when that is not known."""
    known = [(value or 0.0, sign) for (_, value), sign in zip(phases.named(), _SIGNS, strict=True)]
    whole = sum(value for value, _ in known)
    if whole <= 0:
        return ""
    told = ""
    passed = 0.0
    for value, sign in known:
        passed += value
        # What took part at all is seen, however short.
        reach = max(round(width * passed / whole), len(told) + (value > 0))
        told += sign * max(0, min(width, reach) - len(told))
    return told


def credential_rows(snapshots: Mapping[str, ServiceSnapshot], now: float) -> dict[CredentialKey, Row]:
    """Return a row for the certificate and each token of each service."""
    found: dict[CredentialKey, Row] = {}
    for name, one in snapshots.items():
        if one.chain is not None or one.chain_failure:
            found[name, "certificate"] = _certificate_row(name, one, now)
        for token in one.tokens:
            found[name, token.origin] = _token_row(name, token, now)
    return found


def _certificate_row(service: str, snapshot: ServiceSnapshot, now: float) -> Row:
    chain = snapshot.chain
    leaf = chain.leaf if chain else None
    if chain is None or leaf is None:
        words = Cell(snapshot.chain_failure or "it serves none", "warn")
        return Row((service, "certificate", "", "", "", "", words), (service, "certificate", "", "", None, None, ""))
    days = leaf.days(now)
    verdict, tone = certificate_verdict(chain, now)
    ends = date(leaf.not_after)
    return Row(
        (service, "certificate", leaf.subject, leaf.issuer, ends, Cell(left(days * _DAY_S), tone), Cell(verdict, tone)),
        (service, "certificate", leaf.subject, leaf.issuer, leaf.not_after, days * _DAY_S, verdict),
        haystack=" ".join(leaf.names),
    )


def certificate_verdict(chain: "Chain", now: float) -> tuple[str, Tone]:
    """Return in a few words whether a chain is good, and how urgent it is."""
    ending = _first_to_end(chain.certificates)
    days = ending.days(now) if ending else 0.0
    if chain.problems:
        return "; ".join(chain.problems), "critical"
    if ending is None or days >= WARN_DAYS:
        return "trusted", "ok"
    whose = "" if ending is chain.leaf else f" of {ending.subject}"
    return f"trusted, ends soon{whose}", "critical" if days < CRITICAL_DAYS else "warn"


def _first_to_end(certificates: "Iterable[Certificate]") -> "Certificate | None":
    return min(certificates, key=lambda one: one.not_after, default=None)


def _token_row(service: str, token: "Token", now: float) -> Row:
    verdict, tone = token_verdict(token, now)
    seconds = None if token.expires_at is None else token.expires_at - now
    ends = "" if token.expires_at is None else date(token.expires_at)
    subject, issuer = token.claim("sub"), token.claim("iss")
    kind = "login" if token.origin == "login" else "token"
    return Row(
        (
            service,
            kind,
            subject,
            issuer,
            ends,
            Cell("" if seconds is None else left(seconds), tone),
            Cell(verdict, tone),
        ),
        (service, kind, subject, issuer, token.expires_at, seconds, verdict),
        haystack=token.origin,
    )


def token_verdict(token: "Token", now: float) -> tuple[str, Tone]:
    """Return in a few words whether a token is good now, and how urgent it is."""
    if token.claim("alg").lower() == "none":
        return "it is not signed (alg none)", "critical"
    if token.not_before is not None and token.not_before > now:
        return f"not valid before {date(token.not_before)}", "critical"
    if token.expires_at is None:
        return (token.problem, "warn") if token.problem else ("it never expires: no exp", "warn")
    seconds = token.expires_at - now
    if seconds <= 0:
        return "EXPIRED", "critical"
    if token.origin == "login":
        return "renewed in time", "ok"
    return ("expires soon, and nobody here renews it", "warn") if seconds < TOKEN_WARN_S else ("good", "ok")


def left(seconds: float) -> str:
    """Return the time that is left: `64d`, `5h4m`; `-3d` when it has passed."""
    told = f"{abs(seconds) / _DAY_S:.0f}d" if abs(seconds) >= 2 * _DAY_S else coarse(abs(seconds))
    return told if seconds >= 0 else f"-{told.removeprefix('<')}"


def date(at: float) -> str:
    """Return a Unix time as `2026-11-26 08:11` in UTC; a year beyond all calendars as such."""
    try:
        return f"{datetime.fromtimestamp(at, UTC):%Y-%m-%d %H:%M}"
    except (OverflowError, ValueError, OSError):
        return "beyond 9999"


def failure_rows(snapshots: Mapping[str, ServiceSnapshot]) -> dict[FailureKey, Row]:
    """Return a row for each failure that was kept."""
    return {
        (name, one.what, one.at): _failure_row(name, one) for name, found in snapshots.items() for one in found.failures
    }


def _failure_row(service: str, failure: Failure) -> Row:
    code = "" if failure.status_code is None else str(failure.status_code)
    moment = f"{datetime.fromtimestamp(failure.last_at, UTC):%m-%d %H:%M:%S}"
    cells = (service, failure.what, code, millis(failure.latency_ms), str(failure.count), failure.reason)
    order = (service, failure.what, failure.status_code, failure.latency_ms, failure.count, failure.reason)
    return Row((moment, *cells), (failure.last_at, *order), haystack=failure.body[:1000])


def stat_rows(snapshots: Mapping[str, ServiceSnapshot]) -> dict[StatKey, Row]:
    """Return a row for each series of the services' statistics, marked where it is pinned."""
    found: dict[StatKey, Row] = {}
    for name, one in snapshots.items():
        pins = {(stat.path, stat.key) for stat in one.pinned}
        for stat in one.stats or one.pinned:
            found[name, stat.path, stat.key] = _stat_row(name, stat, (stat.path, stat.key) in pins)
    return found


def _stat_row(service: str, stat: "Stat", is_pinned: bool) -> Row:
    value = "–" if stat.value is None else f"{stat.value:,.6g}"
    return Row(
        (Cell("*" if is_pinned else "", "accent"), service, stat.name, stat.labels, value, stat.path),
        (not is_pinned, service, stat.name, stat.labels, stat.value, stat.path),
        haystack=stat.help,
    )


def age_words(seconds: float) -> str:
    """Return how long ago something was, in words."""
    return f"{span(seconds)} ago"
