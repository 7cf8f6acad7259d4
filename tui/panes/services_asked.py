"""What services are asked beside their health, as views: probes, credentials, failures, statistics. Pure.

The first frame needs their columns only: what a key opens is imported when it does.
"""

from collections.abc import Callable, Hashable, Mapping, Sequence
from importlib import import_module
from typing import Any, Final

from profiles.schema import Profile
from tui.panes import services_rows, services_views
from tui.panes.services_board import Board, Readings
from tui.rules import Level
from tui.sources.health import State
from tui.sources.http_snapshot import ServiceSnapshot
from tui.sources.probes.by_hand import curl
from tui.sources.reading import Source
from widgets.cell import Column, Row
from widgets.segment_line import Segment

KIND: Final = "service"
Snapshots = Mapping[str, ServiceSnapshot]
RowsOf = Callable[[Snapshots, float], Mapping[Any, Row]]
PageOf = Callable[[ServiceSnapshot, tuple[Any, ...], float], str]


def _snapshots(readings: Readings) -> dict[str, ServiceSnapshot]:
    return {name.partition(":")[2]: one.snapshot for name, one in readings.items() if one.snapshot is not None}


def _board(
    columns: tuple[Column, ...],
    empty: str,
    rows: RowsOf,
    page: PageOf,
    sort: tuple[str, bool],
    *,
    troubled: Callable[[ServiceSnapshot], int] = lambda snapshot: 0,
    look: Callable[[Source[Any] | None], None] = lambda source: None,
    note: Callable[[ServiceSnapshot], str] = lambda snapshot: "",
) -> Board:
    def rows_of(readings: Readings, level: Callable[[str, str, str], Level], now: float) -> Mapping[Hashable, Row]:
        return rows(_snapshots(readings), now)

    def page_of(readings: Readings, key: Hashable, now: float) -> str:
        snapshot = _snapshots(readings).get(str(key[0])) if isinstance(key, tuple) else None
        return page(snapshot, key, now) if snapshot is not None and isinstance(key, tuple) else ""

    def title(readings: Readings) -> Sequence[Segment]:
        return services_rows.title(readings.values())

    return Board(
        KIND,
        columns,
        empty,
        look,
        rows_of,
        title,
        lambda readings: sum(troubled(one) for one in _snapshots(readings).values()),
        lambda readings: "\n".join(
            f"{name}: {told}" for name, one in _snapshots(readings).items() if (told := note(one))
        ),
        page_of,
        _by_hand,
        lambda readings, keys: (),
        lambda readings, source, about: None,
        sort,
    )


def _by_hand(profile: Profile, readings: Readings, key: Hashable | None) -> str:
    service, name = (str(key[0]), str(key[1])) if isinstance(key, tuple) else ("", "")
    entry = profile.services.get(service)
    if entry is None:
        return "\n".join(services_rows.curl(entry) for entry in profile.services.values())
    if name in entry.probes:
        return curl(entry, name)
    chain = _snapshots(readings)[service].chain if name == "certificate" else None
    if chain is not None:
        return str(_pages().openssl(chain))
    return services_rows.curl(entry)


def _pages() -> Any:
    return import_module("tui.panes.services_pages")


def _probe_page(snapshot: ServiceSnapshot, key: tuple[Any, ...], now: float) -> str:
    found = next((probe for probe in snapshot.probes if probe.name == key[1]), None)
    return str(_pages().probe_page(found, now)) if found else ""


def _credential_page(snapshot: ServiceSnapshot, key: tuple[Any, ...], now: float) -> str:
    if key[1] == "certificate":
        return str(_pages().certificate_page(snapshot, now))
    token = next((token for token in snapshot.tokens if token.origin == key[1]), None)
    return str(_pages().token_page(token, now)) if token else ""


def _failure_page(snapshot: ServiceSnapshot, key: tuple[Any, ...], now: float) -> str:
    failed = next((one for one in snapshot.failures if (one.what, one.at) == key[1:]), None)
    return str(_pages().failure_page(failed)) if failed else ""


def _stat_page(snapshot: ServiceSnapshot, key: tuple[Any, ...], now: float) -> str:
    known = (*snapshot.stats, *snapshot.pinned)
    stat = next((stat for stat in known if (stat.path, stat.key) == key[1:]), None)
    return str(_pages().stat_page(stat, snapshot.url)) if stat else ""


def _look_at_stats(source: Source[Any] | None) -> None:
    from tui.sources.http import HttpSource

    if isinstance(source, HttpSource):
        source.stats.look()


PROBES: Final = _board(
    services_views.PROBES,
    "no probes",
    services_views.probe_rows,
    _probe_page,
    ("state", True),
    troubled=lambda one: sum(probe.state not in (None, State.OK) for probe in one.probes),
)
CREDENTIALS: Final = _board(
    services_views.CREDENTIALS,
    "no certificate seen yet, and no token",
    services_views.credential_rows,
    _credential_page,
    ("left", False),
    troubled=lambda one: int(bool(one.chain and one.chain.problems)),
)
FAILURES: Final = _board(
    services_views.FAILURES,
    "nothing has failed since opstui began to ask",
    lambda snapshots, now: services_views.failure_rows(snapshots),
    _failure_page,
    ("at", True),
)
STATS: Final = _board(
    services_views.STATS,
    "no numbers yet",
    lambda snapshots, now: services_views.stat_rows(snapshots),
    _stat_page,
    ("pin", False),
    look=_look_at_stats,
    note=lambda snapshot: snapshot.stats_note,
)
