"""Messages of several logs in the store of the tab, partly on disk: shown is what a plain look at all of them shows."""

from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tui.panes.log_lines import BELONGING, joins
from tui.panes.log_spooled import SpooledLines
from tui.sources.logs.judge import Judge
from tui.sources.logs.line import OWN, LogLine, Severity, line_kind
from tui.sources.logs.messages import gathered
from tui.sources.logs.parse import LineParser
from tui.sources.logs.spool import Spool
from tui.sources.logs.stack import Stack, new_filter
from widgets.log_store import LogStore

NOW = 1_795_335_084.0
TEXTS = (
    "2026-11-22 08:11:24 ERROR order 7 failed took_ms=900",
    "2026-11-22 08:11:24 INFO  order 8 placed took_ms=12",
    "java.net.SocketTimeoutException: Timeout",
    "\tat com.example.Shop.order(Shop.java:7)",
    "Caused by: a.b.DjangoException: order 7",
    "ValueError: Timeout",
    "2026-11-22 08:11:26 UTC [12] ERROR:  duplicate key",
    "2026-11-22 08:11:26 UTC [12] DETAIL:  Key (id)=(7)",
)
TYPED = ("timeout", "order", "level = error", "took_ms > 100", "not line ~ order", "line !~ java", "Key",
         "exception = ValueError")  # fmt: skip
LOGS = ("java", "django", "pg")
_FILTERS = st.lists(st.tuples(st.sampled_from(TYPED), st.booleans()), max_size=2)
_BATCHES = st.lists(st.lists(st.tuples(st.sampled_from(LOGS), st.sampled_from(TEXTS)), max_size=8), max_size=10)


def naive(lines: Sequence[LogLine], judge: Judge | None) -> list[int]:
    """Return the places of the lines of messages that pass."""
    if judge is None:
        return list(range(len(lines)))
    placed = [line._replace(held=f"{line.held}\x00{place}") for place, line in enumerate(lines)]
    place_of = {line: place for place, line in enumerate(placed)}
    found: list[int] = []
    for message in gathered(placed):
        if judge.of_message([lines[place_of[line]] for line in message]):
            found += [place_of[line] for line in message]
    return sorted(found)


@settings(
    max_examples=100,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(_BATCHES, st.lists(_FILTERS, min_size=1, max_size=4), st.booleans(), st.data())
def test_what_is_shown_is_what_all_messages_of_all_logs_say(
    tmp_path: Path,
    batches: list[list[tuple[str, str]]],
    filters: list[list[tuple[str, bool]]],
    folds: bool,
    data: st.DataObject,
) -> None:
    with closing(SpooledLines(Spool(1024 * 1024, str(tmp_path)), max_lines=20)) as held:
        check(LogStore(10_000, held, BELONGING), batches, filters, folds, data)


def check(
    store: LogStore,
    batches: list[list[tuple[str, str]]],
    filters: list[list[tuple[str, bool]]],
    folds: bool,
    data: st.DataObject,
) -> None:
    parsers = {log: LineParser(log, f"{log}.log") for log in LOGS}
    every: list[LogLine] = []
    judge: Judge | None = None
    store.joins = joins if folds else None
    for batch in batches:
        if data.draw(st.booleans()):
            chosen = data.draw(st.sampled_from(filters))
            judge = Stack(tuple(new_filter(typed, NOW, excludes=excludes) for typed, excludes in chosen)).judge()
            store.predicate = judge
        lines = [parsers[log].parse(text, NOW) for log, text in batch]
        every += lines
        store.extend(lines)
        if data.draw(st.booleans()):
            while store.is_filtering:
                store.filter_older(0)
            assert list(store.shown()) == [every[place] for place in naive(every, judge)]
    while store.is_filtering:
        store.filter_older(0)
    assert list(store.shown()) == [every[place] for place in naive(every, judge)]


def test_no_message_goes_on_across_lines_that_were_left_out() -> None:
    parser = LineParser("java", "java.log")
    first, second = (parser.parse(text, NOW) for text in (TEXTS[0], TEXTS[3]))
    store = LogStore(100, belonging=BELONGING)
    judge = Stack((new_filter("failed", NOW),)).judge()
    store.predicate = judge
    edge = LogLine(NOW, line_kind("java", OWN, Severity.WARN, False, 0), "opstui: older lines above")
    store.extend([second])
    store.extend_front([edge])
    store.extend_front([first])
    assert list(store.shown()) == [first]
    store.predicate = judge
    while store.is_filtering:
        store.filter_older(0)
    assert list(store.shown()) == [first]
